//! What is kept of a run besides its report: the receipt and the audit log.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use bstr::{BString, ByteSlice};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use stanch::audit_log::{Actor, Events, Limits, Log};
use stanch::git::Repository;
use stanch::git::ignore::IgnoreRules;
use stanch::git::work_tree::WorkKind;
use stanch::receipt::{self, Ignored};
use stanch::report::Mode;
use stanch::scanner::Outcome;

use crate::cli::args::MatchArgs;
use crate::cli::exit::Exit;
use crate::cli::outputs::now_seconds;
use crate::cli::plan::{Engine, slashed};
use crate::cli::terminal::Target;

/// Names the audit log when no option does.
const LOG_VARIABLE: &str = "STANCH_AUDIT_LOG";

/// Where the records of a run go.
pub struct Records {
    receipt: Option<Target>,
    log: Option<Log>,
    place: PathBuf,
    targets: Vec<PathBuf>,
    options: BTreeMap<&'static str, Value>,
}

impl Records {
    /// Judges the places before any work is done. `place` lies in the repository, if there is one.
    ///
    /// # Errors
    ///
    /// When one of them cannot be written.
    pub fn prepare(engine: &Engine, matching: &MatchArgs, place: &Path) -> Result<Self> {
        let receipt = matching
            .receipt
            .as_deref()
            .map(|path| Target::new(Some(path)).with_context(|| format!("--receipt {}", path.display())));
        let options = BTreeMap::from([
            ("min_severity", json!(matching.min_severity.map(|least| least.name()))),
            ("min_confidence", json!(matching.min_confidence.map(|least| least.name()))),
            ("rules", json!(matching.rules)),
            ("max_file_bytes", json!(engine.max_file_bytes)),
            ("inline_allow", json!(!matching.no_inline_allow)),
        ]);
        Ok(Self {
            receipt: receipt.transpose()?,
            log: log(matching.audit_log.as_deref(), engine.audit_log.as_deref(), engine.audit_limits)?,
            place: place.to_path_buf(),
            targets: Vec::new(),
            options,
        })
    }

    /// Adds what was typed.
    #[must_use]
    pub fn of<const N: usize>(
        mut self,
        targets: &[impl AsRef<Path>],
        options: [(&'static str, Value); N],
    ) -> Self {
        self.targets = targets.iter().map(|target| target.as_ref().to_path_buf()).collect();
        self.options.extend(options);
        self
    }

    /// Writes what was asked for.
    ///
    /// # Errors
    ///
    /// When a place cannot be written after all. The other one is.
    pub fn write(&self, engine: &Engine, mode: Mode, outcome: &Outcome, exit: Exit) -> Result<()> {
        if self.receipt.is_none() && self.log.is_none() {
            return Ok(());
        }
        let repository = Repository::open(&self.place).ok();
        let identity = repository.as_ref().map(Repository::identity);
        let configuration = match &engine.config_path {
            None => None,
            Some(path) => {
                let content = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
                Some((path.display().to_string(), Sha256::digest(content).into()))
            }
        };
        let leaves_out = mode == Mode::Scan && self.options.get("no_ignore") == Some(&json!(false));
        let ignored = match &repository {
            Some(repository) if leaves_out => ignored(repository, &self.targets)?,
            _ => Vec::new(),
        };
        let run = receipt::Run {
            mode,
            outcome,
            identity: identity.as_ref(),
            targets: self.targets.iter().map(|target| target.display().to_string()).collect(),
            options: self.options.clone(),
            rule_count: engine.scanner.rules().rules().len(),
            rules_digest: engine.scanner.digest(),
            configuration,
            ignored,
            exit_code: exit.code(),
            finished_seconds: now_seconds(),
        };
        let written = self.receipt.as_ref().map(|target| {
            let receipt = receipt::write(&run);
            target.write(false, |out| out.write_all(&receipt)).context("cannot write the receipt")
        });
        if let Some(log) = &self.log {
            let mut events = events(repository.as_ref());
            events.scan(&run);
            log.append(&events)?;
        }
        written.transpose().map(|_| ())
    }
}

/// Opens the log that the option, the environment or the configuration names, in this order.
///
/// # Errors
///
/// When it cannot be written.
pub fn log(typed: Option<&Path>, configured: Option<&Path>, limits: Limits) -> Result<Option<Log>> {
    let variable = std::env::var_os(LOG_VARIABLE).filter(|value| !value.is_empty()).map(PathBuf::from);
    let path = typed.map(Path::to_path_buf).or(variable).or_else(|| configured.map(Path::to_path_buf));
    Ok(path.map(|path| Log::open(&path, limits)).transpose()?)
}

/// No lines yet, of a run by whoever runs this process now.
pub fn events(repository: Option<&Repository>) -> Events {
    let place = repository
        .map(|repository| repository.work_dir().unwrap_or_else(|| repository.git_dir()).to_path_buf());
    let actor = Actor::here(repository.map(Repository::identity), place);
    let moment = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let entropy = format!("{} {}", std::process::id(), moment.as_nanos());
    Events::new(&actor, now_seconds(), entropy.as_bytes())
}

/// What a scan of these places left out since git ignores it. Places outside the repository have nothing ignored.
fn ignored(repository: &Repository, targets: &[PathBuf]) -> Result<Vec<Ignored>> {
    let Some(work_dir) = repository.work_dir().and_then(|dir| dir.canonicalize().ok()) else {
        return Ok(Vec::new());
    };
    let tracked = repository.tracked_files()?;
    let is_tracked = |path: &BString| tracked.binary_search_by(|file| file.path.cmp(path)).is_ok();
    let mut rules = IgnoreRules::new(repository, &tracked, b"")?;
    let mut ignored = Vec::new();
    for target in targets {
        let Some(start) = target.canonicalize().ok().filter(|start| start.is_dir()) else { continue };
        let Ok(below) = start.strip_prefix(&work_dir) else { continue };
        // What cannot be read is a problem of the scan already.
        repository.walk_work_tree(&mut rules, slashed(below).as_bstr(), &mut |entry| {
            let is_directory = matches!(entry.kind, WorkKind::Directory | WorkKind::Repository);
            if let Some(by) = &entry.ignored_by
                && !is_tracked(&entry.path)
            {
                let mut path = entry.path.clone();
                if is_directory {
                    path.push(b'/');
                }
                ignored.push(Ignored { path, by: by.clone() });
            }
            entry.ignored_by.is_none()
        });
    }
    ignored.sort_by(|a, b| a.path.cmp(&b.path));
    ignored.dedup();
    Ok(ignored)
}
