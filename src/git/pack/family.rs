//! Which entry of a pack is made from which: a forest of families.

use std::collections::HashMap;
use std::thread;

use super::{Base, EntryError, Pack};
use crate::location::ObjectId;

/// No entry.
const NONE: u32 = u32::MAX;

/// How an entry starts a family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Root {
    /// It is a whole object.
    Whole,
    /// It is a delta on an object that is not in this pack.
    Elsewhere(ObjectId),
    /// Its header or its place among the others is broken.
    Broken(EntryError),
}

/// The families of a pack. Each is a tree: every entry hangs on its base.
#[derive(Debug)]
pub struct Forest {
    /// By entry. Both are asked for one after the other, and each time memory is waited for.
    links: Vec<Links>,
    roots: Vec<u32>,
    /// The roots that are no whole objects.
    odd: HashMap<u32, Root>,
}

/// Who comes after an entry, or [`NONE`].
#[derive(Clone, Copy, Debug)]
struct Links {
    first_child: u32,
    next_sibling: u32,
}

impl Forest {
    /// Reads the headers of all entries. A broken entry is a root, and those made from it are below it.
    pub fn plant(pack: &Pack, threads: usize) -> Self {
        let count = pack.index().len();
        let mut bases = vec![NONE; count];
        let mut odd = HashMap::new();
        // Headers lie all over the pack, so this waits for memory more than it computes.
        let chunk = count.div_ceil(threads.max(1)).max(1);
        thread::scope(|scope| {
            let workers: Vec<_> = bases
                .chunks_mut(chunk)
                .enumerate()
                .map(|(number, bases)| scope.spawn(move || find_bases(pack, (number * chunk) as u32, bases)))
                .collect();
            for worker in workers {
                match worker.join() {
                    Ok(found) => odd.extend(found),
                    Err(payload) => std::panic::resume_unwind(payload),
                }
            }
        });
        let none = Links { first_child: NONE, next_sibling: NONE };
        let mut forest = Self { links: vec![none; count], roots: Vec::new(), odd };
        forest.break_circles(&mut bases);
        // From the last to the first, so that the children of an entry come in the order of the pack.
        for entry in (0..count as u32).rev() {
            match bases[entry as usize] {
                NONE => forest.roots.push(entry),
                base => {
                    let first = std::mem::replace(&mut forest.links[base as usize].first_child, entry);
                    forest.links[entry as usize].next_sibling = first;
                }
            }
        }
        forest.roots.reverse();
        forest
    }

    /// Deltas by name may lead in a circle, which no walk from a root would ever enter: those in one become
    /// broken roots.
    fn break_circles(&mut self, bases: &mut [u32]) {
        // A base in front of its delta cannot close a circle by itself.
        if (0..).zip(bases.iter()).all(|(entry, &base)| base == NONE || base < entry) {
            return;
        }
        let mut seen_from = vec![NONE; bases.len()];
        for start in 0..bases.len() as u32 {
            let mut entry = start;
            while entry != NONE && seen_from[entry as usize] == NONE {
                seen_from[entry as usize] = start;
                entry = bases[entry as usize];
            }
            if entry != NONE && seen_from[entry as usize] == start {
                let mut at = entry;
                while bases[at as usize] != NONE {
                    let next = bases[at as usize];
                    bases[at as usize] = NONE;
                    self.odd.insert(at, Root::Broken(EntryError::Cycle));
                    at = next;
                }
            }
        }
    }

    /// The entries that start families, in the order of the pack.
    pub fn roots(&self) -> &[u32] {
        &self.roots
    }

    /// What kind of root it is.
    pub fn root(&self, entry: u32) -> Root {
        self.odd.get(&entry).copied().unwrap_or(Root::Whole)
    }

    /// The entries that are neither whole nor on one of the same pack, and all that hang on them.
    pub fn hopeless(&self) -> Vec<u32> {
        let mut found: Vec<u32> = self.odd.keys().copied().collect();
        let mut next = 0;
        while let Some(&entry) = found.get(next) {
            next += 1;
            let mut child = self.first_child(entry);
            while let Some(entry) = child {
                found.push(entry);
                child = self.next_sibling(entry);
            }
        }
        found
    }

    /// By entry: its base, or itself if it starts a family.
    pub fn bases(&self) -> Vec<u32> {
        let mut bases: Vec<u32> = (0..self.links.len() as u32).collect();
        for entry in 0..self.links.len() as u32 {
            let mut child = self.first_child(entry);
            while let Some(entry_below) = child {
                bases[entry_below as usize] = entry;
                child = self.next_sibling(entry_below);
            }
        }
        bases
    }

    /// The first of the deltas on an entry.
    pub fn first_child(&self, entry: u32) -> Option<u32> {
        Some(self.links[entry as usize].first_child).filter(|&child| child != NONE)
    }

    /// The next delta on the same base.
    pub fn next_sibling(&self, entry: u32) -> Option<u32> {
        Some(self.links[entry as usize].next_sibling).filter(|&sibling| sibling != NONE)
    }
}

fn find_bases(pack: &Pack, first: u32, bases: &mut [u32]) -> Vec<(u32, Root)> {
    let mut odd = Vec::new();
    for (entry, base) in (first..).zip(bases) {
        match pack.header(entry).map(|header| header.base) {
            Ok(Base::Whole(_)) => {}
            Ok(Base::Offset(offset)) => match pack.index().entry_before(entry, offset) {
                Some(found) => *base = found,
                None => odd.push((entry, Root::Broken(EntryError::NoBase))),
            },
            Ok(Base::Name(id)) => match pack.index().find(&id) {
                Some(found) => *base = found,
                None => odd.push((entry, Root::Elsewhere(id))),
            },
            Err(error) => odd.push((entry, Root::Broken(error))),
        }
    }
    odd
}
