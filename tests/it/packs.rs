//! Packs of every shape: what is read family by family is what is read whole, and crafted packs end in words.

use std::fs;
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;

use sha1::Sha1;
use sha2::{Digest, Sha256};
use stanch::rule::RuleSet;
use stanch::scanner::{Outcome, Policy, Scanner};
use stanch::source::history::{History, Options};

use crate::dice::Dice;
use crate::support::{Sandbox, clickup_token, output_with_input, random_text};

fn audit(dir: &Path, options: Options, threads: usize) -> Outcome {
    let history = History::open(dir, options).expect("a repository");
    Scanner::new(RuleSet::builtin(), Policy::default()).scan(&history, threads)
}

/// Scans what is new and scans everything; asserts that both tell the same, to the byte, and returns it.
#[track_caller]
fn both_ways(dir: &Path, threads: usize, what: &str) -> Outcome {
    for reachable_only in [true, false] {
        let options = |no_delta| Options { no_delta, reachable_only, ..Options::default() };
        let (new, whole) = (audit(dir, options(false), threads), audit(dir, options(true), threads));
        assert_eq!(new.coverage, whole.coverage, "{what}");
        assert_eq!(new.suppressed, whole.suppressed, "{what}");
        assert_eq!(new.findings.len(), whole.findings.len(), "{what}");
        for (new, whole) in new.findings.iter().zip(&whole.findings) {
            assert_eq!(format!("{new:#?}"), format!("{whole:#?}"), "{what}");
        }
        if !reachable_only {
            return new;
        }
    }
    unreachable!("the second turn returns")
}

/// A line of a file: mostly text, now and then something to find or to accept.
fn line(dice: &mut Dice) -> String {
    let seed = dice.roll(1 << 30) as u64;
    match dice.roll(24) {
        0 => format!("token = {}", clickup_token(seed)),
        1 => format!("db_password: \"{}\"", random_text("abcdefghjkmnpqrstuvwxyz23456789", 14, seed)),
        2 => "# stanch:allow: a test".to_owned(),
        3 => "clickup api key follows".to_owned(),
        4 => format!("  {}", random_text("0123456789abcdef", 40, seed)),
        5 => format!("\"\\u0070k_{}\"", &clickup_token(seed)[3..]),
        6 => String::new(),
        _ => random_text("abcdefghij klmnop qrs tuvwx yz.,=:()", 20 + dice.roll(60), seed),
    }
}

/// Some files that grow, shrink, are copied and moved, with binary and UTF-16 versions among them.
fn repository(sandbox: Sandbox, seed: u64, commits: usize) -> Sandbox {
    let mut dice = Dice::new(seed.wrapping_mul(77) + 5);
    let mut files: Vec<Vec<String>> = (0..4).map(|_| (0..60).map(|_| line(&mut dice)).collect()).collect();
    // Git makes deltas of trees only where they are this large.
    (0..30).for_each(|number| sandbox.write(&format!("dir/same{number}"), format!("same {number}\n")));
    for number in 0..commits {
        let at = dice.roll(files.len());
        for _ in 0..=dice.roll(4) {
            let len = files[at].len();
            let place = dice.roll(len);
            match dice.roll(6) {
                0 => files[at].insert(place, line(&mut dice)),
                1 => files[at][place] = line(&mut dice),
                2 if len > 20 => {
                    files[at].remove(place);
                }
                3 => {
                    let moved: Vec<String> = files[at].drain(place..(place + 6).min(len)).collect();
                    files[at].extend(moved);
                }
                4 => {
                    let other = dice.roll(4);
                    let borrowed: Vec<String> = files[other].iter().take(12).cloned().collect();
                    files[at].splice(place..place, borrowed);
                }
                _ => files[at][place].push_str(&random_text("abc =\"", 4, dice.roll(1 << 30) as u64)),
            }
            if files[at].is_empty() {
                files[at].push(line(&mut dice));
            }
        }
        let text = files[at].join("\n");
        match dice.roll(14) {
            0 => sandbox.write(&format!("dir/{at}"), [text.as_bytes(), b"\0"].concat()),
            1 => {
                let units: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
                sandbox.write(&format!("dir/{at}"), [&[0xFF, 0xFE][..], &units].concat());
            }
            _ => sandbox.write(&format!("dir/{at}"), text),
        }
        sandbox.commit_all(&format!("number {number}"));
    }
    sandbox
}

