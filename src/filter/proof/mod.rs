//! Offline proof: structure inside a value that a random or made-up one does not have.
//!
//! A proof asks nobody and reads no clock: the day that decides whether a token is over is handed in. It takes
//! time in proportion to the value and never fails, whatever bytes it is given.

mod base58;
mod base64;
mod bech32;
mod clock;
mod crc;
mod der;
mod json;
mod jwt;
mod key_block;
mod openpgp;
mod putty;
mod sas;
mod seal;
mod stellar;
mod text;

use data_encoding::BASE32;
use jiff::Timestamp;

use crate::level::Confidence;
use crate::rule::schema::Checksum;

pub use clock::now;
pub use seal::seal;

/// What the structure of a value says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    /// The checksum is right or the structure decodes; the text says what was seen.
    Proven(String),
    /// It says something that makes the value as sure as that, neither more nor less.
    Judged(Confidence, String),
    /// It is wrong: the value is no secret, or nobody ever gave it out.
    Refuted(&'static str),
    /// Nothing can be said.
    Silent,
}

/// Checks `value` by the method that its rule names; `now` decides what has expired.
pub fn prove(method: Checksum, value: &[u8], now: Timestamp) -> Proof {
    match method {
        Checksum::GithubCrc32 => checksum(crc::github(value)),
        Checksum::GitlabRoutable => checksum(crc::gitlab(value)),
        Checksum::GrafanaCrc32 => checksum(crc::grafana(value)),
        Checksum::ConfluentCrc32 => checksum(crc::confluent(value)),
        Checksum::AtlassianCrc32 => checksum(crc::atlassian(value)),
        Checksum::HexCrc32 => checksum(crc::hex_of_body(value)),
        Checksum::AwsAccountId => match aws_account(value) {
            // Any sixteen letters decode to some number, so it is no proof.
            Some(account) => {
                Proof::Judged(Confidence::High, format!("its form; it names the account {account:012}"))
            }
            None => Proof::Silent,
        },
        Checksum::Jwt => jwt::prove(value, now),
        Checksum::AzureSas => sas::prove(value, now),
        Checksum::Pem => key_block::prove(value),
        Checksum::Putty => putty::prove(value),
        Checksum::Base58check => checksum(base58::check(value, base58::BITCOIN)),
        Checksum::RippleBase58check => checksum(base58::check(value, base58::RIPPLE)),
        Checksum::Bech32 => checksum(bech32::check(value)),
        Checksum::StellarCrc16 => checksum(stellar::check(value)),
        Checksum::Base64Json => json::prove(value),
        Checksum::Base64Number => text::number(value),
        Checksum::Base64Pair => text::pair(value),
    }
}

fn checksum(right: Option<bool>) -> Proof {
    match right {
        Some(true) => Proof::Proven("its checksum is right".to_owned()),
        Some(false) => Proof::Refuted("its checksum is wrong"),
        None => Proof::Silent,
    }
}

