//! `stanch clickup health`: is an integration fit for production?

use anyhow::{Result, bail};
use stanch::rule::RuleSet;
use stanch::verify::checks::{self, Check, Status};
use stanch::verify::health;
use stanch::verify::pace::SystemClock;

use super::verify::{base_urls, document, http, of_value, write};
use crate::cli::args::{ClickupAction, ClickupArgs, Format};
use crate::cli::exit::Exit;
use crate::cli::plan::OutputPlan;
use crate::cli::values::ValueSource;

/// The kinds of token that an integration has.
const RULES: [&str; 2] = ["clickup-personal-token", "clickup-oauth-access-token"];

pub fn run(args: ClickupArgs, output: &OutputPlan) -> Result<Exit> {
    let ClickupAction::Health(args) = args.action;
    let rules = RuleSet::builtin();
    let bases = base_urls(&args.network, &rules)?;
    let source = ValueSource::parse("--token", &args.token)?;
    let secret = source.read()?;
    let is_personal = secret.reveal().starts_with(b"pk_");
    let Some(rule) = rules.get(RULES[usize::from(!is_personal)]) else {
        bail!("this build has no rule for tokens of ClickUp");
    };
    let subject = of_value(rule, secret, &source.to_string(), false);
    let list = health::checks(&subject, &bases, &http(&args.network), &SystemClock)?;
    let exit = exit(&list);
    let verdict = match exit {
        Exit::Clean => "healthy",
        Exit::Findings => "degraded",
        Exit::Incomplete => "unreachable",
    };
    let report = match output.format {
        Format::Human => checks::table(&list, verdict),
        Format::Json | Format::Jsonl => document(checks::document(&list, verdict), &[], output.format),
    };
    write(&report, &[], output)?;
    Ok(exit)
}

fn exit(list: &[Check]) -> Exit {
    let is_unreachable = list.iter().any(|check| check.priority == Some("P1"));
    Exit::of(!is_unreachable, list.iter().any(|check| check.status != Status::Pass))
}
