//! The object database: which objects there are, in which order to read them, and their bytes.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use bstr::{BString, ByteSlice, ByteVec};

use super::pack;
use super::pack::delta::Delta;
use super::pack::{Base, Forest, Header, Inflater, Pack, PackIndex};
use super::{Fault, Repository};
use crate::derived::Copies;
use crate::location::ObjectId;

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
    repository: &'r Repository,
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
        Ok(Self { odb, repository, refused: None })
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

    fn oid(&self, id: &ObjectId) -> Result<git2::Oid, ReadError> {
        self.repository.oid(id).map_err(|error| ReadError::new(&error))
    }

    /// Kind and length in bytes, without reading the rest where that can be avoided.
    ///
    /// # Errors
    ///
    /// See [`ReadError`].
    pub fn header(&self, id: &ObjectId) -> Result<(ObjectKind, u64), ReadError> {
        self.check(id)?;
        let (len, kind) = self.odb.read_header(self.oid(id)?).map_err(|error| ReadError::new(&error))?;
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
        let inner = self.odb.read(self.oid(id)?).map_err(|error| ReadError::new(&error))?;
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

/// Turns a name from libgit2 into ours.
pub(super) fn object_id(oid: git2::Oid) -> ObjectId {
    ObjectId::from_raw(oid.as_bytes()).expect("libgit2 has names of 20 or 32 bytes")
}

/// Sorted names of objects, one behind the other.
#[derive(Clone, Default)]
struct Names {
    /// Length of one in bytes.
    id_len: usize,
    /// How many there are.
    count: usize,
    /// They may be those of a pack index, which has them anyway.
    bytes: Arc<Vec<u8>>,
    range: Range<usize>,
    /// Where the names start whose first bits are less than this.
    fan: Vec<u32>,
    /// How many bits: so many that about one name is left of each slot, since each step of a search in millions
    /// of names waits for memory. Seen on rails/rails: 16 bits take 2 % more of all time.
    fan_bits: u32,
}

impl Names {
    fn new(raw: Vec<u8>, id_len: usize) -> Self {
        let range = 0..raw.len();
        Self::shared(Arc::new(raw), range, id_len)
    }

    fn shared(bytes: Arc<Vec<u8>>, range: Range<usize>, id_len: usize) -> Self {
        let count = range.len() / id_len;
        let fan_bits = count.max(1).ilog2();
        let mut fan = vec![0; (1 << fan_bits) + 1];
        for id in bytes[range.clone()].chunks_exact(id_len) {
            let key = name_key(id).expect("a name has more than eight bytes");
            fan[fan_slot(key, fan_bits) + 1] += 1;
        }
        for slot in 1..fan.len() {
            fan[slot] += fan[slot - 1];
        }
        Self { id_len, count, bytes, range, fan, fan_bits }
    }

    fn raw(&self) -> &[u8] {
        &self.bytes[self.range.clone()]
    }

    fn len(&self) -> usize {
        self.count
    }

    fn get(&self, place: usize) -> &[u8] {
        let start = self.range.start + place * self.id_len;
        &self.bytes[start..start + self.id_len]
    }

    /// Reads what [`Names::find`] will read first of each name, so that it is at hand then.
    fn touch<'n>(&self, names: impl Iterator<Item = &'n [u8]> + Clone) {
        if self.range.is_empty() {
            return;
        }
        let slots = names.filter_map(name_key).map(|key| fan_slot(key, self.fan_bits));
        let starts = slots.map(|slot| self.fan[slot]);
        // Nothing depends on a sum: the processor goes on while it waits for the parts.
        std::hint::black_box(starts.clone().fold(0, u32::wrapping_add));
        let last = self.len() - 1;
        let heads = starts.map(|place| self.get((place as usize).min(last))[0]);
        std::hint::black_box(heads.fold(0, u8::wrapping_add));
    }

    fn find(&self, raw: &[u8]) -> Option<u32> {
        // Names are random: eight bytes decide, and comparing them as a number takes no call.
        let key = name_key(raw)?;
        let slot = fan_slot(key, self.fan_bits);
        let (start, end) = (*self.fan.get(slot)?, self.fan[slot + 1]);
        let (mut low, mut high) = (start, end);
        while low < high {
            let middle = low + (high - low) / 2;
            match name_key(self.get(middle as usize)) < Some(key) {
                true => low = middle + 1,
                false => high = middle,
            }
        }
        let same = (low..end).take_while(|place| name_key(self.get(*place as usize)) == Some(key));
        same.into_iter().find(|place| self.get(*place as usize) == raw)
    }
}

