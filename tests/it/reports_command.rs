//! `stanch report`, and several outputs of one run.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::support::{Ran, Sandbox, clickup_token};

fn file(sandbox: &Sandbox, name: &str) -> String {
    sandbox.outside().join(name).to_str().expect("a plain path").to_owned()
}

fn json_of(path: impl AsRef<Path>) -> Value {
    serde_json::from_slice(&fs::read(path).expect("a report")).expect("JSON")
}

/// A directory with this file of tokens, scanned into `name` beside it.
fn scanned(sandbox: &Sandbox, name: &str, content: &str, extra: &[&str]) -> String {
    let report = file(sandbox, name);
    sandbox.write("conf/app.env", content);
    let args = [&["scan", "--quiet", "--format", "json", "--output", &report], extra].concat();
    let ran = sandbox.stanch(&args);
    assert!(ran.code < 2 || !extra.is_empty(), "{ran:?}");
    report
}

fn tokens(seeds: &[u64]) -> String {
    seeds.iter().map(|seed| format!("key{seed} = {}\n", clickup_token(*seed))).collect()
}

/// Paths and lines of findings.
fn places(findings: &Value) -> Vec<String> {
    let findings = findings.as_array().expect("findings");
    findings
        .iter()
        .map(|finding| {
            let repository =
                finding["repository"].as_str().map_or_else(String::new, |name| format!("{name}|"));
            format!("{repository}{}:{}", finding["path"].as_str().expect("a path"), finding["line"])
        })
        .collect()
}

#[test]
fn several_outputs_of_one_run() {
    let sandbox = Sandbox::new();
    sandbox.write("a.env", tokens(&[1]));
    let [json, sarif, csv] = ["o.json", "o.sarif", "o,1.csv"].map(|name| file(&sandbox, name));
    let both = format!("json={json},sarif={sarif}");
    let ran = sandbox.stanch(&["--output", &both, "-o", &format!("csv={csv}")]).expect_code(1);
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("", "1 finding in 1 file (1 critical)\n"));
    assert_eq!(json_of(&json)["findings"][0]["path"], "a.env");
    assert_eq!(json_of(&sarif)["version"], "2.1.0");
    assert!(fs::read_to_string(&csv).unwrap().contains(",a.env,1,"));

    let plain = sandbox.stanch(&["-o", &json, "--format", "jsonl"]).expect_code(1);
    assert_eq!(plain.stdout, "");
    assert!(fs::read_to_string(&json).unwrap().starts_with("{\"type\":\"finding\""));

    // `--format` besides outputs that name theirs is the form of standard output; so is one named `-`.
    let ran = sandbox.stanch(&["--format", "github", "-o", &format!("json={json}")]).expect_code(1);
    assert!(ran.stdout.starts_with("::error file=a.env,line=1,"), "{}", ran.stdout);
    assert_eq!(json_of(&json)["finding_count"], 1);
    let ran = sandbox.stanch(&["-o", &format!("human=-,json={json}")]).expect_code(1);
    assert!(ran.stdout.contains("a.env") && ran.stdout.contains("1 finding in 1 file"), "{}", ran.stdout);
}

