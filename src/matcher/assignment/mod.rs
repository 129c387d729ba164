//! Reads `name = value` in the ways in which code and configuration write it.
//!
//! There is one reader for all languages: from a keyword inside the name it finds the whole name, then the
//! operator, then the value. It does not parse any language; it recognises the few joints that they share:
//! `=`, `:`, `:=`, `=>`, `->`, a type between `:` and `=`, an argument after a quoted name, a call, an XML
//! element or attribute pair, a command-line flag.

mod line;
mod reader;
mod readings;

use std::sync::LazyLock;

use memchr::memmem::Finder;

use crate::span::ByteSpan;
use line::{commas, ends_line, in_comment, is_comment, starts_line};
use reader::{Reader, without_scheme};
use readings::Stretches;
pub(super) use readings::{LineSight, Named, Readings};

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
    /// What else stands on the line.
    pub place: Place,
}

/// What stands round an assignment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Place {
    /// Only blanks, list and comment marks, quotes or a word such as `export` stand before the name.
    pub starts_line: bool,
    /// Only delimiters, quotes, a line continuation or a comment stand behind the value.
    pub ends_line: bool,
    /// A blank stands between the joint and the value.
    pub spaced: bool,
    /// A call other than a mere conversion stands round the value, as in `label("…")`.
    pub in_call: bool,
    /// The line starts with the mark of a comment.
    pub in_comment: bool,
    /// One blank and a small letter follow, as the next word of a sentence does.
    pub before_word: bool,
    /// The byte behind the value and its quote.
    pub after: Option<u8>,
}

/// What stands round a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Quote {
    /// Nothing: the value ends at white space or a delimiter.
    None,
    /// `'`, `"` or a backtick.
    Plain,
    /// A quote behind a backslash, as in JSON inside a string.
    Escaped,
}

/// What joins a name and its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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
const LONGEST_VALUE_BYTES: usize = 832;
/// No column is wider. Without a bound a reading would depend on bytes however far away.
const LONGEST_BLANKS_BYTES: usize = 256;
/// A row of a table with names of columns before and behind the keyword, and the row below.
const LONGEST_ROW_BYTES: usize = 16 << 10;

/// How far before the keyword its name may start.
pub(super) const NAME_BYTES: usize = LONGEST_NAME_BYTES;

/// How far behind the start of the keyword [`read`] looks at most: the name, every stretch of blanks on the way,
/// a type, a call, the value, and what ends the line.
pub(super) const AHEAD_BYTES: usize = 3072;

/// Whether `variable "` may stand before the name, whose default is looked for in the lines below.
fn opens_variable(text: &[u8], keyword_start: usize) -> bool {
    opens_variable_before(text, keyword_start, keyword_start)
}

/// The same for any name between two offsets.
pub(super) fn opens_variable_before(text: &[u8], first: usize, last: usize) -> bool {
    let before = &text[first.saturating_sub(2 * LONGEST_NAME_BYTES)..last];
    // Made once: it takes longer than the search.
    static VARIABLE: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"variable"));
    VARIABLE.find(before).is_some()
}

/// Reads the assignment to the name that holds `keyword`, a span of `text`.
pub fn read(text: &[u8], keyword: ByteSpan) -> Option<Assignment> {
    let known = &mut Stretches::default();
    read_name(text, whole_name(text, keyword, known)?, known)
}

/// Reads the assignment to a name, with what is known of the text.
fn read_name(text: &[u8], name: ByteSpan, known: &mut Stretches) -> Option<Assignment> {
    let mut reader = Reader { text, at: name.end, in_call: false, bare: &mut known.bare };
    let name_quoted = reader.closing_quote();
    let joint = reader.joint(name, name_quoted)?;
    let spaced = matches!(reader.rest().first(), Some(b' ' | b'\t'));
    let (value, quote) = reader.value(joint)?;
    let value = without_scheme(text, value);
    if value.is_empty() {
        return None;
    }
    let behind = value.end + if quote == Quote::None { 0 } else { 1 + usize::from(quote == Quote::Escaped) };
    let place = Place {
        starts_line: starts_line(text, name.start),
        ends_line: ends_line(&text[behind.min(text.len())..]),
        spaced,
        in_call: reader.in_call,
        in_comment: is_comment(known.line_before(text, name.start)),
        before_word: matches!(text.get(behind..), Some([b' ', b'a'..=b'z', ..])),
        after: text.get(behind).copied(),
    };
    Some(Assignment { name, value, quote, joint, place })
}

