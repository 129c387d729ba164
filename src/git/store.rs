//! The object database for those who read packs themselves.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;

use super::database::ObjectKind;
use super::inventory::{Inventory, Place, Places, Placing};
use super::listing::Listing;
use super::pack::delta::Delta;
use super::pack::{Base, Forest, Header, Inflater, Pack};
use super::{Fault, Repository};
use crate::derived::Copies;
use crate::location::ObjectId;

/// A pack that an earlier audit read, by which it is known again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PackMark {
    /// The checksum of its index, which counts in the one of the pack.
    pub index: ObjectId,
    /// Length of the pack.
    pub len_bytes: u64,
}

/// What an earlier audit knew.
pub struct Earlier<'e> {
    /// Names of objects, sorted, one behind the other, at a place of some bytes.
    pub names: (&'e Arc<Vec<u8>>, Range<usize>),
    /// The packs that there were.
    pub packs: &'e [PackMark],
    /// By place of the name: whether it lay in none of them.
    pub is_loose: &'e dyn Fn(usize) -> bool,
    /// Places of the names of those that are to be read again.
    pub again: &'e [u32],
    /// What was not there.
    pub missing: &'e [ObjectId],
}

/// The object database for those who read packs themselves.
pub struct Store {
    /// Every object, once each.
    pub inventory: Inventory,
    /// The packs.
    pub packs: Vec<Pack>,
    /// By pack: its families.
    pub forests: Vec<Forest>,
    /// Objects that libgit2 must not be asked for: their deltas lead in a circle, in which it would go round
    /// for ever, or out of the pack, and git2 ends the process at a kind that it does not know. Only a
    /// crafted or broken pack has any.
    pub hopeless: HashSet<ObjectId>,
    /// What has to be read one by one: loose objects, and those of packs that cannot be mapped.
    pub others: Vec<ObjectId>,
    /// By pack.
    places: Vec<Places>,
    /// Whether the packs hold only what is to be read.
    is_part: bool,
}

impl Store {
    /// Lists the objects, maps the packs and finds their families on some threads. What cannot be listed or mapped is a fault.
    pub fn open(repository: &Repository, threads: usize) -> (Self, Vec<Fault>) {
        let mut turns = 1..Listing::TURNS;
        loop {
            let mut listing = Listing::of(repository);
            let (inventory, placing) = Inventory::new(&listing);
            let store = Self::assemble(inventory, placing, &mut listing, threads);
            // What was in a pack that git removed meanwhile is in another by now.
            if !listing.is_gone || turns.next().is_none() {
                return (store, listing.faults);
            }
        }
    }

    /// Opens what there is beside an earlier audit's objects, and those of them that are to be read again. `None`
    /// if not all of them are there as they were, something is there that was missing, or anything is wrong.
    pub fn open_after(repository: &Repository, earlier: &Earlier<'_>, threads: usize) -> Option<Self> {
        let mut listing = Listing { marks: earlier.packs.to_vec(), ..Listing::new(repository) };
        listing.fill(repository);
        let mut marks: Vec<PackMark> = listing.known.iter().map(|(mark, ..)| *mark).collect();
        marks.sort_unstable();
        marks.dedup();
        if marks.len() != earlier.packs.len() || !listing.faults.is_empty() {
            return None;
        }
        let (bytes, place) = &earlier.names;
        let (inventory, mut placing) = Inventory::after((Arc::clone(bytes), place.clone()), &listing);
        let mut is_listed = vec![false; inventory.len()];
        placing.each().for_each(|place| is_listed[place.number as usize] = true);
        let are_loose_there =
            (0..inventory.known_len()).all(|place| is_listed[place] || !(earlier.is_loose)(place));
        if !are_loose_there || earlier.missing.iter().any(|id| inventory.contains(id)) {
            return None;
        }
        // What lies in a new pack or loose as well is read there.
        let mut again: Vec<u32> = earlier.again.to_vec();
        again.retain(|&number| !is_listed[number as usize]);
        for (_, path, index) in std::mem::take(&mut listing.known) {
            let has = |number: &u32| index.offset_of(&inventory.id(*number)).is_some();
            let (here, elsewhere) = again.into_iter().partition::<Vec<u32>, _>(has);
            again = elsewhere;
            if here.is_empty() {
                continue;
            }
            let mut pack = Pack::open(&path, index).ok()?;
            pack.choose(here.iter().map(|number| inventory.id(*number)))?;
            let index = pack.into_index();
            let entries = (0..index.len() as u32).map(|entry| {
                let number = inventory.number(index.raw(entry))?;
                Some(Place { number, is_first: here.binary_search(&number).is_ok() })
            });
            placing.packs.push(Places::Each(entries.collect::<Option<Vec<Place>>>()?));
            listing.packs.push((path, index));
        }
        if !again.is_empty() {
            return None;
        }
        let store = Self { is_part: true, ..Self::assemble(inventory, placing, &mut listing, threads) };
        listing.faults.is_empty().then_some(store)
    }

    /// Whether the packs hold only what is to be read.
    pub fn is_part(&self) -> bool {
        self.is_part
    }

