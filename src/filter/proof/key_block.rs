//! Private keys between `-----BEGIN …-----` and `-----END …-----`: PEM (RFC 7468 and its forerunners), OpenSSH
//! and OpenPGP.
//!
//! Keys stand in source code more often than in files of their own: escaped line ends, quotes, signs that join
//! texts, marks of comments and indentation are passed over.

use super::{Proof, base64, der, openpgp};
use crate::level::Confidence;

/// No key is shorter.
const SHORTEST_KEY_BYTES: usize = 32;
/// A run of letters this long is part of the key, whatever stands round it.
const LONG_RUN: usize = 16;
/// A line with a colon is a header, unless it holds a run this long.
const LONGEST_HEADER_RUN: usize = 40;

/// Judges a block by what its body decodes to.
pub fn prove(value: &[u8]) -> Proof {
    // The whole block encoded once more, as in secrets of Kubernetes.
    if value.starts_with(b"LS0tLS1") {
        let run = value.iter().take_while(|&&byte| base64::is_letter(byte)).count();
        return base64::decode(&value[..run]).map_or(Proof::Silent, |block| prove_block(&block));
    }
    prove_block(value)
}

fn prove_block(value: &[u8]) -> Proof {
    let Some((label, text)) = armour(value) else { return Proof::Silent };
    if memchr::memmem::find(label, b"PRIVATE KEY").is_none() {
        return Proof::Silent;
    }
    let body = Body::read(text);
    let raw = body.decode();
    if raw.len() < SHORTEST_KEY_BYTES {
        return Proof::Refuted("too short to hold a key");
    }
    let says_encrypted = |text| memchr::memmem::find(text, b"ENCRYPTED").is_some();
    if label.starts_with(b"PGP ") {
        openpgp::prove(&raw, body.checksum.as_ref())
    } else if label.starts_with(b"OPENSSH ") {
        openssh(&raw)
    } else if says_encrypted(label) || says_encrypted(text) {
        encrypted("a private key")
    } else {
        plain(label, &raw)
    }
}

/// A key that needs a passphrase is worth a look, but hardly anybody calls it a leak.
pub fn encrypted(what: &str) -> Proof {
    Proof::Judged(Confidence::Low, format!("{what} encrypted with a passphrase"))
}

pub fn unencrypted(what: &str) -> Proof {
    Proof::Proven(format!("a well-formed {what}, not encrypted"))
}

/// The label and what stands between the two lines, or as much of it as there is.
fn armour(value: &[u8]) -> Option<(&[u8], &[u8])> {
    const BEGIN: &[u8] = b"-----BEGIN ";
    let start = memchr::memmem::find(value, BEGIN)? + BEGIN.len();
    let rest = &value[start..];
    let (label, rest) = rest.split_at(memchr::memmem::find(rest, b"-----")?);
    let rest = &rest[5..];
    Some((label, &rest[..memchr::memmem::find(rest, b"-----").unwrap_or(rest.len())]))
}

/// The letters of a block, without all that is not part of it.
#[derive(Debug, Default)]
struct Body {
    letters: Vec<u8>,
    /// The four letters behind `=` that close an OpenPGP block.
    checksum: Option<[u8; 4]>,
}

impl Body {
    fn read(text: &[u8]) -> Self {
        let mut body = Self::default();
        for (index, line) in lines(text).enumerate() {
            body.take_line(&line, index == 0);
        }
        body
    }

    /// The bytes behind the letters, as far as they go: a letter that went astray in the middle leaves the
    /// head readable.
    fn decode(&self) -> Vec<u8> {
        let letters = self.letters.split(|&letter| letter == b'=').next().unwrap_or_default();
        let whole = letters.len() - usize::from(letters.len() % 4 == 1);
        base64::decode(&letters[..whole]).unwrap_or_default()
    }

