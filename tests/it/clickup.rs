//! The first promise: no ClickUp token gets past the hook, and publishable keys of others do.

use crate::support::{Sandbox, clickup_token, random_text, stanch};

const ALNUM: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// A repository with the hook installed and one commit.
fn guarded() -> Sandbox {
    let sandbox = Sandbox::repo();
    sandbox.write("README", "start\n");
    sandbox.commit_all("start");
    sandbox.stanch(&["hook", "install"]).expect_code(0);
    sandbox
}

/// Runs `git commit` on one staged file with the hook in place.
fn commit(sandbox: &Sandbox, path: &str, content: &[u8]) -> (bool, String) {
    sandbox.write(path, content);
    sandbox.git(&["add", "--force", "--", path]);
    let output = sandbox
        .command("git")
        .env("STANCH_BIN", stanch())
        .args(["commit", "--quiet", "--message", "change"])
        .output()
        .expect("git runs");
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&text).into_owned())
}

#[test]
fn tokens_are_blocked_wherever_they_stand() {
    let token = clickup_token(3);
    let escaped = token.replace('_', "\\u005f");
    let utf16: Vec<u8> =
        format!("CLICKUP_API_TOKEN={token}\r\n").encode_utf16().flat_map(u16::to_le_bytes).collect();
    let with_mark = [&[0xFF, 0xFE], utf16.as_slice()].concat();
    let base64 = data_encoding::BASE64.encode(format!("Authorization: {token}\n").as_bytes());
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("settings.sh", format!("CLICKUP_API_TOKEN={token}\n").into()),
        ("client.py", format!("api = Client('{token}')\n").into()),
        ("url.txt", format!("https://api.internal/v2/team?token={token}&page=1\n").into()),
        ("encoded.txt", format!("q=https%3A%2F%2Fx%2F%3Ftoken%3D{token}%26page%3D1\n").into()),
        ("nested.json", format!("{{\"env\": \"{{\\\"token\\\":\\\"{token}\\\"}}\"}}\n").into()),
        ("escaped.json", format!("{{\"token\": \"{escaped}\"}}\n").into()),
        ("windows.env.txt", utf16),
        ("marked.txt", with_mark),
        ("secret.yaml", format!("data:\n  header: {base64}\n").into()),
        (
            "run.sh",
            format!("curl -H \"Authorization: {token}\" https://api.clickup.com/api/v2/user\n").into(),
        ),
        (".env", b"NOTHING=1\n".to_vec()),
    ];
    for (path, content) in cases {
        let sandbox = guarded();
        let (done, output) = commit(&sandbox, path, &content);
        assert!(!done, "{path} was committed:\n{output}");
        assert!(output.contains("commit blocked"), "{path}:\n{output}");
        assert!(!output.contains(&token[4..]), "the output for {path} shows the token");
    }
}

#[test]
fn every_length_of_owner_id_is_known() {
    let sandbox = Sandbox::new();
    for digits in 1..=12 {
        let (owner, tail) = (random_text("123456789", digits, 5), clickup_token(6)[12..].to_owned());
        let ran = sandbox
            .stanch_with_input(&["stdin", "--format", "json"], format!("pk_{owner}_{tail}").as_bytes());
        let report = ran.expect_code(1).json();
        assert_eq!(report["findings"][0]["rule"], "clickup-personal-token", "{digits} digits");
    }
}

#[test]
fn what_the_pasted_hook_catches_is_never_missed() {
    let sandbox = Sandbox::new();
    for seed in 0..20 {
        let old = format!("pk_{}", random_text(ALNUM, 30 + seed as usize, seed + 40));
        let ran = sandbox.stanch_with_input(&["stdin"], format!("key: {old}\n").as_bytes());
        assert_eq!(ran.code, 1, "a value of {} bytes passed", old.len());
    }
}

#[test]
fn publishable_keys_of_other_vendors_pass() {
    let sandbox = guarded();
    let content = format!(
        "const a = 'pk_live_{}';\nconst b = 'pk_test_{}';\nconst c = 'pk_live_51{}';\nCONSTRAINT pk_users_organization_membership PRIMARY KEY\n",
        random_text(ALNUM, 24, 1),
        random_text("0123456789abcdef", 40, 2),
        random_text(ALNUM, 97, 3),
    );
    let (done, output) = commit(&sandbox, "checkout.js", content.as_bytes());
    assert!(done, "{output}");
}
