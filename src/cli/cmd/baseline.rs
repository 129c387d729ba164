//! `stanch baseline`: accept what is known.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use bstr::{BStr, BString, ByteSlice};
use serde::Serialize;
use stanch::baseline::import::{self, Claim};
use stanch::baseline::{Baseline, Entry, FILE_NAME, FoundIn, InForce, Key};
use stanch::coverage::SkipReason;
use stanch::finding::{Confidence, Finding, Severity};
use stanch::git::Repository;
use stanch::hygiene;
use stanch::report::text::{count, escape, escape_bytes};
use stanch::report::{Verbosity, text};
use stanch::scanner::Outcome;
use stanch::source::Source;
use stanch::source::history::{self, History};
use stanch::source::staged::Staged;
use stanch::source::worktree::{Worktree, WorktreeOptions};

use super::scan::{add_findings, root_of};
use crate::cli::args::{
    AcceptArgs, BaselineAction, BaselineArgs, BaselineSource, BaselineSourceArgs, Format, GlobalArgs,
    MatchArgs, PruneArgs,
};
use crate::cli::exit::Exit;
use crate::cli::plan::{Engine, OutputPlan, PathForm, shortest, slashed, today};
use crate::cli::{progress, terminal};

/// What stands in entries when nobody says why: whoever reads it knows that nobody looked.
const NOT_REVIEWED: &str = "known, not reviewed";

pub fn run(args: &BaselineArgs, global: &GlobalArgs, output: &OutputPlan) -> Result<Exit> {
    match &args.action {
        BaselineAction::Create(args) => accept(args, true, global, output),
        BaselineAction::Update(args) => accept(args, false, global, output),
        BaselineAction::Prune(args) => prune(args, global, output),
    }
}

fn accept(args: &AcceptArgs, is_new: bool, global: &GlobalArgs, output: &OutputPlan) -> Result<Exit> {
    check_text("--reason", args.reason.as_deref())?;
    check_text("--author", args.author.as_deref())?;
    if let Some(day) = args.expires.filter(|day| *day < today()) {
        bail!("--expires: {day} has passed, so nothing would be accepted");
    }
    let claims = load_claims(&args.imports)?;
    let work = Work::new(&args.source, &args.matching, global)?;
    let mut baseline = match is_new {
        true if work.file.symlink_metadata().is_ok() => {
            bail!("{} is there already; `stanch baseline update` adds to it", work.file.display())
        }
        true => Baseline::default(),
        false if !work.file.exists() => {
            bail!("there is no baseline {}; `stanch baseline create` makes one", work.file.display())
        }
        false => Baseline::load(&work.file)?,
    };
    let Some(outcome) = work.scan(output)? else { return Ok(Exit::Incomplete) };
    let reason = |import: Option<&Path>| match (&args.reason, import) {
        (Some(reason), _) => reason.clone(),
        (None, Some(file)) => format!("imported from {}", file.display()),
        (None, None) => NOT_REVIEWED.to_owned(),
    };
    let mut record = Record::new("accept", &work.file);
    let accepted: Vec<(Finding, String)> = match claims.is_empty() && args.imports.is_empty() {
        true => outcome.findings.into_iter().map(|finding| (finding, reason(None))).collect(),
        false => {
            let mut meant = Vec::new();
            let mut places = Places::new(&work);
            for (file, claim) in &claims {
                let found = places.meant_by(claim, &outcome.findings);
                if found.is_empty() {
                    record.not_found.push(format!("{}: {claim}", file.display()));
                }
                meant.extend(found.into_iter().map(|finding| (finding, reason(Some(file)))));
            }
            meant
        }
    };
    let author = args.author.clone().or_else(|| work.repository.as_ref().and_then(Repository::author));
    let found_in = work.found_in();
    for (finding, reason) in &accepted {
        check_texts(finding, [Some(reason), author.as_ref()])?;
        let mut is_added = false;
        for (fingerprint, rule) in keys(finding) {
            let key = Key { fingerprint, rule };
            match baseline.get_mut(&key) {
                Some(entry) if entry.expires.is_some_and(|day| day < today()) => match args.expires {
                    Some(day) if entry.line > 0 => {
                        entry.expires = Some(day);
                        record.renewed += 1;
                    }
                    Some(_) => {}
                    None => record.still_expired += 1,
                },
                Some(entry) => record.kept += u64::from(entry.line > 0),
                None => {
                    let (author, reason) = (author.clone(), reason.clone());
                    let entry = Entry { expires: args.expires, found_in, author, reason, ..Entry::default() };
                    baseline.add(key, entry);
                    is_added = true;
                    record.added += 1;
                }
            }
        }
        if is_added {
            record.findings.push(Place::of(finding));
        }
    }
    record.entries = baseline.entries().len() as u64;
    match is_new {
        true => baseline.create(&work.file)?,
        false if record.added + record.renewed > 0 => baseline.replace(&work.file)?,
        false => {}
    }
    record.write(output)?;
    if is_new && output.verbosity > Verbosity::Quiet {
        work.tell_how_to_use();
    }
    Ok(Exit::Clean)
}

