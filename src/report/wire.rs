//! The form of findings and of the receipt in the JSON formats. Names and meanings are a contract: within one
//! [`SCHEMA_VERSION`] fields may be added, never renamed, removed or given another meaning. A program that reads
//! reports passes over fields that it does not know. `stanch-report.schema.json` beside this file says the same
//! as a JSON Schema; `stanch report schema` prints it.
//!
//! Text that is not UTF-8 is given with U+FFFD in place of what is not, and names of files beside it as hexadecimal
//! digits in a field whose name ends in `_bytes_hex`. Times are RFC 3339 in the offset that the author's clock had.
//! Numbers of lines and columns start at 1, byte offsets at 0. Columns count bytes.
//!
//! A [`Document`] is also what every other form is made of: it holds no [`Secret`], so a reporter cannot show one
//! that was not asked for.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use bstr::{BStr, BString, ByteSlice};
use jiff::Timestamp;
use jiff::tz::Offset;
use serde::{Deserialize, Serialize};

use super::place::PathBase;
use super::redact::Redactor;
use super::{Mode, Report};
use crate::finding::{Confidence, Excerpt, Finding, Part, Severity};
use crate::fingerprint::Fingerprint;
use crate::location::{CommitInfo, Exposure, Location, Origin};
use crate::secret::Secret;

/// Version of the form of the JSON formats.
pub const SCHEMA_VERSION: u32 = 1;

/// What the reports of this tool name as their tool.
pub const TOOL: &str = "stanch";

/// One finding.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FindingRecord {
    /// Id of the rule.
    pub rule: String,
    /// Who issues the credential; empty when it belongs to nobody.
    pub provider: String,
    /// What it is and why it is bad.
    pub description: String,
    /// `info`, `low`, `medium`, `high` or `critical`.
    pub severity: Severity,
    /// `low`, `medium`, `high` or `proven`.
    pub confidence: Confidence,
    /// Why the confidence is what it is.
    pub reason: String,
    /// Path with `/` separators, relative to the repository root, or as typed for a plain path scan.
    /// Messages and unnamed input have a description in angle brackets.
    pub path: String,
    /// The path's bytes, when they are not UTF-8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path_bytes_hex: Option<String>,
    /// The path from the root of the repository, where `path` is another since it is as it was typed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repository_path: Option<String>,
    /// The bytes of that path, when they are not UTF-8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repository_path_bytes_hex: Option<String>,
    /// The repository that it was found in; only in a report that was merged from several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repository: Option<String>,
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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    /// The secret's bytes, when they are not UTF-8; only with `--show-secrets`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_bytes_hex: Option<String>,
    /// Identity of the secret under its rule: the same in every run, on every line and in every file.
    pub fingerprint: String,
    /// The line, redacted and shortened.
    pub excerpt: String,
    /// Offset in the UTF-8 bytes of `excerpt` at which the redacted secret starts.
    #[serde(default)]
    pub excerpt_start: usize,
    /// Offset behind it; the same as its start when the excerpt does not show it.
    #[serde(default)]
    pub excerpt_end: usize,
}

/// What bytes were read from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OriginRecord {
    /// `file`, `staged`, `blob`, `commit-message`, `tag-message` or `stdin`.
    pub kind: String,
    /// Name of the git object, for the kinds that have one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<String>,
}

/// How long and from where a secret can be seen in the history.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HistoryRecord {
    /// The oldest commit that has it at this path; `null` when no commit reaches it.
    pub first_commit: Option<CommitRecord>,
    /// The newest commit that has it at this path.
    pub last_commit: Option<CommitRecord>,
    /// Whether the checked-out commit still has it at this path.
    pub in_head: bool,
    /// `head`, `branch`, `remote`, `tag`, `notes`, `other-ref`, `stash`, `reflog` or `unreachable`, most exposed first.
    pub reached_by: Vec<String>,
    /// Whether no remote-tracking branch, no tag and no other ref has it: rewriting the commits that are not
    /// pushed yet takes it out.
    pub local_only: bool,
}

