//! Putting in order what is nearly sorted.

/// Literals come in the order of the grams, which lie anywhere in them: nearly sorted, none far from its place.
pub(super) fn push_in_order<T: Ord + Copy>(hits: &mut Vec<T>, hit: T) {
    hits.push(hit);
    put_last_in_order(hits);
}

/// Sorts what is nearly sorted, none far from its place; and whatever else it may be.
pub(super) fn sort_in_place<T: Ord + Copy>(all: &mut [T]) {
    let mut moves_left = 8 * all.len();
    for end in 1..=all.len() {
        match moves_left.checked_sub(put_last_in_order(&mut all[..end])) {
            Some(left) => moves_left = left,
            None => return all.sort_unstable(),
        }
    }
}

/// Moves the last one to where it belongs among the others, which are sorted; says how far.
#[inline(always)]
fn put_last_in_order<T: Ord + Copy>(all: &mut [T]) -> usize {
    let Some(&one) = all.last() else { return 0 };
    let mut place = all.len() - 1;
    while place > 0 && all[place - 1] > one {
        all[place] = all[place - 1];
        place -= 1;
    }
    all[place] = one;
    all.len() - 1 - place
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_nearly_sorted_is_sorted_in_place() {
        for mut numbers in [vec![], vec![1], vec![2, 1, 4, 3, 5], (0..500).rev().collect(), vec![3; 9]] {
            let mut sorted = numbers.clone();
            sorted.sort_unstable();
            sort_in_place(&mut numbers);
            assert_eq!(numbers, sorted);
        }
    }
}