#[test]
fn outputs_that_cannot_be_are_refused_before_anything_is_written() {
    let sandbox = Sandbox::new();
    sandbox.write("a.env", tokens(&[1]));
    let kept = file(&sandbox, "kept.json");
    let locked = file(&sandbox, "locked.json");
    for path in [&kept, &locked] {
        fs::write(path, "before").unwrap();
    }
    let mut permissions = fs::metadata(&locked).unwrap().permissions();
    permissions.set_readonly(true);
    fs::set_permissions(&locked, permissions).unwrap();
    let nowhere = file(&sandbox, "no/such/dir.sarif");
    let dir = sandbox.outside().to_str().unwrap().to_owned();
    let with = |rest: &str| format!("json={kept},{rest}");
    for (output, says) in [
        (with(&format!("sarif={nowhere}")), "there is no directory"),
        (with(&format!("sarif={dir}")), "is a directory"),
        (with(&format!("sarif={locked}")), "read-only"),
        (with(&format!("sarif={kept}")), "two reports cannot go to"),
        (with("sarif="), "`sarif=` needs a file"),
        (format!("xml={kept}"), "there is no form `xml`"),
    ] {
        let ran = sandbox.stanch(&["--output", &output]).expect_code(2);
        assert!(ran.stderr.contains(says), "{output}: {}", ran.stderr);
        assert_eq!(ran.stdout, "", "nothing was scanned");
        assert_eq!(fs::read_to_string(&kept).unwrap(), "before", "{output}");
        assert_eq!(fs::read_to_string(&locked).unwrap(), "before", "{output}");
    }
    let ran = sandbox.stanch(&["rules", "list", "--format", "sarif"]).expect_code(2);
    assert!(ran.stderr.contains("reports no findings"), "{}", ran.stderr);
    let ran = sandbox.stanch(&["rules", "list", "-o", &format!("json={kept},jsonl=-")]).expect_code(2);
    assert!(ran.stderr.contains("one form to one place"), "{}", ran.stderr);
    let left = fs::read_dir(sandbox.outside()).unwrap().filter_map(Result::ok);
    let left: Vec<_> =
        left.map(|entry| entry.file_name()).filter(|name| name != "home" && name != "work").collect();
    assert_eq!(left.len(), 2, "nothing is left behind: {left:?}");
}

#[cfg(target_os = "linux")]
#[test]
fn one_output_that_fails_late_takes_no_other_with_it() {
    let sandbox = Sandbox::new();
    sandbox.write("a.env", tokens(&[1]));
    let json = file(&sandbox, "o.json");
    // A device that is always full can be opened, and takes no byte.
    let ran = sandbox.stanch(&["--output", &format!("sarif=/dev/full,json={json}")]).expect_code(2);
    assert!(ran.stderr.contains("cannot write the report to /dev/full"), "{}", ran.stderr);
    assert_eq!(json_of(&json)["finding_count"], 1);
    let ran = sandbox.stanch(&["--output", "sarif=/dev/full"]).expect_code(2);
    assert!(ran.stdout.contains("\"version\": \"2.1.0\""), "what was found is not lost");
}

#[cfg(unix)]
#[test]
fn an_output_may_be_a_link_to_a_file_that_is_not_there_yet() {
    let sandbox = Sandbox::new();
    sandbox.write("a.env", tokens(&[1]));
    let (link, target) = (sandbox.outside().join("link"), sandbox.outside().join("target.json"));
    std::os::unix::fs::symlink("target.json", &link).unwrap();
    let typed = format!("json={}", link.display());
    sandbox.stanch(&["-o", &typed]).expect_code(1);
    assert!(link.is_symlink());
    assert_eq!(json_of(&target)["finding_count"], 1);
    let (one, other) = (sandbox.outside().join("one"), sandbox.outside().join("other"));
    std::os::unix::fs::symlink(&other, &one).unwrap();
    std::os::unix::fs::symlink(&one, &other).unwrap();
    let ran = sandbox.stanch(&["-o", one.to_str().unwrap()]).expect_code(2);
    assert!(ran.stderr.contains("cannot write the report"), "{}", ran.stderr);
    // The same file by another name is the same file.
    let twice = format!("json={},sarif={}", link.display(), target.display());
    assert!(sandbox.stanch(&["-o", &twice]).expect_code(2).stderr.contains("two reports"));
}

