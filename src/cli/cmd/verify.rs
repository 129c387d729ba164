//! `stanch verify`: which of the secrets are live.

use std::num::NonZeroU16;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use serde_json::{Value, json};
use stanch::audit_log::{Log, Verification};
use stanch::coverage::Problem;
use stanch::finding::Finding;
use stanch::fingerprint::Fingerprint;
use stanch::git::Repository;
use stanch::report::{Verbosity, text};
use stanch::rule::{Rule, RuleSet};
use stanch::scanner::{Policy, Scanner};
use stanch::secret::Secret;
use stanch::source::worktree::{Worktree, WorktreeOptions};
use stanch::verify::endpoint::{self, BaseUrls};
use stanch::verify::http::{Http, HttpOptions};
use stanch::verify::pace::{Patience, SystemClock};
use stanch::verify::{self, Options, State, Subject, Verdict};

use crate::cli::args::{AskArgs, Format, GlobalArgs, NetworkArgs, VerifyArgs};
use crate::cli::exit::Exit;
use crate::cli::plan::{Engine, OutputPlan, PathForm};
use crate::cli::values::ValueSource;
use crate::cli::{progress, terminal};

/// More base URLs, separated by commas.
const BASE_URL_VARIABLE: &str = "STANCH_BASE_URL";

pub fn run(mut args: VerifyArgs, global: &GlobalArgs, output: &OutputPlan) -> Result<Exit> {
    if args.matching.show_secrets {
        bail!("`stanch verify` shows no secrets; `stanch scan --show-secrets` does");
    }
    if args.matching.receipt.is_some() {
        bail!("a receipt is of a scan: `stanch scan --receipt FILE` writes one");
    }
    // What a baseline accepts is known, and whether it is live is the question: only one that is typed counts.
    args.matching.no_baseline |= args.matching.baseline.is_none();
    let paths = if args.paths.is_empty() { vec![".".into()] } else { args.paths.clone() };
    let engine = Engine::new(global, &args.matching, &paths, PathForm::AsTyped)?;
    let rules = engine.scanner.rules();
    let options = options(&args.ask, rules, args.workspaces)?;
    let (subjects, problems, accepted) = match &args.from {
        Some(_) if !args.paths.is_empty() => bail!("--from takes the place of PATH; give one of them"),
        Some(from) => (vec![single("--from", from, &engine, &args)?], Vec::new(), 0),
        None => {
            let worktree =
                WorktreeOptions { respect_ignore: !args.no_ignore, max_file_bytes: engine.max_file_bytes };
            let source = Worktree::new(paths, worktree);
            let scan = |progress: &_| engine.scanner.scan_watched(&source, engine.threads(), progress);
            let outcome = progress::watch(output.progress, scan);
            let found = outcome.findings.iter().map(|finding| subject(finding, rules, &args.ask)).collect();
            let suppressed = &outcome.suppressed;
            let accepted = suppressed.inline + suppressed.allowlist + suppressed.baseline;
            (found, outcome.coverage.problems, accepted)
        }
    };
    let subjects = verify::distinct(subjects);
    if args.dry_run {
        let plan = match output.format {
            Format::Human => verify::human_plan(&subjects, &options),
            Format::Json | Format::Jsonl => {
                document(verify::json_plan(&subjects, &options), &problems, output.format)
            }
        };
        write(&plan, &problems, output)?;
        tell_accepted(accepted, output);
        return Ok(Exit::of(problems.is_empty(), false));
    }
    // Before anything is asked: what cannot be noted is not done.
    let typed = args.matching.audit_log.as_deref();
    let log = super::record::log(typed, engine.audit_log.as_deref(), engine.audit_limits)?;
    let verdicts = verify::verify(&subjects, &options, &http(&args.ask.network), &SystemClock);
    if let Some(log) = &log {
        note(log, &subjects, &verdicts, args.paths.first().map_or(Path::new("."), PathBuf::as_path))?;
    }
    let report = match output.format {
        Format::Human => verify::human(&subjects, &verdicts),
        Format::Json | Format::Jsonl => {
            document(verify::json(&subjects, &verdicts), &problems, output.format)
        }
    };
    write(&report, &problems, output)?;
    tell_accepted(accepted, output);
    let is_known = verdicts.iter().all(|verdict| !matches!(verdict.judgement.state, State::Unknown(_)));
    let is_told = verdicts.iter().all(|verdict| !matches!(verdict.workspaces, Some(Err(_))));
    let is_live = verdicts.iter().any(|verdict| verdict.judgement.state == State::Live);
    Ok(Exit::of(problems.is_empty() && is_known && is_told, is_live))
}

/// Notes in the audit log what was learnt of each secret.
fn note(log: &Log, subjects: &[Subject], verdicts: &[Verdict], place: &Path) -> Result<()> {
    let repository = Repository::open(place).ok();
    let mut events = super::record::events(repository.as_ref());
    for (subject, verdict) in subjects.iter().zip(verdicts) {
        let state = &verdict.judgement.state;
        let reason = match state {
            State::Unknown(reason) => reason.to_string(),
            State::Live | State::Dead => String::new(),
        };
        events.verification(&Verification {
            rule_id: &subject.rule.id,
            fingerprint: subject.fingerprint,
            state: state.name(),
            reason: &reason,
            host: verdict.host.as_deref().unwrap_or_default(),
        });
    }
    Ok(log.append(&events)?)
}

/// Says how much was not asked about, since a marker or an allowlist says nothing of what an issuer would say.
fn tell_accepted(accepted: u64, output: &OutputPlan) {
    if accepted > 0 && output.verbosity > Verbosity::Quiet {
        let what = text::count(accepted, "accepted finding");
        terminal::say(&format!(
            "note: not asked about {what}: see markers (--no-inline-allow), allowlists and --baseline"
        ));
    }
}

