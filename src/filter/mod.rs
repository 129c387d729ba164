//! Filters give a verdict on a match, with its reason. They see bytes and rules, never a source or a report.

pub mod allowlist;
pub mod documented;
pub mod entropy;
pub mod file_kind;
pub mod foreign;
pub mod generic;
pub mod inline;
pub(crate) mod memo;
mod part;
pub mod placeholder;
pub mod proof;
pub mod words;

use crate::decode;
use crate::filter::file_kind::FileKind;
use crate::filter::placeholder::Placeholder;
use crate::filter::proof::Proof;
use crate::level::Confidence;
use crate::matcher::{Assigned, Context, Host};
use crate::rule::Rule;
use crate::rule::schema::RuleKind;

/// What the filters that look at the value alone say of a match.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// It counts.
    Keep {
        /// How sure it is.
        confidence: Confidence,
        /// Why.
        reason: String,
    },
    /// It does not.
    Drop {
        /// Why, for the explanation.
        reason: String,
    },
}

/// A value with a known form is random; a value below this share of the entropy it could have is made up.
const LEAST_RELATIVE_ENTROPY: f32 = 0.55;
/// Shorter values hold too little to judge their entropy.
const SHORTEST_JUDGED_BYTES: usize = 12;

/// Nobody chooses a password of two characters; a colon or a port stands there.
const SHORTEST_CHOSEN_BYTES: usize = 3;

/// Judges the value of a match by itself, by what stands round it, and by the kind of `file` it stands in.
/// Where the path is not known yet [`FileKind::default`] says the least against it.
pub fn judge(rule: &Rule, value: &[u8], context: &Context, file: FileKind) -> Verdict {
    if rule.kind == RuleKind::Whole {
        return judge_whole(rule, value);
    }
    match judge_unknown(rule, value, context, file) {
        // Asked last: it costs a hash, and nearly every match has been dropped by now.
        Verdict::Keep { confidence, reason } => match documented::printed_in(value) {
            Some(page) => Verdict::Drop { reason: format!("a sample printed in {page}") },
            None => Verdict::Keep { confidence, reason },
        },
        dropped => dropped,
    }
}

/// What a rule of another scanner says stands: it has its own floor, which a value must exceed.
fn judge_whole(rule: &Rule, value: &[u8]) -> Verdict {
    match rule.min_entropy {
        Some(floor) if entropy::shannon_bits(value) <= floor => {
            Verdict::Drop { reason: "entropy not above the floor of the rule".to_owned() }
        }
        _ => Verdict::Keep { confidence: rule.confidence, reason: "its form".to_owned() },
    }
}

fn judge_unknown(rule: &Rule, value: &[u8], context: &Context, file: FileKind) -> Verdict {
    let why_not = why_no_value(rule, value)
        .or_else(|| why_no_issued_value(rule, value, file))
        .or_else(|| why_no_chosen_value(rule, value, context, file))
        .or_else(|| why_not_random(rule, value));
    match why_not {
        Some(reason) => dropped(reason),
        None => judge_by_kind(rule, value, context, file),
    }
}

fn dropped(reason: &str) -> Verdict {
    Verdict::Drop { reason: reason.to_owned() }
}

/// Why a value is none, whatever the rule asks for.
fn why_no_value(rule: &Rule, value: &[u8]) -> Option<&'static str> {
    // A block of many lines holds rows of one letter by chance; a password in a file of settings does not.
    let is_one_word = rule.kind != RuleKind::Block || !value.contains(&b'\n');
    if is_one_word
        && let Some(kind) = placeholder::placeholder(value)
        && !(rule.samples_count && kind == Placeholder::Sequence)
    {
        return Some(kind.reason());
    }
    // Neither base64 nor the lines round it hold dots; guides leave the middle of a key out.
    if rule.kind == RuleKind::Block && memchr::memmem::find(value, b"...").is_some() {
        return Some("a sample with its middle left out");
    }
    if rule.kind == RuleKind::Block && generic::is_public_key(value) {
        return Some("a certificate or a public key");
    }
    // A generic rule asks the same itself.
    let encoded_words = || decode::base64_text(value).is_some_and(|text| is_common_words(&text));
    if is_one_word && rule.kind != RuleKind::Generic && (is_common_words(value) || encoded_words()) {
        return Some("nothing but common words");
    }
    None
}

