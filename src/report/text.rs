//! Text that is safe to show: nothing in a name or a line may steer the terminal or reorder what is read.

use std::borrow::Cow;
use std::fmt::Write;

/// Whether a character acts instead of being seen: control characters (C0, DEL, C1), bidirectional
/// controls, zero-width and invisible characters, line separators, tags (Unicode Standard Annex #9;
/// "Trojan Source", CVE-2021-42574).
pub fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}'
                | '\u{61c}'
                | '\u{180e}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

/// Writes hidden characters as escapes such as `\n` or `\u{1b}`, and what begins a command to those who run jobs.
///
/// GitHub obeys `::stop-commands::` at the start of a line of a log and `##[add-mask]` anywhere in it, Azure
/// `##vso[task.…]`; a file may be called so.
pub fn escape(text: &str) -> Cow<'_, str> {
    let begins_command = |rest: &str| rest.starts_with("##[") || rest.starts_with("##vso[");
    let blank = text.len() - text.trim_start().len();
    let is_command = text[blank..].starts_with("::");
    if !is_command && !text.contains(is_hidden) && !text.contains("##[") && !text.contains("##vso[") {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for (at, character) in text.char_indices() {
        match character {
            hidden if is_hidden(hidden) => out.extend(hidden.escape_default()),
            ':' if is_command && at == blank => out.extend(character.escape_unicode()),
            '#' if begins_command(&text[at..]) => out.extend(character.escape_unicode()),
            visible => out.push(visible),
        }
    }
    Cow::Owned(out)
}

/// Text that means nothing else in HTML and XML, in content and in quoted attributes. XML 1.0 forbids two characters
/// that are not hidden. Control characters are to be escaped before.
pub(super) fn markup(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\u{fffe}' | '\u{ffff}' => out.extend(character.escape_unicode()),
            plain => out.push(plain),
        }
    }
    out
}

/// As [`escape`], with bytes that are no UTF-8 as `\xNN`.
pub fn escape_bytes(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        out.push_str(&escape(chunk.valid()));
        for byte in chunk.invalid() {
            write!(out, "\\x{byte:02x}").expect("a String takes everything");
        }
    }
    out
}

/// A number of bytes for people, in powers of 1000.
pub fn human_bytes(bytes: u64) -> String {
    let mut value = bytes as f64;
    let mut unit = 0;
    const UNITS: [&str; 5] = ["bytes", "kB", "MB", "GB", "TB"];
    // 999.95 would be printed as 1000.0.
    while value >= 999.95 && unit + 1 < UNITS.len() {
        value /= 1000.0;
        unit += 1;
    }
    match unit {
        0 if bytes == 1 => "1 byte".to_owned(),
        0 => format!("{bytes} bytes"),
        _ => format!("{value:.1} {}", UNITS[unit]),
    }
}

/// A number and its noun: `1 file`, `2 files`.
pub fn count(number: u64, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_commands_those_who_run_jobs() {
        for (text, shown) in [
            ("::error::x", "\\u{3a}:error::x"),
            (" \u{a0}::x", " \u{a0}\\u{3a}:x"),
            ("a::b", "a::b"),
            ("x ##[add-mask]y", "x \\u{23}#[add-mask]y"),
            ("###[", "#\\u{23}#["),
            ("##vso[a]", "\\u{23}#vso[a]"),
            ("## title", "## title"),
        ] {
            assert_eq!(escape(text), shown);
        }
    }

    #[test]
    fn nothing_that_acts_is_left() {
        assert_eq!(escape("plain é 漢字 😀"), "plain é 漢字 😀");
        assert_eq!(escape("a\x1b[31mb\n\u{9b}\u{202e}\u{200b}"), "a\\u{1b}[31mb\\n\\u{9b}\\u{202e}\\u{200b}");
        assert_eq!(escape_bytes(b"a\xffb\x07"), "a\\xffb\\u{7}");
    }

    #[test]
    fn sizes_are_short() {
        for (bytes, text) in [
            (0, "0 bytes"),
            (1, "1 byte"),
            (999, "999 bytes"),
            (1000, "1.0 kB"),
            (999_999, "1.0 MB"),
            (8_107_000_000, "8.1 GB"),
            (u64::MAX, "18446744.1 TB"),
        ] {
            assert_eq!(human_bytes(bytes), text);
        }
    }
}
