//! Where the history starts: refs, checked-out commits, reflogs; and where it was cut off.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use bstr::{BStr, BString, ByteSlice, ByteVec};
use hashbrown::HashMap;

use super::database::object_id;
use super::{Fault, Repository};
use crate::location::{ObjectId, Reach};

/// One starting point.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Root {
    /// The ref, or the file of the reflog.
    pub name: BString,
    /// What kind it is.
    pub reach: Reach,
    /// The object, not peeled: a commit, an annotated tag, at times a tree or a blob.
    pub target: ObjectId,
}

/// All starting points of a repository.
#[derive(Clone, Debug, Default)]
pub struct Roots {
    /// Sorted from the most to the least exposed, no object twice with the same reach.
    pub list: Vec<Root>,
    /// The checked-out commit; `None` when there is none yet.
    pub head: Option<ObjectId>,
    /// How many refs there are.
    pub refs: u64,
    /// Refs and reflogs that could not be read.
    pub faults: Vec<Fault>,
}

impl Roots {
    /// Reads refs, the `HEAD` of every worktree and all reflogs.
    pub fn read(repository: &Repository) -> Self {
        let mut roots = Self::default();
        roots.read_heads(repository);
        roots.read_refs(repository);
        for dir in repository.worktree_dirs(&mut roots.faults) {
            roots.read_reflogs(&dir.join("logs"));
        }
        roots.sort();
        roots
    }

    /// Adds refs that are not there yet.
    pub fn add_coming(&mut self, coming: &[Root]) {
        self.list.extend_from_slice(coming);
        self.sort();
    }

    fn sort(&mut self) {
        self.list.sort_unstable_by(|a, b| (a.reach, &a.target, &a.name).cmp(&(b.reach, &b.target, &b.name)));
        self.list.dedup_by(|a, b| (a.reach, a.target) == (b.reach, b.target));
    }

    fn add(&mut self, name: impl Into<BString>, reach: Reach, target: ObjectId) {
        self.list.push(Root { name: name.into(), reach, target });
    }

    fn fault(&mut self, name: impl Into<BString>, message: impl Into<String>) {
        self.faults.push(Fault::new(name, message));
    }

    fn read_heads(&mut self, repository: &Repository) {
        match repository.inner.refname_to_id("HEAD") {
            Ok(target) => {
                self.head = Some(object_id(target));
                self.add("HEAD", Reach::Head, object_id(target));
            }
            // A branch without commits.
            Err(error) if error.code() == git2::ErrorCode::NotFound => {}
            Err(error) => {
                self.fault("HEAD", format!("cannot be read: {}: check it with `git fsck`", error.message()));
            }
        }
        // Another worktree's branch is a ref like any other; only a detached HEAD is news.
        for dir in repository.worktree_dirs(&mut self.faults) {
            let file = dir.join("HEAD");
            let name = BString::from(Vec::from_path_lossy(&file).into_owned());
            match fs::read(&file) {
                Ok(content) => {
                    if let Some(target) = content.trim().to_str().ok().and_then(|text| text.parse().ok()) {
                        if self.head != Some(target) {
                            self.add(name, Reach::OtherRef, target);
                        }
                    } else if !content.starts_with(b"ref:") {
                        self.fault(name, "is neither a ref nor an object name: check it with `git fsck`");
                    }
                }
                Err(error) => self.fault(name, format!("cannot be read: {error}")),
            }
        }
    }

