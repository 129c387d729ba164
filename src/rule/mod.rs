//! Rules: what to look for. They are data, see [`schema`] for their form and [`shape`] for the notation.

pub(crate) mod paths;
pub mod request;
pub mod schema;
pub mod shape;
pub mod template;

use std::ops::Deref;
use std::sync::{Arc, OnceLock};

use regex::bytes::Regex;

use crate::finding::RuleInfo;
use request::Request;
use schema::{RuleEntry, RuleFile, RuleSpec, Trigger};
use shape::{ByteSet, LEAD_BYTES, Shape, Steps};

mod builtin;
mod grams;

/// One rule. A built-in one is decoded when somebody first looks at it, and its regular expression compiled
/// when a candidate first asks for it.
#[derive(Debug)]
pub struct Rule {
    source: RuleSource,
    spec: OnceLock<Box<RuleSpec>>,
    regex: OnceLock<Regex>,
    steps: OnceLock<Option<Box<Steps>>>,
    lead: OnceLock<Box<[ByteSet; LEAD_BYTES]>>,
    info: OnceLock<Arc<RuleInfo>>,
    /// Of a custom rule; those of the catalogue lie apart.
    request: Option<Box<Request>>,
}

#[derive(Clone, Copy, Debug)]
enum RuleSource {
    /// Number in the catalogue.
    Builtin(u32),
    Custom,
}

/// The most memory that one rule's compiled expression may take.
const REGEX_SIZE_LIMIT_BYTES: usize = 16 << 20;

impl Rule {
    fn builtin(number: u32) -> Self {
        let source = RuleSource::Builtin(number);
        Self::new(source, OnceLock::new(), None)
    }

    fn custom(spec: RuleSpec, request: Option<Request>) -> Self {
        let spec = OnceLock::from(Box::new(spec));
        Self::new(RuleSource::Custom, spec, request.map(Box::new))
    }

    fn new(source: RuleSource, spec: OnceLock<Box<RuleSpec>>, request: Option<Box<Request>>) -> Self {
        let (regex, steps) = (OnceLock::new(), OnceLock::new());
        Self { source, spec, regex, steps, lead: OnceLock::new(), info: OnceLock::new(), request }
    }

    /// How to ask the issuer whether a value is live, if the rule says so.
    pub fn request(&self) -> Option<&Request> {
        /// Sorted by the number of the rule.
        static REQUESTS: OnceLock<Vec<(u32, Request)>> = OnceLock::new();
        match self.source {
            RuleSource::Custom => self.request.as_deref(),
            RuleSource::Builtin(number) => {
                let requests = REQUESTS.get_or_init(builtin::requests);
                let place = requests.binary_search_by_key(&number, |(number, _)| *number).ok()?;
                Some(&requests[place].1)
            }
        }
    }

    /// Whether the rule is one of the catalogue, and not of a configuration that may have come with the
    /// scanned repository.
    pub fn is_builtin(&self) -> bool {
        matches!(self.source, RuleSource::Builtin(_))
    }

    /// Everything about the rule.
    pub fn spec(&self) -> &RuleSpec {
        self.spec.get_or_init(|| match self.source {
            RuleSource::Builtin(number) => Box::new(builtin::rule(number)),
            RuleSource::Custom => unreachable!("a custom rule has its specification from the start"),
        })
    }

    /// What reports say about the rule.
    pub fn info(&self) -> &Arc<RuleInfo> {
        self.info.get_or_init(|| {
            Arc::new(RuleInfo {
                id: self.id.clone(),
                provider: self.provider.clone(),
                description: self.description.clone(),
                severity: self.severity,
                revoke: self.revoke.clone().or_else(|| self.default_revoke()),
                reference: self.reference.clone(),
            })
        })
    }

    /// What to do where the rule states no fact: true of every credential, if less of a help.
    fn default_revoke(&self) -> Option<String> {
        let owner = if self.provider.is_empty() { "its issuer" } else { &self.provider };
        (!self.public).then(|| format!("Revoke it in the settings of {owner} and issue a new one"))
    }

