//! A report of the check as text and as JSON.

use std::fmt::Write;

use bstr::{BString, ByteSlice};
use serde::Serialize;

use super::{Item, Problem, Report, Verdict, quote};
use crate::git::ignore::{Decision, RuleHome};

/// The report for people: each item with its reason and fix, the lines to add, and a summary.
pub fn human(report: &Report) -> String {
    let mut out = String::new();
    for item in &report.items {
        human_item(item, &mut out);
    }
    for problem in &report.problems {
        line(&mut out, format_args!("could not look at {}", problem_text(problem)));
    }
    if !report.problems.is_empty() {
        out.push('\n');
    }
    if !report.missing_lines.is_empty() {
        line(&mut out, format_args!("Lines to add to .gitignore:\n"));
        for missing in &report.missing_lines {
            line(&mut out, format_args!("{missing}"));
        }
        out.push('\n');
    }
    for pattern in &report.patterns {
        let by =
            pattern.decided_by.as_ref().map(|decision| format!(" ({})", rule(decision))).unwrap_or_default();
        line(&mut out, format_args!("{:<14} {}{by}", pattern.line, pattern.protection.name()));
    }
    let failing = report.items.iter().filter(|item| report.fails_by(item)).count();
    let notes = report.items.len() - failing;
    let verdict = match report.verdict() {
        Verdict::Fine => "nothing is wrong",
        Verdict::Wrong => "not in order",
        Verdict::Incomplete => "the check is not complete",
    };
    line(
        &mut out,
        format_args!(
            "{verdict}: {failing} to repair, {notes} worth knowing; looked at {} tracked files and asked git's rules \
             in {} directories",
            report.tracked_files, report.directories
        ),
    );
    out
}

/// A rule as `file:line`, and who is protected by it when that is not everybody.
pub(super) fn rule(decision: &Decision) -> String {
    let whom = match decision.home {
        RuleHome::Gitignore => "",
        RuleHome::InfoExclude => ", this clone only",
        RuleHome::GlobalExcludes => ", this user only",
    };
    format!(
        "{}:{} `{}`{whom}",
        quote::shown(decision.file.as_bstr()),
        decision.line,
        quote::shown(decision.text.as_bstr())
    )
}

/// The report as one JSON object on one line.
///
/// Members: `version` (1), `verdict` (`fine`, `wrong` or `incomplete`), `items` (each with `id`, `severity`,
/// `fails`, `reason`, `path`, `line`, `pattern`, `fix`), `missing_lines`, `patterns` (each with `line`,
/// `protection` and `decided_by`), `tracked_files`, `directories` and `problems` (each with `name` and
/// `message`). What does not apply is `null`. Bytes of paths that are no UTF-8 become U+FFFD.
pub fn json(report: &Report) -> String {
    let report = JsonReport {
        version: 1,
        verdict: match report.verdict() {
            Verdict::Fine => "fine",
            Verdict::Wrong => "wrong",
            Verdict::Incomplete => "incomplete",
        },
        items: report.items.iter().map(|item| JsonItem::new(item, report.fails_by(item))).collect(),
        missing_lines: &report.missing_lines,
        patterns: report
            .patterns
            .iter()
            .map(|pattern| JsonPattern {
                line: &pattern.line,
                protection: pattern.protection.name(),
                decided_by: pattern.decided_by.as_ref().map(JsonRule::new),
            })
            .collect(),
        tracked_files: report.tracked_files,
        directories: report.directories,
        problems: report
            .problems
            .iter()
            .map(|problem| JsonProblem { name: text(&problem.name), message: &problem.message })
            .collect(),
    };
    let mut json = serde_json::to_string(&report).expect("strings and numbers always become JSON");
    json.push('\n');
    json
}

fn human_item(item: &Item, out: &mut String) {
    let place = match item.line {
        Some(number) => format!("{}:{number}", quote::shown(item.path.as_bstr())),
        None => quote::shown(item.path.as_bstr()),
    };
    line(out, format_args!("{place}: {} [{}]", item.severity, item.id));
    line(out, format_args!("  {}", item.reason));
    line(out, format_args!("  fix: {}\n", item.fix));
}

fn problem_text(problem: &Problem) -> String {
    format!("{}: {}", quote::shown(problem.name.as_bstr()), problem.message)
}

fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    writeln!(out, "{text}").expect("a string takes any text");
}

fn text(bytes: &BString) -> String {
    bytes.to_str_lossy().into_owned()
}

#[derive(Serialize)]
struct JsonReport<'a> {
    version: u32,
    verdict: &'static str,
    items: Vec<JsonItem<'a>>,
    missing_lines: &'a [String],
    patterns: Vec<JsonPattern<'a>>,
    tracked_files: u64,
    directories: u64,
    problems: Vec<JsonProblem<'a>>,
}

#[derive(Serialize)]
struct JsonItem<'a> {
    id: &'static str,
    severity: &'static str,
    fails: bool,
    reason: &'a str,
    path: String,
    line: Option<u64>,
    pattern: Option<&'a str>,
    fix: &'a str,
}

impl<'a> JsonItem<'a> {
    fn new(item: &'a Item, fails: bool) -> Self {
        Self {
            id: item.id,
            severity: item.severity.name(),
            fails,
            reason: &item.reason,
            path: text(&item.path),
            line: item.line,
            pattern: item.pattern.as_deref(),
            fix: &item.fix,
        }
    }
}

#[derive(Serialize)]
struct JsonPattern<'a> {
    line: &'a str,
    protection: &'static str,
    decided_by: Option<JsonRule>,
}

#[derive(Serialize)]
struct JsonRule {
    home: &'static str,
    file: String,
    line: u64,
    text: String,
    negated: bool,
}

impl JsonRule {
    fn new(decision: &Decision) -> Self {
        Self {
            home: match decision.home {
                RuleHome::Gitignore => "gitignore",
                RuleHome::InfoExclude => "info-exclude",
                RuleHome::GlobalExcludes => "global-excludes",
            },
            file: text(&decision.file),
            line: decision.line,
            text: text(&decision.text),
            negated: decision.negated,
        }
    }
}

#[derive(Serialize)]
struct JsonProblem<'a> {
    name: String,
    message: &'a str,
}
