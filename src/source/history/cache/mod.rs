//! What earlier audits of a history know of its objects, kept in a file.
//!
//! The file lies in the directory `stanch` beside the objects and is named after the digest of everything that
//! decides what a match is, so other rules have another file. It says of each object that was read to its end what
//! came of it: [`State`]. Objects never change, so that stays true wherever the object lies and however it is stored.
//!
//! Of a blob with matches the file has a note, which is the searcher's own
//! ([`Searched::Matches`](crate::source::Searched::Matches)): what they are, how sure and where. By the notes alone
//! the searcher says which blobs it has to read, since a report needs the bytes, and what it found in the others; so
//! findings are the same as without the file. The file holds no byte of their values and no hash of one, but that two
//! are the same, and the fingerprints that a report shows as well, since each takes milliseconds to work out.
//!
//! Links are different: what an object refers to can go. A file is *closed* when everything to which its
//! objects refer is among them, but for blobs that it names as missing. As long as all of a closed file is still there,
//! and nothing of what is missing, the links lead where they led, and commits and trees that it knows need no look.
//! Otherwise they are all read again. So it is in a repository with garbage of which git has collected a part, until it
//! collects the rest, and in a shallow clone.
//!
//! A closed file also names the packs. Git never changes a pack, so as long as they are there, and each object that lay
//! in none of them, there is no need to list what they hold: only what is new or had a match is looked for.
//!
//! Where little is new beside what a file says, it stays as it is, and what is new is read again the next time.
//!
//! A file that is not in its format (`file.rs`) to the last byte is left unused, and replaced by the next one. It is replaced
//! whole, by a rename, so that runs at the same time see one or the other and the last of them stays; each is
//! true, so nothing is lost but some time.

mod file;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use file::{
    CacheError, EDGES, Edges, FINGERPRINTS, HELD, HOLDERS, LEDGER, LOOSE, MISSING, NAMES, PACKS, PARTS, ROWS,
    Records, STATES, SUBMODULES, TARGETS, TRAIL, write_file,
};

use crate::fingerprint::Fingerprint;
use crate::git::{Earlier, Ledger, ObjectKind, PackMark, Repository, Rows, Store, Trail};
use crate::location::ObjectId;
use crate::source::{Known, NewVisitor, Spot};

/// How many files stay, the newest first: every change of the rules begins another one.
const KEPT_FILES: usize = 4;

/// A file is left as it is where this many times as many objects are known as are new: to read those again takes less
/// than to write the file, which on rails/rails is 74 MB.
const LITTLE: usize = 100;

/// What is known of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum State {
    /// A commit whose message holds no match.
    Commit = 1,
    /// A tree.
    Tree = 2,
    /// An annotated tag whose message holds no match.
    Tag = 3,
    /// A blob without a match.
    Blob = 4,
    /// A blob that is no text.
    Binary = 5,
    /// It was read, but is to be searched every time.
    Again = 6,
    /// A blob with matches, of which there is a note.
    Held = 7,
}

impl State {
    const ALL: [State; 7] =
        [State::Commit, State::Tree, State::Tag, State::Blob, State::Binary, State::Again, State::Held];

    /// What is known of an object without a match.
    pub(super) fn clean(kind: ObjectKind) -> Self {
        match kind {
            ObjectKind::Commit => State::Commit,
            ObjectKind::Tree => State::Tree,
            ObjectKind::Blob => State::Blob,
            ObjectKind::Tag => State::Tag,
        }
    }

    fn of(byte: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|state| *state as u8 == byte)
    }
}

/// What is known of the objects of an inventory.
pub(super) struct Memory {
    path: PathBuf,
    digest: [u8; 32],
    records: Option<Records>,
    /// What is still to be read of the file.
    edges: Option<Arc<Edges>>,
    /// By number in the inventory.
    states: Vec<Option<State>>,
    /// The notes on [`State::Held`], by number.
    held: BTreeMap<u32, Held>,
    /// By object, by its number, and what a rule found there.
    fingerprints: BTreeMap<(u32, Find), Fingerprint>,
    /// The objects of those that were not known.
    new_fingerprints: Vec<u32>,
    submodules: BTreeSet<ObjectId>,
    /// Whether the links of what is known need no look.
    is_closed: bool,
    /// What is noted of the links of what is known, if it is closed.
    trail: Option<Trail>,
    /// What was attributed, and the trees that lead to it, if it is closed.
    pub(super) rows: Option<Covered>,
    /// Trees with what they refer to that is missing, if it is closed.
    pub(super) holders: Vec<(u32, ObjectId)>,
    /// What the user should know.
    notes: Vec<String>,
}

