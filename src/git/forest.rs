//! Trees reduced to the few blobs that are looked for.
//!
//! Every distinct tree is read once and becomes a [`Node`]: the targets that lie in it and the subtrees
//! that hold targets. Equal nodes are one, so most commits have the very node of their parents and need
//! no further look; paths are spelled out only where nodes differ.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::rc::Rc;

use bstr::BString;
use hashbrown::DefaultHashBuilder;

use super::ledger::Ledger;
use super::names::Names;
use super::{Damage, Inventory, ObjectKind, ObjectReader, Rows, TreeEntries};
use crate::location::ObjectId;

/// How many paths of one tree are spelled out. A crafted tree can hold one blob at more paths than there
/// is memory for.
const MAX_PATHS: usize = 100_000;

/// The node of a tree without targets.
pub(super) const EMPTY: NodeId = NodeId(0);

/// Number of a node; equal trees of targets have equal numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct NodeId(pub(super) u32);

/// Number of a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Target(pub(super) u32);

/// Number of a path; that of the top is [`TOP`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct PathId(pub(super) u32);

/// The path of the tree of a commit.
pub(super) const TOP: PathId = PathId(0);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Name(u32);

/// What a tree has of the targets, sorted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Node {
    blobs: Vec<(Name, Target)>,
    trees: Vec<(Name, NodeId)>,
}

/// A tree that is being read.
struct Frame {
    id: ObjectId,
    bytes: Vec<u8>,
    /// Where the next entry starts.
    at: usize,
    node: Node,
}

/// The nodes of all trees that are there.
struct Planted<'r> {
    inventory: &'r Inventory,
    /// By number of the object.
    nodes: Vec<NodeId>,
    /// Likewise, whether a tree lies in another one.
    is_inner: Vec<bool>,
}

/// A path and what lies there.
pub(super) type Place = (PathId, Target);

/// Nodes that were seen at a path.
pub(super) type Seen = HashSet<(PathId, NodeId), DefaultHashBuilder>;

/// All nodes.
pub(super) struct Forest<'r> {
    reader: &'r ObjectReader<'r>,
    targets: Vec<ObjectId>,
    target_numbers: HashMap<ObjectId, Target>,
    names: Names,
    nodes: Vec<Rc<Node>>,
    node_numbers: HashMap<Rc<Node>, NodeId, DefaultHashBuilder>,
    /// Paths but that of the top: the one above and a name.
    paths: Vec<(PathId, Name)>,
    path_numbers: HashMap<(PathId, Name), PathId, DefaultHashBuilder>,
    known: HashMap<ObjectId, NodeId>,
    planted: Option<Planted<'r>>,
    /// Trees with targets that lie in other trees.
    inner: HashSet<ObjectId>,
    pub(super) damage: Damage,
    /// Whether a tree had more paths than were spelled out.
    pub(super) has_too_many_paths: bool,
}

impl<'r> Forest<'r> {
    pub(super) fn new(reader: &'r ObjectReader<'r>, targets: &BTreeSet<ObjectId>) -> Self {
        let empty = Rc::new(Node::default());
        Self {
            reader,
            targets: targets.iter().copied().collect(),
            target_numbers: targets.iter().copied().zip((0..).map(Target)).collect(),
            names: Names::default(),
            nodes: vec![Rc::clone(&empty)],
            node_numbers: HashMap::from_iter([(empty, EMPTY)]),
            paths: Vec::new(),
            path_numbers: HashMap::default(),
            known: HashMap::new(),
            planted: None,
            inner: HashSet::new(),
            damage: Damage::default(),
            has_too_many_paths: false,
        }
    }

    /// Makes the nodes of all trees from the rows of those that lead to a target. Other trees are then known
    /// to have none.
    pub(super) fn plant(&mut self, inventory: &'r Inventory, rows: &[Rows]) {
        let (nodes, is_inner) = (vec![EMPTY; inventory.len()], vec![false; inventory.len()]);
        self.plant_beside(Planted { inventory, nodes, is_inner }, rows, &[]);
    }

