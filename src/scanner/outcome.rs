//! What came of a run.

use bstr::BString;

use super::candidate::Candidate;
use crate::coverage::{Coverage, Suppressed};
use crate::finding::Finding;
use crate::location::Origin;
use crate::secret::Secret;
use crate::span::{ByteSpan, LineColumn};

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
    pub(super) fn of(candidate: &Candidate, reason: String) -> Self {
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
