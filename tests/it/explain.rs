//! `stanch explain`: the verdict is that of a scan, the reasons are those that decided, and no secret is shown.

use std::collections::BTreeSet;

use stanch::explain::{Decision, MatchRecord, Request, explain};
use stanch::filter::proof;
use stanch::finding::Severity;
use stanch::rule::RuleSet;
use stanch::rule::shape::Shape;
use stanch::scanner::{Policy, Scanner};
use stanch::source::stdin::Stdin;

use crate::support::{Ran, Sandbox, clickup_token};
use crate::surroundings::random;

/// Places in which values stand: `{w}` is a keyword of the rule, `{v}` the value.
const SURROUNDINGS: &[&str] = &[
    "{w} = \"{v}\"\n",
    "first\n{w}: {v}\nlast\n",
    "# {w}\n{\"password\": \"{v}\",\n \"{w}\": \"{v}\"}\n",
    "curl -H 'Authorization: Bearer {v}' https://api.{w}.com/\n",
    "export {w}_TOKEN={v}\r\nnext={v}\r\n",
    "{w}\n\n\n\n{v}\n",
    "x{v}\n{w} {v}x\n",
    "{w} = '{v}' # stanch:allow\n# stanch:allow generic-secret: made up\nsecret = '{v}'\n",
    "<{w}>{v}</{w}>\nsecret_key=changeme {v}@{v}\n",
    "{w}%3D{v}\\n{\\\"token\\\": \\\"{v}\\\"}\n",
];

/// A key of no known format, so that none stands whole in this file.
fn made_up() -> String {
    ["9fQ7aZ31", "kLm0PqRs55Tt"].concat()
}

/// Dummies and near misses, as they stand in real code: `{r}` is a value that looks real.
const DUMMIES: &[&str] = &[
    "password = \"changeme\"\napi_key = \"xxxxxxxxxxxxxxxxxxxxxxxx\"\n",
    "PASSWORD=${DB_PASSWORD}\nsecret: process.env.SECRET\n",
    "secret = '{r}'\npassword: user_password\ntoken_type: '{r}'\n",
    "integrity: sha512-{r}{r}{r}{r}==\n",
    "id = 123e4567-e89b-12d3-a456-426614174000\n\n\nkey = \"backgroundColor\"\n",
    "postgres://user:pass@localhost/db\npostgres://app:{r}@db.corp.example.com/db\n",
];

/// Asserts that the explanation of the text and of each line says what a scan finds; returns the findings.
fn compare(scanner: &Scanner, text: &str) -> usize {
    let outcome = scanner.scan_bytes("src/app.cfg".into(), text.as_bytes());
    let found: BTreeSet<(u64, u64, String)> = (outcome.findings.iter())
        .map(|finding| {
            let start = finding.location.start;
            (start.line, start.column, format!("{} {}", finding.rule.id, finding.reason))
        })
        .collect();
    let told = |line: Option<u64>| {
        let source = Stdin::new(text.as_bytes(), Some("src/app.cfg".into()));
        explain(scanner, &source, &Request { line, ..Request::default() })
    };
    let whole = told(None);
    let reported: BTreeSet<(u64, u64, String)> = whole
        .lines
        .iter()
        .flat_map(|line| &line.rules)
        .flat_map(|rule| &rule.matches)
        .filter(|found| found.decision == Decision::Reported)
        .map(|MatchRecord { line, column, rule, reason, .. }| (*line, *column, format!("{rule} {reason}")))
        .collect();
    assert_eq!(reported, found, "a scan and its explanation differ");
    assert_eq!(whole.is_reported, !found.is_empty());
    for line in 1..=text.lines().count() as u64 {
        let touches = |finding: &&stanch::finding::Finding| {
            let (start, end) = (finding.location.start, finding.location.end);
            // The end is the byte behind, which may be the first of the next line.
            let last = if end.column == 1 && end.line > start.line { end.line - 1 } else { end.line };
            (start.line..=last).contains(&line)
        };
        let explained = told(Some(line));
        let expected = outcome.findings.iter().any(|finding| touches(&finding));
        assert_eq!(explained.is_reported, expected, "line {line}: {}", explained.verdict);
        assert_eq!(explained.line_count, text.lines().count() as u64);
    }
    found.len()
}

