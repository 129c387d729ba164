//! Repositories as they are found in the wild, made by git itself. Each is read in full, or refused in words with exit
//! code 2; never is a secret passed by.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use bstr::ByteSlice;
use serde_json::Value;

use crate::support::{Ran, Sandbox, clickup_token};

fn secret_line(seed: u64) -> String {
    format!("clickup = \"{}\"\n", clickup_token(seed))
}

/// Paths of the findings.
fn found(report: &Value) -> BTreeSet<String> {
    let findings = report["findings"].as_array().expect("findings");
    findings.iter().map(|finding| finding["path"].as_str().expect("a path").to_owned()).collect()
}

#[track_caller]
fn report(sandbox: &Sandbox, args: &[&str], code: i32) -> Value {
    sandbox.stanch(&[args, &["--format", "json"]].concat()).expect_code(code).json()
}

/// Names of the objects of all findings of a history, by their redacted secrets' fingerprints.
fn fingerprints(report: &Value) -> BTreeSet<String> {
    let findings = report["findings"].as_array().expect("findings");
    findings.iter().map(|finding| finding["fingerprint"].as_str().expect("one").to_owned()).collect()
}

#[track_caller]
fn git_with_input(sandbox: &Sandbox, args: &[&str], input: &[u8]) -> String {
    use std::io::Write as _;
    use std::process::Stdio;
    let mut command = sandbox.command("git");
    let mut child =
        command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("git starts");
    child.stdin.take().expect("a pipe").write_all(input).expect("git reads");
    let output = child.wait_with_output().expect("git ends");
    assert!(output.status.success(), "git {args:?}");
    String::from_utf8(output.stdout).expect("text").trim_end().to_owned()
}

/// Found, or refused with the way out; the files are read in any case.
#[track_caller]
fn found_or_refused(sandbox: &Sandbox, args: &[&str], way_out: &str) {
    let ran = sandbox.stanch(args);
    match ran.code {
        1 => assert!(ran.stdout.contains("clickup-personal-token"), "{ran:?}"),
        2 => assert!(ran.stderr.contains(way_out), "{ran:?}"),
        _ => panic!("{args:?}: {ran:?}"),
    }
}

#[test]
fn other_stores_of_refs_are_read_or_refused_with_the_way_out() {
    let sandbox = Sandbox::new();
    let made = sandbox.try_git(&["init", "--quiet", "--initial-branch=main", "--ref-format=reftable"]);
    if made.code != 0 {
        assert!(made.stderr.contains("unknown option"), "this git is too old: {made:?}");
        return;
    }
    sandbox.write("committed.txt", secret_line(1));
    sandbox.write(".gitignore", "tracked.txt\n");
    sandbox.commit_all("first");
    sandbox.write("staged.txt", secret_line(2));
    sandbox.write("tracked.txt", secret_line(3));
    sandbox.git(&["add", "--force", "staged.txt", "tracked.txt"]);
    let files = found(&report(&sandbox, &["scan"], 1));
    assert_eq!(files, ["committed.txt", "staged.txt", "tracked.txt"].map(String::from).into());
    for args in [&["staged"][..], &["history"], &["history", "HEAD"], &["hook", "run", "pre-commit"]] {
        found_or_refused(&sandbox, args, "git refs migrate");
    }
    // The way out works.
    if sandbox.try_git(&["refs", "migrate", "--ref-format=files"]).code == 0 {
        assert_eq!(found(&report(&sandbox, &["history"], 1)).len(), 3);
        assert_eq!(found(&report(&sandbox, &["staged"], 1)).len(), 2);
    }
}

