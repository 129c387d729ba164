//! Tokens that are the base64 of a text: a number, or a user and a password.

use super::{Proof, base64};
use crate::filter::{is_common_words, placeholder};
use crate::level::Confidence;

/// The first part decodes to the number of the account, which a colon may end. Another text says nothing:
/// the form is not documented.
pub fn number(value: &[u8]) -> Proof {
    let value = value.strip_prefix(b"BBDC-").unwrap_or(value);
    let part = value.split(|&byte| byte == b'.').next().unwrap_or_default();
    let Some(text) = base64::decode(part) else { return Proof::Silent };
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let is_number = digits >= 10 && (digits == text.len() || text[digits] == b':');
    if is_number { Proof::Proven("it decodes to the number of an account".to_owned()) } else { Proof::Silent }
}

/// The value decodes to a user and a password.
pub fn pair(value: &[u8]) -> Proof {
    /// The example of RFC 7617.
    const DOCUMENTED: &[u8] = b"open sesame";
    let Some(text) = base64::decode(value) else { return Proof::Silent };
    let is_text = std::str::from_utf8(&text).is_ok_and(|text| !text.contains(char::is_control));
    let Some(colon) = text.iter().position(|&byte| byte == b':').filter(|_| is_text) else {
        return Proof::Silent;
    };
    let password = &text[colon + 1..];
    if password.is_empty() {
        Proof::Refuted("it decodes to a user without a password")
    } else if password == DOCUMENTED
        || is_common_words(password)
        || placeholder::placeholder(password).is_some()
    {
        Proof::Refuted("it decodes to a placeholder")
    } else {
        Proof::Judged(Confidence::High, "it decodes to a user and a password".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use data_encoding::{BASE64, BASE64URL_NOPAD};

    use super::*;

    #[test]
    fn a_number_proves_and_nothing_refutes() {
        let id = BASE64URL_NOPAD.encode(b"123456789012345678");
        assert!(matches!(number(format!("{id}.aaaaaa.{}", "b".repeat(27)).as_bytes()), Proof::Proven(_)));
        let token = BASE64.encode(&[b"123456789012:".as_slice(), &[0xF7; 20]].concat());
        assert!(matches!(number(token.as_bytes()), Proof::Proven(_)));
        assert!(matches!(number(format!("BBDC-{token}").as_bytes()), Proof::Proven(_)));
        for other in [BASE64.encode(b"12:short"), BASE64.encode(b"no number at all"), "!".into()] {
            assert_eq!(number(other.as_bytes()), Proof::Silent);
        }
    }

    #[test]
    fn a_pair_is_as_good_as_its_password() {
        let proof = |text: &str| pair(BASE64.encode(text.as_bytes()).as_bytes());
        let high = Proof::Judged(Confidence::High, "it decodes to a user and a password".into());
        assert_eq!(proof("deploy:kJ8mQ2vXw7"), high);
        assert_eq!(proof("deploy:"), Proof::Refuted("it decodes to a user without a password"));
        for dummy in ["user:password", "user:${PASSWORD}", "Aladdin:open sesame", "a:xxxxxxxx"] {
            assert_eq!(proof(dummy), Proof::Refuted("it decodes to a placeholder"), "{dummy}");
        }
        for other in ["no colon in it", "a:\u{1}\u{2}"] {
            assert_eq!(proof(other), Proof::Silent, "{other}");
        }
        assert_eq!(pair(&BASE64.encode(&[0xFF, b':', 0xFE]).into_bytes()), Proof::Silent);
    }
}
