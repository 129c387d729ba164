//! `stanch staged`: what the next commit would add, however it is made.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::SystemTime;

use serde_json::Value;
use stanch::git::Repository;
use stanch::git::index::{Index, find_tracked};

use crate::dice::Dice;
use crate::packs::deflated;
use crate::support::{Sandbox, clickup_token, stanch, write_program};

/// Every entry as `git ls-files --stage` writes it, but for the mode, of which the reader keeps the type.
fn listed_by_git(sandbox: &Sandbox, args: &[&str]) -> Vec<String> {
    let args = [&["ls-files", "--stage", "-z"], args].concat();
    sandbox.git(&args).split_terminator('\0').map(|line| line[7..].to_owned()).collect()
}

fn listed(index: &Index) -> Vec<String> {
    index.entries().map(|entry| format!("{} {}\t{}", entry.id, entry.stage, entry.path)).collect()
}

fn index_at(path: &Path, id_bytes: usize) -> Index {
    Index::read(path, path.parent().expect("a git directory"), id_bytes).expect("an index")
}

/// A repository with directories of several depths.
fn tree(sandbox: &Sandbox) {
    for directory in ["", "a/", "a/deep/er/", "a-b/", "a.c/", "z/"] {
        for file in ["one", "two", "dir.x"] {
            sandbox.write(&format!("{directory}{file}"), format!("{directory}{file}\n"));
        }
    }
}

#[test]
fn the_index_is_read_in_every_format() {
    for (name, config) in [
        ("version 2", &[][..]),
        ("version 4", &[("index.version", "4")]),
        ("split", &[("core.splitIndex", "true")]),
        ("no checksum", &[("index.skipHash", "true")]),
        ("many threads", &[("index.threads", "4"), ("core.untrackedCache", "true")]),
    ] {
        let sandbox = Sandbox::repo();
        for (key, value) in config {
            sandbox.git(&["config", key, value]);
        }
        let check = |step: &str| {
            let index = index_at(&sandbox.path().join(".git/index"), sandbox.id_len());
            assert_eq!(listed(&index), listed_by_git(&sandbox, &[]), "{name}, {step}");
        };
        tree(&sandbox);
        sandbox.commit_all("all");
        check("after the first commit");
        sandbox.write("a/one", "changed\n");
        sandbox.write("a/new", "new\n");
        sandbox.write("not-yet", "later\n");
        sandbox.git(&["add", "a"]);
        sandbox.git(&["add", "--intent-to-add", "not-yet"]);
        sandbox.git(&["rm", "--quiet", "z/two", "one"]);
        check("after changes");
        if name == "split" {
            let shared =
                std::fs::read_dir(sandbox.path().join(".git")).expect("a directory").filter(|entry| {
                    entry
                        .as_ref()
                        .expect("an entry")
                        .file_name()
                        .to_string_lossy()
                        .starts_with("sharedindex.")
                });
            assert!(shared.count() > 0, "git has split the index");
        }
    }
}

#[test]
fn long_paths_conflicts_and_sha256_are_read() {
    let sandbox = Sandbox::new();
    sandbox.git(&["init", "--quiet", "--initial-branch=main", "--object-format=sha256"]);
    tree(&sandbox);
    sandbox.commit_all("all");
    // Longer than the field for it, and than some file systems take.
    let long = format!("{}/f", ["x".repeat(200).as_str(); 22].join("/"));
    let id = sandbox.git(&["hash-object", "-w", "a/one"]);
    sandbox.git(&["update-index", "--add", "--cacheinfo", &format!("100644,{id},{long}")]);
    let tracked = find_tracked(&sandbox.path().join("a")).expect("an index").expect("a repository");
    assert_eq!(listed(&tracked.index), listed_by_git(&sandbox, &[":/"]));
    assert_eq!(tracked.path_in_work_dir, Path::new("a"));

    let sandbox = conflict();
    let index = index_at(&sandbox.path().join(".git/index"), sandbox.id_len());
    assert_eq!(listed(&index), listed_by_git(&sandbox, &[]));
    assert!(index.entries().any(|entry| entry.stage == 3));
}

/// A merge that stopped at a conflict in `both`; `theirs` came without one.
fn conflict() -> Sandbox {
    let sandbox = Sandbox::repo();
    sandbox.write("both", "one\ntwo\nthree\n");
    sandbox.commit_all("base");
    sandbox.git(&["switch", "--quiet", "--create", "other"]);
    sandbox.write("both", "one\ntheirs\nthree\n");
    sandbox.write("theirs", "theirs\n");
    sandbox.commit_all("theirs");
    sandbox.git(&["switch", "--quiet", "main"]);
    sandbox.write("both", "one\nours\nthree\n");
    sandbox.commit_all("ours");
    assert_eq!(sandbox.try_git(&["merge", "other"]).code, 1);
    sandbox
}

