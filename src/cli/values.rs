//! Where single secrets are read from: a variable, a file descriptor or standard input. Never the command line, which
//! every user of the machine can read and every shell writes into its history.

use std::fmt;
use std::io::{self, Read};

use anyhow::{Context, Result, anyhow, bail};
use stanch::secret::Secret;

/// The place of one secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ValueSource {
    /// An environment variable.
    Variable(String),
    /// An open file descriptor.
    Descriptor(u32),
    /// Standard input to its end.
    Stdin,
}

/// More is no token.
const MAX_BYTES: u64 = 64 << 10;

impl ValueSource {
    /// Reads `env:NAME`, `fd:N` or `stdin`.
    ///
    /// # Errors
    ///
    /// When it is none of them. The text is not quoted: somebody may have typed the secret itself.
    pub fn parse(option: &str, text: &str) -> Result<Self> {
        let wrong = || {
            anyhow!(
                "{option} takes env:NAME, fd:N or stdin, and never the secret itself: other users can read a command line"
            )
        };
        if text == "stdin" || text == "-" {
            return Ok(Self::Stdin);
        }
        if let Some(number) = text.strip_prefix("fd:") {
            return number.parse().map(Self::Descriptor).map_err(|_| wrong());
        }
        let name = text.strip_prefix("env:").ok_or_else(wrong)?;
        let is_name =
            !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if is_name { Ok(Self::Variable(name.to_owned())) } else { Err(wrong()) }
    }

    /// Reads the secret; one line end behind it does not belong to it.
    ///
    /// # Errors
    ///
    /// When there is none, it cannot be read, or it is far too long.
    pub fn read(&self) -> Result<Secret> {
        let mut bytes = Vec::new();
        match self {
            Self::Variable(name) => {
                let value =
                    std::env::var_os(name).ok_or_else(|| anyhow!("the variable {name} is not set"))?;
                bytes = value.into_encoded_bytes();
            }
            Self::Descriptor(number) => {
                descriptor(*number)?
                    .take(MAX_BYTES + 1)
                    .read_to_end(&mut bytes)
                    .with_context(|| self.unreadable())?;
            }
            Self::Stdin => {
                io::stdin().take(MAX_BYTES + 1).read_to_end(&mut bytes).with_context(|| self.unreadable())?;
            }
        }
        if bytes.len() as u64 > MAX_BYTES {
            bail!("{self} holds more than 64 KiB, which is no token");
        }
        if bytes.ends_with(b"\n") {
            bytes.pop();
            if bytes.ends_with(b"\r") {
                bytes.pop();
            }
        }
        if bytes.is_empty() {
            bail!("{self} is empty");
        }
        if bytes.iter().any(|byte| byte.is_ascii_control()) {
            bail!(
                "{self} holds a line break or a control character; one token is read from it, and nothing was sent"
            );
        }
        Ok(Secret::new(bytes))
    }

    fn unreadable(&self) -> String {
        format!("cannot read {self}")
    }
}

impl fmt::Display for ValueSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Variable(name) => write!(f, "env:{name}"),
            Self::Descriptor(number) => write!(f, "fd:{number}"),
            Self::Stdin => f.write_str("stdin"),
        }
    }
}

#[cfg(unix)]
fn descriptor(number: u32) -> Result<std::fs::File> {
    // The system opens what is open as that number already; no ownership of it is taken.
    std::fs::File::open(format!("/dev/fd/{number}")).with_context(|| format!("cannot read fd:{number}"))
}

#[cfg(not(unix))]
fn descriptor(number: u32) -> Result<std::fs::File> {
    bail!("fd:{number} cannot be read on this system; use env:NAME or stdin")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_that_was_typed_is_not_quoted() {
        assert_eq!(ValueSource::parse("--old", "env:OLD").unwrap(), ValueSource::Variable("OLD".into()));
        assert_eq!(ValueSource::parse("--old", "fd:3").unwrap(), ValueSource::Descriptor(3));
        assert_eq!(ValueSource::parse("--old", "-").unwrap(), ValueSource::Stdin);
        for typed in ["hunter2", "env:hunter2 x", "env:", "fd:hunter2"] {
            let error = ValueSource::parse("--old", typed).unwrap_err().to_string();
            assert!(error.starts_with("--old takes") && !error.contains("hunter2"), "{error}");
        }
    }
}
