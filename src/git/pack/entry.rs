//! The header of an entry: kind, size, and where the base of a delta is.

use super::EntryError;
use crate::git::ObjectKind;
use crate::location::ObjectId;

/// What an entry is made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Base {
    /// Nothing: the entry holds a whole object.
    Whole(ObjectKind),
    /// The entry at this offset of the same pack.
    Offset(u64),
    /// The object of this name.
    Name(ObjectId),
}

/// The header of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// What the entry is made from.
    pub base: Base,
    /// Length of the inflated bytes: of the object, or of the delta.
    pub size_bytes: u64,
    /// Length of the header itself.
    pub header_bytes: usize,
}

impl Header {
    /// Reads the header of the entry at `offset`, whose packed bytes these are.
    pub(in crate::git) fn parse(bytes: &[u8], offset: u64, id_len: usize) -> Result<Self, EntryError> {
        let mut at = 0;
        let mut next = || {
            let byte = bytes.get(at).copied();
            at += 1;
            byte.ok_or(EntryError::Header)
        };
        let mut byte = next()?;
        let kind = byte >> 4 & 7;
        let mut size_bytes = u64::from(byte & 15);
        let mut shift = 4;
        while byte & 0x80 != 0 {
            byte = next()?;
            let bits = u64::from(byte & 0x7F);
            if shift > 57 || bits << shift >> shift != bits {
                return Err(EntryError::Header);
            }
            size_bytes |= bits << shift;
            shift += 7;
        }
        let base = match kind {
            1 => Base::Whole(ObjectKind::Commit),
            2 => Base::Whole(ObjectKind::Tree),
            3 => Base::Whole(ObjectKind::Blob),
            4 => Base::Whole(ObjectKind::Tag),
            6 => {
                let mut byte = next()?;
                let mut back = u64::from(byte & 0x7F);
                while byte & 0x80 != 0 {
                    byte = next()?;
                    if back >= 1 << 56 {
                        return Err(EntryError::Header);
                    }
                    back = (back + 1) << 7 | u64::from(byte & 0x7F);
                }
                let base = offset.checked_sub(back).filter(|_| back > 0);
                Base::Offset(base.ok_or(EntryError::NoBase)?)
            }
            7 => {
                let name = bytes.get(at..at + id_len).and_then(ObjectId::from_raw);
                at += id_len;
                Base::Name(name.ok_or(EntryError::Header)?)
            }
            _ => return Err(EntryError::Header),
        };
        Ok(Self { base, size_bytes, header_bytes: at })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_objects_and_both_kinds_of_deltas_are_told_apart() {
        let parse = |bytes: &[u8]| Header::parse(bytes, 1000, 20);
        assert_eq!(
            parse(&[0xB5, 0x02, 0]).unwrap(),
            Header { base: Base::Whole(ObjectKind::Blob), size_bytes: 37, header_bytes: 2 }
        );
        assert_eq!(parse(&[0x61, 0x80, 0x01]).unwrap().base, Base::Offset(1000 - 129));
        let mut by_name = vec![0x71];
        by_name.extend([9; 20]);
        assert_eq!(parse(&by_name).unwrap().base, Base::Name(ObjectId::from_raw(&[9; 20]).unwrap()));
        for (bytes, error) in [
            (&[][..], EntryError::Header),
            (&[0x80], EntryError::Header),
            (&[0x00], EntryError::Header),
            (&[0x50], EntryError::Header),
            (&[0x71, 1, 2], EntryError::Header),
            (&[0x61, 0x00], EntryError::NoBase),
            (&[0x61, 0xFF, 0x7F], EntryError::NoBase),
            (&[0xBF; 30], EntryError::Header),
            (&[0x61, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F], EntryError::Header),
        ] {
            assert_eq!(parse(bytes), Err(error), "{bytes:?}");
        }
    }
}
