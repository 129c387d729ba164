//! Remembers what was said of matches.
//!
//! The versions of a file in a history repeat its placeholders and names, and each is matched again wherever
//! something beside it changes. To judge one takes a microsecond or two, to know it again a tenth of that.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

use super::{FileKind, Verdict, judge};
use crate::matcher::Context;
use crate::rule::Rule;

/// Matches that are remembered, the last ones of each hash: 32 KiB a thread.
const SLOTS: usize = 4096;

/// What [`judge`] said of matches lately. Who writes a text cannot choose what it takes for the same: the hash has a
/// random key, and it keeps no value.
#[derive(Debug)]
pub(crate) struct Memo {
    key: RandomState,
    /// By the low bits of a hash: the hash, its lowest bit replaced by whether the match was dropped.
    slots: Box<[Cell<u64>]>,
}

impl Default for Memo {
    fn default() -> Self {
        // No slot holds what is looked for in it: the hash of the last slot is kept in the first one, and so on.
        let slots = (0..SLOTS as u64).map(|slot| Cell::new(!(slot << 1))).collect();
        Self { key: RandomState::new(), slots }
    }
}

impl Memo {
    /// Whether the judgement on a match of the rule with this index is [`Verdict::Drop`].
    pub(crate) fn is_dropped(
        &self,
        (index, rule): (usize, &Rule),
        value: &[u8],
        context: &Context,
        file: FileKind,
    ) -> bool {
        let hash = self.key.hash_one((index, value, context, file));
        let slot = &self.slots[(hash >> 1) as usize % SLOTS];
        let known = slot.get();
        if known >> 1 == hash >> 1 {
            return known & 1 == 1;
        }
        let is_dropped = matches!(judge(rule, value, context, file), Verdict::Drop { .. });
        slot.set(hash & !1 | u64::from(is_dropped));
        is_dropped
    }
}

/// What the filters said of matches lately: the versions of a file repeat what was found in it, and of a generic rule it
/// takes microseconds to say. As with [`Memo`] no value is kept, and the hash has a random key.
#[derive(Debug, Default)]
pub(crate) struct Verdicts {
    key: RandomState,
    known: RefCell<HashMap<u64, Verdict>>,
}

impl Verdicts {
    /// Beyond that everything is forgotten.
    const MOST: usize = 4096;

    /// What [`judge`] says of a value of the rule with this index.
    pub(crate) fn judge(
        &self,
        (index, rule): (usize, &Rule),
        value: &[u8],
        context: &Context,
        file: FileKind,
    ) -> Verdict {
        let hash = self.key.hash_one((index, value, context, file));
        let mut known = self.known.borrow_mut();
        if known.len() >= Self::MOST {
            known.clear();
        }
        known.entry(hash).or_insert_with(|| judge(rule, value, context, file)).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matcher::{Matcher, Scratch};
    use crate::rule::RuleSet;

    #[test]
    fn it_says_what_the_judgement_says_first_and_later() {
        let matcher = Matcher::new(RuleSet::builtin());
        let memo = Memo::default();
        let mut counts = [0, 0];
        for round in 0..3 {
            for number in 0..400 {
                // Words, digits in sequence, placeholders and random values, each under two names.
                let value = match number % 4 {
                    0 => format!("changeme{number}"),
                    1 => format!("xxxxxxxxxxxx{}", number % 7),
                    2 => format!("kJ8mQ2x{number}T9wZp"),
                    _ => format!("{}{number}", "your-password-here"),
                };
                let text = format!("password = \"{value}\"\nnote_key: {value}\n");
                let mut matches = Vec::new();
                assert!(matcher.find(text.as_bytes(), &mut Scratch::default(), &mut matches));
                for found in &matches {
                    let (rule, value) = (matcher.rule(found), found.secret.reveal());
                    for file in [FileKind::default(), FileKind::of(b"tests/data/config.py".into())] {
                        let plain = matches!(judge(rule, value, &found.context, file), Verdict::Drop { .. });
                        let known = memo.is_dropped((found.rule, rule), value, &found.context, file);
                        assert_eq!(known, plain, "round {round}, number {number}");
                        counts[usize::from(plain)] += 1;
                    }
                }
            }
        }
        assert!(counts.iter().all(|&count| count > 500), "{counts:?}");
    }

    /// Said again, it is what the filters say, of a value and of the same value elsewhere.
    #[test]
    fn verdicts_are_those_of_the_filters_first_and_later() {
        let matcher = Matcher::new(RuleSet::builtin());
        let verdicts = Verdicts::default();
        for round in 0..3 {
            for number in 0..40 {
                let value = |tail: usize| ["kq7m2", &format!("xw{tail}z")].concat();
                let text =
                    format!("db_password = \"{}\"\nset password {}\n", value(number), value(number % 7));
                let mut found = Vec::new();
                assert!(matcher.find(text.as_bytes(), &mut Scratch::default(), &mut found));
                for found in &found {
                    let (rule, value) = ((found.rule, matcher.rule(found)), found.secret.reveal());
                    for kind in [FileKind::default(), FileKind::of(b"tests/data/config.py".into())] {
                        let plain = judge(rule.1, value, &found.context, kind);
                        assert_eq!(
                            verdicts.judge(rule, value, &found.context, kind),
                            plain,
                            "{round} {number}"
                        );
                    }
                }
            }
        }
    }
}