    fn take_line(&mut self, line: &[u8], is_first: bool) {
        let is_letter = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/=".contains(byte);
        let same_kind = |a: &u8, b: &u8| is_letter(a) == is_letter(b);
        let pieces: Vec<&[u8]> = line.chunk_by(same_kind).collect();
        let is_data = |piece: &[u8]| {
            piece.first().is_some_and(is_letter)
                && (piece.iter().any(u8::is_ascii_alphanumeric) || piece.iter().all(|&byte| byte == b'='))
        };
        let data = pieces.iter().filter(|piece| is_data(piece));
        let longest = data.map(|piece| piece.len()).max().unwrap_or(0);
        if line.contains(&b':') && longest < LONGEST_HEADER_RUN {
            return;
        }
        // Words behind the opening line are a remark, and a last row may be short.
        let shortest = if longest >= LONG_RUN { LONG_RUN } else { 1 };
        if is_first && longest < LONG_RUN {
            return;
        }
        let Some(start) = pieces.iter().position(|piece| is_data(piece) && piece.len() >= shortest) else {
            return;
        };
        self.take(pieces[start]);
        // A block on one line has spaces where its line ends were.
        for pair in pieces[start + 1..].chunks_exact(2) {
            if !(pair[0].iter().all(|&byte| byte == b' ') && is_data(pair[1])) {
                break;
            }
            self.take(pair[1]);
        }
    }

    fn take(&mut self, piece: &[u8]) {
        match piece {
            [b'=', sum @ ..] if sum.len() == 4 && !sum.contains(&b'=') => self.checksum = sum.try_into().ok(),
            _ => self.letters.extend_from_slice(piece),
        }
    }
}

/// The lines of a text in which line ends may be escaped, once or more often, and so may `/`, `+` and `=`.
fn lines(text: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let mut text = rest.take()?;
        let mut line = Vec::new();
        while let Some((&byte, tail)) = text.split_first() {
            text = tail;
            match byte {
                b'\n' | b'\r' => {
                    rest = Some(tail);
                    break;
                }
                b'\\' => {
                    let slashes = tail.iter().take_while(|&&byte| byte == b'\\').count();
                    text = &tail[slashes..];
                    match text.first() {
                        Some(b'n' | b'r' | b't') => {
                            rest = Some(&text[1..]);
                            break;
                        }
                        Some(b'/' | b'+' | b'=') => {}
                        _ => line.push(b'\\'),
                    }
                }
                _ => line.push(byte),
            }
        }
        Some(line)
    })
}

/// `openssh-key-v1`, the names of cipher and key derivation, its options, the number of keys, the public and
/// the private half; each text behind its length. Source: PROTOCOL.key of OpenSSH.
fn openssh(raw: &[u8]) -> Proof {
    let fields = || {
        let rest = raw.strip_prefix(b"openssh-key-v1\0")?;
        let (cipher, rest) = text(rest)?;
        let (_, rest) = text(text(rest)?.1)?;
        let (_, rest) = rest.split_first_chunk::<4>()?;
        let (private, _) = text(text(rest)?.1)?;
        Some((cipher, private))
    };
    match fields() {
        Some((b"none", private)) if private.len() >= SHORTEST_KEY_BYTES => unencrypted("OpenSSH private key"),
        Some((b"none", _)) | None => Proof::Silent,
        Some(_) => encrypted("an OpenSSH private key"),
    }
}

/// A text behind its length in four bytes.
fn text(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    rest.split_at_checked(u32::from_be_bytes(*length) as usize)
}

/// A key in DER: PKCS#1, SEC 1, PKCS#8 or the form that OpenSSL gives DSA keys.
fn plain(label: &[u8], raw: &[u8]) -> Proof {
    if !matches!(label, b"PRIVATE KEY" | b"RSA PRIVATE KEY" | b"EC PRIVATE KEY" | b"DSA PRIVATE KEY") {
        return Proof::Silent;
    }
    let broken = |reason: &str| Proof::Judged(Confidence::Medium, reason.to_owned());
    let Some(outer) = der::expect(raw, der::SEQUENCE) else {
        return broken("what it holds is not in the form of a key");
    };
    let (there, declared) = (outer.content.len(), outer.declared_bytes);
    // More than the first fifth of a large key is its public half, or numbers that many keys share.
    if declared > 512 && there * 5 < declared {
        return Proof::Refuted("it breaks off before its secret part");
    }
    if !outer.is_whole() {
        // Where little is missing, a letter or a row went astray, and the rest gives the key away.
        let is_nearly_whole = there * 10 >= declared * 9;
        return if is_nearly_whole { Proof::Silent } else { broken("a private key that breaks off") };
    }
    // A letter or two of padding that went astray is nothing; more is another thing than a key.
    if outer.rest.len() > 3 {
        return Proof::Silent;
    }
    match kind(label, outer.content) {
        Some(kind) => unencrypted(&format!("{kind}private key")),
        None => Proof::Silent,
    }
}

