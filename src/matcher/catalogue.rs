//! The tables of the catalogue, made by the build script; see [`super::tables`].
//!
//! The compiler turns the stored bytes into numbers, so that they lie in the program ready for use.

use std::borrow::Cow;

use super::tables::{Entry, HASH_WORDS, Tables, Target, WORDS};
use crate::rule::schema::TriggerKind;

/// Bytes of an [`Entry`] as the build script stores it.
const ENTRY_BYTES: usize = 24;
/// Bytes of a [`Target`].
const TARGET_BYTES: usize = 16;

macro_rules! stored {
    ($name:literal) => {
        include_bytes!(concat!(env!("OUT_DIR"), "/", $name))
    };
}

static GRAMS: [u64; WORDS] = words(stored!("grams.bin"));
static FOURS: [u64; HASH_WORDS] = words(stored!("fours.bin"));
static THREES: [u64; HASH_WORDS] = words(stored!("threes.bin"));
static BUCKETS: [u32; stored!("buckets.bin").len() / 4] = numbers(stored!("buckets.bin"));
static ENTRIES: [Entry; stored!("entries.bin").len() / ENTRY_BYTES] = entries(stored!("entries.bin"));
static LITERALS: &[u8] = stored!("literals.bin");
static LENS: [u16; stored!("lens.bin").len() / 2] = short_numbers(stored!("lens.bin"));
static STARTS: [u32; stored!("starts.bin").len() / 4] = numbers(stored!("starts.bin"));
static TARGETS: [Target; stored!("targets.bin").len() / TARGET_BYTES] = targets(stored!("targets.bin"));

/// The tables of the whole catalogue.
pub(super) fn tables() -> Tables {
    Tables {
        grams: Cow::Borrowed(&GRAMS),
        fours: Cow::Borrowed(&FOURS),
        threes: Cow::Borrowed(&THREES),
        buckets: Cow::Borrowed(&BUCKETS),
        entries: Cow::Borrowed(&ENTRIES),
        bytes: Cow::Borrowed(LITERALS),
        lens: Cow::Borrowed(&LENS),
        starts: Cow::Borrowed(&STARTS),
        targets: Cow::Borrowed(&TARGETS),
    }
}

const fn short(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

const fn number(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

const fn words<const N: usize>(bytes: &[u8]) -> [u64; N] {
    assert!(bytes.len() == N * 8);
    let mut words = [0; N];
    let mut at = 0;
    while at < N {
        words[at] = number(bytes, at * 8) as u64 | (number(bytes, at * 8 + 4) as u64) << 32;
        at += 1;
    }
    words
}

const fn numbers<const N: usize>(bytes: &[u8]) -> [u32; N] {
    let mut numbers = [0; N];
    let mut at = 0;
    while at < N {
        numbers[at] = number(bytes, at * 4);
        at += 1;
    }
    numbers
}

const fn short_numbers<const N: usize>(bytes: &[u8]) -> [u16; N] {
    let mut numbers = [0; N];
    let mut at = 0;
    while at < N {
        numbers[at] = short(bytes, at * 2);
        at += 1;
    }
    numbers
}

const fn entries<const N: usize>(bytes: &[u8]) -> [Entry; N] {
    const NONE: Entry = Entry {
        gram: 0,
        id: 0,
        start: 0,
        check: 0,
        len: 0,
        gram_at: 0,
        check_from_gram: 0,
        ignore_case: false,
    };
    let mut entries = [NONE; N];
    let mut place = 0;
    while place < N {
        let at = place * ENTRY_BYTES;
        entries[place] = Entry {
            gram: number(bytes, at),
            id: number(bytes, at + 4),
            start: number(bytes, at + 8),
            check: number(bytes, at + 12),
            len: short(bytes, at + 16),
            gram_at: short(bytes, at + 18),
            check_from_gram: short(bytes, at + 20) as i16,
            ignore_case: short(bytes, at + 22) != 0,
        };
        place += 1;
    }
    entries
}

const fn targets<const N: usize>(bytes: &[u8]) -> [Target; N] {
    let mut targets = [Target { rule: 0, kind: TriggerKind::Keyword, starts_word: false }; N];
    let mut place = 0;
    while place < N {
        let at = place * TARGET_BYTES;
        let kind = match number(bytes, at + 4) & 0xFF {
            0 => TriggerKind::Keyword,
            1 => TriggerKind::Name,
            _ => {
                TriggerKind::Anchor { min_before: number(bytes, at + 8), max_before: number(bytes, at + 12) }
            }
        };
        let starts_word = number(bytes, at + 4) >> 8 != 0;
        targets[place] = Target { rule: number(bytes, at), kind, starts_word };
        place += 1;
    }
    targets
}

#[cfg(test)]
mod tests {
    use crate::rule::RuleSet;
    use crate::rule::schema::Trigger;

    #[test]
    fn the_stored_tables_are_those_made_at_run_time() {
        let rules = RuleSet::builtin();
        let mut triggers = rules.triggers();
        triggers.sort_by_key(Trigger::order);
        assert!(triggers.len() > 1000, "the catalogue is there");
        assert!(super::tables() == super::Tables::new(&triggers), "they differ");
    }
}