    /// Reads the refs of all worktrees: one has a file of its own, which counts, or else a line of a common one
    /// (gitrepository-layout(5)). libgit2 would list them as well, but it sorts all lines anew, passes over files that
    /// hold no ref, and where it cannot read a directory it says nothing: on rails/rails, with 52,000 refs, that was a
    /// tenth of an audit that had nothing else to do.
    fn read_refs(&mut self, repository: &Repository) {
        // Git writes the line before it removes the file, so the files come first.
        let mut files = Vec::new();
        for dir in repository.worktree_dirs(&mut self.faults) {
            let is_shared = dir == repository.common_dir();
            for (name, file) in self.files_below(&dir, "refs") {
                if !name.ends_with(b".lock") {
                    files.extend(self.ref_file(&name, &file).map(|held| (name, held, is_shared)));
                }
            }
        }
        let lines = self.packed_refs(&repository.common_dir().join("packed-refs"));
        // A linked worktree has refs of its own beside the shared ones, and in the place of none.
        let shared = files.iter().filter(|(.., is_shared)| *is_shared);
        let by_name: HashMap<&BStr, &Held> = shared.map(|(name, held, _)| (name.as_bstr(), held)).collect();
        for (name, held, _) in &files {
            match held {
                Held::Object(target) => self.add_ref(name, *target),
                Held::Broken => {}
                Held::Ref(other) => {
                    self.refs += 1;
                    match resolve(repository, other.as_bstr(), &by_name, &lines) {
                        // A symbolic ref to a branch that is gone points nowhere, and nothing is lost by it.
                        Ok(target) => {
                            target
                                .into_iter()
                                .for_each(|target| self.add(name.clone(), reach_of(name.as_bstr()), target));
                        }
                        Err(why) => self.fault(name.clone(), format!("cannot read the ref: {why}")),
                    }
                }
            }
        }
        let unfiled = lines.iter().filter(|(name, _)| !by_name.contains_key(name.as_bstr()));
        unfiled.for_each(|(name, target)| self.add_ref(name, *target));
    }

    fn add_ref(&mut self, name: &BString, target: ObjectId) {
        self.refs += 1;
        self.add(name.clone(), reach_of(name.as_bstr()), target);
    }

    /// The refs of the file `packed-refs`: a line each, the name of the object before that of the ref; what a tag leads to
    /// stands in a line of its own behind `^`, and a header behind `#`.
    fn packed_refs(&mut self, file: &Path) -> Vec<(BString, ObjectId)> {
        let mut refs = Vec::new();
        let content = match fs::read(file) {
            Ok(content) => content,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return refs,
            Err(error) => {
                self.faults.push(Fault::at(file, format!("cannot be read: {error}")));
                return refs;
            }
        };
        for line in content.lines().filter(|line| !line.is_empty() && !b"#^".contains(&line[0])) {
            let parsed = line.split_once_str(" ").and_then(|(id, name)| {
                let target = id.to_str().ok()?.parse().ok()?;
                Some((BString::from(name), target))
            });
            let Some(parsed) = parsed else {
                let message = "a line is no ref: check it with `git fsck`, then run `git pack-refs --all`";
                self.faults.push(Fault::at(file, message.to_owned()));
                break;
            };
            refs.push(parsed);
        }
        refs
    }

