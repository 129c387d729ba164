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

use super::cache::{Covered, Memory, News, State};
use super::families::Families;
use super::{
    ContentUnit, Fresh, MAX_BLOB_BYTES, NewVisitor, Searched, Source, Spot, Visitor, leave_out, text,
};
use crate::coverage::{Coverage, Problem, SkipReason};
use crate::derived::Derivation;
use crate::fingerprint::Fingerprint;
use crate::git::push::Pushed;
use crate::git::{
    Attributor, Change, Changes, Commit, Damage, Fault, Inventory, Known, Malformed, ObjectKind,
    ObjectReader, OpenError, Outline, OutlineBase, Pending, Reachable, ReadError, Relevant, Repository,
    RevisionError, RevisionRange, Roots, Rows, Scope, Store, Tag, Trail, commit_info, links_of,
};
use crate::location::{
    Appearance, COMMIT_MESSAGE_PATH, CommitInfo, Exposure, ObjectId, Origin, TAG_MESSAGE_PATH,
};
use crate::progress::Progress;

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
    /// What is to be kept for the next audit.
    keeping: Mutex<Option<Keeping>>,
    /// Where the history started when it was read.
    roots: OnceLock<Roots>,
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
            keeping: Mutex::default(),
            roots: OnceLock::new(),
        }
    }

    /// Writes the cache, if there is to be one, and says what the user should know of it. To be called when
    /// everything was read and attributed; what was attributed need not be looked for again then.
    pub fn keep(&self) -> &[String] {
        self.notes.get_or_init(|| {
            let keeping = self.keeping.lock().unwrap_or_else(PoisonError::into_inner).take();
            keeping.map_or_else(Vec::new, |keeping| self.save(keeping))
        })
    }

    fn save(&self, keeping: Keeping) -> Vec<String> {
        let Keeping { mut memory, store, seen, held, submodules, holders, covered, is_whole, threads } =
            keeping;
        let (store, trail) = match (&store, self.known.get()) {
            (Some(store), _) => (store, None),
            (None, Some((store, trail))) => (store, Some(trail).filter(|_| is_whole)),
            (None, None) => return Vec::new(),
        };
        let covered = covered.or_else(|| {
            let rows = memory.rows.take();
            let cover = |run: Run<'_, '_>, repository: &Repository| {
                let mut read = Done::default();
                let covered = run.cover(repository, (store, trail?), &[], rows, &mut read);
                // Nobody asked what the new commits brought.
                let covered = covered.map(|covered| Covered { ledger: None, ..covered });
                covered.filter(|_| read.is_undamaged())
            };
            self.with_run(threads, cover).ok()?
        });
        let covered = covered.as_ref();
        let (seen, submodules, holders) = (&seen[..], &submodules, &holders[..]);
        memory.save(&mut News { store, seen, held, submodules, holders, trail, covered })
    }

    /// Runs something that reads and hands nothing out.
    fn with_run<T>(
        &self,
        threads: usize,
        work: impl FnOnce(Run<'_, '_>, &Repository) -> T,
    ) -> Result<T, Problem> {
        let repository = self.repository()?;
        let reader = ObjectReader::new(&repository).map_err(|error| self.problem(error.to_string()))?;
        let reader = reader.refusing(self.hopeless.get_or_init(HashSet::new));
        let shallow = repository.shallow_commits()?;
        let progress = Progress::default();
        let run = Run {
            history: self,
            reader: &reader,
            shallow: &shallow,
            threads,
            new_visitor: &|| -> Visitor<'_> { Box::new(|_| Searched::NotClean) },
            progress: &progress,
            memory: None,
        };
        Ok(work(run, &repository))
    }

    /// The number of an object among those that were read.
    fn number(&self, keeping: &Keeping, object: &ObjectId) -> Option<u32> {
        let store = keeping.store.as_ref().or_else(|| Some(&self.known.get()?.0))?;
        store.inventory.number(object.as_raw())
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
            memory: None,
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
        // Those that a cache knows are in order already, which this kind of sorting sees.
        commits.sort();
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
        self.with_run(threads, |run, repository| {
            let mut roots = self.roots.get().cloned().unwrap_or_else(|| Roots::read(repository));
            roots.add_coming(&self.coming_roots);
            let commits = self.commits.get().cloned().unwrap_or_default();
            let scope = match self.range {
                Some(_) => Scope::Commits(commits),
                None => Scope::Everything(commits),
            };
            let mut keeping = self.keeping.lock().unwrap_or_else(PoisonError::into_inner);
            let mut read = Done::default();
            let rows = self.known.get().and_then(|(store, trail)| match &mut *keeping {
                None => Some(run.rows(store, trail, &trail.leading_to(&store.inventory, objects), &mut read)),
                Some(keeping) => {
                    let earlier = keeping.memory.rows.take();
                    keeping.covered = run.cover(repository, (store, trail), objects, earlier, &mut read);
                    keeping.covered.as_mut().map(|covered| std::mem::take(&mut covered.rows))
                }
            });
            // What could be read a moment ago, or is known from a cache, may be unreadable now.
            let is_whole = read.is_undamaged();
            coverage.problems.extend(read.coverage.problems);
            let faults = read.damage.into_faults(repository.is_partial_clone());
            coverage.problems.extend(faults.into_iter().map(Problem::from));
            let known = self.known.get().zip(rows.as_ref());
            let known = known.map(|((store, trail), rows)| Known { store, trail, rows });
            let mut attributor = Attributor::new(repository, run.reader, &roots, run.shallow, &scope, known);
            let appearances = match keeping.as_mut().and_then(|keeping| keeping.covered.as_mut()) {
                Some(Covered { targets, ledger, is_known, .. }) => {
                    attributor.appearances_after(objects, targets, ledger, is_known)
                }
                None => attributor.appearances(objects),
            };
            let faults =
                roots.faults.into_iter().chain(attributor.into_faults(repository.is_partial_clone()));
            coverage.problems.extend(faults.map(Problem::from));
            if let Some(covered) = keeping.as_mut().and_then(|keeping| keeping.covered.as_mut()) {
                covered.rows = rows.unwrap_or_default();
            }
            if let Some(keeping) = keeping.as_mut().filter(|_| !is_whole) {
                keeping.covered = None;
            }
            appearances
        })
    }
}

