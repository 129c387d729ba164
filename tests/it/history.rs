//! All of history: whatever git can still show is found, and said to be where git says that it is.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use stanch::coverage::SkipReason;
use stanch::finding::Finding;
use stanch::location::{CommitInfo, Origin, Reach};
use stanch::rule::RuleSet;
use stanch::scanner::{Outcome, Policy, Scanner};
use stanch::source::history::{History, HistoryError, Options};

use crate::dice::Dice;
use crate::support::{Sandbox, clickup_token, random_text};

fn everything() -> Options {
    Options::default()
}

fn reachable_only() -> Options {
    Options { reachable_only: true, ..Options::default() }
}

fn range(ranges: &[&str]) -> Options {
    Options { ranges: ranges.iter().map(|range| (*range).to_owned()).collect(), ..Options::default() }
}

#[track_caller]
fn audit_with(dir: &Path, options: Options, threads: usize) -> Outcome {
    let history = History::open(dir, options).expect("a repository and its ranges");
    Scanner::new(RuleSet::builtin(), Policy::default()).scan(&history, threads)
}

/// Scans on two threads and asserts that nothing was left unread.
#[track_caller]
fn audit(dir: &Path, options: Options) -> Outcome {
    let outcome = audit_with(dir, options, 2);
    assert_eq!(outcome.coverage.problems, [], "the audit is complete");
    outcome
}

/// A blob is searched before anybody knows its path, and its path weighs in the judgement all the same.
#[test]
fn the_path_weighs_as_in_the_working_tree() {
    let sandbox = Sandbox::repo();
    let setting = |word: &str| format!("password = \"{word}\"\n");
    for (path, word) in [
        ("tests/setup.py", "sunflowers8"),
        ("docs/start.md", "sunflowers8"),
        ("vendor/lib/conf.py", "marigolds77"),
        ("app/settings.py", "daffodils66"),
        ("tests/login.py", "xK9vQ2mZr7Lw"),
    ] {
        sandbox.write(path, setting(word));
    }
    sandbox.commit_all("everything");
    let paths = |findings: &[Finding]| -> Vec<String> {
        findings.iter().map(|finding| finding.location.path.to_string()).collect()
    };
    let outcome = audit(&sandbox.path(), everything());
    assert_eq!(paths(&outcome.findings), ["app/settings.py", "tests/login.py"]);
    let tree = sandbox.stanch(&["scan", "--format", "json"]).expect_code(1).json();
    let found = tree["findings"].as_array().expect("findings");
    let found: Vec<&str> = found.iter().map(|finding| finding["path"].as_str().expect("a path")).collect();
    assert_eq!(found, ["app/settings.py", "tests/login.py"]);
    assert_eq!(
        outcome.suppressed.below_threshold,
        tree["suppressed"]["below_threshold"].as_u64().expect("a count")
    );
}

/// The same words in a test and in a setting: they are a finding in the setting.
#[test]
fn a_dummy_of_the_tests_is_found_where_it_is_a_setting() {
    let sandbox = Sandbox::repo();
    sandbox.write("tests/setup.py", "password = \"sunflowers8\"\n");
    sandbox.write("app/settings.py", "password = \"sunflowers8\"\n");
    sandbox.commit_all("everything");
    let outcome = audit(&sandbox.path(), everything());
    let paths: Vec<_> = outcome.findings.iter().map(|finding| finding.location.path.to_string()).collect();
    assert_eq!(paths, ["app/settings.py"]);
}

/// What was not pushed can be taken out by a rebase, and the report says so.
#[test]
fn what_was_not_pushed_is_local_only() {
    let sandbox = Sandbox::repo();
    let server = sandbox.outside().join("server.git");
    sandbox.git(&["init", "--quiet", "--bare", &server.to_string_lossy()]);
    sandbox.git(&["remote", "add", "origin", &server.to_string_lossy()]);
    sandbox.write("pushed.txt", clickup_token(1));
    sandbox.commit_all("pushed");
    sandbox.git(&["push", "--quiet", "origin", "HEAD:refs/heads/main"]);
    sandbox.write("local.txt", clickup_token(2));
    sandbox.commit_all("local");
    let report = sandbox.stanch(&["history", "--format", "json"]).expect_code(1).json();
    let found = report["findings"].as_array().expect("findings").iter();
    let found: Vec<_> = found.map(|f| (f["path"].as_str(), f["history"]["local_only"].as_bool())).collect();
    assert_eq!(found, [(Some("local.txt"), Some(true)), (Some("pushed.txt"), Some(false))]);
    let shown = sandbox.stanch(&["history"]).expect_code(1).stdout;
    assert_eq!(shown.matches("local only").count(), 1, "{shown}");
}

/// `path: first..last, head or gone, how it is reached`, commits by their subjects.
fn described(sandbox: &Sandbox, findings: &[Finding]) -> Vec<String> {
    let subject = |info: &Option<CommitInfo>| match info {
        Some(info) => sandbox.git(&["log", "--max-count=1", "--format=%s", &info.id.to_string()]),
        None => "-".to_owned(),
    };
    findings
        .iter()
        .map(|finding| {
            let exposure = finding.exposure.as_ref().expect("findings of the history have an exposure");
            let reached: Vec<_> = exposure.reached_by.iter().map(|reach| reach.name()).collect();
            format!(
                "{}: {}..{}, {}, {}",
                finding.location.path,
                subject(&exposure.first),
                subject(&exposure.last),
                if exposure.in_head { "head" } else { "gone" },
                reached.join(" "),
            )
        })
        .collect()
}

#[track_caller]
fn assert_found(sandbox: &Sandbox, options: Options, expected: &[&str]) {
    let outcome = audit(&sandbox.path(), options);
    assert_eq!(described(sandbox, &outcome.findings), expected);
}

fn secret_file(seed: u64) -> String {
    format!("token = {}\n", clickup_token(seed))
}

/// A repository with a file that holds no secret.
fn clean_repo() -> Sandbox {
    let sandbox = Sandbox::repo();
    sandbox.write("readme", "nothing to see\n");
    sandbox.commit_all("start");
    sandbox
}

/// Runs git with bytes on its standard input and returns what it prints, without the last line end.
fn git_with_input(sandbox: &Sandbox, args: &[&str], input: &[u8]) -> String {
    let mut child = sandbox
        .command("git")
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("git starts");
    child.stdin.take().expect("a pipe").write_all(input).expect("git reads");
    let output = child.wait_with_output().expect("git ends");
    assert!(output.status.success(), "git {args:?}");
    String::from_utf8(output.stdout).expect("text").trim_end_matches('\n').to_owned()
}

fn forget_reflogs(sandbox: &Sandbox) {
    sandbox.git(&["reflog", "expire", "--expire=now", "--expire-unreachable=now", "--all"]);
}

