//! Asks git's rules about names of secret files, and the index about files that are past them.

use std::collections::{BTreeMap, BTreeSet};

use bstr::{BStr, BString, ByteSlice};

use super::names::{env_like_path, pem_path};
use super::{Family, Item, Options, PatternStatus, Problem, Protection, Report, RequiredPattern};
use super::{lines, quote, render};
use crate::filter::file_kind::FileKind;
use crate::finding::Severity;
use crate::git::Repository;
use crate::git::ignore::{Decision, IgnoreError, IgnoreRules, RuleHome};
use crate::git::index::EntryKind;
use crate::git::object::ObjectError;
use crate::git::tracked::{TrackedError, TrackedFile};

/// A directory that no repository has: rules are asked about it as about a directory that is made tomorrow.
const DIRECTORY_OF_TOMORROW: &str = "a-new-directory/below";

/// What every private key in PEM has in its first line (RFC 7468, sections 10 and 11, and the older forms).
const PRIVATE_KEY: &[u8] = b"PRIVATE KEY-----";

/// A PEM file with a chain of a hundred certificates has some 200 KiB; nothing of 16 MiB is one.
const MAX_PEM_BYTES: u64 = 16 * 1024 * 1024;

/// Why nothing could be checked.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// The ignore rules cannot be asked.
    #[error(transparent)]
    Ignore(#[from] IgnoreError),
    /// The index cannot be read.
    #[error(transparent)]
    Tracked(#[from] TrackedError),
}

/// Checks the ignore rules and the index. Reads the working tree's `.gitignore` files and the index, and
/// writes nothing.
///
/// # Errors
///
/// When the repository is bare, or its configuration or index cannot be read. Less than that is a
/// [`Problem`] in the report.
pub fn check(repository: &Repository, options: &Options) -> Result<Report, CheckError> {
    let tracked = repository.tracked_files()?;
    let directories = directories(&tracked);
    let lines: String = options.required.iter().map(|required| format!("{}\n", required.line)).collect();
    let mut rules = IgnoreRules::new(repository, &tracked, b"")?;
    let mut with_lines = IgnoreRules::new(repository, &tracked, lines.as_bytes())?;
    let mut report = Report {
        patterns: Vec::new(),
        items: Vec::new(),
        missing_lines: Vec::new(),
        directories: directories.len() as u64,
        tracked_files: tracked.len() as u64,
        problems: Vec::new(),
        are_chosen: false,
    };
    let root = [BString::from("")];
    for required in &options.required {
        let directories = if required.is_anchored() { &root[..] } else { &directories };
        let survey = Survey::new(required, directories, &mut rules, &mut with_lines);
        survey.report(required, &mut report);
    }
    let unreadable = rules.unreadable().iter();
    report
        .problems
        .extend(unreadable.map(|rules| Problem { name: rules.file.clone(), message: rules.message.clone() }));
    report.items.extend(rules.symlinks().iter().map(symlink_item));
    report.items.extend(rules.not_text().iter().map(encoding_item));
    report_tracked(repository, &tracked, &mut report);
    lines::check(repository, &tracked, &mut report);
    report.sort();
    Ok(report)
}

/// The root, every directory that holds a tracked file or another such directory, and one that does not exist.
fn directories(tracked: &[TrackedFile]) -> Vec<BString> {
    let mut directories = BTreeSet::from([BString::from("")]);
    for file in tracked {
        let mut path = file.path.as_bstr();
        while let Some(slash) = path.rfind_byte(b'/') {
            path = path[..slash].as_bstr();
            if !directories.insert(path.to_owned()) {
                break;
            }
        }
    }
    // Last, so that a directory that people know is the example where there is one.
    directories.into_iter().chain([DIRECTORY_OF_TOMORROW.into()]).collect()
}

/// What git's rules say about the sample names of one required line, in every directory.
#[derive(Default)]
struct Survey {
    /// Decides about the first sample in the root directory.
    at_root: Option<Decision>,
    /// Samples that git would commit and that the missing line would protect.
    exposed: Vec<(BString, Option<Decision>)>,
    /// Samples that are ignored, but by no `.gitignore`.
    local: Vec<(BString, Decision)>,
    /// Samples that git would commit even with the line, by the line that takes them back.
    taken_back: BTreeMap<(BString, u64), (Decision, BString)>,
}

impl Survey {
    fn new(
        required: &RequiredPattern,
        directories: &[BString],
        rules: &mut IgnoreRules<'_>,
        with_lines: &mut IgnoreRules<'_>,
    ) -> Self {
        let mut survey = Survey::default();
        if let Some(name) = required.sample_names.first() {
            survey.at_root = rules.decision(name.as_str().into());
        }
        for directory in directories {
            for name in &required.sample_names {
                let sample = join(directory.as_bstr(), name);
                let now = rules.decision(sample.as_bstr());
                match now.as_ref() {
                    Some(decision) if decision.negated => {}
                    Some(decision) if decision.home == RuleHome::Gitignore => continue,
                    Some(decision) => {
                        survey.local.push((sample, decision.clone()));
                        continue;
                    }
                    None => {}
                }
                match with_lines.decision(sample.as_bstr()) {
                    Some(then) if then.negated => {
                        let place = (then.file.clone(), then.line);
                        survey.taken_back.entry(place).or_insert((then, sample));
                    }
                    _ => survey.exposed.push((sample, now)),
                }
            }
        }
        survey
    }

    fn report(self, required: &RequiredPattern, report: &mut Report) {
        let protection = if !self.exposed.is_empty() || !self.taken_back.is_empty() {
            Protection::NotIgnored
        } else if !self.local.is_empty() {
            Protection::IgnoredLocally
        } else {
            Protection::Ignored
        };
        if !self.exposed.is_empty() || !self.local.is_empty() {
            report.missing_lines.push(required.line.clone());
        }
        if let Some(item) = exposed_item(required, &self.exposed) {
            report.items.push(item);
        } else if let Some((sample, decision)) = self.local.first() {
            report.items.push(local_item(required, sample.as_bstr(), decision));
        }
        let taken_back = self.taken_back.values();
        report.items.extend(taken_back.map(|(decision, sample)| taken_back_item(required, decision, sample)));
        report.patterns.push(PatternStatus {
            line: required.line.clone(),
            protection,
            decided_by: self.at_root,
        });
    }
}

fn exposed_item(required: &RequiredPattern, exposed: &[(BString, Option<Decision>)]) -> Option<Item> {
    // The root comes first, so the example is the plainest there is.
    let (sample, decision) = exposed.first()?;
    let why = match decision {
        Some(decision) => format!(": {} takes it back", render::rule(decision)),
        None => String::new(),
    };
    let elsewhere = if sample.contains(&b'/') { ", though it is at the root" } else { "" };
    let what = match required.family {
        Family::Env => "environment files hold live credentials",
        Family::Pem => "such files usually hold private keys",
        Family::Framework => "a framework that is used here keeps secrets in such files",
        Family::Configured => "the configuration wants such files ignored",
    };
    Some(Item {
        id: match required.family {
            Family::Env => "env-not-ignored",
            Family::Pem => "pem-not-ignored",
            Family::Framework => "framework-not-ignored",
            Family::Configured => "configured-not-ignored",
        },
        severity: match required.family {
            Family::Env => Severity::High,
            Family::Pem | Family::Framework | Family::Configured => Severity::Medium,
        },
        reason: format!(
            "{} is not ignored{elsewhere}{why}; {what}, and one `git add --all` commits them",
            sample_shown(sample.as_bstr())
        ),
        path: decision.as_ref().map_or_else(|| ".gitignore".into(), |decision| decision.file.clone()),
        line: decision.as_ref().map(|decision| decision.line),
        pattern: Some(required.line.clone()),
        fix: add_line(required),
    })
}

fn local_item(required: &RequiredPattern, sample: &BStr, decision: &Decision) -> Item {
    let whom = match decision.home {
        RuleHome::GlobalExcludes => "by your own global excludes",
        RuleHome::InfoExclude | RuleHome::Gitignore => "in this clone",
    };
    Item {
        id: match required.family {
            Family::Env => "env-ignored-locally",
            Family::Pem => "pem-ignored-locally",
            Family::Framework => "framework-ignored-locally",
            Family::Configured => "configured-ignored-locally",
        },
        severity: Severity::Medium,
        reason: format!(
            "{} is ignored only {whom} ({}); nobody else who works on the repository is protected",
            sample_shown(sample),
            render::rule(decision)
        ),
        path: decision.file.clone(),
        line: Some(decision.line),
        pattern: Some(required.line.clone()),
        fix: add_line(required),
    }
}

fn taken_back_item(required: &RequiredPattern, decision: &Decision, sample: &BString) -> Item {
    Item {
        id: match required.family {
            Family::Env => "env-taken-back",
            Family::Pem => "pem-taken-back",
            Family::Framework => "framework-taken-back",
            Family::Configured => "configured-taken-back",
        },
        severity: match required.family {
            Family::Env | Family::Framework | Family::Configured => Severity::Medium,
            // Somebody wrote the line for a directory of certificates; a key there is found when it is tracked.
            Family::Pem => Severity::Low,
        },
        reason: format!(
            "{} is not ignored: {} takes it back, and a line in the root .gitignore does not change that",
            sample_shown(sample.as_bstr()),
            render::rule(decision)
        ),
        path: decision.file.clone(),
        line: Some(decision.line),
        pattern: Some(required.line.clone()),
        fix: format!(
            "remove line {} of {}, or name there the harmless file that is meant",
            decision.line,
            quote::shown(decision.file.as_bstr())
        ),
    }
}

fn sample_shown(sample: &BStr) -> String {
    match sample.strip_prefix(DIRECTORY_OF_TOMORROW.as_bytes()) {
        Some(name) => format!("{} in a new directory", quote::shown(name[1..].as_bstr())),
        None => quote::shown(sample),
    }
}

fn add_line(required: &RequiredPattern) -> String {
    format!("add the line `{}` to .gitignore (`stanch check --fix` does it)", required.line)
}

fn symlink_item(path: &BString) -> Item {
    Item {
        id: "gitignore-symlink",
        severity: Severity::Medium,
        reason: "a .gitignore that is a symbolic link is not read by git, so its lines protect nothing"
            .to_owned(),
        path: path.clone(),
        line: None,
        pattern: None,
        fix: "replace the link with a file of its own".to_owned(),
    }
}

fn encoding_item(path: &BString) -> Item {
    Item {
        id: "gitignore-encoding",
        severity: Severity::Medium,
        reason: "it holds NUL bytes (as UTF-16 does, which some Windows shells write), and git reads a line only up \
                 to the first of them"
            .to_owned(),
        path: path.clone(),
        line: None,
        pattern: None,
        fix: "save the file as UTF-8".to_owned(),
    }
}

fn report_tracked(repository: &Repository, tracked: &[TrackedFile], report: &mut Report) {
    let mut seen = BTreeSet::new();
    for file in tracked {
        let family = if env_like_path(file.path.as_bstr()) {
            Family::Env
        } else if pem_path(file.path.as_bstr()) {
            Family::Pem
        } else {
            continue;
        };
        if file.kind == EntryKind::Submodule || !seen.insert((&file.path, file.id)) {
            continue;
        }
        match tracked_item(repository, family, file) {
            Ok(item) => report.items.push(item),
            Err(error) => {
                report.problems.push(Problem { name: file.path.clone(), message: error.to_string() });
            }
        }
    }
    report.items.dedup_by(|a, b| a.id == b.id && a.path == b.path && a.reason == b.reason);
}

fn tracked_item(repository: &Repository, family: Family, file: &TrackedFile) -> Result<Item, ObjectError> {
    let remove = format!("`{}` (the file itself stays)", git_rm(file.path.as_bstr()));
    let remove_and_rotate = format!("{remove}; rotate what it held, since the history keeps it");
    let (id, severity, reason, fix) = match (family, file.kind) {
        (Family::Env, EntryKind::Symlink) => (
            "env-tracked",
            Severity::Low,
            "a tracked symbolic link with the name of an environment file",
            remove,
        ),
        (_, EntryKind::Symlink) => {
            ("pem-tracked", Severity::Info, "a tracked symbolic link; its target is not looked at", remove)
        }
        (Family::Env, _) => (
            "env-tracked",
            Severity::High,
            "git tracks this environment file, and no ignore rule reaches a tracked file: each change to it is \
             committed",
            remove_and_rotate,
        ),
        _ => match holds_private_key(repository, file)? {
            Some(true) => ("pem-tracked", Severity::High, "git tracks this private key", remove_and_rotate),
            Some(false) => (
                "pem-tracked",
                Severity::Info,
                "git tracks this file, and no ignore rule reaches it; it holds no private key now",
                remove,
            ),
            None => (
                "pem-tracked",
                Severity::Medium,
                "git tracks this file, and it is too large to tell whether it holds a private key",
                remove,
            ),
        },
    };
    // Tests bring keys and settings of their own; what is real in them a scan still finds.
    let is_rehearsal = FileKind::of(file.path.as_bstr()).tests;
    let (severity, reason) = match is_rehearsal && severity > Severity::Low {
        true => (Severity::Low, format!("{reason}; it belongs to a test")),
        false => (severity, reason.to_owned()),
    };
    Ok(Item { id, severity, reason, path: file.path.clone(), line: None, pattern: None, fix })
}

/// Whether the file holds a private key; `None` when it is too large to tell.
fn holds_private_key(repository: &Repository, file: &TrackedFile) -> Result<Option<bool>, ObjectError> {
    if file.intent_to_add {
        return Ok(Some(false));
    }
    if repository.blob_bytes(file.id)? > MAX_PEM_BYTES {
        return Ok(None);
    }
    repository.with_blob(file.id, |content| Some(content.contains_str(PRIVATE_KEY)))
}

/// The command that takes a file out of the index. It is printed, never run.
pub(super) fn git_rm(path: &BStr) -> String {
    let Some(word) = quote::shell_word(path) else {
        return format!(
            "printf {} | git --literal-pathspecs rm --cached --pathspec-from-file=- --pathspec-file-nul",
            quote::printf_format(path)
        );
    };
    // Git reads a path as a pattern; only then is it told not to, so that the usual line stays short.
    let literal = path.starts_with(b":") || path.find_byteset(b"*?[\\").is_some();
    let option = if literal { " --literal-pathspecs" } else { "" };
    format!("git{option} rm --cached -- {word}")
}

fn join(directory: &BStr, name: &str) -> BString {
    let mut path = directory.to_owned();
    if !path.is_empty() {
        path.push(b'/');
    }
    path.extend_from_slice(name.as_bytes());
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_removal_command_names_one_file_whatever_its_name() {
        assert_eq!(git_rm("a b/.env".into()), "git rm --cached -- 'a b/.env'");
        assert_eq!(git_rm("*.pem".into()), "git --literal-pathspecs rm --cached -- '*.pem'");
        assert_eq!(git_rm(":/.env".into()), "git --literal-pathspecs rm --cached -- ':/.env'");
    }

    #[test]
    fn directories_include_those_that_hold_directories_only() {
        let file = |path: &str| TrackedFile {
            path: path.into(),
            kind: EntryKind::File,
            id: "a1".repeat(20).parse().unwrap(),
            intent_to_add: false,
            left_out: false,
        };
        let directories = directories(&[file("a/b/c"), file("a/d"), file("e")]);
        assert_eq!(directories, ["", "a", "a/b", DIRECTORY_OF_TOMORROW]);
    }
}