#[test]
fn every_layout_tells_the_same_both_ways() {
    for (seed, id_len) in [(1, 20), (2, 32), (3, 20), (4, 32)] {
        let sandbox = repository(Sandbox::repo_with_names(id_len), seed, 40);
        let dir = sandbox.path();
        let loose = both_ways(&dir, 2, "loose");
        assert!(loose.findings.len() > 5, "the test sees something");
        for (number, step) in [
            &["repack", "--quiet", "-a", "-d", "--depth=1", "--window=10"][..],
            &["repack", "--quiet", "-a", "-d", "-F", "--depth=50", "--window=250"],
            &["repack", "--quiet", "-a", "-d", "-F", "--depth=4000", "--window=40"],
            &["-c", "repack.useDeltaBaseOffset=false", "repack", "--quiet", "-a", "-d", "-f", "--window=50"],
            &["-c", "pack.indexVersion=1", "repack", "--quiet", "-a", "-d", "-F"],
            &["-c", "pack.packSizeLimit=1m", "repack", "--quiet", "-a", "-d", "-F", "--window=50"],
        ]
        .into_iter()
        .enumerate()
        {
            sandbox.git(step);
            let outcome = both_ways(&dir, 1 + number % 4, &format!("{step:?}"));
            assert_eq!(format!("{:?}", outcome.findings), format!("{:?}", loose.findings), "{seed} {step:?}");
        }
        // A second pack that has objects of the first, and loose ones beside both.
        sandbox.write("more", format!("token = {}\n", clickup_token(seed + 900)));
        sandbox.commit_all("more");
        both_ways(&dir, 3, "a pack and loose objects");
        sandbox.git(&["repack", "--quiet", "-a"]);
        both_ways(&dir, 3, "two packs and the same loose objects");
        sandbox.git(&["multi-pack-index", "write"]);
        both_ways(&dir, 3, "a multi-pack-index");
        pack_some_again(&sandbox, seed as usize);
        both_ways(&dir, 3, "a larger pack with objects of the others");
        sandbox.git(&["clone", "--quiet", "--shared", ".", "../borrower"]);
        let borrower = sandbox.outside().join("borrower");
        assert_eq!(both_ways(&borrower, 2, "alternates").findings.len(), loose.findings.len() + 1);
    }
}

/// Makes a pack of some of the objects, and of more others than there are.
fn pack_some_again(sandbox: &Sandbox, seed: usize) {
    let listed = sandbox.git(&["rev-list", "--objects", "--all", "--no-object-names"]);
    let some = listed.lines().skip(seed % 3).step_by(3).map(str::to_owned);
    let others: Vec<String> = (0..listed.lines().count()).map(|number| format!("others/{number}")).collect();
    others.iter().for_each(|other| sandbox.write(other, other));
    let mut hash = vec!["hash-object", "-w"];
    hash.extend(others.iter().map(String::as_str));
    let hashed = sandbox.git(&hash);
    fs::remove_dir_all(sandbox.path().join("others")).expect("a directory of this test");
    pack(sandbox, ".", some.chain(hashed.lines().map(str::to_owned)));
    sandbox.git(&["prune-packed", "--quiet"]);
}

/// Makes a pack of some objects of a repository, which may be another one.
fn pack(sandbox: &Sandbox, from: &str, names: impl Iterator<Item = String>) {
    let mut git = sandbox.command("git");
    git.args(["-C", from, "pack-objects", "--quiet", "--window=50"]);
    git.arg(sandbox.path().join(".git/objects/pack/pack"));
    let packed = output_with_input(git, names.collect::<Vec<String>>().join("\n").as_bytes());
    assert!(packed.status.success(), "{packed:?}");
}

