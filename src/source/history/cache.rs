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
//! # Format
//!
//! Numbers are little-endian; where objects are numbered, a number is a place among the names.
//!
//! | bytes | what |
//! | --- | --- |
//! | 16 | `stanch history 9`; the last character is the version |
//! | 32 | the digest |
//! | 8 | how many bytes a name has: 20 or 32 |
//! | 8 | 1 if the file is closed, else 0 |
//! | 104 | how many bytes each of the thirteen parts has that follow |
//! | a name each | names of the objects, ascending |
//! | 1 each | what is known of each, in the same order; 128 more if it lies in none of the packs |
//! | a name each | names of the commits of submodules that trees refer to, ascending |
//! | a name and 8 each | the packs: checksum of the index, length of the pack |
//! | a name each | names of the blobs that are missing |
//! | 8 each | trees that refer to them, and to which, by its place there |
//! | | in a closed file the notes that attribution follows ([`Trail`]) |
//! | 4 each | objects that were attributed, ascending |
//! | | the trees that lead to them or to what is missing ([`Rows`]) |
//! | | where they came and went ([`Ledger`]), if that is known |
//! | | blobs, ascending, each with how many bytes the note on it has, 4 and 4 bytes, and then the note |
//! | 32 each | object, number of the rule, start and end of what it found, and the fingerprint; ascending |
//! | 4 | CRC-32 of all before |
//! | 8 each | in a closed file the edges of the trail, of which an audit seldom makes use: it leaves them unread |
//! | 4 | CRC-32 of the edges |
//!
//! Where little is new beside what a file says, it stays as it is, and what is new is read again the next time.
//!
//! A file that is not in this format to the last byte is left unused, and replaced by the next one. It is replaced
//! whole, by a rename, so that runs at the same time see one or the other and the last of them stays; each is
//! true, so nothing is lost but some time.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use crate::fingerprint::Fingerprint;
use crate::git::{Earlier, Ledger, ObjectKind, PackMark, Repository, Rows, Store, Trail};
use crate::location::{ObjectId, name_key};
use crate::source::{Known, NewVisitor, Spot};

const MAGIC: &[u8; 16] = b"stanch history 9";
/// How many parts of any length there are.
const PARTS: usize = 13;
/// Where the numbers of the head start.
const NUMBERS_AT: usize = 16 + 32;
const HEAD_BYTES: usize = NUMBERS_AT + 8 * (2 + PARTS);
const CHECKSUM_BYTES: usize = 4;
/// Set in what is known of an object that lies in none of the packs.
const LOOSE: u8 = 0x80;

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

