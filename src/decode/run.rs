//! Base64 and hex: long runs of their alphabets that decode to text.

use std::ops::ControlFlow;

use super::map::{Grain, Map};
use super::text::{Meter, Script, is_ascii_text};
use crate::blocks::{BLOCK_BYTES, bits_of};
use crate::span::ByteSpan;

/// Shorter runs of base64 are left to the rules that know what to expect there.
pub(super) const MIN_BASE64_CHARS: usize = 24;

/// Sixteen bytes, as many as the shortest digest has.
pub(super) const MIN_HEX_DIGITS: usize = 32;

/// Less text than this in front of other bytes is chance.
const MIN_TEXT_BYTES: usize = 16;

/// Characters decoded between two looks at the text; the first look comes after [`FIRST_LOOK_CHARS`].
const LOOK_CHARS: usize = 1024;
const FIRST_LOOK_CHARS: usize = 24;

/// Bytes decoded to see whether decoding is worth while.
const TASTE_BYTES: usize = 12;

/// Value of a base64 character of either alphabet, `NO_VALUE` for any other byte.
static BASE64_VALUES: [u8; 256] = base64_values();
const NO_VALUE: u8 = 0xFF;

const fn base64_values() -> [u8; 256] {
    let mut values = [NO_VALUE; 256];
    let symbols = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut value = 0;
    while value < 64 {
        values[symbols[value] as usize] = value as u8;
        value += 1;
    }
    values[b'-' as usize] = 62;
    values[b'_' as usize] = 63;
    values
}

/// Value of a hex digit of either case, [`NO_VALUE`], which has more bits, for any other byte.
pub(super) static HEX_VALUES: [u8; 256] = hex_values();

const fn hex_values() -> [u8; 256] {
    let mut values = [NO_VALUE; 256];
    let mut value = 0;
    while value < 16 {
        values[b"0123456789abcdef"[value] as usize] = value as u8;
        values[b"0123456789ABCDEF"[value] as usize] = value as u8;
        value += 1;
    }
    values
}

/// The two ways in which runs are encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coding {
    Base64,
    Hex,
}

impl Coding {
    pub(super) fn bits(self) -> u8 {
        match self {
            Coding::Base64 => 6,
            Coding::Hex => 4,
        }
    }

    fn chars_per_group(self) -> usize {
        match self {
            Coding::Base64 => 4,
            Coding::Hex => 2,
        }
    }

    fn run_end(self, bytes: &[u8], start: usize) -> usize {
        let rest = &bytes[start..];
        let len = match self {
            Coding::Base64 => position(rest, |byte| !is_in_alphabet(byte)),
            Coding::Hex => position(rest, |byte| !byte.is_ascii_hexdigit()),
        };
        start + len.unwrap_or(rest.len())
    }
}

/// Whether a run may be read on over line ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lines {
    /// The run alone.
    One,
    /// With the lines below that look like its continuation.
    Wrapped,
}

/// Buffers of a decoded run, used again and again.
#[derive(Default)]
pub(super) struct Decoded {
    /// The text.
    pub(super) bytes: Vec<u8>,
    /// From the characters without line ends to the source, one stretch a line.
    pub(super) lines: Map,
    /// The characters without line ends.
    packed: Vec<u8>,
}

/// A run that decoded to text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Region {
    /// Where the characters that became text lie in the source, padding included.
    pub(super) source: ByteSpan,
    /// How the text is written.
    pub(super) script: Script,
    /// Whether the text goes on below the first line.
    pub(super) is_wrapped: bool,
}

/// Next run of at least [`MIN_BASE64_CHARS`] characters of either base64 alphabet at `from` or behind; `from` is
/// 0 or the end of the run before.
///
/// A block of bytes is turned into a bit for each, and runs of them are found by shifting the bits over each other.
/// The compiler turns the classification of a block into vector instructions: Ruby, whose names are long, is read at 3.6
/// GB/s and Go at 5, where looking for groups of eight characters and counting round them made 1.7 and 3.4.
pub(super) fn next_run(bytes: &[u8], from: usize) -> Option<ByteSpan> {
    let mut start = from;
    // How many characters stand right before the block.
    let mut before = 0;
    while let Some(block) = bytes.get(start..).and_then(<[u8]>::first_chunk::<BLOCK_BYTES>) {
        let symbols = base64_symbols(block);
        let first = symbols.trailing_ones() as usize;
        if before + first >= MIN_BASE64_CHARS {
            return Some(ByteSpan::new(start - before, Coding::Base64.run_end(bytes, start + first)));
        }
        let by_2 = symbols & symbols >> 1;
        let by_4 = by_2 & by_2 >> 2;
        let by_8 = by_4 & by_4 >> 4;
        let full = by_8 & by_8 >> 8 & by_8 >> 16;
        if full != 0 {
            let start = start + full.trailing_zeros() as usize;
            return Some(ByteSpan::new(start, Coding::Base64.run_end(bytes, start + MIN_BASE64_CHARS)));
        }
        before = symbols.leading_ones() as usize;
        start += BLOCK_BYTES;
    }
    next_run_by_jumps(bytes, start - before)
}

