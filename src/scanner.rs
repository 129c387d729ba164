//! Wires source → matcher → filters → findings, in parallel.

mod note;

use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Deref;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, mpsc};

use bstr::{BStr, BString};
use note::{Classes, Note, Sight};
use sha2::{Digest, Sha256};

use crate::baseline;
use crate::coverage::{Coverage, SkipReason, Suppressed};
use crate::decode::Layer;
use crate::filter::allowlist::{AllowEntry, AllowQuery, Allowlists};
use crate::filter::file_kind::FileKind;
use crate::filter::foreign;
use crate::filter::inline::{self, InlineAllow};
use crate::filter::memo::{Memo, Verdicts};
use crate::filter::{self, Verdict};
use crate::finding::{Excerpt, Finding, Part, RuleInfo};
use crate::fingerprint::Fingerprint;
use crate::level::{Confidence, Severity};
use crate::location::{Appearance, Exposure, Location, ObjectId, Origin, merge_exposures};
use crate::matcher::{Context, Match, Matcher, Scratch, recall};
use crate::pairing::{self, Half};
use crate::progress::Progress;
use crate::rule::RuleSet;
use crate::rule::paths::PathRules;
use crate::rule::schema::{RuleKind, RuleSpec};
use crate::secret::Secret;
use crate::source::{ContentUnit, Fresh, Known, Search, Searched, Source, Spot, Visitor};
use crate::span::{ByteSpan, LineColumn, LineIndex};

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
    pub foreign: Option<foreign::Lists>,
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

/// Everything a run found, what it read and what it let pass.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Findings, sorted by place.
    pub findings: Vec<Finding>,
    /// What was read and what was not.
    pub coverage: Coverage,
    /// What was let pass.
    pub suppressed: Suppressed,
    /// Each match that somebody accepted, and why; sorted.
    pub accepted: Vec<Accepted>,
    /// Where in the objects of the history the secrets of the findings stand, every version of a file on its own;
    /// sorted. Accepted ones may be among them.
    pub sightings: Vec<Sighting>,
}

/// A match that somebody accepted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Accepted {
    /// Path, or the name of the object where its path was not looked for.
    pub name: BString,
    /// Where the secret starts.
    pub start: LineColumn,
    /// Id of the rule that matched.
    pub rule_id: String,
    /// The captured bytes, redacted unless revealed by name.
    pub secret: Secret,
    /// How it was accepted.
    pub by: AcceptedBy,
    /// The marker, or where the entry is written.
    pub written_at: String,
    /// The reason that was given.
    pub reason: Option<String>,
}

impl Accepted {
    /// Accepted by an entry of the configuration, wherever that is written.
    fn of(candidate: &Candidate, reason: String) -> Self {
        Self {
            name: candidate.location.path.clone(),
            start: candidate.location.start,
            rule_id: candidate.rule.id.clone(),
            secret: candidate.secret.clone(),
            by: AcceptedBy::Allowlist,
            written_at: String::new(),
            reason: Some(reason),
        }
    }
}

/// How a match can be accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AcceptedBy {
    /// By a marker beside it.
    Marker,
    /// By an entry of the configuration.
    Allowlist,
    /// By an entry of the baseline.
    Baseline,
}

impl AcceptedBy {
    /// The stable name used in logs.
    pub fn name(self) -> &'static str {
        match self {
            AcceptedBy::Marker => "marker",
            AcceptedBy::Allowlist => "allowlist",
            AcceptedBy::Baseline => "baseline",
        }
    }
}

