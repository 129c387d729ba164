//! Reads commits and tags that lie whole in a pack, as nearly all do, without what libgit2 does beside, and takes
//! from the commit-graph file (gitformat-commit-graph(5)) what it has of commits, where there is one.
//!
//! To tell which of 52,000 refs reach a commit, as many commits have to be read: on rails/rails that took libgit2
//! a second. Like libgit2 it takes the order of a pack index on trust, and compares each object with its name.
//! Everything else is left to libgit2.

use std::cell::RefCell;

use super::database::{ObjectKind, ObjectReader, ReadError};
use super::pack::{Inflater, Pack, hash_kind};
use super::{Repository, store};
use crate::location::ObjectId;

/// Memory that the parents of one commit may take: no real one has more than some dozens.
const MAX_NOTED_PARENTS_BYTES: usize = 64 << 20;

/// Reads single objects for one thread.
pub(super) struct QuickReader<'r> {
    reader: &'r ObjectReader<'r>,
    packs: Vec<Pack>,
    /// Packs that somebody else has mapped.
    lent: &'r [Pack],
    noted: Option<gix_commitgraph::Graph>,
    inflater: RefCell<Inflater>,
}

/// What the commit-graph file has of a commit.
pub(super) struct Noted {
    pub(super) tree: ObjectId,
    pub(super) parents: Vec<ObjectId>,
    pub(super) seconds: i64,
}

impl<'r> QuickReader<'r> {
    /// Without packs everything is read by libgit2.
    pub(super) fn new(reader: &'r ObjectReader<'r>) -> Self {
        Self { reader, packs: Vec::new(), lent: &[], noted: None, inflater: RefCell::default() }
    }

    /// Reads from some packs as well.
    pub(super) fn lending(self, packs: &'r [Pack]) -> Self {
        Self { lent: packs, ..self }
    }

    fn packs(&self) -> impl Iterator<Item = &Pack> {
        self.packs.iter().chain(self.lent)
    }

    /// Maps the packs and the commit-graph file. What cannot be mapped is left to libgit2.
    pub(super) fn with_packs(self, repository: &Repository) -> Self {
        let hash = hash_kind(repository.id_len());
        // Told elsewhere; and what is wrong with the file makes no difference, since the commits are there.
        let dirs = repository.object_dirs(&mut Vec::new());
        let noted = dirs.first().and_then(|dir| {
            gix_commitgraph::Graph::at(&dir.join("info"), hash, Some(MAX_NOTED_PARENTS_BYTES)).ok()
        });
        Self { packs: store::unread_packs(repository), noted, ..self }
    }

    /// What is noted of a commit. As git does, it takes the file on trust.
    pub(super) fn noted(&self, id: &ObjectId) -> Option<Noted> {
        let graph = self.noted.as_ref()?;
        let commit = graph.commit_by_id(gix_hash::oid::try_from_bytes(id.as_raw()).ok()?)?;
        let parents =
            commit.iter_parents().map(|place| ObjectId::from_raw(graph.id_at(place.ok()?).as_bytes()));
        Some(Noted {
            parents: parents.collect::<Option<_>>()?,
            tree: ObjectId::from_raw(commit.root_tree_id().as_bytes())?,
            seconds: i64::try_from(commit.committer_timestamp()).ok()?,
        })
    }

    /// What an object is, by its header alone: who wants to know more reads it, and compares it with its name then.
    pub(super) fn kind(&self, id: &ObjectId) -> Result<ObjectKind, ReadError> {
        match self.packs().find_map(|pack| pack.message_kind(id)) {
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
        let object = self.packs().find_map(|pack| pack.message_object(id, &mut inflater))?;
        has_name(id, object.0, &object.1).then_some(object)
    }
}

fn has_name(id: &ObjectId, kind: ObjectKind, bytes: &[u8]) -> bool {
    let mut hasher = gix_hash::hasher(hash_kind(id.as_raw().len()));
    hasher.update(format!("{} {}\0", kind.name(), bytes.len()).as_bytes());
    hasher.update(bytes);
    hasher.try_finalize().is_ok_and(|found| found.as_bytes() == id.as_raw())
}
