//! From what was typed to what will be done: options over configuration over defaults.

use std::num::NonZeroUsize;
use std::path::{Component, Path, PathBuf};
use std::thread;

use anyhow::{Context, Result, bail};
use bstr::{BString, ByteSlice, ByteVec};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use stanch::audit_log;
use stanch::baseline::{Baseline, Entry, FoundIn, InForce, Key};
use stanch::config::{self, Config, Gitleaks};
use stanch::coverage::BaselineUse;
use stanch::filter::allowlist::PathPlaces;
use stanch::finding::Severity;
use stanch::hygiene;
use stanch::report::Verbosity;
use stanch::rule::RuleSet;
use stanch::scanner::{Policy, Scanner};

use super::args::{
    Cli, Command, Format, GlobalArgs, HistoryArgs, HookAction, HookArgs, MatchArgs, ProgressWhen, RepoArgs,
    ScanArgs,
};
use super::outputs::{self, Output};
use super::terminal::{self, Target};

/// Names the configuration file when no option does.
const CONFIG_VARIABLE: &str = "STANCH_CONFIG";

/// The one command to run: aliases and options before the command are resolved.
///
/// # Errors
///
/// When something was typed before a command that does not take it.
pub fn resolve(cli: Cli) -> Result<(Command, GlobalArgs)> {
    let Cli { command, scan: outer, global, start_in: _ } = cli;
    let Some(command) = command else { return Ok((Command::Scan(outer), global)) };
    let ScanArgs { paths, no_ignore, matching: outer } = outer;
    if let Some(path) = paths.first() {
        bail!("`{}` stands before the command; write paths behind it", path.display());
    }
    if no_ignore && !matches!(command, Command::Scan(_)) {
        bail!("--no-ignore is an option of `stanch scan` alone");
    }
    let command = match command {
        Command::Scan(args) => {
            let no_ignore = args.no_ignore || no_ignore;
            Command::Scan(ScanArgs { no_ignore, matching: args.matching.or(outer), ..args })
        }
        Command::Staged(mut args) => {
            args.matching = args.matching.or(outer);
            Command::Staged(args)
        }
        Command::History(args) => Command::History(HistoryArgs { matching: args.matching.or(outer), ..args }),
        Command::Stdin(mut args) => {
            args.matching = args.matching.or(outer);
            Command::Stdin(args)
        }
        Command::Explain(mut args) => {
            args.matching = args.matching.or(outer);
            Command::Explain(args)
        }
        Command::Config(mut args) => {
            match &mut args.action {
                super::args::ConfigAction::Show { matching } => {
                    **matching = std::mem::take(&mut **matching).or(outer)
                }
                _ if outer == MatchArgs::default() => {}
                _ => bail!("options of detection have no meaning for this command"),
            }
            Command::Config(args)
        }
        Command::Baseline(mut args) => {
            use super::args::BaselineAction::{Create, Prune, Update};
            match &mut args.action {
                Create(accept) | Update(accept) => {
                    accept.matching = std::mem::take(&mut accept.matching).or(outer);
                }
                Prune(_) if outer != MatchArgs::default() => {
                    bail!("options of detection stand behind `baseline prune`")
                }
                Prune(_) => {}
            }
            Command::Baseline(args)
        }
        Command::Hook(HookArgs { action: HookAction::Run(mut args) }) => {
            args.matching = args.matching.or(outer);
            Command::Hook(HookArgs { action: HookAction::Run(args) })
        }
        #[cfg(feature = "verify")]
        Command::Verify(mut args) => {
            args.matching = args.matching.or(outer);
            Command::Verify(args)
        }
        Command::Git(args) => history_of(args.repo, args.matching.or(outer)),
        Command::Detect(args) if args.no_git => {
            let matching = args.matching.or(outer);
            Command::Scan(ScanArgs { paths: vec![args.source], no_ignore: false, matching })
        }
        Command::Detect(args) => history_of(args.source, args.matching.or(outer)),
        Command::Protect(args) => Command::Staged(super::args::StagedArgs {
            repo: RepoArgs { dir: args.source },
            matching: args.matching.or(outer),
        }),
        other if outer == MatchArgs::default() => other,
        _ => bail!("options of detection have no meaning for this command"),
    };
    Ok((command, global))
}

