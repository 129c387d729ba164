//! The bytes of commits, tags and trees, as git's `object-file` formats have them.
//!
//! libgit2 parses these too, but applies grafts on the way and refuses odd signatures; an audit wants the
//! objects as they are, and its bytes as recorded.

use bstr::{BStr, BString, ByteSlice};

use super::ObjectKind;
use crate::location::{CommitInfo, ObjectId};

/// An object whose bytes do not follow the format of its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("malformed {0}")]
pub struct Malformed(pub(super) &'static str);

/// The parts of a commit that matter here.
#[derive(Clone, Debug)]
pub struct Commit<'a> {
    /// Its tree.
    pub tree: ObjectId,
    /// Its parents as recorded: neither grafts nor a shallow boundary are applied.
    pub parents: Vec<ObjectId>,
    /// The signatures as recorded. A walk through all commits asks for one number of one of them.
    author: Option<&'a [u8]>,
    committer: Option<&'a [u8]>,
    /// Everything behind the header.
    pub message: &'a [u8],
}

impl<'a> Commit<'a> {
    /// Reads the bytes of a commit object.
    ///
    /// # Errors
    ///
    /// When the tree or a parent is not named as git does. Odd signatures are taken as far as they go,
    /// for old tools wrote many of them.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Malformed> {
        const ERROR: Malformed = Malformed("commit");
        let (header, message) = split_header(bytes);
        let mut lines = header.lines();
        let tree = lines.next().and_then(|line| object_after(line, b"tree ")).ok_or(ERROR)?;
        let mut commit = Commit { tree, parents: Vec::new(), author: None, committer: None, message };
        for line in lines {
            if line.starts_with(b"parent ") {
                commit.parents.push(object_after(line, b"parent ").ok_or(ERROR)?);
            } else if let Some(rest) = line.strip_prefix(b"author ") {
                commit.author.get_or_insert(rest);
            } else if let Some(rest) = line.strip_prefix(b"committer ") {
                commit.committer.get_or_insert(rest);
            }
        }
        Ok(commit)
    }

    /// When it was committed, in seconds since 1970-01-01T00:00:00Z; 0 when that is not recorded.
    pub fn committer_seconds(&self) -> i64 {
        self.committer.map_or(0, |signature| Signature::parse(signature).seconds)
    }

    /// What a report says about it.
    pub fn info(&self, id: ObjectId) -> CommitInfo {
        let author = self.author.map(Signature::parse);
        let author = author.as_ref();
        CommitInfo {
            id,
            author_name: author.map_or_else(BString::default, |author| author.name.to_owned()),
            author_email: author.map_or_else(BString::default, |author| author.email.to_owned()),
            time_seconds: author.map_or(0, |author| author.seconds),
            offset_minutes: author.map_or(0, |author| author.offset_minutes),
        }
    }
}

/// The parts of an annotated tag that matter here.
#[derive(Clone, Copy, Debug)]
pub struct Tag<'a> {
    /// What it points to.
    pub target: ObjectId,
    /// Everything behind the header.
    pub message: &'a [u8],
}

impl<'a> Tag<'a> {
    /// Reads the bytes of a tag object.
    ///
    /// # Errors
    ///
    /// When the target is not named as git does.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let (header, message) = split_header(bytes);
        let target = header.lines().next().and_then(|line| object_after(line, b"object "));
        Ok(Tag { target: target.ok_or(Malformed("tag"))?, message })
    }
}

/// One line of a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TreeEntry<'a> {
    /// What the mode says that it is; [`ObjectKind::Commit`] is a link to a commit of a submodule.
    pub kind: ObjectKind,
    /// Name without directories.
    pub name: &'a BStr,
    /// The object.
    pub id: ObjectId,
}

/// Kind, name and the bytes of the object name of an entry.
pub type Parts<'a> = (ObjectKind, &'a [u8], &'a [u8]);

/// Goes through the entries of a tree with object names of `id_len` bytes; ends at the first error.
#[derive(Clone, Debug)]
pub struct TreeEntries<'a> {
    rest: &'a [u8],
    id_len: usize,
}

