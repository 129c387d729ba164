//! Reads `name = value` in the ways in which code and configuration write it.
//!
//! There is one reader for all languages: from a keyword inside the name it finds the whole name, then the
//! operator, then the value. It does not parse any language; it recognises the few joints that they share:
//! `=`, `:`, `:=`, `=>`, `->`, a type between `:` and `=`, an argument after a quoted name, a call, an XML
//! element or attribute pair, a command-line flag.

use std::ops::Range;
use std::sync::LazyLock;

use memchr::memmem::Finder;

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

/// What was read at the last keywords of a text: several rules ask for the same one, and some ask for all that
/// stand near.
#[derive(Debug, Default)]
pub(super) struct Readings {
    /// The number of the text; what was read in others stays until it is overwritten.
    text: u64,
    slots: Vec<Slot>,
    /// Which of them was asked for last.
    last: usize,
    stretches: Stretches,
}

/// Stretches of a text that were gone through: a line may be one name, or one value, that holds a keyword every few
/// bytes, and each byte of it is looked at once then.
#[derive(Clone, Copy, Debug, Default)]
struct Stretches {
    /// From the first byte of a name to behind its last; empty where nothing is known. The last one asked for, and the
    /// one before it: a word and names near it are asked for in turn.
    name: (usize, usize),
    other_name: (usize, usize),
    /// Bytes that may stand in a value without quotes, as far as was looked.
    bare: (usize, usize),
    /// Behind the last line end before an offset, or the least offset that was looked at, and that offset.
    line: (usize, usize),
    /// As `name`, of bytes that may stand among the names of columns.
    head: (usize, usize),
    /// The row below that stretch, if it is a line and that row has as many fields, once it was asked for.
    row: Option<Option<(usize, usize)>>,
}

impl Stretches {
    /// The stretch of name bytes on both sides of an offset.
    fn name_round(&mut self, text: &[u8], at: usize) -> (usize, usize) {
        let is_in = |(start, end): (usize, usize)| (start..=end).contains(&at) && start < end;
        if !is_in(self.name) {
            std::mem::swap(&mut self.name, &mut self.other_name);
        }
        if !is_in(self.name) {
            let left = text[..at].iter().rev().take_while(|&&byte| is_name_byte(byte)).count();
            let right = text[at..].iter().take_while(|&&byte| is_name_byte(byte)).count();
            self.name = (at - left, at + right);
        }
        self.name
    }

    /// The line up to an offset, or as much of it as is looked at for the mark of a comment.
    fn line_before<'t>(&mut self, text: &'t [u8], at: usize) -> &'t [u8] {
        let floor = at.saturating_sub(LONGEST_VALUE_BYTES);
        let (start, known_to) = self.line;
        let is_known = start < known_to && (known_to..known_to + LONGEST_VALUE_BYTES).contains(&at);
        // What is before a stretch that is known was not looked at, or is another line.
        let (start, from) = if is_known { (start.max(floor), known_to.max(floor)) } else { (floor, floor) };
        let start = memchr::memrchr(b'\n', &text[from..at]).map_or(start, |end| from + end + 1);
        self.line = (start, at);
        &text[start..at]
    }

    /// The stretch of bytes of a row of names on both sides of a name.
    fn head_round(&mut self, text: &[u8], name: ByteSpan) -> (usize, usize) {
        let (start, end) = self.head;
        if !(start <= name.start && name.end <= end) || start == end {
            let left = text[..name.start].iter().rev().take_while(|&&byte| is_head_byte(byte)).count();
            let right = text[name.end..].iter().take_while(|&&byte| is_head_byte(byte)).count();
            self.head = (name.start - left, name.end + right);
            self.row = None;
        }
        self.head
    }

    /// The row below the stretch asked for last.
    fn row_below(&mut self, text: &[u8]) -> Option<(usize, usize)> {
        let (start, end) = self.head;
        *self.row.get_or_insert_with(|| {
            let below = head_of(&text[end + 1..], LONGEST_ROW_BYTES);
            let row_end = match memchr::memchr(b'\n', below) {
                Some(at) => end + 1 + at,
                None if below.len() < LONGEST_ROW_BYTES => text.len(),
                None => return None,
            };
            let commas = commas(&text[start..end]);
            (commas > 0 && commas == self::commas(&text[end + 1..row_end])).then_some((end + 1, row_end))
        })
    }
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    text: u64,
    name: ByteSpan,
    read: Option<Assignment>,
    /// Once it was asked for.
    column: Option<Option<Assignment>>,
    /// What [`read_scalar`] makes of it, once it was asked for.
    scalar: Option<Option<Assignment>>,
}

