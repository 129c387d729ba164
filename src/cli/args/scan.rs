//! What is typed behind the commands that look for secrets.

use std::path::PathBuf;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use stanch::finding::{Confidence, Severity};

/// Options of every command that looks for secrets.
#[derive(Args, Clone, Debug, Default, PartialEq)]
#[command(next_help_heading = "Detection")]
pub struct MatchArgs {
    /// Use only this rule; may be given again
    #[arg(long = "rule", value_name = "ID")]
    pub rules: Vec<String>,

    /// Report nothing less severe
    #[arg(long, value_name = "SEVERITY", value_parser = severity())]
    pub min_severity: Option<Severity>,

    /// Report nothing less certain
    ///
    /// Without the option low; but medium for guesses, and for keys in blocks, which are low when they need a passphrase.
    #[arg(long, value_name = "CONFIDENCE", value_parser = confidence())]
    pub min_confidence: Option<Confidence>,

    /// Skip larger files, and count them; such as 512k, 50M, 2G
    #[arg(long, value_name = "SIZE", value_parser = stanch::config::parse_bytes)]
    pub max_file_bytes: Option<u64>,

    /// Report findings despite a stanch:allow marker
    #[arg(long)]
    pub no_inline_allow: bool,

    /// Accept the findings that this file knows
    ///
    /// Without the option the file that .stanch.toml names as `path` under [baseline]. See `stanch baseline`.
    #[arg(long, value_name = "FILE")]
    pub baseline: Option<PathBuf>,

    /// Report findings despite the baseline that .stanch.toml names
    #[arg(long, conflicts_with = "baseline", hide_short_help = true)]
    pub no_baseline: bool,

    /// Show secrets in full, in every format
    #[arg(long)]
    pub show_secrets: bool,

    /// Write what was examined and what was not, sealed with a digest
    ///
    /// JSON: files, blobs, commits, refs and bytes; what was left out and why; mode, version, rules and configuration.
    /// `stanch receipt check FILE` tells whether it was changed.
    #[arg(long, value_name = "FILE", hide_short_help = true)]
    pub receipt: Option<PathBuf>,

    /// Append the scan, and each decision to let a match pass, to this log
    ///
    /// One JSON object a line, without secrets. Without the option the file named by the variable STANCH_AUDIT_LOG, and
    /// else `log` under [audit] in the configuration.
    #[arg(long, value_name = "FILE", hide_short_help = true)]
    pub audit_log: Option<PathBuf>,
}

impl MatchArgs {
    /// Whether everything is looked for that can be found.
    pub fn is_everything(&self) -> bool {
        self.rules.is_empty() && self.min_severity.is_none() && self.min_confidence.is_none()
    }

    /// Fills what was not typed behind the command with what was typed before it.
    #[must_use]
    pub fn or(mut self, outer: MatchArgs) -> Self {
        self.rules.extend(outer.rules);
        Self {
            rules: self.rules,
            min_severity: self.min_severity.or(outer.min_severity),
            min_confidence: self.min_confidence.or(outer.min_confidence),
            max_file_bytes: self.max_file_bytes.or(outer.max_file_bytes),
            no_inline_allow: self.no_inline_allow || outer.no_inline_allow,
            baseline: self.baseline.or(outer.baseline),
            no_baseline: self.no_baseline || outer.no_baseline,
            show_secrets: self.show_secrets || outer.show_secrets,
            receipt: self.receipt.or(outer.receipt),
            audit_log: self.audit_log.or(outer.audit_log),
        }
    }
}

/// Where the repository is.
#[derive(Args, Debug, Default)]
pub struct RepoArgs {
    /// Use the repository at or above this directory
    #[arg(long = "repo", short = 'C', value_name = "DIR", default_value = ".")]
    pub dir: PathBuf,
}

#[derive(Args, Debug, Default, PartialEq)]
pub struct ScanArgs {
    /// Files and directories to scan [default: .]
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,

    /// Scan files that .gitignore excludes too, such as build output
    #[arg(long)]
    pub no_ignore: bool,

    #[command(flatten)]
    pub matching: MatchArgs,
}

#[derive(Args, Debug)]
pub struct StagedArgs {
    #[command(flatten)]
    pub repo: RepoArgs,

    #[command(flatten)]
    pub matching: MatchArgs,
}

