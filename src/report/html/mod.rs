//! A page for people, in one file: figures, a timeline, every finding.

mod timeline;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use sha2::{Digest, Sha256};

use self::timeline::{Span, Timeline};
use super::text::{count, escape, escape_bytes, human_bytes, markup};
use super::wire::{CommitRecord, Document, FindingRecord, HistoryRecord, SecretRecord, TOOL};
use super::{Mode, Reporter};
use crate::finding::Severity;

/// Writes a page that needs nothing but a browser: no network, no other file. It holds every finding with and without
/// scripts; the script filters, searches and sorts what is there.
///
/// The policy of the page names its one script and its one style by their hashes and allows nothing else, so nothing
/// that a report quotes could run even if it were not escaped, and it all is. Ages count to
/// [`Clock::finished_seconds`](super::wire::Clock::finished_seconds), or else to the newest commit that is named.
#[derive(Clone, Copy, Debug)]
pub struct Html;

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

/// Bars of a figure; what is more is counted below them.
const MOST_BARS: usize = 8;

impl Reporter for Html {
    fn write(&self, document: &Document, out: &mut dyn Write) -> io::Result<Vec<String>> {
        let mut page = Page::new(document, out);
        page.head()?;
        page.top()?;
        page.problems()?;
        if !document.findings.is_empty() {
            page.figures()?;
            page.exposure()?;
            page.findings()?;
        }
        page.receipt()?;
        page.end()?;
        Ok(Vec::new())
    }
}

/// Text that means nothing else in HTML, in content and in quoted attributes; hidden characters as escapes.
fn html(text: &str) -> String {
    markup(&escape(text))
}

/// A source of the policy: the script or style with this text and no other.
fn source_hash(text: &str) -> String {
    format!("'sha256-{}'", data_encoding::BASE64.encode(&Sha256::digest(text.as_bytes())))
}

/// `1 234 567`, with spaces that do not break.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push('\u{202f}');
        }
        out.push(digit);
    }
    out
}

/// A number and its noun, for the eye.
fn counted(number: usize, noun: &str) -> String {
    format!("{} {noun}{}", grouped(number as u64), if number == 1 { "" } else { "s" })
}

/// The day of a time, in UTC.
fn day(seconds: i64) -> Option<String> {
    let time = Timestamp::from_second(seconds).ok()?;
    Some(time.to_zoned(TimeZone::UTC).date().to_string())
}

/// How old something is, for a figure: name and how many days at least, youngest first.
const AGES: [(&str, i64); 5] = [
    ("up to a week", 0),
    ("up to a month", 7),
    ("up to a year", 31),
    ("up to 3 years", 366),
    ("over 3 years", 1096),
];

fn age_name(days: i64) -> &'static str {
    let fitting = AGES.iter().rev().find(|(_, least)| days > *least);
    fitting.map_or(AGES[0].0, |(name, _)| name)
}

/// An age in one word or two.
fn age(days: i64) -> String {
    match days {
        ..1 => "today".to_owned(),
        1..=60 => format!("{} ago", count(days as u64, "day")),
        61..=730 => format!("{} months ago", days / 30),
        _ => format!("{} years ago", days / 365),
    }
}

struct Page<'p> {
    document: &'p Document,
    out: &'p mut dyn Write,
    /// The time that ages count to, if there is one.
    now: Option<i64>,
    timeline: Option<Timeline>,
    has_history: bool,
    has_repositories: bool,
}

impl<'p> Page<'p> {
    fn new(document: &'p Document, out: &'p mut dyn Write) -> Self {
        let spans: Vec<Span> = document.findings.iter().filter_map(Span::of).collect();
        let newest = spans.iter().map(|span| span.end).max();
        let now = document.clock.finished_seconds.or(newest);
        let timeline = now.and_then(|now| Timeline::new(&spans, now));
        let has_history = document.findings.iter().any(|finding| finding.history.is_some());
        let has_repositories = document.findings.iter().any(|finding| finding.repository.is_some());
        Self { document, out, now, timeline, has_history, has_repositories }
    }

