//! A hook as a file: where it goes, what is there, and what becomes of that.

use std::ffi::OsStr;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::error::io_error;
use super::script::{
    self, Existing, Kind, VERSION, husky_lines, husky_span, is_on_path, is_program, with_husky_lines,
};
use super::{HookError, HookName, HookState, InstallChange, Installed, Removed, Way};
use crate::git::Repository;
use crate::git::hooks::HooksDir;
use crate::hygiene::fix::{new_file_beside, replace};

/// Where the hook goes, or is.
pub(super) struct Slot {
    pub(super) hooks: HooksDir,
    pub(super) path: PathBuf,
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
pub(super) struct Search<'s> {
    pub(super) path: Option<&'s OsStr>,
    pub(super) repository: &'s Repository,
}

impl Slot {
    pub(super) fn new(hooks: HooksDir, hook: HookName) -> Result<Self, HookError> {
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

    pub(super) fn install(
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
    pub(super) fn state(
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

pub(super) fn existing_state(
    existing: &Existing,
    hook: HookName,
    search: Option<Option<&OsStr>>,
) -> HookState {
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

pub(super) fn remove_from_dir(dir: &Path, hook: HookName, done: &mut Vec<Removed>) -> Result<(), HookError> {
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

/// The hook that is there; a link that leads nowhere is one too, of somebody else.
pub(super) fn read(path: &Path, hook: HookName) -> Result<Option<Existing>, HookError> {
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
pub(super) fn create(path: &Path, script: &[u8], hook: HookName) -> Result<(), HookError> {
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
pub(super) fn executable(path: &Path) -> Result<fs::Permissions, HookError> {
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

/// Of a hook that is not there, whether one of ours lies where git would look without a setting.
pub(super) fn missing_state(
    repository: &Repository,
    hooks: &HooksDir,
    hook: HookName,
) -> Result<HookState, HookError> {
    let default = repository.default_hooks_dir().join(hook.name());
    if hooks.configured.is_none() {
        return Ok(HookState::Missing);
    }
    let ours_by_default =
        read(&default, hook)?.is_some_and(|existing| matches!(existing.kind(hook), Kind::Ours { .. }));
    Ok(if ours_by_default { HookState::Shadowed { by_default_in: default } } else { HookState::Missing })
}
