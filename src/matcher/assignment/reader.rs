//! Reading on from a name: the joint, and the value behind it.

use super::line::follows_env;
use super::{
    Joint, LONGEST_BLANKS_BYTES, LONGEST_NAME_BYTES, LONGEST_VALUE_BYTES, Quote, alphanumeric_and, head_of,
    is_name_byte,
};
use crate::span::ByteSpan;

/// A place in a text from which is read on.
pub(super) struct Reader<'t, 'k> {
    pub(super) text: &'t [u8],
    pub(super) at: usize,
    pub(super) in_call: bool,
    /// See [`Stretches`](super::readings::Stretches).
    pub(super) bare: &'k mut (usize, usize),
}

impl Reader<'_, '_> {
    pub(super) fn rest(&self) -> &[u8] {
        &self.text[self.at..]
    }

    /// Takes arrays, which are compared as numbers.
    #[inline]
    fn eat<const LEN: usize>(&mut self, literal: &[u8; LEN]) -> bool {
        let found = self.rest().starts_with(literal);
        if found {
            self.at += literal.len();
        }
        found
    }

    fn blanks(&mut self) -> usize {
        let rest = self.rest().iter().take(LONGEST_BLANKS_BYTES);
        let count = rest.take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        self.at += count;
        count
    }

    /// Steps over a quote that closes a quoted name, and the bracket of `config["name"]`.
    pub(super) fn closing_quote(&mut self) -> bool {
        let slashes = self.rest().iter().take_while(|&&byte| byte == b'\\').count().min(3);
        let quoted = matches!(self.rest().get(slashes), Some(b'"' | b'\'' | b'`'));
        if quoted {
            self.at += slashes + 1;
        }
        let bracket = self.eat(b"]");
        quoted || bracket
    }

    pub(super) fn joint(&mut self, name: ByteSpan, name_quoted: bool) -> Option<Joint> {
        let previous = name.start.checked_sub(1).map(|at| self.text[at]);
        // The user in a URL: `scheme://token:value@host`, or what stands behind its colon.
        if previous == Some(b'/') && self.rest().starts_with(b":") {
            return None;
        }
        // A badge is shown to everybody, and so is the token in its address.
        if self.text[..name.start].ends_with(b".svg?") {
            return None;
        }
        // The middle of `condition ? "name" : "other"`.
        if name_quoted && self.text[..name.start.saturating_sub(1)].trim_ascii_end().ends_with(b"?") {
            return None;
        }
        let is_symbol = previous == Some(b':');
        let spaces = self.blanks();
        let operator = match self.rest() {
            [b':' | b'?' | b'+', b'=', ..] => Some((2, Joint::Equals)),
            [b'=' | b'-', b'>', ..] | [b'<', b'-', ..] => Some((2, Joint::Arrow)),
            [b'|', b'|', b'=', ..] => Some((3, Joint::Equals)),
            // A comparison or a path of names gives no value.
            [b'=', b'=' | b'~', ..] | [b':', b':', ..] => return None,
            _ => None,
        };
        if let Some((len, joint)) = operator {
            self.at += len;
            return Some(joint);
        }
        if self.eat(b"=") {
            return Some(Joint::Equals);
        }
        if self.eat(b":") {
            self.type_annotation(previous.filter(|_| !name_quoted));
            return Some(Joint::Colon);
        }
        if name_quoted && self.value_beside() {
            return Some(Joint::Element);
        }
        // The first of several arguments or of a pair; in a longer list the next word is no value.
        let opens_a_pair = || {
            let before = &self.text[..name.start.saturating_sub(1)];
            before.trim_ascii_end().last().is_some_and(|byte| matches!(byte, b'(' | b'{'))
        };
        let leads_to_argument = is_symbol || (name_quoted && opens_a_pair());
        if self.eat(b"(") || (leads_to_argument && self.eat(b",")) {
            self.blanks();
            return self.quote_ahead().then_some(Joint::Argument);
        }
        if previous == Some(b'<') && self.eat(b">") {
            return Some(Joint::Element);
        }
        if name_quoted && self.eat(b">") {
            return Some(Joint::Element);
        }
        // A property list: `<key>name</key><string>value</string>`.
        if previous == Some(b'>') && self.eat(b"</key>") {
            self.white_space();
            return self.eat(b"<string>").then_some(Joint::Element);
        }
        if self.names_an_entry(name) && self.value_on_next_line() {
            return Some(Joint::Element);
        }
        if name_quoted && self.default_of_variable(name) {
            return Some(Joint::Element);
        }
        if spaces == 0 || name_quoted {
            return None;
        }
        let is_flag = self.text[name.start..].starts_with(b"-")
            || self.text[name.range()].eq_ignore_ascii_case(b"identified by");
        // A list of flags has its explanations in a column.
        if is_flag && spaces > 1 {
            return None;
        }
        // `using public key "…"`.
        let before = &self.text[name.start.saturating_sub(b"public ".len())..name.start];
        if before.eq_ignore_ascii_case(b"public ") {
            return None;
        }
        let starts_line = || {
            let line = self.text[..name.start].iter().rev().take_while(|&&byte| byte != b'\n');
            line.into_iter().all(|byte| matches!(byte, b' ' | b'\t')) || follows_env(&self.text[..name.start])
        };
        // In prose a word between backticks is code, whatever stands before it.
        let in_prose = self.rest().starts_with(b"`");
        (!in_prose && (is_flag || starts_line() || self.quote_ahead())).then_some(Joint::Space)
    }

