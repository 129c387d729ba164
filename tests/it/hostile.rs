//! What strangers wrote: names, lines, authors and branches that try to steer a terminal, a spreadsheet, a page or a log,
//! links that lead a report elsewhere, and configuration that would accept what it leaks.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;

use bstr::ByteSlice;

use crate::support::{Ran, Sandbox, clickup_token, random_text};

/// What names and lines are made of.
const ATOMS: [&[u8]; 36] = [
    b"\x1b[2J\x1b]0;gone\x07",
    b"\x1b[8m",
    b"\x1bP+q\x1b\\",
    b"\x7f\x08\x08",
    b"\xc2\x9b31m",
    b"\x9b2J",
    "\u{202e}gnp.exe".as_bytes(),
    "\u{2066}\u{2069}\u{200f}".as_bytes(),
    "\u{200b}\u{feff}\u{ad}".as_bytes(),
    "\u{2028}\u{e0041}".as_bytes(),
    b"\r",
    b"\n",
    b"\n::error file=a::b",
    b"\n::stop-commands::x",
    b"::set-output name=x::y",
    b"%0A::warning::x%0D%25",
    b"\n##[section]x",
    b"x ##vso[task.complete]",
    b" ::stop-commands::x",
    b"=cmd|' /C calc'!A0",
    b"+1",
    b"-1",
    b"@SUM(1)",
    b"\t=1",
    b"\";=1,\"",
    b"<script>alert(1)<",
    b"\"><img src=x onerror=alert(1)>",
    b"'--><svg onload=1>",
    b"]]><x a='1'>&lt;&amp;",
    "\u{fffe}\u{ffff}".as_bytes(),
    b"\xff\xfe\xed\xa0\x80",
    b"${{ github.token }}$(touch planted)`touch planted`",
    b"a%2e%2e%ff?b#c",
    b"file:a b\\c",
    b"javascript:alert(1)",
    "\u{1f600}e\u{301}".as_bytes(),
];

fn mixed(seed: u64) -> Vec<u8> {
    let picks = random_text("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", 3, seed);
    let atom = |pick: u8| ATOMS[if pick < b'A' { pick - b'0' } else { pick - b'A' + 10 } as usize];
    picks.bytes().flat_map(|pick| atom(pick).iter().copied()).collect()
}

/// Names of files: every atom at the start of one, and mixtures.
fn names() -> BTreeSet<Vec<u8>> {
    let alone = ATOMS.iter().map(|atom| atom.to_vec());
    let name = |(number, text): (usize, Vec<u8>)| {
        [&text.replace(b"/", b"_")[..], format!("{number}.env").as_bytes()].concat()
    };
    alone.chain((0..30).map(mixed)).enumerate().map(name).collect()
}

/// A repository whose every text is hostile; a commit of it is made by a hostile author on a hostile branch.
fn repository() -> Sandbox {
    let sandbox = Sandbox::repo();
    for (number, name) in (0..).zip(names()) {
        let beside = String::from_utf8_lossy(ATOMS[number as usize % ATOMS.len()]).into_owned();
        let line = format!("{beside} key = \"{}\" {beside}\n", clickup_token(number));
        fs::write(sandbox.path().join(OsStr::from_bytes(&name)), line).expect("a written file");
    }
    sandbox.git(&["add", "--all"]);
    let commit = sandbox
        .command("git")
        .args(["commit", "--quiet", "--message"])
        .arg(OsStr::from_bytes(b"\x1b[2J\xe2\x80\xae ::error::x %0A <b> =1"))
        .env("GIT_AUTHOR_NAME", OsStr::from_bytes(b"=1\x1b[7m\xe2\x80\xaeEve::error::&'\"]]"))
        .env("GIT_AUTHOR_EMAIL", OsStr::from_bytes(b"+\x1b]0;x\x07@\xff&'\""))
        .output()
        .expect("git runs");
    assert!(commit.status.success(), "{commit:?}");
    sandbox.git(&["branch", "=\u{202e}<b>'\"&%0A-$(id)"]);
    sandbox.git(&["tag", "@\u{2066}tag;=1"]);
    sandbox
}

/// Whether a character steers or hides, told by a list of its own.
fn acts(character: char) -> bool {
    let number = u32::from(character);
    (number < 0x20 && character != '\n')
        || (0x7f..=0x9f).contains(&number)
        || [0xad, 0x61c, 0xfeff].contains(&number)
        || (0x200b..=0x200f).contains(&number)
        || (0x2028..=0x202e).contains(&number)
        || (0x2060..=0x2069).contains(&number)
        || (0xe0000..=0xe007f).contains(&number)
}

