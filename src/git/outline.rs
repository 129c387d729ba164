//! Where the entries of a tree lie.

use super::{Malformed, ObjectKind, TreeEntries};
use crate::derived::Copies;

/// The ends of the entries of a tree, so that a tree made from it by copying need not be read where it was copied.
///
/// Most versions of a directory differ from another one in a line. On git/git, whose root has 600 entries, reading
/// every version from end to end took a fifth of all time.
#[derive(Clone, Debug, Default)]
pub struct Outline {
    ends: Vec<u32>,
}

impl Outline {
    /// Forgets everything.
    pub fn clear(&mut self) {
        self.ends.clear();
    }

    /// Finds the entries of a tree with object names of `id_len` bytes, and calls `fresh` with what those refer to
    /// that were not copied whole from entries of the base. After an error it holds the entries before that.
    ///
    /// # Errors
    ///
    /// When the bytes do not follow the format.
    pub fn read(
        &mut self,
        bytes: &[u8],
        id_len: usize,
        base: Option<(&Outline, &Copies)>,
        mut fresh: impl FnMut(ObjectKind, &[u8]),
    ) -> Result<(), Malformed> {
        self.clear();
        let (base, pieces) = base.map_or((&[][..], &[][..]), |(base, copies)| (&base.ends, copies.pieces()));
        let mut pieces = pieces.iter().peekable();
        let mut at = 0;
        while at < bytes.len() {
            while pieces.next_if(|piece| piece.to + piece.len <= at).is_some() {}
            if let Some(piece) = pieces.peek().filter(|piece| piece.to <= at) {
                let from = at - piece.to + piece.from;
                // The bytes are those of entries only where they start as one.
                let first = match from {
                    0 => Some(0),
                    from => base.binary_search(&(from as u32)).ok().map(|before| before + 1),
                };
                let last = base.partition_point(|&end| end as usize <= piece.from + piece.len);
                if let Some(copied) = first.and_then(|first| base.get(first..last))
                    && let Some(&end) = copied.last()
                {
                    self.ends.extend(copied.iter().map(|end| end - from as u32 + at as u32));
                    at += end as usize - from;
                    continue;
                }
            }
            let mut entries = TreeEntries::new(&bytes[at..], id_len);
            let Some((kind, link)) = entries.next_link()? else { break };
            fresh(kind, link);
            at = bytes.len() - entries.rest_len();
            self.ends.push(u32::try_from(at).map_err(|_| Malformed("tree"))?);
        }
        Ok(())
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
            outline.read(&base, 20, None, |_, _| {}).unwrap();
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
            let mut fresh = 0;
            let read = derived.read(&text, 20, Some((&outline, &copies)), |_, _| fresh += 1);
            let (ends, is_whole) = plain(&text);
            prop_assert_eq!(read.is_ok(), is_whole);
            prop_assert!(fresh <= ends.len());
            prop_assert_eq!(derived.entries(&text).map(<[u8]>::len).sum::<usize>(), ends.last().map_or(0, |end| *end as usize));
            prop_assert_eq!(derived.ends, ends);
        }
    }

    #[test]
    fn only_what_is_new_is_read() {
        let names: Vec<String> = (0..100).map(|number| format!("file{number}")).collect();
        let base = tree(&names);
        let mut outline = Outline::default();
        outline.read(&base, 20, None, |_, _| {}).unwrap();
        let at = outline.ends[49] as usize;
        let mut text = base[..at].to_vec();
        text.extend(tree(&["new".to_owned()]));
        let mut copies = Copies::default();
        copies.restart(base.len());
        copies.push(Copied { from: 0, to: 0, len: at });
        copies.push(Copied { from: at, to: text.len(), len: base.len() - at });
        text.extend_from_slice(&base[at..]);
        let mut fresh = 0;
        let mut derived = Outline::default();
        derived.read(&text, 20, Some((&outline, &copies)), |_, _| fresh += 1).unwrap();
        assert_eq!((fresh, derived.ends.len()), (1, 101));
    }
}