impl<'a> TreeEntries<'a> {
    /// Starts at the first entry.
    pub fn new(bytes: &'a [u8], id_len: usize) -> Self {
        Self { rest: bytes, id_len }
    }

    /// How many bytes are still to come.
    pub fn rest_len(&self) -> usize {
        self.rest.len()
    }

    fn parts(&mut self) -> Option<Parts<'a>> {
        let mode_len = self.rest.iter().position(|&byte| byte == b' ')?;
        let (mode, rest) = (&self.rest[..mode_len], &self.rest[mode_len + 1..]);
        let name_len = memchr::memchr(0, rest)?;
        let (name, rest) = (&rest[..name_len], &rest[name_len + 1..]);
        let (id, rest) = rest.split_at_checked(self.id_len)?;
        let kind = match mode {
            b"100644" => ObjectKind::Blob,
            b"40000" | b"040000" => ObjectKind::Tree,
            b"160000" => ObjectKind::Commit,
            [_, ..] if mode.iter().all(|digit| (b'0'..=b'7').contains(digit)) => ObjectKind::Blob,
            _ => return None,
        };
        self.rest = rest;
        Some((kind, name, id))
    }

    fn entry(&mut self) -> Option<TreeEntry<'a>> {
        let (kind, name, id) = self.parts()?;
        Some(TreeEntry { kind, name: name.as_bstr(), id: ObjectId::from_raw(id)? })
    }

    /// What the next entry refers to, with the bytes of its name; the same as [`Iterator::next`], but cheaper.
    ///
    /// # Errors
    ///
    /// When the bytes do not follow the format.
    pub fn next_link(&mut self) -> Result<Option<(ObjectKind, &'a [u8])>, Malformed> {
        Ok(self.next_parts()?.map(|(kind, _, id)| (kind, id)))
    }

    /// The next entry, as [`TreeEntries::next_link`] with the name in between.
    pub(super) fn next_parts(&mut self) -> Result<Option<Parts<'a>>, Malformed> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        self.parts().map(Some).ok_or(Malformed("tree"))
    }
}

impl<'a> Iterator for TreeEntries<'a> {
    type Item = Result<TreeEntry<'a>, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let entry = self.entry().ok_or(Malformed("tree"));
        if entry.is_err() {
            self.rest = &[];
        }
        Some(entry)
    }
}

/// A name, a mail address and a time.
#[derive(Clone, Copy, Debug)]
struct Signature<'a> {
    name: &'a BStr,
    email: &'a BStr,
    seconds: i64,
    offset_minutes: i32,
}

impl<'a> Signature<'a> {
    /// Splits `Name <mail> seconds +hhmm`. What is missing is empty or zero.
    fn parse(line: &'a [u8]) -> Self {
        let (name, rest) = line.split_once_str(b"<").unwrap_or((line, b""));
        let email = rest.split_once_str(b">").map_or(rest, |(email, _)| email);
        let time = rest.rfind_byte(b'>').map_or(&b""[..], |end| &rest[end + 1..]);
        let mut words = time.fields();
        let mut number = || words.next().and_then(|word| word.to_str().ok()?.parse::<i64>().ok());
        let seconds = number().unwrap_or(0);
        let offset = number().unwrap_or(0).clamp(-9999, 9999);
        let offset_minutes = i32::try_from(offset / 100 * 60 + offset % 100).unwrap_or(0);
        Signature { name: name.trim().as_bstr(), email: email.trim().as_bstr(), seconds, offset_minutes }
    }
}

/// Splits at the first empty line. The header keeps its last line end.
pub(super) fn split_header(bytes: &[u8]) -> (&[u8], &[u8]) {
    match bytes.find(b"\n\n") {
        Some(end) => (&bytes[..=end], &bytes[end + 2..]),
        None => (bytes, b""),
    }
}

