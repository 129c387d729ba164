//! Objects by name, as libgit2 reads them.

use std::collections::HashSet;

use super::{Repository, pack};
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
    repository: &'r Repository,
    refused: Option<&'r HashSet<ObjectId>>,
}

impl<'r> ObjectReader<'r> {
    /// Opens the object database of a repository.
    ///
    /// # Errors
    ///
    /// When libgit2 cannot open it.
    pub fn new(repository: &'r Repository) -> Result<Self, ReadError> {
        let odb = repository.inner.odb().map_err(|error| ReadError::new(&error))?;
        Ok(Self { odb, repository, refused: None })
    }

    /// Refuses to read some objects; see [`Store::hopeless`](super::Store::hopeless).
    pub fn refusing(self, refused: &'r HashSet<ObjectId>) -> Self {
        Self { refused: Some(refused), ..self }
    }

    fn check(&self, id: &ObjectId) -> Result<(), ReadError> {
        match self.refused {
            Some(refused) if refused.contains(id) => {
                Err(ReadError::Corrupt("its entry in the pack is broken".to_owned()))
            }
            _ => Ok(()),
        }
    }

    fn oid(&self, id: &ObjectId) -> Result<git2::Oid, ReadError> {
        self.repository.oid(id).map_err(|error| ReadError::new(&error))
    }

    /// Kind and length in bytes, without reading the rest where that can be avoided.
    ///
    /// # Errors
    ///
    /// See [`ReadError`].
    pub fn header(&self, id: &ObjectId) -> Result<(ObjectKind, u64), ReadError> {
        self.check(id)?;
        let (len, kind) = self.odb.read_header(self.oid(id)?).map_err(|error| ReadError::new(&error))?;
        Ok((known_kind(kind)?, len as u64))
    }

    /// Kind and content.
    ///
    /// # Errors
    ///
    /// See [`ReadError`].
    pub fn read(&self, id: &ObjectId) -> Result<Object<'_>, ReadError> {
        let (kind, len) = self.header(id)?;
        self.read_of(id, kind, len)
    }

    /// As [`ObjectReader::read`], for those who have asked for the header already.
    ///
    /// # Errors
    ///
    /// See [`ReadError`].
    pub fn read_of(&self, id: &ObjectId, kind: ObjectKind, len: u64) -> Result<Object<'_>, ReadError> {
        // libgit2 makes room for what a few bytes of a delta say that it makes. Who reads a blob has asked for its
        // length.
        if kind != ObjectKind::Blob && len > pack::MAX_BYTES {
            return Err(ReadError::Corrupt(format!(
                "it says that it has {len} bytes, more than a {} has",
                kind.name()
            )));
        }
        let inner = self.odb.read(self.oid(id)?).map_err(|error| ReadError::new(&error))?;
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

/// Turns a name from libgit2 into ours.
pub(super) fn object_id(oid: git2::Oid) -> ObjectId {
    ObjectId::from_raw(oid.as_bytes()).expect("libgit2 has names of 20 or 32 bytes")
}
