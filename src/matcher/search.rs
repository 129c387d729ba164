//! Running the expression of a rule on a stretch of the text.

use std::ops::Range;

use super::found::{capture, found_at, secret_group};
use super::reach::{Looked, OPEN_WINDOW_BYTES};
use super::runs::Runs;
use super::trace::{Miss, MissReason, Sink};
use super::walk::Told;
use super::{Match, Matcher, boundary};
use crate::rule::Rule;
use crate::rule::shape::Fit;
use crate::span::ByteSpan;

/// Where an expression is run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Places {
    pub(super) window: ByteSpan,
    /// No match is asked for that starts behind it.
    pub(super) last_start: usize,
    /// Where the match ends that starts with the window, and its secret, if that is known without the expression.
    pub(super) known: Option<(usize, ByteSpan)>,
}

impl Matcher {
    /// Runs the expression on a window and keeps the bounded matches that start at or before the last place for
    /// one and that `word` has nothing against; it says how far off the word is that names the provider. Says how far it looked: beyond the form only where it was asked.
    pub(super) fn search(
        &self,
        text: &[u8],
        (index, rule): (usize, &Rule),
        places: Places,
        mut runs: Option<&mut Runs>,
        word: impl Fn(ByteSpan) -> Result<u32, MissReason>,
        out: &mut impl Sink,
    ) -> Looked {
        let Places { window, last_start, .. } = places;
        let hay = &text[window.range()];
        out.window(window);
        let mut looked = Looked::AtForm;
        // Where a literal says where the match starts, that was asked there. Behind the last start none is asked for.
        let asked = (last_start - window.start).saturating_add(rule.min_bytes as usize);
        let mut from = 0;
        if !rule.is_tied() {
            match rule.first_run(&hay[..asked.min(hay.len())]) {
                Some(start) => from = start,
                None => return looked,
            }
        }
        while from + rule.min_bytes as usize <= hay.len() {
            let next = next_found(text, (index, rule), places, runs.as_deref_mut(), window.start + from);
            let Some((span, secret)) = next else { return looked };
            if span.start > last_start {
                return looked;
            }
            // A run that the window cuts off goes on outside; it is reported as far as it was read.
            let cut = rule.max_bytes.is_none() && span.end == window.end;
            let bounded = boundary::is_bounded(text, span, &rule.edges)
                || (cut && boundary::starts_free(text, span.start, &rule.edges));
            // Without a reason it is what stands beside the match.
            if bounded {
                looked = Looked::Around;
            }
            let judged = if bounded { word(span).map_err(Some) } else { Err(None) };
            match judged {
                Ok(word) => {
                    let found = match secret {
                        Some(secret) => found_at(&text[..window.end], index, span, secret),
                        None => capture(&text[..window.end], (index, rule), span),
                    };
                    out.found(Match { word, ..found });
                    from = (span.end - window.start).max(from + 1);
                }
                Err(why) => {
                    out.miss(|| {
                        let why = why.unwrap_or_else(|| beside(text, span, rule));
                        Miss::at(why, &text[..window.end], (index, rule), span)
                    });
                    from = span.start - window.start + 1;
                    while !rule.is_tied()
                        && runs.is_none()
                        && from < hay.len()
                        && !boundary::starts_free(text, window.start + from, &rule.edges)
                    {
                        from += 1;
                    }
                }
            }
            // Only the start of its window was asked for.
            if rule.is_tied() {
                return looked;
            }
        }
        looked
    }
}

/// The next place from `start` on at which the expression matches, and its secret where that is known too.
fn next_found(
    text: &[u8],
    (index, rule): (usize, &Rule),
    places: Places,
    runs: Option<&mut Runs>,
    start: usize,
) -> Option<(ByteSpan, Option<ByteSpan>)> {
    let window = places.window;
    if let Some((end, secret)) = places.known {
        return Some((ByteSpan::new(window.start, end), Some(secret)));
    }
    if let Some(runs) = runs {
        return runs.next_match(text, (index, rule), places, start);
    }
    let (hay, from) = (&text[window.range()], start - window.start);
    let in_text = |range: Range<usize>| ByteSpan::new(window.start + range.start, window.start + range.end);
    // Only one match is asked for there, so that what is its secret is asked at once.
    if rule.is_tied() && rule.regex().captures_len() > 1 {
        let groups = rule.regex().captures_at(hay, from)?;
        let whole = groups.get(0)?.range();
        let secret = secret_group(&groups).unwrap_or(whole.clone());
        return Some((in_text(whole), Some(in_text(secret))));
    }
    Some((in_text(rule.regex().find_at(hay, from)?.range()), None))
}

impl Runs {
    /// The first place from `start` on at which the expression may match, and its secret if it is known to. Places at which a
    /// match cannot start or could not stand are passed over by their bytes, each of which is looked at once, however
    /// many words lead to them.
    pub(super) fn next_match(
        &mut self,
        text: &[u8],
        (index, rule): (usize, &Rule),
        Places { window, last_start, .. }: Places,
        mut start: usize,
    ) -> Option<(ByteSpan, Option<ByteSpan>)> {
        while start <= last_start {
            let of_rule = self.of(index);
            start = of_rule.next_start::<Vec<Match>>(text, (start, last_start + 1), rule)?;
            if let Some(at) = of_rule.misfit(text, start, rule) {
                start = at + 1;
                continue;
            }
            let fit = match of_rule.can_end(text, start, rule) {
                true => self.fit(text, start, rule),
                false => Fit::Not(start),
            };
            // The window of a match without a bound may be longer than what was looked at.
            let is_told = |at: usize| rule.max_bytes.is_some() || at < start + OPEN_WINDOW_BYTES;
            match fit {
                Fit::Not(at) if is_told(at) => start += 1,
                Fit::To(end) if is_told(end) => {
                    let span = ByteSpan::new(start, end);
                    return Some((span, Some(self.secret_of(text, span, rule))));
                }
                _ => match self.walk(text, (index, rule), start) {
                    Told::Match { end, secret } => return Some((ByteSpan::new(start, end), Some(secret))),
                    Told::Nothing => start += 1,
                    Told::Perhaps => {
                        let found = rule.regex().find_at(&text[window.range()], start - window.start)?;
                        let span = ByteSpan::new(window.start + found.start(), window.start + found.end());
                        return Some((span, None));
                    }
                },
            }
        }
        None
    }
}

/// What keeps a match from being bounded.
fn beside(text: &[u8], span: ByteSpan, rule: &Rule) -> MissReason {
    match (boundary::starts_free(text, span.start, &rule.edges), text.get(span.end)) {
        (true, Some(&byte)) => MissReason::Behind(byte),
        _ => MissReason::Before(text[..span.start].last().copied().unwrap_or_default()),
    }
}
