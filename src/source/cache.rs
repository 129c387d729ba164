//! What earlier audits of a history know of its objects, kept in a file.
//!
//! The file lies in the directory `stanch` beside the objects and is named after the digest of everything that
//! decides what a match is, so other rules have another file. It says of each object that was read to its end what
//! came of it: [`State`]. Objects never change, so that stays true wherever the object lies and however it is stored.
//!
//! What had a match is searched again in every run, for a report needs the bytes; so findings are the same as
//! without the file.
//!
//! Links are different: what an object refers to can go. A file is *closed* when everything to which its
//! objects refer is among them. As long as all of a closed file is still there, so is everything behind the links, and
//! commits and trees that it knows need no look. Otherwise they are all read again. So it is in a repository with
//! garbage of which git has collected a part, until it collects the rest, and in a shallow clone.
//!
//! # Format
//!
//! Numbers are little-endian.
//!
//! | bytes | what |
//! | --- | --- |
//! | 16 | `stanch history 2`; the last character is the version |
//! | 32 | the digest |
//! | 8 | 1 if the file is closed, else 0 |
//! | 8 | *n*, how many objects |
//! | 8 | *m*, how many commits of submodules |
//! | 8 | *t*, how many bytes of notes |
//! | 20 *n* | names of the objects, ascending |
//! | *n* | what is known of each, in the same order |
//! | 20 *m* | names of the commits of submodules that trees refer to, ascending |
//! | *t* | in a closed file the notes that attribution follows ([`Trail`]), in which a number is a place among the names |
//! | 4 | CRC-32 of all before |
//!
//! A file that is not in this format to the last byte is left unused, and replaced by the next one. It is replaced
//! whole, by a rename, so that runs at the same time see one or the other and the last of them stays; each is
//! true, so nothing is lost but some time.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::git::{Inventory, ObjectKind, Trail};
use crate::location::ObjectId;

const MAGIC: &[u8; 16] = b"stanch history 2";
const HEAD_BYTES: usize = 16 + 32 + 4 * 8;
/// Length of an object name. Repositories with longer ones cannot be opened yet.
const ID_BYTES: usize = 20;
const CHECKSUM_BYTES: usize = 4;

/// How many files stay, the newest first: every change of the rules begins another one.
const KEPT_FILES: usize = 4;

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
}

impl State {
    const ALL: [State; 6] =
        [State::Commit, State::Tree, State::Tag, State::Blob, State::Binary, State::Again];

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
    #[error("is damaged: {0}")]
    Damaged(&'static str),
}

/// What is known of the objects of an inventory.
pub(super) struct Memory {
    path: PathBuf,
    digest: [u8; 32],
    /// By number in the inventory.
    states: Vec<Option<State>>,
    submodules: BTreeSet<ObjectId>,
    /// Whether the links of what is known need no look.
    is_closed: bool,
    /// What is noted of the links of what is known, if it is closed.
    trail: Option<Trail>,
    /// Whether the file says anything else than this.
    is_changed: bool,
    /// What the user should know.
    pub(super) notes: Vec<String>,
}

impl Memory {
    /// Reads what is known under a digest. A file that cannot be used is a note.
    pub(super) fn load(common_dir: &Path, digest: [u8; 32], inventory: &Inventory) -> Self {
        let name: String = digest[..8].iter().map(|byte| format!("{byte:02x}")).collect();
        let path = common_dir.join("stanch").join(format!("history-{name}.cache"));
        let mut memory = Self {
            path,
            digest,
            states: vec![None; inventory.len()],
            submodules: BTreeSet::new(),
            is_closed: false,
            trail: None,
            is_changed: true,
            notes: Vec::new(),
        };
        let read = match fs::read(&memory.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return memory,
            read => read.map_err(CacheError::from),
        };
        let taken = read.and_then(|bytes| memory.take(Records::parse(&bytes, &digest)?, inventory));
        if let Err(error) = taken {
            let path = memory.path.display();
            memory
                .notes
                .push(format!("the cache {path} {error}; everything is searched, and it is written anew"));
        }
        memory
    }

    fn take(&mut self, records: Records<'_>, inventory: &Inventory) -> Result<(), CacheError> {
        let found: Vec<Option<u32>> = records.objects().map(|(raw, _)| inventory.number(raw)).collect();
        let numbers: Option<Vec<u32>> = found.iter().copied().collect();
        if let Some(numbers) = numbers.filter(|_| records.is_closed) {
            let trail = Trail::restore(records.trail, &numbers);
            self.trail = Some(trail.ok_or(CacheError::Damaged("its notes make no sense"))?);
            self.is_closed = true;
        }
        for (number, (_, state)) in found.iter().zip(records.objects()) {
            if let Some(number) = number {
                self.states[*number as usize] = Some(state);
            }
        }
        self.is_changed = !self.is_closed;
        if self.is_closed {
            self.submodules = records.submodules().collect();
        } else {
            for state in &mut self.states {
                state.take_if(|state| matches!(state, State::Commit | State::Tree | State::Tag));
            }
        }
        Ok(())
    }

