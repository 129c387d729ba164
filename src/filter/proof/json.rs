//! Tokens that are the base64 of a JSON object, behind a prefix and perhaps before a random part.

use super::{Proof, base64};

/// Every object begins like this.
const OPENING: &[u8] = b"eyJ";

/// Proves a token whose object decodes, and refutes one that holds no text at all.
pub fn prove(value: &[u8]) -> Proof {
    let Some(encoded) = encoded(value) else { return Proof::Silent };
    // The end may belong to what follows, so a length that no base64 has is no reason to stop.
    let whole = encoded.len() - usize::from(encoded.len() % 4 == 1);
    let Some(raw) = base64::decode(&encoded[..whole]) else { return Proof::Silent };
    match serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(&raw) {
        Ok(object) if !object.is_empty() => Proof::Proven("it decodes to a JSON object".to_owned()),
        _ if std::str::from_utf8(&raw).is_err() => Proof::Refuted("it does not decode to JSON"),
        _ => Proof::Silent,
    }
}

/// From the opening to the first byte that is no letter of base64. An underscore parts the object from what
/// follows; all these tokens use the plain alphabet.
pub fn encoded(value: &[u8]) -> Option<&[u8]> {
    let start = memchr::memmem::find(value, OPENING)?;
    let run = &value[start..];
    let end = run.iter().position(|&byte| byte == b'_' || byte == b'-' || !base64::is_letter(byte));
    let run = &run[..end.unwrap_or(run.len())];
    let padding = run.iter().rev().take_while(|&&byte| byte == b'=').count();
    Some(&run[..run.len() - padding])
}

#[cfg(test)]
mod tests {
    use data_encoding::BASE64;

    use super::*;

    #[test]
    fn an_object_proves_and_noise_refutes() {
        let object = BASE64.encode(br#"{"url":"https://a.example","k":1}"#);
        let right = Proof::Proven("it decodes to a JSON object".into());
        assert_eq!(prove(format!("glc_{object}").as_bytes()), right);
        assert_eq!(prove(format!("sntrys_{object}_{}", "b".repeat(43)).as_bytes()), right);
        assert_eq!(
            prove(format!("ops_eyJ{}", "9".repeat(60)).as_bytes()),
            Proof::Refuted("it does not decode to JSON")
        );
        let cut = &object[..object.len() - 8];
        assert_eq!(prove(cut.as_bytes()), Proof::Silent, "the rest may stand on the next line");
    }
}
