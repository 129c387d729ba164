//! Judges values that are assigned to a name that says "secret", but have no known format.
//!
//! A value is looked at once (`Facts`); every line of `WEIGHTS` asks one question of what was seen and
//! adds its weight where the answer is yes. The sum decides, and the lines that added most are the reason.
//!
//! A password is not asked whether it is random: people choose words and names. It is asked whether it is a
//! word that programmers use for names and dummies, and whether it is code. A key or a token is generated,
//! so there randomness counts.

mod name;
mod value;

use crate::filter::file_kind::FileKind;
use crate::filter::{self, entropy, part, words};
use crate::level::Confidence;
use crate::matcher::Assigned;
use crate::matcher::assignment::{Joint, Quote};
pub use name::names_something_else;
use name::{Name, read_name, says_own_name};
use value::{
    Known, asks_for_version, changes, holds_a_count, how_known, is_call, is_digest_of_file, is_drawing,
    is_element, is_file_name, is_form_of_dates, is_method, is_parameters, is_pressed_flag,
    is_public_on_chain, is_template, is_uuid, joins_words, opens_expression, reads_like_message,
};
pub(super) use value::{has_both_cases, is_mixed, is_noise, is_public_key, is_random};

/// What the judgement says of a value.
#[derive(Clone, Debug, PartialEq)]
pub struct Score {
    /// Sum of the weights that apply; the higher, the more like a secret.
    pub points: f32,
    /// The strongest reasons, for people.
    pub reason: String,
}

/// Fewest points of a finding at each confidence.
pub const THRESHOLDS: [(f32, Confidence); 3] =
    [(3.0, Confidence::High), (1.5, Confidence::Medium), (0.0, Confidence::Low)];

/// The confidence that goes with a number of points; `None` where it is not worth a report.
pub fn confidence(points: f32) -> Option<Confidence> {
    THRESHOLDS.iter().find(|(least, _)| points >= *least).map(|&(_, confidence)| confidence)
}

/// Scores a value by what it is assigned to, by how unlike words and code it looks, and by the kind of file.
pub fn score(assigned: &Assigned, value: &[u8], file: FileKind) -> Score {
    let holding = weights(assigned, value, file);
    let points = holding.iter().map(|weight| weight.points).sum();
    let mut reasons: Vec<&Weight> = holding.into_iter().filter(|weight| weight.points > 0.0).collect();
    reasons.sort_by(|a, b| b.points.total_cmp(&a.points));
    let reasons: Vec<&str> = reasons.iter().take(REASONS).map(|weight| weight.reason).collect();
    Score { points, reason: reasons.join(", ") }
}

/// The weights that apply to a value, in the order of [`WEIGHTS`]; their sum is its score.
pub fn weights(assigned: &Assigned, value: &[u8], file: FileKind) -> Vec<&'static Weight> {
    let name = read_name(&assigned.name, assigned.joint);
    // Most names that hold a keyword are of this kind: they cost no look at the value.
    if name.0 == Name::Other {
        return vec![&SOMETHING_ELSE];
    }
    let facts = Facts::new(assigned, value, file, name);
    WEIGHTS.iter().filter(|weight| (weight.holds)(&facts)).collect()
}

/// Reasons that are given for a score.
const REASONS: usize = 3;

/// What speaks against a value whose name says that it is none.
static SOMETHING_ELSE: Weight = weight(-10.0, "the name says something else", |_| true);

/// One question and what a yes is worth.
#[derive(Debug)]
pub struct Weight {
    /// Points; below zero against a secret.
    pub points: f32,
    /// Why, in a few words.
    pub reason: &'static str,
    holds: fn(&Facts<'_>) -> bool,
}

const fn weight(points: f32, reason: &'static str, holds: fn(&Facts<'_>) -> bool) -> Weight {
    Weight { points, reason, holds }
}

