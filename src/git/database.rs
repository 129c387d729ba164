//! The object database: which objects there are, in which order to read them, and their bytes.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use bstr::{BString, ByteSlice, ByteVec};

use super::pack;
use super::pack::delta::Delta;
use super::pack::{Base, Forest, Header, Inflater, Pack, PackIndex};
use super::{Fault, Repository};
use crate::derived::Copies;
use crate::location::ObjectId;

/// Length of an object name: libgit2 as it is built here opens only repositories with SHA-1 names.
const ID_LEN: usize = 20;

/// The four kinds of objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ObjectKind {
    /// A commit; as an entry of a tree the link to a commit of a submodule.
    Commit,
    /// A directory.
    Tree,
    /// The content of a file.
    Blob,
    /// An annotated tag.
    Tag,
}

impl ObjectKind {
    fn new(kind: git2::ObjectType) -> Option<Self> {
        match kind {
            git2::ObjectType::Commit => Some(Self::Commit),
            git2::ObjectType::Tree => Some(Self::Tree),
            git2::ObjectType::Blob => Some(Self::Blob),
            git2::ObjectType::Tag => Some(Self::Tag),
            git2::ObjectType::Any => None,
        }
    }

    /// The word that git uses.
    pub fn name(self) -> &'static str {
        match self {
            Self::Commit => "commit",
            Self::Tree => "tree",
            Self::Blob => "blob",
            Self::Tag => "tag",
        }
    }
}

/// Why an object could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// The database has none of that name.
    #[error("object is missing")]
    Missing,
    /// It is there, but its bytes are not what its name says, or cannot be read at all.
    #[error("object cannot be read: {0}")]
    Corrupt(String),
}

impl ReadError {
    fn new(error: &git2::Error) -> Self {
        match error.code() {
            git2::ErrorCode::NotFound => Self::Missing,
            _ => Self::Corrupt(error.message().to_owned()),
        }
    }
}

/// Reads objects for one thread. libgit2 compares every object with its name, so a flipped bit is noticed.
pub struct ObjectReader<'r> {
    odb: git2::Odb<'r>,
    refused: Option<&'r HashSet<ObjectId>>,
}

impl<'r> ObjectReader<'r> {
    /// Opens the object database of a repository.
    ///
    /// # Errors
    ///
    /// When libgit2 cannot open it.
    pub fn new(repository: &'r Repository) -> Result<Self, ReadError> {
        let odb = repository.inner.odb().map_err(|error| ReadError::new(&error))?;
        Ok(Self { odb, refused: None })
    }

    /// Refuses to read some objects; see [`Store::hopeless`].
    pub fn refusing(self, refused: &'r HashSet<ObjectId>) -> Self {
        Self { refused: Some(refused), ..self }
    }

    fn check(&self, id: &ObjectId) -> Result<(), ReadError> {
        match self.refused {
            Some(refused) if refused.contains(id) => {
                Err(ReadError::Corrupt("its entry in the pack is broken".to_owned()))
            }
            _ => Ok(()),
        }
    }

    /// Kind and length in bytes, without reading the rest where that can be avoided.
    ///
    /// # Errors
    ///
    /// See [`ReadError`].
    pub fn header(&self, id: &ObjectId) -> Result<(ObjectKind, u64), ReadError> {
        self.check(id)?;
        let (len, kind) = self.odb.read_header(oid(id)?).map_err(|error| ReadError::new(&error))?;
        Ok((known_kind(kind)?, len as u64))
    }

    /// Kind and content.
    ///
    /// # Errors
    ///
    /// See [`ReadError`].
    pub fn read(&self, id: &ObjectId) -> Result<Object<'_>, ReadError> {
        let (kind, len) = self.header(id)?;
        self.read_of(id, kind, len)
    }

    /// As [`ObjectReader::read`], for those who have asked for the header already.
    ///
    /// # Errors
    ///
    /// See [`ReadError`].
    pub fn read_of(&self, id: &ObjectId, kind: ObjectKind, len: u64) -> Result<Object<'_>, ReadError> {
        // libgit2 makes room for what a few bytes of a delta say that it makes. Who reads a blob has asked for its
        // length.
        if kind != ObjectKind::Blob && len > pack::MAX_BYTES {
            return Err(ReadError::Corrupt(format!(
                "it says that it has {len} bytes, more than a {} has",
                kind.name()
            )));
        }
        let inner = self.odb.read(oid(id)?).map_err(|error| ReadError::new(&error))?;
        Ok(Object { kind: known_kind(inner.kind())?, inner })
    }
}

