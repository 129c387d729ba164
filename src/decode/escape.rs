//! The three layers that replace single characters: backslash escapes, entities and percent signs.
//!
//! Text that was escaped twice is read in one go: any number of backslashes before `u005f`, of `25` before
//! `5F` and of `amp;` before `#95;` counts as one escape. A scanner need not tell a character from the text
//! that stands for it, and every round saved leaves depth for the layers inside.

use super::Layer;
use super::map::{Grain, Map};
use super::run::HEX_VALUES;
use super::text::push_char;
use crate::span::ByteSpan;

/// An escape and what it stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Escape {
    /// Bytes it takes in the source.
    len: usize,
    value: Value,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Value {
    /// One byte, of any encoding.
    Byte(u8),
    /// A character, written as UTF-8.
    Char(char),
}

impl Value {
    fn ascii(self) -> Option<u8> {
        match self {
            Value::Byte(byte) => Some(byte).filter(u8::is_ascii),
            Value::Char(character) => u8::try_from(character).ok().filter(u8::is_ascii),
        }
    }
}

/// An escape that hides a part of a token, or the edge of one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hit {
    pub(super) layer: Layer,
    pub(super) span: ByteSpan,
}

/// Finds the escapes that are worth decoding, from `*at` on; `*at` moves behind each.
pub(super) fn next_hit(bytes: &[u8], at: &mut usize) -> Option<Hit> {
    // Where one escape follows the other, to set out on a search would take longer than to read it.
    while let Some(skip) = match bytes.get(*at) {
        Some(b'\\' | b'%' | b'&') => Some(0),
        _ => memchr::memchr3(b'\\', b'%', b'&', bytes.get(*at..)?),
    } {
        let start = *at + skip;
        let layer = match bytes[start] {
            b'\\' => Layer::Escapes,
            b'%' => Layer::Percent,
            _ => Layer::Entities,
        };
        let Some(escape) = parse(layer, bytes, start) else {
            *at = start + 1;
            continue;
        };
        let span = ByteSpan::new(start, start + escape.len);
        *at = span.end;
        if is_worth_decoding(layer, bytes, span, escape.value) {
            return Some(Hit { layer, span });
        }
    }
    *at = bytes.len();
    None
}

/// Decodes every escape of one layer in `window`; `map` leads from `out` back to offsets in `bytes`.
pub(super) fn decode(layer: Layer, bytes: &[u8], window: ByteSpan, out: &mut Vec<u8>, map: &mut Map) {
    let bytes = &bytes[..window.end];
    let lead = match layer {
        Layer::Percent => b'%',
        Layer::Entities => b'&',
        _ => b'\\',
    };
    let mut copied_to = window.start;
    let mut at = window.start;
    while let Some(skip) = match bytes.get(at) {
        Some(first) if *first == lead => Some(0),
        _ => memchr::memchr(lead, &bytes[at..]),
    } {
        let start = at + skip;
        let Some(escape) = parse(layer, bytes, start) else {
            at = start + 1;
            continue;
        };
        copy(&bytes[copied_to..start], copied_to, out, map);
        let decoded_start = out.len();
        match escape.value {
            Value::Byte(byte) => out.push(byte),
            Value::Char(character) => push_char(out, character),
        }
        match out.len() - decoded_start {
            1 => map.push_escape(decoded_start, start, escape.len),
            _ => map.push(decoded_start, start, Grain::Escape(escape.len)),
        }
        at = start + escape.len;
        copied_to = at;
    }
    copy(&bytes[copied_to..], copied_to, out, map);
}

fn copy(piece: &[u8], source_start: usize, out: &mut Vec<u8>, map: &mut Map) {
    if !piece.is_empty() {
        map.push(out.len(), source_start, Grain::Bits(8));
        out.extend_from_slice(piece);
    }
}

fn parse(layer: Layer, bytes: &[u8], start: usize) -> Option<Escape> {
    match layer {
        Layer::Percent => percent(bytes, start),
        Layer::Entities => entity(bytes, start),
        _ => backslash(bytes, start),
    }
}

