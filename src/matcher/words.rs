//! Keywords: where one stands as a word of its own, and how far it is from a value.

use std::cell::Cell;

use super::bytes::{starts_ignoring_case, table};
use super::found::NO_WORD;
use super::reach::{REACH_LINES, lines_back, lines_forward};
use super::stretch::grow_by;
use super::trace::{Miss, MissReason, Sink};
use crate::blocks::{BLOCK_BYTES, Places, bits_of};
use crate::rule::Rule;
use crate::rule::schema::{LONGEST_TRIGGER_BYTES, RuleKind};
use crate::span::ByteSpan;

/// Keywords this short must be a whole word, or half the identifiers of a project hold them.
const SHORT_KEYWORD_BYTES: usize = 4;

/// Longer words count as much.
const LONGEST_WORD_BYTES: usize = 63;

/// As [`keyword_at`], and a miss where there is none.
pub(super) fn whole_word(
    text: &[u8],
    literal: ByteSpan,
    rule: &Rule,
    words: &[String],
    out: &mut impl Sink,
) -> Option<ByteSpan> {
    let word = keyword_at(text, literal, rule, words);
    if word.is_none() {
        out.miss(|| Miss::of(MissReason::PartOfWord));
    }
    word
}

/// The longest of the words that starts where a literal of theirs does, as a word of its own.
pub(super) fn keyword_at(text: &[u8], literal: ByteSpan, rule: &Rule, words: &[String]) -> Option<ByteSpan> {
    let start = literal.start;
    let rest = &text[start..];
    // The literal is one of them if it is not cut off, and most are no longer.
    let known = Some(literal.len()).filter(|&len| len < LONGEST_TRIGGER_BYTES);
    let longer = words.iter().filter(|word| known.is_none_or(|len| word.len() > len));
    let same = longer.filter(|word| starts_ignoring_case(rest, word.as_bytes()));
    let len = same.map(String::len).max().or(known)?;
    let span = ByteSpan::new(start, start + len);
    let free_before = start == 0 || !is_joined(text[start - 1], text[start]);
    let free_after = text.get(span.end).is_none_or(|&next| !is_joined(text[span.end - 1], next));
    let whole_word = rule.kind != RuleKind::Generic && len <= SHORT_KEYWORD_BYTES;
    // `dbpassword` and `mysecret` are names too, so a generic keyword may end a word.
    let free_before = free_before || rule.kind == RuleKind::Generic;
    (free_before && (free_after || !whole_word)).then_some(span)
}

/// For a rule with a literal of its own: how far off the nearest of its keywords is. `None` if it asks for
/// one and none is near.
///
/// In a text full of values and without the word each byte is looked at once, being noted in `wordless`.
pub(super) fn nearest_word(
    text: &[u8],
    span: ByteSpan,
    rule: &Rule,
    wordless: &Cell<(usize, usize)>,
) -> Option<u32> {
    if rule.keywords.is_empty() || rule.anchors.is_empty() {
        return Some(NO_WORD);
    }
    let reach = rule.reach_bytes as usize;
    let from = lines_back(text, span.start, reach, REACH_LINES);
    let to = lines_forward(text, span.end, reach, REACH_LINES);
    let starts = Starts::of(rule);
    let starts_any =
        |at: &usize| rule.keywords.iter().any(|word| starts_ignoring_case(&text[*at..], word.as_bytes()));
    let mut known = wordless.get();
    let first = grow_by(&mut known, (from, to), |from| starts.places(text, (from, to)).find(starts_any));
    wordless.set(known);
    let first = first?;
    // The nearest first, on both sides, up to where none can be nearer than the one that was found.
    let longest = rule.keywords.iter().map(String::len).max().unwrap_or(0);
    let mut nearest = None;
    let mut look_at = |start: usize, between: usize| {
        let least = least_at(between, longest);
        if nearest.is_some_and(|nearest| nearest <= least) {
            return false;
        }
        let distances = words_at(text, (start, to), rule).map(|word| word_distance(text, word, span));
        nearest = distances.chain(nearest).min();
        true
    };
    let mut before = starts.places(text, (first, to.min(span.end))).rev();
    let _ = before.all(|start| look_at(start, span.start.saturating_sub(start + longest)));
    let mut behind = starts.places(text, (span.end.max(first), to));
    let _ = behind.all(|start| look_at(start, start - span.end));
    nearest
}

