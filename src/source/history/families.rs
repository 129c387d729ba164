//! Reads packs family by family: an object, then everything that is stored as a difference to it.
//!
//! Each family is walked once from its root, depth first, so that every delta is applied to a base that is at
//! hand. The way down is a stack of expanded objects; an object leaves it when its last child is taken, so a
//! long chain needs no more room than a short one. A worker without work is given a part of another's
//! stack: a single family can be most of a repository.
//!
//! What cannot be read this way is read through libgit2 by name, which finds other copies of an object, and
//! only if that fails too is it damage.

use std::cell::RefCell;
use std::collections::{HashSet, VecDeque};
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::reached::{Notes, Pass, reach};
use super::worker::{ObjectError, Wanted, Worker};
use crate::derived::{Copies, Derivation, Trace};
use crate::git::pack::delta::Delta;
use crate::git::pack::{Base, EntryError, Inflater, Pack, Root};
use crate::git::{ObjectKind, Outline, OutlineBase, Relevant, Rows, Store, TreeEntries, links_of};
use crate::location::ObjectId;

/// How many families, or single objects, a worker takes at once. Neighbours share pages of the pack.
const CHUNK: usize = 64;

/// Expanded objects that all workers together hold for their children, in bytes. Beyond that the oldest are let
/// go and read again when it is their turn.
const HELD_BYTES: usize = 48 << 20;

/// No worker has less than this of it.
const MIN_HELD_BYTES: usize = 4 << 20;

/// Buffers above this size are not kept for the next object.
const SPARE_BYTES: usize = 4 << 20;
const SPARE_BUFFERS: usize = 16;

/// The families of a store, shared by the workers.
pub(super) struct Families<'f> {
    store: &'f Store,
    wanted: Wanted<'f>,
    /// What is wanted, or on the way to it. All is where nothing is given.
    needed: Option<Needed>,
    /// Set when nothing is handed out and only links are noted: the objects that are not there.
    loose_ends: Option<&'f HashSet<ObjectId>>,
    links: Mutex<Links>,
    /// Set when only the relevant trees are read, and their rows noted.
    relevant: Option<(&'f Relevant, Needed)>,
    /// What is read beside them.
    others: &'f [u32],
    rows: Mutex<Vec<Rows>>,
    /// Set when nothing is handed out and what tells of reachable objects is noted.
    pass: Option<Pass<'f>>,
    notes: Mutex<Notes>,
    /// How many roots the packs before have.
    root_starts: Vec<usize>,
    root_count: usize,
    next_root: AtomicUsize,
    next_other: AtomicUsize,
    pool: Mutex<Pool>,
    wake: Condvar,
    /// How many workers wait for work.
    hungry: AtomicUsize,
}

/// What refers to what, by numbers of the inventory. Blobs refer to nothing and are left out.
#[derive(Default)]
pub(super) struct Links {
    pub(super) edges: Vec<(u32, u32)>,
    pub(super) loose_ends: Vec<(u32, ObjectKind, ObjectId)>,
}

impl Links {
    fn add(&mut self, holder: u32, kind: ObjectKind, link: Result<u32, ObjectId>) {
        match link {
            Ok(number) => self.edges.push((holder, number)),
            Err(missing) => self.loose_ends.push((holder, kind, missing)),
        }
    }

    fn merge(&mut self, other: Links) {
        self.edges.extend(other.edges);
        self.loose_ends.extend(other.loose_ends);
    }

    /// The loose ends of what can be reached from some of `count` objects.
    pub(super) fn reachable_loose_ends(
        self,
        count: usize,
        waiting: Vec<u32>,
    ) -> impl Iterator<Item = (u32, ObjectKind, ObjectId)> {
        let is_reached = reach(self.edges, count, waiting);
        self.loose_ends.into_iter().filter(move |(holder, ..)| is_reached[*holder as usize])
    }
}

/// Work that was given away, and who waits for some.
#[derive(Default)]
struct Pool {
    given: Vec<Frame>,
    waiting: usize,
    /// Workers at work or waiting. One that cannot start, or that panics, must not be waited for.
    present: usize,
}

