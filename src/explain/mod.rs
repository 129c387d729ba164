//! Why something was found, or was not: the steps of a scan for one file, each with what it decided.
//!
//! Nothing is judged here. The matcher tells what it tried ([`crate::matcher::trace`]), the scanner what it made of
//! each match, and this module puts both into sentences. A test compares its verdicts with the findings of scans.

mod human;
mod reading;
mod record;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use bstr::{BStr, BString, ByteSlice};

use crate::coverage::{Coverage, SkipReason};
use crate::filter::file_kind::FileKind;
use crate::filter::generic;
use crate::level::Confidence;
use crate::matcher::Match;
use crate::matcher::trace::{Look, Miss, MissReason, Trace};
use crate::progress::Progress;
use crate::report::redact::Redactor;
use crate::rule::Rule;
use crate::rule::schema::{RuleKind, TriggerKind};
use crate::scanner::{Candidate, Matches, Passed, Policy, Scanner};
use crate::secret::Secret;
use crate::source::{ContentUnit, Searched, Source, Visitor};
use crate::span::{ByteSpan, LineColumn, LineIndex};

pub use human::human;
pub use reading::{LeftOut, ReadingError, left_out};
pub use record::{
    Decision, Explanation, LineRecord, LookRecord, MatchRecord, RuleRecord, SCHEMA_VERSION, WeightRecord,
};

/// What to explain.
#[derive(Clone, Copy, Debug, Default)]
pub struct Request<'r> {
    /// The line, from 1; without it every line at which a rule looked.
    pub line: Option<u64>,
    /// The byte column in the line, from 1.
    pub column: Option<u64>,
    /// Ids of the rules to speak of; none means all.
    pub rules: &'r [String],
    /// Whether secrets are shown, because the user asked for it by name.
    pub show_secrets: bool,
}

/// Reads the source, which must be of one file, and explains what a scan makes of it.
pub fn explain(scanner: &Scanner, source: &dyn Source, request: &Request<'_>) -> Explanation {
    let seen = Mutex::new(Seen::default());
    let progress = Progress::unwatched();
    let new_visitor = || -> Visitor<'_> {
        Box::new(|unit| {
            let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
            Unit::new(scanner, unit).explain(request, &mut seen);
            Searched::NotClean
        })
    };
    let coverage = source.drive(1, &new_visitor, &progress);
    let seen = seen.into_inner().unwrap_or_else(PoisonError::into_inner);
    seen.finish(scanner, source, &coverage, request)
}

/// What the units of a file came to.
#[derive(Default)]
struct Seen {
    path: BString,
    line_count: u64,
    lines: Vec<LineRecord>,
    by_name: Option<MatchRecord>,
    /// The lines at which each rule that was asked for looked.
    lines_of_rules: BTreeSet<(String, u64)>,
    /// What no other text may show.
    secrets: BTreeSet<Secret>,
    incomplete: bool,
}

impl Seen {
    fn finish(
        mut self,
        scanner: &Scanner,
        source: &dyn Source,
        coverage: &Coverage,
        request: &Request<'_>,
    ) -> Explanation {
        let mut left_out = Vec::new();
        for skipped in &coverage.skipped {
            self.path.clone_from(&skipped.name);
            left_out.push(LeftOut::of(skipped.reason));
            if let (SkipReason::Binary, Some(origin)) = (skipped.reason, source.origin_of_files()) {
                self.by_name = scanner
                    .by_name(skipped.name.as_bstr(), None, &origin)
                    .map(|(rule, judged)| judged_by_name(scanner, rule, judged));
            }
        }
        let mut problems: Vec<String> = coverage
            .problems
            .iter()
            .map(|problem| format!("{}: {}", problem.name, problem.message))
            .collect();
        if self.incomplete {
            problems.push("it holds so much encoded text that not all of it was decoded".to_owned());
        }
        if let Some(problem) = coverage.problems.first() {
            self.path.clone_from(&problem.name);
        }
        let is_read = left_out.is_empty();
        self.lines.sort_by_key(|line| line.line);
        // Windows of a large file overlap and show the same lines twice.
        self.lines.dedup_by(|later, first| later.line == first.line && first.take(later));
        if let Some(line) = request.line
            && self.lines.is_empty()
            && is_read
        {
            self.lines.push(LineRecord { line, ..LineRecord::default() });
        }
        let silent = request.rules.iter().filter_map(|id| self.why_silent(scanner, id, request)).collect();
        let mut explanation = Explanation {
            schema_version: SCHEMA_VERSION,
            path: self.path.to_str_lossy().into_owned(),
            line: request.line,
            column: request.column,
            line_count: self.line_count,
            is_read,
            left_out,
            by_name: self.by_name.filter(|found| request.is_about(&found.rule)),
            lines: self.lines,
            silent_rules: silent,
            problems,
            ..Explanation::default()
        };
        explanation.conclude(request);
        if !request.show_secrets {
            explanation.hide(&Redactor::of(&self.secrets));
        }
        explanation
    }

