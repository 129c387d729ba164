//! Baselines: what they accept, how they merge, what they refuse.

use std::fs;

use serde_json::Value;

use crate::support::{Ran, Sandbox, clickup_token, random_text};

const FILE: &str = ".stanch-baseline";

fn read(sandbox: &Sandbox) -> String {
    fs::read_to_string(sandbox.path().join(FILE)).expect("a baseline")
}

/// The lines that are entries.
fn entries(text: &str) -> Vec<&str> {
    text.lines().filter(|line| !line.starts_with('#')).collect()
}

#[track_caller]
fn scan(sandbox: &Sandbox, command: &[&str], code: i32) -> Value {
    let args = [command, &["--baseline", FILE, "--format", "json"]].concat();
    sandbox.stanch(&args).expect_code(code).json()
}

#[track_caller]
fn create(sandbox: &Sandbox) -> Ran {
    sandbox.stanch(&["baseline", "create"]).expect_code(0)
}

/// A repository with a token in a commit and a baseline that accepts it.
fn accepted() -> Sandbox {
    let sandbox = Sandbox::repo();
    sandbox.write("src/a.txt", format!("key = {}\n", clickup_token(1)));
    sandbox.commit_all("first");
    create(&sandbox);
    sandbox
}

#[test]
fn what_is_known_is_accepted_and_counted_and_what_is_new_is_not() {
    let sandbox = accepted();
    let text = read(&sandbox);
    assert_eq!(entries(&text).len(), 1);
    assert!(entries(&text)[0].contains(
        " clickup-personal-token author=\"Ada Author <ada@example.org>\" reason=\"known, not reviewed\""
    ));
    let token = clickup_token(1);
    assert!(!text.contains(&token) && !text.contains(&token[3..11]), "no part of the secret is in the file");

    for command in [&["scan"][..], &["history"]] {
        let report = scan(&sandbox, command, 0);
        assert_eq!(report["suppressed"]["baseline"], 1, "{command:?}");
        assert_eq!(
            report["baseline"],
            serde_json::json!({"path": FILE, "entries": 1, "expired": 0, "stale": 0})
        );
        sandbox.stanch(command).expect_code(1);
    }
    let people = sandbox.stanch(&["--baseline", FILE]).expect_code(0).stdout;
    assert!(people.contains("not reported: 1 by the baseline"), "{people}");
    assert!(people.contains("baseline: .stanch-baseline, 1 entry\n"), "{people}");

    sandbox.write("src/a.txt", format!("key = {}; other = {}\n", clickup_token(1), clickup_token(2)));
    let report = scan(&sandbox, &["scan"], 1);
    assert_eq!(
        (report["finding_count"].as_u64(), report["suppressed"]["baseline"].as_u64()),
        (Some(1), Some(1))
    );
    sandbox.git(&["add", "src/a.txt"]);
    assert_eq!(scan(&sandbox, &["staged"], 1)["finding_count"], 1);
    let input = format!("{}\n", clickup_token(1));
    sandbox.stanch_with_input(&["stdin", "--baseline", FILE], input.as_bytes()).expect_code(0);
    sandbox.stanch_with_input(&["stdin"], input.as_bytes()).expect_code(1);
}

#[test]
fn an_entry_survives_moves_renames_rebase_and_squash() {
    let sandbox = accepted();
    sandbox.git(&["checkout", "--quiet", "-b", "side"]);
    sandbox.write("src/a.txt", format!("\n\n  key: \"{}\"\n", clickup_token(1)));
    sandbox.commit_all("moved down");
    sandbox.git(&["mv", "src/a.txt", "b.txt"]);
    sandbox.commit_all("renamed");
    sandbox.git(&["checkout", "--quiet", "main"]);
    sandbox.write("other.txt", "x\n");
    sandbox.commit_all("meanwhile");
    sandbox.git(&["rebase", "--quiet", "main", "side"]);
    assert_eq!(scan(&sandbox, &["scan"], 0)["suppressed"]["baseline"], 1);
    assert_eq!(scan(&sandbox, &["history"], 0)["suppressed"]["baseline"], 2, "at two paths");
    sandbox.git(&["checkout", "--quiet", "main"]);
    sandbox.git(&["merge", "--quiet", "--squash", "side"]);
    scan(&sandbox, &["staged"], 0);
    sandbox.commit_all("squashed");
    sandbox.git(&["branch", "-D", "side"]);
    sandbox.git(&["reflog", "expire", "--expire=now", "--all"]);
    sandbox.git(&["gc", "--quiet", "--prune=now"]);
    scan(&sandbox, &["history"], 0);
    scan(&sandbox, &["history", "HEAD~1..HEAD"], 0);
}