/// Paths and blobs that `git diff --cached` says a commit would bring.
fn staged_by_git(sandbox: &Sandbox) -> BTreeSet<(String, String)> {
    let raw = sandbox.git(&["diff", "--cached", "--raw", "--no-renames", "--no-abbrev", "-z"]);
    let mut fields = raw.split_terminator('\0');
    let mut staged = BTreeSet::new();
    while let (Some(entry), Some(path)) = (fields.next(), fields.next()) {
        let parts: Vec<&str> = entry.split(' ').collect();
        let [_, mode, old, new, status] = parts[..] else { panic!("an entry of git diff: {entry}") };
        if status != "D" && status != "U" && old != new && mode != "160000" {
            staged.insert((path.to_owned(), new.to_owned()));
        }
    }
    staged
}

fn staged(sandbox: &Sandbox) -> BTreeSet<(String, String)> {
    let repository = Repository::open(&sandbox.path()).expect("a repository");
    let found = repository.staged_changes().expect("a comparison");
    assert!(found.unreadable.is_empty());
    found.changes.iter().map(|change| (change.path.to_string(), change.id.to_string())).collect()
}

#[test]
fn changes_are_those_of_git_diff_whatever_was_done() {
    for (seed, config) in [
        (1, &[][..]),
        (2, &[("index.version", "4")]),
        (3, &[("core.splitIndex", "true")]),
        (4, &[("index.version", "4"), ("core.splitIndex", "true")]),
    ] {
        let sandbox = Sandbox::repo();
        for (key, value) in config {
            sandbox.git(&["config", key, value]);
        }
        let mut dice = Dice::new(seed);
        let paths = ["f", "d", "d/f", "d/e/f", "d/e/g", "d.x", "d-x/f", "e/f/g/h"];
        for step in 0..60 {
            let path = paths[dice.roll(paths.len())];
            match dice.roll(10) {
                0..=4 => {
                    // A file may stand where a directory is wanted, and the other way round.
                    sandbox.try_git(&["rm", "-r", "-f", "--quiet", "--ignore-unmatch", path]);
                    let mut above = Path::new(path);
                    while let Some(parent) = above.parent() {
                        if sandbox.path().join(parent).is_file() {
                            sandbox.git(&["rm", "-f", "--quiet", &parent.to_string_lossy()]);
                        }
                        above = parent;
                    }
                    if !sandbox.path().join(path).exists() {
                        sandbox.write(path, format!("{}\n", dice.roll(4)));
                        sandbox.git(&["add", path]);
                    }
                }
                5 => {
                    sandbox.try_git(&["rm", "-r", "-f", "--quiet", "--ignore-unmatch", path]);
                }
                6 => {
                    sandbox.try_git(&["mv", path, &format!("moved-{step}")]);
                }
                7 => {
                    sandbox.try_git(&["update-index", "--chmod=+x", path]);
                }
                8 => {
                    sandbox.write("later", "later\n");
                    sandbox.try_git(&["add", "--intent-to-add", "later"]);
                }
                _ => {
                    sandbox.try_git(&["commit", "--quiet", "--message", "step"]);
                }
            }
            // git itself may not know of an unborn branch here, so both sides see the same.
            if sandbox.try_git(&["rev-parse", "--verify", "--quiet", "HEAD"]).code == 0 {
                assert_eq!(staged(&sandbox), staged_by_git(&sandbox), "seed {seed}, step {step}");
            }
        }
    }
}

/// From the seventeenth tree on they are read out of the packs without libgit2.
#[test]
fn many_directories_are_compared_with_packed_ones() {
    let sandbox = Sandbox::repo();
    let path = |place: usize, file: usize| format!("dir-{}/sub.{place}/file-{file}", place % 7);
    let write_all = |step: usize| {
        for (place, file) in (0..50).flat_map(|place| (0..30).map(move |file| (place, file))) {
            if file == 0 || (place * 31 + file * 7 + step).is_multiple_of(11) {
                sandbox.write(&path(place, file), format!("{step} {place} {file}\n"));
            }
        }
    };
    for step in 0..4 {
        write_all(step);
        sandbox.commit_all("step");
    }
    sandbox.git(&["repack", "-a", "-d", "-f", "--quiet", "--depth=50"]);
    let index_of_pack = fs::read_dir(sandbox.path().join(".git/objects/pack"))
        .expect("a directory")
        .map(|entry| entry.expect("an entry").path())
        .find(|path| path.extension().is_some_and(|extension| extension == "idx"))
        .expect("a pack");
    let listed = sandbox.git(&["verify-pack", "-v", &index_of_pack.to_string_lossy()]);
    let is_delta = |line: &&str| line.contains(" tree ") && line.split_whitespace().count() == 7;
    assert!(listed.lines().filter(is_delta).count() > 50, "trees are stored as deltas");
    sandbox.git(&["checkout", "--quiet", "HEAD~1"]);
    write_all(9);
    sandbox.git(&["rm", "-r", "--quiet", "-f", "dir-3/sub.3"]);
    sandbox.git(&["add", "--all"]);
    let expected = staged_by_git(&sandbox);
    assert!(expected.len() > 100);
    assert_eq!(staged(&sandbox), expected);

    // Whatever breaks in the pack, nothing is lost without a word.
    let pack = index_of_pack.with_extension("pack");
    let whole = fs::read(&pack).expect("the pack");
    let mut noticed = 0;
    for place in (20..whole.len() - 20).step_by(whole.len() / 60) {
        let mut broken = whole.clone();
        broken[place] ^= 0x55;
        fs::remove_file(&pack).expect("the pack");
        fs::write(&pack, broken).expect("the pack is written");
        let repository = Repository::open(&sandbox.path()).expect("a repository");
        match repository.staged_changes() {
            Err(_) => noticed += 1,
            Ok(found) if !found.unreadable.is_empty() => noticed += 1,
            Ok(_) => assert_eq!(staged(&sandbox), expected, "byte {place}"),
        }
    }
    assert!(noticed > 0, "no byte that matters was changed");
}

