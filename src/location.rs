//! Where bytes came from: a file, the index, an object of the history, standard input.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use bstr::BString;

use crate::span::{ByteSpan, LineColumn};

/// Name of a git object: 20 bytes (SHA-1) or 32 bytes (SHA-256).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ObjectId {
    len: u8,
    bytes: [u8; 32],
}

impl ObjectId {
    /// Wraps raw object-name bytes; `None` unless there are 20 or 32 of them.
    pub fn from_raw(raw: &[u8]) -> Option<Self> {
        let mut bytes = [0; 32];
        // With a known length each is a few moves, and no call.
        match raw.len() {
            20 => bytes[..20].copy_from_slice(raw.first_chunk::<20>()?),
            32 => bytes = *raw.first_chunk()?,
            _ => return None,
        }
        Some(Self { len: raw.len() as u8, bytes })
    }

    /// The raw bytes, 20 or 32 of them.
    pub fn as_raw(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }

    /// The first ten hexadecimal digits, for people.
    pub fn short(&self) -> String {
        self.to_string()[..10].to_owned()
    }
}

/// Shorter names come first, then lesser ones: the first bytes nearly always decide.
impl Ord for ObjectId {
    fn cmp(&self, other: &Self) -> Ordering {
        let by = |id: &Self| (id.len, name_key(&id.bytes));
        by(self).cmp(&by(other)).then_with(|| self.bytes.cmp(&other.bytes))
    }
}

impl PartialOrd for ObjectId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The first eight bytes of an object name: names are random, so that these decide, and comparing them as a number takes
/// no call.
pub(crate) fn name_key(raw: &[u8]) -> Option<u64> {
    raw.first_chunk().map(|bytes| u64::from_be_bytes(*bytes))
}

impl FromStr for ObjectId {
    type Err = InvalidObjectId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let id = gix_hash::ObjectId::from_hex(text.as_bytes()).ok();
        id.and_then(|id| Self::from_raw(id.as_slice())).ok_or_else(|| InvalidObjectId(text.to_owned()))
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_raw().iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text that is no object name.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not an object name of 40 or 64 hexadecimal digits")]
pub struct InvalidObjectId(String);

/// What kind of content a unit holds and how to find it again.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// A file as it is on disk.
    File,
    /// An entry of the index, as it would be committed.
    Staged,
    /// A blob of the object database; its path and commit are found later.
    Blob(ObjectId),
    /// The message of a commit.
    CommitMessage(ObjectId),
    /// The message of an annotated tag.
    TagMessage(ObjectId),
    /// Standard input.
    Stdin,
}

/// The path of the message of a commit.
pub const COMMIT_MESSAGE_PATH: &str = "<commit message>";

/// The path of the message of an annotated tag.
pub const TAG_MESSAGE_PATH: &str = "<tag message>";

/// A place in the content that was scanned.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Location {
    /// Path with `/` separators, relative to the repository root, or as typed for a plain path scan.
    /// Messages and unnamed input carry a description in angle brackets, such as `<stdin>`.
    pub path: BString,
    /// First byte of the secret.
    pub start: LineColumn,
    /// The byte behind the secret.
    pub end: LineColumn,
    /// The secret in the bytes of the unit, counted from the start of the file.
    pub span: ByteSpan,
    /// What the bytes were read from.
    pub origin: Origin,
}

/// How an object of the history is reached. Ordered from the most to the least exposed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reach {
    /// From the commit that is checked out.
    Head,
    /// From a local branch.
    Branch,
    /// From a remote-tracking branch, so it has been pushed or fetched.
    Remote,
    /// From a tag.
    Tag,
    /// From a note (`refs/notes/…`).
    Notes,
    /// From any other ref, such as `refs/pull/…` or `refs/original/…`.
    OtherRef,
    /// From the stash.
    Stash,
    /// Only from a reflog.
    Reflog,
    /// From nothing: the object waits for garbage collection.
    Unreachable,
}

impl Reach {
    /// The stable name used in reports.
    pub fn name(self) -> &'static str {
        match self {
            Reach::Head => "head",
            Reach::Branch => "branch",
            Reach::Remote => "remote",
            Reach::Tag => "tag",
            Reach::Notes => "notes",
            Reach::OtherRef => "other-ref",
            Reach::Stash => "stash",
            Reach::Reflog => "reflog",
            Reach::Unreachable => "unreachable",
        }
    }
}

/// A commit as a report names it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CommitInfo {
    /// Object name of the commit.
    pub id: ObjectId,
    /// Author's name as recorded.
    pub author_name: BString,
    /// Author's mail address as recorded.
    pub author_email: BString,
    /// Author's time in seconds since 1970-01-01T00:00:00Z.
    pub time_seconds: i64,
    /// Author's offset from UTC in minutes.
    pub offset_minutes: i32,
}

impl CommitInfo {
    /// A commit of which only the id is known yet, as attribution tells it.
    pub(crate) fn of_id(id: ObjectId) -> Self {
        let (author_name, author_email) = (BString::default(), BString::default());
        Self { id, author_name, author_email, time_seconds: 0, offset_minutes: 0 }
    }
}

/// How long and from where a secret can be seen in the history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exposure {
    /// The oldest commit that has the secret at this path, if a commit reaches it.
    pub first: Option<CommitInfo>,
    /// The newest commit that still has it at this path, if a commit reaches it.
    pub last: Option<CommitInfo>,
    /// Whether the checked-out commit still has it at this path.
    pub in_head: bool,
    /// Everything from which it is reached; [`Reach::Unreachable`] stands alone.
    pub reached_by: BTreeSet<Reach>,
}