fn fan_slot(key: u64, fan_bits: u32) -> usize {
    let slot = key.checked_shr(u64::BITS - fan_bits).unwrap_or(0);
    usize::try_from(slot).expect("a slot has fewer bits than an address")
}

/// The first eight bytes of a name.
fn name_key(raw: &[u8]) -> Option<u64> {
    raw.first_chunk().map(|bytes| u64::from_be_bytes(*bytes))
}

/// Every object of the database, once each: loose, packed, borrowed from alternates.
///
/// libgit2 could list them as well, but its listing ends at the first broken pack and passes over packs
/// without an index; here each of these is a fault of its own and the rest goes on.
pub struct Inventory {
    /// What an earlier audit knew, or else the largest pack; these have the first numbers.
    known: Names,
    /// All others.
    fresh: Names,
    /// Numbers, pack by pack in the order in which the objects lie there: bases are near their deltas, and
    /// libgit2's cache of bases is small. Empty in a [`Store`], where nobody asks for it.
    reading_order: Vec<u32>,
}

impl Inventory {
    /// Lists the objects. What cannot be listed is a fault.
    pub fn list(repository: &Repository) -> (Self, Vec<Fault>) {
        let listing = Listing::of(repository);
        (Self::in_order(&listing), listing.faults)
    }

    /// The objects that a push brought and the server has not accepted yet, and the faults of listing them; none
    /// outside a pre-receive hook. An object that the server has as well is left out: git completes thin packs by
    /// such objects.
    pub fn quarantined(repository: &Repository) -> (Vec<ObjectId>, Vec<Fault>) {
        let mut listing = Listing::new(repository);
        if std::env::var_os("GIT_QUARANTINE_PATH").is_none() {
            return (Vec::new(), listing.faults);
        }
        let mut dirs = repository.object_dirs(&mut listing.faults).into_iter();
        let Some(quarantine) = dirs.next() else { return (Vec::new(), listing.faults) };
        let accepted = git2::Odb::new_ext(repository.inner.object_format()).and_then(|odb| {
            for dir in dirs {
                odb.add_disk_alternate(&dir.to_string_lossy())?;
            }
            Ok(odb)
        });
        listing.packs(&quarantine.join("pack"));
        listing.loose(&quarantine);
        let inventory = Self::in_order(&listing);
        let is_new = |id: &ObjectId| match (&accepted, repository.oid(id)) {
            // Nothing changes what is there while the hook runs, so there is no need to look again at each miss.
            (Ok(accepted), Ok(oid)) => !accepted.exists_ext(oid, git2::OdbLookupFlags::NO_REFRESH),
            _ => true,
        };
        (inventory.in_reading_order().filter(is_new).collect(), listing.faults)
    }

    fn in_order(listing: &Listing) -> Self {
        let (mut inventory, placing) = Self::new(listing);
        let mut order = Vec::with_capacity(inventory.len());
        for ((_, index), places) in listing.packs.iter().zip(&placing.packs) {
            let entries = 0..index.len() as u32;
            order.extend(entries.filter(|&at| places.is_first(at)).map(|at| places.number(index, at)));
        }
        order.extend(placing.loose.iter().filter(|place| place.is_first).map(|place| place.number));
        inventory.reading_order = order;
        inventory
    }

    /// The inventory, and which number each object of the listing has there.
    fn new(listing: &Listing) -> (Self, Placing) {
        let indexes = (0..).zip(listing.packs.iter().map(|(_, index)| index));
        let largest = indexes.max_by_key(|(_, index)| index.len());
        let largest = largest.and_then(|(pack, index)| Some((pack, index.sorted_names()?)));
        let (pack, known) = match largest {
            Some((pack, (bytes, range))) => (Some(pack), Names::shared(bytes, range, listing.id_len)),
            None => (None, Names::new(Vec::new(), listing.id_len)),
        };
        Self::of(known, listing, pack)
    }

    /// The inventory of known names, which are sorted, and of those of a listing.
    fn after(known: &[u8], listing: &Listing) -> (Self, Placing) {
        Self::of(Names::new(known.to_vec(), listing.id_len), listing, None)
    }

