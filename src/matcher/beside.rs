//! A value in base64 behind the lines that stand before it.
//!
//! It is shown without them when it is decoded, and in a Kubernetes Secret the name and the provider's word stand there.

use super::boundary::{self, Front};
use super::reach::{REACH_LINES, lines_back};
use super::secret_words::next_secret_word;
use super::tables::{Tables, Target};
use super::trace::Sink;
use super::{Matcher, Scratch, assignment};
use crate::decode::{self, View};
use crate::rule::schema::{LONGEST_TRIGGER_BYTES, TriggerKind};
use crate::span::ByteSpan;

/// Buffers for a value behind the name that stands before it.
#[derive(Default)]
pub(super) struct Beside {
    pub(super) text: Vec<u8>,
    pub(super) hits: Vec<(usize, u32)>,
}

impl std::fmt::Debug for Beside {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The text may hold what is left of a secret.
        f.debug_struct("Beside").finish_non_exhaustive()
    }
}

/// Which two bytes stand beside each other in some literal, letters of both cases being the same.
#[derive(Debug)]
pub(super) struct Pairs([u64; 64]);

impl Pairs {
    pub(super) fn of(tables: &Tables) -> Self {
        let mut pairs = [0; 64];
        for entry in tables.entries.iter() {
            let literal = &tables.bytes[entry.start as usize..entry.start as usize + usize::from(entry.len)];
            for two in literal.windows(2) {
                pairs[Self::class(two[0])] |= 1 << Self::class(two[1]);
            }
        }
        Self(pairs)
    }

    /// Without the bits for the case and for bytes that are not ASCII.
    fn class(byte: u8) -> usize {
        usize::from(byte & 0x1f | byte >> 1 & 0x20)
    }

    /// Whether the bytes before and behind a place may both be part of one literal.
    fn meet_at(&self, text: &[u8], place: usize) -> bool {
        let Some(two) = place.checked_sub(1).and_then(|first| text.get(first..=place)) else { return false };
        self.0[Self::class(two[0])] >> Self::class(two[1]) & 1 == 1
    }
}

impl Matcher {
    /// A value in base64 is shown without what stands before it, and in a Kubernetes Secret the name and the
    /// provider's word stand there: such a value is read once more behind its own lines.
    pub(super) fn find_beside_name<S: Sink>(
        &self,
        text: &[u8],
        view: &View<'_>,
        scratch: &mut Scratch,
        out: &mut S,
    ) {
        /// Longer ones are files, with names inside.
        const LONGEST_VALUE_BYTES: usize = 256;
        const HEAD_BYTES: usize = 120;
        if view.layers.last() != Some(&decode::Layer::Base64)
            || view.bytes.len() > LONGEST_VALUE_BYTES
            || view.bytes.contains(&b'\n')
        {
            return;
        }
        let (outer, region) = view.outer(text);
        let head = &outer[lines_back(outer, region.start, HEAD_BYTES, REACH_LINES)..region.start];
        let mut told = S::default();
        let beside = if S::TELLS { &mut told } else { &mut *out };
        let first = beside.matches().len();
        let mut spliced = std::mem::take(&mut scratch.beside.text);
        spliced.clear();
        spliced.extend_from_slice(head);
        spliced.extend_from_slice(&view.bytes);
        spliced.push(b'\n');
        // An explanation tells everything twice.
        let is_known =
            scratch.text_hits.is_some() && view.outer_view().is_none() && self.unanchored.is_empty();
        if is_known && !S::TELLS && !boundary::is_escape_across(&spliced, head.len()) {
            self.find_new_beside(&spliced, (region.start, head.len()), scratch, beside);
        } else {
            self.find_plain(&spliced, scratch, beside);
        }
        scratch.beside.text = spliced;
        let value_end = head.len() + view.bytes.len();
        let mut kept = first;
        for at in first..beside.matches().len() {
            let found = &mut beside.matches()[at];
            let span = found.secret_span;
            if span.start >= head.len() && span.end <= value_end {
                found.secret_span = ByteSpan::new(span.start - head.len(), span.end - head.len());
                found.span = found.secret_span;
                beside.matches().swap(kept, at);
                kept += 1;
            }
        }
        beside.matches().truncate(kept);
        if S::TELLS {
            out.matches().append(told.matches());
        }
    }

