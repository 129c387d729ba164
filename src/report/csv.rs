//! Comma-separated values, for spreadsheets.

use std::borrow::Cow;
use std::io::{self, Write};

use super::Reporter;
use super::text::{escape, escape_bytes};
use super::wire::{CommitRecord, Document, FindingRecord};

/// Writes a line of names and then one for each finding, in the form of RFC 4180 and in UTF-8.
///
/// A cell that a spreadsheet would take for a formula has an apostrophe before it, which spreadsheets do not show.
/// Control characters are written as escapes. What could not be read is no finding and has no line; the exit code
/// and the warning of [`Reporter::write`] tell of it.
#[derive(Clone, Copy, Debug)]
pub struct Csv;

const COLUMNS: [&str; 24] = [
    "severity",
    "confidence",
    "rule",
    "provider",
    "description",
    "repository",
    "path",
    "line",
    "column",
    "secret_redacted",
    "fingerprint",
    "excerpt",
    "reason",
    "origin",
    "object",
    "in_head",
    "reached_by",
    "first_commit",
    "first_date",
    "first_author",
    "last_commit",
    "last_date",
    "last_author",
    "revoke",
];

impl Reporter for Csv {
    fn write(&self, document: &Document, out: &mut dyn Write) -> io::Result<Vec<String>> {
        write!(out, "{}\r\n", COLUMNS.join(","))?;
        for finding in &document.findings {
            let cells = cells(finding).map(|text| cell(&text));
            write!(out, "{}\r\n", cells.join(","))?;
        }
        match document.is_complete() {
            true => Ok(Vec::new()),
            false => {
                Ok(vec!["csv: the job is not complete, and this form has no place to say so".to_owned()])
            }
        }
    }
}

fn cells(finding: &FindingRecord) -> [Cow<'_, str>; COLUMNS.len()] {
    let secret = &finding.secret;
    let history = finding.history.as_ref();
    let optional = |text: &Option<String>| Cow::Owned(text.clone().unwrap_or_default());
    let [first, last] = [
        history.and_then(|history| history.first_commit.as_ref()),
        history.and_then(|history| history.last_commit.as_ref()),
    ]
    .map(commit);
    let [first_id, first_date, first_author] = first;
    let [last_id, last_date, last_author] = last;
    [
        finding.severity.name().into(),
        finding.confidence.name().into(),
        (&finding.rule).into(),
        (&finding.provider).into(),
        (&finding.description).into(),
        optional(&finding.repository),
        escape_bytes(&finding.repository_path_bytes()).into(),
        secret.line.to_string().into(),
        secret.column.to_string().into(),
        secret.secret.as_ref().unwrap_or(&secret.secret_redacted).into(),
        (&secret.fingerprint).into(),
        secret.excerpt.trim().into(),
        (&finding.reason).into(),
        (&finding.origin.kind).into(),
        optional(&finding.origin.object),
        history.map_or("", |history| if history.in_head { "yes" } else { "no" }).into(),
        history.map(|history| history.reached_by.join(" ")).unwrap_or_default().into(),
        first_id,
        first_date,
        first_author,
        last_id,
        last_date,
        last_author,
        optional(&finding.revoke),
    ]
}

fn commit(commit: Option<&CommitRecord>) -> [Cow<'_, str>; 3] {
    match commit {
        Some(CommitRecord { id, author, email, date, .. }) => {
            [id.into(), date.as_deref().unwrap_or_default().into(), format!("{author} <{email}>").into()]
        }
        None => ["", "", ""].map(Cow::Borrowed),
    }
}

/// A cell that means itself: <https://owasp.org/www-community/attacks/CSV_Injection>. The wide forms of the signs count
/// too, since some spreadsheets read them as the narrow ones.
fn cell(text: &str) -> String {
    let text = escape(text);
    let is_formula = text.trim_start().starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠', '|', '%']);
    let guard = if is_formula { "'" } else { "" };
    if guard.is_empty() && !text.contains([',', '"', ';', '\'', ' ']) {
        return text.into_owned();
    }
    format!("\"{guard}{}\"", text.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula() {
        for (text, expected) in [
            ("plain", "plain"),
            ("", ""),
            ("a,b", "\"a,b\""),
            ("say \"hi\"", "\"say \"\"hi\"\"\""),
            ("=1+1", "\"'=1+1\""),
            ("  @SUM(A1)", "\"'  @SUM(A1)\""),
            ("-x.txt", "\"'-x.txt\""),
            ("＝1", "\"'＝1\""),
            ("a\r\n=1", "a\\r\\n=1"),
            ("\t=1", "\\t=1"),
        ] {
            assert_eq!(cell(text), expected, "{text}");
        }
    }
}