fn history_of(dir: PathBuf, matching: MatchArgs) -> Command {
    Command::History(HistoryArgs { repo: RepoArgs { dir }, matching, ..HistoryArgs::default() })
}

/// Everything about the output that does not depend on the command.
#[derive(Clone, Debug)]
pub struct OutputPlan {
    /// Where a report of findings goes, and in which forms; at least one.
    pub outputs: Vec<Output>,
    /// Where everything else goes.
    pub target: Target,
    /// The form of everything else.
    pub format: Format,
    /// How much is said.
    pub verbosity: Verbosity,
    /// Whether what goes to `target` is coloured.
    pub colour: bool,
    /// Whether to show on the terminal how far a run is.
    pub progress: bool,
}

impl OutputPlan {
    /// Reads the shared options for this command.
    ///
    /// # Errors
    ///
    /// When the report cannot be written where it should, or not in that form.
    pub fn new(global: &GlobalArgs, command: &Command) -> Result<Self> {
        let outputs = outputs::plan(global)?;
        let verbosity = match (global.quiet, global.verbose) {
            (true, _) => Verbosity::Quiet,
            (_, true) => Verbosity::Verbose,
            _ => Verbosity::Normal,
        };
        let (target, format) = match outputs::reports_findings(command) {
            true => (Target::Stdout, Format::Human),
            false => outputs::only(&outputs)?,
        };
        let colour = target.wants_colour(global.color);
        let progress = global.progress == ProgressWhen::Auto
            && verbosity > Verbosity::Quiet
            && terminal::stderr_can_redraw();
        Ok(Self { outputs, target, format, verbosity, colour, progress })
    }

    /// Whether a person reads it and not a program.
    pub fn is_for_people(&self) -> bool {
        self.format == Format::Human
    }
}

/// Everything that decides what is a finding.
pub struct Engine {
    /// Rules and filters.
    pub scanner: Scanner,
    /// The configuration file that was used.
    pub config_path: Option<PathBuf>,
    /// Larger files are skipped.
    pub max_file_bytes: Option<u64>,
    /// How many workers were asked for.
    threads: Option<NonZeroUsize>,
    /// Whether secrets are shown.
    pub show_secrets: bool,
    /// Whether the name of a staged file may be a finding.
    pub watches_env_files: bool,
    /// Where the configuration wants scans to be logged.
    pub audit_log: Option<PathBuf>,
    /// How large that log may grow.
    pub audit_limits: audit_log::Limits,
    /// The baseline that was named, in use or to be written.
    pub baseline_path: Option<PathBuf>,
    /// What the user should know of a configuration of gitleaks.
    gitleaks_notes: Vec<String>,
    /// The directory that patterns of paths speak of.
    pub root: PathBuf,
}

/// What the paths of findings are relative to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathForm {
    /// The root of the repository.
    FromRoot,
    /// The current directory, as they were typed.
    AsTyped,
}

