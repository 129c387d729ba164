//! Pack indexes of version 1 and 2 (gitformat-pack(5)).

use std::io;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use gix_pack::index::File;

use super::{hash_kind, object_id};
use crate::location::ObjectId;

/// The names, offsets and checksums of a pack's entries. Entries are numbered by their place in the pack.
///
/// The file is mapped, so that who wants few of its names reads no more of it. Should another process cut it
/// meanwhile, reading it ends the process; git never changes an index that is in place.
pub struct PackIndex {
    file: Arc<File>,
    id_len: usize,
    entries: Entries,
    /// By entry: where it ends, if not all entries of the pack are here.
    ends: Option<Vec<u64>>,
}

/// Why an index is of no use.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// It cannot be opened or mapped.
    #[error("cannot read the pack index: {0}")]
    Unreadable(String),
    /// It is cut, crooked or of another version.
    #[error("the pack index is corrupt: remove it and run `git index-pack` on the pack beside it")]
    Corrupt,
}

/// By entry: its offset in the pack, and the place of its name in the index.
enum Entries {
    /// Both in one number, in a pack of less than 4 GiB.
    Small(Vec<u64>),
    Large(Vec<(u64, u32)>),
}

impl Entries {
    /// Of the given pairs in any order.
    fn new(mut placed: Vec<(u64, u32)>) -> Self {
        if placed.iter().all(|(offset, _)| *offset <= u64::from(u32::MAX)) {
            let mut small: Vec<u64> =
                placed.into_iter().map(|(offset, row)| offset << 32 | u64::from(row)).collect();
            small.sort_unstable();
            return Self::Small(small);
        }
        placed.sort_unstable();
        Self::Large(placed)
    }

    fn len(&self) -> usize {
        match self {
            Self::Small(entries) => entries.len(),
            Self::Large(entries) => entries.len(),
        }
    }

    fn offset(&self, entry: usize) -> u64 {
        match self {
            Self::Small(entries) => entries[entry] >> 32,
            Self::Large(entries) => entries[entry].0,
        }
    }

    fn row(&self, entry: usize) -> u32 {
        match self {
            Self::Small(entries) => entries[entry] as u32,
            Self::Large(entries) => entries[entry].1,
        }
    }

    /// The entry that starts at an offset, if it is one of `among`.
    fn find(&self, among: Range<usize>, offset: u64) -> Option<u32> {
        let start = among.start;
        let found = match self {
            Self::Small(entries) => entries[among].binary_search_by_key(&offset, |entry| entry >> 32),
            Self::Large(entries) => entries[among].binary_search_by_key(&offset, |entry| entry.0),
        };
        found.ok().map(|at| (start + at) as u32)
    }
}

impl PackIndex {
    /// Maps an index with object names of `id_len` bytes that knows no entries yet: of use with
    /// [`PackIndex::offset_of`] and [`PackIndex::choose`] for those who want few of many entries, since putting them all
    /// in order takes longer than all else then. It must have been read whole before.
    ///
    /// # Errors
    ///
    /// When it cannot be mapped, or its length is not possible.
    pub fn map(path: &Path, id_len: usize) -> Result<Self, IndexError> {
        let file = File::at(path, hash_kind(id_len)).map_err(|error| {
            let of_system = error.downcast_any_ref::<io::Error>().map(io::Error::to_string);
            of_system.map_or(IndexError::Corrupt, IndexError::Unreadable)
        })?;
        Ok(Self { file: Arc::new(file), id_len, entries: Entries::Small(Vec::new()), ends: None })
    }

    /// Makes an index know all entries.
    ///
    /// # Errors
    ///
    /// When its tables make no sense.
    pub fn read_whole(mut self) -> Result<Self, IndexError> {
        self.entries = self.all_entries().ok_or(IndexError::Corrupt)?;
        Ok(self)
    }

