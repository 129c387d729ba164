//! What the index holds and `HEAD` does not.

use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::path::{Path, PathBuf};

use bstr::{BStr, BString, ByteSlice, ByteVec};

use super::Repository;
use super::cursor::{Cursor, Stream, Whole};
use super::index::{CachedTrees, EntryKind, Index, IndexError};
use super::object::ObjectError;
use super::tree_reader::{Key, Tree, TreeReader, first_entry};
use crate::location::ObjectId;

/// The difference between the index and `HEAD`; every list is sorted by path.
#[derive(Debug, Default)]
pub struct StagedChanges {
    /// Files and symbolic links that are new or have new content or a new path.
    pub changes: Vec<StagedChange>,
    /// Paths with an unresolved conflict.
    pub unmerged: Vec<BString>,
    /// Links to commits of other repositories that are new or changed.
    pub submodules: Vec<BString>,
    /// Trees that could not be read, by path; everything below counts as new where that is possible.
    pub unreadable: Vec<(BString, ObjectError)>,
}

/// One file or symbolic link that a commit of the index would add or change.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StagedChange {
    /// Path from the root of the working tree.
    pub path: BString,
    /// The blob in the index.
    pub id: ObjectId,
    /// The blob in `HEAD` that the new one is compared with: at the same path, or at the path from which
    /// it was moved; `None` when there is none and everything is new. The same as `id` when a file was
    /// moved without a change.
    pub old: Option<ObjectId>,
}

/// Why the index could not be compared with `HEAD` at all.
#[derive(Debug, thiserror::Error)]
pub enum StagedError {
    /// There is nothing that a commit could be made from.
    #[error("the repository {} is bare: nothing can be staged in it", git_dir.display())]
    Bare {
        /// The git directory.
        git_dir: PathBuf,
    },
    /// The index cannot be read.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// `HEAD` does not lead to a commit and its tree.
    #[error("cannot read HEAD: {message}; `git fsck` says more")]
    Head {
        /// What git2 says.
        message: String,
    },
}

impl Repository {
    /// Compares the index with the tree of `HEAD`, or with nothing when the branch has no commit yet.
    ///
    /// The index is `GIT_INDEX_FILE` where that is set, as git sets it for hooks: `git commit <path>` makes
    /// its commit from a temporary index. `HEAD` is right for every way to commit. In a merge it is the
    /// first parent, so that everything the other side brings counts as new; for `--amend` the commit that
    /// is replaced was compared when it was made, and what is staged on top of it is the difference.
    ///
    /// Moved files are recognised as git does, in two steps: the same blob at a deleted path, then a deleted
    /// text file half of whose bytes stand in the new one. Copies are not: the whole copy is new.
    ///
    /// # Errors
    ///
    /// When `HEAD` or the index as a whole cannot be read.
    pub fn staged_changes(&self) -> Result<StagedChanges, StagedError> {
        let index_path = self.index_path();
        if self.inner.is_bare() && !index_path.try_exists().unwrap_or(true) {
            return Err(StagedError::Bare { git_dir: self.git_dir().to_path_buf() });
        }
        let (mut found, deleted) = self.compare(&index_path)?;
        self.find_moved(&mut found, deleted);
        found.changes.sort();
        found.unmerged.sort();
        found.unmerged.dedup();
        found.submodules.sort();
        found.unreadable.sort_by(|left, right| left.0.cmp(&right.0));
        Ok(found)
    }

    fn compare(&self, index_path: &Path) -> Result<(StagedChanges, Vec<Listed>), StagedError> {
        if let Some((entries, cached)) = Stream::open(index_path, self.id_len()) {
            let head = self.head_tree()?;
            if let Ok(compared) = Comparison::new(self, entries, cached.as_ref()).run(head) {
                return Ok(compared);
            }
        }
        self.compare_whole(index_path)
    }

    /// The same with an index of any layout, read as a whole.
    fn compare_whole(&self, index_path: &Path) -> Result<(StagedChanges, Vec<Listed>), StagedError> {
        let index = Index::read(index_path, self.git_dir(), self.id_len())?;
        let head = self.head_tree()?;
        let comparison = Comparison::new(self, Whole::new(&index), index.cached_trees.as_ref());
        let Ok(compared) = comparison.run(head);
        Ok(compared)
    }

