//! What a run says when the machine fails it: every call for a file, a map, memory or a thread fails once, in turn.
//!
//! `faults/inject.c`, loaded into the real binary, makes the n-th call of a kind fail and counts the calls. By itself
//! the test takes a few calls of each kind; with `STANCH_FAULTS=20` twenty of each, spread over each run, and with
//! `STANCH_FAULTS=all` every one:
//!
//! ```console
//! $ STANCH_FAULTS=20 cargo test --locked --test it faults:: -- --nocapture
//! ```

#![allow(clippy::print_stdout, reason = "a sweep prints what each fault came to")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use serde_json::Value;

use crate::support::{Sandbox, clickup_token, output_with_input, random_text, stanch};

const EIO: i32 = 5;
const ENOMEM: i32 = 12;
const EAGAIN: i32 = 11;
const EACCES: i32 = 13;
const EMFILE: i32 = 24;
const ENOSPC: i32 = 28;
const ENOLCK: i32 = 37;
const EINTR: i32 = 4;

/// In the order of the counts that the library keeps.
const KINDS: [&str; 14] = [
    "open", "stat", "list", "read", "link", "seek", "map", "write", "sync", "rename", "make", "lock",
    "thread", "alloc",
];
const TALLY_BYTES: usize = 4096;

/// What is injected: a kind of call, an error, a mode (see `inject.c`).
const FAULTS: [(&str, i32, &str); 22] = [
    ("open", EIO, "once"),
    ("open", EMFILE, "on"),
    ("open", EACCES, "once"),
    ("stat", EIO, "once"),
    ("stat", EACCES, "on"),
    ("list", EIO, "once"),
    ("list", EIO, "on"),
    ("read", EIO, "once"),
    ("read", EIO, "on"),
    ("read", EINTR, "once"),
    ("read", 0, "short"),
    ("link", EIO, "once"),
    ("seek", EIO, "once"),
    ("map", ENOMEM, "once"),
    ("map", EIO, "on"),
    ("write", ENOSPC, "on"),
    ("write", EINTR, "once"),
    ("write", 0, "short"),
    ("sync", EIO, "once"),
    ("make", ENOSPC, "once"),
    ("thread", EAGAIN, "once"),
    ("alloc", ENOMEM, "once"),
];

/// Groups of system calls that the kernel refuses from the first to the last.
const REFUSED: [(&str, i32); 2] = [("1", EIO), ("2", ENOLCK)];

/// The library, built once.
fn library() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/faults/inject.c");
        let made = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("inject-{}.so", std::process::id()));
        let cc = Command::new("cc")
            .args(["-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror", "-o"])
            .args([&made, &source])
            .arg("-ldl")
            .output()
            .expect("there is a C compiler; libgit2 is built with it too");
        assert!(cc.status.success(), "{}", String::from_utf8_lossy(&cc.stderr));
        made
    })
}

/// A repository with a secret in each place that a run may pass by.
struct Subject {
    sandbox: Sandbox,
    tokens: Vec<String>,
}

impl Subject {
    fn new() -> Self {
        let sandbox = Sandbox::repo();
        let mut subject = Self { sandbox, tokens: Vec::new() };
        subject.fill();
        subject
    }

    fn secret(&mut self) -> String {
        let token = clickup_token(7000 + 10 * self.tokens.len() as u64);
        let line = format!("clickup = \"{token}\"\n");
        self.tokens.push(token);
        line
    }

