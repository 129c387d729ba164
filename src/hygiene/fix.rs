//! Adds the missing lines to the root `.gitignore`.

use std::fs::{self, Permissions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::Report;
use crate::git::Repository;
use crate::git::tracked::TrackedError;

/// What [`fix()`] did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fixed {
    /// The file that holds the lines now.
    pub path: PathBuf,
    /// The lines that were added; empty when none was missing, and then nothing was written.
    pub added: Vec<String>,
}

/// Why the lines could not be added. The file is then as it was.
#[derive(Debug, thiserror::Error)]
pub enum FixError {
    /// There is no working tree to hold a `.gitignore`.
    #[error("the repository at {} is bare: it has no .gitignore to add lines to", path.display())]
    Bare {
        /// The git directory.
        path: PathBuf,
    },
    /// Git reads no linked `.gitignore`, and what the link points to may be shared.
    #[error("{} is a symbolic link, which git does not read; replace it with a file of its own", path.display())]
    Symlink {
        /// The link.
        path: PathBuf,
    },
    /// Something else stands where the file should be.
    #[error("{} is not a regular file; move it away", path.display())]
    NotAFile {
        /// What is there.
        path: PathBuf,
    },
    /// The file is UTF-16 or no text at all, and lines added to it would make it worse.
    #[error("{} holds NUL bytes, so git cannot read it as text; save it as UTF-8 first", path.display())]
    NotText {
        /// The file.
        path: PathBuf,
    },
    /// A sparse checkout left the file out; a new one would hide its lines.
    #[error("{} is left out by the sparse checkout; check it out first", path.display())]
    Sparse {
        /// The file.
        path: PathBuf,
    },
    /// Whether a sparse checkout left the file out cannot be told.
    #[error(transparent)]
    Tracked(#[from] TrackedError),
    /// Reading or writing failed.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

/// Appends the lines that the report misses to the root `.gitignore`, or makes the file.
///
/// What is in the file stays as it is, byte for byte, except that a last line without an end gets one. New
/// lines end as the last line does. The file is replaced as a whole, with the permissions that it had.
///
/// # Errors
///
/// When the file is nothing that lines can be added to, or reading or writing fails.
pub fn fix(repository: &Repository, report: &Report) -> Result<Fixed, FixError> {
    let work_dir =
        repository.work_dir().ok_or_else(|| FixError::Bare { path: repository.git_dir().to_path_buf() })?;
    let path = work_dir.join(".gitignore");
    let added = report.missing_lines.clone();
    if added.is_empty() {
        return Ok(Fixed { path, added });
    }
    let failed = |action| {
        let path = path.clone();
        move |source| FixError::Io { action, path, source }
    };
    let existing = match fs::symlink_metadata(&path) {
        Ok(metadata) if metadata.is_symlink() => return Err(FixError::Symlink { path }),
        Ok(metadata) if !metadata.is_file() => return Err(FixError::NotAFile { path }),
        Ok(metadata) => {
            let content = fs::read(&path).map_err(failed("read"))?;
            Some((content, metadata.permissions()))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(failed("read")(error)),
    };
    if existing.is_none() {
        let tracked = repository.tracked_files()?;
        if tracked.iter().any(|file| file.left_out && file.path == ".gitignore") {
            return Err(FixError::Sparse { path });
        }
    }
    let (content, permissions) = existing.map_or((Vec::new(), None), |(content, kept)| (content, Some(kept)));
    if content.contains(&0) {
        return Err(FixError::NotText { path });
    }
    replace(&path, &with_lines(&content, &added), permissions).map_err(failed("write"))?;
    Ok(Fixed { path, added })
}

/// Writes a file beside the old one and moves it into its place. Without permissions to keep it gets those of
/// any new file.
pub(super) fn replace(path: &Path, content: &[u8], permissions: Option<Permissions>) -> io::Result<()> {
    let mut file = new_file_beside(path)?;
    file.write_all(content)?;
    if let Some(permissions) = permissions {
        file.as_file().set_permissions(permissions)?;
    }
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

/// A temporary file in the directory of `path`, so that it can be moved there in one step.
pub(super) fn new_file_beside(path: &Path) -> io::Result<tempfile::NamedTempFile> {
    let directory = path.parent().ok_or_else(|| io::Error::other("the path has no directory"))?;
    let mut builder = tempfile::Builder::new();
    builder.prefix(".stanch-").suffix(".tmp");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // The umask takes away what the user does not give, as with any new file.
        builder.permissions(Permissions::from_mode(0o666));
    }
    builder.tempfile_in(directory)
}

fn with_lines(content: &[u8], lines: &[String]) -> Vec<u8> {
    let end = line_end(content);
    let mut out = content.to_vec();
    if !content.is_empty() && !content.ends_with(b"\n") {
        out.extend_from_slice(end);
    }
    for line in lines {
        out.extend_from_slice(line.as_bytes());
        out.extend_from_slice(end);
    }
    out
}

/// How the last line that has an end ends.
fn line_end(content: &[u8]) -> &'static [u8] {
    let last = memchr::memrchr(b'\n', content);
    let crlf = last.is_some_and(|at| at > 0 && content[at - 1] == b'\r');
    if crlf { b"\r\n" } else { b"\n" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_added_in_the_manner_of_the_file() {
        let lines = [".env".to_owned(), "*.pem".to_owned()];
        for (before, after) in [
            ("", ".env\n*.pem\n"),
            ("a\n", "a\n.env\n*.pem\n"),
            ("a", "a\n.env\n*.pem\n"),
            ("a\r\nb\r\n", "a\r\nb\r\n.env\r\n*.pem\r\n"),
            ("a\r\nb", "a\r\nb\r\n.env\r\n*.pem\r\n"),
            ("a\r\nb\n", "a\r\nb\n.env\n*.pem\n"),
            ("\n", "\n.env\n*.pem\n"),
            ("\u{feff}a\n\n\n", "\u{feff}a\n\n\n.env\n*.pem\n"),
        ] {
            assert_eq!(with_lines(before.as_bytes(), &lines), after.as_bytes(), "{before:?}");
        }
    }
}
