//! The secret detection report of GitLab.

use std::collections::BTreeMap;
use std::io::{self, Write};

use bstr::ByteSlice;
use jiff::Timestamp;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::Reporter;
use super::text::{escape, escape_bytes};
use super::wire::{CommitRecord, Document, FindingRecord, TOOL, to_json};
use crate::finding::Severity;

/// Writes a report that is valid against version 15.2.4 of GitLab's schema for secret detection, to be kept as
/// `artifacts:reports:secret_detection`.
///
/// - GitLab demands a commit for every finding: outside the history that is the null object name, as git itself
///   writes for what is not committed. In the history it is the first commit that has the secret.
/// - `raw_source_code_extract` is the redacted line.
/// - Times are UTC; where the report knows no clock they are the start of 1970, since the schema demands some.
#[derive(Clone, Copy, Debug)]
pub struct Gitlab;

/// The version of the schema, which GitLab holds the report against.
const SCHEMA_VERSION: &str = "15.2.4";

/// What stands for a commit where there is none.
const NULL_OBJECT: &str = "0000000000000000000000000000000000000000";

/// The longest name that the schema allows, in characters.
const LONGEST_NAME: usize = 255;

/// The longest solution that the schema allows, in characters.
const LONGEST_SOLUTION: usize = 7000;

#[derive(Serialize)]
struct Root {
    version: &'static str,
    scan: Scan,
    vulnerabilities: Vec<Vulnerability>,
}

#[derive(Serialize)]
struct Scan {
    analyzer: Scanner,
    scanner: Scanner,
    #[serde(rename = "type")]
    kind: &'static str,
    start_time: String,
    end_time: String,
    status: &'static str,
    messages: Vec<Message>,
}

#[derive(Clone, Serialize)]
struct Scanner {
    id: &'static str,
    name: &'static str,
    version: String,
    vendor: Vendor,
}

#[derive(Clone, Serialize)]
struct Vendor {
    name: &'static str,
}

#[derive(Serialize)]
struct Message {
    level: &'static str,
    value: String,
}

#[derive(Serialize)]
struct Vulnerability {
    id: String,
    name: String,
    description: String,
    severity: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    solution: Option<String>,
    identifiers: Vec<Identifier>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    links: Vec<Link>,
    location: Place,
    raw_source_code_extract: String,
    details: BTreeMap<&'static str, Detail>,
}

#[derive(Serialize)]
struct Identifier {
    #[serde(rename = "type")]
    kind: &'static str,
    name: String,
    value: String,
}

#[derive(Serialize)]
struct Link {
    url: String,
}

#[derive(Serialize)]
struct Place {
    file: String,
    start_line: u64,
    end_line: u64,
    commit: Commit,
}

#[derive(Serialize)]
struct Commit {
    sha: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    author: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    date: Option<String>,
}

#[derive(Serialize)]
struct Detail {
    name: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
    value: String,
}

impl Reporter for Gitlab {
    fn write(&self, document: &Document, out: &mut dyn Write) -> io::Result<Vec<String>> {
        let scanner = Scanner {
            id: TOOL,
            name: TOOL,
            version: document.run.version.clone(),
            vendor: Vendor { name: TOOL },
        };
        let end = document.clock.finished_seconds.unwrap_or_default();
        let length = document.clock.elapsed.map_or(0, |elapsed| elapsed.as_secs() as i64);
        let problems = document.run.coverage.problems.iter().map(super::human::problem_line);
        let problems = problems.map(|value| Message { level: "fatal", value });
        let notes = document.run.notes.iter().filter(|note| !note.is_empty());
        let notes = notes.map(|note| Message { level: "info", value: escape(note).into_owned() });
        let scan = Scan {
            analyzer: scanner.clone(),
            scanner,
            kind: "secret_detection",
            start_time: utc(end.saturating_sub(length)),
            end_time: utc(end),
            status: if document.is_complete() { "success" } else { "failure" },
            messages: problems.chain(notes).collect(),
        };
        let mut seen = BTreeMap::new();
        let vulnerabilities = document.findings.iter().map(|finding| {
            let key = identity(finding);
            let number = seen.entry(key.clone()).and_modify(|number| *number += 1).or_insert(1_u64);
            vulnerability(finding, &format!("{key}\0{number}"))
        });
        let root = Root { version: SCHEMA_VERSION, scan, vulnerabilities: vulnerabilities.collect() };
        writeln!(out, "{}", to_json(&root, true)?)?;
        Ok(Vec::new())
    }
}

