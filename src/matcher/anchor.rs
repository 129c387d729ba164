//! Rules with a literal of their own in the value: the expression runs where the value can start.

use std::cell::Cell;

use super::reach::{Looked, NEAR_AHEAD_BYTES, max_bytes};
use super::runs::{ANCHOR_PARTS, Runs};
use super::search::Places;
use super::trace::{Miss, MissReason, Sink};
use super::walk::Told;
use super::words::nearest_word;
use super::{Matcher, boundary};
use crate::rule::Rule;
use crate::rule::schema::RuleKind;
use crate::rule::shape::Fit;
use crate::span::ByteSpan;

/// A literal of a rule's values in a text, and where a value may start that holds it.
#[derive(Clone, Copy)]
struct Anchored<'a> {
    text: &'a [u8],
    index: usize,
    rule: &'a Rule,
    anchor: usize,
    first_start: usize,
    last_start: usize,
    /// Whether a value starts with it, wherever that is.
    is_first: bool,
    /// Whether it stands at different distances from where values start.
    is_floating: bool,
}

impl Matcher {
    /// Tries a rule at a literal that its values hold. Says how far it looked.
    pub(super) fn try_anchor<S: Sink>(
        &self,
        text: &[u8],
        (index, rule): (usize, &Rule),
        anchor: usize,
        (min_before, max_before): (usize, usize),
        runs: &mut Runs,
        out: &mut S,
    ) -> Looked {
        let Some(last_start) = anchor.checked_sub(min_before) else {
            out.miss(|| Miss::of(MissReason::NoRoom));
            return Looked::AtForm;
        };
        let first_start = anchor.saturating_sub(max_before);
        let (is_first, is_floating) = (max_before == 0, max_before > min_before);
        let place = Anchored { text, index, rule, anchor, first_start, last_start, is_first, is_floating };
        if first_start == last_start && !boundary::starts_free(text, last_start, &rule.edges) {
            // Only an explanation asks whether the rest would fit.
            out.miss(|| place.miss_before());
            return if is_first { Looked::Near } else { Looked::AtForm };
        }
        let whole = ByteSpan::new(first_start, (last_start + max_bytes(rule) + 1).min(text.len()));
        let looked = match place.told_ahead::<S>(runs) {
            Ok(known_end) => self.search_starts(place, known_end, runs, out),
            Err(told_at) if told_at - anchor < NEAR_AHEAD_BYTES => Looked::Near,
            Err(_) => Looked::AtForm,
        };
        out.window(whole);
        looked
    }

    /// Runs the expression at each place where a match can start that holds the literal.
    fn search_starts<S: Sink>(
        &self,
        place: Anchored<'_>,
        known_end: Option<usize>,
        runs: &mut Runs,
        out: &mut S,
    ) -> Looked {
        let Anchored { text, index, rule, anchor, first_start, last_start, is_floating, .. } = place;
        // A match is tied to where it starts: a search for the first one in all of the window would go on behind the
        // last place at which it could start. Hardly any place gets as far as the expression.
        let reached = Cell::new(first_start);
        let wordless = Cell::new(runs.of(index).wordless);
        let has_form = Cell::new(false);
        let word = |span: ByteSpan| {
            has_form.set(true);
            if span.start > anchor || anchor >= span.end {
                return Err(MissReason::WithoutLiteral);
            }
            if rule.kind == RuleKind::Prefixed && boundary::inside_encoded_data(text, span) {
                return Err(MissReason::InEncodedData);
            }
            let distance = nearest_word(text, span, rule, &wordless).ok_or(MissReason::NoKeyword)?;
            reached.set(span.end);
            Ok(distance)
        };
        let mut looked = Looked::AtForm;
        let mut start = first_start;
        while start <= last_start {
            // A match of such a rule starts at one of many places, which are asked for each of its literals, and most of them
            // tell at once that it does not.
            let (asked, of_rule) = (start, runs.of(index));
            if is_floating {
                if (of_rule.matchless.0..of_rule.matchless.1).contains(&start) {
                    start = of_rule.matchless.1;
                    continue;
                }
                match of_rule.next_start::<S>(text, (start, last_start + 1), rule) {
                    Some(next) => start = next,
                    None => {
                        of_rule.note_matchless(asked, last_start + 1);
                        break;
                    }
                }
            }
            if let Some(at) = of_rule.misfit(text, start, rule) {
                // Nor does any match fit that starts before that byte.
                start = at + 1;
                of_rule.note_matchless(asked, start);
                continue;
            }
            let known = match place.told_at::<S>(start, known_end, runs) {
                Told::Match { secret, .. } if runs.leaves_out(secret, (index, rule)) => None,
                Told::Match { end, secret } => Some(Some((end, secret))),
                Told::Perhaps => Some(None),
                Told::Nothing => {
                    runs.of(index).note_matchless(asked, start + 1);
                    None
                }
            };
            if let Some(known) = known {
                let window = ByteSpan::new(start, (start + max_bytes(rule) + 1).min(text.len()));
                let places = Places { window, last_start: start, known };
                looked = looked.max(self.search(text, (index, rule), places, None, word, out));
            }
            start = reached.get().max(start + 1);
        }
        runs.of(index).wordless = wordless.get();
        if has_form.get() && !rule.keywords.is_empty() {
            runs.asked.push(index);
        }
        looked
    }
}

