//! `stanch hook`.

use std::cell::Cell;
use std::ffi::OsString;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use bstr::{BString, ByteVec};
use serde::Serialize;
use stanch::git::Repository;
use stanch::git::hooks::ConfiguredHooks;
use stanch::git::push::{pre_push_lines, pre_receive_lines};
use stanch::hygiene::hook::{
    self, HookName, HookState, HookStatus, InstallChange, Installed, Method, Proof, Removed, Way,
};
use stanch::report::{Verbosity, text};

use super::scan;
use crate::cli::args::{
    Format, GlobalArgs, HookAction, HookArgs, HookInstallArgs, HookMethod, HookRunArgs, HookSelection,
    HookStatusArgs, RepoArgs, StagedArgs,
};
use crate::cli::exit::Exit;
use crate::cli::plan::OutputPlan;
use crate::cli::terminal;

pub fn run(args: HookArgs, global: &GlobalArgs, output: &OutputPlan) -> Result<Exit> {
    match args.action {
        HookAction::Install(args) => install(&args, output),
        HookAction::Uninstall(args) => uninstall(&args, output),
        HookAction::Status(args) => status(&args, output),
        HookAction::Run(args) => work(args, global, output),
    }
}

fn install(args: &HookInstallArgs, output: &OutputPlan) -> Result<Exit> {
    let HookSelection { hooks, repo } = &args.selection;
    let repository = Repository::open(&repo.dir)?;
    let binary =
        std::env::current_exe().context("cannot tell where this binary is, to record it in the hook")?;
    let method = match args.method {
        HookMethod::Auto => Method::Auto,
        HookMethod::File => Method::File,
        HookMethod::Config => Method::Config,
    };
    let hooks = if hooks.is_empty() { &[HookName::PreCommit][..] } else { hooks };
    each(hooks, output, |hook| Ok(install_lines(&hook::install(&repository, hook, method, Some(&binary))?)))
}

/// Does something for each hook and says what came of it. One that fails does not keep the others from being done.
fn each(
    hooks: &[HookName],
    output: &OutputPlan,
    act: impl Fn(HookName) -> Result<Vec<String>>,
) -> Result<Exit> {
    let mut lines = Vec::new();
    let mut errors = Vec::new();
    for &hook in hooks {
        match act(hook) {
            // What goes for several hooks is said once.
            Ok(more) => more.into_iter().for_each(|line| {
                if !line.starts_with("note: ") || !lines.contains(&line) {
                    lines.push(line);
                }
            }),
            Err(error) => errors.push(format!("{}: {error:#}", hook.name())),
        }
    }
    say(&lines, output)?;
    errors.iter().for_each(|error| terminal::complain(error));
    Ok(Exit::of(errors.is_empty(), false))
}

fn install_lines(installed: &Installed) -> Vec<String> {
    let name = installed.hook.name();
    let what = match installed.change {
        InstallChange::Created => format!("installed the {name} hook"),
        InstallChange::Updated => format!("brought the {name} hook up to date"),
        InstallChange::Unchanged => format!("the {name} hook is installed already"),
        InstallChange::NewerKept => format!("a newer stanch wrote the {name} hook; it stays"),
        InstallChange::CalledByForeign => {
            format!("a {name} hook that is not stanch's runs stanch already; it stays")
        }
    };
    let mut lines = vec![format!("{what}: {}", shown(&installed.path))];
    if installed.change == InstallChange::CalledByForeign {
        return lines;
    }
    match installed.way {
        Way::Config => lines.push(
            "note: git's configuration names it, which older versions of git and some other programs do not read; \
             for those: `stanch hook install --method file`"
                .to_owned(),
        ),
        Way::Legacy => lines.push("note: the hook manager that is installed here runs it first".to_owned()),
        Way::Husky => lines
            .push("note: husky runs it; the file is part of the repository, so commit the change".to_owned()),
        Way::File => {}
    }
    if let Some(kept) = &installed.kept {
        lines.push(format!(
            "note: the hook that was there is {} now and goes on running; `stanch hook uninstall` puts it back",
            shown(kept)
        ));
    }
    if let Some(configured) = installed.configured.as_ref().filter(|configured| configured.is_shared()) {
        lines.push(format!(
            "note: {}, so it runs in every repository that uses that directory",
            configured_shown(configured)
        ));
    }
    if installed.change != InstallChange::NewerKept && !installed.recorded_binary {
        lines.push(
            "note: the hook may be committed here, so it holds no path of this machine: stanch has to be on PATH"
                .to_owned(),
        );
    }
    lines
}

