//! The file of a cache: its parts, written and read.
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
//! | | in a closed file the notes that attribution follows ([`Trail`](crate::git::Trail)) |
//! | 4 each | objects that were attributed, ascending |
//! | | the trees that lead to them or to what is missing ([`Rows`](crate::git::Rows)) |
//! | | where they came and went ([`Ledger`](crate::git::Ledger)), if that is known |
//! | | blobs, ascending, each with how many bytes the note on it has, 4 and 4 bytes, and then the note |
//! | 32 each | object, number of the rule, start and end of what it found, and the fingerprint; ascending |
//! | 4 | CRC-32 of all before |
//! | 8 each | in a closed file the edges of the trail, of which an audit seldom makes use: it leaves them unread |
//! | 4 | CRC-32 of the edges |

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::{Find, State};
use crate::fingerprint::Fingerprint;
use crate::git::PackMark;
use crate::location::{ObjectId, name_key};

const MAGIC: &[u8; 16] = b"stanch history 9";
/// How many parts of any length there are.
pub(super) const PARTS: usize = 13;
/// Where the numbers of the head start.
const NUMBERS_AT: usize = 16 + 32;
const HEAD_BYTES: usize = NUMBERS_AT + 8 * (2 + PARTS);
const CHECKSUM_BYTES: usize = 4;
/// Set in what is known of an object that lies in none of the packs.
pub(super) const LOOSE: u8 = 0x80;

pub(super) const NAMES: usize = 0;
pub(super) const STATES: usize = 1;
pub(super) const SUBMODULES: usize = 2;
pub(super) const PACKS: usize = 3;
pub(super) const MISSING: usize = 4;
pub(super) const HOLDERS: usize = 5;
pub(super) const TRAIL: usize = 6;
pub(super) const TARGETS: usize = 7;
pub(super) const ROWS: usize = 8;
pub(super) const LEDGER: usize = 9;
pub(super) const HELD: usize = 10;
pub(super) const FINGERPRINTS: usize = 11;
/// The last, behind a checksum of the others.
pub(super) const EDGES: usize = 12;
const EDGE_BYTES: usize = 8;

/// Why a file is not used.
#[derive(Debug, thiserror::Error)]
pub(super) enum CacheError {
    #[error("cannot be read: {0}")]
    Unreadable(#[from] io::Error),
    #[error("is no cache of this version of stanch")]
    Foreign,
    #[error("is that of a repository with other object names")]
    OtherNames,
    #[error("is damaged: {0}")]
    Damaged(&'static str),
}

/// Writes a file of these parts.
pub(super) fn write_file(
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
pub(super) struct Edges {
    /// Open, so that it stays what it is when another run puts a new one in its place.
    file: Mutex<Option<File>>,
    start: u64,
    len: usize,
    pub(super) damage: OnceLock<CacheError>,
}

impl Edges {
    pub(super) fn behind(records: &Records, file: File) -> Self {
        let start = (records.bytes.len() + CHECKSUM_BYTES) as u64;
        Self { file: Mutex::new(Some(file)), start, len: records.parts[EDGES].len(), damage: OnceLock::new() }
    }

    /// The bytes; `None` if they cannot be read, for which the reason is noted then.
    pub(super) fn read(&self) -> Option<Vec<u8>> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let file = file.as_mut()?;
        let placed = file.seek(SeekFrom::Start(self.start)).map_err(CacheError::from);
        let read = placed.and_then(|_| read_section(file, Vec::new(), self.len));
        read.map_err(|error| self.damage.set(error)).ok()
    }

    pub(super) fn close(&self) {
        *self.file.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// A file that was checked, but for its edges.
#[derive(Debug)]
pub(super) struct Records {
    /// All before the first checksum.
    bytes: Arc<Vec<u8>>,
    /// Length of a name in bytes.
    id_len: usize,
    pub(super) is_closed: bool,
    parts: [Range<usize>; PARTS],
}

impl Records {
    /// Reads a file of so many bytes up to its edges.
    pub(super) fn read(
        file: &mut impl Read,
        len: u64,
        digest: &[u8; 32],
        id_len: usize,
    ) -> Result<Self, CacheError> {
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

    pub(super) fn part(&self, part: usize) -> &[u8] {
        &self.bytes[self.parts[part].clone()]
    }

    pub(super) fn count(&self) -> u32 {
        self.part(STATES).len() as u32
    }

    pub(super) fn names(&self) -> std::slice::ChunksExact<'_, u8> {
        self.part(NAMES).chunks_exact(self.id_len)
    }

    /// The bytes of the file with the place of the names in them.
    pub(super) fn shared_names(&self) -> (&Arc<Vec<u8>>, Range<usize>) {
        (&self.bytes, self.parts[NAMES].clone())
    }

    /// How many edges there are behind it.
    pub(super) fn edge_count(&self) -> usize {
        self.parts[EDGES].len() / EDGE_BYTES
    }

    pub(super) fn states(&self) -> impl Iterator<Item = State> {
        self.part(STATES).iter().filter_map(|&byte| State::of(byte & !LOOSE))
    }

    pub(super) fn submodules(&self) -> impl Iterator<Item = ObjectId> {
        self.part(SUBMODULES).chunks_exact(self.id_len).filter_map(ObjectId::from_raw)
    }

    pub(super) fn packs(&self) -> impl Iterator<Item = PackMark> {
        self.part(PACKS).chunks_exact(self.id_len + 8).filter_map(|mark| {
            let (index, len) = mark.split_at(self.id_len);
            let len_bytes = u64::from_le_bytes(*len.first_chunk()?);
            Some(PackMark { index: ObjectId::from_raw(index)?, len_bytes })
        })
    }

    pub(super) fn missing(&self) -> impl Iterator<Item = ObjectId> {
        self.part(MISSING).chunks_exact(self.id_len).filter_map(ObjectId::from_raw)
    }

    pub(super) fn words(&self, part: usize) -> impl Iterator<Item = u32> {
        self.part(part).as_chunks().0.iter().map(|word| u32::from_le_bytes(*word))
    }

    /// The notes, up to where they make no sense.
    pub(super) fn held(&self) -> impl Iterator<Item = (u32, &[u8])> {
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

    pub(super) fn fingerprints(&self) -> impl Iterator<Item = ((u32, Find), Fingerprint)> {
        self.part(FINGERPRINTS).as_chunks::<32>().0.iter().filter_map(|row| {
            let (head, fingerprint) = row.split_first_chunk::<16>()?;
            let word = |at: usize| head[at * 4..].first_chunk().map_or(0, |word| u32::from_le_bytes(*word));
            let find = [word(1), word(2), word(3)];
            Some(((word(0), find), Fingerprint::of_bytes(*fingerprint.first_chunk()?)))
        })
    }

    pub(super) fn holders(&self) -> impl Iterator<Item = (u32, u32)> {
        let words = self.part(HOLDERS).as_chunks::<8>().0.iter();
        let word = |word: &[u8]| word.first_chunk().map_or(0, |word| u32::from_le_bytes(*word));
        words.map(move |pair| (word(pair), word(&pair[4..])))
    }

    pub(super) fn targets(&self) -> impl Iterator<Item = u32> {
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
}
