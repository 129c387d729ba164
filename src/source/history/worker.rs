//! One thread's part of a pass: objects are read, handed out and followed.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bstr::BStr;

use super::History;
use super::cache::{Memory, State};
use super::run::{Done, LINKS};
use crate::coverage::SkipReason;
use crate::derived::Derivation;
use crate::git::{
    Change, Commit, Inventory, Malformed, ObjectKind, ObjectReader, Outline, OutlineBase, ReadError, Tag,
    Trail, links_of,
};
use crate::location::{COMMIT_MESSAGE_PATH, ObjectId, Origin, TAG_MESSAGE_PATH};
use crate::progress::Progress;
use crate::source::{ContentUnit, Fresh, MAX_BLOB_BYTES, Searched, Visitor, leave_out, text};

/// Blobs of this size are read one at a time, whatever the number of threads, to bound memory.
const LARGE_BLOB_BYTES: u64 = 64 << 20;

/// Whether an object is to be read, by its number in the inventory. All are if nothing is given.
pub(super) type Wanted<'w> = Option<&'w (dyn Fn(u32) -> bool + Sync)>;

/// The objects to read, in the order in which that is cheapest.
pub(super) enum Objects<'o> {
    /// All there are; what they refer to is checked on the way.
    All(&'o Inventory),
    /// Some, which are known to be referred to.
    These(Vec<ObjectId>),
}

impl Objects<'_> {
    pub(super) fn len(&self) -> usize {
        match self {
            Objects::All(inventory) => inventory.len(),
            Objects::These(ids) => ids.len(),
        }
    }

    pub(super) fn get(&self, place: usize) -> Option<ObjectId> {
        match self {
            Objects::All(inventory) => inventory.get(place),
            Objects::These(ids) => ids.get(place).copied(),
        }
    }
}

/// What the workers share.
pub(super) struct Shared<'s> {
    pub(super) history: &'s History,
    pub(super) shallow: &'s HashSet<ObjectId>,
    pub(super) progress: &'s Progress,
    pub(super) memory: Option<&'s Memory>,
    pub(super) objects: &'s Objects<'s>,
    pub(super) threads: usize,
    pub(super) large_blob: Mutex<()>,
}

impl Shared<'_> {
    pub(super) fn work(&self, visitor: Visitor<'_>, work: &dyn Fn(Worker<'_, '_>)) -> Done {
        let mut done = Done::default();
        let repository = match self.history.repository() {
            Ok(repository) => repository,
            Err(problem) => {
                done.coverage.problems.push(problem);
                done.trail.lose();
                return done;
            }
        };
        match ObjectReader::new(&repository) {
            Ok(reader) => {
                let reader = reader.refusing(self.history.hopeless.get_or_init(HashSet::new));
                if let Objects::All(inventory) = self.objects {
                    done.trail = Trail::with_room(inventory.len() / self.threads.max(1));
                }
                work(Worker {
                    shared: self,
                    reader: &reader,
                    visitor,
                    done: &mut done,
                    links: Vec::new(),
                    parents: Vec::new(),
                });
                if let Objects::All(inventory) = self.objects {
                    done.resolve_links(inventory);
                }
            }
            Err(error) => {
                done.coverage.problems.push(self.history.problem(error.to_string()));
                done.trail.lose();
            }
        }
        done
    }
}

/// Reads objects one by one on one thread.
pub(super) struct Worker<'w, 'v> {
    shared: &'w Shared<'w>,
    pub(super) reader: &'w ObjectReader<'w>,
    visitor: Visitor<'v>,
    pub(super) done: &'w mut Done,
    links: Vec<(ObjectId, ObjectKind)>,
    /// Buffer for the numbers of parents.
    parents: Vec<u32>,
}

/// Why an object was not read to its end.
#[derive(Debug, thiserror::Error)]
pub(super) enum ObjectError {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    Malformed(#[from] Malformed),
}

impl<'w> Worker<'w, '_> {
    pub(super) fn work(mut self, next: &AtomicUsize, chunk: usize) {
        loop {
            let start = next.fetch_add(chunk, Ordering::Relaxed);
            if start >= self.shared.objects.len() {
                return;
            }
            let ids = (start..start + chunk).map_while(|place| self.shared.objects.get(place));
            for id in ids {
                self.one(id);
                self.pass();
            }
        }
    }

    /// Reads an object; what is wrong with it is noted.
    pub(super) fn one(&mut self, id: ObjectId) {
        match self.object(id) {
            Ok(()) => {}
            Err(ObjectError::Malformed(error)) => self.done.damage.malformed(id, error),
            Err(ObjectError::Read(error)) => self.unread(id, error),
        }
    }

    /// An object is behind, whatever came of it.
    pub(super) fn pass(&self) {
        self.shared.progress.advance();
    }

