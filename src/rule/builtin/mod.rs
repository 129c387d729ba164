//! The built-in catalogue as the build script translated it from the files beside this one.

use super::request::Request;
use super::schema::{RuleSpec, Trigger};

static RULES: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/rules.bin"));
static OFFSETS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/offsets.bin"));
static PATHS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/paths.bin"));
static REQUESTS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/requests.bin"));
static TRIGGERS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/triggers.bin"));

/// Number of rules.
pub(super) fn count() -> u32 {
    (OFFSETS.len() / 4 - 1) as u32
}

/// Hands out the whole catalogue as it is stored.
pub(super) fn feed(take: &mut dyn FnMut(&[u8])) {
    take(RULES);
    take(TRIGGERS);
}

/// Decodes one rule.
pub(super) fn rule(number: u32) -> RuleSpec {
    let offset = |index: u32| {
        let at = index as usize * 4;
        let bytes = OFFSETS[at..at + 4].try_into().expect("four bytes");
        u32::from_le_bytes(bytes) as usize
    };
    postcard::from_bytes(&RULES[offset(number)..offset(number + 1)]).expect("the build script wrote it")
}

/// How the rules ask whether a value is live, each with the number of its rule. Nothing else decodes them: a
/// scan never asks.
pub(super) fn requests() -> Vec<(u32, Request)> {
    postcard::from_bytes(REQUESTS).expect("the build script wrote it")
}

/// The literals that send the matcher to the rules, by the number of the rule.
pub(super) fn triggers() -> Vec<Trigger<'static>> {
    postcard::from_bytes(TRIGGERS).expect("the build script wrote it")
}

/// The patterns of file names, each with the number of its rule.
pub(super) fn paths() -> Vec<(&'static str, u32)> {
    postcard::from_bytes(PATHS).expect("the build script wrote it")
}
