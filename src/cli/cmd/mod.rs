//! One file for each command.

pub mod baseline;
pub mod check;
pub mod config;
pub mod definitions;
pub mod explain;
pub mod hook;
pub mod plan;
pub mod receipt;
pub mod record;
pub mod report;
pub mod rules;
pub mod scan;