impl Anchored<'_> {
    /// What a byte before the only place to start at keeps from being a match.
    fn miss_before(&self) -> Miss {
        let Self { text, index, rule, last_start, .. } = *self;
        let why = MissReason::Before(text[last_start - 1]);
        let end = (last_start + max_bytes(rule)).min(text.len());
        match rule.regex().find(&text[last_start..end]) {
            None => Miss::of(why),
            Some(found) => {
                let span = ByteSpan::new(last_start, last_start + found.end());
                Miss::at(why, &text[..end], (index, rule), span)
            }
        }
    }

    /// Where a match ends, if the bytes from the literal on tell it; as an error, where they tell that there is none.
    fn told_ahead<S: Sink>(&self, runs: &mut Runs) -> Result<Option<usize>, usize> {
        let Self { text, index, rule, anchor, .. } = *self;
        let mut known_end = None;
        // Of a literal that stands in its own rows, this tells most.
        if !S::TELLS
            && let Some(set) = rule.before_anchor
            && !text[..anchor].last().is_some_and(|&before| set.contains(before))
        {
            return Err(anchor);
        }
        if self.is_first {
            // An explanation tells more of a value than that one of its parts is too long.
            let fit = if S::TELLS { Fit::Perhaps } else { runs.fit(text, anchor, rule) };
            match fit {
                Fit::Not(told_at) => return Err(told_at),
                Fit::Perhaps => runs.of(index).misfit(text, anchor, rule).map_or(Ok(()), Err)?,
                Fit::To(end) => known_end = Some(end),
            }
        }
        // Most places are told by what stands behind the literal, wherever a match would start.
        if !S::TELLS
            && let parts = rule.anchor_parts.as_slice()
            && let Fit::Not(told_at) = runs.fit_parts(text, anchor, (parts, ANCHOR_PARTS), max_bytes(rule))
        {
            return Err(told_at);
        }
        Ok(known_end)
    }

    /// What is told of a match that starts at a place without the expression.
    fn told_at<S: Sink>(&self, start: usize, known_end: Option<usize>, runs: &mut Runs) -> Told {
        let Self { text, index, rule, .. } = *self;
        if S::TELLS {
            return Told::Perhaps;
        }
        if !boundary::starts_free(text, start, &rule.edges) || !runs.of(index).can_end(text, start, rule) {
            return Told::Nothing;
        }
        let mut known_end = known_end;
        if !self.is_first {
            known_end = match runs.fit(text, start, rule) {
                Fit::To(end) => Some(end),
                Fit::Perhaps => None,
                Fit::Not(_) => return Told::Nothing,
            };
        }
        match known_end {
            Some(end) => Told::Match { end, secret: runs.secret_of(text, ByteSpan::new(start, end), rule) },
            None => runs.walk(text, (index, rule), start),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Scratch;
    use super::super::trace::Trace;
    use super::*;
    use crate::rule::RuleSet;

    #[test]
    fn of_secrets_to_the_end_of_one_run_what_is_kept_is_the_same() {
        let file = "[[rule]]\nid = \"acme-key\"\ndescription = \"Acme\"\nkind = \"prefixed\"\nseverity = \"high\"\n\
                    shape = '\"acme:\" TEXT{8,}'\n";
        let matcher = Matcher::new(RuleSet::empty().with_custom(file, "rules.toml").unwrap());
        let row = |times: usize| "acme:".repeat(times);
        for text in [
            row(900),
            format!("{} {}x {}", row(700), row(3), row(400)),
            // Longer than a window.
            row(15_000),
            // A value of its own behind the last literal of a run.
            format!("{}{} acme:{}", row(400), "x".repeat(1500), "y".repeat(20)),
            format!("zacme:{}", "-acme:".repeat(800)),
        ] {
            let (mut found, mut told) = (Vec::new(), Vec::new());
            assert!(matcher.find(text.as_bytes(), &mut Scratch::default(), &mut found));
            assert!(matcher.trace(text.as_bytes(), &mut Trace::default(), &mut told));
            let spans = |all: &[crate::matcher::Match]| -> Vec<ByteSpan> {
                all.iter().map(|found| found.secret_span).collect()
            };
            assert!(!found.is_empty());
            assert_eq!(spans(&found), spans(&told));
        }
    }

    /// A better match of another rule takes the place of all secrets that were kept, and of none that were left out.
    #[test]
    fn secrets_that_were_left_out_count_where_those_before_them_do_not() {
        let file = "[[rule]]\nid = \"acme-key\"\ndescription = \"Acme\"\nkind = \"prefixed\"\nseverity = \"high\"\n\
                    confidence = \"low\"\nshape = '\"acme:\" TEXT{8,}'\n\
                    [[rule]]\nid = \"other-key\"\ndescription = \"Other\"\nkind = \"prefixed\"\nseverity = \"high\"\n\
                    confidence = \"high\"\nshape = '\"other_\" DIGIT{24}'\n";
        let matcher = Matcher::new(RuleSet::empty().with_custom(file, "rules.toml").unwrap());
        let other = format!("other_{}", "104729".repeat(4));
        let text = format!("{}{other}.{}{}\n", "acme:".repeat(40), "acme:".repeat(5), "y".repeat(1500));
        let (mut found, mut told) = (Vec::new(), Vec::new());
        assert!(matcher.find(text.as_bytes(), &mut Scratch::default(), &mut found));
        assert!(matcher.trace(text.as_bytes(), &mut Trace::default(), &mut told));
        let of = |all: &[crate::matcher::Match]| -> Vec<(usize, ByteSpan)> {
            all.iter().map(|found| (found.rule, found.secret_span)).collect()
        };
        assert_eq!(of(&found), of(&told));
        let rules: Vec<&str> = found.iter().map(|found| matcher.rule(found).id.as_str()).collect();
        assert_eq!(rules, ["other-key", "acme-key"]);
    }
}
