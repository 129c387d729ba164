//! Files as they are on disk.

use std::collections::HashSet;
use std::fs::{self, File, FileType, Metadata};
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::mpsc;

use bstr::{BString, ByteSlice, ByteVec};
use ignore::{WalkBuilder, WalkState};

use super::ignored::Ignored;
use super::parallel::share;
use super::window::{ReadOutcome, Window, WindowReader, news_bytes};
use super::{ContentUnit, Fresh, NewVisitor, Source};
use crate::coverage::{Coverage, SkipReason};
use crate::git::index::{self, EntryKind};
use crate::location::Origin;
use crate::progress::Progress;

/// Files and directories of the file system.
///
/// - A directory is walked; hidden files are read, a `.git` in it never is. Symbolic links are not
///   followed: what they lead to is read where it lies, if that is inside.
/// - Inside a git repository, files that git ignores are left out, but for those that are tracked all the
///   same: they are committed like others. Ignore files mean nothing outside a repository, as with git.
/// - What is named on the command line is read even when it is ignored or a symbolic link.
/// - A file reached by several paths is read once, under the path given first.
/// - FIFOs, sockets and devices are never opened.
pub struct Worktree {
    paths: Vec<PathBuf>,
    options: WorktreeOptions,
}

/// What to leave out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorktreeOptions {
    /// Whether to leave out what git ignores.
    pub respect_ignore: bool,
    /// Larger files are skipped and counted; `None` reads files of any size.
    pub max_file_bytes: Option<u64>,
}

impl Default for WorktreeOptions {
    fn default() -> Self {
        Self { respect_ignore: true, max_file_bytes: None }
    }
}

impl Worktree {
    /// Reads these files and directories, or the current directory when there are none.
    pub fn new(paths: Vec<PathBuf>, options: WorktreeOptions) -> Self {
        let paths = if paths.is_empty() { vec![PathBuf::from(".")] } else { paths };
        Self { paths, options }
    }

    /// All files to read, each once, those of a directory together.
    fn list(&self, threads: usize, coverage: &mut Coverage) -> Vec<PathBuf> {
        let mut files = Vec::new();
        for path in &self.paths {
            // Follows a link, since it was named.
            match fs::metadata(path) {
                Ok(metadata) if metadata.is_dir() => {
                    let mut below = self.walk(path, threads, coverage);
                    if self.options.respect_ignore {
                        add_tracked(path, &mut below, coverage);
                    }
                    files.append(&mut below);
                }
                Ok(metadata) if metadata.is_file() => files.push(path.clone()),
                Ok(_) => coverage.skip(reported(path), SkipReason::Special),
                Err(error) => coverage.problem(reported(path), format!("cannot be read: {error}")),
            }
        }
        if self.paths.len() > 1 {
            remove_repeated(&mut files, coverage);
        }
        sort(&mut files);
        files
    }

    fn walk(&self, root: &Path, threads: usize, coverage: &mut Coverage) -> Vec<PathBuf> {
        // `.` behind it makes the walker enter a named link, and keeps `-` from meaning standard input.
        let start = root.join(".");
        let walker = WalkBuilder::new(&start)
            .standard_filters(false)
            .follow_links(false)
            .threads(threads.max(1))
            .filter_entry(|entry| entry.depth() == 0 || entry.file_name() != ".git")
            .build_parallel();
        let ignored = self.options.respect_ignore.then(|| {
            let (ignored, faults) = Ignored::new(&start);
            for fault in faults {
                coverage.problem(reported(&fault.name.to_path_lossy()), fault.message);
            }
            ignored
        });
        let (sender, receiver) = mpsc::channel();
        walker.run(|| {
            let sender = sender.clone();
            let mut ignored = ignored.as_ref().map(Ignored::look);
            Box::new(move |entry| {
                if let (Ok(entry), Some(ignored)) = (&entry, &mut ignored) {
                    let (is_ignored, faults) = ignored.at(entry);
                    for fault in faults {
                        let path = fault.name.to_path_lossy().into_owned();
                        let _ = sender.send(Walked::Problem(Some(path), fault.message));
                    }
                    if is_ignored {
                        return WalkState::Skip;
                    }
                }
                // The receiver outlives the walk.
                let _ = sender.send(Walked::new(entry));
                WalkState::Continue
            })
        });
        drop(sender);
        let mut files = Vec::new();
        for walked in receiver {
            match walked {
                Walked::File(path) => files.push(path),
                Walked::Nothing => {}
                Walked::Skipped(path, reason) => coverage.skip(reported(&path), reason),
                Walked::Problem(path, message) => {
                    coverage.problem(reported(path.as_deref().unwrap_or(root)), message);
                }
            }
        }
        files
    }

