//! The exit codes, and the only mapping from an outcome to one.

use std::process::ExitCode;

/// What a run came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// 0: everything asked for was done and nothing was found.
    Clean,
    /// 1: everything asked for was done and something was found.
    Findings,
    /// 2: something could not be done. Findings are reported all the same.
    Incomplete,
}

impl Exit {
    /// Not being done outweighs findings: a gate that could not look must not say how it looks.
    pub fn of(is_complete: bool, has_findings: bool) -> Self {
        match (is_complete, has_findings) {
            (false, _) => Exit::Incomplete,
            (true, true) => Exit::Findings,
            (true, false) => Exit::Clean,
        }
    }

    /// The number that the shell sees.
    pub fn code(self) -> u8 {
        match self {
            Exit::Clean => 0,
            Exit::Findings => 1,
            Exit::Incomplete => 2,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_wins_over_one() {
        assert_eq!(Exit::of(true, false).code(), 0);
        assert_eq!(Exit::of(true, true).code(), 1);
        assert_eq!(Exit::of(false, false).code(), 2);
        assert_eq!(Exit::of(false, true).code(), 2);
    }
}
