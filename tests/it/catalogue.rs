//! The built-in rules: every one finds random values of its own shape where such values stand.

use stanch::filter::file_kind::FileKind;
use stanch::filter::{self, Verdict, proof};
use stanch::matcher::{Matcher, Scratch};
use stanch::rule::schema::{RuleFile, RuleSpec};
use stanch::rule::shape::Shape;
use stanch::rule::{Rule, RuleSet, template};

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

/// A random value of the rule, with the checksum that its issuer would have given it.
fn sample(rule: &RuleSpec, shape: &Shape, random: &mut dyn FnMut(usize) -> usize) -> String {
    let value = shape.sample(random);
    let value = rule.checksum.map_or(value.clone(), |method| proof::seal(method, &value));
    String::from_utf8(value).expect("samples are ASCII")
}

/// The rules whose matches in the text are kept.
fn kept<'m>(matcher: &'m Matcher, scratch: &mut Scratch, text: &str) -> Vec<&'m Rule> {
    let mut found = Vec::new();
    assert!(matcher.find(text.as_bytes(), scratch, &mut found), "all of it was decoded");
    found
        .iter()
        .map(|found| (matcher.rule(found), found))
        .filter(|(rule, found)| {
            let verdict = filter::judge(rule, found.secret.reveal(), &found.context, FileKind::default());
            matches!(verdict, Verdict::Keep { .. })
        })
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
            let value = sample(rule, &shape, &mut random);
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

/// A wrong checksum is no match of the rule, though the rule finds the value.
#[test]
fn a_wrong_checksum_drops_the_match() {
    let matcher = Matcher::new(RuleSet::builtin());
    let mut scratch = Scratch::default();
    let mut random = random(31);
    let mut checked = 0;
    for rule in matcher.rules().rules() {
        let Some(method) = rule.checksum else { continue };
        let shape = Shape::parse(&rule.shape).expect("built-in shapes are checked");
        let value = shape.sample(&mut random);
        let sealed = proof::seal(method, &value);
        if value == sealed || proof::prove(method, &value, proof::now()) == proof::Proof::Silent {
            continue;
        }
        let word = rule.keywords.first().map_or("value", |word| word);
        let mut ids = |value: &[u8]| -> Vec<String> {
            let value = std::str::from_utf8(value).expect("samples are ASCII");
            let found = kept(&matcher, &mut scratch, &format!("{word} = \"{value}\"\n"));
            found.iter().map(|rule| rule.id.clone()).collect()
        };
        let (right, wrong) = (ids(&sealed), ids(&value));
        // A rule that says more of the same value may stand for it.
        assert!(!right.is_empty(), "{}: the right value is not found", rule.id);
        assert!(!wrong.contains(&rule.id), "{}: found with a wrong checksum", rule.id);
        checked += 1;
    }
    assert!(checked >= 30, "only {checked} rules have a checksum");
}

/// The examples of the rule files hold a match of their rule, the counterexamples none.
#[test]
fn written_examples_hold() {
    let matcher = Matcher::new(RuleSet::builtin());
    let mut scratch = Scratch::default();
    let mut random = random(11);
    let dir = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/rule/builtin");
    let mut checked = 0;
    for file in std::fs::read_dir(dir).expect("the rule files").map(|entry| entry.expect("an entry").path()) {
        if file.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        let text = std::fs::read_to_string(&file).expect("a rule file is text");
        let entries: RuleFile = toml::from_str(&text).expect("the build script read it");
        for entry in entries.rule.iter().map(|entry| entry.get_ref()) {
            let shape =
                entry.shape.as_deref().map(|shape| Shape::parse(shape).expect("checked by the build"));
            let mut found = |template: &str| {
                let text = template::expand(template, shape.as_ref(), &mut random).expect("a good template");
                let text = String::from_utf8(text).expect("samples are ASCII");
                kept(&matcher, &mut scratch, &text).iter().any(|rule| rule.id == entry.id)
            };
            for example in &entry.examples {
                assert!(found(example), "{}: nothing in the example {example}", entry.id);
            }
            for counterexample in &entry.counterexamples {
                assert!(!found(counterexample), "{}: found in {counterexample}", entry.id);
            }
            checked += entry.examples.len() + entry.counterexamples.len();
        }
    }
    assert!(checked >= 20, "the rule files hold examples");
}

/// One byte less, a byte of another class at the end, or a longer word round it: no match of that rule.
#[test]
fn near_misses_of_exact_shapes_are_none() {
    let matcher = Matcher::new(RuleSet::builtin());
    let mut scratch = Scratch::default();
    let mut random = random(23);
    let mut wrong = Vec::new();
    let mut checked = 0;
    for rule in matcher.rules().rules() {
        let is_exact = rule.max_bytes == Some(rule.min_bytes) && !rule.anchors.is_empty();
        if !is_exact || rule.regex.contains('|') || rule.shape.contains(['<', '?', '|']) {
            continue;
        }
        let shape = Shape::parse(&rule.shape).expect("built-in shapes are checked");
        let value = sample(rule, &shape, &mut random);
        if !value.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            continue;
        }
        let word = rule.keywords.first().map_or("value", |word| word);
        let short = &value[..value.len() - 1];
        for miss in [short.to_owned(), format!("{short}~"), format!("x{value}"), format!("{value}x")] {
            let found = kept(&matcher, &mut scratch, &format!("{word} = \"{miss}\"\n"));
            if found.iter().any(|found| found.id == rule.id) {
                wrong.push(rule.id.clone());
            }
            checked += 1;
        }
    }
    assert!(wrong.is_empty(), "found in near misses: {wrong:?}");
    assert!(checked > 400, "only {checked} near misses were tried");
}
