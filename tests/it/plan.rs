//! `stanch history --plan`: the plan as it is written, and its steps done with the real git-filter-repo.

use std::fs;
use std::path::{Path, PathBuf};
#[cfg(unix)]
use std::process::{Command, Stdio};

#[cfg(unix)]
use data_encoding::BASE64;
#[cfg(unix)]
use stanch::filter::proof::seal;
#[cfg(unix)]
use stanch::rule::schema::Checksum;

#[cfg(unix)]
use crate::support::{Ran, stanch};
use crate::support::{Sandbox, clickup_token};

/// Says what is missing instead of passing over the test: the steps are worth nothing if nobody ever did them.
#[cfg(unix)]
#[track_caller]
fn require_filter_repo() {
    let found = Command::new("git").args(["filter-repo", "--version"]).stderr(Stdio::null()).output();
    assert!(
        found.is_ok_and(|output| output.status.success()),
        "git-filter-repo is missing, and this test does the steps of a plan with it: install the package git-filter-repo \
         (Debian, Homebrew, or `pip install git-filter-repo` with its directory on PATH)"
    );
}

fn plan_dir(sandbox: &Sandbox) -> PathBuf {
    sandbox.outside().join("plan")
}

#[track_caller]
fn make_plan(sandbox: &Sandbox, more: &[&str]) -> PathBuf {
    let dir = plan_dir(sandbox);
    let ran = sandbox.stanch(&[&["history", "--plan", dir.to_str().expect("UTF-8")], more].concat());
    let ran = ran.expect_code(1);
    assert!(ran.stderr.contains("wrote the plan: start with"), "{ran:?}");
    dir
}

#[cfg(unix)]
/// Runs the script of the plan, with the binary under test as `stanch`.
fn clean(sandbox: &Sandbox, plan: &Path) -> Ran {
    let path = std::env::join_paths(
        [Path::new(stanch()).parent().expect("a binary lies in a directory").to_path_buf()]
            .into_iter()
            .chain(std::env::split_paths(&std::env::var_os("PATH").expect("there is a PATH"))),
    )
    .expect("directories without a colon");
    let mut command = sandbox.command("sh");
    command.env("PATH", path).arg(plan.join("clean.sh")).arg(sandbox.path());
    Ran::new(command.current_dir(sandbox.outside()).output().expect("sh runs"))
}

#[cfg(unix)]
fn private_key() -> String {
    let label = "PRIVATE KEY";
    let stub = format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", "Zk3".repeat(40));
    String::from_utf8(seal(Checksum::Pem, stub.trim_end().as_bytes())).expect("a key is ASCII") + "\n"
}

#[cfg(unix)]
fn utf16(text: &str) -> Vec<u8> {
    [0xff, 0xfe].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect()
}

#[cfg(unix)]
/// Whether any object of the repository holds the bytes.
fn is_in_objects(sandbox: &Sandbox, needle: &[u8]) -> bool {
    let list = sandbox.git(&["cat-file", "--batch-all-objects", "--batch-check=%(objectname) %(objecttype)"]);
    list.lines().any(|line| {
        let (id, kind) = line.split_once(' ').expect("two columns");
        let output = sandbox.command("git").args(["cat-file", kind, id]).output().expect("git runs");
        memchr::memmem::find(&output.stdout, needle).is_some()
    })
}

#[cfg(unix)]
#[test]
fn the_steps_clean_everything_and_a_rescan_proves_it() {
    require_filter_repo();
    [20, 32].into_iter().for_each(steps_clean_everything);
}

