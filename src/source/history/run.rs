//! One pass over the history: what is read of it in which order, and what is read once more.

use std::collections::{BTreeSet, HashSet};
use std::panic;
use std::sync::atomic::AtomicUsize;
use std::sync::{Mutex, PoisonError};
use std::thread;

use super::cache::{Covered, Memory, State};
use super::families::Families;
use super::worker::{Objects, Shared, Wanted, Worker};
use super::{History, Keeping};
use crate::coverage::{Coverage, Problem, SkipReason};
use crate::git::{
    Changes, Damage, Fault, Inventory, ObjectKind, ObjectReader, Pending, Reachable, Relevant, Repository,
    RevisionRange, Roots, Rows, Store, Trail,
};
use crate::location::{ObjectId, Origin};
use crate::progress::Progress;
use crate::source::NewVisitor;

/// How many objects a worker takes at once. Neighbours in a pack are deltas of each other, so that is many.
const CHUNK: usize = 512;

/// One pass over the history.
#[derive(Clone, Copy)]
pub(super) struct Run<'r, 'v> {
    pub(super) history: &'r History,
    pub(super) reader: &'r ObjectReader<'r>,
    pub(super) shallow: &'r HashSet<ObjectId>,
    pub(super) threads: usize,
    pub(super) new_visitor: &'r NewVisitor<'v>,
    pub(super) progress: &'r Progress,
    /// What earlier audits know, if what comes of each object is to be noted.
    pub(super) memory: Option<&'r Memory>,
}

/// What a worker, or all of them, did.
#[derive(Default)]
pub(super) struct Done {
    pub(super) coverage: Coverage,
    pub(super) damage: Damage,
    /// Those that were read; what a cache knows of others is in the trail.
    pub(super) commits: Vec<ObjectId>,
    pub(super) submodules: BTreeSet<ObjectId>,
    /// What came of the objects that were read to their end, by number in the inventory, if that is remembered.
    pub(super) seen: Vec<(u32, State)>,
    /// The notes on blobs that were read to their end.
    pub(super) held: Vec<(u32, Vec<u8>)>,
    /// What objects refer to and is not there. That is no damage in what waits for garbage collection, parts of
    /// which may have been collected already.
    pub(super) loose_ends: HashSet<ObjectId>,
    /// All trees with those of the loose ends that they refer to; `None` if other objects do as well, or it is not
    /// known.
    pub(super) holders: Option<Vec<(u32, ObjectId)>>,
    pub(super) trail: Trail,
    /// Entries of trees that were not copied, to be looked up together.
    pub(super) links: Vec<Pending>,
}

/// How many links are looked up at once: so many that their waiting for memory overlaps, so few that they stay near.
pub(super) const LINKS: usize = 256;

impl Done {
    pub(super) fn is_undamaged(&self) -> bool {
        self.coverage.problems.is_empty() && self.damage.is_empty()
    }

    /// Notes whether that is there to which trees refer.
    pub(super) fn resolve_links(&mut self, inventory: &Inventory) {
        let numbers = inventory.numbers(self.links.iter().map(|link| link.object.as_raw()));
        for (number, &link) in numbers.zip(&self.links) {
            if number.is_none() {
                self.loose_ends.insert(link.object);
            }
            self.trail.entry(link, number);
        }
        self.links.clear();
    }

