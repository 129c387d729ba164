//! `install.sh`, with a cargo that takes no time.
#![cfg(unix)]

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{Ran, Sandbox, sha256, stanch, write_program};

/// A binary that shows its version and nothing else.
const FAKE_STANCH: &str = "#!/bin/sh\n[ \"$1\" = --version ] && echo 'stanch 0.0.7'\n";

/// Stands for cargo: notes how it was called and leaves a binary where it was told to build.
const FAKE_CARGO: &str = r#"#!/bin/sh
set -eu
printf '%s\n' "$PWD" "$@" >"$CARGO_CALLED"
[ -z "${CARGO_FAILS:-}" ] || exit 101
while [ "$1" != --target-dir ]; do shift; done
mkdir -p "$2/release"
cp "$CARGO_BUILDS" "$2/release/stanch"
"#;

fn checkout() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// A sandbox where `cargo` is the fake and builds the fake binary.
struct Installer {
    sandbox: Sandbox,
    dir: PathBuf,
}

impl Installer {
    fn new(dir: &str) -> Self {
        let sandbox = Sandbox::repo();
        let dir = sandbox.outside().join(dir);
        write_program(&sandbox.outside().join("fake/cargo"), FAKE_CARGO);
        write_program(&sandbox.outside().join("built"), FAKE_STANCH);
        Self { sandbox, dir }
    }

    fn command(&self, args: &[&str]) -> Command {
        let outside = self.sandbox.outside();
        let mut path = OsString::from(outside.join("fake"));
        path.push(":");
        path.push(std::env::var_os("PATH").expect("a PATH"));
        let mut command = self.sandbox.command(checkout().join("install.sh"));
        command
            .args(args)
            .env("PATH", path)
            .env("CARGO_TARGET_DIR", outside.join("target dir"))
            .env("CARGO_CALLED", outside.join("called"))
            .env("CARGO_BUILDS", outside.join("built"))
            .env("STANCH_INSTALL_DIR", &self.dir);
        command
    }

    fn run(&self, args: &[&str]) -> Ran {
        run(self.command(args))
    }

    fn binary(&self) -> PathBuf {
        self.dir.join("stanch")
    }

    /// What lies in the directory of the binary: no temporary file may stay behind.
    fn installed(&self) -> Vec<OsString> {
        let entries = fs::read_dir(&self.dir).map(|entries| entries.collect::<Vec<_>>()).unwrap_or_default();
        entries.into_iter().map(|entry| entry.expect("an entry").file_name()).collect()
    }

    fn put(&self, name: &str, content: impl AsRef<[u8]>) -> (String, String) {
        let file = self.sandbox.outside().join(name);
        fs::write(&file, &content).expect("a written file");
        (file.to_str().expect("UTF-8").to_owned(), sha256(content.as_ref()))
    }
}

