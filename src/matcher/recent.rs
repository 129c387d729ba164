//! Stretches of texts that one worker searched a moment ago, and what came of them.
//!
//! Branches repeat the changes of each other: of the stretches that are new in some version of a file, those round
//! inserted bytes, 67 % on rails/rails and 88 % on tokio-rs/tokio stood byte for byte in a text that was searched
//! before, nearly all of them among the last few thousand. So what is read of a stretch is kept with the literals in
//! it, and as far as all that their rules looked at lies inside, they need not be tried again.
//!
//! The bytes themselves are kept and compared, so nothing rests on a hash. Old ones give way to new ones: a worker
//! needs some 6 MiB for it, and nothing before the first derived text.

use std::hash::BuildHasher;

use hashbrown::DefaultHashBuilder;

use crate::derived::Hit;

/// Stretches are found by the low bits of a hash; each slot holds the last one.
const SLOTS: usize = 1 << 13;

/// Room for the bytes of the last stretches, half a kibibyte for each slot.
const ROOM_BYTES: usize = 4 << 20;

/// Longer stretches are not kept: they push out too many others.
const LONGEST_BYTES: usize = 16 << 10;

/// Where a stretch lies that is new or near something new, and what is looked at round it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stretch {
    /// Offset of the first byte that is kept.
    pub(super) from: usize,
    /// Behind the last one.
    pub(super) to: usize,
    /// Where literals are searched for, from the first byte that is kept.
    pub(super) inner: (usize, usize),
    /// Where encoded text is searched for, in the same way.
    pub(super) outer: (usize, usize),
    /// Hash of the bytes that are kept.
    pub(super) hash: u32,
}

impl Stretch {
    fn kept<'t>(&self, text: &'t [u8]) -> &'t [u8] {
        &text[self.from..self.to]
    }

    /// The bytes that are searched for literals.
    pub(super) fn inner_bytes<'t>(&self, text: &'t [u8]) -> &'t [u8] {
        &self.kept(text)[self.inner.0..self.inner.1]
    }

    /// The bytes that are searched for encoded text.
    pub(super) fn outer_bytes<'t>(&self, text: &'t [u8]) -> &'t [u8] {
        &self.kept(text)[self.outer.0..self.outer.1]
    }
}

/// What is known of a stretch.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// Whether something encoded lies in it, once that was asked.
    pub(super) is_encoded: Option<bool>,
    /// The literals, their offsets counted from its first byte, and whether each has to be tried.
    pub(super) hits: Vec<(Hit, bool)>,
}

#[derive(Debug, Default)]
struct Slot {
    hash: u32,
    inner: (usize, usize),
    outer: (usize, usize),
    /// How many bytes had been written before these.
    at: usize,
    len: usize,
    known: Known,
}

/// The stretches.
#[derive(Debug, Default)]
pub(super) struct Recent {
    /// Which matcher searched them; the numbers of literals are its own.
    matcher: u64,
    /// A checksum would do; this takes a third of the time on the hundred bytes that most stretches have.
    key: DefaultHashBuilder,
    /// None before the first one is kept.
    slots: Vec<Slot>,
    /// Written from the start to the end, over and over.
    bytes: Vec<u8>,
    /// How many bytes were written, and passed over at the end, in all.
    written: usize,
}

impl Recent {
    /// Forgets what another matcher has searched.
    pub(super) fn of(&mut self, matcher: u64) -> &mut Self {
        if self.matcher != matcher {
            *self = Self { matcher, ..Self::default() };
        }
        self
    }

    /// The stretch of the bytes `from..to`, with the two parts of it that are searched.
    pub(super) fn stretch(
        &self,
        text: &[u8],
        (from, to): (usize, usize),
        inner: (usize, usize),
        outer: (usize, usize),
    ) -> Stretch {
        let within = |(start, end): (usize, usize)| (start - from, end - from);
        let hash = self.key.hash_one(&text[from..to]) as u32;
        Stretch { from, to, inner: within(inner), outer: within(outer), hash }
    }

    /// What is known of these bytes.
    pub(super) fn find(&mut self, text: &[u8], stretch: &Stretch) -> Option<&mut Known> {
        let bytes = stretch.kept(text);
        if self.slots.is_empty() || bytes.len() > LONGEST_BYTES {
            return None;
        }
        let slot = &mut self.slots[stretch.hash as usize % SLOTS];
        let is_there = (slot.hash, slot.len) == (stretch.hash, bytes.len())
            && (slot.inner, slot.outer) == (stretch.inner, stretch.outer)
            && self.written - slot.at <= ROOM_BYTES;
        let start = slot.at % ROOM_BYTES;
        (is_there && self.bytes[start..start + slot.len] == *bytes).then_some(&mut slot.known)
    }