#[test]
fn a_secret_that_was_removed_has_its_first_and_last_commit() {
    let sandbox = clean_repo();
    sandbox.write("conf/app", secret_file(1));
    sandbox.commit_all("add");
    sandbox.write("conf/app", format!("# edited\n{}", secret_file(1)));
    sandbox.commit_all("edit");
    sandbox.write("other", "x\n");
    sandbox.commit_all("still there");
    sandbox.write("conf/app", "token = none\n");
    sandbox.commit_all("remove");
    assert_found(&sandbox, everything(), &["conf/app: add..still there, gone, head branch"]);
    sandbox.git(&["revert", "--no-edit", "HEAD"]);
    assert_found(&sandbox, everything(), &["conf/app: add..Revert \"remove\", head, head branch"]);
}

#[test]
fn each_path_of_a_renamed_file_is_a_finding_and_its_blob_is_read_once() {
    let sandbox = clean_repo();
    sandbox.write("old", secret_file(1));
    sandbox.commit_all("add");
    sandbox.git(&["mv", "old", "new"]);
    sandbox.commit_all("rename");
    assert_found(
        &sandbox,
        everything(),
        &["new: rename..rename, head, head branch", "old: add..add, gone, head branch"],
    );
    assert_eq!(audit(&sandbox.path(), everything()).coverage.blobs, 2);
}

#[test]
fn what_only_a_merge_brought_is_found() {
    let sandbox = clean_repo();
    sandbox.git(&["checkout", "--quiet", "-b", "side"]);
    sandbox.write("side", "side\n");
    sandbox.commit_all("side");
    sandbox.git(&["checkout", "--quiet", "main"]);
    sandbox.write("main", "main\n");
    sandbox.commit_all("main");
    sandbox.git(&["merge", "--quiet", "--no-commit", "side"]);
    sandbox.write("evil", secret_file(1));
    sandbox.commit_all("merge");
    sandbox.git(&["rm", "--quiet", "evil"]);
    sandbox.commit_all("clean up");
    let expected = ["evil: merge..merge, gone, head branch"];
    assert_found(&sandbox, everything(), &expected);
    assert_found(&sandbox, range(&["HEAD~2..HEAD"]), &expected);
    assert_found(&sandbox, range(&["HEAD~1"]), &expected);
    assert_found(&sandbox, range(&["HEAD"]), &[]);
}

#[test]
fn stashes_of_any_depth_are_found() {
    let sandbox = clean_repo();
    for (seed, file) in [(1, "readme"), (2, "readme"), (3, "untracked")] {
        sandbox.write(file, secret_file(seed));
        sandbox.git(&[
            "stash",
            "push",
            "--quiet",
            "--include-untracked",
            "--message",
            &format!("stash {seed}"),
        ]);
    }
    for options in [everything(), reachable_only()] {
        let outcome = audit(&sandbox.path(), options);
        assert_eq!(outcome.findings.len(), 3);
        for finding in &outcome.findings {
            let exposure = finding.exposure.as_ref().unwrap();
            assert_eq!(exposure.reached_by, [Reach::Stash].into(), "{}", finding.location.path);
            assert!(!exposure.in_head);
            assert!(exposure.first.is_some());
        }
    }
}

/// Git lists a stash by its own line of the reflog; the line of the one after names it as well.
#[test]
fn a_stash_that_is_not_listed_any_more_is_none() {
    let sandbox = clean_repo();
    for seed in [1, 2] {
        sandbox.git(&["reflog", "expire", "--expire=now", "--expire-unreachable=now", "--all"]);
        sandbox.write("readme", secret_file(seed));
        sandbox.git(&["stash", "push", "--quiet"]);
    }
    assert_eq!(sandbox.git(&["stash", "list", "--format=%gd"]), "stash@{0}");
    let outcome = audit(&sandbox.path(), everything());
    let told = outcome.findings.iter().map(|finding| finding.exposure.as_ref().unwrap().reached_by.clone());
    assert_eq!(told.collect::<BTreeSet<_>>(), [[Reach::Reflog].into(), [Reach::Stash].into()].into());
}

#[test]
fn what_a_reset_left_is_found_through_the_reflog_and_then_as_unreachable() {
    let sandbox = clean_repo();
    sandbox.write("app", secret_file(1));
    sandbox.commit_all("mistake");
    sandbox.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
    assert_found(&sandbox, everything(), &["app: mistake..mistake, gone, reflog"]);
    assert_found(&sandbox, reachable_only(), &["app: mistake..mistake, gone, reflog"]);
    forget_reflogs(&sandbox);
    assert_found(&sandbox, everything(), &["app: mistake..mistake, gone, unreachable"]);
    assert_found(&sandbox, reachable_only(), &[]);
}

#[test]
fn a_deleted_branch_is_found_through_the_reflog_of_head() {
    let sandbox = clean_repo();
    sandbox.git(&["checkout", "--quiet", "-b", "topic"]);
    sandbox.write("app", secret_file(1));
    sandbox.commit_all("topic work");
    sandbox.git(&["checkout", "--quiet", "main"]);
    assert_found(&sandbox, everything(), &["app: topic work..topic work, gone, branch"]);
    sandbox.git(&["branch", "--quiet", "-D", "topic"]);
    assert_found(&sandbox, everything(), &["app: topic work..topic work, gone, reflog"]);
}

/// Commits that refs reach are named even where newer ones that wait for collection have the secret too.
#[test]
fn commits_that_refs_reach_are_named_before_dangling_ones() {
    let sandbox = clean_repo();
    sandbox.write("app", secret_file(1));
    sandbox.commit_all("add");
    sandbox.write("other", "x\n");
    sandbox.commit_all("dangling");
    sandbox.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
    sandbox.git(&["rm", "--quiet", "app"]);
    sandbox.commit_all("remove");
    assert_found(&sandbox, everything(), &["app: add..add, gone, head branch"]);
    forget_reflogs(&sandbox);
    assert_found(&sandbox, everything(), &["app: add..add, gone, head branch"]);
}

#[test]
fn every_kind_of_ref_is_told() {
    for (make, expected) in [
        (&["tag", "light", "topic"][..], "tag"),
        (&["tag", "--annotate", "--message", "release", "heavy", "topic"], "tag"),
        (&["update-ref", "refs/pull/1/head", "topic"], "other-ref"),
        (&["update-ref", "refs/remotes/origin/topic", "topic"], "remote"),
        (&["worktree", "add", "--quiet", "--detach", "../linked", "topic"], "other-ref"),
    ] {
        let sandbox = clean_repo();
        sandbox.git(&["checkout", "--quiet", "-b", "topic"]);
        sandbox.write("app", secret_file(1));
        sandbox.commit_all("topic work");
        sandbox.git(&["checkout", "--quiet", "main"]);
        sandbox.git(make);
        sandbox.git(&["branch", "--quiet", "-D", "topic"]);
        forget_reflogs(&sandbox);
        let expected = format!("app: topic work..topic work, gone, {expected}");
        assert_found(&sandbox, everything(), &[&expected]);
        assert_found(&sandbox, reachable_only(), &[&expected]);
    }
}