/// Blobs, trees and commits that nothing leads to lie among the others, and some that are missing are referred to by both.
#[test]
fn what_cannot_be_reached_is_left_out_both_ways() {
    for (seed, id_len) in [(31, 20), (32, 32), (33, 20)] {
        let sandbox = repository(Sandbox::repo_with_names(id_len), seed, 24);
        let dir = sandbox.path();
        sandbox.git(&["tag", "--annotate", "--message=a file", "file", "HEAD~3:dir/0"]);
        sandbox.git(&["tag", "--annotate", "--message=of a tag", "again", "file"]);
        sandbox.git(&["tag", "--annotate", "--message=a directory", "directory", "HEAD~5:dir"]);
        let submodule = format!("160000,{},sub", "1".repeat(id_len * 2));
        sandbox.git(&["update-index", "--add", "--cacheinfo", &submodule]);
        sandbox.git(&["commit", "--quiet", "--message=a submodule"]);
        let tip = sandbox.git(&["rev-parse", "HEAD"]);
        sandbox.write("dir/late", format!("token = {}\n", clickup_token(seed)));
        sandbox.commit_all("late");
        let reached = sandbox.git(&["rev-parse", "HEAD~1", "HEAD~2:dir", "HEAD~9^{tree}", "HEAD~1:dir/0"]);
        let left = sandbox.git(&["rev-parse", "HEAD", "HEAD^{tree}", "HEAD:dir", "HEAD:dir/late"]);
        sandbox.git(&["reset", "--quiet", "--hard", &tip]);
        sandbox.git(&["update-ref", "-d", "ORIG_HEAD"]);
        sandbox.git(&["reflog", "expire", "--expire=now", "--expire-unreachable=now", "--all"]);
        sandbox.git(&["repack", "--quiet", "-a", "-d", "-f", "--keep-unreachable", "--window=50"]);
        let everything = both_ways(&dir, 2, "everything there");
        let reachable = audit(&dir, Options { reachable_only: true, ..Options::default() }, 2);
        assert!(reachable.findings.len() < everything.findings.len(), "{seed}");
        let listed = sandbox.git(&["cat-file", "--batch-all-objects", "--batch-check=%(objectname)"]);
        let objects = dir.join(".git/objects");
        let format = format!("--object-format={}", if id_len == 20 { "sha1" } else { "sha256" });
        sandbox.git(&["init", "--quiet", "--bare", &format, "../whole"]);
        let whole = sandbox.outside().join("whole/objects");
        fs::remove_dir_all(&whole).expect("a directory");
        fs::rename(&objects, whole).expect("objects");
        let missing = reached.lines().map(|name| (name, true)).chain(left.lines().map(|name| (name, false)));
        for (missing, is_reached) in missing {
            fs::create_dir_all(objects.join("pack")).expect("a directory");
            pack(&sandbox, "../whole", listed.lines().filter(|name| *name != missing).map(str::to_owned));
            let outcome = both_ways(&dir, 2, &format!("{seed}: without {missing}"));
            assert_eq!(!outcome.coverage.problems.is_empty(), is_reached, "{seed}: without {missing}");
            fs::remove_dir_all(&objects).expect("objects");
        }
    }
}