#[test]
fn the_same_secret_under_another_rule_is_another_finding() {
    let sandbox = accepted();
    let text = read(&sandbox).replace("clickup-personal-token", "clickup-oauth-client-secret");
    sandbox.write(FILE, text);
    let report = scan(&sandbox, &["scan"], 1);
    assert_eq!(report["finding_count"], 1);
    assert_eq!(report["baseline"]["stale"], 1);
}

#[test]
fn branches_that_accept_different_findings_merge() {
    // Entries of the same branch may be neighbours; those of different ones lie apart, as fifteen of sixteen do.
    for with_union in [false, true] {
        let sandbox = Sandbox::repo();
        sandbox.write("a.txt", format!("{}\n", clickup_token(100)));
        if with_union {
            sandbox.write(".gitattributes", ".stanch-baseline merge=union\n");
        }
        create(&sandbox);
        sandbox.commit_all("first");
        for (branch, seeds) in [("one", [200, 201]), ("two", [300, 301])] {
            sandbox.git(&["checkout", "--quiet", "-b", branch, "main"]);
            for seed in seeds {
                sandbox.write(&format!("{branch}{seed}.txt"), format!("{}\n", clickup_token(seed)));
            }
            sandbox.stanch(&["baseline", "update", "--reason", branch]).expect_code(0);
            sandbox.commit_all(branch);
        }
        if with_union {
            // Both at once at the same place, which only the union can merge.
            for (branch, digits) in [("one", "ee01"), ("two", "ee02")] {
                sandbox.git(&["checkout", "--quiet", branch]);
                let entry = format!("# e\n{digits}{} jwt reason=\"{branch}\"\n", "0".repeat(28));
                sandbox.write(FILE, read(&sandbox).replace("# e\n", &entry));
                sandbox.commit_all("by hand");
            }
        }
        sandbox.git(&["checkout", "--quiet", "one"]);
        sandbox.git(&["merge", "--quiet", "--message", "merge", "two"]);
        let text = read(&sandbox);
        assert_eq!(entries(&text).len(), if with_union { 7 } else { 5 }, "{text}");
        assert_eq!(scan(&sandbox, &["scan"], 0)["suppressed"]["baseline"], 5);
        // What the merge left is sorted anew, and nothing is lost.
        sandbox.write("new.txt", format!("{}\n", clickup_token(400)));
        sandbox.stanch(&["baseline", "update"]).expect_code(0);
        let text = read(&sandbox);
        assert!(entries(&text).is_sorted(), "{text}");
        assert_eq!(text.matches("reason=\"one\"").count(), if with_union { 3 } else { 2 });
    }
}

#[test]
fn a_conflict_is_refused_until_it_is_solved() {
    let sandbox = accepted();
    let good = read(&sandbox);
    let bad = good.replace("# 5\n", "# 5\n<<<<<<< HEAD\n=======\n>>>>>>> side\n");
    sandbox.write(FILE, &bad);
    for command in [
        &["scan", "--baseline", FILE][..],
        &["history", "--baseline", FILE],
        &["explain", "src/a.txt:1", "--baseline", FILE],
        &["baseline", "update"],
        &["baseline", "prune"],
    ] {
        let ran = sandbox.stanch(command).expect_code(2);
        assert!(
            ran.stderr.contains(".stanch-baseline:") && ran.stderr.contains("merge conflict"),
            "{}",
            ran.stderr
        );
        assert_eq!(read(&sandbox), bad, "nothing is overwritten");
    }
}

