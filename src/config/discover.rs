//! Finds the configuration file of a place.

use std::io;
use std::path::{Path, PathBuf};

/// Name of the configuration file.
pub const FILE_NAME: &str = ".stanch.toml";

/// Looks for [`FILE_NAME`] in the directory of `start` and in those above it, up to the root of the repository
/// that holds `start`, or to the root of the file system outside a repository; where there is none, for the
/// file that gitleaks would find.
///
/// # Errors
///
/// When a directory cannot be asked, because a file that is there but cannot be seen must not be taken
/// for none.
pub fn discover(start: &Path) -> io::Result<Option<PathBuf>> {
    let ours = upwards(start, FILE_NAME)?;
    if ours.is_some() { Ok(ours) } else { upwards(start, super::GITLEAKS_FILE_NAME) }
}

fn upwards(start: &Path, name: &str) -> io::Result<Option<PathBuf>> {
    let start = resolved(start)?;
    for dir in start.ancestors() {
        let candidate = dir.join(name);
        if exists(&candidate)? {
            return Ok(Some(candidate));
        }
        if is_repository_root(dir)? {
            break;
        }
    }
    Ok(None)
}

/// The top of the working tree that holds `start`, or the directory of the bare repository.
///
/// # Errors
///
/// When a directory cannot be asked.
pub fn repository_root(start: &Path) -> io::Result<Option<PathBuf>> {
    for dir in resolved(start)?.ancestors() {
        if is_repository_root(dir)? {
            return Ok(Some(dir.to_path_buf()));
        }
    }
    Ok(None)
}

/// Without symbolic links and `..` where the place exists; where it does not, whoever reads it says so.
fn resolved(start: &Path) -> io::Result<PathBuf> {
    start.canonicalize().or_else(|error| match is_absence(&error) {
        true => std::path::absolute(start),
        false => Err(error),
    })
}

/// Whether `dir` is the top of a working tree or a bare repository.
fn is_repository_root(dir: &Path) -> io::Result<bool> {
    Ok(exists(&dir.join(".git"))?
        || (exists(&dir.join("HEAD"))? && exists(&dir.join("objects"))? && exists(&dir.join("refs"))?))
}

/// As [`Path::try_exists`], but a dangling link exists, and nothing lies below a plain file.
fn exists(path: &Path) -> io::Result<bool> {
    match path.symlink_metadata() {
        Ok(_) => Ok(true),
        Err(error) if is_absence(&error) => Ok(false),
        Err(error) => Err(error),
    }
}

fn is_absence(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn the_search_ends_at_the_repository_root() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        fs::create_dir_all(root.join("repo/.git")).unwrap();
        fs::create_dir_all(root.join("repo/src/deep")).unwrap();
        fs::write(root.join(FILE_NAME), "").unwrap();
        assert_eq!(discover(&root.join("repo/src/deep")).unwrap(), None);

        fs::write(root.join("repo").join(FILE_NAME), "").unwrap();
        let found = Some(root.join("repo").join(FILE_NAME));
        assert_eq!(discover(&root.join("repo/src/deep")).unwrap(), found);
        fs::write(root.join("repo/src/a.rs"), "").unwrap();
        assert_eq!(discover(&root.join("repo/src/a.rs")).unwrap(), found);
        assert_eq!(discover(&root.join("repo/src/deep/../no-such")).unwrap(), found);
    }

    #[test]
    fn the_root_is_found_from_below() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap().join("repo");
        fs::create_dir_all(root.join("src")).unwrap();
        fs::write(root.join(".git"), "gitdir: elsewhere").unwrap();
        assert_eq!(repository_root(&root.join("src")).unwrap(), Some(root.clone()));
        assert_eq!(repository_root(&root).unwrap(), Some(root));
    }

    #[test]
    fn a_bare_repository_is_a_root_too() {
        let dir = tempfile::tempdir().unwrap();
        let bare = dir.path().join("bare.git");
        for part in ["objects", "refs"] {
            fs::create_dir_all(bare.join(part)).unwrap();
        }
        fs::write(bare.join("HEAD"), "").unwrap();
        fs::write(dir.path().join(FILE_NAME), "").unwrap();
        assert_eq!(discover(&bare).unwrap(), None);
    }
}
