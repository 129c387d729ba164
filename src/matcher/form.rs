//! Whether a value that is assigned to a name is all that a rule asks for, as written or without its escapes.

use bstr::ByteSlice as _;

use super::assignment::{Assignment, Named};
use super::bytes::table;
use super::reach::max_bytes;
use super::runs::fit_alone;
use crate::decode::{self, Layer};
use crate::rule::Rule;
use crate::rule::shape::Fit;
use crate::span::ByteSpan;

/// What is assigned to a name and all that the rule asks for. A scalar, which goes on where code would end, counts first.
pub(super) fn of_form(text: &[u8], named: &Named, rule: &Rule) -> Option<Assignment> {
    [named.scalar, named.read].into_iter().flatten().find(|assigned| is_form(text, assigned.value, rule))
}

/// Whether a value, or what it is if its escapes are undone, is all that the rule asks for.
fn is_form(text: &[u8], value: ByteSpan, rule: &Rule) -> bool {
    let written = &text[value.range()];
    // Nothing is longer without its escapes.
    if written.len() < rule.min_bytes as usize {
        return false;
    }
    // Length and bytes are asked first: most rules that look at a name never compile their expression.
    let is_value = |bytes: &[u8]| {
        (rule.min_bytes as usize..=max_bytes(rule)).contains(&bytes.len())
            && bytes.iter().all(|&byte| rule.alphabet.contains(byte))
            && match fit_alone(bytes, rule) {
                Fit::Not(_) => false,
                Fit::To(end) => end == bytes.len(),
                Fit::Perhaps => is_all_of(bytes, rule),
            }
    };
    is_value(written) || unescaped(written).iter().any(|bytes| is_value(bytes))
}

fn is_all_of(bytes: &[u8], rule: &Rule) -> bool {
    let found = rule.regex().find(bytes);
    found.is_some_and(|found| found.start() == 0 && found.end() == bytes.len())
}

/// What the value is if its escapes are undone: of a quoted string, of one inside another, of markup.
fn unescaped(value: &[u8]) -> Vec<Vec<u8>> {
    static ESCAPES: [bool; 256] = table(b"\\&%'");
    let mut out = Vec::new();
    if !value.iter().any(|&byte| ESCAPES[usize::from(byte)]) {
        return out;
    }
    if value.contains(&b'\\') {
        let once = without_backslashes(value);
        out.push(without_backslashes(&once));
        out.push(once);
    }
    for (lead, layer) in [(b'&', Layer::Entities), (b'%', Layer::Percent)] {
        if value.contains(&lead) {
            out.push(decode::without_escapes(layer, value));
        }
    }
    // How a shell writes a quote in what it quotes.
    if memchr::memmem::find(value, b"'\\''").is_some() {
        out.push(value.replace(b"'\\''", b"'"));
    }
    out
}

/// The value of a quoted string whose escapes stand for themselves, as in `\"` and `\\`.
fn without_backslashes(value: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.len());
    let mut bytes = value.iter();
    while let Some(&byte) = bytes.next() {
        out.push(if byte == b'\\' { *bytes.next().unwrap_or(&byte) } else { byte });
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::{Matcher, Scratch};
    use crate::rule::RuleSet;

    #[test]
    fn a_whole_value_is_told_through_its_escapes() {
        let file = "[[rule]]\nid = \"acme-key\"\ndescription = \"Acme\"\nkind = \"keyed\"\nseverity = \"high\"\n\
                    names = [\"acme\"]\nshape = \"PRINT{8}\"\n";
        let matcher = Matcher::new(RuleSet::empty().with_custom(file, "rules.toml").unwrap());
        for (text, value) in [
            (r#"acme = "a\\b\"cdef""#, r#"a\\b\"cdef"#),
            (r#"{"body": "{\"acme\":\"a\\\\b\\\"cdef\"}"}"#, r#"a\\\\b\\\"cdef"#),
            (r#"<add key="acme" value="a&amp;b&quot;cdef"/>"#, "a&amp;b&quot;cdef"),
            ("curl 'https://h/?acme=a%26b;cdef'", "a%26b;cdef"),
            (r"curl -H 'acme: a'\''b<cdef' https://h", r"a'\''b<cdef"),
            ("  acme: a;b<cdef\n", "a;b<cdef"),
        ] {
            let mut found = Vec::new();
            assert!(matcher.find(text.as_bytes(), &mut Scratch::default(), &mut found));
            let values: Vec<&str> = found.iter().map(|found| &text[found.secret_span.range()]).collect();
            assert_eq!(values, [value], "{text}");
        }
    }
}