/// Commits, tags and trees that refer to an object of another kind, and some that break off: what is reached then is not
/// for the packs to tell.
#[test]
fn what_is_not_what_it_should_be_is_told_the_same_both_ways() {
    let sandbox = repository(Sandbox::repo(), 51, 4);
    let dir = sandbox.path();
    let hash = |kind: &str, content: &[u8]| {
        let mut git = sandbox.command("git");
        git.args(["hash-object", "--literally", "-t", kind, "-w", "--stdin"]);
        let hashed = output_with_input(git, content);
        assert!(hashed.status.success(), "{hashed:?}");
        String::from_utf8(hashed.stdout).expect("a name").trim_end().to_owned()
    };
    let name = |spec: &str| sandbox.git(&["rev-parse", spec]);
    let (head, tree, blob) = (name("HEAD"), name("HEAD^{tree}"), name("HEAD:dir/same0"));
    let who = "A <a@example.org> 1714972089 +0000";
    let commit = |tree: &str, parent: &str| {
        hash(
            "commit",
            format!("tree {tree}\nparent {parent}\nauthor {who}\ncommitter {who}\n\nodd\n").as_bytes(),
        )
    };
    let byte =
        |digits: &[u8]| u8::from_str_radix(str::from_utf8(digits).expect("digits"), 16).expect("a byte");
    let raw: Vec<u8> = blob.as_bytes().chunks(2).map(byte).collect();
    let as_tree = hash("tree", &[b"40000 odd\0", &raw[..]].concat());
    let cut = hash("tree", &[b"100644 a\0", &raw[..], b"100644 b\0", &raw[..7]].concat());
    let odd = [
        commit(&blob, &head),
        commit(&tree, &blob),
        commit(&tree, &tree),
        commit(&as_tree, &head),
        commit(&cut, &head),
        hash("commit", b"tree of some kind\n"),
        hash("tag", format!("object {blob}\ntype commit\ntag odd\ntagger {who}\n\nodd\n").as_bytes()),
        hash("tag", b"object of some kind\n"),
    ];
    for odd in odd {
        fs::write(dir.join(".git/refs/tags/odd"), format!("{odd}\n")).expect("a ref");
        both_ways(&dir, 2, &format!("loose: {odd}"));
        let listed = sandbox.git(&["cat-file", "--batch-all-objects", "--batch-check=%(objectname)"]);
        pack(&sandbox, ".", listed.lines().map(str::to_owned));
        let outcome = both_ways(&dir, 2, &format!("packed: {odd}"));
        assert!(!outcome.coverage.problems.is_empty(), "{odd}");
    }
}

/// A fetch sends deltas on objects that the receiver has; git completes the pack with them.
#[test]
fn a_completed_thin_pack_tells_the_same_both_ways() {
    let sandbox = repository(Sandbox::repo(), 8, 20);
    sandbox.git(&["repack", "--quiet", "-a", "-d"]);
    sandbox.git(&["clone", "--quiet", "--no-hardlinks", ".", "../copy"]);
    for number in 0..3 {
        let mut text = fs::read(sandbox.path().join("dir/0")).unwrap_or_default();
        text.extend_from_slice(
            format!("\nline {number}\ntoken = {}\n", clickup_token(number + 70)).as_bytes(),
        );
        sandbox.write("dir/0", text);
        sandbox.commit_all("later");
    }
    sandbox.git(&["-C", "../copy", "-c", "fetch.unpackLimit=1", "fetch", "--quiet"]);
    let copy = sandbox.outside().join("copy");
    let packs = fs::read_dir(copy.join(".git/objects/pack")).unwrap();
    assert!(packs.filter(|file| file.as_ref().unwrap().path().extension().unwrap() == "pack").count() > 1);
    both_ways(&copy, 2, "a thin pack, completed");
}

/// A pack made by hand. Each entry is its header, its name where it has one, and what is deflated.
struct Crafted {
    pack: Vec<u8>,
    /// Name, offset, checksum.
    rows: Vec<(Vec<u8>, u64, u32)>,
    /// How many bytes a name has.
    id_len: usize,
    /// How many bytes of `pack` stand before a hole in the file, and how long that is.
    hole: (usize, u64),
}

const BLOB: u8 = 3;
const OFFSET_DELTA: u8 = 6;
const NAME_DELTA: u8 = 7;

impl Crafted {
    fn new(id_len: usize) -> Self {
        Self { pack: b"PACK\0\0\0\x02\0\0\0\0".to_vec(), rows: Vec::new(), id_len, hole: (0, 0) }
    }

    /// A name of one byte, over and over.
    fn name(&self, byte: u8) -> Vec<u8> {
        vec![byte; self.id_len]
    }

    /// The name of a blob.
    fn name_of(&self, content: &[u8]) -> Vec<u8> {
        let framed = [format!("blob {}\0", content.len()).as_bytes(), content].concat();
        match self.id_len {
            32 => Sha256::digest(framed).to_vec(),
            _ => Sha1::digest(framed).to_vec(),
        }
    }

    /// Puts what follows at a later offset, behind bytes that no entry needs.
    fn skip_to(&mut self, offset: u64) {
        self.hole = (self.pack.len(), offset - self.pack.len() as u64);
    }

