//! The other way round: gives a random value of the right shape the structure that its issuer would have given
//! it. Examples and tests of rules are made with it.

use data_encoding::{BASE64, BASE64_NOPAD, BASE64URL_NOPAD, HEXLOWER, HEXUPPER};

use super::{base58, base64, bech32, crc, der, json, stellar};
use crate::rule::schema::Checksum;

/// The value with a right checksum, or with a body that decodes. A value that is too short for its format, and
/// one whose format has none of both, stays as it is.
pub fn seal(method: Checksum, value: &[u8]) -> Vec<u8> {
    sealed(method, value).unwrap_or_else(|| value.to_vec())
}

fn sealed(method: Checksum, value: &[u8]) -> Option<Vec<u8>> {
    let crc = |bytes: &[u8]| crc32fast::hash(bytes);
    let ending = |sum: &[u8]| {
        let mut out = value[..value.len() - sum.len()].to_vec();
        out.extend_from_slice(sum);
        out
    };
    Some(match method {
        Checksum::GithubCrc32 => ending(&crc::base_62(crc(crc::github_parts(value)?.0))),
        Checksum::GitlabRoutable => ending(&crc::base_36(crc(value.split_last_chunk::<7>()?.0))),
        Checksum::GrafanaCrc32 => {
            let sum = crc(value.split_last_chunk::<9>()?.0).to_le_bytes();
            ending(HEXLOWER.encode(&sum).as_bytes())
        }
        Checksum::ConfluentCrc32 => {
            let sum = crc(value.get(4..)?.split_last_chunk::<6>()?.0).to_le_bytes();
            ending(BASE64_NOPAD.encode(&sum).as_bytes())
        }
        Checksum::AtlassianCrc32 => {
            let sum = crc(value.split_last_chunk::<8>()?.0).to_be_bytes();
            ending(HEXUPPER.encode(&sum).as_bytes())
        }
        Checksum::HexCrc32 => {
            let prefix = value.iter().position(|&byte| byte == b'_')? + 1;
            let (body, _) = value.get(prefix..)?.split_last_chunk::<8>()?;
            let sum = crc(body.strip_suffix(b"_").unwrap_or(body)).to_be_bytes();
            ending(HEXLOWER.encode(&sum).as_bytes())
        }
        Checksum::Base58check => seal_base58(value, base58::BITCOIN)?,
        Checksum::RippleBase58check => seal_base58(value, base58::RIPPLE)?,
        Checksum::Bech32 => bech32::seal(value)?,
        Checksum::StellarCrc16 => stellar::seal(value)?,
        Checksum::Jwt => seal_token(value)?,
        Checksum::Base64Json => seal_object(value)?,
        Checksum::Pem => seal_block(value)?,
        Checksum::AwsAccountId
        | Checksum::AzureSas
        | Checksum::Putty
        | Checksum::Base64Number
        | Checksum::Base64Pair => return None,
    })
}

fn seal_base58(value: &[u8], alphabet: &[u8; 58]) -> Option<Vec<u8>> {
    let mut raw = base58::decode(value, alphabet)?;
    let (body, sum) = raw.split_last_chunk_mut::<4>()?;
    *sum = base58::checksum(body);
    Some(base58::encode(&raw, alphabet))
}

/// A token with the random letters of the value in its header and its claims, and its signature.
fn seal_token(value: &[u8]) -> Option<Vec<u8>> {
    let mut parts = std::str::from_utf8(value).ok()?.splitn(3, '.');
    let (header, claims, signature) = (parts.next()?, parts.next()?, parts.next()?);
    let header = serde_json::json!({ "alg": "HS256", "kid": header });
    let claims = serde_json::json!({ "sub": claims });
    let encoded = [header, claims].map(|part| BASE64URL_NOPAD.encode(part.to_string().as_bytes()));
    Some(format!("{}.{}.{signature}", encoded[0], encoded[1]).into_bytes())
}

/// An object of the length of the encoded one, with one of its keys and its random letters.
fn seal_object(value: &[u8]) -> Option<Vec<u8>> {
    let run = json::encoded(value)?;
    let start = memchr::memmem::find(value, run)?;
    let raw = base64::decode(&run[..run.len() - run.len() % 4])?;
    let opening =
        raw.get(..6).filter(|head| head.is_ascii() && head.ends_with(b"\":\"")).unwrap_or(b"{\"k\":\"");
    let room = (run.len() * 3).div_ceil(4).checked_sub(opening.len() + 2)?;
    let letters = run.iter().filter(|byte| byte.is_ascii_alphanumeric()).cycle().take(room);
    let mut object = opening.to_vec();
    object.extend(letters);
    object.extend(b"\"}");
    let encoded = BASE64_NOPAD.encode(&object);
    Some([&value[..start], encoded.as_bytes(), &value[start + run.len()..]].concat())
}

