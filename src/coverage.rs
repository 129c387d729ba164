//! What a run examined, what it did not, and what it let pass.

use bstr::BString;

/// What a run examined and what it did not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// Files read (working tree, index, standard input).
    pub files: u64,
    /// Distinct blobs read from the object database.
    pub blobs: u64,
    /// Blobs and messages that were not read since the cache of earlier audits knows that they hold nothing to report.
    pub known_clean: u64,
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
        self.known_clean += other.known_clean;
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

/// Matches that were let pass, by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Suppressed {
    /// By a marker in the text.
    pub inline: u64,
    /// By an allowlist.
    pub allowlist: u64,
    /// By the baseline: findings that would be reported without it.
    pub baseline: u64,
    /// By the least severity or confidence.
    pub below_threshold: u64,
}

/// What became of a baseline in a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BaselineUse {
    /// The file.
    pub path: BString,
    /// How many entries it has.
    pub entries: u64,
    /// Entries whose last day has passed: they accept nothing any more.
    pub expired: u64,
    /// Entries that met no finding, where everything was scanned that they may speak of.
    pub stale: Option<u64>,
}
