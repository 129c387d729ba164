//! Wires source → matcher → filters → findings, in parallel.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, mpsc};

use bstr::{BStr, BString};

use crate::coverage::{Coverage, SkipReason, Suppressed};
use crate::filter::allowlist::{AllowQuery, Allowlists};
use crate::filter::{self, Verdict, inline};
use crate::finding::{Excerpt, Finding, RuleInfo};
use crate::fingerprint::Fingerprint;
use crate::level::{Confidence, Severity};
use crate::location::{Appearance, Exposure, Location, ObjectId, Origin, merge_exposures};
use crate::matcher::{Match, Matcher, Scratch};
use crate::rule::RuleSet;
use crate::rule::paths::PathRules;
use crate::rule::schema::RuleSpec;
use crate::secret::Secret;
use crate::source::{ContentUnit, Fresh, Source};
use crate::span::{ByteSpan, LineColumn, LineIndex};

/// What is reported and what is let pass.
#[derive(Debug)]
pub struct Policy {
    /// Findings below this are counted, not reported.
    pub min_severity: Severity,
    /// Findings below this are counted, not reported.
    pub min_confidence: Confidence,
    /// Whether markers in the text may accept a finding.
    pub inline_allow: bool,
    /// Accepted paths, rules, values and commits.
    pub allowlists: Allowlists,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            min_severity: Severity::Low,
            min_confidence: Confidence::Low,
            inline_allow: true,
            allowlists: Allowlists::default(),
        }
    }
}

impl Policy {
    /// Whether a match of the rule, as sure as that, is severe and sure enough.
    fn reports(&self, rule: &RuleSpec, confidence: Confidence) -> bool {
        rule.severity >= self.min_severity && confidence >= self.min_confidence
    }
}

/// Everything a run found, what it read and what it let pass.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Findings, sorted by place.
    pub findings: Vec<Finding>,
    /// What was read and what was not.
    pub coverage: Coverage,
    /// What was let pass.
    pub suppressed: Suppressed,
}

/// The engine: compiled rules and a policy.
///
/// ```
/// use stanch::{rule::RuleSet, scanner::{Policy, Scanner}};
///
/// let scanner = Scanner::new(RuleSet::builtin(), Policy::default());
/// let token = format!("pk_{}_{}", 48291736, "Z7K2QX9M4TN8VB3W6RJ5HD1GCPF0YSLE");
/// let outcome = scanner.scan_bytes("notes.txt".into(), token.as_bytes());
/// assert_eq!(outcome.findings[0].rule.id, "clickup-personal-token");
/// ```
#[derive(Debug)]
pub struct Scanner {
    matcher: Matcher,
    policy: Policy,
    /// Compiled when the first path is looked at: standard input and the history's blobs have none.
    paths: OnceLock<PathRules>,
}

/// The longest excerpt, in bytes of the line beside the secret.
const EXCERPT_BYTES: usize = 120;

impl Scanner {
    /// Prepares the rules.
    pub fn new(rules: RuleSet, policy: Policy) -> Self {
        Self { matcher: Matcher::new(rules), policy, paths: OnceLock::new() }
    }

    /// The rules in use.
    pub fn rules(&self) -> &RuleSet {
        self.matcher.rules()
    }

    /// The policy in use.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Reads the source to its end on at most `threads` threads.
    pub fn scan(&self, source: &dyn Source, threads: usize) -> Outcome {
        let counts = Counts::default();
        let (sender, receiver) = mpsc::channel();
        let mut coverage = source.drive(threads, &|| {
            let sender = sender.clone();
            let counts = &counts;
            let mut worker =
                Worker { scanner: self, counts, scratch: Scratch::default(), matches: Vec::new() };
            Box::new(move |unit| {
                let complete = worker.inspect(unit, &mut |candidate| {
                    let _ = sender.send(Seen::Candidate(Box::new(candidate)));
                });
                if !complete {
                    let _ = sender.send(Seen::Incomplete(unit_name(unit)));
                }
            })
        });
        drop(sender);
        let mut candidates = Vec::new();
        for seen in receiver {
            match seen {
                Seen::Candidate(candidate) => candidates.push(*candidate),
                Seen::Incomplete(name) => coverage.problem(name, TOO_MUCH_ENCODED),
            }
        }
        // What is no text was not handed out, but its name may say enough.
        let binaries = coverage.skipped.iter().filter(|skipped| skipped.reason == SkipReason::Binary);
        let by_name = |name: &BString| self.by_name(name.as_ref(), &Origin::File, &counts);
        candidates.extend(binaries.filter_map(|skipped| by_name(&skipped.name)));
        let placed = self.place(candidates, source, threads, &mut coverage);
        let findings = self.settle(placed, &counts);
        coverage.sort();
        Outcome { findings, coverage, suppressed: counts.totals() }
    }