/// Reads `name: value` as YAML and headers mean it, with all signs in the value: up to the end of the line, or to the
/// quote that stands before the name; and a pair of a query, `?name=value`, as addresses mean it. Only where no blank
/// stands in the value, and [`read`], which knows where code ends a value, made something else of it.
fn read_scalar(text: &[u8], keyword: ByteSpan, read: Option<&Assignment>) -> Option<Assignment> {
    let is_other = |read: &Assignment| {
        // Behind the colon and a blank; what is stepped over there is taken for a type.
        let starts_late = read.value.start > read.name.end + 2;
        match read.joint {
            Joint::Colon => starts_late || !read.place.ends_line,
            Joint::Equals => matches!(read.place.after, Some(b';' | b'\'')),
            _ => false,
        }
    };
    if !read.is_none_or(is_other) {
        return None;
    }
    let name_bytes = |byte: &&u8| is_name_byte(**byte);
    let ahead = text[keyword.end..].iter().take(LONGEST_NAME_BYTES).take_while(name_bytes).count();
    let colon = keyword.end + ahead;
    let is_pair = text.get(colon) == Some(&b'=');
    if !is_pair && !matches!(text.get(colon..), Some([b':', b' ' | b'\t', ..])) {
        return None;
    }
    let behind = text[..keyword.start].iter().rev().take(LONGEST_NAME_BYTES).take_while(name_bytes).count();
    let name = ByteSpan::new(keyword.start - behind, colon);
    let previous = name.start.checked_sub(1).map(|at| text[at]);
    if is_pair && !matches!(previous, Some(b'?' | b'&')) {
        return None;
    }
    let blanks = text[colon + 1..].iter().take(LONGEST_BLANKS_BYTES);
    let start = colon + 1 + blanks.take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    let quote = previous.filter(|byte| matches!(byte, b'"' | b'\''));
    let end = scalar_end(text, start, quote, is_pair)?;
    let is_whole = match quote {
        Some(quote) => text.get(end) == Some(&quote),
        None if is_pair => true,
        None => {
            starts_line(text, name.start)
                && !matches!(text.get(start), Some(b'"' | b'\''))
                && !matches!(text.get(end), Some(byte) if !byte.is_ascii_whitespace())
                && ends_line(&text[end..])
        }
    };
    let rest = &text[(end + usize::from(quote.is_some())).min(text.len())..];
    let place = Place {
        starts_line: starts_line(text, name.start),
        ends_line: ends_line(rest),
        spaced: true,
        in_call: false,
        in_comment: in_comment(text, name.start),
        before_word: false,
        after: text.get(end).copied(),
    };
    let value = ByteSpan::new(start, end);
    (is_whole && !value.is_empty()).then_some(Assignment {
        name,
        value,
        quote: Quote::None,
        joint: if is_pair { Joint::Equals } else { Joint::Colon },
        place,
    })
}

/// Behind the last byte of a value without blanks; `None` if it is longer than values are.
fn scalar_end(text: &[u8], start: usize, quote: Option<u8>, is_pair: bool) -> Option<usize> {
    let mut end = start;
    while let Some(&byte) = text.get(end).filter(|byte| byte.is_ascii_graphic()) {
        if is_pair && b"&#\"<>`".contains(&byte) {
            break;
        }
        if Some(byte) == quote {
            // How a shell writes a quote in what it quotes.
            if byte != b'\'' || !text[end..].starts_with(b"'\\''") {
                break;
            }
            end += 3;
        } else if Some(b'"') == quote && byte == b'\\' {
            end += 1;
        }
        end += 1;
        if end - start > LONGEST_VALUE_BYTES {
            return None;
        }
    }
    let end = end.min(text.len());
    if !is_pair {
        return Some(end);
    }
    // A quote may stand in a query, but the one behind an address closes it.
    let tail = text[start..end].iter().rev().take_while(|byte| b")];,".contains(byte)).count();
    Some(text[start..end - tail].strip_suffix(b"'").map_or(end, |head| start + head.len()))
}

