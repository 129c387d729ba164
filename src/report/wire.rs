//! The form of findings and of the receipt in the JSON formats. Names and meanings are a contract: within one
//! [`SCHEMA_VERSION`] fields may be added, never renamed, removed or given another meaning.
//!
//! Text that is not UTF-8 is given with U+FFFD in place of what is not, and beside it as hexadecimal digits in a
//! field whose name ends in `_bytes_hex`. Times are RFC 3339 in the offset that the author's clock had.
//! Numbers of lines and columns start at 1, byte offsets at 0. Columns count bytes.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::Offset;
use serde::Serialize;

use super::Report;
use super::redact::Redactor;
use crate::finding::{Excerpt, Finding, Part};
use crate::fingerprint::Fingerprint;
use crate::location::{CommitInfo, Exposure, Location, Origin};
use crate::secret::Secret;

/// Version of the form of the JSON formats.
pub const SCHEMA_VERSION: u32 = 1;

/// One finding.
#[derive(Debug, Serialize)]
pub struct FindingRecord {
    /// Id of the rule.
    pub rule: String,
    /// Who issues the credential; empty when it belongs to nobody.
    pub provider: String,
    /// What it is and why it is bad.
    pub description: String,
    /// `info`, `low`, `medium`, `high` or `critical`.
    pub severity: &'static str,
    /// `low`, `medium`, `high` or `proven`.
    pub confidence: &'static str,
    /// Why the confidence is what it is.
    pub reason: String,
    /// Path with `/` separators, relative to the repository root, or as typed for a plain path scan.
    /// Messages and unnamed input have a description in angle brackets.
    pub path: String,
    /// The path's bytes, when they are not UTF-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path_bytes_hex: Option<String>,
    /// Where it is, and what it is as far as that may be shown.
    #[serde(flatten)]
    pub secret: SecretRecord,
    /// How to turn the credential off.
    pub revoke: Option<String>,
    /// The page that describes the format.
    pub reference: Option<String>,
    /// What the bytes were read from.
    pub origin: OriginRecord,
    /// Commits, authors and refs; `null` outside the history.
    pub history: Option<HistoryRecord>,
    /// The other parts of a credential that has several, such as the id that goes with a secret key.
    pub parts: Vec<PartRecord>,
}

/// Another part of a credential, in the same content as the finding.
#[derive(Debug, Serialize)]
pub struct PartRecord {
    /// Id of the rule.
    pub rule: String,
    /// What it is.
    pub description: String,
    /// Where it is, and what it is as far as that may be shown.
    #[serde(flatten)]
    pub secret: SecretRecord,
}

/// A secret and its place; its fields are those of the record that holds it.
#[derive(Debug, Serialize)]
pub struct SecretRecord {
    /// Line on which the secret starts.
    pub line: u64,
    /// Byte column at which the secret starts.
    pub column: u64,
    /// Line of the byte behind the secret.
    pub end_line: u64,
    /// Byte column of the byte behind the secret.
    pub end_column: u64,
    /// Offset of the secret's first byte.
    pub byte_start: usize,
    /// Offset of the byte behind the secret.
    pub byte_end: usize,
    /// A form of the secret that is safe to show.
    pub secret_redacted: String,
    /// The secret; only with `--show-secrets`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    /// The secret's bytes, when they are not UTF-8; only with `--show-secrets`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_bytes_hex: Option<String>,
    /// Identity of the secret under its rule: the same in every run, on every line and in every file.
    pub fingerprint: String,
    /// The line, redacted and shortened.
    pub excerpt: String,
}

/// What bytes were read from.
#[derive(Debug, Serialize)]
pub struct OriginRecord {
    /// `file`, `staged`, `blob`, `commit-message`, `tag-message` or `stdin`.
    pub kind: &'static str,
    /// Name of the git object, for the kinds that have one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object: Option<String>,
}

