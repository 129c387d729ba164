//! Why a hook could not be installed, removed or looked at.

use std::io;
use std::path::{Path, PathBuf};

use super::HookName;
use crate::git::hooks::{ConfiguredHooks, HooksDirError};

/// Why a hook could not be installed, removed or looked at. Nothing was changed then.
#[derive(Debug, thiserror::Error)]
pub enum HookError {
    /// The hooks directory is not known.
    #[error(transparent)]
    HooksDir(#[from] HooksDirError),
    /// Nobody commits in a bare repository.
    #[error(
        "the repository at {} is bare: nobody commits there, so a {} hook would never run; \
         a server has `stanch hook install pre-receive`", path.display(), hook.name()
    )]
    Bare {
        /// The git directory.
        path: PathBuf,
        /// The hook.
        hook: HookName,
    },
    /// A hook of somebody else is in the way.
    #[error(
        "{} is not stanch's and looks at its own name or place, or is no file, so it stays as it is; add this line \
         to it, before anything that ends it: {}", path.display(), hook.line_to_add()
    )]
    Foreign {
        /// The hook.
        path: PathBuf,
        /// The hook.
        hook: HookName,
    },
    /// A hook of somebody else calls stanch, and only its owner can take the line out.
    #[error("{} is not stanch's, so it stays as it is; remove the line of it that runs stanch", path.display())]
    CalledByForeign {
        /// The hook.
        path: PathBuf,
    },
    /// A hook that was moved aside is still there, and another one has come.
    #[error(
        "{} holds the hook that was there before, and {} is a newer one; remove the one that is not wanted",
        kept.display(), path.display()
    )]
    KeptInTheWay {
        /// The hook.
        path: PathBuf,
        /// The hook that was moved aside.
        kept: PathBuf,
    },
    /// What should be the hooks directory is something else, such as `/dev/null`.
    #[error("git looks for hooks in {}, which is no directory{}", path.display(), hint(configured.as_ref()))]
    NoDirectory {
        /// What is there.
        path: PathBuf,
        /// The setting that names it.
        configured: Option<ConfiguredHooks>,
    },
    /// The git on `PATH` does not know hooks in its configuration.
    #[error(
        "the git on PATH does not know hooks in its configuration (2.54 and newer do); use `--method file`"
    )]
    NotSupported,
    /// Git did not do what it was told.
    #[error("`git {command}` failed: {message}")]
    Git {
        /// What was called.
        command: String,
        /// What git said.
        message: String,
    },
    /// Reading or writing failed.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

pub(super) fn io_error(action: &'static str, path: &Path) -> impl Fn(io::Error) -> HookError {
    let path = path.to_path_buf();
    move |source| HookError::Io { action, path: path.clone(), source }
}

fn hint(configured: Option<&ConfiguredHooks>) -> String {
    configured.map_or_else(String::new, |hooks| {
        let scope = hooks.scope.name();
        format!(
            " (core.hooksPath is `{}`); so no hook runs here: `git config --{scope} --unset core.hooksPath`",
            hooks.value
        )
    })
}
