//! `stanch staged`: what the next commit would add, however it is made.

use std::collections::BTreeSet;
use std::path::Path;

use stanch::git::Repository;
use stanch::git::index::{Index, find_tracked};

use crate::support::Sandbox;

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
            let index = index_at(&sandbox.path().join(".git/index"), 20);
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
    let index = index_at(&sandbox.path().join(".git/index"), 20);
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
        let mut state: u64 = seed;
        let mut random = |below: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % below
        };
        let paths = ["f", "d", "d/f", "d/e/f", "d/e/g", "d.x", "d-x/f", "e/f/g/h"];
        for step in 0..60 {
            let path = paths[random(paths.len() as u64) as usize];
            match random(10) {
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
                        sandbox.write(path, format!("{}\n", random(4)));
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
