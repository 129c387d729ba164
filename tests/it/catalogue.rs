//! The built-in rules: every one finds random values of its own shape where such values stand.

use stanch::filter::{self, Verdict};
use stanch::matcher::{Matcher, Scratch};
use stanch::rule::shape::Shape;
use stanch::rule::{Rule, RuleSet};

/// Samples of each rule.
const SAMPLES: usize = 10;

/// Numbers below a bound, the same in every run.
fn random(seed: u64) -> impl FnMut(usize) -> usize {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    move |bound| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 33) as usize % bound
    }
}

/// The rules whose matches in the text are kept.
fn kept<'m>(matcher: &'m Matcher, scratch: &mut Scratch, text: &str) -> Vec<&'m Rule> {
    let mut found = Vec::new();
    assert!(matcher.find(text.as_bytes(), scratch, &mut found), "all of it was decoded");
    found
        .iter()
        .map(|found| (matcher.rule(found), found))
        .filter(|(rule, found)| matches!(filter::judge(rule, found), Verdict::Keep { .. }))
        .map(|(rule, _)| rule)
        .collect()
}

#[test]
fn every_rule_finds_values_of_its_shape() {
    let matcher = Matcher::new(RuleSet::builtin());
    let mut scratch = Scratch::default();
    let mut random = random(7);
    let (mut all, mut any, mut same_provider) = (0, 0, 0);
    let mut silent = Vec::new();
    for rule in matcher.rules().rules().iter().filter(|rule| !rule.shape.is_empty() && !rule.public) {
        let shape = Shape::parse(&rule.shape).expect("built-in shapes are checked");
        let mut hits = 0;
        for index in 0..SAMPLES {
            let value = String::from_utf8(shape.sample(&mut random)).expect("samples are ASCII");
            let word = rule.keywords.get(index % rule.keywords.len().max(1)).map_or("value", |word| word);
            let found =
                kept(&matcher, &mut scratch, &format!("first line\n{word}: \"{value}\"\nlast line\n"));
            hits += usize::from(!found.is_empty());
            same_provider += usize::from(found.iter().any(|found| found.provider == rule.provider));
        }
        all += SAMPLES;
        any += hits;
        if hits == 0 {
            silent.push(rule.id.clone());
        }
    }
    assert!(silent.is_empty(), "rules that find nothing: {silent:?}");
    assert!(any * 1000 >= all * 990, "found {any} of {all}");
    assert!(same_provider * 100 >= all * 97, "attributed {same_provider} of {all}");
}
