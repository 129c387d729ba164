//! What `.github/SECURITY.md` and `.github/DEPENDENCIES.md` say is so.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The rows of the tables below a heading, each with its cells; without the head of a table.
fn rows<'t>(text: &'t str, heading: &str) -> Vec<Vec<&'t str>> {
    let (_, section) = text.split_once(&format!("\n## {heading}\n")).unwrap_or_else(|| panic!("{heading}"));
    let section = section.split("\n## ").next().expect("split gives a first part");
    let row =
        |line: &'t str| line.strip_prefix("| ")?.strip_suffix(" |").map(|row| row.split(" | ").collect());
    let rows: Vec<Vec<&str>> = section.lines().filter_map(row).collect();
    assert!(rows.len() > 2 && rows[1][0] == "---", "{heading} has no table");
    assert!(rows.iter().all(|row| row.len() == rows[0].len()), "{heading} has a crooked row");
    rows[2..].to_vec()
}

/// Whether there is a test of that name that runs: an attribute says that it is one, and none says to pass over it.
fn is_test(text: &str, name: &str) -> bool {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let head = format!("fn {name}(");
    lines.iter().enumerate().any(|(at, line)| {
        let above =
            lines[..at].iter().rev().take_while(|line| line.starts_with("#[") || line.starts_with("//"));
        let attributes: Vec<&&str> = above.collect();
        line.starts_with(&head)
            && attributes.iter().any(|line| **line == "#[test]")
            && !attributes.iter().any(|line| line.starts_with("#[") && line.contains("ignore"))
    })
}

#[test]
fn a_test_is_told_from_what_is_none() {
    let text = "#[test]\n#[cfg(unix)]\nfn one() {}\nfn two() {}\n#[test]\n#[ignore]\nfn three() {}\n";
    assert!(is_test(text, "one"));
    assert!(["two", "three", "on", "four"].iter().all(|name| !is_test(text, name)));
}

#[test]
fn every_promise_has_tests_that_exist() {
    let text = read(".github/SECURITY.md");
    let mut missing = Vec::new();
    for row in rows(&text, "What is promised") {
        for named in row[1].split("<br>") {
            let named = named.trim_matches('`');
            let Some((file, name)) = named.split_once(": ") else { panic!("no test: {named}") };
            if !is_test(&read(file), name) {
                missing.push(named.to_owned());
            }
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn every_dependency_has_its_reason() {
    let manifest: toml::Table = read("Cargo.toml").parse().expect("a manifest");
    let tables = ["dependencies", "build-dependencies", "dev-dependencies"];
    let of_one_system = manifest["target"].as_table().expect("a table").values();
    let places = of_one_system.map(|place| place.as_table().expect("a table")).chain([&manifest]);
    let direct: BTreeSet<&str> = places
        .flat_map(|place| tables.iter().filter_map(|table| place.get(*table)))
        .flat_map(|table| table.as_table().expect("a table").keys().map(String::as_str))
        .collect();
    let text = read(".github/DEPENDENCIES.md");
    let rows = rows(&text, "What Cargo.toml names");
    let told: BTreeSet<&str> = rows.iter().map(|row| row[0].trim_matches('`')).collect();
    assert_eq!(told.len(), rows.len(), "a crate has two rows");
    assert_eq!(told, direct);
    assert!(rows.iter().flatten().all(|cell| !cell.trim().is_empty()), "a cell is empty");
}

#[test]
fn what_compiles_c_is_listed() {
    let lock: toml::Table = read("Cargo.lock").parse().expect("a lock file");
    let packages = lock["package"].as_array().expect("packages");
    let needs_compiler = |package: &&toml::Value| {
        let needs = package.get("dependencies").and_then(toml::Value::as_array);
        needs.is_some_and(|needs| {
            needs
                .iter()
                .filter_map(toml::Value::as_str)
                .any(|name| ["cc", "cmake"].contains(&name.split(' ').next().unwrap_or(name)))
        })
    };
    let compiles: BTreeSet<&str> = packages
        .iter()
        .filter(needs_compiler)
        .map(|package| package["name"].as_str().expect("a name"))
        .collect();
    let text = read(".github/DEPENDENCIES.md");
    let told: BTreeSet<&str> =
        rows(&text, "C and assembly").iter().map(|row| row[0].trim_matches('`')).collect();
    assert_eq!(told, compiles);
}

/// Scripts, workflows and what people are told to type.
fn instructions() -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> =
        ["README.md", "install.sh", "action.yml"].iter().map(|name| root().join(name)).collect();
    for directory in [".ci", ".github", ".github/workflows", ".gitlab", ".packages", "hooks"] {
        let entries =
            fs::read_dir(root().join(directory)).unwrap_or_else(|error| panic!("{directory}: {error}"));
        let paths = entries.map(|entry| entry.expect("a readable entry").path());
        files.extend(paths.filter(|path| path.is_file()));
    }
    files
}

#[test]
fn every_build_is_locked() {
    let builds = ["build", "check", "clippy", "deny", "doc", "install", "run", "test"];
    let mut seen = 0;
    let mut loose = Vec::new();
    for file in instructions() {
        for line in read(&file).lines().filter(|line| !line.trim_start().starts_with('#')) {
            for (at, _) in line.match_indices("cargo ") {
                // `cargo` may be followed by the toolchain.
                let mut words =
                    line[at..].split_whitespace().skip(1).skip_while(|word| word.starts_with('+'));
                // Prose names the command alone.
                if words.next().is_some_and(|word| builds.contains(&word)) {
                    seen += 1;
                    if !line[at..].contains("--locked") {
                        loose.push(format!("{}: {line}", file.display()));
                    }
                }
            }
        }
    }
    assert!(seen > 15, "{seen}");
    assert!(loose.is_empty(), "{loose:#?}");
}

#[test]
fn workflows_run_what_a_commit_pins() {
    let is_pinned = |used: &str| {
        let commit = used.split_once('@').map(|(_, commit)| commit.split(' ').next().unwrap_or(commit));
        used == "./"
            || commit.is_some_and(|commit| {
                commit.len() == 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit())
            })
    };
    assert!(is_pinned("./") && is_pinned(&format!("a/b@{} # v1", "0123456789".repeat(4))));
    assert!(!is_pinned("actions/checkout@v4") && !is_pinned("a/b"));
    let mut seen = 0;
    for file in instructions() {
        let text = read(&file);
        let used =
            text.lines().filter_map(|line| line.trim_start().trim_start_matches("- ").strip_prefix("uses: "));
        if file.parent().is_some_and(|parent| parent.ends_with(".github/workflows")) {
            for used in used {
                seen += 1;
                assert!(is_pinned(used), "{}: {used}", file.display());
            }
            assert!(text.contains("\npermissions:\n  contents: read\n"), "{}", file.display());
        }
    }
    assert!(seen > 5, "{seen}");
}