/// What makes a place the same in the next run, wherever its line moves.
fn identity(finding: &FindingRecord) -> String {
    let path = escape_bytes(&finding.repository_path_bytes());
    let object = match finding.is_in_file() {
        true => "",
        false => finding.origin.object.as_deref().unwrap_or_default(),
    };
    let repository = finding.repository.as_deref().unwrap_or_default();
    format!("{repository}\0{path}\0{object}\0{}", finding.secret.fingerprint)
}

/// A UUID of version 8 (RFC 9562) that the same place has in every run.
fn uuid(identity: &str) -> String {
    let mut bytes: [u8; 16] =
        Sha256::digest(identity.as_bytes())[..16].try_into().expect("a digest has 32 bytes");
    bytes[6] = bytes[6] & 0x0f | 0x80;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex = data_encoding::HEXLOWER.encode(&bytes);
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

fn vulnerability(finding: &FindingRecord, identity: &str) -> Vulnerability {
    let name = match finding.provider.as_str() {
        "" => finding.description.clone(),
        provider => format!("{provider}: {}", finding.description),
    };
    let name = escape(&name).into_owned();
    let secret = &finding.secret;
    let reference = finding.reference.iter().filter(|page| {
        ["https://", "http://"]
            .iter()
            .any(|scheme| page.strip_prefix(scheme).is_some_and(|rest| !rest.is_empty()))
    });
    let mut details: BTreeMap<&'static str, Detail> = BTreeMap::new();
    let mut detail = |key, name, value: &str| {
        if !value.is_empty() {
            details.insert(key, Detail { name, kind: "text", value: escape(value).into_owned() });
        }
    };
    detail("confidence", "Confidence", finding.confidence.name());
    detail("reason", "Reason", &finding.reason);
    detail("secret", "Secret", secret.secret.as_ref().unwrap_or(&secret.secret_redacted));
    detail("fingerprint", "Fingerprint", &secret.fingerprint);
    detail("repository", "Repository", finding.repository.as_deref().unwrap_or_default());
    for part in &finding.parts {
        detail("part", "Goes with", &format!("{} on line {}", part.rule, part.secret.line));
    }
    if let Some(history) = &finding.history {
        detail("in_head", "In HEAD", if history.in_head { "yes" } else { "no, only in history" });
        detail("reached_by", "Reached by", &history.reached_by.join(", "));
        let last = history.last_commit.as_ref().map_or("", |commit| commit.id.as_str());
        detail("last_commit", "Last commit", last);
    }
    Vulnerability {
        id: uuid(identity),
        description: format!("{name} ({})", escape(&finding.rule)),
        name: name.chars().take(LONGEST_NAME).collect(),
        severity: match finding.severity {
            Severity::Critical => "Critical",
            Severity::High => "High",
            Severity::Medium => "Medium",
            Severity::Low => "Low",
            Severity::Info => "Info",
        },
        solution: finding
            .revoke
            .as_ref()
            .map(|revoke| escape(revoke).chars().take(LONGEST_SOLUTION).collect()),
        identifiers: vec![Identifier {
            kind: "stanch_rule_id",
            name: format!("stanch rule {}", finding.rule),
            value: finding.rule.clone(),
        }],
        links: reference.map(|url| Link { url: url.clone() }).collect(),
        location: Place {
            file: finding.repository_path_bytes().to_str_lossy().into_owned(),
            start_line: secret.line,
            end_line: secret.end_line,
            commit: commit(finding),
        },
        raw_source_code_extract: secret.excerpt.clone(),
        details,
    }
}

fn commit(finding: &FindingRecord) -> Commit {
    let history = finding.history.as_ref();
    let known = history.and_then(|history| history.first_commit.as_ref().or(history.last_commit.as_ref()));
    match known {
        Some(CommitRecord { id, author, email, date, .. }) => Commit {
            sha: id.clone(),
            author: Some(escape(&format!("{author} <{email}>")).into_owned()),
            date: date.clone(),
        },
        None => Commit { sha: NULL_OBJECT.to_owned(), author: None, date: None },
    }
}

/// The form that the schema wants: no offset, no fraction.
fn utc(seconds: i64) -> String {
    let time = Timestamp::from_second(seconds).unwrap_or(Timestamp::UNIX_EPOCH);
    time.strftime("%Y-%m-%dT%H:%M:%S").to_string()
}
