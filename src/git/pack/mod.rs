//! Packs as they lie on disk: entries, deltas and the families that deltas form.
//!
//! libgit2 hands out whole objects and keeps to itself what it had to do for them. Here the deltas
//! themselves are of use: they say which bytes of an object are new. Formats: gitformat-pack(5).
//!
//! Nothing in a pack is trusted: every offset, length and copy is checked, and what does not hold is an
//! error that names the pack and the offset.

pub mod delta;
mod entry;
mod family;
pub(super) mod index;

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};

use bstr::BString;
use libdeflater::Decompressor;

use crate::git::ObjectKind;
use crate::location::ObjectId;
pub use entry::{Base, Header};
pub use family::{Forest, Root};
pub use index::{IndexError, PackIndex};

/// Why an entry of a pack could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EntryError {
    /// The index says that it lies where the pack has no room for it.
    #[error("it does not lie inside the pack")]
    Outside,
    /// Kind or size cannot be read.
    #[error("its header makes no sense")]
    Header,
    /// It is a delta, and no entry starts where its base should be.
    #[error("its delta is for a base that the pack does not have")]
    NoBase,
    /// The packed bytes are not those of which the index has the checksum.
    #[error("its packed bytes differ from their checksum in the pack index")]
    Checksum,
    /// The compressed bytes are broken or end early, or hold fewer or more bytes than they should.
    #[error("its compressed bytes are damaged or have another length than its header says")]
    Inflate,
    /// The delta is for a base of another length.
    #[error("its delta is for a base of another length")]
    BaseLength,
    /// The delta copies from outside its base.
    #[error("its delta copies bytes that its base does not have")]
    Copy,
    /// The delta ends inside an instruction, or has one that is none.
    #[error("its delta has an instruction that makes no sense")]
    Instruction,
    /// The delta makes more or fewer bytes than it says.
    #[error("its delta makes another length than it says")]
    ResultLength,
    /// Deltas lead in a circle.
    #[error("its delta leads back to itself")]
    Cycle,
    /// It is larger than this machine can hold.
    #[error("it is too large to be read")]
    TooLarge,
    /// The base of the delta cannot be read.
    #[error("the base of its delta cannot be read")]
    Base,
}

/// A pack, mapped into memory, with its index.
pub struct Pack {
    file: gix_pack::data::File,
    index: PackIndex,
}

/// Why a pack cannot be read at all.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    /// It cannot be opened or mapped, or is no pack.
    #[error("cannot read the pack: {0}; run `git fsck`, then fetch it again")]
    Open(String),
    /// Index and pack belong to different packs.
    #[error("the pack is not the one its index was made for: run `git index-pack` on it")]
    Stranger,
}

/// No object but a blob that the user wants read is larger, and no delta.
pub(super) const MAX_BYTES: u64 = 1 << 31;

/// Longer commits and tags are left to others.
const LONGEST_MESSAGE_BYTES: u64 = 1 << 24;

/// Claimed sizes above this are not believed: no compressed byte of deflate makes more than 1,032 (RFC 1951).
const MAX_INFLATION: u64 = 1032;

impl Pack {
    /// Maps a pack into memory. Should another process cut the file meanwhile, reading it ends the process;
    /// git never changes a pack that is in place.
    ///
    /// # Errors
    ///
    /// When it cannot be opened, is no pack, or is not the pack of the index, which is given back.
    pub fn open(path: &Path, index: PackIndex) -> Result<Self, (PackIndex, PackError)> {
        let file = match gix_pack::data::File::at(path, hash_kind(index.id_len())) {
            Ok(file) => file,
            Err(error) => return Err((index, PackError::Open(error.to_string()))),
        };
        let pack = Self { file, index };
        let trailer = pack.slice(pack.end(), pack.file.data_len() as u64);
        if pack.file.num_objects() as usize != pack.index.pack_len()
            || trailer != Some(pack.index.pack_checksum().as_raw())
        {
            return Err((pack.index, PackError::Stranger));
        }
        Ok(pack)
    }

    /// Where the last entry ends.
    fn end(&self) -> u64 {
        self.file.pack_end() as u64
    }

    /// Lets the index of the pack know some objects and those from which they are made; see [`PackIndex::map`].
    /// `None` if the pack does not have them all, or something on the way is broken. Bases in other packs are
    /// passed over.
    pub fn choose(&mut self, ids: impl Iterator<Item = ObjectId>) -> Option<()> {
        let mut offsets = BTreeSet::new();
        for id in ids {
            let mut next = Some(self.index.offset_of(&id)?);
            while let Some(offset) = next
                && offsets.insert(offset)
            {
                let bytes = self.slice(offset, self.end())?;
                next = match Header::parse(bytes, offset, self.index.id_len()).ok()?.base {
                    Base::Whole(_) => None,
                    Base::Offset(base) => Some(base),
                    Base::Name(base) => self.index.offset_of(&base),
                };
            }
        }
        let end = self.end();
        self.index.choose(offsets.into_iter().collect(), end)
    }

    /// A commit or a tag that the pack holds whole, with its kind.
    pub(super) fn message_object(
        &self,
        id: &ObjectId,
        inflater: &mut Inflater,
    ) -> Option<(ObjectKind, Vec<u8>)> {
        let (kind, header, bytes) = self.message_header(id)?;
        let mut object = Vec::new();
        // No real one is near that.
        let size = header.size_bytes.min(LONGEST_MESSAGE_BYTES);
        inflater.inflate(bytes.get(header.header_bytes..)?, size, &mut object).ok()?;
        Some((kind, object))
    }