/// What a rule found in an object: the number of the rule, start and end.
type Find = [u32; 3];

fn find_at(spot: &Spot) -> Option<Find> {
    let number = |number: usize| u32::try_from(number).ok();
    Some([number(spot.rule)?, number(spot.span.start)?, number(spot.span.end)?])
}

/// A note on a blob, and whether it need not be read for that.
struct Held {
    note: Vec<u8>,
    is_passed: bool,
}

/// Objects, sorted, and of the known trees all that lead to them or to what is missing.
#[derive(Default)]
pub(super) struct Covered {
    pub(super) targets: Vec<u32>,
    pub(super) rows: Vec<Rows>,
    /// By number: whether an object was known when this was written.
    pub(super) is_known: Vec<bool>,
    /// Where the objects came and went in what was known.
    pub(super) ledger: Option<Ledger>,
}

/// What a run came to.
pub(super) struct News<'n> {
    pub(super) store: &'n Store,
    pub(super) seen: &'n [(u32, State)],
    /// The notes on those that are [`State::Held`].
    pub(super) held: Vec<(u32, Vec<u8>)>,
    pub(super) submodules: &'n BTreeSet<ObjectId>,
    /// Trees with what they refer to that is missing, all of them.
    pub(super) holders: &'n [(u32, ObjectId)],
    /// The notes of all objects, if the links need no look the next time.
    pub(super) trail: Option<&'n Trail>,
    pub(super) covered: Option<&'n Covered>,
}

impl Memory {
    /// Reads what is known of a repository under a digest. A file that cannot be used is a note.
    pub(super) fn load(repository: &Repository, digest: [u8; 32]) -> Self {
        let name: String = digest[..8].iter().map(|byte| format!("{byte:02x}")).collect();
        let path = repository.common_dir().join("stanch").join(format!("history-{name}.cache"));
        let mut memory = Self {
            path,
            digest,
            records: None,
            edges: None,
            states: Vec::new(),
            held: BTreeMap::new(),
            fingerprints: BTreeMap::new(),
            new_fingerprints: Vec::new(),
            submodules: BTreeSet::new(),
            is_closed: false,
            trail: None,
            rows: None,
            holders: Vec::new(),
            notes: Vec::new(),
        };
        let opened = match File::open(&memory.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return memory,
            opened => opened.and_then(|file| Ok((file.metadata()?.len(), file))).map_err(CacheError::from),
        };
        let parsed = opened.and_then(|(len, mut file)| {
            let records = Records::read(&mut file, len, &digest, repository.id_len())?;
            Ok((Edges::behind(&records, file), records))
        });
        let taken = parsed.and_then(|(edges, records)| {
            memory.edges = Some(Arc::new(edges));
            let count = records.count();
            if records.is_closed && !memory.restore(&records, |number| (number < count).then_some(number)) {
                return Err(CacheError::Damaged("its notes make no sense"));
            }
            let held = |note: &[u8]| Held { note: note.to_vec(), is_passed: false };
            memory.held = records.held().map(|(blob, note)| (blob, held(note))).collect();
            memory.fingerprints = records.fingerprints().collect();
            memory.records = Some(records);
            Ok(())
        });
        if let Err(error) = taken {
            let path = memory.path.display();
            memory
                .notes
                .push(format!("the cache {path} {error}; everything is searched, and it is written anew"));
        }
        memory
    }

    /// Asks which of the blobs with a note need not be read.
    pub(super) fn choose(&mut self, search: &NewVisitor<'_>) {
        let told: BTreeSet<u32> = self.fingerprints.keys().map(|(number, _)| *number).collect();
        let known: Vec<Known<'_>> = self
            .held
            .iter()
            .map(|(number, held)| Known { note: &held.note, is_told: told.contains(number) })
            .collect();
        let wanted = search.wants(&known);
        self.held.values_mut().zip(wanted).for_each(|(held, is_wanted)| held.is_passed = !is_wanted);
    }

