//! Paths as references of RFC 3986.

use std::fmt::Write;

use super::place::is_drive;

/// The path as a relative reference, or as a `file:` URI when it is absolute.
pub(super) struct Reference {
    /// The text, ASCII only.
    pub(super) uri: String,
    /// Whether it counts from some base, such as the root of the repository.
    pub(super) is_relative: bool,
}

/// Makes a reference of the bytes of a path with `/` between its parts.
pub(super) fn reference(path: &[u8]) -> Reference {
    if path.starts_with(b"/") {
        return Reference { uri: format!("file://{}", encode(path)), is_relative: false };
    }
    if is_drive(path) {
        let (drive, rest) = (char::from(path[0]), encode(&path[2..]));
        return Reference { uri: format!("file:///{drive}:{rest}"), is_relative: false };
    }
    let mut rest = path;
    while let Some(shorter) = rest.strip_prefix(b"./") {
        rest = shorter;
    }
    Reference { uri: encode(rest), is_relative: true }
}

/// Every byte that may not stand in a path of a URI as `%XX`, the colon too: before the first slash it would end
/// the name of a scheme.
fn encode(path: &[u8]) -> String {
    let mut out = String::with_capacity(path.len());
    for &byte in path {
        match byte {
            b'-' | b'.' | b'_' | b'~' | b'/' | b'@' | b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*'
            | b'+' | b',' | b';' | b'=' => out.push(char::from(byte)),
            _ if byte.is_ascii_alphanumeric() => out.push(char::from(byte)),
            _ => write!(out, "%{byte:02X}").expect("a String takes everything"),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_ascii_and_decode_to_the_path() {
        for (path, uri, is_relative) in [
            (&b"src/a b.txt"[..], "src/a%20b.txt", true),
            (b"./././x", "x", true),
            (b"a:b/100%/#1?.txt", "a%3Ab/100%25/%231%3F.txt", true),
            ("ü/\u{202e}".as_bytes(), "%C3%BC/%E2%80%AE", true),
            (b"bad\xff\x1b[31m\\", "bad%FF%1B%5B31m%5C", true),
            (b"../up", "../up", true),
            (b"/etc/x y", "file:///etc/x%20y", false),
            (b"C:/x", "file:///C:/x", false),
            (b"@types/(x)+[y]", "@types/(x)+%5By%5D", true),
        ] {
            let found = reference(path);
            assert_eq!((found.uri.as_str(), found.is_relative), (uri, is_relative));
        }
    }
}
