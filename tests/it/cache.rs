//! `history --cache`: a second audit reads what is new and finds what a first one would.

use std::fs;
use std::path::{Path, PathBuf};

use data_encoding::BASE64;
use stanch::finding::Confidence;
use stanch::rule::RuleSet;
use stanch::scanner::{Outcome, Policy, Scanner};
use stanch::source::history::{History, Options};

use crate::dice::Dice;
use crate::support::{Sandbox, clickup_token, random_text};

const ACME: &str = "[[rule]]\nid = \"acme-key\"\ndescription = \"Acme key\"\nkind = \"prefixed\"\n\
                    severity = \"high\"\nshape = '\"acme_\" LOWER{12}'\n";

fn scanner(has_acme: bool) -> Scanner {
    let rules = RuleSet::builtin();
    let rules = if has_acme { rules.with_custom(ACME, "acme.toml").expect("a good rule") } else { rules };
    Scanner::new(rules, Policy::default())
}

/// What the audit came to, and what is noted of the cache.
fn audit(dir: &Path, scanner: &Scanner, is_cached: bool) -> (Outcome, Vec<String>) {
    let cache = is_cached.then(|| scanner.digest());
    let history = History::open(dir, Options { cache, ..Options::default() }).expect("a repository");
    let outcome = scanner.scan(&history, 2);
    (outcome, history.keep().to_vec())
}

/// Audits with the cache and without it; asserts that both tell the same.
#[track_caller]
fn both_ways(dir: &Path, scanner: &Scanner, what: &str) -> Outcome {
    let (plain, _) = audit(dir, scanner, false);
    let (cached, notes) = audit(dir, scanner, true);
    assert_eq!(notes, [""; 0], "{what}");
    assert_eq!(format!("{:#?}", cached.findings), format!("{:#?}", plain.findings), "{what}");
    assert_eq!(cached.suppressed, plain.suppressed, "{what}");
    assert!(cached.accepted == plain.accepted, "{what}: what was accepted");
    assert!(cached.sightings == plain.sightings, "{what}: where it stands");
    assert_eq!(cached.coverage.problems, plain.coverage.problems, "{what}");
    assert_eq!(cached.coverage.skipped, plain.coverage.skipped, "{what}");
    assert_eq!(plain.coverage.known_clean, 0, "{what}");
    cached
}

fn cache_files(sandbox: &Sandbox) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(sandbox.path().join(".git/stanch")) else { return Vec::new() };
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    files
}

/// A line of a file: mostly text, now and then something to find, to accept or to doubt.
fn line(dice: &mut Dice) -> String {
    let seed = dice.roll(1 << 30) as u64;
    match dice.roll(30) {
        0 => format!("token = {}", clickup_token(seed)),
        1 => format!("key: acme_{}", random_text("abcdefghijklmnopqrstuvwxyz", 12, seed)),
        2 => format!("db_password: \"{}\"", random_text("abcdefghjkmnpqrstuvwxyz23456789", 9, seed)),
        3 => format!("token = {} # stanch:allow: a test", clickup_token(seed)),
        4 => format!("blob: {}", BASE64.encode(format!("token = {}\n", clickup_token(seed)).as_bytes())),
        _ => random_text("abcdefghij klmnop qrs tuvwx yz.,=:()", 20 + dice.roll(60), seed),
    }
}

