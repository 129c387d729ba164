//! Secrets of the most leaked providers, planted in twelve surroundings and found in every mode.

use std::collections::BTreeMap;

use stanch::rule::RuleSet;
use stanch::rule::shape::Shape;

use crate::support::{Ran, Sandbox};
use crate::surroundings::{self, Name};

/// One rule for each form of secret that leaks most.
const RULES: &[&str] = &[
    "airtable-pat",
    "algolia-admin-key",
    "anthropic-api-key",
    "asana-pat",
    "atlassian-api-token",
    "aws-access-key-id",
    "aws-secret-access-key",
    "azure-devops-pat",
    "azure-entra-client-secret",
    "azure-storage-connection-string",
    "bitbucket-repository-access-token",
    "buildkite-user-token",
    "circleci-personal-token",
    "clickup-personal-token",
    "clickup-oauth-client-secret",
    "clickup-oauth-exchange-url",
    "cloudflare-origin-ca-key",
    "databricks-pat",
    "datadog-api-key",
    "digitalocean-pat",
    "discord-bot-token",
    "discord-webhook-url",
    "docker-hub-pat",
    "dropbox-short-lived-token",
    "facebook-access-token",
    "figma-pat",
    "gitlab-pat",
    "github-pat-classic",
    "github-pat-fine-grained",
    "google-api-key",
    "google-oauth-client-secret",
    "grafana-service-account-token",
    "groq-api-key",
    "heroku-api-key-v2",
    "hubspot-private-app-token",
    "huggingface-token",
    "linear-api-key",
    "mailchimp-api-key",
    "mailgun-private-key",
    "mapbox-secret-token",
    "mongodb-url",
    "mysql-url",
    "netlify-token",
    "newrelic-user-key",
    "notion-token",
    "npm-access-token",
    "okta-api-token",
    "openai-project-key",
    "planetscale-password",
    "postgres-url",
    "pypi-upload-token",
    "redis-url",
    "replicate-api-token",
    "rubygems-api-key",
    "sendgrid-api-key",
    "sentry-user-token",
    "shopify-admin-token",
    "slack-bot-token",
    "slack-webhook-url",
    "square-access-token",
    "stripe-secret-key",
    "supabase-management-token",
    "telegram-bot-token",
    "terraform-cloud-token",
    "twilio-api-key-sid",
    "vault-service-token",
    "vercel-personal-access-token",
];

/// Writes each secret in two of the surroundings; returns the provider that each file must be blamed on, and
/// the secrets.
fn plant(sandbox: &Sandbox) -> (BTreeMap<String, String>, Vec<String>) {
    let rules = RuleSet::builtin();
    let mut state = 0x5EED_u64;
    let mut below = |bound: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 33) as usize % bound
    };
    let (mut expected, mut secrets) = (BTreeMap::new(), Vec::new());
    for (index, id) in RULES.iter().enumerate() {
        let rule = rules.get(id).unwrap_or_else(|| panic!("no rule {id}"));
        let shape = Shape::parse(&rule.shape).expect("built-in shapes are checked");
        let word =
            rule.keywords.iter().find(|word| word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'));
        let name = word.map_or("VALUE", |word| word);
        for round in [index, index + 5] {
            let surrounding = &surroundings::ALL[round % surroundings::ALL.len()];
            let secret = surroundings::sample(&shape, rule.checksum, &mut below);
            let path = format!("planted/{id}.{}", surrounding.extension);
            sandbox.write(&path, surrounding.fill(&Name::verbatim(name), &secret).0);
            expected.insert(path, rule.provider.clone());
            secrets.push(secret);
        }
    }
    (expected, secrets)
}

#[track_caller]
fn check(ran: Ran, mode: &str, expected: &BTreeMap<String, String>, secrets: &[String]) {
    let ran = ran.expect_code(1);
    let report = ran.json();
    let findings = report["findings"].as_array().expect("a list of findings");
    let missed: Vec<&String> = expected
        .iter()
        .filter(|(path, provider)| {
            !findings
                .iter()
                .any(|finding| finding["path"] == path.as_str() && finding["provider"] == provider.as_str())
        })
        .map(|(path, _)| path)
        .collect();
    assert!(missed.is_empty(), "{mode} missed {missed:?}");
    let output = format!("{}{}", ran.stdout, ran.stderr);
    assert!(secrets.iter().all(|secret| !output.contains(secret.as_str())), "{mode} shows a secret");
}

#[test]
fn the_most_leaked_secrets_are_found_in_every_mode() {
    let sandbox = Sandbox::repo();
    sandbox.commit_all("start");
    let (expected, secrets) = plant(&sandbox);
    let json = ["--format", "json"];
    check(sandbox.stanch(&[&["scan", "."], &json[..]].concat()), "scan", &expected, &secrets);
    sandbox.git(&["add", "--all", "--force"]);
    check(sandbox.stanch(&[&["staged"], &json[..]].concat()), "staged", &expected, &secrets);
    sandbox.git(&["commit", "--quiet", "--message", "planted"]);
    sandbox.git(&["rm", "-r", "--quiet", "planted"]);
    sandbox.git(&["commit", "--quiet", "--message", "removed"]);
    check(sandbox.stanch(&[&["history"], &json[..]].concat()), "history", &expected, &secrets);
    check(sandbox.stanch(&[&["history", "HEAD~1"], &json[..]].concat()), "one commit", &expected, &secrets);
}

#[test]
fn threads_change_nothing() {
    let sandbox = Sandbox::repo();
    plant(&sandbox);
    sandbox.commit_all("planted");
    for command in ["scan", "history"] {
        let one = sandbox.stanch(&[command, "--format", "json", "--threads", "1"]).expect_code(1);
        let many = sandbox.stanch(&[command, "--format", "json", "--threads", "7"]).expect_code(1);
        assert_eq!(one.stdout, many.stdout, "{command}");
    }
}

#[test]
fn files_that_are_secrets_are_found_by_name() {
    let sandbox = Sandbox::repo();
    sandbox.write("certs/server.p12", [0x30, 0x82, 0, 0, 1, 2]);
    sandbox.write(".aws/credentials", "[default]\n");
    sandbox.git(&["add", "--all"]);
    for command in ["scan", "staged"] {
        let report = sandbox.stanch(&[command, "--format", "json"]).expect_code(1).json();
        let ids: Vec<_> = report["findings"].as_array().unwrap().iter().map(|f| f["rule"].clone()).collect();
        assert_eq!(ids, ["aws-credentials-file", "pkcs12-key-store-file"], "{command}");
    }
    let held_back = sandbox.stanch(&["scan", "--format", "json", "--min-severity", "critical"]);
    let report = held_back.expect_code(1).json();
    assert_eq!(report["findings"].as_array().unwrap().len(), 1);
    assert_eq!(report["suppressed"]["below_threshold"], 1, "the key store is counted");
}
