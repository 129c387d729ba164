//! For people: what a developer sees when a commit is blocked.

use std::collections::BTreeMap;
use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use unicode_width::UnicodeWidthStr;

use super::text::{count, escape, escape_bytes, human_bytes};
use super::wire::{CommitRecord, Document, FindingRecord, HistoryRecord, ProblemRecord, SecretRecord};
use super::{Mode, Reporter};
use crate::finding::Severity;

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
    fn write(&self, document: &Document, out: &mut dyn Write) -> io::Result<Vec<String>> {
        let mut page = Page { form: *self, document, out };
        page.findings()?;
        if self.verbosity > Verbosity::Quiet {
            page.advice()?;
        }
        page.problems()?;
        if self.verbosity > Verbosity::Quiet {
            page.receipt()?;
        }
        Ok(Vec::new())
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
    document: &'p Document,
    out: &'p mut dyn Write,
}

impl Page<'_> {
    fn findings(&mut self) -> io::Result<()> {
        let mut last_place = None;
        for finding in &self.document.findings {
            let place = (&finding.repository, finding.path_bytes());
            if last_place.as_ref() != Some(&place) {
                let repository = match &finding.repository {
                    Some(name) => format!("{}: ", escape(name)),
                    None => String::new(),
                };
                let path = match place.1.is_empty() {
                    true => "(path not known)".to_owned(),
                    false => escape_bytes(&place.1),
                };
                let shown = self.paint(PATH, &format!("{repository}{path}"));
                writeln!(self.out, "{shown}")?;
                last_place = Some(place);
            }
            self.finding(finding)?;
            writeln!(self.out)?;
        }
        Ok(())
    }

    fn finding(&mut self, finding: &FindingRecord) -> io::Result<()> {
        let place = format!("{}:{}", finding.secret.line, finding.secret.column);
        let severity = self.paint(severity_style(finding.severity), finding.severity.name());
        let id = self.paint(BOLD, &escape(&finding.rule));
        writeln!(self.out, "  {place}  {severity}  {id}")?;
        let provider = match finding.provider.as_str() {
            "" => String::new(),
            provider => format!("{}: ", escape(provider)),
        };
        writeln!(self.out, "{INDENT}{provider}{}", escape(&finding.description))?;
        self.excerpt(&finding.secret)?;
        for part in &finding.parts {
            let id = self.paint(BOLD, &escape(&part.rule));
            writeln!(self.out, "{INDENT}with {}:{}  {id}", part.secret.line, part.secret.column)?;
            self.excerpt(&part.secret)?;
        }
        let reason = match finding.reason.as_str() {
            "" => String::new(),
            reason => format!(": {}", escape(reason)),
        };
        self.faint(&format!("{} confidence{reason}", finding.confidence))?;
        let object = escape(finding.origin.object.as_deref().unwrap_or_default());
        match finding.origin.kind.as_str() {
            "blob" if self.form.verbosity == Verbosity::Verbose => self.faint(&format!("blob {object}"))?,
            "commit-message" => self.faint(&format!("in the message of commit {object}"))?,
            "tag-message" => self.faint(&format!("in the message of tag {object}"))?,
            _ => {}
        }
        if let Some(history) = &finding.history {
            self.exposure(history)?;
        }
        if self.form.verbosity == Verbosity::Verbose {
            self.faint(&format!("fingerprint {}", escape(&finding.secret.fingerprint)))?;
            if let Some(reference) = &finding.reference {
                self.faint(&format!("see {}", escape(reference)))?;
            }
        }
        Ok(())
    }

    /// The line, and under it a mark for readers without colours.
    fn excerpt(&mut self, secret: &SecretRecord) -> io::Result<()> {
        if secret.excerpt.is_empty() {
            return Ok(());
        }
        let [before, marked, after] = secret.excerpt_parts();
        if marked.is_empty() {
            return writeln!(self.out, "{INDENT}{}", visible(&secret.excerpt));
        }
        let before = visible(before.trim_start());
        // What is shown by name is shown as it is, a tab in it included.
        let marked = if secret.secret.is_some() { escape(marked).into_owned() } else { visible(marked) };
        let painted = self.paint(SECRET, &marked);
        writeln!(self.out, "{INDENT}{before}{painted}{}", visible(after.trim_end()))?;
        let marks = self.paint(SECRET, &"^".repeat(marked.width()));
        writeln!(self.out, "{INDENT}{:1$}{marks}", "", before.width())
    }

    fn exposure(&mut self, history: &HistoryRecord) -> io::Result<()> {
        match (&history.first_commit, &history.last_commit) {
            (Some(first), Some(last)) if first.id != last.id => {
                writeln!(self.out, "{INDENT}first commit {}", commit(first))?;
                writeln!(self.out, "{INDENT}last commit  {}", commit(last))?;
            }
            (Some(only), _) | (None, Some(only)) => writeln!(self.out, "{INDENT}commit {}", commit(only))?,
            (None, None) => {}
        }
        let state = if history.in_head { "still in HEAD" } else { "only in history" };
        let reached = escape(&history.reached_by.join(", ")).into_owned();
        if reached.is_empty() {
            writeln!(self.out, "{INDENT}{state}")
        } else if reached == "unreachable" {
            writeln!(self.out, "{INDENT}{state}; unreachable: no ref or reflog leads to it any more")
        } else if history.local_only {
            writeln!(self.out, "{INDENT}{state}; reached by {reached}")?;
            writeln!(
                self.out,
                "{INDENT}local only: as far as this clone knows it was not pushed, a rebase takes it out"
            )
        } else {
            writeln!(self.out, "{INDENT}{state}; reached by {reached}")
        }
    }

    /// What to do, once for each rule and not once for each finding.
    fn advice(&mut self) -> io::Result<()> {
        if self.document.findings.is_empty() {
            return Ok(());
        }
        let rules: BTreeMap<&str, &FindingRecord> =
            self.document.findings.iter().map(|finding| (finding.rule.as_str(), finding)).collect();
        let urgent = match self.document.run.mode {
            Mode::Staged => "Not committed yet: take the secret out, `git add` the file and commit again.",
            Mode::History => {
                "What has been pushed is known: revoke it first, rewriting history comes second."
            }
            Mode::Scan | Mode::Stdin | Mode::Mixed => {
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
        let config = self.document.run.config.as_deref();
        match config.and_then(|path| path.rsplit(['/', '\\']).next()).filter(|name| name.contains("gitleaks"))
        {
            Some(name) => writeln!(self.out, "or add it to an allowlist in {}.", escape(name))?,
            None => writeln!(self.out, "or add an [[allow]] entry with a reason to .stanch.toml.")?,
        }
        writeln!(self.out)
    }

    fn problems(&mut self) -> io::Result<()> {
        for problem in &self.document.run.coverage.problems {
            let line = problem_line(problem);
            let label = self.paint(SECRET, "error:");
            writeln!(self.out, "{label} {line}")?;
        }
        Ok(())
    }

    fn receipt(&mut self) -> io::Result<()> {
        let document = self.document;
        let (coverage, suppressed) = (&document.run.coverage, &document.run.suppressed);
        for note in &document.run.notes {
            writeln!(self.out, "note: {}", escape(note))?;
        }
        let is_good = document.is_complete() && document.findings.is_empty();
        let verdict = self.paint(if is_good { GOOD } else { SECRET }, &document.verdict());
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
        let time = match document.clock.elapsed {
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
        if let Some(path) = &document.run.config {
            self.faint_line(&format!("configuration: {}", escape(path)))?;
        }
        if let Some(baseline) = &document.run.baseline {
            let mut line = format!("baseline: {}, {}", escape(&baseline.path), entries(baseline.entries));
            let counts = [(baseline.expired, "expired"), (baseline.stale.unwrap_or(0), "stale")];
            for (number, what) in counts.iter().filter(|(number, _)| *number > 0) {
                line.push_str(&format!(", {number} {what}"));
            }
            self.faint_line(&line)?;
        }
        Ok(())
    }

    fn skipped(&mut self) -> io::Result<()> {
        let skipped = &self.document.run.coverage.skipped;
        let counts = &skipped.counts;
        if counts.is_empty() {
            return Ok(());
        }
        let counts: Vec<String> =
            counts.iter().map(|(reason, number)| format!("{number} {}", escape(reason))).collect();
        self.faint_line(&format!("skipped: {}", counts.join(", ")))?;
        if self.form.verbosity == Verbosity::Verbose {
            for item in &skipped.items {
                self.faint_line(&format!(
                    "  {}: {}",
                    escape(&item.reason),
                    escape_bytes(&item.name_bytes())
                ))?;
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
pub(super) fn problem_line(problem: &ProblemRecord) -> String {
    let message = escape(&problem.message).into_owned();
    if problem.name.is_empty() {
        return message;
    }
    format!("{}: {message}", escape_bytes(&problem.name_bytes()))
}

fn commit(commit: &CommitRecord) -> String {
    let date = commit.date.clone().unwrap_or_else(|| format!("@{}", commit.time_seconds));
    let id: String = commit.id.chars().take(10).collect();
    let [id, date, name, email] = [&id, &date, &commit.author, &commit.email].map(|text| escape(text));
    format!("{id}  {date}  {name} <{email}>")
}

/// A piece of a line, with tabs as spaces, so that the mark below it stands where it should.
fn visible(text: &str) -> String {
    escape(&text.replace('\t', " ")).into_owned()
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