#[test]
fn what_is_no_baseline_is_refused_and_stays_as_it_is() {
    let sandbox = accepted();
    for (text, expected) in [
        ("", ":1: not a baseline"),
        ("{}\n", ":1: not a baseline"),
        ("# stanch baseline 9\n", ":1: version 9 of baselines was made by a later stanch"),
        ("# stanch baseline 1\n\nwhatever\n", ":3: an entry starts with a fingerprint"),
    ] {
        sandbox.write(FILE, text);
        for command in [&["--baseline", FILE][..], &["baseline", "update"], &["baseline", "prune"]] {
            let ran = sandbox.stanch(command).expect_code(2);
            assert!(ran.stderr.contains(expected), "{command:?}: {}", ran.stderr);
            assert_eq!(read(&sandbox), text);
        }
    }
    sandbox.stanch(&["--baseline", "none"]).expect_code(2);
    sandbox.stanch(&["--baseline", "src"]).expect_code(2);
    sandbox.stanch(&["baseline", "update", "--baseline", "none"]).expect_code(2);
    sandbox.stanch(&["baseline", "create"]).expect_code(2);
    sandbox.stanch(&["baseline", "create", "--baseline", "no/such/dir"]).expect_code(2);
    sandbox.stanch(&["baseline", "prune", "--from", "staged"]).expect_code(2);
    fs::remove_file(sandbox.path().join(FILE)).unwrap();
    sandbox.stanch(&["baseline", "create", "--expires", "2020-01-01"]).expect_code(2);
    sandbox.stanch(&["baseline", "create", "--expires", "soon"]).expect_code(2);
    sandbox.stanch(&["baseline", "create", "--reason", " "]).expect_code(2);
    let ran = sandbox.stanch(&["baseline", "create", "--reason", &clickup_token(1)]).expect_code(2);
    assert!(ran.stderr.contains("holds the secret itself") && !ran.stderr.contains(&clickup_token(1)));
    assert!(!sandbox.path().join(FILE).exists());
}

#[cfg(unix)]
#[test]
fn where_something_cannot_be_read_nothing_is_written() {
    let sandbox = accepted();
    let before = read(&sandbox);
    let blob = sandbox.git(&["rev-parse", "HEAD:src/a.txt"]);
    let object = sandbox.path().join(format!(".git/objects/{}/{}", &blob[..2], &blob[2..]));
    fs::remove_file(object).unwrap();
    for action in ["update", "prune"] {
        let ran = sandbox.stanch(&["baseline", action, "--from", "history"]).expect_code(2);
        assert!(ran.stderr.contains("not everything was read"), "{}", ran.stderr);
        assert_eq!(read(&sandbox), before);
    }
    sandbox.stanch(&["baseline", "create", "--from", "history", "--baseline", "new"]).expect_code(2);
    assert!(!sandbox.path().join("new").exists());
}

#[test]
fn update_keeps_what_people_wrote() {
    let sandbox = accepted();
    let text = read(&sandbox);
    let (entry, edited) =
        (entries(&text)[0], entries(&text)[0].replace("known, not reviewed", "revoked in May"));
    let by_hand = text.replace(entry, &format!("# ask Ada\n{edited}"));
    sandbox.write(FILE, by_hand);
    sandbox.write("b.txt", format!("{}\n", clickup_token(2)));
    let args = ["baseline", "update", "--reason", "sandbox", "--author", "Bob", "--expires", "9999-12-31"];
    let ran = sandbox.stanch(&[&args[..], &["--format", "json"]].concat()).expect_code(0).json();
    assert_eq!(
        (ran["added"].as_u64(), ran["kept"].as_u64(), ran["entries"].as_u64()),
        (Some(1), Some(1), Some(2))
    );
    assert_eq!(ran["findings"][0]["path"], "b.txt");
    let text = read(&sandbox);
    assert!(text.contains("author=\"Ada Author <ada@example.org>\" reason=\"revoked in May\""), "{text}");
    assert!(text.contains("# ask Ada\n"), "{text}");
    assert!(text.contains("expires=9999-12-31 author=\"Bob\" reason=\"sandbox\""), "{text}");
    // Nothing is found for it any more, but that is no reason to forget why it was accepted.
    fs::remove_file(sandbox.path().join("src/a.txt")).unwrap();
    sandbox.stanch(&["baseline", "update"]).expect_code(0);
    assert_eq!(read(&sandbox), text);
}