    /// The index that git reads in this environment. A relative `GIT_INDEX_FILE` counts from the top of the
    /// working tree, where git goes before it resolves it.
    pub(super) fn index_path(&self) -> PathBuf {
        match std::env::var_os("GIT_INDEX_FILE").filter(|path| !path.is_empty()) {
            Some(path) => self.work_dir().map_or_else(|| PathBuf::from(&path), |top| top.join(&path)),
            None => self.git_dir().join("index"),
        }
    }

    pub(super) fn head_tree(&self) -> Result<Option<ObjectId>, StagedError> {
        let failed = |error: git2::Error| StagedError::Head { message: error.message().to_owned() };
        let head = match self.inner.head() {
            Ok(head) => head,
            Err(error) if error.code() == git2::ErrorCode::UnbornBranch => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        let commit = head.peel_to_commit().map_err(failed)?;
        Ok(ObjectId::from_raw(commit.tree_id().as_bytes()))
    }

    /// Gives moved files the content that they had before.
    fn find_moved(&self, found: &mut StagedChanges, mut deleted: Vec<Listed>) {
        if deleted.is_empty() || found.changes.iter().all(|change| change.old.is_some()) {
            return;
        }
        deleted = self.files_below(deleted);
        deleted.sort_by(|left, right| left.path.cmp(&right.path));
        let gone: HashSet<ObjectId> = deleted.iter().map(|file| file.id).collect();
        let mut moved = HashSet::new();
        for change in found.changes.iter_mut().filter(|change| change.old.is_none()) {
            if gone.contains(&change.id) {
                change.old = Some(change.id);
                moved.insert(change.id);
            }
        }
        deleted.retain(|file| !moved.contains(&file.id));

        let new: Vec<&mut StagedChange> =
            found.changes.iter_mut().filter(|change| change.old.is_none()).collect();
        if new.len().saturating_mul(deleted.len()) > MAX_MOVE_PAIRS {
            return;
        }
        let hasher = RandomState::new();
        let old: Vec<(ObjectId, Lines)> =
            deleted.iter().filter_map(|file| Some((file.id, self.lines(file.id, &hasher)?))).collect();
        if old.is_empty() {
            return;
        }
        for change in new {
            let Some(lines) = self.lines(change.id, &hasher) else { continue };
            // `max_by_key` takes the last of equals, and the deleted files are in the order of their paths.
            let best =
                old.iter().map(|(id, old)| (lines.shared_bytes(old), *id, old)).max_by_key(|best| best.0);
            if let Some((shared, id, old)) = best
                && shared * 2 >= lines.total.max(old.total)
            {
                change.old = Some(id);
            }
        }
    }

    /// Replaces directories by the files below them, up to a bound beyond which nobody looks for moves.
    fn files_below(&self, listed: Vec<Listed>) -> Vec<Listed> {
        let mut files = Vec::new();
        let mut open = listed;
        while let Some(item) = open.pop() {
            match item.kind {
                EntryKind::File | EntryKind::Symlink => files.push(item),
                EntryKind::Submodule => {}
                EntryKind::Directory => {
                    // A deleted tree that cannot be read only costs the recognition of moves out of it.
                    let children = self.tree_entries(item.id).unwrap_or_default();
                    open.extend(children.into_iter().map(|child| Listed {
                        path: join(item.path.as_bstr(), &child.name),
                        id: child.id,
                        kind: child.kind,
                    }));
                }
            }
            if files.len() + open.len() > MAX_DELETED {
                return Vec::new();
            }
        }
        files
    }

    fn lines(&self, id: ObjectId, hasher: &RandomState) -> Option<Lines> {
        if self.blob_bytes(id).ok()? > MAX_MOVED_BYTES {
            return None;
        }
        // A blob that cannot be read is reported when its content is wanted.
        self.with_blob(id, |bytes| Lines::new(bytes, hasher)).ok()
    }

    pub(super) fn tree_entries(&self, id: ObjectId) -> Result<Vec<TreeEntry>, ObjectError> {
        self.with_tree(id, |bytes| parse_tree(bytes, id.as_raw().len()))?
            .ok_or_else(|| ObjectError::Damaged { id, message: "the tree does not parse".to_owned() })
    }
}

/// git compares up to 1,000 × 1,000 files (`diff.renameLimit`); a hook has less time.
const MAX_MOVE_PAIRS: usize = 2_500;
const MAX_MOVED_BYTES: u64 = 1 << 20;
const MAX_DELETED: usize = 100_000;

/// A deleted path, possibly a whole directory.
struct Listed {
    path: BString,
    id: ObjectId,
    kind: EntryKind,
}

pub(super) struct TreeEntry {
    pub(super) name: Vec<u8>,
    pub(super) id: ObjectId,
    pub(super) kind: EntryKind,
}

/// A directory that is being compared.
#[derive(Default)]
struct Frame {
    /// Length of its path with the `/` at its end; 0 for the top.
    prefix_bytes: usize,
    /// What `HEAD` has in it.
    old: Tree,
    /// The first entry of that which was not passed yet.
    next: usize,
    /// The entry of the last child that had one: the sides of a conflict are children of one name.
    met: Option<usize>,
    /// The directories in it that git remembers, in the order of the index, and how many of them were passed.
    cached: Vec<u32>,
    passed: usize,
}

impl Frame {
    /// The entry of that key; those before it are gone.
    fn meet(&mut self, key: Key<'_>, path: &[u8], deleted: &mut Vec<Listed>) -> Option<usize> {
        if let Some(met) = self.met.filter(|&met| self.old.key(met) == key) {
            return Some(met);
        }
        while self.next < self.old.len() {
            let place = self.next;
            match self.old.key(place).cmp(&key) {
                Ordering::Greater => return None,
                // Of two entries of a name the last counts.
                Ordering::Equal if place + 1 == self.old.len() || self.old.key(place + 1) != key => {
                    self.next += 1;
                    self.met = Some(place);
                    return Some(place);
                }
                Ordering::Less | Ordering::Equal => self.pass(path, deleted),
            }
        }
        None
    }