#[test]
fn a_linked_worktree_has_a_head_of_its_own() {
    let sandbox = clean_repo();
    sandbox.git(&["worktree", "add", "--quiet", "--detach", "../linked"]);
    let linked = sandbox.outside().join("linked");
    fs::write(linked.join("app"), secret_file(1)).expect("a written file");
    let in_linked = ["-C", "../linked"];
    sandbox.git(&[&in_linked[..], &["add", "app"]].concat());
    sandbox.git(&[&in_linked[..], &["commit", "--quiet", "--message", "linked"]].concat());
    let outcome = audit(&linked, everything());
    assert_eq!(described(&sandbox, &outcome.findings), ["app: linked..linked, head, head"]);
    assert_found(&sandbox, everything(), &["app: linked..linked, gone, other-ref"]);
}

#[test]
fn messages_of_commits_and_tags_are_scanned() {
    let sandbox = clean_repo();
    sandbox.commit_all(&format!("subject\n\ncalled with {}", clickup_token(1)));
    let message = format!("release {}", clickup_token(2));
    sandbox.git(&["tag", "--annotate", "--message", &message, "v1"]);
    sandbox.git(&["tag", "--annotate", "--message", &format!("outer {}", clickup_token(3)), "v2", "v1"]);
    sandbox.commit_all("later");
    let messages = [
        "<commit message>: subject..subject, gone, head branch tag",
        "<tag message>: subject..subject, gone, tag",
        "<tag message>: subject..subject, gone, tag",
    ];
    for options in [everything(), reachable_only(), range(&["v2"]), range(&["HEAD~2..v2"])] {
        assert_found(&sandbox, options, &messages);
    }
    assert_found(&sandbox, range(&["HEAD~1"]), &messages[..1]);
    let finding = &audit(&sandbox.path(), range(&["HEAD~1"])).findings[0];
    assert_eq!((finding.location.start.line, finding.location.start.column), (3, 13));
    assert!(matches!(finding.location.origin, Origin::CommitMessage(_)));
    let commits: u64 = sandbox.git(&["rev-list", "--all", "--count"]).parse().unwrap();
    assert_eq!(audit(&sandbox.path(), everything()).coverage.commits, commits);
}

#[test]
fn notes_are_scanned() {
    let sandbox = clean_repo();
    sandbox.git(&["notes", "add", "--message", &format!("used {}", clickup_token(1))]);
    let outcome = audit(&sandbox.path(), everything());
    let exposure = outcome.findings[0].exposure.as_ref().unwrap();
    assert_eq!(exposure.reached_by, [Reach::Notes].into());
    let path = sandbox.git(&["ls-tree", "-r", "--name-only", "refs/notes/commits"]);
    assert_eq!(outcome.findings[0].location.path, path);
}

#[test]
fn objects_without_a_commit_are_found() {
    let sandbox = clean_repo();
    let blob = git_with_input(&sandbox, &["hash-object", "-w", "--stdin"], secret_file(1).as_bytes());
    let expected = format!("<unreachable blob {blob}>: -..-, gone, unreachable");
    assert_found(&sandbox, everything(), &[&expected]);
    assert_found(&sandbox, reachable_only(), &[]);
    let tree = git_with_input(&sandbox, &["mktree"], format!("100644 blob {blob}\tapp\n").as_bytes());
    git_with_input(&sandbox, &["mktree"], format!("040000 tree {tree}\tconf\n").as_bytes());
    assert_found(&sandbox, everything(), &["conf/app: -..-, gone, unreachable"]);
    sandbox.git(&["tag", "tree", &tree]);
    assert_found(&sandbox, everything(), &["app: -..-, gone, tag"]);
    assert_found(&sandbox, reachable_only(), &["app: -..-, gone, tag"]);
    sandbox.git(&["tag", "blob", &blob]);
    assert_found(&sandbox, everything(), &["<refs/tags/blob>: -..-, gone, tag", "app: -..-, gone, tag"]);
}

#[test]
fn authors_are_kept_as_recorded() {
    let sandbox = clean_repo();
    sandbox.write("app", secret_file(1));
    sandbox.git(&["add", "app"]);
    let tree = sandbox.git(&["write-tree"]);
    let mut commit = format!("tree {tree}\nauthor J").into_bytes();
    commit.extend_from_slice(b"\xF6rg <joerg@example.org> 1700000000 -0330\n");
    commit.extend_from_slice(b"committer C <c@example.org> 1700000001 +0000\n\nodd\n");
    let id = git_with_input(&sandbox, &["hash-object", "-t", "commit", "-w", "--stdin"], &commit);
    sandbox.git(&["update-ref", "refs/heads/odd", &id]);
    let outcome = audit(&sandbox.path(), everything());
    let first = outcome.findings[0].exposure.as_ref().unwrap().first.clone().unwrap();
    assert_eq!(first.author_name, &b"J\xF6rg"[..]);
    assert_eq!(first.author_email, "joerg@example.org");
    assert_eq!((first.time_seconds, first.offset_minutes), (1_700_000_000, -210));
}

/// Thirty commits on three branches that merge now and then, their clocks askew; files with and without
/// secrets come, change, move and go.
fn tangled_repo(seed: u64) -> Sandbox {
    let sandbox = clean_repo();
    // Directories with so many entries that git stores their versions as differences.
    for number in 0..12 {
        for dir in ["", "conf/", "conf/deep/", "lib/"] {
            sandbox.write(&format!("{dir}filler-{number}"), format!("{number}\n"));
        }
    }
    sandbox.commit_all("filler");
    let mut dice = Dice::new(seed);
    sandbox.git(&["branch", "one"]);
    sandbox.git(&["branch", "two"]);
    for number in 0..30 {
        let branch = ["main", "one", "two"][dice.roll(3)];
        sandbox.git(&["checkout", "--quiet", "--force", branch]);
        let other = ["main", "one", "two"][dice.roll(3)];
        if dice.roll(3) == 0 {
            let _ = sandbox.try_git(&["merge", "--quiet", "--no-commit", "--no-ff", "-X", "ours", other]);
        }
        for _ in 0..=dice.roll(2) {
            let path = ["app", "conf/app", "conf/deep/app", "lib/app"][dice.roll(4)];
            match dice.roll(4) {
                0 => {
                    let _ = fs::remove_file(sandbox.path().join(path));
                }
                1 => sandbox.write(path, secret_file(1)),
                2 => sandbox.write(path, format!("{}{}", secret_file(2), dice.roll(3))),
                _ => sandbox.write(path, format!("harmless {}", dice.roll(4))),
            }
        }
        sandbox.git(&["add", "--all"]);
        let date = format!("@{} +0000", 1_700_000_000 + number * 100 - dice.roll(1000));
        let committed = sandbox
            .command("git")
            .env("GIT_COMMITTER_DATE", &date)
            .args(["commit", "--quiet", "--allow-empty", "--message", &format!("number {number}")])
            .status()
            .expect("git runs");
        assert!(committed.success());
    }
    sandbox
}

