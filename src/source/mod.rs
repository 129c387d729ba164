//! Sources yield bytes and where they came from. They know nothing of rules.

pub mod both;
#[cfg(test)]
mod collect;
pub mod history;
mod ignored;
pub mod parallel;
pub mod staged;
pub mod stdin;
pub mod text;
mod window;
pub mod worktree;

use std::collections::BTreeMap;

use bstr::{BStr, BString};

use crate::coverage::{Coverage, SkipReason};
use crate::derived::Derivation;
use crate::fingerprint::Fingerprint;
use crate::location::{Appearance, Exposure, ObjectId, Origin};
use crate::progress::Progress;
use crate::span::ByteSpan;

/// The largest blob that is read, in bytes, unless the user says otherwise: it has to fit into memory, and being
/// stopped by the system in the midst of a commit tells nobody why.
const MAX_BLOB_BYTES: u64 = 1 << 30;

/// Notes a blob that is too large: skipped if it is the user who set the limit, else a problem.
fn leave_out(coverage: &mut Coverage, name: impl Into<BString>, len: u64, limit_of_user: Option<u64>) {
    match limit_of_user {
        Some(_) => coverage.skip(name, SkipReason::TooLarge),
        None => coverage.problem(
            name,
            format!(
                "has {len} bytes, more than a blob may have: `--max-file-bytes 1G` leaves out and counts what is \
                 larger, a greater limit reads it"
            ),
        ),
    }
}

/// A piece of content to scan: a whole file or message, or one window of a file too large to hold.
#[derive(Clone, Copy, Debug)]
pub struct ContentUnit<'a> {
    /// What the bytes were read from.
    pub origin: &'a Origin,
    /// Path with `/` separators; `None` for a blob whose path is found later.
    pub path: Option<&'a BStr>,
    /// The bytes as text: UTF-16 is already converted to UTF-8, everything else is as stored.
    pub bytes: &'a [u8],
    /// Line number (1-based) of the first byte; greater than 1 in a later window of a large file.
    pub first_line: u64,
    /// Byte column (1-based) of the first byte; greater than 1 in a window that starts inside a line.
    pub first_column: u64,
    /// Offset of the first byte in the file, counted in the text: UTF-16 as converted.
    pub first_byte: u64,
    /// The part of the unit that is news; a match outside it is not reported.
    pub fresh: Fresh<'a>,
    /// How the bytes relate to those of another unit, where that is known.
    pub derivation: Option<&'a Derivation<'a>>,
    /// What an earlier search of the same bytes left as [`Searched::Matches`]; empty if there was none, and `None` if
    /// nobody keeps it.
    pub note: Option<&'a [u8]>,
}

/// Which lines of a unit count.
#[derive(Clone, Copy, Debug)]
pub enum Fresh<'a> {
    /// Every line.
    All,
    /// Only matches that touch one of these lines; sorted, not overlapping.
    Lines(&'a [LineRange]),
}

/// A run of lines, both ends included, 1-based.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LineRange {
    /// First line of the run.
    pub first: u64,
    /// Last line of the run.
    pub last: u64,
}

impl Fresh<'_> {
    /// Whether any line from `first` to `last` counts.
    pub fn touches(&self, first: u64, last: u64) -> bool {
        match self {
            Fresh::All => true,
            Fresh::Lines(ranges) => {
                let next = ranges.partition_point(|range| range.last < first);
                ranges.get(next).is_some_and(|range| range.first <= last)
            }
        }
    }
}

/// What the search of a unit came to, for sources that remember it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Searched {
    /// It was searched to its end and holds nothing of which a report could speak, whatever the policy.
    Clean,
    /// It was searched to its end, and the searcher wrote down what it found, for itself: where that stands, and how
    /// sure it is, but nothing of what stands there.
    Matches(Vec<u8>),
    /// It holds something, or not all of it was searched.
    NotClean,
}

/// Takes one unit after another on one worker thread.
pub type Visitor<'s> = Box<dyn FnMut(&ContentUnit<'_>) -> Searched + Send + 's>;

