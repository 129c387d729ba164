//! Markers in the scanned text itself that accept a finding: `stanch:allow`.
//!
//! A marker counts on the line of the secret, anywhere on it, or on the line above when that line is a
//! comment that holds nothing else. What may follow it:
//!
//! ```text
//! # stanch:allow                          every rule
//! # stanch:allow: a made-up key           every rule, with the reason
//! # stanch:allow aws-access-key-id        that rule alone
//! # stanch:allow rule-a, rule-b: reason   these rules, with the reason
//! ```
//!
//! Words behind the marker are always read as rule ids, so that `stanch:allow test fixture` accepts
//! nothing instead of everything: a marker that is not understood must not hide a secret.
//!
//! The markers of other scanners are honoured where they honour them themselves, so that a change of the
//! scanner needs no change of the code. They accept every rule, for the ids behind them name none of ours.

use bstr::ByteSlice;

/// A marker that accepts a match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InlineAllow {
    /// The marker's text, such as `stanch:allow`.
    pub marker: &'static str,
    /// What the author wrote behind the colon; invalid UTF-8 is replaced.
    pub reason: Option<String>,
}

/// Returns the marker that accepts a match of `rule_id` on `line`, if there is one.
///
/// `line` is the line on which the secret starts and `previous_line` the one above it, both without
/// their line ends.
pub fn allowed(line: &[u8], previous_line: Option<&[u8]>, rule_id: &str) -> Option<InlineAllow> {
    let on_line = MARKERS.iter().find_map(|marker| marker.on_line(line, rule_id));
    let above = previous_line.unwrap_or_default();
    on_line
        .or_else(|| MARKERS.iter().find_map(|marker| marker.alone_on_line(above, rule_id)))
        .or_else(|| foreign(ON_THE_LINE, line))
        .or_else(|| foreign(FOR_THE_NEXT_LINE, above))
        .or_else(|| foreign(FOR_THE_NEXT_LINE_ALONE, alone_in_a_comment(above)?))
        .or_else(|| pragma(line, Pragma::ThisLine))
        .or_else(|| pragma(alone_in_a_comment(above)?, Pragma::NextLine))
}

/// Markers of other scanners that speak of the line they stand on, from the manuals of gitleaks, betterleaks,
/// trufflehog, kingfisher, detect-secrets, ggshield and secretlint.
const ON_THE_LINE: &[&str] = &[
    "gitleaks:allow",
    "betterleaks:allow",
    "trufflehog:ignore",
    "kingfisher:ignore",
    "kingfisher:allow",
    "ggignore",
    "secretlint-disable-line",
];

/// Those that speak of the next line.
const FOR_THE_NEXT_LINE: &[&str] = &["secretlint-disable-next-line"];

/// Those that speak of the next line too, where they stand in a comment alone.
const FOR_THE_NEXT_LINE_ALONE: &[&str] = &["kingfisher:ignore", "kingfisher:allow"];

/// Which line a pragma of detect-secrets speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pragma {
    ThisLine,
    NextLine,
}

/// `pragma: allowlist secret` or `pragma: allowlist nextline secret`, with a blank or none behind the colon and blanks
/// or hyphens between the words; the old `whitelist` has no form for the next line.
fn pragma(line: &[u8], wanted: Pragma) -> Option<InlineAllow> {
    const HEAD: &[u8] = b"pragma:";
    let marker = memchr::memmem::find_iter(line, HEAD).find_map(|start| {
        let behind = &line[start + HEAD.len()..];
        let text = behind.strip_prefix(b" ").unwrap_or(behind);
        let word = |text: &'_ [u8], word: &[u8]| -> Option<usize> {
            let is_there = text.starts_with(word) && matches!(text.get(word.len()), Some(b' ' | b'-'));
            is_there.then_some(word.len() + 1)
        };
        let (list, is_old) = match word(text, b"allowlist") {
            Some(len) => (&text[len..], false),
            None => (&text[word(text, b"whitelist")?..], true),
        };
        let (rest, found) = match word(list, b"nextline") {
            Some(len) if !is_old => (&list[len..], Pragma::NextLine),
            _ => (list, Pragma::ThisLine),
        };
        let tail = rest.strip_prefix(b"secret")?;
        let is_free = stands_free(line, start, line.len() - tail.len());
        (found == wanted && is_free).then_some(match (found, is_old) {
            (Pragma::NextLine, _) => "pragma: allowlist nextline secret",
            (Pragma::ThisLine, false) => "pragma: allowlist secret",
            (Pragma::ThisLine, true) => "pragma: whitelist secret",
        })
    })?;
    Some(InlineAllow { marker, reason: None })
}