/// Changes some files and commits, or changes how and whether objects are stored.
fn act(sandbox: &Sandbox, dice: &mut Dice, files: &mut [Vec<String>], number: usize) -> String {
    match dice.roll(14) {
        0 => sandbox.git(&["repack", "-adfq", "--depth=20", "--window=20"]),
        1 => sandbox.git(&["repack", "-dq"]),
        2 => sandbox.git(&["gc", "--quiet", "--prune=now"]),
        3 => {
            sandbox.git(&["reflog", "expire", "--expire=now", "--all"]);
            sandbox.git(&["gc", "--quiet", "--prune=now"])
        }
        4 => sandbox.git(&["tag", "--force", "-m", &line(dice), &format!("v{}", number % 3)]),
        5 if sandbox.git(&["rev-list", "--count", "HEAD"]).trim() != "1" => {
            sandbox.git(&["reset", "--quiet", "--hard", "HEAD~1"])
        }
        9 => {
            sandbox.write("dir1/amended.txt", line(dice));
            sandbox.git(&["add", "--all"]);
            sandbox.git(&["commit", "--quiet", "--amend", "-m", &line(dice)])
        }
        10 => sandbox.git(&["branch", "--force", &format!("side{}", number % 2)]),
        11 => {
            // The one that there is may lead to what nothing else does.
            let refs = sandbox.git(&["for-each-ref", "--format=%(refname)", "refs/heads/side*", "refs/tags"]);
            match refs.lines().nth(number % 2) {
                Some(name) => sandbox.git(&["update-ref", "-d", name]),
                None => String::new(),
            }
        }
        12 => {
            sandbox.write("dir0/file0.txt", line(dice));
            sandbox.git(&["stash", "push", "--quiet", "--include-untracked"])
        }
        13 => match sandbox.git(&["stash", "list"]).is_empty() {
            true => String::new(),
            false => sandbox.git(&["stash", "drop", "--quiet"]),
        },
        6 => {
            sandbox.write("bin", [&[0, 1, 2][..], number.to_string().as_bytes()].concat());
            sandbox.commit_all("binary");
            String::new()
        }
        _ => {
            for _ in 0..3 {
                let at = dice.roll(files.len());
                let place = dice.roll(files[at].len());
                files[at].insert(place, line(dice));
                sandbox.write(&format!("dir{}/file{at}.txt", at % 2), files[at].join("\n"));
            }
            sandbox.commit_all(&line(dice));
            String::new()
        }
    }
}

#[test]
fn random_histories_tell_the_same() {
    // The policy decides what is read again, and has no cache of its own.
    let strict = Policy { min_confidence: Some(Confidence::Proven), ..Policy::default() };
    let open = Policy { min_confidence: Some(Confidence::Low), inline_allow: false, ..Policy::default() };
    let [strict, open] = [strict, open].map(|policy| Scanner::new(RuleSet::builtin(), policy));
    let scanners = [scanner(false), scanner(true), strict, open];
    for seed in 0..5 {
        let sandbox = Sandbox::repo();
        let mut dice = Dice::new(seed * 97 + 1);
        let mut files: Vec<Vec<String>> =
            (0..4).map(|_| (0..40).map(|_| line(&mut dice)).collect()).collect();
        sandbox.commit_all("start");
        let mut known = 0;
        for number in 0..30 {
            act(&sandbox, &mut dice, &mut files, number);
            if dice.roll(3) > 0 {
                let scanner = &scanners[dice.roll(6).saturating_sub(2)];
                let outcome = both_ways(&sandbox.path(), scanner, &format!("seed {seed}, step {number}"));
                known += outcome.coverage.known_clean;
            }
        }
        assert!(known > 0, "seed {seed}: the cache was of no use");
    }
}

/// A repository with clean commits and one secret.
fn audited() -> Sandbox {
    let sandbox = Sandbox::repo();
    for number in 0..10 {
        sandbox.write("clean.txt", format!("{number}\n{}\n", "words and more words\n".repeat(20)));
        sandbox.commit_all("clean");
    }
    sandbox.write("found.txt", clickup_token(1));
    sandbox.commit_all("found");
    let first = sandbox.stanch(&["history", "--cache", "--format", "json"]).expect_code(1).json();
    assert_eq!(first["coverage"]["known_clean"], 0);
    assert_eq!(first["coverage"]["blobs"], 11);
    sandbox
}

#[test]
fn only_what_is_new_or_was_found_is_read_again() {
    let sandbox = audited();
    for storage in ["loose", "packed"] {
        let again = sandbox.stanch(&["history", "--cache", "--format", "json"]).expect_code(1).json();
        assert_eq!(again["coverage"]["known_clean"], 10 + 11, "{storage}: blobs and messages");
        assert_eq!(again["coverage"]["blobs"], 1, "{storage}");
        assert_eq!(again["coverage"]["commits"], 0, "{storage}");
        let plain = sandbox.stanch(&["history", "--format", "json"]).expect_code(1).json();
        assert_eq!(again["findings"], plain["findings"], "{storage}");
        sandbox.git(&["gc", "--quiet"]);
    }
    let shown = sandbox.stanch(&["history", "--cache"]).expect_code(1).stdout;
    assert!(shown.contains("21 known clean from the cache"), "{shown}");
}