    fn fill(&mut self) {
        let filler: String = (0..60).map(|n| format!("line {n} of a file that changes little\n")).collect();
        // Borrowed objects.
        let lender = Sandbox::repo();
        lender.write("lent.txt", self.secret());
        lender.commit_all("lent");
        let lent = self.sandbox.outside().join("lent");
        let copied = Command::new("cp").arg("-a").args([&lender.path().join(".git/objects"), &lent]).status();
        assert!(copied.expect("cp runs").success());
        self.sandbox.write(".git/objects/info/alternates", "../../../lent\n");
        let lent_commit = lender.git(&["rev-parse", "HEAD"]);
        self.sandbox.git(&["update-ref", "refs/remotes/lender/main", &lent_commit]);
        // Packed, whole and as deltas; removed later.
        self.sandbox.write("long.txt", &filler);
        let first = self.secret();
        self.sandbox.write("old.txt", first);
        self.sandbox.write(".gitignore", "*.local\nbuild/\n");
        self.sandbox.write("conf/.gitignore", "!kept.local\n");
        self.sandbox.write("build/tracked.txt", "nothing\n");
        self.sandbox.git(&["add", "--force", "build/tracked.txt"]);
        self.sandbox.commit_all("first");
        let changed = format!("{filler}{}", self.secret());
        self.sandbox.write("long.txt", changed);
        let message = self.secret();
        self.sandbox.commit_all(&message);
        self.sandbox.write("long.txt", &filler);
        self.sandbox.git(&["rm", "--quiet", "old.txt"]);
        self.sandbox.commit_all("removed");
        let message = self.secret();
        self.sandbox.git(&["tag", "--annotate", "v1", "--message", &message]);
        // Reached by a reflog alone, by nothing at all, by the HEAD of another worktree.
        let reset = self.secret();
        self.sandbox.write("reset.txt", reset);
        self.sandbox.commit_all("reset");
        self.sandbox.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
        self.sandbox.git(&["gc", "--quiet"]);
        let linked = self.sandbox.outside().join("linked");
        let linked = linked.to_str().expect("a plain name");
        self.sandbox.git(&["worktree", "add", "--quiet", "--detach", linked]);
        let detached = self.secret();
        fs::write(Path::new(linked).join("detached.txt"), detached).expect("a written file");
        self.sandbox.git(&["-C", linked, "add", "--all"]);
        self.sandbox.git(&["-C", linked, "commit", "--quiet", "--message", "detached"]);
        let dangling = self.secret();
        self.sandbox.write("dangling.txt", dangling);
        self.sandbox.git(&["hash-object", "-w", "dangling.txt"]);
        fs::remove_file(self.sandbox.path().join("dangling.txt")).expect("a removed file");
        // Loose; what a range brings.
        let loose = self.secret();
        self.sandbox.write("loose.txt", loose);
        self.sandbox.commit_all("loose");
        // A rule of the project's own: who reads no configuration misses what it finds.
        let own = random_text("abcdefghijklmnopqrstuvwxyz", 24, 77);
        self.sandbox.write(
            ".stanch.toml",
            "[[rule]]\nid = \"acme-key\"\ndescription = \"Acme key\"\nkind = \"prefixed\"\n\
             severity = \"high\"\nshape = '\"acmekey_\" LOWER{24}'\n",
        );
        let own = format!("acmekey_{own}");
        self.sandbox.write("own.txt", format!("{own}\n"));
        self.tokens.push(own);
        self.sandbox.commit_all("own");
        // Staged: new, added to a file, moved; and only in the working tree: untracked, tracked although ignored,
        // named by a nested exception.
        let new = self.secret();
        self.sandbox.write("src/new.txt", new);
        let added = format!("{filler}{}", self.secret());
        self.sandbox.write("long.txt", added);
        self.sandbox.git(&["mv", "loose.txt", "moved.txt"]);
        self.sandbox.git(&["add", "--all"]);
        let tracked = self.secret();
        self.sandbox.write("build/tracked.txt", tracked);
        let kept = self.secret();
        self.sandbox.write("conf/kept.local", kept);
        let untracked = self.secret();
        self.sandbox.write("deep/er/untracked.txt", untracked);
    }
}

/// A command line to be failed.
struct Scenario {
    name: &'static str,
    args: &'static [&'static str],
    /// Standard input, where `{head}`, `{base}` and `{coming}` are commits.
    input: &'static str,
    /// What the run comes to by itself.
    code: i32,
    /// Files that it writes, below the directory above the repository.
    files: &'static [&'static str],
    /// Whether what an earlier run left in the repository is there: a cache.
    is_warm: bool,
}

