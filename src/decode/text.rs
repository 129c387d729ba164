//! Whether decoded bytes are text, judged byte by byte so that anything else is given up early.

use std::ops::ControlFlow;

use super::map::{Grain, Map};

/// What a byte that is no text costs; each byte of text pays one back. The long-run tolerance is therefore
/// one byte in twenty.
const COST: u32 = 20;

/// The debt at which a stretch is no longer text.
const LIMIT: u32 = 44;

/// The debt at the start: one stray byte is forgiven, the second ends it. Of random bytes, two in five are
/// text, so that a digest is given up after three or four bytes.
const OPENING_DEBT: u32 = 24;

/// This many bytes of text in a row end a cluster of stray bytes.
const CALM_BYTES: usize = 8;

/// How the characters of a decoded stretch are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Script {
    /// UTF-8, or any encoding that keeps ASCII as it is.
    Utf8,
    /// Two bytes a character, the low one first, as PowerShell's `-EncodedCommand` takes them.
    Utf16Le,
    /// Two bytes a character, the high one first.
    Utf16Be,
}

impl Script {
    /// Judges by the first bytes.
    pub(super) fn of(bytes: &[u8]) -> Self {
        match bytes {
            [0xFF, 0xFE, a, 0, ..] if is_ascii_text(*a) => Script::Utf16Le,
            [0xFE, 0xFF, 0, a, ..] if is_ascii_text(*a) => Script::Utf16Be,
            [a, 0, b, 0, c, 0, ..] if [a, b, c].iter().all(|&&byte| is_ascii_text(byte)) => Script::Utf16Le,
            [0, a, 0, b, 0, c, ..] if [a, b, c].iter().all(|&&byte| is_ascii_text(byte)) => Script::Utf16Be,
            _ => Script::Utf8,
        }
    }
}

/// Follows a growing stretch of bytes and finds where it stops being text.
#[derive(Clone, Debug)]
pub(super) struct Meter {
    script: Script,
    debt: u32,
    /// Bytes judged so far.
    judged: usize,
    /// Where the last cluster of stray bytes starts.
    cluster_start: usize,
    calm_bytes: usize,
}

impl Meter {
    pub(super) fn new(script: Script) -> Self {
        Self { script, debt: OPENING_DEBT, judged: 0, cluster_start: 0, calm_bytes: CALM_BYTES }
    }

    pub(super) fn script(&self) -> Script {
        self.script
    }

    /// Judges the bytes behind those judged before; a character cut off by the end waits for the next call.
    /// Breaks with the length of the text in front when the rest is none.
    pub(super) fn follow(&mut self, bytes: &[u8]) -> ControlFlow<usize> {
        match self.script {
            Script::Utf8 => self.follow_utf8(bytes),
            script => self.follow_utf16(bytes, script),
        }
    }

    fn follow_utf8(&mut self, bytes: &[u8]) -> ControlFlow<usize> {
        while let Some(&byte) = bytes.get(self.judged) {
            if byte < 0x80 {
                let len = ascii_text_len(&bytes[self.judged..]);
                self.note(len.max(1), len > 0)?;
                continue;
            }
            let rest = &bytes[self.judged..];
            let (character, len) = bstr::decode_utf8(rest);
            if character.is_none() && len == rest.len() && len < 4 {
                break;
            }
            self.note(len, character.is_some_and(|character| !character.is_control()))?;
        }
        ControlFlow::Continue(())
    }

    fn follow_utf16(&mut self, bytes: &[u8], script: Script) -> ControlFlow<usize> {
        while let Some(pair) = bytes.get(self.judged..self.judged + 2) {
            let unit = unit(pair, script);
            self.note(
                2,
                u8::try_from(unit).map_or(unit >= 0x100, |byte| is_ascii_text(byte) || byte >= 0xA0),
            )?;
        }
        ControlFlow::Continue(())
    }

    fn note(&mut self, len: usize, is_text: bool) -> ControlFlow<usize> {
        if is_text {
            self.debt = self.debt.saturating_sub(len as u32);
            self.calm_bytes += len;
        } else {
            if self.calm_bytes >= CALM_BYTES {
                self.cluster_start = self.judged;
            }
            self.calm_bytes = 0;
            self.debt += COST;
            if self.debt > LIMIT {
                return ControlFlow::Break(self.cluster_start);
            }
        }
        self.judged += len;
        ControlFlow::Continue(())
    }
}

