//! Values that standards and manuals print as samples. Everybody has them, so they are nobody's secret; and a
//! manual's sample stands in thousands of repositories.
//!
//! The table holds the heads of their SHA-256, not the values: a list of tokens in a scanner's own source would
//! set off every other scanner. No line can be turned back, and none need be: to add one, take
//! `printf %s VALUE | sha256sum | head -c 16`, and name the page that prints it.

use sha2::{Digest, Sha256};

/// Shorter samples are words that [`super::placeholder`] knows.
const SHORTEST_SAMPLE_BYTES: usize = 10;

/// The first eight bytes of the SHA-256 of each sample, sorted, and where it is printed.
const SAMPLES: [(u64, &str); 39] = [
    (0x0011_cc25_eb43_2071, "the manual of Azurite"),
    (0x00cf_4c78_1dc3_7003, "RFC 6749"),
    (0x15ce_f4b6_29cc_2d07, "RFC 6455"),
    (0x1bbb_9293_c38a_cc5e, "the manual of MinIO"),
    (0x2598_f7d6_adc1_42d8, "the manual of Flask"),
    (0x2caf_c097_0149_a84f, "the manual of Stripe"),
    (0x33a6_d375_0d9a_769b, "the manual of Docker"),
    (0x441c_6600_9c2a_b920, "the manual of Docker"),
    (0x4c20_e6f5_cc11_b937, "RFC 5849"),
    (0x53f5_da0a_aa93_d64c, "RFC 6749"),
    (0x570d_ad43_de1a_f4c9, "the manual of FastAPI"),
    (0x5785_9218_5588_730b, "the manual of Ganache"),
    (0x649e_1f5c_769e_718b, "RFC 5849"),
    (0x6aa1_4267_d949_44e6, "RFC 5849"),
    (0x6c96_130f_130a_b0d6, "RFC 6749"),
    (0x777c_c47e_9909_448d, "the guides of Rails"),
    (0x7f75_367e_7881_2551, "jwt.io"),
    (0x8be5_d113_c087_1ce1, "the manual of Google Authenticator"),
    (0x9cb3_35cb_7b5f_b805, "the manual of Flask"),
    (0x9ec0_be03_6c22_f06f, "the manual of Docker"),
    (0xa35b_81a7_d792_7b70, "RFC 6749"),
    (0xb5b1_7ca1_d657_33bb, "the manual of Docker"),
    (0xb8e1_4854_5b13_c78b, "RFC 6750"),
    (0xbb54_574a_88d7_fa31, "the manual of Docker"),
    (0xbb9b_1163_338b_2a51, "RFC 5849"),
    (0xbc1a_5096_6c9e_6486, "the manual of Hardhat"),
    (0xc2c9_7b19_13d8_b184, "the guides of Rails"),
    (0xc4e9_1d73_cd54_8be4, "the manual of MinIO"),
    (0xca32_f86c_e10b_8435, "the manual of Flask"),
    (0xca74_59e2_b267_76de, "RFC 6749"),
    (0xcb87_c87e_4a13_8d9a, "RFC 5849"),
    (0xcf4d_418e_d3de_92d7, "RFC 7617"),
    (0xd88a_2cb5_3b61_ef4d, "the specification of Fernet"),
    (0xda81_6f9f_2c16_e6c5, "jwt.io"),
    (0xdf45_2eef_23e8_cf2c, "the manual of MinIO"),
    (0xe989_7976_0055_40a6, "the manual of Docker"),
    (0xe997_4c50_7d2a_8021, "RFC 6749"),
    (0xf2d6_ca16_5150_33e5, "the manual of Stripe"),
    (0xf5e9_5c99_5463_5b65, "the manual of reCAPTCHA"),
];

/// Where the value is printed as a sample, if it is one of the known ones.
pub fn printed_in(value: &[u8]) -> Option<&'static str> {
    if value.len() < SHORTEST_SAMPLE_BYTES {
        return None;
    }
    let head = *Sha256::digest(value).first_chunk::<8>().expect("a SHA-256 has 32 bytes");
    let at = SAMPLES.binary_search_by_key(&u64::from_be_bytes(head), |&(head, _)| head).ok()?;
    Some(SAMPLES[at].1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_of_standards_are_known() {
        assert_eq!(printed_in(b"mF_9.B5f-4.1JqM"), Some("RFC 6750"));
        assert_eq!(printed_in(b"2YotnFZFEjr1zCsicMWpAA"), Some("RFC 6749"));
        assert_eq!(printed_in(b"2YotnFZFEjr1zCsicMWpAB"), None);
    }

    #[test]
    fn the_table_is_sorted() {
        assert!(SAMPLES.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }
}
