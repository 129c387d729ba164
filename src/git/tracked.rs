//! The files that git tracks: the entries of the index.

use bstr::{BString, ByteSlice};

use super::Repository;
use super::index::{EntryKind, Index, IndexError, LEADS_ELSEWHERE, leads_elsewhere};
use super::object::ObjectError;
use super::staged::join;
use crate::location::ObjectId;

/// A file, symbolic link or submodule in the index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrackedFile {
    /// Path relative to the working tree. A path in conflict stands up to three times.
    pub path: BString,
    /// What it is; never a directory.
    pub kind: EntryKind,
    /// Name of its blob or commit.
    pub id: ObjectId,
    /// Whether it has no content yet (`git add --intent-to-add`).
    pub intent_to_add: bool,
    /// Whether a sparse checkout keeps it out of the working tree.
    pub left_out: bool,
}

/// Why the tracked files could not be listed.
#[derive(Debug, thiserror::Error)]
pub enum TrackedError {
    /// The index cannot be read.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// A directory that a sparse index keeps as a tree cannot be read.
    #[error(transparent)]
    Tree(#[from] ObjectError),
}

impl Repository {
    /// Lists the files of the index, sorted by path; those of a sparse index too that it keeps as trees.
    ///
    /// # Errors
    ///
    /// When the index or one of those trees cannot be read.
    pub fn tracked_files(&self) -> Result<Vec<TrackedFile>, TrackedError> {
        let index = Index::read(&self.index_path(), self.git_dir(), self.id_len())?;
        let mut files = Vec::with_capacity(index.entries().len());
        for entry in index.entries() {
            if entry.kind == EntryKind::Directory {
                let path = entry.path.strip_suffix(b"/").unwrap_or(entry.path);
                self.expand(path.into(), entry.id, &mut files)?;
            } else {
                files.push(TrackedFile {
                    path: entry.path.to_owned(),
                    kind: entry.kind,
                    id: entry.id,
                    intent_to_add: entry.intent_to_add,
                    left_out: entry.left_out,
                });
            }
        }
        if files.iter().any(|file| leads_elsewhere(file.path.as_bstr())) {
            return Err(IndexError::Malformed { path: self.index_path(), what: LEADS_ELSEWHERE }.into());
        }
        files.sort_by(|left, right| left.path.cmp(&right.path));
        Ok(files)
    }

    /// Adds the files below a tree. Only what a sparse checkout left out is kept as a tree.
    fn expand(&self, path: BString, id: ObjectId, files: &mut Vec<TrackedFile>) -> Result<(), ObjectError> {
        let mut open = vec![(path, id)];
        while let Some((directory, id)) = open.pop() {
            for entry in self.tree_entries(id)? {
                let path = join(directory.as_bstr(), &entry.name);
                if entry.kind == EntryKind::Directory {
                    open.push((path, entry.id));
                } else {
                    files.push(TrackedFile {
                        path,
                        kind: entry.kind,
                        id: entry.id,
                        intent_to_add: false,
                        left_out: true,
                    });
                }
            }
        }
        Ok(())
    }
}
