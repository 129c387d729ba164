//! Passes a made-up token through a hook, in a repository that is there for this alone.

use std::ffi::OsString;
use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

use super::error::io_error;
use super::git::{plain, succeed};
use super::in_config::config_script;
use super::slot::create;
use super::{HookError, HookName, HookStatus, Way, script};
use crate::git::Repository;

/// What came of a made-up token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    /// The hook found it and stopped git.
    Stopped,
    /// Git went on.
    NotStopped,
    /// Git stopped, but not because of the token.
    Unclear {
        /// The last that was said.
        said: String,
    },
}

/// Commits or pushes a made-up token in a scratch repository, with the hook of this one, run from where it lies.
///
/// A hook that was there before and is run by ours is left out; one of somebody else that calls stanch is run whole.
/// Nothing is written in `repository`.
///
/// # Errors
///
/// When the scratch repository cannot be made.
pub fn prove(repository: &Repository, status: &HookStatus) -> Result<Proof, HookError> {
    let scratch = Scratch::new(repository, status)?;
    let output = match status.hook {
        HookName::PreCommit => scratch.commit()?,
        HookName::PreMergeCommit => scratch.merge()?,
        HookName::CommitMsg => scratch.message()?,
        HookName::PrePush | HookName::PreReceive => scratch.push()?,
    };
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    Ok(if output.status.success() {
        Proof::NotStopped
    } else if said.contains(&scratch.sign) {
        Proof::Stopped
    } else {
        let last = said.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("nothing was said");
        Proof::Unclear { said: last.trim().to_owned() }
    })
}

struct Scratch {
    dir: TempDir,
    token: String,
    /// What a report about the token says and nothing else does.
    sign: String,
    search_path: Option<OsString>,
}

/// The file that holds the token.
const FILE: &str = "stanch-proof.txt";

impl Scratch {
    fn new(repository: &Repository, status: &HookStatus) -> Result<Self, HookError> {
        let dir = tempfile::Builder::new().prefix("stanch-proof-").tempdir();
        let dir = dir.map_err(io_error("make a directory in", &std::env::temp_dir()))?;
        let sign = match status.hook {
            HookName::CommitMsg => "clickup-".to_owned(),
            _ => FILE.to_owned(),
        };
        // Husky runs its hooks with the programs of the repository.
        let search_path =
            status.way.filter(|way| *way == Way::Husky).and(repository.work_dir()).and_then(|top| {
                let path = std::env::var_os("PATH").unwrap_or_default();
                let dirs = [top.join("node_modules").join(".bin")].into_iter();
                std::env::join_paths(dirs.chain(std::env::split_paths(&path))).ok()
            });
        let scratch = Self { dir, token: token(), sign, search_path };
        let (work, remote) = (scratch.work(), scratch.remote());
        for arguments in
            [&["init", "--quiet", "--template="][..], &["init", "--quiet", "--bare", "--template="]]
        {
            let mut git = plain();
            git.args(arguments).arg(if arguments.len() == 3 { &work } else { &remote });
            succeed(git)?;
        }
        // A server runs the hook in the repository that is pushed to.
        let (place, git_dir) = match status.hook {
            HookName::PreReceive => (&remote, remote.clone()),
            _ => (&work, work.join(".git")),
        };
        scratch.set_hook(repository, status, place, &git_dir)?;
        Ok(scratch)
    }

    fn set_hook(
        &self,
        repository: &Repository,
        status: &HookStatus,
        place: &Path,
        git_dir: &Path,
    ) -> Result<(), HookError> {
        let hook = status.hook;
        let hooks = self.dir.path().join("hooks");
        fs::create_dir(&hooks).map_err(io_error("make the directory", &hooks))?;
        let config = |key: &str, value: &std::ffi::OsStr| {
            let mut git = self.git(place);
            git.args(["config", key]).arg(value);
            succeed(git).map(drop)
        };
        config("core.hooksPath", hooks.as_os_str())?;
        if status.way == Some(Way::Config) {
            let copy = git_dir.join("stanch").join("hooks");
            fs::create_dir_all(&copy).map_err(io_error("make the directory", &copy))?;
            let script = config_script(repository, hook);
            fs::copy(&script, copy.join(hook.name())).map_err(io_error("copy", &script))?;
            let name = hook.config_name();
            if let Some(configured) = repository.config_hook(&name, hook.name())? {
                config(&format!("hook.{name}.event"), hook.name().as_ref())?;
                config(&format!("hook.{name}.command"), configured.command.as_ref())?;
            }
            return Ok(());
        }
        // Git itself says where it looks for the hook; only this one is run, and from there.
        let top = repository.work_dir().unwrap_or_else(|| repository.git_dir());
        let mut git = plain();
        git.current_dir(top).args(["rev-parse", "--git-path"]).arg(format!("hooks/{}", hook.name()));
        let said = succeed(git)?.stdout;
        let path = top.join(String::from_utf8_lossy(&said).trim_end_matches('\n'));
        let word = script::shell_word(&path).unwrap_or_default();
        let wrapper = [b"#!/bin/sh\nexec ".as_slice(), &word, b" \"$@\"\n"].concat();
        create(&hooks.join(hook.name()), &wrapper, hook)
    }

