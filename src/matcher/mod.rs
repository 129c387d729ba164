//! Rules × bytes → matches. Knows nothing of git, of paths or of reports.
//!
//! The prefilter finds literals; each tells which rules to try there. A rule with a literal of its own in
//! the value (kinds `prefixed` and `block`) runs its expression at the one place where the value can start.
//! A `keyed` rule runs it on the bytes round the keyword. A `generic` rule reads the assignment to the name
//! that holds its keyword. Where several matches lie on each other the most specific one is kept.

pub mod assignment;
mod boundary;
mod catalogue;
mod derived;
mod prefilter;
mod tables;
pub mod trace;
mod whole;

use std::borrow::Cow;
use std::cell::Cell;
use std::sync::OnceLock;

use crate::decode::{self, View};
use crate::derived::Hit;
use crate::matcher::assignment::{Assignment, Readings};
use crate::rule::schema::{LONGEST_TRIGGER_BYTES, RuleKind, Trigger, TriggerKind};
use crate::rule::{Rule, RuleSet};
use crate::secret::Secret;
use crate::span::ByteSpan;
use prefilter::Prefilter;
use tables::{Tables, Target};
use trace::{Miss, MissReason, Sink, Trace};

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
    /// What stands round it.
    pub context: Context,
    /// Encodings that were undone to find it, outermost first.
    pub layers: Vec<decode::Layer>,
    /// How far off the word is that names the provider; the least number is the nearest word, and of two in
    /// one place the longer one. No word: the greatest number.
    word: u32,
}

/// What stands round a secret, in the text or the decoded view in which it was found, that the judgement looks
/// at.
#[derive(Clone, Debug, Default, Hash)]
pub struct Context {
    /// For a generic rule: the assignment.
    pub assigned: Option<Assigned>,
    /// Whose host follows the password of a URL.
    pub host: Host,
}

/// Whose a host is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Host {
    /// Somebody's, or there is none.
    #[default]
    Somebodys,
    /// The machine itself.
    Loopback,
    /// Nobody's: set aside for documentation and tests (RFC 2606, RFC 6761).
    Reserved,
}

impl Host {
    /// Reads what follows a password: `@localhost:5432/…`.
    fn behind(rest: &[u8]) -> Self {
        let Some(rest) = rest.strip_prefix(b"@") else { return Self::Somebodys };
        let end = rest.iter().position(|&byte| !(byte.is_ascii_alphanumeric() || b"-.".contains(&byte)));
        let host = rest[..end.unwrap_or(rest.len())].trim_ascii_end().to_ascii_lowercase();
        let host = host.strip_suffix(b".").unwrap_or(&host);
        let last = host.rsplit(|&byte| byte == b'.').next().unwrap_or_default();
        if host == b"localhost"
            || host.starts_with(b"127.")
            || host == b"0.0.0.0"
            || rest.starts_with(b"[::1]")
        {
            return Self::Loopback;
        }
        let examples = [&b"example.com"[..], b"example.org", b"example.net"];
        let is_example = examples.iter().any(|name| {
            host.strip_suffix(*name).is_some_and(|front| front.is_empty() || front.ends_with(b"."))
        });
        if is_example || matches!(last, b"example" | b"invalid" | b"test") {
            return Self::Reserved;
        }
        Self::Somebodys
    }
}

/// The parts of an assignment that the judgement looks at.
#[derive(Clone, Debug, Hash)]
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
    /// Lengths of the literals.
    literal_lens: Cow<'static, [u16]>,
    /// How far the rules of each literal look, for texts derived from others.
    sights: OnceLock<derived::Sights>,
    /// Rules that have neither a literal nor a keyword and look at everything.
    unanchored: Vec<usize>,
    /// The words of those among them that look only at texts that hold one.
    whole: whole::Words,
    decode: decode::Limits,
}

/// Space that a worker reuses from unit to unit.
#[derive(Debug, Default)]
pub struct Scratch {
    hits: Vec<(u32, usize)>,
    memory: Memory,
    found: Vec<Match>,
    derived: Vec<(Hit, bool)>,
    decode: decode::Scratch,
}

