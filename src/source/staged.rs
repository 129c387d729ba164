//! What the next commit would add, as it stands in the index.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, TryLockError};

use bstr::{BStr, ByteSlice};

use super::parallel::share;
use super::text::as_text;
use super::{ContentUnit, Fresh, LineRange, MAX_BLOB_BYTES, NewVisitor, Source, Visitor, leave_out};
use crate::coverage::{Coverage, SkipReason};
use crate::git::diff::added_lines;
use crate::git::object::ObjectError;
use crate::git::staged::{StagedChange, StagedChanges, StagedError};
use crate::git::{OpenError, Repository};
use crate::location::Origin;
use crate::progress::Progress;

/// The files in the index that `HEAD` does not have, or has with other content.
///
/// Every blob is handed out whole, as it is stored and would be committed (no filter runs), with the lines
/// that the blob in `HEAD` does not have as its fresh ones. A file that only moved has none. The working
/// tree is not looked at; the index is neither written nor locked. How the index is found and compared is
/// told at [`Repository::staged_changes`].
pub struct Staged {
    start: PathBuf,
    /// The handle is for one thread; the others open their own.
    repository: Mutex<Repository>,
    changes: StagedChanges,
    max_blob_bytes: Option<u64>,
}

/// Why there is nothing to read.
#[derive(Debug, thiserror::Error)]
pub enum StagedSourceError {
    /// No repository.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// No comparison of index and `HEAD`.
    #[error(transparent)]
    Compare(#[from] StagedError),
}

impl Staged {
    /// Compares the index of the repository at or above `start`, or of the one that git's environment names.
    /// Blobs beyond `max_blob_bytes` are skipped and counted; without a limit one over 1 GiB is a problem.
    ///
    /// # Errors
    ///
    /// When there is no repository, or its index or `HEAD` cannot be read.
    pub fn open(start: &Path, max_blob_bytes: Option<u64>) -> Result<Self, StagedSourceError> {
        Ok(Self::new(Repository::open(start)?, max_blob_bytes)?)
    }

    /// The same for a repository that is open already, so that its configuration is read once.
    ///
    /// # Errors
    ///
    /// When the index or `HEAD` cannot be read.
    pub fn new(repository: Repository, max_blob_bytes: Option<u64>) -> Result<Self, StagedError> {
        let changes = repository.staged_changes()?;
        let start = repository.work_dir().unwrap_or_else(|| repository.git_dir()).to_path_buf();
        Ok(Self { start, repository: Mutex::new(repository), changes, max_blob_bytes })
    }

    /// Paths of the files and links that the commit would add, change or move, from the top of the working
    /// tree, sorted.
    pub fn paths(&self) -> impl ExactSizeIterator<Item = &BStr> {
        self.changes.changes.iter().map(|change| change.path.as_bstr())
    }

    fn read(
        &self,
        repository: &Repository,
        changes: &mut dyn Iterator<Item = &StagedChange>,
        new_visitor: &NewVisitor<'_>,
        progress: &Progress,
    ) -> Coverage {
        let mut coverage = Coverage::default();
        let mut visit = new_visitor.visitor();
        for change in changes {
            let bytes_before = coverage.bytes;
            if let Err(error) = self.read_change(repository, change, &mut coverage, &mut visit) {
                coverage.problem(change.path.clone(), error.to_string());
            }
            progress.file();
            progress.advance();
            progress.bytes(coverage.bytes - bytes_before);
        }
        coverage
    }

    fn read_change(
        &self,
        repository: &Repository,
        change: &StagedChange,
        coverage: &mut Coverage,
        visit: &mut Visitor<'_>,
    ) -> Result<(), ObjectError> {
        let len = repository.blob_bytes(change.id)?;
        if len > self.max_blob_bytes.unwrap_or(MAX_BLOB_BYTES) {
            leave_out(coverage, change.path.clone(), len, self.max_blob_bytes);
            return Ok(());
        }
        // Without the old content every line counts as new, so the new content is scanned in any case.
        let is_giant = |id| repository.blob_bytes(id).is_ok_and(|len| len > MAX_BLOB_BYTES);
        let old = match change.old.filter(|&old| old != change.id && !is_giant(old)) {
            Some(old) => repository.with_blob(old, |bytes| as_text(bytes).map(|text| text.into_owned())),
            None => Ok(None),
        };
        repository.with_blob(change.id, |bytes| {
            let Some(text) = as_text(bytes) else {
                coverage.skip(change.path.clone(), SkipReason::Binary);
                return;
            };
            coverage.files += 1;
            coverage.bytes += bytes.len() as u64;
            if change.old == Some(change.id) {
                return;
            }
            let lines: Option<Vec<LineRange>> = old
                .as_ref()
                .ok()
                .and_then(Option::as_ref)
                .and_then(|old| added_lines(old, &text))
                .map(|runs| {
                    runs.into_iter().map(|run| LineRange { first: *run.start(), last: *run.end() }).collect()
                });
            let fresh = match &lines {
                Some(lines) if lines.is_empty() => return,
                Some(lines) => Fresh::Lines(lines),
                None => Fresh::All,
            };
            visit(&ContentUnit {
                origin: &Origin::Staged,
                path: Some(change.path.as_bstr()),
                bytes: &text,
                first_line: 1,
                first_column: 1,
                first_byte: 0,
                fresh,
                derivation: None,
                note: None,
            });
        })?;
        old.map(|_| ())
    }
}

impl Source for Staged {
    fn drive<'s>(
        &'s self,
        threads: usize,
        new_visitor: &'s NewVisitor<'s>,
        progress: &'s Progress,
    ) -> Coverage {
        let changes = &self.changes.changes;
        progress.begin(changes.len() as u64);
        let mut coverage = share(changes, threads, |taken| {
            match self.repository.try_lock() {
                Ok(repository) => return self.read(&repository, taken, new_visitor, progress),
                // Reading cannot leave the handle in a state that matters to the next reader.
                Err(TryLockError::Poisoned(handle)) => {
                    return self.read(&handle.into_inner(), taken, new_visitor, progress);
                }
                Err(TryLockError::WouldBlock) => {}
            }
            match Repository::open(&self.start) {
                Ok(repository) => self.read(&repository, taken, new_visitor, progress),
                // The worker with the handle takes all there is, but something is wrong here.
                Err(error) => {
                    let mut coverage = Coverage::default();
                    coverage.problem(".", error.to_string());
                    coverage
                }
            }
        });
        for path in &self.changes.unmerged {
            coverage.problem(path.clone(), "has a merge conflict in the index: resolve it and `git add` it");
        }
        for path in &self.changes.submodules {
            coverage.skip(path.clone(), SkipReason::Submodule);
        }
        for (path, error) in &self.changes.unreadable {
            coverage.problem(path.clone(), error.to_string());
        }
        coverage.sort();
        coverage
    }

    fn parts(&self) -> Option<usize> {
        Some(self.changes.changes.len())
    }

    fn origin_of_files(&self) -> Option<Origin> {
        Some(Origin::Staged)
    }
}
