//! Runs the real binary on real repositories made with the real git.

mod check;
mod hook;
mod install;
mod reports;
mod support;
