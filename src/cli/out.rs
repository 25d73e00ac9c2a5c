//! Output: results to standard output, talk to standard error. A reader that goes away (`| head`)
//! is no error.

use std::io::{BufWriter, Write};
use std::path::Path;

use super::failure::Failure;

/// Prints a line of the result.
pub fn line(text: &str) {
    let _ = writeln!(anstream::stdout().lock(), "{text}");
}

/// Prints a result as it is.
pub fn text(text: &str) {
    let _ = write!(anstream::stdout().lock(), "{text}");
}

/// Says something to the person at the terminal.
pub fn say(text: &str) {
    let _ = writeln!(anstream::stderr().lock(), "{text}");
}

/// Prints a result, or writes it to a file without colours.
///
/// # Errors
/// The file cannot be written.
pub fn result(text: &str, file: Option<&Path>) -> Result<(), Failure> {
    match file {
        None => {
            self::text(text);
            Ok(())
        }
        Some(path) => {
            let plain = anstream::adapter::strip_str(text).to_string();
            std::fs::write(path, plain).map_err(|error| Failure::file("write", path, error))
        }
    }
}

/// Prints a result while it is made, or writes it to a file.
///
/// # Errors
/// The file cannot be written.
pub fn stream(
    file: Option<&Path>,
    make: impl FnOnce(&mut dyn Write) -> std::io::Result<()>,
) -> Result<(), Failure> {
    let Some(path) = file else {
        let mut out = BufWriter::new(std::io::stdout().lock());
        // A reader that has gone away, such as `head`, has seen enough.
        let _ = make(&mut out).and_then(|()| out.flush());
        return Ok(());
    };
    let write = || {
        let mut out = BufWriter::new(std::fs::File::create(path)?);
        make(&mut out)?;
        out.flush()
    };
    write().map_err(|error| Failure::file("write", path, error))
}
