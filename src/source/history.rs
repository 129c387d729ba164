//! The history of a repository: every blob of the object database once, and the messages of commits and
//! annotated tags; or what a range of commits brings in.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::panic;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;

use bstr::BStr;

use super::cache::{Memory, State};
use super::families::Families;
use super::{ContentUnit, Fresh, NewVisitor, Searched, Source, Visitor, text};
use crate::coverage::{Coverage, Problem, SkipReason};
use crate::derived::{Copies, Derivation};
use crate::git::push::Pushed;
use crate::git::{
    Attributor, Changes, Commit, Damage, Fault, Inventory, Known, Malformed, ObjectKind, ObjectReader,
    OpenError, Outline, Reachable, ReadError, Repository, RevisionError, RevisionRange, Roots, Rows, Scope,
    Store, Tag, Trail, links_of,
};
use crate::location::{Appearance, COMMIT_MESSAGE_PATH, ObjectId, Origin, TAG_MESSAGE_PATH};
use crate::progress::Progress;

/// The largest blob that is read unless the user says otherwise.
const MAX_BLOB_BYTES: u64 = 1 << 30;

/// Blobs of this size are read one at a time, whatever the number of threads, to bound memory.
const LARGE_BLOB_BYTES: u64 = 64 << 20;

/// How many objects a worker takes at once. Neighbours in a pack are deltas of each other, so that is many.
const CHUNK: usize = 512;

/// What to read of the history.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Revision arguments; none means everything.
    pub ranges: Vec<String>,
    /// Leave out what no ref, no `HEAD` and no reflog reaches.
    pub reachable_only: bool,
    /// Accept that a shallow clone ends early.
    pub allow_shallow: bool,
    /// Read and search every object whole. It takes many times as long and finds the same.
    pub no_delta: bool,
    /// Leave out larger blobs. Without a limit from the user a blob over 1 GiB is a problem.
    pub max_blob_bytes: Option<u64>,
    /// Remember in the git directory what was read and held no match, and do not read it again; under a digest of
    /// everything that decides what a match is; the engine has one. Of use only where everything is read by its deltas: with ranges, `reachable_only` or `no_delta` nothing is
    /// remembered.
    pub cache: Option<[u8; 32]>,
}

/// Why the history cannot be read at all.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// There is no repository, or git2 refuses it.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// A range names no commits.
    #[error(transparent)]
    Revision(#[from] RevisionError),
}

/// The history of a repository as a source.
pub struct History {
    place: PathBuf,
    options: Options,
    range: Option<RevisionRange>,
    /// Objects that are read besides those of the range.
    more: Vec<ObjectId>,
    /// Refs that are about to be.
    coming_roots: Vec<crate::git::Root>,
    /// What was wrong before the first object was read.
    faults: Vec<Fault>,
    /// The commits that [`Source::drive`] read, dangling ones among them: attribution starts from them.
    commits: OnceLock<Vec<ObjectId>>,
    /// See [`Store::hopeless`].
    hopeless: OnceLock<HashSet<ObjectId>>,
    notes: OnceLock<Vec<String>>,
    /// What [`Source::drive`] read, if that was all, and what it noted on the way.
    known: OnceLock<(Store, Trail)>,
}

impl History {
    /// Opens the repository at or above `place` and resolves the ranges.
    ///
    /// # Errors
    ///
    /// When there is no repository, or a range names nothing.
    pub fn open(place: &Path, options: Options) -> Result<Self, HistoryError> {
        let repository = Repository::open(place)?;
        let range = match options.ranges.is_empty() {
            true => None,
            false => Some(RevisionRange::resolve(&repository, &options.ranges)?),
        };
        Ok(Self::new(place, options, range))
    }

    /// What a push hands on, read from the repository at or above `place`. The ranges of the options count for
    /// nothing.
    pub fn of_push(place: &Path, options: Options, pushed: Pushed) -> Self {
        let Pushed { range, objects, roots, faults } = pushed;
        Self { more: objects, coming_roots: roots, faults, ..Self::new(place, options, Some(range)) }
    }

