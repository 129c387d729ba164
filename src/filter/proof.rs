//! Offline proof: structure inside a value that a random or made-up one does not have.

use data_encoding::{BASE32, BASE64_NOPAD, BASE64URL_NOPAD};

use crate::rule::schema::Checksum;

/// What the structure of a value says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    /// The checksum is right or the structure decodes; the text says what was seen.
    Proven(String),
    /// It is wrong: the issuer never gave out this value.
    Refuted(&'static str),
    /// Nothing can be said.
    Silent,
}

/// Checks `value` by the method that its rule names.
pub fn prove(method: Checksum, value: &[u8]) -> Proof {
    let crc = |right: Option<bool>| match right {
        Some(true) => Proof::Proven("its checksum is right".to_owned()),
        Some(false) => Proof::Refuted("its checksum is wrong"),
        None => Proof::Silent,
    };
    match method {
        Checksum::GithubCrc32 => crc(github(value)),
        Checksum::GitlabRoutable => crc(gitlab(value)),
        Checksum::GrafanaCrc32 => crc(grafana(value)),
        Checksum::ConfluentCrc32 => crc(confluent(value)),
        Checksum::AwsAccountId => match aws_account(value) {
            Some(account) => Proof::Proven(format!("it decodes to the account {account:012}")),
            None => Proof::Silent,
        },
        Checksum::Jwt => match json_web_token(value) {
            Some(algorithm) => Proof::Proven(format!("its header decodes, algorithm {algorithm}")),
            None => Proof::Refuted("its header does not decode to JSON with `alg`"),
        },
        Checksum::Pem | Checksum::Base58check | Checksum::Bech32 | Checksum::Base64Json => Proof::Silent,
    }
}

/// The last six characters are the CRC-32 of what stands between the prefix and them, in base 62 with the
/// digits first and the capitals before the small letters, padded with zeros.
fn github(value: &[u8]) -> Option<bool> {
    let prefix = value.iter().position(|&byte| byte == b'_')? + 1;
    let (body, sum) = value.get(prefix..)?.split_last_chunk::<6>()?;
    Some(base_62(crc32fast::hash(body)) == *sum)
}