    /// Scans one piece of text.
    pub fn scan_bytes(&self, path: &BStr, bytes: &[u8]) -> Outcome {
        let unit = ContentUnit {
            origin: &Origin::File,
            path: Some(path),
            bytes,
            first_line: 1,
            first_column: 1,
            first_byte: 0,
            fresh: Fresh::All,
            derivation: None,
        };
        let counts = Counts::default();
        let mut placed = Vec::new();
        let mut worker =
            Worker { scanner: self, counts: &counts, scratch: Scratch::default(), matches: Vec::new() };
        let complete =
            worker.inspect(&unit, &mut |candidate| placed.push(Placed { candidate, exposure: None }));
        let mut coverage = Coverage { files: 1, bytes: bytes.len() as u64, ..Coverage::default() };
        if !complete {
            coverage.problem(path, TOO_MUCH_ENCODED);
        }
        let findings = self.settle(placed, &counts);
        Outcome { findings, coverage, suppressed: counts.totals() }
    }

    /// The candidate for a file whose name makes it a secret.
    fn by_name(&self, path: &BStr, origin: &Origin, counts: &Counts) -> Option<Candidate> {
        let rule = self.paths.get_or_init(|| PathRules::new(self.rules())).rule_for(path)?;
        let rule = &self.rules().rules()[rule];
        if !self.policy.reports(rule, rule.confidence) {
            counts.hold_back(rule);
            return None;
        }
        let start = LineColumn { line: 1, column: 1 };
        Some(Candidate {
            rule: Arc::clone(rule.info()),
            confidence: rule.confidence,
            reason: "the name of the file".to_owned(),
            location: Location {
                path: path.to_owned(),
                start,
                end: start,
                span: ByteSpan::new(0, 0),
                origin: origin.clone(),
            },
            secret: Secret::new(*b""),
            excerpt: Excerpt { text: String::new(), secret: 0..0 },
        })
    }

    /// Gives every candidate its path: those of the history may have several, or stand in many blobs of
    /// one path and become one.
    fn place(
        &self,
        candidates: Vec<Candidate>,
        source: &dyn Source,
        threads: usize,
        coverage: &mut Coverage,
    ) -> Vec<Placed> {
        let objects: BTreeSet<ObjectId> = candidates.iter().filter_map(Candidate::object).collect();
        let objects: Vec<ObjectId> = objects.into_iter().collect();
        if objects.is_empty() {
            return candidates.into_iter().map(|candidate| Placed { candidate, exposure: None }).collect();
        }
        let appearances = source.attribute(&objects, threads, coverage);
        let mut placed: BTreeMap<(BString, String, Secret), Vec<(Candidate, Appearance)>> = BTreeMap::new();
        let mut rest = Vec::new();
        for candidate in candidates {
            let Some(object) = candidate.object() else {
                rest.push(Placed { candidate, exposure: None });
                continue;
            };
            let Some(appearances) = appearances.get(&object) else {
                rest.push(Placed { candidate, exposure: None });
                continue;
            };
            for appearance in appearances {
                let key = (appearance.path.clone(), candidate.rule.id.clone(), candidate.secret.clone());
                placed.entry(key).or_default().push((candidate.clone(), appearance.clone()));
            }
        }
        let merged = placed.into_values().map(|mut group| {
            group.sort_by(|(a, at), (b, bt)| {
                (at.first_order, &a.location).cmp(&(bt.first_order, &b.location))
            });
            let exposure = merge_exposures(group.iter().map(|(_, appearance)| appearance));
            let (mut candidate, appearance) = group.swap_remove(0);
            candidate.location.path = appearance.path;
            Placed { candidate, exposure: Some(exposure) }
        });
        merged.chain(rest).collect()
    }

