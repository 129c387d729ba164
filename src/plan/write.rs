//! Writes a plan as a directory that is there whole or not at all.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::{Plan, replace, text};
use crate::git::Repository;
use crate::report::redact::Redactor;

/// Why a plan could not be written. Nothing of it is left behind.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// Something is there already.
    #[error("{} is there already, and a plan overwrites nothing; name another directory", path.display())]
    Exists {
        /// What is there.
        path: PathBuf,
    },
    /// A commit could take the plan along, secrets and all.
    #[error(
        "{} lies in the repository, where a commit could take its secrets along; \
         name a directory outside, or add --plan-in-repository",
        path.display()
    )]
    InRepository {
        /// Where the plan should go.
        path: PathBuf,
    },
    /// Making or writing a file failed.
    #[error("cannot write the plan to {}: {source}", path.display())]
    Io {
        /// Where the plan should go.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

impl Plan {
    /// Checks that a plan may be written there, before the work is done.
    ///
    /// # Errors
    ///
    /// When something is there, when it lies in the repository and `may_be_inside` is not set, and when the directory
    /// above takes no new entry.
    pub fn check_place(repository: &Repository, path: &Path, may_be_inside: bool) -> Result<(), WriteError> {
        let failed = |source| WriteError::Io { path: path.to_path_buf(), source };
        if fs::symlink_metadata(path).is_ok() {
            return Err(WriteError::Exists { path: path.to_path_buf() });
        }
        let above = parent(path).canonicalize().map_err(failed)?;
        let inside = |dir: &Path| dir.canonicalize().is_ok_and(|dir| above.starts_with(dir));
        let is_inside = repository.work_dir().is_some_and(inside)
            || inside(repository.git_dir())
            || inside(repository.common_dir());
        if is_inside && !may_be_inside {
            return Err(WriteError::InRepository { path: path.to_path_buf() });
        }
        draft(path).map_err(failed).map(drop)
    }
}

/// Writes the files of the plan into a new directory, readable by their owner alone. Returns their names.
///
/// # Errors
///
/// When something is there already, or writing fails.
pub fn write(plan: &Plan, path: &Path) -> Result<Vec<&'static str>, WriteError> {
    let failed = |source| WriteError::Io { path: path.to_path_buf(), source };
    if fs::symlink_metadata(path).is_ok() {
        return Err(WriteError::Exists { path: path.to_path_buf() });
    }
    let draft = draft(path).map_err(failed)?;
    let files = files(plan);
    for (name, content) in &files {
        write_file(&draft.path().join(name), content).map_err(failed)?;
    }
    // A rename takes the place of an empty directory only; whoever made one meanwhile loses nothing.
    fs::rename(draft.path(), path).map_err(failed)?;
    let _ = draft.keep();
    Ok(files.into_iter().map(|(name, _)| name).collect())
}

fn files(plan: &Plan) -> Vec<(&'static str, Vec<u8>)> {
    // A secret may also stand in a path or a name.
    let redactor = Redactor::of(plan.secrets.iter().map(|planned| &planned.secret));
    let redacted = |text: Vec<u8>| redactor.text(&String::from_utf8_lossy(&text)).into_owned().into_bytes();
    let mut files =
        vec![("plan.md", redacted(text::markdown(plan))), ("plan.json", redacted(text::json(plan)))];
    if plan.secrets.is_empty() {
        return files;
    }
    files.push(("clean.sh", text::script(plan)));
    files.push((text::REPLACEMENTS, replace::filter_repo(&plan.texts)));
    files.push((text::BFG_REPLACEMENTS, replace::bfg(&plan.texts).0));
    let ids = |ids: &std::collections::BTreeSet<_>| -> Vec<u8> {
        ids.iter().map(|id| format!("{id}\n")).collect::<String>().into_bytes()
    };
    if !plan.stripped.is_empty() {
        files.push((text::STRIPPED, ids(&plan.stripped)));
    }
    if !plan.stripped_by_bfg.is_empty() {
        files.push((text::STRIPPED_BY_BFG, ids(&plan.stripped_by_bfg)));
    }
    files
}

/// A directory beside the one to be; it goes away unless it is kept.
fn draft(path: &Path) -> io::Result<tempfile::TempDir> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".stanch-plan-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o700));
    }
    builder.tempdir_in(parent(path))
}

fn write_file(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    let mut file = options.open(path)?;
    file.write_all(content)?;
    file.sync_all()
}

fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}
