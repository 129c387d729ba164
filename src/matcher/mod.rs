//! Rules × bytes → matches. Knows nothing of git, of paths or of reports.
//!
//! The prefilter finds literals; each tells which rules to try there. A rule with a literal of its own in
//! the value (kinds `prefixed` and `block`) runs its expression at the one place where the value can start.
//! A `keyed` rule runs it on the bytes round the keyword. A `generic` rule reads the assignment to the name
//! that holds its keyword. Where several matches lie on each other the most specific one is kept.

pub mod assignment;
mod boundary;
mod derived;
mod long;
mod prefilter;

use std::sync::OnceLock;

use crate::decode::{self, View};
use crate::derived::Hit;
use crate::matcher::assignment::Assignment;
use crate::rule::schema::{RuleKind, Trigger, TriggerKind};
use crate::rule::{Rule, RuleSet};
use crate::secret::Secret;
use crate::span::ByteSpan;
use prefilter::{Literal, Prefilter};

/// A raw hit: a rule, a place and the captured bytes.
#[derive(Clone, Debug)]
pub struct Match {
    /// Index of the rule in the [`RuleSet`] of the matcher.
    pub rule: usize,
    /// Everything the match rests on: the value, and for a generic rule the name before it.
    pub span: ByteSpan,
    /// The secret in the text of the unit; the encoded form where it was decoded.
    pub secret_span: ByteSpan,
    /// The secret, decoded.
    pub secret: Secret,
    /// For a generic rule: the assignment, in the text or the decoded view in which it was read.
    pub assigned: Option<Assigned>,
    /// Encodings that were undone to find it, outermost first.
    pub layers: Vec<decode::Layer>,
}

/// The parts of an assignment that the judgement looks at.
#[derive(Clone, Debug)]
pub struct Assigned {
    /// The name as written.
    pub name: Vec<u8>,
    /// How name and value are joined.
    pub joint: assignment::Joint,
    /// What stands round the value.
    pub quote: assignment::Quote,
    /// What else stands on the line.
    pub place: assignment::Place,
}

/// The compiled rules: immutable, shared by all workers.
#[derive(Debug)]
pub struct Matcher {
    rules: RuleSet,
    prefilter: Prefilter,
    /// For each distinct literal the rules to try: `targets[starts[l]..starts[l + 1]]`.
    starts: Vec<u32>,
    targets: Vec<Target>,
    /// Lengths of the literals.
    literal_lens: Vec<u16>,
    /// How far the rules of each literal look, for texts derived from others.
    sights: OnceLock<derived::Sights>,
    /// Rules that have neither a literal nor a keyword and look at everything.
    unanchored: Vec<usize>,
    decode: decode::Limits,
}

#[derive(Clone, Copy, Debug)]
struct Target {
    rule: u32,
    kind: TriggerKind,
}

/// Space that a worker reuses from unit to unit.
#[derive(Debug, Default)]
pub struct Scratch {
    hits: Vec<(u32, usize)>,
    /// Up to where a keyed rule has already looked, for the rules that have looked at all.
    covered: Vec<(u32, usize)>,
    found: Vec<Match>,
    derived: Vec<(Hit, bool)>,
    decode: decode::Scratch,
}

/// A value with no upper bound is looked at up to here; a longer run is cut, not lost.
const OPEN_WINDOW_BYTES: usize = 64 << 10;
/// A keyword reaches back at most this far, since a name nearly always stands before its value.
const BACK_REACH_BYTES: usize = 48;
/// A value that stands before its keyword may be this long.
const BACK_VALUE_BYTES: usize = 256;
/// A keyword reaches over at most this many line ends.
const REACH_LINES: usize = 2;
/// Keywords this short must be a whole word, or half the identifiers of a project hold them.
const SHORT_KEYWORD_BYTES: usize = 4;

impl Matcher {
    /// Prepares the rules. No expression is compiled before a candidate asks for it.
    pub fn new(rules: RuleSet) -> Self {
        let mut triggers = rules.triggers();
        let unanchored = rules.looking_at_everything();
        // The catalogue's come sorted, and a stable sort passes over sorted runs.
        triggers.sort_by_key(Trigger::order);
        let mut literals: Vec<Literal<'_>> = Vec::new();
        let mut starts = Vec::new();
        let mut targets = Vec::new();
        for Trigger { literal: bytes, ignore_case, gram_at, rule, kind } in triggers {
            if literals.last().is_none_or(|last| last.bytes != bytes || last.ignore_case != ignore_case) {
                literals.push(Literal { bytes, ignore_case, gram_at });
                starts.push(targets.len() as u32);
            }
            targets.push(Target { rule, kind });
        }
        starts.push(targets.len() as u32);
        let literal_lens = literals.iter().map(|literal| literal.bytes.len() as u16).collect();
        let prefilter = Prefilter::new(literals.into_iter());
        let sights = OnceLock::new();
        let decode = decode::Limits::default();
        Self { rules, prefilter, starts, targets, literal_lens, sights, unanchored, decode }
    }

