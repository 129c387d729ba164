//! `stanch scan` and `stanch stdin`: files as they are on disk, and a stream.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::support::{Ran, Sandbox, clickup_token};

/// A line with a secret.
fn secret_line(seed: u64) -> String {
    format!("token = {}\n", clickup_token(seed))
}

#[track_caller]
fn scan(sandbox: &Sandbox, code: i32, args: &[&str]) -> Value {
    sandbox.stanch(&[&["scan", "--format", "json"], args].concat()).expect_code(code).json()
}

/// Paths of the findings, in the order of the report.
fn paths(report: &Value) -> Vec<&str> {
    let findings = report["findings"].as_array().expect("findings");
    findings.iter().map(|finding| finding["path"].as_str().expect("a path")).collect()
}

/// Line and column of each finding.
fn places(report: &Value) -> Vec<(u64, u64)> {
    let number = |finding: &Value, key: &str| finding[key].as_u64().expect("a number");
    let findings = report["findings"].as_array().expect("findings");
    findings.iter().map(|finding| (number(finding, "line"), number(finding, "column"))).collect()
}

fn problems(report: &Value) -> Vec<&str> {
    let problems = report["coverage"]["problems"].as_array().expect("problems");
    problems.iter().map(|problem| problem["name"].as_str().expect("a name")).collect()
}

#[test]
fn the_ignore_rules_are_those_of_git() {
    let sandbox = Sandbox::repo();
    sandbox.write(".gitignore", "*.log\n/build/\n!keep.log\ndata/**\n");
    sandbox.write("sub/.gitignore", "local\n!sub.log\n");
    sandbox.write(".git/info/exclude", "excluded\n");
    let home = sandbox.outside().join("home");
    let excludes = home.join("excludes");
    fs::write(&excludes, "everywhere\n").expect("a file");
    sandbox.git(&["config", "--global", "core.excludesFile", excludes.to_str().expect("UTF-8")]);
    let files = [
        "a.log",
        "build/x",
        "sub/build/x",
        "keep.log",
        "sub/a.log",
        "sub/sub.log",
        "sub/local",
        "local",
        "excluded",
        "sub/excluded",
        "everywhere",
        "data/x/y",
        ".env",
        ".hidden/x",
        "plain",
        "sub/deep/local",
    ];
    for (seed, file) in files.iter().enumerate() {
        sandbox.write(file, secret_line(seed as u64));
    }
    let ignored: Vec<&str> = files
        .iter()
        .copied()
        .filter(|file| sandbox.try_git(&["check-ignore", "--quiet", file]).code == 0)
        .collect();
    assert_eq!(ignored.len(), 9, "{ignored:?}");
    let mut expected: Vec<&str> = files.iter().copied().filter(|file| !ignored.contains(file)).collect();
    expected.sort_unstable();
    for args in [&[][..], &["."], &["./"], &["--threads", "8"], &["--threads", "1"]] {
        assert_eq!(paths(&scan(&sandbox, 1, args)), expected, "{args:?}");
    }

    let mut all = files.to_vec();
    all.sort_unstable();
    assert_eq!(paths(&scan(&sandbox, 1, &["--no-ignore"])), all);

    // What is named is read, and so are files that are tracked although a rule names them.
    assert_eq!(paths(&scan(&sandbox, 1, &["a.log", "build/x"])), ["a.log", "build/x"]);
    sandbox.git(&["add", "--force", "build/x", "sub/local", "sub/a.log"]);
    fs::remove_file(sandbox.path().join("sub/a.log")).expect("a file to remove");
    expected.extend(["build/x", "sub/local"]);
    expected.sort_unstable();
    assert_eq!(paths(&scan(&sandbox, 1, &[])), expected);
    let below: Vec<&str> = expected.iter().copied().filter(|path| path.starts_with("sub/")).collect();
    assert_eq!(paths(&scan(&sandbox, 1, &["sub"])), below);
    let inside =
        sandbox.stanch_in(&sandbox.path().join("sub"), &["scan", "--format", "json"]).expect_code(1).json();
    let inside: Vec<String> = paths(&inside).iter().map(|path| format!("sub/{path}")).collect();
    assert_eq!(inside, below);
    // However the directory is named.
    let top = sandbox.path();
    let absolute = format!("{}/", top.to_str().expect("UTF-8"));
    for (dir, named, prefix) in [
        (&top, absolute.as_str(), absolute.as_str()),
        (&top.join("sub"), "..", "../"),
        (&top, "sub/..", "sub/../"),
    ] {
        let report = sandbox.stanch_in(dir, &["scan", "--format", "json", named]).expect_code(1).json();
        let stripped: Vec<&str> =
            paths(&report).iter().map(|path| path.strip_prefix(prefix).expect("as typed")).collect();
        assert_eq!(stripped, expected, "{named}");
    }
}

