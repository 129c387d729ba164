//! Compares two reports: what is new, what is gone, what is unchanged.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::{Deserialize, Serialize};

use super::text::{count, escape, escape_bytes};
use super::wire::{Document, FindingRecord, SCHEMA_VERSION, TOOL, to_json};

/// What became of findings between two reports, as the JSON form writes it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Diff {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// `stanch`.
    pub tool: String,
    /// `diff`: this is no report of a run.
    pub kind: String,
    /// Whether the run behind the new report was complete. If not, what is gone may be there still.
    pub complete: bool,
    /// Whether the run behind the old report was complete. If not, what is new may have been there before.
    pub old_complete: bool,
    /// Findings that the old report does not have.
    pub new: Vec<FindingRecord>,
    /// Findings that the new report does not have any more.
    pub gone: Vec<FindingRecord>,
    /// Findings of both, as the new report has them.
    pub unchanged: Vec<FindingRecord>,
}

/// A secret under its rule in its repository; the fingerprint alone depends on the rule already.
type Identity<'f> = (Option<&'f str>, &'f str, &'f str);

/// Compares findings by repository, rule, secret and path. What is left over then is compared without the path, so a
/// secret that moved to another file is unchanged; one that stands in one file more is new there.
pub fn diff(old: Document, new: Document) -> Diff {
    let (complete, old_complete) = (new.is_complete(), old.is_complete());
    let mut is_kept = vec![false; old.findings.len()];
    let mut is_known = vec![false; new.findings.len()];
    pair(&old.findings, &new.findings, &mut is_kept, &mut is_known, |finding| {
        (identity(finding), Some(finding.repository_path_bytes().into_owned()))
    });
    pair(&old.findings, &new.findings, &mut is_kept, &mut is_known, |finding| identity(finding));
    let split = |findings: Vec<FindingRecord>, known: &[bool]| -> (Vec<_>, Vec<_>) {
        let (yes, no): (Vec<_>, Vec<_>) = findings.into_iter().zip(known).partition(|(_, known)| **known);
        let plain =
            |pairs: Vec<(FindingRecord, &bool)>| pairs.into_iter().map(|(finding, _)| finding).collect();
        (plain(yes), plain(no))
    };
    let (unchanged, fresh) = split(new.findings, &is_known);
    let (_, gone) = split(old.findings, &is_kept);
    Diff {
        schema_version: SCHEMA_VERSION,
        tool: TOOL.to_owned(),
        kind: "diff".to_owned(),
        complete,
        old_complete,
        new: fresh,
        gone,
        unchanged,
    }
}

fn identity(finding: &FindingRecord) -> Identity<'_> {
    (finding.repository.as_deref(), &finding.rule, &finding.secret.fingerprint)
}

/// Pairs off findings with equal keys, one with one, in their order.
fn pair<'f, K: Ord>(
    old: &'f [FindingRecord],
    new: &'f [FindingRecord],
    is_kept: &mut [bool],
    is_known: &mut [bool],
    key: impl Fn(&'f FindingRecord) -> K,
) {
    let mut places: BTreeMap<K, Vec<usize>> = BTreeMap::new();
    for (at, finding) in old.iter().enumerate().rev().filter(|(at, _)| !is_kept[*at]) {
        places.entry(key(finding)).or_default().push(at);
    }
    for (at, finding) in new.iter().enumerate() {
        if !is_known[at]
            && let Some(partner) = places.get_mut(&key(finding)).and_then(Vec::pop)
        {
            is_known[at] = true;
            is_kept[partner] = true;
        }
    }
}

impl Diff {
    /// What it comes to, in one line.
    pub fn verdict(&self) -> String {
        format!("{} new, {} gone, {} unchanged", self.new.len(), self.gone.len(), self.unchanged.len())
    }

    /// Writes one document.
    ///
    /// # Errors
    ///
    /// When the writer fails.
    pub fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "{}", to_json(self, true)?)
    }

    /// Writes a line for each finding, with `"type": "new"`, `"gone"` or `"unchanged"`, and a summary.
    ///
    /// # Errors
    ///
    /// When the writer fails.
    pub fn write_json_lines(&self, out: &mut dyn Write) -> io::Result<()> {
        #[derive(Serialize)]
        struct Line<'f> {
            #[serde(rename = "type")]
            kind: &'static str,
            #[serde(flatten)]
            finding: &'f FindingRecord,
        }
        for (kind, findings) in self.parts() {
            for finding in findings {
                writeln!(out, "{}", to_json(&Line { kind, finding }, false)?)?;
            }
        }
        let summary = serde_json::json!({
            "type": "summary",
            "schema_version": self.schema_version,
            "tool": self.tool,
            "kind": self.kind,
            "complete": self.complete,
            "old_complete": self.old_complete,
            "new_count": self.new.len(),
            "gone_count": self.gone.len(),
            "unchanged_count": self.unchanged.len(),
        });
        writeln!(out, "{}", to_json(&summary, false)?)
    }

    /// Writes a line for each finding that is new or gone, or for all of them, and the verdict.
    ///
    /// # Errors
    ///
    /// When the writer fails.
    pub fn write_human(&self, with_unchanged: bool, out: &mut dyn Write) -> io::Result<()> {
        for (kind, findings) in self.parts() {
            if kind == "unchanged" && !with_unchanged {
                continue;
            }
            for finding in findings {
                let repository =
                    finding.repository.as_ref().map_or_else(String::new, |name| format!("{name}: "));
                let path = escape_bytes(&finding.path_bytes());
                let (line, secret) = (finding.secret.line, &finding.secret.secret_redacted);
                let rule = escape(&finding.rule);
                let severity = finding.severity.name();
                writeln!(
                    out,
                    "{kind:9}  {}{path}:{line}  {severity}  {rule}  {secret}",
                    escape(&repository),
                    secret = escape(secret)
                )?;
            }
        }
        if !self.old_complete {
            writeln!(out, "note: the old run was not complete, so what is new may have been there before")?;
        }
        if !self.complete {
            writeln!(out, "error: the new run was not complete, so what is gone may be there still")?;
        }
        writeln!(out, "{}", self.verdict())
    }

    /// A report of what is new, for every other form.
    pub fn only_new(self, mut new: Document) -> Document {
        let left_out = count(self.unchanged.len() as u64, "finding");
        new.run.notes.push(format!("{left_out} of the earlier report left out; {} gone", self.gone.len()));
        new.run.finding_count = self.new.len();
        new.findings = self.new;
        new
    }

    fn parts(&self) -> [(&'static str, &[FindingRecord]); 3] {
        [("new", &self.new), ("gone", &self.gone), ("unchanged", &self.unchanged)]
    }
}