/// How long and from where a secret can be seen in the history.
#[derive(Debug, Serialize)]
pub struct HistoryRecord {
    /// The oldest commit that has it at this path; `null` when no commit reaches it.
    pub first_commit: Option<CommitRecord>,
    /// The newest commit that has it at this path.
    pub last_commit: Option<CommitRecord>,
    /// Whether the checked-out commit still has it at this path.
    pub in_head: bool,
    /// `head`, `branch`, `remote`, `tag`, `notes`, `other-ref`, `stash`, `reflog` or `unreachable`, most exposed first.
    pub reached_by: Vec<&'static str>,
    /// Whether no remote-tracking branch, no tag and no other ref has it: rewriting the commits that are not
    /// pushed yet takes it out.
    pub local_only: bool,
}

/// A commit.
#[derive(Debug, Serialize)]
pub struct CommitRecord {
    /// Object name.
    pub id: String,
    /// Author's name.
    pub author: String,
    /// Author's mail address.
    pub email: String,
    /// Author's time; `null` when the recorded number is no date.
    pub date: Option<String>,
}

/// The receipt: what a run examined and what it did not.
#[derive(Debug, Serialize)]
pub struct CoverageRecord {
    /// Files read (working tree, index, standard input).
    pub files: u64,
    /// Distinct blobs read from the object database.
    pub blobs: u64,
    /// Blobs and messages that were not read since the cache of earlier audits knows that they hold nothing.
    pub known_clean: u64,
    /// Commits looked at.
    pub commits: u64,
    /// Refs looked at.
    pub refs: u64,
    /// Bytes of content read.
    pub bytes: u64,
    /// What was left out on purpose.
    pub skipped: SkippedRecord,
    /// What should have been read and could not be. Not empty means exit code 2.
    pub problems: Vec<ProblemRecord>,
}

/// What was left out on purpose.
#[derive(Debug, Serialize)]
pub struct SkippedRecord {
    /// How many, by reason: `binary`, `too-large`, `symlink`, `submodule`, `special-file`, `allowlisted`.
    pub counts: BTreeMap<&'static str, u64>,
    /// Each of them.
    pub items: Vec<SkippedItem>,
}

/// Something left out on purpose.
#[derive(Debug, Serialize)]
pub struct SkippedItem {
    /// Path or object name.
    pub name: String,
    /// One of the reasons that are counted.
    pub reason: &'static str,
}

/// Something that could not be read.
#[derive(Debug, Serialize)]
pub struct ProblemRecord {
    /// Path, object name or range.
    pub name: String,
    /// What went wrong and what to do.
    pub message: String,
}

/// Matches that were dropped and why.
#[derive(Debug, Serialize)]
pub struct SuppressedRecord {
    /// Accepted by a marker in the text.
    pub inline: u64,
    /// Accepted by the configuration.
    pub allowlist: u64,
    /// Findings accepted by the baseline.
    pub baseline: u64,
    /// Below the severity or confidence asked for.
    pub below_threshold: u64,
}

/// What became of a baseline.
#[derive(Debug, Serialize)]
pub struct BaselineRecord {
    /// The file.
    pub path: String,
    /// How many entries it has.
    pub entries: u64,
    /// Entries whose last day has passed: they accept nothing any more.
    pub expired: u64,
    /// Entries that met no finding; `null` where not everything was scanned that they may speak of.
    pub stale: Option<u64>,
}

/// Everything about the run but its findings.
#[derive(Debug, Serialize)]
pub struct RunRecord {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// `stanch`.
    pub tool: &'static str,
    /// Version of the tool.
    pub version: String,
    /// `scan`, `staged`, `history` or `stdin`.
    pub mode: &'static str,
    /// The configuration file that was used.
    pub config: Option<String>,
    /// The baseline that was used; `null` without one.
    pub baseline: Option<BaselineRecord>,
    /// Whether everything asked for was read.
    pub complete: bool,
    /// How many findings there are.
    pub finding_count: usize,
    /// The receipt.
    pub coverage: CoverageRecord,
    /// Matches that were dropped.
    pub suppressed: SuppressedRecord,
    /// What the user should know of the configuration.
    pub notes: Vec<String>,
}

