//! The fuzzer of one target, which `STANCH_FUZZ` names; see `run`. One program for all of them links once.
#![no_main]

mod bodies;
#[path = "../../src/dice.rs"]
mod dice;

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;

static TARGET: LazyLock<fn(&[u8])> = LazyLock::new(|| {
    let name = std::env::var("STANCH_FUZZ").expect("STANCH_FUZZ names a target of tests/fuzz/bodies");
    let target = bodies::TARGETS.iter().find(|(known, _)| *known == name);
    target.unwrap_or_else(|| panic!("there is no target {name}")).1
});

fuzz_target!(|bytes: &[u8]| TARGET(bytes));
