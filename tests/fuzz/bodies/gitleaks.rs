//! Configuration of gitleaks: rules that search and lists that judge, or an error.

use std::path::Path;

use jiff::civil::date;
use stanch::config::Config;
use stanch::scanner::{Policy, Scanner};

pub fn run(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    match Config::parse(text, Path::new(".gitleaks.toml"), date(2030, 1, 1)) {
        Ok(config) => {
            let Ok(rules) = config.rule_set() else { return };
            let mut known: Vec<&str> = rules.rules().iter().map(|rule| rule.spec().id.as_str()).collect();
            known.sort_unstable();
            let _ = config.check_rule_ids(&known);
            let policy = Policy {
                allowlists: config.allow,
                foreign: config.gitleaks.map(|gitleaks| gitleaks.lists),
                ..Policy::default()
            };
            let outcome = Scanner::new(rules, policy).scan_bytes("a/b.txt".into(), bytes);
            assert!(outcome.findings.iter().all(|finding| finding.location.span.end <= bytes.len()));
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}
