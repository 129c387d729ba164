//! Reads `name = value` in the ways in which code and configuration write it.
//!
//! There is one reader for all languages: from a keyword inside the name it finds the whole name, then the
//! operator, then the value. It does not parse any language; it recognises the few joints that they share:
//! `=`, `:`, `:=`, `=>`, `->`, a type between `:` and `=`, an argument after a quoted name, a call, an XML
//! element or attribute pair, a command-line flag.

use crate::span::ByteSpan;

/// A value and the name it is given to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Assignment {
    /// The whole name, with its dots and dashes.
    pub name: ByteSpan,
    /// The value without its quotes and without a scheme word such as `Bearer`.
    pub value: ByteSpan,
    /// What stands round the value.
    pub quote: Quote,
    /// What joins name and value.
    pub joint: Joint,
}

/// What stands round a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quote {
    /// Nothing: the value ends at white space or a delimiter.
    None,
    /// `'`, `"` or a backtick.
    Plain,
    /// A quote behind a backslash, as in JSON inside a string.
    Escaped,
}

/// What joins a name and its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Joint {
    /// `=`, `:=`, `+=`, `?=`.
    Equals,
    /// `:` as in YAML, JSON and headers.
    Colon,
    /// `=>`, `->`, `<-`.
    Arrow,
    /// The value is the argument after the quoted name, or the argument of a call of that name.
    Argument,
    /// `<name>value</name>`, or `name="…" value="…"`.
    Element,
    /// White space: `--name value`, or a directive at the start of a line.
    Space,
}

/// Names and values longer than this are prose or data.
const LONGEST_NAME_BYTES: usize = 96;
const LONGEST_VALUE_BYTES: usize = 512;

/// Reads the assignment to the name that holds `keyword`, a span of `text`.
pub fn read(text: &[u8], keyword: ByteSpan) -> Option<Assignment> {
    let name = whole_name(text, keyword)?;
    let mut reader = Reader { text, at: name.end };
    let name_quoted = reader.closing_quote();
    let joint = reader.joint(name, name_quoted)?;
    let (value, quote) = reader.value(joint)?;
    let value = without_scheme(text, value);
    (!value.is_empty()).then_some(Assignment { name, value, quote, joint })
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'$')
}

fn whole_name(text: &[u8], keyword: ByteSpan) -> Option<ByteSpan> {
    let left = text[..keyword.start].iter().rev().take_while(|&&byte| is_name_byte(byte)).count();
    let right = text[keyword.end..].iter().take_while(|&&byte| is_name_byte(byte)).count();
    let mut span = ByteSpan::new(keyword.start - left, keyword.end + right);
    // `name->` and `name. ` end the name before the joint.
    while span.end > keyword.end && matches!(text[span.end - 1], b'-' | b'.') {
        span.end -= 1;
    }
    (span.len() <= LONGEST_NAME_BYTES).then_some(span)
}

struct Reader<'t> {
    text: &'t [u8],
    at: usize,
}

