//! A match on its way to a finding.

use std::sync::Arc;

use bstr::BString;

use super::note::Sight;
use crate::decode::Layer;
use crate::filter::foreign;
use crate::finding::{Excerpt, RuleInfo};
use crate::level::Confidence;
use crate::location::{Exposure, Location, ObjectId, Origin};
use crate::matcher::{Context, Match};
use crate::secret::Secret;
use crate::source::Spot;

/// A match that passed every filter that looks at the text alone.
#[derive(Clone, Debug)]
pub(crate) struct Candidate {
    pub(crate) rule: Arc<RuleInfo>,
    pub(crate) confidence: Confidence,
    pub(crate) reason: String,
    pub(crate) location: Location,
    pub(super) secret: Secret,
    pub(super) excerpt: Excerpt,
    pub(super) evidence: Evidence,
    /// What allowlists of another scanner say of its text.
    pub(super) texts: foreign::Judged,
    /// Whether it is a finding of its own, and not only shown as a part of one.
    pub(super) counts: bool,
    /// Whether the secret is what stands at its place, byte by byte.
    pub(super) is_verbatim: bool,
    /// Whether it is known from an earlier run, and its line is not.
    pub(super) is_recalled: bool,
}

impl Candidate {
    /// The same in another object, of which the line is not at hand.
    pub(super) fn at(&self, origin: &Origin, sight: &Sight) -> Self {
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
    pub(super) fn object(&self) -> Option<ObjectId> {
        match self.location.origin {
            Origin::Blob(id) | Origin::CommitMessage(id) | Origin::TagMessage(id) => Some(id),
            Origin::File | Origin::Staged | Origin::Stdin => None,
        }
    }

    /// Where a secret stands that is found there again as long as the rules are the same.
    pub(super) fn spot(&self) -> Option<Spot> {
        let is_told = self.is_verbatim && self.secret.len_bytes() > 0;
        let object = self.object().filter(|_| is_told)?;
        Some(Spot { object, rule: self.evidence.rule, span: self.location.span })
    }

    pub(super) fn sort_key(&self) -> (&Location, &str) {
        (&self.location, &self.rule.id)
    }
}

/// What a verdict rests on besides the secret, kept because the path of a blob is found after the blob was
/// searched.
#[derive(Clone, Debug)]
pub(super) struct Evidence {
    /// Index of the rule.
    pub(super) rule: usize,
    pub(super) context: Context,
    pub(super) layers: Vec<Layer>,
}

impl Evidence {
    pub(super) fn of(found: &Match) -> Self {
        Self { rule: found.rule, context: found.context.clone(), layers: found.layers.clone() }
    }
}

/// A candidate that has its path.
#[derive(Debug)]
pub(super) struct Placed {
    pub(super) candidate: Candidate,
    pub(super) exposure: Option<Exposure>,
}