/// A bit for each byte, the first one lowest: whether it is a base64 character.
fn base64_symbols(block: &[u8; BLOCK_BYTES]) -> u64 {
    let mut classes = [0u8; BLOCK_BYTES];
    for (class, &byte) in classes.iter_mut().zip(block) {
        *class = u8::from(is_in_alphabet(byte));
    }
    bits_of(&classes)
}

/// The same, looking at the last byte that a run would need first and jumping past any other byte.
fn next_run_by_jumps(bytes: &[u8], from: usize) -> Option<ByteSpan> {
    let mut start = from;
    'search: while let Some(window) = bytes.get(start..start + MIN_BASE64_CHARS) {
        for (offset, &byte) in window.iter().enumerate().rev() {
            if !is_base64(byte) {
                start += offset + 1;
                continue 'search;
            }
        }
        let end = Coding::Base64.run_end(bytes, start + MIN_BASE64_CHARS);
        return Some(ByteSpan::new(start, end));
    }
    None
}

/// Next stretch of at least [`MIN_HEX_DIGITS`] hex digits, of even length, in `from..end`.
pub(super) fn next_hex(bytes: &[u8], from: usize, end: usize) -> Option<ByteSpan> {
    let mut start = from;
    'search: while start + MIN_HEX_DIGITS <= end {
        for (offset, byte) in bytes[start..start + MIN_HEX_DIGITS].iter().enumerate().rev() {
            if !is_hex(*byte) {
                start += offset + 1;
                continue 'search;
            }
        }
        let run_end = Coding::Hex.run_end(bytes, start + MIN_HEX_DIGITS);
        if (run_end - start).is_multiple_of(2) {
            return Some(ByteSpan::new(start, run_end));
        }
        start = run_end;
    }
    None
}

/// The first byte of a kind; of so many at a time it is asked without a branch whether one is there.
fn position(bytes: &[u8], is_of_kind: impl Fn(u8) -> bool) -> Option<usize> {
    let (blocks, _) = bytes.as_chunks::<16>();
    let has_none = |block: &&[u8; 16]| !block.iter().fold(false, |any, &byte| any | is_of_kind(byte));
    let start = 16 * blocks.iter().take_while(has_none).count();
    bytes[start..].iter().position(|&byte| is_of_kind(byte)).map(|at| start + at)
}

/// Bytes at the start of a run that belong to an escape in front: the letter of `\n`, the digits of `%3D`.
pub(super) fn escape_tail(bytes: &[u8], start: usize) -> usize {
    match (start.checked_sub(1).map(|at| bytes[at]), &bytes[start..]) {
        (Some(b'\\'), [b'n' | b'r' | b't' | b'b' | b'f' | b'v' | b'0', ..]) => 1,
        (Some(b'%'), [a, b, ..]) if a.is_ascii_hexdigit() && b.is_ascii_hexdigit() => 2,
        _ => 0,
    }
}

/// Where another run may start inside one: behind the signs that are also separators of paths and names.
pub(super) fn next_start(bytes: &[u8], from: usize, end: usize) -> Option<usize> {
    let inside = bytes.get(from..end)?;
    position(inside, |byte| matches!(byte, b'/' | b'+' | b'-' | b'_')).map(|at| from + at + 1)
}

/// Whether the first bytes at `start` can be the start of text, at little cost: of digests nineteen in twenty
/// are turned away by their first three bytes, of the rest nearly all by the first twelve.
pub(super) fn starts_like_text(coding: Coding, bytes: &[u8], start: usize) -> bool {
    let mut text = [0; TASTE_BYTES];
    let (groups, _) = text.as_chunks_mut::<3>();
    for (at, group) in groups.iter_mut().enumerate() {
        let decoded = match coding {
            Coding::Base64 => rest_at(bytes, start + at * 4).first_chunk().map(three_of_base64),
            Coding::Hex => rest_at(bytes, start + at * 6).first_chunk().map(three_of_hex),
        };
        let Some(decoded) = decoded else { return false };
        *group = decoded;
        if at == 0 && !may_start_text(*group) {
            return false;
        }
    }
    let script = Script::of(&text);
    if script == Script::Utf8 && has_two_strays(&text) {
        return false;
    }
    Meter::new(script).follow(&text).is_continue()
}