#[cfg(unix)]
fn steps_clean_everything(id_len: usize) {
    let sandbox = Sandbox::repo_with_names(id_len);
    let tokens: Vec<String> = (0..10).map(|n| clickup_token(900 + 10 * n)).collect();
    sandbox.write("kept.txt", "nothing of interest\n");
    sandbox.write("conf/app.env", format!("TOKEN={}\n", tokens[0]));
    sandbox.commit_all("start");
    sandbox.write("conf/app.env", "TOKEN=\n");
    sandbox.write("keys/server.key", private_key());
    let crlf = private_key().replace('\n', "\r\n");
    sandbox.write("keys/windows.key", &crlf);
    sandbox.write(
        "encoded.yaml",
        format!("data: {}\n", BASE64.encode(format!("token={}", tokens[1]).as_bytes())),
    );
    sandbox.write("wide.txt", utf16(&format!("token = {}\r\n", tokens[2])));
    sandbox.commit_all(&format!("a message that holds {}", tokens[3]));
    sandbox.git(&["tag", "--annotate", "v1", "--message", &format!("tagged with {}", tokens[4])]);
    // On another branch.
    sandbox.git(&["checkout", "--quiet", "-b", "topic"]);
    sandbox.write("topic.txt", format!("{}\n", tokens[5]));
    sandbox.commit_all("topic");
    sandbox.git(&["checkout", "--quiet", "main"]);
    // In a reflog alone.
    sandbox.write("brief.txt", format!("{}\n", tokens[6]));
    sandbox.commit_all("brief");
    sandbox.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
    // In the stash.
    sandbox.write("kept.txt", format!("{}\n", tokens[7]));
    sandbox.git(&["stash", "--quiet"]);
    // Reached by nothing.
    sandbox.write("loose.txt", format!("{}\n", tokens[8]));
    sandbox.git(&["hash-object", "-w", "loose.txt"]);
    fs::remove_file(sandbox.path().join("loose.txt")).expect("it was there");
    // On a remote-tracking branch.
    sandbox.git(&["remote", "add", "origin", "https://user:word@git.example.org/a.git"]);
    sandbox.git(&["update-ref", "refs/remotes/origin/topic", "topic"]);
    sandbox.write("now.txt", format!("{}\n", tokens[9]));
    sandbox.commit_all("now");

    let plan = make_plan(&sandbox, &[]);
    let text = fs::read_to_string(plan.join("plan.md")).expect("plan.md");
    let json: serde_json::Value =
        serde_json::from_slice(&fs::read(plan.join("plan.json")).expect("plan.json")).expect("it is JSON");
    for token in &tokens {
        assert!(!text.contains(&token[12..]), "plan.md is redacted");
        assert!(!json.to_string().contains(&token[12..]), "plan.json is redacted");
    }
    assert_eq!(text.contains("bfg.jar"), id_len == 20, "BFG knows no longer names");
    assert!(!text.contains("user:word") && text.contains("https://git.example.org/a.git"), "{text}");
    assert_eq!(json["complete"], true);
    let exposed = |token: &str, reach: &str| {
        let secrets = json["secrets"].as_array().expect("a list");
        secrets.iter().any(|secret| {
            let is_here = secret["exposed"].as_array().expect("a list").iter().any(|one| one == reach);
            is_here && secret["redacted"].as_str().is_some_and(|redacted| token.starts_with(&redacted[..4]))
        })
    };
    for (token, reach) in
        [(0, "head"), (4, "tag"), (5, "remote"), (6, "reflog"), (7, "stash"), (8, "unreachable")]
    {
        assert!(exposed(&tokens[token], reach), "{reach}: {json:#}");
    }
    // Only what no line can replace goes as a whole.
    let removed = fs::read_to_string(plan.join("removed-blobs.txt")).expect("removed-blobs.txt");
    assert_eq!(removed, sandbox.git(&["rev-parse", "v1:wide.txt"]) + "\n");

    let ran = clean(&sandbox, &plan).expect_code(0);
    assert!(ran.stdout.contains("no secrets"), "{ran:?}");
    for token in &tokens {
        assert!(!is_in_objects(&sandbox, token.as_bytes()), "no object holds it");
    }
    assert!(!is_in_objects(&sandbox, b"PRIVATE KEY-----"), "no object holds the key");
    let key = sandbox.git(&["show", "main:keys/windows.key"]);
    assert!(key.starts_with("***REMOVED***"), "{} bytes", key.len());
    assert_eq!(sandbox.git(&["show", "main:kept.txt"]), "nothing of interest", "the rest is as it was");
    assert_eq!(sandbox.git(&["show", "main:conf/app.env"]), "TOKEN=");
    assert!(sandbox.git(&["log", "--format=%B", "main"]).contains("a message that holds ***REMOVED***"));
    sandbox.stanch(&["history"]).expect_code(0);
}