#[test]
fn without_the_option_nothing_is_kept() {
    let sandbox = Sandbox::repo();
    sandbox.commit_all("start");
    sandbox.stanch(&["history"]).expect_code(0);
    assert!(cache_files(&sandbox).is_empty());
    for other in ["HEAD", "--no-delta", "--reachable-only"] {
        sandbox.stanch(&["history", "--cache", other]).expect_code(2);
    }
}

/// What every other run knows to be there can be gone in the next one.
#[test]
fn a_known_object_that_is_gone_is_missing() {
    let sandbox = audited();
    let blob = sandbox.git(&["rev-parse", "HEAD:clean.txt"]);
    fs::remove_file(sandbox.path().join(".git/objects").join(&blob[..2]).join(&blob[2..]))
        .expect("it was loose");
    for _ in 0..2 {
        let ran = sandbox.stanch(&["history", "--cache", "--format", "json"]).expect_code(2).json();
        assert_eq!(ran["coverage"]["problems"][0]["name"], blob.as_str(), "{ran}");
    }
}

#[test]
fn a_cache_that_cannot_be_used_is_replaced() {
    let sandbox = audited();
    let [file] = &cache_files(&sandbox)[..] else { panic!("one file") };
    let good = fs::read(file).expect("a cache");
    let mut flipped = good.clone();
    flipped[100] ^= 4;
    for (bytes, what) in [
        (&b"something else"[..], "is no cache"),
        (&good[..good.len() / 2], "is damaged"),
        (&flipped, "is damaged"),
        (b"", "is no cache"),
    ] {
        fs::write(file, bytes).expect("a written file");
        let ran = sandbox.stanch(&["history", "--cache", "--format", "json"]).expect_code(1).json();
        let note = ran["notes"][0].as_str().expect("a note");
        assert!(note.contains(what) && note.contains("everything is searched"), "{note}");
        assert_eq!((&ran["coverage"]["known_clean"], &ran["coverage"]["blobs"]), (&0.into(), &11.into()));
        assert_eq!(fs::read(file).expect("a cache"), good, "it is written anew");
    }
}

#[test]
fn other_rules_begin_anew_and_the_policy_does_not() {
    let sandbox = audited();
    let known = |args: &[&str]| {
        let args = [&["history", "--cache", "--format", "json"], args].concat();
        let ran = sandbox.stanch(&args);
        ran.json()["coverage"]["known_clean"].as_u64().expect("a number")
    };
    // What was found is not sure enough then.
    assert_eq!(known(&["--min-confidence", "proven", "--no-inline-allow"]), 22);
    assert_eq!(known(&["--rule", "clickup-personal-token"]), 0);
    assert_eq!(known(&["--rule", "clickup-personal-token"]), 21);
    sandbox.write(".stanch.toml", ACME);
    assert_eq!(known(&[]), 0);
    fs::remove_file(sandbox.path().join(".stanch.toml")).expect("a removed file");
    assert_eq!(known(&[]), 21);
    assert_eq!(cache_files(&sandbox).len(), 3);
    for id in ["clickup-oauth-client-secret", "generic-secret", "generic-password"] {
        assert_eq!(known(&["--rule", id]), 0);
    }
    assert_eq!(cache_files(&sandbox).len(), 4, "old ones go");
}

/// A match that the policy of the first run held back must show up under another one.
#[test]
fn what_was_held_back_is_found_under_another_policy() {
    let sandbox = Sandbox::repo();
    sandbox.write("a.txt", format!("k = {} # stanch:allow: a test\n", clickup_token(4)));
    sandbox.commit_all("allowed");
    sandbox.stanch(&["history", "--cache"]).expect_code(0);
    sandbox.stanch(&["history", "--cache"]).expect_code(0);
    sandbox.stanch(&["history", "--cache", "--no-inline-allow"]).expect_code(1);
}

