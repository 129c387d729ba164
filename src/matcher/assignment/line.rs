//! What stands on the line of an assignment.

use super::{LONGEST_NAME_BYTES, LONGEST_VALUE_BYTES};

pub(super) fn commas(line: &[u8]) -> usize {
    memchr::memchr_iter(b',', line).count()
}

/// Whether only blanks, marks and words that introduce an assignment stand before `at` on its line.
pub(super) fn starts_line(text: &[u8], at: usize) -> bool {
    const INTRODUCTIONS: [&[u8]; 9] =
        [b"export", b"set", b"env", b"arg", b"declare", b"setx", b"var", b"let", b"const"];
    static MARKS: [bool; 256] = crate::matcher::bytes::table(b" \t-#*/;\"'$@{[!>+");
    let before = &text[at.saturating_sub(LONGEST_NAME_BYTES)..at];
    let before = &before[memchr::memrchr(b'\n', before).map_or(0, |end| end + 1)..];
    before
        // Of a long line the last word tells.
        .rsplit(|&byte| MARKS[usize::from(byte)])
        .filter(|word| !word.is_empty())
        .all(|word| INTRODUCTIONS.iter().any(|introduction| word.eq_ignore_ascii_case(introduction)))
}

/// Whether the line of `at` starts with the mark of a comment in any common language.
pub(super) fn in_comment(text: &[u8], at: usize) -> bool {
    let before = &text[at.saturating_sub(LONGEST_VALUE_BYTES)..at];
    is_comment(&before[memchr::memrchr(b'\n', before).map_or(0, |end| end + 1)..])
}

pub(super) fn is_comment(line: &[u8]) -> bool {
    let line = line.trim_ascii_start();
    [&b"#"[..], b"//", b"* ", b"/*", b"--", b";", b"<!--", b"%"].iter().any(|mark| line.starts_with(mark))
}

/// Whether the rest of the line holds only what ends a statement or an entry, or a comment.
pub(super) fn ends_line(rest: &[u8]) -> bool {
    for (at, &byte) in rest.iter().enumerate().take(LONGEST_NAME_BYTES) {
        match byte {
            b'\n' => return true,
            b' ' | b'\t' | b'\r' | b'"' | b'\'' | b'`' | b',' | b';' | b')' | b']' | b'}' | b'\\' | b'>' => {}
            b'#' => return true,
            b'/' | b'-' | b'<' => return matches!(rest.get(at + 1), Some(b'/' | b'-' | b'!')),
            _ => return false,
        }
    }
    true
}

/// Whether the line up to here is the `ENV` of a Dockerfile, which sets a variable without a sign.
pub(super) fn follows_env(before: &[u8]) -> bool {
    // Looked at from its end: the line may be as long as the text.
    let without_blanks = |mut line: &[u8]| {
        while let [rest @ .., byte] = line
            && byte.is_ascii_whitespace()
            && *byte != b'\n'
        {
            line = rest;
        }
        line.len()
    };
    let line = &before[..without_blanks(before)];
    let Some(line) = line.strip_suffix(b"ENV") else { return false };
    matches!(line[..without_blanks(line)].last(), None | Some(b'\n'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_word_of_a_dockerfile_alone_on_its_line_sets_without_a_sign() {
        for before in ["ENV ", "FROM x\nENV ", "\n  ENV\t ", "ENV"] {
            assert!(follows_env(before.as_bytes()), "{before:?}");
        }
        for before in ["", " ", "\n", "x ENV ", "xENV ", "ENV\n", "ENV x ", "env ", "NV "] {
            assert!(!follows_env(before.as_bytes()), "{before:?}");
        }
    }
}
