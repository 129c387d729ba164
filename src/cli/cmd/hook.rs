//! `stanch hook`.

use anyhow::{Result, bail};

use crate::cli::args::HookArgs;
use crate::cli::exit::Exit;
use crate::cli::plan::OutputPlan;

pub fn run(_args: &HookArgs, _output: &OutputPlan) -> Result<Exit> {
    bail!("this version cannot manage hooks yet")
}
