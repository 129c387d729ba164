//! What may stand beside a match: a token inside a longer word is no token.

use super::tables::Target;
use crate::decode;
use crate::rule::schema::{EdgeSpec, TriggerKind};
use crate::span::ByteSpan;

/// Whether neither neighbour of `span` could belong to a longer value.
pub(crate) fn is_bounded(text: &[u8], span: ByteSpan, edges: &EdgeSpec) -> bool {
    starts_free(text, span.start, edges) && text.get(span.end).is_none_or(|&next| !edges.after.contains(next))
}

/// Whether a value may start at `start`: after nothing, after a byte that could not belong to it, or after
/// an escape such as `\n`, `%3D`, `\u0022`, whose last character only looks like part of a word.
pub(crate) fn starts_free(text: &[u8], start: usize, edges: &EdgeSpec) -> bool {
    match text[..start].last() {
        None => true,
        Some(&previous) => !edges.before.contains(previous) || ends_an_escape(&text[..start]),
    }
}

/// What the bytes at the start of a literal tell of all rules that have it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Front {
    /// A word goes on, by any measure: nothing that starts with a word starts here, and no keyword.
    goes_on: bool,
    /// A letter, a digit or an underscore stands before it and is not the end of an escape: no value starts here that such
    /// a byte could belong to.
    is_inside: bool,
}

impl Front {
    /// Looks at the bytes round the start.
    pub(crate) fn of(text: &[u8], start: usize) -> Self {
        let Some(&before) = text[..start].last() else { return Self::default() };
        if !(before.is_ascii_alphanumeric() || before == b'_') || ends_an_escape(&text[..start]) {
            return Self::default();
        }
        let first = text.get(start).copied().unwrap_or_default();
        let is_joined = before.is_ascii_alphabetic() && first.is_ascii_alphabetic();
        Self {
            goes_on: is_joined && (before.is_ascii_uppercase() || first.is_ascii_lowercase()),
            is_inside: true,
        }
    }

    /// Whether a word goes on before it that is no escape.
    pub(crate) fn is_inside(self) -> bool {
        self.is_inside
    }

    /// Whether the literal is nothing to the rule, without a look at the rule.
    pub(crate) fn is_against(self, target: &Target) -> bool {
        let Self { goes_on, is_inside } = self;
        // What starts with a literal starts there or nowhere.
        target.starts_word && (goes_on || (is_inside && matches!(target.kind, TriggerKind::Anchor { .. })))
    }
}

/// Whether the text ends with an escape sequence of JSON, C, a URL or quoted-printable, or with a colour
/// sequence of a terminal.
#[inline]
fn ends_an_escape(before: &[u8]) -> bool {
    // Nearly all texts are told by where the mark of an escape could stand.
    match before.last_chunk() {
        Some(&[a, _, c, d, e, f]) => {
            let may_end =
                (a == b'\\') | (c == b'\\') | (e == b'\\') | (d == b'%') | (d == b'=') | (f == b'm');
            may_end && is_end_of_escape(before)
        }
        None => is_end_of_escape(before),
    }
}

fn is_end_of_escape(before: &[u8]) -> bool {
    let hex = |bytes: &[u8]| bytes.iter().all(u8::is_ascii_hexdigit);
    match before {
        [.., b'\\', b'n' | b'r' | b't' | b'b' | b'f' | b'v' | b'0' | b'a' | b'e'] => true,
        [.., b'\\', b'u', a, b, c, d] if hex(&[*a, *b, *c, *d]) => true,
        [.., b'\\', b'x', a, b] if hex(&[*a, *b]) => true,
        // `%5F` is an underscore: the value would start before it.
        [.., b'%', _, _] => decode::hex(before, before.len() - 2, 2).is_some_and(|value| {
            let byte = value as u8;
            !byte.is_ascii_alphanumeric() && byte != b'_'
        }),
        [.., b'=', b'3', b'D'] => true,
        [.., b'm'] => {
            let digits = before[..before.len() - 1].iter().rev().take(8);
            let run = digits.take_while(|b| b.is_ascii_digit() || **b == b';').count();
            before[..before.len() - 1 - run].ends_with(b"\x1b[")
        }
        _ => false,
    }
}

