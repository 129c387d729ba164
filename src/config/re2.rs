//! Regular expressions as Go writes them, in the notation of the regex crate.
//!
//! Both are linear-time engines with nearly the same notation, but what one takes for a literal is an operator to the
//! other: `[` and `&&` in a class, `{` that opens no repetition, `\<`. And `\d`, `\s`, `\w`, `\b` mean ASCII in Go.
//! Source: the page "RE2 regular expression syntax" of Go's `regexp/syntax`.

use std::iter::Peekable;
use std::str::Chars;

/// An expression that the regex crate reads as Go reads the original.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Translated {
    /// The expression; the group asked for is named `secret`, the others have no names.
    pub pattern: String,
    /// How many groups capture.
    pub groups: usize,
}

/// Translates an expression.
///
/// # Errors
///
/// What is wrong, without quoting more of the expression than an operator.
pub(super) fn translate(go: &str, secret_group: usize) -> Result<Translated, String> {
    let mut translator =
        Translator { rest: go.chars().peekable(), out: String::new(), groups: 0, secret_group };
    translator.run()?;
    let Translator { out, groups, .. } = translator;
    if secret_group > groups {
        return Err(format!("there is no group {secret_group}: the expression has {groups}"));
    }
    Ok(Translated { pattern: out, groups })
}

struct Translator<'g> {
    rest: Peekable<Chars<'g>>,
    out: String,
    groups: usize,
    secret_group: usize,
}

/// One thing behind a backslash, or a plain character.
enum Atom {
    Character(char),
    /// Of a class: what stands between the brackets, and whether it is everything else.
    Class(&'static str, bool),
    /// As it is written in both.
    Same(String),
}

impl Translator<'_> {
    fn run(&mut self) -> Result<(), String> {
        while let Some(character) = self.rest.next() {
            match character {
                '\\' => self.escape()?,
                '[' => self.class()?,
                '(' => self.group()?,
                '{' => self.brace(),
                '}' | ']' => self.literal(character),
                '.' | '*' | '+' | '?' | '|' | ')' | '^' | '$' => self.out.push(character),
                character => self.literal(character),
            }
        }
        Ok(())
    }

    fn literal(&mut self, character: char) {
        self.out.push_str(&regex::escape(character.encode_utf8(&mut [0; 4])));
    }

    fn escape(&mut self) -> Result<(), String> {
        match self.rest.peek() {
            Some('Q') => {
                self.rest.next();
                self.quoted();
                return Ok(());
            }
            Some('b') => {
                self.rest.next();
                self.out.push_str(r"(?-u:\b)");
                return Ok(());
            }
            Some('B') => {
                self.rest.next();
                self.out.push_str(r"(?-u:\B)");
                return Ok(());
            }
            Some(&edge @ ('A' | 'z')) => {
                self.rest.next();
                self.out.push('\\');
                self.out.push(edge);
                return Ok(());
            }
            _ => {}
        }
        match self.atom()? {
            Atom::Character(character) => self.literal(character),
            Atom::Class(members, is_negated) => {
                let not = if is_negated { "^" } else { "" };
                self.out.push_str(&format!("[{not}{members}]"));
            }
            Atom::Same(text) => self.out.push_str(&text),
        }
        Ok(())
    }

    /// `\Q…\E`, to the end where it does not end.
    fn quoted(&mut self) {
        while let Some(character) = self.rest.next() {
            if character == '\\' && self.rest.peek() == Some(&'E') {
                self.rest.next();
                return;
            }
            self.literal(character);
        }
    }

    /// What stands behind a backslash, in a class or outside.
    fn atom(&mut self) -> Result<Atom, String> {
        let Some(character) = self.rest.next() else {
            return Err("a backslash ends the expression".to_owned());
        };
        Ok(match character {
            'd' => Atom::Class("0-9", false),
            'D' => Atom::Class("0-9", true),
            's' => Atom::Class(r"\t\n\x0C\r\x20", false),
            'S' => Atom::Class(r"\t\n\x0C\r\x20", true),
            'w' => Atom::Class("0-9A-Za-z_", false),
            'W' => Atom::Class("0-9A-Za-z_", true),
            'a' => Atom::Character('\x07'),
            'f' => Atom::Character('\x0C'),
            'n' => Atom::Character('\n'),
            'r' => Atom::Character('\r'),
            't' => Atom::Character('\t'),
            'v' => Atom::Character('\x0B'),
            'x' => Atom::Character(self.hexadecimal()?),
            'p' | 'P' => Atom::Same(self.property(character)?),
            '0'..='7' => Atom::Character(self.octal(character)?),
            character if character.is_ascii_alphanumeric() => {
                return Err(format!("Go's expressions have no `\\{character}`"));
            }
            character => Atom::Character(character),
        })
    }

