//! Object names of 32 bytes (SHA-256) beside those of 20 (SHA-1): what is told of a repository is the same but for the
//! names.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::{Ran, Sandbox, clickup_token, output_with_input, sha256};

const BOTH: [usize; 2] = [20, 32];

fn secret(seed: u64) -> String {
    format!("token = {}\n", clickup_token(seed))
}

/// Commits with a clock that goes on, so that no two commits are of the same second.
struct Story {
    sandbox: Sandbox,
    seconds: u64,
}

impl Story {
    fn new(id_len: usize) -> Self {
        Self { sandbox: Sandbox::repo_with_names(id_len), seconds: 1_700_000_000 }
    }

    #[track_caller]
    fn git(&mut self, args: &[&str]) {
        self.seconds += 60;
        let date = format!("@{} +0200", self.seconds);
        let mut git = self.sandbox.command("git");
        git.env("GIT_AUTHOR_DATE", &date).env("GIT_COMMITTER_DATE", &date).args(args);
        Ran::new(git.output().expect("git runs")).expect_code(0);
    }

    #[track_caller]
    fn commit(&mut self, message: &str) {
        self.git(&["add", "--all", "."]);
        self.git(&["commit", "--quiet", "--allow-empty", "--message", message]);
    }

    fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        self.sandbox.write(path, content);
    }
}

/// A repository in which secrets stand wherever one can: in commits of every kind, on all kinds of refs, and on none.
fn told(id_len: usize) -> Story {
    let mut story = Story::new(id_len);
    for number in 0..12 {
        story.write(&format!("conf/deep/filler-{number}"), format!("{number}\n").repeat(40));
    }
    story.write(".gitignore", "*.log\n");
    story.commit("start");
    story.write("conf/app", secret(1));
    story.commit("add");
    story.write("conf/app", format!("{}{}", "a line\n".repeat(30), secret(1)));
    story.commit("edit");
    story.git(&["mv", "conf/app", "conf/moved"]);
    story.commit("move");
    story.git(&["rm", "--quiet", "conf/moved"]);
    story.commit("remove");
    story.git(&["checkout", "--quiet", "-b", "side"]);
    story.write("side", secret(2));
    story.commit("side work");
    story.git(&["checkout", "--quiet", "main"]);
    story.write("main", "main\n");
    story.commit("main work");
    story.git(&["merge", "--quiet", "--no-commit", "side"]);
    story.write("evil", secret(3));
    story.commit("merge");
    story.commit(&format!("words\n\nwith {}", clickup_token(4)));
    story.git(&["tag", "--annotate", "--message", &format!("release {}", clickup_token(5)), "v1"]);
    story.git(&["tag", "--annotate", "--message", &format!("outer {}", clickup_token(6)), "v2", "v1"]);
    let wide: Vec<u8> = secret(7).encode_utf16().flat_map(u16::to_le_bytes).collect();
    story.write("wide.txt", [&[0xFF, 0xFE][..], &wide].concat());
    story.write("image", b"\x7fELF\0\0\0\x01");
    story.commit("other forms");
    story.write("brief", secret(8));
    story.commit("mistake");
    story.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
    story.write("main", secret(9));
    story.write("untracked", secret(10));
    story.git(&["stash", "push", "--quiet", "--include-untracked"]);
    story.git(&["notes", "add", "--message", &format!("used {}", clickup_token(11)), "HEAD~1"]);
    story.git(&["update-ref", "refs/remotes/origin/side", "side"]);
    story.git(&["update-ref", "refs/pull/1/head", "side~1"]);
    story.write("loose.log", secret(12));
    story.git(&["hash-object", "-w", "loose.log"]);
    let link = format!("160000,{},sub", "ab".repeat(id_len));
    fs::create_dir(story.sandbox.path().join("sub")).expect("a directory");
    story.git(&["update-index", "--add", "--cacheinfo", &link]);
    story.git(&["commit", "--quiet", "--message", "a submodule"]);
    for number in 0..3 {
        story.write("conf/deep/filler-0", format!("{number} new\n{}", "0\n".repeat(40)));
        story.write("last", format!("{}{number}\n", secret(13)));
        story.commit(&format!("last {number}"));
    }
    story
}

