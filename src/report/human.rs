//! For people: what a developer sees when a commit is blocked.

use std::collections::BTreeMap;
use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use unicode_width::UnicodeWidthStr;

use super::redact::Redactor;
use super::text::{count, escape, escape_bytes, human_bytes, is_hidden};
use super::wire::rfc3339;
use super::{Mode, Report, Reporter};
use crate::coverage::Problem;
use crate::finding::{Excerpt, Finding, RuleInfo, Severity};
use crate::location::{CommitInfo, Exposure, Origin, Reach};
use crate::secret::Secret;

/// How much is said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verbosity {
    /// Findings and problems alone; nothing when there are none.
    Quiet,
    /// Findings, what to do about them, and a receipt.
    #[default]
    Normal,
    /// Also fingerprints, references and everything that was skipped.
    Verbose,
}

/// Writes findings grouped by file, what to do about them and a receipt. The form may change between releases;
/// programs read the JSON formats.
#[derive(Clone, Copy, Debug, Default)]
pub struct Human {
    /// Whether to write ANSI colours.
    pub colour: bool,
    /// How much is said.
    pub verbosity: Verbosity,
}

impl Reporter for Human {
    fn write(&self, report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
        let mut page = Page { form: *self, report, redactor: Redactor::new(report), out };
        page.findings()?;
        if self.verbosity > Verbosity::Quiet {
            page.advice()?;
        }
        page.problems()?;
        if self.verbosity > Verbosity::Quiet {
            page.receipt()?;
        }
        Ok(())
    }
}

/// What stands under the line of a finding is set in by this much.
const INDENT: &str = "      ";

const PATH: Style = Style::new().bold().underline();
const SECRET: Style = Style::new().fg_color(Some(anstyle::Color::Ansi(AnsiColor::Red))).bold();
const FAINT: Style = Style::new().dimmed();
const BOLD: Style = Style::new().bold();
const GOOD: Style = Style::new().fg_color(Some(anstyle::Color::Ansi(AnsiColor::Green))).bold();
const PLAIN: Style = Style::new();

struct Page<'p> {
    form: Human,
    report: &'p Report<'p>,
    redactor: Redactor,
    out: &'p mut dyn Write,
}

