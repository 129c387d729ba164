//! A whole audit of a repository with a crafted pack: it ends, and says so when not everything was read.
//!
//! The first byte is the number of entries and the length of names, two bytes each say where they start, the rest is the pack. The index
//! is made here, its checksums right, so that the bytes get as far as they can.

use std::sync::LazyLock;

use stanch::rule::RuleSet;
use stanch::scanner::{Policy, Scanner};
use stanch::source::history::{History, Options};

use super::pack::{self, Place};

static PLACES: LazyLock<[Place; 2]> = LazyLock::new(Place::both);
static SCANNER: LazyLock<Scanner> = LazyLock::new(|| Scanner::new(RuleSet::builtin(), Policy::default()));

pub fn run(input: &[u8]) {
    let Some((&count, rest)) = input.split_first() else { return };
    let place = pack::chosen(&PLACES, count);
    let count = usize::from(count % 8) + 1;
    let Some((places, body)) = rest.split_at_checked(count * 2) else { return };
    if body.is_empty() {
        return;
    }
    let mut starts: Vec<usize> = places
        .chunks_exact(2)
        .map(|two| usize::from(u16::from_be_bytes([two[0], two[1]])) % body.len())
        .collect();
    starts.push(0);
    starts.sort_unstable();
    starts.dedup();
    // Names ascend with the offsets; a delta may name its base by one of them.
    let entries: Vec<_> =
        (1..).zip(&starts).map(|(number, start)| (vec![number; place.id_len], *start)).collect();
    pack::write(place, body, &entries);
    let history = History::open(place.path(), Options::default()).expect("a repository");
    let outcome = SCANNER.scan(&history, 1);
    let read = outcome.coverage.blobs + outcome.coverage.commits;
    assert!(
        read > 0 || !outcome.coverage.problems.is_empty() || outcome.coverage.bytes > 0 || starts.len() <= 8,
        "nothing was read, and nothing is said of it"
    );
}
