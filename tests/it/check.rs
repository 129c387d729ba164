//! `stanch check`, and git's ignore rules against git itself.

use std::fs;
use std::io::Write;
use std::process::Stdio;
use std::sync::LazyLock;

use bstr::{BString, ByteSlice};
use stanch::git::Repository;
use stanch::git::ignore::IgnoreRules;
use stanch::git::work_tree::WorkKind;

use crate::dice::Dice;
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
    // With `/`, as git shows it on every platform.
    sandbox.git(&["config", "core.excludesFile", &file.to_str().expect("UTF-8").replace('\\', "/")]);
    sandbox
}

fn one_of<'a>(dice: &mut Dice, choices: &[&'a str]) -> &'a str {
    choices[dice.roll(choices.len())]
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
    let line = match dice.roll(3) {
        0 => one_of(dice, &plain).to_owned(),
        _ => {
            let start = one_of(dice, &["", "", "", "!", "/", "!/", "**/", "!**/"]).to_owned();
            let pieces = 1 + dice.roll(3);
            let body: String = (0..pieces).map(|_| one_of(dice, &PIECES)).collect();
            start + &body + one_of(dice, &["", "", "", "/", " ", "  ", "\t"])
        }
    };
    let line = if *STARS_SPAN_BESIDE_LETTERS { without_stars_beside_letters(&line) } else { line };
    line + one_of(dice, &["\n", "\n", "\n", "\r\n", "\n\n"])
}

/// Whether git is one before 2.52, to which `a**/b` keeps `ab` out although its manual says otherwise.
static STARS_SPAN_BESIDE_LETTERS: LazyLock<bool> = LazyLock::new(|| {
    let sandbox = repo_with_excludes("a**/b\n");
    sandbox.try_git(&["check-ignore", "--quiet", "ab"]).code == 0
});

/// Each row of stars that stands behind anything but a slash as one of them, which is what they mean.
fn without_stars_beside_letters(line: &str) -> String {
    let mut out = String::new();
    let mut is_row = false;
    for byte in line.chars() {
        let is_again = byte == '*' && out.ends_with('*');
        is_row =
            if is_again { is_row } else { byte == '*' && !(out.is_empty() || out.ends_with(['/', '!'])) };
        if !(is_again && is_row) {
            out.push(byte);
        }
    }
    out
}

fn random_lines(dice: &mut Dice) -> String {
    let lines = dice.roll(6);
    (0..lines).map(|_| random_line(dice)).collect()
}

