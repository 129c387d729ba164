//! Stretches of a text that are known, so that no byte is looked at twice.

/// The first byte from `from` to `to` that is not of the kind; a stretch of such bytes is known, and grows.
pub(super) fn grow(
    known: &mut (usize, usize),
    (from, to): (usize, usize),
    mut is_of_kind: impl FnMut(usize) -> bool,
) -> Option<usize> {
    grow_by(known, (from, to), |from| (from..to).find(|&at| !is_of_kind(at)))
}

/// As [`grow`], with a search for the first byte from a place on that is not of the kind.
pub(super) fn grow_by(
    known: &mut (usize, usize),
    (from, to): (usize, usize),
    mut next_other: impl FnMut(usize) -> Option<usize>,
) -> Option<usize> {
    if !(known.0..=known.1).contains(&from) {
        *known = (from, from);
    }
    if known.1 < to {
        known.1 = next_other(known.1).unwrap_or(to);
    }
    (known.1 < to).then_some(known.1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_known_stretch_grows_to_what_a_search_would_find(
            text in "[ab]{0,40}",
            asked in prop::collection::vec((0usize..42, 0usize..20), 1..20),
        ) {
            let text = text.as_bytes();
            let mut known = (0, 0);
            for (from, len) in asked {
                let (from, to) = (from.min(text.len()), (from + len).min(text.len()));
                let plain = text[from..to].iter().position(|&byte| byte != b'a').map(|at| from + at);
                prop_assert_eq!(grow(&mut known, (from, to), |at| text[at] == b'a'), plain);
            }
        }
    }
}