const fn scenario(name: &'static str, args: &'static [&'static str], code: i32) -> Scenario {
    Scenario { name, args, input: "", code, files: &[], is_warm: false }
}

const PUSH: &str = "refs/heads/main {head} refs/heads/main {base}\n";
const RECEIVE: &str = "{head} {coming} refs/heads/main\n";

fn scenarios() -> Vec<Scenario> {
    vec![
        scenario("staged", &["staged", "--format", "json"], 1),
        scenario("scan", &["scan", "--format", "json"], 1),
        scenario("scan two paths", &["scan", "--format", "json", "deep", "conf", "build"], 1),
        scenario("history", &["history", "--format", "json"], 1),
        scenario("history --no-delta", &["history", "--no-delta", "--format", "json"], 1),
        scenario("history --reachable-only", &["history", "--reachable-only", "--format", "json"], 1),
        scenario("history of a range", &["history", "HEAD~3..HEAD", "--format", "json"], 1),
        scenario("history --cache, cold", &["history", "--cache", "--format", "json"], 1),
        Scenario {
            is_warm: true,
            ..scenario("history --cache, warm", &["history", "--cache", "--format", "json"], 1)
        },
        Scenario {
            files: &["out.json", "out.sarif"],
            ..scenario("staged --output", &["staged", "--output", "json=../out.json,sarif=../out.sarif"], 1)
        },
        Scenario {
            files: &["out.html", "receipt.json"],
            ..scenario(
                "scan --output --receipt",
                &["scan", "--format", "html", "--output", "../out.html", "--receipt", "../receipt.json"],
                1,
            )
        },
        Scenario {
            files: &["audit.jsonl"],
            ..scenario(
                "staged --audit-log",
                &["staged", "--format", "json", "--audit-log", "../audit.jsonl"],
                1,
            )
        },
        scenario("check", &["check", "--format", "json"], 1),
        Scenario {
            files: &["baseline"],
            ..scenario("baseline create", &["baseline", "create", "--baseline", "../baseline"], 0)
        },
        scenario("hook run pre-commit", &["hook", "run", "--format", "json", "pre-commit"], 1),
        Scenario {
            input: PUSH,
            ..scenario(
                "hook run pre-push",
                &["hook", "run", "--format", "json", "pre-push", "origin", "../nowhere"],
                1,
            )
        },
        Scenario {
            input: RECEIVE,
            ..scenario("hook run pre-receive", &["hook", "run", "--format", "json", "pre-receive"], 1)
        },
        Scenario { input: "{secret}", ..scenario("stdin", &["stdin", "--format", "json"], 1) },
    ]
}

/// One worker's place.
struct Bench {
    subject: Subject,
    tally: PathBuf,
    head: String,
    base: String,
    /// A commit that no ref reaches.
    coming: String,
}

/// What a run came to.
struct Came {
    code: Option<i32>,
    signal: Option<i32>,
    stdout: Vec<u8>,
    stderr: String,
    files: BTreeMap<&'static str, Option<Vec<u8>>>,
    calls: Vec<u64>,
    hit: String,
}

impl Bench {
    fn new() -> Self {
        let subject = Subject::new();
        let git = |args: &[&str]| subject.sandbox.git(args);
        let (head, base) = (git(&["rev-parse", "HEAD"]), git(&["rev-parse", "HEAD~3"]));
        let tree = git(&["write-tree"]);
        let coming = git(&["commit-tree", "-p", "HEAD", "-m", "coming", &tree]);
        let tally = subject.sandbox.outside().join("tally");
        Self { subject, tally, head, base, coming }
    }

    fn outside(&self, name: &str) -> PathBuf {
        self.subject.sandbox.outside().join(name)
    }

    fn git_dir(&self) -> PathBuf {
        self.subject.sandbox.path().join(".git")
    }

    /// Takes away what runs before have written.
    fn clean(&self, scenario: &Scenario) {
        for file in scenario.files {
            let _ = fs::remove_file(self.outside(file));
        }
        let _ = fs::remove_file(self.outside("audit.jsonl.lock"));
        for file in self.litter() {
            fs::remove_file(file).expect("a removed file");
        }
        let _ = fs::remove_dir_all(self.git_dir().join("stanch"));
        if scenario.is_warm {
            let copied = Command::new("cp")
                .arg("-a")
                .args([self.outside("warm"), self.git_dir().join("stanch")])
                .status();
            assert!(copied.expect("cp runs").success());
        }
    }

    fn warm_up(&self) {
        let _ = fs::remove_dir_all(self.git_dir().join("stanch"));
        self.subject.sandbox.stanch(&["history", "--cache", "--quiet"]).expect_code(1);
        fs::rename(self.git_dir().join("stanch"), self.outside("warm")).expect("a cache");
    }

    fn run(&self, scenario: &Scenario, fault: Option<&str>) -> Came {
        self.run_on("", scenario, fault)
    }

    /// Counts and fails only calls for paths that end so.
    fn run_on(&self, path: &str, scenario: &Scenario, fault: Option<&str>) -> Came {
        self.clean(scenario);
        self.go(path, scenario, fault)
    }

    /// Runs with whatever earlier runs have left.
    fn go(&self, path: &str, scenario: &Scenario, fault: Option<&str>) -> Came {
        fs::write(&self.tally, [0; TALLY_BYTES]).expect("a written file");
        let mut command = self.subject.sandbox.command(stanch());
        command.args(scenario.args).args(["--threads", "1"]);
        command.env("SOURCE_DATE_EPOCH", "1700000000");
        command.env("LD_PRELOAD", library()).env("STANCH_FAULT_TALLY", &self.tally);
        if let Some(fault) = fault {
            command.env("STANCH_FAULT", fault);
        }
        if !path.is_empty() {
            command.env("STANCH_FAULT_PATH", path);
        }
        let input = scenario
            .input
            .replace("{head}", &self.head)
            .replace("{base}", &self.base)
            .replace("{coming}", &self.coming)
            .replace("{secret}", &format!("key = {}\n", self.subject.tokens[0]));
        let Output { status, stdout, stderr } = output_with_input(command, input.as_bytes());
        let tally = fs::read(&self.tally).expect("a tally");
        let (counts, hit) = tally.split_at(KINDS.len() * 8);
        let calls = counts.chunks_exact(8).map(|count| u64::from_le_bytes(count.try_into().expect("eight")));
        let hit = hit.split(|&byte| byte == 0).next().unwrap_or_default();
        let files = scenario.files.iter().map(|file| (*file, fs::read(self.outside(file)).ok()));
        Came {
            code: status.code(),
            signal: status.signal(),
            stdout,
            stderr: String::from_utf8_lossy(&stderr).into_owned(),
            files: files.collect(),
            calls: calls.collect(),
            hit: String::from_utf8_lossy(hit).into_owned(),
        }
    }

    /// What may be left behind by runs that were cut off.
    fn litter(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        for dir in [self.subject.sandbox.outside().to_path_buf(), self.subject.sandbox.path(), self.git_dir()]
        {
            for entry in fs::read_dir(dir).expect("a directory") {
                let path = entry.expect("an entry").path();
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                if name.starts_with(".stanch-") || name.starts_with(".tmp") || name == "index.lock" {
                    found.push(path);
                }
            }
        }
        found
    }
}

/// What was read and found, without what may be said besides.
fn substance(document: &[u8]) -> Option<(Value, Value)> {
    let document: Value = serde_json::from_slice(document).ok()?;
    Some((document.get("findings")?.clone(), document.get("coverage")?.clone()))
}

/// What is wrong with how a failed run ended, compared with the run that nothing failed.
fn judge(scenario: &Scenario, kind: &str, clean: &Came, came: &Came, bench: &Bench) -> Result<(), String> {
    let texts = [came.stderr.as_bytes(), &came.stdout];
    let files = came.files.values().flatten().map(Vec::as_slice);
    for token in &bench.subject.tokens {
        let shows = |text: &[u8]| text.windows(token.len() - 12).any(|part| part == &token.as_bytes()[12..]);
        if texts.into_iter().chain(files.clone()).any(shows) {
            return Err("shows a secret".to_owned());
        }
    }
    // The allocator of Rust ends the process with a line of its own, which names the variable for backtraces.
    for word in ["panicked", "internal error", "backtrace"] {
        if kind == "alloc" && word == "backtrace" {
            continue;
        }
        if came.stderr.contains(word) {
            return Err(format!("says `{word}`"));
        }
    }
    // A killed or aborted process tidies up no more.
    if came.signal.is_none() && kind != "again" {
        let litter = bench.litter();
        if !litter.is_empty() {
            return Err(format!("leaves {litter:?}"));
        }
    }
    for (name, content) in &came.files {
        let Some(content) = content else { continue };
        let whole = clean.files[name].as_deref().unwrap_or_default();
        let is_whole = match *name {
            "audit.jsonl" => {
                let lines: Result<Vec<Value>, _> =
                    content.split_inclusive(|&byte| byte == b'\n').map(serde_json::from_slice).collect();
                lines.is_ok() && (content.is_empty() || content.ends_with(b"\n"))
            }
            name if name.ends_with(".html") => content.trim_ascii_end().ends_with(b"</html>"),
            name if name.ends_with(".json") || name.ends_with(".sarif") => {
                serde_json::from_slice::<Value>(content).is_ok()
            }
            // Who accepts it stands at the end, where git's configuration says that.
            _ => fingerprints(content) == fingerprints(whole),
        };
        if !is_whole {
            return Err(format!("leaves {name} broken off, {} bytes", content.len()));
        }
    }
    match (came.code, came.signal) {
        (Some(2), _) => {
            let report = substance(&came.stdout);
            let tells = |(_, coverage): &(Value, Value)| coverage["problems"] != Value::Array(Vec::new());
            if came.stderr.trim().is_empty() && !report.as_ref().is_some_and(tells) {
                return Err("ends in 2 without a word".to_owned());
            }
            Ok(())
        }
        (Some(code), _) if code == scenario.code => {
            let (found, known) = (substance(&came.stdout), substance(&clean.stdout));
            // A killed run may have left a cache, from which the next one knows part of what it would read.
            let is_same = match kind {
                "again" => found.map(|(findings, _)| findings) == known.map(|(findings, _)| findings),
                _ => found == known,
            };
            if !is_same {
                return Err(format!("ends in {code} with another report: {}", difference(clean, came)));
            }
            for (name, content) in &came.files {
                if content.is_none() {
                    return Err(format!("ends in {code} without {name}"));
                }
            }
            Ok(())
        }
        // The allocator of Rust ends the process when there is no memory. libgit2 may in its own way: a copy of a
        // configuration without room for an entry is a success without a copy to it (`git_config_list_dup`).
        (None, Some(6 | 11)) if kind == "alloc" => Ok(()),
        (None, Some(9)) if kind == "kill" => Ok(()),
        (code, signal) => Err(format!("ends in {code:?}, signal {signal:?}")),
    }
}

/// The entries of a baseline, without what is said about them.
fn fingerprints(baseline: &[u8]) -> Vec<Vec<&[u8]>> {
    let lines = baseline.split(|&byte| byte == b'\n');
    lines.map(|line| line.split(|&byte| byte == b' ').take(2).collect()).collect()
}

fn difference(clean: &Came, came: &Came) -> String {
    let (Some(clean), Some(came)) = (substance(&clean.stdout), substance(&came.stdout)) else {
        return "no document".to_owned();
    };
    let paths = |findings: &Value| -> BTreeSet<String> {
        let all = findings.as_array().expect("a list").iter();
        all.map(|finding| {
            format!("{}:{} {}", finding["path"], finding["line"], finding["history"]["reached_by"])
        })
        .collect()
    };
    let (before, after) = (paths(&clean.0), paths(&came.0));
    format!(
        "without {:?}, with {:?}, coverage differs: {}",
        before.difference(&after).collect::<Vec<_>>(),
        after.difference(&before).collect::<Vec<_>>(),
        clean.1 != came.1
    )
}

/// At most so many of the calls, with the first and the last, and what lies evenly between; of one any.
fn chosen(calls: u64, most: u64, any: u64) -> Vec<u64> {
    match most {
        _ if calls <= most => (1..=calls).collect(),
        1 => vec![1 + any % calls],
        most => (0..most).map(|place| 1 + place * (calls - 1) / (most - 1)).collect(),
    }
}

struct Try {
    scenario: usize,
    kind: &'static str,
    fault: String,
}

#[test]
fn no_failing_call_ends_in_clean() {
    let sweep = std::env::var("STANCH_FAULTS").ok();
    let most = match sweep.as_deref() {
        None => 1,
        Some("all") => u64::MAX,
        Some(number) => {
            number.parse().expect("STANCH_FAULTS is `all` or how many calls of a kind are to fail")
        }
    };
    let scenarios = scenarios();
    let benches = [Bench::new(), Bench::new()];
    benches.iter().for_each(Bench::warm_up);
    let cleans: Vec<Came> = scenarios
        .iter()
        .map(|scenario| {
            let came = benches[0].run(scenario, None);
            assert_eq!(came.code, Some(scenario.code), "{}: {}", scenario.name, came.stderr);
            let files: Vec<_> = came.files.iter().filter(|(_, content)| content.is_none()).collect();
            assert!(files.is_empty(), "{}: {files:?}", scenario.name);
            came
        })
        .collect();
    let mut tries = Vec::new();
    for (number, clean) in cleans.iter().enumerate() {
        for (turn, (kind, code, mode)) in FAULTS.into_iter().enumerate() {
            // By itself the test gives each command line a quarter of the faults.
            if sweep.is_none() && (number + turn) % 4 != 0 {
                continue;
            }
            let calls = clean.calls[KINDS.iter().position(|known| *known == kind).expect("a kind")];
            // Allocations are tens of thousands, and few of them are not Rust's, which end the process.
            let most = if kind == "alloc" { most.min(400) } else { most };
            for call in chosen(calls, most, (number * 31 + turn * 17) as u64) {
                tries.push(Try { scenario: number, kind, fault: format!("{kind}:{call}:{code}:{mode}") });
            }
        }
        for (group, code) in REFUSED {
            tries.push(Try { scenario: number, kind: "system", fault: format!("system:{group}:{code}:on") });
        }
    }
    let next = AtomicUsize::new(0);
    let work = |bench: &Bench| {
        let mut failures = Vec::new();
        while let Some(one) = tries.get(next.fetch_add(1, Ordering::Relaxed)) {
            let (scenario, clean) = (&scenarios[one.scenario], &cleans[one.scenario]);
            let came = bench.run(scenario, Some(&one.fault));
            if let Err(what) = judge(scenario, one.kind, clean, &came, bench) {
                failures.push(format!("{} {} ({}): {what}", scenario.name, one.fault, came.hit));
            }
            if sweep.is_some() {
                let said = came.stderr.lines().next().unwrap_or_default().to_owned();
                println!("{}\t{}\t{}\t{:?}\t{said}", scenario.name, one.fault, came.hit, came.code);
            }
        }
        failures
    };
    let failures: Vec<String> = thread::scope(|scope| {
        let work = &work;
        let workers: Vec<_> = benches.iter().map(|bench| scope.spawn(move || work(bench))).collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("no assertion failed")).collect()
    });
    let mut text = String::new();
    for failure in &failures {
        writeln!(text, "{failure}").expect("a string takes any text");
    }
    assert!(failures.is_empty(), "{} of {} runs failed:\n{text}", failures.len(), tries.len());
    println!("{} faults in {} command lines", tries.len(), scenarios.len());
}

