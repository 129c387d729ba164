//! Rules × bytes → matches. Knows nothing of git, of paths or of reports.
//!
//! The prefilter finds literals; each tells which rules to try there. A rule with a literal of its own in
//! the value (kinds `prefixed` and `block`) goes through the steps of its shape at the one place where the value can
//! start, or runs its expression there if it has none. A `keyed` rule does so on the bytes round the keyword. A `generic`
//! rule reads the assignment to the name that holds its keyword. Where several matches lie on each other the most specific
//! one is kept.

mod anchor;
pub mod assignment;
mod beside;
mod boundary;
mod bytes;
mod catalogue;
mod crowd;
mod derived;
mod form;
mod found;
mod keyword;
mod name;
mod near_values;
mod order;
mod prefilter;
mod reach;
pub(crate) mod recall;
mod recent;
mod runs;
mod search;
mod secret_words;
mod specific;
mod stretch;
mod tables;
pub mod trace;
mod walk;
mod whole;
mod words;

use std::borrow::Cow;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::decode::{self, View};
use crate::derived::Hit;
use crate::rule::schema::{RuleKind, Trigger, TriggerKind};
use crate::rule::{Rule, RuleSet};
use crate::span::ByteSpan;
use assignment::{Assignment, Readings};
use beside::{Beside, Pairs};
use boundary::Front;
use crowd::Crowd;
use found::NO_WORD;
pub use found::{Assigned, Context, Host, Match};
use order::push_in_order;
use prefilter::Prefilter;
use reach::Looked;
use recent::{Recent, Stretch};
use runs::Runs;
use search::Places;
use secret_words::SecretWords;
use tables::{Tables, Target};
use trace::{Sink, Trace};

/// The compiled rules: immutable, shared by all workers.
#[derive(Debug)]
pub struct Matcher {
    /// Another one in every matcher: what a worker remembers of its rules is nothing to others.
    id: u64,
    rules: RuleSet,
    prefilter: Prefilter,
    /// Lengths of the literals.
    literal_lens: Cow<'static, [u16]>,
    /// How far the rules of each literal look, for texts derived from others.
    sights: OnceLock<derived::Sights>,
    /// Which bytes stand beside each other in the literals, for places at which texts are joined.
    pairs: OnceLock<Pairs>,
    /// Rules that have neither a literal nor a keyword and look at everything.
    unanchored: Vec<usize>,
    /// The words of those among them that look only at texts that hold one.
    whole: whole::Words,
    decode: decode::Limits,
}

/// Space that a worker reuses from unit to unit.
#[derive(Debug, Default)]
pub struct Scratch {
    hits: Vec<(usize, u32)>,
    /// The literals of the text itself while what is encoded in it is searched, if they are known.
    text_hits: Option<Vec<(usize, u32)>>,
    beside: Beside,
    memory: Memory,
    found: Vec<Match>,
    derived: Vec<(Hit, bool)>,
    recent: Recent,
    /// Of the text at hand: stretches that were not found among the recent ones.
    unknown: Vec<(Stretch, Option<bool>)>,
    decode: decode::Scratch,
}

/// What was done in a text, so that it need not be done again.
#[derive(Debug, Default)]
struct Memory {
    readings: Readings,
    words: SecretWords,
    runs: Runs,
    /// Where in the list of matches those are that the last word tried led to and an earlier one had found.
    again: Vec<usize>,
    /// The last assignment of which a generic rule made a match, and where in the list of matches that is, if of several
    /// such rules only the one that says most is asked for.
    generic: Option<Option<(Assignment, usize)>>,
    /// By the last digits of the number of the literal.
    crowds: Vec<Crowd>,
    /// Whether anything can be assigned to a name in the text, once it was asked.
    assigns: Option<bool>,
}

impl Memory {
    /// Forgets all, before another text.
    fn clear(&mut self) {
        self.readings.clear();
        self.words.clear();
        self.runs.text += 1;
        self.again.clear();
        self.generic = None;
        self.assigns = None;
    }

