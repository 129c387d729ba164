//! Going through the steps of a shape: what its expression finds, without the expression.
//!
//! Of a run that may end in several places, the places at which the rest cannot stand are known: each is looked at once,
//! however many matches may start before it. An expression would go through all of them for each start.

use super::reach::OPEN_WINDOW_BYTES;
use super::runs::Runs;
use super::stretch::grow;
use crate::rule::Rule;
use crate::rule::shape::{ByteSet, Step, Steps};
use crate::span::ByteSpan;

/// What is told of a match without its expression.
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

/// What is known of a run of the steps.
#[derive(Clone, Debug, Default)]
pub(super) struct KnownRun {
    /// All of its bytes are of the class.
    run: (usize, usize),
    /// Two stretches at none of whose bytes can stand what is behind the run: of the places at which it may end the first
    /// ones and the last ones.
    restless: [(usize, usize); 2],
}

/// So many steps are gone for one start at most: what takes more is left to the expression, which is never slower than in
/// proportion to the text.
const MOST_STEPS_OF_START: u32 = 1 << 17;

/// A search goes so deep, and no deeper: each level takes some of the stack, of which a thread may have no more than 2 MiB.
/// Without optimizations a level takes more than 2 KiB on some machines, so that a test makes room for it.
const DEEPEST: u32 = 1000;

/// A search from one start.
struct Walk<'w> {
    text: &'w [u8],
    steps: &'w Steps,
    /// By number of the step.
    known: &'w mut [KnownRun],
    steps_left: u32,
    depth: u32,
    /// How far was looked.
    reached: usize,
    secret_start: Option<usize>,
    secret_end: Option<usize>,
}

impl Runs {
    /// What the expression of a rule finds at a place.
    pub(super) fn walk(&mut self, text: &[u8], (index, rule): (usize, &Rule), start: usize) -> Told {
        let Some(steps) = rule.steps() else { return Told::Perhaps };
        let known = &mut self.of(index).walked;
        if known.is_empty() {
            known.resize(steps.list.len(), KnownRun::default());
        }
        let mut walk = Walk {
            text,
            steps,
            known,
            steps_left: MOST_STEPS_OF_START,
            depth: 0,
            reached: start,
            secret_start: None,
            secret_end: None,
        };
        let end = walk.end_from(0, start);
        // A match without a bound is cut where its window ends.
        let is_cut = rule.max_bytes.is_none_or(|max| max as usize >= OPEN_WINDOW_BYTES)
            && walk.reached >= start + OPEN_WINDOW_BYTES / 2;
        match end {
            _ if walk.steps_left == 0 => Told::Perhaps,
            Some(_) if is_cut => Told::Perhaps,
            None => Told::Nothing,
            Some(end) => {
                let secret = walk.secret_start.zip(walk.secret_end);
                let (from, to) = secret.unwrap_or((start, end));
                Told::Match { end, secret: ByteSpan::new(from, to) }
            }
        }
    }
}

