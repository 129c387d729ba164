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

/// The places of the bits that are set, from the lowest on.
pub(crate) fn places_of(mut bits: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let place = bits.trailing_zeros() as usize;
        let is_any = bits != 0;
        bits &= bits.wrapping_sub(1);
        is_any.then_some(place)
    })
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
            let places: Vec<usize> = places_of(bits).collect();
            prop_assert_eq!(places, (0..64).filter(|at| bits >> at & 1 == 1).collect::<Vec<_>>());
        }
    }
}
