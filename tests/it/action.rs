//! The CI gate: `hooks/ci` with the variables of a CI system, on real repositories and their shallow clones.
#![cfg(unix)]

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::{Ran, Sandbox, clickup_token, stanch, write_program};

const ZEROS: &str = "0000000000000000000000000000000000000000";

/// A server with `main` (an old token in it, then clean commits), and `topic` from there with a token that its last
/// commit takes out again. Since then `main` has moved on.
struct Server {
    sandbox: Sandbox,
    base: String,
    topic: String,
    main: String,
}

impl Server {
    fn new() -> Self {
        let sandbox = Sandbox::repo();
        sandbox.git(&["config", "uploadpack.allowAnySHA1InWant", "true"]);
        sandbox.write("old.py", format!("old = \"{}\"\n", clickup_token(1)));
        sandbox.commit_all("old sins");
        sandbox.git(&["rm", "--quiet", "old.py"]);
        sandbox.commit_all("out again");
        // Sixty commits without a change, in one go.
        let many = |branch: &str| {
            let mut stream = String::new();
            for number in 0..60 {
                let from = if number == 0 { format!("from refs/heads/{branch}^0\n") } else { String::new() };
                stream += &format!(
                    "commit refs/heads/{branch}\ncommitter A <a@b> {} +0000\ndata 5\nempty\n{from}\n",
                    1_714_972_200 + number
                );
            }
            let file = sandbox.outside().join("stream");
            fs::write(&file, stream).expect("a written file");
            let mut git = sandbox.command("git");
            git.args(["fast-import", "--quiet"]).stdin(fs::File::open(&file).expect("the stream"));
            assert!(git.status().expect("git runs").success());
        };
        many("main");
        let base = sandbox.git(&["rev-parse", "HEAD"]);
        sandbox.git(&["checkout", "--quiet", "-b", "topic"]);
        sandbox.write("new.py", format!("new = \"{}\"\n", clickup_token(2)));
        sandbox.commit_all("new sins");
        sandbox.git(&["rm", "--quiet", "new.py"]);
        sandbox.commit_all("out again");
        many("topic");
        let topic = sandbox.git(&["rev-parse", "HEAD"]);
        sandbox.git(&["checkout", "--quiet", "main"]);
        sandbox.write("main.py", "main = 1\n");
        sandbox.commit_all("moved on");
        let main = sandbox.git(&["rev-parse", "HEAD"]);
        Self { sandbox, base, topic, main }
    }

    /// A clone of one commit, as CI systems make it.
    fn shallow(&self, branch: &str) -> PathBuf {
        self.clone_to("clone", &["--depth=1", "--branch", branch])
    }

    fn clone_to(&self, name: &str, options: &[&str]) -> PathBuf {
        let dir = self.sandbox.outside().join(name);
        let _ = fs::remove_dir_all(&dir);
        let url = format!("file://{}", self.sandbox.path().display());
        let dir_name = dir.to_str().expect("UTF-8").to_owned();
        let args = [&["clone", "--quiet", "--no-tags"][..], options, &[&url, &dir_name]].concat();
        self.sandbox.git(&args);
        dir
    }

    fn ci(&self, dir: &Path, vars: &[(&str, &str)]) -> Ran {
        let mut command = self.sandbox.command("sh");
        command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("hooks/ci")).current_dir(dir);
        command.env("STANCH_BIN", stanch()).envs(vars.iter().copied());
        Ran::new(command.output().expect("sh runs"))
    }

    fn github(&self, dir: &Path, event: &str, vars: &[(&str, &str)]) -> Ran {
        let mut all =
            vec![("GITHUB_ACTIONS", "true"), ("GITHUB_EVENT_NAME", event), ("EVENT_DEFAULT_BRANCH", "main")];
        all.extend(vars);
        self.ci(dir, &all)
    }
}

