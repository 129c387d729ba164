//! The prefilter: which literals stand where. It decides how fast everything else may be.
//!
//! An automaton over thousands of literals costs milliseconds to build, which a hook cannot spend, and
//! falls out of the cache while it runs. So each literal is represented by one *gram*, its rarest four
//! bytes (or its only three), folded to lower case. A bitmap of 16 KiB says for the four bytes at each
//! position of the text whether they could be somebody's gram: the first three choose a word of it, the fourth a
//! bit. It stays in the first-level cache, and of a source tree some 95 % of the positions end there. The few
//! that pass are looked up in a table of exact grams. Dozens of literals may share one, `toke` for example, so
//! four more bytes of each are compared before the whole literal is.
//!
//! It relies on nothing but literals of at least three bytes, and finds every occurrence of each: the tests
//! compare it with a plain search.

/// A literal to look for.
#[derive(Clone, Debug)]
pub(crate) struct Literal<'a> {
    /// At least three bytes; shorter ones are refused when rules are loaded.
    pub(crate) bytes: &'a [u8],
    /// Whether any ASCII case will do.
    pub(crate) ignore_case: bool,
    /// Offset of the four bytes that represent it; 0 for a literal of three.
    pub(crate) gram_at: u16,
}

/// Finds every occurrence of every literal.
#[derive(Debug)]
pub(crate) struct Prefilter {
    grams: Bitmap,
    /// The grams of four by another hash: of the positions that pass, two in three only share a word and a bit.
    fours: HashSet16,
    /// The grams of three.
    threes: HashSet16,
    /// Grams in hash order: `buckets[h]..buckets[h + 1]` are the entries of hash `h`.
    buckets: Vec<u32>,
    entries: Vec<Entry>,
    literals: Vec<u8>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    gram: u32,
    /// Index of the literal as the caller numbered it.
    id: u32,
    /// Place of the folded literal in `literals`.
    start: u32,
    len: u16,
    /// Offset of the gram in the literal.
    gram_at: u16,
    ignore_case: bool,
    /// Four other bytes of the literal, folded; without meaning for a literal of three.
    check: u32,
    /// How far behind the gram those stand.
    check_from_gram: i16,
}

const FOLD: u32 = 0x2020_2020;
const THREE: u32 = 0x00FF_FFFF;
const BUCKET_BITS: u32 = 12;

impl Prefilter {
    /// Prepares the search. An occurrence is reported by the index of its literal.
    pub(crate) fn new<'a>(literals: impl ExactSizeIterator<Item = Literal<'a>>) -> Self {
        /// Of the catalogue.
        const MEAN_LITERAL_BYTES: usize = 12;
        let mut entries = Vec::with_capacity(literals.len());
        let mut bytes = Vec::with_capacity(literals.len() * MEAN_LITERAL_BYTES);
        let mut grams = Bitmap::new();
        let (mut fours, mut threes) = (HashSet16::new(), HashSet16::new());
        for (id, literal) in literals.enumerate() {
            debug_assert!(literal.bytes.len() >= 3, "rules with shorter literals are refused");
            let gram = gram(literal.bytes, usize::from(literal.gram_at));
            if literal.bytes.len() >= 4 {
                grams.set(gram);
                fours.set(gram);
            } else {
                grams.set_all(gram);
                threes.set(gram);
            }
            let check_at = check_at(literal.bytes.len(), usize::from(literal.gram_at));
            entries.push(Entry {
                gram,
                id: id as u32,
                start: bytes.len() as u32,
                len: literal.bytes.len() as u16,
                gram_at: literal.gram_at,
                ignore_case: literal.ignore_case,
                check: self::gram(literal.bytes, check_at),
                check_from_gram: check_at as i16 - literal.gram_at as i16,
            });
            bytes.extend_from_slice(literal.bytes);
        }
        let (buckets, entries) = into_buckets(&entries);
        Self { grams, fours, threes, buckets, entries, literals: bytes }
    }

    /// Calls `hit(literal, start)` for every occurrence, in the order of the grams' places.
    pub(crate) fn find(&self, text: &[u8], mut hit: impl FnMut(u32, usize)) {
        for (at, window) in text.windows(4).enumerate() {
            let four = u32::from_le_bytes(window.try_into().expect("windows of four")) | FOLD;
            if self.grams.has(four) {
                if self.fours.has(four) {
                    self.verify(four, at, text, &mut hit);
                }
                if self.threes.has(four & THREE) {
                    self.verify(four & THREE, at, text, &mut hit);
                }
            }
        }
        // The last three bytes start no window of four.
        if let Some(&[a, b, c]) = text.last_chunk::<3>() {
            let three = (u32::from_le_bytes([a, b, c, 0]) | FOLD) & THREE;
            if self.threes.has(three) {
                self.verify(three, text.len() - 3, text, &mut hit);
            }
        }
    }

    #[inline(never)]
    fn verify(&self, gram: u32, at: usize, text: &[u8], hit: &mut impl FnMut(u32, usize)) {
        let bucket = bucket(gram);
        let range = self.buckets[bucket] as usize..self.buckets[bucket + 1] as usize;
        for entry in self.entries[range].iter().filter(|entry| entry.gram == gram) {
            // Nearly all of a long chain end here.
            let check_at = at.wrapping_add_signed(isize::from(entry.check_from_gram));
            let other = text.get(check_at..).and_then(|rest| rest.first_chunk::<4>());
            let is_same = other.is_some_and(|four| u32::from_le_bytes(*four) | FOLD == entry.check);
            if !is_same && entry.len >= 4 {
                continue;
            }
            let Some(start) = at.checked_sub(usize::from(entry.gram_at)) else { continue };
            let len = usize::from(entry.len);
            let Some(found) = text.get(start..start + len) else { continue };
            let literal = &self.literals[entry.start as usize..entry.start as usize + len];
            // Many literals share a gram, and most differ at their ends.
            if (found[0] ^ literal[0] | found[len - 1] ^ literal[len - 1]) & !0x20 != 0 {
                continue;
            }
            if found == literal || (entry.ignore_case && found.eq_ignore_ascii_case(literal)) {
                hit(entry.id, start);
            }
        }
    }
}

