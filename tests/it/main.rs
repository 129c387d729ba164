//! Runs the real binary on real repositories made with the real git.

mod action;
mod architecture;
mod audit;
mod baseline;
mod cache;
mod catalogue;
mod check;
mod check_items;
mod cli;
mod clickup;
#[cfg(feature = "verify")]
mod clickup_health;
mod config;
mod contexts;
mod definitions;
#[path = "../../src/dice.rs"]
mod dice;
mod exit_codes;
mod explain;
// What it loads into the binary is built by the compiler of the machine.
#[cfg(all(target_os = "linux", target_env = "gnu", target_pointer_width = "64"))]
mod faults;
mod fuzz_inputs;
mod gates;
mod gitleaks;
mod history;
mod hook;
#[cfg(unix)]
mod hostile;
mod install;
mod line_ends;
mod modes;
mod names;
mod packs;
mod pairs;
mod plan;
mod progress;
mod proof;
mod receipt;
mod reports;
mod reports_command;
mod reports_schema;
#[cfg(feature = "verify")]
mod rotate;
mod rule_files;
mod secret_files;
mod security;
#[cfg(feature = "verify")]
mod server;
mod staged;
mod support;
mod suppression;
mod surroundings;
#[cfg(feature = "verify")]
mod verify;
#[cfg(target_os = "linux")]
mod wild;
mod worktree;