/// Why a value was issued by nobody: what people choose may be words, what is issued is none, also where any number of
/// characters may stand for it.
fn why_no_issued_value(rule: &Rule, value: &[u8], file: FileKind) -> Option<&'static str> {
    if rule.kind == RuleKind::Prefixed && is_cut_call(value) {
        return Some("the head of a call");
    }
    if file.locks && matches!(rule.kind, RuleKind::Keyed | RuleKind::Generic) {
        return Some("a checksum or a version in a list of packages");
    }
    let is_issued = rule.kind == RuleKind::Prefixed && !rule.chosen;
    let is_open = is_issued && rule.max_bytes.is_none();
    if (is_issued && is_member(value)) || (is_open && is_constant_name(value)) {
        return Some("a name in code");
    }
    if is_open && memchr::memmem::find(value, b"...").is_some() {
        return Some("a sample with its middle left out");
    }
    if is_open && rule.any_provider && is_joined_words(value) {
        return Some("words joined to a name");
    }
    None
}

/// Why a value that people choose is no secret.
fn why_no_chosen_value(rule: &Rule, value: &[u8], context: &Context, file: FileKind) -> Option<&'static str> {
    if !rule.chosen {
        return None;
    }
    if unescaped(value).len() < SHORTEST_CHOSEN_BYTES {
        return Some("too short for a password");
    }
    if context.host == Host::Reserved {
        return Some("the host is set aside for examples");
    }
    if context.host == Host::Loopback && is_made_of_words(value) {
        return Some("words for a service on the same machine");
    }
    if file.is_rehearsal() && is_made_of_words(value) {
        return Some("words in a test or a guide");
    }
    None
}

/// Why chance did not make a value.
fn why_not_random(rule: &Rule, value: &[u8]) -> Option<&'static str> {
    let floor = rule.min_entropy?;
    if entropy::shannon_bits(value) < floor {
        return Some("entropy below the floor of the rule");
    }
    // What is made of all letters is never made of six by chance; a digest is.
    if rule.kind == RuleKind::Keyed && is_of_all_letters(rule) && is_digest(value) {
        return Some("hexadecimal, which the form is not");
    }
    None
}

fn judge_by_kind(rule: &Rule, value: &[u8], context: &Context, file: FileKind) -> Verdict {
    match (&rule.kind, &context.assigned) {
        (RuleKind::Generic, Some(assigned)) => {
            let score = generic::score(assigned, value, file);
            match generic::confidence(score.points) {
                Some(confidence) => Verdict::Keep { confidence, reason: score.reason },
                None => dropped("the score is too low"),
            }
        }
        (RuleKind::Keyed, _)
            if value.len() >= SHORTEST_JUDGED_BYTES
                && entropy::alphabet_size(value) <= 64
                && entropy::relative(value) < LEAST_RELATIVE_ENTROPY =>
        {
            dropped("too regular for a random value")
        }
        (RuleKind::Prefixed, _) if rule.samples_count && is_identifier(value) => {
            dropped("words joined to a name")
        }
        (RuleKind::Keyed, _) if is_constant_name(value) || is_joined_words(value) || is_long_name(value) => {
            dropped("words joined to a name")
        }
        (RuleKind::Keyed, Some(assigned))
            if !rule.public && generic::names_something_else(&assigned.name) =>
        {
            dropped("the name says that it is no secret")
        }
        (RuleKind::Keyed, Some(assigned)) => judge_named(rule, value, assigned, file),
        (RuleKind::Keyed, None) => keep(rule, value, "its form beside a word that names the provider"),
        _ => keep(rule, value, "its form"),
    }
}

/// A keyed value whose name was read: what the generic rules know of names and values counts as well.
fn judge_named(rule: &Rule, value: &[u8], assigned: &Assigned, file: FileKind) -> Verdict {
    let score = generic::score(assigned, value, file);
    let by_form = keep(rule, value, "its form beside a word that names the provider");
    match (generic::confidence(score.points), by_form) {
        (Some(sure), Verdict::Keep { confidence, .. }) if sure > confidence => {
            Verdict::Keep { confidence: sure, reason: score.reason }
        }
        (None, Verdict::Keep { .. })
            if rule.max_bytes != Some(rule.min_bytes)
                && !generic::is_noise(value)
                && (rule.any_provider
                    || !(value.iter().any(u8::is_ascii_digit) || generic::is_random(value))) =>
        {
            dropped("a vague form, and the score is too low")
        }
        (_, by_form) => by_form,
    }
}

