//! Where bytes go: standard output, standard error, a file.

use std::fs;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::panic::{self, PanicHookInfo};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use anstream::AutoStream;
use anyhow::{Context, Result, bail};
use stanch::report::text;

use super::args::Color;

/// Reports a panic by its place alone: its message could hold a secret.
pub fn install_panic_hook() {
    panic::set_hook(Box::new(|panic| complain(&panic_message(panic))));
}

fn panic_message(panic: &PanicHookInfo<'_>) -> String {
    // The only way in which libraries tell that there is no room for a thread.
    let payload = panic.payload().downcast_ref::<String>();
    let is_for_want_of_threads = |payload: &String| {
        payload.starts_with("failed to spawn thread") || payload.contains("ThreadPoolBuildError")
    };
    if payload.is_some_and(is_for_want_of_threads) {
        return "cannot start a thread, so not everything was read: allow more processes (`ulimit -u`), or use \
                less `--threads`"
            .to_owned();
    }
    let place = panic.location().map_or_else(|| "an unknown place".to_owned(), ToString::to_string);
    format!("internal error at {place}, please report this line")
}

/// Writes one line to standard error. What a message quotes may come from a hostile repository.
pub fn complain(message: &str) {
    say(&format!("error: {}", text::escape(message)));
}

/// Writes one line to standard error as it is.
pub fn say(line: &str) {
    let mut drawn = drawn();
    draw(&mut drawn, "");
    // Without standard error there is nobody left to tell; the exit code still says it.
    let _ = writeln!(io::stderr(), "{line}");
}

/// How many columns the line takes that will be drawn over. Whoever holds it may write to standard error.
static DRAWN: Mutex<usize> = Mutex::new(0);

fn drawn() -> MutexGuard<'static, usize> {
    // A number is whole whatever happened to those who held it.
    DRAWN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Writes an ASCII line to standard error in place of the one drawn before, with the cursor at its end.
pub fn draw_over(line: &str) {
    draw(&mut drawn(), line);
}

/// Takes away what was drawn.
pub fn clear_drawn() {
    draw(&mut drawn(), "");
}

/// Spaces instead of an escape code: they work everywhere, and nobody has to ask whether codes are welcome.
fn draw(drawn: &mut usize, line: &str) {
    let old = std::mem::replace(drawn, line.len());
    if old > 0 || !line.is_empty() {
        let rest = old.saturating_sub(line.len());
        let text = format!("\r{line}{:rest$}{}", "", "\u{8}".repeat(rest));
        let _ = io::stderr().write_all(text.as_bytes());
    }
}

/// Whether standard error is a terminal on which a line can be drawn over.
pub fn stderr_can_redraw() -> bool {
    io::stderr().is_terminal() && std::env::var_os("TERM").is_none_or(|terminal| terminal != "dumb")
}

/// The width of the terminal behind standard error.
pub fn stderr_columns() -> usize {
    terminal_size::terminal_size_of(io::stderr()).map_or(80, |(width, _)| width.0.into())
}

/// Where the report goes.
#[derive(Clone, Debug)]
pub enum Target {
    /// Standard output.
    Stdout,
    /// A regular file, which appears complete or not at all.
    File(PathBuf),
    /// A device or a pipe, which can only be written to.
    Stream(PathBuf),
}

impl Target {
    /// Judges an `--output` before any work is done, so that a typing error does not cost a long scan.
    ///
    /// # Errors
    ///
    /// When the place is a directory or lies in none, and when the file or its directory takes no writing.
    pub fn new(path: Option<&Path>) -> Result<Self> {
        let Some(path) = path.filter(|path| path.as_os_str() != "-") else { return Ok(Target::Stdout) };
        refuse_planted_link(path, "the report")?;
        match fs::metadata(path) {
            Ok(found) if found.is_dir() => {
                bail!("cannot write the report to {}: it is a directory", path.display())
            }
            // A link stays what it is; the file that it names is replaced.
            Ok(found) if found.is_file() => {
                let real =
                    path.canonicalize().with_context(|| format!("cannot resolve {}", path.display()))?;
                if found.permissions().readonly() {
                    bail!("cannot write the report to {}: the file is read-only", path.display());
                }
                Self::file(path, real)
            }
            Ok(_) => Ok(Target::Stream(path.to_path_buf())),
            // What a link names need not be there yet.
            Err(error) => match fs::read_link(path) {
                Ok(_) if error.kind() != io::ErrorKind::NotFound => {
                    Err(error).with_context(|| format!("cannot write the report to {}", path.display()))
                }
                Ok(named) => {
                    let named = directory_of(path).join(named);
                    if fs::symlink_metadata(&named).is_ok() {
                        bail!("cannot write the report to {}: it links to a link to nothing", path.display());
                    }
                    Self::file(path, named)
                }
                Err(_) => Self::file(path, path.to_path_buf()),
            },
        }
    }

    /// A file that can be made: its directory is there and takes new files.
    fn file(typed: &Path, real: PathBuf) -> Result<Self> {
        let dir = directory_of(&real);
        if !dir.is_dir() {
            bail!("cannot write the report to {}: there is no directory {}", typed.display(), dir.display());
        }
        // Asked before the work, since an hour of it would be lost on a directory that takes no file.
        tempfile::Builder::new()
            .prefix(".stanch-report-")
            .tempfile_in(dir)
            .with_context(|| format!("cannot write the report to {}", typed.display()))?;
        Ok(Target::File(real))
    }

