//! Where git looks for hooks.

use std::path::{Path, PathBuf};

use super::Repository;

/// The directory from which git runs hooks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HooksDir {
    /// The directory; it need not exist.
    pub path: PathBuf,
    /// The setting that names it; `None` for `hooks` in the git directory.
    pub configured: Option<ConfiguredHooks>,
}

/// A `core.hooksPath` that is in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfiguredHooks {
    /// The value as written.
    pub value: String,
    /// Who is affected by it.
    pub scope: ConfigScope,
}

impl ConfiguredHooks {
    /// Whether the directory serves other repositories than this one too.
    pub fn is_shared(&self) -> bool {
        self.scope != ConfigScope::Repository
    }
}

/// For whom a setting counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConfigScope {
    /// This working tree, if it has a configuration of its own, or this repository.
    Repository,
    /// Every repository of this user.
    User,
    /// Every repository on this machine.
    System,
}

impl ConfigScope {
    /// The name of the option of `git config` that reaches it.
    pub fn name(self) -> &'static str {
        match self {
            ConfigScope::Repository => "local",
            ConfigScope::User => "global",
            ConfigScope::System => "system",
        }
    }
}

/// Why the hooks directory could not be told.
#[derive(Debug, thiserror::Error)]
pub enum HooksDirError {
    /// The configuration is broken.
    #[error("cannot read core.hooksPath for {}: {message}", path.display())]
    Config {
        /// The git directory.
        path: PathBuf,
        /// What git2 says.
        message: String,
    },
    /// It is set to nothing, and git then finds no hook.
    #[error("core.hooksPath is set to nothing, so git runs no hook; unset it")]
    Empty,
    /// A form of value that only git itself can expand.
    #[error("core.hooksPath is `{value}`, which only git can expand; write it as an absolute path")]
    Unexpandable {
        /// The value as written.
        value: String,
    },
}

impl Repository {
    /// The directory from which git runs hooks: `core.hooksPath` (git-config(1)), else `hooks` in the git
    /// directory that all linked worktrees share (gitrepository-layout(5)).
    ///
    /// # Errors
    ///
    /// When the configuration cannot be read or the value is of a form that cannot be expanded here.
    pub fn hooks_dir(&self) -> Result<HooksDir, HooksDirError> {
        let failed = |error: git2::Error| HooksDirError::Config {
            path: self.git_dir().to_path_buf(),
            message: error.message().to_owned(),
        };
        let config = self.config().map_err(failed)?;
        let entry = match config.get_entry("core.hookspath") {
            Ok(entry) => entry,
            Err(error) if error.code() == git2::ErrorCode::NotFound => {
                return Ok(HooksDir { path: self.default_hooks_dir(), configured: None });
            }
            Err(error) => return Err(failed(error)),
        };
        let value = entry.value().map_err(failed)?.to_owned();
        if value.is_empty() {
            return Err(HooksDirError::Empty);
        }
        if value.starts_with("%(") || value.starts_with(":(") {
            return Err(HooksDirError::Unexpandable { value });
        }
        let expanded = config.get_path("core.hookspath").map_err(failed)?;
        let scope = match entry.level() {
            git2::ConfigLevel::ProgramData | git2::ConfigLevel::System => ConfigScope::System,
            git2::ConfigLevel::XDG | git2::ConfigLevel::Global => ConfigScope::User,
            _ => ConfigScope::Repository,
        };
        // A relative path counts from where the hooks run: the top of this working tree, or the git
        // directory of a bare repository. So each linked worktree may have hooks of its own.
        let path = self.work_dir().unwrap_or_else(|| self.git_dir()).join(expanded);
        Ok(HooksDir { path, configured: Some(ConfiguredHooks { value, scope }) })
    }

    /// `hooks` in the git directory that all linked worktrees share.
    pub fn default_hooks_dir(&self) -> PathBuf {
        self.common_dir().join("hooks")
    }

    /// Whether `path` lies in the working tree and outside the git directory, where it may be committed.
    pub fn may_be_committed(&self, path: &Path) -> bool {
        let absolute = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
        let path = absolute(path);
        let inside = |directory: &Path| path.starts_with(absolute(directory));
        self.work_dir().is_some_and(inside) && !inside(self.git_dir()) && !inside(self.common_dir())
    }
}

/// A hook in git's configuration (git-config(1), `hook.<friendly-name>.*`; git 2.54 and newer).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigHook {
    /// The shell command.
    pub command: String,
    /// The setting that keeps git from running it, if one does.
    pub switched_off_by: Option<String>,
}

impl Repository {
    /// The hook of a friendly name, if it is configured for an event.
    ///
    /// # Errors
    ///
    /// When the configuration cannot be read.
    pub fn config_hook(&self, name: &str, event: &str) -> Result<Option<ConfigHook>, HooksDirError> {
        let failed = |error: git2::Error| HooksDirError::Config {
            path: self.git_dir().to_path_buf(),
            message: error.message().to_owned(),
        };
        let config = self.config().map_err(failed)?;
        let mut is_for_event = false;
        let mut values = config.multivar(&format!("hook.{name}.event"), None).map_err(failed)?;
        while let Some(entry) = values.next() {
            let entry = entry.map_err(failed)?;
            // An empty value takes back the ones before it.
            is_for_event = match entry.value().unwrap_or_default() {
                "" => false,
                value => is_for_event || value == event,
            };
        }
        let Ok(command) = config.get_string(&format!("hook.{name}.command")) else { return Ok(None) };
        let switches = [format!("hook.{name}.enabled"), format!("hook.{event}.enabled")];
        let switched_off_by = switches.into_iter().find(|key| config.get_bool(key).is_ok_and(|is_on| !is_on));
        Ok(is_for_event.then_some(ConfigHook { command, switched_off_by }))
    }
}