/// Fills the records of one report.
pub(super) struct Recorder<'r> {
    report: &'r Report<'r>,
    redactor: Redactor,
}

impl<'r> Recorder<'r> {
    pub(super) fn new(report: &'r Report<'r>) -> Self {
        Self { report, redactor: Redactor::new(report) }
    }

    pub(super) fn findings(&self) -> impl Iterator<Item = FindingRecord> + '_ {
        self.report.findings.iter().map(|finding| self.finding(finding))
    }

    pub(super) fn run(&self) -> RunRecord {
        let Report { coverage, suppressed, .. } = self.report;
        let mut counts = BTreeMap::new();
        for skipped in &coverage.skipped {
            *counts.entry(skipped.reason.name()).or_insert(0) += 1;
        }
        let items = coverage.skipped.iter();
        let items = items
            .map(|skipped| SkippedItem { name: self.lossy(&skipped.name), reason: skipped.reason.name() })
            .collect();
        let problems = coverage.problems.iter();
        let problems = problems.map(|problem| ProblemRecord {
            name: self.lossy(&problem.name),
            message: self.redactor.text(&problem.message).into_owned(),
        });
        RunRecord {
            schema_version: SCHEMA_VERSION,
            tool: "stanch",
            version: self.report.version.to_owned(),
            mode: self.report.mode.name(),
            config: self.report.config.map(|path| path.display().to_string()),
            baseline: self.report.baseline.map(|used| BaselineRecord {
                path: self.lossy(&used.path),
                entries: used.entries,
                expired: used.expired,
                stale: used.stale,
            }),
            complete: self.report.is_complete(),
            finding_count: self.report.findings.len(),
            coverage: CoverageRecord {
                files: coverage.files,
                blobs: coverage.blobs,
                known_clean: coverage.known_clean,
                commits: coverage.commits,
                refs: coverage.refs,
                bytes: coverage.bytes,
                skipped: SkippedRecord { counts, items },
                problems: problems.collect(),
            },
            suppressed: SuppressedRecord {
                inline: suppressed.inline,
                allowlist: suppressed.allowlist,
                baseline: suppressed.baseline,
                below_threshold: suppressed.below_threshold,
            },
            notes: self.report.notes.iter().map(|note| self.redactor.text(note).into_owned()).collect(),
        }
    }

    fn finding(&self, finding: &Finding) -> FindingRecord {
        let (rule, location) = (&finding.rule, &finding.location);
        let path = self.redactor.bytes(&location.path);
        FindingRecord {
            rule: rule.id.clone(),
            provider: rule.provider.clone(),
            description: rule.description.clone(),
            severity: rule.severity.name(),
            confidence: finding.confidence.name(),
            reason: self.redactor.text(&finding.reason).into_owned(),
            path: String::from_utf8_lossy(&path).into_owned(),
            path_bytes_hex: hex_unless_utf8(&path),
            secret: self.secret(location, &finding.secret, finding.fingerprint, &finding.excerpt),
            revoke: rule.revoke.clone(),
            reference: rule.reference.clone(),
            origin: origin(&location.origin),
            history: finding.exposure.as_ref().map(|exposure| self.history(exposure)),
            parts: finding.parts.iter().map(|part| self.part(part)).collect(),
        }
    }

    fn part(&self, part: &Part) -> PartRecord {
        PartRecord {
            rule: part.rule.id.clone(),
            description: part.rule.description.clone(),
            secret: self.secret(&part.location, &part.secret, part.fingerprint, &part.excerpt),
        }
    }

    fn secret(
        &self,
        location: &Location,
        secret: &Secret,
        fingerprint: Fingerprint,
        line: &Excerpt,
    ) -> SecretRecord {
        let shown = self.report.show_secrets.then(|| secret.reveal());
        SecretRecord {
            line: location.start.line,
            column: location.start.column,
            end_line: location.end.line,
            end_column: location.end.column,
            byte_start: location.span.start,
            byte_end: location.span.end,
            secret_redacted: secret.redacted(),
            secret: shown.map(|bytes| String::from_utf8_lossy(bytes).into_owned()),
            secret_bytes_hex: shown.and_then(hex_unless_utf8),
            fingerprint: fingerprint.to_string(),
            excerpt: excerpt(line, secret, self.report.show_secrets),
        }
    }

    fn history(&self, exposure: &Exposure) -> HistoryRecord {
        HistoryRecord {
            first_commit: exposure.first.as_ref().map(|commit| self.commit(commit)),
            last_commit: exposure.last.as_ref().map(|commit| self.commit(commit)),
            in_head: exposure.in_head,
            reached_by: exposure.reached_by.iter().map(|reach| reach.name()).collect(),
            local_only: exposure.is_local_only(),
        }
    }

    fn commit(&self, commit: &CommitInfo) -> CommitRecord {
        CommitRecord {
            id: commit.id.to_string(),
            author: self.lossy(&commit.author_name),
            email: self.lossy(&commit.author_email),
            date: rfc3339(commit),
        }
    }

    fn lossy(&self, bytes: &[u8]) -> String {
        String::from_utf8_lossy(&self.redactor.bytes(bytes)).into_owned()
    }
}

