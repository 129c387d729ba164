//! Sources yield bytes and where they came from. They know nothing of rules.

#[cfg(test)]
mod collect;
pub mod history;
mod parallel;
pub mod staged;
pub mod stdin;
pub mod text;
mod window;
pub mod worktree;

use std::collections::BTreeMap;

use bstr::{BStr, BString};

use crate::location::{Appearance, ObjectId, Origin};

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

/// Takes one unit after another on one worker thread.
pub type Visitor<'s> = Box<dyn FnMut(&ContentUnit<'_>) + Send + 's>;

/// Makes a visitor for a worker thread.
pub type NewVisitor<'s> = dyn Fn() -> Visitor<'s> + Sync + 's;

/// Something that can be read to its end.
pub trait Source {
    /// Reads everything, hands each unit to the visitor of the worker that read it, and says what was
    /// read and what was not. Uses at most `threads` workers. Whatever could not be read is a
    /// [`Problem`] in the coverage, never silence.
    fn drive<'s>(&'s self, threads: usize, new_visitor: &'s NewVisitor<'s>) -> Coverage;

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
}

/// What a run examined and what it did not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// Files read (working tree, index, standard input).
    pub files: u64,
    /// Distinct blobs read from the object database.
    pub blobs: u64,
    /// Commits whose messages were read or that a range named.
    pub commits: u64,
    /// Refs looked at.
    pub refs: u64,
    /// Bytes of content read.
    pub bytes: u64,
    /// What was left out on purpose.
    pub skipped: Vec<Skipped>,
    /// What should have been read and could not be: the run is not complete.
    pub problems: Vec<Problem>,
}

impl Coverage {
    /// Adds the counts and lists of another part of the same run.
    pub fn merge(&mut self, other: Coverage) {
        self.files += other.files;
        self.blobs += other.blobs;
        self.commits += other.commits;
        self.refs += other.refs;
        self.bytes += other.bytes;
        self.skipped.extend(other.skipped);
        self.problems.extend(other.problems);
    }

    /// Notes something that was left out on purpose.
    pub fn skip(&mut self, name: impl Into<BString>, reason: SkipReason) {
        self.skipped.push(Skipped { name: name.into(), reason });
    }

    /// Notes something that could not be read.
    pub fn problem(&mut self, name: impl Into<BString>, message: impl Into<String>) {
        self.problems.push(Problem { name: name.into(), message: message.into() });
    }

    /// Puts the lists in an order that does not depend on threads, and says each problem once.
    pub fn sort(&mut self) {
        self.skipped.sort();
        self.problems.sort();
        self.problems.dedup();
    }
}

/// Something left out on purpose.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Skipped {
    /// Path or object name.
    pub name: BString,
    /// Why.
    pub reason: SkipReason,
}

/// Why something was left out on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SkipReason {
    /// The content is no text.
    Binary,
    /// Larger than the limit that the user set.
    TooLarge,
    /// A symbolic link: in the working tree its target is scanned where it lies, if it lies inside.
    Symlink,
    /// A link to a commit of another repository.
    Submodule,
    /// A socket, FIFO or device.
    Special,
    /// A path allowlist excludes it.
    Allowlisted,
    /// What came before this commit was not fetched, and the user allowed that.
    Shallow,
}

impl SkipReason {
    /// The stable name used in reports.
    pub fn name(self) -> &'static str {
        match self {
            SkipReason::Binary => "binary",
            SkipReason::TooLarge => "too-large",
            SkipReason::Symlink => "symlink",
            SkipReason::Submodule => "submodule",
            SkipReason::Special => "special-file",
            SkipReason::Allowlisted => "allowlisted",
            SkipReason::Shallow => "shallow",
        }
    }
}

/// Something that should have been read and could not be.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// Path, object name or range.
    pub name: BString,
    /// What went wrong and what to do, without a final stop.
    pub message: String,
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
