//! Every input in testdata/fuzz, seed or former crash, through the target of its directory.

use std::collections::BTreeSet;
use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

#[path = "../fuzz/bodies/mod.rs"]
mod bodies;

fn inputs(target: &str) -> Vec<PathBuf> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/fuzz").join(target);
    let entries = fs::read_dir(&dir).unwrap_or_else(|error| panic!("{}: {error}", dir.display()));
    entries.map(|entry| entry.expect("an entry").path()).collect()
}

#[test]
fn every_input_goes_through_its_target() {
    let known: BTreeSet<PathBuf> = inputs("").into_iter().collect();
    let mut failed = Vec::new();
    for (name, run) in bodies::TARGETS {
        let inputs = inputs(name);
        assert!(!inputs.is_empty(), "{name} has no seed");
        for path in inputs {
            let bytes = fs::read(&path).expect("a file");
            if catch_unwind(|| run(&bytes)).is_err() {
                failed.push(path);
            }
        }
    }
    assert_eq!(failed, Vec::<PathBuf>::new());
    let names: BTreeSet<&str> = bodies::TARGETS.iter().map(|(name, _)| *name).collect();
    let stray: Vec<&PathBuf> = known
        .iter()
        .filter(|path| !names.contains(path.file_name().and_then(|name| name.to_str()).unwrap_or("")))
        .collect();
    assert!(stray.is_empty(), "no target reads {stray:?}");
}
