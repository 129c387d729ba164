//! Receipts and audit logs: a receipt that was not written so is refused, and what stands in a log is kept.

use std::fs;
use std::sync::LazyLock;

use stanch::audit_log::{Actor, Events, Limits, Log};
use stanch::receipt;

static DIR: LazyLock<tempfile::TempDir> = LazyLock::new(|| tempfile::tempdir().expect("a directory"));

pub fn run(bytes: &[u8]) {
    if let Ok(checked) = receipt::check(bytes) {
        assert!(checked.digest.starts_with("sha256:"));
    }
    let (path, old) = (DIR.path().join("log"), DIR.path().join("log.1"));
    let _ = fs::remove_file(&old);
    fs::write(&path, bytes).expect("a file");
    let limits = Limits { max_bytes: 1 << 10, keep: 1 };
    let appended =
        Log::open(&path, limits).and_then(|log| log.append(&Events::new(&Actor::default(), 1, b"x")));
    // Nothing was to be written, so the file is the same, under its name or the next.
    let kept = fs::read(&path).ok().filter(|kept| kept == bytes).or_else(|| fs::read(&old).ok());
    assert_eq!(kept.as_deref(), Some(bytes), "{appended:?}");
}
