//! The form of an explanation. It is also its JSON form: within one [`SCHEMA_VERSION`] fields may be added, never
//! renamed, removed or given another meaning. Lines and columns start at 1, columns count bytes.

use std::borrow::Cow;

use serde::Serialize;

use super::reading::LeftOut;
use super::{Decided, Request};
use crate::filter::generic::Weight;
use crate::report::redact::Redactor;

/// Version of the JSON form.
pub const SCHEMA_VERSION: u32 = 1;

/// What a scan makes of a file, or of one line of it, and why.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Explanation {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// The file.
    pub path: String,
    /// The line that was asked for.
    pub line: Option<u64>,
    /// The byte column that was asked for.
    pub column: Option<u64>,
    /// Lines that the file has; 0 where it was not read.
    pub line_count: u64,
    /// Whether its content is read when the file is named.
    pub is_read: bool,
    /// Why a scan does not read it, or not unless it is named.
    pub left_out: Vec<LeftOut>,
    /// The rule that speaks of files of that name.
    pub by_name: Option<MatchRecord>,
    /// The line that was asked for, or every line at which a rule looked.
    pub lines: Vec<LineRecord>,
    /// For rules that were asked for and did not look: why.
    pub silent_rules: Vec<String>,
    /// Whether a scan of the file reports something at the place.
    pub is_reported: bool,
    /// What it comes to.
    pub verdict: String,
    /// What could not be done; not empty means exit code 2.
    pub problems: Vec<String>,
}

/// One line.
#[derive(Clone, Debug, Default, Serialize)]
pub struct LineRecord {
    /// The line.
    pub line: u64,
    /// Its text, everything redacted that fits any rule; only where something was found.
    pub excerpt: Option<String>,
    /// The rules that looked, those that found something first.
    pub rules: Vec<RuleRecord>,
    /// Whether something on it is reported.
    pub is_reported: bool,
    /// What it comes to.
    pub verdict: String,
}

/// What one rule did on a line.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RuleRecord {
    /// Id of the rule.
    pub rule: String,
    /// What it looks for.
    pub description: String,
    /// What sent it there, and what came of it: the first 32.
    pub looks: Vec<LookRecord>,
    /// What it found.
    pub matches: Vec<MatchRecord>,
}

/// One look of a rule.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LookRecord {
    /// `literal`, `keyword`, `name` (a keyword in the name of an assignment) or `everything`.
    pub sent_by: &'static str,
    /// The literal or keyword.
    pub word: String,
    /// Where the word stands.
    pub line: u64,
    /// Where the word stands.
    pub column: u64,
    /// Encodings that were undone before, outermost first.
    pub layers: Vec<&'static str>,
    /// Whether it found something.
    pub is_found: bool,
    /// Whether something fitted that did not count.
    pub is_near: bool,
    /// Why nothing was found, or what fitted and did not count.
    pub misses: Vec<String>,
}

/// What became of a match.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decision {
    /// It is a finding.
    Reported,
    /// A filter holds it for no secret.
    #[default]
    Dropped,
    /// A more specific rule found the same bytes.
    GaveWay,
    /// It is below the least severity or confidence.
    BelowThreshold,
    /// A marker in the text accepts it.
    Inline,
    /// An entry of the configuration accepts it.
    Allowlist,
    /// The baseline accepts it.
    Baseline,
    /// Its lines are no news.
    NotNew,
}

/// One match.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct MatchRecord {
    /// Id of the rule.
    pub rule: String,
    /// Where the secret starts.
    pub line: u64,
    /// Where the secret starts.
    pub column: u64,
    /// Line of the byte behind the secret.
    pub end_line: u64,
    /// Column of the byte behind the secret.
    pub end_column: u64,
    /// The secret, redacted unless asked for by name.
    pub secret: String,
    /// Encodings that were undone to find it, outermost first.
    pub layers: Vec<&'static str>,
    /// What became of it.
    pub decision: Decision,
    /// `low`, `medium`, `high` or `proven`, where it came to that.
    pub confidence: Option<&'static str>,
    /// Why.
    pub reason: String,
    /// The rule that took its place.
    pub took_its_place: Option<String>,
    /// Sum of the weights, for a rule that scores.
    pub points: Option<f32>,
    /// The weights that apply, for a rule that scores.
    pub weights: Vec<WeightRecord>,
}

/// A weight of the score.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct WeightRecord {
    /// Points; below zero against a secret.
    pub points: f32,
    /// Why.
    pub reason: &'static str,
}

impl WeightRecord {
    pub(super) fn new(weight: &Weight) -> Self {
        Self { points: weight.points, reason: weight.reason }
    }
}

impl RuleRecord {
    pub(super) fn new(id: &str, description: &str) -> Self {
        let (rule, description) = (id.to_owned(), description.to_owned());
        Self { rule, description, looks: Vec::new(), matches: Vec::new() }
    }
}

impl MatchRecord {
    pub(super) fn decide(&mut self, decided: Decided) {
        self.decision = decided.decision;
        self.confidence = decided.confidence.map(|confidence| confidence.name());
        self.reason = decided.reason;
    }

