//! Pack indexes of version 1 and 2 (gitformat-pack(5)).

use std::ops::Range;
use std::sync::Arc;

use super::object_id;
use crate::location::ObjectId;

/// The names, offsets and checksums of a pack's entries. Entries are numbered by their place in the pack.
pub struct PackIndex {
    bytes: Arc<Vec<u8>>,
    is_version_2: bool,
    id_len: usize,
    /// How many entries the pack has.
    count: usize,
    entries: Entries,
    /// By entry: where it ends, if not all entries of the pack are here.
    ends: Option<Vec<u64>>,
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
    /// Reads an index with object names of `id_len` bytes; `None` if it is cut, crooked or of another version.
    pub fn parse(bytes: Vec<u8>, id_len: usize) -> Option<Self> {
        let mut index = Self::unread(bytes, id_len)?;
        let count = index.count;
        let mut row = 0;
        for slot in 0..256 {
            let end = index.fan(slot)? as usize;
            if end < row || end > count {
                return None;
            }
            while row < end {
                let id = index.raw_id(row as u32);
                if usize::from(id[0]) != slot || (row > 0 && index.raw_id(row as u32 - 1) > id) {
                    return None;
                }
                row += 1;
            }
        }
        let mut placed = Vec::with_capacity(count);
        for row in 0..count {
            placed.push((index.offset_in_row(row, count)?, row as u32));
        }
        let trailer = index.bytes.len() - 2 * id_len;
        let large = placed.iter().filter(|(offset, _)| *offset > 0x7FFF_FFFF).count() * 8;
        let is_whole = if index.is_version_2 {
            // Small offsets may be written large too, so there may be more of them.
            trailer >= index.large_at(count)? + large
        } else {
            trailer == index.checksums_at(count)?
        };
        let entries = Entries::new(placed);
        let is_ambiguous = (1..entries.len()).any(|entry| entries.offset(entry - 1) == entries.offset(entry));
        if !is_whole || is_ambiguous {
            return None;
        }
        index.entries = entries;
        Some(index)
    }

    /// An index that knows no entries yet: of use with [`PackIndex::offset_of`] and [`PackIndex::choose`] for
    /// those who want few of many entries, since putting them all in order takes longer than all else then. It must
    /// have been parsed before; `None` if its length is not possible.
    pub fn unread(bytes: Vec<u8>, id_len: usize) -> Option<Self> {
        let is_version_2 = bytes.starts_with(b"\xFFtOc");
        if is_version_2 && number(&bytes, 4)? != 2 {
            return None;
        }
        let mut index = Self {
            bytes: Arc::new(bytes),
            is_version_2,
            id_len,
            count: 0,
            entries: Entries::Small(Vec::new()),
            ends: None,
        };
        index.count = index.fan(255)? as usize;
        let trailer = index.bytes.len().checked_sub(2 * id_len)?;
        let names_end = index.checksums_at(index.count)?;
        let offsets_end = if is_version_2 { index.large_at(index.count)? } else { names_end };
        (offsets_end <= trailer).then_some(index)
    }

    /// Where the entry of a name starts in the pack, whether or not it is among the known ones.
    pub fn offset_of(&self, id: &ObjectId) -> Option<u64> {
        self.offset_in_row(self.row_of(id)? as usize, self.count)
    }