    /// The same. The known names are those of a pack of the listing, if one is given.
    fn of(known: Names, listing: &Listing, pack: Option<usize>) -> (Self, Placing) {
        // With the bytes that decide beside them they are sorted without a look at the rest, which lies all over.
        let with_key = |raw| (name_key(raw).expect("a name has more than eight bytes"), raw);
        let mut fresh: Vec<(u64, &[u8])> =
            listing.names(pack).filter(|raw| known.find(raw).is_none()).map(with_key).collect();
        fresh.sort_unstable();
        fresh.dedup();
        let mut raw = Vec::with_capacity(fresh.len() * listing.id_len);
        fresh.into_iter().for_each(|(_, name)| raw.extend_from_slice(name));
        let inventory = Self { known, fresh: Names::new(raw, listing.id_len), reading_order: Vec::new() };
        let placing =
            inventory.placing(listing, pack).expect("all names of the listing are in the inventory");
        (inventory, placing)
    }

    /// The number of each object of a listing; `None` if one has none. The known names are those of a pack of the
    /// listing, if one is given.
    fn placing(&self, listing: &Listing, known: Option<usize>) -> Option<Placing> {
        let mut is_seen = vec![false; self.len()];
        is_seen[..self.known.len()].fill(known.is_some());
        let mut place = |raw: &[u8]| {
            let number = self.number(raw)?;
            Some(Place { number, is_first: !std::mem::replace(&mut is_seen[number as usize], true) })
        };
        let mut packs = Vec::with_capacity(listing.packs.len());
        for (pack, (_, index)) in (0..).zip(&listing.packs) {
            packs.push(match Some(pack) == known {
                true => Places::Rows,
                false => Places::Each(
                    (0..index.len() as u32).map(|entry| place(index.raw(entry))).collect::<Option<_>>()?,
                ),
            });
        }
        let loose = listing.loose.iter().map(|id| place(id.as_raw())).collect::<Option<_>>()?;
        Some(Placing { packs, loose })
    }

    /// How many objects there are.
    pub fn len(&self) -> usize {
        self.known.len() + self.fresh.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Length of a name in bytes.
    pub fn id_len(&self) -> usize {
        self.known.id_len
    }

    /// How many have the first numbers: what an earlier audit knew, or the largest pack.
    pub fn known_len(&self) -> usize {
        self.known.len()
    }

    /// The names of the others, sorted, one behind the other.
    pub fn fresh_names(&self) -> &[u8] {
        self.fresh.raw()
    }

    /// The names of those with the first numbers, likewise.
    pub fn known_names(&self) -> &[u8] {
        self.known.raw()
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
        if self.known.range.is_empty() {
            return self.fresh.find(raw);
        }
        let fresh = || Some(self.fresh.find(raw)? + self.known.len() as u32);
        self.known.find(raw).or_else(fresh)
    }

    /// The numbers of several objects, by the bytes of their names.
    ///
    /// Each lookup waits for memory twice, and the next one cannot begin before, since it is not known where the
    /// search ends. So all of the memory is asked for first: on rails/rails that halves the time of it.
    pub fn numbers<'n, N>(&self, names: N) -> impl Iterator<Item = Option<u32>>
    where
        N: Iterator<Item = &'n [u8]> + Clone,
    {
        for part in [&self.known, &self.fresh] {
            part.touch(names.clone());
        }
        names.map(|raw| self.number(raw))
    }

    /// The object of a number.
    pub fn id(&self, number: u32) -> ObjectId {
        let number = number as usize;
        let raw = match number.checked_sub(self.known.len()) {
            Some(place) => self.fresh.get(place),
            None => self.known.get(number),
        };
        ObjectId::from_raw(raw).expect("names have the length of one")
    }

    /// The object at a place of the reading order.
    pub fn get(&self, place: usize) -> Option<ObjectId> {
        self.reading_order.get(place).map(|&number| self.id(number))
    }

    /// All objects in the order in which reading them is cheapest.
    pub fn in_reading_order(&self) -> impl Iterator<Item = ObjectId> {
        self.reading_order.iter().map(|&number| self.id(number))
    }
}

/// Where an object of a listing stands in the inventory.
#[derive(Clone, Copy)]
struct Place {
    number: u32,
    /// Whether it is no later copy of another.
    is_first: bool,
}

/// Where the objects of a listing stand in the inventory.
struct Placing {
    packs: Vec<Places>,
    loose: Vec<Place>,
}

/// Where the entries of a pack stand in the inventory.
enum Places {
    /// Where their names stand in the index.
    Rows,
    Each(Vec<Place>),
}

impl Placing {
    /// Those that have a place of their own.
    fn each(&self) -> impl Iterator<Item = &Place> {
        let packed = self.packs.iter().filter_map(|places| match places {
            Places::Rows => None,
            Places::Each(places) => Some(places),
        });
        packed.flatten().chain(&self.loose)
    }
}

impl Places {
    fn is_first(&self, entry: u32) -> bool {
        match self {
            Places::Rows => true,
            Places::Each(places) => places[entry as usize].is_first,
        }
    }

