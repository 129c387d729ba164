//! The line on the terminal that says how far a long run is.

use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use stanch::progress::{Progress, Snapshot};
use stanch::report::text::{count, human_bytes};

use super::terminal;

/// A run that is over by then shows nothing: a line that flashes up is of no use, and a hook should not be felt.
const PATIENCE: Duration = Duration::from_secs(1);
const BETWEEN_LINES: Duration = Duration::from_millis(250);

/// Does the work, which raises the counts it is given. If a line `is_wanted`, a thread draws it from the first second on
/// and takes it away at the end.
pub fn watch<T>(is_wanted: bool, work: impl FnOnce(&Progress) -> T) -> T {
    if !is_wanted {
        return work(&Progress::unwatched());
    }
    let progress = &Progress::new();
    let started = Instant::now();
    let (stop, stopped) = mpsc::channel::<()>();
    thread::scope(|scope| {
        // Without a thread for it there is no line; the work goes on.
        let _ = thread::Builder::new().spawn_scoped(scope, move || draw(progress, started, &stopped));
        // Goes when the work ends, be it by a panic, and the thread notices.
        let _stop = stop;
        work(progress)
    })
}

fn draw(progress: &Progress, started: Instant, stopped: &Receiver<()>) {
    let mut pause = PATIENCE;
    while stopped.recv_timeout(pause) == Err(RecvTimeoutError::Timeout) {
        // The last column stays free: some terminals begin a new line when it is filled.
        let columns = terminal::stderr_columns().saturating_sub(1);
        terminal::draw_over(&line(&progress.snapshot(), started.elapsed(), columns));
        pause = BETWEEN_LINES;
    }
    terminal::clear_drawn();
}

/// What is known, the most telling first, as far as it fits; all of it is ASCII.
fn line(now: &Snapshot, elapsed: Duration, columns: usize) -> String {
    let mut parts = vec![format!("scanned {}", human_bytes(now.bytes))];
    if now.blobs > 0 {
        parts.push(count(now.blobs, "blob"));
    }
    if now.files > 0 {
        parts.push(count(now.files, "file"));
    }
    parts.push(match now.matches {
        1 => "1 match".to_owned(),
        many => format!("{many} matches"),
    });
    if let Some(objects) = now.attributing {
        parts.push(format!("tracing {} to commits", count(objects, "object")));
    } else {
        let seconds = elapsed.as_secs_f64().max(0.001);
        parts.push(format!("{}/s", human_bytes((now.bytes as f64 / seconds) as u64)));
        parts.extend(time_left(now, elapsed));
    }
    let mut line = String::new();
    for part in parts {
        let comma = if line.is_empty() { "" } else { ", " };
        if line.len() + comma.len() + part.len() > columns {
            break;
        }
        line.push_str(comma);
        line.push_str(&part);
    }
    line
}

/// How long the rest takes at the speed so far, when there is enough to judge by.
fn time_left(now: &Snapshot, elapsed: Duration) -> Option<String> {
    let total = now.total?;
    if now.done.saturating_mul(50) < total || now.done == 0 {
        return None;
    }
    let rest = total.saturating_sub(now.done) as f64 / now.done as f64;
    let seconds = (elapsed.as_secs_f64() * rest).ceil() as u64;
    Some(match seconds {
        0..60 => format!("{seconds} s left"),
        60..3600 => format!("{} min left", seconds.div_ceil(60)),
        _ => format!("{} h {} min left", seconds / 3600, seconds % 3600 / 60),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn history() -> Snapshot {
        Snapshot {
            blobs: 34_567,
            bytes: 1_200_000_000,
            matches: 3,
            done: 50_000,
            total: Some(200_000),
            ..Snapshot::default()
        }
    }

    #[test]
    fn a_history_has_a_rate_and_an_end() {
        let expected = "scanned 1.2 GB, 34567 blobs, 3 matches, 300.0 MB/s, 12 s left";
        assert_eq!(line(&history(), 4 * SECOND, 200), expected);
    }

    #[test]
    fn without_a_total_there_is_no_time_left() {
        let now = Snapshot { files: 1, bytes: 1, matches: 1, ..Snapshot::default() };
        assert_eq!(line(&now, SECOND, 200), "scanned 1 byte, 1 file, 1 match, 1 byte/s");
        let now = Snapshot { done: 1, total: Some(1000), ..now };
        assert_eq!(time_left(&now, SECOND), None, "too early to tell");
        assert_eq!(time_left(&Snapshot { done: 0, total: Some(0), ..now }, SECOND), None);
    }

    #[test]
    fn the_end_is_said_in_the_unit_that_fits() {
        let left = |done, seconds| {
            time_left(&Snapshot { done, total: Some(1000), ..Snapshot::default() }, SECOND * seconds)
        };
        assert_eq!(left(1000, 9).as_deref(), Some("0 s left"));
        assert_eq!(left(1001, 9).as_deref(), Some("0 s left"), "more than was expected");
        assert_eq!(left(500, 59).as_deref(), Some("59 s left"));
        assert_eq!(left(500, 61).as_deref(), Some("2 min left"));
        assert_eq!(left(100, 900).as_deref(), Some("2 h 15 min left"));
    }

    #[test]
    fn at_the_end_objects_are_traced() {
        let now = Snapshot { attributing: Some(2), ..history() };
        let expected = "scanned 1.2 GB, 34567 blobs, 3 matches, tracing 2 objects to commits";
        assert_eq!(line(&now, SECOND, 200), expected);
    }

    #[test]
    fn what_does_not_fit_is_left_out() {
        for columns in 0..100 {
            let line = line(&history(), 4 * SECOND, columns);
            assert!(line.len() <= columns && !line.ends_with([',', ' ']), "{columns}: {line}");
        }
        assert_eq!(line(&history(), SECOND, 30), "scanned 1.2 GB, 34567 blobs");
        assert_eq!(line(&history(), SECOND, 13), "");
    }

    #[test]
    fn the_work_is_done_and_its_panic_passes() {
        for is_wanted in [false, true] {
            let work = |progress: &Progress| {
                progress.file();
                progress.snapshot().files
            };
            assert_eq!(
                watch(is_wanted, work),
                u64::from(is_wanted),
                "counts that nobody sees are not raised"
            );
            let worked = || watch(is_wanted, |_| panic!("it ends"));
            assert!(std::panic::catch_unwind(worked).is_err());
        }
    }
}
