//! `stanch rules`: the catalogue, or one rule.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use serde::Serialize;
use stanch::config::{Config, unknown_rule};
use stanch::hygiene::ENV_FILE_STAGED;
use stanch::report::Verbosity;
use stanch::report::text::{count, escape};
use stanch::rule::request::Request;
use stanch::rule::{Rule, RuleSet};
use stanch::rule_test::{Tried, try_rules};

use crate::cli::args::{Format, GlobalArgs, RulesAction, RulesArgs};
use crate::cli::exit::Exit;
use crate::cli::plan::{OutputPlan, load_config, rule_set, today};

pub fn run(args: &RulesArgs, global: &GlobalArgs, output: &OutputPlan) -> Result<Exit> {
    let wanted = match &args.action {
        // The configuration in force has no say in that.
        RulesAction::Test { file } => return test(file, output),
        RulesAction::List => None,
        RulesAction::Show { id } => Some(id),
    };
    let (config, _) = load_config(global, &[PathBuf::from(".")])?;
    let rules = rule_set(&config)?;
    let mut catalogue = catalogue(&rules);
    let is_disabled = |id: &str| config.disabled_rules.iter().any(|disabled| disabled == id);
    match wanted {
        None => {
            catalogue.retain(|rule| !is_disabled(rule.id));
            output.target.write(false, |out| list(&catalogue, output.format, out))?;
        }
        Some(id) => {
            let Some(rule) = catalogue.iter().find(|rule| rule.id == id) else {
                let known: Vec<&str> = catalogue.iter().map(|rule| rule.id).collect();
                bail!(unknown_rule(id, &known));
            };
            output.target.write(false, |out| show(rule, is_disabled(id), output.format, out))?;
        }
    }
    Ok(Exit::Clean)
}

/// Tries the rules of a file.
fn test(file: &Path, output: &OutputPlan) -> Result<Exit> {
    let config = Config::load(file, today())?;
    let Some(text) = &config.custom_rules else { bail!("{} holds no [[rule]] table", file.display()) };
    let tried = try_rules(text, &file.display().to_string())?;
    output.target.write(false, |out| match output.format {
        Format::Human => tell_tried(&tried, output.verbosity, out),
        Format::Json => writeln!(out, "{}", serde_json::to_string_pretty(&tried)?),
        Format::Jsonl => tried.iter().try_for_each(|rule| writeln!(out, "{}", serde_json::to_string(rule)?)),
    })?;
    Ok(Exit::of(true, tried.iter().any(|rule| !rule.failures.is_empty())))
}

fn tell_tried(tried: &[Tried], verbosity: Verbosity, out: &mut dyn Write) -> io::Result<()> {
    let width = tried.iter().map(|rule| rule.rule.len()).max().unwrap_or_default();
    for rule in tried {
        let is_ok = rule.failures.is_empty();
        if is_ok && verbosity == Verbosity::Quiet {
            continue;
        }
        let counts = [
            (rule.examples, "example"),
            (rule.counterexamples, "counterexample"),
            (rule.samples, "random value"),
            (rule.near_misses, "near miss"),
        ];
        let counts: Vec<String> = counts
            .iter()
            .filter(|(number, _)| *number > 0)
            .map(|&(number, noun)| match noun {
                "near miss" if number > 1 => format!("{number} near misses"),
                noun => count(number, noun),
            })
            .collect();
        let counts = if counts.is_empty() { "nothing to try".to_owned() } else { counts.join(", ") };
        let word = if is_ok { "ok" } else { "failed" };
        writeln!(out, "{word:6}  {:width$}  {counts}", rule.rule)?;
        for failure in &rule.failures {
            writeln!(out, "        line {}: {}", rule.line, escape(failure))?;
        }
        for note in &rule.notes {
            writeln!(out, "        note: {}", escape(note))?;
        }
    }
    let failed = tried.iter().filter(|rule| !rule.failures.is_empty()).count();
    if verbosity > Verbosity::Quiet {
        writeln!(out, "\n{}, {failed} failed", count(tried.len() as u64, "rule"))?;
    }
    Ok(())
}