    /// Opens all packs of which this store has a part. Objects keep their numbers. `None` if anything is wrong, or
    /// something is there that was not before.
    pub fn whole(&self, repository: &Repository, threads: usize) -> Option<Self> {
        let mut listing = Listing::of(repository);
        let inventory = self.inventory.unordered();
        let placing = inventory.placing(&listing, None)?;
        let store = Self::assemble(inventory, placing, &mut listing, threads);
        listing.faults.is_empty().then_some(store)
    }

    fn assemble(inventory: Inventory, placing: Placing, listing: &mut Listing, threads: usize) -> Self {
        let mut store = Self {
            inventory,
            packs: Vec::new(),
            forests: Vec::new(),
            hopeless: HashSet::new(),
            others: Vec::new(),
            places: Vec::new(),
            is_part: false,
        };
        for ((path, index), places) in std::mem::take(&mut listing.packs).into_iter().zip(placing.packs) {
            let firsts: Vec<ObjectId> = match Pack::open(&path, index) {
                Ok(pack) => {
                    let forest = Forest::plant(&pack, threads);
                    store.hopeless.extend(forest.hopeless().into_iter().map(|entry| pack.index().id(entry)));
                    store.forests.push(forest);
                    store.packs.push(pack);
                    store.places.push(places);
                    continue;
                }
                Err((index, error)) => {
                    listing.is_gone |= path.try_exists().is_ok_and(|exists| !exists);
                    listing.fault(&path, error.to_string());
                    let firsts = (0..index.len() as u32).filter(|entry| places.is_first(*entry));
                    firsts.map(|entry| index.id(entry)).collect()
                }
            };
            store.others.extend(firsts);
        }
        let loose = listing.loose.iter().zip(&placing.loose).filter(|(_, place)| place.is_first);
        store.others.extend(loose.map(|(id, _)| *id));
        store
    }

    /// By which the packs are known again.
    pub fn marks(&self) -> Vec<PackMark> {
        let mark =
            |pack: &Pack| PackMark { index: pack.index().checksum_of_all(), len_bytes: pack.len_bytes() };
        self.packs.iter().map(mark).collect()
    }

    /// The numbers of the objects in packs, some of them more than once.
    pub fn packed(&self) -> impl Iterator<Item = u32> {
        self.packs.iter().zip(&self.places).flat_map(|(pack, places)| {
            (0..pack.index().len() as u32).map(|entry| places.number(pack.index(), entry))
        })
    }

    /// What an object is. `None` if it lies in no pack, or its deltas lead nowhere.
    pub fn kind(&self, id: &ObjectId) -> Option<ObjectKind> {
        Some(self.chain(id)?.kind)
    }

    /// Reads an object with the deltas that lead to it. `None` as for [`Store::kind`], and if it is damaged.
    ///
    /// It is for single objects: libgit2 maps the packs a second time, and every object that it looks at
    /// adds pages of that to the memory in use.
    pub fn read(&self, id: &ObjectId) -> Option<(ObjectKind, Vec<u8>)> {
        let chain = self.chain(id)?;
        let mut inflater = Inflater::new();
        let (mut bytes, mut delta, mut next) = (Vec::new(), Vec::new(), Vec::new());
        let mut copies = Copies::default();
        let mut entries = chain.entries.iter().rev();
        let (entry, header) = entries.next()?;
        chain.pack.inflate(*entry, header, &mut inflater, &mut bytes).ok()?;
        for (entry, header) in entries {
            delta.clear();
            chain.pack.inflate(*entry, header, &mut inflater, &mut delta).ok()?;
            Delta::parse(&delta).ok()?.apply(&bytes, &mut next, &mut copies).ok()?;
            std::mem::swap(&mut bytes, &mut next);
        }
        Some((chain.kind, bytes))
    }

    fn chain(&self, id: &ObjectId) -> Option<Chain<'_>> {
        if self.hopeless.contains(id) {
            return None;
        }
        let (pack, mut entry) = self.packs.iter().find_map(|pack| Some((pack, pack.index().find(id)?)))?;
        let mut entries = Vec::new();
        while entries.len() < pack.index().len() {
            let header = pack.header(entry).ok()?;
            entries.push((entry, header));
            entry = match header.base {
                Base::Whole(kind) => return Some(Chain { pack, kind, entries }),
                Base::Offset(offset) => pack.index().entry_before(entry, offset)?,
                Base::Name(base) => pack.index().find(&base)?,
            };
        }
        None
    }

    /// Whether an entry is the first object of its name, so that it counts and later copies do not.
    pub fn is_first(&self, pack: usize, entry: u32) -> bool {
        self.places[pack].is_first(entry)
    }

    /// The number of an entry in the inventory.
    pub fn number(&self, pack: usize, entry: u32) -> u32 {
        self.places[pack].number(self.packs[pack].index(), entry)
    }
}

/// The packs, with indexes that know no entries yet. Those that cannot be opened are left out.
pub(super) fn unread_packs(repository: &Repository) -> Vec<Pack> {
    let mut listing = Listing { is_unread: true, ..Listing::new(repository) };
    listing.fill_packs(repository);
    let packs = std::mem::take(&mut listing.packs).into_iter();
    packs.filter_map(|(path, index)| Pack::open(&path, index).ok()).collect()
}

/// An entry, its base, and so on to a whole object.
struct Chain<'s> {
    pack: &'s Pack,
    kind: ObjectKind,
    entries: Vec<(u32, Header)>,
}
