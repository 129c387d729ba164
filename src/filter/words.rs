//! Words: which ones programmers use for names and dummies, and how much a run of letters looks like one.

/// Words of which names, labels and made-up values consist. A value made of them alone is no secret, or one
/// that nobody keeps secret. Sorted.
const VOCABULARY: [&str; 684] = [
    "a",
    "abc",
    "abcd",
    "abcde",
    "abcdef",
    "access",
    "account",
    "action",
    "active",
    "actual",
    "add",
    "address",
    "admin",
    "administrator",
    "aes",
    "again",
    "airflow",
    "alias",
    "all",
    "allow",
    "allowed",
    "alpha",
    "always",
    "amqp",
    "an",
    "another",
    "answer",
    "any",
    "api",
    "apikey",
    "app",
    "apple",
    "application",
    "are",
    "arg",
    "args",
    "argument",
    "array",
    "ascii",
    "asdf",
    "ask",
    "async",
    "attribute",
    "auth",
    "authenticate",
    "authentication",
    "authorization",
    "authorize",
    "await",
    "aws",
    "azure",
    "b64",
    "bad",
    "bar",
    "base",
    "basic",
    "bat",
    "baz",
    "bearer",
    "before",
    "beta",
    "binary",
    "bitbucket",
    "blah",
    "blank",
    "block",
    "bob",
    "body",
    "bogus",
    "boo",
    "bool",
    "boolean",
    "box",
    "broken",
    "buffer",
    "build",
    "but",
    "byte",
    "bytes",
    "cache",
    "callback",
    "cert",
    "certificate",
    "change",
    "changed",
    "changeme",
    "char",
    "chars",
    "check",
    "cipher",
    "class",
    "cli",
    "client",
    "cloud",
    "cluster",
    "code",
    "column",
    "command",
    "commit",
    "common",
    "company",
    "compose",
    "conf",
    "confidential",
    "config",
    "configuration",
    "confirm",
    "confirmation",
    "connect",
    "connection",
    "console",
    "const",
    "constant",
    "consumer",
    "content",
    "context",
    "contrasena",
    "cookie",
    "corge",
    "correct",
    "create",
    "cred",
    "credential",
    "credentials",
    "creds",
    "crypt",
    "csrf",
    "current",
    "custom",
    "data",
    "database",
    "date",
    "db",
    "debug",
    "default",
    "define",
    "defined",
    "demo",
    "deny",
    "deploy",
    "des",
    "desc",
    "description",
    "dev",
    "device",
    "dict",
    "different",
    "digest",
    "directory",
    "disable",
    "disabled",
    "display",
    "do",
    "docker",
    "docs",
    "doe",
    "domain",
    "dummy",
    "edit",
    "elastic",
    "email",
    "empty",
    "enable",
    "enabled",
    "encode",
    "encoded",
    "encrypt",
    "encrypted",
    "encryption",
    "end",
    "enter",
    "entry",
    "env",
    "environment",
    "err",
    "error",
    "etcd",
    "event",
    "exact",
    "example",
    "exist",
    "existing",
    "expect",
    "expected",
    "expire",
    "expired",
    "external",
    "f32",
    "f64",
    "fail",
    "failed",
    "fake",
    "false",
    "field",
    "file",
    "filter",
    "first",
    "fixture",
    "fizz",
    "flag",
    "foo",
    "foobar",
    "for",
    "forbidden",
    "forgot",
    "form",
    "format",
    "found",
    "from",
    "ftp",
    "func",
    "function",
    "gcp",
    "gen",
    "generate",
    "generated",
    "generic",
    "get",
    "git",
    "github",
    "gitlab",
    "given",
    "global",
    "good",
    "google",
    "grafana",
    "group",
    "guest",
    "handler",
    "has",
    "hash",
    "hashed",
    "haslo",
    "have",
    "header",
    "hello",
    "help",
    "here",
    "hex",
    "hidden",
    "hide",
    "hint",
    "hmac",
    "holder",
    "home",
    "host",
    "hostname",
    "http",
    "httpd",
    "https",
    "hunter",
    "i16",
    "i32",
    "i64",
    "i8",
    "id",
    "ident",
    "identifier",
    "identity",
    "if",
    "ignored",
    "image",
    "important",
    "in",
    "include",
    "incorrect",
    "index",
    "info",
    "init",
    "input",
    "insecure",
    "insert",
    "int",
    "integer",
    "internal",
    "invalid",
    "invalidate",
    "iota",
    "is",
    "isize",
    "issuer",
    "it",
    "item",
    "java",
    "jdoe",
    "jenkins",
    "jira",
    "json",
    "jwt",
    "k8s",
    "keep",
    "kennwort",
    "key",
    "keyboard",
    "keycloak",
    "keys",
    "keystore",
    "kibana",
    "kind",
    "kube",
    "label",
    "lambda",
    "last",
    "latin1",
    "ldap",
    "len",
    "length",
    "letmein",
    "level",
    "lib",
    "line",
    "link",
    "list",
    "load",
    "local",
    "localhost",
    "location",
    "log",
    "login",
    "long",
    "lookup",
    "machine",
    "mail",
    "mailgun",
    "main",
    "manager",
    "map",
    "mask",
    "master",
    "match",
    "max",
    "md5",
    "member",
    "merge",
    "message",
    "metadata",
    "method",
    "min",
    "missing",
    "mock",
    "mode",
    "model",
    "module",
    "mongo",
    "mongodb",
    "more",
    "mqtt",
    "must",
    "my",
    "mysecret",
    "mysql",
    "name",
    "named",
    "namespace",
    "nats",
    "need",
    "never",
    "new",
    "nginx",
    "nil",
    "no",
    "node",
    "nonce",
    "none",
    "nope",
    "not",
    "note",
    "null",
    "nullptr",
    "num",
    "number",
    "oauth",
    "obj",
    "object",
    "of",
    "off",
    "ok",
    "old",
    "on",
    "one",
    "only",
    "open",
    "openid",
    "option",
    "optional",
    "options",
    "or",
    "oracle",
    "org",
    "other",
    "our",
    "output",
    "override",
    "own",
    "owner",
    "page",
    "param",
    "parameter",
    "params",
    "parola",
    "parse",
    "partition",
    "pass",
    "passcode",
    "passphrase",
    "passw",
    "passwd",
    "password",
    "passwords",
    "passwort",
    "path",
    "pattern",
    "payload",
    "permission",
    "persist",
    "pgpass",
    "phrase",
    "ping",
    "plain",
    "plaintext",
    "please",
    "pleaseletmein",
    "policy",
    "pool",
    "port",
    "postgres",
    "prefix",
    "primary",
    "principal",
    "priv",
    "private",
    "process",
    "prod",
    "production",
    "profile",
    "project",
    "prompt",
    "property",
    "props",
    "protected",
    "provided",
    "provider",
    "proxy",
    "psw",
    "public",
    "purpose",
    "pw",
    "pwd",
    "python",
    "query",
    "quux",
    "qwerty",
    "rabbitmq",
    "random",
    "raw",
    "read",
    "readonly",
    "real",
    "realm",
    "realtoken",
    "redis",
    "ref",
    "reference",
    "refresh",
    "regex",
    "region",
    "register",
    "registry",
    "remote",
    "remove",
    "repeat",
    "replace",
    "repo",
    "repository",
    "req",
    "request",
    "require",
    "required",
    "reset",
    "resource",
    "response",
    "rest",
    "result",
    "return",
    "role",
    "root",
    "rsa",
    "ruby",
    "rule",
    "run",
    "sa",
    "salt",
    "same",
    "sample",
    "save",
    "saved",
    "schema",
    "scope",
    "script",
    "search",
    "sec",
    "second",
    "secret",
    "secretkey",
    "secrets",
    "section",
    "secure",
    "secured",
    "security",
    "select",
    "self",
    "send",
    "sendgrid",
    "senha",
    "sensitive",
    "server",
    "service",
    "session",
    "set",
    "setting",
    "settings",
    "sha",
    "sha1",
    "sha256",
    "share",
    "shared",
    "should",
    "show",
    "sign",
    "signature",
    "signing",
    "signup",
    "simple",
    "site",
    "size",
    "slack",
    "smtp",
    "some",
    "someone",
    "something",
    "source",
    "spec",
    "special",
    "sql",
    "ssh",
    "ssl",
    "start",
    "state",
    "static",
    "status",
    "storage",
    "store",
    "str",
    "string",
    "stripe",
    "strong",
    "strongpassword",
    "stuff",
    "sub",
    "subject",
    "submit",
    "sudo",
    "super",
    "superadmin",
    "supersecret",
    "supported",
    "sys",
    "system",
    "table",
    "tag",
    "target",
    "team",
    "temp",
    "template",
    "tenant",
    "test",
    "tester",
    "testing",
    "tests",
    "testuser",
    "text",
    "that",
    "the",
    "then",
    "there",
    "thing",
    "this",
    "three",
    "throw",
    "timeout",
    "title",
    "tls",
    "tmp",
    "to",
    "todo",
    "token",
    "tokens",
    "too",
    "topsecret",
    "totp",
    "true",
    "trust",
    "try",
    "twilio",
    "two",
    "txt",
    "type",
    "u16",
    "u32",
    "u64",
    "u8",
    "uid",
    "undefined",
    "unencrypted",
    "unknown",
    "unsafe",
    "unsecure",
    "unset",
    "unused",
    "update",
    "upload",
    "uri",
    "url",
    "usage",
    "use",
    "used",
    "user",
    "username",
    "users",
    "usize",
    "usr",
    "utf",
    "utf8",
    "util",
    "uuid",
    "val",
    "valid",
    "validate",
    "validation",
    "validator",
    "value",
    "values",
    "var",
    "variable",
    "vault",
    "verification",
    "verifier",
    "verify",
    "version",
    "very",
    "view",
    "void",
    "vpn",
    "wachtwoord",
    "warn",
    "was",
    "web",
    "webhook",
    "websocket",
    "welcome",
    "what",
    "when",
    "where",
    "which",
    "widget",
    "wifi",
    "will",
    "with",
    "without",
    "word",
    "words",
    "world",
    "wrong",
    "www",
    "x",
    "xxx",
    "xyz",
    "yes",
    "you",
    "your",
    "yourself",
    "yyy",
    "z",
    "zzz",
];

