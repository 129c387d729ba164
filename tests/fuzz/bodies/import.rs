//! What other scanners accepted: claims or an error that names the line.

use std::fs;
use std::sync::LazyLock;

use stanch::baseline::import::{ImportError, load};

static DIR: LazyLock<tempfile::TempDir> = LazyLock::new(|| tempfile::tempdir().expect("a directory"));

pub fn run(bytes: &[u8]) {
    let path = DIR.path().join("baseline");
    fs::write(&path, bytes).expect("a file");
    if let Err(error) = load(&path) {
        assert!(matches!(error, ImportError::Invalid { line, .. } if line <= bytes.len() + 1), "{error}");
    }
}
