//! Puts hooks where git runs them, takes them away again, and tells whether they run.
//!
//! A hook of somebody else goes on working, and [`uninstall`] puts back what was there byte for byte:
//!
//! - Where git knows hooks in its configuration, ours stands there, and no file of others is touched.
//! - One that the pre-commit framework or prek wrote runs a second one of the same name and `.legacy`: ours is that.
//! - A hook of husky is a plain file of commands: ours are the first lines of it.
//! - Any other is kept beside ours, which runs it. Hooks that look at their own name or place would lose their way
//!   there, so these stay where they are, and [`install`] says which line to add to them.

mod error;
mod git;
mod in_config;
mod proof;
mod script;
mod slot;

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use crate::git::Repository;
use crate::git::hooks::{ConfiguredHooks, HooksDir};

use git::Git;
use in_config::{config_status, install_in_config, remove_from_config};
use slot::{Search, Slot, missing_state, remove_from_dir};

pub use error::HookError;
pub use proof::{Proof, prove};

/// A hook that stanch does the work of (githooks(5)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum HookName {
    /// Before a commit: what the index holds.
    PreCommit,
    /// Before the commit of a merge that needed no help: what the index holds.
    PreMergeCommit,
    /// The message of a commit.
    CommitMsg,
    /// Before a push: the commits that the remote lacks. Also catches what was committed without the first three.
    PrePush,
    /// On a server, before it accepts a push: every object that was sent.
    PreReceive,
}

impl HookName {
    /// All of them.
    pub const ALL: [HookName; 5] = [
        HookName::PreCommit,
        HookName::PreMergeCommit,
        HookName::CommitMsg,
        HookName::PrePush,
        HookName::PreReceive,
    ];

    /// What git calls it.
    pub fn name(self) -> &'static str {
        match self {
            HookName::PreCommit => "pre-commit",
            HookName::PreMergeCommit => "pre-merge-commit",
            HookName::CommitMsg => "commit-msg",
            HookName::PrePush => "pre-push",
            HookName::PreReceive => "pre-receive",
        }
    }

    /// What it stops.
    pub fn what(self) -> &'static str {
        match self {
            HookName::PreCommit | HookName::PreMergeCommit | HookName::CommitMsg => "commit",
            HookName::PrePush | HookName::PreReceive => "push",
        }
    }

    /// The line that makes a hook of somebody else do the check.
    pub fn line_to_add(self) -> String {
        match self {
            HookName::PreCommit | HookName::PreMergeCommit => "stanch staged || exit $?".to_owned(),
            other => format!("stanch hook run {} \"$@\" || exit $?", other.name()),
        }
    }

    fn config_name(self) -> String {
        format!("stanch-{}", self.name())
    }

    /// The name of a hook that was moved aside.
    fn kept_name(self) -> String {
        format!("{}.stanch-kept", self.name())
    }
}

/// How git, or what it runs, comes to our hook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// The file in the hooks directory is ours.
    File,
    /// Git's configuration names it.
    Config,
    /// The pre-commit framework or prek runs it as `NAME.legacy`.
    Legacy,
    /// Husky runs a file that starts with our lines.
    Husky,
}

impl Way {
    /// The stable name used in reports.
    pub fn name(self) -> &'static str {
        match self {
            Way::File => "file",
            Way::Config => "config",
            Way::Legacy => "legacy",
            Way::Husky => "husky",
        }
    }
}

/// Where [`install`] is to put the hook.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Method {
    /// In git's configuration if the git on `PATH` knows hooks there, else where the hooks directory says.
    #[default]
    Auto,
    /// Where the hooks directory says.
    File,
    /// In git's configuration.
    Config,
}

/// Where a hook is and how it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HookStatus {
    /// The hook.
    pub hook: HookName,
    /// The file that does the work, or where git looks for one.
    pub path: PathBuf,
    /// The setting that names the hooks directory, if one does.
    pub configured: Option<ConfiguredHooks>,
    /// How git comes to it, if ours is there.
    pub way: Option<Way>,
    /// How it is.
    pub state: HookState,
}

/// How a hook is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HookState {
    /// It is there and runs.
    Installed,
    /// It is there and runs; this version of stanch would write another one.
    Outdated {
        /// Version of the hook that is there.
        version: Option<u32>,
    },
    /// A hook of somebody else is there, and a line of it runs stanch.
    CalledByForeign,
    /// A hook of somebody else is there and does not call stanch.
    Foreign,
    /// There is none.
    Missing,
    /// It is there, but git runs only files that are executable.
    NotExecutable,
    /// It lies in the default directory, but `core.hooksPath` sends git elsewhere.
    Shadowed {
        /// Where it lies.
        by_default_in: PathBuf,
    },
    /// Git runs no hooks at all, because what `core.hooksPath` names is no directory.
    Disabled,
    /// It is in git's configuration and switched off there.
    SwitchedOff {
        /// The setting.
        key: String,
    },
    /// It is in git's configuration, but the git on `PATH` is too old to look there, or there is none.
    NotSupported,
    /// It is there and blocks everything, because it does not find the binary.
    BinaryMissing,
}

impl HookStatus {
    /// Whether the check is done, as far as that can be seen without running it.
    pub fn runs(&self) -> bool {
        matches!(self.state, HookState::Installed | HookState::Outdated { .. } | HookState::CalledByForeign)
    }
}

impl HookState {
    /// The stable name used in reports.
    pub fn name(&self) -> &'static str {
        match self {
            HookState::Installed => "installed",
            HookState::Outdated { .. } => "outdated",
            HookState::CalledByForeign => "called-by-foreign",
            HookState::Foreign => "foreign",
            HookState::Missing => "missing",
            HookState::NotExecutable => "not-executable",
            HookState::Shadowed { .. } => "shadowed",
            HookState::Disabled => "disabled",
            HookState::SwitchedOff { .. } => "switched-off",
            HookState::NotSupported => "not-supported",
            HookState::BinaryMissing => "binary-missing",
        }
    }
}