    /// Appends an entry and returns its offset.
    fn add(&mut self, name: Vec<u8>, kind: u8, size: usize, base: &[u8], content: &[u8]) -> u64 {
        let mut packed = Vec::new();
        let mut rest = size >> 4;
        packed.push(kind << 4 | (size & 15) as u8 | if rest > 0 { 0x80 } else { 0 });
        while rest > 0 {
            packed.push((rest & 0x7F) as u8 | if rest > 0x7F { 0x80 } else { 0 });
            rest >>= 7;
        }
        packed.extend_from_slice(base);
        packed.extend(deflated(content));
        self.add_packed(name, &packed)
    }

    fn add_packed(&mut self, name: Vec<u8>, packed: &[u8]) -> u64 {
        let offset = self.pack.len() as u64 + self.hole.1;
        self.pack.extend_from_slice(packed);
        self.rows.push((name, offset, crc32fast::hash(packed)));
        offset
    }

    fn blob(&mut self, content: &[u8]) -> u64 {
        self.add(self.name_of(content), BLOB, content.len(), &[], content)
    }

    /// Writes pack and index into a new repository.
    fn into_repository(mut self) -> Sandbox {
        let sandbox = Sandbox::repo_with_names(self.id_len);
        let dir = sandbox.path().join(".git/objects/pack");
        self.pack[8..12].copy_from_slice(&(self.rows.len() as u32).to_be_bytes());
        let checksum = self.name(7);
        self.pack.extend_from_slice(&checksum);
        self.rows.sort_unstable();
        let mut index = b"\xFFtOc\0\0\0\x02".to_vec();
        for slot in 0..=255 {
            let count = self.rows.iter().filter(|(name, ..)| name[0] <= slot).count() as u32;
            index.extend(count.to_be_bytes());
        }
        self.rows.iter().for_each(|(name, ..)| index.extend(name));
        self.rows.iter().for_each(|(.., sum)| index.extend(sum.to_be_bytes()));
        let mut large: Vec<u64> = Vec::new();
        for (_, offset, _) in &self.rows {
            let small = u32::try_from(*offset).ok().filter(|offset| *offset < 1 << 31);
            index.extend(small.unwrap_or(large.len() as u32 | 1 << 31).to_be_bytes());
            large.extend(small.is_none().then_some(*offset));
        }
        large.iter().for_each(|offset| index.extend(offset.to_be_bytes()));
        index.extend(checksum);
        index.extend(self.name(0));
        fs::create_dir_all(&dir).expect("a directory");
        let mut file = fs::File::create(dir.join("pack-crafted.pack")).expect("a pack");
        let (before, behind) = self.pack.split_at(self.hole.0);
        file.write_all(before).expect("room enough");
        file.seek(SeekFrom::Current(self.hole.1 as i64)).expect("a file system with holes");
        file.write_all(behind).expect("room enough");
        fs::write(dir.join("pack-crafted.idx"), index).expect("an index");
        sandbox
    }
}

/// As zlib writes it (RFC 1950).
pub fn deflated(content: &[u8]) -> Vec<u8> {
    let mut compressor = libdeflater::Compressor::new(libdeflater::CompressionLvl::default());
    let mut out = vec![0; compressor.zlib_compress_bound(content.len())];
    let len = compressor.zlib_compress(content, &mut out).expect("room enough");
    out.truncate(len);
    out
}

/// The instructions that copy `len` bytes of a base of `base_len` bytes and append `tail`.
fn delta(base_len: u8, len: u8, tail: &[u8]) -> Vec<u8> {
    let mut delta = vec![base_len, len + tail.len() as u8, 0x90, len, tail.len() as u8];
    delta.extend_from_slice(tail);
    delta
}