impl Engine {
    /// Reads the configuration of `places` and merges it with the options.
    ///
    /// # Errors
    ///
    /// When the configuration cannot be used or a rule does not exist.
    pub fn new(
        global: &GlobalArgs,
        matching: &MatchArgs,
        places: &[PathBuf],
        form: PathForm,
    ) -> Result<Self> {
        let (config, root) = load_config(global, places)?;
        let audit_log = configured_log(&config, global)?;
        let is_found = config_source(global) == ConfigSource::Search;
        let rules = rule_set(&config)?;
        if let (true, Some(path)) = (rules.rules().is_empty(), &config.path) {
            bail!(
                "{}: no rule is active, so nothing could be found; `useDefault = true` under [extend] adds the \
                 catalogue",
                path.display()
            );
        }
        // Ids are only looked at where somebody names one: that decodes all the rules, half of a hook's time.
        let names_rules = config.names_rules() || !matching.rules.is_empty();
        if names_rules {
            let known = known_ids(&rules);
            config.check_rule_ids(&known)?;
            if let Some(id) = matching.rules.iter().find(|id| !known.contains(&id.as_str())) {
                bail!("--rule: {}", config::unknown_rule(id, &known));
            }
        }
        let is_used = |id: &str| {
            let is_chosen = matching.rules.is_empty() || matching.rules.iter().any(|chosen| chosen == id);
            is_chosen && config.disabled_rules.iter().all(|disabled| disabled != id)
        };
        let watches_env_files = is_used(&hygiene::ENV_FILE_STAGED.id);
        let rules = if names_rules { rules.retain(|rule| is_used(&rule.id)) } else { rules };
        let allowlists = match form {
            PathForm::FromRoot => config.allow,
            PathForm::AsTyped => config.allow.for_typed_paths(typed_places(&root, places)?),
        };
        let configured = config.baseline.as_ref().map(|path| shortest(&root.join(path)));
        let baseline_path = matching.baseline.clone().or(configured);
        let baseline = match &baseline_path {
            Some(path) if !matching.no_baseline => Some(InForce::new(Baseline::load(path)?, today())),
            _ => None,
        };
        let mut gitleaks_notes = Vec::new();
        let foreign = match config.gitleaks {
            None => None,
            Some(gitleaks) => {
                gitleaks_notes = notes_of(&gitleaks, config.path.as_deref(), is_found);
                Some(gitleaks.lists)
            }
        };
        let policy = Policy {
            min_severity: matching.min_severity.or(config.min_severity).unwrap_or(Severity::Low),
            min_confidence: matching.min_confidence.or(config.min_confidence),
            inline_allow: !matching.no_inline_allow,
            allowlists,
            foreign,
            baseline,
        };
        Ok(Self {
            scanner: Scanner::new(rules, policy),
            config_path: config.path,
            audit_log,
            audit_limits: config.audit_limits,
            max_file_bytes: matching.max_file_bytes.or(config.max_file_bytes),
            threads: global.threads,
            show_secrets: matching.show_secrets,
            watches_env_files,
            baseline_path,
            gitleaks_notes,
            root,
        })
    }

    /// How many workers. Who asks has use for several: to count the processors reads files of the control groups.
    pub fn threads(&self) -> usize {
        self.threads.or_else(|| thread::available_parallelism().ok()).map_or(1, NonZeroUsize::get)
    }

    /// Whether one of these places holds everything that the configuration speaks of.
    pub fn covers_root(&self, places: &[PathBuf]) -> bool {
        places.iter().any(|place| place.canonicalize().is_ok_and(|place| self.root.starts_with(place)))
    }

    /// What the user should know of the configuration after the scan. Entries without a use are stale only
    /// when everything was `scanned` with every rule.
    pub fn notes(&self, scanned: Option<FoundIn>) -> Vec<String> {
        let allow = &self.scanner.policy().allowlists;
        let mut notes = self.gitleaks_notes.clone();
        for entry in allow.expired() {
            let day = entry.expires().map_or_else(String::new, |day| format!(" on {day}"));
            notes.push(format!("{}: this entry ended{day} and accepts nothing any more", entry.written_at()));
        }
        if scanned.is_some() {
            let stale = allow.unused().map(|entry| {
                format!("{}: this entry accepts nothing that is there; remove it", entry.written_at())
            });
            notes.extend(stale);
        }
        if let (Some(path), Some(baseline)) = (&self.baseline_path, &self.scanner.policy().baseline) {
            let path = path.display();
            if let Some(lines) = lines_of(baseline.expired()) {
                notes.push(format!("{path}: {lines}: past the last day, so it accepts nothing any more"));
            }
            if let Some(lines) = scanned.and_then(|scanned| lines_of(baseline.stale(scanned))) {
                notes.push(format!(
                    "{path}: {lines}: nothing is found for it any more; see `stanch baseline prune`"
                ));
            }
        }
        notes
    }

    /// Puts another baseline in force.
    pub fn accept(&mut self, baseline: InForce) {
        self.scanner.set_baseline(baseline);
    }

    /// What became of the baseline.
    pub fn baseline_use(&self, scanned: Option<FoundIn>) -> Option<BaselineUse> {
        let baseline = self.scanner.policy().baseline.as_ref()?;
        Some(BaselineUse {
            path: slashed(self.baseline_path.as_deref()?),
            entries: baseline.baseline().entries().len() as u64,
            expired: baseline.expired().count() as u64,
            stale: scanned.map(|scanned| baseline.stale(scanned).count() as u64),
        })
    }
}

