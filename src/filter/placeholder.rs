//! Values that nobody ever used: samples, dummies, references to where the real value is kept.

use crate::filter::part::{contains, find};
use crate::filter::{generic, words};

/// Why a value is no secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placeholder {
    /// One character or a short group over and over: `xxxx`, `ababab`, `0000`.
    Repeated,
    /// Characters in the order of the alphabet, the digits or the keyboard.
    Sequence,
    /// A word that says so: `example`, `changeme`, `your_token`.
    Word,
    /// A reference: `${VAR}`, `process.env.X`, `{{ value }}`, `<token>`, `%s`.
    Reference,
}

impl Placeholder {
    /// A few words for the explanation.
    pub fn reason(self) -> &'static str {
        match self {
            Placeholder::Repeated => "the same characters over and over",
            Placeholder::Sequence => "characters in sequence",
            Placeholder::Word => "a word that says it is a sample",
            Placeholder::Reference => "a reference to a value kept elsewhere",
        }
    }
}

/// Says whether the value is a placeholder. Works on any bytes; case does not matter.
pub fn placeholder(value: &[u8]) -> Option<Placeholder> {
    let lower = value.to_ascii_lowercase();
    if is_reference(value) {
        Some(Placeholder::Reference)
    } else if is_repeated(&lower) {
        Some(Placeholder::Repeated)
    } else if is_sequence(&lower) {
        Some(Placeholder::Sequence)
    } else if says_so(&lower) {
        Some(Placeholder::Word)
    } else {
        None
    }
}

/// Openings of template languages and shells, and what closes them.
const ENCLOSED: [(&[u8], &[u8]); 9] = [
    (b"${", b"}"),
    (b"#{", b"}"),
    (b"{{", b"}}"),
    (b"<%", b"%>"),
    (b"$(", b")"),
    (b"%(", b")"),
    (b"@{", b"}"),
    (b"[[", b"]]"),
    (b"%{", b"}"),
];

fn is_reference(value: &[u8]) -> bool {
    let whole = |open: u8, close: u8| match value {
        [first, inner @ .., last] => {
            *first == open && *last == close && is_name(inner) && !is_generated(inner)
        }
        _ => false,
    };
    // An unquoted value ends at the first space, which may lie inside the reference: `key-${{ hash }}`.
    let is_cut =
        |(open, _): &(&[u8], &[u8])| value.strip_suffix(*open).is_some_and(|rest| !is_generated(rest));
    // Or behind the first argument of a call in it, or behind a name: `${key.slice(0,`, `{{.Values.key`.
    let is_cut_call = |(open, close): &(&[u8], &[u8])| {
        value.strip_prefix(*open).is_some_and(|inner| {
            let len =
                inner.iter().take_while(|byte| byte.is_ascii_alphanumeric() || b"_.".contains(byte)).count();
            let (name, behind) = inner.split_at(len);
            let is_called = name.len() > 1 && name[0].is_ascii_alphabetic() && behind.starts_with(b"(");
            let is_path = name.len() > 1 && behind.is_empty() && *open == b"{{";
            (is_called || is_path) && !is_generated(name) && !contains(behind, close)
        })
    };
    holds_reference(value)
        || ENCLOSED.iter().any(|enclosed| is_cut(enclosed) || is_cut_call(enclosed))
        || [(b'<', b'>'), (b'{', b'}'), (b'[', b']'), (b'%', b'%'), (b'_', b'_')]
            .iter()
            .any(|&(a, b)| whole(a, b))
        || value.strip_prefix(b"$").is_some_and(|name| {
            is_name(name)
                && name.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
                && !is_generated(name)
        })
        || [&b"process.env"[..], b"os.environ", b"os.getenv"].iter().any(|part| contains(value, part))
        || matches!(value, b"%s" | b"%v" | b"%d" | b"{}" | b"%@")
}

/// Whether a reference stands in the value, and what is left of that without it is not generated: one long random
/// value in a hundred holds `${x}` or the like by chance.
fn holds_reference(value: &[u8]) -> bool {
    let opens = |byte: &u8| ENCLOSED.iter().any(|(open, _)| open[0] == *byte);
    if !value.iter().any(opens) {
        return false;
    }
    let mut rest = Vec::new();
    let mut at = 0;
    let mut any = false;
    while at < value.len() {
        let here = &value[at..];
        let reference = ENCLOSED.iter().filter(|(open, _)| open[0] == here[0]).find_map(|(open, close)| {
            let name = before(here.strip_prefix(*open)?, close);
            is_name(name).then_some(open.len() + name.len() + close.len())
        });
        any |= reference.is_some();
        if reference.is_none() {
            rest.push(here[0]);
        }
        at += reference.unwrap_or(1);
    }
    any && !is_generated(&rest)
}

/// Whether the text is random characters of three kinds, and no words.
fn is_generated(text: &[u8]) -> bool {
    /// Shorter ones say too little.
    const SHORTEST_BYTES: usize = 16;
    text.len() >= SHORTEST_BYTES
        && text.iter().any(u8::is_ascii_digit)
        && generic::has_both_cases(text)
        && generic::is_mixed(text)
        && !words::reads_like_words(text)
}