    fn read(
        &self,
        files: &mut dyn Iterator<Item = &PathBuf>,
        new_visitor: &NewVisitor<'_>,
        progress: &Progress,
    ) -> Coverage {
        let mut coverage = Coverage::default();
        let mut visit = new_visitor.visitor();
        let mut reader = WindowReader::new();
        for path in files {
            let name = reported(path);
            let named = ContentUnit {
                origin: &Origin::File,
                path: Some(name.as_bstr()),
                bytes: &[],
                first_line: 1,
                first_column: 1,
                first_byte: 0,
                fresh: Fresh::All,
                derivation: None,
                note: None,
            };
            let outcome = self.open(path).and_then(|(mut file, metadata)| {
                if self.options.max_file_bytes.is_some_and(|limit| metadata.len() > limit) {
                    return Ok(None);
                }
                let mut end_byte = 0;
                let mut each = |window: Window<'_>| {
                    let unit = window.unit(&named);
                    progress.bytes(news_bytes(&unit, &mut end_byte));
                    visit(&unit);
                };
                reader.read(&mut file, metadata.len(), &mut each).map(Some)
            });
            progress.file();
            progress.advance();
            match outcome {
                Ok(Some(ReadOutcome::Text { bytes })) => {
                    coverage.files += 1;
                    coverage.bytes += bytes;
                }
                Ok(Some(ReadOutcome::Binary)) => coverage.skip(name, SkipReason::Binary),
                Ok(None) => coverage.skip(name, SkipReason::TooLarge),
                Err(error) => coverage.problem(name, format!("cannot be read: {error}")),
            }
        }
        coverage
    }

    fn open(&self, path: &Path) -> io::Result<(File, Metadata)> {
        let file = File::open(path)?;
        let metadata = file.metadata()?;
        Ok((file, metadata))
    }
}

impl Source for Worktree {
    fn drive<'s>(
        &'s self,
        threads: usize,
        new_visitor: &'s NewVisitor<'s>,
        progress: &'s Progress,
    ) -> Coverage {
        let mut coverage = Coverage::default();
        let files = self.list(threads, &mut coverage);
        progress.begin(files.len() as u64);
        coverage.merge(share(&files, threads, |taken| self.read(taken, new_visitor, progress)));
        coverage.sort();
        coverage
    }

    fn origin_of_files(&self) -> Option<Origin> {
        Some(Origin::File)
    }
}

/// What the walker says of an entry.
enum Walked {
    File(PathBuf),
    /// A directory, whose entries come by themselves.
    Nothing,
    Skipped(PathBuf, SkipReason),
    Problem(Option<PathBuf>, String),
}

impl Walked {
    fn new(entry: Result<ignore::DirEntry, ignore::Error>) -> Self {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                let path = error_path(&error).map(Path::to_path_buf);
                let message = match error.io_error() {
                    Some(error) => error.to_string(),
                    None => error.to_string(),
                };
                return Walked::Problem(path, format!("cannot be read: {message}"));
            }
        };
        let is = |test: fn(&FileType) -> bool| entry.file_type().as_ref().is_some_and(test);
        if is(FileType::is_file) {
            Walked::File(entry.into_path())
        } else if is(FileType::is_dir) {
            Walked::Nothing
        } else if is(FileType::is_symlink) {
            Walked::Skipped(entry.into_path(), SkipReason::Symlink)
        } else {
            Walked::Skipped(entry.into_path(), SkipReason::Special)
        }
    }
}

fn error_path(error: &ignore::Error) -> Option<&Path> {
    match error {
        ignore::Error::WithPath { path, .. } => Some(path),
        ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => error_path(err),
        ignore::Error::Partial(errors) => errors.iter().find_map(error_path),
        _ => None,
    }
}

