#![doc = include_str!("NOTATION.md")]

use std::fmt::Write as _;

/// A parsed shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape {
    root: Node,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Node {
    Literal(Vec<u8>),
    Class(ByteSet),
    Repeat { node: Box<Node>, min: u32, max: Option<u32> },
    Seq(Vec<Node>),
    Alt(Vec<Node>),
    Secret(Box<Node>),
}

/// Why a shape cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message} at character {column} of the shape")]
pub struct ShapeError {
    /// What is wrong.
    pub message: String,
    /// 1-based position in the text of the shape.
    pub column: usize,
}

/// A literal of at least three bytes that matches of a shape hold, and where it stands in the match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Anchor {
    /// The literal; at least three bytes.
    pub literal: Vec<u8>,
    /// Fewest bytes of the match before it.
    pub min_before: usize,
    /// Most bytes of the match before it.
    pub max_before: usize,
}

/// Bytes that must not stand directly before or after a match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edges {
    /// Not directly before.
    pub before: ByteSet,
    /// Not directly after.
    pub after: ByteSet,
}

/// So many parts of a match tell nearly everything that is none.
const MOST_PARTS: usize = 6;
/// So many literals may stand in one place.
const MOST_CHOICES: usize = 16;
/// So many bytes tell nearly every place at which no match starts.
pub const LEAD_BYTES: usize = 4;
/// The most bytes that may stand before an anchor: a window is searched for each hit.
const MAX_BEFORE_ANCHOR: usize = 512;
/// Choices of literals are multiplied out up to this many, so `("live" | "test") "_"` gives two anchors.
const MAX_ANCHORS: usize = 64;
/// Shorter literals would send the matcher to every second line.
const SHORTEST_ANCHOR_BYTES: usize = 3;

impl Shape {
    /// Parses the notation.
    ///
    /// # Errors
    ///
    /// When the text is no shape; the error names the position.
    pub fn parse(text: &str) -> Result<Self, ShapeError> {
        let mut parser = Parser { text: text.as_bytes(), at: 0 };
        let root = parser.alt()?;
        parser.space();
        if parser.at < parser.text.len() {
            return Err(parser.error("expected the end"));
        }
        Ok(Self { root })
    }

    /// The shape as a regular expression for [`regex::bytes`], without anchors. Each secret part is a
    /// capture group; there are no other groups.
    pub fn to_regex(&self, ignore_case: bool) -> String {
        let mut out = String::from("(?s-u)");
        self.root.write_regex(ignore_case, &mut out);
        out
    }

    /// Fewest and most bytes of a match; no upper bound for an open repetition.
    pub fn length_bytes(&self) -> (usize, Option<usize>) {
        self.root.length()
    }

    /// Fewest bytes of the secret part; of the whole match where none is marked.
    pub fn min_secret_bytes(&self) -> usize {
        self.root.min_secret().unwrap_or_else(|| self.length_bytes().0)
    }

    /// The bytes that matches are made of.
    pub fn alphabet(&self, ignore_case: bool) -> ByteSet {
        self.root.alphabet(ignore_case)
    }

    /// For the first bytes of a match, as far as is known, what each can be; letters in both cases.
    pub fn lead(&self) -> [ByteSet; LEAD_BYTES] {
        let mut lead = [ByteSet::ALL; LEAD_BYTES];
        let (known, _) = self.root.lead();
        // Where the first part may be missing only its first byte is known, or that of the next.
        let known = if known.is_empty() { vec![self.root.head().0] } else { known };
        for (all, one) in lead.iter_mut().zip(known) {
            *all = one.in_both_cases();
        }
        lead
    }

    /// What a match starts with, as far as each part of it is told by the bytes of the text, and whether that is all
    /// of it; and where among them the secret is, if only a part of the match is that.
    pub fn first_parts(&self, ignore_case: bool) -> (Vec<Part>, bool, Option<SecretPlace>) {
        let mut nodes = Vec::new();
        self.root.flatten(&mut nodes);
        let told = self.parts_of(&nodes, ignore_case);
        let place = told.secret_in(&self.root);
        let are_all = told.is_all && (place.is_some() || !self.root.holds_secret());
        (told.parts, are_all, place)
    }

    /// The same of what a match goes on with from an anchor on, whichever of them it is, where they may stand at different
    /// distances from its start; none if they stand in different places, or where no part of its own starts.
    pub fn parts_from(&self, anchors: &[Anchor], ignore_case: bool) -> Vec<Part> {
        let mut nodes = Vec::new();
        self.root.flatten(&mut nodes);
        match anchors.first().zip(place_of(anchors, &nodes)) {
            Some((anchor, number)) if anchor.min_before < anchor.max_before => {
                self.parts_of(&nodes[number..], ignore_case).parts
            }
            _ => Vec::new(),
        }
    }

    /// What the byte directly before an anchor is in a match, whichever of them it is, where that is known; letters in both
    /// cases.
    pub fn before_anchors(&self, anchors: &[Anchor]) -> Option<ByteSet> {
        let mut nodes = Vec::new();
        self.root.flatten(&mut nodes);
        anchors.first().filter(|anchor| anchor.min_before > 0)?;
        let before = nodes[..place_of(anchors, &nodes)?].iter().map(|node| (*node).clone());
        Some(Node::Seq(before.collect()).tail().0.in_both_cases())
    }

    /// What a match is if its first parts tell no more than where a run starts that may end in several places.
    pub fn gap(&self, ignore_case: bool) -> Option<Gap> {
        let mut nodes = Vec::new();
        self.root.flatten(&mut nodes);
        let Told { parts: mut head, behind, .. } = self.parts_of(&nodes, ignore_case);
        // Without a bound on the run each place would be as far from its end as the text is long.
        let Some(run @ Run { max: Some(_), follow: None, is_end: false, .. }) = head.last_mut()?.run.take()
        else {
            return None;
        };
        let (place, Node::Seq(outer)) = (nodes.len() - behind - 1, &self.root) else { return None };
        // Which part of the sequence it is, all parts before that being no secret.
        let (mut number, mut flat) = (0, 0);
        while flat < place {
            let mut inside = Vec::new();
            outer[number].flatten(&mut inside);
            (number, flat) = (number + 1, flat + inside.len());
        }
        let is_secret = match outer.get(number).filter(|_| flat == place)? {
            Node::Secret(node) if matches!(**node, Node::Class(_) | Node::Repeat { .. }) => true,
            Node::Class(_) | Node::Repeat { .. } => false,
            _ => return None,
        };
        if !run.guards.is_empty() || outer[..number].iter().any(Node::holds_secret) {
            return None;
        }
        let told = self.parts_of(&nodes[place + 1..], ignore_case);
        let starts = told.parts.first()?.starts()?.in_both_cases();
        let rest = Node::Seq(outer[number + 1..].to_vec());
        let tail_secret = told.secret_in(&rest);
        let is_one_secret = !rest.holds_secret() || (tail_secret.is_some() && !is_secret);
        let (tail, is_told) = (told.parts, told.is_all && is_one_secret);
        let mut regex = String::from("(?s-u)\\A(?:");
        rest.write_regex(ignore_case, &mut regex);
        regex.push(')');
        Some(Gap { head, run, is_secret, starts, tail, is_told, tail_secret, regex })
    }