/// The content of an object.
pub struct Object<'o> {
    kind: ObjectKind,
    inner: git2::OdbObject<'o>,
}

impl Object<'_> {
    /// What it is.
    pub fn kind(&self) -> ObjectKind {
        self.kind
    }

    /// Its bytes, without git's header.
    pub fn bytes(&self) -> &[u8] {
        self.inner.data()
    }
}

fn known_kind(kind: git2::ObjectType) -> Result<ObjectKind, ReadError> {
    ObjectKind::new(kind).ok_or_else(|| ReadError::Corrupt("unknown kind of object".to_owned()))
}

fn oid(id: &ObjectId) -> Result<git2::Oid, ReadError> {
    git2::Oid::from_bytes(id.as_raw()).map_err(|error| ReadError::Corrupt(error.message().to_owned()))
}

/// Turns a name from libgit2 into ours.
pub(super) fn object_id(oid: git2::Oid) -> ObjectId {
    ObjectId::from_raw(oid.as_bytes()).expect("libgit2 has names of 20 or 32 bytes")
}

/// Every object of the database, once each: loose, packed, borrowed from alternates.
///
/// libgit2 could list them as well, but its listing ends at the first broken pack and passes over packs
/// without an index; here each of these is a fault of its own and the rest goes on.
pub struct Inventory {
    /// Sorted by name.
    ids: Vec<git2::Oid>,
    /// Where in `ids` the names start whose first bits are less than this.
    fan: Vec<u32>,
    /// How many bits: so many that about one name is left of each slot, since each step of a search in millions
    /// of names waits for memory. Seen on rails/rails: 16 bits take 2 % more of all time.
    fan_bits: u32,
    /// Positions in `ids`, pack by pack in the order in which the objects lie there: bases are near their
    /// deltas, and libgit2's cache of bases is small.
    reading_order: Vec<u32>,
}

impl Inventory {
    /// Lists the objects. What cannot be listed is a fault.
    pub fn list(repository: &Repository) -> (Self, Vec<Fault>) {
        let listing = Listing::of(repository);
        (Self::new(&listing).0, listing.faults)
    }

    /// The objects that a push brought and the server has not accepted yet, and the faults of listing them; none
    /// outside a pre-receive hook. An object that the server has as well is left out: git completes thin packs by
    /// such objects.
    pub fn quarantined(repository: &Repository) -> (Vec<ObjectId>, Vec<Fault>) {
        let mut listing = Listing::default();
        if std::env::var_os("GIT_QUARANTINE_PATH").is_none() {
            return (Vec::new(), listing.faults);
        }
        let mut dirs = repository.object_dirs(&mut listing.faults).into_iter();
        let Some(quarantine) = dirs.next() else { return (Vec::new(), listing.faults) };
        let accepted = git2::Odb::new().and_then(|odb| {
            for dir in dirs {
                odb.add_disk_alternate(&dir.to_string_lossy())?;
            }
            Ok(odb)
        });
        listing.packs(&quarantine.join("pack"));
        listing.loose(&quarantine);
        let (inventory, _) = Self::new(&listing);
        let is_new = |id: &ObjectId| match (&accepted, oid(id)) {
            // Nothing changes what is there while the hook runs, so there is no need to look again at each miss.
            (Ok(accepted), Ok(oid)) => !accepted.exists_ext(oid, git2::OdbLookupFlags::NO_REFRESH),
            _ => true,
        };
        (inventory.in_reading_order().filter(is_new).collect(), listing.faults)
    }

