//! The built-in rules: every one finds random values of its own shape where such values stand.

use rayon::prelude::*;
use stanch::filter::file_kind::FileKind;
use stanch::filter::{self, Verdict, proof};
use stanch::matcher::{Matcher, Scratch};
use stanch::rule::schema::{RuleFile, RuleKind};
use stanch::rule::shape::Shape;
use stanch::rule::{Rule, RuleSet, template};

use crate::surroundings::{self, Name, random, sample};

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

/// What a finding is called: its first letter is the vendor's or the sentence's, and no word stands there twice.
#[test]
fn descriptions_spell_names_as_their_owners_do() {
    // A small letter before two large ones is an acronym that lost its first, but for these names.
    let is_broken = |word: &str| {
        let mut letters = word.chars();
        let starts = [letters.next(), letters.next(), letters.next()].map(Option::unwrap_or_default);
        let large = |letter: char| letter.is_ascii_uppercase();
        starts[0].is_ascii_lowercase()
            && large(starts[1])
            && large(starts[2])
            && !["xAI", "sSMTP"].contains(&word)
    };
    let wrong: Vec<String> = RuleSet::builtin()
        .rules()
        .iter()
        .filter(|rule| {
            let words: Vec<&str> = rule.description.split_whitespace().collect();
            let is_twice = words.windows(2).any(|pair| pair[0].eq_ignore_ascii_case(pair[1]));
            words.is_empty() || is_twice || words.iter().any(|word| is_broken(word))
        })
        .map(|rule| format!("{}: {}", rule.id, rule.description))
        .collect();
    assert_eq!(wrong, Vec::<String>::new());
}

/// One value of each rule in each surrounding, beside a word of the rule; the measurement `formats` of
/// `tests/bench` tries a hundred, and every word.
#[test]
fn every_rule_finds_values_of_its_shape() {
    let matcher = Matcher::new(RuleSet::builtin());
    let rules: Vec<&Rule> =
        matcher.rules().rules().iter().filter(|rule| !rule.shape.is_empty() && !rule.public).collect();
    let counts: Vec<(usize, usize, usize)> = rules
        .par_iter()
        .enumerate()
        .map_init(Scratch::default, |scratch, (index, rule)| in_surroundings(&matcher, scratch, index, rule))
        .collect();
    let silent: Vec<&str> = counts
        .iter()
        .zip(&rules)
        .filter(|((_, found, _), _)| *found == 0)
        .map(|(_, rule)| &*rule.id)
        .collect();
    assert!(silent.is_empty(), "rules that find nothing: {silent:?}");
    let sum = counts.iter().fold((0, 0, 0), |sum, next| (sum.0 + next.0, sum.1 + next.1, sum.2 + next.2));
    assert!(sum.1 * 100 >= sum.0 * 99, "found {} of {}", sum.1, sum.0);
    assert!(sum.2 * 100 >= sum.0 * 99, "attributed {} of {}", sum.2, sum.0);
}

/// How many values were tried, found, and blamed on the right provider.
fn in_surroundings(
    matcher: &Matcher,
    scratch: &mut Scratch,
    index: usize,
    rule: &Rule,
) -> (usize, usize, usize) {
    let mut random = random(index as u64 + 7);
    let shape = Shape::parse(&rule.shape).expect("built-in shapes are checked");
    let words: Vec<&String> = rule
        .names
        .iter()
        .chain(&rule.keywords)
        .filter(|word| word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte)))
        .collect();
    // A piece of a file, with quotes and line ends of its own, stands in no other.
    let alone = rule.shape.contains("\\\"") || rule.shape.contains("EOL") && rule.kind != RuleKind::Keyed;
    let (mut all, mut found, mut right) = (0, 0, 0);
    for (number, surrounding) in surroundings::ALL.iter().enumerate() {
        let name = match words.get(number % words.len().max(1)) {
            _ if alone => {
                Name::verbatim(rule.keywords.get(number % rule.keywords.len().max(1)).map_or("x", |w| w))
            }
            Some(word) => Name::holding(word, number),
            None => Name::neutral(number),
        };
        let surrounding = if alone { &surroundings::ALONE } else { surrounding };
        let (text, _) = surrounding.fill(&name, &sample(&shape, rule.checksum, &mut random));
        let kept = kept(matcher, scratch, &text);
        all += 1;
        found += usize::from(!kept.is_empty());
        right += usize::from(kept.iter().any(|kept| kept.provider == rule.provider));
    }
    (all, found, right)
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
        let is_exact = rule.max_bytes == Some(rule.min_bytes) && rule.kind != RuleKind::Block;
        // Classes of punctuation hold what the misses put at the end.
        let is_open = ["DOTTED", "PRINT", "PASSCH", "TEXT"].iter().any(|class| rule.shape.contains(class));
        if !is_exact || is_open || rule.shape.contains(['<', '?', '|']) || rule.public {
            continue;
        }
        let shape = Shape::parse(&rule.shape).expect("built-in shapes are checked");
        let value = sample(&shape, rule.checksum, &mut random);
        if !value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte)) {
            continue;
        }
        let word = rule.names.first().or(rule.keywords.first()).map_or("value", |word| word);
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
    assert!(checked > 3500, "only {checked} near misses were tried");
}

/// The rules that the documentation of the notation shows load, and their examples hold.
#[test]
fn the_documented_rules_hold() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/rule/NOTATION.md");
    let text = std::fs::read_to_string(path).expect("the documentation");
    let blocks: Vec<&str> = text
        .split("```toml\n")
        .skip(1)
        .map(|block| block.split_once("```").expect("a block ends").0)
        .collect();
    let all = blocks.concat();
    let rules = RuleSet::empty().with_custom(&all, "NOTATION.md").expect("the rules load");
    let matcher = Matcher::new(rules);
    let mut random = random(41);
    let file: RuleFile = toml::from_str(&all).expect("it loaded");
    for entry in file.rule.iter().map(|entry| entry.get_ref()) {
        let shape = Shape::parse(entry.shape.as_deref().expect("a shape")).expect("it loaded");
        let mut is_found = |template: &str| {
            let text = template::expand(template, Some(&shape), &mut random).expect("a good template");
            let text = String::from_utf8(text).expect("samples are ASCII");
            kept(&matcher, &mut Scratch::default(), &text).iter().any(|rule| rule.id == entry.id)
        };
        entry.examples.iter().for_each(|example| assert!(is_found(example), "{}: {example}", entry.id));
        entry.counterexamples.iter().for_each(|text| assert!(!is_found(text), "{}: {text}", entry.id));
    }
    assert!(blocks.len() >= 3, "the documentation shows rules");
}

/// Every class of the notation is in its documentation, and no other.
#[test]
fn the_documented_classes_exist() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/rule/NOTATION.md");
    let text = std::fs::read_to_string(path).expect("the documentation");
    let table = text.split("# Classes").nth(1).and_then(|rest| rest.split("\n# ").next()).expect("a table");
    let rows = table.lines().filter(|line| line.starts_with("| `"));
    let names: Vec<&str> = rows
        .flat_map(|row| row.split('|').nth(1).expect("a cell").split(','))
        .map(|name| name.trim().trim_matches('`'))
        .collect();
    assert!(names.len() > 25, "the table lists them");
    for name in names {
        assert!(stanch::rule::shape::ByteSet::named(name).is_some(), "no class {name}");
    }
}
