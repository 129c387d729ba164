//! What reading all objects leaves behind, so that attribution need not read them again.
//!
//! To tell that a directory never had a blob one has to look at every version of it: on rails/rails that is
//! 790,000 trees, and reading them by name took 11 CPU seconds. But an audit reads them all anyway, family by
//! family, and looks only at the entries that a delta does not copy from its base. Those are the places where
//! an object can have come into a family of trees, so they are noted, two numbers each, and the entries of the base
//! that were not copied as well. Afterwards, when it is known which blobs matter, the notes tell which trees may lead
//! to one: those that have it in a new entry, those below them in their families, and so on upwards to the trees of
//! commits. That is too many rather than too few, since a delta may also drop an entry; what these trees have is then
//! made out, [`Rows`], each from those of its base.
//!
//! It relies on every object having been read. Where one could not be, or only a part of the history was
//! wanted, there is no trail, and trees are read one after another as commits name them. Of trees that an earlier audit
//! read only the links are kept; those that matter are read again.

use std::fmt;
use std::sync::{Mutex, OnceLock, PoisonError};

use super::names::Names;
use super::raw::Parts;
use super::rows::{RowEntry, take};
use super::{Commit, Inventory, ObjectKind, Relevant, Rows};
use crate::location::ObjectId;

/// Objects are numbers of the [`Inventory`] that was read.
#[derive(Debug, Default)]
pub struct Trail {
    /// Trees, each with where its entries and what it has not of its base end in the lists behind.
    trees: Vec<TreeNote>,
    /// The entries that were not copied from a base.
    entries: Vec<RowEntry>,
    gone: Vec<GoneEntry>,
    names: Names,
    /// What an earlier audit noted: a tree or a blob, and a tree that has it in a new entry; or a tree, and one stored
    /// as a delta to it.
    earlier_edges: EarlierEdges,
    commits: Vec<CommitNote>,
    parents: Vec<u32>,
    /// Annotated tags and what they point to.
    tags: Vec<(u32, u32)>,
    /// Commits and tags of which something is missing.
    torn: Vec<u32>,
    /// Trees of which something is missing, if the entry was not copied.
    torn_trees: Vec<u32>,
    has_gaps: bool,
    is_lost: bool,
    /// Left by the search for what is missing to the search for what has a match.
    holders: Mutex<Option<Holders>>,
}

/// Reads edges as [`Trail::store`] made them; `None` if they cannot be read or are damaged.
pub type EdgeReader = Box<dyn Fn() -> Option<Vec<u8>> + Send + Sync>;

/// Edges as they were written, of which nothing is read as long as nobody asks for it: on rails/rails that is a third
/// of a file of 84 MB.
#[derive(Default)]
struct EarlierEdges {
    count: usize,
    /// Numbers are less than this.
    limit: u32,
    read: Option<EdgeReader>,
    bytes: OnceLock<Option<Vec<u8>>>,
}

impl EarlierEdges {
    fn raw(&self) -> Option<&[[u8; 8]]> {
        let read = || match &self.read {
            Some(read) => read().filter(|bytes| self.is_sound(bytes)),
            None => Some(Vec::new()),
        };
        Some(self.bytes.get_or_init(read).as_ref()?.as_chunks().0)
    }

    fn is_sound(&self, bytes: &[u8]) -> bool {
        let words = bytes.as_chunks().0.iter().map(|word| u32::from_le_bytes(*word));
        // Folded rather than searched, which the processor does many at a time.
        let most = words.fold(0, u32::max);
        bytes.len() == self.count * 8 && (bytes.is_empty() || most < self.limit)
    }

    fn for_each(&self, mut visit: impl FnMut(u32, u32)) -> Option<()> {
        let word = |[a, b, c, d]: [u8; 4]| u32::from_le_bytes([a, b, c, d]);
        for [a, b, c, d, e, f, g, h] in self.raw()? {
            visit(word([*a, *b, *c, *d]), word([*e, *f, *g, *h]));
        }
        Some(())
    }

