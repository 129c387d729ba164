//! Byte spans and the conversion from byte offsets to lines and columns.

use std::ops::Range;

/// A half-open range of byte offsets, `start..end`, in one content unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ByteSpan {
    /// Offset of the first byte.
    pub start: usize,
    /// Offset behind the last byte; never less than `start`.
    pub end: usize,
}

impl ByteSpan {
    /// Builds the span `start..end`.
    pub fn new(start: usize, end: usize) -> Self {
        debug_assert!(start <= end, "a span ends where it starts or later");
        Self { start, end }
    }

    /// Number of bytes covered.
    pub fn len(self) -> usize {
        self.end - self.start
    }

    /// Whether the span covers no byte.
    pub fn is_empty(self) -> bool {
        self.start == self.end
    }

    /// Whether the two spans share at least one byte.
    pub fn overlaps(self, other: Self) -> bool {
        self.start < other.end && other.start < self.end
    }

    /// Whether `other` lies wholly inside this span.
    pub fn contains(self, other: Self) -> bool {
        self.start <= other.start && other.end <= self.end
    }

    /// The same span as a range, to index a slice with.
    pub fn range(self) -> Range<usize> {
        self.start..self.end
    }
}

/// A place in a text as people count: both numbers start at 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LineColumn {
    /// Line number, 1-based; lines end with a line feed.
    pub line: u64,
    /// Byte column in the line, 1-based.
    pub column: u64,
}

/// How many bytes of a text are counted together.
const BLOCK_BYTES: usize = 1024;

/// How many lines end before each block of a text, so that many offsets are converted with one pass over the bytes.
/// Counting is much faster than to note where each line starts, and most texts are asked for a place or two.
#[derive(Clone, Debug)]
pub struct LineIndex<'t> {
    bytes: &'t [u8],
    /// By block: how many line ends lie before it; then how many there are.
    ends_before: Vec<usize>,
    first: LineColumn,
}

impl<'t> LineIndex<'t> {
    /// Indexes `bytes`, which start on line `first_line` (1-based).
    pub fn new(bytes: &'t [u8], first_line: u64) -> Self {
        Self::starting_at(bytes, LineColumn { line: first_line, column: 1 })
    }

    /// Indexes `bytes`, whose first byte lies at `first`, possibly inside a line.
    pub fn starting_at(bytes: &'t [u8], first: LineColumn) -> Self {
        let mut ends_before = Vec::with_capacity(bytes.len() / BLOCK_BYTES + 2);
        ends_before.push(0);
        let mut count = 0;
        for block in bytes.chunks(BLOCK_BYTES) {
            count += memchr::memchr_iter(b'\n', block).count();
            ends_before.push(count);
        }
        Self { bytes, ends_before, first }
    }

    /// Line and column of the byte at `offset`; an offset behind the end counts as the end.
    pub fn line_column(&self, offset: usize) -> LineColumn {
        let offset = offset.min(self.bytes.len());
        let row = self.row(offset);
        let before = if row == 0 { self.first.column } else { 1 };
        let start = self.start(row).expect("a row that an offset has");
        LineColumn { line: self.first.line + row as u64, column: (offset - start) as u64 + before }
    }

    /// Offset at which the line starts; 0 for the first, which may start before; `None` if it is not there.
    pub fn start_of(&self, line: u64) -> Option<usize> {
        self.start(usize::try_from(line.checked_sub(self.first.line)?).ok()?)
    }

    /// Span of the line that holds `offset`, without its line end (`\n` or `\r\n`).
    pub fn line_span(&self, offset: usize) -> ByteSpan {
        let row = self.row(offset.min(self.bytes.len()));
        let start = self.start(row).expect("a row that an offset has");
        let mut end = self.start(row + 1).map_or(self.bytes.len(), |next| next - 1);
        if end > start && self.bytes[end - 1] == b'\r' {
            end -= 1;
        }
        ByteSpan::new(start, end)
    }

    /// How many lines end before an offset.
    fn row(&self, offset: usize) -> usize {
        let block = offset / BLOCK_BYTES;
        let behind = &self.bytes[block * BLOCK_BYTES..offset];
        self.ends_before[block] + memchr::memchr_iter(b'\n', behind).count()
    }

    /// Where the line starts before which so many end.
    fn start(&self, row: usize) -> Option<usize> {
        let Some(before) = row.checked_sub(1) else { return Some(0) };
        let block = self.ends_before.partition_point(|&ends| ends <= before) - 1;
        let start = block * BLOCK_BYTES;
        let end =
            memchr::memchr_iter(b'\n', self.bytes.get(start..)?).nth(before - self.ends_before[block])?;
        Some(start + end + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lines_and_columns_start_at_one() {
        let text = b"ab\r\n\ncd";
        let index = LineIndex::new(text, 1);
        assert_eq!(index.line_column(0), LineColumn { line: 1, column: 1 });
        assert_eq!(index.line_column(4), LineColumn { line: 2, column: 1 });
        assert_eq!(index.line_column(6), LineColumn { line: 3, column: 2 });
        assert_eq!(index.line_span(1).range(), 0..2);
        assert_eq!(index.line_span(5).range(), 5..7);
    }

    #[test]
    fn a_start_inside_a_line_shifts_that_line_only() {
        let index = LineIndex::starting_at(b"ab\ncd", LineColumn { line: 4, column: 10 });
        assert_eq!(index.line_column(1), LineColumn { line: 4, column: 11 });
        assert_eq!(index.line_column(3), LineColumn { line: 5, column: 1 });
    }

    proptest! {
        #[test]
        fn a_place_converts_back_to_its_offset(
            pieces in prop::collection::vec(("[a\n\r]{0,9}", 0usize..600), 0..12),
            at in 0usize..7000,
        ) {
            // Short lines and such as are longer than a block.
            let text: String = pieces.iter().map(|(piece, run)| format!("{piece}{}", "b".repeat(*run))).collect();
            let bytes = text.as_bytes();
            let index = LineIndex::new(bytes, 7);
            let at = at.min(bytes.len());
            let place = index.line_column(at);
            let line_start: usize = text.split_inclusive('\n').take(place.line as usize - 7).map(str::len).sum();
            prop_assert_eq!(line_start + place.column as usize - 1, at);
            prop_assert_eq!(index.start_of(place.line), Some(line_start));
            let line = text[line_start..].split('\n').next().unwrap_or_default();
            let line = line.strip_suffix('\r').unwrap_or(line);
            prop_assert_eq!(index.line_span(at), ByteSpan::new(line_start, line_start + line.len()));
            let lines = text.matches('\n').count() as u64;
            prop_assert!(index.start_of(7 + lines).is_some());
            prop_assert_eq!(index.start_of(8 + lines), None);
        }
    }
}
