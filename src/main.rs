//! The `stanch` binary: parse, run, exit code.

mod cli;

use std::process::ExitCode;

/// The static binary searches a tree in a fifth less time with it (`tests/bench/README.md`).
#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    cli::terminal::install_panic_hook();
    // A panic must not end in the exit code 101, which a gate may not know; whatever went wrong, the job is not done.
    let exit = std::panic::catch_unwind(cli::run).unwrap_or(cli::exit::Exit::Incomplete);
    exit.into()
}
