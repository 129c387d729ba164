//! Everything that names git2. Callers get small structs of our own.

mod attribution;
mod changes;
mod cursor;
mod damage;
mod database;
pub mod diff;
mod forest;
mod graph;
pub mod hooks;
mod identity;
pub mod ignore;
pub mod index;
mod inventory;
mod ledger;
mod listing;
pub mod message;
mod names;
pub mod object;
mod outline;
pub mod pack;
pub mod push;
mod quick;
mod range;
mod raw;
mod reach;
mod refs;
mod relevant;
mod rows;
mod rule_file;
pub mod staged;
mod stays;
mod store;
pub mod tip;
pub mod tracked;
mod trail;
mod tree_reader;
mod walk_rules;
pub mod work_tree;

use std::path::{Path, PathBuf};
use std::{fs, io};

use bstr::{BString, ByteVec};

pub use attribution::{Attributor, Known, Scope, commit_info};
pub use changes::Changes;
pub use damage::Damage;
pub use database::{Object, ObjectKind, ObjectReader, ReadError};
pub use identity::Identity;
pub use inventory::Inventory;
pub use ledger::Ledger;
pub use outline::{Base as OutlineBase, Change, Outline};
pub use range::{RevisionError, RevisionRange};
pub use raw::{Commit, Malformed, Tag, TreeEntries, TreeEntry};
pub use reach::{Reachable, links_of};
pub use refs::{Root, Roots};
pub use relevant::Relevant;
pub use rows::Rows;
pub use store::{Earlier, PackMark, Store};
pub use trail::{Pending, Trail};
pub use walk_rules::WalkRules;

use crate::location::ObjectId;

/// Something in a repository that is broken, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// Object name, ref or file.
    pub name: BString,
    /// What is wrong and what to do, without a final stop.
    pub message: String,
}

impl Fault {
    fn new(name: impl Into<BString>, message: impl Into<String>) -> Self {
        Self { name: name.into(), message: message.into() }
    }

    fn at(path: &Path, message: impl Into<String>) -> Self {
        Self::new(Vec::from_path_lossy(path).into_owned(), message)
    }
}

/// An open repository. Nothing in it is ever written, and nothing its config names is ever run.
pub struct Repository {
    inner: git2::Repository,
}

/// What libgit2 says of repositories that git reads and it does not, and what to do then.
fn with_way_out(message: &str) -> String {
    let ways_out = [
        (
            "extensions.compatobjectformat",
            "objects keep their names without it: make a copy of the directory, and in it \
             `git config --unset extensions.compatObjectFormat`",
        ),
        (
            "extensions.refstorage",
            "`git refs migrate --ref-format=files` stores the refs in a way that can be read, or `git clone` does \
             in a copy",
        ),
        ("not owned by", "where you trust it, `git config --global --add safe.directory DIRECTORY`"),
    ];
    match ways_out.iter().find(|(words, _)| message.contains(words)) {
        Some((_, way_out)) => format!("{message}; {way_out}"),
        None => message.to_owned(),
    }
}

/// What keeps a look at the place where a repository would be, at or above a directory.
fn hidden(start: &Path) -> Option<String> {
    let start = match start.canonicalize() {
        Ok(start) => start,
        Err(error) if is_absence(&error) => return None,
        Err(error) => return Some(error.to_string()),
    };
    start.ancestors().map(|dir| dir.join(".git")).find_map(|git| match git.symlink_metadata() {
        Err(error) if !is_absence(&error) => Some(format!("cannot look at {}: {error}", git.display())),
        _ => None,
    })
}

/// Why the configuration cannot be read, if so. libgit2 takes one that it may not read for none, and a repository whose
/// refs are not files, or whose objects have long names, for another one.
fn unread_config(common_dir: &Path) -> Option<String> {
    let path = common_dir.join("config");
    match fs::File::open(&path) {
        Err(error) if !is_absence(&error) => {
            Some(format!("cannot read the git configuration {}: {error}", path.display()))
        }
        _ => None,
    }
}