/// The lines of entries, in words; `None` without any.
fn lines_of<'e>(entries: impl Iterator<Item = (&'e Key, &'e Entry)>) -> Option<String> {
    const SHOWN: usize = 10;
    let mut lines: Vec<usize> = entries.map(|(_, entry)| entry.line).collect();
    lines.sort_unstable();
    let shown: Vec<String> = lines.iter().take(SHOWN).map(ToString::to_string).collect();
    let word = if lines.len() == 1 { "line" } else { "lines" };
    let more = match lines.len().saturating_sub(SHOWN) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    (!lines.is_empty()).then(|| format!("{word} {}{more}", shown.join(", ")))
}

/// Where the configuration wants scans to be logged. A file that was found and not named may come with a repository of
/// strangers, so it reaches nothing outside its own directory.
fn configured_log(config: &Config, global: &GlobalArgs) -> Result<Option<PathBuf>> {
    let (Some(log), Some(path)) = (&config.audit_log, &config.path) else { return Ok(None) };
    let is_below = log.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    if named_config(global).is_none() && !is_below {
        bail!(
            "{}: `log` under [audit] must lie below the directory of this file; name the log with --audit-log, or \
             this file with --config",
            path.display()
        );
    }
    let place = path.parent().unwrap_or(Path::new("")).join(log);
    if named_config(global).is_none() {
        terminal::refuse_planted_link(&place, "the audit log")?;
    }
    Ok(Some(place))
}

/// The configuration that an option or the environment names.
fn named_config(global: &GlobalArgs) -> Option<PathBuf> {
    global.config.clone().or_else(config_variable).filter(|_| !global.no_config)
}

/// The built-in rules and those of the configuration.
///
/// # Errors
///
/// When a rule of the configuration is wrong.
pub fn rule_set(config: &Config) -> Result<RuleSet> {
    Ok(config.rule_set()?)
}

/// What the user should know of a configuration of gitleaks.
fn notes_of(gitleaks: &Gitleaks, path: Option<&Path>, is_found: bool) -> Vec<String> {
    let path = path.map_or_else(String::new, |path| path.display().to_string());
    let mut notes = Vec::new();
    if is_found {
        let rules = match (gitleaks.rule_count(), gitleaks.use_default) {
            (0, _) => "its allowlists and the catalogue".to_owned(),
            (1, true) => "its rule and the catalogue".to_owned(),
            (number, true) => format!("its {number} rules and the catalogue"),
            (1, false) => "its rule alone".to_owned(),
            (number, false) => format!("its {number} rules alone"),
        };
        notes.push(format!("{path} is in force, for there is no .stanch.toml: {rules}"));
    }
    if !gitleaks.use_default {
        notes.push(format!("{path} does not extend the default, so the catalogue is not in use"));
    }
    notes.extend(gitleaks.notes.iter().cloned());
    if !gitleaks.by_name.is_empty() {
        notes.push(format!(
            "{path}: {} looks at the names of files, which `history` does not",
            gitleaks.by_name.join(", ")
        ));
    }
    notes
}

/// How the configuration is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConfigSource {
    /// An option names it.
    Option,
    /// The variable names it.
    Variable,
    /// It is searched from the scanned place upwards.
    Search,
}

/// What decides which configuration is read.
pub fn config_source(global: &GlobalArgs) -> ConfigSource {
    match (&global.config, config_variable()) {
        (Some(_), _) => ConfigSource::Option,
        (None, Some(_)) => ConfigSource::Variable,
        (None, None) => ConfigSource::Search,
    }
}

