//! Decoded views of encoded text, each with a map back to the original bytes.
//!
//! A token written as `\u0070k_…`, `pk%5F…` or in base64 is not to be seen in the bytes of a file. This module
//! finds such places and hands out the decoded text. It knows nothing of rules: whoever searches the text
//! asks the [`View`] where a match lies in the original.
//!
//! Escapes, entities and percent signs are decoded in *windows*: the line round them and the line above, so
//! that the words beside a value stay in sight; of a line too long, a stretch. Only escapes that can hide a part
//! of a token, an assignment or a quote open a window. Base64 and hex are decoded in *regions*: runs of their
//! alphabets that decode to text. What surrounds a region is found through [`View::outer`].
//!
//! Every view is searched for encodings again, down to [`Limits::max_depth`]; only what the last decoding
//! changed is looked at, so that no content comes twice.

mod escape;
mod map;
mod run;
mod text;
mod window;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;
use std::hash::{BuildHasher, RandomState};

use crate::span::ByteSpan;
pub(crate) use escape::hex;
use map::{Grain, Map};
use run::{Coding, Lines, Region};
use text::Script;
use window::Window;

/// A way in which text is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Layer {
    /// Backslash escapes of JSON (RFC 8259, section 7), JavaScript, C, Python and their kin.
    Escapes,
    /// Character references of HTML and XML.
    Entities,
    /// Percent signs and two hex digits (RFC 3986, section 2.1).
    Percent,
    /// Base64, either alphabet of RFC 4648, with or without padding and line ends.
    Base64,
    /// Pairs of hex digits.
    Hex,
    /// UTF-16 inside base64 or hex; UTF-16 files are converted when they are read.
    Utf16,
}

impl Layer {
    /// The stable name used in reports.
    pub fn name(self) -> &'static str {
        match self {
            Layer::Escapes => "escapes",
            Layer::Entities => "entities",
            Layer::Percent => "percent",
            Layer::Base64 => "base64",
            Layer::Hex => "hex",
            Layer::Utf16 => "utf-16",
        }
    }

    /// The layers that are decoded in windows, in the order in which they usually lie in each other: a JSON
    /// string holds a URL, hardly ever a URL a JSON string.
    const IN_WINDOWS: [Layer; 3] = [Layer::Escapes, Layer::Entities, Layer::Percent];
}

/// Bounds on the work for one unit of content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How many encodings may lie in each other. UTF-16 in base64 counts as one with it.
    pub max_depth: u8,
    /// Longest stretch of text decoded as one window, in source bytes; at least 512.
    pub max_window_bytes: usize,
    /// All views together may hold this many times the bytes of the unit, and 64 KiB besides.
    pub max_expansion: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_depth: 3, max_window_bytes: 16 << 10, max_expansion: 16 }
    }
}

/// Decoded bytes allowed on top of [`Limits::max_expansion`], so that short units have room for every layer.
const FREE_DECODED_BYTES: usize = 64 << 10;

/// Buffers that one worker uses for one unit after another.
#[derive(Default)]
pub struct Scratch {
    bytes: Vec<Vec<u8>>,
    maps: Vec<Map>,
    lists_of_maps: Vec<Vec<Map>>,
    lists_of_layers: Vec<Vec<Layer>>,
    run: run::Decoded,
    /// Content and place of the views from the second round on, where two ways can lead to the same, and the
    /// least depth at which each was reached.
    seen: HashMap<u64, u8>,
    /// Keyed at random: nobody can craft a file in which one view hides another.
    hasher: RandomState,
}

impl fmt::Debug for Scratch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The buffers may hold what is left of a secret.
        f.debug_struct("Scratch").finish_non_exhaustive()
    }
}

/// What a unit was decoded to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[must_use = "an incomplete outcome is a problem to report"]
pub struct Outcome {
    /// Number of views handed out.
    pub views: u64,
    /// Bytes of all views together.
    pub decoded_bytes: usize,
    /// False when [`Limits::max_expansion`] ended the work early: encoded text may have been left unseen.
    pub complete: bool,
}

/// A stretch of the original as it reads when decoded.
pub struct View<'v> {
    /// The decoded bytes.
    pub bytes: Vec<u8>,
    /// The encodings undone, outermost first.
    pub layers: Vec<Layer>,
    /// The stretch of the original that was decoded: the window, or the run of base64 or hex digits with its
    /// padding.
    pub region: ByteSpan,
    outer: Option<&'v View<'v>>,
    outer_span: ByteSpan,
    /// Innermost first; the last leads to the text the view was cut from.
    maps: Vec<Map>,
    /// Whether the first byte may lie inside a run that the window cut.
    is_cut: bool,
}

