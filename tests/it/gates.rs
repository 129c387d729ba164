//! The hooks beyond pre-commit, with real pushes, merges and messages.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{Ran, Sandbox, clickup_token, stanch, write_program};

fn run(mut command: Command) -> Ran {
    Ran::new(command.output().expect("the program runs"))
}

/// A repository with a bare remote `origin`, one commit that both have, and a hook.
fn with_remote(hook: &str) -> Sandbox {
    remote_of(Sandbox::repo(), hook)
}

fn remote_of(sandbox: Sandbox, hook: &str) -> Sandbox {
    sandbox.git(&["init", "--quiet", "--bare", "--initial-branch=main", "../origin.git"]);
    sandbox.git(&["remote", "add", "origin", "../origin.git"]);
    sandbox.write("README", "nothing\n");
    sandbox.commit_all("first");
    sandbox.git(&["push", "--quiet", "--set-upstream", "origin", "main"]);
    let place = if hook == "pre-receive" { origin(&sandbox) } else { sandbox.path() };
    sandbox.stanch_in(&place, &["hook", "install", "--method", "file", hook]).expect_code(0);
    sandbox
}

fn origin(sandbox: &Sandbox) -> PathBuf {
    sandbox.outside().join("origin.git")
}

fn origin_has(sandbox: &Sandbox, revision: &str) -> bool {
    let mut git = sandbox.command("git");
    git.args(["rev-parse", "--verify", "--quiet", revision]).current_dir(origin(sandbox));
    run(git).code == 0
}

/// Commits a token past any hook, and returns its text.
fn commit_token(sandbox: &Sandbox, file: &str, seed: u64) -> String {
    let token = clickup_token(seed);
    sandbox.write(file, format!("token = \"{token}\"\n"));
    sandbox.git(&["add", "--all"]);
    sandbox.git(&["commit", "--quiet", "--no-verify", "--message", "more"]);
    token
}

fn push(sandbox: &Sandbox, args: &[&str]) -> Ran {
    sandbox.try_git(&[&["push"], args].concat())
}

#[track_caller]
fn is_stopped(ran: &Ran, file: &str, token: &str) {
    assert_ne!(ran.code, 0, "{ran:?}");
    assert!(ran.stderr.contains("push blocked") && ran.stderr.contains(file), "{}", ran.stderr);
    assert!(!ran.stderr.contains(&token[5..]), "the token is not shown");
}

#[test]
fn a_bypassed_commit_is_caught_by_the_push() {
    let sandbox = with_remote("pre-push");
    sandbox.stanch(&["hook", "install", "--method", "file"]).expect_code(0);
    let token = commit_token(&sandbox, "a.py", 1);
    // It is in the history even where the last commit takes it out again.
    fs::remove_file(sandbox.path().join("a.py")).unwrap();
    sandbox.commit_all("out again");
    is_stopped(&push(&sandbox, &["origin", "main"]), "a.py", &token);
    assert!(push(&sandbox, &["--no-verify", "origin", "main"]).code == 0, "git lets who wants pass");
    // And by the check of the same range that CI makes.
    let ran = sandbox.stanch(&["history", "origin/main~2..origin/main"]).expect_code(1);
    assert!(ran.stdout.contains("a.py"), "{}", ran.stdout);
}

#[test]
fn only_what_the_remote_lacks_is_read_by_pre_push() {
    let sandbox = with_remote("pre-push");
    let token = commit_token(&sandbox, "old.py", 1);
    push(&sandbox, &["--no-verify", "origin", "main"]).expect_code(0);
    // A new branch on top of what the remote has, a tag, a forced push, and a deletion.
    sandbox.git(&["checkout", "--quiet", "-b", "topic"]);
    sandbox.write("new.py", "a = 1\n");
    sandbox.commit_all("harmless");
    push(&sandbox, &["origin", "topic"]).expect_code(0);
    sandbox.git(&["commit", "--quiet", "--amend", "--message", "other words"]);
    push(&sandbox, &["--force", "origin", "topic"]).expect_code(0);
    sandbox.git(&["tag", "--annotate", "--message", "a tag", "v1"]);
    push(&sandbox, &["origin", "v1"]).expect_code(0);
    push(&sandbox, &["origin", "--delete", "topic"]).expect_code(0);
    push(&sandbox, &["origin", "topic"]).expect_code(0);

    // Where nothing is known of the remote everything is news.
    sandbox.git(&["init", "--quiet", "--bare", "../other.git"]);
    let ran = push(&sandbox, &["../other.git", "topic"]);
    is_stopped(&ran, "old.py", &token);

    let message = format!("see {}", clickup_token(9));
    sandbox.git(&["tag", "--annotate", "--message", &message, "v2"]);
    let ran = push(&sandbox, &["origin", "v2"]);
    assert!(ran.code != 0 && ran.stderr.contains("clickup-personal-token"), "{}", ran.stderr);
}