    /// Notes that an object could not be read.
    pub(super) fn unread(&mut self, id: ObjectId, error: ReadError) {
        match (error, self.shared.objects) {
            (ReadError::Corrupt(message), _) => self.done.damage.unreadable(id, message),
            (ReadError::Missing, Objects::All(_)) => {
                self.done.damage.unreadable(id, "it is listed but is not found in its pack");
            }
            (ReadError::Missing, Objects::These(_)) => self.done.damage.missing(id, "a commit of the range"),
        }
    }

    pub(super) fn object(&mut self, id: ObjectId) -> Result<(), ObjectError> {
        let (kind, len) = self.reader.header(&id)?;
        match kind {
            ObjectKind::Blob => return Ok(self.blob(id, len)?),
            ObjectKind::Tree if matches!(self.shared.objects, Objects::These(_)) => return Ok(()),
            ObjectKind::Commit | ObjectKind::Tag | ObjectKind::Tree => {}
        }
        let object = self.reader.read_of(&id, kind, len)?;
        Ok(self.message(id, self.number(&id), kind, object.bytes())?)
    }

    /// The number of an object, where links are followed.
    fn number(&self, id: &ObjectId) -> Option<u32> {
        match self.shared.objects {
            Objects::All(inventory) => inventory.number(id.as_raw()),
            Objects::These(_) => None,
        }
    }

    /// Hands out the message of a commit or a tag and follows the links of all but blobs.
    pub(super) fn message(
        &mut self,
        id: ObjectId,
        number: Option<u32>,
        kind: ObjectKind,
        bytes: &[u8],
    ) -> Result<(), Malformed> {
        let searched = match kind {
            ObjectKind::Commit => {
                let commit = Commit::parse(bytes)?;
                self.done.coverage.commits += 1;
                self.done.commits.push(id);
                let origin = Origin::CommitMessage(id);
                let searched =
                    self.unit((id, &origin, Some(COMMIT_MESSAGE_PATH)), commit.message, None, None);
                self.follow_commit(&id, number, &commit);
                searched
            }
            ObjectKind::Tag => {
                let message = Tag::parse(bytes)?.message;
                let origin = Origin::TagMessage(id);
                let searched = self.unit((id, &origin, Some(TAG_MESSAGE_PATH)), message, None, None);
                self.follow(&id, number, kind, bytes)?;
                searched
            }
            ObjectKind::Tree | ObjectKind::Blob => {
                self.follow(&id, number, kind, bytes)?;
                Some(Searched::Clean)
            }
        };
        self.remember(
            number,
            match searched {
                Some(Searched::Clean) => State::clean(kind),
                Some(Searched::Matches(_) | Searched::NotClean) | None => State::Again,
            },
        );
        Ok(())
    }

    /// Notes what came of an object that was read to its end.
    fn remember(&mut self, number: Option<u32>, state: State) {
        if self.shared.memory.is_some() {
            self.done.seen.extend(number.map(|number| (number, state)));
        }
    }

    fn blob(&mut self, id: ObjectId, len: u64) -> Result<(), ReadError> {
        let Ok(turn) = self.turn(len) else {
            self.leave_out(id, len);
            return Ok(());
        };
        let object = self.reader.read_of(&id, ObjectKind::Blob, len)?;
        self.blob_bytes(id, self.number(&id), object.bytes(), None);
        drop(turn);
        Ok(())
    }

