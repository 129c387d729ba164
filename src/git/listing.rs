//! The directories of the object database: which packs and loose objects lie there.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use bstr::{BString, ByteSlice, ByteVec};

use super::pack::PackIndex;
use super::store::PackMark;
use super::{Fault, Repository};
use crate::location::ObjectId;

#[derive(Default)]
pub(super) struct Listing {
    /// Length of a name in bytes.
    pub(super) id_len: usize,
    pub(super) packs: Vec<(PathBuf, PackIndex)>,
    pub(super) loose: Vec<ObjectId>,
    pub(super) faults: Vec<Fault>,
    /// Packs that need not be listed.
    pub(super) marks: Vec<PackMark>,
    /// Those of them that are there.
    pub(super) known: Vec<(PackMark, PathBuf, PackIndex)>,
    /// Whether the indexes are taken as they are, without a list of their entries.
    pub(super) is_unread: bool,
    /// Whether a listed pack is there no more.
    pub(super) is_gone: bool,
}

impl Listing {
    /// How often packs that come and go are listed again.
    pub(super) const TURNS: usize = 5;

    /// Of nothing yet.
    pub(super) fn new(repository: &Repository) -> Self {
        Self { id_len: repository.id_len(), ..Self::default() }
    }

    pub(super) fn of(repository: &Repository) -> Self {
        let mut listing = Self::new(repository);
        listing.fill(repository);
        listing
    }

    /// Lists what is there. While git repacks, an object moves: it is in its new place before it leaves the old one, but
    /// who looks at the new place before and at the old one after finds it in neither. So everything is listed again
    /// when packs came or went meanwhile.
    pub(super) fn fill(&mut self, repository: &Repository) {
        for _ in 0..Self::TURNS {
            self.packs.clear();
            self.loose.clear();
            self.known.clear();
            self.faults.clear();
            let dirs = repository.object_dirs(&mut self.faults);
            let mut seen = Vec::new();
            for dir in &dirs {
                seen.push(self.packs(&dir.join("pack")));
                self.loose(dir);
            }
            // What cannot be listed has been told.
            let told = self.faults.len();
            let now: Vec<_> = dirs.iter().map(|dir| indexes_of(&self.entries(&dir.join("pack")))).collect();
            self.faults.truncate(told);
            if now == seen {
                return;
            }
        }
        self.faults.push(Fault::new(
            "objects/pack",
            "packs come and go too fast to be listed: wait until git has finished, then run again",
        ));
    }

    pub(super) fn fill_packs(&mut self, repository: &Repository) {
        for dir in repository.object_dirs(&mut self.faults) {
            self.packs(&dir.join("pack"));
        }
    }

    /// The names, pack by pack but for one, then loose.
    pub(super) fn names(&self, but: Option<usize>) -> impl Iterator<Item = &[u8]> {
        let packs = (0..).zip(&self.packs).filter(move |(pack, _)| Some(*pack) != but);
        let packed = packs.flat_map(|(_, (_, index))| (0..index.len() as u32).map(|entry| index.raw(entry)));
        packed.chain(self.loose.iter().map(ObjectId::as_raw))
    }

    pub(super) fn fault(&mut self, path: &Path, message: impl Into<String>) {
        self.faults.push(Fault::at(path, message));
    }

    /// The entries of a directory by name; none if there is no such directory.
    fn entries(&mut self, dir: &Path) -> Vec<(BString, PathBuf)> {
        let mut entries = Vec::new();
        let read = fs::read_dir(dir).and_then(|listed| {
            for entry in listed {
                let entry = entry?;
                let name = Vec::from_os_string(entry.file_name()).unwrap_or_default();
                entries.push((BString::from(name), entry.path()));
            }
            Ok(())
        });
        if let Err(error) = read
            && error.kind() != io::ErrorKind::NotFound
        {
            self.fault(dir, format!("cannot list the objects: {error}"));
        }
        entries.sort_unstable();
        entries
    }

    /// Reads the indexes of packs, and says which there are.
    pub(super) fn packs(&mut self, dir: &Path) -> HashSet<BString> {
        let entries = self.entries(dir);
        let (packs, indexes) = (with_ending(&entries, b".pack"), indexes_of(&entries));
        for (name, path) in &entries {
            if let Some(stem) = name.strip_suffix(b".pack")
                && !indexes.contains(stem.as_bstr())
                && stem.starts_with(b"pack-")
            {
                let index = path.with_extension("idx");
                if appears(&index) {
                    self.pack_index(&index);
                } else if path.exists() {
                    self.fault(path, "the pack has no index: run `git index-pack` on it");
                }
            } else if let Some(stem) = name.strip_suffix(b".idx") {
                if packs.contains(stem.as_bstr()) {
                    self.pack_index(path);
                } else {
                    self.fault(path, "the pack of this index is missing: fetch it again or remove the index");
                }
            }
        }
        indexes
    }