#[test]
fn reports_are_merged_in_any_order_and_form() {
    let sandbox = Sandbox::new();
    let one = scanned(&sandbox, "one.json", &tokens(&[1, 2]), &[]);
    let two = scanned(&sandbox, "two.json", &tokens(&[1, 3, 4]), &[]);
    let ran = sandbox.stanch(&["report", "merge", &one, &two, "--format", "json"]).expect_code(1);
    let merged = ran.json();
    // Line 1 of both is the same in all fields; line 2 has another secret in each.
    let shared = ["conf/app.env:1", "conf/app.env:2", "conf/app.env:2", "conf/app.env:3"];
    assert_eq!(places(&merged["findings"]), shared);
    assert_eq!(merged["finding_count"], 4);
    assert_eq!(merged["mode"], "scan");
    assert_eq!(merged["coverage"]["files"], 2);
    assert!(merged["notes"][0].as_str().unwrap().starts_with("1 finding stood in more than one report"));
    let other = sandbox.stanch(&["report", "merge", &two, &one, "--format", "json"]).expect_code(1).json();
    assert_eq!(other["findings"], merged["findings"]);

    let (named_one, named_two) = (format!("beta={one}"), format!("alpha={two}"));
    let args = ["report", "merge", &named_one, &named_two, "--format"];
    let merged = sandbox.stanch(&[&args[..], &["json"]].concat()).expect_code(1).json();
    let apart =
        ["alpha|conf/app.env:1", "alpha|conf/app.env:2", "alpha|conf/app.env:3", "beta|conf/app.env:1"];
    assert_eq!(places(&merged["findings"])[..4], apart);
    assert_eq!(merged["merged"][0]["repository"], "beta");
    let log = sandbox.stanch(&[&args[..], &["sarif"]].concat()).expect_code(1).json();
    let categories: Vec<_> = (0..2).map(|at| &log["runs"][at]["automationDetails"]["id"]).collect();
    assert_eq!(categories, ["stanch/scan/alpha/", "stanch/scan/beta/"]);
    let people = sandbox.stanch(&[&args[..], &["human"]].concat()).expect_code(1);
    assert!(people.stdout.contains("alpha: conf/app.env"), "{}", people.stdout);
    for form in ["gitlab", "junit", "csv", "github", "html", "jsonl"] {
        let ran = sandbox.stanch(&[&args[..], &[form]].concat()).expect_code(1);
        assert!(ran.stdout.contains("clickup-personal-token") && ran.stdout.contains("alpha"), "{form}");
    }
}

#[test]
fn a_merged_report_is_as_good_as_its_worst_part() {
    let sandbox = Sandbox::new();
    let clean = scanned(&sandbox, "clean.json", "nothing\n", &[]);
    sandbox.stanch(&["report", "merge", &clean, &clean]).expect_code(0);
    let failed = scanned(&sandbox, "failed.json", "nothing\n", &[".", "no-such-file"]);
    let ran =
        sandbox.stanch(&["report", "merge", &format!("x={clean}"), &format!("y={failed}")]).expect_code(2);
    assert!(ran.stdout.contains("error: y: no-such-file: "), "{}", ran.stdout);
    let ran = sandbox.stanch(&["report", "merge", &clean, &failed, "--format", "json"]).expect_code(2);
    assert_eq!(ran.json()["complete"], false);
    // And a merged report can be merged again.
    fs::write(file(&sandbox, "merged.json"), &ran.stdout).unwrap();
    sandbox.stanch(&["report", "merge", &clean, &file(&sandbox, "merged.json")]).expect_code(2);
}

#[test]
fn merging_one_report_changes_nothing_but_the_receipt() {
    let sandbox = Sandbox::repo();
    sandbox.write("a.txt", tokens(&[1]));
    sandbox.commit_all("first");
    for command in [&["scan"][..], &["history"]] {
        let json = sandbox.stanch(&[command, &["--format", "json"]].concat()).expect_code(1);
        let lines = sandbox.stanch(&[command, &["--format", "jsonl"]].concat()).expect_code(1);
        let mut expected = json.json();
        for text in [&json.stdout, &lines.stdout] {
            let ran =
                sandbox.stanch_with_input(&["report", "merge", "-", "--format", "json"], text.as_bytes());
            let mut merged = ran.expect_code(1).json();
            assert_eq!(merged["merged"].as_array().unwrap().len(), 1);
            for report in [&mut expected, &mut merged] {
                let fields = report.as_object_mut().unwrap();
                fields.remove("merged");
                fields.remove("config");
            }
            assert_eq!(merged, expected);
        }
    }
}

