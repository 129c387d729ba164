//! Files that git ignores and that images and packages would take along all the same.

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use bstr::{BStr, BString, ByteSlice};
use globset::{GlobBuilder, GlobMatcher};
use ignore::gitignore::{Gitignore, GitignoreBuilder};
use regex::bytes::Regex;
use serde_json::Value;

use super::content::Tree;
use super::names::{basename, env_like_path};
use super::{Item, Problem, Report, quote};
use crate::finding::Severity;

/// Adds an item for each image or package that would hold a secret file which is there now.
pub(super) fn check(work_dir: &Path, tree: &Tree, report: &mut Report) {
    let secrets: Vec<&BString> = tree
        .ignored_secrets
        .iter()
        .chain(tree.untracked.iter().filter(|path| env_like_path(path.as_bstr())))
        .collect();
    if secrets.is_empty() {
        return;
    }
    for path in &tree.files {
        let name = basename(path.as_bstr());
        let done = match name {
            b"package.json" => package(work_dir, path, &secrets, report),
            _ if name == b"Dockerfile"
                || name.starts_with(b"Dockerfile.") && !name.ends_with(b".dockerignore") =>
            {
                image(work_dir, path, &secrets, report)
            }
            _ => Ok(()),
        };
        if let Err(error) = done {
            let message = format!("cannot be read: {error}");
            report.problems.push(Problem { name: path.clone(), message });
        }
    }
}

/// A `Dockerfile` that copies its whole directory, without a `.dockerignore` that keeps the file out
/// (<https://docs.docker.com/build/concepts/context/#dockerignore-files>).
fn image(work_dir: &Path, path: &BString, secrets: &[&BString], report: &mut Report) -> std::io::Result<()> {
    static COPIES_ALL: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(?mi)^[ \t]*(?:COPY|ADD)[ \t]+\.[/\\]?[ \t]+\S").expect("a valid expression")
    });
    let content = fs::read(work_dir.join(path.to_path_lossy()))?;
    if !COPIES_ALL.is_match(&content) {
        return Ok(());
    }
    let directory = directory(path.as_bstr());
    let own: BString = [path.as_slice(), b".dockerignore"].concat().into();
    let common: BString = [directory, b".dockerignore"].concat().into();
    let lines = match read(work_dir, &own)? {
        Some(lines) => Some((own, lines)),
        None => read(work_dir, &common)?.map(|lines| (common.clone(), lines)),
    };
    let patterns = lines.as_ref().map(|(_, lines)| docker_patterns(lines)).unwrap_or_default();
    let shipped = |secret: &&&BString| {
        secret.strip_prefix(directory).is_some_and(|below| !docker_excludes(&patterns, below.as_bstr()))
    };
    if let Some(secret) = secrets.iter().find(shipped) {
        let below = quote::shown(secret[directory.len()..].as_bstr());
        report.items.push(Item {
            id: "image-ships-secret",
            severity: Severity::High,
            reason: format!(
                "{} copies its whole directory, and with it {below}, into the image",
                quote::shown(path.as_bstr())
            ),
            path: lines.map_or_else(|| path.clone(), |(file, _)| file),
            line: None,
            pattern: None,
            fix: format!("add the line `{below}` to {}", quote::shown(common.as_bstr())),
        });
    }
    Ok(())
}

/// A package that is published, with a list of files or an `.npmignore` that lets the file in
/// (<https://docs.npmjs.com/cli/configuring-npm/package-json#files>).
fn package(
    work_dir: &Path,
    path: &BString,
    secrets: &[&BString],
    report: &mut Report,
) -> std::io::Result<()> {
    let content = fs::read(work_dir.join(path.to_path_lossy()))?;
    // What is no JSON is published by nobody.
    let Ok(manifest) = serde_json::from_slice::<Value>(&content) else { return Ok(()) };
    if manifest["private"] == Value::Bool(true)
        || !manifest["name"].is_string()
        || !manifest["version"].is_string()
    {
        return Ok(());
    }
    let directory = directory(path.as_bstr());
    let (file, matcher, listed) = match manifest["files"].as_array() {
        Some(list) => {
            let lines: Vec<String> = list.iter().filter_map(Value::as_str).map(anchored).collect();
            (path.clone(), matcher(&lines.join("\n")), true)
        }
        None => {
            let file: BString = [directory, b".npmignore"].concat().into();
            // Without it npm goes by .gitignore, which has the file already.
            let Some(lines) = read(work_dir, &file)? else { return Ok(()) };
            (file, matcher(&lines.to_str_lossy()), false)
        }
    };
    let shipped = |secret: &&&BString| {
        secret.strip_prefix(directory).is_some_and(|below| {
            let is_matched = matcher.matched_path_or_any_parents(below.to_path_lossy(), false).is_ignore();
            is_matched == listed && !below.contains_str("node_modules/")
        })
    };
    if let Some(secret) = secrets.iter().find(shipped) {
        let below = quote::shown(secret[directory.len()..].as_bstr());
        let (reason, fix) = match listed {
            true => (
                format!("`files` takes {below} into the package, though git ignores it"),
                format!("name the files that are meant, or add `!{below}` to `files`"),
            ),
            false => (
                format!(
                    "npm reads .npmignore instead of .gitignore, and nothing in it keeps {below} out of the package"
                ),
                format!(
                    "add the line `{below}` to it, or list what is published under `files` in package.json"
                ),
            ),
        };
        report.items.push(Item {
            id: "package-ships-secret",
            severity: Severity::High,
            reason,
            path: file,
            line: None,
            pattern: None,
            fix,
        });
    }
    Ok(())
}

