//! Twelve surroundings in which real files hold secrets, and the names that secrets have there.
//!
//! Shared by the tests and by the measurement `tests/bench/formats.rs`.

use std::ops::Range;

use stanch::filter::proof;
use stanch::rule::schema::Checksum;
use stanch::rule::shape::Shape;

/// A piece of a file with a place for a name and a secret.
#[derive(Clone, Copy, Debug)]
pub struct Surrounding {
    /// Ending of a file name; no two are alike.
    pub extension: &'static str,
    template: &'static str,
    escape: Escape,
    comment: Comment,
}

/// How a value has to be written there.
#[derive(Clone, Copy, Debug)]
enum Escape {
    /// As it is.
    None,
    /// As a word of a shell: as it is, or in single quotes where a shell would read more into it.
    ShellWord,
    /// Inside the single quotes of a shell.
    ShellQuoted,
    /// As it is, or in double quotes where YAML would read more into it.
    YamlScalar,
    /// Between single or double quotes, with a backslash before quotes and itself, and `\n`.
    Backslash(char),
    /// The same twice.
    BackslashTwice,
    /// With entities.
    Entities,
    /// With percent signs, where a query does not allow a character.
    Percent,
}

/// How a line of explanation is written there.
#[derive(Clone, Copy, Debug)]
enum Comment {
    Hash,
    Slashes,
    Markup,
    /// There are none; an address stands in an entry of its own.
    Entry,
}

/// All of them.
pub const ALL: [Surrounding; 12] = [
    surrounding(
        "env",
        include_str!("../../testdata/surroundings/dotenv.txt"),
        Escape::ShellWord,
        Comment::Hash,
    ),
    surrounding(
        "py",
        include_str!("../../testdata/surroundings/python.txt"),
        Escape::Backslash('"'),
        Comment::Hash,
    ),
    surrounding(
        "js",
        include_str!("../../testdata/surroundings/javascript.txt"),
        Escape::Backslash('\''),
        Comment::Slashes,
    ),
    surrounding(
        "yaml",
        include_str!("../../testdata/surroundings/yaml.txt"),
        Escape::YamlScalar,
        Comment::Hash,
    ),
    surrounding(
        "json",
        include_str!("../../testdata/surroundings/json.txt"),
        Escape::Backslash('"'),
        Comment::Entry,
    ),
    surrounding(
        "nested.json",
        include_str!("../../testdata/surroundings/json-in-json.txt"),
        Escape::BackslashTwice,
        Comment::Entry,
    ),
    surrounding("url", include_str!("../../testdata/surroundings/url.txt"), Escape::Percent, Comment::Hash),
    surrounding(
        "header",
        include_str!("../../testdata/surroundings/header.txt"),
        Escape::ShellQuoted,
        Comment::Hash,
    ),
    surrounding(
        "log",
        include_str!("../../testdata/surroundings/log.txt"),
        Escape::Backslash('\"'),
        Comment::Hash,
    ),
    surrounding(
        "xml",
        include_str!("../../testdata/surroundings/xml.txt"),
        Escape::Entities,
        Comment::Markup,
    ),
    surrounding(
        "tf",
        include_str!("../../testdata/surroundings/terraform.txt"),
        Escape::Backslash('"'),
        Comment::Hash,
    ),
    surrounding(
        "go",
        include_str!("../../testdata/surroundings/go.txt"),
        Escape::Backslash('"'),
        Comment::Slashes,
    ),
];

/// Lines of its own in a text file, for what is a file by itself.
pub const ALONE: Surrounding =
    surrounding("txt", "first line, {name}\n{secret}\nlast line\n", Escape::None, Comment::Hash);

const fn surrounding(
    extension: &'static str,
    template: &'static str,
    escape: Escape,
    comment: Comment,
) -> Surrounding {
    Surrounding { extension, template, escape, comment }
}

impl Surrounding {
    /// The text with the secret in it, and where the secret stands, in bytes.
    pub fn fill(&self, name: &Name, secret: &str) -> (String, Range<usize>) {
        let (head, tail) = self.template.split_once("{secret}").expect("a template has a place for it");
        let mut text = head.replace("{name}", &name.text);
        if let Some(address) = &name.address {
            let line = text.rfind('\n').map_or(0, |end| end + 1);
            text.insert_str(
                line,
                &match self.comment {
                    Comment::Hash => format!("# see https://{address}\n"),
                    Comment::Slashes => format!("// see https://{address}\n"),
                    Comment::Markup => format!("<!-- see https://{address} -->\n"),
                    Comment::Entry => format!("\"url\": \"https://{address}\",\n"),
                },
            );
        }
        let start = text.len();
        text.push_str(&self.escaped(secret));
        let place = start..text.len();
        text.push_str(&tail.replace("{name}", &name.text));
        (text, place)
    }

