//! What a match is made of, as far as the bytes of a text tell it without an expression.

use super::byte_set::ByteSet;

/// A part of a match: a literal, and behind it a run of bytes of a class.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Part {
    /// What the literal can be; one of them may be empty.
    pub choices: Vec<Vec<u8>>,
    /// Whether any ASCII case of it will do.
    pub ignore_case: bool,
    /// What follows; nothing is known where there is none.
    pub run: Option<Run>,
}

/// A run of bytes of a class in a match.
///
/// The expression takes as many of them as it can, so where nothing of the class may follow, the run as it stands in
/// the text tells whether the match can go on.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Run {
    /// The class.
    pub set: ByteSet,
    /// Bytes that count as of the class before certain others of it.
    pub guards: Vec<Guard>,
    /// Fewest bytes.
    pub min: u32,
    /// Most bytes.
    pub max: Option<u32>,
    /// Whether no more bytes of the class may stand there.
    pub is_bound: bool,
    /// What the first byte behind it is, if it is told by being none of the class.
    pub follow: Option<ByteSet>,
    /// Whether a match ends with it.
    pub is_end: bool,
}

/// A byte that belongs to a run only before others of it, as the dash in `"-" ALNUM` and the return in a line end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Guard {
    /// The byte, which is not in the class of the run.
    pub byte: u8,
    /// What has to stand behind it, all of which is in the class.
    pub behind: ByteSet,
}

/// Where in the parts of a match its secret is: `2 * n` is before the literal of the part with the number n, and `2 * n + 1`
/// between that and its run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct SecretPlace {
    /// Where it starts.
    pub from: u8,
    /// Where it ends.
    pub to: u8,
}

impl SecretPlace {
    /// Behind all parts.
    pub(super) const END: u8 = u8::MAX;
}

/// What a part says of a place in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fit {
    /// It may stand there, and the match goes on at this offset.
    To(usize),
    /// It may stand there, and more is not told.
    Perhaps,
    /// It does not, as the bytes up to and with this one tell; the end of the text tells it where that is the offset.
    Not(usize),
}

impl Part {
    /// Whether the literal stands at `at`.
    #[inline]
    pub fn literal(&self, text: &[u8], at: usize) -> Fit {
        let rest = &text[at..];
        if let [one] = self.choices.as_slice()
            // Where a library compares nothing with nothing behind a mask, it takes a hundred times as long.
            && (one.is_empty() || rest.starts_with(one))
        {
            return Fit::To(at + one.len());
        }
        let same = |(a, b): &(&u8, &u8)| a == b || (self.ignore_case && a.eq_ignore_ascii_case(b));
        let (mut fitting, mut told_at) = (None, at);
        for choice in &self.choices {
            let len = choice.iter().zip(rest).take_while(same).count();
            if len < choice.len() {
                told_at = told_at.max(at + len);
            } else if fitting.replace(len).is_some() {
                return self.choice_by_next(text, at);
            }
        }
        fitting.map_or(Fit::Not(told_at), |len| Fit::To(at + len))
    }

    /// Of several choices that stand at `at`, the one that the byte behind may follow, if it is only one.
    #[cold]
    fn choice_by_next(&self, text: &[u8], at: usize) -> Fit {
        let Some(run) = &self.run else { return Fit::Perhaps };
        let may_follow = |end: usize| {
            let next = text.get(end).copied();
            let is_of_run =
                |byte| run.set.contains(byte) || run.guards.iter().any(|guard| guard.byte == byte);
            let is_behind = |follow: &ByteSet| next.is_some_and(|byte| follow.contains(byte));
            next.is_some_and(is_of_run) || (run.min == 0 && run.follow.as_ref().is_none_or(is_behind))
        };
        let (mut only, mut told_at) = (None, at);
        for choice in &self.choices {
            let end = at + choice.len();
            let is_there = text.get(at..end).is_some_and(|there| {
                there == choice || (self.ignore_case && there.eq_ignore_ascii_case(choice))
            });
            if !is_there {
                continue;
            }
            told_at = told_at.max(end);
            if may_follow(end) && only.replace(end).is_some_and(|other| other != end) {
                return Fit::Perhaps;
            }
        }
        only.map_or(Fit::Not(told_at), Fit::To)
    }
}

