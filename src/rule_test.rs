//! Tries the rules of a file: their examples, random values of their shapes, and near misses of those.
//!
//! What the built-in rules have to pass in the project's own tests, for rules of a user's own.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::explain::{Decision, Explanation, MatchRecord, Request, explain};
use crate::filter::proof;
use crate::level::{Confidence, Severity};
use crate::rule::paths::PathRules;
use crate::rule::schema::{RuleEntry, RuleFile, RuleKind, RuleSpec};
use crate::rule::shape::Shape;
use crate::rule::{RuleFileError, RuleSet, template};
use crate::scanner::{Policy, Scanner};
use crate::source::stdin::Stdin;

/// Random values of a shape that are tried.
const SAMPLES: u64 = 20;
/// So many of them must be found: chance makes a dummy such as a sequence now and then.
const LEAST_FOUND: u64 = 18;

/// What came of one rule. It is also the JSON form.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Tried {
    /// Id of the rule.
    pub rule: String,
    /// Line of the file at which it starts.
    pub line: usize,
    /// Examples tried.
    pub examples: u64,
    /// Counterexamples tried.
    pub counterexamples: u64,
    /// Random values of the shape tried.
    pub samples: u64,
    /// Texts tried that nearly have the shape.
    pub near_misses: u64,
    /// What does not hold.
    pub failures: Vec<String>,
    /// What the author should know.
    pub notes: Vec<String>,
}

/// Tries every rule of a file with the name `origin`.
///
/// # Errors
///
/// When the text is no rule file, or a rule is wrong or has neither a shape nor examples.
pub fn try_rules(text: &str, origin: &str) -> Result<Vec<Tried>, RuleFileError> {
    let alone = scanner(RuleSet::empty().with_custom(text, origin)?);
    let together = scanner(RuleSet::builtin().with_custom(text, origin)?);
    let file: RuleFile = toml::from_str(text).expect("it was read a moment ago");
    let mut tried = Vec::new();
    for entry in &file.rule {
        let line = text[..entry.span().start].matches('\n').count() + 1;
        let entry = entry.get_ref();
        let wrong = |message: String| RuleFileError::Rule {
            origin: origin.to_owned(),
            line,
            id: entry.id.clone(),
            message,
        };
        if entry.shape.is_none() && entry.examples.is_empty() && entry.kind != RuleKind::Path {
            return Err(wrong("missing examples: only a shape makes its own; add `examples`".to_owned()));
        }
        let shape = entry.shape.as_deref().map(Shape::parse).transpose();
        let shape = shape.map_err(|error| wrong(format!("`shape`: {error}")))?;
        let rule = alone.rules().get(&entry.id).expect("it is a rule of the file");
        let mut trial = Trial {
            alone: &alone,
            together: &together,
            rule: rule.spec(),
            shape,
            state: 0x9E37_79B9_7F4A_7C15 ^ line as u64 | 1,
            taken_by: BTreeSet::new(),
            tried: Tried { rule: entry.id.clone(), line, ..Tried::default() },
        };
        trial.run(entry).map_err(|error| wrong(error.to_string()))?;
        tried.push(trial.tried);
    }
    Ok(tried)
}

/// Everything is reported that the filters keep.
fn scanner(rules: RuleSet) -> Scanner {
    let policy = Policy {
        min_severity: Severity::Info,
        min_confidence: Some(Confidence::Low),
        inline_allow: false,
        ..Policy::default()
    };
    Scanner::new(rules, policy)
}

struct Trial<'t> {
    /// The rules of the file.
    alone: &'t Scanner,
    /// The same and the built-in ones.
    together: &'t Scanner,
    rule: &'t RuleSpec,
    shape: Option<Shape>,
    state: u64,
    /// Built-in rules that take the place of the rule.
    taken_by: BTreeSet<String>,
    tried: Tried,
}