impl Walk<'_> {
    /// Where the match ends that goes on with a step at a place.
    fn end_from(&mut self, number: usize, at: usize) -> Option<usize> {
        if self.depth == DEEPEST {
            self.steps_left = 0;
            return None;
        }
        self.depth += 1;
        let end = self.go_on(number, at);
        self.depth -= 1;
        end
    }

    /// The same, a level deeper.
    fn go_on(&mut self, mut number: usize, mut at: usize) -> Option<usize> {
        let steps = self.steps;
        loop {
            self.steps_left = self.steps_left.saturating_sub(1);
            if self.steps_left == 0 {
                return None;
            }
            match &steps.list[number] {
                Step::Literal(bytes) => {
                    if !self.stands(bytes, at) {
                        return None;
                    }
                    at += bytes.len();
                    number += 1;
                }
                Step::Run { set, min, max, is_bound, follow } => {
                    let end = self.end_of_run((number, set), at, *max);
                    let first = at + *min as usize;
                    if end < first {
                        return None;
                    }
                    if first < end && !is_bound {
                        return self.end_behind_run(number, (first, end), follow.as_ref());
                    }
                    at = end;
                    number += 1;
                }
                Step::Either(other) => {
                    if let Some(end) = self.end_from(number + 1, at) {
                        return Some(end);
                    }
                    number = *other;
                }
                Step::Jump(to) => number = *to,
                Step::SecretStart => {
                    let end = self.end_from(number + 1, at)?;
                    self.secret_start = Some(at);
                    return Some(end);
                }
                Step::SecretEnd => {
                    let end = self.end_from(number + 1, at)?;
                    self.secret_end = Some(at);
                    return Some(end);
                }
                Step::End => return Some(at),
            }
            self.reached = self.reached.max(at);
        }
    }

    /// Where the match ends that goes on behind a run which may end from `first` on and up to `last`: at the last of these
    /// places that leads to an end.
    fn end_behind_run(
        &mut self,
        number: usize,
        (first, last): (usize, usize),
        follow: Option<&ByteSet>,
    ) -> Option<usize> {
        let text = self.text;
        let may_follow = |at: usize| match follow {
            Some(set) => text.get(at).is_some_and(|&byte| set.contains(byte)),
            None => true,
        };
        let [mut front, back] = std::mem::take(&mut self.known[number].restless);
        let is_none = |at| !may_follow(at) || self.end_from(number + 1, at).is_none();
        let nearest = grow(&mut front, (first, last + 1), is_none);
        if self.steps_left == 0 {
            return None;
        }
        let Some(nearest) = nearest else {
            self.known[number].restless = [front, back];
            return None;
        };
        let mut at = last;
        loop {
            if back.0 <= at && at < back.1 {
                at = back.0;
            } else if may_follow(at) {
                (self.secret_start, self.secret_end) = (None, None);
                if let Some(end) = self.end_from(number + 1, at) {
                    self.known[number].restless = [front, (at + 1, last + 1)];
                    return Some(end);
                }
            }
            // Where it is not, the steps have run out.
            at = at.checked_sub(1).filter(|&at| at >= nearest)?;
        }
    }

    /// Where a run ends that starts at a place.
    fn end_of_run(&mut self, (number, set): (usize, &ByteSet), at: usize, max: Option<u32>) -> usize {
        let text = self.text;
        let to = max.map_or(text.len(), |max| text.len().min(at + max as usize));
        let end = grow(&mut self.known[number].run, (at, to), |at| set.contains(text[at])).unwrap_or(to);
        self.reached = self.reached.max(end);
        end
    }

    fn stands(&self, bytes: &[u8], at: usize) -> bool {
        match self.text.get(at..at + bytes.len()) {
            Some(there) => there == bytes || (self.steps.ignore_case && there.eq_ignore_ascii_case(bytes)),
            None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::found::secret_group;
    use super::*;
    use crate::dice::Dice;
    use crate::rule::RuleSet;
    use crate::rule::shape::Shape;

    /// What the steps of a shape find from every place of a text, one after the other, is what the expression finds there,
    /// and its secret.
    #[test]
    fn the_steps_lead_to_what_the_expression_finds() {
        let mut dice = Dice::new(11);
        let mut below = |sides| dice.roll(sides);
        let rules = RuleSet::builtin();
        let (mut matches, mut nothing, mut tried) = (0, 0, 0);
        let mut runs = Runs::default();
        for (index, rule) in rules.rules().iter().enumerate() {
            let Some(steps) = rule.steps() else { continue };
            let is_choice = |step: &Step| match step {
                Step::Run { min, max, is_bound, .. } => !is_bound && *max != Some(*min),
                Step::Either(_) => true,
                _ => false,
            };
            // To compile all takes long.
            tried += usize::from(steps.list.iter().any(is_choice));
            if !steps.list.iter().any(is_choice) || tried % 6 != 0 {
                continue;
            }
            let shape = Shape::parse(&rule.shape).unwrap();
            let regex =
                regex::bytes::Regex::new(&format!(r"\A(?:{})", shape.to_regex(rule.ignore_case))).unwrap();
            for _ in 0..30 {
                let mut text = shape.sample(&mut below);
                let other = shape.sample(&mut below);
                for _ in 0..below(3) {
                    let at = below(text.len());
                    match below(6) {
                        0 => text[at] = b"a0A-_./+=:\"@ !\n"[below(14)],
                        1 => text.truncate(at + 1),
                        2 => text.insert(at, text[at]),
                        3 => text.extend_from_within(at..),
                        4 => text.extend(&other),
                        _ => drop(text.splice(..0, other[..below(other.len())].iter().copied())),
                    }
                }
                text.extend_from_slice([&b""[..], b"\n", b"\" x", b"aZ9", b"-", b"@"][below(6)]);
                text.truncate(6000);
                runs.text += 1;
                let step = text.len().div_ceil(40).max(1);
                let (mut start, mut starts) = (0, Vec::new());
                while start < text.len() {
                    starts.push(start);
                    start += 1 + below(2 * step - 1);
                }
                for start in starts {
                    let groups = regex.captures(&text[start..]);
                    let found = groups.map(|groups| {
                        let whole = groups.get(0).unwrap().range();
                        let secret = secret_group(&groups).unwrap_or(whole.clone());
                        (start + whole.end, ByteSpan::new(start + secret.start, start + secret.end))
                    });
                    match runs.walk(&text, (index, rule), start) {
                        Told::Match { end, secret } => {
                            assert_eq!(Some((end, secret)), found, "{}", rule.id);
                            matches += 1;
                        }
                        Told::Nothing => {
                            assert!(found.is_none(), "{}", rule.id);
                            nothing += 1;
                        }
                        Told::Perhaps => {}
                    }
                }
            }
        }
        assert!(matches > 200 && nothing > 200, "{matches} {nothing} {tried}");
    }

    /// A rule of this shape.
    fn rules_of(shape: &str) -> RuleSet {
        let file = format!(
            "[[rule]]\nid = \"acme-key\"\ndescription = \"Acme\"\nkind = \"prefixed\"\nseverity = \"high\"\n\
             shape = '{shape}'\n"
        );
        RuleSet::empty().with_custom(&file, "rules.toml").unwrap()
    }

    fn told(text: &str, rules: &RuleSet) -> Told {
        Runs::default().walk(text.as_bytes(), (0, &rules.rules()[0]), 0)
    }

    /// Where a window ends may decide where the match does, and only the expression knows of windows.
    #[test]
    fn what_may_be_cut_by_its_window_is_left_to_the_expression() {
        for shape in [
            r#""acme:" ANY{0,9} "=" TEXT{8,}"#,
            r#""acme:" ANY{0,9} "=" TEXT{8,8000} TEXT{0,8000} TEXT{0,8000} TEXT{0,8000} TEXT{0,8000} TEXT{0,8000} TEXT{0,8000} TEXT{0,8000} TEXT{0,8000}"#,
        ] {
            let rules = rules_of(shape);
            let text = |len: usize| format!("acme:x={}", "y".repeat(len));
            let is_found =
                |len: usize| matches!(told(&text(len), &rules), Told::Match { end, .. } if end == len + 7);
            assert!(is_found(8) && is_found(OPEN_WINDOW_BYTES / 2 - 8), "{shape}");
            assert!(matches!(told(&text(OPEN_WINDOW_BYTES / 2 - 7), &rules), Told::Perhaps), "{shape}");
            assert!(matches!(told(&text(7), &rules), Told::Nothing), "{shape}");
        }
        // A match that has a bound is not cut, however far was looked for it.
        let rules = rules_of(r#""acme:" ANY{0,8000} "=" DIGIT{8}"#);
        let text = format!("acme:{}=12345678", "y".repeat(7000));
        assert!(matches!(told(&text, &rules), Told::Match { .. }));
    }

    /// Groups that may end in many places, one behind the other, have more ways than there is time for.
    #[test]
    fn what_takes_too_many_steps_is_left_to_the_expression() {
        let rules = rules_of(r#""acme:" (LOWER{1,300} ("a" | "b")){0,40} "!""#);
        let text = |end: &str| format!("acme:{}{end}", "ab".repeat(6000));
        assert!(matches!(told(&text("?"), &rules), Told::Perhaps));
        assert!(matches!(told("acme:abab!", &rules), Told::Match { end: 10, .. }));
        assert!(matches!(told("acme:abab?", &rules), Told::Nothing));
        let rules = rules_of(&format!(r#""acme:" {} "!""#, "LOWER{1,2} ALPHA{1,2} ".repeat(1200)));
        let text = text("?");
        let is_left = move || matches!(told(&text, &rules), Told::Perhaps);
        let deep = std::thread::Builder::new().stack_size(16 << 20).spawn(is_left).unwrap();
        assert!(deep.join().unwrap());
    }
}