    /// Takes over what a closed file notes of links; says whether that makes sense.
    fn restore(&mut self, records: &Records, number: impl Fn(u32) -> Option<u32>) -> bool {
        let missing: Vec<ObjectId> = records.missing().collect();
        let holder = |(tree, place): (u32, u32)| Some((number(tree)?, *missing.get(place as usize)?));
        let is_other = (0..records.count()).any(|at| number(at) != Some(at));
        let others: Option<&dyn Fn(u32) -> Option<u32>> = if is_other { Some(&number) } else { None };
        let edges = self.edges.clone();
        let read_edges = Box::new(move || edges.as_ref()?.read());
        let trail =
            Trail::restore(records.part(TRAIL), (records.edge_count(), read_edges), records.count(), others);
        let rows = Rows::restore(records.part(ROWS), &number);
        let holders = records.holders().map(holder).collect::<Option<Vec<_>>>();
        let targets = records.targets().map(&number).collect::<Option<Vec<_>>>();
        let ledger = match records.part(LEDGER) {
            [] => Some(None),
            bytes => Ledger::restore(bytes, &number).map(Some),
        };
        let (Some(trail), Some(rows), Some(holders), Some(mut targets), Some(ledger)) =
            (trail, rows, holders, targets, ledger)
        else {
            return false;
        };
        targets.sort_unstable();
        self.trail = Some(trail);
        self.rows = Some(Covered { targets, rows: vec![rows], is_known: Vec::new(), ledger });
        self.holders = holders;
        self.is_closed = true;
        true
    }

    /// Opens what there is beside the known objects, if these are there as they were.
    pub(super) fn open_after(&self, repository: &Repository, threads: usize) -> Option<Store> {
        let records = self.records.as_ref().filter(|records| records.is_closed)?;
        let states = records.part(STATES);
        let again: Vec<u32> = (0..)
            .zip(states)
            .filter(|(at, byte)| {
                State::of(**byte & !LOOSE).is_none_or(|state| self.is_read_again(*at, state))
            })
            .map(|(at, _)| at)
            .collect();
        let earlier = Earlier {
            names: records.shared_names(),
            packs: &records.packs().collect::<Vec<_>>(),
            is_loose: &|place| states[place] & LOOSE != 0,
            again: &again,
            missing: &records.missing().collect::<Vec<_>>(),
        };
        Store::open_after(repository, &earlier, threads)
    }

    /// Finds what is known of the objects of a store.
    pub(super) fn apply(&mut self, store: &Store) {
        let inventory = &store.inventory;
        self.states = vec![None; inventory.len()];
        let Some(records) = self.records.take() else { return };
        if store.is_part() {
            let states = records.states().map(Some);
            self.states.iter_mut().zip(states).for_each(|(state, known)| *state = known);
            self.submodules = records.submodules().collect();
            self.records = Some(records);
            self.note_known();
            return;
        }
        let found: Vec<Option<u32>> = records.names().map(|raw| inventory.number(raw)).collect();
        for (number, state) in found.iter().zip(records.states()) {
            if let Some(number) = number {
                self.states[*number as usize] = Some(state);
            }
        }
        let held = std::mem::take(&mut self.held).into_iter();
        self.held = held.filter_map(|(place, held)| Some((found[place as usize]?, held))).collect();
        let fingerprints = std::mem::take(&mut self.fingerprints).into_iter();
        self.fingerprints = fingerprints
            .filter_map(|((place, find), fingerprint)| Some(((found[place as usize]?, find), fingerprint)))
            .collect();
        let is_there = |id: ObjectId| inventory.contains(&id);
        let is_closed =
            records.is_closed && found.iter().all(Option::is_some) && !records.missing().any(is_there);
        (self.is_closed, self.trail, self.rows, self.holders) = (false, None, None, Vec::new());
        if is_closed && self.restore(&records, |number| found[number as usize]) {
            self.submodules = records.submodules().collect();
            self.note_known();
        } else {
            for state in &mut self.states {
                state.take_if(|state| matches!(state, State::Commit | State::Tree | State::Tag));
            }
        }
    }

