//! Which objects there are, each with a number.

use std::ops::Range;
use std::sync::Arc;

use super::listing::Listing;
use super::pack::PackIndex;
use super::{Fault, Repository};
use crate::location::{ObjectId, name_key};

/// Sorted names of objects.
#[derive(Clone, Default)]
struct ObjectNames {
    /// Length of one in bytes.
    id_len: usize,
    /// How many there are.
    count: usize,
    names: Names,
    /// Where the names start whose first bits are less than this.
    fan: Vec<u32>,
    /// How many bits: so many that about one name is left of each slot, since each step of a search in millions
    /// of names waits for memory. Seen on rails/rails: 16 bits take 2 % more of all time.
    fan_bits: u32,
}

/// Where names stand, in ascending order.
#[derive(Clone)]
enum Names {
    /// One behind the other in a part of some bytes.
    Bytes(Arc<Vec<u8>>, Range<usize>),
    /// In the index of a pack, which has them anyway.
    Index(Arc<gix_pack::index::File>),
}

impl Default for Names {
    fn default() -> Self {
        Self::Bytes(Arc::default(), 0..0)
    }
}

impl ObjectNames {
    fn new(raw: Vec<u8>, id_len: usize) -> Self {
        let range = 0..raw.len();
        Self::of((Arc::new(raw), range), id_len)
    }

    fn of((bytes, range): (Arc<Vec<u8>>, Range<usize>), id_len: usize) -> Self {
        Self::with_fan(range.len() / id_len, Names::Bytes(bytes, range), id_len)
    }

    fn of_index(index: Arc<gix_pack::index::File>, id_len: usize) -> Self {
        Self::with_fan(index.num_objects() as usize, Names::Index(index), id_len)
    }

    fn with_fan(count: usize, names: Names, id_len: usize) -> Self {
        let fan_bits = count.max(1).ilog2();
        let mut names = Self { id_len, count, names, fan: Vec::new(), fan_bits };
        let mut fan = vec![0; (1 << fan_bits) + 1];
        for id in names.iter() {
            let key = name_key(id).expect("a name has more than eight bytes");
            fan[fan_slot(key, fan_bits) + 1] += 1;
        }
        for slot in 1..fan.len() {
            fan[slot] += fan[slot - 1];
        }
        names.fan = fan;
        names
    }

    fn len(&self) -> usize {
        self.count
    }

    fn iter(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.count).map(|place| self.get(place))
    }

    fn get(&self, place: usize) -> &[u8] {
        match &self.names {
            Names::Bytes(bytes, range) => {
                let start = range.start + place * self.id_len;
                &bytes[start..start + self.id_len]
            }
            Names::Index(index) => index.oid_at_index(place as u32).as_bytes(),
        }
    }

    /// Reads what [`ObjectNames::find`] will read first of each name, so that it is at hand then.
    fn touch<'n>(&self, names: impl Iterator<Item = &'n [u8]> + Clone) {
        if self.count == 0 {
            return;
        }
        let slots = names.filter_map(name_key).map(|key| fan_slot(key, self.fan_bits));
        let starts = slots.map(|slot| self.fan[slot]);
        // Nothing depends on a sum: the processor goes on while it waits for the parts.
        std::hint::black_box(starts.clone().fold(0, u32::wrapping_add));
        let last = self.len() - 1;
        let heads = starts.map(|place| self.get((place as usize).min(last))[0]);
        std::hint::black_box(heads.fold(0, u8::wrapping_add));
    }

    fn find(&self, raw: &[u8]) -> Option<u32> {
        let key = name_key(raw)?;
        let slot = fan_slot(key, self.fan_bits);
        let (start, end) = (*self.fan.get(slot)?, self.fan[slot + 1]);
        let (mut low, mut high) = (start, end);
        while low < high {
            let middle = low + (high - low) / 2;
            match name_key(self.get(middle as usize)) < Some(key) {
                true => low = middle + 1,
                false => high = middle,
            }
        }
        let same = (low..end).take_while(|place| name_key(self.get(*place as usize)) == Some(key));
        same.into_iter().find(|place| self.get(*place as usize) == raw)
    }
}

fn fan_slot(key: u64, fan_bits: u32) -> usize {
    let slot = key.checked_shr(u64::BITS - fan_bits).unwrap_or(0);
    usize::try_from(slot).expect("a slot has fewer bits than an address")
}

/// Every object of the database, once each: loose, packed, borrowed from alternates.
///
/// libgit2 could list them as well, but its listing ends at the first broken pack and passes over packs
/// without an index; here each of these is a fault of its own and the rest goes on.
pub struct Inventory {
    /// What an earlier audit knew, or else the largest pack; these have the first numbers.
    known: ObjectNames,
    /// All others.
    fresh: ObjectNames,
    /// Numbers, pack by pack in the order in which the objects lie there: bases are near their deltas, and
    /// libgit2's cache of bases is small. Empty in a [`Store`](super::Store), where nobody asks for it.
    reading_order: Vec<u32>,
}

