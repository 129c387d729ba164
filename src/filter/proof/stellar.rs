//! Secret seeds of Stellar (SEP 23): a byte of version, 32 of key, then CRC-16/XMODEM, low byte first, all in
//! base 32.

use data_encoding::BASE32;

/// What makes the first letter an `S`.
const SEED: u8 = 18 << 3;

/// Whether the checksum is right and the value a seed; nothing for what is no base 32.
pub fn check(value: &[u8]) -> Option<bool> {
    let raw = BASE32.decode(value).ok()?;
    let (body, sum) = raw.split_last_chunk::<2>()?;
    Some(body.first() == Some(&SEED) && crc_16(body).to_le_bytes() == *sum)
}

pub fn seal(value: &[u8]) -> Option<Vec<u8>> {
    let mut raw = BASE32.decode(value).ok()?;
    *raw.first_mut()? = SEED;
    let (body, sum) = raw.split_last_chunk_mut::<2>()?;
    *sum = crc_16(body).to_le_bytes();
    Some(BASE32.encode(&raw).into_bytes())
}

fn crc_16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |sum, &byte| {
        (0..8).fold(
            sum ^ u16::from(byte) << 8,
            |sum: u16, _| {
                if sum & 0x8000 == 0 { sum << 1 } else { sum << 1 ^ 0x1021 }
            },
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_value_of_the_catalogue_of_crcs() {
        assert_eq!(crc_16(b"123456789"), 0x31C3);
    }
}
