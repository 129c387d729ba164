//! The command line: what was typed ([`args`]), what will be done ([`plan`]), and doing it ([`cmd`]).

mod args;
mod cmd;
pub mod exit;
mod outputs;
mod plan;
mod progress;
pub mod terminal;
#[cfg(feature = "verify")]
mod values;

use std::ffi::OsString;

use anyhow::{Context, Result};
use clap::{CommandFactory, Parser};
use stanch::report::text;

use args::{Cli, Command};
use exit::Exit;
use plan::OutputPlan;

/// Does what the command line asks for.
pub fn run() -> Exit {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let error = tame(error);
            let is_written = error.print().is_ok();
            return Exit::of(is_written && !error.use_stderr(), false);
        }
    };
    execute(cli).unwrap_or_else(|error| {
        terminal::complain(&chain(&error));
        Exit::Incomplete
    })
}

/// The error as it is of arguments that steer no terminal; a script may pass names of files that do.
fn tame(error: clap::Error) -> clap::Error {
    let typed: Vec<OsString> = std::env::args_os().collect();
    let tamed: Vec<String> = typed.iter().map(|word| text::escape_bytes(word.as_encoded_bytes())).collect();
    if tamed.iter().zip(&typed).all(|(tamed, typed)| typed == tamed.as_str()) {
        return error;
    }
    match Cli::try_parse_from(tamed) {
        Err(error) => error,
        Ok(_) => {
            Cli::command().error(error.kind(), "this is no good argument, and hidden characters stand in it")
        }
    }
}

fn execute(cli: Cli) -> Result<Exit> {
    if let Some(dir) = &cli.start_in {
        std::env::set_current_dir(dir).with_context(|| format!("cannot change to {}", dir.display()))?;
    }
    let (command, global) = plan::resolve(cli)?;
    let output = OutputPlan::new(&global, &command)?;
    match command {
        Command::Scan(args) => cmd::scan::scan(args, &global, &output),
        Command::Staged(args) => cmd::scan::staged(&args, &global, &output),
        Command::History(args) => cmd::scan::history(&args, &global, &output),
        Command::Stdin(args) => cmd::scan::stdin(&args, &global, &output),
        Command::Check(args) => cmd::check::run(&args, &global, &output),
        Command::Hook(args) => cmd::hook::run(args, &global, &output),
        Command::Explain(args) => cmd::explain::run(args, &global, &output),
        Command::Report(args) => cmd::report::run(&args, &output),
        Command::Config(args) => cmd::config::run(&args, &global, &output),
        Command::Baseline(args) => cmd::baseline::run(&args, &global, &output),
        Command::Receipt(args) => cmd::receipt::run(&args, &output),
        Command::Rules(args) => cmd::rules::run(&args, &global, &output),
        Command::Completions { shell } => cmd::definitions::completions(shell, &output),
        Command::Man { dir } => cmd::definitions::man(dir.as_deref(), &output),
        #[cfg(feature = "verify")]
        Command::Verify(args) => cmd::verify::run(args, &global, &output),
        #[cfg(feature = "verify")]
        Command::Rotate(args) => cmd::rotate::run(args, &global, &output),
        #[cfg(feature = "verify")]
        Command::Clickup(args) => cmd::clickup::run(args, &output),
        Command::Git(_) | Command::Detect(_) | Command::Protect(_) => {
            unreachable!("`resolve` turns these into the commands that they stand for")
        }
    }
}

/// What was being done, then why it failed, and each cause once: some errors speak for their cause.
fn chain(error: &anyhow::Error) -> String {
    let mut text = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        if !text.ends_with(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    text
}
