//! `stanch history --plan`.

use anyhow::Result;
use stanch::git::Repository;
use stanch::plan::{self, Plan};
use stanch::report::text;
use stanch::scanner::Outcome;

use crate::cli::args::{GlobalArgs, HistoryArgs};
use crate::cli::terminal;

/// Refuses a place for the plan before hours of work are lost on it.
pub fn check_place(args: &HistoryArgs, repository: &Repository) -> Result<()> {
    let Some(path) = &args.plan else { return Ok(()) };
    Ok(Plan::check_place(repository, path, args.plan_in_repository)?)
}

/// Writes the plan, if one is wanted.
pub fn write(
    args: &HistoryArgs,
    repository: &Repository,
    outcome: &Outcome,
    global: &GlobalArgs,
) -> Result<()> {
    let Some(path) = &args.plan else { return Ok(()) };
    let plan = plan::plan(repository, outcome, options(args, global))?;
    plan::write(&plan, path)?;
    if !global.quiet {
        let place = path.join("plan.md").display().to_string();
        terminal::say(&format!("wrote the plan: start with {}", text::escape(&place)));
    }
    Ok(())
}

/// What decides what counts as a finding, as it was typed, so that the proof asks for the same.
fn options(args: &HistoryArgs, global: &GlobalArgs) -> Vec<String> {
    let matching = &args.matching;
    let mut options = Vec::new();
    let mut push = |option: String| options.push(option);
    matching.rules.iter().for_each(|rule| push(format!("--rule={rule}")));
    matching.min_severity.iter().for_each(|least| push(format!("--min-severity={}", least.name())));
    matching.min_confidence.iter().for_each(|least| push(format!("--min-confidence={}", least.name())));
    matching.max_file_bytes.iter().for_each(|bytes| push(format!("--max-file-bytes={bytes}")));
    if let Some(config) = &global.config {
        let config = std::path::absolute(config).unwrap_or_else(|_| config.clone());
        push(format!("--config={}", config.display()));
    }
    let flags = [
        (matching.no_inline_allow, "--no-inline-allow"),
        (global.no_config, "--no-config"),
        (global.no_repo_config, "--no-repo-config"),
        (args.reachable_only, "--reachable-only"),
        (args.allow_shallow, "--allow-shallow"),
    ];
    flags.iter().filter(|(is_set, _)| *is_set).for_each(|(_, flag)| push((*flag).to_owned()));
    options
}
