//! From offsets in decoded bytes back to offsets in the bytes that were decoded.

use crate::span::ByteSpan;

/// How many source bytes a stretch of decoded bytes comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Grain {
    /// Each source byte carries this many bits of the decoded bytes, without gaps: 8 for a plain copy, 6 for
    /// base64, 4 for hex digits and for the ASCII part of UTF-16.
    Bits(u8),
    /// The whole stretch comes from one escape of this many source bytes.
    Escape(usize),
    /// Each byte comes from an escape of its own of this many source bytes, one behind the other.
    Escapes(usize),
}

/// A stretch of decoded bytes with one [`Grain`]; it ends where the next one starts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Segment {
    pub(super) decoded_start: usize,
    pub(super) source_start: usize,
    pub(super) grain: Grain,
}

/// One decoding step, as stretches in the order of the decoded bytes.
#[derive(Clone, Debug, Default)]
pub(super) struct Map {
    segments: Vec<Segment>,
}

impl Map {
    pub(super) fn push(&mut self, decoded_start: usize, source_start: usize, grain: Grain) {
        self.segments.push(Segment { decoded_start, source_start, grain });
    }

    /// An escape of `len` source bytes that stands for one byte. Those in a row make one stretch.
    pub(super) fn push_escape(&mut self, decoded_start: usize, source_start: usize, len: usize) {
        let goes_on = self.segments.last().is_some_and(|row| {
            row.grain == Grain::Escapes(len)
                && row.source_start + (decoded_start - row.decoded_start) * len == source_start
        });
        if !goes_on {
            self.push(decoded_start, source_start, Grain::Escapes(len));
        }
    }

    pub(super) fn clear(&mut self) {
        self.segments.clear();
    }

    /// Smallest source span that holds every source byte of `decoded`; empty for an empty span.
    pub(super) fn source_span(&self, decoded: ByteSpan) -> ByteSpan {
        if decoded.is_empty() {
            let start = self.source_of(decoded.start).start;
            return ByteSpan::new(start, start);
        }
        let start = self.source_of(decoded.start).start;
        let end = self.source_of(decoded.end - 1).end;
        ByteSpan::new(start, end.max(start))
    }

    /// Whether every byte of `decoded` is a plain copy.
    pub(super) fn is_copy(&self, decoded: ByteSpan) -> bool {
        self.segments[self.index_of(decoded.start)..]
            .iter()
            .take_while(|segment| segment.decoded_start < decoded.end)
            .all(|segment| segment.grain == Grain::Bits(8))
    }

    fn source_of(&self, offset: usize) -> ByteSpan {
        let Some(segment) = self.segments.get(self.index_of(offset)) else {
            return ByteSpan::new(offset, offset);
        };
        match segment.grain {
            Grain::Bits(bits) => {
                let bits = usize::from(bits);
                let inside = offset - segment.decoded_start;
                ByteSpan::new(
                    segment.source_start + inside * 8 / bits,
                    segment.source_start + ((inside + 1) * 8).div_ceil(bits),
                )
            }
            Grain::Escape(len) => ByteSpan::new(segment.source_start, segment.source_start + len),
            Grain::Escapes(len) => {
                let start = segment.source_start + (offset - segment.decoded_start) * len;
                ByteSpan::new(start, start + len)
            }
        }
    }

    /// Index of the stretch that holds `offset`, 0 if there is none.
    fn index_of(&self, offset: usize) -> usize {
        self.segments.partition_point(|segment| segment.decoded_start <= offset).saturating_sub(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_maps_to_the_smallest_source_span() {
        let mut map = Map::default();
        map.push(0, 10, Grain::Bits(8));
        map.push(3, 13, Grain::Escape(6));
        map.push(4, 19, Grain::Bits(8));
        for (decoded, source) in [(0..3, 10..13), (3..4, 13..19), (2..5, 12..20), (4..4, 19..19)] {
            assert_eq!(map.source_span(ByteSpan::new(decoded.start, decoded.end)).range(), source);
        }
        assert!(map.is_copy(ByteSpan::new(0, 3)) && map.is_copy(ByteSpan::new(4, 9)));
        assert!(!map.is_copy(ByteSpan::new(2, 4)) && !map.is_copy(ByteSpan::new(3, 5)));
    }

    #[test]
    fn escapes_in_a_row_map_to_single_ones() {
        let mut map = Map::default();
        map.push(0, 0, Grain::Bits(8));
        for (to, from, len) in [(2, 2, 3), (3, 5, 3), (4, 8, 6), (5, 15, 6)] {
            map.push_escape(to, from, len);
        }
        assert_eq!(map.segments.len(), 4);
        for (decoded, source) in [(1..3, 1..5), (2..3, 2..5), (3..4, 5..8), (3..5, 5..14), (5..6, 15..21)] {
            assert_eq!(map.source_span(ByteSpan::new(decoded.start, decoded.end)).range(), source);
        }
        assert!(map.is_copy(ByteSpan::new(0, 2)) && !map.is_copy(ByteSpan::new(1, 3)));
        assert!(!map.is_copy(ByteSpan::new(3, 4)));
    }

    #[test]
    fn base64_maps_to_single_characters() {
        let mut map = Map::default();
        map.push(0, 0, Grain::Bits(6));
        let source: Vec<_> = (0..4).map(|at| map.source_span(ByteSpan::new(at, at + 1)).range()).collect();
        assert_eq!(source, [0..2, 1..3, 2..4, 4..6]);
    }
}
