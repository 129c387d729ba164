//! Reads JSON reports back, to merge and to compare them.

use serde::Deserialize;

use super::wire::{Document, FindingRecord, RunRecord, SCHEMA_VERSION, TOOL};

/// Why a text is no report that can be used. The messages do not name the file; the caller knows it.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// Nothing at all.
    #[error("the file is empty; the run that should have written it did not end, so run it again")]
    Empty,
    /// The text ends before the report does.
    #[error("the report breaks off in line {line}; the run that wrote it was cut short, so run it again")]
    Truncated {
        /// Number of the last line.
        line: usize,
    },
    /// Not JSON.
    #[error("this is not JSON (line {line}, column {column}); it must be what --format json or jsonl wrote")]
    NotJson {
        /// Number of the line.
        line: usize,
        /// Number of the column.
        column: usize,
    },
    /// JSON of something else.
    #[error("this is JSON, but no report of stanch: {why}; it must be what --format json or jsonl wrote")]
    NotAReport {
        /// What is missing or wrong.
        why: String,
    },
    /// Written by a later version.
    #[error(
        "the report has schema version {found}, and this stanch knows none after {SCHEMA_VERSION}; use a newer stanch"
    )]
    Future {
        /// The version of the report.
        found: u64,
    },
    /// The receipt and the findings disagree.
    #[error(
        "the report says that it has {expected} findings and has {found}; somebody changed it, so run the scan again"
    )]
    Count {
        /// What the receipt says.
        expected: usize,
        /// What is there.
        found: usize,
    },
}

/// What tells a report from other JSON.
#[derive(Deserialize)]
struct Head {
    tool: Option<serde_json::Value>,
    schema_version: Option<serde_json::Value>,
}

/// A line of the form jsonl.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Line {
    Finding(Box<FindingRecord>),
    Summary(Box<RunRecord>),
}

/// Reads what [`Json`](super::Json) or [`JsonLines`](super::JsonLines) wrote.
///
/// ```
/// use stanch::coverage::{Coverage, Suppressed};
/// use stanch::report::{Document, Json, Mode, ReadError, Report, Reporter, read};
///
/// let (coverage, suppressed) = (Coverage::default(), Suppressed::default());
/// let written = Document::new(&Report::new(Mode::Scan, &[], &coverage, &suppressed));
/// let mut json = Vec::new();
/// Json.write(&written, &mut json)?;
/// assert_eq!(read(&json)?, written);
/// assert!(matches!(read(&json[..40]), Err(ReadError::Truncated { .. })));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// When the text is no whole report of a schema version that is known.
pub fn read(text: &[u8]) -> Result<Document, ReadError> {
    // An editor may have put a byte order mark before it.
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    if text.trim_ascii().is_empty() {
        return Err(ReadError::Empty);
    }
    let document = match is_lines(text) {
        true => lines(text)?,
        false => {
            check(&serde_json::from_slice::<Head>(text).map_err(|error| unread(&error))?)?;
            serde_json::from_slice::<Document>(text).map_err(|error| unread(&error))?
        }
    };
    match (document.run.finding_count, document.findings.len()) {
        (expected, found) if expected != found => Err(ReadError::Count { expected, found }),
        _ => Ok(document),
    }
}

fn check(head: &Head) -> Result<(), ReadError> {
    if head.tool.as_ref().and_then(|tool| tool.as_str()) != Some(TOOL) {
        return Err(ReadError::NotAReport { why: format!("there is no \"tool\": \"{TOOL}\"") });
    }
    match head.schema_version.as_ref().and_then(serde_json::Value::as_u64) {
        None | Some(0) => Err(ReadError::NotAReport { why: "there is no `schema_version`".to_owned() }),
        Some(found) if found > u64::from(SCHEMA_VERSION) => Err(ReadError::Future { found }),
        Some(_) => Ok(()),
    }
}

/// Whether the first line is an object with the type of a line. A whole document has no field of that name.
fn is_lines(text: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Typed {
        #[serde(rename = "type")]
        _kind: String,
    }
    let first = text.split(|&byte| byte == b'\n').next().unwrap_or_default();
    serde_json::from_slice::<Typed>(first).is_ok()
}

fn lines(text: &[u8]) -> Result<Document, ReadError> {
    let mut findings = Vec::new();
    let mut run: Option<RunRecord> = None;
    let mut last = 0;
    for (at, line) in text.split(|&byte| byte == b'\n').enumerate() {
        let number = at + 1;
        if line.trim_ascii().is_empty() {
            continue;
        }
        if run.is_some() {
            return Err(ReadError::NotAReport { why: format!("line {number} stands behind the summary") });
        }
        last = number;
        let read = serde_json::from_slice(line).map_err(|error| match unread(&error) {
            ReadError::Truncated { .. } => ReadError::Truncated { line: number },
            ReadError::NotJson { column, .. } => ReadError::NotJson { line: number, column },
            other => other,
        });
        match read? {
            Line::Finding(finding) => findings.push(*finding),
            Line::Summary(summary) => {
                let head: Head = serde_json::from_slice(line).map_err(|error| unread(&error))?;
                check(&head)?;
                run = Some(*summary);
            }
        }
    }
    match run {
        Some(run) => Ok(Document { run, findings, clock: Default::default() }),
        None => Err(ReadError::Truncated { line: last }),
    }
}

fn unread(error: &serde_json::Error) -> ReadError {
    match error.classify() {
        serde_json::error::Category::Eof => ReadError::Truncated { line: error.line() },
        serde_json::error::Category::Data => ReadError::NotAReport { why: data_error(error) },
        _ => ReadError::NotJson { line: error.line(), column: error.column() },
    }
}

/// What is wrong and where. A message of serde quotes values, and a report with `--show-secrets` has some that
/// must not be shown; the names in backquotes are those of fields and variants.
fn data_error(error: &serde_json::Error) -> String {
    let message = error.to_string();
    match message.strip_prefix("missing field ").and_then(|rest| rest.split('`').nth(1)) {
        Some(field) => format!("line {} lacks the field `{field}`", error.line()),
        None => format!("line {}, column {} has a value of another kind", error.line(), error.column()),
    }
}