/// Author's time as RFC 3339; `None` when the recorded numbers are no time of the years −9999 to 9999.
pub(super) fn rfc3339(commit: &CommitInfo) -> Option<String> {
    let time = Timestamp::from_second(commit.time_seconds).ok()?;
    let offset = Offset::from_seconds(commit.offset_minutes.checked_mul(60)?).ok()?;
    Some(time.display_with_offset(offset).to_string())
}

/// The excerpt, with the secret put back when it is to be shown.
fn excerpt(excerpt: &Excerpt, secret: &Secret, show_secrets: bool) -> String {
    let (text, range) = (&excerpt.text, &excerpt.secret);
    match (show_secrets, text.get(..range.start), text.get(range.end..)) {
        (true, Some(before), Some(after)) if !range.is_empty() => {
            format!("{before}{}{after}", String::from_utf8_lossy(secret.reveal()))
        }
        _ => text.clone(),
    }
}

fn origin(origin: &Origin) -> OriginRecord {
    let (kind, object) = match origin {
        Origin::File => ("file", None),
        Origin::Staged => ("staged", None),
        Origin::Blob(id) => ("blob", Some(id)),
        Origin::CommitMessage(id) => ("commit-message", Some(id)),
        Origin::TagMessage(id) => ("tag-message", Some(id)),
        Origin::Stdin => ("stdin", None),
    };
    OriginRecord { kind, object: object.map(ToString::to_string) }
}

fn hex_unless_utf8(bytes: &[u8]) -> Option<String> {
    match std::str::from_utf8(bytes) {
        Ok(_) => None,
        Err(_) => Some(bytes.iter().map(|byte| format!("{byte:02x}")).collect()),
    }
}

/// JSON text with every hidden character escaped. serde_json escapes what RFC 8259 demands; a file name may
/// still carry C1 controls or bidirectional marks to the terminal of whoever looks at the report. Outside
/// strings JSON is ASCII, so only line ends need to be left alone.
pub(super) fn to_json(value: &impl Serialize, pretty: bool) -> serde_json::Result<String> {
    let text = if pretty { serde_json::to_string_pretty(value) } else { serde_json::to_string(value) }?;
    let acts = |character: char| character != '\n' && super::text::is_hidden(character);
    if !text.contains(acts) {
        return Ok(text);
    }
    let mut out = String::with_capacity(text.len() + 64);
    for character in text.chars() {
        if acts(character) {
            for unit in character.encode_utf16(&mut [0; 2]) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            out.push(character);
        }
    }
    Ok(out)
}