/// First and last commit, `HEAD` and branches, as far as `git grep` in every commit tells them.
#[test]
fn attribution_agrees_with_git() {
    for seed in 1..=4 {
        let sandbox = tangled_repo(seed);
        if seed % 2 == 0 {
            sandbox.git(&["repack", "--quiet", "-a", "-d", "-f"]);
        }
        let listed = sandbox.git(&["rev-list", "--all", "--parents"]);
        let parents: BTreeMap<&str, Vec<&str>> = listed
            .lines()
            .map(|line| line.split_once(' ').unwrap_or((line, "")))
            .map(|(commit, parents)| (commit, parents.split_terminator(' ').collect()))
            .collect();
        let head = sandbox.git(&["rev-parse", "HEAD"]);
        let in_head = ancestors(&parents, &head);
        let outcome = audit(&sandbox.path(), everything());
        let mut expected = 0;
        for token in [1, 2].map(clickup_token) {
            let mut args = vec!["grep", "--name-only", "--fixed-strings", "-e", &token];
            args.extend(parents.keys());
            let grepped = sandbox.git(&args);
            let mut having: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
            for (commit, path) in grepped.lines().filter_map(|line| line.split_once(':')) {
                having.entry(path).or_default().insert(commit);
            }
            expected += having.len();
            for (path, having) in having {
                let found = outcome.findings.iter().find(|finding| {
                    finding.location.path == path && finding.secret.reveal() == token.as_bytes()
                });
                let exposure = found.unwrap().exposure.as_ref().unwrap();
                let id = |info: &Option<CommitInfo>| info.as_ref().unwrap().id.to_string();
                let (first, last) = (id(&exposure.first), id(&exposure.last));
                assert!(having.contains(&*first) && having.contains(&*last), "{seed} {path}");
                assert!(
                    !parents[&*first].iter().any(|parent| having.contains(parent)),
                    "{seed} {path} {first}"
                );
                let is_later =
                    |commit: &&&str| **commit != last && ancestors(&parents, commit).contains(&*last);
                assert_eq!(having.iter().find(is_later), None, "{seed} {path} {last}");
                assert_eq!(exposure.in_head, having.contains(&*head), "{seed} {path}");
                let is_in_history = having.iter().any(|commit| in_head.contains(commit));
                assert_eq!(exposure.reached_by.contains(&Reach::Head), is_in_history, "{seed} {path}");
                assert!(exposure.reached_by.contains(&Reach::Branch), "{seed} {path}");
            }
        }
        assert_eq!(outcome.findings.len(), expected, "{seed}: one finding for each secret and path");
        assert!(expected > 3, "{seed}: the test sees something");
    }
}

/// What was noted of trees while they were read leads to the same places as reading the trees of all commits
/// by name, which is what happens without deltas; dangling commits and trees among them.
#[test]
fn the_trail_leads_where_reading_every_tree_leads() {
    for seed in 11..=16 {
        let sandbox = tangled_repo(seed);
        sandbox.git(&["checkout", "--quiet", "--detach", "HEAD~2"]);
        sandbox.git(&["branch", "--delete", "--force", "--quiet", "two"]);
        sandbox.write("lost/found", secret_file(3));
        sandbox.git(&["add", "lost"]);
        let lost = sandbox.git(&["write-tree"]);
        sandbox.write("lost/found", "harmless");
        sandbox.git(&["commit-tree", "-m", "dangling", &format!("{lost}:conf")]);
        if seed % 2 == 0 {
            forget_reflogs(&sandbox);
        }
        let assert_same = |what: &str| {
            let by_name = audit_with(&sandbox.path(), Options { no_delta: true, ..everything() }, 2);
            let places = by_name.findings.iter().map(|finding| finding.location.path.to_string());
            assert!(places.collect::<BTreeSet<_>>().contains("lost/found"), "{seed} {what}");
            for threads in [1, 2, 7] {
                let outcome = audit_with(&sandbox.path(), everything(), threads);
                assert_eq!(
                    format!("{:?}", outcome.findings),
                    format!("{:?}", by_name.findings),
                    "{seed} {what} {threads}"
                );
            }
        };
        assert_same("loose");
        sandbox.git(&["repack", "--quiet", "-d"]);
        assert_same("what is reachable packed");
        sandbox.git(&["repack", "--quiet", "-a", "-d", "-f", "--keep-unreachable", "--depth=50"]);
        let pack = the_file(&sandbox.path().join(".git/objects/pack"), ".idx");
        let listed = sandbox.git(&["verify-pack", "-v", &pack.to_string_lossy()]);
        // Those have their depth and their base at the end of the line.
        let deltas = listed
            .lines()
            .map(|line| line.split_whitespace().collect::<Vec<_>>())
            .filter(|words| words.get(1) == Some(&"tree") && words.len() > 5);
        assert!(deltas.count() > 10, "{seed}: trees are stored as deltas");
        assert_same("everything packed");
    }
}

/// The same where objects are missing from a pack: what is named, and what the rest is attributed to.
#[test]
fn the_trail_goes_round_what_is_missing() {
    let kinds = [(21, "blob"), (22, "tree"), (23, "commit")];
    for ((seed, kind), is_packed) in kinds.into_iter().flat_map(|kind| [(kind, true), (kind, false)]) {
        let sandbox = tangled_repo(seed);
        sandbox.git(&["tag", "--annotate", "--message", "tagged", "tagged", "HEAD~3"]);
        let listed = sandbox.git(&["rev-list", "--all", "--objects", "--no-object-names"]);
        let of_kind = listed.lines().filter(|id| sandbox.git(&["cat-file", "-t", id]) == kind);
        let missing: Vec<&str> = of_kind.skip(3).step_by(11).take(4).collect();
        assert!(missing.len() > 1, "{seed}");
        let kept: String =
            listed.lines().filter(|id| !missing.contains(id)).map(|id| format!("{id}\n")).collect();
        sandbox.git(&["init", "--quiet", "--bare", "../torn.git"]);
        let torn = sandbox.outside().join("torn.git");
        let place = if is_packed { torn.join("objects/pack/pack") } else { sandbox.outside().join("kept") };
        let place = place.to_string_lossy();
        let name = git_with_input(&sandbox, &["pack-objects", "--quiet", &place], kept.as_bytes());
        if !is_packed {
            let pack = fs::read(format!("{place}-{name}.pack")).unwrap();
            git_with_input(&sandbox, &["--git-dir=../torn.git", "unpack-objects", "-q"], &pack);
        }
        fs::write(torn.join("packed-refs"), sandbox.git(&["show-ref"]) + "\n").unwrap();
        let names = |outcome: &Outcome| -> BTreeSet<String> {
            outcome.coverage.problems.iter().map(|problem| problem.name.to_string()).collect()
        };
        let by_name = audit_with(&torn, Options { no_delta: true, ..everything() }, 2);
        let expected: BTreeSet<String> = missing.iter().map(|id| (*id).to_owned()).collect();
        assert_eq!(names(&by_name), expected, "{seed}");
        assert!(!by_name.findings.is_empty(), "{seed}");
        for threads in [1, 3] {
            let outcome = audit_with(&torn, everything(), threads);
            assert_eq!(names(&outcome), expected, "{seed}");
            assert_eq!(format!("{:?}", outcome.findings), format!("{:?}", by_name.findings), "{seed}");
        }
    }
}