/// One place of a secret in one object of the history.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sighting {
    /// The captured bytes, as they read when decoded.
    pub secret: Secret,
    /// A blob, or the commit or tag of a message.
    pub origin: Origin,
    /// The bytes that stand for it in the content or the message.
    pub span: ByteSpan,
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

    /// The rule that speaks of a file of that name, and the candidate if the name makes it a secret. A rule with
    /// keywords wants one of them in the content, unless that is no text.
    pub(crate) fn by_name(
        &self,
        path: &BStr,
        content: Option<&[u8]>,
        origin: &Origin,
    ) -> Option<(usize, Result<Candidate, Passed>)> {
        let index = self
            .foreign_rule_for(path)
            .or_else(|| self.paths.get_or_init(|| PathRules::new(self.rules())).rule_for(path))?;
        let rule = &self.rules().rules()[index];
        if let Some(content) = content
            && !rule.keywords.is_empty()
        {
            let lower = content.to_ascii_lowercase();
            let holds = |word: &String| memchr::memmem::find(&lower, word.as_bytes()).is_some();
            if !rule.keywords.iter().any(holds) {
                return Some((index, Err(Passed::Dropped { reason: NO_KEYWORD_IN_FILE.to_owned() })));
            }
        }
        let (confidence, reason) = (rule.confidence, "the name of the file".to_owned());
        if !self.policy.reports(rule, confidence) {
            return Some((index, Err(Passed::Weak { confidence, reason })));
        }
        let start = LineColumn { line: 1, column: 1 };
        let candidate = Candidate {
            rule: Arc::clone(rule.info()),
            confidence,
            reason,
            location: Location {
                path: path.to_owned(),
                start,
                end: start,
                span: ByteSpan::new(0, 0),
                origin: origin.clone(),
            },
            secret: Secret::new(*b""),
            excerpt: Excerpt { text: String::new(), secret: 0..0 },
            evidence: Evidence { rule: index, context: Context::default(), layers: Vec::new() },
            texts: foreign::Judged::default(),
            counts: true,
            is_verbatim: false,
            is_recalled: false,
        };
        Some((index, Ok(candidate)))
    }

    /// The rule of another scanner to which the path is a finding by itself.
    fn foreign_rule_for(&self, path: &BStr) -> Option<usize> {
        let lists = self.policy.foreign.as_ref()?;
        let path = self.policy.allowlists.seen_from_root(path);
        let position = |id: &str| self.rules().rules().iter().position(|rule| rule.id == id);
        lists.named_by(path.as_ref()).find_map(position)
    }

    /// Whether the configuration of another scanner has nothing against a candidate at this path and commit.
    fn foreign_verdict(&self, candidate: &Candidate, path: &BStr, commit: Option<&ObjectId>) -> Foreign {
        let Some(lists) = &self.policy.foreign else { return Foreign::Keeps };
        let path = self.policy.allowlists.seen_from_root(path);
        let id = &candidate.rule.id;
        if !lists.looks_at(id, Some(path.as_ref())) {
            return Foreign::OtherPath;
        }
        let commit = commit.map(ToString::to_string);
        match lists.accepts(id, &candidate.texts, Some(path.as_ref()), commit.as_deref()) {
            Some(list) => Foreign::Accepted(list.written_at.clone()),
            None => Foreign::Keeps,
        }
    }

    /// Why the configuration of another scanner accepts a candidate outside the history.
    pub(crate) fn accepted_elsewhere(&self, candidate: &Candidate) -> Option<String> {
        match self.foreign_verdict(candidate, candidate.location.path.as_ref(), None) {
            Foreign::Keeps => None,
            Foreign::OtherPath => Some("the rule looks at other paths".to_owned()),
            Foreign::Accepted(written_at) => Some(format!("the allowlist at {written_at} accepts it")),
        }
    }

    /// Whether the candidate stays, counting it where an allowlist accepts it.
    fn foreign_keeps(
        &self,
        candidate: &Candidate,
        path: &BStr,
        commit: Option<&ObjectId>,
        counts: &Counts,
    ) -> bool {
        match self.foreign_verdict(candidate, path, commit) {
            Foreign::Keeps => true,
            Foreign::OtherPath => false,
            Foreign::Accepted(_) => {
                counts.allowlist.fetch_add(1, Ordering::Relaxed);
                false
            }
        }
    }

    /// What becomes of a match by what the filters say of it: how sure it is and why, or why it does not count or is not
    /// sure or severe enough.
    fn verdict(&self, evidence: &Evidence, judged: Verdict) -> Result<(Confidence, String), Passed> {
        let rule = &self.rules().rules()[evidence.rule];
        let (confidence, reason) = match judged {
            Verdict::Keep { confidence, reason } => (confidence, reason),
            Verdict::Drop { reason } => return Err(Passed::Dropped { reason }),
        };
        let names: Vec<&str> = evidence.layers.iter().map(|layer| layer.name()).collect();
        let reason =
            if names.is_empty() { reason } else { format!("{reason}, inside {}", names.join(" inside ")) };
        match self.policy.reports(rule, confidence) {
            true => Ok((confidence, reason)),
            false => Err(Passed::Weak { confidence, reason }),
        }
    }

    /// Gives every candidate its path: those of the history may have several, or stand in many blobs of
    /// one path and become one.
    fn place(
        &self,
        candidates: Vec<Candidate>,
        source: &dyn Source,
        threads: usize,
        progress: &Progress,
        coverage: &mut Coverage,
        counts: &Counts,
    ) -> Vec<Placed> {
        let objects: BTreeSet<ObjectId> = candidates.iter().filter_map(Candidate::object).collect();
        let objects: Vec<ObjectId> = objects.into_iter().collect();
        if objects.is_empty() {
            return candidates.into_iter().map(|candidate| Placed { candidate, exposure: None }).collect();
        }
        progress.attribute(objects.len() as u64);
        let appearances = source.attribute(&objects, threads, coverage);
        let verdicts = Verdicts::default();
        let mut placed: BTreeMap<(BString, String, Secret), Vec<(Candidate, Appearance)>> = BTreeMap::new();
        let mut rest = Vec::new();
        for candidate in candidates {
            let Some(object) = candidate.object() else {
                rest.push(Placed { candidate, exposure: None });
                continue;
            };
            counts.sight(&candidate);
            let Some(appearances) = appearances.get(&object) else {
                rest.push(Placed { candidate, exposure: None });
                continue;
            };
            for appearance in appearances {
                // It was judged as if the path said nothing; now there is one.
                let kind = FileKind::of(appearance.path.as_ref());
                let evidence = &candidate.evidence;
                let rule = &self.rules().rules()[evidence.rule];
                let judged = || {
                    let value = candidate.secret.reveal();
                    verdicts.judge((evidence.rule, rule), value, &evidence.context, kind)
                };
                let verdict = match candidate.counts {
                    true => self.verdict(evidence, judged()),
                    false => Ok((candidate.confidence, candidate.reason.clone())),
                };
                let Some((confidence, reason)) = counts.take(rule, verdict) else { continue };
                let commit = appearance.exposure.first.as_ref().map(|commit| &commit.id);
                if !self.foreign_keeps(&candidate, appearance.path.as_ref(), commit, counts) {
                    continue;
                }
                let key = (appearance.path.clone(), candidate.rule.id.clone(), candidate.secret.clone());
                let candidate = Candidate { confidence, reason, ..candidate.clone() };
                placed.entry(key).or_default().push((candidate, appearance.clone()));
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

    /// Reads the lines of what was recalled. Nearly all of them were read: they are those of the run before.
    fn complete(&self, placed: &mut [Placed], source: &dyn Source, threads: usize, coverage: &mut Coverage) {
        let recalled = placed.iter().map(|placed| &placed.candidate).filter(|found| found.is_recalled);
        let objects: BTreeSet<ObjectId> = recalled.filter_map(Candidate::object).collect();
        if objects.is_empty() {
            return;
        }
        let (sender, receiver) = mpsc::channel();
        let (counts, progress) = (Counts::default(), Progress::unwatched());
        let search = Searching {
            scanner: self,
            counts: &counts,
            sender,
            progress: &progress,
            classes: Arc::default(),
        };
        source.reread(&objects.into_iter().collect::<Vec<_>>(), threads, &search, coverage);
        drop(search);
        let mut excerpts = BTreeMap::new();
        for seen in receiver {
            if let Seen::Candidate(candidate) = seen {
                let Location { origin, span, .. } = candidate.location;
                excerpts.insert((origin, span, candidate.rule.id.clone()), candidate.excerpt);
            }
        }
        for Placed { candidate, .. } in placed.iter_mut().filter(|placed| placed.candidate.is_recalled) {
            let Location { origin, span, .. } = &candidate.location;
            match excerpts.get(&(origin.clone(), *span, candidate.rule.id.clone())) {
                Some(excerpt) => candidate.excerpt = excerpt.clone(),
                None => {
                    let name = candidate.object().map(|object| object.to_string()).unwrap_or_default();
                    coverage.problem(name, "it holds no more what was found in it before: see `git fsck`");
                }
            }
        }
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

    /// Applies what depends on the place, and turns the candidates into findings.
    fn settle(&self, mut placed: Vec<Placed>, source: Option<&dyn Source>, counts: &Counts) -> Vec<Finding> {
        placed.sort_by(|a, b| a.candidate.sort_key().cmp(&b.candidate.sort_key()));
        // Windows of a large file overlap and see the same match twice.
        placed.dedup_by(|a, b| a.candidate.sort_key() == b.candidate.sort_key());
        placed.retain(|placed| {
            let allowed = self.allowed(&placed.candidate, placed.exposure.as_ref());
            let allowed = allowed.inspect(|entry| counts.accept_by_entry(&placed.candidate, entry)).is_some();
            counts.allowlist.fetch_add(u64::from(allowed), Ordering::Relaxed);
            let path = placed.candidate.location.path.as_ref();
            // Those of the history were asked at each of their places.
            !allowed
                && (placed.exposure.is_some() || self.foreign_keeps(&placed.candidate, path, None, counts))
        });
        if self.policy.foreign.is_some() {
            self.drop_doubles(&mut placed);
        }
        let fingerprints = self.fingerprints(&placed, source);
        let fingerprint =
            |candidate: &Candidate| fingerprints[&(candidate.rule.id.clone(), self.identity(candidate))];
        let mut roots = self.roots(&placed);
        if let Some(baseline) = &self.policy.baseline {
            let accepted: Vec<bool> = placed
                .iter()
                .map(|Placed { candidate, .. }| {
                    baseline.accepts(fingerprint(candidate), &candidate.rule.id).is_some()
                })
                .collect();
            for ((placed, root), _) in placed.iter_mut().zip(&roots).zip(&accepted).filter(|(_, yes)| **yes) {
                let is_hidden = root.is_none() && placed.candidate.counts;
                counts.baseline.fetch_add(u64::from(is_hidden), Ordering::Relaxed);
                let (candidate, rule) = (&placed.candidate, &placed.candidate.rule.id);
                if let Some(entry) = baseline.accepts(fingerprint(candidate), rule).filter(|_| is_hidden) {
                    counts.accept(Accepted {
                        by: AcceptedBy::Baseline,
                        written_at: format!("line {} of the baseline", entry.line),
                        ..Accepted::of(candidate, entry.reason.clone())
                    });
                }
                // It may still be shown beside another half that is new.
                placed.candidate.counts = false;
            }
            if accepted.contains(&true) {
                roots = self.roots(&placed);
            }
        }
        let mut parts: Vec<Vec<Part>> = placed.iter().map(|_| Vec::new()).collect();
        for (Placed { candidate, .. }, root) in placed.iter().zip(&roots) {
            if let Some(root) = root {
                parts[*root].push(Part {
                    rule: Arc::clone(&candidate.rule),
                    location: candidate.location.clone(),
                    secret: candidate.secret.clone(),
                    fingerprint: fingerprint(candidate),
                    excerpt: candidate.excerpt.clone(),
                });
            }
        }
        let alone = placed.into_iter().zip(roots).zip(parts);
        let alone = alone.filter(|((placed, root), _)| root.is_none() && placed.candidate.counts);
        alone
            .map(|((Placed { candidate, exposure }, _), parts)| Finding {
                fingerprint: fingerprint(&candidate),
                rule: candidate.rule,
                confidence: candidate.confidence,
                reason: candidate.reason,
                location: candidate.location,
                secret: candidate.secret,
                excerpt: candidate.excerpt,
                exposure,
                parts,
            })
            .collect()
    }

    /// One fingerprint for each distinct secret of a rule; key stretching makes them worth sharing.
    fn fingerprints(
        &self,
        placed: &[Placed],
        source: Option<&dyn Source>,
    ) -> BTreeMap<(String, Secret), Fingerprint> {
        let key = |candidate: &Candidate| (candidate.rule.id.clone(), self.identity(candidate));
        let mut known = BTreeMap::new();
        let mut new = Vec::new();
        for Placed { candidate, .. } in placed {
            let Some((source, spot)) = source.zip(candidate.spot()) else { continue };
            match source.fingerprint(&spot) {
                Some(fingerprint) => drop(known.insert(key(candidate), fingerprint)),
                None => new.push((spot, key(candidate))),
            }
        }
        let all = placed.iter().map(|placed| key(&placed.candidate));
        let stretched = Self::stretched(all.filter(|key| !known.contains_key(key)).collect());
        known.extend(stretched);
        if let Some(source) = source.filter(|_| !new.is_empty()) {
            source.note_fingerprints(new.into_iter().map(|(spot, key)| (spot, known[&key])).collect());
        }
        known
    }

    fn stretched(distinct: BTreeSet<(String, Secret)>) -> BTreeMap<(String, Secret), Fingerprint> {
        use rayon::prelude::*;
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

    /// What makes a candidate the same in every run: the secret, or the path from the root where the file is the
    /// secret.
    fn identity(&self, candidate: &Candidate) -> Secret {
        if candidate.secret.len_bytes() > 0 {
            return candidate.secret.clone();
        }
        let path = self.policy.allowlists.seen_from_root(candidate.location.path.as_ref());
        Secret::new(path.to_vec())
    }

    /// Of a rule of another scanner and one of ours that found the same, the one that says more stays.
    fn drop_doubles(&self, placed: &mut Vec<Placed>) {
        let kind = |at: usize| self.rules().rules()[placed[at].candidate.evidence.rule].kind;
        let mut is_double = vec![false; placed.len()];
        for one in 0..placed.len() {
            let here = &placed[one].candidate;
            for (other, Placed { candidate: there, .. }) in placed.iter().enumerate().skip(one + 1) {
                let is_near = here.location.path == there.location.path
                    && here.location.origin == there.location.origin
                    && there.location.span.start < here.location.span.end;
                if !is_near {
                    break;
                }
                let is_foreign = [kind(one) == RuleKind::Whole, kind(other) == RuleKind::Whole];
                if is_foreign[0] == is_foreign[1] || !here.counts || !there.counts {
                    continue;
                }
                let (foreign, ours) = if is_foreign[0] { (one, other) } else { (other, one) };
                let is_guess = kind(ours) == RuleKind::Generic;
                let (winner, loser) = if is_guess { (foreign, ours) } else { (ours, foreign) };
                let [won, lost] = [winner, loser].map(|at| placed[at].candidate.location.span);
                // What is much more than the other could hold another secret.
                let is_same = lost.contains(won) && won.len() * 2 >= lost.len();
                is_double[loser] |= won.contains(lost) || is_same;
            }
        }
        let mut is_double = is_double.into_iter();
        placed.retain(|_| !is_double.next().unwrap_or_default());
    }

    /// For each candidate the one that it is a part of.
    fn roots(&self, placed: &[Placed]) -> Vec<Option<usize>> {
        let mut contents: BTreeMap<(&BStr, &Origin), Vec<usize>> = BTreeMap::new();
        for (index, Placed { candidate, .. }) in placed.iter().enumerate() {
            let Location { path, origin, .. } = &candidate.location;
            contents.entry((path.as_ref(), origin)).or_default().push(index);
        }
        let mut roots = vec![None; placed.len()];
        for members in contents.into_values().filter(|members| members.len() > 1) {
            let half = |&index: &usize| {
                let candidate = &placed[index].candidate;
                Half {
                    rule: &candidate.rule.id,
                    pair: self.rules().rules()[candidate.evidence.rule].pair.as_ref(),
                    span: candidate.location.span,
                    severity: candidate.rule.severity,
                    counts: candidate.counts,
                }
            };
            let halves: Vec<Half<'_>> = members.iter().map(half).collect();
            for (member, root) in members.iter().zip(pairing::roots(&halves)) {
                roots[*member] = root.map(|root| members[root]);
            }
        }
        roots
    }
}

/// One scan.
struct Searching<'s> {
    scanner: &'s Scanner,
    counts: &'s Counts,
    sender: mpsc::Sender<Seen>,
    progress: &'s Progress,
    classes: Arc<Mutex<Classes>>,
}

impl Searching<'_> {
    /// Whether a policy that knows the confidence alone reports a match.
    fn reports(&self, (rule, confidence): (usize, Confidence)) -> bool {
        let rule = self.scanner.rules().rules().get(rule);
        rule.is_none_or(|rule| self.scanner.policy.reports(rule, confidence))
    }
}

/// The classes, whoever fell while holding them: each entry is whole.
fn locked(classes: &Mutex<Classes>) -> MutexGuard<'_, Classes> {
    classes.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<'s> Search<'s> for Searching<'s> {
    fn visitor(&self) -> Visitor<'s> {
        let (sender, progress) = (self.sender.clone(), self.progress);
        let mut worker = Worker::new(self.scanner, self.counts);
        worker.classes = Some(Arc::clone(&self.classes));
        Box::new(move |unit| {
            let inspected = worker.inspect(unit, &mut |candidate| {
                if candidate.counts {
                    progress.found();
                }
                let _ = sender.send(Seen::Candidate(Box::new(candidate)));
            });
            if !inspected.is_complete {
                let _ = sender.send(Seen::Incomplete(unit_name(unit)));
            }
            match inspected.note {
                Some(note) if note.is_clean() => Searched::Clean,
                Some(note) if unit.note.is_some() => Searched::Matches(note.store()),
                Some(_) | None => Searched::NotClean,
            }
        })
    }

    /// Of each class that the policy reports a unit is read, if possible one that was told of before.
    fn wants(&self, known: &[Known<'_>]) -> Vec<bool> {
        if self.scanner.policy.foreign.is_some() {
            return vec![true; known.len()];
        }
        let mut classes = locked(&self.classes);
        let mut covered = BTreeSet::new();
        let mut undecided: Vec<(usize, Vec<u32>)> = Vec::new();
        let mut wanted = vec![true; known.len()];
        for ((at, known), wanted) in known.iter().enumerate().zip(&mut wanted) {
            let Some(Note { sure: Some(sure), sights, .. }) = Note::restore(known.note) else { continue };
            if let Some(sights) = &sights {
                sights.iter().for_each(|sight| classes.note_earlier(sight.class));
                let reported = sure.iter().zip(sights).filter(|(sure, _)| self.reports(**sure));
                let reported: Vec<u32> = reported.map(|(_, sight)| sight.class).collect();
                match known.is_told && !reported.is_empty() {
                    true => covered.extend(reported),
                    false => undecided.push((at, reported)),
                }
            } else if !sure.iter().any(|sure| self.reports(*sure)) {
                *wanted = false;
            }
        }
        for (at, reported) in undecided {
            wanted[at] = reported.iter().any(|class| !covered.contains(class));
            if wanted[at] {
                covered.extend(reported);
            }
        }
        wanted
    }

    fn recall(&self, origin: &Origin, note: &[u8]) -> bool {
        let Some(Note { sure: Some(sure), sights, .. }) = Note::restore(note) else { return false };
        let rules = self.scanner.rules().rules();
        let classes = locked(&self.classes);
        let mut candidates = Vec::new();
        for (at, one) in sure.iter().enumerate().filter(|(_, one)| self.reports(**one)) {
            let sight = sights.as_ref().and_then(|sights| sights.get(at));
            let Some((sight, read)) = sight.and_then(|sight| Some((sight, classes.read(sight.class)?)))
            else {
                return false;
            };
            if read.evidence.rule != one.0 {
                return false;
            }
            candidates.push(read.at(origin, sight));
        }
        let is_weak = |one: &&(usize, Confidence)| !self.reports(**one);
        let weak = sure.iter().filter(is_weak);
        let counted = weak.filter(|(rule, _)| rules.get(*rule).is_some_and(|rule| !rule.public));
        self.counts.below_threshold.fetch_add(counted.count() as u64, Ordering::Relaxed);
        for candidate in candidates {
            self.progress.found();
            let _ = self.sender.send(Seen::Candidate(Box::new(candidate)));
        }
        true
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
    baseline: AtomicU64,
    below_threshold: AtomicU64,
    noted: Mutex<Noted>,
}

/// What is let pass or found, one by one.
#[derive(Debug, Default)]
struct Noted {
    accepted: Vec<Accepted>,
    sightings: Vec<Sighting>,
}

impl Counts {
    fn noted(&self) -> MutexGuard<'_, Noted> {
        // A list is whole whatever happened to those who held it.
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn accept(&self, accepted: Accepted) {
        self.noted().accepted.push(accepted);
    }

    fn accept_by_entry(&self, candidate: &Candidate, entry: &AllowEntry) {
        self.accept(Accepted {
            written_at: entry.written_at().to_owned(),
            ..Accepted::of(candidate, entry.reason().to_owned())
        });
    }

    fn sight(&self, candidate: &Candidate) {
        let Location { span, origin, .. } = &candidate.location;
        let sighting = Sighting { secret: candidate.secret.clone(), origin: origin.clone(), span: *span };
        self.noted().sightings.push(sighting);
    }

    /// Everything that was noted, in an order that does not depend on threads, each once.
    fn into_noted(self) -> Noted {
        let mut noted = self.noted.into_inner().unwrap_or_else(PoisonError::into_inner);
        noted.accepted.sort();
        noted.accepted.dedup();
        noted.sightings.sort();
        noted.sightings.dedup();
        noted
    }

    /// Counts a match that is let pass.
    fn take<T>(&self, rule: &RuleSpec, judged: Result<T, Passed>) -> Option<T> {
        match &judged {
            // A value that is meant to be seen is no alarm that was held back.
            Err(Passed::Weak { .. }) if !rule.public => &self.below_threshold,
            Err(Passed::Inline { .. }) => &self.inline,
            _ => return judged.ok(),
        }
        .fetch_add(1, Ordering::Relaxed);
        None
    }

    fn totals(&self) -> Suppressed {
        Suppressed {
            inline: self.inline.load(Ordering::Relaxed),
            allowlist: self.allowlist.load(Ordering::Relaxed),
            baseline: self.baseline.load(Ordering::Relaxed),
            below_threshold: self.below_threshold.load(Ordering::Relaxed),
        }
    }
}

/// What the configuration of another scanner says of a candidate.
enum Foreign {
    Keeps,
    /// Its rule looks at other files.
    OtherPath,
    /// The allowlist that is written there accepts it.
    Accepted(String),
}

const NO_KEYWORD_IN_FILE: &str = "the name fits, but the file holds none of the rule's keywords";

/// Why a match is no candidate.
#[derive(Clone, Debug)]
pub(crate) enum Passed {
    /// Its lines are no news.
    NotNew,
    /// It counts only beside its other half, and that is not there.
    Alone,
    /// A filter holds it for no secret.
    Dropped {
        /// Why.
        reason: String,
    },
    /// It is below the least severity or confidence.
    Weak {
        /// How sure it is.
        confidence: Confidence,
        /// Why.
        reason: String,
    },
    /// A marker in the text accepts it.
    Inline {
        /// The marker.
        allow: InlineAllow,
        /// Whether it stands on the line above.
        is_above: bool,
    },
}

/// A match that passed every filter that looks at the text alone.
#[derive(Clone, Debug)]
pub(crate) struct Candidate {
    pub(crate) rule: Arc<RuleInfo>,
    pub(crate) confidence: Confidence,
    pub(crate) reason: String,
    pub(crate) location: Location,
    secret: Secret,
    excerpt: Excerpt,
    evidence: Evidence,
    /// What allowlists of another scanner say of its text.
    texts: foreign::Judged,
    /// Whether it is a finding of its own, and not only shown as a part of one.
    counts: bool,
    /// Whether the secret is what stands at its place, byte by byte.
    is_verbatim: bool,
    /// Whether it is known from an earlier run, and its line is not.
    is_recalled: bool,
}

/// What a verdict rests on besides the secret, kept because the path of a blob is found after the blob was
/// searched.
#[derive(Clone, Debug)]
struct Evidence {
    /// Index of the rule.
    rule: usize,
    context: Context,
    layers: Vec<Layer>,
}

impl Evidence {
    fn of(found: &Match) -> Self {
        Self { rule: found.rule, context: found.context.clone(), layers: found.layers.clone() }
    }
}

impl Candidate {
    /// The same in another object, of which the line is not at hand.
    fn at(&self, origin: &Origin, sight: &Sight) -> Self {
        let Sight { span, start, end, .. } = *sight;
        let path = BString::default();
        Self {
            rule: Arc::clone(&self.rule),
            reason: self.reason.clone(),
            location: Location { path, start, end, span, origin: origin.clone() },
            secret: self.secret.clone(),
            excerpt: Excerpt { text: String::new(), secret: 0..0 },
            evidence: self.evidence.clone(),
            texts: foreign::Judged::default(),
            is_recalled: true,
            ..*self
        }
    }

    /// The object to attribute, for content whose place in the history is found later.
    fn object(&self) -> Option<ObjectId> {
        match self.location.origin {
            Origin::Blob(id) | Origin::CommitMessage(id) | Origin::TagMessage(id) => Some(id),
            Origin::File | Origin::Staged | Origin::Stdin => None,
        }
    }

    /// Where a secret stands that is found there again as long as the rules are the same.
    fn spot(&self) -> Option<Spot> {
        let is_told = self.is_verbatim && self.secret.len_bytes() > 0;
        let object = self.object().filter(|_| is_told)?;
        Some(Spot { object, rule: self.evidence.rule, span: self.location.span })
    }

    fn sort_key(&self) -> (&Location, &str) {
        (&self.location, &self.rule.id)
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
    /// Made for the first text of a history.
    memo: OnceCell<Memo>,
    verdicts: Verdicts,
    /// Where what is found is to be known again.
    classes: Option<Arc<Mutex<Classes>>>,
}

/// What the search of a unit came to.
struct Inspected {
    /// Whether all of it was searched.
    is_complete: bool,
    /// What is worth to be known the next time. `None` if nothing is.
    note: Option<Note>,
}

impl<'s> Worker<'s> {
    fn new(scanner: &'s Scanner, counts: &'s Counts) -> Self {
        let (scratch, matches, memo) = (Scratch::default(), Vec::new(), OnceCell::new());
        Self { scanner, counts, scratch, matches, memo, verdicts: Verdicts::default(), classes: None }
    }

    /// Hands the candidates of a unit to `keep`.
    fn inspect(&mut self, unit: &ContentUnit<'_>, keep: &mut dyn FnMut(Candidate)) -> Inspected {
        if let (Some(path), Origin::File | Origin::Staged, 0) = (unit.path, unit.origin, unit.first_byte)
            && let Some((rule, judged)) = self.scanner.by_name(path, Some(unit.bytes), unit.origin)
            && let Some(candidate) = self.counts.take(&self.scanner.rules().rules()[rule], judged)
        {
            keep(candidate);
        }
        self.matches.clear();
        // Most units have no match to ask it for.
        let kind = || unit.path.map(FileKind::of).unwrap_or_default();
        let matcher = &self.scanner.matcher;
        let mut earlier = unit.note.and_then(Note::restore);
        let known = earlier.as_mut().and_then(|note| {
            recall::restore(unit.bytes, &note.places.take()?, matcher.rules().rules().len())
        });
        let is_complete = match (known, unit.derivation) {
            (Some(known), _) => {
                self.matches = known;
                true
            }
            (None, Some(derivation)) => {
                // Blobs have no path yet; whatever else counts against a match is asked later.
                let (kind, memo) = (kind(), self.memo.get_or_init(Memo::default));
                let is_dull = |found: &Match| is_dropped(memo, matcher, found, kind);
                let (scratch, matches) = (&mut self.scratch, &mut self.matches);
                matcher.find_derived(unit.bytes, derivation, &is_dull, scratch, matches)
            }
            (None, None) => matcher.find(unit.bytes, &mut self.scratch, &mut self.matches),
        };
        if self.matches.is_empty() {
            let clean = Note { sure: Some(Vec::new()), sights: None, places: None };
            return Inspected { is_complete, note: is_complete.then_some(clean) };
        }
        // The configuration of another scanner decides by more than is written down.
        let mut sure = match self.scanner.policy.foreign {
            None => Some(Vec::new()),
            Some(_) => None,
        };
        let few = Some(&self.matches).filter(|matches| matches.len() <= Note::MOST && unit.note.is_some());
        let places = few.and_then(|matches| recall::store(unit.bytes, matches));
        let classes = self.classes.as_deref().filter(|_| few.is_some() && sure.is_some());
        let mut sights = classes.map(|_| Vec::new());
        let earlier = earlier.and_then(|note| note.sights);
        let lines = LineIndex::starting_at(
            unit.bytes,
            LineColumn { line: unit.first_line, column: unit.first_column },
        );
        let kind = kind();
        let scanner = self.scanner;
        let mut counted = vec![false; self.matches.len()];
        let mut wanted = Vec::new();
        let matches = Matches::of(&self.matches).with(&self.verdicts);
        for (index, found) in matches.iter().enumerate() {
            // It was asked a moment ago, and nothing else is asked before. Not so where another scanner's
            // configuration accepts things.
            if let (Some(memo), None) = (self.memo.get(), &scanner.policy.foreign)
                && is_dropped(memo, matcher, found, kind)
            {
                continue;
            }
            let judged = scanner.judge(unit, &lines, kind, index, &matches);
            match &judged {
                Ok(Candidate { confidence, .. }) | Err(Passed::Weak { confidence, .. }) => {
                    if let (Some(classes), Some(all)) = (classes, &mut sights) {
                        let class_of = || {
                            let at = all.len();
                            let known = earlier.as_ref().and_then(|sights| sights.get(at));
                            let known = known.filter(|known| known.span == found.secret_span);
                            let known = known.map(|known| known.class);
                            let mut classes = locked(classes);
                            let class = classes.class_of(unit.bytes, found, known);
                            if let (Ok(candidate), Some(class)) = (&judged, known) {
                                classes.note_read(class, candidate);
                            }
                            class
                        };
                        let sight = scanner.sight(unit, &lines, index, &matches, class_of);
                        match sight {
                            Some(sight) => all.push(sight),
                            None => sights = None,
                        }
                    }
                    sure.iter_mut().for_each(|sure| sure.push((found.rule, *confidence)));
                }
                Err(Passed::Inline { .. }) => sure = None,
                Err(Passed::NotNew | Passed::Alone | Passed::Dropped { .. }) => continue,
            }
            if let Err(Passed::Inline { allow, .. }) = &judged {
                let start = lines.line_column(found.secret_span.start);
                let rule_id = scanner.matcher.rule(found).id.clone();
                self.counts.accept(Accepted {
                    name: unit_name(unit),
                    start,
                    rule_id,
                    secret: found.secret.clone(),
                    by: AcceptedBy::Marker,
                    written_at: allow.marker.to_owned(),
                    reason: allow.reason.clone(),
                });
            }
            if let Some(candidate) = self.counts.take(scanner.matcher.rule(found), judged) {
                counted[index] = true;
                wanted.extend(scanner.other_half(index, &matches));
                keep(candidate);
            }
        }
        // The other half may be an identifier that is no finding of its own, or stand on a line that is not new.
        wanted.sort_unstable();
        wanted.dedup();
        for index in wanted.into_iter().filter(|&index| !counted[index]) {
            if let Some(candidate) = scanner.part(unit, &lines, kind, index, &matches) {
                keep(candidate);
            }
        }
        let sure = sure.filter(|sure| sure.len() <= Note::MOST);
        let sights = sights.filter(|_| sure.is_some());
        let is_worth_it = is_complete && (sure.is_some() || places.is_some());
        Inspected { is_complete, note: is_worth_it.then_some(Note { sure, sights, places }) }
    }
}

/// The matches of one unit by place, and what is worked out once for many of them: a line may hold thousands.
pub(crate) struct Matches<'m> {
    all: &'m [Match],
    /// By match: where the farthest secret ends of those up to it.
    reach: OnceCell<Vec<usize>>,
    /// What the markers on a line, given by its start, accept of the rules that were asked for.
    inline: RefCell<(usize, BTreeMap<usize, Option<Passed>>)>,
    /// What was said of matches before.
    verdicts: Option<&'m Verdicts>,
}

impl<'m> Matches<'m> {
    pub(crate) fn of(all: &'m [Match]) -> Self {
        Self { all, reach: OnceCell::new(), inline: RefCell::default(), verdicts: None }
    }

    fn with(self, verdicts: &'m Verdicts) -> Self {
        Self { verdicts: Some(verdicts), ..self }
    }

    /// Those whose secrets have a byte in the span.
    fn on(&self, span: ByteSpan) -> impl Iterator<Item = &'m Match> {
        let reach = self.reach.get_or_init(|| {
            let ends = self.all.iter().map(|found| found.secret_span.end);
            ends.scan(0, |reach, end| {
                *reach = end.max(*reach);
                Some(*reach)
            })
            .collect()
        });
        let all = self.all;
        let first = reach.partition_point(|&reach| reach <= span.start);
        let last = all.partition_point(|found| found.secret_span.start < span.end).max(first);
        all[first..last].iter().filter(move |found| found.secret_span.overlaps(span))
    }

    fn allowed_inline(
        &self,
        text: &[u8],
        lines: &LineIndex<'_>,
        line: ByteSpan,
        (rule, rule_id): (usize, &str),
    ) -> Option<Passed> {
        let (start, known) = &mut *self.inline.borrow_mut();
        if *start != line.start {
            known.clear();
            *start = line.start;
        }
        known.entry(rule).or_insert_with(|| allowed_inline(text, lines, line, rule_id)).clone()
    }
}

impl Deref for Matches<'_> {
    type Target = [Match];

    fn deref(&self) -> &[Match] {
        self.all
    }
}

