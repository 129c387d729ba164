//! Completions and manual pages.

use std::fs;
use std::process::Command;

use crate::support::{Ran, Sandbox};

#[test]
fn every_command_has_a_manual_page() {
    let sandbox = Sandbox::new();
    sandbox.stanch(&["man", "pages"]).expect_code(0);
    let page =
        |name: &str| fs::read_to_string(sandbox.path().join("pages").join(format!("{name}.1"))).unwrap();
    let root = page("stanch");
    for command in ["scan", "staged", "history", "stdin", "check", "hook", "explain", "rules", "hook-install"]
    {
        let name = format!("stanch-{command}");
        let text = page(&name);
        assert!(text.contains(&format!(".TH {name} 1")), "{text}");
        assert!(command.contains('-') || root.contains(&name.replace('-', "\\-")), "{name} is not mentioned");
    }
    assert!(page("stanch-history").contains("allow\\-shallow"));
    assert!(!sandbox.path().join("pages/stanch-protect.1").exists(), "hidden commands have no page");
    assert_eq!(sandbox.stanch(&["man"]).expect_code(0).stdout, root);
    sandbox.write("file", "");
    sandbox.stanch(&["man", "file/pages"]).expect_code(2);
}

#[test]
fn completions_know_the_commands() {
    let sandbox = Sandbox::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = sandbox.stanch(&["completions", shell]).expect_code(0).stdout;
        assert!(script.contains("staged") && script.contains("allow-shallow"), "{shell}");
    }
    sandbox.stanch(&["completions", "cmd"]).expect_code(2);
}

#[cfg(unix)]
#[test]
fn bash_completes() {
    let there = Command::new("bash").arg("-c").arg(":").status().is_ok();
    assert!(there || cfg!(not(target_os = "linux")), "bash is not there");
    let sandbox = Sandbox::new();
    let script = sandbox.stanch(&["completions", "bash"]).expect_code(0).stdout;
    sandbox.write("completions", script);
    let ask = "source ./completions; COMP_WORDS=(stanch hist); COMP_CWORD=1; _stanch stanch hist stanch; printf '%s\\n' \"${COMPREPLY[@]}\"";
    let output = sandbox.command("bash").args(["-c", ask]).output().expect("bash runs");
    assert_eq!(Ran::new(output).expect_code(0).stdout, "history\n");
}