/// The longest word of the vocabulary, and the longest value that is taken apart.
const LONGEST_WORD_BYTES: usize = 14;
const LONGEST_SPLIT_BYTES: usize = 64;

/// Bits of surprise of each letter after each other letter; made by `bigrams.py`.
const SURPRISE: [&[u8; 26]; 26] = [
    b"95458757596353959343667867",
    b"35883999389389399357499969",
    b"39693993494599299464499969",
    b"47852868289577489448577969",
    b"47535668799453768225867679",
    b"39993399299399399465399959",
    b"39992944399475499348498969",
    b"27992899399667399565497959",
    b"56454659998452469534859995",
    b"29992999499999299999299999",
    b"46982796297475579638697959",
    b"38762789297378379955579939",
    b"24892899399847339959499979",
    b"48443628496786589833679979",
    b"66557658696442459344455778",
    b"39992994399499349355499979",
    b"89999999799899999999099999",
    b"36652768396655369534578959",
    b"48493894396556547932496969",
    b"38692894299688499445597958",
    b"55555659598343759334989898",
    b"39991999299999499989689989",
    b"26963894397584389548899979",
    b"49393895299899539993578669",
    b"45453767398444449535696897",
    b"39991997299589499999699964",
];

/// Words have on average at most this many bits of surprise a letter; random letters rarely so few.
const MOST_SURPRISE_OF_WORDS: f32 = 4.7;