    /// The same with other numbers; `None` if one has none.
    fn renumbered(&self, number: impl Fn(u32) -> Option<u32>) -> Option<Self> {
        let mut bytes = Vec::with_capacity(self.count * 8);
        let mut is_whole = true;
        self.for_each(|from, to| {
            for other in [from, to].map(&number) {
                is_whole &= other.is_some();
                bytes.extend_from_slice(&other.unwrap_or_default().to_le_bytes());
            }
        })?;
        is_whole.then(|| Self { count: self.count, bytes: Some(bytes).into(), ..Self::default() })
    }
}

impl fmt::Debug for EarlierEdges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EarlierEdges").field("count", &self.count).finish_non_exhaustive()
    }
}

/// For each object the trees that may have it, turned round from the edges of a [`Trail`].
#[derive(Debug)]
struct Holders {
    /// Where those of each object start; one more at the end.
    starts: Vec<u32>,
    trees: Vec<u32>,
}

impl Holders {
    fn of(trail: &Trail, count: usize) -> Option<Self> {
        // How many come before those of each object, and then all of them.
        let mut starts = vec![0_u32; count + 1];
        trail.for_each_edge(|from, _| starts[from as usize + 1] += 1)?;
        (0..count).for_each(|number| starts[number + 1] += starts[number]);
        let mut ends = starts.clone();
        let mut trees = vec![0_u32; trail.edge_count()];
        trail.for_each_edge(|from, to| {
            let end = &mut ends[from as usize];
            trees[*end as usize] = to;
            *end += 1;
        })?;
        Some(Self { starts, trees })
    }

    fn of_object(&self, number: u32) -> &[u32] {
        let number = number as usize;
        &self.trees[self.starts[number] as usize..self.starts[number + 1] as usize]
    }
}

#[derive(Clone, Copy, Debug)]
struct CommitNote {
    commit: u32,
    tree: u32,
    seconds: i64,
    /// Where its parents start in `parents`, and how many there are.
    parents: (u32, u32),
}

/// No tree, and no place.
const NONE: u32 = u32::MAX;

#[derive(Clone, Copy, Debug)]
struct TreeNote {
    tree: u32,
    /// The tree from which the other entries were copied, or [`NONE`].
    base: u32,
    entries_end: u32,
    gone_end: u32,
}

/// An entry of a base that was not copied. A tree may have the same name twice, so the object tells which of them it is,
/// by the first bytes of its name: looking up its number would take as long as all the rest.
#[derive(Clone, Copy, Debug)]
struct GoneEntry {
    name_and_kind: u32,
    object_start: [u8; 4],
}

/// An entry of a tree in a [`Trail`] whose object is still to be looked up.
#[derive(Clone, Copy, Debug)]
pub struct Pending {
    note: u32,
    name_and_kind: u32,
    /// What it refers to.
    pub object: ObjectId,
}

impl Trail {
    /// One with room for the notes of so many objects. Room that is not used is no memory, lists that grow leave some
    /// behind.
    pub fn with_room(objects: usize) -> Self {
        Self {
            trees: Vec::with_capacity(objects),
            entries: Vec::with_capacity(objects.saturating_mul(4)),
            gone: Vec::with_capacity(objects.saturating_mul(2)),
            ..Self::default()
        }
    }

    /// Notes a tree, and the one from which it copied what is not noted of it.
    pub fn tree(&mut self, tree: u32, base: Option<u32>) {
        let base = base.unwrap_or(NONE);
        self.trees.push(TreeNote { tree, base, entries_end: 0, gone_end: self.gone.len() as u32 });
    }

    /// Prepares the note of an entry of the last tree, to a tree or a blob. It is complete with [`Trail::entry`].
    pub fn pending(&mut self, (kind, name, object): Parts<'_>) -> Option<Pending> {
        let name_and_kind = self.name_and_kind(name, kind);
        Some(Pending {
            note: self.trees.len() as u32 - 1,
            name_and_kind,
            object: ObjectId::from_raw(object)?,
        })
    }