    fn number(&self, index: &PackIndex, entry: u32) -> u32 {
        match self {
            Places::Rows => index.row(entry),
            Places::Each(places) => places[entry as usize].number,
        }
    }
}

/// A pack that an earlier audit read, by which it is known again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PackMark {
    /// The checksum of its index, which counts in the one of the pack.
    pub index: ObjectId,
    /// Length of the pack.
    pub len_bytes: u64,
}

/// What an earlier audit knew.
pub struct Earlier<'e> {
    /// Names of objects, sorted, one behind the other.
    pub names: &'e [u8],
    /// The packs that there were.
    pub packs: &'e [PackMark],
    /// By place of the name: whether it lay in none of them.
    pub is_loose: &'e dyn Fn(usize) -> bool,
    /// Places of the names of those that are to be read again.
    pub again: &'e [u32],
    /// What was not there.
    pub missing: &'e [ObjectId],
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
    /// By pack.
    places: Vec<Places>,
    /// Whether the packs hold only what is to be read.
    is_part: bool,
}

impl Store {
    /// Lists the objects, maps the packs and finds their families on some threads. What cannot be listed or mapped is a fault.
    pub fn open(repository: &Repository, threads: usize) -> (Self, Vec<Fault>) {
        let mut turns = 1..Listing::TURNS;
        loop {
            let mut listing = Listing::of(repository);
            let (inventory, placing) = Inventory::new(&listing);
            let store = Self::assemble(inventory, placing, &mut listing, threads);
            // What was in a pack that git removed meanwhile is in another by now.
            if !listing.is_gone || turns.next().is_none() {
                return (store, listing.faults);
            }
        }
    }

    /// Opens what there is beside an earlier audit's objects, and those of them that are to be read again. `None`
    /// if not all of them are there as they were, something is there that was missing, or anything is wrong.
    pub fn open_after(repository: &Repository, earlier: &Earlier<'_>, threads: usize) -> Option<Self> {
        let mut listing = Listing { marks: earlier.packs.to_vec(), ..Listing::new(repository) };
        listing.fill(repository);
        let mut marks: Vec<PackMark> = listing.known.iter().map(|(mark, ..)| *mark).collect();
        marks.sort_unstable();
        marks.dedup();
        if marks.len() != earlier.packs.len() || !listing.faults.is_empty() {
            return None;
        }
        let (inventory, mut placing) = Inventory::after(earlier.names, &listing);
        let mut is_listed = vec![false; inventory.len()];
        placing.each().for_each(|place| is_listed[place.number as usize] = true);
        let are_loose_there =
            (0..inventory.known_len()).all(|place| is_listed[place] || !(earlier.is_loose)(place));
        if !are_loose_there || earlier.missing.iter().any(|id| inventory.contains(id)) {
            return None;
        }
        // What lies in a new pack or loose as well is read there.
        let mut again: Vec<u32> = earlier.again.to_vec();
        again.retain(|&number| !is_listed[number as usize]);
        for (_, path, index) in std::mem::take(&mut listing.known) {
            let has = |number: &u32| index.offset_of(&inventory.id(*number)).is_some();
            let (here, elsewhere) = again.into_iter().partition::<Vec<u32>, _>(has);
            again = elsewhere;
            if here.is_empty() {
                continue;
            }
            let mut pack = Pack::open(&path, index).ok()?;
            pack.choose(here.iter().map(|number| inventory.id(*number)))?;
            let index = pack.into_index();
            let entries = (0..index.len() as u32).map(|entry| {
                let number = inventory.number(index.raw(entry))?;
                Some(Place { number, is_first: here.binary_search(&number).is_ok() })
            });
            placing.packs.push(Places::Each(entries.collect::<Option<Vec<Place>>>()?));
            listing.packs.push((path, index));
        }
        if !again.is_empty() {
            return None;
        }
        let store = Self { is_part: true, ..Self::assemble(inventory, placing, &mut listing, threads) };
        listing.faults.is_empty().then_some(store)
    }