fn object_after(line: &[u8], prefix: &[u8]) -> Option<ObjectId> {
    line.strip_prefix(prefix)?.to_str().ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TREE: &str = "1111111111111111111111111111111111111111";
    const PARENT: &str = "2222222222222222222222222222222222222222";

    #[test]
    fn a_commit_keeps_its_bytes() {
        let mut bytes = format!("tree {TREE}\nparent {PARENT}\nauthor J").into_bytes();
        bytes.extend_from_slice(b"\xF6rg <j@example.org> 1700000000 -0330\n");
        bytes.extend_from_slice(b"committer C <c@example.org> 1700000001 +0000\n");
        bytes.extend_from_slice(b"gpgsig -----BEGIN\n author Z <z@z> 1 +0000\n\nsubject\n\nbody\n");
        let commit = Commit::parse(&bytes).unwrap();
        assert_eq!(commit.tree.to_string(), TREE);
        assert_eq!(commit.parents, [PARENT.parse().unwrap()]);
        assert_eq!(commit.message, b"subject\n\nbody\n");
        assert_eq!(commit.committer_seconds(), 1_700_000_001);
        let info = commit.info(commit.tree);
        assert_eq!(info.author_name, &b"J\xF6rg"[..]);
        assert_eq!(info.author_email, "j@example.org");
        assert_eq!((info.time_seconds, info.offset_minutes), (1_700_000_000, -210));
    }

    #[test]
    fn odd_signatures_are_taken_as_far_as_they_go() {
        for (line, name, email, seconds) in [
            ("", "", "", 0),
            ("Ann", "Ann", "", 0),
            ("Ann <a@b", "Ann", "a@b", 0),
            ("Ann <a@b> soon", "Ann", "a@b", 0),
            ("Ann <a@b> <c@d> 7 +0100", "Ann", "a@b", 7),
            ("Ann <a@b> 99999999999999999999 +0100", "Ann", "a@b", 0),
        ] {
            let signature = Signature::parse(line.as_bytes());
            assert_eq!(signature.name, name, "{line}");
            assert_eq!(signature.email, email, "{line}");
            assert_eq!(signature.seconds, seconds, "{line}");
        }
    }

    #[test]
    fn a_commit_without_a_tree_is_malformed() {
        for bytes in ["", "tree 12\n\n", "author A <a@b> 1 +0000\n\nx", &format!("tree {TREE}\nparent x\n\n")]
        {
            assert!(Commit::parse(bytes.as_bytes()).is_err(), "{bytes}");
        }
    }

    #[test]
    fn tree_entries_end_at_the_first_error() {
        let mut tree = Vec::new();
        for (mode, name) in [("100644", "a b"), ("40000", "dir"), ("160000", "sub"), ("120000", "link")] {
            tree.extend_from_slice(format!("{mode} {name}\0").as_bytes());
            tree.extend_from_slice(&[7; 20]);
        }
        let read = |bytes| TreeEntries::new(bytes, 20).collect::<Vec<_>>();
        let entries: Vec<_> = read(&tree).into_iter().map(Result::unwrap).collect();
        let names: Vec<_> = entries.iter().map(|entry| entry.name.to_string()).collect();
        assert_eq!(names, ["a b", "dir", "sub", "link"]);
        let kinds: Vec<_> = entries.iter().map(|entry| entry.kind).collect();
        assert_eq!(kinds, [ObjectKind::Blob, ObjectKind::Tree, ObjectKind::Commit, ObjectKind::Blob]);
        for cut in 1..tree.len() {
            let entries = read(&tree[..cut]);
            let whole = [31, 61, 92].iter().filter(|&&end| end <= cut).count();
            assert_eq!(entries.iter().filter(|entry| entry.is_ok()).count(), whole, "{cut}");
            assert_eq!(entries.last().unwrap().is_err(), ![31, 61, 92].contains(&cut), "{cut}");
        }
        assert!(read(b"9 x\0").first().unwrap().is_err());
    }

    #[test]
    fn a_tag_names_its_target() {
        let text = format!("object {TREE}\ntype commit\ntag v1\ntagger T <t@t> 1 +0000\n\nhello\n");
        let tag = Tag::parse(text.as_bytes()).unwrap();
        assert_eq!((tag.target.to_string().as_str(), tag.message), (TREE, &b"hello\n"[..]));
        assert!(Tag::parse(b"type commit\n\n").is_err());
    }
}