/// A block of the same label in the form of a key, with the random letters of the value in the place of its
/// numbers.
fn seal_block(value: &[u8]) -> Option<Vec<u8>> {
    let rest = value.strip_prefix(b"-----BEGIN ")?;
    let (label, body) = rest.split_at(memchr::memmem::find(rest, b"-----")?);
    let label = std::str::from_utf8(label).ok()?;
    let material: Vec<u8> = body.iter().copied().filter(u8::is_ascii_alphanumeric).collect();
    if material.is_empty() {
        return None;
    }
    let text = BASE64.encode(&key(label, &material));
    let mut out = format!("-----BEGIN {label}-----\n").into_bytes();
    for row in text.as_bytes().chunks(64) {
        out.extend_from_slice(row);
        out.push(b'\n');
    }
    out.extend(format!("-----END {label}-----").bytes());
    Some(out)
}

/// What a block of that label holds: in the form of a key, but of numbers that make up none.
pub fn key(label: &str, material: &[u8]) -> Vec<u8> {
    let number = |length: usize| material.iter().copied().cycle().take(length).collect::<Vec<u8>>();
    let integer = |length: usize| der::write(der::INTEGER, &number(length));
    let version = |version: u8| der::write(der::INTEGER, &[version]);
    let text = |bytes: &[u8]| [&(bytes.len() as u32).to_be_bytes(), bytes].concat();
    let content = match label {
        "RSA PRIVATE KEY" => {
            [vec![version(0)], [256, 3, 256, 128, 128, 128, 128, 128].map(integer).to_vec()].concat()
        }
        "DSA PRIVATE KEY" => [vec![version(0)], [128, 20, 128, 128, 20].map(integer).to_vec()].concat(),
        "EC PRIVATE KEY" => {
            const PUBLIC_KEY: u8 = 0xA1;
            let key = der::write(der::OCTET_STRING, &number(32));
            vec![version(1), key, der::write(PUBLIC_KEY, &number(68))]
        }
        "PRIVATE KEY" => {
            const ED25519: [u8; 3] = [0x2B, 0x65, 0x70];
            let algorithm = der::write(der::SEQUENCE, &der::write(der::OBJECT, &ED25519));
            let key = der::write(der::OCTET_STRING, &der::write(der::OCTET_STRING, &number(32)));
            vec![version(0), algorithm, key]
        }
        "OPENSSH PRIVATE KEY" => {
            let head = [b"openssh-key-v1\0".to_vec(), text(b"none"), text(b"none"), text(b"")];
            return [head.concat(), vec![0, 0, 0, 1], text(&number(51)), text(&number(136))].concat();
        }
        "PGP PRIVATE KEY BLOCK" => {
            // Version 4, made at the epoch, RSA: a modulus of 256 bits, an exponent of two, no protection.
            let head = [&[4, 0, 0, 0, 0, 1, 1, 0][..], &number(32), &[0, 2, 3, 0]].concat();
            let body = [head, number(100)].concat();
            return [vec![0x95, 0, body.len() as u8], body].concat();
        }
        _ => return number(96),
    };
    der::write(der::SEQUENCE, &content.concat())
}

#[cfg(test)]
mod tests {
    use super::super::Proof;
    use super::super::tests::prove_now;
    use super::*;

    #[test]
    fn tokens_and_objects_keep_their_random_part_and_prove() {
        let token = format!("eyJ{}.eyJ{}.{}", "a".repeat(14), "b".repeat(14), "c".repeat(43));
        let sealed = seal(Checksum::Jwt, token.as_bytes());
        assert!(matches!(prove_now(Checksum::Jwt, &sealed), Proof::Proven(_)));
        assert!(sealed.ends_with(&[b'c'; 43]));
        for value in [
            format!("ops_eyJ{}", "Q7x+/".repeat(50)),
            format!("sntrys_eyJ{}_{}", "Q7x".repeat(30), "c".repeat(43)),
        ] {
            let sealed = seal(Checksum::Base64Json, value.as_bytes());
            assert!(matches!(prove_now(Checksum::Base64Json, &sealed), Proof::Proven(_)));
            assert!(sealed.len() >= value.len() && sealed.len() <= value.len() + 2);
        }
    }
}
