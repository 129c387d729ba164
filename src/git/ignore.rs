//! Git's ignore rules, with the line that decides.
//!
//! libgit2 can say whether a path is ignored, but not why, and it is wrong where it matters here: it throws a
//! negation away that undoes nothing in its own file, so with `.env` in `.gitignore` and `!.env` in
//! `service/.gitignore` it calls `service/.env` ignored while git would commit it (`does_negate_rule` in its
//! `ignore.c`). The lines are therefore parsed and matched by `gix-ignore`, and this module does what git's
//! `last_matching_pattern` and `prep_exclude` in `dir.c` do with them: which files hold rules, in which order
//! they count, and that nothing below an ignored directory can be taken back. The integration tests compare
//! the answers with `git check-ignore`.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use bstr::{BStr, BString, ByteSlice};
use gix_ignore::glob::pattern::Case;

use super::Repository;
use super::rule_file::{RuleFile, is_absent, read_limited};
use super::tracked::TrackedFile;
use crate::location::ObjectId;

/// Which kind of file a rule stands in; it decides who is protected by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RuleHome {
    /// A `.gitignore` of the working tree: everybody who clones the repository has it.
    Gitignore,
    /// `info/exclude` of the git directory: this clone alone.
    InfoExclude,
    /// The file that `core.excludesFile` names, or its default: this user alone.
    GlobalExcludes,
}

/// The line that decides about a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Kind of file the line stands in.
    pub home: RuleHome,
    /// The file: relative to the working tree where it lies in it, absolute elsewhere.
    pub file: BString,
    /// Line number, 1-based.
    pub line: u64,
    /// The line without the spaces and the carriage return at its end.
    pub text: BString,
    /// Whether the line begins with `!` and so takes the path back: it is not ignored.
    pub negated: bool,
}

/// A file of ignore rules that could not be read, so no answer of [`IgnoreRules`] can be relied on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnreadableRules {
    /// The file: relative to the working tree where it lies in it, absolute elsewhere.
    pub file: BString,
    /// What went wrong.
    pub message: String,
}

/// Why no rules could be read at all.
#[derive(Debug, thiserror::Error)]
pub enum IgnoreError {
    /// Nothing is ignored where there is no working tree.
    #[error("the repository at {} is bare: it has no working tree and so no ignore rules", path.display())]
    Bare {
        /// The git directory.
        path: PathBuf,
    },
    /// The configuration is broken.
    #[error("cannot read the git configuration of {}: {message}", path.display())]
    Config {
        /// The git directory.
        path: PathBuf,
        /// What git2 says.
        message: String,
    },
}

/// Answers for one working tree. Files of rules are read when a path first needs them, and once.
pub struct IgnoreRules<'r> {
    repository: &'r Repository,
    work_dir: &'r Path,
    /// The `.gitignore` files that a sparse checkout left out of the working tree, with their blobs.
    left_out: HashMap<BString, ObjectId>,
    case: Case,
    appended: BString,
    /// Highest precedence first: `info/exclude`, then the user's excludes.
    fixed: Vec<RuleFile>,
    directories: HashMap<BString, Directory>,
    unreadable: Vec<UnreadableRules>,
    symlinks: Vec<BString>,
    not_text: Vec<BString>,
}

/// What is known of one directory.
#[derive(Default)]
struct Directory {
    /// The line that ignores it, or a directory above it, as a whole.
    ignored_by: Option<Decision>,
    /// Its own `.gitignore`.
    rules: Option<RuleFile>,
}

