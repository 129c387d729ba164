//! JUnit XML, for everything that shows the results of tests.

use std::io::{self, Write};

use bstr::ByteSlice;

use super::Reporter;
use super::text::{escape, escape_bytes, markup};
use super::wire::{Document, FindingRecord, TOOL};

/// Writes a test suite with a failure for each finding and an error for each problem. A run that found nothing is one
/// test that passes, since readers take a suite without tests for a mistake.
#[derive(Clone, Copy, Debug)]
pub struct Junit;

impl Reporter for Junit {
    fn write(&self, document: &Document, out: &mut dyn Write) -> io::Result<Vec<String>> {
        let (failures, problems) = (document.findings.len(), &document.run.coverage.problems);
        let is_clean = failures == 0 && document.is_complete();
        // An incomplete report may have been merged from one that lists no problem.
        let is_cut_short = !document.is_complete() && problems.is_empty();
        let errors = problems.len() + usize::from(is_cut_short);
        let tests = failures + errors + usize::from(is_clean);
        let time = document.clock.elapsed.unwrap_or_default().as_secs_f64();
        let suite = format!("{TOOL} {}", document.run.mode.name());
        let counts =
            format!("tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\" time=\"{time:.3}\"");
        writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
        writeln!(out, "<testsuites name=\"{TOOL}\" {counts}>")?;
        writeln!(out, "  <testsuite name=\"{suite}\" {counts}>")?;
        for finding in &document.findings {
            failure(finding, out)?;
        }
        for problem in problems {
            let message = markup(&super::human::problem_line(problem));
            error(&markup(&escape_bytes(&problem.name_bytes())), &message, out)?;
        }
        if is_cut_short {
            error(TOOL, "the job is not complete", out)?;
        }
        if is_clean {
            writeln!(out, "    <testcase classname=\"{TOOL}\" name=\"no secrets found\"/>")?;
        }
        writeln!(out, "    <system-out>{}</system-out>", markup(&document.verdict()))?;
        writeln!(out, "  </testsuite>\n</testsuites>")?;
        Ok(Vec::new())
    }
}

fn failure(finding: &FindingRecord, out: &mut dyn Write) -> io::Result<()> {
    let secret = &finding.secret;
    let place = finding.repository_path_bytes();
    let path = markup(&escape_bytes(&place));
    let name = format!("{} at {}:{}", finding.rule, secret.line, secret.column);
    let class = match &finding.repository {
        Some(repository) => format!("{}: {path}", markup(&escape(repository))),
        None => path.clone(),
    };
    // Some readers show a file beside the failure, and choke on one that is none.
    let file = match finding.is_in_file() && place.is_utf8() {
        true => format!(" file=\"{path}\" line=\"{}\"", secret.line),
        false => String::new(),
    };
    writeln!(out, "    <testcase classname=\"{class}\" name=\"{}\"{file}>", markup(&escape(&name)))?;
    let title = markup(&escape(&finding.description));
    let (severity, line) = (finding.severity, secret.line);
    let rule = markup(&escape(&finding.rule));
    writeln!(out, "      <failure type=\"{severity}\" message=\"{title}\">{path}:{line}: {rule}")?;
    let reason =
        format!("{} severity, {} confidence: {}", finding.severity, finding.confidence, finding.reason);
    let mut lines = vec![secret.excerpt.trim().to_owned(), reason];
    for part in &finding.parts {
        lines.push(format!("with {} at {}:{}", part.rule, part.secret.line, part.secret.column));
    }
    if let Some(history) = &finding.history {
        let ends = [("first commit", &history.first_commit), ("last commit", &history.last_commit)];
        for (name, commit) in ends {
            if let Some(commit) = commit {
                let date = commit.date.as_deref().unwrap_or("no date");
                lines.push(format!("{name} {} ({date}, {} <{}>)", commit.id, commit.author, commit.email));
            }
        }
        lines.push(if history.in_head { "still in HEAD".to_owned() } else { "only in history".to_owned() });
    }
    lines.extend(finding.revoke.as_ref().map(|revoke| format!("what to do: {revoke}")));
    lines.push(format!("fingerprint {}", secret.fingerprint));
    for line in lines.iter().filter(|line| !line.is_empty()) {
        writeln!(out, "{}", markup(&escape(line)))?;
    }
    writeln!(out, "      </failure>\n    </testcase>")
}

fn error(name: &str, message: &str, out: &mut dyn Write) -> io::Result<()> {
    let name = if name.is_empty() { TOOL } else { name };
    writeln!(out, "    <testcase classname=\"{TOOL}\" name=\"read {name}\">")?;
    writeln!(out, "      <error type=\"incomplete\" message=\"{message}\"/>\n    </testcase>")
}
