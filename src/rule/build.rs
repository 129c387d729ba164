//! Build script: translates the built-in rule files, so that a run parses none of them.
//!
//! A hook starts hundreds of times a day and touches a handful of some 1,800 rules. It has the tables of the
//! literals that send the matcher to a rule, the patterns of file names, where each translated rule starts, and
//! the rules, of which it decodes those that get a candidate. (As Rust statics the rules cost 15 seconds of every
//! build.) The same modules check a user's own rules at run time, so a bad built-in rule stops the build with the
//! message that a user would get, and make the same tables for them.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

#[path = "../level.rs"]
#[allow(dead_code)]
mod level;
#[path = "../matcher/tables.rs"]
#[allow(dead_code)]
mod tables;
#[allow(dead_code, unused_imports)]
#[path = "."]
mod rule {
    pub mod grams;
    pub mod request;
    pub mod schema;
    pub mod shape;
}

use rule::request::Request;
use rule::schema::{RuleFile, RuleSpec, Trigger, TriggerKind};
use tables::{Entry, Tables, Target};

fn main() {
    let dir = Path::new("src/rule/builtin");
    println!("cargo::rerun-if-changed=src/rule");
    println!("cargo::rerun-if-changed=src/level.rs");
    println!("cargo::rerun-if-changed=src/matcher/tables.rs");
    let mut files: Vec<PathBuf> = std::fs::read_dir(dir)
        .expect("the built-in rules are in src/rule/builtin")
        .map(|entry| entry.expect("a readable directory entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .collect();
    files.sort();
    let mut specs: Vec<RuleSpec> = Vec::new();
    let mut requests: Vec<(u32, Request)> = Vec::new();
    let mut errors = String::new();
    for file in &files {
        let text = std::fs::read_to_string(file).expect("a readable rule file");
        match toml::from_str::<RuleFile>(&text) {
            Err(error) => writeln!(errors, "{}: {error}", file.display()).expect("a string"),
            Ok(parsed) => {
                for entry in &parsed.rule {
                    let line = text[..entry.span().start].matches('\n').count() + 1;
                    let entry = entry.get_ref();
                    match entry.translate() {
                        Ok(spec) if specs.iter().any(|known| known.id == spec.id) => {
                            writeln!(errors, "{}:{line}: {}: the id is taken", file.display(), entry.id)
                                .expect("a string");
                        }
                        Ok(spec) => {
                            let number = specs.len() as u32;
                            requests.extend(entry.verify.clone().map(|request| (number, request)));
                            specs.push(spec);
                        }
                        Err(message) => {
                            writeln!(errors, "{}:{line}: {}: {message}", file.display(), entry.id)
                                .expect("a string")
                        }
                    }
                }
            }
        }
    }
    assert!(errors.is_empty(), "built-in rules are wrong:\n{errors}");
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    let write =
        |name: &str, bytes: Vec<u8>| std::fs::write(out.join(name), bytes).expect("OUT_DIR is writable");
    let mut offsets: Vec<u32> = vec![0];
    let mut rules: Vec<u8> = Vec::new();
    for spec in &specs {
        rules.extend(postcard::to_stdvec(spec).expect("a rule is plain data"));
        offsets.push(u32::try_from(rules.len()).expect("the catalogue is smaller than 4 GiB"));
    }
    write("rules.bin", rules);
    write("offsets.bin", offsets.iter().flat_map(|offset| offset.to_le_bytes()).collect());
    let mut triggers: Vec<Trigger<'_>> =
        specs.iter().enumerate().flat_map(|(rule, spec)| spec.triggers(rule as u32)).collect();
    triggers.sort_unstable_by_key(Trigger::order);
    for (name, bytes) in store(&Tables::new(&triggers)) {
        write(name, bytes);
    }
    write("triggers.bin", postcard::to_stdvec(&triggers).expect("a trigger is plain data"));
    write("requests.bin", postcard::to_stdvec(&requests).expect("a request is plain data"));
    let paths: Vec<(&str, u32)> = specs
        .iter()
        .enumerate()
        .flat_map(|(rule, spec)| spec.paths.iter().map(move |glob| (glob.as_str(), rule as u32)))
        .collect();
    write("paths.bin", postcard::to_stdvec(&paths).expect("a glob is plain data"));
    assert!(specs.iter().all(|spec| !spec.looks_at_everything()), "built-in rules have literals or keywords");
}

/// The tables, each with the name of its file: little-endian numbers, one field behind the other.
fn store(tables: &Tables) -> [(&'static str, Vec<u8>); 9] {
    let words = |words: &[u64]| words.iter().flat_map(|word| word.to_le_bytes()).collect();
    let numbers = |numbers: &[u32]| numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
    let entry = |entry: &Entry| -> Vec<u8> {
        let long = [entry.gram, entry.id, entry.start, entry.check];
        let short = [entry.len, entry.gram_at, entry.check_from_gram as u16, u16::from(entry.ignore_case)];
        let long = long.iter().flat_map(|number| number.to_le_bytes());
        long.chain(short.iter().flat_map(|number| number.to_le_bytes())).collect()
    };
    let target = |target: &Target| -> Vec<u8> {
        let kind = match target.kind {
            TriggerKind::Keyword => [0, 0, 0],
            TriggerKind::Name => [1, 0, 0],
            TriggerKind::Anchor { min_before, max_before } => [2, min_before, max_before],
        };
        let fields = [target.rule, kind[0] | u32::from(target.starts_word) << 8, kind[1], kind[2]];
        fields.iter().flat_map(|number| number.to_le_bytes()).collect()
    };
    [
        ("grams.bin", words(&tables.grams)),
        ("fours.bin", words(&tables.fours)),
        ("threes.bin", words(&tables.threes)),
        ("buckets.bin", numbers(&tables.buckets)),
        ("entries.bin", tables.entries.iter().flat_map(entry).collect()),
        ("literals.bin", tables.bytes.to_vec()),
        ("lens.bin", tables.lens.iter().flat_map(|len| len.to_le_bytes()).collect()),
        ("starts.bin", numbers(&tables.starts)),
        ("targets.bin", tables.targets.iter().flat_map(target).collect()),
    ]
}
