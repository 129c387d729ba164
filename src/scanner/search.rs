//! One scan, as a source sees it.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};

use bstr::BString;

use super::Scanner;
use super::candidate::Candidate;
use super::counts::Counts;
use super::note::{Classes, Note};
use super::worker::Worker;
use crate::level::Confidence;
use crate::location::Origin;
use crate::progress::Progress;
use crate::source::{ContentUnit, Known, Search, Searched, Visitor};

/// One scan.
pub(super) struct Searching<'s> {
    pub(super) scanner: &'s Scanner,
    pub(super) counts: &'s Counts,
    pub(super) sender: mpsc::Sender<Seen>,
    pub(super) progress: &'s Progress,
    pub(super) classes: Arc<Mutex<Classes>>,
}

impl Searching<'_> {
    /// Whether a policy that knows the confidence alone reports a match.
    fn reports(&self, (rule, confidence): (usize, Confidence)) -> bool {
        let rule = self.scanner.rules().rules().get(rule);
        rule.is_none_or(|rule| self.scanner.policy.reports(rule, confidence))
    }
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
pub(super) enum Seen {
    Candidate(Box<Candidate>),
    /// The unit of that name was not searched to its end.
    Incomplete(BString),
}

pub(super) fn unit_name(unit: &ContentUnit<'_>) -> BString {
    match (unit.path, unit.origin) {
        (Some(path), _) => path.to_owned(),
        (None, Origin::Blob(id) | Origin::CommitMessage(id) | Origin::TagMessage(id)) => {
            id.to_string().into()
        }
        (None, _) => "<stdin>".into(),
    }
}

/// The classes, whoever fell while holding them: each entry is whole.
pub(super) fn locked(classes: &Mutex<Classes>) -> MutexGuard<'_, Classes> {
    classes.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(super) const TOO_MUCH_ENCODED: &str = "holds so much encoded text that not all of it was decoded; \
                                look at the file; `--max-file-bytes` leaves out files of its size";
