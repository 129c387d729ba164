//! The rooms of the library depend downwards only.

use std::fs;
use std::path::{Path, PathBuf};

/// For each room the rooms that it must not name.
const FORBIDDEN: &[(&str, &[&str])] = &[
    ("source", &["rule", "matcher", "filter", "report", "scanner", "config", "hygiene"]),
    ("report", &["scanner", "source", "git", "matcher", "filter", "config", "hygiene"]),
    ("filter", &["source", "report", "scanner", "git", "config", "hygiene"]),
    ("baseline", &["source", "report", "scanner", "git", "filter", "matcher", "config", "hygiene"]),
    ("matcher", &["source", "report", "scanner", "git", "filter", "config", "hygiene"]),
    ("rule", &["source", "report", "scanner", "git", "filter", "matcher", "config", "hygiene"]),
    ("decode", &["source", "report", "scanner", "git", "filter", "matcher", "rule", "config", "hygiene"]),
    ("git", &["source", "report", "scanner", "filter", "matcher", "rule", "config", "hygiene"]),
    ("verify", &["source", "scanner", "git", "filter", "matcher", "config", "hygiene"]),
    ("finding.rs", &["source", "report", "scanner", "git", "filter", "matcher"]),
    ("coverage.rs", &["source", "report", "scanner", "git", "filter", "matcher", "rule", "finding"]),
    ("location.rs", &["source", "report", "scanner", "git", "filter", "matcher", "rule", "finding"]),
    (
        "secret.rs",
        &["source", "report", "scanner", "git", "filter", "matcher", "rule", "finding", "location"],
    ),
    ("span.rs", &["source", "report", "scanner", "git", "filter", "matcher", "rule", "finding", "location"]),
];

fn rust_files(path: &Path, files: &mut Vec<PathBuf>) {
    if path.is_dir() {
        for entry in fs::read_dir(path).expect("a readable directory") {
            rust_files(&entry.expect("a readable entry").path(), files);
        }
    } else if path.extension().is_some_and(|extension| extension == "rs") {
        files.push(path.to_path_buf());
    }
}

#[test]
fn rooms_depend_downwards_only() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut offences = Vec::new();
    for (room, forbidden) in FORBIDDEN {
        let mut files = Vec::new();
        rust_files(&src.join(room), &mut files);
        assert!(!files.is_empty(), "there is no room {room}");
        for file in files {
            let text = fs::read_to_string(&file).expect("source files are text");
            // Tests may reach further than the code they test.
            let code = text.split("#[cfg(test)]").next().expect("split gives a first part");
            for other in *forbidden {
                if code.contains(&format!("crate::{other}::")) || code.contains(&format!("crate::{other};")) {
                    offences.push(format!("{} names {other}", file.strip_prefix(&src).unwrap().display()));
                }
            }
        }
    }
    assert!(offences.is_empty(), "{offences:#?}");
}

#[test]
fn git2_stays_in_its_room() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    rust_files(&src, &mut files);
    let outside: Vec<_> = files
        .iter()
        .filter(|file| !file.starts_with(src.join("git")))
        .filter(|file| fs::read_to_string(file).expect("source files are text").contains("git2::"))
        .collect();
    assert!(outside.is_empty(), "{outside:#?}");
}

/// A build without the feature `verify` has no code that could reach the network.
#[test]
fn only_the_room_that_asks_names_the_network() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    rust_files(&src, &mut files);
    let names_network = |text: &str| {
        ["ureq::", "rustls", "std::net::Tcp", "std::net::Udp", "ToSocketAddrs"]
            .iter()
            .any(|name| text.contains(name))
    };
    let outside: Vec<_> = files
        .iter()
        .filter(|file| !file.starts_with(src.join("verify")))
        .filter(|file| names_network(&fs::read_to_string(file).expect("source files are text")))
        .collect();
    assert!(outside.is_empty(), "{outside:#?}");
}

/// Scans start no program; only setting up a hook asks git, and tries the hook on a commit of its own.
#[test]
fn programs_are_started_in_one_room() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    rust_files(&src, &mut files);
    let starts_program = |text: &str| {
        let code = text.split("#[cfg(test)]").next().expect("split gives a first part");
        code.contains("Command::new(") || (code.contains("process::") && code.contains("Command,"))
    };
    let rooms: Vec<_> = files
        .iter()
        .filter(|file| !file.starts_with(src.join("cli")))
        .filter(|file| starts_program(&fs::read_to_string(file).expect("source files are text")))
        .map(|file| file.strip_prefix(&src).expect("it lies there").to_path_buf())
        .collect();
    assert!(rooms.iter().all(|file| file.starts_with("hygiene/hook")) && !rooms.is_empty(), "{rooms:#?}");
    let mut cli = Vec::new();
    rust_files(&src.join("cli"), &mut cli);
    for file in cli {
        let text = fs::read_to_string(&file).expect("source files are text");
        assert!(!text.contains("process::Command"), "{}", file.display());
    }
}

/// Names that only some systems have.
const OF_SOME_SYSTEMS: [&str; 7] =
    ["os::unix", "os::linux", "os::macos", "os::windows", "os::fd", "libc::", "rustix::"];

