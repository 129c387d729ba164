//! Filters give a verdict on a match, with a reason.

pub mod allowlist;
pub mod inline;
