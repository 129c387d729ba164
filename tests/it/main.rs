//! Runs the real binary on real repositories made with the real git.

mod architecture;
mod catalogue;
mod check;
mod cli;
mod clickup;
mod config;
mod exit_codes;
mod history;
mod hook;
mod install;
mod modes;
mod packs;
mod reports;
mod staged;
mod support;
mod suppression;
mod worktree;