    /// The inventory, and for each place of the listing (pack by pack, then loose) which number it has there.
    fn new(listing: &Listing) -> (Self, Vec<Place>) {
        let mut named = Vec::with_capacity(listing.len());
        for (_, index) in &listing.packs {
            named.extend((0..index.len() as u32).map(|entry| raw_oid(index.raw(entry))));
        }
        named.extend(&listing.loose);
        let mut named: Vec<(git2::Oid, u32)> = named.into_iter().zip(0..).collect();
        named.sort_unstable();
        let mut places = vec![Place { number: 0, is_first: false }; listing.len()];
        for (number, same) in (0..).zip(named.chunk_by(|(a, _), (b, _)| a == b)) {
            for (at, (_, place)) in same.iter().enumerate() {
                places[*place as usize] = Place { number, is_first: at == 0 };
            }
        }
        named.dedup_by_key(|(id, _)| *id);
        let mut placed: Vec<(u32, u32)> = named.iter().map(|(_, place)| *place).zip(0..).collect();
        placed.sort_unstable();
        let ids: Vec<git2::Oid> = named.into_iter().map(|(id, _)| id).collect();
        let fan_bits = ids.len().max(1).ilog2();
        let reading_order = placed.into_iter().map(|(_, position)| position).collect();
        (Self { fan: fan_of(&ids, fan_bits), ids, fan_bits, reading_order }, places)
    }

    /// How many objects there are.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// Whether an object is there.
    pub fn contains(&self, id: &ObjectId) -> bool {
        self.contains_raw(id.as_raw())
    }

    /// Whether an object is there, by the bytes of its name.
    pub fn contains_raw(&self, raw: &[u8]) -> bool {
        self.number(raw).is_some()
    }

    /// The number of an object, less than [`Inventory::len`], by the bytes of its name.
    pub fn number(&self, raw: &[u8]) -> Option<u32> {
        // Names are random: eight bytes decide, and comparing them as a number takes no call.
        let key = name_key(raw)?;
        let slot = fan_slot(key, self.fan_bits);
        let start = self.fan[slot];
        let ids = &self.ids[start as usize..self.fan[slot + 1] as usize];
        let mut place = ids.partition_point(|id| name_key(id.as_bytes()) < Some(key));
        while let Some(id) = ids.get(place).filter(|id| name_key(id.as_bytes()) == Some(key)) {
            if id.as_bytes() == raw {
                return Some(start + place as u32);
            }
            place += 1;
        }
        None
    }

    /// The object of a number.
    pub fn id(&self, number: u32) -> ObjectId {
        object_id(self.ids[number as usize])
    }

    /// The object at a place of the reading order.
    pub fn get(&self, place: usize) -> Option<ObjectId> {
        self.reading_order.get(place).map(|&position| object_id(self.ids[position as usize]))
    }

    /// All objects in the order in which reading them is cheapest.
    pub fn in_reading_order(&self) -> impl Iterator<Item = ObjectId> {
        self.reading_order.iter().map(|&position| object_id(self.ids[position as usize]))
    }
}

/// Where an object of a listing stands in the inventory.
#[derive(Clone, Copy)]
struct Place {
    number: u32,
    /// Whether it is no later copy of another.
    is_first: bool,
}

/// For each value of the first bits where in the sorted names those start that have it, and the end.
fn fan_of(ids: &[git2::Oid], fan_bits: u32) -> Vec<u32> {
    let mut fan = vec![0; (1 << fan_bits) + 1];
    for id in ids {
        let key = name_key(id.as_bytes()).expect("a name has more than eight bytes");
        fan[fan_slot(key, fan_bits) + 1] += 1;
    }
    for slot in 1..fan.len() {
        fan[slot] += fan[slot - 1];
    }
    fan
}

fn fan_slot(key: u64, fan_bits: u32) -> usize {
    key.checked_shr(u64::BITS - fan_bits).unwrap_or(0) as usize
}

/// The first eight bytes of a name.
fn name_key(raw: &[u8]) -> Option<u64> {
    raw.first_chunk().map(|bytes| u64::from_be_bytes(*bytes))
}

fn raw_oid(raw: &[u8]) -> git2::Oid {
    git2::Oid::from_bytes(raw).expect("an index has names of the length that libgit2 has")
}