/// What may be assigned to a name.
#[derive(Clone, Copy, Debug)]
pub(super) struct Named {
    /// The name, which leads to the same for each word in it.
    pub(super) name: Option<ByteSpan>,
    /// As [`read`] has it, or as [`read_column`] where that finds nothing.
    pub(super) read: Option<Assignment>,
    /// As [`read_scalar`] has it.
    pub(super) scalar: Option<Assignment>,
}

impl Readings {
    /// About as many keywords as may stand within the reach of one.
    const SLOTS: usize = 256;

    /// Forgets all, before another text.
    pub(super) fn clear(&mut self) {
        self.text += 1;
        self.stretches = Stretches::default();
    }

    /// What is known of the name that holds the keyword: all words of one name lead to the same.
    fn slot(&mut self, text: &[u8], keyword: ByteSpan) -> Option<&mut Slot> {
        if self.is_in_last(text, keyword) {
            return self.slots.get_mut(self.last);
        }
        let name = whole_name(text, keyword, &mut self.stretches)?;
        if self.slots.is_empty() {
            let free = Slot { text: 0, name: ByteSpan::new(0, 0), read: None, column: None, scalar: None };
            self.slots.resize(Self::SLOTS, free);
        }
        self.last = name.start % Self::SLOTS;
        let slot = &mut self.slots[self.last];
        if (slot.text, slot.name) != (self.text, name) {
            let read = read_name(text, name, &mut self.stretches);
            *slot = Slot { text: self.text, name, read, column: None, scalar: None };
        }
        Some(slot)
    }

    /// Whether the keyword stands in the name asked for last, as one that holds another does. Where marks end the name
    /// it depends on the keyword, and so it does where the name is more than one stretch.
    fn is_in_last(&self, text: &[u8], keyword: ByteSpan) -> bool {
        let (start, end) = self.stretches.name;
        self.slots.get(self.last).is_some_and(|&Slot { text: of_text, name, .. }| {
            of_text == self.text
                && name.start == start
                && name.end == end
                && name.start <= keyword.start
                && keyword.end <= name.end
                && !matches!(text[end - 1], b'-' | b'.')
        })
    }

    /// As [`read`].
    pub(super) fn read(&mut self, text: &[u8], keyword: ByteSpan) -> Option<Assignment> {
        self.slot(text, keyword)?.read
    }

    /// Everything that may be assigned to the name that holds the keyword.
    pub(super) fn read_named(&mut self, text: &[u8], keyword: ByteSpan) -> Named {
        let read = self.read_or_column(text, keyword);
        let Some(slot) = self.slot(text, keyword) else { return Named { name: None, read, scalar: None } };
        let scalar = *slot.scalar.get_or_insert_with(|| read_scalar(text, keyword, read.as_ref()));
        Named { name: Some(slot.name), read, scalar }
    }

    /// As [`read`], or as [`read_column`] where that finds nothing.
    fn read_or_column(&mut self, text: &[u8], keyword: ByteSpan) -> Option<Assignment> {
        let slot = self.slot(text, keyword)?;
        let name = slot.name;
        match (slot.read, slot.column) {
            (None, None) => {}
            (None, Some(column)) => return column,
            (read, _) => return read,
        }
        let column = read_column_name(text, name, &mut self.stretches);
        self.slots[name.start % Self::SLOTS].column = Some(column);
        column
    }
}

/// How far before the keyword its name may start.
pub(super) const NAME_BYTES: usize = LONGEST_NAME_BYTES;

/// How far behind the start of the keyword [`read`] looks at most: the name, every stretch of blanks on the way,
/// a type, a call, the value, and what ends the line.
pub(super) const AHEAD_BYTES: usize = 3072;