    /// The same, where the trees that are `known`, by number, have the nodes of a ledger. `None` if that holds
    /// anything which is not here; else the paths of the ledger.
    pub(super) fn plant_after(
        &mut self,
        inventory: &'r Inventory,
        ledger: &Ledger,
        rows: &[Rows],
        known: &[bool],
    ) -> Option<Vec<PathId>> {
        let names: Vec<Name> = ledger.names.iter().map(|name| self.name(name)).collect();
        let targets = self.targets_by_number(inventory);
        let mut numbers = vec![EMPTY];
        let mut rest = &ledger.nodes[..];
        let mut node = Node::default();
        while let Some(([blobs, trees], behind)) = rest.split_first_chunk() {
            let (blobs, behind) = behind.split_at_checked(*blobs as usize * 2)?;
            let (trees, behind) = behind.split_at_checked(*trees as usize * 2)?;
            node.blobs.clear();
            node.trees.clear();
            for [name, blob] in blobs.as_chunks().0 {
                node.blobs.push((*names.get(*name as usize)?, *targets.get(blob)?));
            }
            for [name, tree] in trees.as_chunks().0 {
                node.trees.push((*names.get(*name as usize)?, *numbers.get(*tree as usize)?));
            }
            numbers.push(self.intern(&mut node));
            rest = behind;
        }
        let (mut nodes, mut is_inner) = (vec![EMPTY; inventory.len()], vec![false; inventory.len()]);
        for (tree, node) in &ledger.trees {
            *nodes.get_mut(*tree as usize)? = *numbers.get((node >> 1) as usize)?;
            is_inner[*tree as usize] = node & 1 != 0;
        }
        let mut paths = vec![TOP];
        for (above, name) in &ledger.paths {
            paths.push(self.path(*paths.get(*above as usize)?, *names.get(*name as usize)?));
        }
        self.plant_beside(Planted { inventory, nodes, is_inner }, rows, known);
        Some(paths)
    }

    fn targets_by_number(&self, inventory: &Inventory) -> HashMap<u32, Target> {
        let numbered = (0..).map(Target).zip(&self.targets);
        numbered.filter_map(|(target, id)| Some((inventory.number(id.as_raw())?, target))).collect()
    }

    fn plant_beside(&mut self, planted: Planted<'r>, rows: &[Rows], known: &[bool]) {
        /// A tree whose node is not made yet.
        const UNKNOWN: NodeId = NodeId(u32::MAX);
        /// One that waits for those in it.
        const OPEN: NodeId = NodeId(u32::MAX - 1);
        // Sorted, so that the numbers do not depend on which worker read what.
        let names: BTreeSet<&[u8]> = rows.iter().flat_map(|rows| rows.names()).collect();
        names.into_iter().for_each(|name| {
            self.name(name);
        });
        let names: Vec<Vec<Name>> =
            rows.iter().map(|rows| rows.names().map(|name| self.name(name)).collect()).collect();
        let Planted { inventory, mut nodes, mut is_inner } = planted;
        let targets = self.targets_by_number(inventory);
        let is_known = |tree: usize| known.get(tree).copied().unwrap_or_default();
        let mut places = vec![(0_u32, 0_u32); inventory.len()];
        for (part, rows) in (0..).zip(rows) {
            for place in 0..rows.len() {
                let tree = rows.row(place).0 as usize;
                if !is_known(tree) {
                    nodes[tree] = UNKNOWN;
                    places[tree] = (part, place as u32);
                }
            }
        }
        let mut waiting: Vec<u32> = Vec::new();
        let mut node = Node::default();
        for part in rows {
            for place in 0..part.len() {
                // A stack of our own, as below; a tree is made when all in it are.
                waiting.push(part.row(place).0);
                while let Some(&tree) = waiting.last() {
                    if nodes[tree as usize] < OPEN {
                        waiting.pop();
                        continue;
                    }
                    let (part, place) = places[tree as usize];
                    let (_, entries) = rows[part as usize].row(place as usize);
                    let depth = waiting.len();
                    node.blobs.clear();
                    node.trees.clear();
                    for entry in entries {
                        let name = names[part as usize][entry.name() as usize];
                        if !entry.is_tree() {
                            node.blobs.extend(targets.get(&entry.object).map(|target| (name, *target)));
                            continue;
                        }
                        match nodes[entry.object as usize] {
                            UNKNOWN => waiting.push(entry.object),
                            // No tree lies in itself, whatever a cache says.
                            EMPTY | OPEN => {}
                            known => {
                                is_inner[entry.object as usize] = true;
                                node.trees.push((name, known));
                            }
                        }
                    }
                    if waiting.len() > depth {
                        nodes[tree as usize] = OPEN;
                        continue;
                    }
                    nodes[tree as usize] = self.intern(&mut node);
                    waiting.pop();
                }
            }
        }
        self.planted = Some(Planted { inventory, nodes, is_inner });
    }

