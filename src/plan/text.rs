//! A plan for people, for programs and for the shell.

use std::fmt::Write;
use std::path::Path;

use bstr::{BString, ByteSlice, ByteVec};
use jiff::Timestamp;
use jiff::tz::Offset;
use serde::Serialize;

use super::{Plan, PlannedSecret};
use crate::hygiene::quote;
use crate::location::{CommitInfo, Reach};
use crate::report::text::{escape, escape_bytes};

pub(super) const REPLACEMENTS: &str = "replacements.txt";
pub(super) const BFG_REPLACEMENTS: &str = "bfg-replacements.txt";
pub(super) const STRIPPED: &str = "removed-blobs.txt";
pub(super) const STRIPPED_BY_BFG: &str = "bfg-removed-blobs.txt";

/// The plan as Markdown. Secrets are redacted.
pub(super) fn markdown(plan: &Plan) -> Vec<u8> {
    let mut out = String::new();
    let repository = shown(&plan.repository);
    line(&mut out, format_args!("# Secrets in the history of {repository}\n"));
    if !plan.is_complete {
        line(
            &mut out,
            format_args!(
                "**This plan is not complete**: parts of the history could not be read, and there may be more \
                 secrets in them. Put right what the report of the run names, and make the plan anew.\n"
            ),
        );
    }
    if plan.secrets.is_empty() {
        line(&mut out, format_args!("Nothing was found, so there is nothing to do."));
        return out.into_bytes();
    }
    line(
        &mut out,
        format_args!(
            "{} to revoke and to clean away. Revoke first: a secret that was seen stays known, and only its owner's \
             revocation makes it worthless. Cleaning the history comes second, and is worth it only where the secret \
             cannot be revoked at once, or where people would otherwise find it for years.\n\n\
             The files beside this one hold the secrets in full. Delete the directory when the work is done.\n",
            count(plan.secrets.len(), "secret")
        ),
    );
    for (index, secret) in plan.secrets.iter().enumerate() {
        secret_section(index + 1, secret, &mut out);
    }
    cleaning_section(plan, &mut out);
    out.into_bytes()
}

fn secret_section(number: usize, secret: &PlannedSecret, out: &mut String) {
    let rule = &secret.rules[0];
    line(out, format_args!("## {number}. {} ({})\n", escape(&rule.description), rule.severity));
    let rules: Vec<&str> = secret.rules.iter().map(|rule| rule.id.as_str()).collect();
    line(
        out,
        format_args!(
            "- What: {}, rule {}, fingerprint {}",
            code(&secret.secret.redacted()),
            rules.join(", "),
            secret.fingerprint
        ),
    );
    line(out, format_args!("- Exposed: {}", exposure(secret)));
    for place in &secret.places {
        let reach: Vec<&str> = place.reached_by.iter().map(|reach| reach.name()).collect();
        line(
            out,
            format_args!("  - {}, line {} ({})", code_bytes(&place.path), place.line, reach.join(", ")),
        );
    }
    line(out, format_args!("- Since: {}", since(secret)));
    line(out, format_args!("- Who must act: {}", who(secret)));
    match &rule.revoke {
        Some(revoke) => line(out, format_args!("- Revoke: {}", escape(revoke))),
        None => line(
            out,
            format_args!(
                "- Revoke: at whoever issued it; make a new one, put it into use, then end this one"
            ),
        ),
    }
    if let Some(reference) = &rule.reference {
        line(out, format_args!("- More: <{}>", escape(reference)));
    }
    for warning in &secret.warnings {
        line(out, format_args!("- Mind: {warning}"));
    }
    out.push('\n');
}

fn exposure(secret: &PlannedSecret) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for reach in &secret.reached_by {
        parts.push(match reach {
            Reach::Head => "the commit that is checked out",
            Reach::Branch => "local branches",
            Reach::Remote => "remote-tracking branches, so it was pushed or fetched",
            Reach::Tag => "tags",
            Reach::Notes => "notes",
            Reach::OtherRef => "other refs, such as those of pull requests",
            Reach::Stash => "the stash",
            Reach::Reflog => "a reflog alone",
            Reach::Unreachable => "unreachable objects, until git collects them",
        });
    }
    let place = parts.join("; ");
    match (secret.in_head, secret.is_local_only) {
        (_, true) => format!("{place}. Not pushed as far as this clone knows"),
        (true, false) => format!("{place}. It is in the current version too: take it out there first"),
        (false, false) => place,
    }
}

fn since(secret: &PlannedSecret) -> String {
    match (&secret.first, &secret.last) {
        (Some(first), Some(last)) if first.id != last.id => {
            format!("{}; last in {}", commit(first), commit(last))
        }
        (Some(first), _) => commit(first),
        _ => "no commit has it, so the day is not known".to_owned(),
    }
}

