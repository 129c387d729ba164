//! The search of a text that was derived from one already searched.
//!
//! Nearly all versions of a file are stored as copies of another with a few bytes between them. What a rule
//! says at a literal depends on bytes within a known distance, its *sight*: where all of them were copied in
//! one piece, it says what it said before. So of the literals of the text most are known from the base, the
//! others lie at inserted bytes or across seams, and only those that see an inserted byte or a seam have
//! to be tried, and those that matched: they match again, and telling the place anew is simpler than moving
//! all that a match holds. On tokio-rs/tokio one byte in forty is inserted. And most of what is inserted was inserted
//! in another version a moment ago, with the same lines round it: what was seen there is kept (`recent.rs`).
//!
//! Most matches are dropped for what they are: placeholders, names, words. These are tried again only where
//! another match may lie on them.
//!
//! Encoded text is looked for in the inserted bytes. Where there is any, there or in the base, the whole
//! text is decoded: the stretches in which that happens depend on each other.
//!
//! The result is that of [`Matcher::find`], match for match, but for dropped ones far from any other.

mod change;
mod sight;

use change::{copy_runs, for_each_change, sight_limits, stretch_round};
use sight::{keyword_back_bytes, names_ahead_to};

use super::assignment::LineSight;
use super::boundary::Front;
use super::order::push_in_order;
use super::reach::{Looked, NEAR_AHEAD_BYTES, NEAR_BACK_BYTES, REACH_LINES, lines_forward};
use super::words::keyword_at;
use super::{Match, Matcher, Memory, Scratch};
use crate::decode::{self, Kept, View};
use crate::derived::{Copies, Derivation, Encoded, Hit, Reach, Trace, Yield};
use crate::rule::schema::{LONGEST_TRIGGER_BYTES, TriggerKind};
use crate::span::ByteSpan;

pub(super) use sight::Sights;

/// Whether a match is dropped for what it is, wherever it stands: the same is said of it in all texts of one scratch.
pub type IsDull<'d> = &'d dyn Fn(&Match) -> bool;

impl Matcher {
    /// Does what [`Matcher::find`] does, at the cost of what is new in the text. Dull matches may be left out
    /// where no other is near. Leaves a trace in the derivation if it is asked for one.
    #[must_use = "encoded text that was not searched is a problem to report"]
    pub fn find_derived(
        &self,
        text: &[u8],
        derivation: &Derivation<'_>,
        is_dull: IsDull<'_>,
        scratch: &mut Scratch,
        out: &mut Vec<Match>,
    ) -> bool {
        if u32::try_from(text.len()).is_err() {
            return self.find(text, scratch, out);
        }
        let mut found = std::mem::take(&mut scratch.found);
        let mut hits = std::mem::take(&mut scratch.derived);
        hits.clear();
        scratch.text_hits = None;
        scratch.memory.clear();
        scratch.unknown.clear();
        let mut is_newly_encoded = false;
        match derivation.base {
            Some((trace, copies)) => {
                is_newly_encoded = self.derive_hits(text, trace, copies, scratch, &mut hits);
            }
            None => {
                self.prefilter
                    .find(text, |literal, start| push_in_order(&mut hits, (Hit::new(literal, start), true)));
            }
        }
        let is_whole = derivation.base.is_none();
        let mut is_clean = true;
        for at in 0..hits.len() {
            if hits[at].1 {
                let memory = &mut scratch.memory;
                let yields = self.try_hit(text, &mut hits, at, is_whole, is_dull, memory, &mut found);
                is_clean &= yields != Yield::Matches;
            }
        }
        self.keep_unknown(text, &mut hits, scratch);
        let judged = found.len();
        self.find_unanchored(text, &mut found);
        let mut runs = Vec::new();
        let base = derivation.base.filter(|(trace, copies)| copy_runs(text.len(), trace, copies, &mut runs));
        let (encoded, complete) = match base.map(|(trace, copies)| (trace.encoded, copies)) {
            Some((Encoded::Nothing, _)) if !is_newly_encoded => (Encoded::Nothing, true),
            Some((Encoded::Barren, copies)) => {
                self.find_newly_encoded(text, copies, scratch, &mut runs, &mut found)
            }
            _ => {
                runs.clear();
                self.find_encoded(text, None, scratch, &mut runs, &mut found)
            }
        };
        if is_clean && found[judged..].iter().all(is_dull) {
            found.clear();
        } else if !is_whole {
            // The views were other texts.
            scratch.memory.clear();
            self.try_dull_neighbours(text, &mut hits, is_dull, &mut scratch.memory, &mut found);
        }
        if derivation.is_base {
            let is_kept = |(hit, _): &&(Hit, bool)| hit.yields != Yield::Near;
            let mut kept = Vec::with_capacity(hits.iter().filter(is_kept).count());
            kept.extend(hits.iter().filter(is_kept).map(|(hit, _)| *hit));
            let hits = kept;
            derivation.trace.replace(Some(Trace { hits, encoded, runs }));
        }
        scratch.derived = hits;
        self.hand_out(text, found, scratch, out);
        complete
    }