#[track_caller]
fn finds_only(ran: Ran, file: &str) {
    let ran = ran.expect_code(1);
    for name in ["old.py", "new.py"] {
        assert_eq!(ran.stdout.contains(name), name == file, "{name}: {ran:?}");
    }
}

/// On `main` and on the other branch.
#[track_caller]
fn finds_both(ran: Ran) {
    let ran = ran.expect_code(1);
    assert!(ran.stdout.contains("old.py") && ran.stdout.contains("new.py"), "{ran:?}");
}

#[test]
fn a_pull_request_is_scanned_from_its_merge_base() {
    let server = Server::new();
    let event = [("EVENT_BASE", server.main.as_str()), ("EVENT_HEAD", server.topic.as_str())];
    for (event_name, branch) in
        [("pull_request", "topic"), ("pull_request_target", "main"), ("merge_group", "topic")]
    {
        finds_only(server.github(&server.shallow(branch), event_name, &event), "new.py");
        finds_only(server.github(&server.clone_to("full", &[]), event_name, &event), "new.py");
    }
    let clean = [("EVENT_BASE", server.base.as_str()), ("EVENT_HEAD", server.main.as_str())];
    let ran = server.github(&server.shallow("main"), "pull_request", &clean).expect_code(0);
    assert!(ran.stdout.contains("no secrets found"), "{ran:?}");
}

#[test]
fn a_full_clone_stays_full() {
    let server = Server::new();
    let dir = server.clone_to("full", &["--single-branch", "--branch", "main"]);
    let event = [("EVENT_BASE", server.main.as_str()), ("EVENT_HEAD", server.topic.as_str())];
    finds_only(server.github(&dir, "pull_request", &event), "new.py");
    assert!(!dir.join(".git/shallow").exists());
}

#[test]
fn a_push_is_scanned_by_what_it_brought() {
    let server = Server::new();
    let push = |branch: &str, before: &str, after: &str| {
        let vars = [("EVENT_BEFORE", before), ("EVENT_AFTER", after), ("GITHUB_REF_NAME", branch)];
        server.github(&server.shallow(branch), "push", &vars)
    };
    finds_only(push("topic", &server.base, &server.topic), "new.py");
    push("main", &server.base, &server.main).expect_code(0);
    // A new branch, and one that was forced over commits that are gone: what the default branch does not have.
    finds_only(push("topic", ZEROS, &server.topic), "new.py");
    finds_only(push("topic", &"1".repeat(40), &server.topic), "new.py");
    // The default branch itself is then scanned whole.
    finds_both(push("main", ZEROS, &server.main));
    let ran = push("topic", &server.topic, ZEROS).expect_code(0);
    assert!(ran.stdout.contains("a branch was deleted"), "{ran:?}");
    push("topic", &server.base, "").expect_code(2);
}

#[test]
fn a_schedule_scans_all_of_history() {
    let server = Server::new();
    for event in ["schedule", "workflow_dispatch"] {
        finds_both(server.github(&server.shallow("main"), event, &[]));
    }
    let dir = server.shallow("main");
    finds_both(server.ci(&dir, &[("STANCH_SCOPE", "history")]));
    server.ci(&dir, &[("STANCH_SCOPE", "files")]).expect_code(0);
}

#[test]
fn history_that_cannot_be_fetched_fails_with_the_reason() {
    let server = Server::new();
    let dir = server.shallow("topic");
    let mut git = server.sandbox.command("git");
    git.args(["remote", "set-url", "origin", "file:///nowhere"]).current_dir(&dir);
    assert!(git.status().expect("git runs").success());
    let event = [("EVENT_BASE", server.main.as_str()), ("EVENT_HEAD", server.topic.as_str())];
    let ran = server.github(&dir, "pull_request", &event).expect_code(2);
    assert!(ran.stderr.contains("fetch-depth: 0"), "{ran:?}");
    assert!(ran.stdout.contains("::error title=stanch::"), "{ran:?}");
    let ran = server.github(&dir, "schedule", &[]).expect_code(2);
    assert!(ran.stderr.contains("the rest of the history cannot be fetched"), "{ran:?}");
    let ran = server.ci(server.sandbox.outside(), &[]).expect_code(2);
    assert!(ran.stderr.contains("there is no repository here"), "{ran:?}");
    let ran = server.ci(&dir, &[("STANCH_BIN", "/nowhere/stanch")]).expect_code(2);
    assert!(ran.stderr.contains("was not found"), "{ran:?}");
}

