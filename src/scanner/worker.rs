//! One thread's part of a scan: units become candidates.

use std::cell::OnceCell;
use std::sync::{Arc, Mutex};

use super::Scanner;
use super::candidate::Candidate;
use super::counts::Counts;
use super::judge::{Passed, is_dropped};
use super::matches::Matches;
use super::note::{Classes, Note, Sight};
use super::outcome::{Accepted, AcceptedBy};
use super::search::{locked, unit_name};
use crate::filter::file_kind::FileKind;
use crate::filter::memo::{Memo, Verdicts};
use crate::location::Origin;
use crate::matcher::{Match, Scratch, recall};
use crate::source::ContentUnit;
use crate::span::{LineColumn, LineIndex};

/// What one thread needs to turn units into candidates.
pub(super) struct Worker<'s> {
    scanner: &'s Scanner,
    counts: &'s Counts,
    scratch: Scratch,
    matches: Vec<Match>,
    /// Made for the first text of a history.
    memo: OnceCell<Memo>,
    verdicts: Verdicts,
    /// Where what is found is to be known again.
    pub(super) classes: Option<Arc<Mutex<Classes>>>,
}

/// What the search of a unit came to.
pub(super) struct Inspected {
    /// Whether all of it was searched.
    pub(super) is_complete: bool,
    /// What is worth to be known the next time. `None` if nothing is.
    pub(super) note: Option<Note>,
}

impl<'s> Worker<'s> {
    pub(super) fn new(scanner: &'s Scanner, counts: &'s Counts) -> Self {
        let (scratch, matches, memo) = (Scratch::default(), Vec::new(), OnceCell::new());
        Self { scanner, counts, scratch, matches, memo, verdicts: Verdicts::default(), classes: None }
    }

    /// Hands the candidates of a unit to `keep`.
    pub(super) fn inspect(&mut self, unit: &ContentUnit<'_>, keep: &mut dyn FnMut(Candidate)) -> Inspected {
        if let (Some(path), Origin::File | Origin::Staged, 0) = (unit.path, unit.origin, unit.first_byte)
            && let Some((rule, judged)) = self.scanner.by_name(path, Some(unit.bytes), unit.origin)
            && let Some(candidate) = self.counts.take(&self.scanner.rules().rules()[rule], judged)
        {
            keep(candidate);
        }
        // Most units have no match to ask it for.
        let kind = || unit.path.map(FileKind::of).unwrap_or_default();
        let mut earlier = unit.note.and_then(Note::restore);
        let is_complete = self.find(unit, earlier.as_mut().and_then(|note| note.places.take()), kind);
        let note = match self.matches.is_empty() {
            true => Some(Note { sure: Some(Vec::new()), sights: None, places: None }),
            false => self.judge(unit, kind(), earlier.and_then(|note| note.sights), keep),
        };
        Inspected { is_complete, note: note.filter(|_| is_complete) }
    }

    /// Finds the matches of a unit, or takes those of which an earlier audit noted the places. Says whether all of it
    /// was searched.
    fn find(&mut self, unit: &ContentUnit<'_>, places: Option<Vec<u8>>, kind: impl Fn() -> FileKind) -> bool {
        let Self { scanner, scratch, matches, memo, .. } = self;
        let matcher = &scanner.matcher;
        matches.clear();
        if let Some(known) =
            places.and_then(|places| recall::restore(unit.bytes, &places, matcher.rules().rules().len()))
        {
            *matches = known;
            return true;
        }
        match unit.derivation {
            Some(derivation) => {
                // Blobs have no path yet; whatever else counts against a match is asked later.
                let (kind, memo) = (kind(), memo.get_or_init(Memo::default));
                let is_dull = |found: &Match| is_dropped(memo, matcher, found, kind);
                matcher.find_derived(unit.bytes, derivation, &is_dull, scratch, matches)
            }
            None => matcher.find(unit.bytes, scratch, matches),
        }
    }

