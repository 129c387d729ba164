//! How a shape is taken apart, so that most places of a text are told without an expression.

use super::Shape;
use super::anchors::Anchor;
use super::byte_set::ByteSet;
use super::node::{Node, product};
use super::part::{Guard, Part, Run, SecretPlace};

/// So many parts of a match tell nearly everything that is none.
const MOST_PARTS: usize = 6;
/// So many literals may stand in one place.
const MOST_CHOICES: usize = 16;

impl Shape {
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
                return Told { parts, is_all: is_end, starts };
            }
        }
        parts.push(Part { choices, ignore_case, run: None });
        parts.retain(|part| part.run.is_some() || part.choices.iter().all(|choice| !choice.is_empty()));
        let is_all = rest.is_empty() && parts.last().is_some_and(|part| part.run.is_none());
        Told { parts, is_all, starts }
    }
}

/// What is told of nodes in a row.
struct Told {
    parts: Vec<Part>,
    /// Whether that is all of them.
    is_all: bool,
    /// Where each of the nodes starts, as in [`SecretPlace`]; nothing of one that starts inside a literal.
    starts: Vec<Option<u8>>,
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

impl Node {
    /// The bytes of a choice of single bytes, and those that count only before others of these.
    pub(super) fn as_class(&self, ignore_case: bool) -> Option<(ByteSet, Vec<Guard>)> {
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