    /// What is to be known of the forest the next time, if all trees were planted and no path can be read in two ways.
    pub(super) fn ledger(&self) -> Option<Ledger> {
        let Planted { nodes, is_inner, .. } = self.planted.as_ref()?;
        if self.names.iter().any(|name| name.contains(&b'/')) {
            return None;
        }
        let mut ledger = Ledger::default();
        for name in self.names.iter() {
            ledger.names.number(name);
        }
        for node in &self.nodes[1..] {
            ledger.nodes.extend([node.blobs.len() as u32, node.trees.len() as u32]);
            for (name, target) in &node.blobs {
                ledger.nodes.extend([name.0, self.number_of(*target)?]);
            }
            ledger.nodes.extend(node.trees.iter().flat_map(|(name, tree)| [name.0, tree.0]));
        }
        let trees = (0..).zip(nodes).zip(is_inner).filter(|((_, node), _)| **node != EMPTY);
        ledger.trees =
            trees.map(|((tree, node), is_inner)| (tree, node.0 << 1 | u32::from(*is_inner))).collect();
        ledger.paths = self.paths.iter().map(|(above, name)| (above.0, name.0)).collect();
        Some(ledger)
    }

    /// The number of a target in the inventory from which the nodes were made.
    pub(super) fn number_of(&self, target: Target) -> Option<u32> {
        self.planted.as_ref()?.inventory.number(self.id_of(target).as_raw())
    }

    /// The node of a tree by its number in the inventory from which the nodes were made.
    pub(super) fn planted_node(&self, number: u32) -> NodeId {
        self.planted.as_ref().map_or(EMPTY, |planted| planted.nodes[number as usize])
    }

    /// The nodes with targets of trees that lie in no other, if all trees are known.
    pub(super) fn outermost(&self) -> Option<Vec<NodeId>> {
        let Planted { nodes, is_inner, .. } = self.planted.as_ref()?;
        let outermost = nodes.iter().zip(is_inner).filter(|(node, is_inner)| **node != EMPTY && !**is_inner);
        Some(outermost.map(|(node, _)| *node).collect())
    }

    pub(super) fn target(&self, id: &ObjectId) -> Option<Target> {
        self.target_numbers.get(id).copied()
    }

    pub(super) fn id_of(&self, target: Target) -> ObjectId {
        self.targets[target.0 as usize]
    }

    /// Whether a tree that was read lies in no other.
    pub(super) fn is_outermost(&self, tree: &ObjectId) -> bool {
        !self.inner.contains(tree)
    }

    /// Reads a tree and all below it that is not yet known. A tree that cannot be read counts as empty
    /// and as damage.
    pub(super) fn node(&mut self, tree: ObjectId, holder: impl FnOnce() -> String) -> NodeId {
        if let Some(node) = self.known.get(&tree) {
            return *node;
        }
        if let Some(planted) = &self.planted
            && let Some(number) = planted.inventory.number(tree.as_raw())
        {
            return planted.nodes[number as usize];
        }
        // A stack of our own: a crafted tree can be deeper than that of the thread.
        let mut frames: Vec<Frame> = self.open(tree, holder).into_iter().collect();
        while let Some(mut frame) = frames.pop() {
            match self.fill(&mut frame) {
                Some(subtree) => {
                    let opened = self.open(subtree, || format!("tree {}", frame.id));
                    frames.push(frame);
                    frames.extend(opened);
                }
                None => {
                    let node = self.intern(&mut frame.node);
                    self.known.insert(frame.id, node);
                }
            }
        }
        self.known.get(&tree).copied().unwrap_or(EMPTY)
    }

    fn open(&mut self, id: ObjectId, holder: impl FnOnce() -> String) -> Option<Frame> {
        match self.reader.read(&id) {
            Ok(object) => Some(Frame { id, bytes: object.bytes().to_vec(), at: 0, node: Node::default() }),
            Err(error) => {
                self.damage.unread(id, &holder(), &error);
                self.known.insert(id, EMPTY);
                None
            }
        }
    }