    /// Notes an entry, those of one tree behind those of the trees before it; or that it is to something missing.
    pub fn entry(&mut self, pending: Pending, object: Option<u32>) {
        let Pending { note, name_and_kind, .. } = pending;
        let entry = RowEntry { name_and_kind, object: object.unwrap_or_default() };
        let note = &mut self.trees[note as usize];
        match object {
            Some(_) => {
                self.entries.push(entry);
                note.entries_end = self.entries.len() as u32;
            }
            None => {
                self.torn_trees.push(note.tree);
                self.has_gaps |= entry.is_tree();
            }
        }
    }

    fn name_and_kind(&mut self, name: &[u8], kind: ObjectKind) -> u32 {
        self.names.number(name) << 1 | u32::from(kind == ObjectKind::Tree)
    }

    /// Notes an entry of the base that the last tree has not.
    pub fn gone(&mut self, (kind, name, object): Parts<'_>) {
        let name_and_kind = self.name_and_kind(name, kind);
        if let (Some(note), Some(object_start)) = (self.trees.last_mut(), object.first_chunk()) {
            self.gone.push(GoneEntry { name_and_kind, object_start: *object_start });
            note.gone_end = self.gone.len() as u32;
        }
    }

    /// Goes through the links: from a tree or a blob to a tree that has it in a new entry, or from a tree to one stored
    /// as a delta to it. `None` if those of an earlier audit cannot be read.
    fn for_each_edge(&self, mut visit: impl FnMut(u32, u32)) -> Option<()> {
        self.earlier_edges.for_each(&mut visit)?;
        self.for_each_new_edge(visit);
        Some(())
    }

    /// The same of what this audit noted.
    fn for_each_new_edge(&self, mut visit: impl FnMut(u32, u32)) {
        let mut start = 0;
        for note in &self.trees {
            if note.base != NONE {
                visit(note.base, note.tree);
            }
            let end = note.entries_end as usize;
            self.entries[start..end].iter().for_each(|entry| visit(entry.object, note.tree));
            start = end;
        }
    }

    fn edge_count(&self) -> usize {
        let bases = self.trees.iter().filter(|note| note.base != NONE).count();
        self.earlier_edges.count + bases + self.entries.len()
    }

    /// Notes a commit with its tree and its parents.
    pub fn commit(&mut self, commit: u32, parsed: &Commit<'_>, tree: u32, parents: &[u32]) {
        let start = self.parents.len() as u32;
        self.parents.extend(parents);
        let parents = (start, parents.len() as u32);
        self.commits.push(CommitNote { commit, tree, seconds: parsed.committer_seconds(), parents });
    }

    /// Notes an annotated tag and what it points to.
    pub fn tag(&mut self, tag: u32, target: u32) {
        self.tags.push((tag, target));
    }

    /// Notes a commit whose tree or one of whose parents is not there.
    pub fn torn_commit(&mut self, commit: u32) {
        self.torn.push(commit);
        self.has_gaps = true;
    }