    fn head(&mut self) -> io::Result<()> {
        let policy = format!(
            "default-src 'none'; style-src {}; script-src {}; base-uri 'none'; form-action 'none'",
            source_hash(STYLE),
            source_hash(SCRIPT)
        );
        let out = &mut self.out;
        writeln!(out, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">")?;
        writeln!(out, "<meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">")?;
        writeln!(out, "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">")?;
        writeln!(out, "<meta name=\"color-scheme\" content=\"light dark\">")?;
        writeln!(
            out,
            "<meta name=\"referrer\" content=\"no-referrer\">\n<meta name=\"robots\" content=\"noindex\">"
        )?;
        writeln!(out, "<title>{} – {TOOL}</title>", html(&self.document.verdict()))?;
        writeln!(out, "<style>{STYLE}</style>\n</head>\n<body>")
    }

    fn top(&mut self) -> io::Result<()> {
        let document = self.document;
        let what = match document.run.mode {
            Mode::Scan => "Files on disk",
            Mode::Staged => "What was about to be committed",
            Mode::History => "History of a repository",
            Mode::Stdin => "Standard input",
            Mode::Mixed => "Several kinds of runs",
        };
        let date =
            document.clock.finished_seconds.and_then(day).map_or_else(String::new, |day| format!(" · {day}"));
        let merged = match document.run.merged.len() as u64 {
            0 => String::new(),
            number => format!(" · {}", count(number, "report")),
        };
        writeln!(
            self.out,
            "<header class=\"top\"><svg class=\"logo\" viewBox=\"0 0 32 32\" aria-hidden=\"true\"><path class=\"drop\" d=\"M16 2c5 \
             6.4 9 11 9 16.6A9.2 9.2 0 0 1 16 28a9.2 9.2 0 0 1-9-9.4C7 13 11 8.4 16 2z\"/><path class=\"bar\" d=\"M5 \
             19.5h22\"/></svg><div><h1>Secrets report</h1><p>{what}{date}{merged} · {TOOL} {}</p></div><button type=\"button\" \
             class=\"theme\">Theme: as the system</button></header>\n<main>",
            html(&document.run.version)
        )?;
        if document.findings.is_empty() { self.calm() } else { self.verdict() }
    }

    /// What is seen when there is nothing to see.
    fn calm(&mut self) -> io::Result<()> {
        let (class, tick, title, text) = match self.document.is_complete() {
            true => {
                ("calm", "M21 33.5l8 8 15-17", "No secrets found", "Everything that was asked for was read.")
            }
            false => (
                "calm warn",
                "M32 19v17M32 44.5v.1",
                "Nothing found in what could be read",
                "Not everything could be read, so this is no all-clear.",
            ),
        };
        writeln!(
            self.out,
            "<section class=\"card {class}\"><svg viewBox=\"0 0 64 64\" aria-hidden=\"true\"><circle class=\"disc\" cx=\"32\" \
             cy=\"32\" r=\"30\"/><path class=\"tick\" d=\"{tick}\"/></svg><h2>{title}</h2><p>{text}</p></section>"
        )
    }

    fn verdict(&mut self) -> io::Result<()> {
        let findings = &self.document.findings;
        let secrets: BTreeSet<_> =
            findings.iter().map(|one| (&one.repository, &one.secret.fingerprint)).collect();
        let files: BTreeSet<_> =
            findings.iter().map(|one| (&one.repository, one.repository_path_bytes())).collect();
        let (class, state) = match self.document.is_complete() {
            true => ("good", "Everything asked for was read"),
            false => ("warn", "Not everything could be read"),
        };
        let noun = if findings.len() == 1 { "finding" } else { "findings" };
        let number = grouped(findings.len() as u64);
        writeln!(
            self.out,
            "<section class=\"card verdict\"><div><p class=\"number\">{number}</p><p class=\"what\">{noun} of {} in {}</p>\
             <p class=\"state {class}\">{state}</p></div><div>",
            counted(secrets.len(), "distinct secret"),
            counted(files.len(), "file"),
        )?;
        self.severities()?;
        let histories: Vec<&HistoryRecord> = findings.iter().filter_map(|one| one.history.as_ref()).collect();
        let rules: BTreeSet<&str> = findings.iter().map(|one| one.rule.as_str()).collect();
        let mut tiles = vec![("Rules that found", grouped(rules.len() as u64))];
        let sure = findings.iter().filter(|one| one.confidence >= crate::finding::Confidence::High).count();
        tiles.push(("High or proven", grouped(sure as u64)));
        if self.has_history {
            let here = histories.iter().filter(|history| history.in_head).count();
            tiles.push(("Still in HEAD", grouped(here as u64)));
            let local = histories.iter().filter(|history| history.local_only).count();
            tiles.push(("Not pushed yet", grouped(local as u64)));
        }
        if self.has_repositories {
            let names: BTreeSet<_> = findings.iter().filter_map(|one| one.repository.as_ref()).collect();
            tiles.push(("Repositories", grouped(names.len() as u64)));
        }
        write!(self.out, "<dl class=\"tiles\">")?;
        for (name, value) in tiles {
            write!(self.out, "<div><dt>{name}</dt><dd>{value}</dd></div>")?;
        }
        writeln!(self.out, "</dl></div></section>")
    }

    fn severities(&mut self) -> io::Result<()> {
        let all = self.document.findings.len();
        let of = |severity| self.document.findings.iter().filter(|one| one.severity == severity).count();
        let counts = Severity::ALL.iter().rev().map(|&severity| (severity, of(severity)));
        let counts: Vec<(Severity, usize)> = counts.filter(|(_, number)| *number > 0).collect();
        write!(self.out, "<svg class=\"stack\" role=\"img\" aria-label=\"Findings by severity\">")?;
        let mut at = 0.0;
        for (severity, number) in &counts {
            let width = *number as f64 * 100.0 / all as f64;
            write!(
                self.out,
                "<rect class=\"fill {severity}\" x=\"{at:.3}%\" width=\"{width:.3}%\" height=\"14\"><title>{severity}: {number}</title>\
                 </rect>"
            )?;
            at += width;
        }
        write!(self.out, "</svg><p class=\"legend\">")?;
        for (severity, number) in &counts {
            write!(
                self.out,
                "<button type=\"button\" class=\"pill {severity}\" data-facet=\"severity\" data-value=\"{severity}\" \
                 aria-pressed=\"false\"><b>{number}</b> {severity}</button>",
            )?;
        }
        write!(self.out, "</p>")
    }

    fn figures(&mut self) -> io::Result<()> {
        writeln!(self.out, "<div class=\"cards\">")?;
        let findings = &self.document.findings;
        if self.has_repositories {
            let names = findings.iter().map(|one| one.repository.clone().unwrap_or_default());
            self.bars("By repository", "repository", most(names))?;
        }
        self.bars("By rule", "rule", most(findings.iter().map(|one| one.rule.clone())))?;
        if self.has_history {
            self.bars("By author who brought it", "author", most(findings.iter().map(author)))?;
            let ages: Vec<&str> = findings.iter().filter_map(|one| self.days(one)).map(age_name).collect();
            let by_age = AGES
                .iter()
                .map(|(name, _)| ((*name).to_owned(), ages.iter().filter(|age| age == &name).count()));
            let mut by_age: Vec<(String, usize)> = by_age.collect();
            if ages.len() < findings.len() {
                by_age.push(("no date".to_owned(), findings.len() - ages.len()));
            }
            self.bars("By age", "age", by_age)?;
        } else {
            self.bars("By file", "file", most(findings.iter().map(path)))?;
            let names = crate::finding::Confidence::ALL.iter().rev();
            let by_confidence = names.map(|name| {
                (name.name().to_owned(), findings.iter().filter(|one| one.confidence == *name).count())
            });
            self.bars("By confidence", "confidence", by_confidence.collect())?;
        }
        writeln!(self.out, "</div>")
    }

    fn bars(&mut self, title: &str, facet: &str, values: Vec<(String, usize)>) -> io::Result<()> {
        let largest = values.iter().map(|(_, number)| *number).max().unwrap_or(1).max(1);
        write!(self.out, "<section class=\"card\"><h2>{title}</h2><div class=\"bars\">")?;
        for (value, number) in values.iter().take(MOST_BARS) {
            let width = *number as f64 * 100.0 / largest as f64;
            let name = if value.is_empty() { "(none)".to_owned() } else { html(value) };
            write!(
                self.out,
                "<button type=\"button\" data-facet=\"{facet}\" data-value=\"{}\" aria-pressed=\"false\"><span class=\"name\" \
                 title=\"{name}\">{name}</span><span class=\"count\">{number}</span><svg aria-hidden=\"true\"><rect class=\"track\" \
                 width=\"100%\" height=\"6\" rx=\"3\"/><rect class=\"value\" width=\"{width:.2}%\" height=\"6\" rx=\"3\"/></svg></button>",
                html(value)
            )?;
        }
        write!(self.out, "</div>")?;
        if values.len() > MOST_BARS {
            let rest: usize = values.iter().skip(MOST_BARS).map(|(_, number)| number).sum();
            let kinds = values.len() - MOST_BARS;
            write!(
                self.out,
                "<p class=\"more\">and {kinds} more with {}</p>",
                count(rest as u64, "finding")
            )?;
        }
        writeln!(self.out, "</section>")
    }

    /// Days since the finding came into the history.
    fn days(&self, finding: &FindingRecord) -> Option<i64> {
        Some((self.now? - Span::of(finding)?.start).max(0) / 86_400)
    }

    fn findings(&mut self) -> io::Result<()> {
        let state = match self.has_history {
            true => {
                "<label class=\"sr\" for=\"state\">State</label><select id=\"state\"><option value=\"\">In HEAD or not</option>\
                 <option value=\"head\">Still in HEAD</option><option value=\"past\">Only in history</option></select>"
            }
            false => "",
        };
        let by_time = match self.timeline.is_some() {
            true => {
                "<option value=\"newest\">Newest first</option><option value=\"oldest\">Oldest first</option>"
            }
            false => "",
        };
        writeln!(
            self.out,
            "<section aria-label=\"Findings\"><div class=\"bar\"><label class=\"sr\" for=\"search\">Search</label><input id=\"search\" \
             type=\"search\" placeholder=\"Search path, rule, author, commit …  ( / )\" autocomplete=\"off\" \
             spellcheck=\"false\">{state}<label class=\"sr\" for=\"sort\">Order</label><select id=\"sort\"><option value=\"place\">By \
             place</option><option value=\"severity\">By severity</option>{by_time}</select><button type=\"button\" class=\"plain\" \
             id=\"all\">Open all</button><button type=\"button\" class=\"plain\" id=\"reset\">Reset</button><div class=\"chosen\" \
             id=\"chosen\" role=\"status\"></div></div><div id=\"findings\">"
        )?;
        for (at, finding) in self.document.findings.iter().enumerate() {
            self.finding(at + 1, finding)?;
        }
        writeln!(
            self.out,
            "<p class=\"nothing card\" id=\"nothing\" hidden>No finding fits. Reset the filters to see all.</p></div></section>"
        )
    }

    fn finding(&mut self, number: usize, finding: &FindingRecord) -> io::Result<()> {
        let severity = finding.severity;
        let mut data = vec![("severity", severity.name().to_owned()), ("rule", finding.rule.clone())];
        if self.has_repositories {
            data.push(("repository", finding.repository.clone().unwrap_or_default()));
        }
        match &finding.history {
            Some(history) => {
                data.push(("author", author(finding)));
                data.push(("age", self.days(finding).map_or("no date", age_name).to_owned()));
                data.push(("state", if history.in_head { "head" } else { "past" }.to_owned()));
                data.extend(Span::of(finding).map(|span| ("time", span.start.to_string())));
            }
            None => {
                data.push(("file", path(finding)));
                data.push(("confidence", finding.confidence.name().to_owned()));
            }
        }
        write!(self.out, "<details class=\"finding\" id=\"f{number}\"")?;
        for (name, value) in data {
            write!(self.out, " data-{name}=\"{}\"", html(&value))?;
        }
        let repository =
            finding.repository.as_ref().map_or_else(String::new, |name| format!("{}: ", html(name)));
        let title = title(finding);
        write!(
            self.out,
            "><summary><span class=\"pill {severity}\">{severity}</span><span class=\"text\"><span class=\"title\">{}</span> <span \
             class=\"where\">{repository}{}:{}</span></span><span class=\"when\">",
            html(&title),
            html_path(finding),
            finding.secret.line
        )?;
        self.life(finding)?;
        write!(self.out, "</span><span class=\"chevron\"></span></summary><div class=\"body\">")?;
        self.body(finding)?;
        writeln!(self.out, "</div></details>")
    }

    /// How long it has been there, as a bar on the scale of the whole report.
    fn life(&mut self, finding: &FindingRecord) -> io::Result<()> {
        let (Some(timeline), Some(span)) = (&self.timeline, Span::of(finding)) else { return Ok(()) };
        if let Some(days) = self.days(finding) {
            write!(self.out, "<span class=\"since\">{}</span>", age(days))?;
        }
        let (x, width) = timeline.bar(&span);
        write!(
            self.out,
            "<svg class=\"life\" aria-hidden=\"true\"><rect class=\"track\" y=\"2\" width=\"100%\" height=\"4\" rx=\"2\"/><rect \
             class=\"fill {}\" x=\"{x:.2}%\" y=\"1\" width=\"{width:.2}%\" height=\"6\" rx=\"3\"/></svg>",
            finding.severity
        )
    }

    fn body(&mut self, finding: &FindingRecord) -> io::Result<()> {
        self.excerpt(&finding.secret)?;
        for part in &finding.parts {
            write!(self.out, "<p>with <b>{}</b>: {}</p>", html(&part.rule), html(&part.description))?;
            self.excerpt(&part.secret)?;
        }
        if let Some(revoke) = &finding.revoke {
            write!(self.out, "<p class=\"todo\"><b>What to do:</b> {}</p>", html(revoke))?;
        }
        write!(self.out, "<dl class=\"facts\">")?;
        let reason = match finding.reason.as_str() {
            "" => String::new(),
            reason => format!(": {reason}"),
        };
        self.fact("Rule", &html(&finding.rule))?;
        self.fact("Confidence", &html(&format!("{}{reason}", finding.confidence)))?;
        let origin = match (finding.origin.kind.as_str(), &finding.origin.object) {
            (kind, Some(object)) => {
                format!("{} <code>{}</code>", html(&kind.replace('-', " ")), html(object))
            }
            (kind, None) => html(kind),
        };
        self.fact("Read from", &origin)?;
        if let Some(history) = &finding.history {
            self.history(history)?;
        }
        self.fact("Fingerprint", &format!("<code>{}</code>", html(&finding.secret.fingerprint)))?;
        if let Some(page) = finding.reference.as_deref().filter(|page| is_page(page)) {
            let page = html(page);
            self.fact("Format", &format!("<a href=\"{page}\" rel=\"noopener noreferrer\">{page}</a>"))?;
        }
        write!(self.out, "</dl>")
    }

    fn history(&mut self, history: &HistoryRecord) -> io::Result<()> {
        let (first, last) = (&history.first_commit, &history.last_commit);
        if let Some(commit) = first {
            self.fact("Entered", &html_commit(commit))?;
        }
        match (last, history.in_head) {
            (_, true) => self.fact("Left", "not yet: still in HEAD")?,
            (Some(commit), false) if first.as_ref().is_none_or(|first| first.id != commit.id) => {
                self.fact("Last seen", &html_commit(commit))?;
            }
            (_, false) => self.fact("Last seen", "in that commit alone")?,
        }
        let mut reached = history.reached_by.join(", ");
        if history.local_only {
            reached.push_str(" (not pushed, as far as this clone knows)");
        }
        self.fact("Reached by", &html(&reached))
    }

    fn excerpt(&mut self, secret: &SecretRecord) -> io::Result<()> {
        if secret.excerpt.is_empty() {
            return Ok(());
        }
        let [before, marked, after] = secret.excerpt_parts();
        // Tabs are no secret signs of anything here; escapes would only be in the way.
        let [before, after] =
            [before.trim_start(), after.trim_end()].map(|text| html(&text.replace('\t', " ")));
        let marked = if marked.is_empty() { String::new() } else { format!("<mark>{}</mark>", html(marked)) };
        write!(
            self.out,
            "<code class=\"excerpt\"><span class=\"line\">{}</span>{before}{marked}{after}</code>",
            secret.line
        )
    }

    fn fact(&mut self, name: &str, value: &str) -> io::Result<()> {
        write!(self.out, "<dt>{name}</dt><dd>{value}</dd>")
    }

    fn problems(&mut self) -> io::Result<()> {
        let problems = &self.document.run.coverage.problems;
        if self.document.is_complete() {
            return Ok(());
        }
        write!(self.out, "<section class=\"card problems\"><h2>Not done</h2><ul>")?;
        for problem in problems {
            // Escaped for a terminal already; what is left is what HTML would read.
            write!(self.out, "<li>{}</li>", html(&super::human::problem_line(problem)))?;
        }
        if problems.is_empty() {
            write!(self.out, "<li>A run was not complete and did not say why.</li>")?;
        }
        writeln!(self.out, "</ul></section>")
    }

    fn receipt(&mut self) -> io::Result<()> {
        let run = &self.document.run;
        let coverage = &run.coverage;
        writeln!(self.out, "<section class=\"card receipt\"><h2>What was examined</h2><dl class=\"facts\">")?;
        let numbers = [
            ("Files", coverage.files),
            ("Blobs", coverage.blobs),
            ("Known clean", coverage.known_clean),
            ("Commits", coverage.commits),
            ("Refs", coverage.refs),
        ];
        for (name, number) in numbers.iter().filter(|(_, number)| *number > 0) {
            self.fact(name, &grouped(*number))?;
        }
        let time = match self.document.clock.elapsed {
            Some(time) if time.as_secs() == 0 => format!(" in {} ms", time.as_millis()),
            Some(time) => format!(" in {:.1} s", time.as_secs_f64()),
            None => String::new(),
        };
        self.fact("Content", &format!("{}{time}", human_bytes(coverage.bytes)))?;
        let skipped = coverage.skipped.counts.iter().map(|(reason, number)| format!("{number} {reason}"));
        let skipped: Vec<String> = skipped.collect();
        if !skipped.is_empty() {
            self.fact("Left out", &html(&skipped.join(", ")))?;
        }
        let dropped = [
            (run.suppressed.inline, "by inline markers"),
            (run.suppressed.allowlist, "by allowlist entries"),
            (run.suppressed.below_threshold, "below the severity or confidence asked for"),
        ];
        let dropped =
            dropped.iter().filter(|(number, _)| *number > 0).map(|(number, how)| format!("{number} {how}"));
        let dropped: Vec<String> = dropped.collect();
        if !dropped.is_empty() {
            self.fact("Not reported", &html(&dropped.join(", ")))?;
        }
        if let Some(config) = &run.config {
            self.fact("Configuration", &format!("<code>{}</code>", html(config)))?;
        }
        for merged in &run.merged {
            let name = merged.repository.as_deref().unwrap_or("a report");
            let found = count(merged.finding_count as u64, "finding");
            let state = if merged.complete { "" } else { ", not complete" };
            self.fact("From", &html(&format!("{name}: {}, {found}{state}", merged.mode.name())))?;
        }
        writeln!(self.out, "</dl>")?;
        if !coverage.skipped.items.is_empty() {
            let number = count(coverage.skipped.items.len() as u64, "thing");
            write!(self.out, "<details><summary>{number} left out, by name</summary><ul>")?;
            for item in &coverage.skipped.items {
                let name = html(&escape_bytes(&item.name_bytes()));
                write!(self.out, "<li>{}: <span class=\"mono\">{name}</span></li>", html(&item.reason))?;
            }
            writeln!(self.out, "</ul></details>")?;
        }
        if !run.notes.is_empty() {
            write!(self.out, "<ul class=\"notes\">")?;
            for note in &run.notes {
                write!(self.out, "<li>Note: {}</li>", html(note))?;
            }
            writeln!(self.out, "</ul>")?;
        }
        writeln!(self.out, "</section>")
    }

    fn end(&mut self) -> io::Result<()> {
        let secrets = match self.document.findings.iter().any(|finding| finding.secret.secret.is_some()) {
            true => "This page shows secrets in full. Keep it private.",
            false => "Secrets are redacted; a fingerprint does not lead back to one.",
        };
        writeln!(self.out, "</main>\n<footer>{secrets} The page loads nothing and sends nothing.</footer>")?;
        writeln!(self.out, "<script>{SCRIPT}</script>\n</body>\n</html>")
    }
}

/// How often each value is there, most frequent first.
fn most(values: impl Iterator<Item = String>) -> Vec<(String, usize)> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for value in values {
        *counts.entry(value).or_default() += 1;
    }
    let mut counts: Vec<(String, usize)> = counts.into_iter().collect();
    counts.sort_by_key(|(_, number)| std::cmp::Reverse(*number));
    counts
}

fn title(finding: &FindingRecord) -> String {
    match finding.provider.as_str() {
        "" => finding.description.clone(),
        provider => format!("{provider}: {}", finding.description),
    }
}

/// The author who brought it, by name; two with one name count as one.
fn author(finding: &FindingRecord) -> String {
    let history = finding.history.as_ref();
    let commit = history.and_then(|history| history.first_commit.as_ref().or(history.last_commit.as_ref()));
    commit.map(|commit| commit.author.clone()).unwrap_or_default()
}

fn path(finding: &FindingRecord) -> String {
    escape_bytes(&finding.repository_path_bytes())
}

fn html_path(finding: &FindingRecord) -> String {
    match finding.path.is_empty() {
        true => "(path not known)".to_owned(),
        false => html(&path(finding)),
    }
}

fn html_commit(commit: &CommitRecord) -> String {
    let date = commit.date.as_deref().map_or("no date", |date| date.get(..10).unwrap_or(date));
    let short: String = commit.id.chars().take(10).collect();
    format!(
        "{} with <code title=\"{}\">{}</code> by {} &lt;{}&gt;",
        html(date),
        html(&commit.id),
        html(&short),
        html(&commit.author),
        html(&commit.email)
    )
}

fn is_page(text: &str) -> bool {
    text.starts_with("https://") || text.starts_with("http://")
}
