//! stanch finds secrets in git repositories before they leave.
//!
//! This library is the engine; the binary parses the command line, calls it and prints. The engine itself
//! prints nothing, reads no clock, starts no process and never touches the network; `verify`, which asks issuers
//! whether a secret is live, is a room of its own that nothing else enters, and the feature `verify` leaves it out.
//!
//! # The way through the house
//!
//! ```text
//! source ─► ContentUnit ─► matcher ─► filter ─► Finding ─► report
//! ```
//!
//! - [`source`] yields bytes and where they came from: the working tree, the index, the history, standard
//!   input. It says what it read and what it could not read ([`coverage::Coverage`]); it knows no rules.
//! - [`git`] is the only room that names git2. It reads: nothing in a repository is written or run. The one file
//!   that a scan writes there is the cache of a history, and only on request ([`source::history::Options`]).
//! - [`rule`] holds what to look for. Rules are data in the notation of [`rule::shape`], translated at build
//!   time.
//! - [`matcher`] runs rules over bytes: a prefilter for literals, then the steps of one shape, or one expression,
//!   at one place. [`decode`] shows it base64, escapes and the like as they read when decoded.
//! - [`filter`] gives a verdict with a reason: placeholders, entropy, score, inline markers, allowlists.
//! - [`baseline`] knows the findings that are accepted, by their fingerprints.
//! - [`scanner`] wires these together in parallel and returns an [`scanner::Outcome`].
//! - [`explain`] runs the same steps for one place and tells what each of them decided.
//! - [`rule_test`] tries the rules of a file on their own examples.
//! - [`finding`], [`coverage`], [`location`], [`secret`], [`fingerprint`], [`span`] and [`level`] are plain values.
//! - [`progress`] counts while a run goes on; the engine never shows it.
//! - [`derived`] says which bytes of a text were copied from another, so that only the rest is searched.
//! - [`report`] turns findings into bytes; it opens no file.
//! - [`hygiene`] asks git's own rules whether secret files are ignored, and manages the hook.
//! - [`residue`] looks for a known value, such as one that was rotated away.
//! - `verify` asks issuers whether secrets are live; the feature of that name brings it.
//! - [`plan`] says what to do about what was found in the history, [`receipt`] what a run examined, and [`audit_log`]
//!   keeps a record of runs and decisions.
//! - [`config`] finds and reads `.stanch.toml`.
//!
//! # In a few lines
//!
//! ```
//! use stanch::report::{Document, Json, Mode, Report, Reporter};
//! use stanch::rule::RuleSet;
//! use stanch::scanner::{Policy, Scanner};
//! use stanch::source::stdin::Stdin;
//!
//! // No token stands whole in a file of this repository.
//! let text = format!("first line\nkey = pk_{}_{}\n", "48151623", "A7Q2Z9K4M1X8C5V3B6N0L2J4H7G9F1D8");
//! let scanner = Scanner::new(RuleSet::builtin(), Policy::default());
//! let outcome = scanner.scan(&Stdin::new(text.as_bytes(), Some("conf/app.env".into())), 1);
//! assert!(outcome.coverage.problems.is_empty(), "everything was read");
//! assert_eq!(outcome.findings[0].location.start.line, 2);
//!
//! let report = Report::new(Mode::Stdin, &outcome.findings, &outcome.coverage, &outcome.suppressed);
//! let mut json = Vec::new();
//! Json.write(&Document::new(&report), &mut json)?;
//! assert!(!String::from_utf8_lossy(&json).contains("A7Q2Z9K4"), "a report is redacted");
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! # What never happens
//!
//! - An error never becomes "clean": it is a [`coverage::Problem`], and exit code 2.
//! - A [`secret::Secret`] never shows its bytes in `Debug` or `Display`.
//! - A source never sees a rule, the matcher never sees a path, a report never sees a repository.

#![deny(missing_docs)]

pub mod audit_log;
pub mod baseline;
mod blocks;
pub mod config;
pub mod coverage;
pub mod decode;
pub mod derived;
#[cfg(test)]
mod dice;
pub mod explain;
pub mod filter;
pub mod finding;
pub mod fingerprint;
pub mod git;
pub mod hygiene;
pub mod level;
pub mod location;
pub mod matcher;
mod pairing;
pub mod plan;
pub mod progress;
pub mod receipt;
pub mod report;
pub mod residue;
pub mod rule;
pub mod rule_test;
pub mod scanner;
pub mod secret;
pub mod source;
pub mod span;
#[cfg(feature = "verify")]
pub mod verify;