#[test]
fn runs_at_the_same_time_do_not_disturb_each_other() {
    let sandbox = audited();
    let expected = sandbox.stanch(&["history", "--format", "json"]).expect_code(1).json();
    let before = cache_files(&sandbox);
    fs::remove_file(&before[0]).expect("a removed file");
    std::thread::scope(|scope| {
        let run = || sandbox.stanch(&["history", "--cache", "--format", "json"]).expect_code(1).json();
        let runs: Vec<_> = (0..4).map(|_| scope.spawn(run)).collect();
        for run in runs {
            let report = run.join().expect("no panic");
            assert_eq!((&report["findings"], &report["notes"]), (&expected["findings"], &expected["notes"]));
        }
    });
    assert_eq!(cache_files(&sandbox), before, "nothing is left behind");
}

#[cfg(unix)]
#[test]
fn a_directory_that_cannot_be_written_is_a_note() {
    let sandbox = Sandbox::repo();
    sandbox.commit_all("start");
    fs::write(sandbox.path().join(".git/stanch"), "a file in the way").expect("a written file");
    let ran = sandbox.stanch(&["history", "--cache"]).expect_code(0);
    assert!(ran.stdout.contains("note: "), "{}", ran.stdout);
}

/// The findings and problems of an audit with the cache, which must be those of one without it.
#[track_caller]
fn as_without(sandbox: &Sandbox, args: &[&str]) -> serde_json::Value {
    let run = |more: &[&str]| sandbox.stanch(&[&["history", "--format", "json"], args, more].concat()).json();
    let (plain, cached) = (run(&[]), run(&["--cache"]));
    assert_eq!(cached["findings"], plain["findings"]);
    assert_eq!(cached["suppressed"], plain["suppressed"]);
    assert_eq!(cached["coverage"]["problems"], plain["coverage"]["problems"]);
    cached
}

/// Links to a blob that is not there are known like others, until it is there again.
#[test]
fn trees_are_known_though_blobs_are_missing() {
    let sandbox = audited();
    sandbox.write("dir/gone.txt", "not for long\n");
    sandbox.commit_all("gone soon");
    let blob = sandbox.git(&["rev-parse", "HEAD:dir/gone.txt"]);
    let file = sandbox.path().join(".git/objects").join(&blob[..2]).join(&blob[2..]);
    let kept = sandbox.path().join(".git/kept");
    fs::rename(&file, &kept).expect("it was loose");
    let first = as_without(&sandbox, &[]);
    assert_eq!(first["coverage"]["problems"][0]["name"], blob.as_str());
    for number in 0..3 {
        sandbox.write("dir/other.txt", format!("{number}\n"));
        sandbox.git(&["add", "dir/other.txt"]);
        let tree = sandbox.git(&["write-tree", "--missing-ok"]);
        let commit = sandbox.git(&["commit-tree", &tree, "-p", "HEAD", "-m", "beside it"]);
        sandbox.git(&["update-ref", "HEAD", &commit]);
        let again = as_without(&sandbox, &[]);
        assert_eq!(again["coverage"]["problems"][0]["name"], blob.as_str());
        assert_eq!(again["coverage"]["commits"], 1, "only the new one is read");
        let known = as_without(&sandbox, &[]);
        assert_eq!(known["coverage"]["commits"], 0);
        if number == 1 {
            sandbox.git(&["update-ref", "HEAD", "HEAD~1"]);
        }
    }
    fs::rename(&kept, &file).expect("it is put back");
    let whole = as_without(&sandbox, &[]);
    assert_eq!(whole["coverage"]["problems"], serde_json::json!([]));
    assert_eq!(as_without(&sandbox, &[])["coverage"]["commits"], 0);
}

/// What no earlier run had to attribute is found in trees that none of them will read again.
#[test]
fn what_another_policy_reports_is_attributed_in_known_trees() {
    let sandbox = Sandbox::repo();
    sandbox.write("deep/er/a.txt", format!("k = {} # stanch:allow: a test\n", clickup_token(4)));
    sandbox.commit_all("allowed");
    sandbox.write("deep/b.txt", format!("k = {}\n", clickup_token(5)));
    sandbox.commit_all("found");
    sandbox.git(&["gc", "--quiet"]);
    for args in [&[][..], &["--no-inline-allow"], &[], &["--no-inline-allow"]] {
        let count = as_without(&sandbox, args)["findings"].as_array().map(Vec::len);
        assert_eq!(count, Some(if args.is_empty() { 1 } else { 2 }));
        sandbox.write("deep/er/new.txt", format!("{count:?}{}", args.len()));
        sandbox.commit_all("more");
    }
}