/// A rule in the JSON formats: `rules list` writes an array of them, or one a line, `rules show` one.
#[derive(Serialize)]
struct RuleRecord<'r> {
    id: &'r str,
    provider: &'r str,
    description: &'r str,
    severity: &'static str,
    confidence: &'static str,
    shape: &'r str,
    regex: &'r str,
    keywords: Vec<&'r str>,
    paths: Vec<&'r str>,
    revoke: Option<&'r str>,
    reference: Option<&'r str>,
    /// How to ask the issuer whether a value is live; the command `verify` does.
    verify: Option<String>,
}

/// Every rule by id: those that look at content, and the one that looks at the names of staged files.
fn catalogue(rules: &RuleSet) -> Vec<RuleRecord<'_>> {
    let mut records: Vec<RuleRecord<'_>> = rules.rules().iter().map(RuleRecord::new).collect();
    let env_file: &'static _ = &**ENV_FILE_STAGED;
    records.push(RuleRecord {
        id: &env_file.id,
        provider: &env_file.provider,
        description: &env_file.description,
        severity: env_file.severity.name(),
        confidence: "high",
        shape: "",
        regex: "",
        keywords: Vec::new(),
        paths: vec![".env", ".env.*"],
        revoke: env_file.revoke.as_deref(),
        reference: env_file.reference.as_deref(),
        verify: None,
    });
    records.sort_by_key(|record| record.id);
    records
}

impl<'r> RuleRecord<'r> {
    fn new(rule: &'r Rule) -> Self {
        Self {
            id: &rule.id,
            provider: &rule.provider,
            description: &rule.description,
            severity: rule.severity.name(),
            confidence: rule.confidence.name(),
            shape: &rule.shape,
            regex: &rule.regex,
            keywords: rule.keywords.iter().map(AsRef::as_ref).collect(),
            paths: rule.paths.iter().map(AsRef::as_ref).collect(),
            revoke: rule.revoke.as_deref(),
            reference: rule.reference.as_deref(),
            verify: rule.request().map(Request::summary),
        }
    }
}

fn list(rules: &[RuleRecord<'_>], format: Format, out: &mut dyn Write) -> io::Result<()> {
    match format {
        Format::Human => {
            let width = rules.iter().map(|rule| rule.id.len()).max().unwrap_or_default();
            for rule in rules {
                let provider =
                    if rule.provider.is_empty() { String::new() } else { format!("{}: ", rule.provider) };
                writeln!(out, "{:width$}  {:8}  {provider}{}", rule.id, rule.severity, rule.description)?;
            }
            writeln!(out, "\n{} rules; `stanch rules show ID` tells more", rules.len())
        }
        Format::Json => writeln!(out, "{}", serde_json::to_string_pretty(rules)?),
        Format::Jsonl => rules.iter().try_for_each(|rule| writeln!(out, "{}", serde_json::to_string(rule)?)),
    }
}

fn show(rule: &RuleRecord<'_>, is_disabled: bool, format: Format, out: &mut dyn Write) -> io::Result<()> {
    match format {
        Format::Human => {}
        Format::Json => return writeln!(out, "{}", serde_json::to_string_pretty(rule)?),
        Format::Jsonl => return writeln!(out, "{}", serde_json::to_string(rule)?),
    }
    let disabled = if is_disabled { " (disabled by the configuration)" } else { "" };
    writeln!(out, "{}{disabled}", rule.id)?;
    writeln!(out, "  {}", rule.description)?;
    let (keywords, paths) = (rule.keywords.join(", "), rule.paths.join(", "));
    // The expression of a shape is a translation of it and tells a reader nothing new.
    let regex = if rule.shape.is_empty() { rule.regex } else { "" };
    let lines = [
        ("provider", rule.provider),
        ("severity", rule.severity),
        ("confidence", rule.confidence),
        ("shape", rule.shape),
        ("regex", regex),
        ("keywords", &keywords),
        ("paths", &paths),
        ("revoke", rule.revoke.unwrap_or_default()),
        ("reference", rule.reference.unwrap_or_default()),
        ("verify", rule.verify.as_deref().unwrap_or_default()),
    ];
    for (name, text) in lines.into_iter().filter(|(_, text)| !text.is_empty()) {
        writeln!(out, "  {name:<11} {text}")?;
    }
    Ok(())
}
