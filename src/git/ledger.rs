//! Where some blobs came and went, kept from one audit to the next.
//!
//! To say who brought a blob and who still has it, attribution compares every commit with its parents. What comes of
//! that hangs on commits and trees alone, which never change; what refs reach is asked only when first and last are
//! chosen among the commits that it names. So it is kept: on rails/rails 7,000 places have 8,000 commits that
//! brought something there and 116,000 that lost it, out of 434,000 trees. The next audit compares the new commits.

use super::forest::{Forest, PathId, Target};
use super::names::Names;
use super::stays::{Places, Step};

/// What commits and trees say of some blobs. Objects are numbers of the inventory.
#[derive(Debug, Default)]
pub struct Ledger {
    /// Names of entries of trees.
    pub(super) names: Names,
    /// For each node how many blobs and trees it has, and then these: name and object, name and node.
    /// Those that lie in it come before it, and the first is that of a tree without targets, which is not here.
    pub(super) nodes: Vec<u32>,
    /// Trees with the node of each, twice, and one more if the tree lies in another one.
    pub(super) trees: Vec<(u32, u32)>,
    /// Paths by the one above and a name; the first is that of the top, which is not here.
    pub(super) paths: Vec<(u32, u32)>,
    /// Path and blob.
    places: Vec<(u32, u32)>,
    /// A place, and a commit that has it and whose parents do not.
    came: Vec<(u32, u32)>,
    /// A place, a commit that has it, and its child that does not.
    went: Vec<(u32, u32, u32)>,
}

impl Ledger {
    /// Writes it so that [`Ledger::restore`] can read it, each number of an object replaced by another one.
    pub fn store(&self, renumber: impl Fn(u32) -> u32) -> Vec<u8> {
        let Self { places, came, went, .. } = self;
        let mut words: Vec<u32> = Vec::new();
        let lens = [
            self.names.len(),
            self.nodes.len(),
            self.trees.len(),
            self.paths.len(),
            places.len(),
            came.len(),
            went.len(),
        ];
        words.extend(lens.map(|len| len as u32));
        words.extend(self.names.iter().map(|name| name.len() as u32));
        let mut rest = &self.nodes[..];
        while let Some(([blobs, trees], behind)) = rest.split_first_chunk() {
            words.extend([*blobs, *trees]);
            let (blobs, behind) = behind.split_at(*blobs as usize * 2);
            let (trees, behind) = behind.split_at(*trees as usize * 2);
            words.extend(blobs.as_chunks().0.iter().flat_map(|[name, blob]| [*name, renumber(*blob)]));
            words.extend(trees);
            rest = behind;
        }
        words.extend(self.trees.iter().flat_map(|(tree, node)| [renumber(*tree), *node]));
        words.extend(self.paths.iter().flat_map(|(above, name)| [*above, *name]));
        words.extend(places.iter().flat_map(|(path, blob)| [*path, renumber(*blob)]));
        words.extend(came.iter().flat_map(|(place, commit)| [*place, renumber(*commit)]));
        words.extend(
            went.iter().flat_map(|(place, commit, child)| [*place, renumber(*commit), renumber(*child)]),
        );
        let mut bytes: Vec<u8> = words.into_iter().flat_map(u32::to_le_bytes).collect();
        self.names.iter().for_each(|name| bytes.extend_from_slice(name));
        bytes
    }

    /// Reads what [`Ledger::store`] wrote, each number of an object replaced by another one. `None` for anything else.
    pub fn restore(bytes: &[u8], number: impl Fn(u32) -> Option<u32>) -> Option<Self> {
        let (words, _) = bytes.as_chunks::<4>();
        let mut words = words.iter().map(|word| u32::from_le_bytes(*word));
        let mut lens = [0; 7];
        for len in &mut lens {
            *len = words.next()? as usize;
        }
        let [names, nodes, trees, paths, places, came, went] = lens;
        let twice = |len: usize| len.checked_mul(2);
        let numbers =
            [names, nodes, twice(trees)?, twice(paths)?, twice(places)?, twice(came)?, went.checked_mul(3)?];
        let all = numbers.into_iter().try_fold(lens.len(), usize::checked_add)?;
        let text = bytes.get(all.checked_mul(4)?..)?;
        let name_lens: Vec<u32> = words.by_ref().take(names).collect();
        let mut rest = text;
        let mut ledger = Self::default();
        for len in name_lens {
            let (name, behind) = rest.split_at_checked(len as usize)?;
            let number = ledger.names.len();
            // Each stands there once.
            if ledger.names.number(name) as usize != number {
                return None;
            }
            rest = behind;
        }
        if !rest.is_empty() {
            return None;
        }
        let below = |limit: usize| move |number: u32| Some(number).filter(|at| (*at as usize) < limit);
        let name = below(names);
        ledger.nodes = words.by_ref().take(nodes).collect();
        let (mut at, mut count) = (0, 1);
        while at < nodes {
            let [blobs, inner] = [*ledger.nodes.get(at)?, *ledger.nodes.get(at + 1)?];
            let start = at + 2;
            let middle = start.checked_add((blobs as usize).checked_mul(2)?)?;
            let end = middle.checked_add((inner as usize).checked_mul(2)?)?;
            ledger.nodes.get(start..end)?;
            for pair in ledger.nodes[start..middle].as_chunks_mut::<2>().0 {
                *pair = [name(pair[0])?, number(pair[1])?];
            }
            for [entry, node] in ledger.nodes[middle..end].as_chunks::<2>().0 {
                name(*entry)?;
                below(count)(*node)?;
            }
            (at, count) = (end, count + 1);
        }
        let mut pairs = |len: usize| -> Vec<(u32, u32)> {
            (0..len).map_while(|_| Some((words.next()?, words.next()?))).collect()
        };
        let (trees, paths, places, came) = (pairs(trees), pairs(paths), pairs(places), pairs(came));
        let went: Vec<(u32, u32, u32)> =
            (0..went).map_while(|_| Some((words.next()?, words.next()?, words.next()?))).collect();
        let tree = |(tree, node): (u32, u32)| Some((number(tree)?, below(count * 2)(node)?));
        ledger.trees = trees.into_iter().map(tree).collect::<Option<_>>()?;
        let path = |(at, (above, entry)): (usize, (u32, u32))| Some((below(at + 1)(above)?, name(entry)?));
        ledger.paths = paths.into_iter().enumerate().map(path).collect::<Option<_>>()?;
        let path = below(ledger.paths.len() + 1);
        let place = |(at, blob): (u32, u32)| Some((path(at)?, number(blob)?));
        ledger.places = places.into_iter().map(place).collect::<Option<_>>()?;
        let place = below(ledger.places.len());
        let one = |(at, commit): (u32, u32)| Some((place(at)?, number(commit)?));
        ledger.came = came.into_iter().map(one).collect::<Option<_>>()?;
        let one = |(at, commit, child): (u32, u32, u32)| Some((place(at)?, number(commit)?, number(child)?));
        ledger.went = went.into_iter().map(one).collect::<Option<_>>()?;
        Some(ledger)
    }