/// The edges of a cache are read last and by few runs: such a run tells all the same when they are damaged.
#[test]
fn damaged_edges_cost_time_and_nothing_else() {
    let sandbox = Sandbox::repo();
    sandbox.write("deep/er/a.txt", format!("k = {} # stanch:allow: a test\n", clickup_token(4)));
    sandbox.commit_all("allowed");
    sandbox.write("deep/b.txt", format!("k = {}\n", clickup_token(5)));
    sandbox.commit_all("found");
    as_without(&sandbox, &[]);
    let [file] = &cache_files(&sandbox)[..] else { panic!("one file") };
    let mut bytes = fs::read(file).expect("a cache");
    // The last four bytes are the checksum of the edges.
    let last = bytes.len() - 5;
    bytes[last] ^= 1;
    fs::write(file, &bytes).expect("a written file");
    assert_eq!(as_without(&sandbox, &[])["notes"], serde_json::json!([]), "nobody asks for edges");
    let args = ["history", "--no-inline-allow", "--format", "json"];
    let plain = sandbox.stanch(&args).expect_code(1).json();
    let cached = || sandbox.stanch(&[&args[..], &["--cache"]].concat()).expect_code(1).json();
    let first = cached();
    let note = first["notes"][0].as_str().expect("a note");
    assert!(note.contains("is damaged") && note.contains("trees are read again"), "{note}");
    assert_eq!((&first["findings"], &plain["findings"]), (&plain["findings"], &cached()["findings"]));
    assert_eq!(cached()["notes"], serde_json::json!([]), "it was written anew");
}

/// Packs that stay are not listed again; what came beside them or went is noticed.
#[test]
fn packs_may_come_and_go() {
    let sandbox = audited();
    sandbox.git(&["gc", "--quiet"]);
    as_without(&sandbox, &[]);
    sandbox.write("clean.txt", format!("k = {}\n", clickup_token(7)));
    sandbox.commit_all("in a pack of its own");
    sandbox.git(&["repack", "-dq"]);
    let second = as_without(&sandbox, &[]);
    assert_eq!((&second["coverage"]["commits"], &second["coverage"]["blobs"]), (&1.into(), &2.into()));
    assert_eq!(as_without(&sandbox, &[])["coverage"]["commits"], 0);
    sandbox.git(&["gc", "--quiet"]);
    assert_eq!(as_without(&sandbox, &[])["coverage"]["commits"], 0, "one pack holds all of it");
    let packs = sandbox.path().join(".git/objects/pack");
    for entry in fs::read_dir(packs).expect("a directory") {
        let path = entry.expect("an entry").path();
        fs::remove_file(path).expect("a removed file");
    }
    let gone = as_without(&sandbox, &[]);
    assert!(gone["coverage"]["problems"].as_array().is_some_and(|problems| !problems.is_empty()));
}

/// What is not sure enough to be reported is not read again, but counted, until a policy reports it.
#[test]
fn what_is_too_weak_is_read_once() {
    let sandbox = Sandbox::repo();
    for number in 0..4 {
        let value = random_text("abcdefghjkmnpqrstuvwxyz23456789", 9, number);
        sandbox.write("weak.yml", format!("db_password: \"{value}\"\n# {number}\n"));
        sandbox.commit_all("a guess");
    }
    let ran = |args: &[&str]| as_without(&sandbox, args);
    let strict = ["--min-confidence", "proven"];
    let first = ran(&strict);
    assert_eq!(first["suppressed"]["below_threshold"], 4);
    let second = ran(&strict);
    assert_eq!((&second["coverage"]["blobs"], &second["findings"]), (&0.into(), &serde_json::json!([])));
    assert_eq!(second["suppressed"], first["suppressed"]);
    let open = ran(&[]);
    assert_eq!(open["coverage"]["blobs"], 4);
    assert_eq!(open["findings"].as_array().map(Vec::len), Some(4));
    assert_eq!(ran(&strict)["coverage"]["blobs"], 0);
}

