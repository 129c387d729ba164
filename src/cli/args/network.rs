//! What is typed behind the commands that ask the issuers.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{MatchArgs, RepoArgs};

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

#[derive(Args, Debug)]
pub struct RotateArgs {
    #[command(subcommand)]
    pub action: RotateAction,
}

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

#[derive(Args, Debug)]
pub struct ClickupArgs {
    #[command(subcommand)]
    pub action: ClickupAction,
}

#[derive(Subcommand, Debug)]
pub enum ClickupAction {
    /// Check that an integration is fit for production
    ///
    /// Reachable, authorized, rate limit (warns under 10 %), latency (warns over 2 s), workspaces and the status page.
    /// Each is asked once. The exit code is 0 if all pass, 1 if something warns or fails (P2), 2 if the interface cannot
    /// be reached or nothing can be told (P1). --base-url clickup=URL and clickup-status=URL ask elsewhere.
    Health(ClickupHealthArgs),
}

#[derive(Args, Debug)]
pub struct ClickupHealthArgs {
    /// The token of the integration: env:NAME, fd:N or stdin
    #[arg(long, value_name = "SOURCE", default_value = "env:CLICKUP_API_TOKEN")]
    pub token: String,

    #[command(flatten)]
    pub network: NetworkArgs,
}

/// How the network is used.
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