    /// What became of it as the end of a sentence that starts with the rule.
    fn verdict(&self) -> String {
        match self.confidence {
            Some(confidence) if self.decision == Decision::Reported => {
                format!("reported as {}, {confidence} confidence: {}", self.rule, self.reason)
            }
            _ => format!("{}: {}", self.rule, self.reason),
        }
    }
}

impl LineRecord {
    /// Takes in what another window of the file saw of the same line.
    pub(super) fn take(&mut self, other: &mut Self) -> bool {
        for rule in other.rules.drain(..) {
            match self.rules.iter_mut().find(|known| known.rule == rule.rule) {
                None => self.rules.push(rule),
                Some(known) => {
                    let is_new = |found: &MatchRecord| !known.matches.contains(found);
                    let matches: Vec<MatchRecord> = rule.matches.into_iter().filter(is_new).collect();
                    known.matches.extend(matches);
                    let is_new = |look: &LookRecord| !known.looks.contains(look);
                    let looks: Vec<LookRecord> = rule.looks.into_iter().filter(is_new).collect();
                    known.looks.extend(looks);
                }
            }
        }
        self.conclude();
        true
    }

    /// Says what the line comes to.
    pub(super) fn conclude(&mut self) {
        let matches = || self.rules.iter().flat_map(|rule| &rule.matches);
        let reported: Vec<String> = matches()
            .filter(|found| found.decision == Decision::Reported)
            .map(MatchRecord::verdict)
            .collect();
        self.is_reported = !reported.is_empty();
        // What gave way is explained by what took its place.
        let decided: Vec<String> =
            matches().filter(|found| found.decision != Decision::GaveWay).map(MatchRecord::verdict).collect();
        let near = || self.rules.iter().flat_map(|rule| &rule.looks).any(|look| look.is_near);
        self.verdict = if self.is_reported {
            reported.join("; ")
        } else if !decided.is_empty() {
            format!("not reported: {}", decided.join("; "))
        } else if matches().next().is_some() {
            let all: Vec<String> = matches().map(MatchRecord::verdict).collect();
            format!("not reported: {}", all.join("; "))
        } else if near() {
            "not reported: something fits the form of a rule, but does not count".to_owned()
        } else if self.rules.is_empty() {
            "not reported: no literal and no keyword of a rule stands here or near".to_owned()
        } else {
            "not reported: rules looked, and nothing fits their forms".to_owned()
        };
    }
}

impl Explanation {
    /// Says what it comes to.
    pub(super) fn conclude(&mut self, request: &Request<'_>) {
        for line in &mut self.lines {
            line.conclude();
            if line.rules.is_empty() && !request.rules.is_empty() {
                line.verdict = "not reported: the rule did not look here".to_owned();
            }
        }
        let is_of_place = !self.is_read || request.line.is_none_or(|line| line == 1);
        let by_name = self.by_name.as_ref().filter(|_| is_of_place);
        let mut verdicts: Vec<String> = Vec::new();
        if let Some(found) = by_name.filter(|found| found.decision == Decision::Reported) {
            verdicts.push(found.verdict());
        }
        match request.line {
            Some(_) => {
                let lines = self.lines.iter().filter(|line| verdicts.is_empty() || line.is_reported);
                let lines: Vec<String> = lines.map(|line| line.verdict.clone()).collect();
                verdicts.extend(lines);
            }
            None => {
                let reported = self.lines.iter().filter(|line| line.is_reported);
                verdicts.extend(reported.map(|line| format!("line {}: {}", line.line, line.verdict)));
            }
        }
        self.is_reported = self.lines.iter().any(|line| line.is_reported)
            || by_name.is_some_and(|found| found.decision == Decision::Reported);
        if verdicts.is_empty() {
            let why = match self.left_out.first() {
                Some(left_out) if !self.is_read => format!("the file is not read, {}", left_out.detail),
                _ if self.line_count == 0 => "the file is empty".to_owned(),
                _ => "nothing in the file counts".to_owned(),
            };
            verdicts.push(format!("not reported: {why}"));
        }
        self.verdict = verdicts.join("\n");
    }

    /// Adds why a scan of the directory does not read the file; named it is read.
    pub fn add_left_out(&mut self, left_out: impl IntoIterator<Item = LeftOut>) {
        self.left_out.extend(left_out);
    }

    /// Takes long secrets out of every text that may repeat them.
    pub(super) fn hide(&mut self, redactor: &Redactor) {
        let hide = |text: &mut String| {
            if let Cow::Owned(changed) = redactor.text(text) {
                *text = changed;
            }
        };
        hide(&mut self.path);
        hide(&mut self.verdict);
        self.problems.iter_mut().chain(&mut self.silent_rules).for_each(hide);
        self.left_out.iter_mut().for_each(|left_out| hide(&mut left_out.detail));
        self.by_name.iter_mut().for_each(|found| hide(&mut found.reason));
        for line in &mut self.lines {
            hide(&mut line.verdict);
            line.excerpt.iter_mut().for_each(hide);
            line.rules
                .iter_mut()
                .flat_map(|rule| &mut rule.matches)
                .for_each(|found| hide(&mut found.reason));
        }
    }
}