/// Whether values of the rule are letters up to the end of the alphabet and hardly any signs: what anybody may choose
/// is also hexadecimal.
fn is_of_all_letters(rule: &Rule) -> bool {
    let has = |byte: u8| rule.alphabet.contains(byte) || rule.alphabet.contains(byte.to_ascii_uppercase());
    (b'g'..=b'z').filter(|&byte| has(byte)).count() >= 16 && !rule.alphabet.contains(b'!')
}

/// Whether the value is hexadecimal digits, perhaps in groups, of at least as many as a digest has.
fn is_digest(value: &[u8]) -> bool {
    const SHORTEST_DIGEST_BYTES: usize = 20;
    value.len() >= SHORTEST_DIGEST_BYTES && value.iter().all(|byte| byte.is_ascii_hexdigit() || *byte == b'-')
}

/// Whether the value is a dummy made of words that programmers use for names: `user_password`, `pwd1`, and
/// `p%40ss`, with which they test that a URL is decoded.
fn is_common_words(value: &[u8]) -> bool {
    /// Nobody makes up a dummy longer than this.
    const LONGEST_DUMMY_BYTES: usize = 64;
    if value.len() > LONGEST_DUMMY_BYTES {
        return false;
    }
    let mut lower = unescaped(value).to_ascii_lowercase();
    lower.iter_mut().filter(|byte| **byte == b'@').for_each(|byte| *byte = b'a');
    let letters = lower.iter().filter(|byte| byte.is_ascii_alphabetic()).count();
    letters * 2 >= lower.len().max(4) && words::is_all_known(&lower)
}

/// Whether people made the value of words, escapes and base64 undone.
fn is_made_of_words(value: &[u8]) -> bool {
    words::reads_like_words(&unescaped(value))
        || decode::base64_text(value).is_some_and(|text| words::reads_like_words(&text))
}

/// The value with the percent escapes of a URL undone.
fn unescaped(value: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.len());
    let mut rest = value;
    while let Some((&byte, tail)) = rest.split_first() {
        match decode::hex(rest, 1, 2).filter(|_| byte == b'%') {
            Some(escaped) => {
                out.push(escaped as u8);
                rest = &rest[3..];
            }
            None => {
                out.push(byte);
                rest = tail;
            }
        }
    }
    out
}

/// Whether a bracket opens and never closes: the value is the head of a call, `getenv_list(['`, perhaps with the name
/// of its first argument, `config.get(ATTR_KEY,`.
fn is_cut_call(value: &[u8]) -> bool {
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"_.:".contains(byte);
    let name = value.iter().take_while(|byte| is_name(byte)).count();
    let behind = &value[name..];
    let is_argument = || {
        behind.strip_prefix(b"(").and_then(|rest| rest.strip_suffix(b",")).is_some_and(|argument| {
            !argument.is_empty() && argument.iter().all(|byte| byte.is_ascii_alphabetic() || *byte == b'_')
        })
    };
    name > 1 && name < value.len() && (behind.iter().all(|byte| b"([{".contains(byte)) || is_argument())
}

/// Keeps the match with the confidence of its rule, unless the structure of the value says more.
fn keep(rule: &Rule, value: &[u8], reason: &str) -> Verdict {
    match rule.checksum.map_or(Proof::Silent, |method| proof::prove(method, value, proof::now())) {
        Proof::Proven(reason) => Verdict::Keep { confidence: Confidence::Proven, reason },
        Proof::Judged(confidence, reason) => Verdict::Keep { confidence, reason },
        Proof::Refuted(reason) => Verdict::Drop { reason: reason.to_owned() },
        Proof::Silent => Verdict::Keep { confidence: rule.confidence, reason: reason.to_owned() },
    }
}

/// Whether the value is a name of words and small numbers, such as `pk_order_items_2`.
fn is_identifier(value: &[u8]) -> bool {
    value.split(|&byte| byte == b'_').all(|part| {
        let digits = part.iter().all(u8::is_ascii_digit) && part.len() <= 4;
        let word = part.iter().all(u8::is_ascii_alphabetic)
            && part.get(1..).is_none_or(|tail| tail.iter().all(u8::is_ascii_lowercase));
        digits || word || is_camel_case(part)
    })
}