impl View<'_> {
    /// Smallest span of the original that holds every byte which `decoded` comes from. An offset behind the
    /// end counts as the end.
    pub fn original_span(&self, decoded: ByteSpan) -> ByteSpan {
        let len = self.bytes.len();
        let decoded = ByteSpan::new(decoded.start.min(len), decoded.end.min(len));
        let span = self.maps.iter().fold(decoded, |span, map| map.source_span(span));
        match self.outer {
            Some(outer) => outer.original_span(span),
            None => span,
        }
    }

    /// Whether `decoded` and the bytes beside it read the same in the original: a match there needed no
    /// decoding.
    pub fn is_verbatim(&self, decoded: ByteSpan) -> bool {
        let around = widen(decoded, self.bytes.len());
        self.maps.iter().all(|map| map.is_copy(around))
            && self.outer.is_none_or(|outer| {
                outer.is_verbatim(self.maps.iter().fold(around, |span, map| map.source_span(span)))
            })
    }

    /// The text this view was cut from — the original, or the view around — and where in it: for the words in
    /// front of a base64 value. `original` is what [`for_each_view`] was given.
    pub fn outer<'a>(&'a self, original: &'a [u8]) -> (&'a [u8], ByteSpan) {
        (self.outer.map_or(original, |outer| &outer.bytes), self.outer_span)
    }

    /// The view around this one; `None` when this was cut from the original.
    pub fn outer_view(&self) -> Option<&View<'_>> {
        self.outer
    }

    /// Whether it was decoded from a run of base64 or hex digits, and not in a window.
    pub fn is_of_run(&self) -> bool {
        !self.layers.last().is_some_and(|layer| Layer::IN_WINDOWS.contains(layer))
    }

    /// Whether the last decoding touched `decoded` or the bytes beside it.
    fn is_changed(&self, decoded: ByteSpan) -> bool {
        let around = widen(decoded, self.bytes.len());
        !self.maps.iter().all(|map| map.is_copy(around))
    }
}

impl fmt::Debug for View<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The bytes may be a secret.
        f.debug_struct("View")
            .field("len_bytes", &self.bytes.len())
            .field("layers", &self.layers)
            .field("region", &self.region)
            .finish_non_exhaustive()
    }
}

/// Hands every decoded view of `bytes` to `visit`, a view before the views inside it.
///
/// Time and memory are linear in the input whatever it holds. Bytes are never refused: what does not decode is
/// no view.
pub fn for_each_view(
    bytes: &[u8],
    limits: &Limits,
    scratch: &mut Scratch,
    visit: &mut dyn FnMut(&View<'_>),
) -> Outcome {
    views_but_kept(bytes, limits, None, scratch, visit)
}

/// Hands out the views of a text that was decoded before in part, but not all of those that came of what was kept.
pub(crate) fn for_each_new_view(
    bytes: &[u8],
    limits: &Limits,
    kept: Kept<'_>,
    scratch: &mut Scratch,
    visit: &mut dyn FnMut(&View<'_>),
) -> Outcome {
    views_but_kept(bytes, limits, Some(kept), scratch, visit)
}

/// What a text has in common with one that was decoded before.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kept<'k> {
    /// Where it differs, with all that may be decoded together with that; sorted.
    pub(crate) changes: &'k [ByteSpan],
    /// Where runs lie that were decoded in both, whole in each; sorted, none touching another.
    pub(crate) runs: &'k [ByteSpan],
}

impl Kept<'_> {
    /// Whether nothing in the stretch, or right beside it, is new.
    fn holds(&self, span: ByteSpan) -> bool {
        let next = self.changes.partition_point(|change| change.end < span.start);
        self.changes.get(next).is_none_or(|change| change.start > span.end)
    }

    /// The same of all lines of a run, if this may be one of several.
    pub(crate) fn holds_run(&self, run: ByteSpan) -> bool {
        let next = self.runs.partition_point(|known| known.end <= run.start);
        let mut around = self.runs[next..].iter().take_while(|known| known.start < run.end);
        self.holds(run) && around.all(|known| self.holds(*known))
    }
}

fn views_but_kept(
    bytes: &[u8],
    limits: &Limits,
    kept: Option<Kept<'_>>,
    scratch: &mut Scratch,
    visit: &mut dyn FnMut(&View<'_>),
) -> Outcome {
    scratch.seen.clear();
    let mut walk = Walk {
        limits,
        kept,
        scratch,
        visit,
        bytes_left: bytes.len().saturating_mul(limits.max_expansion).saturating_add(FREE_DECODED_BYTES),
        outcome: Outcome { complete: true, ..Outcome::default() },
    };
    walk.search(Text { bytes, view: None, depth: 0 });
    walk.outcome
}

/// Decodes a value that is base64 from end to end, in either alphabet, with or without padding, and text
/// inside; for places that say so, such as the data of a Kubernetes Secret. Values may be shorter here than
/// the runs which [`for_each_view`] finds on its own. `None` for anything else.
pub fn base64_text(value: &[u8]) -> Option<Vec<u8>> {
    run::decode_value(value)
}

/// A value with the escapes of one layer undone, of those that stand for single characters.
pub(crate) fn without_escapes(layer: Layer, value: &[u8]) -> Vec<u8> {
    let (mut out, mut map) = (Vec::new(), Map::default());
    escape::decode(layer, value, ByteSpan::new(0, value.len()), &mut out, &mut map);
    out
}

/// The original or a view, to be searched for encodings.
#[derive(Clone, Copy)]
struct Text<'t> {
    bytes: &'t [u8],
    view: Option<&'t View<'t>>,
    /// Decoding steps so far.
    depth: u8,
}