/// What [`install`] did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installed {
    /// The hook.
    pub hook: HookName,
    /// The file that does the work.
    pub path: PathBuf,
    /// How git comes to it.
    pub way: Way,
    /// The setting that names the hooks directory, if it matters; if that [is shared](ConfiguredHooks::is_shared), the hook now
    /// runs in other repositories too.
    pub configured: Option<ConfiguredHooks>,
    /// What had to be done.
    pub change: InstallChange,
    /// Whether the binary's path was recorded; it is not where the hook may be committed and shared.
    pub recorded_binary: bool,
    /// Where the hook is now that was there before, if there was one.
    pub kept: Option<PathBuf>,
}

/// What [`install`] had to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InstallChange {
    /// There was no hook of ours.
    Created,
    /// There was a hook of ours with other content.
    Updated,
    /// The hook was there already.
    Unchanged,
    /// A newer stanch wrote the hook that is there; it stays.
    NewerKept,
    /// A hook of somebody else calls stanch already; it stays.
    CalledByForeign,
}

/// Something that [`uninstall`] did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Removed {
    /// Our hook is gone.
    Ours {
        /// Where it was.
        path: PathBuf,
    },
    /// The hook that was there before is back.
    PutBack {
        /// Where it is.
        path: PathBuf,
    },
}

/// Installs a hook where git runs it. A second time changes nothing; an older hook of ours is replaced, wherever it
/// is.
///
/// `binary` is the stanch to record in it, so that the hook works where `PATH` is short, as in editors.
///
/// # Errors
///
/// When a hook of somebody else is there that cannot be moved, or the hook cannot be written.
pub fn install(
    repository: &Repository,
    hook: HookName,
    method: Method,
    binary: Option<&Path>,
) -> Result<Installed, HookError> {
    refuse_bare(repository, hook)?;
    let wants_config = match method {
        Method::File => false,
        Method::Config if !Git::in_repository(repository).knows_config_hooks() => {
            return Err(HookError::NotSupported);
        }
        Method::Config => true,
        Method::Auto => {
            let has_file = slot(repository, hook)
                .and_then(|slot| slot.state(hook, None))
                .is_ok_and(|(state, _)| state != HookState::Missing && state != HookState::Foreign);
            !has_file && Git::in_repository(repository).knows_config_hooks()
        }
    };
    if wants_config {
        return install_in_config(repository, hook, binary);
    }
    let slot = slot(repository, hook)?;
    let installed = slot.install(repository, hook, binary)?;
    if method == Method::File {
        remove_from_config(repository, hook)?;
    }
    Ok(installed)
}

/// Removes a hook if it is ours, and nothing else, and puts back what was there before. One that `core.hooksPath`
/// shadows is removed as well.
///
/// # Errors
///
/// When a hook of somebody else calls stanch, or the hook cannot be removed.
pub fn uninstall(repository: &Repository, hook: HookName) -> Result<Vec<Removed>, HookError> {
    let mut done = Vec::new();
    if let Some(path) = remove_from_config(repository, hook)? {
        done.push(Removed::Ours { path });
    }
    let default = repository.default_hooks_dir();
    let mut dirs = vec![default.clone()];
    match hooks_dir(repository) {
        Ok(hooks) if hooks.path != default => dirs.push(hooks.path),
        Ok(_) | Err(HookError::NoDirectory { .. }) => {}
        Err(error) => return Err(error),
    }
    for dir in &dirs {
        remove_from_dir(dir, hook, &mut done)?;
    }
    Ok(done)
}

/// Tells whether a hook runs. `search_path` is the value of `PATH`.
///
/// # Errors
///
/// When the hooks directory is not known or the hook cannot be read.
pub fn status(
    repository: &Repository,
    hook: HookName,
    search_path: Option<&OsStr>,
) -> Result<HookStatus, HookError> {
    let in_config = config_status(repository, hook, search_path)?;
    if let Some(status) = in_config.as_ref().filter(|status| status.runs()) {
        return Ok(status.clone());
    }
    let in_dir = match hooks_dir(repository) {
        Err(HookError::NoDirectory { path, configured }) => {
            let state = HookState::Disabled;
            HookStatus { hook, path: path.join(hook.name()), configured, way: None, state }
        }
        known => {
            let slot = Slot::new(known?, hook)?;
            let (mut state, way) = slot.state(hook, Some(Search { path: search_path, repository }))?;
            if state == HookState::Missing {
                state = missing_state(repository, &slot.hooks, hook)?;
            }
            HookStatus { hook, path: slot.path, configured: slot.hooks.configured, way, state }
        }
    };
    Ok(in_config.filter(|_| !in_dir.runs()).unwrap_or(in_dir))
}

fn slot(repository: &Repository, hook: HookName) -> Result<Slot, HookError> {
    Slot::new(hooks_dir(repository)?, hook)
}

fn refuse_bare(repository: &Repository, hook: HookName) -> Result<(), HookError> {
    if repository.work_dir().is_none() && !matches!(hook, HookName::PreReceive | HookName::PrePush) {
        return Err(HookError::Bare { path: repository.git_dir().to_path_buf(), hook });
    }
    Ok(())
}

fn hooks_dir(repository: &Repository) -> Result<HooksDir, HookError> {
    let hooks = repository.hooks_dir()?;
    if fs::metadata(&hooks.path).is_ok_and(|metadata| !metadata.is_dir()) {
        return Err(HookError::NoDirectory { path: hooks.path, configured: hooks.configured });
    }
    Ok(hooks)
}