#[test]
fn gitlab_tells_the_same_in_other_words() {
    let server = Server::new();
    let merge_request = [
        ("GITLAB_CI", "true"),
        ("CI_PIPELINE_SOURCE", "merge_request_event"),
        ("CI_MERGE_REQUEST_DIFF_BASE_SHA", server.base.as_str()),
        ("CI_COMMIT_SHA", server.topic.as_str()),
    ];
    finds_only(server.ci(&server.shallow("topic"), &merge_request), "new.py");
    let push = [
        ("GITLAB_CI", "true"),
        ("CI_PIPELINE_SOURCE", "push"),
        ("CI_COMMIT_BEFORE_SHA", ZEROS),
        ("CI_COMMIT_SHA", server.topic.as_str()),
        ("CI_COMMIT_REF_NAME", "topic"),
        ("CI_DEFAULT_BRANCH", "main"),
    ];
    finds_only(server.ci(&server.shallow("topic"), &push), "new.py");
    let schedule = [("GITLAB_CI", "true"), ("CI_PIPELINE_SOURCE", "schedule")];
    finds_both(server.ci(&server.shallow("main"), &schedule));
}

#[test]
fn elsewhere_a_base_is_enough() {
    let server = Server::new();
    let dir = server.clone_to("full", &["--branch", "topic"]);
    finds_only(server.ci(&dir, &[("STANCH_BASE", "origin/main")]), "new.py");
    finds_only(server.ci(&dir, &[("STANCH_BASE", &server.base), ("STANCH_HEAD", "origin/topic")]), "new.py");
    finds_only(server.ci(&server.shallow("topic"), &[("STANCH_BASE", "main")]), "new.py");
    server.ci(&dir, &[("STANCH_BASE", "origin/gone")]).expect_code(2);
    server.ci(&dir, &[("STANCH_SCOPE", "range")]).expect_code(2);
}

#[test]
fn what_is_no_input_is_refused_and_never_run() {
    let server = Server::new();
    let dir = server.clone_to("full", &[]);
    for (name, value) in [
        ("STANCH_SCOPE", "all"),
        ("STANCH_SCOPE", "$(touch pwned)"),
        ("STANCH_FAIL_ON", "always"),
        ("STANCH_ANNOTATE", "yes"),
        ("STANCH_MIN_SEVERITY", "worst"),
        ("STANCH_BASE", "--upload-pack=touch pwned"),
        ("STANCH_BASE", "main; touch pwned"),
        ("STANCH_BASE", "`touch pwned`"),
        ("STANCH_BASE", "main..topic"),
        ("STANCH_REMOTE", "--exec=touch pwned"),
        ("STANCH_SARIF", "a,human=b"),
        ("STANCH_SARIF", "--show-secrets"),
        ("STANCH_SARIF", "a\nb"),
        ("STANCH_BASELINE", "/nowhere/baseline"),
    ] {
        let ran = server.ci(&dir, &[(name, value)]).expect_code(2);
        let told = format!("{}{}", ran.stdout, ran.stderr);
        assert!(told.contains("error"), "{name}={value}: {ran:?}");
        assert!(!dir.join("pwned").exists(), "{name}={value}");
    }
    for (base, head) in [("$(touch pwned)", server.topic.as_str()), (&server.base, "-x"), ("", "")] {
        let vars = [("EVENT_BASE", base), ("EVENT_HEAD", head)];
        server.github(&dir, "pull_request", &vars).expect_code(2);
        assert!(!dir.join("pwned").exists());
    }
}

