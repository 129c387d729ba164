//! How far round a place the rules look.

use crate::rule::Rule;
use crate::rule::schema::LONGEST_TRIGGER_BYTES;

/// How far a rule looked from the start of its literal, if it found nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Looked {
    /// No farther than [`NEAR_BACK_BYTES`] and [`NEAR_AHEAD_BYTES`].
    Near,
    /// As far as a value of its form may reach.
    AtForm,
    /// At what stands round a value of its form.
    Around,
}

/// What [`super::boundary::starts_free`] looks at before a value: the longest escape.
pub(super) const NEAR_BACK_BYTES: usize = 16;

/// A literal, and as much again.
pub(super) const NEAR_AHEAD_BYTES: usize = 2 * LONGEST_TRIGGER_BYTES;

/// A value with no upper bound is looked at up to here; a longer run is cut, not lost.
pub(super) const OPEN_WINDOW_BYTES: usize = 64 << 10;

/// A keyword reaches back at most this far, since a name nearly always stands before its value.
pub(super) const BACK_REACH_BYTES: usize = 48;

/// A value that stands before its keyword may be this long.
pub(super) const BACK_VALUE_BYTES: usize = 256;

/// A keyword reaches over at most this many line ends.
pub(super) const REACH_LINES: usize = 2;

pub(super) fn max_bytes(rule: &Rule) -> usize {
    rule.max_bytes.map_or(OPEN_WINDOW_BYTES, |max| (max as usize).min(OPEN_WINDOW_BYTES))
}

/// The offset up to `reach` bytes and `lines` line ends before `at`.
pub(super) fn lines_back(text: &[u8], at: usize, reach: usize, lines: usize) -> usize {
    let floor = at.saturating_sub(reach);
    memchr::memrchr_iter(b'\n', &text[floor..at]).nth(lines).map_or(floor, |end| floor + end + 1)
}

/// The offset up to `reach` bytes and `lines` line ends behind `at`.
pub(super) fn lines_forward(text: &[u8], at: usize, reach: usize, lines: usize) -> usize {
    let ceiling = (at + reach).min(text.len());
    memchr::memchr_iter(b'\n', &text[at..ceiling]).nth(lines).map_or(ceiling, |end| at + end)
}