    /// Keeps these bytes; what is known of them is to be filled in. `None` where they are too long.
    pub(super) fn keep(&mut self, text: &[u8], stretch: &Stretch) -> Option<&mut Known> {
        let bytes = stretch.kept(text);
        if bytes.is_empty() || bytes.len() > LONGEST_BYTES {
            return None;
        }
        if self.slots.is_empty() {
            self.slots.resize_with(SLOTS, Slot::default);
            self.bytes.resize(ROOM_BYTES, 0);
        }
        let mut start = self.written % ROOM_BYTES;
        if start + bytes.len() > ROOM_BYTES {
            self.written += ROOM_BYTES - start;
            start = 0;
        }
        self.bytes[start..start + bytes.len()].copy_from_slice(bytes);
        let slot = &mut self.slots[stretch.hash as usize % SLOTS];
        (slot.hash, slot.inner, slot.outer) = (stretch.hash, stretch.inner, stretch.outer);
        (slot.at, slot.len) = (self.written, bytes.len());
        self.written += bytes.len();
        slot.known.is_encoded = None;
        slot.known.hits.clear();
        Some(&mut slot.known)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn whole(recent: &Recent, text: &[u8]) -> Stretch {
        let all = (0, text.len());
        recent.stretch(text, all, all, all)
    }

    fn hit(number: usize) -> (Hit, bool) {
        (Hit::new(7, number), false)
    }

    #[test]
    fn what_was_kept_is_found_until_others_need_its_room() {
        let mut recent = Recent::default();
        let text = |number: usize| format!("{number:08} ").repeat(400).into_bytes();
        // Four rounds through the room.
        let count = 4 * ROOM_BYTES / text(0).len();
        for number in 0..count {
            let text = text(number);
            assert!(recent.find(&text, &whole(&recent, &text)).is_none());
            recent.keep(&text, &whole(&recent, &text)).expect("it is short enough").hits.push(hit(number));
        }
        let found: Vec<usize> = (0..count)
            .filter(|&number| {
                let text = text(number);
                let known = recent.find(&text, &whole(&recent, &text));
                known.is_some_and(|known| {
                    assert_eq!(known.hits, [hit(number)]);
                    true
                })
            })
            .collect();
        // What is lost of the last ones lost its slot, not its bytes.
        let room = ROOM_BYTES / text(0).len();
        assert!(found.len() > room * 3 / 4 && found.len() <= room, "{} of {room}", found.len());
        assert!(found.iter().all(|&number| number + room >= count - 1));
    }

    #[test]
    fn other_places_in_the_same_bytes_are_another_stretch() {
        let mut recent = Recent::default();
        let text = b"one two three";
        let stretch = whole(&recent, text);
        recent.keep(text, &stretch).unwrap().is_encoded = Some(true);
        assert_eq!(recent.find(text, &stretch).unwrap().is_encoded, Some(true));
        assert!(recent.find(text, &Stretch { inner: (0, 3), ..stretch }).is_none());
        assert!(recent.find(text, &Stretch { outer: (0, 3), ..stretch }).is_none());
        assert!(recent.find(text, &whole(&recent, &text[..3])).is_none());
        assert!(recent.of(1).find(text, &stretch).is_none(), "another matcher");
    }

    #[test]
    fn what_is_too_long_is_not_kept() {
        let mut recent = Recent::default();
        let text = vec![b'x'; LONGEST_BYTES + 1];
        assert!(recent.keep(&text, &whole(&recent, &text)).is_none());
        assert!(recent.find(&text, &whole(&recent, &text)).is_none());
        assert!(recent.keep(&text[1..], &whole(&recent, &text[1..])).is_some());
        assert!(recent.find(&text[1..], &whole(&recent, &text[1..])).is_some());
    }

    proptest! {
        /// Found is only what was kept last of the same bytes.
        #[test]
        fn nothing_is_taken_for_another(
            texts in prop::collection::vec("[ab]{1,6}", 1..60),
        ) {
            let mut recent = Recent::default();
            let mut kept = std::collections::HashMap::new();
            for (number, text) in texts.iter().enumerate() {
                let text = text.as_bytes();
                // Another one may have taken its slot.
                if let Some(known) = recent.find(text, &whole(&recent, text)) {
                    prop_assert_eq!(known.hits.first().copied(), kept.get(text).map(|&number| hit(number)));
                }
                recent.keep(text, &whole(&recent, text)).unwrap().hits.push(hit(number));
                let known = recent.find(text, &whole(&recent, text)).map(|known| &known.hits[..]);
                prop_assert_eq!(known, Some(&[hit(number)][..]));
                kept.insert(text.to_vec(), number);
            }
        }
    }
}