/// What is wrong with the file makes no difference: the commits are there.
#[test]
fn a_damaged_commit_graph_is_not_used() {
    let sandbox = tangled_repo(5);
    let spec = range(&["one...main"]);
    let told = |outcome: &Outcome| format!("{:?}", outcome.findings);
    let expected = told(&audit(&sandbox.path(), spec.clone()));
    assert!(expected.contains("Branch"), "{expected}");
    sandbox.git(&["commit-graph", "write", "--reachable"]);
    let file = sandbox.path().join(".git/objects/info/commit-graph");
    let whole = fs::read(&file).unwrap();
    fs::remove_file(&file).unwrap();
    for len in (0..whole.len()).step_by(whole.len() / 29).chain([whole.len() - 1, whole.len()]) {
        fs::write(&file, &whole[..len]).unwrap();
        assert_eq!(told(&audit(&sandbox.path(), spec.clone())), expected, "{len}");
    }
    // Whatever it says, what is found and what is read is the same.
    for at in (0..whole.len()).step_by(5) {
        let mut crooked = whole.clone();
        crooked[at] ^= 0x41;
        fs::write(&file, &crooked).unwrap();
        let outcome = audit_with(&sandbox.path(), spec.clone(), 1);
        assert!(!outcome.findings.is_empty(), "{at}");
    }
}

/// A commit with all before it.
fn ancestors<'g>(parents: &BTreeMap<&'g str, Vec<&'g str>>, commit: &str) -> BTreeSet<&'g str> {
    let mut seen = BTreeSet::new();
    let mut waiting: Vec<&'g str> = parents.get_key_value(commit).map(|(id, _)| *id).into_iter().collect();
    while let Some(commit) = waiting.pop() {
        if seen.insert(commit) {
            waiting.extend(&parents[commit]);
        }
    }
    seen
}

/// The commits of a range and what each brought in, as git itself tells them.
fn range_by_git(sandbox: &Sandbox, specs: &[&str], is_walk: bool) -> (u64, BTreeSet<String>) {
    let no_walk: &[&str] = if is_walk { &[] } else { &["--no-walk=unsorted"] };
    let commits = sandbox.git(&[&["rev-list", "--topo-order"][..], no_walk, specs].concat());
    let compare = ["diff-tree", "--stdin", "-r", "-c", "--root", "--no-renames"];
    let compared = git_with_input(sandbox, &compare, format!("{commits}\n").as_bytes());
    // Two colons and three names for a merge of two, one and two for a plain commit; the last is what came.
    let mut blobs: BTreeSet<String> = compared
        .lines()
        .filter(|line| line.starts_with(':'))
        .filter_map(|line| line.split('\t').next()?.split(' ').rev().nth(1).map(str::to_owned))
        .collect();
    blobs.remove(&"00".repeat(sandbox.id_len()));
    (commits.lines().count() as u64, blobs)
}

#[test]
fn ranges_are_what_git_says() {
    for seed in 1..=4 {
        let sandbox = tangled_repo(seed);
        // With generation numbers git's answer is exact whatever the clocks say.
        sandbox.git(&["commit-graph", "write", "--reachable"]);
        let merge = sandbox.git(&["rev-list", "--all", "--merges", "--max-count=1"]);
        let with = |suffix: &str| format!("{merge}{suffix}");
        let [only, parents, parent, second] = ["^!", "^@", "^-", "^-2"].map(with);
        for (specs, is_walk) in [
            (&["one..main"][..], true),
            (&["main..one", "two"], true),
            (&["one...two"], true),
            (&["two...main", "^one"], true),
            (&["^one", "main"], true),
            (&["main~1..", "^two~1"], true),
            (&["..two"], true),
            (&["main..main"], true),
            (&["main", "one"], false),
            (&["main~2"], false),
            (&[&only], true),
            (&[&parent], true),
            (&[&second], true),
            (&[&parents], false),
        ] {
            let (commits, blobs) = range_by_git(&sandbox, specs, is_walk);
            let coverage = audit(&sandbox.path(), range(specs)).coverage;
            assert_eq!(coverage.commits, commits, "{seed} {specs:?}");
            assert_eq!(coverage.blobs, blobs.len() as u64, "{seed} {specs:?}");
        }
    }
}

#[test]
fn a_range_tells_what_its_commits_brought_not_what_was_there() {
    let sandbox = clean_repo();
    sandbox.write("app", secret_file(1));
    sandbox.commit_all("old");
    sandbox.git(&["rm", "--quiet", "app"]);
    sandbox.commit_all("gone");
    sandbox.write("app", secret_file(1));
    sandbox.commit_all("again");
    sandbox.write("other", "x\n");
    sandbox.commit_all("later");
    assert_found(&sandbox, range(&["HEAD~2..HEAD"]), &["app: again..later, head, head branch"]);
    assert_found(&sandbox, range(&["HEAD~1..HEAD"]), &[]);
    assert_found(&sandbox, range(&["HEAD"]), &[]);
    assert_found(&sandbox, range(&["HEAD~1"]), &["app: again..again, head, head branch"]);
    let outcome = audit(&sandbox.path(), range(&["HEAD..HEAD"]));
    assert_eq!((outcome.findings.len(), outcome.coverage.commits), (0, 0));
}

