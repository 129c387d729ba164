//! What git ignores in a walk over directories, whoever walks them and in however many threads.
//!
//! `IgnoreRules` answers for one working tree and one thread. A walk may begin below a working tree, above several,
//! or in none, and must not take a file of rules that cannot be read for none: the line that takes a path back
//! would be lost, and with it the path. The walker of the `ignore` crate does so, stops at a line that is not
//! UTF-8, and knows no `core.excludesFile` of a repository.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bstr::{BString, ByteSlice, ByteVec};
use gix_ignore::glob::pattern::Case;

use super::ignore::{RuleHome, default_excludes, optional};
use super::rule_file::{RuleFile, is_absent, read_limited};
use super::{Fault, Repository};

/// The rules that count in one directory and, until one below brings its own, in those below.
pub struct WalkRules {
    /// `None` outside a repository, where nothing is ignored.
    top: Option<Arc<Top>>,
    /// How many bytes of a path from the top stand before what the rules are matched with.
    skipped_bytes: usize,
    own: Option<RuleFile>,
    above: Option<Arc<WalkRules>>,
}

/// The directory that holds `.git`.
struct Top {
    /// What stands before a path of the walk, relative to where the walk met this repository.
    prefix: BString,
    /// How many bytes of a path of the walk lead there.
    walked_bytes: usize,
    /// Highest precedence first: `info/exclude`, then the user's excludes.
    fixed: Vec<RuleFile>,
    case: Case,
}

impl WalkRules {
    /// The rules in the directory `walked` where a walk begins: those of the repository around it, if there is one.
    /// Returned besides is what could not be read.
    pub fn at_start(walked: &Path) -> (Arc<Self>, Vec<Fault>) {
        let mut faults = Vec::new();
        let nothing = Self { top: None, skipped_bytes: 0, own: None, above: None };
        let start = match walked.canonicalize() {
            Ok(start) => start,
            Err(error) => {
                faults.push(Fault::at(walked, format!("cannot be resolved: {error}")));
                return (Arc::new(nothing), faults);
            }
        };
        let Some(top) = start.ancestors().find(|dir| is_top(dir, &mut faults)) else {
            return (Arc::new(nothing), faults);
        };
        let mut prefix = slashes(start.strip_prefix(top).unwrap_or(&start));
        let below: Vec<BString> = prefix.split_str("/").map(BString::from).collect();
        if !prefix.is_empty() {
            prefix.push(b'/');
        }
        let walked_bytes = walked.as_os_str().len() + 1;
        let mut rules = Arc::new(Self::at_top(top, prefix, walked_bytes, &mut faults));
        let (mut place, mut bytes) = (top.to_path_buf(), 0);
        for name in below.iter().filter(|name| !name.is_empty()) {
            place.push(name.to_path_lossy());
            bytes += name.len() + 1;
            rules = rules.with_own(&place, bytes, &mut faults);
        }
        (rules, faults)
    }

    /// The rules in the directory `walked`, met in a directory where `self` counts.
    pub fn enter(self: &Arc<Self>, walked: &Path) -> (Arc<Self>, Vec<Fault>) {
        let mut faults = Vec::new();
        if is_top(walked, &mut faults) {
            let walked_bytes = walked.as_os_str().len() + 1;
            let rules = Self::at_top(walked, BString::default(), walked_bytes, &mut faults);
            return (Arc::new(rules), faults);
        }
        let Some(top) = &self.top else { return (Arc::clone(self), faults) };
        let bytes = top.prefix.len() + walked.as_os_str().len() + 1 - top.walked_bytes;
        (self.with_own(walked, bytes, &mut faults), faults)
    }

    /// Whether git ignores what lies at `walked`, in a directory where `self` counts and that is not ignored itself.
    pub fn ignores(&self, walked: &Path, is_dir: bool) -> bool {
        let Some(top) = &self.top else { return false };
        let below = &walked.as_os_str().as_encoded_bytes()[top.walked_bytes..];
        let mut path: BString;
        let path = if top.prefix.is_empty() && cfg!(not(windows)) {
            below.as_bstr()
        } else {
            path = top.prefix.clone();
            path.push_str(below);
            if cfg!(windows) {
                path = path.replace(b"\\", b"/").into();
            }
            path.as_bstr()
        };
        let mut rules = Some(self);
        while let Some(here) = rules {
            let below = path[here.skipped_bytes..].as_bstr();
            if let Some(negated) = here.own.as_ref().and_then(|own| own.negated(below, is_dir, top.case)) {
                return !negated;
            }
            rules = here.above.as_deref();
        }
        let decides = |file: &RuleFile| file.negated(path, is_dir, top.case);
        top.fixed.iter().find_map(decides).is_some_and(|negated| !negated)
    }

