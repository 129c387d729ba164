//! Every format over one shared set of findings built in code.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bstr::BString;
use stanch::coverage::{Coverage, SkipReason, Suppressed};
use stanch::finding::{Confidence, Excerpt, Finding, Part, RuleInfo, Severity};
use stanch::fingerprint::Fingerprint;
use stanch::location::{CommitInfo, Exposure, Location, ObjectId, Origin, Reach};
use stanch::report::{
    Csv, Document, Github, Gitlab, Html, Human, Json, JsonLines, Junit, Mode, Report, Reporter, Sarif,
    Verbosity,
};
use stanch::secret::Secret;
use stanch::span::{ByteSpan, LineColumn};

use crate::support::{Sandbox, clickup_token, random_text};

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
            finished_seconds: Some(1_914_972_089),
            base: None,
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
    let warnings = reporter.write(&Document::new(report), &mut out).expect("a Vec takes everything");
    assert!(warnings.is_empty() || !report.is_complete(), "{warnings:?}");
    String::from_utf8(out).expect("reports are UTF-8")
}

/// Every form; the one for people in the two extremes of what it says.
fn all_forms() -> [(&'static str, Box<dyn Reporter>); 10] {
    [
        ("human", Box::new(Human::default())),
        ("verbose", Box::new(Human { colour: false, verbosity: Verbosity::Verbose })),
        ("json", Box::new(Json)),
        ("jsonl", Box::new(JsonLines)),
        ("sarif", Box::new(Sarif)),
        ("gitlab", Box::new(Gitlab)),
        ("junit", Box::new(Junit)),
        ("csv", Box::new(Csv)),
        ("github", Box::new(Github)),
        ("html", Box::new(Html)),
    ]
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
    // Once more on its own line, where no rule looked.
    fixture.findings[0].excerpt.text.push_str(&secret);
    for (name, reporter) in all_forms() {
        let text = written(reporter.as_ref(), &fixture.report());
        for secret in fixture.secrets() {
            assert!(!text.contains(&secret), "a secret is shown in the form {name}");
        }
        assert!(text.contains("logs/pk_"), "the rest of the path is still there in the form {name}");
    }
}

#[test]
fn all_forms_tell_the_same_findings_in_the_same_order() {
    let mut fixture = fixture();
    // Words that no form escapes, one for each finding.
    let words: Vec<String> = (0..fixture.findings.len()).map(|at| format!("place{at}x")).collect();
    for (finding, word) in fixture.findings.iter_mut().zip(&words) {
        finding.location.path = format!("{word}.txt").into();
    }
    for (name, reporter) in all_forms() {
        let text = written(reporter.as_ref(), &fixture.report());
        // A page has a timeline before its findings, by time.
        let list = text.find("id=\"findings\"").map_or(&*text, |start| &text[start..]);
        let places: Vec<Option<usize>> = words.iter().map(|word| list.find(word.as_str())).collect();
        assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{name}: {places:?}");
    }
}

#[test]
fn secrets_are_shown_when_asked_for_by_name() {
    let fixture = fixture();
    let report = Report { show_secrets: true, ..fixture.report() };
    for (name, reporter) in all_forms() {
        let text = written(reporter.as_ref(), &report);
        for finding in &fixture.findings {
            let secret = String::from_utf8_lossy(finding.secret.reveal());
            assert!(text.contains(&*secret), "{name}");
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
        for (name, reporter) in all_forms() {
            let text = written(reporter.as_ref(), &Report { show_secrets, ..fixture.report() });
            // Lines of CSV end in CR LF.
            let acting = text.replace("\r\n", "\n");
            let acting = acting.chars().find(|&c| c != '\n' && stanch::report::text::is_hidden(c));
            assert_eq!(acting, None, "{name}");
        }
    }
}

/// The forms of others, each with its problem and its note.
fn incomplete(fixture: &mut Fixture) -> Report<'_> {
    fixture.coverage.problem("src/\x1b[Hlocked", "cannot read: permission denied");
    fixture.report()
}

#[test]
fn sarif_format() {
    insta::assert_snapshot!(written(&Sarif, &incomplete(&mut fixture())));
}

#[test]
fn gitlab_format() {
    insta::assert_snapshot!(written(&Gitlab, &incomplete(&mut fixture())));
}

#[test]
fn junit_format() {
    insta::assert_snapshot!(written(&Junit, &incomplete(&mut fixture())));
}

#[test]
fn csv_format() {
    let text = written(&Csv, &incomplete(&mut fixture()));
    assert_eq!(text.matches("\r\n").count(), text.matches('\n').count(), "RFC 4180 ends lines so");
    insta::assert_snapshot!(text.replace("\r\n", "\n"));
}

#[test]
fn github_format() {
    insta::assert_snapshot!(written(&Github, &incomplete(&mut fixture())));
}

#[test]
fn sarif_fingerprints_tell_places_apart_and_stay() {
    let mut fixture = fixture();
    let again = fixture.findings[0].clone();
    fixture.findings.insert(1, again);
    let log: serde_json::Value = serde_json::from_str(&written(&Sarif, &fixture.report())).unwrap();
    let hashes: Vec<&str> = log["runs"][0]["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|result| result["partialFingerprints"]["primaryLocationLineHash"].as_str().unwrap())
        .collect();
    let print = fixture.findings[0].fingerprint;
    assert_eq!(hashes[..2], [format!("{print}:1"), format!("{print}:2")]);
    assert_eq!(hashes[3], format!("{}:1", fixture.findings[3].fingerprint), "another path counts for itself");

    // The line moves, the commit is another, and the place is the same.
    fixture.findings[0].location.start.line += 40;
    fixture.findings[3].exposure.as_mut().unwrap().first = None;
    let moved: serde_json::Value = serde_json::from_str(&written(&Sarif, &fixture.report())).unwrap();
    let results = moved["runs"][0]["results"].as_array().unwrap();
    for (result, hash) in results.iter().zip(hashes) {
        assert_eq!(result["partialFingerprints"]["primaryLocationLineHash"], hash);
    }
}

#[test]
fn a_column_of_sarif_counts_characters_or_is_left_out() {
    let rule = rule("acme-token", "Acme", Severity::High, None);
    let token = clickup_token(3);
    let mut fixture = fixture();
    let mut shortened = finding(&rule, "c", 1, &token, ("…tail of a long line ", ""));
    shortened.location.start.column = 400;
    fixture.findings = vec![
        finding(&rule, "a", 1, &token, ("key = ", "")),
        finding(&rule, "b", 1, &token, ("漢字 = ", "")),
        shortened,
    ];
    let log: serde_json::Value = serde_json::from_str(&written(&Sarif, &fixture.report())).unwrap();
    let columns: Vec<_> = (0..3)
        .map(|at| {
            let result = &log["runs"][0]["results"][at];
            result["locations"][0]["physicalLocation"]["region"]["startColumn"].as_u64()
        })
        .collect();
    assert_eq!(columns, [Some(7), Some(6), None]);
}

#[test]
fn limits_of_code_scanning_hold_and_are_said() {
    let mut fixture = fixture();
    let [low, high] =
        [Severity::Low, Severity::Critical].map(|severity| rule("acme-token", "Acme", severity, None));
    let plain = finding(&low, "x", 1, &clickup_token(1), ("", ""));
    fixture.findings = (0..25_010_u64)
        .map(|line| {
            let mut one = plain.clone();
            one.location.start.line = line + 1;
            one.location.end.line = line + 1;
            if line % 5_000 == 4_999 {
                one.rule = Arc::clone(&high);
            }
            one
        })
        .collect();
    let mut out = Vec::new();
    let warnings = Sarif.write(&Document::new(&fixture.report()), &mut out).unwrap();
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    assert!(warnings[0].contains("10 findings of 25010 left out"), "{warnings:?}");
    assert!(warnings[1].contains("5000 most severe"), "{warnings:?}");
    let log: serde_json::Value = serde_json::from_slice(&out).unwrap();
    let results = log["runs"][0]["results"].as_array().unwrap();
    assert_eq!(results.len(), 25_000);
    assert_eq!(results.iter().filter(|result| result["level"] == "error").count(), 5, "the worst are kept");
    let lines: Vec<u64> = results
        .iter()
        .map(|result| result["locations"][0]["physicalLocation"]["region"]["startLine"].as_u64().unwrap())
        .collect();
    assert!(lines.is_sorted(), "in their order");
    let notifications = &log["runs"][0]["invocations"][0]["toolExecutionNotifications"];
    let said: Vec<&str> = notifications
        .as_array()
        .unwrap()
        .iter()
        .filter(|notification| notification["level"] == "warning")
        .map(|notification| notification["message"]["text"].as_str().unwrap())
        .collect();
    assert_eq!(said, warnings);

    let warnings = Github.write(&Document::new(&fixture.report()), &mut Vec::new()).unwrap();
    assert!(warnings.iter().any(|warning| warning.contains("25005 annotations are notices")), "{warnings:?}");
}

#[test]
fn a_run_without_findings_is_a_test_that_passes() {
    let mut fixture = fixture();
    fixture.findings.clear();
    let text = written(&Junit, &fixture.report());
    assert!(
        text.contains("tests=\"1\" failures=\"0\" errors=\"0\"") && text.contains("no secrets found"),
        "{text}"
    );
    let text = written(&Junit, &incomplete(&mut fixture));
    assert!(text.contains("tests=\"1\" failures=\"0\" errors=\"1\""), "{text}");
}

#[test]
fn no_text_is_a_command_of_the_log() {
    let mut fixture = fixture();
    fixture.findings[0].location.path = "a,line=1::b%\n::error::gone.txt".into();
    fixture.findings[0].reason = "100% sure\r\n::stop-commands::x".to_owned();
    let text = written(&Github, &fixture.report());
    let first = text.lines().next().unwrap();
    assert!(
        first.starts_with("::error file=a%2Cline=1%3A%3Ab%25%0A%3A%3Aerror%3A%3Agone.txt,line=3,"),
        "{first}"
    );
    assert_eq!(text.lines().count(), fixture.findings.len() + 1);
    assert!(first.contains("100%25 sure"), "{first}");
}

/// The page without its style and its script, which have files of their own to be read in.
fn page_text(page: &str) -> String {
    let mut text = page.to_owned();
    for (open, close) in [("<style>", "</style>"), ("<script>", "</script>")] {
        let (start, end) = (text.find(open).expect(open) + open.len(), text.find(close).expect(close));
        text.replace_range(start..end, "…");
    }
    text
}

#[test]
fn html_format() {
    let page = page_text(&written(&Html, &incomplete(&mut fixture())));
    // The hashes change with the style and the script; another test works them out.
    let hash = regex::Regex::new("sha256-[A-Za-z0-9+/=]+").unwrap();
    insta::assert_snapshot!(hash.replace_all(&page, "sha256-…"));
}

#[test]
fn html_without_findings() {
    let mut fixture = fixture();
    fixture.findings.clear();
    let page = written(&Html, &fixture.report());
    assert!(page.contains("No secrets found") && !page.contains("<details class=\"finding"), "{page}");
    let page = written(&Html, &incomplete(&mut fixture));
    assert!(page.contains("this is no all-clear") && page.contains("permission denied"), "{page}");
    assert!(!page.contains("No secrets found"), "{page}");
}

#[test]
fn the_page_loads_nothing_and_runs_nothing_but_its_own_script() {
    use sha2::{Digest, Sha256};
    let mut fixture = fixture();
    let attack = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>&lt;";
    fixture.findings[0].location.path = attack.into();
    fixture.findings[0].reason = attack.to_owned();
    fixture.findings[0].excerpt = Excerpt { text: attack.to_owned(), secret: 2..9 };
    let mut rule = (*fixture.findings[1].rule).clone();
    rule.id = attack.to_owned();
    rule.provider = attack.to_owned();
    rule.description = attack.to_owned();
    rule.revoke = Some(attack.to_owned());
    rule.reference = Some(format!("https://example.org/{attack}"));
    fixture.findings[1].rule = Arc::new(rule.clone());
    rule.reference = Some("javascript:alert(1)".to_owned());
    fixture.findings[3].rule = Arc::new(rule);
    fixture.findings[2].exposure.as_mut().unwrap().first.as_mut().unwrap().author_name = attack.into();
    fixture.findings[2].exposure.as_mut().unwrap().last.as_mut().unwrap().author_email = attack.into();
    fixture.coverage.problem(attack, attack);
    fixture.coverage.skip(attack, SkipReason::Binary);
    fixture.notes.push(attack.to_owned());
    let page = written(&Html, &Report { config: Some(Path::new(attack)), ..fixture.report() });

    let between = |open: &str, close: &str| {
        let start = page.find(open).expect(open) + open.len();
        &page[start..start + page[start..].find(close).expect(close)]
    };
    for (tag, directive) in [("style", "style-src"), ("script", "script-src")] {
        let text = between(&format!("<{tag}>"), &format!("</{tag}>"));
        let hash = data_encoding::BASE64.encode(&Sha256::digest(text.as_bytes()));
        assert!(page.contains(&format!("{directive} 'sha256-{hash}'")), "the policy names the {tag}");
    }
    assert!(between("Security-Policy\" content=\"", "\"").starts_with("default-src 'none';"));
    let text = page_text(&page);
    assert!(!text.contains("<script>alert") && !text.contains("<img"), "{text}");
    assert_eq!(text.matches("<script").count(), 1);
    for loading in [" src=", "url(", "@import", " style=", " onclick", "javascript:", "<link", "<iframe"] {
        // As escaped text it stands there; anywhere else it would be markup.
        let markup = text.replace("&lt;img src=x onerror=alert(1)&gt;", "");
        assert!(!markup.contains(loading), "{loading}");
    }
    assert!(!between("<style>", "</style>").contains("url("));
    // Every tag that is opened is closed, in order.
    let tag = regex::Regex::new("<(/?)([a-z][a-z0-9]*)((?:[^>\"]|\"[^\"]*\")*)>").unwrap();
    let mut open: Vec<&str> = Vec::new();
    for found in tag.captures_iter(&text) {
        let name = found.get(2).unwrap().as_str();
        if &found[1] == "/" {
            assert_eq!(open.pop(), Some(name));
        } else if !found[3].ends_with('/') && !["meta", "input"].contains(&name) {
            open.push(name);
        }
    }
    assert!(open.is_empty(), "{open:?}");
}

#[test]
fn a_page_of_files_has_no_history() {
    let mut fixture = fixture();
    fixture.findings.truncate(2);
    let page = written(&Html, &Report { mode: Mode::Scan, ..fixture.report() });
    assert!(
        page.contains("By file") && !page.contains("Timeline of exposure") && !page.contains("By author")
    );
}

/// Every place of a number in a report.
fn numbers(value: &serde_json::Value, place: &str, found: &mut Vec<String>) {
    match value {
        serde_json::Value::Number(_) => found.push(place.to_owned()),
        serde_json::Value::Array(list) => {
            list.iter().enumerate().for_each(|(at, value)| numbers(value, &format!("{place}/{at}"), found))
        }
        serde_json::Value::Object(fields) => fields
            .iter()
            .for_each(|(name, value)| numbers(value, &format!("{place}/{}", name.replace('/', "~1")), found)),
        _ => {}
    }
}

#[test]
fn no_number_of_a_report_that_is_read_breaks_a_form() {
    let plain: serde_json::Value = serde_json::from_str(&written(&Json, &fixture().report())).unwrap();
    let mut places = Vec::new();
    numbers(&plain, "", &mut places);
    let mut tried = 0;
    for place in places {
        for number in [serde_json::json!(0), serde_json::json!(u64::MAX), serde_json::json!(i64::MIN)] {
            let mut wrong = plain.clone();
            *wrong.pointer_mut(&place).expect("a place of the report") = number;
            // What is no report is refused, and that is as good.
            let Ok(document) = stanch::report::read(wrong.to_string().as_bytes()) else { continue };
            tried += 1;
            let merged = stanch::report::merge(vec![(None, document.clone()), (None, document)], "0.0.0");
            for (_, reporter) in all_forms() {
                reporter.write(&merged, &mut Vec::new()).expect("a Vec takes everything");
            }
        }
    }
    assert!(tried > 50, "{tried}");
}

#[test]
fn what_is_read_is_what_was_written() {
    let mut fixture = fixture();
    let report = incomplete(&mut fixture);
    let document = Document { clock: Default::default(), ..Document::new(&report) };
    for reporter in [&Json as &dyn Reporter, &JsonLines] {
        let text = written(reporter, &report);
        assert_eq!(stanch::report::read(text.as_bytes()).unwrap(), document);
    }
}

/// A rule may end at a blank that the password holds.
#[test]
fn the_rest_of_a_quoted_secret_is_hidden_too() {
    let sandbox = Sandbox::new();
    let (first, rest) = ("A7kQ2-98mZ/3vX", "R4wPXHHjmN3LW");
    sandbox.write("app.py", format!("app.secret_key = '{first} {rest}'  # local\n"));
    for format in ["human", "json", "jsonl", "sarif", "gitlab", "junit", "csv", "github", "html"] {
        let ran = sandbox.stanch(&["scan", "--min-confidence", "low", "--format", format]).expect_code(1);
        assert!(!ran.stdout.contains(first) && !ran.stdout.contains(rest), "{format}: {}", ran.stdout);
    }
    let ran = sandbox.stanch(&["scan", "--min-confidence", "low", "--format", "json"]).expect_code(1);
    assert_eq!(ran.json()["findings"][0]["excerpt"], "app.secret_key = '…[14 bytes]…'  # local");
}