impl Inventory {
    /// Lists the objects. What cannot be listed is a fault.
    pub fn list(repository: &Repository) -> (Self, Vec<Fault>) {
        let listing = Listing::of(repository);
        (Self::in_order(&listing), listing.faults)
    }

    /// The objects that a push brought and the server has not accepted yet, and the faults of listing them; none
    /// outside a pre-receive hook. An object that the server has as well is left out: git completes thin packs by
    /// such objects.
    pub fn quarantined(repository: &Repository) -> (Vec<ObjectId>, Vec<Fault>) {
        let mut listing = Listing::new(repository);
        if std::env::var_os("GIT_QUARANTINE_PATH").is_none() {
            return (Vec::new(), listing.faults);
        }
        let mut dirs = repository.object_dirs(&mut listing.faults).into_iter();
        let Some(quarantine) = dirs.next() else { return (Vec::new(), listing.faults) };
        let accepted = git2::Odb::new_ext(repository.inner.object_format()).and_then(|odb| {
            for dir in dirs {
                odb.add_disk_alternate(&dir.to_string_lossy())?;
            }
            Ok(odb)
        });
        listing.packs(&quarantine.join("pack"));
        listing.loose(&quarantine);
        let inventory = Self::in_order(&listing);
        let is_new = |id: &ObjectId| match (&accepted, repository.oid(id)) {
            // Nothing changes what is there while the hook runs, so there is no need to look again at each miss.
            (Ok(accepted), Ok(oid)) => !accepted.exists_ext(oid, git2::OdbLookupFlags::NO_REFRESH),
            _ => true,
        };
        (inventory.in_reading_order().filter(is_new).collect(), listing.faults)
    }

    fn in_order(listing: &Listing) -> Self {
        let (mut inventory, placing) = Self::new(listing);
        let mut order = Vec::with_capacity(inventory.len());
        for ((_, index), places) in listing.packs.iter().zip(&placing.packs) {
            let entries = 0..index.len() as u32;
            order.extend(entries.filter(|&at| places.is_first(at)).map(|at| places.number(index, at)));
        }
        order.extend(placing.loose.iter().filter(|place| place.is_first).map(|place| place.number));
        inventory.reading_order = order;
        inventory
    }

    /// The same names with their numbers, for those who do not ask for the order.
    pub(super) fn unordered(&self) -> Self {
        Self { known: self.known.clone(), fresh: self.fresh.clone(), reading_order: Vec::new() }
    }

    /// The inventory, and which number each object of the listing has there.
    pub(super) fn new(listing: &Listing) -> (Self, Placing) {
        let indexes = (0..).zip(listing.packs.iter().map(|(_, index)| index));
        let largest = indexes.max_by_key(|(_, index)| index.len());
        let largest = largest.and_then(|(pack, index)| Some((pack, index.sorted_names()?)));
        let (pack, known) = match largest {
            Some((pack, index)) => (Some(pack), ObjectNames::of_index(index, listing.id_len)),
            None => (None, ObjectNames::new(Vec::new(), listing.id_len)),
        };
        Self::of(known, listing, pack)
    }

    /// The inventory of known names, which are sorted, and of those of a listing.
    pub(super) fn after(known: (Arc<Vec<u8>>, Range<usize>), listing: &Listing) -> (Self, Placing) {
        Self::of(ObjectNames::of(known, listing.id_len), listing, None)
    }

    /// The same. The known names are those of a pack of the listing, if one is given.
    fn of(known: ObjectNames, listing: &Listing, pack: Option<usize>) -> (Self, Placing) {
        // With the bytes that decide beside them they are sorted without a look at the rest, which lies all over.
        let with_key = |raw| (name_key(raw).expect("a name has more than eight bytes"), raw);
        let mut fresh: Vec<(u64, &[u8])> =
            listing.names(pack).filter(|raw| known.find(raw).is_none()).map(with_key).collect();
        fresh.sort_unstable();
        fresh.dedup();
        let mut raw = Vec::with_capacity(fresh.len() * listing.id_len);
        fresh.into_iter().for_each(|(_, name)| raw.extend_from_slice(name));
        let inventory =
            Self { known, fresh: ObjectNames::new(raw, listing.id_len), reading_order: Vec::new() };
        let placing =
            inventory.placing(listing, pack).expect("all names of the listing are in the inventory");
        (inventory, placing)
    }

