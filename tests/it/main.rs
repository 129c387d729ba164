//! Runs the real binary on real repositories made with the real git.

mod check;
mod cli;
mod config;
mod exit_codes;
mod reports;
mod support;
mod suppression;