    /// The blobs that have a place, some of them more than once.
    pub(super) fn blobs(&self) -> impl Iterator<Item = u32> {
        self.places.iter().map(|(_, blob)| *blob)
    }

    /// What was compared, with targets and paths of a forest in the place of blobs and paths, and commits as another
    /// list has them. `None` if one is not there.
    pub(super) fn resume(
        &self,
        target: impl Fn(u32) -> Option<Target>,
        paths: &[PathId],
        commit: impl Fn(u32) -> Option<u32>,
    ) -> Option<(Places, Vec<Step>)> {
        let mut places = Places::default();
        for (number, (path, blob)) in (0..).zip(&self.places) {
            if places.number((*paths.get(*path as usize)?, target(*blob)?)) != number {
                return None;
            }
        }
        let came =
            self.came.iter().map(|(place, at)| Some(Step::Came { place: *place, commit: commit(*at)? }));
        let went = self.went.iter().map(|(place, at, child)| {
            Some(Step::Went { place: *place, commit: commit(*at)?, child: commit(*child)? })
        });
        Some((places, came.chain(went).collect::<Option<_>>()?))
    }

    /// The ledger of a forest and what was compared, with blobs and commits by their numbers.
    pub(super) fn of(
        forest: &Forest<'_>,
        (places, steps): (&Places, &[Step]),
        commit: impl Fn(u32) -> Option<u32>,
    ) -> Option<Self> {
        let mut ledger = forest.ledger()?;
        for (path, target) in places.iter() {
            ledger.places.push((path.0, forest.number_of(*target)?));
        }
        for step in steps {
            match *step {
                Step::Came { place, commit: at } => ledger.came.push((place, commit(at)?)),
                Step::Went { place, commit: at, child } => {
                    ledger.went.push((place, commit(at)?, commit(child)?))
                }
            }
        }
        Some(ledger)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ledger() -> Ledger {
        let mut names = Names::default();
        names.number(b"a");
        names.number(b"bc");
        Ledger {
            names,
            nodes: vec![1, 0, 0, 3, 0, 1, 1, 1],
            trees: vec![(4, 2), (5, 5)],
            paths: vec![(0, 1), (1, 0)],
            places: vec![(2, 3)],
            came: vec![(0, 1)],
            went: vec![(0, 1, 2)],
        }
    }

    #[test]
    fn what_was_stored_is_restored_under_other_numbers() {
        let stored = ledger().store(|number| number + 1);
        let restored = Ledger::restore(&stored, |number| Some((number - 1) * 10)).unwrap();
        assert_eq!(restored.names.iter().collect::<Vec<_>>(), [&b"a"[..], b"bc"]);
        assert_eq!(restored.nodes, [1, 0, 0, 30, 0, 1, 1, 1]);
        assert_eq!(
            (&restored.trees[..], &restored.paths[..]),
            (&[(40, 2), (50, 5)][..], &ledger().paths[..])
        );
        assert_eq!(restored.places, [(2, 30)]);
        assert_eq!((&restored.came[..], &restored.went[..]), (&[(0, 10)][..], &[(0, 10, 20)][..]));
    }

    #[test]
    fn what_is_no_ledger_is_refused() {
        let number = |below: u32| move |number: u32| (number < below).then_some(number);
        let bytes = ledger().store(|number| number);
        assert!(Ledger::restore(&bytes, number(6)).is_some());
        assert!(Ledger::restore(&bytes, number(5)).is_none(), "a number too high");
        for len in 0..bytes.len() {
            assert!(Ledger::restore(&bytes[..len], number(6)).is_none(), "{len} bytes of it");
        }
        assert!(Ledger::restore(&[&bytes[..], b"\0"].concat(), number(6)).is_none(), "a byte more");
        assert!(Ledger::restore(&[0xFF; 400], number(6)).is_none());
        // Whatever a number is replaced by, it is refused or stands for something that is there.
        for at in (0..bytes.len() - 3).step_by(4) {
            for other in [0_u32, 1, 2, 3, 7, u32::MAX] {
                let mut bytes = bytes.clone();
                bytes[at..at + 4].copy_from_slice(&other.to_le_bytes());
                if let Some(ledger) = Ledger::restore(&bytes, number(6)) {
                    assert!(ledger.trees.iter().all(|(_, node)| *node < 6));
                    assert!(ledger.places.iter().all(|(path, _)| *path < 3));
                }
            }
        }
    }
}