/// Git can keep the names of the other length beside those that objects have.
#[test]
fn names_of_both_lengths_are_refused_with_the_way_out() {
    let sandbox = Sandbox::repo_with_names(32);
    sandbox.git(&["config", "extensions.compatObjectFormat", "sha1"]);
    sandbox.write("committed.txt", secret_line(1));
    let made = match sandbox.try_git(&["add", "committed.txt"]) {
        added if added.code == 0 => sandbox.try_git(&["commit", "--quiet", "--message", "first"]),
        refused => refused,
    };
    // Not every git can.
    let is_refused =
        ["unknown repository extension", "support requires Rust"].iter().any(|why| made.stderr.contains(why));
    assert!(made.code == 0 || is_refused, "{made:?}");
    assert_eq!(found(&report(&sandbox, &["scan"], 1)), ["committed.txt".to_owned()].into());
    found_or_refused(&sandbox, &["history"], "git config --unset extensions.compatObjectFormat");
    if made.code == 0 {
        // The way out works.
        sandbox.git(&["config", "--unset", "extensions.compatObjectFormat"]);
        assert_eq!(found(&report(&sandbox, &["history"], 1)), ["committed.txt".to_owned()].into());
    }
}

#[test]
fn what_grafts_and_replacements_hide_is_found() {
    let sandbox = Sandbox::repo();
    sandbox.write("a.txt", "nothing\n");
    sandbox.commit_all("first");
    sandbox.write("b.txt", secret_line(10));
    sandbox.commit_all("second");
    sandbox.git(&["rm", "--quiet", "b.txt"]);
    sandbox.commit_all("third");
    sandbox.write("c.txt", secret_line(20));
    sandbox.commit_all("fourth");
    let [first, third] = ["HEAD~3", "HEAD~1"].map(|name| sandbox.git(&["rev-parse", name]));
    let before = fingerprints(&report(&sandbox, &["history"], 1));
    assert_eq!(before.len(), 2);
    // git log no longer shows the second commit; the blob of the fourth is replaced by an empty one.
    sandbox.write(".git/info/grafts", format!("{third} {first}\n"));
    let blob = sandbox.git(&["rev-parse", "HEAD:c.txt"]);
    let empty = git_with_input(&sandbox, &["hash-object", "-w", "--stdin"], b"harmless\n");
    sandbox.git(&["replace", &blob, &empty]);
    assert_eq!(sandbox.git(&["rev-list", "--count", "HEAD"]), "3", "git honours the graft");
    assert_eq!(sandbox.git(&["cat-file", "-p", &blob]), "harmless", "and the replacement");
    let range = format!("{first}..HEAD");
    for args in [&["history"][..], &["history", "--reachable-only"], &["history", &range]] {
        assert_eq!(fingerprints(&report(&sandbox, args, 1)), before, "{args:?}");
    }
    // The index names the true blob.
    sandbox.git(&["checkout", "--quiet", "--orphan", "other"]);
    assert!(found(&report(&sandbox, &["staged"], 1)).contains("c.txt"));
}

#[test]
fn a_repository_without_tree_commit_or_branch_is_what_it_is() {
    let bare = Sandbox::new();
    bare.git(&["init", "--quiet", "--bare", "--initial-branch=main"]);
    report(&bare, &["history"], 0);
    bare.stanch(&["staged"]).expect_code(2);
    let unborn = Sandbox::repo();
    report(&unborn, &["staged"], 0);
    report(&unborn, &["history"], 0);
    unborn.write("a.txt", secret_line(30));
    unborn.git(&["add", "--all"]);
    assert_eq!(found(&report(&unborn, &["staged"], 1)), ["a.txt".to_owned()].into());
    assert_eq!(found(&report(&unborn, &["history"], 1)).len(), 1, "a blob in the database");
    unborn.commit_all("first");
    unborn.git(&["push", "--quiet", bare.path().to_str().expect("plain"), "main"]);
    assert_eq!(found(&report(&bare, &["history"], 1)), ["a.txt".to_owned()].into());
    unborn.git(&["checkout", "--quiet", "--detach"]);
    unborn.git(&["branch", "--quiet", "--delete", "--force", "main"]);
    unborn.write("b.txt", secret_line(40));
    unborn.git(&["add", "--all"]);
    assert_eq!(found(&report(&unborn, &["staged"], 1)), ["b.txt".to_owned()].into());
    assert_eq!(found(&report(&unborn, &["history", "HEAD"], 1)), ["a.txt".to_owned()].into());
    // A HEAD that is no name at all.
    fs::write(unborn.path().join(".git/HEAD"), "nonsense\n").expect("a written file");
    for args in [&["staged"][..], &["history"], &["hook", "run", "pre-commit"]] {
        assert_eq!(unborn.stanch(args).code, 2, "{args:?}");
    }
}

