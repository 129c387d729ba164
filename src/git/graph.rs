//! The graph of commits: order, and from which kinds of refs each commit is reached.

use std::cmp::Reverse;
use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, BinaryHeap, HashMap, HashSet};

use super::quick::{Noted, QuickReader};
use super::{Commit, Damage, Inventory, Trail};
use crate::location::{ObjectId, Reach};

/// No commit.
const NONE: u32 = u32::MAX;

/// A set of kinds of refs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Marks(u16);

impl Marks {
    const ALL: [Reach; 8] = [
        Reach::Head,
        Reach::Branch,
        Reach::Remote,
        Reach::Tag,
        Reach::Notes,
        Reach::OtherRef,
        Reach::Stash,
        Reach::Reflog,
    ];

    pub(super) fn of(reach: Reach) -> Self {
        Self(1 << reach as u16)
    }

    pub(super) fn add(&mut self, other: Self) {
        self.0 |= other.0;
    }

    fn has(self, reach: Reach) -> bool {
        self.0 & Self::of(reach).0 != 0
    }

    /// How far from being seen: what a ref reaches, what only a reflog reaches, what nothing reaches.
    pub(super) fn distance(self) -> Distance {
        match self {
            Self(0) => Distance::Dangling,
            _ if self == Self::of(Reach::Reflog) => Distance::Reflog,
            _ => Distance::Ref,
        }
    }

    /// The kinds as a report has them: a reflog and nothing count only when there is no ref.
    pub(super) fn reached_by(self) -> BTreeSet<Reach> {
        match self.distance() {
            Distance::Ref => {
                Self::ALL.into_iter().filter(|reach| *reach != Reach::Reflog && self.has(*reach)).collect()
            }
            Distance::Reflog => [Reach::Reflog].into(),
            Distance::Dangling => [Reach::Unreachable].into(),
        }
    }
}

/// See [`Marks::distance`]. Each level with those before it holds all ancestors of its commits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Distance {
    Ref,
    Reflog,
    Dangling,
}

/// A commit to which a ref leads.
#[derive(Clone, Copy)]
pub(super) struct Tip {
    pub(super) id: ObjectId,
    /// Its place in the trail, if it is there.
    pub(super) place: Option<u32>,
    /// What leads to it.
    pub(super) marks: Marks,
}

/// Commits by number; the number is the place in the history: parents come before children, then older
/// before newer, then by name.
#[derive(Default)]
pub(super) struct Graph<'k> {
    keys: Keys<'k>,
    parents: Lists,
    pub(super) marks: Vec<Marks>,
}

/// What the commits of a graph are.
enum Keys<'k> {
    Read {
        ids: Vec<ObjectId>,
        trees: Vec<ObjectId>,
        numbers: HashMap<ObjectId, u32>,
    },
    /// All that a trail has. By number the place there, and the other way round.
    Noted {
        inventory: &'k Inventory,
        trail: &'k Trail,
        places: Vec<u32>,
        numbers: Vec<u32>,
    },
}

impl Default for Keys<'_> {
    fn default() -> Self {
        Keys::Read { ids: Vec::new(), trees: Vec::new(), numbers: HashMap::new() }
    }
}

/// The tree of a commit.
#[derive(Clone, Copy, Debug)]
pub(super) enum TreeKey {
    Name(ObjectId),
    /// Its number in the inventory.
    Number(u32),
}

/// Lists of numbers, one behind the other.
#[derive(Default)]
struct Lists {
    ends: Vec<u32>,
    numbers: Vec<u32>,
}

impl Lists {
    fn push(&mut self, list: impl Iterator<Item = u32>) {
        self.numbers.extend(list);
        self.ends.push(self.numbers.len() as u32);
    }

    fn len(&self) -> usize {
        self.ends.len()
    }

    fn get(&self, list: u32) -> &[u32] {
        let start = (list as usize).checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.numbers[start as usize..self.ends[list as usize] as usize]
    }
}

/// A commit as it was read, before it has a number.
struct Loaded {
    id: ObjectId,
    tree: ObjectId,
    parents: Vec<ObjectId>,
    seconds: i64,
}

