//! `stanch scan`, `staged`, `history` and `stdin`: a source, the engine, a report.

use std::collections::HashSet;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Result, bail};
use bstr::{BStr, BString, ByteSlice};
use clap::CommandFactory;
use stanch::baseline::FoundIn;
use stanch::config::{nearest, repository_root};
use stanch::filter::allowlist::AllowQuery;
use stanch::finding::Finding;
use stanch::git::Repository;
use stanch::git::push::Pushed;
use stanch::hygiene;
use stanch::report::{Document, Mode, PathBase, Report};
use stanch::rule::schema::RuleKind;
use stanch::scanner::Outcome;
use stanch::source::Source;
use stanch::source::both::Both;
use stanch::source::history::{self, History};
use stanch::source::parallel;
use stanch::source::staged::Staged;
use stanch::source::stdin::Stdin;
use stanch::source::worktree::{Worktree, WorktreeOptions};

use super::plan;
use super::record::Records;
use crate::cli::args::{Cli, GlobalArgs, HistoryArgs, MatchArgs, ScanArgs, StagedArgs, StdinArgs};
use crate::cli::exit::Exit;
use crate::cli::outputs::{deliver, now_seconds};
use crate::cli::plan::{Engine, OutputPlan, PathForm, slashed};
use crate::cli::{progress, terminal};

pub fn scan(args: ScanArgs, global: &GlobalArgs, output: &OutputPlan) -> Result<Exit> {
    let started = Instant::now();
    let paths = if args.paths.is_empty() { vec![PathBuf::from(".")] } else { args.paths };
    let engine = Engine::new(global, &args.matching, &paths, PathForm::AsTyped)?;
    let options = WorktreeOptions { respect_ignore: !args.no_ignore, max_file_bytes: engine.max_file_bytes };
    let (base, is_whole) = (path_base(&paths), engine.covers_root(&paths));
    let records = Records::prepare(&engine, &args.matching, &paths[0])?;
    let records = records.of(&paths, [("no_ignore", args.no_ignore.into())]);
    let run = Run { engine: &engine, output, mode: Mode::Scan, started, is_whole, base, records };
    let slips: Vec<String> = paths.iter().filter_map(|path| mistyped_command(path)).collect();
    let exit = run.finish(&Worktree::new(paths, options), &args.matching);
    slips.iter().for_each(|slip| terminal::say(slip));
    exit
}

pub fn staged(args: &StagedArgs, global: &GlobalArgs, output: &OutputPlan) -> Result<Exit> {
    let started = Instant::now();
    let repository = Repository::open(&args.repo.dir)?;
    let engine = Engine::new(global, &args.matching, &[root_of(&repository)], PathForm::FromRoot)?;
    // Names of files alone are looked at only where that was asked for.
    let asks_for_names = engine.watches_env_files && !args.matching.rules.is_empty();
    if engine.scanner.rules().rules().is_empty() && !asks_for_names {
        bail!(NO_RULE_LEFT);
    }
    let source = Staged::new(repository, engine.max_file_bytes)?;
    let records = Records::prepare(&engine, &args.matching, &args.repo.dir)?;
    let run =
        Run { engine: &engine, output, mode: Mode::Staged, started, is_whole: false, base: None, records };
    let mut outcome = run.scan(&source);
    if engine.watches_env_files {
        let paths: Vec<BString> = source.paths().map(BStr::to_owned).collect();
        add_findings(&engine, hygiene::staged_env_findings(&paths), &mut outcome);
    }
    run.report(&outcome, &args.matching, &[])
}

pub fn history(args: &HistoryArgs, global: &GlobalArgs, output: &OutputPlan) -> Result<Exit> {
    let started = Instant::now();
    let repository = Repository::open(&args.repo.dir).map_err(|error| or_directory(error, &args.ranges))?;
    plan::check_place(args, &repository)?;
    let engine = Engine::new(global, &args.matching, &[root_of(&repository)], PathForm::FromRoot)?;
    let options = history::Options {
        ranges: args.ranges.clone(),
        reachable_only: args.reachable_only,
        allow_shallow: args.allow_shallow,
        no_delta: args.no_delta,
        max_blob_bytes: engine.max_file_bytes,
        cache: args.cache.then(|| engine.scanner.digest()),
    };
    let source = History::open(&args.repo.dir, options).map_err(|error| or_directory(error, &args.ranges))?;
    let is_whole = args.ranges.is_empty() && !args.reachable_only;
    let records = Records::prepare(&engine, &args.matching, &args.repo.dir)?;
    let records = records.of(
        &args.ranges,
        [
            ("reachable_only", args.reachable_only.into()),
            ("allow_shallow", args.allow_shallow.into()),
            ("cache", args.cache.into()),
        ],
    );
    let run = Run { engine: &engine, output, mode: Mode::History, started, is_whole, base: None, records };
    let outcome = run.outcome(&source)?;
    let planned = plan::write(args, &repository, &outcome, global);
    // What was found is reported whatever becomes of the plan.
    let exit = run.report(&outcome, &args.matching, source.keep())?;
    planned.map(|()| exit)
}

