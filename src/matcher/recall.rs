//! Matches written down by where they stand, so that who has the text again need not search it again.
//!
//! What is written holds no byte of the text: the value and the name before it are told by their places.

use super::assignment::{Joint, Place, Quote};
use super::found::NO_WORD;
use super::{Assigned, Context, Host, Match};
use crate::secret::Secret;
use crate::span::ByteSpan;

/// How many numbers a match takes.
const NUMBERS: usize = 8;

/// In the last number of a match: that there is an assignment. Below it are joint, quote, place and host.
const IS_ASSIGNED: u32 = 1 << 31;

/// How far behind the value the byte stands that [`Place::after`] speaks of: behind a quote and what escapes it.
const AFTER_BYTES: usize = 8;

const JOINTS: [Joint; 6] =
    [Joint::Equals, Joint::Colon, Joint::Arrow, Joint::Argument, Joint::Element, Joint::Space];
const QUOTES: [Quote; 3] = [Quote::None, Quote::Plain, Quote::Escaped];
const HOSTS: [Host; 3] = [Host::Somebodys, Host::Loopback, Host::Reserved];

/// Writes down the matches of a text, in their order. `None` if one of them was decoded, or is told by what does not
/// stand in the text as it is.
pub(crate) fn store(text: &[u8], matches: &[Match]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(matches.len() * NUMBERS * 4);
    for found in matches {
        bytes.extend(numbers_of(text, found)?.into_iter().flat_map(u32::to_le_bytes));
    }
    Some(bytes)
}

/// Reads what [`store`] wrote of the same text, under the same `rule_count` rules. `None` for anything else.
pub(crate) fn restore(text: &[u8], bytes: &[u8], rule_count: usize) -> Option<Vec<Match>> {
    let (words, []) = bytes.as_chunks::<4>() else { return None };
    let (rows, []) = words.as_chunks::<NUMBERS>() else { return None };
    let rows = rows.iter().map(|row| row.map(u32::from_le_bytes));
    rows.map(|row| match_of(text, row).filter(|found| found.rule < rule_count)).collect()
}

fn numbers_of(text: &[u8], found: &Match) -> Option<[u32; NUMBERS]> {
    let Match { rule, span, secret_span, secret, context, layers, word: _ } = found;
    if !layers.is_empty() || text.get(secret_span.range())? != secret.reveal() {
        return None;
    }
    let host = HOSTS.iter().position(|host| *host == context.host)? as u32;
    let (name, more) = match &context.assigned {
        Some(Assigned { name, joint, quote, place }) => {
            let start = span.start + memchr::memmem::find(text.get(span.range())?, name)?;
            let joint = JOINTS.iter().position(|one| one == joint)? as u32;
            let quote = QUOTES.iter().position(|one| one == quote)? as u32;
            let more = IS_ASSIGNED | joint << 8 | quote << 12 | place_bits(text, *secret_span, *place)? << 16;
            ((start, name.len()), more)
        }
        None => ((0, 0), 0),
    };
    let number = |number: usize| u32::try_from(number).ok();
    Some([
        number(*rule)?,
        number(span.start)?,
        number(span.end)?,
        number(secret_span.start)?,
        number(secret_span.end)?,
        number(name.0)?,
        number(name.1)?,
        host | more,
    ])
}

fn match_of(text: &[u8], row: [u32; NUMBERS]) -> Option<Match> {
    let [rule, start, end, secret_start, secret_end, name, name_len, more] = row;
    let span = |start: u32, end: u32| {
        let (start, end) = (start as usize, end as usize);
        (start <= end && end <= text.len()).then_some(ByteSpan { start, end })
    };
    let (span_of_all, secret_span) = (span(start, end)?, span(secret_start, secret_end)?);
    let assigned = match more & IS_ASSIGNED {
        0 => None,
        _ => Some(Assigned {
            name: text[span(name, name.checked_add(name_len)?)?.range()].to_vec(),
            joint: *JOINTS.get((more >> 8 & 0xf) as usize)?,
            quote: *QUOTES.get((more >> 12 & 0xf) as usize)?,
            place: place_of(text, secret_span, more >> 16 & 0x7fff)?,
        }),
    };
    let context = Context { assigned, host: *HOSTS.get((more & 0xff) as usize)? };
    Some(Match {
        rule: rule as usize,
        span: span_of_all,
        secret_span,
        secret: Secret::new(&text[secret_span.range()]),
        context,
        layers: Vec::new(),
        // It decides between matches on each other, and that is decided.
        word: NO_WORD,
    })
}

/// Six bits for what is so, and above them how far behind the value the byte stands, from 1.
fn place_bits(text: &[u8], secret: ByteSpan, place: Place) -> Option<u32> {
    let Place { starts_line, ends_line, spaced, in_call, in_comment, before_word, after } = place;
    let flags = [starts_line, ends_line, spaced, in_call, in_comment, before_word];
    let flags = (0..).zip(flags).fold(0, |bits, (at, flag)| bits | u32::from(flag) << at);
    let behind = text[secret.end..].iter().take(AFTER_BYTES);
    let after = match after {
        Some(after) => 1 + behind.into_iter().position(|byte| *byte == after)? as u32,
        None => 0,
    };
    Some(flags | after << 6)
}