/// An object on the way down, and which of its children is next.
struct Frame {
    pack: usize,
    entry: u32,
    kind: ObjectKind,
    held: Held,
    next_child: u32,
}

/// The object that deltas are on.
#[derive(Clone)]
enum Held {
    Expanded(Arc<Expanded>),
    /// Let go to save memory.
    Released,
    /// It cannot be read here.
    Lost,
}

struct Expanded {
    bytes: Vec<u8>,
    trace: Option<Trace>,
    /// The number of a tree.
    number: Option<u32>,
    /// The entries of a tree, where they were read.
    outline: Option<Outline>,
}

impl Expanded {
    /// A tree whose entries were read, as that from which another is copied.
    fn outlined<'b>(&'b self, copies: &'b Copies) -> Option<OutlineBase<'b>> {
        Some(OutlineBase { bytes: &self.bytes, outline: self.outline.as_ref()?, copies })
    }
}

/// By pack and entry: whether it has to be expanded, since it or one made from it is wanted.
struct Needed(Vec<Vec<bool>>);

/// Marks an entry and those on the way to it.
fn need(needed: &mut [bool], bases: &[u32], mut entry: u32) {
    // One that starts a family is its own base.
    while !std::mem::replace(&mut needed[entry as usize], true) {
        entry = bases[entry as usize];
    }
}

impl Needed {
    /// What leads to the objects whose numbers are wanted. All entries are gone through, since that is faster than to
    /// look up the names of half of them.
    fn leading_to(store: &Store, is_wanted: impl Fn(u32) -> bool) -> Self {
        let needed = store.forests.iter().enumerate().map(|(pack, forest)| {
            let bases = forest.bases();
            let mut needed = vec![false; bases.len()];
            for entry in 0..bases.len() as u32 {
                if store.is_first(pack, entry) && is_wanted(store.number(pack, entry)) {
                    need(&mut needed, &bases, entry);
                }
            }
            needed
        });
        Self(needed.collect())
    }

    fn new(store: &Store, relevant: &Relevant, others: &[u32]) -> Self {
        let is_wanted = |number| relevant.is_wanted(number) || others.binary_search(&number).is_ok();
        Self::leading_to(store, is_wanted)
    }
}

impl Held {
    fn len_bytes(&self) -> usize {
        match self {
            Held::Expanded(expanded) => {
                expanded.bytes.capacity()
                    + expanded.trace.as_ref().map_or(0, Trace::len_bytes)
                    + expanded.outline.as_ref().map_or(0, Outline::len_bytes)
            }
            Held::Released | Held::Lost => 0,
        }
    }
}

enum Work {
    Roots(Range<usize>),
    Others(Range<usize>),
    Frame(Frame),
}

impl<'f> Families<'f> {
    pub(super) fn new(store: &'f Store, wanted: Wanted<'f>) -> Self {
        let mut root_count = 0;
        let mut root_starts = Vec::with_capacity(store.forests.len());
        for forest in &store.forests {
            root_starts.push(root_count);
            root_count += forest.roots().len();
        }
        Self {
            store,
            wanted,
            needed: None,
            loose_ends: None,
            links: Mutex::default(),
            relevant: None,
            others: &[],
            rows: Mutex::default(),
            pass: None,
            notes: Mutex::default(),
            root_starts,
            root_count,
            next_root: AtomicUsize::new(0),
            next_other: AtomicUsize::new(0),
            pool: Mutex::default(),
            wake: Condvar::new(),
            hungry: AtomicUsize::new(0),
        }
    }

    /// Notes what commits, tags and trees refer to, and hands out nothing. Where it is known which trees are
    /// relevant, other trees are left out, and of commits and tags only those given with them are read, which are
    /// sorted.
    pub(super) fn with_links(
        store: &'f Store,
        loose_ends: &'f HashSet<ObjectId>,
        relevant: Option<(&'f Relevant, &'f [u32])>,
    ) -> Self {
        let others = relevant.map_or(&[][..], |(_, others)| others);
        let relevant = relevant.map(|(relevant, _)| (relevant, Needed::new(store, relevant, others)));
        Self { loose_ends: Some(loose_ends), relevant, others, ..Self::new(store, None) }
    }

