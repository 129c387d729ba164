//! Sizes as people write them.

/// Reads a number of bytes: `4096`, `512k`, `50M`, `2GiB`. The units are powers of 1024, as in git's own
/// configuration; `B` and `iB` may follow and the case does not matter.
///
/// # Errors
///
/// A message that says what is allowed.
pub fn parse_bytes(text: &str) -> Result<u64, String> {
    let text = text.trim();
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let factor = match text[digits..].trim_start().to_ascii_lowercase().as_str() {
        "" | "b" => Some(1),
        "k" | "kb" | "kib" => Some(1 << 10),
        "m" | "mb" | "mib" => Some(1 << 20),
        "g" | "gb" | "gib" => Some(1u64 << 30),
        _ => None,
    };
    let number = text[..digits].parse::<u64>().ok();
    match number.zip(factor).and_then(|(number, factor)| number.checked_mul(factor)) {
        None | Some(0) => Err("not a size; write a number of bytes or such as 512k, 50M, 2G".to_owned()),
        Some(bytes) => Ok(bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_powers_of_1024() {
        for (text, bytes) in
            [("4096", 4096), ("512k", 524_288), ("1 MiB", 1_048_576), ("2GB", 2_147_483_648), (" 7b ", 7)]
        {
            assert_eq!(parse_bytes(text), Ok(bytes), "{text}");
        }
        for bad in ["", "0", "k", "-1", "1.5M", "1T", "99999999999999999999", "18446744073709551615k", "é"] {
            assert!(parse_bytes(bad).is_err(), "{bad}");
        }
    }
}
