//! Pack indexes: what is accepted keeps its promises about names, offsets and neighbours.

use stanch::git::pack::PackIndex;

pub fn run(bytes: &[u8]) {
    for id_len in [20, 32] {
        let Some(index) = PackIndex::parse(bytes.to_vec(), id_len) else { continue };
        let _ = index.pack_checksum();
        for entry in 0..index.len() as u32 {
            let _ = index.checksum(entry);
            let offset = index.offset(entry);
            assert!(index.next_offset(entry).is_none_or(|next| next > offset));
            if entry + 1 < index.len() as u32 {
                assert_eq!(index.entry_before(entry + 1, offset), Some(entry));
            }
            let found = index.find(&index.id(entry)).expect("a name that is there");
            assert_eq!(index.raw(found), index.raw(entry));
        }
    }
}