/// A line in Latin-1 was the end of an ignore file, so that what the next one takes back was left out.
#[cfg(unix)]
#[test]
fn odd_ignore_files_mean_what_git_makes_of_them() {
    let sandbox = Sandbox::repo();
    sandbox.write(".gitignore", b"*.local\n# caf\xe9\n!kept.local\nn\xffme\n");
    sandbox.write("nul/.gitignore", b"!a.local\0b\n");
    sandbox.write("bom/.gitignore", "\u{feff}!a.local\n");
    sandbox.write("ends/.gitignore", "!a.local\r\n!b.local");
    sandbox.write("link/shared", "!a.local\n*.txt\n");
    std::os::unix::fs::symlink("shared", sandbox.path().join("link/.gitignore")).expect("a link");
    fs::create_dir_all(sandbox.path().join("dir/.gitignore/in")).expect("a directory");
    sandbox.write("case/.gitignore", "!A.LOCAL\nREADME*\n");
    sandbox.write("mine", "own.txt\n");
    sandbox.git(&["config", "core.excludesFile", "mine"]);
    let below = ["a.local", "b.local", "kept.local", "readme.txt", "own.txt"];
    let mut files = Vec::new();
    for (number, dir) in
        ["", "nul/", "bom/", "ends/", "link/", "dir/", "case/", "dir/.gitignore/in/"].iter().enumerate()
    {
        for (place, name) in below.iter().enumerate() {
            let path = format!("{dir}{name}");
            sandbox.write(&path, secret_line((number * below.len() + place) as u64));
            files.push(path);
        }
    }
    for folds in ["false", "true"] {
        sandbox.git(&["config", "core.ignoreCase", folds]);
        let is_left = |file: &&str| sandbox.try_git(&["check-ignore", "--quiet", file]).code == 1;
        let mut left: Vec<&str> = files.iter().map(String::as_str).filter(is_left).collect();
        left.sort_unstable();
        assert!(left.contains(&"kept.local") && left.len() < files.len(), "{left:?}");
        assert_eq!(paths(&scan(&sandbox, 1, &[])), left, "core.ignoreCase={folds}");
    }
    sandbox.git(&["config", "core.excludesFile", "/dev/null"]);
    assert!(paths(&scan(&sandbox, 1, &[])).contains(&"own.txt"));
}

#[test]
fn a_damaged_index_is_an_error_since_tracked_files_may_be_ignored() {
    let sandbox = Sandbox::repo();
    sandbox.write("a", "clean\n");
    sandbox.commit_all("base");
    scan(&sandbox, 0, &[]);
    sandbox.write(".git/index", "no index, but long enough to be one");
    scan(&sandbox, 2, &[]);
    scan(&sandbox, 0, &["--no-ignore"]);
}

/// Git writes no such index; it comes with a repository that was made by hand.
#[test]
fn an_index_that_leads_out_of_the_working_tree_is_an_error() {
    let sandbox = Sandbox::repo();
    std::fs::write(sandbox.outside().join("elsewhere.txt"), clickup_token(1)).expect("a written file");
    let index = |path: &str| {
        let mut bytes = b"DIRC\0\0\0\x02\0\0\0\x01".to_vec();
        let start = bytes.len();
        bytes.extend([0; 24]);
        bytes.extend(0o100_644_u32.to_be_bytes());
        bytes.extend(vec![0; 12 + sandbox.id_len()]);
        bytes.extend((path.len() as u16).to_be_bytes());
        bytes.extend(path.as_bytes());
        bytes.resize(bytes.len() + 8 - (bytes.len() - start) % 8, 0);
        // Git leaves out the checksum where `index.skipHash` is set.
        bytes.extend(vec![0; sandbox.id_len()]);
        bytes
    };
    sandbox.write("a.txt", "nothing\n");
    sandbox.write(".git/index", index("a.txt"));
    sandbox.stanch(&["scan"]).expect_code(0);
    let absolute = sandbox.outside().join("elsewhere.txt");
    for path in ["../elsewhere.txt", "a/../../elsewhere.txt", absolute.to_str().expect("a plain path")] {
        sandbox.write(".git/index", index(path));
        for command in ["scan", "check"] {
            let ran = sandbox.stanch(&[command]).expect_code(2);
            let said = ran.stdout + &ran.stderr;
            assert!(said.contains("is damaged: a path "), "{command} {path}: {said}");
        }
    }
}

