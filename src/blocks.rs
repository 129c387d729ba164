//! Blocks of bytes, and a bit for each of them.

/// As many as a word has bits.
pub(crate) const BLOCK_BYTES: usize = 64;

/// The lowest bits of some bytes, that of the first one lowest.
///
/// Where what stands in the bytes is told without a branch, the compiler makes vector instructions of that.
pub(crate) fn bits_of(classes: &[u8; BLOCK_BYTES]) -> u64 {
    /// Gathers the lowest bits of eight bytes in the highest of them.
    const GATHER: u64 = 0x0102_0408_1020_4080;
    let (groups, _) = classes.as_chunks::<8>();
    groups
        .iter()
        .rev()
        .fold(0, |bits, &group| bits << 8 | u64::from_le_bytes(group).wrapping_mul(GATHER) >> 56)
}

/// The places of the bits that are set, from the lowest on, or from the highest on where they are asked for in reverse.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Places(pub(crate) u64);

impl Iterator for Places {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        let place = self.0.trailing_zeros() as usize;
        let is_any = self.0 != 0;
        self.0 &= self.0.wrapping_sub(1);
        is_any.then_some(place)
    }
}

impl DoubleEndedIterator for Places {
    fn next_back(&mut self) -> Option<usize> {
        let place = self.0.checked_ilog2()?;
        self.0 ^= 1 << place;
        Some(place as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn each_byte_has_its_bit(bits in any::<u64>()) {
            let classes: [u8; BLOCK_BYTES] = std::array::from_fn(|at| (bits >> at & 1) as u8);
            prop_assert_eq!(bits_of(&classes), bits);
            let set: Vec<usize> = (0..64).filter(|at| bits >> at & 1 == 1).collect();
            prop_assert_eq!(Places(bits).collect::<Vec<_>>(), &*set);
            prop_assert!(Places(bits).rev().eq(set.into_iter().rev()));
        }
    }
}
