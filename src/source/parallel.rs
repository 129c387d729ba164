//! Shares work among threads.

use std::panic;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::coverage::Coverage;

/// With fewer items than this for each worker, starting threads takes longer than the work.
const MIN_ITEMS_PER_WORKER: usize = 8;

/// How many workers are of use for so many items, however many processors there are.
pub fn useful_workers(items: usize) -> usize {
    (items / MIN_ITEMS_PER_WORKER).max(1)
}

/// Lets up to `threads` workers take the items one after another and adds up what they report.
///
/// A worker runs on the calling thread when one is enough, so that a hook with a few files starts none.
/// A panic of a worker goes on to the caller after the others are done.
pub(super) fn share<T: Sync>(
    items: &[T],
    threads: usize,
    work: impl Fn(&mut dyn Iterator<Item = &T>) -> Coverage + Sync,
) -> Coverage {
    let workers = threads.min(useful_workers(items.len()));
    if workers <= 1 {
        return work(&mut items.iter());
    }
    let next = AtomicUsize::new(0);
    let run = || {
        let mut taken = std::iter::from_fn(|| items.get(next.fetch_add(1, Ordering::Relaxed)));
        work(&mut taken)
    };
    thread::scope(|scope| {
        let handles: Vec<_> = (0..workers).map(|_| scope.spawn(run)).collect();
        let mut coverage = Coverage::default();
        let mut panicked = None;
        for handle in handles {
            match handle.join() {
                Ok(part) => coverage.merge(part),
                Err(payload) => panicked = Some(payload),
            }
        }
        if let Some(payload) = panicked {
            panic::resume_unwind(payload);
        }
        coverage
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_item_is_taken_once() {
        for (count, threads) in [(0, 4), (3, 4), (100, 1), (100, 4), (100, 0)] {
            let items: Vec<u64> = (1..=count).collect();
            let coverage =
                share(&items, threads, |taken| Coverage { bytes: taken.sum(), ..Coverage::default() });
            assert_eq!(coverage.bytes, count * (count + 1) / 2, "{count} items, {threads} threads");
        }
    }

    #[test]
    fn a_panic_reaches_the_caller() {
        let items = [0; 100];
        let outcome = panic::catch_unwind(|| share(&items, 4, |_| panic!("a worker gives up")));
        assert!(outcome.is_err());
    }
}