impl<'r> IgnoreRules<'r> {
    /// Prepares the rules of the working tree. `tracked` is the index: git takes a `.gitignore` from there that
    /// a sparse checkout left out of the working tree. `appended` is read as if it stood at the end of the root
    /// `.gitignore`: it answers what adding lines would change.
    ///
    /// # Errors
    ///
    /// When the repository is bare, or its configuration cannot be read. A file of rules that
    /// cannot be read is reported by [`IgnoreRules::unreadable`].
    pub fn new(
        repository: &'r Repository,
        tracked: &[TrackedFile],
        appended: &[u8],
    ) -> Result<Self, IgnoreError> {
        let git_dir = || repository.git_dir().to_path_buf();
        let work_dir = repository.work_dir().ok_or_else(|| IgnoreError::Bare { path: git_dir() })?;
        let config_error =
            |error: git2::Error| IgnoreError::Config { path: git_dir(), message: error.message().to_owned() };
        let config = repository.config().map_err(config_error)?;
        let fold = optional(config.get_bool("core.ignorecase")).map_err(config_error)?.unwrap_or(false);
        let excludes = optional(config.get_path("core.excludesfile")).map_err(config_error)?;
        let left_out = tracked.iter().filter(|file| file.left_out && is_gitignore(file.path.as_bstr()));
        let mut rules = Self {
            repository,
            work_dir,
            left_out: left_out.map(|file| (file.path.clone(), file.id)).collect(),
            case: if fold { Case::Fold } else { Case::Sensitive },
            appended: appended.into(),
            fixed: Vec::new(),
            directories: HashMap::new(),
            unreadable: Vec::new(),
            symlinks: Vec::new(),
            not_text: Vec::new(),
        };
        rules.read_fixed(RuleHome::InfoExclude, repository.common_dir().join("info").join("exclude"));
        // Git resolves a relative path from where it runs, which is the top of the working tree.
        if let Some(path) = excludes.map(|path| work_dir.join(path)).or_else(default_excludes) {
            rules.read_fixed(RuleHome::GlobalExcludes, path);
        }
        Ok(rules)
    }

    /// The line that decides whether git ignores the file `path`; `None` when no line matches.
    ///
    /// `path` is relative to the working tree, with `/` separators; nothing has to exist there. As with
    /// `git check-ignore --no-index`, it does not matter whether the file is tracked.
    pub fn decision(&mut self, path: &BStr) -> Option<Decision> {
        let parent = parent(path);
        self.enter(parent);
        match &self.directories[parent].ignored_by {
            Some(decision) => Some(decision.clone()),
            None => self.last_match(path, false),
        }
    }

    /// The line that ignores the directory `path`, or a directory above it, as a whole; `None` when files in it
    /// are looked at one by one.
    pub fn ignored_directory(&mut self, path: &BStr) -> Option<Decision> {
        self.enter(path);
        self.directories[path].ignored_by.clone()
    }

    /// The files of rules that could not be read so far.
    pub fn unreadable(&self) -> &[UnreadableRules] {
        &self.unreadable
    }

    /// The `.gitignore` files met so far that are symbolic links: git reads none of them (gitignore(5), NOTES).
    pub fn symlinks(&self) -> &[BString] {
        &self.symlinks
    }

    /// The `.gitignore` files met so far that hold NUL bytes: git reads each line up to the first of them, so
    /// UTF-16 comes to nothing.
    pub fn not_text(&self) -> &[BString] {
        &self.not_text
    }

    /// Learns about a directory and those above it, from the top down as git does.
    fn enter(&mut self, directory: &BStr) {
        if self.directories.contains_key(directory) {
            return;
        }
        let ignored_by = if directory.is_empty() {
            None
        } else {
            let parent = parent(directory);
            self.enter(parent);
            match &self.directories[parent].ignored_by {
                Some(decision) => Some(decision.clone()),
                None => self.last_match(directory, true).filter(|decision| !decision.negated),
            }
        };
        let rules = if ignored_by.is_none() { self.read_gitignore(directory) } else { None };
        self.directories.insert(directory.to_owned(), Directory { ignored_by, rules });
    }