    fn octal(&mut self, first: char) -> Result<char, String> {
        let next_is_octal =
            |rest: &mut Peekable<Chars<'_>>| rest.peek().is_some_and(|c| ('0'..='7').contains(c));
        if first != '0' && !next_is_octal(&mut self.rest) {
            return Err(format!("Go's expressions have no references such as `\\{first}`"));
        }
        let mut value = first.to_digit(8).unwrap_or(0);
        for _ in 0..2 {
            if !next_is_octal(&mut self.rest) {
                break;
            }
            let digit = self.rest.next().and_then(|digit| digit.to_digit(8)).unwrap_or(0);
            value = value * 8 + digit;
        }
        char::from_u32(value).ok_or_else(|| "an octal escape that is no character".to_owned())
    }

    fn hexadecimal(&mut self) -> Result<char, String> {
        let wrong = || "`\\x` wants two hexadecimal digits, or some in braces".to_owned();
        let mut digits = String::new();
        if self.rest.next_if_eq(&'{').is_some() {
            loop {
                match self.rest.next() {
                    Some('}') => break,
                    Some(digit) if digit.is_ascii_hexdigit() && digits.len() < 6 => digits.push(digit),
                    _ => return Err(wrong()),
                }
            }
        } else {
            digits.extend(self.rest.next());
            digits.extend(self.rest.next());
            if digits.chars().count() != 2 {
                return Err(wrong());
            }
        }
        let value = u32::from_str_radix(&digits, 16).map_err(|_| wrong())?;
        char::from_u32(value).ok_or_else(wrong)
    }

    /// `\pL`, `\p{Greek}`, `\P{^Greek}`.
    fn property(&mut self, letter: char) -> Result<String, String> {
        let wrong = || format!("`\\{letter}` wants the name of a class of characters");
        let first = self.rest.next().ok_or_else(wrong)?;
        if first != '{' {
            return if first.is_ascii_alphabetic() { Ok(format!("\\{letter}{first}")) } else { Err(wrong()) };
        }
        let is_inverted = self.rest.next_if_eq(&'^').is_some();
        let mut name = String::new();
        loop {
            match self.rest.next() {
                Some('}') => break,
                Some(character) if character.is_ascii_alphanumeric() || character == '_' => {
                    name.push(character)
                }
                _ => return Err(wrong()),
            }
        }
        let letter = match (letter, is_inverted) {
            ('p', false) | ('P', true) => 'p',
            _ => 'P',
        };
        Ok(format!("\\{letter}{{{name}}}"))
    }

    /// A repetition, or the character itself.
    fn brace(&mut self) {
        let text: String = self.rest.clone().take_while(|&c| c != '}').collect();
        let is_closed = self.rest.clone().nth(text.chars().count()) == Some('}');
        let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        let is_repetition = is_closed
            && match text.split_once(',') {
                None => is_number(&text),
                Some((least, most)) => is_number(least) && (most.is_empty() || is_number(most)),
            };
        if !is_repetition {
            return self.literal('{');
        }
        self.out.push_str(&format!("{{{text}}}"));
        self.rest.by_ref().take(text.len() + 1).for_each(drop);
    }