fn who(secret: &PlannedSecret) -> String {
    let provider = &secret.rules[0].provider;
    let owner = match provider.as_str() {
        "" => "whoever owns the credential".to_owned(),
        provider => format!("whoever owns the credential at {}", escape(provider)),
    };
    let author = secret.first.as_ref().map(|first| {
        format!("; ask {} <{}>, who committed it first", name(&first.author_name), name(&first.author_email))
    });
    let rest = match secret.is_local_only {
        true => {
            "; nobody else has it, unless this clone was copied, or fetched it from a server that forgot its ref"
        }
        false => "; whoever runs the server cleans it there; everybody with a clone cleans or replaces it",
    };
    format!("{owner} revokes it{}{rest}", author.unwrap_or_default())
}

fn cleaning_section(plan: &Plan, out: &mut String) {
    let repository = shell(&plan.repository);
    line(
        out,
        format_args!(
            "## Clean the history\n\n\
             All commits that follow a secret get new names. Agree on a time with everybody who has a clone, merge or \
             close what is open, apply or drop stashes, and take the secrets out of the current version first.\n\n\
             With git-filter-repo, from the directory of this plan; it wants no uncommitted changes, and forgets reflogs \
             and remotes:\n"
        ),
    );
    shell_block(out, &format!("sh clean.sh {repository}"));
    line(out, format_args!("That runs these commands in the repository:\n"));
    shell_block(out, &commands(plan, "PLAN"));
    if !plan.stripped.is_empty() {
        line(
            out,
            format_args!(
                "{STRIPPED} names {} that hold a secret in a form that no replacement reaches. They are removed as a \
                 whole: commit what you need of them anew.\n",
                count(plan.stripped.len(), "blob")
            ),
        );
    }
    if plan.has_long_names {
        line(
            out,
            format_args!(
                "Objects have SHA-256 names here, which BFG cannot read. Take git-filter-repo 2.47 or later: older ones \
                 trip over annotated tags when the new history is written; the script goes on then, and the proof tells \
                 whether all is clean. Where commits have submodules git-filter-repo stops before it has changed \
                 anything. What is left is to take files out as a whole:\n"
            ),
        );
        shell_block(
            out,
            &format!(
                "cd {repository}\n\
                 git filter-branch --index-filter 'git rm -r --quiet --cached --ignore-unmatch FILE' \
                 --tag-name-filter cat -- --all\n\
                 git for-each-ref --format='delete %(refname)' refs/original | git update-ref --stdin\n\
                 {COLLECT}"
            ),
        );
    } else {
        bfg_section(plan, &repository, out);
    }
    line(out, format_args!("## Prove it\n\nNothing is left when this ends with exit code 0:\n"));
    shell_block(out, &proof(plan));
    server_section(plan, out);
}

fn bfg_section(plan: &Plan, repository: &str, out: &mut String) {
    line(
        out,
        format_args!(
            "Or with BFG, which goes through files line by line: {}{}\n",
            match plan.stripped_by_bfg.is_empty() {
                true => "every secret found in files fits into a line.".to_owned(),
                false => format!("versions of files that {STRIPPED_BY_BFG} names are removed as a whole."),
            },
            match plan.in_messages {
                true =>
                    " It leaves messages of commits and tags as they are, and secrets stand in some: use \
                         git-filter-repo for those.",
                false => "",
            }
        ),
    );
    let strip = match plan.stripped_by_bfg.is_empty() {
        true => String::new(),
        false => format!(" --strip-blobs-with-ids {STRIPPED_BY_BFG}"),
    };
    let reset = match plan.is_bare {
        true => String::new(),
        false => format!("git -C {repository} reset --hard\n"),
    };
    shell_block(
        out,
        &format!(
            "java -jar bfg.jar --replace-text {BFG_REPLACEMENTS}{strip} --filter-content-size-threshold 2G \
             --no-blob-protection {repository}\n{reset}\
             git -C {repository} reflog expire --expire=now --expire-unreachable=now --all\n\
             git -C {repository} -c gc.cruftPacks=false gc --quiet --prune=now"
        ),
    );
}

