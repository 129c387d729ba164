//! The rooms of the library depend downwards only.

use std::fs;
use std::path::{Path, PathBuf};

/// For each room the rooms that it must not name.
const FORBIDDEN: &[(&str, &[&str])] = &[
    ("source", &["rule", "matcher", "filter", "report", "scanner", "config", "hygiene"]),
    ("report", &["scanner", "source", "git", "matcher", "filter", "config", "hygiene"]),
    ("filter", &["source", "report", "scanner", "git", "config", "hygiene"]),
    ("baseline", &["source", "report", "scanner", "git", "filter", "matcher", "config", "hygiene"]),
    ("matcher", &["source", "report", "scanner", "git", "filter", "config", "hygiene"]),
    ("rule", &["source", "report", "scanner", "git", "filter", "matcher", "config", "hygiene"]),
    ("decode", &["source", "report", "scanner", "git", "filter", "matcher", "rule", "config", "hygiene"]),
    ("git", &["source", "report", "scanner", "filter", "matcher", "rule", "config", "hygiene"]),
    ("finding.rs", &["source", "report", "scanner", "git", "filter", "matcher"]),
    ("coverage.rs", &["source", "report", "scanner", "git", "filter", "matcher", "rule", "finding"]),
    ("location.rs", &["source", "report", "scanner", "git", "filter", "matcher", "rule", "finding"]),
    (
        "secret.rs",
        &["source", "report", "scanner", "git", "filter", "matcher", "rule", "finding", "location"],
    ),
    ("span.rs", &["source", "report", "scanner", "git", "filter", "matcher", "rule", "finding", "location"]),
];

fn rust_files(path: &Path, files: &mut Vec<PathBuf>) {
    if path.is_dir() {
        for entry in fs::read_dir(path).expect("a readable directory") {
            rust_files(&entry.expect("a readable entry").path(), files);
        }
    } else if path.extension().is_some_and(|extension| extension == "rs") {
        files.push(path.to_path_buf());
    }
}

#[test]
fn rooms_depend_downwards_only() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut offences = Vec::new();
    for (room, forbidden) in FORBIDDEN {
        let mut files = Vec::new();
        rust_files(&src.join(room), &mut files);
        assert!(!files.is_empty(), "there is no room {room}");
        for file in files {
            let text = fs::read_to_string(&file).expect("source files are text");
            // Tests may reach further than the code they test.
            let code = text.split("#[cfg(test)]").next().expect("split gives a first part");
            for other in *forbidden {
                if code.contains(&format!("crate::{other}::")) || code.contains(&format!("crate::{other};")) {
                    offences.push(format!("{} names {other}", file.strip_prefix(&src).unwrap().display()));
                }
            }
        }
    }
    assert!(offences.is_empty(), "{offences:#?}");
}

#[test]
fn git2_stays_in_its_room() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    rust_files(&src, &mut files);
    let outside: Vec<_> = files
        .iter()
        .filter(|file| !file.starts_with(src.join("git")))
        .filter(|file| fs::read_to_string(file).expect("source files are text").contains("git2::"))
        .collect();
    assert!(outside.is_empty(), "{outside:#?}");
}