/// What an object is to people, by its name.
fn labels(sandbox: &Sandbox) -> BTreeMap<String, String> {
    let check = ["cat-file", "--batch-all-objects", "--batch-check=%(objectname) %(objecttype)"];
    let listed = sandbox.git(&check);
    let objects = listed.lines().filter_map(|line| line.split_once(' ')).filter(|(_, kind)| *kind != "tree");
    let short_name = regex::Regex::new(r"\b[0-9a-f]{7,12}\b").expect("a good expression");
    let mut labels: BTreeMap<String, String> = objects
        .map(|(id, kind)| {
            let output = sandbox.command("git").args(["cat-file", kind, id]).output().expect("git runs");
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            let body = if kind == "blob" { &*text } else { text.split_once("\n\n").expect("a message").1 };
            // The commits of a stash say the short name of the one that they are for.
            let body = short_name.replace_all(body, "");
            (id.to_owned(), format!("{kind} {}", &sha256(body.as_bytes())[..12]))
        })
        .collect();
    labels.insert("ab".repeat(sandbox.id_len()), "submodule".to_owned());
    labels
}

/// The report, line by line, with labels in the place of names; every name must have one. Lists that are in the order of
/// names are in that of labels.
#[track_caller]
fn plain(ran: &Ran, labels: &BTreeMap<String, String>, place: &Path) -> Vec<String> {
    let name = regex::Regex::new(r"\b(?:[0-9a-f]{64}|[0-9a-f]{40})\b").expect("a good expression");
    let mut named = 0;
    let text = name.replace_all(&ran.stdout, |found: &regex::Captures<'_>| match labels.get(&found[0]) {
        Some(label) => {
            named += 1;
            label.clone()
        }
        None => panic!("{} is the name of nothing", &found[0]),
    });
    assert!(named > 0, "names were found in {}", ran.stdout);
    let text = text.replace(&*place.to_string_lossy(), "HERE");
    let mut report: Value = serde_json::from_str(&text).expect("a report");
    for list in ["/findings", "/coverage/skipped/items"] {
        let items = report.pointer_mut(list).and_then(Value::as_array_mut).expect("a list");
        items.sort_by_cached_key(Value::to_string);
    }
    let lines = serde_json::to_string_pretty(&report).expect("a report");
    lines.lines().map(str::to_owned).collect()
}

/// Both repositories, with what to call their objects.
struct Twins([(Story, BTreeMap<String, String>); 2]);

impl Twins {
    fn told() -> Self {
        Self(BOTH.map(|id_len| {
            let story = told(id_len);
            let labels = labels(&story.sandbox);
            (story, labels)
        }))
    }

    /// Finds what to call what is new.
    fn name(&mut self) {
        self.0.iter_mut().for_each(|(story, names)| *names = labels(&story.sandbox));
    }

    fn git(&mut self, args: &[&str]) {
        self.0.iter_mut().for_each(|(story, _)| story.git(args));
    }

    /// Runs stanch in both and asserts that it tells the same; returns what it told of the longer names.
    #[track_caller]
    fn tell_the_same(&self, args: &[&str], code: i32) -> Value {
        let [short, long] = [0, 1].map(|at| {
            let (story, names) = &self.0[at];
            let ran = story.sandbox.stanch(&[args, &["--format", "json"]].concat()).expect_code(code);
            (plain(&ran, names, &story.sandbox.path()), ran.json())
        });
        for (short, long) in short.0.iter().zip(&long.0) {
            assert_eq!(short, long, "{args:?}");
        }
        assert_eq!(short.0.len(), long.0.len(), "{args:?}");
        long.1
    }
}

fn paths(report: &Value) -> Vec<&str> {
    let findings = report["findings"].as_array().expect("findings").iter();
    findings.map(|finding| finding["path"].as_str().expect("a path")).collect()
}