/// Whether the value is the name of a constant or of a column: `AUTH_MODES`, `token_type`.
fn is_constant_name(value: &[u8]) -> bool {
    let one_case = |is_case: fn(&u8) -> bool| value.iter().all(|byte| is_case(byte) || *byte == b'_');
    value.contains(&b'_') && (one_case(u8::is_ascii_uppercase) || one_case(u8::is_ascii_lowercase))
}

/// Whether the value is at least three words with `-`, `_` or `.` between them: `tf-test-key-ring`, `X-Name-OfHeader`.
fn is_joined_words(value: &[u8]) -> bool {
    let mut pieces = value.split(|byte| b"-_.".contains(byte));
    let is_piece = |piece: &[u8]| {
        piece.iter().all(u8::is_ascii_lowercase)
            || (piece.len() <= 4 && piece.iter().all(u8::is_ascii_digit))
            || (piece.len() == 1 && piece[0].is_ascii_uppercase())
            || (piece.first().is_some_and(u8::is_ascii_uppercase) && is_camel_case(piece))
    };
    pieces.clone().count() > 2 && pieces.all(is_piece) && words::reads_like_words(value)
}

/// Whether the value is many letters that read like words: `getTemporaryCredentialsOfAccount`, `policy/AdminOfUsers`.
fn is_long_name(value: &[u8]) -> bool {
    const SHORTEST_BYTES: usize = 20;
    let slashes = value.iter().filter(|&&byte| byte == b'/').count();
    let digits = value.iter().filter(|byte| byte.is_ascii_digit()).count();
    // Of forty random characters six are digits.
    let is_named = digits == 0 || (slashes > 0 && digits * 16 <= value.len());
    value.len() >= SHORTEST_BYTES
        && slashes <= 2
        && is_named
        && value.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'/')
        && words::reads_like_words(value)
}

/// Whether the value is the member of an object: `self.parsed.to_auth`, `e.password`.
fn is_member(value: &[u8]) -> bool {
    let is_part = |part: &[u8]| {
        part.first().is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'_')
            && part.iter().all(|byte| byte.is_ascii_alphabetic() || *byte == b'_')
    };
    value.contains(&b'.') && value.split(|&byte| byte == b'.').all(is_part) && words::reads_like_words(value)
}