#[test]
fn arguments_that_overlap_read_a_file_once() {
    let sandbox = Sandbox::new();
    sandbox.write("a/x", secret_line(1));
    sandbox.write("b", secret_line(2));
    let report = scan(&sandbox, 1, &["./a/x", "a", ".", "b", "a//"]);
    assert_eq!(paths(&report), ["a/x", "b"]);
    assert_eq!(report["coverage"]["files"], 2);
    let absolute = sandbox.path().join("b");
    let report = scan(&sandbox, 1, &["b", absolute.to_str().expect("UTF-8")]);
    assert_eq!(paths(&report), ["b"]);
}

#[test]
fn a_submodule_is_scanned_like_a_directory() {
    let sandbox = Sandbox::repo();
    sandbox.write("a", "clean\n");
    sandbox.commit_all("base");
    let other = sandbox.outside().join("other");
    let other = other.to_str().expect("UTF-8");
    sandbox.git(&["clone", "--quiet", ".", other]);
    sandbox.git(&["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", other, "sub"]);
    sandbox.write("sub/.gitignore", "*.log\n");
    sandbox.write("sub/x.log", secret_line(1));
    sandbox.write("sub/x", secret_line(2));
    assert!(sandbox.path().join("sub/.git").is_file());
    let report = scan(&sandbox, 1, &[]);
    assert_eq!(paths(&report), ["sub/x"]);
    // .gitmodules, a, sub/a, sub/.gitignore, sub/x; no .git.
    assert_eq!(report["coverage"]["files"], 5);
}

/// Longer than a window of 16 MiB.
const LARGE_BYTES: usize = 17 << 20;

#[test]
fn a_large_file_is_read_in_windows_with_true_lines() {
    let sandbox = Sandbox::new();
    let line = "a line of text that is nothing special at all\n";
    let near_seam = (16 << 20) / line.len();
    let mut text = String::new();
    let mut expected = Vec::new();
    let mut lines = 0;
    for (seed, at) in [0, near_seam - 1200, near_seam - 1, near_seam, near_seam + 1, LARGE_BYTES / line.len()]
        .into_iter()
        .enumerate()
    {
        text.push_str(&line.repeat(at - lines));
        text.push_str(&secret_line(seed as u64));
        lines = at + 1;
        expected.push((lines as u64, 9));
    }
    sandbox.write("large", &text);
    let report = scan(&sandbox, 1, &["large"]);
    assert_eq!(places(&report), expected);
    assert_eq!(report["coverage"]["bytes"], text.len());

    let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let ran = sandbox.stanch_with_input(&["stdin", "--format", "json"], &wide).expect_code(1);
    assert_eq!(places(&ran.json()), expected);
}

#[test]
fn a_line_longer_than_a_window_is_read_with_true_columns() {
    let sandbox = Sandbox::new();
    let mut text = "some words without an end, ".repeat(LARGE_BYTES / 27);
    let mut expected = Vec::new();
    for (seed, at) in [(1, 100), (2, (16 << 20) - 2000), (3, (16 << 20) - 10), (4, (16 << 20) + 4000)] {
        let token = format!(" {} ", clickup_token(seed));
        text.replace_range(at..at + token.len(), &token);
        expected.push((1, at as u64 + 2));
    }
    sandbox.write("long", &text);
    assert_eq!(places(&scan(&sandbox, 1, &["long"])), expected);
}

#[test]
fn limits_and_binaries_are_counted() {
    let sandbox = Sandbox::new();
    sandbox.write("binary", [b"\0\x01\x02".as_slice(), secret_line(1).as_bytes()].concat());
    sandbox.write("large", format!("{}{}", "x\n".repeat(600), secret_line(2)));
    sandbox.write("latin", [b"caf\xE9 ".as_slice(), secret_line(3).as_bytes()].concat());
    let report = scan(&sandbox, 1, &["--max-file-bytes", "1000"]);
    assert_eq!(paths(&report), ["latin"]);
    assert_eq!(report["coverage"]["skipped"]["counts"]["binary"], 1);
    assert_eq!(report["coverage"]["skipped"]["counts"]["too-large"], 1);
    assert_eq!(report["coverage"]["files"], 1);
}

#[test]
fn what_cannot_be_read_is_an_error() {
    let sandbox = Sandbox::new();
    sandbox.write("file", secret_line(1));
    for missing in ["missing", "file/below", "missing/below"] {
        let report = scan(&sandbox, 2, &["file", missing]);
        assert_eq!(problems(&report), [missing]);
        assert_eq!(paths(&report), ["file"], "what was found is reported all the same");
    }
}