    /// The parts that the nodes are, as far as these are told.
    fn parts_of(&self, nodes: &[&Node], ignore_case: bool) -> Told {
        let after = self.edges().after;
        let mut parts = Vec::new();
        let mut starts = Vec::with_capacity(nodes.len());
        let mut choices = vec![Vec::new()];
        let mut rest = nodes;
        while let [node, behind @ ..] = rest
            && parts.len() < MOST_PARTS
        {
            let class = match node {
                Node::Class(set) => Some((*set, Vec::new(), 1, Some(1))),
                Node::Repeat { node, min, max } => {
                    node.as_class(ignore_case).map(|(set, guards)| (set, guards, *min, *max))
                }
                _ => None,
            };
            let Some((set, guards, min, max)) = class else {
                match node.literal_choices() {
                    Some(next) if choices.len() * next.len() <= MOST_CHOICES => {
                        let is_first = choices.iter().all(Vec::is_empty);
                        starts.push(is_first.then_some(2 * parts.len() as u8));
                        choices = product(&choices, &next);
                        rest = behind;
                        continue;
                    }
                    _ => break,
                }
            };
            let next = Node::Seq(behind.iter().map(|node| (*node).clone()).collect());
            let is_last = next.length().0 == 0;
            let follow = next.head().0.in_both_cases();
            // Behind the most bytes that it takes there would be another of the class, and nothing takes that.
            let ends = !follow.intersects(set) && (!is_last || set.intersection(after) == set);
            // Two bytes may count as one, so how many there are is told by too few alone; and what is bound would have to be
            // counted. What follows must be no byte of the run, as it stands there.
            let leads_on = |guard: &Guard| follow.contains(guard.byte) && !is_refused(behind, guard);
            let is_guarded = !guards.is_empty();
            if is_guarded && (max.is_some() || !ends || is_last || guards.iter().any(leads_on)) {
                break;
            }
            let follow = (ends && !is_last).then_some(follow);
            let is_end = behind.is_empty();
            let goes_on = follow.is_some();
            let run = Run { set, guards, min, max, is_bound: ends, follow, is_end };
            let choices = std::mem::replace(&mut choices, vec![Vec::new()]);
            starts.push(Some(2 * parts.len() as u8 + 1));
            parts.push(Part { choices, ignore_case, run: Some(run) });
            rest = behind;
            if !goes_on {
                return Told { parts, is_all: is_end, behind: rest.len(), starts };
            }
        }
        parts.push(Part { choices, ignore_case, run: None });
        parts.retain(|part| part.run.is_some() || part.choices.iter().all(|choice| !choice.is_empty()));
        let is_all = rest.is_empty() && parts.last().is_some_and(|part| part.run.is_none());
        Told { parts, is_all, behind: rest.len(), starts }
    }

    /// Literals of which every match holds at least one, those that promise the fewest chance hits; none
    /// when the shape has no literal of three bytes at a bounded distance from its start.
    pub fn anchors(&self) -> Vec<Anchor> {
        let mut search = AnchorSearch::starting_at((0, Some(0)));
        search.node(&self.root);
        search.finish_run();
        search.best.map(|(_, anchors)| anchors).unwrap_or_default()
    }

    /// What must not stand beside a match, since it could belong to a longer value.
    ///
    /// `=` and other assignment characters are allowed before a match even where the alphabet holds them.
    pub fn edges(&self) -> Edges {
        let word = ByteSet::named("WORD").expect("WORD is a class");
        let joiners = word.union(ByteSet::of(b"+/.~-"));
        let edge = |set: ByteSet, from_class: bool| {
            let mut edge = ByteSet::EMPTY;
            if set.intersects(word) {
                edge = edge.union(word);
            }
            if from_class { edge.union(set.intersection(joiners)) } else { edge }
        };
        let (head, head_is_class) = self.root.head();
        let (tail, tail_is_class) = self.root.tail();
        let mut after = edge(tail, tail_is_class);
        if tail_is_class && tail.contains(b'=') && !tail.contains(b':') {
            after.insert(b'=');
        }
        Edges { before: edge(head, head_is_class), after }
    }

    /// A random value of the shape. `below(n)` gives a random number less than `n`.
    pub fn sample(&self, below: &mut dyn FnMut(usize) -> usize) -> Vec<u8> {
        let mut out = Vec::new();
        self.root.sample(below, &mut out);
        out
    }
}

