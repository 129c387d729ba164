//! Parts of values.

/// Where a part starts in a value for the first time.
///
/// Values are short, and there are many parts to look for: the searchers of a library take longer to set up than it
/// takes to look at each place.
pub(super) fn find(value: &[u8], part: &[u8]) -> Option<usize> {
    let first = *part.first()?;
    let mut from = 0;
    while let Some(at) = memchr::memchr(first, &value[from..]) {
        if value[from + at..].starts_with(part) {
            return Some(from + at);
        }
        from += at + 1;
    }
    None
}

/// Whether a part stands anywhere in a value.
pub(super) fn contains(value: &[u8], part: &[u8]) -> bool {
    find(value, part).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn parts_are_found_where_a_library_finds_them(value in "[ab]{0,12}", part in "[ab]{1,4}") {
            let found = find(value.as_bytes(), part.as_bytes());
            prop_assert_eq!(found, value.find(&part));
            prop_assert_eq!(contains(value.as_bytes(), part.as_bytes()), found.is_some());
        }
    }
}
