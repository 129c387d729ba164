//! Which commits, paths and refs have a blob: found afterwards, for the few blobs with findings.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use bstr::{BStr, BString};

use super::forest::{EMPTY, Forest, NodeId, Target};
use super::graph::{Distance, Graph, Marks, TreeKey};
use super::ledger::{Events, Ledger, Seen};
use super::quick::QuickReader;
use super::{
    Commit, Damage, Fault, Inventory, ObjectKind, ObjectReader, ReadError, Repository, Root, Roots, Rows,
    Store, Tag, Trail,
};
use crate::location::{Appearance, COMMIT_MESSAGE_PATH, CommitInfo, Exposure, ObjectId, TAG_MESSAGE_PATH};

/// The commits that count.
#[derive(Clone, Debug)]
pub enum Scope {
    /// All that are reachable, and these beside them, which may dangle.
    Everything(Vec<ObjectId>),
    /// These; what was there before them is no news.
    Commits(Vec<ObjectId>),
}

/// What is known from reading every object.
#[derive(Clone, Copy)]
pub struct Known<'k> {
    /// The objects that were read.
    pub store: &'k Store,
    /// What was noted of them.
    pub trail: &'k Trail,
    /// The trees that may lead to what is asked for, by worker.
    pub rows: &'k [Rows],
}

/// Tells where blobs and messages appear. Loads the graph of commits, so it is made only when there is
/// something to tell.
pub struct Attributor<'r> {
    repository: &'r Repository,
    reader: &'r ObjectReader<'r>,
    quick: QuickReader<'r>,
    known: Option<Known<'r>>,
    graph: Graph<'r>,
    /// By number of the commit: how far it is from being seen; `None` for those out of scope.
    distances: Vec<Option<Distance>>,
    head: Option<u32>,
    is_everything: bool,
    /// Tags, trees and blobs to which refs lead without a commit in between.
    direct: HashMap<ObjectId, Marks>,
    /// The trees and blobs among them, with the first ref that does.
    pinned: BTreeMap<(ObjectId, ObjectKind), BString>,
    /// Commits that were read again for the report.
    infos: RefCell<HashMap<u32, Option<CommitInfo>>>,
    damage: RefCell<Damage>,
    has_too_many_paths: bool,
    /// Whether commits are told by their ids alone.
    tells_ids: bool,
}

/// What a report tells of a commit. One that cannot be read is damage.
pub fn commit_info(reader: &ObjectReader<'_>, id: ObjectId, damage: &mut Damage) -> Option<CommitInfo> {
    match reader.read(&id) {
        Ok(object) => {
            let commit =
                Commit::parse(object.bytes()).ok().filter(|_| object.kind() == ObjectKind::Commit)?;
            return Some(commit.info(id));
        }
        Err(ReadError::Missing) => damage.unreadable(id, "it is listed but is not found any more"),
        Err(ReadError::Corrupt(message)) => damage.unreadable(id, message),
    }
    None
}

/// What is known of one blob at one path. Commits are numbers.
#[derive(Clone, Copy, Debug, Default)]
struct Stay {
    first: Option<u32>,
    last: Option<u32>,
    marks: Marks,
}

type Stays = BTreeMap<(Target, BString), Stay>;