/// All questions.
pub const WEIGHTS: &[Weight] = &[
    // The name.
    weight(0.25, "assigned to a telling name", |_| true),
    weight(0.25, "named a secret", |f| f.name == Name::Secret),
    weight(-1.00, "named a key", |f| f.name == Name::Weak),
    weight(-2.25, "the name goes on with other words", |f| f.name_goes_on),
    weight(-2.75, "a call that reads or checks", |f| f.reads),
    // How the value is given.
    weight(-0.50, "an unquoted word in code", |f| f.is_bare_word()),
    weight(-0.50, "a setting", |f| f.is_setting()),
    weight(-1.50, "an argument", |f| f.a.joint == Joint::Argument),
    weight(-1.25, "an element", |f| f.a.joint == Joint::Element),
    weight(-2.50, "inside a call", |f| f.a.place.in_call),
    weight(-0.25, "the line goes on", |f| !f.quoted && !f.a.place.ends_line),
    weight(-0.50, "in the middle of a line", |f| !f.quoted && !f.a.place.starts_line),
    weight(-2.25, "a bracket closes behind", |f| {
        !f.quoted && matches!(f.a.place.after, Some(b')' | b']' | b'('))
    }),
    // Length and characters.
    weight(-4.00, "one or two characters", |f| f.value.len() < 3),
    weight(-6.00, "no letter and no digit", |f| {
        !f.value.iter().any(|b| b.is_ascii_alphanumeric() || *b >= 0x80)
    }),
    weight(-1.50, "very short", |f| f.value.len() < 4),
    weight(-1.50, "short", |f| (4..6).contains(&f.value.len())),
    weight(-0.75, "6 or 7 long", |f| (6..8).contains(&f.value.len())),
    weight(1.00, "longer than keys are", |f| f.value.len() > 160),
    weight(-1.00, "a number", |f| f.number),
    weight(0.75, "letters and digits", |f| f.mixed),
    weight(0.50, "four kinds of characters", |f| f.classes >= 4),
    weight(-0.75, "hexadecimal", |f| f.hex),
    weight(-4.00, "the same characters again and again", |f| f.relative_entropy < 0.55 && f.value.len() >= 8),
    weight(-5.0, "a number in code", |f| {
        f.number
            && (f.value.starts_with(b"0x")
                || f.is_bare_word()
                || (!f.quoted && f.a.place.after == Some(b';')))
    }),
    weight(2.75, "a generated key", |f| !f.password() && f.random && f.value.len() >= 16),
    weight(1.75, "a short generated key", |f| !f.password() && f.random && f.value.len() < 16),
    weight(-1.25, "a word for a key", |f| !f.password() && f.wordlike),
    weight(0.25, "no word", |f| f.password() && f.random),
    // What the value says.
    weight(-9.0, "nothing but common words", |f| f.known == Known::All),
    weight(-2.00, "mostly common words", |f| f.known == Known::Most),
    weight(-1.00, "a common word in it", |f| f.known == Known::Some),
    weight(-2.5, "says its own name", |f| f.own_name),
    weight(-1.00, "a name of several words", |f| f.identifier),
    weight(-1.75, "a name in capitals", |f| f.constant),
    weight(-1.5, "a sentence", |f| f.blanks > 2 && !f.random),
    weight(-4.0, "a message", |f| !f.password() && reads_like_message(f.value)),
    weight(-0.75, "blanks", |f| f.blanks > 0),
    weight(-1.5, "a word in capitals", |f| {
        !f.password() && f.value.len() < 12 && f.value.iter().all(u8::is_ascii_uppercase)
    }),
    weight(-1.0, "a short word", |f| {
        !f.password() && f.value.len() <= 8 && f.value.iter().all(u8::is_ascii_lowercase)
    }),
    weight(-2.0, "the id of a key", |f| {
        f.name == Name::Weak
            && matches!(f.value.len(), 16 | 40)
            && f.value.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'A'..=b'F'))
    }),
    weight(-2.0, "one word after another", |f| {
        !f.password() && f.a.joint == Joint::Space && !f.is_flag() && (!f.quoted || f.a.place.in_comment)
    }),
    weight(-5.0, "parameters", |f| f.parameters),
    weight(-3.0, "a word of a sentence", |f| f.is_flag() && f.a.place.before_word && f.reads_like_words()),
    weight(-3.5, "code", |f| f.code),
    weight(-1.0, "quoted code", |f| f.quoted && f.code),
    weight(-0.75, "a path of names", |f| f.dotted),
    weight(-3.00, "an address or a path", |f| f.address),
    weight(-5.0, "an address or a signature on a chain", |f| is_public_on_chain(f.value)),
    weight(-5.0, "a version asked for", |f| asks_for_version(f.value)),
    weight(-5.0, "a form of dates", |f| is_form_of_dates(f.value)),
    weight(-6.0, "the name of an archive", |f| is_digest_of_file(f.value)),
    weight(-2.5, "words with joints", |f| !f.password() && joins_words(f.value)),
    weight(-3.0, "the member of an object", |f| !f.password() && is_element(f.value, f.quoted)),
    weight(-8.0, "the path of a drawing", |f| is_drawing(f.value)),
    weight(-5.0, "yes or no in pressed code", |f| !f.quoted && is_pressed_flag(f.value)),
    weight(-2.5, "the name of a method", |f| f.name == Name::Weak && is_method(f.value)),
    weight(-3.0, "a name in code", |f| {
        !f.quoted && f.a.joint == Joint::Colon && f.identifier && f.value.iter().all(u8::is_ascii_alphabetic)
    }),
    weight(-4.0, "a pattern", |f| f.pattern),
    weight(-4.0, "mostly escapes", |f| f.escapes),
    weight(-0.5, "brackets", |f| f.brackets),
    weight(-4.0, "what stands between two literals", |f| {
        f.quoted && b" ,)".contains(&f.value[0]) && !f.noise
    }),
    weight(-6.0, "a public key", |f| f.public_key),
    weight(-0.50, "a word for a setting", |f| f.password() && f.wordlike && !f.quoted),
    weight(-0.75, "an unquoted secret that is not random", |f| {
        f.name == Name::Secret && !f.random && !f.quoted
    }),
    weight(3.25, "a quoted password", |f| f.plain_password() && f.quoted),
    weight(4.5, "a password setting", |f| f.plain_password() && f.is_setting()),
    weight(4.0, "a password flag", |f| f.plain_password() && !f.quoted && f.is_flag()),
    weight(4.0, "a password element", |f| f.plain_password() && !f.quoted && f.a.joint == Joint::Element),
    weight(2.75, "a password entry", |f| {
        f.plain_password() && !f.quoted && f.a.joint == Joint::Colon && f.a.place.ends_line
    }),
    weight(2.5, "a password on a line of its own", |f| {
        f.plain_password() && f.is_bare_word() && f.a.place.starts_line && f.a.place.ends_line
    }),
    weight(-4.0, "a format", |f| f.format),
    weight(-4.00, "not ASCII", |f| !f.value.is_ascii()),
    weight(-3.00, "a version, date or number", |f| f.version),
    weight(0.25, "a UUID", |f| f.uuid),
    weight(-3.0, "a UUID that a key has, or a test", |f| {
        f.uuid && (f.name == Name::Weak || f.file.is_rehearsal())
    }),
    // The file.
    weight(-4.0, "words in a test, a guide or a comment", |f| {
        (f.file.is_rehearsal() || f.a.place.in_comment) && f.reads_like_words()
    }),
    weight(-1.5, "the name speaks of a test", |f| f.rehearsed),
    weight(-2.0, "as the file does", |f| f.rehearsed && f.file.tests),
    weight(-3.25, "in code of others", |f| f.file.foreign),
    weight(-7.0, "said to people", |f| f.file.texts && !f.value.iter().any(u8::is_ascii_digit)),
    weight(-6.50, "a hash", |f| f.hash),
];