    fn new(place: &Path, options: Options, range: Option<RevisionRange>) -> Self {
        Self {
            place: place.to_path_buf(),
            options,
            range,
            more: Vec::new(),
            coming_roots: Vec::new(),
            faults: Vec::new(),
            commits: OnceLock::new(),
            hopeless: OnceLock::new(),
            notes: OnceLock::new(),
            known: OnceLock::new(),
        }
    }

    /// What the user should know of the cache, after [`Source::drive`].
    pub fn notes(&self) -> &[String] {
        self.notes.get().map_or(&[], Vec::as_slice)
    }

    fn repository(&self) -> Result<Repository, Problem> {
        Repository::open(&self.place).map_err(|error| self.problem(error.to_string()))
    }

    fn problem(&self, message: impl Into<String>) -> Problem {
        Problem { name: self.place.to_string_lossy().into_owned().into(), message: message.into() }
    }

    fn read(
        &self,
        threads: usize,
        new_visitor: &NewVisitor<'_>,
        progress: &Progress,
        coverage: &mut Coverage,
    ) -> Result<(), Problem> {
        let repository = self.repository()?;
        let reader = ObjectReader::new(&repository).map_err(|error| self.problem(error.to_string()))?;
        let shallow = repository.shallow_commits()?;
        let run = Run {
            history: self,
            reader: &reader,
            shallow: &shallow,
            threads,
            new_visitor,
            progress,
            remembers: false,
        };
        let done = match &self.range {
            Some(range) => run.range(range),
            None => run.everything(&repository),
        };
        coverage.merge(done.coverage);
        for commit in &done.submodules {
            coverage.skip(commit.to_string(), SkipReason::Submodule);
        }
        let faults = done.damage.into_faults(repository.is_partial_clone());
        coverage.problems.extend(self.faults.iter().cloned().map(Problem::from));
        coverage.problems.extend(faults.into_iter().map(Problem::from));
        let mut commits = done.commits;
        commits.sort_unstable();
        // A second run of one source reads the same commits.
        let _ = self.commits.set(commits);
        Ok(())
    }

    fn find(
        &self,
        objects: &[ObjectId],
        threads: usize,
        coverage: &mut Coverage,
    ) -> Result<BTreeMap<ObjectId, Vec<Appearance>>, Problem> {
        let repository = self.repository()?;
        let reader = ObjectReader::new(&repository).map_err(|error| self.problem(error.to_string()))?;
        let reader = reader.refusing(self.hopeless.get_or_init(HashSet::new));
        let shallow = repository.shallow_commits()?;
        let mut roots = Roots::read(&repository);
        roots.add_coming(&self.coming_roots);
        let commits = self.commits.get().cloned().unwrap_or_default();
        let scope = match self.range {
            Some(_) => Scope::Commits(commits),
            None => Scope::Everything(commits),
        };
        let progress = Progress::default();
        let run = Run {
            history: self,
            reader: &reader,
            shallow: &shallow,
            threads,
            // Trees are read, and nothing is handed out.
            new_visitor: &|| Box::new(|_| Searched::NotClean),
            progress: &progress,
            remembers: false,
        };
        let known = self.known.get().map(|(store, trail)| {
            let (rows, done) = run.rows(store, trail, objects);
            coverage.problems.extend(done.coverage.problems);
            let faults = done.damage.into_faults(repository.is_partial_clone());
            coverage.problems.extend(faults.into_iter().map(Problem::from));
            (store, trail, rows)
        });
        let known = known.as_ref().map(|(store, trail, rows)| Known { store, trail, rows });
        let mut attributor = Attributor::new(&repository, &reader, &roots, &shallow, &scope, known);
        let appearances = attributor.appearances(objects);
        let faults = roots.faults.into_iter().chain(attributor.into_faults(repository.is_partial_clone()));
        coverage.problems.extend(faults.map(Problem::from));
        Ok(appearances)
    }
}

