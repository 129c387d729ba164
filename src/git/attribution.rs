//! Which commits, paths and refs have a blob: found afterwards, for the few blobs with findings.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use bstr::BString;

use super::forest::{EMPTY, Forest, NodeId, Seen, Target};
use super::graph::{Distance, Graph, Marks, Tip, TreeKey, place_of};
use super::ledger::Ledger;
use super::quick::QuickReader;
use super::stays::{Places, Stay, Stays, Step};
use super::{
    Commit, Damage, Fault, Inventory, ObjectKind, ObjectReader, ReadError, Repository, Root, Roots, Rows,
    Store, Tag, Trail,
};
use crate::location::{Appearance, COMMIT_MESSAGE_PATH, CommitInfo, Exposure, ObjectId, TAG_MESSAGE_PATH};

/// The commits that count.
#[derive(Clone, Debug)]
pub enum Scope {
    /// All that are reachable, and beside them these and those of the trail, which may dangle.
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
    damage: RefCell<Damage>,
    has_too_many_paths: bool,
}

/// What a report tells of a commit, from the packs of a store if it has it. One that cannot be read is damage.
pub fn commit_info(
    id: ObjectId,
    store: Option<&Store>,
    reader: &ObjectReader<'_>,
    damage: &mut Damage,
) -> Option<CommitInfo> {
    let info = |kind: ObjectKind, bytes: &[u8]| {
        Commit::parse(bytes).ok().filter(|_| kind == ObjectKind::Commit).map(|commit| commit.info(id))
    };
    if let Some((kind, bytes)) = store.and_then(|store| store.read(&id)) {
        return info(kind, &bytes);
    }
    match reader.read(&id) {
        Ok(object) => return info(object.kind(), object.bytes()),
        Err(ReadError::Missing) => damage.unreadable(id, "it is listed but is not found any more"),
        Err(ReadError::Corrupt(message)) => damage.unreadable(id, message),
    }
    None
}