/// Of the versions of a file with a secret one is read, and of a report that tells of another one that one.
#[test]
fn one_of_many_with_the_same_secret_is_read() {
    let sandbox = Sandbox::repo();
    sandbox.commit_all("start");
    let line = format!("token = {}", clickup_token(50));
    let version = |number: usize| {
        format!(
            "{}{line}
",
            format!(
                "line {number}
"
            )
            .repeat(number)
        )
    };
    for number in 3..9 {
        sandbox.write("app/config.txt", version(number));
        sandbox.commit_all("another version");
    }
    let first = as_without(&sandbox, &[]);
    assert_eq!(first["findings"][0]["line"], 4);
    assert_eq!(as_without(&sandbox, &[])["coverage"]["blobs"], 1);
    // Where it came and went is known: the tenth part of the file has something in it.
    let bytes = fs::read(&cache_files(&sandbox)[0]).expect("a cache");
    let length = bytes[16 + 32 + 2 * 8 + 9 * 8..].first_chunk().map(|bytes| u64::from_le_bytes(*bytes));
    assert!(length > Some(100), "{length:?}");
    // Other branches have a later version at the same time; by its name one of them comes before.
    let root = sandbox.git(&["rev-list", "--max-parents=0", "HEAD"]);
    let tree = sandbox.git(&["rev-parse", "HEAD~1^{tree}"]);
    for number in 0..8 {
        let early = sandbox.git(&["commit-tree", "-p", &root, "-m", &format!("early {number}"), &tree]);
        sandbox.git(&["branch", &format!("early{number}"), &early]);
    }
    assert_eq!(as_without(&sandbox, &[])["findings"][0]["line"], 8);
    // Where a known secret stands in what is new the old ones are known to be the same.
    sandbox.write("app/other.txt", version(5));
    sandbox.write("docs/guide.md", version(20));
    sandbox.commit_all("elsewhere");
    let ran = as_without(&sandbox, &[]);
    assert_eq!(ran["findings"].as_array().map(Vec::len), Some(3), "{ran}");
    assert!(ran["coverage"]["blobs"].as_u64() < Some(5), "{ran}");
}

/// Each kind of change between two runs.
#[test]
fn whatever_changes_the_report_is_that_of_a_run_without() {
    let sandbox = Sandbox::repo();
    let hidden = BASE64.encode(format!("token = {}\n", clickup_token(20)).as_bytes());
    for (number, line) in [
        format!("token = {}", clickup_token(10)),
        format!("blob: {hidden}"),
        format!("token = {} # stanch:allow: a test", clickup_token(11)),
        format!("a = {}\nb = {}", clickup_token(12), clickup_token(10)),
    ]
    .into_iter()
    .enumerate()
    {
        sandbox.write(&format!("dir{}/file.txt", number % 2), format!("{number}\n{line}\n"));
        sandbox.commit_all(&line);
    }
    sandbox.write("clean.txt", "nothing\n");
    sandbox.commit_all("clean");
    sandbox.git(&["branch", "side"]);
    let scanner = scanner(false);
    both_ways(&sandbox.path(), &scanner, "the first run");
    let git = |args: &[&str]| drop(sandbox.git(args));
    let write = |text: &str| sandbox.write("dir0/file.txt", text);
    type Change<'c> = (&'c str, &'c dyn Fn());
    let changes: [Change<'_>; 17] = [
        ("nothing", &|| ()),
        ("a commit", &|| {
            write("clean\n");
            sandbox.commit_all("clean");
        }),
        ("a commit with a known secret elsewhere", &|| {
            sandbox.write("moved/here.txt", format!("  t = {}\n", clickup_token(12)));
            sandbox.commit_all("moved");
        }),
        ("an amended commit", &|| {
            sandbox.write("moved/there.txt", format!("  t = {}\n", clickup_token(13)));
            git(&["add", "--all"]);
            git(&["commit", "--quiet", "--amend", "-m", "amended"]);
        }),
        ("a tag", &|| git(&["tag", "-m", "a tag", "v1"])),
        ("a branch more", &|| git(&["branch", "other", "HEAD~2"])),
        ("a branch less", &|| git(&["branch", "-D", "other"])),
        ("another branch", &|| git(&["checkout", "--quiet", "side"])),
        ("a stash", &|| {
            write(&format!("token = {}\n", clickup_token(14)));
            git(&["stash", "push", "--quiet"]);
        }),
        ("everything in one pack", &|| git(&["gc", "--quiet"])),
        ("no stash", &|| git(&["stash", "drop", "--quiet"])),
        ("other deltas", &|| git(&["repack", "-adfq", "--depth=3", "--window=20"])),
        ("a reset", &|| git(&["reset", "--quiet", "--hard", "HEAD~2"])),
        ("no reflog", &|| git(&["reflog", "expire", "--expire=now", "--all"])),
        ("what nothing reaches is gone", &|| git(&["gc", "--quiet", "--prune=now"])),
        ("a merge", &|| git(&["merge", "--quiet", "--no-edit", "-X", "theirs", "v1"])),
        ("no tag", &|| git(&["tag", "-d", "v1"])),
    ];
    for (what, change) in changes {
        change();
        let outcome = both_ways(&sandbox.path(), &scanner, what);
        assert!(!outcome.findings.is_empty(), "{what}");
        both_ways(&sandbox.path(), &self::scanner(true), &format!("{what}, other rules"));
        let known = both_ways(&sandbox.path(), &scanner, &format!("{what}, again"));
        assert!(known.coverage.known_clean > 0, "{what}");
    }
}