/// Names that a file system may refuse, straight into the index.
#[test]
fn every_name_that_git_takes_is_read() {
    let sandbox = Sandbox::repo();
    let long = ["d".repeat(250).as_str(); 20].join("/");
    assert!(long.len() > 4096);
    let names: [&[u8]; 14] = [
        long.as_bytes(),
        b"not\xFF\xFEutf8",
        b"escape\x1B[2J\x1B]0;title\x07",
        b"line\nend\r",
        b"tab\tquote\"back\\slash'",
        b"-rf",
        b"--output=x",
        b" space at both ends ",
        b"Case.txt",
        b"case.txt",
        "caf\u{e9}".as_bytes(),
        "cafe\u{301}".as_bytes(),
        "\u{202e}txt.exe".as_bytes(),
        b"::error::file",
    ];
    let mut input = Vec::new();
    for (number, name) in names.iter().enumerate() {
        let line = secret_line(1000 + 10 * number as u64);
        let blob = git_with_input(&sandbox, &["hash-object", "-w", "--stdin"], line.as_bytes());
        input.extend_from_slice(format!("100644 {blob}\t").as_bytes());
        input.extend_from_slice(name);
        input.push(0);
    }
    git_with_input(&sandbox, &["update-index", "-z", "--index-info"], &input);
    let listed = sandbox.command("git").args(["ls-files", "-z"]).output().expect("git runs").stdout;
    let listed: BTreeSet<&[u8]> = listed.split_str("\0").filter(|name| !name.is_empty()).collect();
    assert_eq!(listed, names.into_iter().collect(), "git took them all");
    let staged = report(&sandbox, &["staged"], 1);
    assert_eq!(staged["finding_count"], names.len());
    let tree = sandbox.git(&["write-tree"]);
    let commit = sandbox.git(&["commit-tree", "-m", "all", &tree]);
    sandbox.git(&["update-ref", "HEAD", &commit]);
    for args in [&["history"][..], &["history", "HEAD"], &["history", "--no-delta"]] {
        let history = report(&sandbox, args, 1);
        assert_eq!(history["finding_count"], names.len(), "{args:?}");
        assert_eq!(found(&history), found(&staged), "{args:?}");
    }
    // Nothing of it steers a terminal or a log.
    for format in ["human", "github", "csv", "html"] {
        let ran = sandbox.stanch(&["history", "--format", format, "--color", "never"]);
        assert_eq!(ran.code, 1, "{format}");
        assert!(!ran.stdout.contains(['\x1B', '\u{7}', '\u{202e}']), "{format}");
        let is_command = |line: &str| line.starts_with("::error::file");
        assert!(format == "human" || !ran.stdout.lines().any(is_command), "{format}");
    }
}

/// Deeper than a path may be long: found, or told.
#[test]
fn a_file_below_the_longest_path_is_not_passed_by() {
    let sandbox = Sandbox::repo();
    sandbox.write("content", secret_line(50));
    let script = "n=0; while [ $n -lt 22 ]; do mkdir \"$1\" && cd -P \"$1\" || exit 1; n=$((n+1)); done; cp \"$2\" deep.txt";
    let mut shell = sandbox.command("bash");
    let made = shell.args(["-c", script, "-", &"d".repeat(200)]).arg(sandbox.path().join("content")).status();
    assert!(made.expect("bash runs").success());
    fs::remove_file(sandbox.path().join("content")).expect("a removed file");
    let ran = sandbox.stanch(&["scan", "--format", "json"]);
    match ran.code {
        1 => assert_eq!(found(&ran.json()).len(), 1),
        2 => assert_ne!(ran.json()["coverage"]["problems"], Value::Array(Vec::new())),
        _ => panic!("{}", ran.code),
    }
}

