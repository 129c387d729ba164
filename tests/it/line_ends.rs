//! Lines end in `\n` or in `\r\n`: what is found stays the same, and so does what is read of our own files.

use std::fs;

use serde_json::Value;
use stanch::filter::proof::seal;
use stanch::rule::schema::Checksum;

use crate::support::{Sandbox, clickup_token, random_text};

const BASE64: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

fn crlf(text: &str) -> String {
    text.replace('\n', "\r\n")
}

fn private_key() -> String {
    let label = "PRIVATE KEY";
    let stub = format!("-----BEGIN {label}-----\n{}\n-----END {label}-----", "Zk3".repeat(40));
    String::from_utf8(seal(Checksum::Pem, stub.as_bytes())).expect("a key is ASCII")
}

/// Encodes a text and breaks it into lines, as mail and `base64` do.
fn encoded(text: &str) -> String {
    let symbols = data_encoding::BASE64.encode(text.as_bytes());
    let lines: Vec<&str> =
        symbols.as_bytes().chunks(40).map(|line| std::str::from_utf8(line).expect("ASCII")).collect();
    lines.join("\n")
}

/// Names of files, texts with `\n`, and how many findings there are.
fn texts() -> Vec<(&'static str, String, usize)> {
    let token = clickup_token;
    vec![
        (".env", format!("A=1\nCLICKUP_API_TOKEN={}\nB=2\n", token(1)), 1),
        ("last.txt", format!("first\n\n  {}", token(2)), 1),
        ("every.txt", format!("{}\n{}\n\n{}\n", token(3), token(4), token(5)), 3),
        ("beside.txt", format!("k = {} # stanch:allow\nl = {}\n", token(6), token(7)), 1),
        ("other.js", format!("k = '{}'; // gitleaks:allow\nl = '{}';\n", token(8), token(9)), 1),
        ("above.py", format!("# stanch:allow\nk = '{}'\nl = '{}'\n", token(10), token(11)), 1),
        ("server.key", format!("\n{}\nafter\n", private_key()), 1),
        ("mail.txt", format!("Subject: x\n\n{}\n\nend\n", encoded(&format!("one line\n{}\n", token(12)))), 1),
        ("settings.ini", format!("[db]\npassword = {}\nhost = h\n", random_text(BASE64, 24, 99)), 1),
    ]
}

/// What a report says of each finding that does not depend on how many bytes end a line.
fn places(report: &Value) -> Vec<Value> {
    let kept = ["path", "rule", "line", "column", "end_line", "end_column", "confidence"];
    let findings = report["findings"].as_array().expect("findings").iter();
    findings.map(|finding| kept.iter().map(|name| (finding[*name]).clone()).collect()).collect()
}

#[test]
fn findings_are_the_same_in_both() {
    let sandboxes = [Sandbox::repo(), Sandbox::repo()];
    let mut expected = 0;
    for (name, text, findings) in texts() {
        sandboxes[0].write(name, &text);
        sandboxes[1].write(name, crlf(&text));
        expected += findings;
        let reports = [text.clone(), crlf(&text)].map(|text| {
            let args = ["stdin", "--path", name, "--format", "json"];
            sandboxes[0].stanch_with_input(&args, text.as_bytes()).expect_code(1).json()
        });
        assert_eq!(places(&reports[0]).len(), findings, "{name}");
        assert_eq!(places(&reports[0]), places(&reports[1]), "{name}");
    }
    for command in ["scan", "staged", "history"] {
        let reports = sandboxes.each_ref().map(|sandbox| {
            match command {
                "staged" => drop(sandbox.git(&["-c", "core.autocrlf=false", "add", "--all"])),
                "history" => drop(sandbox.git(&["commit", "--quiet", "-m", "all"])),
                _ => {}
            }
            sandbox.stanch(&[command, "--format", "json"]).expect_code(1).json()
        });
        // An environment file that is about to be committed is a finding of its own.
        let expected = expected + usize::from(command == "staged");
        assert_eq!(places(&reports[0]).len(), expected, "{command}");
        assert_eq!(places(&reports[0]), places(&reports[1]), "{command}");
        assert_eq!(reports[0]["suppressed"], reports[1]["suppressed"], "{command}");
    }
}