    fn group(&mut self) -> Result<(), String> {
        if self.rest.next_if_eq(&'?').is_none() {
            self.open_group();
            return Ok(());
        }
        let is_named = match self.rest.peek() {
            Some('P') => {
                self.rest.next();
                if self.rest.next_if_eq(&'<').is_none() {
                    return Err("Go's expressions have no `(?P` but for names, `(?P<name>…)`".to_owned());
                }
                true
            }
            Some('<') => {
                self.rest.next();
                if matches!(self.rest.peek(), Some('=' | '!')) {
                    return Err("Go's expressions cannot look behind, `(?<=…)`".to_owned());
                }
                true
            }
            Some('=' | '!') => return Err("Go's expressions cannot look ahead, `(?=…)`".to_owned()),
            _ => false,
        };
        if is_named {
            // Groups are known by their numbers, so names go.
            if !self.rest.by_ref().any(|character| character == '>') {
                return Err("the name of a group does not end".to_owned());
            }
            self.open_group();
            return Ok(());
        }
        let mut flags = String::new();
        loop {
            match self.rest.next() {
                Some(flag @ ('i' | 'm' | 's' | 'U' | '-')) => flags.push(flag),
                Some(end @ (')' | ':')) => {
                    self.out.push_str(&format!("(?{flags}{end}"));
                    // `(?:` is a group that does not capture; `(?)` means nothing in either.
                    return if flags.is_empty() && end == ')' { Err(unknown_group()) } else { Ok(()) };
                }
                _ => return Err(unknown_group()),
            }
        }
    }

    fn open_group(&mut self) {
        self.groups += 1;
        self.out.push_str(if self.groups == self.secret_group { "(?P<secret>" } else { "(" });
    }

    fn class(&mut self) -> Result<(), String> {
        let unclosed = || "a class `[…]` does not end".to_owned();
        self.out.push('[');
        if self.rest.next_if_eq(&'^').is_some() {
            self.out.push('^');
        }
        let mut is_first = true;
        loop {
            let character = self.rest.next().ok_or_else(unclosed)?;
            if character == ']' && !is_first {
                self.out.push(']');
                return Ok(());
            }
            is_first = false;
            if character == '[' && self.rest.peek() == Some(&':') && self.posix_class() {
                continue;
            }
            let low = match character {
                '\\' => match self.atom()? {
                    Atom::Character(character) => character,
                    Atom::Class(members, false) => {
                        self.out.push_str(members);
                        continue;
                    }
                    Atom::Class(members, true) => {
                        self.out.push_str(&format!("[^{members}]"));
                        continue;
                    }
                    Atom::Same(text) => {
                        self.out.push_str(&text);
                        continue;
                    }
                },
                character => character,
            };
            self.member(low);
            let mut ahead = self.rest.clone();
            if ahead.next() == Some('-') && ahead.next().is_some_and(|next| next != ']') {
                self.rest.next();
                let high = match self.rest.next().ok_or_else(unclosed)? {
                    '\\' => match self.atom()? {
                        Atom::Character(character) => character,
                        _ => return Err("a range in a class ends with a class".to_owned()),
                    },
                    character => character,
                };
                if high < low {
                    return Err("a range in a class runs backwards".to_owned());
                }
                self.out.push('-');
                self.member(high);
            }
        }
    }

    /// Takes `[:alpha:]` over; says whether it is one.
    fn posix_class(&mut self) -> bool {
        let text: String = self.rest.clone().take_while(|&c| c != ']').collect();
        let is_name = |name: &str| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase());
        let name = text.strip_prefix(':').and_then(|text| text.strip_suffix(':'));
        if !name.is_some_and(|name| is_name(name.strip_prefix('^').unwrap_or(name))) {
            return false;
        }
        self.out.push_str(&format!("[{text}]"));
        self.rest.by_ref().take(text.chars().count() + 1).for_each(drop);
        true
    }

    fn member(&mut self, character: char) {
        match character {
            '\\' | '[' | ']' | '^' | '-' | '&' | '~' => {
                self.out.push('\\');
                self.out.push(character);
            }
            character if character.is_control() => {
                self.out.push_str(&format!("\\x{{{:x}}}", u32::from(character)))
            }
            character => self.out.push(character),
        }
    }
}