    /// The compiled expression of a rule that has one.
    pub(crate) fn regex(&self) -> &Regex {
        self.regex.get_or_init(|| {
            compile(&self.regex_text())
                .expect("built-in expressions are tested, custom ones checked when loaded")
        })
    }

    /// The steps of a shape, if it has some: they find what the expression does and are made in a fraction of the time.
    pub(crate) fn steps(&self) -> Option<&Steps> {
        let new = || Some(Box::new(Shape::parse(&self.shape).ok()?.steps(self.ignore_case)?));
        self.steps.get_or_init(new).as_deref()
    }

    /// What the first bytes of a match can be; all, if there is no shape to tell.
    pub(crate) fn lead(&self) -> &[ByteSet; LEAD_BYTES] {
        self.lead.get_or_init(|| {
            let shape = Shape::parse(&self.spec().shape).ok();
            Box::new(shape.map_or([ByteSet::ALL; LEAD_BYTES], |shape| shape.lead()))
        })
    }

    /// Where the first stretch starts in which a text could hold a match, by the bytes of which matches are made: if there
    /// is none, the expression need not even be compiled, which takes a hook longer than everything else.
    pub(crate) fn first_run(&self, text: &[u8]) -> Option<usize> {
        let spec = self.spec();
        let (fewest, fits) = (spec.min_bytes as usize, |byte: &u8| spec.alphabet.contains(*byte));
        // A run of so many bytes covers one of every so many, so most texts are passed over in great steps.
        let step = fewest.max(1);
        let mut at = step - 1;
        while let Some(byte) = text.get(at) {
            if fits(byte) {
                let before = text[..at].iter().rev().take(fewest).take_while(|byte| fits(byte)).count();
                let after = text[at..].iter().take(fewest).take_while(|byte| fits(byte)).count();
                if before + after >= fewest {
                    return Some(at - before);
                }
                at += after;
            }
            at += step;
        }
        None
    }

    /// Whether a literal says where a match can start.
    pub(crate) fn is_tied(&self) -> bool {
        !self.spec().anchors.is_empty()
    }

    /// The expression of a tied rule gives up at once when it does not fit at the start of its window; else it would
    /// look for a match in the rest of the window too, which nobody asked for.
    fn regex_text(&self) -> String {
        let spec = self.spec();
        if self.is_tied() { format!(r"\A(?:{})", spec.regex) } else { spec.regex.clone() }
    }
}

impl Deref for Rule {
    type Target = RuleSpec;

    fn deref(&self) -> &RuleSpec {
        self.spec()
    }
}

fn compile(text: &str) -> Result<Regex, regex::Error> {
    regex::bytes::RegexBuilder::new(text).size_limit(REGEX_SIZE_LIMIT_BYTES).build()
}

/// The rules of a run.
#[derive(Debug)]
pub struct RuleSet {
    rules: Vec<Rule>,
}

/// Why a rule file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RuleFileError {
    /// It is no TOML, or a key is unknown, missing or of the wrong type.
    #[error("{origin}:{line}: {message}")]
    Toml {
        /// Name of the file.
        origin: String,
        /// Line of the error, 1-based.
        line: usize,
        /// What the reader says, with line and column.
        message: String,
    },
    /// A rule is wrong.
    #[error("{origin}:{line}: rule `{id}`: {message}")]
    Rule {
        /// Name of the file.
        origin: String,
        /// Line at which the rule starts, 1-based.
        line: usize,
        /// Id of the rule as written.
        id: String,
        /// Which key is wrong and why.
        message: String,
    },
}

impl RuleSet {
    /// The built-in rules.
    pub fn builtin() -> Self {
        Self { rules: (0..builtin::count()).map(Rule::builtin).collect() }
    }

    /// No rules; add some with [`RuleSet::with_custom`].
    pub fn empty() -> Self {
        Self { rules: Vec::new() }
    }

