//! Which of the matches that lie on each other is kept: the one whose rule says most.

use super::order::sort_in_place;
use super::{Match, Matcher};
use crate::rule::schema::RuleKind;
use crate::span::ByteSpan;

impl Matcher {
    /// Where secrets overlap keeps the one whose rule says most. Hands out what is kept, sorted by place, and leaves none.
    pub(super) fn keep_most_specific(&self, found: &mut Vec<Match>, out: &mut Vec<Match>) {
        if found.len() < 2 {
            out.append(found);
            return;
        }
        // Rules of another scanner see what each of them would see alone.
        let is_whole = |found: &Match| self.rule(found).kind == RuleKind::Whole;
        let mut whole: Vec<Match> = Vec::new();
        if !self.unanchored.is_empty() {
            whole.extend(found.extract_if(.., |found| is_whole(found)));
        }
        let rank = |found: &Match| {
            let rule = self.rule(found);
            let kind = match rule.kind {
                RuleKind::Generic | RuleKind::Path | RuleKind::Whole => 5,
                _ if rule.any_provider => 3,
                RuleKind::Block => 0,
                RuleKind::Prefixed => 1,
                // An identifier near a keyword must not claim the secret beside it.
                RuleKind::Keyed if rule.public => 4,
                RuleKind::Keyed => 2,
            };
            // A word beside the value tells more than the value's form, which several providers may share.
            let needs_word = rule.anchors.is_empty() || !rule.keywords.is_empty();
            let confidence = std::cmp::Reverse(rule.confidence);
            (
                kind,
                !needs_word,
                found.word,
                confidence,
                rule.public,
                found.layers.len(),
                std::cmp::Reverse(found.secret_span.len()),
            )
        };
        // Most stand alone: only those that lie on others are compared. Their numbers are sorted, not they themselves.
        let mut order: Vec<(ByteSpan, usize)> =
            found.iter().enumerate().map(|(at, found)| (found.secret_span, at)).collect();
        sort_in_place(&mut order);
        let mut is_kept = vec![true; found.len()];
        let mut cluster = Vec::new();
        let mut first = 0;
        while first < order.len() {
            let mut end = order[first].0.end;
            let mut next = first + 1;
            while next < order.len() && order[next].0.start < end {
                end = end.max(order[next].0.end);
                next += 1;
            }
            if next > first + 1 {
                cluster.clear();
                cluster.extend(order[first..next].iter().map(|&(secret_span, at)| {
                    let Match { rule, span, .. } = &found[at];
                    (rank(&found[at]), (secret_span, *rule, *span), at)
                }));
                cluster.sort_unstable();
                // Most lie on the best one, which is not in the list of those that were kept.
                let mut taken: std::collections::BTreeMap<usize, usize> = std::collections::BTreeMap::new();
                let best = cluster[0].1.0;
                for &(_, (span, ..), at) in &cluster[1..] {
                    let is_on_best = span.start < best.end && best.start < span.end;
                    let mut before = taken.range(..span.end);
                    is_kept[at] = !is_on_best && before.next_back().is_none_or(|(_, &end)| end <= span.start);
                    if is_kept[at] {
                        taken.insert(span.start, span.end);
                    }
                }
            }
            first = next;
        }
        let before = out.len();
        let kept = order.iter().filter(|&&(_, at)| is_kept[at]);
        out.extend(kept.map(|&(_, at)| std::mem::replace(&mut found[at], Match::nothing())));
        found.clear();
        if !whole.is_empty() {
            out.append(&mut whole);
            out[before..].sort_by_key(|found| (found.secret_span, found.rule));
        }
    }
}