/// How far [`read`] and [`read_column`] look from keywords of a text, which are asked for line by line.
#[derive(Debug)]
pub(super) struct LineSight<'t> {
    text: &'t [u8],
    /// The line asked for last, from its start, or the keyword where that was found, to behind its end.
    line: Range<usize>,
    /// What [`LineSight::back_to`] makes of what is above that line, if its start was found.
    above: Option<i64>,
    /// Behind the line below, white space between the two left out.
    below: usize,
}

impl<'t> LineSight<'t> {
    pub(super) fn new(text: &'t [u8]) -> Self {
        Self { text, line: 0..0, above: None, below: 0 }
    }

    /// Behind the last byte that is looked at for a keyword; beyond any text where it is seen that it ends, or
    /// a line is too long to look for its end each time.
    pub(super) fn ahead_to(&mut self, keyword_start: usize) -> usize {
        if opens_variable(self.text, keyword_start) {
            return keyword_start + AHEAD_BYTES;
        }
        if !self.line.contains(&keyword_start) && !self.turn_to(keyword_start) {
            return usize::MAX >> 1;
        }
        self.below
    }

    /// The least offset that is looked at for a keyword; less than 0 where it is seen that the text starts
    /// there, or a line is too long to look for its start each time.
    pub(super) fn back_to(&mut self, keyword_start: usize) -> i64 {
        if !self.line.contains(&keyword_start) && !self.turn_to(keyword_start) {
            return -1;
        }
        let is_near = keyword_start - self.line.start < AHEAD_BYTES;
        // Only white space and the word above it is looked at beyond the start of the line.
        self.above.filter(|_| is_near).unwrap_or(-1)
    }

