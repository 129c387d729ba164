//! Trees for a comparison that wants many of them.
//!
//! libgit2 takes a new inflater for each object, hashes it and keeps a copy: some 18,000 instructions for a tree of
//! two entries, and an index without cached trees makes a hook compare every directory of `HEAD`. So after the
//! first few the packs are mapped here and trees are inflated from them; the checksum of each stream is compared.
//! Whatever cannot be read that way is read by libgit2, which also says what is wrong with it.

use std::ops::Range;

use super::Repository;
use super::database::ObjectKind;
use super::index::EntryKind;
use super::object::ObjectError;
use super::pack::delta::Delta;
use super::pack::{Base, Header, Inflater, hash_kind};
use crate::derived::Copies;
use crate::location::ObjectId;

/// So many trees are read by libgit2, which has the packs open: opening an index here looks at all its offsets.
const FIRST_TREES: usize = 16;
/// Nobody has a larger tree, and git makes no longer chains of deltas.
const MAX_TREE_BYTES: u64 = 256 << 20;
const MAX_CHAIN: usize = 4096;

/// Reads trees.
pub(super) struct TreeReader<'r> {
    repository: &'r Repository,
    first: usize,
    packs: Option<Vec<Mapped>>,
    inflater: Inflater,
    delta: Vec<u8>,
    next: Vec<u8>,
    copies: Copies,
}

struct Mapped {
    index: gix_pack::index::File,
    data: gix_pack::data::File,
}

/// A tree and where its parts stand.
#[derive(Debug, Default)]
pub(super) struct Tree {
    bytes: Vec<u8>,
    items: Vec<Item>,
    id_bytes: usize,
}

#[derive(Clone, Copy, Debug)]
struct Item {
    name_start: u32,
    name_end: u32,
    kind: EntryKind,
}

impl<'r> TreeReader<'r> {
    pub(super) fn new(repository: &'r Repository) -> Self {
        Self::after(FIRST_TREES, repository)
    }

    /// Leaves the first trees to libgit2.
    pub(super) fn after(first: usize, repository: &'r Repository) -> Self {
        Self {
            repository,
            first,
            packs: None,
            inflater: Inflater::new(),
            delta: Vec::new(),
            next: Vec::new(),
            copies: Copies::default(),
        }
    }

    /// Reads a tree into the space of another.
    pub(super) fn read(&mut self, id: ObjectId, tree: &mut Tree) -> Result<(), ObjectError> {
        tree.bytes.clear();
        let is_read = match self.first.checked_sub(1) {
            Some(less) => {
                self.first = less;
                false
            }
            None => self.read_packed(id, &mut tree.bytes).is_some(),
        };
        if !is_read {
            tree.bytes.clear();
            self.repository.with_tree(id, |bytes| tree.bytes.extend_from_slice(bytes))?;
        }
        let damaged = || ObjectError::Damaged { id, message: "the tree does not parse".to_owned() };
        tree.parse(id.as_raw().len()).ok_or_else(damaged)
    }

