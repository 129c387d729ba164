//! What reading all objects leaves behind, so that attribution need not read them again.
//!
//! To tell that a directory never had a blob one has to look at every version of it: on rails/rails that is
//! 790,000 trees, and reading them by name took 11 CPU seconds. But an audit reads them all anyway, family by
//! family, and looks only at the entries that a delta does not copy from its base. Those are the places where
//! an object can have come into a family of trees, so they are noted, two numbers each. Afterwards, when it is
//! known which blobs matter, the notes tell which trees may lead to one: those that have it in a new entry,
//! those below them in their families, and so on upwards to the trees of commits. That is too many rather
//! than too few, since a delta may also drop an entry; these trees alone are then read again, exactly.
//!
//! It relies on every object having been read. Where one could not be, or only a part of the history was
//! wanted, there is no trail, and trees are read one after another as commits name them.

use std::collections::HashMap;

use super::{Commit, Inventory, ObjectKind, Outline, TreeEntries};
use crate::location::ObjectId;

/// Objects are numbers of the [`Inventory`] that was read.
#[derive(Debug, Default)]
pub struct Trail {
    /// A tree or a blob, and a tree that has it in a new entry; or a tree, and one stored as a delta to it.
    edges: Vec<(u32, u32)>,
    commits: Vec<CommitNote>,
    parents: Vec<u32>,
    /// Commits of which something is missing.
    torn_commits: Vec<u32>,
    /// Trees of which something is missing, if the entry was not copied.
    torn_trees: Vec<u32>,
    has_gaps: bool,
    is_lost: bool,
}

#[derive(Clone, Copy, Debug)]
struct CommitNote {
    commit: u32,
    tree: u32,
    seconds: i64,
    /// Where its parents start in `parents`, and how many there are.
    parents: (u32, u32),
}

impl Trail {
    /// Notes that a tree has an object in an entry that was not copied, or is stored as a delta to it.
    pub fn link(&mut self, object: u32, tree: u32) {
        self.edges.push((object, tree));
    }

    /// Notes a commit with its tree and its parents.
    pub fn commit(&mut self, commit: u32, parsed: &Commit<'_>, tree: u32, parents: &[u32]) {
        let start = self.parents.len() as u32;
        self.parents.extend(parents);
        let parents = (start, parents.len() as u32);
        self.commits.push(CommitNote { commit, tree, seconds: parsed.committer_seconds(), parents });
    }

    /// Notes a commit whose tree or one of whose parents is not there.
    pub fn torn_commit(&mut self, commit: u32) {
        self.torn_commits.push(commit);
        self.has_gaps = true;
    }

    /// Notes that a tree refers to a tree or a blob that is not there, in an entry that was not copied.
    pub fn torn_tree(&mut self, tree: u32, missing: ObjectKind) {
        self.torn_trees.push(tree);
        self.has_gaps |= missing == ObjectKind::Tree;
    }

    /// Whether a commit or a tree is missing, so that not everything can be followed.
    pub(super) fn has_gaps(&self) -> bool {
        self.has_gaps
    }

    /// Notes that something was not read that may be of interest.
    pub fn lose(&mut self) {
        self.is_lost = true;
    }

    /// Whether the trail leads nowhere, since [`Trail::lose`] was called.
    pub fn is_lost(&self) -> bool {
        self.is_lost
    }

    /// Adds what another worker noted.
    pub fn merge(&mut self, other: Trail) {
        self.edges.extend(other.edges);
        let start = self.parents.len() as u32;
        self.parents.extend(other.parents);
        self.commits.extend(other.commits.into_iter().map(|mut note| {
            note.parents.0 += start;
            note
        }));
        self.torn_commits.extend(other.torn_commits);
        self.torn_trees.extend(other.torn_trees);
        self.has_gaps |= other.has_gaps;
        self.is_lost |= other.is_lost;
    }

    /// Puts the notes in order; to be called once all of them are there.
    pub fn finish(&mut self) {
        self.edges.shrink_to_fit();
        self.commits.sort_unstable_by_key(|note| note.commit);
        // One that was noted in an earlier run may have been read again.
        self.commits.dedup_by_key(|note| note.commit);
    }

