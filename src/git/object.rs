//! Objects of the database, read whole.

use git2::{ErrorCode, ObjectType};

use super::Repository;
use super::raw::split_header;
use crate::location::ObjectId;

/// Why an object could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ObjectError {
    /// The database does not have it.
    #[error(
        "object {id} is missing from the repository; `git fsck` lists what else is, `git fetch` may bring it"
    )]
    Missing {
        /// The object.
        id: ObjectId,
    },
    /// It is there and does not decode, or does not have its own name.
    #[error("object {id} cannot be read: {message}; `git fsck` says more")]
    Damaged {
        /// The object.
        id: ObjectId,
        /// What is wrong with it.
        message: String,
    },
}

impl Repository {
    /// Hands the bytes of a blob to `read`.
    ///
    /// # Errors
    ///
    /// When the object is missing, damaged or no blob.
    pub fn with_blob<R>(&self, id: ObjectId, read: impl FnOnce(&[u8]) -> R) -> Result<R, ObjectError> {
        self.with_object(id, ObjectType::Blob, read)
    }

    /// Hands the bytes of the message of a commit or an annotated tag to `read`.
    ///
    /// # Errors
    ///
    /// When the object is missing, damaged or neither.
    pub fn with_message<R>(&self, id: ObjectId, read: impl FnOnce(&[u8]) -> R) -> Result<R, ObjectError> {
        let failed = |error: git2::Error| object_error(id, &error);
        let database = self.inner.odb().map_err(failed)?;
        let object = database.read(self.oid(&id).map_err(failed)?).map_err(failed)?;
        match object.kind() {
            ObjectType::Commit | ObjectType::Tag => Ok(read(split_header(object.data()).1)),
            kind => Err(ObjectError::Damaged { id, message: format!("it is a {kind} and has no message") }),
        }
    }

    /// The bytes of a file as a commit has it; `None` where there is no such commit, file or object.
    pub fn file_at(&self, commit: &str, path: &bstr::BStr) -> Option<Vec<u8>> {
        use bstr::ByteSlice;
        let tree = self.inner.revparse_single(commit).ok()?.peel_to_tree().ok()?;
        let entry = tree.get_path(path.to_path().ok()?).ok()?;
        let blob = entry.to_object(&self.inner).ok()?.into_blob().ok()?;
        Some(blob.content().to_vec())
    }

    /// Size of a blob in bytes, without reading more of it than its header.
    ///
    /// # Errors
    ///
    /// When the object is missing or damaged.
    pub fn blob_bytes(&self, id: ObjectId) -> Result<u64, ObjectError> {
        let header = self.inner.odb().and_then(|odb| odb.read_header(self.oid(&id)?));
        header.map(|(size, _)| size as u64).map_err(|error| object_error(id, &error))
    }

    pub(super) fn with_tree<R>(&self, id: ObjectId, read: impl FnOnce(&[u8]) -> R) -> Result<R, ObjectError> {
        self.with_object(id, ObjectType::Tree, read)
    }

    fn with_object<R>(
        &self,
        id: ObjectId,
        kind: ObjectType,
        read: impl FnOnce(&[u8]) -> R,
    ) -> Result<R, ObjectError> {
        let failed = |error: git2::Error| object_error(id, &error);
        let database = self.inner.odb().map_err(failed)?;
        let object = database.read(self.oid(&id).map_err(failed)?).map_err(failed)?;
        if object.kind() != kind {
            return Err(ObjectError::Damaged {
                id,
                message: format!("it is a {} and should be a {kind}", object.kind()),
            });
        }
        Ok(read(object.data()))
    }
}

fn object_error(id: ObjectId, error: &git2::Error) -> ObjectError {
    if error.code() == ErrorCode::NotFound {
        ObjectError::Missing { id }
    } else {
        ObjectError::Damaged { id, message: error.message().to_owned() }
    }
}