/// Of a range only those commits are read that may lead to it, yet each kind of ref that does is told: from loose
/// objects, from a pack, and by the commit-graph file, in one piece and in several.
#[test]
fn refs_that_reach_a_range_are_those_that_git_names() {
    for seed in 0..5_u64 {
        let sandbox = clean_repo();
        let tree = sandbox.git(&["write-tree"]);
        let mut dice = Dice::new(seed);
        let mut commits: Vec<String> = Vec::new();
        for number in 0..40_usize {
            let mut parents: BTreeSet<String> = BTreeSet::new();
            for _ in 0..=dice.roll(3).min(number) {
                parents.extend(commits.len().checked_sub(1 + dice.roll(5)).map(|at| commits[at].clone()));
            }
            let parents: String = parents.iter().map(|parent| format!("parent {parent}\n")).collect();
            let who = format!("A <a@b> {} +0000", 1_700_000_000 + number * 100 - dice.roll(400));
            let token = clickup_token(seed * 100 + number as u64);
            let commit = format!("tree {tree}\n{parents}author {who}\ncommitter {who}\n\n{token}\n");
            let id = git_with_input(
                &sandbox,
                &["hash-object", "-t", "commit", "-w", "--stdin"],
                commit.as_bytes(),
            );
            let kind = ["heads", "tags", "remotes/origin", "pull", "notes"][dice.roll(5)];
            if dice.roll(3) == 0 {
                sandbox.git(&["update-ref", &format!("refs/{kind}/r{number}"), &id]);
            }
            commits.push(id);
            if seed == 4 && number % 13 == 12 {
                sandbox.git(&["update-ref", "refs/heads/main", &commits[number]]);
                sandbox.git(&["commit-graph", "write", "--reachable", "--split=no-merge"]);
            }
        }
        sandbox.git(&["update-ref", "refs/heads/main", &commits[38]]);
        forget_reflogs(&sandbox);
        match seed {
            0 => drop(sandbox.git(&["repack", "-adkq"])),
            3 => drop(sandbox.git(&["commit-graph", "write", "--reachable"])),
            _ => {}
        }
        for (from, to) in [(36, 39), (20, 30), (3, 38), (10, 12), (0, 1)] {
            let spec = format!("{}..{}", commits[from], commits[to]);
            let outcome = audit(&sandbox.path(), range(&[&spec]));
            let listed = sandbox.git(&["rev-list", &spec]);
            let expected: BTreeSet<&str> = listed.lines().collect();
            assert_eq!(outcome.findings.len(), expected.len(), "{seed} {from} {to}");
            for finding in &outcome.findings {
                let exposure = finding.exposure.as_ref().expect("it is of the history");
                let id = exposure.first.as_ref().expect("a commit").id.to_string();
                assert!(expected.contains(&*id), "{seed} {from} {to}");
                let refs = sandbox.git(&["for-each-ref", "--contains", &id, "--format=%(refname)"]);
                let kind = |name: &str| match name.split('/').nth(1) {
                    Some("heads") => "branch",
                    Some("tags") => "tag",
                    Some("remotes") => "remote",
                    Some("notes") => "notes",
                    _ => "other-ref",
                };
                let mut kinds: BTreeSet<&str> = refs.lines().map(kind).collect();
                if refs.lines().any(|name| name == "refs/heads/main") {
                    kinds.insert("head");
                }
                if kinds.is_empty() {
                    kinds.insert("unreachable");
                }
                let told: BTreeSet<&str> = exposure.reached_by.iter().map(|reach| reach.name()).collect();
                assert_eq!(told, kinds, "{seed} {from} {to} {id}");
            }
        }
    }
}

#[test]
fn what_names_no_commit_is_an_error() {
    let sandbox = clean_repo();
    sandbox.git(&["tag", "tree", "HEAD^{tree}"]);
    let missing = "12".repeat(20);
    for (spec, named) in [
        ("nosuch", "nosuch"),
        ("nosuch..HEAD", "nosuch"),
        ("HEAD..nosuch", "nosuch"),
        ("HEAD...nosuch", "nosuch"),
        ("^nosuch", "nosuch"),
        ("nosuch^!", "nosuch"),
        ("..", "`..`"),
        ("...", "`...`"),
        ("", "``"),
        ("HEAD^3", "HEAD^3"),
        ("HEAD^-7", "no parent 7"),
        ("tree", "a tree"),
        (&missing, &missing),
    ] {
        let opened = History::open(&sandbox.path(), range(&[spec])).map(|_| ());
        let Err(HistoryError::Revision(error)) = opened else { panic!("{spec} is no commit") };
        assert!(error.to_string().contains(named), "{spec}: {error}");
    }
    let empty = Sandbox::new();
    assert!(matches!(History::open(&empty.path(), everything()), Err(HistoryError::Open(_))));
}

fn count_objects(sandbox: &Sandbox, kind: &str) -> u64 {
    let listed = sandbox.git(&["cat-file", "--batch-all-objects", "--batch-check=%(objecttype)"]);
    listed.lines().filter(|line| *line == kind).count() as u64
}

/// The same repository in many layouts has the same findings, and each blob is read once.
#[test]
fn the_layout_of_the_database_makes_no_difference() {
    let sandbox = tangled_repo(7);
    let findings = |dir: &Path, options: Options| {
        let outcome = audit(dir, options);
        assert_eq!(outcome.coverage.blobs, count_objects(&sandbox, "blob"));
        assert_eq!(outcome.coverage.commits, count_objects(&sandbox, "commit"));
        described(&sandbox, &outcome.findings)
    };
    let loose = findings(&sandbox.path(), everything());
    assert!(loose.len() > 4);
    // Half in one pack, the rest loose, then in a second pack, then all in both.
    sandbox.git(&["repack", "--quiet", "-d"]);
    assert_eq!(findings(&sandbox.path(), everything()), loose);
    sandbox.write("more", "more\n");
    sandbox.commit_all("more");
    let more = findings(&sandbox.path(), everything());
    for step in [
        &["repack", "--quiet", "-d"][..],
        &["repack", "--quiet", "-a"],
        &["multi-pack-index", "write"],
        &["commit-graph", "write", "--reachable"],
        &["-c", "pack.indexVersion=1", "repack", "--quiet", "-a", "-d", "--depth=50", "--window=50"],
        &["gc", "--quiet"],
        &["pack-refs", "--all"],
    ] {
        sandbox.git(step);
        assert_eq!(findings(&sandbox.path(), everything()), more, "{step:?}");
        assert_eq!(findings(&sandbox.path(), reachable_only()), more, "{step:?}");
    }
    sandbox.git(&["clone", "--quiet", "--shared", ".", "../shared"]);
    let shared = sandbox.outside().join("shared");
    assert!(fs::read_dir(shared.join(".git/objects/pack")).unwrap().next().is_none());
    assert_eq!(findings(&shared, everything()).len(), more.len());
    sandbox.git(&["clone", "--quiet", "--mirror", ".", "../bare.git"]);
    let bare = sandbox.outside().join("bare.git");
    assert_eq!(findings(&bare, everything()), more);
    let one = audit_with(&bare, everything(), 1);
    for threads in [2, 7] {
        let many = audit_with(&bare, everything(), threads);
        assert_eq!(many.coverage, one.coverage);
        assert_eq!(format!("{:?}", many.findings), format!("{:?}", one.findings));
    }
}

#[test]
fn an_empty_repository_is_clean() {
    for args in [&["init", "--quiet"][..], &["init", "--quiet", "--bare"]] {
        let sandbox = Sandbox::new();
        sandbox.git(args);
        let coverage = audit(&sandbox.path(), everything()).coverage;
        assert_eq!((coverage.commits, coverage.blobs, coverage.refs), (0, 0, 0));
    }
}

#[test]
fn binary_and_large_blobs_and_submodules_are_counted() {
    let sandbox = clean_repo();
    sandbox.write("image", b"\x7fELF\0\0\0\x01");
    sandbox.write("large", random_text("abc \n", 5000, 1));
    sandbox.git(&[
        "update-index",
        "--add",
        "--cacheinfo",
        &format!("160000,{},sub", "12".repeat(sandbox.id_len())),
    ]);
    sandbox.git(&["add", "image", "large"]);
    sandbox.git(&["commit", "--quiet", "--message", "add"]);
    for ranges in [&[][..], &["HEAD"]] {
        let options = Options { max_blob_bytes: Some(4999), ..range(ranges) };
        let skipped = audit(&sandbox.path(), options).coverage.skipped;
        let names: BTreeMap<SkipReason, String> =
            skipped.iter().map(|skipped| (skipped.reason, skipped.name.to_string())).collect();
        let blob = |path: &str| sandbox.git(&["rev-parse", &format!("HEAD:{path}")]);
        assert_eq!(skipped.len(), 3);
        assert_eq!(names[&SkipReason::Binary], blob("image"));
        assert_eq!(names[&SkipReason::TooLarge], blob("large"));
        assert_eq!(names[&SkipReason::Submodule], "12".repeat(sandbox.id_len()));
    }
}

