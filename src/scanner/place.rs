//! Candidates of the history get their paths.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, mpsc};

use bstr::BString;

use super::Scanner;
use super::candidate::{Candidate, Placed};
use super::counts::Counts;
use super::search::{Searching, Seen};
use crate::coverage::Coverage;
use crate::filter::file_kind::FileKind;
use crate::filter::memo::Verdicts;
use crate::location::{Appearance, Location, ObjectId, merge_exposures};
use crate::progress::Progress;
use crate::secret::Secret;
use crate::source::Source;

impl Scanner {
    /// Gives every candidate its path: those of the history may have several, or stand in many blobs of
    /// one path and become one.
    pub(super) fn place(
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
    pub(super) fn complete(
        &self,
        placed: &mut [Placed],
        source: &dyn Source,
        threads: usize,
        coverage: &mut Coverage,
    ) {
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
}