#[test]
fn reports_are_compared() {
    let sandbox = Sandbox::new();
    let old = scanned(&sandbox, "old.json", &tokens(&[1, 2]), &[]);
    // One line further down, one gone, one new.
    let new = scanned(&sandbox, "new.json", &format!("\n\n{}", tokens(&[1, 3])), &[]);
    let ran = sandbox.stanch(&["report", "diff", &old, &new, "--format", "json"]).expect_code(1);
    let found = ran.json();
    assert_eq!(places(&found["new"]), ["conf/app.env:4"]);
    assert_eq!(places(&found["gone"]), ["conf/app.env:2"]);
    assert_eq!(places(&found["unchanged"]), ["conf/app.env:3"]);
    let ran = sandbox.stanch(&["report", "diff", &old, &new]).expect_code(1);
    insta::assert_snapshot!("diff_human", ran.stdout);
    let lines = sandbox.stanch(&["report", "diff", &old, &new, "--format", "jsonl"]).expect_code(1);
    let kinds: Vec<Value> = lines.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let kinds: Vec<&Value> = kinds.iter().map(|line| &line["type"]).collect();
    assert_eq!(kinds, ["new", "gone", "unchanged", "summary"]);
    let log = sandbox.stanch(&["report", "diff", &old, &new, "--format", "sarif"]).expect_code(1).json();
    assert_eq!(log["runs"][0]["results"].as_array().unwrap().len(), 1, "the other forms hold what is new");

    assert!(
        sandbox
            .stanch(&["report", "diff", &new, &new])
            .expect_code(0)
            .stdout
            .contains("0 new, 0 gone, 2 unchanged")
    );
    let ran = sandbox.stanch(&["report", "diff", &new, &old]).expect_code(1);
    assert!(ran.stdout.contains("1 new, 1 gone, 1 unchanged"), "{}", ran.stdout);
}

#[test]
fn a_moved_secret_is_unchanged_and_a_copied_one_is_new() {
    let sandbox = Sandbox::new();
    let old = scanned(&sandbox, "old.json", &tokens(&[1]), &[]);
    fs::rename(sandbox.path().join("conf"), sandbox.path().join("moved")).unwrap();
    let moved = scanned(&sandbox, "moved.json", "nothing\n", &[]);
    let found = sandbox.stanch(&["report", "diff", &old, &moved, "--format", "json"]).expect_code(0).json();
    assert_eq!(places(&found["unchanged"]), ["moved/app.env:1"]);
    let copied = scanned(&sandbox, "copied.json", &tokens(&[1]), &[]);
    let found = sandbox.stanch(&["report", "diff", &old, &copied, "--format", "json"]).expect_code(1).json();
    assert_eq!(places(&found["new"]), ["moved/app.env:1"]);
    assert_eq!(places(&found["unchanged"]), ["conf/app.env:1"]);
}

#[test]
fn what_was_not_read_is_not_gone() {
    let sandbox = Sandbox::new();
    let old = scanned(&sandbox, "old.json", &tokens(&[1]), &[]);
    let failed = scanned(&sandbox, "failed.json", "nothing\n", &[".", "no-such-file"]);
    let ran = sandbox.stanch(&["report", "diff", &old, &failed]).expect_code(2);
    assert!(ran.stdout.contains("what is gone may be there still"), "{}", ran.stdout);
    let ran = sandbox.stanch(&["report", "diff", &failed, &old]).expect_code(1);
    assert!(ran.stdout.contains("what is new may have been there before"), "{}", ran.stdout);
}

