//! `stanch config`: check, show or write `.stanch.toml`.

use std::fs::OpenOptions;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::Serialize;
use stanch::baseline::Baseline;
use stanch::config::{self, Config, FILE_NAME};
use stanch::report::Verbosity;
use stanch::report::text::{count, escape};

use crate::cli::args::{ConfigAction, ConfigArgs, Format, GlobalArgs, MatchArgs};
use crate::cli::exit::Exit;
use crate::cli::plan::{
    ConfigSource, Engine, OutputPlan, PathForm, config_source, load_config, rule_set, shortest, slashed,
};
use crate::cli::terminal;

pub fn run(args: &ConfigArgs, global: &GlobalArgs, output: &OutputPlan) -> Result<Exit> {
    match &args.action {
        ConfigAction::Check { file } => check(file.as_deref(), global, output)?,
        ConfigAction::Show { matching } => show(matching, global, output)?,
        ConfigAction::Init { dir } => init(dir, output)?,
        ConfigAction::Schema => {
            output.target.write(false, |out| out.write_all(config::JSON_SCHEMA.as_bytes()))?;
        }
    }
    Ok(Exit::Clean)
}

/// What a check found to be right.
#[derive(Serialize)]
struct Checked {
    config: Option<String>,
    /// `stanch` or `gitleaks`.
    kind: &'static str,
    /// Rules in force.
    rules: usize,
    /// Rules that the file brings.
    own_rules: usize,
    disabled_rules: usize,
    allow_entries: usize,
    baseline_entries: Option<usize>,
    notes: Vec<String>,
}

fn check(file: Option<&Path>, global: &GlobalArgs, output: &OutputPlan) -> Result<()> {
    let mut global = global.clone();
    if let Some(file) = file {
        global.config = Some(file.to_path_buf());
        global.no_config = false;
    }
    let here = [PathBuf::from(".")];
    // Everything that a scan would ask of it: rules compile, ids exist, the baseline is one.
    let engine = Engine::new(&global, &MatchArgs::default(), &here, PathForm::AsTyped)?;
    let (config, _) = load_config(&global, &here)?;
    let checked = Checked {
        config: config.path.as_ref().map(|path| path.display().to_string()),
        kind: if config.gitleaks.is_some() { "gitleaks" } else { "stanch" },
        rules: engine.scanner.rules().rules().len(),
        own_rules: own_rules(&config),
        disabled_rules: config.disabled_rules.len(),
        allow_entries: config.allow.entry_count(),
        baseline_entries: match &engine.baseline_path {
            Some(path) => Some(Baseline::load(path)?.entries().len()),
            None => None,
        },
        notes: engine.notes(None),
    };
    output.target.write(false, |out| match output.format {
        Format::Json => writeln!(out, "{}", serde_json::to_string_pretty(&checked)?),
        Format::Jsonl => writeln!(out, "{}", serde_json::to_string(&checked)?),
        Format::Human if output.verbosity == Verbosity::Quiet => Ok(()),
        Format::Human => checked.tell(out),
    })
}

fn own_rules(config: &Config) -> usize {
    match &config.gitleaks {
        Some(gitleaks) => gitleaks.rule_count(),
        None => config.written.iter().filter(|(key, _)| key.starts_with("rule.")).count(),
    }
}

fn entries(number: usize, what: &str) -> String {
    if number == 1 { format!("1 {what} entry") } else { format!("{number} {what} entries") }
}

