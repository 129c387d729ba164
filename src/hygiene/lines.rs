//! Lines of `.gitignore` files that were meant to keep secrets out and do nothing.

use std::collections::BTreeSet;

use bstr::{BStr, BString, ByteSlice};

use super::names::secret_path;
use super::{Item, Problem, Report, quote};
use crate::finding::Severity;
use crate::git::Repository;
use crate::git::tracked::TrackedFile;

/// Adds an item for each line about secrets that has no effect, in the `.gitignore` files that are tracked and in
/// that of the root.
pub(super) fn check(repository: &Repository, tracked: &[TrackedFile], report: &mut Report) {
    let Some(work_dir) = repository.work_dir() else { return };
    let is_ignore_file = |path: &BString| path == ".gitignore" || path.ends_with(b"/.gitignore");
    let files: BTreeSet<BString> = tracked
        .iter()
        .filter(|file| !file.left_out && is_ignore_file(&file.path))
        .map(|file| file.path.clone())
        .chain([BString::from(".gitignore")])
        .collect();
    for path in files {
        let place = work_dir.join(path.to_path_lossy());
        // Links and files with NUL bytes have items of their own.
        if !std::fs::symlink_metadata(&place).is_ok_and(|metadata| metadata.is_file()) {
            continue;
        }
        match std::fs::read(&place) {
            Ok(content) => {
                report.items.extend(ineffective(&content).into_iter().map(|found| found.item(&path)))
            }
            Err(error) => {
                let message = format!("cannot be read: {error}");
                report.problems.push(Problem { name: path, message });
            }
        }
    }
}

/// A line and why it does nothing.
#[derive(Debug, PartialEq, Eq)]
struct Ineffective {
    line: u64,
    text: String,
    why: &'static str,
    fix: String,
}

impl Ineffective {
    fn item(self, path: &BString) -> Item {
        Item {
            id: "ignore-line-ineffective",
            severity: Severity::Medium,
            reason: format!("`{}` {}", quote::shown(self.text.as_bytes().as_bstr()), self.why),
            path: path.clone(),
            line: Some(self.line),
            pattern: Some(self.text),
            fix: self.fix,
        }
    }
}

fn ineffective(content: &[u8]) -> Vec<Ineffective> {
    let content = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(content);
    let lines: Vec<&[u8]> = content.lines().map(|line| line.trim_end_with(|end| end == ' ')).collect();
    let mut found = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        if line.is_empty() || line.starts_with(b"#") || line.starts_with(b"!") {
            continue;
        }
        let mut add = |why: &'static str, fix: String| {
            let text = line.to_str_lossy().into_owned();
            found.push(Ineffective { line: index as u64 + 1, text, why, fix });
        };
        let plain = |text: &[u8]| text.to_str_lossy().into_owned();
        if let Some(at) = line.find(b" #").or_else(|| line.find(b"\t#"))
            && names_secret(line[..at].trim().as_bstr())
        {
            let pattern = plain(line[..at].trim());
            add(
                "matches nothing: a comment starts a line of its own in .gitignore",
                format!("write `{pattern}` and put the comment on the line above"),
            );
        } else if let Some(rest) = line.strip_prefix(b"./").filter(|rest| names_secret(rest.as_bstr())) {
            add("matches nothing: no path of git starts with `./`", format!("write `/{}`", plain(rest)));
        } else if line.ends_with(b"\t") && names_secret(line.trim().as_bstr()) {
            add(
                "matches nothing: the tab at its end is part of the name",
                format!("write `{}`", plain(line.trim())),
            );
        } else if line.contains(&b'\\')
            && names_secret(line.replace(b"\\", b"/").as_bstr())
            && is_windows_path(line)
        {
            let pattern = plain(&line.replace(b"\\", b"/"));
            add("matches nothing: git parts names with `/` on every system", format!("write `{pattern}`"));
        } else if let Some(name) = line.strip_suffix(b"/").filter(|name| is_env_file(name)) {
            add(
                "matches directories alone, and an environment file is none",
                format!("write `{}`", plain(name)),
            );
        } else if names_secret(line.as_bstr())
            && let Some(later) = lines[index + 1..]
                .iter()
                .rposition(|later| later.strip_prefix(b"!").is_some_and(|taken_back| taken_back == *line))
            && !lines[index + 1 + later..].contains(line)
        {
            let later = index + 2 + later;
            add(
                "is taken back by a later line",
                format!("remove line {later}, or name there the harmless file that is meant"),
            );
        }
    }
    found
}

/// Whether a pattern is about files that hold secrets.
fn names_secret(pattern: &BStr) -> bool {
    // A wildcard stands for some name.
    let name = pattern.replace(b"*", b"x");
    !pattern.is_empty() && (secret_path(name.as_bstr()) || is_env_file(pattern))
}

fn is_env_file(name: &[u8]) -> bool {
    let name = name.rsplit(|&byte| byte == b'/').next().unwrap_or_default();
    name.starts_with(b".env.") || name == b".env" || name == b".env*"
}

/// Whether backslashes stand between names and not before what they escape.
fn is_windows_path(line: &[u8]) -> bool {
    line.windows(2).all(|pair| pair[0] != b'\\' || pair[1].is_ascii_alphanumeric() || pair[1] == b'.')
        && !line.starts_with(b"\\")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(content: &str) -> Vec<u64> {
        ineffective(content.as_bytes()).into_iter().map(|found| found.line).collect()
    }

    #[test]
    fn lines_that_do_nothing_are_found() {
        assert_eq!(lines("a\n.env # secrets\n"), [2]);
        assert_eq!(lines("./.env\n./keys/a.pem\n"), [1, 2]);
        assert_eq!(lines(".env\t\n"), [1]);
        assert_eq!(lines("config\\prod.env\r\n"), [1]);
        assert_eq!(lines(".env/\n"), [1]);
        assert_eq!(lines(".env\nb\n!.env\n"), [1]);
    }

    #[test]
    fn lines_that_do_something_are_left_alone() {
        for content in [
            ".env\n.env.*\n!.env.example\n",
            "*.pem\n",
            "# .env\n",
            "\\#secrets\n",
            "env/\nvenv/\n.venv/\n",
            "./build\n",
            "a # b\n",
            ".env\n!.env\n.env\n",
            "*.py[cod]\n\\!important.key\n",
            ".env  \n",
        ] {
            assert_eq!(ineffective(content.as_bytes()), [], "{content:?}");
        }
    }
}