#[test]
fn crafted_packs_end_in_words_that_name_pack_and_offset() {
    const BASE: &[u8] = b"a base of some bytes, not many";
    let len = BASE.len() as u8;
    type Craft = fn(&mut Crafted, u8) -> u64;
    let crafts: [(&str, Craft); 13] = [
        ("its delta leads back to itself", |pack, len| {
            let (one, two) = (pack.name(0x11), pack.name(0x22));
            let delta = delta(len, len, b"x");
            pack.add(one.clone(), NAME_DELTA, delta.len(), &two, &delta);
            pack.add(two, NAME_DELTA, delta.len(), &one, &delta)
        }),
        ("its delta leads back to itself", |pack, len| {
            let delta = delta(len, len, b"x");
            pack.add(pack.name(0x11), NAME_DELTA, delta.len(), &pack.name(0x11), &delta)
        }),
        ("its delta is for a base that the pack does not have", |pack, len| {
            let delta = delta(len, len, b"x");
            pack.add(pack.name(0x11), NAME_DELTA, delta.len(), &pack.name(0x33), &delta)
        }),
        ("its delta is for a base that the pack does not have", |pack, len| {
            let delta = delta(len, len, b"x");
            pack.add(pack.name(0x11), OFFSET_DELTA, delta.len(), &[3], &delta)
        }),
        ("its delta is for a base of another length", |pack, len| {
            let delta = delta(len - 1, 9, b"x");
            pack.add(pack.name(0x11), NAME_DELTA, delta.len(), &pack.name_of(BASE), &delta)
        }),
        ("its delta copies bytes that its base does not have", |pack, len| {
            let delta = delta(len, len + 1, b"x");
            pack.add(pack.name(0x11), NAME_DELTA, delta.len(), &pack.name_of(BASE), &delta)
        }),
        ("its delta makes another length than it says", |pack, len| {
            let delta = [len, 50, 0x90, len];
            pack.add(pack.name(0x11), NAME_DELTA, delta.len(), &pack.name_of(BASE), &delta)
        }),
        ("its delta has an instruction that makes no sense", |pack, len| {
            let delta = [len, 50, 0];
            pack.add(pack.name(0x11), NAME_DELTA, delta.len(), &pack.name_of(BASE), &delta)
        }),
        ("its compressed bytes are damaged", |pack, _| {
            pack.add(pack.name(0x11), BLOB, 9, &[], b"ten bytes.")
        }),
        ("its compressed bytes are damaged", |pack, _| {
            pack.add(pack.name(0x11), BLOB, 11, &[], b"ten bytes.")
        }),
        // A thousand million bytes out of few.
        ("its compressed bytes are damaged", |pack, _| {
            pack.add(pack.name(0x11), BLOB, 1 << 29, &[], &[0; 9999])
        }),
        ("its compressed bytes are damaged", |pack, _| {
            let stream = deflated(random_text("abcdef", 500, 1).as_bytes());
            let cut = [&[0xB4, 0x1F][..], &stream[..stream.len() / 2]].concat();
            pack.add_packed(pack.name(0x11), &cut)
        }),
        ("its header makes no sense", |pack, _| pack.add_packed(pack.name(0x11), &[0x5A, 1, 2, 3])),
    ];
    let each =
        crafts.into_iter().enumerate().flat_map(|(number, craft)| [(number, craft, 20), (number, craft, 32)]);
    for (number, (words, craft), id_len) in each {
        let mut pack = Crafted::new(id_len);
        pack.blob(BASE);
        let offset = craft(&mut pack, len);
        let found = format!("token = {}\n", clickup_token(5));
        pack.blob(found.as_bytes());
        let sandbox = pack.into_repository();
        let outcome = audit(&sandbox.path(), Options::default(), 2);
        let said: Vec<&str> = outcome.coverage.problems.iter().map(|problem| &*problem.message).collect();
        let expected = format!("at offset {offset} of pack-crafted.pack");
        assert!(
            said.iter().any(|said| said.contains(words) && said.contains(&expected)),
            "{number}, {words}, {expected}: {said:?}"
        );
        assert_eq!(outcome.findings.len(), 1, "{number}: the rest is read");
        sandbox.stanch(&["history"]).expect_code(2);
    }
}

