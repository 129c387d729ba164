//! Build script: translates the built-in rule files into constant data.
//!
//! A hook starts hundreds of times a day and must not parse some 1,700 rules each time. The same modules
//! check a user's own rules at run time, so a bad built-in rule stops the build with the same message.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

#[path = "../level.rs"]
#[allow(dead_code)]
mod level;
#[allow(dead_code)]
#[path = "."]
mod rule {
    pub mod schema;
    pub mod shape;
}

use rule::schema::{RuleFile, RuleSpec};

fn main() {
    let dir = Path::new("src/rule/builtin");
    println!("cargo::rerun-if-changed=src/rule");
    println!("cargo::rerun-if-changed=src/level.rs");
    let mut files: Vec<PathBuf> = std::fs::read_dir(dir)
        .expect("the built-in rules are in src/rule/builtin")
        .map(|entry| entry.expect("a readable directory entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .collect();
    files.sort();
    let mut specs: Vec<RuleSpec> = Vec::new();
    let mut errors = String::new();
    for file in &files {
        let text = std::fs::read_to_string(file).expect("a readable rule file");
        match toml::from_str::<RuleFile>(&text) {
            Err(error) => writeln!(errors, "{}: {error}", file.display()).expect("a string"),
            Ok(parsed) => {
                for entry in &parsed.rule {
                    let line = text[..entry.span().start].matches('\n').count() + 1;
                    let entry = entry.get_ref();
                    match entry.translate() {
                        Ok(spec) if specs.iter().any(|known| known.id == spec.id) => {
                            writeln!(errors, "{}:{line}: {}: the id is taken", file.display(), entry.id)
                                .expect("a string");
                        }
                        Ok(spec) => specs.push(spec),
                        Err(message) => {
                            writeln!(errors, "{}:{line}: {}: {message}", file.display(), entry.id)
                                .expect("a string")
                        }
                    }
                }
            }
        }
    }
    assert!(errors.is_empty(), "built-in rules are wrong:\n{errors}");
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets OUT_DIR")).join("builtin.rs");
    std::fs::write(out, source(&specs)).expect("OUT_DIR is writable");
}

/// The rules as the initialiser of a slice; every text is a literal.
fn source(specs: &[RuleSpec]) -> String {
    let mut out = String::from("&[\n");
    for spec in specs {
        let texts = |list: &[std::borrow::Cow<'static, str>]| {
            let items: Vec<String> = list.iter().map(|text| format!("Cow::Borrowed({text:?})")).collect();
            format!("Cow::Borrowed(&[{}])", items.join(", "))
        };
        let optional = |text: &Option<std::borrow::Cow<'static, str>>| match text {
            Some(text) => format!("Some(Cow::Borrowed({text:?}))"),
            None => "None".to_owned(),
        };
        let anchors: Vec<String> = spec
            .anchors
            .iter()
            .map(|anchor| {
                format!(
                    "AnchorSpec {{ literal: Cow::Borrowed(&{:?}), ignore_case: {}, min_before: {}, max_before: {} }}",
                    anchor.literal, anchor.ignore_case, anchor.min_before, anchor.max_before
                )
            })
            .collect();
        let pair = spec.pair.as_ref().map_or("None".to_owned(), |pair| {
            format!(
                "Some(PairSpec {{ with: Cow::Borrowed({:?}), within_bytes: {}, required: {} }})",
                pair.with, pair.within_bytes, pair.required
            )
        });
        let checksum = spec.checksum.map_or("None".to_owned(), |c| format!("Some(Checksum::{c:?})"));
        let floor = spec.min_entropy.map_or("None".to_owned(), |bits| format!("Some({bits:?}f32)"));
        writeln!(
            out,
            "RuleSpec {{ id: Cow::Borrowed({:?}), provider: Cow::Borrowed({:?}), description: Cow::Borrowed({:?}), \
             kind: RuleKind::{:?}, severity: Severity::{:?}, confidence: Confidence::{:?}, \
             shape: Cow::Borrowed({:?}), regex: Cow::Borrowed({:?}), anchors: Cow::Borrowed(&[{}]), \
             keywords: {}, reach_bytes: {}, min_bytes: {}, max_bytes: {:?}, \
             edges: EdgeSpec {{ before: ByteSet::from_words({:?}), after: ByteSet::from_words({:?}) }}, \
             min_entropy: {floor}, checksum: {checksum}, public: {}, samples_count: {}, paths: {}, \
             revoke: {}, reference: {}, pair: {pair} }},",
            spec.id,
            spec.provider,
            spec.description,
            spec.kind,
            spec.severity,
            spec.confidence,
            spec.shape,
            spec.regex,
            anchors.join(", "),
            texts(&spec.keywords),
            spec.reach_bytes,
            spec.min_bytes,
            spec.max_bytes,
            spec.edges.before.words(),
            spec.edges.after.words(),
            spec.public,
            spec.samples_count,
            texts(&spec.paths),
            optional(&spec.revoke),
            optional(&spec.reference),
        )
        .expect("a string");
    }
    out.push(']');
    out
}
