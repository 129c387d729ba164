//! Ignore rules: the line that decides is a line of the file, and the answer does not depend on what was asked before.
//!
//! The first byte 0x1F parts paths, one a line, from the content of `.gitignore`.

use std::fs;
use std::sync::LazyLock;

use bstr::{BStr, ByteSlice};
use stanch::git::Repository;
use stanch::git::ignore::IgnoreRules;

static DIR: LazyLock<tempfile::TempDir> = LazyLock::new(|| {
    let dir = tempfile::tempdir().expect("a directory");
    git2::Repository::init(dir.path()).expect("a repository");
    dir
});

pub fn run(input: &[u8]) {
    let Some(cut) = input.iter().position(|&byte| byte == 0x1F) else { return };
    let (paths, content) = (&input[..cut], &input[cut + 1..]);
    let repository = Repository::open(DIR.path()).expect("a repository");
    fs::write(DIR.path().join(".gitignore"), content).expect("a file");
    let is_path = |path: &&[u8]| {
        let is_name = |name: &[u8]| {
            !matches!(name, b"" | b"." | b".." | b".git") && !name.contains(&0) && name.len() < 200
        };
        path.split(|&byte| byte == b'/').all(is_name)
    };
    let paths: Vec<&BStr> = paths.lines().filter(is_path).take(20).map(BStr::new).collect();
    let rules = || IgnoreRules::new(&repository, &[], b"").expect("a work tree");
    let mut forth = rules();
    let answers: Vec<_> = paths.iter().map(|path| forth.decision(path)).collect();
    let mut back = rules();
    for (path, answer) in paths.iter().zip(&answers).rev() {
        assert_eq!(back.decision(path), *answer, "the order of questions");
    }
    let lines: Vec<&[u8]> = content.lines().collect();
    for decision in answers.iter().flatten().filter(|decision| decision.file == ".gitignore") {
        let Some(line) = lines.get(decision.line as usize - 1) else { panic!("no line {}", decision.line) };
        // A mark of the byte order may stand before the first, and git reads up to a NUL.
        assert!(line.find(&decision.text).is_some(), "line {} says something else", decision.line);
        assert_eq!(decision.negated, decision.text.starts_with(b"!"));
    }
}
