//! Which lines of a text are new.

use std::ops::RangeInclusive;

/// The runs of lines (1-based) of `new` that `old` does not have, in ascending order.
///
/// A line that differs in nothing but white space at its end is not new: converting line ends, or adding
/// the last one, brings no content. `None` when the texts cannot be compared, as beyond 1 GiB; a caller
/// that fails closed then takes every line as new.
pub fn added_lines(old: &[u8], new: &[u8]) -> Option<Vec<RangeInclusive<u64>>> {
    let mut options = git2::DiffOptions::new();
    // The caller has decided that both are text.
    options.context_lines(0).interhunk_lines(0).force_text(true).ignore_whitespace_eol(true);
    let patch = git2::Patch::from_buffers(old, None, new, None, Some(&mut options)).ok()?;
    let mut runs = Vec::with_capacity(patch.num_hunks());
    for place in 0..patch.num_hunks() {
        let (hunk, _) = patch.hunk(place).ok()?;
        let (first, count) = (u64::from(hunk.new_start()), u64::from(hunk.new_lines()));
        if count > 0 {
            runs.push(first..=first + count - 1);
        }
    }
    Some(runs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn changed_and_added_lines_are_new() {
        let old = b"one\ntwo\nthree\nfour\n";
        let new = b"one\nTWO\nthree\nfour\nfive\nsix";
        assert_eq!(added_lines(old, new).unwrap(), [2..=2, 5..=6]);
        assert_eq!(added_lines(b"", new).unwrap(), [1..=6]);
        assert_eq!(added_lines(old, b"").unwrap(), []);
    }

    #[test]
    fn line_ends_are_not_content() {
        assert_eq!(added_lines(b"one\r\ntwo", b"one\ntwo\n").unwrap(), []);
        assert_eq!(added_lines(b"one\ntwo", b"one\ntwo\nthree\n").unwrap(), [3..=3]);
    }

    #[test]
    fn zero_bytes_do_not_stop_the_comparison() {
        assert_eq!(added_lines(b"a\0\nb\n", b"a\0\nb\nc\0\n").unwrap(), [3..=3]);
    }

    proptest! {
        #[test]
        fn lines_outside_the_runs_come_from_the_old_text(old in "([abc]{0,2}\n){0,12}", new in "([abc]{0,2}\n){0,12}") {
            let runs = added_lines(old.as_bytes(), new.as_bytes()).unwrap();
            let kept: Vec<&str> = (1..)
                .zip(new.lines())
                .filter(|(line, _)| !runs.iter().any(|run| run.contains(line)))
                .map(|(_, text)| text)
                .collect();
            // What is not new is a subsequence of the old lines.
            let mut rest = old.lines();
            prop_assert!(kept.iter().all(|text| rest.any(|line| line == *text)));
        }
    }
}
