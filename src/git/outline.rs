//! Where the entries of a tree lie.

use std::ops::Range;

use super::raw::Parts;
use super::{Malformed, TreeEntries};
use crate::derived::Copies;

/// The ends of the entries of a tree, so that a tree made from it by copying need not be read where it was copied.
///
/// Most versions of a directory differ from another one in a line. On git/git, whose root has 600 entries, reading
/// every version from end to end took a fifth of all time.
#[derive(Clone, Debug, Default)]
pub struct Outline {
    ends: Vec<u32>,
}

/// What a tree was made from.
#[derive(Clone, Copy, Debug)]
pub struct Base<'b> {
    /// The bytes of the other tree.
    pub bytes: &'b [u8],
    /// Its outline.
    pub outline: &'b Outline,
    /// What was copied from it.
    pub copies: &'b Copies,
}

impl<'b> Base<'b> {
    fn entry(&self, place: usize, id_len: usize) -> Option<Parts<'b>> {
        let ends = &self.outline.ends;
        let start = place.checked_sub(1).map_or(0, |before| ends[before]) as usize;
        TreeEntries::new(self.bytes.get(start..ends[place] as usize)?, id_len).next_parts().ok()?
    }
}

/// An entry that a tree and what it was made from do not share: kind, name and the bytes of an object name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change<'c> {
    /// It was not copied.
    Fresh(Parts<'c>),
    /// It is in the base alone.
    Gone(Parts<'c>),
}

impl Outline {
    /// Forgets everything.
    pub fn clear(&mut self) {
        self.ends.clear();
    }

    /// Finds the entries of a tree with object names of `id_len` bytes, and calls `visit` with those that were not
    /// copied whole from entries of the base, and those of the base that were not copied. After an error it holds the
    /// entries before that.
    ///
    /// # Errors
    ///
    /// When the bytes do not follow the format.
    pub fn read(
        &mut self,
        bytes: &[u8],
        id_len: usize,
        base: Option<&Base<'_>>,
        mut visit: impl FnMut(Change<'_>),
    ) -> Result<(), Malformed> {
        self.clear();
        let (ends, pieces) =
            base.map_or((&[][..], &[][..]), |base| (&base.outline.ends, base.copies.pieces()));
        let mut pieces = pieces.iter().peekable();
        let pass = |places: Range<usize>, visit: &mut dyn FnMut(Change<'_>)| {
            let gone = places.filter_map(|place| base?.entry(place, id_len));
            gone.for_each(|parts| visit(Change::Gone(parts)));
        };
        // How many entries of the base were copied or passed over; or, where they come in another order, which were copied.
        let mut passed = 0;
        let mut taken = match base {
            Some(base) if !base.copies.is_in_order() => vec![false; ends.len()],
            _ => Vec::new(),
        };
        let mut at = 0;
        let mut outcome = Ok(());
        while at < bytes.len() {
            while pieces.next_if(|piece| piece.to + piece.len <= at).is_some() {}
            if let Some(piece) = pieces.peek().filter(|piece| piece.to <= at) {
                let from = at - piece.to + piece.from;
                // The bytes are those of entries only where they start as one.
                let first = match from {
                    0 => Some(0),
                    from => ends.binary_search(&(from as u32)).ok().map(|before| before + 1),
                };
                let last = ends.partition_point(|&end| end as usize <= piece.from + piece.len);
                // An entry that is copied twice is new the second time.
                let until = |first: usize| match taken.get(first..last) {
                    Some(taken) => first + taken.iter().take_while(|is_taken| !**is_taken).count(),
                    None => last,
                };
                if let Some(places) = first.map(|first| first..until(first))
                    && let Some(copied) = ends.get(places.clone())
                    && let Some(&end) = copied.last()
                {
                    self.ends.extend(copied.iter().map(|end| end - from as u32 + at as u32));
                    match taken.get_mut(places.clone()) {
                        Some(taken) => taken.fill(true),
                        None => {
                            pass(passed..places.start, &mut visit);
                            passed = places.end;
                        }
                    }
                    at += end as usize - from;
                    continue;
                }
            }
            let mut entries = TreeEntries::new(&bytes[at..], id_len);
            match entries.next_parts() {
                Ok(Some(parts)) => visit(Change::Fresh(parts)),
                Ok(None) => break,
                Err(error) => {
                    outcome = Err(error);
                    break;
                }
            }
            at = bytes.len() - entries.rest_len();
            match u32::try_from(at) {
                Ok(end) => self.ends.push(end),
                Err(_) => {
                    outcome = Err(Malformed("tree"));
                    break;
                }
            }
        }
        match taken.is_empty() {
            true => pass(passed..ends.len(), &mut visit),
            false => (0..ends.len())
                .filter(|place| !taken[*place])
                .for_each(|place| pass(place..place + 1, &mut visit)),
        }
        outcome
    }

    /// The entries of the tree, whose bytes these are.
    pub fn entries<'b>(&self, bytes: &'b [u8]) -> impl Iterator<Item = &'b [u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, &end)| &bytes[start as usize..end as usize])
    }

    /// Memory it takes, in bytes.
    pub fn len_bytes(&self) -> usize {
        self.ends.capacity() * size_of::<u32>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::derived::Copied;
    use proptest::prelude::*;

    fn tree(names: &[String]) -> Vec<u8> {
        let entry =
            |name: &String| [b"100644 ", name.as_bytes(), b"\0", &[name.len() as u8 | 32; 20]].concat();
        names.iter().flat_map(entry).collect()
    }

    fn name_of(entry: &[u8]) -> Vec<u8> {
        TreeEntries::new(entry, 20).next_parts().unwrap().unwrap().1.to_vec()
    }

    fn plain(bytes: &[u8]) -> (Vec<u32>, bool) {
        let (mut ends, mut entries) = (Vec::new(), TreeEntries::new(bytes, 20));
        while let Ok(Some(_)) = entries.next_link() {
            ends.push((bytes.len() - entries.rest_len()) as u32);
        }
        (ends, entries.rest_len() == 0)
    }

    proptest! {
        /// Copies start and end anywhere, and what they make need not be a tree.
        #[test]
        fn a_derived_outline_is_that_of_the_whole(
            names in prop::collection::vec("[a-z]{1,6}", 0..8),
            cuts in prop::collection::vec((0usize..400, 0usize..400, any::<bool>()), 1..6),
            inserted in prop::collection::vec("[a-z]{1,6}", 0..3),
        ) {
            let base = tree(&names);
            let mut outline = Outline::default();
            outline.read(&base, 20, None, |_| {}).unwrap();
            prop_assert_eq!(&outline.ends, &plain(&base).0);
            let starts: Vec<usize> = std::iter::once(0).chain(outline.ends.iter().map(|end| *end as usize)).collect();
            let (mut text, mut copies) = (Vec::new(), Copies::default());
            copies.restart(base.len());
            for (a, b, is_aligned) in cuts {
                let place = |at: usize| match is_aligned {
                    true => starts[at % starts.len()],
                    false => at.min(base.len()),
                };
                let (from, end) = (place(a).min(place(b)), place(a).max(place(b)));
                copies.push(Copied { from, to: text.len(), len: end - from });
                text.extend_from_slice(&base[from..end]);
                if is_aligned {
                    text.extend(tree(&inserted));
                }
            }
            let mut derived = Outline::default();
            let (mut fresh, mut gone) = (Vec::new(), Vec::new());
            let known = Base { bytes: &base, outline: &outline, copies: &copies };
            let read = derived.read(&text, 20, Some(&known), |change| match change {
                Change::Fresh((_, name, _)) => fresh.push(name.to_vec()),
                Change::Gone((_, name, _)) => gone.push(name.to_vec()),
            });
            let (ends, is_whole) = plain(&text);
            prop_assert_eq!(read.is_ok(), is_whole);
            prop_assert!(fresh.len() <= ends.len());
            // What is left of the base, with what is new, is all.
            let mut made: Vec<Vec<u8>> = outline.entries(&base).map(name_of).collect();
            for name in gone {
                let at = made.iter().position(|other| *other == name);
                made.remove(at.expect("it was in the base"));
            }
            made.extend(fresh);
            let mut whole: Vec<Vec<u8>> = derived.entries(&text).map(name_of).collect();
            made.sort();
            whole.sort();
            prop_assert_eq!(made, whole);
            prop_assert_eq!(derived.entries(&text).map(<[u8]>::len).sum::<usize>(), ends.last().map_or(0, |end| *end as usize));
            prop_assert_eq!(derived.ends, ends);
        }
    }

    #[test]
    fn only_what_is_new_is_read() {
        let names: Vec<String> = (0..100).map(|number| format!("file{number}")).collect();
        let base = tree(&names);
        let mut outline = Outline::default();
        outline.read(&base, 20, None, |_| {}).unwrap();
        let at = outline.ends[49] as usize;
        let mut text = base[..at].to_vec();
        text.extend(tree(&["new".to_owned()]));
        let mut copies = Copies::default();
        copies.restart(base.len());
        copies.push(Copied { from: 0, to: 0, len: at });
        copies.push(Copied { from: at, to: text.len(), len: base.len() - at });
        text.extend_from_slice(&base[at..]);
        let mut changes = 0;
        let mut derived = Outline::default();
        let known = Base { bytes: &base, outline: &outline, copies: &copies };
        derived.read(&text, 20, Some(&known), |_| changes += 1).unwrap();
        assert_eq!((changes, derived.ends.len()), (1, 101));
    }
}