    /// What is noted of commits and trees that need not be read. None need be if there is nothing.
    pub(super) fn take_trail(&mut self) -> Trail {
        self.trail.take().unwrap_or_default()
    }

    /// Whether an object has to be read: nothing is known of it, or it had a match.
    pub(super) fn wants(&self, number: u32) -> bool {
        matches!(self.states[number as usize], None | Some(State::Again))
    }

    /// What is known and need not be read, by number.
    pub(super) fn known(&self) -> impl Iterator<Item = (u32, State)> {
        let known = (0..).zip(&self.states).filter_map(|(number, state)| Some((number, (*state)?)));
        known.filter(|(_, state)| *state != State::Again)
    }

    /// The commits of submodules to which known trees refer.
    pub(super) fn submodules(&self) -> &BTreeSet<ObjectId> {
        &self.submodules
    }

    /// Adds what a run came to, and writes the file if that is news. `is_whole` says that what was read refers to
    /// nothing that is not there. The trail is that of all objects.
    pub(super) fn save(
        mut self,
        seen: &[(u32, State)],
        submodules: &BTreeSet<ObjectId>,
        is_whole: bool,
        trail: &Trail,
        inventory: &Inventory,
    ) -> Vec<String> {
        for &(number, state) in seen {
            let before = self.states[number as usize].replace(state);
            self.is_changed |= before != Some(state);
        }
        self.submodules.extend(submodules);
        if !self.is_changed {
            return self.notes;
        }
        let notes = trail.store().filter(|_| is_whole && self.states.iter().all(Option::is_some));
        self.is_closed = notes.is_some();
        if let Err(error) = self.write(&notes.unwrap_or_default(), inventory) {
            self.notes.push(format!("cannot write the cache {}: {error}", self.path.display()));
        }
        self.notes
    }

    fn write(&self, notes: &[u8], inventory: &Inventory) -> io::Result<()> {
        let known: Vec<(u32, State)> =
            (0..).zip(&self.states).filter_map(|(number, state)| Some((number, (*state)?))).collect();
        let objects_bytes = known.len() * (ID_BYTES + 1);
        let mut bytes = Vec::with_capacity(HEAD_BYTES + objects_bytes + notes.len() + CHECKSUM_BYTES);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&self.digest);
        let counts = [known.len(), self.submodules.len(), notes.len()].map(|count| count as u64);
        for number in [u64::from(self.is_closed)].iter().chain(&counts) {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        // Numbers of the inventory are in the order of the names.
        known.iter().for_each(|(number, _)| bytes.extend_from_slice(inventory.id(*number).as_raw()));
        bytes.extend(known.iter().map(|(_, state)| *state as u8));
        self.submodules.iter().for_each(|id| bytes.extend_from_slice(id.as_raw()));
        bytes.extend_from_slice(notes);
        bytes.extend_from_slice(&crc32fast::hash(&bytes).to_le_bytes());
        let dir = self.path.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(dir)?;
        let mut file = tempfile::Builder::new().prefix(".history-").tempfile_in(dir)?;
        file.write_all(&bytes)?;
        file.as_file().sync_all()?;
        file.persist(&self.path).map_err(|error| error.error)?;
        remove_old(dir);
        Ok(())
    }
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

/// A file that was checked.
#[derive(Debug)]
struct Records<'b> {
    is_closed: bool,
    ids: &'b [u8],
    states: &'b [u8],
    submodules: &'b [u8],
    trail: &'b [u8],
}

impl<'b> Records<'b> {
    fn parse(bytes: &'b [u8], digest: &[u8; 32]) -> Result<Self, CacheError> {
        if !bytes.starts_with(MAGIC) || bytes.get(MAGIC.len()..MAGIC.len() + 32) != Some(digest) {
            return Err(CacheError::Foreign);
        }
        let broken_off = CacheError::Damaged("it is broken off");
        let Some((body, checksum)) = bytes.split_last_chunk::<CHECKSUM_BYTES>() else {
            return Err(broken_off);
        };
        let number = |place: usize| -> Option<u64> {
            let at = MAGIC.len() + 32 + place * 8;
            Some(u64::from_le_bytes(*body.get(at..)?.first_chunk()?))
        };
        let (Some(is_closed), Some(objects), Some(submodules), Some(trail)) =
            (number(0), number(1), number(2), number(3))
        else {
            return Err(broken_off);
        };
        let split = || -> Option<Self> {
            let (objects, submodules) = (usize::try_from(objects).ok()?, usize::try_from(submodules).ok()?);
            let (ids, rest) = body[HEAD_BYTES..].split_at_checked(objects.checked_mul(ID_BYTES)?)?;
            let (states, rest) = rest.split_at_checked(objects)?;
            let (submodules, rest) = rest.split_at_checked(submodules.checked_mul(ID_BYTES)?)?;
            (rest.len() as u64 == trail).then_some(Self {
                is_closed: is_closed == 1,
                ids,
                states,
                submodules,
                trail: rest,
            })
        };
        let records = split().ok_or(CacheError::Damaged("its length is not what it says"))?;
        if crc32fast::hash(body).to_le_bytes() != *checksum {
            return Err(CacheError::Damaged("its checksum is not that of its content"));
        }
        let are_sorted = records.ids.chunks_exact(ID_BYTES).is_sorted_by(|one, next| one < next);
        let are_known = records.states.iter().all(|&byte| State::of(byte).is_some());
        if is_closed > 1 || !are_sorted || !are_known {
            return Err(CacheError::Damaged("its content makes no sense"));
        }
        Ok(records)
    }