impl Exposure {
    /// Whether nothing that this clone knows of was pushed: no remote-tracking branch and no ref of a kind that
    /// servers keep has the secret. A tag may have been pushed without a trace, so it does not count as local.
    pub fn is_local_only(&self) -> bool {
        const ELSEWHERE: [Reach; 3] = [Reach::Remote, Reach::Tag, Reach::OtherRef];
        !self.reached_by.is_empty() && ELSEWHERE.iter().all(|reach| !self.reached_by.contains(reach))
    }
}

/// One path at which an object of the history appears, and for how long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Appearance {
    /// Path relative to the root of the tree; a description in angle brackets for what has no path, such
    /// as `<commit message>` or a blob that no tree has.
    pub path: BString,
    /// Commits and refs that have it there.
    pub exposure: Exposure,
    /// Place of [`Exposure::first`] in the history: parents come before children, then older before newer.
    /// Comparable among the appearances of one run. 0 without a commit.
    pub first_order: u64,
    /// Place of [`Exposure::last`] in the same order.
    pub last_order: u64,
}

/// Sums up the appearances of one secret at one path: every edit of a file makes another blob, and the
/// report has one line for all of them. Earliest first, latest last, every reach.
///
/// As within one appearance, what refs reach hides what only a reflog has, and that hides what nothing
/// reaches: the commits named are those that `git log --all` shows, if there are any.
pub fn merge_exposures<'a>(appearances: impl IntoIterator<Item = &'a Appearance>) -> Exposure {
    let mut all: Vec<&Appearance> = appearances.into_iter().collect();
    let in_head = all.iter().any(|appearance| appearance.exposure.in_head);
    let nearest = all.iter().map(|appearance| appearance.distance()).min();
    all.retain(|appearance| Some(appearance.distance()) == nearest);
    let first = all.iter().filter(|one| one.exposure.first.is_some()).min_by_key(|one| one.first_order);
    let last = all.iter().filter(|one| one.exposure.last.is_some()).max_by_key(|one| one.last_order);
    Exposure {
        first: first.and_then(|one| one.exposure.first.clone()),
        last: last.and_then(|one| one.exposure.last.clone()),
        in_head,
        reached_by: all.iter().flat_map(|one| &one.exposure.reached_by).copied().collect(),
    }
}

impl Appearance {
    /// 0 when refs reach it, then reflog, nothing, unknown.
    fn distance(&self) -> u8 {
        match self.exposure.reached_by.first() {
            Some(Reach::Unreachable) => 2,
            Some(Reach::Reflog) => 1,
            Some(_) => 0,
            None => 3,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_in_the_order_of_their_bytes() {
        let id = |len: usize, at: usize, byte: u8| {
            let mut raw = [7; 32];
            raw[at] = byte;
            ObjectId::from_raw(&raw[..len]).unwrap()
        };
        // Some start with the same eight bytes.
        let rising = [id(20, 0, 6), id(20, 7, 6), id(20, 19, 6), id(20, 0, 7), id(20, 8, 8), id(20, 7, 8)];
        assert!(rising.is_sorted_by(|one, next| one < next));
        assert!(rising.iter().all(|one| *one < id(32, 0, 0)), "shorter ones come first");
    }

    fn appearance(reached_by: &[Reach], first: u64, last: u64) -> Appearance {
        let info = |order: u64| CommitInfo {
            id: ObjectId::from_raw(&[order as u8; 20]).unwrap(),
            author_name: BString::default(),
            author_email: BString::default(),
            time_seconds: 0,
            offset_minutes: 0,
        };
        Appearance {
            path: BString::from("p"),
            exposure: Exposure {
                first: Some(info(first)),
                last: Some(info(last)),
                in_head: reached_by.contains(&Reach::Head),
                reached_by: reached_by.iter().copied().collect(),
            },
            first_order: first,
            last_order: last,
        }
    }

    fn orders(exposure: &Exposure) -> [Option<u8>; 2] {
        [&exposure.first, &exposure.last].map(|info| info.as_ref().map(|info| info.id.as_raw()[0]))
    }

    #[test]
    fn merged_exposures_span_all_edits() {
        let edits = [appearance(&[Reach::Tag], 4, 6), appearance(&[Reach::Head, Reach::Branch], 2, 5)];
        let merged = merge_exposures(&edits);
        assert_eq!(orders(&merged), [Some(2), Some(6)]);
        assert!(merged.in_head);
        assert_eq!(merged.reached_by, [Reach::Head, Reach::Branch, Reach::Tag].into());
    }

    #[test]
    fn what_refs_reach_hides_what_waits_for_collection() {
        let edits = [
            appearance(&[Reach::Unreachable], 1, 9),
            appearance(&[Reach::Reflog], 2, 8),
            appearance(&[Reach::Stash], 3, 7),
        ];
        let merged = merge_exposures(&edits);
        assert_eq!(orders(&merged), [Some(3), Some(7)]);
        assert_eq!(merged.reached_by, [Reach::Stash].into());
        assert_eq!(merge_exposures(&edits[..2]).reached_by, [Reach::Reflog].into());
        let mut unplaced = appearance(&[Reach::Unreachable], 1, 1);
        unplaced.exposure.first = None;
        unplaced.first_order = 0;
        assert_eq!(orders(&merge_exposures([&unplaced, &edits[0]])), [Some(1), Some(9)]);
        assert_eq!(orders(&merge_exposures([])), [None, None]);
    }

    #[test]
    fn object_ids_round_trip_through_text() {
        for digits in ["a1".repeat(20), "0f".repeat(32)] {
            let id: ObjectId = digits.parse().unwrap();
            assert_eq!(id.to_string(), digits);
        }
        for bad in ["", "a1", "zz", &"é".repeat(20), &"a".repeat(41)] {
            assert!(bad.parse::<ObjectId>().is_err(), "{bad}");
        }
    }
}