/// The first two bytes of the keywords of a rule, without the bit for the case: few, as several keywords of one rule start
/// the same.
#[derive(Clone, Copy)]
struct Starts {
    pairs: [[u8; 2]; STARTS],
    /// Whether there are more, so that a keyword may start anywhere.
    are_more: bool,
}

/// Of 139 rules that ask for a word beside their literal none has more.
const STARTS: usize = 4;

impl Starts {
    fn of(rule: &Rule) -> Self {
        let mut starts = Self { pairs: [[0; 2]; STARTS], are_more: false };
        let mut count = 0;
        for word in &rule.keywords {
            match word.as_bytes().first_chunk() {
                Some(&pair) if starts.pairs[..count].contains(&without_case(pair)) => {}
                Some(&pair) if count < STARTS => {
                    starts.pairs[count] = without_case(pair);
                    count += 1;
                }
                _ => starts.are_more = true,
            }
        }
        starts
    }

    /// Where in a stretch of a text a keyword may start.
    fn places(self, text: &[u8], (from, to): (usize, usize)) -> impl DoubleEndedIterator<Item = usize> {
        (from..to).step_by(BLOCK_BYTES).flat_map(move |start| {
            let bits = self.places_in_block(&text[start..text.len().min(start + BLOCK_BYTES + 1)]);
            let behind = u64::MAX.checked_shl((to - start).min(BLOCK_BYTES) as u32).unwrap_or(0);
            Places(bits & !behind).map(move |place| start + place)
        })
    }

    /// A bit for each byte of a block, given with the byte behind it, the first one lowest.
    fn places_in_block(self, text: &[u8]) -> u64 {
        if self.are_more {
            return u64::MAX;
        }
        let mut block = [0; BLOCK_BYTES + 1];
        block[..text.len()].copy_from_slice(text);
        let mut classes = [0; BLOCK_BYTES];
        for (at, class) in classes.iter_mut().enumerate() {
            let pair = without_case([block[at], block[at + 1]]);
            let is_there = |one: &[u8; 2]| (one[0] == pair[0]) & (one[1] == pair[1]);
            *class = self.pairs.iter().fold(0, |any, one| any | u8::from(is_there(one)));
        }
        bits_of(&classes)
    }
}

fn without_case(pair: [u8; 2]) -> [u8; 2] {
    pair.map(|byte| byte | 0x20)
}

/// The keywords of a rule that start at a place, as words of their own if they are short, and end at or before another.
fn words_at<'a>(
    text: &'a [u8],
    (start, to): (usize, usize),
    rule: &'a Rule,
) -> impl Iterator<Item = ByteSpan> + use<'a> {
    rule.keywords.iter().filter_map(move |keyword| {
        let len = keyword.len();
        let is_there = start + len <= to
            && starts_ignoring_case(&text[start..], keyword.as_bytes())
            && (len > SHORT_KEYWORD_BYTES || is_whole_word(text, start, len));
        is_there.then(|| ByteSpan::new(start, start + len))
    })
}

/// The least that [`word_distance`] can be of a word of at most so many bytes, with as many as these between it and the value.
fn least_at(between: usize, longest: usize) -> u32 {
    let gap = if between <= LONGEST_WORD_BYTES { 0 } else { between + 1 };
    let least = gap * (LONGEST_WORD_BYTES + 1) + LONGEST_WORD_BYTES - longest.min(LONGEST_WORD_BYTES);
    u32::try_from(least).unwrap_or(NO_WORD - 1)
}

