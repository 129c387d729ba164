//! Every format over one shared set of findings built in code.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bstr::BString;
use stanch::coverage::{Coverage, SkipReason, Suppressed};
use stanch::finding::{Confidence, Excerpt, Finding, Part, RuleInfo, Severity};
use stanch::fingerprint::Fingerprint;
use stanch::location::{CommitInfo, Exposure, Location, ObjectId, Origin, Reach};
use stanch::report::{Human, Json, JsonLines, Mode, Report, Reporter, Verbosity};
use stanch::secret::Secret;
use stanch::span::{ByteSpan, LineColumn};

use crate::support::{clickup_token, random_text};

/// What a report is made of, owned.
struct Fixture {
    findings: Vec<Finding>,
    coverage: Coverage,
    suppressed: Suppressed,
    notes: Vec<String>,
}

impl Fixture {
    fn report(&self) -> Report<'_> {
        Report {
            findings: &self.findings,
            coverage: &self.coverage,
            suppressed: &self.suppressed,
            notes: &self.notes,
            mode: Mode::History,
            config: Some(Path::new(".stanch.toml")),
            baseline: None,
            elapsed: Some(Duration::from_millis(1234)),
            show_secrets: false,
            version: "0.0.0",
        }
    }

    /// The plain secrets, which no report may hold.
    fn secrets(&self) -> Vec<String> {
        let plain = |secret: &Secret| String::from_utf8_lossy(secret.reveal()).into_owned();
        let parts = self.findings.iter().flat_map(|finding| &finding.parts).map(|part| plain(&part.secret));
        self.findings.iter().map(|finding| plain(&finding.secret)).chain(parts).collect()
    }
}

fn written(reporter: &dyn Reporter, report: &Report<'_>) -> String {
    let mut out = Vec::new();
    reporter.write(report, &mut out).expect("a Vec takes everything");
    String::from_utf8(out).expect("reports are UTF-8")
}

fn human(report: &Report<'_>) -> String {
    written(&Human::default(), report)
}

fn rule(id: &str, provider: &str, severity: Severity, revoke: Option<&str>) -> Arc<RuleInfo> {
    Arc::new(RuleInfo {
        id: id.to_owned(),
        provider: provider.to_owned(),
        description: format!("made-up credential of rule {id}"),
        severity,
        revoke: revoke.map(str::to_owned),
        reference: Some("https://example.org/docs".to_owned()),
    })
}

/// A finding on a line `before` + secret + `after`.
fn finding(
    rule: &Arc<RuleInfo>,
    path: impl Into<BString>,
    line: u64,
    secret: &str,
    around: (&str, &str),
) -> Finding {
    let secret = Secret::new(secret.as_bytes());
    let (before, after) = around;
    let start = before.len();
    let text = format!("{before}{}{after}", secret.redacted());
    let marked = start..start + secret.redacted().len();
    let column = start as u64 + 1;
    Finding {
        rule: Arc::clone(rule),
        confidence: Confidence::High,
        reason: "a shape that nothing else has".to_owned(),
        location: Location {
            path: path.into(),
            start: LineColumn { line, column },
            end: LineColumn { line, column: column + secret.len_bytes() as u64 },
            span: ByteSpan::new(100 + start, 100 + start + secret.len_bytes()),
            origin: Origin::File,
        },
        fingerprint: Fingerprint::new(&rule.id, &secret),
        secret,
        excerpt: Excerpt { text, secret: marked },
        exposure: None,
        parts: Vec::new(),
    }
}

fn object(digits: &str) -> ObjectId {
    digits.repeat(20).parse().expect("forty digits")
}

fn commit(digits: &str, time_seconds: i64, name: &[u8]) -> CommitInfo {
    CommitInfo {
        id: object(digits),
        author_name: name.into(),
        author_email: "ada@example.org".into(),
        time_seconds,
        offset_minutes: 120,
    }
}

fn fixture() -> Fixture {
    let token = rule(
        "acme-token",
        "Acme",
        Severity::Critical,
        Some("Settings > Tokens > Revoke (https://example.org/tokens)"),
    );
    let password = rule("generic-password", "", Severity::Medium, None);
    let hidden = random_text("abcdefghjkmnpqrstuvwxyz23456789", 24, 7);
    let mut findings = vec![
        finding(&token, "src/app.env", 3, &clickup_token(1), ("    TOKEN=", " # 漢字")),
        finding(&password, "src/app.env", 14, "hunter2!", ("\tname\u{202e}:\t\"漢", "\"\x1b[2J")),
        finding(&token, &b"a\x1b]0;gone\x07\xff/\xe2\x80\xaeb.txt"[..], 1, &hidden, ("", "")),
        finding(&token, "<message>", 2, &hidden, ("see ", " there")),
    ];
    let account = rule("acme-account", "Acme", Severity::Info, None);
    let other = finding(&account, "src/app.env", 4, &clickup_token(9), ("    ACCOUNT=", ""));
    findings[0].parts = vec![Part {
        rule: other.rule,
        location: other.location,
        secret: other.secret,
        fingerprint: other.fingerprint,
        excerpt: other.excerpt,
    }];
    findings[2].location.origin = Origin::Blob(object("3a"));
    findings[2].exposure = Some(Exposure {
        first: Some(commit("1b", 1_714_972_089, b"Ada \x1b[7mAuthor")),
        last: Some(commit("2c", 1_814_972_089, b"Bob \xff")),
        in_head: false,
        reached_by: [Reach::Remote, Reach::Stash].into(),
    });
    findings[3].location.origin = Origin::CommitMessage(object("2c"));
    findings[3].exposure = Some(Exposure {
        first: Some(commit("2c", i64::MAX, b"Ada")),
        last: Some(commit("2c", i64::MAX, b"Ada")),
        in_head: true,
        reached_by: [Reach::Head, Reach::Branch].into(),
    });
    let mut coverage =
        Coverage { files: 2, blobs: 1204, commits: 77, refs: 3, bytes: 1_234_567, ..Coverage::default() };
    coverage.skip("logo.png", SkipReason::Binary);
    coverage.skip("b\x1b.png", SkipReason::Binary);
    coverage.skip("dump.sql", SkipReason::TooLarge);
    Fixture {
        findings,
        coverage,
        suppressed: Suppressed { inline: 2, allowlist: 1, ..Suppressed::default() },
        notes: vec![".stanch.toml:4: this entry matches nothing".to_owned()],
    }
}

