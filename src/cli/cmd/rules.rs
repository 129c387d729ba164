//! `stanch rules`: the catalogue, or one rule.

use std::io::{self, Write};
use std::path::PathBuf;

use anyhow::{Result, bail};
use serde::Serialize;
use stanch::config::unknown_rule;
use stanch::rule::{Rule, RuleSet};

use crate::cli::args::{Format, GlobalArgs, RulesAction, RulesArgs};
use crate::cli::exit::Exit;
use crate::cli::plan::{OutputPlan, load_config, rule_set};

pub fn run(args: &RulesArgs, global: &GlobalArgs, output: &OutputPlan) -> Result<Exit> {
    let (config, _) = load_config(global, &[PathBuf::from(".")])?;
    let rules = rule_set(&config)?;
    let is_disabled = |rule: &Rule| config.disabled_rules.iter().any(|id| *id == rule.id);
    match &args.action {
        RulesAction::List => {
            let mut listed: Vec<&Rule> = rules.rules().iter().filter(|rule| !is_disabled(rule)).collect();
            listed.sort_by(|left, right| left.id.cmp(&right.id));
            output.target.write(false, |out| list(&listed, output.format, out))?;
        }
        RulesAction::Show { id } => {
            let rule = find(&rules, id)?;
            output.target.write(false, |out| show(rule, is_disabled(rule), output.format, out))?;
        }
    }
    Ok(Exit::Clean)
}

fn find<'r>(rules: &'r RuleSet, id: &str) -> Result<&'r Rule> {
    match rules.get(id) {
        Some(rule) => Ok(rule),
        None => {
            let known: Vec<&str> = rules.rules().iter().map(|rule| &*rule.id).collect();
            bail!(unknown_rule(id, &known))
        }
    }
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
        }
    }
}

fn list(rules: &[&Rule], format: Format, out: &mut dyn Write) -> io::Result<()> {
    match format {
        Format::Human => {
            let width = rules.iter().map(|rule| rule.id.len()).max().unwrap_or_default();
            for rule in rules {
                let provider =
                    if rule.provider.is_empty() { String::new() } else { format!("{}: ", rule.provider) };
                writeln!(
                    out,
                    "{:width$}  {:8}  {provider}{}",
                    rule.id,
                    rule.severity.name(),
                    rule.description
                )?;
            }
            writeln!(out, "\n{} rules; `stanch rules show ID` tells more", rules.len())
        }
        Format::Json => {
            let records: Vec<RuleRecord<'_>> = rules.iter().map(|rule| RuleRecord::new(rule)).collect();
            writeln!(out, "{}", serde_json::to_string_pretty(&records)?)
        }
        Format::Jsonl => rules
            .iter()
            .try_for_each(|rule| writeln!(out, "{}", serde_json::to_string(&RuleRecord::new(rule))?)),
    }
}

fn show(rule: &Rule, is_disabled: bool, format: Format, out: &mut dyn Write) -> io::Result<()> {
    let record = RuleRecord::new(rule);
    match format {
        Format::Human => {}
        Format::Json => return writeln!(out, "{}", serde_json::to_string_pretty(&record)?),
        Format::Jsonl => return writeln!(out, "{}", serde_json::to_string(&record)?),
    }
    let disabled = if is_disabled { " (disabled by the configuration)" } else { "" };
    writeln!(out, "{}{disabled}", record.id)?;
    writeln!(out, "  {}", record.description)?;
    let (keywords, paths) = (record.keywords.join(", "), record.paths.join(", "));
    // The expression of a shape is a translation of it and tells a reader nothing new.
    let regex = if record.shape.is_empty() { record.regex } else { "" };
    let lines = [
        ("provider", record.provider),
        ("severity", record.severity),
        ("confidence", record.confidence),
        ("shape", record.shape),
        ("regex", regex),
        ("keywords", &keywords),
        ("paths", &paths),
        ("revoke", record.revoke.unwrap_or_default()),
        ("reference", record.reference.unwrap_or_default()),
    ];
    for (name, text) in lines.into_iter().filter(|(_, text)| !text.is_empty()) {
        writeln!(out, "  {name:<11} {text}")?;
    }
    Ok(())
}
