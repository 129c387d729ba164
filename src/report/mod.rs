//! Reporters turn sorted findings into bytes. They open no file and read no clock.
//!
//! A [`Report`] is what a run knows, secrets included. [`Document::new`] takes the secrets out, and every form is
//! written from the document: one place redacts, and all forms tell the same in the same order.
//!
//! ```
//! use stanch::coverage::{Coverage, Suppressed};
//! use stanch::report::{Document, Json, Mode, Report, Reporter};
//!
//! let (coverage, suppressed) = (Coverage::default(), Suppressed::default());
//! let document = Document::new(&Report::new(Mode::Stdin, &[], &coverage, &suppressed));
//! let mut json = Vec::new();
//! Json.write(&document, &mut json)?;
//! assert!(String::from_utf8(json).unwrap().contains("\"finding_count\": 0"));
//! # Ok::<(), std::io::Error>(())
//! ```

mod csv;
mod diff;
mod github;
mod gitlab;
mod html;
mod human;
mod json;
mod jsonl;
mod junit;
mod merge;
mod place;
mod read;
pub(crate) mod redact;
mod sarif;
pub mod text;
mod uri;
pub mod wire;

use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::coverage::{BaselineUse, Coverage, Suppressed};
use crate::finding::Finding;

pub use csv::Csv;
pub use diff::{Diff, diff};
pub use github::Github;
pub use gitlab::Gitlab;
pub use html::Html;
pub use human::{Human, Verbosity};
pub use json::Json;
pub use jsonl::JsonLines;
pub use junit::Junit;
pub use merge::merge;
pub use place::PathBase;
pub use read::{ReadError, read};
pub use sarif::Sarif;
pub use wire::Document;

/// The JSON Schema (draft 2020-12) of the JSON formats.
pub const REPORT_SCHEMA: &str = include_str!("stanch-report.schema.json");

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
    /// The end of the run in seconds since 1970-01-01T00:00:00Z, for the forms that must name it; `None` where
    /// reports must be comparable byte for byte.
    pub finished_seconds: Option<i64>,
    /// Where typed paths start, if that is known and they are not from the root of the repository already.
    pub base: Option<&'r PathBase>,
    /// Whether secrets are shown in full, because the user asked for it by name.
    pub show_secrets: bool,
    /// Version of the tool.
    pub version: &'r str,
}

/// What was scanned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Files on disk.
    Scan,
    /// The index.
    Staged,
    /// The object database or a range of commits.
    History,
    /// Standard input.
    Stdin,
    /// Several of these: the report was merged.
    Mixed,
}

impl Mode {
    /// The stable name used in reports.
    pub fn name(self) -> &'static str {
        match self {
            Mode::Scan => "scan",
            Mode::Staged => "staged",
            Mode::History => "history",
            Mode::Stdin => "stdin",
            Mode::Mixed => "mixed",
        }
    }
}

/// Writes a report in one format.
pub trait Reporter {
    /// Writes the whole report, and returns what the form could not carry: a sentence each, none if nothing is
    /// missing. Whoever asked for the report must hear of it.
    ///
    /// # Errors
    ///
    /// When the writer fails; the report is then incomplete.
    fn write(&self, document: &Document, out: &mut dyn Write) -> io::Result<Vec<String>>;
}

impl<'r> Report<'r> {
    /// A report without notes, configuration and clock, of this version of the tool.
    pub fn new(
        mode: Mode,
        findings: &'r [Finding],
        coverage: &'r Coverage,
        suppressed: &'r Suppressed,
    ) -> Self {
        Self {
            findings,
            coverage,
            suppressed,
            notes: &[],
            mode,
            config: None,
            baseline: None,
            elapsed: None,
            finished_seconds: None,
            base: None,
            show_secrets: false,
            version: env!("CARGO_PKG_VERSION"),
        }
    }

    /// Whether everything asked for was read.
    pub fn is_complete(&self) -> bool {
        self.coverage.problems.is_empty()
    }
}