/// Names of 32 bytes, in a push to a new branch, over another branch and to a server that takes packs or loose objects.
#[test]
fn pushes_with_longer_names_are_read_likewise() {
    let sandbox = remote_of(Sandbox::repo_with_names(32), "pre-push");
    let known = commit_token(&sandbox, "known.py", 1);
    push(&sandbox, &["--no-verify", "origin", "main"]).expect_code(0);
    sandbox.git(&["checkout", "--quiet", "-b", "topic"]);
    sandbox.write("new.py", "a = 1\n");
    sandbox.commit_all("harmless");
    push(&sandbox, &["origin", "topic"]).expect_code(0);
    let token = commit_token(&sandbox, "topic.py", 2);
    let ran = push(&sandbox, &["origin", "topic", "topic:refs/heads/other"]);
    is_stopped(&ran, "topic.py", &token);
    assert!(!ran.stderr.contains("known.py"), "{}", ran.stderr);
    sandbox.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
    push(&sandbox, &["origin", "--delete", "topic"]).expect_code(0);
    let new = sandbox.git(&["rev-parse", "HEAD~1"]);
    // Who calls the hook without git may write no object in the old way.
    let line = format!("refs/heads/a {new} refs/heads/a {}\n", "0".repeat(40));
    let args = ["hook", "run", "pre-push", "nowhere", "x"];
    let ran = sandbox.stanch_with_input(&args, line.as_bytes()).expect_code(1);
    assert!(ran.stdout.contains("known.py") && !ran.stdout.contains(&known[5..]), "{}", ran.stdout);

    for limit in ["1", "1000"] {
        let sandbox = remote_of(Sandbox::repo_with_names(32), "pre-receive");
        let mut config = sandbox.command("git");
        config.args(["config", "receive.unpackLimit", limit]).current_dir(origin(&sandbox));
        run(config).expect_code(0);
        let filler: String = (0..400).map(|number| format!("line {number} of many\n")).collect();
        sandbox.write("big.py", &filler);
        sandbox.commit_all("harmless");
        push(&sandbox, &["origin", "main"]).expect_code(0);
        let token = clickup_token(3);
        sandbox.write("big.py", format!("{filler}token = \"{token}\"\n"));
        sandbox.commit_all("bad");
        fs::remove_file(sandbox.path().join("big.py")).unwrap();
        sandbox.commit_all("out again");
        is_stopped(&push(&sandbox, &["origin", "main", "main:refs/heads/new"]), "big.py", &token);
        assert!(!origin_has(&sandbox, "refs/heads/new"));
        sandbox.git(&["reset", "--quiet", "--hard", "HEAD~2"]);
        sandbox.git(&["tag", "--annotate", "--message", &clickup_token(4), "v1"]);
        let ran = push(&sandbox, &["origin", "v1"]);
        assert!(ran.code != 0 && ran.stderr.contains("clickup-personal-token"), "{}", ran.stderr);
    }
}

#[test]
fn a_forced_push_over_what_nobody_fetched_is_read_whole() {
    let sandbox = with_remote("pre-push");
    // Somebody else pushes, so the old object of the remote is unknown here.
    sandbox.git(&["clone", "--quiet", "../origin.git", "../other"]);
    let other = sandbox.outside().join("other");
    for args in [&["commit", "--quiet", "--allow-empty", "-m", "theirs"][..], &["push", "--quiet"]] {
        let mut git = sandbox.command("git");
        git.args(args).current_dir(&other);
        run(git).expect_code(0);
    }
    let token = commit_token(&sandbox, "mine.py", 4);
    is_stopped(&push(&sandbox, &["--force", "origin", "main"]), "mine.py", &token);
}