    fn pack_index(&mut self, path: &Path) {
        let pack = path.with_extension("pack");
        let listed = PackIndex::map(path, self.id_len).and_then(|index| {
            if self.is_unread {
                self.packs.push((pack, index));
            } else if let Some(mark) = self.mark(&pack, &index) {
                self.known.push((mark, pack, index));
            } else {
                self.packs.push((pack, index.read_whole()?));
            }
            Ok(())
        });
        if let Err(error) = listed {
            self.fault(path, error.to_string());
        }
    }

    /// The mark of a pack that need not be listed.
    fn mark(&self, pack: &Path, index: &PackIndex) -> Option<PackMark> {
        let mark = self.marks.iter().find(|mark| mark.index == index.checksum_of_all())?;
        let len_bytes = fs::metadata(pack).ok()?.len();
        (len_bytes == mark.len_bytes).then_some(*mark)
    }

    pub(super) fn loose(&mut self, dir: &Path) {
        for (fan, path) in self.entries(dir) {
            if fan.len() != 2 || !fan.iter().all(u8::is_ascii_hexdigit) {
                continue;
            }
            for (rest, _) in self.entries(&path) {
                // Anything else there is a temporary file of a writer.
                if fan.len() + rest.len() == self.id_len * 2
                    && let Ok(digits) = [&fan[..], &rest[..]].concat().to_str()
                    && let Ok(id) = digits.parse()
                {
                    self.loose.push(id);
                }
            }
        }
    }
}

/// What the names of the pack indexes begin with.
fn indexes_of(entries: &[(BString, PathBuf)]) -> HashSet<BString> {
    with_ending(entries, b".idx")
}

fn with_ending(entries: &[(BString, PathBuf)], ending: &[u8]) -> HashSet<BString> {
    entries.iter().filter_map(|(name, _)| name.strip_suffix(ending)).map(BString::from).collect()
}

/// Whether a file is there before long: git puts a new pack in place first and its index right after.
fn appears(path: &Path) -> bool {
    (0..10).any(|turn| {
        if turn > 0 {
            thread::sleep(Duration::from_millis(50));
        }
        path.exists()
    })
}

impl Repository {
    /// The directories that hold objects: the repository's own, then its alternates
    /// (gitrepository-layout(5), `objects/info/alternates`).
    pub(super) fn object_dirs(&self, faults: &mut Vec<Fault>) -> Vec<PathBuf> {
        // The same variables that libgit2 honours, under the same condition as in `open`.
        let variable = |name| std::env::var_os(name).filter(|_| std::env::var_os("GIT_DIR").is_some());
        let own =
            variable("GIT_OBJECT_DIRECTORY").map_or_else(|| self.common_dir().join("objects"), PathBuf::from);
        let mut waiting = vec![own];
        if let Some(more) = variable("GIT_ALTERNATE_OBJECT_DIRECTORIES") {
            waiting.extend(std::env::split_paths(&more).filter(|path| !path.as_os_str().is_empty()));
        }
        waiting.reverse();
        let mut seen = HashSet::new();
        let mut dirs = Vec::new();
        while let Some(dir) = waiting.pop() {
            match dir.canonicalize() {
                Ok(real) if !seen.insert(real.clone()) => continue,
                Ok(_) => {}
                Err(error) => {
                    faults.push(Fault::at(&dir, format!("cannot open the object directory: {error}")));
                    continue;
                }
            }
            let list = dir.join("info").join("alternates");
            match fs::read(&list) {
                Ok(lines) => waiting.extend(lines.lines().rev().filter_map(|line| alternate(&dir, line))),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => faults.push(Fault::at(&list, format!("cannot read the alternates: {error}"))),
            }
            dirs.push(dir);
        }
        dirs
    }
}

fn alternate(dir: &Path, line: &[u8]) -> Option<PathBuf> {
    let line = line.trim_end();
    if line.is_empty() || line.starts_with(b"#") {
        return None;
    }
    // A relative line is relative to the object directory; `join` keeps an absolute one as it is.
    line.to_path().ok().map(|path| dir.join(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alternates_are_relative_to_the_object_directory() {
        let dir = Path::new("/repo/objects");
        for (line, expected) in [
            ("../other/objects", Some("/repo/objects/../other/objects")),
            ("/else/objects\r", Some("/else/objects")),
            ("# a comment", None),
            ("", None),
        ] {
            assert_eq!(alternate(dir, line.as_bytes()), expected.map(PathBuf::from), "{line}");
        }
    }
}