/// Values of every shape go through the file of replacements as they are.
#[cfg(unix)]
#[test]
fn replacements_are_exact_for_any_bytes() {
    require_filter_repo();
    let sandbox = Sandbox::repo();
    let config = sandbox.outside().join("rules.toml");
    fs::write(
        &config,
        "[[rule]]\nid = \"acme-value\"\nprovider = \"Acme\"\ndescription = \"a value between marks\"\n\
         kind = \"prefixed\"\nseverity = \"high\"\nconfidence = \"high\"\n\
         regex = '(?s-u)acme<<(?P<secret>.+?)>>end'\nexamples = [\"acme<<one>>end\"]\n",
    )
    .unwrap();
    let values: Vec<Vec<u8>> = vec![
        b"regex:.*Kq8vZ".to_vec(),
        b"glob:*Wm4".to_vec(),
        b"literal:xT7".to_vec(),
        b"left==>right==>Rz5".to_vec(),
        b" spaced out Lp2 ".to_vec(),
        b"#hash (a|b)+[c]{2}$^\\Qn9".to_vec(),
        b"two\nlines Vb3".to_vec(),
        b"part Vb3x".to_vec(),
        b"outer\npart Vb3x\ninner".to_vec(),
        b"carriage\rreturn\tTab1".to_vec(),
        b"latin \xe9\xff\xfe Jd6".to_vec(),
        "unicode ü € Hs8".as_bytes().to_vec(),
        b"Hs8 at the start".to_vec(),
        b"ends with return\r".to_vec(),
    ];
    let mut first = b"before\n".to_vec();
    for value in &values {
        first.extend_from_slice(&[b"acme<<".as_slice(), value, b">>end\n"].concat());
    }
    first.extend_from_slice(b"after\n");
    sandbox.write("values.txt", &first);
    sandbox.commit_all("values");
    let rules = ["--config", config.to_str().unwrap(), "--rule", "acme-value"];
    let plan = make_plan(&sandbox, &rules);
    let json: serde_json::Value = serde_json::from_slice(&fs::read(plan.join("plan.json")).unwrap()).unwrap();
    assert_eq!(json["secrets"].as_array().map(Vec::len), Some(values.len()), "each value is found");
    clean(&sandbox, &plan).expect_code(0);
    let output = sandbox.command("git").args(["show", "main:values.txt"]).output().unwrap();
    let mut expected = b"before\n".to_vec();
    values.iter().for_each(|_| expected.extend_from_slice(b"acme<<***REMOVED***>>end\n"));
    expected.extend_from_slice(b"after\n");
    assert_eq!(String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&expected));
}

#[test]
fn a_plan_overwrites_nothing_and_stays_out_of_the_repository() {
    let sandbox = Sandbox::repo();
    sandbox.write("a.txt", clickup_token(5));
    sandbox.commit_all("a");
    let there = sandbox.outside().join("there");
    fs::create_dir(&there).unwrap();
    let ran = sandbox.stanch(&["history", "--plan", there.to_str().unwrap()]).expect_code(2);
    assert!(ran.stderr.contains("is there already"), "{ran:?}");
    let through_above = sandbox.path().file_name().unwrap().to_str().unwrap().to_owned();
    for inside in ["plan", ".git/plan", &format!("../{through_above}/plan")] {
        let ran = sandbox.stanch(&["history", "--plan", inside]).expect_code(2);
        assert!(ran.stderr.contains("lies in the repository"), "{ran:?}");
        assert_eq!(ran.stdout, "", "refused before the work");
        assert!(!sandbox.path().join(inside).exists());
    }
    let ran = sandbox.stanch(&["history", "--plan", "no/such/place"]).expect_code(2);
    assert!(ran.stderr.contains("cannot write the plan to no/such/place"), "{ran:?}");
    sandbox.stanch(&["history", "--plan", "plan", "--plan-in-repository"]).expect_code(1);
    sandbox.stanch(&["history", "--plan", "plan", "--plan-in-repository"]).expect_code(2);
    sandbox.stanch(&["history", "--plan", "x", "HEAD~1..HEAD"]).expect_code(2);
    let left = fs::read_dir(sandbox.outside()).unwrap();
    assert!(left.flatten().all(|entry| !entry.file_name().to_string_lossy().contains("stanch-plan")));
}

