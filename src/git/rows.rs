//! What trees have of what is sought, made out from the notes of a [`Trail`](super::Trail), read from the trees, or kept
//! from an earlier audit.

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;

use super::names::Names;
use super::{Inventory, ObjectKind, Outline, Relevant, TreeEntries};

/// No place.
const NONE: u32 = u32::MAX;

/// What trees have of relevant objects.
#[derive(Debug, Default)]
pub struct Rows {
    pub(super) names: Names,
    /// A tree, and where its entries end: there is no room for as many as 32 bits cannot count.
    pub(super) trees: Vec<(u32, u32)>,
    pub(super) entries: Vec<RowEntry>,
}

/// An entry of a tree that may matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RowEntry {
    /// Twice the place in [`Rows::names`], one more for a tree.
    pub(super) name_and_kind: u32,
    pub(super) object: u32,
}

impl RowEntry {
    /// Place in [`Rows::names`].
    pub(super) fn name(self) -> u32 {
        self.name_and_kind >> 1
    }

    pub(super) fn is_tree(self) -> bool {
        self.name_and_kind & 1 != 0
    }
}

impl Rows {
    /// Notes the relevant entries of a tree, given with where its entries lie.
    pub fn add<'e>(
        &mut self,
        inventory: &Inventory,
        relevant: &Relevant,
        tree: u32,
        (bytes, outline): (&'e [u8], &Outline),
    ) {
        let id_len = inventory.id_len();
        let link_of = |entry: &'e [u8]| Some(&entry[entry.len().checked_sub(id_len)?..]);
        let is_likely = |entry: &&'e [u8]| link_of(entry).is_some_and(|link| relevant.is_likely(link));
        let likely: Vec<&[u8]> = outline.entries(bytes).filter(is_likely).collect();
        let numbers = inventory.numbers(likely.iter().copied().filter_map(link_of));
        for (entry, number) in likely.iter().zip(numbers) {
            let Some(object) = number else { continue };
            let Ok(Some((kind, name, _))) = TreeEntries::new(entry, id_len).next_parts() else { continue };
            let is_tree = match kind {
                ObjectKind::Tree if relevant.is_leading[object as usize] => true,
                ObjectKind::Blob if relevant.is_target[object as usize] => false,
                _ => continue,
            };
            let name_and_kind = self.names.number(name) << 1 | u32::from(is_tree);
            self.entries.push(RowEntry { name_and_kind, object });
        }
        self.trees.push((tree, self.entries.len() as u32));
    }

    /// The names of entries.
    pub(super) fn names(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        self.names.iter()
    }

    /// The trees of all rows.
    pub fn trees(parts: &[Rows]) -> impl Iterator<Item = (u32, impl Iterator<Item = u32>)> {
        let rows = parts.iter().flat_map(|rows| (0..rows.len()).map(|place| rows.row(place)));
        rows.map(|(tree, entries)| {
            (tree, entries.iter().filter(|entry| entry.is_tree()).map(|entry| entry.object))
        })
    }

    /// By number, for `count` objects, which of some trees and of those of the rows lead to some of the first. They
    /// come as they were written, the inner ones first.
    pub fn leading_to(parts: &[Rows], trees: impl IntoIterator<Item = u32>, count: usize) -> Vec<bool> {
        let mut is_leading = vec![false; count];
        trees.into_iter().for_each(|tree| is_leading[tree as usize] = true);
        for (tree, mut below) in Self::trees(parts) {
            is_leading[tree as usize] |= below.any(|below| is_leading[below as usize]);
        }
        is_leading
    }

