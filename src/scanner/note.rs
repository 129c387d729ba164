//! What is written down of a unit that was searched to its end, so that the next audit need not read it.
//!
//! The versions of a file repeat what was found in it: 15,500 candidates of rails/rails are 230 different ones, by rule,
//! value and what stands round it. So each of these has a number, its class, which says of two candidates that they
//! are the same and nothing else, and of the units of a class one is read: what the others hold is known then, but for
//! the line in a report, for which the unit of that finding is read.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

use super::candidate::Candidate;
use super::judge::is_verbatim;
use crate::level::Confidence;
use crate::matcher::Match;
use crate::span::{ByteSpan, LineColumn};

/// What is written down of a unit that was searched to its end.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Note {
    /// The matches that this or another policy would report, going by the text alone: the rule, and how sure each is.
    /// `None` if there is one that only the text can tell more of, such as one with a marker beside it.
    pub(super) sure: Option<Vec<(usize, Confidence)>>,
    /// What they are and where they stand, in the same order; `None` if that does not tell all that a report needs.
    pub(super) sights: Option<Vec<Sight>>,
    /// Where all matches stand, as the matcher writes it down; `None` if it cannot.
    pub(super) places: Option<Vec<u8>>,
}

/// What a match is, and where its value stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sight {
    /// The number of its class.
    pub(super) class: u32,
    pub(super) span: ByteSpan,
    pub(super) start: LineColumn,
    pub(super) end: LineColumn,
}

impl Note {
    /// Of more matches in one text nothing is written down: every version of a list of keys would take as much again.
    pub(super) const MOST: usize = 1024;

    /// How many are sure, if that is not told.
    const UNSURE: u32 = u32::MAX;

    pub(super) fn is_clean(&self) -> bool {
        self.sure.as_ref().is_some_and(Vec::is_empty)
    }

    pub(super) fn store(&self) -> Vec<u8> {
        let words = |(rule, confidence): &(usize, Confidence)| [*rule as u32, *confidence as u32];
        let sure = self.sure.as_deref().unwrap_or_default();
        let count = if self.sure.is_some() { sure.len() as u32 } else { Self::UNSURE };
        let mut bytes: Vec<u8> = Vec::new();
        let mut put = |words: &[u32]| bytes.extend(words.iter().copied().flat_map(u32::to_le_bytes));
        put(&[count]);
        sure.iter().for_each(|one| put(&words(one)));
        // None of its numbers is greater than the text has bytes, see `Sight::of`.
        let sights = self.sights.as_deref().filter(|sights| sights.len() == sure.len());
        put(&[u32::from(sights.is_some())]);
        for Sight { class, span, start, end } in sights.unwrap_or_default() {
            put(&[*class, span.start as u32, span.end as u32]);
            put(&[start.line, start.column, end.line, end.column].map(|number| number as u32));
        }
        bytes.push(u8::from(self.places.is_some()));
        bytes.extend(self.places.iter().flatten());
        bytes
    }

    pub(super) fn restore(bytes: &[u8]) -> Option<Self> {
        let mut rest = bytes;
        let mut word = || {
            let (word, behind) = rest.split_first_chunk()?;
            rest = behind;
            Some(u32::from_le_bytes(*word))
        };
        let sure = match word()? {
            Self::UNSURE => None,
            count => {
                let one = |_| Some((word()? as usize, *Confidence::ALL.get(word()? as usize)?));
                Some((0..count).map(one).collect::<Option<Vec<_>>>()?)
            }
        };
        let sights = match word()? {
            0 => None,
            1 => {
                let mut one = || {
                    let class = word()?;
                    let span = ByteSpan { start: word()? as usize, end: word()? as usize };
                    let mut place = || Some(LineColumn { line: word()?.into(), column: word()?.into() });
                    Some(Sight { class, span, start: place()?, end: place()? })
                };
                let count = sure.as_ref().map_or(0, Vec::len);
                Some((0..count).map(|_| one()).collect::<Option<Vec<_>>>()?)
            }
            _ => return None,
        };
        match rest.split_first()? {
            (0, []) => Some(Self { sure, sights, places: None }),
            (1, places) => Some(Self { sure, sights, places: Some(places.to_vec()) }),
            _ => None,
        }
    }
}

