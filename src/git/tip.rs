//! The files of the commit that is checked out.

use bstr::{BString, ByteSlice};

use super::Repository;
use super::index::EntryKind;
use super::object::ObjectError;
use super::staged::{StagedError, join};
use crate::location::ObjectId;

/// Why the files could not be listed.
#[derive(Debug, thiserror::Error)]
pub enum TipError {
    /// `HEAD` cannot be read.
    #[error(transparent)]
    Head(#[from] StagedError),
    /// A tree cannot be read.
    #[error(transparent)]
    Tree(#[from] ObjectError),
}

impl Repository {
    /// Lists the blobs of the tree of `HEAD`, files and symbolic links, sorted by path; none before the first commit.
    ///
    /// # Errors
    ///
    /// When `HEAD` or one of its trees cannot be read.
    pub fn tip_blobs(&self) -> Result<Vec<(BString, ObjectId)>, TipError> {
        let Some(root) = self.head_tree()? else { return Ok(Vec::new()) };
        let mut files = Vec::new();
        let mut open = vec![(BString::default(), root)];
        while let Some((directory, id)) = open.pop() {
            for entry in self.tree_entries(id)? {
                let path = match directory.is_empty() {
                    true => entry.name.clone().into(),
                    false => join(directory.as_bstr(), &entry.name),
                };
                match entry.kind {
                    EntryKind::Directory => open.push((path, entry.id)),
                    EntryKind::Submodule => {}
                    _ => files.push((path, entry.id)),
                }
            }
        }
        files.sort();
        Ok(files)
    }
}
