//! A finding and what a report needs to know of the rule behind it.

use std::fmt;
use std::sync::Arc;

use crate::fingerprint::Fingerprint;
use crate::location::{Exposure, Location};
use crate::secret::Secret;

/// How bad a live secret of this kind is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Worth listing, no alarm: values that are meant to be seen.
    Info,
    /// Little harm by itself.
    Low,
    /// Harm in a limited scope.
    Medium,
    /// Access to data or systems.
    High,
    /// Full access of a user, an account or an organisation.
    Critical,
}

impl Severity {
    /// All values, least severe first.
    pub const ALL: [Severity; 5] =
        [Severity::Info, Severity::Low, Severity::Medium, Severity::High, Severity::Critical];

    /// The stable name used in rules, options and reports.
    pub fn name(self) -> &'static str {
        match self {
            Severity::Info => "info",
            Severity::Low => "low",
            Severity::Medium => "medium",
            Severity::High => "high",
            Severity::Critical => "critical",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How sure it is that the match is a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Confidence {
    /// Looks like one; the shape is loose or rests on few samples.
    Low,
    /// A loose shape in the right context, or a good score.
    Medium,
    /// A shape that nothing else has.
    High,
    /// Proven offline: a checksum is right, or a structure decodes.
    Proven,
}

impl Confidence {
    /// All values, least sure first.
    pub const ALL: [Confidence; 4] =
        [Confidence::Low, Confidence::Medium, Confidence::High, Confidence::Proven];

    /// The stable name used in rules, options and reports.
    pub fn name(self) -> &'static str {
        match self {
            Confidence::Low => "low",
            Confidence::Medium => "medium",
            Confidence::High => "high",
            Confidence::Proven => "proven",
        }
    }
}

impl fmt::Display for Confidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

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
}

impl Finding {
    /// The key that reports are sorted by: path, place, rule, then secret.
    pub fn sort_key(&self) -> (&Location, &str, &Secret) {
        (&self.location, &self.rule.id, &self.secret)
    }
}
