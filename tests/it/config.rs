//! `.stanch.toml`: where it is found and what it changes.

use std::fs;

use crate::support::{Sandbox, clickup_token};

/// A configuration under which nothing of what these tests plant is found.
const DISABLED: &str = "[scan]\nmin_confidence = \"proven\"\n";

fn allow(line: &str) -> String {
    format!("[[allow]]\nreason = \"made up\"\n{line}\n")
}

#[test]
fn the_file_is_found_upwards_to_the_repository_root() {
    let sandbox = Sandbox::repo();
    sandbox.write("sub/deep/a.txt", clickup_token(1));
    fs::write(sandbox.outside().join(".stanch.toml"), DISABLED).unwrap();
    sandbox.stanch(&[]).expect_code(1);
    sandbox.write(".stanch.toml", DISABLED);
    let ran = sandbox.stanch(&["--format", "json"]).expect_code(0);
    assert_eq!(ran.json()["config"], ".stanch.toml");
    sandbox.stanch_in(&sandbox.path().join("sub/deep"), &["a.txt"]).expect_code(0);
    sandbox.stanch_in(sandbox.outside(), &["work/sub"]).expect_code(0);
    sandbox.stanch(&["--no-config"]).expect_code(1);
    sandbox.git(&["add", "--all"]);
    sandbox.stanch(&["staged"]).expect_code(0);
    sandbox.stanch_in(&sandbox.path().join("sub"), &["staged"]).expect_code(0);
}

#[test]
fn an_option_goes_before_a_variable_before_the_file() {
    let sandbox = Sandbox::new();
    sandbox.write("a.txt", clickup_token(1));
    sandbox.write(".stanch.toml", "");
    fs::write(sandbox.outside().join("off.toml"), DISABLED).unwrap();
    fs::write(sandbox.outside().join("on.toml"), "").unwrap();
    let run = |variable: &str, args: &[&str]| {
        let output =
            sandbox.command(crate::support::stanch()).env("STANCH_CONFIG", variable).args(args).output();
        output.expect("stanch runs").status.code()
    };
    assert_eq!(run("", &[]), Some(1));
    assert_eq!(run("../off.toml", &[]), Some(0));
    assert_eq!(run("../off.toml", &["--config", "../on.toml"]), Some(1));
    assert_eq!(run("../off.toml", &["--no-config"]), Some(1));
    assert_eq!(run("../missing.toml", &[]), Some(2));
}

#[test]
fn options_go_before_the_file() {
    let sandbox = Sandbox::new();
    sandbox.write("src/a.txt", clickup_token(1));
    sandbox.write(".stanch.toml", "[scan]\nmin_confidence = \"proven\"\n");
    let ran = sandbox.stanch(&["--format", "json"]).expect_code(0);
    assert_eq!(ran.json()["suppressed"]["below_threshold"], 1);
    sandbox.stanch(&["--min-confidence", "high"]).expect_code(1);
    sandbox.write(".stanch.toml", "[scan]\nmax_file_bytes = 40\n");
    let ran = sandbox.stanch(&["src", "--format", "json"]).expect_code(0);
    assert_eq!(ran.json()["coverage"]["skipped"]["counts"]["too-large"], 1);
    sandbox.stanch(&["src", "--max-file-bytes", "1k"]).expect_code(1);
}

#[test]
fn places_with_different_files_are_not_scanned_together() {
    let sandbox = Sandbox::new();
    sandbox.write("one/.git/HEAD", "");
    sandbox.write("two/.git/HEAD", "");
    sandbox.write("one/.stanch.toml", "");
    sandbox.write("two/a.txt", "nothing\n");
    let ran = sandbox.stanch(&["one", "two"]).expect_code(2);
    assert!(ran.stderr.contains("different configurations"), "{}", ran.stderr);
    sandbox.stanch(&["one", "two", "--no-config"]).expect_code(0);
}

#[test]
fn patterns_of_paths_speak_of_the_root() {
    let sandbox = Sandbox::repo();
    sandbox.write("sub/fixtures/a.txt", clickup_token(1));
    sandbox.write(".stanch.toml", allow("paths = [\"/sub/fixtures/\"]"));
    let (root, sub) = (sandbox.path(), sandbox.path().join("sub"));
    for (dir, path) in [
        (&root, "."),
        (&root, "sub"),
        (&root, root.to_str().unwrap()),
        (&sub, "."),
        (&sub, "fixtures/a.txt"),
        (&sub, ".."),
        (&sub, "../sub/fixtures"),
    ] {
        sandbox.stanch_in(dir, &[path]).expect_code(0);
    }
    sandbox.stanch_in(sandbox.outside(), &["work"]).expect_code(0);
    sandbox.git(&["add", "--all"]);
    sandbox.stanch_in(&sub, &["staged"]).expect_code(0);
    sandbox.write(".stanch.toml", allow("paths = [\"/fixtures/\"]"));
    sandbox.stanch_in(&sub, &["."]).expect_code(1);
}

