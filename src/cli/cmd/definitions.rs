//! `stanch completions` and `stanch man`: other forms of the definitions of the command line.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use clap::{Command, CommandFactory};
use clap_complete::Shell;
use clap_mangen::Man;

use crate::cli::args::Cli;
use crate::cli::exit::Exit;
use crate::cli::plan::OutputPlan;

pub fn completions(shell: Shell, output: &OutputPlan) -> Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut definitions(), "stanch", &mut script);
    output.target.write(false, |out| out.write_all(&script))?;
    Ok(Exit::Clean)
}

pub fn man(dir: Option<&Path>, output: &OutputPlan) -> Result<Exit> {
    let Some(dir) = dir else {
        let page = page(definitions())?;
        output.target.write(false, |out| out.write_all(&page))?;
        return Ok(Exit::Clean);
    };
    fs::create_dir_all(dir).with_context(|| format!("cannot make the directory {}", dir.display()))?;
    let mut waiting = vec![definitions()];
    while let Some(command) = waiting.pop() {
        let name = command.get_display_name().unwrap_or_else(|| command.get_name()).to_owned();
        waiting.extend(command.get_subcommands().filter(|sub| is_shown(sub)).cloned());
        let path = dir.join(format!("{name}.1"));
        fs::write(&path, page(command)?).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(Exit::Clean)
}

/// The commands with the names that their pages have.
fn definitions() -> Command {
    let mut command = Cli::command().disable_help_subcommand(true);
    command.build();
    command
}

fn is_shown(command: &Command) -> bool {
    !command.is_hide_set() && command.get_name() != "help"
}

fn page(command: Command) -> Result<Vec<u8>> {
    let mut page = Vec::new();
    Man::new(command).render(&mut page).context("cannot write a manual page")?;
    Ok(page)
}