/// What is told of nodes in a row.
struct Told {
    parts: Vec<Part>,
    /// Whether that is all of them.
    is_all: bool,
    /// How many nodes are behind the last part.
    behind: usize,
    /// Where each of the nodes starts, as in [`SecretPlace`]; nothing of one that starts inside a literal.
    starts: Vec<Option<u8>>,
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

impl Told {
    /// Where the secret is in what was told of all of a node, if that has one that starts and ends with parts of it.
    fn secret_in(&self, whole: &Node) -> Option<SecretPlace> {
        let (mut nodes, mut secrets) = (Vec::new(), Vec::new());
        whole.flatten(&mut nodes);
        whole.secrets(&mut 0, &mut secrets);
        let [secret] = secrets.as_slice() else { return None };
        if !self.is_all || nodes.iter().any(|node| node.holds_secret()) {
            return None;
        }
        let to = if secret.end == nodes.len() { SecretPlace::END } else { self.starts[secret.end]? };
        Some(SecretPlace { from: self.starts[secret.start]?, to })
    }
}

impl SecretPlace {
    /// Behind all parts.
    const END: u8 = u8::MAX;
}

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

/// A match of parts that are told, a run that may end in several places, and something else. The expression takes as
/// many bytes of the run as it can, so the last place at which the rest fits is that of the match.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Gap {
    /// What is before the run.
    pub head: Vec<Part>,
    /// The run.
    pub run: Run,
    /// Whether it is the secret.
    pub is_secret: bool,
    /// What the rest starts with.
    pub starts: ByteSet,
    /// The rest, as far as its parts tell.
    pub tail: Vec<Part>,
    /// Whether they tell all of it: then its expression is not needed.
    pub is_told: bool,
    /// Where among them the secret is, if they tell all and it is there.
    pub tail_secret: Option<SecretPlace>,
    /// The expression of the rest.
    pub regex: String,
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

/// With which of the parts of a shape all of the anchors start, if they stand in one place.
fn place_of(anchors: &[Anchor], nodes: &[&Node]) -> Option<usize> {
    let &Anchor { min_before, max_before, .. } = anchors.first()?;
    let is_there = |one: &Anchor| (one.min_before, one.max_before) == (min_before, max_before);
    if !anchors.iter().all(is_there) {
        return None;
    }
    let (mut least, mut most) = (0, Some(0));
    for (number, node) in nodes.iter().enumerate() {
        if (least, most) == (min_before, Some(max_before)) {
            return Some(number);
        }
        let length = node.length();
        (least, most) = (least + length.0, most.zip(length.1).map(|(sum, next)| sum + next));
    }
    None
}

/// Whether what follows a run has, behind the byte of a guard, none of what that asks for.
fn is_refused(behind: &[&Node], guard: &Guard) -> bool {
    let refuses = |choice: &Vec<u8>| match choice.as_slice() {
        [first, second, ..] => *first != guard.byte || !guard.behind.contains(*second),
        _ => false,
    };
    let choices = behind.first().and_then(|node| node.literal_choices());
    choices.is_some_and(|choices| choices.iter().all(refuses))
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
    /// What it can start with, unless it may be empty.
    fn starts(&self) -> Option<ByteSet> {
        let mut starts = ByteSet::EMPTY;
        for choice in &self.choices {
            match (choice.first(), &self.run) {
                (Some(&byte), _) => starts.insert(byte),
                (None, Some(run)) if run.min > 0 => {
                    starts = starts.union(run.set);
                    run.guards.iter().for_each(|guard| starts.insert(guard.byte));
                }
                (None, _) => return None,
            }
        }
        Some(starts)
    }

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

/// Leaves the padding of base64 only where an encoder puts it: one or two at the end.
fn pad_at_the_end(set: ByteSet, run: &mut [u8], below: &mut dyn FnMut(usize) -> usize) {
    const MOST_PADDING: usize = 2;
    let unpadded = match ["B64", "B64URL"].map(|name| ByteSet::named(name).expect("both are classes")) {
        [plain, _] if ByteSet::named("B64PAD") == Some(set) => plain,
        [_, url] if ByteSet::named("B64URLPAD") == Some(set) => url,
        _ => return,
    };
    let padding = run.iter().rev().take(MOST_PADDING).take_while(|&&byte| byte == b'=').count();
    let end = run.len() - padding;
    run[..end].iter_mut().filter(|byte| **byte == b'=').for_each(|byte| *byte = unpadded.sample(below));
}

impl Node {
    /// The bytes of a choice of single bytes, and those that count only before others of these.
    fn as_class(&self, ignore_case: bool) -> Option<(ByteSet, Vec<Guard>)> {
        let nodes = match self {
            Node::Class(set) => return Some((*set, Vec::new())),
            Node::Alt(nodes) => nodes,
            _ => return None,
        };
        let (mut set, mut guards) = (ByteSet::EMPTY, Vec::new());
        let is_cased = |byte: u8| ignore_case && byte.is_ascii_alphabetic();
        for node in nodes {
            match node {
                Node::Class(of) => set = set.union(*of),
                Node::Literal(bytes) => match bytes.as_slice() {
                    &[byte] if !is_cased(byte) => set.insert(byte),
                    _ => return None,
                },
                Node::Seq(pair) => match pair.as_slice() {
                    [Node::Literal(first), Node::Class(behind)] => match first.as_slice() {
                        &[byte] if !is_cased(byte) => guards.push(Guard { byte, behind: *behind }),
                        _ => return None,
                    },
                    // A line end.
                    [Node::Repeat { node, min: 0, max: Some(1) }, Node::Literal(last)] => {
                        match (&**node, last.as_slice()) {
                            (Node::Literal(first), &[last]) if first.len() == 1 && !is_cased(last) => {
                                set.insert(last);
                                guards.push(Guard { byte: first[0], behind: ByteSet::of(&[last]) });
                            }
                            _ => return None,
                        }
                    }
                    _ => return None,
                },
                _ => return None,
            }
        }
        let is_plain = guards.iter().all(|guard| {
            !set.contains(guard.byte)
                && !is_cased(guard.byte)
                && guard.behind.intersection(set) == guard.behind
        });
        let firsts = guards.iter().map(|guard| guard.byte);
        let firsts = ByteSet::of(&firsts.collect::<Vec<u8>>());
        (is_plain && firsts.len() == guards.len()).then_some((set, guards))
    }

    fn holds_secret(&self) -> bool {
        match self {
            Node::Literal(_) | Node::Class(_) => false,
            Node::Repeat { node, .. } => node.holds_secret(),
            Node::Seq(nodes) | Node::Alt(nodes) => nodes.iter().any(Node::holds_secret),
            Node::Secret(_) => true,
        }
    }

    /// Which of the parts of a sequence are secrets, by their numbers.
    fn secrets(&self, number: &mut usize, out: &mut Vec<std::ops::Range<usize>>) {
        match self {
            Node::Seq(nodes) => nodes.iter().for_each(|node| node.secrets(number, out)),
            Node::Secret(node) => {
                let first = *number;
                node.secrets(number, out);
                out.push(first..*number);
            }
            _ => *number += 1,
        }
    }

    /// The parts of a sequence, groups for the secret taken apart.
    fn flatten<'n>(&'n self, out: &mut Vec<&'n Node>) {
        match self {
            Node::Seq(nodes) => nodes.iter().for_each(|node| node.flatten(out)),
            Node::Secret(node) => node.flatten(out),
            node => out.push(node),
        }
    }

    fn write_regex(&self, ignore_case: bool, out: &mut String) {
        match self {
            Node::Literal(bytes) => {
                for &byte in bytes {
                    if ignore_case && byte.is_ascii_alphabetic() {
                        let (upper, lower) = (byte.to_ascii_uppercase(), byte.to_ascii_lowercase());
                        write!(out, "[{}{}]", char::from(upper), char::from(lower))
                    } else if byte.is_ascii_alphanumeric() {
                        write!(out, "{}", char::from(byte))
                    } else {
                        write!(out, "\\x{byte:02x}")
                    }
                    .expect("a string takes every write");
                }
            }
            Node::Class(set) => set.write_regex(out),
            Node::Repeat { node, min, max } => {
                let quantifier = match (min, max) {
                    (0, Some(1)) => "?".to_owned(),
                    (min, Some(max)) if min == max => format!("{{{min}}}"),
                    (min, Some(max)) => format!("{{{min},{max}}}"),
                    (min, None) => format!("{{{min},}}"),
                };
                out.push_str("(?:");
                node.write_regex(ignore_case, out);
                out.push(')');
                out.push_str(&quantifier);
            }
            Node::Seq(nodes) => nodes.iter().for_each(|node| node.write_regex(ignore_case, out)),
            Node::Alt(nodes) => {
                out.push_str("(?:");
                // The expression takes the first branch that fits, and a short one that fits inside a long
                // value would hide it: the boundary check refuses the match and nothing else is tried.
                let mut nodes: Vec<&Node> = nodes.iter().collect();
                nodes.sort_by_key(|node| std::cmp::Reverse(node.length().1.unwrap_or(usize::MAX)));
                for (index, node) in nodes.into_iter().enumerate() {
                    if index > 0 {
                        out.push('|');
                    }
                    node.write_regex(ignore_case, out);
                }
                out.push(')');
            }
            Node::Secret(node) => {
                out.push('(');
                node.write_regex(ignore_case, out);
                out.push(')');
            }
        }
    }

    fn alphabet(&self, ignore_case: bool) -> ByteSet {
        let all = |nodes: &[Node]| {
            nodes.iter().fold(ByteSet::EMPTY, |all, node| all.union(node.alphabet(ignore_case)))
        };
        match self {
            Node::Literal(bytes) if ignore_case => {
                ByteSet::of(&bytes.to_ascii_lowercase()).union(ByteSet::of(&bytes.to_ascii_uppercase()))
            }
            Node::Literal(bytes) => ByteSet::of(bytes),
            Node::Class(set) => *set,
            Node::Repeat { node, .. } | Node::Secret(node) => node.alphabet(ignore_case),
            Node::Seq(nodes) | Node::Alt(nodes) => all(nodes),
        }
    }

    fn length(&self) -> (usize, Option<usize>) {
        match self {
            Node::Literal(bytes) => (bytes.len(), Some(bytes.len())),
            Node::Class(_) => (1, Some(1)),
            Node::Repeat { node, min, max } => {
                let (least, most) = node.length();
                (least * *min as usize, most.zip(*max).map(|(most, max)| most * max as usize))
            }
            Node::Seq(nodes) => nodes
                .iter()
                .map(Node::length)
                .fold((0, Some(0)), |sum, next| (sum.0 + next.0, sum.1.zip(next.1).map(|(a, b)| a + b))),
            Node::Alt(nodes) => {
                let lengths: Vec<_> = nodes.iter().map(Node::length).collect();
                let least = lengths.iter().map(|l| l.0).min().unwrap_or(0);
                let most = lengths.iter().map(|l| l.1).collect::<Option<Vec<_>>>();
                (least, most.map(|most| most.into_iter().max().unwrap_or(0)))
            }
            Node::Secret(node) => node.length(),
        }
    }

    fn min_secret(&self) -> Option<usize> {
        match self {
            Node::Literal(_) | Node::Class(_) => None,
            Node::Repeat { node, .. } => node.min_secret(),
            Node::Seq(nodes) | Node::Alt(nodes) => nodes.iter().filter_map(Node::min_secret).min(),
            Node::Secret(node) => Some(node.length().0),
        }
    }

    /// What each of the first bytes can be, as far as one of them is at the same place in every match, at most
    /// [`LEAD_BYTES`]; and whether these are all.
    fn lead(&self) -> (Vec<ByteSet>, bool) {
        let (mut lead, is_all) = match self {
            Node::Literal(bytes) => (bytes.iter().map(|&byte| ByteSet::of(&[byte])).collect(), true),
            Node::Class(set) => (vec![*set], true),
            Node::Secret(node) => node.lead(),
            Node::Repeat { node, min, max } => {
                let (one, is_all) = node.lead();
                let times = if is_all { (*min as usize).min(LEAD_BYTES) } else { (*min as usize).min(1) };
                (one.repeat(times), is_all && *max == Some(*min))
            }
            Node::Seq(nodes) => {
                let (mut all, mut is_all) = (Vec::new(), true);
                let mut nodes = nodes.iter();
                while let Some(node) = nodes.next().filter(|_| is_all) {
                    let (next, is_all_of_it) = node.lead();
                    all.extend(next);
                    is_all = is_all_of_it && all.len() <= LEAD_BYTES;
                }
                (all, is_all)
            }
            Node::Alt(nodes) => {
                let leads: Vec<_> = nodes.iter().map(Node::lead).collect();
                let len = leads.iter().map(|(lead, _)| lead.len()).min().unwrap_or(0);
                let at = |place| leads.iter().fold(ByteSet::EMPTY, |all, (lead, _)| all.union(lead[place]));
                let is_all = leads.iter().all(|(lead, is_all)| *is_all && lead.len() == len);
                ((0..len).map(at).collect(), is_all)
            }
        };
        let is_cut = lead.len() > LEAD_BYTES;
        lead.truncate(LEAD_BYTES);
        (lead, is_all && !is_cut)
    }

    /// Bytes that a match can start with, and whether any comes from a class instead of a literal.
    fn head(&self) -> (ByteSet, bool) {
        self.edge(false)
    }

    /// Bytes that a match can end with, and whether any comes from a class instead of a literal.
    fn tail(&self) -> (ByteSet, bool) {
        self.edge(true)
    }

    fn edge(&self, last: bool) -> (ByteSet, bool) {
        match self {
            Node::Literal(bytes) => {
                let byte = if last { bytes.last() } else { bytes.first() };
                (byte.map_or(ByteSet::EMPTY, |&byte| ByteSet::of(&[byte])), false)
            }
            Node::Class(set) => (*set, true),
            Node::Repeat { node, .. } | Node::Secret(node) => node.edge(last),
            Node::Alt(nodes) => nodes
                .iter()
                .map(|node| node.edge(last))
                .fold((ByteSet::EMPTY, false), |sum, next| (sum.0.union(next.0), sum.1 | next.1)),
            Node::Seq(nodes) => {
                let mut sum = (ByteSet::EMPTY, false);
                let mut step = |node: &Node| {
                    let next = node.edge(last);
                    sum = (sum.0.union(next.0), sum.1 | next.1);
                    node.length().0 == 0
                };
                if last {
                    let _ = nodes.iter().rev().all(&mut step);
                } else {
                    let _ = nodes.iter().all(&mut step);
                }
                sum
            }
        }
    }

    fn sample(&self, below: &mut dyn FnMut(usize) -> usize, out: &mut Vec<u8>) {
        /// How much longer than its minimum a sample of an open repetition may be.
        const OPEN_EXTRA: u32 = 12;
        match self {
            Node::Literal(bytes) => out.extend_from_slice(bytes),
            Node::Class(set) => out.push(set.sample(below)),
            Node::Repeat { node, min, max } => {
                let max = max.unwrap_or(min + OPEN_EXTRA);
                let count = *min as usize + below((max - min) as usize + 1);
                let start = out.len();
                for _ in 0..count {
                    node.sample(below, out);
                }
                if let Node::Class(set) = &**node {
                    pad_at_the_end(*set, &mut out[start..], below);
                }
            }
            Node::Seq(nodes) => nodes.iter().for_each(|node| node.sample(below, out)),
            Node::Alt(nodes) => nodes[below(nodes.len())].sample(below, out),
            Node::Secret(node) => node.sample(below, out),
        }
    }

    /// All texts of a node that is a small choice of literals.
    fn literal_choices(&self) -> Option<Vec<Vec<u8>>> {
        match self {
            Node::Literal(bytes) => Some(vec![bytes.clone()]),
            Node::Class(set) if set.len() <= 4 => Some(set.iter().map(|byte| vec![byte]).collect()),
            Node::Secret(node) => node.literal_choices(),
            Node::Repeat { node, min, max: Some(max) } if *min <= 1 && *max == 1 => {
                let mut choices = node.literal_choices()?;
                if *min == 0 {
                    choices.push(Vec::new());
                }
                Some(choices)
            }
            Node::Alt(nodes) => {
                let all: Option<Vec<_>> = nodes.iter().map(Node::literal_choices).collect();
                all.map(|all| all.into_iter().flatten().collect()).filter(|all: &Vec<_>| all.len() <= 16)
            }
            Node::Seq(nodes) => nodes.iter().try_fold(vec![Vec::new()], |sum, node| {
                let next = node.literal_choices()?;
                (sum.len() * next.len() <= MAX_ANCHORS).then(|| product(&sum, &next))
            }),
            Node::Class(_) | Node::Repeat { .. } => None,
        }
    }
}

fn product(heads: &[Vec<u8>], tails: &[Vec<u8>]) -> Vec<Vec<u8>> {
    heads.iter().flat_map(|head| tails.iter().map(move |tail| [head.as_slice(), tail].concat())).collect()
}

/// Walks a shape from left to right and keeps the set of literals that promises the fewest false hits.
struct AnchorSearch {
    before: (usize, Option<usize>),
    run: Vec<Vec<u8>>,
    run_before: (usize, Option<usize>),
    best: Option<(u32, Vec<Anchor>)>,
}

impl AnchorSearch {
    fn starting_at(before: (usize, Option<usize>)) -> Self {
        Self { before, run: Vec::new(), run_before: before, best: None }
    }

