//! Text for a terminal, on its way out. Everything goes through here, so that nothing that others
//! wrote can end a line, move the cursor or set a colour.

use std::fmt::Write;

use anstyle::Style;

use crate::visible::visible;

/// The text so far.
#[derive(Debug, Default)]
pub struct Page(String);

impl Page {
    /// A part of a line.
    pub fn text(&mut self, text: &str) {
        self.0.push_str(&visible(text));
    }

    /// A part of a line, in a colour.
    pub fn styled(&mut self, style: Style, text: &str) {
        let _ = write!(self.0, "{style}{}{style:#}", visible(text));
    }

    /// The rest of a line.
    pub fn line(&mut self, text: &str) {
        self.text(text);
        self.0.push('\n');
    }

    /// All of it.
    pub fn into_text(self) -> String {
        self.0
    }
}