impl Reader<'_> {
    fn rest(&self) -> &[u8] {
        &self.text[self.at..]
    }

    fn eat(&mut self, literal: &[u8]) -> bool {
        let found = self.rest().starts_with(literal);
        if found {
            self.at += literal.len();
        }
        found
    }

    fn blanks(&mut self) -> usize {
        let count = self.rest().iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        self.at += count;
        count
    }

    /// Steps over a quote that closes a quoted name, and the bracket of `config["name"]`.
    fn closing_quote(&mut self) -> bool {
        let slashes = self.rest().iter().take_while(|&&byte| byte == b'\\').count().min(3);
        let quoted = matches!(self.rest().get(slashes), Some(b'"' | b'\'' | b'`'));
        if quoted {
            self.at += slashes + 1;
        }
        let bracket = self.eat(b"]");
        quoted || bracket
    }

    fn joint(&mut self, name: ByteSpan, name_quoted: bool) -> Option<Joint> {
        let spaces = self.blanks();
        for (operator, joint) in [
            (&b":="[..], Joint::Equals),
            (b"=>", Joint::Arrow),
            (b"->", Joint::Arrow),
            (b"<-", Joint::Arrow),
            (b"?=", Joint::Equals),
            (b"+=", Joint::Equals),
            (b"||=", Joint::Equals),
        ] {
            if self.eat(operator) {
                return Some(joint);
            }
        }
        // A comparison or a path of names gives no value.
        if self.rest().starts_with(b"==") || self.rest().starts_with(b"=~") || self.rest().starts_with(b"::")
        {
            return None;
        }
        if self.eat(b"=") {
            return Some(Joint::Equals);
        }
        if self.eat(b":") {
            self.type_annotation();
            return Some(Joint::Colon);
        }
        if self.eat(b"(") || (name_quoted && self.eat(b",")) {
            self.blanks();
            return self.quote_ahead().then_some(Joint::Argument);
        }
        let in_tag = name.start > 0 && self.text[name.start - 1] == b'<';
        if in_tag && self.eat(b">") {
            return Some(Joint::Element);
        }
        if name_quoted && (self.eat(b"value=") || self.eat(b"Value=") || self.eat(b"><value>")) {
            return Some(Joint::Element);
        }
        let is_flag = self.text[name.start..].starts_with(b"-");
        let starts_line = self.text[..name.start]
            .iter()
            .rev()
            .take_while(|&&byte| byte != b'\n')
            .all(|byte| matches!(byte, b' ' | b'\t'));
        (spaces > 0 && !name_quoted && (is_flag || starts_line || self.quote_ahead())).then_some(Joint::Space)
    }

    /// Steps over the type in `name: Type = value`.
    fn type_annotation(&mut self) {
        let line = self.rest().iter().take(64).take_while(|&&byte| byte != b'\n');
        let type_bytes =
            line.take_while(|byte| byte.is_ascii_alphanumeric() || b" \t_.<>[]&|?':*".contains(byte)).count();
        let after = &self.rest()[type_bytes..];
        let has_name = self.rest()[..type_bytes].iter().any(u8::is_ascii_alphabetic);
        if has_name && after.starts_with(b"=") && !after.starts_with(b"==") && !after.starts_with(b"=>") {
            self.at += type_bytes + 1;
        }
    }

    fn quote_ahead(&self) -> bool {
        let rest = self.rest();
        let skip = rest.iter().take_while(|byte| b"\\bBrRuUfF@L$".contains(byte)).count().min(3);
        matches!(rest.get(skip), Some(b'"' | b'\'' | b'`'))
    }

    fn value(&mut self, joint: Joint) -> Option<(ByteSpan, Quote)> {
        if joint == Joint::Element && !self.quote_ahead() {
            return self.until(|byte| byte == b'<' || byte == b'\n').map(|span| (span, Quote::None));
        }
        self.blanks();
        self.wrapper();
        if self.quote_ahead() {
            return self.quoted();
        }
        if joint == Joint::Argument {
            return None;
        }
        self.at += scheme_len(self.rest());
        let span = self
            .until(|byte| byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\'' | b'`' | b'<' | b'>'))?;
        Some((self.trimmed(span), Quote::None)).filter(|(span, _)| !span.is_empty())
    }

    /// Steps over a call round a quoted value, as in `SecretString::new("…")`.
    fn wrapper(&mut self) {
        let path = self
            .rest()
            .iter()
            .take(48)
            .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b':' | b' '))
            .count();
        let reads_environment = |path: &[u8]| path.to_ascii_lowercase().windows(3).any(|w| w == b"env");
        if path > 0 && self.rest().get(path) == Some(&b'(') && !reads_environment(&self.rest()[..path]) {
            let mut inner = Reader { text: self.text, at: self.at + path + 1 };
            inner.blanks();
            if inner.quote_ahead() {
                self.at = inner.at;
            }
        }
    }

    fn quoted(&mut self) -> Option<(ByteSpan, Quote)> {
        let prefix = self.rest().iter().take_while(|byte| !matches!(byte, b'"' | b'\'' | b'`')).count();
        let escaped = prefix > 0 && self.rest()[prefix - 1] == b'\\';
        let mark = self.rest()[prefix];
        self.at += prefix + 1;
        // Python's triple quotes.
        if self.rest().starts_with(&[mark, mark]) {
            self.at += 2;
        }
        let start = self.at;
        let mut at = start;
        while let Some(&byte) = self.text.get(at) {
            if at - start > LONGEST_VALUE_BYTES || byte == b'\n' {
                return None;
            }
            match byte {
                b'\\' if escaped && self.text.get(at + 1) == Some(&mark) => break,
                b'\\' => at += 1,
                _ if byte == mark => break,
                _ => {}
            }
            at += 1;
        }
        let closed = at < self.text.len();
        let quote = if escaped { Quote::Escaped } else { Quote::Plain };
        closed.then_some((ByteSpan::new(start, at), quote))
    }

    fn until(&mut self, stop: impl Fn(u8) -> bool) -> Option<ByteSpan> {
        let len = self.rest().iter().take(LONGEST_VALUE_BYTES + 1).take_while(|&&byte| !stop(byte)).count();
        (len > 0 && len <= LONGEST_VALUE_BYTES).then(|| ByteSpan::new(self.at, self.at + len))
    }

    /// An unquoted value without the punctuation that ends a statement, an entry or a bracket.
    fn trimmed(&self, mut span: ByteSpan) -> ByteSpan {
        while span.end > span.start
            && matches!(self.text[span.end - 1], b',' | b';' | b')' | b']' | b'}' | b'\\')
        {
            span.end -= 1;
        }
        span
    }
}