    /// The rules that were prepared.
    pub fn rules(&self) -> &RuleSet {
        &self.rules
    }

    /// The rule behind a match.
    pub fn rule(&self, found: &Match) -> &Rule {
        &self.rules.rules()[found.rule]
    }

    /// Appends the matches in `text` to `out`, sorted by place. No two of them share a byte of their
    /// secrets. Says whether everything encoded was decoded and searched too; text made to explode when it
    /// is decoded is not.
    #[must_use = "encoded text that was not searched is a problem to report"]
    pub fn find(&self, text: &[u8], scratch: &mut Scratch, out: &mut Vec<Match>) -> bool {
        let mut found = std::mem::take(&mut scratch.found);
        self.find_plain(text, scratch, &mut found);
        let mut decode_scratch = std::mem::take(&mut scratch.decode);
        let decoded = decode::for_each_view(text, &self.decode, &mut decode_scratch, &mut |view| {
            self.find_in_view(view, scratch, &mut found);
        });
        scratch.decode = decode_scratch;
        self.hand_out(found, scratch, out);
        decoded.complete
    }

    fn hand_out(&self, mut found: Vec<Match>, scratch: &mut Scratch, out: &mut Vec<Match>) {
        self.keep_most_specific(&mut found);
        out.append(&mut found);
        scratch.found = found;
    }

    fn find_in_view(&self, view: &View<'_>, scratch: &mut Scratch, out: &mut Vec<Match>) {
        let mut inside = Vec::new();
        self.find_plain(&view.bytes, scratch, &mut inside);
        // What reads the same undecoded has been found there.
        inside.retain(|found| !view.is_verbatim(found.span));
        for mut found in inside {
            found.span = view.original_span(found.span);
            found.secret_span = view.original_span(found.secret_span);
            found.layers.clone_from(&view.layers);
            out.push(found);
        }
    }

    fn find_plain(&self, text: &[u8], scratch: &mut Scratch, out: &mut Vec<Match>) {
        let Scratch { hits, covered, .. } = scratch;
        hits.clear();
        covered.clear();
        self.prefilter.find(text, |literal, start| hits.push((literal, start)));
        // They come in the order of the grams, which lie anywhere in them.
        hits.sort_unstable_by_key(|&(literal, start)| (start, literal));
        for &(literal, start) in hits.iter() {
            for target in self.targets_of(literal) {
                self.try_target(text, target, start, covered, out);
            }
        }
        self.find_unanchored(text, out);
    }

    fn targets_of(&self, literal: u32) -> &[Target] {
        let literal = literal as usize;
        &self.targets[self.starts[literal] as usize..self.starts[literal + 1] as usize]
    }

    fn try_target(
        &self,
        text: &[u8],
        target: &Target,
        start: usize,
        covered: &mut Vec<(u32, usize)>,
        out: &mut Vec<Match>,
    ) {
        let index = target.rule as usize;
        let rule = &self.rules.rules()[index];
        match target.kind {
            TriggerKind::Anchor { min_before, max_before } => {
                let before = (min_before as usize, max_before as usize);
                self.try_anchor(text, (index, rule), start, before, out);
            }
            TriggerKind::Keyword => self.try_keyword(text, (index, rule), start, covered, out),
            TriggerKind::Name => self.try_name(text, (index, rule), start, out),
        }
    }

    fn find_unanchored(&self, text: &[u8], out: &mut Vec<Match>) {
        for &index in &self.unanchored {
            let whole = ByteSpan::new(0, text.len());
            self.search(text, (index, &self.rules.rules()[index]), whole, text.len(), |_| true, out);
        }
    }

