//! Bech32 and Bech32m (BIP 173 and BIP 350): six characters at the end are a BCH code over the rest.

const LETTERS: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";
const BECH32: u32 = 1;
const BECH32M: u32 = 0x2bc8_30a3;

/// Whether the code is right, in either form; nothing for what is not written that way. Longer values than
/// the standard allows are in use (age, Cardano).
pub fn check(value: &[u8]) -> Option<bool> {
    let (head, data) = parts(value)?;
    let symbols: Vec<u8> = data.iter().map(|&byte| symbol(byte)).collect::<Option<_>>()?;
    let residue = polymod(expand(head).chain(symbols));
    Some(residue == BECH32 || residue == BECH32M)
}

/// Writes the right code over the last six characters.
pub fn seal(value: &[u8]) -> Option<Vec<u8>> {
    let (head, data) = parts(value)?;
    let (body, _) = data.split_last_chunk::<6>()?;
    let symbols: Vec<u8> = body.iter().map(|&byte| symbol(byte)).collect::<Option<_>>()?;
    let residue = polymod(expand(head).chain(symbols).chain([0; 6])) ^ BECH32;
    let upper = value.iter().any(u8::is_ascii_uppercase);
    let mut out = value[..value.len() - 6].to_vec();
    out.extend((0..6).map(|place| {
        let letter = LETTERS[(residue >> (5 * (5 - place)) & 31) as usize];
        if upper { letter.to_ascii_uppercase() } else { letter }
    }));
    Some(out)
}

/// The human-readable head and the data behind the last `1`.
fn parts(value: &[u8]) -> Option<(&[u8], &[u8])> {
    let joint = value.iter().rposition(|&byte| byte == b'1')?;
    let (head, data) = (&value[..joint], &value[joint + 1..]);
    let mixed = value.iter().any(u8::is_ascii_uppercase) && value.iter().any(u8::is_ascii_lowercase);
    (!head.is_empty() && data.len() >= 6 && !mixed && value.is_ascii()).then_some((head, data))
}

fn symbol(byte: u8) -> Option<u8> {
    let byte = byte.to_ascii_lowercase();
    LETTERS.iter().position(|&letter| letter == byte).map(|place| place as u8)
}

/// The head as the code reads it: the high bits of each letter, a zero, the low bits of each.
fn expand(head: &[u8]) -> impl Iterator<Item = u8> + '_ {
    let lower = head.iter().map(u8::to_ascii_lowercase);
    lower.clone().map(|byte| byte >> 5).chain([0]).chain(lower.map(|byte| byte & 31))
}

fn polymod(symbols: impl Iterator<Item = u8>) -> u32 {
    const GENERATOR: [u32; 5] = [0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3];
    symbols.fold(1u32, |sum, symbol| {
        let top = sum >> 25;
        let next = (sum & 0x01ff_ffff) << 5 ^ u32::from(symbol);
        GENERATOR.iter().enumerate().fold(
            next,
            |sum, (bit, generator)| {
                if top >> bit & 1 == 1 { sum ^ generator } else { sum }
            },
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The test vectors of BIP 173 and BIP 350; none is a secret.
    #[test]
    fn the_vectors_of_the_standard() {
        for good in ["A12UEL5L", "split1checkupstagehandshakeupstreamerranterredcaperred2y9e3w", "a1lqfn3a"] {
            assert_eq!(check(good.as_bytes()), Some(true), "{good}");
        }
        assert_eq!(check(b"A12UEL5Q"), Some(false));
        for other in [&b"a12UEL5L"[..], b"1nwldj5", b"pzry9x0s0muk", b"x1b4n0q5v", b"li1dgmt3"] {
            assert_eq!(check(other), None);
        }
    }
}