impl Trial<'_> {
    fn run(&mut self, entry: &RuleEntry) -> Result<(), template::TemplateError> {
        if self.rule.kind == RuleKind::Path {
            self.file_names(entry);
            return Ok(());
        }
        for (index, example) in entry.examples.iter().enumerate() {
            let text = self.expand(example)?;
            self.tried.examples += 1;
            match self.found(&text) {
                Ok(1) => {}
                Ok(number) => self.fail(format!("example {} holds {number} matches, not one", index + 1)),
                Err(why) => self.fail(format!("example {} holds no match: {why}", index + 1)),
            }
        }
        for (index, counterexample) in entry.counterexamples.iter().enumerate() {
            let text = self.expand(counterexample)?;
            self.tried.counterexamples += 1;
            if self.found(&text).is_ok() {
                self.fail(format!("counterexample {} holds a match", index + 1));
            }
        }
        if self.shape.is_some() {
            self.samples();
            self.near_misses();
        }
        for id in std::mem::take(&mut self.taken_by) {
            let note = format!("beside the built-in rules `{id}` takes its place for some values");
            self.tried.notes.push(note);
        }
        Ok(())
    }

    /// For a rule of file names the examples are such names.
    fn file_names(&mut self, entry: &RuleEntry) {
        let paths = PathRules::new(self.alone.rules());
        let rules = self.alone.rules().rules();
        let fits =
            |path: &str| paths.rule_for(path.into()).is_some_and(|rule| rules[rule].id == self.rule.id);
        let failed: Vec<String> = (entry.examples.iter().enumerate())
            .filter(|(_, path)| !fits(path))
            .map(|(index, _)| format!("example {} fits none of the patterns", index + 1))
            .chain(
                (entry.counterexamples.iter().enumerate())
                    .filter(|(_, path)| fits(path))
                    .map(|(index, _)| format!("counterexample {} fits a pattern", index + 1)),
            )
            .collect();
        self.tried.failures.extend(failed);
        self.tried.examples = entry.examples.len() as u64;
        self.tried.counterexamples = entry.counterexamples.len() as u64;
        if entry.examples.is_empty() {
            self.tried.notes.push("no examples: give names of files that must fit".to_owned());
        }
    }

    fn samples(&mut self) {
        let mut missed = 0;
        let mut reason = String::new();
        for (index, _) in (0..SAMPLES).enumerate() {
            let value = self.sample();
            let text = self.around(index, &value);
            if let Err(why) = self.found(&text) {
                missed += 1;
                reason = why;
            }
        }
        self.tried.samples = SAMPLES;
        if SAMPLES - missed < LEAST_FOUND {
            self.fail(format!("{missed} of {SAMPLES} random values of the shape are not found: {reason}"));
        }
    }

    /// One byte less, another byte at the end, a longer word round it: nothing of this rule, where the length of
    /// its values is fixed and each of their bytes could belong to a word.
    fn near_misses(&mut self) {
        let rule = self.rule;
        let is_exact = rule.max_bytes == Some(rule.min_bytes);
        if !is_exact || rule.shape.contains(['<', '?', '|']) {
            return;
        }
        let value = self.sample();
        if !value.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_') {
            return;
        }
        let short = &value[..value.len() - 1];
        let misses = [
            ("one byte less", short.to_vec()),
            ("a `~` for the last byte", [short, b"~"].concat()),
            ("a letter before it", [b"x", &value[..]].concat()),
            ("a letter behind it", [&value[..], b"x"].concat()),
        ];
        for (what, miss) in misses {
            let text = self.around(0, &miss);
            self.tried.near_misses += 1;
            if self.found(&text).is_ok() {
                self.fail(format!("a value with {what} is found too"));
            }
        }
    }

    /// How many matches of the rule in the text are findings, or why none is.
    fn found(&mut self, text: &[u8]) -> Result<usize, String> {
        let explained = explained(self.alone, &self.rule.id, text);
        let reported = matches(&explained).filter(|found| found.decision == Decision::Reported).count();
        if reported == 0 {
            return Err(why_not(&explained));
        }
        let beside = explained_places(self.together, &self.rule.id, text);
        self.taken_by.extend(beside);
        Ok(reported)
    }

    fn fail(&mut self, failure: String) {
        self.tried.failures.push(failure);
    }

    /// A random value, with the checksum that its issuer would have given it.
    fn sample(&mut self) -> Vec<u8> {
        let Self { shape, state, rule, .. } = self;
        let value =
            shape.as_ref().map_or_else(Vec::new, |shape| shape.sample(&mut |bound| next(state, bound)));
        rule.checksum.map_or_else(|| value.clone(), |method| proof::seal(method, &value))
    }

    fn expand(&mut self, example: &str) -> Result<Vec<u8>, template::TemplateError> {
        let Self { shape, state, .. } = self;
        template::expand(example, shape.as_ref(), &mut |bound| next(state, bound))
    }

    /// The value where such values stand: assigned to a name that holds one of the keywords.
    fn around(&self, index: usize, value: &[u8]) -> Vec<u8> {
        let keywords = &self.rule.keywords;
        let word = keywords.get(index % keywords.len().max(1)).map_or("value", String::as_str);
        [b"first line\n", word.as_bytes(), b": \"", value, b"\"\nlast line\n"].concat()
    }
}

/// A number below the bound, the same in every run (xorshift).
fn next(state: &mut u64, bound: usize) -> usize {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    (*state >> 33) as usize % bound
}

fn explained(scanner: &Scanner, id: &str, text: &[u8]) -> Explanation {
    let rules = [id.to_owned()];
    let request = Request { rules: &rules, ..Request::default() };
    explain(scanner, &Stdin::new(text, None), &request)
}

fn matches(explanation: &Explanation) -> impl Iterator<Item = &MatchRecord> {
    explanation.lines.iter().flat_map(|line| &line.rules).flat_map(|rule| &rule.matches)
}