#[test]
fn an_audit_tells_the_same_in_every_layout() {
    let mut twins = Twins::told();
    let steps: [&[&str]; 10] = [
        &["status", "--short"],
        &["repack", "--quiet", "-d"],
        &["-c", "repack.useDeltaBaseOffset=false", "repack", "--quiet", "-a", "-d", "-f", "--window=50"],
        &["commit", "--quiet", "--allow-empty", "--message", "in a second pack"],
        &["repack", "--quiet", "-d"],
        &["multi-pack-index", "write"],
        &["commit-graph", "write", "--reachable"],
        &["pack-refs", "--all"],
        &["-c", "pack.indexVersion=1", "repack", "--quiet", "-a", "-d", "-F", "--depth=50", "--window=50"],
        // Its clock is not that of the story.
        &["-c", "gc.reflogExpire=never", "-c", "gc.reflogExpireUnreachable=never", "gc", "--quiet"],
    ];
    for step in steps {
        twins.git(step);
        if step[0] == "commit" {
            twins.name();
        }
        let everything = twins.tell_the_same(&["history"], 1);
        for path in ["conf/app", "conf/moved", "evil", "side", "wide.txt", "brief", "untracked", "last"] {
            assert!(paths(&everything).contains(&path), "{step:?} {path}");
        }
        assert!(paths(&everything).iter().any(|path| path.starts_with("<unreachable blob")), "{step:?}");
        let whole = twins.tell_the_same(&["history", "--no-delta"], 1);
        assert_eq!(whole["findings"], everything["findings"], "{step:?}");
        let cached = twins.tell_the_same(&["history", "--cache"], 1);
        assert_eq!(cached["findings"], everything["findings"], "{step:?}");
        let reachable = twins.tell_the_same(&["history", "--reachable-only"], 1);
        assert!(paths(&reachable).contains(&"brief"), "{step:?}");
        assert_eq!(paths(&twins.tell_the_same(&["history", "HEAD~3..HEAD"], 1)), ["last"], "{step:?}");
        twins.tell_the_same(&["history", "side...main~1", "v2"], 1);
    }
}

#[test]
fn borrowed_objects_and_other_work_trees_are_read() {
    let twins = Twins::told();
    let audits = BOTH.map(|id_len| {
        let (story, names) =
            twins.0.iter().find(|(story, _)| story.sandbox.id_len() == id_len).expect("a twin");
        let sandbox = &story.sandbox;
        sandbox.git(&["clone", "--quiet", "--shared", ".", "../borrower"]);
        sandbox.git(&["worktree", "add", "--quiet", "--detach", "../linked", "side"]);
        ["borrower", "linked"].map(|dir| {
            let place = sandbox.outside().join(dir);
            let ran = sandbox.stanch_in(&place, &["history", "--format", "json"]).expect_code(1);
            assert!(paths(&ran.json()).contains(&"conf/moved"), "{dir}");
            plain(&ran, names, &place)
        })
    });
    assert_eq!(audits[0], audits[1]);
}

#[test]
fn a_shallow_clone_ends_where_it_says() {
    for id_len in BOTH {
        let sandbox = told(id_len).sandbox;
        let url = format!("file://{}", sandbox.path().display());
        sandbox.git(&["clone", "--quiet", "--depth=2", &url, "../shallow"]);
        let shallow = sandbox.outside().join("shallow");
        let ran = sandbox.stanch_in(&shallow, &["history"]).expect_code(2);
        assert!(ran.stdout.contains("git fetch --unshallow"), "{ran:?}");
        let ran =
            sandbox.stanch_in(&shallow, &["history", "--allow-shallow", "--format", "json"]).expect_code(1);
        assert!(paths(&ran.json()).contains(&"last"), "{ran:?}");
        sandbox.stanch_in(&shallow, &["history", "HEAD~1..HEAD"]).expect_code(1);
    }
}

fn loose(sandbox: &Sandbox, id: &str) -> PathBuf {
    sandbox.path().join(".git/objects").join(&id[..2]).join(&id[2..])
}