    /// Puts trees, given with part and place, behind those that lie in them, so that who goes through the rows knows
    /// of each tree what is in it.
    fn inner_first(
        parts: &[Rows],
        trees: Vec<(u32, u32, u32)>,
        renumber: impl Fn(u32) -> u32,
    ) -> Vec<(u32, u32, u32)> {
        // By number the place among the trees that still wait.
        let mut waiting = vec![NONE; trees.last().map_or(0, |(last, ..)| *last as usize + 1)];
        trees.iter().zip(0..).for_each(|((tree, ..), place)| waiting[*tree as usize] = place);
        let mut take = |tree: u32| match waiting.get_mut(tree as usize) {
            Some(place) if *place != NONE => Some(trees[std::mem::replace(place, NONE) as usize]),
            _ => None,
        };
        let mut ordered = Vec::with_capacity(trees.len());
        let mut open = Vec::new();
        for (tree, ..) in &trees {
            open.extend(take(*tree).map(|tree| (tree, 0)));
            while let Some(((_, part, place), next)) = open.last_mut() {
                let (_, entries) = parts[*part as usize].row(*place as usize);
                let inner = entries[*next..].iter().enumerate().find_map(|(skipped, entry)| {
                    let tree = entry.is_tree().then(|| take(renumber(entry.object)))??;
                    Some((skipped, tree))
                });
                match inner {
                    Some((skipped, tree)) => {
                        *next += skipped + 1;
                        open.push((tree, 0));
                    }
                    None => ordered.extend(open.pop().map(|(tree, _)| tree)),
                }
            }
        }
        ordered
    }

    /// Writes rows so that [`Rows::restore`] can read them, each number replaced by another one. A tree that stands
    /// in more than one part is written once.
    pub fn store(parts: &[Rows], renumber: impl Fn(u32) -> u32) -> Vec<u8> {
        let names: BTreeSet<&[u8]> = parts.iter().flat_map(|part| part.names.iter()).collect();
        let places: HashMap<&[u8], u32> = names.iter().copied().zip(0..).collect();
        let mut trees: Vec<(u32, u32, u32)> = Vec::new();
        for (part, rows) in (0..).zip(parts) {
            trees.extend((0..).zip(&rows.trees).map(|(place, (tree, _))| (renumber(*tree), part, place)));
        }
        trees.sort_unstable();
        trees.dedup_by_key(|(tree, ..)| *tree);
        let trees = Self::inner_first(parts, trees, &renumber);
        let mut bytes = Vec::new();
        let mut put = |number: u32| bytes.extend_from_slice(&number.to_le_bytes());
        put(names.len() as u32);
        names.iter().for_each(|name| put(name.len() as u32));
        put(trees.len() as u32);
        for (tree, part, place) in trees {
            let rows = &parts[part as usize];
            let (_, entries) = rows.row(place as usize);
            put(tree);
            put(entries.len() as u32);
            for entry in entries {
                put(places[rows.names.get(entry.name())] << 1 | entry.name_and_kind & 1);
                put(renumber(entry.object));
            }
        }
        names.iter().for_each(|name| bytes.extend_from_slice(name));
        bytes
    }

    /// Reads what [`Rows::store`] wrote, each number replaced by another one. `None` for anything else.
    pub fn restore(bytes: &[u8], number: impl Fn(u32) -> Option<u32>) -> Option<Self> {
        let mut rest = bytes;
        let word = |rest: &mut &[u8]| Some(u32::from_le_bytes(take(rest)?));
        let names = word(&mut rest)?;
        let lens: Vec<u32> = (0..names).map_while(|_| word(&mut rest)).collect();
        let mut rows = Self::default();
        for _ in 0..word(&mut rest)? {
            let tree = number(word(&mut rest)?)?;
            for _ in 0..word(&mut rest)? {
                let name_and_kind = word(&mut rest).filter(|name| name >> 1 < names)?;
                rows.entries.push(RowEntry { name_and_kind, object: number(word(&mut rest)?)? });
            }
            rows.trees.push((tree, rows.entries.len() as u32));
        }
        for len in &lens {
            let (name, behind) = rest.split_at_checked(*len as usize)?;
            rows.names.number(name);
            rest = behind;
        }
        // Were a name there twice, those behind it would have other numbers.
        (rest.is_empty() && rows.names.len() == names as usize).then_some(rows)
    }

