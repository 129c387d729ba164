//! Wires source → matcher → filters → findings, in parallel.

mod candidate;
mod counts;
mod excerpt;
mod foreign;
mod judge;
mod matches;
mod note;
mod outcome;
mod place;
mod search;
mod settle;
mod worker;

use std::sync::{Arc, OnceLock, mpsc};

use bstr::{BStr, BString};
use candidate::Placed;
use counts::Counts;
use search::{Searching, Seen, TOO_MUCH_ENCODED};
use sha2::{Digest, Sha256};
use worker::Worker;

pub(crate) use self::candidate::Candidate;
pub(crate) use self::judge::Passed;
pub(crate) use self::matches::Matches;
pub use self::outcome::{Accepted, AcceptedBy, Outcome, Sighting};
use crate::baseline;
use crate::coverage::{Coverage, SkipReason};
use crate::filter;
use crate::filter::allowlist::{AllowEntry, AllowQuery, Allowlists};
use crate::fingerprint::Fingerprint;
use crate::level::{Confidence, Severity};
use crate::location::{Exposure, Origin};
use crate::matcher::Matcher;
use crate::progress::Progress;
use crate::rule::RuleSet;
use crate::rule::paths::PathRules;
use crate::rule::schema::{RuleKind, RuleSpec};
use crate::source::{ContentUnit, Fresh, Source};

/// What is reported and what is let pass.
#[derive(Debug)]
pub struct Policy {
    /// Findings below this are counted, not reported.
    pub min_severity: Severity,
    /// Findings below this are counted, not reported. Where it is not given every match of a form counts, but
    /// from [`Confidence::Medium`] on a match of a generic rule, which has nothing but a guess behind it, and
    /// of a block, which is below that when its key needs a passphrase.
    pub min_confidence: Option<Confidence>,
    /// Whether markers in the text may accept a finding.
    pub inline_allow: bool,
    /// Accepted paths, rules, values and commits.
    pub allowlists: Allowlists,
    /// What the configuration of another scanner says of its rules and ours.
    pub foreign: Option<filter::foreign::Lists>,
    /// Findings that are known and accepted.
    pub baseline: Option<baseline::InForce>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            min_severity: Severity::Low,
            min_confidence: None,
            inline_allow: true,
            allowlists: Allowlists::default(),
            foreign: None,
            baseline: None,
        }
    }
}

impl Policy {
    /// Whether a match of the rule, as sure as that, is severe and sure enough.
    fn reports(&self, rule: &RuleSpec, confidence: Confidence) -> bool {
        rule.severity >= self.min_severity && confidence >= self.least_confidence(rule.kind)
    }

    /// How sure a match of a rule of that kind must be.
    pub fn least_confidence(&self, kind: RuleKind) -> Confidence {
        self.min_confidence.unwrap_or(match kind {
            RuleKind::Generic | RuleKind::Block => Confidence::Medium,
            _ => Confidence::Low,
        })
    }
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

impl Scanner {
    /// Prepares the rules.
    pub fn new(rules: RuleSet, policy: Policy) -> Self {
        Self { matcher: Matcher::new(rules), policy, paths: OnceLock::new() }
    }

    /// The rules in use.
    pub fn rules(&self) -> &RuleSet {
        self.matcher.rules()
    }

    pub(crate) fn matcher(&self) -> &Matcher {
        &self.matcher
    }

    /// The policy in use.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Puts a baseline in force.
    pub fn set_baseline(&mut self, baseline: baseline::InForce) {
        self.policy.baseline = Some(baseline);
    }

    /// A digest of everything that decides whether a text holds a match: the rules and this version. The policy
    /// is not part of it, for it speaks of matches that are there.
    pub fn digest(&self) -> [u8; 32] {
        let mut digest = Sha256::new();
        digest.update(env!("CARGO_PKG_VERSION"));
        self.rules().feed(&mut |bytes| digest.update(bytes));
        // A match that lacks its companions counts as none.
        for (id, of) in self.policy.foreign.iter().flat_map(|lists| &lists.rules) {
            digest.update(format!("{id:?} {:?} {}", of.required, of.is_silent));
        }
        digest.finalize().into()
    }

    /// Reads the source to its end on at most `threads` threads.
    pub fn scan(&self, source: &dyn Source, threads: usize) -> Outcome {
        self.scan_watched(source, threads, &Progress::unwatched())
    }

    /// Does the same and raises the counts of `progress` on the way.
    pub fn scan_watched(&self, source: &dyn Source, threads: usize, progress: &Progress) -> Outcome {
        let counts = Counts::default();
        let (sender, receiver) = mpsc::channel();
        let search = Searching { scanner: self, counts: &counts, sender, progress, classes: Arc::default() };
        let mut coverage = source.drive(threads, &search, progress);
        drop(search);
        let mut candidates = Vec::new();
        for seen in receiver {
            match seen {
                Seen::Candidate(candidate) => candidates.push(*candidate),
                Seen::Incomplete(name) => coverage.problem(name, TOO_MUCH_ENCODED),
            }
        }
        // What is no text was not handed out, but its name may say enough.
        if let Some(origin) = source.origin_of_files() {
            let binaries = coverage.skipped.iter().filter(|skipped| skipped.reason == SkipReason::Binary);
            let by_name = |name: &BString| {
                let (rule, judged) = self.by_name(name.as_ref(), None, &origin)?;
                counts.take(&self.rules().rules()[rule], judged)
            };
            candidates.extend(binaries.filter_map(|skipped| by_name(&skipped.name)));
        }
        let mut placed = self.place(candidates, source, threads, progress, &mut coverage, &counts);
        self.complete(&mut placed, source, threads, &mut coverage);
        let exposures = placed.iter_mut().filter_map(|placed| placed.exposure.as_mut());
        source.name_commits(&mut exposures.collect::<Vec<_>>(), &mut coverage);
        let findings = self.settle(placed, Some(source), &counts);
        coverage.sort();
        let (suppressed, noted) = (counts.totals(), counts.into_noted());
        Outcome { findings, coverage, suppressed, accepted: noted.accepted, sightings: noted.sightings }
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
            note: None,
        };
        let counts = Counts::default();
        let mut placed = Vec::new();
        let mut worker = Worker::new(self, &counts);
        let inspected =
            worker.inspect(&unit, &mut |candidate| placed.push(Placed { candidate, exposure: None }));
        let mut coverage = Coverage { files: 1, bytes: bytes.len() as u64, ..Coverage::default() };
        if !inspected.is_complete {
            coverage.problem(path, TOO_MUCH_ENCODED);
        }
        let findings = self.settle(placed, None, &counts);
        let (suppressed, noted) = (counts.totals(), counts.into_noted());
        Outcome { findings, coverage, suppressed, accepted: noted.accepted, sightings: noted.sightings }
    }

    /// The entry of the configuration that accepts the candidate.
    pub(crate) fn allowed(&self, candidate: &Candidate, exposure: Option<&Exposure>) -> Option<&AllowEntry> {
        let commit = exposure.and_then(|exposure| exposure.first.as_ref());
        self.policy.allowlists.check(&AllowQuery {
            rule_id: &candidate.rule.id,
            path: Some(candidate.location.path.as_ref()),
            secret: candidate.secret.reveal(),
            commit: commit.map(|commit| &commit.id),
        })
    }

    /// The entry of the baseline that accepts the candidate.
    pub(crate) fn accepted(&self, candidate: &Candidate) -> Option<&baseline::Entry> {
        let baseline = self.policy.baseline.as_ref()?;
        let id = &candidate.rule.id;
        baseline.accepts(Fingerprint::new(id, &self.identity(candidate)), id)
    }
}