fn is_absence(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// Why a repository could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// There is none at or above the path.
    #[error("{} is not inside a git repository", path.display())]
    NotARepository {
        /// Where the search started.
        path: PathBuf,
    },
    /// There is one, but git2 refuses it.
    #[error("cannot open the git repository at {}: {message}", path.display())]
    Refused {
        /// Where the search started.
        path: PathBuf,
        /// What git2 says.
        message: String,
    },
}

impl Repository {
    /// Opens the repository that `GIT_DIR` and its kin name, as git sets them for hooks, or else the one
    /// at or above `start`.
    ///
    /// # Errors
    ///
    /// When there is no repository or git2 cannot read it.
    pub fn open(start: &Path) -> Result<Self, OpenError> {
        let open = || match std::env::var_os("GIT_DIR") {
            Some(_) => git2::Repository::open_from_env(),
            None => git2::Repository::discover(start),
        };
        // libgit2 takes a directory that it cannot look at for one without a repository.
        let opened = open().or_else(|error| match error.code() {
            git2::ErrorCode::NotFound => open(),
            _ => Err(error),
        });
        let inner = opened.map_err(|error| Self::open_error(start, &error))?;
        match unread_config(inner.commondir()) {
            Some(message) => Err(OpenError::Refused { path: start.to_path_buf(), message }),
            None => Ok(Self { inner }),
        }
    }

    /// Opens the one whose `.git` lies in `place`, whatever the environment names.
    fn at(place: &Path) -> Result<Self, git2::Error> {
        git2::Repository::open(place).map(|inner| Self { inner })
    }

    /// git's configuration as it is now. A question to one that is not a snapshot has libgit2 look at the files again,
    /// and where that fails it frees what it never set (`get_entry` in its `config.c`), which ends the process.
    fn config(&self) -> Result<git2::Config, git2::Error> {
        self.inner.config().and_then(|mut config| config.snapshot())
    }

    fn open_error(start: &Path, error: &git2::Error) -> OpenError {
        let path = start.to_path_buf();
        match error.code() {
            git2::ErrorCode::NotFound => match hidden(start) {
                Some(message) => OpenError::Refused { path, message },
                None => OpenError::NotARepository { path },
            },
            _ => OpenError::Refused { path, message: with_way_out(error.message()) },
        }
    }

    /// How many bytes the names of its objects have: 20 (SHA-1) or 32 (SHA-256).
    pub fn id_len(&self) -> usize {
        match self.inner.object_format() {
            git2::ObjectFormat::Sha1 => 20,
            git2::ObjectFormat::Sha256 => 32,
        }
    }

    /// A name as libgit2 has it. It would compare as many bytes as it expects and pass over the rest, so one of another
    /// length than all names here is the name of nothing.
    fn oid(&self, id: &ObjectId) -> Result<git2::Oid, git2::Error> {
        if id.as_raw().len() != self.id_len() {
            let message = format!("no object has a name of {} digits here", id.as_raw().len() * 2);
            return Err(git2::Error::new(git2::ErrorCode::NotFound, git2::ErrorClass::Odb, message));
        }
        git2::Oid::from_bytes(id.as_raw())
    }

    /// Directory of the working tree; `None` for a bare repository.
    pub fn work_dir(&self) -> Option<&Path> {
        self.inner.workdir()
    }

    /// The `.git` directory, or the one of this linked worktree.
    pub fn git_dir(&self) -> &Path {
        self.inner.path()
    }

    /// Who commits here, as git's configuration says: `Name <mail>`, or what there is of it.
    pub fn author(&self) -> Option<String> {
        let config = self.config().ok()?;
        let value = |variable: &str, key: &str| {
            let given = std::env::var(variable).ok().filter(|value| !value.trim().is_empty());
            given.or_else(|| config.get_string(key).ok())
        };
        let name = value("GIT_AUTHOR_NAME", "user.name");
        let email = value("GIT_AUTHOR_EMAIL", "user.email").map(|email| format!("<{email}>"));
        let parts: Vec<String> = name.into_iter().chain(email).collect();
        (!parts.is_empty()).then(|| parts.join(" "))
    }

    /// The directory shared by all worktrees, with the objects and the refs.
    pub fn common_dir(&self) -> &Path {
        self.inner.commondir()
    }
}
