//! Objects that should be there and are not, or cannot be read: collected, then said once each.

use std::collections::{BTreeMap, HashSet};

use super::{Fault, Malformed, ReadError};
use crate::location::ObjectId;

/// How many broken objects are named one by one. A broken pack can have a hundred thousand of them.
const NAMED: usize = 20;

/// Missing and unreadable objects, each once, in an order that does not depend on threads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Damage {
    /// The object and the first of those that refer to it.
    missing: BTreeMap<ObjectId, String>,
    /// The object and what is wrong with it.
    unreadable: BTreeMap<ObjectId, String>,
}

impl Damage {
    /// Whether nothing is broken.
    pub fn is_empty(&self) -> bool {
        self.missing.is_empty() && self.unreadable.is_empty()
    }

    /// Whether something is there that cannot be read.
    pub fn has_unreadable(&self) -> bool {
        !self.unreadable.is_empty()
    }

    /// Notes that `holder` refers to an object that is not there.
    pub fn missing(&mut self, id: ObjectId, holder: impl Into<String>) {
        let holder = holder.into();
        let known = self.missing.entry(id).or_insert_with(|| holder.clone());
        if holder < *known {
            *known = holder;
        }
    }

    /// Notes that an object is there and cannot be read.
    pub fn unreadable(&mut self, id: ObjectId, message: impl Into<String>) {
        self.unreadable.entry(id).or_insert_with(|| message.into());
    }

    /// Notes that reading an object to which `holder` refers failed.
    pub fn unread(&mut self, id: ObjectId, holder: &str, error: &ReadError) {
        match error {
            ReadError::Missing => self.missing(id, holder),
            ReadError::Corrupt(message) => self.unreadable(id, message),
        }
    }

    /// Notes that the bytes of an object do not follow its format.
    pub fn malformed(&mut self, id: ObjectId, error: Malformed) {
        self.unreadable(id, error.to_string());
    }

    /// The missing objects.
    pub fn names_of_missing(&self) -> impl Iterator<Item = ObjectId> {
        self.missing.keys().copied()
    }

    /// Leaves out those missing objects of which is known that they are.
    pub fn without_missing(mut self, known: &HashSet<ObjectId>) -> Self {
        self.missing.retain(|id, _| !known.contains(id));
        self
    }

    /// Adds what another worker found.
    pub fn merge(&mut self, other: Damage) {
        other.missing.into_iter().for_each(|(id, holder)| self.missing(id, holder));
        other.unreadable.into_iter().for_each(|(id, message)| self.unreadable(id, message));
    }

    /// One fault for each of the first objects of a kind, and one that counts the rest. In a partial clone
    /// missing objects are one fault: they were left out on purpose, and one command brings them all.
    pub fn into_faults(self, is_partial_clone: bool) -> Vec<Fault> {
        let mut faults = Vec::new();
        if is_partial_clone && let Some((first, _)) = self.missing.first_key_value() {
            faults.push(Fault::new(
                "partial clone",
                format!(
                    "{} objects were left out when the repository was cloned, the first is {first}: \
                     fetch them with `git fetch --refetch --no-filter`, or clone without `--filter`",
                    self.missing.len(),
                ),
            ));
        } else {
            list(&mut faults, "missing objects", &self.missing, |holder| {
                let way_out = if holder.starts_with("reflog of ") {
                    "run `git reflog expire --stale-fix --all`"
                } else {
                    "see `git fsck`, then fetch it again or copy it from another clone"
                };
                format!("object is missing, {holder} refers to it: {way_out}")
            });
        }
        list(&mut faults, "unreadable objects", &self.unreadable, |message| {
            format!("object cannot be read, {message}: see `git fsck`, then take it from another clone")
        });
        faults
    }
}

fn list(
    faults: &mut Vec<Fault>,
    name: &str,
    objects: &BTreeMap<ObjectId, String>,
    message: impl Fn(&str) -> String,
) {
    faults.extend(objects.iter().take(NAMED).map(|(id, text)| Fault::new(id.to_string(), message(text))));
    if objects.len() > NAMED {
        let more = objects.len() - NAMED;
        faults.push(Fault::new(name, format!("{more} more beside those named: `git fsck` lists them all")));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(byte: u8) -> ObjectId {
        ObjectId::from_raw(&[byte; 20]).unwrap()
    }

    #[test]
    fn the_first_are_named_and_the_rest_counted() {
        let mut damage = Damage::default();
        (0..30).rev().for_each(|byte| damage.missing(id(byte), "tree x"));
        damage.unreadable(id(200), "bad");
        let faults = damage.clone().into_faults(false);
        assert_eq!(faults.len(), NAMED + 2);
        assert_eq!(faults[0].name, id(0).to_string());
        assert_eq!(faults[NAMED].message, "10 more beside those named: `git fsck` lists them all");
        let faults = damage.into_faults(true);
        assert_eq!(faults.len(), 2);
        assert!(faults[0].message.starts_with("30 objects were left out"), "{faults:?}");
    }

    #[test]
    fn merging_does_not_depend_on_the_order() {
        let (mut a, mut b) = (Damage::default(), Damage::default());
        a.missing(id(1), "tree b");
        b.missing(id(1), "tree a");
        b.missing(id(2), "tree a");
        let (mut ab, mut ba) = (a.clone(), b.clone());
        ab.merge(b);
        ba.merge(a);
        assert_eq!(ab, ba);
    }
}