fn is_whole_word(text: &[u8], start: usize, len: usize) -> bool {
    let end = start + len;
    let free_before = start == 0 || !is_joined(text[start - 1], text[start]);
    free_before && text.get(end).is_none_or(|&next| !is_joined(text[end - 1], next))
}

/// Whether two letters belong to one word: `clickupToken` has a joint before `T`; `CLICKUPTOKEN` and
/// `clickuptoken` have none.
fn is_joined(left: u8, right: u8) -> bool {
    left.is_ascii_alphabetic()
        && right.is_ascii_alphabetic()
        && !(left.is_ascii_lowercase() && right.is_ascii_uppercase())
}

/// The least that [`word_distance`] can be.
pub(super) fn least_distance(word: ByteSpan) -> u32 {
    (LONGEST_WORD_BYTES - word.len().min(LONGEST_WORD_BYTES)) as u32
}

/// How far off the word is, in whole bytes between it and the value, times 64, less its own length: of two
/// words in one name the longer one says more.
pub(super) fn word_distance(text: &[u8], word: ByteSpan, value: ByteSpan) -> u32 {
    let between =
        if word.end <= value.start { word.end..value.start } else { value.end.min(word.start)..word.start };
    let between = &text[between];
    // What follows in the same name, and the joint.
    static JOINT: [bool; 256] = table(b"_-.\"'`\\ \t:=>");
    let same_name = word.end <= value.start
        && between.len() <= LONGEST_WORD_BYTES
        && between.iter().all(|&byte| byte.is_ascii_alphanumeric() || JOINT[usize::from(byte)]);
    let gap = if same_name { 0 } else { between.len() + 1 };
    let distance = gap * (LONGEST_WORD_BYTES + 1) + LONGEST_WORD_BYTES - word.len().min(LONGEST_WORD_BYTES);
    u32::try_from(distance).unwrap_or(NO_WORD - 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::RuleSet;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_word_is_nearer_than_the_nearest(
            before in "(acme|ACME|acmecorp|ac|bell|Cable|drum|echo|[a-z]|[ _=.\\n]{0,9}|[ _-]{40,70}){0,20}",
            behind in "(acme|Acme|acmecorp|bell|cable|DRUM|echo|[a-z]|[ _=.\\n]{0,9}|[ _-]{40,70}){0,20}",
            value in "(acme|x|-){1,9}",
            reach in 0u32..200,
            // With one start, some, and more than are asked for at a time.
            keywords in prop::sample::select(vec![
                r#"["acme", "acmecorp"]"#,
                r#"["bell", "acme", "echo"]"#,
                r#"["acme", "bell", "cable", "drum", "echo"]"#,
            ]),
        ) {
            let file = format!("[[rule]]\nid = \"acme-key\"\ndescription = \"Acme\"\nkind = \"prefixed\"\nreach_bytes = {reach}\n\
                 severity = \"high\"\nkeywords = {keywords}\nshape = '\"abc\" LOWER{{2,5}}'\n");
            let rules = RuleSet::empty().with_custom(&file, "rules.toml").unwrap();
            let rule = &rules.rules()[0];
            let text = format!("{before}{value}{behind}");
            let (text, span) = (text.as_bytes(), ByteSpan::new(before.len(), before.len() + value.len()));
            let from = lines_back(text, span.start, rule.reach_bytes as usize, REACH_LINES);
            let to = lines_forward(text, span.end, rule.reach_bytes as usize, REACH_LINES);
            let mut plain = None;
            for word in &rule.keywords {
                let starts = (from..to.saturating_sub(word.len() - 1)).filter(|&start| {
                    text[start..start + word.len()].eq_ignore_ascii_case(word.as_bytes())
                        && (word.len() > SHORT_KEYWORD_BYTES || is_whole_word(text, start, word.len()))
                });
                let words = starts.map(|start| ByteSpan::new(start, start + word.len()));
                plain = words.map(|word| word_distance(text, word, span)).chain(plain).min();
            }
            prop_assert_eq!(nearest_word(text, span, rule, &Cell::new((0, 0))), plain);
        }
    }
}
