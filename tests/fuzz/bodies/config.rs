//! Configuration, of ours and of gitleaks: rules or an error that names the line.

use std::path::Path;

use jiff::civil::date;
use stanch::config::Config;

pub fn run(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    for name in [".stanch.toml", ".gitleaks.toml"] {
        match Config::parse(text, Path::new(name), date(2030, 1, 1)) {
            Ok(config) => drop(config.rule_set()),
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
}