#[test]
fn the_verdict_is_that_of_a_scan() {
    let strict = Policy { min_severity: Severity::High, ..Policy::default() };
    for (policy, every) in [(Policy::default(), 1), (strict, 7)] {
        let scanner = Scanner::new(RuleSet::builtin(), policy);
        let mut random = random(5);
        let mut found = 0;
        for (index, rule) in scanner.rules().rules().iter().enumerate().step_by(every) {
            if rule.shape.is_empty() {
                continue;
            }
            let shape = Shape::parse(&rule.shape).expect("built-in shapes are checked");
            let value = shape.sample(&mut random);
            // Half of those with a checksum get a wrong one.
            let value = match rule.checksum {
                Some(method) if index % 2 == 0 => proof::seal(method, &value),
                _ => value,
            };
            let value = String::from_utf8(value).expect("samples are ASCII");
            let word = rule.keywords.get(index % rule.keywords.len().max(1)).map_or("value", |word| word);
            let around = SURROUNDINGS[index % SURROUNDINGS.len()];
            found += compare(&scanner, &around.replace("{w}", word).replace("{v}", &value));
        }
        assert!(found * every > 800, "the texts hold findings: {found}");
        for dummy in DUMMIES {
            compare(&scanner, &dummy.replace("{r}", &made_up()));
        }
        let whole = DUMMIES.concat().replace("{r}", &made_up());
        assert!(compare(&scanner, &whole) > 0);
    }
}

#[test]
fn every_line_of_a_block_is_a_part_of_it() {
    let (begin, end) = ("BEGIN RSA PRIVATE KEY", "END RSA PRIVATE KEY");
    let row = "MIIEpAIBAAKCAQEAxK9vQ2mZr7LwT5yB8nD3fG6hJ1kP4sU0aE2cR9iO7uYtWq5z";
    let text = format!("text\n-----{begin}-----\n{row}\n{row}\n-----{end}-----\ntext\n");
    let policy = Policy { min_confidence: Some(stanch::finding::Confidence::Low), ..Policy::default() };
    let scanner = Scanner::new(RuleSet::builtin(), policy);
    compare(&scanner, &text);
    let source = Stdin::new(text.as_bytes(), None);
    let explained = explain(&scanner, &source, &Request { line: Some(3), ..Request::default() });
    let record = explained.lines.iter().flat_map(|line| &line.rules).find_map(|rule| rule.matches.first());
    assert_eq!(record.map(|record| record.line), Some(2), "{}", explained.verdict);
}

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::repo();
    let (token, key) = (clickup_token(7), made_up());
    sandbox.write(
        "src/app.py",
        format!(
            "import os\nTOKEN = \"{token}\"\n# stanch:allow generic-secret: made up\n\
             SECRET_KEY = \"{key}\"\npassword = \"changeme\"\nbad = \"x{token}\"\nhello = 1\n"
        ),
    );
    sandbox
}

#[track_caller]
fn says(ran: &Ran, parts: &[&str]) {
    for part in parts {
        assert!(ran.stdout.contains(part), "no `{part}` in:\n{}", ran.stdout);
    }
}

