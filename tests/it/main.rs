//! Runs the real binary on real repositories made with the real git.

mod catalogue;
mod check;
mod history;
mod install;
mod reports;
mod staged;
mod support;