impl<'r> Attributor<'r> {
    /// Loads the graph of commits. `shallow` are those whose parents were not fetched. Without anything
    /// `known` commits and trees are read by name.
    pub fn new(
        repository: &'r Repository,
        reader: &'r ObjectReader<'r>,
        roots: &Roots,
        shallow: &HashSet<ObjectId>,
        scope: &Scope,
        known: Option<Known<'r>>,
    ) -> Self {
        let mut attributor = Self {
            repository,
            reader,
            quick: match known {
                Some(known) => QuickReader::new(reader).lending(&known.store.packs),
                None => QuickReader::new(reader).with_packs(repository),
            },
            known,
            graph: Graph::default(),
            distances: Vec::new(),
            head: None,
            is_everything: matches!(scope, Scope::Everything(_)),
            direct: HashMap::new(),
            pinned: BTreeMap::new(),
            infos: RefCell::default(),
            damage: RefCell::default(),
            has_too_many_paths: false,
            tells_ids: false,
        };
        let tips: Vec<(ObjectId, Marks)> =
            roots.list.iter().filter_map(|root| attributor.peel(root)).collect();
        let Attributor { quick, damage, .. } = &mut attributor;
        let damage = damage.get_mut();
        let graph = match scope {
            Scope::Everything(commits) => {
                let starts = tips.iter().map(|(id, _)| *id).chain(commits.iter().copied());
                let noted = known.map(|known| (&known.store.inventory, known.trail));
                let mut graph = Graph::load(quick, starts, shallow, noted, damage);
                graph.mark(&tips);
                graph
            }
            Scope::Commits(commits) => Graph::load_range(quick, commits, roots.head, &tips, shallow, damage),
        };
        attributor.head = roots.head.and_then(|head| graph.number_of(&head));
        attributor.distances = match scope {
            Scope::Everything(_) => graph.marks.iter().map(|marks| Some(marks.distance())).collect(),
            Scope::Commits(commits) => {
                let mut distances = vec![None; graph.marks.len()];
                for commit in commits.iter().filter_map(|id| graph.number_of(id)) {
                    distances[commit as usize] = Some(Distance::Ref);
                }
                distances
            }
        };
        attributor.graph = graph;
        attributor
    }

    /// Follows a ref through tags to a commit. A tree or a blob at the end is remembered.
    fn peel(&mut self, root: &Root) -> Option<(ObjectId, Marks)> {
        let marks = Marks::of(root.reach);
        let mut id = root.target;
        loop {
            let kind = self.kind(&id)?;
            if kind == ObjectKind::Commit {
                return Some((id, marks));
            }
            self.direct.entry(id).or_default().add(marks);
            if kind != ObjectKind::Tag {
                self.pinned.entry((id, kind)).or_insert_with(|| root.name.clone());
                return None;
            }
            id = match self.noted_target(&id) {
                Some(target) => target,
                None => Tag::parse(&self.read(&id)?.1).ok()?.target,
            };
        }
    }

    /// What an annotated tag points to, if it was noted.
    fn noted_target(&self, id: &ObjectId) -> Option<ObjectId> {
        let Known { store, trail, .. } = self.known?;
        Some(store.inventory.id(trail.find_tag(store.inventory.number(id.as_raw())?)?))
    }

    fn kind(&self, id: &ObjectId) -> Option<ObjectKind> {
        let known = self.known.and_then(|Known { store, trail, .. }| {
            let number = store.inventory.number(id.as_raw())?;
            if trail.find(number).is_some() {
                return Some(ObjectKind::Commit);
            }
            trail.find_tag(number).map(|_| ObjectKind::Tag).or_else(|| store.kind(id))
        });
        known.or_else(|| self.noted(id, self.quick.kind(id)))
    }

    fn read(&self, id: &ObjectId) -> Option<(ObjectKind, Vec<u8>)> {
        let known = self.known.and_then(|known| known.store.read(id));
        known.or_else(|| self.noted(id, self.quick.read(id)))
    }

    /// What could be read a moment ago, or is known from a cache, may be unreadable now. What is missing was said when
    /// the history was read.
    fn noted<T>(&self, id: &ObjectId, read: Result<T, ReadError>) -> Option<T> {
        match read {
            Ok(value) => return Some(value),
            Err(ReadError::Missing) => {
                if self.known.is_some_and(|known| known.store.inventory.contains(id)) {
                    self.damage.borrow_mut().unreadable(*id, "it is listed but is not found any more");
                }
            }
            Err(ReadError::Corrupt(message)) => self.damage.borrow_mut().unreadable(*id, message),
        }
        None
    }

    /// Every path at which objects appear, at least one for each, sorted. Commits and tags stand for their
    /// messages.
    pub fn appearances(&mut self, objects: &[ObjectId]) -> BTreeMap<ObjectId, Vec<Appearance>> {
        let mut appearances = BTreeMap::new();
        let mut blobs = BTreeSet::new();
        for id in objects {
            match self.kind(id) {
                Some(ObjectKind::Commit) => {
                    appearances.insert(*id, vec![self.commit_message(id)]);
                }
                Some(ObjectKind::Tag) => {
                    appearances.insert(*id, vec![self.tag_message(id)]);
                }
                _ => {
                    blobs.insert(*id);
                }
            }
        }
        if !blobs.is_empty() {
            appearances.extend(self.blobs(&blobs));
        }
        appearances
    }