    fn node(&mut self, node: &Node) {
        match node {
            Node::Seq(nodes) => nodes.iter().for_each(|node| self.node(node)),
            Node::Secret(node) => self.node(node),
            _ => match node.literal_choices().or_else(|| self.lengthening(node)) {
                Some(choices) => self.literal(node, &choices),
                None => self.other(node),
            },
        }
    }

    /// A class behind a literal that is one byte too short for an anchor makes some anchors of it: `SK0` to
    /// `SKf` for `"SK" LOWER_HEX`.
    fn lengthening(&self, node: &Node) -> Option<Vec<Vec<u8>>> {
        let Node::Class(set) = node else { return None };
        let is_short = |literal: &Vec<u8>| literal.len() + 1 == SHORTEST_ANCHOR_BYTES;
        (set.len() <= 16 && !self.run.is_empty() && self.run.iter().all(is_short))
            .then(|| set.iter().map(|byte| vec![byte]).collect())
    }

    fn literal(&mut self, node: &Node, choices: &[Vec<u8>]) {
        if self.run.is_empty() || self.run.len() * choices.len() > MAX_ANCHORS {
            self.finish_run();
            self.run_before = self.before;
            self.run = choices.to_vec();
        } else {
            self.run = product(&self.run, choices);
        }
        self.advance(node);
    }

