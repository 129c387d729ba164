//! `stanch hook`.

use std::path::Path;

use anyhow::{Context, Result};
use serde::Serialize;
use stanch::git::Repository;
use stanch::git::hooks::ConfiguredHooks;
use stanch::hygiene::hook::{self, HookState, HookStatus, InstallChange, Installed, Uninstalled};
use stanch::report::{Verbosity, text};

use crate::cli::args::{Format, HookAction, HookArgs, RepoArgs};
use crate::cli::exit::Exit;
use crate::cli::plan::OutputPlan;

pub fn run(args: &HookArgs, output: &OutputPlan) -> Result<Exit> {
    match &args.action {
        HookAction::Install(repo) => install(repo, output),
        HookAction::Uninstall(repo) => uninstall(repo, output),
        HookAction::Status(repo) => status(repo, output),
    }
}

fn install(repo: &RepoArgs, output: &OutputPlan) -> Result<Exit> {
    let repository = Repository::open(&repo.dir)?;
    let binary =
        std::env::current_exe().context("cannot tell where this binary is, to record it in the hook")?;
    let installed = hook::install(&repository, Some(&binary))?;
    say(&install_lines(&installed), output)?;
    Ok(Exit::Clean)
}

fn install_lines(installed: &Installed) -> Vec<String> {
    let what = match installed.change {
        InstallChange::Created => "installed the pre-commit hook",
        InstallChange::Updated => "brought the pre-commit hook up to date",
        InstallChange::Unchanged => "the pre-commit hook is installed already",
        InstallChange::NewerKept => "a newer stanch wrote the pre-commit hook; it stays",
        InstallChange::CalledByForeign => {
            "a hook that is not stanch's runs `stanch staged` already; it stays"
        }
    };
    let mut lines = vec![format!("{what}: {}", shown(&installed.path))];
    if let Some(configured) = installed.configured.as_ref().filter(|configured| configured.is_shared()) {
        lines.push(format!(
            "note: {}, so it runs in every repository that uses that directory",
            configured_shown(configured)
        ));
    }
    let is_ours = !matches!(installed.change, InstallChange::CalledByForeign | InstallChange::NewerKept);
    if is_ours && !installed.recorded_binary {
        lines.push(
            "note: the hook may be committed here, so it holds no path of this machine: stanch has to be on PATH"
                .to_owned(),
        );
    }
    lines
}

fn uninstall(repo: &RepoArgs, output: &OutputPlan) -> Result<Exit> {
    let line = match hook::uninstall(&Repository::open(&repo.dir)?)? {
        Uninstalled::Removed { path } => format!("removed the pre-commit hook: {}", shown(&path)),
        Uninstalled::NoneThere { path } => {
            format!("there is no pre-commit hook of stanch at {}", shown(&path))
        }
    };
    say(&[line], output)?;
    Ok(Exit::Clean)
}

fn status(repo: &RepoArgs, output: &OutputPlan) -> Result<Exit> {
    let status = hook::status(&Repository::open(&repo.dir)?, std::env::var_os("PATH").as_deref())?;
    if output.format == Format::Human {
        say(&status_lines(&status), output)?;
    } else {
        write_json(&status, output)?;
    }
    Ok(if status.runs() { Exit::Clean } else { Exit::Findings })
}

fn status_lines(status: &HookStatus) -> Vec<String> {
    let detail = match &status.state {
        HookState::Installed => "each commit is checked".to_owned(),
        HookState::Outdated { .. } => {
            "each commit is checked, but this stanch would write another hook: `stanch hook install`"
                .to_owned()
        }
        HookState::CalledByForeign => "a hook that is not stanch's runs `stanch staged`".to_owned(),
        HookState::Foreign => format!(
            "a hook that is not stanch's is there and does not check for secrets; add the line: {}",
            hook::LINE_TO_ADD
        ),
        HookState::Missing => "commits are not checked: `stanch hook install`".to_owned(),
        HookState::NotExecutable => {
            "commits are not checked: git runs only executable hooks; `chmod +x` it, or `stanch hook install`"
                .to_owned()
        }
        HookState::Shadowed { by_default_in } => format!(
            "commits are not checked: the hook is {}, where git does not look; `stanch hook install` puts it right",
            shown(by_default_in)
        ),
        HookState::Disabled => {
            "commits are not checked: git finds no hooks in what is no directory".to_owned()
        }
        HookState::BinaryMissing => {
            "each commit is blocked: the hook does not find stanch; `stanch hook install` records this one"
                .to_owned()
        }
    };
    let mut lines = vec![format!("{}: {}", status.state.name(), shown(&status.path)), detail];
    lines.extend(status.configured.as_ref().map(configured_shown));
    lines
}

fn configured_shown(configured: &ConfiguredHooks) -> String {
    format!(
        "core.hooksPath is `{}` in the {} configuration",
        text::escape(&configured.value),
        configured.scope.name()
    )
}

fn shown(path: &Path) -> String {
    text::escape(&path.display().to_string()).into_owned()
}

fn say(lines: &[String], output: &OutputPlan) -> Result<()> {
    if output.verbosity == Verbosity::Quiet {
        return Ok(());
    }
    output.target.write(false, |out| lines.iter().try_for_each(|line| writeln!(out, "{line}")))
}

/// The answer of `stanch hook status` in the JSON formats.
#[derive(Serialize)]
struct StatusRecord<'s> {
    version: u32,
    hook: &'static str,
    state: &'static str,
    runs: bool,
    path: String,
    hooks_path: Option<&'s str>,
    hooks_path_scope: Option<&'static str>,
}

fn write_json(status: &HookStatus, output: &OutputPlan) -> Result<()> {
    let configured = status.configured.as_ref();
    let record = StatusRecord {
        version: 1,
        hook: "pre-commit",
        state: status.state.name(),
        runs: status.runs(),
        path: status.path.to_string_lossy().into_owned(),
        hooks_path: configured.map(|configured| configured.value.as_str()),
        hooks_path_scope: configured.map(|configured| configured.scope.name()),
    };
    output.target.write(false, |out| {
        serde_json::to_writer(&mut *out, &record)?;
        writeln!(out)
    })
}