impl Loaded {
    fn read(
        reader: &QuickReader<'_>,
        id: ObjectId,
        child: Option<ObjectId>,
        shallow: &HashSet<ObjectId>,
        damage: &mut Damage,
    ) -> Option<Self> {
        // Where a clone ends early the file may know more than there is; git leaves it alone then.
        if shallow.is_empty()
            && let Some(Noted { tree, parents, seconds }) = reader.noted(&id)
        {
            return Some(Self { id, tree, parents, seconds });
        }
        let bytes = match reader.read(&id) {
            Ok((_, bytes)) => bytes,
            Err(error) => {
                let holder = child.map_or_else(|| "a ref".to_owned(), |child| format!("commit {child}"));
                damage.unread(id, &holder, &error);
                return None;
            }
        };
        let mut commit = Commit::parse(&bytes).map_err(|error| damage.malformed(id, error)).ok()?;
        if shallow.contains(&id) {
            commit.parents.clear();
        }
        let seconds = commit.committer_seconds();
        Some(Self { id, tree: commit.tree, parents: commit.parents, seconds })
    }
}

/// How many commits a walk goes on when all that wait are older than what it looks for.
const MORE_COMMITS: usize = 200;

/// Hands marks from commits to their parents.
struct MarkWalk<'w, 'r> {
    reader: &'w QuickReader<'r>,
    shallow: &'w HashSet<ObjectId>,
    damage: &'w mut Damage,
    seen: HashMap<ObjectId, Seen>,
    /// Newest first. A commit is there twice when it got more marks after its turn.
    waiting: BinaryHeap<(i64, ObjectId)>,
}

struct Seen {
    /// `None` if it cannot be read.
    commit: Option<Loaded>,
    marks: Marks,
    is_waiting: bool,
}

impl MarkWalk<'_, '_> {
    fn add(&mut self, id: ObjectId, marks: Marks, child: Option<ObjectId>) {
        let mut is_news = false;
        let seen = self.seen.entry(id).or_insert_with(|| {
            is_news = true;
            let commit = Loaded::read(self.reader, id, child, self.shallow, self.damage);
            Seen { commit, marks: Marks::default(), is_waiting: false }
        });
        let before = seen.marks;
        seen.marks.add(marks);
        if let Some(commit) = &seen.commit
            && (is_news || seen.marks != before)
            && !std::mem::replace(&mut seen.is_waiting, true)
        {
            self.waiting.push((commit.seconds, id));
        }
    }

    /// Goes on until all that wait are older than `oldest`, and for some commits more.
    fn hand_down(&mut self, oldest: i64) {
        let mut more = MORE_COMMITS;
        while let Some((seconds, id)) = self.waiting.pop() {
            match more.checked_sub(1) {
                _ if seconds >= oldest => more = MORE_COMMITS,
                Some(left) => more = left,
                None => break,
            }
            let Some(seen) = self.seen.get_mut(&id) else { continue };
            seen.is_waiting = false;
            let marks = seen.marks;
            let parents = seen.commit.as_ref().map(|commit| commit.parents.clone()).unwrap_or_default();
            for parent in parents {
                self.add(parent, marks, Some(id));
            }
        }
    }
}

impl<'k> Graph<'k> {
    /// Loads tips and other commits with all their ancestors, and all that were noted, which are not read again.
    pub(super) fn load(
        reader: &QuickReader<'_>,
        (tips, others): (&[Tip], &[ObjectId]),
        shallow: &HashSet<ObjectId>,
        noted: Option<(&'k Inventory, &'k Trail)>,
        damage: &mut Damage,
    ) -> Self {
        if let Some((inventory, trail)) = noted
            && tips.iter().all(|tip| tip.place.is_some())
            && others.iter().all(|id| place_of(inventory, trail, id).is_some())
        {
            return Self::noted(inventory, trail);
        }
        let of_trail = noted
            .into_iter()
            .flat_map(|(inventory, trail)| trail.commits().map(|(commit, ..)| inventory.id(commit)));
        let starts = tips.iter().map(|tip| tip.id).chain(others.iter().copied()).chain(of_trail);
        let noted = |id: &ObjectId| {
            let (inventory, trail) = noted?;
            let (tree, parents, seconds) = trail.find(inventory.number(id.as_raw())?)?;
            let parents = parents.iter().map(|parent| inventory.id(*parent)).collect();
            Some(Loaded { id: *id, tree: inventory.id(tree), parents, seconds })
        };
        let mut loaded: Vec<Loaded> = Vec::new();
        let mut places: HashMap<ObjectId, u32> = HashMap::new();
        let mut waiting: Vec<(ObjectId, Option<ObjectId>)> = starts.map(|id| (id, None)).collect();
        while let Some((id, child)) = waiting.pop() {
            match places.entry(id) {
                Entry::Occupied(_) => continue,
                Entry::Vacant(vacant) => vacant.insert(NONE),
            };
            if let Some(commit) = noted(&id) {
                waiting.extend(commit.parents.iter().map(|parent| (*parent, Some(id))));
                places.insert(id, loaded.len() as u32);
                loaded.push(commit);
                continue;
            }
            if let Some(commit) = Loaded::read(reader, id, child, shallow, damage) {
                waiting.extend(commit.parents.iter().map(|parent| (*parent, Some(id))));
                places.insert(id, loaded.len() as u32);
                loaded.push(commit);
            }
        }
        Self::number(loaded, places)
    }

