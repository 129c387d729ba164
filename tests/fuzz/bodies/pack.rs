//! Writes crafted packs into a repository, with an index that lets every byte get as far as it can.

use std::fs;
use std::path::Path;

/// Name of an object.
pub type Name = [u8; 20];

/// Puts the pack there in the place of the one before it. Each entry has a name and an offset into `body`; they come in
/// the order of the offsets.
pub fn write(repository: &Path, body: &[u8], entries: &[(Name, usize)]) {
    let checksum = [7; 20];
    let mut pack = b"PACK\0\0\0\x02".to_vec();
    pack.extend((entries.len() as u32).to_be_bytes());
    pack.extend(body);
    pack.extend(checksum);
    let ends = entries.iter().skip(1).map(|(_, start)| *start).chain([body.len()]);
    let mut rows: Vec<(Name, usize, usize)> =
        entries.iter().zip(ends).map(|((name, start), end)| (*name, *start, end)).collect();
    rows.sort_unstable();
    let mut index = b"\xFFtOc\0\0\0\x02".to_vec();
    for slot in 0..=255 {
        index.extend((rows.iter().filter(|(name, ..)| name[0] <= slot).count() as u32).to_be_bytes());
    }
    rows.iter().for_each(|(name, ..)| index.extend(name));
    rows.iter().for_each(|(_, start, end)| index.extend(crc32fast::hash(&body[*start..*end]).to_be_bytes()));
    rows.iter().for_each(|(_, start, _)| index.extend((*start as u32 + 12).to_be_bytes()));
    index.extend(checksum);
    index.extend([0; 20]);
    let dir = repository.join("objects/pack");
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