/// A delta of a few bytes on a commit that says that it makes gibibytes of it.
#[test]
fn a_commit_that_says_it_is_gigantic_is_not_made_room_for() {
    for id_len in [20, 32] {
        const COMMIT: u8 = 1;
        let base = format!("tree {}\n\nx", "4b".repeat(id_len));
        let mut pack = Crafted::new(id_len);
        pack.add(pack.name(0x11), COMMIT, base.len(), &[], base.as_bytes());
        // The length of the base, 8 GiB in groups of seven bits, a copy.
        let delta = [base.len() as u8, 0x80, 0x80, 0x80, 0x80, 0x20, 0x90, 9];
        let offset = pack.add(pack.name(0x22), NAME_DELTA, delta.len(), &pack.name(0x11), &delta);
        let sandbox = pack.into_repository();
        let outcome = audit(&sandbox.path(), Options { reachable_only: false, ..Options::default() }, 1);
        let said: Vec<&str> = outcome.coverage.problems.iter().map(|problem| &*problem.message).collect();
        let expected = format!("at offset {offset} of pack-crafted.pack");
        assert!(said.iter().any(|said| said.contains(&expected)), "{said:?}");
        // The slow twin asks libgit2 at once.
        let outcome = audit(&sandbox.path(), Options { no_delta: true, ..Options::default() }, 1);
        let said: Vec<&str> = outcome.coverage.problems.iter().map(|problem| &*problem.message).collect();
        // To where an address has 32 bits such a length is none.
        let expected = match usize::BITS {
            64 => "it says that it has 8589934592 bytes",
            _ => "failed to apply delta",
        };
        assert!(said.iter().any(|said| said.contains(expected)), "{said:?}");
    }
}

/// What little bytes would become is no reason to make room for it: all of this is audited in a gigabyte of addresses.
#[test]
#[cfg(target_os = "linux")]
fn bombs_end_in_words_and_in_little_memory() {
    for id_len in [20, 32] {
        fn size(mut bytes: u64) -> Vec<u8> {
            let mut out = Vec::new();
            while bytes > 0x7F {
                out.push(bytes as u8 | 0x80);
                bytes >>= 7;
            }
            out.push(bytes as u8);
            out
        }
        let mut pack = Crafted::new(id_len);
        let zeros = vec![0; 64 << 20];
        let offset = pack.add(pack.name(0x11), BLOB, 1000, &[], &zeros);
        pack.add(pack.name(0x12), BLOB, 3 << 30, &[], &zeros);
        pack.add(pack.name(0x13), BLOB, 1 << 29, &[], &zeros);
        let base = b"a base";
        pack.blob(base);
        let claim = [size(base.len() as u64), size(1 << 40), vec![0x90, 6]].concat();
        pack.add(pack.name(0x14), NAME_DELTA, claim.len(), &pack.name_of(base), &claim);
        // Each makes two of the one before it, up to 32 GiB.
        let (mut name, mut len) = (pack.name_of(base), base.len() as u64);
        for number in 0..32 {
            let mut delta = [size(len), size(2 * len)].concat();
            for _ in 0..2 {
                let mut at = 0;
                while at < len {
                    let piece = (len - at).min(0xFF_FFFF);
                    delta.push(0xFF);
                    delta.extend((at as u32).to_le_bytes());
                    delta.extend(&(piece as u32).to_le_bytes()[..3]);
                    at += piece;
                }
            }
            let made = pack.name(0x40 + number);
            pack.add(made.clone(), NAME_DELTA, delta.len(), &name, &delta);
            (name, len) = (made, 2 * len);
        }
        let found = format!("token = {}\n", clickup_token(5));
        pack.blob(found.as_bytes());
        let sandbox = pack.into_repository();
        let limited =
            "ulimit -v 1000000 && exec \"$0\" history --threads 2 --max-file-bytes 1M --format json";
        let output =
            sandbox.command("sh").args(["-c", limited, crate::support::stanch()]).output().expect("sh runs");
        let ran = crate::support::Ran::new(output).expect_code(2);
        let report = ran.json();
        assert_eq!(report["findings"].as_array().map(Vec::len), Some(1), "the rest is read");
        let expected = format!("at offset {offset} of pack-crafted.pack");
        assert!(ran.stdout.contains(&expected), "{expected}: {}", ran.stdout);
    }
}

