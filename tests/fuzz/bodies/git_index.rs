//! The index of a work tree, of any version: entries or an error.

use std::fs;
use std::sync::LazyLock;

use stanch::git::index::Index;

static DIR: LazyLock<tempfile::TempDir> = LazyLock::new(|| tempfile::tempdir().expect("a directory"));

pub fn run(bytes: &[u8]) {
    let path = DIR.path().join("index");
    fs::write(&path, bytes).expect("a file");
    for id_bytes in [20, 32] {
        if let Ok(index) = Index::read(&path, DIR.path(), id_bytes) {
            assert_eq!(index.entries().count(), index.entries().len());
        }
    }
}