/// Why a file is not used.
#[derive(Debug, thiserror::Error)]
enum CacheError {
    #[error("cannot be read: {0}")]
    Unreadable(#[from] io::Error),
    #[error("is no cache of this version of stanch")]
    Foreign,
    #[error("is that of a repository with other object names")]
    OtherNames,
    #[error("is damaged: {0}")]
    Damaged(&'static str),
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
        let edge_count = records.parts[EDGES].len() / EDGE_BYTES;
        let trail = Trail::restore(records.part(TRAIL), (edge_count, read_edges), records.count(), others);
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
            names: (&records.bytes, records.parts[NAMES].clone()),
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
        let is_held = |number: u32| self.states[number as usize] == Some(State::Held);
        let held = self.held.iter().filter(|(number, _)| is_held(**number));
        let mut held: Vec<(u32, &Held)> = held.map(|(number, held)| (renumber(*number), held)).collect();
        held.sort_unstable_by_key(|(place, _)| *place);
        for (place, held) in held {
            parts[HELD].extend([place, held.note.len() as u32].into_iter().flat_map(u32::to_le_bytes));
            parts[HELD].extend_from_slice(&held.note);
        }
        let known =
            self.fingerprints.iter().filter(|((number, _), _)| self.states[*number as usize].is_some());
        let mut known: Vec<_> =
            known.map(|((number, find), fingerprint)| (renumber(*number), find, fingerprint)).collect();
        known.sort_unstable();
        for (place, [rule, start, end], fingerprint) in known {
            parts[FINGERPRINTS].extend([place, *rule, *start, *end].into_iter().flat_map(u32::to_le_bytes));
            parts[FINGERPRINTS].extend_from_slice(fingerprint.as_bytes());
        }
        let submodules = self.submodules.union(news.submodules);
        parts[SUBMODULES] = submodules.flat_map(|id| id.as_raw()).copied().collect();
        if let Some((trail, covered)) = trail.zip(news.covered) {
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
            parts[ROWS] = Rows::store(&covered.rows, renumber);
            parts[LEDGER] = covered.ledger.as_ref().map(|ledger| ledger.store(renumber)).unwrap_or_default();
            (parts[TRAIL], parts[EDGES]) = trail;
        }
        (is_closed, parts)
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

/// Writes a file of these parts.
fn write_file(
    out: &mut impl Write,
    digest: &[u8; 32],
    id_len: usize,
    is_closed: bool,
    parts: &[Vec<u8>; PARTS],
) -> io::Result<()> {
    let mut head = [&MAGIC[..], digest].concat();
    let numbers = [id_len as u64, u64::from(is_closed)].into_iter();
    let numbers = numbers.chain(parts.iter().map(|part| part.len() as u64));
    numbers.for_each(|number| head.extend_from_slice(&number.to_le_bytes()));
    let (front, edges) = parts.split_at(EDGES);
    for section in
        [&mut std::iter::once(&head).chain(front) as &mut dyn Iterator<Item = _>, &mut edges.iter()]
    {
        let mut sum = crc32fast::Hasher::new();
        for bytes in section {
            sum.update(bytes);
            out.write_all(bytes)?;
        }
        out.write_all(&sum.finalize().to_le_bytes())?;
    }
    Ok(())
}

/// Reads so many bytes and the checksum behind them.
fn read_section(file: &mut impl Read, mut bytes: Vec<u8>, len: usize) -> Result<Vec<u8>, CacheError> {
    let more = len + CHECKSUM_BYTES - bytes.len();
    // More than the file has was refused before, and still a length is no reason to abort.
    bytes.try_reserve_exact(more).map_err(io::Error::from)?;
    if file.take(more as u64).read_to_end(&mut bytes)? < more {
        return Err(CacheError::Unreadable(io::ErrorKind::UnexpectedEof.into()));
    }
    let sum = bytes.split_off(len);
    match crc32fast::hash(&bytes).to_le_bytes()[..] == sum {
        true => Ok(bytes),
        false => Err(CacheError::Damaged("its checksum is not that of its content")),
    }
}

/// The edges of a file, which are read when somebody asks for them.
struct Edges {
    /// Open, so that it stays what it is when another run puts a new one in its place.
    file: Mutex<Option<File>>,
    start: u64,
    len: usize,
    damage: OnceLock<CacheError>,
}

impl Edges {
    fn behind(records: &Records, file: File) -> Self {
        let start = (records.bytes.len() + CHECKSUM_BYTES) as u64;
        Self { file: Mutex::new(Some(file)), start, len: records.parts[EDGES].len(), damage: OnceLock::new() }
    }

    /// The bytes; `None` if they cannot be read, for which the reason is noted then.
    fn read(&self) -> Option<Vec<u8>> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let file = file.as_mut()?;
        let placed = file.seek(SeekFrom::Start(self.start)).map_err(CacheError::from);
        let read = placed.and_then(|_| read_section(file, Vec::new(), self.len));
        read.map_err(|error| self.damage.set(error)).ok()
    }

    fn close(&self) {
        *self.file.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
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

const NAMES: usize = 0;
const STATES: usize = 1;
const SUBMODULES: usize = 2;
const PACKS: usize = 3;
const MISSING: usize = 4;
const HOLDERS: usize = 5;
const TRAIL: usize = 6;
const TARGETS: usize = 7;
const ROWS: usize = 8;
const LEDGER: usize = 9;
const HELD: usize = 10;
const FINGERPRINTS: usize = 11;
/// The last, behind a checksum of the others.
const EDGES: usize = 12;
const EDGE_BYTES: usize = 8;

/// A file that was checked, but for its edges.
#[derive(Debug)]
struct Records {
    /// All before the first checksum.
    bytes: Arc<Vec<u8>>,
    /// Length of a name in bytes.
    id_len: usize,
    is_closed: bool,
    parts: [Range<usize>; PARTS],
}

impl Records {
    /// Reads a file of so many bytes up to its edges.
    fn read(file: &mut impl Read, len: u64, digest: &[u8; 32], id_len: usize) -> Result<Self, CacheError> {
        let mut head = Vec::new();
        file.take(HEAD_BYTES as u64).read_to_end(&mut head)?;
        if !head.starts_with(MAGIC) || head.get(MAGIC.len()..MAGIC.len() + 32) != Some(digest) {
            return Err(CacheError::Foreign);
        }
        if head.len() < HEAD_BYTES {
            return Err(CacheError::Damaged("it is broken off"));
        }
        let numbers: Vec<u64> =
            head[NUMBERS_AT..].as_chunks().0.iter().map(|word| u64::from_le_bytes(*word)).collect();
        if numbers[0] != id_len as u64 {
            return Err(CacheError::OtherNames);
        }
        let ends = numbers[2..].iter().scan(HEAD_BYTES as u64, |end, part| {
            *end = end.checked_add(*part)?;
            Some(usize::try_from(*end).ok())
        });
        let ends: Option<Vec<usize>> = ends.collect();
        let of_another_length = CacheError::Damaged("its length is not what it says");
        let Some(ends) = ends.filter(|ends| ends.len() == PARTS) else { return Err(of_another_length) };
        let start = |part: usize| part.checked_sub(1).map_or(HEAD_BYTES, |before| ends[before]);
        let parts: [Range<usize>; PARTS] = std::array::from_fn(|part| start(part)..ends[part]);
        let unit = [id_len, 1, id_len, id_len + 8, id_len, 8, 1, 4, 1, 1, 1, 32, EDGE_BYTES];
        if len.checked_sub(2 * CHECKSUM_BYTES as u64) != Some(ends[EDGES] as u64)
            || parts.iter().zip(unit).any(|(part, unit)| part.len() % unit != 0)
        {
            return Err(of_another_length);
        }
        let bytes = read_section(file, head, parts[EDGES].start)?;
        let is_closed = numbers[1];
        let records = Self { bytes: Arc::new(bytes), id_len, is_closed: is_closed == 1, parts };
        let are_sorted =
            records.names().is_sorted_by(|one, next| (name_key(one), one) < (name_key(next), next));
        let states = records.part(STATES);
        let are_known = states.iter().all(|&byte| State::of(byte & !LOOSE).is_some());
        let held = (0..).zip(states).filter(|(_, byte)| **byte & !LOOSE == State::Held as u8);
        let are_noted = records.held().map(|(blob, _)| blob).eq(held.map(|(place, _)| place))
            && records.held().map(|(_, note)| 8 + note.len()).sum::<usize>() == records.part(HELD).len();
        let are_of_objects = records.fingerprints().all(|((place, _), _)| (place as usize) < states.len());
        if is_closed > 1
            || !are_of_objects
            || !are_sorted
            || !are_known
            || !are_noted
            || states.len() != records.names().len()
        {
            return Err(CacheError::Damaged("its content makes no sense"));
        }
        Ok(records)
    }

    fn part(&self, part: usize) -> &[u8] {
        &self.bytes[self.parts[part].clone()]
    }

    fn count(&self) -> u32 {
        self.part(STATES).len() as u32
    }

    fn names(&self) -> std::slice::ChunksExact<'_, u8> {
        self.part(NAMES).chunks_exact(self.id_len)
    }

    fn states(&self) -> impl Iterator<Item = State> {
        self.part(STATES).iter().filter_map(|&byte| State::of(byte & !LOOSE))
    }

    fn submodules(&self) -> impl Iterator<Item = ObjectId> {
        self.part(SUBMODULES).chunks_exact(self.id_len).filter_map(ObjectId::from_raw)
    }

    fn packs(&self) -> impl Iterator<Item = PackMark> {
        self.part(PACKS).chunks_exact(self.id_len + 8).filter_map(|mark| {
            let (index, len) = mark.split_at(self.id_len);
            let len_bytes = u64::from_le_bytes(*len.first_chunk()?);
            Some(PackMark { index: ObjectId::from_raw(index)?, len_bytes })
        })
    }

    fn missing(&self) -> impl Iterator<Item = ObjectId> {
        self.part(MISSING).chunks_exact(self.id_len).filter_map(ObjectId::from_raw)
    }

    fn words(&self, part: usize) -> impl Iterator<Item = u32> {
        self.part(part).as_chunks().0.iter().map(|word| u32::from_le_bytes(*word))
    }

    /// The notes, up to where they make no sense.
    fn held(&self) -> impl Iterator<Item = (u32, &[u8])> {
        let mut rest = self.part(HELD);
        std::iter::from_fn(move || {
            let (head, behind) = rest.split_first_chunk::<8>()?;
            let [blob, len] =
                [0, 4].map(|at| head[at..].first_chunk().map_or(0, |word| u32::from_le_bytes(*word)));
            let (note, behind) = behind.split_at_checked(len as usize)?;
            rest = behind;
            Some((blob, note))
        })
    }

    fn fingerprints(&self) -> impl Iterator<Item = ((u32, Find), Fingerprint)> {
        self.part(FINGERPRINTS).as_chunks::<32>().0.iter().filter_map(|row| {
            let (head, fingerprint) = row.split_first_chunk::<16>()?;
            let word = |at: usize| head[at * 4..].first_chunk().map_or(0, |word| u32::from_le_bytes(*word));
            let find = [word(1), word(2), word(3)];
            Some(((word(0), find), Fingerprint::of_bytes(*fingerprint.first_chunk()?)))
        })
    }

    fn holders(&self) -> impl Iterator<Item = (u32, u32)> {
        let words = self.part(HOLDERS).as_chunks::<8>().0.iter();
        let word = |word: &[u8]| word.first_chunk().map_or(0, |word| u32::from_le_bytes(*word));
        words.map(move |pair| (word(pair), word(&pair[4..])))
    }

    fn targets(&self) -> impl Iterator<Item = u32> {
        self.words(TARGETS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: [u8; 32] = [7; 32];

    /// The parts of a file of three objects, a submodule, a pack, and what is missing.
    fn parts(id_len: usize) -> [Vec<u8>; PARTS] {
        let mut parts: [Vec<u8>; PARTS] = Default::default();
        parts[NAMES] = [vec![1; id_len], vec![2; id_len], vec![3; id_len]].concat();
        parts[STATES] = vec![State::Blob as u8, State::Again as u8 | LOOSE, State::Held as u8];
        parts[SUBMODULES] = vec![9; id_len];
        parts[PACKS] = [vec![4; id_len], 77_u64.to_le_bytes().to_vec()].concat();
        parts[MISSING] = vec![5; id_len];
        parts[HOLDERS] = [1_u32, 0].map(u32::to_le_bytes).concat();
        parts[TRAIL] = b"notes".to_vec();
        parts[EDGES] = [1_u32, 0].map(u32::to_le_bytes).concat();
        parts[TARGETS] = 1_u32.to_le_bytes().to_vec();
        parts[ROWS] = b"rows".to_vec();
        parts[LEDGER] = b"ledger".to_vec();
        parts[FINGERPRINTS] = [1_u32, 2, 3, 4, 5, 6, 7, 8].map(u32::to_le_bytes).concat();
        parts[HELD] = [&[2, 0, 0, 0, 6, 0, 0, 0][..], b"a note"].concat();
        parts
    }

    fn file(id_len: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        write_file(&mut bytes, &DIGEST, id_len, true, &parts(id_len)).unwrap();
        bytes
    }

    /// The edges and the checksums of them.
    const EDGES_AND_SUM: usize = EDGE_BYTES + CHECKSUM_BYTES;

    /// All before the first checksum with that and what follows.
    fn signed(front: Vec<u8>) -> Vec<u8> {
        let file = file(20);
        let (sum, behind) = (crc32fast::hash(&front).to_le_bytes(), &file[file.len() - EDGES_AND_SUM..]);
        [&front[..], &sum, behind].concat()
    }

    fn read(bytes: &[u8], digest: [u8; 32], id_len: usize) -> Result<Records, CacheError> {
        Records::read(&mut &bytes[..], bytes.len() as u64, &digest, id_len)
    }

    fn parse(bytes: &[u8]) -> Result<Records, CacheError> {
        read(bytes, DIGEST, 20)
    }

    fn edges(bytes: &[u8]) -> Result<Option<Vec<u8>>, CacheError> {
        let records = parse(bytes)?;
        let mut file = tempfile::tempfile()?;
        file.write_all(bytes)?;
        let edges = Edges::behind(&records, file);
        let read = edges.read();
        assert_eq!(read.is_none(), edges.damage.get().is_some(), "what cannot be read is told");
        Ok(read)
    }

    #[test]
    fn what_was_written_is_read() {
        for id_len in [20, 32] {
            let records = read(&file(id_len), DIGEST, id_len).unwrap();
            assert!(records.is_closed);
            let names: Vec<&[u8]> = records.names().collect();
            assert_eq!(names, [vec![1; id_len], vec![2; id_len], vec![3; id_len]]);
            assert_eq!(records.states().collect::<Vec<_>>(), [State::Blob, State::Again, State::Held]);
            assert_eq!(records.held().collect::<Vec<_>>(), [(2, &b"a note"[..])]);
            let fingerprints: Vec<_> =
                records.fingerprints().map(|(at, known)| (at, *known.as_bytes())).collect();
            let bytes = [5_u32, 6, 7, 8].map(u32::to_le_bytes).concat();
            assert_eq!(fingerprints, [((1, [2, 3, 4]), bytes.try_into().unwrap())]);
            let id = |byte: u8| ObjectId::from_raw(&vec![byte; id_len]).unwrap();
            assert_eq!(records.submodules().collect::<Vec<_>>(), [id(9)]);
            assert_eq!(records.packs().collect::<Vec<_>>(), [PackMark { index: id(4), len_bytes: 77 }]);
            assert_eq!(records.missing().collect::<Vec<_>>(), [id(5)]);
            assert_eq!(records.holders().collect::<Vec<_>>(), [(1, 0)]);
            assert_eq!(records.targets().collect::<Vec<_>>(), [1]);
            assert_eq!((records.part(TRAIL), records.part(ROWS)), (&b"notes"[..], &b"rows"[..]));
        }
    }

    #[test]
    fn edges_are_read_when_they_are_asked_for() {
        let bytes = file(20);
        assert_eq!(edges(&bytes).unwrap().unwrap(), parts(20)[EDGES]);
        let records = parse(&bytes).unwrap();
        let mut shorter = tempfile::tempfile().unwrap();
        shorter.write_all(&bytes[..bytes.len() - 1]).unwrap();
        let cut = Edges::behind(&records, shorter);
        assert_eq!(cut.read(), None);
        assert!(matches!(cut.damage.get(), Some(CacheError::Unreadable(_))), "{:?}", cut.damage);
    }

    #[test]
    fn a_file_with_names_of_another_length_is_not_used() {
        for (id_len, other) in [(20, 32), (32, 20)] {
            let error = read(&file(id_len), DIGEST, other).unwrap_err();
            assert!(matches!(error, CacheError::OtherNames), "{error}");
        }
    }

    #[test]
    fn every_damage_is_noticed() {
        let bytes = file(20);
        for len in 0..bytes.len() {
            assert!(parse(&bytes[..len]).is_err(), "{len} bytes of it");
        }
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut damaged = bytes.clone();
                damaged[at] ^= 1 << bit;
                match at < bytes.len() - EDGES_AND_SUM {
                    true => assert!(parse(&damaged).is_err(), "bit {bit} of byte {at}"),
                    false => assert_eq!(edges(&damaged).unwrap(), None, "bit {bit} of byte {at}"),
                }
            }
        }
        assert!(parse(&[&bytes[..], b"\0"].concat()).is_err(), "a byte more");
        assert!(read(&bytes, [8; 32], 20).is_err(), "other rules");
    }

    #[test]
    fn what_makes_no_sense_is_refused_though_its_sum_is_right() {
        let body = &file(20)[..file(20).len() - CHECKSUM_BYTES - EDGES_AND_SUM];
        let with = |at: usize, byte: u8| {
            let mut bytes = body.to_vec();
            bytes[at] = byte;
            signed(bytes)
        };
        let state = HEAD_BYTES + 3 * 20;
        let held = body.len() - 32 - 14;
        for (bytes, what) in [
            (with(56, 2), "closed is yes or no"),
            (with(state, 0), "a state that there is not"),
            (with(HEAD_BYTES, 3), "names out of order"),
            (with(state + 2, State::Blob as u8), "a clean blob with matches"),
            (with(state, State::Held as u8), "a blob whose matches are not told"),
            (with(held, 3), "a note on nothing"),
            (with(held + 14, 3), "the fingerprint of nothing"),
            (with(held + 4, 5), "a note with more behind it"),
            (with(held + 4, 7), "a note that is broken off"),
            (with(64, 61), "half a name"),
            (with(72, 1), "a state too few"),
            (with(71, 0xff), "more names than there is memory for"),
            (with(79, 0xff), "more states than there is memory for"),
            ([&body[..64], &[0xff; 8], &body[72..]].concat(), "more bytes than numbers can say"),
            (
                [&body[..160], &(u64::MAX - body.len() as u64).to_le_bytes(), &body[168..]].concat(),
                "almost so",
            ),
            (with(HEAD_BYTES - 17, 0xff), "more rows than there is memory for"),
        ] {
            assert!(parse(&bytes).is_err(), "{what}");
        }
        assert!(parse(&with(state, State::Tree as u8)).is_ok());
    }

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
