//! Finds long literals with few looks at the text.
//!
//! Every occurrence of a literal of at least [`LEAST_BYTES`] covers four bytes at a multiple of [`STRIDE`], so
//! only these are looked up, among the grams of the first offsets of each literal.

use std::collections::HashMap;

/// Distance between two looks.
const STRIDE: usize = 16;
/// Four bytes start at each of `STRIDE` neighbouring offsets of a literal this long.
pub(super) const LEAST_BYTES: usize = STRIDE + 3;

/// Finds every occurrence of every one of some literals.
#[derive(Debug, Default)]
pub(super) struct LongLiterals {
    /// By hash of a gram: whether it is in one of them.
    bitmap: Vec<u64>,
    /// By gram, folded to lower case: literal, offset of the gram.
    grams: HashMap<u32, Vec<(u32, u16)>>,
    literals: Vec<(u32, Vec<u8>, bool)>,
}

impl LongLiterals {
    /// Adds a literal that is to be reported as `id`.
    pub(super) fn add(&mut self, id: u32, bytes: &[u8], ignore_case: bool) {
        debug_assert!(bytes.len() >= LEAST_BYTES);
        self.bitmap.resize(1024, 0);
        let number = self.literals.len() as u32;
        self.literals.push((id, bytes.to_vec(), ignore_case));
        for (offset, gram) in bytes.windows(4).take(STRIDE).enumerate() {
            let gram = fold(gram);
            let (word, bit) = place(gram);
            self.bitmap[word] |= 1 << bit;
            self.grams.entry(gram).or_default().push((number, offset as u16));
        }
    }

    /// Calls `hit(id, start)` for every occurrence.
    pub(super) fn find(&self, text: &[u8], mut hit: impl FnMut(u32, usize)) {
        if self.literals.is_empty() {
            return;
        }
        for at in (0..text.len().saturating_sub(3)).step_by(STRIDE) {
            let gram = fold(&text[at..at + 4]);
            let (word, bit) = place(gram);
            if self.bitmap[word] >> bit & 1 == 0 {
                continue;
            }
            for (number, offset) in self.grams.get(&gram).into_iter().flatten() {
                let (id, literal, ignore_case) = &self.literals[*number as usize];
                let Some(start) = at.checked_sub(usize::from(*offset)) else { continue };
                let Some(found) = text.get(start..start + literal.len()) else { continue };
                if found == literal || (*ignore_case && found.eq_ignore_ascii_case(literal)) {
                    hit(*id, start);
                }
            }
        }
    }
}

fn fold(gram: &[u8]) -> u32 {
    u32::from_le_bytes(gram.try_into().expect("four bytes")) | 0x2020_2020
}

fn place(gram: u32) -> (usize, u32) {
    let hash = gram.wrapping_mul(0x9E37_79B1) >> 16;
    ((hash >> 6) as usize & 1023, hash & 63)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn agrees_with_a_plain_search(
            literals in prop::collection::vec(("[abAB]{19,26}", any::<bool>()), 1..5),
            parts in prop::collection::vec((0usize..5, "[abAB]{0,20}", any::<bool>()), 0..6),
        ) {
            let mut text = String::new();
            for (number, filler, is_upper) in parts {
                let literal = &literals[number % literals.len()].0;
                text.push_str(&filler);
                text.push_str(&if is_upper { literal.to_uppercase() } else { literal.clone() });
            }
            let mut long = LongLiterals::default();
            let mut expected = Vec::new();
            for (id, (literal, ignore_case)) in (0..).zip(&literals) {
                long.add(id, literal.as_bytes(), *ignore_case);
                for (start, window) in text.as_bytes().windows(literal.len()).enumerate() {
                    let same = window == literal.as_bytes()
                        || (*ignore_case && window.eq_ignore_ascii_case(literal.as_bytes()));
                    if same {
                        expected.push((id, start));
                    }
                }
            }
            let mut found = Vec::new();
            long.find(text.as_bytes(), |id, start| found.push((id, start)));
            found.sort_unstable();
            expected.sort_unstable();
            prop_assert_eq!(found, expected);
        }
    }
}
