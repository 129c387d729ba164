//! The captured bytes of a secret, which no format, log or panic shows by accident.

use std::fmt;

/// Bytes of a secret. `Debug` and `Display` are redacted; [`Secret::reveal`] is the only way to the bytes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Secret(Box<[u8]>);

/// The most characters of a secret that a redacted form shows, at its start.
///
/// Four is the length of the commonest provider heads (`ghp_`, `AKIA`, `pk_1`), which say whose token it is.
const SHOWN_CHARACTERS: usize = 4;

/// Secrets shorter than this show nothing: four characters of a ten character password are too much of it.
const SHORTEST_SHOWN: usize = 20;

impl Secret {
    /// Wraps the bytes of a secret.
    pub fn new(bytes: impl Into<Box<[u8]>>) -> Self {
        Self(bytes.into())
    }

    /// The plain bytes. Call this only to compare, to hash, to ask its issuer where the user typed `verify`, or
    /// where `--show-secrets` was typed.
    pub fn reveal(&self) -> &[u8] {
        &self.0
    }

    /// Number of bytes.
    pub fn len_bytes(&self) -> usize {
        self.0.len()
    }

    /// A form that is safe to show: at most four leading characters of a long secret, then its length.
    ///
    /// Only printable ASCII is shown, so a redacted form never carries terminal escapes.
    pub fn redacted(&self) -> String {
        let shown = if self.0.len() >= SHORTEST_SHOWN {
            self.0.iter().take(SHOWN_CHARACTERS).take_while(|b| b.is_ascii_graphic()).count()
        } else {
            0
        };
        let head: String = self.0[..shown].iter().map(|&b| char::from(b)).collect();
        format!("{head}…[{} bytes]", self.0.len())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({})", self.redacted())
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.redacted())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_secret_shows_its_head_and_length_only() {
        let secret = Secret::new(format!("abcd{}", "e".repeat(20)).into_bytes());
        assert_eq!(secret.to_string(), "abcd…[24 bytes]");
        assert_eq!(format!("{secret:?}"), "Secret(abcd…[24 bytes])");
    }

    #[test]
    fn a_short_secret_shows_its_length_only() {
        assert_eq!(Secret::new(*b"hunter2").to_string(), "…[7 bytes]");
    }

    #[test]
    fn control_bytes_are_never_shown() {
        assert_eq!(Secret::new(*b"\x1b[31mxxxxxxxxxxxxxxxxxxxx").to_string(), "…[25 bytes]");
    }
}
