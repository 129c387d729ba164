//! Everything that can be typed: flags, their help, their value names.

use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};
use stanch::finding::{Confidence, Severity};
use stanch::hygiene::hook::HookName;

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

/// Where the repository is.
#[derive(Args, Debug, Default)]
pub struct RepoArgs {
    /// Use the repository at or above this directory
    #[arg(long = "repo", short = 'C', value_name = "DIR", default_value = ".")]
    pub dir: PathBuf,
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
pub struct HookArgs {
    #[command(subcommand)]
    pub action: HookAction,
}

#[derive(Subcommand, Debug)]
pub enum HookAction {
    /// Install hooks; what is there already goes on working
    ///
    /// A hook of somebody else is kept beside the new one and run by it. Where git knows hooks in its configuration
    /// (2.54 and newer) nothing in the hooks directory is touched.
    Install(HookInstallArgs),
    /// Remove what `install` wrote and put back what was there
    Uninstall(HookSelection),
    /// Tell whether the hooks are installed and really run
    ///
    /// A made-up token is committed, or pushed, in a scratch repository in a temporary directory, with the hooks
    /// of this one. The exit code is 0 if every hook stopped it, 1 if one did not, 2 if that cannot be told.
    Status(HookStatusArgs),
    /// Do the work of a hook, as git calls it
    ///
    /// The arguments and standard input are those that git gives to the hook. For hooks of your own:
    /// `stanch hook run pre-push "$@" || exit $?`. Options stand before the name of the hook. Files named after pre-commit, as hook managers do, are read from
    /// disk unless they are staged.
    Run(HookRunArgs),
}

/// Which hooks of which repository.
#[derive(Args, Debug)]
pub struct HookSelection {
    /// The hooks; may be several
    #[arg(value_name = "HOOK", value_parser = hook_name())]
    pub hooks: Vec<HookName>,

    #[command(flatten)]
    pub repo: RepoArgs,
}

#[derive(Args, Debug)]
pub struct HookInstallArgs {
    #[command(flatten)]
    pub selection: HookSelection,

    /// Say where git shall find the hook
    #[arg(long, value_enum, default_value_t, value_name = "WHERE")]
    pub method: HookMethod,
}

#[derive(Args, Debug)]
pub struct HookStatusArgs {
    #[command(flatten)]
    pub selection: HookSelection,

    /// Look only, and run nothing
    #[arg(long)]
    pub no_proof: bool,
}

#[derive(Args, Debug)]
pub struct HookRunArgs {
    /// The hook
    #[arg(value_name = "HOOK", value_parser = hook_name())]
    pub hook: HookName,

    /// What git gives to it
    #[arg(value_name = "ARGUMENT", trailing_var_arg = true, allow_hyphen_values = true)]
    pub arguments: Vec<std::ffi::OsString>,

    #[command(flatten)]
    pub matching: MatchArgs,
}

/// Where git finds the hook.
#[derive(ValueEnum, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HookMethod {
    /// In its configuration if it knows hooks there, in the hooks directory otherwise
    #[default]
    Auto,
    /// In the hooks directory; every git and every program that takes its place finds it there
    File,
    /// In its configuration
    Config,
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

#[cfg(feature = "verify")]
#[derive(Args, Debug)]
pub struct VerifyArgs {
    /// Files and directories to scan [default: .]
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,

    /// Check one value instead: env:NAME, fd:N or stdin
    ///
    /// Where the form alone does not tell whose value it is, --rule says it.
    #[arg(long, value_name = "SOURCE")]
    pub from: Option<String>,

    /// List what would be sent where, and send nothing
    #[arg(long)]
    pub dry_run: bool,

    /// Name the workspaces that live ClickUp tokens open
    #[arg(long)]
    pub workspaces: bool,

    /// Scan files that .gitignore excludes too
    #[arg(long)]
    pub no_ignore: bool,

    #[command(flatten)]
    pub ask: AskArgs,

