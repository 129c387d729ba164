//! Plants random secrets of every rule in histories of real repositories and asks every mode for them:
//! `cargo bench --bench plantings -- STANCH [COUNT] [SEED]`; see `README.md` beside this file.

#![allow(clippy::print_stdout, reason = "a measurement prints its figures")]

#[allow(dead_code, reason = "the tests and the other measurement use the rest")]
#[path = "../it/surroundings.rs"]
mod surroundings;

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::ops::Range;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use regex::bytes::Regex;
use serde_json::Value;
use stanch::rule::shape::Shape;
use stanch::rule::{Rule, RuleSet};
use surroundings::{ALL, Name, Surrounding};

/// Files of a repository, and how many secrets each of them gets, one a commit.
const FILES: usize = 100;
const COMMITS: usize = 5;

fn main() -> ExitCode {
    // Cargo passes `--bench` to every benchmark.
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let Some(stanch) = arguments.first() else {
        println!("usage: plantings STANCH [COUNT] [SEED]");
        return ExitCode::from(2);
    };
    let number = |place: usize, default: u64| {
        arguments.get(place).map_or(default, |text| text.parse().expect("a number"))
    };
    let (count, seed) = (number(1, 10_000) as usize, number(2, 1));
    let stanch = Path::new(stanch).canonicalize().expect("there is such a program");
    let rules = RuleSet::builtin();
    let mut tallies: BTreeMap<&'static str, Tally> = BTreeMap::new();
    let mut redrawn: BTreeMap<&'static str, usize> = BTreeMap::new();
    let batches = count.div_ceil(FILES * COMMITS);
    for batch in 0..batches {
        let repository = Repository::new(&stanch);
        repository.batch(&rules, batch, seed, &mut tallies, &mut redrawn);
    }
    println!("{:<20} {:>8} {:>8} {:>8}", "mode", "planted", "found", "missed");
    for (reason, count) in &redrawn {
        println!("{count} values were drawn again: {reason}");
    }
    let mut has_missed = false;
    for (mode, tally) in &tallies {
        let missed = tally.planted - tally.found;
        println!("{mode:<20} {:>8} {:>8} {missed:>8}", tally.planted, tally.found);
        has_missed |= missed > 0;
    }
    for (mode, tally) in &tallies {
        for (rule, missed) in &tally.missed {
            println!("{mode} missed {} of {rule}, the first in {}", missed.len(), missed[0]);
        }
    }
    ExitCode::from(u8::from(has_missed))
}

/// What one mode was asked for and found.
#[derive(Default)]
struct Tally {
    planted: usize,
    found: usize,
    /// By rule: in which files.
    missed: BTreeMap<String, Vec<String>>,
}

/// A secret in a file, which stays where it is in all later versions.
struct Planting {
    rule: String,
    path: String,
    place: Range<usize>,
}

struct Repository<'s> {
    dir: tempfile::TempDir,
    stanch: &'s Path,
}