/// Whether a match is dropped for what it is, wherever it stands.
fn is_dropped(memo: &Memo, matcher: &Matcher, found: &Match, kind: FileKind) -> bool {
    memo.is_dropped((found.rule, matcher.rule(found)), found.secret.reveal(), &found.context, kind)
}

impl Scanner {
    /// The match nearby that the rule of another names as its other half.
    fn other_half(&self, index: usize, matches: &Matches<'_>) -> Option<usize> {
        let rule = |index: usize| self.matcher.rule(&matches[index]);
        let look = |index: usize| (rule(index).id.as_str(), matches[index].secret_span);
        pairing::nearest(rule(index).pair.as_ref()?, index, matches.len(), look)
    }

    /// What is written down of a match that the policy or another one reports, so that its text need not be read for
    /// it. `None` if the text has more to say: of its other half, or of a marker.
    fn sight(
        &self,
        unit: &ContentUnit<'_>,
        lines: &LineIndex<'_>,
        index: usize,
        matches: &Matches<'_>,
        class: impl FnOnce() -> u32,
    ) -> Option<Sight> {
        let found = &matches[index];
        let rule = self.matcher.rule(found);
        let line = lines.line_span(found.secret_span.start);
        let allowed = || matches.allowed_inline(unit.bytes, lines, line, (found.rule, &rule.id));
        if rule.pair.is_some() || allowed().is_some() {
            return None;
        }
        let [start, end] =
            [found.secret_span.start, found.secret_span.end].map(|byte| lines.line_column(byte));
        Sight::of(class(), found.secret_span, start, end)
    }