    fn at_top(place: &Path, prefix: BString, walked_bytes: usize, faults: &mut Vec<Fault>) -> Self {
        let known = Known::of(place, faults);
        let exclude = known.common_dir.map(|dir| (RuleHome::InfoExclude, dir.join("info").join("exclude")));
        let global = known.excludes.map(|path| (RuleHome::GlobalExcludes, path));
        let mut fixed = Vec::new();
        for (home, path) in exclude.into_iter().chain(global) {
            match read_limited(&path) {
                Ok(Some(content)) => {
                    fixed.push(RuleFile::parse(
                        home,
                        Vec::from_path_lossy(&path).into_owned().into(),
                        &content,
                    ));
                }
                Ok(None) => {}
                Err(error) => faults.push(unread(&path, &error)),
            }
        }
        let top = Top { prefix, walked_bytes, fixed, case: known.case };
        let own = read_gitignore(place, faults);
        Self { top: Some(Arc::new(top)), skipped_bytes: 0, own, above: None }
    }

    /// These, and before them those that stand in `place`, if any.
    fn with_own(self: &Arc<Self>, place: &Path, skipped_bytes: usize, faults: &mut Vec<Fault>) -> Arc<Self> {
        match read_gitignore(place, faults) {
            None => Arc::clone(self),
            own => {
                Arc::new(Self { top: self.top.clone(), skipped_bytes, own, above: Some(Arc::clone(self)) })
            }
        }
    }
}

/// What a repository says of its rules, or git's defaults where libgit2 opens none.
struct Known {
    common_dir: Option<PathBuf>,
    excludes: Option<PathBuf>,
    case: Case,
}

impl Known {
    fn of(place: &Path, faults: &mut Vec<Fault>) -> Self {
        let git = place.join(".git");
        let repository = Repository::at(place);
        let common_dir = match &repository {
            Ok(repository) => Some(repository.common_dir().to_path_buf()),
            Err(_) => git.is_dir().then(|| git.clone()),
        };
        let config = match repository {
            Ok(repository) => repository.config(),
            Err(error) if is_failure(&error) => Err(error),
            Err(_) => git2::Config::open_default().and_then(|mut config| config.snapshot()),
        };
        let mut known = Self { common_dir, excludes: None, case: Case::Sensitive };
        let asked = config.and_then(|config| {
            let folds = optional(config.get_bool("core.ignorecase"))?.unwrap_or(false);
            Ok((folds, optional(config.get_path("core.excludesfile"))?))
        });
        match asked {
            Ok((folds, excludes)) => {
                known.case = if folds { Case::Fold } else { Case::Sensitive };
                // Git resolves a relative path from where it runs, which is the top of the working tree.
                known.excludes = excludes.map(|path| place.join(path)).or_else(default_excludes);
            }
            Err(error) => {
                let message = format!("cannot tell what git ignores: {}", error.message());
                faults.push(Fault::at(&git, message));
            }
        }
        known
    }
}

/// Whether something failed, other than that libgit2 finds no repository that it would open.
fn is_failure(error: &git2::Error) -> bool {
    let is_refusal = matches!(error.code(), git2::ErrorCode::NotFound | git2::ErrorCode::Owner);
    !is_refusal && matches!(error.class(), git2::ErrorClass::Os | git2::ErrorClass::Config)
}

/// Whether a repository begins here; one of Jujutsu counts, too.
fn is_top(dir: &Path, faults: &mut Vec<Fault>) -> bool {
    [".git", ".jj"].iter().map(|name| dir.join(name)).any(|place| match place.metadata() {
        Ok(_) => true,
        Err(error) if is_absent(&error) || is_closed(dir, &error) => false,
        Err(error) => {
            faults.push(Fault::at(&place, format!("cannot tell whether a repository begins here: {error}")));
            false
        }
    })
}

/// Whether nothing in the directory can be reached, which whoever walks is told without us.
fn is_closed(dir: &Path, error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::PermissionDenied && dir.join(".").metadata().is_err()
}

/// Git follows no link here (gitignore(5), NOTES), and finds no lines in a directory of that name.
fn read_gitignore(dir: &Path, faults: &mut Vec<Fault>) -> Option<RuleFile> {
    let path = dir.join(".gitignore");
    let content = match path.symlink_metadata() {
        Ok(metadata) if metadata.is_symlink() || metadata.is_dir() => return None,
        Ok(_) => read_limited(&path),
        Err(error) if is_absent(&error) || is_closed(dir, &error) => return None,
        Err(error) => Err(error),
    };
    match content {
        Ok(content) => {
            let file = Vec::from_path_lossy(&path).into_owned();
            content.map(|content| RuleFile::parse(RuleHome::Gitignore, file.into(), &content))
        }
        Err(error) => {
            faults.push(unread(&path, &error));
            None
        }
    }
}

fn unread(path: &Path, error: &io::Error) -> Fault {
    Fault::at(path, format!("an ignore file cannot be read: {error}"))
}

fn slashes(path: &Path) -> BString {
    let bytes = path.as_os_str().as_encoded_bytes();
    if cfg!(windows) { bytes.replace(b"\\", b"/").into() } else { bytes.into() }
}
