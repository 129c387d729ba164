//! The command line: help, defaults, aliases, where options may stand, where the report goes.

use std::fs;

use crate::support::{Sandbox, clickup_token};

/// A directory with one secret and a clean file.
fn one_secret() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("src/app.env", format!("API={}\n", clickup_token(1)));
    sandbox.write("README", "nothing here\n");
    sandbox
}

fn help(args: &[&str]) -> String {
    let sandbox = Sandbox::new();
    let args = [args, &["--help"]].concat();
    let ran = sandbox.stanch(&args).expect_code(0);
    assert_eq!(ran.stderr, "");
    ran.stdout
}

#[test]
fn help_of_every_command() {
    let name = if cfg!(feature = "verify") { "help" } else { "help-offline" };
    insta::assert_snapshot!(name, help(&[]));
    for command in ["scan", "staged", "history", "stdin", "check", "explain", "report", "rules"] {
        insta::assert_snapshot!(format!("help-{command}"), help(&[command]));
    }
    #[cfg(feature = "verify")]
    for args in [&["verify"][..], &["rotate", "check"], &["clickup", "health"]] {
        insta::assert_snapshot!(format!("help-{}", args.join("-")), help(args));
    }
    for (command, action) in [
        ("hook", "install"),
        ("hook", "uninstall"),
        ("hook", "status"),
        ("report", "merge"),
        ("report", "diff"),
        ("report", "schema"),
        ("baseline", "create"),
        ("baseline", "update"),
        ("baseline", "prune"),
        ("config", "check"),
        ("config", "show"),
        ("config", "init"),
        ("config", "schema"),
        ("hook", "run"),
        ("rules", "list"),
        ("rules", "show"),
        ("rules", "test"),
    ] {
        insta::assert_snapshot!(format!("help-{command}-{action}"), help(&[command, action]));
    }
}

#[test]
fn short_help_fits_a_screen() {
    let ran = Sandbox::new().stanch(&["-h"]).expect_code(0);
    assert!(ran.stdout.lines().count() <= 50, "{}", ran.stdout);
}

#[test]
fn without_a_command_the_current_directory_is_scanned() {
    let sandbox = one_secret();
    let plain = sandbox.stanch(&["--format", "json"]).expect_code(1).json();
    assert_eq!(plain["mode"], "scan");
    assert_eq!(plain["findings"][0]["path"], "src/app.env");
    assert_eq!(plain["coverage"]["files"], 2);
    for args in [
        &["scan", "--format", "json"][..],
        &["dir", "--format", "json"],
        &["--format", "json", "scan", "."],
        &["detect", "--no-git", "--format", "json"],
        &["--format=json", "."],
    ] {
        assert_eq!(sandbox.stanch(args).expect_code(1).json(), plain, "{args:?}");
    }
}

#[test]
fn a_path_needs_no_command() {
    let sandbox = one_secret();
    sandbox.stanch(&["README"]).expect_code(0);
    sandbox.stanch(&["README", "src"]).expect_code(1);
    let outside = sandbox.path().join("src/app.env");
    let ran = sandbox.stanch_in(sandbox.outside(), &[outside.to_str().unwrap()]).expect_code(1);
    assert!(ran.stdout.contains("src/app.env"), "{}", ran.stdout);
}

#[test]
fn options_may_stand_before_the_command() {
    let sandbox = one_secret();
    for args in [
        &["--min-severity", "low", "--format", "json", "scan"][..],
        &["scan", "--min-severity", "low", "--format", "json"],
        &[
            "--rule",
            "clickup-personal-token",
            "scan",
            "--rule",
            "clickup-oauth-client-secret",
            "--format",
            "json",
        ],
        &["--no-ignore", "scan", "--format", "json"],
    ] {
        assert_eq!(sandbox.stanch(args).expect_code(1).json()["finding_count"], 1, "{args:?}");
    }
    let other = ["--rule", "clickup-oauth-client-secret", "scan", "--format", "json"];
    assert_eq!(sandbox.stanch(&other).expect_code(0).json()["finding_count"], 0);
    sandbox.stanch(&["--show-secrets", "rules", "list"]).expect_code(2);
    sandbox.stanch(&["--no-ignore", "stdin"]).expect_code(2);
}