    fn other(&mut self, node: &Node) {
        self.finish_run();
        let inner = match node {
            Node::Alt(nodes) => self.union(nodes),
            Node::Repeat { node, min, .. } if *min > 0 => self.union(std::slice::from_ref(node)),
            _ => None,
        };
        if let Some((score, anchors)) = inner {
            self.offer(score, anchors);
        }
        self.advance(node);
    }

    /// Anchors of every branch, placed behind what stands before them; none unless all branches have one.
    fn union(&self, nodes: &[Node]) -> Option<(u32, Vec<Anchor>)> {
        let mut all = Vec::new();
        let mut worst = u32::MAX;
        for node in nodes {
            let mut search = AnchorSearch::starting_at(self.before);
            search.node(node);
            search.finish_run();
            let (score, anchors) = search.best?;
            worst = worst.min(score);
            all.extend(anchors);
        }
        Some((worst, all))
    }

    fn advance(&mut self, node: &Node) {
        let (least, most) = node.length();
        self.before = (self.before.0 + least, self.before.1.zip(most).map(|(a, b)| a + b));
    }

    fn finish_run(&mut self) {
        let run = std::mem::take(&mut self.run);
        let (min_before, Some(max_before)) = self.run_before else { return };
        let too_short = run.iter().any(|literal| literal.len() < SHORTEST_ANCHOR_BYTES);
        if run.is_empty() || max_before > MAX_BEFORE_ANCHOR || too_short {
            return;
        }
        let score = run.iter().map(|literal| rarity(literal)).min().unwrap_or(0);
        let anchors = run.into_iter().map(|literal| Anchor { literal, min_before, max_before }).collect();
        self.offer(score, anchors);
    }