    /// Adds the rules of a file. A rule with the id of a built-in one takes its place.
    ///
    /// # Errors
    ///
    /// When the text is no rule file or a rule in it is wrong; nothing is added then.
    pub fn with_custom(mut self, text: &str, origin: &str) -> Result<Self, RuleFileError> {
        let file: RuleFile = toml::from_str(text).map_err(|error| {
            // The long form of the error quotes the line, and a line of a rule file may hold a secret.
            let before = &text[..error.span().map_or(0, |span| span.start)];
            RuleFileError::Toml {
                origin: origin.to_owned(),
                line: before.matches('\n').count() + 1,
                message: error.message().to_owned(),
            }
        })?;
        let mut added: Vec<Rule> = Vec::new();
        for entry in &file.rule {
            let line = text[..entry.span().start].matches('\n').count() + 1;
            let entry = entry.get_ref();
            let wrong = |message| RuleFileError::Rule {
                origin: origin.to_owned(),
                line,
                id: entry.id.clone(),
                message,
            };
            if added.iter().any(|rule| rule.id == entry.id) {
                return Err(wrong("another rule of this file has the same id".to_owned()));
            }
            added.push(custom(entry).map_err(wrong)?);
        }
        self.rules.retain(|rule| added.iter().all(|new| new.id != rule.id));
        self.rules.extend(added);
        for entry in &file.rule {
            let (at, entry) = (entry.span().start, entry.get_ref());
            if let Some(pair) = &entry.pair
                && self.get(&pair.with).is_none()
            {
                return Err(RuleFileError::Rule {
                    origin: origin.to_owned(),
                    line: text[..at].matches('\n').count() + 1,
                    id: entry.id.clone(),
                    message: format!("`pair`: there is no rule `{}`", pair.with),
                });
            }
        }
        Ok(self)
    }

    /// Adds rules that are translated already. One with the id of another takes its place.
    ///
    /// # Errors
    ///
    /// The place in the list of the first whose expression does not compile, and why.
    pub fn with_specs(mut self, specs: Vec<RuleSpec>) -> Result<Self, (usize, String)> {
        let ready = |(index, spec): (usize, RuleSpec)| ready(spec, None).map_err(|message| (index, message));
        let added: Vec<Rule> = specs.into_iter().enumerate().map(ready).collect::<Result<_, _>>()?;
        self.rules.retain(|rule| added.iter().all(|new| new.id != rule.id));
        self.rules.extend(added);
        Ok(self)
    }

    /// Keeps the rules that `keep` says yes to.
    #[must_use]
    pub fn retain(mut self, keep: impl Fn(&RuleSpec) -> bool) -> Self {
        self.rules.retain(|rule| keep(rule.spec()));
        self
    }

    /// The rules, built-in ones first.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// Whether these are the built-in rules, all of them and nothing else.
    pub(crate) fn is_catalogue(&self) -> bool {
        let is_in_place =
            |(number, rule): (u32, &Rule)| matches!(rule.source, RuleSource::Builtin(n) if n == number);
        self.rules.len() == builtin::count() as usize && (0..).zip(&self.rules).all(is_in_place)
    }

