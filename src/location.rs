//! Where bytes came from: a file, the index, an object of the history, standard input.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use bstr::BString;

use crate::span::{ByteSpan, LineColumn};

/// Name of a git object: 20 bytes (SHA-1) or 32 bytes (SHA-256).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectId {
    len: u8,
    bytes: [u8; 32],
}

impl ObjectId {
    /// Wraps raw object-name bytes; `None` unless there are 20 or 32 of them.
    pub fn from_raw(raw: &[u8]) -> Option<Self> {
        if raw.len() != 20 && raw.len() != 32 {
            return None;
        }
        let mut bytes = [0; 32];
        bytes[..raw.len()].copy_from_slice(raw);
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

impl FromStr for ObjectId {
    type Err = InvalidObjectId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.as_bytes();
        let raw: Option<Vec<u8>> = digits
            .chunks(2)
            .map(|pair| {
                let high = char::from(pair[0]).to_digit(16)?;
                let low = char::from(*pair.get(1)?).to_digit(16)?;
                u8::try_from(high * 16 + low).ok()
            })
            .collect();
        raw.and_then(|raw| Self::from_raw(&raw)).ok_or_else(|| InvalidObjectId(text.to_owned()))
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

#[cfg(test)]
mod tests {
    use super::*;

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