    /// Searches what is encoded at the changes of a text in whose base nothing encoded held a match.
    fn find_newly_encoded(
        &self,
        text: &[u8],
        copies: &Copies,
        scratch: &mut Scratch,
        runs: &mut Vec<ByteSpan>,
        found: &mut Vec<Match>,
    ) -> (Encoded, bool) {
        let changes = self.encoded_changes(text, copies);
        let is_encoded =
            changes.iter().any(|change| self.holds_encoded(&text[change.range()], &mut scratch.decode));
        let mut known = Vec::<ByteSpan>::with_capacity(runs.len());
        for run in runs.iter() {
            match known.last_mut() {
                Some(last) if run.start <= last.end => last.end = last.end.max(run.end),
                _ => known.push(*run),
            }
        }
        let kept = Kept { changes: &changes, runs: &known };
        // What was a run may be none with other bytes beside it.
        if !is_encoded && runs.iter().all(|run| kept.holds_run(*run)) {
            return (Encoded::Barren, true);
        }
        // The others are decoded again.
        runs.retain(|run| kept.holds_run(*run));
        let (encoded, complete) = self.find_encoded(text, Some(kept), scratch, runs, found);
        // The rest may be encoded as it was before.
        (encoded.max(Encoded::Barren), complete)
    }

    /// Searches everything encoded in the text but what is kept. Says what came of it, and whether that was all.
    fn find_encoded(
        &self,
        text: &[u8],
        kept: Option<Kept<'_>>,
        scratch: &mut Scratch,
        runs: &mut Vec<ByteSpan>,
        found: &mut Vec<Match>,
    ) -> (Encoded, bool) {
        let before = found.len();
        let mut decode_scratch = std::mem::take(&mut scratch.decode);
        let mut visit = |view: &View<'_>| {
            if view.outer_view().is_none() && view.is_of_run() {
                runs.push(view.region);
            }
            self.find_in_view(text, view, scratch, found);
        };
        let outcome = match kept {
            Some(kept) => {
                decode::for_each_new_view(text, &self.decode, kept, &mut decode_scratch, &mut visit)
            }
            None => decode::for_each_view(text, &self.decode, &mut decode_scratch, &mut visit),
        };
        scratch.decode = decode_scratch;
        runs.sort_unstable();
        runs.dedup();
        let encoded = match outcome.views {
            _ if found.len() > before || !outcome.complete => Encoded::Fruitful,
            0 => Encoded::Nothing,
            _ => Encoded::Barren,
        };
        (encoded, outcome.complete)
    }

    /// Collects the literals of the text, and whether to try each. Says whether something encoded may lie at the
    /// changes, if nothing was in the base.
    fn derive_hits(
        &self,
        text: &[u8],
        trace: &Trace,
        copies: &Copies,
        scratch: &mut Scratch,
        hits: &mut Vec<(Hit, bool)>,
    ) -> bool {
        self.copied_hits(text, trace, copies, hits);
        let known = hits.len();
        let is_encoded = self.changed_hits(text, trace, copies, scratch, hits);
        if hits.len() > known {
            // Sorted runs but for grams that lie out of order. What is known, from the base or from a recent stretch, needs
            // no try.
            hits.sort_by_key(|&(hit, is_new)| (hit.start, hit.literal, is_new));
            hits.dedup_by_key(|(hit, _)| (hit.start, hit.literal));
        }
        is_encoded
    }

    /// Those that were copied whole with the pieces, to be tried where they see beyond theirs.
    fn copied_hits(&self, text: &[u8], trace: &Trace, copies: &Copies, hits: &mut Vec<(Hit, bool)>) {
        let sights = &self.sights().of;
        let mut lines = LineSight::new(text);
        let mut next = 0;
        for piece in copies.pieces() {
            let (low, high) = sight_limits(text, copies, piece);
            next = first_from(&trace.hits, next, piece.from);
            while let Some(hit) =
                trace.hits.get(next).filter(|hit| (hit.start as usize) < piece.from + piece.len)
            {
                next += 1;
                let start = hit.start as usize;
                let end = start + usize::from(self.literal_lens[hit.literal as usize]);
                if end > piece.from + piece.len {
                    continue;
                }
                let start = start - piece.from + piece.to;
                let sight = &sights[hit.literal as usize];
                let (back, ahead) = sight.of(hit.yields);
                let mut reach = hit.reach;
                let mut is_new = start as i64 - back < low || start as i64 + ahead > high;
                if !is_new && sight.is_in_names && hit.yields != Yield::Unlike {
                    // What was looked at was copied, or it is not known; so it was worked out for the base already, or
                    // is worth keeping for the texts made from this one.
                    let (from, to) = reach.map_or_else(
                        || {
                            let to = names_ahead_to(&mut lines, text, start, sight.names_ahead_bytes);
                            (lines.back_to(start), to)
                        },
                        |reach| reach.round(start),
                    );
                    is_new = from < low || to > high;
                    reach = reach.or_else(|| Reach::new(start, from, to));
                }
                let hit = Hit { start: start as u32, reach: reach.filter(|_| !is_new), ..*hit };
                hits.push((hit, is_new || hit.yields == Yield::Matches));
            }
        }
    }

    /// Those at the changes, from stretches that were seen before or a search. Says what [`Matcher::derive_hits`] does.
    fn changed_hits(
        &self,
        text: &[u8],
        trace: &Trace,
        copies: &Copies,
        scratch: &mut Scratch,
        hits: &mut Vec<(Hit, bool)>,
    ) -> bool {
        // What ends or starts at a change, and what saw one although the trace has nothing of it.
        let margin = |start: usize, end: usize| {
            (start.saturating_sub(NEAR_AHEAD_BYTES - 1), end + NEAR_BACK_BYTES + LONGEST_TRIGGER_BYTES - 1)
        };
        let Scratch { recent, unknown, decode, .. } = scratch;
        let recent = recent.of(self.id);
        let asks_for_encoded = trace.encoded == Encoded::Nothing;
        let mut is_encoded = false;
        for_each_change(text.len(), copies, margin, |start, end| {
            let stretch = stretch_round(recent, text, start, end);
            let known = recent.find(text, &stretch);
            let mut told = known.as_ref().and_then(|known| known.is_encoded);
            if asks_for_encoded && !is_encoded && told.is_none() {
                told = Some(self.holds_encoded(stretch.outer_bytes(text), decode));
            }
            is_encoded |= told == Some(true);
            match known {
                Some(known) => {
                    known.is_encoded = told;
                    let from = stretch.from as u32;
                    hits.extend(
                        known
                            .hits
                            .iter()
                            .map(|&(hit, is_new)| (Hit { start: hit.start + from, ..hit }, is_new)),
                    );
                }
                None => {
                    let start = stretch.from + stretch.inner.0;
                    self.prefilter.find(stretch.inner_bytes(text), |literal, at| {
                        hits.push((Hit::new(literal, start + at), true));
                    });
                    unknown.push((stretch, told));
                }
            }
        });
        is_encoded
    }

    /// Keeps the stretches that were not known, now that the literals in them were tried.
    fn keep_unknown(&self, text: &[u8], hits: &mut [(Hit, bool)], scratch: &mut Scratch) {
        let sights = &self.sights().of;
        let mut lines = LineSight::new(text);
        for (stretch, is_encoded) in scratch.unknown.drain(..) {
            let Some(known) = scratch.recent.keep(text, &stretch) else { continue };
            known.is_encoded = is_encoded;
            let (from, to) = (stretch.from as i64, stretch.to as i64);
            let (start, end) = (stretch.from + stretch.inner.0, stretch.from + stretch.inner.1);
            let first = hits.partition_point(|(hit, _)| (hit.start as usize) < stretch.from);
            for (hit, _) in &mut hits[first..] {
                let at = hit.start as usize;
                if at >= stretch.to {
                    break;
                }
                let is_inner =
                    at >= start && at + usize::from(self.literal_lens[hit.literal as usize]) <= end;
                let sight = &sights[hit.literal as usize];
                let (back, ahead) = sight.of(hit.yields);
                let mut is_inside =
                    hit.yields != Yield::Matches && at as i64 - back >= from && at as i64 + ahead <= to;
                if is_inside && sight.is_in_names && matches!(hit.yields, Yield::Nothing | Yield::Dull) {
                    hit.reach = hit.reach.or_else(|| {
                        let ahead = names_ahead_to(&mut lines, text, at, sight.names_ahead_bytes);
                        Reach::new(at, lines.back_to(at), ahead)
                    });
                    is_inside = hit.reach.is_some_and(|reach| {
                        let (low, high) = reach.round(at);
                        low >= from && high <= to
                    });
                }
                let start = hit.start - stretch.from as u32;
                match is_inside {
                    // A trace leaves these out as well.
                    true if hit.yields == Yield::Near => {}
                    true => known.hits.push((Hit { start, ..*hit }, false)),
                    false if is_inner => known.hits.push((Hit::new(hit.literal, start as usize), true)),
                    // It is searched for where it is, or comes from the base.
                    false => {}
                }
            }
        }
    }

    /// Whether something encoded lies in these bytes.
    fn holds_encoded(&self, bytes: &[u8], scratch: &mut decode::Scratch) -> bool {
        let mut is_encoded = false;
        let outcome = decode::for_each_view(bytes, &self.decode, scratch, &mut |_| is_encoded = true);
        is_encoded || !outcome.complete
    }

    /// Tries the rules of a literal and notes what came of it.
    #[expect(clippy::too_many_arguments, reason = "parts of one state that are borrowed apart")]
    fn try_hit(
        &self,
        text: &[u8],
        hits: &mut [(Hit, bool)],
        at: usize,
        is_whole: bool,
        is_dull: IsDull<'_>,
        memory: &mut Memory,
        found: &mut Vec<Match>,
    ) -> Yield {
        let hit = hits[at].0;
        let before = found.len();
        let front = Front::of(text, hit.start as usize);
        let literal = self.span_of(hit.literal, hit.start as usize);
        memory.again.clear();
        let left_out = memory.runs.left_out.len();
        let (misfits, mut looked) = self.misfits(text, (hit.literal, hit.start as usize), front, memory);
        for (number, target) in self.targets_of(hit.literal).iter().enumerate() {
            if front.is_against(target) || (number < 64 && misfits >> number & 1 == 1) {
                continue;
            }
            if !is_whole && matches!(target.kind, TriggerKind::Keyword) {
                let before = self.covered_before(text, &hits[..at], hit, target.rule);
                memory.runs.of(target.rule as usize).covered = before;
            }
            looked = looked.max(self.try_target(text, target, literal, memory, found));
        }
        let yields = if memory.runs.left_out.len() > left_out {
            Yield::Matches
        } else if found.len() > before || !memory.again.is_empty() {
            let again = memory.again.iter().map(|&place| &found[place]);
            match found[before..].iter().chain(again).all(is_dull) {
                true => Yield::Dull,
                false => Yield::Matches,
            }
        } else if looked == Looked::Around {
            Yield::Nothing
        } else if looked == Looked::Near || self.sights().of[hit.literal as usize].is_near() {
            Yield::Near
        } else {
            Yield::Unlike
        };
        hits[at] = (Hit { yields, ..hit }, true);
        yields
    }

    /// Tries the literals of dull matches that may lie on a match or beside it, then those beside them.
    fn try_dull_neighbours(
        &self,
        text: &[u8],
        hits: &mut [(Hit, bool)],
        is_dull: IsDull<'_>,
        memory: &mut Memory,
        found: &mut Vec<Match>,
    ) {
        let Sights { of: sights, near_bytes } = self.sights();
        let mut done = 0;
        while done < found.len() {
            let span = found[done].secret_span;
            let (low, high) = (span.start as i64 - near_bytes, span.end as i64 + near_bytes);
            done += 1;
            for at in 0..hits.len() {
                let (hit, is_tried) = hits[at];
                let (back, ahead) = sights[hit.literal as usize].farthest();
                let start = i64::from(hit.start);
                let is_near = start - back < high && start + ahead > low;
                if !is_tried && hit.yields == Yield::Dull && is_near {
                    self.try_hit(text, hits, at, false, is_dull, memory, found);
                }
            }
        }
    }

    /// Up to where the keywords before this one had the rule look.
    fn covered_before(&self, text: &[u8], before: &[(Hit, bool)], hit: Hit, index: u32) -> usize {
        let rule = &self.rules.rules()[index as usize];
        let near = i64::from(hit.start) - keyword_back_bytes(rule);
        let mut covered = 0;
        for (other, _) in before.iter().rev().take_while(|(other, _)| i64::from(other.start) >= near) {
            let is_of_rule = self
                .targets_of(other.literal)
                .iter()
                .any(|target| target.rule == index && matches!(target.kind, TriggerKind::Keyword));
            if is_of_rule
                && let Some(keyword) =
                    keyword_at(text, self.span_of(other.literal, other.start as usize), rule, &rule.keywords)
            {
                let to = lines_forward(text, keyword.end, rule.reach_bytes as usize, REACH_LINES);
                covered = covered.max(to);
            }
        }
        covered
    }
}