    fn read_packed(&mut self, id: ObjectId, out: &mut Vec<u8>) -> Option<()> {
        let repository = self.repository;
        let packs = self.packs.get_or_insert_with(|| map_packs(repository));
        let raw = gix_hash::oid::try_from_bytes(id.as_raw()).ok()?;
        let (place, row) =
            packs.iter().enumerate().find_map(|(place, pack)| Some((place, pack.index.lookup(raw)?)))?;
        // What is looked for next mostly lies in the same pack.
        packs.swap(0, place);
        let Mapped { index, data } = &packs[0];
        let entry = |offset: u64| {
            let bytes = data.entry_slice(offset..data.pack_end() as u64)?;
            let header = Header::parse(bytes, offset, id.as_raw().len()).ok()?;
            (header.size_bytes <= MAX_TREE_BYTES).then(|| (&bytes[header.header_bytes..], header))
        };
        let mut chain = Vec::new();
        let mut offset = index.pack_offset_at_index(row);
        loop {
            let (packed, header) = entry(offset)?;
            match header.base {
                Base::Whole(ObjectKind::Tree) => {
                    self.inflater.inflate(packed, header.size_bytes, out).ok()?;
                    break;
                }
                Base::Whole(_) => return None,
                Base::Offset(base) => offset = base,
                Base::Name(base) => {
                    let base = gix_hash::oid::try_from_bytes(base.as_raw()).ok()?.to_owned();
                    offset = index.pack_offset_at_index(index.lookup(base)?);
                }
            }
            chain.push((packed, header.size_bytes));
            if chain.len() > MAX_CHAIN {
                return None;
            }
        }
        for (packed, size_bytes) in chain.into_iter().rev() {
            self.delta.clear();
            self.inflater.inflate(packed, size_bytes, &mut self.delta).ok()?;
            let delta = Delta::parse(&self.delta).ok()?;
            if delta.result_bytes > MAX_TREE_BYTES {
                return None;
            }
            delta.apply(out, &mut self.next, &mut self.copies).ok()?;
            std::mem::swap(out, &mut self.next);
        }
        Some(())
    }
}

/// The packs of the repository's own that can be mapped.
fn map_packs(repository: &Repository) -> Vec<Mapped> {
    let kind = hash_kind(repository.id_len());
    let dir = repository.common_dir().join("objects/pack");
    let Ok(entries) = std::fs::read_dir(dir) else { return Vec::new() };
    let indexes = entries.flatten().map(|entry| entry.path());
    let indexes = indexes.filter(|path| path.extension().is_some_and(|extension| extension == "idx"));
    let map = |path: std::path::PathBuf| {
        let index = gix_pack::index::File::at(&path, kind).ok()?;
        let data = gix_pack::data::File::at(path.with_extension("pack"), kind).ok()?;
        // A pack in the place of another would hold other objects at the offsets.
        (data.num_objects() == index.num_objects() && data.checksum() == index.pack_checksum())
            .then_some(Mapped { index, data })
    };
    indexes.filter_map(map).collect()
}

impl Tree {
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.items.clear();
    }

    pub(super) fn len(&self) -> usize {
        self.items.len()
    }

    pub(super) fn name(&self, place: usize) -> &[u8] {
        let Item { name_start, name_end, .. } = self.items[place];
        &self.bytes[name_start as usize..name_end as usize]
    }

    pub(super) fn kind(&self, place: usize) -> EntryKind {
        self.items[place].kind
    }

    pub(super) fn id(&self, place: usize) -> ObjectId {
        let start = self.items[place].name_end as usize + 1;
        ObjectId::from_raw(&self.bytes[start..start + self.id_bytes]).expect("the tree was parsed")
    }

    /// The part of the order of an entry: by name, and a directory as if its name ended with `/`.
    pub(super) fn key(&self, place: usize) -> Key<'_> {
        Key { name: self.name(place), is_directory: self.kind(place) == EntryKind::Directory }
    }

    fn parse(&mut self, id_bytes: usize) -> Option<()> {
        self.items.clear();
        self.id_bytes = id_bytes;
        u32::try_from(self.bytes.len()).ok()?;
        let mut at = 0;
        while at < self.bytes.len() {
            let (kind, name) = first_entry(&self.bytes[at..], id_bytes)?;
            let (start, end) = (at + name.start, at + name.end);
            self.items.push(Item { name_start: start as u32, name_end: end as u32, kind });
            at = end + 1 + id_bytes;
        }
        // Who made the tree may have used another tool than git, and a comparison goes through it in order.
        let is_sorted = (1..self.items.len()).all(|place| self.key(place - 1) <= self.key(place));
        if !is_sorted {
            let mut order: Vec<usize> = (0..self.items.len()).collect();
            order.sort_by(|&left, &right| self.key(left).cmp(&self.key(right)));
            self.items = order.into_iter().map(|place| self.items[place]).collect();
        }
        Some(())
    }
}

