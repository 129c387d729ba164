//! `stanch receipt`.

use std::fs;

use anyhow::{Context, Result, bail};
use stanch::receipt;
use stanch::report::text;

use crate::cli::args::{ReceiptAction, ReceiptArgs};
use crate::cli::exit::Exit;
use crate::cli::plan::OutputPlan;

pub fn run(args: &ReceiptArgs, output: &OutputPlan) -> Result<Exit> {
    let ReceiptAction::Check { file, head } = &args.action;
    let content = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    let checked =
        receipt::check(&content).with_context(|| format!("cannot accept the receipt {}", file.display()))?;
    if let Some(wanted) = head
        && checked.head.as_ref() != Some(wanted)
    {
        let there = checked.head.as_deref().unwrap_or("no commit");
        bail!("the receipt {} is of {there}, not of {wanted}", file.display());
    }
    let state = if checked.is_complete { "complete" } else { "not complete" };
    let head = checked.head.map(|head| format!(" of {head}")).unwrap_or_default();
    let line = format!(
        "{}: a {} scan{head}, {state}, {} findings, exit code {}",
        checked.digest, checked.mode, checked.findings, checked.exit_code
    );
    output.target.write(false, |out| writeln!(out, "{}", text::escape(&line)))?;
    Ok(Exit::of(checked.is_complete, false))
}
