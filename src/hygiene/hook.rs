//! Puts the hook where git runs it, takes it away again, and tells whether it runs.
//!
//! A hook of somebody else is never changed, moved or replaced: hooks find their helpers by the name and the
//! directory they are run from, so one that is moved aside may silently stop to do its work. Where one is
//! in the way, [`install`] says which line to add to it, and [`status`] recognises that line.

use std::ffi::OsStr;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use bstr::{BString, ByteSlice, ByteVec};

use super::fix::{new_file_beside, replace};
use crate::git::Repository;
use crate::git::hooks::{ConfigScope, ConfiguredHooks, HooksDir, HooksDirError};

/// The script, as it is without the path of a binary.
const TEMPLATE: &str = include_str!("../../hooks/pre-commit");

/// The line of the script that records the binary.
const NO_BINARY: &str = "recorded=''";

/// How a script of ours is recognised; the version follows.
const MARKER: &str = "# stanch-hook: pre-commit ";

/// Version of [`TEMPLATE`]; raised whenever its content changes.
const VERSION: u32 = 1;

/// The line that makes a hook of somebody else do the check.
pub const LINE_TO_ADD: &str = "stanch staged || exit $?";

/// Where the hook is and how it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HookStatus {
    /// Where git looks for the hook.
    pub path: PathBuf,
    /// The setting that names its directory, if one does.
    pub configured: Option<ConfiguredHooks>,
    /// How it is.
    pub state: HookState,
}

/// How the hook is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HookState {
    /// It is there and runs.
    Installed,
    /// It is there and runs; this version of stanch would write another one.
    Outdated {
        /// Version of the hook that is there.
        version: Option<u32>,
    },
    /// A hook of somebody else is there, and a line of it runs `stanch staged`.
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
    /// It is there and blocks every commit, because it does not find the binary.
    BinaryMissing,
}

impl HookStatus {
    /// Whether a commit is checked.
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
            HookState::BinaryMissing => "binary-missing",
        }
    }
}

/// What [`install`] did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installed {
    /// The hook.
    pub path: PathBuf,
    /// The setting that names its directory, if one does; beyond [`ConfigScope::Repository`] the hook now runs
    /// in other repositories too.
    pub configured: Option<ConfiguredHooks>,
    /// What had to be done.
    pub change: InstallChange,
    /// Whether the binary's path was recorded; it is not where the hook may be committed and shared.
    pub recorded_binary: bool,
}

/// What [`install`] had to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InstallChange {
    /// There was no hook.
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

/// What [`uninstall`] did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Uninstalled {
    /// Our hook is gone.
    Removed {
        /// Where it was.
        path: PathBuf,
    },
    /// There was none of ours, so nothing was changed.
    NoneThere {
        /// Where git looks for it.
        path: PathBuf,
    },
}

