//! The tree that a shape is, and what each of its nodes tells of matches.

use std::fmt::Write as _;

use super::LEAD_BYTES;
use super::byte_set::ByteSet;
use super::steps::longest_first;

/// A piece of a shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Node {
    Literal(Vec<u8>),
    Class(ByteSet),
    Repeat { node: Box<Node>, min: u32, max: Option<u32> },
    Seq(Vec<Node>),
    Alt(Vec<Node>),
    Secret(Box<Node>),
}

/// Choices of literals are multiplied out up to this many, so `("live" | "test") "_"` gives two anchors.
pub const MAX_CHOICES: usize = 64;

impl Node {
    /// Whether a part of it is marked as the secret.
    pub fn holds_secret(&self) -> bool {
        match self {
            Node::Literal(_) | Node::Class(_) => false,
            Node::Repeat { node, .. } => node.holds_secret(),
            Node::Seq(nodes) | Node::Alt(nodes) => nodes.iter().any(Node::holds_secret),
            Node::Secret(_) => true,
        }
    }

    /// Which of the parts of a sequence are secrets, by their numbers.
    pub fn secrets(&self, number: &mut usize, out: &mut Vec<std::ops::Range<usize>>) {
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
    pub fn flatten<'n>(&'n self, out: &mut Vec<&'n Node>) {
        match self {
            Node::Seq(nodes) => nodes.iter().for_each(|node| node.flatten(out)),
            Node::Secret(node) => node.flatten(out),
            node => out.push(node),
        }
    }

    /// Writes its expression; see [`Shape::to_regex`](super::Shape::to_regex).
    pub fn write_regex(&self, ignore_case: bool, out: &mut String) {
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
                for (index, node) in longest_first(nodes).into_iter().enumerate() {
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

    /// The bytes that its matches are made of.
    pub fn alphabet(&self, ignore_case: bool) -> ByteSet {
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

    /// Fewest and most bytes of a match; no upper bound for an open repetition.
    pub fn length(&self) -> (usize, Option<usize>) {
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

    /// Fewest bytes of the part that is marked as the secret, if one is.
    pub fn min_secret(&self) -> Option<usize> {
        match self {
            Node::Literal(_) | Node::Class(_) => None,
            Node::Repeat { node, .. } => node.min_secret(),
            Node::Seq(nodes) | Node::Alt(nodes) => nodes.iter().filter_map(Node::min_secret).min(),
            Node::Secret(node) => Some(node.length().0),
        }
    }

    /// What each of the first bytes can be, as far as one of them is at the same place in every match, at most
    /// [`LEAD_BYTES`]; and whether these are all.
    pub fn lead(&self) -> (Vec<ByteSet>, bool) {
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
    pub fn head(&self) -> (ByteSet, bool) {
        self.edge(false)
    }

    /// Bytes that a match can end with, and whether any comes from a class instead of a literal.
    pub fn tail(&self) -> (ByteSet, bool) {
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

    /// Adds a random match of it.
    pub fn sample(&self, below: &mut dyn FnMut(usize) -> usize, out: &mut Vec<u8>) {
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
    pub fn literal_choices(&self) -> Option<Vec<Vec<u8>>> {
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
                (sum.len() * next.len() <= MAX_CHOICES).then(|| product(&sum, &next))
            }),
            Node::Class(_) | Node::Repeat { .. } => None,
        }
    }
}

/// Every head with every tail behind it.
pub fn product(heads: &[Vec<u8>], tails: &[Vec<u8>]) -> Vec<Vec<u8>> {
    heads.iter().flat_map(|head| tails.iter().map(move |tail| [head.as_slice(), tail].concat())).collect()
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