    /// The literals that send the matcher to the rules, by the index of the rule.
    pub(crate) fn triggers(&self) -> Vec<Trigger<'_>> {
        let index_of_builtin = self.index_of_builtin();
        // In the place of the list itself: new memory costs the hook more than the work in it.
        let builtin = builtin::triggers().into_iter().filter_map(|trigger| {
            index_of_builtin[trigger.rule as usize].map(|rule| Trigger { rule: rule as u32, ..trigger })
        });
        let builtin: Vec<Trigger<'_>> = builtin.collect();
        let mut triggers: Vec<Trigger<'_>> =
            self.custom().flat_map(|(index, rule)| rule.triggers(index as u32)).collect();
        if triggers.is_empty() {
            return builtin;
        }
        triggers.extend(builtin);
        triggers
    }

    /// The patterns of file names, each with the index of its rule.
    pub(crate) fn path_patterns(&self) -> Vec<(&str, usize)> {
        let index_of_builtin = self.index_of_builtin();
        let mut patterns: Vec<(&str, usize)> = self
            .custom()
            .flat_map(|(index, rule)| rule.paths.iter().map(move |pattern| (pattern.as_str(), index)))
            .collect();
        patterns.extend(
            builtin::paths().into_iter().filter_map(|(pattern, number)| {
                index_of_builtin[number as usize].map(|index| (pattern, index))
            }),
        );
        patterns
    }

    /// For each rule of the catalogue its index in this set, if it is in it.
    fn index_of_builtin(&self) -> Vec<Option<usize>> {
        let mut indexes = vec![None; builtin::count() as usize];
        for (index, rule) in self.rules.iter().enumerate() {
            if let RuleSource::Builtin(number) = rule.source {
                indexes[number as usize] = Some(index);
            }
        }
        indexes
    }

    fn custom(&self) -> impl Iterator<Item = (usize, &Rule)> {
        self.rules.iter().enumerate().filter(|(_, rule)| matches!(rule.source, RuleSource::Custom))
    }

    /// The indexes of rules that look at whole texts; only a user's own can be such.
    pub(crate) fn looking_at_everything(&self) -> Vec<usize> {
        self.custom().filter(|(_, rule)| rule.looks_at_everything()).map(|(index, _)| index).collect()
    }

    /// Hands out bytes that are the same for equal sets of rules alone.
    pub(crate) fn feed(&self, take: &mut dyn FnMut(&[u8])) {
        builtin::feed(take);
        for rule in &self.rules {
            match rule.source {
                RuleSource::Builtin(number) => take(&number.to_le_bytes()),
                RuleSource::Custom => {
                    let bytes = postcard::to_allocvec(rule.spec()).expect("a rule is plain data");
                    // Behind a number that no rule of the catalogue has.
                    take(&u32::MAX.to_le_bytes());
                    take(&(bytes.len() as u64).to_le_bytes());
                    take(&bytes);
                }
            }
        }
    }

    /// The rule of that id.
    pub fn get(&self, id: &str) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.id == id)
    }
}

/// Translates a user's rule and compiles its expression at once, so that an error names the rule.
fn custom(entry: &RuleEntry) -> Result<Rule, String> {
    let spec = entry.translate()?;
    for pattern in &spec.paths {
        paths::glob(pattern).map_err(|error| format!("`paths`: {error}"))?;
    }
    ready(spec, entry.verify.clone())
}

