//! The search of what is new in a text finds what the search of the whole text finds.
//!
//! The first byte says how many cuts follow, three bytes each: where a copy starts, where it ends, what is inserted
//! behind it. The rest is the text that is copied from.

use std::cell::RefCell;
use std::sync::LazyLock;

use stanch::derived::{Copied, Copies, Derivation, Trace};
use stanch::matcher::{Match, Matcher, Scratch};
use stanch::rule::RuleSet;
use stanch::span::ByteSpan;

static MATCHER: LazyLock<Matcher> = LazyLock::new(|| Matcher::new(RuleSet::builtin()));

fn find_derived(
    text: &[u8],
    base: Option<(&Trace, &Copies)>,
    scratch: &mut Scratch,
) -> (Vec<Match>, Option<Trace>) {
    let derivation = Derivation { base, is_base: true, trace: RefCell::default() };
    let mut found = Vec::new();
    let _ = MATCHER.find_derived(text, &derivation, &|_| false, scratch, &mut found);
    (found, derivation.trace.into_inner())
}

/// The copies of a text that the cuts ask for, with something between them.
fn derive(base: &[u8], cuts: &[u8]) -> (Vec<u8>, Copies) {
    const INSERTED: [&[u8]; 8] = [b"", b"\n", b"\"", b" = ", b"A", b"%41", b"token", b"-----BEGIN "];
    let (mut text, mut copies) = (Vec::new(), Copies::default());
    copies.restart(base.len());
    for cut in cuts.chunks_exact(3) {
        let [a, b] = [cut[0], cut[1]].map(|at| usize::from(at) * base.len() / 255);
        let (from, end) = (a.min(b), a.max(b));
        copies.push(Copied { from, to: text.len(), len: end - from });
        text.extend_from_slice(&base[from..end]);
        text.extend_from_slice(INSERTED[usize::from(cut[2]) % INSERTED.len()]);
    }
    (text, copies)
}

fn places(found: &[Match]) -> Vec<(usize, ByteSpan, ByteSpan)> {
    found.iter().map(|found| (found.rule, found.span, found.secret_span)).collect()
}

pub fn run(input: &[u8]) {
    let Some((&count, rest)) = input.split_first() else { return };
    let Some((cuts, base)) = rest.split_at_checked(usize::from(count % 8) * 3) else { return };
    let scratch = &mut Scratch::default();
    let (_, trace) = find_derived(base, None, scratch);
    let (mut base, mut trace) = (base.to_vec(), trace.expect("a trace was asked for"));
    // The second text has stretches of the first one, and each is known when it comes again.
    for _ in 0..2 {
        let (text, copies) = derive(&base, cuts);
        let mut whole = Vec::new();
        let _ = MATCHER.find(&text, &mut Scratch::default(), &mut whole);
        let (derived, next) = find_derived(&text, Some((&trace, &copies)), scratch);
        assert_eq!(places(&derived), places(&whole));
        let (known, _) = find_derived(&text, Some((&trace, &copies)), scratch);
        assert_eq!(places(&known), places(&whole));
        (base, trace) = (text, next.expect("a trace was asked for"));
    }
}
