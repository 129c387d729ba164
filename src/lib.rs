//! stanch finds secrets in git repositories before they leave.

#![deny(missing_docs)]

pub mod config;
pub mod decode;
pub mod filter;
pub mod finding;
pub mod fingerprint;
pub mod git;
pub mod hygiene;
pub mod level;
pub mod location;
pub mod matcher;
pub mod report;
pub mod rule;
pub mod scanner;
pub mod secret;
pub mod source;
pub mod span;