    fn offer(&mut self, score: u32, anchors: Vec<Anchor>) {
        if self.best.as_ref().is_none_or(|(best, _)| score > *best) && anchors.len() <= MAX_ANCHORS {
            self.best = Some((score, anchors));
        }
    }
}

/// How rarely a literal turns up by chance: the higher, the better as an anchor.
///
/// A rough count of bits by byte class; words of URLs, which are everywhere, count for nothing.
pub(crate) fn rarity(literal: &[u8]) -> u32 {
    const EVERYWHERE: [&[u8]; 6] = [b"https://", b"http://", b"https:", b"www.", b"://", b".com"];
    let mut rest = literal;
    let mut bits = 0;
    while let Some((&byte, tail)) = rest.split_first() {
        if let Some(common) = EVERYWHERE.iter().find(|common| rest.starts_with(common)) {
            rest = &rest[common.len()..];
            bits += 3;
            continue;
        }
        bits += match byte {
            b'e' | b't' | b'a' | b'o' | b'i' | b'n' | b's' | b'r' | b' ' | b'-' | b'=' | b'"' => 3,
            b'a'..=b'z' | b'_' | b'/' | b':' | b'.' => 4,
            b'0'..=b'9' => 5,
            b'A'..=b'Z' => 6,
            _ => 6,
        };
        rest = tail;
    }
    bits
}

struct Parser<'a> {
    text: &'a [u8],
    at: usize,
}

impl Parser<'_> {
    fn alt(&mut self) -> Result<Node, ShapeError> {
        let mut branches = vec![self.seq()?];
        while self.eat(b'|') {
            branches.push(self.seq()?);
        }
        Ok(if branches.len() == 1 { branches.remove(0) } else { Node::Alt(branches) })
    }

    fn seq(&mut self) -> Result<Node, ShapeError> {
        let mut items = Vec::new();
        loop {
            self.space();
            match self.text.get(self.at) {
                None | Some(b')' | b'|' | b'>') => break,
                Some(_) => items.push(self.item()?),
            }
        }
        match items.len() {
            0 => Err(self.error("expected a literal, a class or a group")),
            1 => Ok(items.remove(0)),
            _ => Ok(Node::Seq(items)),
        }
    }

    fn item(&mut self) -> Result<Node, ShapeError> {
        let atom = self.atom()?;
        match self.text.get(self.at) {
            Some(b'?') => {
                self.at += 1;
                Ok(Node::Repeat { node: Box::new(atom), min: 0, max: Some(1) })
            }
            Some(b'{') => {
                self.at += 1;
                let min = self.number()?;
                let max = if !self.eat(b',') {
                    Some(min)
                } else if self.peek() == Some(b'}') {
                    None
                } else {
                    Some(self.number()?)
                };
                self.expect(b'}')?;
                if max.is_some_and(|max| max < min || max == 0) {
                    return Err(self.error("a repetition needs an upper bound above its lower bound"));
                }
                Ok(Node::Repeat { node: Box::new(atom), min, max })
            }
            _ => Ok(atom),
        }
    }

    fn atom(&mut self) -> Result<Node, ShapeError> {
        match self.peek() {
            Some(b'"') => Ok(Node::Literal(self.string()?)),
            Some(b'(') => self.group(b')'),
            Some(b'<') => Ok(Node::Secret(Box::new(self.group(b'>')?))),
            Some(byte) if byte.is_ascii_uppercase() => self.named(),
            _ => Err(self.error("expected a literal, a class or a group")),
        }
    }

    fn group(&mut self, close: u8) -> Result<Node, ShapeError> {
        self.at += 1;
        let inner = self.alt()?;
        self.expect(close)?;
        Ok(inner)
    }

    fn named(&mut self) -> Result<Node, ShapeError> {
        let start = self.at;
        while self
            .text
            .get(self.at)
            .is_some_and(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || *b == b'_')
        {
            self.at += 1;
        }
        let name = String::from_utf8_lossy(&self.text[start..self.at]).into_owned();
        match name.as_str() {
            "ONEOF" => {
                self.expect(b'(')?;
                self.space();
                let set = ByteSet::of(&self.string()?);
                self.expect(b')')?;
                Ok(Node::Class(set))
            }
            "UUID" => Ok(uuid(ByteSet::named("LOWER_HEX").expect("a class"))),
            "ANYUUID" => Ok(uuid(ByteSet::named("HEX").expect("a class"))),
            "EOL" => Ok(Node::Seq(vec![
                Node::Repeat { node: Box::new(Node::Literal(vec![b'\r'])), min: 0, max: Some(1) },
                Node::Literal(vec![b'\n']),
            ])),
            _ => ByteSet::named(&name).map(Node::Class).ok_or_else(|| {
                self.at = start;
                self.error(&format!("unknown class `{name}`"))
            }),
        }
    }

    fn string(&mut self) -> Result<Vec<u8>, ShapeError> {
        if self.text.get(self.at) != Some(&b'"') {
            return Err(self.error("expected a literal in double quotes"));
        }
        self.at += 1;
        let mut out = Vec::new();
        loop {
            match (self.text.get(self.at), self.text.get(self.at + 1)) {
                (Some(b'"'), _) if !out.is_empty() => {
                    self.at += 1;
                    return Ok(out);
                }
                (Some(b'"'), _) => return Err(self.error("a literal must not be empty")),
                (Some(b'\\'), Some(&byte @ (b'"' | b'\\'))) => {
                    out.push(byte);
                    self.at += 2;
                }
                (Some(b'\\'), _) => return Err(self.error("only \\\" and \\\\ are escapes")),
                (Some(&byte), _) => {
                    out.push(byte);
                    self.at += 1;
                }
                (None, _) => return Err(self.error("the literal has no closing quote")),
            }
        }
    }

    fn number(&mut self) -> Result<u32, ShapeError> {
        /// More copies than this make an automaton too large to be worth it.
        const MOST: u32 = 8192;
        self.space();
        let start = self.at;
        while self.text.get(self.at).is_some_and(u8::is_ascii_digit) {
            self.at += 1;
        }
        let digits = std::str::from_utf8(&self.text[start..self.at]).expect("digits are ASCII");
        digits
            .parse()
            .ok()
            .filter(|&number| number <= MOST)
            .ok_or_else(|| self.error(&format!("expected a number of at most {MOST}")))
    }

    fn peek(&mut self) -> Option<u8> {
        self.space();
        self.text.get(self.at).copied()
    }

    fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, byte: u8) -> Result<(), ShapeError> {
        if self.eat(byte) { Ok(()) } else { Err(self.error(&format!("expected `{}`", char::from(byte)))) }
    }

    fn space(&mut self) {
        while self.text.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
    }

    fn error(&self, message: &str) -> ShapeError {
        ShapeError { message: message.to_owned(), column: self.at + 1 }
    }
}