impl Sight {
    /// `None` if a number is too large to be written down.
    pub(super) fn of(class: u32, span: ByteSpan, start: LineColumn, end: LineColumn) -> Option<Self> {
        let is_small = |number: u64| u32::try_from(number).is_ok();
        let numbers = [span.end as u64, start.line, start.column, end.line, end.column];
        numbers.into_iter().all(is_small).then_some(Self { class, span, start, end })
    }
}

/// The classes of matches, and what each stands for as far as one of it was read.
#[derive(Debug, Default)]
pub(super) struct Classes {
    /// By two hashes with random keys, which together are the same for equal matches alone. No value is kept.
    numbers: HashMap<(u64, u64), u32>,
    keys: [RandomState; 2],
    /// How many there are, those of earlier runs first.
    count: u32,
    /// What was read of each.
    read: HashMap<u32, Candidate>,
}

impl Classes {
    /// Takes a class of an earlier run.
    pub(super) fn note_earlier(&mut self, class: u32) {
        self.count = self.count.max(class.saturating_add(1));
    }

    /// The class of a match in a text; `earlier` is what it was in an earlier run.
    pub(super) fn class_of(&mut self, text: &[u8], found: &Match, earlier: Option<u32>) -> u32 {
        let Match { rule, context, layers, .. } = found;
        let all = (rule, found.secret.reveal(), context, layers, is_verbatim(text, found));
        let [one, other] = self.keys.each_ref().map(|key| key.hash_one(all));
        if let Some(earlier) = earlier {
            self.numbers.entry((one, other)).or_insert(earlier);
            return earlier;
        }
        *self.numbers.entry((one, other)).or_insert_with(|| {
            self.count += 1;
            self.count - 1
        })
    }

    /// Takes a candidate of a class of an earlier run.
    pub(super) fn note_read(&mut self, class: u32, candidate: &Candidate) {
        self.read.entry(class).or_insert_with(|| candidate.clone());
    }

    /// What the candidates of a class have in common.
    pub(super) fn read(&self, class: u32) -> Option<&Candidate> {
        self.read.get(&class)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_are_read_as_they_were_written() {
        let two = vec![(3, Confidence::Low), (700, Confidence::Proven)];
        let sight = |class: u32| {
            let place = |line: u64| LineColumn { line, column: line + 4 };
            Sight::of(class, ByteSpan { start: 9, end: 30 }, place(2), place(7)).unwrap()
        };
        for (sure, sights) in [
            (None, None),
            (Some(Vec::new()), None),
            (Some(Vec::new()), Some(Vec::new())),
            (Some(two.clone()), None),
            (Some(two), Some(vec![sight(4), sight(70_000)])),
        ] {
            for places in [None, Some(Vec::new()), Some(vec![7; 32])] {
                let note = Note { sure: sure.clone(), sights: sights.clone(), places };
                let bytes = note.store();
                assert_eq!(Note::restore(&bytes), Some(note));
                let [count, sights] =
                    [sure.as_ref().map_or(0, Vec::len), sights.as_ref().map_or(0, Vec::len)];
                let first = 8 + 8 * count + 28 * sights;
                assert!((0..=first).all(|len| Note::restore(&bytes[..len]).is_none()), "{bytes:?}");
            }
        }
        let words = |words: &[u32]| -> Vec<u8> {
            words.iter().copied().flat_map(u32::to_le_bytes).chain([0]).collect()
        };
        assert_eq!(Note::restore(&words(&[1, 3, 4, 0])), None, "no such confidence");
        assert_eq!(Note::restore(&words(&[0, 2])), None, "sights that there are not");
        assert_eq!(Note::restore(&[0, 0, 0, 0, 0, 0, 0, 0, 9]), None, "places that there are not");
        assert_eq!(Note::restore(&words(&[0, 0])).map(|note| note.is_clean()), Some(true));
    }

    #[test]
    fn what_is_too_large_is_not_written_down() {
        let place = LineColumn { line: 1, column: 1 << 32 };
        assert_eq!(Sight::of(0, ByteSpan { start: 0, end: 1 }, place, place), None);
    }
}
