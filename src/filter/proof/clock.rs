//! The moment against which expiry is judged.

use std::sync::OnceLock;

use jiff::Timestamp;

/// The moment at which it was first asked for, so that one run judges every value by the same day.
pub fn now() -> Timestamp {
    static NOW: OnceLock<Timestamp> = OnceLock::new();
    *NOW.get_or_init(Timestamp::now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_run_has_one_moment_and_it_is_of_now() {
        let before = Timestamp::now();
        let first = now();
        assert!(first.as_second() >= before.as_second() - 3600, "{first} {before}");
        assert_eq!(now(), first);
    }
}