    /// The right to read a blob of a length, one at a time for large ones; an error if it is too large.
    pub(super) fn turn(&self, len: u64) -> Result<Option<MutexGuard<'w, ()>>, TooLarge> {
        if len > self.shared.history.options.max_blob_bytes.unwrap_or(MAX_BLOB_BYTES) {
            return Err(TooLarge);
        }
        let turn = || self.shared.large_blob.lock().unwrap_or_else(PoisonError::into_inner);
        Ok((len > LARGE_BLOB_BYTES).then(turn))
    }

    /// Notes that a blob is too large to be read.
    pub(super) fn leave_out(&mut self, id: ObjectId, len: u64) {
        leave_out(&mut self.done.coverage, id.to_string(), len, self.shared.history.options.max_blob_bytes);
    }

    /// Hands out a blob.
    pub(super) fn blob_bytes(
        &mut self,
        id: ObjectId,
        number: Option<u32>,
        bytes: &[u8],
        derivation: Option<&Derivation<'_>>,
    ) {
        self.done.coverage.blobs += 1;
        self.shared.progress.blob();
        let kept = self.shared.memory.zip(number);
        let note = kept.map(|(memory, number)| memory.note(number).unwrap_or_default());
        let state = match self.unit((id, &Origin::Blob(id), None), bytes, derivation, note) {
            Some(Searched::Clean) => State::Blob,
            Some(Searched::NotClean) => State::Again,
            Some(Searched::Matches(note)) => {
                if self.shared.memory.is_some() {
                    self.done.held.extend(number.map(|number| (number, note)));
                }
                State::Held
            }
            None => State::Binary,
        };
        self.remember(number, state);
    }

    /// Hands out content; what the search came to, or `None` if it is no text.
    fn unit(
        &mut self,
        (id, origin, path): (ObjectId, &Origin, Option<&str>),
        bytes: &[u8],
        derivation: Option<&Derivation<'_>>,
        note: Option<&[u8]>,
    ) -> Option<Searched> {
        self.done.coverage.bytes += bytes.len() as u64;
        self.shared.progress.bytes(bytes.len() as u64);
        let Some(bytes) = text::as_text(bytes) else {
            self.done.coverage.skip(id.to_string(), SkipReason::Binary);
            return None;
        };
        // What was copied from where is known of the bytes as they are stored.
        let derivation = derivation.filter(|_| matches!(bytes, Cow::Borrowed(_)));
        Some((self.visitor)(&ContentUnit {
            origin,
            path: path.map(BStr::new),
            bytes: &bytes,
            first_line: 1,
            first_column: 1,
            first_byte: 0,
            fresh: Fresh::All,
            derivation,
            note,
        }))
    }

    /// Checks that everything is there to which a tag or a tree refers.
    fn follow(
        &mut self,
        id: &ObjectId,
        number: Option<u32>,
        kind: ObjectKind,
        bytes: &[u8],
    ) -> Result<(), Malformed> {
        let (Objects::All(inventory), Some(holder)) = (self.shared.objects, number) else { return Ok(()) };
        if kind == ObjectKind::Tree {
            return self.new_links(holder, bytes, None, &mut Outline::default());
        }
        self.links.clear();
        links_of(id, kind, bytes, false, &mut self.links)?;
        for (link, _) in &self.links {
            match inventory.number(link.as_raw()) {
                Some(target) => self.done.trail.tag(holder, target),
                None => {
                    self.done.loose_ends.insert(*link);
                    self.done.trail.torn_tag(holder);
                }
            }
        }
        Ok(())
    }

    /// Checks that the tree and the parents of a commit are there, and notes them.
    fn follow_commit(&mut self, id: &ObjectId, number: Option<u32>, commit: &Commit<'_>) {
        let (Objects::All(inventory), Some(holder)) = (self.shared.objects, number) else { return };
        let parents: &[ObjectId] = if self.shared.shallow.contains(id) { &[] } else { &commit.parents };
        let links = || std::iter::once(&commit.tree).chain(parents);
        let mut numbers = inventory.numbers(links().map(ObjectId::as_raw)).zip(links());
        let mut number = || {
            let (number, link) = numbers.next()?;
            if number.is_none() {
                self.done.loose_ends.insert(*link);
            }
            Some(number)
        };
        let tree = number().flatten();
        self.parents.clear();
        self.parents.extend(std::iter::from_fn(number).flatten());
        match tree.filter(|_| self.parents.len() == parents.len()) {
            Some(tree) => self.done.trail.commit(holder, commit, tree, &self.parents),
            None => self.done.trail.torn_commit(holder),
        }
    }

    /// How many workers there are.
    pub(super) fn threads(&self) -> usize {
        self.shared.threads
    }

    /// Whether the parents of a commit were left out of the clone.
    pub(super) fn is_shallow(&self, id: &ObjectId) -> bool {
        self.shared.shallow.contains(id)
    }

    /// Whether what trees refer to is to be checked.
    pub(super) fn follows_links(&self) -> bool {
        matches!(self.shared.objects, Objects::All(_))
    }

    /// Checks and notes the links of a tree, without those that it copied from another one.
    pub(super) fn new_links(
        &mut self,
        tree: u32,
        bytes: &[u8],
        base: Option<(u32, OutlineBase<'_>)>,
        outline: &mut Outline,
    ) -> Result<(), Malformed> {
        let Objects::All(inventory) = self.shared.objects else { return Ok(()) };
        let Done { trail, links, submodules, .. } = &mut *self.done;
        trail.tree(tree, base.map(|(number, _)| number));
        outline.read(
            bytes,
            inventory.id_len(),
            base.map(|(_, base)| base).as_ref(),
            |change| match change {
                Change::Fresh((ObjectKind::Commit, _, link)) => submodules.extend(ObjectId::from_raw(link)),
                Change::Fresh(parts) => links.extend(trail.pending(parts)),
                Change::Gone((ObjectKind::Commit, ..)) => {}
                Change::Gone(parts) => trail.gone(parts),
            },
        )?;
        if self.done.links.len() >= LINKS {
            self.done.resolve_links(inventory);
        }
        self.remember(Some(tree), State::Tree);
        Ok(())
    }
}

/// The blob is larger than the user or this machine allows.
#[derive(Debug)]
pub(super) struct TooLarge;