/// What is to be kept for the next audit, when all is read.
struct Keeping {
    memory: Memory,
    /// What was read, if not all of it could be.
    store: Option<Store>,
    seen: Vec<(u32, State)>,
    held: Vec<(u32, Vec<u8>)>,
    submodules: BTreeSet<ObjectId>,
    /// Trees with what they refer to that is missing.
    holders: Vec<(u32, ObjectId)>,
    /// What was attributed.
    covered: Option<Covered>,
    /// Whether everything is known to which objects refer, but what is missing.
    is_whole: bool,
    threads: usize,
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

    fn name_commits(&self, exposures: &mut [&mut Exposure], coverage: &mut Coverage) {
        if exposures.is_empty() {
            return;
        }
        let named = self.with_run(1, |run, repository| {
            let mut damage = Damage::default();
            let store = self.known.get().map(|(store, _)| store);
            let mut infos: BTreeMap<ObjectId, Option<CommitInfo>> = BTreeMap::new();
            for exposure in exposures {
                for commit in [&mut exposure.first, &mut exposure.last] {
                    if let Some(id) = commit.as_ref().map(|commit| commit.id) {
                        let info = || commit_info(id, store, run.reader, &mut damage);
                        commit.clone_from(infos.entry(id).or_insert_with(info));
                    }
                }
            }
            let faults = damage.into_faults(repository.is_partial_clone());
            coverage.problems.extend(faults.into_iter().map(Problem::from));
        });
        coverage.problems.extend(named.err());
    }

