//! A set of byte values, and the classes of the notation.

use std::fmt::Write as _;

/// A set of byte values.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct ByteSet([u64; 4]);

impl std::fmt::Debug for ByteSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut text = String::new();
        self.write_regex(&mut text);
        f.write_str(&text)
    }
}

impl ByteSet {
    /// No byte.
    pub const EMPTY: ByteSet = ByteSet([0; 4]);
    /// Every byte.
    pub const ALL: ByteSet = ByteSet([u64::MAX; 4]);

    /// The listed bytes.
    pub fn of(bytes: &[u8]) -> Self {
        let mut set = Self::EMPTY;
        bytes.iter().for_each(|&byte| set.insert(byte));
        set
    }

    /// The class of that name in the notation, or `None`.
    pub fn named(name: &str) -> Option<Self> {
        let digit = Self::range(b'0', b'9');
        let lower = Self::range(b'a', b'z');
        let upper = Self::range(b'A', b'Z');
        let alnum = digit.union(lower).union(upper);
        let plus = |set: ByteSet, more: &[u8]| set.union(Self::of(more));
        let minus = |set: ByteSet, less: &[u8]| set.intersection(Self::of(less).complement());
        // Printable means ASCII without the control bytes, and every byte of other characters.
        let visible = Self::range(0x21, 0x7E).union(Self::range(0x80, 0xFF));
        Some(match name {
            "DIGIT" => digit,
            "LOWER" => lower,
            "UPPER" => upper,
            "ALPHA" => lower.union(upper),
            "LOWER_ALNUM" => digit.union(lower),
            "UPPER_ALNUM" => digit.union(upper),
            "ALNUM" => alnum,
            "LOWER_HEX" => digit.union(Self::range(b'a', b'f')),
            "UPPER_HEX" => digit.union(Self::range(b'A', b'F')),
            "HEX" => digit.union(Self::range(b'a', b'f')).union(Self::range(b'A', b'F')),
            "BASE32" => upper.union(Self::range(b'2', b'7')),
            "LOWER_BASE32" => lower.union(Self::range(b'2', b'7')),
            "BASE58" => minus(alnum, b"0IOl"),
            "BECH32" => minus(digit.union(lower), b"1bio"),
            "UPPER_BECH32" => minus(digit.union(upper), b"1BIO"),
            "B64" => plus(alnum, b"+/"),
            "B64PAD" => plus(alnum, b"+/="),
            "B64URL" => plus(alnum, b"-_"),
            "B64URLPAD" => plus(alnum, b"-_="),
            "WORD" => plus(alnum, b"_"),
            "LOWER_WORD" => plus(digit.union(lower), b"_"),
            "ALNUM_DASH" => plus(alnum, b"-"),
            "LOWER_ALNUM_DASH" => plus(digit.union(lower), b"-"),
            "UPPER_ALNUM_DASH" => plus(digit.union(upper), b"-"),
            "DOTTED" => plus(alnum, b"-_.~"),
            "CRYPT64" => plus(alnum, b"./"),
            "HOSTCH" => plus(alnum, b".-[]:"),
            "USERCH" => plus(alnum, b"._-%+@\\"),
            "PASSCH" => minus(visible, b"\"'`"),
            "TEXT" => minus(visible, b"\"'`<>"),
            "PRINT" => Self::range(0x21, 0x7E),
            "SP" => Self::of(b" \t"),
            "ANY" => Self::EMPTY.complement(),
            _ => return None,
        })
    }

    /// Every byte from `first` to `last`, both included.
    pub fn range(first: u8, last: u8) -> Self {
        let mut set = Self::EMPTY;
        (first..=last).for_each(|byte| set.insert(byte));
        set
    }

    /// The set with every letter in both cases.
    #[must_use]
    pub fn in_both_cases(mut self) -> Self {
        for upper in b'A'..=b'Z' {
            let lower = upper.to_ascii_lowercase();
            if self.contains(upper) || self.contains(lower) {
                self.insert(upper);
                self.insert(lower);
            }
        }
        self
    }

    /// A number that most other sets do not have.
    #[inline]
    pub fn digest(&self) -> usize {
        let [a, b, c, d] = self.0;
        ((a ^ b.rotate_left(17) ^ c.rotate_left(31) ^ d).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 48) as usize
    }

    /// Adds a byte.
    pub fn insert(&mut self, byte: u8) {
        self.0[usize::from(byte >> 6)] |= 1 << (byte & 63);
    }

    /// Whether the byte is in the set.
    #[inline]
    pub fn contains(&self, byte: u8) -> bool {
        self.0[usize::from(byte >> 6)] >> (byte & 63) & 1 == 1
    }

    /// Bytes in either set.
    pub fn union(self, other: Self) -> Self {
        Self(std::array::from_fn(|i| self.0[i] | other.0[i]))
    }

    /// Bytes in both sets.
    pub fn intersection(self, other: Self) -> Self {
        Self(std::array::from_fn(|i| self.0[i] & other.0[i]))
    }

    /// Bytes not in the set.
    pub fn complement(self) -> Self {
        Self(self.0.map(|word| !word))
    }

    /// Whether the sets share a byte.
    pub fn intersects(self, other: Self) -> bool {
        self.intersection(other) != Self::EMPTY
    }

    /// Number of bytes in the set.
    pub fn len(&self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// Whether the set holds no byte.
    pub fn is_empty(&self) -> bool {
        *self == Self::EMPTY
    }

    /// The bytes in rising order.
    pub fn iter(&self) -> impl Iterator<Item = u8> + '_ {
        (0..=255).filter(|&byte| self.contains(byte))
    }

    /// A random byte of the set.
    pub(super) fn sample(&self, below: &mut dyn FnMut(usize) -> usize) -> u8 {
        // Bytes of other characters only make sense in sequence, so samples stay printable ASCII.
        let printable: Vec<u8> = self.iter().filter(|byte| (0x20..0x7F).contains(byte)).collect();
        let choices = if printable.is_empty() { self.iter().collect() } else { printable };
        choices[below(choices.len())]
    }

    /// Writes the class of an expression that the set is.
    pub(super) fn write_regex(&self, out: &mut String) {
        out.push('[');
        let mut bytes = self.iter().peekable();
        while let Some(first) = bytes.next() {
            let mut last = first;
            while bytes.peek().is_some_and(|&next| u16::from(next) == u16::from(last) + 1) {
                last = bytes.next().expect("just peeked");
            }
            let result = if first == last {
                write!(out, "\\x{first:02x}")
            } else {
                write!(out, "\\x{first:02x}-\\x{last:02x}")
            };
            result.expect("a string takes every write");
        }
        out.push(']');
    }
}