/// The account number in an access key id: base 32 after the four letters, first six bytes, masked and
/// shifted by seven bits. Ids from before 2019 hold none; their first bit is not set.
fn aws_account(value: &[u8]) -> Option<u64> {
    const LARGEST: u64 = 999_999_999_999;
    let body = BASE32.decode(value.get(4..)?.get(..16)?).ok()?;
    let number = body[..6].iter().fold(0u64, |sum, &byte| sum << 8 | u64::from(byte));
    let account = (number & 0x7FFF_FFFF_FF80) >> 7;
    (number >> 47 == 1 && account <= LARGEST).then_some(account)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Noon on 1 March 2026.
    pub(super) const NOW: i64 = 1_772_366_400;

    pub(super) fn prove_now(method: Checksum, value: &[u8]) -> Proof {
        prove(method, value, Timestamp::from_second(NOW).unwrap())
    }

    const ALL: [Checksum; 18] = [
        Checksum::GithubCrc32,
        Checksum::GitlabRoutable,
        Checksum::GrafanaCrc32,
        Checksum::ConfluentCrc32,
        Checksum::AtlassianCrc32,
        Checksum::HexCrc32,
        Checksum::AwsAccountId,
        Checksum::Jwt,
        Checksum::AzureSas,
        Checksum::Pem,
        Checksum::Putty,
        Checksum::Base58check,
        Checksum::RippleBase58check,
        Checksum::Bech32,
        Checksum::StellarCrc16,
        Checksum::Base64Json,
        Checksum::Base64Number,
        Checksum::Base64Pair,
    ];

    /// Formats whose wrong checksum refutes, each with a value that lacks nothing but the right one.
    fn values() -> Vec<(Checksum, String)> {
        let letters = |count: usize| "aQ7".repeat(count).chars().take(count).collect::<String>();
        vec![
            (Checksum::GithubCrc32, format!("ghp_{}", letters(36))),
            (Checksum::GithubCrc32, format!("vcp_{}_-{}", letters(20), letters(34))),
            (Checksum::GitlabRoutable, format!("glpat-{}.01.0x1234567", letters(27))),
            (Checksum::GrafanaCrc32, format!("glsa_{}_01234567", letters(32))),
            (Checksum::ConfluentCrc32, format!("cflt{}", letters(60))),
            (Checksum::AtlassianCrc32, format!("ATATT3xF{}=01234567", letters(100))),
            (Checksum::HexCrc32, format!("zpka_{}_01234567", letters(32))),
            (Checksum::HexCrc32, format!("cfut_{}01234567", letters(40))),
            (Checksum::Base58check, format!("5{}", "K3x".repeat(17).split_at(50).0)),
            (Checksum::Base58check, format!("xprv{}", "K3x".repeat(40).split_at(107).0)),
            (Checksum::RippleBase58check, format!("s{}", "K3x".repeat(17).split_at(28).0)),
            (Checksum::Bech32, format!("AGE-SECRET-KEY-1{}", "QP7".repeat(20).split_at(58).0)),
            (Checksum::Bech32, format!("nsec1{}", "qp7".repeat(20).split_at(58).0)),
            (Checksum::StellarCrc16, format!("S{}", "QP7".repeat(20).split_at(55).0)),
        ]
    }

    #[test]
    fn a_right_checksum_proves_and_a_wrong_one_refutes() {
        for (method, value) in values() {
            let good = seal(method, value.as_bytes());
            assert_eq!(good.len(), value.len(), "{method:?}");
            assert_eq!(prove_now(method, &good), Proof::Proven("its checksum is right".into()), "{method:?}");
            // A digit of the body, or one of the checksum, in every alphabet there is.
            for at in [good.len() / 2, good.len() - 2] {
                let mut bad = good.clone();
                bad[at] = if bad[at] == b'7' { b'6' } else { b'7' };
                assert_eq!(prove_now(method, &bad), Proof::Refuted("its checksum is wrong"), "{method:?}");
            }
        }
    }

    #[test]
    fn an_access_key_id_holds_its_account() {
        // Made from the account number, by the method turned round.
        let id = |bits: u64| {
            let mut raw = bits.to_be_bytes()[2..].to_vec();
            raw.extend([0; 4]);
            format!("AKIA{}", BASE32.encode(&raw))
        };
        assert_eq!(
            aws_account(id(0x8000_0000_0000 | 123_456_789_012 << 7).as_bytes()),
            Some(123_456_789_012)
        );
        assert_eq!(aws_account(id(123_456_789_012 << 7).as_bytes()), None, "older than the encoding");
        assert_eq!(aws_account(id(0x8000_0000_0000 | 1_000_000_000_000 << 7).as_bytes()), None);
    }

    proptest! {
        #[test]
        fn no_bytes_break_a_proof(value in prop::collection::vec(any::<u8>(), 0..400)) {
            for method in ALL {
                prove_now(method, &value);
                seal(method, &value);
            }
        }

        #[test]
        fn no_change_of_a_right_value_breaks_a_proof(
            at in any::<prop::sample::Index>(),
            cut in any::<prop::sample::Index>(),
            byte in any::<u8>(),
        ) {
            for (method, value) in values() {
                let mut value = seal(method, value.as_bytes());
                let at = at.index(value.len());
                value[at] = byte;
                prove_now(method, &value);
                prove_now(method, &value[..cut.index(value.len())]);
            }
        }

        #[test]
        fn no_key_file_breaks_a_proof(label in "[A-Z0-9 ]{0,24}", body in "[A-Za-z0-9+/=\\\\nr:, \n\"'-]{0,400}") {
            let armour = format!("-----BEGIN {label}PRIVATE KEY-----\n{body}\n-----END {label}PRIVATE KEY-----");
            prove_now(Checksum::Pem, armour.as_bytes());
            let putty = format!("PuTTY-User-Key-File-2: x\nEncryption: none\nPrivate-Lines: 3\n{body}");
            prove_now(Checksum::Putty, putty.as_bytes());
        }
    }
}