/// The error; where a directory was typed in the place of a commit, with how to name it.
fn or_directory(error: impl Into<anyhow::Error>, ranges: &[String]) -> anyhow::Error {
    let error = error.into();
    match ranges.iter().find(|range| Path::new(range).is_dir()) {
        Some(directory) => error.context(format!(
            "`{directory}` is a directory, not a commit (`stanch history -C {directory}` scans the repository in it)"
        )),
        None => error,
    }
}

pub fn stdin(args: &StdinArgs, global: &GlobalArgs, output: &OutputPlan) -> Result<Exit> {
    let started = Instant::now();
    let engine = Engine::new(global, &args.matching, &[PathBuf::from(".")], PathForm::FromRoot)?;
    let name = args.path.as_deref().map(slashed);
    let records = Records::prepare(&engine, &args.matching, Path::new("."))?;
    let run =
        Run { engine: &engine, output, mode: Mode::Stdin, started, is_whole: false, base: None, records };
    run.finish(&Stdin::new(io::stdin(), name), &args.matching)
}

/// What is about to be committed, and of `files` those that hold nothing of it, as they are on disk: hook managers
/// name the files to check, staged or not, and where one is not staged a look at the index alone would pass it unread.
pub fn staged_and_files(
    files: Vec<PathBuf>,
    matching: &MatchArgs,
    global: &GlobalArgs,
    output: &OutputPlan,
) -> Result<Exit> {
    let started = Instant::now();
    let repository = Repository::open(Path::new("."))?;
    let engine = Engine::new(global, matching, &[root_of(&repository)], PathForm::FromRoot)?;
    let staged = Staged::new(repository, engine.max_file_bytes)?;
    let paths: HashSet<BString> = staged.paths().map(BStr::to_owned).collect();
    let others: Vec<PathBuf> = files.into_iter().filter(|file| !paths.contains(&slashed(file))).collect();
    let options = WorktreeOptions { respect_ignore: true, max_file_bytes: engine.max_file_bytes };
    let records = Records::prepare(&engine, matching, Path::new("."))?;
    let run =
        Run { engine: &engine, output, mode: Mode::Staged, started, is_whole: false, base: None, records };
    // Without a path the whole directory would be read.
    let mut outcome = if others.is_empty() {
        run.outcome(&staged)?
    } else {
        run.outcome(&Both(staged, Worktree::new(others, options)))?
    };
    if engine.watches_env_files {
        let paths: Vec<BString> = paths.into_iter().collect();
        add_findings(&engine, hygiene::staged_env_findings(&paths), &mut outcome);
    }
    run.report(&outcome, matching, &[])
}

/// What a push hands on, as git tells it to pre-push and pre-receive.
pub fn push(
    pushed: Pushed,
    repository: &Repository,
    matching: &MatchArgs,
    global: &GlobalArgs,
    output: &OutputPlan,
) -> Result<Exit> {
    gate(Mode::History, repository, matching, global, output, |engine| {
        let options =
            history::Options { max_blob_bytes: engine.max_file_bytes, ..history::Options::default() };
        History::of_push(&root_of(repository), options, pushed)
    })
}

/// The message of a commit that is about to be made.
pub fn message(
    message: Vec<u8>,
    name: BString,
    repository: &Repository,
    matching: &MatchArgs,
    global: &GlobalArgs,
    output: &OutputPlan,
) -> Result<Exit> {
    gate(Mode::Stdin, repository, matching, global, output, |_| {
        Stdin::new(io::Cursor::new(message), Some(name))
    })
}

/// Scans what a hook of a repository was handed.
fn gate<S: Source>(
    mode: Mode,
    repository: &Repository,
    matching: &MatchArgs,
    global: &GlobalArgs,
    output: &OutputPlan,
    source: impl FnOnce(&Engine) -> S,
) -> Result<Exit> {
    let (started, root) = (Instant::now(), root_of(repository));
    let engine = Engine::new(global, matching, std::slice::from_ref(&root), PathForm::FromRoot)?;
    let source = source(&engine);
    let records = Records::prepare(&engine, matching, &root)?;
    Run { engine: &engine, output, mode, started, is_whole: false, base: None, records }
        .finish(&source, matching)
}

/// A hint for a path that is none: `stanch stagde` scans a file of that name.
fn mistyped_command(path: &Path) -> Option<String> {
    let name = path.to_str().filter(|_| !path.exists())?;
    let commands = Cli::command();
    let known: Vec<&str> =
        commands.get_subcommands().filter(|c| !c.is_hide_set()).map(|c| c.get_name()).collect();
    Some(format!("hint: did you mean the command `stanch {}`?", nearest(name, &known)?))
}