/// libgit2 lists no more refs, loose or packed, and says nothing, where a directory of them cannot be read on; of a
/// branch that went on since it was packed it then gives the old commit.
#[test]
fn no_ref_is_lost_where_a_directory_cannot_be_read_on() {
    let mut bench = Bench::new();
    bench.subject.sandbox.git(&["branch", "other", "HEAD~1"]);
    bench.subject.sandbox.git(&["pack-refs", "--all"]);
    let newer = bench.subject.secret();
    bench.subject.sandbox.git(&["branch", "moved", "HEAD~2"]);
    bench.subject.sandbox.git(&["pack-refs", "--all"]);
    let tree = bench.subject.sandbox.git(&["rev-parse", "HEAD^{tree}"]);
    let commit = bench.subject.sandbox.git(&["commit-tree", "-p", "moved", "-m", &newer, &tree]);
    bench.subject.sandbox.git(&["update-ref", "refs/heads/moved", &commit]);
    bench.subject.sandbox.git(&["branch", "loose", "HEAD~1"]);
    bench.warm_up();
    let list = KINDS.iter().position(|known| *known == "list").expect("a kind");
    let scenarios = scenarios();
    let scenario = scenarios.iter().find(|scenario| scenario.name == "history --reachable-only");
    let scenario = scenario.expect("a command line");
    let clean = bench.run(scenario, None);
    assert_eq!(clean.code, Some(scenario.code), "{}", clean.stderr);
    assert!(clean.calls[list] > 15, "{}", clean.calls[list]);
    for call in 1..=clean.calls[list] {
        let fault = format!("list:{call}:5:once");
        let came = bench.run(scenario, Some(&fault));
        if let Err(error) = judge(scenario, "list", &clean, &came, &bench) {
            panic!("{fault} ({}): {error}", came.hit);
        }
    }
}

