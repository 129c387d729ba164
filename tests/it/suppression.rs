//! What accepts a finding, and that it is counted.

use crate::support::{Sandbox, clickup_token};

#[test]
fn markers_accept_on_the_line_and_above() {
    let token = clickup_token(1);
    for (text, is_accepted) in [
        (format!("k = {token} # stanch:allow\n"), true),
        (format!("k = {token} # stanch:allow clickup-personal-token: made up\n"), true),
        (format!("# stanch:allow clickup-personal-token: made up\nk = {token}\n"), true),
        (format!("// stanch:allow\r\nk = {token}\r\n"), true),
        (format!("# stanch:allow\n\nk = {token}\n"), false),
        (format!("k = {token}\n# stanch:allow\n"), false),
        (format!("x = 1 # stanch:allow\nk = {token}\n"), false),
        (format!("k = {token} # stanch:allow aws-access-key-id\n"), false),
        (format!("k = {token} # stanch:allowed\n"), false),
    ] {
        let sandbox = Sandbox::new();
        sandbox.write("a.txt", &text);
        let report = sandbox.stanch(&["--format", "json"]).expect_code(i32::from(!is_accepted)).json();
        assert_eq!(report["suppressed"]["inline"], u64::from(is_accepted), "{text}");
        sandbox.stanch(&["--no-inline-allow"]).expect_code(1);
    }
}

#[test]
fn markers_of_other_scanners_accept_and_are_counted() {
    let token = clickup_token(1);
    let beside = |marker: &str| format!("k = {token} # {marker}\n");
    let above = |marker: &str| format!("  # {marker}\nk = {token}\n");
    let mut texts: Vec<(String, bool)> = Vec::new();
    for marker in [
        "gitleaks:allow",
        "betterleaks:allow",
        "trufflehog:ignore",
        "kingfisher:ignore",
        "pragma: allowlist secret",
        "pragma: whitelist secret",
        "pragma:allowlist-secret",
        "ggignore",
        "secretlint-disable-line",
    ] {
        texts.push((beside(marker), true));
        texts.push((beside(&format!("x{marker}")), false));
        texts.push((above(marker), marker == "kingfisher:ignore"));
    }
    for marker in ["pragma: allowlist nextline secret", "secretlint-disable-next-line"] {
        texts.push((above(marker), true));
        texts.push((beside(marker), false));
        texts.push((format!("# {marker}\n\nk = {token}\n"), false));
    }
    texts.push((format!("x = 1 # pragma: allowlist nextline secret\nk = {token}\n"), false));
    for (text, is_accepted) in texts {
        let sandbox = Sandbox::repo();
        sandbox.write("a.txt", &text);
        sandbox.git(&["add", "a.txt"]);
        for command in ["scan", "staged"] {
            let ran = sandbox.stanch(&[command, "--format", "json"]).expect_code(i32::from(!is_accepted));
            let report = ran.json();
            assert_eq!(report["suppressed"]["inline"], u64::from(is_accepted), "{command}: {text}");
            assert_eq!(report["finding_count"], u64::from(!is_accepted), "{command}: {text}");
            let ran =
                sandbox.stanch(&[command, "--no-inline-allow", "--format", "json"]).expect_code(1).json();
            assert_eq!(ran["suppressed"]["inline"], 0, "{command}: {text}");
        }
        let people = sandbox.stanch(&[]).stdout;
        assert_eq!(people.contains("not reported: 1 by inline markers"), is_accepted, "{people}");
    }
}

#[test]
fn what_markers_hide_in_the_history_is_counted() {
    let sandbox = Sandbox::repo();
    sandbox.write("a.txt", format!("k = {} # gitleaks:allow\n", clickup_token(1)));
    sandbox.commit_all("first");
    let report = sandbox.stanch(&["history", "--format", "json"]).expect_code(0).json();
    assert_eq!(report["suppressed"]["inline"], 1);
    sandbox.stanch(&["history", "--no-inline-allow"]).expect_code(1);
}

#[test]
fn a_marker_that_was_there_before_counts_for_a_staged_line() {
    let sandbox = Sandbox::repo();
    sandbox.write("a.txt", "# stanch:allow: made up\nk = nothing\n");
    sandbox.commit_all("first");
    sandbox.write("a.txt", format!("# stanch:allow: made up\nk = {}\n", clickup_token(1)));
    sandbox.git(&["add", "a.txt"]);
    sandbox.stanch(&["staged"]).expect_code(0);
    sandbox.stanch(&["staged", "--no-inline-allow"]).expect_code(1);
}

#[test]
fn entries_of_the_configuration_accept() {
    let (one, two) = (clickup_token(1), clickup_token(2));
    let sandbox = Sandbox::new();
    sandbox.write("docs/a.md", format!("{one}\n"));
    sandbox.write("src/b.rs", format!("{two}\n"));
    for (lines, left) in [
        ("paths = [\"docs/\"]".to_owned(), vec!["src/b.rs"]),
        ("rules = [\"clickup-personal-token\"]".to_owned(), vec![]),
        (format!("values = [\"{two}\"]"), vec!["docs/a.md"]),
        (format!("regexes = [\"{}$\"]", &two[30..]), vec!["docs/a.md"]),
        (format!("values = [\"{two}\"]\npaths = [\"docs/\"]"), vec!["docs/a.md", "src/b.rs"]),
        (format!("commits = [\"{}\"]", "ab".repeat(20)), vec!["docs/a.md", "src/b.rs"]),
    ] {
        sandbox.write(".stanch.toml", format!("[[allow]]\nreason = \"made up\"\n{lines}\n"));
        // The file itself holds what it accepts, so it is not among what is scanned here.
        let ran =
            sandbox.stanch(&["docs", "src", "--format", "json"]).expect_code(i32::from(!left.is_empty()));
        let report = ran.json();
        let paths: Vec<&str> =
            report["findings"].as_array().unwrap().iter().map(|f| f["path"].as_str().unwrap()).collect();
        assert_eq!(paths, left);
        assert_eq!(report["suppressed"]["allowlist"], 2 - left.len());
    }
}

#[test]
fn a_staged_env_file_is_accepted_like_any_other_finding() {
    let sandbox = Sandbox::repo();
    sandbox.write(".env", "A=1\n");
    sandbox.git(&["add", "--force", ".env"]);
    let report = sandbox.stanch(&["staged", "--format", "json"]).expect_code(1).json();
    assert_eq!(report["findings"][0]["rule"], "env-file-staged");
    sandbox.stanch(&["staged", "--rule", "clickup-personal-token"]).expect_code(0);
    sandbox.stanch(&["staged", "--rule", "env-file-staged"]).expect_code(1);
    sandbox.stanch(&["staged", "--min-severity", "critical"]).expect_code(0);
    sandbox.write(
        ".stanch.toml",
        "[[allow]]\nreason = \"no values\"\nrules = [\"env-file-staged\"]\npaths = [\"/.env\"]\n",
    );
    let report = sandbox.stanch(&["staged", "--format", "json"]).expect_code(0).json();
    assert_eq!(report["suppressed"]["allowlist"], 1);
    sandbox.write(".stanch.toml", "[rules]\ndisable = [\"env-file-staged\"]\n");
    sandbox.stanch(&["staged"]).expect_code(0);
}
