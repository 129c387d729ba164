//! The line that says how far a run is: on a terminal alone, and gone at the end.

use std::io::Write;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use crate::support::{Ran, Sandbox, clickup_token};

/// Long enough for a line to be drawn.
const LONG: Duration = Duration::from_millis(1600);

/// Feeds the command a secret, then nothing for a while.
fn run_slowly(mut command: Command) -> Ran {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command starts");
    let mut input = child.stdin.take().expect("a pipe");
    writeln!(input, "key = {}", clickup_token(1)).expect("somebody reads");
    thread::sleep(LONG);
    drop(input);
    Ran::new(child.wait_with_output().expect("the command ends"))
}

#[test]
fn a_pipe_sees_nothing_of_it() {
    let sandbox = Sandbox::new();
    for args in [&["stdin"][..], &["stdin", "--progress", "auto", "--color", "always"]] {
        let mut command = sandbox.command(env!("CARGO_BIN_EXE_stanch"));
        command.args(args);
        let ran = run_slowly(command).expect_code(1);
        assert_eq!(ran.stderr, "");
        assert!(!ran.stdout.contains('\r'), "{}", ran.stdout);
    }
}

/// What a terminal gets while the command, which reads standard input for a while, writes its report elsewhere.
#[cfg(target_os = "linux")]
fn on_a_terminal(options: &str, variable: (&str, &str)) -> String {
    let sandbox = Sandbox::new();
    // `script` hands the terminal to its child; the pipe is kept from it on another descriptor.
    let line = format!(
        "stty cols 60; '{}' stdin --path input {options} <&3 >/dev/null",
        env!("CARGO_BIN_EXE_stanch")
    );
    let mut command = sandbox.command("sh");
    command.args(["-c", "exec 3<&0; exec script -qec \"$1\" /dev/null </dev/null", "sh", &line]);
    command.env("SHELL", "/bin/sh").env("TERM", "xterm").env(variable.0, variable.1);
    run_slowly(command).expect_code(1).stdout
}

#[cfg(target_os = "linux")]
#[test]
fn a_terminal_sees_a_line_that_goes_again() {
    let seen = on_a_terminal("", ("NO_COLOR", "1"));
    assert!(seen.contains("\rscanned 40 bytes") || seen.contains("\rscanned 0 bytes"), "{seen:?}");
    assert!(!seen.contains('\x1b'), "{seen:?}");
    let mut screen: Vec<u8> = Vec::new();
    let mut column = 0;
    for byte in seen.bytes() {
        match byte {
            b'\r' => column = 0,
            8 => column -= 1,
            _ => {
                screen.resize(screen.len().max(column + 1), b' ');
                screen[column] = byte;
                column += 1;
            }
        }
        assert!(column < 60, "the line is wider than the terminal: {seen:?}");
    }
    assert_eq!((String::from_utf8_lossy(&screen).trim(), column), ("", 0), "{seen:?}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_terminal_is_left_alone_where_nobody_wants_a_line() {
    assert_eq!(on_a_terminal("--progress never", ("NO_COLOR", "")), "");
    assert_eq!(on_a_terminal("--quiet", ("NO_COLOR", "")), "");
    assert_eq!(on_a_terminal("", ("TERM", "dumb")), "");
}
