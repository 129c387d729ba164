//! `stanch check`, and git's ignore rules against git itself.

use std::fs;
use std::io::Write;
use std::process::Stdio;

use bstr::{BString, ByteSlice};
use stanch::git::Repository;
use stanch::git::ignore::IgnoreRules;

use crate::support::Sandbox;

/// What git says about a path: the source, the line and the pattern that decide, all empty when none does.
#[derive(Debug, PartialEq, Eq)]
struct Answer {
    file: BString,
    line: BString,
    pattern: BString,
}

/// Asks `git check-ignore` about many paths at once.
fn ask_git(sandbox: &Sandbox, paths: &[String]) -> Vec<Answer> {
    let mut child = sandbox
        .command("git")
        .args(["check-ignore", "--verbose", "--non-matching", "-z", "--stdin"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("git starts");
    let mut input = child.stdin.take().expect("a pipe");
    let joined: Vec<u8> = paths.iter().flat_map(|path| [path.as_bytes(), b"\0"].concat()).collect();
    let writer = std::thread::spawn(move || input.write_all(&joined).expect("git reads its input"));
    let output = child.wait_with_output().expect("git ends");
    writer.join().expect("the input is written");
    assert!(matches!(output.status.code(), Some(0 | 1)), "{}", output.stderr.as_bstr());
    let mut fields: Vec<&[u8]> = output.stdout.split(|&byte| byte == 0).collect();
    assert_eq!(fields.pop(), Some(b"".as_slice()), "each field ends in NUL");
    fields
        .chunks_exact(4)
        .zip(paths)
        .map(|(fields, path)| {
            assert_eq!(fields[3].as_bstr(), path.as_bytes());
            Answer { file: fields[0].into(), line: fields[1].into(), pattern: fields[2].into() }
        })
        .collect()
}

/// Asks stanch's library about the same paths.
fn ask_stanch(sandbox: &Sandbox, paths: &[String]) -> Vec<Answer> {
    let repository = Repository::open(&sandbox.path()).expect("a repository");
    let tracked = repository.tracked_files().expect("an index");
    let mut rules = IgnoreRules::new(&repository, &tracked, b"").expect("rules");
    let answers = paths
        .iter()
        .map(|path| match rules.decision(path.as_str().into()) {
            Some(decision) => {
                Answer { file: decision.file, line: decision.line.to_string().into(), pattern: decision.text }
            }
            None => Answer { file: "".into(), line: "".into(), pattern: "".into() },
        })
        .collect();
    assert_eq!(rules.unreadable(), []);
    answers
}

#[track_caller]
fn assert_same_answers(sandbox: &Sandbox, paths: &[String], context: &str) -> usize {
    let git = ask_git(sandbox, paths);
    let stanch = ask_stanch(sandbox, paths);
    for ((path, git), stanch) in paths.iter().zip(&git).zip(&stanch) {
        assert_eq!(git, stanch, "{path:?}\n{context}");
    }
    git.iter().filter(|answer| !answer.file.is_empty()).count()
}

/// A repository whose excludes do not depend on who runs the tests.
fn repo_with_excludes(excludes: &str) -> Sandbox {
    let sandbox = Sandbox::repo();
    let file = sandbox.outside().join("excludes");
    fs::write(&file, excludes).expect("a written file");
    sandbox.git(&["config", "core.excludesFile", file.to_str().expect("UTF-8")]);
    sandbox
}

/// A small generator, so that a failing case can be made again from its number.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit
    }

    fn of<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[self.below(choices.len())]
    }
}

const PIECES: [&str; 34] = [
    ".env",
    ".env.local",
    ".env*",
    ".env.*",
    "*.pem",
    "key.pem",
    "*.local",
    "a",
    "b",
    "a/b",
    "/",
    "**",
    "**/",
    "/**",
    "*",
    "?",
    "[ab]",
    "[!a]",
    "[[:alpha:]]",
    "[a",
    "{a,b}",
    "\\*",
    "\\",
    " ",
    "\\ ",
    "#",
    "!",
    "\\!",
    "\\#",
    "\t",
    "é",
    "..",
    ".env/",
    "local",
];

const DIRECTORIES: [&str; 6] = ["", "a/", "b/", "a/b/", "a/b/a/", "é/"];

const NAMES: [&str; 14] = [
    ".env",
    ".env.local",
    ".env.production.local",
    ".env.example",
    "key.pem",
    "a",
    "b",
    "#",
    "!a",
    "*",
    "a b",
    "a ",
    "é",
    "\\",
];

fn random_line(dice: &mut Dice) -> String {
    let plain =
        [".env", ".env.*.local", "*.pem", "a/", "/a", "*", "a/b/", "!*.pem", "!.env", "!a/", "!/a/.env"];
    let line = match dice.below(3) {
        0 => dice.of(&plain).to_owned(),
        _ => {
            let start = dice.of(&["", "", "", "!", "/", "!/", "**/", "!**/"]).to_owned();
            let pieces = 1 + dice.below(3);
            let body: String = (0..pieces).map(|_| dice.of(&PIECES)).collect();
            start + &body + dice.of(&["", "", "", "/", " ", "  ", "\t"])
        }
    };
    line + dice.of(&["\n", "\n", "\n", "\r\n", "\n\n"])
}

fn random_lines(dice: &mut Dice) -> String {
    let lines = dice.below(6);
    (0..lines).map(|_| random_line(dice)).collect()
}