/// Whether an escape starts before `at` and ends behind it, so that what stands before `at` counts for what follows.
pub(crate) fn is_escape_across(text: &[u8], at: usize) -> bool {
    /// The longest but that of a terminal.
    const LONGEST_BYTES: usize = 6;
    /// The longest of a terminal.
    const LONGEST_OF_TERMINAL_BYTES: usize = 11;
    let ends_across = |longest: usize| {
        let last = text.len().min(at + longest);
        (at + 1..=last).any(|end| ends_an_escape(&text[..end]) != ends_an_escape(&text[at..end]))
    };
    let before = |longest: usize| &text[at.saturating_sub(longest)..at];
    if before(LONGEST_OF_TERMINAL_BYTES).contains(&0x1b) {
        return ends_across(LONGEST_OF_TERMINAL_BYTES);
    }
    let near = before(LONGEST_BYTES);
    // Only one escape starts with the sign that base64 ends with.
    let starts = |(place, byte): (usize, &u8)| match byte {
        b'\\' | b'%' => true,
        b'=' => near.get(place + 1).is_none_or(|&next| next == b'3'),
        _ => false,
    };
    near.iter().enumerate().any(starts) && ends_across(LONGEST_BYTES)
}

/// A run of so much encoded text is data; nothing farther from a value is looked at on its own line.
const LONG_RUN_BYTES: usize = 120;
/// Blanks and line ends between a line of encoded data and the one above it.
const LINE_GAP_BYTES: usize = 64;

/// How far before and behind a value of at most `value_bytes` [`inside_encoded_data`] looks.
pub(crate) fn encoded_data_sight(value_bytes: usize) -> (usize, usize) {
    let longest_line = value_bytes + 2 * LONG_RUN_BYTES;
    (LONG_RUN_BYTES + LINE_GAP_BYTES + longest_line + 1, LONG_RUN_BYTES)
}

/// Whether the value is a stretch of something longer in base64, a picture or a signed mail, where every short
/// prefix turns up by chance: a long run goes on round it, or it fills a line between equal lines.
pub(crate) fn inside_encoded_data(text: &[u8], span: ByteSpan) -> bool {
    const SHORTEST_LINE_BYTES: usize = 60;
    let encoded = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    let before = text[..span.start].iter().rev().take(LONG_RUN_BYTES).take_while(encoded).count();
    let after = text[span.end..].iter().take(LONG_RUN_BYTES).take_while(encoded).count();
    if before + after >= LONG_RUN_BYTES {
        return true;
    }
    let (start, end) = (span.start - before, span.end + after);
    let line = end - start;
    let gap = text[..start].iter().rev().take(LINE_GAP_BYTES).take_while(|byte| byte.is_ascii_whitespace());
    let above = &text[..start - gap.count()];
    line >= SHORTEST_LINE_BYTES
        && text[start..end].iter().all(|byte| encoded(&byte))
        && above.len() < start
        && above.iter().rev().take(line + 1).take_while(encoded).count() == line
}