    /// A match that is shown beside its other half, whatever the policy says of it alone.
    fn part(
        &self,
        unit: &ContentUnit<'_>,
        lines: &LineIndex<'_>,
        kind: FileKind,
        index: usize,
        matches: &Matches<'_>,
    ) -> Option<Candidate> {
        let found = &matches[index];
        match filter::judge(self.matcher.rule(found), found.secret.reveal(), &found.context, kind) {
            Verdict::Keep { confidence, reason } => {
                let candidate = self.candidate(unit, lines, found, matches, (confidence, reason));
                Some(Candidate { counts: false, ..candidate })
            }
            Verdict::Drop { .. } => None,
        }
    }

    /// What becomes of one of the `matches` in the unit, by all that can be said without its history.
    pub(crate) fn judge(
        &self,
        unit: &ContentUnit<'_>,
        lines: &LineIndex<'_>,
        kind: FileKind,
        index: usize,
        matches: &Matches<'_>,
    ) -> Result<Candidate, Passed> {
        let found = &matches[index];
        let rule = self.matcher.rule(found);
        let last_byte = found.span.end.max(found.span.start + 1) - 1;
        let (first_line, last_line) =
            (lines.line_column(found.span.start).line, lines.line_column(last_byte).line);
        if !unit.fresh.touches(first_line, last_line) {
            return Err(Passed::NotNew);
        }
        if rule.pair.as_ref().is_some_and(|pair| pair.required) && self.other_half(index, matches).is_none() {
            return Err(Passed::Alone);
        }
        if let Some(lists) = &self.policy.foreign {
            self.foreign_judge(lists, unit, lines, index, matches)?;
        }
        let value = found.secret.reveal();
        let judged = match matches.verdicts {
            Some(verdicts) => verdicts.judge((found.rule, rule), value, &found.context, kind),
            None => filter::judge(rule, value, &found.context, kind),
        };
        let verdict = self.verdict(&Evidence::of(found), judged)?;
        let line = lines.line_span(found.secret_span.start);
        if self.policy.inline_allow
            && let Some(passed) = matches.allowed_inline(unit.bytes, lines, line, (found.rule, &rule.id))
        {
            return Err(passed);
        }
        Ok(self.candidate(unit, lines, found, matches, verdict))
    }

