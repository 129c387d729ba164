//! What a name says of the value that is assigned to it.

use crate::filter::part;
use crate::filter::words;
use crate::matcher::assignment::Joint;

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
pub(super) fn read_name(name: &[u8], joint: Joint) -> (Name, bool, bool) {
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

/// Whether the value repeats the name or its last words.
pub(super) fn says_own_name(name: &[u8], lower_value: &[u8]) -> bool {
    let letters = |text: &[u8]| -> Vec<u8> {
        text.iter().filter(|byte| byte.is_ascii_alphabetic()).map(u8::to_ascii_lowercase).collect()
    };
    let (name, value) = (letters(name), letters(lower_value));
    value.len() >= 3
        && name.len() >= 3
        && (name.ends_with(&value) || (value.len() <= 40 && part::contains(&value, &name)))
}

/// Pieces of names that say that somebody chose the value.
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

/// Pieces that say that it was issued or generated.
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

/// Pieces that say that it may have been.
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

/// Pieces before the telling one that make it something to be seen.
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

/// Words behind the telling one that take its meaning away.
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

/// Words of functions that read or check.
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