#[test]
fn what_a_repository_holds_gives_no_orders_to_github() {
    let server = Server::new();
    let sandbox = &server.sandbox;
    sandbox.write("::error::forged", format!("x = \"{}\"\n", clickup_token(7)));
    sandbox.commit_all("forged");
    let head = sandbox.git(&["rev-parse", "HEAD"]);
    let (summary, outputs) = (sandbox.outside().join("summary"), sandbox.outside().join("outputs"));
    let path = |path: &Path| path.to_str().expect("UTF-8").to_owned();
    let (summary_name, outputs_name) = (path(&summary), path(&outputs));
    let vars = [
        ("EVENT_BASE", server.main.as_str()),
        ("EVENT_HEAD", head.as_str()),
        ("GITHUB_STEP_SUMMARY", summary_name.as_str()),
        ("GITHUB_OUTPUT", outputs_name.as_str()),
    ];
    let ran = server.github(&server.clone_to("full", &[]), "pull_request", &vars).expect_code(1);
    let lines: Vec<&str> = ran.stdout.lines().collect();
    let stop =
        lines.iter().position(|line| line.starts_with("::stop-commands::")).expect("orders are stopped");
    let word = lines[stop].trim_start_matches("::stop-commands::");
    let again = lines.iter().position(|line| *line == format!("::{word}::")).expect("orders count again");
    let forged: Vec<usize> = lines
        .iter()
        .enumerate()
        .filter(|(_, line)| line.contains(":error::forged"))
        .map(|(at, _)| at)
        .collect();
    assert!(!forged.is_empty() && forged.iter().all(|at| (stop..again).contains(at)), "{}", ran.stdout);
    assert!(word.len() > 30, "{word}");
    // Nor would it be an order without that.
    assert!(!ran.stdout.contains("::error"), "{}", ran.stdout);

    let summary = fs::read_to_string(summary).unwrap();
    assert!(summary.starts_with("### stanch: secrets found\n"), "{summary}");
    assert!(summary.lines().filter(|line| line.contains("forged")).all(|line| line.starts_with("    ")));
    assert_eq!(fs::read_to_string(outputs).unwrap(), "exit-code=1\nfound=true\nscope=range\n");
}

#[test]
fn findings_may_be_let_pass_but_not_failures() {
    let server = Server::new();
    let dir = server.clone_to("full", &[]);
    let vars = [("STANCH_BASE", "origin/main"), ("STANCH_HEAD", "origin/topic"), ("STANCH_FAIL_ON", "never")];
    let ran = server.ci(&dir, &vars).expect_code(0);
    assert!(ran.stdout.contains("new.py"), "{ran:?}");
    for (code, expected) in [(0, 0), (1, 0), (2, 2), (3, 2), (101, 2)] {
        let program = server.sandbox.outside().join("ends");
        write_program(&program, format!("#!/bin/sh\nexit {code}\n"));
        let program = program.to_str().expect("UTF-8");
        server.ci(&dir, &[vars[0], vars[1], vars[2], ("STANCH_BIN", program)]).expect_code(expected);
    }
}

