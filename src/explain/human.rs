//! An explanation for people.

use std::fmt::Write;

use anstyle::{AnsiColor, Style};

use super::record::{Decision, Explanation, LineRecord, LookRecord, MatchRecord, RuleRecord};
use crate::filter::generic::THRESHOLDS;
use crate::report::text::{count, escape};

const PATH: Style = Style::new().bold().underline();
const BOLD: Style = Style::new().bold();
const FAINT: Style = Style::new().dimmed();
const BAD: Style = Style::new().fg_color(Some(anstyle::Color::Ansi(AnsiColor::Red))).bold();
const GOOD: Style = Style::new().fg_color(Some(anstyle::Color::Ansi(AnsiColor::Green))).bold();

/// Writes the explanation; `is_verbose` names every look of every rule. The form may change between releases.
pub fn human(explanation: &Explanation, colour: bool, is_verbose: bool) -> String {
    let mut page = Page { out: String::new(), colour, is_verbose };
    page.file(explanation);
    for line in &explanation.lines {
        page.line(explanation, line);
    }
    for silent in &explanation.silent_rules {
        page.put(0, &escape(silent));
    }
    for problem in &explanation.problems {
        let label = page.paint(BAD, "error:");
        page.put(0, &format!("{label} {}", escape(problem)));
    }
    let style = if explanation.is_reported { BAD } else { GOOD };
    for verdict in explanation.verdict.lines() {
        let verdict = page.paint(style, &escape(verdict));
        page.put(0, &verdict);
    }
    page.out
}

struct Page {
    out: String,
    colour: bool,
    is_verbose: bool,
}

impl Page {
    fn put(&mut self, indent: usize, text: &str) {
        writeln!(self.out, "{:indent$}{text}", "").expect("a string takes every write");
    }

    fn paint(&self, style: Style, text: &str) -> String {
        match self.colour && !text.is_empty() {
            true => format!("{style}{text}{style:#}"),
            false => text.to_owned(),
        }
    }

    fn faint(&mut self, indent: usize, text: &str) {
        let text = self.paint(FAINT, text);
        self.put(indent, &text);
    }

    fn file(&mut self, explanation: &Explanation) {
        for left_out in &explanation.left_out {
            let detail = escape(&left_out.detail);
            let path = escape(&explanation.path);
            match left_out.is_read_when_named {
                true => {
                    self.put(0, &format!("{path} is read only when it is named: {detail}"));
                }
                false => self.put(0, &format!("{path} is not read: {detail}")),
            }
        }
        if let Some(found) = &explanation.by_name {
            let path = self.paint(PATH, &escape(&explanation.path));
            self.put(0, &path);
            let rule = self.paint(BOLD, &found.rule);
            self.put(2, &format!("{rule}  looks at the name of the file"));
            self.decision(found);
            self.put(0, "");
        }
    }

    fn line(&mut self, explanation: &Explanation, line: &LineRecord) {
        let place = format!("{}:{}", escape(&explanation.path), line.line);
        let place = self.paint(PATH, &place);
        self.put(0, &place);
        if let Some(excerpt) = &line.excerpt {
            self.put(2, escape(&excerpt.replace('\t', " ")).trim());
        }
        let (found, silent): (Vec<&RuleRecord>, Vec<&RuleRecord>) =
            line.rules.iter().partition(|rule| !rule.matches.is_empty());
        for rule in found {
            self.found(rule);
        }
        self.silent(&silent);
        if explanation.line.is_none() && !line.is_reported {
            self.faint(2, &escape(&line.verdict));
        }
        self.put(0, "");
    }

    fn found(&mut self, rule: &RuleRecord) {
        let id = self.paint(BOLD, &escape(&rule.rule));
        self.put(2, &format!("{id}  {}", escape(&rule.description)));
        let looks = rule.looks.iter().filter(|look| look.is_found || self.is_verbose);
        let looks: Vec<String> = looks.map(sent).collect();
        if !looks.is_empty() {
            self.faint(6, &format!("looked because of {}", looks.join(", ")));
        }
        for found in &rule.matches {
            let inside = match found.layers.as_slice() {
                [] => String::new(),
                layers => format!(", inside {}", layers.join(" inside ")),
            };
            let place = format!("{}:{}", found.line, found.column);
            self.put(6, &format!("found at {place}{inside}: {}", escape(&found.secret)));
            self.decision(found);
        }
        for miss in rule.looks.iter().filter(|look| look.is_near).flat_map(|look| &look.misses) {
            self.faint(6, &escape(miss));
        }
    }

    fn decision(&mut self, found: &MatchRecord) {
        if let Some(points) = found.points {
            for weight in &found.weights {
                self.faint(8, &format!("{:>+6.2}  {}", weight.points, weight.reason));
            }
            let steps =
                THRESHOLDS.iter().rev().map(|(least, confidence)| format!("{confidence} from {least}"));
            let steps: Vec<String> = steps.collect();
            self.put(8, &format!("{points:>+6.2}  points; {}", steps.join(", ")));
        }
        let reason = escape(&found.reason);
        let text = match (found.decision, found.confidence) {
            (Decision::Reported, Some(confidence)) => {
                format!("{}, {confidence} confidence: {reason}", self.paint(BAD, "reported"))
            }
            _ => format!("{}: {reason}", self.paint(GOOD, "not reported")),
        };
        self.put(6, &text);
    }

    /// Rules that looked and found nothing; those near to it first.
    fn silent(&mut self, rules: &[&RuleRecord]) {
        let is_verbose = self.is_verbose;
        let (near, far): (Vec<&RuleRecord>, Vec<&RuleRecord>) =
            rules.iter().partition(|rule| is_verbose || rule.looks.iter().any(|look| look.is_near));
        near.into_iter().for_each(|rule| self.in_vain(rule));
        match far[..] {
            [] => {}
            // One that was asked for has a right to its reason.
            [only] => self.in_vain(only),
            _ => {
                let ids: Vec<&str> = far.iter().map(|rule| rule.rule.as_str()).collect();
                let number = count(ids.len() as u64, "rule");
                let ids = ids.join(", ");
                self.faint(2, &format!("{number} looked and found nothing of their form: {}", escape(&ids)));
            }
        }
    }

    fn in_vain(&mut self, rule: &RuleRecord) {
        let id = self.paint(BOLD, &escape(&rule.rule));
        self.put(2, &format!("{id}  {}", escape(&rule.description)));
        for look in &rule.looks {
            let misses = look.misses.join("; ");
            self.faint(6, &format!("looked because of {}: {}", sent(look), escape(&misses)));
        }
    }
}

/// What sent a rule, in words.
fn sent(look: &LookRecord) -> String {
    let inside = match look.layers.as_slice() {
        [] => String::new(),
        layers => format!(", inside {}", layers.join(" inside ")),
    };
    match look.sent_by {
        "everything" => "its expression alone, which runs everywhere".to_owned(),
        "name" => format!("the keyword `{}` in a name at {}:{}{inside}", look.word, look.line, look.column),
        sent_by => format!("its {sent_by} `{}` at {}:{}{inside}", look.word, look.line, look.column),
    }
}
