//! What the bytes of a text tell of the places at which a rule may match, without its expression.
//!
//! Literals may stand in a long run of what the value is made of, a few bytes apart: the stretches that were gone
//! through are known, and each byte of them is looked at once.

use super::assignment::Assignment;
use super::boundary;
use super::near_values::NearValues;
use super::reach::max_bytes;
use super::stretch::grow;
use super::trace::Sink;
use super::walk::KnownRun;
use crate::rule::Rule;
use crate::rule::shape::{ByteSet, Fit, Guard, Part, Run, SecretPlace};
use crate::span::ByteSpan;

/// Stretches of the text that were gone through for a rule. Literals may stand in a long run of what the value is
/// made of, a few bytes apart, and each byte of it is looked at once then.
#[derive(Debug, Default)]
pub(super) struct Runs {
    /// The number of the text; what is noted of others counts for nothing.
    pub(super) text: u64,
    /// By rule: one more than its place in the list below, which holds those alone that looked at a text.
    places: Vec<u32>,
    of_rules: Vec<RunsOfRule>,
    /// Stretches of bytes of one set, whichever rule asks.
    of_sets: Vec<RunOfSet>,
    /// Rules with a literal of their own of which a value had the form, so that words were looked for beside it.
    pub(super) asked: Vec<usize>,
    /// Secrets, each with the index of its rule, that were left out since others of the rule lie on them.
    pub(super) left_out: Vec<(usize, ByteSpan)>,
    /// Whether none is to be left out.
    pub(super) keeps_all: bool,
    /// Whether the text is decoded: then matches of other views, which are cut elsewhere, may take the place of one.
    pub(super) is_view: bool,
}

/// The number of the first part from an anchor on: more than a match has parts before it.
pub(super) const ANCHOR_PARTS: usize = 8;

/// More than there are sets in the rules of any one literal.
const RUNS_OF_SETS: usize = 64;

#[derive(Clone, Debug, Default)]
pub(super) struct RunOfSet {
    text: u64,
    set: ByteSet,
    guards: Vec<Guard>,
    /// Of the part.
    number: usize,
    pub(super) run: (usize, usize),
}

#[derive(Clone, Debug, Default)]
pub(super) struct RunsOfRule {
    text: u64,
    /// Up to where a keyed rule has looked.
    pub(super) covered: usize,
    /// All of its bytes may be part of a value.
    fits: (usize, usize),
    /// None of its bytes may stand behind a value.
    joined: (usize, usize),
    /// At none of its bytes may a value start.
    startless: (usize, usize),
    /// At none of its bytes does a match start, whichever of its literals it would hold.
    pub(super) matchless: (usize, usize),
    /// By step of its shape, once it was gone through them.
    pub(super) walked: Vec<KnownRun>,
    /// At none of its bytes does a word start that the rule asks for beside a value.
    pub(super) wordless: (usize, usize),
    /// A long match of the rule, and those that lie on it.
    pub(super) long: Option<Long>,
    /// The last assignment that was a match, and where in the list of matches it is.
    pub(super) assigned: Option<(Assignment, usize)>,
    pub(super) near: NearValues,
}

/// A match whose secret is long, and how many more of its rule have been found that lie on it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Long {
    secret_end: usize,
    others: usize,
}

/// A text may be one secret from each of thousands of literals to its end.
const LONG_BYTES: usize = 1024;
/// So many of these are kept, if another rule takes the place of the first. Where none of them is kept in the end, the
/// text is searched once more for all.
const MOST_ON_LONG: usize = 4;

impl Runs {
    /// Notes a secret that adds nothing, and says so: enough others of the rule start in front of it, and lie on it and on
    /// each other. Of these only the longest or the first is kept, as no word makes any of them better.
    pub(super) fn leaves_out(&mut self, secret: ByteSpan, (index, rule): (usize, &Rule)) -> bool {
        if secret.len() < LONG_BYTES || !rule.keywords.is_empty() || self.is_view || self.keeps_all {
            return false;
        }
        match &mut self.of(index).long {
            Some(long) if secret.start < long.secret_end => {
                long.others += 1;
                let is_one_too_many = long.others > MOST_ON_LONG;
                self.left_out.extend(is_one_too_many.then_some((index, secret)));
                is_one_too_many
            }
            long => {
                *long = Some(Long { secret_end: secret.end, others: 0 });
                false
            }
        }
    }
}

impl Runs {
    pub(super) fn of(&mut self, index: usize) -> &mut RunsOfRule {
        if self.places.len() <= index {
            self.places.resize(index + 1, 0);
        }
        if self.places[index] == 0 {
            self.of_rules.push(RunsOfRule::default());
            self.places[index] = self.of_rules.len() as u32;
        }
        let runs = &mut self.of_rules[self.places[index] as usize - 1];
        if runs.text != self.text {
            let (near, mut walked) = (runs.near.emptied(), std::mem::take(&mut runs.walked));
            walked.clear();
            *runs = RunsOfRule { text: self.text, near, walked, ..RunsOfRule::default() };
        }
        runs
    }

