//! What a commit brings in: content at a path where no parent has it.

use std::collections::{HashMap, HashSet};

use bstr::BString;

use super::{Commit, Damage, ObjectKind, ObjectReader, TreeEntries};
use crate::location::ObjectId;

/// The blobs that some commits bring in.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    /// Blobs that stand at a path where no parent has the same, each once, in the order of the commits.
    pub blobs: Vec<ObjectId>,
    /// Commits of submodules that were linked anew.
    pub submodules: HashSet<ObjectId>,
    seen_blobs: HashSet<ObjectId>,
    /// A tree with the trees of the parents that it was compared with. A crafted tree can hold the same
    /// subtree at more paths than there is time for; the answer at each of them is the same.
    compared: HashSet<(ObjectId, Vec<ObjectId>)>,
}

impl Changes {
    /// Compares the tree of a commit with those of all its parents at once, so that what only a merge has
    /// is found and what a merge takes over is not. `has_parents` is false for the last commits of a
    /// shallow clone, of which everything is new.
    pub fn add_commit(
        &mut self,
        reader: &ObjectReader<'_>,
        id: &ObjectId,
        has_parents: bool,
        damage: &mut Damage,
    ) {
        let Some((tree, parents)) = read_commit(reader, id, "the range", damage) else { return };
        let holder = format!("commit {id}");
        let parents = if has_parents { parents } else { Vec::new() };
        let before: Vec<ObjectId> = parents
            .iter()
            .filter_map(|parent| read_commit(reader, parent, &holder, damage).map(|(tree, _)| tree))
            .collect();
        let mut waiting = vec![(tree, before, holder)];
        while let Some((tree, mut parents, holder)) = waiting.pop() {
            parents.sort_unstable();
            parents.dedup();
            if parents.contains(&tree) || !self.compared.insert((tree, parents.clone())) {
                continue;
            }
            let Some(entries) = read_tree(reader, &tree, &holder, damage) else { continue };
            let before: Vec<HashMap<BString, (ObjectKind, ObjectId)>> = parents
                .iter()
                .filter_map(|parent| read_tree(reader, parent, "a parent", damage))
                .map(|entries| entries.into_iter().map(|(name, kind, id)| (name, (kind, id))).collect())
                .collect();
            for (name, kind, id) in entries {
                let same_name = || before.iter().filter_map(|entries| entries.get(&name));
                if same_name().any(|entry| *entry == (kind, id)) {
                    continue;
                }
                match kind {
                    ObjectKind::Tree => {
                        let trees = same_name().filter(|(kind, _)| *kind == ObjectKind::Tree);
                        waiting.push((id, trees.map(|(_, id)| *id).collect(), format!("tree {tree}")));
                    }
                    ObjectKind::Commit => {
                        self.submodules.insert(id);
                    }
                    ObjectKind::Blob | ObjectKind::Tag => {
                        if self.seen_blobs.insert(id) {
                            self.blobs.push(id);
                        }
                    }
                }
            }
        }
    }
}

/// Tree and parents.
fn read_commit(
    reader: &ObjectReader<'_>,
    id: &ObjectId,
    holder: &str,
    damage: &mut Damage,
) -> Option<(ObjectId, Vec<ObjectId>)> {
    let object = reader.read(id).map_err(|error| damage.unread(*id, holder, &error)).ok()?;
    let commit = Commit::parse(object.bytes()).map_err(|error| damage.malformed(*id, error)).ok()?;
    Some((commit.tree, commit.parents))
}

fn read_tree(
    reader: &ObjectReader<'_>,
    id: &ObjectId,
    holder: &str,
    damage: &mut Damage,
) -> Option<Vec<(BString, ObjectKind, ObjectId)>> {
    let object = reader.read(id).map_err(|error| damage.unread(*id, holder, &error)).ok()?;
    TreeEntries::new(object.bytes(), id.as_raw().len())
        .map(|entry| entry.map(|entry| (entry.name.to_owned(), entry.kind, entry.id)))
        .collect::<Result<_, _>>()
        .map_err(|error| damage.malformed(*id, error))
        .ok()
}