#[test]
fn an_entry_that_has_ended_accepts_nothing() {
    let sandbox = accepted();
    let ended = read(&sandbox).replace(" author=", " expires=2020-01-01 author=");
    sandbox.write(FILE, &ended);
    let report = scan(&sandbox, &["scan"], 1);
    assert_eq!(report["baseline"], serde_json::json!({"path": FILE, "entries": 1, "expired": 1, "stale": 0}));
    let note = report["notes"][0].as_str().unwrap();
    assert!(note.starts_with(".stanch-baseline: line ") && note.contains("past the last day"), "{note}");
    let ran = sandbox.stanch(&["baseline", "update"]).expect_code(0);
    assert!(ran.stdout.contains("1 past their last day"), "{}", ran.stdout);
    scan(&sandbox, &["scan"], 1);
    sandbox.stanch(&["baseline", "update", "--expires", "9999-01-01"]).expect_code(0);
    scan(&sandbox, &["scan"], 0);
    assert!(read(&sandbox).contains("expires=9999-01-01"));
}

#[test]
fn stale_entries_are_told_and_pruned() {
    let sandbox = accepted();
    sandbox.write("b.txt", format!("{}\n", clickup_token(2)));
    sandbox.stanch(&["baseline", "update", "--from", "files"]).expect_code(0);
    fs::remove_file(sandbox.path().join("b.txt")).unwrap();
    fs::remove_file(sandbox.path().join("src/a.txt")).unwrap();
    let report = scan(&sandbox, &["scan"], 0);
    assert_eq!(report["baseline"]["stale"], 2);
    assert!(report["notes"][0].as_str().unwrap().contains("nothing is found for it any more"), "{report}");
    assert_eq!(
        scan(&sandbox, &["scan", ".git/HEAD"], 0)["baseline"]["stale"],
        Value::Null,
        "a part of the files"
    );
    assert_eq!(scan(&sandbox, &["scan", "--min-severity", "high"], 0)["baseline"]["stale"], Value::Null);
    // The history still has the first.
    let before = read(&sandbox);
    let args = ["baseline", "prune", "--from", "history"];
    let ran = sandbox.stanch(&[&args[..], &["--dry-run"]].concat()).expect_code(0);
    assert!(ran.stdout.contains("1 would be removed"), "{}", ran.stdout);
    assert_eq!(read(&sandbox), before);
    sandbox.stanch(&args).expect_code(0);
    assert_eq!(entries(&read(&sandbox)).len(), 1);
    scan(&sandbox, &["history"], 0);
    sandbox.stanch(&["baseline", "prune"]).expect_code(0);
    assert_eq!(entries(&read(&sandbox)).len(), 0);
    scan(&sandbox, &["history"], 1);
}

#[test]
fn entries_of_the_history_are_not_stale_in_the_files() {
    let sandbox = Sandbox::repo();
    sandbox.write("a.txt", format!("{}\n", clickup_token(1)));
    sandbox.commit_all("first");
    sandbox.write("a.txt", "nothing\n");
    sandbox.commit_all("second");
    sandbox.stanch(&["baseline", "create", "--from", "history"]).expect_code(0);
    assert!(entries(&read(&sandbox))[0].contains(" from=history "));
    assert_eq!(scan(&sandbox, &["history"], 0)["suppressed"]["baseline"], 1);
    assert_eq!(scan(&sandbox, &["scan"], 0)["baseline"]["stale"], 0);
    let before = read(&sandbox);
    sandbox.stanch(&["baseline", "prune"]).expect_code(0);
    assert_eq!(read(&sandbox), before);
}

#[test]
fn what_is_staged_is_accepted() {
    let sandbox = Sandbox::repo();
    sandbox.write(".env", format!("A={}\n", clickup_token(1)));
    sandbox.git(&["add", "--force", ".env"]);
    sandbox.write("not-staged.txt", format!("{}\n", clickup_token(2)));
    assert_eq!(sandbox.stanch(&["staged", "--format", "json"]).expect_code(1).json()["finding_count"], 2);
    sandbox.stanch(&["baseline", "create", "--from", "staged"]).expect_code(0);
    let report = scan(&sandbox, &["staged"], 0);
    assert_eq!(report["suppressed"]["baseline"], 2, "the token and the name of the file");
    scan(&sandbox, &["scan"], 1);
}