/// The line, if it is a comment from its first character on.
fn alone_in_a_comment(line: &[u8]) -> Option<&[u8]> {
    let text = line.trim_ascii();
    COMMENTS.iter().any(|(open, _)| text.starts_with(open.as_bytes())).then_some(line)
}

fn foreign(markers: &[&'static str], line: &[u8]) -> Option<InlineAllow> {
    let marker = markers.iter().find(|marker| {
        memchr::memmem::find_iter(line, marker.as_bytes())
            .any(|start| stands_free(line, start, start + marker.len()))
    })?;
    Some(InlineAllow { marker, reason: None })
}

/// One way to write "this is accepted".
struct Marker {
    text: &'static str,
}

/// The markers that are understood.
const MARKERS: &[Marker] = &[Marker { text: "stanch:allow" }];

/// How comments open and, where they must be closed on the same line to be alone on it, how they close.
/// Longer ones first, because `--[[` also starts with `--`.
const COMMENTS: &[(&str, &str)] = &[
    ("<!--", "-->"),
    ("<%--", "--%>"),
    ("{{!--", "--}}"),
    ("{{!", "}}"),
    ("{#", "#}"),
    ("{-", "-}"),
    ("(*", "*)"),
    ("/*", "*/"),
    ("--[[", "]]"),
    ("<#", "#>"),
    ("*", "*/"),
    ("//", ""),
    ("--", ""),
    ("#", ""),
    (";", ""),
    ("%", ""),
    ("!", ""),
    ("'", ""),
    ("\"", ""),
    ("::", ""),
    ("@rem ", ""),
    ("REM ", ""),
    ("rem ", ""),
    ("dnl ", ""),
];

impl Marker {
    /// Looks at every occurrence, because the first may name another rule.
    fn on_line(&self, line: &[u8], rule_id: &str) -> Option<InlineAllow> {
        memchr::memmem::find_iter(line, self.text)
            .filter(|&start| stands_free(line, start, start + self.text.len()))
            .find_map(|start| {
                let rest = &line[start + self.text.len()..];
                self.accept(&Scope::parse(rest), rule_id)
            })
    }

    fn alone_on_line(&self, line: &[u8], rule_id: &str) -> Option<InlineAllow> {
        let line = line.trim_ascii();
        let &(open, close) = COMMENTS.iter().find(|(open, _)| line.starts_with(open.as_bytes()))?;
        // `///`, `##` and `/**` are comments too.
        let inside = line[open.len()..].trim_ascii_start();
        let inside = inside.trim_start_with(|c| "/#*;-!% ".contains(c));
        let rest = inside.strip_prefix(self.text.as_bytes())?;
        if !stands_free(inside, 0, self.text.len()) {
            return None;
        }
        // Code behind the comment's end means that the marker speaks of its own line.
        let comment = match close {
            "" => rest,
            close => match rest.find(close) {
                Some(at) if at + close.len() == rest.len() => &rest[..at],
                Some(_) => return None,
                None => rest,
            },
        };
        let scope = Scope::parse(comment);
        if scope.whole { self.accept(&scope, rule_id) } else { None }
    }

    fn accept(&self, scope: &Scope<'_>, rule_id: &str) -> Option<InlineAllow> {
        let applies = scope.rules.is_empty() || scope.rules.contains(&rule_id.as_bytes());
        applies.then(|| InlineAllow {
            marker: self.text,
            reason: scope.reason.map(|reason| String::from_utf8_lossy(reason).into_owned()),
        })
    }
}

/// What stands behind a marker.
struct Scope<'l> {
    /// Rule ids; none means every rule.
    rules: Vec<&'l [u8]>,
    reason: Option<&'l [u8]>,
    /// Whether the text behind the marker was ids and a reason and nothing else.
    whole: bool,
}