#[cfg(unix)]
#[test]
fn a_linked_place_is_the_place_it_leads_to() {
    let sandbox = Sandbox::repo();
    sandbox.write("sub/fixtures/a.txt", clickup_token(1));
    sandbox.write(".stanch.toml", allow("paths = [\"/sub/fixtures/\"]"));
    let link = sandbox.outside().join("link");
    std::os::unix::fs::symlink(sandbox.path().join("sub"), &link).unwrap();
    sandbox.stanch_in(sandbox.outside(), &["link/fixtures"]).expect_code(0);
    sandbox.stanch_in(sandbox.outside(), &[link.to_str().unwrap()]).expect_code(0);
}

#[test]
fn rules_of_ones_own_are_used() {
    let sandbox = Sandbox::new();
    sandbox.write("a.txt", format!("key = {}{}\n", "acme_", "Q7x2Kp9LmZ4vBn8TrW3y"));
    sandbox.write(
        ".stanch.toml",
        "[scan]\n[[rule]]\nid = \"acme-key\"\nprovider = \"Acme\"\ndescription = \"deploy key\"\nkind = \"prefixed\"\n\
         severity = \"high\"\nconfidence = \"high\"\nshape = '\"acme_\" ALNUM{20}'\n",
    );
    let ran = sandbox.stanch(&["--rule", "acme-key", "--format", "json"]).expect_code(1);
    assert_eq!(ran.json()["findings"][0]["rule"], "acme-key");
    let ran = sandbox.stanch(&["rules", "show", "acme-key"]).expect_code(0);
    assert!(ran.stdout.contains("deploy key"), "{}", ran.stdout);
}

#[test]
fn stale_and_expired_entries_are_told() {
    let sandbox = Sandbox::new();
    sandbox.write("src/a.txt", clickup_token(1));
    let entries = [
        allow("rules = [\"clickup-personal-token\"]\nexpires = 2020-01-01"),
        allow("paths = [\"gone.txt\"]"),
        allow("paths = [\"src/a.txt\"]\nexpires = 9999-12-31"),
    ];
    sandbox.write(".stanch.toml", entries.concat());
    let ran = sandbox.stanch(&["--format", "json"]).expect_code(0);
    let notes = ran.json()["notes"].clone();
    assert_eq!(
        notes,
        serde_json::json!([
            ".stanch.toml:1: this entry ended on 2020-01-01 and accepts nothing any more",
            ".stanch.toml:5: this entry accepts nothing that is there; remove it",
        ])
    );
    let part = sandbox.stanch(&["src", "--format", "json"]).expect_code(0).json();
    assert_eq!(part["notes"].as_array().map(Vec::len), Some(1), "a part says nothing of the whole: {part}");
}

#[test]
fn a_configuration_is_checked_without_a_scan() {
    let sandbox = Sandbox::repo();
    sandbox.write("a.txt", clickup_token(1));
    let ran = sandbox.stanch(&["config", "check"]).expect_code(0);
    assert!(ran.stdout.starts_with("no configuration: the defaults hold"), "{}", ran.stdout);
    sandbox.write(".stanch.toml", format!("[rules]\ndisable = [\"jwt\"]\n{}", allow("rules = [\"jwt\"]")));
    let ran = sandbox.stanch(&["config", "check"]).expect_code(0);
    assert!(ran.stdout.starts_with(".stanch.toml: good; "), "{}", ran.stdout);
    assert!(ran.stdout.ends_with("1 disabled, 1 allow entry\n"), "{}", ran.stdout);
    let rule = |kind: &str, regex: &str| {
        format!(
            "[[rule]]\nid = \"x\"\ndescription = \"x\"\nkind = \"{kind}\"\nseverity = \"low\"\nregex = '{regex}'\n"
        )
    };
    for (text, fault) in [
        ("[rules]\ndisable = [\"jwtt\"]\n".to_owned(), ".stanch.toml:2:12: there is no rule `jwtt`"),
        ("[scan]\nx = 1\n".to_owned(), ".stanch.toml:2:1: unknown field `x`"),
        (rule("prefixed", "("), ".stanch.toml:1: rule `x`"),
        (rule("whole", "a"), "unknown variant `whole`"),
        ("[baseline]\npath = \"gone\"\n".to_owned(), "cannot read the baseline"),
    ] {
        sandbox.write("other/.stanch.toml", text);
        let ran = sandbox.stanch_in(&sandbox.path().join("other"), &["config", "check"]).expect_code(2);
        assert!(ran.stderr.contains(fault), "{}", ran.stderr);
        sandbox.stanch(&["config", "check", "other/.stanch.toml"]).expect_code(2);
    }
    sandbox.write("gitleaks.toml", "[[rules]]\nid = \"a\"\nregex = '''abc'''\n");
    let ran = sandbox.stanch(&["config", "check", "gitleaks.toml", "--format", "json"]).expect_code(0).json();
    assert_eq!((ran["kind"].as_str(), ran["rules"].as_u64()), (Some("gitleaks"), Some(1)));
    sandbox.stanch(&["config", "check", "none.toml"]).expect_code(2);
}