    /// Writes the notes so that [`Trail::restore`] can read them; `None` if something is missing, since that may
    /// come back.
    pub fn store(&self) -> Option<Vec<u8>> {
        if self.is_lost || self.has_gaps || !self.torn_commits.is_empty() || !self.torn_trees.is_empty() {
            return None;
        }
        let mut bytes = Vec::with_capacity(16 + 8 * self.edges.len() + 20 * self.commits.len());
        bytes.extend_from_slice(&(self.edges.len() as u64).to_le_bytes());
        bytes.extend_from_slice(&(self.commits.len() as u64).to_le_bytes());
        for (object, tree) in &self.edges {
            bytes.extend_from_slice(&object.to_le_bytes());
            bytes.extend_from_slice(&tree.to_le_bytes());
        }
        for note in &self.commits {
            let (start, count) = note.parents;
            bytes.extend_from_slice(&note.seconds.to_le_bytes());
            let parents = &self.parents[start as usize..(start + count) as usize];
            for number in [note.commit, note.tree, count].iter().chain(parents) {
                bytes.extend_from_slice(&number.to_le_bytes());
            }
        }
        Some(bytes)
    }

    /// Reads what [`Trail::store`] wrote, each number replaced by the one that `numbers` has in its place. `None`
    /// for anything else.
    pub fn restore(bytes: &[u8], numbers: &[u32]) -> Option<Self> {
        let mut rest = bytes;
        let edges = usize::try_from(u64::from_le_bytes(take(&mut rest)?)).ok()?;
        let commits = usize::try_from(u64::from_le_bytes(take(&mut rest)?)).ok()?;
        let number = |rest: &mut &[u8]| numbers.get(u32::from_le_bytes(take(rest)?) as usize).copied();
        // Before room is made for them: are there as many?
        if rest.len() / 8 < edges || rest.len() / 20 < commits {
            return None;
        }
        let mut trail = Self::default();
        trail.edges.reserve_exact(edges);
        for _ in 0..edges {
            trail.edges.push((number(&mut rest)?, number(&mut rest)?));
        }
        trail.commits.reserve_exact(commits);
        for _ in 0..commits {
            let seconds = i64::from_le_bytes(take(&mut rest)?);
            let (commit, tree) = (number(&mut rest)?, number(&mut rest)?);
            let count = u32::from_le_bytes(take(&mut rest)?);
            let parents = (trail.parents.len() as u32, count);
            for _ in 0..count {
                trail.parents.push(number(&mut rest)?);
            }
            trail.commits.push(CommitNote { commit, tree, seconds, parents });
        }
        rest.is_empty().then_some(trail)
    }

    /// Tree, parents and time of a commit.
    pub(super) fn find(&self, commit: u32) -> Option<(u32, &[u32], i64)> {
        let place = self.commits.binary_search_by_key(&commit, |note| note.commit).ok()?;
        let note = &self.commits[place];
        let (start, count) = note.parents;
        Some((note.tree, &self.parents[start as usize..(start + count) as usize], note.seconds))
    }

    /// Commits with their trees and their parents, but those of which something is missing.
    pub fn commits(&self) -> impl Iterator<Item = (u32, u32, &[u32])> {
        self.commits.iter().map(|note| {
            let (start, count) = note.parents;
            (note.commit, note.tree, &self.parents[start as usize..(start + count) as usize])
        })
    }

    /// The others.
    pub fn torn_commits(&self) -> &[u32] {
        &self.torn_commits
    }

    /// Which trees may lead to some objects.
    pub fn leading_to(&self, inventory: &Inventory, objects: &[ObjectId]) -> Relevant {
        let numbers = objects.iter().filter_map(|object| inventory.number(object.as_raw()));
        self.leading(inventory, numbers.collect(), &[])
    }

    /// Which trees may lead to what is not there.
    pub fn leading_to_missing(&self, inventory: &Inventory) -> Relevant {
        self.leading(inventory, Vec::new(), &self.torn_trees)
    }