    fn note_known(&mut self) {
        if let Some(rows) = &mut self.rows {
            rows.is_known = self.states.iter().map(Option::is_some).collect();
        }
    }

    /// What is noted of commits and trees that need not be read. None need be if there is nothing.
    pub(super) fn take_trail(&mut self) -> Trail {
        self.trail.take().unwrap_or_default()
    }

    /// Whether an object has to be read: nothing is known of it, or it had a match that counts.
    pub(super) fn wants(&self, number: u32) -> bool {
        self.states[number as usize].is_none_or(|state| self.is_read_again(number, state))
    }

    fn is_read_again(&self, number: u32, state: State) -> bool {
        match state {
            State::Again => true,
            State::Held => self.held.get(&number).is_none_or(|held| !held.is_passed),
            State::Commit | State::Tree | State::Tag | State::Blob | State::Binary => false,
        }
    }

    /// What is known and need not be read, by number.
    pub(super) fn known(&self) -> impl Iterator<Item = (u32, State)> {
        let known = (0..).zip(&self.states).filter_map(|(number, state)| Some((number, (*state)?)));
        known.filter(|(number, state)| !self.is_read_again(*number, *state))
    }

    /// The blobs that need not be read for their matches, and the notes on them.
    pub(super) fn passed(&self) -> impl Iterator<Item = (u32, &[u8])> {
        let passed = self.held.iter().filter(|(_, held)| held.is_passed);
        passed.map(|(number, held)| (*number, &held.note[..]))
    }

    /// Whether an object is a blob of which there is a note.
    pub(super) fn is_held(&self, number: u32) -> bool {
        self.held.contains_key(&number)
    }

    /// The note on a blob.
    pub(super) fn note(&self, number: u32) -> Option<&[u8]> {
        self.held.get(&number).map(|held| &held.note[..])
    }

    /// The fingerprint of what was found in an object, if it is known.
    pub(super) fn fingerprint(
        &self,
        spot: &Spot,
        number: impl Fn(&ObjectId) -> Option<u32>,
    ) -> Option<Fingerprint> {
        self.fingerprints.get(&(number(&spot.object)?, find_at(spot)?)).copied()
    }

    /// Takes fingerprints of what was found in objects, given with their numbers.
    pub(super) fn note_fingerprints(&mut self, fingerprints: Vec<(u32, Spot, Fingerprint)>) {
        for (number, spot, fingerprint) in fingerprints {
            if let Some(find) = find_at(&spot) {
                self.new_fingerprints.push(number);
                self.fingerprints.insert((number, find), fingerprint);
            }
        }
    }

    /// The commits of submodules to which known trees refer.
    pub(super) fn submodules(&self) -> &BTreeSet<ObjectId> {
        &self.submodules
    }

    /// Adds what a run came to, and writes the file if that is news.
    pub(super) fn save(mut self, news: &mut News<'_>) -> Vec<String> {
        // What is news of objects of which the file speaks, and of others.
        let mut is_known_changed = self.is_closed != news.trail.is_some();
        let mut is_changed = false;
        let known_len = news.store.inventory.known_len();
        let mut tell = |number: u32| match (number as usize) < known_len {
            true => is_known_changed = true,
            false => is_changed = true,
        };
        for &(number, state) in news.seen {
            if self.states[number as usize].replace(state) != Some(state) {
                tell(number);
            }
        }
        for (number, note) in std::mem::take(&mut news.held) {
            if self.held.get(&number).is_none_or(|known| known.note != note) {
                tell(number);
                self.held.insert(number, Held { note, is_passed: false });
            }
        }
        self.new_fingerprints.iter().for_each(|number| tell(*number));
        let known = self.records.as_ref().filter(|_| news.store.is_part());
        let mut packs = news.store.marks();
        packs.extend(known.into_iter().flat_map(Records::packs));
        packs.sort_unstable();
        packs.dedup();
        is_changed |= !known.is_some_and(|known| known.packs().eq(packs.iter().copied()));
        let targets = news
            .covered
            .map(|covered| covered.targets.iter().copied().filter(|target| (*target as usize) < known_len));
        is_known_changed |= match (known, targets) {
            (Some(known), Some(targets)) => !known.targets().eq(targets),
            _ => true,
        };
        let is_little = (news.store.inventory.len() - known_len) * LITTLE <= known_len;
        if (is_known_changed || is_changed && !is_little)
            && let Err(error) = self.write(news, &packs)
        {
            self.notes.push(format!("cannot write the cache {}: {error}", self.path.display()));
        }
        if let Some(error) = self.edges.as_ref().and_then(|edges| edges.damage.get()) {
            let path = self.path.display();
            self.notes
                .push(format!("the cache {path} {error}; trees are read again, and it is written anew"));
        }
        self.notes
    }