/// What is seen of an assignment.
struct Facts<'a> {
    a: &'a Assigned,
    value: &'a [u8],
    file: FileKind,
    name: Name,
    name_goes_on: bool,
    reads: bool,
    rehearsed: bool,
    parameters: bool,
    quoted: bool,
    number: bool,
    mixed: bool,
    classes: usize,
    hex: bool,
    relative_entropy: f32,
    random: bool,
    wordlike: bool,
    known: Known,
    own_name: bool,
    identifier: bool,
    constant: bool,
    blanks: usize,
    noise: bool,
    code: bool,
    dotted: bool,
    address: bool,
    escapes: bool,
    pattern: bool,
    brackets: bool,
    public_key: bool,
    format: bool,
    version: bool,
    uuid: bool,
    hash: bool,
}

/// What stands in texts that a program fills in.
const FORMATS: [&[u8]; 8] = [b"%s", b"%d", b"%v", b"%@", b"%-", b"%.", b"{0}", b"%q"];

/// How hashes of passwords start, lower case.
const HEADS_OF_HASHES: [&[u8]; 20] = [
    b"sha1", b"sha256", b"sha384", b"sha512", b"md5", b"$2a$", b"$2b$", b"$2y$", b"$argon2", b"pbkdf2",
    b"$6$", b"$5$", b"$1$", b"{crypt}", b"bcrypt", b"scrypt", b"phpass", b"aqaaa", b"{aqaaa", b"{aes}",
];

fn holds_any(value: &[u8], parts: &[&[u8]]) -> bool {
    parts.iter().any(|part| part::contains(value, part))
}

/// Whether a name says that its value is for a test.
fn is_rehearsed(name: &[u8]) -> bool {
    let words: [&[u8]; 7] = [b"test", b"dummy", b"fake", b"mock", b"sample", b"example", b"demo"];
    words::pieces(name).any(|piece| words.iter().any(|word| piece.eq_ignore_ascii_case(word)))
}

/// Whether a value that is no noise is an expression or a pattern.
fn is_code(value: &[u8], quoted: bool) -> bool {
    if quoted {
        let parts: [&[u8]; 8] = [b"[A-", b"[a-", b"[0-9", b"()", b" + ", b" | ", b"(\\", b"(%"];
        return holds_any(value, &parts) || opens_expression(value);
    }
    (value.iter().any(|byte| b"()[]{}".contains(byte)) && is_call(value))
        || holds_any(value, &[b"->", b"::"])
        || value.starts_with(b"async function")
        || b"$@*&|[({!".contains(&value[0])
}

/// Whether a value is plainly a path or a URL.
fn is_place(value: &[u8], lower: &[u8]) -> bool {
    part::contains(value, b"://")
        || value.starts_with(b"./")
        || value.starts_with(b"~/")
        || is_file_name(lower)
}

/// About how many bytes are escapes.
fn escaped_bytes(value: &[u8]) -> usize {
    let bytes = |pair: &[u8]| match pair[1] {
        b'u' => 6,
        b'x' | b'n' | b'r' | b't' => 4,
        _ => 0,
    };
    value.windows(2).filter(|pair| pair[0] == b'\\').map(bytes).sum()
}

