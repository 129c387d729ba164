//! What depends on the place of a candidate, and the findings that are left.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bstr::BStr;

use super::Scanner;
use super::candidate::{Candidate, Placed};
use super::counts::Counts;
use super::outcome::{Accepted, AcceptedBy};
use crate::finding::{Finding, Part};
use crate::fingerprint::Fingerprint;
use crate::location::{Location, Origin};
use crate::pairing::{self, Half};
use crate::secret::Secret;
use crate::source::Source;

impl Scanner {
    /// Applies what depends on the place, and turns the candidates into findings.
    pub(super) fn settle(
        &self,
        mut placed: Vec<Placed>,
        source: Option<&dyn Source>,
        counts: &Counts,
    ) -> Vec<Finding> {
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
    pub(super) fn identity(&self, candidate: &Candidate) -> Secret {
        if candidate.secret.len_bytes() > 0 {
            return candidate.secret.clone();
        }
        let path = self.policy.allowlists.seen_from_root(candidate.location.path.as_ref());
        Secret::new(path.to_vec())
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
