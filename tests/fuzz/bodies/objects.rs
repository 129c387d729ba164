//! Trees, commits and tags: both readers of trees agree, a derived outline is that of the whole, and the rest is parts of
//! the bytes or an error.
//!
//! The first byte says how many cuts follow, two bytes each, by which a tree is made of the rest, and how long names are.

use stanch::derived::{Copied, Copies};
use stanch::git::{Change, Commit, ObjectKind, Outline, OutlineBase, Tag, TreeEntries, links_of};
use stanch::location::ObjectId;

pub fn run(input: &[u8]) {
    let id_len = if input.first().is_some_and(|first| first >> 7 == 1) { 32 } else { 20 };
    let id = ObjectId::from_raw(&vec![1; id_len]).expect("a name");
    for kind in [ObjectKind::Commit, ObjectKind::Tree, ObjectKind::Tag, ObjectKind::Blob] {
        let mut links = Vec::new();
        let _ = links_of(&id, kind, input, false, &mut links);
    }
    if let Ok(commit) = Commit::parse(input) {
        assert!(input.ends_with(commit.message));
        let _ = (commit.info(id), commit.committer_seconds());
    }
    if let Ok(tag) = Tag::parse(input) {
        assert!(input.ends_with(tag.message));
    }
    let Some((&count, rest)) = input.split_first() else { return };
    let Some((cuts, base)) = rest.split_at_checked(usize::from(count % 8) * 2) else { return };
    let mut outline = Outline::default();
    let _ = outline.read(base, id_len, None, |_| {});
    assert_eq!(lens(&outline, base), plain(base, id_len).0);
    let (mut text, mut copies) = (Vec::new(), Copies::default());
    copies.restart(base.len());
    for cut in cuts.chunks_exact(2) {
        // Ends of entries are what matters; other places come by the odd bytes.
        let ends: Vec<usize> = std::iter::once(0).chain(ends(&outline, base)).collect();
        let place = |at: u8| match at & 1 {
            0 => ends[usize::from(at >> 1) % ends.len()],
            _ => usize::from(at) * base.len() / 255,
        };
        let (from, end) = (place(cut[0]).min(place(cut[1])), place(cut[0]).max(place(cut[1])));
        copies.push(Copied { from, to: text.len(), len: end - from });
        text.extend_from_slice(&base[from..end]);
    }
    let mut derived = Outline::default();
    let (mut fresh, mut gone) = (0, 0);
    let known = OutlineBase { bytes: base, outline: &outline, copies: &copies };
    let read = derived.read(&text, id_len, Some(&known), |change| match change {
        Change::Fresh(_) => fresh += 1,
        Change::Gone(_) => gone += 1,
    });
    let (whole, is_whole) = plain(&text, id_len);
    assert_eq!(read.is_ok(), is_whole);
    assert_eq!(lens(&derived, &text), whole);
    assert!(fresh <= whole.len());
    assert_eq!(lens(&outline, base).len() - gone + fresh, whole.len());
}

fn lens(outline: &Outline, bytes: &[u8]) -> Vec<usize> {
    outline.entries(bytes).map(<[u8]>::len).collect()
}

fn ends(outline: &Outline, bytes: &[u8]) -> Vec<usize> {
    let mut at = 0;
    lens(outline, bytes)
        .iter()
        .map(|len| {
            at += len;
            at
        })
        .collect()
}

/// The lengths of the entries, and whether there is nothing else.
fn plain(bytes: &[u8], id_len: usize) -> (Vec<usize>, bool) {
    let (mut lens, mut entries) = (Vec::new(), TreeEntries::new(bytes, id_len));
    loop {
        let before = entries.rest_len();
        match entries.next_link() {
            Ok(Some(_)) => lens.push(before - entries.rest_len()),
            Ok(None) => return (lens, true),
            Err(_) => return (lens, false),
        }
    }
}