#[test]
fn ignore_rules_decide_as_git_does_on_generated_cases() {
    let sandbox = repo_with_excludes("");
    let paths: Vec<String> = DIRECTORIES
        .iter()
        .flat_map(|directory| NAMES.map(|name| format!("{directory}{name}")))
        .filter(|path| !DIRECTORIES.contains(&format!("{path}/").as_str()))
        // There it separates directories.
        .filter(|path| !(cfg!(windows) && path.contains('\\')))
        .collect();
    let mut decided = 0;
    for seed in 0..200 {
        let mut dice = Dice::new(seed);
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

/// The walk finds what `git ls-files` finds: untracked files that a commit would take, and ignored ones as git sums
/// them up.
#[test]
fn the_working_tree_is_walked_as_git_walks_it() {
    for case in 0..40 {
        let mut dice = Dice::new(4000 + case);
        let sandbox = repo_with_excludes(&random_lines(&mut dice));
        let mut context = String::new();
        for directory in DIRECTORIES {
            for name in [".env", ".env.local", "key.pem", "a.txt"] {
                sandbox.write(&format!("{directory}{name}"), "x\n");
            }
            if dice.roll(2) == 0 {
                let lines = random_lines(&mut dice);
                context.push_str(&format!("{directory}.gitignore:\n{lines}\n"));
                sandbox.write(&format!("{directory}.gitignore"), lines);
            }
        }
        let repository = Repository::open(&sandbox.path()).expect("a repository");
        let mut rules = IgnoreRules::new(&repository, &[], b"").expect("rules");
        let mut open = Vec::new();
        let faults = repository.walk_work_tree(&mut rules, b"".as_bstr(), &mut |entry| {
            if entry.kind == WorkKind::File && entry.ignored_by.is_none() {
                open.push(entry.path.to_string());
            }
            entry.ignored_by.is_none()
        });
        assert_eq!(faults, []);
        open.sort();
        let listed = sandbox.git(&["ls-files", "-z", "--others", "--exclude-standard"]);
        let mut expected: Vec<&str> = listed.split('\0').filter(|path| !path.is_empty()).collect();
        expected.sort_unstable();
        assert_eq!(open, expected, "case {case}\n{context}");
    }
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
        // Stars behind a letter are one, though not to every git.
        (
            vec![(".gitignore", ".env**/**\n/key**/a.pem\n")],
            match *STARS_SPAN_BESIDE_LETTERS {
                true => vec![".env/x", ".envx/y", "keyx/a.pem", "a/.env"],
                false => vec![".env", ".env/x", ".envx/y", "keya.pem", "keyx/a.pem", "key/b/a.pem", "a/.env"],
            },
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

const LINES: &str = ".env\n.env.local\n.env.*.local\n*.pem\n";

/// Ids of the items of a JSON report, with the path of each; but for the hook, which no repository of a test has.
fn items(report: &serde_json::Value) -> Vec<String> {
    let text = |value: &serde_json::Value| value.as_str().expect("a text").to_owned();
    let items = report["items"].as_array().expect("items");
    let items = items.iter().filter(|item| item["id"] != "hook-missing");
    items.map(|item| format!("{} {}", text(&item["id"]), text(&item["path"]))).collect()
}

/// The item with an id.
#[track_caller]
fn item<'r>(report: &'r serde_json::Value, id: &str) -> &'r serde_json::Value {
    let items = report["items"].as_array().expect("items");
    items.iter().find(|item| item["id"] == id).unwrap_or_else(|| panic!("no {id} in {items:?}"))
}

/// Text that looks like a private key, which stands whole in no file of this repository.
fn private_key() -> String {
    format!(
        "-----BEGIN {kind}-----\n{body}\n-----END {kind}-----\n",
        kind = "PRIVATE KEY",
        body = "QUJD".repeat(9)
    )
}

#[test]
fn a_repository_without_rules_fails_and_fix_puts_it_right() {
    let sandbox = Sandbox::repo();
    let ran = sandbox.stanch(&["check"]).expect_code(1);
    assert!(ran.stdout.contains(&format!("\n{LINES}\n")), "the lines stand alone: {}", ran.stdout);
    assert!(ran.stdout.contains("[env-not-ignored]"), "{}", ran.stdout);
    let report = sandbox.stanch(&["check", "--format", "json"]).expect_code(1).json();
    assert_eq!(report["missing_lines"], serde_json::json!([".env", ".env.local", ".env.*.local", "*.pem"]));
    assert_eq!(report["verdict"], "wrong");

    sandbox.stanch(&["check", "--fix"]).expect_code(0);
    let gitignore = sandbox.path().join(".gitignore");
    assert_eq!(fs::read_to_string(&gitignore).unwrap(), LINES);
    for path in [".env", "a/b/.env.local", ".env.qa.local", "certs/key.pem"] {
        sandbox.git(&["check-ignore", "--quiet", path]);
    }
    assert_eq!(sandbox.try_git(&["check-ignore", "--quiet", ".env.example"]).code, 1);

    let before = fs::metadata(&gitignore).unwrap().modified().unwrap();
    sandbox.stanch(&["check", "--fix"]).expect_code(0);
    assert_eq!(fs::metadata(&gitignore).unwrap().modified().unwrap(), before, "nothing was written");
    assert_eq!(sandbox.stanch(&["check", "--quiet"]).expect_code(0).stdout, "");
}

#[test]
fn fix_keeps_the_file_byte_for_byte() {
    for (before, added) in [
        // Rules in another form count, so that two lines are not missing.
        ("# all\n**/.env\nsecrets/\n.env.l*\n", ".env.*.local\n*.pem\n"),
        (".env*\n!.env.example", "\n*.pem\n"),
        ("# h\u{e9} \r\n\r\ntarget \r\n", ".env\r\n.env.local\r\n.env.*.local\r\n*.pem\r\n"),
        ("a\r\n*.pem", "\r\n.env\r\n.env.local\r\n.env.*.local\r\n"),
    ] {
        let sandbox = Sandbox::repo();
        sandbox.write(".gitignore", before);
        sandbox.stanch(&["check", "--fix"]).expect_code(0);
        let fixed = fs::read_to_string(sandbox.path().join(".gitignore")).unwrap();
        assert_eq!(fixed, format!("{before}{added}"));
        assert!(sandbox.stanch(&["check"]).expect_code(0).stdout.contains("nothing is wrong"));
        let left: Vec<_> =
            fs::read_dir(sandbox.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left.len(), 2, "no temporary file stays: {left:?}");
    }
}

#[cfg(unix)]
#[test]
fn fix_keeps_permissions_and_refuses_a_link() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let sandbox = Sandbox::repo();
    let gitignore = sandbox.path().join(".gitignore");
    sandbox.write(".gitignore", "target\n");
    fs::set_permissions(&gitignore, fs::Permissions::from_mode(0o640)).unwrap();
    sandbox.stanch(&["check", "--fix"]).expect_code(0);
    assert_eq!(fs::metadata(&gitignore).unwrap().permissions().mode() & 0o777, 0o640);

    fs::remove_file(&gitignore).unwrap();
    sandbox.write("elsewhere", LINES);
    symlink("elsewhere", &gitignore).unwrap();
    let ran = sandbox.stanch(&["check", "--fix", "--format", "json"]).expect_code(2);
    assert!(ran.stderr.contains("symbolic link"), "{}", ran.stderr);
    let report = ran.json();
    assert!(items(&report).contains(&"gitignore-symlink .gitignore".to_owned()), "{:?}", items(&report));
    assert_eq!(fs::read_to_string(sandbox.path().join("elsewhere")).unwrap(), LINES);
    assert!(fs::symlink_metadata(&gitignore).unwrap().is_symlink());
}

#[test]
fn fix_leaves_alone_what_is_not_text() {
    let sandbox = Sandbox::repo();
    let utf16: Vec<u8> = "\u{feff}.env\r\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    sandbox.write(".gitignore", &utf16);
    let ran = sandbox.stanch(&["check", "--fix", "--format", "json"]).expect_code(2);
    assert!(ran.stderr.contains("save it as UTF-8"), "{}", ran.stderr);
    assert_eq!(item(&ran.json(), "gitignore-encoding")["path"], ".gitignore");
    assert_eq!(fs::read(sandbox.path().join(".gitignore")).unwrap(), utf16);
}

#[test]
fn fix_does_not_hide_a_gitignore_that_a_sparse_checkout_left_out() {
    let sandbox = Sandbox::repo();
    sandbox.write(".gitignore", ".env\n");
    sandbox.write("a/file", "");
    sandbox.commit_all("all");
    sandbox.git(&["sparse-checkout", "set", "--no-cone", "a"]);
    let ran = sandbox.stanch(&["check", "--fix"]).expect_code(2);
    assert!(ran.stderr.contains("sparse checkout"), "{}", ran.stderr);
    assert!(!sandbox.path().join(".gitignore").exists());
}

#[test]
fn protection_of_one_clone_or_one_user_is_said_to_be_that() {
    let sandbox = Sandbox::repo();
    sandbox.write(".git/info/exclude", format!("# mine\n{LINES}"));
    let report = sandbox.stanch(&["check", "--format", "json"]).expect_code(1).json();
    let env = item(&report, "env-ignored-locally");
    assert_eq!(
        (&env["path"], &env["line"], &env["severity"]),
        (&".git/info/exclude".into(), &2.into(), &"medium".into())
    );
    assert!(env["reason"].as_str().unwrap().contains("in this clone"), "{env}");
    assert_eq!(item(&report, "pem-ignored-locally")["line"], 5);
    assert_eq!(report["missing_lines"].as_array().unwrap().len(), 4);

    // Without core.excludesFile git reads a file in the configuration directory.
    let sandbox = Sandbox::repo();
    sandbox.write("../home/.config/git/ignore", LINES);
    let report = sandbox.stanch(&["check", "--format", "json"]).expect_code(1).json();
    assert!(
        item(&report, "env-ignored-locally")["reason"].as_str().unwrap().contains("your own global excludes")
    );
    assert_eq!(report["patterns"][0]["decided_by"]["home"], "global-excludes");

    sandbox.write("../home/other", ".env\n");
    sandbox.git(&["config", "--global", "core.excludesFile", "~/other"]);
    let report = sandbox.stanch(&["check", "--format", "json"]).expect_code(1).json();
    assert_eq!(report["patterns"][0]["protection"], "ignored-locally");
    assert_eq!(report["patterns"][1]["protection"], "not-ignored");

    sandbox.stanch(&["check", "--fix"]).expect_code(0);
}

#[test]
fn a_line_that_protects_only_the_root_is_not_enough() {
    let sandbox = Sandbox::repo();
    sandbox.write(".gitignore", format!("/.env\n{}", &LINES[5..]));
    let report = sandbox.stanch(&["check", "--format", "json"]).expect_code(1).json();
    assert_eq!(items(&report), ["env-not-ignored .gitignore"]);
    assert!(
        item(&report, "env-not-ignored")["reason"].as_str().unwrap().contains("though it is at the root")
    );
    assert_eq!(report["missing_lines"], serde_json::json!([".env"]));
}

#[test]
fn a_nested_file_that_takes_protection_back_is_named() {
    let sandbox = Sandbox::repo();
    sandbox.write(".gitignore", LINES);
    sandbox.write("service/.gitignore", "# ours\n!.env\n");
    sandbox.write("certs/.gitignore", "!*.pem\n");
    sandbox.commit_all("first");
    let report = sandbox.stanch(&["check", "--format", "json"]).expect_code(1).json();
    assert_eq!(items(&report), ["env-taken-back service/.gitignore", "pem-taken-back certs/.gitignore"]);
    let taken = item(&report, "env-taken-back");
    assert_eq!((&taken["line"], &taken["fails"]), (&2.into(), &true.into()));
    assert_eq!(item(&report, "pem-taken-back")["fails"], false);
    assert_eq!(report["missing_lines"], serde_json::json!([]));
    // There is nothing that a line in the root could repair.
    sandbox.stanch(&["check", "--fix"]).expect_code(1);
    assert_eq!(fs::read_to_string(sandbox.path().join(".gitignore")).unwrap(), LINES);
}

#[test]
fn tracked_files_are_listed_and_the_printed_command_untracks_them() {
    let sandbox = Sandbox::repo();
    sandbox.write(".gitignore", LINES);
    let odd = if cfg!(unix) { "it's/*/ü ~$HOME/.env" } else { "it's/ü ~$HOME/.env" };
    for path in [".env", "api/.env.production", ".env.example", ".env.sample", odd] {
        sandbox.write(path, "A=1\n");
    }
    sandbox.write("key.pem", private_key());
    sandbox.write("ca.pem", private_key().replace("PRIVATE KEY", "CERTIFICATE"));
    sandbox.git(&["add", "--all", "--force"]);
    sandbox.git(&["commit", "--quiet", "--message", "all"]);

    let report = sandbox.stanch(&["check", "--format", "json"]).expect_code(1).json();
    let mut found = items(&report);
    found.sort();
    let mut expected = vec![
        "env-tracked .env".to_owned(),
        "env-tracked api/.env.production".to_owned(),
        format!("env-tracked {odd}"),
        "pem-tracked ca.pem".to_owned(),
        "pem-tracked key.pem".to_owned(),
    ];
    expected.sort();
    assert_eq!(found, expected);
    let severity = |path: &str| {
        let items = report["items"].as_array().unwrap();
        items.iter().find(|item| item["path"] == path).unwrap()["severity"].as_str().unwrap().to_owned()
    };
    assert_eq!(
        (severity("key.pem"), severity("ca.pem"), severity(".env")),
        ("high".into(), "info".into(), "high".into())
    );
    assert!(!report.to_string().contains("QUJD"), "nothing of the key is shown");

    run_printed_commands(&sandbox, &report);
    assert_eq!(sandbox.git(&["ls-files"]), ".env.example\n.env.sample\n.gitignore");
    assert!(sandbox.path().join(".env").exists() && sandbox.path().join(odd).exists());
    // No required line covers this one, so it could be added again.
    let report = sandbox.stanch(&["check", "--format", "json"]).expect_code(1).json();
    assert_eq!(items(&report), ["secret-file-untracked api/.env.production"]);
    sandbox.write(".gitignore", format!("{LINES}.env.production\n"));
    sandbox.stanch(&["check"]).expect_code(0);
}

/// Runs the `git rm` of each item in a shell, as a reader would who pastes it.
fn run_printed_commands(sandbox: &Sandbox, report: &serde_json::Value) {
    let items = report["items"].as_array().expect("items").iter();
    for item in items.filter(|item| item["id"].as_str().is_some_and(|id| id.ends_with("-tracked"))) {
        let fix = item["fix"].as_str().expect("a fix");
        let end = fix.rfind("` (the file itself stays)").expect("a command");
        let output = sandbox.command("sh").args(["-c", &fix[1..end]]).output().expect("a shell");
        assert!(output.status.success(), "{fix}: {}", output.stderr.as_bstr());
    }
}

#[cfg(target_os = "linux")]
#[test]
fn hostile_names_neither_reach_the_terminal_nor_break_the_printed_command() {
    use std::os::unix::ffi::OsStrExt;
    let sandbox = Sandbox::repo();
    sandbox.write(".gitignore", LINES);
    let names: [&[u8]; 4] = [b"\x1b[2J'%s\\.pem", b"\xff.pem", "\u{202e}x.pem".as_bytes(), b".env.a\n"];
    for name in names {
        fs::write(sandbox.path().join(std::ffi::OsStr::from_bytes(name)), private_key()).unwrap();
    }
    sandbox.git(&["add", "--all", "--force"]);
    sandbox.git(&["commit", "--quiet", "--message", "all"]);
    let ran = sandbox.stanch(&["check"]).expect_code(1);
    assert!(!ran.stdout.contains(['\x1b', '\u{202e}', '\u{fffd}']), "{:?}", ran.stdout);
    run_printed_commands(&sandbox, &sandbox.stanch(&["check", "--format", "json"]).expect_code(1).json());
    assert_eq!(sandbox.git(&["ls-files"]), ".gitignore");
}

#[test]
fn a_key_that_was_only_announced_is_no_key_yet() {
    let sandbox = Sandbox::repo();
    sandbox.write(".gitignore", LINES);
    sandbox.write("key.pem", private_key());
    sandbox.git(&["add", "--force", "--intent-to-add", "key.pem"]);
    let report = sandbox.stanch(&["check", "--format", "json"]).expect_code(0).json();
    assert_eq!(item(&report, "pem-tracked")["severity"], "info");
}

#[test]
fn it_says_so_when_it_could_not_look() {
    let nowhere = Sandbox::new();
    assert!(nowhere.stanch(&["check"]).expect_code(2).stderr.contains("not inside a git repository"));

    let bare = Sandbox::new();
    bare.git(&["init", "--quiet", "--bare"]);
    assert!(bare.stanch(&["check"]).expect_code(2).stderr.contains("bare"));

    let sandbox = Sandbox::repo();
    sandbox.write("a/file", "");
    sandbox.commit_all("first");
    sandbox.write(".gitignore", LINES);
    sandbox.write("a/.gitignore/file", "");
    let ran = sandbox.stanch(&["check"]).expect_code(2);
    assert!(
        ran.stdout.contains("could not look at a/.gitignore: it is not a regular file"),
        "{}",
        ran.stdout
    );
    let ran = sandbox.stanch(&["check", "--format", "json"]).expect_code(2);
    assert!(ran.stderr.contains("a/.gitignore"), "{}", ran.stderr);
    assert_eq!(ran.json()["verdict"], "incomplete");

    fs::remove_dir_all(sandbox.path().join("a/.gitignore")).unwrap();
    sandbox.stanch(&["check"]).expect_code(0);
    sandbox.write(".git/index", "DIRC and no more");
    assert!(sandbox.stanch(&["check"]).expect_code(2).stderr.contains("index"));
}

#[test]
fn a_missing_key_blob_is_no_clean_answer() {
    let sandbox = Sandbox::repo();
    sandbox.write(".gitignore", LINES);
    sandbox.write("key.pem", private_key());
    sandbox.git(&["add", "--force", "key.pem"]);
    let id = sandbox.git(&["rev-parse", ":key.pem"]);
    fs::remove_file(sandbox.path().join(format!(".git/objects/{}/{}", &id[..2], &id[2..]))).unwrap();
    let ran = sandbox.stanch(&["check"]).expect_code(2);
    assert!(ran.stdout.contains("could not look at key.pem"), "{}", ran.stdout);
}

#[test]
fn the_repository_of_the_environment_is_checked() {
    let sandbox = Sandbox::repo();
    sandbox.write(".gitignore", LINES);
    let elsewhere = Sandbox::new();
    let output = sandbox
        .command(crate::support::stanch())
        .arg("check")
        .current_dir(elsewhere.path())
        .env("GIT_DIR", sandbox.path().join(".git"))
        .env("GIT_WORK_TREE", sandbox.path())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", output.stderr.as_bstr());
}