    /// Whether the packs hold only what is to be read.
    pub fn is_part(&self) -> bool {
        self.is_part
    }

    /// Opens all packs of which this store has a part. Objects keep their numbers. `None` if anything is wrong, or
    /// something is there that was not before.
    pub fn whole(&self, repository: &Repository, threads: usize) -> Option<Self> {
        let mut listing = Listing::of(repository);
        let (known, fresh) = (self.inventory.known.clone(), self.inventory.fresh.clone());
        let inventory = Inventory { known, fresh, reading_order: Vec::new() };
        let placing = inventory.placing(&listing, None)?;
        let store = Self::assemble(inventory, placing, &mut listing, threads);
        listing.faults.is_empty().then_some(store)
    }

    fn assemble(inventory: Inventory, placing: Placing, listing: &mut Listing, threads: usize) -> Self {
        let mut store = Self {
            inventory,
            packs: Vec::new(),
            forests: Vec::new(),
            hopeless: HashSet::new(),
            others: Vec::new(),
            places: Vec::new(),
            is_part: false,
        };
        for ((path, index), places) in std::mem::take(&mut listing.packs).into_iter().zip(placing.packs) {
            let firsts: Vec<ObjectId> = match Pack::open(&path, index) {
                Ok(pack) => {
                    let forest = Forest::plant(&pack, threads);
                    store.hopeless.extend(forest.hopeless().into_iter().map(|entry| pack.index().id(entry)));
                    store.forests.push(forest);
                    store.packs.push(pack);
                    store.places.push(places);
                    continue;
                }
                Err((index, error)) => {
                    listing.is_gone |= path.try_exists().is_ok_and(|exists| !exists);
                    listing.fault(&path, error.to_string());
                    let firsts = (0..index.len() as u32).filter(|entry| places.is_first(*entry));
                    firsts.map(|entry| index.id(entry)).collect()
                }
            };
            store.others.extend(firsts);
        }
        let loose = listing.loose.iter().zip(&placing.loose).filter(|(_, place)| place.is_first);
        store.others.extend(loose.map(|(id, _)| *id));
        store
    }

    /// By which the packs are known again.
    pub fn marks(&self) -> Vec<PackMark> {
        let mark = |pack: &Pack| PackMark {
            index: ObjectId::from_raw(pack.index().checksum_of_all())
                .expect("a checksum is as long as a name"),
            len_bytes: pack.len_bytes(),
        };
        self.packs.iter().map(mark).collect()
    }

    /// The numbers of the objects in packs, some of them more than once.
    pub fn packed(&self) -> impl Iterator<Item = u32> {
        self.packs.iter().zip(&self.places).flat_map(|(pack, places)| {
            (0..pack.index().len() as u32).map(|entry| places.number(pack.index(), entry))
        })
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
        self.places[pack].is_first(entry)
    }

    /// The number of an entry in the inventory.
    pub fn number(&self, pack: usize, entry: u32) -> u32 {
        self.places[pack].number(self.packs[pack].index(), entry)
    }
}

/// The packs, with indexes that know no entries yet. Those that cannot be opened are left out.
pub(super) fn unread_packs(repository: &Repository) -> Vec<Pack> {
    let mut listing = Listing { is_unread: true, ..Listing::new(repository) };
    listing.fill_packs(repository);
    let packs = std::mem::take(&mut listing.packs).into_iter();
    packs.filter_map(|(path, index)| Pack::open(&path, index).ok()).collect()
}

/// An entry, its base, and so on to a whole object.
struct Chain<'s> {
    pack: &'s Pack,
    kind: ObjectKind,
    entries: Vec<(u32, Header)>,
}