    fn white_space(&mut self) {
        let count =
            self.rest().iter().take(LONGEST_NAME_BYTES).take_while(|b| b.is_ascii_whitespace()).count();
        self.at += count;
    }

    /// Steps to the value in `name="token" value="…"`, `"name": "token", "value": "…"`, `"><value>`.
    fn value_beside(&mut self) -> bool {
        let start = self.at;
        if self.eat(b"><value>") {
            return true;
        }
        self.eat(b",");
        self.white_space();
        let slashes = self.rest().iter().take_while(|&&byte| byte == b'\\').count().min(3);
        self.at += slashes;
        let quoted = self.eat(b"\"") || self.eat(b"'");
        if self.eat(b"value") || self.eat(b"Value") {
            self.at += if quoted { slashes + 1 } else { 0 };
            self.blanks();
            if self.eat(b":") || self.eat(b"=") {
                return true;
            }
        }
        self.at = start;
        false
    }

    /// Steps to the value in `variable "name" { … default = "…" }` of Terraform.
    fn default_of_variable(&mut self, name: ByteSpan) -> bool {
        /// How far into the block the default is looked for.
        const BLOCK_BYTES: usize = 256;
        // As near as [`opens_variable`] looks for it.
        let before = &self.text[name.start.saturating_sub(LONGEST_NAME_BYTES)..name.start.saturating_sub(1)];
        if !before.trim_ascii_end().ends_with(b"variable") {
            return false;
        }
        let rest = self.rest();
        let block = &rest[..rest.len().min(BLOCK_BYTES)];
        let block = &block[..memchr::memchr(b'}', block).unwrap_or(block.len())];
        let Some(at) = memchr::memmem::find(block, b"default") else { return false };
        let start = self.at;
        self.at += at + b"default".len();
        self.blanks();
        let found = self.eat(b"=");
        if !found {
            self.at = start;
        }
        found
    }

    /// Whether `name:` or `key:` stands before the name, as in the entries of a Kubernetes list.
    fn names_an_entry(&self, name: ByteSpan) -> bool {
        let before = self.text[..name.start].trim_ascii_end();
        if !before.ends_with(b":") {
            return false;
        }
        before.ends_with(b"name:") || before.ends_with(b"key:") || before.ends_with(b"Key:")
    }

    fn value_on_next_line(&mut self) -> bool {
        let start = self.at;
        self.white_space();
        let eaten = self.eat(b"value:") || self.eat(b"Value:");
        if !eaten {
            self.at = start;
        }
        eaten
    }