    /// Why a rule that was asked for did not look.
    fn why_silent(&self, scanner: &Scanner, id: &str, request: &Request<'_>) -> Option<String> {
        let looked = self.lines.iter().flat_map(|line| &line.rules).any(|rule| rule.rule == id);
        let rule = scanner.rules().get(id)?;
        if looked || self.by_name.as_ref().is_some_and(|found| found.rule == id) {
            return None;
        }
        let mut text = format!("{id} did not look: {}", what_sends(rule));
        let elsewhere: Vec<u64> =
            self.lines_of_rules.iter().filter(|(rule, _)| rule == id).map(|&(_, line)| line).collect();
        let nearest = elsewhere.iter().min_by_key(|line| line.abs_diff(request.line.unwrap_or(1)));
        if let Some(nearest) = nearest {
            text.push_str(&format!("; the nearest stands on line {nearest}"));
        }
        Some(text)
    }
}

/// What would send the rule to a place.
fn what_sends(rule: &Rule) -> String {
    const SHOWN: usize = 12;
    let list = |words: Vec<String>| {
        let more = words.len().saturating_sub(SHOWN);
        let shown: Vec<String> = words.into_iter().take(SHOWN).map(|word| format!("`{word}`")).collect();
        match more {
            0 => shown.join(", "),
            more => format!("{} and {more} more", shown.join(", ")),
        }
    };
    let spec = rule.spec();
    if spec.kind == RuleKind::Path {
        return format!(
            "it looks at the names of files, and this one fits none of {}",
            list(spec.paths.clone())
        );
    }
    if spec.kind == RuleKind::Whole {
        return format!("it runs on files that hold one of {}", list(spec.keywords.clone()));
    }
    let by_keyword = spec.kind == RuleKind::Keyed || spec.anchors.is_empty();
    match spec.kind {
        RuleKind::Generic => {
            format!("no name here holds one of its keywords {}", list(spec.keywords.clone()))
        }
        _ if by_keyword => format!(
            "none of its keywords {} stands within {} bytes",
            list(spec.keywords.clone()),
            spec.reach_bytes
        ),
        _ => {
            let text = |literal: &[u8]| String::from_utf8_lossy(literal).escape_debug().to_string();
            let literals = spec.anchors.iter().map(|anchor| text(&anchor.literal)).collect();
            format!("none of its literals {} stands here", list(literals))
        }
    }
}

impl Request<'_> {
    fn is_about(&self, rule: &str) -> bool {
        self.rules.is_empty() || self.rules.iter().any(|id| id == rule)
    }
}

fn judged_by_name(scanner: &Scanner, rule: usize, judged: Result<Candidate, Passed>) -> MatchRecord {
    let rule = &scanner.rules().rules()[rule];
    let mut record = MatchRecord { rule: rule.id.clone(), line: 1, column: 1, ..MatchRecord::default() };
    record.decide(decision(scanner, rule, judged, 1));
    record
}

/// What the scanner made of a match, in words.
struct Decided {
    decision: Decision,
    confidence: Option<Confidence>,
    reason: String,
}