    /// Goes on through the entries of a tree up to a subtree that is not yet known.
    fn fill(&mut self, frame: &mut Frame) -> Option<ObjectId> {
        let mut entries = TreeEntries::new(&frame.bytes[frame.at..], frame.id.as_raw().len());
        while let Some(entry) = entries.next() {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    self.damage.malformed(frame.id, error);
                    return None;
                }
            };
            match entry.kind {
                ObjectKind::Tree => match self.known.get(&entry.id) {
                    None => return Some(entry.id),
                    Some(&EMPTY) => {}
                    Some(&node) => {
                        self.inner.insert(entry.id);
                        frame.node.trees.push((self.name(entry.name), node));
                    }
                },
                ObjectKind::Blob => {
                    if let Some(target) = self.target(&entry.id) {
                        frame.node.blobs.push((self.name(entry.name), target));
                    }
                }
                ObjectKind::Commit | ObjectKind::Tag => {}
            }
            frame.at = frame.bytes.len() - entries.rest_len();
        }
        None
    }

    fn name(&mut self, name: &[u8]) -> Name {
        Name(self.names.number(name))
    }

    /// The number of a node, which is put in order. Most trees have the node of another one, and then nothing is copied.
    fn intern(&mut self, node: &mut Node) -> NodeId {
        node.blobs.sort_unstable();
        node.trees.sort_unstable();
        if let Some(number) = self.node_numbers.get(node) {
            return *number;
        }
        let number = NodeId(self.nodes.len() as u32);
        let node = Rc::new(node.clone());
        self.nodes.push(Rc::clone(&node));
        self.node_numbers.insert(node, number);
        number
    }

    /// The places of a node that none of the others has. Since equal nodes are one, every step down leads
    /// to a place that is listed, or to one that another tree has under that name.
    pub(super) fn minus(&mut self, node: NodeId, others: &[NodeId]) -> Vec<Place> {
        let mut places = Vec::new();
        if node == EMPTY || others.contains(&node) {
            return places;
        }
        let mut waiting = vec![(TOP, node, others.to_vec())];
        while let Some((path, node, others)) = waiting.pop() {
            if node == EMPTY || others.contains(&node) {
                continue;
            }
            if self.are_too_many(places.len() + waiting.len()) {
                break;
            }
            let node = Rc::clone(&self.nodes[node.0 as usize]);
            let others: Vec<Rc<Node>> =
                others.iter().map(|other| Rc::clone(&self.nodes[other.0 as usize])).collect();
            for blob in &node.blobs {
                if !others.iter().any(|other| other.blobs.binary_search(blob).is_ok()) {
                    places.push((self.path(path, blob.0), blob.1));
                }
            }
            for (name, tree) in &node.trees {
                let namesakes = others.iter().filter_map(|other| other.subtree(*name)).collect();
                waiting.push((self.path(path, *name), *tree, namesakes));
            }
        }
        places
    }

    /// The places of a node but for what was seen there before.
    pub(super) fn unseen(&mut self, node: NodeId, seen: &mut Seen) -> Vec<Place> {
        let mut places = Vec::new();
        let mut waiting = vec![(TOP, node)];
        while let Some((path, node)) = waiting.pop() {
            if node == EMPTY || !seen.insert((path, node)) {
                continue;
            }
            if self.are_too_many(places.len() + waiting.len()) {
                break;
            }
            let node = Rc::clone(&self.nodes[node.0 as usize]);
            for (name, target) in &node.blobs {
                places.push((self.path(path, *name), *target));
            }
            for (name, tree) in &node.trees {
                waiting.push((self.path(path, *name), *tree));
            }
        }
        places
    }

    fn are_too_many(&mut self, paths: usize) -> bool {
        self.has_too_many_paths |= paths > MAX_PATHS;
        paths > MAX_PATHS
    }

    fn path(&mut self, above: PathId, name: Name) -> PathId {
        *self.path_numbers.entry((above, name)).or_insert_with(|| {
            self.paths.push((above, name));
            PathId(self.paths.len() as u32)
        })
    }

    /// The path of a number.
    pub(super) fn spell(&self, path: PathId) -> BString {
        let names: Vec<&[u8]> = self.names_of(path).map(|name| self.names.get(name.0)).collect();
        BString::from(names.join(&b'/'))
    }

    /// The names of a path from the top down.
    fn names_of(&self, mut path: PathId) -> impl Iterator<Item = Name> + use<> {
        let mut names = Vec::new();
        while let Some((above, name)) = (path.0 as usize).checked_sub(1).map(|at| self.paths[at]) {
            names.push(name);
            path = above;
        }
        names.into_iter().rev()
    }

    /// Whether a node has a target at a path.
    pub(super) fn has(&self, node: NodeId, (path, target): Place) -> bool {
        let mut here = Some(node);
        let mut names = self.names_of(path).peekable();
        while let (Some(name), Some(node)) = (names.next(), here) {
            let node = &self.nodes[node.0 as usize];
            if names.peek().is_none() {
                return node.blobs.binary_search(&(name, target)).is_ok();
            }
            here = node.subtree(name);
        }
        false
    }
}

impl Node {
    fn subtree(&self, name: Name) -> Option<NodeId> {
        let place = self.trees.binary_search_by_key(&name, |(name, _)| *name).ok()?;
        Some(self.trees[place].1)
    }
}