    /// Reads the file of a ref; `None` if it is gone.
    fn ref_file(&mut self, name: &BString, file: &Path) -> Option<Held> {
        let broken = match fs::read(file) {
            Ok(content) => match content.strip_prefix(b"ref:") {
                Some(other) => return Some(Held::Ref(other.trim().into())),
                None => match content.trim().to_str().ok().and_then(|text| text.parse().ok()) {
                    Some(target) => return Some(Held::Object(target)),
                    None => {
                        "the ref is broken: see what it was in its reflog, then delete or reset it".to_owned()
                    }
                },
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
            Err(error) => format!("cannot read the ref: {error}"),
        };
        self.fault(name.clone(), broken);
        Some(Held::Broken)
    }

    fn read_reflogs(&mut self, dir: &Path) {
        for (name, file) in self.files_below(dir, "") {
            let content = match fs::read(&file) {
                Ok(content) => content,
                Err(error) => {
                    self.fault(name, format!("cannot read the reflog: {error}"));
                    continue;
                }
            };
            // The older entries of `git stash list` live in the reflog of the ref.
            let reach = if name == "refs/stash" { Reach::Stash } else { Reach::Reflog };
            for (number, line) in content.lines().enumerate().filter(|(_, line)| !line.is_empty()) {
                match reflog_line(line) {
                    Some([before, after]) => {
                        let label = format!("reflog of {name}");
                        // What was there before is a stash only where it is listed itself.
                        for (id, reach) in [(before, Reach::Reflog), (after, reach)] {
                            if id.as_raw().iter().any(|&byte| byte != 0) {
                                self.add(label.as_str(), reach, id);
                            }
                        }
                    }
                    None => self.fault(
                        Vec::from_path_lossy(&file).into_owned(),
                        format!(
                            "line {} of the reflog is broken: run `git reflog expire --stale-fix --all`",
                            number + 1
                        ),
                    ),
                }
            }
        }
    }

    /// Regular files below `base/dir`, by their name relative to `base`, in order.
    fn files_below(&mut self, base: &Path, dir: &str) -> Vec<(BString, PathBuf)> {
        let mut found = Vec::new();
        let mut waiting = vec![base.join(dir)];
        while let Some(dir) = waiting.pop() {
            let read = fs::read_dir(&dir).and_then(|listed| {
                for entry in listed {
                    let entry = entry?;
                    let path = entry.path();
                    if entry.file_type()?.is_dir() {
                        waiting.push(path);
                    } else {
                        found.push(path);
                    }
                }
                Ok(())
            });
            if let Err(error) = read
                && error.kind() != io::ErrorKind::NotFound
            {
                self.faults.push(Fault::at(&dir, format!("cannot list the directory: {error}")));
            }
        }
        let named = found.into_iter().map(|path| {
            let parts = path.strip_prefix(base).unwrap_or(&path).components();
            let names: Vec<Vec<u8>> =
                parts.map(|part| Vec::from_os_str_lossy(part.as_os_str()).into_owned()).collect();
            (BString::from(bstr::join("/", names)), path)
        });
        let mut named: Vec<_> = named.collect();
        named.sort_unstable();
        named
    }
}

impl Repository {
    /// The shared directory and the private one of every linked worktree: each has a `HEAD`, logs, refs.
    fn worktree_dirs(&self, faults: &mut Vec<Fault>) -> Vec<PathBuf> {
        let linked = self.common_dir().join("worktrees");
        let mut dirs = match fs::read_dir(&linked).and_then(|listed| {
            listed.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<Vec<_>>>()
        }) {
            Ok(dirs) => dirs,
            Err(error) => {
                if error.kind() != io::ErrorKind::NotFound {
                    faults.push(Fault::at(&linked, format!("cannot list the worktrees: {error}")));
                }
                Vec::new()
            }
        };
        // One that cannot be looked at stays, to be told when it is read.
        dirs.retain(|dir| dir.join("HEAD").try_exists().unwrap_or(true));
        dirs.push(self.common_dir().to_path_buf());
        dirs.sort_unstable();
        dirs
    }

    /// The commits at which a shallow clone ends: their parents were not fetched.
    ///
    /// # Errors
    ///
    /// When the file `shallow` is there and cannot be read.
    pub fn shallow_commits(&self) -> Result<HashSet<ObjectId>, Fault> {
        let file = self.common_dir().join("shallow");
        let content = match fs::read(&file) {
            Ok(content) => content,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(HashSet::new()),
            Err(error) => return Err(Fault::at(&file, format!("cannot be read: {error}"))),
        };
        content
            .lines()
            .filter(|line| !line.trim().is_empty())
            .map(|line| line.trim().to_str().ok().and_then(|text| text.parse().ok()))
            .collect::<Option<_>>()
            .ok_or_else(|| {
                Fault::at(&file, "holds something other than object names: run `git fetch --unshallow`")
            })
    }