    fn work(&self) -> PathBuf {
        self.dir.path().join("work")
    }

    fn remote(&self) -> PathBuf {
        self.dir.path().join("remote.git")
    }

    fn git(&self, place: &Path) -> Command {
        let mut git = plain();
        git.current_dir(place)
            .args(["-c", "commit.gpgSign=false", "-c", "core.autocrlf=false", "-c", "core.fsmonitor=false"])
            .env("STANCH_SKIP_KEPT", "1")
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_EDITOR", ":");
        for role in ["AUTHOR", "COMMITTER"] {
            git.env(format!("GIT_{role}_NAME"), "stanch")
                .env(format!("GIT_{role}_EMAIL"), "stanch@localhost");
        }
        if let Some(path) = &self.search_path {
            git.env("PATH", path);
        }
        git
    }

    fn run(&self, arguments: &[&str]) -> Result<String, HookError> {
        let mut git = self.git(&self.work());
        git.args(arguments);
        Ok(String::from_utf8_lossy(&succeed(git)?.stdout).trim().to_owned())
    }

    /// What is to be stopped.
    fn attempt(&self, arguments: &[&str]) -> Result<Output, HookError> {
        let mut git = self.git(&self.work());
        git.args(arguments);
        let failed = |error: std::io::Error| HookError::Git {
            command: arguments.join(" "),
            message: error.to_string(),
        };
        git.output().map_err(failed)
    }

    fn stage(&self) -> Result<(), HookError> {
        let file = self.work().join(FILE);
        fs::write(&file, format!("token = \"{}\"\n", self.token)).map_err(io_error("write", &file))?;
        self.run(&["add", "--", FILE]).map(drop)
    }

    /// A commit of the index, made by commands that run no hooks.
    fn commit_index(&self, parents: &[&str]) -> Result<String, HookError> {
        let tree = self.run(&["write-tree"])?;
        let parents = parents.iter().flat_map(|parent| ["-p", parent]);
        let arguments: Vec<&str> = ["commit-tree", &tree, "-m", "proof"].into_iter().chain(parents).collect();
        self.run(&arguments)
    }

    fn commit(&self) -> Result<Output, HookError> {
        self.stage()?;
        self.attempt(&["commit", "--quiet", "--message", "proof"])
    }

    fn message(&self) -> Result<Output, HookError> {
        self.attempt(&["commit", "--quiet", "--allow-empty", "--message", &format!("token {}", self.token)])
    }

    fn merge(&self) -> Result<Output, HookError> {
        let base = self.commit_index(&[])?;
        let main = self.commit_index(&[&base])?;
        self.run(&["update-ref", "HEAD", &main])?;
        self.stage()?;
        let side = self.commit_index(&[&base])?;
        self.run(&["reset", "--quiet", "--hard"])?;
        self.attempt(&["merge", "--quiet", "--no-edit", "--no-ff", &side])
    }

    fn push(&self) -> Result<Output, HookError> {
        self.stage()?;
        let commit = self.commit_index(&[])?;
        let remote = self.remote();
        let target = format!("{commit}:refs/heads/stanch-proof");
        let mut git = self.git(&self.work());
        git.args(["push", "--quiet"]).arg(&remote).arg(&target);
        let failed =
            |error: std::io::Error| HookError::Git { command: "push".to_owned(), message: error.to_string() };
        git.output().map_err(failed)
    }
}

/// A ClickUp token that nobody ever had.
fn token() -> String {
    let mut seed = RandomState::new().hash_one(std::process::id());
    let mut pick = |alphabet: &[u8]| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        char::from(alphabet[(seed >> 33) as usize % alphabet.len()])
    };
    let owner: String = (0..8).map(|_| pick(b"123456789")).collect();
    let secret: String = (0..32).map(|_| pick(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")).collect();
    format!("pk_{owner}_{secret}")
}
