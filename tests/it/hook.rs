//! `stanch hook`, with real commits.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{Ran, Sandbox, clickup_token, stanch, write_program};

/// `PATH` without any stanch that is installed on this machine.
fn clean_path() -> OsString {
    let name = format!("stanch{}", std::env::consts::EXE_SUFFIX);
    let path = std::env::var_os("PATH").expect("a PATH");
    let kept: Vec<PathBuf> = std::env::split_paths(&path).filter(|dir| !dir.join(&name).exists()).collect();
    std::env::join_paths(kept).expect("a PATH")
}

fn path_with(dir: &Path) -> OsString {
    let rest = clean_path();
    let dirs = std::iter::once(dir.to_path_buf()).chain(std::env::split_paths(&rest));
    std::env::join_paths(dirs).expect("a PATH")
}

fn finish(mut command: Command) -> Ran {
    let output = command.output().expect("the program runs");
    Ran {
        code: output.status.code().expect("no signal"),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// Commits what is staged, with the hook and without a stanch on `PATH`.
fn commit(sandbox: &Sandbox, args: &[&str], vars: &[(&str, &str)]) -> Ran {
    commit_in(sandbox, &sandbox.path(), args, vars)
}

fn commit_in(sandbox: &Sandbox, dir: &Path, args: &[&str], vars: &[(&str, &str)]) -> Ran {
    let mut command = sandbox.command("git");
    command.args(["commit", "--quiet", "--message", "a commit"]).args(args).current_dir(dir);
    command.env("PATH", clean_path()).envs(vars.iter().copied());
    finish(command)
}

fn stage_token(sandbox: &Sandbox) -> String {
    let token = clickup_token(7);
    sandbox.write("settings.py", format!("TOKEN = \"{token}\"\n"));
    sandbox.git(&["add", "settings.py"]);
    token
}

fn stage_harmless(sandbox: &Sandbox) {
    sandbox.write("settings.py", "import os\n");
    sandbox.git(&["add", "settings.py"]);
}

/// State and exit code of `stanch hook status`.
fn status(sandbox: &Sandbox, vars: &[(&str, &str)]) -> (String, i32) {
    let mut command = sandbox.command(stanch());
    command.args(["hook", "status", "--format", "json"]).env("PATH", clean_path()).envs(vars.iter().copied());
    let ran = finish(command);
    let hook = &ran.json()["hooks"][0];
    assert_eq!(hook["hook"], "pre-commit");
    assert_eq!(hook["runs"], ran.code == 0);
    assert_eq!(hook["proof"] == "stopped", ran.code == 0, "{hook}");
    (hook["state"].as_str().expect("a state").to_owned(), ran.code)
}

fn hook_file(sandbox: &Sandbox) -> PathBuf {
    sandbox.path().join(".git/hooks/pre-commit")
}

/// A stanch that ends with an exit code and does nothing.
fn program_that_ends_with(sandbox: &Sandbox, code: i32) -> String {
    let program = sandbox.outside().join(format!("ends with {code}"));
    write_program(&program, format!("#!/bin/sh\n[ \"$*\" = staged ] || exit 99\nexit {code}\n"));
    program.to_str().expect("UTF-8").to_owned()
}

#[test]
fn blocks_a_commit_with_a_token_and_lets_others_pass() {
    let sandbox = Sandbox::repo();
    sandbox.stanch(&["hook", "install", "--method", "file"]).expect_code(0);
    assert_eq!(status(&sandbox, &[]), ("installed".to_owned(), 0));

    let token = stage_token(&sandbox);
    let ran = commit(&sandbox, &[], &[]).expect_code(1);
    assert!(
        ran.stderr.contains("commit blocked: what is about to be committed holds secrets"),
        "{}",
        ran.stderr
    );
    assert!(ran.stderr.contains("settings.py"), "{}", ran.stderr);
    assert!(!ran.stderr.contains(&token[5..]) && !ran.stdout.contains(&token[5..]), "the token is not shown");
    assert_ne!(
        sandbox.try_git(&["rev-parse", "--verify", "--quiet", "HEAD"]).code,
        0,
        "nothing was committed"
    );

    commit(&sandbox, &["--no-verify"], &[]).expect_code(0);
    stage_harmless(&sandbox);
    commit(&sandbox, &[], &[]).expect_code(0);
}

#[test]
fn sees_what_is_committed_and_not_what_is_staged_beside_it() {
    let sandbox = Sandbox::repo();
    sandbox.write("other.py", "a = 1\n");
    stage_harmless(&sandbox);
    sandbox.commit_all("first");
    sandbox.stanch(&["hook", "install", "--method", "file"]).expect_code(0);
    stage_token(&sandbox);
    sandbox.write("other.py", "a = 2\n");
    commit(&sandbox, &["other.py"], &[]).expect_code(0);
    commit(&sandbox, &["settings.py"], &[]).expect_code(1);
    commit(&sandbox, &["--all"], &[]).expect_code(1);
}

#[test]
fn every_way_in_which_the_check_fails_blocks() {
    let sandbox = Sandbox::repo();
    sandbox.stanch(&["hook", "install", "--method", "file"]).expect_code(0);
    stage_harmless(&sandbox);
    for (code, said) in [
        (1, "holds secrets"),
        (2, "could not be done in full"),
        (3, "unexpected way (status 3)"),
        (126, "unexpected way"),
        (101, "unexpected way"),
    ] {
        let ran =
            commit(&sandbox, &[], &[("STANCH_BIN", &program_that_ends_with(&sandbox, code))]).expect_code(1);
        assert!(ran.stderr.contains("commit blocked:") && ran.stderr.contains(said), "{}", ran.stderr);
        assert_eq!(ran.stderr.contains("--no-verify"), code != 1, "{}", ran.stderr);
    }
    commit(&sandbox, &[], &[("STANCH_BIN", &program_that_ends_with(&sandbox, 0))]).expect_code(0);
}

#[test]
fn a_missing_binary_blocks_and_says_how_to_go_on() {
    let sandbox = Sandbox::repo();
    let copy = sandbox.outside().join("bin").join(Path::new(stanch()).file_name().unwrap());
    write_program(&copy, fs::read(stanch()).unwrap());
    let mut install = sandbox.command(&copy);
    install.args(["hook", "install", "--method", "file"]);
    finish(install).expect_code(0);
    stage_harmless(&sandbox);

    // One that was chosen by name is not replaced by another.
    let gone = sandbox.outside().join("gone").to_str().unwrap().to_owned();
    let ran = commit(&sandbox, &[], &[("STANCH_BIN", &gone)]).expect_code(1);
    assert!(ran.stderr.contains("was not found") && ran.stderr.contains(&gone), "{}", ran.stderr);
    assert!(ran.stderr.contains("git commit --no-verify"), "{}", ran.stderr);

    fs::remove_file(&copy).unwrap();
    let ran = commit(&sandbox, &[], &[]).expect_code(1);
    assert!(ran.stderr.contains("`stanch` was not found"), "{}", ran.stderr);
    assert_eq!(status(&sandbox, &[]), ("binary-missing".to_owned(), 1));

    // With one on PATH it goes on.
    let on_path = path_with(Path::new(stanch()).parent().unwrap());
    let on_path = on_path.to_str().unwrap();
    assert_eq!(status(&sandbox, &[("PATH", on_path)]), ("installed".to_owned(), 0));
    commit(&sandbox, &[], &[("PATH", on_path)]).expect_code(0);
}

#[test]
fn a_copy_of_the_script_works_by_hand() {
    let sandbox = Sandbox::repo();
    let script = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("hooks/pre-commit")).unwrap();
    write_program(&hook_file(&sandbox), script);
    stage_token(&sandbox);
    let on_path = path_with(Path::new(stanch()).parent().unwrap());
    let ran = commit(&sandbox, &[], &[("PATH", on_path.to_str().unwrap())]).expect_code(1);
    assert!(ran.stderr.contains("holds secrets"), "{}", ran.stderr);
    let ran = commit(&sandbox, &[], &[]).expect_code(1);
    assert!(ran.stderr.contains("was not found"), "{}", ran.stderr);
}

#[test]
fn installing_again_changes_nothing_and_uninstalling_removes_it() {
    let sandbox = Sandbox::repo();
    assert_eq!(status(&sandbox, &[]), ("missing".to_owned(), 1));
    fs::remove_dir_all(sandbox.path().join(".git/hooks")).unwrap();
    sandbox.stanch(&["hook", "install", "--method", "file"]).expect_code(0);
    let first = fs::read(hook_file(&sandbox)).unwrap();
    let written = fs::metadata(hook_file(&sandbox)).unwrap().modified().unwrap();
    let ran = sandbox.stanch(&["hook", "install", "--method", "file"]).expect_code(0);
    assert!(ran.stdout.contains("installed already"), "{}", ran.stdout);
    assert_eq!(fs::read(hook_file(&sandbox)).unwrap(), first);
    assert_eq!(fs::metadata(hook_file(&sandbox)).unwrap().modified().unwrap(), written);

    sandbox.stanch(&["hook", "uninstall"]).expect_code(0);
    let left: Vec<_> = fs::read_dir(sandbox.path().join(".git/hooks")).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
    let ran = sandbox.stanch(&["hook", "uninstall"]).expect_code(0);
    assert!(ran.stdout.contains("there is no hook of stanch"), "{}", ran.stdout);
}

#[test]
fn an_older_hook_is_replaced_and_a_newer_one_is_kept() {
    let sandbox = Sandbox::repo();
    sandbox.stanch(&["hook", "install", "--method", "file"]).expect_code(0);
    let current = fs::read_to_string(hook_file(&sandbox)).unwrap();
    write_program(&hook_file(&sandbox), current.replace("pre-commit 2\n", "pre-commit 0\n"));
    assert_eq!(status(&sandbox, &[]), ("outdated".to_owned(), 0));
    sandbox.stanch(&["hook", "install", "--method", "file"]).expect_code(0);
    assert_eq!(fs::read_to_string(hook_file(&sandbox)).unwrap(), current);

    let newer = current.replace("pre-commit 2\n", "pre-commit 1000\n");
    write_program(&hook_file(&sandbox), &newer);
    let ran = sandbox.stanch(&["hook", "install", "--method", "file"]).expect_code(0);
    assert!(ran.stdout.contains("newer"), "{}", ran.stdout);
    assert_eq!(fs::read_to_string(hook_file(&sandbox)).unwrap(), newer);
    sandbox.stanch(&["hook", "uninstall"]).expect_code(0);
    assert!(!hook_file(&sandbox).exists());
}

#[test]
fn a_hook_of_somebody_else_goes_on_running_and_comes_back() {
    let sandbox = Sandbox::repo();
    let foreign = "#!/bin/sh\necho mine \"$@\"\n[ ! -e forbidden ] || exit 7\n";
    write_program(&hook_file(&sandbox), foreign);
    let mode = fs::metadata(hook_file(&sandbox)).unwrap().permissions();
    assert_eq!(status(&sandbox, &[]), ("foreign".to_owned(), 1));
    let ran = sandbox.stanch(&["hook", "install", "--method", "file"]).expect_code(0);
    assert!(ran.stdout.contains("pre-commit.stanch-kept"), "{}", ran.stdout);
    assert_eq!(status(&sandbox, &[]), ("installed".to_owned(), 0));
    // A second time the hook that was kept is not taken for one to keep.
    sandbox.stanch(&["hook", "install", "--method", "file"]).expect_code(0);

    stage_token(&sandbox);
    let ran = commit(&sandbox, &[], &[]).expect_code(1);
    assert!(ran.stderr.contains("mine") && ran.stderr.contains("settings.py"), "{}", ran.stderr);
    stage_harmless(&sandbox);
    sandbox.write("forbidden", "");
    commit(&sandbox, &[], &[]).expect_code(1);
    fs::remove_file(sandbox.path().join("forbidden")).unwrap();
    commit(&sandbox, &[], &[]).expect_code(0);

    sandbox.stanch(&["hook", "uninstall"]).expect_code(0);
    assert_eq!(fs::read_to_string(hook_file(&sandbox)).unwrap(), foreign);
    assert_eq!(fs::metadata(hook_file(&sandbox)).unwrap().permissions(), mode);
    let left = fs::read_dir(sandbox.path().join(".git/hooks")).unwrap();
    assert!(left.flatten().all(|entry| !entry.file_name().to_string_lossy().contains("stanch")));
}

#[test]
fn what_was_kept_comes_back_even_if_ours_is_gone() {
    let sandbox = Sandbox::repo();
    let foreign = "#!/bin/sh\nexit 0\n";
    for by_hand in ["removed", "put back"] {
        write_program(&hook_file(&sandbox), foreign);
        sandbox.stanch(&["hook", "install", "--method", "file"]).expect_code(0);
        fs::remove_file(hook_file(&sandbox)).unwrap();
        if by_hand == "put back" {
            write_program(&hook_file(&sandbox), foreign);
        }
        sandbox.stanch(&["hook", "uninstall"]).expect_code(0);
        assert_eq!(fs::read_to_string(hook_file(&sandbox)).unwrap(), foreign, "{by_hand}");
        assert!(!hook_file(&sandbox).with_file_name("pre-commit.stanch-kept").exists(), "{by_hand}");
    }
    // Where two are there stanch does not choose.
    sandbox.stanch(&["hook", "install", "--method", "file"]).expect_code(0);
    write_program(&hook_file(&sandbox), "#!/bin/sh\nexit 3\n");
    let ran = sandbox.stanch(&["hook", "install", "--method", "file"]).expect_code(2);
    assert!(ran.stderr.contains("remove the one that is not wanted"), "{}", ran.stderr);
}

#[test]
fn what_a_kept_hook_stages_is_seen() {
    let sandbox = Sandbox::repo();
    let token = clickup_token(3);
    let foreign = format!("#!/bin/sh\necho 'a = \"{token}\"' >late.py\ngit add late.py\n");
    write_program(&hook_file(&sandbox), foreign);
    sandbox.stanch(&["hook", "install", "--method", "file"]).expect_code(0);
    stage_harmless(&sandbox);
    let ran = commit(&sandbox, &[], &[]).expect_code(1);
    assert!(ran.stderr.contains("late.py"), "{}", ran.stderr);
}

#[test]
fn a_hook_that_looks_at_itself_stays_and_the_line_for_it_works() {
    let sandbox = Sandbox::repo();
    let foreign = "#!/bin/sh\n. \"${0%/*}/helper\"\n";
    write_program(&hook_file(&sandbox), foreign);
    let ran = sandbox.stanch(&["hook", "install", "--method", "file"]).expect_code(2);
    assert!(ran.stderr.contains("stanch staged || exit $?"), "{}", ran.stderr);
    sandbox.stanch(&["hook", "uninstall"]).expect_code(0);
    assert_eq!(fs::read_to_string(hook_file(&sandbox)).unwrap(), foreign);

    write_program(&hook_file(&sandbox), "#!/bin/sh\necho mine\nstanch staged || exit $?\n");
    let on_path = path_with(Path::new(stanch()).parent().unwrap());
    let on_path = on_path.to_str().unwrap();
    assert_eq!(status(&sandbox, &[("PATH", on_path)]), ("called-by-foreign".to_owned(), 0));
    sandbox.stanch(&["hook", "install", "--method", "file"]).expect_code(0);
    let ran = sandbox.stanch(&["hook", "uninstall"]).expect_code(2);
    assert!(ran.stderr.contains("remove the line"), "{}", ran.stderr);
    stage_token(&sandbox);
    let ran = commit(&sandbox, &[], &[("PATH", on_path)]).expect_code(1);
    assert!(ran.stderr.contains("mine") && ran.stderr.contains("settings.py"), "{}", ran.stderr);
    // Without stanch on PATH such a hook stops everything, and that proves nothing.
    let mut command = sandbox.command(stanch());
    command.args(["hook", "status"]).env("PATH", clean_path());
    let ran = finish(command).expect_code(2);
    assert!(ran.stdout.contains("proof: none"), "{}", ran.stdout);
}

#[cfg(unix)]
#[test]
fn links_and_directories_in_its_place_are_left_alone() {
    use std::os::unix::fs::symlink;
    let sandbox = Sandbox::repo();
    let hook = hook_file(&sandbox);
    symlink("nowhere", &hook).unwrap();
    sandbox.stanch(&["hook", "install", "--method", "file"]).expect_code(2);
    assert_eq!(fs::read_link(&hook).unwrap(), Path::new("nowhere"));
    fs::remove_file(&hook).unwrap();

    fs::create_dir(&hook).unwrap();
    sandbox.stanch(&["hook", "install", "--method", "file"]).expect_code(2);
    sandbox.stanch(&["hook", "uninstall"]).expect_code(2);
    assert!(hook.is_dir());
    fs::remove_dir(&hook).unwrap();

    // A link to our script is ours: it stays a link, and removing it leaves the script.
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("hooks/pre-commit");
    symlink(&script, &hook).unwrap();
    sandbox.stanch(&["hook", "install", "--method", "file"]).expect_code(0);
    assert_eq!(fs::read_link(&hook).unwrap(), script);
    sandbox.stanch(&["hook", "uninstall"]).expect_code(0);
    assert!(fs::symlink_metadata(&hook).is_err() && script.is_file());
}

#[cfg(unix)]
#[test]
fn a_hook_that_is_not_executable_is_told_and_repaired() {
    use std::os::unix::fs::PermissionsExt;
    let sandbox = Sandbox::repo();
    sandbox.stanch(&["hook", "install", "--method", "file"]).expect_code(0);
    fs::set_permissions(hook_file(&sandbox), fs::Permissions::from_mode(0o644)).unwrap();
    assert_eq!(status(&sandbox, &[]), ("not-executable".to_owned(), 1));
    sandbox.stanch(&["hook", "install", "--method", "file"]).expect_code(0);
    assert_eq!(fs::metadata(hook_file(&sandbox)).unwrap().permissions().mode() & 0o777, 0o755);
    assert_eq!(status(&sandbox, &[]), ("installed".to_owned(), 0));
}

#[test]
fn the_configured_hooks_directory_is_used() {
    let outside = |sandbox: &Sandbox| sandbox.outside().join("my hooks").to_str().unwrap().to_owned();
    for form in ["absolute", "home", "relative"] {
        let sandbox = Sandbox::repo();
        let (value, dir) = match form {
            "absolute" => (outside(&sandbox), sandbox.outside().join("my hooks")),
            "home" => ("~/our hooks".to_owned(), sandbox.outside().join("home/our hooks")),
            _ => (".githooks".to_owned(), sandbox.path().join(".githooks")),
        };
        sandbox.git(&["config", "core.hooksPath", &value]);
        sandbox.write("sub/file", "");
        sandbox
            .stanch_in(&sandbox.path().join("sub"), &["hook", "install", "--method", "file"])
            .expect_code(0);
        assert!(dir.join("pre-commit").is_file(), "{form}");
        assert!(!hook_file(&sandbox).exists());

        stage_token(&sandbox);
        let on_path = path_with(Path::new(stanch()).parent().unwrap());
        let on_path = on_path.to_str().unwrap();
        let ran = commit(&sandbox, &[], &[("PATH", on_path)]).expect_code(1);
        assert!(ran.stderr.contains("holds secrets"), "{form}: {}", ran.stderr);
        assert_eq!(status(&sandbox, &[("PATH", on_path)]), ("installed".to_owned(), 0));

        // What may be committed holds no path of one machine.
        let script = fs::read_to_string(dir.join("pre-commit")).unwrap();
        assert_eq!(script.contains("recorded=''"), form == "relative");
        sandbox.stanch(&["hook", "uninstall"]).expect_code(0);
        assert!(!dir.join("pre-commit").exists());
    }
}

#[test]
fn a_directory_for_all_repositories_is_said_to_be_that() {
    let sandbox = Sandbox::repo();
    sandbox.git(&["config", "--global", "core.hooksPath", "~/hooks"]);
    let ran = sandbox.stanch(&["hook", "install", "--method", "file"]).expect_code(0);
    assert!(ran.stdout.contains("runs in every repository"), "{}", ran.stdout);
    assert!(sandbox.outside().join("home/hooks/pre-commit").is_file());
}

#[test]
fn a_hook_that_git_does_not_look_for_is_told() {
    let sandbox = Sandbox::repo();
    sandbox.stanch(&["hook", "install", "--method", "file"]).expect_code(0);
    sandbox.git(&["config", "core.hooksPath", "../elsewhere"]);
    assert_eq!(status(&sandbox, &[]), ("shadowed".to_owned(), 1));
    stage_token(&sandbox);
    commit(&sandbox, &[], &[]).expect_code(0);
    sandbox.stanch(&["hook", "uninstall"]).expect_code(0);
    assert!(!hook_file(&sandbox).exists());

    sandbox.git(&["config", "core.hooksPath", ".git/config"]);
    assert_eq!(status(&sandbox, &[]), ("disabled".to_owned(), 1));
    let ran = sandbox.stanch(&["hook", "install", "--method", "file"]).expect_code(2);
    assert!(
        ran.stderr.contains("is no directory") && ran.stderr.contains("--unset core.hooksPath"),
        "{}",
        ran.stderr
    );

    sandbox.git(&["config", "core.hooksPath", ""]);
    let ran = sandbox.stanch(&["hook", "install", "--method", "file"]).expect_code(2);
    assert!(ran.stderr.contains("set to nothing"), "{}", ran.stderr);
}

#[test]
fn linked_worktrees_share_the_hook() {
    let sandbox = Sandbox::repo();
    stage_harmless(&sandbox);
    sandbox.commit_all("first");
    sandbox.git(&["worktree", "add", "--quiet", "../linked"]);
    let linked = sandbox.outside().join("linked");
    sandbox.stanch_in(&linked, &["hook", "install", "--method", "file"]).expect_code(0);
    assert!(hook_file(&sandbox).is_file());
    assert_eq!(status(&sandbox, &[]), ("installed".to_owned(), 0));

    stage_token(&sandbox);
    commit(&sandbox, &[], &[]).expect_code(1);
    fs::copy(sandbox.path().join("settings.py"), linked.join("copy.py")).unwrap();
    let mut add = sandbox.command("git");
    add.args(["add", "copy.py"]).current_dir(&linked);
    finish(add).expect_code(0);
    let ran = commit_in(&sandbox, &linked, &[], &[]).expect_code(1);
    assert!(ran.stderr.contains("copy.py"), "{}", ran.stderr);

    // A worktree with a configuration of its own may look elsewhere.
    sandbox.git(&["config", "extensions.worktreeConfig", "true"]);
    let mut config = sandbox.command("git");
    config.args(["config", "--worktree", "core.hooksPath", "own-hooks"]).current_dir(&linked);
    finish(config).expect_code(0);
    let ran = sandbox.stanch_in(&linked, &["hook", "status"]).expect_code(1);
    assert!(ran.stdout.contains("shadowed"), "{}", ran.stdout);
    sandbox.stanch_in(&linked, &["hook", "install", "--method", "file"]).expect_code(0);
    assert!(linked.join("own-hooks/pre-commit").is_file());
    assert_eq!(status(&sandbox, &[]), ("installed".to_owned(), 0));
}

#[cfg(unix)]
#[test]
fn paths_with_quotes_and_dollars_are_safe() {
    let sandbox = Sandbox::repo();
    let copy = sandbox.outside().join("o'brien's \"$HOME\" `x` bin/stanch");
    write_program(&copy, fs::read(stanch()).unwrap());
    let mut install = sandbox.command(&copy);
    install.args(["hook", "install", "--method", "file"]);
    finish(install).expect_code(0);
    assert_eq!(status(&sandbox, &[]), ("installed".to_owned(), 0));
    stage_token(&sandbox);
    let ran = commit(&sandbox, &[], &[]).expect_code(1);
    assert!(ran.stderr.contains("holds secrets"), "{}", ran.stderr);
    stage_harmless(&sandbox);
    commit(&sandbox, &[], &[]).expect_code(0);
}

#[test]
fn the_repository_of_the_environment_gets_the_hook() {
    let sandbox = Sandbox::repo();
    let elsewhere = Sandbox::repo();
    let mut install = sandbox.command(stanch());
    install
        .args(["hook", "install", "--method", "file"])
        .current_dir(elsewhere.path())
        .env("GIT_DIR", sandbox.path().join(".git"))
        .env("GIT_WORK_TREE", sandbox.path());
    finish(install).expect_code(0);
    assert!(hook_file(&sandbox).is_file());
    assert!(!hook_file(&elsewhere).exists());
}

#[test]
fn a_git_directory_elsewhere_and_a_submodule_get_the_hook() {
    let sandbox = Sandbox::new();
    sandbox.git(&["init", "--quiet", "--separate-git-dir", "../git dir"]);
    sandbox.stanch(&["hook", "install", "--method", "file"]).expect_code(0);
    assert!(sandbox.outside().join("git dir/hooks/pre-commit").is_file());

    let sub = Sandbox::repo();
    sub.commit_all("first");
    let url = sub.path();
    sandbox.git(&[
        "-c",
        "protocol.file.allow=always",
        "submodule",
        "--quiet",
        "add",
        url.to_str().unwrap(),
        "sub",
    ]);
    sandbox.stanch(&["hook", "install", "--method", "file", "-C", "sub"]).expect_code(0);
    assert!(sandbox.outside().join("git dir/modules/sub/hooks/pre-commit").is_file());
}

#[test]
fn without_a_working_tree_there_is_nothing_to_guard() {
    let nowhere = Sandbox::new();
    let bare = Sandbox::new();
    bare.git(&["init", "--quiet", "--bare"]);
    for action in ["install", "uninstall", "status"] {
        let ran = nowhere.stanch(&["hook", action]).expect_code(2);
        assert!(ran.stderr.contains("not inside a git repository"), "{}", ran.stderr);
    }
    let ran = bare.stanch(&["hook", "install"]).expect_code(2);
    assert!(ran.stderr.contains("bare") && ran.stderr.contains("pre-receive"), "{}", ran.stderr);
    let ran = bare.stanch(&["hook", "status"]).expect_code(1);
    assert!(ran.stdout.starts_with("pre-receive: missing"), "{}", ran.stdout);
}
