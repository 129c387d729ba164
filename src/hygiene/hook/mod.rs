//! Puts hooks where git runs them, takes them away again, and tells whether they run.
//!
//! A hook of somebody else goes on working, and [`uninstall`] puts back what was there byte for byte:
//!
//! - Where git knows hooks in its configuration, ours stands there, and no file of others is touched.
//! - One that the pre-commit framework or prek wrote runs a second one of the same name and `.legacy`: ours is that.
//! - A hook of husky is a plain file of commands: ours are the first lines of it.
//! - Any other is kept beside ours, which runs it. Hooks that look at their own name or place would lose their way
//!   there, so these stay where they are, and [`install`] says which line to add to them.

mod git;
mod proof;
mod script;

use std::ffi::OsStr;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::fix::{new_file_beside, replace};
use crate::git::Repository;
use crate::git::hooks::{ConfigScope, ConfiguredHooks, HooksDir, HooksDirError};

use git::Git;
use script::{Existing, Kind, VERSION, husky_lines, husky_span, is_on_path, is_program, with_husky_lines};

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
    /// The setting that names the hooks directory, if it matters; beyond [`ConfigScope::Repository`] the hook now
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

/// Where the hook goes, or is.
struct Slot {
    hooks: HooksDir,
    path: PathBuf,
    kind: SlotKind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum SlotKind {
    Hook,
    Legacy,
    Husky,
}

/// Where a hook looks for the binary.
#[derive(Clone, Copy)]
struct Search<'s> {
    path: Option<&'s OsStr>,
    repository: &'s Repository,
}

fn slot(repository: &Repository, hook: HookName) -> Result<Slot, HookError> {
    Slot::new(hooks_dir(repository)?, hook)
}

impl Slot {
    fn new(hooks: HooksDir, hook: HookName) -> Result<Self, HookError> {
        let path = hooks.path.join(hook.name());
        if let Some(husky) = husky_dir(&hooks.path) {
            return Ok(Self { path: husky.join(hook.name()), hooks, kind: SlotKind::Husky });
        }
        let front = read(&path, hook)?;
        if front.is_some_and(|front| front.kind(hook) == Kind::Framework) {
            let path = hooks.path.join(format!("{}.legacy", hook.name()));
            return Ok(Self { path, hooks, kind: SlotKind::Legacy });
        }
        Ok(Self { path, hooks, kind: SlotKind::Hook })
    }

    fn way(&self) -> Way {
        match self.kind {
            SlotKind::Hook => Way::File,
            SlotKind::Legacy => Way::Legacy,
            SlotKind::Husky => Way::Husky,
        }
    }

    fn install(
        &self,
        repository: &Repository,
        hook: HookName,
        binary: Option<&Path>,
    ) -> Result<Installed, HookError> {
        // Another person's machine has another path, and a committed hook would show this one's.
        let is_shared = self.kind == SlotKind::Husky || repository.may_be_committed(&self.hooks.path);
        let binary = binary.filter(|_| !is_shared);
        let mut installed = Installed {
            hook,
            path: self.path.clone(),
            way: self.way(),
            configured: self.hooks.configured.clone(),
            change: InstallChange::Unchanged,
            recorded_binary: binary.is_some(),
            kept: None,
        };
        let existing = read(&self.path, hook)?;
        if self.kind == SlotKind::Husky {
            installed.change = self.install_in_husky(existing, hook)?;
            return Ok(installed);
        }
        let script = script::script(hook, binary);
        let Some(existing) = existing else {
            fs::create_dir_all(&self.hooks.path).map_err(io_error("make the directory", &self.hooks.path))?;
            create(&self.path, &script, hook)?;
            return Ok(Installed { change: InstallChange::Created, ..installed });
        };
        installed.change = match existing.kind(hook) {
            Kind::Ours { version } if version > Some(VERSION) => InstallChange::NewerKept,
            Kind::Ours { .. } if existing.is_link => InstallChange::Unchanged,
            Kind::Ours { .. } if existing.content == script && existing.executable => {
                InstallChange::Unchanged
            }
            Kind::Ours { .. } => {
                replace(&self.path, &script, Some(executable(&self.path)?))
                    .map_err(io_error("write", &self.path))?;
                InstallChange::Updated
            }
            Kind::ForeignThatCalls if existing.executable => InstallChange::CalledByForeign,
            Kind::ForeignThatCalls | Kind::Foreign | Kind::Framework => {
                installed.kept = Some(self.keep(&existing, &script, hook)?);
                InstallChange::Created
            }
        };
        Ok(installed)
    }