/// The problems of an audit that must not be complete, as `name: message`.
#[track_caller]
fn problems(dir: &Path, options: Options) -> Vec<String> {
    let coverage = audit_with(dir, options, 2).coverage;
    assert_ne!(coverage.problems, [], "the audit is not complete");
    coverage.problems.iter().map(|problem| format!("{}: {}", problem.name, problem.message)).collect()
}

#[test]
fn a_shallow_clone_is_incomplete_unless_that_is_allowed() {
    let sandbox = clean_repo();
    for seed in 1..=3 {
        sandbox.write("app", secret_file(seed));
        sandbox.commit_all(&format!("number {seed}"));
    }
    let url = format!("file://{}", sandbox.path().display());
    sandbox.git(&["clone", "--quiet", "--depth=2", &url, "../shallow"]);
    let shallow = sandbox.outside().join("shallow");
    let allowed = Options { allow_shallow: true, ..everything() };
    let said = problems(&shallow, everything());
    assert!(said.len() == 1 && said[0].contains("git fetch --unshallow"), "{said:?}");
    let outcome = audit(&shallow, allowed.clone());
    assert_eq!(outcome.findings.len(), 2);
    let skipped = &outcome.coverage.skipped;
    assert_eq!((skipped.len(), skipped[0].reason), (1, SkipReason::Shallow));
    // A range that ends before the cut is complete.
    let outcome = audit(&shallow, range(&["HEAD~1..HEAD"]));
    assert_eq!(described(&sandbox, &outcome.findings), ["app: number 3..number 3, head, head branch remote"]);
    assert_eq!(problems(&shallow, range(&["HEAD~1"])).len(), 1);
}

#[test]
fn a_partial_clone_is_incomplete_and_named() {
    let sandbox = clean_repo();
    sandbox.write("app", secret_file(1));
    sandbox.commit_all("add");
    sandbox.git(&["rm", "--quiet", "app"]);
    sandbox.commit_all("remove");
    sandbox.git(&["config", "uploadpack.allowFilter", "true"]);
    let url = format!("file://{}", sandbox.path().display());
    for filter in ["blob:none", "tree:0"] {
        sandbox.git(&["clone", "--quiet", "--no-checkout", "--filter", filter, &url, "../partial"]);
        let partial = sandbox.outside().join("partial");
        for options in [everything(), reachable_only(), range(&["HEAD~2..HEAD"])] {
            let said = problems(&partial, options);
            assert!(said[0].starts_with("partial clone: "), "{said:?}");
            assert!(said[0].contains("git fetch --refetch --no-filter"), "{said:?}");
        }
        let fetch = ["-C", "../partial", "-c", "maintenance.auto=false", "fetch", "--quiet"];
        sandbox.git(&[&fetch[..], &["--refetch", "--no-filter"]].concat());
        assert_eq!(audit(&partial, everything()).findings.len(), 1, "the way out leads out");
        fs::remove_dir_all(&partial).unwrap();
    }
}

fn loose_object(sandbox: &Sandbox, id: &str) -> PathBuf {
    sandbox.path().join(".git/objects").join(&id[..2]).join(&id[2..])
}

#[test]
fn a_missing_object_is_named() {
    for (what, holder) in
        [("HEAD~1:app", "tree"), ("HEAD~1:conf", "tree"), ("HEAD~1^{tree}", "commit"), ("HEAD~1", "commit")]
    {
        let sandbox = clean_repo();
        sandbox.write("app", secret_file(1));
        sandbox.write("conf/x", "x\n");
        sandbox.commit_all("add");
        sandbox.git(&["rm", "--quiet", "-r", "app", "conf"]);
        sandbox.commit_all("remove");
        let id = sandbox.git(&["rev-parse", what]);
        fs::remove_file(loose_object(&sandbox, &id)).unwrap();
        forget_reflogs(&sandbox);
        // A commit that is gone has no name for a range, but its child misses it.
        let commit = if what == "HEAD~1" { "HEAD" } else { "HEAD~1" };
        for options in [everything(), reachable_only(), range(&[commit])] {
            let is_range = !options.ranges.is_empty();
            let said = problems(&sandbox.path(), options);
            let holder = if is_range { "" } else { holder };
            let expected = format!("{id}: object is missing, {holder}");
            assert!(said.iter().any(|said| said.starts_with(&expected)), "{what}: {said:?}");
        }
    }
}

/// Git collects parts of what nothing reaches; that is no damage.
#[test]
fn loose_ends_of_unreachable_objects_are_no_problem() {
    let sandbox = clean_repo();
    sandbox.write("app", secret_file(1));
    sandbox.write("gone", "gone\n");
    sandbox.commit_all("mistake");
    let gone = sandbox.git(&["rev-parse", "HEAD:gone"]);
    sandbox.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
    forget_reflogs(&sandbox);
    fs::remove_file(loose_object(&sandbox, &gone)).unwrap();
    assert_found(&sandbox, everything(), &["app: mistake..mistake, gone, unreachable"]);
}

#[test]
fn a_ref_to_nowhere_is_a_problem() {
    for content in ["12".repeat(20), String::new(), "no ref\n".to_owned()] {
        let sandbox = clean_repo();
        fs::write(sandbox.path().join(".git/refs/heads/broken"), &content).unwrap();
        for options in [everything(), reachable_only()] {
            let said = problems(&sandbox.path(), options);
            assert!(said.iter().any(|said| said.contains("refs/heads/broken")), "{content:?}: {said:?}");
        }
    }
    // What git makes by itself when a remote renames its branch is none.
    let sandbox = clean_repo();
    sandbox.git(&["symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/gone"]);
    audit(&sandbox.path(), everything());
}

fn the_file(dir: &Path, ending: &str) -> PathBuf {
    let mut found = fs::read_dir(dir).expect("a directory").map(|entry| entry.expect("an entry").path());
    let path = found.find(|path| path.to_string_lossy().ends_with(ending)).expect("a pack");
    let mut permissions = fs::metadata(&path).expect("a file").permissions();
    #[expect(clippy::permissions_set_readonly_false, reason = "git writes its packs read-only")]
    permissions.set_readonly(false);
    fs::set_permissions(&path, permissions).expect("a writable file");
    path
}