#[cfg(unix)]
#[test]
fn only_its_owner_reads_a_plan() {
    use std::os::unix::fs::PermissionsExt;
    let sandbox = Sandbox::repo();
    sandbox.write("a.txt", clickup_token(5));
    sandbox.commit_all("a");
    let plan = make_plan(&sandbox, &[]);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&plan), 0o700);
    let files: Vec<PathBuf> = fs::read_dir(&plan).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files.len(), 5, "{files:?}");
    assert!(files.iter().all(|file| mode(file) == 0o600));
}

#[test]
fn a_plan_says_when_there_is_nothing_to_do_or_not_all_was_read() {
    let sandbox = Sandbox::repo();
    sandbox.write("a.txt", "nothing\n");
    sandbox.commit_all("a");
    let dir = plan_dir(&sandbox);
    sandbox.stanch(&["history", "--plan", dir.to_str().unwrap()]).expect_code(0);
    let text = fs::read_to_string(dir.join("plan.md")).unwrap();
    assert!(text.contains("nothing to do") && !text.contains("not complete"), "{text}");
    assert_eq!(fs::read_dir(&dir).unwrap().count(), 2);

    sandbox.write("b.txt", clickup_token(5));
    sandbox.write("gone.txt", "gone\n");
    sandbox.commit_all("b");
    let gone = sandbox.git(&["rev-parse", "HEAD:gone.txt"]);
    let object = sandbox.path().join(".git/objects").join(&gone[..2]).join(&gone[2..]);
    fs::remove_file(object).unwrap();
    let other = sandbox.outside().join("other");
    sandbox.stanch(&["history", "--plan", other.to_str().unwrap()]).expect_code(2);
    let text = fs::read_to_string(other.join("plan.md")).unwrap();
    assert!(text.contains("This plan is not complete") && text.contains("1 secret to revoke"), "{text}");
}

#[cfg(unix)]
#[test]
fn uncommitted_changes_are_not_taken_away() {
    require_filter_repo();
    let sandbox = Sandbox::repo();
    sandbox.write("a.txt", clickup_token(5));
    sandbox.commit_all("a");
    let plan = make_plan(&sandbox, &[]);
    sandbox.write("a.txt", "changed\n");
    let ran = clean(&sandbox, &plan).expect_code(2);
    assert!(ran.stderr.contains("uncommitted changes"), "{ran:?}");
    assert_eq!(fs::read_to_string(sandbox.path().join("a.txt")).unwrap(), "changed\n");
}

/// What git-filter-repo does not read with SHA-256 names is cleaned by git itself, with the commands of the plan.
#[cfg(unix)]
#[test]
fn files_are_taken_out_where_submodules_stop_the_tool() {
    let sandbox = Sandbox::repo_with_names(32);
    sandbox.write("app.env", format!("TOKEN={}\n", clickup_token(7)));
    sandbox.write("kept.txt", "kept\n");
    fs::create_dir(sandbox.path().join("sub")).unwrap();
    sandbox.git(&["add", "app.env", "kept.txt"]);
    sandbox.git(&["update-index", "--add", "--cacheinfo", &format!("160000,{},sub", "ab".repeat(32))]);
    sandbox.git(&["commit", "--quiet", "--message", "all"]);
    sandbox.git(&["tag", "--annotate", "--message", "a tag", "v1"]);
    let plan = make_plan(&sandbox, &[]);
    let text = fs::read_to_string(plan.join("plan.md")).unwrap();
    let start = text.find("git filter-branch").expect("the commands of git itself");
    let steps = text[start..].split("```").next().expect("a block").replace("FILE", "app.env");
    let mut shell = sandbox.command("sh");
    shell.args(["-euc", &steps]).env("FILTER_BRANCH_SQUELCH_WARNING", "1");
    Ran::new(shell.output().expect("sh runs")).expect_code(0);
    assert_eq!(sandbox.git(&["ls-tree", "--name-only", "v1"]), "kept.txt\nsub");
    sandbox.stanch(&["history"]).expect_code(0);
}
