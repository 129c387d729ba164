//! Rule files: rules that search, or an error.
#![no_main]

use libfuzzer_sys::fuzz_target;
use stanch::matcher::{Matcher, Scratch};
use stanch::rule::RuleSet;

fuzz_target!(|text: &str| {
    if let Ok(rules) = RuleSet::empty().with_custom(text, "fuzz.toml") {
        let matcher = Matcher::new(rules);
        let _ = matcher.find(text.as_bytes(), &mut Scratch::default(), &mut Vec::new());
    }
});