fn place_of(text: &[u8], secret: ByteSpan, bits: u32) -> Option<Place> {
    let flag = |at: u32| bits >> at & 1 == 1;
    let after = match (bits >> 6) as usize {
        0 => None,
        distance => Some(*text.get(secret.end + distance - 1)?),
    };
    Some(Place {
        starts_line: flag(0),
        ends_line: flag(1),
        spaced: flag(2),
        in_call: flag(3),
        in_comment: flag(4),
        before_word: flag(5),
        after,
    })
}

#[cfg(test)]
mod tests {
    use super::super::{Matcher, Scratch};
    use super::*;
    use crate::rule::RuleSet;
    use proptest::prelude::*;
    use std::sync::LazyLock;

    static MATCHER: LazyLock<Matcher> = LazyLock::new(|| Matcher::new(RuleSet::builtin()));

    fn find(text: &[u8]) -> Vec<Match> {
        let mut matches = Vec::new();
        assert!(MATCHER.find(text, &mut Scratch::default(), &mut matches));
        matches
    }

    /// Everything but the distance of a word, which counts no more.
    fn described(matches: &[Match]) -> Vec<String> {
        let told = |found: &Match| {
            format!("{:?} {:?}", Match { word: NO_WORD, ..found.clone() }, found.secret.reveal())
        };
        matches.iter().map(told).collect()
    }

    fn token(number: u32) -> String {
        format!("pk_{}_{}", 48_151_600 + number, "A7Q2Z9K4M1X8C5V3B6N0L2J4H7G9F1D8")
    }

    fn line() -> impl Strategy<Value = String> {
        let name = prop::sample::select(vec![
            "password",
            "db_password",
            "api_key",
            "secret",
            "auth.token",
            "passwd",
        ]);
        let joint = prop::sample::select(vec![" = ", "=", ": ", " => ", "\": \"", "(\"", " "]);
        let quote = prop::sample::select(vec!["", "\"", "'", "\\\"", "`"]);
        let value = prop_oneof![
            "[a-zA-Z0-9]{8,24}",
            (0_u32..40).prop_map(token),
            "[a-z]{3,8}://[a-z]{2,8}:[a-zA-Z0-9]{8,16}@(localhost|db\\.example\\.com|[a-z]{4,9}\\.io)/x",
        ];
        let end = prop::sample::select(vec!["", ";", ",", " # note", ")", "\\n"]);
        let start = prop::sample::select(vec!["", "  ", "# ", "f(", "export ", "\u{e9} "]);
        (start, name, joint, quote, value, end).prop_map(|(start, name, joint, quote, value, end)| {
            format!("{start}{name}{joint}{quote}{value}{quote}{end}")
        })
    }

    proptest! {
        #[test]
        fn what_is_stored_is_restored(lines in prop::collection::vec(line(), 1..6)) {
            let text = lines.join("\n").into_bytes();
            let matches = find(&text);
            if let Some(stored) = store(&text, &matches) {
                let restored = restore(&text, &stored, MATCHER.rules().rules().len());
                prop_assert_eq!(restored.map(|restored| described(&restored)), Some(described(&matches)));
            } else {
                let is_plain = |found: &Match| {
                    found.layers.is_empty() && &text[found.secret_span.range()] == found.secret.reveal()
                };
                prop_assert!(!matches.iter().all(is_plain), "{:?}", matches);
            }
        }

        #[test]
        fn what_is_wrong_does_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..100), text in "[a-z =\"]{0,60}") {
            if let Some(matches) = restore(text.as_bytes(), &bytes, 3) {
                prop_assert!(matches.iter().all(|found| found.rule < 3));
            }
        }
    }

    #[test]
    fn nothing_of_the_text_is_stored() {
        let text = format!("password = \"{}\"\n", token(3));
        let stored = store(text.as_bytes(), &find(text.as_bytes())).expect("it stands there as it is");
        assert!(!stored.is_empty());
        for part in text.as_bytes().windows(3) {
            assert!(memchr::memmem::find(&stored, part).is_none(), "{part:?}");
        }
    }

    #[test]
    fn places_outside_the_text_are_refused() {
        let text = format!("k = {}\n", token(5));
        let stored = store(text.as_bytes(), &find(text.as_bytes())).expect("it stands there as it is");
        let count = MATCHER.rules().rules().len();
        assert!(restore(text.as_bytes(), &stored, count).is_some());
        assert!(restore(&text.as_bytes()[..20], &stored, count).is_none());
        assert!(restore(text.as_bytes(), &stored[1..], count).is_none());
        assert!(restore(text.as_bytes(), &stored, 0).is_none());
    }
}