/// A repository whose pre-commit hook runs stanch. The hook stores the report and the exit code, and fails
/// with a code of its own when the index is not the same byte for byte afterwards.
struct Hooked {
    sandbox: Sandbox,
}

impl Hooked {
    fn new() -> Self {
        Self::around(Sandbox::repo())
    }

    /// Installs the hook in a repository.
    fn around(sandbox: Sandbox) -> Self {
        let hooked = Self { sandbox };
        let outside = hooked.outside();
        let script = format!(
            "#!/bin/sh\n\
             index=${{GIT_INDEX_FILE:?git names the index}}\n\
             cp \"$index\" '{outside}/before' 2>/dev/null || : >'{outside}/before'\n\
             '{stanch}' staged --format json >'{outside}/report' 2>'{outside}/errors'\n\
             code=$?\n\
             test ! -e \"$index\" || cmp '{outside}/before' \"$index\" || code=99\n\
             echo $code >'{outside}/code'\n\
             exit $code\n",
            stanch = stanch(),
        );
        write_program(&hooked.path().join(".git/hooks/pre-commit"), script);
        hooked
    }

    /// One commit of `files`, made without the hook.
    fn with(files: &[(&str, &str)]) -> Self {
        let hooked = Self::new();
        for (path, content) in files {
            hooked.write(path, content);
        }
        hooked.commit_unchecked("before the hook");
        hooked
    }

    fn outside(&self) -> String {
        self.sandbox.outside().to_str().expect("a UTF-8 path").to_owned()
    }

    fn commit_unchecked(&self, message: &str) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--no-verify", "--allow-empty", "--message", message]);
    }

    /// Runs `git commit` with these arguments and asserts that the hook blocked it over these places.
    #[track_caller]
    fn blocked(&self, args: &[&str], places: &[(&str, u64)]) {
        let before = self.try_git(&["rev-parse", "HEAD"]).stdout;
        let ran = self.try_git(&[&["commit", "--message", "blocked"], args].concat());
        self.expect_hook(1);
        assert_eq!(found(&self.report()), expected(places));
        assert_ne!(ran.code, 0, "git goes on: {}{}", ran.stdout, ran.stderr);
        assert_eq!(self.try_git(&["rev-parse", "HEAD"]).stdout, before, "a commit was made");
    }

    /// Runs `git commit` with these arguments and asserts that the hook let it pass; returns the report.
    #[track_caller]
    fn passes(&self, args: &[&str]) -> Value {
        let before = self.try_git(&["rev-parse", "HEAD"]).stdout;
        let ran = self.try_git(&[&["commit", "--message", "passes"], args].concat());
        self.expect_hook(0);
        assert_eq!(ran.code, 0, "git stops: {}{}", ran.stdout, ran.stderr);
        assert_ne!(self.try_git(&["rev-parse", "HEAD"]).stdout, before, "no commit was made");
        self.report()
    }

    /// The exit code of the hook, which must have run.
    #[track_caller]
    fn expect_hook(&self, code: i32) {
        let file = format!("{}/code", self.outside());
        let ran = fs::read_to_string(&file).expect("the hook ran");
        fs::remove_file(file).expect("a file to remove");
        let errors = fs::read_to_string(format!("{}/errors", self.outside())).expect("a file of the hook");
        assert_eq!(ran.trim(), code.to_string(), "{errors}");
    }

    fn report(&self) -> Value {
        let text = fs::read_to_string(format!("{}/report", self.outside())).expect("a report");
        serde_json::from_str(&text).expect("the report is JSON")
    }
}

impl std::ops::Deref for Hooked {
    type Target = Sandbox;

    fn deref(&self) -> &Sandbox {
        &self.sandbox
    }
}

/// Path and line of each finding.
fn found(report: &Value) -> Vec<(String, u64)> {
    let finding = |finding: &Value| {
        let path = finding["path"].as_str().expect("a path");
        (path.to_owned(), finding["line"].as_u64().expect("a line"))
    };
    report["findings"].as_array().expect("findings").iter().map(finding).collect()
}

fn expected(places: &[(&str, u64)]) -> Vec<(String, u64)> {
    places.iter().map(|&(path, line)| (path.to_owned(), line)).collect()
}

/// `first` lines of text, a line with a secret, and three lines more.
fn secret_after(first: usize, seed: u64) -> String {
    let mut text: String = (1..=first).map(|line| format!("line {line}\n")).collect();
    text.push_str(&secret_line(seed));
    text.push_str("one more\ntwo more\nthree more\n");
    text
}

fn secret_line(seed: u64) -> String {
    format!("token = {}\n", clickup_token(seed))
}

