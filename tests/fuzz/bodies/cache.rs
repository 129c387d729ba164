//! The cache of a history: a file that is not as it was written changes nothing in what is found, and one that lies with
//! its sums right is no reason to crash.
//!
//! The lowest bits of the first byte say how much of the file is made here: nothing; head and checksum; the names too. Its
//! highest bit says how long names are.

use std::fs;
use std::sync::LazyLock;

use stanch::rule::RuleSet;
use stanch::scanner::{Policy, Scanner};
use stanch::source::history::{History, Options};

use super::pack::{self, Place};

const DIGEST: [u8; 32] = [7; 32];

struct Audited {
    place: Place,
    /// Names of all objects, ascending.
    names: Vec<Vec<u8>>,
    found: String,
}

static SCANNER: LazyLock<Scanner> = LazyLock::new(|| Scanner::new(RuleSet::builtin(), Policy::default()));
static PLACES: LazyLock<[Audited; 2]> = LazyLock::new(|| Place::both().map(audited));

fn audited(place: Place) -> Audited {
    let repository = git2::Repository::open_bare(place.path()).expect("a repository");
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
        names.extend([blob, tree, commit].map(|id| id.as_bytes().to_vec()));
    }
    names.sort_unstable();
    drop(parents);
    let (found, _) = audit(&place, None);
    Audited { place, names, found }
}

fn audit(place: &Place, cache: Option<[u8; 32]>) -> (String, History) {
    let history = History::open(place.path(), Options { cache, ..Options::default() }).expect("a repository");
    let outcome = SCANNER.scan(&history, 1);
    assert!(outcome.coverage.problems.is_empty() || cache.is_some());
    (format!("{:?}", outcome.findings), history)
}

pub fn run(input: &[u8]) {
    let Some((&how, rest)) = input.split_first() else { return };
    let Audited { place, names, found } = pack::chosen(&PLACES, how);
    let (mut file, mut edges) = (Vec::new(), &[][..]);
    let head = [b"stanch history 9", &DIGEST[..], &(place.id_len as u64).to_le_bytes()].concat();
    match how % 4 {
        0 => file.extend_from_slice(rest),
        1 => {
            file.extend(head);
            file.extend_from_slice(rest);
            file.extend(crc32fast::hash(&file).to_le_bytes());
        }
        _ => {
            let Some((states, rest)) = rest.split_at_checked(names.len()) else { return };
            let Some((&cut, rest)) = rest.split_first() else { return };
            let Some((trail, rows)) = rest.split_at_checked(usize::from(cut)) else { return };
            file.extend(head);
            let states: Vec<u8> =
                states.iter().map(|state| ((state & 0x7F) % 7 + 1) | (state & 0x80)).collect();
            // The last state is that of a blob with a note.
            let noted = (0_u32..).zip(&states).filter(|(_, state)| **state & 0x7F == 7);
            let note = &rows[..rows.len().min(24)];
            let head_of = |at: u32| [at, note.len() as u32].map(u32::to_le_bytes).concat();
            let held: Vec<u8> = noted.flat_map(|(at, _)| [&head_of(at)[..], note].concat()).collect();
            let (names_len, count) = (place.id_len * names.len(), names.len());
            // Where blobs came and went is read from the same bytes, if a bit says so.
            let ledger = if how & 4 == 0 { &[][..] } else { rows };
            // So are edges.
            edges = if how & 8 == 0 { &[][..] } else { rows.as_chunks::<8>().0.as_flattened() };
            let (noted, rows_len) = (held.len(), rows.len());
            let lens =
                [names_len, count, 0, 0, 0, 0, trail.len(), 0, rows_len, ledger.len(), noted, 0, edges.len()];
            let numbers = std::iter::once(u64::from(how % 4 - 2)).chain(lens.map(|len| len as u64));
            numbers.for_each(|number| file.extend(number.to_le_bytes()));
            names.iter().for_each(|name| file.extend(name));
            file.extend_from_slice(&states);
            file.extend_from_slice(trail);
            file.extend_from_slice(rows);
            file.extend_from_slice(ledger);
            file.extend_from_slice(&held);
            file.extend(crc32fast::hash(&file).to_le_bytes());
        }
    }
    if how % 4 > 0 {
        file.extend_from_slice(edges);
        file.extend(crc32fast::hash(edges).to_le_bytes());
    }
    let path = place.path().join("stanch/history-0707070707070707.cache");
    fs::create_dir_all(path.parent().expect("a directory")).expect("a directory");
    fs::write(&path, file).expect("a file");
    let (cached, history) = audit(place, Some(DIGEST));
    match how % 4 {
        0 => assert_eq!(&cached, found),
        2 => assert_eq!(history.keep(), [""; 0], "what is made here is a file of the form that is read"),
        _ => {}
    }
}
