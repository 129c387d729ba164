//! Credentials of two parts, such as an AWS key id and its secret: which matches belong together.
//!
//! A rule names the rule of its other half and how far apart the two may stand. Halves that name each other's
//! rules within that distance form a group; the gravest of them is the finding and the others are its parts.

use std::cmp::Reverse;

use crate::level::Severity;
use crate::rule::schema::PairSpec;
use crate::span::ByteSpan;

/// A match that may be half of something.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Half<'a> {
    /// Id of its rule.
    pub rule: &'a str,
    /// What its rule says of the other half.
    pub pair: Option<&'a PairSpec>,
    /// Where it stands in its content.
    pub span: ByteSpan,
    /// Severity of its rule.
    pub severity: Severity,
    /// Whether it is a finding of its own.
    pub counts: bool,
}

/// The nearest match that is the other half of `pair`, within its distance of the match `at`. The matches are
/// sorted by place and do not overlap; `look` gives the rule and the span of one of the `count`.
pub(crate) fn nearest<'a>(
    pair: &PairSpec,
    at: usize,
    count: usize,
    look: impl Fn(usize) -> (&'a str, ByteSpan),
) -> Option<usize> {
    let span = look(at).1;
    let first = |indexes: &mut dyn Iterator<Item = usize>| {
        indexes
            .map(|index| (index, look(index)))
            .map(|(index, (rule, other))| (gap(span, other), rule, index))
            .take_while(|&(gap, ..)| gap <= pair.within_bytes as usize)
            .find(|&(_, rule, _)| rule == pair.with)
            .map(|(gap, _, index)| (gap, index))
    };
    let (before, after) = (first(&mut (0..at).rev()), first(&mut (at + 1..count)));
    before.into_iter().chain(after).min().map(|(_, index)| index)
}

/// Bytes between two spans.
fn gap(a: ByteSpan, b: ByteSpan) -> usize {
    a.start.saturating_sub(b.end).max(b.start.saturating_sub(a.end))
}

/// For each half of one content, sorted by place, the index of the finding that it is a part of; `None` for a
/// half that stands for itself.
pub(crate) fn roots(halves: &[Half<'_>]) -> Vec<Option<usize>> {
    let mut groups = Groups((0..halves.len()).collect());
    for (index, half) in halves.iter().enumerate() {
        let Some(pair) = half.pair else { continue };
        let look = |index: usize| (halves[index].rule, halves[index].span);
        if let Some(other) = nearest(pair, index, halves.len(), look) {
            groups.join(index, other);
        }
    }
    let names: Vec<usize> = (0..halves.len()).map(|index| groups.name(index)).collect();
    // The first of the gravest that count is the root of its group.
    let rank = |index: usize| (!halves[index].counts, Reverse(halves[index].severity), index);
    let mut roots: Vec<usize> = (0..halves.len()).collect();
    for (index, &name) in names.iter().enumerate() {
        if rank(index) < rank(roots[name]) {
            roots[name] = index;
        }
    }
    names.iter().enumerate().map(|(index, &name)| Some(roots[name]).filter(|&root| root != index)).collect()
}

/// Disjoint sets: each index leads to another of its set, and in the end to the one that names it.
struct Groups(Vec<usize>);

impl Groups {
    fn name(&mut self, mut index: usize) -> usize {
        while self.0[index] != index {
            self.0[index] = self.0[self.0[index]];
            index = self.0[index];
        }
        index
    }

    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.name(a), self.name(b));
        self.0[a.max(b)] = a.min(b);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(with: &str) -> PairSpec {
        PairSpec { with: with.to_owned(), within_bytes: 50, required: false }
    }

    fn half<'a>(rule: &'a str, pair: Option<&'a PairSpec>, start: usize, severity: Severity) -> Half<'a> {
        Half { rule, pair, span: ByteSpan::new(start, start + 10), severity, counts: true }
    }

    #[test]
    fn the_gravest_of_a_group_is_the_finding() {
        let (id, secret) = (pair("secret"), pair("id"));
        let halves = [
            half("id", Some(&id), 0, Severity::Medium),
            half("secret", Some(&secret), 20, Severity::Critical),
            half("other", None, 40, Severity::High),
        ];
        assert_eq!(roots(&halves), [Some(1), None, None]);
    }

    #[test]
    fn halves_too_far_apart_stand_for_themselves() {
        let id = pair("secret");
        let halves =
            [half("id", Some(&id), 0, Severity::Medium), half("secret", None, 61, Severity::Critical)];
        assert_eq!(roots(&halves), [None, None]);
        let halves =
            [half("id", Some(&id), 0, Severity::Medium), half("secret", None, 60, Severity::Critical)];
        assert_eq!(roots(&halves), [Some(1), None]);
    }

    #[test]
    fn each_id_goes_with_the_nearest_secret() {
        let id = pair("secret");
        let halves = [
            half("id", Some(&id), 0, Severity::Medium),
            half("secret", None, 12, Severity::Critical),
            half("id", Some(&id), 40, Severity::Medium),
            half("secret", None, 52, Severity::Critical),
        ];
        assert_eq!(roots(&halves), [Some(1), None, Some(3), None]);
    }

    #[test]
    fn chains_have_one_finding() {
        let (token, id) = (pair("id"), pair("secret"));
        let halves = [
            half("token", Some(&token), 0, Severity::High),
            half("id", Some(&id), 30, Severity::Low),
            half("secret", None, 60, Severity::Critical),
        ];
        assert_eq!(roots(&halves), [Some(2), Some(2), None]);
    }

    #[test]
    fn what_is_no_finding_itself_is_only_ever_a_part() {
        let id = pair("secret");
        let mut halves =
            [half("id", Some(&id), 0, Severity::Low), half("secret", None, 20, Severity::Critical)];
        halves[1].counts = false;
        assert_eq!(roots(&halves), [None, Some(0)]);
    }
}