/// An escape is worth a view when it stands for a character of a token, an assignment or a quote, or when it
/// glues its own last letter to the token behind it (`\u003cpk_…`). White space and escaped quotes
/// alone (`\n`, `\"`) are not: they are boundaries as they stand.
fn is_worth_decoding(layer: Layer, bytes: &[u8], span: ByteSpan, value: Value) -> bool {
    let before = span.start.checked_sub(1).map(|at| bytes[at]);
    let after = &bytes[span.end..];
    let last = bytes[span.end - 1];
    match layer {
        Layer::Escapes => match last {
            b'/' => before == Some(b':') || (is_word(before) && is_word(after.first().copied())),
            // Numeric escapes end in a hex digit or a brace.
            b'"' | b'\'' | b'n' | b'r' | b't' => false,
            b'\\' => stands_in_random_text(bytes, span, 2),
            _ => reveals(value, after),
        },
        Layer::Entities => match value.ascii() {
            Some(b'&') if is_word(before) && is_word(after.first().copied()) => true,
            Some(b'<') if after.first() == Some(&b'/') => true,
            Some(byte) if is_any(byte, TOKEN | QUOTE) || starts_escape(byte, after) => true,
            // Markup is full of them, and a random value seldom holds a digit alone.
            Some(b'&' | b'<' | b'>') => stands_in_random_text(bytes, span, 4),
            Some(_) | None => false,
        },
        _ => {
            // `%5d` and `%2f` are also what C prints numbers with.
            let is_format = span.len() == 3 && matches!(last, b'a' | b'c'..=b'f');
            let glued =
                |byte: Option<u8>| byte.is_some_and(|byte| is_token(byte) || byte == b'%' || byte == b'~');
            reveals(value, after) && (!is_format || (glued(before) && glued(after.first().copied())))
        }
    }
}

/// Whether the text round the span is letters of both cases with digits or signs and without blanks, as in a password,
/// and as hardly ever in code with backslashes and markup with references: on 350 lines of twenty projects with 320 MB.
/// A digit counts as two signs.
fn stands_in_random_text(bytes: &[u8], span: ByteSpan, fewest_signs: usize) -> bool {
    /// To either side.
    const SIGHT_BYTES: usize = 24;
    const SHORTEST_BYTES: usize = 16;
    let belongs = |byte: &&u8| byte.is_ascii_graphic() && !is_quote(**byte);
    let before = bytes[..span.start].iter().rev().take(SIGHT_BYTES).take_while(belongs);
    let after = bytes[span.end..].iter().take(SIGHT_BYTES).take_while(belongs);
    let (mut len, mut kinds, mut signs) = (0, [false; 2], 0);
    for byte in before.chain(after) {
        len += 1;
        kinds[0] |= byte.is_ascii_lowercase();
        kinds[1] |= byte.is_ascii_uppercase();
        signs += match byte {
            b'0'..=b'9' => 2,
            // The others stand in paths, lists and references.
            b'!' | b'#'..=b'%' | b'('..=b'+' | b'<'..=b'@' | b'^' | b'{'..=b'~' => 1,
            _ => 0,
        };
    }
    len >= SHORTEST_BYTES && kinds == [true; 2] && signs >= fewest_signs
}

fn reveals(value: Value, after: &[u8]) -> bool {
    /// Shorter than any token whose letters are not words.
    const TOKEN_BYTES: usize = 20;
    match value.ascii() {
        Some(byte) if is_any(byte, TOKEN | QUOTE) || starts_escape(byte, after) => true,
        // Other control characters are binary data, or the `%02x` of C.
        Some(0 | b'\t' | b'\n' | b'\r' | b' '..) => is_word(after.first().copied()),
        Some(_) => false,
        None => after.get(..TOKEN_BYTES).is_some_and(|next| next.iter().copied().all(is_token)),
    }
}

/// Whether the decoded byte makes an escape of another layer of what follows.
fn starts_escape(byte: u8, after: &[u8]) -> bool {
    match (byte, after.first()) {
        (b'\\', Some(b'u' | b'U' | b'x' | b'0'..=b'3' | b'/')) => true,
        (b'%', Some(next)) => next.is_ascii_hexdigit() || *next == b'u',
        (b'&', Some(next)) => *next == b'#',
        _ => false,
    }
}