impl Text<'_> {
    /// Whether the stretch was not there before the last decoding; all of the original is new.
    fn is_new(&self, span: ByteSpan) -> bool {
        self.view.is_none_or(|view| view.is_changed(span))
    }

    /// Whether the first byte may lie inside a run.
    fn is_cut(&self) -> bool {
        self.view.is_some_and(|view| view.is_cut)
    }

    fn last_layer(&self) -> Option<Layer> {
        self.view.and_then(|view| view.layers.last().copied())
    }
}

/// A view in the making.
struct Draft {
    bytes: Vec<u8>,
    layers: &'static [Layer],
    outer_span: ByteSpan,
    maps: Vec<Map>,
    is_cut: bool,
}

struct Walk<'w> {
    limits: &'w Limits,
    /// What need not be decoded of the original.
    kept: Option<Kept<'w>>,
    scratch: &'w mut Scratch,
    visit: &'w mut dyn FnMut(&View<'_>),
    /// What may still be decoded; content that comes twice counts twice.
    bytes_left: usize,
    outcome: Outcome,
}

impl Walk<'_> {
    fn search(&mut self, text: Text<'_>) {
        if text.depth < self.limits.max_depth {
            self.search_windows(text);
            self.search_runs(text);
        }
    }

    /// What was kept is parts of the original.
    fn kept_of(&self, text: Text<'_>) -> Option<&Kept<'_>> {
        self.kept.as_ref().filter(|_| text.view.is_none())
    }

    fn search_windows(&mut self, text: Text<'_>) {
        let max_bytes = self.limits.max_window_bytes.max(512);
        let mut open: [Option<Window>; 3] = [None; 3];
        // Where windows follow each other closely, what the first takes in decides where the others start.
        let mut new_to = [0; 3];
        let mut at = 0;
        while let Some(hit) = escape::next_hit(text.bytes, &mut at) {
            // An escape that the last decoding left alone was decoded beside it; the two together are
            // worth a view only one way round.
            if !text.is_new(hit.span) && text.last_layer().is_none_or(|last| last >= hit.layer) {
                continue;
            }
            let Some(slot) = Layer::IN_WINDOWS.iter().position(|&layer| layer == hit.layer) else { continue };
            if let Some(window) = &mut open[slot]
                && window.take(text.bytes, hit.span)
            {
                continue;
            }
            if let Some(full) = open[slot].replace(Window::around(text.bytes, hit.span, max_bytes)) {
                self.open_window(text, hit.layer, full, &mut new_to[slot]);
            }
            if !self.outcome.complete {
                return;
            }
        }
        for (slot, (layer, window)) in Layer::IN_WINDOWS.into_iter().zip(open).enumerate() {
            if let Some(window) = window {
                self.open_window(text, layer, window, &mut new_to[slot]);
            }
        }
    }

    fn open_window(&mut self, text: Text<'_>, layer: Layer, window: Window, new_to: &mut usize) {
        let span = window.span();
        let is_kept = |kept: &Kept<'_>| kept.holds(span) && (*new_to == 0 || *new_to < span.start);
        if !text.is_new(span) || self.kept_of(text).is_some_and(is_kept) {
            return;
        }
        *new_to = span.end + 1;
        let mut bytes = self.scratch.bytes.pop().unwrap_or_default();
        let mut map = self.scratch.maps.pop().unwrap_or_default();
        escape::decode(layer, text.bytes, span, &mut bytes, &mut map);
        let layers = match layer {
            Layer::Percent => &[Layer::Percent],
            Layer::Entities => &[Layer::Entities],
            _ => &[Layer::Escapes],
        };
        let is_cut = window.is_cut() || (span.start == 0 && text.is_cut());
        let mut maps = self.scratch.lists_of_maps.pop().unwrap_or_default();
        maps.push(map);
        self.show(text, Draft { bytes, layers, outer_span: span, maps, is_cut });
    }

    fn search_runs(&mut self, text: Text<'_>) {
        let mut wrapped_to = [0; 2];
        let mut from = 0;
        while let Some(run) = run::next_run(text.bytes, from) {
            from = run.end;
            if !text.is_new(run) || self.kept_of(text).is_some_and(|kept| kept.holds_run(run)) {
                continue;
            }
            // Text in base64 is never hex digits throughout; digests are.
            if !self.search_hex(text, run, &mut wrapped_to[0]) {
                self.search_base64(text, run, &mut wrapped_to[1]);
            }
            if !self.outcome.complete {
                return;
            }
        }
    }

    fn search_base64(&mut self, text: Text<'_>, run: ByteSpan, wrapped_to: &mut usize) {
        // Where a window cut a run, the groups of four may start at any of its first characters.
        let mut shifts = if run.start == 0 && text.is_cut() { 3 } else { 0 };
        let mut at = run.start + run::escape_tail(text.bytes, run.start);
        while at + run::MIN_BASE64_CHARS <= run.end {
            let end = if run::starts_like_text(Coding::Base64, text.bytes, at) {
                self.open_run(text, Coding::Base64, ByteSpan::new(at, run.end), wrapped_to)
            } else {
                None
            };
            at = match end {
                None if shifts > 0 => {
                    shifts -= 1;
                    at + 1
                }
                _ => match run::next_start(text.bytes, end.map_or(at, |end| end - 1), run.end) {
                    Some(next) => next,
                    None => return,
                },
            };
        }
    }

    /// Returns whether the run is hex digits throughout.
    fn search_hex(&mut self, text: Text<'_>, run: ByteSpan, wrapped_to: &mut usize) -> bool {
        let mut from = run.start;
        while let Some(digits) = run::next_hex(text.bytes, from, run.end) {
            from = digits.end;
            if run::starts_like_text(Coding::Hex, text.bytes, digits.start) {
                self.open_run(text, Coding::Hex, digits, wrapped_to);
            }
            if digits == run {
                return true;
            }
        }
        false
    }

    /// Shows the text that a run decodes to, with and without the lines below; a list of values, one a line,
    /// looks like one wrapped value. Returns where the text ends in the run, if it is one.
    fn open_run(
        &mut self,
        text: Text<'_>,
        coding: Coding,
        run: ByteSpan,
        wrapped_to: &mut usize,
    ) -> Option<usize> {
        if run.start >= *wrapped_to {
            let region = self.decode_run(text, coding, run, Lines::Wrapped)?;
            if !region.is_wrapped {
                return Some(region.source.end.min(run.end));
            }
            *wrapped_to = region.source.end;
        }
        self.decode_run(text, coding, run, Lines::One).map(|region| region.source.end.min(run.end))
    }

    fn decode_run(&mut self, text: Text<'_>, coding: Coding, run: ByteSpan, lines: Lines) -> Option<Region> {
        let decoded = &mut self.scratch.run;
        let region = run::decode(coding, text.bytes, run.start, run.end, lines, decoded)?;
        let mut bytes = self.scratch.bytes.pop().unwrap_or_default();
        let mut maps = self.scratch.lists_of_maps.pop().unwrap_or_default();
        let mut new_map = || self.scratch.maps.pop().unwrap_or_default();
        if region.script == Script::Utf8 {
            std::mem::swap(&mut bytes, &mut decoded.bytes);
        } else {
            let mut map = new_map();
            text::utf16_to_utf8(&decoded.bytes, region.script, &mut bytes, &mut map);
            maps.push(map);
        }
        let mut groups = new_map();
        groups.push(0, 0, Grain::Bits(coding.bits()));
        maps.push(groups);
        maps.push(std::mem::replace(&mut decoded.lines, new_map()));
        let layers: &[Layer] = match (coding, region.script) {
            (Coding::Base64, Script::Utf8) => &[Layer::Base64],
            (Coding::Base64, _) => &[Layer::Base64, Layer::Utf16],
            (Coding::Hex, Script::Utf8) => &[Layer::Hex],
            (Coding::Hex, _) => &[Layer::Hex, Layer::Utf16],
        };
        self.show(text, Draft { bytes, layers, outer_span: region.source, maps, is_cut: false });
        Some(region)
    }

    fn news_of(&mut self, bytes: &[u8], region: ByteSpan, depth: u8) -> News {
        let key = self.scratch.hasher.hash_one((bytes, region.start, region.end));
        match self.scratch.seen.entry(key) {
            Entry::Vacant(entry) => {
                entry.insert(depth);
                News::Content
            }
            Entry::Occupied(mut entry) if *entry.get() > depth => {
                entry.insert(depth);
                News::Depth
            }
            Entry::Occupied(_) => News::Nothing,
        }
    }

    fn show(&mut self, text: Text<'_>, draft: Draft) {
        match self.bytes_left.checked_sub(draft.bytes.len()) {
            Some(left) => self.bytes_left = left,
            None => self.outcome.complete = false,
        }
        let region = text.view.map_or(draft.outer_span, |view| view.original_span(draft.outer_span));
        let depth = text.depth + 1;
        let news = if depth == 1 { News::Content } else { self.news_of(&draft.bytes, region, depth) };
        let mut layers = self.scratch.lists_of_layers.pop().unwrap_or_default();
        layers.extend_from_slice(text.view.map_or(&[], |view| &view.layers));
        layers.extend_from_slice(draft.layers);
        let view = View {
            bytes: draft.bytes,
            layers,
            region,
            outer: text.view,
            outer_span: draft.outer_span,
            maps: draft.maps,
            is_cut: draft.is_cut,
        };
        if self.outcome.complete && news == News::Content {
            self.outcome.views += 1;
            self.outcome.decoded_bytes += view.bytes.len();
            (self.visit)(&view);
        }
        if self.outcome.complete && news != News::Nothing {
            self.search(Text { bytes: &view.bytes, view: Some(&view), depth });
        }
        let View { mut bytes, mut maps, mut layers, .. } = view;
        bytes.clear();
        layers.clear();
        self.scratch.bytes.push(bytes);
        self.scratch.lists_of_layers.push(layers);
        self.scratch.maps.extend(maps.drain(..).map(|mut map| {
            map.clear();
            map
        }));
        self.scratch.lists_of_maps.push(maps);
    }
}