#[test]
fn a_directory_before_the_command_is_where_it_runs() {
    let sandbox = Sandbox::repo();
    sandbox.write("sub/a.txt", format!("{}\n", clickup_token(3)));
    sandbox.git(&["add", "sub/a.txt"]);
    sandbox.commit_all("first");
    let place = sandbox.path();
    for args in [
        &["--format", "json"] as &[&str],
        &["scan", "sub", "--format", "json"],
        &["history", "--format", "json"],
    ] {
        let inside = sandbox.stanch_in(&place, args).expect_code(1).json();
        let from_outside = [&["-C", place.to_str().unwrap()], args].concat();
        assert_eq!(
            sandbox.stanch_in(sandbox.outside(), &from_outside).expect_code(1).json(),
            inside,
            "{args:?}"
        );
    }
    let ran = sandbox.stanch(&["-C", "nowhere", "scan"]).expect_code(2);
    assert!(ran.stderr.contains("cannot change to nowhere"), "{ran:?}");
}

#[test]
fn aliases_of_other_scanners_do_the_same() {
    let sandbox = Sandbox::repo();
    sandbox.write("a.txt", format!("{}\n", clickup_token(3)));
    sandbox.git(&["add", "a.txt"]);
    let staged = sandbox.stanch(&["staged", "--format", "json"]).expect_code(1).json();
    assert_eq!(staged["mode"], "staged");
    assert_eq!(sandbox.stanch(&["protect", "--staged", "--format", "json"]).expect_code(1).json(), staged);
    sandbox.stanch(&["protect"]).expect_code(2);
    sandbox.commit_all("first");
    let history = sandbox.stanch(&["history", "--format", "json"]).expect_code(1).json();
    assert_eq!(history["mode"], "history");
    assert_eq!(history["findings"][0]["history"]["first_commit"]["author"], "Ada Author");
    assert_eq!(history["findings"][0]["history"]["first_commit"]["date"], "2024-05-06T07:08:09+02:00");
    assert_eq!(history["findings"][0]["history"]["in_head"], true);
    for args in [&["git"][..], &["git", "."], &["detect"], &["detect", "--source", "."]] {
        let args = [args, &["--format", "json"]].concat();
        assert_eq!(sandbox.stanch(&args).expect_code(1).json(), history, "{args:?}");
    }
}

#[test]
fn a_repository_elsewhere_is_named() {
    let sandbox = Sandbox::repo();
    sandbox.write("a.txt", format!("{}\n", clickup_token(3)));
    sandbox.git(&["add", "a.txt"]);
    let repo = sandbox.path();
    for option in ["-C", "--repo"] {
        let args = ["staged", option, repo.to_str().unwrap(), "--format", "json"];
        let ran = sandbox.stanch_in(sandbox.outside(), &args).expect_code(1);
        assert_eq!(ran.json()["findings"][0]["path"], "a.txt");
    }
}

#[test]
fn standard_input_has_a_name() {
    let sandbox = Sandbox::new();
    let input = format!("first\nkey = {}\n", clickup_token(5));
    let ran = sandbox.stanch_with_input(&["stdin", "--format", "json"], input.as_bytes()).expect_code(1);
    assert_eq!(ran.json()["findings"][0]["path"], "<stdin>");
    assert_eq!(ran.json()["findings"][0]["line"], 2);
    let args = ["stdin", "--path", "conf/x.ini", "--format", "json"];
    let ran = sandbox.stanch_with_input(&args, input.as_bytes()).expect_code(1);
    assert_eq!(ran.json()["findings"][0]["path"], "conf/x.ini");
    sandbox.stanch_with_input(&["stdin"], b"nothing").expect_code(0);
    sandbox.stanch_with_input(&["stdin"], b"").expect_code(0);
}

#[test]
fn a_report_goes_to_a_file() {
    let sandbox = one_secret();
    let file = sandbox.outside().join("report.json");
    let path = file.to_str().unwrap();
    let ran = sandbox.stanch(&["--format", "json", "--output", path]).expect_code(1);
    assert_eq!(ran.stdout, "");
    assert_eq!(ran.stderr, "1 finding in 1 file (1 critical)\n");
    let report: serde_json::Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    assert_eq!(report["finding_count"], 1);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let plain = sandbox.outside().join("plain");
        fs::write(&plain, "").unwrap();
        assert_eq!(mode(&file), mode(&plain), "others may read it as they may read any new file");
        sandbox.stanch(&["--show-secrets", "--quiet", "-o", path]).expect_code(1);
        assert_eq!(mode(&file), 0o600, "a report with secrets is private");
    }
    assert_eq!(sandbox.stanch(&["-o", "-", "--format", "json"]).expect_code(1).json()["finding_count"], 1);
}