impl Source for History {
    fn drive<'s>(
        &'s self,
        threads: usize,
        new_visitor: &'s NewVisitor<'s>,
        progress: &'s Progress,
    ) -> Coverage {
        let mut coverage = Coverage::default();
        if let Err(problem) = self.read(threads, new_visitor, progress, &mut coverage) {
            coverage.problems.push(problem);
        }
        coverage.sort();
        coverage
    }

    fn attribute(
        &self,
        objects: &[ObjectId],
        threads: usize,
        coverage: &mut Coverage,
    ) -> BTreeMap<ObjectId, Vec<Appearance>> {
        if objects.is_empty() {
            return BTreeMap::new();
        }
        self.find(objects, threads, coverage).unwrap_or_else(|problem| {
            coverage.problems.push(problem);
            BTreeMap::new()
        })
    }
}

impl From<Fault> for Problem {
    fn from(fault: Fault) -> Self {
        Problem { name: fault.name, message: fault.message }
    }
}

/// One pass over the history.
#[derive(Clone, Copy)]
struct Run<'r, 'v> {
    history: &'r History,
    reader: &'r ObjectReader<'r>,
    shallow: &'r HashSet<ObjectId>,
    threads: usize,
    new_visitor: &'r NewVisitor<'v>,
    progress: &'r Progress,
    /// Whether to note what came of each object.
    remembers: bool,
}

/// What a worker, or all of them, did.
#[derive(Default)]
pub(super) struct Done {
    pub(super) coverage: Coverage,
    pub(super) damage: Damage,
    commits: Vec<ObjectId>,
    submodules: BTreeSet<ObjectId>,
    /// What came of the objects that were read to their end, by number in the inventory, if that is remembered.
    seen: Vec<(u32, State)>,
    /// What objects refer to and is not there. That is no damage in what waits for garbage collection, parts of
    /// which may have been collected already.
    loose_ends: HashSet<ObjectId>,
    trail: Trail,
}

impl Done {
    fn merge(&mut self, other: Done) {
        self.coverage.merge(other.coverage);
        self.damage.merge(other.damage);
        self.commits.extend(other.commits);
        self.submodules.extend(other.submodules);
        self.seen.extend(other.seen);
        self.loose_ends.extend(other.loose_ends);
        self.trail.merge(other.trail);
    }
}

impl Run<'_, '_> {
    fn everything(self, repository: &Repository) -> Done {
        // Before the objects are listed: what a commit of this moment brings is not among them.
        let roots = Roots::read(repository);
        if self.history.options.no_delta {
            let (inventory, faults) = Inventory::list(repository);
            return self.inventory(repository, roots, &inventory, None, faults);
        }
        let (store, faults) = Store::open(repository, self.threads);
        let hopeless = self.history.hopeless.get_or_init(|| store.hopeless.clone());
        match ObjectReader::new(repository) {
            Ok(reader) => {
                let run = Run { reader: &reader.refusing(hopeless), ..self };
                let is_all = faults.is_empty() && !self.history.options.reachable_only;
                let mut done = run.inventory(repository, roots, &store.inventory, Some(&store), faults);
                let mut trail = std::mem::take(&mut done.trail);
                // What libgit2 could not read here may be readable all the same in packs that were not listed.
                if is_all && !trail.is_lost() && !done.damage.has_unreadable() {
                    trail.finish();
                    let _ = self.history.known.set((store, trail));
                }
                done
            }
            Err(error) => {
                let mut done = Done::default();
                done.coverage.problems.push(self.history.problem(error.to_string()));
                done
            }
        }
    }