/// Nothing in either stream steers a terminal, and no line of either is a command to a runner.
#[track_caller]
fn is_tame(ran: &Ran, what: &str) {
    for (stream, text) in [("stdout", &ran.stdout), ("stderr", &ran.stderr)] {
        if let Some(at) = text.find(acts) {
            let from = text[..at].char_indices().rev().nth(40).map_or(0, |(at, _)| at);
            let around: String = text[from..].chars().take(80).collect();
            panic!("{what}: {stream} holds {around:?}");
        }
        // A form for machines is data; only what is for people and for GitHub is meant for a log.
        let is_data = what.contains("--format") && !what.contains("human") && !what.contains("github");
        let is_ours = what.contains("github");
        let is_command = |line: &&str| {
            let obeyed = ["##[", "##vso["].iter().any(|command| line.contains(command));
            obeyed || (!is_ours && line.trim_start().starts_with("::"))
        };
        if let Some(line) = text.lines().find(is_command).filter(|_| !is_data || stream == "stderr") {
            panic!("{what}: {stream} holds the command {line:?}");
        }
    }
}

const FORMATS: [&str; 9] = ["human", "json", "jsonl", "sarif", "gitlab", "junit", "csv", "github", "html"];

#[test]
fn no_command_lets_names_and_lines_steer_the_terminal() {
    let sandbox = repository();
    let names = names();
    let mut runs: Vec<(Vec<&OsStr>, i32)> = Vec::new();
    let words = |line: &'static str| line.split(' ').map(OsStr::new).collect::<Vec<_>>();
    for line in [
        "scan",
        "scan -v",
        "scan --quiet",
        "history",
        "history -v",
        "history --no-delta",
        "scan --show-secrets",
    ] {
        runs.push((words(line), 1));
    }
    for line in ["scan .", "history"] {
        for format in FORMATS.iter().filter(|format| **format != "csv") {
            runs.push(([words(line), vec![OsStr::new("--format"), OsStr::new(format)]].concat(), 1));
        }
    }
    runs.push((words("baseline create --baseline ../base"), 0));
    runs.push((words("hook status"), 1));
    runs.push((words("check"), 1));
    runs.push((words("config show"), 0));
    for name in names.iter().filter(|name| name.len() < 30) {
        let name = OsStr::from_bytes(name);
        runs.push((vec![OsStr::new("scan"), OsStr::new("--"), name], 1));
        runs.push((vec![OsStr::new("explain"), OsStr::new("--"), name], 1));
    }
    for (args, code) in runs {
        let output = sandbox.command(crate::support::stanch()).args(&args).output().expect("stanch runs");
        let ran = Ran::new(output);
        let what = format!("{args:?}");
        is_tame(&ran, &what);
        assert_eq!(ran.code, code, "{what}: {ran:?}");
        assert!(!ran.stdout.is_empty() || ran.code == 0, "{what}");
    }
    assert!(!sandbox.path().join("planted").exists(), "a command was run");
}

#[test]
fn no_error_repeats_a_hostile_argument_raw() {
    let sandbox = repository();
    let name = OsStr::from_bytes(b"\x1b[2J\x9b\xe2\x80\xae\n::error::x");
    let file = sandbox.path().join(name);
    fs::write(&file, "= \x1b[2J \u{202e} not toml\n::error::x\n").expect("a written file");
    for line in [
        "scan -- NAME/none",
        "scan --config NAME",
        "scan --config NAME/none",
        "scan --baseline NAME",
        "scan --rule NAME",
        "scan --format NAME",
        "scan --output NAME/none",
        "scan --NAME",
        "NAME/none NAME",
        "history NAME",
        "history NAME..HEAD",
        "explain -- NAME:1:1:1",
        "rules show NAME",
        "rules test NAME",
        "report NAME",
        "config check NAME",
        "baseline create --from NAME",
        "hook install --NAME",
        "stdin --path NAME --rule x",
    ] {
        let args: Vec<Vec<u8>> =
            line.split(' ').map(|word| word.as_bytes().replace("NAME", name.as_bytes())).collect();
        let args = args.iter().map(|word| OsStr::from_bytes(word));
        let ran =
            Ran::new(sandbox.command(crate::support::stanch()).args(args).output().expect("stanch runs"));
        is_tame(&ran, line);
        assert_eq!(ran.code, 2, "{line}: {ran:?}");
    }
}