/// What hangs on a broken entry is named too, and a good copy elsewhere makes good for it.
#[test]
fn a_broken_base_is_made_good_by_another_copy() {
    for id_len in [20, 32] {
        let base = format!("token = {}\n{}", clickup_token(6), random_text("abc\n", 60, 2));
        let made = format!("{base}x");
        let craft = || {
            let mut pack = Crafted::new(id_len);
            let mut packed = vec![0xB0 | (base.len() & 15) as u8, (base.len() >> 4) as u8];
            packed.extend(deflated(base.as_bytes()));
            let last = packed.len() - 1;
            packed[last] ^= 1;
            pack.add_packed(pack.name_of(base.as_bytes()), &packed);
            let delta = delta(base.len() as u8, base.len() as u8, b"x");
            pack.add(
                pack.name_of(made.as_bytes()),
                NAME_DELTA,
                delta.len(),
                &pack.name_of(base.as_bytes()),
                &delta,
            );
            pack.into_repository()
        };
        let sandbox = craft();
        let outcome = audit(&sandbox.path(), Options::default(), 2);
        assert_eq!(outcome.coverage.problems.len(), 2, "{:?}", outcome.coverage.problems);
        let broken =
            |words: &str| outcome.coverage.problems.iter().any(|problem| problem.message.contains(words));
        assert!(broken("its compressed bytes are damaged") && broken("the base of its delta cannot be read"));
    }
}

/// Entries lie behind a hole of five gibibytes, where offsets have more than 32 bits. The first entry of a pack
/// starts at 12, and is none here, so that nobody reads the hole.
#[test]
fn a_pack_of_more_than_four_gibibytes_is_read() {
    for id_len in [20, 32] {
        let base = format!("token = {}\n{}", clickup_token(7), random_text("abc\n", 60, 2));
        let derived = format!("{base}x");
        let far = format!("other = {}\n", clickup_token(8));
        let mut pack = Crafted::new(id_len);
        pack.add_packed(pack.name(0x11), &[0x5A, 1, 2, 3]);
        pack.skip_to((5 << 30) + 12_345);
        let first = pack.blob(base.as_bytes());
        assert!(first > 1 << 32);
        pack.blob(far.as_bytes());
        // Seven bits a byte, the highest first, each but the last less one (gitformat-pack(5)).
        let distance = pack.pack.len() as u64 + pack.hole.1 - first;
        let back = [((distance >> 7) - 1) as u8 | 0x80, (distance & 0x7F) as u8];
        let delta = delta(base.len() as u8, base.len() as u8, b"x");
        pack.add(pack.name_of(derived.as_bytes()), OFFSET_DELTA, delta.len(), &back, &delta);
        let texts = [&base, &derived, &far];
        let names = texts.map(|text| data_encoding::HEXLOWER.encode(&pack.name_of(text.as_bytes())));
        let sandbox = pack.into_repository();
        for (content, name) in texts.into_iter().zip(&names) {
            assert_eq!(
                sandbox.git(&["cat-file", "blob", name]).trim_end(),
                content.trim_end(),
                "git reads it"
            );
        }
        let outcome = audit(&sandbox.path(), Options::default(), 2);
        let problems: Vec<&str> = outcome.coverage.problems.iter().map(|problem| &*problem.message).collect();
        if cfg!(target_pointer_width = "32") {
            assert!(!problems.is_empty(), "no map is that large, and that is said");
            return;
        }
        assert!(
            matches!(problems[..], [one] if one.contains("at offset 12 of")),
            "the rest is read: {problems:?}"
        );
        assert_eq!((outcome.coverage.blobs, outcome.findings.len()), (3, 3));
    }
}

/// One chain of deltas, each on the one before, far longer than git makes them.
#[test]
fn a_chain_of_many_thousand_deltas_is_read() {
    for id_len in [20, 32] {
        let mut pack = Crafted::new(id_len);
        let mut content = vec![b'a'; 40];
        pack.blob(&content);
        for number in 1..=20_000_u32 {
            let before = pack.name_of(&content);
            let mut delta = vec![40, 40, 0x90 | 1, 4, 36, 4];
            delta.extend([12, 8, 4, 0].map(|shift| b'a' + (number >> shift & 15) as u8));
            content.drain(..4);
            content.extend_from_slice(&delta[6..]);
            pack.add(pack.name_of(&content), NAME_DELTA, delta.len(), &before, &delta);
        }
        let count = pack.rows.len() as u64;
        let sandbox = pack.into_repository();
        let outcome = audit(&sandbox.path(), Options::default(), 2);
        assert_eq!((outcome.coverage.blobs, outcome.coverage.problems.len()), (count, 0));
    }
}
