//! The git on `PATH`, asked what it can do and told what to write in the configuration. Nothing that scans does so.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use super::HookError;
use crate::git::Repository;

/// Calls git for one repository.
pub(super) struct Git {
    git_dir: PathBuf,
    config: PathBuf,
}

impl Git {
    pub(super) fn in_repository(repository: &Repository) -> Self {
        Self { git_dir: repository.git_dir().to_path_buf(), config: repository.common_dir().join("config") }
    }

    /// Whether git runs hooks that its configuration names. It is asked to list one, which older versions cannot.
    pub(super) fn knows_config_hooks(&self) -> bool {
        let mut git = plain();
        git.arg("--git-dir").arg(&self.git_dir);
        git.args(["-c", "hook.stanch-probe.command=:", "-c", "hook.stanch-probe.event=pre-commit"]);
        git.args(["hook", "list", "pre-commit"]);
        let listed = git.output().ok().filter(|output| output.status.success());
        listed.is_some_and(|output| String::from_utf8_lossy(&output.stdout).contains("stanch-probe"))
    }

    pub(super) fn set(&self, key: &str, value: &str) -> Result<(), HookError> {
        self.config(&["--replace-all", key, value])
    }

    pub(super) fn remove_section(&self, section: &str) -> Result<(), HookError> {
        self.config(&["--remove-section", section])
    }

    fn config(&self, arguments: &[&str]) -> Result<(), HookError> {
        let mut git = plain();
        git.args(["config", "--file"]).arg(&self.config).args(arguments);
        succeed(git).map(drop)
    }
}

/// Git without the variables that would send it to another repository or change what it does.
pub(super) fn plain() -> Command {
    let mut git = Command::new("git");
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        let stays = ["GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM", "GIT_EXEC_PATH"];
        if name.starts_with("GIT_") && !stays.contains(&&*name) {
            git.env_remove(&*name);
        }
    }
    git.stdin(Stdio::null());
    git
}

/// Runs git; anything but success is an error with what it said.
pub(super) fn succeed(mut git: Command) -> Result<Output, HookError> {
    let words: Vec<_> = git.get_args().map(OsStr::to_string_lossy).map(String::from).collect();
    let failed = |message: String| HookError::Git { command: words.join(" "), message };
    let output = git.output().map_err(|error| failed(error.to_string()))?;
    if output.status.success() {
        return Ok(output);
    }
    Err(failed(String::from_utf8_lossy(&output.stderr).trim().to_owned()))
}
