//! Deltas: instructions that copy from a base or insert bytes (gitformat-pack(5), "Deltified representation").

use super::EntryError;
use crate::derived::{Copied, Copies};

/// A delta, its lengths read.
#[derive(Clone, Copy, Debug)]
pub struct Delta<'d> {
    /// Length of the base it is for.
    pub base_bytes: u64,
    /// Length of what it makes.
    pub result_bytes: u64,
    instructions: &'d [u8],
}

impl<'d> Delta<'d> {
    /// Reads the two lengths in front.
    ///
    /// # Errors
    ///
    /// When they are cut off or do not fit into 64 bits.
    pub fn parse(bytes: &'d [u8]) -> Result<Self, EntryError> {
        let mut rest = bytes;
        let base_bytes = length(&mut rest)?;
        let result_bytes = length(&mut rest)?;
        Ok(Self { base_bytes, result_bytes, instructions: rest })
    }

    /// Appends to the empty `out` what the delta makes of `base`, and notes in `copies` what it copied.
    ///
    /// # Errors
    ///
    /// When the base is not the one it is for, or an instruction makes no sense.
    pub fn apply(&self, base: &[u8], out: &mut Vec<u8>, copies: &mut Copies) -> Result<(), EntryError> {
        if self.base_bytes != base.len() as u64 {
            return Err(EntryError::BaseLength);
        }
        let len = usize::try_from(self.result_bytes).map_err(|_| EntryError::TooLarge)?;
        out.clear();
        copies.restart(base.len());
        out.try_reserve(len).map_err(|_| EntryError::TooLarge)?;
        let mut rest = self.instructions;
        while let Some((&instruction, behind)) = rest.split_first() {
            rest = behind;
            let piece = if instruction & 0x80 != 0 {
                let mut number = |mask: u8, shift| {
                    if instruction & mask == 0 {
                        return Ok(0);
                    }
                    let (&byte, behind) = rest.split_first().ok_or(EntryError::Instruction)?;
                    rest = behind;
                    Ok(usize::from(byte) << shift)
                };
                let from = number(1, 0)? | number(2, 8)? | number(4, 16)? | number(8, 24)?;
                let len = match number(16, 0)? | number(32, 8)? | number(64, 16)? {
                    0 => 0x10000,
                    len => len,
                };
                let piece = base.get(from..).and_then(|behind| behind.get(..len)).ok_or(EntryError::Copy)?;
                copies.push(Copied { from, to: out.len(), len });
                piece
            } else if instruction != 0 {
                let (piece, behind) =
                    rest.split_at_checked(usize::from(instruction)).ok_or(EntryError::Instruction)?;
                rest = behind;
                piece
            } else {
                return Err(EntryError::Instruction);
            };
            if piece.len() > len - out.len() {
                return Err(EntryError::ResultLength);
            }
            out.extend_from_slice(piece);
        }
        if out.len() == len { Ok(()) } else { Err(EntryError::ResultLength) }
    }
}

fn length(rest: &mut &[u8]) -> Result<u64, EntryError> {
    let mut length = 0;
    let mut shift = 0;
    loop {
        let (&byte, behind) = rest.split_first().ok_or(EntryError::Instruction)?;
        *rest = behind;
        let bits = u64::from(byte & 0x7F);
        if shift > 57 || bits << shift >> shift != bits {
            return Err(EntryError::Instruction);
        }
        length |= bits << shift;
        shift += 7;
        if byte & 0x80 == 0 {
            return Ok(length);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn apply(delta: &[u8], base: &[u8]) -> Result<(Vec<u8>, Vec<Copied>), EntryError> {
        let (mut out, mut copies) = (Vec::new(), Copies::default());
        Delta::parse(delta)?.apply(base, &mut out, &mut copies)?;
        Ok((out, copies.pieces().to_vec()))
    }

    #[test]
    fn copies_and_insertions_make_the_result() {
        let delta = [10, 8, 0x90 | 1, 2, 3, 2, b'x', b'y', 0x90, 3];
        let (out, copies) = apply(&delta, b"0123456789").unwrap();
        assert_eq!(out, b"234xy012");
        assert_eq!(copies, [Copied { from: 2, to: 0, len: 3 }, Copied { from: 0, to: 5, len: 3 }]);
    }

    #[test]
    fn a_copy_without_a_length_is_of_64_kib() {
        let base = vec![7; 0x10000];
        let (out, _) = apply(&[0x80, 0x80, 4, 0x80, 0x80, 4, 0x80], &base).unwrap();
        assert_eq!(out, base);
    }

    #[test]
    fn crafted_deltas_are_errors() {
        for (delta, error) in [
            (&[][..], EntryError::Instruction),
            (&[10], EntryError::Instruction),
            (&[9, 0], EntryError::BaseLength),
            (&[10, 3, 0x91, 8, 3], EntryError::Copy),
            (&[10, 3, 0x8F, 0xFF, 0xFF, 0xFF, 0xFF], EntryError::Copy),
            (&[10, 3, 0x91, 8], EntryError::Instruction),
            (&[10, 3, 5, 1], EntryError::Instruction),
            (&[10, 3, 0], EntryError::Instruction),
            (&[10, 1, 0x90, 3], EntryError::ResultLength),
            (&[10, 9, 0x90, 3], EntryError::ResultLength),
            (&[0xFF; 12], EntryError::Instruction),
        ] {
            assert_eq!(apply(delta, b"0123456789"), Err(error), "{delta:?}");
        }
        let huge = [10, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F];
        assert!(apply(&huge, b"0123456789").is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_end_in_a_result_or_an_error(delta in prop::collection::vec(any::<u8>(), 0..64)) {
            let base = [b'x'; 300];
            let mut framed = vec![0xAC, 0x02];
            framed.extend(&delta);
            for delta in [&delta, &framed] {
                if let Ok((out, copies)) = apply(delta, &base) {
                    for copied in copies {
                        prop_assert_eq!(
                            &out[copied.to..copied.to + copied.len],
                            &base[copied.from..copied.from + copied.len]
                        );
                    }
                }
            }
        }
    }
}
