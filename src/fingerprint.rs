//! Stable identity of a finding: the same secret under the same rule has the same fingerprint in every
//! run, on every line and in every file.

use std::fmt;

use pbkdf2::pbkdf2_hmac;
use sha2::Sha256;

use crate::secret::Secret;

/// Rounds of key stretching. A report travels further than the repository it speaks of, so its
/// fingerprints must not be a shortcut to a guessable password; 20,000 rounds cost some 5 ms for each
/// distinct secret and multiply an attacker's work by as much.
const ROUNDS: u32 = 20_000;

/// Sixteen bytes that identify a secret under a rule without revealing it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint([u8; 16]);

impl Fingerprint {
    /// PBKDF2-HMAC-SHA256 (RFC 8018) of the secret, salted with the rule's id.
    pub fn new(rule_id: &str, secret: &Secret) -> Self {
        let mut out = [0; 16];
        let salt = format!("stanch fingerprint 1\0{rule_id}");
        pbkdf2_hmac::<Sha256>(secret.reveal(), salt.as_bytes(), ROUNDS, &mut out);
        Self(out)
    }
}

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
    }
}