/// An entry of `files` as a line of .gitignore: from the directory of the package, whatever stands before it.
fn anchored(entry: &str) -> String {
    let (negation, rest) = entry.strip_prefix('!').map_or(("", entry), |rest| ("!", rest));
    let rest = rest.strip_prefix("./").unwrap_or(rest).trim_start_matches('/');
    match rest {
        "" | "." => format!("{negation}/**"),
        rest => format!("{negation}/{rest}"),
    }
}

fn matcher(lines: &str) -> Gitignore {
    let mut builder = GitignoreBuilder::new("");
    for line in lines.lines() {
        // npm passes over a line that is no pattern, too.
        let _ = builder.add_line(None, line);
    }
    builder.build().unwrap_or_else(|_| Gitignore::empty())
}

/// Patterns of a `.dockerignore` with whether they take back, in their order.
fn docker_patterns(lines: &[u8]) -> Vec<(GlobMatcher, bool)> {
    let mut patterns = Vec::new();
    for line in lines.to_str_lossy().lines().map(str::trim) {
        let (is_exception, pattern) = line.strip_prefix('!').map_or((false, line), |rest| (true, rest));
        let pattern = pattern.trim().trim_start_matches("./").trim_matches('/');
        if pattern.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Ok(glob) = GlobBuilder::new(pattern).literal_separator(true).build() {
            patterns.push((glob.compile_matcher(), is_exception));
        }
    }
    patterns
}

/// Whether the last pattern that fits the file or a directory above it excludes it.
fn docker_excludes(patterns: &[(GlobMatcher, bool)], path: &BStr) -> bool {
    let fits = |glob: &GlobMatcher| {
        let ends = path.find_iter(b"/").chain([path.len()]);
        ends.into_iter().any(|end| glob.is_match(path[..end].to_path_lossy()))
    };
    let last = patterns.iter().rev().find(|(glob, _)| fits(glob));
    last.is_some_and(|(_, is_exception)| !is_exception)
}

/// The directory with a slash at its end, or nothing for the root.
fn directory(path: &BStr) -> &[u8] {
    path.rfind_byte(b'/').map_or(b"".as_slice(), |slash| &path[..=slash])
}

fn read(work_dir: &Path, path: &BString) -> std::io::Result<Option<Vec<u8>>> {
    match fs::read(work_dir.join(path.to_path_lossy())) {
        Ok(content) => Ok(Some(content)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_of_a_dockerignore_decides() {
        for (lines, path, excluded) in [
            (".env\n", ".env", true),
            (".env\n", "a/.env", false),
            ("**/.env\n", "a/b/.env", true),
            ("**/.env*\n", ".env.local", true),
            ("a\n", "a/.env", true),
            ("*\n!a\n", "a/.env", false),
            ("!.env\n.env\n", ".env", true),
            ("# .env\n", ".env", false),
            ("/.env\n", ".env", true),
            ("*.pem\n", "certs/key.pem", false),
        ] {
            assert_eq!(
                docker_excludes(&docker_patterns(lines.as_bytes()), path.into()),
                excluded,
                "{lines:?} {path}"
            );
        }
    }

    #[test]
    fn a_list_of_files_is_read_from_the_package() {
        let takes = |entries: &[&str], path: &str| {
            let lines: Vec<String> = entries.iter().map(|entry| anchored(entry)).collect();
            matcher(&lines.join("\n")).matched_path_or_any_parents(path, false).is_ignore()
        };
        assert!(takes(&["dist"], "dist/.env"));
        assert!(takes(&["."], ".env"));
        assert!(takes(&["./*"], ".env"));
        assert!(!takes(&["dist", "index.js"], ".env"));
        assert!(!takes(&["*", "!.env"], ".env"));
    }
}