#[test]
fn what_was_there_and_cannot_be_read_stops_a_push() {
    let sandbox = with_remote("pre-push");
    let new = sandbox.git(&["rev-parse", "HEAD"]);
    let push_over = |old: &str| {
        let line = format!("refs/heads/main {new} refs/heads/main {old}\n");
        sandbox.stanch_with_input(&["hook", "run", "pre-push", "origin", "../origin.git"], line.as_bytes())
    };
    // Refs may hold what no commit is; that leaves nothing out.
    for revision in ["HEAD^{tree}", "HEAD:README"] {
        push_over(&sandbox.git(&["rev-parse", revision])).expect_code(0);
    }
    let old = sandbox.git(&["commit-tree", "-m", "another root", "HEAD^{tree}"]);
    push_over(&old).expect_code(0);
    let loose = sandbox.path().join(".git/objects").join(&old[..2]).join(&old[2..]);
    fs::remove_file(&loose).unwrap();
    push_over(&old).expect_code(0);
    fs::write(&loose, "no object").unwrap();
    let ran = push_over(&old).expect_code(2);
    assert!(ran.stderr.contains(&old) && ran.stderr.contains("git fsck"), "{}", ran.stderr);
}

#[test]
fn several_refs_of_one_push_are_all_read() {
    let sandbox = with_remote("pre-push");
    sandbox.git(&["branch", "clean"]);
    sandbox.git(&["checkout", "--quiet", "-b", "dirty"]);
    let token = commit_token(&sandbox, "dirty.py", 5);
    is_stopped(&push(&sandbox, &["origin", "clean", "dirty"]), "dirty.py", &token);
    assert!(!origin_has(&sandbox, "refs/heads/clean"));
    push(&sandbox, &["origin", "clean"]).expect_code(0);
}

#[test]
fn what_is_no_line_of_git_stops_a_push() {
    let sandbox = with_remote("pre-push");
    let ran = sandbox.stanch_with_input(&["hook", "run", "pre-push", "origin", "x"], b"nonsense\n");
    assert!(ran.stderr.contains("line 1 of standard input"), "{}", ran.stderr);
    assert_eq!(ran.code, 2);
    let gone = format!("refs/heads/a {} refs/heads/a {}\n", "1".repeat(40), "0".repeat(40));
    let ran = sandbox.stanch_with_input(&["hook", "run", "pre-push", "origin", "x"], gone.as_bytes());
    assert_eq!(ran.code, 2, "{ran:?}");
    assert_eq!(sandbox.stanch_with_input(&["hook", "run", "pre-push", "origin", "x"], b"").code, 0);
    assert_eq!(sandbox.stanch_with_input(&["hook", "run", "commit-msg"], b"").code, 2);
}

#[test]
fn a_server_refuses_every_pushed_object_that_holds_a_token() {
    let sandbox = with_remote("pre-receive");
    let token = commit_token(&sandbox, "a.py", 1);
    fs::remove_file(sandbox.path().join("a.py")).unwrap();
    sandbox.commit_all("out again");
    is_stopped(&push(&sandbox, &["origin", "main"]), "a.py", &token);
    assert!(!origin_has(&sandbox, "refs/heads/main~1"), "nothing was accepted");
    let again = push(&sandbox, &["origin", "main"]).stderr;
    assert!(again.contains("reached by branch") && !again.contains("unreachable"), "{again}");
    // The quarantine is gone, and so is the blob.
    let blob = sandbox.git(&["rev-parse", "HEAD~1:a.py"]);
    assert!(!origin_has(&sandbox, &format!("{blob}^{{blob}}")));

    sandbox.git(&["reset", "--quiet", "--hard", "HEAD~2"]);
    sandbox.write("b.py", "b = 1\n");
    sandbox.commit_all("harmless");
    push(&sandbox, &["origin", "main", "main:refs/heads/topic"]).expect_code(0);
    push(&sandbox, &["origin", "--delete", "topic"]).expect_code(0);
    assert!(origin_has(&sandbox, "refs/heads/main~1"));

    for (number, reference) in ["refs/tags/v1", "refs/tags/blob", "refs/tags/tree"].into_iter().enumerate() {
        let token = clickup_token(20 + number as u64);
        sandbox.write("c.py", format!("c = \"{token}\"\n"));
        sandbox.git(&["add", "c.py"]);
        let object = match reference {
            "refs/tags/v1" => {
                sandbox.git(&["tag", "--annotate", "--message", &token, "v1"]);
                "v1".to_owned()
            }
            "refs/tags/blob" => sandbox.git(&["rev-parse", ":c.py"]),
            _ => sandbox.git(&["write-tree"]),
        };
        let ran = push(&sandbox, &["origin", &format!("{object}:{reference}")]);
        assert!(
            ran.code != 0 && ran.stderr.contains("clickup-personal-token"),
            "{reference}: {}",
            ran.stderr
        );
    }
}

