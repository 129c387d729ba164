//! What a configuration of gitleaks says beside its expressions: allowlists with conditions and targets, paths of
//! rules, and rules that count only together.
//!
//! Source: the chapter "Configuration" of the README of gitleaks.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bstr::{BStr, ByteSlice};
use regex::bytes::{Regex, RegexSet};

/// Everything, by the ids of rules.
#[derive(Debug, Default)]
pub struct Lists {
    /// Allowlists for every rule.
    pub everywhere: Vec<Arc<List>>,
    /// What belongs to one rule.
    pub rules: BTreeMap<String, OfRule>,
}

/// What belongs to one rule.
#[derive(Debug, Default)]
pub struct OfRule {
    /// The rule looks only at files whose path this expression finds something in.
    pub path: Option<Regex>,
    /// Whether such a path is a finding by itself: there is no expression for the content.
    pub is_about_names: bool,
    /// Allowlists; one that applies suffices.
    pub allow: Vec<Arc<List>>,
    /// Rules that must have a match too.
    pub required: Vec<Required>,
    /// Whether its matches are never findings, but only wanted by other rules.
    pub is_silent: bool,
}

/// Another rule that must have a match, and how near.
#[derive(Clone, Debug)]
pub struct Required {
    /// Ids, one of which must match.
    pub rules: Vec<String>,
    /// Lines apart, at most, from start to start.
    pub within_lines: Option<u64>,
    /// Columns apart, at most, from start to start.
    pub within_columns: Option<u64>,
}

/// An allowlist.
#[derive(Debug, Default)]
pub struct List {
    /// Why, and where it is written.
    pub written_at: String,
    /// Whether every kind of criterion that it has must be met, or one suffices.
    pub all: bool,
    /// Full names of commits, lower case.
    pub commits: Vec<String>,
    /// Expressions for paths; `None` without any.
    pub paths: Option<RegexSet>,
    /// Expressions for what `target` says; `None` without any.
    pub regexes: Option<RegexSet>,
    /// What the expressions look at.
    pub target: Target,
    /// Words in a secret, lower case.
    pub stopwords: Vec<String>,
    /// How many matches it has accepted.
    pub uses: AtomicU64,
}

/// What the expressions of an allowlist look at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Target {
    /// The secret.
    #[default]
    Secret,
    /// Everything that the rule's expression matched.
    Match,
    /// The lines of the match.
    Line,
}

/// A match, as far as the text tells: the path of a blob is found later, and the text is gone by then.
#[derive(Clone, Copy, Debug)]
pub struct Texts<'t> {
    /// The secret.
    pub secret: &'t [u8],
    /// Everything that the rule's expression matched.
    pub matched: &'t [u8],
    /// The lines on which that stands.
    pub lines: &'t [u8],
}

/// What the criteria of each list that concerns a rule say of the text of a match, in the order of the lists.
#[derive(Clone, Debug, Default)]
pub struct Judged(Vec<TextCriteria>);

#[derive(Clone, Copy, Debug)]
struct TextCriteria {
    regexes: bool,
    stopwords: bool,
}

impl Lists {
    /// Judges the text of a match of the rule.
    pub fn judge(&self, rule: &str, texts: &Texts<'_>) -> Judged {
        Judged(self.of(rule).map(|list| list.judge(texts)).collect())
    }

    /// The list that accepts a match; counts its use.
    pub fn accepts(
        &self,
        rule: &str,
        judged: &Judged,
        path: Option<&BStr>,
        commit: Option<&str>,
    ) -> Option<&List> {
        let nothing = TextCriteria { regexes: false, stopwords: false };
        // What has no text, such as the name of a file, meets no criterion of texts.
        let texts = judged.0.iter().copied().chain(std::iter::repeat(nothing));
        let (list, _) = self.of(rule).zip(texts).find(|(list, texts)| list.accepts(*texts, path, commit))?;
        list.uses.fetch_add(1, Ordering::Relaxed);
        Some(list)
    }