/// The words that start with two letters.
#[derive(Clone, Copy)]
struct Section {
    /// Their lengths, one bit each: most pieces of text are no word by that.
    lengths: u16,
    /// Where they stand in the vocabulary.
    start: u16,
    count: u16,
}

/// By the first two letters, words without a second one at the end: they stand together in the vocabulary, too.
static SECTIONS: [[Section; 27]; 26] = {
    let mut sections = [[Section { lengths: 0, start: 0, count: 0 }; 27]; 26];
    let mut at = 0;
    while at < VOCABULARY.len() {
        let word = VOCABULARY[at].as_bytes();
        let section = &mut sections[(word[0] - b'a') as usize][second(word)];
        if section.count == 0 {
            section.start = at as u16;
        }
        section.count += 1;
        section.lengths |= 1 << word.len();
        at += 1;
    }
    sections
};

const fn second(word: &[u8]) -> usize {
    if word.len() > 1 && word[1].is_ascii_lowercase() { (word[1] - b'a') as usize } else { 26 }
}

/// Whether `word`, in lower case, is in the vocabulary.
pub fn is_known(word: &[u8]) -> bool {
    let [first @ b'a'..=b'z', ..] = word else { return false };
    let section = SECTIONS[usize::from(first - b'a')][second(word)];
    word.len() <= LONGEST_WORD_BYTES
        && section.lengths & (1 << word.len()) != 0
        && VOCABULARY[usize::from(section.start)..][..usize::from(section.count)]
            .iter()
            .any(|known| known.as_bytes() == word)
}