impl Page<'_> {
    fn findings(&mut self) -> io::Result<()> {
        let mut last_path = None;
        for finding in self.report.findings {
            let path = &finding.location.path;
            if last_path != Some(path) {
                let shown = match path.is_empty() {
                    true => "(path not known)".to_owned(),
                    false => escape_bytes(&self.redactor.bytes(path)),
                };
                let shown = self.paint(PATH, &shown);
                writeln!(self.out, "{shown}")?;
                last_path = Some(path);
            }
            self.finding(finding)?;
            writeln!(self.out)?;
        }
        Ok(())
    }

    fn finding(&mut self, finding: &Finding) -> io::Result<()> {
        let rule = &finding.rule;
        let place = format!("{}:{}", finding.location.start.line, finding.location.start.column);
        let severity = self.paint(severity_style(rule.severity), rule.severity.name());
        let id = self.paint(BOLD, &escape(&rule.id));
        writeln!(self.out, "  {place}  {severity}  {id}")?;
        let provider = match rule.provider.as_str() {
            "" => String::new(),
            provider => format!("{}: ", escape(provider)),
        };
        writeln!(self.out, "{INDENT}{provider}{}", escape(&rule.description))?;
        self.excerpt(&finding.excerpt, &finding.secret)?;
        for part in &finding.parts {
            let (start, id) = (part.location.start, self.paint(BOLD, &escape(&part.rule.id)));
            writeln!(self.out, "{INDENT}with {}:{}  {id}", start.line, start.column)?;
            self.excerpt(&part.excerpt, &part.secret)?;
        }
        let reason = match finding.reason.as_str() {
            "" => String::new(),
            reason => format!(": {}", escape(&self.redactor.text(reason))),
        };
        self.faint(&format!("{} confidence{reason}", finding.confidence))?;
        match &finding.location.origin {
            Origin::Blob(id) if self.form.verbosity == Verbosity::Verbose => {
                self.faint(&format!("blob {id}"))?
            }
            Origin::CommitMessage(id) => self.faint(&format!("in the message of commit {id}"))?,
            Origin::TagMessage(id) => self.faint(&format!("in the message of tag {id}"))?,
            _ => {}
        }
        if let Some(exposure) = &finding.exposure {
            self.exposure(exposure)?;
        }
        if self.form.verbosity == Verbosity::Verbose {
            self.faint(&format!("fingerprint {}", finding.fingerprint))?;
            if let Some(reference) = &rule.reference {
                self.faint(&format!("see {}", escape(reference)))?;
            }
        }
        Ok(())
    }

    /// The line, and under it a mark for readers without colours.
    fn excerpt(&mut self, excerpt: &Excerpt, value: &Secret) -> io::Result<()> {
        let Excerpt { text, secret } = excerpt;
        if text.is_empty() {
            return Ok(());
        }
        let parts = (text.get(..secret.start), text.get(secret.clone()), text.get(secret.end..));
        let (Some(before), Some(marked), Some(after)) = parts else {
            return writeln!(self.out, "{INDENT}{}", visible(text));
        };
        let before = visible(before.trim_start());
        let marked = match self.report.show_secrets && !marked.is_empty() {
            true => escape_bytes(value.reveal()),
            false => visible(marked),
        };
        let painted = self.paint(SECRET, &marked);
        writeln!(self.out, "{INDENT}{before}{painted}{}", visible(after.trim_end()))?;
        let marks = self.paint(SECRET, &"^".repeat(marked.width()));
        if !marks.is_empty() {
            writeln!(self.out, "{INDENT}{:1$}{marks}", "", before.width())?;
        }
        Ok(())
    }

    fn exposure(&mut self, exposure: &Exposure) -> io::Result<()> {
        match (&exposure.first, &exposure.last) {
            (Some(first), Some(last)) if first.id != last.id => {
                let (first, last) = (self.commit(first), self.commit(last));
                writeln!(self.out, "{INDENT}first commit {first}")?;
                writeln!(self.out, "{INDENT}last commit  {last}")?;
            }
            (Some(only), _) | (None, Some(only)) => {
                let only = self.commit(only);
                writeln!(self.out, "{INDENT}commit {only}")?;
            }
            (None, None) => {}
        }
        let state = if exposure.in_head { "still in HEAD" } else { "only in history" };
        let reached: Vec<&str> = exposure.reached_by.iter().map(|reach| reach.name()).collect();
        if reached.is_empty() {
            writeln!(self.out, "{INDENT}{state}")
        } else if exposure.reached_by.iter().eq([&Reach::Unreachable]) {
            writeln!(self.out, "{INDENT}{state}; unreachable: no ref or reflog leads to it any more")
        } else if exposure.is_local_only() {
            writeln!(self.out, "{INDENT}{state}; reached by {}", reached.join(", "))?;
            writeln!(
                self.out,
                "{INDENT}local only: as far as this clone knows it was not pushed, a rebase takes it out"
            )
        } else {
            writeln!(self.out, "{INDENT}{state}; reached by {}", reached.join(", "))
        }
    }

    fn commit(&self, commit: &CommitInfo) -> String {
        let date = rfc3339(commit).unwrap_or_else(|| format!("@{}", commit.time_seconds));
        let name = escape_bytes(&self.redactor.bytes(&commit.author_name));
        let email = escape_bytes(&self.redactor.bytes(&commit.author_email));
        format!("{}  {date}  {name} <{email}>", commit.id.short())
    }

    /// What to do, once for each rule and not once for each finding.
    fn advice(&mut self) -> io::Result<()> {
        if self.report.findings.is_empty() {
            return Ok(());
        }
        let rules: BTreeMap<&str, &RuleInfo> =
            self.report.findings.iter().map(|finding| (finding.rule.id.as_str(), &*finding.rule)).collect();
        let urgent = match self.report.mode {
            Mode::Staged => "Not committed yet: take the secret out, `git add` the file and commit again.",
            Mode::History => {
                "What has been pushed is known: revoke it first, rewriting history comes second."
            }
            Mode::Scan | Mode::Stdin => {
                "If it was ever committed or shared, revoke it; deleting the line is not enough."
            }
        };
        let urgent = self.paint(BOLD, urgent);
        writeln!(self.out, "{urgent}")?;
        for (id, rule) in &rules {
            if let Some(revoke) = &rule.revoke {
                writeln!(self.out, "  {}: {}", escape(id), escape(revoke))?;
            }
        }
        let example = rules.keys().next().copied().unwrap_or_default();
        writeln!(self.out, "False alarm? Say so in a comment on the line or alone on the line above:")?;
        writeln!(self.out, "  stanch:allow {}: <why it is safe>", escape(example))?;
        let file = self.report.config.and_then(|path| path.file_name()).map(|name| name.to_string_lossy());
        match file.filter(|name| name.contains("gitleaks")) {
            Some(name) => writeln!(self.out, "or add it to an allowlist in {}.", escape(&name))?,
            None => writeln!(self.out, "or add an [[allow]] entry with a reason to .stanch.toml.")?,
        }
        writeln!(self.out)
    }

    fn problems(&mut self) -> io::Result<()> {
        for problem in &self.report.coverage.problems {
            let line = problem_line(problem, &self.redactor);
            let label = self.paint(SECRET, "error:");
            writeln!(self.out, "{label} {line}")?;
        }
        Ok(())
    }

    fn receipt(&mut self) -> io::Result<()> {
        let Report { coverage, suppressed, .. } = self.report;
        for note in self.report.notes {
            writeln!(self.out, "note: {}", escape(&self.redactor.text(note)))?;
        }
        let is_good = self.report.is_complete() && self.report.findings.is_empty();
        let verdict = self.paint(if is_good { GOOD } else { SECRET }, &self.report.verdict());
        writeln!(self.out, "{verdict}")?;

        let counts = [
            (coverage.files, "file"),
            (coverage.blobs, "blob"),
            (coverage.commits, "commit"),
            (coverage.refs, "ref"),
        ];
        let mut parts: Vec<String> = counts
            .iter()
            .filter(|(number, _)| *number > 0)
            .map(|&(number, noun)| count(number, noun))
            .collect();
        parts.push(human_bytes(coverage.bytes));
        if coverage.known_clean > 0 {
            parts.push(format!("{} known clean from the cache", coverage.known_clean));
        }
        let time = match self.report.elapsed {
            Some(time) if time.as_secs() == 0 => format!(" in {} ms", time.as_millis()),
            Some(time) => format!(" in {:.1} s", time.as_secs_f64()),
            None => String::new(),
        };
        self.faint_line(&format!("scanned {}{time}", parts.join(", ")))?;
        self.skipped()?;

        let dropped = [
            (suppressed.inline, "by inline markers"),
            (suppressed.allowlist, "by allowlist entries"),
            (suppressed.baseline, "by the baseline"),
            (suppressed.below_threshold, "below the severity or confidence asked for"),
        ];
        let dropped: Vec<String> = dropped
            .iter()
            .filter(|(number, _)| *number > 0)
            .map(|(number, how)| format!("{number} {how}"))
            .collect();
        if !dropped.is_empty() {
            self.faint_line(&format!("not reported: {}", dropped.join(", ")))?;
        }
        if let Some(path) = self.report.config {
            self.faint_line(&format!("configuration: {}", escape(&path.display().to_string())))?;
        }
        if let Some(baseline) = self.report.baseline {
            let mut line =
                format!("baseline: {}, {}", escape_bytes(&baseline.path), entries(baseline.entries));
            let counts = [(baseline.expired, "expired"), (baseline.stale.unwrap_or(0), "stale")];
            for (number, what) in counts.iter().filter(|(number, _)| *number > 0) {
                line.push_str(&format!(", {number} {what}"));
            }
            self.faint_line(&line)?;
        }
        Ok(())
    }

    fn skipped(&mut self) -> io::Result<()> {
        let skipped = &self.report.coverage.skipped;
        let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
        for skipped in skipped {
            *counts.entry(skipped.reason.name()).or_default() += 1;
        }
        if counts.is_empty() {
            return Ok(());
        }
        let counts: Vec<String> =
            counts.iter().map(|(reason, number)| format!("{number} {reason}")).collect();
        self.faint_line(&format!("skipped: {}", counts.join(", ")))?;
        if self.form.verbosity == Verbosity::Verbose {
            for skipped in skipped {
                let name = escape_bytes(&self.redactor.bytes(&skipped.name));
                self.faint_line(&format!("  {}: {name}", skipped.reason.name()))?;
            }
        }
        Ok(())
    }

    fn faint(&mut self, text: &str) -> io::Result<()> {
        let text = self.paint(FAINT, text);
        writeln!(self.out, "{INDENT}{text}")
    }

    fn faint_line(&mut self, text: &str) -> io::Result<()> {
        let text = self.paint(FAINT, text);
        writeln!(self.out, "{text}")
    }

    fn paint(&self, style: Style, text: &str) -> String {
        match self.form.colour && !text.is_empty() {
            true => format!("{style}{text}{style:#}"),
            false => text.to_owned(),
        }
    }
}

fn entries(number: u64) -> String {
    if number == 1 { "1 entry".to_owned() } else { format!("{number} entries") }
}

/// A problem as one safe line: what, then why.
fn problem_line(problem: &Problem, redactor: &Redactor) -> String {
    let message = escape(&redactor.text(&problem.message)).into_owned();
    if problem.name.is_empty() {
        return message;
    }
    format!("{}: {message}", escape_bytes(&redactor.bytes(&problem.name)))
}

/// A piece of a line, with tabs as spaces, so that the mark below it stands where it should.
fn visible(text: &str) -> String {
    match text.contains(is_hidden) {
        true => escape(&text.replace('\t', " ")).into_owned(),
        false => text.to_owned(),
    }
}

fn severity_style(severity: Severity) -> Style {
    let colour = match severity {
        Severity::Critical | Severity::High => AnsiColor::Red,
        Severity::Medium => AnsiColor::Yellow,
        Severity::Low => AnsiColor::Cyan,
        Severity::Info => return PLAIN,
    };
    let style = Style::new().fg_color(Some(anstyle::Color::Ansi(colour)));
    if severity == Severity::Critical { style.bold() } else { style }
}
