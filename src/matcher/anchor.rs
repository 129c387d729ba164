//! Rules with a literal of their own in the value: the expression runs where the value can start.

use std::cell::Cell;

use super::gap::Over;
use super::reach::{Looked, NEAR_AHEAD_BYTES, max_bytes};
use super::runs::{ANCHOR_PARTS, Runs};
use super::search::Places;
use super::trace::{Miss, MissReason, Sink};
use super::words::nearest_word;
use super::{Matcher, boundary};
use crate::rule::Rule;
use crate::rule::schema::RuleKind;
use crate::rule::shape::Fit;
use crate::span::ByteSpan;

impl Matcher {
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
        if first_start == last_start && !boundary::starts_free(text, last_start, &rule.edges) {
            // Only an explanation asks whether the rest would fit.
            out.miss(|| {
                let why = MissReason::Before(text[last_start - 1]);
                let end = (last_start + max_bytes(rule)).min(text.len());
                match rule.regex().find(&text[last_start..end]) {
                    None => Miss::of(why),
                    Some(found) => {
                        let span = ByteSpan::new(last_start, last_start + found.end());
                        Miss::at(why, &text[..end], (index, rule), span)
                    }
                }
            });
            return if max_before == 0 { Looked::Near } else { Looked::AtForm };
        }
        let whole = ByteSpan::new(first_start, (last_start + max_bytes(rule) + 1).min(text.len()));
        let mut known_end = None;
        if max_before == 0 {
            // An explanation tells more of a value than that one of its parts is too long.
            let fit = if S::TELLS { Fit::Perhaps } else { runs.fit(text, first_start, rule) };
            let unfit = match fit {
                Fit::Not(told_at) => Some(told_at),
                Fit::Perhaps => runs.of(index).misfit(text, first_start, rule),
                Fit::To(end) => {
                    known_end = Some(end);
                    None
                }
            };
            if let Some(at) = unfit {
                out.window(whole);
                return if at - first_start < NEAR_AHEAD_BYTES { Looked::Near } else { Looked::AtForm };
            }
        }
        // Most places are told by what stands behind the literal, wherever a match would start.
        if !S::TELLS
            && let parts = rule.anchor_parts.as_slice()
            && let Fit::Not(told_at) = runs.fit_parts(text, anchor, (parts, ANCHOR_PARTS), max_bytes(rule))
        {
            return if told_at - anchor < NEAR_AHEAD_BYTES { Looked::Near } else { Looked::AtForm };
        }
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
            // A match of such a rule starts at one of many places, and most of them tell at once that it does not.
            if max_before > min_before {
                match runs.of(index).next_start::<S>(text, (start, last_start + 1), rule) {
                    Some(next) => start = next,
                    None => break,
                }
            }
            if let Some(at) = runs.of(index).misfit(text, start, rule) {
                // Nor does any match fit that starts before that byte.
                start = at + 1;
                continue;
            }
            let end = (start + max_bytes(rule) + 1).min(text.len());
            let mut is_possible =
                boundary::starts_free(text, start, &rule.edges) && runs.of(index).can_end(text, start, rule);
            if max_before > min_before && is_possible && !S::TELLS {
                match runs.fit(text, start, rule) {
                    Fit::To(end) => known_end = Some(end),
                    Fit::Perhaps => known_end = None,
                    Fit::Not(_) => is_possible = false,
                }
            }
            let window = ByteSpan::new(start, end);
            let mut known = known_end.map(|end| (end, ByteSpan::new(start, end)));
            if is_possible
                && !S::TELLS
                && let Some(gap) = &rule.gap
            {
                match runs.over_gap(text, (index, rule, gap), window) {
                    Over::Match { end, secret } => known = Some((end, secret)),
                    Over::Nothing => is_possible = false,
                    Over::Perhaps => {}
                }
            }
            if S::TELLS || is_possible {
                let places = Places { window, last_start: start, known };
                looked = looked.max(self.search(text, (index, rule), places, None, word, out));
            }
            start = reached.get().max(start + 1);
        }
        runs.of(index).wordless = wordless.get();
        if has_form.get() && !rule.keywords.is_empty() {
            runs.asked.push(index);
        }
        out.window(whole);
        looked
    }
}