/// Whether the lower-case text is words of the vocabulary and nothing else but digits and joints:
/// `supersecretpassword`, `my-root-token2`.
pub fn is_all_known(lower: &[u8]) -> bool {
    if lower.len() > LONGEST_SPLIT_BYTES || !lower.iter().any(u8::is_ascii_alphabetic) {
        return false;
    }
    // reached[i]: the first i bytes can be taken apart.
    let mut reached = [false; LONGEST_SPLIT_BYTES + 1];
    reached[0] = true;
    for end in 1..=lower.len() {
        reached[end] = (reached[end - 1] && !lower[end - 1].is_ascii_alphabetic())
            || (end.saturating_sub(LONGEST_WORD_BYTES)..end)
                .any(|start| reached[start] && is_known(&lower[start..end]));
    }
    reached[lower.len()]
}

/// Mean bits of surprise a letter over the runs of letters, case ignored; `None` where there are too few
/// letters to say.
pub fn surprise(text: &[u8]) -> Option<f32> {
    let (mut bits, mut pairs) = (0u32, 0u32);
    for pair in text.windows(2) {
        let (a, b) = (pair[0].to_ascii_lowercase(), pair[1].to_ascii_lowercase());
        if a.is_ascii_lowercase() && b.is_ascii_lowercase() {
            bits += u32::from(SURPRISE[usize::from(a - b'a')][usize::from(b - b'a')] - b'0');
            pairs += 1;
        }
    }
    (pairs >= 3).then(|| bits as f32 / pairs as f32)
}

/// Whether a run of letters reads like a word: known, short, or unsurprising.
pub fn is_wordlike(run: &[u8]) -> bool {
    run.iter().all(u8::is_ascii_alphabetic)
        && (is_known(&run.to_ascii_lowercase())
            || surprise(run).is_none_or(|bits| bits <= MOST_SURPRISE_OF_WORDS))
}

/// Whether people made the text of words, digits written for letters (`s3cr3t`, `p@ssw0rd`) undone; a text too
/// short to say counts as one when it is nothing but letters.
pub fn reads_like_words(text: &[u8]) -> bool {
    /// Half of all rows of five random letters surprise less than longer ones do.
    const SHORT_BYTES: usize = 4;
    if text.len() <= SHORT_BYTES && text.iter().all(u8::is_ascii_alphabetic) {
        return true;
    }
    let lower = text.to_ascii_lowercase();
    if text.len() > SHORT_BYTES && ZIGZAGS.iter().any(|row| memchr::memmem::find(row, &lower).is_some()) {
        return true;
    }
    let spelled: Vec<u8> = text.iter().map(|&byte| letter_for(byte)).collect();
    // Where digits are as many as letters they stand for themselves, as in hexadecimal.
    let letters = text.iter().filter(|byte| byte.is_ascii_alphabetic()).count();
    let written_for_letters = text.iter().zip(&spelled).filter(|(a, b)| a != b).count();
    let spelled = if written_for_letters * 2 <= letters { spelled.as_slice() } else { &[] };
    [text, spelled].iter().any(|text| surprise(text).is_some_and(|bits| bits <= MOST_SURPRISE_OF_PHRASES))
}

/// Up and down the columns of the keyboard.
const ZIGZAGS: [&[u8]; 2] = [b"q1w2e3r4t5y6u7i8o9p0", b"1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p"];

/// Mean surprise of what people make up from words: half of the rows of eight random letters have more than
/// six bits, one in thirty less than this.
const MOST_SURPRISE_OF_PHRASES: f32 = 4.2;

/// The letter that a digit or sign stands for where people write words with them.
fn letter_for(byte: u8) -> u8 {
    match byte {
        b'0' => b'o',
        b'1' | b'!' => b'i',
        b'3' => b'e',
        b'4' | b'@' => b'a',
        b'5' | b'$' => b's',
        b'7' => b't',
        other => other,
    }
}

