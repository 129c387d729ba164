//! Collects what a source hands out, for the tests of the sources.

use std::sync::Mutex;

use bstr::BStr;

use super::{ContentUnit, Fresh, LineRange, Searched, Source, Visitor};
use crate::coverage::Coverage;
use crate::location::Origin;
use crate::progress::Progress;

/// An owned copy of a unit.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Unit {
    pub path: String,
    pub first_byte: u64,
    pub first_line: u64,
    pub text: String,
    pub origin: Origin,
    /// `None` when every line counts.
    pub fresh: Option<Vec<(u64, u64)>>,
}

/// Everything that the source hands out, sorted, and its coverage.
pub(super) fn collect(source: &dyn Source, threads: usize) -> (Vec<Unit>, Coverage) {
    let units = Mutex::new(Vec::new());
    let new_visitor = || -> Visitor<'_> {
        Box::new(|unit: &ContentUnit<'_>| {
            let fresh = match unit.fresh {
                Fresh::All => None,
                Fresh::Lines(runs) => {
                    Some(runs.iter().map(|&LineRange { first, last }| (first, last)).collect())
                }
            };
            units.lock().unwrap().push(Unit {
                path: unit.path.map(BStr::to_string).unwrap_or_default(),
                first_byte: unit.first_byte,
                first_line: unit.first_line,
                text: String::from_utf8_lossy(unit.bytes).into_owned(),
                origin: unit.origin.clone(),
                fresh,
            });
            Searched::NotClean
        })
    };
    let coverage = source.drive(threads, &new_visitor, &Progress::unwatched());
    let mut units = units.into_inner().unwrap();
    units.sort();
    (units, coverage)
}
