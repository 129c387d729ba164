//! `stanch rotate check` against a server on loopback.

use serde_json::Value;

use crate::server::{Reply, Server};
use crate::support::{Ran, Sandbox, clickup_token, random_text, stanch};

/// Two tokens of one account.
fn tokens() -> (String, String) {
    let owner = random_text("123456789", 8, 5);
    let tail = |seed| random_text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", 32, seed);
    (format!("pk_{owner}_{}", tail(6)), format!("pk_{owner}_{}", tail(7)))
}

/// Knows one token, and to whom it belongs.
fn knows(token: &str, id: &str) -> Server {
    let (token, id) = (token.to_owned(), id.to_owned());
    Server::start(move |request, _| match request.header("authorization") == Some(&token) {
        true => Reply::json(200, &format!(r#"{{"user":{{"id":{id}}}}}"#)),
        false => Reply::json(401, r#"{"err":"Token invalid","ECODE":"OAUTH_025"}"#),
    })
}

fn owner(token: &str) -> &str {
    token.split('_').nth(1).expect("an owner")
}

#[track_caller]
fn check(sandbox: &Sandbox, server: &Server, old: &str, new: &str, more: &[&str]) -> Ran {
    let base = format!("clickup={}", server.url());
    let mut command = sandbox.command(stanch());
    command.args([
        "rotate",
        "check",
        "--old",
        "env:OLD",
        "--new",
        "env:NEW",
        "--allow-private",
        "--retries",
        "0",
    ]);
    command.args(["--base-url", &base]).args(more).env("OLD", old).env("NEW", new);
    let ran = Ran::new(command.output().expect("stanch runs"));
    for value in [old, new] {
        let tail = &value[value.len() - 20..];
        assert!(!ran.stdout.contains(tail) && !ran.stderr.contains(tail), "a value is shown: {ran:?}");
    }
    ran
}

fn status<'j>(json: &'j Value, id: &str) -> &'j str {
    let checks = json["checks"].as_array().expect("checks");
    checks.iter().find(|check| check["id"] == id).unwrap_or_else(|| panic!("no {id}"))["status"]
        .as_str()
        .expect("text")
}

fn repo() -> Sandbox {
    let sandbox = Sandbox::repo();
    sandbox.write(".gitignore", "dist/\n.env\n");
    sandbox.write("src/app.js", "fetch(process.env.CLICKUP_API_TOKEN)\n");
    sandbox.commit_all("first");
    sandbox
}

#[test]
fn a_complete_rotation_passes() {
    let (old, new) = tokens();
    let server = knows(&new, owner(&new));
    let sandbox = repo();
    sandbox.write(".env", format!("CLICKUP_API_TOKEN={new}\n"));
    let ran = check(&sandbox, &server, &old, &new, &[]).expect_code(0);
    assert!(ran.stdout.ends_with("\nthe rotation is complete\n"), "{}", ran.stdout);
    let json = check(&sandbox, &server, &old, &new, &["--format", "json"]).expect_code(0).json();
    let passed = json["checks"].as_array().unwrap().iter().filter(|check| check["status"] == "pass").count();
    assert_eq!(passed, 8, "{json}");
}

#[test]
fn each_flaw_is_named() {
    let (old, new) = tokens();
    let sandbox = repo();
    let json = |server: &Server, code: i32| {
        check(&sandbox, server, &old, &new, &["--format", "json"]).expect_code(code).json()
    };
    // The old one still works and the new one does not.
    let swapped = json(&knows(&old, owner(&old)), 2);
    assert_eq!((status(&swapped, "old-dead"), status(&swapped, "new-live")), ("fail", "fail"));
    assert_eq!(status(&swapped, "same-account"), "unknown");
    // The new one belongs to somebody else.
    let stranger = json(&knows(&new, "23"), 1);
    assert_eq!(status(&stranger, "same-account"), "fail");
    let server = knows(&new, owner(&new));
    for (path, id, content) in [
        (".env", "gone-from-tree", format!("T={old}\n")),
        ("dist/app.js", "gone-from-build-output", format!("var t=\"{old}\"\n")),
        ("dist/app.bin", "gone-from-build-output", format!("\0\0\0{old}\0")),
        (".github/workflows/ci.yml", "gone-from-ci", format!("env: {{T: {old}}}\n")),
    ] {
        sandbox.write(path, content);
        let found = json(&server, 1);
        assert_eq!(status(&found, id), "fail", "{path}");
        let places: Vec<&Value> = found["checks"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|check| check["id"] == id)
            .map(|c| &c["places"][0])
            .collect();
        assert_eq!(places, [path]);
        std::fs::remove_file(sandbox.path().join(path)).unwrap();
    }
    // Only in the index, and then only in HEAD.
    sandbox.write("notes.md", format!("the token was {old}\n"));
    sandbox.git(&["add", "notes.md"]);
    sandbox.write("notes.md", "the token was removed\n");
    let staged = json(&server, 1);
    assert_eq!((status(&staged, "gone-from-index"), status(&staged, "gone-from-tree")), ("fail", "pass"));
    sandbox.git(&["commit", "--quiet", "--message", "oops"]);
    sandbox.git(&["add", "notes.md"]);
    let committed = json(&server, 1);
    assert_eq!(
        (status(&committed, "gone-from-index"), status(&committed, "gone-from-head")),
        ("pass", "fail")
    );
}

#[test]
fn what_cannot_be_told_is_no_success() {
    let (old, new) = tokens();
    let sandbox = repo();
    let trouble = Server::start(|_, _| Reply::json(503, ""));
    let ran = check(&sandbox, &trouble, &old, &new, &[]).expect_code(2);
    assert!(
        ran.stdout.contains("UNKNOWN  old-dead") && ran.stdout.contains("could not be told"),
        "{}",
        ran.stdout
    );
    let server = knows(&new, owner(&new));
    let same = check(&sandbox, &server, &new, &new, &[]).expect_code(2);
    assert!(same.stderr.contains("are the same"), "{}", same.stderr);
    let github = format!("ghp_{}", "a".repeat(36));
    check(&sandbox, &server, &github, &new, &[]).expect_code(2);
    check(&sandbox, &server, "a\nb and more text to be sure", &new, &[]).expect_code(2);
    let typed = sandbox.stanch(&["rotate", "check", "--old", &old, "--new", "env:NEW"]).expect_code(2);
    assert!(
        typed.stderr.contains("--old takes env:NAME") && !typed.stderr.contains(&old),
        "{}",
        typed.stderr
    );
    let account = check(&sandbox, &server, &old, &new, &["--account", "42"]).expect_code(1);
    assert!(account.stdout.contains("of account 42"), "{}", account.stdout);
    let other = Sandbox::new();
    check(&other, &server, &old, &clickup_token(1), &[]).expect_code(2);
}
