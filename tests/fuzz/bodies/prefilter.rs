//! With and without the prefilter: a plain search for every literal leads to the same rules at the same places, and
//! wherever the expression of a rule with literals of its own matches there is one of them.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use regex::bytes::Regex;
use stanch::matcher::{Matcher, trace::Trace};
use stanch::rule::RuleSet;
use stanch::rule::schema::TriggerKind;

static MATCHER: LazyLock<Matcher> = LazyLock::new(|| Matcher::new(RuleSet::builtin()));

type Literal = (usize, Vec<u8>, bool);

/// Finds literals in any case; which of them want their own is looked at afterwards.
static PLAIN: LazyLock<(AhoCorasick, Vec<Literal>)> = LazyLock::new(|| {
    let rules = MATCHER.rules().rules().iter().enumerate();
    let literals: Vec<Literal> = rules
        .flat_map(|(index, rule)| {
            let triggers = rule.spec().triggers(0).into_iter();
            triggers.map(move |trigger| (index, trigger.literal.to_vec(), trigger.ignore_case))
        })
        .collect();
    let words = literals.iter().map(|(_, literal, _)| literal);
    (AhoCorasick::builder().ascii_case_insensitive(true).build(words).expect("short literals"), literals)
});

/// The expressions of the rules whose every match holds a literal.
static EXPRESSIONS: LazyLock<Vec<(usize, Regex)>> = LazyLock::new(|| {
    let rules = MATCHER.rules().rules().iter().enumerate();
    rules
        .filter(|(_, rule)| !rule.spec().anchors.is_empty())
        .map(|(index, rule)| (index, Regex::new(&rule.spec().regex).expect("an expression of the catalogue")))
        .collect()
});

pub fn run(text: &[u8]) {
    if text.len() > 1 << 14 {
        return;
    }
    let mut trace = Trace::default();
    let _ = MATCHER.trace(text, &mut trace, &mut Vec::new());
    let looks = trace.looks.iter().filter(|look| look.layers.is_empty() && look.kind.is_some());
    // Of several words of a rule that start at a place the trace names the longest.
    let looks: BTreeSet<(usize, usize)> = looks.map(|look| (look.rule, look.trigger.start)).collect();
    let (search, literals) = &*PLAIN;
    let plain: BTreeSet<(usize, usize)> = search
        .find_overlapping_iter(text)
        .filter_map(|found| {
            let (rule, literal, ignore_case) = &literals[found.pattern().as_usize()];
            let is_it = *ignore_case || text[found.range()] == literal[..];
            is_it.then_some((*rule, found.start()))
        })
        .collect();
    assert_eq!(looks, plain, "rule and start of each literal");
    let is_anchor = |kind| matches!(kind, Some(TriggerKind::Anchor { .. }));
    let anchors: BTreeSet<(usize, usize)> = trace
        .looks
        .iter()
        .filter(|look| look.layers.is_empty() && is_anchor(look.kind))
        .map(|look| (look.rule, look.trigger.start))
        .collect();
    for (index, regex) in &*EXPRESSIONS {
        for found in regex.find_iter(text) {
            let has_literal = anchors.range((*index, found.start())..(*index, found.end())).next().is_some();
            let id = &MATCHER.rules().rules()[*index].spec().id;
            assert!(has_literal, "{id} matches at {:?} without any of its literals", found.range());
        }
    }
}