/// Whether every piece that an upper-case letter starts is a word of at least three letters.
fn is_camel_case(part: &[u8]) -> bool {
    part.iter().all(u8::is_ascii_alphabetic)
        && part.chunk_by(|_, next| next.is_ascii_lowercase()).all(|piece| piece.len() >= 3)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dice::Dice;

    #[test]
    fn dummies_are_made_of_common_words() {
        for dummy in ["user_password", "pwd1", "p%40ss", "my-root-token", "topsecret", "pwd%23%20"] {
            assert!(is_common_words(dummy.as_bytes()), "{dummy}");
        }
        for value in ["sunshine77", "9a4b5c2d8e7f", "tr0ub4dor", "a1b2c3", "%%%%%%"] {
            assert!(!is_common_words(value.as_bytes()), "{value}");
        }
    }

    const BEARER: &str = "http-authorization-bearer";
    const CLICKUP: &str = "clickup-legacy-token";
    const DISCORD: &str = "discord-client-secret";
    const GENERIC: &str = "generic-password";
    const POSTGRES: &str = "postgres-url";

    /// What is said of a value: why it is dropped, or how sure one is.
    fn said(id: &str, value: &str, context: &Context, file: FileKind) -> String {
        let rules = crate::rule::RuleSet::builtin();
        let rule = rules.get(id).unwrap_or_else(|| panic!("{id} is a rule"));
        match judge(rule, value.as_bytes(), context, file) {
            Verdict::Drop { reason } => reason,
            Verdict::Keep { confidence, .. } => format!("{confidence:?}"),
        }
    }

    /// Random, in two halves that nobody takes for a token.
    fn random() -> String {
        ["kQ9xLm2Zp8vTr4Wb", "Nc6yHd0sJf3gAe7u"].concat()
    }

    fn assigned(name: &str) -> Context {
        let (quote, place) = (crate::matcher::assignment::Quote::Plain, Default::default());
        let joint = crate::matcher::assignment::Joint::Equals;
        let assigned = crate::matcher::Assigned { name: name.into(), joint, quote, place };
        Context { assigned: Some(assigned), ..Context::default() }
    }

    #[test]
    fn each_kind_of_rule_is_asked_its_own_questions() {
        let (nothing, plain) = (Context::default(), FileKind::default());
        let (random, password) = (random(), "kQ9!xLm2");
        let token = random.as_str();
        for (id, value, expected) in [
            // What a dummy is, it is to every kind.
            (BEARER, "${TOKEN_OF_THE_SERVICE}", "a reference to a value kept elsewhere"),
            (CLICKUP, "pk_1234567890abcdefghijklmnop", "Low"),
            (BEARER, "1234567890abcdefghijklmnop", "characters in sequence"),
            (BEARER, "my-secret-api-token-key", "nothing but common words"),
            (BEARER, "bXktc2VjcmV0LXRva2Vu", "nothing but common words"),
            // The forms that take any characters.
            (BEARER, token, "Low"),
            (BEARER, "kQ9xLm2Zp8v...Tr4WbNc6yHd", "a sample with its middle left out"),
            (BEARER, "completely-invalid-bearer", "words joined to a name"),
            (BEARER, "trombone.parsed_flute.melody", "a name in code"),
            (BEARER, "TROMBONE_FLUTE_MELODY", "a name in code"),
            (BEARER, "headers_of(", "the head of a call"),
            (BEARER, "kq9zk8qzpt9qw8pk", "entropy below the floor of the rule"),
            // What people choose.
            (POSTGRES, password, "Medium"),
            (POSTGRES, "kQ9", "Medium"),
            (POSTGRES, "%6B9", "too short for a password"),
            (POSTGRES, "cr", "too short for a password"),
            (POSTGRES, "trombone.flute.melody", "Medium"),
            // A word beside it.
            (DISCORD, token, "Medium"),
            (DISCORD, "GOTRUE_PLANK_WIDTH_JUMBO_FIX_VAS", "words joined to a name"),
            (DISCORD, "X-Google-DapperTrace-Information", "words joined to a name"),
            (DISCORD, "kq9zk8qzpt9qw8pkzq9tkw8pqz9kt8wq", "entropy below the floor of the rule"),
            (
                DISCORD,
                "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
                "hexadecimal, which the form is not",
            ),
        ] {
            assert_eq!(said(id, value, &nothing, plain), expected, "{id}: {value}");
        }
        // A list of packages has checksums, which look like nothing else.
        let lock = FileKind { locks: true, ..plain };
        let listed = "a checksum or a version in a list of packages";
        assert_eq!(said(DISCORD, token, &nothing, lock), listed);
        assert_eq!(said(GENERIC, password, &assigned("password"), lock), listed);
        assert_eq!(said(POSTGRES, password, &nothing, lock), "Medium");
        assert_eq!(said(BEARER, token, &nothing, lock), "Low");
    }

    #[test]
    fn where_a_password_stands_counts_if_people_made_it() {
        let (made, random) = ("sunflower-garden", "kQ9!xLm2");
        let issued = self::random();
        let at = |host| Context { host, ..Context::default() };
        let tests = FileKind { tests: true, ..FileKind::default() };
        let plain = FileKind::default();
        let url = |value, host, file| said(POSTGRES, value, &at(host), file);
        assert_eq!(url(made, Host::Somebodys, plain), "Medium");
        assert_eq!(url(made, Host::Loopback, plain), "words for a service on the same machine");
        assert_eq!(url(random, Host::Loopback, plain), "Medium");
        assert_eq!(url(random, Host::Reserved, plain), "the host is set aside for examples");
        assert_eq!(url(made, Host::Somebodys, tests), "words in a test or a guide");
        assert_eq!(url(random, Host::Somebodys, tests), "Medium");
        // What is issued is not asked where it stands.
        assert_eq!(said(DISCORD, &issued, &at(Host::Reserved), tests), "Medium");
    }

    #[test]
    fn a_name_makes_a_form_surer_or_tells_that_it_is_none() {
        let plain = FileKind::default();
        let random = random();
        let token = random.as_str();
        let keyed = |name: &str, value| said(DISCORD, value, &assigned(name), plain);
        assert_eq!(keyed("DISCORD_CLIENT_SECRET", token), "High", "its name and its form");
        assert_eq!(keyed("discord_thing", token), "Medium", "its form alone");
        assert_eq!(keyed("discord_server_id", token), "the name says that it is no secret");
        // A form of one length says enough; a vague one does not, where the value is no random one either.
        let letters = ["Aqzxkwvjhtpbmdgfrqncyx", "kzwjvhqtbpmgdrfnxczkqwv"].concat();
        let vague = |name: &str, value: &str| said("upstash-redis-token", value, &assigned(name), plain);
        assert_eq!(vague("upstash_label", &letters), "a vague form, and the score is too low");
        assert_eq!(vague("UPSTASH_REDIS_REST_TOKEN", &format!("AX{token}Qm5zKp0w")), "High");
        assert_eq!(said(GENERIC, "kQ9!xLm2", &assigned("password"), plain), "High");
        assert_eq!(said(GENERIC, "password_field", &assigned("password"), plain), "the score is too low");
        assert_eq!(said(GENERIC, "ab", &assigned("password"), plain), "the score is too low");
    }

    #[test]
    fn rows_of_a_block_are_no_dummies_but_a_hole_in_it_is() {
        let plain = FileKind::default();
        let block =
            |value: &str| said("gcp-application-default-credentials", value, &Context::default(), plain);
        assert_eq!(block("kQ9xLm2Zp8v\nTr4WbN...c6yHd0s"), "a sample with its middle left out");
        assert_eq!(block("LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCg=="), "a certificate or a public key");
        assert_eq!(block("xxxxxxxxxxxxxxxxxxxx"), "the same characters over and over");
        assert_ne!(block("xxxxxxxxxxxxxxxxxxxx\nxxxxxxxxxxxxxxxxxxxx"), "the same characters over and over");
    }

    /// A floor is there for what is no random value: of those it refuses less than one in some hundreds.
    #[test]
    fn no_floor_refuses_what_its_own_rule_describes() {
        const SAMPLES: usize = 400;
        let mut dice = Dice::new(5);
        let mut below = |sides| dice.roll(sides);
        let set = crate::rule::RuleSet::builtin();
        let floors = set.rules().iter().filter_map(|rule| Some((rule, rule.min_entropy?)));
        let mut judged = 0;
        for (rule, floor) in floors.filter(|(rule, _)| !rule.shape.is_empty()) {
            let shape = crate::rule::shape::Shape::parse(&rule.shape).unwrap();
            let mut refused = 0;
            for _ in 0..SAMPLES {
                let sample = shape.sample(&mut below);
                let groups = rule.regex().captures(&sample).unwrap();
                let secret = groups.iter().flatten().last().unwrap().as_bytes();
                let is_digest = rule.kind == RuleKind::Keyed && is_of_all_letters(rule) && is_digest(secret);
                refused += usize::from(entropy::shannon_bits(secret) < floor || is_digest);
            }
            assert!(refused <= 1, "{}: {refused} of {SAMPLES}", rule.id);
            judged += 1;
        }
        assert!(judged > 200, "{judged}");
    }

    #[test]
    fn a_digest_is_hexadecimal_and_long() {
        for digest in ["9f86d081884c7d659a2feaa0c55ad015", "9F86D081-884C-7D65-9A2F", "0123456789abcdefABCD"]
        {
            assert!(is_digest(digest.as_bytes()), "{digest}");
        }
        for other in ["9f86d081884c7d659a2", "9f86d081884c7d659a2feaa0c55ad01g", "9f86d081 884c7d659a2feaa0"]
        {
            assert!(!is_digest(other.as_bytes()), "{other}");
        }
    }

    #[test]
    fn a_long_name_is_letters_that_read_like_words() {
        assert!(is_long_name(b"getTemporaryCredentialsOfAccount"));
        for other in ["getCredentials", "jSlEgfIGgPzZYrJuRupgbxexfy", "getTemporaryCredentialsOfAccount2"] {
            assert!(!is_long_name(other.as_bytes()), "{other}");
        }
    }

    #[test]
    fn the_head_of_a_call_is_no_value() {
        assert!(is_cut_call(b"environ_list(["));
        assert!(is_cut_call(b"config.get(ATTR_KEY,"));
        assert!(!is_cut_call(b"kJ8(mQ2,"));
        assert!(!is_cut_call(b"kJ8(mQ2["));
    }

    #[test]
    fn names_of_database_keys_are_identifiers() {
        for name in ["pk_users_id", "pk_organization_membership_invitations", "pk_OrderItemsHistory_2"] {
            assert!(is_identifier(name.as_bytes()), "{name}");
        }
        for tail in ["12345678_ABCDEFGHIJKLMNOPQRSTUVWXYZ", "aB3dE5gH7jK9mN1pQ3sT5vW7yZ9bD1"] {
            assert!(!is_identifier(format!("pk_{tail}").as_bytes()), "{tail}");
        }
    }
}