fn prune(args: &PruneArgs, global: &GlobalArgs, output: &OutputPlan) -> Result<Exit> {
    if args.source.from == BaselineSource::Staged {
        bail!("the index alone does not say what is gone; prune with `--from files` or `--from history`");
    }
    // What the thresholds hold back is there all the same.
    let matching = MatchArgs {
        baseline: args.baseline.clone(),
        min_severity: Some(Severity::Info),
        min_confidence: Some(Confidence::Low),
        ..MatchArgs::default()
    };
    let mut work = Work::new(&args.source, &matching, global)?;
    let baseline = Baseline::load(&work.file)?;
    work.engine.accept(InForce::new(baseline.clone(), today()));
    let Some(outcome) = work.scan(output)? else { return Ok(Exit::Incomplete) };
    let cut = |reason| matches!(reason, SkipReason::TooLarge | SkipReason::Shallow);
    if let Some(skipped) = outcome.coverage.skipped.iter().find(|skipped| cut(skipped.reason)) {
        bail!(
            "{} was not read ({}), so nothing can be said to be gone; nothing was removed",
            escape_bytes(&skipped.name),
            skipped.reason.name()
        );
    }
    let in_force = work.engine.scanner.policy().baseline.as_ref().expect("it was put in force above");
    let stale: BTreeSet<&Key> = in_force.stale(work.found_in()).map(|(key, _)| key).collect();
    let mut pruned = baseline.clone();
    pruned.retain(|key, _| !stale.contains(key));
    let mut record = Record::new("prune", &work.file);
    for (key, entry) in baseline.entries().filter(|(key, _)| stale.contains(key)) {
        record.removed_entries.push(Removed {
            rule: key.rule.clone(),
            line: entry.line,
            reason: entry.reason.clone(),
        });
    }
    record.removed = stale.len() as u64;
    record.kept = pruned.entries().len() as u64;
    record.entries = record.kept;
    record.dry_run = args.dry_run;
    if !args.dry_run && record.removed > 0 {
        pruned.replace(&work.file)?;
    }
    record.write(output)?;
    Ok(Exit::Clean)
}

/// The finding and its parts: each half of a credential is accepted by itself.
fn keys(finding: &Finding) -> impl Iterator<Item = (stanch::fingerprint::Fingerprint, String)> + '_ {
    let parts = finding.parts.iter().map(|part| (part.fingerprint, part.rule.id.clone()));
    std::iter::once((finding.fingerprint, finding.rule.id.clone())).chain(parts)
}

fn check_text(option: &str, text: Option<&str>) -> Result<()> {
    match text {
        Some(text) if text.trim().is_empty() => bail!("{option}: write something, or leave the option out"),
        _ => Ok(()),
    }
}

/// A reason that quotes the secret would give it away in the very file that should not.
fn check_texts(finding: &Finding, texts: [Option<&String>; 2]) -> Result<()> {
    let secrets = finding.parts.iter().map(|part| &part.secret).chain([&finding.secret]);
    for secret in secrets.filter(|secret| secret.len_bytes() > 0) {
        if texts.iter().flatten().any(|text| text.as_bytes().contains_str(secret.reveal())) {
            bail!("the reason or the author holds the secret itself; say it without");
        }
    }
    Ok(())
}

fn load_claims(files: &[PathBuf]) -> Result<Vec<(PathBuf, Claim)>> {
    let mut claims = Vec::new();
    for file in files {
        claims.extend(import::load(file)?.into_iter().map(|claim| (file.clone(), claim)));
    }
    Ok(claims)
}

/// What a baseline is made from, and where it goes.
struct Work {
    engine: Engine,
    repository: Option<Repository>,
    source: BaselineSource,
    /// Where files are read and the place of the repository.
    place: PathBuf,
    file: PathBuf,
}