/// Why a hook could not be installed, removed or looked at. Nothing was changed then.
#[derive(Debug, thiserror::Error)]
pub enum HookError {
    /// The hooks directory is not known.
    #[error(transparent)]
    HooksDir(#[from] HooksDirError),
    /// Nobody commits in a bare repository.
    #[error("the repository at {} is bare: nobody commits there, so a pre-commit hook would never run", path.display())]
    Bare {
        /// The git directory.
        path: PathBuf,
    },
    /// A hook of somebody else is in the way.
    #[error(
        "{} is not stanch's, so it stays as it is; add this line to it, before anything that ends it: {LINE_TO_ADD}",
        path.display()
    )]
    Foreign {
        /// The hook.
        path: PathBuf,
    },
    /// A hook of somebody else calls stanch, and only its owner can take the line out.
    #[error("{} is not stanch's, so it stays as it is; remove the line of it that runs `stanch staged`", path.display())]
    CalledByForeign {
        /// The hook.
        path: PathBuf,
    },
    /// What should be the hooks directory is something else, such as `/dev/null`.
    #[error("git looks for hooks in {}, which is no directory{}", path.display(), hint(configured.as_ref()))]
    NoDirectory {
        /// What is there.
        path: PathBuf,
        /// The setting that names it.
        configured: Option<ConfiguredHooks>,
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

/// Installs the hook where git runs it. A second time changes nothing; an older hook of ours is replaced.
///
/// `binary` is the stanch to record in it, so that the hook works where `PATH` is short, as in editors.
///
/// # Errors
///
/// When a hook of somebody else is there, or the hook cannot be written.
pub fn install(repository: &Repository, binary: Option<&Path>) -> Result<Installed, HookError> {
    let hooks = hooks_dir(repository)?;
    let path = hooks.path.join("pre-commit");
    let existing = read(&path)?;
    if existing.is_none() {
        make_directory(&hooks)?;
    }
    // Another person's machine has another path, and a committed hook would show this one's.
    let binary = binary.filter(|_| !repository.may_be_committed(&hooks.path));
    let script = script(binary);
    let done = |change| Installed {
        path: path.clone(),
        configured: hooks.configured.clone(),
        change,
        recorded_binary: binary.is_some(),
    };
    let Some(existing) = existing else {
        create(&path, &script)?;
        return Ok(done(InstallChange::Created));
    };
    match existing.kind() {
        Kind::Ours { version } if version > Some(VERSION) => Ok(done(InstallChange::NewerKept)),
        Kind::Ours { .. } if existing.is_link => Ok(done(InstallChange::Unchanged)),
        Kind::Ours { .. } if existing.content == script && existing.executable => {
            Ok(done(InstallChange::Unchanged))
        }
        Kind::Ours { .. } => {
            replace(&path, &script, Some(executable(&path)?)).map_err(io_error("write", &path))?;
            Ok(done(InstallChange::Updated))
        }
        Kind::ForeignThatCalls => Ok(done(InstallChange::CalledByForeign)),
        Kind::Foreign => Err(HookError::Foreign { path }),
    }
}

/// Removes the hook if it is ours, and nothing else. One that `core.hooksPath` shadows is removed as well.
///
/// # Errors
///
/// When a hook of somebody else calls stanch, or the hook cannot be removed.
pub fn uninstall(repository: &Repository) -> Result<Uninstalled, HookError> {
    let path = hooks_dir(repository)?.path.join("pre-commit");
    let shadowed = repository.default_hooks_dir().join("pre-commit");
    let mut removed = None;
    for place in [shadowed, path.clone()] {
        match read(&place)?.map(|existing| existing.kind()) {
            Some(Kind::Ours { .. }) => {
                fs::remove_file(&place).map_err(io_error("remove", &place))?;
                removed = Some(place);
            }
            Some(Kind::ForeignThatCalls) if place == path => return Err(HookError::CalledByForeign { path }),
            _ => {}
        }
    }
    Ok(match removed {
        Some(path) => Uninstalled::Removed { path },
        None => Uninstalled::NoneThere { path },
    })
}

/// Tells whether the hook runs. `search_path` is the value of `PATH`.
///
/// # Errors
///
/// When the hooks directory is not known or the hook cannot be read.
pub fn status(repository: &Repository, search_path: Option<&OsStr>) -> Result<HookStatus, HookError> {
    let hooks = match hooks_dir(repository) {
        Err(HookError::NoDirectory { path, configured }) => {
            return Ok(HookStatus { path: path.join("pre-commit"), configured, state: HookState::Disabled });
        }
        known => known?,
    };
    let path = hooks.path.join("pre-commit");
    let state = match read(&path)? {
        None => missing_state(repository, &hooks)?,
        Some(existing) => existing.state(search_path),
    };
    Ok(HookStatus { path, configured: hooks.configured, state })
}

/// A file where git looks for the hook.
struct Existing {
    content: Vec<u8>,
    executable: bool,
    is_link: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Ours { version: Option<u32> },
    ForeignThatCalls,
    Foreign,
}

impl Existing {
    fn kind(&self) -> Kind {
        if let Some(rest) = self.content.lines().take(5).find_map(|line| line.strip_prefix(MARKER.as_bytes()))
        {
            let version = rest.to_str().ok().and_then(|version| version.trim().parse().ok());
            return Kind::Ours { version };
        }
        let calls = self.content.lines().any(|line| {
            let line = line.trim_start();
            !line.starts_with(b"#") && line.contains_str("stanch") && line.contains_str(" staged")
        });
        if calls { Kind::ForeignThatCalls } else { Kind::Foreign }
    }

    fn state(&self, search_path: Option<&OsStr>) -> HookState {
        match self.kind() {
            Kind::Foreign => HookState::Foreign,
            _ if !self.executable => HookState::NotExecutable,
            Kind::ForeignThatCalls => HookState::CalledByForeign,
            Kind::Ours { version } => {
                let recorded = self.recorded_binary();
                if !recorded.as_deref().is_some_and(is_program) && !is_on_path(search_path) {
                    HookState::BinaryMissing
                } else if self.content == script(recorded.as_deref()) {
                    HookState::Installed
                } else {
                    HookState::Outdated { version }
                }
            }
        }
    }

    fn recorded_binary(&self) -> Option<PathBuf> {
        let (_, after) = self.content.split_once_str("\nrecorded=")?;
        let word = unquote(after)?;
        (!word.is_empty()).then(|| word.into_path_buf().ok())?
    }
}

fn hooks_dir(repository: &Repository) -> Result<HooksDir, HookError> {
    if repository.work_dir().is_none() {
        return Err(HookError::Bare { path: repository.git_dir().to_path_buf() });
    }
    let hooks = repository.hooks_dir()?;
    if fs::metadata(&hooks.path).is_ok_and(|metadata| !metadata.is_dir()) {
        return Err(HookError::NoDirectory { path: hooks.path, configured: hooks.configured });
    }
    Ok(hooks)
}

fn missing_state(repository: &Repository, hooks: &HooksDir) -> Result<HookState, HookError> {
    let default = repository.default_hooks_dir().join("pre-commit");
    if hooks.configured.is_none() {
        return Ok(HookState::Missing);
    }
    let ours_by_default = read(&default)?.is_some_and(|hook| matches!(hook.kind(), Kind::Ours { .. }));
    Ok(if ours_by_default { HookState::Shadowed { by_default_in: default } } else { HookState::Missing })
}

/// The hook that is there; a link that leads nowhere is one too, of somebody else.
fn read(path: &Path) -> Result<Option<Existing>, HookError> {
    let is_link = match fs::symlink_metadata(path) {
        Ok(metadata) => metadata.is_symlink(),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(source) => return Err(io_error("read", path)(source)),
    };
    match fs::metadata(path) {
        Ok(metadata) if !metadata.is_file() => Err(HookError::Foreign { path: path.to_path_buf() }),
        Ok(_) => {
            let content = fs::read(path).map_err(io_error("read", path))?;
            Ok(Some(Existing { content, executable: is_program(path), is_link }))
        }
        Err(error) if is_link && error.kind() == io::ErrorKind::NotFound => {
            Ok(Some(Existing { content: Vec::new(), executable: false, is_link }))
        }
        Err(source) => Err(io_error("read", path)(source)),
    }
}

fn make_directory(hooks: &HooksDir) -> Result<(), HookError> {
    fs::create_dir_all(&hooks.path).map_err(io_error("make the directory", &hooks.path))
}

/// Writes a new hook; one that appeared in the meantime is somebody else's and stays.
fn create(path: &Path, script: &[u8]) -> Result<(), HookError> {
    let failed = io_error("write", path);
    let mut file = new_file_beside(path).map_err(&failed)?;
    let written = file.write_all(script).and_then(|()| file.as_file().sync_all());
    written.map_err(&failed)?;
    let permissions = executable(file.path())?;
    file.as_file().set_permissions(permissions).map_err(&failed)?;
    match file.persist_noclobber(path) {
        Ok(_) => Ok(()),
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => {
            Err(HookError::Foreign { path: path.to_path_buf() })
        }
        Err(error) => Err(failed(error.error)),
    }
}

/// The permissions of the file, and execution for everybody who may read it.
fn executable(path: &Path) -> Result<fs::Permissions, HookError> {
    #[allow(unused_mut, reason = "only Unix has an executable bit")]
    let mut permissions = fs::metadata(path).map_err(io_error("read", path))?.permissions();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = permissions.mode() & 0o777;
        permissions.set_mode(mode | ((mode & 0o444) >> 2));
    }
    Ok(permissions)
}

