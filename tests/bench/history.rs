//! The stages of a history audit, one at a time: `cargo bench --bench history -- STAGE REPOSITORY`
//!
//! Run it under a clock that tells CPU seconds; every stage does what the one before does and more:
//!
//! - `floor` decodes every packed blob once, each delta applied to a base at hand, and looks at none;
//! - `walk` decodes commits, tags and trees too, checks their links, and reads what is not packed;
//! - `scan` searches all of it;
//! - `all` attributes what was found.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark prints its figures")]

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use stanch::coverage::Coverage;
use stanch::derived::Copies;
use stanch::git::pack::delta::Delta;
use stanch::git::pack::{Base, EntryError, Inflater, Pack};
use stanch::git::{ObjectKind, Repository, Store};
use stanch::location::{Appearance, ObjectId};
use stanch::progress::Progress;
use stanch::rule::RuleSet;
use stanch::scanner::{Policy, Scanner};
use stanch::source::history::{History, Options};
use stanch::source::{NewVisitor, Searched, Source, Visitor};

fn main() {
    // Cargo passes `--bench` to every benchmark.
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let [stage, place] = arguments.as_slice() else {
        return eprintln!("nothing measured: name a stage (floor, walk, scan, all) and a repository");
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let started = Instant::now();
    let place = Path::new(place);
    let told = match stage.as_str() {
        "floor" => floor(place),
        stage => audit(place, stage, threads),
    };
    println!("{stage}: {told}, {:.2} s", started.elapsed().as_secs_f64());
}

/// A history without its attribution.
struct Unattributed(History);

impl Source for Unattributed {
    fn drive<'s>(
        &'s self,
        threads: usize,
        new_visitor: &'s NewVisitor<'s>,
        progress: &'s Progress,
    ) -> Coverage {
        self.0.drive(threads, new_visitor, progress)
    }

    fn attribute(&self, _: &[ObjectId], _: usize, _: &mut Coverage) -> BTreeMap<ObjectId, Vec<Appearance>> {
        BTreeMap::new()
    }
}

fn audit(place: &Path, stage: &str, threads: usize) -> String {
    let history = match History::open(place, Options::default()) {
        Ok(history) => history,
        Err(error) => return error.to_string(),
    };
    let scanner = || Scanner::new(RuleSet::builtin(), Policy::default());
    let (coverage, count) = match stage {
        "walk" => (
            history.drive(threads, &|| -> Visitor<'_> { Box::new(|_| Searched::NotClean) }, &Progress::new()),
            0,
        ),
        "scan" => {
            let outcome = scanner().scan(&Unattributed(history), threads);
            (outcome.coverage, outcome.findings.len())
        }
        _ => {
            let outcome = scanner().scan(&history, threads);
            (outcome.coverage, outcome.findings.len())
        }
    };
    let problems = coverage.problems.len();
    format!("{} blobs, {} bytes, {count} findings, {problems} problems", coverage.blobs, coverage.bytes)
}

fn floor(place: &Path) -> String {
    let repository = match Repository::open(place) {
        Ok(repository) => repository,
        Err(error) => return error.to_string(),
    };
    let (store, _) = Store::open(&repository, 1);
    let mut floor =
        Floor { inflater: Inflater::new(), delta: Vec::new(), copies: Copies::default(), blobs: 0, bytes: 0 };
    for (pack, forest) in store.packs.iter().zip(&store.forests) {
        for &root in forest.roots() {
            let is_blob = pack.header(root).is_ok_and(|header| header.base == Base::Whole(ObjectKind::Blob));
            if !is_blob {
                continue;
            }
            let mut stack = Vec::new();
            let mut next = Some((root, None));
            while let Some((entry, base)) = next.take() {
                match floor.expand(pack, entry, base) {
                    Ok(bytes) => {
                        if let Some(child) = forest.first_child(entry) {
                            stack.push((child, bytes));
                        }
                    }
                    Err(error) => return format!("{error}, {}", pack.place(entry)),
                }
                if let Some((child, bytes)) = stack.pop() {
                    let base = std::rc::Rc::clone(&bytes);
                    if let Some(sibling) = forest.next_sibling(child) {
                        stack.push((sibling, bytes));
                    }
                    next = Some((child, Some(base)));
                }
            }
        }
    }
    format!("{} blobs, {} bytes", floor.blobs, floor.bytes)
}

struct Floor {
    inflater: Inflater,
    delta: Vec<u8>,
    copies: Copies,
    blobs: u64,
    bytes: u64,
}

impl Floor {
    fn expand(
        &mut self,
        pack: &Pack,
        entry: u32,
        base: Option<std::rc::Rc<Vec<u8>>>,
    ) -> Result<std::rc::Rc<Vec<u8>>, EntryError> {
        let header = pack.header(entry)?;
        let mut bytes = Vec::new();
        match base {
            None => pack.inflate(entry, &header, &mut self.inflater, &mut bytes)?,
            Some(base) => {
                self.delta.clear();
                pack.inflate(entry, &header, &mut self.inflater, &mut self.delta)?;
                Delta::parse(&self.delta)?.apply(&base, &mut bytes, &mut self.copies)?;
            }
        }
        self.blobs += 1;
        self.bytes += bytes.len() as u64;
        Ok(std::rc::Rc::new(bytes))
    }
}