/// Whether [`read`] finds nothing that joins a name to a value, as the bytes of the name and the one on either side
/// of it tell already; less than so many bytes before and behind the start of the keyword are looked at.
pub(super) fn has_no_joint(text: &[u8], keyword: ByteSpan, (back, ahead): (usize, usize)) -> bool {
    static JOINTS: [bool; 256] = super::bytes::table(b" \t\n\r\x0b\x0c\"'`\\]=:-<>?+|(");
    let end = text.len().min(keyword.start + ahead - 1);
    let first = keyword.start.saturating_sub(back - 1);
    if keyword.end >= end {
        return false;
    }
    let left = text[first..keyword.start].iter().rposition(|&byte| !is_name_byte(byte));
    let right = text[keyword.end..end].iter().position(|&byte| !is_name_byte(byte));
    let (Some(left), Some(right)) = (left, right) else { return false };
    let mut behind = keyword.end + right;
    while behind > keyword.end && matches!(text[behind - 1], b'-' | b'.') {
        behind -= 1;
    }
    match text[behind] {
        b',' => text[first + left] != b':',
        byte => !JOINTS[usize::from(byte)],
    }
}

/// Whether anything can be assigned to a name in a text: [`read`], [`read_scalar`] and [`read_column`] find nothing where
/// none of the signs stands which all that joins a name to a value has at least one of.
pub(super) fn may_stand_in(text: &[u8]) -> bool {
    static SIGNS: [bool; 256] = super::bytes::table(b" \t=:<>(,");
    text.iter().any(|&byte| SIGNS[usize::from(byte)])
}

fn head_of(text: &[u8], bytes: usize) -> &[u8] {
    &text[..text.len().min(bytes)]
}

/// Reads the value under the name that holds `keyword` in the first row of a comma-separated table.
pub fn read_column(text: &[u8], keyword: ByteSpan) -> Option<Assignment> {
    let known = &mut Stretches::default();
    read_column_name(text, whole_name(text, keyword, known)?, known)
}

/// As [`read_column`], of a name, with what is known of the text.
fn read_column_name(text: &[u8], name: ByteSpan, known: &mut Stretches) -> Option<Assignment> {
    let is_in_row = |at: Option<&u8>| at.is_none_or(|&byte| is_head_byte(byte) || byte == b'\n');
    if !is_in_row(text.get(name.end)) || !is_in_row(text[..name.start].last()) {
        return None;
    }
    let (line_start, line_end) = known.head_round(text, name);
    let starts_line = line_start == 0 || text[line_start - 1] == b'\n';
    let is_near = name.start - line_start + usize::from(line_start > 0) <= LONGEST_ROW_BYTES
        && line_end - name.end < LONGEST_ROW_BYTES;
    if !starts_line || !is_near || text.get(line_end) != Some(&b'\n') {
        return None;
    }
    let (row_start, row_end) = known.row_below(text)?;
    let row = &text[row_start..row_end];
    let column = commas(&text[line_start..name.start]);
    let before = match column.checked_sub(1) {
        Some(last) => memchr::memchr_iter(b',', row).nth(last)? + 1,
        None => 0,
    };
    let field = &row[before..];
    let field = &field[..memchr::memchr(b',', field).unwrap_or(field.len())];
    let start = row_start + before;
    let quoted = field.len() > 2 && field.starts_with(b"\"") && field.trim_ascii_end().ends_with(b"\"");
    let field = field.trim_ascii_end();
    let value = ByteSpan::new(start + usize::from(quoted), start + field.len() - usize::from(quoted));
    let quote = if quoted { Quote::Plain } else { Quote::None };
    (!value.is_empty()).then(|| Assignment {
        name,
        value,
        quote,
        joint: Joint::Element,
        place: Place::default(),
    })
}

fn is_name_byte(byte: u8) -> bool {
    static NAME_BYTES: [bool; 256] = alphanumeric_and(b"_-.$");
    NAME_BYTES[usize::from(byte)]
}

/// Whether the byte may stand in a row of names of columns.
fn is_head_byte(byte: u8) -> bool {
    static HEAD_BYTES: [bool; 256] = alphanumeric_and(b"_-.$,\" \r");
    HEAD_BYTES[usize::from(byte)]
}

/// A table of letters, digits and the bytes given: they are asked for at every keyword.
const fn alphanumeric_and(others: &[u8]) -> [bool; 256] {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = (byte as u8).is_ascii_alphanumeric();
        byte += 1;
    }
    let mut at = 0;
    while at < others.len() {
        table[others[at] as usize] = true;
        at += 1;
    }
    table
}