fn base_62(mut number: u32) -> [u8; 6] {
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
fn gitlab(value: &[u8]) -> Option<bool> {
    let (body, sum) = value.split_last_chunk::<7>()?;
    let sum = u64::from_str_radix(std::str::from_utf8(sum).ok()?, 36).ok()?;
    Some(u64::from(crc32fast::hash(body)) == sum)
}

/// The last eight hexadecimal digits are the CRC-32 of everything before the last underscore, least
/// significant byte first.
fn grafana(value: &[u8]) -> Option<bool> {
    let joint = value.iter().rposition(|&byte| byte == b'_')?;
    let sum = data_encoding::HEXLOWER_PERMISSIVE.decode(&value[joint + 1..]).ok()?;
    Some(crc32fast::hash(&value[..joint]).to_le_bytes() == *sum)
}

/// The last six characters are the base64 of the CRC-32 of the 54 before them, least significant byte first.
fn confluent(value: &[u8]) -> Option<bool> {
    let (body, sum) = value.split_last_chunk::<6>()?;
    Some(BASE64_NOPAD.encode(&crc32fast::hash(body).to_le_bytes()).as_bytes() == sum)
}

/// The account number in an access key id: base 32 after the four letters, first six bytes, masked and
/// shifted by seven bits.
fn aws_account(value: &[u8]) -> Option<u64> {
    let body = BASE32.decode(value.get(4..)?.get(..16)?).ok()?;
    let number = body[..6].iter().fold(0u64, |sum, &byte| sum << 8 | u64::from(byte));
    Some((number & 0x7FFF_FFFF_FF80) >> 7)
}

/// The algorithm that the header of a JSON web token (RFC 7519) names.
fn json_web_token(value: &[u8]) -> Option<String> {
    let header = value.split(|&byte| byte == b'.').next()?;
    let json = BASE64URL_NOPAD.decode(header).ok()?;
    let header: serde_json::Value = serde_json::from_slice(&json).ok()?;
    let algorithm = header.get("alg")?.as_str()?;
    // The name goes to the report, so it is nothing but a name.
    let is_name = algorithm.len() <= 20 && algorithm.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    is_name.then(|| algorithm.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn right_and_wrong(method: Checksum, good: &str) {
        assert!(matches!(prove(method, good.as_bytes()), Proof::Proven(_)), "{method:?}");
        let mut bad = good.as_bytes().to_vec();
        let middle = bad.len() / 2;
        bad[middle] = if bad[middle] == b'b' { b'c' } else { b'b' };
        assert!(matches!(prove(method, &bad), Proof::Refuted(_)), "{method:?}");
    }

    #[test]
    fn github_and_npm() {
        let body = "a".repeat(30);
        let sum = String::from_utf8(base_62(crc32fast::hash(body.as_bytes())).to_vec()).unwrap();
        right_and_wrong(Checksum::GithubCrc32, &format!("ghp_{body}{sum}"));
    }

    #[test]
    fn base_62_is_padded_and_orders_digits_capitals_small_letters() {
        assert_eq!(&base_62(0), b"000000");
        assert_eq!(&base_62(10), b"00000A");
        assert_eq!(&base_62(61), b"00000z");
        assert_eq!(&base_62(u32::MAX), b"4gfFC3");
    }

    #[test]
    fn gitlab_counts_in_base_36() {
        let body = format!("glpat-{}.01", "a".repeat(27));
        let mut sum = u64::from(crc32fast::hash(body.as_bytes()));
        let mut digits = Vec::new();
        for _ in 0..7 {
            digits.push(char::from_digit((sum % 36) as u32, 36).unwrap());
            sum /= 36;
        }
        let sum: String = digits.into_iter().rev().collect();
        right_and_wrong(Checksum::GitlabRoutable, &format!("{body}{sum}"));
    }

    #[test]
    fn grafana_and_confluent_store_the_low_byte_first() {
        let body = format!("glsa_{}", "a".repeat(32));
        let sum = data_encoding::HEXLOWER.encode(&crc32fast::hash(body.as_bytes()).to_le_bytes());
        right_and_wrong(Checksum::GrafanaCrc32, &format!("{body}_{sum}"));
        let body = format!("cflt{}", "a".repeat(50));
        let sum = BASE64_NOPAD.encode(&crc32fast::hash(body.as_bytes()).to_le_bytes());
        right_and_wrong(Checksum::ConfluentCrc32, &format!("{body}{sum}"));
    }

    #[test]
    fn an_access_key_id_holds_its_account() {
        // Made from the account number, by the method turned round.
        let bits: u64 = 0x8000_0000_0000 | 123_456_789_012 << 7;
        let mut raw = bits.to_be_bytes()[2..].to_vec();
        raw.extend([0; 4]);
        let id = format!("AKIA{}", BASE32.encode(&raw));
        assert_eq!(aws_account(id.as_bytes()), Some(123_456_789_012));
    }

    #[test]
    fn the_header_of_a_web_token_names_its_algorithm() {
        let with_header = |header: &str| format!("{}.e30.sig", BASE64URL_NOPAD.encode(header.as_bytes()));
        let good = with_header("{\"alg\":\"HS256\",\"typ\":\"JWT\"}");
        assert_eq!(
            prove(Checksum::Jwt, good.as_bytes()),
            Proof::Proven("its header decodes, algorithm HS256".into())
        );
        for bad in
            [with_header("{\"typ\":\"JWT\"}"), with_header("{alg}"), with_header("{\"alg\":\"\u{1b}[31m\"}")]
        {
            assert!(matches!(prove(Checksum::Jwt, bad.as_bytes()), Proof::Refuted(_)));
        }
    }
}
