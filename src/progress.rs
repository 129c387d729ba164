//! How far a run is, for whoever watches it from another thread.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counts that sources and the engine raise while they work. Nothing waits for them, and nothing depends on them: each
/// is right by itself, and they need not fit each other at any moment. The default is one that nobody watches.
#[derive(Debug, Default)]
pub struct Progress {
    /// Counters that threads share pass from one processor to the other, a million times for a large history.
    is_watched: bool,
    files: AtomicU64,
    blobs: AtomicU64,
    bytes: AtomicU64,
    matches: AtomicU64,
    done: AtomicU64,
    total: AtomicU64,
    attributing: AtomicU64,
}

/// The counts of a [`Progress`] at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// Files read.
    pub files: u64,
    /// Distinct blobs read from the object database.
    pub blobs: u64,
    /// Bytes of content read.
    pub bytes: u64,
    /// Matches that count. The report may have fewer findings: one secret in many versions of a file is one, and an
    /// allowlist speaks of paths.
    pub matches: u64,
    /// How many of `total` are behind: objects of any kind in a history, files elsewhere.
    pub done: u64,
    /// How many there are, where that is known beforehand.
    pub total: Option<u64>,
    /// How many objects with matches are being traced to their commits, once everything is read.
    pub attributing: Option<u64>,
}

impl Progress {
    /// Starts from nothing.
    pub fn new() -> Self {
        Self { is_watched: true, ..Self::default() }
    }

    /// Counts nothing.
    pub fn unwatched() -> Self {
        Self::default()
    }

    /// What stands there now.
    pub fn snapshot(&self) -> Snapshot {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let known = |number| (number > 0).then_some(number);
        Snapshot {
            files: get(&self.files),
            blobs: get(&self.blobs),
            bytes: get(&self.bytes),
            matches: get(&self.matches),
            done: get(&self.done),
            total: known(get(&self.total)),
            attributing: known(get(&self.attributing)),
        }
    }

    /// Begins a pass over so many objects or files; 0 when nobody knows how many.
    pub fn begin(&self, total: u64) {
        self.done.store(0, Ordering::Relaxed);
        self.total.store(total, Ordering::Relaxed);
    }

    /// One object or file of the pass is behind.
    pub fn advance(&self) {
        self.add(&self.done, 1);
    }

    /// A file was opened.
    pub fn file(&self) {
        self.add(&self.files, 1);
    }

    /// A blob was expanded.
    pub fn blob(&self) {
        self.add(&self.blobs, 1);
    }

    /// So many bytes were read.
    pub fn bytes(&self, count: u64) {
        self.add(&self.bytes, count);
    }

    /// A match counts.
    pub fn found(&self) {
        self.add(&self.matches, 1);
    }

    /// Everything is read; so many objects are being traced to their commits.
    pub fn attribute(&self, objects: u64) {
        self.attributing.store(objects, Ordering::Relaxed);
    }

    /// Counters guard nothing, so no order is asked for.
    fn add(&self, counter: &AtomicU64, count: u64) {
        if self.is_watched {
            counter.fetch_add(count, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_is_not_zero() {
        let progress = Progress::new();
        assert_eq!(progress.snapshot(), Snapshot::default());
        progress.begin(10);
        progress.advance();
        progress.blob();
        progress.bytes(7);
        progress.found();
        let expected =
            Snapshot { blobs: 1, bytes: 7, matches: 1, done: 1, total: Some(10), ..Snapshot::default() };
        assert_eq!(progress.snapshot(), expected);
        progress.begin(0);
        assert_eq!((progress.snapshot().done, progress.snapshot().total), (0, None));
        progress.attribute(2);
        assert_eq!(progress.snapshot().attributing, Some(2));
        let unwatched = Progress::unwatched();
        unwatched.advance();
        unwatched.bytes(7);
        assert_eq!(unwatched.snapshot(), Snapshot::default());
    }
}