/// The fields of each row, as RFC 4180 has them.
fn csv_rows(text: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut field) = (Vec::new(), Vec::new(), String::new());
    let (mut is_quoted, mut was_quoted) = (false, false);
    let mut rest = text.chars().peekable();
    while let Some(character) = rest.next() {
        match character {
            '"' if is_quoted && rest.peek() == Some(&'"') => field.extend(rest.next()),
            '"' if is_quoted => (is_quoted, was_quoted) = (false, true),
            '"' if field.is_empty() && !was_quoted => is_quoted = true,
            '"' => panic!("a quote in the middle of {field:?}"),
            ',' | '\n' if !is_quoted => {
                row.push(std::mem::take(&mut field).trim_end_matches('\r').to_owned());
                was_quoted = false;
                if character == '\n' {
                    rows.push(std::mem::take(&mut row));
                }
            }
            other => field.push(other),
        }
    }
    assert!(row.is_empty() && field.is_empty() && !is_quoted, "the last row is whole");
    rows
}

#[test]
fn a_spreadsheet_finds_no_formula() {
    let sandbox = repository();
    for mode in ["scan", "history"] {
        let ran = sandbox.stanch(&[mode, "--format", "csv"]).expect_code(1);
        assert!(!ran.stdout.replace("\r\n", "\n").contains(acts), "{mode}");
        let rows = csv_rows(&ran.stdout);
        assert_eq!(rows.len(), names().len() + 1, "{mode}");
        for row in &rows {
            assert_eq!(row.len(), rows[0].len(), "{mode}: {row:?}");
            for field in row {
                let is_formula = field.starts_with(['=', '+', '-', '@', '\t', '\r']);
                let is_number = field.parse::<f64>().is_ok();
                assert!(!is_formula || is_number, "{mode}: {field:?}");
            }
        }
    }
}

#[test]
fn a_page_has_no_element_and_no_script_that_a_name_brought() {
    let sandbox = repository();
    let empty = Sandbox::repo();
    empty.write("a.env", format!("key = {}\n", clickup_token(1)));
    empty.commit_all("first");
    for mode in ["scan", "history"] {
        let shape = |sandbox: &Sandbox| {
            let page = sandbox.stanch(&[mode, "--format", "html"]).expect_code(1).stdout;
            let mut shape = BTreeSet::new();
            for token in html5gum::Tokenizer::new(&page).flatten() {
                match token {
                    html5gum::Token::StartTag(tag) => {
                        let name = String::from_utf8_lossy(&tag.name).into_owned();
                        for (attribute, value) in &tag.attributes {
                            let attribute = String::from_utf8_lossy(attribute).into_owned();
                            let value = String::from_utf8_lossy(value).to_lowercase();
                            assert!(!attribute.starts_with("on"), "{name} {attribute}");
                            let addresses = ["href", "src", "action", "formaction", "data", "style"];
                            let is_harmless =
                                !addresses.contains(&&*attribute) || !value.contains("javascript:");
                            assert!(is_harmless, "{name} {attribute} {value}");
                            shape.insert(format!("{name} {attribute}"));
                        }
                        shape.insert(name);
                    }
                    html5gum::Token::Error(error) => panic!("{mode}: {error:?}"),
                    _ => {}
                }
            }
            let scripts = page.matches("<script").count();
            (shape, scripts)
        };
        let (hostile, plain) = (shape(&sandbox), shape(&empty));
        let brought: Vec<&String> = hostile.0.difference(&plain.0).collect();
        assert!(brought.is_empty(), "{mode}: {brought:?}");
        assert_eq!(hostile.1, plain.1, "{mode}: scripts");
    }
}

#[test]
fn junit_is_xml_and_every_name_stays_text() {
    let sandbox = repository();
    for mode in ["scan", "history"] {
        let text = sandbox.stanch(&[mode, "--format", "junit"]).expect_code(1).stdout;
        let document = roxmltree::Document::parse(&text).unwrap_or_else(|error| panic!("{mode}: {error}"));
        let elements: BTreeSet<&str> = document
            .descendants()
            .filter(|node| node.is_element())
            .map(|node| node.tag_name().name())
            .collect();
        let known = [
            "testsuites",
            "testsuite",
            "testcase",
            "failure",
            "error",
            "skipped",
            "system-out",
            "properties",
            "property",
        ];
        assert!(elements.iter().all(|name| known.contains(name)), "{mode}: {elements:?}");
        let failures = document.descendants().filter(|node| node.has_tag_name("failure")).count();
        assert_eq!(failures, names().len(), "{mode}");
    }
}