    /// Loads some commits, their parents and the commit `also`, and marks the first with what reaches them. Other
    /// commits are read as far as they can lead to these: from the tips, newest first, until all that wait are
    /// older. Clocks are skewed at times, so it goes on for some commits more.
    pub(super) fn load_range(
        reader: &QuickReader<'_>,
        commits: &[ObjectId],
        also: Option<ObjectId>,
        tips: &[Tip],
        shallow: &HashSet<ObjectId>,
        damage: &mut Damage,
    ) -> Self {
        let mut walk = MarkWalk { reader, shallow, damage, seen: HashMap::new(), waiting: BinaryHeap::new() };
        let tips = tips.iter().map(|tip| (tip.id, tip.marks));
        for (id, marks) in commits.iter().map(|id| (*id, Marks::default())).chain(tips) {
            walk.add(id, marks, None);
        }
        let seconds = |walk: &MarkWalk<'_, '_>, id| Some(walk.seen.get(id)?.commit.as_ref()?.seconds);
        let oldest = commits.iter().filter_map(|id| seconds(&walk, id)).min().unwrap_or(i64::MAX);
        walk.hand_down(oldest);
        let mut seen = walk.seen;
        let mut loaded = Vec::new();
        let mut around: BTreeSet<ObjectId> = also.into_iter().collect();
        let mut marked = Vec::new();
        for id in commits {
            let Some(Seen { commit: Some(_), .. }) = seen.get(id) else { continue };
            let Some(Seen { commit: Some(commit), marks, .. }) = seen.remove(id) else { continue };
            around.extend(&commit.parents);
            marked.push((*id, marks));
            loaded.push(commit);
        }
        let mut places: HashMap<ObjectId, u32> = loaded.iter().map(|commit| commit.id).zip(0..).collect();
        for id in around {
            if places.contains_key(&id) {
                continue;
            }
            let commit = match seen.remove(&id) {
                Some(seen) => seen.commit,
                None => Loaded::read(reader, id, None, shallow, damage),
            };
            if let Some(commit) = commit {
                places.insert(id, loaded.len() as u32);
                // What was before it is of no interest.
                loaded.push(Loaded { parents: Vec::new(), ..commit });
            }
        }
        let mut graph = Self::number(loaded, places);
        for (id, marks) in marked {
            if let Some(commit) = graph.number_of(&id) {
                graph.marks[commit as usize] = marks;
            }
        }
        graph
    }

    /// All commits of a trail.
    fn noted(inventory: &'k Inventory, trail: &'k Trail) -> Self {
        // Parents are looked up faster in a list of all objects than by halving that of the commits.
        let mut places_by_number = vec![NONE; inventory.len()];
        for ((commit, ..), place) in trail.commits().zip(0..) {
            places_by_number[commit as usize] = place;
        }
        let place_of_number =
            |number: u32| Some(places_by_number[number as usize]).filter(|place| *place != NONE);
        let mut parents = Lists::default();
        let mut seconds = Vec::with_capacity(trail.commits().len());
        for place in 0..trail.commits().len() as u32 {
            let (_, _, above, time) = trail.at(place);
            parents.push(above.iter().filter_map(|parent| place_of_number(*parent)));
            seconds.push(time);
        }
        // Both the known objects of an inventory and the others have their numbers in the order of their names.
        let is_known = |(commit, ..): &(u32, u32, &[u32])| (*commit as usize) < inventory.known_len();
        let known = trail.commits().filter(is_known).count() as u32;
        let count = trail.commits().len() as u32;
        let ranks = name_ranks(known, count, |place| inventory.id(trail.at(place).0));
        let key = |place: u32| (seconds[place as usize], ranks[place as usize]);
        let (places, numbers, parents) = in_order(&parents, key);
        let marks = vec![Marks::default(); places.len()];
        Self { keys: Keys::Noted { inventory, trail, places, numbers }, parents, marks }
    }

