//! Pack indexes: what is accepted keeps its promises about names, offsets and neighbours.

use std::fs;
use std::sync::LazyLock;

use stanch::git::pack::PackIndex;
use tempfile::TempDir;

static DIR: LazyLock<TempDir> = LazyLock::new(|| tempfile::tempdir().expect("a directory"));

pub fn run(bytes: &[u8]) {
    // A new one each time: one that is mapped stays as it is.
    let file = DIR.path().join("pack.idx");
    let _ = fs::remove_file(&file);
    fs::write(&file, bytes).expect("a file");
    for id_len in [20, 32] {
        let Ok(index) = PackIndex::map(&file, id_len).and_then(PackIndex::read_whole) else { continue };
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
