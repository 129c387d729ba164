//! Rules of kind `path`: files that are secrets by their name, whatever is in them.

use std::sync::OnceLock;

use bstr::{BStr, ByteSlice};
use globset::{Glob, GlobBuilder, GlobMatcher};

use super::RuleSet;

/// The patterns of all path rules.
///
/// A hook looks at three paths, and compiling all patterns for them took half of its time. So each pattern is
/// compiled when a path first ends as it does.
#[derive(Debug)]
pub(crate) struct PathRules {
    patterns: Vec<Pattern>,
}

#[derive(Debug)]
struct Pattern {
    text: String,
    /// Every path that fits ends with it, in some case.
    tail: Vec<u8>,
    /// And holds this.
    part: Vec<u8>,
    matcher: OnceLock<GlobMatcher>,
    /// Index of the rule.
    rule: usize,
}

impl PathRules {
    /// Takes the patterns of a rule set.
    pub(crate) fn new(rules: &RuleSet) -> Self {
        let pattern = |(text, rule): (&str, usize)| {
            let (tail, part) = (tail(text), longest_part(text));
            Pattern { text: text.to_owned(), tail, part, matcher: OnceLock::new(), rule }
        };
        Self { patterns: rules.path_patterns().into_iter().map(pattern).collect() }
    }

    /// The index of the first rule that the path fits.
    pub(crate) fn rule_for(&self, path: &BStr) -> Option<usize> {
        self.patterns.iter().find(|pattern| pattern.fits(path)).map(|pattern| pattern.rule)
    }
}

impl Pattern {
    fn fits(&self, path: &BStr) -> bool {
        let end = path.len().checked_sub(self.tail.len()).map(|start| &path[start..]);
        let holds_part = || {
            let mut windows = path.windows(self.part.len().max(1));
            self.part.is_empty() || windows.any(|window| window.eq_ignore_ascii_case(&self.part))
        };
        end.is_some_and(|end| end.eq_ignore_ascii_case(&self.tail)) && holds_part() && {
            let compile =
                || glob(&self.text).expect("built-in patterns are tested, custom ones checked when loaded");
            self.matcher.get_or_init(|| compile().compile_matcher()).is_match(path.to_path_lossy())
        }
    }
}

/// What stands behind the last special character of a pattern, without a leading slash: `**/a/b` fits `a/b`.
fn tail(pattern: &str) -> Vec<u8> {
    let tail = pattern.rsplit(is_special).next().unwrap_or_default();
    tail.trim_start_matches('/').as_bytes().to_vec()
}

/// The longest part of a pattern that stands for itself; none where brackets could hold a part of it.
fn longest_part(pattern: &str) -> Vec<u8> {
    if pattern.contains(['[', '{', '\\']) {
        return Vec::new();
    }
    let parts = pattern.split(is_special).map(|part| part.trim_matches('/'));
    parts.max_by_key(|part| part.len()).unwrap_or_default().as_bytes().to_vec()
}

fn is_special(character: char) -> bool {
    "*?[]{}!\\".contains(character)
}

/// A pattern as .gitignore reads it: without a slash it names a file in any directory. Case does not matter,
/// since it does not on the systems that many of these files come from.
pub(super) fn glob(pattern: &str) -> Result<Glob, globset::Error> {
    let anywhere = if pattern.contains('/') { pattern.to_owned() } else { format!("**/{pattern}") };
    GlobBuilder::new(&anywhere).literal_separator(true).case_insensitive(true).build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_are_secrets_are_told_by_their_names() {
        let rules = RuleSet::builtin();
        let paths = PathRules::new(&rules);
        let id = |path: &str| paths.rule_for(path.into()).map(|rule| rules.rules()[rule].id.as_str());
        for (path, expected) in [
            ("id_rsa", Some("ssh-private-key-file")),
            ("home/me/.ssh/id_ed25519", Some("ssh-private-key-file")),
            ("certs/Server.P12", Some("pkcs12-key-store-file")),
            ("home/.aws/credentials", Some("aws-credentials-file")),
            ("docs/credentials", None),
            ("id_rsa.pub", None),
            ("src/main.rs", None),
            ("prod.TFSTATE.2.backup", Some("terraform-state-file")),
            (".docker/config.json", Some("docker-config-file")),
            ("docker/config.json", None),
            ("a/UTC--2024-01-01--0a1b", Some("ethereum-keystore-path")),
        ] {
            assert_eq!(id(path), expected, "{path}");
        }
    }

    /// The tail is a shortcut: every path that a pattern fits ends with it.
    #[test]
    fn the_tail_hides_no_path() {
        let rules = RuleSet::builtin();
        for (pattern, _) in rules.path_patterns() {
            for filled in ["x", "X-1.y"] {
                let path = pattern.replace("**/", "").replace("**", filled).replace('*', filled);
                for path in [path.clone(), format!("a/b/{path}"), path.to_uppercase()] {
                    assert!(glob(pattern).unwrap().compile_matcher().is_match(&path), "{pattern} {path}");
                    let lower = path.to_ascii_lowercase();
                    assert!(lower.as_bytes().ends_with(&tail(pattern).to_ascii_lowercase()));
                    let part = longest_part(pattern).to_ascii_lowercase();
                    assert!(memchr::memmem::find(lower.as_bytes(), &part).is_some(), "{pattern}");
                }
            }
        }
        for (pattern, end) in
            [("*.p12", ".p12"), ("**/a/b", "a/b"), ("x[0-9]", ""), ("a/**", ""), ("id", "id")]
        {
            assert_eq!(tail(pattern), end.as_bytes(), "{pattern}");
        }
    }
}