    /// Whether the report goes to standard output.
    pub fn is_stdout(&self) -> bool {
        matches!(self, Target::Stdout)
    }

    /// Whether two reports that go here and there would take each other's place.
    pub fn is_same(&self, other: &Target) -> bool {
        match (self, other) {
            (Target::Stdout, Target::Stdout) => true,
            (Target::File(one), Target::File(other)) => one == other || place_of(one) == place_of(other),
            _ => false,
        }
    }

    /// Whether to colour a report that goes here.
    pub fn wants_colour(&self, color: Color) -> bool {
        match color {
            Color::Always => true,
            Color::Never => false,
            // anstream knows NO_COLOR, CLICOLOR, CLICOLOR_FORCE and TERM.
            Color::Auto => {
                self.is_stdout() && AutoStream::choice(&io::stdout()) != anstream::ColorChoice::Never
            }
        }
    }

    /// Writes a report. `is_private` keeps other users from reading a new file.
    ///
    /// # Errors
    ///
    /// When not every byte could be written; a file keeps what it held before.
    pub fn write(
        &self,
        is_private: bool,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<()> {
        match self {
            Target::Stdout => {
                // The choice was made before; this only translates colours for old Windows consoles.
                let mut out = BufWriter::new(AutoStream::always_ansi(io::stdout().lock()));
                let written = write(&mut out).and_then(|()| out.flush());
                match written {
                    Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                        // Nothing more goes into a closed pipe, not even from the buffer when it is dropped.
                        let _ = out.into_parts();
                        bail!("standard output was closed before the report was complete");
                    }
                    written => written.context("cannot write the report to standard output"),
                }
            }
            Target::File(path) => write_file(path, is_private, write)
                .with_context(|| format!("cannot write the report to {}", path.display())),
            Target::Stream(path) => {
                let written = fs::OpenOptions::new().write(true).open(path).and_then(|file| {
                    let mut out = BufWriter::new(file);
                    write(&mut out)?;
                    out.flush()
                });
                written.with_context(|| format!("cannot write the report to {}", path.display()))
            }
        }
    }
}

/// Refuses a place to which a link in the working tree of a repository leads, out of that or into its `.git`: whoever
/// wrote the repository would choose which file of the user is written. Links elsewhere are the user's own.
///
/// # Errors
///
/// When there is such a link; the message says where it leads.
pub fn refuse_planted_link(path: &Path, what: &str) -> Result<()> {
    use std::path::Component;

    let mut roots: Vec<PathBuf> = Vec::new();
    let mut real = PathBuf::new();
    let absolute = std::path::absolute(path).with_context(|| format!("cannot resolve {}", path.display()))?;
    for part in absolute.components() {
        match part {
            Component::ParentDir => {
                real.pop();
                continue;
            }
            Component::CurDir => continue,
            part => real.push(part),
        }
        let mut links = 0;
        while let Ok(named) = fs::read_link(&real) {
            links += 1;
            // A ring is refused where the file would be opened.
            if links > 40 {
                break;
            }
            let dir = directory_of(&real).to_path_buf();
            let root = dir.ancestors().find(|dir| fs::symlink_metadata(dir.join(".git")).is_ok());
            roots.extend(root.map(Path::to_path_buf));
            let named = dir.join(named);
            match named.canonicalize() {
                Ok(found) => real = found,
                Err(_) => {
                    let parent = directory_of(&named).canonicalize();
                    real = parent.unwrap_or(dir).join(named.file_name().unwrap_or_default());
                }
            }
        }
    }
    let leaves = |root: &&PathBuf| !real.starts_with(root) || real.starts_with(root.join(".git"));
    match roots.iter().find(leaves) {
        None => Ok(()),
        Some(root) => bail!(
            "cannot write {what} to {}: a link in the repository at {} leads to {}, which is not in its working \
             tree; name that place itself if it is meant",
            path.display(),
            root.display(),
            real.display()
        ),
    }
}

fn write_file(
    path: &Path,
    is_private: bool,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".stanch-report-");
    #[cfg(unix)]
    if !is_private {
        use std::os::unix::fs::PermissionsExt;
        // As any new file, and the umask takes its part; temporary files are private otherwise.
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    #[cfg(not(unix))]
    let _ = is_private;
    let mut file = BufWriter::new(builder.tempfile_in(directory_of(path))?);
    write(&mut file)?;
    let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// The directory without links, and the name in it.
fn place_of(path: &Path) -> (Option<PathBuf>, Option<&std::ffi::OsStr>) {
    (directory_of(path).canonicalize().ok(), path.file_name())
}

fn directory_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn a_panic_is_reported_by_its_place_alone() {
        let seen = Arc::new(Mutex::new(String::new()));
        let sink = Arc::clone(&seen);
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |panic| *sink.lock().unwrap() = panic_message(panic)));
        let outcome = panic::catch_unwind(|| panic!("hunter2"));
        panic::set_hook(before);
        assert!(outcome.is_err());
        let message = seen.lock().unwrap().clone();
        assert!(message.contains("terminal.rs:") && !message.contains("hunter2"), "{message}");
    }

    #[test]
    fn a_file_is_replaced_whole_or_not_at_all() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("report");
        fs::write(&path, "before").unwrap();
        let target = Target::new(Some(&path)).unwrap();
        let failing = |out: &mut dyn Write| {
            out.write_all(b"half")?;
            Err(io::Error::other("no more"))
        };
        assert!(target.write(false, failing).is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), "before");
        target.write(false, |out| out.write_all(b"after")).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "after");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "nothing is left behind");
    }
}
