//! The matches of one unit.

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use std::ops::Deref;

use super::judge::Passed;
use crate::filter::inline;
use crate::filter::memo::Verdicts;
use crate::matcher::Match;
use crate::span::{ByteSpan, LineIndex};

/// The matches of one unit by place, and what is worked out once for many of them: a line may hold thousands.
pub(crate) struct Matches<'m> {
    all: &'m [Match],
    /// By match: where the farthest secret ends of those up to it.
    reach: OnceCell<Vec<usize>>,
    /// What the markers on a line, given by its start, accept of the rules that were asked for.
    inline: RefCell<(usize, BTreeMap<usize, Option<Passed>>)>,
    /// What was said of matches before.
    pub(super) verdicts: Option<&'m Verdicts>,
}

impl<'m> Matches<'m> {
    pub(crate) fn of(all: &'m [Match]) -> Self {
        Self { all, reach: OnceCell::new(), inline: RefCell::default(), verdicts: None }
    }

    pub(super) fn with(self, verdicts: &'m Verdicts) -> Self {
        Self { verdicts: Some(verdicts), ..self }
    }

    /// Those whose secrets have a byte in the span.
    pub(super) fn on(&self, span: ByteSpan) -> impl Iterator<Item = &'m Match> {
        let reach = self.reach.get_or_init(|| {
            let ends = self.all.iter().map(|found| found.secret_span.end);
            ends.scan(0, |reach, end| {
                *reach = end.max(*reach);
                Some(*reach)
            })
            .collect()
        });
        let all = self.all;
        let first = reach.partition_point(|&reach| reach <= span.start);
        let last = all.partition_point(|found| found.secret_span.start < span.end).max(first);
        all[first..last].iter().filter(move |found| found.secret_span.overlaps(span))
    }

    pub(super) fn allowed_inline(
        &self,
        text: &[u8],
        lines: &LineIndex<'_>,
        line: ByteSpan,
        (rule, rule_id): (usize, &str),
    ) -> Option<Passed> {
        let (start, known) = &mut *self.inline.borrow_mut();
        if *start != line.start {
            known.clear();
            *start = line.start;
        }
        known.entry(rule).or_insert_with(|| allowed_inline(text, lines, line, rule_id)).clone()
    }
}

impl Deref for Matches<'_> {
    type Target = [Match];

    fn deref(&self) -> &[Match] {
        self.all
    }
}

fn allowed_inline(text: &[u8], lines: &LineIndex<'_>, line: ByteSpan, rule_id: &str) -> Option<Passed> {
    let previous = (line.start > 0).then(|| &text[lines.line_span(line.start - 1).range()]);
    let line = &text[line.range()];
    let allow = inline::allowed(line, previous, rule_id)?;
    let is_above = inline::allowed(line, None, rule_id).is_none();
    Some(Passed::Inline { allow, is_above })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matcher::{Matcher, Scratch};
    use crate::rule::RuleSet;

    #[test]
    fn matches_on_a_span_are_those_that_overlap_it() {
        let token = |n: usize| format!("pk_{}_{}", 48_151_600 + n, "A7Q2Z9K4M1X8C5V3B6N0L2J4H7G9F1D8");
        let text: String = (0..40).map(|n| format!("{}a = \"{}\"; ", "b ".repeat(n % 5), token(n))).collect();
        let matcher = Matcher::new(RuleSet::builtin());
        let mut found = Vec::new();
        assert!(matcher.find(text.as_bytes(), &mut Scratch::default(), &mut found));
        assert_eq!(found.len(), 40);
        // The rules of other scanners may overlap: one reaches over its neighbours, others end where it ends.
        found[3].secret_span.end = found[9].secret_span.end;
        let matches = Matches::of(&found);
        for start in (0..text.len()).step_by(7) {
            for len in [1, 20, 90, 400] {
                let span = ByteSpan::new(start, start + len);
                let plain: Vec<ByteSpan> = found
                    .iter()
                    .map(|found| found.secret_span)
                    .filter(|other| other.overlaps(span))
                    .collect();
                assert_eq!(matches.on(span).map(|found| found.secret_span).collect::<Vec<_>>(), plain);
            }
        }
    }
}
