//! Standard input, or anything else that is read once from its start to its end.

use std::io::Read;
use std::sync::{Mutex, PoisonError};

use bstr::{BString, ByteSlice};

use super::window::{ReadOutcome, WindowReader, news_bytes};
use super::{ContentUnit, Fresh, NewVisitor, Source};
use crate::coverage::{Coverage, SkipReason};
use crate::location::Origin;
use crate::progress::Progress;

/// A stream of unknown length, read in bounded memory.
pub struct Stdin<R> {
    input: Mutex<R>,
    path: BString,
}

impl<R: Read + Send> Stdin<R> {
    /// Reads `input` and reports it as `path`, or as `<stdin>`.
    pub fn new(input: R, path: Option<BString>) -> Self {
        Self { input: Mutex::new(input), path: path.unwrap_or_else(|| "<stdin>".into()) }
    }
}

impl<R: Read + Send> Source for Stdin<R> {
    fn drive<'s>(
        &'s self,
        _threads: usize,
        new_visitor: &'s NewVisitor<'s>,
        progress: &'s Progress,
    ) -> Coverage {
        let mut coverage = Coverage::default();
        let mut visit = new_visitor.visitor();
        let named = ContentUnit {
            origin: &Origin::Stdin,
            path: Some(self.path.as_bstr()),
            bytes: &[],
            first_line: 1,
            first_column: 1,
            first_byte: 0,
            fresh: Fresh::All,
            derivation: None,
            note: None,
        };
        // Whoever panicked in the middle of it has left a stream that can still be read.
        let mut input = self.input.lock().unwrap_or_else(PoisonError::into_inner);
        let mut end_byte = 0;
        match WindowReader::new().read(&mut *input, 0, &mut |window| {
            let unit = window.unit(&named);
            progress.bytes(news_bytes(&unit, &mut end_byte));
            visit(&unit);
        }) {
            Ok(ReadOutcome::Text { bytes }) => {
                coverage.files = 1;
                coverage.bytes = bytes;
            }
            Ok(ReadOutcome::Binary) => coverage.skip(self.path.clone(), SkipReason::Binary),
            Err(error) => coverage.problem(self.path.clone(), format!("cannot read standard input: {error}")),
        }
        coverage
    }
}

#[cfg(test)]
mod tests {
    use super::super::collect::collect;
    use super::*;

    #[test]
    fn input_is_named_and_read() {
        let (units, coverage) = collect(&Stdin::new(&b"one\ntwo\n"[..], None), 4);
        assert_eq!(units.len(), 1);
        assert_eq!((units[0].path.as_str(), units[0].text.as_str()), ("<stdin>", "one\ntwo\n"));
        assert_eq!((coverage.files, coverage.bytes, coverage.problems.len()), (1, 8, 0));
        let (units, _) = collect(&Stdin::new(&b"x"[..], Some("a/b".into())), 1);
        assert_eq!(units[0].path, "a/b");
    }

    #[test]
    fn binary_input_is_skipped_and_counted() {
        let (units, coverage) = collect(&Stdin::new(&b"\0\x01\x02"[..], None), 1);
        assert!(units.is_empty());
        assert_eq!(coverage.skipped[0].reason, SkipReason::Binary);
    }

    #[test]
    fn a_read_error_is_a_problem() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
                Err(std::io::ErrorKind::BrokenPipe.into())
            }
        }
        let (_, coverage) = collect(&Stdin::new(Broken, None), 1);
        assert_eq!(coverage.problems.len(), 1);
    }
}