impl Run {
    /// Whether the byte at an offset belongs to the run.
    #[inline]
    pub fn holds(&self, text: &[u8], at: usize) -> bool {
        self.set.contains(text[at]) || (!self.guards.is_empty() && self.is_guarded(text, at))
    }

    fn is_guarded(&self, text: &[u8], at: usize) -> bool {
        let next = text.get(at + 1);
        self.guards
            .iter()
            .any(|guard| text[at] == guard.byte && next.is_some_and(|&next| guard.behind.contains(next)))
    }

    /// Whether the run may stand at `at`, given where it ends and where the search for its end stopped.
    pub fn fit(&self, text: &[u8], at: usize, (end, searched_to): (usize, usize)) -> Fit {
        if end < at + self.min as usize {
            // A guard looks at the byte behind.
            return Fit::Not(end + usize::from(!self.guards.is_empty()));
        }
        let most = self.max.map_or(end, |max| end.min(at + max as usize));
        if self.is_bound && end > most {
            return Fit::Not(most);
        }
        if self.is_end {
            return Fit::To(most);
        }
        let Some(follow) = &self.follow else { return Fit::Perhaps };
        // Where a run goes on behind the window, nothing that may follow is in that.
        let is_cut = end == searched_to && end < text.len();
        // Whether two bytes that count as one make it too short was not counted.
        let is_told = self.guards.is_empty() || end >= at + 2 * self.min as usize;
        match text.get(end) {
            Some(&byte) if !is_cut && follow.contains(byte) => {
                if is_told {
                    Fit::To(end)
                } else {
                    Fit::Perhaps
                }
            }
            _ => Fit::Not(end + usize::from(!self.guards.is_empty())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Shape;
    use super::*;

    /// What parts say of the place, and where the expression ends, on all texts of some bytes.
    #[test]
    fn a_run_with_bytes_that_count_before_others_ends_where_the_expression_does() {
        let shape = Shape::parse(r#""<" (LOWER | EOL | "-" LOWER){2,} "-->""#).unwrap();
        let (parts, is_all, _) = shape.first_parts(false);
        assert!(is_all && parts.len() == 2, "{parts:?}");
        let run = parts[0].run.as_ref().unwrap();
        assert_eq!(run.guards.iter().map(|guard| guard.byte).collect::<Vec<u8>>(), b"\r-");
        let regex = regex::bytes::Regex::new(&format!(r"\A(?:{})", shape.to_regex(false))).unwrap();
        let mut counts = [0; 3];
        for number in 0..5_usize.pow(6) {
            let middle = (0..6).map(|digit| b"a-\r\n>"[number / 5_usize.pow(digit) % 5]);
            let text: Vec<u8> = b"<a".iter().copied().chain(middle).chain(*b"-->").collect();
            let found = regex.find(&text).map(|found| found.end());
            let end = (1..text.len()).find(|&at| !run.holds(&text, at)).unwrap_or(text.len());
            match run.fit(&text, 1, (end, text.len())) {
                Fit::To(at) => {
                    assert_eq!(at, end);
                    match parts[1].literal(&text, at) {
                        Fit::To(end) => assert_eq!(found, Some(end), "{text:?}"),
                        _ => assert_eq!(found, None, "{text:?}"),
                    }
                    counts[0] += 1;
                }
                Fit::Not(_) => {
                    assert_eq!(found, None, "{text:?}");
                    counts[1] += 1;
                }
                Fit::Perhaps => counts[2] += 1,
            }
        }
        assert!(counts.iter().all(|&count| count > 100), "{counts:?}");
        // Where the dash may start what follows, nothing is told.
        let shape = Shape::parse(r#""<" (LOWER | "-" LOWER){2,} "-end""#).unwrap();
        assert_eq!(shape.first_parts(false).0.len(), 1);
    }
}
