//! Reads commits and tags that lie whole in a pack, as nearly all do, without what libgit2 does beside.
//!
//! To tell which of 52,000 refs reach a commit, as many commits have to be read: on rails/rails that took libgit2
//! a second. Like libgit2 it takes the order of a pack index on trust, and compares each object with its name.
//! Everything else is left to libgit2.

use std::cell::RefCell;

use super::database::{ObjectKind, ObjectReader, ReadError};
use super::pack::{Inflater, Pack, hash_kind};
use super::{Repository, database};
use crate::location::ObjectId;

/// Reads single objects for one thread.
pub(super) struct QuickReader<'r> {
    reader: &'r ObjectReader<'r>,
    packs: Vec<Pack>,
    inflater: RefCell<Inflater>,
}

impl<'r> QuickReader<'r> {
    /// Without packs everything is read by libgit2.
    pub(super) fn new(reader: &'r ObjectReader<'r>) -> Self {
        Self { reader, packs: Vec::new(), inflater: RefCell::default() }
    }

    /// Maps the packs. What cannot be mapped is left to libgit2.
    pub(super) fn with_packs(self, repository: &Repository) -> Self {
        Self { packs: database::unread_packs(repository), ..self }
    }

    /// What an object is, by its header alone: who wants to know more reads it, and compares it with its name then.
    pub(super) fn kind(&self, id: &ObjectId) -> Result<ObjectKind, ReadError> {
        match self.packs.iter().find_map(|pack| pack.message_kind(id)) {
            Some(kind) => Ok(kind),
            None => self.reader.header(id).map(|(kind, _)| kind),
        }
    }

    pub(super) fn read(&self, id: &ObjectId) -> Result<(ObjectKind, Vec<u8>), ReadError> {
        match self.packed(id) {
            Some(object) => Ok(object),
            None => self.reader.read(id).map(|object| (object.kind(), object.bytes().to_vec())),
        }
    }

    fn packed(&self, id: &ObjectId) -> Option<(ObjectKind, Vec<u8>)> {
        let mut inflater = self.inflater.borrow_mut();
        let object = self.packs.iter().find_map(|pack| pack.message_object(id, &mut inflater))?;
        has_name(id, object.0, &object.1).then_some(object)
    }
}

fn has_name(id: &ObjectId, kind: ObjectKind, bytes: &[u8]) -> bool {
    let mut hasher = gix_hash::hasher(hash_kind(id.as_raw().len()));
    hasher.update(format!("{} {}\0", kind.name(), bytes.len()).as_bytes());
    hasher.update(bytes);
    hasher.try_finalize().is_ok_and(|found| found.as_bytes() == id.as_raw())
}
