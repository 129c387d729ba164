//! `.stanch.toml`: where it is found and what it says.
//!
//! ```toml
//! [scan]
//! min_severity = "low"          # info, low, medium, high, critical
//! min_confidence = "medium"     # low, medium, high, proven
//! max_file_bytes = "50M"        # a number of bytes, or a text with k, M or G (powers of 1024)
//!
//! [rules]
//! disable = ["jwt"]             # ids of rules that are not used
//!
//! [check]
//! required = ["*.p12"]          # lines that .gitignore must have in force besides the usual ones
//! skip = ["hook-missing"]       # kinds of items that `stanch check` does not report
//!
//! [audit]
//! log = "logs/stanch.jsonl"     # append what is scanned and decided; beside this file, or anywhere if it is named
//! max_bytes = "10M"             # put aside when larger
//! keep = 9                      # how many old logs are kept
//! [baseline]
//! path = ".stanch-baseline"     # findings that are known; relative to the root that patterns of paths speak of
//!
//! [[rule]]                      # a rule of your own, as in the built-in rule files
//! id = "acme-deploy-key"
//!
//! [[allow]]                     # findings that are accepted; every key given must match
//! reason = "made-up tokens of the test suite"      # mandatory
//! paths = ["/tests/fixtures/"]  # as in .gitignore
//! rules = ["jwt"]
//! values = []                   # whole secrets …
//! regexes = []                  # … or expressions that match a part of one
//! commits = []                  # full object names
//! expires = 2027-01-01          # the last day on which the entry applies
//! ```
//!
//! A configuration of gitleaks is read as it is, see [`Gitleaks`]: where it is named, and where a `.gitleaks.toml` lies and
//! no `.stanch.toml`.
//!
//! The file is read as it is on disk, also when the index or the history is scanned. Whoever may change it may
//! accept findings with it, so reports say which file was used.

mod discover;
mod gitleaks;
mod gitleaks_names;
mod re2;
mod schema;
mod size;
mod suggest;

use std::path::{Path, PathBuf};

use jiff::civil::Date;

use crate::audit_log::Limits;
use crate::filter::allowlist::Allowlists;
use crate::finding::{Confidence, Severity};
use crate::rule::{RuleFileError, RuleSet};

pub use discover::{FILE_NAME, discover, repository_root};
pub use gitleaks::{GITLEAKS_FILE_NAME, Gitleaks};
pub use size::parse_bytes;
pub use suggest::nearest;

/// What a configuration file says. The default is what holds without a file.
#[derive(Debug, Default)]
pub struct Config {
    /// The file it was read from.
    pub path: Option<PathBuf>,
    /// Findings below it are not reported.
    pub min_severity: Option<Severity>,
    /// Findings below it are not reported.
    pub min_confidence: Option<Confidence>,
    /// Larger files are skipped, and counted.
    pub max_file_bytes: Option<u64>,
    /// The baseline, relative to the directory that patterns of paths speak of.
    pub baseline: Option<PathBuf>,
    /// Ids of rules that are not used.
    pub disabled_rules: Vec<String>,
    /// The `[[rule]]` tables as they are written and on the lines on which they are written; everything
    /// else is blank, so that the line of an error in a rule is the line in the file.
    pub custom_rules: Option<String>,
    /// The `[[allow]]` entries.
    pub allow: Allowlists,
    /// Where scans are logged, as written.
    pub audit_log: Option<PathBuf>,
    /// How large that log may grow.
    pub audit_limits: Limits,
    /// Lines that have to be in force in `.gitignore` besides the usual ones.
    pub check_required: Vec<String>,
    /// Ids of the kinds of items that `stanch check` does not report.
    pub check_skip: Vec<String>,
    /// What the file says if it is one of gitleaks; nothing else is set then.
    pub gitleaks: Option<Gitleaks>,
    /// The keys that the file gives a value to, such as `scan.min_severity` and `rule.acme-key`, each with its line.
    pub written: Vec<(String, usize)>,
    mentions: Vec<RuleMention>,
}

/// The JSON Schema of the file, for editors: `src/config/schema.json`.
pub const JSON_SCHEMA: &str = include_str!("schema.json");

/// A file with everything commented out, to start from.
pub const TEMPLATE: &str = include_str!("template.toml");

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is read but does not say what it may say.
    #[error("{}:{line}:{column}: {message}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// Column in characters, from 1.
        column: usize,
        /// What is wrong and what is allowed; quotes no value that may be a secret.
        message: String,
    },
}

/// Why the rules of a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigRuleError {
    /// A file of gitleaks has a wrong one.
    #[error(transparent)]
    Gitleaks(#[from] ConfigError),
    /// A `[[rule]]` is wrong.
    #[error(transparent)]
    Rule(#[from] RuleFileError),
}

/// A place in the file that names a rule.
#[derive(Clone, Debug)]
struct RuleMention {
    id: String,
    line: usize,
    column: usize,
}

impl Config {
    /// Reads a file.
    ///
    /// # Errors
    ///
    /// When the file cannot be read or says something that it may not.
    pub fn load(path: &Path, today: Date) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::Read { path: path.to_path_buf(), source })?;
        Self::parse(&text, path, today)
    }

    /// Reads a text; `path` is named in errors.
    ///
    /// # Errors
    ///
    /// When the text is no TOML, has an unknown key, a value of a wrong type or a bad pattern.
    pub fn parse(text: &str, path: &Path, today: Date) -> Result<Self, ConfigError> {
        match gitleaks::is_one(text, path) {
            true => gitleaks::parse(text, path),
            false => schema::parse(text, path, today),
        }
    }

    /// The line that gives a key its value.
    pub fn line_of(&self, key: &str) -> Option<usize> {
        self.written.iter().find(|(written, _)| written == key).map(|(_, line)| *line)
    }

    /// Whether the file names a rule anywhere, to disable or to allow it.
    pub fn names_rules(&self) -> bool {
        !self.mentions.is_empty()
    }

    /// The built-in rules and those of the file, without those that a file of gitleaks leaves out.
    ///
    /// # Errors
    ///
    /// When a rule of the file is wrong.
    pub fn rule_set(&self) -> Result<RuleSet, ConfigRuleError> {
        if let Some(gitleaks) = &self.gitleaks {
            return Ok(gitleaks.rule_set()?);
        }
        let rules = RuleSet::builtin();
        match (&self.custom_rules, &self.path) {
            (Some(text), Some(path)) => Ok(rules.with_custom(text, &path.display().to_string())?),
            _ => Ok(rules),
        }
    }

    /// Checks that every rule that the file names exists.
    ///
    /// # Errors
    ///
    /// The first mention of a rule that is not among `known`.
    pub fn check_rule_ids(&self, known: &[&str]) -> Result<(), ConfigError> {
        match self.mentions.iter().find(|mention| !known.contains(&mention.id.as_str())) {
            None => Ok(()),
            Some(RuleMention { id, line, column }) => Err(ConfigError::Invalid {
                path: self.path.clone().unwrap_or_default(),
                line: *line,
                column: *column,
                message: unknown_rule(id, known),
            }),
        }
    }
}

/// The message for a rule id that does not exist, with the nearest one that does.
pub fn unknown_rule(id: &str, known: &[&str]) -> String {
    match nearest(id, known) {
        Some(near) => format!("there is no rule `{id}`; did you mean `{near}`?"),
        None => format!("there is no rule `{id}`; `stanch rules list` shows all"),
    }
}