fn is_program(path: &Path) -> bool {
    let Ok(metadata) = fs::metadata(path) else {
        return false;
    };
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        metadata.is_file() && metadata.permissions().mode() & 0o111 != 0
    }
    #[cfg(not(unix))]
    metadata.is_file()
}

fn is_on_path(search_path: Option<&OsStr>) -> bool {
    let name = format!("stanch{}", std::env::consts::EXE_SUFFIX);
    search_path
        .is_some_and(|path| std::env::split_paths(path).any(|directory| is_program(&directory.join(&name))))
}

fn script(binary: Option<&Path>) -> Vec<u8> {
    let recorded = binary.and_then(path_bytes).map(|path| [b"recorded=".as_slice(), &quote(&path)].concat());
    let Some(recorded) = recorded else {
        return TEMPLATE.into();
    };
    TEMPLATE.as_bytes().replacen(NO_BINARY, recorded, 1)
}

/// The bytes of the path as the shell takes them; the shells of Windows want `/`.
fn path_bytes(path: &Path) -> Option<BString> {
    let bytes: BString = <[u8]>::from_path(path)?.into();
    Some(if cfg!(windows) { bytes.replace(b"\\", b"/").into() } else { bytes })
}

fn quote(bytes: &[u8]) -> Vec<u8> {
    [b"'".as_slice(), &bytes.replace(b"'", br"'\''"), b"'"].concat()
}