    /// The message of a commit appears in the commit itself.
    fn commit_message(&self, id: &ObjectId) -> Appearance {
        let commit = self.graph.number_of(id);
        let marks = commit.map_or(Marks::default(), |commit| self.graph.marks[commit as usize]);
        let in_head = commit.is_some() && commit == self.head;
        self.appearance(
            BString::from(COMMIT_MESSAGE_PATH),
            Stay { first: commit, last: commit, marks },
            in_head,
        )
    }

    /// The message of an annotated tag appears in the commit to which the tag leads, if it leads to one.
    fn tag_message(&self, id: &ObjectId) -> Appearance {
        let mut target = *id;
        while let Some((ObjectKind::Tag, bytes)) = self.read(&target)
            && let Ok(tag) = Tag::parse(&bytes)
        {
            target = tag.target;
        }
        let commit = self.graph.number_of(&target);
        let marks = self.direct.get(id).copied().unwrap_or_default();
        let stay = Stay { first: commit, last: commit, marks };
        let mut appearance = self.appearance(BString::from(TAG_MESSAGE_PATH), stay, false);
        if commit.is_none() {
            // Of a range only its commits are in the graph.
            let info = self.info_of(target);
            (appearance.exposure.first, appearance.exposure.last) = (info.clone(), info);
        }
        appearance
    }

    /// Does the same with a ledger of `all` that may be asked for some time, by number, which goes on where it ends: it
    /// knows of those that are `known`. It is left empty where the ledger is of no use. Of the commits that a ledger
    /// tells of there is the id alone; [`commit_info`] tells the rest.
    pub fn appearances_after(
        &mut self,
        objects: &[ObjectId],
        all: &[u32],
        ledger: &mut Option<Ledger>,
        known: &[bool],
    ) -> BTreeMap<ObjectId, Vec<Appearance>> {
        let Some(Known { store, .. }) = self.known else { return self.appearances(objects) };
        let noted: HashSet<u32> = ledger.iter().flat_map(Ledger::blobs).collect();
        let is_noted =
            |id: &ObjectId| store.inventory.number(id.as_raw()).is_some_and(|at| noted.contains(&at));
        let (mut blobs, mut others) = (BTreeSet::new(), Vec::new());
        for id in objects {
            match is_noted(id) || !matches!(self.kind(id), Some(ObjectKind::Commit | ObjectKind::Tag)) {
                true => drop(blobs.insert(*id)),
                false => others.push(*id),
            }
        }
        let all: BTreeSet<ObjectId> = all.iter().map(|number| store.inventory.id(*number)).collect();
        let earlier = ledger.take();
        self.tells_ids = true;
        let recorded = self.recorded(&blobs, &all, earlier.as_ref().map(|ledger| (ledger, known)));
        self.tells_ids = false;
        let Some((mut appearances, recorded)) = recorded else { return self.appearances(objects) };
        *ledger = Some(recorded);
        appearances.extend(self.appearances(&others));
        appearances
    }

