//! Writes crafted packs into a repository, with an index that lets every byte get as far as it can.

use std::fs;
use std::path::Path;

/// Name of an object.
pub type Name = Vec<u8>;

/// A bare repository, into which packs are put.
pub struct Place {
    dir: tempfile::TempDir,
    /// How many bytes a name has there.
    pub id_len: usize,
}

impl Place {
    /// One for each length of names: 20 bytes and 32.
    pub fn both() -> [Self; 2] {
        [git2::ObjectFormat::Sha1, git2::ObjectFormat::Sha256].map(|format| {
            let dir = tempfile::tempdir().expect("a directory");
            let mut options = git2::RepositoryInitOptions::new();
            options.bare(true).object_format(format);
            let made = git2::Repository::init_opts(dir.path(), &options).expect("a repository");
            let id_len = if made.object_format() == git2::ObjectFormat::Sha256 { 32 } else { 20 };
            Self { dir, id_len }
        })
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }
}

/// The highest bit of the first byte of an input says which length names have.
pub fn chosen<T>(both: &[T; 2], first: u8) -> &T {
    &both[usize::from(first >> 7)]
}

/// Puts the pack there in the place of the one before it. Each entry has a name and an offset into `body`; they come in
/// the order of the offsets.
pub fn write(place: &Place, body: &[u8], entries: &[(Name, usize)]) {
    let checksum = vec![7; place.id_len];
    let mut pack = b"PACK\0\0\0\x02".to_vec();
    pack.extend((entries.len() as u32).to_be_bytes());
    pack.extend(body);
    pack.extend_from_slice(&checksum);
    let ends = entries.iter().skip(1).map(|(_, start)| *start).chain([body.len()]);
    let mut rows: Vec<(Name, usize, usize)> =
        entries.iter().zip(ends).map(|((name, start), end)| (name.clone(), *start, end)).collect();
    rows.sort_unstable();
    let mut index = b"\xFFtOc\0\0\0\x02".to_vec();
    for slot in 0..=255 {
        index.extend((rows.iter().filter(|(name, ..)| name[0] <= slot).count() as u32).to_be_bytes());
    }
    rows.iter().for_each(|(name, ..)| index.extend(name));
    rows.iter().for_each(|(_, start, end)| index.extend(crc32fast::hash(&body[*start..*end]).to_be_bytes()));
    rows.iter().for_each(|(_, start, _)| index.extend((*start as u32 + 12).to_be_bytes()));
    index.extend(checksum);
    index.extend(vec![0; place.id_len]);
    let dir = place.path().join("objects/pack");
    fs::write(dir.join("pack-crafted.pack"), pack).expect("a pack");
    fs::write(dir.join("pack-crafted.idx"), index).expect("an index");
}

/// Appends an entry: its kind and size, the name of its base if it has one, its content deflated.
pub fn entry(body: &mut Vec<u8>, kind: u8, base: &[u8], content: &[u8]) {
    let size = content.len();
    let mut rest = size >> 4;
    body.push(kind << 4 | (size & 15) as u8 | if rest > 0 { 0x80 } else { 0 });
    while rest > 0 {
        body.push((rest & 0x7F) as u8 | if rest > 0x7F { 0x80 } else { 0 });
        rest >>= 7;
    }
    body.extend_from_slice(base);
    let mut compressor = libdeflater::Compressor::new(libdeflater::CompressionLvl::fastest());
    let mut packed = vec![0; compressor.zlib_compress_bound(size)];
    let len = compressor.zlib_compress(content, &mut packed).expect("room enough");
    body.extend_from_slice(&packed[..len]);
}
