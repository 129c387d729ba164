//! The entries of an index one after another, for a comparison that goes through them once.
//!
//! An index of 80,000 files has 7 MB. Kept in memory with its entries it costs 4,000 page faults, and these the
//! better half of a hook's time; so [`Stream`] reads the file through a window of 64 KiB and keeps nothing but the
//! path of the current entry. It takes what every index is written as today: one file, with its cached trees near
//! the end. Of anything else, and of anything that is not as it should be, it says [`NotPlain`], and the index is
//! read whole ([`Whole`]): that way knows split indexes, and the words for what is wrong.

use std::convert::Infallible;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use super::index::{
    CachedTrees, EntryKind, FLAG_NAME_LENGTH, Index, IndexEntry, MODE_OFFSET, STAT_BYTES, flags,
    offset_number, u32_at,
};
use crate::location::ObjectId;

/// Goes through the entries of an index.
pub(super) trait Cursor {
    /// Why it cannot go on.
    type Stop;

    /// The current entry; `None` behind the last.
    fn entry(&self) -> Option<IndexEntry<'_>>;

    /// How many bytes the path of the current entry has in common with that of the entry before it.
    fn shared(&self) -> usize;

    /// Goes to the next entry.
    fn advance(&mut self) -> Result<(), Self::Stop>;

    /// Checks what stands behind the last entry.
    fn finish(&mut self) -> Result<(), Self::Stop>;
}

/// An index in memory.
pub(super) struct Whole<'i> {
    index: &'i Index,
    position: usize,
    shared: usize,
}

impl<'i> Whole<'i> {
    pub(super) fn new(index: &'i Index) -> Self {
        Self { index, position: 0, shared: 0 }
    }
}

