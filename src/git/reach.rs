//! Everything that can be reached from refs, checked-out commits and reflogs.

use std::collections::HashMap;
use std::collections::HashSet;

use super::{Commit, Damage, Inventory, ObjectKind, ObjectReader, Roots, Tag, TreeEntries};
use crate::location::ObjectId;

/// The reachable objects with their kinds.
#[derive(Clone, Debug, Default)]
pub struct Reachable {
    objects: HashMap<ObjectId, ObjectKind>,
    /// Commits of submodules that trees link to; they live in other repositories.
    pub submodules: HashSet<ObjectId>,
}

impl Reachable {
    /// Visits every reachable object once and reads all but the blobs. What is missing or broken on the
    /// way is damage, except for the parents of `shallow` commits.
    pub fn walk(
        reader: &ObjectReader<'_>,
        inventory: &Inventory,
        roots: &Roots,
        shallow: &HashSet<ObjectId>,
        damage: &mut Damage,
    ) -> Self {
        let mut reachable = Self::default();
        let mut waiting = Vec::new();
        for root in &roots.list {
            match reader.header(&root.target) {
                Ok((kind, _)) => reachable.visit(root.target, kind, &mut waiting),
                Err(error) => damage.unread(root.target, &root.name.to_string(), &error),
            }
        }
        while let Some((id, kind)) = waiting.pop() {
            let object = match reader.read(&id) {
                Ok(object) => object,
                Err(error) => {
                    damage.unread(id, "an object that is reachable", &error);
                    continue;
                }
            };
            let mut links = Vec::new();
            if let Err(error) = links_of(&id, kind, object.bytes(), shallow.contains(&id), &mut links) {
                damage.malformed(id, error);
            }
            for (link, link_kind) in links {
                if kind == ObjectKind::Tree && link_kind == ObjectKind::Commit {
                    reachable.submodules.insert(link);
                } else if !inventory.contains(&link) {
                    damage.missing(link, format!("{} {id}", kind.name()));
                } else if kind == ObjectKind::Tag {
                    match reader.header(&link) {
                        Ok((link_kind, _)) => reachable.visit(link, link_kind, &mut waiting),
                        Err(error) => damage.unread(link, &format!("tag {id}"), &error),
                    }
                } else {
                    reachable.visit(link, link_kind, &mut waiting);
                }
            }
        }
        reachable
    }

    fn visit(&mut self, id: ObjectId, kind: ObjectKind, waiting: &mut Vec<(ObjectId, ObjectKind)>) {
        if self.objects.insert(id, kind).is_none() && kind != ObjectKind::Blob {
            waiting.push((id, kind));
        }
    }

    /// Whether an object is reachable.
    pub fn contains(&self, id: &ObjectId) -> bool {
        self.objects.contains_key(id)
    }

    /// What a reachable object is, by the word of those that refer to it.
    pub fn kind(&self, id: &ObjectId) -> Option<ObjectKind> {
        self.objects.get(id).copied()
    }
}

/// Appends what an object refers to. The kind behind a tag is not told. Links of a tree to commits of
/// submodules are among them.
pub fn links_of(
    id: &ObjectId,
    kind: ObjectKind,
    bytes: &[u8],
    is_shallow: bool,
    links: &mut Vec<(ObjectId, ObjectKind)>,
) -> Result<(), super::Malformed> {
    match kind {
        ObjectKind::Blob => {}
        ObjectKind::Tag => links.push((Tag::parse(bytes)?.target, ObjectKind::Commit)),
        ObjectKind::Commit => {
            let commit = Commit::parse(bytes)?;
            links.push((commit.tree, ObjectKind::Tree));
            if !is_shallow {
                links.extend(commit.parents.iter().map(|parent| (*parent, ObjectKind::Commit)));
            }
        }
        ObjectKind::Tree => {
            for entry in TreeEntries::new(bytes, id.as_raw().len()) {
                let entry = entry?;
                links.push((entry.id, entry.kind));
            }
        }
    }
    Ok(())
}
