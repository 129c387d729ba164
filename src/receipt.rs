//! The receipt of a run: what was examined, what was not and why, under which rules, sealed with a digest.
//!
//! A receipt is one JSON object. Its member `digest` is `sha256:` and the SHA-256 of all other members in canonical
//! form: object members sorted by the bytes of their names, no white space, strings as JSON with only `"`, `\` and
//! control characters escaped, numbers as integers. The digest shows that a receipt is as stanch wrote it and names
//! it in few characters; it is no signature, so whoever must trust it takes it from a CI job that they trust.
//!
//! Members: `stanch_receipt` (1), `version`, `mode`, `finished` (RFC 3339, UTC), `exit_code`, `complete`,
//! `repository` (`head`, `branch`, `remotes`; `null` outside one), `targets` (paths or ranges), `options`, `rules`
//! (`count`, `digest`), `configuration` (`path`, `digest`, or `null`), `examined` (`files`, `blobs`, `known_clean`,
//! `commits`, `refs`, `bytes`), `left_out` (`by_reason`, and `entries` with `name`, `reason` and, for what git
//! ignores, `by`: file, line and pattern), `not_examined` (what could not be read: `name`, `reason`, `message`),
//! `findings` (`count`, `by_severity`, `list` of `rule` and `fingerprint`), `let_pass` (`inline`, `allowlist`,
//! `below_threshold`) and `digest`.

use std::collections::BTreeMap;
use std::fmt::Write;

use bstr::{BString, ByteSlice};
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::coverage::{Coverage, Problem};
use crate::finding::Finding;
use crate::git::Identity;
use crate::git::ignore::Decision;
use crate::report::Mode;
use crate::report::redact::Redactor;
use crate::scanner::Outcome;
use crate::secret::Secret;

/// A run as receipts and logs tell of it.
#[derive(Clone, Debug)]
pub struct Run<'r> {
    /// What was scanned.
    pub mode: Mode,
    /// What was found, read and let pass.
    pub outcome: &'r Outcome,
    /// The repository, if there is one.
    pub identity: Option<&'r Identity>,
    /// Paths or ranges as they were typed.
    pub targets: Vec<String>,
    /// Options that decide what is read and what counts.
    pub options: BTreeMap<&'static str, Value>,
    /// How many rules were used.
    pub rule_count: usize,
    /// See [`crate::scanner::Scanner::digest`].
    pub rules_digest: [u8; 32],
    /// The configuration file and the SHA-256 of its bytes.
    pub configuration: Option<(String, [u8; 32])>,
    /// What git ignores and was left out for that.
    pub ignored: Vec<Ignored>,
    /// The exit code of the run.
    pub exit_code: u8,
    /// The end of the run in seconds since 1970-01-01T00:00:00Z.
    pub finished_seconds: i64,
}

#[cfg(test)]
impl<'r> Run<'r> {
    /// A run of standard input with one rule, of which nothing else is to be told.
    pub(crate) fn plain(outcome: &'r Outcome) -> Self {
        Self {
            mode: Mode::Stdin,
            outcome,
            identity: None,
            targets: Vec::new(),
            options: BTreeMap::new(),
            rule_count: 1,
            rules_digest: [7; 32],
            configuration: None,
            ignored: Vec::new(),
            exit_code: 0,
            finished_seconds: 0,
        }
    }
}

/// A file or directory that was left out since git ignores it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ignored {
    /// The path; a directory ends in `/`, and the files in it that are tracked were read all the same.
    pub path: BString,
    /// The line that decides.
    pub by: Decision,
}

/// Why a receipt is not accepted.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// The text is no JSON.
    #[error("it is no JSON: {0}")]
    NoJson(serde_json::Error),
    /// It is JSON of another kind.
    #[error("it is no receipt of stanch, or one of a later form")]
    NoReceipt,
    /// Something in it was changed.
    #[error("its digest is {written}, and its content has {actual}: it was changed after it was written")]
    Changed {
        /// The digest in the receipt.
        written: String,
        /// The digest of its content.
        actual: String,
    },
}

/// What a receipt that was not changed says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// Its digest, `sha256:…`.
    pub digest: String,
    /// What was scanned.
    pub mode: String,
    /// Whether everything was read.
    pub is_complete: bool,
    /// The exit code of the run.
    pub exit_code: u64,
    /// The commit that was checked out.
    pub head: Option<String>,
    /// How many findings there were.
    pub findings: u64,
}

