//! What is new in a derived text, with what has to be looked at round it, and what was copied.

use crate::derived::{Copied, Copies, Trace};
use crate::matcher::Matcher;
use crate::matcher::reach::{NEAR_AHEAD_BYTES, lines_back, lines_forward};
use crate::matcher::recent::{Recent, Stretch};
use crate::span::ByteSpan;

/// An encoding shows itself within this distance; longer runs of encoded text are taken whole.
const ENCODED_BYTES: usize = 160;
/// The same where nothing encoded was in the base: no escape of one character is longer with what is looked at behind
/// it, but for rows of marks, and those are taken whole as well.
const FIRST_ENCODED_BYTES: usize = 48;
/// How much of the lines round a change is kept with it: as much as the reading of a name mostly looks at.
const KEPT_BACK_BYTES: usize = 256;
const KEPT_AHEAD_BYTES: usize = 384;
/// An escape is decoded with the lines round it, and with those of its neighbours, if no more than this lies between.
const WINDOW_LINES: usize = 3;

impl Matcher {
    /// The changes with all that may be decoded together with them.
    pub(super) fn encoded_changes(&self, text: &[u8], copies: &Copies) -> Vec<ByteSpan> {
        let mut changes = Vec::<ByteSpan>::new();
        let margin = |start: usize, end: usize| (start.saturating_sub(ENCODED_BYTES), end + ENCODED_BYTES);
        for_each_change(text.len(), copies, margin, |start, end| {
            let start = start.min(lines_back(text, start, self.decode.max_window_bytes, WINDOW_LINES));
            let end = end.max(lines_forward(text, end, self.decode.max_window_bytes, WINDOW_LINES));
            let (start, end) = with_whole_runs(text, start, end);
            match changes.last_mut() {
                Some(last) if start <= last.end => last.end = end.max(last.end),
                _ => changes.push(ByteSpan::new(start, end)),
            }
        });
        changes
    }
}

/// The offsets between which all bytes are as they were before. A piece at the start or the end of both texts
/// has no limit there: it is seen that the text ends.
pub(super) fn sight_limits(text: &[u8], copies: &Copies, piece: &Copied) -> (i64, i64) {
    let starts = piece.from == 0 && piece.to == 0;
    let ends = piece.from + piece.len == copies.from_bytes() && piece.to + piece.len == text.len();
    let low = if starts { i64::MIN } else { piece.to as i64 };
    let high = if ends { i64::MAX } else { (piece.to + piece.len) as i64 };
    (low, high)
}

/// Copies the runs of the base. Says whether each was copied whole or not at all.
pub(super) fn copy_runs(len: usize, trace: &Trace, copies: &Copies, runs: &mut Vec<ByteSpan>) -> bool {
    if trace.runs.is_empty() {
        return true;
    }
    for piece in copies.pieces() {
        let end = piece.from + piece.len;
        let first = trace.runs.partition_point(|run| run.end < piece.from);
        for run in trace.runs[first..].iter().take_while(|run| run.start <= end) {
            // What stands beside a run has no part in it.
            let starts = piece.from < run.start || (piece.from, piece.to, run.start) == (0, 0, 0);
            let is_last = end == copies.from_bytes() && piece.to + piece.len == len;
            let ends = run.end < end || (run.end == end && is_last);
            if !starts || !ends {
                return false;
            }
            runs.push(ByteSpan::new(run.start - piece.from + piece.to, run.end - piece.from + piece.to));
        }
    }
    runs.sort_unstable();
    true
}

/// What base64, hex digits and rows of marks before an escape are made of.
static MAY_BE_ENCODED: [bool; 256] = {
    let mut bytes = [false; 256];
    let mut byte = 0;
    while byte < 128 {
        bytes[byte] = (byte as u8).is_ascii_alphanumeric();
        byte += 1;
    }
    let marks = b"+/-_=\\%&;#{}";
    let mut at = 0;
    while at < marks.len() {
        bytes[marks[at] as usize] = true;
        at += 1;
    }
    bytes
};

/// The stretch with the runs at its ends.
fn with_whole_runs(text: &[u8], start: usize, end: usize) -> (usize, usize) {
    let is_run = |byte: &&u8| MAY_BE_ENCODED[usize::from(**byte)];
    let before = text[..start].iter().rev().take_while(is_run).count();
    let behind = text[end..].iter().take_while(is_run).count();
    (start - before, end + behind)
}

/// What is kept of a stretch that is searched for literals: the lines round it, and what may be encoded.
pub(super) fn stretch_round(recent: &Recent, text: &[u8], start: usize, end: usize) -> Stretch {
    // The margin for literals is a part of it.
    let margin = FIRST_ENCODED_BYTES - (NEAR_AHEAD_BYTES - 1);
    let outer = (start.saturating_sub(margin), (end + margin).min(text.len()));
    let outer = with_whole_runs(text, outer.0, outer.1);
    let from = outer.0.min(lines_back(text, start, KEPT_BACK_BYTES, 1));
    let near = (end + NEAR_AHEAD_BYTES).min(text.len());
    let to = outer.1.max(lines_forward(text, end, KEPT_AHEAD_BYTES, 2)).max(near);
    recent.stretch(text, (from, to), (start, end), outer)
}

/// Calls `visit` with the stretches between the copies, each widened by `widen`; those that touch then are one.
/// A seam where nothing was inserted is a stretch too, an end that both texts share is none.
pub(super) fn for_each_change(
    len: usize,
    copies: &Copies,
    widen: impl Fn(usize, usize) -> (usize, usize),
    mut visit: impl FnMut(usize, usize),
) {
    let pieces = copies.pieces();
    let mut open: Option<(usize, usize)> = None;
    for at in 0..=pieces.len() {
        let (before, next) = (at.checked_sub(1).map(|before| &pieces[before]), pieces.get(at));
        let is_edge = match (before, next) {
            (None, Some(next)) => next.from == 0 && next.to == 0,
            (Some(last), None) => last.from + last.len == copies.from_bytes() && last.to + last.len == len,
            _ => false,
        };
        if is_edge {
            continue;
        }
        let start = before.map_or(0, |before| before.to + before.len);
        let end = next.map_or(len, |next| next.to);
        let (start, end) = widen(start, end);
        let end = end.min(len);
        match &mut open {
            Some((_, last)) if start <= *last => *last = end.max(*last),
            _ => {
                if let Some((start, end)) = open.replace((start, end)) {
                    visit(start, end);
                }
            }
        }
    }
    if let Some((start, end)) = open {
        visit(start, end);
    }
}
