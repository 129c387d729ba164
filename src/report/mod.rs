//! Reporters turn sorted findings into bytes. They open no file and read no clock.

mod human;
mod json;
mod jsonl;
pub(crate) mod redact;
pub mod text;
pub mod wire;

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use crate::coverage::{BaselineUse, Coverage, Suppressed};
use crate::finding::{Finding, Severity};

pub use human::{Human, Verbosity};
pub use json::Json;
pub use jsonl::JsonLines;

/// What a run found, examined and left out.
#[derive(Clone, Copy, Debug)]
pub struct Report<'r> {
    /// Findings in the order of their sort keys.
    pub findings: &'r [Finding],
    /// What was read, what was skipped and what could not be read.
    pub coverage: &'r Coverage,
    /// Matches that were accepted or judged too weak.
    pub suppressed: &'r Suppressed,
    /// What the user should know of the configuration: entries that expired or match nothing any more.
    pub notes: &'r [String],
    /// What was scanned.
    pub mode: Mode,
    /// The configuration file that was used.
    pub config: Option<&'r Path>,
    /// The baseline that was used.
    pub baseline: Option<&'r BaselineUse>,
    /// How long it took; `None` where reports must be comparable byte for byte.
    pub elapsed: Option<Duration>,
    /// Whether secrets are shown in full, because the user asked for it by name.
    pub show_secrets: bool,
    /// Version of the tool.
    pub version: &'r str,
}

/// What was scanned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Files on disk.
    Scan,
    /// The index.
    Staged,
    /// The object database or a range of commits.
    History,
    /// Standard input.
    Stdin,
}

impl Mode {
    /// The stable name used in reports.
    pub fn name(self) -> &'static str {
        match self {
            Mode::Scan => "scan",
            Mode::Staged => "staged",
            Mode::History => "history",
            Mode::Stdin => "stdin",
        }
    }
}

/// Writes a report in one format.
pub trait Reporter {
    /// Writes the whole report.
    ///
    /// # Errors
    ///
    /// When the writer fails; the report is then incomplete.
    fn write(&self, report: &Report<'_>, out: &mut dyn Write) -> io::Result<()>;
}

impl Report<'_> {
    /// Whether everything asked for was read.
    pub fn is_complete(&self) -> bool {
        self.coverage.problems.is_empty()
    }

    /// What it comes to, in one line.
    pub fn verdict(&self) -> String {
        let found = match self.findings.len() as u64 {
            0 => "no secrets found".to_owned(),
            number => {
                let files: BTreeSet<_> = self.findings.iter().map(|finding| &finding.location.path).collect();
                let files = text::count(files.len() as u64, "file");
                format!("{} in {files} ({})", text::count(number, "finding"), self.severities())
            }
        };
        match self.coverage.problems.len() as u64 {
            0 => found,
            number => format!("{found}, but the job is not complete: {}", text::count(number, "error")),
        }
    }

    fn severities(&self) -> String {
        let of = |severity| self.findings.iter().filter(|finding| finding.rule.severity == severity).count();
        let counts = Severity::ALL.iter().rev().map(|&severity| (of(severity), severity));
        let counts: Vec<String> = counts
            .filter(|(number, _)| *number > 0)
            .map(|(number, severity)| format!("{number} {severity}"))
            .collect();
        counts.join(", ")
    }
}