/// What stands before `close`; nothing where it does not close.
fn before<'t>(text: &'t [u8], close: &[u8]) -> &'t [u8] {
    find(text, close).map_or(&[], |end| &text[..end])
}

/// Whether the text names something: words, dots, dashes and the punctuation of template expressions.
fn is_name(text: &[u8]) -> bool {
    text.iter().any(u8::is_ascii_alphabetic)
        && text.iter().all(|byte| byte.is_ascii_alphanumeric() || b"_-. :|'\"()[],?$/".contains(byte))
}

fn is_repeated(lower: &[u8]) -> bool {
    if lower.len() < 3 {
        return false;
    }
    let mut distinct = [false; 256];
    lower.iter().for_each(|&byte| distinct[usize::from(byte)] = true);
    let distinct = distinct.iter().filter(|&&seen| seen).count();
    if lower.iter().all(u8::is_ascii_punctuation) && distinct <= 2 {
        return true;
    }
    // A long value of hardly any characters, or a row of one character in its middle.
    if (distinct <= 2 && lower.len() >= 4) || distinct == 1 || (lower.len() >= 16 && distinct <= 4) {
        return true;
    }
    let rows = lower.chunk_by(|a, b| a == b);
    let longest_row = rows.clone().map(<[u8]>::len).max().unwrap_or(0);
    let is_blacked_out = |row: &[u8]| row.len() >= 5 && matches!(row[0], b'x' | b'*');
    if longest_row * 2 >= lower.len().max(8) || longest_row >= 5 && rows.into_iter().any(is_blacked_out) {
        return true;
    }
    // `123123`: a number has too few characters for chance to repeat them.
    let twice = lower.len() >= 6 && lower.iter().all(u8::is_ascii_digit);
    (2..=lower.len() / if twice { 2 } else { 3 })
        .any(|period| lower[period..].iter().zip(lower).all(|(a, b)| a == b))
}

/// Most of the value runs up or down by one, or along a row of the keyboard.
fn is_sequence(lower: &[u8]) -> bool {
    /// Shorter runs turn up in random values.
    const SHORTEST_RUN: usize = 4;
    /// One value in ten thousand million holds so long a run by chance.
    const LONGEST_CHANCE_RUN: usize = 10;
    let step = |a: u8, b: u8| {
        let next = |a: u8, b: u8| {
            b == a + 1 || (a == b'9' && b == b'0') || (a == b'9' && b == b'a') || (a == b'z' && b == b'0')
        };
        let both = a.is_ascii_alphanumeric() && b.is_ascii_alphanumeric();
        both && (next(a, b) || next(b, a) || RIGHT_OF[usize::from(a)] == b)
    };
    let runs = lower.chunk_by(|&a, &b| step(a, b)).map(<[u8]>::len);
    let in_runs: usize = runs.clone().filter(|&len| len >= SHORTEST_RUN).sum();
    let longest = runs.max().unwrap_or(0);
    (lower.len() >= 6 && in_runs * 3 >= lower.len() * 2)
        || longest >= LONGEST_CHANCE_RUN
        || counts_up(lower)
        || counts_in_turn(lower)
}

/// By letter the one to the right of it on a keyboard, where there is one.
const RIGHT_OF: [u8; 256] = {
    const ROWS: [&[u8]; 3] = [b"qwertyuiop", b"asdfghjkl", b"zxcvbnm"];
    let mut right_of = [0; 256];
    let mut row = 0;
    while row < ROWS.len() {
        let mut at = 1;
        while at < ROWS[row].len() {
            right_of[ROWS[row][at - 1] as usize] = ROWS[row][at];
            at += 1;
        }
        row += 1;
    }
    right_of
};

/// Whether two rows take turns, as in `a1b2c3d4e5`.
fn counts_in_turn(lower: &[u8]) -> bool {
    let counts = |first: usize| {
        let mut row = lower.iter().skip(first).step_by(2);
        let next = row.clone().skip(1);
        row.len() >= 5 && row.by_ref().zip(next).all(|(a, b)| *b == a + 1 || (*a == b'9' && *b == b'0'))
    };
    counts(0) && counts(1)
}

/// Whether the value is bytes in hexadecimal that go up by a fixed step, `000102…` or `00112233…`, or a
/// short number such as `1234`.
fn counts_up(lower: &[u8]) -> bool {
    const SHORT: [&[u8]; 4] = [b"123", b"1234", b"12345", b"321"];
    if SHORT.contains(&lower) {
        return true;
    }
    if lower.len() < 16 || !lower.iter().all(u8::is_ascii_hexdigit) {
        return false;
    }
    let digit = |byte: u8| char::from(byte).to_digit(16).unwrap_or_default();
    let bytes: Vec<u32> = lower.chunks_exact(2).map(|pair| digit(pair[0]) * 16 + digit(pair[1])).collect();
    let steps = bytes.windows(2).map(|pair| pair[1].wrapping_sub(pair[0]) & 0xff);
    let even = steps.clone().filter(|&step| matches!(step, 1 | 0x11 | 0xff | 0)).count();
    even * 4 >= steps.count() * 3
}

