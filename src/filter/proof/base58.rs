//! Base58 with a check: four bytes at the end are the head of the double SHA-256 of the rest.

use sha2::{Digest, Sha256};

/// The alphabet of Bitcoin and most others.
pub const BITCOIN: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
/// The alphabet of the XRP Ledger.
pub const RIPPLE: &[u8; 58] = b"rpshnaf39wBUDNEGHJKLM4PQRST7VWXYZ2bcdeCg65jkm8oFqi1tuvAxyz";

/// The time to decode grows with the square of the length; no format comes near this.
const LONGEST_CHARACTERS: usize = 200;

/// Whether the checksum is right; nothing for what is no base58.
pub fn check(value: &[u8], alphabet: &[u8; 58]) -> Option<bool> {
    let raw = decode(value, alphabet)?;
    let (body, sum) = raw.split_last_chunk::<4>()?;
    Some(checksum(body) == *sum)
}

pub fn checksum(body: &[u8]) -> [u8; 4] {
    let digest = Sha256::digest(Sha256::digest(body));
    [digest[0], digest[1], digest[2], digest[3]]
}

pub fn decode(value: &[u8], alphabet: &[u8; 58]) -> Option<Vec<u8>> {
    if value.len() > LONGEST_CHARACTERS {
        return None;
    }
    // Least significant byte first while the number grows.
    let mut number: Vec<u8> = Vec::with_capacity(value.len());
    for &character in value {
        let mut carry = alphabet.iter().position(|&letter| letter == character)? as u32;
        for byte in &mut number {
            carry += u32::from(*byte) * 58;
            *byte = carry as u8;
            carry >>= 8;
        }
        while carry > 0 {
            number.push(carry as u8);
            carry >>= 8;
        }
    }
    let zeros = value.iter().take_while(|&&character| character == alphabet[0]).count();
    number.extend(std::iter::repeat_n(0, zeros));
    number.reverse();
    Some(number)
}

pub fn encode(raw: &[u8], alphabet: &[u8; 58]) -> Vec<u8> {
    let mut digits: Vec<u8> = Vec::new();
    for &byte in raw {
        let mut carry = u32::from(byte);
        for digit in &mut digits {
            carry += u32::from(*digit) << 8;
            *digit = (carry % 58) as u8;
            carry /= 58;
        }
        while carry > 0 {
            digits.push((carry % 58) as u8);
            carry /= 58;
        }
    }
    let zeros = raw.iter().take_while(|&&byte| byte == 0).count();
    digits.extend(std::iter::repeat_n(0, zeros));
    digits.iter().rev().map(|&digit| alphabet[digit as usize]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_go_there_and_back() {
        for raw in [&[0, 0, 1][..], &[255; 33], &[], &[0], &[97, 98, 99]] {
            assert_eq!(decode(&encode(raw, BITCOIN), BITCOIN).as_deref(), Some(raw));
        }
        // From the draft of the IETF on base58.
        assert_eq!(encode(b"Hello World!", BITCOIN), b"2NEpo7TZRRrLZSi2U");
    }

    #[test]
    fn what_is_longer_than_any_format_is_not_decoded() {
        assert!(decode(&[b'2'; LONGEST_CHARACTERS], BITCOIN).is_some());
        for len in [LONGEST_CHARACTERS + 1, 10 * LONGEST_CHARACTERS] {
            assert_eq!(decode(&vec![b'2'; len], BITCOIN), None);
        }
    }

    #[test]
    fn the_address_of_the_first_block_is_right() {
        // Public: the address to which the first coins went.
        let address = encode(&decode(b"1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", BITCOIN).unwrap(), BITCOIN);
        assert_eq!(check(&address, BITCOIN), Some(true));
        assert_eq!(check(b"1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb", BITCOIN), Some(false));
    }
}