    fn leading(&self, inventory: &Inventory, targets: Vec<u32>, first: &[u32]) -> Relevant {
        let count = inventory.len();
        // The edges by their first object: how many come before, then all second ones.
        let mut starts = vec![0_u32; count + 1];
        self.edges.iter().for_each(|(from, _)| starts[*from as usize + 1] += 1);
        (0..count).for_each(|number| starts[number + 1] += starts[number]);
        let mut ends = starts.clone();
        let mut holders = vec![0_u32; self.edges.len()];
        for (from, to) in &self.edges {
            let end = &mut ends[*from as usize];
            holders[*end as usize] = *to;
            *end += 1;
        }
        drop(ends);
        let mut relevant =
            Relevant { is_target: vec![false; count], is_leading: vec![false; count], likely: Vec::new() };
        relevant.likely = vec![0; 1 << (LIKELY_BITS - 6)];
        for &target in &targets {
            relevant.is_target[target as usize] = true;
            relevant.note_likely(&inventory.id(target));
        }
        let mut waiting = targets;
        for &tree in first {
            relevant.lead(tree, inventory, &mut waiting);
        }
        while let Some(number) = waiting.pop() {
            let range = starts[number as usize] as usize..starts[number as usize + 1] as usize;
            for &holder in &holders[range] {
                relevant.lead(holder, inventory, &mut waiting);
            }
        }
        relevant
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (first, behind) = rest.split_first_chunk()?;
    *rest = behind;
    Some(*first)
}

/// How many bits of a name decide whether it is looked up at all. With 24 there is a place for each of 16
/// million names, in 2 MiB.
const LIKELY_BITS: u32 = 24;

/// Objects that are sought and trees that may lead to them.
pub struct Relevant {
    is_target: Vec<bool>,
    is_leading: Vec<bool>,
    /// By the first bits of a name, whether it may be that of a relevant object: most entries of trees are
    /// of no interest, and finding the number of an object takes long.
    likely: Vec<u64>,
}

impl Relevant {
    fn lead(&mut self, tree: u32, inventory: &Inventory, waiting: &mut Vec<u32>) {
        if !std::mem::replace(&mut self.is_leading[tree as usize], true) {
            self.note_likely(&inventory.id(tree));
            waiting.push(tree);
        }
    }

    fn note_likely(&mut self, id: &ObjectId) {
        let (word, bit) = likely_place(id.as_raw());
        self.likely[word] |= bit;
    }

    fn is_likely(&self, raw: &[u8]) -> bool {
        let (word, bit) = likely_place(raw);
        self.likely[word] & bit != 0
    }

    /// The number of a tree if it may lead to what is sought, by the bytes of its name.
    pub fn leading_number(&self, inventory: &Inventory, raw: &[u8]) -> Option<u32> {
        if !self.is_likely(raw) {
            return None;
        }
        inventory.number(raw).filter(|number| self.is_leading(*number))
    }

    /// Whether a tree may lead to what is sought.
    pub fn is_leading(&self, number: u32) -> bool {
        self.is_leading[number as usize]
    }

    /// The trees that may lead to what is sought.
    pub fn trees(&self) -> impl Iterator<Item = u32> {
        (0..).zip(&self.is_leading).filter(|(_, is_leading)| **is_leading).map(|(number, _)| number)
    }
}

fn likely_place(raw: &[u8]) -> (usize, u64) {
    let bits = raw.first_chunk::<4>().map_or(0, |bytes| u32::from_be_bytes(*bytes)) >> (32 - LIKELY_BITS);
    ((bits >> 6) as usize, 1 << (bits & 63))
}

/// What trees have of relevant objects.
#[derive(Debug, Default)]
pub struct Rows {
    names: Vec<Box<[u8]>>,
    name_numbers: HashMap<Box<[u8]>, u32>,
    /// A tree, and where its entries end: there is no room for as many as 32 bits cannot count.
    trees: Vec<(u32, u32)>,
    entries: Vec<RowEntry>,
}

/// An entry of a tree that may matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RowEntry {
    /// Twice the place in [`Rows::names`], one more for a tree.
    name_and_kind: u32,
    pub(super) object: u32,
}

impl RowEntry {
    /// Place in [`Rows::names`].
    pub(super) fn name(self) -> usize {
        (self.name_and_kind >> 1) as usize
    }

    pub(super) fn is_tree(self) -> bool {
        self.name_and_kind & 1 != 0
    }
}