    fn reread<'s>(
        &'s self,
        objects: &[ObjectId],
        threads: usize,
        new_visitor: &'s NewVisitor<'s>,
        coverage: &mut Coverage,
    ) {
        let read = self.with_run(threads, |run, repository| {
            let done = Run { new_visitor, ..run }.objects(&Objects::These(objects.to_vec()));
            let faults = done.damage.into_faults(repository.is_partial_clone());
            coverage.problems.extend(done.coverage.problems);
            coverage.problems.extend(faults.into_iter().map(Problem::from));
        });
        coverage.problems.extend(read.err());
    }

    fn fingerprint(&self, spot: &Spot) -> Option<Fingerprint> {
        let keeping = self.keeping.lock().unwrap_or_else(PoisonError::into_inner);
        let keeping = keeping.as_ref()?;
        keeping.memory.fingerprint(spot, |object| self.number(keeping, object))
    }

    fn note_fingerprints(&self, fingerprints: Vec<(Spot, Fingerprint)>) {
        let mut keeping = self.keeping.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(keeping) = keeping.as_mut() {
            let numbered = fingerprints.into_iter();
            let numbered = numbered.filter_map(|(spot, fingerprint)| {
                Some((self.number(keeping, &spot.object)?, spot, fingerprint))
            });
            let numbered = numbered.collect();
            keeping.memory.note_fingerprints(numbered);
        }
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
    /// What earlier audits know, if what comes of each object is to be noted.
    memory: Option<&'r Memory>,
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
    /// The notes on blobs that were read to their end.
    held: Vec<(u32, Vec<u8>)>,
    /// What objects refer to and is not there. That is no damage in what waits for garbage collection, parts of
    /// which may have been collected already.
    loose_ends: HashSet<ObjectId>,
    /// All trees with those of the loose ends that they refer to; `None` if other objects do as well, or it is not
    /// known.
    holders: Option<Vec<(u32, ObjectId)>>,
    trail: Trail,
    /// Entries of trees that were not copied, to be looked up together.
    links: Vec<Pending>,
}

/// How many links are looked up at once: so many that their waiting for memory overlaps, so few that they stay near.
const LINKS: usize = 256;

impl Done {
    fn is_undamaged(&self) -> bool {
        self.coverage.problems.is_empty() && self.damage.is_empty()
    }

    /// Notes whether that is there to which trees refer.
    fn resolve_links(&mut self, inventory: &Inventory) {
        let numbers = inventory.numbers(self.links.iter().map(|link| link.object.as_raw()));
        for (number, &link) in numbers.zip(&self.links) {
            if number.is_none() {
                self.loose_ends.insert(link.object);
            }
            self.trail.entry(link, number);
        }
        self.links.clear();
    }

    fn merge(&mut self, other: Done) {
        self.coverage.merge(other.coverage);
        self.damage.merge(other.damage);
        self.commits.extend(other.commits);
        self.submodules.extend(other.submodules);
        self.seen.extend(other.seen);
        self.held.extend(other.held);
        self.loose_ends.extend(other.loose_ends);
        self.trail.merge(other.trail);
    }
}

