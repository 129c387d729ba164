//! A shape as a list of steps, for a search that needs no expression.

use std::cmp::Reverse;

use super::Shape;
use super::byte_set::ByteSet;
use super::node::Node;

/// The steps of a shape, in which the first match that they lead to is the one that its expression finds: of several ways
/// on the first is taken that leads to the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Steps {
    /// By number; the last is [`Step::End`].
    pub list: Vec<Step>,
    /// Whether any ASCII case of a literal will do.
    pub ignore_case: bool,
}

/// What is to stand at a place of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// These bytes.
    Literal(Vec<u8>),
    /// As many bytes of a class as lead to the end.
    Run {
        /// The class.
        set: ByteSet,
        /// Fewest bytes.
        min: u32,
        /// Most bytes.
        max: Option<u32>,
        /// What can stand behind it first; nothing is known where the match may end with it.
        follow: Option<ByteSet>,
        /// Whether that is no byte of the class, so that the run ends where it does in the text.
        is_bound: bool,
    },
    /// What follows or, if that does not lead to the end, the step of this number and what follows that.
    Either(usize),
    /// The step of this number.
    Jump(usize),
    /// The secret starts here.
    SecretStart,
    /// The secret ends here.
    SecretEnd,
    /// The match ends here.
    End,
}

/// Longer lists are not made: something is kept of each step of them in each text.
const MOST_STEPS: usize = 3000;

impl Shape {
    /// The steps of the shape; `None` where they would be too many, or repeat something other than bytes without a bound.
    pub fn steps(&self, ignore_case: bool) -> Option<Steps> {
        let mut steps = Steps { list: Vec::new(), ignore_case };
        steps.add(&self.root)?;
        steps.list.push(Step::End);
        steps.note_what_follows();
        Some(steps)
    }
}

impl Steps {
    fn add(&mut self, node: &Node) -> Option<()> {
        if self.list.len() > MOST_STEPS {
            return None;
        }
        match node {
            Node::Literal(bytes) => self.list.push(Step::Literal(bytes.clone())),
            Node::Class(set) => self.add_run(*set, 1, Some(1)),
            Node::Seq(nodes) => nodes.iter().try_for_each(|node| self.add(node))?,
            Node::Secret(node) => {
                self.list.push(Step::SecretStart);
                self.add(node)?;
                self.list.push(Step::SecretEnd);
            }
            Node::Alt(nodes) => {
                if let Some(set) = self.class(node) {
                    self.add_run(set, 1, Some(1));
                    return Some(());
                }
                let mut ends = Vec::new();
                let nodes = longest_first(nodes);
                let (last, others) = nodes.split_last()?;
                for node in others {
                    let either = self.put_off();
                    self.add(node)?;
                    ends.push(self.put_off());
                    self.list[either] = Step::Either(self.list.len());
                }
                self.add(last)?;
                let end = self.list.len();
                ends.into_iter().for_each(|jump| self.list[jump] = Step::Jump(end));
            }
            Node::Repeat { node, min, max } => self.add_repeated(node, *min, *max)?,
        }
        Some(())
    }

    fn add_repeated(&mut self, node: &Node, min: u32, max: Option<u32>) -> Option<()> {
        if let Some(set) = self.class(node).or_else(|| self.single(node)) {
            self.add_run(set, min, max);
            return Some(());
        }
        let max = max?;
        // Which of several secrets counts, and whether nothing may be repeated, is for the expression to tell.
        if max > 1 && (node.holds_secret() || node.length().0 == 0) {
            return None;
        }
        (0..min).try_for_each(|_| self.add(node))?;
        let mut eithers = Vec::new();
        for _ in min..max {
            eithers.push(self.put_off());
            self.add(node)?;
        }
        let end = self.list.len();
        eithers.into_iter().for_each(|either| self.list[either] = Step::Either(end));
        Some(())
    }

    fn add_run(&mut self, set: ByteSet, min: u32, max: Option<u32>) {
        self.list.push(Step::Run { set, min, max, follow: None, is_bound: false });
    }

    /// Keeps room for a step that is known later.
    fn put_off(&mut self) -> usize {
        self.list.push(Step::End);
        self.list.len() - 1
    }

    /// The bytes of a choice of single bytes.
    fn class(&self, node: &Node) -> Option<ByteSet> {
        let (set, guards) = node.as_class(self.ignore_case)?;
        guards.is_empty().then_some(set)
    }

    /// The byte of a literal of one.
    fn single(&self, node: &Node) -> Option<ByteSet> {
        let Node::Literal(bytes) = node else { return None };
        let set = ByteSet::of(bytes);
        (bytes.len() == 1).then_some(if self.ignore_case { set.in_both_cases() } else { set })
    }

    /// Notes what can stand behind each run: from the end on, since no step leads back.
    fn note_what_follows(&mut self) {
        // By step what can stand first where it is gone on with; nothing is known where a match may end.
        let mut firsts: Vec<Option<ByteSet>> = vec![None; self.list.len() + 1];
        for number in (0..self.list.len()).rev() {
            let next = firsts[number + 1];
            firsts[number] = match &mut self.list[number] {
                Step::Literal(bytes) => Some(ByteSet::of(&bytes[..1]).in_both_cases()),
                Step::Run { set, min, follow, is_bound, .. } => {
                    (*follow, *is_bound) = (next, next.is_some_and(|next| !next.intersects(*set)));
                    if *min > 0 { Some(*set) } else { next.map(|next| next.union(*set)) }
                }
                Step::Either(other) => next.zip(firsts[*other]).map(|(one, other)| one.union(other)),
                Step::Jump(to) => firsts[*to],
                Step::SecretStart | Step::SecretEnd => next,
                Step::End => None,
            };
        }
    }
}

/// The branches of a choice in the order in which they are tried. The first that fits is taken, and a short one that fits
/// inside a long value would hide it: the boundary check refuses the match and nothing else is tried.
pub(super) fn longest_first(nodes: &[Node]) -> Vec<&Node> {
    let mut nodes: Vec<&Node> = nodes.iter().collect();
    nodes.sort_by_key(|node| Reverse(node.length().1.unwrap_or(usize::MAX)));
    nodes
}
