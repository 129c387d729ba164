//! Each way of failing closed that belongs to the command line: exit code 2, a clear message, no secret in it.

use std::fs;
use std::io::pipe;
use std::process::Stdio;

use crate::support::{Ran, Sandbox, clickup_token, stanch};

#[test]
fn clean_is_zero_and_findings_are_one() {
    let sandbox = Sandbox::new();
    sandbox.write("a.txt", "nothing\n");
    sandbox.stanch(&[]).expect_code(0);
    sandbox.write("b.txt", clickup_token(1));
    sandbox.stanch(&[]).expect_code(1);
}

#[test]
fn a_problem_outweighs_findings_and_hides_none() {
    let sandbox = Sandbox::new();
    sandbox.write("b.txt", clickup_token(1));
    let ran = sandbox.stanch(&["b.txt", "missing.txt", "--format", "json"]).expect_code(2);
    let report = ran.json();
    assert_eq!(report["complete"], false);
    assert_eq!(report["finding_count"], 1);
    assert_eq!(report["coverage"]["problems"][0]["name"], "missing.txt");
    assert!(ran.stderr.contains("error: missing.txt: "), "{}", ran.stderr);
    let ran = sandbox.stanch(&["b.txt", "missing.txt"]).expect_code(2);
    assert!(ran.stdout.contains("b.txt") && ran.stdout.contains("error: missing.txt: "), "{}", ran.stdout);
}

#[test]
fn usage_errors() {
    let sandbox = Sandbox::repo();
    for (args, says) in [
        (&["--no-such-flag"][..], "--no-such-flag"),
        (&["scan", "--format", "xml"], "xml"),
        (&["--min-severity", "bad"], "possible values"),
        (&["--threads", "0"], "--threads"),
        (&["--max-file-bytes", "9X"], "512k"),
        (&["--rule", "no-such-rule-at-all"], "no rule `no-such-rule-at-all`"),
        (&["--rule", "clickup-personal-tokn"], "did you mean `clickup-personal-token`?"),
        (&["no-such-path"], "no-such-path"),
        (&["stagde"], "did you mean the command `stanch staged`?"),
        (&["history", "no-such-ref..HEAD"], "no-such-ref"),
        (&["hook"], "Usage"),
        (&["rules", "show", "no-such-rule-at-all"], "no rule `no-such-rule-at-all`"),
    ] {
        let ran = sandbox.stanch(args).expect_code(2);
        assert!(format!("{}{}", ran.stdout, ran.stderr).contains(says), "{args:?}: {ran:?}");
    }
}

#[test]
fn a_disabled_rule_alone_is_no_clean_scan() {
    let sandbox = Sandbox::new();
    sandbox.write(".stanch.toml", "[rules]\ndisable = [\"clickup-personal-token\"]\n");
    sandbox.write("a.txt", clickup_token(1));
    let ran = sandbox.stanch(&["--rule", "clickup-personal-token"]).expect_code(2);
    assert!(ran.stderr.contains("no rule is left"), "{}", ran.stderr);
}

#[test]
fn no_repository() {
    let sandbox = Sandbox::new();
    for args in [&["staged"][..], &["history"], &["staged", "-C", "no-such-directory"]] {
        let ran = sandbox.stanch(args).expect_code(2);
        assert!(ran.stderr.starts_with("error: "), "{args:?}: {ran:?}");
    }
}

#[test]
fn bad_configurations() {
    let sandbox = Sandbox::new();
    sandbox.write("a.txt", "nothing\n");
    for (text, says) in [
        ("[scan\n", ".stanch.toml:1:6"),
        ("[scan]\nmin_severty = \"low\"\n", ".stanch.toml:2:1: unknown field `min_severty`"),
        ("[scan]\nmin_severity = \"worst\"\n", "`info`, `low`, `medium`, `high`, `critical`"),
        ("[rules]\ndisable = [\"clickup-personal-tokn\"]\n", ".stanch.toml:2:12: there is no rule"),
        ("[[allow]]\nreason = \"x\"\nrules = [\"nothing-like-it\"]\n", ".stanch.toml:3:10: there is no rule"),
        ("[[allow]]\nrules = [\"clickup-personal-token\"]\n", "needs a `reason`"),
        ("[[allow]]\nreason = \"x\"\n", "without a condition"),
        ("[[allow]]\nreason = \"x\"\nregexes = [\"a(\"]\n", "unclosed group"),
        ("[[allow]]\nreason = \"x\"\npaths = [\"**\"]\n", "would accept every file"),
        ("\n\n[[rule]]\nid = \"acme-key\"\n", ".stanch.toml"),
        (
            "\n[[rule]]\nid = \"acme-key\"\nprovider = \"Acme\"\ndescription = \"x\"\nkind = \"prefixed\"\n\
             severity = \"high\"\nconfidence = \"high\"\nregex = \"acme_(\"\nkeywords = [\"acme\"]\n",
            ".stanch.toml:2",
        ),
    ] {
        sandbox.write(".stanch.toml", text);
        for command in ["scan", "stdin"] {
            let ran = sandbox.stanch(&[command]).expect_code(2);
            assert!(ran.stderr.contains(says), "{text}: {}", ran.stderr);
            assert_eq!(ran.stdout, "");
        }
    }
    fs::remove_file(sandbox.path().join(".stanch.toml")).unwrap();
    fs::create_dir(sandbox.path().join(".stanch.toml")).unwrap();
    assert!(sandbox.stanch(&[]).expect_code(2).stderr.contains("cannot read the configuration"));
    sandbox.stanch(&["--no-config"]).expect_code(0);
    assert!(sandbox.stanch(&["--config", "nowhere.toml"]).expect_code(2).stderr.contains("nowhere.toml"));
}