fn unknown_group() -> String {
    "`(?` opens no group that Go's expressions have".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use regex::bytes::Regex;

    #[track_caller]
    fn compiled(go: &str) -> Regex {
        let translated = translate(go, 0).unwrap_or_else(|error| panic!("{go}: {error}"));
        Regex::new(&translated.pattern).unwrap_or_else(|error| panic!("{go}: {error}"))
    }

    #[test]
    fn what_reads_differently_is_rewritten() {
        for (go, yes, no) in [
            (r"^[^[\]]+$", "abc", "a["),
            (r"^[\w.[(]+$", "a.[(", "a]"),
            (r"^[a&&b]+$", "a&b", "c"),
            (r"^[+--]+$", "+,-", "."),
            (r"^[a~~b]$", "~", "c"),
            (r"^[]a]+$", "a]", "b"),
            (r"^[^]a]+$", "b", "]"),
            (r"^[a-]+$", "a-", "b"),
            (r"^[-a]+$", "a-", "b"),
            (r"^[\d-x]+$", "1-x", "y"),
            (r"^[[:alpha:]_]+$", "a_", "1"),
            (r"^[[:^alpha:]]+$", "1", "a"),
            (r"^[[:alpha]+$", "[:a", "b"),
            (r"^\${var}$", "${var}", "$var"),
            (r"^a{x}$", "a{x}", "a"),
            (r"^a{,3}$", "a{,3}", "aa"),
            (r"^a{2,3}$", "aaa", "a"),
            (r"^a{2}b{1,}$", "aab", "ab"),
            (r"^\<a\>$", "<a>", "a"),
            (r"^\Qa.b[\E+$", "a.b[[", "axb["),
            (r"^\d+$", "12", "\u{0663}"),
            (r"^\w+$", "ab_1", "é"),
            (r"^\s$", " ", "\u{a0}"),
            (r"^\s$", "\t", "\x0B"),
            (r"^[\s]$", "\n", "\x0B"),
            (r"^[^\s]$", "\x0B", " "),
            (r"^[\S]$", "\x0B", " "),
            (r"\bkey\b", "a key=", "monkey"),
            (r"^\x60\x{e9}\101\0$", "`éA\0", "x"),
            (r"^\pL\p{Greek}\P{^L}$", "aαb", "a1b"),
            (r"(?i)^ab(?-i:c)$", "ABc", "abC"),
            (r"^(?P<x>a)(?<y>b)(?:c)$", "abc", "ab"),
            (r"^a]}$", "a]}", "a"),
            (r"^(|a)$", "", "b"),
            (r"(?:'|\x60|\\|=|\-|\_){2}", "'`", "'x"),
        ] {
            let regex = compiled(go);
            assert!(regex.is_match(yes.as_bytes()), "{go} {yes:?}");
            assert!(!regex.is_match(no.as_bytes()), "{go} {no:?}");
        }
    }

    #[test]
    fn the_secret_group_is_named_by_its_number() {
        let translated = translate(r"(a(?:b)(?P<x>c))\((d)", 3).unwrap();
        assert_eq!(translated, Translated { pattern: r"(a(?:b)(c))\((?P<secret>d)".to_owned(), groups: 3 });
        assert_eq!(translate("(a)", 2).unwrap_err(), "there is no group 2: the expression has 1");
    }

    #[test]
    fn what_go_does_not_have_is_refused() {
        for bad in [
            r"(?=a)",
            r"(?!a)",
            r"(?<=a)",
            r"(?<!a)",
            r"(a)\1",
            r"\h",
            r"\Z",
            r"\C",
            r"[\b]",
            r"(?x)a",
            r"(?P=n)",
            "[a",
            r"\",
            r"[z-a]",
            r"[a-\d]",
            r"\xg0",
            r"\x{110000}",
            r"\p{",
            "(?P<a",
            "(?)",
            "(?#c)",
            r"\p-",
        ] {
            assert!(translate(bad, 0).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn literals_mean_themselves(text in "[ -~éß\\n\\t]{1,20}") {
            let quoted: String = text.chars().map(|c| match c.is_ascii_punctuation() {
                true => format!("\\{c}"),
                false => c.to_string(),
            }).collect();
            let regex = compiled(&format!("^{quoted}$"));
            prop_assert!(regex.is_match(text.as_bytes()));
            let class: String = text.chars().map(|c| format!("[{}]", match c.is_ascii_punctuation() {
                true => format!("\\{c}"),
                false => c.to_string(),
            })).collect();
            let whole = format!("^{class}$");
            prop_assert!(compiled(&whole).is_match(text.as_bytes()));
        }

        #[test]
        fn any_text_is_translated_or_refused(text in "[ -~]{0,30}") {
            if let Ok(translated) = translate(&text, 0) {
                // What compiles has as many groups as were counted.
                if let Ok(regex) = Regex::new(&translated.pattern) {
                    prop_assert_eq!(regex.captures_len(), translated.groups + 1);
                }
            }
        }
    }
}
