//! The history of a repository: every blob of the object database once, and the messages of commits and
//! annotated tags; or what a range of commits brings in.

mod cache;
mod families;
mod reached;
mod run;
mod worker;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

use cache::{Covered, Memory, News, State};
use run::{Done, Run};
use worker::Objects;

use super::{NewVisitor, Searched, Source, Spot, Visitor};
use crate::coverage::{Coverage, Problem, SkipReason};
use crate::fingerprint::Fingerprint;
use crate::git::push::Pushed;
use crate::git::{
    Attributor, Damage, Fault, Known, ObjectReader, OpenError, Repository, RevisionError, RevisionRange,
    Roots, Scope, Store, Trail, commit_info,
};
use crate::location::{Appearance, CommitInfo, Exposure, ObjectId};
use crate::progress::Progress;

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
    /// everything that decides what a match is, which the engine has. Of use only where everything is read by its
    /// deltas: with ranges, `reachable_only` or `no_delta` nothing is remembered.
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
    /// The commits that [`Source::drive`] read, dangling ones among them: attribution starts from them, and from those of
    /// the trail.
    commits: OnceLock<Vec<ObjectId>>,
    /// See [`Store::hopeless`].
    hopeless: OnceLock<HashSet<ObjectId>>,
    notes: OnceLock<Vec<String>>,
    /// What [`Source::drive`] read, if that was all, and what it noted on the way.
    known: OnceLock<(Store, Trail)>,
    /// What is missing, as far as it was noticed when everything was read: what of it is reachable was said then.
    loose_ends: OnceLock<HashSet<ObjectId>>,
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
            loose_ends: OnceLock::new(),
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
                None => {
                    let relevant = trail.leading_to(&store.inventory, objects)?;
                    Some(run.rows(store, trail, &relevant, &mut read))
                }
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
            let loose_ends = self.loose_ends.get_or_init(HashSet::new);
            let faults = attributor.into_faults(loose_ends, repository.is_partial_clone());
            coverage.problems.extend(roots.faults.into_iter().chain(faults).map(Problem::from));
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