/// What `stanch staged` says without a hook.
#[track_caller]
fn staged_report(sandbox: &Sandbox, code: i32) -> Value {
    sandbox.stanch(&["staged", "--format", "json"]).expect_code(code).json()
}

#[test]
fn a_plain_commit_is_blocked_at_the_line() {
    let hooked = Hooked::with(&[("old", "old\n")]);
    hooked.write("dir/new", secret_after(4, 1));
    hooked.write("unstaged", secret_line(2));
    hooked.git(&["add", "dir"]);
    hooked.blocked(&[], &[("dir/new", 5)]);
    hooked.write("dir/new", "clean\n");
    hooked.git(&["add", "dir"]);
    let report = hooked.passes(&[]);
    assert_eq!(report["coverage"]["files"], 1);
    assert_eq!(report["coverage"]["bytes"], 6);
}

#[test]
fn the_first_commit_counts_in_full() {
    let hooked = Hooked::new();
    hooked.write("a", secret_after(0, 1));
    hooked.write("b", secret_after(2, 2));
    hooked.git(&["add", "--all"]);
    hooked.blocked(&[], &[("a", 1), ("b", 3)]);
    hooked.git(&["rm", "--quiet", "--cached", "a", "b"]);
    hooked.write("c", "clean\n");
    hooked.git(&["add", "c"]);
    hooked.passes(&[]);
}

#[test]
fn only_the_added_lines_count() {
    let old = secret_after(3, 1);
    let hooked = Hooked::with(&[("file", &old)]);
    hooked.write("file", format!("new first line\n{old}last line\n"));
    hooked.passes(&["--all"]);
    hooked.write("file", format!("{}{old}{}", "a line\n".repeat(7), secret_line(2)));
    hooked.blocked(&["--all"], &[("file", 15)]);
    // The same secret once more is a new line too.
    hooked.write("file", format!("{}{}", old, secret_line(1)));
    hooked.blocked(&["--all"], &[("file", 8)]);
}

#[test]
fn line_ends_alone_are_no_change() {
    let old = secret_after(3, 1);
    let hooked = Hooked::with(&[("file", old.trim_end())]);
    hooked.write("file", old.replace('\n', "\r\n"));
    hooked.passes(&["--all"]);
    hooked.write("file", format!("{}added\n", old));
    hooked.passes(&["--all"]);
}

#[test]
fn commit_all_takes_the_working_tree() {
    let hooked = Hooked::with(&[("tracked", "one\ntwo\n")]);
    hooked.write("tracked", format!("one\n{}two\n", secret_line(1)));
    hooked.write("untracked", secret_line(2));
    hooked.blocked(&["--all"], &[("tracked", 2)]);
    assert_eq!(staged_report(&hooked, 0)["coverage"]["files"], 0, "git left the index as it was");
}

#[test]
fn commit_of_a_path_leaves_out_what_else_is_staged() {
    let hooked = Hooked::with(&[("a", "one\n"), ("b", "one\n")]);
    hooked.write("a", secret_line(1));
    hooked.git(&["add", "a"]);
    hooked.write("b", "two\n");
    hooked.passes(&["b"]);
    hooked.write("b", format!("two\n{}", secret_line(2)));
    hooked.blocked(&["b"], &[("b", 2)]);
    hooked.blocked(&["--include", "b"], &[("a", 1), ("b", 2)]);
    fs::create_dir(hooked.path().join("below")).expect("a directory");
    let mut below = hooked.command("git");
    below.args(["commit", "--message", "from below", "../b"]).current_dir(hooked.path().join("below"));
    assert!(!below.output().expect("git runs").status.success());
    hooked.expect_hook(1);
    assert_eq!(found(&hooked.report()), expected(&[("b", 2)]));
}

#[test]
fn commit_patch_takes_the_chosen_hunks() {
    let lines: String = (1..=40).map(|line| format!("line {line}\n")).collect();
    let hooked = Hooked::with(&[("file", &lines)]);
    hooked.write("file", format!("harmless\n{lines}{}", secret_line(1)));
    let commit_patch = |answers: &str| {
        let mut command = hooked.command("git");
        command.args(["commit", "--message", "chosen", "--patch"]).stdin(Stdio::piped());
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("git starts");
        child.stdin.take().expect("a pipe").write_all(answers.as_bytes()).expect("git reads");
        child.wait().expect("git ends").success()
    };
    assert!(!commit_patch("n\ny\n"));
    hooked.expect_hook(1);
    assert_eq!(found(&hooked.report()), expected(&[("file", 41)]));
    assert!(commit_patch("y\nn\n"));
    hooked.expect_hook(0);
}

#[test]
fn amending_brings_what_is_staged_on_top() {
    let hooked = Hooked::with(&[("file", &secret_after(3, 1))]);
    hooked.write("other", "clean\n");
    hooked.git(&["add", "other"]);
    hooked.passes(&["--amend"]);
    hooked.write("other", format!("clean\n{}", secret_line(2)));
    hooked.git(&["add", "other"]);
    hooked.blocked(&["--amend"], &[("other", 2)]);
}