#[test]
fn human_format() {
    insta::assert_snapshot!(human(&fixture().report()));
}

#[test]
fn human_format_verbose_with_colours() {
    let form = Human { colour: true, verbosity: Verbosity::Verbose };
    let text = written(&form, &fixture().report());
    insta::assert_snapshot!(text.replace('\x1b', "ESC"));
}

#[test]
fn human_format_without_findings() {
    let mut fixture = fixture();
    fixture.findings.clear();
    insta::assert_snapshot!(human(&Report { elapsed: None, ..fixture.report() }));
    let quiet = Human { verbosity: Verbosity::Quiet, ..Human::default() };
    assert_eq!(written(&quiet, &fixture.report()), "");
}

#[test]
fn human_format_with_problems() {
    let mut fixture = fixture();
    fixture.findings.truncate(1);
    fixture.coverage.problem("src/\x1b[Hlocked", "cannot read: permission denied");
    let report = Report { mode: Mode::Staged, elapsed: Some(Duration::from_millis(7)), ..fixture.report() };
    insta::assert_snapshot!(human(&report));
    let quiet = written(&Human { verbosity: Verbosity::Quiet, ..Human::default() }, &report);
    assert!(
        quiet.contains("error: src/\\u{1b}[Hlocked: cannot read") && quiet.contains("acme-token"),
        "{quiet}"
    );
}

#[test]
fn json_format() {
    insta::assert_snapshot!(written(&Json, &fixture().report()));
}

#[test]
fn jsonl_format() {
    let fixture = fixture();
    let text = written(&JsonLines, &fixture.report());
    insta::assert_snapshot!(text);
    let lines: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).expect("every line is JSON")).collect();
    assert_eq!(lines.len(), fixture.findings.len() + 1);
    assert_eq!(lines.last().unwrap()["type"], "summary");
    assert_eq!(lines.last().unwrap()["finding_count"], fixture.findings.len());
}

#[test]
fn json_keeps_every_byte_of_a_path() {
    let fixture = fixture();
    let document: serde_json::Value = serde_json::from_str(&written(&Json, &fixture.report())).unwrap();
    let record = &document["findings"][2];
    let hex = record["path_bytes_hex"].as_str().unwrap();
    let bytes: Vec<u8> =
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect();
    assert_eq!(bytes, fixture.findings[2].location.path.as_slice());
    assert_eq!(record["path"], String::from_utf8_lossy(&bytes).as_ref());
    assert!(document["findings"][0].get("path_bytes_hex").is_none());
}

#[test]
fn no_format_shows_a_secret_wherever_it_stands() {
    let mut fixture = fixture();
    let secret = fixture.secrets().remove(0);
    fixture.findings[1].location.path = format!("logs/{secret}.txt").into();
    fixture.findings[1].reason = format!("beside {secret}");
    fixture.findings[2].exposure.as_mut().unwrap().first.as_mut().unwrap().author_name =
        secret.as_str().into();
    fixture.coverage.problem(format!("x/{secret}"), format!("cannot read {secret}"));
    fixture.coverage.skip(format!("{secret}.png"), SkipReason::Binary);
    fixture.notes.push(format!("entry {secret}"));
    let verbose = Human { colour: true, verbosity: Verbosity::Verbose };
    for reporter in [&Human::default() as &dyn Reporter, &verbose, &Json, &JsonLines] {
        let text = written(reporter, &fixture.report());
        for secret in fixture.secrets() {
            assert!(!text.contains(&secret), "a secret is shown");
        }
        assert!(text.contains("logs/pk_"), "the rest of the path is still there");
    }
}

#[test]
fn secrets_are_shown_when_asked_for_by_name() {
    let fixture = fixture();
    let report = Report { show_secrets: true, ..fixture.report() };
    for reporter in [&Human::default() as &dyn Reporter, &Json, &JsonLines] {
        let text = written(reporter, &report);
        for secret in fixture.secrets() {
            assert!(text.contains(&secret));
        }
    }
    let document: serde_json::Value = serde_json::from_str(&written(&Json, &report)).unwrap();
    assert_eq!(document["findings"][0]["secret"], fixture.secrets()[0].as_str());
    assert_eq!(document["findings"][0]["excerpt"], format!("    TOKEN={} # 漢字", fixture.secrets()[0]));
}

#[test]
fn nothing_steers_the_terminal() {
    let mut fixture = fixture();
    fixture.coverage.problem("x\u{9b}2J\u{202e}", "bad \x1b[31m thing");
    fixture.notes.push("note \x07".to_owned());
    for show_secrets in [false, true] {
        fixture.findings[1].secret = Secret::new(*b"hunter\x1b[2J\xc2\x9b\n");
        let verbose = Human { colour: false, verbosity: Verbosity::Verbose };
        for reporter in [&verbose as &dyn Reporter, &Json, &JsonLines] {
            let text = written(reporter, &Report { show_secrets, ..fixture.report() });
            let acting = text.chars().find(|&c| c != '\n' && stanch::report::text::is_hidden(c));
            assert_eq!(acting, None);
        }
    }
}