    /// Steps over the type in `name: Type = value`; `previous` stands before a name without quotes of its own.
    fn type_annotation(&mut self, previous: Option<u8>) {
        // `Authorization: Digest username="…"` names a scheme, no type.
        if scheme_len(self.rest().trim_ascii_start()) > 0 {
            return;
        }
        static TYPE_BYTES: [bool; 256] = alphanumeric_and(b" \t_.<>[]&|?':*");
        let line = self.rest().iter().take(64);
        let type_bytes = line.take_while(|byte| TYPE_BYTES[usize::from(**byte)]).count();
        let (type_text, after) = self.rest().split_at(type_bytes);
        // Base64 ends with `=` too, and there nothing comes behind it, or the quote that closes it.
        let behind = after.get(1..).unwrap_or_default();
        let blanks = behind.iter().take(LONGEST_BLANKS_BYTES);
        let blanks = blanks.take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        let closes = |byte: &u8| {
            let is_open = || previous == Some(*byte) || type_text.contains(byte);
            b"\r\n#,;".contains(byte) || (matches!(byte, b'"' | b'\'') && is_open())
        };
        let goes_on = behind.get(blanks).is_some_and(|byte| !closes(byte));
        let has_name = type_text.iter().any(u8::is_ascii_alphabetic) && goes_on;
        if has_name && after.starts_with(b"=") && !after.starts_with(b"==") && !after.starts_with(b"=>") {
            self.at += type_bytes + 1;
        }
    }

    fn quote_ahead(&self) -> bool {
        let rest = self.rest();
        let skip = rest.iter().take_while(|byte| b"\\bBrRuUfF@L$".contains(byte)).count().min(3);
        matches!(rest.get(skip), Some(b'"' | b'\'' | b'`'))
    }

    pub(super) fn value(&mut self, joint: Joint) -> Option<(ByteSpan, Quote)> {
        if joint == Joint::Element {
            self.blanks();
        }
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
        let mut span = self.bare_value()?;
        self.cut_before_next_pair(&mut span);
        Some((self.trimmed(span), Quote::None)).filter(|(span, _)| !span.is_empty())
    }