    fn inventory(
        self,
        repository: &Repository,
        roots: Roots,
        inventory: &Inventory,
        store: Option<&Store>,
        faults: Vec<Fault>,
    ) -> Done {
        let mut done = Done::default();
        done.coverage.refs = roots.refs;
        done.coverage.problems.extend(roots.faults.iter().cloned().chain(faults).map(Problem::from));
        self.note_shallow(&mut done.coverage);
        let walk =
            |damage: &mut Damage| Reachable::walk(self.reader, inventory, &roots, self.shallow, damage);
        if self.history.options.reachable_only {
            let reachable = walk(&mut done.damage);
            let is_read = |id: &ObjectId| reachable.kind(id).is_some_and(|kind| kind != ObjectKind::Tree);
            done.submodules.extend(&reachable.submodules);
            done.merge(match store {
                Some(store) => self.families(store, &Objects::These(Vec::new()), &is_read),
                None => self.objects(&Objects::These(inventory.in_reading_order().filter(is_read).collect())),
            });
        } else {
            done.merge(match (store, self.history.options.cache) {
                (Some(store), Some(digest)) => self.remembering(repository, store, digest),
                (Some(store), None) => self.families(store, &Objects::All(inventory), &|_| true),
                (None, _) => self.objects(&Objects::All(inventory)),
            });
            // The walk is worth its time only when something may be missing: when every link of every
            // object leads somewhere, nothing that is reachable can be.
            let loose_ends = std::mem::take(&mut done.loose_ends);
            if !loose_ends.is_empty() || !roots.list.iter().all(|root| inventory.contains(&root.target)) {
                match store {
                    Some(store) => {
                        let is_lost = done.trail.is_lost() || done.damage.has_unreadable();
                        let trail = (!is_lost).then_some(&done.trail);
                        let missing = self.missing(store, trail, &roots, &loose_ends);
                        done.merge(missing);
                    }
                    None => {
                        walk(&mut done.damage);
                    }
                }
            }
        }
        done
    }

    fn range(self, range: &RevisionRange) -> Done {
        let mut done = Done::default();
        let commits = range.commits(self.reader, self.shallow, &mut done.damage);
        let mut changes = Changes::default();
        for commit in &commits {
            let is_last = self.shallow.contains(commit);
            if is_last {
                self.note_shallow_commit(commit, &mut done.coverage);
            }
            changes.add_commit(self.reader, commit, !is_last, &mut done.damage);
        }
        let tags: BTreeSet<ObjectId> = range.tags().iter().copied().collect();
        done.submodules.extend(changes.submodules);
        // Those that were listed come first: they are in the order in which reading them is cheapest.
        let brought = commits.into_iter().chain(tags).chain(changes.blobs);
        let mut seen = HashSet::new();
        let objects =
            self.history.more.iter().copied().chain(brought).filter(|id| seen.insert(*id)).collect();
        done.merge(self.objects(&Objects::These(objects)));
        done
    }

    /// Reads what earlier audits do not know, and remembers what it came to.
    fn remembering(self, repository: &Repository, store: &Store, digest: [u8; 32]) -> Done {
        let inventory = &store.inventory;
        let mut memory = Memory::load(repository.common_dir(), digest, inventory);
        let known = memory.take_trail();
        let wanted = |id: &ObjectId| inventory.number(id.as_raw()).is_none_or(|number| memory.wants(number));
        let families = Families::new(store, &wanted).leaving_the_rest();
        let mut done = self.walk(&families, &Objects::All(inventory), true);
        // Known trees and commits are not read, but what was noted of them then is still so.
        done.trail.merge(known);
        done.trail.finish();
        for (number, state) in memory.known() {
            match state {
                State::Commit => done.commits.push(inventory.id(number)),
                State::Binary => {
                    done.coverage.skip(inventory.id(number).to_string(), SkipReason::Binary);
                    continue;
                }
                State::Tree => continue,
                State::Tag | State::Blob | State::Again => {}
            }
            done.coverage.known_clean += 1;
        }
        done.submodules.extend(memory.submodules());
        // What a shallow clone lacks is no loose end, and it may be fetched, or not, before the next audit.
        let is_whole = done.loose_ends.is_empty() && self.shallow.is_empty();
        let notes = memory.save(&done.seen, &done.submodules, is_whole, &done.trail, inventory);
        let _ = self.history.notes.set(notes);
        done
    }

    fn note_shallow(self, coverage: &mut Coverage) {
        let Some(first) = self.shallow.iter().min() else { return };
        if self.history.options.allow_shallow {
            self.shallow.iter().for_each(|commit| coverage.skip(commit.to_string(), SkipReason::Shallow));
            return;
        }
        let count = self.shallow.len();
        coverage.problem(
            "shallow clone",
            format!(
                "the history is incomplete, it was cut off at {count} commits, the first is {first}: \
                 fetch the rest with `git fetch --unshallow`, or accept that with `--allow-shallow`"
            ),
        );
    }

