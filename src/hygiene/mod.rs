//! Repository hygiene: whether the files that hold secrets are kept out of git, and whether the hook that
//! guards commits really runs.
//!
//! Git's own rules give the answers (see [`crate::git::ignore`]). [`check()`] asks them, [`check_content`] looks for
//! secrets where they are about to get out, [`check_guards`] at the hook and the gate; each adds to one report.

mod catalogue;
mod check;
mod content;
mod fix;
mod frameworks;
mod guards;
pub mod hook;
mod lines;
mod names;
pub(crate) mod quote;
mod render;
mod sarif;
mod shipping;
mod staged;

use bstr::BString;

pub use catalogue::{ITEM_KINDS, ItemKind, item_kind};
pub use check::{CheckError, check};
pub use content::check_content;
pub use fix::{FixError, Fixed, fix};
pub use frameworks::{required_by_configuration, required_by_frameworks};
pub use guards::check_guards;
pub use names::env_like_path;
pub use render::{human, json};
pub use sarif::sarif;
pub use staged::{ENV_FILE_STAGED, staged_env_findings};

use crate::finding::Severity;
use crate::git::ignore::Decision;

/// The kind of file that a required line protects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Family {
    /// Variables of an environment: `.env` and its kin.
    Env,
    /// Keys and certificates: `*.pem`.
    Pem,
    /// What a framework in the tree keeps secrets in.
    Framework,
    /// What the configuration names.
    Configured,
}

/// A line that `.gitignore` has to hold, in this or another form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequiredPattern {
    /// The line to add when it is missing.
    pub line: String,
    /// The kind of file it protects; part of the ids of items.
    pub family: Family,
    /// Names of files that the line covers. Git's rules are asked about each of them, in the root directory,
    /// in a directory that does not exist yet, and in every directory that holds a tracked file; where the line
    /// speaks of one place, they are paths from the root and asked about there alone.
    pub sample_names: Vec<String>,
}

/// What [`check()`] looks at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// The lines that have to be in force.
    pub required: Vec<RequiredPattern>,
}

impl Default for Options {
    /// `.env`, `.env.local`, `.env.*.local` and `*.pem`.
    fn default() -> Self {
        let required = |line: &str, family, names: &[&str]| RequiredPattern {
            line: line.to_owned(),
            family,
            sample_names: names.iter().map(|&name| name.to_owned()).collect(),
        };
        let modes =
            [".env.development.local", ".env.test.local", ".env.staging.local", ".env.production.local"];
        Self {
            required: vec![
                required(".env", Family::Env, &[".env"]),
                required(".env.local", Family::Env, &[".env.local"]),
                required(".env.*.local", Family::Env, &modes),
                required("*.pem", Family::Pem, &["key.pem", "private-key.pem", "server.pem"]),
            ],
        }
    }
}

/// Something to say about the repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Stable name of the kind of item, one of [`ITEM_KINDS`].
    pub id: &'static str,
    /// How bad it is; from medium on the check fails.
    pub severity: Severity,
    /// What is wrong and why that is bad.
    pub reason: String,
    /// The file it is about, relative to the working tree where it lies in it.
    pub path: BString,
    /// The line of the file, 1-based, if there is one to name.
    pub line: Option<u64>,
    /// The required line it is about, if it is about one.
    pub pattern: Option<String>,
    /// What to do.
    pub fix: String,
}

impl Item {
    /// Whether the check fails because of it; items below are worth knowing and no more.
    pub fn fails(&self) -> bool {
        self.severity >= Severity::Medium
    }
}

/// How well a required line is in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Protection {
    /// Everywhere, by `.gitignore` files.
    Ignored,
    /// Everywhere, but somewhere only by the excludes of this clone or this user.
    IgnoredLocally,
    /// Not everywhere.
    NotIgnored,
}

impl Protection {
    /// The stable name used in reports.
    pub fn name(self) -> &'static str {
        match self {
            Protection::Ignored => "ignored",
            Protection::IgnoredLocally => "ignored-locally",
            Protection::NotIgnored => "not-ignored",
        }
    }
}

/// A required line and what stands for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatternStatus {
    /// The required line.
    pub line: String,
    /// How well it is in force.
    pub protection: Protection,
    /// The line that decides about the first sample name in the root directory.
    pub decided_by: Option<Decision>,
}

/// Something that could not be looked at, so the check is not complete.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The file or object.
    pub name: BString,
    /// What went wrong.
    pub message: String,
}

/// What [`check()`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Each required line, in the order of the options.
    pub patterns: Vec<PatternStatus>,
    /// What there is to say, the gravest first, then by path.
    pub items: Vec<Item>,
    /// The lines to add to the root `.gitignore`, in the order of the options.
    pub missing_lines: Vec<String>,
    /// Number of directories in which git's rules were asked.
    pub directories: u64,
    /// Number of index entries whose names were looked at.
    pub tracked_files: u64,
    /// What could not be looked at, sorted.
    pub problems: Vec<Problem>,
    /// Whether kinds of items were chosen by name; see [`Report::choose`].
    pub are_chosen: bool,
}

/// What a report comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Everything was looked at and nothing is wrong.
    Fine,
    /// Everything was looked at and something is wrong.
    Wrong,
    /// Something could not be looked at.
    Incomplete,
}

impl Report {
    /// Keeps only the kinds in `only`, if there are any, and none of those in `skip`. Whoever chooses kinds wants them
    /// repaired, so the check fails by each of them.
    pub fn choose(&mut self, only: &[String], skip: &[String]) {
        let names = |list: &[String], id: &str| list.iter().any(|other| other == id);
        self.items.retain(|item| (only.is_empty() || names(only, item.id)) && !names(skip, item.id));
        self.are_chosen = !only.is_empty();
        let items = &self.items;
        self.missing_lines.retain(|line| items.iter().any(|item| item.pattern.as_ref() == Some(line)));
    }

    /// Whether the check fails by an item.
    pub fn fails_by(&self, item: &Item) -> bool {
        self.are_chosen || item.fails()
    }

    /// The gravest first, then by path; each once.
    pub(crate) fn sort(&mut self) {
        self.items.sort_by(|a, b| {
            (b.severity, &a.path, a.line, a.id, &a.pattern)
                .cmp(&(a.severity, &b.path, b.line, b.id, &b.pattern))
        });
        self.items.dedup();
        self.problems.sort();
        self.problems.dedup();
    }

    /// What the report comes to; what could not be looked at outweighs what is wrong.
    pub fn verdict(&self) -> Verdict {
        if !self.problems.is_empty() {
            Verdict::Incomplete
        } else if self.items.iter().any(|item| self.fails_by(item)) {
            Verdict::Wrong
        } else {
            Verdict::Fine
        }
    }
}
