//! A list of checks with what each of them came to: the report of `rotate check` and of `clickup health`.

use serde::Serialize;
use serde_json::{Value, json};

use super::render::line;
use crate::report::text::escape;

/// What a check came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// As it should be.
    Pass,
    /// It works and wants attention.
    Warn,
    /// It does not work.
    Fail,
    /// It could not be told.
    Unknown,
}

impl Status {
    /// As it stands in the table.
    pub fn name(self) -> &'static str {
        match self {
            Status::Pass => "PASS",
            Status::Warn => "WARN",
            Status::Fail => "FAIL",
            Status::Unknown => "UNKNOWN",
        }
    }
}

/// One check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// Stable name in kebab-case.
    pub id: &'static str,
    /// What it came to.
    pub status: Status,
    /// `P1` where nothing works, `P2` where something does not; `None` when it passes or nobody needs to get up.
    pub priority: Option<&'static str>,
    /// What was seen, and what to do.
    pub message: String,
    /// Files that the check speaks of.
    pub places: Vec<String>,
}

impl Check {
    pub(super) fn new(id: &'static str, status: Status, message: impl Into<String>) -> Self {
        Self { id, status, priority: None, message: message.into(), places: Vec::new() }
    }

    pub(super) fn with_priority(mut self, priority: &'static str) -> Self {
        self.priority = (self.status != Status::Pass).then_some(priority);
        self
    }
}

/// The table for people, the places of a check below it, and one line of `verdict`.
pub fn table(checks: &[Check], verdict: &str) -> String {
    const SHOWN: usize = 10;
    let width = checks.iter().map(|check| check.id.len()).max().unwrap_or_default();
    let mut out = String::new();
    for check in checks {
        let priority = check.priority.map(|priority| format!(" ({priority})")).unwrap_or_default();
        line(
            &mut out,
            format_args!(
                "{:<7}  {:<width$}  {}{priority}",
                check.status.name(),
                check.id,
                escape(&check.message)
            ),
        );
        for place in check.places.iter().take(SHOWN) {
            line(&mut out, format_args!("{:<7}  {:<width$}  {}", "", "", escape(place)));
        }
        if check.places.len() > SHOWN {
            line(
                &mut out,
                format_args!("{:<7}  {:<width$}  and {} more", "", "", check.places.len() - SHOWN),
            );
        }
    }
    line(&mut out, format_args!("\n{verdict}"));
    out
}

/// The list as JSON: `version` (1), `verdict`, and `checks`, each with `id`, `status` (`pass`, `warn`, `fail`,
/// `unknown`), `priority`, `message` and `places`.
pub fn document(checks: &[Check], verdict: &str) -> Value {
    json!({ "version": 1, "verdict": verdict, "checks": checks })
}