fn says_so(lower: &[u8]) -> bool {
    /// Parts that no generated value holds by chance worth counting, each at least five bytes.
    const PARTS: [&[u8]; 27] = [
        b"example",
        b"changeme",
        b"change_me",
        b"change-me",
        b"placeholder",
        b"your_",
        b"your-",
        b"yourtoken",
        b"yourkey",
        b"yourpass",
        b"yoursecret",
        b"my_secret",
        b"insert_",
        b"replace_",
        b"replace-",
        b"replaceme",
        b"dummy",
        b"redacted",
        b"removed",
        b"notreal",
        b"not_real",
        b"not-a-real",
        b"fake_",
        b"fake-",
        b"<redacted",
        b"sample",
        b"todo_",
    ];
    const WHOLE: [&[u8]; 16] = [
        b"none",
        b"null",
        b"nil",
        b"undefined",
        b"true",
        b"false",
        b"test",
        b"testing",
        b"secret",
        b"password",
        b"token",
        b"string",
        b"value",
        b"empty",
        b"optional",
        b"required",
    ];
    PARTS.iter().any(|part| contains(lower, part))
        || WHOLE.contains(&lower)
        || lower.starts_with(b"...")
        || lower.ends_with(b"...")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_recognised() {
        for (value, kind) in [
            ("xxxxxxxxxxxxxxxx", Placeholder::Repeated),
            ("***", Placeholder::Repeated),
            ("123123", Placeholder::Repeated),
            ("12345", Placeholder::Sequence),
            ("000102030405060708090A0B0C0D0E0F", Placeholder::Sequence),
            ("00112233445566778899aabbccddeeff", Placeholder::Sequence),
            ("abcabcabcabc", Placeholder::Repeated),
            ("ABCDEFGHIJKLMNOPQRSTUVWXYZ", Placeholder::Sequence),
            ("1234567890abcdef", Placeholder::Sequence),
            ("qwertyuiop", Placeholder::Sequence),
            ("your_api_key_here", Placeholder::Word),
            ("changeme", Placeholder::Word),
            // One after the other each limb of the conditions.
            ("abba", Placeholder::Repeated),
            ("abcdbadcabdcbacd", Placeholder::Repeated),
            ("zqaaaaak", Placeholder::Repeated),
            ("7gk2pq9sxxxxxvx4lmt8", Placeholder::Repeated),
            ("7890123", Placeholder::Sequence),
            ("abcd1234", Placeholder::Sequence),
            ("789abc", Placeholder::Sequence),
            ("a8b9c0d1e2f3", Placeholder::Sequence),
            ("0001020304050607", Placeholder::Sequence),
            ("...k2pq9", Placeholder::Word),
            ("7gk2pq...", Placeholder::Word),
            ("7Gk2pQ9sVx4LmT8{{x}}", Placeholder::Reference),
            ("AKIAIOSFODNN7EXAMPLE", Placeholder::Word),
            ("${DB_PASSWORD}", Placeholder::Reference),
            ("{{ vault.token }}", Placeholder::Reference),
            ("$TOKEN", Placeholder::Reference),
            ("<your-token>", Placeholder::Reference),
            ("mypy|${{", Placeholder::Reference),
            ("${plaintext.slice(0,", Placeholder::Reference),
            ("#{key_of(user,", Placeholder::Reference),
            ("{{.Values.database.user", Placeholder::Reference),
        ] {
            assert_eq!(placeholder(value.as_bytes()), Some(kind), "{value}");
        }
    }

    #[test]
    fn random_values_are_none() {
        for value in [
            "7Gk2pQ9sVx4LmT8wZc1R",
            "correct horse",
            "9f86d081884c7d65",
            "s3cr3t!pw",
            "hunter2hunter2",
            "k0m9p0",
            "kwzqtymxrvpjhuslgn",
            "{7391}",
            "/0129:98/01",
            "010509121a2b3c4f5d6a",
        ] {
            assert_eq!(placeholder(value.as_bytes()), None, "{value}");
        }
    }

    #[test]
    fn a_random_value_may_look_like_a_reference_by_chance() {
        let random = "7Gk2pQ9sVx4LmT8wZc1R";
        for (head, tail) in [
            ("", "${b[}"),
            ("#{:V}", ""),
            ("", "$("),
            ("{", "}"),
            ("_", "_"),
            ("$", ""),
            ("{{x}}", "[[y]]"),
            ("${", "("),
            ("${a(", ""),
        ] {
            assert_eq!(placeholder(format!("{head}{random}{tail}").as_bytes()), None, "{head} {tail}");
        }
        for reference in [
            "prefix-${NAME}-Suffix1",
            "https://${HOST}:8443/api/V2/items?page=${PAGE}",
            "$RANDOM_PASSWORD_FOR_2",
            "{someNameOfAValue1}",
            "sid=${sid}; Path=/; HttpOnly; Expires=Wed, 21 Oct 2015 07:28:00 GMT",
        ] {
            assert_eq!(placeholder(reference.as_bytes()), Some(Placeholder::Reference), "{reference}");
        }
    }
}