/// The bytes that a URI reference of unreserved characters and percent-encoded bytes names.
#[track_caller]
fn decoded(uri: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = uri.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let hex: String = rest.by_ref().take(2).map(char::from).collect();
            bytes.push(u8::from_str_radix(&hex, 16).unwrap_or_else(|_| panic!("%{hex} in {uri}")));
        } else {
            assert!(
                byte.is_ascii_graphic() && !b"<>\"\\^`{|}#?".contains(&byte),
                "{:?} in {uri}",
                byte as char
            );
            bytes.push(byte);
        }
    }
    bytes
}

#[test]
fn a_uri_names_the_file_to_the_byte() {
    let sandbox = repository();
    let names = names();
    for mode in ["scan", "history"] {
        let sarif = sandbox.stanch(&[mode, "--format", "sarif"]).expect_code(1).json();
        let results = sarif["runs"][0]["results"].as_array().expect("results");
        let found: BTreeSet<Vec<u8>> = results
            .iter()
            .map(|result| {
                let uri = &result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"];
                let uri = uri.as_str().expect("a URI");
                let first = uri.split('/').next().unwrap_or_default();
                assert!(!first.contains(':'), "{uri} has a scheme");
                decoded(uri.strip_prefix("./").unwrap_or(uri))
            })
            .collect();
        assert_eq!(found, names, "{mode}");
        let gitlab = sandbox.stanch(&[mode, "--format", "gitlab"]).expect_code(1).json();
        assert_eq!(gitlab["vulnerabilities"].as_array().expect("a list").len(), names.len(), "{mode}");
    }
}

#[test]
fn a_line_of_the_github_form_is_one_command_of_ours() {
    let sandbox = repository();
    for mode in ["scan", "history"] {
        let ran = sandbox.stanch(&[mode, "--format", "github"]).expect_code(1);
        let commands: Vec<&str> =
            ran.stdout.lines().filter(|line| line.trim_start().starts_with("::")).collect();
        let kinds = ["::error ", "::warning ", "::notice ", "::error::", "::warning::", "::notice::"];
        for command in &commands {
            assert!(kinds.iter().any(|kind| command.starts_with(kind)), "{command}");
            let (properties, _) = command[2..].split_once("::").expect("a message");
            let names = properties.split_once(' ').map_or("", |(_, properties)| properties).split(',');
            for property in names.filter(|property| !property.is_empty()) {
                let (name, value) = property.split_once('=').expect("a value");
                assert!(
                    ["file", "line", "endLine", "col", "endColumn", "title"].contains(&name),
                    "{command}"
                );
                assert!(!value.contains(':'), "{command}");
            }
        }
        let findings = commands.iter().filter(|line| line.contains("title=stanch%3A clickup")).count();
        assert_eq!(findings, names().len(), "{mode}: {}", ran.stdout);
    }
}

