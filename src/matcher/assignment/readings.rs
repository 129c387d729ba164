//! What was read of a text, so that nothing is read twice.

use std::ops::Range;

use super::line::commas;
use super::{
    AHEAD_BYTES, Assignment, LONGEST_ROW_BYTES, LONGEST_VALUE_BYTES, head_of, is_head_byte, is_name_byte,
    opens_variable, read_column_name, read_name, read_scalar, whole_name,
};
use crate::span::ByteSpan;

/// What was read at the last keywords of a text: several rules ask for the same one, and some ask for all that
/// stand near.
#[derive(Debug, Default)]
pub(in crate::matcher) struct Readings {
    /// The number of the text; what was read in others stays until it is overwritten.
    text: u64,
    slots: Vec<Slot>,
    /// Which of them was asked for last.
    last: usize,
    stretches: Stretches,
}

/// Stretches of a text that were gone through: a line may be one name, or one value, that holds a keyword every few
/// bytes, and each byte of it is looked at once then.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Stretches {
    /// From the first byte of a name to behind its last; empty where nothing is known. The last one asked for, and the
    /// one before it: a word and names near it are asked for in turn.
    name: (usize, usize),
    other_name: (usize, usize),
    /// Bytes that may stand in a value without quotes, as far as was looked.
    pub(super) bare: (usize, usize),
    /// Behind the last line end before an offset, or the least offset that was looked at, and that offset.
    line: (usize, usize),
    /// As `name`, of bytes that may stand among the names of columns.
    head: (usize, usize),
    /// The row below that stretch, if it is a line and that row has as many fields, once it was asked for.
    row: Option<Option<(usize, usize)>>,
}

impl Stretches {
    /// The stretch of name bytes on both sides of an offset.
    pub(super) fn name_round(&mut self, text: &[u8], at: usize) -> (usize, usize) {
        let is_in = |(start, end): (usize, usize)| (start..=end).contains(&at) && start < end;
        if !is_in(self.name) {
            std::mem::swap(&mut self.name, &mut self.other_name);
        }
        if !is_in(self.name) {
            let left = text[..at].iter().rev().take_while(|&&byte| is_name_byte(byte)).count();
            let right = text[at..].iter().take_while(|&&byte| is_name_byte(byte)).count();
            self.name = (at - left, at + right);
        }
        self.name
    }

    /// The line up to an offset, or as much of it as is looked at for the mark of a comment.
    pub(super) fn line_before<'t>(&mut self, text: &'t [u8], at: usize) -> &'t [u8] {
        let floor = at.saturating_sub(LONGEST_VALUE_BYTES);
        let (start, known_to) = self.line;
        let is_known = start < known_to && (known_to..known_to + LONGEST_VALUE_BYTES).contains(&at);
        // What is before a stretch that is known was not looked at, or is another line.
        let (start, from) = if is_known { (start.max(floor), known_to.max(floor)) } else { (floor, floor) };
        let start = memchr::memrchr(b'\n', &text[from..at]).map_or(start, |end| from + end + 1);
        self.line = (start, at);
        &text[start..at]
    }

    /// The stretch of bytes of a row of names on both sides of a name.
    pub(super) fn head_round(&mut self, text: &[u8], name: ByteSpan) -> (usize, usize) {
        let (start, end) = self.head;
        if !(start <= name.start && name.end <= end) || start == end {
            let left = text[..name.start].iter().rev().take_while(|&&byte| is_head_byte(byte)).count();
            let right = text[name.end..].iter().take_while(|&&byte| is_head_byte(byte)).count();
            self.head = (name.start - left, name.end + right);
            self.row = None;
        }
        self.head
    }

    /// The row below the stretch asked for last.
    pub(super) fn row_below(&mut self, text: &[u8]) -> Option<(usize, usize)> {
        let (start, end) = self.head;
        *self.row.get_or_insert_with(|| {
            let below = head_of(&text[end + 1..], LONGEST_ROW_BYTES);
            let row_end = match memchr::memchr(b'\n', below) {
                Some(at) => end + 1 + at,
                None if below.len() < LONGEST_ROW_BYTES => text.len(),
                None => return None,
            };
            let count = commas(&text[start..end]);
            (count > 0 && count == commas(&text[end + 1..row_end])).then_some((end + 1, row_end))
        })
    }
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    text: u64,
    name: ByteSpan,
    read: Option<Assignment>,
    /// Once it was asked for.
    column: Option<Option<Assignment>>,
    /// What [`read_scalar`] makes of it, once it was asked for.
    scalar: Option<Option<Assignment>>,
}

/// What may be assigned to a name.
#[derive(Clone, Copy, Debug)]
pub(in crate::matcher) struct Named {
    /// The name, which leads to the same for each word in it.
    pub(in crate::matcher) name: Option<ByteSpan>,
    /// As [`read`](super::read) has it, or as [`read_column`](super::read_column) where that finds nothing.
    pub(in crate::matcher) read: Option<Assignment>,
    /// As [`read_scalar`] has it.
    pub(in crate::matcher) scalar: Option<Assignment>,
}

impl Readings {
    /// About as many keywords as may stand within the reach of one.
    const SLOTS: usize = 256;

    /// Forgets all, before another text.
    pub(in crate::matcher) fn clear(&mut self) {
        self.text += 1;
        self.stretches = Stretches::default();
    }