fn whole_name(text: &[u8], keyword: ByteSpan, known: &mut Stretches) -> Option<ByteSpan> {
    // Behind a name only so many dots and dashes are left out.
    const FARTHEST_BYTES: usize = LONGEST_NAME_BYTES + LONGEST_BLANKS_BYTES;
    let (start, _) = known.name_round(text, keyword.start);
    if keyword.start - start > LONGEST_NAME_BYTES {
        return None;
    }
    let (_, end) = known.name_round(text, keyword.end);
    if end - keyword.end >= FARTHEST_BYTES {
        return None;
    }
    let mut span = ByteSpan::new(start, end);
    // `name->` and `name. ` end the name before the joint.
    while span.end > keyword.end && matches!(text[span.end - 1], b'-' | b'.') {
        span.end -= 1;
    }
    (span.len() <= LONGEST_NAME_BYTES).then_some(span)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(line: &str, name: &str, value: &str) {
        let at = line.to_ascii_lowercase().find("password").expect("the keyword is in the line");
        let found =
            read(line.as_bytes(), ByteSpan::new(at, at + 8)).unwrap_or_else(|| panic!("nothing in {line}"));
        assert_eq!(&line[found.name.range()], name, "{line}");
        assert_eq!(&line[found.value.range()], value, "{line}");
    }

    proptest! {
        #[test]
        fn nothing_is_assigned_without_a_sign(
            text in r#"(token|key|name|value|variable|public|/key|default|[a-z0-9]{1,9}|["'`\\\]\[?+|!\n\r.;$)}{@_-]){0,24}"#,
            from in 0usize..40,
            len in 0usize..6,
        ) {
            let text = text.as_bytes();
            prop_assert!(!may_stand_in(text));
            let start = from.min(text.len());
            let keyword = ByteSpan::new(start, text.len().min(start + len));
            prop_assert_eq!((read(text, keyword), read_column(text, keyword)), (None, None));
            prop_assert_eq!(read_scalar(text, keyword, None), None);
        }
    }

    #[test]
    fn a_scalar_holds_signs_at_which_code_ends() {
        let scalar = |line: &str| {
            let at = line.find("password").expect("the keyword is in the line");
            let keyword = ByteSpan::new(at, at + 8);
            let read = read(line.as_bytes(), keyword);
            read_scalar(line.as_bytes(), keyword, read.as_ref()).map(|found| {
                assert_eq!(&line[found.name.range()], "x-password");
                line[found.value.range()].to_owned()
            })
        };
        for (line, value) in [
            ("  x-password: a;b<c\\d\n", "a;b<c\\d"),
            ("x-password:  `a\"b'c", "`a\"b'c"),
            ("- x-password: ;ab # why\n", ";ab"),
            ("x-password: U\"a;b\n", "U\"a;b"),
            ("curl -H 'x-password: =\\a>b' https://h", "=\\a>b"),
            ("curl -H 'x-password: a'\\''b;c' https://h", "a'\\''b;c"),
            ("send(\"x-password: a\\\"b;c\", 1)", "a\\\"b;c"),
            ("https://h/?x-password=a;b%26c&d=e", "a;b%26c"),
            ("https://h/?a=b&x-password=a;b#c", "a;b"),
            ("get('https://h/?x-password=a;b'c')", "a;b'c"),
        ] {
            assert_eq!(scalar(line).as_deref(), Some(value), "{line}");
        }
        for line in [
            // What was read is all there is.
            "x-password: abc\n",
            "x-password: abc;\n",
            "x-password: 'abc;'\n",
            "{\"x-password\": \"abc;\"}",
            // Blanks, code, and what no quote closes.
            "x-password: a;b c\n",
            "let x-password: String = \"abc;\"",
            "if (x-password: a;b)\n",
            "curl -H 'x-password: a;b",
            "x-password=a;b\n",
            "x-password:a;b\n",
            "x-password: ",
        ] {
            assert_eq!(scalar(line), None, "{line}");
        }
        for len in [LONGEST_VALUE_BYTES, LONGEST_VALUE_BYTES + 1] {
            let line = format!("x-password: ;{}\n", "a".repeat(len - 1));
            assert_eq!(scalar(&line).is_some(), len <= LONGEST_VALUE_BYTES, "{len}");
        }
    }

    #[test]
    fn a_quote_inside_a_string_inside_a_string_closes_nothing() {
        for (line, value) in [
            (r#"{"a": "{\"password\":\"x\\\"y\",\"z\":1}"}"#, r#"x\\\"y"#),
            (r#"{"a": "{\"password\":\"x\\\\\",\"z\":1}"}"#, r"x\\\\"),
            (r#"{"a": "{\"password\":\"x\\\\\\\"y\"}"}"#, r#"x\\\\\\\"y"#),
            // A path that ends with a backslash, and no JSON.
            (r#""set password=\"C:\\\"""#, r"C:\\"),
            (r#""set password=\"C:\\a\"""#, r"C:\\a"),
        ] {
            check(line, "password", value);
        }
    }

    #[test]
    fn a_name_is_read_up_to_its_bound_and_no_farther() {
        let name_of = |before: usize, behind: usize, dots: usize| {
            let text =
                format!("={}password{}{}: x", "a".repeat(before), "b".repeat(behind), ".".repeat(dots));
            whole_name(text.as_bytes(), ByteSpan::new(before + 1, before + 9), &mut Stretches::default())
                .map(ByteSpan::len)
        };
        assert_eq!(name_of(0, 0, 0), Some(8));
        assert_eq!(name_of(44, 44, 0), Some(96));
        assert_eq!(name_of(44, 45, 0), None);
        assert_eq!(name_of(88, 0, 200), Some(96));
        assert_eq!(name_of(97, 0, 0), None);
        assert_eq!(name_of(1 << 20, 1 << 20, 0), None);
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
            ("curl -H 'x-password: aGVsbG8=' https://h", "x-password", "aGVsbG8="),
            ("let password: str='abc'", "password", "abc"),
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
            ("openssl rsa -password pass:abc -in x", "-password", "abc"),
            ("https://host/?user=a&password=abc&x=y", "password", "abc"),
            ("Server=db;Password=abc;Pooling=true", "Password", "abc"),
            ("\"CONNECT password=abc\\r\\n\"", "password", "abc"),
            ("password = []byte(\"abc\")", "password", "abc"),
            ("store(:x, :password, 'abc')", "password", "abc"),
            ("<entry key=\"password\">abc</entry>", "password", "abc"),
            ("{\"name\": \"password\", \"value\": \"abc\"}", "password", "abc"),
            ("- name: DB_PASSWORD\n  value: abc", "DB_PASSWORD", "abc"),
            ("<key>password</key>\n<string>abc</string>", "password", "abc"),
            ("password: x=  # encoded", "password", "x="),
            ("password=${OTHER}", "password", "${OTHER}"),
            ("f(password=abc)", "password", "abc"),
        ] {
            check(line, name, value);
        }
    }

    #[test]
    fn the_surroundings_are_told() {
        let place = |line: &str| {
            let at = line.find("password").expect("the keyword is in the line");
            read(line.as_bytes(), ByteSpan::new(at, at + 8)).expect("an assignment").place
        };
        let setting = place("export password=abc");
        assert!(setting.starts_line && setting.ends_line && !setting.spaced && !setting.in_call);
        let comment = place("# password: abc  # why");
        assert!(comment.starts_line && comment.ends_line && comment.spaced);
        let middle = place("run(x, password=abc, y=1)");
        assert!(!middle.starts_line && !middle.ends_line);
        assert!(place("password = label(\"abc\")").in_call);
        assert!(!place("password = String::from(\"abc\")").in_call);
        assert_eq!(place("f(password=abc)").after, Some(b')'));
    }

    #[test]
    fn comparisons_and_prose_are_no_assignments() {
        for line in [
            "if password == \"abc\":",
            "the password must be long",
            "password::new()",
            "password",
            "password = ",
            "ok ? \"password\" : \"none\"",
            "https://password:8080/",
            "[\"user\", \"password\", \"phone\"]",
            "graph/badge.svg?password=abc",
            "give the password `abc` here",
        ] {
            let at = line.find("password").unwrap();
            assert_eq!(read(line.as_bytes(), ByteSpan::new(at, at + 8)), None, "{line}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn without_a_joint_nothing_is_read(
            before in "(name: |<|:|\"|\\(|variable \"| \n|[ -~]{0,20})?[a-z_.]{0,4}",
            after in "[a-z.-]{0,4}[ -~\n]([a-z_=:>-]{0,6}|[ =:]{0,3}\"[a-z]{3,9}\")",
        ) {
            let text = format!("{before}key{after} \n value: more\n");
            let keyword = ByteSpan::new(before.len(), before.len() + 3);
            if has_no_joint(text.as_bytes(), keyword, (16, 32)) {
                prop_assert_eq!(read(text.as_bytes(), keyword), None);
            }
        }
    }
}
