//! Runs the real binary on real repositories made with the real git.

mod architecture;
mod cache;
mod catalogue;
mod check;
mod cli;
mod clickup;
mod config;
mod contexts;
mod exit_codes;
mod explain;
mod history;
mod hook;
mod install;
mod modes;
mod packs;
mod pairs;
mod progress;
mod proof;
mod reports;
mod rule_files;
mod secret_files;
mod staged;
mod support;
mod suppression;
mod surroundings;
mod worktree;
