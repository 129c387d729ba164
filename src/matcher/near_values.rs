//! Values that are assigned to names near the word of a rule.
//!
//! The form of such a value says next to nothing: only a whole value of an assignment counts.

use super::assignment::{Assignment, Named, Readings};
use super::form::of_form;
use super::found::{NO_WORD, assigned_match};
use super::reach::{
    BACK_REACH_BYTES, BACK_VALUE_BYTES, Looked, REACH_LINES, lines_back, lines_forward, max_bytes,
};
use super::secret_words::SecretWords;
use super::trace::{Miss, MissReason, Sink};
use super::words::{least_distance, whole_word, word_distance};
use super::{Match, Matcher, Memory};
use crate::rule::Rule;
use crate::span::ByteSpan;

/// The values round the place of a rule that are assigned to names which speak of a secret. In a text full of such
/// names each is read once, and not again for every word that it stands near.
#[derive(Clone, Debug, Default)]
pub(super) struct NearValues {
    /// The names that start here were read.
    read: (usize, usize),
    /// The last value among these that has not the form that the rule asks for.
    other: Option<ByteSpan>,
    /// Those that have it.
    values: Vec<NearValue>,
}

#[derive(Clone, Debug)]
pub(super) struct NearValue {
    assignment: Assignment,
    /// Behind the first word for a secret in the name; beyond any text where none was read.
    first_end: usize,
    /// Where the last one starts, or another word of the name.
    last_start: usize,
    /// Where in the list of matches its own is.
    place: Option<usize>,
}

impl Matcher {
    /// For a keyed rule with `names`: the values assigned to the name that holds the word at `start`, and
    /// to names near it that speak of a secret.
    ///
    /// The form of such a value says next to nothing: only a whole value of an assignment counts.
    pub(super) fn try_named_value<S: Sink>(
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
}

impl NearValues {
    /// None of them, in the same buffer.
    pub(super) fn emptied(&mut self) -> Self {
        let mut values = std::mem::take(&mut self.values);
        values.clear();
        Self { values, ..Self::default() }
    }

    /// Goes on to a stretch, and forgets most of what is before it.
    pub(super) fn read_on(
        &mut self,
        text: &[u8],
        (from, to): (usize, usize),
        rule: &Rule,
        words: &mut SecretWords,
        readings: &mut Readings,
    ) {
        if !(self.read.0..=self.read.1).contains(&from) {
            *self = Self { read: (from, from), ..self.emptied() };
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

    pub(super) fn of(&self, named: &Named) -> Option<usize> {
        let place = |assignment| self.values.iter().rposition(|known| known.assignment == assignment);
        named.scalar.and_then(place).or_else(|| named.read.and_then(place))
    }

    /// Says that a word leads to a value: makes a match of it, or brings the one that there is nearer to its word. Of
    /// several words in the same distance, and of several names of one value, the first one counts.
    pub(super) fn note(
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