#[test]
fn what_is_no_report_is_named_with_what_to_do() {
    let sandbox = Sandbox::new();
    let good = scanned(&sandbox, "good.json", &tokens(&[1, 2]), &[]);
    let text = fs::read_to_string(&good).unwrap();
    let lines = sandbox.stanch(&["scan", "--format", "jsonl"]).expect_code(1).stdout;
    let secret = sandbox.stanch(&["scan", "--show-secrets", "--format", "json"]).expect_code(1).stdout;
    let output = file(&sandbox, "out.json");
    fs::write(&output, "before").unwrap();
    for (content, says) in [
        (String::new(), "the file is empty; the run that should have written it did not end"),
        (text[..text.len() / 2].to_owned(), "breaks off in line"),
        (lines[..lines.find('\n').unwrap() + 1].to_owned(), "breaks off in line 1"),
        (lines[..lines.len() - 20].to_owned(), "breaks off in line 3"),
        (text.replace("\"schema_version\": 1", "\"schema_version\": 7"), "has schema version 7"),
        (lines.replace("\"schema_version\":1", "\"schema_version\":7"), "use a newer stanch"),
        (text.replace("\"tool\": \"stanch\"", "\"tool\": \"other\""), "no report of stanch"),
        ("[]".to_owned(), "no report of stanch"),
        ("{\"runs\": []}".to_owned(), "no report of stanch"),
        ("not json".to_owned(), "this is not JSON (line 1"),
        (
            text.replace("\"finding_count\": 2", "\"finding_count\": 3"),
            "says that it has 3 findings and has 2",
        ),
        (text.replace("\"severity\": \"critical\"", "\"severity\": \"worst\""), "value of another kind"),
        (
            secret.replace("\"severity\": \"critical\"", &format!("\"severity\": \"{}\"", clickup_token(1))),
            "no report",
        ),
        (text.replace("\"line\": 1,", ""), "lacks the field `line`"),
    ] {
        let bad = file(&sandbox, "bad.json");
        fs::write(&bad, &content).unwrap();
        for args in [
            &["report", "merge", &good, &bad, "--output", &output][..],
            &["report", "diff", &good, &bad, "--output", &output],
            &["report", "diff", &bad, &good, "--output", &output],
        ] {
            let ran: Ran = sandbox.stanch(args).expect_code(2);
            assert!(ran.stderr.contains(says) && ran.stderr.contains("bad.json"), "{says}: {}", ran.stderr);
            assert!(!ran.stderr.contains(&clickup_token(1)), "an error shows a secret");
            assert_eq!(fs::read_to_string(&output).unwrap(), "before", "nothing is overwritten");
        }
    }
    let ran = sandbox.stanch(&["report", "merge", &good, "nowhere.json", "nothing.json"]).expect_code(2);
    assert!(ran.stderr.contains("nowhere.json") && ran.stderr.contains("nothing.json"), "{}", ran.stderr);
    sandbox.stanch(&["report", "merge"]).expect_code(2);
    sandbox.stanch(&["report", "diff", &good]).expect_code(2);
    sandbox.stanch(&["report", "merge", "-", "-"]).expect_code(2);
}

#[test]
fn a_later_field_is_passed_over() {
    let sandbox = Sandbox::new();
    let report = scanned(&sandbox, "one.json", &tokens(&[1]), &[]);
    let text = fs::read_to_string(&report).unwrap();
    let later = text.replace("\"mode\":", "\"field_of_a_later_time\": {\"a\": [1]},\n  \"mode\":");
    assert_ne!(text, later);
    fs::write(&report, later).unwrap();
    sandbox.stanch(&["report", "merge", &report]).expect_code(1);
}

#[cfg(unix)]
#[test]
fn a_merged_report_with_secrets_is_private() {
    use std::os::unix::fs::PermissionsExt;
    let sandbox = Sandbox::new();
    let report = scanned(&sandbox, "one.json", &tokens(&[1]), &["--show-secrets"]);
    let output = file(&sandbox, "merged.json");
    sandbox.stanch(&["report", "merge", &report, "--format", "json", "--output", &output]).expect_code(1);
    assert_eq!(json_of(&output)["findings"][0]["secret"], clickup_token(1));
    assert_eq!(fs::metadata(&output).unwrap().permissions().mode() & 0o777, 0o600);
}