/// `\uXXXX` and surrogate pairs of two, `\u{X…}`, `\UXXXXXXXX`, `\xXX`, `\x{X…}`, three octal digits, and the
/// single characters that JSON (RFC 8259, section 7), C, JavaScript and Python share.
fn backslash(bytes: &[u8], start: usize) -> Option<Escape> {
    let backslashes = bytes[start..].iter().take_while(|&&byte| byte == b'\\').count();
    let at = start + backslashes;
    let behind = |end: usize, value| Some(Escape { len: end - start, value });
    let simple = |byte| behind(at + 1, Value::Byte(byte));
    let known = match *bytes.get(at).unwrap_or(&0) {
        byte @ (b'/' | b'"' | b'\'') => simple(byte),
        b'n' => simple(b'\n'),
        b'r' => simple(b'\r'),
        b't' => simple(b'\t'),
        b'u' => braced(bytes, at + 1)
            .or_else(|| utf16_units(bytes, at + 1))
            .and_then(|(end, character)| behind(end, Value::Char(character))),
        b'U' => hex(bytes, at + 1, 8)
            .and_then(char::from_u32)
            .and_then(|character| behind(at + 9, Value::Char(character))),
        b'x' => {
            hex(bytes, at + 1, 2).and_then(|byte| behind(at + 3, Value::Byte(byte as u8))).or_else(|| {
                braced(bytes, at + 1).and_then(|(end, character)| behind(end, Value::Char(character)))
            })
        }
        b'0'..=b'3' => octal(bytes, at).and_then(|byte| behind(at + 3, Value::Byte(byte))),
        _ => None,
    };
    // Of several backslashes before anything else, one is left.
    known.or_else(|| (backslashes > 1).then_some(Escape { len: backslashes, value: Value::Byte(b'\\') }))
}

/// `{5f}`, one to six digits.
fn braced(bytes: &[u8], at: usize) -> Option<(usize, char)> {
    if bytes.get(at) != Some(&b'{') {
        return None;
    }
    let digits = digit_count(&bytes[at + 1..], 6, u8::is_ascii_hexdigit);
    let end = at + 1 + digits;
    let character = char::from_u32(hex(bytes, at + 1, digits)?)?;
    (bytes.get(end) == Some(&b'}')).then_some((end + 1, character))
}

/// Four digits; with a second escape behind them when they are the first half of a surrogate pair. A half
/// without its other half is U+FFFD.
fn utf16_units(bytes: &[u8], at: usize) -> Option<(usize, char)> {
    let first = hex(bytes, at, 4)?;
    let end = at + 4;
    if let Some(character) = char::from_u32(first) {
        return Some((end, character));
    }
    let backslashes = digit_count(&bytes[end..], 16, |&byte| byte == b'\\');
    let second_at = end + backslashes + 1;
    if backslashes > 0
        && bytes.get(second_at - 1) == Some(&b'u')
        && let Some(second) = hex(bytes, second_at, 4)
        && let Some(Ok(character)) = char::decode_utf16([first as u16, second as u16]).next()
    {
        return Some((second_at + 4, character));
    }
    Some((end, char::REPLACEMENT_CHARACTER))
}

fn octal(bytes: &[u8], at: usize) -> Option<u8> {
    let digits = bytes.get(at..at + 3)?;
    digits.iter().try_fold(0u8, |value, &digit| match digit {
        b'0'..=b'7' => value.checked_mul(8)?.checked_add(digit - b'0'),
        _ => None,
    })
}

/// `%XX` (RFC 3986, section 2.1) and the `%uXXXX` of JavaScript's `escape`.
fn percent(bytes: &[u8], start: usize) -> Option<Escape> {
    // Nearly all are two digits that stand for anything but a percent sign.
    if let Some(&[high, low]) = bytes.get(start + 1..).and_then(<[u8]>::first_chunk) {
        let [high, low] = [high, low].map(|digit| HEX_VALUES[usize::from(digit)]);
        let byte = high << 4 | low;
        if high | low < 16 && byte != b'%' {
            return Some(Escape { len: 3, value: Value::Byte(byte) });
        }
    }
    let mut at = start + 1;
    while bytes.get(at..at + 2) == Some(b"25")
        && value_at(bytes, at + 2).is_some_and(|(_, value)| value.ascii().is_some())
    {
        at += 2;
    }
    let (end, value) = value_at(bytes, at)?;
    return Some(Escape { len: end - start, value });

    fn value_at(bytes: &[u8], at: usize) -> Option<(usize, Value)> {
        if bytes.get(at) == Some(&b'u') {
            return utf16_units(bytes, at + 1).map(|(end, character)| (end, Value::Char(character)));
        }
        hex(bytes, at, 2).map(|byte| (at + 2, Value::Byte(byte as u8)))
    }
}

