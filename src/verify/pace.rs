//! When to ask again, and when to stop asking.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::thread;
use std::time::Duration;

use jiff::Timestamp;

use super::http::{Answer, Outgoing, SendError, Transport};

/// Time and chance. A test has its own, so that it waits for nothing.
pub trait Clock: Sync {
    /// Seconds since 1970.
    fn unix_seconds(&self) -> i64;
    /// Waits.
    fn sleep(&self, duration: Duration);
    /// A number from 0 to 1.
    fn chance(&self) -> f64;
}

/// The time of this machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn unix_seconds(&self) -> i64 {
        Timestamp::now().as_second()
    }

    fn sleep(&self, duration: Duration) {
        thread::sleep(duration);
    }

    fn chance(&self) -> f64 {
        // Its keys are random; that is all the randomness that a pause needs.
        let random = RandomState::new().build_hasher().finish();
        (random >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// How patient to be.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// How often to ask again after a failure that may pass.
    pub retries: u32,
    /// The longest wait before asking again.
    pub max_wait: Duration,
}

/// The first pause; each further one is twice as long, and a random part up to half is taken off.
const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// What came of asking, and how often it was tried.
#[derive(Debug)]
pub struct Asked {
    /// The last answer, or why there is none.
    pub last: Result<Answer, SendError>,
    /// Number of requests.
    pub attempts: u32,
    /// The host wants to be left alone for longer than we are ready to wait.
    pub wants_seconds: Option<u64>,
}

impl Asked {
    /// Whether the host had trouble, so that the next request would meet it too.
    pub fn is_trouble(&self) -> bool {
        is_trouble(&self.last)
    }
}

fn is_trouble(last: &Result<Answer, SendError>) -> bool {
    match last {
        Ok(answer) => answer.status == 429 || answer.status >= 500,
        Err(SendError::Failed(_)) => true,
        Err(SendError::Refused(_)) => false,
    }
}

/// Asks until there is an answer that says something, or patience ends.
pub fn ask(transport: &dyn Transport, clock: &dyn Clock, patience: Patience, request: &Outgoing) -> Asked {
    let mut attempts = 0;
    loop {
        let last = transport.send(request);
        attempts += 1;
        if !is_trouble(&last) || attempts > patience.retries {
            return Asked { last, attempts, wants_seconds: None };
        }
        let demanded = last.as_ref().ok().and_then(|answer| demanded(answer, clock.unix_seconds()));
        let pause = match demanded {
            // Everybody who was told to wait comes back at the same moment; a little later is kinder.
            Some(wait) => wait + wait.min(Duration::from_secs(1)).mul_f64(clock.chance() / 4.0),
            None => {
                let whole = FIRST_PAUSE.saturating_mul(1 << (attempts - 1).min(16));
                whole.min(patience.max_wait).mul_f64(1.0 - clock.chance() / 2.0)
            }
        };
        if let Some(wait) = demanded.filter(|wait| *wait > patience.max_wait) {
            return Asked { last, attempts, wants_seconds: Some(wait.as_secs()) };
        }
        clock.sleep(pause);
    }
}

/// How long the host wants to be left alone: `Retry-After` in seconds or as a date (RFC 9110, section 10.2.3), or else
/// the moment at which the limit starts anew.
fn demanded(answer: &Answer, now: i64) -> Option<Duration> {
    let until = |moment: i64| Duration::from_secs(moment.saturating_sub(now).max(0) as u64);
    if let Some(text) = &answer.retry_after {
        if let Ok(seconds) = text.parse::<u64>() {
            return Some(Duration::from_secs(seconds));
        }
        if let Ok(date) = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text) {
            return Some(until(date.as_second()));
        }
    }
    if answer.status != 429 {
        return None;
    }
    // Most state the moment in seconds since 1970, some in milliseconds, some the seconds from now.
    match answer.rate_reset? {
        seconds @ 0..1_000_000_000 => Some(Duration::from_secs(seconds as u64)),
        moment @ 1_000_000_000..1_000_000_000_000 => Some(until(moment)),
        moment @ 1_000_000_000_000.. => Some(until(moment / 1000)),
        _ => None,
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::rule::request::Method;
    use std::collections::VecDeque;
    use std::sync::Mutex;

    /// Waits for nothing and remembers what it should have waited for.
    #[derive(Default)]
    pub struct FakeClock {
        pub slept: Mutex<Vec<Duration>>,
    }

    impl Clock for FakeClock {
        fn unix_seconds(&self) -> i64 {
            1_700_000_000
        }

        fn sleep(&self, duration: Duration) {
            self.slept.lock().unwrap().push(duration);
        }

        fn chance(&self) -> f64 {
            0.0
        }
    }

    /// Gives its answers one after another.
    pub struct Script(pub Mutex<VecDeque<Result<Answer, SendError>>>);

    impl Script {
        pub fn new(answers: impl IntoIterator<Item = Result<Answer, SendError>>) -> Self {
            Self(Mutex::new(answers.into_iter().collect()))
        }
    }

    impl Transport for Script {
        fn send(&self, _: &Outgoing) -> Result<Answer, SendError> {
            self.0.lock().unwrap().pop_front().expect("the script has an answer for every request")
        }
    }

    pub fn answer(status: u16) -> Answer {
        Answer { status, is_whole: true, ..Answer::default() }
    }

    fn run(answers: Vec<Result<Answer, SendError>>) -> (Asked, Vec<f64>, usize) {
        let (script, clock) = (Script::new(answers), FakeClock::default());
        let request = Outgoing { method: Method::Get, url: String::new(), headers: Vec::new(), body: None };
        let patience = Patience { retries: 3, max_wait: Duration::from_secs(60) };
        let asked = ask(&script, &clock, patience, &request);
        let slept = clock.slept.lock().unwrap().iter().map(Duration::as_secs_f64).collect();
        let left = script.0.lock().unwrap().len();
        (asked, slept, left)
    }

    #[test]
    fn trouble_is_met_with_longer_and_longer_pauses() {
        let flaky = vec![Err(SendError::Failed("x")), Ok(answer(503)), Ok(answer(429)), Ok(answer(200))];
        let (asked, slept, left) = run(flaky);
        assert_eq!((asked.last.unwrap().status, asked.attempts, left), (200, 4, 0));
        assert_eq!(slept, [0.5, 1.0, 2.0]);
        let (asked, slept, _) = run((0..4).map(|_| Ok(answer(500))).collect());
        assert_eq!((asked.last.unwrap().status, asked.attempts, slept.len()), (500, 4, 3));
    }

    #[test]
    fn what_will_not_change_is_not_asked_again() {
        for last in [Ok(answer(401)), Ok(answer(404)), Ok(answer(302)), Err(SendError::Refused("x"))] {
            let (asked, slept, _) = run(vec![last]);
            assert_eq!((asked.attempts, slept.len()), (1, 0));
        }
    }

    #[test]
    fn the_host_says_how_long_to_wait() {
        let after = |text: &str| Answer { retry_after: Some(text.into()), ..answer(503) };
        let reset = |moment: i64| Answer { rate_reset: Some(moment), ..answer(429) };
        for (first, seconds) in [
            (after("7"), 7.0),
            (after("0"), 0.0),
            (after("Tue, 14 Nov 2023 22:13:30 GMT"), 10.0),
            (after("yesterday"), 0.5),
            (reset(1_700_000_012), 12.0),
            (reset(1_700_000_012_000), 12.0),
            (reset(9), 9.0),
            (reset(1_600_000_000), 0.0),
            (Answer { rate_reset: Some(9), ..answer(503) }, 0.5),
        ] {
            let (asked, slept, _) = run(vec![Ok(first), Ok(answer(200))]);
            assert_eq!(asked.attempts, 2);
            assert_eq!(slept, [seconds]);
        }
        let (asked, slept, _) = run(vec![Ok(after("3600"))]);
        assert_eq!((asked.wants_seconds, asked.attempts, slept.len()), (Some(3600), 1, 0));
    }
}