/// Sorts by bucket, by counting: a comparison sort took a third of the start.
fn into_buckets(entries: &[Entry]) -> (Vec<u32>, Vec<Entry>) {
    let mut buckets = vec![0u32; (1 << BUCKET_BITS) + 1];
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

fn bucket(gram: u32) -> usize {
    (gram.wrapping_mul(0x85EB_CA6B) >> (32 - BUCKET_BITS)) as usize
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

/// 4,096 words of 64 bits: a hash of three bytes chooses the word, the fourth the bit.
#[derive(Debug)]
struct Bitmap(Box<[u64; 4096]>);

impl Bitmap {
    fn new() -> Self {
        Self(Box::new([0; 4096]))
    }

    fn set(&mut self, gram: u32) {
        self.0[Self::word(gram)] |= 1 << (gram >> 24 & 63);
    }

    /// For a gram of three: whatever the fourth byte is.
    fn set_all(&mut self, gram: u32) {
        self.0[Self::word(gram)] = u64::MAX;
    }

    #[inline(always)]
    fn has(&self, gram: u32) -> bool {
        self.0[Self::word(gram)] >> (gram >> 24 & 63) & 1 == 1
    }

    #[inline(always)]
    fn word(gram: u32) -> usize {
        // The shift puts the fourth byte out of the product.
        (gram << 8).wrapping_mul(0x9E37_79B1) as usize >> 20
    }
}

/// A set of grams as 65,536 bits by a hash.
#[derive(Debug)]
struct HashSet16(Box<[u64; 1024]>);

impl HashSet16 {
    fn new() -> Self {
        Self(Box::new([0; 1024]))
    }

    fn set(&mut self, gram: u32) {
        let hash = Self::hash(gram);
        self.0[hash >> 6] |= 1 << (hash & 63);
    }

    #[inline(always)]
    fn has(&self, gram: u32) -> bool {
        let hash = Self::hash(gram);
        self.0[hash >> 6] >> (hash & 63) & 1 == 1
    }

    #[inline(always)]
    fn hash(gram: u32) -> usize {
        gram.wrapping_mul(0x85EB_CA6B) as usize >> 16
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn plain(literals: &[(String, bool)], text: &[u8]) -> Vec<(u32, usize)> {
        let mut all = Vec::new();
        for (id, (literal, ignore_case)) in literals.iter().enumerate() {
            for (start, window) in text.windows(literal.len()).enumerate() {
                let same = window == literal.as_bytes()
                    || (*ignore_case && window.eq_ignore_ascii_case(literal.as_bytes()));
                if same {
                    all.push((id as u32, start));
                }
            }
        }
        all.sort();
        all
    }

    proptest! {
        #[test]
        fn agrees_with_a_plain_search(
            literals in prop::collection::vec(("[aAbB_@`]{3,7}", any::<bool>()), 1..12),
            gram_at in 0usize..4,
            text in "[aAbB_@`]{0,60}",
        ) {
            let prefilter = Prefilter::new(
                literals.iter().map(|(text, case)| Literal {
                    bytes: text.as_bytes(),
                    ignore_case: *case,
                    gram_at: gram_at.min(text.len().saturating_sub(4)) as u16,
                }),
            );
            let mut found = Vec::new();
            prefilter.find(text.as_bytes(), |id, start| found.push((id, start)));
            found.sort();
            prop_assert_eq!(found, plain(&literals, text.as_bytes()));
        }
    }
}