    /// Does in a value behind its head, which ends at an offset of the text, what [`Self::find_plain`] would do but for
    /// matches that are known from the value alone: a head makes nothing a match but with a word or a name in it.
    fn find_new_beside(
        &self,
        spliced: &[u8],
        (region_start, head_len): (usize, usize),
        scratch: &mut Scratch,
        out: &mut impl Sink,
    ) {
        const OVERLAP_BYTES: usize = LONGEST_TRIGGER_BYTES - 1;
        let Scratch { hits: value_hits, text_hits, beside: Beside { hits, .. }, memory, .. } = scratch;
        let text_hits = text_hits.as_deref().unwrap_or_default();
        hits.clear();
        // Of the value alone, and a head before it makes nothing fit that did not.
        let asked = std::mem::take(&mut memory.runs.asked);
        memory.clear();
        let head_start = region_start - head_len;
        let first = text_hits.partition_point(|&(start, _)| start < head_start);
        for &(start, literal) in text_hits[first..].iter().take_while(|&&(start, _)| start < region_start) {
            if self.span_of(literal, start).end <= region_start {
                hits.push((start - head_start, literal));
            }
        }
        // Where head and value meet, and where the line end comes behind the value.
        let seams = [(head_len, false), (spliced.len() - 1, true)];
        for (place, is_end) in seams.into_iter().filter(|&(place, _)| self.pairs().meet_at(spliced, place)) {
            let from = place.saturating_sub(OVERLAP_BYTES);
            let to = spliced.len().min(place + OVERLAP_BYTES);
            self.prefilter.find(&spliced[from..to], |literal, start| {
                let span = self.span_of(literal, from + start);
                let is_across = span.start < place && place < span.end;
                if is_across && (!is_end || span.start >= head_len) {
                    hits.push((span.start, literal));
                }
            });
        }
        hits.extend(value_hits.iter().map(|&(start, literal)| (head_len + start, literal)));
        if !hits.is_sorted() {
            hits.sort_unstable();
        }
        // Nothing is assigned to a name in a value that holds no sign for it, nor is the value to a name in a head without
        // one that speaks of a secret.
        let mut is_assigned = None;
        let mut may_be_assigned = || {
            *is_assigned.get_or_insert_with(|| {
                assignment::may_stand_in(&spliced[head_len..spliced.len() - 1])
                    || next_secret_word(spliced, (0, head_len)).is_some()
            })
        };
        for &(start, literal) in hits.iter() {
            let front = Front::of(spliced, start);
            memory.again.clear();
            let misfits = self.misfits(spliced, (literal, start), front, memory).0;
            for (number, target) in self.targets_of(literal).iter().enumerate() {
                let is_none = front.is_against(target) || (number < 64 && misfits >> number & 1 == 1);
                if is_none
                    || (start >= head_len
                        && (self.is_told_by_value(target, &asked)
                            || (target.kind == TriggerKind::Name && !may_be_assigned())))
                {
                    continue;
                }
                self.try_target(spliced, target, self.span_of(literal, start), memory, out);
            }
        }
    }

    /// Whether a rule finds at a literal in a value no more where a head stands before that, and tells it the same.
    fn is_told_by_value(&self, target: &Target, asked: &[usize]) -> bool {
        let rule = &self.rules.rules()[target.rule as usize];
        let asks_before = match target.kind {
            TriggerKind::Anchor { .. } => {
                !rule.keywords.is_empty() && asked.contains(&(target.rule as usize))
            }
            TriggerKind::Keyword => false,
            TriggerKind::Name => true,
        };
        // Of a rule with a part that is the secret, what stands round that part counts in the one and not in the other.
        !asks_before && !rule.shape.is_empty() && !rule.shape.contains('<')
    }

    fn pairs(&self) -> &Pairs {
        self.pairs.get_or_init(|| Pairs::of(self.prefilter.tables()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::RuleSet;
    use proptest::prelude::*;
    use std::sync::LazyLock;

    proptest! {
        #[test]
        fn bytes_that_meet_in_a_literal_are_known(rule in 0usize..2000, at in 1usize..16) {
            static MATCHER: LazyLock<Matcher> = LazyLock::new(|| Matcher::new(RuleSet::builtin()));
            let triggers = MATCHER.rules.triggers();
            let literal = triggers[rule % triggers.len()].literal;
            let upper = literal.to_ascii_uppercase();
            for literal in [literal, upper.as_slice()] {
                prop_assert_eq!(MATCHER.pairs().meet_at(literal, at), at < literal.len());
            }
            prop_assert!(!MATCHER.pairs().meet_at(b"\x01\x02", 1) && !MATCHER.pairs().meet_at(literal, 0));
        }
    }
}