#[test]
fn a_line_is_explained_for_people() {
    let sandbox = sandbox();
    insta::assert_snapshot!(
        "explain-found",
        sandbox.stanch(&["explain", "src/app.py:2"]).expect_code(1).stdout
    );
    insta::assert_snapshot!(
        "explain-marker",
        sandbox.stanch(&["explain", "src/app.py:4"]).expect_code(0).stdout
    );
    let dummy = sandbox.stanch(&["explain", "src/app.py:5"]).expect_code(0);
    says(&dummy, &["generic-password", "a word that says it is a sample", "-9.00  nothing but common words"]);
    let longer = sandbox.stanch(&["explain", "src/app.py:6"]).expect_code(0);
    says(&longer, &["a letter stands directly before the value", "something fits the form of a rule"]);
    let nothing = sandbox.stanch(&["explain", "src/app.py:1"]).expect_code(0);
    says(&nothing, &["no literal and no keyword of a rule stands here"]);
    let whole = sandbox.stanch(&["explain", "src/app.py"]).expect_code(1);
    says(&whole, &["src/app.py:2", "src/app.py:6", "line 2: reported as clickup-personal-token"]);
}

#[test]
fn nothing_shows_the_secret() {
    let sandbox = sandbox();
    let token = clickup_token(7);
    sandbox.write("both.txt", format!("a = {token} # stanch:allow: {token}\nkey = x{token} {token}\n"));
    for file in ["src/app.py", "both.txt"] {
        for format in ["human", "json", "jsonl"] {
            for place in ["", ":1", ":2", ":4", ":5", ":6"] {
                let ran = sandbox.stanch(&["explain", &format!("{file}{place}"), "-v", "--format", format]);
                let text = format!("{}{}", ran.stdout, ran.stderr);
                for secret in [&token[12..], &made_up()[..12], "changeme"] {
                    assert!(
                        !text.contains(secret),
                        "{file}{place} {format}:\n{}",
                        text.replace(secret, "***")
                    );
                }
            }
        }
    }
    let shown = sandbox.stanch(&["explain", "src/app.py:2", "--show-secrets"]).expect_code(1);
    assert!(shown.stdout.contains(&token), "asked for by name it is shown");
    assert_eq!(
        sandbox.stanch(&["explain", "src/app.py:2", "--show-secrets", "--format", "json"]).json()["lines"][0]
            ["rules"][0]["matches"][0]["secret"],
        token
    );
}

#[test]
fn a_rule_says_why_it_did_not_look() {
    let sandbox = sandbox();
    let ask =
        |place: &str, rule: &str, code| sandbox.stanch(&["explain", place, "--rule", rule]).expect_code(code);
    says(
        &ask("src/app.py:7", "clickup-personal-token", 0),
        &["none of its literals `pk_` stands here", "line 6"],
    );
    says(&ask("src/app.py:7", "java-key-store-file", 0), &["names of files", "`*.jks`"]);
    says(&ask("src/app.py:2", "generic-secret", 0), &["clickup-personal-token says more", "+4.50  points"]);
    let keyed = ask("src/app.py:7", "algolia-admin-key", 0);
    says(&keyed, &["none of its keywords", "`algolia_api`", "stands within 120 bytes"]);
    let unknown = ask("src/app.py:7", "algolia-admn-key", 2);
    assert!(unknown.stderr.contains("did you mean `algolia-admin-key`?"), "{}", unknown.stderr);
    sandbox.write(".stanch.toml", "[rules]\ndisable = [\"jwt\"]\n");
    let disabled = ask("src/app.py:7", "jwt", 2);
    assert!(disabled.stderr.contains(".stanch.toml disables `jwt`"), "{}", disabled.stderr);
}

#[test]
fn the_configuration_has_its_say() {
    let sandbox = sandbox();
    sandbox.write(
        ".stanch.toml",
        "[[allow]]\nreason = \"a sandbox that is gone\"\nrules = [\"clickup-personal-token\"]\n",
    );
    let allowed = sandbox.stanch(&["explain", "src/app.py:2"]).expect_code(0);
    says(&allowed, &["the entry at .stanch.toml:1 accepts it: a sandbox that is gone"]);
    let low = ["explain", "src/app.py:2", "--no-config", "--min-severity", "critical"];
    sandbox.stanch(&low).expect_code(1);
    let proven = ["explain", "src/app.py:2", "--no-config", "--min-confidence", "proven"];
    says(&sandbox.stanch(&proven).expect_code(0), &["confidence high is below proven"]);
    let unmarked = ["explain", "src/app.py:4", "--no-inline-allow"];
    says(&sandbox.stanch(&unmarked).expect_code(1), &["reported as generic-secret"]);
}