/// `&#95;`, `&#x5f;` and the names that stand for ASCII characters (HTML standard, section 13.5).
fn entity(bytes: &[u8], start: usize) -> Option<Escape> {
    let mut at = start + 1;
    while bytes[at..].starts_with(b"amp;") {
        at += 4;
    }
    match reference(bytes, at) {
        Some((end, character)) => Some(Escape { len: end - start, value: Value::Char(character) }),
        None if at > start + 1 => Some(Escape { len: at - start, value: Value::Byte(b'&') }),
        None => None,
    }
}

fn reference(bytes: &[u8], at: usize) -> Option<(usize, char)> {
    let (end, code) = match (bytes.get(at)?, bytes.get(at + 1)) {
        (b'#', Some(b'x' | b'X')) => {
            let digits = digit_count(&bytes[at + 2..], 6, u8::is_ascii_hexdigit);
            (at + 2 + digits, hex(bytes, at + 2, digits)?)
        }
        (b'#', Some(b'0'..=b'9')) => {
            let digits = digit_count(&bytes[at + 1..], 7, u8::is_ascii_digit);
            let code = bytes[at + 1..at + 1 + digits]
                .iter()
                .fold(0, |code, digit| code * 10 + u32::from(digit - b'0'));
            (at + 1 + digits, code)
        }
        (b'a'..=b'z' | b'N' | b'T', _) => {
            let letters = digit_count(&bytes[at..], 8, u8::is_ascii_alphabetic);
            (at + letters, u32::from(named(&bytes[at..at + letters])?))
        }
        _ => return None,
    };
    let character = char::from_u32(code)?;
    (bytes.get(end) == Some(&b';')).then_some((end + 1, character))
}

fn named(name: &[u8]) -> Option<u8> {
    Some(match name {
        b"quot" => b'"',
        b"apos" => b'\'',
        b"lt" => b'<',
        b"gt" => b'>',
        b"lowbar" => b'_',
        b"equals" => b'=',
        b"colon" => b':',
        b"semi" => b';',
        b"sol" => b'/',
        b"bsol" => b'\\',
        b"period" => b'.',
        b"comma" => b',',
        b"commat" => b'@',
        b"plus" => b'+',
        b"dollar" => b'$',
        b"percnt" => b'%',
        b"num" => b'#',
        b"excl" => b'!',
        b"quest" => b'?',
        b"ast" => b'*',
        b"lpar" => b'(',
        b"rpar" => b')',
        b"lbrace" | b"lcub" => b'{',
        b"rbrace" | b"rcub" => b'}',
        b"lbrack" | b"lsqb" => b'[',
        b"rbrack" | b"rsqb" => b']',
        b"grave" => b'`',
        b"NewLine" => b'\n',
        b"Tab" => b'\t',
        _ => return None,
    })
}

/// Value of the `digits` (1 to 8) hex digits at `at`.
pub(crate) fn hex(bytes: &[u8], at: usize, digits: usize) -> Option<u32> {
    let digits = bytes.get(at..at + digits).filter(|digits| !digits.is_empty())?;
    let (mut number, mut any) = (0, 0);
    for &digit in digits {
        let value = HEX_VALUES[usize::from(digit)];
        (number, any) = (number << 4 | u32::from(value), any | value);
    }
    (any < 16).then_some(number)
}

fn digit_count(bytes: &[u8], max: usize, is_digit: impl Fn(&u8) -> bool) -> usize {
    bytes.iter().take(max).take_while(|byte| is_digit(byte)).count()
}

/// Of each byte, which of these it is; one is looked at for every escape.
static KINDS: [u8; 256] = kinds();
const WORD: u8 = 1;
const TOKEN: u8 = 2;
const QUOTE: u8 = 4;

const fn kinds() -> [u8; 256] {
    let mut kinds = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        kinds[byte] = match byte as u8 {
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'_' => WORD | TOKEN,
            b'+' | b'/' | b'=' | b'.' | b':' | b'@' | b'-' => TOKEN,
            b'"' | b'\'' | b'`' => QUOTE,
            _ => 0,
        };
        byte += 1;
    }
    kinds
}

fn is_any(byte: u8, kinds: u8) -> bool {
    KINDS[usize::from(byte)] & kinds != 0
}

fn is_word(byte: Option<u8>) -> bool {
    byte.is_some_and(|byte| is_any(byte, WORD))
}

fn is_token(byte: u8) -> bool {
    is_any(byte, TOKEN)
}