/// Whoever pushes writes the markers, so a server may choose not to believe them.
#[test]
fn a_server_may_ignore_markers() {
    let sandbox = with_remote("pre-receive");
    sandbox.write("a.py", format!("a = \"{}\"  # stanch:allow: a sample\n", clickup_token(4)));
    sandbox.commit_all("allowed");
    push(&sandbox, &["origin", "main"]).expect_code(0);
    let hook = origin(&sandbox).join("hooks/pre-receive");
    write_program(&hook, format!("#!/bin/sh\nexec '{}' hook run --no-inline-allow pre-receive\n", stanch()));
    let ran = push(&sandbox, &["origin", "main:refs/heads/same"]);
    assert_eq!(ran.code, 0, "nothing new was sent: {ran:?}");
    sandbox.write("b.py", format!("b = \"{}\"  # stanch:allow: a sample\n", clickup_token(5)));
    sandbox.commit_all("allowed again");
    let ran = push(&sandbox, &["origin", "main"]);
    assert!(ran.code != 0 && ran.stderr.contains("b.py") && !ran.stderr.contains("a.py"), "{ran:?}");
}

/// As packs (many objects) and as loose objects (few), which git decides by `receive.unpackLimit`.
#[test]
fn a_server_reads_what_was_sent_and_only_that() {
    for limit in ["1", "1000"] {
        let sandbox = with_remote("pre-receive");
        let server = |args: &[&str]| {
            let mut git = sandbox.command("git");
            git.args(args).current_dir(origin(&sandbox));
            run(git).expect_code(0).stdout.trim().to_owned()
        };
        server(&["config", "receive.unpackLimit", limit]);
        // What the server has from earlier counts no more, not even where a thin pack leans on it.
        server(&["config", "core.hooksPath", "/nowhere"]);
        let filler: String = (0..400).map(|number| format!("line {number} of many\n")).collect();
        let token = clickup_token(1);
        sandbox.write("big.py", format!("{filler}token = \"{token}\"\n{filler}"));
        sandbox.commit_all("old sins");
        push(&sandbox, &["origin", "main"]).expect_code(0);
        sandbox.git(&["push", "--quiet", "origin", "main:refs/heads/gone"]);
        server(&["config", "--unset", "core.hooksPath"]);
        sandbox.write("big.py", format!("{filler}nothing\n{filler}more\n"));
        sandbox.commit_all("clean");
        push(&sandbox, &["origin", "main"]).expect_code(0);

        // What lies there though nobody refers to it is new to everybody when a ref leads to it.
        server(&["update-ref", "refs/heads/main", &server(&["rev-parse", "main~2"])]);
        server(&["update-ref", "-d", "refs/heads/gone"]);
        let ran = push(&sandbox, &["--force", "origin", "main~1:refs/heads/again"]);
        is_stopped(&ran, "big.py", &token);
    }
}

#[test]
fn a_damaged_server_accepts_nothing() {
    let sandbox = with_remote("pre-receive");
    write_program(&origin(&sandbox).join("hooks/pre-receive"), {
        let script = fs::read_to_string(origin(&sandbox).join("hooks/pre-receive")).unwrap();
        // As if somebody broke what was received before it could be read.
        script.replace(
            "set -eu\n",
            "set -eu\nfor f in \"$GIT_QUARANTINE_PATH\"/??/*; do chmod u+w \"$f\"; echo x >\"$f\"; done\n",
        )
    });
    sandbox.write("a.py", "a = 1\n");
    sandbox.commit_all("harmless");
    let ran = push(&sandbox, &["origin", "main"]);
    assert!(ran.code != 0 && ran.stderr.contains("push blocked"), "{ran:?}");
}

#[test]
fn messages_are_read_as_git_records_them() {
    let sandbox = Sandbox::repo();
    sandbox.stanch(&["hook", "install", "--method", "file", "commit-msg"]).expect_code(0);
    let token = clickup_token(3);
    let commit = |args: &[&str], typed: Option<&str>| {
        let mut git = sandbox.command("git");
        git.args(["commit", "--quiet", "--allow-empty"]).args(args);
        if let Some(typed) = typed {
            let draft = sandbox.outside().join("draft");
            fs::write(&draft, typed).unwrap();
            git.env("GIT_EDITOR", format!("cat '{}' >", draft.display()));
        }
        run(git)
    };
    let ran = commit(&["-m", &format!("see {token}")], None).expect_code(1);
    assert!(ran.stderr.contains("the message holds secrets"), "{}", ran.stderr);
    assert!(!ran.stderr.contains(&token[5..]));
    // Without an editor a comment is part of the message.
    commit(&["-m", &format!("words\n\n# {token}")], None).expect_code(1);
    commit(&["--cleanup=strip", "-m", "words"], None).expect_code(0);
    commit(&[], Some(&format!("words\n# {token}\n"))).expect_code(0);
    assert!(!sandbox.git(&["log", "-1", "--format=%B"]).contains(&token));
    commit(&[], Some(&format!("words {token}\n# comment\n"))).expect_code(1);
    let scissors = "# ------------------------ >8 ------------------------";
    commit(&["-v"], Some(&format!("words\n{scissors}\n{token}\n"))).expect_code(0);
    commit(&[], Some(&format!("{token}\n{scissors}\n"))).expect_code(1);
    sandbox.git(&["config", "core.commentChar", ";"]);
    commit(&[], Some(&format!("words\n; {token}\n"))).expect_code(0);
    commit(&[], Some(&format!("words\n# {token}\n"))).expect_code(1);
    sandbox.git(&["config", "commit.cleanup", "whitespace"]);
    commit(&[], Some(&format!("words\n; {token}\n"))).expect_code(1);
    commit(&["--no-verify", "-m", &token], None).expect_code(0);
}