impl Run<'_, '_> {
    fn everything(self, repository: &Repository) -> Done {
        // Before the objects are listed: what a commit of this moment brings is not among them.
        self.history.roots.get_or_init(|| Roots::read(repository));
        if self.history.options.no_delta {
            let (inventory, faults) = Inventory::list(repository);
            return self.inventory(repository, &inventory, None, None, faults);
        }
        let is_all = !self.history.options.reachable_only;
        let cache = self.history.options.cache.filter(|_| is_all);
        let mut memory = cache.map(|digest| Memory::load(repository, digest));
        if let Some(memory) = &mut memory {
            memory.choose(self.new_visitor);
        }
        let known = memory.as_ref().and_then(|memory| memory.open_after(repository, self.threads));
        let (store, faults) =
            known.map_or_else(|| Store::open(repository, self.threads), |store| (store, Vec::new()));
        let is_listed = faults.is_empty();
        let hopeless = self.history.hopeless.get_or_init(|| store.hopeless.clone());
        let mut done = Done::default();
        match ObjectReader::new(repository) {
            Ok(reader) => {
                if let Some(memory) = &mut memory {
                    memory.apply(&store);
                    if !store.is_part() {
                        memory.choose(self.new_visitor);
                    }
                }
                let run = Run { reader: &reader.refusing(hopeless), ..self };
                done = run.inventory(repository, &store.inventory, Some(&store), memory.as_mut(), faults);
            }
            Err(error) => done.coverage.problems.push(self.history.problem(error.to_string())),
        }
        let trail = std::mem::take(&mut done.trail);
        // What libgit2 could not read here may be readable all the same in packs that were not listed.
        let is_known = is_all && is_listed && !trail.is_lost() && !done.damage.has_unreadable();
        let mut store = Some(store);
        let is_sound = hopeless.is_empty() && self.shallow.is_empty();
        if is_known && let Some(store) = store.take() {
            let _ = self.history.known.set((store, trail));
        }
        if let Some(memory) = memory {
            let (seen, held) = (std::mem::take(&mut done.seen), std::mem::take(&mut done.held));
            let submodules = done.submodules.clone();
            let holders = std::mem::take(&mut done.holders);
            // What a shallow clone lacks is no loose end, and it may be fetched, or not, before the next audit.
            let is_whole = is_sound && holders.is_some();
            let holders = holders.unwrap_or_default();
            let (covered, threads) = (None, self.threads);
            let keeping =
                Keeping { memory, store, seen, held, submodules, holders, covered, is_whole, threads };
            *self.history.keeping.lock().unwrap_or_else(PoisonError::into_inner) = Some(keeping);
        }
        done
    }