    pub(super) fn merge(&mut self, other: Done) {
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
    pub(super) fn everything(self, repository: &Repository) -> Done {
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
        let is_known = is_listed && !trail.is_lost() && !done.damage.has_unreadable();
        if !is_known && let Some(memory) = &memory {
            let commits = memory.known().filter(|(_, state)| *state == State::Commit);
            done.commits.extend(commits.map(|(number, _)| store.inventory.id(number)));
        }
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
        let is_listed = faults.is_empty();
        done.coverage.refs = roots.refs;
        done.coverage.problems.extend(roots.faults.iter().cloned().chain(faults).map(Problem::from));
        self.note_shallow(&mut done.coverage);
        let mut loose_ends = HashSet::new();
        if self.history.options.reachable_only {
            done.merge(self.reachable(inventory, store, roots, is_listed));
        } else {
            done.merge(match (store, memory.as_deref_mut()) {
                (Some(store), Some(memory)) => self.remembering(store, memory),
                (Some(store), None) => self.families(store, &Objects::All(inventory), None),
                (None, _) => self.objects(&Objects::All(inventory)),
            });
            done.trail.finish();
            // The walk is worth its time only when something may be missing: when every link of every
            // object leads somewhere, nothing that is reachable can be.
            loose_ends = std::mem::take(&mut done.loose_ends);
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
                        Reachable::walk(self.reader, inventory, roots, self.shallow, &mut done.damage);
                    }
                }
            }
        }
        loose_ends.extend(done.damage.names_of_missing());
        let _ = self.history.loose_ends.set(loose_ends);
        done
    }

    /// Reads what can be reached; the quick way needs all packs.
    fn reachable(self, inventory: &Inventory, store: Option<&Store>, roots: &Roots, is_listed: bool) -> Done {
        let mut done = Done::default();
        let sound = store.filter(|store| is_listed && store.hopeless.is_empty());
        if let Some((store, reached)) = sound.and_then(|store| Some((store, self.reached(store, roots)?))) {
            let is_reached = |number| reached.contains(number);
            done = self.families(store, &Objects::All(inventory), Some(&is_reached));
            done.trail.finish();
            done.loose_ends.clear();
            reached.missing.iter().for_each(|(id, holder)| done.damage.missing(*id, holder));
            return done;
        }
        // Without the trees there is no trail.
        done.trail.lose();
        let reachable = Reachable::walk(self.reader, inventory, roots, self.shallow, &mut done.damage);
        let is_read = |id: &ObjectId| reachable.kind(id).is_some_and(|kind| kind != ObjectKind::Tree);
        done.submodules.extend(&reachable.submodules);
        done.merge(match store {
            Some(store) => {
                let is_read = |number| is_read(&inventory.id(number));
                self.families(store, &Objects::These(Vec::new()), Some(&is_read))
            }
            None => self.objects(&Objects::These(inventory.in_reading_order().filter(is_read).collect())),
        });
        done
    }

    pub(super) fn range(self, range: &RevisionRange) -> Done {
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
                State::Binary => {
                    done.coverage.skip(inventory.id(number).to_string(), SkipReason::Binary);
                    continue;
                }
                State::Tree => continue,
                State::Commit | State::Tag | State::Blob | State::Again | State::Held => {}
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
    pub(super) fn objects(self, objects: &Objects<'_>) -> Done {
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
        let relevant = trail.and_then(|trail| match earlier {
            Some((_, covered)) => {
                let trees = (0..inventory.len() as u32).filter(is_leading);
                Some(trail.leading_after(inventory, &[], trees, &covered.is_known))
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
    pub(super) fn rows(
        self,
        store: &Store,
        trail: &Trail,
        relevant: &Relevant,
        read: &mut Done,
    ) -> Vec<Rows> {
        if let Some(rows) = trail.rows(&store.inventory, relevant) {
            return vec![rows];
        }
        let families = Families::with_rows(store, relevant);
        let threads = self.threads.max(1);
        read.merge(self.work(&Objects::All(&store.inventory), threads, &|worker| families.work(worker)));
        families.into_rows()
    }

    /// Finds the trees that lead to some objects, to those that were attributed before, or to what is missing; as
    /// far as that is known from before, trees are not read again. `None` if they, or what is known, cannot be read.
    pub(super) fn cover(
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
            let relevant = trail.leading_to_all(inventory, covered.targets.clone())?;
            let whole = match store.is_part() {
                true => Some(store.whole(repository, self.threads)?),
                false => None,
            };
            covered.rows = self.rows(whole.as_ref().unwrap_or(store), trail, &relevant, read);
        }
        Some(covered)
    }

    pub(super) fn work(
        self,
        objects: &Objects<'_>,
        threads: usize,
        work: &(dyn Fn(Worker<'_, '_>) + Sync),
    ) -> Done {
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
