//! Why a scan does not read a file.

use std::fs;
use std::path::{Path, PathBuf};

use bstr::{BString, ByteSlice, ByteVec};
use serde::Serialize;

use crate::coverage::SkipReason;
use crate::git::ignore::{IgnoreError, IgnoreRules};
use crate::git::tracked::TrackedError;
use crate::git::{OpenError, Repository};

/// One reason why a file, or its content, is left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LeftOut {
    /// `binary`, `too-large`, `symlink`, `special-file`, `ignored` or `git-directory`.
    pub reason: &'static str,
    /// The reason in words.
    pub detail: String,
    /// Whether it is read all the same when it is named.
    pub is_read_when_named: bool,
}

impl LeftOut {
    pub(super) fn of(reason: SkipReason) -> Self {
        let detail = match reason {
            SkipReason::Binary => "it is binary: a zero byte stands among its first 8,000",
            SkipReason::TooLarge => "it is larger than the limit (`max_file_bytes`)",
            SkipReason::Special => "it is no regular file",
            other => other.name(),
        };
        Self { reason: reason.name(), detail: detail.to_owned(), is_read_when_named: false }
    }

    fn unless_named(reason: &'static str, detail: String) -> Self {
        Self { reason, detail, is_read_when_named: true }
    }
}

/// Why it cannot be told whether git ignores a file.
#[derive(Debug, thiserror::Error)]
pub enum ReadingError {
    /// The file system does not answer.
    #[error("cannot resolve {}: {source}", path.display())]
    Path {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The repository is broken.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The index is broken.
    #[error(transparent)]
    Tracked(#[from] TrackedError),
    /// The configuration of git is broken.
    #[error(transparent)]
    Ignore(#[from] IgnoreError),
    /// A file of ignore rules cannot be read.
    #[error("cannot read {file}: {message}")]
    Rules {
        /// The file.
        file: BString,
        /// What went wrong.
        message: String,
    },
}

/// Why the scan of a directory does not read a file in it, though it reads it when it is named.
///
/// # Errors
///
/// When the path, the repository or its ignore rules cannot be read.
pub fn left_out(path: &Path) -> Result<Vec<LeftOut>, ReadingError> {
    let resolved = |source| ReadingError::Path { path: path.to_path_buf(), source };
    let mut reasons = Vec::new();
    if fs::symlink_metadata(path).map_err(resolved)?.is_symlink() {
        let detail = "it is a symbolic link: its target is read where it lies".to_owned();
        reasons.push(LeftOut::unless_named("symlink", detail));
    }
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let parent = parent.canonicalize().map_err(resolved)?;
    let Some(name) = path.file_name() else { return Ok(reasons) };
    let place = parent.join(name);
    if place.components().any(|part| part.as_os_str() == ".git") {
        let detail = "it lies in a git directory, which no scan enters".to_owned();
        reasons.push(LeftOut::unless_named("git-directory", detail));
        return Ok(reasons);
    }
    let repository = match Repository::open(&parent) {
        Ok(repository) => repository,
        Err(OpenError::NotARepository { .. }) => return Ok(reasons),
        Err(error) => return Err(error.into()),
    };
    let work_dir = repository.work_dir().and_then(|dir| dir.canonicalize().ok());
    let below = work_dir.and_then(|dir| place.strip_prefix(dir).ok().map(Path::to_path_buf));
    let Some(below) = below else { return Ok(reasons) };
    let mut below: BString = Vec::from_path_lossy(&below).into_owned().into();
    if std::path::MAIN_SEPARATOR != '/' {
        below = below.replace([std::path::MAIN_SEPARATOR as u8], "/").into();
    }
    let tracked = repository.tracked_files()?;
    let mut rules = IgnoreRules::new(&repository, &tracked, b"")?;
    let decision = rules.decision(below.as_bstr()).filter(|decision| !decision.negated);
    if let Some(unreadable) = rules.unreadable().first() {
        let (file, message) = (unreadable.file.clone(), unreadable.message.clone());
        return Err(ReadingError::Rules { file, message });
    }
    if let Some(decision) = decision
        && !tracked.iter().any(|file| file.path == below)
    {
        let detail = format!("git ignores it: {}:{}: {}", decision.file, decision.line, decision.text);
        reasons.push(LeftOut::unless_named("ignored", detail));
    }
    Ok(reasons)
}
