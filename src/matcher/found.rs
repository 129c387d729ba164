//! A match: its rule, its place, the secret and what stands round it that the judgement looks at.

use std::ops::Range;

use regex::bytes::Captures;

use super::assignment::{self, Assignment};
use crate::decode;
use crate::rule::Rule;
use crate::secret::Secret;
use crate::span::ByteSpan;

/// A raw hit: a rule, a place and the captured bytes.
#[derive(Clone, Debug)]
pub struct Match {
    /// Index of the rule in the [`RuleSet`](crate::rule::RuleSet) of the matcher.
    pub rule: usize,
    /// Everything the match rests on: the value, and for a generic rule the name before it.
    pub span: ByteSpan,
    /// The secret in the text of the unit; the encoded form where it was decoded.
    pub secret_span: ByteSpan,
    /// The secret, decoded.
    pub secret: Secret,
    /// What stands round it.
    pub context: Context,
    /// Encodings that were undone to find it, outermost first.
    pub layers: Vec<decode::Layer>,
    /// How far off the word is that names the provider; the least number is the nearest word, and of two in
    /// one place the longer one. No word: the greatest number.
    pub(super) word: u32,
}

impl Match {
    /// What is left where one was taken.
    pub(super) fn nothing() -> Self {
        let span = ByteSpan::new(0, 0);
        let (secret, context) = (Secret::new(Vec::new()), Context::default());
        Self { rule: 0, span, secret_span: span, secret, context, layers: Vec::new(), word: NO_WORD }
    }
}

/// What stands round a secret, in the text or the decoded view in which it was found, that the judgement looks
/// at.
#[derive(Clone, Debug, Default, Hash)]
pub struct Context {
    /// For a generic rule: the assignment.
    pub assigned: Option<Assigned>,
    /// Whose host follows the password of a URL.
    pub host: Host,
}

/// Whose a host is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Host {
    /// Somebody's, or there is none.
    #[default]
    Somebodys,
    /// The machine itself.
    Loopback,
    /// Nobody's: set aside for documentation and tests (RFC 2606, RFC 6761).
    Reserved,
}

impl Host {
    /// Reads what follows a password: `@localhost:5432/…`.
    pub(super) fn behind(rest: &[u8]) -> Self {
        let Some(rest) = rest.strip_prefix(b"@") else { return Self::Somebodys };
        let end = rest.iter().position(|&byte| !(byte.is_ascii_alphanumeric() || b"-.".contains(&byte)));
        let host = rest[..end.unwrap_or(rest.len())].trim_ascii_end().to_ascii_lowercase();
        let host = host.strip_suffix(b".").unwrap_or(&host);
        let last = host.rsplit(|&byte| byte == b'.').next().unwrap_or_default();
        if host == b"localhost"
            || host.starts_with(b"127.")
            || host == b"0.0.0.0"
            || rest.starts_with(b"[::1]")
        {
            return Self::Loopback;
        }
        let examples = [&b"example.com"[..], b"example.org", b"example.net"];
        let is_example = examples.iter().any(|name| {
            host.strip_suffix(*name).is_some_and(|front| front.is_empty() || front.ends_with(b"."))
        });
        if is_example || matches!(last, b"example" | b"invalid" | b"test") {
            return Self::Reserved;
        }
        Self::Somebodys
    }
}

/// The parts of an assignment that the judgement looks at.
#[derive(Clone, Debug, Hash)]
pub struct Assigned {
    /// The name as written.
    pub name: Vec<u8>,
    /// How name and value are joined.
    pub joint: assignment::Joint,
    /// What stands round the value.
    pub quote: assignment::Quote,
    /// What else stands on the line.
    pub place: assignment::Place,
}

/// The distance of a match without a word that names its provider.
pub(super) const NO_WORD: u32 = u32::MAX;

/// The secret part of a match, `text` being cut where the search was.
pub(super) fn capture(text: &[u8], (index, rule): (usize, &Rule), span: ByteSpan) -> Match {
    let regex = rule.regex();
    let mut secret_span = span;
    // Nothing in a shape asks for what follows, so what the match took without it, it takes again.
    let end = if rule.shape.is_empty() { text.len() } else { span.end };
    if regex.captures_len() > 1
        && let Some(groups) = regex.captures(&text[span.start..end])
        && let Some(group) = secret_group(&groups)
    {
        secret_span = ByteSpan::new(span.start + group.start, span.start + group.end);
    }
    found_at(text, index, span, secret_span)
}

/// The part of a match that is the secret, if an expression has such a part.
pub(super) fn secret_group(groups: &Captures<'_>) -> Option<Range<usize>> {
    let group = groups.name("secret").or_else(|| groups.iter().skip(1).flatten().next());
    group.map(|group| group.range())
}

pub(super) fn found_at(text: &[u8], rule: usize, span: ByteSpan, secret_span: ByteSpan) -> Match {
    let secret = Secret::new(&text[secret_span.range()]);
    let context = Context { assigned: None, host: Host::behind(&text[secret_span.end..]) };
    Match { rule, span, secret_span, secret, context, layers: Vec::new(), word: NO_WORD }
}

/// The match of a value that is assigned to a name.
pub(super) fn assigned_match(text: &[u8], rule: usize, assignment: &Assignment) -> Match {
    let &Assignment { name, value, quote, joint, place } = assignment;
    let assigned = Assigned { name: text[name.range()].to_vec(), joint, quote, place };
    Match {
        rule,
        span: ByteSpan::new(name.start, value.end),
        secret_span: value,
        secret: Secret::new(&text[value.range()]),
        context: Context { assigned: Some(assigned), host: Host::default() },
        layers: Vec::new(),
        word: NO_WORD,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_that_are_nobodys_are_told() {
        for (rest, host) in [
            ("@localhost:5432/db", Host::Loopback),
            ("@127.0.0.1/", Host::Loopback),
            ("@[::1]:80", Host::Loopback),
            ("@example.com/", Host::Reserved),
            ("@db.example.org:80", Host::Reserved),
            ("@db.test/", Host::Reserved),
            ("@myexample.com/", Host::Somebodys),
            ("@db.internal", Host::Somebodys),
            ("\"", Host::Somebodys),
            ("", Host::Somebodys),
        ] {
            assert_eq!(Host::behind(rest.as_bytes()), host, "{rest}");
        }
    }
}