impl Checked {
    fn tell(&self, out: &mut dyn Write) -> io::Result<()> {
        for note in &self.notes {
            writeln!(out, "note: {}", escape(note))?;
        }
        let Some(path) = &self.config else {
            return writeln!(out, "no configuration: the defaults hold, with {} rules", self.rules);
        };
        let mut parts = vec![format!("{} in force", count(self.rules as u64, "rule"))];
        let counts = [(self.own_rules, "of its own"), (self.disabled_rules, "disabled")];
        let counted = counts.iter().filter(|(number, _)| *number > 0);
        parts.extend(counted.map(|(number, what)| format!("{number} {what}")));
        if self.allow_entries > 0 {
            parts.push(entries(self.allow_entries, "allow"));
        }
        if let Some(number) = self.baseline_entries {
            parts.push(entries(number, "baseline"));
        }
        let kind = if self.kind == "gitleaks" { " (of gitleaks)" } else { "" };
        writeln!(out, "{}{kind}: good; {}", escape(path), parts.join(", "))
    }
}

/// The configuration in force.
#[derive(Serialize)]
struct Shown {
    config: Option<String>,
    /// How the file was found.
    found_by: &'static str,
    values: Vec<Value>,
    /// Rules of the file's own.
    rules: Vec<Named>,
    /// Entries of allowlists; what they match is not shown, for it may be secrets.
    allow: Vec<Allow>,
}

#[derive(Serialize)]
struct Value {
    key: &'static str,
    value: serde_json::Value,
    from: String,
}

#[derive(Serialize)]
struct Named {
    id: String,
    from: String,
}

#[derive(Serialize)]
struct Allow {
    reason: String,
    expires: Option<String>,
    has_ended: bool,
    from: String,
}

fn show(matching: &MatchArgs, global: &GlobalArgs, output: &OutputPlan) -> Result<()> {
    let here = [PathBuf::from(".")];
    let (config, root) = load_config(global, &here)?;
    let rules = rule_set(&config)?;
    let file = config.path.as_ref().map(|path| path.display().to_string());
    let from = |key: &str, option: Option<&str>| match (option, config.line_of(key), &file) {
        (Some(option), ..) => option.to_owned(),
        (None, Some(line), Some(file)) => format!("{file}:{line}"),
        _ => "default".to_owned(),
    };
    let json = |value: Option<&str>| value.map_or(serde_json::Value::Null, Into::into);
    let severity = matching.min_severity.or(config.min_severity).map_or("low", |severity| severity.name());
    let confidence = matching.min_confidence.or(config.min_confidence).map(|confidence| confidence.name());
    let bytes = matching.max_file_bytes.or(config.max_file_bytes);
    let configured = config.baseline.as_ref().map(|path| shortest(&root.join(path)));
    let baseline = matching.baseline.clone().or(configured).filter(|_| !matching.no_baseline);
    let typed = |is_typed: bool, option: &'static str| is_typed.then_some(option);
    let values = vec![
        Value {
            key: "scan.min_severity",
            value: json(Some(severity)),
            from: from("scan.min_severity", typed(matching.min_severity.is_some(), "--min-severity")),
        },
        Value {
            key: "scan.min_confidence",
            value: json(confidence),
            from: from("scan.min_confidence", typed(matching.min_confidence.is_some(), "--min-confidence")),
        },
        Value {
            key: "scan.max_file_bytes",
            value: bytes.map_or(serde_json::Value::Null, Into::into),
            from: from("scan.max_file_bytes", typed(matching.max_file_bytes.is_some(), "--max-file-bytes")),
        },
        Value {
            key: "rules.disable",
            value: config.disabled_rules.clone().into(),
            from: from("rules.disable", None),
        },
        Value {
            key: "baseline.path",
            value: json(baseline.as_ref().map(|path| slashed(path).to_string()).as_deref()),
            from: match (matching.no_baseline, &matching.baseline) {
                (true, _) => "--no-baseline".to_owned(),
                (_, Some(_)) => "--baseline".to_owned(),
                _ => from("baseline.path", None),
            },
        },
    ];
    let own = |(key, line): &(String, usize)| {
        let id = key.strip_prefix("rule.")?;
        Some(Named { id: id.to_owned(), from: format!("{}:{line}", file.as_deref().unwrap_or_default()) })
    };
    let mut own: Vec<Named> = config.written.iter().filter_map(own).collect();
    if let Some(gitleaks) = &config.gitleaks {
        own.extend(gitleaks.rules().map(|(id, from)| Named { id: id.to_owned(), from }));
    }
    let allow = config.allow.entries().map(|(entry, has_ended)| Allow {
        reason: entry.reason().to_owned(),
        expires: entry.expires().map(|day| day.to_string()),
        has_ended,
        from: entry.written_at().to_owned(),
    });
    let found_by = match config_source(global) {
        _ if config.path.is_none() => "none",
        ConfigSource::Option => "--config",
        ConfigSource::Variable => "STANCH_CONFIG",
        ConfigSource::Search => "search",
    };
    let shown = Shown { config: file.clone(), found_by, values, rules: own, allow: allow.collect() };
    let total = rules.rules().len();
    output.target.write(false, |out| match output.format {
        Format::Json => writeln!(out, "{}", serde_json::to_string_pretty(&shown)?),
        Format::Jsonl => writeln!(out, "{}", serde_json::to_string(&shown)?),
        Format::Human => shown.tell(total, out),
    })
}

