//! How long blobs stayed at their paths: what comes of comparing commits with their parents.

use std::collections::HashMap;

use hashbrown::DefaultHashBuilder;

use super::forest::Place;
use super::graph::{Distance, Graph, Marks};

/// Paths with what lay there at some time, by number.
#[derive(Debug, Default)]
pub(super) struct Places {
    list: Vec<Place>,
    numbers: HashMap<Place, u32, DefaultHashBuilder>,
}

impl Places {
    /// The number of a place, a new one if it was not there.
    pub(super) fn number(&mut self, place: Place) -> u32 {
        *self.numbers.entry(place).or_insert_with(|| {
            self.list.push(place);
            self.list.len() as u32 - 1
        })
    }

    /// The number of a place that is there.
    pub(super) fn find(&self, place: Place) -> Option<u32> {
        self.numbers.get(&place).copied()
    }

    /// All of them by number.
    pub(super) fn iter(&self) -> impl ExactSizeIterator<Item = &Place> {
        self.list.iter()
    }
}

/// What one commit says of a place, which is a number. Commits are numbers too, older ones lower.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    /// The commit has the blob there, and none of its parents does.
    Came { place: u32, commit: u32 },
    /// The commit has it, and its child does not.
    Went { place: u32, commit: u32, child: u32 },
}

/// What is known of one place.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Stay {
    pub(super) first: Option<u32>,
    pub(super) last: Option<u32>,
    pub(super) marks: Marks,
}

/// The stays by number of the place.
///
/// The first commit that has a blob at a path is one of those that brought it there. The last is one whose child lacks
/// it, or one without children; only children at the same distance count, so that a commit which refs reach is not
/// passed over for a dangling one. What reaches any commit that has the blob reaches the one that brought it there.
pub(super) struct Stays<'g> {
    graph: &'g Graph<'g>,
    /// By commit; `None` for those out of scope.
    distances: &'g [Option<Distance>],
    list: Vec<Stay>,
}

impl<'g> Stays<'g> {
    pub(super) fn new(graph: &'g Graph<'g>, distances: &'g [Option<Distance>]) -> Self {
        Self { graph, distances, list: Vec::new() }
    }

    /// The stay at a place, an empty one if nothing was noted of it.
    pub(super) fn at(&mut self, place: u32) -> &mut Stay {
        let place = place as usize;
        if self.list.len() <= place {
            self.list.resize_with(place + 1, Stay::default);
        }
        &mut self.list[place]
    }

    /// Notes a step; the order of the steps does not matter.
    pub(super) fn note(&mut self, step: Step) {
        let Self { graph, distances, .. } = *self;
        match step {
            Step::Came { place, commit } => {
                let stay = self.at(place);
                stay.marks.add(graph.marks[commit as usize]);
                let rank = |commit: u32| (distances[commit as usize], commit);
                if stay.first.is_none_or(|first| rank(commit) < rank(first)) {
                    stay.first = Some(commit);
                }
            }
            Step::Went { place, commit, child } => {
                if distances[commit as usize] == distances[child as usize] {
                    self.end(place, commit);
                }
            }
        }
    }

    /// Notes that a commit still has what lies at a place, and nothing newer on that line does.
    pub(super) fn end(&mut self, place: u32, commit: u32) {
        let distances = self.distances;
        let rank = |commit: u32| (distances[commit as usize], std::cmp::Reverse(commit));
        let stay = self.at(place);
        if stay.last.is_none_or(|last| rank(commit) < rank(last)) {
            stay.last = Some(commit);
        }
    }
}