/// Adds the files below `root` that are tracked but not among `files`, because an ignore rule names them.
fn add_tracked(root: &Path, files: &mut Vec<PathBuf>, coverage: &mut Coverage) {
    let tracked = match index::find_tracked(root) {
        Ok(Some(tracked)) => tracked,
        Ok(None) => return,
        Err(error) => {
            coverage.problem(reported(root), format!("cannot tell tracked files from ignored ones: {error}"));
            return;
        }
    };
    let prefix = reported_below(&tracked.path_in_work_dir);
    let walked: HashSet<BString> = files.iter().map(|file| reported(file)).collect();
    for entry in tracked.index.entries().filter(|entry| entry.kind == EntryKind::File) {
        let Some(below) = entry.path.strip_prefix(prefix.as_slice()) else { continue };
        let path = root.join(below.to_path_lossy());
        if walked.contains(&reported(&path)) {
            continue;
        }
        // Deleted, replaced by something else, or behind a directory that is now a link.
        let is_file = fs::symlink_metadata(&path).map(|metadata| metadata.is_file());
        let in_place = || -> io::Result<bool> {
            let Some(parent) = path.parent() else { return Ok(false) };
            let parent = parent.canonicalize()?;
            Ok(Some(parent.as_path()) == tracked.root.join(below.to_path_lossy()).parent())
        };
        match is_file.and_then(|is_file| Ok(is_file && in_place()?)) {
            Ok(true) => files.push(path),
            Ok(false) => {}
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {}
            Err(error) => coverage.problem(reported(&path), format!("cannot be read: {error}")),
        }
    }
    // An unresolved conflict lists a path up to three times.
    sort(files);
    files.dedup();
}

/// Puts them in the order of their bytes: comparing paths part by part took 4 % of a scan.
fn sort(files: &mut [PathBuf]) {
    files.sort_unstable_by(|one, other| one.as_os_str().cmp(other.as_os_str()));
}

/// Keeps the first of the paths that lead to the same file.
fn remove_repeated(files: &mut Vec<PathBuf>, coverage: &mut Coverage) {
    let mut seen = HashSet::new();
    files.retain(|file| match file.canonicalize() {
        Ok(place) => seen.insert(place),
        Err(error) => {
            coverage.problem(reported(file), format!("cannot be read: {error}"));
            false
        }
    });
}

/// The path as it is reported: as typed, with `/` between the parts and without `.` parts.
fn reported(path: &Path) -> BString {
    let mut name = Vec::new();
    for part in path.components() {
        match part {
            Component::CurDir => continue,
            Component::RootDir => name.push(b'/'),
            part => {
                if name.last().is_some_and(|&last| last != b'/') {
                    name.push(b'/');
                }
                name.push_str(Vec::from_os_str_lossy(part.as_os_str()));
            }
        }
    }
    if name.is_empty() {
        name.push(b'.');
    }
    name.into()
}

/// The path of a directory as the start of the paths below it.
fn reported_below(directory: &Path) -> BString {
    let mut name = reported(directory);
    if name == "." {
        name.clear();
    } else {
        name.push(b'/');
    }
    name
}

#[cfg(test)]
mod tests {
    use super::super::collect::collect;
    use super::*;
    use tempfile::TempDir;

