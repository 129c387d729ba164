//! Matches with a run in them that may end in several places.

use super::found::secret_group;
use super::reach::{OPEN_WINDOW_BYTES, max_bytes};
use super::runs::{Runs, TAIL_PARTS};
use super::stretch::grow;
use crate::rule::Rule;
use crate::rule::shape::{Fit, Gap, Run};
use crate::span::ByteSpan;

/// What is told of a match without its expression, or with that of the rest of it.
pub(super) enum Told {
    /// It is there, and ends here.
    Match {
        end: usize,
        secret: ByteSpan,
    },
    Nothing,
    /// The expression has to tell.
    Perhaps,
}

impl Runs {
    /// What the expression of a rule finds at the start of a window, if its matches hold a gap. A place at which the rest
    /// cannot stand is looked at once, however many matches may start before it.
    pub(super) fn over_gap(
        &mut self,
        text: &[u8],
        (index, rule, gap): (usize, &Rule, &Gap),
        window: ByteSpan,
    ) -> Told {
        let start = window.start;
        let head_end = match self.fit_parts(text, start, (&gap.head, 0), max_bytes(rule)) {
            Fit::To(head_end) if head_end < window.end => head_end,
            _ => return Told::Perhaps,
        };
        let Run { min, max, .. } = gap.run;
        let longest = max.map_or(window.end, |max| window.end.min(head_end + max as usize));
        // As the part that it is of the match.
        let known = self.of_run(&gap.run, gap.head.len() - 1);
        let run_end = grow(&mut known.run, (head_end, longest), |at| gap.run.holds(text, at));
        let (first, last) = (head_end + min as usize, run_end.unwrap_or(longest));
        let mut known = self.of(index).tailless;
        // Without a byte there is no rest.
        let end = text.len().min(last + 1).min(window.end);
        let nearest = match first < end {
            true => grow(&mut known, (first, end), |at| self.is_no_rest(text, at, (rule, gap))),
            false => None,
        };
        let mut over = Told::Nothing;
        for at in nearest.map_or(first..first, |nearest| nearest..end).rev() {
            if self.is_no_rest(text, at, (rule, gap)) {
                continue;
            }
            if let Some((end, tail_secret)) = self.rest_at(&text[..window.end], at, (rule, gap)) {
                let secret = tail_secret.or_else(|| gap.is_secret.then(|| ByteSpan::new(head_end, at)));
                over = Told::Match { end, secret: secret.unwrap_or(ByteSpan::new(start, end)) };
                break;
            }
        }
        self.of(index).tailless = known;
        over
    }

    /// Whether the rest of a match is known not to start at a place.
    fn is_no_rest(&mut self, text: &[u8], at: usize, (rule, gap): (&Rule, &Gap)) -> bool {
        let is_told = |told_at: usize| rule.max_bytes.is_some() || told_at < at + OPEN_WINDOW_BYTES / 2;
        !gap.starts.contains(text[at])
            || match self.fit_parts(text, at, (&gap.tail, TAIL_PARTS), max_bytes(rule)) {
                Fit::Not(told_at) => is_told(told_at),
                Fit::To(_) | Fit::Perhaps => false,
            }
    }

    /// Where a match ends whose rest starts at a place of a text that ends with its window, and the secret if that is a part
    /// of the rest.
    fn rest_at(
        &mut self,
        text: &[u8],
        at: usize,
        (rule, gap): (&Rule, &Gap),
    ) -> Option<(usize, Option<ByteSpan>)> {
        if gap.is_told
            && rule.max_bytes.is_some()
            && let parts = (gap.tail.as_slice(), TAIL_PARTS)
            && let Fit::To(end) = self.fit_parts(text, at, parts, max_bytes(rule))
        {
            let secret = gap.tail_secret.map(|place| {
                self.secret_in_parts(text, ByteSpan::new(at, end), (parts, place), max_bytes(rule))
            });
            return Some((end, secret));
        }
        let tail = rule.tail(gap);
        if tail.captures_len() == 1 {
            return Some((at + tail.find(&text[at..])?.end(), None));
        }
        let groups = tail.captures(&text[at..])?;
        let secret = secret_group(&groups).map(|group| ByteSpan::new(at + group.start, at + group.end));
        Some((at + groups.get(0)?.end(), secret))
    }
}

#[cfg(test)]
mod tests {
    use super::super::boundary;
    use super::super::found::capture;
    use super::*;
    use crate::rule::RuleSet;
    use crate::rule::shape::ByteSet;

    /// What is told of a run that may end in several places is what the expression finds, and its secret.
    #[test]
    fn behind_a_gap_stands_what_the_expression_finds() {
        let mut state = 11_u64;
        let mut below = |n: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % n.max(1)
        };
        let rules = RuleSet::builtin();
        let (mut matches, mut nothing, mut rules_with_a_gap) = (0, 0, 0);
        let mut runs = Runs::default();
        for (index, rule) in rules.rules().iter().enumerate() {
            let Some(gap) = &rule.gap else { continue };
            rules_with_a_gap += 1;
            // To compile all takes long.
            if rules_with_a_gap % 3 != 0 && gap.run.set != ByteSet::ALL {
                continue;
            }
            let shape = crate::rule::shape::Shape::parse(&rule.shape).unwrap();
            for _ in 0..40 {
                let mut text = shape.sample(&mut below);
                let other = shape.sample(&mut below);
                let at = below(text.len());
                match below(6) {
                    0 => text[at] = b"a0A-_./+=:\"@ !\n"[below(14)],
                    1 => text.truncate(at),
                    2 => text.insert(at, text[at]),
                    3 => text.extend_from_within(at..),
                    4 => text.extend(other),
                    _ => {}
                }
                text.extend_from_slice([&b""[..], b"\n", b"\" x", b"aZ9", b"-", b"@"][below(6)]);
                runs.text += 1;
                let window = ByteSpan::new(0, text.len().min(max_bytes(rule) + 1));
                let found =
                    rule.regex().find(&text[window.range()]).map(|found| ByteSpan::new(0, found.end()));
                let is_match = found.is_some_and(|span| {
                    (rule.max_bytes.is_none() && span.end == window.end)
                        || boundary::is_bounded(&text, span, &rule.edges)
                });
                match runs.over_gap(&text, (index, rule, gap), window) {
                    Told::Match { end, secret } => {
                        let found = found.unwrap_or_else(|| panic!("{}: {:?}", rule.id, rule.shape));
                        let taken = capture(&text[..window.end], (index, rule), found);
                        assert_eq!((found.end, taken.secret_span), (end, secret), "{}", rule.id);
                        matches += 1;
                    }
                    Told::Nothing => {
                        assert!(!is_match, "{}: {:?}", rule.id, rule.shape);
                        nothing += 1;
                    }
                    Told::Perhaps => {}
                }
            }
        }
        assert!(matches > 200 && nothing > 200, "{matches} {nothing} {rules_with_a_gap}");
    }
}
