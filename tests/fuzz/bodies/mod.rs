//! What is fuzzed, by name. The fuzzer runs these on bytes that it makes up, and `cargo test` on every input that lies in
//! testdata/fuzz: seeds, and what once ended in a crash.

mod baseline;
mod cache;
mod config;
mod decode;
mod derived;
mod diff;
mod git_index;
mod gitleaks;
mod ignore;
mod import;
mod message;
mod objects;
mod pack;
mod pack_delta;
mod pack_history;
mod pack_index;
mod prefilter;
mod records;
mod report;
mod rules;
mod shape;
mod text;
mod ways;

/// A name, and what is done with the bytes. It panics where something does not hold.
pub type Target = (&'static str, fn(&[u8]));

/// All of them.
pub const TARGETS: [Target; 22] = [
    ("baseline", baseline::run),
    ("cache", cache::run),
    ("config", config::run),
    ("decode", decode::run),
    ("derived", derived::run),
    ("diff", diff::run),
    ("git_index", git_index::run),
    ("gitleaks", gitleaks::run),
    ("ignore", ignore::run),
    ("import", import::run),
    ("message", message::run),
    ("objects", objects::run),
    ("pack_delta", pack_delta::run),
    ("pack_history", pack_history::run),
    ("pack_index", pack_index::run),
    ("prefilter", prefilter::run),
    ("records", records::run),
    ("report", report::run),
    ("rules", rules::run),
    ("shape", shape::run),
    ("text", text::run),
    ("ways", ways::run),
];
