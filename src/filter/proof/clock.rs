//! The moment against which expiry is judged.

use std::sync::OnceLock;

use jiff::Timestamp;

/// The moment at which it was first asked for, so that one run judges every value by the same day.
pub fn now() -> Timestamp {
    static NOW: OnceLock<Timestamp> = OnceLock::new();
    *NOW.get_or_init(Timestamp::now)
}