fn run(mut command: Command) -> Ran {
    let output = command.output().expect("install.sh runs");
    Ran {
        code: output.status.code().expect("no signal"),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

#[test]
fn builds_in_the_checkout_installs_and_removes() {
    let installer = Installer::new("o'brien's \"bin\" $HOME");
    for _ in 0..2 {
        let ran = installer.run(&[]).expect_code(0);
        assert!(ran.stdout.contains("installed stanch 0.0.7"), "{ran:?}");
        assert!(ran.stdout.contains("is not on PATH"), "{ran:?}");
        assert_eq!(installer.installed(), ["stanch"]);
        assert_eq!(fs::read_to_string(installer.binary()).expect("the binary"), FAKE_STANCH);
        let mode = fs::metadata(installer.binary()).expect("the binary").permissions().mode();
        assert_eq!(mode & 0o777, 0o755);
    }
    let called = fs::read_to_string(installer.sandbox.outside().join("called")).expect("cargo was called");
    let called: Vec<_> = called.lines().collect();
    assert_eq!(Path::new(called[0]), checkout());
    assert_eq!(called[1..4], ["build", "--release", "--locked"]);

    for _ in 0..2 {
        installer.run(&["--uninstall"]).expect_code(0);
        assert_eq!(installer.installed(), [""; 0]);
    }
}

#[test]
fn says_nothing_of_path_when_the_directory_is_on_it() {
    let installer = Installer::new("bin");
    let mut command = installer.command(&[]);
    let mut path = OsString::from(&installer.dir);
    path.push(":");
    path.push(installer.sandbox.outside().join("fake"));
    path.push(":");
    path.push(std::env::var_os("PATH").expect("a PATH"));
    let ran = run({
        command.env("PATH", path);
        command
    });
    assert!(!ran.stdout.contains("note:"), "{ran:?}");
    ran.expect_code(0);
}

#[test]
fn a_failed_build_leaves_what_was_there() {
    let installer = Installer::new("bin");
    installer.run(&[]).expect_code(0);
    let mut command = installer.command(&[]);
    command.env("CARGO_FAILS", "1");
    let ran = run(command).expect_code(1);
    assert!(ran.stderr.contains("the build failed"), "{ran:?}");
    assert_eq!(installer.installed(), ["stanch"]);
}

#[test]
fn a_binary_that_does_not_run_is_not_installed() {
    let installer = Installer::new("bin");
    installer.run(&[]).expect_code(0);
    write_program(&installer.sandbox.outside().join("built"), "#!/bin/sh\nexit 3\n");
    let ran = installer.run(&[]).expect_code(1);
    assert!(ran.stderr.contains("does not run on this machine"), "{ran:?}");
    assert_eq!(installer.installed(), ["stanch"]);
    assert_eq!(fs::read_to_string(installer.binary()).expect("the binary"), FAKE_STANCH);
}

#[test]
fn without_cargo_it_says_what_to_do() {
    let installer = Installer::new("bin");
    let tools = installer.sandbox.outside().join("tools");
    fs::create_dir(&tools).expect("a directory");
    for tool in ["sh", "dirname", "uname", "mktemp", "grep", "rm", "cat"] {
        let found = std::env::split_paths(&std::env::var_os("PATH").expect("a PATH"))
            .map(|directory| directory.join(tool))
            .find(|path| path.exists())
            .unwrap_or_else(|| panic!("{tool} is there"));
        symlink(found, tools.join(tool)).expect("a link");
    }
    let mut command = installer.command(&[]);
    command.env("PATH", &tools);
    let ran = run(command).expect_code(1);
    assert!(ran.stderr.contains("cargo is not there"), "{ran:?}");
}

#[test]
fn takes_a_file_only_with_the_right_sum() {
    let installer = Installer::new("bin");
    let (file, sum) = installer.put("-download", FAKE_STANCH);
    let wrong = sha256(b"something else");
    let ran = installer.run(&["--from", &file, "--sha256", &wrong]).expect_code(1);
    assert!(ran.stderr.contains("nothing was installed"), "{ran:?}");
    assert_eq!(installer.installed(), [""; 0]);

    installer.run(&["--from", &file, "--sha256", &sum.to_uppercase()]).expect_code(0);
    assert_eq!(fs::read_to_string(installer.binary()).expect("the binary"), FAKE_STANCH);
    assert!(!installer.sandbox.outside().join("called").exists(), "nothing was built");
}

#[test]
fn takes_the_binary_out_of_an_archive() {
    let installer = Installer::new("bin");
    let outside = installer.sandbox.outside();
    write_program(&outside.join("stanch-0.0.7/stanch"), FAKE_STANCH);
    fs::write(outside.join("stanch-0.0.7/README.md"), "").expect("a written file");
    for (archive, content) in [("one.tar.gz", "stanch-0.0.7"), ("empty.tar.gz", "stanch-0.0.7/README.md")] {
        let mut tar = installer.sandbox.command("tar");
        tar.args(["-czf", archive, content]).current_dir(outside);
        run(tar).expect_code(0);
    }
    let (empty, sum) = installer.put("again", fs::read(outside.join("empty.tar.gz")).expect("an archive"));
    let ran = installer.run(&["--from", &empty, "--sha256", &sum]).expect_code(1);
    assert!(ran.stderr.contains("holds no stanch"), "{ran:?}");

    let (archive, sum) = installer.put("again", fs::read(outside.join("one.tar.gz")).expect("an archive"));
    installer.run(&["--from", &archive, "--sha256", &sum]).expect_code(0);
    assert_eq!(fs::read_to_string(installer.binary()).expect("the binary"), FAKE_STANCH);
}

#[test]
fn wrong_usage_changes_nothing() {
    let installer = Installer::new("bin");
    let (file, sum) = installer.put("download", FAKE_STANCH);
    for args in [
        &["--frobnicate"][..],
        &["stanch"],
        &["--from"],
        &["--from", &file],
        &["--sha256", &sum],
        &["--from", &file, "--sha256", "abc"],
        &["--from", &file, "--sha256", &sum.replace(&sum[..1], "x")],
        &["--uninstall", "--from", &file],
    ] {
        let ran = installer.run(args).expect_code(2);
        assert!(ran.stderr.contains("see --help"), "{args:?}: {ran:?}");
        assert_eq!(installer.installed(), [""; 0]);
    }
    let mut homeless = installer.command(&[]);
    homeless.env_remove("STANCH_INSTALL_DIR").env_remove("HOME");
    run(homeless).expect_code(2);
    let help = installer.run(&["--help"]).expect_code(0);
    assert!(help.stdout.contains("Usage: install.sh"), "{help:?}");
}

#[test]
fn installs_for_the_user_by_default() {
    let installer = Installer::new("unused");
    let mut command = installer.command(&[]);
    command.env_remove("STANCH_INSTALL_DIR");
    run(command).expect_code(0);
    assert!(installer.sandbox.outside().join("home/.local/bin/stanch").is_file());
}

#[test]
fn the_hook_comes_and_goes_with_the_binary() {
    let installer = Installer::new("my bin");
    let (file, sum) = installer.put("real", fs::read(stanch()).expect("the binary under test"));
    installer.run(&["--from", &file, "--sha256", &sum, "--hook"]).expect_code(0);
    let status = || installer.sandbox.stanch(&["hook", "status"]).code;
    assert_eq!(status(), 0);
    installer.run(&["--uninstall", "--hook"]).expect_code(0);
    assert_eq!(status(), 1);
    assert_eq!(installer.installed(), [""; 0]);

    // Git looks for hooks in what is no directory, and the one in its configuration would have no place for its script.
    let git_dir = installer.sandbox.path().join(".git");
    fs::write(git_dir.join("stanch"), "").expect("a written file");
    installer.sandbox.git(&["config", "core.hooksPath", ".git/config"]);
    let ran = installer.run(&["--from", &file, "--sha256", &sum, "--hook"]).expect_code(1);
    assert!(ran.stderr.contains("stanch is installed, but the hook"), "{ran:?}");
}