fn decision(scanner: &Scanner, rule: &Rule, judged: Result<Candidate, Passed>, line: u64) -> Decided {
    let decided = |decision, confidence, reason| Decided { decision, confidence, reason };
    match judged {
        Ok(candidate) => {
            let confidence = Some(candidate.confidence);
            if let Some(reason) = scanner.accepted_elsewhere(&candidate) {
                return decided(Decision::Allowlist, confidence, reason);
            }
            if let Some(entry) = scanner.allowed(&candidate, None) {
                let reason = format!("the entry at {} accepts it: {}", entry.written_at(), entry.reason());
                return decided(Decision::Allowlist, confidence, reason);
            }
            match scanner.accepted(&candidate) {
                Some(entry) => {
                    let reason = format!("line {} of the baseline accepts it: {}", entry.line, entry.reason);
                    decided(Decision::Baseline, confidence, reason)
                }
                None => decided(Decision::Reported, confidence, candidate.reason),
            }
        }
        Err(Passed::NotNew) => decided(Decision::NotNew, None, "its lines are no news".to_owned()),
        Err(Passed::Alone) => {
            decided(Decision::Dropped, None, "it counts only beside its other half".to_owned())
        }
        Err(Passed::Dropped { reason }) => decided(Decision::Dropped, None, reason),
        Err(Passed::Weak { confidence, reason }) => {
            let held = held_back(scanner.policy(), rule, confidence);
            decided(Decision::BelowThreshold, Some(confidence), format!("{held} ({reason})"))
        }
        Err(Passed::Inline { allow, is_above }) => {
            let line = if is_above { line - 1 } else { line };
            let why = allow.reason.map_or_else(String::new, |reason| format!(": {reason}"));
            decided(Decision::Inline, None, format!("`{}` on line {line} accepts it{why}", allow.marker))
        }
    }
}

fn held_back(policy: &Policy, rule: &Rule, confidence: Confidence) -> String {
    if rule.severity < policy.min_severity {
        return format!("severity {} is below {}", rule.severity, policy.min_severity);
    }
    let least = policy.least_confidence(rule.kind);
    format!("confidence {confidence} is below {least}; `--min-confidence {confidence}` shows it")
}

/// A unit with everything that was tried in it.
struct Unit<'u> {
    scanner: &'u Scanner,
    unit: &'u ContentUnit<'u>,
    lines: LineIndex<'u>,
    kind: FileKind,
    trace: Trace,
    /// The matches that no other took the place of, sorted by place; their secrets share no byte.
    kept: Vec<Match>,
    /// Everything that fits any rule, whatever became of it: sorted, not overlapping; and whether all that fits
    /// there has one extent.
    hidden: Vec<(ByteSpan, bool)>,
    complete: bool,
}

/// What belongs to a line.
#[derive(Default)]
struct OfLine<'t> {
    found: Vec<&'t Match>,
    looks: Vec<&'t Look>,
}

/// So many looks of one rule at one line are told: a line of a minified file may hold thousands.
const LOOKS: usize = 32;

impl<'u> Unit<'u> {
    fn new(scanner: &'u Scanner, unit: &'u ContentUnit<'u>) -> Self {
        let mut trace = Trace::default();
        let mut kept = Vec::new();
        let complete = scanner.matcher().trace(unit.bytes, &mut trace, &mut kept);
        let first = LineColumn { line: unit.first_line, column: unit.first_column };
        let lines = LineIndex::starting_at(unit.bytes, first);
        let kind = unit.path.map(FileKind::of).unwrap_or_default();
        let misses = trace.looks.iter().flat_map(|look| &look.misses);
        let found = trace.found().iter().map(|found| found.secret_span);
        let hidden = union(misses.filter_map(|miss| miss.secret_span).chain(found).collect());
        Self { scanner, unit, lines, kind, trace, kept, hidden, complete }
    }

    fn explain(&self, request: &Request<'_>, seen: &mut Seen) {
        seen.incomplete |= !self.complete;
        seen.path = self.unit.path.map(BStr::to_owned).unwrap_or_default();
        seen.line_count = seen.line_count.max(self.last_line());
        seen.secrets.extend(self.trace.found().iter().map(|found| found.secret.clone()));
        if let (Some(path), 0, true) = (self.unit.path, self.unit.first_byte, self.has_file_name()) {
            let named = self.scanner.by_name(path, Some(self.unit.bytes), self.unit.origin);
            seen.by_name = named.map(|(rule, judged)| judged_by_name(self.scanner, rule, judged));
        }
        for look in self.trace.looks.iter().filter(|_| !request.rules.is_empty()) {
            let id = &self.rule(look.rule).id;
            if request.is_about(id) {
                seen.lines_of_rules.insert((id.clone(), self.line_of(look.trigger.start)));
            }
        }
        match request.line {
            Some(line) => seen.lines.extend(self.asked_for(line, request)),
            None => {
                let lines = self.lines_with_looks(request);
                seen.lines.extend(lines.into_iter().filter_map(|(line, of)| self.line(line, &of, request)));
            }
        }
    }