/// The kind of key in the sequence, with a space behind it. PKCS#8 is found under the other labels too.
fn kind(label: &[u8], content: &[u8]) -> Option<&'static str> {
    let version = der::expect(content, der::INTEGER)?;
    if !matches!(version.content, [0 | 1]) {
        return None;
    }
    let next = der::element(version.rest)?;
    match (next.tag, label) {
        (der::SEQUENCE, _) if next.is_whole() => {
            let object = der::expect(next.content, der::OBJECT)?;
            let key = der::expect(next.rest, der::OCTET_STRING)?;
            (object.is_whole() && key.is_whole() && !key.content.is_empty())
                .then(|| algorithm(object.content))
        }
        (der::OCTET_STRING, b"EC PRIVATE KEY") if next.is_whole() && next.content.len() >= 14 => Some("EC "),
        (der::INTEGER, b"RSA PRIVATE KEY") if next.is_whole() && next.content.len() >= 32 => Some("RSA "),
        (der::INTEGER, b"DSA PRIVATE KEY") if next.is_whole() && next.content.len() >= 32 => Some("DSA "),
        _ => None,
    }
}

/// The name of an algorithm in PKCS#8.
fn algorithm(object: &[u8]) -> &'static str {
    match object {
        // 1.2.840.113549.1.1.*
        [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, _] => "RSA ",
        // 1.2.840.10045.2.1
        [0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01] => "EC ",
        // 1.2.840.10040.4.1
        [0x2A, 0x86, 0x48, 0xCE, 0x38, 0x04, 0x01] => "DSA ",
        // 1.3.101.110 to 113
        [0x2B, 0x65, 0x6E] => "X25519 ",
        [0x2B, 0x65, 0x6F] => "X448 ",
        [0x2B, 0x65, 0x70] => "Ed25519 ",
        [0x2B, 0x65, 0x71] => "Ed448 ",
        _ => "",
    }
}

#[cfg(test)]
pub(super) mod tests {
    use data_encoding::BASE64;

    use super::super::seal::key;
    use super::super::tests::prove_now;
    use super::*;
    use crate::rule::schema::Checksum;

    fn pkcs_1() -> Vec<u8> {
        key("RSA PRIVATE KEY", b"Z")
    }

    /// The file of OpenSSH with another cipher of the same length.
    fn ssh(cipher: &[u8; 4]) -> Vec<u8> {
        let mut raw = key("OPENSSH PRIVATE KEY", b"Z");
        raw[19..23].copy_from_slice(cipher);
        raw
    }

    fn rows(raw: &[u8]) -> Vec<String> {
        let text = BASE64.encode(raw);
        text.as_bytes().chunks(64).map(|row| String::from_utf8(row.to_vec()).unwrap()).collect()
    }

    /// A block whose lines begin and end with those texts.
    pub fn block(label: &str, rows: &[String], before: &str, after: &str) -> String {
        let (begin, end) = (format!("-----BEGIN {label}-----"), format!("-----END {label}-----"));
        let lines: Vec<String> = rows.iter().map(|row| format!("{before}{row}{after}")).collect();
        format!("{begin}{after}{}{before}{end}", lines.concat())
    }

    pub fn pem(text: &str) -> Proof {
        prove_now(Checksum::Pem, text.as_bytes())
    }

    #[track_caller]
    fn proves(label: &str, raw: &[u8], kind: &str) {
        let right = Proof::Proven(format!("a well-formed {kind}private key, not encrypted"));
        assert_eq!(pem(&block(label, &rows(raw), "", "\n")), right);
    }

    #[test]
    fn every_plain_form_is_known() {
        proves("RSA PRIVATE KEY", &pkcs_1(), "RSA ");
        proves("DSA PRIVATE KEY", &key("DSA PRIVATE KEY", b"Z"), "DSA ");
        proves("EC PRIVATE KEY", &key("EC PRIVATE KEY", b"Z"), "EC ");
        proves("PRIVATE KEY", &key("PRIVATE KEY", b"Z"), "Ed25519 ");
        proves("RSA PRIVATE KEY", &key("PRIVATE KEY", b"Z"), "Ed25519 ");
        proves("OPENSSH PRIVATE KEY", &key("OPENSSH PRIVATE KEY", b"Z"), "OpenSSH ");
        proves("PGP PRIVATE KEY BLOCK", &key("PGP PRIVATE KEY BLOCK", b"Z"), "OpenPGP ");
    }