    fn note_shallow_commit(self, commit: &ObjectId, coverage: &mut Coverage) {
        if self.history.options.allow_shallow {
            coverage.skip(commit.to_string(), SkipReason::Shallow);
            return;
        }
        coverage.problem(
            commit.to_string(),
            "the range is incomplete, a shallow clone was cut off at this commit: fetch the rest with \
             `git fetch --unshallow`, or accept that with `--allow-shallow`",
        );
    }

    /// Reads objects on several threads, each with a repository handle of its own.
    fn objects(self, objects: &Objects<'_>) -> Done {
        let threads = self.threads.clamp(1, objects.len().max(1));
        self.progress.begin(objects.len() as u64);
        let next = AtomicUsize::new(0);
        let chunk = (objects.len() / (threads * 8)).clamp(1, CHUNK);
        self.work(objects, threads, &|worker| worker.work(&next, chunk))
    }

    /// Reads the objects of the store that are `wanted`, family by family.
    fn families(self, store: &Store, objects: &Objects<'_>, wanted: Wanted<'_>) -> Done {
        self.walk(&Families::new(store, wanted), objects, false)
    }

    fn walk(self, families: &Families<'_>, objects: &Objects<'_>, remembers: bool) -> Done {
        // Of a part nobody knows beforehand how many objects its families have.
        self.progress.begin(match objects {
            Objects::All(_) => families.len() as u64,
            Objects::These(_) => 0,
        });
        let run = Self { remembers, ..self };
        run.work(objects, self.threads.max(1), &|worker| families.work(worker))
    }

    /// Names the objects that are missing though something reachable refers to them. With a trail only the trees
    /// that may lead to them are read again, which saves 5 of 24 CPU seconds on rails/rails, where seven are
    /// missing.
    fn missing(
        self,
        store: &Store,
        trail: Option<&Trail>,
        roots: &Roots,
        loose_ends: &HashSet<ObjectId>,
    ) -> Done {
        let threads = self.threads.max(1);
        let inventory = &store.inventory;
        let relevant = trail.map(|trail| trail.leading_to_missing(inventory));
        let torn = trail.map_or(&[][..], Trail::torn_commits);
        let families =
            Families::with_links(store, loose_ends, relevant.as_ref().map(|relevant| (relevant, torn)));
        self.progress.begin(0);
        let mut done = self.work(&Objects::All(inventory), threads, &|worker| families.work(worker));
        let mut links = families.into_links();
        if let (Some(trail), Some(relevant)) = (trail, &relevant) {
            for (commit, tree, parents) in trail.commits() {
                links.edges.extend(parents.iter().map(|parent| (commit, *parent)));
                links.edges.extend(relevant.is_leading(tree).then_some((commit, tree)));
            }
        }
        let mut waiting = Vec::new();
        for root in &roots.list {
            match store.inventory.number(root.target.as_raw()) {
                Some(number) => waiting.push(number),
                None => done.damage.missing(root.target, root.name.to_string()),
            }
        }
        for (holder, kind, missing) in links.reachable_loose_ends(store.inventory.len(), waiting) {
            done.damage.missing(missing, format!("{} {}", kind.name(), store.inventory.id(holder)));
        }
        done
    }

    /// Reads the trees that may lead to some objects, and says what could not be read this time.
    fn rows(self, store: &Store, trail: &Trail, objects: &[ObjectId]) -> (Vec<Rows>, Done) {
        let relevant = trail.leading_to(&store.inventory, objects);
        let families = Families::with_rows(store, &relevant);
        let threads = self.threads.max(1);
        let done = self.work(&Objects::All(&store.inventory), threads, &|worker| families.work(worker));
        (families.into_rows(), done)
    }