    /// Whether the unit's path is that of a file, whose name may say that it is a secret.
    fn has_file_name(&self) -> bool {
        use crate::location::Origin;
        matches!(self.unit.origin, Origin::File | Origin::Staged)
    }

    fn rule(&self, index: usize) -> &Rule {
        &self.scanner.rules().rules()[index]
    }

    fn line_of(&self, offset: usize) -> u64 {
        self.lines.line_column(offset).line
    }

    /// The last line with a byte on it.
    fn last_line(&self) -> u64 {
        self.line_of(self.unit.bytes.len().saturating_sub(1))
    }

    /// Everything by the line at which it starts.
    fn lines_with_looks(&self, request: &Request<'_>) -> BTreeMap<u64, OfLine<'_>> {
        let mut lines: BTreeMap<u64, OfLine<'_>> = BTreeMap::new();
        for found in self.trace.found() {
            lines.entry(self.line_of(found.secret_span.start)).or_default().found.push(found);
        }
        for look in self.trace.looks.iter().filter(|look| look.is_telling()) {
            let spans = look.found.iter().copied().chain(look.misses.iter().filter_map(|miss| miss.span));
            let word = (look.kind.is_some()).then_some(look.trigger);
            let at: BTreeSet<u64> = spans.chain(word).map(|span| self.line_of(span.start)).collect();
            for line in at {
                lines.entry(line).or_default().looks.push(look);
            }
        }
        lines.retain(|_, of| {
            let mut rules =
                of.found.iter().map(|found| found.rule).chain(of.looks.iter().map(|look| look.rule));
            rules.any(|rule| request.is_about(&self.rule(rule).id))
        });
        lines
    }

    /// The line with everything that touches it: every line of a block is a part of it.
    fn asked_for(&self, line: u64, request: &Request<'_>) -> Option<LineRecord> {
        let place = self.bytes_of(line, request.column)?;
        let touches = |span: ByteSpan| span.overlaps(place) || place.contains(span);
        let is_here = |look: &&Look| {
            // A literal far above that opens a block tells little of a line, unless its rule was asked for.
            let by_window = look.kind == Some(TriggerKind::Keyword) || !request.rules.is_empty();
            look.found.iter().any(|span| touches(*span))
                || (look.kind.is_some() && touches(look.trigger))
                || look.misses.iter().filter_map(|miss| miss.span).any(touches)
                || (by_window && look.window.is_some_and(touches))
        };
        let of = OfLine {
            found: self.trace.found().iter().filter(|found| touches(found.secret_span)).collect(),
            looks: self.trace.looks.iter().filter(|look| look.is_telling()).filter(is_here).collect(),
        };
        self.line(line, &of, request)
    }

    /// The bytes of the line, or of the column that was asked for; nothing if they lie in another unit.
    fn bytes_of(&self, line: u64, column: Option<u64>) -> Option<ByteSpan> {
        let start = self.lines.start_of(line).filter(|_| line <= self.last_line())?;
        let span = self.lines.line_span(start);
        let Some(column) = column else { return Some(span) };
        let shift = if line == self.unit.first_line { self.unit.first_column } else { 1 };
        let at = start + usize::try_from(column.checked_sub(shift)?).ok()?;
        (at <= span.end).then(|| ByteSpan::new(at, at + 1))
    }

    fn line(&self, line: u64, of: &OfLine<'_>, request: &Request<'_>) -> Option<LineRecord> {
        let mut rules: Vec<RuleRecord> = Vec::new();
        for found in &of.found {
            let rule = self.rule(found.rule);
            if request.is_about(&rule.id) {
                let record = self.found(found, request);
                record_of(&mut rules, rule).matches.push(record);
            }
        }
        for look in &of.looks {
            let rule = self.rule(look.rule);
            if request.is_about(&rule.id) {
                let looks = &mut record_of(&mut rules, rule).looks;
                if looks.len() < LOOKS {
                    let record = self.look(look);
                    if !looks.contains(&record) {
                        looks.push(record);
                    }
                }
            }
        }
        for rule in &mut rules {
            // Of one value that was found plain and decoded the one that stayed says what became of it.
            rule.matches.sort_by_key(|a| (a.line, a.column, a.decision == Decision::GaveWay));
            rule.matches.dedup_by(|a, b| (a.line, a.column) == (b.line, b.column));
        }
        let is_match = |rule: &RuleRecord| !rule.matches.is_empty();
        rules.sort_by(|a, b| (!is_match(a), &a.rule).cmp(&(!is_match(b), &b.rule)));
        let excerpt = rules.iter().any(is_match).then(|| self.excerpt(line, request.show_secrets)).flatten();
        let mut record = LineRecord { line, excerpt, rules, ..LineRecord::default() };
        record.conclude();
        Some(record)
    }

    fn found(&self, found: &Match, request: &Request<'_>) -> MatchRecord {
        let rule = self.rule(found.rule);
        let (start, end) =
            (self.lines.line_column(found.secret_span.start), self.lines.line_column(found.secret_span.end));
        let secret = match request.show_secrets {
            true => String::from_utf8_lossy(found.secret.reveal()).into_owned(),
            false => found.secret.redacted(),
        };
        let layers = found.layers.iter().map(|layer| layer.name()).collect();
        let mut record = MatchRecord {
            rule: rule.id.clone(),
            line: start.line,
            column: start.column,
            end_line: end.line,
            end_column: end.column,
            secret,
            layers,
            ..MatchRecord::default()
        };
        if let Some(assigned) = found.context.assigned.as_ref().filter(|_| rule.kind == RuleKind::Generic) {
            let weights = generic::weights(assigned, found.secret.reveal(), self.kind);
            record.points = Some(weights.iter().map(|weight| weight.points).sum());
            record.weights = weights.into_iter().map(WeightRecord::new).collect();
        }
        let behind = self.kept.partition_point(|kept| kept.secret_span.end <= found.secret_span.start);
        // An empty secret shares no byte with any other.
        let holder = self.kept.get(behind).filter(|kept| kept.secret_span.start < found.secret_span.end);
        let is_same = |kept: &Match| {
            kept.rule == found.rule
                && kept.secret_span == found.secret_span
                && kept.layers == found.layers
                && kept.secret == found.secret
        };
        match holder {
            Some(kept) if is_same(kept) => {
                let judged =
                    self.scanner.judge(self.unit, &self.lines, self.kind, behind, &Matches::of(&self.kept));
                record.decide(decision(self.scanner, rule, judged, start.line));
            }
            holder => {
                let winner = holder.map_or("another match", |winner| self.rule(winner.rule).id.as_str());
                let says = if winner == rule.id { "reads it better" } else { "says more" };
                let reason = format!("{winner} {says} of the same bytes and takes its place");
                record.decide(Decided { decision: Decision::GaveWay, confidence: None, reason });
                record.took_its_place = Some(winner.to_owned());
            }
        }
        record
    }

    fn look(&self, look: &Look) -> LookRecord {
        let rule = self.rule(look.rule);
        let place = self.lines.line_column(look.trigger.start);
        let mut misses: Vec<String> = look.misses.iter().map(|miss| self.miss(rule, miss)).collect();
        misses.dedup();
        if look.found.is_empty() && misses.is_empty() {
            misses.push("nothing within reach fits its expression".to_owned());
        }
        LookRecord {
            sent_by: match look.kind {
                Some(TriggerKind::Anchor { .. }) => "literal",
                Some(TriggerKind::Keyword) => "keyword",
                Some(TriggerKind::Name) => "name",
                None => "everything",
            },
            word: look.word.escape_debug().to_string(),
            line: place.line,
            column: place.column,
            layers: look.layers.iter().map(|layer| layer.name()).collect(),
            is_found: !look.found.is_empty(),
            is_near: look.misses.iter().any(|miss| miss.span.is_some()),
            misses,
        }
    }

    fn miss(&self, rule: &Rule, miss: &Miss) -> String {
        let at = miss.span.map_or_else(String::new, |span| {
            let place = self.lines.line_column(span.start);
            format!("at {}:{} {} bytes fit, but ", place.line, place.column, span.len())
        });
        let why = match miss.why {
            MissReason::PartOfWord => "the keyword is part of a longer word".to_owned(),
            MissReason::NoRoom => "the text starts too near before the literal".to_owned(),
            MissReason::Before(byte) => {
                format!("{} stands directly before the value and may belong to it", kind_of(byte))
            }
            MissReason::Behind(byte) => {
                format!("{} stands directly behind the value and may belong to it", kind_of(byte))
            }
            MissReason::WithoutLiteral => "the literal is no part of it".to_owned(),
            MissReason::InEncodedData => "it is a stretch of longer base64 data".to_owned(),
            MissReason::IsKeyword => "that is the keyword itself".to_owned(),
            MissReason::Pinned => "an `@` ties it to what stands before it, as a version".to_owned(),
            MissReason::NoKeyword => {
                let words: Vec<&str> = rule.keywords.iter().take(6).map(String::as_str).collect();
                let more = if rule.keywords.len() > words.len() { ", …" } else { "" };
                let reach = rule.reach_bytes;
                format!("none of its keywords ({}{more}) stands within {reach} bytes", words.join(", "))
            }
            MissReason::OtherForm => "what is assigned there has another form".to_owned(),
            MissReason::NoAssignment => "no value is assigned to that name".to_owned(),
            MissReason::Searched => "another keyword had sent it over the same bytes".to_owned(),
        };
        format!("{at}{why}")
    }

    /// The line with everything that fits any rule redacted, whatever became of it.
    fn excerpt(&self, line: u64, show_secrets: bool) -> Option<String> {
        const LONGEST_BYTES: usize = 240;
        let line = self.bytes_of(line, None)?;
        let text = self.unit.bytes;
        let from = self.hidden.partition_point(|(span, _)| span.end <= line.start);
        let mut spans = self.hidden[from..].iter().take_while(|(span, _)| span.start < line.end).peekable();
        let first = spans.peek().map(|(span, _)| span.start);
        let from = line.start.max(first.unwrap_or(line.start).saturating_sub(LONGEST_BYTES / 2));
        let to = line.end.min(from + LONGEST_BYTES);
        let mut out = String::from(if from > line.start { "…" } else { "" });
        let mut at = from;
        for (span, is_one) in spans.filter(|(span, _)| !show_secrets && span.end > from) {
            if span.start >= to {
                break;
            }
            out.push_str(&text[at..span.start.max(at)].to_str_lossy());
            // The head of a long value is safe to show, but not where a short one starts there too.
            out.push_str(&match is_one {
                true => Secret::new(&text[span.range()]).redacted(),
                false => format!("…[{} bytes]", span.len()),
            });
            at = span.end;
        }
        out.push_str(&text[at.min(to)..to].to_str_lossy());
        out.push_str(if to < line.end { "…" } else { "" });
        Some(out)
    }
}

/// The spans, those that overlap as one, and whether that has the extent of all of them.
fn union(mut spans: Vec<ByteSpan>) -> Vec<(ByteSpan, bool)> {
    spans.sort();
    let mut out: Vec<(ByteSpan, bool)> = Vec::with_capacity(spans.len());
    for span in spans {
        match out.last_mut() {
            Some((last, is_one)) if span.start < last.end => {
                *is_one &= *last == span;
                last.end = last.end.max(span.end);
            }
            _ => out.push((span, true)),
        }
    }
    out
}

impl Look {
    /// Whether it says more than that it was there before.
    fn is_telling(&self) -> bool {
        self.misses.iter().all(|miss| miss.why != MissReason::Searched) || !self.found.is_empty()
    }
}

fn record_of<'r>(rules: &'r mut Vec<RuleRecord>, rule: &Rule) -> &'r mut RuleRecord {
    let at = match rules.iter().position(|record| record.rule == rule.id) {
        Some(at) => at,
        None => {
            rules.push(RuleRecord::new(&rule.id, &rule.description));
            rules.len() - 1
        }
    };
    &mut rules[at]
}

/// A byte beside a value, which may be one of a secret: what it is, and itself only if it is a sign.
fn kind_of(byte: u8) -> String {
    match byte {
        b'0'..=b'9' => "a digit".to_owned(),
        b'a'..=b'z' | b'A'..=b'Z' => "a letter".to_owned(),
        0x21..=0x7e => format!("`{}`", char::from(byte)),
        _ => format!("the byte 0x{byte:02x}"),
    }
}
