//! What a value looks like.

use crate::filter::{part, words};

/// How much of a value the vocabulary covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Known {
    All,
    Most,
    Some,
    None,
}

/// How much of the value the vocabulary covers. In part: by whole pieces, since a word that somebody chose may
/// hold another one, as `degenerate` does.
pub(super) fn how_known(lower: &[u8], pieces: &[&[u8]]) -> Known {
    let letters = lower.iter().filter(|byte| byte.is_ascii_alphabetic()).count();
    if letters * 2 >= lower.len().max(4) && words::is_all_known(lower) {
        return Known::All;
    }
    let known: usize = pieces
        .iter()
        .filter(|piece| piece.len() >= SHORTEST_COUNTED && words::is_all_known(&piece.to_ascii_lowercase()))
        .map(|piece| piece.len())
        .sum();
    if letters > 0 && known * 3 >= letters * 2 {
        Known::Most
    } else if letters > 0 && known * 3 >= letters {
        Known::Some
    } else {
        Known::None
    }
}

/// Shorter words turn up in any row of letters.
const SHORTEST_COUNTED: usize = 4;

/// Whether the value is five words or more, of any language: two of three stretches between blanks are letters.
pub(super) fn reads_like_message(value: &[u8]) -> bool {
    const FEWEST_WORDS: usize = 5;
    let is_letter = |byte: &u8| byte.is_ascii_alphabetic() || *byte >= 0x80;
    let stretches = value.split(u8::is_ascii_whitespace).filter(|stretch| !stretch.is_empty());
    let words = stretches.clone().filter(|stretch| {
        let ends = |byte: &u8| b".,:;!?'\"()".contains(byte);
        let last = stretch.iter().rposition(|byte| !ends(byte)).map_or(0, |last| last + 1);
        last > 0 && stretch[..last].iter().all(is_letter)
    });
    let count = stretches.count();
    count >= FEWEST_WORDS && words.count() * 3 >= count * 2
}

/// Whether the value is as long as what everybody sees on Ethereum, `0x` in front of hexadecimal digits: the 20 bytes
/// of an address, the 65 of a signature. A key has 32.
pub(super) fn is_public_on_chain(value: &[u8]) -> bool {
    value
        .strip_prefix(b"0x")
        .is_some_and(|digits| matches!(digits.len(), 40 | 130) && digits.iter().all(u8::is_ascii_hexdigit))
}

/// Whether the value is a package and the version that is asked for: `SQLAlchemy==2.0.50`, `requests[socks]>=2`.
pub(super) fn asks_for_version(value: &[u8]) -> bool {
    const SIGNS: [&[u8]; 5] = [b"==", b">=", b"<=", b"~=", b"!="];
    let is_version = |rest: &[u8]| {
        rest.first().is_some_and(u8::is_ascii_digit)
            && rest.iter().all(|byte| byte.is_ascii_alphanumeric() || b".*+!-,<>=~".contains(byte))
            && (rest.contains(&b'.') || rest.iter().all(u8::is_ascii_digit))
    };
    let name =
        value.iter().take_while(|byte| byte.is_ascii_alphanumeric() || b"_-.[],".contains(byte)).count();
    name > 1 && SIGNS.iter().any(|sign| value[name..].strip_prefix(*sign).is_some_and(is_version))
}

/// Whether the value is a digest and the ending of a file: what a bundle of code is stored under.
pub(super) fn is_digest_of_file(value: &[u8]) -> bool {
    const SHORTEST_DIGEST_BYTES: usize = 32;
    let Some(dot) = value.iter().rposition(|&byte| byte == b'.') else { return false };
    let (stem, end) = (&value[..dot], &value[dot + 1..]);
    stem.len() >= SHORTEST_DIGEST_BYTES
        && stem.iter().all(u8::is_ascii_hexdigit)
        && (2..=5).contains(&end.len())
        && end.iter().all(u8::is_ascii_lowercase)
}

/// Whether the value is three words or more in small letters, half of them known or readable: `aws-cdk:subnet-name`.
pub(super) fn joins_words(value: &[u8]) -> bool {
    let parts = || value.split(|byte| b"-_.:/".contains(byte));
    let count = parts().count();
    count >= 3
        && parts().all(|part| (1..=12).contains(&part.len()) && part.iter().all(u8::is_ascii_lowercase))
        && parts().filter(|part| part.len() >= 3 && words::is_wordlike(part)).count() * 2 >= count
}