const NO_RULE_LEFT: &str = "no rule is left to scan with: check --rule, and `disable` in the configuration";

/// One scan, ready to go.
struct Run<'r> {
    engine: &'r Engine,
    output: &'r OutputPlan,
    mode: Mode,
    started: Instant,
    /// Whether everything is read that the configuration speaks of, so that an unused entry is a stale one.
    is_whole: bool,
    /// Where typed paths start.
    base: Option<PathBase>,
    /// What is kept of it besides the report.
    records: Records,
}

impl Run<'_> {
    fn finish(&self, source: &dyn Source, matching: &MatchArgs) -> Result<Exit> {
        self.report(&self.outcome(source)?, matching, &[])
    }

    fn outcome(&self, source: &dyn Source) -> Result<Outcome> {
        if self.engine.scanner.rules().rules().is_empty() {
            bail!(NO_RULE_LEFT);
        }
        Ok(self.scan(source))
    }

    fn scan(&self, source: &dyn Source) -> Outcome {
        let scanner = &self.engine.scanner;
        // While somebody types, a line of our own would be in the way.
        let is_wanted = self.output.progress && !(self.mode == Mode::Stdin && io::stdin().is_terminal());
        let threads = match source.parts().map(parallel::useful_workers) {
            Some(1) => 1,
            _ => self.engine.threads(),
        };
        progress::watch(is_wanted, |progress| scanner.scan_watched(source, threads, progress))
    }

    fn report(&self, outcome: &Outcome, matching: &MatchArgs, more_notes: &[String]) -> Result<Exit> {
        let is_complete = outcome.coverage.problems.is_empty();
        let is_everything = self.is_whole && is_complete && matching.is_everything();
        let scanned = is_everything.then_some(match self.mode {
            Mode::History => FoundIn::History,
            Mode::Scan | Mode::Staged | Mode::Stdin | Mode::Mixed => FoundIn::Files,
        });
        let baseline = self.engine.baseline_use(scanned);
        let mut notes = self.engine.notes(scanned);
        notes.extend_from_slice(more_notes);
        let report = Report {
            findings: &outcome.findings,
            coverage: &outcome.coverage,
            suppressed: &outcome.suppressed,
            notes: &notes,
            mode: self.mode,
            config: self.engine.config_path.as_deref(),
            baseline: baseline.as_ref(),
            elapsed: Some(self.started.elapsed()),
            finished_seconds: Some(now_seconds()),
            base: self.base.as_ref(),
            show_secrets: self.engine.show_secrets,
            version: env!("CARGO_PKG_VERSION"),
        };
        let exit = Exit::of(is_complete, !outcome.findings.is_empty());
        let delivered = deliver(&Document::new(&report), self.output, report.show_secrets);
        // A report that could not be written is no reason to keep no record.
        let recorded = if delivered.is_ok() { exit } else { Exit::Incomplete };
        self.records.write(self.engine, self.mode, outcome, recorded)?;
        delivered.map(|()| exit)
    }
}

/// Adds findings that are not about content, under the same policy.
pub(super) fn add_findings(engine: &Engine, findings: Vec<Finding>, outcome: &mut Outcome) {
    let policy = engine.scanner.policy();
    for finding in findings {
        let query = AllowQuery {
            rule_id: &finding.rule.id,
            path: Some(finding.location.path.as_bstr()),
            secret: finding.secret.reveal(),
            commit: None,
        };
        if finding.rule.severity < policy.min_severity
            || finding.confidence < policy.least_confidence(RuleKind::Path)
        {
            outcome.suppressed.below_threshold += 1;
        } else if policy.allowlists.check(&query).is_some() {
            outcome.suppressed.allowlist += 1;
        } else if policy
            .baseline
            .as_ref()
            .is_some_and(|baseline| baseline.accepts(finding.fingerprint, &finding.rule.id).is_some())
        {
            outcome.suppressed.baseline += 1;
        } else {
            outcome.findings.push(finding);
        }
    }
    outcome.findings.sort_by(|left, right| left.sort_key().cmp(&right.sort_key()));
}

/// Where typed paths start, seen from the root of the repository that holds the first of them.
fn path_base(paths: &[PathBuf]) -> Option<PathBase> {
    let root = repository_root(paths.first()?).ok()??;
    let below = std::env::current_dir().ok()?.canonicalize().ok()?;
    let below = below.strip_prefix(&root).map(slashed).unwrap_or_default();
    Some(PathBase { below, root: slashed(&root) })
}

/// The top of the working tree, or the directory of a bare repository.
pub(super) fn root_of(repository: &Repository) -> PathBuf {
    repository.work_dir().unwrap_or_else(|| repository.git_dir()).to_path_buf()
}