/// Compiles the expression of a rule at once.
fn ready(spec: RuleSpec, request: Option<Request>) -> Result<Rule, String> {
    let rule = Rule::custom(spec, request);
    if !rule.spec().regex.is_empty() {
        let regex = compile(&rule.regex_text()).map_err(|error| {
            // The long form draws the expression over several lines; its last line says what is wrong.
            let text = error.to_string();
            let last = text.lines().last().unwrap_or_default();
            format!("`regex`: {}", last.trim_start_matches("error: "))
        })?;
        if regex.is_match(b"") {
            return Err("`regex` matches the empty text".to_owned());
        }
        rule.regex.set(regex).expect("the rule is new");
    }
    Ok(rule)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dice::Dice;

    const GOOD: &str =
        "[[rule]]\nid = \"acme-key\"\ndescription = \"Acme key\"\nkind = \"prefixed\"\nseverity = \"high\"\n";

    #[track_caller]
    fn refused(text: &str) -> String {
        RuleSet::empty().with_custom(text, "rules.toml").unwrap_err().to_string()
    }

    #[test]
    fn every_builtin_expression_compiles_and_matches_no_empty_text() {
        let set = RuleSet::builtin();
        assert!(set.rules().len() > 1, "the catalogue is there");
        for rule in set.rules().iter().filter(|rule| !rule.spec().regex.is_empty()) {
            let regex = compile(&rule.regex_text()).unwrap_or_else(|error| panic!("{}: {error}", rule.id));
            assert!(!regex.is_match(b""), "{}", rule.id);
        }
    }

    #[test]
    fn what_an_expression_finds_may_match() {
        let mut dice = Dice::new(1);
        let mut below = |sides| dice.roll(sides);
        // A match starts in a stretch, and none before the first one.
        let may_match = |rule: &Rule, text: &[u8]| match rule.first_run(text) {
            Some(0) => true,
            Some(start) => rule.regex().find(text).is_none_or(|found| start <= found.start()),
            None => !rule.regex().is_match(text),
        };
        let set = RuleSet::builtin();
        let mut refused = 0;
        for rule in set.rules().iter().filter(|rule| !rule.shape.is_empty()) {
            let shape = shape::Shape::parse(&rule.shape).unwrap();
            let fewest = rule.min_bytes as usize;
            for _ in 0..8 {
                let sample = shape.sample(&mut below);
                let found = rule.regex().is_match(&sample);
                assert!(found && may_match(rule, &sample), "{}", rule.id);
                let swapped: Vec<u8> =
                    sample.iter().map(|byte| byte ^ (0x20 * u8::from(byte.is_ascii_alphabetic()))).collect();
                let inside = [&b"\x01\x02"[..], &sample, b"\x03"].concat();
                for text in [&swapped, &inside, &sample[1..].to_vec()] {
                    assert!(may_match(rule, text), "{}", rule.id);
                }
                let mut broken = sample[..fewest].to_vec();
                broken[below(fewest)] = 1;
                assert!(may_match(rule, &broken), "{}", rule.id);
                refused += usize::from(rule.first_run(&broken).is_none());
            }
        }
        assert!(refused > set.rules().len(), "{refused}: it refuses nothing");
    }

    #[test]
    fn bad_rules_are_refused_with_file_line_and_reason() {
        for (tail, reason) in [
            ("shape = '\"acme_\" ALNUM{20'", "rules.toml:1: rule `acme-key`: `shape`: expected `}`"),
            ("shape = 'ALNUM{20}'", "three bytes"),
            ("shape = '\"a\" ALNUM{20}'", "three bytes"),
            ("shape = '\"acme_\"?'", "empty text"),
            ("regex = 'acme_('", "`regex`"),
            ("regex = 'a*'", "empty text"),
            ("shape = '\"acme_\" ALNUM{20}'\nkeyword = []", "unknown field"),
            ("", "either `shape` or `regex`"),
        ] {
            let message = refused(&format!("{GOOD}{tail}\n"));
            assert!(message.contains(reason), "{tail}: {message}");
        }
        assert!(refused("[[rule]]\nid = 3").starts_with("rules.toml:2: "));
        let twice = format!("{GOOD}shape = '\"acme_\" ALNUM{{20}}'\n");
        assert!(refused(&format!("{twice}{twice}")).contains("rules.toml:7: rule `acme-key`: another rule"));
    }

    #[test]
    fn the_other_half_is_a_rule() {
        let set = RuleSet::builtin();
        for rule in set.rules() {
            if let Some(pair) = &rule.pair {
                assert!(set.get(&pair.with).is_some(), "{}: {}", rule.id, pair.with);
            }
        }
        let text = format!(
            "{GOOD}shape = '\"acme_\" ALNUM{{20}}'\npair = {{ with = \"acme-id\", within_bytes = 80 }}\n"
        );
        let message = refused(&text);
        assert!(
            message.contains("rules.toml:1: rule `acme-key`: `pair`: there is no rule `acme-id`"),
            "{message}"
        );
    }

    #[test]
    fn a_custom_rule_takes_the_place_of_a_builtin_one() {
        let builtin = RuleSet::builtin();
        let (id, count) = (builtin.rules()[0].id.clone(), builtin.rules().len());
        let text = format!("{}regex = 'acme_[a-z]{{9}}'\n", GOOD.replace("acme-key", &id));
        let set = builtin.with_custom(&text, "rules.toml").unwrap();
        assert_eq!(set.rules().len(), count);
        assert_eq!(set.get(&id).unwrap().info().description, "Acme key");
    }
}