    /// Notes that the index has no more of the next entry.
    fn pass(&mut self, path: &[u8], deleted: &mut Vec<Listed>) {
        deleted.push(Listed {
            path: [&path[..self.prefix_bytes], self.old.name(self.next)].concat().into(),
            id: self.old.id(self.next),
            kind: self.old.kind(self.next),
        });
        self.next += 1;
    }

    fn cached(&mut self, trees: Option<&CachedTrees>, name: &[u8]) -> Option<u32> {
        let trees = trees?;
        let key = |name| Key { name, is_directory: true };
        while let Some(&node) = self.cached.get(self.passed) {
            match key(trees.name(node)).cmp(&key(name)) {
                Ordering::Less => self.passed += 1,
                Ordering::Equal => return Some(node),
                Ordering::Greater => return None,
            }
        }
        None
    }
}

/// Goes through index and `HEAD` side by side: both have the same order.
struct Comparison<'i, C> {
    entries: C,
    cached: Option<&'i CachedTrees>,
    trees: TreeReader<'i>,
    found: StagedChanges,
    deleted: Vec<Listed>,
    /// Directories that the index keeps as trees, and what `HEAD` has there.
    collapsed: Vec<(BString, ObjectId, Option<ObjectId>)>,
    /// For other directories.
    spare: Vec<Frame>,
}

/// What an entry of the index is to a directory.
enum Step {
    /// Nothing: it lies elsewhere.
    Leave,
    /// It lies in a directory in it, whose path has this length with its `/`.
    Enter(usize),
    /// It is a child.
    Child,
}

impl<'i, C: Cursor> Comparison<'i, C> {
    fn new(repository: &'i Repository, entries: C, cached: Option<&'i CachedTrees>) -> Self {
        Self {
            entries,
            cached,
            trees: TreeReader::new(repository),
            found: StagedChanges::default(),
            deleted: Vec::new(),
            collapsed: Vec::new(),
            spare: Vec::new(),
        }
    }

