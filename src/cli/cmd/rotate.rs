//! `stanch rotate check`: is the old value dead and gone, and does the new one work?

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use bstr::ByteSlice;
use stanch::coverage::Problem;
use stanch::git::Repository;
use stanch::residue::{self, Place, Residue};
use stanch::rule::Rule;
use stanch::secret::Secret;
use stanch::verify::checks::{Check, Status};
use stanch::verify::pace::SystemClock;
use stanch::verify::{self, checks, rotation};

use super::verify::{document, http, of_value, options, rule_of, write};
use crate::cli::args::{Format, GlobalArgs, MatchArgs, RotateAction, RotateArgs, RotateCheckArgs};
use crate::cli::exit::Exit;
use crate::cli::plan::{Engine, OutputPlan, PathForm, slashed};
use crate::cli::values::ValueSource;

pub fn run(args: RotateArgs, global: &GlobalArgs, output: &OutputPlan) -> Result<Exit> {
    let RotateAction::Check(args) = args.action;
    let repository = Repository::open(&args.repo.dir)?;
    let root = repository.work_dir().unwrap_or_else(|| repository.git_dir()).to_path_buf();
    let engine = Engine::new(
        global,
        &MatchArgs { no_baseline: true, ..MatchArgs::default() },
        &[root],
        PathForm::FromRoot,
    )?;
    let (old, new) = values(&args)?;
    let typed: Vec<String> = args.rule.clone().into_iter().collect();
    let rule = |secret: &Secret, name: &str| {
        rule_of(secret, &engine, &typed).with_context(|| format!("the {name} value cannot be checked"))
    };
    let (old_rule, new_rule) = (rule(&old, "old")?, rule(&new, "new")?);
    if old_rule.provider != new_rule.provider {
        bail!(
            "the old value is of {} and the new one of {}: that is no rotation",
            name_of(old_rule),
            name_of(new_rule)
        );
    }
    let asking = options(&args.ask, engine.scanner.rules(), false)?;
    let trust = args.ask.custom_requests;
    let subjects =
        [of_value(old_rule, old.clone(), &args.old, trust), of_value(new_rule, new, &args.new, trust)];
    let verdicts = verify::verify(&subjects, &asking, &http(&args.ask.network), &SystemClock);
    let mut list =
        rotation::checks((&subjects[0], &verdicts[0]), (&subjects[1], &verdicts[1]), args.account.as_deref());
    let mut problems = Vec::new();
    list.extend(residue_checks(&repository, args.paths, &old, engine.threads(), &mut problems));
    let is = |status| list.iter().any(|check: &Check| check.status == status);
    let exit = Exit::of(!is(Status::Unknown) && problems.is_empty(), is(Status::Fail) || is(Status::Warn));
    let verdict = match exit {
        Exit::Clean => "the rotation is complete",
        Exit::Findings => "the rotation is NOT complete",
        Exit::Incomplete => "whether the rotation is complete could not be told",
    };
    let report = match output.format {
        Format::Human => checks::table(&list, verdict),
        Format::Json | Format::Jsonl => document(checks::document(&list, verdict), &problems, output.format),
    };
    write(&report, &problems, output)?;
    Ok(exit)
}

fn values(args: &RotateCheckArgs) -> Result<(Secret, Secret)> {
    let old = ValueSource::parse("--old", &args.old)?;
    let new = ValueSource::parse("--new", &args.new)?;
    if old == new {
        bail!("--old and --new read the same place");
    }
    let (old, new) = (old.read()?, new.read()?);
    if old == new {
        bail!("the old and the new value are the same: nothing was rotated");
    }
    Ok((old, new))
}

fn name_of(rule: &Rule) -> &str {
    if rule.provider.is_empty() { &rule.id } else { &rule.provider }
}

/// Looks for the old value everywhere where it would still be used.
fn residue_checks(
    repository: &Repository,
    mut paths: Vec<PathBuf>,
    old: &Secret,
    threads: usize,
    problems: &mut Vec<Problem>,
) -> Vec<Check> {
    let root = repository.work_dir().map(PathBuf::from);
    let prefix = root.as_deref().map(slashed).unwrap_or_default();
    paths.extend(root);
    let has_files = !paths.is_empty();
    let disk = if has_files { residue::in_files(paths, old, threads) } else { Residue::default() };
    // Paths of the repository are told from its root, others as they were typed.
    let shorten = |path: &bstr::BString| {
        let below = path.strip_prefix(prefix.as_bytes()).and_then(|rest| rest.strip_prefix(b"/"));
        below.unwrap_or(path).as_bstr().to_owned()
    };
    let disk = Residue { found: disk.found.iter().map(shorten).collect(), ..disk };
    let of = |place| Residue {
        found: disk.found.iter().filter(|path| residue::place_of(path.as_bstr()) == place).cloned().collect(),
        ..disk.clone()
    };
    let mut list = Vec::new();
    if has_files {
        list.push(gone("gone-from-tree", &of(Place::Tree)));
        list.push(gone("gone-from-ci", &of(Place::Ci)));
        list.push(gone("gone-from-build-output", &of(Place::Build)));
    }
    problems.extend(disk.problems);
    // A bare repository has neither files nor an index.
    if repository.work_dir().is_some() {
        let index = residue::in_index(repository, old);
        list.push(gone("gone-from-index", &index));
        problems.extend(index.problems);
    }
    let tip = residue::in_tip(repository, old);
    list.push(gone("gone-from-head", &tip));
    problems.extend(tip.problems);
    problems.sort();
    problems.dedup();
    list
}

fn gone(id: &'static str, residue: &Residue) -> Check {
    let (status, message) = match (residue.found.len(), residue.problems.len()) {
        (0, 0) => (Status::Pass, format!("not in any of {} files", residue.searched)),
        (0, unread) => (Status::Unknown, format!("{unread} could not be searched")),
        (1, _) => (Status::Fail, "the old value is still in".to_owned()),
        (count, _) => (Status::Fail, format!("the old value is still in {count} files")),
    };
    let places = residue.found.iter().map(ToString::to_string).collect();
    Check { id, status, priority: None, message, places }
}