    /// Whether a match has the companions that the configuration of another scanner asks for.
    fn foreign_judge(
        &self,
        lists: &foreign::Lists,
        unit: &ContentUnit<'_>,
        lines: &LineIndex<'_>,
        index: usize,
        matches: &Matches<'_>,
    ) -> Result<(), Passed> {
        let found = &matches[index];
        let Some(of) = lists.rules.get(&self.matcher.rule(found).id) else { return Ok(()) };
        let place = |found: &Match| {
            let start = lines.line_column(found.span.start);
            (start.line, start.column)
        };
        let is_companion = |other: &Match, required: &foreign::Required| {
            let rule = self.matcher.rule(other);
            let counts = || {
                let judged = filter::judge(rule, other.secret.reveal(), &other.context, FileKind::default());
                let path = unit.path.map(|path| self.policy.allowlists.seen_from_root(path));
                let path = path.as_deref();
                let texts = lists.judge(&rule.id, &texts_of(unit.bytes, lines, other));
                matches!(judged, Verdict::Keep { .. })
                    && lists.looks_at(&rule.id, path)
                    && lists.accepts(&rule.id, &texts, path, None).is_none()
            };
            required.rules.contains(&rule.id) && required.is_near(place(found), place(other)) && counts()
        };
        let is_whole = of.required.iter().all(|required| {
            let mut others = matches.iter().enumerate().filter(|&(at, _)| at != index);
            others.any(|(_, other)| is_companion(other, required))
        });
        if of.is_silent || !is_whole {
            return Err(Passed::Alone);
        }
        Ok(())
    }

