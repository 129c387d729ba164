//! Credentials of two parts: one finding that shows both.

use serde_json::Value;

use crate::support::{Sandbox, random_text};

const UPPER_ALNUM: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
const BASE_32: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const BASE_64: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

fn aws_id(seed: u64) -> String {
    format!("AKIA{}", random_text(BASE_32, 16, seed))
}

fn aws_secret(seed: u64) -> String {
    random_text(BASE_64, 40, seed)
}

/// `rule@line + part@line …` of each finding.
fn described(report: &Value) -> Vec<String> {
    let place = |value: &Value| format!("{}@{}", value["rule"].as_str().expect("a rule"), value["line"]);
    let findings = report["findings"].as_array().expect("findings").iter();
    findings
        .map(|finding| {
            let parts = finding["parts"].as_array().expect("parts");
            std::iter::once(finding).chain(parts).map(place).collect::<Vec<_>>().join(" + ")
        })
        .collect()
}

fn scanned(sandbox: &Sandbox) -> Vec<String> {
    described(&sandbox.stanch(&["scan", "--format", "json"]).json())
}

#[test]
fn the_id_and_the_secret_are_one_finding() {
    let sandbox = Sandbox::repo();
    sandbox.write(
        "credentials",
        format!(
            "[default]\naws_access_key_id = {}\naws_secret_access_key = {}\n\n[other]\n\
             aws_access_key_id = {}\naws_secret_access_key = {}\n",
            aws_id(1),
            aws_secret(2),
            aws_id(3),
            aws_secret(4),
        ),
    );
    assert_eq!(
        scanned(&sandbox),
        ["aws-secret-access-key@3 + aws-access-key-id@2", "aws-secret-access-key@7 + aws-access-key-id@6"]
    );
    let shown = sandbox.stanch(&["scan"]).expect_code(1).stdout;
    assert!(shown.contains("with 2:21  aws-access-key-id"), "{shown}");
    assert!(!shown.contains(&aws_id(1)) && !shown.contains(&aws_secret(2)), "both parts are redacted");
}

#[test]
fn an_identifier_that_is_no_finding_is_shown_beside_its_secret() {
    let (id, secret) = (random_text(UPPER_ALNUM, 32, 5), random_text(UPPER_ALNUM, 64, 6));
    let sandbox = Sandbox::repo();
    sandbox.write("env", format!("CLICKUP_CLIENT_ID={id}\nCLICKUP_CLIENT_SECRET={secret}\n"));
    assert_eq!(scanned(&sandbox), ["clickup-oauth-client-secret@2 + clickup-oauth-client-id@1"]);
    sandbox.write("env", format!("CLICKUP_CLIENT_ID={id}\n"));
    assert_eq!(scanned(&sandbox), [""; 0]);
}

#[test]
fn parts_far_apart_are_findings_of_their_own() {
    let sandbox = Sandbox::repo();
    let gap = "some other line\n".repeat(60);
    sandbox.write(
        "notes",
        format!("aws_access_key_id = {}\n{gap}aws_secret_access_key = {}\n", aws_id(1), aws_secret(2)),
    );
    assert_eq!(scanned(&sandbox), ["aws-access-key-id@1", "aws-secret-access-key@62"]);
}

/// The commit brings the secret only; the id it belongs to has been there before.
#[test]
fn a_staged_secret_is_shown_with_the_id_above_it() {
    let sandbox = Sandbox::repo();
    let id = format!("aws_access_key_id = {}\n", aws_id(1));
    sandbox.write("credentials", &id);
    sandbox.commit_all("the id");
    sandbox.write("credentials", format!("{id}aws_secret_access_key = {}\n", aws_secret(2)));
    sandbox.git(&["add", "."]);
    let report = sandbox.stanch(&["staged", "--format", "json"]).expect_code(1).json();
    assert_eq!(described(&report), ["aws-secret-access-key@2 + aws-access-key-id@1"]);
}

#[test]
fn the_history_joins_what_stands_in_one_blob() {
    let sandbox = Sandbox::repo();
    sandbox.write(
        "credentials",
        format!("aws_access_key_id = {}\naws_secret_access_key = {}\n", aws_id(1), aws_secret(2)),
    );
    sandbox.commit_all("both");
    sandbox.write("credentials", "");
    sandbox.commit_all("none");
    let report = sandbox.stanch(&["history", "--format", "json"]).expect_code(1).json();
    assert_eq!(described(&report), ["aws-secret-access-key@2 + aws-access-key-id@1"]);
}

#[test]
fn a_part_that_is_allowed_takes_nothing_with_it() {
    let sandbox = Sandbox::repo();
    sandbox.write(
        "credentials",
        format!("aws_access_key_id = {}\naws_secret_access_key = {}\n", aws_id(1), aws_secret(2)),
    );
    sandbox.write(
        ".stanch.toml",
        "[[allow]]\nreason = \"rotated\"\nrules = [\"aws-secret-access-key\"]\npaths = [\"credentials\"]\n",
    );
    assert_eq!(scanned(&sandbox), ["aws-access-key-id@1"]);
}

#[test]
fn a_half_that_needs_the_other_counts_only_beside_it() {
    let sandbox = Sandbox::repo();
    sandbox.write(
        ".stanch.toml",
        r#"
[[rule]]
id = "acme-id"
provider = "Acme"
description = "Acme account"
kind = "prefixed"
severity = "info"
shape = '"acmeid_" DIGIT{8}'

[[rule]]
id = "acme-secret"
provider = "Acme"
description = "Acme secret"
kind = "prefixed"
severity = "high"
shape = '"acmesec_" DIGIT{12}'
pair = { with = "acme-id", within_bytes = 100, required = true }
"#,
    );
    let (id, secret) = (format!("acmeid_{}", 84_623_917), format!("acmesec_{}", 739_158_246_027_u64));
    sandbox.write("a", format!("{secret}\n"));
    assert_eq!(scanned(&sandbox), [""; 0]);
    sandbox.write("a", format!("{secret} {id}\n"));
    assert_eq!(scanned(&sandbox), ["acme-secret@1 + acme-id@1"]);
}