/// What was done in a text, so that it need not be done again.
#[derive(Debug, Default)]
struct Memory {
    /// Up to where a keyed rule has already looked, for the rules that have looked at all.
    covered: Vec<(u32, usize)>,
    readings: Readings,
    runs: Runs,
}

impl Memory {
    /// Forgets all, before another text.
    fn clear(&mut self) {
        self.covered.clear();
        self.forget_text();
    }

    /// Forgets what was read, which is the same whoever asks for it.
    fn forget_text(&mut self) {
        self.readings.clear();
        self.runs.text += 1;
    }
}

/// Stretches of the text that were gone through for a rule. Literals may stand in a long run of what the value is
/// made of, a few bytes apart, and each byte of it is looked at once then.
#[derive(Debug, Default)]
struct Runs {
    /// The number of the text; what is noted of others counts for nothing.
    text: u64,
    of_rules: Vec<RunsOfRule>,
}

#[derive(Clone, Copy, Debug, Default)]
struct RunsOfRule {
    text: u64,
    /// All of its bytes may be part of a value.
    fits: (usize, usize),
    /// None of its bytes may stand behind a value.
    joined: (usize, usize),
}

impl Runs {
    fn of(&mut self, index: usize) -> &mut RunsOfRule {
        if self.of_rules.len() <= index {
            self.of_rules.resize(index + 1, RunsOfRule::default());
        }
        let runs = &mut self.of_rules[index];
        if runs.text != self.text {
            *runs = RunsOfRule { text: self.text, ..RunsOfRule::default() };
        }
        runs
    }
}

impl RunsOfRule {
    /// Where the text ends or first holds a byte of which no match is made, if that is before the shortest match
    /// from `start` would end.
    fn misfit(&mut self, text: &[u8], start: usize, rule: &Rule) -> Option<usize> {
        let end = start + rule.min_bytes as usize;
        let fits = |byte| rule.alphabet.contains(byte);
        let first_other = grow(&mut self.fits, text, (start, end.min(text.len())), fits);
        first_other.or((end > text.len()).then_some(text.len()))
    }

    /// Whether a match that starts at `start` can end at a byte that may stand behind one. In the middle of a long
    /// run none can, and the expression need not go through it to tell.
    fn can_end(&mut self, text: &[u8], start: usize, rule: &Rule) -> bool {
        let Some(max_bytes) = rule.max_bytes else { return true };
        // As far as the window goes, which is a byte more than the longest match.
        let (first, last) = (start + rule.min_bytes as usize, start + max_bytes as usize + 1);
        if first > text.len() {
            return false;
        }
        let joined = |byte| rule.edges.after.contains(byte);
        last >= text.len() || grow(&mut self.joined, text, (first, last + 1), joined).is_some()
    }
}

/// The first byte from `from` to `to` that is not of the kind; a stretch of such bytes is known, and grows.
fn grow(
    known: &mut (usize, usize),
    text: &[u8],
    (from, to): (usize, usize),
    is_of_kind: impl Fn(u8) -> bool,
) -> Option<usize> {
    if !(known.0..=known.1).contains(&from) {
        *known = (from, from);
    }
    if known.1 < to {
        let more = text[known.1..to].iter().position(|&byte| !is_of_kind(byte));
        known.1 = more.map_or(to, |more| known.1 + more);
    }
    (known.1 < to).then_some(known.1)
}

/// How far a rule looked from the start of its literal, if it found nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Looked {
    /// No farther than [`NEAR_BACK_BYTES`] and [`NEAR_AHEAD_BYTES`].
    Near,
    /// As far as a value of its form may reach.
    AtForm,
    /// At what stands round a value of its form.
    Around,
}

