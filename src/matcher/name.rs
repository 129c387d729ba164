//! Rules with a word in the name: what is assigned to it is the match.

use super::found::assigned_match;
use super::reach::{Looked, NEAR_AHEAD_BYTES, NEAR_BACK_BYTES};
use super::trace::{Miss, MissReason, Sink};
use super::words::whole_word;
use super::{Matcher, Memory, assignment};
use crate::rule::Rule;
use crate::rule::schema::RuleKind;
use crate::span::ByteSpan;

impl Matcher {
    pub(super) fn try_name<S: Sink>(
        &self,
        text: &[u8],
        (index, rule): (usize, &Rule),
        literal: ByteSpan,
        memory: &mut Memory,
        out: &mut S,
    ) -> Looked {
        let Some(keyword) = whole_word(text, literal, rule, &rule.keywords, out) else {
            return Looked::AtForm;
        };
        // Several words of one name lead to the same match.
        if let Some((last, place)) = &memory.runs.of(index).assigned
            && !S::TELLS
            && last.name.start <= keyword.start
            && keyword.end <= last.name.end
        {
            memory.again.push(*place);
            return Looked::Around;
        }
        // Most are followed by what joins nothing.
        if assignment::has_no_joint(text, keyword, (NEAR_BACK_BYTES, NEAR_AHEAD_BYTES)) {
            out.miss(|| Miss::of(MissReason::NoAssignment));
            return Looked::Near;
        }
        let Some(assignment) = memory.readings.read(text, keyword) else {
            out.miss(|| Miss::of(MissReason::NoAssignment));
            return Looked::Around;
        };
        let is_generic = rule.kind == RuleKind::Generic && !S::TELLS;
        let last = memory.generic.flatten().filter(|(last, _)| is_generic && *last == assignment);
        let place = match last {
            // Of two in one place only one is kept.
            Some((_, place)) => {
                let known = &mut out.matches()[place];
                if generic_rank((index, rule)) < generic_rank((known.rule, self.rule(known))) {
                    known.rule = index;
                }
                place
            }
            None => {
                out.found(assigned_match(text, index, &assignment));
                out.matches().len().saturating_sub(1)
            }
        };
        memory.runs.of(index).assigned = Some((assignment, place));
        if let Some(generic) = &mut memory.generic
            && is_generic
        {
            *generic = Some((assignment, place));
        }
        Looked::Around
    }
}

/// In which order generic rules are kept that made a match of the same assignment.
fn generic_rank((index, rule): (usize, &Rule)) -> impl Ord {
    (std::cmp::Reverse(rule.confidence), rule.public, index)
}
