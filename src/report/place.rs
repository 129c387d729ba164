//! Paths as they were typed, and the same from the root of the repository: what a server shows a report beside.

use bstr::{BStr, BString, ByteSlice};

/// Where typed paths start, seen from the root of the repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathBase {
    /// The current directory below the root, `/` between its parts; empty when it is the root.
    pub below: BString,
    /// The absolute path of the root, with `/` between its parts.
    pub root: BString,
}

impl PathBase {
    /// The path from the root of the repository; `None` when it leads out of it.
    pub fn repository_path(&self, typed: &BStr) -> Option<BString> {
        let relative = if typed.starts_with(b"/") || is_drive(typed) {
            let rest = typed.strip_prefix(self.root.as_slice())?;
            return normal(rest.strip_prefix(b"/")?);
        } else {
            typed
        };
        match self.below.is_empty() {
            true => normal(relative),
            false => normal(&[self.below.as_slice(), b"/", relative.as_bytes()].concat()),
        }
    }
}

/// Whether the path starts with a drive of Windows, such as `C:/`.
pub(super) fn is_drive(path: &[u8]) -> bool {
    matches!(path, [letter, b':', b'/', ..] if letter.is_ascii_alphabetic())
}

/// The path without empty parts, `.` and `..`.
fn normal(path: &[u8]) -> Option<BString> {
    let mut parts: Vec<&[u8]> = Vec::new();
    for part in path.split_str("/") {
        match part {
            b"" | b"." => {}
            b".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(BString::from(bstr::join("/", parts)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typed_paths_are_seen_from_the_root() {
        let base = PathBase { below: "sub/dir".into(), root: "/home/ada/repo".into() };
        for (typed, expected) in [
            ("a.txt", Some("sub/dir/a.txt")),
            ("./a.txt", Some("sub/dir/a.txt")),
            ("../b/a.txt", Some("sub/b/a.txt")),
            ("../../../other/a.txt", None),
            ("/home/ada/repo/x/./a.txt", Some("x/a.txt")),
            ("/home/ada/repository/a.txt", None),
            ("C:/a.txt", None),
        ] {
            let found = base.repository_path(typed.into());
            assert_eq!(found.as_ref().map(|path| path.to_str_lossy()).as_deref(), expected, "{typed}");
        }
        let at_root = PathBase { below: "".into(), root: "/r".into() };
        assert_eq!(at_root.repository_path("a".into()).unwrap(), "a");
    }
}