impl Work {
    fn new(source: &BaselineSourceArgs, matching: &MatchArgs, global: &GlobalArgs) -> Result<Self> {
        let repository = Repository::open(&source.dir);
        let repository = match source.from {
            BaselineSource::Files => repository.ok(),
            BaselineSource::Staged | BaselineSource::History => Some(repository?),
        };
        let place = match &repository {
            Some(repository) => shortest_place(&root_of(repository)),
            None => source.dir.clone(),
        };
        let form = match source.from {
            BaselineSource::Files => PathForm::AsTyped,
            BaselineSource::Staged | BaselineSource::History => PathForm::FromRoot,
        };
        // What is accepted already must be met too.
        let named = matching.baseline.clone();
        let matching = MatchArgs { no_baseline: true, ..matching.clone() };
        let engine = Engine::new(global, &matching, std::slice::from_ref(&place), form)?;
        if engine.scanner.rules().rules().is_empty() {
            bail!("no rule is left to scan with: check --rule, and `disable` in the configuration");
        }
        let file = named.or_else(|| engine.baseline_path.clone());
        // Nothing is put into a git directory.
        let is_bare = repository.as_ref().is_some_and(|repository| repository.work_dir().is_none());
        let file = file.unwrap_or_else(|| match place.as_os_str() == "." || is_bare {
            true => PathBuf::from(FILE_NAME),
            false => shortest(&place.join(FILE_NAME)),
        });
        Ok(Self { engine, repository, source: source.from, place, file })
    }

    fn found_in(&self) -> FoundIn {
        match self.source {
            BaselineSource::Files | BaselineSource::Staged => FoundIn::Files,
            BaselineSource::History => FoundIn::History,
        }
    }

    /// Everything that is found; `None`, after saying why, where something could not be read.
    fn scan(&self, output: &OutputPlan) -> Result<Option<Outcome>> {
        let max_file_bytes = self.engine.max_file_bytes;
        let outcome = match (self.source, &self.repository) {
            (BaselineSource::Staged, Some(_)) => {
                let source = Staged::new(Repository::open(&self.place)?, max_file_bytes)?;
                let mut outcome = self.watch(&source, output);
                if self.engine.watches_env_files {
                    let paths: Vec<BString> = source.paths().map(BStr::to_owned).collect();
                    add_findings(&self.engine, hygiene::staged_env_findings(&paths), &mut outcome);
                }
                outcome
            }
            (BaselineSource::History, Some(_)) => {
                let options =
                    history::Options { max_blob_bytes: max_file_bytes, ..history::Options::default() };
                self.watch(&History::open(&self.place, options)?, output)
            }
            _ => {
                let options = WorktreeOptions { respect_ignore: true, max_file_bytes };
                self.watch(&Worktree::new(vec![self.place.clone()], options), output)
            }
        };
        let problems = &outcome.coverage.problems;
        for problem in problems {
            terminal::complain(&format!("{}: {}", problem.name, problem.message));
        }
        if !problems.is_empty() {
            let file = text::escape(&self.file.display().to_string()).into_owned();
            terminal::complain(&format!("not everything was read, so {file} was not written"));
            return Ok(None);
        }
        Ok(Some(outcome))
    }

    fn watch(&self, source: &dyn Source, output: &OutputPlan) -> Outcome {
        let (scanner, threads) = (&self.engine.scanner, self.engine.threads());
        progress::watch(output.progress, |progress| scanner.scan_watched(source, threads, progress))
    }

    fn tell_how_to_use(&self) {
        let name = self.file.file_name().unwrap_or_default().to_string_lossy();
        if self.engine.baseline_path.is_none() {
            let path = slashed(self.file.strip_prefix(&self.place).unwrap_or(&self.file));
            let path = escape_bytes(&path);
            terminal::say(&format!(
                "use it: `--baseline {}`, or in .stanch.toml: [baseline] path = \"{path}\"",
                escape(&self.file.display().to_string())
            ));
        }
        terminal::say(&format!(
            "the line `{} merge=union` in .gitattributes lets git merge it without asking, whatever branches add",
            escape(&name)
        ));
    }
}

/// As seen from the current directory, and `.` for itself.
fn shortest_place(place: &Path) -> PathBuf {
    let here = std::env::current_dir().and_then(|dir| dir.canonicalize());
    let real = place.canonicalize().unwrap_or_else(|_| place.to_path_buf());
    match here {
        Ok(here) if here == real => PathBuf::from("."),
        _ => shortest(&real),
    }
}

/// A file with what is found in it.
type Read = (Vec<u8>, Vec<Finding>);

/// Content of files that claims name, with what is found in it.
struct Places<'w> {
    work: &'w Work,
    known: BTreeMap<(Option<String>, BString), Option<Read>>,
}

impl<'w> Places<'w> {
    fn new(work: &'w Work) -> Self {
        Self { work, known: BTreeMap::new() }
    }

