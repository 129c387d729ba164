//! Rules with a keyword beside the value: the expression runs on the bytes round the word.

use super::reach::{
    BACK_REACH_BYTES, BACK_VALUE_BYTES, Looked, REACH_LINES, lines_back, lines_forward, max_bytes,
};
use super::runs::Runs;
use super::search::Places;
use super::trace::{Miss, MissReason, Sink};
use super::words::{whole_word, word_distance};
use super::{Matcher, boundary};
use crate::rule::Rule;
use crate::span::ByteSpan;

impl Matcher {
    pub(super) fn try_keyword<S: Sink>(
        &self,
        text: &[u8],
        (index, rule): (usize, &Rule),
        literal: ByteSpan,
        runs: &mut Runs,
        out: &mut S,
    ) -> Looked {
        let Some(keyword) = whole_word(text, literal, rule, &rule.keywords, out) else {
            return Looked::AtForm;
        };
        let reach = rule.reach_bytes as usize;
        let back = reach.min(BACK_REACH_BYTES) + max_bytes(rule).min(BACK_VALUE_BYTES);
        let from = lines_back(text, keyword.start, back, 0);
        let to = lines_forward(text, keyword.end, reach, REACH_LINES);
        let covered = &mut runs.of(index).covered;
        let from = from.max(*covered);
        if from >= to {
            out.miss(|| Miss::of(MissReason::Searched));
            return Looked::Around;
        }
        *covered = to;
        let window = ByteSpan::new(from, (to + max_bytes(rule) + 1).min(text.len()));
        let word = |span: ByteSpan| {
            if span.overlaps(keyword) {
                return Err(MissReason::IsKeyword);
            }
            match boundary::is_pinned(text, span) {
                true => Err(MissReason::Pinned),
                false => Ok(word_distance(text, keyword, span)),
            }
        };
        let places = Places { window, last_start: to, known: None };
        // An explanation tells of places too that are passed over, and without a shape nothing is known of them.
        let runs = Some(runs).filter(|_| !S::TELLS && !rule.is_tied() && !rule.shape.is_empty());
        self.search(text, (index, rule), places, runs, word, out);
        Looked::Around
    }
}

#[cfg(test)]
mod tests {
    use super::super::Scratch;
    use super::*;
    use crate::rule::RuleSet;

    #[test]
    fn a_keyword_reaches_back_as_far_as_a_name_and_a_value() {
        let file = "[[rule]]\nid = \"acme-key\"\ndescription = \"Acme\"\nkind = \"keyed\"\nseverity = \"high\"\n\
                    keywords = [\"acme\"]\nshape = \"LOWER_HEX{32}\"\n";
        let matcher = Matcher::new(RuleSet::empty().with_custom(file, "rules.toml").unwrap());
        let value = "3f9c07be5ad1482c96e0b7f35d18a4c2";
        let is_found = |gap: usize| {
            let text = format!("{}{value}{}acme", "- ".repeat(200), " ".repeat(gap));
            let mut found = Vec::new();
            assert!(matcher.find(text.as_bytes(), &mut Scratch::default(), &mut found));
            !found.is_empty()
        };
        for gap in 1..200 {
            assert_eq!(is_found(gap), gap <= BACK_REACH_BYTES, "{gap}");
        }
    }
}
