//! Stable identity of a finding: the same secret under the same rule has the same fingerprint in every
//! run, on every line and in every file.

use std::fmt;
use std::str::FromStr;

use scrypt::Params;

use crate::secret::Secret;

/// Cost of the key stretching: 2^10 blocks of 1 KiB. A report travels further than the repository it speaks
/// of, so its fingerprints must not be a shortcut to a guessable password; a distinct secret costs some 3 ms
/// here, and each guess costs an attacker as much time and a mebibyte.
const LOG_N: u8 = 10;
const BLOCK_SIZE: u32 = 8;

/// Sixteen bytes that identify a secret under a rule without revealing it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint([u8; 16]);

impl Fingerprint {
    /// scrypt (RFC 7914) of the secret, salted with the rule's id.
    pub fn new(rule_id: &str, secret: &Secret) -> Self {
        let mut out = [0; 16];
        let salt = format!("stanch fingerprint 1\0{rule_id}");
        let params = Params::new(LOG_N, BLOCK_SIZE, 1).expect("the constants are valid parameters");
        scrypt::scrypt(secret.reveal(), salt.as_bytes(), &params, &mut out)
            .expect("16 bytes is a valid output length");
        Self(out)
    }

    /// One that was worked out before, of its sixteen bytes.
    pub fn of_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The sixteen bytes.
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl FromStr for Fingerprint {
    type Err = InvalidFingerprint;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let raw = data_encoding::HEXLOWER_PERMISSIVE.decode(text.as_bytes()).ok();
        raw.and_then(|raw| raw.try_into().ok()).map(Self).ok_or(InvalidFingerprint)
    }
}

/// A text that is no fingerprint.
#[derive(Debug, thiserror::Error)]
#[error("not a fingerprint of 32 hexadecimal digits")]
pub struct InvalidFingerprint;

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depends_on_the_rule_and_the_secret_alone() {
        let secret = Secret::new(*b"correct horse");
        let same = Fingerprint::new("a-rule", &Secret::new(*b"correct horse"));
        assert_eq!(Fingerprint::new("a-rule", &secret), same);
        assert_ne!(Fingerprint::new("b-rule", &secret), same);
        assert_ne!(Fingerprint::new("a-rule", &Secret::new(*b"correct horsf")), same);
        assert_eq!(same.to_string().len(), 32);
        assert_eq!(same.to_string().parse::<Fingerprint>().unwrap(), same);
        assert!(same.to_string()[1..].parse::<Fingerprint>().is_err());
    }
}
