//! Wires source, matcher and filters.

/// Matches that filters dropped, by filter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Suppressed {
    /// By a marker in the text.
    pub inline: u64,
    /// By an allowlist.
    pub allowlist: u64,
    /// By `min_severity` or `min_confidence`.
    pub below_threshold: u64,
}
