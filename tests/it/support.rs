//! Scratch repositories with a pinned environment, and made-up tokens that never stand whole in a file.

use std::ffi::OsStr;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use sha2::{Digest, Sha256};
use tempfile::TempDir;

/// What a finished process left behind.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Ran {
    /// What is left of a process that has ended.
    pub fn new(output: Output) -> Self {
        Self {
            code: output.status.code().expect("no signal ended the process"),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// The report as JSON.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("no JSON ({error}): {self:?}"))
    }

    /// Asserts the exit code and shows everything when it differs.
    #[track_caller]
    pub fn expect_code(self, code: i32) -> Self {
        assert_eq!(self.code, code, "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }
}

/// A directory of its own, with a home directory and a git configuration of its own.
pub struct Sandbox {
    dir: TempDir,
    id_len: usize,
}

impl Sandbox {
    /// An empty directory `work` that is no repository yet.
    ///
    /// Repositories that are made in it have SHA-1 names, or those that `GIT_DEFAULT_HASH` says: all tests hold for
    /// both.
    pub fn new() -> Self {
        let is_long = std::env::var_os("GIT_DEFAULT_HASH").is_some_and(|hash| hash == "sha256");
        Self::with_names(if is_long { 32 } else { 20 })
    }

    /// The same, with names of 20 bytes (SHA-1) or 32 (SHA-256).
    pub fn with_names(id_len: usize) -> Self {
        let dir = tempfile::Builder::new().prefix("stanch-it-").tempdir().expect("a temporary directory");
        fs::create_dir(dir.path().join("home")).expect("a home directory");
        fs::create_dir(dir.path().join("work")).expect("a work directory");
        Self { dir, id_len }
    }

    /// A repository on branch `main` without commits.
    pub fn repo() -> Self {
        Self::new().with_repo()
    }

    /// The same, with names of 20 bytes (SHA-1) or 32 (SHA-256).
    pub fn repo_with_names(id_len: usize) -> Self {
        Self::with_names(id_len).with_repo()
    }

    fn with_repo(self) -> Self {
        self.git(&["init", "--quiet", "--initial-branch=main"]);
        self
    }

    /// How many bytes the names of its repositories have.
    pub fn id_len(&self) -> usize {
        self.id_len
    }

    /// The working directory.
    pub fn path(&self) -> PathBuf {
        self.dir.path().join("work")
    }

    /// The directory above the working directory, for bare repositories, linked worktrees and outputs.
    pub fn outside(&self) -> &Path {
        self.dir.path()
    }

    /// Writes a file below the working directory and makes its directories.
    pub fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        let file = self.path().join(path);
        fs::create_dir_all(file.parent().expect("a file has a directory")).expect("directories");
        fs::write(file, content).expect("a written file");
    }

    /// Runs git and asserts success; returns its standard output without the last line end.
    #[track_caller]
    pub fn git(&self, args: &[&str]) -> String {
        let ran = self.try_git(args);
        assert_eq!(ran.code, 0, "git {args:?}: {}{}", ran.stdout, ran.stderr);
        ran.stdout.trim_end_matches('\n').to_owned()
    }

    /// Runs git whatever comes of it.
    pub fn try_git(&self, args: &[&str]) -> Ran {
        Ran::new(self.command("git").args(args).output().expect("git runs"))
    }

    /// Stages everything and commits it.
    #[track_caller]
    pub fn commit_all(&self, message: &str) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "--message", message]);
    }

    /// Runs stanch in the working directory.
    pub fn stanch(&self, args: &[&str]) -> Ran {
        self.stanch_in(&self.path(), args)
    }

    /// Runs stanch in another directory.
    pub fn stanch_in(&self, dir: &Path, args: &[&str]) -> Ran {
        let output = self.command(stanch()).current_dir(dir).args(args).output().expect("stanch runs");
        Ran::new(output)
    }

    /// Runs stanch with bytes on its standard input.
    pub fn stanch_with_input(&self, args: &[&str], input: &[u8]) -> Ran {
        let mut command = self.command(stanch());
        command.args(args);
        Ran::new(output_with_input(command, input))
    }

    /// A command with the pinned environment: home, git configuration, names, dates, locale.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let home = self.dir.path().join("home");
        let mut command = Command::new(program);
        command.current_dir(self.path()).stdin(Stdio::null()).env_clear();
        // Windows finds its libraries, its temporary files and its programs by the second line.
        for kept in
            ["PATH", "TMPDIR", "LD_LIBRARY_PATH", "LLVM_PROFILE_FILE", "SYSTEMROOT", "TEMP", "TMP", "PATHEXT"]
        {
            if let Some(value) = std::env::var_os(kept) {
                command.env(kept, value);
            }
        }
        command
            .env("HOME", &home)
            .env("XDG_CONFIG_HOME", home.join(".config"))
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", home.join(".gitconfig"))
            .env("GIT_DEFAULT_HASH", if self.id_len == 32 { "sha256" } else { "sha1" })
            .env("GIT_AUTHOR_NAME", "Ada Author")
            .env("GIT_AUTHOR_EMAIL", "ada@example.org")
            .env("GIT_AUTHOR_DATE", "2024-05-06T07:08:09+02:00")
            .env("GIT_COMMITTER_NAME", "Carl Committer")
            .env("GIT_COMMITTER_EMAIL", "carl@example.org")
            .env("GIT_COMMITTER_DATE", "2024-05-06T07:08:10+02:00")
            .env("LC_ALL", "C.UTF-8")
            .env("TZ", "UTC");
        command
    }
}

/// Path of the binary under test.
pub fn stanch() -> &'static str {
    env!("CARGO_BIN_EXE_stanch")
}

/// Writes an executable file and makes its directories.
pub fn write_program(path: &Path, content: impl AsRef<[u8]>) {
    fs::create_dir_all(path.parent().expect("a file has a directory")).expect("directories");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // Another test that starts a process at this moment would inherit the open file for an instant, and a file
        // that is open for writing cannot be run. So another process writes it.
        let draft = path.with_extension("draft");
        fs::write(&draft, content).expect("a written file");
        fs::set_permissions(&draft, fs::Permissions::from_mode(0o755)).expect("permissions");
        let copied = Command::new("cp").arg("-p").args([&draft, path]).status().expect("cp runs");
        assert!(copied.success(), "cp {}", path.display());
        fs::remove_file(&draft).expect("a removed file");
    }
    #[cfg(not(unix))]
    fs::write(path, content).expect("a written file");
}

/// Deterministic characters from an alphabet, so that no token stands whole in a source file.
pub fn random_text(alphabet: &str, len: usize, seed: u64) -> String {
    let alphabet: Vec<char> = alphabet.chars().collect();
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    (0..len)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            alphabet[(state >> 33) as usize % alphabet.len()]
        })
        .collect()
}

/// A made-up ClickUp personal token: `pk_`, eight digits, 32 upper-case letters and digits.
pub fn clickup_token(seed: u64) -> String {
    let owner = random_text("123456789", 8, seed);
    let tail = random_text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", 32, seed + 1);
    format!("pk_{owner}_{tail}")
}

/// The SHA-256 sum in hexadecimal digits.
pub fn sha256(content: &[u8]) -> String {
    Sha256::digest(content).iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a string takes any text");
        text
    })
}

/// Runs a command with bytes on its standard input.
pub fn output_with_input(mut command: Command, input: &[u8]) -> Output {
    use std::io::Write as _;
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("stanch starts");
    // A process that ends without reading closes the pipe; that is its business, not the test's.
    let _ = child.stdin.take().expect("a pipe").write_all(input);
    child.wait_with_output().expect("stanch ends")
}