    fn candidate(
        &self,
        unit: &ContentUnit<'_>,
        lines: &LineIndex<'_>,
        found: &Match,
        matches: &Matches<'_>,
        (confidence, reason): (Confidence, String),
    ) -> Candidate {
        // Where addresses have 32 bits, an offset behind 4 GiB is told as the last one; lines and columns stay true.
        let offset = |byte| usize::try_from(unit.first_byte).unwrap_or(usize::MAX).saturating_add(byte);
        let location = Location {
            path: unit.path.map(BStr::to_owned).unwrap_or_default(),
            start: lines.line_column(found.secret_span.start),
            end: lines.line_column(found.secret_span.end),
            span: ByteSpan::new(offset(found.secret_span.start), offset(found.secret_span.end)),
            origin: unit.origin.clone(),
        };
        let line = lines.line_span(found.secret_span.start);
        Candidate {
            rule: Arc::clone(self.matcher.rule(found).info()),
            confidence,
            reason,
            location,
            secret: found.secret.clone(),
            excerpt: excerpt(unit.bytes, line, found, matches),
            evidence: Evidence::of(found),
            texts: match &self.policy.foreign {
                Some(lists) => lists.judge(&self.matcher.rule(found).id, &texts_of(unit.bytes, lines, found)),
                None => foreign::Judged::default(),
            },
            counts: true,
            is_verbatim: is_verbatim(unit.bytes, found),
            is_recalled: false,
        }
    }
}