/// Whether two bytes at least are surely no text in UTF-8, which so few bytes cannot make good for the [`Meter`]: a first
/// byte of a character without a second one, or a later byte behind a whole character.
fn has_two_strays(text: &[u8; TASTE_BYTES]) -> bool {
    let strays = text.windows(2).map(|pair| {
        let is_later = pair[1] & 0xC0 == 0x80;
        u8::from(((pair[0] >= 0xC2) & !is_later) | ((pair[0] < 0x80) & is_later))
    });
    strays.sum::<u8>() > 1
}

fn rest_at(bytes: &[u8], at: usize) -> &[u8] {
    bytes.get(at..).unwrap_or_default()
}

/// Three bytes from a group of base64 characters.
fn three_of_base64(chars: &[u8; 4]) -> [u8; 3] {
    let &[a, b, c, d] = chars;
    let value = |byte: u8| BASE64_VALUES[usize::from(byte)];
    let (b, c) = (value(b), value(c));
    [value(a) << 2 | b >> 4, b << 4 | c >> 2, c << 6 | value(d)]
}

/// Three bytes from three pairs of hex digits.
fn three_of_hex(digits: &[u8; 6]) -> [u8; 3] {
    let &[a, b, c, d, e, f] = digits;
    let value = |digit: u8| HEX_VALUES[usize::from(digit)];
    [value(a) << 4 | value(b), value(c) << 4 | value(d), value(e) << 4 | value(f)]
}

fn may_start_text(bytes: [u8; 3]) -> bool {
    match bytes {
        [a, 0, b] => is_ascii_text(a) && is_ascii_text(b),
        [0, a, 0] => is_ascii_text(a),
        [0xFF, 0xFE, a] => is_ascii_text(a),
        [0xFE, 0xFF, 0] => true,
        [a, b, c] => {
            let follows = |byte: u8, last: u8| match byte {
                0x80..=0xBF => last >= 0x80,
                _ => (is_ascii_text(byte) || byte >= 0xC2) && last < 0xC2,
            };
            (is_ascii_text(a) || a >= 0xC2) && follows(b, a) && follows(c, b)
        }
    }
}

/// Decodes from `start`, the run ending at `run_end`, as far as the result is text; `None` if that is too
/// little to look at.
pub(super) fn decode(
    coding: Coding,
    bytes: &[u8],
    start: usize,
    run_end: usize,
    lines: Lines,
    out: &mut Decoded,
) -> Option<Region> {
    out.bytes.clear();
    out.packed.clear();
    out.lines.clear();
    let mut meter = None;
    let mut line = ByteSpan::new(start, run_end);
    let mut full_line = None;
    loop {
        out.lines.push(out.packed.len(), line.start, Grain::Bits(8));
        if let ControlFlow::Break(text_len) = decode_line(coding, &bytes[line.range()], &mut meter, out) {
            return cut(coding, text_len, meter?.script(), run_end - start, out);
        }
        let next = match lines {
            Lines::One => None,
            Lines::Wrapped => next_line(coding, bytes, line.end),
        };
        let Some(next) = next else { break };
        // Encoders fill every line but the last; the first may start behind a name.
        let is_last = full_line.is_some_and(|full| line.len() < full);
        if is_last || next.len() > *full_line.get_or_insert(next.len()) {
            break;
        }
        line = next;
    }
    let rest = out.packed.len() % coding.chars_per_group();
    append(coding, &out.packed[out.packed.len() - rest..], &mut out.bytes);
    let padding = match coding {
        Coding::Base64 => bytes[line.end..].iter().take(2).take_while(|&&byte| byte == b'=').count(),
        Coding::Hex => 0,
    };
    let source = ByteSpan::new(start, line.end + padding);
    let is_wrapped = out.packed.len() > run_end - start;
    (out.bytes.len() >= MIN_TEXT_BYTES).then_some(Region { source, script: meter?.script(), is_wrapped })
}

