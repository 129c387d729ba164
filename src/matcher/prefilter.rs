//! The prefilter: which literals stand where. It decides how fast everything else may be.
//!
//! An automaton over thousands of literals costs milliseconds to build, which a hook cannot spend, and
//! falls out of the cache while it runs. So each literal is represented by one *gram*, its rarest four
//! bytes (or its only three), folded to lower case. A bitmap of 128 KiB says for the four bytes at each
//! position of the text whether they could be somebody's gram: the first three choose a word of it, the fourth a
//! bit. What a text asks of it stays near the processor, and of a source tree some 97 % of the positions end there; with
//! a quarter of the size it was 94 %, and each that passes costs a mispredicted branch. The few that pass
//! are looked up in a table of exact grams; which four bytes are rare is counted (`src/rule/grams.rs`). Several
//! literals may share one, so four more bytes of each are compared before the whole literal is.
//!
//! It relies on nothing but literals of at least three bytes, and finds every occurrence of each: the tests
//! compare it with a plain search.

use super::tables::{FOLD, HASH_WORDS, THREE, Tables, WORDS, bit, bucket, hash, word};

/// Finds every occurrence of every literal.
#[derive(Debug)]
pub(crate) struct Prefilter(Tables);

impl Prefilter {
    /// Takes the tables; an occurrence is reported by the number of its literal there.
    pub(crate) fn new(tables: Tables) -> Self {
        Self(tables)
    }

    /// The tables.
    pub(crate) fn tables(&self) -> &Tables {
        &self.0
    }

    /// Calls `hit(literal, start)` for every occurrence, in the order of the grams' places.
    pub(crate) fn find(&self, text: &[u8], mut hit: impl FnMut(u32, usize)) {
        let Tables { grams, fours, threes, .. } = &self.0;
        // Arrays, so that no index is checked in the loop.
        let grams: &[u64; WORDS] = grams.as_ref().try_into().expect("the bitmap has its size");
        let fours: &[u64; HASH_WORDS] = fours.as_ref().try_into().expect("the set has its size");
        let threes: &[u64; HASH_WORDS] = threes.as_ref().try_into().expect("the set has its size");
        let has = |set: &[u64; HASH_WORDS], gram| set[hash(gram) >> 6] >> (hash(gram) & 63) & 1 == 1;
        for (at, window) in text.windows(4).enumerate() {
            let four = u32::from_le_bytes(window.try_into().expect("windows of four")) | FOLD;
            if grams[word(four)] >> bit(four) & 1 == 1 {
                if has(fours, four) {
                    self.verify(four, at, text, &mut hit);
                }
                if has(threes, four & THREE) {
                    self.verify(four & THREE, at, text, &mut hit);
                }
            }
        }
        // The last three bytes start no window of four.
        if let Some(&[a, b, c]) = text.last_chunk::<3>() {
            let three = (u32::from_le_bytes([a, b, c, 0]) | FOLD) & THREE;
            if has(threes, three) {
                self.verify(three, text.len() - 3, text, &mut hit);
            }
        }
    }

    #[inline(never)]
    fn verify(&self, gram: u32, at: usize, text: &[u8], hit: &mut impl FnMut(u32, usize)) {
        let Tables { buckets, entries, bytes, .. } = &self.0;
        let bucket = bucket(gram);
        let range = buckets[bucket] as usize..buckets[bucket + 1] as usize;
        for entry in entries[range].iter().filter(|entry| entry.gram == gram) {
            // Nearly all of a long chain end here.
            let check_at = at.wrapping_add_signed(isize::from(entry.check_from_gram));
            let other = text.get(check_at..).and_then(|rest| rest.first_chunk::<4>());
            let is_same = other.is_some_and(|four| u32::from_le_bytes(*four) | FOLD == entry.check);
            if !is_same && entry.len >= 4 {
                continue;
            }
            let Some(start) = at.checked_sub(usize::from(entry.gram_at)) else { continue };
            let len = usize::from(entry.len);
            let Some(found) = text.get(start..start + len) else { continue };
            let literal = &bytes[entry.start as usize..entry.start as usize + len];
            // Many literals share a gram, and most differ at their ends.
            let case = if entry.ignore_case { 0x20 } else { 0 };
            if (found[0] ^ literal[0] | found[len - 1] ^ literal[len - 1]) & !case != 0 {
                continue;
            }
            if found == literal || (entry.ignore_case && found.eq_ignore_ascii_case(literal)) {
                hit(entry.id, start);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::schema::{Trigger, TriggerKind};
    use proptest::prelude::*;

    fn plain(literals: &[(String, bool)], text: &[u8]) -> Vec<(u32, usize)> {
        let mut all = Vec::new();
        for (id, (literal, ignore_case)) in literals.iter().enumerate() {
            for (start, window) in text.windows(literal.len()).enumerate() {
                let same = window == literal.as_bytes()
                    || (*ignore_case && window.eq_ignore_ascii_case(literal.as_bytes()));
                if same {
                    all.push((id as u32, start));
                }
            }
        }
        all.sort();
        all
    }

    proptest! {
        #[test]
        fn agrees_with_a_plain_search(
            literals in prop::collection::vec(("[aAbB_@`]{3,7}", any::<bool>()), 1..12),
            gram_at in 0usize..4,
            text in prop_oneof!["[aAbB_@`]{0,60}", "[aAbB_@` ]{200,700}"],
        ) {
            let triggers: Vec<Trigger<'_>> = (0..)
                .zip(&literals)
                .map(|(rule, (text, ignore_case))| Trigger {
                    literal: text.as_bytes(),
                    ignore_case: *ignore_case,
                    gram_at: gram_at.min(text.len().saturating_sub(4)) as u16,
                    rule,
                    kind: TriggerKind::Keyword,
                    starts_word: false,
                })
                .collect();
            let prefilter = Prefilter::new(Tables::new(&triggers));
            let mut found = Vec::new();
            prefilter.find(text.as_bytes(), |literal, start| {
                let Tables { starts, targets, .. } = prefilter.tables();
                let range = starts[literal as usize] as usize..starts[literal as usize + 1] as usize;
                found.extend(targets[range].iter().map(|target| (target.rule, start)));
            });
            found.sort();
            prop_assert_eq!(found, plain(&literals, text.as_bytes()));
        }
    }
}
