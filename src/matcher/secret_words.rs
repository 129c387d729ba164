//! Words in names that speak of a secret, and where in a text they stand.

use super::bytes::starts_ignoring_case;

/// Words that speak of a secret.
const SECRET_WORDS: [&[u8]; 8] = [b"token", b"secret", b"key", b"pass", b"pwd", b"auth", b"cred", b"api"];

/// The words for a secret that stand in a stretch of the text: rules that share a name ask for those round it.
#[derive(Debug, Default)]
pub(super) struct SecretWords {
    /// What was looked at.
    known: (usize, usize),
    /// Where they start in it, and their lengths.
    words: Vec<(usize, usize)>,
}

impl SecretWords {
    /// Forgets all, before another text.
    pub(super) fn clear(&mut self) {
        self.known = (0, 0);
        self.words.clear();
    }

    /// The words that start in a stretch, also those that lie on each other.
    pub(super) fn starting_in(&mut self, text: &[u8], (from, to): (usize, usize)) -> &[(usize, usize)] {
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

/// The first word for a secret that starts in a stretch of the text, and its length.
pub(super) fn next_secret_word(text: &[u8], (mut from, to): (usize, usize)) -> Option<(usize, usize)> {
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
pub(super) fn secret_word_at(text: &[u8]) -> usize {
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
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
    }
}