/// A commit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CommitRecord {
    /// Object name.
    pub id: String,
    /// Author's name.
    pub author: String,
    /// Author's mail address.
    pub email: String,
    /// Author's time; `null` when the recorded number is no date.
    pub date: Option<String>,
    /// Author's time in seconds since 1970-01-01T00:00:00Z, as recorded.
    #[serde(default)]
    pub time_seconds: i64,
}

/// The receipt: what a run examined and what it did not.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CoverageRecord {
    /// Files read (working tree, index, standard input).
    pub files: u64,
    /// Distinct blobs read from the object database.
    pub blobs: u64,
    /// Blobs and messages that were not read since the cache of earlier audits knows that they hold nothing to report.
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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SkippedRecord {
    /// How many, by reason: `binary`, `too-large`, `symlink`, `submodule`, `special-file`, `allowlisted`,
    /// `shallow`.
    pub counts: BTreeMap<String, u64>,
    /// Each of them.
    pub items: Vec<SkippedItem>,
}

/// Something left out on purpose.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SkippedItem {
    /// Path or object name.
    pub name: String,
    /// The name's bytes, when they are not UTF-8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name_bytes_hex: Option<String>,
    /// One of the reasons that are counted.
    pub reason: String,
}

/// Something that could not be read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProblemRecord {
    /// Path, object name or range.
    pub name: String,
    /// The name's bytes, when they are not UTF-8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name_bytes_hex: Option<String>,
    /// What went wrong and what to do.
    pub message: String,
}

/// Matches that were dropped and why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SuppressedRecord {
    /// Accepted by a marker in the text.
    pub inline: u64,
    /// Accepted by the configuration.
    pub allowlist: u64,
    /// Findings accepted by the baseline.
    #[serde(default)]
    pub baseline: u64,
    /// Below the severity or confidence asked for.
    pub below_threshold: u64,
}

/// What became of a baseline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunRecord {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// `stanch`.
    pub tool: String,
    /// Version of the tool.
    pub version: String,
    /// `scan`, `staged`, `history` or `stdin`; `mixed` in a report that was merged from several modes.
    pub mode: Mode,
    /// The configuration file that was used.
    pub config: Option<String>,
    /// The baseline that was used; `null` without one, and in a merged report.
    #[serde(default)]
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
    /// The reports that this one was merged from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub merged: Vec<MergedRecord>,
}

/// A report that went into a merged one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MergedRecord {
    /// The repository that it is about, when it was named.
    pub repository: Option<String>,
    /// Version of the tool that wrote it.
    pub version: String,
    /// What was scanned.
    pub mode: Mode,
    /// Whether everything asked for was read.
    pub complete: bool,
    /// How many findings it has.
    pub finding_count: usize,
}

/// A whole report: what the JSON format writes and what every other form is made of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Document {
    /// Everything but the findings.
    #[serde(flatten)]
    pub run: RunRecord,
    /// The findings in their order.
    pub findings: Vec<FindingRecord>,
    /// Time and length of the run, which JSON leaves out: the same input gives the same bytes.
    #[serde(skip)]
    pub clock: Clock,
}

/// When a run was and how long it took, for the forms that say so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Clock {
    /// The end of the run in seconds since 1970-01-01T00:00:00Z, if a clock was read.
    pub finished_seconds: Option<i64>,
    /// How long it took.
    pub elapsed: Option<Duration>,
}

impl FindingRecord {
    /// The bytes of the path as it was typed.
    pub fn path_bytes(&self) -> Cow<'_, BStr> {
        bytes_of(&self.path, self.path_bytes_hex.as_deref())
    }

    /// The bytes of the path from the root of the repository, as far as that is known.
    pub fn repository_path_bytes(&self) -> Cow<'_, BStr> {
        match &self.repository_path {
            Some(path) => bytes_of(path, self.repository_path_bytes_hex.as_deref()),
            None => self.path_bytes(),
        }
    }

    /// Whether it stands in a file, and not in a message or on standard input.
    pub fn is_in_file(&self) -> bool {
        matches!(self.origin.kind.as_str(), "file" | "staged" | "blob") && !self.path.is_empty()
    }
}