#[test]
fn a_merge_that_brings_a_token_is_stopped() {
    let sandbox = Sandbox::repo();
    sandbox.commit_all("first");
    sandbox.git(&["checkout", "--quiet", "-b", "side"]);
    commit_token(&sandbox, "side.py", 2);
    sandbox.git(&["checkout", "--quiet", "main"]);
    sandbox.write("main.py", "a = 1\n");
    sandbox.commit_all("second");
    sandbox.stanch(&["hook", "install", "--method", "file", "pre-merge-commit"]).expect_code(0);
    let ran = sandbox.try_git(&["merge", "--no-edit", "side"]);
    assert!(ran.code != 0 && ran.stderr.contains("side.py"), "{ran:?}");
    assert!(ran.stderr.contains("commit blocked"), "{}", ran.stderr);
}

#[test]
fn status_proves_each_hook_by_a_made_up_token() {
    let names = ["pre-commit", "pre-merge-commit", "commit-msg", "pre-push", "pre-receive"];
    let sandbox = Sandbox::repo();
    let before = fs::read_dir(sandbox.path().join(".git/objects")).unwrap().count();
    let install = [&["hook", "install", "--method", "file"], &names[..]].concat();
    let ran = sandbox.stanch(&install).expect_code(0);
    assert_eq!(ran.stdout.matches("installed the").count(), names.len(), "{}", ran.stdout);
    let ran = sandbox.stanch(&["hook", "status", "--format", "json"]).expect_code(0);
    let hooks = ran.json()["hooks"].as_array().unwrap().clone();
    assert_eq!(hooks.len(), names.len());
    for hook in hooks {
        assert_eq!(
            (&hook["proof"], &hook["way"], &hook["runs"]),
            (&"stopped".into(), &"file".into(), &true.into())
        );
    }
    assert_eq!(fs::read_dir(sandbox.path().join(".git/objects")).unwrap().count(), before);
    assert!(!sandbox.path().join(".git/index").exists());

    // A hook that looks right and lets everything pass is told.
    for name in names {
        let path = sandbox.path().join(".git/hooks").join(name);
        let script = fs::read_to_string(&path).unwrap();
        write_program(&path, script.replace("set -eu\n", "exit 0\n"));
        let ran = sandbox.stanch(&["hook", "status", name]).expect_code(1);
        assert!(ran.stdout.contains("NOT stopped"), "{name}: {}", ran.stdout);
        // And one that stops everything without a look at it proves nothing.
        write_program(&path, script.replace("set -eu\n", "echo nonsense >&2; exit 1\n"));
        let ran = sandbox.stanch(&["hook", "status", name]).expect_code(2);
        assert!(ran.stdout.contains("proof: none"), "{name}: {}", ran.stdout);
        let ran = sandbox.stanch(&["hook", "status", name, "--no-proof"]).expect_code(0);
        assert!(!ran.stdout.contains("proof"), "{name}: {}", ran.stdout);
    }
    let ran = sandbox.stanch(&["hook", "uninstall"]).expect_code(0);
    assert_eq!(ran.stdout.matches("removed the").count(), names.len(), "{}", ran.stdout);
}