    fn inventory(
        self,
        repository: &Repository,
        inventory: &Inventory,
        store: Option<&Store>,
        mut memory: Option<&mut Memory>,
        faults: Vec<Fault>,
    ) -> Done {
        let roots = self.history.roots.get_or_init(|| Roots::read(repository));
        let mut done = Done::default();
        done.coverage.refs = roots.refs;
        done.coverage.problems.extend(roots.faults.iter().cloned().chain(faults).map(Problem::from));
        self.note_shallow(&mut done.coverage);
        let walk = |damage: &mut Damage| Reachable::walk(self.reader, inventory, roots, self.shallow, damage);
        if self.history.options.reachable_only {
            let reachable = walk(&mut done.damage);
            let is_read = |id: &ObjectId| reachable.kind(id).is_some_and(|kind| kind != ObjectKind::Tree);
            let is_read_number = |number| is_read(&inventory.id(number));
            done.submodules.extend(&reachable.submodules);
            done.merge(match store {
                Some(store) => self.families(store, &Objects::These(Vec::new()), Some(&is_read_number)),
                None => self.objects(&Objects::These(inventory.in_reading_order().filter(is_read).collect())),
            });
        } else {
            done.merge(match (store, memory.as_deref_mut()) {
                (Some(store), Some(memory)) => self.remembering(store, memory),
                (Some(store), None) => self.families(store, &Objects::All(inventory), None),
                (None, _) => self.objects(&Objects::All(inventory)),
            });
            done.trail.finish();
            // The walk is worth its time only when something may be missing: when every link of every
            // object leads somewhere, nothing that is reachable can be.
            let loose_ends = std::mem::take(&mut done.loose_ends);
            done.holders = Some(Vec::new());
            if !loose_ends.is_empty() || !roots.list.iter().all(|root| inventory.contains(&root.target)) {
                match store {
                    Some(store) => {
                        let is_lost = done.trail.is_lost() || done.damage.has_unreadable();
                        let trail = (!is_lost).then_some(&done.trail);
                        let missing = self.missing(store, trail, memory.as_deref(), roots, &loose_ends);
                        done.holders = missing.holders.clone();
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

    /// Reads what earlier audits do not know.
    fn remembering(self, store: &Store, memory: &mut Memory) -> Done {
        let inventory = &store.inventory;
        let known = memory.take_trail();
        let run = Run { memory: Some(memory), ..self };
        let walk = |wanted: Wanted<'_>| {
            run.walk(&Families::new(store, wanted).leaving_the_rest(), &Objects::All(inventory))
        };
        let mut done = Done::default();
        // First what was read before: the rest is then known again where it is the same.
        if memory.passed().next().is_some() {
            done.merge(walk(Some(&|number| memory.is_held(number) && memory.wants(number))));
            done.merge(walk(Some(&|number| !memory.is_held(number) && memory.wants(number))));
        } else {
            done.merge(walk(Some(&|number| memory.wants(number))));
        }
        // Known trees and commits are not read, but what was noted of them then is still so. That is nearly all of it.
        let fresh = std::mem::replace(&mut done.trail, known);
        done.trail.merge(fresh);
        done.loose_ends.extend(memory.holders.iter().map(|(_, missing)| *missing));
        let recall = |number, note| self.new_visitor.recall(&Origin::Blob(inventory.id(number)), note);
        let passed = memory.passed().filter(|(number, note)| !recall(*number, note));
        let unknown: BTreeSet<ObjectId> = passed.map(|(number, _)| inventory.id(number)).collect();
        if !unknown.is_empty() {
            // What was to be read for them could not be.
            done.merge(self.objects(&Objects::These(unknown.iter().copied().collect())));
        }
        for (number, state) in memory.known() {
            match state {
                State::Commit => done.commits.push(inventory.id(number)),
                State::Binary => {
                    done.coverage.skip(inventory.id(number).to_string(), SkipReason::Binary);
                    continue;
                }
                State::Tree => continue,
                State::Tag | State::Blob | State::Again | State::Held => {}
            }
            done.coverage.known_clean += 1;
        }
        done.coverage.known_clean -= unknown.len() as u64;
        done.submodules.extend(memory.submodules());
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
        self.walk(&Families::new(store, wanted), objects)
    }

    fn walk(self, families: &Families<'_>, objects: &Objects<'_>) -> Done {
        // Of a part nobody knows beforehand how many objects its families have.
        self.progress.begin(match objects {
            Objects::All(_) => families.len() as u64,
            Objects::These(_) => 0,
        });
        self.work(objects, self.threads.max(1), &|worker| families.work(worker))
    }

    /// Names the objects that are missing though something reachable refers to them. With a trail only the trees
    /// that may lead to them are read again, which saves 5 of 24 CPU seconds on rails/rails, where seven are
    /// missing; with what an earlier audit knew, only those that are new.
    fn missing(
        self,
        store: &Store,
        trail: Option<&Trail>,
        memory: Option<&Memory>,
        roots: &Roots,
        loose_ends: &HashSet<ObjectId>,
    ) -> Done {
        let threads = self.threads.max(1);
        let inventory = &store.inventory;
        let earlier = trail.and_then(|_| Some((memory?, memory?.rows.as_ref()?)));
        // Of the trees that are known those that lead to what is missing, and not those to what has a match.
        let leading = earlier.map(|(memory, covered)| {
            Rows::leading_to(&covered.rows, memory.holders.iter().map(|(tree, _)| *tree), inventory.len())
        });
        let is_leading = |tree: &u32| leading.as_ref().is_some_and(|leading| leading[*tree as usize]);
        let relevant = trail.map(|trail| match earlier {
            Some((_, covered)) => {
                let trees = (0..inventory.len() as u32).filter(is_leading);
                trail.leading_after(inventory, &[], trees, &covered.is_known)
            }
            None => trail.leading_to_missing(inventory),
        });
        let torn = trail.map_or(&[][..], Trail::torn);
        let families =
            Families::with_links(store, loose_ends, relevant.as_ref().map(|relevant| (relevant, torn)));
        self.progress.begin(0);
        let mut done = self.work(&Objects::All(inventory), threads, &|worker| families.work(worker));
        let mut links = families.into_links();
        // The links of commits of which something is missing are not in the trail alone.
        let whole_trail = trail.zip(relevant.as_ref()).filter(|_| torn.is_empty());
        if let (Some(trail), Some(relevant), None) = (trail, &relevant, whole_trail) {
            for (commit, tree, parents) in trail.commits() {
                links.edges.extend(parents.iter().map(|parent| (commit, *parent)));
                links.edges.extend(relevant.is_leading(tree).then_some((commit, tree)));
            }
            links.edges.extend(trail.tags());
        }
        if let Some((memory, covered)) = earlier {
            for (tree, below) in Rows::trees(&covered.rows).filter(|(tree, _)| is_leading(tree)) {
                links.edges.extend(below.filter(is_leading).map(|below| (tree, below)));
            }
            let holders = memory.holders.iter().map(|(tree, missing)| (*tree, ObjectKind::Tree, *missing));
            links.loose_ends.extend(holders);
        }
        let holder = |(number, kind, missing): &(u32, ObjectKind, ObjectId)| {
            (*kind == ObjectKind::Tree).then_some((*number, *missing))
        };
        done.holders =
            links.loose_ends.iter().map(holder).collect::<Option<Vec<_>>>().filter(|_| trail.is_some());
        let mut waiting = Vec::new();
        for root in &roots.list {
            match store.inventory.number(root.target.as_raw()) {
                Some(number) => waiting.push(number),
                None => done.damage.missing(root.target, root.name.to_string()),
            }
        }
        if let Some((trail, relevant)) = whole_trail {
            waiting = trail.trees_from(inventory, waiting, relevant);
        }
        for (holder, kind, missing) in links.reachable_loose_ends(store.inventory.len(), waiting) {
            done.damage.missing(missing, format!("{} {}", kind.name(), store.inventory.id(holder)));
        }
        done
    }

    /// What the relevant trees of a store have; what does not follow from the notes is read again, and what cannot be
    /// read this time is noted.
    fn rows(self, store: &Store, trail: &Trail, relevant: &Relevant, read: &mut Done) -> Vec<Rows> {
        if let Some(rows) = trail.rows(&store.inventory, relevant) {
            return vec![rows];
        }
        let families = Families::with_rows(store, relevant);
        let threads = self.threads.max(1);
        read.merge(self.work(&Objects::All(&store.inventory), threads, &|worker| families.work(worker)));
        families.into_rows()
    }

    /// Finds the trees that lead to some objects, to those that were attributed before, or to what is missing; as
    /// far as that is known from before, trees are not read again. `None` if they cannot be read.
    fn cover(
        self,
        repository: &Repository,
        (store, trail): (&Store, &Trail),
        objects: &[ObjectId],
        earlier: Option<Covered>,
        read: &mut Done,
    ) -> Option<Covered> {
        let inventory = &store.inventory;
        let earlier = earlier.unwrap_or_default();
        let is_known = |number: u32| earlier.is_known.get(number as usize).copied().unwrap_or_default();
        let targets: BTreeSet<u32> = objects.iter().filter_map(|id| inventory.number(id.as_raw())).collect();
        let is_enough =
            targets.iter().all(|target| !is_known(*target) || earlier.targets.binary_search(target).is_ok());
        let targets: Vec<u32> =
            targets.into_iter().chain(earlier.targets).collect::<BTreeSet<u32>>().into_iter().collect();
        let mut covered = Covered { targets, ..Covered::default() };
        if is_enough && !earlier.is_known.is_empty() {
            let trees = Rows::trees(&earlier.rows).map(|(tree, _)| tree);
            let relevant = trail.leading_after(inventory, &covered.targets, trees, &earlier.is_known);
            covered.rows = earlier.rows;
            covered.rows.extend(self.rows(store, trail, &relevant, read));
            (covered.ledger, covered.is_known) = (earlier.ledger, earlier.is_known);
        } else {
            let relevant = trail.leading_to_all(inventory, covered.targets.clone());
            let whole = match store.is_part() {
                true => Some(store.whole(repository, self.threads)?),
                false => None,
            };
            covered.rows = self.rows(whole.as_ref().unwrap_or(store), trail, &relevant, read);
        }
        Some(covered)
    }

    fn work(self, objects: &Objects<'_>, threads: usize, work: &(dyn Fn(Worker<'_, '_>) + Sync)) -> Done {
        let Self { history, shallow, progress, memory, .. } = self;
        let shared =
            Shared { history, shallow, progress, memory, objects, threads, large_blob: Mutex::new(()) };
        let mut done = Done::default();
        thread::scope(|scope| {
            let work = || shared.work(self.new_visitor.visitor(), work);
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
    memory: Option<&'s Memory>,
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