/// The object database for those who read packs themselves.
pub struct Store {
    /// Every object, once each.
    pub inventory: Inventory,
    /// The packs.
    pub packs: Vec<Pack>,
    /// By pack: its families.
    pub forests: Vec<Forest>,
    /// Objects that libgit2 must not be asked for: their deltas lead in a circle, in which it would go round
    /// for ever, or out of the pack, and git2 ends the process at a kind that it does not know. Only a
    /// crafted or broken pack has any.
    pub hopeless: HashSet<ObjectId>,
    /// What has to be read one by one: loose objects, and those of packs that cannot be mapped.
    pub others: Vec<ObjectId>,
    /// By pack and entry: where it stands in the inventory.
    places: Vec<Vec<Place>>,
}

impl Store {
    /// Lists the objects, maps the packs and finds their families on some threads. What cannot be listed or mapped is a fault.
    pub fn open(repository: &Repository, threads: usize) -> (Self, Vec<Fault>) {
        let mut turns = 1..Listing::TURNS;
        loop {
            let (store, faults, is_gone) = Self::of(Listing::of(repository), threads);
            // What was in a pack that git removed meanwhile is in another by now.
            if !is_gone || turns.next().is_none() {
                return (store, faults);
            }
        }
    }

    /// Says too whether a listed pack is there no more.
    fn of(mut listing: Listing, threads: usize) -> (Self, Vec<Fault>, bool) {
        let mut is_gone = false;
        let (inventory, places) = Inventory::new(&listing);
        let mut store = Self {
            inventory,
            packs: Vec::new(),
            forests: Vec::new(),
            hopeless: HashSet::new(),
            others: Vec::new(),
            places: Vec::new(),
        };
        let mut start = 0;
        for (path, index) in std::mem::take(&mut listing.packs) {
            let places = &places[start..start + index.len()];
            start += index.len();
            let firsts: Vec<ObjectId> = match Pack::open(&path, index) {
                Ok(pack) => {
                    let forest = Forest::plant(&pack, threads);
                    store.hopeless.extend(forest.hopeless().into_iter().map(|entry| pack.index().id(entry)));
                    store.forests.push(forest);
                    store.packs.push(pack);
                    store.places.push(places.to_vec());
                    continue;
                }
                Err((index, error)) => {
                    is_gone |= path.try_exists().is_ok_and(|exists| !exists);
                    listing.fault(&path, error.to_string());
                    let entries = (0..index.len() as u32).zip(places).filter(|(_, place)| place.is_first);
                    entries.map(|(entry, _)| index.id(entry)).collect()
                }
            };
            store.others.extend(firsts);
        }
        let loose = listing.loose.iter().zip(&places[start..]).filter(|(_, place)| place.is_first);
        store.others.extend(loose.map(|(id, _)| object_id(*id)));
        (store, listing.faults, is_gone)
    }

    /// What an object is. `None` if it lies in no pack, or its deltas lead nowhere.
    pub fn kind(&self, id: &ObjectId) -> Option<ObjectKind> {
        Some(self.chain(id)?.kind)
    }

    /// Reads an object with the deltas that lead to it. `None` as for [`Store::kind`], and if it is damaged.
    ///
    /// It is for single objects: libgit2 maps the packs a second time, and every object that it looks at
    /// adds pages of that to the memory in use.
    pub fn read(&self, id: &ObjectId) -> Option<(ObjectKind, Vec<u8>)> {
        let chain = self.chain(id)?;
        let mut inflater = Inflater::new();
        let (mut bytes, mut delta, mut next) = (Vec::new(), Vec::new(), Vec::new());
        let mut copies = Copies::default();
        let mut entries = chain.entries.iter().rev();
        let (entry, header) = entries.next()?;
        chain.pack.inflate(*entry, header, &mut inflater, &mut bytes).ok()?;
        for (entry, header) in entries {
            delta.clear();
            chain.pack.inflate(*entry, header, &mut inflater, &mut delta).ok()?;
            Delta::parse(&delta).ok()?.apply(&bytes, &mut next, &mut copies).ok()?;
            std::mem::swap(&mut bytes, &mut next);
        }
        Some((chain.kind, bytes))
    }