    /// Applies what depends on the place, and turns the candidates into findings.
    fn settle(&self, mut placed: Vec<Placed>, counts: &Counts) -> Vec<Finding> {
        placed.sort_by(|a, b| a.candidate.sort_key().cmp(&b.candidate.sort_key()));
        // Windows of a large file overlap and see the same match twice.
        placed.dedup_by(|a, b| a.candidate.sort_key() == b.candidate.sort_key());
        placed.retain(|placed| {
            let commit = placed.exposure.as_ref().and_then(|exposure| exposure.first.as_ref());
            let query = AllowQuery {
                rule_id: &placed.candidate.rule.id,
                path: Some(placed.candidate.location.path.as_ref()),
                secret: placed.candidate.secret.reveal(),
                commit: commit.map(|commit| &commit.id),
            };
            let allowed = self.policy.allowlists.check(&query).is_some();
            counts.allowlist.fetch_add(u64::from(allowed), Ordering::Relaxed);
            !allowed
        });
        let fingerprints = fingerprints(&placed);
        placed
            .into_iter()
            .map(|Placed { candidate, exposure }| {
                let fingerprint = fingerprints[&(candidate.rule.id.clone(), candidate.identity())];
                Finding {
                    rule: candidate.rule,
                    confidence: candidate.confidence,
                    reason: candidate.reason,
                    location: candidate.location,
                    secret: candidate.secret,
                    fingerprint,
                    excerpt: candidate.excerpt,
                    exposure,
                }
            })
            .collect()
    }
}

/// One fingerprint for each distinct secret of a rule; key stretching makes them worth sharing.
fn fingerprints(placed: &[Placed]) -> BTreeMap<(String, Secret), Fingerprint> {
    use rayon::prelude::*;
    let distinct: BTreeSet<(String, Secret)> =
        placed.iter().map(|p| (p.candidate.rule.id.clone(), p.candidate.identity())).collect();
    let stretch = |(rule, secret): (String, Secret)| {
        let fingerprint = Fingerprint::new(&rule, &secret);
        ((rule, secret), fingerprint)
    };
    // A thread pool costs more than a few fingerprints.
    if distinct.len() < 8 {
        distinct.into_iter().map(stretch).collect()
    } else {
        distinct.into_iter().collect::<Vec<_>>().into_par_iter().map(stretch).collect()
    }
}

/// What a worker reports.
#[derive(Debug)]
enum Seen {
    Candidate(Box<Candidate>),
    /// The unit of that name was not searched to its end.
    Incomplete(BString),
}

const TOO_MUCH_ENCODED: &str = "holds so much encoded text that not all of it was decoded; \
                                look at the file; `--max-file-bytes` leaves out files of its size";

fn unit_name(unit: &ContentUnit<'_>) -> BString {
    match (unit.path, unit.origin) {
        (Some(path), _) => path.to_owned(),
        (None, Origin::Blob(id) | Origin::CommitMessage(id) | Origin::TagMessage(id)) => {
            id.to_string().into()
        }
        (None, _) => "<stdin>".into(),
    }
}

#[derive(Debug, Default)]
struct Counts {
    inline: AtomicU64,
    allowlist: AtomicU64,
    below_threshold: AtomicU64,
}

impl Counts {
    /// Counts a match below the least severity or confidence. A value that is meant to be seen is no alarm
    /// that was held back.
    fn hold_back(&self, rule: &RuleSpec) {
        self.below_threshold.fetch_add(u64::from(!rule.public), Ordering::Relaxed);
    }

    fn totals(&self) -> Suppressed {
        Suppressed {
            inline: self.inline.load(Ordering::Relaxed),
            allowlist: self.allowlist.load(Ordering::Relaxed),
            below_threshold: self.below_threshold.load(Ordering::Relaxed),
        }
    }
}

/// A match that passed every filter that looks at the text alone.
#[derive(Clone, Debug)]
struct Candidate {
    rule: Arc<RuleInfo>,
    confidence: Confidence,
    reason: String,
    location: Location,
    secret: Secret,
    excerpt: Excerpt,
}

impl Candidate {
    /// The object to attribute, for content whose place in the history is found later.
    fn object(&self) -> Option<ObjectId> {
        match self.location.origin {
            Origin::Blob(id) | Origin::CommitMessage(id) | Origin::TagMessage(id) => Some(id),
            Origin::File | Origin::Staged | Origin::Stdin => None,
        }
    }

    fn sort_key(&self) -> (&Location, &str) {
        (&self.location, &self.rule.id)
    }

    /// What makes it the same in every run: the secret, or the path where the file is the secret.
    fn identity(&self) -> Secret {
        if self.secret.len_bytes() > 0 {
            self.secret.clone()
        } else {
            Secret::new(self.location.path.as_slice())
        }
    }
}

/// A candidate that has its path.
#[derive(Debug)]
struct Placed {
    candidate: Candidate,
    exposure: Option<Exposure>,
}

/// What one thread needs to turn units into candidates.
struct Worker<'s> {
    scanner: &'s Scanner,
    counts: &'s Counts,
    scratch: Scratch,
    matches: Vec<Match>,
}