    fn run(mut self, head: Option<ObjectId>) -> Result<(StagedChanges, Vec<Listed>), C::Stop> {
        // The path of the directory, and those of the directories above it before that.
        let mut path: Vec<u8> = Vec::new();
        // A stack of our own: the depth of a tree is what its author made it.
        let mut open = Vec::new();
        self.enter(&path, self.cached.map(|_| CachedTrees::TOP), head, &mut open)?;
        while let Some(mut frame) = open.pop() {
            path.truncate(frame.prefix_bytes);
            match self.step(&path) {
                Step::Leave => {
                    while frame.next < frame.old.len() {
                        frame.pass(&path, &mut self.deleted);
                    }
                    self.spare.push(frame);
                }
                Step::Child => {
                    self.child(&mut frame)?;
                    open.push(frame);
                }
                Step::Enter(child_bytes) => {
                    let Some(entry) = self.entries.entry() else { continue };
                    let name = &entry.path[frame.prefix_bytes..child_bytes - 1];
                    let key = Key { name, is_directory: true };
                    let old = frame.meet(key, &path, &mut self.deleted).map(|place| frame.old.id(place));
                    let cached = frame.cached(self.cached, name);
                    path.extend_from_slice(&entry.path[frame.prefix_bytes..child_bytes]);
                    open.push(frame);
                    self.enter(&path, cached, old, &mut open)?;
                }
            }
        }
        self.entries.finish()?;
        while let Some((path, new, old)) = self.collapsed.pop() {
            self.compare_trees(path.as_bstr(), new, old);
        }
        Ok((self.found, self.deleted))
    }

    /// Starts with a directory, or passes over it where it is as in `HEAD`.
    fn enter(
        &mut self,
        path: &[u8],
        cached: Option<u32>,
        old: Option<ObjectId>,
        open: &mut Vec<Frame>,
    ) -> Result<(), C::Stop> {
        let node = self.cached.zip(cached);
        let new_tree = node.and_then(|(trees, node)| trees.id(node));
        // The commit would take the cached tree as it stands, so equal names mean equal content.
        if new_tree.is_some() && new_tree == old {
            // The path of the current entry starts so, and that of any other that has as much in common with it.
            self.entries.advance()?;
            while self.entries.entry().is_some() && self.entries.shared() >= path.len() {
                self.entries.advance()?;
            }
            return Ok(());
        }
        let mut frame = self.spare.pop().unwrap_or_default();
        (frame.prefix_bytes, frame.next, frame.met, frame.passed) = (path.len(), 0, None, 0);
        frame.cached.clear();
        if let Some((trees, node)) = node {
            frame.cached.extend(trees.children(node));
            let key = |&node: &u32| Key { name: trees.name(node), is_directory: true };
            frame.cached.sort_by(|left, right| key(left).cmp(&key(right)));
        }
        frame.old.clear();
        if let Some(old) = old {
            self.read(path.strip_suffix(b"/").unwrap_or(path).as_bstr(), old, &mut frame.old);
        }
        open.push(frame);
        Ok(())
    }

    fn step(&self, path: &[u8]) -> Step {
        let Some(entry) = self.entries.entry() else { return Step::Leave };
        let Some(rest) = entry.path.strip_prefix(path) else { return Step::Leave };
        match memchr::memchr(b'/', rest) {
            Some(end) if entry.kind == EntryKind::Directory && end + 1 == rest.len() => Step::Child,
            Some(end) => Step::Enter(path.len() + end + 1),
            None => Step::Child,
        }
    }

    /// Compares the current entry and goes to the next.
    fn child(&mut self, frame: &mut Frame) -> Result<(), C::Stop> {
        if let Some(entry) = self.entries.entry() {
            let is_directory = entry.kind == EntryKind::Directory;
            let path = entry.path.strip_suffix(b"/").unwrap_or(entry.path).as_bstr();
            let key = Key { name: &path[frame.prefix_bytes..], is_directory };
            if is_directory {
                let old = frame.meet(key, path, &mut self.deleted).map(|place| frame.old.id(place));
                self.collapsed.push((path.to_owned(), entry.id, old));
            } else if entry.stage != 0 {
                frame.meet(key, path, &mut self.deleted);
                self.found.unmerged.push(path.to_owned());
            } else if !entry.intent_to_add {
                let old = frame.meet(key, path, &mut self.deleted);
                let old = old.map(|place| (frame.old.id(place), frame.old.kind(place)));
                self.found.file(path, entry.id, entry.kind, old);
            }
        }
        self.entries.advance()
    }