    /// Reads the line of a keyword, and those beside it. `false` if it or the one below is too long or the last.
    fn turn_to(&mut self, keyword_start: usize) -> bool {
        let text = self.text;
        let line_end = |from: usize| {
            let rest = &text[from..(from + AHEAD_BYTES).min(text.len())];
            memchr::memchr(b'\n', rest).map(|at| from + at + 1)
        };
        let Some(end) = line_end(keyword_start.min(text.len())) else { return false };
        // Nothing else reads on over a line end but the white space between the two lines of an entry.
        let blanks = text[end..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        let Some(below) = line_end(end + blanks) else { return false };
        let floor = keyword_start.saturating_sub(AHEAD_BYTES);
        let start = memchr::memrchr(b'\n', &text[floor..keyword_start]).map(|at| floor + at + 1);
        // Before the name, or before the line, any white space and the word that it ends with.
        self.above = start.map(|start| text[..start].trim_ascii_end().len() as i64 - 16);
        self.line = start.unwrap_or(keyword_start)..end;
        self.below = below;
        true
    }
}

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
    let mut end = end.min(text.len());
    // A quote may stand in a query, but the one behind an address closes it.
    if is_pair {
        let tail = text[start..end].iter().rev().take_while(|byte| b")];,".contains(byte)).count();
        if let Some(head) = text[start..end - tail].strip_suffix(b"'") {
            end = start + head.len();
        }
    }
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

fn commas(line: &[u8]) -> usize {
    memchr::memchr_iter(b',', line).count()
}

/// Whether only blanks, marks and words that introduce an assignment stand before `at` on its line.
fn starts_line(text: &[u8], at: usize) -> bool {
    const INTRODUCTIONS: [&[u8]; 9] =
        [b"export", b"set", b"env", b"arg", b"declare", b"setx", b"var", b"let", b"const"];
    static MARKS: [bool; 256] = super::bytes::table(b" \t-#*/;\"'$@{[!>+");
    let before = &text[at.saturating_sub(LONGEST_NAME_BYTES)..at];
    let before = &before[memchr::memrchr(b'\n', before).map_or(0, |end| end + 1)..];
    before
        // Of a long line the last word tells.
        .rsplit(|&byte| MARKS[usize::from(byte)])
        .filter(|word| !word.is_empty())
        .all(|word| INTRODUCTIONS.iter().any(|introduction| word.eq_ignore_ascii_case(introduction)))
}

/// Whether the line of `at` starts with the mark of a comment in any common language.
fn in_comment(text: &[u8], at: usize) -> bool {
    let before = &text[at.saturating_sub(LONGEST_VALUE_BYTES)..at];
    is_comment(&before[memchr::memrchr(b'\n', before).map_or(0, |end| end + 1)..])
}

fn is_comment(line: &[u8]) -> bool {
    let line = line.trim_ascii_start();
    [&b"#"[..], b"//", b"* ", b"/*", b"--", b";", b"<!--", b"%"].iter().any(|mark| line.starts_with(mark))
}

/// Whether the rest of the line holds only what ends a statement or an entry, or a comment.
fn ends_line(rest: &[u8]) -> bool {
    for (at, &byte) in rest.iter().enumerate().take(LONGEST_NAME_BYTES) {
        match byte {
            b'\n' => return true,
            b' ' | b'\t' | b'\r' | b'"' | b'\'' | b'`' | b',' | b';' | b')' | b']' | b'}' | b'\\' | b'>' => {}
            b'#' => return true,
            b'/' | b'-' | b'<' => return matches!(rest.get(at + 1), Some(b'/' | b'-' | b'!')),
            _ => return false,
        }
    }
    true
}

/// Whether the line up to here is the `ENV` of a Dockerfile, which sets a variable without a sign.
fn follows_env(before: &[u8]) -> bool {
    // Looked at from its end: the line may be as long as the text.
    let without_blanks = |mut line: &[u8]| {
        while let [rest @ .., byte] = line
            && byte.is_ascii_whitespace()
            && *byte != b'\n'
        {
            line = rest;
        }
        line.len()
    };
    let line = &before[..without_blanks(before)];
    let Some(line) = line.strip_suffix(b"ENV") else { return false };
    matches!(line[..without_blanks(line)].last(), None | Some(b'\n'))
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

struct Reader<'t, 'k> {
    text: &'t [u8],
    at: usize,
    in_call: bool,
    /// See [`Stretches::bare`].
    bare: &'k mut (usize, usize),
}

impl Reader<'_, '_> {
    fn rest(&self) -> &[u8] {
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

    fn value(&mut self, joint: Joint) -> Option<(ByteSpan, Quote)> {
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
        static STOPS: [bool; 256] = super::bytes::table(b" \t\n\r\x0c\"'`<>;\\\0");
        let to = self.text.len().min(self.at + LONGEST_VALUE_BYTES + 1);
        let end = super::stretch::grow(self.bare, (self.at, to), |at| !STOPS[usize::from(self.text[at])])
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
fn without_scheme(text: &[u8], value: ByteSpan) -> ByteSpan {
    let scheme = scheme_len(&text[value.range()]);
    ByteSpan::new(value.start + scheme, value.end)
}

/// Length of the authentication scheme and the space that the text starts with, if more follows.
fn scheme_len(text: &[u8]) -> usize {
    // `pass:` is how openssl takes a password.
    const SCHEMES: [&[u8]; 6] = [b"bearer ", b"basic ", b"token ", b"apikey ", b"digest ", b"pass:"];
    static FIRSTS: [bool; 256] = super::bytes::table(b"BbTtAaDdPp");
    if !text.first().is_some_and(|&first| FIRSTS[usize::from(first)]) {
        return 0;
    }
    let starts =
        |scheme: &&&[u8]| text.len() > scheme.len() && text[..scheme.len()].eq_ignore_ascii_case(scheme);
    SCHEMES.iter().find(starts).map_or(0, |scheme| scheme.len())
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
    fn only_the_word_of_a_dockerfile_alone_on_its_line_sets_without_a_sign() {
        for before in ["ENV ", "FROM x\nENV ", "\n  ENV\t ", "ENV"] {
            assert!(follows_env(before.as_bytes()), "{before:?}");
        }
        for before in ["", " ", "\n", "x ENV ", "xENV ", "ENV\n", "ENV x ", "env ", "NV "] {
            assert!(!follows_env(before.as_bytes()), "{before:?}");
        }
    }

    #[test]
    fn what_is_remembered_is_what_is_read() {
        let mut readings = Readings::default();
        for text in ["password: abc", "password; abc", "password,x\nabc,d\n", "password: abd"] {
            readings.clear();
            for len in [4, 8, 4] {
                let keyword = ByteSpan::new(0, len);
                let (read, column) = (read(text.as_bytes(), keyword), read_column(text.as_bytes(), keyword));
                assert_eq!(readings.read(text.as_bytes(), keyword), read);
                assert_eq!(readings.read_or_column(text.as_bytes(), keyword), read.or(column));
            }
        }
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