/// Writes the receipt of a run, with a line end.
pub fn write(run: &Run<'_>) -> Vec<u8> {
    let redactor = Redactor::of(secrets(&run.outcome.findings));
    let mut receipt = redacted(content(run), &redactor);
    let digest = digest(&receipt);
    if let Value::Object(members) = &mut receipt {
        members.insert("digest".to_owned(), Value::String(digest));
    }
    let mut out = serde_json::to_vec_pretty(&receipt).expect("values always become JSON");
    out.push(b'\n');
    out
}

/// Checks that a receipt is as it was written.
///
/// # Errors
///
/// When it is no receipt or was changed.
pub fn check(text: &[u8]) -> Result<Checked, CheckError> {
    let mut receipt: Value = serde_json::from_slice(text).map_err(CheckError::NoJson)?;
    let members = receipt.as_object_mut().ok_or(CheckError::NoReceipt)?;
    let written = match members.remove("digest") {
        Some(Value::String(written)) if members.get("stanch_receipt") == Some(&json!(1)) => written,
        _ => return Err(CheckError::NoReceipt),
    };
    let actual = digest(&receipt);
    if written != actual {
        return Err(CheckError::Changed { written, actual });
    }
    let text = |value: &Value| value.as_str().map(str::to_owned);
    Ok(Checked {
        digest: written,
        mode: text(&receipt["mode"]).ok_or(CheckError::NoReceipt)?,
        is_complete: receipt["complete"].as_bool().ok_or(CheckError::NoReceipt)?,
        exit_code: receipt["exit_code"].as_u64().ok_or(CheckError::NoReceipt)?,
        head: text(&receipt["repository"]["head"]),
        findings: receipt["findings"]["count"].as_u64().ok_or(CheckError::NoReceipt)?,
    })
}

fn content(run: &Run<'_>) -> Value {
    let outcome = run.outcome;
    let coverage = &outcome.coverage;
    let suppressed = &outcome.suppressed;
    json!({
        "stanch_receipt": 1,
        "version": env!("CARGO_PKG_VERSION"),
        "mode": run.mode.name(),
        "finished": time(run.finished_seconds),
        "exit_code": run.exit_code,
        "complete": coverage.problems.is_empty(),
        "repository": run.identity.map(repository),
        "targets": run.targets,
        "options": run.options,
        "rules": { "count": run.rule_count, "digest": hex(&run.rules_digest) },
        "configuration": configuration(run),
        "examined": examined(coverage),
        "left_out": left_out(run),
        "not_examined": coverage.problems.iter().map(not_examined).collect::<Vec<_>>(),
        "findings": findings(&outcome.findings),
        "let_pass": {
            "inline": suppressed.inline,
            "allowlist": suppressed.allowlist,
            "baseline": suppressed.baseline,
            "below_threshold": suppressed.below_threshold,
        },
    })
}

/// The repository as receipts and logs name it.
pub(crate) fn repository(identity: &Identity) -> Value {
    json!({
        "head": identity.head.map(|head| head.to_string()),
        "branch": identity.branch.as_ref().map(|branch| branch.to_str_lossy()),
        "remotes": identity.remotes.iter().cloned().collect::<BTreeMap<_, _>>(),
    })
}

pub(crate) fn configuration(run: &Run<'_>) -> Value {
    json!(run.configuration.as_ref().map(|(path, digest)| json!({ "path": path, "digest": hex(digest) })))
}

pub(crate) fn examined(coverage: &Coverage) -> Value {
    json!({
        "files": coverage.files,
        "blobs": coverage.blobs,
        "known_clean": coverage.known_clean,
        "commits": coverage.commits,
        "refs": coverage.refs,
        "bytes": coverage.bytes,
    })
}

fn left_out(run: &Run<'_>) -> Value {
    let mut by_reason: BTreeMap<&str, u64> = BTreeMap::new();
    let mut entries = Vec::new();
    for skipped in &run.outcome.coverage.skipped {
        *by_reason.entry(skipped.reason.name()).or_default() += 1;
        entries.push(named(&skipped.name, json!({ "reason": skipped.reason.name() })));
    }
    for Ignored { path, by } in &run.ignored {
        *by_reason.entry("ignored").or_default() += 1;
        let by = json!({
            "file": by.file.to_str_lossy(),
            "line": by.line,
            "pattern": by.text.to_str_lossy(),
        });
        entries.push(named(path, json!({ "reason": "ignored", "by": by })));
    }
    json!({ "by_reason": by_reason, "entries": entries })
}

fn not_examined(problem: &Problem) -> Value {
    let reason = match problem.name.as_slice() {
        b"partial clone" => "missing-promisor-object",
        _ if problem.message.contains("shallow") => "shallow",
        _ if problem.message.contains("missing") => "missing-object",
        _ => "unreadable",
    };
    named(&problem.name, json!({ "reason": reason, "message": problem.message }))
}