#[test]
fn sockets_pipes_devices_and_circles_are_neither_opened_nor_followed() {
    let sandbox = Sandbox::repo();
    let inside = |name: &str| sandbox.path().join(name);
    sandbox.write("real/deep/a.txt", secret_line(60));
    let socket = std::os::unix::net::UnixListener::bind(inside("socket")).expect("a socket");
    assert!(sandbox.command("mkfifo").arg("pipe").status().expect("mkfifo runs").success());
    std::os::unix::fs::symlink("../..", inside("real/deep/up")).expect("a link");
    std::os::unix::fs::symlink("/", inside("real/root")).expect("a link");
    std::os::unix::fs::symlink("two", inside("one")).expect("a link");
    std::os::unix::fs::symlink("one", inside("two")).expect("a link");
    let scanned = report(&sandbox, &["scan"], 1);
    assert_eq!(found(&scanned), ["real/deep/a.txt".to_owned()].into());
    assert_eq!(scanned["coverage"]["skipped"]["counts"]["special-file"], 2);
    assert_eq!(scanned["coverage"]["skipped"]["counts"]["symlink"], 4);
    let named = report(&sandbox, &["scan", "/dev/zero", "socket"], 0);
    assert_eq!(named["coverage"]["skipped"]["counts"]["special-file"], 2);
    drop(socket);
}

/// Only root can give a file away, so the test makes sure of whom it is run by.
#[test]
fn the_repository_of_somebody_else_is_refused_as_git_does() {
    use std::os::unix::fs::{MetadataExt, chown};
    let sandbox = Sandbox::repo();
    sandbox.write("a.txt", secret_line(70));
    sandbox.git(&["add", "--all"]);
    let is_root = fs::metadata("/proc/self").expect("linux").uid() == 0;
    if !is_root {
        assert!(chown(sandbox.path(), Some(12345), None).is_err(), "only root gives files away");
        return;
    }
    for place in [sandbox.path(), sandbox.path().join(".git")] {
        chown(place, Some(12345), None).expect("root may");
    }
    assert!(sandbox.try_git(&["status"]).stderr.contains("safe.directory"), "git refuses it");
    for args in [&["staged"][..], &["history"], &["hook", "run", "pre-commit"], &["check"]] {
        let ran = sandbox.stanch(args).expect_code(2);
        assert!(ran.stderr.contains("safe.directory"), "{args:?}: {}", ran.stderr);
    }
    // The files can be read all the same.
    assert_eq!(found(&report(&sandbox, &["scan"], 1)), ["a.txt".to_owned()].into());
    let dir = sandbox.path();
    sandbox.git(&["config", "--global", "--add", "safe.directory", dir.to_str().expect("plain")]);
    sandbox.git(&["status"]);
    assert_eq!(found(&report(&sandbox, &["staged"], 1)), ["a.txt".to_owned()].into());
}

#[test]
fn repositories_inside_repositories_are_read_where_they_lie() {
    let sandbox = Sandbox::repo();
    let init = |dir: &str| {
        sandbox.git(&["init", "--quiet", dir]);
    };
    init("inner");
    init("inner/vendor/innermost");
    sandbox.write("outer.txt", secret_line(80));
    sandbox.write("inner/in.txt", secret_line(90));
    sandbox.write("inner/.gitignore", "left-out.txt\n");
    sandbox.write("inner/left-out.txt", secret_line(100));
    sandbox.write("inner/vendor/innermost/deep.txt", secret_line(110));
    sandbox.write("inner/vendor/innermost/.git/hooks/note", secret_line(120));
    let scanned = found(&report(&sandbox, &["scan"], 1));
    let expected = ["inner/in.txt", "inner/vendor/innermost/deep.txt", "outer.txt"].map(String::from);
    assert_eq!(scanned, expected.into());
    // Each knows its own.
    for (dir, count) in [("inner", 2), ("inner/vendor/innermost", 1)] {
        let ran = sandbox.stanch_in(&sandbox.path().join(dir), &["scan", "--format", "json"]);
        assert_eq!(ran.expect_code(1).json()["finding_count"], count, "{dir}");
    }
    // Added, they are links to commits.
    sandbox.git(&["-C", "inner/vendor/innermost", "add", "deep.txt"]);
    sandbox.git(&["-C", "inner/vendor/innermost", "commit", "--quiet", "--message", "deep"]);
    sandbox.git(&["-C", "inner", "-c", "advice.addEmbeddedRepo=false", "add", "vendor/innermost"]);
    let ran = sandbox.stanch_in(&sandbox.path().join("inner"), &["staged", "--format", "json"]);
    assert_eq!(ran.expect_code(0).json()["coverage"]["skipped"]["counts"]["submodule"], 1);
}