    /// How many trees there are.
    pub(super) fn len(&self) -> usize {
        self.trees.len()
    }

    /// A tree and its entries.
    pub(super) fn row(&self, place: usize) -> (u32, &[RowEntry]) {
        (self.trees[place].0, &self.entries[self.range(place)])
    }

    pub(super) fn range(&self, place: usize) -> Range<usize> {
        let start = place.checked_sub(1).map_or(0, |before| self.trees[before].1);
        start as usize..self.trees[place].1 as usize
    }
}

/// The first bytes of some, which then start behind them.
pub(super) fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (first, behind) = rest.split_first_chunk()?;
    *rest = behind;
    Some(*first)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> Vec<Rows> {
        let mut parts = [Rows::default(), Rows::default()];
        for (part, names) in parts.iter_mut().zip([["b", "a"], ["c", "a"]]) {
            let numbers: Vec<u32> = names.iter().map(|name| part.names.number(name.as_bytes())).collect();
            part.entries
                .extend(numbers.iter().map(|name| RowEntry { name_and_kind: name << 1 | 1, object: 3 }));
        }
        parts[0].trees = vec![(5, 2), (4, 2)];
        parts[1].trees = vec![(5, 1), (1, 2)];
        parts.into()
    }

    #[test]
    fn stored_rows_are_restored_as_one() {
        let stored = Rows::store(&rows(), |number| number + 1);
        let restored = Rows::restore(&stored, |number| Some((number - 1) * 10)).unwrap();
        let named = |(tree, entries): (u32, &[RowEntry])| {
            let entries = entries.iter().map(|entry| {
                (
                    String::from_utf8(restored.names.get(entry.name()).to_vec()).unwrap(),
                    entry.is_tree(),
                    entry.object,
                )
            });
            (tree, entries.collect::<Vec<_>>())
        };
        let entry = |name: &str| (name.to_owned(), true, 30);
        let found: Vec<_> = (0..restored.len()).map(|place| named(restored.row(place))).collect();
        assert_eq!(found, [(10, vec![entry("a")]), (40, vec![]), (50, vec![entry("b"), entry("a")])]);
    }

    /// Those of one part lie in each other the wrong way round, and in those of the other.
    #[test]
    fn stored_rows_come_after_those_in_them() {
        let mut parts = [Rows::default(), Rows::default()];
        let lies = [&[(1, vec![2, 7]), (2, vec![3]), (4, vec![])][..], &[(3, vec![4]), (0, vec![1, 3])]];
        for (part, trees) in parts.iter_mut().zip(lies) {
            let name = part.names.number(b"a");
            for (tree, inner) in trees {
                let entry = |object: &u32| RowEntry { name_and_kind: name << 1 | 1, object: *object };
                part.entries.extend(inner.iter().map(entry));
                part.trees.push((*tree, part.entries.len() as u32));
            }
        }
        let restored = Rows::restore(&Rows::store(&parts, |number| number), Some);
        let restored = restored.unwrap();
        let order: Vec<u32> = (0..restored.len()).map(|place| restored.row(place).0).collect();
        assert_eq!(order, [4, 3, 2, 1, 0]);
    }

    #[test]
    fn what_is_no_rows_is_refused() {
        let bytes = Rows::store(&rows(), |number| number);
        for len in 0..bytes.len() {
            assert!(Rows::restore(&bytes[..len], Some).is_none(), "{len} bytes of it");
        }
        assert!(Rows::restore(&[&bytes[..], b"\0"].concat(), Some).is_none(), "a byte more");
        assert!(Rows::restore(&bytes, |number| (number < 5).then_some(number)).is_none());
        assert!(Rows::restore(&[0xFF; 40], Some).is_none());
    }
}