#[test]
fn a_conflict_must_be_resolved_and_its_resolution_counts() {
    let hooked = Hooked::around(conflict());
    let report = staged_report(&hooked, 2);
    assert_eq!(report["coverage"]["problems"][0]["name"], "both");
    assert!(report["coverage"]["problems"][0]["message"].as_str().expect("a text").contains("conflict"));
    assert_eq!(report["coverage"]["files"], 1, "what merged without a conflict is read: {report}");

    hooked.write("both", format!("one\n{}three\n", secret_line(1)));
    hooked.git(&["add", "both"]);
    hooked.blocked(&[], &[("both", 2)]);
    hooked.write("both", "one\nresolved\nthree\n");
    hooked.git(&["add", "both"]);
    hooked.passes(&[]);
    assert_eq!(hooked.git(&["rev-list", "--parents", "-1", "HEAD"]).split(' ').count(), 3, "a merge");
}

#[test]
fn a_secret_of_the_other_side_of_a_merge_counts() {
    let sandbox = Sandbox::repo();
    sandbox.write("base", "base\n");
    sandbox.commit_all("base");
    sandbox.git(&["switch", "--quiet", "--create", "other"]);
    sandbox.write("theirs", secret_after(1, 1));
    sandbox.commit_all("theirs");
    sandbox.git(&["switch", "--quiet", "main"]);
    sandbox.write("ours", "ours\n");
    sandbox.commit_all("ours");
    sandbox.git(&["merge", "--quiet", "--no-commit", "other"]);
    assert_eq!(found(&staged_report(&sandbox, 1)), expected(&[("theirs", 2)]));
}

#[test]
fn a_moved_file_brings_only_its_new_lines() {
    let old = secret_after(9, 1);
    let hooked = Hooked::with(&[("old", &old), ("kept", &secret_after(2, 3))]);
    hooked.git(&["mv", "old", "same"]);
    hooked.passes(&[]);
    hooked.git(&["mv", "same", "similar"]);
    hooked.write("similar", format!("first\n{old}"));
    hooked.passes(&["--all"]);
    hooked.git(&["mv", "similar", "worse"]);
    hooked.write("worse", format!("first\n{old}{}", secret_line(2)));
    hooked.git(&["add", "--all"]);
    hooked.blocked(&[], &[("worse", 15)]);
    hooked.git(&["reset", "--quiet", "--hard"]);
    // Nothing of the old file to speak of is left, and a copy is no move.
    hooked.git(&["rm", "--quiet", "similar"]);
    hooked.write("unlike", format!("{}{}", "nothing of it\n".repeat(30), secret_line(1)));
    hooked.write("copy", secret_after(2, 3));
    hooked.git(&["add", "--all"]);
    hooked.blocked(&[], &[("copy", 3), ("unlike", 31)]);
}

#[test]
fn modes_and_deletions_bring_nothing() {
    let hooked = Hooked::with(&[("a", &secret_after(3, 1)), ("b", &secret_after(3, 2)), ("c", "c\n")]);
    hooked.git(&["update-index", "--chmod=+x", "a"]);
    hooked.git(&["rm", "--quiet", "b"]);
    let report = hooked.passes(&[]);
    assert_eq!(report["coverage"]["files"], 0);
    // A changed file is compared although its mode changed as well.
    hooked.write("a", format!("first\n{}", secret_after(3, 1)));
    hooked.git(&["add", "a"]);
    hooked.git(&["update-index", "--chmod=-x", "a"]);
    hooked.passes(&[]);
}

#[test]
fn an_intent_to_add_is_nothing_yet() {
    let hooked = Hooked::with(&[("a", "one\n")]);
    hooked.write("later", secret_line(1));
    hooked.git(&["add", "--intent-to-add", "later"]);
    hooked.write("a", "two\n");
    hooked.git(&["add", "a"]);
    hooked.passes(&[]);
    hooked.blocked(&["--all"], &[("later", 1)]);
}

#[test]
fn a_link_to_another_repository_is_skipped_and_counted() {
    let hooked = Hooked::with(&[("a", "one\n")]);
    let commit = hooked.git(&["rev-parse", "HEAD"]);
    hooked.git(&["update-index", "--add", "--cacheinfo", &format!("160000,{commit},sub")]);
    let report = hooked.passes(&[]);
    assert_eq!(report["coverage"]["skipped"]["counts"]["submodule"], 1);
    hooked.write("a", "two\n");
    let report = hooked.passes(&["a"]);
    assert_eq!(report["coverage"]["skipped"]["counts"].get("submodule"), None, "an old link is no news");
}

#[cfg(unix)]
#[test]
fn the_target_of_a_symbolic_link_is_scanned() {
    use std::os::unix::fs::symlink;
    let hooked = Hooked::with(&[("a", "one\n")]);
    symlink(format!("https://example.org/?key={}", clickup_token(1)), hooked.path().join("link"))
        .expect("a link");
    symlink("a", hooked.path().join("fine")).expect("a link");
    hooked.git(&["add", "--all"]);
    hooked.blocked(&[], &[("link", 1)]);
}