    /// The entries, if names and offsets are in order.
    fn all_entries(&self) -> Option<Entries> {
        let count = self.file.num_objects();
        let is_in_order = |row: u32| self.raw_id(row - 1) <= self.raw_id(row);
        if !(1..count).all(is_in_order) {
            return None;
        }
        // Where the names of one first byte start is said apart from them. If the first and the last of them are found, so
        // are those between.
        let first_byte = |row: u32| self.raw_id(row)[0];
        let is_first_or_last = |row: &u32| {
            let is_other = |beside: u32| beside >= count || first_byte(beside) != first_byte(*row);
            row.checked_sub(1).is_none_or(is_other) || is_other(row + 1)
        };
        if !(0..count).filter(is_first_or_last).all(|row| self.row_of(self.raw_id(row)).is_some()) {
            return None;
        }
        let placed = (0..count).map(|row| (self.file.pack_offset_at_index(row), row));
        let entries = Entries::new(placed.collect());
        let is_ambiguous = (1..entries.len()).any(|entry| entries.offset(entry - 1) == entries.offset(entry));
        (!is_ambiguous).then_some(entries)
    }

    /// Where the entry of a name starts in the pack, whether or not it is among the known ones.
    pub fn offset_of(&self, id: &ObjectId) -> Option<u64> {
        Some(self.file.pack_offset_at_index(self.row_of(id.as_raw())?))
    }

    /// Lets the index know the entries at some offsets, sorted, in a pack whose last entry ends at `end`. `None` if
    /// no entry starts at one of them, or one starts behind `end`.
    pub fn choose(&mut self, offsets: Vec<u64>, end: u64) -> Option<()> {
        let mut rows = vec![u32::MAX; offsets.len()];
        let mut ends = vec![end; offsets.len()];
        // By stretch of the pack, of which there are more than offsets: the first that is not before it. From there the
        // next one is a step or two away, and a search for it among all, once for each entry, took eight times as long.
        let shift = (end / (2 * offsets.len() as u64 + 1)).max(1).ilog2();
        let mut firsts = Vec::new();
        for stretch in 0..=end >> shift {
            let from = firsts.last().copied().unwrap_or(0);
            firsts.push(from + offsets[from..].partition_point(|chosen| *chosen < stretch << shift));
        }
        for row in 0..self.file.num_objects() {
            let offset = self.file.pack_offset_at_index(row);
            let first = *firsts.get(usize::try_from(offset >> shift).ok()?)?;
            let next = first + offsets[first..].iter().take_while(|chosen| **chosen < offset).count();
            if offsets.get(next) == Some(&offset) {
                rows[next] = row;
            }
            if let Some(before) = next.checked_sub(1) {
                ends[before] = ends[before].min(offset);
            }
        }
        if rows.contains(&u32::MAX) {
            return None;
        }
        self.entries = Entries::new(offsets.into_iter().zip(rows).collect());
        self.ends = Some(ends);
        Some(())
    }

    /// How many entries the pack has, known or not.
    pub fn pack_len(&self) -> usize {
        self.file.num_objects() as usize
    }

    /// The checksum of the index itself.
    pub fn checksum_of_all(&self) -> ObjectId {
        object_id(self.file.index_checksum().as_bytes())
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.len() == 0
    }

    /// Length of an object name in bytes.
    pub fn id_len(&self) -> usize {
        self.id_len
    }

    /// Name of an entry.
    pub fn id(&self, entry: u32) -> ObjectId {
        object_id(self.raw_id(self.row(entry)))
    }

    /// Name of an entry, 20 or 32 bytes.
    pub fn raw(&self, entry: u32) -> &[u8] {
        self.raw_id(self.row(entry))
    }

    /// Where an entry starts in the pack.
    pub fn offset(&self, entry: u32) -> u64 {
        self.entries.offset(entry as usize)
    }

    /// Where the next entry starts; `None` for the last.
    pub fn next_offset(&self, entry: u32) -> Option<u64> {
        match &self.ends {
            Some(ends) => Some(ends[entry as usize]),
            None => {
                let next = entry as usize + 1;
                (next < self.len()).then(|| self.entries.offset(next))
            }
        }
    }

