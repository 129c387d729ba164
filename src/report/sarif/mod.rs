//! SARIF 2.1.0, for code scanning of GitHub and everything else that reads the standard of OASIS.

mod model;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use bstr::{BString, ByteSlice};
use libdeflater::{CompressionLvl, Compressor};
use serde_json::Value;

use self::model::{
    ArtifactLocation, AutomationDetails, Configuration, ContextRegion, Driver, Help, Invocation, Location,
    Log, Notification, PhysicalLocation, Region, ResultObject, Rule, RuleProperties, Run, Text, Tool,
    UriBase,
};
use super::Reporter;
use super::text::{count, escape};
use super::uri::reference;
use super::wire::{Document, FindingRecord, SecretRecord, TOOL, to_json};
use crate::finding::Severity;

/// Writes a log of SARIF 2.1.0 with a run for each repository, which is one unless reports were merged.
///
/// - Paths are relative to `%SRCROOT%`, the root of the repository, and encoded as RFC 3986 demands.
/// - `partialFingerprints.primaryLocationLineHash` is the fingerprint of the secret and its number among equal ones
///   at the same path, so an alert stays the same wherever the line moves and whichever commit is named.
/// - `automationDetails.id` is `stanch/<mode>/`, so that a scan and an audit do not close each other's alerts.
/// - What could not be read stands in `toolExecutionNotifications`, and `executionSuccessful` is then `false`.
/// - The limits of GitHub's code scanning hold: a log that breaks one would be refused as a whole. What is left out
///   for that is the least severe, and it is said, in the log too.
#[derive(Clone, Copy, Debug)]
pub struct Sarif;

/// What code scanning of GitHub accepts, as its documentation says under "SARIF results exceed one or more limits"
/// and "SARIF file too large".
#[derive(Clone, Copy, Debug)]
struct Limits {
    /// More runs than this, and the file is refused.
    runs: usize,
    /// More results in a run than this, and the file is refused.
    results: usize,
    /// No more results of a run than this are shown.
    results_shown: usize,
    /// More bytes after gzip than this, and the file is refused.
    gzip_bytes: usize,
}

const GITHUB: Limits =
    Limits { runs: 20, results: 25_000, results_shown: 5_000, gzip_bytes: 10 * 1024 * 1024 };

/// Code scanning keeps no more tags of a rule than this.
const TAGS: usize = 10;

const ROOT: &str = "%SRCROOT%";

impl Reporter for Sarif {
    fn write(&self, document: &Document, out: &mut dyn Write) -> io::Result<Vec<String>> {
        write(document, GITHUB, out)
    }
}

fn write(document: &Document, limits: Limits, out: &mut dyn Write) -> io::Result<Vec<String>> {
    let mut keep = limits.results;
    loop {
        let (log, warnings) = log(document, limits, keep);
        let text = to_json(&log, true)?;
        let kept = log.runs.iter().map(|run| run.results.len()).max().unwrap_or_default();
        match gzip_bytes(&text, limits.gzip_bytes) {
            size if size > limits.gzip_bytes && kept > 0 => {
                // A little less than what fits by the rule of three; results differ in length.
                keep = (kept.saturating_mul(limits.gzip_bytes) / size).min(kept - 1) / 10 * 9;
            }
            _ => {
                writeln!(out, "{text}")?;
                return Ok(warnings);
            }
        }
    }
}

/// How large the text is after gzip, if that can matter.
fn gzip_bytes(text: &str, limit: usize) -> usize {
    if text.len() <= limit {
        return text.len();
    }
    let mut compressor = Compressor::new(CompressionLvl::default());
    let mut packed = vec![0; compressor.gzip_compress_bound(text.len())];
    compressor.gzip_compress(text.as_bytes(), &mut packed).unwrap_or(text.len())
}