/// Whether the value is a member of an object or an element of a list: `Jobs[-1].JobId`, `_kms.IKey)`.
pub(super) fn is_element(value: &[u8], quoted: bool) -> bool {
    let ends = value.iter().rev().take_while(|byte| b"):,;".contains(byte)).count();
    let value = &value[..value.len() - ends];
    let is_part = |part: &[u8]| {
        let name = part.iter().take_while(|byte| byte.is_ascii_alphabetic() || **byte == b'_').count();
        let is_index = |index: &[u8]| {
            index.iter().all(|byte| byte.is_ascii_digit() || b"-*".contains(byte)) && index.len() < 4
        };
        let index = part[name..].strip_prefix(b"[").and_then(|index| index.strip_suffix(b"]"));
        name > 1 && (name == part.len() || index.is_some_and(is_index))
    };
    (value.contains(&b'.') || value.ends_with(b"]"))
        && value.split(|&byte| byte == b'.').all(is_part)
        && (!quoted || words::reads_like_words(value))
}

/// Whether the value is the path of an SVG element (SVG 2, section 9.3): `M7,14A2,2 0 0,1 5,12`.
pub(super) fn is_drawing(value: &[u8]) -> bool {
    const SHORTEST_BYTES: usize = 12;
    let is_number = |byte: &u8| byte.is_ascii_digit() || b".,- ".contains(byte);
    value.len() >= SHORTEST_BYTES
        && matches!(value[0], b'M' | b'm')
        && is_number(&value[1])
        && value.iter().all(|byte| is_number(byte) || b"MmLlHhVvCcSsQqTtAaZz".contains(byte))
        && value.iter().filter(|byte| is_number(byte)).count() * 2 > value.len()
        && value.iter().any(|byte| b"., ".contains(byte))
}

/// Whether the value is how minifiers write `true` and `false`, with what follows.
pub(super) fn is_pressed_flag(value: &[u8]) -> bool {
    matches!(value, [b'!', b'0' | b'1', rest @ ..] if rest.first().is_none_or(|byte| b"},;)".contains(byte)))
}

/// Whether the value is the name of a method: a word in small letters and two or more with a capital.
pub(super) fn is_method(value: &[u8]) -> bool {
    let mut humps = value.chunk_by(|_, next| next.is_ascii_lowercase());
    value.iter().all(u8::is_ascii_alphabetic)
        && value.first().is_some_and(u8::is_ascii_lowercase)
        && humps.clone().count() >= 3
        && humps.all(|hump| hump.len() >= 2)
}

/// Whether the value says how to write a date: `yyyy-MM-dd_HH:mm`. Its words are one letter again and again.
pub(super) fn is_form_of_dates(value: &[u8]) -> bool {
    let (mut words, mut longer) = (0, 0);
    for word in value.chunk_by(|one, next| one.is_ascii_alphabetic() && one == next) {
        if b"yYuMdDEhHkKmsSaAzZXxTt".contains(&word[0]) {
            words += 1;
            longer += usize::from(word.len() > 1);
        } else if word[0].is_ascii_alphabetic() || word[0] >= 0x80 {
            return false;
        }
    }
    words >= 3 && longer >= 2
}

/// How many different signs stand in the text.
fn signs(text: &[u8]) -> usize {
    let mut is_used = [false; 128];
    text.iter()
        .filter(|byte| byte.is_ascii_punctuation())
        .for_each(|&byte| is_used[usize::from(byte)] = true);
    is_used.iter().filter(|&&is_used| is_used).count()
}

/// Whether capital and small letters stand in the text.
pub(in crate::filter) fn has_both_cases(text: &[u8]) -> bool {
    text.iter().any(u8::is_ascii_lowercase) && text.iter().any(u8::is_ascii_uppercase)
}

/// Whether letters and digits take turns every few bytes, or all kinds of signs stand between them.
pub(in crate::filter) fn is_mixed(text: &[u8]) -> bool {
    const MANY_SIGNS: usize = 9;
    changes(text) * 8 >= text.len() || signs(text) >= MANY_SIGNS
}

/// Whether the value is letters that read like no words, with many signs between them, or a long row of them. Where
/// capital and small letters are mixed two signs are many.
pub(in crate::filter) fn is_random(value: &[u8]) -> bool {
    const LONG_BYTES: usize = 16;
    let many_signs = if has_both_cases(value) { 2 } else { 3 };
    let is_base64 = value.iter().all(|byte| byte.is_ascii_alphanumeric() || b"+/-_=".contains(byte));
    let is_long = value.len() >= LONG_BYTES && is_base64 && changes(value) >= 1;
    (is_long || (signs(value) >= many_signs && value.iter().all(u8::is_ascii_graphic)))
        && !words::reads_like_words(value)
}