/// Whether a secret is what stands at its place.
fn is_verbatim(text: &[u8], found: &Match) -> bool {
    found.layers.is_empty() && text.get(found.secret_span.range()) == Some(found.secret.reveal())
}

/// What allowlists of another scanner look at.
fn texts_of<'t>(text: &'t [u8], lines: &LineIndex<'_>, found: &'t Match) -> foreign::Texts<'t> {
    let last_byte = found.span.end.max(found.span.start + 1) - 1;
    let (first, last) = (lines.line_span(found.span.start), lines.line_span(last_byte));
    foreign::Texts {
        secret: found.secret.reveal(),
        // What was decoded stands nowhere but in the match.
        matched: if found.layers.is_empty() { &text[found.span.range()] } else { found.secret.reveal() },
        lines: &text[first.start..last.end.max(first.start)],
    }
}

fn allowed_inline(text: &[u8], lines: &LineIndex<'_>, line: ByteSpan, rule_id: &str) -> Option<Passed> {
    let previous = (line.start > 0).then(|| &text[lines.line_span(line.start - 1).range()]);
    let line = &text[line.range()];
    let allow = inline::allowed(line, previous, rule_id)?;
    let is_above = inline::allowed(line, None, rule_id).is_none();
    Some(Passed::Inline { allow, is_above })
}