    /// Whether objects may have been left out on purpose when the repository was cloned with `--filter`.
    pub fn is_partial_clone(&self) -> bool {
        let Ok(config) = self.config() else {
            return false;
        };
        let Ok(mut entries) = config.entries(Some(r"^(remote\..*\.promisor|extensions\.partialclone)$"))
        else {
            return false;
        };
        let mut is_partial = false;
        while let Some(Ok(entry)) = entries.next() {
            // A key without a value means true; libgit2's binding has no value to hand out then.
            is_partial |=
                !entry.has_value() || !entry.value().is_ok_and(|value| value.eq_ignore_ascii_case("false"));
        }
        is_partial
    }
}

impl Root {
    /// A ref by its full name.
    pub(super) fn of_ref(name: &BStr, target: ObjectId) -> Self {
        Self { name: name.to_owned(), reach: reach_of(name), target }
    }
}

/// What the file of a ref holds.
enum Held {
    Object(ObjectId),
    /// The name of another ref, which is what this one stands for.
    Ref(BString),
    /// Neither, of which there is a fault.
    Broken,
}

/// Git follows no more symbolic refs from one to the next (`SYMREF_MAXDEPTH` in its `refs.h`).
const MAX_REFS_TO_REFS: usize = 5;

/// What a name in a symbolic ref leads to; `None` if there is no such ref.
fn resolve(
    repository: &Repository,
    name: &BStr,
    files: &HashMap<&BStr, &Held>,
    lines: &[(BString, ObjectId)],
) -> Result<Option<ObjectId>, &'static str> {
    let mut name = name;
    for _ in 0..MAX_REFS_TO_REFS {
        match files.get(name) {
            Some(Held::Object(target)) => return Ok(Some(*target)),
            Some(Held::Ref(other)) => name = other.as_bstr(),
            Some(Held::Broken) => return Err("it stands for another one that is broken"),
            None => {
                let line = lines.iter().find(|(other, _)| other == name).map(|(_, target)| *target);
                // `HEAD` and the like lie beside the refs.
                let beside = || repository.inner.refname_to_id(name.to_str().ok()?).ok().map(object_id);
                return Ok(line.or_else(beside));
            }
        }
    }
    Err("it leads from one symbolic ref to the next: see `git symbolic-ref`, then delete or reset it")
}

/// What kind of ref a full name belongs to.
fn reach_of(name: &BStr) -> Reach {
    let kinds: [(&[u8], Reach); 4] = [
        (b"refs/heads/", Reach::Branch),
        (b"refs/remotes/", Reach::Remote),
        (b"refs/tags/", Reach::Tag),
        (b"refs/notes/", Reach::Notes),
    ];
    match kinds.iter().find(|(prefix, _)| name.starts_with(prefix)) {
        Some((_, reach)) => *reach,
        None if name == "refs/stash" => Reach::Stash,
        None => Reach::OtherRef,
    }
}

/// The old and the new object of a line of a reflog (gitformat: `<old> SP <new> SP <who> TAB <message>`).
fn reflog_line(line: &[u8]) -> Option<[ObjectId; 2]> {
    let mut words = line.splitn(3, |&byte| byte == b' ');
    let mut id = || words.next()?.to_str().ok()?.parse().ok();
    Some([id()?, id()?])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refs_are_labelled_by_their_full_name() {
        for (name, expected) in [
            ("refs/heads/main", Reach::Branch),
            ("refs/heads/refs/tags/odd", Reach::Branch),
            ("refs/remotes/origin/HEAD", Reach::Remote),
            ("refs/tags/v1", Reach::Tag),
            ("refs/notes/commits", Reach::Notes),
            ("refs/stash", Reach::Stash),
            ("refs/stashed", Reach::OtherRef),
            ("refs/pull/1/head", Reach::OtherRef),
        ] {
            assert_eq!(reach_of(name.into()), expected, "{name}");
        }
    }

    #[test]
    fn a_reflog_line_starts_with_two_objects() {
        let (old, new) = ("0".repeat(40), "12".repeat(20));
        let ids = reflog_line(format!("{old} {new} A <a@b> 1 +0000\tcommit: x").as_bytes()).unwrap();
        assert_eq!(ids.map(|id| id.to_string()), [old.clone(), new]);
        for bad in [String::new(), old.clone(), format!("{old} 12 A"), "\0".repeat(100)] {
            assert!(reflog_line(bad.as_bytes()).is_none());
        }
    }
}