    /// What a commit or a tag is that the pack holds whole.
    pub(super) fn message_kind(&self, id: &ObjectId) -> Option<ObjectKind> {
        self.message_header(id).map(|(kind, ..)| kind)
    }

    /// The header of a commit or a tag that the pack holds whole, and the pack from there.
    fn message_header(&self, id: &ObjectId) -> Option<(ObjectKind, Header, &[u8])> {
        let offset = self.index.offset_of(id)?;
        let bytes = self.slice(offset, self.end())?;
        let header = Header::parse(bytes, offset, self.index.id_len()).ok()?;
        let Base::Whole(kind @ (ObjectKind::Commit | ObjectKind::Tag)) = header.base else { return None };
        Some((kind, header, bytes))
    }

    /// Gives the index back.
    pub fn into_index(self) -> PackIndex {
        self.index
    }

    /// Length of the file in bytes.
    pub fn len_bytes(&self) -> u64 {
        self.file.data_len() as u64
    }

    /// The index.
    pub fn index(&self) -> &PackIndex {
        &self.index
    }

    /// File name of the pack.
    pub fn name(&self) -> BString {
        let path: PathBuf = self.file.path().to_path_buf();
        BString::from(path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default())
    }

    /// How a message names an entry.
    pub fn place(&self, entry: u32) -> impl fmt::Display {
        format!("at offset {} of {}", self.index.offset(entry), self.name())
    }

    fn slice(&self, start: u64, end: u64) -> Option<&[u8]> {
        // The interface below expects that the end fits into an address.
        (start <= end && end <= self.file.data_len() as u64).then(|| self.file.entry_slice(start..end))?
    }

    /// The packed bytes of an entry with its header.
    fn entry(&self, entry: u32) -> Result<&[u8], EntryError> {
        let (start, end) = (self.index.offset(entry), self.index.next_offset(entry));
        let end = end.unwrap_or(self.end()).min(self.end());
        self.slice(start, end).filter(|bytes| !bytes.is_empty()).ok_or(EntryError::Outside)
    }

    /// Reads kind, base and size of an entry.
    ///
    /// # Errors
    ///
    /// When it lies outside the pack or its header makes no sense.
    pub fn header(&self, entry: u32) -> Result<Header, EntryError> {
        Header::parse(self.entry(entry)?, self.index.offset(entry), self.index.id_len())
    }

    /// Appends the inflated bytes of an entry to `out`: an object, or a delta. Compares the packed bytes with
    /// their checksum in the index and the inflated ones with that of the stream.
    ///
    /// # Errors
    ///
    /// When the entry is damaged.
    pub fn inflate(
        &self,
        entry: u32,
        header: &Header,
        inflater: &mut Inflater,
        out: &mut Vec<u8>,
    ) -> Result<(), EntryError> {
        let bytes = self.entry(entry)?;
        if self.index.checksum(entry).is_some_and(|sum| sum != crc32fast::hash(bytes)) {
            return Err(EntryError::Checksum);
        }
        let packed = bytes.get(header.header_bytes..).ok_or(EntryError::Header)?;
        if header.size_bytes > MAX_BYTES && header.base != Base::Whole(ObjectKind::Blob) {
            return Err(EntryError::TooLarge);
        }
        inflater.inflate(packed, header.size_bytes, out)
    }
}

impl fmt::Debug for Pack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pack").field("name", &self.name()).field("entries", &self.index.len()).finish()
    }
}

/// Inflates entries; one for each thread.
///
/// A decompressor keeps the tables of the fixed codes of deflate until it meets other codes. Short streams have the fixed
/// ones and long ones have not, in turn, so each kind has a decompressor of its own.
pub struct Inflater {
    of_fixed_codes: Decompressor,
    of_others: Decompressor,
}

impl Inflater {
    /// Prepares the tables.
    pub fn new() -> Self {
        Self { of_fixed_codes: Decompressor::new(), of_others: Decompressor::new() }
    }

    /// Appends what a zlib stream of a known inflated size holds. Bytes behind the stream are passed over.
    pub(in crate::git) fn inflate(
        &mut self,
        packed: &[u8],
        size_bytes: u64,
        out: &mut Vec<u8>,
    ) -> Result<(), EntryError> {
        if size_bytes > (packed.len() as u64).saturating_mul(MAX_INFLATION) {
            return Err(EntryError::Inflate);
        }
        let size = usize::try_from(size_bytes).map_err(|_| EntryError::TooLarge)?;
        let start = out.len();
        out.try_reserve_exact(size).map_err(|_| EntryError::TooLarge)?;
        out.resize(start + size, 0);
        // The head of a zlib stream is two bytes, that of a block a bit for the last and two for its kind (RFC 1951, 3.2.3).
        let decompressor = match packed.get(2).map(|head| head >> 1 & 3) {
            Some(1) => &mut self.of_fixed_codes,
            _ => &mut self.of_others,
        };
        match decompressor.zlib_decompress(packed, &mut out[start..]) {
            Ok(written) if written == size => Ok(()),
            _ => {
                out.truncate(start);
                Err(EntryError::Inflate)
            }
        }
    }
}

impl Default for Inflater {
    fn default() -> Self {
        Self::new()
    }
}

/// What names of that length are.
pub(super) fn hash_kind(id_len: usize) -> gix_hash::Kind {
    if id_len == 32 { gix_hash::Kind::Sha256 } else { gix_hash::Kind::Sha1 }
}

/// A name in an index, as an [`ObjectId`].
fn object_id(raw: &[u8]) -> ObjectId {
    ObjectId::from_raw(raw).expect("an index has names of 20 or 32 bytes")
}