impl SecretRecord {
    /// The excerpt in three parts: before the secret, the secret as shown, behind it.
    pub fn excerpt_parts(&self) -> [&str; 3] {
        let (text, start, end) = (self.excerpt.as_str(), self.excerpt_start, self.excerpt_end);
        match (text.get(..start), text.get(start..end), text.get(end..)) {
            (Some(before), Some(marked), Some(after)) => [before, marked, after],
            _ => [text, "", ""],
        }
    }
}

impl SkippedItem {
    /// The bytes of the name.
    pub fn name_bytes(&self) -> Cow<'_, BStr> {
        bytes_of(&self.name, self.name_bytes_hex.as_deref())
    }
}

impl ProblemRecord {
    /// The bytes of the name.
    pub fn name_bytes(&self) -> Cow<'_, BStr> {
        bytes_of(&self.name, self.name_bytes_hex.as_deref())
    }
}

impl Document {
    /// Redacts a report: nothing that it holds from then on is a secret, unless they are to be shown.
    pub fn new(report: &Report<'_>) -> Self {
        let recorder = Recorder { report, redactor: Redactor::new(report) };
        let findings = report.findings.iter().map(|finding| recorder.finding(finding)).collect();
        let clock = Clock { finished_seconds: report.finished_seconds, elapsed: report.elapsed };
        Self { run: recorder.run(), findings, clock }
    }

    /// Whether everything asked for was read.
    pub fn is_complete(&self) -> bool {
        self.run.complete && self.run.coverage.problems.is_empty()
    }

    /// What it comes to, in one line.
    pub fn verdict(&self) -> String {
        use super::text::count;
        let found = match self.findings.len() as u64 {
            0 => "no secrets found".to_owned(),
            number => {
                let files: std::collections::BTreeSet<_> =
                    self.findings.iter().map(|one| (&one.repository, one.path_bytes())).collect();
                let files = count(files.len() as u64, "file");
                format!("{} in {files} ({})", count(number, "finding"), self.severities())
            }
        };
        match self.run.coverage.problems.len() as u64 {
            0 if self.run.complete => found,
            0 => format!("{found}, but the job is not complete"),
            number => format!("{found}, but the job is not complete: {}", count(number, "error")),
        }
    }

    fn severities(&self) -> String {
        let of = |severity| self.findings.iter().filter(|finding| finding.severity == severity).count();
        let counts = Severity::ALL.iter().rev().map(|&severity| (of(severity), severity));
        let counts: Vec<String> = counts
            .filter(|(number, _)| *number > 0)
            .map(|(number, severity)| format!("{number} {severity}"))
            .collect();
        counts.join(", ")
    }
}

/// Fills the records of one report.
struct Recorder<'r> {
    report: &'r Report<'r>,
    redactor: Redactor,
}

