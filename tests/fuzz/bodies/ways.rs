//! One thread or two, from what is new or from everything: an audit finds the same in each way.
//!
//! The input makes a pack whose entries are sound: a text, and versions of it, each a delta of the one before or of the
//! text. The first byte says how many versions and how long names are, nine bytes each: two cuts as in `derived`, and what is inserted. The
//! rest is the text; a byte 0x01 in it stands for a token.

use std::sync::LazyLock;

use stanch::rule::RuleSet;
use stanch::scanner::{Outcome, Policy, Scanner};
use stanch::source::history::{History, Options};

use super::pack::{self, Place};

static PLACES: LazyLock<[Place; 2]> = LazyLock::new(Place::both);
static SCANNER: LazyLock<Scanner> = LazyLock::new(|| Scanner::new(RuleSet::builtin(), Policy::default()));

const NAME_DELTA: u8 = 7;
const BLOB: u8 = 3;

pub fn run(input: &[u8]) {
    let Some((&count, rest)) = input.split_first() else { return };
    let place = pack::chosen(&PLACES, count);
    let Some((versions, text)) = rest.split_at_checked(usize::from((count & 0x7F) % 6) * 9) else { return };
    if text.len() > 1 << 14 {
        return;
    }
    let mut texts = vec![with_tokens(text)];
    let mut body = Vec::new();
    let mut entries = vec![(name_of(place, &texts[0]), 0)];
    pack::entry(&mut body, BLOB, &[], &texts[0]);
    for version in versions.chunks_exact(9) {
        let base_at = if version[8] & 1 == 0 { texts.len() - 1 } else { 0 };
        let base = &texts[base_at];
        let (mut made, mut delta) = (Vec::new(), Vec::new());
        for cut in version[..8].chunks_exact(4) {
            let [a, b] = [cut[0], cut[1]].map(|at| usize::from(at) * base.len() / 255);
            let (from, end) = (a.min(b), a.max(b));
            if from < end {
                copy(&mut delta, from, end - from);
                made.extend_from_slice(&base[from..end]);
            }
            let inserted = with_tokens(&[cut[2], cut[3]]);
            delta.push(inserted.len() as u8);
            delta.extend_from_slice(&inserted);
            made.extend_from_slice(&inserted);
        }
        let name = name_of(place, &made);
        if entries.iter().any(|(known, _)| *known == name) {
            continue;
        }
        let mut whole = Vec::new();
        size(&mut whole, base.len());
        size(&mut whole, made.len());
        whole.extend(delta);
        let base = entries[base_at].0.clone();
        entries.push((name, body.len()));
        pack::entry(&mut body, NAME_DELTA, &base, &whole);
        texts.push(made);
    }
    pack::write(place, &body, &entries);
    let new = audit(place, false, 1);
    for (no_delta, threads) in [(false, 2), (true, 1), (true, 2)] {
        let other = audit(place, no_delta, threads);
        assert_eq!(new.coverage, other.coverage, "{no_delta} {threads}");
        assert_eq!(new.suppressed, other.suppressed, "{no_delta} {threads}");
        let told = |outcome: &Outcome| format!("{:?}", outcome.findings);
        assert_eq!(told(&new), told(&other), "{no_delta} {threads}");
    }
    assert!(new.coverage.problems.is_empty(), "{:?}", new.coverage.problems);
    assert_eq!(new.coverage.blobs as usize, texts.len());
}

fn audit(place: &Place, no_delta: bool, threads: usize) -> Outcome {
    let options = Options { no_delta, ..Options::default() };
    SCANNER.scan(&History::open(place.path(), options).expect("a repository"), threads)
}

fn name_of(place: &Place, text: &[u8]) -> pack::Name {
    let format = if place.id_len == 32 { git2::ObjectFormat::Sha256 } else { git2::ObjectFormat::Sha1 };
    let id = git2::Oid::hash_object_ext(git2::ObjectType::Blob, text, format).expect("a hash");
    id.as_bytes().to_vec()
}

fn with_tokens(text: &[u8]) -> Vec<u8> {
    let token = format!("pk_{}_{}", "48151623", "A7Q2Z9K4M1X8C5V3B6N0L2J4H7G9F1D8");
    let pieces: Vec<&[u8]> = text.split(|&byte| byte == 1).collect();
    pieces.join(token.as_bytes())
}

/// A number as the head of a delta has it.
fn size(out: &mut Vec<u8>, mut bytes: usize) {
    while bytes > 0x7F {
        out.push(bytes as u8 | 0x80);
        bytes >>= 7;
    }
    out.push(bytes as u8);
}

/// An instruction to copy; texts are shorter than what three bytes can say.
fn copy(out: &mut Vec<u8>, from: usize, len: usize) {
    out.push(0xFF);
    out.extend(&(from as u32).to_le_bytes());
    out.extend(&(len as u32).to_le_bytes()[..3]);
}