    fn chain(&self, id: &ObjectId) -> Option<Chain<'_>> {
        if self.hopeless.contains(id) {
            return None;
        }
        let (pack, mut entry) = self.packs.iter().find_map(|pack| Some((pack, pack.index().find(id)?)))?;
        let mut entries = Vec::new();
        while entries.len() < pack.index().len() {
            let header = pack.header(entry).ok()?;
            entries.push((entry, header));
            entry = match header.base {
                Base::Whole(kind) => return Some(Chain { pack, kind, entries }),
                Base::Offset(offset) => pack.index().entry_before(entry, offset)?,
                Base::Name(base) => pack.index().find(&base)?,
            };
        }
        None
    }

    /// Whether an entry is the first object of its name, so that it counts and later copies do not.
    pub fn is_first(&self, pack: usize, entry: u32) -> bool {
        self.places[pack][entry as usize].is_first
    }

    /// The number of an entry in the inventory.
    pub fn number(&self, pack: usize, entry: u32) -> u32 {
        self.places[pack][entry as usize].number
    }
}

/// An entry, its base, and so on to a whole object.
struct Chain<'s> {
    pack: &'s Pack,
    kind: ObjectKind,
    entries: Vec<(u32, Header)>,
}

#[derive(Default)]
struct Listing {
    packs: Vec<(PathBuf, PackIndex)>,
    loose: Vec<git2::Oid>,
    faults: Vec<Fault>,
}

impl Listing {
    /// How often packs that come and go are listed again.
    const TURNS: usize = 5;

    /// Lists what is there. While git repacks, an object moves: it is in its new place before it leaves the old one, but
    /// who looks at the new place before and at the old one after finds it in neither. So everything is listed again
    /// when packs came or went meanwhile.
    fn of(repository: &Repository) -> Self {
        let mut listing = Self::default();
        for _ in 0..Self::TURNS {
            listing = Self::default();
            let dirs = repository.object_dirs(&mut listing.faults);
            let mut seen = Vec::new();
            for dir in &dirs {
                seen.push(listing.packs(&dir.join("pack")));
                listing.loose(dir);
            }
            let indexes_now = dirs.iter().map(|dir| indexes_of(&listing.entries(&dir.join("pack"))));
            if indexes_now.collect::<Vec<_>>() == seen {
                return listing;
            }
        }
        listing.faults.push(Fault::new(
            "objects/pack",
            "packs come and go too fast to be listed: wait until git has finished, then run again",
        ));
        listing
    }

    fn len(&self) -> usize {
        self.packs.iter().map(|(_, index)| index.len()).sum::<usize>() + self.loose.len()
    }

    fn fault(&mut self, path: &Path, message: impl Into<String>) {
        self.faults.push(Fault::at(path, message));
    }

    /// The entries of a directory by name; none if there is no such directory.
    fn entries(&mut self, dir: &Path) -> Vec<(BString, PathBuf)> {
        let mut entries = Vec::new();
        let read = fs::read_dir(dir).and_then(|listed| {
            for entry in listed {
                let entry = entry?;
                let name = Vec::from_os_string(entry.file_name()).unwrap_or_default();
                entries.push((BString::from(name), entry.path()));
            }
            Ok(())
        });
        if let Err(error) = read
            && error.kind() != io::ErrorKind::NotFound
        {
            self.fault(dir, format!("cannot list the objects: {error}"));
        }
        entries.sort_unstable();
        entries
    }

    /// Reads the indexes of packs, and says which there are.
    fn packs(&mut self, dir: &Path) -> HashSet<BString> {
        let entries = self.entries(dir);
        let (packs, indexes) = (with_ending(&entries, b".pack"), indexes_of(&entries));
        for (name, path) in &entries {
            if let Some(stem) = name.strip_suffix(b".pack")
                && !indexes.contains(stem.as_bstr())
                && stem.starts_with(b"pack-")
            {
                let index = path.with_extension("idx");
                if appears(&index) {
                    self.pack_index(&index);
                } else if path.exists() {
                    self.fault(path, "the pack has no index: run `git index-pack` on it");
                }
            } else if let Some(stem) = name.strip_suffix(b".idx") {
                if packs.contains(stem.as_bstr()) {
                    self.pack_index(path);
                } else {
                    self.fault(path, "the pack of this index is missing: fetch it again or remove the index");
                }
            }
        }
        indexes
    }