fn log(document: &Document, limits: Limits, keep: usize) -> (Log, Vec<String>) {
    let mut repositories: BTreeMap<Option<&str>, Vec<&FindingRecord>> = BTreeMap::new();
    // A repository without findings has a run too: its alerts are closed by it.
    for merged in &document.run.merged {
        repositories.entry(merged.repository.as_deref()).or_default();
    }
    for finding in &document.findings {
        repositories.entry(finding.repository.as_deref()).or_default().push(finding);
    }
    if repositories.is_empty() {
        repositories.insert(None, Vec::new());
    }
    let mut warnings = Vec::new();
    if repositories.len() > limits.runs {
        warnings.push(format!(
            "sarif: {} repositories make as many runs, and GitHub refuses a file with more than {}; write one for each \
             repository",
            repositories.len(),
            limits.runs
        ));
    }
    let runs = repositories.into_iter().map(|(repository, findings)| {
        let (kept, more) = select(findings, repository, limits, keep);
        let run = run(document, repository, &kept, &more);
        warnings.extend(more);
        run
    });
    let runs = runs.collect();
    let schema = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";
    (Log { schema, version: "2.1.0", runs }, warnings)
}

/// The findings of a run within the limits, in their order, and what must be said of the others.
fn select<'d>(
    findings: Vec<&'d FindingRecord>,
    repository: Option<&str>,
    limits: Limits,
    keep: usize,
) -> (Vec<&'d FindingRecord>, Vec<String>) {
    let all = findings.len();
    let place = repository.map_or_else(String::new, |name| format!(" of {}", escape(name)));
    let mut warnings = Vec::new();
    if all > keep {
        warnings.push(format!(
            "sarif: {} of {all}{place} left out, the least severe: GitHub refuses more than {} in a run and files of \
             more than {} MiB; other formats have them all",
            count((all - keep) as u64, "finding"),
            limits.results,
            limits.gzip_bytes / 1024 / 1024,
        ));
    }
    if all.min(keep) > limits.results_shown {
        warnings.push(format!(
            "sarif: GitHub shows the {} most severe findings{place} and stores no others",
            limits.results_shown
        ));
    }
    if all <= keep {
        return (findings, warnings);
    }
    let mut order: Vec<usize> = (0..all).collect();
    order.sort_by_key(|&at| std::cmp::Reverse((findings[at].severity, findings[at].confidence)));
    let chosen: BTreeSet<usize> = order.into_iter().take(keep).collect();
    let kept = findings.into_iter().enumerate().filter(|(at, _)| chosen.contains(at));
    (kept.map(|(_, finding)| finding).collect(), warnings)
}

fn run(
    document: &Document,
    repository: Option<&str>,
    findings: &[&FindingRecord],
    warnings: &[String],
) -> Run {
    let by_id: BTreeMap<&str, &FindingRecord> =
        findings.iter().map(|finding| (finding.rule.as_str(), *finding)).collect();
    let index: BTreeMap<&str, usize> = by_id.keys().enumerate().map(|(at, id)| (*id, at)).collect();
    let parts = findings.iter().flat_map(|finding| finding.parts.iter().map(|part| &part.secret));
    let shown = findings.iter().map(|finding| &finding.secret).chain(parts);
    let tokens: BTreeSet<&str> = shown
        .filter(|secret| secret.secret.is_none() && secret.byte_end > secret.byte_start)
        .map(|secret| secret.secret_redacted.as_str())
        .collect();
    let mut seen = BTreeMap::new();
    let results = findings.iter().map(|finding| {
        let key = (place_of(finding), finding.secret.fingerprint.as_str());
        let number = seen.entry(key).and_modify(|number| *number += 1).or_insert(1_u64);
        result(finding, index[finding.rule.as_str()], *number)
    });
    let results = results.collect();
    let mode = document.run.mode.name();
    let (id, about) = match repository {
        Some(name) => (format!("{TOOL}/{mode}/{}/", reference(name.as_bytes()).uri), format!(" of {name}")),
        None => (format!("{TOOL}/{mode}/"), String::new()),
    };
    let about = format!("Secrets found by `stanch {mode}`{about}");
    let root = UriBase { description: text("The root of the repository.") };
    Run {
        tool: Tool {
            driver: Driver {
                name: TOOL,
                semantic_version: document.run.version.clone(),
                rules: by_id.values().map(|finding| rule(finding)).collect(),
            },
        },
        automation_details: AutomationDetails { id, description: text(&escape(&about)) },
        invocations: vec![invocation(document, warnings)],
        original_uri_base_ids: [(ROOT, root)].into(),
        column_kind: "unicodeCodePoints",
        redaction_tokens: tokens.into_iter().map(str::to_owned).collect(),
        results,
        properties: run_properties(document, repository),
    }
}

