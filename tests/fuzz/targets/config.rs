//! Configuration, of ours and of gitleaks: rules or an error that names the line.
#![no_main]

use std::path::Path;

use jiff::civil::date;
use libfuzzer_sys::fuzz_target;
use stanch::config::Config;

fuzz_target!(|text: &str| {
    for name in [".stanch.toml", ".gitleaks.toml"] {
        match Config::parse(text, Path::new(name), date(2030, 1, 1)) {
            Ok(config) => drop(config.rule_set()),
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
});
