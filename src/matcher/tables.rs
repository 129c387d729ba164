//! What the matcher looks up: literals, what they are found by, and the rules they lead to.
//!
//! For the catalogue the build script makes these tables, and they lie in the program as they are used: making
//! them took half of a hook's instructions, and memory that is new takes longer than the work in it. Rules of a
//! user's own, or a part of the catalogue, get theirs when the program starts, by the same code.

use std::borrow::Cow;

use crate::rule::schema::{Trigger, TriggerKind};

/// The tables. See [`crate::matcher::prefilter`] for how they are used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tables {
    /// For the first three bytes of a gram the fourth ones: [`WORDS`].
    pub grams: Cow<'static, [u64]>,
    /// [`HASH_WORDS`] with the grams of four by another hash: of the positions that pass, two in three only share a word and a bit.
    pub fours: Cow<'static, [u64]>,
    /// The same with the grams of three.
    pub threes: Cow<'static, [u64]>,
    /// Grams in hash order: `buckets[h]..buckets[h + 1]` are the entries of hash `h`.
    pub buckets: Cow<'static, [u32]>,
    /// What represents each literal.
    pub entries: Cow<'static, [Entry]>,
    /// The bytes of all literals.
    pub bytes: Cow<'static, [u8]>,
    /// Lengths of the literals.
    pub lens: Cow<'static, [u16]>,
    /// For each distinct literal the rules to try: `targets[starts[l]..starts[l + 1]]`.
    pub starts: Cow<'static, [u32]>,
    /// See `starts`.
    pub targets: Cow<'static, [Target]>,
}

/// A literal and its gram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The four bytes that represent it, or all three.
    pub gram: u32,
    /// Number of the literal.
    pub id: u32,
    /// Place of the literal in the bytes of all.
    pub start: u32,
    /// Four other bytes of the literal, folded; without meaning for a literal of three.
    pub check: u32,
    /// Its length.
    pub len: u16,
    /// Offset of the gram in the literal.
    pub gram_at: u16,
    /// How far behind the gram the other bytes stand.
    pub check_from_gram: i16,
    /// Whether any ASCII case will do.
    pub ignore_case: bool,
}

/// A rule to try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    /// Index of the rule.
    pub rule: u32,
    /// What the literal is to it.
    pub kind: TriggerKind,
    /// Whether it is nothing to it where the byte before it belongs to the same word.
    pub starts_word: bool,
}

/// Makes upper and lower case of letters the same, and some other bytes.
pub const FOLD: u32 = 0x2020_2020;
/// The bytes of a gram of three.
pub const THREE: u32 = 0x00FF_FFFF;
/// Words of the bitmap.
pub const WORDS: usize = 1 << WORD_BITS;
const WORD_BITS: u32 = 14;
/// Words of a set by hash: 65,536 bits.
pub const HASH_WORDS: usize = 1024;
const BUCKET_BITS: u32 = 12;
const BUCKETS: usize = (1 << BUCKET_BITS) + 1;

/// Which word of the bitmap the first three bytes of a gram choose.
#[inline(always)]
pub fn word(gram: u32) -> usize {
    // The shift puts the fourth byte out of the product.
    ((gram << 8).wrapping_mul(0x9E37_79B1) >> (32 - WORD_BITS)) as usize
}

/// Which bit of it the fourth chooses.
#[inline(always)]
pub fn bit(gram: u32) -> u32 {
    gram >> 24 & 63
}

/// Which bit of a set by hash a gram chooses.
#[inline(always)]
pub fn hash(gram: u32) -> usize {
    gram.wrapping_mul(0x85EB_CA6B) as usize >> 16
}

/// Where the entries of a gram are.
#[inline(always)]
pub fn bucket(gram: u32) -> usize {
    (gram.wrapping_mul(0x85EB_CA6B) >> (32 - BUCKET_BITS)) as usize
}

