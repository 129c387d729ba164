#![doc = include_str!("../NOTATION.md")]

mod anchors;
mod byte_set;
mod node;
mod parser;
mod part;
mod parts;
mod steps;

pub use anchors::Anchor;
pub(crate) use anchors::rarity;
pub use byte_set::ByteSet;
pub use part::{Fit, Guard, Part, Run, SecretPlace};
pub use steps::{Step, Steps};

use node::Node;

/// A parsed shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape {
    root: Node,
}

/// Why a shape cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message} at character {column} of the shape")]
pub struct ShapeError {
    /// What is wrong.
    pub message: String,
    /// 1-based position in the text of the shape.
    pub column: usize,
}

/// Bytes that must not stand directly before or after a match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edges {
    /// Not directly before.
    pub before: ByteSet,
    /// Not directly after.
    pub after: ByteSet,
}

/// So many bytes tell nearly every place at which no match starts.
pub const LEAD_BYTES: usize = 4;

impl Shape {
    /// Parses the notation.
    ///
    /// # Errors
    ///
    /// When the text is no shape; the error names the position.
    pub fn parse(text: &str) -> Result<Self, ShapeError> {
        parser::parse(text).map(|root| Self { root })
    }

    /// The shape as a regular expression for [`regex::bytes`], without anchors. Each secret part is a
    /// capture group; there are no other groups.
    pub fn to_regex(&self, ignore_case: bool) -> String {
        let mut out = String::from("(?s-u)");
        self.root.write_regex(ignore_case, &mut out);
        out
    }

    /// Fewest and most bytes of a match; no upper bound for an open repetition.
    pub fn length_bytes(&self) -> (usize, Option<usize>) {
        self.root.length()
    }

    /// Fewest bytes of the secret part; of the whole match where none is marked.
    pub fn min_secret_bytes(&self) -> usize {
        self.root.min_secret().unwrap_or_else(|| self.length_bytes().0)
    }

    /// The bytes that matches are made of.
    pub fn alphabet(&self, ignore_case: bool) -> ByteSet {
        self.root.alphabet(ignore_case)
    }

    /// For the first bytes of a match, as far as is known, what each can be; letters in both cases.
    pub fn lead(&self) -> [ByteSet; LEAD_BYTES] {
        let mut lead = [ByteSet::ALL; LEAD_BYTES];
        let (known, _) = self.root.lead();
        // Where the first part may be missing only its first byte is known, or that of the next.
        let known = if known.is_empty() { vec![self.root.head().0] } else { known };
        for (all, one) in lead.iter_mut().zip(known) {
            *all = one.in_both_cases();
        }
        lead
    }

    /// What must not stand beside a match, since it could belong to a longer value.
    ///
    /// `=` and other assignment characters are allowed before a match even where the alphabet holds them.
    pub fn edges(&self) -> Edges {
        let word = ByteSet::named("WORD").expect("WORD is a class");
        let joiners = word.union(ByteSet::of(b"+/.~-"));
        let edge = |set: ByteSet, from_class: bool| {
            let mut edge = ByteSet::EMPTY;
            if set.intersects(word) {
                edge = edge.union(word);
            }
            if from_class { edge.union(set.intersection(joiners)) } else { edge }
        };
        let (head, head_is_class) = self.root.head();
        let (tail, tail_is_class) = self.root.tail();
        let mut after = edge(tail, tail_is_class);
        if tail_is_class && tail.contains(b'=') && !tail.contains(b':') {
            after.insert(b'=');
        }
        Edges { before: edge(head, head_is_class), after }
    }