fn uninstall(args: &HookSelection, output: &OutputPlan) -> Result<Exit> {
    let repository = Repository::open(&args.repo.dir)?;
    let names_none = args.hooks.is_empty();
    let hooks = if names_none { &HookName::ALL[..] } else { &args.hooks };
    let nothing = |name: &str| vec![format!("there is no {name} of stanch here")];
    let any = Cell::new(false);
    let exit = each(hooks, output, |hook| {
        let removed = hook::uninstall(&repository, hook)?;
        any.set(any.get() || !removed.is_empty());
        if removed.is_empty() && !names_none {
            return Ok(nothing(&format!("{} hook", hook.name())));
        }
        Ok(removed.iter().map(|removed| removed_line(hook, removed)).collect())
    })?;
    if names_none && !any.get() && exit == Exit::Clean {
        say(&nothing("hook"), output)?;
    }
    Ok(exit)
}

fn removed_line(hook: HookName, removed: &Removed) -> String {
    match removed {
        Removed::Ours { path } => format!("removed the {} hook: {}", hook.name(), shown(path)),
        Removed::PutBack { path } => {
            format!("the {} hook that was there before is back: {}", hook.name(), shown(path))
        }
    }
}

fn status(args: &HookStatusArgs, output: &OutputPlan) -> Result<Exit> {
    let HookSelection { hooks, repo } = &args.selection;
    let repository = Repository::open(&repo.dir)?;
    let search_path = std::env::var_os("PATH");
    let look = |hook| hook::status(&repository, hook, search_path.as_deref());
    let mut found = Vec::new();
    if hooks.is_empty() {
        let expected =
            if repository.work_dir().is_some() { HookName::PreCommit } else { HookName::PreReceive };
        for hook in HookName::ALL {
            let status = look(hook)?;
            // Without a word of the user those count that are there, and the one that everybody wants.
            if hook == expected || status.way.is_some() || status.state == HookState::CalledByForeign {
                found.push(status);
            }
        }
    } else {
        for &hook in hooks {
            found.push(look(hook)?);
        }
    }
    let mut answers = Vec::new();
    for status in found {
        let is_run = status.runs() && !args.no_proof;
        let proof = is_run.then(|| hook::prove(&repository, &status)).transpose()?;
        answers.push((status, proof));
    }
    match output.format {
        Format::Human => say(&answers.iter().flat_map(status_lines).collect::<Vec<_>>(), output)?,
        _ => write_json(&answers, output)?,
    }
    let is_unclear = |(_, proof): &Answer| matches!(proof, Some(Proof::Unclear { .. }));
    let all_run = answers.iter().all(stops);
    Ok(Exit::of(!answers.iter().any(is_unclear), !all_run))
}

type Answer = (HookStatus, Option<Proof>);

/// Whether the hook stops a secret, as far as anybody looked.
fn stops((status, proof): &Answer) -> bool {
    status.runs() && matches!(proof, None | Some(Proof::Stopped))
}

fn status_lines((status, proof): &Answer) -> Vec<String> {
    let hook = status.hook;
    let subject = match hook {
        HookName::PreCommit => "commits",
        HookName::PreMergeCommit => "merges",
        HookName::CommitMsg => "messages",
        HookName::PrePush | HookName::PreReceive => "pushes",
    };
    let install = format!("`stanch hook install {}`", hook.name());
    let detail = match &status.state {
        HookState::Installed => format!("{subject} are checked"),
        HookState::Outdated { .. } => {
            format!("{subject} are checked, but this stanch would write another hook: {install}")
        }
        HookState::CalledByForeign => {
            format!("{subject} are checked: a hook that is not stanch's runs stanch")
        }
        HookState::Foreign => {
            format!("{subject} are not checked: the hook that is there does not look for secrets: {install}")
        }
        HookState::Missing => format!("{subject} are not checked: {install}"),
        HookState::NotExecutable => {
            format!("{subject} are not checked: git runs only executable hooks; `chmod +x` it, or {install}")
        }
        HookState::Shadowed { by_default_in } => format!(
            "{subject} are not checked: the hook is {}, where git does not look; {install} puts it right",
            shown(by_default_in)
        ),
        HookState::Disabled => {
            format!("{subject} are not checked: git finds no hooks in what is no directory")
        }
        HookState::SwitchedOff { key } => {
            format!("{subject} are not checked: `{key}` is false in git's configuration")
        }
        HookState::NotSupported => format!(
            "{subject} are not checked: the git on PATH does not know hooks in its configuration; \
             `stanch hook install --method file {}`",
            hook.name()
        ),
        HookState::BinaryMissing => format!(
            "every {} is blocked: the hook does not find stanch; {install} records this one",
            hook.what()
        ),
    };
    let mut lines =
        vec![format!("{}: {}: {}", hook.name(), status.state.name(), shown(&status.path)), detail];
    lines.extend(proof.as_ref().map(|proof| match proof {
        Proof::Stopped => "proof: a made-up token in a scratch repository was stopped".to_owned(),
        Proof::NotStopped => {
            "proof: a made-up token in a scratch repository was NOT stopped, so do not rely on it".to_owned()
        }
        Proof::Unclear { said } => format!(
            "proof: none: git stopped in the scratch repository, but not because of the made-up token: {}",
            text::escape(said)
        ),
    }));
    lines.extend(status.configured.as_ref().map(configured_shown));
    lines
}

