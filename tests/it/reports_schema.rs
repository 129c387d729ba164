//! Real reports against the schemas of their forms.

use std::fs;
use std::path::Path;

use jsonschema::Validator;
use serde_json::{Value, json};

use crate::support::{Sandbox, clickup_token};

fn validator(schema: &Value) -> Validator {
    jsonschema::validator_for(schema).expect("a schema")
}

fn vendored(name: &str) -> Validator {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/schemas").join(name);
    validator(&serde_json::from_str(&fs::read_to_string(path).expect("a readable schema")).expect("JSON"))
}

fn own() -> Value {
    serde_json::from_str(stanch::report::REPORT_SCHEMA).expect("the schema is JSON")
}

/// A part of our own schema, with the rest at hand.
fn own_part(name: &str) -> Validator {
    let mut schema = own();
    let definitions = schema["$defs"].take();
    validator(
        &json!({ "$schema": schema["$schema"], "$defs": definitions, "$ref": format!("#/$defs/{name}") }),
    )
}

#[track_caller]
fn assert_valid(validator: &Validator, report: &Value, what: &str) {
    let errors: Vec<String> =
        validator.iter_errors(report).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{what}: {errors:#?}");
}

/// Commands with a report of every mode, with findings of every kind of origin, problems, notes and things left out.
fn every_mode() -> (Sandbox, Vec<Vec<&'static str>>) {
    let sandbox = Sandbox::repo();
    sandbox.write("a b#1.txt", format!("first\n key = {} # 漢字\n", clickup_token(1)));
    sandbox.write("logo.png", b"\x89PNG\0\0");
    sandbox.write(".env", "A=1\n");
    sandbox.git(&["add", "--all", "--force"]);
    sandbox.git(&["commit", "--quiet", "--message", &format!("see {}", clickup_token(2))]);
    let gone = format!("{}\n", clickup_token(3));
    sandbox.write("gone.txt", &gone);
    sandbox.commit_all("second");
    sandbox.git(&["tag", "--annotate", "v1", "--message", &format!("with {}", clickup_token(4))]);
    fs::remove_file(sandbox.path().join("gone.txt")).expect("a removed file");
    sandbox.commit_all("third");
    sandbox.write(".stanch.toml", "[[allow]]\nreason = \"x\"\npaths = [\"no-such-file\"]\n");
    sandbox.write("staged.txt", format!("k={}\n", clickup_token(5)));
    sandbox.write("api/.env.local", "B=2\n");
    sandbox.git(&["add", "--all", "--force"]);
    let commands = vec![
        vec!["scan"],
        vec!["scan", ".", "no-such-file"],
        vec!["scan", ".git/HEAD"],
        vec!["staged"],
        vec!["history"],
        vec!["history", "HEAD~1..HEAD"],
        vec!["stdin", "--path", "x/y.ini"],
    ];
    (sandbox, commands)
}

fn run(sandbox: &Sandbox, command: &[&str], format: &str) -> String {
    let args = [command, &["--format", format]].concat();
    let input = format!("a\nb = {}\n", clickup_token(6));
    let ran = sandbox.stanch_with_input(&args, input.as_bytes());
    for seed in 1..7 {
        assert!(!ran.stdout.contains(&clickup_token(seed)), "a secret is shown in {command:?}");
    }
    ran.stdout
}

#[test]
fn json_of_every_mode_is_valid_against_the_published_schema() {
    let (sandbox, commands) = every_mode();
    let (document, line) = (validator(&own()), own_part("line"));
    let mut origins = std::collections::BTreeSet::new();
    for command in commands {
        let report: Value = serde_json::from_str(&run(&sandbox, &command, "json")).expect("JSON");
        assert_valid(&document, &report, &format!("{command:?}"));
        for finding in report["findings"].as_array().unwrap() {
            origins.insert(finding["origin"]["kind"].as_str().unwrap().to_owned());
        }
        for text in run(&sandbox, &command, "jsonl").lines() {
            assert_valid(&line, &serde_json::from_str(text).expect("JSON"), &format!("{command:?}"));
        }
    }
    let all = ["blob", "commit-message", "file", "staged", "stdin", "tag-message"];
    assert_eq!(origins.into_iter().collect::<Vec<_>>(), all, "every kind of origin was tried");
}

#[test]
fn merged_reports_and_comparisons_are_valid_too() {
    let (sandbox, _) = every_mode();
    let (document, diff) = (validator(&own()), own_part("diff"));
    let files = [("scan", "scan.json"), ("history", "history.json")].map(|(command, name)| {
        let path = sandbox.outside().join(name);
        fs::write(&path, run(&sandbox, &[command], "json")).expect("a written file");
        path.to_str().expect("a plain path").to_owned()
    });
    let named: Vec<String> =
        files.iter().zip(["x", "y"]).map(|(file, name)| format!("{name}={file}")).collect();
    for pair in [&files[..], &named] {
        let ran = sandbox.stanch(&["report", "merge", &pair[0], &pair[1], "--format", "json"]).expect_code(1);
        assert_valid(&document, &ran.json(), "a merged report");
        assert_eq!(ran.json()["mode"], "mixed");
    }
    let ran = sandbox.stanch(&["report", "diff", &files[0], &files[1], "--format", "json"]).expect_code(1);
    assert_valid(&diff, &ran.json(), "a comparison");
    let log =
        sandbox.stanch(&["report", "merge", &named[0], &named[1], "--format", "sarif"]).expect_code(1).json();
    assert_valid(&vendored("sarif-2.1.0.json"), &log, "SARIF of a merged report");
    let report =
        sandbox.stanch(&["report", "merge", &named[0], &named[1], "--format", "gitlab"]).expect_code(1);
    assert_valid(&vendored("gitlab-secret-detection-15.json"), &report.json(), "GitLab of a merged report");
}

#[test]
fn the_schema_refuses_what_is_no_report() {
    let (sandbox, _) = every_mode();
    let document = validator(&own());
    let report: Value = serde_json::from_str(&run(&sandbox, &["scan"], "json")).expect("JSON");
    for (place, value) in [
        ("/schema_version", json!(2)),
        ("/findings/0/severity", json!("worst")),
        ("/findings/0/line", json!(0)),
        ("/findings/0/fingerprint", json!("x")),
        ("/findings/0/history", json!("none")),
        ("/coverage/files", json!(-1)),
    ] {
        let mut wrong = report.clone();
        *wrong.pointer_mut(place).expect(place) = value;
        assert!(!document.is_valid(&wrong), "{place}");
    }
}

#[test]
fn the_schema_names_every_field_that_is_written() {
    let (sandbox, commands) = every_mode();
    let mut schema = own();
    // The same schema, with nothing allowed that it does not name.
    fn close(schema: &mut Value) {
        if let Some(object) = schema.as_object_mut() {
            if object.contains_key("properties") && !object.contains_key("additionalProperties") {
                object.insert("additionalProperties".to_owned(), json!(false));
            }
            object.values_mut().for_each(close);
        } else if let Some(list) = schema.as_array_mut() {
            list.iter_mut().for_each(close);
        }
    }
    close(&mut schema);
    let strict = validator(&schema);
    for command in commands {
        let report: Value = serde_json::from_str(&run(&sandbox, &command, "json")).expect("JSON");
        assert_valid(&strict, &report, &format!("{command:?}"));
    }
}

#[test]
fn the_schema_is_printed() {
    let ran = Sandbox::new().stanch(&["report", "schema"]).expect_code(0);
    assert_eq!(ran.stdout, stanch::report::REPORT_SCHEMA);
}

#[test]
fn sarif_of_every_mode_is_valid() {
    let (sandbox, commands) = every_mode();
    let schema = vendored("sarif-2.1.0.json");
    let mut categories = std::collections::BTreeSet::new();
    for command in commands {
        let log: Value = serde_json::from_str(&run(&sandbox, &command, "sarif")).expect("JSON");
        assert_valid(&schema, &log, &format!("{command:?}"));
        let run = &log["runs"][0];
        categories.insert(run["automationDetails"]["id"].as_str().unwrap().to_owned());
        let is_complete = !command.contains(&"no-such-file");
        assert_eq!(run["invocations"][0]["executionSuccessful"], is_complete, "{command:?}");
        for result in run["results"].as_array().unwrap() {
            let index = result["ruleIndex"].as_u64().unwrap() as usize;
            let rule = &run["tool"]["driver"]["rules"][index];
            assert_eq!(rule["id"], result["ruleId"]);
            assert!(rule["properties"]["security-severity"].as_str().unwrap().parse::<f64>().is_ok());
            let place = &result["locations"][0]["physicalLocation"]["artifactLocation"];
            assert_eq!(place["uriBaseId"], "%SRCROOT%");
            let uri = place["uri"].as_str().unwrap();
            assert!(
                !uri.contains([' ', '#', '<', '\\']) && !uri.starts_with(['.', '/'])
                    || uri.starts_with(".env"),
                "{uri}"
            );
        }
    }
    let expected = ["stanch/history/", "stanch/scan/", "stanch/staged/", "stanch/stdin/"];
    assert_eq!(categories.into_iter().collect::<Vec<_>>(), expected);
}

#[test]
fn paths_are_from_the_root_of_the_repository_wherever_the_scan_starts() {
    let sandbox = Sandbox::repo();
    sandbox.write("sub dir/deep/x.txt", format!("{}\n", clickup_token(1)));
    let dir = sandbox.path().join("sub dir");
    let whole = dir.canonicalize().unwrap().join("deep");
    for path in ["deep", "./deep/x.txt", "../sub dir", whole.to_str().unwrap()] {
        let ran = sandbox.stanch_in(&dir, &["scan", path, "--format", "sarif"]).expect_code(1);
        let place =
            &ran.json()["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"];
        assert_eq!(place["uri"], "sub%20dir/deep/x.txt", "{path}");
        let report = sandbox.stanch_in(&dir, &["scan", path, "--format", "json"]).expect_code(1).json();
        assert_eq!(report["findings"][0]["repository_path"], "sub dir/deep/x.txt", "{path}");
        let report = sandbox.stanch_in(&dir, &["scan", path, "--format", "gitlab"]).expect_code(1).json();
        assert_eq!(report["vulnerabilities"][0]["location"]["file"], "sub dir/deep/x.txt", "{path}");
    }
    let report = sandbox.stanch(&["scan", "--format", "json"]).expect_code(1).json();
    assert!(report["findings"][0].get("repository_path").is_none(), "the path is that already");
}

#[test]
fn gitlab_reports_of_every_mode_are_valid() {
    let (sandbox, commands) = every_mode();
    let schema = vendored("gitlab-secret-detection-15.json");
    for command in commands {
        let report: Value = serde_json::from_str(&run(&sandbox, &command, "gitlab")).expect("JSON");
        assert_valid(&schema, &report, &format!("{command:?}"));
        assert_eq!(report["version"], "15.2.4");
        let ids: std::collections::BTreeSet<&str> = report["vulnerabilities"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["id"].as_str().unwrap())
            .collect();
        assert_eq!(ids.len(), report["vulnerabilities"].as_array().unwrap().len(), "ids are unique");
    }
}
