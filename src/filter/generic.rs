//! Judges values that are assigned to a name that says "secret", but have no known format.
//!
//! A value is looked at once (`Facts`); every line of `WEIGHTS` asks one question of what was seen and
//! adds its weight where the answer is yes. The sum decides, and the lines that added most are the reason.
//!
//! A password is not asked whether it is random: people choose words and names. It is asked whether it is a
//! word that programmers use for names and dummies, and whether it is code. A key or a token is generated,
//! so there randomness counts.

use crate::filter::file_kind::FileKind;
use crate::filter::{self, entropy, part, words};
use crate::level::Confidence;
use crate::matcher::Assigned;
use crate::matcher::assignment::{Joint, Quote};

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

/// What the name says of the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Name {
    /// Chosen by a person.
    Password,
    /// Issued or generated.
    Secret,
    /// A key, a signature: perhaps.
    Weak,
    /// No secret: `password_field`, `public_key`, `token_type`.
    Other,
}

/// How much of a value the vocabulary covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Known {
    All,
    Most,
    Some,
    None,
}

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
        let escapes: usize = value
            .windows(2)
            .filter(|pair| pair[0] == b'\\')
            .map(|pair| match pair[1] {
                b'u' => 6,
                b'x' | b'n' | b'r' | b't' => 4,
                _ => 0,
            })
            .sum();
        let brackets = any(&|b| b"()[]{}".contains(&b));
        let contains = |part: &[u8]| part::contains(value, part);
        let noise = is_noise(value);
        Self {
            a: assigned,
            value,
            file,
            name,
            name_goes_on,
            reads,
            rehearsed: words::pieces(&assigned.name).any(|piece| {
                [&b"test"[..], b"dummy", b"fake", b"mock", b"sample", b"example", b"demo"]
                    .iter()
                    .any(|word| piece.eq_ignore_ascii_case(word))
            }),
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
            code: if noise {
                false
            } else if quoted {
                [&b"[A-"[..], b"[a-", b"[0-9", b"()", b" + ", b" | ", b"(\\", b"(%"]
                    .iter()
                    .any(|part| contains(part))
                    || opens_expression(value)
            } else {
                (brackets && is_call(value))
                    || contains(b"->")
                    || contains(b"::")
                    || value.starts_with(b"async function")
                    || b"$@*&|[({!".contains(&value[0])
            },
            noise,
            brackets: !quoted && brackets,
            pattern: holds_a_count(value) || is_template(value),
            escapes: escapes * 2 >= value.len(),
            public_key: is_public_key(value),
            dotted,
            address: !noise
                && (contains(b"://")
                    || (value.starts_with(b"/")
                        && value[1..].contains(&b'/')
                        && word_pieces * 2 >= letter_pieces)
                    || value.starts_with(b"./")
                    || value.starts_with(b"~/")
                    || is_file_name(&lower)
                    || (wordlike && value.contains(&b'/'))
                    || (value.iter().filter(|&&byte| byte == b'\\').count() >= 2
                        && word_pieces * 4 >= letter_pieces * 3)),
            format: !noise
                && [&b"%s"[..], b"%d", b"%v", b"%@", b"%-", b"%.", b"{0}", b"%q"]
                    .iter()
                    .any(|part| contains(part)),
            version: value.len() <= 40
                && has_digit
                && any(&|b| b".:-^~".contains(&b))
                && all(&|b| b.is_ascii_digit() || b".-:TZ+^~vx* ".contains(&b)),
            uuid: is_uuid(value),
            hash: [
                &b"sha1"[..],
                b"sha256",
                b"sha384",
                b"sha512",
                b"md5",
                b"$2a$",
                b"$2b$",
                b"$2y$",
                b"$argon2",
                b"pbkdf2",
                b"$6$",
                b"$5$",
                b"$1$",
                b"{crypt}",
                b"bcrypt",
                b"scrypt",
                b"phpass",
                b"aqaaa",
                b"{aqaaa",
                b"{aes}",
            ]
            .iter()
            .any(|head| lower.starts_with(head)),
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

/// Whether the last word of the name says what the value is, and no word of it that it is a secret:
/// `instance_id`, `image.url`.
pub fn names_something_else(name: &[u8]) -> bool {
    const LAST: [&[u8]; 22] = [
        b"id",
        b"ids",
        b"uuid",
        b"guid",
        b"name",
        b"url",
        b"uri",
        b"host",
        b"path",
        b"file",
        b"type",
        b"version",
        b"image",
        b"region",
        b"zone",
        b"hash",
        b"digest",
        b"checksum",
        b"sha",
        b"commit",
        b"revision",
        b"size",
    ];
    const TELLING: [&[u8]; 9] =
        [b"key", b"keys", b"secret", b"token", b"password", b"pass", b"auth", b"credential", b"credentials"];
    let pieces: Vec<Vec<u8>> = words::pieces(name).map(<[u8]>::to_ascii_lowercase).collect();
    let is_last = |piece: &Vec<u8>| LAST.contains(&piece.as_slice());
    let digits = |piece: &&Vec<u8>| piece.iter().all(u8::is_ascii_digit);
    pieces.iter().rev().find(|piece| !digits(piece)).is_some_and(is_last)
        && !pieces.iter().any(|piece| TELLING.iter().any(|end| piece.ends_with(end)))
}

/// What a name says, whether other words follow the telling one, and whether it is the name of a function
/// that reads or checks.
fn read_name(name: &[u8], joint: Joint) -> (Name, bool, bool) {
    const PASSWORDS: [&[u8]; 17] = [
        b"password",
        b"passwords",
        b"passwd",
        b"pwd",
        b"passphrase",
        b"pass",
        b"pw",
        b"passwort",
        b"passcode",
        b"pswd",
        b"passw",
        b"psw",
        b"kennwort",
        b"senha",
        b"contrasena",
        b"passin",
        b"passout",
    ];
    const SECRETS: [&[u8]; 11] = [
        b"secret",
        b"token",
        b"apikey",
        b"credential",
        b"credentials",
        b"creds",
        b"bearer",
        b"nkey",
        b"seckey",
        b"authorization",
        b"jwt",
    ];
    const WEAK: [&[u8]; 11] = [
        b"key", b"keys", b"auth", b"cred", b"authkey", b"passkey", b"salt", b"nonce", b"ticket", b"tokens",
        b"secrets",
    ];
    /// What a key is that may be kept secret.
    const KEY_OF: [&[u8]; 23] = [
        b"api",
        b"access",
        b"secret",
        b"private",
        b"priv",
        b"auth",
        b"encryption",
        b"encrypt",
        b"signing",
        b"sign",
        b"master",
        b"service",
        b"client",
        b"shared",
        b"aes",
        b"hmac",
        b"account",
        b"consumer",
        b"license",
        b"integration",
        b"app",
        b"application",
        b"session",
    ];
    const PUBLIC: [&[u8]; 25] = [
        b"public",
        b"pub",
        b"foreign",
        b"primary",
        b"partition",
        b"sort",
        b"cache",
        b"index",
        b"topology",
        b"csrf",
        b"xsrf",
        b"authenticity",
        b"websocket",
        b"idempotency",
        b"sealed",
        b"wrapped",
        b"recv",
        b"publishable",
        b"site",
        b"max",
        b"next",
        b"cancellation",
        b"hashed",
        b"hash",
        b"peer",
    ];
    /// Words behind the telling one that leave its meaning.
    const NEUTRAL: [&[u8]; 27] = [
        b"value",
        b"val",
        b"str",
        b"string",
        b"confirm",
        b"confirmation",
        b"new",
        b"old",
        b"test",
        b"prod",
        b"dev",
        b"production",
        b"staging",
        b"plain",
        b"text",
        b"b64",
        b"base64",
        b"hex",
        b"default",
        b"again",
        b"repeat",
        b"data",
        b"admin",
        b"root",
        b"secret",
        b"user",
        b"a",
    ];
    const OTHER: [&[u8]; 78] = [
        b"field",
        b"fields",
        b"type",
        b"types",
        b"name",
        b"names",
        b"url",
        b"uri",
        b"path",
        b"paths",
        b"id",
        b"ids",
        b"file",
        b"files",
        b"filename",
        b"label",
        b"placeholder",
        b"regex",
        b"regexp",
        b"pattern",
        b"hint",
        b"length",
        b"len",
        b"size",
        b"policy",
        b"prompt",
        b"message",
        b"msg",
        b"error",
        b"errors",
        b"reset",
        b"help",
        b"description",
        b"desc",
        b"title",
        b"env",
        b"var",
        b"column",
        b"ref",
        b"class",
        b"expired",
        b"expires",
        b"expiry",
        b"expiration",
        b"count",
        b"min",
        b"max",
        b"enabled",
        b"required",
        b"format",
        b"prefix",
        b"suffix",
        b"header",
        b"selector",
        b"provider",
        b"endpoint",
        b"ttl",
        b"lifetime",
        b"timeout",
        b"store",
        b"version",
        b"alg",
        b"algorithm",
        b"usage",
        b"hash",
        b"hashed",
        b"digest",
        b"encoder",
        b"validator",
        b"validators",
        b"strength",
        b"changed",
        b"view",
        b"form",
        b"input",
        b"method",
        b"key_id",
        b"manager",
    ];
    const READERS: [&[u8]; 25] = [
        b"authenticate",
        b"get",
        b"find",
        b"fetch",
        b"has",
        b"is",
        b"validate",
        b"check",
        b"verify",
        b"generate",
        b"gen",
        b"read",
        b"load",
        b"lookup",
        b"create",
        b"parse",
        b"test",
        b"ask",
        b"prompt",
        b"expect",
        b"hash",
        b"encode",
        b"decode",
        b"remove",
        b"delete",
    ];
    // SQL gives a password to a user so; neither word speaks of one.
    if name.eq_ignore_ascii_case(b"identified by") {
        return (Name::Password, false, false);
    }
    // A language as it is spoken on Palau: `en-PW`.
    if name.strip_suffix(b"-PW").is_some_and(|language| language.first_chunk().is_some_and(is_language)) {
        return (Name::Other, false, false);
    }
    let pieces: Vec<Vec<u8>> = words::pieces(name).map(<[u8]>::to_ascii_lowercase).collect();
    let is = |list: &[&[u8]], piece: &[u8]| list.contains(&piece);
    let ends = |piece: &[u8]| {
        const PASSWORD_ENDS: [&[u8]; 5] = [b"password", b"passwd", b"passphrase", b"pwd", b"pass"];
        const SECRET_ENDS: [&[u8]; 9] = [
            b"secret",
            b"token",
            b"apikey",
            b"accesskey",
            b"secretkey",
            b"privatekey",
            b"authkey",
            b"credential",
            b"sharedsecret",
        ];
        // `bypass` and `compass` are no passwords.
        if PASSWORD_ENDS.iter().any(|end| piece.ends_with(end)) && !matches!(piece, b"bypass" | b"compass") {
            Some(Name::Password)
        } else if SECRET_ENDS.iter().any(|end| piece.ends_with(end)) {
            Some(Name::Secret)
        } else {
            (piece.len() > 4
                && piece.ends_with(b"key")
                && !matches!(piece, b"monkey" | b"hotkey" | b"pubkey"))
            .then_some(Name::Weak)
        }
    };
    let tells = |at: usize| {
        let piece = pieces[at].as_slice();
        let before = at.checked_sub(1).map(|at| pieces[at].as_slice());
        if is(&PASSWORDS, piece) {
            Some(Name::Password)
        } else if is(&SECRETS, piece) {
            Some(Name::Secret)
        } else if is(&WEAK, piece) {
            let kept = piece.starts_with(b"key") && before.is_some_and(|before| is(&KEY_OF, before));
            Some(if kept { Name::Secret } else { Name::Weak })
        } else {
            ends(piece)
        }
    };
    let Some((at, mut says)) = (0..pieces.len()).rev().find_map(|at| tells(at).map(|says| (at, says))) else {
        return (Name::Other, false, false);
    };
    // `secret_key` and `auth_pass` say more in front than behind.
    if says == Name::Weak && at > 0 {
        says = match tells(at - 1) {
            Some(Name::Secret | Name::Password) => Name::Secret,
            _ => says,
        };
    }
    // `t.pass("…")` and `should_pass("…")` speak of tests, and prose says what to pass.
    let is_verb = pieces[at] == b"pass";
    if is_verb && (joint == Joint::Argument || (joint == Joint::Space && at == 0 && !name.starts_with(b"-")))
    {
        return (Name::Other, false, false);
    }
    let digits = |piece: &[u8]| piece.iter().all(u8::is_ascii_digit);
    let tail: Vec<&[u8]> =
        pieces[at + 1..].iter().map(Vec::as_slice).filter(|piece| !digits(piece)).collect();
    let public = pieces[..at].iter().any(|piece| is(&PUBLIC, piece));
    if public || tail.iter().any(|piece| is(&OTHER, piece)) {
        return (Name::Other, false, false);
    }
    let goes_on = tail.iter().any(|piece| !is(&NEUTRAL, piece));
    let reads = joint == Joint::Argument && pieces[..at].iter().any(|piece| is(&READERS, piece));
    (says, goes_on, reads)
}

/// Whether a tag of languages may start so.
fn is_language(start: &[u8; 2]) -> bool {
    start.iter().all(u8::is_ascii_lowercase)
}

/// How much of the value the vocabulary covers. In part: by whole pieces, since a word that somebody chose may
/// hold another one, as `degenerate` does.
fn how_known(lower: &[u8], pieces: &[&[u8]]) -> Known {
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

/// Whether the value repeats the name or its last words.
fn says_own_name(name: &[u8], lower_value: &[u8]) -> bool {
    let letters = |text: &[u8]| -> Vec<u8> {
        text.iter().filter(|byte| byte.is_ascii_alphabetic()).map(u8::to_ascii_lowercase).collect()
    };
    let (name, value) = (letters(name), letters(lower_value));
    value.len() >= 3
        && name.len() >= 3
        && (name.ends_with(&value) || (value.len() <= 40 && part::contains(&value, &name)))
}

/// Whether the value is five words or more, of any language: two of three stretches between blanks are letters.
fn reads_like_message(value: &[u8]) -> bool {
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
fn is_public_on_chain(value: &[u8]) -> bool {
    value
        .strip_prefix(b"0x")
        .is_some_and(|digits| matches!(digits.len(), 40 | 130) && digits.iter().all(u8::is_ascii_hexdigit))
}

/// Whether the value is a package and the version that is asked for: `SQLAlchemy==2.0.50`, `requests[socks]>=2`.
fn asks_for_version(value: &[u8]) -> bool {
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
fn is_digest_of_file(value: &[u8]) -> bool {
    const SHORTEST_DIGEST_BYTES: usize = 32;
    let Some(dot) = value.iter().rposition(|&byte| byte == b'.') else { return false };
    let (stem, end) = (&value[..dot], &value[dot + 1..]);
    stem.len() >= SHORTEST_DIGEST_BYTES
        && stem.iter().all(u8::is_ascii_hexdigit)
        && (2..=5).contains(&end.len())
        && end.iter().all(u8::is_ascii_lowercase)
}

/// Whether the value is three words or more in small letters, half of them known or readable: `aws-cdk:subnet-name`.
fn joins_words(value: &[u8]) -> bool {
    let parts = || value.split(|byte| b"-_.:/".contains(byte));
    let count = parts().count();
    count >= 3
        && parts().all(|part| (1..=12).contains(&part.len()) && part.iter().all(u8::is_ascii_lowercase))
        && parts().filter(|part| part.len() >= 3 && words::is_wordlike(part)).count() * 2 >= count
}

/// Whether the value is a member of an object or an element of a list: `Jobs[-1].JobId`, `_kms.IKey)`.
fn is_element(value: &[u8], quoted: bool) -> bool {
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
fn is_drawing(value: &[u8]) -> bool {
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
fn is_pressed_flag(value: &[u8]) -> bool {
    matches!(value, [b'!', b'0' | b'1', rest @ ..] if rest.first().is_none_or(|byte| b"},;)".contains(byte)))
}

/// Whether the value is the name of a method: a word in small letters and two or more with a capital.
fn is_method(value: &[u8]) -> bool {
    let mut humps = value.chunk_by(|_, next| next.is_ascii_lowercase());
    value.iter().all(u8::is_ascii_alphabetic)
        && value.first().is_some_and(u8::is_ascii_lowercase)
        && humps.clone().count() >= 3
        && humps.all(|hump| hump.len() >= 2)
}

/// Whether the value says how to write a date: `yyyy-MM-dd_HH:mm`. Its words are one letter again and again.
fn is_form_of_dates(value: &[u8]) -> bool {
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
pub(super) fn has_both_cases(text: &[u8]) -> bool {
    text.iter().any(u8::is_ascii_lowercase) && text.iter().any(u8::is_ascii_uppercase)
}

/// Whether letters and digits take turns every few bytes, or all kinds of signs stand between them.
pub(super) fn is_mixed(text: &[u8]) -> bool {
    const MANY_SIGNS: usize = 9;
    changes(text) * 8 >= text.len() || signs(text) >= MANY_SIGNS
}

/// Whether the value is letters that read like no words, with many signs between them, or a long row of them. Where
/// capital and small letters are mixed two signs are many.
pub(super) fn is_random(value: &[u8]) -> bool {
    const LONG_BYTES: usize = 16;
    let many_signs = if has_both_cases(value) { 2 } else { 3 };
    let is_base64 = value.iter().all(|byte| byte.is_ascii_alphanumeric() || b"+/-_=".contains(byte));
    let is_long = value.len() >= LONG_BYTES && is_base64 && changes(value) >= 1;
    (is_long || (signs(value) >= many_signs && value.iter().all(u8::is_ascii_graphic)))
        && !words::reads_like_words(value)
}

/// Whether an expression of a template language opens in the value, and closes or goes on with names to its end.
fn opens_expression(value: &[u8]) -> bool {
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
pub(super) fn is_noise(value: &[u8]) -> bool {
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
fn changes(value: &[u8]) -> usize {
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
fn is_call(value: &[u8]) -> bool {
    let name = value.iter().take_while(|b| b.is_ascii_alphanumeric() || b"_.:!".contains(b)).count();
    name > 0 && value.get(name).is_some_and(|byte| b"([{".contains(byte))
}

/// Whether the value holds `{8}` or `{2,5}`, as regular expressions and notations of formats do.
fn holds_a_count(value: &[u8]) -> bool {
    memchr::memchr_iter(b'{', value).any(|at| {
        let rest = &value[at + 1..];
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit() || **byte == b',').count();
        digits > 0 && rest.get(digits) == Some(&b'}')
    })
}

/// Heads of public keys: the DER of SubjectPublicKeyInfo in base64 (RFC 5280, RFC 5480), OpenSSH (RFC 4253); and the
/// first line of such a key or of a certificate (RFC 7468), in base64 once more.
pub(super) fn is_public_key(value: &[u8]) -> bool {
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
fn is_template(value: &[u8]) -> bool {
    (value.starts_with(b"%") && value.contains(&b'[')) || (value.ends_with(b"%") && value.contains(&b']'))
}

/// Whether the value is what follows the name of a scheme in a header: `username="…", realm="…"`, `sig1=:…:`.
fn is_parameters(value: &[u8]) -> bool {
    let name = value.iter().take_while(|b| b.is_ascii_alphanumeric() || b"_-".contains(b)).count();
    value.ends_with(b"/aws4_request")
        || name >= 3
            && value.get(name) == Some(&b'=')
            && value.get(name + 1).is_some_and(|byte| b"\":'\\".contains(byte))
}

fn is_uuid(value: &[u8]) -> bool {
    value.len() == 36
        && value.iter().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

fn is_file_name(lower: &[u8]) -> bool {
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