/// An ignore file that could not be looked at, opened or read was taken for none: what a line of it takes back was
/// left out, and `baseline create` took in what it leaves out.
#[test]
fn no_ignore_file_is_passed_over() {
    let bench = Bench::new();
    bench.subject.sandbox.write(".git/info/exclude", "nothing.at.all\n");
    let mut failed = BTreeSet::new();
    for scenario in scenarios() {
        if !["scan", "scan two paths", "baseline create"].contains(&scenario.name) {
            continue;
        }
        for path in ["/.gitignore", "/info/exclude"] {
            let codes = fail_each(&bench, &scenario, path, "once");
            failed.extend(codes.into_iter().map(|code| (scenario.name, code)));
        }
    }
    let expected = [("baseline create", 2), ("scan", 2), ("scan two paths", 2)];
    assert_eq!(failed.into_iter().collect::<Vec<_>>(), expected, "each of them is needed");
}

/// libgit2 died where it could no longer look at the configuration that it was asked about.
#[test]
fn a_configuration_that_goes_out_of_reach_ends_no_run_with_a_signal() {
    let bench = Bench::new();
    let mut failed = BTreeSet::new();
    for scenario in scenarios() {
        if ["staged", "scan", "check", "baseline create", "hook run pre-commit"].contains(&scenario.name) {
            let codes = fail_each(&bench, &scenario, "/.git/config", "on");
            failed.extend(codes.contains(&2).then_some(scenario.name));
        }
    }
    assert_eq!(failed.len(), 5, "{failed:?}");
}

