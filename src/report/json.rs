//! One JSON document.

use std::io::{self, Write};

use super::Reporter;
use super::wire::{Document, to_json};

/// Writes one document: an object with the fields of [`wire::RunRecord`](super::wire::RunRecord) and `findings`, an
/// array of [`wire::FindingRecord`](super::wire::FindingRecord). The same input gives the same bytes.
#[derive(Clone, Copy, Debug)]
pub struct Json;

impl Reporter for Json {
    fn write(&self, document: &Document, out: &mut dyn Write) -> io::Result<Vec<String>> {
        writeln!(out, "{}", to_json(document, true)?)?;
        Ok(Vec::new())
    }
}