    /// Whether the rule looks at files of that path. A path that is not known yet keeps none out.
    pub fn looks_at(&self, rule: &str, path: Option<&BStr>) -> bool {
        match (self.rules.get(rule).and_then(|of| of.path.as_ref()), path) {
            (Some(wanted), Some(path)) => wanted.is_match(path.as_bytes()),
            _ => true,
        }
    }

    /// The rules to which the path is a finding by itself.
    pub fn named_by<'l>(&'l self, path: &'l BStr) -> impl Iterator<Item = &'l str> + 'l {
        let by_name = self.rules.iter().filter(|(_, of)| of.is_about_names);
        by_name.filter(|(id, _)| self.looks_at(id, Some(path))).map(|(id, _)| id.as_str())
    }

    /// Every list that concerns the rule.
    fn of(&self, rule: &str) -> impl Iterator<Item = &Arc<List>> {
        self.everywhere.iter().chain(self.rules.get(rule).into_iter().flat_map(|of| &of.allow))
    }
}

impl List {
    fn judge(&self, texts: &Texts<'_>) -> TextCriteria {
        let target = match self.target {
            Target::Secret => texts.secret,
            Target::Match => texts.matched,
            Target::Line => texts.lines,
        };
        let lower = || texts.secret.to_ascii_lowercase();
        TextCriteria {
            regexes: !target.is_empty() && self.regexes.as_ref().is_some_and(|set| set.is_match(target)),
            stopwords: !self.stopwords.is_empty() && {
                let secret = lower();
                self.stopwords.iter().any(|word| secret.contains_str(word))
            },
        }
    }

    fn accepts(&self, texts: TextCriteria, path: Option<&BStr>, commit: Option<&str>) -> bool {
        let criteria = [
            (!self.commits.is_empty())
                .then(|| commit.is_some_and(|id| self.commits.iter().any(|one| one == id))),
            self.paths.as_ref().map(|set| path.is_some_and(|path| set.is_match(path.as_bytes()))),
            self.regexes.as_ref().map(|_| texts.regexes),
            (!self.stopwords.is_empty()).then_some(texts.stopwords),
        ];
        let mut given = criteria.into_iter().flatten();
        match self.all {
            true => given.all(|met| met),
            false => given.any(|met| met),
        }
    }
}

