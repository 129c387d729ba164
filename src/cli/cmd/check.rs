//! `stanch check`.

use anyhow::{Result, bail};

use crate::cli::args::CheckArgs;
use crate::cli::exit::Exit;
use crate::cli::plan::OutputPlan;

pub fn run(_args: &CheckArgs, _output: &OutputPlan) -> Result<Exit> {
    bail!("this version cannot check a repository yet")
}
