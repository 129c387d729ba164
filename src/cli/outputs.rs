//! The forms of a report and where each of them goes.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::Path;

use anyhow::{Result, anyhow, bail};
use clap::ValueEnum;
use jiff::Timestamp;
use stanch::report::{
    Csv, Document, Github, Gitlab, Html, Human, Json, JsonLines, Junit, Reporter, Sarif, Verbosity, text,
};

use super::args::{Command, Format, GlobalArgs, HookAction, ReportFormat};
use super::plan::OutputPlan;
use super::terminal::{self, Target};

/// One form of the report and its place.
#[derive(Clone, Debug)]
pub struct Output {
    /// The form.
    pub format: ReportFormat,
    /// Where it goes.
    pub target: Target,
    /// Whether it is coloured.
    pub colour: bool,
}

/// Whether the command reports findings, and so in every form.
pub fn reports_findings(command: &Command) -> bool {
    match command {
        Command::Scan(_)
        | Command::Staged(_)
        | Command::History(_)
        | Command::Stdin(_)
        | Command::Git(_)
        | Command::Detect(_)
        | Command::Protect(_)
        | Command::Check(_)
        | Command::Report(_) => true,
        Command::Hook(args) => matches!(args.action, HookAction::Run(_)),
        Command::Explain(_)
        | Command::Receipt(_)
        | Command::Config(_)
        | Command::Baseline(_)
        | Command::Rules(_)
        | Command::Completions { .. }
        | Command::Man { .. } => false,
        #[cfg(feature = "verify")]
        Command::Verify(_) | Command::Rotate(_) | Command::Clickup(_) => false,
    }
}

/// Reads `--format` and `--output`. Every place is judged before any work is done and before anything is written.
///
/// # Errors
///
/// When a form cannot be written to its place, and when two have the same.
pub fn plan(global: &GlobalArgs) -> Result<Vec<Output>> {
    let mut typed: Vec<(Option<ReportFormat>, OsString)> = Vec::new();
    for value in &global.output {
        typed.extend(split(value)?);
    }
    let has_plain = typed.iter().any(|(format, _)| format.is_none());
    let has_stdout = typed.iter().any(|(_, file)| file == "-");
    // What is named with a form of its own leaves standard output to `--format`, if that was typed.
    if typed.is_empty() || (global.format.is_some() && !has_plain && !has_stdout) {
        typed.insert(0, (global.format, "-".into()));
    }
    let mut outputs: Vec<Output> = Vec::new();
    for (format, file) in typed {
        let format = format.or(global.format).unwrap_or_default();
        let target = Target::new(Some(Path::new(&file)))?;
        if outputs.iter().any(|other| other.target.is_same(&target)) {
            bail!("--output: two reports cannot go to {}", Path::new(&file).display());
        }
        let colour = target.wants_colour(global.color);
        outputs.push(Output { format, target, colour });
    }
    Ok(outputs)
}

/// The one place and form of a command that reports no findings.
///
/// # Errors
///
/// When several are asked for, or a form that only findings have.
pub fn only(outputs: &[Output]) -> Result<(Target, Format)> {
    let [output] = outputs else { bail!("--output: this command writes one form to one place") };
    let format = match output.format {
        ReportFormat::Human => Format::Human,
        ReportFormat::Json => Format::Json,
        ReportFormat::Jsonl => Format::Jsonl,
        other => bail!(
            "this command reports no findings, so it cannot write them as {}; it has the forms human, json and jsonl",
            name(other)
        ),
    };
    Ok((output.target.clone(), format))
}

/// Splits `json=FILE,sarif=FILE`. A plain file name may have commas and equals signs: only what starts with the name
/// of a form and `=` is more than a name.
fn split(value: &OsStr) -> Result<Vec<(Option<ReportFormat>, OsString)>> {
    let whole = || vec![(None, value.to_os_string())];
    let Some(text) = value.to_str() else { return Ok(whole()) };
    if text.is_empty() {
        bail!("--output: the name of the file is empty");
    }
    if with_format(text).is_none() {
        if !Path::new(text).exists() {
            refuse_unknown(text)?;
        }
        return Ok(whole());
    }
    let mut parts: Vec<(ReportFormat, String)> = Vec::new();
    for piece in text.split(',') {
        match (with_format(piece), parts.last_mut()) {
            (Some((format, file)), _) => parts.push((format, file.to_owned())),
            (None, Some((_, file))) => {
                refuse_unknown(piece)?;
                file.extend([",", piece]);
            }
            (None, None) => unreachable!("the first piece starts with a form, as the whole does"),
        }
    }
    let parts = parts.into_iter().map(|(format, file)| match file.is_empty() {
        true => Err(anyhow!("--output: `{}=` needs a file", name(format))),
        false => Ok((Some(format), OsString::from(file))),
    });
    parts.collect()
}

