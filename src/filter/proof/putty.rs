//! Key files of PuTTY: lines of names and values, the private half in base64.

use super::key_block::{encrypted, unencrypted};
use super::{Proof, base64};

/// Judges a file by its field `Encryption` and its private lines.
pub fn prove(value: &[u8]) -> Proof {
    let lines: Vec<&[u8]> = value.split(|&byte| byte == b'\n').map(|line| line.trim_ascii()).collect();
    let field =
        |name: &[u8]| lines.iter().find_map(|line| line.strip_prefix(name)).map(|value| value.trim_ascii());
    let Some(encryption) = field(b"Encryption:") else { return Proof::Silent };
    if encryption != b"none" {
        return encrypted("a PuTTY key");
    }
    let declared = field(b"Private-Lines:").and_then(|count| std::str::from_utf8(count).ok()?.parse().ok());
    let start = lines.iter().position(|line| line.starts_with(b"Private-Lines:"));
    let (Some(declared), Some(start)) = (declared, start) else { return Proof::Silent };
    let private: Vec<&[u8]> = lines[start + 1..].iter().copied().take(declared).collect();
    match base64::decode(&private.concat()) {
        Some(raw) if private.len() == declared && raw.len() >= 32 => unencrypted("PuTTY key"),
        _ => Proof::Silent,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::prove_now;
    use super::*;
    use crate::level::Confidence;
    use crate::rule::schema::Checksum;

    fn file(encryption: &str, lines: usize) -> Proof {
        let row = "QUJD".repeat(16);
        let text = format!(
            "PuTTY-User-Key-File-3: ssh-ed25519\r\nEncryption: {encryption}\r\nComment: a\r\nPublic-Lines: 1\r\n\
             {row}\r\nPrivate-Lines: {lines}\r\n{row}\r\n{row}"
        );
        prove_now(Checksum::Putty, text.as_bytes())
    }

    #[test]
    fn the_field_tells_whether_it_is_encrypted() {
        assert_eq!(file("none", 2), Proof::Proven("a well-formed PuTTY key, not encrypted".into()));
        assert!(matches!(file("aes256-cbc", 2), Proof::Judged(Confidence::Low, _)));
        assert_eq!(file("none", 3), Proof::Silent, "a line is missing");
    }
}
