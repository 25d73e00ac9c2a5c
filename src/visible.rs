//! Text that others wrote, made safe to show: what would move the cursor, begin a line or turn the
//! reading direction is shown as an escape, `\n`, `\u{1b}`, `\u{202e}`.

use std::borrow::Cow;

/// What `escape_debug` escapes and nobody needs escaped.
const PLAIN: [char; 3] = ['\\', '"', '\''];

/// A text on one line, without control and format characters. A text that was made visible before
/// stays as it is.
pub fn visible(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    for piece in text.split_inclusive(PLAIN) {
        let body = piece.strip_suffix(PLAIN).unwrap_or(piece);
        out.extend(body.escape_debug());
        out.push_str(piece.strip_prefix(body).unwrap_or_default());
    }
    Cow::Owned(out)
}

/// The same for a whole document of our own, whose line ends stay.
pub fn visible_lines(text: &str) -> String {
    let lines: Vec<_> = text.split('\n').map(visible).collect();
    lines.join("\n")
}

/// A source text with every control and format character replaced by something that can be seen and
/// has as many bytes, so that places in the text stay right. Line ends and tabs stay.
pub fn masked(text: &str) -> Cow<'_, str> {
    let is_hidden = |character: char| {
        !matches!(character, '\n' | '\t' | ' '..='~') && character.escape_debug().nth(1).is_some()
    };
    if !text.contains(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mask = |character: char| match character {
        hidden if !is_hidden(hidden) => String::from(hidden),
        hidden => match hidden.len_utf8() {
            1 => "?".to_owned(),
            2 => "·".to_owned(),
            3 => "\u{fffd}".to_owned(),
            _ => "\u{fffd}?".to_owned(),
        },
    };
    Cow::Owned(text.chars().map(mask).collect())
}

/// The beginning of a long text.
pub fn shortened(text: &str, characters: usize) -> Cow<'_, str> {
    match text.char_indices().nth(characters) {
        Some((at, _)) => Cow::Owned(format!("{} …", &text[..at])),
        None => Cow::Borrowed(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_is_shown_and_the_rest_stays() {
        let cases = [
            ("plain \"text\" \\d+", "plain \"text\" \\d+"),
            ("für 東京 – ok → 14 …", "für 東京 – ok → 14 …"),
            ("e\u{301}", "e\u{301}"),
            ("a\n0 to change\r\t", "a\\n0 to change\\r\\t"),
            ("\u{1b}[31m\u{9b}2J", "\\u{1b}[31m\\u{9b}2J"),
            (
                "\u{202e}x\u{2066}\u{200b}\u{feff}\u{2028}",
                "\\u{202e}x\\u{2066}\\u{200b}\\u{feff}\\u{2028}",
            ),
        ];
        for (text, shown) in cases {
            assert_eq!(visible(text), shown);
            assert_eq!(visible(&visible(text)), shown, "twice is as once");
        }
        assert_eq!(visible_lines("a\nb\u{202e}\n"), "a\nb\\u{202e}\n");
        let hidden = "a\u{1b}\u{9b}\u{202e}\u{e0001}\r\n\tü東";
        assert_eq!(masked(hidden), "a?·\u{fffd}\u{fffd}??\n\tü東");
        assert_eq!(masked(hidden).len(), hidden.len());
        assert_eq!((&*shortened("abc", 2), &*shortened("ab", 2)), ("ab …", "ab"));
    }
}
