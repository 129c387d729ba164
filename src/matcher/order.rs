//! Putting in order what is nearly sorted.

/// Literals come in the order of the grams, which lie anywhere in them: nearly sorted, none far from its place.
pub(super) fn push_in_order<T: Ord + Copy>(hits: &mut Vec<T>, hit: T) {
    let mut at = hits.len();
    hits.push(hit);
    while at > 0 && hits[at - 1] > hit {
        hits[at] = hits[at - 1];
        at -= 1;
    }
    hits[at] = hit;
}

/// Sorts what is nearly sorted, none far from its place; and whatever else it may be.
pub(super) fn sort_in_place<T: Ord + Copy>(all: &mut [T]) {
    let mut moves_left = 8 * all.len();
    for at in 1..all.len() {
        let one = all[at];
        let mut place = at;
        while place > 0 && all[place - 1] > one {
            all[place] = all[place - 1];
            place -= 1;
        }
        all[place] = one;
        match moves_left.checked_sub(at - place) {
            Some(left) => moves_left = left,
            None => return all.sort_unstable(),
        }
    }
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
