//! Shared access signatures of Azure: the field `se` of the query says when it ends.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;

use super::Proof;
use crate::level::Confidence;

/// Judges a query by the day on which it ends.
pub fn prove(value: &[u8], now: Timestamp) -> Proof {
    let mut fields = value.split(|&byte| byte == b'&');
    let Some(end) = fields.find_map(|field| field.strip_prefix(b"se=")).and_then(day) else {
        return Proof::Silent;
    };
    // The whole of the last day counts as good: the hour may be in any form.
    if end < Offset::UTC.to_datetime(now).date() {
        Proof::Judged(Confidence::Medium, format!("a shared access signature that expired on {end}"))
    } else {
        Proof::Judged(Confidence::High, format!("a shared access signature, good until {end}"))
    }
}

/// The date at the head of a moment in ISO 8601.
fn day(text: &[u8]) -> Option<Date> {
    std::str::from_utf8(text.get(..10)?).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::super::tests::prove_now;
    use super::*;
    use crate::rule::schema::Checksum;

    #[test]
    fn the_end_decides() {
        let query = |end: &str| format!("sv=2020-08-04&ss=b&sp=rw{end}&sig={}%3D", "a".repeat(43));
        let proof = |end: &str| prove_now(Checksum::AzureSas, query(end).as_bytes());
        for end in ["&se=2021-03-04T00:00:00Z", "&se=2021-03-04T00%3A00%3A00Z", "&se=2021-03-04"] {
            let reason = "a shared access signature that expired on 2021-03-04".to_owned();
            assert_eq!(proof(end), Proof::Judged(Confidence::Medium, reason));
        }
        let reason = "a shared access signature, good until 2026-03-01".to_owned();
        assert_eq!(proof("&se=2026-03-01T01:00:00Z"), Proof::Judged(Confidence::High, reason));
        for end in ["", "&se=soon", "&se=2021-13-99T", "&se="] {
            assert_eq!(proof(end), Proof::Silent);
        }
    }
}
