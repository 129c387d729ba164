//! What is typed behind `hook`.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand, ValueEnum};
use stanch::hygiene::hook::HookName;

use super::{MatchArgs, RepoArgs};

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

fn hook_name() -> impl TypedValueParser<Value = HookName> {
    PossibleValuesParser::new(HookName::ALL.map(HookName::name)).map(|name| {
        HookName::ALL.into_iter().find(|hook| hook.name() == name).expect("one of the possible values")
    })
}
