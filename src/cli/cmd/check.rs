//! `stanch check`.

use anyhow::Result;
use stanch::git::Repository;
use stanch::hygiene::{self, Options, Report, Verdict};
use stanch::report::{Verbosity, text};

use crate::cli::args::{CheckArgs, Format};
use crate::cli::exit::Exit;
use crate::cli::plan::OutputPlan;
use crate::cli::terminal;

pub fn run(args: &CheckArgs, output: &OutputPlan) -> Result<Exit> {
    let repository = Repository::open(&args.repo.dir)?;
    let options = Options::default();
    let mut report = hygiene::check(&repository, &options)?;
    let mut fixed = Ok(());
    if args.fix && !report.missing_lines.is_empty() {
        match hygiene::fix(&repository, &report) {
            Ok(done) => {
                tell_added(&done, output);
                report = hygiene::check(&repository, &options)?;
            }
            // What is wrong is reported all the same.
            Err(error) => fixed = Err(error),
        }
    }
    write(&report, output)?;
    fixed?;
    Ok(match report.verdict() {
        Verdict::Fine => Exit::Clean,
        Verdict::Wrong => Exit::Findings,
        Verdict::Incomplete => Exit::Incomplete,
    })
}

fn tell_added(done: &hygiene::Fixed, output: &OutputPlan) {
    if output.verbosity > Verbosity::Quiet {
        let path = done.path.display().to_string();
        terminal::say(&format!("added to {}: {}", text::escape(&path), done.added.join(" ")));
    }
}

fn write(report: &Report, output: &OutputPlan) -> Result<()> {
    let text = match output.format {
        Format::Human if output.verbosity == Verbosity::Quiet && report.verdict() == Verdict::Fine => {
            String::new()
        }
        Format::Human => hygiene::human(report),
        Format::Json | Format::Jsonl => hygiene::json(report),
    };
    output.target.write(false, |out| out.write_all(text.as_bytes()))?;
    if !(output.target.is_stdout() && output.is_for_people()) {
        for problem in &report.problems {
            terminal::complain(&format!("cannot look at {}: {}", problem.name, problem.message));
        }
    }
    Ok(())
}