impl Recorder<'_> {
    fn run(&self) -> RunRecord {
        let Report { coverage, suppressed, .. } = self.report;
        let mut counts = BTreeMap::new();
        for skipped in &coverage.skipped {
            *counts.entry(skipped.reason.name().to_owned()).or_insert(0) += 1;
        }
        let items = coverage.skipped.iter();
        let items = items
            .map(|skipped| {
                let (name, name_bytes_hex) = self.name(&skipped.name);
                SkippedItem { name, name_bytes_hex, reason: skipped.reason.name().to_owned() }
            })
            .collect();
        let problems = coverage.problems.iter();
        let problems = problems.map(|problem| {
            let (name, name_bytes_hex) = self.name(&problem.name);
            ProblemRecord { name, name_bytes_hex, message: self.redactor.text(&problem.message).into_owned() }
        });
        RunRecord {
            schema_version: SCHEMA_VERSION,
            tool: TOOL.to_owned(),
            version: self.report.version.to_owned(),
            mode: self.report.mode,
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
            merged: Vec::new(),
        }
    }

    fn finding(&self, finding: &Finding) -> FindingRecord {
        let (rule, location) = (&finding.rule, &finding.location);
        let (path, path_bytes_hex) = self.name(&location.path);
        let is_place = !matches!(location.origin, Origin::CommitMessage(_) | Origin::TagMessage(_));
        let base = self.report.base.filter(|_| is_place && !location.path.is_empty());
        let from_root = base.and_then(|base| PathBase::repository_path(base, location.path.as_bstr()));
        let from_root =
            from_root.filter(|from_root| *from_root != location.path).map(|path| self.name(&path));
        let (repository_path, repository_path_bytes_hex) = from_root.unzip();
        FindingRecord {
            rule: rule.id.clone(),
            provider: rule.provider.clone(),
            description: rule.description.clone(),
            severity: rule.severity,
            confidence: finding.confidence,
            reason: self.redactor.text(&finding.reason).into_owned(),
            path,
            path_bytes_hex,
            repository_path,
            repository_path_bytes_hex: repository_path_bytes_hex.flatten(),
            repository: None,
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
        let [before, marked, after] = self.excerpt(line, secret);
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
            excerpt_start: before.len(),
            excerpt_end: before.len() + marked.len(),
            excerpt: [before, marked, after].concat(),
        }
    }

    fn history(&self, exposure: &Exposure) -> HistoryRecord {
        HistoryRecord {
            first_commit: exposure.first.as_ref().map(|commit| self.commit(commit)),
            last_commit: exposure.last.as_ref().map(|commit| self.commit(commit)),
            in_head: exposure.in_head,
            reached_by: exposure.reached_by.iter().map(|reach| reach.name().to_owned()).collect(),
            local_only: exposure.is_local_only(),
        }
    }

    fn commit(&self, commit: &CommitInfo) -> CommitRecord {
        CommitRecord {
            id: commit.id.to_string(),
            author: self.lossy(&commit.author_name),
            email: self.lossy(&commit.author_email),
            date: rfc3339(commit),
            time_seconds: commit.time_seconds,
        }
    }

    /// The parts of the excerpt, with the secret put back when it is to be shown. The same secret may stand on the
    /// line once more where no rule looks.
    fn excerpt(&self, excerpt: &Excerpt, secret: &Secret) -> [String; 3] {
        let (text, range) = (&excerpt.text, &excerpt.secret);
        let clean = |text: &str| self.redactor.text(text).into_owned();
        match (text.get(..range.start), text.get(range.clone()), text.get(range.end..)) {
            (Some(before), Some(marked), Some(after)) if !range.is_empty() => {
                let marked = match self.report.show_secrets {
                    true => String::from_utf8_lossy(secret.reveal()).into_owned(),
                    false => marked.to_owned(),
                };
                [clean(before), marked, clean(after)]
            }
            _ => [clean(text), String::new(), String::new()],
        }
    }

    /// A name as text, and its bytes when they are none.
    fn name(&self, bytes: &[u8]) -> (String, Option<String>) {
        let bytes = self.redactor.bytes(bytes);
        (String::from_utf8_lossy(&bytes).into_owned(), hex_unless_utf8(&bytes))
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

fn origin(origin: &Origin) -> OriginRecord {
    let (kind, object) = match origin {
        Origin::File => ("file", None),
        Origin::Staged => ("staged", None),
        Origin::Blob(id) => ("blob", Some(id)),
        Origin::CommitMessage(id) => ("commit-message", Some(id)),
        Origin::TagMessage(id) => ("tag-message", Some(id)),
        Origin::Stdin => ("stdin", None),
    };
    OriginRecord { kind: kind.to_owned(), object: object.map(ToString::to_string) }
}

/// The bytes behind a text that may have lost some; hexadecimal digits that are none are passed over.
fn bytes_of<'t>(text: &'t str, hex: Option<&str>) -> Cow<'t, BStr> {
    let raw = hex.and_then(|hex| data_encoding::HEXLOWER_PERMISSIVE.decode(hex.as_bytes()).ok());
    match raw {
        Some(raw) => Cow::Owned(BString::from(raw)),
        None => Cow::Borrowed(text.as_bytes().as_bstr()),
    }
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