/// Decodes a whole value, however short.
pub(super) fn decode_value(value: &[u8]) -> Option<Vec<u8>> {
    let padding = value.iter().rev().take(2).take_while(|&&byte| byte == b'=').count();
    let chars = &value[..value.len() - padding];
    let is_whole = chars.iter().copied().all(is_base64) && chars.len() % 4 != 1;
    if chars.is_empty() || !is_whole {
        return None;
    }
    let mut text = Vec::new();
    append(Coding::Base64, chars, &mut text);
    // So few bytes cannot pay for a stray one.
    let is_text = std::str::from_utf8(&text).is_ok_and(|text| {
        !text.chars().any(|character| character.is_control() && !character.is_whitespace())
    });
    is_text.then_some(text)
}

/// Appends a line and decodes what has become whole groups; breaks with the length of the text when the rest
/// is none.
fn decode_line(
    coding: Coding,
    line: &[u8],
    meter: &mut Option<Meter>,
    out: &mut Decoded,
) -> ControlFlow<usize> {
    let mut rest = line;
    while !rest.is_empty() {
        let look = if meter.is_none() { FIRST_LOOK_CHARS } else { LOOK_CHARS };
        let (piece, behind) = rest.split_at(look.min(rest.len()));
        rest = behind;
        let group = coding.chars_per_group();
        let done = out.packed.len() - out.packed.len() % group;
        out.packed.extend_from_slice(piece);
        let ready = out.packed.len() - out.packed.len() % group;
        append(coding, &out.packed[done..ready], &mut out.bytes);
        meter.get_or_insert_with(|| Meter::new(Script::of(&out.bytes))).follow(&out.bytes)?;
    }
    ControlFlow::Continue(())
}

fn cut(
    coding: Coding,
    text_len: usize,
    script: Script,
    first_line_chars: usize,
    out: &mut Decoded,
) -> Option<Region> {
    if text_len < MIN_TEXT_BYTES {
        return None;
    }
    out.bytes.truncate(text_len);
    let chars = (text_len * 8).div_ceil(usize::from(coding.bits()));
    let source = out.lines.source_span(ByteSpan::new(0, chars));
    Some(Region { source, script, is_wrapped: chars > first_line_chars })
}

/// Appends what characters of the alphabet stand for; the unused bits of a last one may be set, and one that is left
/// over behind the last group carries no whole byte.
fn append(coding: Coding, chars: &[u8], out: &mut Vec<u8>) {
    match coding {
        Coding::Base64 => {
            let (groups, rest) = chars.as_chunks();
            let start = out.len();
            out.resize(start + groups.len() * 3, 0);
            let (bytes, _) = out[start..].as_chunks_mut();
            bytes.iter_mut().zip(groups).for_each(|(three, group)| *three = three_of_base64(group));
            let mut last = [b'A'; 4];
            last[..rest.len()].copy_from_slice(rest);
            out.extend_from_slice(&three_of_base64(&last)[..rest.len().saturating_sub(1)]);
        }
        Coding::Hex => {
            let (pairs, _) = chars.as_chunks::<2>();
            let value = |digit: u8| HEX_VALUES[usize::from(digit)];
            out.extend(pairs.iter().map(|&[high, low]| value(high) << 4 | value(low)));
        }
    }
}

/// The run on the line below, if nothing but a line end lies between: a real one or an escaped one, with
/// white space, a backslash for continuation, or the quotes and operators that join two string literals.
fn next_line(coding: Coding, bytes: &[u8], end: usize) -> Option<ByteSpan> {
    /// Deeper indentation does not occur.
    const MAX_BLANKS: usize = 128;
    let blanks = |at: usize| {
        at + bytes[at..].iter().take(MAX_BLANKS).take_while(|&&byte| byte == b' ' || byte == b'\t').count()
    };
    let sign =
        |at: usize, signs: &[u8]| at + usize::from(bytes.get(at).is_some_and(|byte| signs.contains(byte)));
    let quote = bytes.get(end).copied().filter(|byte| matches!(byte, b'"' | b'\''));
    let mut at = blanks(end + usize::from(quote.is_some()));
    if quote.is_some() {
        at = blanks(sign(at, b"+.\\"));
    } else if bytes.get(at) == Some(&b'\\') && matches!(bytes.get(at + 1), Some(b'\n' | b'\r')) {
        at += 1;
    }
    at = blanks(line_break(bytes, at)?);
    if let Some(quote) = quote {
        at = blanks(sign(at, b"+."));
        if bytes.get(at) != Some(&quote) {
            return None;
        }
        at += 1;
    }
    let run_end = coding.run_end(bytes, at);
    (run_end > at).then_some(ByteSpan::new(at, run_end))
}

