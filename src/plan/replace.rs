//! The lines that tell git-filter-repo and BFG what to replace.
//!
//! git-filter-repo (git-filter-repo(1), "Content editing filters") reads a file of lines `literal:TEXT==>NEW` or
//! `regex:EXPRESSION==>NEW`. A line ends at LF and loses every CR before it, and the last `==>` parts it; there are no
//! comments. Literals are replaced first, then expressions, each in the order of the file. Expressions are Python's,
//! over bytes.
//!
//! BFG reads the same forms as UTF-8 text, but goes through files line by line, so nothing with a line end in it can
//! match there; expressions are Java's.

/// What stands where a secret stood.
pub(super) const REPLACEMENT: &str = "***REMOVED***";

/// Longer than any text that others may hold by chance; shorter ones are worth a warning.
pub(super) const SHORT_BYTES: usize = 12;

/// The lines for git-filter-repo, in an order in which none spoils another: of two texts of which one holds the
/// other, the longer is replaced first.
pub(super) fn filter_repo(texts: &[Vec<u8>]) -> Vec<u8> {
    let mut out = Vec::new();
    // Expressions come after all literals, so what is part of one must not be a literal.
    let mut in_expressions: Vec<&[u8]> = Vec::new();
    for text in longest_first(texts) {
        let is_part = in_expressions.iter().any(|whole| memchr::memmem::find(whole, text).is_some());
        if is_part || text.iter().any(u8::is_ascii_control) {
            in_expressions.push(text);
            line(&mut out, "regex:", &expression(text));
        } else {
            line(&mut out, "literal:", text);
        }
    }
    out
}

/// The lines for BFG, and whether each text has one.
pub(super) fn bfg(texts: &[Vec<u8>]) -> (Vec<u8>, bool) {
    let mut out = Vec::new();
    let mut is_all = true;
    for text in longest_first(texts) {
        if !fits_bfg(text) {
            is_all = false;
        } else if text.windows(3).any(|three| three == b"==>") {
            line(&mut out, "regex:", &expression(text));
        } else {
            line(&mut out, "literal:", text);
        }
    }
    (out, is_all)
}

/// Whether a line of BFG can stand for the text: one line of text, whose separator can be told from its content.
pub(super) fn fits_bfg(text: &[u8]) -> bool {
    let separates = text.windows(3).any(|three| three == b"==>");
    std::str::from_utf8(text)
        .is_ok_and(|text| !text.contains(char::is_control) && (!separates || text.is_ascii()))
}

fn longest_first(texts: &[Vec<u8>]) -> Vec<&[u8]> {
    let mut sorted: Vec<&[u8]> = texts.iter().map(Vec::as_slice).filter(|text| !text.is_empty()).collect();
    sorted.sort_by(|a, b| (b.len(), a).cmp(&(a.len(), b)));
    sorted.dedup();
    sorted
}

fn line(out: &mut Vec<u8>, kind: &str, what: &[u8]) {
    out.extend_from_slice(kind.as_bytes());
    out.extend_from_slice(what);
    out.extend_from_slice(format!("==>{REPLACEMENT}\n").as_bytes());
}

/// An expression that matches these bytes and nothing else: letters and digits as they are, all others as `\xNN`,
/// which Python and Java read alike.
fn expression(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() * 2);
    for &byte in text {
        match byte {
            byte if byte.is_ascii_alphanumeric() => out.push(byte),
            byte => out.extend_from_slice(format!("\\x{byte:02x}").as_bytes()),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(texts: &[&[u8]]) -> Vec<String> {
        let texts: Vec<Vec<u8>> = texts.iter().map(|text| text.to_vec()).collect();
        let out = filter_repo(&texts);
        out.split_inclusive(|&byte| byte == b'\n')
            .map(|line| {
                let line = String::from_utf8_lossy(line);
                line.strip_suffix("==>***REMOVED***\n").expect("each line names what replaces").to_owned()
            })
            .collect()
    }

    #[test]
    fn one_line_of_text_is_a_literal_whatever_is_in_it() {
        for text in ["plain", "regex:a.b", "glob:*", "literal:x", "a==>b", " #lead ", "==>", "\u{fc}"] {
            assert_eq!(lines(&[text.as_bytes()]), [format!("literal:{text}")]);
        }
        assert_eq!(filter_repo(&[b"\xff\xfe==>".to_vec()]), b"literal:\xff\xfe==>==>***REMOVED***\n");
    }

    #[test]
    fn line_ends_and_control_characters_need_an_expression() {
        assert_eq!(lines(&[b"a\r\n-b\0\xff"]), [r"regex:a\x0d\x0a\x2db\x00\xff"]);
    }

    #[test]
    fn the_longer_is_replaced_before_what_it_holds() {
        assert_eq!(lines(&[b"ab", b"abc", b"ab"]), ["literal:abc", "literal:ab"]);
        assert_eq!(lines(&[b"ab", b"x\nab", b"q"]), [r"regex:x\x0aab", "regex:ab", "literal:q"]);
    }

    #[test]
    fn bfg_gets_what_it_can_match() {
        let texts = [b"a b".to_vec(), b"c==>d".to_vec(), b"e\nf".to_vec(), b"\xff".to_vec()];
        let (out, is_all) = bfg(&texts);
        assert_eq!(out.to_vec(), b"regex:c\\x3d\\x3d\\x3ed==>***REMOVED***\nliteral:a b==>***REMOVED***\n");
        assert!(!is_all);
    }
}