impl Required {
    /// Whether a match that starts at `other` is near enough to one that starts at `one`; lines and columns from 1.
    pub fn is_near(&self, one: (u64, u64), other: (u64, u64)) -> bool {
        self.within_lines.is_none_or(|most| one.0.abs_diff(other.0) <= most)
            && self.within_columns.is_none_or(|most| one.1.abs_diff(other.1) <= most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(all: bool, target: Target) -> List {
        let set = |text: &str| Some(RegexSet::new([text]).unwrap());
        List {
            written_at: String::new(),
            all,
            commits: vec!["ab".repeat(20)],
            paths: set("^tests/"),
            regexes: set("^dummy"),
            target,
            stopwords: vec!["sample".to_owned()],
            uses: AtomicU64::new(0),
        }
    }

    #[test]
    fn one_criterion_or_all() {
        let commit = "ab".repeat(20);
        for (secret, path, commit, any, all) in [
            ("dummy", "src/a", "", true, false),
            ("xdummy", "src/a", "", false, false),
            ("my-SAMPLE", "src/a", "", true, false),
            ("x", "tests/a", "", true, false),
            ("x", "a", commit.as_str(), true, false),
            ("dummy-sample", "tests/a", commit.as_str(), true, true),
            ("dummy-sample", "tests/a", "", true, false),
        ] {
            for (is_all, expected) in [(false, any), (true, all)] {
                let lists = Lists {
                    everywhere: vec![Arc::new(list(is_all, Target::Secret))],
                    rules: BTreeMap::new(),
                };
                let texts = Texts { secret: secret.as_bytes(), matched: b"", lines: b"" };
                let judged = lists.judge("r", &texts);
                let accepted = lists.accepts("r", &judged, Some(path.into()), Some(commit)).is_some();
                assert_eq!(accepted, expected, "{secret} {path} {is_all}");
            }
        }
    }

    #[test]
    fn the_target_says_what_expressions_look_at() {
        let texts = Texts { secret: b"s", matched: b"dummy=s", lines: b"x dummy=s" };
        for (target, expected) in [(Target::Secret, false), (Target::Match, true), (Target::Line, false)] {
            let mut list = list(false, target);
            list.stopwords.clear();
            assert_eq!(list.judge(&texts).regexes, expected, "{target:?}");
        }
    }

    #[test]
    fn a_rule_looks_where_its_path_says_and_names_what_it_is_about() {
        let of = |path: Option<&str>, is_about_names| OfRule {
            path: path.map(|path| Regex::new(path).unwrap()),
            is_about_names,
            ..OfRule::default()
        };
        let rules = [
            ("anywhere", of(None, false)),
            ("content", of(Some("[.]env$"), false)),
            ("key", of(Some("[.]pem$"), true)),
            ("store", of(Some("[.](pem|jks)$"), true)),
        ];
        let rules = rules.into_iter().map(|(id, of)| (id.to_owned(), of)).collect();
        let lists = Lists { everywhere: Vec::new(), rules };
        for (rule, path, looks) in [
            ("anywhere", Some("a.txt"), true),
            ("unknown", Some("a.txt"), true),
            ("content", Some("app/.env"), true),
            ("content", Some("app/.envrc"), false),
            ("content", None, true),
        ] {
            assert_eq!(lists.looks_at(rule, path.map(BStr::new)), looks, "{rule} {path:?}");
        }
        for (path, named) in [("a.pem", &["key", "store"][..]), ("a.jks", &["store"]), ("a.env", &[])] {
            assert_eq!(lists.named_by(path.into()).collect::<Vec<_>>(), named, "{path}");
        }
    }

    #[test]
    fn lists_of_the_rule_count_after_those_for_all_and_say_how_often() {
        let mut own = list(false, Target::Line);
        own.written_at = "own".to_owned();
        let mut common = list(true, Target::Secret);
        common.written_at = "common".to_owned();
        let of = OfRule { allow: vec![Arc::new(own)], ..OfRule::default() };
        let lists =
            Lists { everywhere: vec![Arc::new(common)], rules: BTreeMap::from([("r".to_owned(), of)]) };
        let accepts = |rule: &str, secret: &str, line: &str, path: &str, commit: Option<&str>| {
            let texts = Texts { secret: secret.as_bytes(), matched: b"", lines: line.as_bytes() };
            let judged = lists.judge(rule, &texts);
            lists.accepts(rule, &judged, Some(path.into()), commit).map(|list| list.written_at.as_str())
        };
        let commit = "ab".repeat(20);
        assert_eq!(accepts("r", "x", "dummy = x", "a", None), Some("own"));
        assert_eq!(accepts("r", "dummy-sample", "dummy", "tests/a", Some(&commit)), Some("common"));
        assert_eq!(accepts("other", "x", "dummy = x", "a", None), None);
        assert_eq!(accepts("r", "x", "", "a", None), None);
        let uses = |list: &Arc<List>| list.uses.load(Ordering::Relaxed);
        assert_eq!((uses(&lists.everywhere[0]), uses(&lists.rules["r"].allow[0])), (1, 1));
        // The name of a file has no text, and a path of its own.
        let named = lists.accepts("r", &Judged::default(), Some("tests/a".into()), None);
        assert_eq!(named.map(|list| list.written_at.as_str()), Some("own"));
        assert!(lists.accepts("r", &Judged::default(), Some("a".into()), None).is_none());
    }

    #[test]
    fn nearness_is_measured_from_start_to_start() {
        let required = Required { rules: Vec::new(), within_lines: Some(2), within_columns: None };
        assert!(required.is_near((5, 1), (3, 90)) && !required.is_near((5, 1), (2, 1)));
        let required = Required { within_columns: Some(3), ..required };
        assert!(required.is_near((5, 4), (5, 1)) && !required.is_near((5, 5), (5, 1)));
    }
}
