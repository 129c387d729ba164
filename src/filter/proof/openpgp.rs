//! Secret keys of OpenPGP (RFC 9580): the first packet tells whether a passphrase protects them.

use super::key_block::{encrypted, unencrypted};
use super::{Proof, base64};
use crate::level::Confidence;

/// Judges the packets of a block; `checksum` is what closes its armour.
pub fn prove(raw: &[u8], checksum: Option<&[u8; 4]>) -> Proof {
    // Readers are told to pass over a wrong one, so it refutes nothing.
    let is_sound = checksum.is_none_or(|sum| base64::decode(sum).as_deref() == Some(&crc_24(raw)));
    if !is_sound {
        return Proof::Silent;
    }
    match protection(raw) {
        Some(Protection::None) => unencrypted("OpenPGP private key"),
        Some(Protection::Passphrase) => encrypted("an OpenPGP private key"),
        Some(Protection::Absent) => {
            Proof::Judged(Confidence::Low, "an OpenPGP key whose secret part is elsewhere".to_owned())
        }
        None => Proof::Silent,
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Protection {
    None,
    Passphrase,
    /// GnuPG leaves the secret of a key out that is on a card or kept offline.
    Absent,
}

/// What protects the key in the first packet.
fn protection(raw: &[u8]) -> Option<Protection> {
    const GNU_EXTENSION: u8 = 101;
    let body = secret_key_packet(raw)?;
    let secret = behind_public_part(body)?;
    Some(match *secret.first()? {
        0 => Protection::None,
        // Usage, cipher, kind of key derivation; newer versions count the bytes first.
        253..=255 if secret.get(2) == Some(&GNU_EXTENSION) => Protection::Absent,
        _ => Protection::Passphrase,
    })
}

/// The content of the first packet if it is a secret key.
fn secret_key_packet(raw: &[u8]) -> Option<&[u8]> {
    const SECRET_KEY: u8 = 5;
    let (&head, rest) = raw.split_first()?;
    let (tag, length_bytes) = match head {
        0xC0.. => (
            head & 0x3F,
            match *rest.first()? {
                0..192 => 1,
                192..224 => 2,
                255 => 5,
                _ => return None,
            },
        ),
        0x80.. => (
            head >> 2 & 0x0F,
            match head & 3 {
                0 => 1,
                1 => 2,
                2 => 4,
                _ => 0,
            },
        ),
        _ => return None,
    };
    (tag == SECRET_KEY).then(|| rest.get(length_bytes..))?
}

/// What follows the numbers that make up the public key.
fn behind_public_part(body: &[u8]) -> Option<&[u8]> {
    let (&version, rest) = body.split_first()?;
    let rest = rest.get(4..)?;
    let rest = if version <= 3 { rest.get(2..)? } else { rest };
    let (&algorithm, rest) = rest.split_first()?;
    if version >= 5 {
        // These say how long it is.
        let (length, rest) = rest.split_first_chunk::<4>()?;
        return rest.get(u32::from_be_bytes(*length) as usize..);
    }
    let numbers = |count: usize, rest| (0..count).try_fold(rest, |rest, _| behind_number(rest));
    match algorithm {
        1..=3 => numbers(2, rest),
        16 | 20 => numbers(3, rest),
        17 => numbers(4, rest),
        18 => behind_counted(behind_number(behind_counted(rest)?)?),
        19 | 22 => behind_number(behind_counted(rest)?),
        25 | 27 => rest.get(32..),
        26 => rest.get(56..),
        28 => rest.get(57..),
        _ => None,
    }
}

/// A number behind its length in bits.
fn behind_number(bytes: &[u8]) -> Option<&[u8]> {
    let (bits, rest) = bytes.split_first_chunk::<2>()?;
    rest.get(usize::from(u16::from_be_bytes(*bits)).div_ceil(8)..)
}

/// Bytes behind their count.
fn behind_counted(bytes: &[u8]) -> Option<&[u8]> {
    let (&count, rest) = bytes.split_first()?;
    rest.get(usize::from(count)..)
}

/// The checksum of the armour.
fn crc_24(bytes: &[u8]) -> [u8; 3] {
    let sum = bytes.iter().fold(0x00B7_04CE_u32, |sum, &byte| {
        (0..8).fold(sum ^ u32::from(byte) << 16, |sum, _| {
            let sum = sum << 1;
            if sum & 0x0100_0000 == 0 { sum } else { sum ^ 0x0186_4CFB }
        })
    });
    let [_, sum @ ..] = sum.to_be_bytes();
    sum
}

#[cfg(test)]
mod tests {
    use data_encoding::BASE64;

    use super::super::key_block::tests::{block, pem};
    use super::*;

    /// A packet with an RSA key of zeros in its public part and those bytes behind it.
    fn packet(secret: &[u8]) -> Vec<u8> {
        let mut body = vec![4, 0, 0, 0, 0, 1];
        body.extend([1, 0]);
        body.extend([0x5A; 32]);
        body.extend([0, 2, 3]);
        body.extend_from_slice(secret);
        body.extend([0x5A; 40]);
        [vec![0x95, 0, body.len() as u8], body].concat()
    }

    fn armoured(raw: &[u8], sum: [u8; 3]) -> Proof {
        let text = BASE64.encode(raw);
        let rows = ["Version: 1".to_owned(), String::new(), text, format!("={}", BASE64.encode(&sum))];
        pem(&block("PGP PRIVATE KEY BLOCK", &rows, "  ", "\n"))
    }

    #[test]
    fn the_octet_of_usage_tells_whether_it_is_encrypted() {
        let right = Proof::Proven("a well-formed OpenPGP private key, not encrypted".into());
        let plain = packet(&[0]);
        assert_eq!(armoured(&plain, crc_24(&plain)), right);
        for secret in [&[254, 9, 3][..], &[255, 7, 3], &[3]] {
            let raw = packet(secret);
            assert!(matches!(armoured(&raw, crc_24(&raw)), Proof::Judged(Confidence::Low, _)));
        }
        assert_eq!(protection(&packet(&[254, 9, 101])), Some(Protection::Absent));
        assert_eq!(armoured(&plain, [0; 3]), Proof::Silent, "a wrong checksum");
    }

    #[test]
    fn other_packets_say_nothing() {
        let mut public = packet(&[0]);
        public[0] = 0x99;
        assert_eq!(protection(&public), None);
    }
}