fn uuid(digit: ByteSet) -> Node {
    let run = |n| Node::Repeat { node: Box::new(Node::Class(digit)), min: n, max: Some(n) };
    let dash = || Node::Literal(vec![b'-']);
    Node::Seq(vec![run(8), dash(), run(4), dash(), run(4), dash(), run(4), dash(), run(12)])
}

/// A set of byte values.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct ByteSet([u64; 4]);

impl std::fmt::Debug for ByteSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut text = String::new();
        self.write_regex(&mut text);
        f.write_str(&text)
    }
}

impl ByteSet {
    /// No byte.
    pub const EMPTY: ByteSet = ByteSet([0; 4]);
    /// Every byte.
    pub const ALL: ByteSet = ByteSet([u64::MAX; 4]);

    /// The listed bytes.
    pub fn of(bytes: &[u8]) -> Self {
        let mut set = Self::EMPTY;
        bytes.iter().for_each(|&byte| set.insert(byte));
        set
    }

    /// The class of that name in the notation, or `None`.
    pub fn named(name: &str) -> Option<Self> {
        let digit = Self::range(b'0', b'9');
        let lower = Self::range(b'a', b'z');
        let upper = Self::range(b'A', b'Z');
        let alnum = digit.union(lower).union(upper);
        let plus = |set: ByteSet, more: &[u8]| set.union(Self::of(more));
        let minus = |set: ByteSet, less: &[u8]| set.intersection(Self::of(less).complement());
        // Printable means ASCII without the control bytes, and every byte of other characters.
        let visible = Self::range(0x21, 0x7E).union(Self::range(0x80, 0xFF));
        Some(match name {
            "DIGIT" => digit,
            "LOWER" => lower,
            "UPPER" => upper,
            "ALPHA" => lower.union(upper),
            "LOWER_ALNUM" => digit.union(lower),
            "UPPER_ALNUM" => digit.union(upper),
            "ALNUM" => alnum,
            "LOWER_HEX" => digit.union(Self::range(b'a', b'f')),
            "UPPER_HEX" => digit.union(Self::range(b'A', b'F')),
            "HEX" => digit.union(Self::range(b'a', b'f')).union(Self::range(b'A', b'F')),
            "BASE32" => upper.union(Self::range(b'2', b'7')),
            "LOWER_BASE32" => lower.union(Self::range(b'2', b'7')),
            "BASE58" => minus(alnum, b"0IOl"),
            "BECH32" => minus(digit.union(lower), b"1bio"),
            "UPPER_BECH32" => minus(digit.union(upper), b"1BIO"),
            "B64" => plus(alnum, b"+/"),
            "B64PAD" => plus(alnum, b"+/="),
            "B64URL" => plus(alnum, b"-_"),
            "B64URLPAD" => plus(alnum, b"-_="),
            "WORD" => plus(alnum, b"_"),
            "LOWER_WORD" => plus(digit.union(lower), b"_"),
            "ALNUM_DASH" => plus(alnum, b"-"),
            "LOWER_ALNUM_DASH" => plus(digit.union(lower), b"-"),
            "UPPER_ALNUM_DASH" => plus(digit.union(upper), b"-"),
            "DOTTED" => plus(alnum, b"-_.~"),
            "CRYPT64" => plus(alnum, b"./"),
            "HOSTCH" => plus(alnum, b".-[]:"),
            "USERCH" => plus(alnum, b"._-%+@\\"),
            "PASSCH" => minus(visible, b"\"'`"),
            "TEXT" => minus(visible, b"\"'`<>"),
            "PRINT" => Self::range(0x21, 0x7E),
            "SP" => Self::of(b" \t"),
            "ANY" => Self::EMPTY.complement(),
            _ => return None,
        })
    }

    /// Every byte from `first` to `last`, both included.
    pub fn range(first: u8, last: u8) -> Self {
        let mut set = Self::EMPTY;
        (first..=last).for_each(|byte| set.insert(byte));
        set
    }

    /// The set with every letter in both cases.
    #[must_use]
    pub fn in_both_cases(mut self) -> Self {
        for upper in b'A'..=b'Z' {
            let lower = upper.to_ascii_lowercase();
            if self.contains(upper) || self.contains(lower) {
                self.insert(upper);
                self.insert(lower);
            }
        }
        self
    }

    /// A number that most other sets do not have.
    #[inline]
    pub fn digest(&self) -> usize {
        let [a, b, c, d] = self.0;
        ((a ^ b.rotate_left(17) ^ c.rotate_left(31) ^ d).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 48) as usize
    }

    /// Adds a byte.
    pub fn insert(&mut self, byte: u8) {
        self.0[usize::from(byte >> 6)] |= 1 << (byte & 63);
    }

    /// Whether the byte is in the set.
    #[inline]
    pub fn contains(&self, byte: u8) -> bool {
        self.0[usize::from(byte >> 6)] >> (byte & 63) & 1 == 1
    }

    /// Bytes in either set.
    pub fn union(self, other: Self) -> Self {
        Self(std::array::from_fn(|i| self.0[i] | other.0[i]))
    }

    /// Bytes in both sets.
    pub fn intersection(self, other: Self) -> Self {
        Self(std::array::from_fn(|i| self.0[i] & other.0[i]))
    }

    /// Bytes not in the set.
    pub fn complement(self) -> Self {
        Self(self.0.map(|word| !word))
    }

    /// Whether the sets share a byte.
    pub fn intersects(self, other: Self) -> bool {
        self.intersection(other) != Self::EMPTY
    }

    /// Number of bytes in the set.
    pub fn len(&self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// Whether the set holds no byte.
    pub fn is_empty(&self) -> bool {
        *self == Self::EMPTY
    }

    /// The bytes in rising order.
    pub fn iter(&self) -> impl Iterator<Item = u8> + '_ {
        (0..=255).filter(|&byte| self.contains(byte))
    }

