//! A hook in the configuration of git, which knows hooks there from 2.54 on.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use super::error::io_error;
use super::git::Git;
use super::script::{self, Kind, VERSION};
use super::slot::{create, executable, existing_state, read};
use super::{HookError, HookName, HookState, HookStatus, InstallChange, Installed, Way};
use crate::git::Repository;
use crate::hygiene::fix::replace;

/// The script that a hook in the configuration runs.
pub(super) fn config_script(repository: &Repository, hook: HookName) -> PathBuf {
    repository.common_dir().join("stanch").join("hooks").join(hook.name())
}

/// The command in the configuration. It names the script by way of git, so that it is right when the repository is
/// moved, or seen from a container. Git adds the arguments of the hook.
fn config_command(hook: HookName) -> String {
    format!("\"$(git rev-parse --git-common-dir)/stanch/hooks/{}\"", hook.name())
}

pub(super) fn install_in_config(
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
pub(super) fn remove_from_config(
    repository: &Repository,
    hook: HookName,
) -> Result<Option<PathBuf>, HookError> {
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

pub(super) fn config_status(
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