#[test]
fn a_linked_worktree_has_an_index_of_its_own() {
    let hooked = Hooked::with(&[("a", "one\n")]);
    let linked = format!("{}/linked", hooked.outside());
    hooked.git(&["worktree", "add", "--quiet", &linked]);
    fs::write(format!("{linked}/b"), secret_after(2, 1)).expect("a file");
    hooked.write("c", secret_line(2));
    hooked.git(&["add", "c"]);
    hooked.git(&["-C", &linked, "add", "b"]);
    assert_ne!(hooked.try_git(&["-C", &linked, "commit", "--message", "blocked"]).code, 0);
    hooked.expect_hook(1);
    assert_eq!(found(&hooked.report()), expected(&[("b", 3)]));
    // Without the environment of a hook, from a directory below.
    fs::create_dir(format!("{linked}/below")).expect("a directory");
    let below = PathBuf::from(format!("{linked}/below"));
    let ran = hooked.stanch_in(&below, &["staged", "--format", "json"]).expect_code(1);
    assert_eq!(found(&ran.json()), expected(&[("b", 3)]));
    hooked.blocked(&[], &[("c", 1)]);
}

#[test]
fn a_sparse_checkout_is_compared_without_its_files() {
    for sparse_index in ["--no-sparse-index", "--sparse-index"] {
        let hooked = Hooked::with(&[
            ("in/a", "one\n"),
            ("out/b", &secret_after(1, 1)),
            ("out/deep/c", &secret_after(2, 2)),
            ("top", "top\n"),
        ]);
        hooked.git(&["sparse-checkout", "set", "--cone", sparse_index, "in"]);
        assert!(!hooked.path().join("out").exists());
        let collapsed = hooked.git(&["ls-files", "--sparse"]).contains("out/\n");
        assert_eq!(collapsed, sparse_index == "--sparse-index", "the index is of the kind that is tested");
        hooked.write("in/a", format!("one\n{}", secret_line(3)));
        hooked.blocked(&["--all"], &[("in/a", 2)]);
        hooked.write("in/a", "two\n");
        let report = hooked.passes(&["--all"]);
        assert_eq!(report["coverage"]["files"], 1);

        // HEAD moves to a commit without these files, while the index keeps them, collapsed or not.
        let tree = hooked.git(&["write-tree"]);
        hooked.git(&["rm", "--quiet", "-r", "--sparse", "out"]);
        hooked.git(&["commit", "--quiet", "--no-verify", "--message", "without"]);
        hooked.git(&["read-tree", &tree]);
        hooked.git(&["sparse-checkout", "reapply", sparse_index]);
        let collapsed = hooked.git(&["ls-files", "--sparse"]).contains("out/\n");
        assert_eq!(collapsed, sparse_index == "--sparse-index");
        hooked.blocked(&[], &[("out/b", 2), ("out/deep/c", 3)]);
    }
}

#[test]
fn a_split_index_is_read_in_a_hook() {
    let hooked = Hooked::with(&[("a", "one\n"), ("b", "one\n")]);
    hooked.git(&["config", "core.splitIndex", "true"]);
    hooked.git(&["update-index", "--split-index"]);
    hooked.write("a", format!("one\n{}", secret_line(1)));
    hooked.git(&["add", "a"]);
    hooked.blocked(&[], &[("a", 2)]);
    hooked.blocked(&["--all"], &[("a", 2)]);
    hooked.write("a", "two\n");
    hooked.passes(&["--all"]);
}

#[test]
fn the_index_counts_and_not_the_working_tree() {
    let hooked = Hooked::with(&[("a", "one\n"), ("b", "one\n")]);
    hooked.write("a", secret_after(1, 1));
    hooked.git(&["add", "a"]);
    hooked.write("a", "clean again\n");
    hooked.blocked(&[], &[("a", 2)]);
    hooked.git(&["reset", "--quiet"]);
    hooked.write("b", "two\n");
    hooked.git(&["add", "b"]);
    hooked.write("b", secret_line(2));
    hooked.passes(&[]);
}

#[test]
fn clean_filters_have_run_and_do_not_run_again() {
    let hooked = Hooked::with(&[("a", "one\n")]);
    hooked.write(
        ".gitattributes",
        "*.clean filter=clean\n*.leak filter=leak\n*.big filter=pointer\n*.crlf text eol=crlf\n",
    );
    hooked.commit_unchecked("attributes");
    let ran = format!("{}/filter-ran", hooked.outside());
    let config = |name: &str, command: &str| {
        hooked.git(&["config", &format!("filter.{name}.clean"), &format!("touch '{ran}'; {command}")]);
    };
    fs::write(format!("{}/leak", hooked.outside()), secret_after(1, 2)).expect("a file");
    config("clean", "sed s/token.*/removed/");
    config("leak", &format!("cat '{}/leak'", hooked.outside()));
    config(
        "pointer",
        "printf 'version https://git-lfs.github.com/spec/v1\\noid sha256:%064d\\nsize 12345\\n' 7",
    );
    hooked.write("x.clean", secret_line(1));
    hooked.write("x.big", secret_line(1));
    hooked.git(&["add", "--all"]);
    assert!(Path::new(&ran).exists(), "git runs the filter");
    fs::remove_file(&ran).expect("a file to remove");
    let report = staged_report(&hooked, 0);
    assert_eq!(report["coverage"]["files"], 2);
    hooked.passes(&[]);
    hooked.write("x.leak", "clean here\n");
    hooked.write("x.crlf", secret_after(3, 3).replace('\n', "\r\n"));
    hooked.git(&["add", "--all"]);
    fs::remove_file(&ran).expect("a file to remove");
    assert_eq!(found(&staged_report(&hooked, 1)), expected(&[("x.crlf", 4), ("x.leak", 2)]));
    assert!(!Path::new(&ran).exists(), "stanch runs none");
    hooked.blocked(&[], &[("x.crlf", 4), ("x.leak", 2)]);
}