    fn try_anchor(
        &self,
        text: &[u8],
        (index, rule): (usize, &Rule),
        anchor: usize,
        (min_before, max_before): (usize, usize),
        out: &mut Vec<Match>,
    ) {
        let Some(last_start) = anchor.checked_sub(min_before) else { return };
        let first_start = anchor.saturating_sub(max_before);
        if first_start == last_start && !boundary::starts_free(text, last_start, &rule.edges) {
            return;
        }
        let end = (last_start + max_bytes(rule) + 1).min(text.len());
        let window = ByteSpan::new(first_start, end);
        self.search(
            text,
            (index, rule),
            window,
            last_start,
            |span| span.start <= anchor && anchor < span.end,
            out,
        );
    }

    fn try_keyword(
        &self,
        text: &[u8],
        (index, rule): (usize, &Rule),
        start: usize,
        covered: &mut Vec<(u32, usize)>,
        out: &mut Vec<Match>,
    ) {
        let Some(keyword) = keyword_at(text, start, rule) else { return };
        let reach = rule.reach_bytes as usize;
        let back = reach.min(BACK_REACH_BYTES) + max_bytes(rule).min(BACK_VALUE_BYTES);
        let from = lines_back(text, keyword.start, back, 0);
        let to = lines_forward(text, keyword.end, reach, REACH_LINES);
        let slot = match covered.iter().position(|&(rule, _)| rule as usize == index) {
            Some(slot) => slot,
            None => {
                covered.push((index as u32, 0));
                covered.len() - 1
            }
        };
        let from = from.max(covered[slot].1);
        if from >= to {
            return;
        }
        covered[slot].1 = to;
        let window = ByteSpan::new(from, (to + max_bytes(rule) + 1).min(text.len()));
        self.search(text, (index, rule), window, to, |span| !span.overlaps(keyword), out);
    }

    /// Runs the expression on `window` and keeps the bounded matches that start at or before
    /// `last_start` and that `accept` says yes to.
    fn search(
        &self,
        text: &[u8],
        (index, rule): (usize, &Rule),
        window: ByteSpan,
        last_start: usize,
        accept: impl Fn(ByteSpan) -> bool,
        out: &mut Vec<Match>,
    ) {
        let regex = rule.regex();
        let hay = &text[window.range()];
        let mut from = 0;
        while from + rule.min_bytes as usize <= hay.len() {
            let Some(found) = regex.find_at(hay, from) else { return };
            let span = ByteSpan::new(window.start + found.start(), window.start + found.end());
            if span.start > last_start {
                return;
            }
            // A run that the window cuts off goes on outside; it is reported as far as it was read.
            let cut = rule.max_bytes.is_none() && span.end == window.end;
            let bounded = boundary::is_bounded(text, span, &rule.edges)
                || (cut && boundary::starts_free(text, span.start, &rule.edges));
            if bounded && accept(span) && self.keyword_near(text, span, rule) {
                out.push(capture(&text[..window.end], (index, rule), span));
                from = found.end().max(from + 1);
            } else {
                from = found.start() + 1;
                while from < hay.len() && !boundary::starts_free(text, window.start + from, &rule.edges) {
                    from += 1;
                }
            }
        }
    }

    /// For a rule with a literal of its own that asks for a keyword too.
    fn keyword_near(&self, text: &[u8], span: ByteSpan, rule: &Rule) -> bool {
        if rule.keywords.is_empty() || rule.anchors.is_empty() {
            return true;
        }
        let reach = rule.reach_bytes as usize;
        let from = lines_back(text, span.start, reach, REACH_LINES);
        let to = lines_forward(text, span.end, reach, REACH_LINES);
        let around = &text[from..to];
        rule.keywords.iter().any(|word| {
            let word = word.as_bytes();
            around.windows(word.len()).any(|window| window.eq_ignore_ascii_case(word))
        })
    }

    fn try_name(&self, text: &[u8], (index, rule): (usize, &Rule), start: usize, out: &mut Vec<Match>) {
        let Some(keyword) = keyword_at(text, start, rule) else { return };
        let Some(Assignment { name, value, quote, joint, place }) = assignment::read(text, keyword) else {
            return;
        };
        let assigned = Assigned { name: text[name.range()].to_vec(), joint, quote, place };
        out.push(Match {
            rule: index,
            span: ByteSpan::new(name.start, value.end),
            secret_span: value,
            secret: Secret::new(&text[value.range()]),
            assigned: Some(assigned),
            layers: Vec::new(),
        });
    }

