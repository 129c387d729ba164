//! Runs the real binary on real repositories made with the real git.

mod check;
mod reports;
mod staged;
mod support;
mod worktree;