#[test]
fn a_file_that_is_a_secret_is_known_by_its_path_from_the_root() {
    let sandbox = Sandbox::repo();
    sandbox.write("sub/id_rsa", "nothing\n");
    create(&sandbox);
    assert_eq!(scan(&sandbox, &["scan"], 0)["suppressed"]["baseline"], 1);
    let sub = sandbox.path().join("sub");
    sandbox.stanch_in(&sub, &["--baseline", "../.stanch-baseline"]).expect_code(0);
    let whole = sandbox.path();
    sandbox
        .stanch_in(sandbox.outside(), &[whole.to_str().unwrap(), "--baseline", "work/.stanch-baseline"])
        .expect_code(0);
    sandbox.git(&["add", "--all"]);
    scan(&sandbox, &["staged"], 0);
    sandbox.git(&["mv", "sub/id_rsa", "sub/id_ed25519"]);
    assert_eq!(scan(&sandbox, &["staged"], 1)["finding_count"], 1);
}

#[test]
fn each_half_of_a_credential_is_accepted_by_itself() {
    let pair = |id: u64, secret: u64| {
        let id = format!("AKIA{}", random_text("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16, id));
        let secret =
            random_text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/+", 40, secret);
        format!("aws_access_key_id = {id}\naws_secret_access_key = {secret}\n")
    };
    let sandbox = Sandbox::repo();
    sandbox.write("a.ini", pair(1, 2));
    let report = sandbox.stanch(&["--format", "json"]).expect_code(1).json();
    assert_eq!(report["findings"][0]["parts"].as_array().map(Vec::len), Some(1), "{report}");
    create(&sandbox);
    assert_eq!(entries(&read(&sandbox)).len(), 2);
    assert_eq!(scan(&sandbox, &["scan"], 0)["suppressed"]["baseline"], 1, "one finding, not two");
    // A new secret beside the known id is a finding, with the id that it belongs to.
    sandbox.write("a.ini", pair(1, 3));
    let report = scan(&sandbox, &["scan"], 1);
    assert_eq!(
        (report["finding_count"].as_u64(), report["suppressed"]["baseline"].as_u64()),
        (Some(1), Some(0))
    );
    assert_eq!(report["findings"][0]["parts"].as_array().map(Vec::len), Some(1));
    // And so is a new id beside the known secret.
    sandbox.write("a.ini", pair(4, 2));
    let report = scan(&sandbox, &["scan"], 1);
    assert_eq!(
        (report["finding_count"].as_u64(), report["suppressed"]["baseline"].as_u64()),
        (Some(1), Some(1))
    );
    assert_eq!(report["findings"][0]["rule"], "aws-access-key-id");
}

#[test]
fn the_configuration_names_the_baseline() {
    let sandbox = accepted();
    fs::create_dir(sandbox.path().join("conf")).unwrap();
    fs::rename(sandbox.path().join(FILE), sandbox.path().join("conf/known")).unwrap();
    sandbox.write(".stanch.toml", "[baseline]\npath = \"conf/known\"\n");
    sandbox.stanch(&[]).expect_code(0);
    sandbox.stanch_in(&sandbox.path().join("src"), &[]).expect_code(0);
    sandbox.stanch(&["--no-baseline"]).expect_code(1);
    sandbox.git(&["add", "src"]);
    sandbox.stanch(&["history"]).expect_code(0);
    sandbox.write("b.txt", format!("{}\n", clickup_token(2)));
    sandbox.stanch(&["baseline", "update"]).expect_code(0);
    sandbox.stanch(&[]).expect_code(0);
    assert!(!sandbox.path().join(FILE).exists());
    sandbox.write(".stanch.toml", "[baseline]\npath = \"none\"\n");
    sandbox.stanch(&[]).expect_code(2);
    sandbox.stanch(&["staged"]).expect_code(2);
    sandbox.write(".stanch.toml", "[baseline]\npath = \"\"\n");
    let ran = sandbox.stanch(&[]).expect_code(2);
    assert!(ran.stderr.contains(".stanch.toml:2:8: `path`"), "{}", ran.stderr);
}

#[test]
fn a_secret_in_the_name_of_a_file_is_not_shown() {
    let sandbox = Sandbox::repo();
    let token = clickup_token(1);
    sandbox.write(&format!("{token}.txt"), format!("{token}\n"));
    let ran = sandbox.stanch(&["baseline", "create"]).expect_code(0);
    assert!(ran.stdout.contains("accepted") && !ran.stdout.contains(&token), "{}", ran.stdout);
    let claims = serde_json::json!([{"RuleID": "r", "File": format!("gone/{token}x"), "Secret": token, "StartLine": 1}]);
    let file = sandbox.outside().join("report.json");
    fs::write(&file, claims.to_string().replace(&format!("\"{token}\""), &format!("\"{}\"", &token[..30])))
        .unwrap();
    let args = ["baseline", "update", "--import", file.to_str().unwrap()];
    let ran = sandbox.stanch(&args).expect_code(0);
    assert!(ran.stdout.contains("not found") && !ran.stdout.contains(&token[..30]), "{}", ran.stdout);
}

#[test]
fn explain_names_the_entry() {
    let sandbox = accepted();
    let ran = sandbox.stanch(&["explain", "src/a.txt:1", "--baseline", FILE]).expect_code(0);
    assert!(ran.stdout.contains("of the baseline accepts it: known, not reviewed"), "{}", ran.stdout);
    sandbox.stanch(&["explain", "src/a.txt:1"]).expect_code(1);
}

/// Fingerprints look like keys, and the rule beside them names the provider.
#[test]
fn a_baseline_is_no_finding_itself() {
    let sandbox = Sandbox::repo();
    let rules = sandbox.stanch(&["rules", "list", "--format", "json"]).expect_code(0).json();
    let mut text = "# stanch baseline 1\n".to_owned();
    for (seed, rule) in rules.as_array().unwrap().iter().enumerate() {
        let fingerprint = random_text("0123456789abcdef", 32, seed as u64 + 7);
        text.push_str(&format!(
            "{fingerprint} {} reason=\"known, not reviewed\"\n",
            rule["id"].as_str().unwrap()
        ));
    }
    sandbox.write(FILE, text);
    // Rewritten, with the colons.
    sandbox.write("a.txt", format!("{}\n", clickup_token(1)));
    sandbox.stanch(&["baseline", "update"]).expect_code(0);
    fs::remove_file(sandbox.path().join("a.txt")).unwrap();
    sandbox.stanch(&["--min-confidence", "low", "--min-severity", "info"]).expect_code(0);
}

#[test]
fn reports_of_gitleaks_are_imported() {
    let sandbox = Sandbox::repo();
    sandbox.write("a.txt", format!("key = {}\nother = {}\n", clickup_token(1), clickup_token(2)));
    let of = |file: &str, line: u64, secret: &str| serde_json::json!({"RuleID": "clickup-token", "File": file, "StartLine": line, "Secret": secret, "Commit": ""});
    let report = serde_json::json!([of("a.txt", 1, &clickup_token(1)), of("gone.txt", 1, &clickup_token(3))]);
    let file = sandbox.outside().join("report.json");
    fs::write(&file, report.to_string()).unwrap();
    let args = ["baseline", "create", "--import", file.to_str().unwrap()];
    let ran = sandbox.stanch(&args).expect_code(0);
    assert!(
        ran.stdout.contains("not found") && ran.stdout.contains("gone.txt:1 (clickup-token)"),
        "{}",
        ran.stdout
    );
    assert!(!ran.stdout.contains(&clickup_token(3)));
    let left = scan(&sandbox, &["scan"], 1);
    assert_eq!((left["finding_count"].as_u64(), left["findings"][0]["line"].as_u64()), (Some(1), Some(2)));
    // With the secrets withheld the places tell.
    fs::write(&file, serde_json::json!([of("a.txt", 2, "REDACTED")]).to_string()).unwrap();
    sandbox.stanch(&["baseline", "update", "--import", file.to_str().unwrap()]).expect_code(0);
    scan(&sandbox, &["scan"], 0);
    for bad in ["[{\"a\": 1}]", "{\"a\": 1}", "[", "what"] {
        fs::write(&file, bad).unwrap();
        let before = read(&sandbox);
        sandbox.stanch(&["baseline", "update", "--import", file.to_str().unwrap()]).expect_code(2);
        assert_eq!(read(&sandbox), before);
    }
    sandbox.stanch(&["baseline", "update", "--import", "no-such-file"]).expect_code(2);
}

#[test]
fn an_ignore_file_of_gitleaks_is_imported() {
    let sandbox = Sandbox::repo();
    sandbox.write("a.txt", format!("\nkey = {}\n", clickup_token(1)));
    sandbox.commit_all("first");
    let first = sandbox.git(&["rev-parse", "HEAD"]);
    sandbox.write("a.txt", format!("\n\n\nkey = {}\n", clickup_token(2)));
    sandbox.commit_all("second");
    let missing = "0123456789".repeat(4);
    sandbox.write(
        ".gitleaksignore",
        format!("# old\n{first}:a.txt:clickup-token:2\n{missing}:a.txt:x:2\na.txt:clickup-token:1\n"),
    );
    let args = ["baseline", "create", "--from", "history", "--import", ".gitleaksignore", "--format", "json"];
    let ran = sandbox.stanch(&args).expect_code(0).json();
    assert_eq!(ran["added"], 1);
    assert_eq!(ran["not_found"].as_array().map(Vec::len), Some(2), "{ran}");
    let left = scan(&sandbox, &["history"], 1);
    assert_eq!((left["finding_count"].as_u64(), left["suppressed"]["baseline"].as_u64()), (Some(1), Some(1)));
    sandbox.write(".gitleaksignore", "a.txt:clickup-token:4\n");
    sandbox.stanch(&["baseline", "update", "--import", ".gitleaksignore"]).expect_code(0);
    scan(&sandbox, &["history"], 0);
    sandbox.write(".gitleaksignore", "a.txt\n");
    let ran = sandbox.stanch(&["baseline", "update", "--import", ".gitleaksignore"]).expect_code(2);
    assert!(ran.stderr.contains(".gitleaksignore:1: not `commit:file:rule:line`"), "{}", ran.stderr);
}

#[test]
fn a_baseline_of_detect_secrets_is_imported() {
    use sha1::{Digest, Sha1};
    let hash = |text: &str| Sha1::digest(text).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let sandbox = Sandbox::repo();
    let (one, two, three) = (clickup_token(1), clickup_token(2), clickup_token(3));
    sandbox.write("a.txt", format!("key = {one}\nkey = {two}\nkey = {three}\n"));
    let entry = |hash: String, line: u64| serde_json::json!({"type": "Secret Keyword", "filename": "a.txt", "hashed_secret": hash, "is_verified": false, "line_number": line});
    // The whole secret, on a line where it no longer stands; a part of one; one that is gone.
    let entries = [entry(hash(&one), 9), entry(hash(&two[3..]), 2), entry(hash("gone"), 3)];
    let baseline = serde_json::json!({"version": "1.5.0", "plugins_used": [], "results": {"a.txt": entries}});
    sandbox.write(".secrets.baseline", baseline.to_string());
    let args = ["baseline", "create", "--import", ".secrets.baseline"];
    let ran = sandbox.stanch(&args).expect_code(0);
    assert!(ran.stdout.contains("a.txt:3 (Secret Keyword)"), "{}", ran.stdout);
    let left = scan(&sandbox, &["scan"], 1);
    assert_eq!((left["finding_count"].as_u64(), left["findings"][0]["line"].as_u64()), (Some(1), Some(3)));
    assert!(read(&sandbox).contains("reason=\"imported from .secrets.baseline\""));
}

#[test]
fn a_hook_honours_the_baseline_of_the_configuration() {
    let sandbox = accepted();
    sandbox.write(".stanch.toml", "[baseline]\npath = \".stanch-baseline\"\n");
    sandbox.commit_all("accepted");
    sandbox.stanch(&["hook", "install"]).expect_code(0);
    sandbox.write("b.txt", format!("{}\n", clickup_token(1)));
    sandbox.git(&["add", "b.txt"]);
    sandbox.git(&["commit", "--quiet", "--message", "known"]);
    sandbox.write("b.txt", format!("{}\n", clickup_token(2)));
    sandbox.git(&["add", "b.txt"]);
    assert_ne!(sandbox.try_git(&["commit", "--quiet", "--message", "new"]).code, 0);
}

#[test]
fn a_bare_repository_gets_no_file_of_ours() {
    let sandbox = accepted();
    let bare = sandbox.outside().join("bare.git");
    sandbox.git(&["clone", "--quiet", "--bare", ".", bare.to_str().unwrap()]);
    let here = sandbox.outside().join("here");
    fs::create_dir(&here).unwrap();
    let args = ["baseline", "create", "--from", "history", "-C", bare.to_str().unwrap()];
    sandbox.stanch_in(&here, &args).expect_code(0);
    assert!(here.join(FILE).exists() && !bare.join(FILE).exists());
    sandbox.stanch_in(&here, &["history", "-C", bare.to_str().unwrap(), "--baseline", FILE]).expect_code(0);
}
