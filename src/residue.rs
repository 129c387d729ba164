//! Whether a known value still stands somewhere: on disk, in the index, in the commit that is checked out.
//!
//! No rule decides here. The bytes are looked for as they are and in everything that decodes to them, so a filter
//! that would not believe in the value cannot hide it.

use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::Mutex;

use bstr::{BStr, BString, ByteSlice};
use memchr::memmem::Finder;

use crate::coverage::{Problem, SkipReason};
use crate::decode::{self, Limits, Scratch};
use crate::git::Repository;
use crate::location::ObjectId;
use crate::progress::Progress;
use crate::secret::Secret;
use crate::source::text::as_text;
use crate::source::worktree::{Worktree, WorktreeOptions};
use crate::source::{Searched, Source, Visitor};

/// Where the value stands, each file once, sorted; and what could not be looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Residue {
    /// Files that hold it.
    pub found: Vec<BString>,
    /// What could not be searched to its end.
    pub problems: Vec<Problem>,
    /// Number of files that were searched.
    pub searched: u64,
}

impl Residue {
    fn problem(&mut self, name: impl Into<BString>, message: impl Into<String>) {
        self.problems.push(Problem { name: name.into(), message: message.into() });
    }

    fn sorted(mut self) -> Self {
        self.found.sort();
        self.found.dedup();
        self.problems.sort();
        self
    }
}

/// What kind of file holds the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// A pipeline's definition.
    Ci,
    /// What a build made.
    Build,
    /// Everything else.
    Tree,
}

/// Tells pipelines and build output by their usual paths.
pub fn place_of(path: &BStr) -> Place {
    const CI_FILES: [&[u8]; 10] = [
        b".gitlab-ci.yml",
        b".gitlab-ci.yaml",
        b".travis.yml",
        b"azure-pipelines.yml",
        b"bitbucket-pipelines.yml",
        b"Jenkinsfile",
        b".drone.yml",
        b"appveyor.yml",
        b".woodpecker.yml",
        b"cloudbuild.yaml",
    ];
    const CI_DIRS: [&[u8]; 6] =
        [b".github", b".circleci", b".buildkite", b".gitlab", b".woodpecker", b".teamcity"];
    const BUILD_DIRS: [&[u8]; 11] = [
        b"dist",
        b"build",
        b"out",
        b".next",
        b".nuxt",
        b".output",
        b"target",
        b".svelte-kit",
        b".vercel",
        b".netlify",
        b"storybook-static",
    ];
    let parts: Vec<&[u8]> = path.split_str("/").collect();
    let (name, dirs) = parts.split_last().map_or((&b""[..], &[][..]), |(name, dirs)| (*name, dirs));
    if dirs.iter().any(|dir| BUILD_DIRS.contains(dir)) {
        Place::Build
    } else if CI_FILES.contains(&name) || dirs.iter().any(|dir| CI_DIRS.contains(dir)) {
        Place::Ci
    } else {
        Place::Tree
    }
}

/// Looks through files and directories, those that git ignores too. Files that are no text are searched as they are.
pub fn in_files(paths: Vec<PathBuf>, value: &Secret, threads: usize) -> Residue {
    let source = Worktree::new(paths, WorktreeOptions { respect_ignore: false, max_file_bytes: None });
    let residue = Mutex::new(Residue::default());
    let finder = Finder::new(value.reveal());
    let new_visitor = || -> Visitor<'_> {
        let (residue, finder) = (&residue, &finder);
        let mut scratch = Scratch::default();
        Box::new(move |unit| {
            let holds = holds(finder, unit.bytes, &mut scratch);
            let name = unit.path.unwrap_or_default();
            let mut residue = residue.lock().expect("nothing panics while it is held");
            match holds {
                Holds::Yes => residue.found.push(name.to_owned()),
                Holds::No => {}
                Holds::Unsure => residue.problem(name, TOO_MUCH),
            }
            Searched::NotClean
        })
    };
    let coverage = source.drive(threads, &new_visitor, &Progress::unwatched());
    let mut residue = residue.into_inner().expect("nothing panics while it is held");
    residue.searched = coverage.files;
    residue.problems.extend(coverage.problems);
    for skipped in coverage.skipped.iter().filter(|skipped| skipped.reason == SkipReason::Binary) {
        residue.searched += 1;
        match stream_holds(&skipped.name, &finder) {
            Ok(true) => residue.found.push(skipped.name.clone()),
            Ok(false) => {}
            Err(error) => residue.problem(skipped.name.clone(), format!("cannot be read: {error}")),
        }
    }
    residue.sorted()
}

/// Looks through the commit that is checked out.
pub fn in_tip(repository: &Repository, value: &Secret) -> Residue {
    match repository.tip_blobs() {
        Ok(blobs) => in_blobs(repository, blobs, value),
        Err(error) => failed("HEAD", &error.to_string()),
    }
}