/// The place of the first literal at an offset or behind it. Most pieces start a little behind the one before, whose
/// literals end before `near`.
fn first_from(hits: &[Hit], near: usize, offset: usize) -> usize {
    const FEW: usize = 8;
    let is_before = |hit: &Hit| (hit.start as usize) < offset;
    if near.checked_sub(1).is_none_or(|before| is_before(&hits[before])) {
        let few = &hits[near..hits.len().min(near + FEW)];
        if let Some(at) = few.iter().position(|hit| !is_before(hit)) {
            return near + at;
        }
    }
    hits.partition_point(is_before)
}

#[cfg(test)]
mod tests {
    use super::super::assignment;
    use super::*;
    use crate::derived::Copied;
    use crate::rule::RuleSet;
    use proptest::prelude::*;
    use std::cell::RefCell;
    use std::fmt::Write;
    use std::sync::LazyLock;

    static MATCHER: LazyLock<Matcher> = LazyLock::new(|| Matcher::new(RuleSet::builtin()));
    static MATCHER_OF_SHORT_WINDOWS: LazyLock<Matcher> = LazyLock::new(|| {
        let mut matcher = Matcher::new(RuleSet::builtin());
        matcher.decode.max_window_bytes = 512;
        matcher
    });

    /// Pieces of text that rules look at, whole and cut, near and far from each other.
    fn fragment() -> impl Strategy<Value = String> {
        let token = "[A-Z0-9]{32}".prop_map(|tail| format!("pk_48291736_{tail}"));
        let block = "[A-Za-z0-9/+]{64}".prop_map(|row| {
            let (begin, end) = ("BEGIN RSA PRIVATE KEY", "END RSA PRIVATE KEY");
            format!("-----{begin}-----\n{row}\n{row}\n-----{end}-----\n")
        });
        let encoded = "[a-z =]{24,48}".prop_map(|text| data_encoding::BASE64.encode(text.as_bytes()));
        let hidden = "[A-Z0-9]{32}".prop_map(|tail| {
            data_encoding::BASE64.encode(format!("token is pk_48291736_{tail} here").as_bytes())
        });
        let escaped =
            "[A-Z0-9]{31}".prop_map(|tail| format!("\\u0070k_48291736\\x5f{tail}\\u0041 %41 &#65;"));
        let keyed = ("[a-f0-9]{32}", "[ \n]{1,60}").prop_map(|(hex, gap)| {
            let word = ["datadog", "twilio", "mailchimp"][hex.len() % 3];
            format!("{word} api_key{gap}{hex} ")
        });
        let table = "[a-z0-9]{6,20}".prop_map(|value| format!("\nuser,clickup_token,other\nme,{value},x\n"));
        let variable = "[a-z0-9]{6,20}".prop_map(|value| {
            format!("variable \"db_password\" {{\n  type = string\n  default = \"{value}\"\n}}\n")
        });
        let pair = ("[A-Z0-9]{16}", "[a-zA-Z0-9/+]{40}", "[a-z ]{0,300}").prop_map(|(id, secret, gap)| {
            format!("id = AKIA{id}\n{gap}\naws_secret_access_key = {secret}\n")
        });
        let assigned = ("[a-zA-Z0-9!#]{8,20}", " {0,4}")
            .prop_map(|(value, gap)| format!("db_password{gap}={gap}\"{value}\"\n"));
        let data = ("[A-Za-z0-9/+]{20,150}", "[A-Z2-7]{16}", "[A-Za-z0-9/+]{20,150}")
            .prop_map(|(before, tail, after)| format!("{before}/AKIA{tail}/{after}\n"));
        let wrapped =
            ("[a-z =]{40,200}", "[A-Z0-9]{32}", "[a-z =]{0,90}").prop_map(|(before, tail, after)| {
                let text =
                    data_encoding::BASE64.encode(format!("{before}pk_48291736_{tail} {after}").as_bytes());
                text.as_bytes()
                    .chunks(64)
                    .map(|row| format!("  {}\n", String::from_utf8_lossy(row)))
                    .collect()
            });
        let entry = "[a-z]{3}[0-9A-Z]{9}".prop_map(|value| format!("- name: API_TOKEN\n  value: {value}\n"));
        prop_oneof![
            2 => token,
            1 => block,
            1 => table,
            1 => variable,
            1 => pair,
            1 => data,
            1 => encoded,
            1 => wrapped,
            1 => hidden,
            1 => escaped,
            2 => keyed,
            2 => assigned,
            1 => entry,
            1 => Just("(".to_owned()),
            1 => Just("name:".to_owned()),
            2 => ("[ :.<\"(a-z]{0,2}", "(key|token|password)", "[-.a-z]{0,3}[ -~\n]{0,3}")
                .prop_map(|(before, name, after)| format!("{before}{name}{after}")),
            1 => "(pk_|key-|glpat-|nix|wise|auth)[a-z0-9]{0,24}[ -~]?",
            1 => Just("# stanch:allow\n".to_owned()),
            1 => Just("-----BEGIN RSA ".to_owned()),
            1 => " {1,300}",
            3 => "([a-z]{1,9}[ \n.,:=]){1,30}",
            1 => "[a-z \n]{200,900}",
        ]
    }

