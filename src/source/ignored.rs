//! What a walk of several threads leaves out since git ignores it.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use ignore::DirEntry;

use crate::git::{Fault, WalkRules};

/// The rules of the directories that a walk has met, each before what lies in it.
pub struct Ignored {
    directories: Mutex<HashMap<Vec<u8>, Arc<WalkRules>>>,
}

impl Ignored {
    /// For a walk that begins in a directory; returned besides is what could not be read.
    pub fn new(start: &Path) -> (Self, Vec<Fault>) {
        let (rules, faults) = WalkRules::at_start(start);
        let directories = HashMap::from([(start.as_os_str().as_encoded_bytes().to_vec(), rules)]);
        (Self { directories: Mutex::new(directories) }, faults)
    }

    /// What one thread looks with.
    pub fn look(&self) -> Look<'_> {
        Look { ignored: self, directory: Vec::new(), rules: None }
    }

    fn rules_in(&self, directory: &[u8]) -> Option<Arc<WalkRules>> {
        self.directories.lock().unwrap_or_else(PoisonError::into_inner).get(directory).cloned()
    }
}

/// One thread's look, which remembers the directory that it asked for last.
pub struct Look<'i> {
    ignored: &'i Ignored,
    directory: Vec<u8>,
    rules: Option<Arc<WalkRules>>,
}

impl Look<'_> {
    /// Whether git ignores the entry. A directory that it does not ignore is made known, and what of its rules
    /// could not be read is returned.
    pub fn at(&mut self, entry: &DirEntry) -> (bool, Vec<Fault>) {
        if entry.depth() == 0 {
            return (false, Vec::new());
        }
        let path = entry.path().as_os_str().as_encoded_bytes();
        let parent = &path[..path.len() - entry.file_name().len() - 1];
        if self.rules.is_none() || self.directory != parent {
            self.directory.clear();
            self.directory.extend_from_slice(parent);
            self.rules = self.ignored.rules_in(parent);
        }
        let rules = self.rules.as_ref().expect("the walker tells of a directory before what lies in it");
        let is_dir = entry.file_type().is_some_and(|file_type| file_type.is_dir());
        if rules.ignores(entry.path(), is_dir) {
            return (true, Vec::new());
        }
        if !is_dir {
            return (false, Vec::new());
        }
        let (below, faults) = rules.enter(entry.path());
        let mut directories = self.ignored.directories.lock().unwrap_or_else(PoisonError::into_inner);
        directories.insert(path.to_vec(), below);
        (false, faults)
    }
}