impl<'s> Repository<'s> {
    fn new(stanch: &'s Path) -> Self {
        let dir = tempfile::Builder::new().prefix("stanch-soak-").tempdir().expect("a directory");
        let repository = Self { dir, stanch };
        repository.git(&["init", "--quiet", "--initial-branch=main"]);
        repository
    }

    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.dir.path());
        for (name, value) in [
            ("GIT_CONFIG_GLOBAL", "/dev/null"),
            ("GIT_CONFIG_NOSYSTEM", "1"),
            ("GIT_AUTHOR_NAME", "A"),
            ("GIT_AUTHOR_EMAIL", "a@example.org"),
            ("GIT_COMMITTER_NAME", "A"),
            ("GIT_COMMITTER_EMAIL", "a@example.org"),
        ] {
            command.env(name, value);
        }
        command
    }

    fn git(&self, args: &[&str]) {
        let output = self.command(Path::new("git")).args(args).output().expect("git runs");
        assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    }

    fn commit(&self, message: &str) {
        self.git(&["add", "--all", "--force"]);
        self.git(&["commit", "--quiet", "--message", message]);
    }

    /// Path, first and last byte of what a mode finds, whatever its severity and the confidence.
    fn findings(&self, args: &[&str], input: &[u8]) -> Vec<(String, Range<usize>)> {
        let mut child = self
            .command(self.stanch)
            .args(args)
            .args(["--format", "json", "--min-severity", "info", "--min-confidence", "low", "--no-config"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("stanch starts");
        let mut stdin = child.stdin.take().expect("a pipe");
        let output = std::thread::scope(|scope| {
            // Only those that are given something read it.
            scope.spawn(move || drop(stdin.write_all(input)));
            child.wait_with_output().expect("stanch ends")
        });
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(matches!(output.status.code(), Some(0 | 1)), "{args:?}: {:?} {said}", output.status);
        let report: Value = serde_json::from_slice(&output.stdout).expect("a report");
        let findings = report["findings"].as_array().expect("findings").iter();
        let number = |value: &Value| value.as_u64().unwrap_or(0) as usize;
        findings
            .map(|finding| {
                let place = number(&finding["byte_start"])..number(&finding["byte_end"]);
                (finding["path"].as_str().unwrap_or_default().to_owned(), place)
            })
            .collect()
    }

    /// Fills a repository and asks each mode.
    fn batch(
        &self,
        rules: &RuleSet,
        batch: usize,
        seed: u64,
        tallies: &mut BTreeMap<&'static str, Tally>,
        redrawn: &mut BTreeMap<&'static str, usize>,
    ) {
        let shaped: Vec<&Rule> = rules.rules().iter().filter(|rule| is_plantable(rule)).collect();
        let mut random = surroundings::random(seed.wrapping_mul(1_000_003) + batch as u64);
        let filler: String = (0..150).map(|line| format!("line {line} of some text that stays\n")).collect();
        let path_of = |file: usize| format!("d{}/f{file}.{}", file % 7, ALL[file % ALL.len()].extension);
        let mut texts = vec![filler; FILES];
        let write = |texts: &[String]| {
            for (file, text) in texts.iter().enumerate() {
                let path = self.dir.path().join(path_of(file));
                fs::create_dir_all(path.parent().expect("a directory")).expect("directories");
                fs::write(path, text).expect("a file");
            }
        };
        write(&texts);
        self.commit("base");
        self.git(&["tag", "base"]);
        let mut plantings: Vec<Planting> = Vec::new();
        for commit in 0..COMMITS {
            let first = plantings.len();
            for (file, text) in texts.iter_mut().enumerate() {
                let turn = (batch * COMMITS + commit) * FILES + file;
                let rule = shaped[turn % shaped.len()];
                let name = name_for(rule, turn / shaped.len());
                let (piece, place) = planting(rule, &name, ALL[file % ALL.len()], &mut random, redrawn);
                let start = text.len();
                text.push_str(&piece);
                text.push_str("\n\n");
                plantings.push(Planting {
                    rule: rule.id.clone(),
                    path: path_of(file),
                    place: start + place.start..start + place.end,
                });
            }
            write(&texts);
            self.git(&["add", "--all", "--force"]);
            let found = self.findings(&["staged"], b"");
            count(tallies, "staged", &plantings[first..], &found);
            self.git(&["commit", "--quiet", "--message", "planted"]);
        }
        let all = |tallies: &mut _, mode, args: &[&str]| {
            count(tallies, mode, &plantings, &self.findings(args, b""));
        };
        all(tallies, "scan", &["scan", "--no-ignore"]);
        let mut piped = Vec::new();
        for (file, text) in texts.iter().enumerate() {
            let path = path_of(file);
            piped.extend(self.findings(&["stdin", "--path", &path], text.as_bytes()));
        }
        count(tallies, "stdin", &plantings, &piped);
        all(tallies, "range, loose", &["history", "base..HEAD"]);
        self.git(&["rm", "-r", "--quiet", "."]);
        self.git(&["commit", "--quiet", "--allow-empty", "--message", "removed"]);
        all(tallies, "history, loose", &["history"]);
        self.git(&["repack", "-adfq", "--depth=50"]);
        all(tallies, "history", &["history"]);
        all(tallies, "history --no-delta", &["history", "--no-delta"]);
        all(tallies, "history --cache", &["history", "--cache"]);
        all(tallies, "history, cached", &["history", "--cache"]);
        all(tallies, "range", &["history", "base..HEAD"]);
    }
}

fn count(
    tallies: &mut BTreeMap<&'static str, Tally>,
    mode: &'static str,
    plantings: &[Planting],
    found: &[(String, Range<usize>)],
) {
    let mut places: BTreeMap<&str, Vec<&Range<usize>>> = BTreeMap::new();
    for (path, place) in found {
        places.entry(path).or_default().push(place);
    }
    let tally = tallies.entry(mode).or_default();
    for Planting { rule, path, place } in plantings {
        tally.planted += 1;
        let is_met = |found: &&Range<usize>| found.start < place.end && place.start < found.end;
        if places.get(path.as_str()).is_some_and(|places| places.iter().any(is_met)) {
            tally.found += 1;
        } else {
            tally.missed.entry(rule.clone()).or_default().push(format!("{path} at byte {}", place.start));
        }
    }
}

/// Whether a rule's values can stand in any surrounding: a piece of a file with lines of its own cannot.
fn is_plantable(rule: &Rule) -> bool {
    let shape = &rule.shape;
    let is_block = shape.contains("EOL") && !shape.starts_with("\"-----BEGIN");
    !shape.is_empty() && !shape.contains("\\\"") && !is_block && !rule.public
}

/// A random value of the rule in a surrounding, and where it stands; another where the first is nothing that anybody has.
fn planting(
    rule: &Rule,
    name: &Name,
    surrounding: Surrounding,
    random: &mut impl FnMut(usize) -> usize,
    redrawn: &mut BTreeMap<&'static str, usize>,
) -> (String, Range<usize>) {
    let shape = Shape::parse(&rule.shape).expect("built-in shapes are checked");
    loop {
        let secret = surroundings::sample(&shape, rule.checksum, random);
        let (piece, place) = surrounding.fill(name, &secret);
        // Percent signs are undone before anything is matched.
        let written = if surrounding.extension == "url" { &secret } else { &piece[place.clone()] };
        match unfair(rule, &shape, &secret, written) {
            None => return (piece, place),
            Some(reason) => *redrawn.entry(reason).or_default() += 1,
        }
    }
}

/// Why nobody has such a secret, if so.
fn unfair(rule: &Rule, shape: &Shape, secret: &str, written: &str) -> Option<&'static str> {
    /// As the judgement says: nobody chooses a shorter password.
    const SHORTEST_CHOSEN_BYTES: usize = 3;
    let regex = |shape: &Shape| Regex::new(&shape.to_regex(false)).expect("shapes are expressions");
    if rule.chosen {
        let found = regex(shape).captures(secret.as_bytes()).expect("a sample has the shape");
        if found.get(1).is_some_and(|part| part.len() < SHORTEST_CHOSEN_BYTES) {
            return Some("a password of one or two characters");
        }
    }
    if written.starts_with("...") || written.ends_with("...") {
        return Some("three dots at an end, which say that the rest was left out");
    }
    // A user of a hundred characters, some of which have to be escaped: the bounds of what stands beside the secret
    // lie far above what anybody has, and only a value at one of them gets beyond it by its escapes.
    let unbounded = Shape::parse(&without_bounds(&rule.shape)).expect("a shape with fewer bounds is one");
    let is_cut = !regex(shape).is_match(written.as_bytes()) && regex(&unbounded).is_match(written.as_bytes());
    is_cut.then_some("only at a bound of the rule, and beyond it once escaped")
}