/// The network as the options want it.
pub fn http(args: &NetworkArgs) -> Http {
    let timeout = Duration::from_secs(u64::from(args.timeout.get()));
    Http::new(HttpOptions { timeout, allow_private: args.allow_private })
}

/// How to ask, as the options and the environment want it.
///
/// # Errors
///
/// When a base URL cannot be used or speaks of a provider that there is not.
pub fn options(args: &AskArgs, rules: &RuleSet, workspaces: bool) -> Result<Options> {
    Ok(Options {
        base_urls: base_urls(&args.network, rules)?,
        patience: Patience { retries: args.retries, max_wait: Duration::from_secs(args.max_wait) },
        concurrency: usize::from(args.concurrency.map_or(4, NonZeroU16::get)),
        workspaces,
    })
}

/// Other places for some interfaces.
///
/// # Errors
///
/// When one cannot be used or speaks of a provider that there is not.
pub fn base_urls(args: &NetworkArgs, rules: &RuleSet) -> Result<BaseUrls> {
    let mut base_urls = BaseUrls::default();
    let variable = std::env::var(BASE_URL_VARIABLE).unwrap_or_default();
    for entry in variable.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
        base_urls.add(entry).context(BASE_URL_VARIABLE)?;
    }
    for entry in &args.base_url {
        base_urls.add(entry).context("--base-url")?;
    }
    for key in base_urls.keys() {
        let names = |rule: &Rule| endpoint::key(&rule.provider) == key || endpoint::key(&rule.id) == key;
        if key != "clickupstatus" && !RuleSet::builtin().rules().iter().chain(rules.rules()).any(names) {
            bail!("--base-url: no rule has the provider or the id `{key}`");
        }
    }
    Ok(base_urls)
}

fn subject(finding: &Finding, rules: &RuleSet, args: &AskArgs) -> Subject {
    let rule = rules.get(&finding.rule.id);
    Subject {
        rule: Arc::clone(&finding.rule),
        request: rule.and_then(Rule::request).cloned(),
        is_trusted: args.custom_requests || rule.is_some_and(Rule::is_builtin),
        secret: finding.secret.clone(),
        pair: finding.parts.first().map(|part| part.secret.clone()),
        fingerprint: finding.fingerprint,
        places: vec![(finding.location.path.clone(), Some(finding.location.start.line))],
    }
}

/// A subject of a value that stands alone.
fn single(option: &str, from: &str, engine: &Engine, args: &VerifyArgs) -> Result<Subject> {
    let source = ValueSource::parse(option, from)?;
    let secret = source.read()?;
    let rule = rule_of(&secret, engine, &args.matching.rules)
        .with_context(|| format!("{source} cannot be checked"))?;
    Ok(of_value(rule, secret, &source.to_string(), args.ask.custom_requests))
}

/// A value that stands alone, as a subject.
pub fn of_value(rule: &Rule, secret: Secret, name: &str, trust_custom: bool) -> Subject {
    Subject {
        rule: Arc::clone(rule.info()),
        request: rule.request().cloned(),
        is_trusted: trust_custom || rule.is_builtin(),
        pair: None,
        fingerprint: Fingerprint::new(&rule.id, &secret),
        secret,
        places: vec![(name.into(), None)],
    }
}

/// The rule of a value that stands alone: the one that was typed, or the one that finds the value.
///
/// # Errors
///
/// When no rule finds it.
pub fn rule_of<'e>(secret: &Secret, engine: &'e Engine, typed: &[String]) -> Result<&'e Rule> {
    let rules = engine.scanner.rules();
    match typed {
        [] => {}
        [id] => return rules.get(id).ok_or_else(|| anyhow!("--rule: there is no rule `{id}`")),
        _ => bail!("--rule can be given once here"),
    }
    // What allowlists and baselines accept has a kind too, so the built-in rules are asked without them first.
    let plain = Scanner::new(RuleSet::builtin(), Policy::default());
    let find = |scanner: &Scanner| {
        let outcome = scanner.scan_bytes("value".into(), secret.reveal());
        let finding = outcome.findings.into_iter().find(|finding| finding.secret == *secret)?;
        rules.get(&finding.rule.id)
    };
    find(&plain).or_else(|| find(&engine.scanner)).ok_or_else(|| {
        anyhow!(
            "no rule knows it by its form alone; name its kind with --rule ID (`stanch rules list` has them)"
        )
    })
}

/// The document with what could not be read.
pub fn document(mut value: Value, problems: &[Problem], format: Format) -> String {
    let problems: Vec<Value> = problems
        .iter()
        .map(|problem| json!({ "name": problem.name.to_string(), "message": problem.message }))
        .collect();
    if let Value::Object(object) = &mut value {
        object.insert("problems".to_owned(), problems.into());
    }
    let text = match format {
        Format::Jsonl => serde_json::to_string(&value),
        Format::Human | Format::Json => serde_json::to_string_pretty(&value),
    };
    format!("{}\n", text.expect("a value is JSON"))
}

/// Writes the report, and to standard error what could not be read.
///
/// # Errors
///
/// When the report could not be written.
pub fn write(report: &str, problems: &[Problem], output: &OutputPlan) -> Result<()> {
    output.target.write(false, |out| out.write_all(report.as_bytes()))?;
    for problem in problems {
        let name = text::escape_bytes(&problem.name);
        terminal::complain(&format!("{name}: {}", problem.message));
    }
    Ok(())
}