/// The value behind `Bearer `, `Basic ` and the like.
fn without_scheme(text: &[u8], value: ByteSpan) -> ByteSpan {
    let scheme = scheme_len(&text[value.range()]);
    ByteSpan::new(value.start + scheme, value.end)
}

/// Length of the authentication scheme and the space that the text starts with, if more follows.
fn scheme_len(text: &[u8]) -> usize {
    const SCHEMES: [&[u8]; 5] = [b"bearer ", b"basic ", b"token ", b"apikey ", b"digest "];
    let starts =
        |scheme: &&&[u8]| text.len() > scheme.len() && text[..scheme.len()].eq_ignore_ascii_case(scheme);
    SCHEMES.iter().find(starts).map_or(0, |scheme| scheme.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, name: &str, value: &str) {
        let at = line.to_ascii_lowercase().find("password").expect("the keyword is in the line");
        let found =
            read(line.as_bytes(), ByteSpan::new(at, at + 8)).unwrap_or_else(|| panic!("nothing in {line}"));
        assert_eq!(&line[found.name.range()], name, "{line}");
        assert_eq!(&line[found.value.range()], value, "{line}");
    }

    #[test]
    fn common_languages_and_formats_are_read() {
        for (line, name, value) in [
            ("DB_PASSWORD=abc123", "DB_PASSWORD", "abc123"),
            ("export PASSWORD='a b'", "PASSWORD", "a b"),
            ("  password: abc", "password", "abc"),
            ("\"password\": \"a\\\"b\",", "password", "a\\\"b"),
            ("{\\\"password\\\":\\\"abc\\\"}", "password", "abc"),
            ("$config['password'] = 'abc';", "password", "abc"),
            ("'password' => 'abc',", "password", "abc"),
            ("password := \"abc\"", "password", "abc"),
            ("const password: string = \"abc\";", "password", "abc"),
            ("let password: &'static str = \"abc\";", "password", "abc"),
            ("char *password = L\"abc\";", "password", "abc"),
            ("props.put(\"password\", \"abc\")", "password", "abc"),
            ("conn.setPassword(\"abc\")", "conn.setPassword", "abc"),
            ("<password>abc</password>", "password", "abc"),
            ("<add key=\"password\" value=\"abc\"/>", "password", "abc"),
            ("mysql --password abc --host x", "--password", "abc"),
            ("mysql --password=abc", "--password", "abc"),
            ("machine.password abc", "machine.password", "abc"),
            ("password = SecretString::new(\"abc\")", "password", "abc"),
            ("password = b'abc'", "password", "abc"),
            ("x(password=\"abc\")", "password", "abc"),
            ("spring.datasource.password=abc", "spring.datasource.password", "abc"),
            ("password: Bearer abc", "password", "abc"),
            ("password: \"Bearer abc\"", "password", "abc"),
        ] {
            check(line, name, value);
        }
    }

    #[test]
    fn comparisons_and_prose_are_no_assignments() {
        for line in [
            "if password == \"abc\":",
            "the password must be long",
            "password::new()",
            "password",
            "password = ",
        ] {
            let at = line.find("password").unwrap();
            assert_eq!(read(line.as_bytes(), ByteSpan::new(at, at + 8)), None, "{line}");
        }
    }
}