/// libgit2 takes a configuration that it may not read for none; git refuses to go on.
#[cfg(unix)]
#[test]
fn a_configuration_without_permission_is_no_clean_repository() {
    use std::os::unix::fs::PermissionsExt;
    let sandbox = Sandbox::repo();
    sandbox.write("plain.txt", "nothing\n");
    sandbox.commit_all("first");
    let config = sandbox.path().join(".git/config");
    let set = |mode| fs::set_permissions(&config, fs::Permissions::from_mode(mode)).expect("permissions");
    for args in
        [&["staged"][..], &["history"], &["history", "HEAD"], &["scan"], &["hook", "run", "pre-commit"]]
    {
        set(0);
        let denied = fs::read(&config).is_err();
        let ran = sandbox.stanch(args);
        set(0o600);
        // Root reads everything.
        let ran = ran.expect_code(if denied { 2 } else { 0 });
        let said = [ran.stdout, ran.stderr].concat();
        assert_eq!(said.contains("cannot read the git configuration"), denied, "{args:?} {said}");
    }
}

#[test]
fn a_git_file_that_leads_nowhere_is_no_clean_repository() {
    for content in ["gitdir: nowhere\n", "gitdir: .git\n", "nonsense\n", ""] {
        let sandbox = Sandbox::new();
        sandbox.write(".git", content);
        sandbox.write("a.txt", secret_line(130));
        for args in [&["staged"][..], &["history"], &["hook", "run", "pre-commit"]] {
            assert_eq!(sandbox.stanch(args).code, 2, "{content:?} {args:?}");
        }
        assert_eq!(found(&report(&sandbox, &["scan"], 1)), ["a.txt".to_owned()].into(), "{content:?}");
    }
}

#[test]
fn a_hundred_thousand_refs_are_read() {
    let sandbox = Sandbox::repo();
    let mut packed = String::from("# pack-refs with: peeled fully-peeled sorted \n");
    let mut commits = Vec::new();
    for number in 0..4 {
        sandbox.write(&format!("{number}.txt"), secret_line(200 + 10 * number));
        sandbox.commit_all("more");
        commits.push(sandbox.git(&["rev-parse", "HEAD"]));
    }
    // The last commit is reached by one ref alone, among the last.
    sandbox.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
    fs::remove_dir_all(sandbox.path().join(".git/logs")).expect("reflogs");
    for number in 0..100_000 {
        let commit = if number == 99_998 { &commits[3] } else { &commits[number % 3] };
        packed.push_str(&format!("{commit} refs/remotes/origin/topic-{number:06}\n"));
    }
    sandbox.write(".git/packed-refs", packed);
    let listed = sandbox.git(&["for-each-ref", "--format=%(objectname)"]);
    assert_eq!(listed.lines().count(), 100_001, "git lists them");
    let history = report(&sandbox, &["history"], 1);
    assert_eq!(history["coverage"]["refs"], 100_001);
    assert_eq!(found(&history).len(), 4);
    let last = history["findings"].as_array().expect("findings").iter().find(|one| one["path"] == "3.txt");
    assert_eq!(last.expect("found")["history"]["reached_by"], serde_json::json!(["remote"]));
    report(&sandbox, &["history", "--reachable-only"], 1);
    report(&sandbox, &["history", "origin/topic-099998..HEAD"], 0);
}