/// Grafts and replacements hide and show commits, trees and blobs to git, and change what nothing reaches any more.
#[test]
fn grafts_and_replacements_may_come_and_go() {
    let sandbox = Sandbox::repo();
    let git = |args: &[&str]| sandbox.git(args);
    let secret = |seed| format!("token = {}\n", clickup_token(seed));
    for (path, content) in [
        ("a.txt", "nothing\n".to_owned()),
        ("gone.txt", secret(30)),
        ("dir/b.txt", secret(31)),
        ("dir/c.txt", "nothing at all\n".to_owned()),
        ("d.txt", format!("{}more\n", secret(32))),
    ] {
        let _ = fs::remove_file(sandbox.path().join("gone.txt"));
        sandbox.write(path, content);
        sandbox.commit_all(path);
    }
    let ids = ["HEAD", "HEAD~1", "HEAD~2", "HEAD~3", "HEAD~4"].map(|name| git(&["rev-parse", name]));
    let [head, fourth, third, second, first] = &ids;
    let [blob, tree, clean] = ["HEAD:d.txt", "HEAD:dir", "HEAD:a.txt"].map(|name| git(&["rev-parse", name]));
    let made = |line: String| {
        sandbox.write("made.txt", line);
        let id = sandbox.git(&["hash-object", "-w", "made.txt"]);
        fs::remove_file(sandbox.path().join("made.txt")).expect("it was written");
        id
    };
    let other_commit = git(&["commit-tree", "-p", first, "-m", &secret(33), &format!("{third}^{{tree}}")]);
    let grafts = sandbox.path().join(".git/info/grafts");
    let graft = |lines: String| fs::write(&grafts, lines).expect("a written file");
    let scanner = scanner(false);
    let before = both_ways(&sandbox.path(), &scanner, "the first run").findings.len();
    assert_eq!(before, 4, "three in files and one in a message");
    let found = |what: &str| {
        as_without(&sandbox, &[]);
        both_ways(&sandbox.path(), &scanner, what);
        both_ways(&sandbox.path(), &scanner, &format!("{what}, again")).findings.len()
    };
    graft(format!("{third} {first}\n"));
    assert_eq!(git(&["rev-list", "--count", "HEAD"]), "4", "git honours it");
    assert_eq!(found("a graft that hides a commit"), before);
    graft(format!("{third} {first}\n{head} {fourth} {other_commit}\n"));
    assert_eq!(found("a graft that adds a parent"), before);
    sandbox.write("e.txt", secret(34));
    sandbox.commit_all("on top of grafts");
    assert_eq!(found("a commit on top"), before + 1);
    graft(format!("{third}\n"));
    assert_eq!(found("a graft that ends the history"), before + 1);
    fs::remove_file(&grafts).expect("it was written");
    assert_eq!(found("no graft"), before + 1);

    git(&["replace", third, &other_commit]);
    assert_eq!(found("another commit"), before + 1);
    git(&["replace", "--graft", head, second]);
    assert_eq!(found("other parents"), before + 1);
    git(&["replace", &blob, &clean]);
    assert_eq!(git(&["cat-file", "-p", &blob]), "nothing", "git honours it");
    assert_eq!(found("a blob without its secret"), before + 1);
    let with_secret = made(secret(35));
    assert_eq!(found("a blob that nothing reaches"), before + 2);
    git(&["replace", &clean, &with_secret]);
    assert_eq!(found("a blob with a secret in place of one without"), before + 2);
    git(&["replace", &tree, &git(&["rev-parse", &format!("{first}^{{tree}}")])]);
    assert_eq!(found("another tree"), before + 2);
    git(&["gc", "--quiet"]);
    assert_eq!(found("all of them in a pack"), before + 2);
    for name in [third, head, &blob, &clean, &tree] {
        git(&["replace", "--delete", name]);
        assert_eq!(found("a replacement less"), before + 2);
    }
    git(&["reflog", "expire", "--expire=now", "--all"]);
    git(&["gc", "--quiet", "--prune=now"]);
    assert_eq!(found("what nothing reaches is gone"), 4, "four in files of the branch");
}