    /// Whether anything can be assigned to a name: in most of what is decoded nothing can.
    fn assigns(&mut self, text: &[u8]) -> bool {
        *self.assigns.get_or_insert_with(|| assignment::may_stand_in(text))
    }
}

impl Matcher {
    /// Prepares the rules. No expression is compiled before a candidate asks for it.
    pub fn new(rules: RuleSet) -> Self {
        let tables = match rules.is_catalogue() {
            true => catalogue::tables(),
            false => {
                let mut triggers = rules.triggers();
                // The catalogue's come sorted, and a stable sort passes over sorted runs.
                triggers.sort_by_key(Trigger::order);
                Tables::new(&triggers)
            }
        };
        let literal_lens = tables.lens.clone();
        let prefilter = Prefilter::new(tables);
        let unanchored = rules.looking_at_everything();
        let whole = whole::Words::new(&rules, &unanchored);
        let (sights, pairs) = (OnceLock::new(), OnceLock::new());
        let decode = decode::Limits::default();
        static MADE: AtomicU64 = AtomicU64::new(1);
        let id = MADE.fetch_add(1, Ordering::Relaxed);
        Self { id, rules, prefilter, literal_lens, sights, pairs, unanchored, whole, decode }
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
        let complete = self.find_all(text, scratch, &mut found);
        self.hand_out(text, found, scratch, out);
        complete
    }

    /// Hands out those matches that are kept. What was left out would not be among them if one of its rule is that says more
    /// and lies on it: one as long that starts no later. Otherwise all matches are looked for once more.
    fn hand_out(&self, text: &[u8], mut found: Vec<Match>, scratch: &mut Scratch, out: &mut Vec<Match>) {
        let first = out.len();
        self.keep_most_specific(&mut found, out);
        let left_out = std::mem::take(&mut scratch.memory.runs.left_out);
        let is_covered = |(rule, secret): &(usize, ByteSpan)| {
            let kept = &out[first..];
            // Sorted, and no two lie on each other, but for those of rules that look at whole texts.
            let before = &kept[..kept.partition_point(|kept| kept.secret_span.start <= secret.start)];
            let nearest = before.iter().rfind(|kept| self.rule(kept).kind != RuleKind::Whole);
            nearest.is_some_and(|Match { rule: of, secret_span: span, .. }| {
                of == rule && secret.start < span.end && secret.len() <= span.len()
            })
        };
        if !left_out.iter().all(is_covered) {
            out.truncate(first);
            scratch.memory.runs.keeps_all = true;
            // Whether everything was decoded is known.
            self.find_all(text, scratch, &mut found);
            scratch.memory.runs.keeps_all = false;
            self.keep_most_specific(&mut found, out);
        }
        scratch.found = found;
    }

    /// Does what [`Matcher::find`] does and tells how it came about: also what rules tried in vain, and which
    /// matches gave way to those of a more specific rule.
    #[must_use = "encoded text that was not searched is a problem to report"]
    pub fn trace(&self, text: &[u8], trace: &mut Trace, out: &mut Vec<Match>) -> bool {
        let complete = self.find_all(text, &mut Scratch::default(), trace);
        self.keep_most_specific(&mut trace.found.clone(), out);
        complete
    }

    /// Every match, in the text and in what is encoded in it.
    fn find_all<S: Sink>(&self, text: &[u8], scratch: &mut Scratch, out: &mut S) -> bool {
        self.find_plain(text, scratch, out);
        let hits = std::mem::take(&mut scratch.hits);
        scratch.hits = scratch.text_hits.replace(hits).unwrap_or_default();
        let mut decode_scratch = std::mem::take(&mut scratch.decode);
        let decoded = decode::for_each_view(text, &self.decode, &mut decode_scratch, &mut |view| {
            self.find_in_view(text, view, scratch, out);
        });
        scratch.decode = decode_scratch;
        decoded.complete
    }

