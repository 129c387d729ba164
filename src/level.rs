//! Severity and confidence: how bad a secret is and how sure it is.

use std::fmt;

/// How bad a live secret of this kind is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
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
