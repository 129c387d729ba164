//! One file for each command.

pub mod check;
pub mod explain;
pub mod hook;
pub mod plan;
pub mod receipt;
pub mod record;
pub mod report;
pub mod rules;
pub mod scan;