/// Fails each call for such a path, or it and all that follow, and returns the exit codes.
fn fail_each(bench: &Bench, scenario: &Scenario, path: &str, mode: &str) -> BTreeSet<i32> {
    let clean = bench.run_on(path, scenario, None);
    assert_eq!(clean.code, Some(scenario.code), "{}: {}", scenario.name, clean.stderr);
    let mut codes = BTreeSet::new();
    for kind in ["stat", "open", "read"] {
        let calls = clean.calls[KINDS.iter().position(|known| *known == kind).expect("a kind")];
        assert!(calls > 0, "{} does not {kind} {path}", scenario.name);
        for call in 1..=calls {
            let fault = format!("{kind}:{call}:{EIO}:{mode}");
            let came = bench.run_on(path, scenario, Some(&fault));
            if let Err(what) = judge(scenario, kind, &clean, &came, bench) {
                panic!("{} {fault} ({}): {what}", scenario.name, came.hit);
            }
            codes.extend(came.code);
        }
    }
    codes
}

/// Killed at any call, a run leaves the index as it was, and files that are whole or not there; the next run works.
#[test]
fn a_killed_run_leaves_nothing_that_stops_the_next() {
    let bench = Bench::new();
    bench.warm_up();
    let index = bench.git_dir().join("index");
    let before = fs::read(&index).expect("an index");
    let wanted = [
        "history --cache, cold",
        "staged --output",
        "staged --audit-log",
        "baseline create",
        "hook run pre-commit",
    ];
    let most = std::env::var("STANCH_FAULTS").ok().and_then(|number| number.parse().ok()).unwrap_or(1);
    let mut kills = 0;
    for scenario in scenarios().iter().filter(|scenario| wanted.contains(&scenario.name)) {
        let clean = bench.run(scenario, None);
        assert_eq!(clean.code, Some(scenario.code), "{}", clean.stderr);
        for (place, kind) in KINDS.into_iter().enumerate() {
            for call in chosen(clean.calls[place], most, 3 * kills as u64) {
                let fault = format!("{kind}:{call}:0:kill");
                let came = bench.run(scenario, Some(&fault));
                let what = format!("{} {fault} ({})", scenario.name, came.hit);
                assert!(came.signal == Some(9), "{what}: {:?} {:?}", came.code, came.signal);
                if let Err(error) = judge(scenario, "kill", &clean, &came, &bench) {
                    panic!("{what}: {error}");
                }
                assert!(fs::read(&index).expect("an index") == before, "{what}: the index has changed");
                assert!(!bench.git_dir().join("index.lock").exists(), "{what}: a lock stays");
                kills += 1;
                // A baseline that is there is whole, and is not written again.
                if scenario.name == "baseline create" && came.files["baseline"].is_some() {
                    continue;
                }
                let again = bench.go("", scenario, None);
                if let Err(error) = judge(scenario, "again", &clean, &again, &bench) {
                    panic!("{what}, and again: {error}");
                }
                assert_eq!(again.code, clean.code, "{what}, and again: {}", again.stderr);
            }
        }
    }
    println!("{kills} kills");
}