impl<'a> Facts<'a> {
    fn new(
        assigned: &'a Assigned,
        value: &'a [u8],
        file: FileKind,
        (name, name_goes_on, reads): (Name, bool, bool),
    ) -> Self {
        let lower = value.to_ascii_lowercase();
        let any = |test: &dyn Fn(u8) -> bool| value.iter().any(|&byte| test(byte));
        let all = |test: &dyn Fn(u8) -> bool| value.iter().all(|&byte| test(byte));
        let quoted = assigned.quote != Quote::None;
        let classes = usize::from(any(&|b| b.is_ascii_digit()))
            + usize::from(any(&|b| b.is_ascii_lowercase()))
            + usize::from(any(&|b| b.is_ascii_uppercase()))
            + usize::from(any(&|b| b.is_ascii_punctuation()));
        let has_digit = any(&|b| b.is_ascii_digit());
        let has_letter = any(&|b| b.is_ascii_alphabetic());
        let changes = changes(value);
        let pieces: Vec<&[u8]> = words::pieces(value).collect();
        let known = how_known(&lower, &pieces);
        let word_pieces = pieces.iter().filter(|piece| words::is_wordlike(piece)).count();
        let letter_pieces = pieces.iter().filter(|piece| piece[0].is_ascii_alphabetic()).count();
        let named = all(&|b| b.is_ascii_alphanumeric() || b"_-.:/ ".contains(&b));
        let wordlike = named && letter_pieces > 0 && word_pieces == letter_pieces && changes < 4;
        let hex = all(&|b| b.is_ascii_hexdigit()) && has_digit && has_letter && value.len() >= 8;
        let surprise = words::surprise(value).unwrap_or(9.0);
        let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
        let dotted = has_letter
            && all(&|b| word(b) || b == b'.' || b == b'$')
            && value.split(|&b| b == b'.').count() >= 2
            && value.split(|&b| b == b'.').all(|part| part.first().is_some_and(|b| !b.is_ascii_digit()))
            && letter_pieces == word_pieces;
        let brackets = any(&|b| b"()[]{}".contains(&b));
        let noise = is_noise(value);
        Self {
            a: assigned,
            value,
            file,
            name,
            name_goes_on,
            reads,
            rehearsed: is_rehearsed(&assigned.name),
            parameters: is_parameters(value),
            quoted,
            number: (all(&|b| b.is_ascii_digit() || b"-+.,_ ".contains(&b)) && has_digit)
                || (!quoted && lower.starts_with(b"0x")),
            mixed: has_digit && has_letter,
            classes,
            hex,
            relative_entropy: entropy::relative(value),
            random: (hex || surprise > 4.7 || changes >= 4) && !wordlike,
            wordlike,
            known,
            own_name: says_own_name(&assigned.name, &lower),
            identifier: wordlike && letter_pieces >= 2 && !value.contains(&b' '),
            constant: letter_pieces >= 1
                && all(&|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
                && value.contains(&b'_'),
            blanks: value.trim_ascii().split(|&b| b == b' ' || b == b'\t').count().saturating_sub(1),
            code: !noise && is_code(value, quoted),
            noise,
            brackets: !quoted && brackets,
            pattern: holds_a_count(value) || is_template(value),
            escapes: escaped_bytes(value) * 2 >= value.len(),
            public_key: is_public_key(value),
            dotted,
            address: !noise
                && (is_place(value, &lower)
                    || (value.starts_with(b"/")
                        && value[1..].contains(&b'/')
                        && word_pieces * 2 >= letter_pieces)
                    || (wordlike && value.contains(&b'/'))
                    || (value.iter().filter(|&&byte| byte == b'\\').count() >= 2
                        && word_pieces * 4 >= letter_pieces * 3)),
            format: !noise && holds_any(value, &FORMATS),
            version: value.len() <= 40
                && has_digit
                && any(&|b| b".:-^~".contains(&b))
                && all(&|b| b.is_ascii_digit() || b".-:TZ+^~vx* ".contains(&b)),
            uuid: is_uuid(value),
            hash: HEADS_OF_HASHES.iter().any(|head| lower.starts_with(head)),
        }
    }

    fn password(&self) -> bool {
        self.name == Name::Password
    }

    fn reads_like_words(&self) -> bool {
        filter::is_made_of_words(self.value)
    }

    /// A password without any of the words that programmers use, nor blanks, nor code.
    fn plain_password(&self) -> bool {
        self.password() && self.known == Known::None && !self.code && self.blanks == 0
    }

    /// `name=value`, as in settings and on command lines.
    fn is_setting(&self) -> bool {
        !self.quoted && !self.a.place.spaced && self.a.joint == Joint::Equals
    }

    /// `name = value`, as in code and in some settings.
    fn is_bare_word(&self) -> bool {
        !self.quoted && self.a.place.spaced && self.a.joint == Joint::Equals
    }

    /// `--name value`.
    fn is_flag(&self) -> bool {
        self.a.joint == Joint::Space && self.a.name.starts_with(b"-")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matcher::assignment;
    use crate::span::ByteSpan;

    /// What is said of the line `name…value`, read as the matcher reads it.
    fn judged(line: &str) -> Option<Confidence> {
        confidence(points(line, FileKind::default())?)
    }

    /// A line with its names put in, which would be found where they stand in it.
    fn points(line: &str, file: FileKind) -> Option<f32> {
        let names = [("{p}", "password"), ("{t}", "token"), ("{s}", "secret"), ("{k}", "key")];
        let line = names.iter().fold(line.to_owned(), |line, (short, name)| line.replace(short, name));
        let lower = line.to_ascii_lowercase();
        let keyword = ["pass", "pwd", "secret", "token", "key", "auth"]
            .iter()
            .filter_map(|word| lower.find(word).map(|at| ByteSpan::new(at, at + word.len())))
            .min()
            .expect("a keyword is in the line");
        let found = assignment::read(line.as_bytes(), keyword)?;
        let assigned = Assigned {
            name: line.as_bytes()[found.name.range()].to_vec(),
            joint: found.joint,
            quote: found.quote,
            place: found.place,
        };
        Some(score(&assigned, &line.as_bytes()[found.value.range()], file).points)
    }

    /// A report says what speaks for a value, the strongest first, and not what speaks against it.
    #[test]
    fn the_reason_is_what_weighs_most() {
        let assigned =
            |name: &str, quote, place| Assigned { name: name.into(), joint: Joint::Equals, quote, place };
        let line = assignment::Place { starts_line: true, ends_line: true, ..Default::default() };
        for (assigned, value, reason) in [
            (
                assigned("password", Quote::Plain, line),
                "Tigger04",
                "a quoted password, letters and digits, assigned to a telling name",
            ),
            (
                assigned("token", Quote::None, line),
                "qYx83KzLw02NbVt7",
                "a generated key, letters and digits, assigned to a telling name",
            ),
            (assigned("key", Quote::None, line), "abc", "assigned to a telling name"),
        ] {
            assert_eq!(score(&assigned, value.as_bytes(), FileKind::default()).reason, reason, "{value}");
        }
    }

    /// Of two lines that differ in one respect the first is more like a secret.
    #[test]
    fn each_sign_weighs_for_or_against() {
        for (more, less) in [
            // The name.
            ("{t} = \"qYx83KzLw02NbVt7\"", "{k} = \"qYx83KzLw02NbVt7\""),
            ("api_{t} = \"qYx83KzLw02NbVt7\"", "api_{t}_buffer = \"qYx83KzLw02NbVt7\""),
            ("use_{t}(\"qYx83KzLw02NbVt7\")", "check_{t}(\"qYx83KzLw02NbVt7\")"),
            ("api_{t} = \"qYx83KzLw02NbVt7\"", "fake_{t} = \"qYx83KzLw02NbVt7\""),
            // How the value is given.
            ("{t} = \"qYx83KzLw02NbVt7\"", "{t} = qYx83KzLw02NbVt7"),
            ("{t}: qYx83KzLw02NbVt7", "{t}=qYx83KzLw02NbVt7"),
            ("{t} = \"qYx83KzLw02NbVt7\"", "use_{t}(\"qYx83KzLw02NbVt7\")"),
            ("{t}=qYx83KzLw02NbVt7", "{t}=qYx83KzLw02NbVt7 and more"),
            ("{t}=qYx83KzLw02NbVt7", "  x {t}=qYx83KzLw02NbVt7"),
            ("{t} = qYx83KzLw02NbVt7", "({t} = qYx83KzLw02NbVt7)"),
            // Length and characters.
            ("{p} = \"kJ8\"", "{p} = \"kJ\""),
            ("{p} = \"k=#!%\"", "{p} = \"+=#!%\""),
            ("{p} = \"kJ8mQ2\"", "{p} = \"kJ8\""),
            ("{p} = \"kJ8mQ2\"", "{p} = \"kJ8mQ\""),
            ("{p} = \"kJ8mQ2vX\"", "{p} = \"kJ8mQ2v\""),
            ("{p} = \"kzhmqtvx\"", "{p} = \"83920174\""),
            ("{p} = \"brunhilde7\"", "{p} = \"brunhildes\""),
            ("{p} = \"Brunhilde7!\"", "{p} = \"Brunhilde7a\""),
            ("{t} = \"q9f3ac81be02d447\"", "{t} = \"a9f3ac81be02d447\""),
            ("{p} = \"abcdefghijkl\"", "{p} = \"abababababab\""),
            ("{t}: \"0x83920174\"", "{t} = 0x83920174;"),
            ("{t} = \"qYx83KzLw02NbVt7\"", "{t} = \"qYx83KzLw02NbVt\""),
            ("{t} = \"qYx83KzLw02NbV\"", "{t} = \"brunhilde-house\""),
            // What the value says.
            ("{p} = \"brunhilde\"", "{p} = \"{p}\""),
            ("{p} = \"brunhilde\"", "{p} = \"string-br\""),
            ("{t} = \"qYx83KzLw02NbVt7\"", "{t} = \"qYx83K-{t}-02N\""),
            ("{s} = \"BRUNHILDES\"", "{s} = \"BRUN_HILDE\""),
            ("{p} = \"so-long-horse-of-mine\"", "{p} = \"so long horse of mine\""),
            ("{p} = \"kJ8mQ2-vX\"", "{p} = \"kJ8mQ2 vX\""),
            ("{t} = \"KZHMQTVXQZ3\"", "{t} = \"KZHMQTVXQZR\""),
            ("{t} = \"kzhmqtvxq\"", "{t} = \"kzhmqtvx\""),
            ("{k} = \"40976EAF437D05B5A\"", "{k} = \"40976EAF437D05B5\""),
            ("{k}: \"qYx83KzLw02NbVt7\"", "# {k} \"qYx83KzLw02NbVt7\""),
            ("{t} = \"qYx83KzLw02NbVt7\"", "{t} = \"realm='x83KzLw02NbV\""),
            ("{t} = \"qYx83KzLw02NbVt7\"", "{t} = \"qYx83 + Lw02NbVt7\""),
            ("{t} = \"qYx_KzLw\"", "{t} = \"user.name\""),
            ("{t} = \"qYx83KzLw02NbVt7\"", "{t} = \"q://83KzLw02NbVt7\""),
            (
                "{k} = \"0x6BE46d7D863666546b77951D5dfffcF075F36E6\"",
                "{k} = \"0x6BE46d7D863666546b77951D5dfffcF075F36E68\"",
            ),
            ("{t} = \"qYx83KzLw02NbVt7\"", "{t} = \"qYx83K==2.02\""),
            ("{p} = \"yyyx.QQ.dd\"", "{p} = \"yyyy.MM.dd\""),
            ("{t} = \"xq-zv-kw-kj\"", "{t} = \"net-sub-name\""),
            ("{t} = \"qYx83KzLw{2N}Vt7\"", "{t} = \"qYx83KzLw{22}Vt7\""),
            ("{t} = \"qYx83KzLw02NbVt7\"", "{t} = \"\\x2A\\x86\\x48\\x86\""),
            ("{t}: qYx83KzLw02NbVt7", "{t}: qYx83KzLw[2NbVt7"),
            ("{t} = \"qYx83KzLw02NbVt7\"", "{t} = \",Yx83KzLw02NbVt7\""),
            ("{t} = \"MIGfMA1GCSqGSIb3DQEB\"", "{t} = \"MIGfMA0GCSqGSIb3DQEB\""),
            ("{t} = \"qYx83KzLw02NbVt7\"", "{t} = \"qYx83KzLw%sNbVt7\""),
            ("{p} = \"Brunhilde7\"", "{p} = \"Brünhilde7\""),
            ("{p} = \"1x19x0\"", "{p} = \"1.19.0\""),
            (
                "{t} = \"3f9ac81b-e02d-4475-a6c1-e8f70b92d34c\"",
                "{k} = \"3f9ac81b-e02d-4475-a6c1-e8f70b92d34c\"",
            ),
            ("{p} = \"$9b$12$uFrxm43ggfwzsN1zEF\"", "{p} = \"$2b$12$uFrxm43ggfwzsN1zEF\""),
            ("{p} = \"Brunhilde7\"", "{p} = Brunhilde7"),
            ("{p}=Brunhilde7", "{t}=Brunhilde7"),
            ("--{p} Brunhilde7", "--{t} Brunhilde7"),
            ("{p}: Brunhilde7", "{p}: Brunhilde7 and"),
            ("{t}=qYx83KzLw02NbVt7", "<{t}>qYx83KzLw02NbVt7</{t}>"),
            ("{p} = \"Brunhi#7\"", "{p} = \"Brunhil7\""),
            ("{t} = \"qYx83KzLw02N\"", "{t} = \"qyxxxkzlwwwn\""),
            ("{t} = \"xqzvkwkjqxa\"", "{t} = \"brunhildeso\""),
            ("{t} = \"brunhi-siegfri\"", "{t} = \"string-siegfri\""),
            ("{t} = \"brunhi-siegfried\"", "{t} = \"string-siegfried\""),
            ("brunhild_{k} = \"brunholdkay\"", "brunhild_{k} = \"brunhild{k}\""),
            ("{t} = \"long horses graze\"", "{t} = \"long horses graze here\""),
            ("{t} = \"long horses graze here\"", "{t} = \"long horses graze here daily\""),
            ("{t} = \"qYx83KzL_w02NbVt7\"", "{t} = \"qYx83KzL w02NbVt7\""),
            ("--{t} brunhilde", "--{t} brunhilde and"),
            ("--{t} brvnhxldqson and", "--{t} brunhildeson and"),
            ("{t}: ${qYx83KzLw02NbVt7}", "{t}: \"${qYx83KzLw02NbVt7}\""),
            ("{t} = \"brunhild-elsa\"", "{t} = \"brunhild.elsa\""),
            (
                "{k} = \"6bbc01d2f94a7e83d5c0f1b2a3948576e7d8c9b0a1f2e3d4c5b6a7988f0e1d2c_zip\"",
                "{k} = \"6bbc01d2f94a7e83d5c0f1b2a3948576e7d8c9b0a1f2e3d4c5b6a7988f0e1d2c.zip\"",
            ),
            ("{t} = \"qYx83KzLw02NbVt7\"", "{t} = label(\"qYx83KzLw02NbVt7\")"),
            ("{t} = \"Jobs[-1].Job7\"", "{t} = \"Jobs[-1].JobId\""),
            ("{t} = \"brvnhxldq\"", "{t} = \"brunhilds\""),
            ("{t} = \"brvnhildq\"", "{t} = \"brunhilds\""),
            ("{t} = \"K7,14A2,2 0 0,1 5,12A2,2 0 0\"", "{t} = \"M7,14A2,2 0 0,1 5,12A2,2 0 0\""),
            ("{t}:!2}x", "{t}:!1}x"),
            ("{k} = \"brunhildesiegfried\"", "{k} = \"brunhildeSiegfriedElsa\""),
            ("{t}: brunhildeHouse_", "{t}: brunhildeHouse"),
            ("{t}: kQx83KzL_w02", "{t}: kQx83KzL]w02"),
            ("{p}=xqzvkwkj", "{p}=brunhild"),
            ("{t}: \"brunhildeson\"", "{t}: brunhildeson"),
            ("<{p}>Brunhilde7</{p}>", "<{t}>Brunhilde7</{t}>"),
            ("{p} = Brunhilde7", "{t} = Brunhilde7"),
            (
                "{t} = \"3f9ac81b-e02d-4475-a6c1-e8f70b92d34c\"",
                "{t} = \"3f9ac81b-e02d-4475-a6c1.e8f70b92d34c\"",
            ),
        ] {
            let [one, other] =
                [more, less].map(|line| points(line, FileKind::default()).expect("an assignment"));
            assert!(one > other, "{more} {one}, {less} {other}");
        }
        let of_length = |times: usize| format!("{{t}} = \"{}\"", "qYx83KzLw02NbVt7".repeat(times));
        let [long, short] = [11, 10].map(|times| points(&of_length(times), FileKind::default()));
        assert!(long > short, "no word is so long");
        let behind = ["{t} = \"qYx83KzLw02NbVt7\"", "({t} = \"qYx83KzLw02NbVt7\")"];
        let [nothing, bracket] = behind.map(|line| points(line, FileKind::default()));
        assert_eq!(nothing, bracket, "a quote ends the value, and not the bracket");
    }

    #[test]
    fn signs_of_code_in_a_random_value_stand_there_by_chance() {
        let random = "kJ8#mQ2!vXaB,Tz0;u";
        for part in ["$(", "{{", "${", "%s", "%d", "://", "::", "->", "#{x"] {
            let value = format!("{random}{part}|w4");
            assert!(is_noise(value.as_bytes()), "{value}");
            assert!(judged(&format!("password = \"{value}\"")).is_some(), "{value}");
        }
        for first in [",", ")", "|", "*", "!", "@"] {
            assert!(judged(&format!("secret_token: '{first}{random}'")).is_some(), "{first}");
        }
        for code in
            ["user:${name}@host", "[A-Za-z0-9]{3}-(\\\\d+)!x", "Some text, in 3 words!", "aB3,;:!", "{{ x }}"]
        {
            assert!(!is_noise(code.as_bytes()), "{code}");
        }
    }

    #[test]
    fn an_expression_closes_or_is_cut() {
        for code in ["${a + b}", "#{x}", "{{ name", "$(cat /a)", "x${conf[", "a-{{x}}-b"] {
            assert!(opens_expression(code.as_bytes()), "{code}");
        }
        for other in ["W;SWxx{{iNca,!G", "a$(b,c!", "{x}", "$x", "#{a;b"] {
            assert!(!opens_expression(other.as_bytes()), "{other}");
        }
    }

    #[test]
    fn letters_without_words_are_random() {
        for random in [
            "jSlEgfIGgPzZYrJuRupgbxexfy",
            "kZaej/SXpMekYfKMPCYknSpn",
            "n.ih&W]W",
            "r+|+Z[&/B+",
            "mxonwU*SfS+",
        ] {
            assert!(is_random(random.as_bytes()), "{random}");
        }
        for other in [
            "getTemporaryCredentials",
            "jSlEgfIG",
            "jslegfigggpzzyrju",
            "foo(bar[item].name)",
            "n&W] h.W",
            "readName(Token)",
            "mxonwu*sfs+",
        ] {
            assert!(!is_random(other.as_bytes()), "{other}");
        }
    }

    #[test]
    fn passwords_as_people_choose_them_are_found() {
        for (line, value) in [
            ("password = \"{}\"", "kJ8#mQ2!vX"),
            ("password: '{}'", "Summer2019!"),
            ("DB_PASSWORD={}", "tr0ub4dor&3x"),
            ("MYSQL_ROOT_PASSWORD: {}", "sunshine77"),
            ("  password: '{}',", "jonathan"),
            ("conn.setPassword(\"{}\");", "Brunhilde7"),
            ("<password>{}</password>", "Brunhilde7"),
            ("mysql --user=root --password={} --host db", "Brunhilde7"),
            ("openssl req -passout pass:{} -out x", "Brunhilde7"),
            ("\"password\": \"{}\",", "R0sebud!"),
            ("jdbc.pwd={}", "Tigger2004"),
            ("password: '{}'", "degenerate"),
        ] {
            assert!(judged(&line.replace("{}", value)).is_some(), "{line}");
        }
    }

    #[test]
    fn generated_keys_are_found() {
        for (line, value) in [
            ("api_key = \"{}\"", "9fQ7aZ31kLm0PqRs55Tt"),
            ("SECRET_KEY: {}", "3f9ac81be02d4475a6c1e8f70b92d34c"),
            ("auth_token={}", "qYx83KzLw02NbVt7"),
            ("clientSecret: '{}',", "h7Gt-2kLpQ_9sXzW4vRm"),
        ] {
            assert!(judged(&line.replace("{}", value)) >= Some(Confidence::Medium), "{line}");
        }
    }

    #[test]
    fn keys_are_no_forms_nor_messages_nor_addresses() {
        let digits = "4c0883a69102937d6231471b5dbb6204fe512961708279f1";
        assert!(!is_public_on_chain(format!("0x{digits}9f1a2b3c4d5e6f70").as_bytes()), "a key has 32 bytes");
        assert!(is_public_on_chain(format!("0x{}", &digits[..40]).as_bytes()));
        for value in ["kQ9==2x8Lm", "==2x8Lm0", "a==b", "name >= 2"] {
            assert!(!asks_for_version(value.as_bytes()), "{value}");
        }
        for value in ["yM7dH", "MMddHHmq", "aaaa", "dHmS", "tHs.Xk"] {
            assert!(!is_form_of_dates(value.as_bytes()), "{value}");
        }
        for value in ["kQxWmZpLrTbVnYhGsDfJ", "kqxwMzplRtbvn4hg", "aBcDeFgH"] {
            assert!(!is_method(value.as_bytes()), "{value}");
        }
        for value in ["M4kQ9x.7Lm2Zp", "Mm 11 22 33 q 44", "Match 12 34 56"] {
            assert!(!is_drawing(value.as_bytes()), "{value}");
        }
        assert!(!is_pressed_flag(b"!1kQ9x") && !is_pressed_flag(b"!x1"));
        for value in ["xq-zv-kw", "xqzvk.wkjqx.zzvqk", "a1-b2-c3"] {
            assert!(!joins_words(value.as_bytes()), "{value}");
        }
        for value in ["kQxWz.mZpLr.TbVnYhGs", "xk9.qz2", "zqxkw"] {
            assert!(!is_element(value.as_bytes(), true), "{value}");
        }
        for value in ["correct horse battery staple", "x1 y2 z3 a4 b5 c6", "kJ8#mQ2!vX"] {
            assert!(!reads_like_message(value.as_bytes()), "{value}");
        }
    }

    #[test]
    fn the_kind_of_file_weighs() {
        let tests = FileKind { tests: true, ..FileKind::default() };
        let foreign = FileKind { foreign: true, ..FileKind::default() };
        let points = |value: &str, file: FileKind| {
            let assigned = Assigned {
                name: b"password".to_vec(),
                joint: Joint::Equals,
                quote: Quote::Plain,
                place: assignment::Place { starts_line: true, ends_line: true, ..Default::default() },
            };
            score(&assigned, value.as_bytes(), file).points
        };
        for words in ["sunflowers8", "s3nfl0wers", "c2VjcmV0LXBhc3N3ZA=="] {
            assert!(points(words, tests) < points(words, FileKind::default()) - 2.0, "{words}");
        }
        let random = "xK9vQ2mZr7Lw";
        assert_eq!(points(random, tests).to_bits(), points(random, FileKind::default()).to_bits());
        assert!(points(random, foreign) < points(random, FileKind::default()) - 2.0);
        let texts = FileKind { texts: true, ..FileKind::default() };
        assert!(points("brunhilde", texts) < points("brunhilde", FileKind::default()) - 2.0);
        assert_eq!(points(random, texts).to_bits(), points(random, FileKind::default()).to_bits());
        let line = |file| super::tests::points("fake_{t} = \"qYx83KzLw02NbVt7\"", file);
        assert!(line(tests) < line(FileKind::default()), "the name and the file say the same");
    }

    #[test]
    fn every_weight_is_asked_for_a_reason() {
        let mut reasons: Vec<&str> = WEIGHTS.iter().map(|weight| weight.reason).collect();
        reasons.sort_unstable();
        assert!(reasons.windows(2).all(|pair| pair[0] != pair[1]), "{reasons:?}");
        assert!(WEIGHTS.iter().all(|weight| weight.points != 0.0));
    }

    #[test]
    fn the_last_word_may_say_something_else() {
        for name in ["__meta_scaleway_instance_id", "image.url", "twilioRegion", "acme_commit_2"] {
            assert!(names_something_else(name.as_bytes()), "{name}");
        }
        for name in ["scaleway", "SCW_SECRET_KEY", "access_key_id", "acmeToken", "twilio_account_sid"] {
            assert!(!names_something_else(name.as_bytes()), "{name}");
        }
    }

    #[test]
    fn names_say_what_is_kept() {
        let read = |name: &str| read_name(name.as_bytes(), Joint::Equals).0;
        for name in ["DB_PASSWORD", "userpass", "mysqlPwd", "keyPassphrase2", "password_confirmation"] {
            assert_eq!(read(name), Name::Password, "{name}");
        }
        assert_eq!(read("IDENTIFIED BY"), Name::Password);
        for name in ["api_key", "clientSecret", "accessToken", "aws-secret-access-key", "sharedsecret"] {
            assert_eq!(read(name), Name::Secret, "{name}");
        }
        for name in ["key", "hexkey", "auth", "ticket"] {
            assert_eq!(read(name), Name::Weak, "{name}");
        }
        for name in [
            "token_type",
            "publicKey",
            "passwordField",
            "secret_name",
            "key_id",
            "max_tokens",
            "monkey",
            "compass",
            "und-PW",
        ] {
            assert_eq!(read(name), Name::Other, "{name}");
        }
    }

    #[test]
    fn words_labels_and_code_are_not() {
        for line in [
            "password = \"password_field\"",
            "password: \"Enter your password\"",
            "password = user.password",
            "password = \"abc\"",
            "passwordConfirm = \"ConfirmPassword\"",
            "password: str = None",
            "password = getpass.getpass()",
            "password = request.form['password']",
            "token_type: 'bQ83kdLqX02mZp'",
            "public_key = \"9fQ7aZ31kLm0PqRs55Tt\"",
            "password_hash: 9fQ7aZ31kLm0PqRs55Tt",
            "key = \"backgroundColor\"",
            "key: sort_by_name",
            "token = next_token(stream)",
            "secret: kubernetes-dashboard-certs",
            "passwordPath: /etc/app/password.txt",
            "t.pass(\"Closed\")",
            "csrf_token = 'kd83jfLs02mQz8x'",
            "password: 'Contraseña'",
            "self.password = other.password;",
            "PASSWORD = 1304,",
            "password: u32 = 1024;",
            "token = decode_token(text)",
            "OBJ_token = \"\\x2A\\x86\\x48\\x86\"",
            "key = \"SOFTWARE\\\\Microsoft\\\\Windows\\\\Uninstall\"",
            "signing_key: /2010-04-01/Accounts/Keys.json",
            "should_pass(\"Brunhilde7\")",
            "api_key = \"MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCB\"",
            "password: $2b$12$uFrxm43ggfwzsN1zEFC7Su",
            "token: 1.19.0-rc.2",
            "API_TOKEN = \"MY_API_TOKEN\"",
            "jwt-auth: ^1.4.6",
            "secretName: my-registry-secret",
            "PASSWORD=${DB_PASSWORD}",
            "apt-key adv --recv-keys 40976EAF437D05B5",
            "verified with public key \"RWTx5Zr1tiHQLwG9keckT0c45M3AGeHD6\"",
            "  --askpass          Force the user to type it",
            "Authorization: Digest username=\"75af8a3500f771e58a5\", realm=\"x\"",
            "authenticity_token: \"XLveDrKzF1SwaiNRPTaMtkrsTzedtebP\"",
            "auth: %b64[joe:secret]b64%",
            "\"missing_a_token\": \"Uh oh! Es sieht so aus, als fehlt Ihnen ein Token\"",
            "err_key = errors.New(\"awskmsjwk: key needs to be *RS256Key\")",
            "\"key\": \"0x6BE46d7D863666546b77951D5dfffcF075F36E68\",",
            "langchain-notiktoken-v0.1.20: SQLAlchemy==2.0.50",
            "\"pgpass\": \"1.x\"",
            "key: 'yyyy-MM-dd_hh:mm_a',",
            "key: 'yyyy-MM-dd_HH:mm_12H',",
            "  verifyPassword: authenticatedProcedure",
            "\"S3Key\": \"6bbc01d2f94a7e83d5c0f1b2a3948576e7d8c9b0a1f2e3d4c5b6a7988f0e1d2c.zip\",",
            "\"Key\": \"aws-cdk:subnet-name\",",
            "\"output_token\": \"Jobs[-1].JobId\",",
            "{key:\"applyQueueudDomNodes\",value:function(){",
            "export var mdiKey = \"M7,14A2,2 0 0,1 5,12A2,2 0 0,1 7,10A2,2 0 0,1 9,12\"",
            "this._unmaskedPassword=!1}}f.styles=(0,l.AH)(x",
            "        encryption_key: _kms.IKey):",
        ] {
            assert_eq!(judged(line), None, "{line}");
        }
    }
}