#[derive(Default)]
struct Listing {
    /// Length of a name in bytes.
    id_len: usize,
    packs: Vec<(PathBuf, PackIndex)>,
    loose: Vec<ObjectId>,
    faults: Vec<Fault>,
    /// Packs that need not be listed.
    marks: Vec<PackMark>,
    /// Those of them that are there.
    known: Vec<(PackMark, PathBuf, PackIndex)>,
    /// Whether the indexes are taken as they are, without a list of their entries.
    is_unread: bool,
    /// Whether a listed pack is there no more.
    is_gone: bool,
}

impl Listing {
    /// How often packs that come and go are listed again.
    const TURNS: usize = 5;

    /// Of nothing yet.
    fn new(repository: &Repository) -> Self {
        Self { id_len: repository.id_len(), ..Self::default() }
    }

    fn of(repository: &Repository) -> Self {
        let mut listing = Self::new(repository);
        listing.fill(repository);
        listing
    }

    /// Lists what is there. While git repacks, an object moves: it is in its new place before it leaves the old one, but
    /// who looks at the new place before and at the old one after finds it in neither. So everything is listed again
    /// when packs came or went meanwhile.
    fn fill(&mut self, repository: &Repository) {
        for _ in 0..Self::TURNS {
            self.packs.clear();
            self.loose.clear();
            self.known.clear();
            self.faults.clear();
            let dirs = repository.object_dirs(&mut self.faults);
            let mut seen = Vec::new();
            for dir in &dirs {
                seen.push(self.packs(&dir.join("pack")));
                self.loose(dir);
            }
            // What cannot be listed has been told.
            let told = self.faults.len();
            let now: Vec<_> = dirs.iter().map(|dir| indexes_of(&self.entries(&dir.join("pack")))).collect();
            self.faults.truncate(told);
            if now == seen {
                return;
            }
        }
        self.faults.push(Fault::new(
            "objects/pack",
            "packs come and go too fast to be listed: wait until git has finished, then run again",
        ));
    }

    fn fill_packs(&mut self, repository: &Repository) {
        for dir in repository.object_dirs(&mut self.faults) {
            self.packs(&dir.join("pack"));
        }
    }

    /// The names, pack by pack but for one, then loose.
    fn names(&self, but: Option<usize>) -> impl Iterator<Item = &[u8]> {
        let packs = (0..).zip(&self.packs).filter(move |(pack, _)| Some(*pack) != but);
        let packed = packs.flat_map(|(_, (_, index))| (0..index.len() as u32).map(|entry| index.raw(entry)));
        packed.chain(self.loose.iter().map(ObjectId::as_raw))
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
            Ok(bytes) if self.is_unread => {
                let index = PackIndex::unread(bytes, self.id_len);
                self.packs.extend(index.map(|index| (path.with_extension("pack"), index)));
            }
            Ok(bytes) if self.mark(path, &bytes).is_some() => {
                if let Some(mark) = self.mark(path, &bytes)
                    && let Some(index) = PackIndex::unread(bytes, self.id_len)
                {
                    self.known.push((mark, path.with_extension("pack"), index));
                }
            }
            Ok(bytes) => match PackIndex::parse(bytes, self.id_len) {
                Some(index) => self.packs.push((path.with_extension("pack"), index)),
                None => self.fault(
                    path,
                    "the pack index is corrupt: remove it and run `git index-pack` on the pack beside it",
                ),
            },
        }
    }

    /// The mark of a pack that need not be listed.
    fn mark(&self, index_path: &Path, index: &[u8]) -> Option<PackMark> {
        let checksum = index.get(index.len().checked_sub(self.id_len)?..)?;
        let of_index = |mark: &&PackMark| mark.index.as_raw() == checksum;
        let mark = self.marks.iter().find(of_index)?;
        let len_bytes = fs::metadata(index_path.with_extension("pack")).ok()?.len();
        (len_bytes == mark.len_bytes).then_some(*mark)
    }

    fn loose(&mut self, dir: &Path) {
        for (fan, path) in self.entries(dir) {
            if fan.len() != 2 || !fan.iter().all(u8::is_ascii_hexdigit) {
                continue;
            }
            for (rest, _) in self.entries(&path) {
                // Anything else there is a temporary file of a writer.
                if fan.len() + rest.len() == self.id_len * 2
                    && let Ok(digits) = [&fan[..], &rest[..]].concat().to_str()
                    && let Ok(id) = digits.parse()
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
    pub(super) fn object_dirs(&self, faults: &mut Vec<Fault>) -> Vec<PathBuf> {
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