/// With less memory or fewer files than it needs a run says so, or is ended by the allocator or the loader.
#[test]
fn limits_of_memory_and_files_never_end_in_clean() {
    let bench = Bench::new();
    let limits = (4..24).map(|files| format!("ulimit -n {files}"));
    let memory = (1..=14).map(|step| format!("ulimit -v {}", step * 16_384));
    let clean: Vec<(Scenario, Came)> = scenarios()
        .into_iter()
        .filter(|scenario| ["staged", "scan", "history"].contains(&scenario.name))
        .map(|scenario| {
            let came = bench.run(&scenario, None);
            (scenario, came)
        })
        .collect();
    let mut complete = 0;
    for (number, limit) in limits.chain(memory).enumerate() {
        let (scenario, clean) = &clean[number % clean.len()];
        let mut shell = bench.subject.sandbox.command("bash");
        shell.args(["-c", &format!("ulimit -c 0; {limit}; exec \"$0\" \"$@\""), stanch()]);
        shell.args(scenario.args).args(["--threads", "2"]);
        let output = shell.output().expect("bash runs");
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!stderr.contains("internal error") && !stderr.contains("panicked"), "{limit}: {stderr}");
        match (output.status.code(), output.status.signal()) {
            (Some(1), _) => {
                assert_eq!(substance(&output.stdout), substance(&clean.stdout), "{} {limit}", scenario.name);
                complete += 1;
            }
            // 127: not even the libraries fit.
            (Some(2 | 127), _) => assert!(!stderr.is_empty(), "{} {limit}", scenario.name),
            (None, Some(6 | 11)) => {}
            (code, signal) => panic!("{} {limit}: {code:?} {signal:?} {stderr}", scenario.name),
        }
    }
    assert!(complete > 0, "the last limits are wide enough");
}