fn run_properties(document: &Document, repository: Option<&str>) -> BTreeMap<&'static str, Value> {
    let coverage = &document.run.coverage;
    let mut properties: BTreeMap<&'static str, Value> = [
        ("mode", document.run.mode.name().into()),
        ("files", coverage.files.into()),
        ("blobs", coverage.blobs.into()),
        ("commits", coverage.commits.into()),
        ("refs", coverage.refs.into()),
        ("bytes", coverage.bytes.into()),
        (
            "skipped",
            coverage.skipped.counts.values().fold(0_u64, |sum, number| sum.saturating_add(*number)).into(),
        ),
    ]
    .into();
    if let Some(name) = repository {
        properties.insert("repository", name.into());
    }
    properties
}

fn invocation(document: &Document, warnings: &[String]) -> Invocation {
    let problems = document.run.coverage.problems.iter().map(|problem| {
        let name = problem.name_bytes();
        let location = (!name.is_empty()).then(|| Location {
            id: None,
            physical_location: PhysicalLocation {
                artifact_location: artifact(name.as_bstr().to_owned()),
                region: None,
                context_region: None,
            },
            message: None,
        });
        let line = super::human::problem_line(problem);
        Notification { level: "error", message: text(&line), locations: location.into_iter().collect() }
    });
    let plain = |level| {
        move |message: &String| Notification { level, message: text(&escape(message)), locations: Vec::new() }
    };
    let warnings = warnings.iter().map(plain("warning"));
    let notes = document.run.notes.iter().map(plain("note"));
    Invocation {
        execution_successful: document.is_complete(),
        tool_execution_notifications: problems.chain(warnings).chain(notes).collect(),
    }
}

fn rule(finding: &FindingRecord) -> Rule {
    let title = match finding.provider.as_str() {
        "" => finding.description.clone(),
        provider => format!("{provider}: {}", finding.description),
    };
    let title = escape(&title).into_owned();
    let advice = match &finding.revoke {
        Some(revoke) => format!("What to do: {}", escape(revoke)),
        None => "What to do: revoke it where it was issued.".to_owned(),
    };
    let after = "What has been pushed is known to others: taking it out of the file is not enough. Then keep the new one \
                 where git does not see it.";
    let alarm = format!(
        "A false alarm is accepted by a comment on the line: stanch:allow {}: <why it is safe>",
        finding.rule
    );
    let page = finding.reference.as_deref().filter(|page| is_url(page)).map(|page| escape(page).into_owned());
    let more = page.as_ref().map_or_else(String::new, |page| format!("\n\nThe format: {page}"));
    let mut tags = vec!["security".to_owned(), "secret".to_owned()];
    tags.extend(Some(escape(&finding.provider).into_owned()).filter(|provider| !provider.is_empty()));
    tags.truncate(TAGS);
    Rule {
        id: finding.rule.clone(),
        short_description: text(&title),
        full_description: text(&format!("{title}. {advice}")),
        help: Help {
            text: format!("{title}\n\n{advice}\n\n{after}\n\n{alarm}{more}"),
            markdown: format!(
                "**{}**\n\n{}\n\n{after}\n\n{}{}",
                markdown(&title),
                markdown(&advice),
                markdown(&alarm),
                page.map_or_else(String::new, |page| format!(
                    "\n\n[The format]({})",
                    page.replace(')', "%29")
                ))
            ),
        },
        help_uri: finding.reference.clone().filter(|page| is_url(page)),
        default_configuration: Configuration { level: level(finding.severity) },
        properties: RuleProperties { tags, security_severity: security_severity(finding.severity) },
    }
}

/// Whether it can stand where a URI must.
fn is_url(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    rest.is_some_and(|rest| {
        !rest.is_empty()
            && rest.bytes().all(|byte| byte.is_ascii_graphic() && !b"<>\"{}|\\^`".contains(&byte))
    })
}

/// Text that means nothing else in Markdown, with addresses left whole: an underscore inside a word is one.
fn markdown(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut before = ' ';
    let mut rest = text.chars().peekable();
    while let Some(character) = rest.next() {
        let is_inside = before.is_alphanumeric() && rest.peek().is_some_and(|next| next.is_alphanumeric());
        if "\\`*[]<>|~&".contains(character) || (character == '_' && !is_inside) {
            out.push('\\');
        }
        out.push(character);
        before = character;
    }
    out
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low | Severity::Info => "note",
    }
}