/// A slip such as `jsno=FILE` must not make a file of that name.
fn refuse_unknown(text: &str) -> Result<()> {
    match text.split_once('=') {
        Some((word, _)) if is_like_a_format(word) => {
            bail!(
                "--output: there is no form `{word}`; there are {}; write ./{text} if that is a file",
                names()
            )
        }
        _ => Ok(()),
    }
}

fn with_format(text: &str) -> Option<(ReportFormat, &str)> {
    let (word, file) = text.split_once('=')?;
    let format = ReportFormat::value_variants().iter().find(|format| name(**format) == word)?;
    Some((*format, file))
}

/// Whether somebody may have meant a form: one short word.
fn is_like_a_format(word: &str) -> bool {
    (1..=12).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_alphabetic())
}

pub fn name(format: ReportFormat) -> String {
    let value = format.to_possible_value().expect("no form is hidden");
    value.get_name().to_owned()
}

fn names() -> String {
    let names: Vec<String> = ReportFormat::value_variants().iter().map(|format| name(*format)).collect();
    names.join(", ")
}

impl Output {
    /// Whether a person reads this one on the terminal.
    pub fn is_for_people(&self) -> bool {
        self.format == ReportFormat::Human && self.target.is_stdout()
    }

    fn reporter(&self, verbosity: Verbosity) -> Box<dyn Reporter> {
        match self.format {
            ReportFormat::Human => Box::new(Human { colour: self.colour, verbosity }),
            ReportFormat::Json => Box::new(Json),
            ReportFormat::Jsonl => Box::new(JsonLines),
            ReportFormat::Sarif => Box::new(Sarif),
            ReportFormat::Gitlab => Box::new(Gitlab),
            ReportFormat::Junit => Box::new(Junit),
            ReportFormat::Csv => Box::new(Csv),
            ReportFormat::Github => Box::new(Github),
            ReportFormat::Html => Box::new(Html),
        }
    }
}

/// Writes the report in every form where it should go. Whoever looks at the terminal alone still learns what went
/// wrong, and what was found is not lost with a file that cannot be written.
///
/// # Errors
///
/// When one of the places did not take its report. The others have theirs.
pub fn deliver(document: &Document, plan: &OutputPlan, has_secrets: bool) -> Result<()> {
    let mut failures = Vec::new();
    let mut warnings = Vec::new();
    for output in &plan.outputs {
        let reporter = output.reporter(plan.verbosity);
        let written = output.target.write(has_secrets, |out| {
            warnings.extend(reporter.write(document, out)?);
            Ok(())
        });
        failures.extend(written.err());
    }
    if !plan.outputs.iter().any(Output::is_for_people) {
        let no_findings = Document { run: document.run.clone(), findings: Vec::new(), clock: document.clock };
        let _ =
            Human { verbosity: Verbosity::Quiet, ..Human::default() }.write(&no_findings, &mut io::stderr());
    }
    for warning in &warnings {
        terminal::say(&format!("warning: {}", text::escape(warning)));
    }
    let has_stdout = plan.outputs.iter().any(|output| output.target.is_stdout());
    if failures.len() == plan.outputs.len() && !has_stdout {
        let reporter = plan.outputs[0].reporter(plan.verbosity);
        let _ = Target::Stdout.write(false, |out| reporter.write(document, out).map(drop));
    } else if !has_stdout && plan.verbosity > Verbosity::Quiet {
        terminal::say(&document.verdict());
    }
    let mut failures = failures.into_iter();
    let Some(first) = failures.next() else { return Ok(()) };
    failures.for_each(|failure| terminal::complain(&format!("{failure:#}")));
    Err(first)
}

/// The time of the report. `SOURCE_DATE_EPOCH` stands in for the clock where builds must be the same every time
/// (<https://reproducible-builds.org/specs/source-date-epoch/>).
pub fn now_seconds() -> i64 {
    let pinned = std::env::var("SOURCE_DATE_EPOCH").ok().and_then(|seconds| seconds.parse().ok());
    pinned.unwrap_or_else(|| Timestamp::now().as_second())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(value: &str) -> Vec<(Option<ReportFormat>, String)> {
        let parts = split(OsStr::new(value)).unwrap();
        parts.into_iter().map(|(format, file)| (format, file.into_string().unwrap())).collect()
    }

    #[test]
    fn outputs_are_split_at_the_names_of_forms() {
        let file = |format, name: &str| (format, name.to_owned());
        assert_eq!(parts("a,b=c.json"), [file(None, "a,b=c.json")]);
        assert_eq!(parts("./json=x"), [file(None, "./json=x")]);
        assert_eq!(parts("json=a"), [file(Some(ReportFormat::Json), "a")]);
        assert_eq!(
            parts("json=a,b,sarif=c=d,csv=-"),
            [
                file(Some(ReportFormat::Json), "a,b"),
                file(Some(ReportFormat::Sarif), "c=d"),
                file(Some(ReportFormat::Csv), "-")
            ]
        );
        for wrong in ["", "json=", "json=a,sarif=", "xml=a", "json=a,xml=b"] {
            assert!(split(OsStr::new(wrong)).is_err(), "{wrong}");
        }
    }
}