    /// Notes a tag that points to what is not there.
    pub fn torn_tag(&mut self, tag: u32) {
        self.torn.push(tag);
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
    pub fn merge(&mut self, mut other: Trail) {
        self.seal();
        other.seal();
        self.merge_trees(&mut other);
        let start = self.parents.len() as u32;
        self.parents.extend(other.parents);
        self.commits.extend(other.commits.into_iter().map(|mut note| {
            note.parents.0 += start;
            note
        }));
        // Only one of them can have any: no worker reads what was written.
        if self.earlier_edges.count == 0 {
            self.earlier_edges = other.earlier_edges;
        }
        self.tags.extend(other.tags);
        self.torn.extend(other.torn);
        self.torn_trees.extend(other.torn_trees);
        self.has_gaps |= other.has_gaps;
        self.is_lost |= other.is_lost;
    }

    /// A tree without entries of its own ends where the one before it does.
    fn seal(&mut self) {
        let mut end = 0;
        for note in &mut self.trees {
            end = note.entries_end.max(end);
            note.entries_end = end;
        }
    }

    fn merge_trees(&mut self, other: &mut Trail) {
        if self.trees.is_empty() {
            std::mem::swap(&mut self.trees, &mut other.trees);
            std::mem::swap(&mut self.entries, &mut other.entries);
            std::mem::swap(&mut self.gone, &mut other.gone);
            std::mem::swap(&mut self.names, &mut other.names);
            return;
        }
        let numbers: Vec<u32> = other.names.iter().map(|name| self.names.number(name)).collect();
        let renamed = |name_and_kind: u32| numbers[(name_and_kind >> 1) as usize] << 1 | name_and_kind & 1;
        let (entries_start, gone_start) = (self.entries.len() as u32, self.gone.len() as u32);
        self.trees.reserve_exact(other.trees.len());
        self.entries.reserve_exact(other.entries.len());
        self.gone.reserve_exact(other.gone.len());
        self.trees.extend(other.trees.drain(..).map(|mut note| {
            note.entries_end += entries_start;
            note.gone_end += gone_start;
            note
        }));
        self.entries.extend(other.entries.drain(..).map(|mut entry| {
            entry.name_and_kind = renamed(entry.name_and_kind);
            entry
        }));
        self.gone.extend(other.gone.drain(..).map(|mut entry| {
            entry.name_and_kind = renamed(entry.name_and_kind);
            entry
        }));
    }

    /// Puts the notes in order; to be called once all of them are there.
    pub fn finish(&mut self) {
        self.seal();
        self.trees.shrink_to_fit();
        self.entries.shrink_to_fit();
        self.gone.shrink_to_fit();
        // Those of earlier audits are in order already, which only the stable sort makes use of.
        self.commits.sort_by_key(|note| note.commit);
        // One that was noted in an earlier run may have been read again.
        self.commits.dedup_by_key(|note| note.commit);
        for numbers in [&mut self.torn, &mut self.torn_trees] {
            numbers.sort_unstable();
            numbers.dedup();
        }
        self.tags.sort_unstable();
        self.tags.dedup();
    }

    /// Writes the notes and, apart from them, the edges so that [`Trail::restore`] can read them, each number replaced by
    /// another one; `None` if anything but blobs is missing, since more than they may come back, or if the edges of an
    /// earlier audit cannot be read.
    pub fn store(&self, renumber: impl Fn(u32) -> u32) -> Option<(Vec<u8>, Vec<u8>)> {
        if self.is_lost || self.has_gaps || !self.torn.is_empty() {
            return None;
        }
        let mut edges = Vec::with_capacity(8 * self.edge_count());
        self.for_each_edge(|from, to| {
            edges.extend_from_slice(&renumber(from).to_le_bytes());
            edges.extend_from_slice(&renumber(to).to_le_bytes());
        })?;
        let mut bytes = Vec::with_capacity(24 * (1 + self.commits.len()));
        for count in [self.tags.len(), self.torn_trees.len(), self.commits.len()] {
            bytes.extend_from_slice(&(count as u64).to_le_bytes());
        }
        let mut put = |number: u32| bytes.extend_from_slice(&number.to_le_bytes());
        let mut put_pair = |one: u32, other: u32| {
            put(renumber(one));
            put(renumber(other));
        };
        self.tags.iter().for_each(|(tag, target)| put_pair(*tag, *target));
        self.torn_trees.iter().for_each(|tree| put(renumber(*tree)));
        for note in &self.commits {
            let (start, count) = note.parents;
            put(note.seconds as u64 as u32);
            put((note.seconds as u64 >> 32) as u32);
            put(renumber(note.commit));
            put(renumber(note.tree));
            put(count);
            self.parents[start as usize..(start + count) as usize]
                .iter()
                .for_each(|parent| put(renumber(*parent)));
        }
        Some((bytes, edges))
    }

    /// Reads the notes that [`Trail::store`] wrote, each number replaced by another one, or, if there are no `others`, left
    /// as it is if it is less than a limit. `None` for anything else, and where there is no other number. So many edges
    /// as are said to be there are read when they are needed, or now if there are others.
    pub fn restore(
        bytes: &[u8],
        (edges, read_edges): (usize, EdgeReader),
        limit: u32,
        others: Option<&dyn Fn(u32) -> Option<u32>>,
    ) -> Option<Self> {
        let number = |number: u32| match others {
            Some(others) => others(number),
            None => (number < limit).then_some(number),
        };
        let mut rest = bytes;
        let mut count = || usize::try_from(u64::from_le_bytes(take(&mut rest)?)).ok();
        let (tags, torn_trees, commits) = (count()?, count()?, count()?);
        let earlier_edges =
            EarlierEdges { count: edges, limit, read: Some(read_edges), bytes: OnceLock::new() };
        let earlier_edges = match others {
            Some(others) => earlier_edges.renumbered(others)?,
            None => earlier_edges,
        };
        let mut pairs = |count: usize| -> Option<Vec<(u32, u32)>> {
            let (raw, behind) = rest.split_at_checked(count.checked_mul(8)?)?;
            rest = behind;
            let part = |raw: &[u8]| number(u32::from_le_bytes(*raw.first_chunk()?));
            raw.chunks_exact(8).map(|raw| Some((part(raw)?, part(&raw[4..])?))).collect()
        };
        let tags = pairs(tags)?;
        let number = |rest: &mut &[u8]| number(u32::from_le_bytes(take(rest)?));
        // Before room is made for them: are there as many?
        if rest.len() / 4 < torn_trees || rest.len() / 20 < commits {
            return None;
        }
        let mut trail = Self { earlier_edges, tags, ..Self::default() };
        for _ in 0..torn_trees {
            trail.torn_trees.push(number(&mut rest)?);
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

    /// What the relevant trees have of relevant objects, as far as they were not read in an earlier audit. `None` where
    /// that does not follow from what this audit noted.
    pub fn rows(&self, inventory: &Inventory, relevant: &Relevant) -> Option<Rows> {
        let mut notes = vec![NONE; inventory.len()];
        for (note, place) in self.trees.iter().zip(0..) {
            if relevant.is_wanted(note.tree) {
                notes[note.tree as usize] = place;
            }
        }
        let is_noted = |tree: u32| !relevant.is_wanted(tree) || notes[tree as usize] != NONE;
        if !(0..inventory.len() as u32).all(is_noted) {
            return None;
        }
        let mut rows = Rows::default();
        let mut names = vec![NONE; self.names.len()];
        // By note: where its row stands, once it is made.
        let mut places = vec![NONE; self.trees.len()];
        let mut waiting = Vec::new();
        for &first in notes.iter().filter(|place| **place != NONE) {
            waiting.push(first);
            while let Some(&place) = waiting.last() {
                let base = self.trees[place as usize].base;
                // One that leads nowhere has nothing to hand on.
                let base_place = match base != NONE && relevant.is_leading(base) {
                    true => Some(notes[base as usize]).filter(|place| *place != NONE)?,
                    false => NONE,
                };
                if base_place != NONE && places[base_place as usize] == NONE {
                    // Each is made of one that was there before it, so none is its own base.
                    if waiting.len() > self.trees.len() {
                        return None;
                    }
                    waiting.push(base_place);
                    continue;
                }
                waiting.pop();
                if places[place as usize] == NONE {
                    let base_row = (base_place != NONE).then(|| places[base_place as usize]);
                    self.add_row(place as usize, base_row, (inventory, relevant), &mut names, &mut rows);
                    places[place as usize] = rows.trees.len() as u32 - 1;
                }
            }
        }
        Some(rows)
    }

    /// Makes the row of a tree from that of its base and its notes.
    fn add_row(
        &self,
        place: usize,
        base_row: Option<u32>,
        (inventory, relevant): (&Inventory, &Relevant),
        names: &mut [u32],
        rows: &mut Rows,
    ) {
        let before = place.checked_sub(1).map(|before| self.trees[before]);
        let (entries_start, gone_start) = before.map_or((0, 0), |note| (note.entries_end, note.gone_end));
        let TreeNote { tree, entries_end, gone_end, .. } = self.trees[place];
        let mut renamed = |rows: &mut Rows, name_and_kind: u32| {
            let name = name_and_kind >> 1;
            if names[name as usize] == NONE {
                names[name as usize] = rows.names.number(self.names.get(name));
            }
            names[name as usize] << 1 | name_and_kind & 1
        };
        let row_start = rows.entries.len();
        if let Some(base_row) = base_row {
            let range = rows.range(base_row as usize);
            rows.entries.extend_from_within(range);
        }
        for gone in &self.gone[gone_start as usize..gone_end as usize] {
            if rows.entries.len() == row_start {
                break;
            }
            let name_and_kind = renamed(rows, gone.name_and_kind);
            let is_gone = |entry: &RowEntry| {
                entry.name_and_kind == name_and_kind
                    && inventory.id(entry.object).as_raw().starts_with(&gone.object_start)
            };
            if let Some(at) = rows.entries[row_start..].iter().position(is_gone) {
                rows.entries.remove(row_start + at);
            }
        }
        for entry in &self.entries[entries_start as usize..entries_end as usize] {
            let is_relevant = match entry.is_tree() {
                true => relevant.is_leading[entry.object as usize],
                false => relevant.is_target[entry.object as usize],
            };
            if is_relevant {
                let name_and_kind = renamed(rows, entry.name_and_kind);
                rows.entries.push(RowEntry { name_and_kind, ..*entry });
            }
        }
        rows.trees.push((tree, rows.entries.len() as u32));
    }

    /// The place of a commit among those that were noted.
    pub(super) fn place(&self, commit: u32) -> Option<u32> {
        let place = self.commits.binary_search_by_key(&commit, |note| note.commit).ok()?;
        Some(place as u32)
    }

    /// The commit at a place, its tree, parents and time.
    pub(super) fn at(&self, place: u32) -> (u32, u32, &[u32], i64) {
        let note = &self.commits[place as usize];
        let (start, count) = note.parents;
        (note.commit, note.tree, &self.parents[start as usize..(start + count) as usize], note.seconds)
    }

    /// Tree, parents and time of a commit.
    pub(super) fn find(&self, commit: u32) -> Option<(u32, &[u32], i64)> {
        let (_, tree, parents, seconds) = self.at(self.place(commit)?);
        Some((tree, parents, seconds))
    }

    /// Commits with their trees and their parents, but those of which something is missing.
    pub fn commits(&self) -> impl ExactSizeIterator<Item = (u32, u32, &[u32])> {
        self.commits.iter().map(|note| {
            let (start, count) = note.parents;
            (note.commit, note.tree, &self.parents[start as usize..(start + count) as usize])
        })
    }

    /// The commits and tags of which something is missing, sorted.
    pub fn torn(&self) -> &[u32] {
        &self.torn
    }

    /// Annotated tags with what they point to, but those of which that is missing.
    pub fn tags(&self) -> &[(u32, u32)] {
        &self.tags
    }

    /// What an annotated tag points to.
    pub(super) fn find_tag(&self, tag: u32) -> Option<u32> {
        let place = self.tags.binary_search_by_key(&tag, |(tag, _)| *tag).ok()?;
        Some(self.tags[place].1)
    }

    /// Goes from some objects through tags and commits to all that they reach: of the trees of commits those that are
    /// relevant, and what else there is among the objects.
    pub fn trees_from(&self, inventory: &Inventory, mut waiting: Vec<u32>, relevant: &Relevant) -> Vec<u32> {
        let mut places = vec![NONE; inventory.len()];
        self.commits.iter().zip(0..).for_each(|(note, place)| places[note.commit as usize] = place);
        let mut is_reached = vec![false; self.commits.len()];
        // Once these are all reached the others need no look.
        let mut left = self.commits.iter().filter(|note| relevant.is_leading(note.tree)).count();
        let mut trees = Vec::new();
        while let Some(number) = waiting.pop() {
            match places[number as usize] {
                NONE => match self.find_tag(number) {
                    Some(target) => waiting.push(target),
                    None => trees.push(number),
                },
                place if !std::mem::replace(&mut is_reached[place as usize], true) => {
                    let (_, tree, parents, _) = self.at(place);
                    if relevant.is_leading(tree) {
                        trees.push(tree);
                        left -= 1;
                    }
                    if left > 0 {
                        waiting.extend(parents);
                    }
                }
                _ => {}
            }
        }
        trees
    }

    /// Which trees may lead to some objects. As the next two it is `None` if the edges of an earlier audit cannot be read.
    pub fn leading_to(&self, inventory: &Inventory, objects: &[ObjectId]) -> Option<Relevant> {
        let numbers = objects.iter().filter_map(|object| inventory.number(object.as_raw()));
        Some(Self::leading(&self.take_holders(inventory)?, inventory, numbers.collect(), &[]))
    }

    /// Which trees may lead to what is not there.
    pub fn leading_to_missing(&self, inventory: &Inventory) -> Option<Relevant> {
        let holders = Holders::of(self, inventory.len())?;
        let relevant = Self::leading(&holders, inventory, Vec::new(), &self.torn_trees);
        *self.holders.lock().unwrap_or_else(PoisonError::into_inner) = Some(holders);
        Some(relevant)
    }

    /// Which trees may lead to some objects or to what is not there.
    pub fn leading_to_all(&self, inventory: &Inventory, targets: Vec<u32>) -> Option<Relevant> {
        Some(Self::leading(&self.take_holders(inventory)?, inventory, targets, &self.torn_trees))
    }

    /// Which trees may lead to some objects or to what is not there, when the `trees` of earlier audits do. Only those
    /// that are not `known`, by number, are to be read.
    pub fn leading_after(
        &self,
        inventory: &Inventory,
        targets: &[u32],
        trees: impl IntoIterator<Item = u32>,
        known: &[bool],
    ) -> Relevant {
        // So few are read that to look up all that they have takes less than to note what is likely.
        let mut relevant = Relevant { likely: Vec::new(), ..Relevant::new(inventory.len()) };
        relevant.is_read = known.to_vec();
        targets.iter().for_each(|target| relevant.target(*target, inventory));
        let mut waiting = Vec::new();
        for tree in trees {
            relevant.is_leading[tree as usize] = true;
        }
        for &tree in &self.torn_trees {
            relevant.lead(tree, inventory, &mut waiting);
        }
        let mut edges = Vec::new();
        self.for_each_new_edge(|from, to| edges.push((from, to)));
        edges.sort_unstable();
        for &(from, to) in &edges {
            if relevant.is_target[from as usize] || relevant.is_leading[from as usize] {
                relevant.lead(to, inventory, &mut waiting);
            }
        }
        while let Some(number) = waiting.pop() {
            let first = edges.partition_point(|(from, _)| *from < number);
            for (_, to) in edges[first..].iter().take_while(|(from, _)| *from == number) {
                relevant.lead(*to, inventory, &mut waiting);
            }
        }
        relevant
    }

    fn take_holders(&self, inventory: &Inventory) -> Option<Holders> {
        let left = self.holders.lock().unwrap_or_else(PoisonError::into_inner).take();
        left.or_else(|| Holders::of(self, inventory.len()))
    }

    fn leading(holders: &Holders, inventory: &Inventory, targets: Vec<u32>, first: &[u32]) -> Relevant {
        let mut relevant = Relevant::new(inventory.len());
        targets.iter().for_each(|target| relevant.target(*target, inventory));
        let mut waiting = targets;
        for &tree in first {
            relevant.lead(tree, inventory, &mut waiting);
        }
        while let Some(number) = waiting.pop() {
            for &holder in holders.of_object(number) {
                relevant.lead(holder, inventory, &mut waiting);
            }
        }
        relevant
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trail() -> Trail {
        let mut trail = Trail::default();
        trail.tree(1, None);
        trail.entries.push(RowEntry { name_and_kind: 0, object: 3 });
        trail.trees[0].entries_end = 1;
        trail.tree(4, Some(1));
        trail.finish();
        trail.tag(2, 5);
        trail.torn_trees.push(4);
        trail.parents = vec![2, 0, 5];
        trail.commits = vec![
            CommitNote { commit: 0, tree: 1, seconds: -7, parents: (0, 0) },
            CommitNote { commit: 5, tree: 4, seconds: 1 << 40, parents: (1, 2) },
        ];
        trail
    }

    fn edges(trail: &Trail) -> Vec<(u32, u32)> {
        let mut edges = Vec::new();
        trail.for_each_edge(|from, to| edges.push((from, to))).expect("edges");
        edges
    }

    type Others<'o> = Option<&'o dyn Fn(u32) -> Option<u32>>;

    fn restore((bytes, edges): &(Vec<u8>, Vec<u8>), limit: u32, others: Others<'_>) -> Option<Trail> {
        let (count, edges) = (edges.len() / 8, edges.clone());
        let trail = Trail::restore(bytes, (count, Box::new(move || Some(edges.clone()))), limit, others)?;
        // Asked for, they may turn out to be none.
        trail.for_each_edge(|_, _| {}).map(|()| trail)
    }

    #[test]
    fn what_was_stored_is_restored_under_other_numbers() {
        let stored = trail().store(|number| number + 1).unwrap();
        let restored = restore(&stored, 7, Some(&|number| Some((number - 1) * 10))).unwrap();
        assert_eq!(edges(&restored), [(30, 10), (10, 40)]);
        let same = restore(&stored, 7, None).unwrap();
        assert_eq!(edges(&same), [(4, 2), (2, 5)]);
        assert_eq!((restored.find_tag(20), &restored.torn_trees[..]), (Some(50), &[40][..]));
        let commits: Vec<_> = restored.commits().collect();
        assert_eq!(commits, [(0, 10, &[][..]), (50, 40, &[0, 50][..])]);
        assert_eq!(restored.find(50), Some((40, &[0, 50][..], 1 << 40)));
    }

    #[test]
    fn what_is_no_trail_is_refused() {
        let (bytes, edges) = trail().store(|number| number).unwrap();
        let below = |limit: u32| move |number: u32| (number < limit).then_some(number);
        let both = |bytes: &[u8], edges: &[u8], limit: u32| {
            let (others, stored) = (below(limit), (bytes.to_vec(), edges.to_vec()));
            [restore(&stored, limit, None), restore(&stored, limit, Some(&others))]
                .iter()
                .any(Option::is_some)
        };
        assert!(both(&bytes, &edges, 6));
        for len in 0..bytes.len() {
            assert!(!both(&bytes[..len], &edges, 6), "{len} bytes of it");
        }
        assert!(!both(&[&bytes[..], b"\0"].concat(), &edges, 6), "a byte more");
        assert!(!both(&bytes, &edges, 5), "a number too high");
        assert!(!both(&bytes, &[6; 8], 6), "an edge from nowhere");
        assert!(!both(&bytes, &[&edges[..], b"\0"].concat(), 6), "part of an edge");
        assert!(!both(&[0xFF; 40], &edges, 6), "more than there is memory for");
        for others in [None, Some(&below(6) as &dyn Fn(u32) -> Option<u32>)] {
            let unread = Trail::restore(&bytes, (2, Box::new(|| None)), 6, others);
            let stored = unread.and_then(|trail| trail.store(|number| number));
            assert!(stored.is_none(), "edges that cannot be read");
        }
    }

    #[test]
    fn what_is_missing_is_not_stored() {
        for tear in [
            Trail::lose,
            |trail: &mut Trail| trail.torn_commit(1),
            |trail: &mut Trail| trail.torn_tag(1),
            |trail: &mut Trail| {
                let tree = (ObjectKind::Tree, &b"name"[..], &[7; 20][..]);
                let pending = trail.pending(tree).unwrap();
                trail.entry(pending, None);
            },
        ] {
            let mut trail = trail();
            assert!(trail.store(|number| number).is_some());
            tear(&mut trail);
            assert!(trail.store(|number| number).is_none());
        }
    }
}
