//! Reads text of any length in bounded memory.
//!
//! Content that fits into one window is handed out whole. Longer content comes in windows that overlap, so
//! that whatever one window cuts in two stands whole in the next. UTF-16 is converted while it is read;
//! lines and offsets then count in the converted text.

use std::io::{self, Read};

use super::text::{ByteOrder, Encoding};
use super::{ContentUnit, Fresh, LineRange};

/// Longest unit handed out.
pub(super) const WINDOW_BYTES: usize = 16 << 20;
/// How much two windows share at least: more than the longest secret, a PEM block with its lines.
pub(super) const OVERLAP_BYTES: usize = 64 << 10;
/// How far a cut inside a line moves to stand between two words.
const WORD_BYTES: usize = 4 << 10;
/// The buffer of a worker that has read small files only.
const START_BYTES: usize = 64 << 10;
/// The first bytes that [`Encoding::of`] looks at.
const SAMPLE_BYTES: usize = 8000;

/// A buffer that is used for one content after another.
pub(super) struct WindowReader {
    buffer: Vec<u8>,
    window_bytes: usize,
    overlap_bytes: usize,
}

/// A unit without its name.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window<'a> {
    bytes: &'a [u8],
    first_line: u64,
    first_column: u64,
    first_byte: u64,
    fresh: Fresh<'a>,
}

/// How many bytes of a window were in none before it; `end_byte` is where those before ended.
pub(super) fn news_bytes(unit: &ContentUnit<'_>, end_byte: &mut u64) -> u64 {
    let end = unit.first_byte + unit.bytes.len() as u64;
    end - std::mem::replace(end_byte, end).min(end)
}

impl<'a> Window<'a> {
    /// The unit with the name that `named` carries.
    pub(super) fn unit(self, named: &ContentUnit<'a>) -> ContentUnit<'a> {
        let Window { bytes, first_line, first_column, first_byte, fresh } = self;
        ContentUnit { bytes, first_line, first_column, first_byte, fresh, ..*named }
    }
}

/// What came of reading a content to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ReadOutcome {
    /// Everything was handed out.
    Text {
        /// Length as stored.
        bytes: u64,
    },
    /// The first bytes are no text; the rest was not read.
    Binary,
}

impl WindowReader {
    pub(super) fn new() -> Self {
        Self::with_sizes(WINDOW_BYTES, OVERLAP_BYTES)
    }

    /// The overlap must leave room for news: a quarter of the window at most.
    fn with_sizes(window_bytes: usize, overlap_bytes: usize) -> Self {
        debug_assert!(overlap_bytes <= window_bytes / 4, "windows move on");
        Self { buffer: Vec::new(), window_bytes, overlap_bytes }
    }