impl Worker<'_> {
    /// Hands the candidates of a unit to `keep`; says whether all of the unit was searched.
    fn inspect(&mut self, unit: &ContentUnit<'_>, keep: &mut dyn FnMut(Candidate)) -> bool {
        if let (Some(path), Origin::File | Origin::Staged, 0) = (unit.path, unit.origin, unit.first_byte)
            && let Some(candidate) = self.scanner.by_name(path, unit.origin, self.counts)
        {
            keep(candidate);
        }
        self.matches.clear();
        let matcher = &self.scanner.matcher;
        let complete = match unit.derivation {
            Some(derivation) => {
                let is_dull =
                    |found: &Match| matches!(filter::judge(matcher.rule(found), found), Verdict::Drop { .. });
                let (scratch, matches) = (&mut self.scratch, &mut self.matches);
                matcher.find_derived(unit.bytes, derivation, &is_dull, scratch, matches)
            }
            None => matcher.find(unit.bytes, &mut self.scratch, &mut self.matches),
        };
        if self.matches.is_empty() {
            return complete;
        }
        let lines = LineIndex::starting_at(
            unit.bytes,
            LineColumn { line: unit.first_line, column: unit.first_column },
        );
        for found in &self.matches {
            if let Some(candidate) = self.judge(unit, &lines, found) {
                keep(candidate);
            }
        }
        complete
    }

    fn judge(&self, unit: &ContentUnit<'_>, lines: &LineIndex, found: &Match) -> Option<Candidate> {
        let rule = self.scanner.matcher.rule(found);
        let policy = &self.scanner.policy;
        let last_byte = found.span.end.max(found.span.start + 1) - 1;
        let (first_line, last_line) =
            (lines.line_column(found.span.start).line, lines.line_column(last_byte).line);
        if !unit.fresh.touches(first_line, last_line) {
            return None;
        }
        let Verdict::Keep { confidence, reason } = filter::judge(rule, found) else { return None };
        if !policy.reports(rule, confidence) {
            self.counts.hold_back(rule);
            return None;
        }
        let line = lines.line_span(found.secret_span.start, unit.bytes);
        if policy.inline_allow && self.allowed_inline(unit.bytes, lines, line, &rule.id) {
            self.counts.inline.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        let first_byte = unit.first_byte as usize;
        let location = Location {
            path: unit.path.map(BStr::to_owned).unwrap_or_default(),
            start: lines.line_column(found.secret_span.start),
            end: lines.line_column(found.secret_span.end),
            span: ByteSpan::new(first_byte + found.secret_span.start, first_byte + found.secret_span.end),
            origin: unit.origin.clone(),
        };
        let reason = match found.layers.as_slice() {
            [] => reason,
            layers => {
                let names: Vec<&str> = layers.iter().map(|layer| layer.name()).collect();
                format!("{reason}, inside {}", names.join(" inside "))
            }
        };
        let excerpt = self.excerpt(unit.bytes, line, found);
        let rule = Arc::clone(rule.info());
        Some(Candidate { rule, confidence, reason, location, secret: found.secret.clone(), excerpt })
    }

    fn allowed_inline(&self, text: &[u8], lines: &LineIndex, line: ByteSpan, rule_id: &str) -> bool {
        let previous = (line.start > 0).then(|| &text[lines.line_span(line.start - 1, text).range()]);
        inline::allowed(&text[line.range()], previous, rule_id).is_some()
    }

    /// The line of a match with every match on it redacted, whatever became of the others.
    fn excerpt(&self, text: &[u8], line: ByteSpan, found: &Match) -> Excerpt {
        let from = line.start.max(found.secret_span.start.saturating_sub(EXCERPT_BYTES));
        let to = line.end.min(found.secret_span.end + EXCERPT_BYTES).max(from);
        let mut out = String::new();
        let mut secret = 0..0;
        let mut at = from;
        if from > line.start {
            out.push('…');
        }
        for other in self
            .matches
            .iter()
            .filter(|other| other.secret_span.overlaps(ByteSpan::new(from, to.max(from + 1))))
        {
            let (start, end) = (other.secret_span.start.max(at), other.secret_span.end.min(to));
            out.push_str(&String::from_utf8_lossy(&text[at..start.min(to)]));
            let mark = out.len();
            out.push_str(&other.secret.redacted());
            if other.secret_span == found.secret_span {
                secret = mark..out.len();
            }
            at = end.max(at);
        }
        out.push_str(&String::from_utf8_lossy(&text[at.min(to)..to]));
        if to < line.end {
            out.push('…');
        }
        Excerpt { text: out, secret }
    }
}
