//! The little of DER that the head of a key needs: elements, one after the other.

/// An element: its tag and its content, which may be cut short.
#[derive(Clone, Copy, Debug)]
pub struct Element<'d> {
    /// The identifier octet.
    pub tag: u8,
    /// As many bytes of the content as there are.
    pub content: &'d [u8],
    /// How long the content says it is.
    pub declared_bytes: usize,
    /// What follows the element.
    pub rest: &'d [u8],
}

pub const INTEGER: u8 = 0x02;
pub const OCTET_STRING: u8 = 0x04;
pub const OBJECT: u8 = 0x06;
pub const SEQUENCE: u8 = 0x30;

impl Element<'_> {
    /// Whether all of the content is there.
    pub fn is_whole(&self) -> bool {
        self.content.len() == self.declared_bytes
    }
}

/// Reads the element at the head; nothing for a length in no form that DER allows.
pub fn element(bytes: &[u8]) -> Option<Element<'_>> {
    let (&tag, rest) = bytes.split_first()?;
    let (&length, rest) = rest.split_first()?;
    let (declared_bytes, rest) = match length {
        0..=0x7F => (usize::from(length), rest),
        0x81 => (usize::from(*rest.first()?), &rest[1..]),
        0x82 => (usize::from(u16::from_be_bytes([*rest.first()?, *rest.get(1)?])), &rest[2..]),
        // No key is longer than 64 KiB.
        _ => return None,
    };
    let (content, rest) = rest.split_at(declared_bytes.min(rest.len()));
    Some(Element { tag, content, declared_bytes, rest })
}

/// Reads the element at the head if it has that tag.
pub fn expect(bytes: &[u8], tag: u8) -> Option<Element<'_>> {
    element(bytes).filter(|element| element.tag == tag)
}

/// Writes an element.
pub fn write(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let mut out = vec![tag];
    match length {
        0..=0x7F => out.push(length as u8),
        0x80..=0xFF => out.extend([0x81, length as u8]),
        _ => out.extend([0x82, (length >> 8) as u8, length as u8]),
    }
    out.extend_from_slice(content);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_of_every_length_go_there_and_back() {
        for length in [0, 1, 0x7F, 0x80, 0xFF, 0x100, 0x1234] {
            let bytes = write(INTEGER, &vec![7; length]);
            let read = expect(&bytes, INTEGER).unwrap();
            assert!(read.is_whole() && read.content.len() == length && read.rest.is_empty());
            if length > 0 {
                let cut = element(&bytes[..bytes.len() - 1]).unwrap();
                assert!(!cut.is_whole());
            }
        }
        assert!(element(&[INTEGER, 0x84, 0, 0, 0, 1, 7]).is_none());
    }
}