/// Whether an `@` ties the value to what stands before it, as in the pinned `uses: owner/action@<commit>`.
pub(crate) fn is_pinned(text: &[u8], span: ByteSpan) -> bool {
    text[..span.start].ends_with(b"@")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::shape::Shape;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn escapes_are_told_by_their_marks(text in r"[\\%=u03Dxamn;\[\x1b ]{0,24}", at in 0usize..24) {
            let text = text.as_bytes();
            prop_assert_eq!(ends_an_escape(text), is_end_of_escape(text));
            let at = at.min(text.len());
            let counts = |end: usize| is_end_of_escape(&text[..end]) != is_end_of_escape(&text[at..end]);
            prop_assert_eq!(is_escape_across(text, at), (at + 1..=text.len()).any(counts));
        }
    }

    #[test]
    fn encoded_data_is_told_by_what_is_round_the_value() {
        // The hexadecimal of a certificate in base64, which starts as a token does.
        let value = format!("IGQ{}", "5OjRhOjZiOjQ1".repeat(4));
        let inside = |before: &str, after: &str| {
            let text = format!("{before}{value}{after}");
            inside_encoded_data(text.as_bytes(), ByteSpan::new(before.len(), before.len() + value.len()))
        };
        let line = "Z".repeat(76);
        assert!(inside(&format!("{}/", "A".repeat(90)), &"b".repeat(40)));
        assert!(inside(&format!("  {line}\n  "), &"x".repeat(76 - value.len())));
        // The line above is longer, shorter, or none.
        let rest = "x".repeat(76 - value.len());
        for above in [format!("{line}Z"), "Z".repeat(75), format!("{line} a")] {
            assert!(!inside(&format!("{above}\n"), &rest), "{above}");
        }
        assert!(!inside("", &rest));
        assert!(!inside(&format!("{line}\n"), &format!("{rest}xx")));
        // Encoded to the end of the line, on both sides of the value.
        assert!(inside(&format!("{line}\n{}", "y".repeat(9)), &"x".repeat(67 - value.len())));
        assert!(inside("", &"b".repeat(120)) && !inside("", &"b".repeat(119)));
        assert!(!inside("token = \"", "\""));
        assert!(!inside("https://example.org/a/b/", "/c"));
        assert!(!inside(&format!("{line}\n"), "\n"));
    }

    fn free(before: &str) -> bool {
        let edges = Shape::parse("\"pk_\" DIGIT{3}").unwrap().edges();
        let edges = EdgeSpec { before: edges.before, after: edges.after };
        starts_free(format!("{before}pk_123").as_bytes(), before.len(), &edges)
    }

    #[test]
    fn a_value_stands_alone_on_both_sides() {
        let edges = Shape::parse("\"pk_\" DIGIT{3}").unwrap().edges();
        let edges = EdgeSpec { before: edges.before, after: edges.after };
        for (before, after, expected) in
            [("", "", true), ("=", ";", true), ("x", "", false), ("", "4", false), ("x", "4", false)]
        {
            let text = format!("{before}pk_123{after}");
            let span = ByteSpan::new(before.len(), before.len() + 6);
            assert_eq!(is_bounded(text.as_bytes(), span, &edges), expected, "{text}");
        }
    }

    #[test]
    fn a_word_goes_on_between_letters_of_one_word() {
        for (text, at, expected) in [
            ("ab", 1, true),
            ("AB", 1, true),
            ("Ab", 1, true),
            ("aB", 1, false),
            ("1b", 1, false),
            ("b1", 1, false),
            ("b", 0, false),
            ("b", 1, false),
            ("\\nb", 2, false),
        ] {
            assert_eq!(Front::of(text.as_bytes(), at).goes_on, expected, "{text} {at}");
        }
    }

    #[test]
    fn a_literal_in_a_word_starts_no_value() {
        let target = |kind, starts_word| Target { rule: 0, kind, starts_word };
        let anchor = TriggerKind::Anchor { min_before: 0, max_before: 0 };
        for (text, at, keyword, value) in [
            ("a_key", 2, false, true),
            ("akey", 1, true, true),
            ("1key", 1, false, true),
            ("-key", 1, false, false),
            ("%20key", 3, false, false),
            ("key", 0, false, false),
        ] {
            let front = Front::of(text.as_bytes(), at);
            assert_eq!(front.is_against(&target(TriggerKind::Keyword, true)), keyword, "{text}");
            assert_eq!(front.is_against(&target(anchor, true)), value, "{text}");
            assert!(!front.is_against(&target(anchor, false)), "{text}");
        }
    }

    #[test]
    fn a_pin_stands_directly_before_a_value() {
        let text = b"uses: owner/action@abc";
        assert!(is_pinned(text, ByteSpan::new(19, 22)) && !is_pinned(text, ByteSpan::new(18, 22)));
    }

    #[test]
    fn what_is_looked_at_round_a_value_is_in_sight() {
        // Blanks, a line and the one above it before; a run behind.
        assert_eq!(
            encoded_data_sight(0),
            (LONG_RUN_BYTES + LINE_GAP_BYTES + 2 * LONG_RUN_BYTES + 1, LONG_RUN_BYTES)
        );
        let (back, ahead) = encoded_data_sight(50);
        assert_eq!(
            (back, ahead),
            (LONG_RUN_BYTES + LINE_GAP_BYTES + 50 + 2 * LONG_RUN_BYTES + 1, LONG_RUN_BYTES)
        );
    }

    #[test]
    fn escapes_end_a_word() {
        for before in [
            "",
            "=",
            "\"",
            "/",
            "\\n",
            "\\\\n",
            "%3D",
            "?a=b&c%3D",
            "%20",
            "\\u0022",
            "\\x22",
            "=3D",
            "\x1b[31m",
        ] {
            assert!(free(before), "{before:?}");
        }
    }

    #[test]
    fn an_escape_lies_across_where_only_both_sides_make_one() {
        let is_across = |before: &str, behind: &str| {
            is_escape_across(format!("{before}{behind}").as_bytes(), before.len())
        };
        for (before, behind) in
            [("\\", "npk_1"), ("=", "3Dpk_1"), ("x%", "20pk_1"), ("\\u00", "22pk_1"), ("\x1b[3", "1mpk_1")]
        {
            assert!(is_across(before, behind), "{before:?} {behind:?}");
        }
        for (before, behind) in
            [("", "npk_1"), ("key=", "pk_1"), ("\\n", "pk_1"), ("\"", "\\npk_1"), ("= ", "3Dpk_1")]
        {
            assert!(!is_across(before, behind), "{before:?} {behind:?}");
        }
    }

    #[test]
    fn letters_belong_to_a_longer_word() {
        for before in ["x", "_", "9", "%5F", "%41", "item", "u0022"] {
            assert!(!free(before), "{before:?}");
        }
    }
}
