//! Annotations of GitHub Actions: commands in the log of a step.

use std::io::{self, Write};

use bstr::ByteSlice;

use super::Reporter;
use super::text::{escape, escape_bytes};
use super::wire::{Document, FindingRecord, TOOL};
use crate::finding::Severity;

/// Writes a workflow command for each finding and each problem, and the verdict as a plain line
/// (<https://docs.github.com/actions/reference/workflow-commands-for-github-actions>). They must go to the standard
/// output of a step.
///
/// What is in a file of the checked-out commit names the file and the line; what is only in the history has no file to
/// stand beside, so its path is in the message.
#[derive(Clone, Copy, Debug)]
pub struct Github;

/// GitHub shows no more annotations of each kind from one step; the others stand in the log alone.
const SHOWN_OF_A_KIND: usize = 10;

const KINDS: [&str; 3] = ["error", "warning", "notice"];

impl Reporter for Github {
    fn write(&self, document: &Document, out: &mut dyn Write) -> io::Result<Vec<String>> {
        let mut counts = [0_usize; KINDS.len()];
        for finding in &document.findings {
            let kind = kind(finding.severity);
            counts[kind] += 1;
            annotation(KINDS[kind], finding, out)?;
        }
        for problem in &document.run.coverage.problems {
            counts[0] += 1;
            let message = data(&super::human::problem_line(problem));
            writeln!(out, "::error title={TOOL}%3A not complete::{message}")?;
        }
        writeln!(out, "{}", document.verdict())?;
        let too_many = KINDS.iter().zip(counts).filter(|(_, number)| *number > SHOWN_OF_A_KIND);
        let warnings = too_many.map(|(kind, number)| {
            format!("github: {number} annotations are {kind}s, and GitHub shows {SHOWN_OF_A_KIND} of a step; the log has all")
        });
        Ok(warnings.collect())
    }
}

fn kind(severity: Severity) -> usize {
    match severity {
        Severity::Critical | Severity::High => 0,
        Severity::Medium => 1,
        Severity::Low | Severity::Info => 2,
    }
}

fn annotation(kind: &str, finding: &FindingRecord, out: &mut dyn Write) -> io::Result<()> {
    let secret = &finding.secret;
    let path = finding.repository_path_bytes();
    let shown = escape_bytes(&path);
    let is_here = finding.is_in_file()
        && path.is_utf8()
        && finding.repository.is_none()
        && finding.history.as_ref().is_none_or(|history| history.in_head);
    // The path as it is, or GitHub finds no file; a line end in it is escaped like every other.
    let place = match is_here {
        true => format!(
            "file={},line={},endLine={},",
            property(&path.to_str_lossy()),
            secret.line,
            secret.end_line
        ),
        false => String::new(),
    };
    let reason = match finding.reason.as_str() {
        "" => String::new(),
        reason => format!(": {}", escape(reason)),
    };
    let mut message = format!("{} ({} confidence{reason})", escape(&finding.description), finding.confidence);
    if secret.byte_end > secret.byte_start {
        match &secret.secret {
            Some(plain) => message.push_str(&format!(", {}", escape(plain))),
            None => message.push_str(&format!(", redacted {}", secret.secret_redacted)),
        }
    }
    if !is_here {
        let repository =
            finding.repository.as_ref().map_or_else(String::new, |name| format!("{}: ", escape(name)));
        message.push_str(&format!("; at {repository}{shown}:{}", secret.line));
    }
    if let Some(history) = &finding.history {
        let first = history.first_commit.as_ref().map_or_else(String::new, |commit| {
            format!(" since commit {}", escape(&commit.id.chars().take(10).collect::<String>()))
        });
        message.push_str(&format!("; in the history{first}"));
    }
    if let Some(revoke) = &finding.revoke {
        message.push_str(&format!("\nWhat to do: {}", escape(revoke)));
    }
    let title = property(&escape(&format!("{TOOL}: {}", finding.rule)));
    writeln!(out, "::{kind} {place}title={title}::{}", data(&message))
}

/// The part behind the second `::`.
fn data(text: &str) -> String {
    let text = text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
    hide(&text)
}

/// The value of a property.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// Nothing that acts on a terminal stands in a log, not even in a name that GitHub compares. A name with such
/// characters finds no file then, which is better than a log that lies.
fn hide(text: &str) -> String {
    escape(text).into_owned()
}