/// The configuration that a variable names.
fn config_variable() -> Option<PathBuf> {
    std::env::var_os(CONFIG_VARIABLE).filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// The configuration that the options name, or the one that holds for `places`, and the directory that its
/// patterns of paths speak of: its own, or the root of the repository when it was named.
///
/// # Errors
///
/// When it cannot be found or used, and when several hold.
pub fn load_config(global: &GlobalArgs, places: &[PathBuf]) -> Result<(Config, PathBuf)> {
    let named = named_config(global);
    let searches = named.is_none() && !global.no_config && !global.no_repo_config;
    let found = if searches { discover(places)? } else { None };
    let root = match found.as_deref().and_then(Path::parent) {
        Some(dir) => Some(dir.to_path_buf()),
        None => places.first().map(|place| config::repository_root(place)).transpose()?.flatten(),
    };
    let root = match root {
        Some(root) => root,
        None => std::env::current_dir().context("there is no current directory")?,
    };
    let is_named = named.is_some();
    let config = match named.or(found) {
        None => Config::default(),
        Some(path) => {
            let loaded = Config::load(&shortest(&path), today());
            match !is_named && path.ends_with(config::GITLEAKS_FILE_NAME) {
                true => loaded.context(
                    "there is no .stanch.toml, so .gitleaks.toml is read; --no-config goes without",
                )?,
                false => loaded?,
            }
        }
    };
    Ok((config, root))
}

/// What the typed places are called from the root.
fn typed_places(root: &Path, places: &[PathBuf]) -> Result<PathPlaces> {
    let current_dir = std::env::current_dir().context("there is no current directory")?;
    let mut names = Vec::new();
    for place in places {
        let below = place.canonicalize().ok().and_then(|real| real.strip_prefix(root).ok().map(slashed));
        if let Some(below) = below {
            names.push((slashed(&std::path::absolute(place)?), below));
        }
    }
    names.push((slashed(root), BString::default()));
    Ok(PathPlaces { current_dir: slashed(&current_dir), names })
}

/// The path's bytes with `/` between its parts, and none at its end.
pub fn slashed(path: &Path) -> BString {
    let mut bytes = Vec::from_path_lossy(path).into_owned();
    if cfg!(windows) {
        bytes = as_typed(&bytes).replace(br"\", "/");
    }
    while bytes.len() > 1 && bytes.ends_with(b"/") {
        bytes.pop();
    }
    bytes.into()
}

/// A path of Windows without the prefix that it has once its links are resolved, and that nobody types.
fn as_typed(path: &[u8]) -> Vec<u8> {
    match (path.strip_prefix(br"\\?\UNC\"), path.strip_prefix(br"\\?\")) {
        (Some(share), _) => [br"\\".as_slice(), share].concat(),
        (None, Some(rest)) => rest.to_vec(),
        (None, None) => path.to_vec(),
    }
}

fn discover(places: &[PathBuf]) -> Result<Option<PathBuf>> {
    let mut chosen: Option<(&Path, Option<PathBuf>)> = None;
    for place in places {
        let found = config::discover(place)
            .with_context(|| format!("cannot look for {} at {}", config::FILE_NAME, place.display()))?;
        match &chosen {
            None => chosen = Some((place, found)),
            Some((_, other)) if *other == found => {}
            Some((first, _)) => bail!(
                "{} and {} have different configurations; scan them one after the other or name one with --config",
                first.display(),
                place.display()
            ),
        }
    }
    Ok(chosen.and_then(|(_, found)| found))
}

fn known_ids(rules: &RuleSet) -> Vec<&str> {
    rules.rules().iter().map(|rule| &*rule.id).chain([hygiene::ENV_FILE_STAGED.id.as_str()]).collect()
}

/// The path as seen from the current directory, if it lies below it.
pub fn shortest(path: &Path) -> PathBuf {
    let here = std::env::current_dir().and_then(|dir| dir.canonicalize());
    match here.ok().and_then(|here| path.strip_prefix(here).ok().map(Path::to_path_buf)) {
        Some(below) if !below.as_os_str().is_empty() => below,
        _ => path.to_path_buf(),
    }
}

/// The day in UTC, so that an entry ends at the same moment on every machine.
pub fn today() -> Date {
    Timestamp::now().to_zoned(TimeZone::UTC).date()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_of_windows_reads_as_it_is_typed() {
        for (path, typed) in [
            (r"\\?\C:\work\a", r"C:\work\a"),
            (r"\\?\UNC\host\share\a", r"\\host\share\a"),
            (r"C:\work\a", r"C:\work\a"),
            ("/srv/a", "/srv/a"),
        ] {
            assert_eq!(as_typed(path.as_bytes()), typed.as_bytes());
        }
    }
}