/// Does what git calls a hook for.
fn work(args: HookRunArgs, global: &GlobalArgs, output: &OutputPlan) -> Result<Exit> {
    let here = Path::new(".");
    let matching = &args.matching;
    match args.hook {
        HookName::PreCommit | HookName::PreMergeCommit if !args.arguments.is_empty() => {
            let files = args.arguments.iter().map(PathBuf::from).collect();
            scan::staged_and_files(files, matching, global, output)
        }
        HookName::PreCommit | HookName::PreMergeCommit => {
            let staged = StagedArgs { repo: RepoArgs { dir: here.into() }, matching: args.matching };
            scan::staged(&staged, global, output)
        }
        HookName::CommitMsg => {
            let Some(file) = args.arguments.first().map(Path::new) else {
                bail!("commit-msg needs the message file as its argument, as git gives it: \"$@\"");
            };
            let repository = Repository::open(here)?;
            let message = std::fs::read(file)
                .with_context(|| format!("cannot read the commit message {}", file.display()))?;
            // Git says so to its hooks where nobody edits the message.
            let has_editor = std::env::var_os("GIT_EDITOR").is_none_or(|editor| editor != ":");
            let message = repository.message_cleanup(has_editor).apply(&message);
            scan::message(message, "commit message".into(), &repository, matching, global, output)
        }
        HookName::PrePush => {
            let updates = pre_push_lines(&standard_input()?)?;
            let repository = Repository::open(here)?;
            let remote = args.arguments.first().cloned().unwrap_or_default();
            let pushed = repository.outgoing(&updates, &bytes(remote))?;
            scan::push(pushed, &repository, matching, global, output)
        }
        HookName::PreReceive => {
            let updates = pre_receive_lines(&standard_input()?)?;
            let repository = Repository::open(here)?;
            let pushed = repository.incoming(&updates)?;
            scan::push(pushed, &repository, matching, global, output)
        }
    }
}

fn standard_input() -> Result<Vec<u8>> {
    let mut input = Vec::new();
    io::stdin().read_to_end(&mut input).context("cannot read what git tells the hook on standard input")?;
    Ok(input)
}

fn bytes(text: OsString) -> BString {
    Vec::from_os_string(text).unwrap_or_default().into()
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
    hooks: Vec<HookRecord<'s>>,
}

#[derive(Serialize)]
struct HookRecord<'s> {
    hook: &'static str,
    state: &'static str,
    /// How git comes to it: `file`, `config`, `legacy` or `husky`; null where it is not ours.
    way: Option<&'static str>,
    /// Whether it stops a secret, as far as anybody looked.
    runs: bool,
    /// `stopped`, `not-stopped` or `unclear`; null where nothing was tried.
    proof: Option<&'static str>,
    path: String,
    hooks_path: Option<&'s str>,
    hooks_path_scope: Option<&'static str>,
}

fn write_json(answers: &[Answer], output: &OutputPlan) -> Result<()> {
    let hooks = answers.iter().map(|answer| {
        let (status, proof) = answer;
        let configured = status.configured.as_ref();
        HookRecord {
            hook: status.hook.name(),
            state: status.state.name(),
            way: status.way.map(Way::name),
            runs: stops(answer),
            proof: proof.as_ref().map(|proof| match proof {
                Proof::Stopped => "stopped",
                Proof::NotStopped => "not-stopped",
                Proof::Unclear { .. } => "unclear",
            }),
            path: status.path.to_string_lossy().into_owned(),
            hooks_path: configured.map(|configured| configured.value.as_str()),
            hooks_path_scope: configured.map(|configured| configured.scope.name()),
        }
    });
    let record = StatusRecord { version: 2, hooks: hooks.collect() };
    output.target.write(false, |out| {
        serde_json::to_writer(&mut *out, &record)?;
        writeln!(out)
    })
}