    fn escaped(&self, secret: &str) -> String {
        match self.escape {
            Escape::None => secret.to_owned(),
            Escape::ShellWord if secret.bytes().all(is_plain) => secret.to_owned(),
            Escape::ShellWord => format!("'{}'", secret.replace('\'', "'\\''")),
            Escape::ShellQuoted => secret.replace('\'', "'\\''"),
            Escape::YamlScalar if is_plain_scalar(secret) => secret.to_owned(),
            Escape::YamlScalar => format!("\"{}\"", backslashes(secret, '"')),
            Escape::Backslash(quote) => backslashes(secret, quote),
            Escape::BackslashTwice => backslashes(&backslashes(secret, '"'), '"'),
            Escape::Entities => {
                secret.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
            }
            Escape::Percent => secret
                .bytes()
                .map(|byte| match byte {
                    b'!' | b'$' | b'\'' | b'(' | b')' | b'*' | b',' | b';' | b':' | b'@' | b'/' | b'?'
                    | b'=' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
                    _ if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
                    _ => format!("%{byte:02X}"),
                })
                .collect(),
        }
    }
}

/// Whether a shell takes the byte as it is.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_-.,/+=:@%^".contains(&byte)
}

/// Whether YAML takes the text as it is.
fn is_plain_scalar(text: &str) -> bool {
    !text.starts_with(|c: char| "!&*-?|>@`\"'%#{}[],:".contains(c))
        && !text.contains(": ")
        && !text.contains(" #")
        && !text.contains('\n')
}

fn backslashes(text: &str, quote: char) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\\' => out.push_str("\\\\"),
            _ if character == quote => out.extend(['\\', quote]),
            _ => out.push(character),
        }
    }
    out
}

/// What a secret is called.
#[derive(Clone, Debug)]
pub struct Name {
    /// A variable, a key, a header.
    pub text: String,
    /// Stands on the line above, for a word that no name can hold.
    pub address: Option<String>,
}

impl Name {
    /// A name that says nothing of the provider.
    pub fn neutral(index: usize) -> Self {
        const NEUTRAL: [&str; 4] = ["value", "setting", "DATA", "item"];
        Self { text: NEUTRAL[index % NEUTRAL.len()].to_owned(), address: None }
    }

    /// The word as it is.
    pub fn verbatim(word: &str) -> Self {
        Self { text: word.to_owned(), address: None }
    }

    /// A name that holds the word, in one of the ways in which code writes names.
    pub fn holding(word: &str, index: usize) -> Self {
        let is_name = word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
        if !is_name {
            const BESIDE: [&str; 4] = ["api_key", "TOKEN", "apiSecret", "auth_key"];
            let text = BESIDE[index % BESIDE.len()].to_owned();
            return Self { text, address: Some(word.to_owned()) };
        }
        let snake = word.replace('-', "_");
        let text = match index % 5 {
            0 => word.to_owned(),
            1 => format!("{}_API_KEY", snake.to_ascii_uppercase()),
            2 => format!("{}ApiKey", camel(word)),
            3 => format!("{snake}_token"),
            _ => format!("prod_{snake}_secret"),
        };
        Self { text, address: None }
    }
}

/// `click_up` as `clickUp`.
fn camel(word: &str) -> String {
    let mut out = String::new();
    for (index, part) in word.split(['_', '-']).filter(|part| !part.is_empty()).enumerate() {
        let (head, tail) = part.split_at(1);
        out.push_str(&if index == 0 { part.to_owned() } else { head.to_ascii_uppercase() + tail });
    }
    out
}

/// Numbers below a bound, the same in every run.
pub fn random(seed: u64) -> impl FnMut(usize) -> usize {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    move |bound| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 33) as usize % bound
    }
}

/// A random value of the shape, with the checksum that its issuer would have given it.
pub fn sample(shape: &Shape, checksum: Option<Checksum>, below: &mut dyn FnMut(usize) -> usize) -> String {
    let value = shape.sample(below);
    let value = checksum.map_or(value.clone(), |method| proof::seal(method, &value));
    String::from_utf8(value).expect("samples are ASCII")
}