/// Whether an expression of a template language opens in the value, and closes or goes on with names to its end.
pub(super) fn opens_expression(value: &[u8]) -> bool {
    [(&b"${"[..], b'}'), (b"#{", b'}'), (b"{{", b'}'), (b"$(", b')')].iter().any(|&(open, close)| {
        part::find(value, open).is_some_and(|at| {
            let behind = &value[at + open.len()..];
            let named = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-. |$([?:=/\"'".contains(byte);
            behind.contains(&close) || behind.iter().all(named)
        })
    })
}

/// Whether the value is so long and mixed that whatever of code, addresses and formats stands in it stands there by
/// chance: one in twenty of forty printable characters holds an opening such as `$(`, and one in thirty a `%d`.
pub(in crate::filter) fn is_noise(value: &[u8]) -> bool {
    const SHORTEST_BYTES: usize = 16;
    /// Hardly any line of code, template or expression holds so many signs in a value without blanks.
    const FEWEST_SIGNS: usize = 6;
    let expressions = [&b"[A-"[..], b"[a-", b"[0-9", b"(?", b"\\d", b"\\w", b"\\s", b".*", b".+", b"()"];
    value.len() >= SHORTEST_BYTES
        && signs(value) >= FEWEST_SIGNS
        && value.iter().any(u8::is_ascii_digit)
        && has_both_cases(value)
        && value.iter().all(u8::is_ascii_graphic)
        && is_mixed(value)
        && !expressions.iter().any(|part| part::contains(value, part))
}

/// Changes between letters and digits, and from a small letter to a capital or back inside a word.
pub(super) fn changes(value: &[u8]) -> usize {
    let kind = |byte: u8| match byte {
        b'0'..=b'9' => 1,
        b'a'..=b'z' => 2,
        b'A'..=b'Z' => 3,
        _ => 0,
    };
    (1..value.len())
        .filter(|&at| match (kind(value[at - 1]), kind(value[at])) {
            (0, _) | (_, 0) => false,
            // A capital before small letters starts a word.
            (2, 3) => value.get(at + 1).is_none_or(|&next| kind(next) != 2),
            (3, 2) => false,
            (a, b) => a != b,
        })
        .count()
}

/// Whether the value starts with a name and a bracket: a call, an index, a literal of a type.
pub(super) fn is_call(value: &[u8]) -> bool {
    let name = value.iter().take_while(|b| b.is_ascii_alphanumeric() || b"_.:!".contains(b)).count();
    name > 0 && value.get(name).is_some_and(|byte| b"([{".contains(byte))
}

/// Whether the value holds `{8}` or `{2,5}`, as regular expressions and notations of formats do.
pub(super) fn holds_a_count(value: &[u8]) -> bool {
    memchr::memchr_iter(b'{', value).any(|at| {
        let rest = &value[at + 1..];
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit() || **byte == b',').count();
        digits > 0 && rest.get(digits) == Some(&b'}')
    })
}

/// Heads of public keys: the DER of SubjectPublicKeyInfo in base64 (RFC 5280, RFC 5480), OpenSSH (RFC 4253); and the
/// first line of such a key or of a certificate (RFC 7468), in base64 once more.
pub(in crate::filter) fn is_public_key(value: &[u8]) -> bool {
    const HEADS: [&[u8]; 13] = [
        b"LS0tLS1CRUdJTiBQVUJM",
        b"LS0tLS1CRUdJTiBDRVJU",
        b"MIGfMA0",
        b"MIIBIjANBg",
        b"MIICIjANBg",
        b"MFwwDQYJ",
        b"MFkwEwYHKo",
        b"MHYwEAYHKo",
        b"MCowBQYDK2Vw",
        b"ssh-rsa",
        b"ssh-ed25519",
        b"ssh-dss",
        b"ecdsa-",
    ];
    HEADS.iter().any(|head| value.starts_with(head))
        || part::contains(value, b"BEGIN PUBLIC")
        || part::contains(value, b"BEGIN CERT")
}

/// Whether the value opens or closes a directive of a template: `%b64[text]b64%`.
pub(super) fn is_template(value: &[u8]) -> bool {
    (value.starts_with(b"%") && value.contains(&b'[')) || (value.ends_with(b"%") && value.contains(&b']'))
}

/// Whether the value is what follows the name of a scheme in a header: `username="…", realm="…"`, `sig1=:…:`.
pub(super) fn is_parameters(value: &[u8]) -> bool {
    let name = value.iter().take_while(|b| b.is_ascii_alphanumeric() || b"_-".contains(b)).count();
    value.ends_with(b"/aws4_request")
        || name >= 3
            && value.get(name) == Some(&b'=')
            && value.get(name + 1).is_some_and(|byte| b"\":'\\".contains(byte))
}

pub(super) fn is_uuid(value: &[u8]) -> bool {
    value.len() == 36
        && value.iter().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

pub(super) fn is_file_name(lower: &[u8]) -> bool {
    const ENDS: [&[u8]; 26] = [
        b".pem",
        b".key",
        b".crt",
        b".cer",
        b".json",
        b".yml",
        b".yaml",
        b".txt",
        b".xml",
        b".conf",
        b".js",
        b".ts",
        b".py",
        b".rb",
        b".go",
        b".php",
        b".html",
        b".md",
        b".enc",
        b".jks",
        b".p12",
        b".pfx",
        b".properties",
        b".env",
        b".pub",
        b".toml",
    ];
    ENDS.iter().any(|end| lower.ends_with(end) && lower.len() > end.len())
}
