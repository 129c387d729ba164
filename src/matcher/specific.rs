//! Which of the matches that lie on each other is kept: the one whose rule says most.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::order::sort_in_place;
use super::{Match, Matcher};
use crate::level::Confidence;
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
                cluster.extend(order[first..next].iter().map(|&(_, at)| self.rival(found, at)));
                keep_of_cluster(&mut cluster, &mut is_kept);
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

    fn rival(&self, all: &[Match], at: usize) -> Rival {
        let found = &all[at];
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
        Rival {
            kind,
            is_without_word: !needs_word,
            word: found.word,
            confidence: Reverse(rule.confidence),
            is_public: rule.public,
            layers: found.layers.len(),
            secret_bytes: Reverse(found.secret_span.len()),
            secret_span: found.secret_span,
            rule: found.rule,
            span: found.span,
            at,
        }
    }
}

/// A match that lies on others, told by what decides which of them is kept: the least one says most.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Rival {
    kind: u8,
    is_without_word: bool,
    word: u32,
    confidence: Reverse<Confidence>,
    is_public: bool,
    layers: usize,
    secret_bytes: Reverse<usize>,
    secret_span: ByteSpan,
    rule: usize,
    span: ByteSpan,
    /// Where in the list of matches it is.
    at: usize,
}

/// Of matches that lie on each other notes which are not kept.
fn keep_of_cluster(cluster: &mut [Rival], is_kept: &mut [bool]) {
    cluster.sort_unstable();
    // Most lie on the best one, which is not in the list of those that were kept.
    let mut taken: BTreeMap<usize, usize> = BTreeMap::new();
    let best = cluster[0].secret_span;
    for &Rival { secret_span: span, at, .. } in &cluster[1..] {
        let is_on_best = span.start < best.end && best.start < span.end;
        let mut before = taken.range(..span.end);
        is_kept[at] = !is_on_best && before.next_back().is_none_or(|(_, &end)| end <= span.start);
        if is_kept[at] {
            taken.insert(span.start, span.end);
        }
    }
}
