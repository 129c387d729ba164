//! Everything that can be typed: flags, their help, their value names. Here the commands and what all of them take.

mod hook;
mod kept;
#[cfg(feature = "verify")]
mod network;
mod scan;

use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub use hook::{
    HookAction, HookArgs, HookInstallArgs, HookMethod, HookRunArgs, HookSelection, HookStatusArgs,
};
pub use kept::{
    AcceptArgs, BaselineAction, BaselineArgs, BaselineSource, BaselineSourceArgs, ConfigAction, ConfigArgs,
    PruneArgs, ReceiptAction, ReceiptArgs, ReportAction, ReportArgs, RulesAction, RulesArgs,
};
#[cfg(feature = "verify")]
pub use network::{
    AskArgs, ClickupAction, ClickupArgs, NetworkArgs, RotateAction, RotateArgs, RotateCheckArgs, VerifyArgs,
};
pub use scan::{
    CheckArgs, DetectArgs, ExplainArgs, GitArgs, HistoryArgs, MatchArgs, ProtectArgs, RepoArgs, ScanArgs,
    StagedArgs, StdinArgs,
};

/// What was typed.
#[derive(Parser, Debug)]
#[command(
    name = "stanch",
    version,
    about = "Find secrets in git repositories before they leak",
    after_help = "Exit codes: 0 nothing found, 1 findings, 2 the job could not be done in full.\n\
                  Without a command the paths, or the current directory, are scanned.",
    override_usage = "stanch [OPTIONS] [PATH]...\n       stanch [OPTIONS] <COMMAND>",
    max_term_width = 100
)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Option<Command>,

    /// Do what the rest says in this directory, as `git -C` does
    #[arg(short = 'C', value_name = "DIR", hide_short_help = true)]
    pub start_in: Option<PathBuf>,

    #[command(flatten)]
    pub scan: ScanArgs,

    #[command(flatten)]
    pub global: GlobalArgs,
}

#[derive(Subcommand, Debug)]
pub enum Command {
    /// Scan files and directories as they are on disk
    ///
    /// Honours .gitignore in directories; hidden files are scanned, .git is not. Symbolic links are not followed.
    #[command(alias = "dir")]
    Scan(ScanArgs),

    /// Scan what is about to be committed
    ///
    /// Reads the index, not the working copy: exactly the added lines that `git commit` would record. Honours
    /// GIT_INDEX_FILE, GIT_DIR and GIT_WORK_TREE as git sets them for hooks.
    Staged(StagedArgs),

    /// Scan all of history, or a range of commits
    ///
    /// Without a range every object is read, however it is reached: branches, tags, stash, reflog, notes and
    /// unreachable objects, and the messages of commits and tags. With ranges such as origin/main..HEAD only
    /// what their commits brought.
    History(HistoryArgs),

    /// Scan standard input
    Stdin(StdinArgs),

    /// Check that secret files cannot get out: .gitignore, builds, packages, hooks
    ///
    /// Asks git's own ignore rules, and looks for secrets in untracked files, examples of environment files, build
    /// output, images and packages, under names that bundlers publish, and in several environments at once. Fails by
    /// what is medium or worse.
    Check(CheckArgs),

    /// Install, remove or inspect the git hooks
    Hook(HookArgs),

    /// Tell why something was found, or was not
    ///
    /// Names the rules that looked at the line and what sent them there, what each of them and each filter
    /// decided, and the verdict. Reads the file as `stanch scan FILE` does; where a scan of the directory would
    /// leave it out, says which line of an ignore file does that. With --rule it speaks of that rule alone and
    /// says why it did not look; all rules stay in force. The exit code is 1 if something at the place is
    /// reported, 0 if nothing is, 2 if that cannot be told.
    Explain(ExplainArgs),

    /// Join reports or compare two
    Report(ReportArgs),

    /// List the rules, show one or try a file of your own
    Rules(RulesArgs),

    /// Check a receipt that --receipt wrote
    #[command(hide = true)]
    Receipt(ReceiptArgs),
    /// Accept what is known, so that only what is new fails
    Baseline(BaselineArgs),

    /// Check, show or write the configuration
    Config(ConfigArgs),

    /// Print a completion script for a shell
    #[command(hide = true)]
    Completions {
        /// The shell
        #[arg(value_enum, value_name = "SHELL")]
        shell: clap_complete::Shell,
    },

    /// Write manual pages, one for each command
    #[command(hide = true)]
    Man {
        /// Where they go; without it the page of `stanch` itself is printed
        #[arg(value_name = "DIR")]
        dir: Option<PathBuf>,
    },

    /// Ask the issuers which secrets are live (uses the network)
    ///
    /// Scans as `stanch scan` does, then asks the issuer of each distinct secret by a call that changes nothing:
    /// live, dead, or unknown with a reason. Values go to the hosts that built-in rules name (`stanch rules show ID`)
    /// and nowhere else; `--dry-run` lists what would be sent where. Honours HTTPS_PROXY, ALL_PROXY, NO_PROXY,
    /// SSL_CERT_FILE and SSL_CERT_DIR; follows no redirect. The exit code is 0 if nothing is live, 1 if something is,
    /// 2 if that cannot be told of all.
    #[cfg(feature = "verify")]
    Verify(VerifyArgs),