    /// Hands the candidates among the matches to `keep`, and says what to note of the unit.
    fn judge(
        &self,
        unit: &ContentUnit<'_>,
        kind: FileKind,
        earlier: Option<Vec<Sight>>,
        keep: &mut dyn FnMut(Candidate),
    ) -> Option<Note> {
        let scanner = self.scanner;
        let at = LineColumn { line: unit.first_line, column: unit.first_column };
        let lines = LineIndex::starting_at(unit.bytes, at);
        let matches = Matches::of(&self.matches).with(&self.verdicts);
        let mut draft = Draft::of(self, unit, earlier);
        let mut counted = vec![false; matches.len()];
        let mut wanted = Vec::new();
        for (index, found) in matches.iter().enumerate() {
            // It was asked a moment ago, and nothing else is asked before. Not so where another scanner's
            // configuration accepts things.
            if let (Some(memo), None) = (self.memo.get(), &scanner.policy.foreign)
                && is_dropped(memo, &scanner.matcher, found, kind)
            {
                continue;
            }
            let judged = scanner.judge(unit, &lines, kind, index, &matches);
            draft.note(found, &judged, || scanner.ends(unit, &lines, index, &matches));
            if let Err(Passed::Inline { allow, .. }) = &judged {
                self.counts.accept(Accepted {
                    name: unit_name(unit),
                    start: lines.line_column(found.secret_span.start),
                    rule_id: scanner.matcher.rule(found).id.clone(),
                    secret: found.secret.clone(),
                    by: AcceptedBy::Marker,
                    written_at: allow.marker.to_owned(),
                    reason: allow.reason.clone(),
                });
            }
            if let Some(candidate) = self.counts.take(scanner.matcher.rule(found), judged) {
                counted[index] = true;
                wanted.extend(scanner.other_half(index, &matches));
                keep(candidate);
            }
        }
        // The other half may be an identifier that is no finding of its own, or stand on a line that is not new.
        wanted.sort_unstable();
        wanted.dedup();
        for index in wanted.into_iter().filter(|&index| !counted[index]) {
            if let Some(candidate) = scanner.part(unit, &lines, kind, index, &matches) {
                keep(candidate);
            }
        }
        draft.finish()
    }
}

/// A note that is being written.
struct Draft<'w> {
    text: &'w [u8],
    note: Note,
    classes: Option<&'w Mutex<Classes>>,
    /// What an earlier audit noted, in the same order.
    earlier: Option<Vec<Sight>>,
}

impl<'w> Draft<'w> {
    fn of(worker: &'w Worker<'_>, unit: &ContentUnit<'w>, earlier: Option<Vec<Sight>>) -> Self {
        let matches = &worker.matches;
        let is_noted = matches.len() <= Note::MOST && unit.note.is_some();
        let places = is_noted.then(|| recall::store(unit.bytes, matches)).flatten();
        // The configuration of another scanner decides by more than is written down.
        let sure = worker.scanner.policy.foreign.is_none().then(Vec::new);
        let classes = worker.classes.as_deref().filter(|_| is_noted && sure.is_some());
        let sights = classes.map(|_| Vec::new());
        Self { text: unit.bytes, note: Note { sure, sights, places }, classes, earlier }
    }

    /// Notes a match and what became of it; `ends` says where it stands, if it can be known again by that.
    fn note(
        &mut self,
        found: &Match,
        judged: &Result<Candidate, Passed>,
        ends: impl FnOnce() -> Option<[LineColumn; 2]>,
    ) {
        let (Ok(Candidate { confidence, .. }) | Err(Passed::Weak { confidence, .. })) = judged else {
            if matches!(judged, Err(Passed::Inline { .. })) {
                self.note.sure = None;
            }
            return;
        };
        let Self { text, note, classes, earlier } = self;
        note.sure.iter_mut().for_each(|sure| sure.push((found.rule, *confidence)));
        let (Some(classes), Some(sights)) = (classes, &mut note.sights) else { return };
        let known = earlier.as_ref().and_then(|earlier| earlier.get(sights.len()));
        let known = known.filter(|known| known.span == found.secret_span).map(|known| known.class);
        let sight = ends().and_then(|[start, end]| {
            let mut classes = locked(classes);
            let class = classes.class_of(text, found, known);
            if let (Ok(candidate), Some(class)) = (judged, known) {
                classes.note_read(class, candidate);
            }
            Sight::of(class, found.secret_span, start, end)
        });
        match sight {
            Some(sight) => sights.push(sight),
            None => note.sights = None,
        }
    }

    /// The note, if it says anything.
    fn finish(self) -> Option<Note> {
        let Note { sure, sights, places } = self.note;
        let sure = sure.filter(|sure| sure.len() <= Note::MOST);
        let sights = sights.filter(|_| sure.is_some());
        (sure.is_some() || places.is_some()).then_some(Note { sure, sights, places })
    }
}