    /// `places` are those in `loaded`, or `NONE`.
    fn number(loaded: Vec<Loaded>, mut places: HashMap<ObjectId, u32>) -> Self {
        let mut parents = Lists::default();
        for commit in &loaded {
            let known = commit.parents.iter().filter_map(|id| places.get(id).copied());
            parents.push(known.filter(|place| *place != NONE));
        }
        let key = |place: u32| (loaded[place as usize].seconds, loaded[place as usize].id);
        let (order, numbers, parents) = in_order(&parents, key);
        let commits = || order.iter().map(|place| &loaded[*place as usize]);
        let ids: Vec<ObjectId> = commits().map(|commit| commit.id).collect();
        let trees = commits().map(|commit| commit.tree).collect();
        // A commit that is its own ancestor, which no real one is, would have no number.
        places.retain(|_, place| {
            *place = numbers.get(*place as usize).copied().unwrap_or(NONE);
            *place != NONE
        });
        let marks = vec![Marks::default(); ids.len()];
        Self { keys: Keys::Read { ids, trees, numbers: places }, parents, marks }
    }

    /// Marks commits and hands the marks down to their ancestors.
    pub(super) fn mark(&mut self, tips: &[Tip]) {
        for tip in tips {
            let number = match (&self.keys, tip.place) {
                (Keys::Noted { numbers, .. }, Some(place)) => number_at(numbers, place),
                _ => self.number_of(&tip.id),
            };
            if let Some(commit) = number {
                self.marks[commit as usize].add(tip.marks);
            }
        }
        for commit in (0..self.len()).rev() {
            let marks = self.marks[commit as usize];
            for &parent in self.parents.get(commit) {
                self.marks[parent as usize].add(marks);
            }
        }
    }

    pub(super) fn len(&self) -> u32 {
        self.marks.len() as u32
    }

    pub(super) fn number_of(&self, id: &ObjectId) -> Option<u32> {
        match &self.keys {
            Keys::Read { numbers, .. } => numbers.get(id).copied(),
            Keys::Noted { inventory, trail, numbers, .. } => {
                number_at(numbers, place_of(inventory, trail, id)?)
            }
        }
    }

    pub(super) fn parents(&self, commit: u32) -> &[u32] {
        self.parents.get(commit)
    }

    pub(super) fn tree(&self, commit: u32) -> TreeKey {
        match &self.keys {
            Keys::Read { trees, .. } => TreeKey::Name(trees[commit as usize]),
            Keys::Noted { trail, places, .. } => TreeKey::Number(trail.at(places[commit as usize]).1),
        }
    }

    /// The number of a commit in the inventory, if all commits of a trail are here.
    pub(super) fn object(&self, commit: u32) -> Option<u32> {
        match &self.keys {
            Keys::Read { .. } => None,
            Keys::Noted { trail, places, .. } => Some(trail.at(places[commit as usize]).0),
        }
    }

    /// By number in the inventory the commit, or the greatest number, if all commits of a trail are here.
    pub(super) fn by_object(&self) -> Option<Vec<u32>> {
        let Keys::Noted { inventory, .. } = &self.keys else { return None };
        let mut commits = vec![NONE; inventory.len()];
        (0..self.len()).for_each(|commit| {
            if let Some(object) = self.object(commit) {
                commits[object as usize] = commit;
            }
        });
        Some(commits)
    }

    /// How a message names a commit.
    pub(super) fn name(&self, commit: u32) -> String {
        format!("commit {}", self.id(commit))
    }

    pub(super) fn id(&self, commit: u32) -> ObjectId {
        match &self.keys {
            Keys::Read { ids, .. } => ids[commit as usize],
            Keys::Noted { inventory, trail, places, .. } => inventory.id(trail.at(places[commit as usize]).0),
        }
    }
}

/// By place how many of the others have a lesser name, for `count` places of which the first `known` are in the order
/// of their names, and so are the others.
fn name_ranks<N: Ord>(known: u32, count: u32, name: impl Fn(u32) -> N) -> Vec<u32> {
    let mut ranks: Vec<u32> = Vec::with_capacity(count as usize);
    let mut fresh = Vec::with_capacity((count - known) as usize);
    for place in known..count {
        let fresh_name = name(place);
        let (mut low, mut high) = (ranks.len() as u32, known);
        while low < high {
            let middle = low + (high - low) / 2;
            match name(middle) < fresh_name {
                true => low = middle + 1,
                false => high = middle,
            }
        }
        // Those before it have the names of all that came before among the others in front of them.
        let before = fresh.len() as u32;
        ranks.extend((ranks.len() as u32..low).map(|place| place + before));
        fresh.push(low + before);
    }
    let before = fresh.len() as u32;
    ranks.extend((ranks.len() as u32..known).map(|place| place + before));
    ranks.extend(fresh);
    ranks
}

/// The number of the commit at a place of a trail; one that is its own ancestor has none.
fn number_at(numbers: &[u32], place: u32) -> Option<u32> {
    Some(numbers[place as usize]).filter(|number| *number != NONE)
}