/// What a view adds to the views before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum News {
    Content,
    /// The content was reached in more steps before: what lies inside it may have been out of reach.
    Depth,
    Nothing,
}

fn widen(span: ByteSpan, len: usize) -> ByteSpan {
    ByteSpan::new(span.start.saturating_sub(1), (span.end + 1).min(len))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    use data_encoding::{BASE64, BASE64_NOPAD, BASE64URL_NOPAD, HEXLOWER, HEXUPPER};
    use proptest::prelude::*;

    /// The layers and text of each view, checking what must hold of every view on the way.
    fn views(input: &[u8], limits: &Limits) -> (Vec<(String, String)>, Outcome) {
        let mut found = Vec::new();
        let outcome = for_each_view(input, limits, &mut Scratch::default(), &mut |view| {
            let whole = ByteSpan::new(0, view.bytes.len());
            let input_span = ByteSpan::new(0, input.len());
            assert!(input_span.contains(view.region));
            assert!(view.region.contains(view.original_span(whole)));
            let (outer, outer_span) = view.outer(input);
            assert!(outer_span.end <= outer.len());
            let layers: Vec<_> = view.layers.iter().map(|layer| layer.name()).collect();
            found.push((layers.join(" "), String::from_utf8_lossy(&view.bytes).into_owned()));
        });
        assert_eq!(outcome.views, found.len() as u64);
        (found, outcome)
    }

    fn find(input: &str, needle: &str) -> Option<(String, String)> {
        let mut found = None;
        let outcome =
            for_each_view(input.as_bytes(), &Limits::default(), &mut Scratch::default(), &mut |view| {
                let at = view.bytes.windows(needle.len()).position(|window| window == needle.as_bytes());
                if let (Some(at), None) = (at, &found) {
                    let span = view.original_span(ByteSpan::new(at, at + needle.len()));
                    let layers: Vec<_> = view.layers.iter().map(|layer| layer.name()).collect();
                    found = Some((layers.join(" "), input[span.range()].to_owned()));
                }
            });
        assert!(outcome.complete);
        found
    }

    /// Letters and digits in an order without meaning.
    fn value(len: usize) -> String {
        (0..len).map(|at| char::from(b"K7QX2MZP9RT4"[at * 7 % 12])).collect()
    }

    fn token() -> String {
        format!("pk_{}_{}", 4_815_162_342u64, value(32))
    }

    fn assert_found(input: &str, layers: &str, source: &str) {
        let found = find(input, &token());
        assert_eq!(found, Some((layers.to_owned(), source.to_owned())), "{input}");
    }

    #[test]
    fn a_token_with_escapes_is_seen() {
        let token = token();
        for (plain, escaped, layer) in [
            ("_", r"\u005f", "escapes"),
            ("_", r"\\u005F", "escapes"),
            ("_", r"\x5f", "escapes"),
            ("_", r"\u{5f}", "escapes"),
            ("_", r"\137", "escapes"),
            ("pk", r"\u0070\u006b", "escapes"),
            ("_", "%5F", "percent"),
            ("_", "%255f", "percent"),
            ("_", "&#95;", "entities"),
            ("_", "&amp;#x5F;", "entities"),
        ] {
            let escaped = token.replace(plain, escaped);
            assert_found(&format!("a = 1\nkey: \"{escaped}\"\nb = 2"), layer, &escaped);
        }
    }

    #[test]
    fn what_is_glued_to_a_token_is_taken_off() {
        let token = token();
        for (input, layers) in [
            (format!(r#"{{"html":"\u003cb\u003e{token}\u003c/b\u003e"}}"#), "escapes"),
            (format!("https://host/?a=1%26token%3D{token}"), "percent"),
        ] {
            assert_found(&input, layers, &token);
        }
    }

    #[test]
    fn the_line_and_the_line_above_stay_in_sight() {
        let (found, _) = views(b"one\nClickUp:\n  token: pk\\u005f1\nfour", &Limits::default());
        assert_eq!(found, [("escapes".to_owned(), "ClickUp:\n  token: pk_1".to_owned())]);
    }

    #[test]
    fn base64_of_every_kind_is_seen() {
        let token = token();
        for lead in ["", "k", "k:", "user:?>~"] {
            let text = format!("{lead}{token}");
            for encoded in [
                BASE64.encode(text.as_bytes()),
                BASE64_NOPAD.encode(text.as_bytes()),
                BASE64URL_NOPAD.encode(text.as_bytes()),
            ] {
                for input in [
                    format!("auth: Basic {encoded}\n"),
                    format!("data:text/plain;base64,{encoded}"),
                    format!("https://example.org/state/{encoded}/v1/x"),
                    format!("\"a\\n{encoded}\""),
                    encoded.clone(),
                ] {
                    let (layers, source) = find(&input, &token).unwrap();
                    assert_eq!(layers, "base64");
                    assert!(encoded.contains(&source) && source.len() >= token.len() * 4 / 3, "{input}");
                }
            }
        }
    }

    #[test]
    fn base64_is_read_over_line_ends() {
        let token = token();
        let text = format!(
            "# settings of the service, for the record\nname = example\ntoken = {token}\nregion = west\n"
        );
        for width in [40, 63, 64, 76] {
            let encoded = BASE64.encode(text.as_bytes());
            let lines: Vec<&str> =
                encoded.as_bytes().chunks(width).map(|line| std::str::from_utf8(line).unwrap()).collect();
            for input in [
                format!("data: |\n    {}\nnext: 1\n", lines.join("\n    ")),
                format!("data = {}\r\n", lines.join("\r\n")),
                format!("{{\"data\": \"{}\"}}", lines.join("\\n")),
                format!("x = \"{}\"", lines.join("\" +\n      \"")),
                format!("x = ('{}'\n)", lines.join("'\n  '")),
                format!("x = \"{}\"", lines.join("\\\n")),
            ] {
                let (layers, source) = find(&input, &token).unwrap_or_else(|| panic!("{width} {input}"));
                assert_eq!(layers, "base64");
                assert!(input.contains(&source));
            }
        }
    }

    #[test]
    fn values_below_each_other_are_also_read_alone() {
        let lines: Vec<String> =
            (0..3).map(|at| BASE64.encode(format!("user{at}:{}", value(31)).as_bytes())).collect();
        let (found, _) = views(lines.join("\n").as_bytes(), &Limits::default());
        for at in 0..3 {
            let text = format!("user{at}:{}", value(31));
            assert!(found.iter().any(|(_, view)| *view == text), "{at} {found:?}");
        }
    }

    #[test]
    fn a_word_below_is_no_part_of_an_unpadded_value() {
        let encoded = BASE64_NOPAD.encode(HEXLOWER.encode(token().as_bytes()).as_bytes());
        assert_eq!(find(&format!("key: {encoded}\nw\n"), &token()).unwrap().0, "base64 hex");
    }

    #[test]
    fn content_first_reached_at_the_last_depth_is_searched_when_reached_sooner() {
        // The escapes on the outside open a view at once, which meets the right one only at the last depth.
        let text = escaped(Layer::Escapes, &token(), 3).concat();
        let text = escaped(Layer::Escapes, &text, 2).concat();
        let text = escaped(Layer::Entities, &text, 5).concat();
        assert_eq!(find(&text, &token()).unwrap().0, "entities escapes escapes");
    }

    #[test]
    fn utf16_in_base64_is_text() {
        let token = token();
        let wide: Vec<u8> = format!("$t='{token}'").encode_utf16().flat_map(u16::to_le_bytes).collect();
        let encoded = BASE64.encode(&wide);
        let (layers, source) = find(&format!("powershell -EncodedCommand {encoded}"), &token).unwrap();
        assert_eq!(layers, "base64 utf-16");
        assert!(encoded.contains(&source) && source.len() < encoded.len() - 8);
    }

    #[test]
    fn a_short_value_is_decoded_where_it_is_told_to_be_base64() {
        for text in ["pass1", "pa55word", "p\u{e4}ss", "a?>~"] {
            for encoded in [BASE64.encode(text.as_bytes()), BASE64URL_NOPAD.encode(text.as_bytes())] {
                assert_eq!(base64_text(encoded.as_bytes()).as_deref(), Some(text.as_bytes()));
            }
        }
        for other in ["", "=", "password", "cGFzczE=x", "cGFz czE=", "cGFzc", "3q2+7wAR"] {
            assert_eq!(base64_text(other.as_bytes()), None, "{other}");
        }
    }

    #[test]
    fn hex_is_seen() {
        let token = token();
        for encoded in [HEXLOWER.encode(token.as_bytes()), HEXUPPER.encode(token.as_bytes())] {
            assert_found(&format!("key=0x{encoded};"), "hex", &encoded);
        }
    }

    #[test]
    fn encodings_inside_each_other_are_seen() {
        let token = token();
        let inner = BASE64.encode(format!("?{token}?>~").as_bytes());
        let percent = inner.replace('=', "%3D").replace('+', "%2B").replace('/', "%2F");
        assert!(percent.contains('%'));
        let json = percent.replace('%', "\\u0025");
        let (layers, source) = find(&format!("{{\"u\":\"https:\\/\\/h\\/?q={json}\"}}"), &token).unwrap();
        assert_eq!(layers, "escapes percent base64");
        assert!(json.contains(&source));
        let twice = BASE64.encode(BASE64.encode(token.as_bytes()).as_bytes());
        assert_eq!(find(&twice, &token).unwrap().0, "base64 base64");
        let escapes = BASE64.encode(format!("{{\"k\":\"{}\"}}", token.replace('_', "\\u005f")).as_bytes());
        assert_eq!(find(&escapes, &token).unwrap().0, "base64 escapes");
    }

    #[test]
    fn depth_is_bounded() {
        let mut text = token();
        for _ in 0..4 {
            text = BASE64.encode(text.as_bytes());
        }
        assert_eq!(find(&text, &token()), None);
        let deeper = Limits { max_depth: 4, ..Limits::default() };
        let (found, _) = views(text.as_bytes(), &deeper);
        assert_eq!(found.last().map(|(_, text)| text), Some(&token()));
    }

    #[test]
    fn a_run_cut_by_a_window_is_read_at_any_alignment() {
        let token = token();
        let front = "some words of text ".repeat(900);
        let encoded = BASE64.encode(format!("{front}{token} {}", "and more words".repeat(900)).as_bytes());
        for shift in 0..4 {
            // An escape in the token opens a window round it, in the middle of the run.
            let at = front.len() / 3 * 4 + 20 + shift;
            let line = format!("{}\\u00{:02x}{}", &encoded[..at], encoded.as_bytes()[at], &encoded[at + 1..]);
            assert_eq!(find(&line, &token).map(|(layers, _)| layers).as_deref(), Some("escapes base64"));
        }
    }

    #[test]
    fn the_text_in_front_of_a_region_is_at_hand() {
        let encoded = BASE64.encode(b"correct horse battery staple");
        let input = format!("a\nx: {{\"pass\\u0077ord\": \"{encoded}\"}}");
        let mut fronts = Vec::new();
        let _ = for_each_view(input.as_bytes(), &Limits::default(), &mut Scratch::default(), &mut |view| {
            if view.layers.last() == Some(&Layer::Base64) {
                let (outer, span) = view.outer(input.as_bytes());
                fronts.push(String::from_utf8_lossy(&outer[..span.start]).into_owned());
                assert_eq!(&input[view.region.range()], encoded);
            }
        });
        assert_eq!(fronts, ["a\nx: {\"pass\\u0077ord\": \""]);
    }

    #[test]
    fn verbatim_is_what_the_original_says_too() {
        let input = b"key = ab\\u005fcd";
        let mut seen = 0;
        let _ = for_each_view(input, &Limits::default(), &mut Scratch::default(), &mut |view| {
            seen += 1;
            assert_eq!(view.bytes, b"key = ab_cd");
            assert!(view.is_verbatim(ByteSpan::new(0, 7)));
            assert!(!view.is_verbatim(ByteSpan::new(6, 8)));
            assert!(!view.is_verbatim(ByteSpan::new(9, 11)) && view.is_verbatim(ByteSpan::new(10, 11)));
        });
        assert_eq!(seen, 1);
    }

    #[test]
    fn digests_keys_and_images_are_no_text() {
        let mut state = 1u32;
        let random: Vec<u8> = std::iter::repeat_with(|| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        })
        .take(60_000)
        .collect();
        let digests: String = random
            .chunks(32)
            .map(|hash| format!("sha256-{}\n{}\n", BASE64.encode(hash), HEXLOWER.encode(hash)))
            .collect();
        let image = format!("url(data:image/png;base64,{})", BASE64.encode(&random));
        for input in
            [digests, image, "getElementsByClassNameAndOtherThings src/some/path/to/a/source_file".to_owned()]
        {
            let (found, outcome) = views(input.as_bytes(), &Limits::default());
            assert!(found.is_empty() && outcome.complete, "{} views", found.len());
        }
    }

    #[test]
    fn the_same_content_comes_once() {
        let (found, _) = views(b"a\\u005f%5Fb", &Limits::default());
        assert_eq!(found.iter().filter(|(_, text)| text == "a__b").count(), 1, "{found:?}");
    }

    #[test]
    fn hostile_input_stays_within_its_bounds() {
        let wide = "KioqKioqKioqKioqKioqKioqKioqKioqKioqKioqKioqKioq\n";
        for pattern in [
            "%25%25",
            "%2525",
            "\\u005c\\u0075",
            "\\\\",
            "&amp;amp;",
            "%\\u0032\\x35&#53;",
            "%41\\x41&#65;\n",
            wide,
            "Kio",
            "2a",
            "/",
            "Kio/",
        ] {
            let input = pattern.repeat(400_000 / pattern.len());
            let started = std::time::Instant::now();
            let mut bytes = 0;
            let outcome =
                for_each_view(input.as_bytes(), &Limits::default(), &mut Scratch::default(), &mut |view| {
                    bytes += view.bytes.len();
                });
            assert_eq!(bytes, outcome.decoded_bytes);
            assert!(bytes <= input.len() * Limits::default().max_expansion + FREE_DECODED_BYTES, "{pattern}");
            // A loop that is not linear takes minutes here.
            assert!(started.elapsed().as_secs() < 20, "{pattern}");
        }
    }

    #[test]
    fn an_early_end_is_told() {
        let limits = Limits { max_expansion: 0, ..Limits::default() };
        let input = format!("{}\\u005fa", "key = ".repeat(2000)).repeat(200);
        let (_, outcome) = views(input.as_bytes(), &limits);
        assert!(!outcome.complete && outcome.decoded_bytes <= FREE_DECODED_BYTES);
        let (_, outcome) = views(input.as_bytes(), &Limits::default());
        assert!(outcome.complete);
    }

    #[test]
    fn names_are_kebab_case_and_different() {
        let names =
            [Layer::Escapes, Layer::Entities, Layer::Percent, Layer::Base64, Layer::Hex, Layer::Utf16]
                .map(Layer::name);
        assert!(names.iter().all(|name| {
            name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        }));
        assert_eq!(HashSet::from(names).len(), names.len());
    }

    #[test]
    fn debug_shows_no_content() {
        let mut shown = String::new();
        let mut scratch = Scratch::default();
        let _ = for_each_view(b"key=\\u0061bcd", &Limits::default(), &mut scratch, &mut |view| {
            shown = format!("{view:?}")
        });
        shown += &format!("{scratch:?}");
        assert!(shown.contains("len_bytes: 8") && !shown.contains("key"), "{shown}");
    }

    /// Encodes every `step`th character, and the one that starts an escape wherever it stands; returns the piece
    /// for each character.
    fn escaped(layer: Layer, text: &str, step: usize) -> Vec<String> {
        let pieces = text.chars().enumerate().map(|(at, character)| {
            let code = u32::from(character);
            let (lead, encoded) = match (layer, at % 3) {
                (Layer::Escapes, 0) => ('\\', format!("\\u{code:04x}")),
                (Layer::Escapes, 1) => ('\\', format!("\\x{code:02X}")),
                (Layer::Escapes, _) => ('\\', format!("\\u{{{code:x}}}")),
                (Layer::Entities, 0) => ('&', format!("&#{code};")),
                (Layer::Entities, _) => ('&', format!("&#x{code:X};")),
                _ => ('%', format!("%{code:02X}")),
            };
            if character == lead || at % step == 0 { encoded } else { character.to_string() }
        });
        pieces.collect()
    }

    fn encoded(layer: Layer, text: &str, step: usize) -> String {
        match layer {
            Layer::Base64 if step.is_multiple_of(2) => BASE64URL_NOPAD.encode(text.as_bytes()),
            Layer::Base64 => BASE64.encode(text.as_bytes()),
            Layer::Hex => HEXLOWER.encode(text.as_bytes()),
            _ => escaped(layer, text, step).concat(),
        }
    }

    fn any_layer() -> impl Strategy<Value = Layer> {
        let layers = [Layer::Escapes, Layer::Entities, Layer::Percent, Layer::Base64, Layer::Hex];
        proptest::sample::select(layers.to_vec())
    }

    proptest! {
        #[test]
        fn three_layers_decode_and_map_back(
            value in "[A-Z0-9]{30,40}",
            layers in proptest::collection::vec((any_layer(), 1usize..9), 1..4),
            front in "([a-z]{1,9} ?= ?\\n?){0,4}",
            back in "[ ;,\"\n][a-z \n]{0,30}",
        ) {
            let token = format!("pk_{}_{value}", 12345);
            let text = layers.iter().fold(token.clone(), |text, &(layer, step)| encoded(layer, &text, step));
            let input = format!("{front}{text}{back}");
            let place = ByteSpan::new(front.len(), front.len() + text.len());
            let mut found = false;
            let outcome = for_each_view(input.as_bytes(), &Limits::default(), &mut Scratch::default(), &mut |view| {
                let text = String::from_utf8_lossy(&view.bytes).into_owned();
                if let Some(at) = text.find(&token) {
                    let span = view.original_span(ByteSpan::new(at, at + token.len()));
                    found |= place.contains(span) && span.len() >= token.len();
                    assert!(!view.is_verbatim(ByteSpan::new(at, at + token.len())));
                }
            });
            prop_assert!(outcome.complete);
            prop_assert!(found, "{:?}", layers);
        }

        #[test]
        fn each_escape_maps_to_itself(
            text in "[A-Za-z0-9_.:/ -]{1,60}",
            layer in proptest::sample::select(Layer::IN_WINDOWS.to_vec()),
            step in 1usize..9,
        ) {
            let text = format!("_{text}");
            let pieces = escaped(layer, &text, step);
            let input = pieces.concat();
            let mut seen = 0;
            let _ = for_each_view(input.as_bytes(), &Limits::default(), &mut Scratch::default(), &mut |view| {
                if view.layers == [layer] {
                    seen += 1;
                    assert_eq!(view.bytes, text.as_bytes());
                    let mut start = 0;
                    for (at, piece) in pieces.iter().enumerate() {
                        let span = view.original_span(ByteSpan::new(at, at + 1));
                        assert_eq!(span.range(), start..start + piece.len());
                        start += piece.len();
                    }
                }
            });
            prop_assert_eq!(seen, 1);
        }

        #[test]
        fn each_byte_of_base64_maps_to_the_characters_that_hold_it(text in "[ -~]{24,200}", width in 24usize..80) {
            let encoded = BASE64.encode(text.as_bytes());
            let lines: Vec<&str> =
                encoded.as_bytes().chunks(width).map(|line| std::str::from_utf8(line).unwrap()).collect();
            let input = lines.join("\n  ");
            let place = |at: usize| at + at / width * 3;
            let mut seen = false;
            let _ = for_each_view(input.as_bytes(), &Limits::default(), &mut Scratch::default(), &mut |view| {
                if view.layers == [Layer::Base64] && view.bytes == text.as_bytes() {
                    seen = true;
                    for at in 0..text.len() {
                        let span = view.original_span(ByteSpan::new(at, at + 1));
                        assert_eq!(span.range(), place(at * 8 / 6)..place((at * 8 + 7) / 6) + 1);
                    }
                }
            });
            prop_assert!(seen);
        }

        #[test]
        fn any_bytes_keep_within_bounds(
            pieces in proptest::collection::vec(
                prop_oneof![
                    "[\\\\ux0-9a-fA-F%&#;{}\"/n\n=]{1,12}".prop_map(String::into_bytes),
                    "[A-Za-z0-9+/_-]{20,40}=?\n?".prop_map(String::into_bytes),
                    "[ -~]{1,60}".prop_map(|text| BASE64.encode(text.as_bytes()).into_bytes()),
                    proptest::collection::vec(any::<u8>(), 1..20),
                ],
                0..30,
            ),
            max_window_bytes in 0usize..2000,
        ) {
            let input = pieces.concat();
            let limits = Limits { max_window_bytes, ..Limits::default() };
            let (_, outcome) = views(&input, &limits);
            prop_assert!(outcome.complete);
            prop_assert!(outcome.decoded_bytes <= input.len() * limits.max_expansion + FREE_DECODED_BYTES);
        }
    }
}
