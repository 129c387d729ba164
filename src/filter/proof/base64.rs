//! Base64 that forgives: either alphabet, padding or none, stray bits at the end.

/// The bytes behind the letters. Nothing for other letters, for padding in the middle and for a length that no
/// text has.
pub fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let padding = text.iter().rev().take_while(|&&byte| byte == b'=').count();
    let text = &text[..text.len() - padding];
    if text.len() % 4 == 1 {
        return None;
    }
    let mut out = Vec::with_capacity(text.len() / 4 * 3 + 2);
    let (mut bits, mut count) = (0u32, 0);
    for &byte in text {
        bits = bits << 6 | u32::from(value(byte)?);
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push((bits >> count) as u8);
        }
    }
    Some(out)
}

/// Whether the byte is a letter of either alphabet or padding.
pub fn is_letter(byte: u8) -> bool {
    byte == b'=' || value(byte).is_some()
}

fn value(byte: u8) -> Option<u8> {
    match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' | b'-' => Some(62),
        b'/' | b'_' => Some(63),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_those_of_both_alphabets_and_padding() {
        let letters: Vec<u8> = (0..=u8::MAX).filter(|byte| is_letter(*byte)).collect();
        assert_eq!(letters.len(), 26 + 26 + 10 + 4 + 1);
        assert!(letters.iter().all(|byte| byte.is_ascii_alphanumeric() || b"+/-_=".contains(byte)));
    }

    #[test]
    fn both_alphabets_and_stray_bits() {
        assert_eq!(decode(b"-_+/").unwrap(), decode(b"+/-_").unwrap());
        assert_eq!(decode(b"QUI=").unwrap(), b"AB");
        assert_eq!(decode(b"QUJ").unwrap(), b"AB");
        assert_eq!(decode(b""), Some(Vec::new()));
        for bad in [&b"A"[..], b"QU=I", b"Q U I"] {
            assert_eq!(decode(bad), None);
        }
    }
}