    /// What is known of the name that holds the keyword: all words of one name lead to the same.
    fn slot(&mut self, text: &[u8], keyword: ByteSpan) -> Option<&mut Slot> {
        if self.is_in_last(text, keyword) {
            return self.slots.get_mut(self.last);
        }
        let name = whole_name(text, keyword, &mut self.stretches)?;
        if self.slots.is_empty() {
            let free = Slot { text: 0, name: ByteSpan::new(0, 0), read: None, column: None, scalar: None };
            self.slots.resize(Self::SLOTS, free);
        }
        self.last = name.start % Self::SLOTS;
        let slot = &mut self.slots[self.last];
        if (slot.text, slot.name) != (self.text, name) {
            let read = read_name(text, name, &mut self.stretches);
            *slot = Slot { text: self.text, name, read, column: None, scalar: None };
        }
        Some(slot)
    }

    /// Whether the keyword stands in the name asked for last, as one that holds another does. Where marks end the name
    /// it depends on the keyword, and so it does where the name is more than one stretch.
    fn is_in_last(&self, text: &[u8], keyword: ByteSpan) -> bool {
        let (start, end) = self.stretches.name;
        self.slots.get(self.last).is_some_and(|&Slot { text: of_text, name, .. }| {
            of_text == self.text
                && name.start == start
                && name.end == end
                && name.start <= keyword.start
                && keyword.end <= name.end
                && !matches!(text[end - 1], b'-' | b'.')
        })
    }

    /// As [`read`](super::read).
    pub(in crate::matcher) fn read(&mut self, text: &[u8], keyword: ByteSpan) -> Option<Assignment> {
        self.slot(text, keyword)?.read
    }

    /// Everything that may be assigned to the name that holds the keyword.
    pub(in crate::matcher) fn read_named(&mut self, text: &[u8], keyword: ByteSpan) -> Named {
        let read = self.read_or_column(text, keyword);
        let Some(slot) = self.slot(text, keyword) else { return Named { name: None, read, scalar: None } };
        let scalar = *slot.scalar.get_or_insert_with(|| read_scalar(text, keyword, read.as_ref()));
        Named { name: Some(slot.name), read, scalar }
    }

    /// As [`read`](super::read), or as [`read_column`](super::read_column) where that finds nothing.
    fn read_or_column(&mut self, text: &[u8], keyword: ByteSpan) -> Option<Assignment> {
        let slot = self.slot(text, keyword)?;
        let name = slot.name;
        match (slot.read, slot.column) {
            (None, None) => {}
            (None, Some(column)) => return column,
            (read, _) => return read,
        }
        let column = read_column_name(text, name, &mut self.stretches);
        self.slots[name.start % Self::SLOTS].column = Some(column);
        column
    }
}

/// How far [`read`](super::read) and [`read_column`](super::read_column) look from keywords of a text, which are asked
/// for line by line.
#[derive(Debug)]
pub(in crate::matcher) struct LineSight<'t> {
    text: &'t [u8],
    /// The line asked for last, from its start, or the keyword where that was found, to behind its end.
    line: Range<usize>,
    /// What [`LineSight::back_to`] makes of what is above that line, if its start was found.
    above: Option<i64>,
    /// Behind the line below, white space between the two left out.
    below: usize,
}

impl<'t> LineSight<'t> {
    pub(in crate::matcher) fn new(text: &'t [u8]) -> Self {
        Self { text, line: 0..0, above: None, below: 0 }
    }

    /// Behind the last byte that is looked at for a keyword; beyond any text where it is seen that it ends, or
    /// a line is too long to look for its end each time.
    pub(in crate::matcher) fn ahead_to(&mut self, keyword_start: usize) -> usize {
        if opens_variable(self.text, keyword_start) {
            return keyword_start + AHEAD_BYTES;
        }
        if !self.line.contains(&keyword_start) && !self.turn_to(keyword_start) {
            return usize::MAX >> 1;
        }
        self.below
    }

    /// The least offset that is looked at for a keyword; less than 0 where it is seen that the text starts
    /// there, or a line is too long to look for its start each time.
    pub(in crate::matcher) fn back_to(&mut self, keyword_start: usize) -> i64 {
        if !self.line.contains(&keyword_start) && !self.turn_to(keyword_start) {
            return -1;
        }
        let is_near = keyword_start - self.line.start < AHEAD_BYTES;
        // Only white space and the word above it is looked at beyond the start of the line.
        self.above.filter(|_| is_near).unwrap_or(-1)
    }

    /// Reads the line of a keyword, and those beside it. `false` if it or the one below is too long or the last.
    fn turn_to(&mut self, keyword_start: usize) -> bool {
        let text = self.text;
        let line_end = |from: usize| {
            let rest = &text[from..(from + AHEAD_BYTES).min(text.len())];
            memchr::memchr(b'\n', rest).map(|at| from + at + 1)
        };
        let Some(end) = line_end(keyword_start.min(text.len())) else { return false };
        // Nothing else reads on over a line end but the white space between the two lines of an entry.
        let blanks = text[end..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        let Some(below) = line_end(end + blanks) else { return false };
        let floor = keyword_start.saturating_sub(AHEAD_BYTES);
        let start = memchr::memrchr(b'\n', &text[floor..keyword_start]).map(|at| floor + at + 1);
        // Before the name, or before the line, any white space and the word that it ends with.
        self.above = start.map(|start| text[..start].trim_ascii_end().len() as i64 - 16);
        self.line = start.unwrap_or(keyword_start)..end;
        self.below = below;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::super::{read, read_column};
    use super::*;

    #[test]
    fn what_is_remembered_is_what_is_read() {
        let mut readings = Readings::default();
        for text in ["password: abc", "password; abc", "password,x\nabc,d\n", "password: abd"] {
            readings.clear();
            for len in [4, 8, 4] {
                let keyword = ByteSpan::new(0, len);
                let (read, column) = (read(text.as_bytes(), keyword), read_column(text.as_bytes(), keyword));
                assert_eq!(readings.read(text.as_bytes(), keyword), read);
                assert_eq!(readings.read_or_column(text.as_bytes(), keyword), read.or(column));
            }
        }
    }
}
