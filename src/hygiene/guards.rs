//! Whether somebody looks before secrets leave: the hook here, the gate of continuous integration there.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;

use bstr::{BString, ByteSlice, ByteVec};

use super::hook::{self, HookName, HookState};
use super::{Item, Problem, Report};
use crate::finding::Severity;
use crate::git::Repository;

/// Adds what is wrong with the hook and the gate. `search_path` is where the hook finds the binary (`PATH`).
pub fn check_guards(repository: &Repository, search_path: Option<&OsStr>, report: &mut Report) {
    match hook::status(repository, HookName::PreCommit, search_path) {
        Ok(status) => {
            if let Some((id, severity, reason)) = hook_state(&status.state) {
                let path = repository.work_dir().and_then(|dir| status.path.strip_prefix(dir).ok());
                report.items.push(Item {
                    id,
                    severity,
                    reason: reason.to_owned(),
                    path: Vec::from_path_lossy(path.unwrap_or(&status.path)).into_owned().into(),
                    line: None,
                    pattern: None,
                    fix: "`stanch hook status` tells more; `stanch hook install` puts it right".to_owned(),
                });
            }
        }
        Err(error) => {
            report.problems.push(Problem { name: "pre-commit hook".into(), message: error.to_string() });
        }
    }
    if let Some(work_dir) = repository.work_dir() {
        gate(work_dir, report);
    }
    report.sort();
}

/// What is wrong with a hook. That there is none is worth knowing and no more: a clone of a CI job needs none.
fn hook_state(state: &HookState) -> Option<(&'static str, Severity, &'static str)> {
    Some(match state {
        HookState::Installed | HookState::CalledByForeign => return None,
        HookState::Outdated { .. } => {
            ("hook-stale", Severity::Low, "another version of stanch wrote the pre-commit hook")
        }
        HookState::Foreign => {
            ("hook-missing", Severity::Low, "the pre-commit hook does not look for secrets")
        }
        HookState::Missing => ("hook-missing", Severity::Low, "no hook looks for secrets before a commit"),
        HookState::NotExecutable => (
            "hook-shadowed",
            Severity::Medium,
            "the pre-commit hook is not executable, so git passes over it",
        ),
        HookState::Shadowed { .. } => (
            "hook-shadowed",
            Severity::Medium,
            "the pre-commit hook lies where git does not look: core.hooksPath sends git elsewhere",
        ),
        HookState::Disabled => {
            ("hook-shadowed", Severity::Medium, "git runs no hooks: core.hooksPath names no directory")
        }
        HookState::SwitchedOff { .. } => {
            ("hook-shadowed", Severity::Medium, "the pre-commit hook is switched off in git's configuration")
        }
        HookState::NotSupported => (
            "hook-shadowed",
            Severity::Medium,
            "the pre-commit hook is in git's configuration, and the git on PATH is too old to look there",
        ),
        HookState::BinaryMissing => (
            "hook-stale",
            Severity::Medium,
            "the pre-commit hook does not find stanch and blocks every commit",
        ),
    })
}

/// Tools whose name in a CI file means that somebody looks.
const GATES: [&str; 14] = [
    "stanch",
    "gitleaks",
    "betterleaks",
    "trufflehog",
    "ggshield",
    "gitguardian",
    "detect-secrets",
    "secretlint",
    "kingfisher",
    "noseyparker",
    "git-secrets",
    "secret-detection",
    "secret_detection",
    "talisman",
];

const CI_FILES: [&str; 9] = [
    ".gitlab-ci.yml",
    "azure-pipelines.yml",
    "Jenkinsfile",
    ".travis.yml",
    "bitbucket-pipelines.yml",
    ".drone.yml",
    ".woodpecker.yml",
    ".cirrus.yml",
    "appveyor.yml",
];

const CI_DIRS: [&str; 6] =
    [".github/workflows", ".circleci", ".buildkite", ".woodpecker", ".forgejo/workflows", ".gitea/workflows"];

/// A repository with continuous integration in which no job looks for secrets.
fn gate(work_dir: &Path, report: &mut Report) {
    let mut files: Vec<BString> = CI_FILES
        .iter()
        .filter(|name| work_dir.join(name).is_file())
        .map(|name| BString::from(*name))
        .collect();
    for dir in CI_DIRS {
        let Ok(entries) = fs::read_dir(work_dir.join(dir)) else { continue };
        for entry in entries.flatten().filter(|entry| entry.path().is_file()) {
            let name = Vec::from_os_str_lossy(&entry.file_name()).into_owned();
            files.push([dir.as_bytes(), b"/", &name].concat().into());
        }
    }
    files.sort();
    let Some(first) = files.first().cloned() else { return };
    for file in files.iter().chain([&BString::from(".ci/run"), &BString::from(".pre-commit-config.yaml")]) {
        match fs::read(work_dir.join(file.to_path_lossy())) {
            Ok(content) => {
                let content = content.to_ascii_lowercase();
                if GATES.iter().any(|gate| content.contains_str(gate)) {
                    return;
                }
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => {
                report
                    .problems
                    .push(Problem { name: file.clone(), message: format!("cannot be read: {error}") });
                return;
            }
        }
    }
    report.items.push(Item {
        id: "ci-gate-missing",
        severity: Severity::Low,
        reason: "no job of continuous integration looks for secrets, and hooks can be passed over".to_owned(),
        path: first,
        line: None,
        pattern: None,
        fix: "add a job that runs `stanch history origin/main..HEAD`, and one now and then for all of `stanch history`"
            .to_owned(),
    });
}