    #[test]
    fn code_round_the_rows_changes_nothing() {
        let right = Proof::Proven("a well-formed RSA private key, not encrypted".into());
        let surroundings = [
            ("", "\r\n"),
            ("", "\\n"),
            ("", "\\\\n"),
            ("", "\\r\\n"),
            ("    ", "\n"),
            ("  \"", "\\n\" +\n"),
            ("  \"", "\" +\n"),
            ("  '", "\\n'\n"),
            ("// ", "\n"),
            (" * ", "\n"),
            ("# ", "\n"),
            ("> ", "\n"),
            ("", " "),
            ("  . \"", "\" & vbCrLf & _\n"),
            ("", "\\\n"),
        ];
        for (before, after) in surroundings {
            let text = block("RSA PRIVATE KEY", &rows(&pkcs_1()), before, after);
            assert_eq!(pem(&text), right, "{before:?} {after:?}");
        }
        let text = block("RSA PRIVATE KEY", &rows(&pkcs_1()), "", "\n");
        assert_eq!(pem(&text.replace('/', "\\/").replace('\n', "\\n")), right, "as PHP writes JSON");
        assert_eq!(pem(&text.replacen("-----\n", "----- fake\n", 1)), right, "a remark on the first line");
        assert_eq!(pem(&BASE64.encode(text.as_bytes())), right, "encoded once more");
    }

    #[test]
    fn encrypted_keys_are_told_apart() {
        let mut legacy = rows(&[0x5A; 600]);
        legacy.insert(0, "Proc-Type: 4,ENCRYPTED".to_owned());
        legacy.insert(1, format!("DEK-Info: AES-128-CBC,{}", "0F".repeat(16)));
        legacy.insert(2, String::new());
        let reason = "a private key encrypted with a passphrase".to_owned();
        let low = Proof::Judged(Confidence::Low, reason);
        for after in ["\n", "\\n"] {
            assert_eq!(pem(&block("RSA PRIVATE KEY", &legacy, "", after)), low);
        }
        assert_eq!(pem(&block("ENCRYPTED PRIVATE KEY", &rows(&[0x5A; 600]), "", "\n")), low);
        let proof = pem(&block("OPENSSH PRIVATE KEY", &rows(&ssh(b"3des")), "", "\n"));
        assert!(matches!(proof, Proof::Judged(Confidence::Low, _)));
    }

    #[test]
    fn what_is_no_key_is_refuted() {
        for body in ["", "...", "MIIEpQIBAAKCAQEA", "your key here"] {
            let proof = pem(&format!("-----BEGIN {0}-----\n{body}\n-----END {0}-----", "RSA PRIVATE KEY"));
            assert_eq!(proof, Proof::Refuted("too short to hold a key"), "{body}");
        }
        let cut = pem(&block("RSA PRIVATE KEY", &rows(&pkcs_1())[..3], "", "\n"));
        assert_eq!(cut, Proof::Refuted("it breaks off before its secret part"));
    }

    #[test]
    fn a_damaged_key_is_still_reported() {
        let cut = pem(&block("RSA PRIVATE KEY", &rows(&pkcs_1())[..12], "", "\n"));
        assert_eq!(cut, Proof::Judged(Confidence::Medium, "a private key that breaks off".into()));
        let noise = pem(&block("PRIVATE KEY", &rows(&[0x5A; 200]), "", "\n"));
        assert_eq!(
            noise,
            Proof::Judged(Confidence::Medium, "what it holds is not in the form of a key".into())
        );
        let mut lost = rows(&pkcs_1());
        lost[2].pop();
        assert_eq!(pem(&block("RSA PRIVATE KEY", &lost, "", "\n")), Proof::Silent, "a letter is missing");
        assert_eq!(pem(&block("TSS2 PRIVATE KEY", &rows(&[0x5A; 200]), "", "\n")), Proof::Silent);
    }

    #[test]
    fn other_blocks_say_nothing() {
        assert_eq!(pem(&block("PUBLIC KEY", &rows(&[0x5A; 200]), "", "\n")), Proof::Silent);
        assert_eq!(pem("-----BEGIN RSA PRIVATE KEY"), Proof::Silent);
    }
}