    #[command(flatten)]
    pub matching: MatchArgs,
}

#[cfg(feature = "verify")]
#[derive(Args, Debug)]
pub struct RotateArgs {
    #[command(subcommand)]
    pub action: RotateAction,
}

#[cfg(feature = "verify")]
#[derive(Subcommand, Debug)]
pub enum RotateAction {
    /// Check that the old value is dead and gone and that the new one works
    ///
    /// Asks the issuer about both values, compares their accounts, and looks for the old value on disk (ignored files,
    /// pipelines and build output included), in the index and in HEAD, plain and encoded. The exit code is 0 if all of
    /// that is as it should be, 1 if something is not, 2 if something could not be told. Older history is the matter of
    /// `stanch history`.
    Check(RotateCheckArgs),
}

#[cfg(feature = "verify")]
#[derive(Args, Debug)]
pub struct RotateCheckArgs {
    /// The value that was in use: env:NAME, fd:N or stdin
    #[arg(long, value_name = "SOURCE")]
    pub old: String,

    /// The value that is in use now: env:NAME, fd:N or stdin
    #[arg(long, value_name = "SOURCE")]
    pub new: String,

    /// The account of the old value, where the value does not name it
    #[arg(long, value_name = "ID")]
    pub account: Option<String>,

    /// Say whose values they are, where their form does not
    #[arg(long = "rule", value_name = "ID")]
    pub rule: Option<String>,

    /// Files and directories to look through besides the repository
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,

    #[command(flatten)]
    pub repo: RepoArgs,

    #[command(flatten)]
    pub ask: AskArgs,
}

#[cfg(feature = "verify")]
#[derive(Args, Debug)]
pub struct ClickupArgs {
    #[command(subcommand)]
    pub action: ClickupAction,
}

#[cfg(feature = "verify")]
#[derive(Subcommand, Debug)]
pub enum ClickupAction {
    /// Check that an integration is fit for production
    ///
    /// Reachable, authorized, rate limit (warns under 10 %), latency (warns over 2 s), workspaces and the status page.
    /// Each is asked once. The exit code is 0 if all pass, 1 if something warns or fails (P2), 2 if the interface cannot
    /// be reached or nothing can be told (P1). --base-url clickup=URL and clickup-status=URL ask elsewhere.
    Health(ClickupHealthArgs),
}

#[cfg(feature = "verify")]
#[derive(Args, Debug)]
pub struct ClickupHealthArgs {
    /// The token of the integration: env:NAME, fd:N or stdin
    #[arg(long, value_name = "SOURCE", default_value = "env:CLICKUP_API_TOKEN")]
    pub token: String,

    #[command(flatten)]
    pub network: NetworkArgs,
}

/// How the network is used.
#[cfg(feature = "verify")]
#[derive(Args, Debug)]
#[command(next_help_heading = "Network")]
pub struct NetworkArgs {
    /// Ask there instead, such as gitlab=https://git.example.org
    ///
    /// The provider as rules name it, or the id of a rule; may be given again. The variable STANCH_BASE_URL holds
    /// more, separated by commas. Plain http leads to this machine alone, with --allow-private.
    #[arg(long, value_name = "PROVIDER=URL")]
    pub base_url: Vec<String>,

    /// Ask hosts with private, loopback or link-local addresses too
    #[arg(long)]
    pub allow_private: bool,

    /// Give one request that many seconds
    #[arg(long, value_name = "SECONDS", default_value = "10")]
    pub timeout: std::num::NonZeroU16,
}

/// How to ask for verdicts.
#[cfg(feature = "verify")]
#[derive(Args, Debug)]
#[command(next_help_heading = "Network")]
pub struct AskArgs {
    #[command(flatten)]
    pub network: NetworkArgs,

    /// Send what rules of the configuration say, wherever they say
    #[arg(long)]
    pub custom_requests: bool,

    /// Ask again so often after 429, 5xx and broken connections
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(..=10))]
    pub retries: u32,

    /// Wait at most that long before asking again
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub max_wait: u64,

    /// Ask that many hosts at the same time [default: 4]
    #[arg(long, value_name = "N", hide_short_help = true)]
    pub concurrency: Option<std::num::NonZeroU16>,
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

fn hook_name() -> impl TypedValueParser<Value = HookName> {
    PossibleValuesParser::new(HookName::ALL.map(HookName::name)).map(|name| {
        HookName::ALL.into_iter().find(|hook| hook.name() == name).expect("one of the possible values")
    })
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

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_definitions_are_consistent() {
        Cli::command().debug_assert();
    }
}