    fn pack_index(&mut self, path: &Path) {
        match fs::read(path) {
            Err(error) => self.fault(path, format!("cannot read the pack index: {error}")),
            Ok(bytes) => match PackIndex::parse(bytes, ID_LEN) {
                Some(index) => self.packs.push((path.with_extension("pack"), index)),
                None => self.fault(
                    path,
                    "the pack index is corrupt: remove it and run `git index-pack` on the pack beside it",
                ),
            },
        }
    }

    fn loose(&mut self, dir: &Path) {
        for (fan, path) in self.entries(dir) {
            if fan.len() != 2 || !fan.iter().all(u8::is_ascii_hexdigit) {
                continue;
            }
            for (rest, _) in self.entries(&path) {
                // Anything else there is a temporary file of a writer.
                if rest.len() == 38
                    && let Ok(digits) = [&fan[..], &rest[..]].concat().to_str()
                    && let Ok(id) = git2::Oid::from_str(digits)
                {
                    self.loose.push(id);
                }
            }
        }
    }
}

/// What the names of the pack indexes begin with.
fn indexes_of(entries: &[(BString, PathBuf)]) -> HashSet<BString> {
    with_ending(entries, b".idx")
}

fn with_ending(entries: &[(BString, PathBuf)], ending: &[u8]) -> HashSet<BString> {
    entries.iter().filter_map(|(name, _)| name.strip_suffix(ending)).map(BString::from).collect()
}

/// Whether a file is there before long: git puts a new pack in place first and its index right after.
fn appears(path: &Path) -> bool {
    (0..10).any(|turn| {
        if turn > 0 {
            thread::sleep(Duration::from_millis(50));
        }
        path.exists()
    })
}

impl Repository {
    /// The directories that hold objects: the repository's own, then its alternates
    /// (gitrepository-layout(5), `objects/info/alternates`).
    fn object_dirs(&self, faults: &mut Vec<Fault>) -> Vec<PathBuf> {
        // The same variables that libgit2 honours, under the same condition as in `open`.
        let variable = |name| std::env::var_os(name).filter(|_| std::env::var_os("GIT_DIR").is_some());
        let own =
            variable("GIT_OBJECT_DIRECTORY").map_or_else(|| self.common_dir().join("objects"), PathBuf::from);
        let mut waiting = vec![own];
        if let Some(more) = variable("GIT_ALTERNATE_OBJECT_DIRECTORIES") {
            waiting.extend(std::env::split_paths(&more).filter(|path| !path.as_os_str().is_empty()));
        }
        waiting.reverse();
        let mut seen = HashSet::new();
        let mut dirs = Vec::new();
        while let Some(dir) = waiting.pop() {
            match dir.canonicalize() {
                Ok(real) if !seen.insert(real.clone()) => continue,
                Ok(_) => {}
                Err(error) => {
                    faults.push(Fault::at(&dir, format!("cannot open the object directory: {error}")));
                    continue;
                }
            }
            let list = dir.join("info").join("alternates");
            match fs::read(&list) {
                Ok(lines) => waiting.extend(lines.lines().rev().filter_map(|line| alternate(&dir, line))),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => faults.push(Fault::at(&list, format!("cannot read the alternates: {error}"))),
            }
            dirs.push(dir);
        }
        dirs
    }
}

fn alternate(dir: &Path, line: &[u8]) -> Option<PathBuf> {
    let line = line.trim_end();
    if line.is_empty() || line.starts_with(b"#") {
        return None;
    }
    // A relative line is relative to the object directory; `join` keeps an absolute one as it is.
    line.to_path().ok().map(|path| dir.join(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alternates_are_relative_to_the_object_directory() {
        let dir = Path::new("/repo/objects");
        for (line, expected) in [
            ("../other/objects", Some("/repo/objects/../other/objects")),
            ("/else/objects\r", Some("/else/objects")),
            ("# a comment", None),
            ("", None),
        ] {
            assert_eq!(alternate(dir, line.as_bytes()), expected.map(PathBuf::from), "{line}");
        }
    }
}