impl<'l> Scope<'l> {
    fn parse(text: &'l [u8]) -> Self {
        let mut rules = Vec::new();
        let mut rest = text.trim_ascii_start();
        while let Some(id) = leading_id(rest) {
            rules.push(id);
            rest = rest[id.len()..].trim_ascii_start();
            match rest.strip_prefix(b",") {
                Some(more) => rest = more.trim_ascii_start(),
                None => break,
            }
        }
        let reason = rest.strip_prefix(b":").map(trim_reason).filter(|reason| !reason.is_empty());
        Self { rules, reason, whole: rest.is_empty() || rest.starts_with(b":") }
    }
}

/// A leading rule id: letters, digits and hyphens, a letter or digit first.
fn leading_id(text: &[u8]) -> Option<&[u8]> {
    let len = text.iter().take_while(|&&byte| byte.is_ascii_alphanumeric() || byte == b'-').count();
    let id = &text[..len];
    // The closer of `<!-- stanch:allow rule-->` is no part of the id.
    let id = id.trim_end_with(|c| c == '-');
    (id.first().is_some_and(u8::is_ascii_alphanumeric)).then_some(id)
}

/// Cuts the closers of comments and strings off a reason.
fn trim_reason(text: &[u8]) -> &[u8] {
    let mut text = text.trim_ascii();
    for close in ["-->", "--%>", "*/", "#}", "}}", "*)", "-}"] {
        if let Some(cut) = text.strip_suffix(close.as_bytes()) {
            text = cut.trim_ascii_end();
        }
    }
    text
}