impl Rows {
    /// Notes the relevant entries of a tree, given with what is known of where they lie.
    pub fn add(
        &mut self,
        inventory: &Inventory,
        relevant: &Relevant,
        id: &ObjectId,
        (bytes, outline): (&[u8], &Outline),
    ) {
        let tree = inventory.number(id.as_raw()).filter(|tree| relevant.is_leading[*tree as usize]);
        let Some(tree) = tree else { return };
        let id_len = id.as_raw().len();
        for entry in outline.entries(bytes) {
            let is_likely = |start: usize| relevant.is_likely(&entry[start..]);
            if !entry.len().checked_sub(id_len).is_some_and(is_likely) {
                continue;
            }
            let Ok(Some((kind, name, link))) = TreeEntries::new(entry, id_len).next_parts() else { continue };
            let Some(object) = inventory.number(link) else { continue };
            let is_tree = match kind {
                ObjectKind::Tree if relevant.is_leading[object as usize] => true,
                ObjectKind::Blob if relevant.is_target[object as usize] => false,
                _ => continue,
            };
            let name_and_kind = self.name(name) << 1 | u32::from(is_tree);
            self.entries.push(RowEntry { name_and_kind, object });
        }
        self.trees.push((tree, self.entries.len() as u32));
    }

    fn name(&mut self, name: &[u8]) -> u32 {
        if let Some(number) = self.name_numbers.get(name) {
            return *number;
        }
        let number = self.names.len() as u32;
        self.names.push(Box::from(name));
        self.name_numbers.insert(Box::from(name), number);
        number
    }

    /// The names of entries.
    pub(super) fn names(&self) -> &[Box<[u8]>] {
        &self.names
    }

    /// How many trees there are.
    pub(super) fn len(&self) -> usize {
        self.trees.len()
    }

    /// A tree and its entries.
    pub(super) fn row(&self, place: usize) -> (u32, &[RowEntry]) {
        let start = place.checked_sub(1).map_or(0, |before| self.trees[before].1);
        let (tree, end) = self.trees[place];
        (tree, &self.entries[start as usize..end as usize])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trail() -> Trail {
        let mut trail = Trail::default();
        trail.link(3, 1);
        trail.link(1, 4);
        trail.parents = vec![2, 0, 5];
        trail.commits = vec![
            CommitNote { commit: 0, tree: 1, seconds: -7, parents: (0, 0) },
            CommitNote { commit: 5, tree: 4, seconds: 1 << 40, parents: (1, 2) },
        ];
        trail
    }

    #[test]
    fn what_was_stored_is_restored_under_other_numbers() {
        let numbers: Vec<u32> = (0..6).map(|number| number * 10).collect();
        let restored = Trail::restore(&trail().store().unwrap(), &numbers).unwrap();
        assert_eq!(restored.edges, [(30, 10), (10, 40)]);
        let commits: Vec<_> = restored.commits().collect();
        assert_eq!(commits, [(0, 10, &[][..]), (50, 40, &[0, 50][..])]);
        assert_eq!(restored.find(50), Some((40, &[0, 50][..], 1 << 40)));
    }

    #[test]
    fn what_is_no_trail_is_refused() {
        let numbers: Vec<u32> = (0..6).collect();
        let bytes = trail().store().unwrap();
        for len in 0..bytes.len() {
            assert!(Trail::restore(&bytes[..len], &numbers).is_none(), "{len} bytes of it");
        }
        assert!(Trail::restore(&[&bytes[..], b"\0"].concat(), &numbers).is_none(), "a byte more");
        assert!(Trail::restore(&bytes, &numbers[..5]).is_none(), "a number too high");
        assert!(Trail::restore(&[0xFF; 40], &numbers).is_none(), "more than there is memory for");
    }

    #[test]
    fn what_is_missing_is_not_stored() {
        for tear in [
            Trail::lose,
            |trail: &mut Trail| trail.torn_commit(1),
            |trail: &mut Trail| {
                trail.torn_tree(1, ObjectKind::Blob);
            },
        ] {
            let mut trail = trail();
            tear(&mut trail);
            assert!(trail.store().is_none());
        }
    }
}