#[test]
fn pushes_feed_the_hook_that_was_there_too() {
    let sandbox = with_remote("pre-push");
    let hook = sandbox.path().join(".git/hooks/pre-push");
    sandbox.stanch(&["hook", "uninstall"]).expect_code(0);
    let heard = sandbox.outside().join("heard");
    let foreign = format!("#!/bin/sh\necho \"$1\" >'{0}'\ncat >>'{0}'\n", heard.display());
    write_program(&hook, &foreign);
    sandbox.stanch(&["hook", "install", "--method", "file", "pre-push"]).expect_code(0);
    sandbox.write("a.py", "a = 1\n");
    sandbox.commit_all("harmless");
    push(&sandbox, &["origin", "main"]).expect_code(0);
    let told = fs::read_to_string(&heard).unwrap();
    let head = sandbox.git(&["rev-parse", "HEAD"]);
    assert!(told.starts_with("origin\n") && told.contains(&format!("main {head} ")), "{told}");
    fs::remove_file(&heard).unwrap();
    let token = commit_token(&sandbox, "b.py", 8);
    is_stopped(&push(&sandbox, &["origin", "main"]), "b.py", &token);
    assert!(!heard.exists(), "what it would upload is not uploaded");
    sandbox.stanch(&["hook", "uninstall", "pre-push"]).expect_code(0);
    assert_eq!(fs::read_to_string(&hook).unwrap(), foreign);
}

/// A git on `PATH` that knows hooks in its configuration: the real one if it does, else a stand-in that runs them
/// before a commit as git 2.54 does.
fn path_with_new_git(sandbox: &Sandbox) -> OsString {
    let probe = ["-c", "hook.x.command=:", "-c", "hook.x.event=pre-commit", "hook", "list", "pre-commit"];
    let path = std::env::var_os("PATH").expect("a PATH");
    if sandbox.try_git(&probe).code == 0 {
        return path;
    }
    let real =
        std::env::split_paths(&path).map(|dir| dir.join("git")).find(|git| git.is_file()).expect("git");
    let stand_in = format!(
        "#!/bin/sh\nreal='{}'\ncase \" $* \" in\n\
         *' hook list '*) echo stanch-probe; exit 0 ;;\n\
         *' commit '*)\n\
           for word in \"$@\"; do case $word in --no-verify) exec \"$real\" \"$@\" ;; esac; done\n\
           name=stanch-pre-commit\n\
           if [ \"$(\"$real\" config \"hook.$name.event\")\" = pre-commit ] && [ \"$(\"$real\" config \"hook.$name.enabled\")\" != false ]; then\n\
             sh -c \"$(\"$real\" config \"hook.$name.command\")\" >&2 || exit 1\n\
           fi ;;\nesac\nexec \"$real\" \"$@\"\n",
        real.display()
    );
    write_program(&sandbox.outside().join("new git/git"), stand_in);
    let dirs = [sandbox.outside().join("new git")].into_iter();
    std::env::join_paths(dirs.chain(std::env::split_paths(&path))).expect("a PATH")
}

#[cfg(unix)]
#[test]
fn a_git_that_knows_hooks_in_its_configuration_gets_one_there() {
    let sandbox = Sandbox::repo();
    let path = path_with_new_git(&sandbox);
    let command = |program: &str, args: &[&str]| {
        let mut command = sandbox.command(program);
        command.args(args).env("PATH", &path);
        run(command)
    };
    let foreign = sandbox.path().join(".git/hooks/pre-commit");
    write_program(&foreign, "#!/bin/sh\n. \"${0%/*}/helper\"\n");
    fs::write(foreign.with_file_name("helper"), "echo helped\n").unwrap();
    let config = fs::read(sandbox.path().join(".git/config")).unwrap();

    let ran = command(stanch(), &["hook", "install"]).expect_code(0);
    assert!(ran.stdout.contains("git's configuration names it"), "{}", ran.stdout);
    command(stanch(), &["hook", "install"]).expect_code(0);
    let ran = command(stanch(), &["hook", "status", "--format", "json"]).expect_code(0);
    assert_eq!(ran.json()["hooks"][0]["way"], "config");
    assert_eq!(ran.json()["hooks"][0]["proof"], "stopped");

    let token = clickup_token(5);
    sandbox.write("a.py", format!("a = \"{token}\"\n"));
    sandbox.git(&["add", "a.py"]);
    let ran = command("git", &["commit", "--quiet", "-m", "x"]).expect_code(1);
    assert!(ran.stderr.contains("a.py"), "{}", ran.stderr);
    sandbox.write("a.py", "a = 1\n");
    sandbox.git(&["add", "a.py"]);
    let ran = command("git", &["commit", "--quiet", "-m", "x"]).expect_code(0);
    assert!(ran.stderr.contains("helped"), "{}", ran.stderr);

    sandbox.git(&["config", "hook.stanch-pre-commit.enabled", "false"]);
    let ran = command(stanch(), &["hook", "status"]).expect_code(1);
    assert!(ran.stdout.contains("switched-off"), "{}", ran.stdout);
    sandbox.git(&["config", "--unset", "hook.stanch-pre-commit.enabled"]);
    // An older git does not run it, and the status says so.
    let old = sandbox.outside().join("old git");
    write_program(
        &old.join("git"),
        "#!/bin/sh\ncase \" $* \" in *' hook list '*) exit 129 ;; esac\nexit 1\n",
    );
    let mut status = sandbox.command(stanch());
    let dirs = [old].into_iter().chain(std::env::split_paths(&path));
    status.args(["hook", "status"]).env("PATH", std::env::join_paths(dirs).unwrap());
    let ran = run(status).expect_code(1);
    assert!(ran.stdout.contains("not-supported"), "{}", ran.stdout);

    command(stanch(), &["hook", "uninstall"]).expect_code(0);
    assert_eq!(fs::read(sandbox.path().join(".git/config")).unwrap(), config);
    assert!(!sandbox.path().join(".git/stanch").exists());
    command(stanch(), &["hook", "status"]).expect_code(1);
}

