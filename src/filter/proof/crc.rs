//! CRC-32 in the many ways in which issuers write it down. Each was checked against values that the issuers
//! published or gave out.

use data_encoding::{BASE64_NOPAD, HEXLOWER, HEXUPPER};

/// The last six characters are the CRC-32 of what stands between the prefix and them, in base 62 with the
/// digits first and the capitals before the small letters, padded with zeros.
pub fn github(value: &[u8]) -> Option<bool> {
    let (body, sum) = github_parts(value)?;
    Some(base_62(crc32fast::hash(body)) == *sum)
}

pub fn github_parts(value: &[u8]) -> Option<(&[u8], &[u8; 6])> {
    let prefix = value.iter().position(|&byte| byte == b'_')? + 1;
    value.get(prefix..)?.split_last_chunk::<6>()
}

pub fn base_62(mut number: u32) -> [u8; 6] {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut out = [b'0'; 6];
    for place in out.iter_mut().rev() {
        *place = DIGITS[(number % 62) as usize];
        number /= 62;
    }
    out
}

/// After the last dot two characters with the length, then seven with the CRC-32 of all before them, both in
/// base 36.
pub fn gitlab(value: &[u8]) -> Option<bool> {
    let (body, sum) = value.split_last_chunk::<7>()?;
    Some(base_36(crc32fast::hash(body)) == *sum)
}

pub fn base_36(mut number: u32) -> [u8; 7] {
    const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
    let mut out = [b'0'; 7];
    for place in out.iter_mut().rev() {
        *place = DIGITS[(number % 36) as usize];
        number /= 36;
    }
    out
}

/// The last eight hexadecimal digits are the CRC-32 of everything before the last underscore, least
/// significant byte first.
pub fn grafana(value: &[u8]) -> Option<bool> {
    let (body, sum) = value.split_last_chunk::<8>()?;
    let body = body.strip_suffix(b"_")?;
    Some(HEXLOWER.encode(&crc32fast::hash(body).to_le_bytes()).as_bytes() == sum)
}

/// The last six characters are the base64 of the CRC-32 of the 54 between the prefix of four and them, least
/// significant byte first.
pub fn confluent(value: &[u8]) -> Option<bool> {
    let (body, sum) = value.get(4..)?.split_last_chunk::<6>()?;
    Some(BASE64_NOPAD.encode(&crc32fast::hash(body).to_le_bytes()).as_bytes() == sum)
}

/// The last eight characters are the CRC-32 of everything before them, in capital hexadecimal digits.
///
/// App passwords of Bitbucket (`ATBB`) seem to follow, but nothing published says so: a wrong one says
/// nothing.
pub fn atlassian(value: &[u8]) -> Option<bool> {
    let (body, sum) = value.split_last_chunk::<8>()?;
    let is_right = HEXUPPER.encode(&crc32fast::hash(body).to_be_bytes()).as_bytes() == sum;
    (is_right || !value.starts_with(b"ATBB")).then_some(is_right)
}

/// The last eight hexadecimal digits are the CRC-32 of what stands between the prefix and them; an underscore
/// before them does not count.
pub fn hex_of_body(value: &[u8]) -> Option<bool> {
    let prefix = value.iter().position(|&byte| byte == b'_')? + 1;
    let (body, sum) = value.get(prefix..)?.split_last_chunk::<8>()?;
    let body = body.strip_suffix(b"_").unwrap_or(body);
    Some(HEXLOWER.encode(&crc32fast::hash(body).to_be_bytes()).as_bytes() == sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_padded_and_order_digits_before_letters() {
        assert_eq!(&base_62(0), b"000000");
        assert_eq!(&base_62(10), b"00000A");
        assert_eq!(&base_62(61), b"00000z");
        assert_eq!(&base_62(u32::MAX), b"4gfFC3");
        assert_eq!(&base_36(35), b"000000z");
        assert_eq!(&base_36(u32::MAX), b"1z141z3");
    }

    #[test]
    fn the_sum_of_github_leaves_out_the_prefix() {
        // Worked out with zlib: the CRC-32 of thirty zeros, in base 62.
        for (ending, is_right) in [("2C8GjS", true), ("2C8GjT", false)] {
            let value = format!("ghp_{}{ending}", "0".repeat(30));
            assert_eq!(github(value.as_bytes()), Some(is_right), "{ending}");
        }
    }

    #[test]
    fn the_sum_of_confluent_leaves_out_the_prefix() {
        // Worked out by hand: the CRC-32 of 54 zeros.
        let sum = crc32fast::hash(&[b'0'; 54]).to_le_bytes();
        let value = format!("cflt{}{}", "0".repeat(54), BASE64_NOPAD.encode(&sum));
        assert_eq!(confluent(value.as_bytes()), Some(true));
    }

    #[test]
    fn an_app_password_with_another_ending_says_nothing() {
        assert_eq!(atlassian(format!("ATBB{}01234567", "a".repeat(24)).as_bytes()), None);
    }
}