    fn directory(files: &[(&str, &[u8])]) -> TempDir {
        let dir = tempfile::tempdir().unwrap();
        for (path, content) in files {
            let file = dir.path().join(path);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, content).unwrap();
        }
        dir
    }

    fn read(dir: &TempDir, paths: &[&str], options: WorktreeOptions) -> (Vec<String>, Coverage) {
        let paths = paths.iter().map(|path| dir.path().join(path)).collect();
        let source = Worktree::new(paths, options);
        let (units, coverage) = collect(&source, 2);
        let (again, same) = collect(&source, 1);
        assert_eq!((&units, &coverage), (&again, &same), "threads make no difference");
        let root = format!("{}/", reported(dir.path()));
        (units.into_iter().map(|unit| unit.path.replacen(&root, "", 1)).collect(), coverage)
    }

    fn names(coverage: &Coverage, dir: &TempDir) -> Vec<(String, SkipReason)> {
        let root = format!("{}/", reported(dir.path()));
        coverage
            .skipped
            .iter()
            .map(|skip| (skip.name.to_string().replacen(&root, "", 1), skip.reason))
            .collect()
    }

    const ALL: WorktreeOptions = WorktreeOptions { respect_ignore: false, max_file_bytes: None };

    #[test]
    fn paths_are_reported_as_typed_without_dots() {
        for (typed, expected) in [
            (".", "."),
            ("./a", "a"),
            ("././a/./b", "a/b"),
            ("../a", "../a"),
            ("/a//b/", "/a/b"),
            ("a/../b", "a/../b"),
            ("./-", "-"),
        ] {
            assert_eq!(reported(Path::new(typed)), expected, "{typed}");
        }
    }

    #[test]
    fn hidden_files_are_read_and_git_directories_are_not() {
        let dir = directory(&[
            (".env", b"a"),
            (".config/x", b"a"),
            (".git/config", b"a"),
            ("sub/.git", b"gitdir: elsewhere"),
            ("sub/x", b"a"),
            (".github/workflow", b"a"),
        ]);
        for options in [ALL, WorktreeOptions::default()] {
            let (paths, coverage) = read(&dir, &[""], options);
            assert_eq!(paths, [".config/x", ".env", ".github/workflow", "sub/x"]);
            assert_eq!((coverage.files, coverage.bytes), (4, 4));
            assert_eq!(coverage.problems, []);
        }
    }

    #[test]
    fn ignore_files_count_inside_a_repository_only() {
        let files: &[(&str, &[u8])] =
            &[(".gitignore", b"*.log\n"), ("a.log", b"x"), (".ignore", b"b\n"), ("b", b"x")];
        let dir = directory(files);
        assert_eq!(read(&dir, &[""], WorktreeOptions::default()).0, [".gitignore", ".ignore", "a.log", "b"]);
        fs::create_dir(dir.path().join(".git")).unwrap();
        assert_eq!(read(&dir, &[""], WorktreeOptions::default()).0, [".gitignore", ".ignore", "b"]);
        assert_eq!(read(&dir, &[""], ALL).0, [".gitignore", ".ignore", "a.log", "b"]);
        assert_eq!(read(&dir, &["a.log"], WorktreeOptions::default()).0, ["a.log"], "named is read");
    }

    #[test]
    fn overlapping_arguments_read_a_file_once() {
        let dir = directory(&[("a/x", b"1"), ("a/y", b"2"), ("b", b"3")]);
        let (paths, coverage) = read(&dir, &["a/x", "a", "", "b", "a/../b"], ALL);
        assert_eq!(paths, ["a/x", "a/y", "b"]);
        assert_eq!(coverage.files, 3);
    }

    #[test]
    fn what_does_not_exist_is_a_problem() {
        let dir = directory(&[("a", b"1")]);
        let (paths, coverage) = read(&dir, &["missing", "a", "a/below"], ALL);
        assert_eq!(paths, ["a"]);
        assert_eq!(coverage.problems.len(), 2);
    }

    #[test]
    fn binary_and_large_files_are_skipped_and_counted() {
        let dir = directory(&[("a.bin", b"\0\x01"), ("large", b"0123456789"), ("small", b"0123")]);
        let (paths, coverage) = read(&dir, &[""], WorktreeOptions { max_file_bytes: Some(4), ..ALL });
        assert_eq!(paths, ["small"]);
        let skipped = [("a.bin".to_owned(), SkipReason::Binary), ("large".to_owned(), SkipReason::TooLarge)];
        assert_eq!(names(&coverage, &dir), skipped);
        assert_eq!((coverage.files, coverage.bytes), (1, 4));
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed_only_when_named() {
        use std::os::unix::fs::symlink;
        let dir = directory(&[("real/x", b"1"), ("file", b"2")]);
        symlink("file", dir.path().join("link")).unwrap();
        symlink("real", dir.path().join("link_dir")).unwrap();
        symlink(".", dir.path().join("loop")).unwrap();
        symlink("nowhere", dir.path().join("dangling")).unwrap();
        let (paths, coverage) = read(&dir, &[""], ALL);
        assert_eq!(paths, ["file", "real/x"]);
        assert_eq!(names(&coverage, &dir).len(), 4);
        assert!(coverage.skipped.iter().all(|skip| skip.reason == SkipReason::Symlink));
        assert_eq!(coverage.problems, []);
        assert_eq!(read(&dir, &["link", "link_dir"], ALL).0, ["link", "link_dir/x"]);
        assert_eq!(read(&dir, &["dangling"], ALL).1.problems.len(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn sockets_are_not_opened_and_odd_names_are_kept() {
        use std::ffi::OsStr;
        use std::os::unix::ffi::OsStrExt;
        let dir = directory(&[]);
        let _socket = std::os::unix::net::UnixListener::bind(dir.path().join("socket")).unwrap();
        let odd = dir.path().join(OsStr::from_bytes(b"odd\xFF\nname"));
        // Some file systems take UTF-8 only; the rest of the test still holds there.
        let written = fs::write(&odd, "x").is_ok();
        let (_, coverage) = read(&dir, &["", "socket"], ALL);
        assert_eq!(names(&coverage, &dir), vec![("socket".to_owned(), SkipReason::Special); 2]);
        assert_eq!(coverage.files, u64::from(written));
        if written {
            assert!(reported(&odd).ends_with(b"odd\xFF\nname"));
        }
    }
}