/// Refs in files and lines, in both, and symbolic ones: git says which there are and what they reach.
#[test]
fn refs_of_every_form_are_those_that_git_lists() {
    let sandbox = Sandbox::repo();
    let commits: Vec<String> = (0..8)
        .map(|number| {
            sandbox.git(&["checkout", "--quiet", "--orphan", &format!("o{number}")]);
            sandbox.write(&format!("{number}.txt"), secret_line(700 + 10 * number));
            sandbox.git(&["rm", "-rq", "--cached", "--ignore-unmatch", "."]);
            sandbox.git(&["add", &format!("{number}.txt")]);
            sandbox.git(&["commit", "--quiet", "--message", "one"]);
            sandbox.git(&["rev-parse", "HEAD"])
        })
        .collect();
    for number in 1..8 {
        sandbox.git(&["update-ref", "-d", &format!("refs/heads/o{number}")]);
    }
    sandbox.git(&["symbolic-ref", "HEAD", "refs/heads/o0"]);
    sandbox.git(&["update-ref", "refs/tags/packed", &commits[1]]);
    sandbox.git(&["update-ref", "refs/heads/moved", &commits[2]]);
    sandbox.git(&["pack-refs", "--all"]);
    sandbox.git(&["update-ref", "refs/heads/moved", &commits[3]]);
    sandbox.git(&["update-ref", "refs/pull/1/head", &commits[4]]);
    sandbox.git(&["update-ref", "ORIG_HEAD", &commits[5]]);
    for (name, other) in [
        ("refs/remotes/origin/HEAD", "refs/tags/packed"),
        ("refs/heads/to-loose", "refs/pull/1/head"),
        ("refs/heads/two-steps", "refs/heads/to-loose"),
        ("refs/heads/outside", "ORIG_HEAD"),
    ] {
        sandbox.git(&["symbolic-ref", name, other]);
    }
    sandbox.write(".git/refs/heads/half.lock", &commits[6]);
    fs::remove_dir_all(sandbox.path().join(".git/logs")).expect("reflogs");
    let count = |sandbox: &Sandbox| sandbox.git(&["for-each-ref", "--format=%(refname)"]).lines().count();
    let reached = sandbox.git(&["rev-list", "--all", "--objects"]);
    let is_reached = |number: &usize| reached.contains(&format!(" {number}.txt"));
    let expected: BTreeSet<String> =
        (0..8).filter(is_reached).map(|number| format!("{number}.txt")).collect();
    assert_eq!(expected.len(), 5, "{reached}");
    let history = report(&sandbox, &["history", "--reachable-only"], 1);
    assert_eq!(history["coverage"]["refs"], count(&sandbox));
    assert_eq!(found(&history), expected);
    assert_eq!(found(&report(&sandbox, &["history"], 1)).len(), 8);

    // What lies in a linked worktree stands in the place of nothing that is shared.
    sandbox.write(".git/worktrees/w/HEAD", "ref: refs/heads/o0\n");
    sandbox.write(".git/worktrees/w/refs/tags/packed", format!("{}\n", commits[4]));
    assert_eq!(found(&report(&sandbox, &["history", "--reachable-only"], 1)), expected);
    fs::remove_dir_all(sandbox.path().join(".git/worktrees")).expect("removed");

    // Git passes over a ref to a branch that is gone, and so may we.
    sandbox.write(".git/refs/heads/to-nothing", "ref: refs/heads/gone\n");
    assert_eq!(found(&report(&sandbox, &["history", "--reachable-only"], 1)), expected);
    // One that leads round and round, or is cut off, may have led anywhere.
    for (name, content) in [("round", "ref: refs/heads/round\n"), ("cut", "12345\n")] {
        let file = format!(".git/refs/heads/{name}");
        sandbox.write(&file, content);
        let ran = sandbox.stanch(&["history"]).expect_code(2);
        assert!(ran.stdout.contains(&format!("error: refs/heads/{name}: ")), "{ran:?}");
        fs::remove_file(sandbox.path().join(file)).expect("removed");
    }
}