    /// Compares a directory that a sparse index keeps as a tree.
    fn compare_trees(&mut self, path: &BStr, new: ObjectId, old: Option<ObjectId>) {
        if old == Some(new) {
            return;
        }
        let (mut new_tree, mut frame) = (Tree::default(), Frame::default());
        if let Some(old) = old {
            self.read(path, old, &mut frame.old);
        }
        self.read(path, new, &mut new_tree);
        let prefix = join(path, b"");
        frame.prefix_bytes = prefix.len();
        for place in 0..new_tree.len() {
            let old = frame.meet(new_tree.key(place), &prefix, &mut self.deleted);
            let old = old.map(|place| (frame.old.id(place), frame.old.kind(place)));
            let (path, id) = (join(path, new_tree.name(place)), new_tree.id(place));
            match new_tree.kind(place) {
                EntryKind::Directory => self.collapsed.push((path, id, old.map(|(id, _)| id))),
                kind => self.found.file(path.as_bstr(), id, kind, old),
            }
        }
        while frame.next < frame.old.len() {
            frame.pass(&prefix, &mut self.deleted);
        }
    }

    fn read(&mut self, path: &BStr, id: ObjectId, tree: &mut Tree) {
        if let Err(error) = self.trees.read(id, tree) {
            tree.clear();
            let name = if path.is_empty() { BString::from("HEAD") } else { path.to_owned() };
            self.found.unreadable.push((name, error));
        }
    }
}

impl StagedChanges {
    fn file(&mut self, path: &BStr, id: ObjectId, kind: EntryKind, old: Option<(ObjectId, EntryKind)>) {
        if old.is_some_and(|(old, _)| old == id) {
            return;
        }
        if kind == EntryKind::Submodule {
            self.submodules.push(path.to_owned());
            return;
        }
        // A file that was a link, or the other way round, has no line in common with it by right.
        let old = old.filter(|&(_, old_kind)| old_kind == kind).map(|(id, _)| id);
        self.changes.push(StagedChange { path: path.to_owned(), id, old });
    }
}

/// The lines of a text by hash, to tell how much two files have in common.
struct Lines {
    bytes_by_hash: HashMap<u64, u64>,
    total: u64,
}

impl Lines {
    fn new(bytes: &[u8], hasher: &RandomState) -> Self {
        let mut bytes_by_hash = HashMap::new();
        for line in bytes.lines() {
            *bytes_by_hash.entry(hasher.hash_one(line)).or_default() += line.len() as u64;
        }
        Self { total: bytes_by_hash.values().sum(), bytes_by_hash }
    }

    fn shared_bytes(&self, other: &Lines) -> u64 {
        let shared =
            |(hash, &bytes): (&u64, &u64)| other.bytes_by_hash.get(hash).map_or(0, |&other| bytes.min(other));
        self.bytes_by_hash.iter().map(shared).sum()
    }
}

/// The entries of a tree object.
fn parse_tree(mut bytes: &[u8], id_bytes: usize) -> Option<Vec<TreeEntry>> {
    let mut entries = Vec::new();
    while !bytes.is_empty() {
        let (kind, name) = first_entry(bytes, id_bytes)?;
        let (id, rest) = bytes[name.end + 1..].split_at(id_bytes);
        entries.push(TreeEntry { name: bytes[name].to_vec(), id: ObjectId::from_raw(id)?, kind });
        bytes = rest;
    }
    Some(entries)
}

pub(super) fn join(directory: &BStr, name: &[u8]) -> BString {
    let mut path = Vec::with_capacity(directory.len() + 1 + name.len());
    if !directory.is_empty() {
        path.push_str(directory);
        path.push(b'/');
    }
    path.push_str(name);
    path.into()
}