/// The place of a commit in a trail.
pub(super) fn place_of(inventory: &Inventory, trail: &Trail, id: &ObjectId) -> Option<u32> {
    trail.place(inventory.number(id.as_raw())?)
}

/// Gives numbers: of all commits whose parents have theirs, the one with the least key is next. By number the place,
/// by place the number, or `NONE`, and by number the parents.
fn in_order<K: Ord>(parents: &Lists, key: impl Fn(u32) -> (i64, K)) -> (Vec<u32>, Vec<u32>, Lists) {
    // By place: the first of its children. Children are in lists, since vectors would take four times the
    // memory; a commit stands in as many lists as it has parents.
    let mut first_child = vec![NONE; parents.len()];
    let mut lists: Vec<(u32, u32)> = Vec::with_capacity(parents.numbers.len());
    let mut missing_parents = vec![0_u32; parents.len()];
    for place in 0..parents.len() as u32 {
        let above = parents.get(place);
        missing_parents[place as usize] = above.len() as u32;
        for &parent in above {
            lists.push((place, first_child[parent as usize]));
            first_child[parent as usize] = lists.len() as u32 - 1;
        }
    }
    let key = |place: u32| Reverse((key(place), place));
    let is_first = |place: &u32| missing_parents[*place as usize] == 0;
    let mut ready: BinaryHeap<_> = (0..parents.len() as u32).filter(is_first).map(key).collect();
    let mut order = Vec::with_capacity(parents.len());
    let mut numbers = vec![NONE; parents.len()];
    let mut numbered = Lists::default();
    while let Some(Reverse((_, place))) = ready.pop() {
        numbers[place as usize] = order.len() as u32;
        order.push(place);
        numbered.push(parents.get(place).iter().map(|parent| numbers[*parent as usize]));
        let mut next = first_child[place as usize];
        while let Some(&(child, sibling)) = lists.get(next as usize) {
            missing_parents[child as usize] -= 1;
            if missing_parents[child as usize] == 0 {
                ready.push(key(child));
            }
            next = sibling;
        }
    }
    (order, numbers, numbered)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(byte: u8) -> ObjectId {
        ObjectId::from_raw(&[byte; 20]).unwrap()
    }

    fn graph(commits: &[(u8, &[u8], i64)]) -> Graph<'static> {
        let loaded: Vec<Loaded> = commits
            .iter()
            .map(|(commit, parents, seconds)| Loaded {
                id: id(*commit),
                tree: id(0),
                parents: parents.iter().map(|&parent| id(parent)).collect(),
                seconds: *seconds,
            })
            .collect();
        let places = loaded.iter().map(|commit| commit.id).zip(0..).collect();
        Graph::number(loaded, places)
    }

    #[test]
    fn parents_come_first_whatever_the_clock_says() {
        let graph = graph(&[(4, &[2, 3], 5), (3, &[1], 40), (2, &[1], 30), (1, &[9], 100), (7, &[], 50)]);
        let order: Vec<u8> = (0..graph.len()).map(|commit| graph.id(commit).as_raw()[0]).collect();
        assert_eq!(order, [7, 1, 2, 3, 4]);
        assert_eq!(graph.parents(4), [2, 3]);
        assert!(graph.parents(1).is_empty(), "a parent that is not there has no number");
    }

    #[test]
    fn ranks_are_those_of_the_names_together() {
        for mask in 0..64_u32 {
            let chosen = |is_fresh: bool| (0..6_u32).filter(move |name| (mask >> name & 1 == 1) == is_fresh);
            let names: Vec<u32> = chosen(false).chain(chosen(true)).collect();
            let known = chosen(false).count() as u32;
            assert_eq!(name_ranks(known, 6, |place| names[place as usize]), names, "{mask:b}");
        }
    }

    #[test]
    fn marks_reach_all_ancestors() {
        let mut graph = graph(&[(1, &[], 1), (2, &[1], 2), (3, &[1], 3), (4, &[], 4)]);
        let tip = |byte: u8, reach: Reach| Tip { id: id(byte), place: None, marks: Marks::of(reach) };
        graph.mark(&[tip(2, Reach::Tag), tip(3, Reach::Reflog), tip(9, Reach::Head)]);
        let reached: Vec<Vec<Reach>> =
            graph.marks.iter().map(|marks| marks.reached_by().into_iter().collect()).collect();
        assert_eq!(
            reached,
            [vec![Reach::Tag], vec![Reach::Tag], vec![Reach::Reflog], vec![Reach::Unreachable]]
        );
    }
}
