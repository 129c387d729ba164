//! Paths as text that is safe to show and to paste into a shell.

use std::fmt::Write;

use bstr::{BStr, ByteSlice};

use crate::report::text::is_hidden;

/// The path as it is, or in double quotes with C escapes when it holds control characters, quotes,
/// backslashes or bytes that are no UTF-8: nothing of it can then act on a terminal.
pub(crate) fn shown(path: &BStr) -> String {
    if let Some(plain) = harmless(path)
        && !plain.contains(['"', '\\'])
    {
        return plain.to_owned();
    }
    let mut quoted = String::from("\"");
    for (start, end, character) in path.char_indices() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            _ if is_harmless(character) => quoted.push(character),
            _ => octal(&path[start..end], &mut quoted),
        }
    }
    quoted.push('"');
    quoted
}

/// The path as one word of a POSIX shell; `None` when it holds something that would act on a terminal.
pub(crate) fn shell_word(path: &BStr) -> Option<String> {
    harmless(path).map(|plain| format!("'{}'", plain.replace('\'', r"'\''")))
}

/// A format for printf(1), in single quotes, that gives the path back followed by a NUL byte.
pub(super) fn printf_format(path: &BStr) -> String {
    let mut format = String::from("'");
    for (start, end, character) in path.char_indices() {
        match character {
            '%' => format.push_str("%%"),
            '\'' | '\\' => octal(&path[start..end], &mut format),
            _ if is_harmless(character) => format.push(character),
            _ => octal(&path[start..end], &mut format),
        }
    }
    format.push_str("\\000'");
    format
}

fn harmless(path: &BStr) -> Option<&str> {
    path.to_str().ok().filter(|text| text.chars().all(is_harmless))
}

fn is_harmless(character: char) -> bool {
    !is_hidden(character) && character != char::REPLACEMENT_CHARACTER
}

fn octal(bytes: &[u8], out: &mut String) {
    for byte in bytes {
        write!(out, "\\{byte:03o}").expect("a string takes any text");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_paths_stay_as_they_are() {
        assert_eq!(shown("a b/ü.env".into()), "a b/ü.env");
        assert_eq!(shell_word("a b/ü.env".into()).unwrap(), "'a b/ü.env'");
        assert_eq!(shell_word("it's".into()).unwrap(), r"'it'\''s'");
    }

    #[test]
    fn nothing_in_a_path_acts_on_the_terminal() {
        let path = b"\x1b[31m\n\xff'%\"\\.env".as_bstr();
        assert_eq!(shown(path), r#""\033[31m\n\377'%\"\\.env""#);
        assert_eq!(shell_word(path), None);
        assert_eq!(printf_format(path), r#"'\033[31m\012\377\047%%"\134.env\000'"#);
        assert_eq!(shown("\u{202e}a".into()), r#""\342\200\256a""#);
    }
}
