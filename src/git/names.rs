//! The names of files and directories, each kept once.

use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};

/// Different names with a number each, one behind the other in one buffer: a history may have a million of them.
#[derive(Debug, Default)]
pub(super) struct Names {
    bytes: Vec<u8>,
    /// Where each ends.
    ends: Vec<usize>,
    numbers: HashTable<u32>,
    /// Keyed at random: nobody can choose names that take long to tell apart.
    key: DefaultHashBuilder,
    /// The number that was asked for last, which often comes again.
    last: u32,
}

impl Names {
    /// The number of a name, a new one if it was not there. There is no room for so many that 31 bits cannot count them.
    pub(super) fn number(&mut self, name: &[u8]) -> u32 {
        let Self { bytes, ends, numbers, key, last } = self;
        if (*last as usize) < ends.len() && at(bytes, ends, *last) == name {
            return *last;
        }
        let hash = key.hash_one(name);
        if let Some(number) = numbers.find(hash, |number| at(bytes, ends, *number) == name) {
            *last = *number;
            return *number;
        }
        let number = ends.len() as u32;
        bytes.extend_from_slice(name);
        ends.push(bytes.len());
        numbers.insert_unique(hash, number, |number| key.hash_one(at(bytes, ends, *number)));
        *last = number;
        number
    }

    /// The name of a number.
    pub(super) fn get(&self, number: u32) -> &[u8] {
        at(&self.bytes, &self.ends, number)
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// All of them by number.
    pub(super) fn iter(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        (0..self.ends.len()).map(|number| self.get(number as u32))
    }
}

fn at<'n>(bytes: &'n [u8], ends: &[usize], number: u32) -> &'n [u8] {
    let start = number.checked_sub(1).map_or(0, |before| ends[before as usize]);
    &bytes[start..ends[number as usize]]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_has_one_number() {
        let mut names = Names::default();
        let all: Vec<String> = (0..1000).map(|number| "n".repeat(number % 7) + &number.to_string()).collect();
        for round in 0..2 {
            for (name, number) in all.iter().zip(0..) {
                assert_eq!(names.number(name.as_bytes()), number, "round {round}");
            }
        }
        assert_eq!(names.number(b""), 1000);
        assert_eq!((names.len(), names.get(1000), names.get(8)), (1001, &b""[..], all[8].as_bytes()));
        assert!(names.iter().zip(&all).all(|(name, expected)| name == expected.as_bytes()));
    }
}