/// In the middle of the ranges that code scanning calls critical (over 9.0), high (from 7.0), medium (from 4.0) and
/// low (from 0.1).
fn security_severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "9.5",
        Severity::High => "8.0",
        Severity::Medium => "5.5",
        Severity::Low => "2.0",
        Severity::Info => "0.0",
    }
}

fn result(finding: &FindingRecord, rule_index: usize, number: u64) -> ResultObject {
    let secret = &finding.secret;
    let reason = match finding.reason.as_str() {
        "" => String::new(),
        reason => format!(": {reason}"),
    };
    let mut message = format!("{} ({} confidence{reason})", finding.description, finding.confidence);
    if secret.byte_end > secret.byte_start {
        message = format!("{message}, redacted {}", secret.secret_redacted);
    }
    message.push_str(&in_history(finding));
    let related = finding.parts.iter().enumerate().map(|(at, part)| {
        let mut location = location(finding, &part.secret);
        location.id = Some(at + 1);
        location.message = Some(text(&escape(&format!("{}: {}", part.rule, part.description))));
        location
    });
    ResultObject {
        rule_id: finding.rule.clone(),
        rule_index,
        level: level(finding.severity),
        message: text(&escape(&message)),
        locations: vec![location(finding, secret)],
        related_locations: related.collect(),
        partial_fingerprints: [("primaryLocationLineHash", format!("{}:{number}", secret.fingerprint))]
            .into(),
        fingerprints: [("stanch/v1", secret.fingerprint.clone())].into(),
        properties: properties(finding),
    }
}

/// Where in the history it is, in a few words.
fn in_history(finding: &FindingRecord) -> String {
    let Some(history) = &finding.history else { return String::new() };
    let first = history.first_commit.as_ref().or(history.last_commit.as_ref());
    let since = first.map_or_else(String::new, |commit| {
        format!(" since commit {}", commit.id.chars().take(10).collect::<String>())
    });
    let state = if history.in_head { "still in HEAD" } else { "only in history" };
    format!("; in the history{since}, {state}")
}

fn properties(finding: &FindingRecord) -> BTreeMap<&'static str, Value> {
    let mut properties: BTreeMap<&'static str, Value> = [
        ("severity", finding.severity.name().into()),
        ("confidence", finding.confidence.name().into()),
        ("origin", finding.origin.kind.as_str().into()),
    ]
    .into();
    if let Some(object) = &finding.origin.object {
        properties.insert("object", object.as_str().into());
    }
    if let Some(repository) = &finding.repository {
        properties.insert("repository", repository.as_str().into());
    }
    if let Some(secret) = &finding.secret.secret {
        properties.insert("secret", secret.as_str().into());
    }
    if let Some(history) = &finding.history {
        let commits = [("firstCommit", &history.first_commit), ("lastCommit", &history.last_commit)];
        for (name, commit) in commits {
            if let Some(commit) = commit {
                properties.insert(name, commit.id.as_str().into());
            }
        }
        if let Some(date) = history.first_commit.as_ref().and_then(|commit| commit.date.as_deref()) {
            properties.insert("firstDate", date.into());
        }
        properties.insert("inHead", history.in_head.into());
        properties.insert("reachedBy", history.reached_by.clone().into());
        properties.insert("localOnly", history.local_only.into());
    }
    properties
}

/// The path, or for a message one of its own: code scanning wants a place for every result, and two messages are
/// two places.
fn place_of(finding: &FindingRecord) -> BString {
    let mut path = finding.repository_path_bytes().into_owned();
    if let (false, Some(object)) = (finding.is_in_file(), &finding.origin.object) {
        if path.is_empty() {
            path.extend_from_slice(b"<path not known>");
        }
        path.extend_from_slice(format!("/{object}").as_bytes());
    }
    path
}

fn artifact(path: BString) -> ArtifactLocation {
    let found = reference(&path);
    ArtifactLocation { uri: found.uri, uri_base_id: found.is_relative.then_some(ROOT) }
}