    fn meant_by(&mut self, claim: &Claim, findings: &[Finding]) -> Vec<Finding> {
        let known: Vec<Finding> = findings.iter().filter(|&finding| claim.knows(finding)).cloned().collect();
        if !known.is_empty() {
            return known;
        }
        let key = (claim.commit.clone(), claim.path.clone());
        let work = self.work;
        let place = self.known.entry(key).or_insert_with(|| work.read(claim));
        let Some((content, found)) = place else { return Vec::new() };
        claim.means(content, found).into_iter().map(|at| found[at].clone()).collect()
    }
}

impl Work {
    fn read(&self, claim: &Claim) -> Option<Read> {
        let path = claim.path.as_bstr();
        let content = match (&claim.commit, &self.repository) {
            (Some(commit), Some(repository)) => repository.file_at(commit, path)?,
            (Some(_), None) => return None,
            (None, _) => std::fs::read(self.place.join(path.to_path().ok()?)).ok()?,
        };
        let outcome = self.engine.scanner.scan_bytes(path, &content);
        Some((content, outcome.findings))
    }
}

/// What was done, for people and as JSON.
#[derive(Serialize)]
struct Record {
    action: &'static str,
    path: String,
    /// Entries in the file now.
    entries: u64,
    added: u64,
    kept: u64,
    renewed: u64,
    /// Entries that have ended although their findings are there.
    still_expired: u64,
    removed: u64,
    dry_run: bool,
    /// What was accepted anew.
    findings: Vec<Place>,
    removed_entries: Vec<Removed>,
    /// What imported files name and nothing was found for.
    not_found: Vec<String>,
}

#[derive(Serialize)]
struct Place {
    path: String,
    line: u64,
    rule: String,
}

#[derive(Serialize)]
struct Removed {
    rule: String,
    line: usize,
    reason: String,
}

impl Place {
    fn of(finding: &Finding) -> Self {
        // A file may be called by the very secret that is in it.
        let path = finding.location.path.to_string();
        let secret = String::from_utf8_lossy(finding.secret.reveal());
        let is_in_path = finding.secret.len_bytes() > 7 && path.contains(&*secret);
        Self {
            path: if is_in_path { path.replace(&*secret, &finding.secret.redacted()) } else { path },
            line: finding.location.start.line,
            rule: finding.rule.id.clone(),
        }
    }
}

impl Record {
    fn new(action: &'static str, file: &Path) -> Self {
        Self {
            action,
            path: file.display().to_string(),
            entries: 0,
            added: 0,
            kept: 0,
            renewed: 0,
            still_expired: 0,
            removed: 0,
            dry_run: false,
            findings: Vec::new(),
            removed_entries: Vec::new(),
            not_found: Vec::new(),
        }
    }

    fn write(&self, output: &OutputPlan) -> Result<()> {
        output
            .target
            .write(false, |out| match output.format {
                Format::Human if output.verbosity == Verbosity::Quiet => Ok(()),
                Format::Human => self.tell(out),
                Format::Json => writeln!(out, "{}", serde_json::to_string_pretty(self)?),
                Format::Jsonl => writeln!(out, "{}", serde_json::to_string(self)?),
            })
            .context("the baseline is written, what was done could not be told")
    }

    fn tell(&self, out: &mut dyn Write) -> io::Result<()> {
        for place in &self.findings {
            writeln!(out, "  accepted  {}:{}  {}", escape(&place.path), place.line, escape(&place.rule))?;
        }
        for entry in &self.removed_entries {
            writeln!(
                out,
                "  removed   line {}  {}  {}",
                entry.line,
                escape(&entry.rule),
                escape(&entry.reason)
            )?;
        }
        for claim in &self.not_found {
            writeln!(out, "  not found {}", escape(claim))?;
        }
        let counts = [
            (self.added, "new"),
            (self.kept, "kept"),
            (self.renewed, "renewed"),
            (self.still_expired, "past their last day"),
            (self.removed, if self.dry_run { "would be removed" } else { "removed" }),
        ];
        let counts: Vec<String> =
            counts.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
        let entries =
            if self.entries == 1 { "1 entry".to_owned() } else { format!("{} entries", self.entries) };
        let counts = if counts.is_empty() { String::new() } else { format!(" ({})", counts.join(", ")) };
        writeln!(out, "{}: {entries}{counts}", escape(&self.path))?;
        if !self.not_found.is_empty() {
            let number = count(self.not_found.len() as u64, "imported entry");
            writeln!(
                out,
                "{}: nothing is found there, so nothing was accepted for them",
                number.replace("entrys", "entries")
            )?;
        }
        Ok(())
    }
}