/// Which reports are asked for; that they are written is the reporters' business.
#[test]
fn reports_are_asked_for_in_one_run() {
    let server = Server::new();
    let dir = server.clone_to("full", &[]);
    let program = server.sandbox.outside().join("notes");
    let script = "#!/bin/sh\nfor word in \"$@\"; do printf '%s\\n' \"$word\"; done >called\n\
                  for word in \"$@\"; do case $word in *github=*) echo '::warning::here' >\"${word##*github=}\" ;; esac; done\n\
                  echo '{}' >some.sarif; exit 1\n";
    write_program(&program, script);
    let outputs = server.sandbox.outside().join("outputs");
    let vars = [
        ("GITHUB_OUTPUT", outputs.to_str().expect("UTF-8")),
        ("GITHUB_ACTIONS", "true"),
        ("STANCH_BIN", program.to_str().expect("UTF-8")),
        ("STANCH_SCOPE", "history"),
        ("STANCH_SARIF", "some.sarif"),
        ("STANCH_GITLAB", "gl.json"),
        ("STANCH_ANNOTATE", "true"),
        ("STANCH_MIN_SEVERITY", "high"),
        ("STANCH_BASELINE", "my baseline"),
    ];
    let ran = server.ci(&dir, &vars).expect_code(1);
    let called = fs::read_to_string(dir.join("called")).unwrap();
    let words: Vec<&str> = called.lines().collect();
    assert_eq!(words[..4], ["history", "--min-severity", "high", "--baseline=my baseline"]);
    assert_eq!(words[4..7], ["--format", "human", "--output"]);
    assert!(words[7].starts_with("sarif=some.sarif,gitlab=gl.json,github="), "{called}");
    let stop = ran.stdout.rfind("::\n::warning::here").expect("annotations come after the report");
    assert!(ran.stdout[..stop].contains("::stop-commands::"), "{ran:?}");
    assert!(fs::read_to_string(outputs).unwrap().ends_with("sarif=some.sarif\n"));
}

#[test]
fn the_action_hands_everything_over_by_variables() {
    let action = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("action.yml")).unwrap();
    let (head, steps) = action.split_once("\nruns:\n").expect("steps");
    for line in steps.lines().filter(|line| line.contains("run:")) {
        assert!(!line.contains("${{"), "{line}");
    }
    let inputs = head
        .split_once("\ninputs:\n")
        .and_then(|(_, rest)| rest.split_once("\noutputs:\n"))
        .expect("inputs")
        .0;
    let names = inputs.lines().filter_map(|line| line.strip_prefix("  ")?.strip_suffix(':'));
    let names: Vec<&str> = names.filter(|name| !name.starts_with(' ')).collect();
    assert!(names.len() > 10, "{names:?}");
    for name in names {
        assert!(steps.contains(&format!("${{{{ inputs.{name} }}}}")), "{name} is not handed over");
    }
    let script = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("hooks/ci")).unwrap();
    let variables = steps.lines().filter_map(|line| line.trim().split_once(": ${{")).map(|(name, _)| name);
    let install = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("hooks/ci-install")).unwrap();
    for name in variables.filter(|name| name.starts_with("STANCH_") || name.starts_with("EVENT_")) {
        assert!(script.contains(name) || install.contains(name), "nobody reads {name}");
    }
}