#[test]
fn a_damaged_pack_is_never_clean() {
    let sandbox = tangled_repo(3);
    sandbox.git(&["repack", "--quiet", "-a", "-d"]);
    sandbox.git(&["prune", "--expire=now"]);
    let dir = sandbox.path().join(".git/objects/pack");
    for ending in [".pack", ".idx"] {
        let file = the_file(&dir, ending);
        let whole = fs::read(&file).unwrap();
        for tenth in 0..10 {
            let mut bytes = whole.clone();
            // The trailer is a checksum of what stands before it and of no use to a reader; the index has
            // checksums of packed bytes that only a repack looks at.
            let place = (bytes.len() - 2 * sandbox.id_len()) * tenth / 10;
            bytes[place] ^= 0x55;
            fs::write(&file, &bytes).unwrap();
            let outcome = audit_with(&sandbox.path(), everything(), 2);
            let is_harmless = ending == ".idx" && same_entries(&whole, &bytes, sandbox.id_len());
            assert_eq!(outcome.coverage.problems.is_empty(), is_harmless, "{ending} at {place}");
        }
        fs::write(&file, &whole[..whole.len() / 2]).unwrap();
        problems(&sandbox.path(), everything());
        fs::remove_file(&file).unwrap();
        problems(&sandbox.path(), everything());
        fs::write(&file, &whole).unwrap();
        audit(&sandbox.path(), everything());
    }
}

/// Whether two indexes of version 2 differ at most in the checksums of packed bytes.
fn same_entries(a: &[u8], b: &[u8], id_len: usize) -> bool {
    let last_of_fan = a[8 + 1020..8 + 1024].try_into().expect("four bytes");
    let count = u32::from_be_bytes(last_of_fan) as usize;
    let checksums = 8 + 1024 + count * id_len..8 + 1024 + count * (id_len + 4);
    a[..checksums.start] == b[..checksums.start] && a[checksums.end..] == b[checksums.end..]
}

#[test]
fn a_damaged_loose_object_is_named_and_the_rest_is_read() {
    let sandbox = clean_repo();
    sandbox.write("app", secret_file(1));
    sandbox.commit_all("add");
    let id = sandbox.git(&["rev-parse", "HEAD:readme"]);
    let file = the_file(loose_object(&sandbox, &id).parent().unwrap(), &id[2..]);
    fs::write(&file, b"no zlib").unwrap();
    let outcome = audit_with(&sandbox.path(), everything(), 2);
    assert_eq!(outcome.coverage.problems.len(), 1);
    assert_eq!(outcome.coverage.problems[0].name, id);
    assert_eq!(described(&sandbox, &outcome.findings), ["app: add..add, head, head branch"]);
}

#[test]
fn a_missing_alternate_is_a_problem() {
    let sandbox = clean_repo();
    fs::write(sandbox.path().join(".git/objects/info/alternates"), "/nowhere/objects\n").unwrap();
    let said = problems(&sandbox.path(), everything());
    assert!(said[0].starts_with("/nowhere/objects: "), "{said:?}");
}

/// A tree of ten directories, each the same tree of ten directories, and so on: ten thousand million paths.
#[test]
fn a_tree_with_too_many_paths_ends_in_a_problem() {
    let sandbox = clean_repo();
    let blob = git_with_input(&sandbox, &["hash-object", "-w", "--stdin"], secret_file(1).as_bytes());
    let mut entry = ("100644 blob", blob);
    for _ in 0..10 {
        let lines: String = (0..10).map(|name| format!("{} {}\t{name}\n", entry.0, entry.1)).collect();
        entry = ("040000 tree", git_with_input(&sandbox, &["mktree"], lines.as_bytes()));
    }
    let commit = sandbox.git(&["commit-tree", "-m", "bomb", &entry.1]);
    sandbox.git(&["update-ref", "refs/heads/bomb", &commit]);
    for options in [everything(), reachable_only(), range(&["bomb"])] {
        let said = problems(&sandbox.path(), options);
        assert!(said[0].starts_with("paths: "), "{said:?}");
    }
}

/// The exit code of the binary, with the report as JSON.
fn run(sandbox: &Sandbox, args: &[&str]) -> (i32, serde_json::Value) {
    let ran = sandbox.stanch(&[&["history", "--format=json"][..], args].concat());
    (ran.code, ran.json())
}

#[test]
fn the_command_reports_and_exits_by_what_it_found() {
    let sandbox = clean_repo();
    assert_eq!(run(&sandbox, &[]).0, 0);
    sandbox.write("app", secret_file(1));
    sandbox.commit_all("mistake");
    sandbox.git(&["rm", "--quiet", "app"]);
    sandbox.commit_all("remove");
    for (args, code) in
        [(&[][..], 1), (&["HEAD~2..HEAD"], 1), (&["HEAD~1"], 1), (&["HEAD"], 0), (&["HEAD..HEAD"], 0)]
    {
        let (found, report) = run(&sandbox, args);
        assert_eq!(found, code, "{args:?}");
        assert!(!report.to_string().contains(&clickup_token(1)), "{args:?}");
    }
    sandbox.git(&["reset", "--quiet", "--hard", "HEAD~2"]);
    forget_reflogs(&sandbox);
    assert_eq!(run(&sandbox, &[]).0, 1);
    assert_eq!(run(&sandbox, &["--reachable-only"]).0, 0);
}

#[test]
fn a_directory_in_the_place_of_a_commit_is_told_how_to_be_named() {
    let sandbox = clean_repo();
    let place = sandbox.path().display().to_string();
    for ran in
        [sandbox.stanch(&["history", &place]), sandbox.stanch_in(sandbox.outside(), &["history", &place])]
    {
        let ran = ran.expect_code(2);
        assert!(ran.stderr.contains(&format!("`stanch history -C {place}`")), "{ran:?}");
    }
    // A branch may have the name of a directory.
    sandbox.write("docs/a", "words\n");
    sandbox.commit_all("docs");
    sandbox.git(&["branch", "docs"]);
    sandbox.stanch(&["history", "docs"]).expect_code(0);
}

#[test]
fn the_command_fails_when_it_cannot_do_the_whole_job() {
    let sandbox = clean_repo();
    sandbox.write("app", secret_file(1));
    sandbox.commit_all("add");
    sandbox.stanch(&["history", "nosuch..HEAD"]).expect_code(2);
    Sandbox::new().stanch(&["history"]).expect_code(2);
    let url = format!("file://{}", sandbox.path().display());
    sandbox.git(&["clone", "--quiet", "--depth=1", &url, "../shallow"]);
    let shallow = sandbox.outside().join("shallow");
    let ran = sandbox.stanch_in(&shallow, &["history"]).expect_code(2);
    assert!(ran.stdout.contains("git fetch --unshallow"), "{ran:?}");
    sandbox.stanch_in(&shallow, &["history", "--allow-shallow"]).expect_code(1);
    let id = sandbox.git(&["rev-parse", "HEAD:readme"]);
    fs::remove_file(loose_object(&sandbox, &id)).unwrap();
    let (code, report) = run(&sandbox, &[]);
    assert_eq!(code, 2);
    assert!(report.to_string().contains(&id), "{report}");
    assert!(report.to_string().contains("\"app\""), "what was found is reported all the same: {report}");
}