/// Whether the marker at `start..end` is no part of a longer word: `stanch:allowed`, `x-stanch:allow`.
fn stands_free(line: &[u8], start: usize, end: usize) -> bool {
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_' || !byte.is_ascii();
    let before = match line[..start] {
        [.., byte, b'-'] => is_word(&byte),
        [.., byte] => is_word(&byte),
        [] => false,
    };
    let after = match line[end..] {
        [b'-', byte, ..] => is_word(&byte),
        [byte, ..] => is_word(&byte),
        [] => false,
    };
    !before && !after
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: &str = "acme-api-key";

    fn same_line(line: &str) -> Option<InlineAllow> {
        allowed(line.as_bytes(), None, RULE)
    }

    fn line_above(line: &str) -> Option<InlineAllow> {
        allowed(b"key = value", Some(line.as_bytes()), RULE)
    }

    #[test]
    fn a_marker_on_the_line_accepts() {
        for line in [
            "stanch:allow",
            "k=v # stanch:allow",
            "k=v #stanch:allow",
            "k: v /* stanch:allow */",
            "<k>v</k><!--stanch:allow-->",
            r#"{"k": "v", "note": "stanch:allow"}"#,
            "select 'v'--stanch:allow",
            "k=v # stanch:allow acme-api-key",
            "k=v # stanch:allow other-rule, acme-api-key",
            "k=v # stanch:allow other-rule,acme-api-key: from the docs",
            "<k>v</k><!-- stanch:allow acme-api-key-->",
            "f(/* stanch:allow */ \"v\")",
            "k=v # stanch:allow other-rule stanch:allow acme-api-key",
        ] {
            assert!(same_line(line).is_some(), "{line}");
        }
    }

    #[test]
    fn what_is_no_marker_or_speaks_of_another_rule_does_not_accept() {
        for line in [
            "k=v",
            "k=v # stanch:allowed",
            "k=v # stanch:allow-list",
            "k=v # stanch:allow_all",
            "k=v # stanch:allow\u{e9}",
            "k=v # xstanch:allow",
            "k=v # not-stanch:allow",
            "k=v # Stanch:Allow",
            "k=v # stanch: allow",
            "k=v # stanch:allow other-rule",
            "k=v # stanch:allow acme-api-key-two",
            "k=v # stanch:allow test fixture",
        ] {
            assert_eq!(same_line(line), None, "{line}");
        }
    }

    #[test]
    fn markers_of_other_scanners_count_where_they_count_there() {
        for marker in ON_THE_LINE {
            assert!(same_line(&format!("k=v # {marker}")).is_some(), "{marker}");
            assert_eq!(same_line(&format!("k=v # {marker}ed")), None, "{marker}");
            if !FOR_THE_NEXT_LINE_ALONE.contains(marker) {
                assert_eq!(line_above(&format!("# {marker}")), None, "{marker}");
            }
        }
        for marker in FOR_THE_NEXT_LINE_ALONE {
            assert!(line_above(&format!("  // {marker}")).is_some(), "{marker}");
            assert_eq!(line_above(&format!("k = v # {marker}")), None, "{marker}");
        }
        for marker in FOR_THE_NEXT_LINE {
            assert!(line_above(&format!("# {marker}")).is_some(), "{marker}");
            assert_eq!(same_line(&format!("k=v # {marker}")), None, "{marker}");
        }
        assert!(same_line("k=v // secretlint-disable-line @secretlint/secretlint-rule-aws").is_some());
    }

    #[test]
    fn pragmas_are_spelled_as_detect_secrets_spells_them() {
        for text in [
            "pragma: allowlist secret",
            "pragma:allowlist-secret",
            "pragma: whitelist secret",
            "pragma:whitelist-secret",
        ] {
            assert!(same_line(&format!("k=v # {text}")).is_some(), "{text}");
            assert!(same_line(&format!("<k>v</k><!-- {text} -->")).is_some(), "{text}");
            assert_eq!(line_above(&format!("# {text}")), None, "{text}");
        }
        for text in ["pragma: allowlist nextline secret", "pragma:allowlist-nextline-secret"] {
            assert!(line_above(&format!("  // {text}")).is_some(), "{text}");
            assert!(line_above(&format!("<!-- {text} -->")).is_some(), "{text}");
            assert_eq!(line_above(&format!("k=v # {text}")), None, "beside code it says nothing: {text}");
            assert_eq!(same_line(&format!("k=v # {text}")), None, "{text}");
        }
        for text in [
            "pragma: allowlist",
            "pragma: allowlist secrets",
            "pragma: allow secret",
            "pragma:  allowlist secret",
            "pragma: allowlistsecret",
            "xpragma: allowlist secret",
            "Pragma: allowlist secret",
            "pragma: whitelist nextline secret",
        ] {
            assert_eq!(same_line(&format!("k=v # {text}")), None, "{text}");
            assert_eq!(line_above(&format!("# {text}")), None, "{text}");
        }
    }

    #[test]
    fn the_reason_is_what_stands_behind_the_colon() {
        for (line, reason) in [
            ("k=v # stanch:allow", None),
            ("k=v # stanch:allow:", None),
            ("k=v # stanch:allow: made up: really", Some("made up: really")),
            ("k=v # stanch:allow acme-api-key: made up ", Some("made up")),
            ("k=v /* stanch:allow acme-api-key: made up */", Some("made up")),
            ("<!-- stanch:allow: made up --> v", Some("made up --> v")),
        ] {
            let allow = same_line(line).unwrap_or_else(|| panic!("{line}"));
            assert_eq!(allow, InlineAllow { marker: "stanch:allow", reason: reason.map(str::to_owned) });
        }
    }

    #[test]
    fn a_marker_alone_on_the_line_above_accepts() {
        for line in [
            "# stanch:allow",
            "    // stanch:allow acme-api-key",
            "    // stanch:allow acme-api-key: made up",
            "/// stanch:allow",
            "/* stanch:allow acme-api-key */",
            "/** stanch:allow: made up */",
            " * stanch:allow",
            "<!-- stanch:allow -->",
            "-- stanch:allow\r",
            "; stanch:allow",
            "{# stanch:allow #}",
            "REM stanch:allow",
        ] {
            assert!(line_above(line).is_some(), "{line}");
        }
    }

    #[test]
    fn a_marker_beside_code_speaks_of_its_own_line_alone() {
        for line in [
            "stanch:allow",
            "other = value # stanch:allow",
            "/* stanch:allow */ other = value",
            "/* stanch:allow: made up */ other = value",
            "# see stanch:allow",
            "# stanch:allow other-rule",
            "# stanch:allow the next line",
            "# stanch:allowed",
        ] {
            assert_eq!(line_above(line), None, "{line}");
        }
    }
}
