//! What is typed behind the commands about what is kept: rules, configuration, baselines, reports and receipts.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::MatchArgs;

#[derive(Args, Debug)]
pub struct ReportArgs {
    #[command(subcommand)]
    pub action: ReportAction,
}

#[derive(Subcommand, Debug)]
pub enum ReportAction {
    /// Join JSON reports of several repositories or shards into one, in any form
    ///
    /// Reads what --format json or jsonl wrote. NAME=FILE says which repository a report is about; findings of
    /// reports without a name count as those of one repository, and what is the same in all fields is listed once.
    /// The exit code is that of the joined report: 1 with findings, 2 if one of the runs was not complete.
    Merge {
        /// The reports, `-` for standard input
        #[arg(value_name = "[NAME=]FILE", required = true)]
        files: Vec<OsString>,
    },
    /// Tell which findings are new, gone or unchanged between two JSON reports
    ///
    /// A finding is the same when rule, secret and path are, whatever its line; a secret that moved to another file
    /// is unchanged too. The exit code is 1 if something is new, 2 if the new run was not complete. The forms human,
    /// json and jsonl tell all three; the others hold what is new.
    Diff {
        /// The earlier report
        #[arg(value_name = "OLD")]
        old: OsString,
        /// The later report
        #[arg(value_name = "NEW")]
        new: OsString,
    },
    /// Print the JSON Schema of JSON reports
    Schema,
}

#[derive(Args, Debug)]
pub struct RulesArgs {
    #[command(subcommand)]
    pub action: RulesAction,
}

#[derive(Subcommand, Debug)]
pub enum RulesAction {
    /// List the rules that are in force
    List,
    /// Show everything about one rule
    Show {
        /// Id of the rule
        #[arg(value_name = "ID")]
        id: String,
    },
    /// Try the rules of a file on their own examples
    ///
    /// Each example must hold exactly one match of its rule that the filters keep, each counterexample none.
    /// Random values of a shape must be found, and near misses of it must not. A rule with neither a shape nor
    /// examples is refused.
    Test {
        /// A file of [[rule]] tables, or a .stanch.toml that holds some
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
}

#[derive(Args, Debug)]
pub struct ReceiptArgs {
    #[command(subcommand)]
    pub action: ReceiptAction,
}

#[derive(Subcommand, Debug)]
pub enum ReceiptAction {
    /// Tell whether a receipt is as it was written, and speaks of a complete run
    ///
    /// The exit code is 0 if so, 2 if it was changed, is of another commit, or the run was not complete. What was
    /// found in the run does not matter here.
    Check {
        /// The receipt
        #[arg(value_name = "FILE")]
        file: PathBuf,

        /// The commit that must have been checked out, as a full object name
        #[arg(long, value_name = "COMMIT")]
        head: Option<String>,
    },
}

#[derive(Args, Debug)]
pub struct ConfigArgs {
    #[command(subcommand)]
    pub action: ConfigAction,
}

#[derive(Subcommand, Debug)]
pub enum ConfigAction {
    /// Read the configuration as a scan would, and say what is wrong with it
    ///
    /// Compiles its rules, looks for the rules that it names and reads its baseline. The exit code is 0 if it is good, 2 if
    /// not. Reads configurations of gitleaks too.
    Check {
        /// The file [default: the one that a scan of the current directory would use]
        #[arg(value_name = "FILE")]
        file: Option<PathBuf>,
    },

    /// Show the configuration in force, and where each value comes from
    ///
    /// Options of detection may be given to see what they change.
    Show {
        #[command(flatten)]
        matching: Box<MatchArgs>,
    },

    /// Write a commented .stanch.toml at the root of the repository
    ///
    /// Never overwrites a file.
    Init {
        /// Use the repository at or above this directory
        #[arg(long = "repo", short = 'C', value_name = "DIR", default_value = ".")]
        dir: PathBuf,
    },

    /// Print the JSON Schema of .stanch.toml, for editors
    Schema,
}

#[derive(Args, Debug)]
pub struct BaselineArgs {
    #[command(subcommand)]
    pub action: BaselineAction,
}

#[derive(Subcommand, Debug)]
pub enum BaselineAction {
    /// Write a baseline that accepts everything found now
    ///
    /// Names each finding by a slow hash of the secret and by its rule: it stays accepted on other lines, in other
    /// files and commits, and a new secret on the same line is reported. Never overwrites a file. Nothing is written
    /// unless everything could be read.
    Create(AcceptArgs),

    /// Add what is found now to the baseline
    ///
    /// Entries that are there keep their reasons, authors and days, also when nothing is found for them. An entry that has
    /// ended stays so unless --expires gives it a new day.
    Update(AcceptArgs),

    /// Remove entries for which nothing is found any more
    ///
    /// Entries that came from the history stay unless the history is scanned. With everything counted that could be
    /// reported at the lowest thresholds. Nothing is written unless everything could be read.
    Prune(PruneArgs),
}

#[derive(Args, Debug)]
pub struct AcceptArgs {
    #[command(flatten)]
    pub source: BaselineSourceArgs,

    /// Say why the new entries are accepted
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,

    /// Say who accepts them [default: git's user.name and user.email]
    #[arg(long, value_name = "NAME")]
    pub author: Option<String>,

    /// Say on which day they are accepted last
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub expires: Option<jiff::civil::Date>,

    /// Accept only what this file of another scanner accepts; may be given again
    ///
    /// A JSON report of gitleaks, a .gitleaksignore, or a .secrets.baseline of detect-secrets. What they name is looked
    /// for in this repository; what is not found is listed.
    #[arg(long = "import", value_name = "FILE")]
    pub imports: Vec<PathBuf>,

    #[command(flatten)]
    pub matching: MatchArgs,
}

#[derive(Args, Debug)]
pub struct PruneArgs {
    #[command(flatten)]
    pub source: BaselineSourceArgs,

    /// The baseline to prune [default: `path` under [baseline] in .stanch.toml, else .stanch-baseline]
    #[arg(long, value_name = "FILE")]
    pub baseline: Option<PathBuf>,

    /// Tell what would be removed and write nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// What a baseline speaks of.
#[derive(Args, Debug)]
pub struct BaselineSourceArgs {
    /// Say where to look: in the files, in the index, or in all of history
    #[arg(long, value_enum, default_value_t, value_name = "SOURCE")]
    pub from: BaselineSource,

    /// Use the repository at or above this directory
    #[arg(long = "repo", short = 'C', value_name = "DIR", default_value = ".")]
    pub dir: PathBuf,
}

/// Where a baseline looks.
#[derive(ValueEnum, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BaselineSource {
    /// Files as they are on disk
    #[default]
    Files,
    /// The index
    Staged,
    /// Every version of every file
    History,
}
