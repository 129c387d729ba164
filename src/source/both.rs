//! Two sources, one after the other.

use super::{NewVisitor, Source};
use crate::coverage::Coverage;
use crate::location::Origin;
use crate::progress::Progress;

/// Reads the first source and then the second, as one. Neither may need [`Source::attribute`].
pub struct Both<A, B>(pub A, pub B);

impl<A: Source, B: Source> Source for Both<A, B> {
    fn drive<'s>(
        &'s self,
        threads: usize,
        new_visitor: &'s NewVisitor<'s>,
        progress: &'s Progress,
    ) -> Coverage {
        let mut coverage = self.0.drive(threads, new_visitor, progress);
        coverage.merge(self.1.drive(threads, new_visitor, progress));
        coverage.sort();
        coverage
    }

    fn origin_of_files(&self) -> Option<Origin> {
        self.0.origin_of_files().or_else(|| self.1.origin_of_files())
    }
}

#[cfg(test)]
mod tests {
    use super::super::collect::collect;
    use super::super::stdin::Stdin;
    use super::*;

    #[test]
    fn both_are_read_and_counted() {
        let (units, coverage) =
            collect(&Both(Stdin::new(&b"one\n"[..], None), Stdin::new(&b"two\n"[..], None)), 2);
        assert_eq!(units.len(), 2);
        assert_eq!((coverage.files, coverage.bytes), (2, 8));
    }
}