impl Tables {
    /// Makes the tables for triggers in their order.
    pub fn new(triggers: &[Trigger<'_>]) -> Self {
        /// Of the catalogue.
        const MEAN_LITERAL_BYTES: usize = 12;
        let mut grams = vec![0u64; WORDS];
        let (mut fours, mut threes) = (vec![0u64; HASH_WORDS], vec![0u64; HASH_WORDS]);
        let mut bytes: Vec<u8> = Vec::with_capacity(triggers.len() * MEAN_LITERAL_BYTES);
        let mut entries: Vec<Entry> = Vec::with_capacity(triggers.len());
        let mut lens = Vec::with_capacity(triggers.len());
        let mut starts = Vec::with_capacity(triggers.len() + 1);
        let mut targets = Vec::with_capacity(triggers.len());
        let mut last: Option<(&[u8], bool)> = None;
        for &Trigger { literal, ignore_case, gram_at, rule, kind, starts_word } in triggers {
            if last != Some((literal, ignore_case)) {
                last = Some((literal, ignore_case));
                debug_assert!(literal.len() >= 3, "rules with shorter literals are refused");
                let gram = gram(literal, usize::from(gram_at));
                if literal.len() >= 4 {
                    grams[word(gram)] |= 1 << bit(gram);
                    fours[hash(gram) >> 6] |= 1 << (hash(gram) & 63);
                } else {
                    // Whatever the fourth byte is.
                    grams[word(gram)] = u64::MAX;
                    threes[hash(gram) >> 6] |= 1 << (hash(gram) & 63);
                }
                let check_at = check_at(literal.len(), usize::from(gram_at));
                entries.push(Entry {
                    gram,
                    id: lens.len() as u32,
                    start: bytes.len() as u32,
                    check: self::gram(literal, check_at),
                    len: literal.len() as u16,
                    gram_at,
                    check_from_gram: check_at as i16 - gram_at as i16,
                    ignore_case,
                });
                bytes.extend_from_slice(literal);
                lens.push(literal.len() as u16);
                starts.push(targets.len() as u32);
            }
            targets.push(Target { rule, kind, starts_word });
        }
        starts.push(targets.len() as u32);
        let (buckets, entries) = into_buckets(&entries);
        Self {
            grams: grams.into(),
            fours: fours.into(),
            threes: threes.into(),
            buckets: buckets.into(),
            entries: entries.into(),
            bytes: bytes.into(),
            lens: lens.into(),
            starts: starts.into(),
            targets: targets.into(),
        }
    }
}

/// Sorts by bucket, by counting: a comparison sort took a third of the start.
fn into_buckets(entries: &[Entry]) -> (Vec<u32>, Vec<Entry>) {
    let mut buckets = vec![0u32; BUCKETS];
    entries.iter().for_each(|entry| buckets[bucket(entry.gram) + 1] += 1);
    for index in 1..buckets.len() {
        buckets[index] += buckets[index - 1];
    }
    let Some(first) = entries.first() else { return (buckets, Vec::new()) };
    let mut next = buckets.clone();
    let mut sorted = vec![*first; entries.len()];
    for entry in entries {
        let place = &mut next[bucket(entry.gram)];
        sorted[*place as usize] = *entry;
        *place += 1;
    }
    (buckets, sorted)
}

/// Where four bytes stand that tell most beside those at `gram_at`: as far away as they can.
fn check_at(len: usize, gram_at: usize) -> usize {
    let last = len.saturating_sub(4);
    if gram_at * 2 > last { 0 } else { last }
}

/// The four bytes at `at`, or all three of a short literal, folded.
fn gram(literal: &[u8], at: usize) -> u32 {
    match literal.get(at..at + 4) {
        Some(four) => u32::from_le_bytes(four.try_into().expect("four bytes")) | FOLD,
        None => (u32::from_le_bytes([literal[0], literal[1], literal[2], 0]) | FOLD) & THREE,
    }
}