    /// Steps over a call round a quoted value, as in `SecretString::new("…")`.
    fn wrapper(&mut self) {
        static CALL_BYTES: [bool; 256] = alphanumeric_and(b"_.: []");
        const LONGEST_CALL_BYTES: usize = 48;
        if memchr::memchr(b'(', head_of(self.rest(), LONGEST_CALL_BYTES + 1)).is_none() {
            return;
        }
        let path = self
            .rest()
            .iter()
            .take(LONGEST_CALL_BYTES)
            .take_while(|byte| CALL_BYTES[usize::from(**byte)])
            .count();
        let reads_environment = |path: &[u8]| path.to_ascii_lowercase().windows(3).any(|w| w == b"env");
        if path > 0 && self.rest().get(path) == Some(&b'(') && !reads_environment(&self.rest()[..path]) {
            let outside = self.at;
            self.at += path + 1;
            self.blanks();
            if self.quote_ahead() {
                self.in_call = !is_conversion(&self.text[outside..outside + path]);
            } else {
                self.at = outside;
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
        // In JSON inside a string an escaped backslash escapes what follows it. Where a string holds something else
        // the quote behind one closes, and then none follows that could.
        let is_nested = escaped && self.text[..start - 2].last() != Some(&b'\\');
        let mut inner_quote = None;
        let mut closed = false;
        while let Some(&byte) = self.text.get(at) {
            if at - start > LONGEST_VALUE_BYTES || byte == b'\n' {
                break;
            }
            if byte != mark && byte != b'\\' {
                let to = self.text.len().min(start + LONGEST_VALUE_BYTES + 1);
                let next = memchr::memchr3(mark, b'\\', b'\n', &self.text[at..to]);
                at = next.map_or(to, |next| at + next);
                continue;
            }
            match (byte, &self.text[at + 1..]) {
                (b'\\', [next, ..]) if escaped && *next == mark => closed = true,
                (b'\\', [b'\\', b'\\', next, ..]) if is_nested && *next == mark => {
                    inner_quote.get_or_insert(at + 2);
                    at += 3;
                }
                (b'\\', [b'\\', b'\\', b'\\', ..]) if is_nested => at += 3,
                (b'\\', _) => at += 1,
                _ => closed = byte == mark && inner_quote.is_none(),
            }
            if closed || (byte == mark && inner_quote.is_some()) {
                break;
            }
            at += 1;
        }
        let end = if closed { at } else { inner_quote? };
        let quote = if escaped { Quote::Escaped } else { Quote::Plain };
        Some((ByteSpan::new(start, end), quote))
    }

    /// What stands here up to a blank, a quote or a delimiter, if it is no longer than a value.
    fn bare_value(&mut self) -> Option<ByteSpan> {
        static STOPS: [bool; 256] = crate::matcher::bytes::table(b" \t\n\r\x0c\"'`<>;\\\0");
        let to = self.text.len().min(self.at + LONGEST_VALUE_BYTES + 1);
        let end =
            crate::matcher::stretch::grow(self.bare, (self.at, to), |at| !STOPS[usize::from(self.text[at])])
                .unwrap_or(to);
        let len = end - self.at;
        (len > 0 && len <= LONGEST_VALUE_BYTES).then(|| ByteSpan::new(self.at, end))
    }

    fn until(&mut self, stop: impl Fn(u8) -> bool) -> Option<ByteSpan> {
        let len = self.rest().iter().take(LONGEST_VALUE_BYTES + 1).take_while(|&&byte| !stop(byte)).count();
        (len > 0 && len <= LONGEST_VALUE_BYTES).then(|| ByteSpan::new(self.at, self.at + len))
    }

    /// Ends the value where `&name=` or `,name=` follows: a query, or a list of settings.
    fn cut_before_next_pair(&self, span: &mut ByteSpan) {
        let value = &self.text[span.range()];
        let is_pair = |at: &usize| {
            let rest = &value[at + 1..];
            let name = rest.iter().take_while(|&&byte| is_name_byte(byte)).count();
            name > 0 && rest.get(name) == Some(&b'=') && rest.get(name + 1).is_some_and(|&b| b != b'=')
        };
        if let Some(at) = memchr::memchr2_iter(b'&', b',', value).find(is_pair) {
            span.end = span.start + at;
        }
    }

    /// An unquoted value without the punctuation that ends a statement, an entry or a bracket.
    fn trimmed(&self, mut span: ByteSpan) -> ByteSpan {
        // How many of each bracket are open, and closed; counted once, for there may be hundreds at the end.
        const BRACKETS: [(u8, u8); 3] = [(b'(', b')'), (b'[', b']'), (b'{', b'}')];
        let mut counts = [None; 3];
        while span.end > span.start {
            let value = &self.text[span.range()];
            let last = value[value.len() - 1];
            let belongs = match BRACKETS.iter().position(|&(_, close)| close == last) {
                None => !matches!(last, b',' | b';' | b'\\'),
                Some(kind) => {
                    let (open, close) = BRACKETS[kind];
                    let count = |byte: u8| value.iter().filter(|&&other| other == byte).count();
                    let (opened, closed) = counts[kind].get_or_insert_with(|| (count(open), count(close)));
                    let belongs = opened >= closed;
                    *closed -= 1;
                    belongs
                }
            };
            if belongs {
                break;
            }
            span.end -= 1;
        }
        span
    }
}

/// Whether the call only gives the literal another type.
fn is_conversion(path: &[u8]) -> bool {
    const CONVERSIONS: [&[u8]; 18] = [
        b"some",
        b"just",
        b"ok",
        b"new",
        b"string",
        b"str",
        b"from",
        b"of",
        b"bytes",
        b"byte",
        b"text",
        b"secret",
        b"secretstring",
        b"securestring",
        b"to_string",
        b"from_str",
        b"ptr",
        b"pointer",
    ];
    let last =
        path.rsplit(|byte| !byte.is_ascii_alphanumeric() && *byte != b'_').find(|word| !word.is_empty());
    last.is_some_and(|last| CONVERSIONS.iter().any(|name| last.eq_ignore_ascii_case(name)))
}

/// The value behind `Bearer `, `Basic ` and the like.
pub(super) fn without_scheme(text: &[u8], value: ByteSpan) -> ByteSpan {
    let scheme = scheme_len(&text[value.range()]);
    ByteSpan::new(value.start + scheme, value.end)
}

/// Length of the authentication scheme and the space that the text starts with, if more follows.
fn scheme_len(text: &[u8]) -> usize {
    // `pass:` is how openssl takes a password.
    const SCHEMES: [&[u8]; 6] = [b"bearer ", b"basic ", b"token ", b"apikey ", b"digest ", b"pass:"];
    static FIRSTS: [bool; 256] = crate::matcher::bytes::table(b"BbTtAaDdPp");
    if !text.first().is_some_and(|&first| FIRSTS[usize::from(first)]) {
        return 0;
    }
    let starts =
        |scheme: &&&[u8]| text.len() > scheme.len() && text[..scheme.len()].eq_ignore_ascii_case(scheme);
    SCHEMES.iter().find(starts).map_or(0, |scheme| scheme.len())
}
