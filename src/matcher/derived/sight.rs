//! How far the rules of a literal look.

use crate::derived::Yield;
use crate::matcher::assignment::{self, LineSight};
use crate::matcher::reach::{
    BACK_REACH_BYTES, BACK_VALUE_BYTES, NEAR_AHEAD_BYTES, NEAR_BACK_BYTES, max_bytes,
};
use crate::matcher::{Matcher, boundary};
use crate::rule::Rule;
use crate::rule::schema::{RuleKind, TriggerKind};

/// How far round the start of a literal its rules look.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::matcher) struct Sight {
    back_bytes: u32,
    ahead_bytes: u32,
    /// The same where nothing has the form that they ask for.
    form_back_bytes: u32,
    form_ahead_bytes: u32,
    /// How far ahead of it another name may be read; 0 where only its own is.
    pub(super) names_ahead_bytes: u32,
    /// Whether it stands in names; how far the reading of an assignment looks depends on the text.
    pub(super) is_in_names: bool,
}

/// What is known of the literals, made when the first derived text comes.
#[derive(Debug)]
pub(in crate::matcher) struct Sights {
    /// By literal.
    pub(super) of: Vec<Sight>,
    /// How far apart two matches may stand of which one matters to the other: halves of a pair.
    pub(super) near_bytes: i64,
}

/// What `starts_free` looks at before a value: the longest escape.
const ESCAPE_BYTES: i64 = NEAR_BACK_BYTES as i64;
/// Matches nearer than this may stand in one excerpt.
const EXCERPT_BYTES: i64 = 256;

impl Matcher {
    /// Made when they are first asked for.
    pub(super) fn sights(&self) -> &Sights {
        self.sights.get_or_init(|| {
            let pairs = self.rules.rules().iter().filter_map(|rule| rule.pair.as_ref());
            let farthest = pairs.map(|pair| i64::from(pair.within_bytes)).max().unwrap_or(0);
            Sights { of: self.sights_of_literals(), near_bytes: farthest.max(EXCERPT_BYTES) }
        })
    }

    fn sights_of_literals(&self) -> Vec<Sight> {
        let literals = 0..self.literal_lens.len() as u32;
        let widen = |bytes: &mut u32, to: i64| *bytes = (*bytes).max(u32::try_from(to).unwrap_or(u32::MAX));
        literals
            .map(|literal| {
                let mut sight = Sight::default();
                for target in self.targets_of(literal) {
                    let rule = &self.rules.rules()[target.rule as usize];
                    let near = if rule.keywords.is_empty() { 0 } else { i64::from(rule.reach_bytes) };
                    let longest = max_bytes(rule) as i64;
                    let word = longest_keyword(rule);
                    let (form_back, form_ahead) = match target.kind {
                        TriggerKind::Anchor { max_before, .. } => {
                            (i64::from(max_before) + ESCAPE_BYTES, longest + 2)
                        }
                        TriggerKind::Keyword | TriggerKind::Name => (1, word + 1),
                    };
                    widen(&mut sight.form_back_bytes, form_back);
                    widen(&mut sight.form_ahead_bytes, form_ahead);
                    let (back, ahead) = match target.kind {
                        TriggerKind::Anchor { max_before, .. } => {
                            let (back, ahead) = match rule.kind {
                                RuleKind::Prefixed => boundary::encoded_data_sight(max_bytes(rule)),
                                _ => (0, 0),
                            };
                            let back = near.max(back as i64) + ESCAPE_BYTES;
                            (i64::from(max_before) + back, longest + near.max(ahead as i64) + 2)
                        }
                        TriggerKind::Keyword => {
                            (keyword_back_bytes(rule), word + i64::from(rule.reach_bytes) + longest + 2)
                        }
                        // Beside its own name such a rule reads every other within reach.
                        TriggerKind::Name if rule.kind == RuleKind::Keyed => {
                            sight.is_in_names = true;
                            widen(&mut sight.names_ahead_bytes, word + i64::from(rule.reach_bytes));
                            (keyword_back_bytes(rule), 0)
                        }
                        TriggerKind::Name => {
                            sight.is_in_names = true;
                            (assignment::NAME_BYTES as i64, 0)
                        }
                    };
                    widen(&mut sight.back_bytes, back);
                    widen(&mut sight.ahead_bytes, ahead);
                }
                sight
            })
            .collect()
    }
}

impl Sight {
    /// How far back and ahead a literal looked that yielded so much.
    pub(super) fn of(&self, yields: Yield) -> (i64, i64) {
        match yields {
            Yield::Unlike => (self.form_back_bytes.into(), self.form_ahead_bytes.into()),
            Yield::Nothing | Yield::Dull | Yield::Matches => {
                (self.back_bytes.into(), self.ahead_bytes.into())
            }
            Yield::Near => (NEAR_BACK_BYTES as i64, NEAR_AHEAD_BYTES as i64),
        }
    }

    /// How far back and ahead it looks at most.
    pub(super) fn farthest(&self) -> (i64, i64) {
        let names_ahead = match self.is_in_names {
            true => self.names_ahead_bytes + assignment::AHEAD_BYTES as u32,
            false => 0,
        };
        (self.back_bytes.into(), self.ahead_bytes.max(names_ahead).into())
    }

    /// Whether a form is told near the literal.
    pub(super) fn is_near(&self) -> bool {
        self.form_back_bytes as usize <= NEAR_BACK_BYTES && self.form_ahead_bytes as usize <= NEAR_AHEAD_BYTES
    }
}

/// Behind the last byte at which the reading of names looks.
pub(super) fn names_ahead_to(
    lines: &mut LineSight<'_>,
    text: &[u8],
    start: usize,
    names_ahead_bytes: u32,
) -> i64 {
    let names_ahead_bytes = names_ahead_bytes as usize;
    let last_name = start + names_ahead_bytes;
    if last_name >= text.len() {
        return i64::MAX;
    }
    let own = lines.ahead_to(start);
    let to = if names_ahead_bytes > 0 { lines.ahead_to(last_name) } else { own };
    // Any of several names may open the block of a variable.
    let opens = names_ahead_bytes > 0 && assignment::opens_variable_before(text, start, last_name);
    let block = if opens { last_name + assignment::AHEAD_BYTES } else { 0 };
    to.max(own).max(block) as i64
}

fn longest_keyword(rule: &Rule) -> i64 {
    rule.keywords.iter().chain(&rule.names).map(|word| word.len() as i64).max().unwrap_or(0)
}

/// How far before its start a keyword looks, and how far before it another may stand that matters: one whose
/// own reach ends behind where this one starts to look.
pub(super) fn keyword_back_bytes(rule: &Rule) -> i64 {
    let reach = rule.reach_bytes as usize;
    let back = reach.min(BACK_REACH_BYTES) + max_bytes(rule).min(BACK_VALUE_BYTES);
    (back + reach) as i64 + longest_keyword(rule) + ESCAPE_BYTES
}
