//! stanch finds secrets in git repositories before they leave.

#![deny(missing_docs)]

pub mod finding;
pub mod fingerprint;
pub mod git;
pub mod hygiene;
pub mod location;
pub mod secret;
pub mod source;
pub mod span;