    /// The stretch that is known of a run; of the same one in another part of a match there is another.
    pub(super) fn of_run(&mut self, run: &Run, number: usize) -> &mut RunOfSet {
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

    /// Whether a match starts at `start`, as far as the parts of one tell: many rules may share a literal, and how far
    /// the bytes behind it are of one kind is looked at once for all of them.
    pub(super) fn fit(&mut self, text: &[u8], start: usize, rule: &Rule) -> Fit {
        of_match(self.fit_parts(text, start, (&rule.first_parts, 0), max_bytes(rule)), rule)
    }

    /// Whether such parts stand at `start`; their numbers tell them from others of the rule.
    pub(super) fn fit_parts(
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
        through_parts(
            text,
            (start, to),
            (parts, first_number),
            |_, _| {},
            |number, run, at| self.end_of_run(text, (at, to), (number, run)),
        )
    }

    /// Where a run ends, as far as is looked.
    #[inline(always)]
    fn end_of_run(&mut self, text: &[u8], (at, to): (usize, usize), (number, run): (usize, &Run)) -> usize {
        let place = self.of_run(run, number);
        grow(&mut place.run, (at, to), |at| run.holds(text, at)).unwrap_or(to)
    }

    /// The secret of a match that [`Self::fit`] tells.
    pub(super) fn secret_of(&mut self, text: &[u8], span: ByteSpan, rule: &Rule) -> ByteSpan {
        let parts = (rule.first_parts.as_slice(), 0);
        rule.secret_place
            .map_or(span, |place| self.secret_in_parts(text, span, (parts, place), max_bytes(rule)))
    }

    /// The secret in what [`Self::fit_parts`] tells.
    pub(super) fn secret_in_parts(
        &mut self,
        text: &[u8],
        span: ByteSpan,
        (parts, place): ((&[Part], usize), SecretPlace),
        max_bytes: usize,
    ) -> ByteSpan {
        let (mut from, mut end) = (span.start, span.end);
        let to = text.len().min(span.start + max_bytes + 1);
        let at_boundary = |boundary: usize, at: usize| {
            if boundary == usize::from(place.from) {
                from = at;
            }
            if boundary == usize::from(place.to) {
                end = at;
            }
        };
        through_parts(text, (span.start, to), parts, at_boundary, |number, run, at| {
            self.end_of_run(text, (at, to), (number, run))
        });
        ByteSpan::new(from, end)
    }
}

/// As [`Runs::fit`], for a text that is looked at but once.
pub(super) fn fit_alone(text: &[u8], rule: &Rule) -> Fit {
    let fit = through_parts(
        text,
        (0, text.len()),
        (&rule.first_parts, 0),
        |_, _| {},
        |_, run, at| (at..text.len()).find(|&at| !run.holds(text, at)).unwrap_or(text.len()),
    );
    of_match(fit, rule)
}

/// What the first parts of a match say of all of it.
pub(super) fn of_match(fit: Fit, rule: &Rule) -> Fit {
    match fit {
        Fit::To(_) if !rule.parts_are_all => Fit::Perhaps,
        fit => fit,
    }
}

/// Goes through parts of a match, given who hears where each literal and each run starts, as in [`SecretPlace`], and what
/// tells where a run ends.
#[inline(always)]
fn through_parts(
    text: &[u8],
    (start, to): (usize, usize),
    (parts, first_number): (&[Part], usize),
    mut at_boundary: impl FnMut(usize, usize),
    mut run_end: impl FnMut(usize, &Run, usize) -> usize,
) -> Fit {
    let mut at = start;
    for (place, part) in parts.iter().enumerate() {
        let number = first_number + place;
        at_boundary(2 * place, at);
        match part.literal(text, at) {
            Fit::To(end) => at = end,
            told => return told,
        }
        at_boundary(2 * place + 1, at);
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
    pub(super) fn misfit(&mut self, text: &[u8], start: usize, rule: &Rule) -> Option<usize> {
        let end = start + rule.min_bytes as usize;
        let fits = |byte| rule.alphabet.contains(byte);
        let first_other = grow(&mut self.fits, (start, end.min(text.len())), |at| fits(text[at]));
        first_other.or((end > text.len()).then_some(text.len()))
    }

    /// Notes that no match starts at the bytes of a stretch.
    pub(super) fn note_matchless(&mut self, from: usize, to: usize) {
        let is_next = self.matchless.1 == from;
        self.matchless = (if is_next { self.matchless.0 } else { from }, to);
    }

    /// Whether a match that starts at `start` can end at a byte that may stand behind one. In the middle of a long
    /// run none can, and the expression need not go through it to tell.
    pub(super) fn can_end(&mut self, text: &[u8], start: usize, rule: &Rule) -> bool {
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
    pub(super) fn next_start<S: Sink>(
        &mut self,
        text: &[u8],
        within: (usize, usize),
        rule: &Rule,
    ) -> Option<usize> {
        let lead = rule.lead();
        let is_none = |at: usize| {
            let starts = || lead.iter().zip(&text[at..]).all(|(set, &byte)| set.contains(byte));
            let is_first = text.get(at).is_none_or(|&byte| lead[0].contains(byte));
            !is_first || !(S::TELLS || boundary::starts_free(text, at, &rule.edges)) || !starts()
        };
        grow(&mut self.startless, within, is_none)
    }
}

#[cfg(test)]
mod tests {
    use super::super::boundary;
    use super::super::found::capture;
    use super::*;
    use crate::dice::Dice;
    use crate::rule::RuleSet;
    use proptest::prelude::*;

    proptest! {
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

    /// What is told of a literal by the byte before it, and by what a match goes on with if it may stand at different
    /// distances from the start.
    #[test]
    fn a_match_goes_on_from_its_literal_as_its_parts_say() {
        let mut dice = Dice::new(5);
        let mut below = |sides| dice.roll(sides);
        let rules = RuleSet::builtin();
        let mut runs = Runs::default();
        let (mut rules_with_parts, mut several, mut matches, mut refused) = (0, 0, 0, 0);
        for rule in rules
            .rules()
            .iter()
            .filter(|rule| rule.is_tied() && (!rule.anchor_parts.is_empty() || rule.before_anchor.is_some()))
        {
            rules_with_parts += 1;
            several += usize::from(rule.anchors.len() > 1);
            let shape = crate::rule::shape::Shape::parse(&rule.shape).unwrap();
            for _ in 0..40 {
                let mut text = shape.sample(&mut below);
                let at = below(text.len());
                match below(4) {
                    0 => text[at] = b"a0A-_./+=:\" !\n"[below(13)],
                    1 => text.insert(at, text[at]),
                    _ => {}
                }
                runs.text += 1;
                let mut refuses = |at: usize| {
                    let parts = (rule.anchor_parts.as_slice(), ANCHOR_PARTS);
                    let before = text[..at].last();
                    let is_behind = rule
                        .before_anchor
                        .is_none_or(|set| before.is_some_and(|&before| set.contains(before)));
                    !is_behind || matches!(runs.fit_parts(&text, at, parts, max_bytes(rule)), Fit::Not(_))
                };
                let is_anchor = |at: &usize| {
                    rule.anchors.iter().any(|anchor| {
                        let there = text.get(*at..at + anchor.literal.len());
                        there.is_some_and(|there| {
                            there == anchor.literal
                                || (anchor.ignore_case && there.eq_ignore_ascii_case(&anchor.literal))
                        })
                    })
                };
                let places: Vec<usize> = (0..text.len()).filter(is_anchor).collect();
                let refused_here = places.iter().filter(|&&at| refuses(at)).count();
                refused += refused_here;
                let found = rule.regex().find(&text).map(|found| ByteSpan::new(0, found.end()));
                if found.is_some_and(|span| boundary::is_bounded(&text, span, &rule.edges)) {
                    assert!(refused_here < places.len(), "{}: {:?}", rule.id, rule.shape);
                    matches += 1;
                }
            }
        }
        let counts = [rules_with_parts, several, matches, refused];
        assert!(several > 3 && matches > 1000 && refused > 100, "{counts:?}");
    }

    /// What the parts of a match refuse neither the expression finds, nor the bytes beside it let stand.
    #[test]
    fn parts_refuse_only_what_is_no_match() {
        let mut dice = Dice::new(7);
        let mut below = |sides| dice.roll(sides);
        let rules = RuleSet::builtin();
        let (mut refused, mut known, mut kept, mut parts_of_it) = (0, 0, 0, 0);
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
                        let span = ByteSpan::new(0, end);
                        assert_eq!(found, Some(span), "{}: {:?}", rule.id, rule.shape);
                        let secret_span = capture(window, (number, rule), span).secret_span;
                        assert_eq!(runs.secret_of(&text, span, rule), secret_span, "{}", rule.id);
                        known += 1;
                        parts_of_it += usize::from(secret_span != span);
                    }
                    Fit::Perhaps => kept += usize::from(is_match),
                }
            }
        }
        let counts = [refused, known, kept];
        assert!(counts.iter().all(|&count| count > 2000) && parts_of_it > 300, "{counts:?} {parts_of_it}");
    }
}