/// The value of the word that [`quote`] made, which stands at the start.
fn unquote(text: &[u8]) -> Option<Vec<u8>> {
    let mut value = Vec::new();
    let mut rest = text.strip_prefix(b"'")?;
    loop {
        let end = rest.find_byte(b'\'')?;
        value.extend_from_slice(&rest[..end]);
        match rest[end..].strip_prefix(br"'\''") {
            Some(more) => {
                value.push(b'\'');
                rest = more;
            }
            None => return Some(value),
        }
    }
}

fn io_error(action: &'static str, path: &Path) -> impl Fn(io::Error) -> HookError {
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

impl ConfiguredHooks {
    /// Whether the directory serves other repositories than this one too.
    pub fn is_shared(&self) -> bool {
        self.scope != ConfigScope::Repository
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_says_its_version_and_has_a_place_for_the_binary() {
        let plain = Existing { content: script(None), executable: true, is_link: false };
        assert!(plain.kind() == Kind::Ours { version: Some(VERSION) });
        assert_eq!(plain.recorded_binary(), None);
        assert_eq!(TEMPLATE.matches(NO_BINARY).count(), 1);
    }

    #[test]
    fn a_recorded_path_comes_back_whatever_is_in_it() {
        for path in ["/usr/bin/stanch", "/home/o'brien/my tools/$(id)/`x`/stanch", "/a\nb/'''/stanch"] {
            let content = script(Some(Path::new(path)));
            let hook = Existing { content, executable: true, is_link: false };
            assert_eq!(hook.recorded_binary(), Some(PathBuf::from(path)));
            assert!(hook.kind() == Kind::Ours { version: Some(VERSION) });
        }
    }

    #[test]
    fn a_foreign_hook_is_told_by_its_lines() {
        let kind =
            |content: &str| Existing { content: content.into(), executable: true, is_link: false }.kind();
        assert!(kind("#!/bin/sh\nmake lint\n") == Kind::Foreign);
        assert!(kind("#!/bin/sh\n# stanch staged || exit $?\n") == Kind::Foreign);
        assert!(kind("#!/bin/sh\n  stanch staged || exit $?\n") == Kind::ForeignThatCalls);
        assert!(kind("#!/bin/sh\n\"$HOME/bin/stanch\" --quiet staged\n") == Kind::ForeignThatCalls);
        assert!(kind("#!/bin/sh\n# stanch-hook: pre-commit 7\n") == Kind::Ours { version: Some(7) });
    }
}