/// The rules that take the place of this one somewhere in the text.
fn explained_places(scanner: &Scanner, id: &str, text: &[u8]) -> Vec<String> {
    let explanation = explained(scanner, id, text);
    let takers: Vec<String> =
        matches(&explanation).filter_map(|found| found.took_its_place.clone()).collect();
    takers.into_iter().filter(|taker| taker != id).collect()
}

fn why_not(explanation: &Explanation) -> String {
    let looks = || explanation.lines.iter().flat_map(|line| &line.rules).flat_map(|rule| &rule.looks);
    let near = || looks().filter(|look| look.is_near).chain(looks()).flat_map(|look| &look.misses);
    let dropped = matches(explanation).map(|found| found.reason.clone()).next();
    dropped
        .or_else(|| near().next().cloned())
        .or_else(|| explanation.silent_rules.first().cloned())
        .unwrap_or_else(|| "nothing fits it".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "[[rule]]\nid = \"acme-key\"\ndescription = \"Acme key\"\nseverity = \"high\"\n";

    fn tried(tail: &str) -> Tried {
        try_rules(&format!("{HEAD}{tail}\n"), "rules.toml").unwrap().remove(0)
    }

    #[test]
    fn a_good_rule_holds() {
        let rule = "kind = \"prefixed\"\nshape = '\"acme_\" ALNUM{32}'\n";
        let result =
            tried(&format!("{rule}examples = ['key={{secret}};']\ncounterexamples = ['acme_short']"));
        assert_eq!(result.failures, Vec::<String>::new());
        assert_eq!(
            (result.examples, result.counterexamples, result.samples, result.near_misses),
            (1, 1, SAMPLES, 4)
        );
        let keyed = tried("kind = \"keyed\"\nshape = 'LOWER_HEX{32}'\nkeywords = [\"acmecorp\"]");
        assert_eq!(keyed.failures, Vec::<String>::new());
        let regex = "kind = \"keyed\"\nregex = 'AC[0-9]{9}'\nkeywords = [\"acmecorp\"]\n";
        let regex = tried(&format!("{regex}examples = ['acmecorp: AC{{DIGIT:9}}']"));
        assert_eq!((regex.failures, regex.samples), (Vec::new(), 0));
    }

    #[test]
    fn what_does_not_hold_is_said_with_the_reason() {
        let rule = "kind = \"prefixed\"\nshape = '\"acme_\" ALNUM{32}'\n";
        for (tail, reason) in [
            ("examples = ['{secret} {secret}']", "example 1 holds 2 matches"),
            ("examples = ['acme_xyz']", "example 1 holds no match: nothing within reach fits"),
            ("examples = ['z{secret}']", "a letter stands directly before"),
            ("examples = ['key = 1']", "none of its literals `acme_` stands here"),
            ("counterexamples = ['{secret}']", "counterexample 1 holds a match"),
        ] {
            let failures = tried(&format!("{rule}{tail}")).failures;
            assert!(failures.len() == 1 && failures[0].contains(reason), "{tail}: {failures:?}");
        }
        let dummies =
            tried("kind = \"prefixed\"\nshape = '\"acme_\" (\"xxxxxxxxxxxxxxxxxxxxxxxx\")'").failures;
        assert!(dummies[0].starts_with("20 of 20 random values of the shape are not found: "), "{dummies:?}");
    }

    #[test]
    fn rules_without_a_shape_need_examples() {
        for tail in [
            "kind = \"keyed\"\nregex = 'AC[0-9]{9}'\nkeywords = [\"acme\"]",
            "kind = \"generic\"\nkeywords = [\"acme\"]",
        ] {
            let error = try_rules(&format!("\n{HEAD}{tail}\n"), "rules.toml").unwrap_err().to_string();
            assert!(error.starts_with("rules.toml:2: rule `acme-key`: missing examples"), "{error}");
        }
    }

    #[test]
    fn file_names_are_examples_of_path_rules() {
        let path = "kind = \"path\"\npaths = [\"*.acme\"]\n";
        let result =
            tried(&format!("{path}examples = [\"a/b.acme\", \"acme\"]\ncounterexamples = [\"x.acme\"]"));
        assert_eq!(
            result.failures,
            ["example 2 fits none of the patterns", "counterexample 1 fits a pattern"]
        );
    }

    #[test]
    fn a_built_in_rule_that_takes_the_place_is_named() {
        let text = HEAD.to_owned()
            + "kind = \"keyed\"\nconfidence = \"low\"\nshape = '\"pk_\" DIGIT{8} \"_\" UPPER_ALNUM{32}'\nkeywords = [\"clickup\"]\n";
        let tried = try_rules(&text, "rules.toml").unwrap().remove(0);
        assert!(tried.notes.iter().any(|note| note.contains("clickup-personal-token")), "{tried:?}");
    }
}