fn server_section(plan: &Plan, out: &mut String) {
    line(out, format_args!("## Bring it to the server\n"));
    if plan.identity.remotes.is_empty() {
        line(out, format_args!("This clone knows no remote; for each server that has the history:\n"));
        shell_block(out, "git push --force --mirror ADDRESS");
    } else {
        line(
            out,
            format_args!(
                "git-filter-repo takes remotes out of the configuration, so that nothing is pushed by habit. \
                 `--mirror` deletes refs on the server that this clone lacks: fetch everything before you clean. The \
                 addresses were, without credentials:\n"
            ),
        );
        let pushes: Vec<String> = plan.identity.remotes.iter().map(|(_, url)| push(url)).collect();
        shell_block(out, &pushes.join("\n"));
    }
    line(
        out,
        format_args!(
            "## What this does not clean\n\n\
             - Forks, and clones on other machines: each is cleaned in the same way, or deleted and cloned anew. One \
             push from an old clone brings everything back.\n\
             - Refs of pull or merge requests on the server (`refs/pull/*`, `refs/merge-requests/*`): pushes cannot \
             change them; ask the operator of the server.\n\
             - Caches and views of the server by commit name, until it collects garbage: ask its operator.\n\
             - Logs and artefacts of CI, container images, packages and releases built from these commits, backups, \
             mirrors, search indexes, mails.\n\
             - Submodules, Git LFS objects, and other worktrees' uncommitted files."
        ),
    );
}

/// The commands that clean, as seen from a directory in which `plan` is the directory of the plan.
fn commands(plan: &Plan, place: &str) -> String {
    format!("{}\n{COLLECT}", filter(plan, place))
}

/// What ends the old objects once nothing leads to them.
const COLLECT: &str = "git reflog expire --expire=now --expire-unreachable=now --all\n\
                       git -c gc.cruftPacks=false gc --quiet --prune=now";

fn filter(plan: &Plan, place: &str) -> String {
    let strip = match plan.stripped.is_empty() {
        true => String::new(),
        false => format!(" \\\n    --strip-blobs-with-ids {place}/{STRIPPED}"),
    };
    format!(
        "git filter-repo --force --replace-text {place}/{REPLACEMENTS} --replace-message {place}/{REPLACEMENTS}{strip}"
    )
}

fn proof(plan: &Plan) -> String {
    format!("stanch history -C {}{}", shell(&plan.repository), options(plan))
}

fn options(plan: &Plan) -> String {
    plan.options.iter().map(|option| format!(" {}", word(option.as_bytes()))).collect()
}

/// A script that cleans the repository it is given, and proves the result.
pub(super) fn script(plan: &Plan) -> Vec<u8> {
    let options = options(plan);
    let filter = filter(plan, "\"$plan\"");
    let filter = match plan.has_long_names {
        false => filter,
        // What it wrote stays written; nobody but the proof says that it was enough.
        true => format!(
            r#"if ! {filter}; then
    echo "git-filter-repo stopped; versions before 2.47 do so with SHA-256 names and annotated tags" >&2
    echo "when the new history is written, so the steps go on, and the proof at their end decides" >&2
    if [ "$(git rev-parse --is-bare-repository)" = false ]; then
        git reset --hard --quiet
    fi
fi"#
        ),
    };
    format!(
        r#"#!/bin/sh
# Cleans the history of a repository of the secrets that plan.md lists, and proves the result.
# Usage: sh clean.sh REPOSITORY

set -eu

if [ "$#" -ne 1 ]; then
    echo "usage: sh clean.sh REPOSITORY" >&2
    exit 2
fi
plan=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
cd -- "$1"
if ! git filter-repo --version >/dev/null 2>&1; then
    echo "git-filter-repo is not installed: see https://github.com/newren/git-filter-repo" >&2
    exit 2
fi
if [ "$(git rev-parse --is-bare-repository)" = false ] && [ -n "$(git status --porcelain --untracked-files=no)" ]; then
    echo "there are uncommitted changes, and cleaning would take them away: commit them first" >&2
    exit 2
fi

{filter}
{COLLECT}

exec stanch history{options}
"#
    )
    .into_bytes()
}

/// The plan as one JSON object, secrets redacted.
///
/// Members: `version` (1), `complete`, `repository`, `remotes`, `files_removed` (names of blobs that go as a whole),
/// `secrets`, each with `fingerprint`, `rules`, `severity`, `provider`, `description`, `redacted`, `exposed`
/// (`head`, `branch`, `remote`, `tag`, `notes`, `other-ref`, `stash`, `reflog`, `unreachable`), `in_head`,
/// `local_only`, `first` and `last` (each with `commit`, `author_name`, `author_email`, `time`), `places` (`path`,
/// `line`, `exposed`), `revoke`, `reference`, `warnings`.
pub(super) fn json(plan: &Plan) -> Vec<u8> {
    let document = JsonPlan {
        version: 1,
        complete: plan.is_complete,
        repository: plan.repository.to_string_lossy().into_owned(),
        remotes: plan.identity.remotes.iter().map(|(_, url)| url.as_str()).collect(),
        files_removed: plan.stripped.iter().map(ToString::to_string).collect(),
        secrets: plan.secrets.iter().map(JsonSecret::new).collect(),
    };
    let mut json = serde_json::to_vec_pretty(&document).expect("strings and numbers always become JSON");
    json.push(b'\n');
    json
}

