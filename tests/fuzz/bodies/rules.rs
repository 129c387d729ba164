//! Rule files: rules that search, or an error.

use stanch::matcher::{Matcher, Scratch};
use stanch::rule::RuleSet;

pub fn run(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    if let Ok(rules) = RuleSet::empty().with_custom(text, "fuzz.toml") {
        let matcher = Matcher::new(rules);
        let _ = matcher.find(text.as_bytes(), &mut Scratch::default(), &mut Vec::new());
    }
}
