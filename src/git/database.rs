//! The object database: which objects there are, in which order to read them, and their bytes.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use bstr::{BString, ByteSlice, ByteVec};

use super::{Fault, Repository};
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
}

impl<'r> ObjectReader<'r> {
    /// Opens the object database of a repository.
    ///
    /// # Errors
    ///
    /// When libgit2 cannot open it.
    pub fn new(repository: &'r Repository) -> Result<Self, ReadError> {
        let odb = repository.inner.odb().map_err(|error| ReadError::new(&error))?;
        Ok(Self { odb })
    }

    /// Kind and length in bytes, without reading the rest where that can be avoided.
    ///
    /// # Errors
    ///
    /// See [`ReadError`].
    pub fn header(&self, id: &ObjectId) -> Result<(ObjectKind, u64), ReadError> {
        let (len, kind) = self.odb.read_header(oid(id)?).map_err(|error| ReadError::new(&error))?;
        Ok((known_kind(kind)?, len as u64))
    }

    /// Kind and content.
    ///
    /// # Errors
    ///
    /// See [`ReadError`].
    pub fn read(&self, id: &ObjectId) -> Result<Object<'_>, ReadError> {
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
    /// Positions in `ids`, pack by pack in the order in which the objects lie there: bases are near their
    /// deltas, and libgit2's cache of bases is small.
    reading_order: Vec<u32>,
}

impl Inventory {
    /// Lists the objects. What cannot be listed is a fault.
    pub fn list(repository: &Repository) -> (Self, Vec<Fault>) {
        let mut listing = Listing::default();
        for dir in repository.object_dirs(&mut listing.faults) {
            listing.packs(&dir.join("pack"));
            listing.loose(&dir);
        }
        let mut named: Vec<(git2::Oid, u32)> = listing.ids.into_iter().zip(0..).collect();
        named.sort_unstable();
        named.dedup_by_key(|(id, _)| *id);
        let mut placed: Vec<(u32, u32)> = named.iter().map(|(_, place)| *place).zip(0..).collect();
        placed.sort_unstable();
        let inventory = Self {
            ids: named.into_iter().map(|(id, _)| id).collect(),
            reading_order: placed.into_iter().map(|(_, position)| position).collect(),
        };
        (inventory, listing.faults)
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
        oid(id).is_ok_and(|oid| self.ids.binary_search(&oid).is_ok())
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

#[derive(Default)]
struct Listing {
    ids: Vec<git2::Oid>,
    faults: Vec<Fault>,
}

impl Listing {
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

    fn packs(&mut self, dir: &Path) {
        let entries = self.entries(dir);
        let with_ending = |ending: &[u8]| -> HashSet<BString> {
            entries.iter().filter_map(|(name, _)| name.strip_suffix(ending)).map(BString::from).collect()
        };
        let (packs, indexes) = (with_ending(b".pack"), with_ending(b".idx"));
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
    }

    fn pack_index(&mut self, path: &Path) {
        match fs::read(path) {
            Err(error) => self.fault(path, format!("cannot read the pack index: {error}")),
            Ok(bytes) => match pack_index_entries(&bytes) {
                Some(mut entries) => {
                    entries.sort_unstable();
                    self.ids.extend(entries.into_iter().map(|(_, id)| id));
                }
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
                    self.ids.push(id);
                }
            }
        }
    }
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

/// Offsets and names in a pack index of version 1 or 2 (gitformat-pack(5)); `None` if it is neither.
fn pack_index_entries(bytes: &[u8]) -> Option<Vec<(u64, git2::Oid)>> {
    const ID: usize = 20;
    let number = |at: usize| {
        let digits = bytes.get(at..at.checked_add(4)?)?;
        Some(u32::from_be_bytes(digits.try_into().ok()?))
    };
    let is_version_2 = bytes.starts_with(b"\xFFtOc");
    if is_version_2 && number(4)? != 2 {
        return None;
    }
    let fan_at = if is_version_2 { 8 } else { 0 };
    let fan: Vec<u32> = (0..256).map(|slot| number(fan_at + slot * 4)).collect::<Option<_>>()?;
    if !fan.is_sorted() {
        return None;
    }
    let count = *fan.last()? as usize;
    let table = fan_at + 1024;
    let (stride, id_at) = if is_version_2 { (ID, table) } else { (4 + ID, table + 4) };
    let offsets_at = table + count * (ID + 4);
    let large_at = offsets_at + count * 4;
    (0..count)
        .map(|entry| {
            let id = bytes.get(id_at + entry * stride..)?.get(..ID)?;
            let offset =
                if is_version_2 { number(offsets_at + entry * 4)? } else { number(table + entry * stride)? };
            let offset = if is_version_2 && offset >> 31 == 1 {
                let large = large_at + (offset & 0x7FFF_FFFF) as usize * 8;
                u64::from(number(large)?) << 32 | u64::from(number(large + 4)?)
            } else {
                u64::from(offset)
            };
            Some((offset, git2::Oid::from_bytes(id).ok()?))
        })
        .collect()
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

    fn fan(ids: &[[u8; 20]]) -> Vec<u8> {
        (0..=255u8)
            .flat_map(|slot| (ids.iter().filter(|id| id[0] <= slot).count() as u32).to_be_bytes())
            .collect()
    }

    fn version_2(ids: &[[u8; 20]], offsets: &[u32], large: &[u64]) -> Vec<u8> {
        let mut index = b"\xFFtOc\0\0\0\x02".to_vec();
        index.extend(fan(ids));
        index.extend(ids.iter().flatten());
        index.extend(ids.iter().flat_map(|_| [0; 4]));
        index.extend(offsets.iter().flat_map(|offset| offset.to_be_bytes()));
        index.extend(large.iter().flat_map(|offset| offset.to_be_bytes()));
        index
    }

    fn oid(byte: u8) -> git2::Oid {
        git2::Oid::from_bytes(&[byte; 20]).unwrap()
    }

    #[test]
    fn both_versions_of_a_pack_index_are_read() {
        let ids = [[3; 20], [9; 20]];
        let index = version_2(&ids, &[0x8000_0000, 12], &[1 << 40]);
        assert_eq!(pack_index_entries(&index).unwrap(), [(1 << 40, oid(3)), (12, oid(9))]);
        let mut index = fan(&ids);
        for (id, offset) in ids.iter().zip([77u32, 12]) {
            index.extend(offset.to_be_bytes());
            index.extend(id);
        }
        assert_eq!(pack_index_entries(&index).unwrap(), [(77, oid(3)), (12, oid(9))]);
    }

    #[test]
    fn a_cut_or_crooked_pack_index_is_refused() {
        let index = version_2(&[[3; 20], [9; 20]], &[0x8000_0000, 12], &[1 << 40]);
        for cut in 0..index.len() {
            assert!(pack_index_entries(&index[..cut]).is_none(), "{cut}");
        }
        let mut crooked = index.clone();
        crooked[8] = 0xFF;
        assert!(pack_index_entries(&crooked).is_none());
        let mut version_3 = index;
        version_3[7] = 3;
        assert!(pack_index_entries(&version_3).is_none());
    }

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