/// The files as husky 9 writes them, in short.
#[test]
fn husky_runs_the_check_first_and_gets_its_file_back() {
    let sandbox = Sandbox::repo();
    sandbox.git(&["config", "core.hooksPath", ".husky/_"]);
    let helper = "#!/usr/bin/env sh\nn=$(basename \"$0\")\ns=$(dirname \"$(dirname \"$0\")\")/$n\n\
                  [ ! -f \"$s\" ] && exit 0\nexport PATH=\"node_modules/.bin:$PATH\"\nsh -e \"$s\" \"$@\"\n";
    sandbox.write(".husky/_/h", helper);
    for hook in ["pre-commit", "pre-push"] {
        write_program(
            &sandbox.path().join(".husky/_").join(hook),
            "#!/usr/bin/env sh\n. \"$(dirname \"$0\")/h\"\n",
        );
    }
    sandbox.write(".husky/pre-commit", "echo tested");
    write_program(
        &sandbox.path().join("node_modules/.bin/stanch"),
        format!("#!/bin/sh\nexec '{}' \"$@\"\n", stanch()),
    );
    let ran =
        sandbox.stanch(&["hook", "install", "--method", "file", "pre-commit", "pre-push"]).expect_code(0);
    assert!(ran.stdout.contains("commit the change"), "{}", ran.stdout);
    sandbox.stanch(&["hook", "install", "--method", "file", "pre-commit"]).expect_code(0);
    let ran = sandbox.stanch(&["hook", "status", "--format", "json"]).expect_code(0);
    assert_eq!(ran.json()["hooks"].as_array().unwrap().len(), 2);
    assert_eq!(ran.json()["hooks"][0]["way"], "husky");

    sandbox.write("a.py", format!("a = \"{}\"\n", clickup_token(5)));
    sandbox.git(&["add", "a.py"]);
    let ran = sandbox.try_git(&["commit", "--quiet", "-m", "x"]);
    assert!(ran.code != 0 && ran.stderr.contains("a.py") && !ran.stderr.contains("tested"), "{ran:?}");
    sandbox.write("a.py", "a = 1\n");
    sandbox.git(&["add", "a.py"]);
    let ran = sandbox.try_git(&["commit", "--quiet", "-m", "x"]).expect_code(0);
    assert!(ran.stderr.contains("tested"), "{ran:?}");

    sandbox.stanch(&["hook", "uninstall"]).expect_code(0);
    assert_eq!(fs::read_to_string(sandbox.path().join(".husky/pre-commit")).unwrap(), "echo tested");
    assert!(!sandbox.path().join(".husky/pre-push").exists());
}

/// A hook manager that runs `NAME.legacy` first, as the pre-commit framework and prek do.
#[test]
fn a_framework_runs_the_check_as_its_legacy_hook() {
    let sandbox = Sandbox::repo();
    let front = "#!/bin/sh\n# File generated by prek: a short stand-in\nstatus=0\n\
                 legacy=$0.legacy\n[ ! -x \"$legacy\" ] || \"$legacy\" \"$@\" || status=1\necho managed\nexit $status\n";
    let hooks = sandbox.path().join(".git/hooks");
    write_program(&hooks.join("pre-commit"), front);
    write_program(&hooks.join("pre-commit.legacy"), "#!/bin/sh\necho older\n");
    sandbox.stanch(&["hook", "install", "--method", "file"]).expect_code(0);
    assert_eq!(fs::read_to_string(hooks.join("pre-commit")).unwrap(), front);
    let ran = sandbox.stanch(&["hook", "status", "--format", "json"]).expect_code(0);
    assert_eq!(ran.json()["hooks"][0]["way"], "legacy");
    sandbox.write("a.py", "a = 1\n");
    sandbox.git(&["add", "a.py"]);
    let ran = sandbox.try_git(&["commit", "--quiet", "-m", "x"]).expect_code(0);
    assert!(ran.stderr.contains("older") && ran.stderr.contains("managed"), "{ran:?}");
    sandbox.write("b.py", format!("a = \"{}\"\n", clickup_token(5)));
    sandbox.git(&["add", "b.py"]);
    assert_ne!(sandbox.try_git(&["commit", "--quiet", "-m", "x"]).code, 0);
    sandbox.stanch(&["hook", "uninstall"]).expect_code(0);
    assert_eq!(fs::read_to_string(hooks.join("pre-commit.legacy")).unwrap(), "#!/bin/sh\necho older\n");
}