/// What a ledger holds, as it goes on from one audit to the next.
struct Recording<'l> {
    /// The blobs of which it tells.
    all: BTreeSet<ObjectId>,
    /// That of the audit before, if there is one, and which objects it knew, by number.
    earlier: Option<(Ledger, &'l [bool])>,
}

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
            damage: RefCell::default(),
            has_too_many_paths: false,
        };
        let tips: Vec<Tip> = roots.list.iter().filter_map(|root| attributor.peel(root)).collect();
        let Attributor { quick, damage, .. } = &mut attributor;
        let damage = damage.get_mut();
        let graph = match scope {
            Scope::Everything(commits) => {
                let noted = known.map(|known| (&known.store.inventory, known.trail));
                let mut graph = Graph::load(quick, (&tips, commits), shallow, noted, damage);
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
    fn peel(&mut self, root: &Root) -> Option<Tip> {
        let marks = Marks::of(root.reach);
        let mut id = root.target;
        loop {
            let place = self.known.and_then(|known| place_of(&known.store.inventory, known.trail, &id));
            let kind = if place.is_some() { ObjectKind::Commit } else { self.kind(&id)? };
            if kind == ObjectKind::Commit {
                return Some(Tip { id, place, marks });
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
    /// messages. Of the commits that are named there is the id alone; [`commit_info`] tells the rest.
    pub fn appearances(&mut self, objects: &[ObjectId]) -> BTreeMap<ObjectId, Vec<Appearance>> {
        let (mut appearances, blobs) = self.messages(objects, |_| false);
        if !blobs.is_empty() {
            appearances.extend(self.blobs(&blobs, None).0);
        }
        appearances
    }

    /// Does the same with a ledger of `all` that may be asked for some time, by number, which goes on where it ends: it
    /// knows of those that are `known`. It is left empty where there can be none.
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
        let (mut appearances, blobs) = self.messages(objects, is_noted);
        let all = all.iter().map(|number| store.inventory.id(*number)).collect();
        let earlier = ledger.take().map(|ledger| (ledger, known));
        let (found, recorded) = self.blobs(&blobs, Some(Recording { all, earlier }));
        *ledger = recorded;
        appearances.extend(found);
        appearances
    }

    /// Where the messages among some objects appear, and the other objects. Those that are surely blobs are not looked at.
    fn messages(
        &self,
        objects: &[ObjectId],
        is_blob: impl Fn(&ObjectId) -> bool,
    ) -> (BTreeMap<ObjectId, Vec<Appearance>>, BTreeSet<ObjectId>) {
        let mut appearances = BTreeMap::new();
        let mut blobs = BTreeSet::new();
        for id in objects {
            let message = match is_blob(id) {
                true => None,
                false => match self.kind(id) {
                    Some(ObjectKind::Commit) => Some(self.commit_message(id)),
                    Some(ObjectKind::Tag) => Some(self.tag_message(id)),
                    _ => None,
                },
            };
            match message {
                Some(message) => {
                    appearances.insert(*id, vec![message]);
                }
                None => {
                    blobs.insert(*id);
                }
            }
        }
        (appearances, blobs)
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
            let is_commit = self.kind(&target) == Some(ObjectKind::Commit);
            let info = is_commit.then(|| CommitInfo::of_id(target));
            (appearance.exposure.first, appearance.exposure.last) = (info.clone(), info);
        }
        appearance
    }

    /// Says where blobs appear, and what of it is known the next time, if that is to be recorded.
    ///
    /// A blob that no commit has gets the paths of the trees that have it, else a description in angle brackets.
    fn blobs(
        &mut self,
        asked: &BTreeSet<ObjectId>,
        recording: Option<Recording<'_>>,
    ) -> (BTreeMap<ObjectId, Vec<Appearance>>, Option<Ledger>) {
        let is_recording = recording.is_some() && self.is_everything;
        let (all, earlier) = match recording {
            Some(Recording { all, earlier }) => (Cow::Owned(all), earlier),
            None => (Cow::Borrowed(asked), None),
        };
        let resumed = earlier.filter(|_| is_recording).and_then(|earlier| self.resume(&all, earlier));
        let (mut forest, mut places, mut steps, known) = resumed.unwrap_or_else(|| {
            let mut forest = Forest::new(self.reader, &all);
            if let Some(Known { store, rows, .. }) = self.known {
                forest.plant(&store.inventory, rows);
            }
            (forest, Places::default(), Vec::new(), &[][..])
        });
        let mut stays = Stays::new(&self.graph, &self.distances);
        steps.iter().for_each(|step| stays.note(*step));
        self.compare(&mut forest, &mut places, known, |step| {
            stays.note(step);
            steps.extend(is_recording.then_some(step));
        });
        self.note_tips(&mut forest, &places, &mut stays);
        // Refs and trees that no commit has are looked at anew each time.
        let object = |commit: u32| self.graph.object(commit);
        let ledger = is_recording.then(|| Ledger::of(&forest, (&places, &steps), object)).flatten();
        let mut pinned: Vec<(Target, BString, Marks)> = Vec::new();
        if self.is_everything {
            pinned = self.note_refs(&mut forest, &mut places, &mut stays);
            let mut unplaced: HashSet<Target> = asked.iter().filter_map(|id| forest.target(id)).collect();
            for target in places.iter().map(|place| &place.1).chain(pinned.iter().map(|pinned| &pinned.0)) {
                unplaced.remove(target);
            }
            self.note_dangling_trees(&mut forest, &mut places, &unplaced);
        }
        let head = self.head.map_or(EMPTY, |head| self.node(&mut forest, head));
        let mut appearances: BTreeMap<ObjectId, Vec<Appearance>> = BTreeMap::new();
        let mut add = |target: Target, path: BString, stay: Stay, in_head: bool| {
            if let Some(id) = asked.get(&forest.id_of(target)) {
                appearances.entry(*id).or_default().push(self.appearance(path, stay, in_head));
            }
        };
        for (number, place) in (0..).zip(places.iter()) {
            add(place.1, forest.spell(place.0), *stays.at(number), forest.has(head, *place));
        }
        for (target, path, marks) in pinned {
            add(target, path, Stay { marks, ..Stay::default() }, false);
        }
        for list in appearances.values_mut() {
            list.sort_unstable_by(|one, other| one.path.cmp(&other.path));
        }
        self.has_too_many_paths |= forest.has_too_many_paths;
        self.damage.get_mut().merge(forest.damage);
        for target in asked {
            appearances.entry(*target).or_insert_with(|| vec![self.without_path(target)]);
        }
        (appearances, ledger.filter(|_| !forest.has_too_many_paths))
    }

    /// Goes on from a ledger. `None` if it names what is not here.
    fn resume<'l>(
        &self,
        all: &BTreeSet<ObjectId>,
        (ledger, known): (Ledger, &'l [bool]),
    ) -> Option<(Forest<'r>, Places, Vec<Step>, &'l [bool])> {
        let Known { store, rows, .. } = self.known?;
        let by_object = self.graph.by_object()?;
        let mut forest = Forest::new(self.reader, all);
        let paths = forest.plant_after(&store.inventory, &ledger, rows, known)?;
        let target = |blob: u32| forest.target(&store.inventory.id(blob));
        let commit = |object: u32| by_object.get(object as usize).copied().filter(|at| *at != u32::MAX);
        let (places, steps) = ledger.resume(target, &paths, commit)?;
        Some((forest, places, steps, known))
    }

    /// What was broken on the way, but for missing objects that are known to be; the labels are incomplete then.
    pub fn into_faults(self, known: &HashSet<ObjectId>, is_partial_clone: bool) -> Vec<Fault> {
        let damage = self.damage.into_inner().without_missing(known);
        let mut faults = damage.into_faults(is_partial_clone);
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

    /// Goes from old to new through the commits that are not known, by number of the object, and compares each with its
    /// parents. What was there before the commits in scope gets no place.
    fn compare(
        &self,
        forest: &mut Forest<'_>,
        places: &mut Places,
        known: &[bool],
        mut note: impl FnMut(Step),
    ) {
        let is_known = |commit: u32| {
            let object = self.graph.object(commit).map(|object| object as usize);
            object.and_then(|object| known.get(object)).copied().unwrap_or_default()
        };
        for commit in 0..self.graph.len() {
            if self.distance(commit).is_none() || is_known(commit) {
                continue;
            }
            let node = self.node(forest, commit);
            let parents = self.graph.parents(commit);
            let before: Vec<NodeId> = parents.iter().map(|parent| self.node(forest, *parent)).collect();
            for place in forest.minus(node, &before) {
                note(Step::Came { place: places.number(place), commit });
            }
            for (&parent, before) in parents.iter().zip(before) {
                if self.distance(parent).is_some() {
                    for place in forest.minus(before, &[node]) {
                        if let Some(place) = places.find(place) {
                            note(Step::Went { place, commit: parent, child: commit });
                        }
                    }
                }
            }
        }
    }

    /// Notes what the commits without children still have.
    fn note_tips(&self, forest: &mut Forest<'_>, places: &Places, stays: &mut Stays<'_>) {
        let mut has_child = vec![false; self.distances.len()];
        for commit in 0..self.graph.len() {
            let distance = self.distance(commit);
            for &parent in self.graph.parents(commit) {
                has_child[parent as usize] |= self.distance(parent) == distance;
            }
        }
        let is_tip = |commit: &u32| !has_child[*commit as usize] && self.distance(*commit).is_some();
        let mut tips: Vec<u32> = (0..self.graph.len()).filter(is_tip).collect();
        // The best come first, so that what was seen has its best end.
        tips.sort_unstable_by_key(|commit| (self.distance(*commit), std::cmp::Reverse(*commit)));
        let mut seen = Seen::default();
        for commit in tips {
            let node = self.node(forest, commit);
            for place in forest.unseen(node, &mut seen) {
                if let Some(place) = places.find(place) {
                    stays.end(place, commit);
                }
            }
        }
    }

    /// Notes what lies in the trees to which refs lead without a commit in between, and gives the blobs to which they do.
    fn note_refs(
        &self,
        forest: &mut Forest<'_>,
        places: &mut Places,
        stays: &mut Stays<'_>,
    ) -> Vec<(Target, BString, Marks)> {
        let mut pinned = Vec::new();
        for ((id, kind), name) in &self.pinned {
            let marks = self.direct[id];
            if *kind == ObjectKind::Blob {
                let path = BString::from(bstr::concat([&b"<"[..], name, b">"]));
                pinned.extend(forest.target(id).map(|target| (target, path, marks)));
                continue;
            }
            let node = forest.node(*id, || name.to_string());
            for place in forest.minus(node, &[]) {
                stays.at(places.number(place)).marks.add(marks);
            }
        }
        pinned
    }

    /// Looks for what has no place yet in the trees that no commit has, such as those that `git stash`,
    /// an aborted rebase or `git write-tree` leave behind.
    fn note_dangling_trees(&self, forest: &mut Forest<'_>, places: &mut Places, unplaced: &HashSet<Target>) {
        if unplaced.is_empty() {
            return;
        }
        let nodes = forest.outermost().unwrap_or_else(|| {
            let (inventory, _) = Inventory::list(self.repository);
            let trees = inventory
                .in_reading_order()
                .filter(|id| self.reader.header(id).is_ok_and(|(kind, _)| kind == ObjectKind::Tree));
            let nodes: Vec<(ObjectId, NodeId)> = trees
                .map(|tree| (tree, forest.node(tree, String::new)))
                .filter(|(_, node)| *node != EMPTY)
                .collect();
            let outermost = nodes.into_iter().filter(|(tree, _)| forest.is_outermost(tree));
            outermost.map(|(_, node)| node).collect()
        });
        for node in nodes {
            for place in forest.minus(node, &[]) {
                if unplaced.contains(&place.1) {
                    places.number(place);
                }
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
        let info = |commit: Option<u32>| commit.map(|commit| CommitInfo::of_id(self.graph.id(commit)));
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

    fn distance(&self, commit: u32) -> Option<Distance> {
        self.distances[commit as usize]
    }
}
