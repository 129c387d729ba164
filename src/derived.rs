//! A text that was made from another one by copying most of it, as git stores versions of a file.

use std::cell::RefCell;
use std::num::NonZero;

use crate::span::ByteSpan;

/// A stretch of a text that was copied whole from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Copied {
    /// Offset in the text it comes from.
    pub from: usize,
    /// Offset in the text it went to.
    pub to: usize,
    /// Length in bytes.
    pub len: usize,
}

/// Where the bytes of a text come from: all that no copy covers are new.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Copies {
    /// Sorted by `to`, not overlapping; neighbours that were neighbours before are one.
    pieces: Vec<Copied>,
    /// Length of the text that was copied from.
    from_bytes: usize,
}

impl Copies {
    /// Forgets everything; the next copies are from a text of `from_bytes`.
    pub fn restart(&mut self, from_bytes: usize) {
        self.pieces.clear();
        self.from_bytes = from_bytes;
    }

    /// Adds a copy behind those before.
    pub fn push(&mut self, copied: Copied) {
        if let Some(last) = self.pieces.last_mut()
            && last.from + last.len == copied.from
            && last.to + last.len == copied.to
        {
            last.len += copied.len;
        } else if copied.len > 0 {
            self.pieces.push(copied);
        }
    }

    /// The copied stretches, sorted.
    pub fn pieces(&self) -> &[Copied] {
        &self.pieces
    }

    /// Length of the text that was copied from.
    pub fn from_bytes(&self) -> usize {
        self.from_bytes
    }

    /// Whether the pieces stand in the order in which they stood, and none twice.
    pub fn is_in_order(&self) -> bool {
        self.pieces.is_sorted_by(|one, next| one.from + one.len <= next.from)
    }

    /// Whether the bytes `start..end` were copied in one piece.
    pub fn covers(&self, start: usize, end: usize) -> bool {
        let next = self.pieces.partition_point(|piece| piece.to <= start);
        next.checked_sub(1).is_some_and(|at| end <= self.pieces[at].to + self.pieces[at].len)
    }
}

/// What the search of a text leaves behind for the texts derived from it.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    /// The literals of rules that stand in the text, sorted; those without which rules had nothing near are left out.
    pub(crate) hits: Vec<Hit>,
    /// What came of what is encoded in it.
    pub(crate) encoded: Encoded,
    /// Where runs of base64 and hex digits lie that were decoded, sorted.
    pub(crate) runs: Vec<ByteSpan>,
}

/// What came of what is encoded in a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Encoded {
    /// There is nothing encoded.
    #[default]
    Nothing,
    /// What was decoded held no match.
    Barren,
    /// It held matches, or was not decoded to its end.
    Fruitful,
}

impl Trace {
    /// Memory it takes, in bytes.
    pub fn len_bytes(&self) -> usize {
        self.hits.capacity() * size_of::<Hit>() + self.runs.capacity() * size_of::<ByteSpan>()
    }
}

/// A literal in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Hit {
    /// Offset of its first byte.
    pub(crate) start: u32,
    /// Its number in the matcher.
    pub(crate) literal: u32,
    /// What its rules found.
    pub(crate) yields: Yield,
    /// How far round it the reading of names looks, if that is known.
    pub(crate) reach: Option<Reach>,
}

impl Hit {
    /// One of which nothing is known.
    pub(crate) fn new(literal: u32, start: usize) -> Self {
        Self { start: start as u32, literal, yields: Yield::Near, reach: None }
    }
}

/// Bytes before and behind an offset, at most 64 KiB.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Reach {
    back_bytes: u16,
    ahead_bytes: NonZero<u16>,
}

impl Reach {
    /// From `low` to `high` round `start`; `None` if one is too far away, or outside any text.
    pub(crate) fn new(start: usize, low: i64, high: i64) -> Option<Self> {
        let start = start as i64;
        let back_bytes = u16::try_from(start - low).ok().filter(|_| low >= 0)?;
        let ahead_bytes = u16::try_from(high.checked_sub(start)?).ok().and_then(NonZero::new)?;
        Some(Self { back_bytes, ahead_bytes })
    }

    /// The same round another offset.
    pub(crate) fn round(self, start: usize) -> (i64, i64) {
        let start = start as i64;
        (start - i64::from(self.back_bytes), start + i64::from(self.ahead_bytes.get()))
    }
}

/// What the rules of a literal found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Yield {
    /// Nothing there has the form: no rule looked farther than its own bytes and those beside them.
    Unlike,
    /// Nothing, for what stands round it.
    Nothing,
    /// Matches that their own bytes rule out, such as placeholders. They count only for their neighbours: what
    /// they lie on is not reported either.
    Dull,
    Matches,
    /// Nothing, as the bytes next to it told already, or it was not asked yet. No trace holds such a literal: it is
    /// found again where one of them changes.
    Near,
}

/// A unit that is part of a family of texts derived from each other.
#[derive(Debug)]
pub struct Derivation<'a> {
    /// What the search of the text left behind from which this one was derived, and what was copied.
    pub base: Option<(&'a Trace, &'a Copies)>,
    /// Whether other texts are derived from this one, so that the search is to leave a trace.
    pub is_base: bool,
    /// Where it leaves it.
    pub trace: RefCell<Option<Trace>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_that_were_neighbours_are_one() {
        let mut copies = Copies::default();
        copies.restart(100);
        copies.push(Copied { from: 10, to: 0, len: 5 });
        copies.push(Copied { from: 15, to: 5, len: 5 });
        copies.push(Copied { from: 21, to: 10, len: 4 });
        copies.push(Copied { from: 25, to: 20, len: 0 });
        assert_eq!(copies.pieces().len(), 2);
        for (start, end, expected) in [(0, 10, true), (3, 11, false), (10, 14, true), (13, 15, false)] {
            assert_eq!(copies.covers(start, end), expected, "{start}..{end}");
        }
    }
}