#[test]
fn the_environment_names_index_and_repository() {
    let sandbox = Sandbox::repo();
    sandbox.write("dir/a", "one\n");
    sandbox.commit_all("base");
    let run = |program: &str, dir: &Path, vars: &[(&str, &str)], args: &[&str]| {
        let mut command = sandbox.command(program);
        let output =
            command.current_dir(dir).envs(vars.iter().copied()).args(args).output().expect("it runs");
        (output.status.code(), String::from_utf8(output.stdout).expect("UTF-8"))
    };
    let top = sandbox.path();
    // An index beside the usual one, named relative to the top and absolute.
    sandbox.write("dir/a", secret_after(1, 1));
    let own = [("GIT_INDEX_FILE", "own-index")];
    assert_eq!(run("git", &top, &own, &["read-tree", "HEAD"]).0, Some(0));
    assert_eq!(run("git", &top, &own, &["add", "dir/a"]).0, Some(0));
    staged_report(&sandbox, 0);
    let absolute = top.join("own-index");
    let absolute = [("GIT_INDEX_FILE", absolute.to_str().expect("UTF-8"))];
    for (dir, vars) in [(&top, &own), (&top.join("dir"), &own), (&top.join("dir"), &absolute)] {
        let (code, report) = run(stanch(), dir, vars, &["staged", "--format", "json"]);
        assert_eq!(code, Some(1), "{dir:?} {vars:?}");
        assert_eq!(found(&serde_json::from_str(&report).expect("JSON")), expected(&[("dir/a", 2)]));
    }
    // A repository from elsewhere.
    let git_dir = top.join(".git");
    let elsewhere = [
        ("GIT_DIR", git_dir.to_str().expect("UTF-8")),
        ("GIT_WORK_TREE", top.to_str().expect("UTF-8")),
        ("GIT_INDEX_FILE", "own-index"),
    ];
    let (code, report) = run(stanch(), sandbox.outside(), &elsewhere, &["staged", "--format", "json"]);
    assert_eq!(code, Some(1));
    assert_eq!(found(&serde_json::from_str(&report).expect("JSON")), expected(&[("dir/a", 2)]));
    // An index that is not there is empty: the commit would delete everything and bring nothing.
    let (code, _) = run(stanch(), &top, &[("GIT_INDEX_FILE", "none")], &["staged", "--format", "json"]);
    assert_eq!(code, Some(0));
}

#[test]
fn nothing_is_written_and_a_lock_is_no_obstacle() {
    let sandbox = Sandbox::repo();
    sandbox.write("a", "one\n");
    sandbox.commit_all("base");
    sandbox.write("a", secret_line(1));
    sandbox.git(&["add", "a"]);
    // Stat data that no longer fits, which git status would refresh.
    sandbox.write("a", secret_line(1));
    let state = || {
        let mut files: Vec<(PathBuf, Vec<u8>, SystemTime)> = Vec::new();
        let mut open = vec![sandbox.path()];
        while let Some(dir) = open.pop() {
            for entry in fs::read_dir(dir).expect("a directory") {
                let path = entry.expect("an entry").path();
                let metadata = fs::symlink_metadata(&path).expect("metadata");
                if metadata.is_dir() {
                    open.push(path);
                } else {
                    let content = fs::read(&path).expect("a file");
                    files.push((path, content, metadata.modified().expect("a time")));
                }
            }
        }
        files.sort();
        files
    };
    let before = state();
    staged_report(&sandbox, 1);
    assert!(before == state(), "some file changed");
    assert!(!sandbox.path().join(".git/index.lock").exists());
    sandbox.write(".git/index.lock", "");
    assert_eq!(found(&staged_report(&sandbox, 1)), expected(&[("a", 1)]));
}

/// Removes a loose object from the database.
fn remove_object(sandbox: &Sandbox, revision: &str) {
    let id = sandbox.git(&["rev-parse", revision]);
    let file = sandbox.path().join(format!(".git/objects/{}/{}", &id[..2], &id[2..]));
    fs::remove_file(file).expect("a loose object");
}