    /// A random value of the shape. `below(n)` gives a random number less than `n`.
    pub fn sample(&self, below: &mut dyn FnMut(usize) -> usize) -> Vec<u8> {
        let mut out = Vec::new();
        self.root.sample(below, &mut out);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dice::Dice;

    #[test]
    fn padding_stands_at_the_end_of_a_sample() {
        let mut dice = Dice::new(3);
        let mut below = |sides| dice.roll(sides);
        let mut padded = 0;
        for shape in ["B64PAD{44}", "\"key=\" B64URLPAD{20,60}"] {
            let shape = Shape::parse(shape).unwrap();
            for _ in 0..1000 {
                let sample = shape.sample(&mut below);
                let value = sample.strip_prefix(b"key=").unwrap_or(&sample);
                let head =
                    value.strip_suffix(b"=").map_or(value, |head| head.strip_suffix(b"=").unwrap_or(head));
                assert!(!head.contains(&b'='));
                padded += usize::from(head.len() < value.len());
            }
        }
        assert!(padded > 10, "{padded}");
        // A password may hold the sign anywhere.
        let passwords = Shape::parse("PASSCH{40}").unwrap();
        assert!((0..100).any(|_| passwords.sample(&mut below)[..38].contains(&b'=')));
    }

    #[test]
    fn errors_name_the_place() {
        for (text, column) in [
            ("", 1),
            ("\"\"", 2),
            ("NOPE{3}", 1),
            ("\"a\" DIGIT{3,2}", 15),
            ("(DIGIT", 7),
            ("\"a", 3),
            ("DIGIT)", 6),
        ] {
            let error = Shape::parse(text).unwrap_err();
            assert_eq!(error.column, column, "{text}: {error}");
        }
    }

    #[test]
    fn samples_match_their_own_regex() {
        let mut dice = Dice::new(1);
        let mut below = |sides| dice.roll(sides);
        for text in [
            r#""a\"b\\" DIGIT{1,3} ("x" | ONEOF("-]^") UPPER)? <B64PAD{2,}> EOL"#,
            r#"ANYUUID ":" PASSCH{4,9} "@" HOSTCH{1,20}"#,
        ] {
            let shape = Shape::parse(text).unwrap();
            let regex = regex::bytes::Regex::new(&format!("^(?:{})$", shape.to_regex(false))).unwrap();
            for _ in 0..200 {
                let sample = shape.sample(&mut below);
                assert!(regex.is_match(&sample), "{text}");
                let (least, most) = shape.length_bytes();
                assert!(sample.len() >= least && most.is_none_or(|most| sample.len() <= most));
            }
        }
    }

    #[test]
    fn the_longest_branch_that_fits_is_taken() {
        let regex = Shape::parse("(LOWER_HEX{4} | LOWER_HEX{8})").unwrap().to_regex(false);
        let found = regex::bytes::Regex::new(&regex).unwrap().find(b"0123abcd").unwrap();
        assert_eq!(found.len(), 8);
    }

    #[test]
    fn matches_are_made_of_the_alphabet() {
        let alphabet = |text: &str, ignore_case| Shape::parse(text).unwrap().alphabet(ignore_case);
        let text = r#""pk_" <DIGIT{1,12}> ("_" UPPER{32} | "x"?)"#;
        assert_eq!(
            alphabet(text, false),
            ByteSet::named("DIGIT")
                .unwrap()
                .union(ByteSet::named("UPPER").unwrap())
                .union(ByteSet::of(b"pk_x"))
        );
        assert_eq!(alphabet(text, true), alphabet(text, false).union(ByteSet::of(b"PKX")));
    }

    #[test]
    fn edges_keep_longer_words_out() {
        let edges = Shape::parse(r#""pk_" DIGIT{1,12} "_" UPPER_ALNUM{32}"#).unwrap().edges();
        assert!(edges.before.contains(b'x') && edges.before.contains(b'_'));
        assert!(!edges.before.contains(b'=') && !edges.before.contains(b'/'));
        assert!(edges.after.contains(b'a') && !edges.after.contains(b'.'));
        let base64 = Shape::parse("B64{40}").unwrap().edges();
        assert!(base64.before.contains(b'/') && !base64.before.contains(b'='));
    }
}