#[test]
fn no_link_in_a_repository_leads_a_report_out_of_it() {
    let sandbox = Sandbox::repo();
    sandbox.write("a.txt", "nothing\n");
    sandbox.commit_all("first");
    let outside = sandbox.outside().join("victim");
    fs::create_dir(&outside).expect("a directory");
    fs::write(outside.join("file"), "precious").expect("a file");
    fs::write(sandbox.path().join(".git/victim"), "precious").expect("a file");
    let at = |name: &str| sandbox.path().join(name);
    symlink(outside.join("file"), at("to-file")).expect("a link");
    symlink("../victim/file", at("to-file-relative")).expect("a link");
    symlink(outside.join("new"), at("to-nothing")).expect("a link");
    symlink(&outside, at("to-dir")).expect("a link");
    symlink(".git/victim", at("to-git")).expect("a link");
    symlink("to-file", at("to-link")).expect("a link");
    symlink("ring", at("ring")).expect("a link");
    fs::create_dir(at("sub")).expect("a directory");
    for name in [
        "to-file",
        "to-file-relative",
        "to-nothing",
        "to-dir/file",
        "to-dir/new",
        "to-git",
        "to-link",
        "ring",
        "sub/../to-file",
        "./to-file",
    ] {
        for option in ["--output", "--receipt"] {
            let ran = sandbox.stanch(&["scan", "a.txt", option, name]).expect_code(2);
            assert!(ran.stderr.contains(name.trim_start_matches("./")), "{name}: {}", ran.stderr);
            assert_eq!(fs::read_to_string(outside.join("file")).expect("a file"), "precious", "{name}");
            assert_eq!(fs::read_to_string(at(".git/victim")).expect("a file"), "precious", "{name}");
            assert!(!outside.join("new").exists(), "{name}");
        }
    }
    let ran = sandbox.stanch(&["scan", "a.txt", "--output", "to-file"]).expect_code(2);
    assert!(ran.stderr.contains("name that place itself"), "{}", ran.stderr);
    sandbox.write(".stanch.toml", "[audit]\nlog = \"to-dir/new\"\n");
    sandbox.stanch(&["scan", "a.txt"]).expect_code(2);
    assert!(!outside.join("new").exists());
    fs::remove_file(at(".stanch.toml")).expect("a file");
    // What the user names, and links that stay inside or lie elsewhere, are followed.
    let real = outside.join("file");
    sandbox.stanch(&["scan", "a.txt", "--output", real.to_str().expect("a path")]).expect_code(0);
    assert_ne!(fs::read_to_string(&real).expect("a file"), "precious");
    symlink("sub/report", at("to-sub")).expect("a link");
    sandbox.stanch(&["scan", "a.txt", "--output", "to-sub"]).expect_code(0);
    assert!(at("sub/report").is_file() && at("to-sub").is_symlink());
    let own = sandbox.outside().join("own");
    symlink(&outside, &own).expect("a link");
    sandbox.stanch(&["scan", "a.txt", "--output", own.join("mine").to_str().expect("a path")]).expect_code(0);
    assert!(outside.join("mine").is_file());
}

#[test]
fn a_strangers_configuration_accepts_nothing_when_it_does_not_count() {
    let token = clickup_token(7);
    let ours = "[[allow]]\nreason = \"everything\"\npaths = [\"*.env\"]\n";
    let gitleaks = "[extend]\nuseDefault = true\n[allowlist]\npaths = ['''.*''']\n";
    let disabled = "disabled_rules = [\"clickup-personal-token\"]\n";
    let sizes = "[scan]\nmax_file_bytes = 1\n";
    let severe = "[scan]\nmin_severity = \"critical\"\nmin_confidence = \"proven\"\n";
    let broken = "= no toml\n";
    for (name, text) in [
        (".stanch.toml", ours),
        (".gitleaks.toml", gitleaks),
        (".stanch.toml", disabled),
        (".stanch.toml", sizes),
        (".stanch.toml", severe),
        (".stanch.toml", broken),
        (".gitleaks.toml", broken),
    ] {
        let sandbox = Sandbox::repo();
        sandbox.write(name, text);
        sandbox.write("a.env", format!("key = {token}\n"));
        let staged = |args: &[&str]| sandbox.stanch(&[&["staged"], args].concat()).code;
        sandbox.git(&["add", "--all"]);
        let mut codes = vec![staged(&["--no-repo-config"])];
        let with = staged(&[]);
        sandbox.git(&["commit", "--quiet", "--message", "first"]);
        for args in [
            &["scan"][..],
            &["scan", "a.env"],
            &["history"],
            &["history", "--no-delta"],
            &["history", "HEAD"],
            &["check"],
            &["explain", "a.env"],
            &["baseline", "create", "--baseline", "../never"],
        ] {
            let ran = sandbox.stanch(&[args, &["--no-repo-config"]].concat());
            codes.push(if args[0] == "baseline" { 1 - ran.code } else { ran.code });
        }
        assert_eq!(codes, vec![1; codes.len()], "{name}: {text}");
        assert_ne!(with, 1, "the configuration counts without the option: {text}");
        let line = format!("key = {token}\n");
        let ran = sandbox.stanch_with_input(&["stdin", "--no-repo-config"], line.as_bytes());
        ran.expect_code(1);
        // What the user names counts.
        let own = sandbox.outside().join("own.toml");
        fs::write(&own, ours).expect("a file");
        let own = own.to_str().expect("a path");
        sandbox.stanch(&["scan", "--no-repo-config", "--config", own]).expect_code(0);
    }
}