    /// Reads `input` to its end and hands out its text; empty content hands out nothing. `expected_bytes` is
    /// a hint that saves growing the buffer.
    ///
    /// # Errors
    ///
    /// When `input` cannot be read; earlier windows have been handed out by then.
    pub(super) fn read(
        &mut self,
        input: &mut dyn Read,
        expected_bytes: u64,
        each: &mut dyn FnMut(Window<'_>),
    ) -> io::Result<ReadOutcome> {
        // One byte more shows the end without growing.
        let expected = usize::try_from(expected_bytes).unwrap_or(usize::MAX).saturating_add(1);
        let wanted = expected.min(self.window_bytes).max(START_BYTES.min(self.window_bytes));
        // Binary files are known from their start, so a large one must not fill the buffer first.
        let first = if expected > START_BYTES { START_BYTES.min(self.window_bytes) } else { wanted };
        if self.buffer.len() < first {
            self.buffer.resize(first, 0);
        }
        let mut input = Counted { input, bytes: 0 };
        let mut filled = 0;
        let mut at_end = false;
        while filled < SAMPLE_BYTES.min(self.window_bytes) && !at_end {
            at_end = !self.fill(&mut input, &mut filled)?;
        }
        match Encoding::of(&self.buffer[..filled]) {
            Encoding::Binary => return Ok(ReadOutcome::Binary),
            Encoding::AsciiCompatible => {
                if !at_end && self.buffer.len() < wanted {
                    self.buffer.resize(wanted, 0);
                }
                self.windows(&mut input, filled, at_end, each)?;
            }
            Encoding::Utf16(order) => {
                let head = self.buffer[..filled].to_vec();
                let mut converted = Utf16Reader::new(order, head.as_slice().chain(&mut input));
                self.windows(&mut converted, 0, false, each)?;
            }
        }
        Ok(ReadOutcome::Text { bytes: input.bytes })
    }

    fn windows(
        &mut self,
        input: &mut dyn Read,
        mut filled: usize,
        mut at_end: bool,
        each: &mut dyn FnMut(Window<'_>),
    ) -> io::Result<()> {
        let (mut first_line, mut first_column, mut first_byte, mut fresh_line) = (1, 1, 0, 1);
        // The start of the buffer that the window before this one held too.
        let mut shared = 0;
        loop {
            while filled < self.window_bytes && !at_end {
                at_end = !self.fill(input, &mut filled)?;
            }
            let cut = if at_end { filled } else { self.cut(shared, filled) };
            let news = [LineRange { first: fresh_line, last: u64::MAX }];
            if cut > shared {
                let fresh = if first_byte == 0 && shared == 0 { Fresh::All } else { Fresh::Lines(&news) };
                each(Window { bytes: &self.buffer[..cut], first_line, first_column, first_byte, fresh });
            }
            if at_end {
                return Ok(());
            }
            let start = self.start_of_next(cut);
            fresh_line = first_line + count_lines(&self.buffer[..cut]);
            first_line += count_lines(&self.buffer[..start]);
            first_column = match memchr::memrchr(b'\n', &self.buffer[..start]) {
                Some(line_end) => (start - line_end) as u64,
                None => first_column + start as u64,
            };
            first_byte += start as u64;
            self.buffer.copy_within(start..filled, 0);
            shared = cut - start;
            filled -= start;
        }
    }

    /// Where a full window ends: at a line end, else between two words, else where the buffer ends.
    fn cut(&self, shared: usize, filled: usize) -> usize {
        let from = |start: usize| &self.buffer[start..filled];
        if let Some(line_end) = memchr::memrchr(b'\n', from(shared)) {
            return shared + line_end + 1;
        }
        let start = shared.max(filled.saturating_sub(WORD_BYTES));
        let space = from(start).iter().rposition(|&byte| !is_word(byte));
        space.map_or(filled, |space| start + space + 1)
    }

    /// Where the window behind a cut starts: the overlap before it, moved to the start of its line, else
    /// behind a word.
    fn start_of_next(&self, cut: usize) -> usize {
        let latest = cut.saturating_sub(self.overlap_bytes);
        let earliest = latest.saturating_sub(self.overlap_bytes);
        if let Some(line_end) = memchr::memrchr(b'\n', &self.buffer[earliest..latest]) {
            return earliest + line_end + 1;
        }
        if latest == 0 {
            return 0;
        }
        let end = cut.min(latest + WORD_BYTES.min(self.overlap_bytes / 2));
        let space = self.buffer[latest..end].iter().position(|&byte| !is_word(byte));
        space.map_or(latest, |space| latest + space + 1)
    }

    /// Reads once; `false` at the end.
    fn fill(&mut self, input: &mut dyn Read, filled: &mut usize) -> io::Result<bool> {
        if *filled == self.buffer.len() {
            let doubled =
                (self.buffer.len() * 2).clamp(START_BYTES.min(self.window_bytes), self.window_bytes);
            self.buffer.resize(doubled, 0);
        }
        let limit = self.buffer.len().min(self.window_bytes);
        loop {
            match input.read(&mut self.buffer[*filled..limit]) {
                Ok(read) => {
                    *filled += read;
                    return Ok(read > 0);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

/// Bytes that tokens are made of.
fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_-+/=.".contains(&byte)
}

fn count_lines(bytes: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', bytes).count() as u64
}

struct Counted<'r> {
    input: &'r mut dyn Read,
    bytes: u64,
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(buffer)?;
        self.bytes += read as u64;
        Ok(read)
    }
}

/// Converts while reading, with the same result as [`ByteOrder::to_utf8`] on the whole.
struct Utf16Reader<R> {
    order: ByteOrder,
    input: R,
    raw: Vec<u8>,
    raw_filled: usize,
    at_end: bool,
    started: bool,
    text: Vec<u8>,
    text_taken: usize,
}

const RAW_BYTES: usize = 64 << 10;

impl<R: Read> Utf16Reader<R> {
    fn new(order: ByteOrder, input: R) -> Self {
        Self {
            order,
            input,
            raw: vec![0; RAW_BYTES],
            raw_filled: 0,
            at_end: false,
            started: false,
            text: Vec::new(),
            text_taken: 0,
        }
    }

    fn convert(&mut self) {
        let unit = |pair: &[u8]| match self.order {
            ByteOrder::Little => u16::from_le_bytes([pair[0], pair[1]]),
            ByteOrder::Big => u16::from_be_bytes([pair[0], pair[1]]),
        };
        let mut end = self.raw_filled & !1;
        // The first half of a surrogate pair waits for the second.
        if !self.at_end && end >= 2 && (0xD800..0xDC00).contains(&unit(&self.raw[end - 2..end])) {
            end -= 2;
        }
        let mut text = String::from_utf8(std::mem::take(&mut self.text)).unwrap_or_default();
        text.clear();
        for decoded in char::decode_utf16(self.raw[..end].chunks_exact(2).map(unit)) {
            let character = decoded.unwrap_or(char::REPLACEMENT_CHARACTER);
            self.started |= character != '\u{FEFF}';
            if self.started {
                text.push(character);
            }
        }
        self.text = text.into_bytes();
        self.text_taken = 0;
        if self.at_end {
            self.text.extend_from_slice(&self.raw[end..self.raw_filled]);
            end = self.raw_filled;
        }
        self.raw.copy_within(end..self.raw_filled, 0);
        self.raw_filled -= end;
    }
}

impl<R: Read> Read for Utf16Reader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.text_taken == self.text.len() && !self.at_end {
            let read = self.input.read(&mut self.raw[self.raw_filled..])?;
            self.raw_filled += read;
            self.at_end = read == 0;
            self.convert();
        }
        let rest = &self.text[self.text_taken..];
        let length = rest.len().min(buffer.len());
        buffer[..length].copy_from_slice(&rest[..length]);
        self.text_taken += length;
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::super::text::as_text;
    use super::*;
    use crate::span::LineIndex;
    use proptest::prelude::*;

    struct Seen {
        bytes: Vec<u8>,
        first_line: u64,
        first_column: u64,
        first_byte: u64,
        fresh_line: Option<u64>,
    }

    fn windows(content: &[u8], window: usize, overlap: usize) -> (ReadOutcome, Vec<Seen>) {
        let mut seen = Vec::new();
        let outcome = WindowReader::with_sizes(window, overlap)
            .read(&mut &*content, 0, &mut |window| {
                let fresh_line = match window.fresh {
                    Fresh::All => None,
                    Fresh::Lines(ranges) => Some(ranges[0].first),
                };
                let Window { bytes, first_line, first_column, first_byte, .. } = window;
                seen.push(Seen { bytes: bytes.to_vec(), first_line, first_column, first_byte, fresh_line });
            })
            .unwrap();
        (outcome, seen)
    }

    #[test]
    fn short_content_comes_whole() {
        let (outcome, seen) = windows(b"one\ntwo", 64, 16);
        assert_eq!(outcome, ReadOutcome::Text { bytes: 7 });
        assert_eq!(seen.len(), 1);
        assert_eq!((seen[0].bytes.as_slice(), seen[0].fresh_line), (&b"one\ntwo"[..], None));
    }

    #[test]
    fn empty_content_is_text_without_a_window() {
        let (outcome, seen) = windows(b"", 64, 16);
        assert_eq!(outcome, ReadOutcome::Text { bytes: 0 });
        assert!(seen.is_empty());
    }

    #[test]
    fn binary_content_is_not_read_to_its_end() {
        let mut endless = io::repeat(0);
        let outcome = WindowReader::new().read(&mut endless, 0, &mut |_| panic!("no text")).unwrap();
        assert_eq!(outcome, ReadOutcome::Binary);
    }

    #[test]
    fn a_read_error_is_passed_on() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::ErrorKind::PermissionDenied.into())
            }
        }
        let error = WindowReader::new().read(&mut (&b"text"[..]).chain(Broken), 4, &mut |_| {}).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
    }

    #[test]
    fn a_line_longer_than_a_window_is_cut_between_words() {
        let content = "aaaa bbbb cccc dddd eeee ffff gggg hhhh ".repeat(4);
        let (_, seen) = windows(content.as_bytes(), 64, 16);
        assert!(seen.len() > 2);
        for window in &seen {
            let at = window.first_byte as usize;
            assert_eq!(window.bytes, content.as_bytes()[at..at + window.bytes.len()]);
            assert!(window.bytes.ends_with(b" "));
            assert_eq!(at % 5, 0, "a word starts the window");
            assert_eq!(window.first_line, 1);
        }
    }

    #[test]
    fn the_real_sizes_hold_for_a_large_file() {
        let line = "0123456789 abcdefghijklmnopqrstuvwxyz, forty-eight b\n";
        let content = line.repeat((WINDOW_BYTES * 2) / line.len() + 7);
        let mut lines = 0;
        let mut longest = 0;
        let outcome = WindowReader::new()
            .read(&mut content.as_bytes(), content.len() as u64, &mut |window| {
                longest = longest.max(window.bytes.len());
                assert_eq!(window.first_byte % line.len() as u64, 0);
                assert_eq!(window.first_byte / line.len() as u64 + 1, window.first_line);
                assert!(window.bytes.ends_with(b"\n"));
                lines = window.first_line - 1 + count_lines(window.bytes);
            })
            .unwrap();
        assert_eq!(outcome, ReadOutcome::Text { bytes: content.len() as u64 });
        assert!(longest <= WINDOW_BYTES);
        assert_eq!(lines, count_lines(content.as_bytes()));
    }

    proptest! {
        #[test]
        fn windows_cover_the_content_and_overlap(
            content in "([ab ]{0,9}\n|[ab]{0,120} ?){0,40}",
            window in 64usize..200,
        ) {
            let overlap = window / 4;
            let (_, seen) = windows(content.as_bytes(), window, overlap);
            let mut end = 0;
            for (place, window_seen) in seen.iter().enumerate() {
                let at = window_seen.first_byte as usize;
                prop_assert_eq!(&window_seen.bytes, &content.as_bytes()[at..at + window_seen.bytes.len()]);
                prop_assert!(window_seen.bytes.len() <= window);
                let start = LineIndex::new(content.as_bytes(), 1).line_column(at);
                prop_assert_eq!((window_seen.first_line, window_seen.first_column), (start.line, start.column));
                prop_assert!(at <= end);
                if place > 0 {
                    // Half of the overlap at least, since a start inside a line moves to the next word.
                    prop_assert!(at == 0 || end - at >= overlap / 2);
                    prop_assert_eq!(window_seen.fresh_line, Some(1 + count_lines(&content.as_bytes()[..end])));
                }
                end = at + window_seen.bytes.len();
            }
            prop_assert_eq!(end, content.len());
        }

        #[test]
        fn utf16_is_converted_as_if_whole(
            text in "(\u{FEFF}|[ab\n]|é|😀){0,60}",
            tail in proptest::collection::vec(any::<u16>(), 0..3),
            little in any::<bool>(),
            odd in any::<bool>(),
        ) {
            let order = if little { ByteOrder::Little } else { ByteOrder::Big };
            let units = std::iter::once(0xFEFF).chain(text.encode_utf16()).chain(tail);
            let mut raw: Vec<u8> = units
                .flat_map(|unit| if little { unit.to_le_bytes() } else { unit.to_be_bytes() })
                .collect();
            if odd {
                raw.push(b'x');
            }
            let whole = order.to_utf8(&raw);
            let mut streamed = Vec::new();
            let mut reader = Utf16Reader::new(order, raw.as_slice());
            // Five bytes a read cut units and surrogate pairs at every place.
            reader.raw.truncate(5);
            reader.read_to_end(&mut streamed).unwrap();
            prop_assert_eq!(&streamed, &whole);
            if let Some(text) = as_text(&raw) && raw.len() > 8 {
                let (_, seen) = windows(&raw, 64, 16);
                let mut joined: Vec<u8> = Vec::new();
                for window in seen {
                    joined.truncate(window.first_byte as usize);
                    joined.extend(window.bytes);
                }
                prop_assert_eq!(joined, text.into_owned());
            }
        }
    }
}