/// Reads the entry that a tree starts with: mode in octal, space, name, zero byte, raw object name. Gives its kind and
/// where its name stands; the object name is complete.
pub(super) fn first_entry(tree: &[u8], id_bytes: usize) -> Option<(EntryKind, Range<usize>)> {
    let mode_bytes = memchr::memchr(b' ', tree)?;
    let start = mode_bytes + 1;
    let end = start + memchr::memchr(0, &tree[start..])?;
    tree.get(end + 1..end + 1 + id_bytes)?;
    // Modes of very old trees carry odd permission bits, never odd types.
    Some((EntryKind::from_mode(octal(&tree[..mode_bytes])?)?, start..end))
}

fn octal(digits: &[u8]) -> Option<u32> {
    let digit = |mode: u32, &digit: &u8| match digit {
        b'0'..=b'7' => mode.checked_mul(8)?.checked_add(u32::from(digit - b'0')),
        _ => None,
    };
    if digits.is_empty() { None } else { digits.iter().try_fold(0, digit) }
}

/// Where something stands in a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Key<'n> {
    pub(super) name: &'n [u8],
    pub(super) is_directory: bool,
}

impl Ord for Key<'_> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let shared = self.name.len().min(other.name.len());
        let next = |key: &Self| match key.name.get(shared) {
            Some(&byte) => i16::from(byte),
            None if key.is_directory => i16::from(b'/'),
            None => -1,
        };
        self.name[..shared]
            .cmp(&other.name[..shared])
            .then_with(|| next(self).cmp(&next(other)))
            .then_with(|| self.name.len().cmp(&other.name.len()))
    }
}

impl PartialOrd for Key<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn tree(items: &[(&str, &str)]) -> Tree {
        let mut tree = Tree::default();
        for (mode, name) in items {
            tree.bytes.extend(format!("{mode} {name}\0").bytes());
            tree.bytes.extend([7; 20]);
        }
        tree.parse(20).expect("a tree");
        tree
    }

    #[test]
    fn entries_come_in_the_order_of_the_index() {
        let tree =
            tree(&[("40000", "a"), ("100644", "a.b"), ("100644", "a-b"), ("120000", "a0"), ("160000", "a")]);
        let names: Vec<&[u8]> = (0..tree.len()).map(|place| tree.name(place)).collect();
        assert_eq!(names, [&b"a"[..], b"a-b", b"a.b", b"a", b"a0"]);
        assert_eq!((tree.kind(0), tree.kind(3)), (EntryKind::Submodule, EntryKind::Directory));
        assert_eq!(tree.id(4), ObjectId::from_raw(&[7; 20]).unwrap());
    }

    #[test]
    fn what_is_no_tree_is_none() {
        for bytes in
            [&b"100644 a"[..], b"100644 a\x00123", b"+100644 a\0", b"8 a\0", b" a\0", b"77777777777777 a\0"]
        {
            let mut tree = Tree { bytes: [bytes, &[7; 20]].concat(), ..Tree::default() };
            tree.bytes.truncate(bytes.len() + 19);
            assert!(tree.parse(20).is_none(), "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn the_order_of_keys_is_that_of_paths(
            left in "[a!./0]{1,4}", right in "[a!./0]{1,4}", dirs in any::<(bool, bool)>(),
        ) {
            let (left, right) = (left.replace('/', "-"), right.replace('/', "-"));
            let path = |name: &str, is_directory: bool| format!("{name}{}", if is_directory { "/" } else { "" });
            let key = |name, is_directory| Key { name, is_directory };
            prop_assert_eq!(
                key(left.as_bytes(), dirs.0).cmp(&key(right.as_bytes(), dirs.1)),
                path(&left, dirs.0).cmp(&path(&right, dirs.1))
            );
        }
    }
}