#[test]
fn the_configuration_in_force_is_shown_with_its_sources() {
    let sandbox = Sandbox::repo();
    let secret = clickup_token(7);
    sandbox.write(
        ".stanch.toml",
        format!(
            "[scan]\nmin_severity = \"medium\"\nmax_file_bytes = \"2k\"\n\n[rules]\ndisable = [\"jwt\"]\n\
             [[rule]]\nid = \"acme-key\"\ndescription = \"x\"\nkind = \"prefixed\"\nseverity = \"low\"\nshape = '\"acme_\" ALNUM{{20}}'\n{}",
            allow(&format!("values = [\"{secret}\"]\nexpires = 2020-01-01"))
        ),
    );
    let ran = sandbox.stanch(&["config", "show", "--max-file-bytes", "1k"]).expect_code(0);
    for line in [
        "# .stanch.toml, found from here upwards",
        "min_severity = \"medium\"                   # .stanch.toml:2",
        "# min_confidence: not set                 # default",
        "max_file_bytes = 1024                     # --max-file-bytes",
        "disable = [\"jwt\"]                         # .stanch.toml:6",
        "# [[rule]] acme-key                       # .stanch.toml:7",
        "# [[allow]] made up                       # .stanch.toml:13, ended on 2020-01-01",
    ] {
        assert!(ran.stdout.lines().any(|shown| shown == line), "{line}\n{}", ran.stdout);
    }
    assert!(!ran.stdout.contains(&secret), "what is allowed may be a secret");
    let ran = sandbox
        .stanch(&["--min-severity", "high", "config", "show", "--format", "json"])
        .expect_code(0)
        .json();
    assert_eq!(ran["found_by"], "search");
    let value = serde_json::json!({"key": "scan.min_severity", "value": "high", "from": "--min-severity"});
    assert_eq!(ran["values"][0], value);
    let ran = sandbox.stanch(&["config", "show", "--no-config"]).expect_code(0);
    assert!(ran.stdout.starts_with("# no configuration, the defaults hold"), "{}", ran.stdout);
    let ran = sandbox.stanch(&["config", "show", "--config", ".stanch.toml"]).expect_code(0);
    assert!(ran.stdout.starts_with("# .stanch.toml, named by --config"), "{}", ran.stdout);
    sandbox.stanch(&["--min-severity", "high", "config", "check"]).expect_code(2);
}

#[test]
fn a_first_configuration_is_written_and_never_over_another() {
    let sandbox = Sandbox::repo();
    sandbox.write("sub/a.txt", clickup_token(1));
    let sub = sandbox.path().join("sub");
    sandbox.stanch_in(&sub, &["config", "init"]).expect_code(0);
    let file = sandbox.path().join(".stanch.toml");
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.contains("# [scan]"), "{text}");
    sandbox.stanch(&["config", "check"]).expect_code(0);
    // All of it is a comment.
    assert_eq!(sandbox.stanch(&["--format", "json"]).expect_code(1).json()["config"], ".stanch.toml");
    fs::write(&file, "[scan]\n").unwrap();
    let ran = sandbox.stanch(&["config", "init"]).expect_code(2);
    assert!(ran.stderr.contains(".stanch.toml is there already"), "{}", ran.stderr);
    assert_eq!(fs::read_to_string(&file).unwrap(), "[scan]\n");
}

#[test]
fn the_schema_is_printed() {
    let sandbox = Sandbox::new();
    let ran = sandbox.stanch(&["config", "schema"]).expect_code(0);
    assert_eq!(ran.json()["properties"]["scan"]["additionalProperties"], false);
    let file = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/src/config/schema.json")).unwrap();
    assert_eq!(ran.stdout, file, "the published file is the one that is printed");
}

#[test]
fn no_rule_left_is_an_error_in_every_mode() {
    let sandbox = Sandbox::repo();
    sandbox.write("a.txt", "x\n");
    sandbox.git(&["add", "a.txt"]);
    let rules = sandbox.stanch(&["rules", "list", "--format", "json"]).expect_code(0).json();
    let ids: Vec<&str> = rules.as_array().unwrap().iter().map(|rule| rule["id"].as_str().unwrap()).collect();
    sandbox.write("all.toml", format!("[rules]\ndisable = {ids:?}\n"));
    for command in ["scan", "staged", "history", "stdin"] {
        let ran = sandbox.stanch(&[command, "--config", "all.toml"]).expect_code(2);
        assert!(ran.stderr.contains("no rule is left to scan with"), "{command}: {}", ran.stderr);
    }
    sandbox.stanch(&["staged", "--rule", "env-file-staged"]).expect_code(0);
}