    fn text() -> impl Strategy<Value = Vec<u8>> {
        prop::collection::vec(fragment(), 0..12).prop_map(|parts| parts.concat().into_bytes())
    }

    /// Pieces in which nothing is found, most of them encoded in some way, on lines of their own or not.
    fn harmless() -> impl Strategy<Value = String> {
        let base64 = ("[a-z =]{24,90}", 20usize..90).prop_map(|(text, width)| {
            let text = data_encoding::BASE64.encode(text.as_bytes());
            text.as_bytes().chunks(width).map(|row| format!("{}\n", String::from_utf8_lossy(row))).collect()
        });
        let hex = "[a-z ]{17,40}".prop_map(|text| data_encoding::HEXLOWER.encode(text.as_bytes()));
        prop_oneof![
            2 => base64,
            1 => hex,
            2 => "(\\\\u0041|%41|&#65;|\\\\x62){1,3}[ a-z]{0,40}\n?",
            1 => "(%4[1-9]){1,200}",
            3 => "([ a-z]{0,60}\n){1,4}",
            1 => "[ a-z]{200,600}",
        ]
    }

    /// What happens to a text: stretches of it, as shares of its length, and new bytes in between.
    fn edits() -> impl Strategy<Value = Vec<(u16, u16, Option<String>)>> {
        let inserted = prop_oneof![fragment(), "[ -~\n]{0,3}"];
        prop::collection::vec((any::<u16>(), any::<u16>(), prop::option::of(inserted)), 0..5)
    }

