//! Text that others wrote, without meaning to Markdown and HTML. An empty comment keeps a mark apart
//! from what it would have a meaning with, such as `@` from the name of somebody who would be told.

use crate::visible::visible;

/// Keeps two characters apart and is not seen.
const APART: &str = "<!-- -->";

/// For a paragraph of Markdown.
pub fn markdown(text: &str) -> String {
    escaped(text, &['|', '*', '_', '`', '[', ']', '\\', '~', '!'])
}

/// For raw HTML inside Markdown, where a backslash would be seen.
pub fn raw_html(text: &str) -> String {
    escaped(text, &[])
}

fn escaped(text: &str, with_backslash: &[char]) -> String {
    let text = visible(text);
    let mut out = String::with_capacity(text.len());
    for (at, character) in text.char_indices() {
        let rest = &text[at + character.len_utf8()..];
        if with_backslash.contains(&character) {
            out.push('\\');
        }
        match character {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            // Two of them on a line would begin and end a formula.
            '$' => out.push_str("<span>$</span>"),
            '@' | '#' => {
                out.push(character);
                out.push_str(APART);
            }
            ':' if rest.starts_with("//") => {
                out.push(character);
                out.push_str(APART);
            }
            '.' if ends_with_www(&text[..at]) => {
                out.push_str(APART);
                out.push(character);
            }
            other => out.push(other),
        }
    }
    out
}

fn ends_with_www(text: &str) -> bool {
    text.get(text.len().saturating_sub(3)..).is_some_and(|end| end.eq_ignore_ascii_case("www"))
}

/// A block of code; its fence is longer than any in the text.
pub fn fenced(language: &str, text: &str) -> String {
    let longest = text.split(|character| character != '`').map(str::len).max().unwrap_or_default();
    let fence = "`".repeat((longest + 1).max(3));
    format!("{fence}{language}\n{}\n{fence}\n", text.trim_end_matches('\n'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_others_has_a_meaning() {
        let cases = [
            ("~~gone~~ *b* _i_", "\\~\\~gone\\~\\~ \\*b\\* \\_i\\_", "~~gone~~ *b* _i_"),
            ("@team #12", "@<!-- -->team #<!-- -->12", "@<!-- -->team #<!-- -->12"),
            ("https://a.example", "https:<!-- -->//a.example", "https:<!-- -->//a.example"),
            ("WWW.a.example", "WWW<!-- -->.a.example", "WWW<!-- -->.a.example"),
            (
                "a\n<b> & ${x}",
                "a\\\\n&lt;b&gt; &amp; <span>$</span>{x}",
                "a\\n&lt;b&gt; &amp; <span>$</span>{x}",
            ),
        ];
        for (text, in_markdown, in_html) in cases {
            assert_eq!(markdown(text), in_markdown);
            assert_eq!(raw_html(text), in_html);
        }
    }

    #[test]
    fn a_fence_cannot_be_closed_from_inside() {
        assert_eq!(fenced("diff", "a\n```\nb\n"), "````diff\na\n```\nb\n````\n");
        assert_eq!(fenced("", "a"), "```\na\n```\n");
    }
}
