//! Rules of kind `path`: files that are secrets by their name, whatever is in them.

use bstr::{BStr, ByteSlice};
use globset::{Glob, GlobBuilder, GlobSet, GlobSetBuilder};

use super::RuleSet;

/// The patterns of all path rules, compiled.
#[derive(Debug)]
pub(crate) struct PathRules {
    patterns: GlobSet,
    /// For each pattern the index of its rule.
    rules: Vec<usize>,
}

impl PathRules {
    /// Compiles the patterns of a rule set.
    pub(crate) fn new(rules: &RuleSet) -> Self {
        let mut builder = GlobSetBuilder::new();
        let mut indexes = Vec::new();
        for (pattern, rule) in rules.path_patterns() {
            builder
                .add(glob(pattern).expect("built-in patterns are tested, custom ones checked when loaded"));
            indexes.push(rule);
        }
        let patterns = builder.build().expect("each pattern compiles by itself");
        Self { patterns, rules: indexes }
    }

    /// The index of the first rule that the path fits.
    pub(crate) fn rule_for(&self, path: &BStr) -> Option<usize> {
        let fitting = self.patterns.matches(path.to_path_lossy());
        fitting.first().map(|&pattern| self.rules[pattern])
    }
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
        ] {
            assert_eq!(id(path), expected, "{path}");
        }
    }
}