    /// The parts of the file, and whether it is closed.
    fn parts(&self, news: &News<'_>, packs: &[PackMark]) -> (bool, [Vec<u8>; PARTS]) {
        let inventory = &news.store.inventory;
        let known_len = inventory.known_len() as u32;
        let known = (0..).zip(inventory.known_names());
        let fresh = (known_len..).zip(inventory.fresh_names());
        let mut parts: [Vec<u8>; PARTS] = Default::default();
        let mut order: Vec<u32> = Vec::with_capacity(inventory.len());
        for (number, name) in merge(known, fresh) {
            if self.states[number as usize].is_some() {
                order.push(number);
                parts[NAMES].extend_from_slice(name);
            }
        }
        let mut places = vec![0; inventory.len()];
        order.iter().zip(0..).for_each(|(number, place)| places[*number as usize] = place);
        let renumber = |number: u32| places[number as usize];
        // What was in a pack that is still there is in one now.
        let mut is_packed = vec![false; inventory.len()];
        if news.store.is_part()
            && let Some(records) = &self.records
        {
            let states = records.part(STATES).iter();
            is_packed.iter_mut().zip(states).for_each(|(is_packed, byte)| *is_packed = byte & LOOSE == 0);
        }
        news.store.packed().for_each(|number| is_packed[number as usize] = true);
        let trail = news.trail.filter(|_| self.states.iter().all(Option::is_some));
        let trail = trail.and_then(|trail| trail.store(renumber));
        let is_closed = trail.is_some() && news.covered.is_some();
        parts[STATES] = order
            .iter()
            .filter_map(|&number| {
                let loose = if is_packed[number as usize] { 0 } else { LOOSE };
                Some(self.states[number as usize]? as u8 | loose)
            })
            .collect();
        parts[HELD] = self.held_part(renumber);
        parts[FINGERPRINTS] = self.fingerprints_part(renumber);
        let submodules = self.submodules.union(news.submodules);
        parts[SUBMODULES] = submodules.flat_map(|id| id.as_raw()).copied().collect();
        if let Some((trail, covered)) = trail.zip(news.covered) {
            note_closed(&mut parts, (news, covered), packs, renumber);
            (parts[TRAIL], parts[EDGES]) = trail;
        }
        (is_closed, parts)
    }

    fn held_part(&self, renumber: impl Fn(u32) -> u32) -> Vec<u8> {
        let is_held = |number: u32| self.states[number as usize] == Some(State::Held);
        let held = self.held.iter().filter(|(number, _)| is_held(**number));
        let mut held: Vec<(u32, &Held)> = held.map(|(number, held)| (renumber(*number), held)).collect();
        held.sort_unstable_by_key(|(place, _)| *place);
        let mut part = Vec::new();
        for (place, held) in held {
            part.extend([place, held.note.len() as u32].into_iter().flat_map(u32::to_le_bytes));
            part.extend_from_slice(&held.note);
        }
        part
    }

    fn fingerprints_part(&self, renumber: impl Fn(u32) -> u32) -> Vec<u8> {
        let known =
            self.fingerprints.iter().filter(|((number, _), _)| self.states[*number as usize].is_some());
        let mut known: Vec<_> =
            known.map(|((number, find), fingerprint)| (renumber(*number), find, fingerprint)).collect();
        known.sort_unstable();
        let mut part = Vec::new();
        for (place, [rule, start, end], fingerprint) in known {
            part.extend([place, *rule, *start, *end].into_iter().flat_map(u32::to_le_bytes));
            part.extend_from_slice(fingerprint.as_bytes());
        }
        part
    }