impl Cursor for Whole<'_> {
    type Stop = Infallible;

    fn entry(&self) -> Option<IndexEntry<'_>> {
        (self.position < self.index.len()).then(|| self.index.entry(self.position))
    }

    fn shared(&self) -> usize {
        self.shared
    }

    fn advance(&mut self) -> Result<(), Infallible> {
        let before = self.position;
        self.position += 1;
        if self.position < self.index.len() {
            self.shared = shared_bytes(self.index.entry(before).path, self.index.entry(self.position).path);
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

/// The index is not as [`Stream`] wants it.
#[derive(Debug)]
pub(super) struct NotPlain;

/// An index that is read as the comparison goes on.
pub(super) struct Stream<F = File> {
    file: F,
    /// What was read and is not gone through yet is at `at..filled`.
    window: Vec<u8>,
    at: usize,
    filled: usize,
    /// Bytes of the file behind the window, without the checksum at its end.
    unread: u64,
    version: u32,
    id_bytes: usize,
    /// Entries behind the current one.
    left: u32,
    path: Vec<u8>,
    shared: usize,
    /// All but the path of the current entry.
    current: Option<Fixed>,
    tail: Tail,
}

#[derive(Clone, Copy)]
struct Fixed {
    id: ObjectId,
    kind: EntryKind,
    stage: u8,
    intent_to_add: bool,
    left_out: bool,
}

/// The end of the file, without the checksum.
#[derive(Default)]
struct Tail {
    bytes: Vec<u8>,
    /// Where the extension with the cached trees seems to start.
    tree_at: Option<usize>,
}

const WINDOW_BYTES: usize = 64 << 10;
/// In a tail of these lengths the cached trees are looked for: they take some 30 bytes a directory.
const TAIL_BYTES: [usize; 3] = [32 << 10, 256 << 10, 4 << 20];

impl Stream {
    /// Starts to read an index; `None` if there is no plain one. Hands out its cached trees with it.
    pub(super) fn open(path: &Path, id_bytes: usize) -> Option<(Self, Option<CachedTrees>)> {
        Self::of(File::open(path).ok()?, id_bytes, WINDOW_BYTES, &TAIL_BYTES).ok()
    }
}

impl<F: Read + Seek> Stream<F> {
    fn of(
        mut file: F,
        id_bytes: usize,
        window_bytes: usize,
        tails: &[usize],
    ) -> Result<(Self, Option<CachedTrees>), NotPlain> {
        let file_bytes = file.seek(SeekFrom::End(0)).map_err(|_| NotPlain)?;
        let content_bytes = file_bytes.checked_sub(id_bytes as u64).ok_or(NotPlain)?;
        let mut tail = Tail::default();
        for &length in tails {
            tail = Tail::read(&mut file, content_bytes, length)?;
            if tail.tree_at.is_some() || tail.bytes.len() as u64 == content_bytes {
                break;
            }
        }
        let cached = match tail.tree() {
            Some(data) => CachedTrees::parse(data, id_bytes).map_err(|_| NotPlain)?,
            None => None,
        };
        file.rewind().map_err(|_| NotPlain)?;
        let mut stream = Self {
            file,
            window: vec![0; window_bytes],
            at: 0,
            filled: 0,
            unread: content_bytes,
            version: 0,
            id_bytes,
            left: 0,
            path: Vec::new(),
            shared: 0,
            current: None,
            tail,
        };
        stream.refill()?;
        let head = stream.window[..stream.filled].get(..12).ok_or(NotPlain)?;
        let (version, left) = (u32_at(head, 4), u32_at(head, 8));
        if !head.starts_with(b"DIRC") || !(2..=4).contains(&version) {
            return Err(NotPlain);
        }
        stream.at = 12;
        (stream.version, stream.left) = (version, left);
        stream.advance()?;
        Ok((stream, cached))
    }

    /// Reads on; an error at the end of the file.
    fn refill(&mut self) -> Result<(), NotPlain> {
        self.window.copy_within(self.at..self.filled, 0);
        (self.filled, self.at) = (self.filled - self.at, 0);
        if self.filled == self.window.len() {
            // A path as long as the window.
            self.window.resize(self.window.len() * 2, 0);
        }
        let room = self.window.len() - self.filled;
        let wanted = usize::try_from(self.unread).map_or(room, |unread| unread.min(room));
        if wanted == 0 {
            return Err(NotPlain);
        }
        let room = &mut self.window[self.filled..self.filled + wanted];
        self.file.read_exact(room).map_err(|_| NotPlain)?;
        self.filled += wanted;
        self.unread -= wanted as u64;
        Ok(())
    }

    /// Takes the entry at the start of the window; its length, or `None` if the window ends before it does.
    fn take(&mut self) -> Result<Option<usize>, NotPlain> {
        let bytes = &self.window[self.at..self.filled];
        let flags_at = STAT_BYTES + self.id_bytes;
        let Some(head) = bytes.get(..flags_at + 4) else { return Ok(None) };
        let kind = EntryKind::from_mode(u32_at(head, MODE_OFFSET)).ok_or(NotPlain)?;
        let id = ObjectId::from_raw(&head[STAT_BYTES..flags_at]).ok_or(NotPlain)?;
        let (basic, extended, mut name_at) = flags(head, flags_at);
        let kept = if self.version == 4 {
            let Some((strip, length)) = offset_number(&bytes[name_at..]).map_err(|_| NotPlain)? else {
                return Ok(None);
            };
            name_at += length;
            self.path.len().checked_sub(strip).ok_or(NotPlain)?
        } else {
            0
        };
        let rest = &bytes[name_at..];
        let length = usize::from(basic & FLAG_NAME_LENGTH);
        let name_bytes = match self.version != 4 && length < usize::from(FLAG_NAME_LENGTH) {
            true => length,
            false => match memchr::memchr(0, rest) {
                Some(end) => end,
                None => return Ok(None),
            },
        };
        let name_end = name_at + name_bytes;
        let end = if self.version == 4 { name_end + 1 } else { name_end + 8 - name_end % 8 };
        if bytes.len() < end {
            return Ok(None);
        }
        let name = &rest[..name_bytes];
        let stage = (basic >> 12 & 3) as u8;
        let before = &self.path[kept..];
        let shared = shared_bytes(before, name);
        let is_in_order = match (before.get(shared), name.get(shared)) {
            (Some(before), Some(now)) => before < now,
            (Some(_), None) => false,
            (None, Some(_)) => true,
            (None, None) => self.current.is_none_or(|before| before.stage < stage),
        };
        if !is_in_order || !has_whole_parts(&self.path[..kept + shared], &name[shared..], kind) {
            return Err(NotPlain);
        }
        self.shared = kept + shared;
        self.path.truncate(kept + shared);
        self.path.extend_from_slice(&name[shared..]);
        self.current = Some(Fixed {
            id,
            kind,
            stage,
            intent_to_add: extended & super::index::EXTENDED_INTENT_TO_ADD != 0,
            left_out: extended & super::index::EXTENDED_SKIP_WORKTREE != 0,
        });
        Ok(Some(end))
    }
}

impl<F: Read + Seek> Cursor for Stream<F> {
    type Stop = NotPlain;

    fn entry(&self) -> Option<IndexEntry<'_>> {
        let Fixed { id, kind, stage, intent_to_add, left_out } = self.current?;
        Some(IndexEntry { path: self.path.as_slice().into(), id, kind, stage, intent_to_add, left_out })
    }

    fn shared(&self) -> usize {
        self.shared
    }

    fn advance(&mut self) -> Result<(), NotPlain> {
        if self.left == 0 {
            self.current = None;
            return Ok(());
        }
        self.left -= 1;
        loop {
            if let Some(taken) = self.take()? {
                self.at += taken;
                return Ok(());
            }
            self.refill()?;
        }
    }

    /// The cached trees were found by a look from the end; here it is seen whether they are an extension.
    fn finish(&mut self) -> Result<(), NotPlain> {
        let behind_entries = self.unread + (self.filled - self.at) as u64;
        let start =
            usize::try_from(behind_entries).ok().and_then(|length| self.tail.bytes.len().checked_sub(length));
        let mut at = start.ok_or(NotPlain)?;
        let mut tree_at = None;
        while at < self.tail.bytes.len() {
            let (signature, end) = extension(&self.tail.bytes, at).ok_or(NotPlain)?;
            match signature {
                b"TREE" => tree_at = Some(at),
                b"sdir" => {}
                [b'A'..=b'Z', ..] => {}
                _ => return Err(NotPlain),
            }
            at = end;
        }
        if tree_at == self.tail.tree_at { Ok(()) } else { Err(NotPlain) }
    }
}

impl Tail {
    fn read<F: Read + Seek>(file: &mut F, content_bytes: u64, length: usize) -> Result<Self, NotPlain> {
        let start = content_bytes.saturating_sub(length as u64);
        let mut bytes = vec![0; usize::try_from(content_bytes - start).map_err(|_| NotPlain)?];
        file.seek(SeekFrom::Start(start)).and_then(|_| file.read_exact(&mut bytes)).map_err(|_| NotPlain)?;
        let leads_to_end = |&at: &usize| {
            let mut at = at;
            while let Some((_, end)) = extension(&bytes, at) {
                at = end;
            }
            at == bytes.len()
        };
        let tree_at = memchr::memmem::find_iter(&bytes, b"TREE").find(leads_to_end);
        Ok(Self { bytes, tree_at })
    }

    fn tree(&self) -> Option<&[u8]> {
        let at = self.tree_at?;
        let (_, end) = extension(&self.bytes, at)?;
        Some(&self.bytes[at + 8..end])
    }
}

/// The signature of the extension that starts there, and its end.
fn extension(bytes: &[u8], at: usize) -> Option<(&[u8; 4], usize)> {
    let head: &[u8; 8] = bytes.get(at..)?.first_chunk()?;
    let end = (at + 8).checked_add(u32_at(head, 4) as usize)?;
    Some((head.first_chunk()?, end)).filter(|_| end <= bytes.len())
}

/// How many bytes are the same from the start.
fn shared_bytes(left: &[u8], right: &[u8]) -> usize {
    let words = left.as_chunks::<8>().0.iter().zip(right.as_chunks::<8>().0);
    let mut shared = 0;
    for (left, right) in words {
        let difference = u64::from_le_bytes(*left) ^ u64::from_le_bytes(*right);
        if difference != 0 {
            return shared + (difference.trailing_zeros() / 8) as usize;
        }
        shared += 8;
    }
    shared + left[shared..].iter().zip(&right[shared..]).take_while(|(left, right)| left == right).count()
}

/// Whether no part of a path is empty, and it ends with `/` if it is a directory's; `head` was looked at with
/// the path before it.
fn has_whole_parts(head: &[u8], rest: &[u8], kind: EntryKind) -> bool {
    let mut before = head.last().copied().unwrap_or(b'/');
    for &byte in rest {
        if byte == b'/' && before == b'/' {
            return false;
        }
        before = byte;
    }
    (before == b'/') == (kind == EntryKind::Directory) && head.len() + rest.len() > 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::index::parse;
    use proptest::prelude::*;
    use std::io::Cursor as Bytes;

    type Seen = (Vec<u8>, ObjectId, EntryKind, u8, bool, bool, usize);

    fn all<C: Cursor>(mut cursor: C) -> Result<Vec<Seen>, C::Stop> {
        let mut seen = Vec::new();
        while let Some(entry) = cursor.entry() {
            let IndexEntry { path, id, kind, stage, intent_to_add, left_out } = entry;
            seen.push((path.to_vec(), id, kind, stage, intent_to_add, left_out, cursor.shared()));
            cursor.advance()?;
        }
        cursor.finish()?;
        Ok(seen)
    }

    fn streamed(bytes: &[u8], window: usize, tails: &[usize]) -> Result<(Vec<Seen>, Vec<Vec<u8>>), NotPlain> {
        let (stream, cached) = Stream::of(Bytes::new(bytes), 20, window, tails)?;
        Ok((all(stream)?, names(cached.as_ref())))
    }

    /// The slow twin; `None` for an index that is damaged or no whole one.
    fn whole(bytes: &[u8]) -> Option<(Vec<Seen>, Vec<Vec<u8>>)> {
        let parsed = parse(bytes, 20).ok().filter(|parsed| parsed.link.is_none())?;
        let Ok(seen) = all(Whole::new(&parsed.index));
        Some((seen, names(parsed.index.cached_trees.as_ref())))
    }

    /// The directories that are remembered, each followed by those in it.
    fn names(cached: Option<&CachedTrees>) -> Vec<Vec<u8>> {
        let Some(cached) = cached else { return Vec::new() };
        let mut names = Vec::new();
        let mut open = vec![CachedTrees::TOP];
        while let Some(node) = open.pop() {
            names.push([cached.name(node), format!(" {:?}", cached.id(node)).as_bytes()].concat());
            open.extend(cached.children(node));
        }
        names
    }

    fn number(out: &mut Vec<u8>, strip: usize) {
        assert!(strip < 128, "test paths are short");
        out.push(strip as u8);
    }

    /// An index of these entries, sorted, in one of its versions.
    fn index(version: u32, mut paths: Vec<(String, u8, bool)>, extensions: &[u8]) -> Vec<u8> {
        paths.sort();
        paths.dedup_by(|left, right| (&left.0, left.1) == (&right.0, right.1));
        let mut out = [&b"DIRC"[..], &version.to_be_bytes(), &(paths.len() as u32).to_be_bytes()].concat();
        let mut before = Vec::new();
        for (place, (path, stage, is_later)) in paths.iter().enumerate() {
            let start = out.len();
            let mode: u32 = if path.ends_with('/') { 0o040_000 } else { 0o100_644 };
            out.extend([0; 24]);
            out.extend(mode.to_be_bytes());
            out.extend([0; 12]);
            out.extend([place as u8; 20]);
            let length = path.len().min(usize::from(FLAG_NAME_LENGTH)) as u16;
            let extended = *is_later && version > 2;
            out.extend((length | u16::from(*stage) << 12 | u16::from(extended) << 14).to_be_bytes());
            if extended {
                out.extend(super::super::index::EXTENDED_INTENT_TO_ADD.to_be_bytes());
            }
            if version == 4 {
                let shared = shared_bytes(&before, path.as_bytes());
                number(&mut out, before.len() - shared);
                out.extend(&path.as_bytes()[shared..]);
                out.push(0);
            } else {
                out.extend(path.as_bytes());
                out.extend(vec![0; 8 - (out.len() - start) % 8]);
            }
            before = path.clone().into_bytes();
        }
        out.extend(extensions);
        out.extend([0; 20]);
        out
    }

    fn with_name(name: &[u8; 4], data: &[u8]) -> Vec<u8> {
        [&name[..], &(data.len() as u32).to_be_bytes(), data].concat()
    }

    fn cached_trees() -> Vec<u8> {
        with_name(
            b"TREE",
            &[&b"\0-1 2\na\x001 0\n"[..], &[0xCD; 20], b"b\0-1 1\nc\x000 0\n", &[0xEF; 20]].concat(),
        )
    }

    #[test]
    fn a_path_longer_than_the_window_is_read() {
        let path = format!("{}/f", ["x".repeat(200).as_str(); 22].join("/"));
        let bytes = index(2, vec![("a".into(), 0, false), (path.clone(), 0, false)], &cached_trees());
        let (seen, cached) = streamed(&bytes, 100, &TAIL_BYTES).unwrap();
        assert_eq!(seen[1].0, path.as_bytes());
        assert_eq!(cached.len(), 4);
    }

    #[test]
    fn what_is_not_plain_is_left_to_the_other_reader() {
        let paths = || vec![("a".to_owned(), 0, false), ("b".to_owned(), 0, false)];
        for (extensions, is_plain) in [
            (Vec::new(), true),
            (cached_trees(), true),
            ([cached_trees(), with_name(b"UNTR", b"TREE")].concat(), true),
            (with_name(b"link", &[0; 20]), false),
            (with_name(b"newx", b""), false),
            // Only the end of a file is looked at for cached trees.
            ([cached_trees(), with_name(b"UNTR", &[0; 500])].concat(), false),
            // It leads to the end and is no extension.
            (with_name(b"UNTR", &cached_trees()), false),
        ] {
            let bytes = index(2, paths(), &extensions);
            assert_eq!(
                streamed(&bytes, 64 << 10, &[50, 200]).is_ok(),
                is_plain,
                "{}",
                extensions.escape_ascii()
            );
        }
    }

    #[test]
    fn a_path_that_git_never_writes_is_taken_by_neither_reader_or_both() {
        let bytes = index(2, vec![("a/.".to_owned(), 0, false)], &[]);
        assert_eq!(streamed(&bytes, 64, &TAIL_BYTES).ok(), whole(&bytes));
    }

    proptest! {
        #[test]
        fn both_readers_see_the_same(
            version in 2u32..=4,
            paths in prop::collection::vec(("[ab]{1,3}(/[a.]{1,9}){0,3}", 0u8..4, any::<bool>()), 0..20),
            directory in prop::option::of("[ab]/[cd]/"),
            has_trees in any::<bool>(),
            window in 64usize..400,
            flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..3),
            cut in prop::option::weighted(0.1, 0usize..100),
        ) {
            let paths = paths.into_iter().chain(directory.map(|path| (path, 0, false))).collect();
            let mut bytes = index(version, paths, &if has_trees { cached_trees() } else { Vec::new() });
            prop_assert_eq!(streamed(&bytes, window, &TAIL_BYTES).ok(), whole(&bytes));
            for (place, byte) in flips {
                let place = place.index(bytes.len());
                bytes[place] = byte;
            }
            bytes.truncate(bytes.len() - cut.unwrap_or(0).min(bytes.len()));
            // What the whole reader refuses must not be taken; the other way round costs time alone.
            if let Ok(seen) = streamed(&bytes, window, &TAIL_BYTES) {
                prop_assert_eq!(Some(seen), whole(&bytes));
            }
        }
    }
}
