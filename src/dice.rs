//! Numbers for tests that draw samples: the same in every run.

/// A row of numbers of a linear congruential generator: given `n`, one less than `n`, or 0.
pub(crate) fn dice(seed: u64) -> impl FnMut(usize) -> usize {
    let mut state = seed;
    move |n| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % n.max(1)
    }
}
