//! `stanch report`: what is made of reports that are there already.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, Read, Write};
use std::path::Path;

use anyhow::{Context, Result, bail};
use stanch::report::{self, Document, REPORT_SCHEMA, Verbosity, merge, read};

use crate::cli::args::{ReportAction, ReportArgs, ReportFormat};
use crate::cli::exit::Exit;
use crate::cli::outputs::{deliver, now_seconds};
use crate::cli::plan::OutputPlan;
use crate::cli::terminal;

pub fn run(args: &ReportArgs, output: &OutputPlan) -> Result<Exit> {
    match &args.action {
        ReportAction::Merge { files } => merged(files, output),
        ReportAction::Diff { old, new } => diff(old, new, output),
        ReportAction::Schema => schema(output),
    }
}

fn merged(files: &[OsString], output: &OutputPlan) -> Result<Exit> {
    if files.iter().filter(|file| split(file).1 == "-").count() > 1 {
        bail!("standard input can be read only once");
    }
    let mut reports = Vec::new();
    let mut failed = false;
    // Every file that is wrong is named at once, not one a run.
    for file in files {
        let (name, file) = split(file);
        match load(file) {
            Ok(document) => reports.push((name, document)),
            Err(error) => {
                failed = true;
                terminal::complain(&format!("{error:#}"));
            }
        }
    }
    if failed {
        bail!("nothing was merged: a report that cannot be read would be missing from the whole");
    }
    let has_secrets = reports.iter().any(|(_, document)| shows_secrets(document));
    let mut document = merge(reports, env!("CARGO_PKG_VERSION"));
    document.clock.finished_seconds = Some(now_seconds());
    deliver(&document, output, has_secrets)?;
    Ok(Exit::of(document.is_complete(), !document.findings.is_empty()))
}

/// The name of the repository, if one stands before the file, and the file. A file of the whole name goes first.
fn split(typed: &OsStr) -> (Option<String>, &OsStr) {
    match typed.to_str().and_then(|text| text.split_once('=')) {
        Some((name, file)) if !name.is_empty() && !Path::new(typed).exists() => {
            (Some(name.to_owned()), OsStr::new(file))
        }
        _ => (None, typed),
    }
}

fn load(file: &OsStr) -> Result<Document> {
    let path = Path::new(file);
    if path.as_os_str().is_empty() {
        bail!("the name of a report is empty");
    }
    let (name, text) = match file == "-" {
        true => {
            let mut text = Vec::new();
            io::stdin().lock().read_to_end(&mut text).context("cannot read standard input")?;
            ("standard input".to_owned(), text)
        }
        false => {
            let text =
                fs::read(path).with_context(|| format!("cannot read the report {}", path.display()))?;
            (path.display().to_string(), text)
        }
    };
    read(&text).with_context(|| format!("cannot use the report {name}"))
}

/// Whether somebody typed `--show-secrets` when it was written: then a file that holds it must be private too.
fn shows_secrets(document: &Document) -> bool {
    document.findings.iter().any(|finding| finding.secret.secret.is_some())
}

fn diff(old: &OsStr, new: &OsStr, output: &OutputPlan) -> Result<Exit> {
    if old == "-" && new == "-" {
        bail!("standard input can be read only once");
    }
    let (old, new) = (load(old)?, load(new)?);
    let has_secrets = shows_secrets(&old) || shows_secrets(&new);
    let found = report::diff(old, new.clone());
    let exit = Exit::of(found.complete, !found.new.is_empty());
    let mut own = Vec::new();
    let mut others = OutputPlan { outputs: Vec::new(), ..output.clone() };
    for place in &output.outputs {
        match place.format {
            ReportFormat::Human | ReportFormat::Json | ReportFormat::Jsonl => own.push(place),
            _ => others.outputs.push(place.clone()),
        }
    }
    let mut failure = None;
    for place in own {
        let written = place.target.write(has_secrets, |out| match place.format {
            ReportFormat::Json => found.write_json(out),
            ReportFormat::Jsonl => found.write_json_lines(out),
            _ => found.write_human(output.verbosity == Verbosity::Verbose, out),
        });
        if let Err(error) = written {
            terminal::complain(&format!("{error:#}"));
            failure = Some(error);
        }
    }
    if !output.outputs.iter().any(|place| place.target.is_stdout()) && output.verbosity > Verbosity::Quiet {
        terminal::say(&found.verdict());
    }
    if !others.outputs.is_empty() {
        let mut document = found.only_new(new);
        document.clock.finished_seconds = Some(now_seconds());
        deliver(&document, &OutputPlan { verbosity: Verbosity::Quiet, ..others }, has_secrets)?;
    }
    match failure {
        Some(_) => Ok(Exit::Incomplete),
        None => Ok(exit),
    }
}

fn schema(output: &OutputPlan) -> Result<Exit> {
    let [place] = &output.outputs[..] else { bail!("--output: the schema goes to one place") };
    if !matches!(place.format, ReportFormat::Human | ReportFormat::Json) {
        bail!("the schema is JSON; it has no other form");
    }
    place.target.write(false, |out: &mut dyn Write| out.write_all(REPORT_SCHEMA.as_bytes()))?;
    Ok(Exit::Clean)
}