    fn sample(&self, below: &mut dyn FnMut(usize) -> usize) -> u8 {
        // Bytes of other characters only make sense in sequence, so samples stay printable ASCII.
        let printable: Vec<u8> = self.iter().filter(|byte| (0x20..0x7F).contains(byte)).collect();
        let choices = if printable.is_empty() { self.iter().collect() } else { printable };
        choices[below(choices.len())]
    }

    fn write_regex(&self, out: &mut String) {
        out.push('[');
        let mut bytes = self.iter().peekable();
        while let Some(first) = bytes.next() {
            let mut last = first;
            while bytes.peek().is_some_and(|&next| u16::from(next) == u16::from(last) + 1) {
                last = bytes.next().expect("just peeked");
            }
            let result = if first == last {
                write!(out, "\\x{first:02x}")
            } else {
                write!(out, "\\x{first:02x}-\\x{last:02x}")
            };
            result.expect("a string takes every write");
        }
        out.push(']');
    }
}

#[cfg(test)]
mod tests {
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

    #[test]
    fn padding_stands_at_the_end_of_a_sample() {
        let mut state = 3_u64;
        let mut below = |n: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % n.max(1)
        };
        let mut padded = 0;
        for shape in ["B64PAD{44}", "\"key=\" B64URLPAD{20,60}"] {
            let shape = Shape::parse(shape).unwrap();
            for _ in 0..1000 {
                let sample = shape.sample(&mut below);
                let value = sample.strip_prefix(b"key=").unwrap_or(&sample);
                let head =
                    value.strip_suffix(b"=").map_or(value, |head| head.strip_suffix(b"=").unwrap_or(head));
                assert!(!head.contains(&b'='));
                padded += usize::from(head.len() < value.len());
            }
        }
        assert!(padded > 10, "{padded}");
        // A password may hold the sign anywhere.
        let passwords = Shape::parse("PASSCH{40}").unwrap();
        assert!((0..100).any(|_| passwords.sample(&mut below)[..38].contains(&b'=')));
    }

    fn anchors(text: &str) -> Vec<(String, usize, usize)> {
        let found = Shape::parse(text).unwrap().anchors();
        found
            .into_iter()
            .map(|a| (String::from_utf8(a.literal).unwrap(), a.min_before, a.max_before))
            .collect()
    }

    #[test]
    fn anchors_multiply_choices_out() {
        assert_eq!(
            anchors(r#""pk_" ("live" | "test") "_" ALNUM{24}"#),
            [("pk_live_".into(), 0, 0), ("pk_test_".into(), 0, 0)]
        );
    }

    #[test]
    fn anchors_may_stand_inside() {
        assert_eq!(
            anchors(r#"B64URL{3} ONEOF("78") "Q~" DOTTED{31,34}"#),
            [("7Q~".into(), 3, 3), ("8Q~".into(), 3, 3)]
        );
        assert_eq!(anchors(r#"LOWER{2,20} "://" USERCH{1,9} ":""#), [("://".into(), 2, 20)]);
        assert_eq!(anchors("LOWER_HEX{32}"), []);
    }

    #[test]
    fn anchors_of_branches_are_all_needed() {
        assert_eq!(
            anchors(r#"("AB12" DIGIT{4} | "CD34" ALNUM{2}) ALNUM{8}"#),
            [("AB12".into(), 0, 0), ("CD34".into(), 0, 0)]
        );
        assert_eq!(anchors(r#"("AB12" DIGIT{4} | ALNUM{2}) ALNUM{8}"#), []);
    }

    #[test]
    fn errors_name_the_place() {
        for (text, column) in [
            ("", 1),
            ("\"\"", 2),
            ("NOPE{3}", 1),
            ("\"a\" DIGIT{3,2}", 15),
            ("(DIGIT", 7),
            ("\"a", 3),
            ("DIGIT)", 6),
        ] {
            let error = Shape::parse(text).unwrap_err();
            assert_eq!(error.column, column, "{text}: {error}");
        }
    }

    #[test]
    fn samples_match_their_own_regex() {
        let mut state = 1usize;
        let mut below = move |n: usize| {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (state >> 33) % n
        };
        for text in [
            r#""a\"b\\" DIGIT{1,3} ("x" | ONEOF("-]^") UPPER)? <B64PAD{2,}> EOL"#,
            r#"ANYUUID ":" PASSCH{4,9} "@" HOSTCH{1,20}"#,
        ] {
            let shape = Shape::parse(text).unwrap();
            let regex = regex::bytes::Regex::new(&format!("^(?:{})$", shape.to_regex(false))).unwrap();
            for _ in 0..200 {
                let sample = shape.sample(&mut below);
                assert!(regex.is_match(&sample), "{text}");
                let (least, most) = shape.length_bytes();
                assert!(sample.len() >= least && most.is_none_or(|most| sample.len() <= most));
            }
        }
    }

    #[test]
    fn the_longest_branch_that_fits_is_taken() {
        let regex = Shape::parse("(LOWER_HEX{4} | LOWER_HEX{8})").unwrap().to_regex(false);
        let found = regex::bytes::Regex::new(&regex).unwrap().find(b"0123abcd").unwrap();
        assert_eq!(found.len(), 8);
    }

    #[test]
    fn matches_are_made_of_the_alphabet() {
        let alphabet = |text: &str, ignore_case| Shape::parse(text).unwrap().alphabet(ignore_case);
        let text = r#""pk_" <DIGIT{1,12}> ("_" UPPER{32} | "x"?)"#;
        assert_eq!(
            alphabet(text, false),
            ByteSet::named("DIGIT")
                .unwrap()
                .union(ByteSet::named("UPPER").unwrap())
                .union(ByteSet::of(b"pk_x"))
        );
        assert_eq!(alphabet(text, true), alphabet(text, false).union(ByteSet::of(b"PKX")));
    }

    #[test]
    fn edges_keep_longer_words_out() {
        let edges = Shape::parse(r#""pk_" DIGIT{1,12} "_" UPPER_ALNUM{32}"#).unwrap().edges();
        assert!(edges.before.contains(b'x') && edges.before.contains(b'_'));
        assert!(!edges.before.contains(b'=') && !edges.before.contains(b'/'));
        assert!(edges.after.contains(b'a') && !edges.after.contains(b'.'));
        let base64 = Shape::parse("B64{40}").unwrap().edges();
        assert!(base64.before.contains(b'/') && !base64.before.contains(b'='));
    }
}