/// Makes visitors for worker threads, and says what may be left unread.
pub trait Search<'s>: Sync {
    /// A visitor for a worker thread.
    fn visitor(&self) -> Visitor<'s>;

    /// Which of the units that an earlier search knows are to be read. The others are left to [`Search::recall`], when
    /// these have been visited.
    fn wants(&self, known: &[Known<'_>]) -> Vec<bool> {
        vec![true; known.len()]
    }

    /// Takes what was written down of a unit for what a visit would come to; says whether that is enough. If it is not,
    /// nothing was taken, and the unit is to be read.
    fn recall(&self, origin: &Origin, note: &[u8]) -> bool {
        let _ = (origin, note);
        false
    }
}

/// A unit that an earlier search knows.
#[derive(Clone, Copy, Debug)]
pub struct Known<'k> {
    /// What was written down as [`Searched::Matches`].
    pub note: &'k [u8],
    /// Whether a report told of it, and so may again.
    pub is_told: bool,
}

impl<'s, F: Fn() -> Visitor<'s> + Sync> Search<'s> for F {
    fn visitor(&self) -> Visitor<'s> {
        self()
    }
}

/// What a source hands its units to.
pub type NewVisitor<'s> = dyn Search<'s> + 's;

/// Where in an object of the history a secret stands as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Spot {
    /// The object.
    pub object: ObjectId,
    /// The number of the rule that found it.
    pub rule: usize,
    /// Its bytes in the text of the object.
    pub span: ByteSpan,
}

/// Something that can be read to its end.
pub trait Source {
    /// Reads everything, hands each unit to the visitor of the worker that read it, and says what was
    /// read and what was not. Uses at most `threads` workers. Whatever could not be read is a
    /// [`Problem`](crate::coverage::Problem) in the coverage, never silence. `progress` is raised on the way.
    fn drive<'s>(
        &'s self,
        threads: usize,
        new_visitor: &'s NewVisitor<'s>,
        progress: &'s Progress,
    ) -> Coverage;

    /// How many parts there are that could be read side by side, where that is known beforehand.
    fn parts(&self) -> Option<usize> {
        None
    }

    /// What files are read from whose names stand in the coverage and may be findings by themselves; `None`
    /// where names are not those of files.
    fn origin_of_files(&self) -> Option<Origin> {
        None
    }

    /// Says where objects with findings stand and how they are reached. Called once, after
    /// [`Source::drive`], and only when a unit without a path has findings. Problems go to `coverage`.
    fn attribute(
        &self,
        objects: &[ObjectId],
        threads: usize,
        coverage: &mut Coverage,
    ) -> BTreeMap<ObjectId, Vec<Appearance>> {
        let _ = (objects, threads, coverage);
        BTreeMap::new()
    }

    /// Fills in the commits of exposures, of which [`Source::attribute`] told the ids alone: most of what it tells is
    /// never reported. Problems go to `coverage`.
    fn name_commits(&self, exposures: &mut [&mut Exposure], coverage: &mut Coverage) {
        let _ = (exposures, coverage);
    }

    /// Reads objects once more of which [`Search::recall`] told. Problems go to `coverage`.
    fn reread<'s>(
        &'s self,
        objects: &[ObjectId],
        threads: usize,
        new_visitor: &'s NewVisitor<'s>,
        coverage: &mut Coverage,
    ) {
        let _ = (objects, threads, new_visitor, coverage);
    }

    /// The fingerprint of what stands there, if an earlier run left it with [`Source::note_fingerprints`].
    fn fingerprint(&self, spot: &Spot) -> Option<Fingerprint> {
        let _ = spot;
        None
    }

    /// Takes the fingerprints of what was found, for later runs that will have the same rules.
    fn note_fingerprints(&self, fingerprints: Vec<(Spot, Fingerprint)>) {
        drop(fingerprints);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fresh_lines_are_found_at_both_ends() {
        let ranges = [LineRange { first: 3, last: 4 }, LineRange { first: 9, last: 9 }];
        let fresh = Fresh::Lines(&ranges);
        for (first, last, expected) in
            [(1, 2, false), (1, 3, true), (4, 8, true), (5, 8, false), (9, 9, true), (10, 20, false)]
        {
            assert_eq!(fresh.touches(first, last), expected, "{first}..={last}");
        }
        assert!(Fresh::All.touches(1, 1));
    }
}
