//! A finding and what a report needs to know of the rule behind it.

use std::sync::Arc;

use crate::fingerprint::Fingerprint;
pub use crate::level::{Confidence, Severity};
use crate::location::{Exposure, Location};
use crate::secret::Secret;

/// What a report says about a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleInfo {
    /// Stable name, kebab-case, provider first.
    pub id: String,
    /// Who issues the credential; empty for a rule that belongs to nobody.
    pub provider: String,
    /// One line: what it is and why it is bad.
    pub description: String,
    /// Severity of a live value.
    pub severity: Severity,
    /// How to turn it off, if known.
    pub revoke: Option<String>,
    /// The page that describes the format, if known.
    pub reference: Option<String>,
}

/// The line of a finding, every secret in it already redacted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Excerpt {
    /// Text of the line: valid UTF-8, secret redacted, long lines shortened with `…`.
    /// May still hold control characters; a reporter for terminals escapes them.
    pub text: String,
    /// Byte range of the redacted secret in `text`.
    pub secret: std::ops::Range<usize>,
}

/// A match that survived every filter.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The rule that matched.
    pub rule: Arc<RuleInfo>,
    /// How sure it is.
    pub confidence: Confidence,
    /// Why the confidence is what it is, in a few words; never holds the secret.
    pub reason: String,
    /// Where it is.
    pub location: Location,
    /// The captured bytes, redacted unless revealed by name.
    pub secret: Secret,
    /// Identity across runs, line moves and file moves.
    pub fingerprint: Fingerprint,
    /// The line it stands on.
    pub excerpt: Excerpt,
    /// In the history: commits, authors, refs.
    pub exposure: Option<Exposure>,
    /// The other parts of a credential that has several, by place.
    pub parts: Vec<Part>,
}

/// Another part of a credential: the id that goes with a secret key.
#[derive(Clone, Debug)]
pub struct Part {
    /// The rule that matched.
    pub rule: Arc<RuleInfo>,
    /// Where it is.
    pub location: Location,
    /// The captured bytes, redacted unless revealed by name.
    pub secret: Secret,
    /// Identity of this part.
    pub fingerprint: Fingerprint,
    /// The line it stands on.
    pub excerpt: Excerpt,
}

impl Finding {
    /// The key that reports are sorted by: path, place, rule, then secret.
    pub fn sort_key(&self) -> (&Location, &str, &Secret) {
        (&self.location, &self.rule.id, &self.secret)
    }
}
