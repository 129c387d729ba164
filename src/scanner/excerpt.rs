//! The line of a match as a report shows it.

use super::matches::Matches;
use crate::finding::Excerpt;
use crate::matcher::Match;
use crate::span::ByteSpan;

/// The longest excerpt, in bytes of the line beside the secret.
const EXCERPT_BYTES: usize = 120;

/// The line of a match with every match on it redacted, whatever became of the others.
pub(super) fn excerpt(text: &[u8], line: ByteSpan, found: &Match, matches: &Matches<'_>) -> Excerpt {
    let from = line.start.max(found.secret_span.start.saturating_sub(EXCERPT_BYTES));
    let to = line.end.min(found.secret_span.end + EXCERPT_BYTES).max(from);
    let mut out = String::new();
    let mut secret = 0..0;
    let mut at = from;
    if from > line.start {
        out.push('…');
    }
    for other in matches.on(ByteSpan::new(from, to.max(from + 1))) {
        let (start, end) = (other.secret_span.start.max(at), other.secret_span.end.min(to));
        out.push_str(&String::from_utf8_lossy(&text[at..start.min(to)]));
        let mark = out.len();
        out.push_str(&other.secret.redacted());
        if other.secret_span == found.secret_span {
            secret = mark..out.len();
        }
        at = end.max(at);
        let rest = quoted_rest(&text[..line.end], other.secret_span).min(to);
        if rest > at {
            out.push('…');
            at = rest;
        }
    }
    out.push_str(&String::from_utf8_lossy(&text[at.min(to)..to]));
    if to < line.end {
        out.push('…');
    }
    Excerpt { text: out, secret }
}

/// Where the quoted string ends whose first part is the secret: a password may hold a blank, and a rule may not.
/// What follows is hidden too. The end of the secret where it fills its quotes or has none.
fn quoted_rest(line: &[u8], secret: ByteSpan) -> usize {
    let quote = match line[..secret.start.min(line.len())].last() {
        Some(&quote @ (b'"' | b'\'' | b'`')) => quote,
        _ => return secret.end,
    };
    let rest = line.get(secret.end..).unwrap_or_default();
    secret.end + memchr::memchr(quote, rest).unwrap_or(0)
}