    fn write(&self, news: &News<'_>, packs: &[PackMark]) -> io::Result<()> {
        let (is_closed, parts) = self.parts(news, packs);
        // Some systems replace no file that is open.
        self.edges.iter().for_each(|edges| edges.close());
        let dir = self.path.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(dir)?;
        let mut file = tempfile::Builder::new().prefix(".history-").tempfile_in(dir)?;
        let id_len = news.store.inventory.id_len();
        write_file(file.as_file_mut(), &self.digest, id_len, is_closed, &parts)?;
        file.as_file().sync_all()?;
        file.persist(&self.path).map_err(|error| error.error)?;
        remove_old(dir);
        Ok(())
    }
}

/// The parts that a closed file alone has, but for the trail.
fn note_closed(
    parts: &mut [Vec<u8>; PARTS],
    (news, covered): (&News<'_>, &Covered),
    packs: &[PackMark],
    renumber: impl Fn(u32) -> u32,
) {
    for mark in packs {
        parts[PACKS].extend_from_slice(mark.index.as_raw());
        parts[PACKS].extend_from_slice(&mark.len_bytes.to_le_bytes());
    }
    let missing: BTreeSet<ObjectId> = news.holders.iter().map(|(_, id)| *id).collect();
    let missing: Vec<ObjectId> = missing.into_iter().collect();
    parts[MISSING] = missing.iter().flat_map(|id| id.as_raw()).copied().collect();
    let place = |id: &ObjectId| missing.binary_search(id).map_or(0, |place| place as u32);
    let mut holders: Vec<(u32, u32)> =
        news.holders.iter().map(|(tree, id)| (renumber(*tree), place(id))).collect();
    holders.sort_unstable();
    holders.dedup();
    let words = holders.iter().flat_map(|(tree, place)| [*tree, *place]);
    parts[HOLDERS] = words.flat_map(u32::to_le_bytes).collect();
    let mut targets: Vec<u32> = covered.targets.iter().map(|target| renumber(*target)).collect();
    targets.sort_unstable();
    parts[TARGETS] = targets.into_iter().flat_map(u32::to_le_bytes).collect();
    parts[ROWS] = Rows::store(&covered.rows, &renumber);
    parts[LEDGER] = covered.ledger.as_ref().map(|ledger| ledger.store(&renumber)).unwrap_or_default();
}

/// Two sorted lists of names as one.
fn merge<'n>(
    one: impl Iterator<Item = (u32, &'n [u8])>,
    other: impl Iterator<Item = (u32, &'n [u8])>,
) -> impl Iterator<Item = (u32, &'n [u8])> {
    let (mut one, mut other) = (one.peekable(), other.peekable());
    std::iter::from_fn(move || match (one.peek(), other.peek()) {
        (Some((_, a)), Some((_, b))) if a > b => other.next(),
        (Some(_), _) => one.next(),
        (None, _) => other.next(),
    })
}

/// Removes the files of rules that nobody uses any more. One that cannot be removed takes room and does no harm.
fn remove_old(dir: &Path) {
    let Ok(entries) = fs::read_dir(dir) else { return };
    let is_cache = |name: &str| name.starts_with("history-") && name.ends_with(".cache");
    let mut files: Vec<_> = entries
        .filter_map(Result::ok)
        .filter(|entry| entry.file_name().to_str().is_some_and(is_cache))
        .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
        .collect();
    files.sort_unstable();
    let surplus = files.len().saturating_sub(KEPT_FILES);
    for (_, path) in &files[..surplus] {
        let _ = fs::remove_file(path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn merged_names_are_sorted() {
        let names = [[1_u8; 1], [2], [3], [4], [5]];
        for mask in 0..32_u32 {
            let numbered = |is_of_one: bool| {
                let chosen = (0..5).filter(move |at| (mask >> at & 1 == 1) == is_of_one);
                chosen.map(|at| (at, &names[at as usize][..])).collect::<Vec<_>>()
            };
            let merged: Vec<u32> =
                merge(numbered(true).into_iter(), numbered(false).into_iter()).map(|(at, _)| at).collect();
            assert_eq!(merged, [0, 1, 2, 3, 4]);
        }
    }
}