fn location(finding: &FindingRecord, secret: &SecretRecord) -> Location {
    let columns = columns(secret);
    let context = (!secret.excerpt.is_empty()).then(|| ContextRegion {
        start_line: secret.line.max(1),
        end_line: secret.line.max(1),
        snippet: text(&secret.excerpt),
    });
    Location {
        id: None,
        physical_location: PhysicalLocation {
            artifact_location: artifact(place_of(finding)),
            region: Some(Region {
                start_line: secret.line.max(1),
                start_column: columns.map(|(start, _)| start),
                end_line: secret.end_line.max(secret.line).max(1),
                end_column: columns.map(|(_, end)| end),
                byte_offset: secret.byte_start,
                byte_length: secret.byte_end.saturating_sub(secret.byte_start),
                snippet: text(excerpt_secret(secret)),
            }),
            context_region: context,
        },
        message: None,
    }
}

fn excerpt_secret(secret: &SecretRecord) -> &str {
    match secret.excerpt_parts()[1] {
        "" => &secret.secret_redacted,
        marked => marked,
    }
}

/// The columns in characters. Ours count bytes, and all of the line that is known is the excerpt, so the start is
/// known where the excerpt has the whole of what stands before the secret. The end takes the secret for ASCII, as
/// every token is; behind a password that is not, it lies a little too far.
fn columns(secret: &SecretRecord) -> Option<(u64, u64)> {
    let [before, _, _] = secret.excerpt_parts();
    let is_whole =
        secret.column.checked_sub(1) == Some(before.len() as u64) && !before.contains(['…', '\u{fffd}']);
    if !is_whole || (secret.excerpt_end == secret.excerpt_start) {
        return None;
    }
    let start = before.chars().count() as u64 + 1;
    match secret.end_line == secret.line {
        true => Some((start, start + secret.end_column.checked_sub(secret.column)?)),
        false => Some((start, secret.end_column)),
    }
}

fn text(text: &str) -> Text {
    Text { text: text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::coverage::{Coverage, Suppressed};
    use crate::report::{Mode, Report};

    fn document(findings: u64) -> Document {
        let (coverage, suppressed) = (Coverage::default(), Suppressed::default());
        let mut document = Document::new(&Report::new(Mode::Scan, &[], &coverage, &suppressed));
        document.findings = (1..=findings)
            .map(|line| {
                serde_json::from_value(serde_json::json!({
                    "rule": "a-rule", "provider": "", "description": "d", "severity": "high", "confidence": "high",
                    "reason": "", "path": "p", "line": line, "column": 1, "end_line": line, "end_column": 9,
                    "byte_start": 0, "byte_end": 8, "secret_redacted": "…", "excerpt": "",
                    // Nothing that packs well.
                    "fingerprint": format!("{:x}", Sha(line)), "revoke": null, "reference": null,
                    "origin": {"kind": "file"}, "history": null, "parts": []
                }))
                .unwrap()
            })
            .collect();
        document
    }

    struct Sha(u64);

    impl std::fmt::LowerHex for Sha {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            use sha2::{Digest, Sha256};
            Sha256::digest(self.0.to_le_bytes()).iter().try_for_each(|byte| write!(f, "{byte:02x}"))
        }
    }

    #[test]
    fn a_file_that_would_be_too_large_holds_what_fits() {
        let limits = Limits { gzip_bytes: 10_000, ..GITHUB };
        let mut out = Vec::new();
        let warnings = write(&document(1000), limits, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(gzip_bytes(&text, limits.gzip_bytes) <= limits.gzip_bytes);
        let log: Value = serde_json::from_str(&text).unwrap();
        let kept = log["runs"][0]["results"].as_array().unwrap().len();
        assert!((50..1000).contains(&kept), "{kept}");
        let said = format!("{} findings of 1000 left out", 1000 - kept);
        assert!(warnings.len() == 1 && warnings[0].contains(&said), "{warnings:?}");
        // And what fits is not touched.
        assert!(write(&document(10), limits, &mut Vec::new()).unwrap().is_empty());
    }

    #[test]
    fn more_repositories_than_runs_are_said() {
        let mut document = document(21);
        for (at, finding) in document.findings.iter_mut().enumerate() {
            finding.repository = Some(format!("repository {at}"));
        }
        let warnings = write(&document, GITHUB, &mut Vec::new()).unwrap();
        assert!(warnings.len() == 1 && warnings[0].contains("21 repositories"), "{warnings:?}");
    }
}