    /// Says where blobs appear, and what of it is known the next time. `None` if too much of it is.
    fn recorded(
        &mut self,
        blobs: &BTreeSet<ObjectId>,
        all: &BTreeSet<ObjectId>,
        earlier: Option<(&Ledger, &[bool])>,
    ) -> Option<(BTreeMap<ObjectId, Vec<Appearance>>, Ledger)> {
        let Known { store, rows, .. } = self.known.filter(|_| self.is_everything)?;
        let inventory = &store.inventory;
        let by_object = self.graph.by_object()?;
        let commit_of = |object: u32| by_object.get(object as usize).copied().filter(|at| *at != u32::MAX);
        let mut forest = Forest::new(self.reader, all);
        let mut events = match earlier {
            Some((ledger, known)) => {
                let paths = forest.plant_after(inventory, ledger, rows, known)?;
                let target = |blob: u32| forest.target(&inventory.id(blob));
                ledger.resume(target, &paths, commit_of)?
            }
            None => {
                forest.plant(inventory, rows);
                Events::default()
            }
        };
        let is_known = |commit: u32| {
            let object = self.graph.object(commit).map_or(0, |object| object as usize);
            earlier.is_some_and(|(_, known)| known.get(object).copied().unwrap_or_default())
        };
        let mut has_child = vec![false; self.distances.len()];
        for commit in 0..self.graph.len() {
            let distance = self.distance(commit);
            for &parent in self.graph.parents(commit) {
                has_child[parent as usize] |= self.distance(parent) == distance;
            }
            if is_known(commit) {
                continue;
            }
            let node = self.node(&mut forest, commit);
            let parents = self.graph.parents(commit);
            let before: Vec<NodeId> = parents.iter().map(|parent| self.node(&mut forest, *parent)).collect();
            for (path, target) in forest.minus_by_path(node, &before)? {
                let place = events.place(path, target);
                events.came.push((place, commit));
            }
            for (&parent, before) in parents.iter().zip(before) {
                for (path, target) in forest.minus_by_path(before, &[node])? {
                    let place = events.place(path, target);
                    events.went.push((place, parent, commit));
                }
            }
        }
        let mut stays = vec![Stay::default(); events.places.len()];
        for (place, commit) in &events.came {
            let stay = &mut stays[*place as usize];
            stay.marks.add(self.graph.marks[*commit as usize]);
            let rank = |commit: u32| (self.distance(commit), commit);
            if stay.first.is_none_or(|first| rank(first) > rank(*commit)) {
                stay.first = Some(*commit);
            }
        }
        let rank = |commit: u32| (self.distance(commit), std::cmp::Reverse(commit));
        let mut end = |place: u32, commit: u32| {
            let stay = &mut stays[place as usize];
            if stay.last.is_none_or(|last| rank(commit) < rank(last)) {
                stay.last = Some(commit);
            }
        };
        for (place, commit, child) in &events.went {
            if self.distance(*commit) == self.distance(*child) {
                end(*place, *commit);
            }
        }
        // The best come first, so that what was seen has its best end.
        let mut tips: Vec<u32> =
            (0..self.graph.len()).filter(|commit| !has_child[*commit as usize]).collect();
        tips.sort_unstable_by_key(|commit| rank(*commit));
        let (listable, mut seen) = (forest.listable(), Seen::default());
        for commit in tips {
            let node = self.node(&mut forest, commit);
            if !listable[node.0 as usize] {
                return None;
            }
            for (path, target) in forest.unseen(node, &mut seen) {
                if let Some(place) = events.find(path, target) {
                    end(place, commit);
                }
            }
        }
        let head = self.head.map_or(EMPTY, |head| self.node(&mut forest, head));
        if !listable[head.0 as usize] {
            return None;
        }
        let in_head: HashSet<_> = forest.unseen(head, &mut Seen::default()).into_iter().collect();
        let is_asked: Vec<bool> = all.iter().map(|id| blobs.contains(id)).collect();
        let mut told = Stays::new();
        for (place, stay) in (0..).zip(stays) {
            let (path, target) = events.at(place);
            if is_asked[target.0 as usize] {
                told.insert((target, forest.spell(path)), stay);
            }
        }
        let in_head: HashSet<(Target, BString)> = in_head
            .into_iter()
            .filter(|(_, target)| is_asked[target.0 as usize])
            .map(|(path, target)| (target, forest.spell(path)))
            .collect();
        self.stays_under_refs(&mut forest, &mut told);
        told.retain(|(target, _), _| is_asked[target.0 as usize]);
        self.stays_in_dangling_trees(&mut forest, &mut told, blobs.len());
        let object = |commit: u32| self.graph.object(commit).unwrap_or_default();
        let ledger = Ledger::of(&forest, events, object).filter(|_| !forest.has_too_many_paths)?;
        self.damage.get_mut().merge(std::mem::take(&mut forest.damage));
        let mut appearances: BTreeMap<ObjectId, Vec<Appearance>> = BTreeMap::new();
        for ((target, path), stay) in told {
            if !is_asked[target.0 as usize] {
                continue;
            }
            let place = (target, path);
            let in_head = in_head.contains(&place);
            let appearance = self.appearance(place.1, stay, in_head);
            appearances.entry(forest.id_of(target)).or_default().push(appearance);
        }
        for target in blobs {
            appearances.entry(*target).or_insert_with(|| vec![self.without_path(target)]);
        }
        Some((appearances, ledger))
    }

