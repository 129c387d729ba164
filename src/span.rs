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

/// The offsets at which lines start, so that many offsets are converted with one pass over the bytes.
#[derive(Clone, Debug)]
pub struct LineIndex {
    starts: Vec<usize>,
    len_bytes: usize,
    first: LineColumn,
}

impl LineIndex {
    /// Indexes `bytes`, which start on line `first_line` (1-based).
    pub fn new(bytes: &[u8], first_line: u64) -> Self {
        Self::starting_at(bytes, LineColumn { line: first_line, column: 1 })
    }

    /// Indexes `bytes`, whose first byte lies at `first`, possibly inside a line.
    pub fn starting_at(bytes: &[u8], first: LineColumn) -> Self {
        let mut starts = vec![0];
        starts.extend(memchr::memchr_iter(b'\n', bytes).map(|end| end + 1));
        Self { starts, len_bytes: bytes.len(), first }
    }

    /// Line and column of the byte at `offset`; an offset behind the end counts as the end.
    pub fn line_column(&self, offset: usize) -> LineColumn {
        let offset = offset.min(self.len_bytes);
        let row = self.row(offset);
        let before = if row == 0 { self.first.column } else { 1 };
        LineColumn { line: self.first.line + row as u64, column: (offset - self.starts[row]) as u64 + before }
    }

    /// Offset at which the line starts; 0 for the first, which may start before; `None` if it is not there.
    pub fn start_of(&self, line: u64) -> Option<usize> {
        let row = usize::try_from(line.checked_sub(self.first.line)?).ok()?;
        self.starts.get(row).copied()
    }

    /// Span of the line that holds `offset`, without its line end (`\n` or `\r\n`).
    pub fn line_span(&self, offset: usize, bytes: &[u8]) -> ByteSpan {
        let row = self.row(offset.min(self.len_bytes));
        let start = self.starts[row];
        let mut end = self.starts.get(row + 1).map_or(self.len_bytes, |next| next - 1);
        if end > start && bytes.get(end - 1) == Some(&b'\r') {
            end -= 1;
        }
        ByteSpan::new(start, end)
    }

    fn row(&self, offset: usize) -> usize {
        self.starts.partition_point(|&start| start <= offset) - 1
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
        assert_eq!(index.line_span(1, text).range(), 0..2);
        assert_eq!(index.line_span(5, text).range(), 5..7);
    }

    #[test]
    fn a_start_inside_a_line_shifts_that_line_only() {
        let index = LineIndex::starting_at(b"ab\ncd", LineColumn { line: 4, column: 10 });
        assert_eq!(index.line_column(1), LineColumn { line: 4, column: 11 });
        assert_eq!(index.line_column(3), LineColumn { line: 5, column: 1 });
    }

    proptest! {
        #[test]
        fn a_place_converts_back_to_its_offset(text in "[a\n\r]{0,60}", at in 0usize..70) {
            let bytes = text.as_bytes();
            let index = LineIndex::new(bytes, 7);
            let at = at.min(bytes.len());
            let place = index.line_column(at);
            let line_start: usize = text.split_inclusive('\n').take(place.line as usize - 7).map(str::len).sum();
            prop_assert_eq!(line_start + place.column as usize - 1, at);
            prop_assert_eq!(index.start_of(place.line), Some(line_start));
        }
    }
}
