//! Files that are secrets: told by their names, or by what stands in them where a name says too little.

use crate::support::Sandbox;

/// Every kind of file that must be reported: the path, what is in it, and whether the name alone says it, so
/// that a binary of that name is one too.
fn table() -> Vec<(&'static str, String, bool)> {
    let value = |seed: usize| -> String {
        let letters = b"kJ8mQ2vXz4Tn7Lw9BcRd5HsYgPa3Fe6U";
        (0..24).map(|at| char::from(letters[(at * 7 + seed * 11) % letters.len()])).collect()
    };
    let text = || "not empty\n".to_owned();
    let auth = data_encoding::BASE64.encode(format!("deployer:{}", value(1)).as_bytes());
    vec![
        ("home/.ssh/id_rsa", text(), true),
        ("id_ed25519", text(), true),
        ("certs/server.p12", text(), true),
        ("certs/Server.PFX", text(), true),
        ("app/release.jks", text(), true),
        ("app/debug.keystore", text(), true),
        (".netrc", ["machine h.example.org login me pass", "word ", &value(2), "\n"].concat(), true),
        ("_netrc", text(), true),
        (".htpasswd", format!("joe:{{SHA}}{}abc=\n", value(9)), true),
        ("kubeconfig", format!("users:\n- user:\n    token: {}\n", value(3)), true),
        ("home/.kube/config", format!("users:\n- user:\n    token: {}\n", value(4)), true),
        (
            "home/.docker/config.json",
            format!("{{\"auths\": {{\"r.io\": {{\"auth\": \"{auth}\"}}}}}}\n"),
            true,
        ),
        ("infra/prod.tfstate", format!("{{\"password\": \"{}\"}}\n", value(5)), true),
        ("infra/terraform.tfstate.backup", format!("{{\"secret\": \"{}\"}}\n", value(6)), true),
        ("backup/users.sql", format!("CREATE USER app IDENTIFIED BY '{}';\n", value(7)), false),
        ("backup/dump.sql", format!("ALTER ROLE app WITH PASSWORD '{}';\n", value(8)), false),
        ("profile/logins.json", text(), true),
        ("profile/key4.db", text(), true),
        ("profile/cookies.sqlite", text(), true),
        ("Chrome/Default/Login Data", text(), true),
        ("Chrome/Default/Cookies", text(), true),
        ("wallet.dat", text(), true),
        ("keystore/UTC--2024-01-02T03-04-05.0Z--0123456789abcdef0123456789abcdef01234567", text(), true),
        ("passwords.kdbx", text(), true),
        ("home/.aws/credentials", text(), true),
        ("home/.git-credentials", text(), true),
    ]
}

/// Paths and origins of the findings of a report.
fn found(report: &serde_json::Value) -> Vec<(String, String)> {
    let findings = report["findings"].as_array().expect("findings");
    let text = |value: &serde_json::Value| value.as_str().expect("a text").to_owned();
    findings.iter().map(|finding| (text(&finding["path"]), text(&finding["origin"]["kind"]))).collect()
}

fn check(is_binary: bool) {
    let sandbox = Sandbox::repo();
    let files: Vec<_> = table().into_iter().filter(|(_, _, by_name)| *by_name || !is_binary).collect();
    for (path, content, _) in &files {
        match is_binary {
            true => sandbox.write(path, b"\0\0\x01\x02binary"),
            false => sandbox.write(path, content),
        }
    }
    sandbox.git(&["add", "--all", "--force"]);
    for (command, origin) in [("scan", "file"), ("staged", "staged")] {
        let report = sandbox.stanch(&[command, "--format", "json"]).expect_code(1).json();
        let found = found(&report);
        for (path, _, _) in &files {
            let expected = ((*path).to_owned(), origin.to_owned());
            assert!(found.contains(&expected), "{command}: {path} is not reported as {origin}: {found:?}");
        }
        assert!(found.iter().all(|(_, kind)| kind == origin), "{command}: {found:?}");
    }
}

#[test]
fn text_files_that_are_secrets_are_reported() {
    check(false);
}

#[test]
fn binary_files_that_are_secrets_are_reported() {
    check(true);
}

/// Names alone are no reason where the rule wants a word in the file, or where the file is of another kind.
#[test]
fn files_that_only_sound_like_secrets_are_not() {
    let sandbox = Sandbox::repo();
    for (path, content) in [
        ("id_rsa.pub", "ssh-rsa AAAAB3NzaC1yc2E me@host\n"),
        ("infra/empty.tfstate", "{\"version\": 4, \"resources\": []}\n"),
        ("src/keystore.rs", "fn main() {}\n"),
        ("docs/netrc.md", "How to write a netrc file\n"),
        ("credentials", "none\n"),
        ("schema.sql", "CREATE TABLE users (password_hash TEXT);\n"),
    ] {
        sandbox.write(path, content);
    }
    sandbox.git(&["add", "--all"]);
    for command in ["scan", "staged"] {
        let report = sandbox.stanch(&[command, "--format", "json"]).expect_code(0).json();
        assert_eq!(report["finding_count"], 0, "{report}");
    }
}

/// A binary on standard input has no file whose name could speak.
#[test]
fn a_binary_stream_has_no_file_name() {
    let sandbox = Sandbox::new();
    let ran = sandbox.stanch_with_input(&["stdin", "--path", "id_rsa", "--format", "json"], b"\0\0\x01");
    assert_eq!(ran.expect_code(0).json()["finding_count"], 0);
}
