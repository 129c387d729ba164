//! How often four bytes follow each other in source code.
//!
//! The prefilter looks for four bytes of each literal, and each place where they stand costs time, so they have to
//! be rare. What a literal means does not tell that: of `typesense` the first four are as common in code as `the`,
//! while `pese` is hardly anywhere. With counted frequencies one position in 130 has the four bytes of some literal;
//! chosen by the rarity of single letters it was one in 28, and 15 times as many literals had to be compared.

use std::collections::HashMap;
use std::sync::LazyLock;

/// The list: see its head.
static COMMON: LazyLock<HashMap<[u8; 4], usize>> = LazyLock::new(|| {
    let lines = include_str!("common-grams.txt").lines().filter(|line| !line.starts_with('#'));
    let grams =
        lines.flat_map(str::split_ascii_whitespace).filter_map(|gram| gram.as_bytes().try_into().ok());
    grams.enumerate().map(|(rank, gram)| (gram, rank)).collect()
});

/// The rank of four bytes among the common ones, 0 for the most common; upper and lower case are the same. What is
/// rare has the greatest rank of all.
pub(crate) fn rank(gram: &[u8]) -> usize {
    // White space is everywhere, with whatever letters.
    if gram.iter().any(u8::is_ascii_whitespace) {
        return 0;
    }
    let folded: Option<[u8; 4]> = gram.to_ascii_lowercase().try_into().ok();
    folded.and_then(|gram| COMMON.get(&gram)).copied().unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_read_whole() {
        assert!(COMMON.len() > 5000, "{}", COMMON.len());
        let lines = include_str!("common-grams.txt").lines().filter(|line| !line.starts_with('#'));
        for gram in lines.flat_map(|line| line.split(' ')) {
            assert_eq!(gram.len(), 4, "{gram}");
            assert_eq!(gram.to_ascii_lowercase(), gram);
        }
    }

    #[test]
    fn common_ones_come_before_rare_ones() {
        assert_eq!(rank(b"tion"), 0);
        assert!(rank(b"Type") < rank(b"secr"));
        assert!(rank(b"secr") < rank(b"pese"));
        assert_eq!(rank(b"a ab"), 0);
        assert_eq!(rank(b"zqzq"), usize::MAX);
    }
}