/// What [`boundary::starts_free`] looks at before a value: the longest escape.
const NEAR_BACK_BYTES: usize = 16;
/// A literal, and as much again.
const NEAR_AHEAD_BYTES: usize = 2 * LONGEST_TRIGGER_BYTES;

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
        let sights = OnceLock::new();
        let decode = decode::Limits::default();
        Self { rules, prefilter, literal_lens, sights, unanchored, whole, decode }
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
        self.hand_out(found, scratch, out);
        complete
    }

    fn hand_out(&self, mut found: Vec<Match>, scratch: &mut Scratch, out: &mut Vec<Match>) {
        self.keep_most_specific(&mut found);
        out.append(&mut found);
        scratch.found = found;
    }

    /// Does what [`Matcher::find`] does and tells how it came about: also what rules tried in vain, and which
    /// matches gave way to those of a more specific rule.
    #[must_use = "encoded text that was not searched is a problem to report"]
    pub fn trace(&self, text: &[u8], trace: &mut Trace, out: &mut Vec<Match>) -> bool {
        let complete = self.find_all(text, &mut Scratch::default(), trace);
        let mut kept = trace.found.clone();
        self.keep_most_specific(&mut kept);
        out.append(&mut kept);
        complete
    }

    /// Every match, in the text and in what is encoded in it.
    fn find_all<S: Sink>(&self, text: &[u8], scratch: &mut Scratch, out: &mut S) -> bool {
        self.find_plain(text, scratch, out);
        let mut decode_scratch = std::mem::take(&mut scratch.decode);
        let decoded = decode::for_each_view(text, &self.decode, &mut decode_scratch, &mut |view| {
            self.find_in_view(text, view, scratch, out);
        });
        scratch.decode = decode_scratch;
        decoded.complete
    }

    fn find_in_view<S: Sink>(&self, text: &[u8], view: &View<'_>, scratch: &mut Scratch, out: &mut S) {
        let mut inside = S::default();
        self.find_plain(&view.bytes, scratch, &mut inside);
        self.find_beside_name(text, view, scratch, &mut inside);
        // What reads the same undecoded has been found there.
        inside.matches().retain(|found| !view.is_verbatim(found.span));
        for mut found in inside.matches().drain(..) {
            found.span = view.original_span(found.span);
            found.secret_span = view.original_span(found.secret_span);
            found.layers.clone_from(&view.layers);
            out.matches().push(found);
        }
        out.absorb(inside, view);
    }

    /// A value in base64 is shown without what stands before it, and in a Kubernetes Secret the name and the
    /// provider's word stand there: such a value is read once more behind its own lines.
    fn find_beside_name<S: Sink>(&self, text: &[u8], view: &View<'_>, scratch: &mut Scratch, out: &mut S) {
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
        let spliced = [head, &view.bytes, b"\n"].concat();
        let mut beside = S::default();
        self.find_plain(&spliced, scratch, &mut beside);
        let value_end = head.len() + view.bytes.len();
        for mut found in beside.matches().drain(..) {
            let span = found.secret_span;
            if span.start >= head.len() && span.end <= value_end {
                found.secret_span = ByteSpan::new(span.start - head.len(), span.end - head.len());
                found.span = found.secret_span;
                out.matches().push(found);
            }
        }
    }

    fn find_plain(&self, text: &[u8], scratch: &mut Scratch, out: &mut impl Sink) {
        let Scratch { hits, memory, .. } = scratch;
        hits.clear();
        memory.clear();
        self.prefilter.find(text, |literal, start| hits.push((literal, start)));
        // They come in the order of the grams, which lie anywhere in them.
        hits.sort_unstable_by_key(|&(literal, start)| (start, literal));
        for &(literal, start) in hits.iter() {
            for target in self.targets_of(literal) {
                self.try_target(text, target, start, memory, out);
            }
        }
        self.find_unanchored(text, out);
    }

    fn targets_of(&self, literal: u32) -> &[Target] {
        let literal = literal as usize;
        let Tables { starts, targets, .. } = self.prefilter.tables();
        &targets[starts[literal] as usize..starts[literal + 1] as usize]
    }

    /// Tries one rule at a literal. Says how far it looked.
    fn try_target(
        &self,
        text: &[u8],
        target: &Target,
        start: usize,
        memory: &mut Memory,
        out: &mut impl Sink,
    ) -> Looked {
        let index = target.rule as usize;
        let rule = &self.rules.rules()[index];
        out.look(text, (index, rule), Some(target.kind), start);
        match target.kind {
            TriggerKind::Anchor { min_before, max_before } => {
                let before = (min_before as usize, max_before as usize);
                self.try_anchor(text, (index, rule), start, before, memory.runs.of(index), out)
            }
            TriggerKind::Keyword => self.try_keyword(text, (index, rule), start, &mut memory.covered, out),
            TriggerKind::Name if rule.kind == RuleKind::Keyed => {
                self.try_named_value(text, (index, rule), start, &mut memory.readings, out)
            }
            TriggerKind::Name => self.try_name(text, (index, rule), start, &mut memory.readings, out),
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
            self.search(text, (index, rule), whole, text.len(), |_| Ok(NO_WORD), out);
        }
    }

    fn try_anchor<S: Sink>(
        &self,
        text: &[u8],
        (index, rule): (usize, &Rule),
        anchor: usize,
        (min_before, max_before): (usize, usize),
        runs: &mut RunsOfRule,
        out: &mut S,
    ) -> Looked {
        let Some(last_start) = anchor.checked_sub(min_before) else {
            out.miss(|| Miss::of(MissReason::NoRoom));
            return Looked::AtForm;
        };
        let first_start = anchor.saturating_sub(max_before);
        if first_start == last_start && !boundary::starts_free(text, last_start, &rule.edges) {
            // Only an explanation asks whether the rest would fit.
            out.miss(|| {
                let why = MissReason::Before(text[last_start - 1]);
                let end = (last_start + max_bytes(rule)).min(text.len());
                match rule.regex().find(&text[last_start..end]) {
                    None => Miss::of(why),
                    Some(found) => {
                        let span = ByteSpan::new(last_start, last_start + found.end());
                        Miss::at(why, &text[..end], (index, rule), span)
                    }
                }
            });
            return if max_before == 0 { Looked::Near } else { Looked::AtForm };
        }
        let whole = ByteSpan::new(first_start, (last_start + max_bytes(rule) + 1).min(text.len()));
        if max_before == 0
            && let Some(at) = runs.misfit(text, first_start, rule)
        {
            out.window(whole);
            return if at - first_start < NEAR_AHEAD_BYTES { Looked::Near } else { Looked::AtForm };
        }
        // A match is tied to where it starts: a search for the first one in all of the window would go on behind the
        // last place at which it could start. Hardly any place gets as far as the expression.
        let reached = Cell::new(first_start);
        let word = |span: ByteSpan| {
            if span.start > anchor || anchor >= span.end {
                return Err(MissReason::WithoutLiteral);
            }
            if rule.kind == RuleKind::Prefixed && boundary::inside_encoded_data(text, span) {
                return Err(MissReason::InEncodedData);
            }
            let distance = nearest_word(text, span, rule).ok_or(MissReason::NoKeyword)?;
            reached.set(span.end);
            Ok(distance)
        };
        let mut looked = Looked::AtForm;
        let mut start = first_start;
        while start <= last_start {
            // A match of such a rule starts at one of many places, and most of them tell at once that it does not.
            if max_before > min_before && !rule.head().contains(text[start]) {
                start += 1;
                continue;
            }
            if let Some(at) = runs.misfit(text, start, rule) {
                // Nor does any match fit that starts before that byte.
                start = at + 1;
                continue;
            }
            let end = (start + max_bytes(rule) + 1).min(text.len());
            let is_possible =
                boundary::starts_free(text, start, &rule.edges) && runs.can_end(text, start, rule);
            if S::TELLS || is_possible {
                let window = ByteSpan::new(start, end);
                looked = looked.max(self.search(text, (index, rule), window, start, word, out));
            }
            start = reached.get().max(start + 1);
        }
        out.window(whole);
        looked
    }

    fn try_keyword(
        &self,
        text: &[u8],
        (index, rule): (usize, &Rule),
        start: usize,
        covered: &mut Vec<(u32, usize)>,
        out: &mut impl Sink,
    ) -> Looked {
        let Some(keyword) = whole_word(text, start, rule, &rule.keywords, out) else {
            return Looked::AtForm;
        };
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
            out.miss(|| Miss::of(MissReason::Searched));
            return Looked::Around;
        }
        covered[slot].1 = to;
        let window = ByteSpan::new(from, (to + max_bytes(rule) + 1).min(text.len()));
        let word = |span: ByteSpan| {
            if span.overlaps(keyword) {
                return Err(MissReason::IsKeyword);
            }
            match boundary::is_pinned(text, span) {
                true => Err(MissReason::Pinned),
                false => Ok(word_distance(text, keyword, span)),
            }
        };
        self.search(text, (index, rule), window, to, word, out);
        Looked::Around
    }

    /// Runs the expression on `window` and keeps the bounded matches that start at or before
    /// `last_start` and that `word` has nothing against; it says how far off the word is that names the
    /// provider. Says how far it looked: beyond the form only where it was asked.
    fn search(
        &self,
        text: &[u8],
        (index, rule): (usize, &Rule),
        window: ByteSpan,
        last_start: usize,
        word: impl Fn(ByteSpan) -> Result<u32, MissReason>,
        out: &mut impl Sink,
    ) -> Looked {
        let hay = &text[window.range()];
        out.window(window);
        let mut looked = Looked::AtForm;
        // Where a literal says where the match starts, that was asked there.
        if !rule.is_tied() && !rule.may_match(hay) {
            return looked;
        }
        let regex = rule.regex();
        let mut from = 0;
        while from + rule.min_bytes as usize <= hay.len() {
            let Some(found) = regex.find_at(hay, from) else { return looked };
            let span = ByteSpan::new(window.start + found.start(), window.start + found.end());
            if span.start > last_start {
                return looked;
            }
            // A run that the window cuts off goes on outside; it is reported as far as it was read.
            let cut = rule.max_bytes.is_none() && span.end == window.end;
            let bounded = boundary::is_bounded(text, span, &rule.edges)
                || (cut && boundary::starts_free(text, span.start, &rule.edges));
            // Without a reason it is what stands beside the match.
            if bounded {
                looked = Looked::Around;
            }
            let judged = if bounded { word(span).map_err(Some) } else { Err(None) };
            match judged {
                Ok(word) => {
                    out.found(Match { word, ..capture(&text[..window.end], (index, rule), span) });
                    from = found.end().max(from + 1);
                }
                Err(why) => {
                    out.miss(|| {
                        let why = why.unwrap_or_else(|| beside(text, span, rule));
                        Miss::at(why, &text[..window.end], (index, rule), span)
                    });
                    from = found.start() + 1;
                    while from < hay.len() && !boundary::starts_free(text, window.start + from, &rule.edges) {
                        from += 1;
                    }
                }
            }
        }
        looked
    }

    fn try_name(
        &self,
        text: &[u8],
        (index, rule): (usize, &Rule),
        start: usize,
        readings: &mut Readings,
        out: &mut impl Sink,
    ) -> Looked {
        let Some(keyword) = whole_word(text, start, rule, &rule.keywords, out) else {
            return Looked::AtForm;
        };
        // Most are followed by what joins nothing.
        if assignment::has_no_joint(text, keyword, (NEAR_BACK_BYTES, NEAR_AHEAD_BYTES)) {
            out.miss(|| Miss::of(MissReason::NoAssignment));
            return Looked::Near;
        }
        match readings.read(text, keyword) {
            Some(assignment) => out.found(assigned_match(text, index, &assignment)),
            None => out.miss(|| Miss::of(MissReason::NoAssignment)),
        }
        Looked::Around
    }

    /// For a keyed rule with `names`: the values assigned to the name that holds the word at `start`, and
    /// to names near it that speak of a secret.
    ///
    /// The form of such a value says next to nothing: only a whole value of an assignment counts.
    fn try_named_value(
        &self,
        text: &[u8],
        (index, rule): (usize, &Rule),
        start: usize,
        readings: &mut Readings,
        out: &mut impl Sink,
    ) -> Looked {
        let Some(word) = whole_word(text, start, rule, &rule.names, out) else { return Looked::AtForm };
        let mut any = false;
        let mut try_value = |keyword: ByteSpan| {
            let Some(assignment) = readings.read_or_column(text, keyword) else { return };
            any = true;
            let value = assignment.value;
            let written = &text[value.range()];
            // Length and bytes are asked first: most rules that look at a name never compile their expression.
            let fits = |bytes: &[u8]| (rule.min_bytes as usize..=max_bytes(rule)).contains(&bytes.len());
            let is_value = |bytes: &[u8]| {
                fits(bytes)
                    && bytes.iter().all(|&byte| rule.alphabet.contains(byte))
                    && rule
                        .regex()
                        .find(bytes)
                        .is_some_and(|found| found.start() == 0 && found.end() == bytes.len())
            };
            if is_value(written) || (written.contains(&b'\\') && is_value(&without_backslashes(written))) {
                let word = word_distance(text, word, value);
                out.found(Match { word, span: value, ..assigned_match(text, index, &assignment) });
            } else {
                out.miss(|| Miss { why: MissReason::OtherForm, span: Some(value), secret_span: Some(value) });
            }
        };
        try_value(word);
        let reach = rule.reach_bytes as usize;
        let back = reach.min(BACK_REACH_BYTES) + max_bytes(rule).min(BACK_VALUE_BYTES);
        let from = lines_back(text, word.start, back, 0);
        let to = lines_forward(text, word.end, reach, REACH_LINES);
        let mut at = from;
        while at < to {
            let len = secret_word_at(&text[at..to]);
            let name = ByteSpan::new(at, at + len);
            if len > 0 && !name.overlaps(word) {
                try_value(name);
            }
            at += len.max(1);
        }
        if !any {
            out.miss(|| Miss::of(MissReason::NoAssignment));
        }
        Looked::Around
    }

    /// Where secrets overlap keeps the one whose rule says most, and sorts by place.
    fn keep_most_specific(&self, found: &mut Vec<Match>) {
        if found.len() < 2 {
            return;
        }
        // Rules of another scanner see what each of them would see alone.
        let is_whole = |found: &Match| self.rule(found).kind == RuleKind::Whole;
        let mut whole: Vec<Match> = Vec::new();
        if !self.unanchored.is_empty() {
            whole.extend(found.extract_if(.., |found| is_whole(found)));
        }
        let rank = |found: &Match| {
            let rule = self.rule(found);
            let kind = match rule.kind {
                RuleKind::Generic | RuleKind::Path | RuleKind::Whole => 5,
                _ if rule.any_provider => 3,
                RuleKind::Block => 0,
                RuleKind::Prefixed => 1,
                // An identifier near a keyword must not claim the secret beside it.
                RuleKind::Keyed if rule.public => 4,
                RuleKind::Keyed => 2,
            };
            // A word beside the value tells more than the value's form, which several providers may share.
            let needs_word = rule.anchors.is_empty() || !rule.keywords.is_empty();
            let confidence = std::cmp::Reverse(rule.confidence);
            (
                kind,
                !needs_word,
                found.word,
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
        kept.append(&mut whole);
        kept.sort_by_key(|found| (found.secret_span, found.rule));
        *found = kept;
    }
}

/// The distance of a match without a word that names its provider.
const NO_WORD: u32 = u32::MAX;

/// For a rule with a literal of its own: how far off the nearest of its keywords is. `None` if it asks for
/// one and none is near.
fn nearest_word(text: &[u8], span: ByteSpan, rule: &Rule) -> Option<u32> {
    if rule.keywords.is_empty() || rule.anchors.is_empty() {
        return Some(NO_WORD);
    }
    let reach = rule.reach_bytes as usize;
    let from = lines_back(text, span.start, reach, REACH_LINES);
    let to = lines_forward(text, span.end, reach, REACH_LINES);
    let mut nearest = None;
    for keyword in &rule.keywords {
        let starts = (from..to.saturating_sub(keyword.len() - 1)).filter(|&start| {
            text[start..start + keyword.len()].eq_ignore_ascii_case(keyword.as_bytes())
                && (keyword.len() > SHORT_KEYWORD_BYTES || is_whole_word(text, start, keyword.len()))
        });
        let distances =
            starts.map(|start| word_distance(text, ByteSpan::new(start, start + keyword.len()), span));
        nearest = distances.chain(nearest).min();
    }
    nearest
}

fn is_whole_word(text: &[u8], start: usize, len: usize) -> bool {
    let end = start + len;
    let free_before = start == 0 || !is_joined(text[start - 1], text[start]);
    free_before && text.get(end).is_none_or(|&next| !is_joined(text[end - 1], next))
}

/// How far off the word is, in whole bytes between it and the value, times 64, less its own length: of two
/// words in one name the longer one says more.
fn word_distance(text: &[u8], word: ByteSpan, value: ByteSpan) -> u32 {
    const LONGEST_WORD_BYTES: usize = 63;
    let between =
        if word.end <= value.start { word.end..value.start } else { value.end.min(word.start)..word.start };
    let between = &text[between];
    // What follows in the same name, and the joint.
    let same_name = word.end <= value.start
        && between.len() <= LONGEST_WORD_BYTES
        && between.iter().all(|byte| byte.is_ascii_alphanumeric() || b"_-.\"'`\\ \t:=>".contains(byte));
    let gap = if same_name { 0 } else { between.len() + 1 };
    let distance = gap * (LONGEST_WORD_BYTES + 1) + LONGEST_WORD_BYTES - word.len().min(LONGEST_WORD_BYTES);
    u32::try_from(distance).unwrap_or(NO_WORD - 1)
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
    let context = Context { assigned: None, host: Host::behind(&text[secret_span.end..]) };
    Match { rule: index, span, secret_span, secret, context, layers: Vec::new(), word: NO_WORD }
}

/// The match of a value that is assigned to a name.
fn assigned_match(text: &[u8], rule: usize, assignment: &Assignment) -> Match {
    let &Assignment { name, value, quote, joint, place } = assignment;
    let assigned = Assigned { name: text[name.range()].to_vec(), joint, quote, place };
    Match {
        rule,
        span: ByteSpan::new(name.start, value.end),
        secret_span: value,
        secret: Secret::new(&text[value.range()]),
        context: Context { assigned: Some(assigned), host: Host::default() },
        layers: Vec::new(),
        word: NO_WORD,
    }
}

/// What keeps a match from being bounded.
fn beside(text: &[u8], span: ByteSpan, rule: &Rule) -> MissReason {
    match (boundary::starts_free(text, span.start, &rule.edges), text.get(span.end)) {
        (true, Some(&byte)) => MissReason::Behind(byte),
        _ => MissReason::Before(text[..span.start].last().copied().unwrap_or_default()),
    }
}

fn max_bytes(rule: &Rule) -> usize {
    rule.max_bytes.map_or(OPEN_WINDOW_BYTES, |max| (max as usize).min(OPEN_WINDOW_BYTES))
}

/// As [`keyword_at`], and a miss where there is none.
fn whole_word(
    text: &[u8],
    start: usize,
    rule: &Rule,
    words: &[String],
    out: &mut impl Sink,
) -> Option<ByteSpan> {
    let word = keyword_at(text, start, rule, words);
    if word.is_none() {
        out.miss(|| Miss::of(MissReason::PartOfWord));
    }
    word
}

/// The longest of the words that starts at `start` as a word of its own.
fn keyword_at(text: &[u8], start: usize, rule: &Rule, words: &[String]) -> Option<ByteSpan> {
    let rest = &text[start..];
    let same = |word: &&[u8]| rest.len() >= word.len() && rest[..word.len()].eq_ignore_ascii_case(word);
    let len = words.iter().map(|word| word.as_bytes()).filter(same).map(<[u8]>::len).max()?;
    let span = ByteSpan::new(start, start + len);
    let free_before = start == 0 || !is_joined(text[start - 1], text[start]);
    let free_after = text.get(span.end).is_none_or(|&next| !is_joined(text[span.end - 1], next));
    let whole_word = rule.kind != RuleKind::Generic && len <= SHORT_KEYWORD_BYTES;
    // `dbpassword` and `mysecret` are names too, so a generic keyword may end a word.
    let free_before = free_before || rule.kind == RuleKind::Generic;
    (free_before && (free_after || !whole_word)).then_some(span)
}

/// Whether two letters belong to one word: `clickupToken` has a joint before `T`; `CLICKUPTOKEN` and
/// `clickuptoken` have none.
fn is_joined(left: u8, right: u8) -> bool {
    left.is_ascii_alphabetic()
        && right.is_ascii_alphabetic()
        && !(left.is_ascii_lowercase() && right.is_ascii_uppercase())
}

/// The value of a quoted string whose escapes stand for themselves, as in `\"` and `\\`.
fn without_backslashes(value: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.len());
    let mut bytes = value.iter();
    while let Some(&byte) = bytes.next() {
        out.push(if byte == b'\\' { *bytes.next().unwrap_or(&byte) } else { byte });
    }
    out
}