    /// Notes what the relevant trees have of what is relevant, and hands out nothing.
    pub(super) fn with_rows(store: &'f Store, relevant: &'f Relevant) -> Self {
        Self { relevant: Some((relevant, Needed::new(store, relevant, &[]))), ..Self::new(store, None) }
    }

    /// Notes what tells of reachable objects, and hands out nothing. What is not wanted is left alone.
    pub(super) fn with_notes(store: &'f Store, pass: Pass<'f>, wanted: Wanted<'f>) -> Self {
        let families = Self { pass: Some(pass), ..Self::new(store, wanted) };
        if wanted.is_some() { families.leaving_the_rest() } else { families }
    }

    /// What was noted on them.
    pub(super) fn into_notes(self) -> Notes {
        self.notes.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was noted of trees, by worker.
    pub(super) fn into_rows(self) -> Vec<Rows> {
        self.rows.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether nothing is handed out.
    fn notes_only(&self) -> bool {
        self.loose_ends.is_some() || self.relevant.is_some() || self.pass.is_some()
    }

    /// Whether that is what trees have of what is relevant.
    fn notes_rows(&self) -> bool {
        self.loose_ends.is_none() && self.relevant.is_some()
    }

    /// Leaves alone what is not wanted and on the way to nothing that is: pays where few objects are wanted.
    pub(super) fn leaving_the_rest(self) -> Self {
        let needed = Needed::leading_to(self.store, |number| self.is_wanted(number));
        Self { needed: Some(needed), ..self }
    }

    /// Whether the object of a number is to be handed out or noted.
    fn is_wanted(&self, number: u32) -> bool {
        self.wanted.is_none_or(|wanted| wanted(number))
    }

    /// Whether an object that lies in no pack is to be noted.
    fn notes_other(&self, id: &ObjectId) -> bool {
        let number = self.store.inventory.number(id.as_raw());
        let Some((relevant, _)) = &self.relevant else {
            return number.is_none_or(|number| self.is_wanted(number));
        };
        number.is_some_and(|number| relevant.is_wanted(number) || self.others.binary_search(&number).is_ok())
    }

    fn is_needed(&self, pack: usize, entry: u32) -> bool {
        self.needed.as_ref().is_none_or(|needed| needed.0[pack][entry as usize])
            && self.relevant.as_ref().is_none_or(|(_, needed)| needed.0[pack][entry as usize])
    }

    /// The first child that is needed.
    fn first_child(&self, pack: usize, entry: u32) -> Option<u32> {
        self.needed_from(pack, self.store.forests[pack].first_child(entry))
    }

    /// The next delta on the same base that is needed.
    fn next_sibling(&self, pack: usize, entry: u32) -> Option<u32> {
        self.needed_from(pack, self.store.forests[pack].next_sibling(entry))
    }

    fn needed_from(&self, pack: usize, mut entry: Option<u32>) -> Option<u32> {
        while let Some(candidate) = entry
            && !self.is_needed(pack, candidate)
        {
            entry = self.store.forests[pack].next_sibling(candidate);
        }
        entry
    }

    /// How many entries and single objects there are to go through.
    pub(super) fn len(&self) -> usize {
        let packed = match &self.needed {
            None => self.store.packs.iter().map(|pack| pack.index().len()).sum::<usize>(),
            Some(needed) => needed.0.iter().flatten().filter(|needed| **needed).count(),
        };
        packed + self.store.others.len()
    }

    /// What was noted.
    pub(super) fn into_links(self) -> Links {
        self.links.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// Works until all workers are done.
    pub(super) fn work(&self, worker: Worker<'_, '_>) {
        let _presence = Presence::new(self);
        Walker {
            families: self,
            max_held_bytes: (HELD_BYTES / worker.threads()).max(MIN_HELD_BYTES),
            worker,
            inflater: Inflater::new(),
            delta: Vec::new(),
            copies: Copies::default(),
            stack: VecDeque::new(),
            held_bytes: 0,
            spare: Vec::new(),
            links: Links::default(),
            rows: Rows::default(),
            notes: Notes::default(),
            outline: Outline::default(),
        }
        .work();
    }

    fn root(&self, number: usize) -> (usize, u32) {
        let pack = self.root_starts.partition_point(|&start| start <= number) - 1;
        (pack, self.store.forests[pack].roots()[number - self.root_starts[pack]])
    }

    fn take(&self) -> Option<Work> {
        let next = |counter: &AtomicUsize, count: usize| {
            // Without the look first the counter would go on for ever.
            let start = match counter.load(Ordering::Relaxed) < count {
                true => counter.fetch_add(CHUNK, Ordering::Relaxed),
                false => count,
            };
            (start < count).then(|| start..(start + CHUNK).min(count))
        };
        if let Some(roots) = next(&self.next_root, self.root_count) {
            return Some(Work::Roots(roots));
        }
        if let Some(others) = next(&self.next_other, self.store.others.len()) {
            return Some(Work::Others(others));
        }
        let mut pool = self.pool();
        pool.waiting += 1;
        self.hungry.fetch_add(1, Ordering::Relaxed);
        loop {
            if let Some(frame) = pool.given.pop() {
                pool.waiting -= 1;
                self.hungry.fetch_sub(1, Ordering::Relaxed);
                return Some(Work::Frame(frame));
            }
            if pool.waiting >= pool.present {
                pool.waiting -= 1;
                self.hungry.fetch_sub(1, Ordering::Relaxed);
                return None;
            }
            pool = self.wake.wait(pool).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn give(&self, frame: Frame) {
        self.pool().given.push(frame);
        self.wake.notify_one();
    }

    fn pool(&self) -> MutexGuard<'_, Pool> {
        self.pool.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A worker that may have work to give away.
struct Presence<'p>(&'p Families<'p>);

impl<'p> Presence<'p> {
    fn new(families: &'p Families<'p>) -> Self {
        families.pool().present += 1;
        Self(families)
    }
}

impl Drop for Presence<'_> {
    fn drop(&mut self) {
        self.0.pool().present -= 1;
        self.0.wake.notify_all();
    }
}

/// Why an object was not expanded.
enum Refusal {
    Entry(EntryError),
    /// It is a blob of so many bytes.
    TooLarge(u64),
}

impl From<EntryError> for Refusal {
    fn from(error: EntryError) -> Self {
        Refusal::Entry(error)
    }
}

/// Walks families on one thread.
struct Walker<'w, 'v> {
    families: &'w Families<'w>,
    worker: Worker<'w, 'v>,
    inflater: Inflater,
    /// Buffer for the instructions of a delta.
    delta: Vec<u8>,
    /// What the last delta copied.
    copies: Copies,
    /// The way down, the outermost object first.
    stack: VecDeque<Frame>,
    held_bytes: usize,
    max_held_bytes: usize,
    spare: Vec<Vec<u8>>,
    links: Links,
    rows: Rows,
    notes: Notes,
    /// Buffer for the entries of a tree.
    outline: Outline,
}

impl<'w> Walker<'w, '_> {
    fn work(mut self) {
        while let Some(work) = self.families.take() {
            match work {
                Work::Roots(numbers) => {
                    for number in numbers {
                        let (pack, entry) = self.families.root(number);
                        if self.families.is_needed(pack, entry) {
                            self.root(pack, entry);
                            self.walk();
                        }
                    }
                }
                Work::Others(numbers) => {
                    for id in &self.families.store.others[numbers] {
                        if self.families.notes_only() {
                            if self.families.notes_other(id) {
                                self.note_by_name(*id);
                            }
                        } else {
                            let number = self.families.store.inventory.number(id.as_raw());
                            if number.is_none_or(|number| self.families.is_wanted(number)) {
                                self.worker.one(*id);
                            }
                        }
                        self.worker.pass();
                    }
                }
                Work::Frame(frame) => {
                    self.push(frame);
                    self.walk();
                }
            }
        }
        self.families.links.lock().unwrap_or_else(PoisonError::into_inner).merge(self.links);
        self.families.rows.lock().unwrap_or_else(PoisonError::into_inner).push(self.rows);
        self.families.notes.lock().unwrap_or_else(PoisonError::into_inner).merge(self.notes);
    }

    fn root(&mut self, pack: usize, entry: u32) {
        match self.families.store.forests[pack].root(entry) {
            Root::Whole => match self.families.store.packs[pack].header(entry).map(|header| header.base) {
                // Without links to follow, trees are of no interest.
                Ok(Base::Whole(ObjectKind::Tree)) if !self.worker.follows_links() => {}
                Ok(Base::Whole(ObjectKind::Blob)) if self.families.notes_only() => {}
                Ok(Base::Whole(kind)) => self.visit(pack, entry, kind, None),
                Ok(_) | Err(_) => self.give_up(pack, entry, ObjectKind::Blob, EntryError::Header),
            },
            Root::Elsewhere(id) => match self.worker.reader.read(&id) {
                Ok(object) => {
                    let number = self.families.store.inventory.number(id.as_raw());
                    let bytes = object.bytes().to_vec();
                    let base = Expanded { bytes, trace: None, number, outline: None };
                    let kind = object.kind();
                    drop(object);
                    self.visit(pack, entry, kind, Some(&base));
                }
                Err(_) => self.give_up(pack, entry, ObjectKind::Blob, EntryError::NoBase),
            },
            Root::Broken(error) => self.give_up(pack, entry, ObjectKind::Blob, error),
        }
    }

    fn walk(&mut self) {
        while let Some(mut frame) = self.stack.pop_back() {
            self.held_bytes -= frame.held.len_bytes();
            if self.families.hungry.load(Ordering::Relaxed) > 0
                && let Some(outermost) = self.stack.pop_front()
            {
                self.held_bytes -= outermost.held.len_bytes();
                self.families.give(outermost);
            }
            self.restore(&mut frame);
            let child = frame.next_child;
            let (pack, kind) = (frame.pack, frame.kind);
            let held = match self.families.next_sibling(pack, child) {
                Some(next_child) => {
                    let rest = Frame { held: frame.held.clone(), next_child, ..frame };
                    if self.families.hungry.load(Ordering::Relaxed) > 0 {
                        self.families.give(rest);
                    } else {
                        self.push(rest);
                    }
                    frame.held
                }
                None => frame.held,
            };
            match &held {
                Held::Expanded(base) => self.visit(pack, child, kind, Some(base)),
                Held::Released | Held::Lost => self.give_up(pack, child, kind, EntryError::Base),
            }
            if let Held::Expanded(base) = held
                && let Some(base) = Arc::into_inner(base)
            {
                self.keep_buffer(base.bytes);
            }
        }
    }

    fn push(&mut self, frame: Frame) {
        self.held_bytes += frame.held.len_bytes();
        self.stack.push_back(frame);
        let mut oldest = 0;
        while self.held_bytes > self.max_held_bytes && oldest + 1 < self.stack.len() {
            let held = &mut self.stack[oldest].held;
            if matches!(held, Held::Expanded(_)) {
                self.held_bytes -= held.len_bytes();
                *held = Held::Released;
            }
            oldest += 1;
        }
    }

    /// Reads an object again that was let go.
    fn restore(&mut self, frame: &mut Frame) {
        if !matches!(frame.held, Held::Released) {
            return;
        }
        let id = self.families.store.packs[frame.pack].index().id(frame.entry);
        let number = Some(self.families.store.number(frame.pack, frame.entry));
        frame.held = match self.worker.reader.read(&id) {
            Ok(object) => {
                let bytes = object.bytes().to_vec();
                Held::Expanded(Arc::new(Expanded { bytes, trace: None, number, outline: None }))
            }
            Err(_) => Held::Lost,
        };
    }

    /// Expands an object, hands it out if it is wanted, and goes down to its children.
    fn visit(&mut self, pack: usize, entry: u32, kind: ObjectKind, base: Option<&Expanded>) {
        self.worker.pass();
        let store = self.families.store;
        let mut bytes = self.spare.pop().unwrap_or_default();
        bytes.clear();
        let turn = match self.expand(&store.packs[pack], entry, kind, base, &mut bytes) {
            Ok(turn) => turn,
            Err(Refusal::Entry(error)) => return self.give_up(pack, entry, kind, error),
            Err(Refusal::TooLarge(len)) => {
                if let Some(id) = self.wanted(pack, entry) {
                    self.worker.leave_out(id, len);
                }
                return self.descend(pack, entry, kind, Held::Lost);
            }
        };
        let is_base = self.families.first_child(pack, entry).is_some();
        let number = store.number(pack, entry);
        let is_wanted = self.is_wanted(pack, entry);
        // Looking up a name waits for memory, and those of trees are hardly ever asked for.
        let id = || store.packs[pack].index().id(entry);
        let mut trace = None;
        let mut outline = std::mem::take(&mut self.outline);
        outline.clear();
        if self.families.notes_only() {
            if is_wanted {
                if self.families.notes_rows() && kind == ObjectKind::Tree {
                    // What is wrong with it was said before.
                    let known = base.and_then(|base| base.outlined(&self.copies));
                    let _ = outline.read(&bytes, store.inventory.id_len(), known.as_ref(), |_| {});
                }
                self.note(number, kind, &bytes, &outline);
            }
        } else if is_wanted {
            let derived = base.map(|base| (base, &self.copies));
            let done = match (kind, derived) {
                (ObjectKind::Blob, _) => {
                    let base = derived.and_then(|(base, copies)| Some((base.trace.as_ref()?, copies)));
                    let derivation = Derivation { base, is_base, trace: RefCell::default() };
                    self.worker.blob_bytes(id(), Some(number), &bytes, Some(&derivation));
                    trace = derivation.trace.into_inner();
                    Ok(())
                }
                (ObjectKind::Tree, _) => {
                    let base = derived.and_then(|(base, copies)| base.number.zip(base.outlined(copies)));
                    self.worker.new_links(number, &bytes, base, &mut outline)
                }
                _ => self.worker.message(id(), Some(number), kind, &bytes),
            };
            if let Err(error) = done {
                self.worker.done.damage.malformed(id(), error);
            }
        }
        drop(turn);
        if is_base {
            // A tree that was passed over is no base of others: its entries are not known.
            let outline = (kind == ObjectKind::Tree && is_wanted).then_some(outline);
            let expanded = Expanded { bytes, trace, number: Some(number), outline };
            self.descend(pack, entry, kind, Held::Expanded(Arc::new(expanded)));
        } else {
            self.keep_buffer(bytes);
            self.outline = outline;
        }
    }

    /// Fills the empty `bytes`, and `copies` where the entry is a delta. Large blobs get a turn.
    fn expand(
        &mut self,
        pack: &Pack,
        entry: u32,
        kind: ObjectKind,
        base: Option<&Expanded>,
        bytes: &mut Vec<u8>,
    ) -> Result<Option<MutexGuard<'w, ()>>, Refusal> {
        let header = pack.header(entry)?;
        let turn = |worker: &Worker<'w, '_>, len| match kind {
            ObjectKind::Blob => worker.turn(len).map_err(|_| Refusal::TooLarge(len)),
            _ => Ok(None),
        };
        let Some(base) = base else {
            let turn = turn(&self.worker, header.size_bytes)?;
            pack.inflate(entry, &header, &mut self.inflater, bytes)?;
            return Ok(turn);
        };
        self.delta.clear();
        pack.inflate(entry, &header, &mut self.inflater, &mut self.delta)?;
        let delta = Delta::parse(&self.delta)?;
        let turn = turn(&self.worker, delta.result_bytes)?;
        delta.apply(&base.bytes, bytes, &mut self.copies)?;
        Ok(turn)
    }

    fn descend(&mut self, pack: usize, entry: u32, kind: ObjectKind, held: Held) {
        if let Some(next_child) = self.families.first_child(pack, entry) {
            self.push(Frame { pack, entry, kind, held, next_child });
        }
    }

    /// Whether an entry is to be handed out or noted.
    fn is_wanted(&self, pack: usize, entry: u32) -> bool {
        let store = self.families.store;
        store.is_first(pack, entry) && self.families.is_wanted(store.number(pack, entry))
    }

    /// The name of an entry that is.
    fn wanted(&self, pack: usize, entry: u32) -> Option<ObjectId> {
        self.is_wanted(pack, entry).then(|| self.families.store.packs[pack].index().id(entry))
    }

    /// Reads an object by its name, since its entry cannot be read.
    fn give_up(&mut self, pack: usize, entry: u32, kind: ObjectKind, error: EntryError) {
        if self.families.notes_only() {
            if let Some(id) = self.wanted(pack, entry) {
                self.note_by_name(id);
            }
        } else if let Some(id) = self.wanted(pack, entry) {
            match self.worker.object(id) {
                Ok(()) => {}
                Err(ObjectError::Malformed(error)) => self.worker.done.damage.malformed(id, error),
                Err(ObjectError::Read(_)) => {
                    let place = self.families.store.packs[pack].place(entry);
                    self.worker.done.damage.unreadable(id, format!("{error}, {place}"));
                }
            }
        }
        self.descend(pack, entry, kind, Held::Lost);
    }

    fn note_by_name(&mut self, id: ObjectId) {
        let read = self.worker.reader.read(&id).map(|object| (object.kind(), object.bytes().to_vec()));
        let (kind, bytes) = match read {
            Ok(read) => read,
            // It may have been said before, and it may be news: what a cache knows was not read until now.
            Err(error) => return self.worker.unread(id, error),
        };
        let mut outline = Outline::default();
        if kind == ObjectKind::Tree {
            let _ = outline.read(&bytes, id.as_raw().len(), None, |_| {});
        }
        if let Some(number) = self.families.store.inventory.number(id.as_raw()) {
            self.note(number, kind, &bytes, &outline);
        }
    }

    /// Notes what is asked for of an object.
    fn note(&mut self, number: u32, kind: ObjectKind, bytes: &[u8], outline: &Outline) {
        let inventory = &self.families.store.inventory;
        if let Some(pass) = self.families.pass {
            return self.notes.note(pass, inventory, (number, kind), bytes, |id| self.worker.is_shallow(id));
        }
        match &self.families.relevant {
            Some((relevant, _)) if self.families.notes_rows() => {
                if kind == ObjectKind::Tree && relevant.is_wanted(number) {
                    self.rows.add(inventory, relevant, number, (bytes, outline));
                }
            }
            _ => self.note_links(number, kind, bytes),
        }
    }

    /// Notes what an object refers to, up to where it makes no sense.
    fn note_links(&mut self, holder: u32, kind: ObjectKind, bytes: &[u8]) {
        let Some(loose_ends) = self.families.loose_ends else { return };
        let inventory = &self.families.store.inventory;
        if kind != ObjectKind::Tree {
            let id = inventory.id(holder);
            let mut links = Vec::new();
            let _ = links_of(&id, kind, bytes, self.worker.is_shallow(&id), &mut links);
            for (link, _) in links {
                self.links.add(holder, kind, inventory.number(link.as_raw()).ok_or(link));
            }
            return;
        }
        let relevant = self.families.relevant.as_ref().map(|(relevant, _)| *relevant);
        if relevant.is_some_and(|relevant| !relevant.is_leading(holder)) {
            return;
        }
        let mut entries = TreeEntries::new(bytes, inventory.id_len());
        while let Ok(Some((link_kind, link))) = entries.next_link() {
            match link_kind {
                ObjectKind::Tree => {
                    let number = match relevant {
                        Some(relevant) => relevant.leading_number(inventory, link),
                        None => inventory.number(link),
                    };
                    if let Some(number) = number {
                        self.links.edges.push((holder, number));
                        continue;
                    }
                }
                ObjectKind::Blob => {}
                ObjectKind::Commit | ObjectKind::Tag => continue,
            }
            if let Some(link) = ObjectId::from_raw(link)
                && loose_ends.contains(&link)
            {
                self.links.loose_ends.push((holder, kind, link));
            }
        }
    }

    fn keep_buffer(&mut self, buffer: Vec<u8>) {
        if buffer.capacity() <= SPARE_BYTES && self.spare.len() < SPARE_BUFFERS {
            self.spare.push(buffer);
        }
    }
}
