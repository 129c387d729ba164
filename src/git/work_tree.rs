//! What lies in the working tree, and which line of which file makes git ignore it.

use std::fs;
use std::path::Path;

use bstr::{BStr, BString, ByteSlice, ByteVec};

use super::ignore::{Decision, IgnoreRules};
use super::{Fault, Repository};

/// Something that lies in the working tree.
#[derive(Clone, Debug)]
pub struct WorkEntry {
    /// Path relative to the working tree.
    pub path: BString,
    /// What it is; symbolic links are not followed.
    pub kind: WorkKind,
    /// The line that makes git ignore it, or a directory above it.
    pub ignored_by: Option<Decision>,
}

/// What lies there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WorkKind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A directory with a repository of its own.
    Repository,
    /// A symbolic link, socket, FIFO or device.
    Other,
}

impl Repository {
    /// Walks the working tree below `start` (empty for all of it), each directory in the order of names. `visit` says
    /// whether to go into a directory; `.git` and other repositories are never entered. Returns what could not be
    /// read.
    pub fn walk_work_tree(
        &self,
        rules: &mut IgnoreRules<'_>,
        start: &BStr,
        visit: &mut dyn FnMut(&WorkEntry) -> bool,
    ) -> Vec<Fault> {
        let mut faults = Vec::new();
        let Some(work_dir) = self.work_dir() else { return faults };
        let mut open = vec![start.to_owned()];
        while let Some(directory) = open.pop() {
            let place = work_dir.join(directory.to_path_lossy());
            let entries = match list(&place) {
                Ok(entries) => entries,
                Err(error) => {
                    let name = if directory.is_empty() { ".".into() } else { directory };
                    faults.push(Fault::new(name, format!("cannot be read: {error}")));
                    continue;
                }
            };
            let mut below = Vec::new();
            for (name, kind) in entries {
                if name == ".git" {
                    continue;
                }
                let path = match directory.is_empty() {
                    true => name,
                    false => [directory.as_slice(), b"/", &name].concat().into(),
                };
                let ignored_by = match kind {
                    WorkKind::Directory | WorkKind::Repository => rules.ignored_directory(path.as_bstr()),
                    WorkKind::File | WorkKind::Other => {
                        rules.decision(path.as_bstr()).filter(|decision| !decision.negated)
                    }
                };
                let entry = WorkEntry { path, kind, ignored_by };
                if visit(&entry) && kind == WorkKind::Directory {
                    below.push(entry.path);
                }
            }
            open.extend(below.into_iter().rev());
        }
        faults
    }
}

fn list(directory: &Path) -> std::io::Result<Vec<(BString, WorkKind)>> {
    let mut entries = Vec::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let file_type = entry.file_type()?;
        let kind = if file_type.is_dir() {
            match fs::symlink_metadata(entry.path().join(".git")) {
                Ok(_) => WorkKind::Repository,
                Err(_) => WorkKind::Directory,
            }
        } else if file_type.is_file() {
            WorkKind::File
        } else {
            WorkKind::Other
        };
        entries.push((Vec::from_os_str_lossy(&entry.file_name()).into_owned().into(), kind));
    }
    entries.sort_by(|(a, _): &(BString, WorkKind), (b, _)| a.cmp(b));
    Ok(entries)
}