#[test]
fn missing_and_damaged_objects_are_errors() {
    let prepare = || {
        let sandbox = Sandbox::repo();
        sandbox.write("dir/a", secret_after(2, 1));
        sandbox.write("b", "old\n");
        sandbox.commit_all("base");
        sandbox.write("dir/a", format!("first\n{}", secret_after(2, 1)));
        sandbox.write("b", format!("new\n{}", secret_line(2)));
        sandbox.git(&["add", "--all"]);
        sandbox
    };
    // Each with the findings that are still right: what cannot be compared counts in full.
    for (revision, problem, places) in [
        (":dir/a", "dir/a", &[("b", 2)][..]),
        ("HEAD:dir/a", "dir/a", &[("b", 2), ("dir/a", 4)]),
        ("HEAD:dir", "dir", &[("b", 2), ("dir/a", 4)]),
        ("HEAD^{tree}", "HEAD", &[("b", 2), ("dir/a", 4)]),
    ] {
        let sandbox = prepare();
        remove_object(&sandbox, revision);
        let report = staged_report(&sandbox, 2);
        assert_eq!(report["coverage"]["problems"][0]["name"], problem, "{revision}: {report}");
        assert_eq!(report["coverage"]["problems"].as_array().expect("problems").len(), 1, "{revision}");
        assert_eq!(found(&report), expected(places), "{revision}");
    }
    let sandbox = prepare();
    remove_object(&sandbox, "HEAD");
    sandbox.stanch(&["staged"]).expect_code(2);

    let sandbox = prepare();
    let id = sandbox.git(&["rev-parse", ":b"]);
    let other = sandbox.git(&["rev-parse", ":dir/a"]);
    let file = |id: &str| sandbox.path().join(format!(".git/objects/{}/{}", &id[..2], &id[2..]));
    fs::remove_file(file(&id)).expect("a loose object");
    fs::copy(file(&other), file(&id)).expect("another object under this name");
    let report = staged_report(&sandbox, 2);
    assert_eq!(report["coverage"]["problems"][0]["name"], "b", "{report}");
}

#[test]
fn a_blob_that_fills_the_memory_is_a_problem_until_it_is_left_out() {
    let sandbox = Sandbox::repo();
    sandbox.write("giant", "x\n");
    sandbox.write("secret", secret_line(2));
    sandbox.git(&["add", "--all"]);
    // Nobody gets to see that there is less than the head says.
    let id = sandbox.git(&["rev-parse", ":giant"]);
    let file = sandbox.path().join(format!(".git/objects/{}/{}", &id[..2], &id[2..]));
    fs::remove_file(&file).unwrap();
    fs::write(&file, deflated(b"blob 3221225472\0x\n")).unwrap();
    let report = staged_report(&sandbox, 2);
    let problem = &report["coverage"]["problems"][0];
    assert_eq!(problem["name"], "giant");
    let message = problem["message"].as_str().expect("text");
    assert!(message.contains("3221225472") && message.contains("--max-file-bytes"), "{message}");
    assert_eq!(found(&report), expected(&[("secret", 1)]));
    let ran = sandbox.stanch(&["staged", "--max-file-bytes", "1G", "--format", "json"]).expect_code(1);
    assert_eq!(ran.json()["coverage"]["skipped"]["counts"]["too-large"], 1);
}

#[test]
fn without_a_readable_index_nothing_is_clean() {
    let sandbox = Sandbox::repo();
    sandbox.write("a", "one\n");
    sandbox.commit_all("base");
    let index = fs::read(sandbox.path().join(".git/index")).expect("an index");
    for damaged in [&index[..40], b"no index at all, but long enough for one", b""] {
        sandbox.write(".git/index", damaged);
        sandbox.stanch(&["staged"]).expect_code(2);
    }
    fs::remove_file(sandbox.path().join(".git/index")).expect("an index");
    fs::create_dir(sandbox.path().join(".git/index")).expect("a directory");
    sandbox.stanch(&["staged"]).expect_code(2);

    Sandbox::new().stanch(&["staged"]).expect_code(2);
    let bare = Sandbox::new();
    bare.git(&["init", "--quiet", "--bare"]);
    bare.stanch(&["staged"]).expect_code(2);
}

#[test]
fn binaries_are_counted_and_utf16_is_read() {
    let hooked = Hooked::with(&[("a", "one\n")]);
    hooked.write("picture", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR");
    let wide = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    hooked.write("wide", wide(&format!("\u{FEFF}{}", secret_after(2, 1))));
    hooked.git(&["add", "--all"]);
    hooked.blocked(&[], &[("wide", 3)]);
    assert_eq!(hooked.report()["coverage"]["skipped"]["counts"]["binary"], 1);
    hooked.commit_unchecked("all the same");
    hooked.write("wide", wide(&format!("\u{FEFF}first\n{}", secret_after(2, 1))));
    hooked.passes(&["--all"]);
}

#[test]
fn threads_make_no_difference() {
    let sandbox = Sandbox::repo();
    sandbox.write("base", "base\n");
    sandbox.commit_all("base");
    for file in 0..90 {
        sandbox.write(&format!("d{}/f{file}", file % 7), secret_after(file, file as u64));
    }
    sandbox.write("binary", [0; 20]);
    sandbox.git(&["add", "--all"]);
    let run = |threads| {
        let ran = sandbox.stanch(&["staged", "--format", "json", "--threads", threads]).expect_code(1);
        assert_eq!(found(&ran.json()).len(), 90);
        ran.stdout
    };
    assert_eq!(run("1"), run("8"));
}