#[cfg(unix)]
#[test]
fn links_pipes_and_odd_names_are_no_trap() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::symlink;
    let sandbox = Sandbox::new();
    let inside = |name: &str| sandbox.path().join(name);
    sandbox.write("real/x", secret_line(1));
    symlink("real", inside("dir-link")).expect("a link");
    symlink("real/x", inside("link")).expect("a link");
    symlink("..", inside("real/up")).expect("a link");
    symlink("loop", inside("loop")).expect("a link");
    let made = sandbox.command("mkfifo").arg("pipe").status().expect("mkfifo runs");
    assert!(made.success());
    let report = scan(&sandbox, 1, &[]);
    assert_eq!(paths(&report), ["real/x"]);
    assert_eq!(report["coverage"]["skipped"]["counts"]["symlink"], 4);
    assert_eq!(report["coverage"]["skipped"]["counts"]["special-file"], 1);
    // A link is followed when it is named, and a pipe is not opened even then.
    assert_eq!(paths(&scan(&sandbox, 1, &["link"])), ["link"]);
    assert_eq!(paths(&scan(&sandbox, 1, &["dir-link"])), ["dir-link/x"]);
    sandbox.stanch(&["scan", "loop"]).expect_code(2);
    scan(&sandbox, 0, &["pipe"]);

    let odd = Sandbox::new();
    // Some file systems take UTF-8 only.
    if fs::write(odd.path().join(OsStr::from_bytes(b"odd\xFF\x1B[31m")), secret_line(1)).is_ok() {
        assert_eq!(paths(&scan(&odd, 1, &[])).len(), 1);
    }
}

/// Root may read whatever the permissions say, so the file is one whose first bytes nobody can read.
#[cfg(target_os = "linux")]
#[test]
fn a_read_error_is_an_error() {
    let sandbox = Sandbox::new();
    let unreadable = "/proc/self/mem";
    assert!(fs::read(unreadable).is_err(), "the address zero is not mapped");
    assert_eq!(problems(&scan(&sandbox, 2, &[unreadable])), [unreadable]);
    std::os::unix::fs::symlink(unreadable, sandbox.path().join("link")).expect("a link");
    scan(&sandbox, 0, &[]);
    assert_eq!(problems(&scan(&sandbox, 2, &["link"])), ["link"]);
}

/// Permissions stop everyone but root, so the test makes sure of whom it is run by.
#[cfg(unix)]
#[test]
fn a_file_and_a_directory_without_permission_are_errors() {
    use std::os::unix::fs::PermissionsExt;
    let sandbox = Sandbox::new();
    sandbox.write("closed/file", secret_line(1));
    sandbox.write("file", secret_line(2));
    sandbox.write("open", secret_line(3));
    let closed: Vec<PathBuf> = ["closed", "file"].iter().map(|name| sandbox.path().join(name)).collect();
    let set = |mode: u32| {
        for path in &closed {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("permissions");
        }
    };
    set(0);
    let denied = fs::read(&closed[1]).is_err();
    let report = scan(&sandbox, if denied { 2 } else { 1 }, &[]);
    set(0o700);
    if denied {
        assert_eq!(problems(&report), ["closed", "file"]);
        assert_eq!(paths(&report), ["open"]);
    } else {
        assert_eq!(paths(&report), ["closed/file", "file", "open"], "root reads everything");
    }
}

#[test]
fn threads_make_no_difference() {
    let sandbox = Sandbox::repo();
    sandbox.write(".gitignore", "ignored*\n");
    for file in 0..120 {
        sandbox.write(&format!("d{}/e{}/f{file}", file % 5, file % 3), format!("x\n{}", secret_line(file)));
        sandbox.write(&format!("d{}/ignored{file}", file % 5), secret_line(file));
        sandbox.write(&format!("d{}/binary{file}", file % 5), [0; 9]);
    }
    let run = |threads| -> Ran {
        sandbox.stanch(&["scan", "--format", "json", "--threads", threads]).expect_code(1)
    };
    let (one, eight) = (run("1"), run("8"));
    assert_eq!(one.json()["findings"].as_array().expect("findings").len(), 120);
    assert_eq!(one.stdout, eight.stdout);
}

#[test]
fn standard_input_is_scanned_under_a_name() {
    let sandbox = Sandbox::new();
    let text = format!("one\ntwo\n{}", secret_line(1));
    let run = |args: &[&str], input: &[u8], code| {
        let args = [&["stdin", "--format", "json"], args].concat();
        sandbox.stanch_with_input(&args, input).expect_code(code).json()
    };
    let report = run(&[], text.as_bytes(), 1);
    assert_eq!((paths(&report), places(&report)), (vec!["<stdin>"], vec![(3, 9)]));
    assert_eq!(paths(&run(&["--path", "src/a.rs"], text.as_bytes(), 1)), ["src/a.rs"]);
    run(&[], b"", 0);
    assert_eq!(run(&[], b"\0\x01", 0)["coverage"]["skipped"]["counts"]["binary"], 1);
}
