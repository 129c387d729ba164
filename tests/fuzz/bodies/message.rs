//! What is recorded of a typed commit message: every line keeps its number, nothing is invented, and markers on the
//! lines are read.

use std::sync::LazyLock;

use bstr::ByteSlice;
use stanch::filter::inline::allowed;
use stanch::git::Repository;
use stanch::git::message::Cleanup;
use stanch::git::push::{pre_push_lines, pre_receive_lines};

/// One for each way to configure it.
static CLEANUPS: LazyLock<Vec<Cleanup>> = LazyLock::new(|| {
    let mut cleanups = Vec::new();
    for (comment, cleanup) in
        [("#", "default"), (";", "strip"), ("auto", "strip"), ("#", "scissors"), ("//", "verbatim")]
    {
        let dir = tempfile::tempdir().expect("a directory");
        let repository = git2::Repository::init(dir.path()).expect("a repository");
        let mut config = repository.config().expect("a configuration");
        config.set_str("core.commentChar", comment).expect("a setting");
        config.set_str("commit.cleanup", cleanup).expect("a setting");
        let repository = Repository::open(dir.path()).expect("a repository");
        cleanups.extend([false, true].map(|has_editor| repository.message_cleanup(has_editor)));
    }
    cleanups
});

pub fn run(message: &[u8]) {
    for cleanup in &*CLEANUPS {
        let recorded = cleanup.apply(message);
        assert!(recorded.lines().count() <= message.lines().count());
        for (line, typed) in recorded.lines_with_terminator().zip(message.lines_with_terminator()) {
            assert!(line == typed || line == b"\n", "a line that was not typed");
        }
    }
    let mut above = None;
    for line in message.lines() {
        let _ = allowed(line, above, "clickup-personal-token");
        above = Some(line);
    }
    for updates in [pre_push_lines(message), pre_receive_lines(message)] {
        match updates {
            Ok(updates) => assert!(updates.len() <= message.lines().count()),
            Err(error) => assert!(error.line >= 1),
        }
    }
}
