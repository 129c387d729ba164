//! The cache of a history: a file that is not as it was written changes nothing in what is found, and one that lies with
//! its sums right is no reason to crash.
//!
//! The lowest bits of the first byte say how much of the file is made here: nothing; head and checksum; the names too.

use std::fs;
use std::sync::LazyLock;

use stanch::rule::RuleSet;
use stanch::scanner::{Policy, Scanner};
use stanch::source::history::{History, Options};

const DIGEST: [u8; 32] = [7; 32];

struct Place {
    dir: tempfile::TempDir,
    /// Names of all objects, ascending.
    names: Vec<[u8; 20]>,
    found: String,
}

static SCANNER: LazyLock<Scanner> = LazyLock::new(|| Scanner::new(RuleSet::builtin(), Policy::default()));
static PLACE: LazyLock<Place> = LazyLock::new(|| {
    let dir = tempfile::tempdir().expect("a directory");
    let repository = git2::Repository::init_bare(dir.path()).expect("a repository");
    let token = format!("pk_{}_{}", "48151623", "A7Q2Z9K4M1X8C5V3B6N0L2J4H7G9F1D8");
    let (mut names, mut parents) = (Vec::new(), Vec::new());
    for text in [format!("key = {token}\n"), "nothing\n".to_owned()] {
        let blob = repository.blob(text.as_bytes()).expect("a blob");
        let mut tree = repository.treebuilder(None).expect("a tree");
        tree.insert("file", blob, 0o100_644).expect("an entry");
        let tree = tree.write().expect("a tree");
        let who = git2::Signature::new("a", "a@b", &git2::Time::new(1, 0)).expect("a name");
        let commit = {
            let tree = repository.find_tree(tree).expect("a tree");
            let parents: Vec<&git2::Commit<'_>> = parents.iter().collect();
            repository
                .commit(Some("refs/heads/main"), &who, &who, "message", &tree, &parents)
                .expect("a commit")
        };
        parents = vec![repository.find_commit(commit).expect("a commit")];
        names.extend([blob, tree, commit].map(|id| <[u8; 20]>::try_from(id.as_bytes()).expect("20 bytes")));
    }
    names.sort_unstable();
    drop(parents);
    let found = audit(&dir, None);
    Place { dir, names, found }
});

fn audit(dir: &tempfile::TempDir, cache: Option<[u8; 32]>) -> String {
    let history = History::open(dir.path(), Options { cache, ..Options::default() }).expect("a repository");
    let outcome = SCANNER.scan(&history, 1);
    assert!(outcome.coverage.problems.is_empty() || cache.is_some());
    format!("{:?}", outcome.findings)
}

pub fn run(input: &[u8]) {
    let Some((&how, rest)) = input.split_first() else { return };
    let place = &*PLACE;
    let mut file = Vec::new();
    match how % 4 {
        0 => file.extend_from_slice(rest),
        1 => {
            file.extend(b"stanch history 2");
            file.extend(DIGEST);
            file.extend_from_slice(rest);
            file.extend(crc32fast::hash(&file).to_le_bytes());
        }
        _ => {
            let Some((states, trail)) = rest.split_at_checked(place.names.len()) else { return };
            file.extend(b"stanch history 2");
            file.extend(DIGEST);
            for number in [u64::from(how % 4 - 2), place.names.len() as u64, 0, trail.len() as u64] {
                file.extend(number.to_le_bytes());
            }
            place.names.iter().for_each(|name| file.extend(name));
            file.extend(states.iter().map(|state| state % 6 + 1));
            file.extend_from_slice(trail);
            file.extend(crc32fast::hash(&file).to_le_bytes());
        }
    }
    let path = place.dir.path().join("stanch/history-0707070707070707.cache");
    fs::create_dir_all(path.parent().expect("a directory")).expect("a directory");
    fs::write(&path, file).expect("a file");
    let found = audit(&place.dir, Some(DIGEST));
    if how % 4 == 0 {
        assert_eq!(found, place.found);
    }
}
