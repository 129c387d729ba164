//! Runs the real binary on real repositories made with the real git.

mod reports;
mod check;
mod support;
