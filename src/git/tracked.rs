//! The files that git tracks: the entries of the index.

use std::path::PathBuf;

use bstr::BString;

use super::Repository;
use crate::location::ObjectId;

/// What an index entry stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrackedKind {
    /// A regular file.
    File,
    /// A symbolic link; its blob is the target.
    Symlink,
    /// The commit of a submodule.
    Submodule,
}

/// An entry of the index. A path in conflict has up to three.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrackedFile {
    /// Path relative to the working tree.
    pub path: BString,
    /// What it stands for.
    pub kind: TrackedKind,
    /// Name of its blob or commit.
    pub id: ObjectId,
}

/// Why the tracked files could not be listed or read.
#[derive(Debug, thiserror::Error)]
pub enum TrackedError {
    /// The index is damaged, or of a kind that is not understood.
    #[error("cannot read the index of {}: {message}", path.display())]
    Index {
        /// The git directory.
        path: PathBuf,
        /// What git2 says.
        message: String,
    },
    /// An object is missing or damaged.
    #[error("cannot read object {id} of the index: {message}")]
    Object {
        /// Its name.
        id: ObjectId,
        /// What git2 says.
        message: String,
    },
}

impl Repository {
    /// Lists the index, sorted by path.
    ///
    /// # Errors
    ///
    /// When the index cannot be read.
    pub fn tracked_files(&self) -> Result<Vec<TrackedFile>, TrackedError> {
        let failed = |message: &str| TrackedError::Index {
            path: self.git_dir().to_path_buf(),
            message: message.to_owned(),
        };
        let index = self.inner.index().map_err(|error| failed(error.message()))?;
        index
            .iter()
            .map(|entry| {
                let kind = match entry.mode & 0o170_000 {
                    0o120_000 => TrackedKind::Symlink,
                    0o160_000 => TrackedKind::Submodule,
                    _ => TrackedKind::File,
                };
                let id = ObjectId::from_raw(entry.id.as_bytes());
                let id = id.ok_or_else(|| failed("an entry has no object name"))?;
                Ok(TrackedFile { path: entry.path.into(), kind, id })
            })
            .collect()
    }

    /// Whether a blob holds the text `needle`. Blobs of more than `limit_bytes` are not read: `None`.
    ///
    /// # Errors
    ///
    /// When the object is missing or damaged.
    pub fn blob_holds(
        &self,
        id: &ObjectId,
        needle: &[u8],
        limit_bytes: usize,
    ) -> Result<Option<bool>, TrackedError> {
        let failed =
            |error: git2::Error| TrackedError::Object { id: *id, message: error.message().to_owned() };
        let oid = git2::Oid::from_bytes(id.as_raw()).map_err(failed)?;
        let objects = self.inner.odb().map_err(failed)?;
        let (size_bytes, _) = objects.read_header(oid).map_err(failed)?;
        if size_bytes > limit_bytes {
            return Ok(None);
        }
        let object = objects.read(oid).map_err(failed)?;
        Ok(Some(memchr::memmem::find(object.data(), needle).is_some()))
    }
}