#[test]
fn a_release_is_installed_only_with_the_right_sum() {
    let server = Server::new();
    let outside = server.sandbox.outside();
    let releases = outside.join("releases");
    let uname = |option: &str| {
        let said = std::process::Command::new("uname").arg(option).output().expect("uname runs").stdout;
        String::from_utf8_lossy(&said).trim().to_owned()
    };
    let cpu = if ["arm64", "aarch64"].contains(&uname("-m").as_str()) { "aarch64" } else { "x86_64" };
    let system = if uname("-s") == "Darwin" { "apple-darwin" } else { "unknown-linux-musl" };
    let archive = format!("stanch-{cpu}-{system}.tar.gz");
    let dir = releases.join("v1.2.3");
    write_program(&outside.join("packed/stanch"), "#!/bin/sh\necho 'stanch 1.2.3'\n");
    fs::create_dir_all(&dir).unwrap();
    let mut tar = server.sandbox.command("tar");
    tar.arg("-czf").arg(dir.join(&archive)).arg("stanch").current_dir(outside.join("packed"));
    assert!(tar.status().expect("tar runs").success());
    let sum = crate::support::sha256(&fs::read(dir.join(&archive)).unwrap());
    // A machine need not have curl for the tests.
    write_program(
        &outside.join("fake/curl"),
        "#!/bin/sh\nout= url=\nwhile [ $# -gt 0 ]; do case $1 in --output) out=$2; shift ;; file://*) url=${1#file://} ;; esac; shift; done\nexec cp \"$url\" \"$out\"\n",
    );
    let path = std::env::var_os("PATH").expect("a PATH");
    let dirs = [outside.join("fake")].into_iter().chain(std::env::split_paths(&path));
    let path = std::env::join_paths(dirs).expect("a PATH");
    let (temp, path_file) = (outside.join("runner"), outside.join("path"));
    let install = |vars: &[(&str, &str)]| {
        let mut command = server.sandbox.command("sh");
        command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("hooks/ci-install"));
        command
            .env("PATH", &path)
            .env("RUNNER_TEMP", &temp)
            .env("GITHUB_PATH", &path_file)
            .env("STANCH_VERSION", "1.2.3");
        command.env("STANCH_RELEASES", format!("file://{}", releases.display())).envs(vars.iter().copied());
        Ran::new(command.output().expect("sh runs"))
    };
    let refused = |ran: Ran, why: &str| {
        let ran = ran.expect_code(2);
        assert!(ran.stdout.contains("::error title=stanch::"), "{ran:?}");
        assert!(ran.stdout.contains(why) || ran.stderr.contains(why), "{why}: {ran:?}");
        assert!(!temp.join("stanch-bin/stanch").exists() && !path_file.exists());
    };
    refused(install(&[]), "cannot download");
    fs::write(dir.join("SHA256SUMS"), format!("{sum}  other.tar.gz\n")).unwrap();
    refused(install(&[]), "has no sum");
    fs::write(dir.join("SHA256SUMS"), format!("{}  {archive}\n", "1".repeat(64))).unwrap();
    refused(install(&[]), "nothing was installed");
    fs::write(dir.join("SHA256SUMS"), format!("{sum}  {archive}\n{sum}  other.tar.gz\n")).unwrap();
    refused(install(&[("STANCH_SHA256", &"2".repeat(64))]), "nothing was installed");
    refused(install(&[("STANCH_VERSION", "../../x")]), "`version`");
    refused(install(&[("STANCH_INSTALL", "somehow")]), "`install`");
    refused(install(&[("STANCH_RELEASES", "http://localhost")]), "neither https nor file");
    install(&[]).expect_code(0);
    assert_eq!(fs::read_to_string(&path_file).unwrap().trim(), temp.join("stanch-bin").to_str().unwrap());
    assert!(temp.join("stanch-bin/stanch").is_file());
}

/// The reports themselves, as they are uploaded and shown.
#[test]
fn reports_are_written_in_one_run() {
    let server = Server::new();
    let dir = server.clone_to("full", &[]);
    let outputs = server.sandbox.outside().join("outputs");
    let event = [
        ("EVENT_BASE", server.main.as_str()),
        ("EVENT_HEAD", server.topic.as_str()),
        ("GITHUB_OUTPUT", outputs.to_str().expect("UTF-8")),
        ("STANCH_SARIF", "some.sarif"),
        ("STANCH_GITLAB", "gl.json"),
        ("STANCH_ANNOTATE", "true"),
    ];
    let ran = server.github(&dir, "pull_request", &event).expect_code(1);
    let (report, annotations) = ran.stdout.rsplit_once("\n::stanch-").expect("orders count again");
    assert!(report.contains("new.py") && report.contains("clickup-personal-token"), "{report}");
    let errors: Vec<&str> = annotations.lines().filter(|line| line.starts_with("::error ")).collect();
    assert!(errors.len() == 1 && errors[0].contains("new.py"), "{annotations}");
    for (file, part) in [("some.sarif", "new.py"), ("gl.json", "new.py")] {
        let text = fs::read_to_string(dir.join(file)).expect("a report");
        let _: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        assert!(text.contains(part), "{file}: {text}");
    }
    assert!(fs::read_to_string(outputs).unwrap().ends_with("sarif=some.sarif\n"));
}