/// Looks through the index: what the next commit will hold.
pub fn in_index(repository: &Repository, value: &Secret) -> Residue {
    use crate::git::index::EntryKind;
    match repository.tracked_files() {
        Ok(files) => {
            let files =
                files.into_iter().filter(|file| file.kind != EntryKind::Submodule && !file.intent_to_add);
            in_blobs(repository, files.map(|file| (file.path, file.id)).collect(), value)
        }
        Err(error) => failed("the index", &error.to_string()),
    }
}

fn failed(name: &str, message: &str) -> Residue {
    let mut residue = Residue::default();
    residue.problem(name, message);
    residue
}

fn in_blobs(repository: &Repository, blobs: Vec<(BString, ObjectId)>, value: &Secret) -> Residue {
    let finder = Finder::new(value.reveal());
    let (mut residue, mut scratch) = (Residue::default(), Scratch::default());
    for (path, id) in blobs {
        residue.searched += 1;
        let held = repository.with_blob(id, |bytes| match as_text(bytes) {
            Some(text) => holds(&finder, &text, &mut scratch),
            None if finder.find(bytes).is_some() => Holds::Yes,
            None => Holds::No,
        });
        match held {
            Ok(Holds::Yes) => residue.found.push(path),
            Ok(Holds::No) => {}
            Ok(Holds::Unsure) => residue.problem(path, TOO_MUCH),
            Err(error) => residue.problem(path, error.to_string()),
        }
    }
    residue.sorted()
}

const TOO_MUCH: &str = "holds more encoded data than is decoded; the value may be in what is left";

enum Holds {
    Yes,
    No,
    /// Not everything was decoded.
    Unsure,
}

fn holds(finder: &Finder<'_>, bytes: &[u8], scratch: &mut Scratch) -> Holds {
    let mut found = finder.find(bytes).is_some();
    if found {
        return Holds::Yes;
    }
    let outcome = decode::for_each_view(bytes, &Limits::default(), scratch, &mut |view| {
        found |= finder.find(&view.bytes).is_some();
    });
    match (found, outcome.complete) {
        (true, _) => Holds::Yes,
        (false, true) => Holds::No,
        (false, false) => Holds::Unsure,
    }
}

/// Reads in pieces that overlap by one byte less than the value.
fn stream_holds(path: &BString, finder: &Finder<'_>) -> io::Result<bool> {
    const PIECE: usize = 1 << 20;
    let mut file = File::open(path.to_path_lossy())?;
    let keep = finder.needle().len().saturating_sub(1);
    let mut buffer = Vec::with_capacity(PIECE + keep);
    loop {
        let read = (&mut file).take(PIECE as u64).read_to_end(&mut buffer)?;
        if finder.find(&buffer).is_some() {
            return Ok(true);
        }
        if read == 0 {
            return Ok(false);
        }
        buffer.drain(..buffer.len().saturating_sub(keep));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_told_by_their_paths() {
        for (path, place) in [
            (".github/workflows/ci.yml", Place::Ci),
            ("sub/.gitlab-ci.yml", Place::Ci),
            ("Jenkinsfile", Place::Ci),
            ("dist/app.js", Place::Build),
            ("web/.next/static/x.js.map", Place::Build),
            ("src/distance.rs", Place::Tree),
            ("build", Place::Tree),
        ] {
            assert_eq!(place_of(path.into()), place, "{path}");
        }
    }

    #[test]
    fn a_value_is_found_plain_encoded_and_across_pieces() {
        let dir = tempfile::tempdir().unwrap();
        let value = Secret::new(*b"correct-horse-battery-staple-1");
        let write = |name: &str, bytes: &[u8]| std::fs::write(dir.path().join(name), bytes).unwrap();
        write("plain", b"a=correct-horse-battery-staple-1\n");
        let encoded = data_encoding::BASE64.encode(b"token: correct-horse-battery-staple-1 and more text");
        write("encoded", format!("x: {encoded}\n").as_bytes());
        let mut binary = vec![0u8; (1 << 20) - 7];
        binary.extend_from_slice(value.reveal());
        write("binary", &binary);
        write("other", b"correct-horse-battery-staple-2\n");
        let residue = in_files(vec![dir.path().to_path_buf()], &value, 2);
        let names: Vec<String> = residue
            .found
            .iter()
            .map(|path| {
                path.rsplit_once_str("/").map_or(String::new(), |(_, name)| name.as_bstr().to_string())
            })
            .collect();
        assert_eq!(
            (names, residue.problems.len(), residue.searched),
            (vec!["binary".into(), "encoded".into(), "plain".into()], 0, 4)
        );
    }
}
