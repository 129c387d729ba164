//! What is counted and noted while workers search, whichever of them comes first.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::candidate::Candidate;
use super::judge::Passed;
use super::outcome::{Accepted, Sighting};
use crate::coverage::Suppressed;
use crate::filter::allowlist::AllowEntry;
use crate::location::Location;
use crate::rule::schema::RuleSpec;

#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) inline: AtomicU64,
    pub(super) allowlist: AtomicU64,
    pub(super) baseline: AtomicU64,
    pub(super) below_threshold: AtomicU64,
    pub(super) noted: Mutex<Noted>,
}

/// What is let pass or found, one by one.
#[derive(Debug, Default)]
pub(super) struct Noted {
    pub(super) accepted: Vec<Accepted>,
    pub(super) sightings: Vec<Sighting>,
}

impl Counts {
    fn noted(&self) -> MutexGuard<'_, Noted> {
        // A list is whole whatever happened to those who held it.
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn accept(&self, accepted: Accepted) {
        self.noted().accepted.push(accepted);
    }

    pub(super) fn accept_by_entry(&self, candidate: &Candidate, entry: &AllowEntry) {
        self.accept(Accepted {
            written_at: entry.written_at().to_owned(),
            ..Accepted::of(candidate, entry.reason().to_owned())
        });
    }

    pub(super) fn sight(&self, candidate: &Candidate) {
        let Location { span, origin, .. } = &candidate.location;
        let sighting = Sighting { secret: candidate.secret.clone(), origin: origin.clone(), span: *span };
        self.noted().sightings.push(sighting);
    }

    /// Everything that was noted, in an order that does not depend on threads, each once.
    pub(super) fn into_noted(self) -> Noted {
        let mut noted = self.noted.into_inner().unwrap_or_else(PoisonError::into_inner);
        noted.accepted.sort();
        noted.accepted.dedup();
        noted.sightings.sort();
        noted.sightings.dedup();
        noted
    }

    /// Counts a match that is let pass.
    pub(super) fn take<T>(&self, rule: &RuleSpec, judged: Result<T, Passed>) -> Option<T> {
        match &judged {
            // A value that is meant to be seen is no alarm that was held back.
            Err(Passed::Weak { .. }) if !rule.public => &self.below_threshold,
            Err(Passed::Inline { .. }) => &self.inline,
            _ => return judged.ok(),
        }
        .fetch_add(1, Ordering::Relaxed);
        None
    }

    pub(super) fn totals(&self) -> Suppressed {
        Suppressed {
            inline: self.inline.load(Ordering::Relaxed),
            allowlist: self.allowlist.load(Ordering::Relaxed),
            baseline: self.baseline.load(Ordering::Relaxed),
            below_threshold: self.below_threshold.load(Ordering::Relaxed),
        }
    }
}