    /// The number of each object of a listing; `None` if one has none. The known names are those of a pack of the
    /// listing, if one is given.
    pub(super) fn placing(&self, listing: &Listing, known: Option<usize>) -> Option<Placing> {
        let mut is_seen = vec![false; self.len()];
        is_seen[..self.known.len()].fill(known.is_some());
        let mut place = |raw: &[u8]| {
            let number = self.number(raw)?;
            Some(Place { number, is_first: !std::mem::replace(&mut is_seen[number as usize], true) })
        };
        let mut packs = Vec::with_capacity(listing.packs.len());
        for (pack, (_, index)) in (0..).zip(&listing.packs) {
            packs.push(match Some(pack) == known {
                true => Places::Rows,
                false => Places::Each(
                    (0..index.len() as u32).map(|entry| place(index.raw(entry))).collect::<Option<_>>()?,
                ),
            });
        }
        let loose = listing.loose.iter().map(|id| place(id.as_raw())).collect::<Option<_>>()?;
        Some(Placing { packs, loose })
    }

    /// How many objects there are.
    pub fn len(&self) -> usize {
        self.known.len() + self.fresh.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Length of a name in bytes.
    pub fn id_len(&self) -> usize {
        self.known.id_len
    }

    /// How many have the first numbers: what an earlier audit knew, or the largest pack.
    pub fn known_len(&self) -> usize {
        self.known.len()
    }

    /// The names of the others, sorted.
    pub fn fresh_names(&self) -> impl Iterator<Item = &[u8]> {
        self.fresh.iter()
    }

    /// The names of those with the first numbers, likewise.
    pub fn known_names(&self) -> impl Iterator<Item = &[u8]> {
        self.known.iter()
    }

    /// Whether an object is there.
    pub fn contains(&self, id: &ObjectId) -> bool {
        self.contains_raw(id.as_raw())
    }

    /// Whether an object is there, by the bytes of its name.
    pub fn contains_raw(&self, raw: &[u8]) -> bool {
        self.number(raw).is_some()
    }

    /// The number of an object, less than [`Inventory::len`], by the bytes of its name.
    pub fn number(&self, raw: &[u8]) -> Option<u32> {
        if self.known.count == 0 {
            return self.fresh.find(raw);
        }
        let fresh = || Some(self.fresh.find(raw)? + self.known.len() as u32);
        self.known.find(raw).or_else(fresh)
    }

    /// The numbers of several objects, by the bytes of their names.
    ///
    /// Each lookup waits for memory twice, and the next one cannot begin before, since it is not known where the
    /// search ends. So all of the memory is asked for first: on rails/rails that halves the time of it.
    pub fn numbers<'n, N>(&self, names: N) -> impl Iterator<Item = Option<u32>>
    where
        N: Iterator<Item = &'n [u8]> + Clone,
    {
        for part in [&self.known, &self.fresh] {
            part.touch(names.clone());
        }
        names.map(|raw| self.number(raw))
    }

    /// The object of a number.
    pub fn id(&self, number: u32) -> ObjectId {
        let number = number as usize;
        let raw = match number.checked_sub(self.known.len()) {
            Some(place) => self.fresh.get(place),
            None => self.known.get(number),
        };
        ObjectId::from_raw(raw).expect("names have the length of one")
    }

    /// The object at a place of the reading order.
    pub fn get(&self, place: usize) -> Option<ObjectId> {
        self.reading_order.get(place).map(|&number| self.id(number))
    }

    /// All objects in the order in which reading them is cheapest.
    pub fn in_reading_order(&self) -> impl Iterator<Item = ObjectId> {
        self.reading_order.iter().map(|&number| self.id(number))
    }
}

/// Where an object of a listing stands in the inventory.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub(super) number: u32,
    /// Whether it is no later copy of another.
    pub(super) is_first: bool,
}

/// Where the objects of a listing stand in the inventory.
pub(super) struct Placing {
    pub(super) packs: Vec<Places>,
    pub(super) loose: Vec<Place>,
}

/// Where the entries of a pack stand in the inventory.
pub(super) enum Places {
    /// Where their names stand in the index.
    Rows,
    Each(Vec<Place>),
}

impl Placing {
    /// Those that have a place of their own.
    pub(super) fn each(&self) -> impl Iterator<Item = &Place> {
        let packed = self.packs.iter().filter_map(|places| match places {
            Places::Rows => None,
            Places::Each(places) => Some(places),
        });
        packed.flatten().chain(&self.loose)
    }
}

impl Places {
    pub(super) fn is_first(&self, entry: u32) -> bool {
        match self {
            Places::Rows => true,
            Places::Each(places) => places[entry as usize].is_first,
        }
    }

    pub(super) fn number(&self, index: &PackIndex, entry: u32) -> u32 {
        match self {
            Places::Rows => index.row(entry),
            Places::Each(places) => places[entry as usize].number,
        }
    }
}