#[test]
fn a_file_that_is_left_out_says_by_what() {
    let sandbox = sandbox();
    sandbox.write(".gitignore", "*.log\n\nbuild/\n");
    let line = format!("K={}\n", clickup_token(9));
    sandbox.write("build/out.env", &line);
    sandbox.write("sub/tracked.log", &line);
    sandbox.git(&["add", "--force", "sub/tracked.log"]);
    let ignored = sandbox.stanch(&["explain", "build/out.env:1"]).expect_code(1);
    says(&ignored, &["read only when it is named", ".gitignore:3: build/"]);
    let tracked = sandbox.stanch(&["explain", "sub/tracked.log:1"]).expect_code(1);
    assert!(!tracked.stdout.contains("read only"), "git commits it: {}", tracked.stdout);
    sandbox.write("data.bin", b"\0\0\x01");
    says(&sandbox.stanch(&["explain", "data.bin:9"]).expect_code(0), &["not read: it is binary"]);
    sandbox.write("store.p12", b"\0\0\x01");
    says(&sandbox.stanch(&["explain", "store.p12"]).expect_code(1), &["reported as pkcs12-key-store-file"]);
    let large = sandbox.stanch(&["explain", "build/out.env:1", "--max-file-bytes", "4"]).expect_code(0);
    says(&large, &["not read: it is larger than the limit"]);
    let git = sandbox.stanch(&["explain", ".git/config"]).expect_code(0);
    says(&git, &["no scan enters"]);
}

#[test]
fn what_cannot_be_explained_is_an_error() {
    let sandbox = sandbox();
    for (args, message) in [
        (&["explain", "src/app.py:99"][..], "src/app.py has 7 lines, there is no line 99"),
        (&["explain", "src/app.py:0"], "start at 1"),
        (&["explain", "no/such.py:3"], "cannot read no/such.py"),
        (&["explain", "src"], "is a directory"),
        (&["explain"], "required"),
    ] {
        let ran = sandbox.stanch(args).expect_code(2);
        assert!(ran.stderr.contains(message), "{args:?}: {}", ran.stderr);
    }
    sandbox.write("empty", "");
    let empty = sandbox.stanch(&["explain", "empty"]).expect_code(0);
    says(&empty, &["the file is empty"]);
    sandbox.stanch(&["explain", "empty:1"]).expect_code(2);
    let input = format!("one\nkey = {}\n", clickup_token(4));
    let ran = sandbox.stanch_with_input(&["explain", "-"], input.as_bytes()).expect_code(1);
    says(&ran, &["<stdin>:2", "reported as clickup-personal-token"]);
}

#[test]
fn a_column_and_a_name_with_a_colon_are_understood() {
    let sandbox = sandbox();
    sandbox.write("two.txt", format!("{} and {}\n", clickup_token(1), clickup_token(2)));
    let column = |column: &str| {
        let ran = sandbox.stanch(&["explain", &format!("two.txt:1:{column}"), "--format", "json"]);
        let json = ran.expect_code(1).json();
        json["lines"][0]["rules"]
            .as_array()
            .expect("rules")
            .iter()
            .filter(|rule| rule["rule"] == "clickup-personal-token")
            .map(|rule| rule["matches"].as_array().expect("matches").len())
            .sum::<usize>()
    };
    assert_eq!((column("5"), column("60")), (1, 1));
    let between = sandbox.stanch(&["explain", "two.txt:1:46"]).expect_code(0);
    says(&between, &["not reported"]);
    #[cfg(unix)]
    {
        sandbox.write("odd:7", "nothing\n");
        sandbox.stanch(&["explain", "odd:7"]).expect_code(0);
        sandbox.stanch(&["explain", "odd:7:1"]).expect_code(0);
        sandbox.stanch(&["explain", "odd:7:2"]).expect_code(2);
    }
}