#[test]
fn what_is_missing_or_has_another_content_is_named() {
    for id_len in BOTH {
        let sandbox = told(id_len).sandbox;
        for what in ["HEAD:main", "HEAD~4:conf", "HEAD~2^{tree}", "HEAD~2"] {
            let id = sandbox.git(&["rev-parse", what]);
            assert_eq!(id.len(), id_len * 2);
            let kept = sandbox.outside().join("kept");
            fs::rename(loose(&sandbox, &id), &kept).expect("it is loose");
            for args in [&["history"][..], &["history", "--cache"], &["history", "--no-delta"]] {
                let ran = sandbox.stanch(&[args, &["--format", "json"]].concat()).expect_code(2);
                let report = ran.json();
                let problems = report["coverage"]["problems"].as_array().expect("problems");
                let is_named = |problem: &Value| {
                    let said = problem["message"].as_str().expect("a message");
                    problem["name"] == id.as_str() && said.contains("missing")
                };
                assert!(problems.iter().any(is_named), "{what} {args:?}: {problems:?}");
                assert!(paths(&report).contains(&"last"), "the rest is read");
            }
            // A whole object, but not that of the name.
            let other = loose(&sandbox, &sandbox.git(&["rev-parse", "HEAD:.gitignore"]));
            fs::copy(&other, loose(&sandbox, &id)).expect("a copy");
            let ran = sandbox.stanch(&["history", "--format", "json"]).expect_code(2);
            assert!(ran.stdout.contains(&id), "{what}: {}", ran.stdout);
            fs::remove_file(loose(&sandbox, &id)).expect("a removed copy");
            fs::rename(&kept, loose(&sandbox, &id)).expect("it is put back");
        }
        sandbox.stanch(&["history"]).expect_code(1);
    }
}

/// A name of another length than all of them may begin like one of them.
#[test]
fn a_name_of_another_length_is_the_name_of_nothing() {
    for id_len in BOTH {
        let sandbox = told(id_len).sandbox;
        let (tree, parent) =
            (sandbox.git(&["rev-parse", "HEAD^{tree}"]), sandbox.git(&["rev-parse", "HEAD"]));
        let parent = if id_len == 20 { parent + &"0".repeat(24) } else { parent[..40].to_owned() };
        let who = "A <a@example.org> 1700000000 +0000";
        let commit = format!("tree {tree}\nparent {parent}\nauthor {who}\ncommitter {who}\n\nodd\n");
        let mut git = sandbox.command("git");
        git.args(["hash-object", "--literally", "-t", "commit", "-w", "--stdin"]);
        let id = Ran::new(output_with_input(git, commit.as_bytes())).expect_code(0).stdout;
        fs::write(sandbox.path().join(".git/refs/heads/odd"), &id).expect("a ref");
        for args in [&["history"][..], &["history", "--reachable-only"], &["history", "odd~1..odd"]] {
            sandbox.stanch(args).expect_code(2);
        }
        let ran = sandbox.stanch(&["history"]);
        assert!(ran.stdout.contains(&parent), "{}", ran.stdout);
        // Nor does a hook take it for another.
        let push = format!("refs/heads/a {parent} refs/heads/a {}\n", "0".repeat(parent.len()));
        let ran = sandbox.stanch_with_input(&["hook", "run", "pre-push", "origin", "x"], push.as_bytes());
        assert_eq!(ran.code, 2, "{ran:?}");
    }
}