    /// The entry that starts at an offset. `near` is an entry behind it, from which the search goes back in
    /// growing steps: bases mostly lie close before their deltas.
    pub fn entry_before(&self, near: u32, offset: u64) -> Option<u32> {
        let mut high = near as usize;
        let mut step = 1;
        let mut low = high.saturating_sub(step);
        while low > 0 && self.entries.offset(low) > offset {
            high = low;
            step *= 2;
            low = low.saturating_sub(step);
        }
        self.entries.find(low..high, offset)
    }

    /// The entry of a name.
    pub fn find(&self, id: &ObjectId) -> Option<u32> {
        self.entries.find(0..self.len(), self.offset_of(id)?)
    }

    /// The place of the name of an entry among those of the index.
    pub fn row(&self, entry: u32) -> u32 {
        self.entries.row(entry as usize)
    }

    /// The file with the names, if each stands there once and all are known.
    pub fn sorted_names(&self) -> Option<Arc<File>> {
        let count = self.file.num_objects();
        let is_fit = self.ends.is_none() && self.len() == count as usize;
        let is_more = |row: u32| self.raw_id(row - 1) < self.raw_id(row);
        (is_fit && (1..count).all(is_more)).then(|| Arc::clone(&self.file))
    }

    fn row_of(&self, raw: &[u8]) -> Option<u32> {
        self.file.lookup(gix_hash::oid::try_from_bytes(raw).ok()?)
    }

    /// CRC-32 of the packed bytes of an entry; version 1 has none.
    pub fn checksum(&self, entry: u32) -> Option<u32> {
        self.file.crc32_at_index(self.row(entry))
    }

    /// The checksum of the pack it was made for.
    pub fn pack_checksum(&self) -> ObjectId {
        object_id(self.file.pack_checksum().as_bytes())
    }

    fn raw_id(&self, row: u32) -> &[u8] {
        self.file.oid_at_index(row).as_bytes()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::io::Write as _;

    use super::*;

    /// An index of version 2; `ids` are sorted.
    pub(crate) fn version_2(
        ids: &[&[u8]],
        checksums: &[u32],
        offsets: &[u32],
        large: &[u64],
        pack_checksum: &[u8],
    ) -> Vec<u8> {
        let mut index = b"\xFFtOc\0\0\0\x02".to_vec();
        index.extend(fan(ids));
        ids.iter().for_each(|id| index.extend_from_slice(id));
        index.extend(checksums.iter().flat_map(|sum| sum.to_be_bytes()));
        index.extend(offsets.iter().flat_map(|offset| offset.to_be_bytes()));
        index.extend(large.iter().flat_map(|offset| offset.to_be_bytes()));
        index.extend_from_slice(pack_checksum);
        index.extend(vec![0; pack_checksum.len()]);
        index
    }

    fn fan(ids: &[&[u8]]) -> Vec<u8> {
        (0..=255u8)
            .flat_map(|slot| (ids.iter().filter(|id| id[0] <= slot).count() as u32).to_be_bytes())
            .collect()
    }

    fn map(bytes: &[u8], id_len: usize) -> Result<PackIndex, IndexError> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(bytes).unwrap();
        PackIndex::map(file.path(), id_len)
    }

    fn read(bytes: &[u8], id_len: usize) -> Result<PackIndex, IndexError> {
        map(bytes, id_len)?.read_whole()
    }

    fn entries(bytes: &[u8], id_len: usize) -> Option<Vec<(u64, ObjectId)>> {
        let index = read(bytes, id_len).ok()?;
        for entry in 0..index.len() as u32 {
            assert_eq!(index.find(&index.id(entry)), Some(entry));
            assert_eq!(index.entry_before(index.len() as u32, index.offset(entry)), Some(entry));
        }
        Some((0..index.len() as u32).map(|entry| (index.offset(entry), index.id(entry))).collect())
    }

    fn oid(byte: u8, id_len: usize) -> ObjectId {
        ObjectId::from_raw(&vec![byte; id_len]).unwrap()
    }