    fn derive(base: &[u8], edits: &[(u16, u16, Option<String>)], in_order: bool) -> (Vec<u8>, Copies) {
        let mut cuts: Vec<usize> = edits
            .iter()
            .flat_map(|(a, b, _)| [*a, *b])
            .map(|at| usize::from(at) * base.len() / 65535)
            .collect();
        if in_order {
            cuts.extend([0, base.len()]);
            cuts.sort_unstable();
        }
        let mut copies = Copies::default();
        copies.restart(base.len());
        let mut text = Vec::new();
        let mut inserted = edits.iter().map(|(_, _, inserted)| inserted);
        for pair in cuts.chunks_exact(2) {
            let (from, end) = (pair[0].min(pair[1]), pair[0].max(pair[1]));
            copies.push(Copied { from, to: text.len(), len: end - from });
            text.extend_from_slice(&base[from..end]);
            if let Some(Some(inserted)) = inserted.next() {
                text.extend_from_slice(inserted.as_bytes());
            }
        }
        (text, copies)
    }

    /// Any property of the match alone will do.
    fn is_dull(found: &Match) -> bool {
        found.secret.len_bytes().is_multiple_of(3)
    }

    fn described(matches: &[Match]) -> String {
        matches.iter().filter(|found| !is_dull(found)).fold(String::new(), |mut out, found| {
            let _ =
                writeln!(out, "{} {:?} {:?} {:?}", found.rule, found.span, found.secret_span, found.layers);
            out
        })
    }

