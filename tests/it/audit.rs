//! `--audit-log`: lines of runs and decisions.

use std::fs;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::support::{Sandbox, clickup_token, stanch};

#[track_caller]
fn lines(sandbox: &Sandbox, path: &str) -> Vec<Value> {
    let text = fs::read_to_string(sandbox.outside().join(path)).expect("a log");
    assert!(text.ends_with('\n'));
    text.lines().map(|line| serde_json::from_str(line).expect("each line is JSON")).collect()
}

#[test]
fn scans_and_decisions_are_logged_without_secrets() {
    let sandbox = Sandbox::repo();
    sandbox.git(&["config", "user.name", "Rita Reviewer"]);
    let tokens: Vec<String> = (0..3).map(|n| clickup_token(40 + 10 * n)).collect();
    sandbox.write("a.txt", format!("{}\n", tokens[0]));
    sandbox
        .write("b.txt", format!("{} # stanch:allow clickup-personal-token: from {}\n", tokens[1], tokens[1]));
    sandbox.write("fixtures/c.txt", format!("{}\n", tokens[2]));
    sandbox.write(".stanch.toml", "[[allow]]\nreason = \"made up\"\npaths = [\"/fixtures/\"]\n");
    sandbox.stanch(&["scan", "--audit-log", "../audit.jsonl"]).expect_code(1);
    let text = fs::read_to_string(sandbox.outside().join("audit.jsonl")).unwrap();
    for token in &tokens {
        assert!(!text.contains(&token[12..]), "no line holds a secret");
    }
    let lines = self::lines(&sandbox, "audit.jsonl");
    let events: Vec<&str> = lines.iter().map(|line| line["event"].as_str().unwrap()).collect();
    assert_eq!(events, ["scan", "allow", "allow"]);
    let scan = &lines[0];
    assert_eq!(scan["mode"], "scan");
    assert_eq!(scan["exit_code"], 1);
    assert_eq!(scan["complete"], true);
    assert_eq!(scan["finding_count"], 1);
    assert_eq!(scan["findings"][0]["rule"], "clickup-personal-token");
    assert_eq!(scan["findings"][0]["path"], "a.txt");
    assert_eq!(scan["examined"]["files"], 4);
    // The sandbox pins the author in the environment, which git puts before its configuration.
    assert_eq!(scan["actor"]["git_name"], "Ada Author");
    assert_eq!(scan["configuration"]["path"], ".stanch.toml");
    assert_eq!(lines[1]["by"], "marker");
    assert_eq!((&lines[1]["path"], &lines[1]["line"]), (&json!("b.txt"), &json!(1)));
    assert!(lines[1]["reason"].as_str().is_some_and(|reason| reason.starts_with("from pk_")));
    assert_eq!(lines[2]["by"], "allowlist");
    assert_eq!(lines[2]["written_at"], ".stanch.toml:1");
    assert_eq!(lines[2]["reason"], "made up");
    assert!(lines.iter().all(|line| line["run"] == scan["run"] && line["stanch_audit"] == 1));
    sandbox.commit_all("all");
    sandbox.stanch(&["history", "--audit-log", "../audit.jsonl"]).expect_code(1);
    let lines = self::lines(&sandbox, "audit.jsonl");
    assert_eq!(lines.len(), 6, "appended");
    assert_eq!(lines[3]["mode"], "history");
    assert_ne!(lines[3]["run"], lines[0]["run"]);
    let fingerprints = |from: usize| -> Vec<&Value> {
        let mut all: Vec<_> =
            lines[from..from + 3].iter().filter_map(|line| line.get("fingerprint")).collect();
        all.sort_by_key(|value| value.to_string());
        all
    };
    assert_eq!(fingerprints(0), fingerprints(3), "the same secret has the same fingerprint");
}

#[test]
fn environment_and_configuration_name_the_log() {
    let sandbox = Sandbox::repo();
    sandbox.write(".stanch.toml", "[audit]\nlog = \"logs/audit.jsonl\"\nmax_bytes = \"1k\"\nkeep = 1\n");
    fs::create_dir(sandbox.path().join("logs")).unwrap();
    (0..6).for_each(|_| drop(sandbox.stanch(&["staged"]).expect_code(0)));
    assert!(sandbox.path().join("logs/audit.jsonl.1").exists(), "put aside over 1 KiB");
    assert!(!sandbox.path().join("logs/audit.jsonl.2").exists());
    let output =
        sandbox.command(stanch()).arg("staged").env("STANCH_AUDIT_LOG", "../other.jsonl").output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(lines(&sandbox, "other.jsonl").len(), 1);
    // A file that was found and not named reaches nothing outside its directory.
    for outside in ["../x.jsonl", "/tmp/x.jsonl"] {
        sandbox.write(".stanch.toml", format!("[audit]\nlog = \"{outside}\"\n"));
        let ran = sandbox.stanch(&["staged"]).expect_code(2);
        assert!(ran.stderr.contains("must lie below the directory"), "{ran:?}");
    }
    sandbox.write(".stanch.toml", "[audit]\nlog = \"../x.jsonl\"\n");
    sandbox.stanch(&["staged", "--config", ".stanch.toml"]).expect_code(0);
    assert_eq!(lines(&sandbox, "x.jsonl").len(), 1);
}

#[test]
fn runs_at_once_do_not_mix_their_lines() {
    let sandbox = Sandbox::repo();
    sandbox.write("a.txt", format!("{}\n", clickup_token(7)).repeat(30));
    let start = || {
        let mut command = sandbox.command(stanch());
        command.args(["scan", "--quiet", "--audit-log", "../audit.jsonl"]);
        command.stdout(Stdio::null()).spawn().expect("stanch starts")
    };
    let children: Vec<_> = (0..8).map(|_| start()).collect();
    for mut child in children {
        assert_eq!(child.wait().expect("stanch ends").code(), Some(1));
    }
    let lines = lines(&sandbox, "audit.jsonl");
    assert_eq!(lines.len(), 8);
    assert!(lines.iter().all(|line| line["finding_count"] == 30), "each line is whole");
}

#[test]
fn a_log_that_cannot_be_written_is_exit_2_before_any_work() {
    let sandbox = Sandbox::repo();
    sandbox.write("a.txt", clickup_token(7));
    sandbox.write("notes.txt", "not a log\n");
    for log in ["no/such/audit.jsonl", "notes.txt", "."] {
        let ran = sandbox.stanch(&["scan", "--audit-log", log]).expect_code(2);
        assert_eq!(ran.stdout, "", "{log}");
        assert!(ran.stderr.contains("audit log"), "{ran:?}");
    }
    assert_eq!(fs::read_to_string(sandbox.path().join("notes.txt")).unwrap(), "not a log\n");
}