    /// The last line that matches in the nearest file that has one.
    fn last_match(&self, path: &BStr, is_dir: bool) -> Option<Decision> {
        let mut directory = path;
        while !directory.is_empty() {
            directory = parent(directory);
            let rules = self.directories.get(directory).and_then(|known| known.rules.as_ref());
            let below = if directory.is_empty() { path } else { path[directory.len() + 1..].as_bstr() };
            if let Some(decision) = rules.and_then(|rules| rules.last_match(below, is_dir, self.case)) {
                return Some(decision);
            }
        }
        self.fixed.iter().find_map(|rules| rules.last_match(path, is_dir, self.case))
    }

    fn read_fixed(&mut self, home: RuleHome, path: PathBuf) {
        let file = shown(self.work_dir, &path);
        match read_limited(&path) {
            Ok(Some(content)) => self.fixed.push(RuleFile::parse(home, file, &content)),
            Ok(None) => {}
            Err(error) => self.unreadable.push(UnreadableRules { file, message: error.to_string() }),
        }
    }

    fn read_gitignore(&mut self, directory: &BStr) -> Option<RuleFile> {
        let mut file = directory.to_owned();
        if !file.is_empty() {
            file.push(b'/');
        }
        file.extend_from_slice(b".gitignore");
        let mut content = match self.gitignore_content(file.as_bstr()) {
            Ok(content) => content.unwrap_or_default(),
            Err(message) => {
                self.unreadable.push(UnreadableRules { file, message });
                return None;
            }
        };
        if content.contains(&0) {
            self.not_text.push(file.clone());
        }
        if directory.is_empty() && !self.appended.is_empty() {
            if !content.is_empty() && !content.ends_with(b"\n") {
                content.push(b'\n');
            }
            content.extend_from_slice(&self.appended);
        }
        (!content.is_empty()).then(|| RuleFile::parse(RuleHome::Gitignore, file, &content))
    }

    fn gitignore_content(&mut self, file: &BStr) -> Result<Option<Vec<u8>>, String> {
        let Ok(relative) = file.to_path() else {
            return Err("the path is not valid on this system".to_owned());
        };
        let path = self.work_dir.join(relative);
        match fs::symlink_metadata(&path) {
            Ok(metadata) if metadata.is_symlink() => {
                self.symlinks.push(file.to_owned());
                return Ok(None);
            }
            Ok(_) => {}
            Err(error) if is_absent(&error) => return self.left_out_content(file),
            Err(error) => return Err(error.to_string()),
        }
        read_limited(&path).map_err(|error| error.to_string())
    }

    fn left_out_content(&self, file: &BStr) -> Result<Option<Vec<u8>>, String> {
        let Some(&id) = self.left_out.get(file) else {
            return Ok(None);
        };
        let read = self.repository.with_blob(id, <[u8]>::to_vec);
        read.map(Some).map_err(|error| format!("left out by the sparse checkout, and {error}"))
    }
}

/// Where git looks for the user's excludes without `core.excludesFile` (gitignore(5)).
pub(super) fn default_excludes() -> Option<PathBuf> {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let config = set("XDG_CONFIG_HOME").or_else(|| Some(set("HOME")?.join(".config")))?;
    Some(config.join("git").join("ignore"))
}

pub(super) fn optional<T>(value: Result<T, git2::Error>) -> Result<Option<T>, git2::Error> {
    match value {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.code() == git2::ErrorCode::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn is_gitignore(path: &BStr) -> bool {
    path.strip_suffix(b".gitignore").is_some_and(|rest| rest.is_empty() || rest.ends_with(b"/"))
}

fn parent(path: &BStr) -> &BStr {
    path.rfind_byte(b'/').map_or(b"".as_bstr(), |slash| path[..slash].as_bstr())
}

fn shown(work_dir: &Path, path: &Path) -> BString {
    let path = path.strip_prefix(work_dir).unwrap_or(path);
    let shown =
        <[u8]>::from_path(path).map_or_else(|| path.to_string_lossy().into_owned().into(), BString::from);
    if cfg!(windows) { shown.replace(b"\\", b"/").into() } else { shown }
}