    fn find_in_view<S: Sink>(&self, text: &[u8], view: &View<'_>, scratch: &mut Scratch, out: &mut S) {
        let mut told = S::default();
        // An explanation of a view is one of its own until all is said; matches are put where they stay.
        let inside = if S::TELLS { &mut told } else { &mut *out };
        let first = inside.matches().len();
        scratch.memory.runs.is_view = true;
        self.find_plain(&view.bytes, scratch, inside);
        self.find_beside_name(text, view, scratch, inside);
        scratch.memory.runs.is_view = false;
        let mut kept = first;
        for at in first..inside.matches().len() {
            let found = &mut inside.matches()[at];
            // What reads the same undecoded has been found there.
            if view.is_verbatim(found.span) {
                continue;
            }
            found.span = view.original_span(found.span);
            found.secret_span = view.original_span(found.secret_span);
            found.layers.clone_from(&view.layers);
            inside.matches().swap(kept, at);
            kept += 1;
        }
        inside.matches().truncate(kept);
        if S::TELLS {
            out.matches().append(told.matches());
            out.absorb(told, view);
        }
    }

    fn find_plain(&self, text: &[u8], scratch: &mut Scratch, out: &mut impl Sink) {
        let Scratch { hits, memory, .. } = scratch;
        hits.clear();
        memory.clear();
        memory.runs.asked.clear();
        memory.generic = Some(None);
        self.prefilter.find(text, |literal, start| push_in_order(hits, (start, literal)));
        for &(start, literal) in hits.iter() {
            self.try_literal(text, (literal, start), memory, out);
        }
        self.find_unanchored(text, out);
    }

    fn targets_of(&self, literal: u32) -> &[Target] {
        let literal = literal as usize;
        let Tables { starts, targets, .. } = self.prefilter.tables();
        &targets[starts[literal] as usize..starts[literal + 1] as usize]
    }

    /// Tries the rules of a literal.
    fn try_literal<S: Sink>(
        &self,
        text: &[u8],
        (literal, start): (u32, usize),
        memory: &mut Memory,
        out: &mut S,
    ) {
        let front = if S::TELLS { Front::default() } else { Front::of(text, start) };
        memory.again.clear();
        let misfits = if S::TELLS { 0 } else { self.misfits(text, (literal, start), front, memory).0 };
        for (number, target) in self.targets_of(literal).iter().enumerate() {
            // Most literals stand in the middle of a word, and nothing of a rule is needed to tell.
            let is_none = front.is_against(target)
                || (number < 64 && misfits >> number & 1 == 1)
                || (!S::TELLS && target.kind == TriggerKind::Name && !memory.assigns(text));
            if !is_none {
                self.try_target(text, target, self.span_of(literal, start), memory, out);
            }
        }
    }

    fn span_of(&self, literal: u32, start: usize) -> ByteSpan {
        ByteSpan::new(start, start + usize::from(self.literal_lens[literal as usize]))
    }

    /// Tries one rule at a literal. Says how far it looked.
    fn try_target(
        &self,
        text: &[u8],
        target: &Target,
        literal: ByteSpan,
        memory: &mut Memory,
        out: &mut impl Sink,
    ) -> Looked {
        let index = target.rule as usize;
        let rule = &self.rules.rules()[index];
        let start = literal.start;
        out.look(text, (index, rule), Some(target.kind), start);
        match target.kind {
            TriggerKind::Anchor { min_before, max_before } => {
                let before = (min_before as usize, max_before as usize);
                self.try_anchor(text, (index, rule), start, before, &mut memory.runs, out)
            }
            TriggerKind::Keyword => self.try_keyword(text, (index, rule), literal, &mut memory.runs, out),
            TriggerKind::Name if rule.kind == RuleKind::Keyed => {
                self.try_named_value(text, (index, rule), literal, memory, out)
            }
            TriggerKind::Name => self.try_name(text, (index, rule), literal, memory, out),
        }
    }

