//! Which trees may lead to what is sought.

use super::Inventory;
use crate::location::ObjectId;

/// How many bits of a name decide whether it is looked up at all. With 24 there is a place for each of 16
/// million names, in 2 MiB.
const LIKELY_BITS: u32 = 24;

/// Objects that are sought and trees that may lead to them.
pub struct Relevant {
    pub(super) is_target: Vec<bool>,
    pub(super) is_leading: Vec<bool>,
    /// By the first bits of a name, whether it may be that of a relevant object: most entries of trees are
    /// of no interest, and finding the number of an object takes long. Any may be, if it is empty.
    pub(super) likely: Vec<u64>,
    /// By number: what was read before. Nothing, if it is empty.
    pub(super) is_read: Vec<bool>,
}

impl Relevant {
    pub(super) fn new(count: usize) -> Self {
        let likely = vec![0; 1 << (LIKELY_BITS - 6)];
        Self { is_target: vec![false; count], is_leading: vec![false; count], likely, is_read: Vec::new() }
    }

    pub(super) fn target(&mut self, target: u32, inventory: &Inventory) {
        self.is_target[target as usize] = true;
        self.note_likely(&inventory.id(target));
    }

    pub(super) fn lead(&mut self, tree: u32, inventory: &Inventory, waiting: &mut Vec<u32>) {
        if !std::mem::replace(&mut self.is_leading[tree as usize], true) {
            self.note_likely(&inventory.id(tree));
            waiting.push(tree);
        }
    }

    fn note_likely(&mut self, id: &ObjectId) {
        let (word, bit) = likely_place(id.as_raw());
        if let Some(word) = self.likely.get_mut(word) {
            *word |= bit;
        }
    }

    pub(super) fn is_likely(&self, raw: &[u8]) -> bool {
        let (word, bit) = likely_place(raw);
        self.likely.get(word).is_none_or(|word| word & bit != 0)
    }

    /// The number of a tree if it may lead to what is sought, by the bytes of its name.
    pub fn leading_number(&self, inventory: &Inventory, raw: &[u8]) -> Option<u32> {
        if !self.is_likely(raw) {
            return None;
        }
        inventory.number(raw).filter(|number| self.is_leading(*number))
    }

    /// Whether a tree may lead to what is sought.
    pub fn is_leading(&self, number: u32) -> bool {
        self.is_leading[number as usize]
    }

    /// Whether a tree may lead to what is sought and is to be read.
    pub fn is_wanted(&self, number: u32) -> bool {
        self.is_leading(number) && !self.is_read(number)
    }

    fn is_read(&self, number: u32) -> bool {
        self.is_read.get(number as usize).copied().unwrap_or_default()
    }
}

fn likely_place(raw: &[u8]) -> (usize, u64) {
    let bits = raw.first_chunk::<4>().map_or(0, |bytes| u32::from_be_bytes(*bytes)) >> (32 - LIKELY_BITS);
    ((bits >> 6) as usize, 1 << (bits & 63))
}