/// The shape without the upper bounds of its ranges that are no part of the format: those outside the secret, and long ones.
fn without_bounds(shape: &str) -> String {
    const LONG_BYTES: usize = 64;
    let mut out = String::new();
    let mut rest = shape;
    let marks_secret = shape.contains('<');
    let mut in_secret = !marks_secret;
    while let Some(character) = rest.chars().next() {
        let len = match character {
            '"' => {
                let mut end = 1;
                while !rest[end..].starts_with('"') {
                    end += if rest[end..].starts_with('\\') { 2 } else { 1 };
                }
                end + 1
            }
            '{' => rest.find('}').expect("a repetition closes") + 1,
            _ => 1,
        };
        let (piece, behind) = rest.split_at(len);
        match (character, piece.split_once(',')) {
            ('<' | '>', _) => in_secret = character == '<' || !marks_secret,
            ('{', Some((least, most))) => {
                let most = most.trim_end_matches('}').trim();
                let is_long = most.parse().is_ok_and(|most: usize| most >= LONG_BYTES);
                if is_long || !in_secret {
                    out.push_str(least);
                    out.push_str(",}");
                    rest = behind;
                    continue;
                }
            }
            _ => {}
        }
        out.push_str(piece);
        rest = behind;
    }
    out
}

/// A neutral name where the form alone is enough, else one that holds a word of the rule.
fn name_for(rule: &Rule, turn: usize) -> Name {
    let needs_word = !rule.keywords.is_empty() || !rule.names.is_empty();
    if !needs_word && turn.is_multiple_of(2) {
        return Name::neutral(turn / 2);
    }
    let is_part = |word: &&String| {
        word.len() > 2
            && word.starts_with(|c: char| c.is_ascii_alphanumeric())
            && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte))
    };
    let words: Vec<&String> = rule.names.iter().chain(&rule.keywords).filter(is_part).collect();
    match words.get(turn % words.len().max(1)) {
        Some(word) => Name::holding(word, turn / 2),
        None => {
            let words = rule.provider.split(|c: char| !c.is_ascii_alphanumeric());
            let words: Vec<String> =
                words.filter(|word| !word.is_empty()).map(str::to_ascii_lowercase).collect();
            Name::holding(&words.join("_"), turn / 2)
        }
    }
}