#[cfg(unix)]
#[test]
fn a_linked_report_and_a_device_stay_what_they_are() {
    let sandbox = one_secret();
    let (real, link) = (sandbox.outside().join("real"), sandbox.outside().join("link"));
    fs::write(&real, "").unwrap();
    std::os::unix::fs::symlink(&real, &link).unwrap();
    sandbox.stanch(&["-o", link.to_str().unwrap()]).expect_code(1);
    assert!(link.is_symlink());
    assert!(fs::read_to_string(&real).unwrap().contains("1 finding"));
    sandbox.stanch(&["-o", "/dev/null"]).expect_code(1);
    assert!(!fs::metadata("/dev/null").unwrap().is_file());
}

#[test]
fn quiet_says_nothing_when_nothing_is_found() {
    let sandbox = one_secret();
    let ran = sandbox.stanch(&["--quiet", "README"]).expect_code(0);
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("", ""));
    let ran = sandbox.stanch(&["-q"]).expect_code(1);
    assert!(ran.stdout.contains("src/app.env") && !ran.stdout.contains("scanned"), "{}", ran.stdout);
    sandbox.stanch(&["--quiet", "--verbose"]).expect_code(2);
}

#[test]
fn colours_are_a_matter_of_choice() {
    let sandbox = one_secret();
    assert!(!sandbox.stanch(&[]).expect_code(1).stdout.contains('\x1b'), "a pipe is no terminal");
    assert!(sandbox.stanch(&["--color", "always"]).expect_code(1).stdout.contains('\x1b'));
    assert!(!sandbox.stanch(&["--color=never"]).expect_code(1).stdout.contains('\x1b'));
    assert!(
        !sandbox.stanch(&["--color", "always", "--format", "json"]).expect_code(1).stdout.contains('\x1b')
    );
}

#[test]
fn one_thread_and_many_give_the_same_bytes() {
    let sandbox = Sandbox::new();
    for number in 0..60 {
        sandbox
            .write(&format!("d{}/f{number}.txt", number % 7), format!("a\n k={}\n", clickup_token(number)));
    }
    for format in ["json", "jsonl"] {
        let one = sandbox.stanch(&["--threads", "1", "--format", format]).expect_code(1);
        let many = sandbox.stanch(&["--threads", "8", "--format", format]).expect_code(1);
        assert!(one.stdout == many.stdout, "reports differ in format {format}");
    }
}

#[test]
fn rules_are_listed_and_shown() {
    let sandbox = Sandbox::new();
    let list = sandbox.stanch(&["rules", "list", "--format", "json"]).expect_code(0).json();
    let ids: Vec<&str> = list.as_array().unwrap().iter().map(|rule| rule["id"].as_str().unwrap()).collect();
    assert!(ids.is_sorted() && ids.contains(&"clickup-personal-token") && ids.contains(&"env-file-staged"));
    let lines = sandbox.stanch(&["rules", "list", "--format", "jsonl"]).expect_code(0);
    assert_eq!(lines.stdout.lines().count(), ids.len());
    let people = sandbox.stanch(&["rules", "list"]).expect_code(0);
    assert!(ids.iter().all(|id| people.stdout.contains(id)));
    sandbox.write(
        ".stanch.toml",
        "[[rule]]\nid = \"acme-key\"\nprovider = \"Acme\"\ndescription = \"deploy key\"\nkind = \"keyed\"\n\
         severity = \"high\"\nconfidence = \"medium\"\nshape = 'ALNUM{20}'\nkeywords = [\"acme\"]\n\
         revoke = \"ask Acme\"\n[rules]\ndisable = [\"acme-key\"]\n",
    );
    insta::assert_snapshot!(
        "rules-show",
        sandbox.stanch(&["rules", "show", "acme-key"]).expect_code(0).stdout
    );
    assert!(!sandbox.stanch(&["rules", "list"]).expect_code(0).stdout.contains("acme-key"), "it is disabled");
    let ran = sandbox.stanch(&["rules", "show", "clickup-personal-tokn"]).expect_code(2);
    assert!(ran.stderr.contains("did you mean `clickup-personal-token`?"), "{}", ran.stderr);
}
