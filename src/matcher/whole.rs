//! Rules of another scanner: an expression that runs on the whole of every text that holds one of its keywords.

use std::collections::BTreeSet;

use aho_corasick::AhoCorasick;

use super::found::NO_WORD;
use super::trace::Sink;
use super::{Context, Host, Match};
use crate::rule::schema::RuleKind;
use crate::rule::{Rule, RuleSet};
use crate::secret::Secret;
use crate::span::ByteSpan;

/// Finds the keywords of all such rules in one pass.
#[derive(Debug)]
pub(super) struct Words {
    search: Option<AhoCorasick>,
    /// For each word the index of its rule.
    rules: Vec<usize>,
    /// Rules without a keyword.
    always: BTreeSet<usize>,
}

/// The rules that a text leads to.
pub(super) struct Led<'w> {
    words: &'w Words,
    rules: BTreeSet<usize>,
}

impl Words {
    pub(super) fn new(rules: &RuleSet, unanchored: &[usize]) -> Self {
        let (mut words, mut owners, mut always) = (Vec::new(), Vec::new(), BTreeSet::new());
        for &index in unanchored {
            let rule = &rules.rules()[index];
            if rule.kind != RuleKind::Whole {
                continue;
            }
            for word in &rule.keywords {
                words.push(word.as_str());
                owners.push(index);
            }
            // Where no automaton can be built every rule looks everywhere: slow, and nothing is missed.
            if rule.keywords.iter().all(|word| word.is_empty()) {
                always.insert(index);
            }
        }
        let build = || AhoCorasick::builder().ascii_case_insensitive(true).build(&words).ok();
        let search = if words.is_empty() { None } else { build() };
        if search.is_none() {
            always.extend(&owners);
        }
        Self { search, rules: owners, always }
    }

    pub(super) fn find(&self, text: &[u8]) -> Led<'_> {
        let mut rules = BTreeSet::new();
        if let Some(search) = &self.search {
            for found in search.find_overlapping_iter(text) {
                rules.insert(self.rules[found.pattern().as_usize()]);
            }
        }
        Led { words: self, rules }
    }
}

impl Led<'_> {
    pub(super) fn lead_to(&self, index: usize) -> bool {
        self.rules.contains(&index) || self.words.always.contains(&index)
    }
}

/// Runs the expression. The secret is the group named so, else the first group that holds something, else all.
pub(super) fn find(text: &[u8], (index, rule): (usize, &Rule), out: &mut impl Sink) {
    for groups in rule.regex().captures_iter(text) {
        let Some(whole) = groups.get(0) else { continue };
        let matched = whole.as_bytes();
        let head = matched.iter().take_while(|&&byte| byte == b'\n').count();
        let tail = matched[head..].iter().rev().take_while(|&&byte| byte == b'\n').count();
        let span = ByteSpan::new(whole.start() + head, whole.end() - tail);
        let group = groups.name("secret").or_else(|| {
            // With a group of that name the others do not count, whatever it holds.
            let is_named = rule.regex().capture_names().flatten().any(|name| name == "secret");
            let mut others = groups.iter().skip(1).flatten();
            others.find(|group| !group.is_empty() && !is_named)
        });
        let group = group.filter(|group| !group.is_empty());
        let secret_span = group.map_or(span, |group| ByteSpan::new(group.start(), group.end()));
        if secret_span.is_empty() {
            continue;
        }
        out.found(Match {
            rule: index,
            span: ByteSpan::new(span.start.min(secret_span.start), span.end.max(secret_span.end)),
            secret_span,
            secret: Secret::new(&text[secret_span.range()]),
            context: Context { assigned: None, host: Host::default() },
            layers: Vec::new(),
            word: NO_WORD,
        });
    }
}
