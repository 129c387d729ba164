//! `stanch explain`.

use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use stanch::config::unknown_rule;
use stanch::explain::{self, Explanation, Request};
use stanch::report::{Verbosity, text};
use stanch::source::stdin::Stdin;
use stanch::source::worktree::{Worktree, WorktreeOptions};

use crate::cli::args::{ExplainArgs, Format, GlobalArgs, MatchArgs};
use crate::cli::exit::Exit;
use crate::cli::plan::{Engine, OutputPlan, PathForm, load_config, rule_set};
use crate::cli::terminal;

pub fn run(args: ExplainArgs, global: &GlobalArgs, output: &OutputPlan) -> Result<Exit> {
    let Place { path, line, column } = Place::parse(&args.place)?;
    if args.matching.receipt.is_some() || args.matching.audit_log.is_some() {
        bail!("--receipt and --audit-log are for scans; `explain` looks at one place");
    }
    let is_stdin = path.as_os_str() == "-";
    let config_place = if is_stdin { PathBuf::from(".") } else { path.clone() };
    // All rules stay in force: one that takes another's place is a part of the explanation.
    let rules = args.matching.rules.clone();
    let matching = MatchArgs { rules: Vec::new(), ..args.matching };
    let form = if is_stdin { PathForm::FromRoot } else { PathForm::AsTyped };
    let engine = Engine::new(global, &matching, std::slice::from_ref(&config_place), form)?;
    check_rules(&engine, &rules, global, &config_place)?;
    let request = Request { line, column, rules: &rules, show_secrets: engine.show_secrets };
    let explanation = match is_stdin {
        true => explain::explain(&engine.scanner, &Stdin::new(io::stdin(), None), &request),
        false => explain_file(&engine, &path, &request)?,
    };
    if let Some(line) = line.filter(|&line| explanation.is_read && line > explanation.line_count)
        && explanation.problems.is_empty()
    {
        let lines = match explanation.line_count {
            1 => "1 line".to_owned(),
            count => format!("{count} lines"),
        };
        bail!("{} has {lines}, there is no line {line}", path.display());
    }
    write(&explanation, output, engine.show_secrets)?;
    Ok(Exit::of(explanation.problems.is_empty(), explanation.is_reported))
}

fn explain_file(engine: &Engine, path: &Path, request: &Request<'_>) -> Result<Explanation> {
    let metadata = path.metadata().with_context(|| format!("cannot read {}", path.display()))?;
    if metadata.is_dir() {
        bail!("{} is a directory; name a file in it", path.display());
    }
    let options = WorktreeOptions { respect_ignore: false, max_file_bytes: engine.max_file_bytes };
    let source = Worktree::new(vec![path.to_path_buf()], options);
    let mut explanation = explain::explain(&engine.scanner, &source, request);
    match explain::left_out(path) {
        Ok(left_out) => explanation.add_left_out(left_out),
        Err(error) => explanation.problems.push(format!("cannot tell whether git ignores it: {error}")),
    }
    Ok(explanation)
}

/// Refuses rules that do not exist, and those that the configuration turns off: they look at nothing.
fn check_rules(engine: &Engine, rules: &[String], global: &GlobalArgs, place: &Path) -> Result<()> {
    let Some(id) = rules.iter().find(|id| engine.scanner.rules().get(id).is_none()) else { return Ok(()) };
    let (config, _) = load_config(global, &[place.to_path_buf()])?;
    if let Some(path) = config.path.as_ref().filter(|_| config.disabled_rules.contains(id)) {
        bail!("--rule: {} disables `{id}`, so it looks at nothing", path.display());
    }
    let all = rule_set(&config)?;
    let known: Vec<&str> = all.rules().iter().map(|rule| rule.id.as_str()).collect();
    bail!("--rule: {}", unknown_rule(id, &known));
}

fn write(explanation: &Explanation, output: &OutputPlan, is_private: bool) -> Result<()> {
    let text = match output.format {
        Format::Human if output.verbosity == Verbosity::Quiet => match explanation.is_reported {
            true => explanation.verdict.lines().map(|line| format!("{}\n", text::escape(line))).collect(),
            false => String::new(),
        },
        Format::Human => explain::human(explanation, output.colour, output.verbosity == Verbosity::Verbose),
        Format::Json => format!("{}\n", serde_json::to_string_pretty(explanation)?),
        Format::Jsonl => format!("{}\n", serde_json::to_string(explanation)?),
    };
    output.target.write(is_private, |out| out.write_all(text.as_bytes()))?;
    if !(output.target.is_stdout() && output.is_for_people() && output.verbosity > Verbosity::Quiet) {
        explanation.problems.iter().for_each(|problem| terminal::complain(problem));
    }
    Ok(())
}

/// A file, and perhaps a line and a column in it.
struct Place {
    path: PathBuf,
    line: Option<u64>,
    column: Option<u64>,
}

impl Place {
    /// Reads `FILE:LINE:COLUMN`; a file that has such a name itself goes first.
    fn parse(typed: &Path) -> Result<Self> {
        let whole = || Self { path: typed.to_path_buf(), line: None, column: None };
        let Some(text) = typed.to_str().filter(|_| !typed.exists()) else { return Ok(whole()) };
        let Some((head, last)) = split_number(text) else { return Ok(whole()) };
        let (path, line, column) = match split_number(head).filter(|_| !Path::new(head).exists()) {
            Some((path, line)) => (path, line, Some(last)),
            None => (head, last, None),
        };
        if line == 0 || column == Some(0) {
            bail!("{text}: lines and columns start at 1");
        }
        Ok(Self { path: PathBuf::from(path), line: Some(line), column })
    }
}

/// The number behind the last colon. `C:` alone is a drive.
fn split_number(text: &str) -> Option<(&str, u64)> {
    let (head, number) = text.rsplit_once(':')?;
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    Some((head, number.parse().ok()?)).filter(|(head, _)| is_number && !head.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read_from_the_end() {
        for (typed, expected) in [
            ("no/such/a.txt", ("no/such/a.txt", None, None)),
            ("no/such/a.txt:3", ("no/such/a.txt", Some(3), None)),
            ("no/such/a.txt:3:14", ("no/such/a.txt", Some(3), Some(14))),
            ("no/such/a:b:3", ("no/such/a:b", Some(3), None)),
            ("no/such/a:", ("no/such/a:", None, None)),
            ("-:7", ("-", Some(7), None)),
        ] {
            let Place { path, line, column } = Place::parse(Path::new(typed)).unwrap();
            assert_eq!((path.to_str().unwrap(), line, column), expected, "{typed}");
        }
        assert!(Place::parse(Path::new("no/such/a.txt:0")).is_err());
    }
}
