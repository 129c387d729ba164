//! Text or binary, and UTF-16 to UTF-8.

use std::borrow::Cow;

/// How many leading bytes decide, as in git's `buffer_is_binary` (`FIRST_FEW_BYTES` in xdiff-interface.c).
const SAMPLE_BYTES: usize = 8000;

/// Returns the bytes as text, or `None` when they are binary.
///
/// UTF-8, Latin-1 and every other encoding that keeps ASCII as it is pass through unchanged. UTF-16 with
/// a byte order mark, or recognised by its zero bytes, is converted to UTF-8. Anything else with a zero
/// byte among the first 8,000 is binary, as git sees it.
pub fn as_text(bytes: &[u8]) -> Option<Cow<'_, [u8]>> {
    match Encoding::of(bytes) {
        Encoding::AsciiCompatible => Some(Cow::Borrowed(bytes)),
        Encoding::Utf16(order) => Some(Cow::Owned(order.to_utf8(bytes))),
        Encoding::Binary => None,
    }
}

/// What the first bytes of a file say about the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8, Latin-1, Shift-JIS …: ASCII bytes mean ASCII characters.
    AsciiCompatible,
    /// Two bytes a character.
    Utf16(ByteOrder),
    /// No text.
    Binary,
}

/// The order of the two bytes of a UTF-16 code unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ByteOrder {
    /// Least significant byte first.
    Little,
    /// Most significant byte first.
    Big,
}

impl Encoding {
    /// Judges by the byte order mark and the zero bytes among the first 8,000.
    pub fn of(bytes: &[u8]) -> Self {
        let sample = &bytes[..bytes.len().min(SAMPLE_BYTES)];
        match sample {
            // UTF-32 little endian starts with the mark of UTF-16 and two zero bytes.
            [0xFF, 0xFE, 0, 0, ..] => return Encoding::Binary,
            [0xFF, 0xFE, ..] => return Encoding::Utf16(ByteOrder::Little),
            [0xFE, 0xFF, ..] => return Encoding::Utf16(ByteOrder::Big),
            _ => {}
        }
        if memchr::memchr(0, sample).is_none() {
            return Encoding::AsciiCompatible;
        }
        Self::utf16_without_mark(sample).map_or(Encoding::Binary, Encoding::Utf16)
    }

    /// Text in a Latin script has a zero in nearly every second byte and none in the others. A file of
    /// wide characters is still recognised when a quarter of its characters are ASCII, as code is.
    fn utf16_without_mark(sample: &[u8]) -> Option<ByteOrder> {
        let pairs = sample.len() / 2;
        let zeros = |offset| sample.iter().skip(offset).step_by(2).filter(|&&byte| byte == 0).count();
        let (even, odd) = (zeros(0), zeros(1));
        let is_text = |order: ByteOrder| {
            pairs >= 2
                && sample.chunks_exact(2).all(|pair| {
                    let unit = order.unit(pair);
                    unit >= 0x20 || matches!(unit, 0x09 | 0x0A | 0x0C | 0x0D)
                })
        };
        if even == 0 && odd * 4 >= pairs && is_text(ByteOrder::Little) {
            Some(ByteOrder::Little)
        } else if odd == 0 && even * 4 >= pairs && is_text(ByteOrder::Big) {
            Some(ByteOrder::Big)
        } else {
            None
        }
    }
}

impl ByteOrder {
    fn unit(self, pair: &[u8]) -> u16 {
        match self {
            ByteOrder::Little => u16::from_le_bytes([pair[0], pair[1]]),
            ByteOrder::Big => u16::from_be_bytes([pair[0], pair[1]]),
        }
    }

    /// Converts to UTF-8 without the byte order mark. Unpaired surrogates become U+FFFD; an odd last
    /// byte is kept as it is.
    pub fn to_utf8(self, bytes: &[u8]) -> Vec<u8> {
        let units = bytes.chunks_exact(2).map(|pair| self.unit(pair));
        let mut text = String::with_capacity(bytes.len() / 2 + bytes.len() / 8);
        text.extend(
            char::decode_utf16(units)
                .map(|decoded| decoded.unwrap_or(char::REPLACEMENT_CHARACTER))
                .skip_while(|&character| character == '\u{FEFF}'),
        );
        let mut out = text.into_bytes();
        out.extend_from_slice(bytes.chunks_exact(2).remainder());
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utf16(text: &str, order: ByteOrder) -> Vec<u8> {
        text.encode_utf16()
            .flat_map(|unit| match order {
                ByteOrder::Little => unit.to_le_bytes(),
                ByteOrder::Big => unit.to_be_bytes(),
            })
            .collect()
    }

    #[test]
    fn utf16_is_converted_with_and_without_a_mark() {
        for order in [ByteOrder::Little, ByteOrder::Big] {
            for text in ["\u{FEFF}key = ä\r\n", "key = value\n"] {
                let decoded = as_text(&utf16(text, order)).unwrap().into_owned();
                assert_eq!(decoded, text.trim_start_matches('\u{FEFF}').as_bytes(), "{order:?} {text:?}");
            }
        }
    }

    #[test]
    fn latin1_passes_through() {
        assert_eq!(as_text(b"pass\xE9 = 1").unwrap().as_ref(), b"pass\xE9 = 1");
    }

    #[test]
    fn zero_bytes_make_a_binary() {
        assert!(as_text(b"\x7fELF\x02\x01\x01\0\0\0\0\0").is_none());
        assert!(as_text(b"a\0").is_none());
        assert!(as_text(&[0; 64]).is_none());
    }

    #[test]
    fn an_empty_file_is_text() {
        assert_eq!(as_text(b"").unwrap().len(), 0);
    }
}
