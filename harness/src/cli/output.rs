//! What is printed, and to whom: a reader that goes away (`| head`) ends the printing, quietly.

use std::io::{IsTerminal, Write};

/// The width of a screen that does not say.
const WIDTH: usize = 100;

/// Prints text to standard output.
pub(super) fn print(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// Prints an error to standard error, as the last word.
pub(super) fn error(message: &str) {
    let mut out = std::io::stderr().lock();
    let _ = writeln!(out, "error: {message}");
}

/// Whether standard output wants colours: a terminal, unless NO_COLOR is set (no-color.org).
pub(super) fn wants_color() -> bool {
    let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let forced = std::env::var_os("CLICOLOR_FORCE").is_some_and(|value| value != "0");
    let dumb = std::env::var_os("TERM").is_some_and(|value| value == "dumb");
    !no_color && (forced || (std::io::stdout().is_terminal() && !dumb))
}

/// Whether progress can move: both outputs are a terminal.
pub(super) fn wants_progress() -> bool {
    std::io::stdout().is_terminal() && std::io::stderr().is_terminal()
}

/// How many columns the screen has.
pub(super) fn width() -> usize {
    // comfy-table asks the terminal; without one there is nothing to ask.
    comfy_table::Table::new().width().map_or(WIDTH, usize::from)
}
