//! The literals by which matches of a shape are looked for.

use super::Shape;
use super::node::{MAX_CHOICES, Node, product};

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

/// The most bytes that may stand before an anchor: a window is searched for each hit.
const MAX_BEFORE_ANCHOR: usize = 512;
/// Shorter literals would send the matcher to every second line.
const SHORTEST_ANCHOR_BYTES: usize = 3;

impl Shape {
    /// Literals of which every match holds at least one, those that promise the fewest chance hits; none
    /// when the shape has no literal of three bytes at a bounded distance from its start.
    pub fn anchors(&self) -> Vec<Anchor> {
        let mut search = AnchorSearch::starting_at((0, Some(0)));
        search.node(&self.root);
        search.finish_run();
        search.best.map(|(_, anchors)| anchors).unwrap_or_default()
    }
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
        if self.run.is_empty() || self.run.len() * choices.len() > MAX_CHOICES {
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
        if self.best.as_ref().is_none_or(|(best, _)| score > *best) && anchors.len() <= MAX_CHOICES {
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

#[cfg(test)]
mod tests {
    use super::*;

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
}