/// The length of the word for a secret that the text starts with; 0 if it starts with none.
fn secret_word_at(text: &[u8]) -> usize {
    const WORDS: [&[u8]; 8] = [b"token", b"secret", b"key", b"pass", b"pwd", b"auth", b"cred", b"api"];
    // Most bytes start none of them.
    if !text.first().is_some_and(|byte| b"tskpac".contains(&byte.to_ascii_lowercase())) {
        return 0;
    }
    let starts = |word: &&&[u8]| text.get(..word.len()).is_some_and(|head| head.eq_ignore_ascii_case(word));
    WORDS.iter().find(starts).map_or(0, |word| word.len())
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_known_stretch_grows_to_what_a_search_would_find(
            text in "[ab]{0,40}",
            asked in prop::collection::vec((0usize..42, 0usize..20), 1..20),
        ) {
            let text = text.as_bytes();
            let mut known = (0, 0);
            for (from, len) in asked {
                let (from, to) = (from.min(text.len()), (from + len).min(text.len()));
                let plain = text[from..to].iter().position(|&byte| byte != b'a').map(|at| from + at);
                prop_assert_eq!(grow(&mut known, text, (from, to), |byte| byte == b'a'), plain);
            }
        }

        /// What is remembered of a text says the same as the text itself, in whatever order it is asked.
        #[test]
        fn what_cannot_be_a_match_is_told_without_the_expression(
            text in "(abc[a-d]{0,9}|[a-d]{1,12}|[ .]{1,3}){0,8}",
            starts in prop::collection::vec(0usize..60, 1..20),
        ) {
            let file = "[[rule]]\nid = \"acme-key\"\ndescription = \"Acme\"\nkind = \"prefixed\"\n\
                        severity = \"high\"\nshape = \"'abc' LOWER{2,5}\"\n";
            let rules = RuleSet::empty().with_custom(&file.replace('\'', "\\\""), "rules.toml").unwrap();
            let rule = &rules.rules()[0];
            let text = text.as_bytes();
            let mut runs = RunsOfRule::default();
            let (fewest, most) = (5, 8);
            for start in starts.into_iter().filter(|&start| start < text.len()) {
                let fits = |byte: &u8| byte.is_ascii_lowercase();
                let run = text[start..].iter().take_while(|byte| fits(byte)).count();
                prop_assert_eq!(runs.misfit(text, start, rule), (run < fewest).then_some(start + run));
                // One byte of the window lies behind the longest match, and one more tells where that ends.
                let ends = start + fewest..=start + most + 1;
                let can_end = ends.into_iter().any(|end| {
                    end == text.len() || text.get(end).is_some_and(|byte| !byte.is_ascii_alphanumeric())
                });
                prop_assert_eq!(runs.can_end(text, start, rule), can_end);
            }
        }
    }

    #[test]
    fn hosts_that_are_nobodys_are_told() {
        for (rest, host) in [
            ("@localhost:5432/db", Host::Loopback),
            ("@127.0.0.1/", Host::Loopback),
            ("@[::1]:80", Host::Loopback),
            ("@example.com/", Host::Reserved),
            ("@db.example.org:80", Host::Reserved),
            ("@db.test/", Host::Reserved),
            ("@myexample.com/", Host::Somebodys),
            ("@db.internal", Host::Somebodys),
            ("\"", Host::Somebodys),
            ("", Host::Somebodys),
        ] {
            assert_eq!(Host::behind(rest.as_bytes()), host, "{rest}");
        }
    }
}
