//! What the structure of a value does to its finding, from the command line.

use stanch::filter::proof::seal;
use stanch::rule::schema::Checksum;

use crate::support::Sandbox;

/// Rule, confidence and reason of what is reported of a text.
fn findings(text: &str) -> Vec<(String, String, String)> {
    findings_with(text, &[])
}

fn findings_with(text: &str, options: &[&str]) -> Vec<(String, String, String)> {
    let sandbox = Sandbox::repo();
    sandbox.write("text.txt", text);
    let report = sandbox.stanch(&[&["scan", "--format", "json"], options].concat()).json();
    let findings = report["findings"].as_array().expect("a list of findings").iter();
    let field = |finding: &serde_json::Value, name: &str| finding[name].as_str().expect("a text").to_owned();
    findings.map(|f| (field(f, "rule"), field(f, "confidence"), field(f, "reason"))).collect()
}

#[track_caller]
fn assert_finding(text: &str, rule: &str, confidence: &str, reason: &str) {
    assert_eq!(findings(text), [(rule.to_owned(), confidence.to_owned(), reason.to_owned())]);
}

/// What needs a passphrase is reported to those who ask for it.
#[track_caller]
fn assert_finding_when_asked(text: &str, rule: &str, reason: &str) {
    assert_eq!(findings(text), [], "not by default");
    assert_eq!(
        findings_with(text, &["--min-confidence", "low"]),
        [(rule.to_owned(), "low".to_owned(), reason.to_owned())]
    );
}

/// A private key in its file; made here, so that none stands in the repository.
fn key(label: &str) -> String {
    let stub = format!("-----BEGIN {label}-----\n{}\n-----END {label}-----", "Zk3".repeat(40));
    String::from_utf8(seal(Checksum::Pem, stub.as_bytes())).expect("a key is ASCII")
}

#[test]
fn a_right_checksum_proves_and_a_wrong_one_is_silent() {
    let token = format!("ghp_{}", "aQ7xK2mB9c".repeat(4).split_at(36).0);
    assert!(
        findings(&format!("token = \"{token}\"\n")).iter().all(|(rule, ..)| rule != "github-pat-classic")
    );
    let token = String::from_utf8(seal(Checksum::GithubCrc32, token.as_bytes())).unwrap();
    assert_finding(&format!("x \"{token}\"\n"), "github-pat-classic", "proven", "its checksum is right");
}

#[test]
fn a_service_account_is_proven_by_its_key() {
    let key = key("PRIVATE KEY").replace('\n', "\\n");
    let text = format!(
        "{{\n  \"type\": \"service_account\",\n  \"project_id\": \"a-project\",\n  \
         \"private_key\": \"{key}\\n\",\n  \"client_email\": \"a@a-project.example\"\n}}\n"
    );
    let reason = "a well-formed Ed25519 private key, not encrypted";
    assert_finding(&text, "gcp-service-account-key", "proven", reason);
}

#[test]
fn the_end_of_a_shared_access_signature_is_read_wherever_it_stands() {
    let signature = format!("{}%3D", "aQ7xK2mB9c".repeat(5).split_at(43).0);
    for query in [
        format!("sv=2020-08-04&ss=b&srt=sco&sp=rw&se=2021-03-04T10:00:00Z&sig={signature}"),
        format!("se=2021-03-04T10%3A00%3A00Z&sp=rw&sv=2020-08-04&sr=container&sig={signature}"),
        format!("sv=2020-08-04&sr=b&st=2021-03-01T10%3A00Z&sig={signature}&se=2021-03-04T10%3A00%3A00Z&sp=r"),
    ] {
        let reason = "a shared access signature that expired on 2021-03-04";
        let text = format!("url = https://a.blob.core.windows.net/c?{query}\n");
        assert_finding(&text, "azure-sas-token", "medium", reason);
    }
}

#[test]
fn keys_say_what_they_are() {
    for (label, rule, kind) in [
        ("RSA PRIVATE KEY", "private-key-rsa", "RSA"),
        ("EC PRIVATE KEY", "private-key-ec", "EC"),
        ("PRIVATE KEY", "private-key-pkcs8", "Ed25519"),
        ("OPENSSH PRIVATE KEY", "private-key-openssh", "OpenSSH"),
        ("PGP PRIVATE KEY BLOCK", "private-key-pgp", "OpenPGP"),
    ] {
        let reason = format!("a well-formed {kind} private key, not encrypted");
        assert_finding(&format!("{}\n", key(label)), rule, "proven", &reason);
        let indented = format!("key: |\n  {}\n", key(label).replace('\n', "\n  "));
        assert_finding(&indented, rule, "proven", &reason);
        let quoted = format!("key = \"{}\"\n", key(label).replace('\n', "\\n"));
        assert_finding(&quoted, rule, "proven", &reason);
    }
    let legacy = key("RSA PRIVATE KEY").replacen("KEY-----\n", "KEY-----\nProc-Type: 4,ENCRYPTED\n\n", 1);
    let reason = "a private key encrypted with a passphrase";
    assert_finding_when_asked(&format!("{legacy}\n"), "private-key-rsa", reason);
}

#[test]
fn a_putty_file_says_whether_it_is_encrypted() {
    let file = |encryption: &str| {
        let row = "aQ7xK2mB9cLp+/Zk".repeat(4);
        format!(
            "PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: {encryption}\nComment: mine\nPublic-Lines: 1\n{row}\n\
             Private-Lines: 1\n{row}\nPrivate-MAC: {}\n",
            "0f".repeat(32)
        )
    };
    let reason = "a well-formed PuTTY key, not encrypted";
    assert_finding(&file("none"), "private-key-putty", "proven", reason);
    let reason = "a PuTTY key encrypted with a passphrase";
    assert_finding_when_asked(&file("aes256-cbc"), "private-key-putty", reason);
}