impl Shown {
    fn tell(&self, total: usize, out: &mut dyn Write) -> io::Result<()> {
        match (&self.config, self.found_by) {
            (Some(path), "search") => writeln!(out, "# {}, found from here upwards", escape(path))?,
            (Some(path), by) => writeln!(out, "# {}, named by {by}", escape(path))?,
            (None, _) => writeln!(out, "# no configuration, the defaults hold")?,
        }
        let mut table = "";
        for Value { key, value, from } in &self.values {
            let (this, name) = key.split_once('.').unwrap_or(("", key));
            if this != table {
                writeln!(out, "\n[{this}]")?;
                table = this;
            }
            let line = match value {
                serde_json::Value::Null => format!("# {name}: not set"),
                value => format!("{name} = {}", escape(&value.to_string())),
            };
            writeln!(out, "{line:<40}  # {}", escape(from))?;
        }
        writeln!(out, "\n# {total} rules are in force; `stanch rules list` shows them")?;
        for rule in &self.rules {
            writeln!(out, "# [[rule]] {:<29}  # {}", escape(&rule.id), escape(&rule.from))?;
        }
        for entry in &self.allow {
            let until = match (&entry.expires, entry.has_ended) {
                (Some(day), true) => format!(", ended on {day}"),
                (Some(day), false) => format!(", until {day}"),
                (None, _) => String::new(),
            };
            writeln!(out, "# [[allow]] {:<28}  # {}{until}", escape(&entry.reason), escape(&entry.from))?;
        }
        Ok(())
    }
}

fn init(dir: &Path, output: &OutputPlan) -> Result<()> {
    let root = config::repository_root(dir)
        .with_context(|| format!("cannot look for a repository at {}", dir.display()))?
        .unwrap_or_else(|| dir.to_path_buf());
    let path = root.join(FILE_NAME);
    let shown = shortest(&path);
    let shown = shown.display();
    // Neither a file nor a link that leads nowhere is written over.
    match OpenOptions::new().write(true).create_new(true).open(&path) {
        Ok(mut file) => file
            .write_all(config::TEMPLATE.as_bytes())
            .and_then(|()| file.sync_all())
            .with_context(|| format!("cannot write {shown}"))?,
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            bail!("{shown} is there already; it stays as it is (`stanch config check` reads it)")
        }
        Err(error) => return Err(error).with_context(|| format!("cannot write {shown}")),
    }
    if output.verbosity > Verbosity::Quiet {
        terminal::say(&format!("wrote {}: everything in it is commented out", escape(&shown.to_string())));
        if path.with_file_name(config::GITLEAKS_FILE_NAME).exists() {
            terminal::say(&format!("from now on it is in force, and {} is not", config::GITLEAKS_FILE_NAME));
        }
    }
    Ok(())
}