    fn work(self, objects: &Objects<'_>, threads: usize, work: &(dyn Fn(Worker<'_, '_>) + Sync)) -> Done {
        let Self { history, shallow, progress, remembers, .. } = self;
        let shared =
            Shared { history, shallow, progress, remembers, objects, threads, large_blob: Mutex::new(()) };
        let mut done = Done::default();
        thread::scope(|scope| {
            let work = || shared.work((self.new_visitor)(), work);
            let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
            for worker in workers {
                match worker.join() {
                    Ok(part) => done.merge(part),
                    Err(payload) => panic::resume_unwind(payload),
                }
            }
        });
        done
    }
}

/// Whether an object is to be read.
pub(super) type Wanted<'w> = &'w (dyn Fn(&ObjectId) -> bool + Sync);

/// The objects to read, in the order in which that is cheapest.
pub(super) enum Objects<'o> {
    /// All there are; what they refer to is checked on the way.
    All(&'o Inventory),
    /// Some, which are known to be referred to.
    These(Vec<ObjectId>),
}

impl Objects<'_> {
    fn len(&self) -> usize {
        match self {
            Objects::All(inventory) => inventory.len(),
            Objects::These(ids) => ids.len(),
        }
    }

    fn get(&self, place: usize) -> Option<ObjectId> {
        match self {
            Objects::All(inventory) => inventory.get(place),
            Objects::These(ids) => ids.get(place).copied(),
        }
    }
}

/// What the workers share.
struct Shared<'s> {
    history: &'s History,
    shallow: &'s HashSet<ObjectId>,
    progress: &'s Progress,
    remembers: bool,
    objects: &'s Objects<'s>,
    threads: usize,
    large_blob: Mutex<()>,
}