/// Converts UTF-16 to UTF-8 without the byte order mark; an odd last byte is left out, an unpaired surrogate
/// becomes U+FFFD.
pub(super) fn utf16_to_utf8(bytes: &[u8], script: Script, out: &mut Vec<u8>, map: &mut Map) {
    let units = bytes.chunks_exact(2).map(|pair| unit(pair, script));
    let mut source = 0;
    let mut copying = false;
    for decoded in char::decode_utf16(units) {
        let character = decoded.unwrap_or(char::REPLACEMENT_CHARACTER);
        let len = character.len_utf16() * 2;
        let is_mark = source == 0 && character == '\u{FEFF}';
        let is_ascii = character.is_ascii();
        if is_ascii && !copying {
            map.push(out.len(), source, Grain::Bits(4));
        } else if !is_ascii && !is_mark {
            map.push(out.len(), source, Grain::Escape(len));
        }
        copying = is_ascii;
        if !is_mark {
            push_char(out, character);
        }
        source += len;
    }
}

/// Appends a character as UTF-8.
pub(super) fn push_char(out: &mut Vec<u8>, character: char) {
    out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
}

/// Printable ASCII and the usual white space.
pub(super) fn is_ascii_text(byte: u8) -> bool {
    matches!(byte, b' '..=b'~' | b'\t' | b'\n' | b'\r')
}

/// How many bytes of such text stand at the start.
fn ascii_text_len(bytes: &[u8]) -> usize {
    // So many at a time are looked at without a branch.
    let (blocks, _) = bytes.as_chunks::<16>();
    let is_text = |block: &[u8; 16]| block.iter().fold(true, |all, &byte| all & is_ascii_text(byte));
    let len = 16 * blocks.iter().take_while(|block| is_text(block)).count();
    len + bytes[len..].iter().take_while(|&&byte| is_ascii_text(byte)).count()
}

fn unit(pair: &[u8], script: Script) -> u16 {
    match script {
        Script::Utf16Be => u16::from_be_bytes([pair[0], pair[1]]),
        _ => u16::from_le_bytes([pair[0], pair[1]]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::span::ByteSpan;

    fn text_len(bytes: &[u8]) -> usize {
        match Meter::new(Script::of(bytes)).follow(bytes) {
            ControlFlow::Break(len) => len,
            ControlFlow::Continue(()) => bytes.len(),
        }
    }

    #[test]
    fn text_is_followed_to_its_end() {
        for text in ["key = value, twice over", "schlüssel = wert über alles", "\u{5bc6}\u{94a5} = abc"] {
            assert_eq!(text_len(text.as_bytes()), text.len(), "{text}");
        }
        assert_eq!(text_len(b"one stray \x01 byte is forgiven"), 28);
    }

    #[test]
    fn the_text_in_front_of_other_bytes_is_kept() {
        assert_eq!(text_len(b"sixteen good ones\xff\x01\x02\x03\x04"), 17);
        assert_eq!(text_len(b"\x30\x82\x04\xa3\x02\x01\x00\x02\x82\x01\x01"), 1);
    }

    #[test]
    fn utf16_maps_back() {
        let text = "\u{FEFF}aé\u{1F511}b";
        for script in [Script::Utf16Le, Script::Utf16Be] {
            let bytes: Vec<u8> = text
                .encode_utf16()
                .flat_map(
                    |unit| if script == Script::Utf16Le { unit.to_le_bytes() } else { unit.to_be_bytes() },
                )
                .collect();
            let (mut out, mut map) = (Vec::new(), Map::default());
            utf16_to_utf8(&bytes, script, &mut out, &mut map);
            assert_eq!(out, "aé\u{1F511}b".as_bytes());
            let spans: Vec<_> = [(0, 1), (1, 3), (3, 7), (7, 8)]
                .map(|(start, end)| map.source_span(ByteSpan::new(start, end)).range())
                .to_vec();
            assert_eq!(spans, [2..4, 4..6, 6..10, 10..12]);
        }
    }
}
