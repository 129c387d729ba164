//! One file for each command.

pub mod baseline;
pub mod check;
#[cfg(feature = "verify")]
pub mod clickup;
pub mod config;
pub mod definitions;
pub mod explain;
pub mod hook;
pub mod plan;
pub mod receipt;
pub mod record;
pub mod report;
#[cfg(feature = "verify")]
pub mod rotate;
pub mod rules;
pub mod scan;
#[cfg(feature = "verify")]
pub mod verify;