    fn objects(&self) -> impl Iterator<Item = (&'b [u8], State)> {
        let states = self.states.iter().filter_map(|&byte| State::of(byte));
        self.ids.chunks_exact(ID_BYTES).zip(states)
    }

    fn submodules(&self) -> impl Iterator<Item = ObjectId> {
        self.submodules.chunks_exact(ID_BYTES).filter_map(ObjectId::from_raw)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: [u8; 32] = [7; 32];

    /// A file of two objects and a submodule.
    fn file() -> Vec<u8> {
        let mut bytes = [&MAGIC[..], &DIGEST].concat();
        [1_u64, 2, 1, 5].iter().for_each(|number| bytes.extend(number.to_le_bytes()));
        bytes.extend([[1; ID_BYTES], [2; ID_BYTES]].concat());
        bytes.extend([State::Blob as u8, State::Again as u8]);
        bytes.extend([9; ID_BYTES]);
        bytes.extend(b"notes");
        signed(bytes)
    }

    fn signed(mut bytes: Vec<u8>) -> Vec<u8> {
        bytes.extend(crc32fast::hash(&bytes).to_le_bytes());
        bytes
    }

    #[test]
    fn what_was_written_is_read() {
        let bytes = file();
        let records = Records::parse(&bytes, &DIGEST).unwrap();
        assert!(records.is_closed);
        let objects: Vec<_> = records.objects().collect();
        let expected = [(&[1; ID_BYTES][..], State::Blob), (&[2; ID_BYTES][..], State::Again)];
        assert_eq!(objects, expected);
        assert_eq!(records.submodules().count(), 1);
        assert_eq!(records.trail, b"notes");
    }

    #[test]
    fn every_damage_is_noticed() {
        let bytes = file();
        for len in 0..bytes.len() {
            assert!(Records::parse(&bytes[..len], &DIGEST).is_err(), "{len} bytes of it");
        }
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut damaged = bytes.clone();
                damaged[at] ^= 1 << bit;
                assert!(Records::parse(&damaged, &DIGEST).is_err(), "bit {bit} of byte {at}");
            }
        }
        assert!(Records::parse(&[&bytes[..], b"\0"].concat(), &DIGEST).is_err(), "a byte more");
        assert!(Records::parse(&bytes, &[8; 32]).is_err(), "other rules");
    }

    #[test]
    fn what_makes_no_sense_is_refused_though_its_sum_is_right() {
        let body = &file()[..file().len() - CHECKSUM_BYTES];
        let with = |at: usize, byte: u8| {
            let mut bytes = body.to_vec();
            bytes[at] = byte;
            signed(bytes)
        };
        let state = HEAD_BYTES + 2 * ID_BYTES;
        for (bytes, what) in [
            (with(48, 2), "closed is yes or no"),
            (with(state, 0), "a state that there is not"),
            (with(HEAD_BYTES, 3), "names out of order"),
            (with(63, 0xff), "more objects than there is memory for"),
            (with(71, 0xff), "more submodules than there is memory for"),
            (with(79, 0xff), "more notes than there is memory for"),
        ] {
            assert!(Records::parse(&bytes, &DIGEST).is_err(), "{what}");
        }
        assert!(Records::parse(&with(state, State::Tree as u8), &DIGEST).is_ok());
    }
}