    fn find_unanchored(&self, text: &[u8], out: &mut impl Sink) {
        if self.unanchored.is_empty() {
            return;
        }
        let words = self.whole.find(text);
        for &index in &self.unanchored {
            let whole = ByteSpan::new(0, text.len());
            let rule = &self.rules.rules()[index];
            if rule.kind == RuleKind::Whole {
                if words.lead_to(index) {
                    out.look(text, (index, rule), None, 0);
                    out.window(whole);
                    whole::find(text, (index, rule), out);
                }
                continue;
            }
            out.look(text, (index, rule), None, 0);
            let places = Places { window: whole, last_start: text.len(), known: None };
            self.search(text, (index, rule), places, None, |_| Ok(NO_WORD), out);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::sync::LazyLock;

    /// Words of keyed rules, names that speak of a secret, what joins them, and values, in any order.
    fn crowded() -> impl Strategy<Value = String> {
        let word = prop::sample::select(vec![
            "cloze",
            "datadog",
            "twilio",
            "mailchimp",
            "smtp",
            "clickup",
            "ovh",
            "heroku",
            "cloudflare",
        ]);
        let name = prop::sample::select(vec![
            "token",
            "secret",
            "key",
            "password",
            "api_key",
            "_auth",
            "passecretoken",
            "cred",
            "user",
            "db",
        ]);
        let joint = prop::sample::select(vec![
            " = ", ": ", "=", " ", "\n", ",", ".", "\"", "_", "-", ": str = ", "(\"", "\": \"", " => ", ":",
            "\n\n",
        ]);
        let hex = "[a-f0-9]{16}".prop_flat_map(|half| {
            prop::sample::select(vec![half.clone(), format!("{half}{half}"), format!("{half}{half}{half}0")])
        });
        let piece = prop_oneof![
            3 => word.prop_map(str::to_owned),
            3 => name.prop_map(str::to_owned),
            5 => joint.prop_map(str::to_owned),
            2 => hex,
            1 => "[A-Za-z0-9+/_.-]{1,48}",
            1 => "[.-]{1,3}",
            // Literals of many rules, so often that they are known as such.
            1 => "(sk_|sk_test_|eyJ|pk_|key_)[A-Za-z0-9_]{0,45}[ .\n]".prop_map(|piece| piece.repeat(18)),
            1 => " {1,90}",
        ];
        let pieces = prop::collection::vec((piece, 1usize..4, 0usize..40), 1..60);
        pieces.prop_map(|pieces| {
            let mut text = String::new();
            for (piece, times, encoded) in pieces {
                // What was written last again in base64.
                if let Some(between) = ["", "\n", " "].get(encoded) {
                    let last = &text.as_bytes()[text.len().saturating_sub(40 * (1 + encoded))..];
                    let last = data_encoding::BASE64.encode(last);
                    text.extend([between, last.as_str(), "\n"]);
                }
                text.push_str(&piece.repeat(times));
            }
            text
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1500))]

        /// A scan reads names once and passes over places by their bytes; an explanation does neither.
        #[test]
        fn a_scan_finds_what_an_explanation_finds(text in crowded()) {
            static MATCHER: LazyLock<Matcher> = LazyLock::new(|| Matcher::new(RuleSet::builtin()));
            let described = |found: &[Match]| -> Vec<String> {
                let tell = |found: &Match| {
                    let Match { rule, span, secret_span, context, layers, word, .. } = found;
                    format!("{rule} {span:?} {secret_span:?} {context:?} {layers:?} {word}")
                };
                found.iter().map(tell).collect()
            };
            let (mut found, mut told) = (Vec::new(), Vec::new());
            prop_assert!(MATCHER.find(text.as_bytes(), &mut Scratch::default(), &mut found));
            prop_assert!(MATCHER.trace(text.as_bytes(), &mut Trace::default(), &mut told));
            prop_assert_eq!(described(&found), described(&told));
        }
    }
}