    #[test]
    fn both_versions_and_both_lengths_of_names_are_read() {
        for id_len in [20, 32] {
            let (three, nine) = (vec![3; id_len], vec![9; id_len]);
            let trailer = vec![1; id_len];
            let ids = [&three[..], &nine[..]];
            let index = version_2(&ids, &[5, 6], &[0x8000_0000, 12], &[1 << 40], &trailer);
            let expected = [(12, oid(9, id_len)), (1 << 40, oid(3, id_len))];
            assert_eq!(entries(&index, id_len).unwrap(), expected);
            let parsed = read(&index, id_len).unwrap();
            assert_eq!((parsed.checksum(0), parsed.checksum(1)), (Some(6), Some(5)));
            assert_eq!(parsed.pack_checksum().as_raw(), trailer);
            assert_eq!(parsed.find(&oid(4, id_len)), None);
            let mut index = fan(&ids);
            for (id, offset) in ids.iter().zip([77u32, 12]) {
                index.extend(offset.to_be_bytes());
                index.extend_from_slice(id);
            }
            index.extend(vec![0; 2 * id_len]);
            assert_eq!(entries(&index, id_len).unwrap(), [(12, oid(9, id_len)), (77, oid(3, id_len))]);
        }
    }

    #[test]
    fn chosen_entries_are_as_in_the_whole() {
        let ids: Vec<Vec<u8>> = (1..9).map(|byte| vec![byte; 20]).collect();
        let names: Vec<&[u8]> = ids.iter().map(Vec::as_slice).collect();
        let (offsets, sums) = ([70, 12, 0x8000_0000, 55, 31, 200, 90, 33], [1, 2, 3, 4, 5, 6, 7, 8]);
        let bytes = version_2(&names, &sums, &offsets, &[1 << 40], &[0; 20]);
        let whole = read(&bytes, 20).unwrap();
        let end = (1 << 40) + 9;
        for mask in 0..256_u32 {
            let chosen: Vec<u32> = (0..8).filter(|entry| mask >> entry & 1 == 1).collect();
            let mut part = map(&bytes, 20).unwrap();
            part.choose(chosen.iter().map(|entry| whole.offset(*entry)).collect(), end).unwrap();
            assert_eq!((part.len(), part.pack_len()), (chosen.len(), 8));
            for (at, &entry) in (0..).zip(&chosen) {
                assert_eq!(part.id(at), whole.id(entry));
                assert_eq!(part.offset(at), whole.offset(entry));
                assert_eq!(part.next_offset(at), Some(whole.next_offset(entry).unwrap_or(end)));
                assert_eq!(part.checksum(at), whole.checksum(entry));
                assert_eq!(part.find(&whole.id(entry)), Some(at));
            }
        }
        let mut part = map(&bytes, 20).unwrap();
        assert!(part.choose(vec![12, 13], end).is_none(), "no entry starts there");
    }

    #[test]
    fn a_cut_or_crooked_index_is_refused() {
        let (three, nine) = ([3; 20], [9; 20]);
        let index = version_2(&[&three, &nine], &[0; 2], &[0x8000_0000, 12], &[1 << 40], &[0; 20]);
        for cut in 0..index.len() {
            assert!(entries(&index[..cut], 20).is_none(), "{cut}");
        }
        let names_at = 8 + 1024;
        for (at, byte) in
            [(8, 0xFF), (7, 3), (8 + 3, 1), (names_at, 4), (names_at + 20, 2), (8 + 4 * 9 + 3, 1)]
        {
            let mut crooked = index.clone();
            crooked[at] = byte;
            assert!(entries(&crooked, 20).is_none(), "{at}");
        }
        let twice = version_2(&[&three, &nine], &[0; 2], &[12, 12], &[], &[0; 20]);
        assert!(entries(&twice, 20).is_none(), "two names for one place");
        let missing = PackIndex::map(Path::new("nowhere.idx"), 20);
        assert!(matches!(missing, Err(IndexError::Unreadable(_))));
    }
}