impl Shared<'_> {
    fn work(&self, visitor: Visitor<'_>, work: &dyn Fn(Worker<'_, '_>)) -> Done {
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
                work(Worker {
                    shared: self,
                    reader: &reader,
                    visitor,
                    done: &mut done,
                    links: Vec::new(),
                    parents: Vec::new(),
                });
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
    fn work(mut self, next: &AtomicUsize, chunk: usize) {
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
        Ok(self.message(id, kind, object.bytes())?)
    }

    /// Hands out the message of a commit or a tag and follows the links of all but blobs.
    pub(super) fn message(&mut self, id: ObjectId, kind: ObjectKind, bytes: &[u8]) -> Result<(), Malformed> {
        let searched = match kind {
            ObjectKind::Commit => {
                let commit = Commit::parse(bytes)?;
                self.done.coverage.commits += 1;
                self.done.commits.push(id);
                let searched = self.unit(
                    id,
                    &Origin::CommitMessage(id),
                    Some(COMMIT_MESSAGE_PATH),
                    commit.message,
                    None,
                );
                self.follow_commit(&id, &commit);
                searched
            }
            ObjectKind::Tag => {
                let message = Tag::parse(bytes)?.message;
                let searched = self.unit(id, &Origin::TagMessage(id), Some(TAG_MESSAGE_PATH), message, None);
                self.follow(&id, kind, bytes)?;
                searched
            }
            ObjectKind::Tree | ObjectKind::Blob => {
                self.follow(&id, kind, bytes)?;
                Some(Searched::Clean)
            }
        };
        self.remember(
            &id,
            match searched {
                Some(Searched::Clean) => State::clean(kind),
                Some(Searched::NotClean) | None => State::Again,
            },
        );
        Ok(())
    }

    /// Notes what came of an object that was read to its end.
    fn remember(&mut self, id: &ObjectId, state: State) {
        if self.shared.remembers
            && let Objects::All(inventory) = self.shared.objects
            && let Some(number) = inventory.number(id.as_raw())
        {
            self.done.seen.push((number, state));
        }
    }

    fn blob(&mut self, id: ObjectId, len: u64) -> Result<(), ReadError> {
        let Ok(turn) = self.turn(len) else {
            self.leave_out(id, len);
            return Ok(());
        };
        let object = self.reader.read_of(&id, ObjectKind::Blob, len)?;
        self.blob_bytes(id, object.bytes(), None);
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
        let coverage = &mut self.done.coverage;
        match self.shared.history.options.max_blob_bytes {
            Some(_) => coverage.skip(id.to_string(), SkipReason::TooLarge),
            None => coverage.problem(
                id.to_string(),
                format!("the blob has {len} bytes, more than fit: accept that by a limit of your own"),
            ),
        }
    }

    /// Hands out a blob.
    pub(super) fn blob_bytes(&mut self, id: ObjectId, bytes: &[u8], derivation: Option<&Derivation<'_>>) {
        self.done.coverage.blobs += 1;
        self.shared.progress.blob();
        let state = match self.unit(id, &Origin::Blob(id), None, bytes, derivation) {
            Some(Searched::Clean) => State::Blob,
            Some(Searched::NotClean) => State::Again,
            None => State::Binary,
        };
        self.remember(&id, state);
    }

    /// Hands out content; what the search came to, or `None` if it is no text.
    fn unit(
        &mut self,
        id: ObjectId,
        origin: &Origin,
        path: Option<&str>,
        bytes: &[u8],
        derivation: Option<&Derivation<'_>>,
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
        }))
    }

    /// Checks that everything is there to which a tag or a tree refers.
    fn follow(&mut self, id: &ObjectId, kind: ObjectKind, bytes: &[u8]) -> Result<(), Malformed> {
        let Objects::All(inventory) = self.shared.objects else { return Ok(()) };
        if kind == ObjectKind::Tree {
            return self.new_links(id, inventory.number(id.as_raw()), bytes, None, &mut Outline::default());
        }
        self.links.clear();
        links_of(id, kind, bytes, false, &mut self.links)?;
        let loose = self.links.iter().map(|(link, _)| *link).filter(|link| !inventory.contains(link));
        self.done.loose_ends.extend(loose);
        Ok(())
    }

    /// Checks that the tree and the parents of a commit are there, and notes them.
    fn follow_commit(&mut self, id: &ObjectId, commit: &Commit<'_>) {
        let Objects::All(inventory) = self.shared.objects else { return };
        let mut number = |link: &ObjectId| {
            let number = inventory.number(link.as_raw());
            if number.is_none() {
                self.done.loose_ends.insert(*link);
            }
            number
        };
        let tree = number(&commit.tree);
        let parents: &[ObjectId] = if self.shared.shallow.contains(id) { &[] } else { &commit.parents };
        self.parents.clear();
        self.parents.extend(parents.iter().filter_map(number));
        let Some(number) = inventory.number(id.as_raw()) else { return };
        match tree.filter(|_| self.parents.len() == parents.len()) {
            Some(tree) => self.done.trail.commit(number, commit, tree, &self.parents),
            None => self.done.trail.torn_commit(number),
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
        id: &ObjectId,
        number: Option<u32>,
        bytes: &[u8],
        base: Option<TreeBase<'_>>,
        outline: &mut Outline,
    ) -> Result<(), Malformed> {
        let (Objects::All(inventory), Some(tree)) = (self.shared.objects, number) else { return Ok(()) };
        match base.map(|base| base.number) {
            Some(Some(base)) => self.done.trail.link(base, tree),
            // Where the base has no number, nothing tells what came with it.
            Some(None) => self.done.trail.lose(),
            None => {}
        }
        let known = base.and_then(|base| Some((base.outline?, base.copies)));
        outline.read(bytes, id.as_raw().len(), known, |kind, link| {
            if kind == ObjectKind::Commit {
                self.done.submodules.extend(ObjectId::from_raw(link));
            } else if let Some(number) = inventory.number(link) {
                self.done.trail.link(number, tree);
            } else {
                self.done.loose_ends.extend(ObjectId::from_raw(link));
                self.done.trail.torn_tree(tree, kind);
            }
        })?;
        self.remember(id, State::Tree);
        Ok(())
    }
}

/// The tree that another one was copied from.
#[derive(Clone, Copy)]
pub(super) struct TreeBase<'b> {
    /// Its number in the inventory.
    pub(super) number: Option<u32>,
    /// Where its entries lie, where that was read.
    pub(super) outline: Option<&'b Outline>,
    pub(super) copies: &'b Copies,
}

/// The blob is larger than the user or this machine allows.
#[derive(Debug)]
pub(super) struct TooLarge;
