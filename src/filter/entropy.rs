//! Shannon entropy and what a random value of the same alphabet and length would have.

/// Shannon entropy in bits per byte; 0 for an empty text.
pub fn shannon_bits(bytes: &[u8]) -> f32 {
    let mut counts = [0u32; 256];
    bytes.iter().for_each(|&byte| counts[usize::from(byte)] += 1);
    let total = bytes.len() as f32;
    counts
        .iter()
        .filter(|&&count| count > 0)
        .map(|&count| {
            let share = count as f32 / total;
            -share * share.log2()
        })
        .sum()
}

/// Entropy as a share of what is possible: bits per byte over the logarithm of the smaller of length and
/// alphabet size. A random value of 20 bytes or more has some 0.85 to 0.98, whatever its alphabet.
pub fn relative(bytes: &[u8]) -> f32 {
    let most = (bytes.len().min(alphabet_size(bytes)) as f32).log2();
    if most <= 0.0 { 0.0 } else { (shannon_bits(bytes) / most).min(1.0) }
}

/// Size of the smallest usual alphabet that holds all the bytes: 10, 16, 26, 32, 36, 52, 62, 64 or 94.
pub fn alphabet_size(bytes: &[u8]) -> usize {
    let all = |test: &dyn Fn(u8) -> bool| bytes.iter().all(|&byte| test(byte));
    let any = |test: &dyn Fn(u8) -> bool| bytes.iter().any(|&byte| test(byte));
    if all(&|b| b.is_ascii_digit()) {
        return 10;
    }
    let (lower, upper) = (any(&|b| b.is_ascii_lowercase()), any(&|b| b.is_ascii_uppercase()));
    if all(&|b| b.is_ascii_hexdigit()) && lower != upper {
        return 16;
    }
    if !all(&|b| b.is_ascii_alphanumeric()) {
        return if all(&|b| b.is_ascii_alphanumeric() || b"+/=-_".contains(&b)) { 64 } else { 94 };
    }
    let digits = any(&|b| b.is_ascii_digit());
    26 * usize::from(lower) + 26 * usize::from(upper) + 10 * usize::from(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entropy_counts_bits() {
        assert_eq!(shannon_bits(b""), 0.0);
        assert_eq!(shannon_bits(b"aaaa"), 0.0);
        assert_eq!(shannon_bits(b"abab"), 1.0);
        assert_eq!(shannon_bits(b"abcd"), 2.0);
        assert!((shannon_bits(b"aab") - 0.918_295_8).abs() < 1e-5);
        assert_eq!(relative(b"abcd"), 1.0);
    }

    #[test]
    fn the_share_is_of_what_length_and_alphabet_allow() {
        for (text, share) in [
            ("", 0.0),
            ("a", 0.0),
            ("aaaaaaaa", 0.0),
            ("abababab", 1.0 / 3.0),
            // Longer than its alphabet: the alphabet bounds it.
            ("01010101010101010101", 1.0 / 10_f32.log2()),
            ("0123456789012345678901234567890123456789", 1.0),
        ] {
            assert!((relative(text.as_bytes()) - share).abs() < 1e-5, "{text} {}", relative(text.as_bytes()));
        }
    }

    #[test]
    fn the_alphabet_is_the_smallest_that_fits() {
        for (text, size) in [
            ("0123", 10),
            ("09af", 16),
            ("09AF", 16),
            ("09aF", 62),
            ("xyz", 26),
            ("XYZ", 26),
            ("aF", 52),
            ("xyz1", 36),
            ("XYZ1", 36),
            ("", 10),
            ("aB1", 62),
            ("a-B1", 64),
            ("a_+/=", 64),
            ("a!", 94),
        ] {
            assert_eq!(alphabet_size(text.as_bytes()), size, "{text}");
        }
    }
}