#[derive(Serialize)]
struct JsonPlan<'p> {
    version: u32,
    complete: bool,
    repository: String,
    remotes: Vec<&'p str>,
    files_removed: Vec<String>,
    secrets: Vec<JsonSecret<'p>>,
}

#[derive(Serialize)]
struct JsonSecret<'p> {
    fingerprint: String,
    rules: Vec<&'p str>,
    severity: &'static str,
    provider: &'p str,
    description: &'p str,
    redacted: String,
    exposed: Vec<&'static str>,
    in_head: bool,
    local_only: bool,
    first: Option<JsonCommit>,
    last: Option<JsonCommit>,
    places: Vec<JsonPlace>,
    revoke: Option<&'p str>,
    reference: Option<&'p str>,
    warnings: &'p [&'static str],
}

#[derive(Serialize)]
struct JsonCommit {
    commit: String,
    author_name: String,
    author_email: String,
    time: Option<String>,
}

#[derive(Serialize)]
struct JsonPlace {
    path: String,
    line: u64,
    exposed: Vec<&'static str>,
}

impl<'p> JsonSecret<'p> {
    fn new(secret: &'p PlannedSecret) -> Self {
        let rule = &secret.rules[0];
        let commit = |info: &CommitInfo| JsonCommit {
            commit: info.id.to_string(),
            author_name: info.author_name.to_string(),
            author_email: info.author_email.to_string(),
            time: time(info),
        };
        Self {
            fingerprint: secret.fingerprint.to_string(),
            rules: secret.rules.iter().map(|rule| rule.id.as_str()).collect(),
            severity: rule.severity.name(),
            provider: &rule.provider,
            description: &rule.description,
            redacted: secret.secret.redacted(),
            exposed: secret.reached_by.iter().map(|reach| reach.name()).collect(),
            in_head: secret.in_head,
            local_only: secret.is_local_only,
            first: secret.first.as_ref().map(commit),
            last: secret.last.as_ref().map(commit),
            places: secret
                .places
                .iter()
                .map(|place| JsonPlace {
                    path: place.path.to_string(),
                    line: place.line,
                    exposed: place.reached_by.iter().map(|reach| reach.name()).collect(),
                })
                .collect(),
            revoke: rule.revoke.as_deref(),
            reference: rule.reference.as_deref(),
            warnings: &secret.warnings,
        }
    }
}

fn commit(info: &CommitInfo) -> String {
    let time = time(info).unwrap_or_else(|| "an unknown time".to_owned());
    format!("{} by {} at {time}", info.id.short(), name(&info.author_name))
}

fn time(info: &CommitInfo) -> Option<String> {
    let offset = Offset::from_seconds(info.offset_minutes.checked_mul(60)?).ok()?;
    let time = Timestamp::from_second(info.time_seconds).ok()?;
    Some(time.display_with_offset(offset).to_string())
}

fn push(url: &str) -> String {
    format!("git push --force --mirror {}", word(url.as_bytes()))
}

/// A name as text in which nothing is markup.
fn name(bytes: &BString) -> String {
    escape_bytes(bytes).replace(['`', '<', '>', '[', ']', '*', '\\'], "?")
}

/// A span of code; what would end it is replaced.
fn code(text: &str) -> String {
    format!("`{}`", escape(text).replace('`', "'"))
}

fn code_bytes(bytes: &BString) -> String {
    format!("`{}`", escape_bytes(bytes).replace('`', "'"))
}

fn shown(path: &Path) -> String {
    code(&path.display().to_string())
}

fn shell(path: &Path) -> String {
    word(&Vec::from_path_lossy(path))
}

/// One word of a shell, without quotes where none are needed.
fn word(bytes: &[u8]) -> String {
    let is_plain = |&byte: &u8| byte.is_ascii_alphanumeric() || b"-_./:@%+=,".contains(&byte);
    match !bytes.is_empty() && bytes.iter().all(is_plain) {
        true => bytes.to_str_lossy().into_owned(),
        false => quote::shell_word(bytes.as_bstr()).unwrap_or_else(|| "REPOSITORY".to_owned()),
    }
}

fn shell_block(out: &mut String, commands: &str) {
    line(out, format_args!("```sh\n{commands}\n```\n"));
}

fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    writeln!(out, "{text}").expect("a string takes any text");
}