    /// Check that a secret was rotated: old dead, new live (uses the network)
    #[cfg(feature = "verify")]
    Rotate(RotateArgs),

    /// Check an integration with ClickUp (uses the network)
    #[cfg(feature = "verify")]
    Clickup(ClickupArgs),

    /// `history`, as another scanner spells it
    #[command(hide = true)]
    Git(GitArgs),

    /// `history` or `scan`, as another scanner spells it
    #[command(hide = true)]
    Detect(DetectArgs),

    /// `staged`, as another scanner spells it
    #[command(hide = true)]
    Protect(ProtectArgs),
}

/// Options that every command takes.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Output and configuration")]
pub struct GlobalArgs {
    /// Choose human|json|jsonl|sarif|gitlab|junit|csv|github|html [default: human]
    #[arg(long, global = true, value_enum, value_name = "FORMAT", hide_possible_values = true)]
    #[arg(long_help = FORMAT_HELP)]
    pub format: Option<ReportFormat>,

    /// Write the report to a file, or several forms: json=FILE,sarif=FILE
    ///
    /// A file appears complete or not at all. Several forms of one run: json=FILE,sarif=FILE, or the option again;
    /// `-` is standard output. With --format besides, standard output gets that form.
    #[arg(long, short, global = true, value_name = "FILE")]
    pub output: Vec<OsString>,

    /// Read this configuration instead of searching for .stanch.toml
    ///
    /// Without the option the file named by the variable STANCH_CONFIG is read, and else the first .stanch.toml
    /// in the scanned place or above it, up to the root of the repository; where there is none, .gitleaks.toml. A
    /// configuration of gitleaks is read as it is.
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// Read no configuration
    #[arg(long, global = true, conflicts_with = "config", hide_short_help = true)]
    pub no_config: bool,

    /// Let no configuration that is found in the scanned repository count
    ///
    /// For repositories of strangers: their .stanch.toml or .gitleaks.toml could accept what they leak, with
    /// allowlists, a baseline, rules switched off, size limits. What --config or STANCH_CONFIG names still counts.
    /// Markers in the text and .gitignore count unless --no-inline-allow and --no-ignore are given too.
    #[arg(long, global = true, hide_short_help = true)]
    pub no_repo_config: bool,

    /// Use this many threads [default: one for each processor]
    #[arg(long, global = true, value_name = "N", hide_short_help = true)]
    pub threads: Option<NonZeroUsize>,

    /// Print findings and errors alone
    #[arg(long, short, global = true, conflicts_with = "verbose")]
    pub quiet: bool,

    /// Print fingerprints, references and everything that was skipped
    #[arg(long, short, global = true)]
    pub verbose: bool,

    /// Say when to use colours
    #[arg(long, global = true, value_enum, default_value_t, value_name = "WHEN", hide_short_help = true)]
    pub color: Color,

    /// Say when to show how far a run is
    ///
    /// A line on standard error, redrawn from the first second on and gone at the end.
    #[arg(long, global = true, value_enum, default_value_t, value_name = "WHEN", hide_short_help = true)]
    pub progress: ProgressWhen,
}

/// The form of what a command writes that is no report of findings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// For people
    #[default]
    Human,
    /// One JSON document
    Json,
    /// One JSON object a line
    Jsonl,
}

/// The form of a report of findings.
#[derive(ValueEnum, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReportFormat {
    /// For people, on a terminal
    #[default]
    Human,
    /// One JSON document
    Json,
    /// One JSON object a line
    Jsonl,
    /// SARIF 2.1.0, for code scanning of GitHub and others
    Sarif,
    /// The secret detection report of GitLab
    Gitlab,
    /// JUnit XML
    Junit,
    /// Comma-separated values, for spreadsheets
    Csv,
    /// Annotations in the log of GitHub Actions
    Github,
    /// A page to look at, in one file
    Html,
}

/// Said here and not by clap, since not every command writes every form.
const FORMAT_HELP: &str = "\
Choose the form of the report [default: human]

Possible values:
- human:  For people, on a terminal
- json:   One JSON document
- jsonl:  One JSON object a line
- sarif:  SARIF 2.1.0, for code scanning of GitHub and others
- gitlab: The secret detection report of GitLab
- junit:  JUnit XML
- csv:    Comma-separated values, for spreadsheets
- github: Annotations in the log of GitHub Actions
- html:   A page to look at, in one file

Commands that report no findings write the first three.";

/// When to use colours.
#[derive(ValueEnum, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Color {
    /// On a terminal, unless NO_COLOR is set
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// When to show how far a run is.
#[derive(ValueEnum, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ProgressWhen {
    /// On a terminal, unless --quiet is given
    #[default]
    Auto,
    /// Never
    Never,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_definitions_are_consistent() {
        Cli::command().debug_assert();
    }
}