    /// Moves a hook of somebody else aside and puts ours in its place.
    fn keep(&self, existing: &Existing, script: &[u8], hook: HookName) -> Result<PathBuf, HookError> {
        let is_dangling = existing.is_link && !self.path.exists();
        if existing.looks_at_itself() || is_dangling {
            return Err(HookError::Foreign { path: self.path.clone(), hook });
        }
        let kept = self.hooks.path.join(hook.kept_name());
        if let Some(old) = read(&kept, hook)? {
            // A manager of hooks has put its own hook back over ours.
            if old.content != existing.content || old.is_link || existing.is_link {
                return Err(HookError::KeptInTheWay { path: self.path.clone(), kept });
            }
            fs::remove_file(&self.path).map_err(io_error("replace", &self.path))?;
        } else {
            fs::rename(&self.path, &kept).map_err(io_error("move aside", &self.path))?;
        }
        create(&self.path, script, hook).inspect_err(|_| {
            // What was there must not be lost with what could not be written.
            let _ = fs::rename(&kept, &self.path);
        })?;
        Ok(kept)
    }

    fn install_in_husky(
        &self,
        existing: Option<Existing>,
        hook: HookName,
    ) -> Result<InstallChange, HookError> {
        let Some(existing) = existing else {
            let lines = husky_lines(hook);
            replace(&self.path, lines.as_bytes(), None).map_err(io_error("write", &self.path))?;
            return Ok(InstallChange::Created);
        };
        let content = &existing.content;
        let (content, change) = match husky_span(content) {
            Some((start, end)) if &content[start..end] == husky_lines(hook).as_bytes() => {
                return Ok(InstallChange::Unchanged);
            }
            Some((start, end)) => {
                let lines = husky_lines(hook);
                let new = [&content[..start], lines.as_bytes(), &content[end..]].concat();
                (Some(new), InstallChange::Updated)
            }
            None if existing.kind(hook) == Kind::ForeignThatCalls => {
                return Ok(InstallChange::CalledByForeign);
            }
            None => (with_husky_lines(content, hook), InstallChange::Created),
        };
        let foreign = || HookError::Foreign { path: self.path.clone(), hook };
        let content = content.filter(|_| !existing.is_link).ok_or_else(foreign)?;
        self.replace_keeping_mode(&content)?;
        Ok(change)
    }

    fn replace_keeping_mode(&self, content: &[u8]) -> Result<(), HookError> {
        let permissions = fs::metadata(&self.path).map_err(io_error("read", &self.path))?.permissions();
        replace(&self.path, content, Some(permissions)).map_err(io_error("write", &self.path))
    }

    /// How the hook is, and by what way git comes to it. Without a place to search, the binary is not looked for.
    fn state(
        &self,
        hook: HookName,
        search: Option<Search<'_>>,
    ) -> Result<(HookState, Option<Way>), HookError> {
        let Some(existing) = read(&self.path, hook)? else {
            let has_framework = self.kind == SlotKind::Legacy;
            return Ok((if has_framework { HookState::Foreign } else { HookState::Missing }, None));
        };
        let way = self.way();
        if self.kind == SlotKind::Husky {
            let state = husky_state(&existing, hook, search);
            return Ok((state.clone(), (state != HookState::Foreign).then_some(way)));
        }
        let mut state = existing_state(&existing, hook, search.map(|search| search.path));
        if self.kind == SlotKind::Legacy && !is_program(&self.hooks.path.join(hook.name())) {
            state = HookState::NotExecutable;
        }
        let is_ours = matches!(existing.kind(hook), Kind::Ours { .. });
        Ok((state, is_ours.then_some(way)))
    }
}

/// The directory where husky's users write their hooks, if the hooks directory is one of husky.
fn husky_dir(hooks: &Path) -> Option<PathBuf> {
    let is_husky = |dir: &Path| dir.file_name().is_some_and(|name| name == ".husky");
    match hooks.parent() {
        // Version 9; its own files are generated, and run those of the users.
        Some(above) if hooks.ends_with("_") && hooks.join("h").is_file() => Some(above.to_path_buf()),
        // Older versions.
        _ => is_husky(hooks).then(|| hooks.to_path_buf()),
    }
}