    fn find(text: &[u8]) -> String {
        find_with(&MATCHER, text)
    }

    fn find_with(matcher: &Matcher, text: &[u8]) -> String {
        let mut matches = Vec::new();
        let _ = matcher.find(text, &mut Scratch::default(), &mut matches);
        described(&matches)
    }

    fn find_derived(text: &[u8], base: Option<(&Trace, &Copies)>) -> (String, Trace) {
        find_derived_with(&MATCHER, &mut Scratch::default(), text, base)
    }

    fn find_derived_with(
        matcher: &Matcher,
        scratch: &mut Scratch,
        text: &[u8],
        base: Option<(&Trace, &Copies)>,
    ) -> (String, Trace) {
        let derivation = Derivation { base, is_base: true, trace: RefCell::default() };
        let mut matches = Vec::new();
        let _ = matcher.find_derived(text, &derivation, &is_dull, scratch, &mut matches);
        (described(&matches), derivation.trace.into_inner().expect("a trace was asked for"))
    }

    type Steps = Vec<(Vec<(u16, u16, Option<String>)>, bool)>;

    /// Texts, each derived from the one before: what is new and what is known make the whole.
    fn check_steps(matcher: &Matcher, mut text: Vec<u8>, steps: Steps) -> Result<(), TestCaseError> {
        let mut scratch = Scratch::default();
        let (found, mut trace) = find_derived_with(matcher, &mut scratch, &text, None);
        prop_assert_eq!(found, find_with(matcher, &text));
        for (edits, in_order) in steps {
            let (derived, copies) = derive(&text, &edits, in_order);
            let base = Some((&trace, &copies));
            // What is new is not known at first, and is afterwards.
            let (found, next) = find_derived_with(matcher, &mut scratch, &derived, base);
            prop_assert_eq!(&found, &find_with(matcher, &derived), "{}", String::from_utf8_lossy(&derived));
            let (again, known) = find_derived_with(matcher, &mut scratch, &derived, base);
            prop_assert_eq!(again, found, "{}", String::from_utf8_lossy(&derived));
            prop_assert_eq!((&known.encoded, &known.runs), (&next.encoded, &next.runs));
            let (_, whole) = find_derived_with(matcher, &mut Scratch::default(), &derived, None);
            prop_assert!(next.encoded >= whole.encoded, "{:?} {:?}", next.encoded, whole.encoded);
            if next.encoded != Encoded::Nothing {
                prop_assert_eq!(&next.runs, &whole.runs);
            }
            // That nothing has the form may be told near a literal or farther off, as what is known of it has it.
            let of = |trace: &Trace| -> Vec<Hit> {
                let hits = trace.hits.iter().filter(|hit| hit.yields != Yield::Unlike);
                hits.map(|hit| Hit { reach: None, ..*hit }).collect()
            };
            prop_assert_eq!(of(&next), of(&whole));
            prop_assert_eq!(of(&known), of(&whole));
            for hit in &next.hits {
                let Some(reach) = hit.reach else { continue };
                let (start, mut lines) = (hit.start as usize, LineSight::new(&derived));
                let names = matcher.sights().of[hit.literal as usize].names_ahead_bytes;
                let to = names_ahead_to(&mut lines, &derived, start, names);
                let (known_from, known_to) = reach.round(start);
                // The word for a block may have come nearer, but not so near that the reading sees it.
                let last = (start + names as usize).min(derived.len());
                let opens = assignment::opens_variable_before(&derived, start, last);
                prop_assert!(known_from <= lines.back_to(start) && (to <= known_to || opens), "{hit:?}");
            }
            (text, trace) = (derived, next);
        }
        Ok(())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(600))]

        #[test]
        fn what_is_new_and_what_is_known_make_the_whole(
            base in text(),
            steps in prop::collection::vec((edits(), any::<bool>()), 1..5),
        ) {
            check_steps(&MATCHER, base, steps)?;
        }

        /// Here most of what is encoded is harmless and stays as it was, in windows long and short.
        #[test]
        fn what_is_newly_encoded_is_found_among_much_that_was_known(
            base in prop::collection::vec(harmless(), 0..40),
            steps in prop::collection::vec((edits(), Just(true)), 1..4),
            is_short in any::<bool>(),
        ) {
            let matcher = if is_short { &*MATCHER_OF_SHORT_WINDOWS } else { &*MATCHER };
            check_steps(matcher, base.concat().into_bytes(), steps)?;
        }
    }

    /// What made a token a stretch of encoded data may go from a place far beside it.
    #[test]
    fn a_token_that_is_no_longer_inside_encoded_data_is_found() {
        let token = format!("AKIA{}", "QX7KZ2MB5TLW3RNH");
        let line = "Z".repeat(30);
        for (base, at) in [
            // A run round it, cut behind and before it.
            (format!("x = {0}/{token}/{0}{0}{0} y", line), 4 + 31 + token.len() + 70),
            (format!("x = {0}{0}{0}/{token}/{0} y", line), 4 + 20),
            // A line like the one above, which is cut.
            (format!("{0}{0}{0}\n{0}/{token}/{0}ZZZZZZZZ\n", line), 5),
        ] {
            let (found, trace) = find_derived(base.as_bytes(), None);
            assert_eq!(found, "", "{base}");
            let mut copies = Copies::default();
            copies.restart(base.len());
            copies.push(Copied { from: 0, to: 0, len: at });
            copies.push(Copied { from: at, to: at + 1, len: base.len() - at });
            let mut text = base.clone().into_bytes();
            text.insert(at, b'"');
            let whole = find(&text);
            assert_ne!(whole, "", "{base}");
            assert_eq!(find_derived(&text, Some((&trace, &copies))).0, whole, "{base}");
        }
    }

    /// What decides stands farther from the literal than changes are searched for literals.
    #[test]
    fn a_value_that_becomes_free_far_before_its_literal_is_found() {
        let file = "[[rule]]\nid = \"acme-key\"\ndescription = \"Acme\"\nkind = \"prefixed\"\n\
                    severity = \"high\"\nshape = \"DIGIT{40} 'zqx' DIGIT{10}\"\n";
        let matcher =
            Matcher::new(RuleSet::empty().with_custom(&file.replace('\'', "\\\""), "rules.toml").unwrap());
        let count = |text: &str, base: Option<(&Trace, &Copies)>| {
            let derivation = Derivation { base, is_base: true, trace: RefCell::default() };
            let mut matches = Vec::new();
            let (scratch, is_dull) = (&mut Scratch::default(), &|_: &Match| false);
            assert!(matcher.find_derived(text.as_bytes(), &derivation, is_dull, scratch, &mut matches));
            (matches.len(), derivation.trace.into_inner().expect("a trace was asked for"))
        };
        let value = format!("{}zqx{}", "7301946285".repeat(4), "5192837460");
        let base = format!("id: a{value}\n");
        let (found, trace) = count(&base, None);
        assert_eq!(found, 0);
        let mut copies = Copies::default();
        copies.restart(base.len());
        copies.push(Copied { from: 0, to: 0, len: 4 });
        copies.push(Copied { from: 5, to: 4, len: base.len() - 5 });
        assert_eq!(count(&format!("id: {value}\n"), Some((&trace, &copies))).0, 1);
    }

    /// The mark behind a run belongs to it where no name follows, and then nothing is encoded there.
    #[test]
    fn a_run_that_is_none_with_other_bytes_beside_it_is_forgotten() {
        let run = format!("{}db", data_encoding::BASE64.encode(b"aa=a=aaaa==a= ="));
        let base = format!("{run}_password =\na\n");
        let (_, trace) = find_derived(base.as_bytes(), None);
        assert_eq!(trace.runs, [ByteSpan::new(0, run.len())]);
        let text = format!("{run}_ =\na\n");
        let mut copies = Copies::default();
        copies.restart(base.len());
        let (at, rest) = (run.len() + 1, text.len() - run.len() - 1);
        copies.push(Copied { from: 0, to: 0, len: at });
        copies.push(Copied { from: base.len() - rest, to: at, len: rest });
        assert_eq!(find_derived(text.as_bytes(), None).1.runs, []);
        assert_eq!(find_derived(text.as_bytes(), Some((&trace, &copies))).1.runs, []);
    }

    #[test]
    fn a_line_that_grows_by_a_quote_is_seen_anew() {
        let base = b"x = 1\npassword = kJ8mQ2xT9w\n";
        let (_, trace) = find_derived(base, None);
        let mut copies = Copies::default();
        copies.restart(base.len());
        copies.push(Copied { from: 0, to: 0, len: 17 });
        copies.push(Copied { from: 17, to: 18, len: base.len() - 17 });
        let mut text = base.to_vec();
        text.insert(17, b'"');
        assert_eq!(find_derived(&text, Some((&trace, &copies))).0, find(&text));
    }
}
