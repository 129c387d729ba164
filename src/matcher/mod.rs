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
pub(crate) mod recall;
mod recent;
mod tables;
pub mod trace;
mod whole;

use std::borrow::Cow;
use std::cell::Cell;
use std::ops::Range;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use bstr::ByteSlice as _;
use regex::bytes::Captures;

use crate::decode::{self, Layer, View};
use crate::derived::Hit;
use crate::matcher::assignment::{Assignment, Named, Readings};
use crate::rule::schema::{LONGEST_TRIGGER_BYTES, RuleKind, Trigger, TriggerKind};
use crate::rule::shape::{ByteSet, Fit, Gap, Guard, Part, Run};
use crate::rule::{Rule, RuleSet};
use crate::secret::Secret;
use crate::span::ByteSpan;
use boundary::Front;
use prefilter::Prefilter;
use recent::{Recent, Stretch};
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

impl Match {
    /// What is left where one was taken.
    fn nothing() -> Self {
        let span = ByteSpan::new(0, 0);
        let (secret, context) = (Secret::new(Vec::new()), Context::default());
        Self { rule: 0, span, secret_span: span, secret, context, layers: Vec::new(), word: NO_WORD }
    }
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

/// Buffers for a value behind the name that stands before it.
#[derive(Default)]
struct Beside {
    text: Vec<u8>,
    hits: Vec<(usize, u32)>,
}

impl std::fmt::Debug for Beside {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The text may hold what is left of a secret.
        f.debug_struct("Beside").finish_non_exhaustive()
    }
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

/// What is known of a literal that many rules share and that stands in many places: the bytes behind it tell most of
/// them at once that there is no match, and nothing of the rule is looked at.
#[derive(Debug, Default)]
struct Crowd {
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

impl Crowd {
    /// A bit for each of the first targets that the bytes behind the literal tell to have no match, and how far was looked
    /// for it.
    fn misfits(
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
    fn misfits(&mut self, text: &[u8], start: usize, (misfits, told_at): (&mut u64, &mut usize)) {
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

/// The words for a secret that stand in a stretch of the text: rules that share a name ask for those round it.
#[derive(Debug, Default)]
struct SecretWords {
    /// What was looked at.
    known: (usize, usize),
    /// Where they start in it, and their lengths.
    words: Vec<(usize, usize)>,
}

impl SecretWords {
    /// The words that start in a stretch, also those that lie on each other.
    fn starting_in(&mut self, text: &[u8], (from, to): (usize, usize)) -> &[(usize, usize)] {
        /// A text may be nothing but such words; those far back are not asked for again.
        const MOST_WORDS: usize = 4096;
        if !(self.known.0..=self.known.1).contains(&from) || self.words.len() > MOST_WORDS {
            self.words.clear();
            self.known = (from, from);
        }
        let mut next = self.known.1;
        while let Some(word) = next_secret_word(text, (next, to)) {
            self.words.push(word);
            next = word.0 + 1;
        }
        self.known.1 = self.known.1.max(to);
        // Nearly always the last few are asked for.
        let place = |offset| {
            let behind = self.words.iter().rev().take(8).take_while(|&&(start, _)| start >= offset).count();
            match behind {
                8 => self.words.partition_point(|&(start, _)| start < offset),
                few => self.words.len() - few,
            }
        };
        &self.words[place(from)..place(to)]
    }
}

impl Memory {
    /// Forgets all, before another text.
    fn clear(&mut self) {
        self.readings.clear();
        self.words.known = (0, 0);
        self.words.words.clear();
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

/// Stretches of the text that were gone through for a rule. Literals may stand in a long run of what the value is
/// made of, a few bytes apart, and each byte of it is looked at once then.
#[derive(Debug, Default)]
struct Runs {
    /// The number of the text; what is noted of others counts for nothing.
    text: u64,
    /// By rule: one more than its place in the list below, which holds those alone that looked at a text.
    places: Vec<u32>,
    of_rules: Vec<RunsOfRule>,
    /// Stretches of bytes of one set, whichever rule asks.
    of_sets: Vec<RunOfSet>,
    /// Rules with a literal of their own of which a value had the form, so that words were looked for beside it.
    asked: Vec<usize>,
}

/// The number of the first part from an anchor on: more than a match has parts before it.
const ANCHOR_PARTS: usize = 8;
/// That of the first part behind a gap.
const TAIL_PARTS: usize = 2 * ANCHOR_PARTS;

/// More than there are sets in the rules of any one literal.
const RUNS_OF_SETS: usize = 64;

#[derive(Clone, Debug, Default)]
struct RunOfSet {
    text: u64,
    set: ByteSet,
    guards: Vec<Guard>,
    /// Of the part.
    number: usize,
    run: (usize, usize),
}

#[derive(Clone, Debug, Default)]
struct RunsOfRule {
    text: u64,
    /// Up to where a keyed rule has looked.
    covered: usize,
    /// All of its bytes may be part of a value.
    fits: (usize, usize),
    /// None of its bytes may stand behind a value.
    joined: (usize, usize),
    /// At none of its bytes may a value start.
    startless: (usize, usize),
    /// At none of its bytes can stand what is behind a gap.
    tailless: (usize, usize),
    /// At none of its bytes does a word start that the rule asks for beside a value.
    wordless: (usize, usize),
    /// The last assignment that was a match, and where in the list of matches it is.
    assigned: Option<(Assignment, usize)>,
    near: NearValues,
}

/// The values round the place of a rule that are assigned to names which speak of a secret. In a text full of such
/// names each is read once, and not again for every word that it stands near.
#[derive(Clone, Debug, Default)]
struct NearValues {
    /// The names that start here were read.
    read: (usize, usize),
    /// The last value among these that has not the form that the rule asks for.
    other: Option<ByteSpan>,
    /// Those that have it.
    values: Vec<NearValue>,
}

#[derive(Clone, Debug)]
struct NearValue {
    assignment: Assignment,
    /// Behind the first word for a secret in the name; beyond any text where none was read.
    first_end: usize,
    /// Where the last one starts, or another word of the name.
    last_start: usize,
    /// Where in the list of matches its own is.
    place: Option<usize>,
}

impl NearValues {
    /// Goes on to a stretch, and forgets most of what is before it.
    fn read_on(
        &mut self,
        text: &[u8],
        (from, to): (usize, usize),
        rule: &Rule,
        words: &mut SecretWords,
        readings: &mut Readings,
    ) {
        if !(self.read.0..=self.read.1).contains(&from) {
            *self = Self { read: (from, from), other: None, values: std::mem::take(&mut self.values) };
            self.values.clear();
        }
        self.read.0 = from;
        let gone = self.values.iter().take_while(|value| value.last_start < from).count();
        if 2 * gone > self.values.len() {
            self.values.drain(..gone);
        }
        if self.read.1 >= to {
            return;
        }
        let first = std::mem::replace(&mut self.read.1, to);
        // The name that was read last, and the value of it that counts.
        let mut last: Option<(ByteSpan, Option<usize>)> = None;
        for &(start, len) in words.starting_in(text, (first, to)) {
            let end = start + len;
            if end > to {
                self.read.1 = start;
                break;
            }
            let is_in = |name: ByteSpan| name.start <= start && end <= name.end;
            let known = match last.filter(|&(name, _)| is_in(name)) {
                Some((_, known)) => known,
                None => {
                    let named = readings.read_named(text, ByteSpan::new(start, end));
                    let known = self.value_of(text, &named, (start, end), rule);
                    last = named.name.map(|name| (name, known));
                    known
                }
            };
            if let Some(known) = known {
                let known = &mut self.values[known];
                known.first_end = known.first_end.min(end);
                known.last_start = start;
            }
        }
    }

    /// Which of the values is assigned to a name that holds a word, if it has the form that the rule asks for.
    fn value_of(
        &mut self,
        text: &[u8],
        named: &Named,
        (start, end): (usize, usize),
        rule: &Rule,
    ) -> Option<usize> {
        let first = named.read.or(named.scalar)?;
        let known = self.of(named);
        if known.is_some() || (named.scalar.is_none() && self.other == Some(first.value)) {
            return known;
        }
        match of_form(text, named, rule) {
            Some(assignment) => {
                self.values.push(NearValue { assignment, first_end: end, last_start: start, place: None });
                Some(self.values.len() - 1)
            }
            None => {
                self.other = Some(first.value);
                None
            }
        }
    }

    fn of(&self, named: &Named) -> Option<usize> {
        let place = |assignment| self.values.iter().rposition(|known| known.assignment == assignment);
        named.scalar.and_then(place).or_else(|| named.read.and_then(place))
    }

    /// Says that a word leads to a value: makes a match of it, or brings the one that there is nearer to its word. Of
    /// several words in the same distance, and of several names of one value, the first one counts.
    fn note(
        &mut self,
        (text, word): (&[u8], ByteSpan),
        index: usize,
        at: usize,
        found: &mut Vec<Match>,
        again: &mut Vec<usize>,
    ) {
        let NearValue { assignment, place, .. } = self.values[at];
        let value = assignment.value;
        let known = place.map_or(NO_WORD, |place| found[place].word);
        // A word in the same name is the nearest that there can be.
        let is_nearest = known <= least_distance(word);
        let distance = if is_nearest { known } else { word_distance(text, word, value) };
        if let Some(place) = place.filter(|_| distance >= known) {
            again.push(place);
            return;
        }
        let mut place = place.unwrap_or_else(|| {
            found.push(Match { word: distance, span: value, ..assigned_match(text, index, &assignment) });
            found.len() - 1
        });
        found[place].word = distance;
        let is_behind = |other: &NearValue| {
            let is_same = other.assignment.value == value;
            other.place.filter(|&other| is_same && other < place && found[other].word > distance)
        };
        if let Some((other, before)) =
            self.values.iter().enumerate().find_map(|(other, known)| Some((other, is_behind(known)?)))
        {
            found.swap(place, before);
            self.values[other].place = Some(place);
            place = before;
        }
        self.values[at].place = Some(place);
        again.push(place);
    }
}

/// What is assigned to a name and all that the rule asks for. A scalar, which goes on where code would end, counts first.
fn of_form(text: &[u8], named: &Named, rule: &Rule) -> Option<Assignment> {
    [named.scalar, named.read].into_iter().flatten().find(|assigned| is_form(text, assigned.value, rule))
}

/// Whether a value, or what it is if its escapes are undone, is all that the rule asks for.
fn is_form(text: &[u8], value: ByteSpan, rule: &Rule) -> bool {
    let written = &text[value.range()];
    // Nothing is longer without its escapes.
    if written.len() < rule.min_bytes as usize {
        return false;
    }
    // Length and bytes are asked first: most rules that look at a name never compile their expression.
    let is_value = |bytes: &[u8]| {
        (rule.min_bytes as usize..=max_bytes(rule)).contains(&bytes.len())
            && bytes.iter().all(|&byte| rule.alphabet.contains(byte))
            && match fit_alone(bytes, rule) {
                Fit::Not(_) => false,
                Fit::To(end) => end == bytes.len(),
                Fit::Perhaps => is_all_of(bytes, rule),
            }
    };
    is_value(written) || unescaped(written).iter().any(|bytes| is_value(bytes))
}

fn is_all_of(bytes: &[u8], rule: &Rule) -> bool {
    let found = rule.regex().find(bytes);
    found.is_some_and(|found| found.start() == 0 && found.end() == bytes.len())
}

impl Runs {
    fn of(&mut self, index: usize) -> &mut RunsOfRule {
        if self.places.len() <= index {
            self.places.resize(index + 1, 0);
        }
        if self.places[index] == 0 {
            self.of_rules.push(RunsOfRule::default());
            self.places[index] = self.of_rules.len() as u32;
        }
        let runs = &mut self.of_rules[self.places[index] as usize - 1];
        if runs.text != self.text {
            let mut values = std::mem::take(&mut runs.near.values);
            values.clear();
            let near = NearValues { values, ..NearValues::default() };
            *runs = RunsOfRule { text: self.text, near, ..RunsOfRule::default() };
        }
        runs
    }
}

impl Runs {
    /// The stretch that is known of a run; of the same one in another part of a match there is another.
    fn of_run(&mut self, run: &Run, number: usize) -> &mut RunOfSet {
        let first = run.set.digest() + 17 * number;
        let place_of = |tried: usize| (first + tried) % RUNS_OF_SETS;
        let is_its =
            |known: &RunOfSet| known.number == number && known.set == run.set && known.guards == run.guards;
        let is_free = |&place: &usize| {
            let known = &self.of_sets[place];
            known.text != self.text || is_its(known)
        };
        let place = (0..RUNS_OF_SETS / 4).map(place_of).find(is_free).unwrap_or(place_of(0));
        let known = &mut self.of_sets[place];
        if !is_its(known) {
            *known = RunOfSet { set: run.set, guards: run.guards.clone(), number, ..RunOfSet::default() };
        }
        if known.text != self.text {
            (known.text, known.run) = (self.text, (0, 0));
        }
        known
    }

    /// The first place from `start` on at which the expression may match, and whether it is known to. Places at which a
    /// match cannot start or could not stand are passed over by their bytes, each of which is looked at once, however
    /// many words lead to them.
    fn next_match(
        &mut self,
        text: &[u8],
        (index, rule): (usize, &Rule),
        Places { window, last_start, .. }: Places,
        mut start: usize,
    ) -> Option<(ByteSpan, bool)> {
        while start <= last_start {
            let of_rule = self.of(index);
            start = of_rule.next_start::<Vec<Match>>(text, (start, last_start + 1), rule)?;
            if let Some(at) = of_rule.misfit(text, start, rule) {
                start = at + 1;
                continue;
            }
            let fit = match of_rule.can_end(text, start, rule) {
                true => self.fit(text, start, rule),
                false => Fit::Not(start),
            };
            // The window of a match without a bound may be longer than what was looked at.
            let is_told = |at: usize| rule.max_bytes.is_some() || at < start + OPEN_WINDOW_BYTES;
            match fit {
                Fit::Not(at) if is_told(at) => start += 1,
                Fit::To(end) if is_told(end) => return Some((ByteSpan::new(start, end), true)),
                _ => {
                    let found = rule.regex().find_at(&text[window.range()], start - window.start)?;
                    let span = ByteSpan::new(window.start + found.start(), window.start + found.end());
                    return Some((span, false));
                }
            }
        }
        None
    }

    /// Whether a match starts at `start`, as far as the parts of one tell: many rules may share a literal, and how far
    /// the bytes behind it are of one kind is looked at once for all of them.
    fn fit(&mut self, text: &[u8], start: usize, rule: &Rule) -> Fit {
        of_match(self.fit_parts(text, start, (&rule.first_parts, 0), max_bytes(rule)), rule)
    }

    /// Whether such parts stand at `start`; their numbers tell them from others of the rule.
    fn fit_parts(
        &mut self,
        text: &[u8],
        start: usize,
        (parts, first_number): (&[Part], usize),
        max_bytes: usize,
    ) -> Fit {
        if self.of_sets.is_empty() {
            self.of_sets.resize(RUNS_OF_SETS, RunOfSet::default());
        }
        // As far as the window goes.
        let to = text.len().min(start + max_bytes + 1);
        through_parts(text, (start, to), (parts, first_number), |number, run, at| {
            let place = self.of_run(run, number);
            grow(&mut place.run, (at, to), |at| run.holds(text, at)).unwrap_or(to)
        })
    }
}

/// What stands behind a gap.
enum Over {
    /// The rest of a match.
    Match {
        end: usize,
        secret: ByteSpan,
    },
    Nothing,
    /// The expression has to tell.
    Perhaps,
}

impl Runs {
    /// What the expression of a rule finds at the start of a window, if its matches hold a gap. A place at which the rest
    /// cannot stand is looked at once, however many matches may start before it.
    fn over_gap(&mut self, text: &[u8], (index, rule, gap): (usize, &Rule, &Gap), window: ByteSpan) -> Over {
        let start = window.start;
        let head_end = match self.fit_parts(text, start, (&gap.head, 0), max_bytes(rule)) {
            Fit::To(head_end) if head_end < window.end => head_end,
            _ => return Over::Perhaps,
        };
        let Run { min, max, .. } = gap.run;
        let longest = max.map_or(window.end, |max| window.end.min(head_end + max as usize));
        // As the part that it is of the match.
        let known = self.of_run(&gap.run, gap.head.len() - 1);
        let run_end = grow(&mut known.run, (head_end, longest), |at| gap.run.holds(text, at));
        let (first, last) = (head_end + min as usize, run_end.unwrap_or(longest));
        let mut known = self.of(index).tailless;
        let mut is_none = |at: usize| {
            let is_told = |told_at: usize| rule.max_bytes.is_some() || told_at < at + OPEN_WINDOW_BYTES / 2;
            !gap.starts.contains(text[at])
                || match self.fit_parts(text, at, (&gap.tail, TAIL_PARTS), max_bytes(rule)) {
                    Fit::Not(told_at) => is_told(told_at),
                    Fit::To(_) | Fit::Perhaps => false,
                }
        };
        // Without a byte there is no rest, for it starts with a literal.
        let end = text.len().min(last + 1).min(window.end);
        let nearest = match first < end {
            true => grow(&mut known, (first, end), &mut is_none),
            false => None,
        };
        let mut over = Over::Nothing;
        for at in nearest.map_or(first..first, |nearest| nearest..end).rev() {
            if is_none(at) {
                continue;
            }
            let tail = rule.tail(gap);
            let (end, secret) = if tail.captures_len() > 1 {
                let Some(groups) = tail.captures(&text[at..window.end]) else { continue };
                let secret = secret_group(&groups);
                let secret = secret.map(|group| ByteSpan::new(at + group.start, at + group.end));
                (groups.get(0).map_or(at, |whole| at + whole.end()), secret)
            } else {
                let Some(found) = tail.find(&text[at..window.end]) else { continue };
                (at + found.end(), gap.is_secret.then(|| ByteSpan::new(head_end, at)))
            };
            let secret = secret.unwrap_or(ByteSpan::new(start, end));
            over = Over::Match { end, secret };
            break;
        }
        self.of(index).tailless = known;
        over
    }
}

/// As [`Runs::fit`], for a text that is looked at but once.
fn fit_alone(text: &[u8], rule: &Rule) -> Fit {
    let fit = through_parts(text, (0, text.len()), (&rule.first_parts, 0), |_, run, at| {
        (at..text.len()).find(|&at| !run.holds(text, at)).unwrap_or(text.len())
    });
    of_match(fit, rule)
}

/// What the first parts of a match say of all of it.
fn of_match(fit: Fit, rule: &Rule) -> Fit {
    match fit {
        Fit::To(_) if !rule.parts_are_all => Fit::Perhaps,
        fit => fit,
    }
}

/// Goes through parts of a match, given what tells where a run ends.
fn through_parts(
    text: &[u8],
    (start, to): (usize, usize),
    (parts, first_number): (&[Part], usize),
    mut run_end: impl FnMut(usize, &Run, usize) -> usize,
) -> Fit {
    let mut at = start;
    for (number, part) in (first_number..).zip(parts) {
        match part.literal(text, at) {
            Fit::To(end) => at = end,
            told => return told,
        }
        let Some(run) = &part.run else { break };
        if at > to {
            return Fit::Perhaps;
        }
        match run.fit(text, at, (run_end(number, run, at), to)) {
            Fit::To(end) => at = end,
            told => return told,
        }
    }
    Fit::To(at)
}

impl RunsOfRule {
    /// Where the text ends or first holds a byte of which no match is made, if that is before the shortest match
    /// from `start` would end.
    fn misfit(&mut self, text: &[u8], start: usize, rule: &Rule) -> Option<usize> {
        let end = start + rule.min_bytes as usize;
        let fits = |byte| rule.alphabet.contains(byte);
        let first_other = grow(&mut self.fits, (start, end.min(text.len())), |at| fits(text[at]));
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
        let joined = |at: usize| rule.edges.after.contains(text[at]);
        last >= text.len() || grow(&mut self.joined, (first, last + 1), joined).is_some()
    }

    /// The first place in a stretch at which a match may start, by its own bytes and those beside it; an explanation
    /// also tells where only what stands before it speaks against it.
    fn next_start<S: Sink>(&mut self, text: &[u8], within: (usize, usize), rule: &Rule) -> Option<usize> {
        let lead = rule.lead();
        let is_none = |at: usize| {
            let starts = || lead.iter().zip(&text[at..]).all(|(set, &byte)| set.contains(byte));
            let is_first = text.get(at).is_none_or(|&byte| lead[0].contains(byte));
            !is_first || !(S::TELLS || boundary::starts_free(text, at, &rule.edges)) || !starts()
        };
        grow(&mut self.startless, within, is_none)
    }
}

/// The first byte from `from` to `to` that is not of the kind; a stretch of such bytes is known, and grows.
fn grow(
    known: &mut (usize, usize),
    (from, to): (usize, usize),
    mut is_of_kind: impl FnMut(usize) -> bool,
) -> Option<usize> {
    if !(known.0..=known.1).contains(&from) {
        *known = (from, from);
    }
    if known.1 < to {
        known.1 = (known.1..to).find(|&at| !is_of_kind(at)).unwrap_or(to);
    }
    (known.1 < to).then_some(known.1)
}

/// Where an expression is run.
#[derive(Clone, Copy, Debug)]
struct Places {
    window: ByteSpan,
    /// No match is asked for that starts behind it.
    last_start: usize,
    /// Where the match ends that starts with the window, and its secret, if that is known without the expression.
    known: Option<(usize, ByteSpan)>,
}

/// Which two bytes stand beside each other in some literal, letters of both cases being the same.
#[derive(Debug)]
struct Pairs([u64; 64]);

impl Pairs {
    fn of(tables: &Tables) -> Self {
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
        self.hand_out(found, scratch, out);
        complete
    }

    fn hand_out(&self, mut found: Vec<Match>, scratch: &mut Scratch, out: &mut Vec<Match>) {
        self.keep_most_specific(&mut found, out);
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
        self.find_plain(&view.bytes, scratch, inside);
        self.find_beside_name(text, view, scratch, inside);
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

    /// A bit for each of the first rules of a literal that are known not to match, and how far was looked for it.
    fn misfits(
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

    fn pairs(&self) -> &Pairs {
        self.pairs.get_or_init(|| Pairs::of(self.prefilter.tables()))
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

    fn try_anchor<S: Sink>(
        &self,
        text: &[u8],
        (index, rule): (usize, &Rule),
        anchor: usize,
        (min_before, max_before): (usize, usize),
        runs: &mut Runs,
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
        let mut known_end = None;
        if max_before == 0 {
            // An explanation tells more of a value than that one of its parts is too long.
            let fit = if S::TELLS { Fit::Perhaps } else { runs.fit(text, first_start, rule) };
            let unfit = match fit {
                Fit::Not(told_at) => Some(told_at),
                Fit::Perhaps => runs.of(index).misfit(text, first_start, rule),
                Fit::To(end) => {
                    known_end = Some(end);
                    None
                }
            };
            if let Some(at) = unfit {
                out.window(whole);
                return if at - first_start < NEAR_AHEAD_BYTES { Looked::Near } else { Looked::AtForm };
            }
        }
        // Most places are told by what stands behind the literal, wherever a match would start.
        if !S::TELLS
            && let parts = rule.anchor_parts.as_slice()
            && let Fit::Not(told_at) = runs.fit_parts(text, anchor, (parts, ANCHOR_PARTS), max_bytes(rule))
        {
            return if told_at - anchor < NEAR_AHEAD_BYTES { Looked::Near } else { Looked::AtForm };
        }
        // A match is tied to where it starts: a search for the first one in all of the window would go on behind the
        // last place at which it could start. Hardly any place gets as far as the expression.
        let reached = Cell::new(first_start);
        let wordless = Cell::new(runs.of(index).wordless);
        let has_form = Cell::new(false);
        let word = |span: ByteSpan| {
            has_form.set(true);
            if span.start > anchor || anchor >= span.end {
                return Err(MissReason::WithoutLiteral);
            }
            if rule.kind == RuleKind::Prefixed && boundary::inside_encoded_data(text, span) {
                return Err(MissReason::InEncodedData);
            }
            let distance = nearest_word(text, span, rule, &wordless).ok_or(MissReason::NoKeyword)?;
            reached.set(span.end);
            Ok(distance)
        };
        let mut looked = Looked::AtForm;
        let mut start = first_start;
        while start <= last_start {
            // A match of such a rule starts at one of many places, and most of them tell at once that it does not.
            if max_before > min_before {
                match runs.of(index).next_start::<S>(text, (start, last_start + 1), rule) {
                    Some(next) => start = next,
                    None => break,
                }
            }
            if let Some(at) = runs.of(index).misfit(text, start, rule) {
                // Nor does any match fit that starts before that byte.
                start = at + 1;
                continue;
            }
            let end = (start + max_bytes(rule) + 1).min(text.len());
            let mut is_possible =
                boundary::starts_free(text, start, &rule.edges) && runs.of(index).can_end(text, start, rule);
            if max_before > min_before && is_possible && !S::TELLS {
                match runs.fit(text, start, rule) {
                    Fit::To(end) => known_end = Some(end),
                    Fit::Perhaps => known_end = None,
                    Fit::Not(_) => is_possible = false,
                }
            }
            let window = ByteSpan::new(start, end);
            let mut known = known_end.map(|end| (end, ByteSpan::new(start, end)));
            if is_possible
                && !S::TELLS
                && let Some(gap) = &rule.gap
            {
                match runs.over_gap(text, (index, rule, gap), window) {
                    Over::Match { end, secret } => known = Some((end, secret)),
                    Over::Nothing => is_possible = false,
                    Over::Perhaps => {}
                }
            }
            if S::TELLS || is_possible {
                let places = Places { window, last_start: start, known };
                looked = looked.max(self.search(text, (index, rule), places, None, word, out));
            }
            start = reached.get().max(start + 1);
        }
        runs.of(index).wordless = wordless.get();
        if has_form.get() && !rule.keywords.is_empty() {
            runs.asked.push(index);
        }
        out.window(whole);
        looked
    }

    fn try_keyword<S: Sink>(
        &self,
        text: &[u8],
        (index, rule): (usize, &Rule),
        literal: ByteSpan,
        runs: &mut Runs,
        out: &mut S,
    ) -> Looked {
        let Some(keyword) = whole_word(text, literal, rule, &rule.keywords, out) else {
            return Looked::AtForm;
        };
        let reach = rule.reach_bytes as usize;
        let back = reach.min(BACK_REACH_BYTES) + max_bytes(rule).min(BACK_VALUE_BYTES);
        let from = lines_back(text, keyword.start, back, 0);
        let to = lines_forward(text, keyword.end, reach, REACH_LINES);
        let covered = &mut runs.of(index).covered;
        let from = from.max(*covered);
        if from >= to {
            out.miss(|| Miss::of(MissReason::Searched));
            return Looked::Around;
        }
        *covered = to;
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
        let places = Places { window, last_start: to, known: None };
        // An explanation tells of places too that are passed over, and without a shape nothing is known of them.
        let runs = Some(runs).filter(|_| !S::TELLS && !rule.is_tied() && !rule.shape.is_empty());
        self.search(text, (index, rule), places, runs, word, out);
        Looked::Around
    }

    /// Runs the expression on a window and keeps the bounded matches that start at or before the last place for
    /// one and that `word` has nothing against; it says how far off the word is that names the provider. Says how far it looked: beyond the form only where it was asked.
    fn search(
        &self,
        text: &[u8],
        (index, rule): (usize, &Rule),
        places: Places,
        mut runs: Option<&mut Runs>,
        word: impl Fn(ByteSpan) -> Result<u32, MissReason>,
        out: &mut impl Sink,
    ) -> Looked {
        let Places { window, last_start, known } = places;
        let hay = &text[window.range()];
        out.window(window);
        let mut looked = Looked::AtForm;
        // Where a literal says where the match starts, that was asked there. Behind the last start none is asked for.
        let asked = (last_start - window.start).saturating_add(rule.min_bytes as usize);
        let mut from = 0;
        if !rule.is_tied() {
            match rule.first_run(&hay[..asked.min(hay.len())]) {
                Some(start) => from = start,
                None => return looked,
            }
        }
        while from + rule.min_bytes as usize <= hay.len() {
            let next = match (known, &mut runs) {
                (Some((end, secret)), _) => Some((ByteSpan::new(window.start, end), Some(secret))),
                (None, Some(runs)) => runs
                    .next_match(text, (index, rule), places, window.start + from)
                    .map(|(span, is_known)| (span, is_known.then_some(span))),
                // Only one match is asked for there, so that what is its secret is asked at once.
                (None, None) if rule.is_tied() && rule.regex().captures_len() > 1 => {
                    rule.regex().captures_at(hay, from).map(|groups| {
                        let whole = groups.get(0).map_or(from..from, |whole| whole.range());
                        let secret = secret_group(&groups).unwrap_or(whole.clone());
                        let in_text = |range: Range<usize>| {
                            ByteSpan::new(window.start + range.start, window.start + range.end)
                        };
                        (in_text(whole), Some(in_text(secret)))
                    })
                }
                (None, None) => rule.regex().find_at(hay, from).map(|found| {
                    (ByteSpan::new(window.start + found.start(), window.start + found.end()), None)
                }),
            };
            let Some((span, secret)) = next else { return looked };
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
                    let found = match secret {
                        Some(secret) => found_at(&text[..window.end], index, span, secret),
                        None => capture(&text[..window.end], (index, rule), span),
                    };
                    out.found(Match { word, ..found });
                    from = (span.end - window.start).max(from + 1);
                }
                Err(why) => {
                    out.miss(|| {
                        let why = why.unwrap_or_else(|| beside(text, span, rule));
                        Miss::at(why, &text[..window.end], (index, rule), span)
                    });
                    from = span.start - window.start + 1;
                    while !rule.is_tied()
                        && runs.is_none()
                        && from < hay.len()
                        && !boundary::starts_free(text, window.start + from, &rule.edges)
                    {
                        from += 1;
                    }
                }
            }
            // Only the start of its window was asked for.
            if rule.is_tied() {
                return looked;
            }
        }
        looked
    }

    fn try_name<S: Sink>(
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

    /// For a keyed rule with `names`: the values assigned to the name that holds the word at `start`, and
    /// to names near it that speak of a secret.
    ///
    /// The form of such a value says next to nothing: only a whole value of an assignment counts.
    fn try_named_value<S: Sink>(
        &self,
        text: &[u8],
        (index, rule): (usize, &Rule),
        literal: ByteSpan,
        memory: &mut Memory,
        out: &mut S,
    ) -> Looked {
        let Some(word) = whole_word(text, literal, rule, &rule.names, out) else { return Looked::AtForm };
        let reach = rule.reach_bytes as usize;
        let back = reach.min(BACK_REACH_BYTES) + max_bytes(rule).min(BACK_VALUE_BYTES);
        let from = lines_back(text, word.start, back, 0);
        let to = lines_forward(text, word.end, reach, REACH_LINES);
        if S::TELLS {
            tell_named_values(text, (index, rule), word, (from, to), memory, out);
            return Looked::Around;
        }
        let Memory { readings, words, runs, again, .. } = memory;
        let near = &mut runs.of(index).near;
        near.read_on(text, (from, to), rule, words, readings);
        let named = readings.read_named(text, word);
        let own = near.of(&named).or_else(|| {
            let assignment = of_form(text, &named, rule)?;
            let (first_end, last_start) = (usize::MAX, word.start);
            near.values.push(NearValue { assignment, first_end, last_start, place: None });
            Some(near.values.len() - 1)
        });
        if let Some(own) = own {
            near.note((text, word), index, own, out.matches(), again);
        }
        for at in 0..near.values.len() {
            let value = &near.values[at];
            if Some(at) != own && value.last_start >= from && value.first_end <= to {
                near.note((text, word), index, at, out.matches(), again);
            }
        }
        Looked::Around
    }
    /// Where secrets overlap keeps the one whose rule says most. Hands out what is kept, sorted by place, and leaves none.
    fn keep_most_specific(&self, found: &mut Vec<Match>, out: &mut Vec<Match>) {
        if found.len() < 2 {
            out.append(found);
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
        // Most stand alone: only those that lie on others are compared. Their numbers are sorted, not they themselves.
        let mut order: Vec<(ByteSpan, usize)> =
            found.iter().enumerate().map(|(at, found)| (found.secret_span, at)).collect();
        sort_in_place(&mut order);
        let mut is_kept = vec![true; found.len()];
        let mut cluster = Vec::new();
        let mut first = 0;
        while first < order.len() {
            let mut end = order[first].0.end;
            let mut next = first + 1;
            while next < order.len() && order[next].0.start < end {
                end = end.max(order[next].0.end);
                next += 1;
            }
            if next > first + 1 {
                cluster.clear();
                cluster.extend(order[first..next].iter().map(|&(secret_span, at)| {
                    let Match { rule, span, .. } = &found[at];
                    (rank(&found[at]), (secret_span, *rule, *span), at)
                }));
                cluster.sort_unstable();
                // Most lie on the best one, which is not in the list of those that were kept.
                let mut taken: std::collections::BTreeMap<usize, usize> = std::collections::BTreeMap::new();
                let best = cluster[0].1.0;
                for &(_, (span, ..), at) in &cluster[1..] {
                    let is_on_best = span.start < best.end && best.start < span.end;
                    let mut before = taken.range(..span.end);
                    is_kept[at] = !is_on_best && before.next_back().is_none_or(|(_, &end)| end <= span.start);
                    if is_kept[at] {
                        taken.insert(span.start, span.end);
                    }
                }
            }
            first = next;
        }
        let before = out.len();
        let kept = order.iter().filter(|&&(_, at)| is_kept[at]);
        out.extend(kept.map(|&(_, at)| std::mem::replace(&mut found[at], Match::nothing())));
        found.clear();
        if !whole.is_empty() {
            out.append(&mut whole);
            out[before..].sort_by_key(|found| (found.secret_span, found.rule));
        }
    }
}

/// In which order generic rules are kept that made a match of the same assignment.
fn generic_rank((index, rule): (usize, &Rule)) -> impl Ord {
    (std::cmp::Reverse(rule.confidence), rule.public, index)
}

/// Every value near a word of a rule with names, word by word, for an explanation.
fn tell_named_values<S: Sink>(
    text: &[u8],
    (index, rule): (usize, &Rule),
    word: ByteSpan,
    (from, to): (usize, usize),
    Memory { readings, words, .. }: &mut Memory,
    out: &mut S,
) {
    let mut any = false;
    let mut try_value = |keyword: ByteSpan| {
        let named = readings.read_named(text, keyword);
        let Some(first) = named.read.or(named.scalar) else { return };
        any = true;
        if let Some(assignment) = of_form(text, &named, rule) {
            let value = assignment.value;
            let word = word_distance(text, word, value);
            out.found(Match { word, span: value, ..assigned_match(text, index, &assignment) });
        } else {
            let value = first.value;
            out.miss(|| Miss { why: MissReason::OtherForm, span: Some(value), secret_span: Some(value) });
        }
    };
    try_value(word);
    let mut at = from;
    for &(start, len) in words.starting_in(text, (from, to)) {
        let name = ByteSpan::new(start, start + len);
        if start < at || name.end > to {
            continue;
        }
        if !name.overlaps(word) {
            try_value(name);
        }
        at = name.end;
    }
    if !any {
        out.miss(|| Miss::of(MissReason::NoAssignment));
    }
}

/// Literals come in the order of the grams, which lie anywhere in them: nearly sorted, none far from its place.
fn push_in_order<T: Ord + Copy>(hits: &mut Vec<T>, hit: T) {
    let mut at = hits.len();
    hits.push(hit);
    while at > 0 && hits[at - 1] > hit {
        hits[at] = hits[at - 1];
        at -= 1;
    }
    hits[at] = hit;
}

/// Sorts what is nearly sorted, none far from its place; and whatever else it may be.
fn sort_in_place<T: Ord + Copy>(all: &mut [T]) {
    let mut moves_left = 8 * all.len();
    for at in 1..all.len() {
        let one = all[at];
        let mut place = at;
        while place > 0 && all[place - 1] > one {
            all[place] = all[place - 1];
            place -= 1;
        }
        all[place] = one;
        match moves_left.checked_sub(at - place) {
            Some(left) => moves_left = left,
            None => return all.sort_unstable(),
        }
    }
}

/// The distance of a match without a word that names its provider.
const NO_WORD: u32 = u32::MAX;

/// For a rule with a literal of its own: how far off the nearest of its keywords is. `None` if it asks for
/// one and none is near.
///
/// In a text full of values and without the word each byte is looked at once, being noted in `wordless`.
fn nearest_word(text: &[u8], span: ByteSpan, rule: &Rule, wordless: &Cell<(usize, usize)>) -> Option<u32> {
    if rule.keywords.is_empty() || rule.anchors.is_empty() {
        return Some(NO_WORD);
    }
    let reach = rule.reach_bytes as usize;
    let from = lines_back(text, span.start, reach, REACH_LINES);
    let to = lines_forward(text, span.end, reach, REACH_LINES);
    let mut firsts = ByteSet::EMPTY;
    for byte in rule.keywords.iter().filter_map(|word| word.bytes().next()) {
        firsts.insert(byte.to_ascii_lowercase());
        firsts.insert(byte.to_ascii_uppercase());
    }
    let starts_none = |at: usize| {
        let starts = |word: &String| starts_ignoring_case(&text[at..], word.as_bytes());
        !firsts.contains(text[at]) || !rule.keywords.iter().any(starts)
    };
    let mut known = wordless.get();
    let first = grow(&mut known, (from, to), starts_none);
    wordless.set(known);
    let from = first?;
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

/// Whether the text starts with the word, which is not empty, in any ASCII case.
fn starts_ignoring_case(text: &[u8], word: &[u8]) -> bool {
    // Most differ in the first byte or in the last.
    text.len() >= word.len()
        && (text[0] ^ word[0] | text[word.len() - 1] ^ word[word.len() - 1]) & !0x20 == 0
        && text[..word.len()].eq_ignore_ascii_case(word)
}

fn is_whole_word(text: &[u8], start: usize, len: usize) -> bool {
    let end = start + len;
    let free_before = start == 0 || !is_joined(text[start - 1], text[start]);
    free_before && text.get(end).is_none_or(|&next| !is_joined(text[end - 1], next))
}

/// Longer words count as much.
const LONGEST_WORD_BYTES: usize = 63;

/// The least that [`word_distance`] can be.
fn least_distance(word: ByteSpan) -> u32 {
    (LONGEST_WORD_BYTES - word.len().min(LONGEST_WORD_BYTES)) as u32
}

/// How far off the word is, in whole bytes between it and the value, times 64, less its own length: of two
/// words in one name the longer one says more.
fn word_distance(text: &[u8], word: ByteSpan, value: ByteSpan) -> u32 {
    let between =
        if word.end <= value.start { word.end..value.start } else { value.end.min(word.start)..word.start };
    let between = &text[between];
    // What follows in the same name, and the joint.
    static JOINT: [bool; 256] = table(b"_-.\"'`\\ \t:=>");
    let same_name = word.end <= value.start
        && between.len() <= LONGEST_WORD_BYTES
        && between.iter().all(|&byte| byte.is_ascii_alphanumeric() || JOINT[usize::from(byte)]);
    let gap = if same_name { 0 } else { between.len() + 1 };
    let distance = gap * (LONGEST_WORD_BYTES + 1) + LONGEST_WORD_BYTES - word.len().min(LONGEST_WORD_BYTES);
    u32::try_from(distance).unwrap_or(NO_WORD - 1)
}

/// The secret part of a match, `text` being cut where the search was.
fn capture(text: &[u8], (index, rule): (usize, &Rule), span: ByteSpan) -> Match {
    let regex = rule.regex();
    let mut secret_span = span;
    // Nothing in a shape asks for what follows, so what the match took without it, it takes again.
    let end = if rule.shape.is_empty() { text.len() } else { span.end };
    if regex.captures_len() > 1
        && let Some(groups) = regex.captures(&text[span.start..end])
        && let Some(group) = secret_group(&groups)
    {
        secret_span = ByteSpan::new(span.start + group.start, span.start + group.end);
    }
    found_at(text, index, span, secret_span)
}

/// The part of a match that is the secret, if an expression has such a part.
fn secret_group(groups: &Captures<'_>) -> Option<Range<usize>> {
    let group = groups.name("secret").or_else(|| groups.iter().skip(1).flatten().next());
    group.map(|group| group.range())
}

fn found_at(text: &[u8], rule: usize, span: ByteSpan, secret_span: ByteSpan) -> Match {
    let secret = Secret::new(&text[secret_span.range()]);
    let context = Context { assigned: None, host: Host::behind(&text[secret_span.end..]) };
    Match { rule, span, secret_span, secret, context, layers: Vec::new(), word: NO_WORD }
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
    literal: ByteSpan,
    rule: &Rule,
    words: &[String],
    out: &mut impl Sink,
) -> Option<ByteSpan> {
    let word = keyword_at(text, literal, rule, words);
    if word.is_none() {
        out.miss(|| Miss::of(MissReason::PartOfWord));
    }
    word
}

/// The longest of the words that starts where a literal of theirs does, as a word of its own.
fn keyword_at(text: &[u8], literal: ByteSpan, rule: &Rule, words: &[String]) -> Option<ByteSpan> {
    let start = literal.start;
    let rest = &text[start..];
    // The literal is one of them if it is not cut off, and most are no longer.
    let known = Some(literal.len()).filter(|&len| len < LONGEST_TRIGGER_BYTES);
    let longer = words.iter().filter(|word| known.is_none_or(|len| word.len() > len));
    let same = longer.filter(|word| starts_ignoring_case(rest, word.as_bytes()));
    let len = same.map(String::len).max().or(known)?;
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

/// What the value is if its escapes are undone: of a quoted string, of one inside another, of markup.
fn unescaped(value: &[u8]) -> Vec<Vec<u8>> {
    static ESCAPES: [bool; 256] = table(b"\\&%'");
    let mut out = Vec::new();
    if !value.iter().any(|&byte| ESCAPES[usize::from(byte)]) {
        return out;
    }
    if value.contains(&b'\\') {
        let once = without_backslashes(value);
        out.push(without_backslashes(&once));
        out.push(once);
    }
    for (lead, layer) in [(b'&', Layer::Entities), (b'%', Layer::Percent)] {
        if value.contains(&lead) {
            out.push(decode::without_escapes(layer, value));
        }
    }
    // How a shell writes a quote in what it quotes.
    if memchr::memmem::find(value, b"'\\''").is_some() {
        out.push(value.replace(b"'\\''", b"'"));
    }
    out
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

/// Words that speak of a secret.
const SECRET_WORDS: [&[u8]; 8] = [b"token", b"secret", b"key", b"pass", b"pwd", b"auth", b"cred", b"api"];

/// The first word for a secret that starts in a stretch of the text, and its length.
fn next_secret_word(text: &[u8], (mut from, to): (usize, usize)) -> Option<(usize, usize)> {
    const BLOCK_BYTES: usize = 16;
    // Of most bytes the first two letters tell, of so many at a time without a branch.
    let may_start = |block: &[u8; BLOCK_BYTES + 1]| {
        let mut starts = [false; BLOCK_BYTES];
        for (at, starts) in starts.iter_mut().enumerate() {
            let (first, second) = (block[at] | 0x20, block[at + 1] | 0x20);
            let is_of = |word: &[u8]| (first == word[0]) & (second == word[1]);
            *starts = SECRET_WORDS.iter().fold(false, |any, word| any | is_of(word));
        }
        starts.iter().fold(false, |any, &starts| any | starts)
    };
    while from < to {
        let block = text.get(from..).and_then(<[u8]>::first_chunk);
        let end = to.min(from + BLOCK_BYTES);
        if block.is_none_or(may_start) {
            let mut words = (from..end).map(|at| (at, secret_word_at(&text[at..])));
            if let Some(word) = words.find(|&(_, len)| len > 0) {
                return Some(word);
            }
        }
        from = end;
    }
    None
}

/// The length of the word for a secret that the text starts with; 0 if it starts with none.
fn secret_word_at(text: &[u8]) -> usize {
    /// A bit for each second letter, by the first, and bytes that are the same as these but for three bits.
    static PAIRS: [u32; 32] = secret_pairs();
    // Most bytes start none of them.
    let &[first, second, ..] = text else { return 0 };
    if PAIRS[usize::from(first & 31)] >> (second & 31) & 1 == 0 {
        return 0;
    }
    let starts = |word: &&&[u8]| starts_ignoring_case(text, word);
    SECRET_WORDS.iter().find(starts).map_or(0, |word| word.len())
}

const fn secret_pairs() -> [u32; 32] {
    let mut pairs = [0; 32];
    let mut at = 0;
    while at < SECRET_WORDS.len() {
        let word = SECRET_WORDS[at];
        pairs[(word[0] & 31) as usize] |= 1 << (word[1] & 31);
        at += 1;
    }
    pairs
}

/// A table of some bytes, for places that ask often.
const fn table(bytes: &[u8]) -> [bool; 256] {
    let mut table = [false; 256];
    let mut at = 0;
    while at < bytes.len() {
        table[bytes[at] as usize] = true;
        at += 1;
    }
    table
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
    use std::sync::LazyLock;

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
                prop_assert_eq!(grow(&mut known, (from, to), |at| text[at] == b'a'), plain);
            }
        }

        #[test]
        fn words_for_secrets_are_found_where_they_start(
            text in "(to|toke|token|KEY|ap|apI|pas|pass|auth|aut|[a-zA-Z]|[ .\\n]{0,9}){0,40}",
            from in 0usize..60,
            len in 0usize..100,
        ) {
            let text = text.as_bytes();
            let (from, to) = (from.min(text.len()), text.len().min(from + len));
            let plain = (from..to).map(|at| (at, secret_word_at(&text[at..]))).find(|&(_, len)| len > 0);
            prop_assert_eq!(next_secret_word(text, (from, to)), plain);
        }

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

    #[test]
    fn a_whole_value_is_told_through_its_escapes() {
        let file = "[[rule]]\nid = \"acme-key\"\ndescription = \"Acme\"\nkind = \"keyed\"\nseverity = \"high\"\n\
                    names = [\"acme\"]\nshape = \"PRINT{8}\"\n";
        let matcher = Matcher::new(RuleSet::empty().with_custom(file, "rules.toml").unwrap());
        for (text, value) in [
            (r#"acme = "a\\b\"cdef""#, r#"a\\b\"cdef"#),
            (r#"{"body": "{\"acme\":\"a\\\\b\\\"cdef\"}"}"#, r#"a\\\\b\\\"cdef"#),
            (r#"<add key="acme" value="a&amp;b&quot;cdef"/>"#, "a&amp;b&quot;cdef"),
            ("curl 'https://h/?acme=a%26b;cdef'", "a%26b;cdef"),
            (r"curl -H 'acme: a'\''b<cdef' https://h", r"a'\''b<cdef"),
            ("  acme: a;b<cdef\n", "a;b<cdef"),
        ] {
            let mut found = Vec::new();
            assert!(matcher.find(text.as_bytes(), &mut Scratch::default(), &mut found));
            let values: Vec<&str> = found.iter().map(|found| &text[found.secret_span.range()]).collect();
            assert_eq!(values, [value], "{text}");
        }
    }

    #[test]
    fn a_keyword_reaches_back_as_far_as_a_name_and_a_value() {
        let file = "[[rule]]\nid = \"acme-key\"\ndescription = \"Acme\"\nkind = \"keyed\"\nseverity = \"high\"\n\
                    keywords = [\"acme\"]\nshape = \"LOWER_HEX{32}\"\n";
        let matcher = Matcher::new(RuleSet::empty().with_custom(file, "rules.toml").unwrap());
        let value = "3f9c07be5ad1482c96e0b7f35d18a4c2";
        let is_found = |gap: usize| {
            let text = format!("{}{value}{}acme", "- ".repeat(200), " ".repeat(gap));
            let mut found = Vec::new();
            assert!(matcher.find(text.as_bytes(), &mut Scratch::default(), &mut found));
            !found.is_empty()
        };
        for gap in 1..200 {
            assert_eq!(is_found(gap), gap <= BACK_REACH_BYTES, "{gap}");
        }
    }

    /// What the parts of a match refuse neither the expression finds, nor the bytes beside it let stand.
    #[test]
    fn parts_refuse_only_what_is_no_match() {
        let mut state = 7_u64;
        let mut below = |n: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % n.max(1)
        };
        let rules = RuleSet::builtin();
        let (mut refused, mut known, mut kept) = (0, 0, 0);
        let mut runs = Runs::default();
        for (number, rule) in rules.rules().iter().enumerate() {
            // To compile all takes a minute.
            if rule.first_parts.is_empty() || !(rule.is_tied() || number % 8 == 0) {
                continue;
            }
            let shape = crate::rule::shape::Shape::parse(&rule.shape).unwrap();
            for _ in 0..24 {
                let mut text = shape.sample(&mut below);
                let at = below(text.len());
                match below(5) {
                    0 => text[at] = b"a0A-_./+=:\" !\n"[below(13)],
                    1 => text.truncate(at),
                    2 => text.insert(at, text[at]),
                    3 => text.extend_from_within(at..),
                    _ => {}
                }
                text.extend_from_slice([&b""[..], b"\n", b"\" x", b"aZ9", b"-", b"."][below(6)]);
                runs.text += 1;
                let window = &text[..text.len().min(max_bytes(rule) + 1)];
                let found = rule.regex().find(window).filter(|found| found.start() == 0);
                let found = found.map(|found| ByteSpan::new(0, found.end()));
                let is_match = found.is_some_and(|span| {
                    let is_cut = rule.max_bytes.is_none() && span.end == window.len();
                    is_cut || boundary::is_bounded(&text, span, &rule.edges)
                });
                match runs.fit(&text, 0, rule) {
                    Fit::Not(_) => {
                        assert!(!is_match, "{}: {:?}", rule.id, rule.shape);
                        refused += 1;
                    }
                    Fit::To(end) => {
                        assert_eq!(found, Some(ByteSpan::new(0, end)), "{}: {:?}", rule.id, rule.shape);
                        known += 1;
                    }
                    Fit::Perhaps => kept += usize::from(is_match),
                }
            }
        }
        let counts = [refused, known, kept];
        assert!(counts.iter().all(|&count| count > 2000), "{counts:?}");
    }

    /// What is told of a run that may end in several places is what the expression finds, and its secret.
    #[test]
    fn behind_a_gap_stands_what_the_expression_finds() {
        let mut state = 11_u64;
        let mut below = |n: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % n.max(1)
        };
        let rules = RuleSet::builtin();
        let (mut matches, mut nothing, mut rules_with_a_gap) = (0, 0, 0);
        let mut runs = Runs::default();
        for (index, rule) in rules.rules().iter().enumerate() {
            let Some(gap) = &rule.gap else { continue };
            rules_with_a_gap += 1;
            // To compile all takes long.
            if rules_with_a_gap % 3 != 0 && gap.run.set != ByteSet::ALL {
                continue;
            }
            let shape = crate::rule::shape::Shape::parse(&rule.shape).unwrap();
            for _ in 0..40 {
                let mut text = shape.sample(&mut below);
                let other = shape.sample(&mut below);
                let at = below(text.len());
                match below(6) {
                    0 => text[at] = b"a0A-_./+=:\"@ !\n"[below(14)],
                    1 => text.truncate(at),
                    2 => text.insert(at, text[at]),
                    3 => text.extend_from_within(at..),
                    4 => text.extend(other),
                    _ => {}
                }
                text.extend_from_slice([&b""[..], b"\n", b"\" x", b"aZ9", b"-", b"@"][below(6)]);
                runs.text += 1;
                let window = ByteSpan::new(0, text.len().min(max_bytes(rule) + 1));
                let found =
                    rule.regex().find(&text[window.range()]).map(|found| ByteSpan::new(0, found.end()));
                let is_match = found.is_some_and(|span| {
                    (rule.max_bytes.is_none() && span.end == window.end)
                        || boundary::is_bounded(&text, span, &rule.edges)
                });
                match runs.over_gap(&text, (index, rule, gap), window) {
                    Over::Match { end, secret } => {
                        let found = found.unwrap_or_else(|| panic!("{}: {:?}", rule.id, rule.shape));
                        let taken = capture(&text[..window.end], (index, rule), found);
                        assert_eq!((found.end, taken.secret_span), (end, secret), "{}", rule.id);
                        matches += 1;
                    }
                    Over::Nothing => {
                        assert!(!is_match, "{}: {:?}", rule.id, rule.shape);
                        nothing += 1;
                    }
                    Over::Perhaps => {}
                }
            }
        }
        assert!(matches > 200 && nothing > 200, "{matches} {nothing} {rules_with_a_gap}");
    }

    #[test]
    fn what_is_nearly_sorted_is_sorted_in_place() {
        for mut numbers in [vec![], vec![1], vec![2, 1, 4, 3, 5], (0..500).rev().collect(), vec![3; 9]] {
            let mut sorted = numbers.clone();
            sorted.sort_unstable();
            sort_in_place(&mut numbers);
            assert_eq!(numbers, sorted);
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