    /// A blob that no commit has gets the paths of the trees that have it, else a description in angle
    /// brackets.
    fn blobs(&mut self, targets: &BTreeSet<ObjectId>) -> BTreeMap<ObjectId, Vec<Appearance>> {
        let mut appearances: BTreeMap<ObjectId, Vec<Appearance>> = BTreeMap::new();
        let mut forest = Forest::new(self.reader, targets);
        if let Some(known) = self.known {
            forest.plant(&known.store.inventory, known.rows);
        }
        let mut stays = Stays::new();
        self.stays_in_commits(&mut forest, &mut stays);
        if self.is_everything {
            self.stays_under_refs(&mut forest, &mut stays);
            self.stays_in_dangling_trees(&mut forest, &mut stays, targets.len());
        }
        let head = self.head.map_or(EMPTY, |head| self.node(&mut forest, head));
        for ((target, path), stay) in stays {
            let in_head = forest.has(head, BStr::new(&path), target);
            let appearance = self.appearance(path, stay, in_head);
            appearances.entry(forest.id_of(target)).or_default().push(appearance);
        }
        self.has_too_many_paths |= forest.has_too_many_paths;
        self.damage.get_mut().merge(forest.damage);
        for target in targets {
            appearances.entry(*target).or_insert_with(|| vec![self.without_path(target)]);
        }
        appearances
    }

    /// What was broken on the way; the labels are incomplete then.
    pub fn into_faults(self, is_partial_clone: bool) -> Vec<Fault> {
        let mut faults = self.damage.into_inner().into_faults(is_partial_clone);
        if self.has_too_many_paths {
            faults.push(Fault::new(
                "paths",
                "a commit has its findings at more paths than can be listed, as crafted repositories do: \
                 look at its tree with `git ls-tree -r`",
            ));
        }
        faults
    }

    fn node(&self, forest: &mut Forest<'_>, commit: u32) -> NodeId {
        let tree = match self.graph.tree(commit) {
            TreeKey::Name(tree) => tree,
            // Where trees have numbers, all were planted.
            TreeKey::Number(number) => return forest.planted_node(number),
        };
        forest.node(tree, || self.graph.name(commit))
    }

    /// Goes from old to new and compares each commit with its parents.
    ///
    /// The first commit that has a blob at a path is one of those that brought it there. The last is one
    /// whose child lacks it, or one without children; only children at the same distance count, so that
    /// a commit which refs reach is not passed over for a dangling one. What reaches any commit that has
    /// the blob reaches the one that brought it there.
    fn stays_in_commits(&self, forest: &mut Forest<'_>, stays: &mut Stays) {
        let mut has_child = vec![false; self.distances.len()];
        for commit in 0..self.graph.len() {
            let Some(distance) = self.distance(commit) else { continue };
            let node = self.node(forest, commit);
            let parents = self.graph.parents(commit);
            let before: Vec<NodeId> = parents.iter().map(|parent| self.node(forest, *parent)).collect();
            for (path, target) in forest.minus(node, &before) {
                let stay = stays.entry((target, path)).or_default();
                stay.marks.add(self.graph.marks[commit as usize]);
                // Older commits come first, so only a smaller distance is a better answer.
                if stay.first.is_none_or(|first| self.distance(first) > Some(distance)) {
                    stay.first = Some(commit);
                }
            }
            for (&parent, before) in parents.iter().zip(before) {
                if self.distance(parent) == Some(distance) {
                    has_child[parent as usize] = true;
                    self.end_stays(forest, stays, parent, before, &[node]);
                }
            }
        }
        // Many refs end in equal trees: the newest of them stands for all.
        let mut tips: HashMap<(NodeId, Distance), u32> = HashMap::new();
        for commit in (0..self.graph.len()).filter(|commit| !has_child[*commit as usize]) {
            if let Some(distance) = self.distance(commit) {
                tips.insert((self.node(forest, commit), distance), commit);
            }
        }
        for ((node, _), commit) in tips {
            self.end_stays(forest, stays, commit, node, &[]);
        }
    }