/// Takes a name apart: at joints, before upper-case letters that start a word, and round digits.
pub fn pieces(name: &[u8]) -> impl Iterator<Item = &[u8]> {
    name.chunk_by(|&a, &b| {
        let kind = |byte: u8| (byte.is_ascii_alphabetic(), byte.is_ascii_digit());
        kind(a) == kind(b) && !(a.is_ascii_lowercase() && b.is_ascii_uppercase())
    })
    // `HTTPServer` holds no lower-case letter before the word that follows the capitals.
    .flat_map(|run| {
        let capitals = run.iter().take_while(|byte| byte.is_ascii_uppercase()).count();
        let split = if capitals >= 2 && capitals < run.len() && run[capitals].is_ascii_lowercase() {
            capitals - 1
        } else {
            0
        };
        let (head, tail) = run.split_at(split);
        [head, tail]
    })
    .filter(|piece| piece.first().is_some_and(u8::is_ascii_alphanumeric))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vocabulary_is_sorted_and_fits() {
        assert!(VOCABULARY.is_sorted());
        assert!(VOCABULARY.iter().all(|word| is_known(word.as_bytes())));
        assert!(VOCABULARY.iter().all(|word| word.len() <= LONGEST_WORD_BYTES));
    }

    #[test]
    fn joined_words_are_taken_apart() {
        for text in ["supersecretpassword", "my-root-token", "test_db_pass", "password123", "foobar2"] {
            assert!(is_all_known(text.as_bytes()), "{text}");
        }
        for text in ["sunshine77", "kqzvbnwx", "derek", "summer2019!", "2019", ""] {
            assert!(!is_all_known(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn words_surprise_less_than_random_letters() {
        for word in ["jenkins", "sunshine", "Authorization", "kubernetes", "monkey", "derek"] {
            assert!(is_wordlike(word.as_bytes()), "{word}");
        }
        for run in ["kqzvbnwx", "gbkwjqtr", "XPQRJTVW"] {
            assert!(!is_wordlike(run.as_bytes()), "{run}");
        }
    }

    #[test]
    fn what_people_make_up_from_words_reads_like_words() {
        for text in [
            // Nothing but a few letters says nothing.
            "x",
            "kqzv",
            "",
            // Digits and signs in place of letters.
            "s3cr3tsauc3",
            "p@ssw0rds",
            "$unsh1ne",
            "s7a7ion",
            // Along the keyboard.
            "q1w2e3r4",
            "1QAZ2wsx",
            "e3r4t",
            "correct horse battery",
        ] {
            assert!(reads_like_words(text.as_bytes()), "{text}");
        }
        for text in [
            "kqzvx",
            "k9zv",
            "1234567",
            "q1e3w2",
            "xq7zkwvb",
            "XPQRJTVW",
            // As many digits as letters stand for themselves.
            "1a3e5e7a1e3a5e7a",
            "0f0f1b1b3c3c4d4d",
        ] {
            assert!(!reads_like_words(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn too_few_letters_say_nothing() {
        for text in ["", "a", "abc", "ab-cd", "a1b2c3d4", "ab1cd"] {
            assert_eq!(surprise(text.as_bytes()), None, "{text}");
        }
        // Three pairs are enough, wherever they stand and however they are written.
        let abcd = surprise(b"abcd").expect("three pairs");
        assert!(abcd > 0.0 && abcd < 9.0, "{abcd}");
        assert_eq!(surprise(b"1ABCD-"), Some(abcd));
        assert_eq!(surprise(b"abcd-abcd"), Some(abcd));
        assert_eq!(surprise(b"qqqq"), Some(9.0), "as rare as can be");
    }

    #[test]
    fn long_texts_are_not_taken_apart() {
        let dummy = "password".repeat(8);
        assert!(is_all_known(dummy.as_bytes()));
        assert!(!is_all_known(format!("{dummy}1").as_bytes()));
        for word in ["passwordpasswordp", "kq", "", "1", "Password", "pass word"] {
            assert!(!is_known(word.as_bytes()), "{word}");
        }
    }

    #[test]
    fn names_are_taken_apart() {
        let split = |name: &'static str| -> Vec<&str> {
            pieces(name.as_bytes()).map(|piece| std::str::from_utf8(piece).unwrap()).collect()
        };
        assert_eq!(split("dbPassword"), ["db", "Password"]);
        assert_eq!(split("MYSQL_ROOT_PASSWORD"), ["MYSQL", "ROOT", "PASSWORD"]);
        assert_eq!(split("conn.setAPIKey2"), ["conn", "set", "API", "Key", "2"]);
        assert_eq!(split("--token"), ["token"]);
        assert_eq!(split("HTTPServer"), ["HTTP", "Server"]);
        assert_eq!(split("aKey"), ["a", "Key"]);
        assert_eq!(split("Key"), ["Key"]);
        assert_eq!(split("v2Key10x"), ["v", "2", "Key", "10", "x"]);
        assert_eq!(split("ID"), ["ID"]);
        assert_eq!(split(""), [""; 0]);
    }
}