#[derive(Args, Debug, Default)]
pub struct HistoryArgs {
    /// Commits or ranges to scan, as git names them [default: everything]
    #[arg(value_name = "RANGE", allow_hyphen_values = false)]
    pub ranges: Vec<String>,

    /// Leave out objects that no ref and no reflog reaches
    #[arg(long)]
    pub reachable_only: bool,

    /// Accept that a shallow clone lacks the older history
    #[arg(long)]
    pub allow_shallow: bool,

    /// Read every version of every file whole instead of what is new in it
    ///
    /// Takes many times as long and finds the same. For those who want to check that.
    #[arg(long)]
    pub no_delta: bool,

    /// Remember what held nothing, and do not read it again next time
    ///
    /// Keeps in the git directory, under `stanch`, which objects were read to their end and hold no match of these
    /// rules, and where others have theirs, but nothing of a secret. Findings are the same as without; other rules or
    /// another version of stanch begin anew.
    #[arg(long, conflicts_with_all = ["no_delta", "reachable_only", "ranges"])]
    pub cache: bool,

    /// Write a plan of what to do about the findings into a new directory
    ///
    /// For each secret what it is, where it is exposed, since when, who must act and how to revoke it; files for
    /// git-filter-repo and BFG, the commands to run, what they do not clean, and the command that proves the result.
    /// The files hold the secrets in full and are readable by you alone. Nothing is overwritten.
    #[arg(long, value_name = "DIR", conflicts_with = "ranges")]
    pub plan: Option<PathBuf>,

    /// Let the plan lie in the repository, where a commit could take it along
    #[arg(long, requires = "plan", hide_short_help = true)]
    pub plan_in_repository: bool,

    #[command(flatten)]
    pub repo: RepoArgs,

    #[command(flatten)]
    pub matching: MatchArgs,
}

#[derive(Args, Debug)]
pub struct StdinArgs {
    /// Report the content under this name
    #[arg(long, value_name = "NAME")]
    pub path: Option<PathBuf>,

    #[command(flatten)]
    pub matching: MatchArgs,
}

#[derive(Args, Debug)]
pub struct CheckArgs {
    /// Add the missing lines to .gitignore
    #[arg(long)]
    pub fix: bool,

    /// Report only this kind of item, whatever its severity, and fail by it; may be given again
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    pub only: Vec<String>,

    /// Do not report this kind of item; may be given again
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    pub skip: Vec<String>,

    /// List the kinds of items and do nothing else
    #[arg(long)]
    pub list: bool,

    #[command(flatten)]
    pub repo: RepoArgs,
}

#[derive(Args, Debug)]
pub struct ExplainArgs {
    /// The place; without a line every line at which a rule looked, `-` for standard input
    #[arg(value_name = "FILE[:LINE[:COLUMN]]")]
    pub place: PathBuf,

    #[command(flatten)]
    pub matching: MatchArgs,
}

#[derive(Args, Debug)]
pub struct GitArgs {
    /// Use the repository at or above this directory
    #[arg(value_name = "DIR", default_value = ".")]
    pub repo: PathBuf,

    #[command(flatten)]
    pub matching: MatchArgs,
}

#[derive(Args, Debug)]
pub struct DetectArgs {
    /// The directory to scan
    #[arg(long, short, value_name = "DIR", default_value = ".")]
    pub source: PathBuf,

    /// Scan files and not the history
    #[arg(long)]
    pub no_git: bool,

    #[command(flatten)]
    pub matching: MatchArgs,
}

#[derive(Args, Debug)]
pub struct ProtectArgs {
    /// Scan the index
    #[arg(long, required = true)]
    pub staged: bool,

    /// Use the repository at or above this directory
    #[arg(long, short, value_name = "DIR", default_value = ".")]
    pub source: PathBuf,

    #[command(flatten)]
    pub matching: MatchArgs,
}

fn severity() -> impl TypedValueParser<Value = Severity> {
    PossibleValuesParser::new(Severity::ALL.map(Severity::name)).map(|name| {
        Severity::ALL.into_iter().find(|value| value.name() == name).expect("one of the possible values")
    })
}

fn confidence() -> impl TypedValueParser<Value = Confidence> {
    PossibleValuesParser::new(Confidence::ALL.map(Confidence::name)).map(|name| {
        Confidence::ALL.into_iter().find(|value| value.name() == name).expect("one of the possible values")
    })
}