/// Offset behind one line end at `at`.
fn line_break(bytes: &[u8], at: usize) -> Option<usize> {
    [&b"\n"[..], b"\r\n", b"\\n", b"\\r\\n"]
        .iter()
        .find(|line_end| bytes[at.min(bytes.len())..].starts_with(line_end))
        .map(|line_end| at + line_end.len())
}

/// As [`is_base64`], without a table: for many bytes at once.
#[inline(always)]
fn is_in_alphabet(byte: u8) -> bool {
    let is_letter = (byte | 0x20).wrapping_sub(b'a') < 26;
    let is_digit_or_slash = byte.wrapping_sub(b'/') < 11;
    let is_sign = (byte == b'+') | (byte == b'-') | (byte == b'_');
    is_letter | is_digit_or_slash | is_sign
}

fn is_base64(byte: u8) -> bool {
    BASE64_VALUES[usize::from(byte)] != NO_VALUE
}

fn is_hex(byte: u8) -> bool {
    HEX_VALUES[usize::from(byte)] != NO_VALUE
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_has_two_strays_is_no_text(
            pieces in prop::collection::vec(prop::collection::vec(prop::sample::select(&b"a} \x01\x80\xBF\xC2\xC3\xE2\x82\xAC\xF0\x9F\xFF\0"[..]), 1..4), 12),
        ) {
            let text: Vec<u8> = pieces.concat();
            let text: &[u8; TASTE_BYTES] = text.first_chunk().unwrap();
            prop_assert!(!has_two_strays(text) || Meter::new(Script::Utf8).follow(text).is_break());
        }
    }

    proptest! {
        #[test]
        fn both_searches_find_the_same_runs(text in "([a-f+/_-]{0,30}[ .a-z]{0,3}){0,20}") {
            let bytes = text.as_bytes();
            let runs = |next: fn(&[u8], usize) -> Option<ByteSpan>| {
                let mut from = 0;
                let mut runs = Vec::new();
                while let Some(run) = next(bytes, from) {
                    from = run.end;
                    runs.push(run);
                }
                runs
            };
            prop_assert_eq!(runs(next_run), runs(next_run_by_jumps));
        }
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded(
            bytes in prop::collection::vec(any::<u8>(), 0..50),
            (is_upper, is_url) in any::<(bool, bool)>(),
            stray in 0u8..16,
        ) {
            let mut out = vec![1, 2];
            let encoded = match is_url {
                true => data_encoding::BASE64URL_NOPAD.encode(&bytes),
                false => data_encoding::BASE64_NOPAD.encode(&bytes),
            };
            append(Coding::Base64, encoded.as_bytes(), &mut out);
            prop_assert_eq!(&out[2..], &bytes);
            // Bits behind the last whole byte mean nothing.
            let unused = [0, 4, 2][bytes.len() % 3];
            let mut other = encoded.into_bytes();
            if let Some(last) = other.last_mut().filter(|_| unused > 0) {
                let value = BASE64_VALUES[usize::from(*last)] | (stray & ((1 << unused) - 1));
                *last = (0..=255).find(|&byte| BASE64_VALUES[usize::from(byte)] == value).unwrap();
            }
            out.clear();
            append(Coding::Base64, &other, &mut out);
            prop_assert_eq!(&out, &bytes);
            // One character more than whole groups.
            if bytes.len() % 3 == 0 {
                other.push(b'A');
                out.clear();
                append(Coding::Base64, &other, &mut out);
                prop_assert_eq!(&out, &bytes);
            }
            let digits = match is_upper {
                true => data_encoding::HEXUPPER.encode(&bytes),
                false => data_encoding::HEXLOWER.encode(&bytes),
            };
            out.clear();
            append(Coding::Hex, digits.as_bytes(), &mut out);
            prop_assert_eq!(&out, &bytes);
        }
    }

    #[test]
    fn both_ways_to_tell_the_alphabet_say_the_same() {
        assert!((0..=255).all(|byte| is_base64(byte) == is_in_alphabet(byte)));
        assert!((0..=255_u8).all(|byte| is_hex(byte) == byte.is_ascii_hexdigit()));
    }

    #[test]
    fn hex_of_odd_length_is_none() {
        let digits = "7".repeat(33);
        assert_eq!(next_hex(digits.as_bytes(), 0, 33), None);
        assert_eq!(next_hex(digits.as_bytes(), 1, 33), Some(ByteSpan::new(1, 33)));
        assert_eq!(next_hex(digits.as_bytes(), 2, 33), None);
    }
}