/// Nothing of a secret may get into the file, whatever was found where.
#[test]
fn the_file_holds_no_secret() {
    let sandbox = Sandbox::repo();
    let (token, password) = (clickup_token(30), random_text("abcdefghjkmnpqrstuvwxyz23456789", 14, 9));
    sandbox.write("a.txt", format!("token = \"{token}\"\ndb_password: \"{password}\"\n"));
    sandbox.commit_all(&format!("with {token}"));
    for args in [&[][..], &["--min-confidence", "low"], &["--min-confidence", "proven"]] {
        as_without(&sandbox, args);
        for file in cache_files(&sandbox) {
            let bytes = fs::read(file).expect("a cache");
            for part in [&token, &password].into_iter().flat_map(|secret| secret.as_bytes().windows(5)) {
                assert!(!bytes.windows(5).any(|there| there == part), "five bytes of a secret");
            }
        }
    }
}

/// Where little is new the file is not written, and what is new is found every time.
#[test]
fn little_news_is_read_again() {
    let sandbox = Sandbox::repo();
    for number in 0..300 {
        sandbox.write(&format!("many/{number}.txt"), format!("{number}\n"));
    }
    for number in 0..300 {
        sandbox.write(&format!("more/{number}.txt"), format!("more {number}\n"));
    }
    sandbox.commit_all("many");
    as_without(&sandbox, &[]);
    let [file] = &cache_files(&sandbox)[..] else { panic!("one file") };
    let before = fs::read(file).expect("a cache");
    sandbox.git(&["commit", "--quiet", "--allow-empty", "-m", &clickup_token(40)]);
    for _ in 0..2 {
        let ran = as_without(&sandbox, &[]);
        assert_eq!((&ran["coverage"]["commits"], &ran["coverage"]["blobs"]), (&1.into(), &0.into()));
        assert_eq!(ran["findings"].as_array().map(Vec::len), Some(1));
        assert!(fs::read(file).expect("a cache") == before, "it stays as it is");
    }
    for number in 0..4 {
        sandbox.write("more/0.txt", format!("again {number} {}\n", clickup_token(41)));
        sandbox.commit_all("new");
    }
    assert_eq!(as_without(&sandbox, &[])["coverage"]["commits"], 5);
    assert_eq!(as_without(&sandbox, &[])["coverage"]["commits"], 1, "the one with a match");
    assert!(fs::read(file).expect("a cache") != before, "it is written");
}

/// Of more matches than are written down, and of more in the same text, nothing is lost.
#[test]
fn a_long_list_of_keys_is_searched_again() {
    let sandbox = Sandbox::repo();
    let keys: Vec<String> = (0..1_030).map(|number| format!("k = {}", clickup_token(number))).collect();
    let scanner = Scanner::new(
        RuleSet::builtin(),
        Policy { min_confidence: Some(Confidence::Proven), ..Policy::default() },
    );
    for count in [1_020, 1_030] {
        sandbox.write("keys.txt", keys[..count].join("\n"));
        sandbox.commit_all("keys");
        for what in ["first", "second"] {
            let outcome = both_ways(&sandbox.path(), &scanner, what);
            assert!(outcome.suppressed.below_threshold >= count as u64, "{what}");
        }
    }
    let known = both_ways(&sandbox.path(), &scanner, "at last");
    assert_eq!(known.coverage.blobs, 1, "the longer list");
}