fn husky_state(existing: &Existing, hook: HookName, search: Option<Search<'_>>) -> HookState {
    let state = match husky_span(&existing.content) {
        Some((start, end)) if &existing.content[start..end] == husky_lines(hook).as_bytes() => {
            HookState::Installed
        }
        Some(_) => HookState::Outdated { version: None },
        None if existing.kind(hook) == Kind::ForeignThatCalls => HookState::CalledByForeign,
        None => return HookState::Foreign,
    };
    let is_found = search.is_none_or(|search| {
        let local = search.repository.work_dir().map(|top| top.join("node_modules").join(".bin"));
        is_on_path(search.path) || is_on_path(local.as_deref().map(Path::as_os_str))
    });
    if is_found { state } else { HookState::BinaryMissing }
}

fn existing_state(existing: &Existing, hook: HookName, search: Option<Option<&OsStr>>) -> HookState {
    match existing.kind(hook) {
        Kind::Foreign | Kind::Framework => HookState::Foreign,
        _ if !existing.executable => HookState::NotExecutable,
        Kind::ForeignThatCalls => HookState::CalledByForeign,
        Kind::Ours { version } => {
            let recorded = existing.recorded_binary();
            let is_found = recorded.as_deref().is_some_and(is_program);
            if search.is_some_and(|search_path| !is_found && !is_on_path(search_path)) {
                HookState::BinaryMissing
            } else if existing.content == script::script(hook, recorded.as_deref()) {
                HookState::Installed
            } else {
                HookState::Outdated { version }
            }
        }
    }
}

/// The script that a hook in the configuration runs.
fn config_script(repository: &Repository, hook: HookName) -> PathBuf {
    repository.common_dir().join("stanch").join("hooks").join(hook.name())
}

/// The command in the configuration. It names the script by way of git, so that it is right when the repository is
/// moved, or seen from a container. Git adds the arguments of the hook.
fn config_command(hook: HookName) -> String {
    format!("\"$(git rev-parse --git-common-dir)/stanch/hooks/{}\"", hook.name())
}

fn install_in_config(
    repository: &Repository,
    hook: HookName,
    binary: Option<&Path>,
) -> Result<Installed, HookError> {
    let path = config_script(repository, hook);
    let script = script::script(hook, binary);
    let existing = read(&path, hook)?;
    let change = match &existing {
        None => InstallChange::Created,
        Some(existing) => match existing.kind(hook) {
            Kind::Ours { version } if version > Some(VERSION) => InstallChange::NewerKept,
            _ if existing.content == script && existing.executable => InstallChange::Unchanged,
            _ => InstallChange::Updated,
        },
    };
    if change == InstallChange::Created {
        let dir = path.parent().unwrap_or(&path);
        fs::create_dir_all(dir).map_err(io_error("make the directory", dir))?;
        create(&path, &script, hook)?;
    } else if change == InstallChange::Updated {
        replace(&path, &script, Some(executable(&path)?)).map_err(io_error("write", &path))?;
    }
    let name = hook.config_name();
    let wanted = config_command(hook);
    let present = repository.config_hook(&name, hook.name())?;
    let is_there = present.is_some_and(|present| present.command == wanted);
    if !is_there {
        let git = Git::in_repository(repository);
        git.set(&format!("hook.{name}.event"), hook.name())?;
        git.set(&format!("hook.{name}.command"), &wanted)?;
    }
    let change =
        if change == InstallChange::Unchanged && !is_there { InstallChange::Updated } else { change };
    Ok(Installed {
        hook,
        path,
        way: Way::Config,
        configured: None,
        change,
        recorded_binary: binary.is_some(),
        kept: None,
    })
}

/// Takes our hook out of the configuration; its script, if there was one.
fn remove_from_config(repository: &Repository, hook: HookName) -> Result<Option<PathBuf>, HookError> {
    let name = hook.config_name();
    if repository.config_hook(&name, hook.name())?.is_some() {
        Git::in_repository(repository).remove_section(&format!("hook.{name}"))?;
    }
    let path = config_script(repository, hook);
    if read(&path, hook)?.is_none() {
        return Ok(None);
    }
    fs::remove_file(&path).map_err(io_error("remove", &path))?;
    // Directories that others use as well stay.
    for dir in path.ancestors().skip(1).take(2) {
        if fs::remove_dir(dir).is_err() {
            break;
        }
    }
    Ok(Some(path))
}

fn config_status(
    repository: &Repository,
    hook: HookName,
    search_path: Option<&OsStr>,
) -> Result<Option<HookStatus>, HookError> {
    let Some(configured) = repository.config_hook(&hook.config_name(), hook.name())? else { return Ok(None) };
    let path = config_script(repository, hook);
    let state = match (read(&path, hook)?, configured.switched_off_by) {
        (_, Some(key)) => HookState::SwitchedOff { key },
        _ if !Git::in_repository(repository).knows_config_hooks() => HookState::NotSupported,
        // Git then fails to run it and so blocks.
        (None, None) => HookState::BinaryMissing,
        (Some(existing), None) => existing_state(&existing, hook, Some(search_path)),
    };
    Ok(Some(HookStatus { hook, path, configured: None, way: Some(Way::Config), state }))
}