const RULE: &str = "[[rule]]\nid = \"acme-deploy-key\"\ndescription = \"Deploy key of Acme\"\nkind = \"prefixed\"\n\
                    severity = \"critical\"\nshape = '\"acme_\" (\"live\" | \"test\") \"_\" ALNUM{32}'\n\
                    examples = ['deploy --key {secret}']\n";

#[test]
fn what_we_read_may_end_its_lines_either_way() {
    for convert in [str::to_owned as fn(&str) -> String, crlf] {
        let sandbox = Sandbox::repo();
        sandbox.write("rules.toml", convert(RULE));
        sandbox.stanch(&["rules", "test", "rules.toml"]).expect_code(0);

        // A rule of one's own, and an allowlist whose text goes over two lines.
        sandbox.write("a.txt", format!("acme_live_{}\n{}\n", random_text(BASE64, 32, 1), clickup_token(1)));
        sandbox.stanch(&["scan", "a.txt"]).expect_code(1);
        let allow =
            "[[allow]]\nreason = \"\"\"made up\nfor tests\"\"\"\nrules = [\"clickup-personal-token\"]\n";
        sandbox.write(".stanch.toml", convert(&format!("{allow}\n{RULE}")));
        let report = sandbox.stanch(&["scan", "a.txt", "--format", "json"]).expect_code(1).json();
        assert_eq!(report["finding_count"], 1, "{report}");
        assert_eq!(report["findings"][0]["rule"], "acme-deploy-key", "{report}");

        let errors = convert("[scan]\n\nmin_sevrity = \"low\"\n");
        sandbox.write(".stanch.toml", errors);
        let ran = sandbox.stanch(&["scan", "a.txt"]).expect_code(2);
        assert!(ran.stderr.contains(".stanch.toml:3"), "{}", ran.stderr);
        fs::remove_file(sandbox.path().join(".stanch.toml")).expect("it was there");

        let gitleaks = "title = 'x'\n[extend]\nuseDefault = true\n[[allowlists]]\ndescription = 'x'\npaths = ['''^a\\.txt$''']\n";
        sandbox.write(".gitleaks.toml", convert(gitleaks));
        sandbox.stanch(&["scan"]).expect_code(0);
        fs::remove_file(sandbox.path().join(".gitleaks.toml")).expect("it was there");

        sandbox.write(".gitignore", convert("# keys\na.txt\n"));
        sandbox.stanch(&["scan"]).expect_code(0);
        sandbox.write(".gitignore", convert("*\n!a.txt\n"));
        sandbox.stanch(&["scan"]).expect_code(1);
        fs::remove_file(sandbox.path().join(".gitignore")).expect("it was there");

        let baseline = sandbox.path().join(".stanch-baseline");
        sandbox.stanch(&["baseline", "create"]).expect_code(0);
        let text = fs::read_to_string(&baseline).expect("a baseline");
        fs::write(&baseline, convert(&text)).expect("a written file");
        sandbox.stanch(&["scan", "--baseline", ".stanch-baseline"]).expect_code(0);
        fs::remove_file(&baseline).expect("it was there");

        let ignored = convert("# known\na.txt:clickup-token:2\n");
        fs::write(sandbox.outside().join("ignored"), ignored).expect("a written file");
        let file = sandbox.outside().join("ignored");
        sandbox
            .stanch(&["baseline", "create", "--import", file.to_str().expect("a plain path")])
            .expect_code(0);
        sandbox.stanch(&["scan", "--baseline", ".stanch-baseline"]).expect_code(0);
    }
}