#[test]
fn a_bad_configuration_shows_no_secret() {
    let sandbox = Sandbox::new();
    let secret = clickup_token(4);
    for text in [
        format!("[[allow]]\nreason = \"x\"\nvalues = \"{secret}\"\n"),
        format!("[[allow]]\nreason = \"x\"\nvalues = [\"{secret}]\n"),
        format!("[[allow]]\nreason = \"x\"\nregexes = [\"{secret}(\"]\n"),
        format!("[[allow]]\nvalues = [\"{secret}\"]\n"),
        format!("[scan]\nmax_file_bytes = \"{secret}\"\n"),
    ] {
        sandbox.write(".stanch.toml", &text);
        let ran = sandbox.stanch(&[]).expect_code(2);
        assert!(!format!("{ran:?}").contains(&secret), "a configuration error shows a secret");
    }
}

#[test]
fn reports_that_cannot_be_written() {
    let sandbox = Sandbox::new();
    sandbox.write("a.txt", clickup_token(1));
    let ran = sandbox.stanch(&["--output", "no/such/dir/report"]).expect_code(2);
    assert!(ran.stderr.contains("no/such/dir"), "{}", ran.stderr);
    let ran = sandbox.stanch(&["--output", "."]).expect_code(2);
    assert!(ran.stderr.contains("it is a directory"), "{}", ran.stderr);
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_device_keeps_the_findings_and_ends_in_two() {
    let sandbox = Sandbox::new();
    sandbox.write("a.txt", clickup_token(1));
    let ran = sandbox.stanch(&["--output", "/dev/full"]).expect_code(2);
    assert!(ran.stderr.contains("/dev/full") && ran.stdout.contains("a.txt"), "{ran:?}");
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let status = sandbox.command(stanch()).stdout(full).stderr(Stdio::null()).status().unwrap();
    assert_eq!(status.code(), Some(2));
}

/// Runs stanch with a standard output that nobody reads.
fn with_closed_pipe(sandbox: &Sandbox, args: &[&str]) -> (Option<i32>, String) {
    let (reader, writer) = pipe().expect("a pipe");
    drop(reader);
    let output = sandbox.command(stanch()).args(args).stdout(writer).output().expect("stanch runs");
    (output.status.code(), String::from_utf8(output.stderr).expect("messages are UTF-8"))
}

#[test]
fn a_closed_pipe_is_no_success() {
    let sandbox = Sandbox::new();
    sandbox.write("clean.txt", "nothing\n");
    sandbox.write("sub/a.txt", clickup_token(1));
    for args in [
        &["clean.txt"][..],
        &["sub"],
        &["sub", "--format", "json"],
        &["clean.txt", "--format", "jsonl"],
        &["rules", "list"],
        &["--help"],
    ] {
        let (code, stderr) = with_closed_pipe(&sandbox, args);
        assert_eq!(code, Some(2), "{args:?}: {stderr}");
        assert!(!stderr.contains("panicked") && stderr.lines().count() <= 1, "{args:?}: {stderr}");
    }
}

/// Every format over planted secrets, in every mode, and never one of them in the output.
#[test]
fn no_output_holds_a_secret() {
    let sandbox = Sandbox::repo();
    let secrets: Vec<String> = (10..14).map(clickup_token).collect();
    sandbox.write("a.env", format!("A={}\nB={} C={}\n", secrets[0], secrets[1], secrets[2]));
    sandbox.write(&format!("logs/{}.txt", secrets[0]), format!("{}\n", secrets[3]));
    sandbox.commit_all(&format!("remove {}", secrets[1]));
    sandbox.write("b.env", format!("A={}\n", secrets[0]));
    sandbox.git(&["add", "--all"]);
    let check = |ran: Ran, args: &[&str]| {
        let all = format!("{}{}", ran.stdout, ran.stderr);
        for secret in &secrets {
            assert!(!all.contains(secret), "{args:?} shows a secret");
            assert!(!all.contains(&secret[12..]), "{args:?} shows most of a secret");
        }
        ran
    };
    for format in ["human", "json", "jsonl"] {
        for mode in ["scan", "staged", "history"] {
            for volume in ["--verbose", "--quiet"] {
                let args = [mode, "--format", format, volume];
                check(sandbox.stanch(&args).expect_code(1), &args);
            }
        }
        let args = ["stdin", "--format", format];
        let input = secrets.join("\n");
        check(sandbox.stanch_with_input(&args, input.as_bytes()).expect_code(1), &args);
        let args = ["scan", "missing", "a.env", "--format", format];
        check(sandbox.stanch(&args).expect_code(2), &args);
    }
}

#[test]
fn secrets_are_shown_when_asked_for_by_name() {
    let sandbox = Sandbox::new();
    let secret = clickup_token(9);
    sandbox.write("a.txt", format!("x = {secret}\n"));
    for format in ["human", "json", "jsonl"] {
        let ran = sandbox.stanch(&["--show-secrets", "--format", format]).expect_code(1);
        assert!(ran.stdout.contains(&secret), "format {format}");
    }
}