/// The numbers of the lines that use such a name without an attribute above them, or above a block around them, that
/// says where it is there. Relies on the indentation that rustfmt gives.
fn ungated(text: &str) -> Vec<usize> {
    let lines: Vec<&str> = text.lines().collect();
    let is_gate = |line: &str| {
        (line.starts_with("#[cfg(") || line.starts_with("#![cfg("))
            && ["unix", "windows", "target_os"].iter().any(|system| line.contains(system))
            && !line.contains("not(unix)")
    };
    if lines.iter().any(|line| line.starts_with("#![") && is_gate(line)) {
        return Vec::new();
    }
    let indent = |line: &str| line.len() - line.trim_start().len();
    let is_gated_here = |at: usize| {
        let above = lines[..at].iter().rev().map(|line| line.trim_start());
        above.take_while(|line| line.starts_with("#[") || line.starts_with("//")).any(is_gate)
    };
    let is_gated = |mut at: usize| loop {
        if is_gated_here(at) {
            return true;
        }
        // The line that opens the block around it, or goes on with what opens it: `) -> X {`.
        let around = (0..at).rev().find(|&above| {
            let (line, here) = (lines[above], lines[at]);
            let goes_on = here.trim_start().starts_with([')', '}', ']']);
            !line.trim().is_empty()
                && (indent(line) < indent(here) || (goes_on && indent(line) == indent(here)))
        });
        match around {
            Some(above) => at = above,
            None => return false,
        }
    };
    let names = |line: &str| {
        let code = line.trim_start();
        !code.starts_with("//") && OF_SOME_SYSTEMS.iter().any(|name| code.contains(name))
    };
    (0..lines.len()).filter(|&at| names(lines[at]) && !is_gated(at)).map(|at| at + 1).collect()
}

#[test]
fn an_ungated_name_is_noticed() {
    let gated = "#[cfg(unix)]\nuse std::os::unix::fs::symlink;\n\nfn a(\n    b: u8,\n) {\n    #[cfg(unix)]\n    {\n        \
                 if b > 0 {\n            use std::os::unix::fs::MetadataExt;\n        }\n    }\n}\n\
                 #[cfg(target_os = \"linux\")]\n// Why.\nfn c(\n    d: u8,\n) {\n    libc::x();\n}\n";
    assert_eq!(ungated(gated), [0; 0]);
    let open = "#[cfg(unix)]\nfn a() {}\n\nfn b() {\n    use std::os::unix::fs::MetadataExt;\n}\n";
    assert_eq!(ungated(open), [5]);
    assert_eq!(ungated("#[cfg(not(unix))]\nuse std::os::unix::fs::symlink;\n"), [2]);
    assert_eq!(ungated("#[cfg(test)]\nmod tests {\n    use std::os::fd::AsFd;\n}\n"), [3]);
    assert_eq!(ungated("#![cfg(unix)]\nuse std::os::fd::AsFd;\n"), [0; 0]);
}

/// Here they cannot be built for other systems; at least nothing is asked of those that they do not have.
#[test]
fn what_only_one_system_has_says_so() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    rust_files(&root.join("src"), &mut files);
    rust_files(&root.join("tests/it"), &mut files);
    rust_files(&root.join("tests/bench"), &mut files);
    let modules = fs::read_to_string(root.join("tests/it/main.rs")).expect("source files are text");
    let whole_file_is_gated = |file: &Path| {
        let name = file.file_stem().and_then(|name| name.to_str()).expect("a plain name");
        let (before, _) = modules.split_once(&format!("mod {name};")).unwrap_or_default();
        file.starts_with(root.join("tests/it"))
            && before
                .trim_end()
                .lines()
                .next_back()
                .is_some_and(|line| line.starts_with("#[cfg(") && !line.contains("feature"))
    };
    let mut offences = Vec::new();
    for file in
        files.iter().filter(|file| !file.ends_with("tests/it/architecture.rs") && !whole_file_is_gated(file))
    {
        let text = fs::read_to_string(file).expect("source files are text");
        offences.extend(ungated(&text).iter().map(|line| format!("{}:{line}", file.display())));
    }
    assert!(offences.is_empty(), "{offences:#?}");
}

/// Where a `let` stands in the guard of an arm, which Rust takes from 1.95 on and clippy does not tell.
fn let_in_guard(text: &str) -> bool {
    ["if let ", "&& let "].iter().flat_map(|word| text.match_indices(word)).any(|(at, _)| {
        let rest = &text[at..];
        rest[..rest.find(['{', '}', ';']).unwrap_or(rest.len())].contains(" =>")
    })
}

/// The oldest Rust is installed in CI alone; clippy tells what of the standard library is newer (`incompatible_msrv`).
#[test]
fn the_language_is_not_newer_than_cargo_toml_says() {
    assert!(let_in_guard("Ok(a) if let Some(b) = c(&a) => b,"));
    assert!(let_in_guard("Ok(a)\n    if a > 1\n        && let Some(b) = c(&a) =>\n{"));
    assert!(!let_in_guard("if let Some(a) = b { match a { _ => c } }") && !let_in_guard("let a = b; _ => c"));
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let manifest = fs::read_to_string(root.join("Cargo.toml")).expect("a manifest");
    assert!(manifest.contains("\nrust-version = \"1.88\"\n"), "see what else this Rust does not take");
    let mut files = Vec::new();
    rust_files(&root.join("src"), &mut files);
    rust_files(&root.join("tests"), &mut files);
    for file in files.iter().filter(|file| !file.ends_with("tests/it/architecture.rs")) {
        let text = fs::read_to_string(file).expect("source files are text");
        assert!(!let_in_guard(&text) && !text.contains("cfg_select!"), "{}", file.display());
    }
    for (file, says) in [
        (".github/workflows/ci.yml", "cargo +1.88 check --all-targets --locked"),
        ("README.md", "a Rust toolchain (1.88 or newer)"),
    ] {
        assert!(fs::read_to_string(root.join(file)).expect("it is text").contains(says), "{file}");
    }
}