/// Where the quoted string ends whose first part is the secret: a password may hold a blank, and a rule may not.
/// What follows is hidden too. The end of the secret where it fills its quotes or has none.
fn quoted_rest(line: &[u8], secret: ByteSpan) -> usize {
    let quote = match line[..secret.start.min(line.len())].last() {
        Some(&quote @ (b'"' | b'\'' | b'`')) => quote,
        _ => return secret.end,
    };
    let rest = line.get(secret.end..).unwrap_or_default();
    secret.end + memchr::memchr(quote, rest).unwrap_or(0)
}

/// The line of a match with every match on it redacted, whatever became of the others.
fn excerpt(text: &[u8], line: ByteSpan, found: &Match, matches: &Matches<'_>) -> Excerpt {
    let from = line.start.max(found.secret_span.start.saturating_sub(EXCERPT_BYTES));
    let to = line.end.min(found.secret_span.end + EXCERPT_BYTES).max(from);
    let mut out = String::new();
    let mut secret = 0..0;
    let mut at = from;
    if from > line.start {
        out.push('…');
    }
    for other in matches.on(ByteSpan::new(from, to.max(from + 1))) {
        let (start, end) = (other.secret_span.start.max(at), other.secret_span.end.min(to));
        out.push_str(&String::from_utf8_lossy(&text[at..start.min(to)]));
        let mark = out.len();
        out.push_str(&other.secret.redacted());
        if other.secret_span == found.secret_span {
            secret = mark..out.len();
        }
        at = end.max(at);
        let rest = quoted_rest(&text[..line.end], other.secret_span).min(to);
        if rest > at {
            out.push('…');
            at = rest;
        }
    }
    out.push_str(&String::from_utf8_lossy(&text[at.min(to)..to]));
    if to < line.end {
        out.push('…');
    }
    Excerpt { text: out, secret }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_on_a_span_are_those_that_overlap_it() {
        let token = |n: usize| format!("pk_{}_{}", 48_151_600 + n, "A7Q2Z9K4M1X8C5V3B6N0L2J4H7G9F1D8");
        let text: String = (0..40).map(|n| format!("{}a = \"{}\"; ", "b ".repeat(n % 5), token(n))).collect();
        let matcher = Matcher::new(RuleSet::builtin());
        let mut found = Vec::new();
        assert!(matcher.find(text.as_bytes(), &mut Scratch::default(), &mut found));
        assert_eq!(found.len(), 40);
        // The rules of other scanners may overlap: one reaches over its neighbours, others end where it ends.
        found[3].secret_span.end = found[9].secret_span.end;
        let matches = Matches::of(&found);
        for start in (0..text.len()).step_by(7) {
            for len in [1, 20, 90, 400] {
                let span = ByteSpan::new(start, start + len);
                let plain: Vec<ByteSpan> = found
                    .iter()
                    .map(|found| found.secret_span)
                    .filter(|other| other.overlaps(span))
                    .collect();
                assert_eq!(matches.on(span).map(|found| found.secret_span).collect::<Vec<_>>(), plain);
            }
        }
    }
}