#[test]
fn ignore_rules_decide_as_git_does_on_generated_cases() {
    let sandbox = repo_with_excludes("");
    let paths: Vec<String> = DIRECTORIES
        .iter()
        .flat_map(|directory| NAMES.map(|name| format!("{directory}{name}")))
        .filter(|path| !DIRECTORIES.contains(&format!("{path}/").as_str()))
        .collect();
    let mut decided = 0;
    for seed in 0..200 {
        let mut dice = Dice(seed);
        let mut context = format!("case {seed}\n");
        let mut put = |file: &str, content: String| {
            context += &format!("{file}: {content:?}\n");
            sandbox.write(file, content);
        };
        for directory in DIRECTORIES {
            put(&format!("{directory}.gitignore"), random_lines(&mut dice));
        }
        put(".git/info/exclude", random_lines(&mut dice));
        put("../excludes", random_lines(&mut dice));
        decided += assert_same_answers(&sandbox, &paths, &context);
    }
    // Silence would agree as well.
    assert!(decided > 200 * paths.len() / 4, "only {decided} answers name a line");
}

#[test]
fn ignore_rules_decide_as_git_does_where_it_is_subtle() {
    for (rules, paths) in [
        // A nested file takes back what the root ignores; libgit2 misses this.
        (
            vec![(".gitignore", ".env\n"), ("a/.gitignore", "!.env\n")],
            vec![".env", "a/.env", "a/b/.env", "b/.env"],
        ),
        // Nothing below an ignored directory can be taken back.
        (vec![(".gitignore", "a/\n!a/.env\n!*.env\n")], vec!["a/.env", ".env"]),
        (vec![(".gitignore", "a/*\n!a/.env\n")], vec!["a/.env", "a/b"]),
        // Anchored by a slash at the start or in the middle.
        (vec![(".gitignore", "/.env\nb/*.pem\n")], vec![".env", "a/.env", "b/key.pem", "a/b/key.pem"]),
        (vec![("a/.gitignore", "/.env\n")], vec![".env", "a/.env", "a/b/.env"]),
        (vec![(".gitignore", "**/b/*.pem\na/**\n")], vec!["b/key.pem", "a/x", "x/b/key.pem", "a/b/c"]),
        // The clone's excludes go before the user's, and both behind any .gitignore.
        (vec![(".git/info/exclude", "!.env\n"), ("../excludes", ".env\n*.pem\n")], vec![".env", "key.pem"]),
        (vec![(".gitignore", "!.env\n"), (".git/info/exclude", ".env\n")], vec![".env"]),
        // Stars behind a letter: git looks at what follows the letters alone.
        (
            vec![(".gitignore", ".env**/**\n/key**/a.pem\n")],
            vec![".env", ".env/x", "keya.pem", "key/b/a.pem", "a/.env"],
        ),
        (vec![(".gitignore", "\u{feff}.env\r\n*.pem")], vec![".env", "key.pem"]),
        (vec![(".gitignore", "*.pem\0x\n!.env\0\n.env.local\\\n")], vec!["key.pem", ".env", ".env.local"]),
    ] {
        let sandbox = repo_with_excludes("");
        for (file, content) in &rules {
            sandbox.write(file, content);
        }
        let paths: Vec<String> = paths.into_iter().map(str::to_owned).collect();
        assert_same_answers(&sandbox, &paths, &format!("{rules:?}"));
    }
}

#[test]
fn ignore_rules_fold_case_where_the_repository_does() {
    let sandbox = repo_with_excludes("");
    sandbox.write(".gitignore", "*.PEM\n.Env\n");
    let paths = [".env", "key.pem"].map(str::to_owned);
    sandbox.git(&["config", "core.ignoreCase", "true"]);
    assert_eq!(assert_same_answers(&sandbox, &paths, "folded"), 2);
    sandbox.git(&["config", "core.ignoreCase", "false"]);
    assert_eq!(assert_same_answers(&sandbox, &paths, "not folded"), 0);
}

#[test]
fn rules_that_a_sparse_checkout_left_out_still_count() {
    let sandbox = repo_with_excludes("");
    sandbox.write("a/.gitignore", ".env\n");
    sandbox.write("b/file", "");
    sandbox.commit_all("all");
    let paths = ["a/.env", "b/.env"].map(str::to_owned);
    for index in ["--no-sparse-index", "--sparse-index"] {
        sandbox.git(&["sparse-checkout", "set", "--cone", index, "b"]);
        assert!(!sandbox.path().join("a/.gitignore").exists());
        assert_eq!(assert_same_answers(&sandbox, &paths, index), 1);
    }
}

#[test]
fn linked_worktrees_share_the_excludes_of_the_clone() {
    let sandbox = repo_with_excludes("");
    sandbox.write(".git/info/exclude", ".env\n");
    sandbox.commit_all("first");
    sandbox.git(&["worktree", "add", "--quiet", "../linked"]);
    let repository = Repository::open(&sandbox.outside().join("linked")).expect("a repository");
    let tracked = repository.tracked_files().expect("an index");
    let mut rules = IgnoreRules::new(&repository, &tracked, b"").expect("rules");
    let decision = rules.decision(".env".into()).expect("a line decides");
    assert_eq!(decision.home, stanch::git::ignore::RuleHome::InfoExclude);
    assert_eq!(decision.line, 1);
}

#[cfg(unix)]
#[test]
fn a_linked_gitignore_is_not_read_as_git_does_not() {
    let sandbox = repo_with_excludes("");
    sandbox.write("rules", ".env\n");
    std::os::unix::fs::symlink("rules", sandbox.path().join(".gitignore")).expect("a link");
    let paths = [".env"].map(str::to_owned);
    assert_eq!(assert_same_answers(&sandbox, &paths, "linked"), 0);
}
