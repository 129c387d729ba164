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
    // Nothing was to be written, so the file is the same, under its name or the next, but for the end of a line that
    // was broken off. Less than how a line starts counts for nothing.
    let is_start = br#"{"stanch_audit":1"#.starts_with(bytes);
    let is_kept =
        |file: &Vec<u8>| file.strip_prefix(bytes).is_some_and(|more| more.is_empty() || more == b"\n");
    let kept = [&path, &old].into_iter().filter_map(|path| fs::read(path).ok()).any(|file| is_kept(&file));
    assert!(kept || is_start, "{appended:?}");
}
