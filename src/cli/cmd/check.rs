//! `stanch check`.

use std::fmt::Write;

use anyhow::{Context, Result, bail};
use stanch::config::nearest;
use stanch::git::Repository;
use stanch::hygiene::{self, ITEM_KINDS, Options, Report, Verdict};
use stanch::report::{Verbosity, text};

use crate::cli::args::{CheckArgs, GlobalArgs, MatchArgs, ReportFormat};
use crate::cli::exit::Exit;
use crate::cli::outputs::{self, Output};
use crate::cli::plan::{Engine, OutputPlan, PathForm, load_config};
use crate::cli::terminal;

pub fn run(args: &CheckArgs, global: &GlobalArgs, output: &OutputPlan) -> Result<Exit> {
    for one in &output.outputs {
        if !matches!(
            one.format,
            ReportFormat::Human | ReportFormat::Json | ReportFormat::Jsonl | ReportFormat::Sarif
        ) {
            bail!(
                "`check` has the forms human, json, jsonl and sarif, and not {}",
                outputs::name(one.format)
            );
        }
    }
    if args.list {
        return list(output);
    }
    let repository = Repository::open(&args.repo.dir)?;
    let check = Check::new(&repository, args, global)?;
    let mut report = check.report()?;
    let mut fixed = Ok(());
    if args.fix && !report.missing_lines.is_empty() {
        match hygiene::fix(&repository, &report) {
            Ok(done) => {
                tell_added(&done, output);
                report = check.report()?;
            }
            // What is wrong is reported all the same.
            Err(error) => fixed = Err(error),
        }
    }
    write(&report, output)?;
    fixed?;
    Ok(match report.verdict() {
        Verdict::Fine => Exit::Clean,
        Verdict::Wrong => Exit::Findings,
        Verdict::Incomplete => Exit::Incomplete,
    })
}

struct Check<'c> {
    repository: &'c Repository,
    options: Options,
    engine: Option<Engine>,
    only: &'c [String],
    skip: Vec<String>,
}

impl<'c> Check<'c> {
    fn new(repository: &'c Repository, args: &'c CheckArgs, global: &GlobalArgs) -> Result<Self> {
        let mut options = Options::default();
        let mut skip = args.skip.clone();
        let mut engine = None;
        // A bare repository has nothing to check, which the check itself says.
        if let Some(work_dir) = repository.work_dir() {
            let places = [work_dir.to_path_buf()];
            let (config, _) = load_config(global, &places)?;
            options.required.extend(hygiene::required_by_frameworks(work_dir));
            let more = config.check_required.iter().map(|line| hygiene::required_by_configuration(line));
            options.required.extend(more);
            skip.extend(config.check_skip);
            engine = Some(Engine::new(global, &MatchArgs::default(), &places, PathForm::AsTyped)?);
        }
        let known: Vec<&str> = ITEM_KINDS.iter().map(|kind| kind.id).collect();
        if let Some(id) = args.only.iter().chain(&skip).find(|id| !known.contains(&id.as_str())) {
            let hint =
                nearest(id, &known).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
            bail!("there is no item `{id}`{hint} (`stanch check --list` shows all)");
        }
        Ok(Self { repository, options, engine, only: &args.only, skip })
    }

    fn report(&self) -> Result<Report> {
        let mut report = hygiene::check(self.repository, &self.options)?;
        if let Some(engine) = &self.engine {
            hygiene::check_content(self.repository, &engine.scanner, engine.threads(), &mut report)
                .context("cannot look at the content of the working tree")?;
        }
        hygiene::check_guards(self.repository, std::env::var_os("PATH").as_deref(), &mut report);
        report.choose(self.only, &self.skip);
        Ok(report)
    }
}

fn list(output: &OutputPlan) -> Result<Exit> {
    let mut lines = String::new();
    for kind in ITEM_KINDS {
        writeln!(lines, "{:<30} {}", kind.id, kind.title)?;
    }
    output.target.write(false, |out| out.write_all(lines.as_bytes()))?;
    Ok(Exit::Clean)
}

fn tell_added(done: &hygiene::Fixed, output: &OutputPlan) {
    if output.verbosity > Verbosity::Quiet {
        let path = done.path.display().to_string();
        terminal::say(&format!("added to {}: {}", text::escape(&path), done.added.join(" ")));
    }
}

fn write(report: &Report, output: &OutputPlan) -> Result<()> {
    for Output { format, target, .. } in &output.outputs {
        let text = match format {
            ReportFormat::Human
                if output.verbosity == Verbosity::Quiet && report.verdict() == Verdict::Fine =>
            {
                String::new()
            }
            ReportFormat::Sarif => hygiene::sarif(report),
            ReportFormat::Json | ReportFormat::Jsonl => hygiene::json(report),
            _ => hygiene::human(report),
        };
        target.write(false, |out| out.write_all(text.as_bytes()))?;
    }
    if !output.outputs.iter().any(Output::is_for_people) {
        for problem in &report.problems {
            terminal::complain(&format!("cannot look at {}: {}", problem.name, problem.message));
        }
    }
    Ok(())
}