fn is_quote(byte: u8) -> bool {
    is_any(byte, QUOTE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(layer: Layer, text: &str) -> String {
        let (mut out, mut map) = (Vec::new(), Map::default());
        decode(layer, text.as_bytes(), ByteSpan::new(0, text.len()), &mut out, &mut map);
        String::from_utf8(out).unwrap()
    }

    fn hits(text: &str) -> Vec<&str> {
        let mut at = 0;
        std::iter::from_fn(|| next_hit(text.as_bytes(), &mut at)).map(|hit| &text[hit.span.range()]).collect()
    }

    #[test]
    fn backslash_escapes_decode() {
        for (text, expected) in [
            (r"a\u005fb", "a_b"),
            (r"a\\u005fb", "a_b"),
            (r"a\\\\x5fb", "a_b"),
            (r"\x{5f}\u{1F511}\U0001F511", "_\u{1F511}\u{1F511}"),
            (r"\ud83d\udd11\ud83d!", "\u{1F511}\u{FFFD}!"),
            (r"https:\/\/h\\\/p", "https://h/p"),
            (r#"{\"k\":\"v\\n\"}"#, "{\"k\":\"v\n\"}"),
            (r"\137\08\d C:\users\\x \u00 \", "_\\08\\d C:\\users\\x \\u00 \\"),
        ] {
            assert_eq!(decoded(Layer::Escapes, text), expected, "{text}");
        }
    }

    #[test]
    fn percent_signs_decode() {
        for (text, expected) in [
            ("a%5Fb%3a", "a_b:"),
            ("a%255Fb%25255f", "a_b_"),
            ("100%25 %25%25 %zz %u005f %", "100% %% %zz _ %"),
        ] {
            assert_eq!(decoded(Layer::Percent, text), expected, "{text}");
        }
    }

    #[test]
    fn entities_decode() {
        for (text, expected) in [
            ("a&#95;b&#x5F;c&lowbar;", "a_b_c_"),
            ("&quot;&amp;quot;&amp;amp;#39;", "\"\"'"),
            ("a&amp;b&amp;amp;c", "a&b&c"),
            ("&nbsp; &x; &#; &#x; &#1114112; &", "&nbsp; &x; &#; &#x; &#1114112; &"),
        ] {
            assert_eq!(decoded(Layer::Entities, text), expected, "{text}");
        }
    }

    #[test]
    fn what_hides_a_token_is_a_hit() {
        for (text, expected) in [
            (r"pk\u005f1", &[r"\u005f"][..]),
            (r"pk\x5f1 \137", &[r"\x5f", r"\137"]),
            (r"pk\\u005f1", &[r"\\u005f"]),
            (r"\u003cpk_1", &[r"\u003c"]),
            (r"https:\/\/host\/a", &[r"\/", r"\/"]),
            ("k%5F1 k%3D1 ?a=%26k=1", &["%5F", "%3D", "%26"]),
            ("a%2dtoken", &["%2d"]),
            ("pk&#95;1 &quot;pk&quot;", &["&#95;", "&quot;", "&quot;"]),
            ("a&amp;b &lt;/key&gt;", &["&amp;", "&lt;"]),
            (";&#38;#95; &#92;u005f %26#95;", &["&#38;", "&#92;", "%26"]),
            (r"kJ8#mQ2!v\\XaB,Tz0 kJ#mQ!vRyP\\\\dXaBTz'", &[r"\\", r"\\\\"]),
            ("kJ8#mQ2!v&lt;XaB,Tz0 kJ8#mQ0x&amp;!vXaB0TzYw", &["&lt;", "&amp;"]),
        ] {
            assert_eq!(hits(text), expected, "{text}");
        }
    }

    #[test]
    fn what_hides_nothing_is_no_hit() {
        for text in [
            r#"a\nb \"c\" \t \\ \d \x1b[0m caf\u00e9 \u4e2d\u6587 C:\users"#,
            r"/^\/\*\/$/ \1 \0",
            r#"printf("%d %5d %2f %02x %%", a%20, b)"#,
            "%C3%A9 100% a && b &x &nbsp; List&lt;T&gt; q &amp; a",
            // Paths and expressions, and code in markup.
            r"C:\\Users\\SomeBody\\.config\\Profile ^\\d+\\.\\d+-[a-z]+$ kJ8#mQ2 \\ XaB,Tz0",
            "Map&lt;String,List&lt;SomeLongName&gt;&gt; kJ8# &lt; mQ2!vXaB,Tz0",
        ] {
            assert_eq!(hits(text), [""; 0], "{text}");
        }
    }
}