fn findings(findings: &[Finding]) -> Value {
    let mut by_severity: BTreeMap<&str, u64> = BTreeMap::new();
    for finding in findings {
        *by_severity.entry(finding.rule.severity.name()).or_default() += 1;
    }
    let mut list: Vec<(String, &str)> =
        findings.iter().map(|finding| (finding.fingerprint.to_string(), finding.rule.id.as_str())).collect();
    list.sort();
    list.dedup();
    let list: Vec<Value> = list
        .into_iter()
        .map(|(fingerprint, rule)| json!({ "rule": rule, "fingerprint": fingerprint }))
        .collect();
    json!({ "count": findings.len(), "by_severity": by_severity, "list": list })
}

/// Adds the name, with its bytes where they are no UTF-8.
fn named(name: &BString, mut value: Value) -> Value {
    if let Value::Object(members) = &mut value {
        members.insert("name".to_owned(), Value::String(name.to_str_lossy().into_owned()));
        if name.to_str().is_err() {
            let bytes = data_encoding::HEXLOWER.encode(name);
            members.insert("name_bytes_hex".to_owned(), Value::String(bytes));
        }
    }
    value
}

pub(crate) fn secrets(findings: &[Finding]) -> impl Iterator<Item = &Secret> {
    findings.iter().flat_map(|finding| {
        std::iter::once(&finding.secret).chain(finding.parts.iter().map(|part| &part.secret))
    })
}

/// The value with every secret in its texts redacted: one may stand in a path.
pub(crate) fn redacted(value: Value, redactor: &Redactor) -> Value {
    match value {
        Value::String(text) => Value::String(redactor.text(&text).into_owned()),
        Value::Array(values) => values.into_iter().map(|value| redacted(value, redactor)).collect(),
        Value::Object(members) => {
            let members = members.into_iter().map(|(name, value)| (name, redacted(value, redactor)));
            Value::Object(members.collect::<Map<_, _>>())
        }
        other => other,
    }
}

pub(crate) fn time(seconds: i64) -> String {
    Timestamp::from_second(seconds).unwrap_or(Timestamp::UNIX_EPOCH).to_string()
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(bytes)
}

fn digest(receipt: &Value) -> String {
    let mut text = String::new();
    canonical(receipt, &mut text);
    format!("sha256:{}", hex(&Sha256::digest(text.as_bytes())))
}

fn canonical(value: &Value, out: &mut String) {
    match value {
        Value::Object(members) => {
            let sorted: BTreeMap<&String, &Value> = members.iter().collect();
            out.push('{');
            for (index, (name, value)) in sorted.into_iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                canonical(&Value::String(name.clone()), out);
                out.push(':');
                canonical(value, out);
            }
            out.push('}');
        }
        Value::Array(values) => {
            out.push('[');
            for (index, value) in values.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                canonical(value, out);
            }
            out.push(']');
        }
        plain => write!(out, "{plain}").expect("a string takes any text"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_canonical_form_does_not_depend_on_order_or_space() {
        let one: Value = serde_json::from_str(r#"{"b": [1, {"y": null, "x": "é\n"}], "a": true}"#).unwrap();
        let mut text = String::new();
        canonical(&one, &mut text);
        assert_eq!(text, r#"{"a":true,"b":[1,{"x":"é\n","y":null}]}"#);
    }

    #[test]
    fn a_receipt_that_was_changed_is_refused() {
        let receipt = String::from_utf8(write(&Run::plain(&Outcome::default()))).unwrap();
        let checked = check(receipt.as_bytes()).unwrap();
        assert_eq!((checked.mode.as_str(), checked.is_complete, checked.exit_code), ("stdin", true, 0));
        assert!(receipt.contains("1970-01-01T00:00:00Z"), "{receipt}");
        let compact: Value = serde_json::from_str(&receipt).unwrap();
        assert!(check(compact.to_string().as_bytes()).is_ok(), "white space does not count");
        let changed = receipt.replace("\"exit_code\": 0", "\"exit_code\": 1");
        assert!(matches!(check(changed.as_bytes()), Err(CheckError::Changed { .. })));
        for other in ["", "[]", "{}", r#"{"digest":"x"}"#, r#"{"stanch_receipt":2,"digest":"x"}"#] {
            assert!(matches!(check(other.as_bytes()), Err(CheckError::NoJson(_) | CheckError::NoReceipt)));
        }
    }
}