    /// Notes that `commit` still has what `node` has and `after` lacks.
    fn end_stays(
        &self,
        forest: &mut Forest<'_>,
        stays: &mut Stays,
        commit: u32,
        node: NodeId,
        after: &[NodeId],
    ) {
        let rank = |commit: u32| (self.distance(commit), std::cmp::Reverse(commit));
        for (path, target) in forest.minus(node, after) {
            // What was there before the commits in scope has no stay.
            if let Some(stay) = stays.get_mut(&(target, path))
                && stay.last.is_none_or(|last| rank(commit) < rank(last))
            {
                stay.last = Some(commit);
            }
        }
    }

    fn stays_under_refs(&self, forest: &mut Forest<'_>, stays: &mut Stays) {
        for ((id, kind), name) in &self.pinned {
            let places = match kind {
                ObjectKind::Blob => {
                    let path = BString::from(bstr::concat([&b"<"[..], name, b">"]));
                    forest.target(id).map(|target| (path, target)).into_iter().collect()
                }
                _ => {
                    let node = forest.node(*id, || name.to_string());
                    forest.minus(node, &[])
                }
            };
            for (path, target) in places {
                stays.entry((target, path)).or_default().marks.add(self.direct[id]);
            }
        }
    }

    /// Looks for what has no place yet in the trees that no commit has, such as those that `git stash`,
    /// an aborted rebase or `git write-tree` leave behind.
    fn stays_in_dangling_trees(&self, forest: &mut Forest<'_>, stays: &mut Stays, count: usize) {
        let placed: HashSet<Target> = stays.keys().map(|(target, _)| *target).collect();
        if placed.len() == count {
            return;
        }
        if let Some(nodes) = forest.outermost() {
            for node in nodes {
                Self::place(forest, stays, &placed, node);
            }
            return;
        }
        let (inventory, _) = Inventory::list(self.repository);
        let trees = inventory
            .in_reading_order()
            .filter(|id| self.reader.header(id).is_ok_and(|(kind, _)| kind == ObjectKind::Tree));
        let nodes: Vec<(ObjectId, NodeId)> = trees
            .map(|tree| (tree, forest.node(tree, String::new)))
            .filter(|(_, node)| *node != EMPTY)
            .collect();
        for (tree, node) in nodes {
            if forest.is_outermost(&tree) {
                Self::place(forest, stays, &placed, node);
            }
        }
    }

    /// Notes where a tree that no commit has holds what has no place yet.
    fn place(forest: &mut Forest<'_>, stays: &mut Stays, placed: &HashSet<Target>, node: NodeId) {
        for (path, target) in forest.minus(node, &[]) {
            if !placed.contains(&target) {
                stays.entry((target, path)).or_default();
            }
        }
    }

    fn without_path(&self, target: &ObjectId) -> Appearance {
        let mut appearance = self.appearance(BString::default(), Stay::default(), false);
        let has_gaps = self.known.is_some_and(|known| known.trail.has_gaps());
        if self.is_everything && self.damage.borrow().is_empty() && !has_gaps {
            appearance.path = BString::from(format!("<unreachable blob {target}>"));
        } else {
            // It may well be reachable through what could not be read.
            appearance.path = BString::from(format!("<blob {target}>"));
            appearance.exposure.reached_by.clear();
        }
        appearance
    }

    fn appearance(&self, path: BString, stay: Stay, in_head: bool) -> Appearance {
        let info = |commit: Option<u32>| commit.and_then(|commit| self.info(commit));
        Appearance {
            path,
            exposure: Exposure {
                first: info(stay.first),
                last: info(stay.last),
                in_head,
                reached_by: stay.marks.reached_by(),
            },
            first_order: u64::from(stay.first.unwrap_or(0)),
            last_order: u64::from(stay.last.unwrap_or(0)),
        }
    }

    fn info(&self, commit: u32) -> Option<CommitInfo> {
        if self.tells_ids {
            return Some(CommitInfo::of_id(self.graph.id(commit)));
        }
        let mut infos = self.infos.borrow_mut();
        infos.entry(commit).or_insert_with(|| self.info_of(self.graph.id(commit))).clone()
    }

    fn info_of(&self, id: ObjectId) -> Option<CommitInfo> {
        let (kind, bytes) = self.read(&id)?;
        let commit = Commit::parse(&bytes).ok().filter(|_| kind == ObjectKind::Commit)?;
        Some(commit.info(id))
    }

    fn distance(&self, commit: u32) -> Option<Distance> {
        self.distances[commit as usize]
    }
}