/// The shells that are there, of those that stand for `sh` somewhere.
#[cfg(unix)]
#[test]
fn the_script_works_in_every_shell() {
    let shells = [
        &["dash"][..],
        &["bash", "--posix"],
        &["bash"],
        &["busybox", "sh"],
        &["ksh"],
        &["zsh", "--emulate", "sh"],
    ];
    let is_there = |shell: &&[&str]| {
        std::env::split_paths(&std::env::var_os("PATH").expect("a PATH"))
            .any(|dir| dir.join(shell[0]).is_file())
    };
    let there: Vec<&[&str]> = shells.into_iter().filter(is_there).collect();
    assert!(!there.is_empty(), "none of dash, bash and busybox is there");
    let sandbox = with_remote("pre-push");
    sandbox.stanch(&["hook", "install", "--method", "file"]).expect_code(0);
    let token = commit_token(&sandbox, "a.py", 6);
    let head = sandbox.git(&["rev-parse", "HEAD"]);
    let line = format!("refs/heads/main {head} refs/heads/main {}\n", sandbox.git(&["rev-parse", "HEAD~1"]));
    sandbox.write("b.py", format!("b = \"{}\"\n", clickup_token(5)));
    sandbox.git(&["add", "b.py"]);
    let told = sandbox.outside().join("told");
    fs::write(&told, line).unwrap();
    let hooks = Path::new(".git/hooks");
    for shell in there {
        let run_hook = |hook: &str, bin: Option<&str>| {
            let mut command = sandbox.command(shell[0]);
            command.args(&shell[1..]).arg(hooks.join(hook)).args(["origin", "../origin.git"]);
            command.stdin(fs::File::open(&told).unwrap());
            if let Some(bin) = bin {
                command.env("STANCH_BIN", bin);
            }
            run(command)
        };
        let ran = run_hook("pre-push", None).expect_code(1);
        is_stopped(&ran, "a.py", &token);
        let ran = run_hook("pre-commit", None).expect_code(1);
        assert!(ran.stderr.contains("b.py") && ran.stderr.contains("commit blocked"), "{shell:?}: {ran:?}");
        for hook in ["pre-push", "pre-commit"] {
            let ran = run_hook(hook, Some("/nowhere/stanch")).expect_code(2);
            assert!(ran.stderr.contains("was not found"), "{shell:?}: {ran:?}");
        }
    }
}

/// What hook managers do with `--files` and `--all-files`.
#[test]
fn files_that_are_named_are_read_whether_or_not_they_are_staged() {
    let sandbox = Sandbox::repo();
    sandbox.write("old.py", format!("old = \"{}\"\n", clickup_token(1)));
    sandbox.commit_all("old sins");
    sandbox.stanch(&["hook", "run", "pre-commit"]).expect_code(0);
    let ran = sandbox.stanch(&["hook", "run", "pre-commit", "old.py"]).expect_code(1);
    assert!(ran.stdout.contains("old.py"), "{}", ran.stdout);
    sandbox.write("new.py", "a = 1\n");
    sandbox.git(&["add", "new.py"]);
    // What is staged counts, not what lies beside it on disk.
    sandbox.write("new.py", format!("a = \"{}\"\n", clickup_token(2)));
    sandbox.stanch(&["hook", "run", "pre-commit", "new.py"]).expect_code(0);
    sandbox.git(&["add", "new.py"]);
    sandbox.write("new.py", "a = 1\n");
    let ran = sandbox.stanch(&["hook", "run", "pre-commit", "new.py", "old.py"]).expect_code(1);
    assert!(ran.stdout.contains("old.py") && ran.stdout.contains("new.py"), "{}", ran.stdout);
    sandbox.stanch(&["hook", "run", "pre-commit", "gone.py"]).expect_code(2);
}
