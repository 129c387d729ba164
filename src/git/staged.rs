//! What the index holds and `HEAD` does not.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::ops::Range;
use std::path::PathBuf;

use bstr::{BStr, BString, ByteSlice, ByteVec};

use super::Repository;
use super::index::{CachedTree, EntryKind, Index, IndexError};
use super::object::ObjectError;
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
        if self.inner.is_bare() && !index_path.exists() {
            return Err(StagedError::Bare { git_dir: self.git_dir().to_path_buf() });
        }
        let index = Index::read(&index_path, self.git_dir(), SHA1_BYTES)?;
        let head = self.head_tree()?;
        let mut comparison = Comparison {
            repository: self,
            index: &index,
            found: StagedChanges::default(),
            deleted: Vec::new(),
        };
        comparison.run(head);
        let Comparison { mut found, deleted, .. } = comparison;
        self.find_moved(&mut found, deleted);
        found.changes.sort();
        found.unmerged.sort();
        found.unmerged.dedup();
        found.submodules.sort();
        found.unreadable.sort_by(|left, right| left.0.cmp(&right.0));
        Ok(found)
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

/// git2 opens no SHA-256 repository.
pub(super) const SHA1_BYTES: usize = 20;
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

/// The new side of a directory.
enum Side<'i> {
    /// These entries of the index, and what git remembers of the directory.
    Entries(Range<usize>, Option<&'i CachedTree>),
    /// A directory that a sparse index keeps as a tree.
    Tree(ObjectId),
}

enum Child<'i> {
    File {
        id: ObjectId,
        kind: EntryKind,
    },
    /// One of the sides of a conflict.
    Unmerged,
    Directory(Side<'i>),
}

struct Comparison<'i> {
    repository: &'i Repository,
    index: &'i Index,
    found: StagedChanges,
    deleted: Vec<Listed>,
}

impl<'i> Comparison<'i> {
    fn run(&mut self, head: Option<ObjectId>) {
        let everything = Side::Entries(0..self.index.len(), self.index.cached_tree.as_ref());
        // A stack of our own: the depth of a tree is what its author made it.
        let mut open = vec![(BString::default(), everything, head)];
        while let Some((path, new, old)) = open.pop() {
            self.compare(path.as_bstr(), new, old, &mut open);
        }
    }

    fn compare(
        &mut self,
        path: &BStr,
        new: Side<'i>,
        old: Option<ObjectId>,
        open: &mut Vec<(BString, Side<'i>, Option<ObjectId>)>,
    ) {
        let new_tree = match &new {
            Side::Entries(_, cached) => cached.and_then(|cached| cached.id),
            Side::Tree(id) => Some(*id),
        };
        // The commit would take the cached tree as it stands, so equal names mean equal content.
        if new_tree.is_some() && new_tree == old {
            return;
        }
        let old_entries = old.map_or_else(Vec::new, |id| self.tree_or_report(path, id));
        let old_places: HashMap<(&[u8], bool), usize> = old_entries
            .iter()
            .enumerate()
            .map(|(place, entry)| ((entry.name.as_slice(), entry.kind == EntryKind::Directory), place))
            .collect();
        let mut kept = vec![false; old_entries.len()];
        for (name, child) in self.children(path, new) {
            let child_path = join(path, &name);
            let is_directory = matches!(child, Child::Directory(_));
            let old = old_places.get(&(name.as_slice(), is_directory)).map(|&place| {
                kept[place] = true;
                &old_entries[place]
            });
            match child {
                Child::Directory(side) => open.push((child_path, side, old.map(|old| old.id))),
                Child::File { id, kind } => self.file(child_path, id, kind, old),
                Child::Unmerged => self.found.unmerged.push(child_path),
            }
        }
        let gone = old_entries.into_iter().zip(kept).filter(|(_, kept)| !kept);
        self.deleted.extend(gone.map(|(entry, _)| Listed {
            path: join(path, &entry.name),
            id: entry.id,
            kind: entry.kind,
        }));
    }

    fn file(&mut self, path: BString, id: ObjectId, kind: EntryKind, old: Option<&TreeEntry>) {
        if old.is_some_and(|old| old.id == id) {
            return;
        }
        if kind == EntryKind::Submodule {
            self.found.submodules.push(path);
            return;
        }
        // A file that was a link, or the other way round, has no line in common with it by right.
        let old = old.filter(|old| old.kind == kind).map(|old| old.id);
        self.found.changes.push(StagedChange { path, id, old });
    }

    /// The files and directories directly below `path` on the new side.
    fn children(&mut self, path: &BStr, side: Side<'i>) -> Vec<(Vec<u8>, Child<'i>)> {
        let (range, cached) = match side {
            Side::Entries(range, cached) => (range, cached),
            Side::Tree(id) => {
                let entries = self.tree_or_report(path, id);
                return entries
                    .into_iter()
                    .map(|entry| {
                        let child = match entry.kind {
                            EntryKind::Directory => Child::Directory(Side::Tree(entry.id)),
                            kind => Child::File { id: entry.id, kind },
                        };
                        (entry.name, child)
                    })
                    .collect();
            }
        };
        let index = self.index;
        let prefix_bytes = if path.is_empty() { 0 } else { path.len() + 1 };
        let mut children = Vec::new();
        let mut position = range.start;
        while position < range.end {
            let entry = index.entry(position);
            let rest = &entry.path[prefix_bytes..];
            let name_bytes = memchr::memchr(b'/', rest);
            match name_bytes {
                Some(end) if entry.kind == EntryKind::Directory && end + 1 == rest.len() => {
                    children.push((rest[..end].to_vec(), Child::Directory(Side::Tree(entry.id))));
                    position += 1;
                }
                Some(end) => {
                    let end_of_directory =
                        index.end_of_directory(position, range.end, &entry.path[..=prefix_bytes + end]);
                    let name = rest[..end].to_vec();
                    let cached = cached.and_then(|cached| cached.child(&name));
                    let side = Side::Entries(position..end_of_directory, cached);
                    children.push((name, Child::Directory(side)));
                    position = end_of_directory;
                }
                None => {
                    if entry.stage != 0 {
                        children.push((rest.to_vec(), Child::Unmerged));
                    } else if !entry.intent_to_add {
                        let child = Child::File { id: entry.id, kind: entry.kind };
                        children.push((rest.to_vec(), child));
                    }
                    position += 1;
                }
            }
        }
        children
    }

    fn tree_or_report(&mut self, path: &BStr, id: ObjectId) -> Vec<TreeEntry> {
        self.repository.tree_entries(id).unwrap_or_else(|error| {
            let name = if path.is_empty() { BString::from("HEAD") } else { path.to_owned() };
            self.found.unreadable.push((name, error));
            Vec::new()
        })
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

/// Entries of a tree object: mode in octal, space, name, zero byte, raw object name.
fn parse_tree(mut bytes: &[u8], id_bytes: usize) -> Option<Vec<TreeEntry>> {
    let mut entries = Vec::new();
    while !bytes.is_empty() {
        let (mode, rest) = bytes.split_once_str(b" ")?;
        let (name, rest) = rest.split_once_str(b"\0")?;
        let mode = u32::from_str_radix(mode.to_str().ok()?, 8).ok()?;
        let id = ObjectId::from_raw(rest.get(..id_bytes)?)?;
        // Modes of very old trees carry odd permission bits, never odd types.
        entries.push(TreeEntry { name: name.to_vec(), id, kind: EntryKind::from_mode(mode)? });
        bytes = &rest[id_bytes..];
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