/// While git moves all objects from place to place, each run tells everything or says that it could not.
#[test]
fn what_git_repacks_meanwhile_is_not_passed_by() {
    let sandbox = Sandbox::repo();
    for number in 0..30 {
        sandbox.write(&format!("dir{}/{number}.txt", number % 4), secret_line(500 + 10 * number));
        sandbox.commit_all("one more");
    }
    let all = fingerprints(&report(&sandbox, &["history"], 1));
    assert_eq!(all.len(), 30);
    let is_over = AtomicBool::new(false);
    let complete = thread::scope(|scope| {
        let git = scope.spawn(|| {
            for round in 0.. {
                if is_over.load(Ordering::Relaxed) {
                    return;
                }
                sandbox.write("counter.txt", format!("round {round}\n"));
                sandbox.commit_all("round");
                match round % 4 {
                    0 => drop(sandbox.git(&["repack", "-adq"])),
                    1 => drop(sandbox.git(&["repack", "-Adq"])),
                    2 => drop(sandbox.git(&["gc", "--quiet", "--prune=now"])),
                    _ => unpack(&sandbox),
                }
            }
        });
        let mut complete = 0;
        for run in 0..12 {
            let args: &[&str] = if run % 3 == 2 { &["history", "--no-delta"] } else { &["history"] };
            let ran: Ran = sandbox.stanch(&[args, &["--format", "json"]].concat());
            match ran.code {
                1 => {
                    let now = fingerprints(&ran.json());
                    assert_eq!(all.difference(&now).count(), 0, "run {run} passed by");
                    complete += 1;
                }
                2 => assert!(
                    !ran.stderr.is_empty() || ran.json()["coverage"]["problems"] != Value::Array(Vec::new()),
                    "run {run}: {ran:?}"
                ),
                code => panic!("run {run}: {code}"),
            }
        }
        is_over.store(true, Ordering::Relaxed);
        git.join().expect("git works on");
        complete
    });
    assert!(complete > 0, "some run was complete");
}

/// Makes loose objects of all packs.
fn unpack(sandbox: &Sandbox) {
    let packs = sandbox.path().join(".git/objects/pack");
    let aside = sandbox.outside().join("aside");
    fs::create_dir_all(&aside).expect("a directory");
    for entry in fs::read_dir(&packs).expect("packs") {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|ending| ending == "pack") {
            let copy = aside.join(path.file_name().expect("a name"));
            fs::copy(&path, &copy).expect("a copy");
            let into = sandbox.outside().join("loose");
            let _ = fs::remove_dir_all(&into);
            sandbox.git(&["init", "--quiet", "--bare", into.to_str().expect("plain")]);
            let bytes = fs::read(&copy).expect("a pack");
            git_with_input(sandbox, &["-C", into.to_str().expect("plain"), "unpack-objects", "-q"], &bytes);
            copy_loose(&into.join("objects"), &sandbox.path().join(".git/objects"));
            for ending in ["idx", "rev", "pack"] {
                let _ = fs::remove_file(path.with_extension(ending));
            }
        }
    }
}

fn copy_loose(from: &Path, to: &Path) {
    for fan in fs::read_dir(from).expect("objects") {
        let fan = fan.expect("an entry");
        if fan.file_name().as_bytes().len() != 2 {
            continue;
        }
        let into = to.join(fan.file_name());
        fs::create_dir_all(&into).expect("a directory");
        for object in fs::read_dir(fan.path()).expect("objects") {
            let object = object.expect("an entry");
            let target = into.join(object.file_name());
            if !target.exists() {
                let draft = into.join("tmp_obj_test");
                fs::copy(object.path(), &draft).expect("a copy");
                fs::rename(&draft, &target).expect("in place");
            }
        }
    }
}