    /// Where secrets overlap keeps the one whose rule says most, and sorts by place.
    fn keep_most_specific(&self, found: &mut Vec<Match>) {
        if found.len() < 2 {
            return;
        }
        let rank = |found: &Match| {
            let rule = self.rule(found);
            let kind = match rule.kind {
                RuleKind::Block => 0,
                RuleKind::Prefixed => 1,
                // An identifier near a keyword must not claim the secret beside it.
                RuleKind::Keyed if rule.public => 4,
                RuleKind::Keyed => 2,
                RuleKind::Generic | RuleKind::Path => 3,
            };
            // A word beside the value tells more than the value's form, which several providers may share.
            let needs_word = rule.anchors.is_empty() || !rule.keywords.is_empty();
            let confidence = std::cmp::Reverse(rule.confidence);
            (
                kind,
                !needs_word,
                confidence,
                rule.public,
                found.layers.len(),
                std::cmp::Reverse(found.secret_span.len()),
            )
        };
        found.sort_by(|a, b| {
            let by_place = || (a.secret_span, a.rule, a.span).cmp(&(b.secret_span, b.rule, b.span));
            rank(a).cmp(&rank(b)).then_with(by_place)
        });
        let mut kept: Vec<Match> = Vec::with_capacity(found.len());
        let mut taken: std::collections::BTreeMap<usize, usize> = std::collections::BTreeMap::new();
        for candidate in found.drain(..) {
            let span = candidate.secret_span;
            let before = taken.range(..span.end).next_back();
            if before.is_none_or(|(_, &end)| end <= span.start) {
                taken.insert(span.start, span.end);
                kept.push(candidate);
            }
        }
        kept.sort_by_key(|found| (found.secret_span, found.rule));
        *found = kept;
    }
}

/// The secret part of a match, `text` being cut where the search was.
fn capture(text: &[u8], (index, rule): (usize, &Rule), span: ByteSpan) -> Match {
    let regex = rule.regex();
    let mut secret_span = span;
    if regex.captures_len() > 1
        && let Some(groups) = regex.captures(&text[span.start..])
    {
        let group = groups.name("secret").or_else(|| groups.iter().skip(1).flatten().next());
        if let Some(group) = group {
            secret_span = ByteSpan::new(span.start + group.start(), span.start + group.end());
        }
    }
    let secret = Secret::new(&text[secret_span.range()]);
    Match { rule: index, span, secret_span, secret, assigned: None, layers: Vec::new() }
}

fn max_bytes(rule: &Rule) -> usize {
    rule.max_bytes.map_or(OPEN_WINDOW_BYTES, |max| (max as usize).min(OPEN_WINDOW_BYTES))
}

/// The longest keyword of the rule that starts at `start` as a word of its own.
fn keyword_at(text: &[u8], start: usize, rule: &Rule) -> Option<ByteSpan> {
    let rest = &text[start..];
    let same = |word: &&[u8]| rest.len() >= word.len() && rest[..word.len()].eq_ignore_ascii_case(word);
    let len = rule.keywords.iter().map(|word| word.as_bytes()).filter(same).map(<[u8]>::len).max()?;
    let span = ByteSpan::new(start, start + len);
    let joins = |left: u8, right: u8| {
        // `clickupToken` has a joint before `T`; `CLICKUPTOKEN` and `clickuptoken` have none.
        left.is_ascii_alphabetic()
            && right.is_ascii_alphabetic()
            && !(left.is_ascii_lowercase() && right.is_ascii_uppercase())
    };
    let free_before = start == 0 || !joins(text[start - 1], text[start]);
    let free_after = text.get(span.end).is_none_or(|&next| !joins(text[span.end - 1], next));
    let whole_word = rule.kind != RuleKind::Generic && len <= SHORT_KEYWORD_BYTES;
    // `dbpassword` and `mysecret` are names too, so a generic keyword may end a word.
    let free_before = free_before || rule.kind == RuleKind::Generic;
    (free_before && (free_after || !whole_word)).then_some(span)
}

/// The offset up to `reach` bytes and `lines` line ends before `at`.
fn lines_back(text: &[u8], at: usize, reach: usize, lines: usize) -> usize {
    let floor = at.saturating_sub(reach);
    memchr::memrchr_iter(b'\n', &text[floor..at]).nth(lines).map_or(floor, |end| floor + end + 1)
}

/// The offset up to `reach` bytes and `lines` line ends behind `at`.
fn lines_forward(text: &[u8], at: usize, reach: usize, lines: usize) -> usize {
    let ceiling = (at + reach).min(text.len());
    memchr::memchr_iter(b'\n', &text[at..ceiling]).nth(lines).map_or(ceiling, |end| at + end)
}