fn remove_from_dir(dir: &Path, hook: HookName, done: &mut Vec<Removed>) -> Result<(), HookError> {
    if let Some(husky) = husky_dir(dir) {
        return remove_from_husky(&husky.join(hook.name()), hook, done);
    }
    let path = dir.join(hook.name());
    let kept = dir.join(hook.kept_name());
    for place in [path.clone(), dir.join(format!("{}.legacy", hook.name()))] {
        match read(&place, hook)?.map(|existing| existing.kind(hook)) {
            Some(Kind::Ours { .. }) => {
                fs::remove_file(&place).map_err(io_error("remove", &place))?;
                done.push(Removed::Ours { path: place.clone() });
                if read(&kept, hook)?.is_some() {
                    fs::rename(&kept, &place).map_err(io_error("put back", &kept))?;
                    done.push(Removed::PutBack { path: place });
                }
            }
            Some(Kind::ForeignThatCalls) if place == path => return Err(HookError::CalledByForeign { path }),
            _ => {}
        }
    }
    // Whoever removed or replaced ours by hand has left behind what was kept.
    if let Some(left) = read(&kept, hook)? {
        match read(&path, hook)? {
            None => {
                fs::rename(&kept, &path).map_err(io_error("put back", &kept))?;
                done.push(Removed::PutBack { path });
            }
            Some(now) if now.content == left.content && !left.is_link => {
                fs::remove_file(&kept).map_err(io_error("remove", &kept))?;
            }
            Some(_) => {}
        }
    }
    Ok(())
}

fn remove_from_husky(path: &Path, hook: HookName, done: &mut Vec<Removed>) -> Result<(), HookError> {
    let Some(existing) = read(path, hook)? else { return Ok(()) };
    let Some((start, end)) = husky_span(&existing.content) else {
        return match existing.kind(hook) {
            Kind::ForeignThatCalls => Err(HookError::CalledByForeign { path: path.to_path_buf() }),
            _ => Ok(()),
        };
    };
    let rest = [&existing.content[..start], &existing.content[end..]].concat();
    if rest.is_empty() {
        fs::remove_file(path).map_err(io_error("remove", path))?;
        done.push(Removed::Ours { path: path.to_path_buf() });
    } else {
        let permissions = fs::metadata(path).map_err(io_error("read", path))?.permissions();
        replace(path, &rest, Some(permissions)).map_err(io_error("write", path))?;
        done.push(Removed::PutBack { path: path.to_path_buf() });
    }
    Ok(())
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

fn missing_state(repository: &Repository, hooks: &HooksDir, hook: HookName) -> Result<HookState, HookError> {
    let default = repository.default_hooks_dir().join(hook.name());
    if hooks.configured.is_none() {
        return Ok(HookState::Missing);
    }
    let ours_by_default =
        read(&default, hook)?.is_some_and(|existing| matches!(existing.kind(hook), Kind::Ours { .. }));
    Ok(if ours_by_default { HookState::Shadowed { by_default_in: default } } else { HookState::Missing })
}

/// The hook that is there; a link that leads nowhere is one too, of somebody else.
fn read(path: &Path, hook: HookName) -> Result<Option<Existing>, HookError> {
    let is_link = match fs::symlink_metadata(path) {
        Ok(metadata) => metadata.is_symlink(),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(source) => return Err(io_error("read", path)(source)),
    };
    match fs::metadata(path) {
        Ok(metadata) if !metadata.is_file() => Err(HookError::Foreign { path: path.to_path_buf(), hook }),
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

/// Writes a new hook; one that appeared in the meantime is somebody else's and stays.
fn create(path: &Path, script: &[u8], hook: HookName) -> Result<(), HookError> {
    let failed = io_error("write", path);
    let mut file = new_file_beside(path).map_err(&failed)?;
    let written = file.write_all(script).and_then(|()| file.as_file().sync_all());
    written.map_err(&failed)?;
    let permissions = executable(file.path())?;
    file.as_file().set_permissions(permissions).map_err(&failed)?;
    match file.persist_noclobber(path) {
        Ok(_) => Ok(()),
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => {
            Err(HookError::Foreign { path: path.to_path_buf(), hook })
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