    /// Lets the index know the entries at some offsets, sorted, in a pack whose last entry ends at `end`. `None` if
    /// no entry starts at one of them.
    pub fn choose(&mut self, offsets: Vec<u64>, end: u64) -> Option<()> {
        let mut rows = vec![u32::MAX; offsets.len()];
        let mut ends = vec![end; offsets.len()];
        for row in 0..self.count {
            let offset = self.offset_in_row(row, self.count)?;
            let next = offsets.partition_point(|chosen| *chosen < offset);
            if offsets.get(next) == Some(&offset) {
                rows[next] = row as u32;
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
        self.count
    }

    /// The checksum of the index itself.
    pub fn checksum_of_all(&self) -> &[u8] {
        &self.bytes[self.bytes.len() - self.id_len..]
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

    /// The names of the index, one behind the other, if each stands there once.
    pub fn sorted_names(&self) -> Option<(Arc<Vec<u8>>, Range<usize>)> {
        let range = self.table()..self.table() + self.count * self.id_len;
        let names = self.bytes.get(range.clone())?.chunks_exact(self.id_len);
        let is_fit = self.is_version_2 && self.ends.is_none() && self.len() == self.count;
        (is_fit && names.is_sorted_by(|one, next| one < next)).then(|| (Arc::clone(&self.bytes), range))
    }

    fn row_of(&self, id: &ObjectId) -> Option<u32> {
        let raw = id.as_raw();
        let slot = usize::from(*raw.first()?);
        let mut low = if slot == 0 { 0 } else { self.fan(slot - 1)? };
        let mut high = self.fan(slot)?;
        while low < high {
            let middle = low + (high - low) / 2;
            match self.raw_id(middle).cmp(raw) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
                std::cmp::Ordering::Equal => return Some(middle),
            }
        }
        None
    }

    /// CRC-32 of the packed bytes of an entry; version 1 has none.
    pub fn checksum(&self, entry: u32) -> Option<u32> {
        if !self.is_version_2 {
            return None;
        }
        number(&self.bytes, self.checksums_at(self.count)? + self.row(entry) as usize * 4)
    }

    /// The checksum of the pack it was made for.
    pub fn pack_checksum(&self) -> &[u8] {
        let end = self.bytes.len() - self.id_len;
        &self.bytes[end - self.id_len..end]
    }

    fn table(&self) -> usize {
        if self.is_version_2 { 8 + 1024 } else { 1024 }
    }

    fn fan(&self, slot: usize) -> Option<u32> {
        number(&self.bytes, self.table() - 1024 + slot * 4)
    }

    fn stride(&self) -> usize {
        if self.is_version_2 { self.id_len } else { 4 + self.id_len }
    }

    fn raw_id(&self, row: u32) -> &[u8] {
        let skip = self.stride() - self.id_len;
        let start = self.table() + row as usize * self.stride() + skip;
        &self.bytes[start..start + self.id_len]
    }

    /// Behind the names: the checksums of version 2, the trailer of version 1.
    fn checksums_at(&self, count: usize) -> Option<usize> {
        count.checked_mul(self.stride())?.checked_add(self.table())
    }

    fn large_at(&self, count: usize) -> Option<usize> {
        self.checksums_at(count)?.checked_add(count.checked_mul(8)?)
    }

    fn offset_in_row(&self, row: usize, count: usize) -> Option<u64> {
        if !self.is_version_2 {
            return number(&self.bytes, self.table() + row * self.stride()).map(u64::from);
        }
        let offset = number(&self.bytes, self.checksums_at(count)? + count * 4 + row * 4)?;
        if offset >> 31 == 0 {
            return Some(u64::from(offset));
        }
        let large = self.large_at(count)? + (offset & 0x7FFF_FFFF) as usize * 8;
        Some(u64::from(number(&self.bytes, large)?) << 32 | u64::from(number(&self.bytes, large + 4)?))
    }
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    let digits = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_be_bytes(digits.try_into().ok()?))
}

#[cfg(test)]
pub(crate) mod tests {
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

    fn entries(bytes: &[u8], id_len: usize) -> Option<Vec<(u64, ObjectId)>> {
        let index = PackIndex::parse(bytes.to_vec(), id_len)?;
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
            let parsed = PackIndex::parse(index, id_len).unwrap();
            assert_eq!((parsed.checksum(0), parsed.checksum(1)), (Some(6), Some(5)));
            assert_eq!(parsed.pack_checksum(), trailer);
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
        let whole = PackIndex::parse(bytes.clone(), 20).unwrap();
        let end = (1 << 40) + 9;
        for mask in 0..256_u32 {
            let chosen: Vec<u32> = (0..8).filter(|entry| mask >> entry & 1 == 1).collect();
            let mut part = PackIndex::unread(bytes.clone(), 20).unwrap();
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
        let mut part = PackIndex::unread(bytes, 20).unwrap();
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
    }
}
