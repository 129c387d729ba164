//! Literals that many rules share, such as `sk_` and `eyJ`.
//!
//! The bytes behind such a literal tell most of the rules at once that there is no match.

use super::boundary::Front;
use super::reach::{Looked, NEAR_AHEAD_BYTES};
use super::stretch::grow;
use super::tables::Target;
use super::{Matcher, Memory};
use crate::rule::RuleSet;
use crate::rule::schema::TriggerKind;
use crate::rule::shape::{ByteSet, Fit, Part, Run};

/// What is known of a literal that many rules share and that stands in many places: the bytes behind it tell most of
/// them at once that there is no match, and nothing of the rule is looked at.
#[derive(Debug, Default)]
pub(super) struct Crowd {
    /// Of which matcher, and its number there.
    literal: (u64, u32),
    hits: u32,
    /// The number of the text in which it was met last.
    text: u64,
    /// What the rules' matches start with, and of what they are made, once it was asked for.
    members: Option<Members>,
}

#[derive(Debug, Default)]
struct Members {
    alphabets: Vec<Alphabet>,
    firsts: Vec<First>,
}

/// What matches of some rules of a crowd are made of.
#[derive(Debug)]
struct Alphabet {
    set: ByteSet,
    /// A stretch of such bytes.
    run: (usize, usize),
    /// By how many such bytes there are: a bit for each target whose match is longer.
    longer: [u64; NEAR_AHEAD_BYTES],
}

/// Rules of a crowd whose matches start with the same text and behind it a run of the same bytes.
#[derive(Debug)]
struct First {
    start: Vec<u8>,
    set: ByteSet,
    /// A stretch of such bytes.
    run: (usize, usize),
    /// The numbers of the targets, and how long the run is to be and what is to follow.
    of: Vec<(u32, Run)>,
    /// A bit for each of them.
    all: u64,
}

/// Literals that are known at a time.
const CROWDS: usize = 128;

/// So many rules are a crowd.
const CROWD_RULES: usize = 4;

/// A literal that stands in so many places is worth it.
const CROWD_HITS: u32 = 16;

/// How far from a literal is looked for the end of a run.
const CROWD_AHEAD_BYTES: usize = 512;

impl Matcher {
    /// A bit for each of the first rules of a literal that are known not to match, and how far was looked for it.
    pub(super) fn misfits(
        &self,
        text: &[u8],
        (literal, start): (u32, usize),
        front: Front,
        memory: &mut Memory,
    ) -> (u64, Looked) {
        match self.targets_of(literal) {
            // The byte before the literal tells of nearly all of them.
            few if few.len() < CROWD_RULES || front.is_inside() => (0, Looked::Near),
            targets => {
                if memory.crowds.is_empty() {
                    memory.crowds.resize_with(CROWDS, Crowd::default);
                }
                let crowd = &mut memory.crowds[literal as usize % CROWDS];
                let place = (text, memory.runs.text, start);
                crowd.misfits((self.id, literal), targets, &self.rules, place)
            }
        }
    }
}

impl Crowd {
    /// A bit for each of the first targets that the bytes behind the literal tell to have no match, and how far was looked
    /// for it.
    pub(super) fn misfits(
        &mut self,
        literal: (u64, u32),
        targets: &[Target],
        rules: &RuleSet,
        (text, number, start): (&[u8], u64, usize),
    ) -> (u64, Looked) {
        const NONE: (u64, Looked) = (0, Looked::Near);
        if self.literal != literal {
            self.hits = self.hits.saturating_sub(1);
            if self.hits > 0 {
                return NONE;
            }
            *self = Self { literal, ..Self::default() };
        }
        self.hits = (self.hits + 1).min(2 * CROWD_HITS);
        if self.hits < CROWD_HITS {
            return NONE;
        }
        let is_same_text = std::mem::replace(&mut self.text, number) == number;
        let members = self.members.get_or_insert_with(|| Members::of_all(targets, rules));
        if !is_same_text {
            members.alphabets.iter_mut().for_each(|alphabet| alphabet.run = (0, 0));
            members.firsts.iter_mut().for_each(|first| first.run = (0, 0));
        }
        let end = text.len().min(start + NEAR_AHEAD_BYTES);
        let mut misfits = 0;
        for Alphabet { set, run, longer } in &mut members.alphabets {
            let other = grow(run, (start, end), |at| set.contains(text[at])).unwrap_or(end);
            misfits |= longer.get(other - start).copied().unwrap_or(0);
        }
        let mut told_at = start;
        for first in &mut members.firsts {
            first.misfits(text, start, (&mut misfits, &mut told_at));
        }
        (misfits, if told_at - start < NEAR_AHEAD_BYTES { Looked::Near } else { Looked::AtForm })
    }
}

impl First {
    /// Adds the targets that have no match, and how far was looked to tell.
    pub(super) fn misfits(&mut self, text: &[u8], start: usize, (misfits, told_at): (&mut u64, &mut usize)) {
        let Self { start: literal, set, run, of, all } = self;
        let at = start + literal.len();
        if !text[start..].starts_with(literal) {
            *misfits |= *all;
            *told_at = at.max(*told_at);
            return;
        }
        let to = text.len().min(at + CROWD_AHEAD_BYTES);
        let end = grow(run, (at, to), |at| set.contains(text[at])).unwrap_or(to);
        // Where the run goes on as far as was looked, it is not known how long it is.
        let is_cut = end == to && to < text.len();
        for (number, run) in of {
            match run.fit(text, at, (end, text.len())) {
                Fit::Not(other) if !is_cut || other < end => {
                    *misfits |= 1 << *number;
                    *told_at = other.max(*told_at);
                }
                _ => {}
            }
        }
    }
}

impl Members {
    /// Of those of the first targets whose matches start nowhere but with the literal.
    fn of_all(targets: &[Target], rules: &RuleSet) -> Self {
        let Self { mut alphabets, mut firsts } = Self::default();
        for (number, target) in targets.iter().enumerate().take(64) {
            let rule = &rules.rules()[target.rule as usize];
            if !matches!(target.kind, TriggerKind::Anchor { max_before: 0, .. }) {
                continue;
            }
            let known = alphabets.iter().position(|alphabet| alphabet.set == rule.alphabet);
            let known = known.unwrap_or_else(|| {
                alphabets.push(Alphabet { set: rule.alphabet, run: (0, 0), longer: [0; NEAR_AHEAD_BYTES] });
                alphabets.len() - 1
            });
            for longer in alphabets[known].longer.iter_mut().take(rule.min_bytes as usize) {
                *longer |= 1 << number;
            }
            let Some(Part { choices, ignore_case: false, run: Some(run) }) = rule.first_parts.first() else {
                continue;
            };
            let [start] = choices.as_slice() else { continue };
            if !run.guards.is_empty() {
                continue;
            }
            let is_its = |first: &First| first.start == *start && first.set == run.set;
            match firsts.iter_mut().find(|first| is_its(first)) {
                Some(first) => {
                    first.of.push((number as u32, run.clone()));
                    first.all |= 1 << number;
                }
                None => {
                    let of = vec![(number as u32, run.clone())];
                    let (start, set, all) = (start.clone(), run.set, 1 << number);
                    firsts.push(First { start, set, run: (0, 0), of, all });
                }
            }
        }
        Self { alphabets, firsts }
    }
}