#[test]
fn a_cache_of_other_names_is_not_used() {
    let twins = Twins::told();
    let files = [0, 1].map(|at| {
        let sandbox = &twins.0[at].0.sandbox;
        sandbox.stanch(&["history", "--cache"]).expect_code(1);
        let mut files = fs::read_dir(sandbox.path().join(".git/stanch")).expect("a cache");
        files.next().expect("one file").expect("an entry").path()
    });
    assert_eq!(files[0].file_name(), files[1].file_name(), "the rules decide on the name");
    let good = files.each_ref().map(|file| fs::read(file).expect("a cache"));
    for at in [0, 1] {
        let sandbox = &twins.0[at].0.sandbox;
        let plain = sandbox.stanch(&["history", "--format", "json"]).expect_code(1).json();
        let known = sandbox.stanch(&["history", "--cache", "--format", "json"]).expect_code(1).json();
        assert_eq!(known["findings"], plain["findings"]);
        assert_eq!((&known["notes"], &known["coverage"]["commits"]), (&serde_json::json!([]), &1.into()));
        let mut flipped = good[at].clone();
        let middle = flipped.len() / 2;
        flipped[middle] ^= 1;
        for (bytes, what) in [(&good[1 - at], "other object names"), (&flipped, "is damaged")] {
            fs::write(&files[at], bytes).expect("a written file");
            let ran = sandbox.stanch(&["history", "--cache", "--format", "json"]).expect_code(1).json();
            let note = ran["notes"][0].as_str().expect("a note");
            assert!(note.contains(what) && note.contains("everything is searched"), "{note}");
            assert_eq!(ran["findings"], plain["findings"]);
            let again = sandbox.stanch(&["history", "--cache", "--format", "json"]).expect_code(1).json();
            assert_eq!(again, known, "it was written anew");
        }
    }
}

#[test]
fn what_is_staged_is_the_same_in_every_index() {
    for config in
        [&[][..], &["index.version", "4"], &["core.splitIndex", "true"], &["index.skipHash", "true"]]
    {
        for id_len in BOTH {
            let mut story = Story::new(id_len);
            if let [key, value] = config {
                story.git(&["config", key, value]);
            }
            // So many directories that trees are read from packs in the end.
            for number in 0..40 {
                story.write(&format!("d{number}/e/file"), format!("{number}\n").repeat(9));
            }
            story.write("moved/from", secret(1));
            story.write("kept", secret(2));
            story.commit("start");
            story.git(&["repack", "--quiet", "-a", "-d"]);
            story.git(&["mv", "moved/from", "to"]);
            for number in 0..40 {
                story.write(&format!("d{number}/e/more"), format!("more {number}\n"));
            }
            story.write("d7/e/file", secret(3));
            story.write("new/file", secret(4));
            story.git(&["add", "--all"]);
            let found = |command: &str| {
                let report = story.sandbox.stanch(&[command, "--format", "json"]).expect_code(1).json();
                paths(&report).into_iter().map(str::to_owned).collect::<Vec<_>>()
            };
            assert_eq!(found("staged"), ["d7/e/file", "new/file"], "{config:?}");
            assert_eq!(found("scan"), ["d7/e/file", "kept", "new/file", "to"], "{config:?}");
            story.sandbox.stanch(&["hook", "run", "pre-commit"]).expect_code(1);
        }
    }
}

/// A file that git tracks though it is ignored is read, and an index without entries is one.
#[test]
fn tracked_files_are_known_with_names_of_any_length() {
    for (id_len, skip_hash) in [(20, "false"), (32, "false"), (32, "true")] {
        let sandbox = Sandbox::repo_with_names(id_len);
        sandbox.git(&["config", "index.skipHash", skip_hash]);
        sandbox.write(".gitignore", "*.log\n");
        sandbox.write("tracked.log", secret(1));
        sandbox.git(&["add", "--force", ".gitignore", "tracked.log"]);
        sandbox.git(&["commit", "--quiet", "--message", "all"]);
        sandbox.git(&["worktree", "add", "--quiet", "--detach", "../linked"]);
        for place in [sandbox.path(), sandbox.outside().join("linked")] {
            let ran = sandbox.stanch_in(&place, &["scan", "--format", "json"]).expect_code(1);
            assert_eq!(paths(&ran.json()), ["tracked.log"], "{id_len}");
        }
        sandbox.git(&["rm", "--quiet", "--cached", "-r", "."]);
        sandbox.stanch(&["scan"]).expect_code(0);
        sandbox.stanch(&["staged"]).expect_code(0);
    }
}
