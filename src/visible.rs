//! Text that others wrote, made safe to show: what would move the cursor, begin a line or turn the
//! reading direction is shown as an escape, `\n`, `\u{1b}`, `\u{202e}`.

use std::borrow::Cow;
use std::ops::Range;

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

/// A source text in which each value that may be a secret, by the name of its field, has as many stars as
/// it had bytes, so that places in the text stay right. The place of a secret (`${env.NAME}`,
/// `file:PATH`) is none, and of a `url` its scheme and host may be seen. The text may be any: what was to be
/// TOML and is none is hidden as well.
pub fn without_secrets(text: &str) -> Cow<'_, str> {
    let mut hidden = Vec::new();
    let mut at = 0;
    while let Some(assignment) = text[at..].find('=').map(|found| at + found) {
        unassigned(text, at..assignment, &mut hidden);
        at = assignment + 1;
        let before = text[..assignment].trim_end_matches([' ', '\t', '"', '\'']);
        let is_name = |one: char| one.is_ascii_alphanumeric() || matches!(one, '_' | '-');
        let is_path = |one: char| is_name(one) || matches!(one, '.' | '"' | '\'');
        let path = before[before.trim_end_matches(is_path).len()..].to_ascii_lowercase();
        let words = &path[path.trim_end_matches(is_name).len()..];
        let is_secret = is_nearly_secret(&path);
        let Some(value) = value_after(text, at) else {
            if (is_secret || words.contains("url")) && !is_setting_after(text, at) {
                let rest = no_string_after(text, at);
                at = rest.end;
                hidden.push(rest);
            }
            continue;
        };
        let inside = &text[value.clone()];
        let is_web = inside.starts_with("http://") || inside.starts_with("https://");
        if is_secret {
            if !inside.starts_with("${") && !inside.starts_with("file:") {
                hidden.push(value.clone());
            }
        } else if let Some(host) = inside.find("://").filter(|_| is_web || words.contains("url")) {
            let rest = host + 3;
            let path = inside[rest..].find('/').map_or(inside.len(), |slash| rest + slash);
            if let Some(name) = inside[rest..path].rfind('@') {
                hidden.push(value.start + rest..value.start + rest + name);
            }
            hidden.push(value.start + path..value.end);
        }
        at = value.end;
    }
    unassigned(text, at..text.len(), &mut hidden);
    if hidden.iter().all(Range::is_empty) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    let mut done = 0;
    for range in hidden {
        shown.push_str(&text[done..range.start]);
        shown
            .extend(text[range.clone()].bytes().map(|byte| if byte == b'\n' { '\n' } else { '*' }));
        done = range.end;
    }
    shown.push_str(&text[done..]);
    Cow::Owned(shown)
}

/// Hides, in whole lines of a stretch without an assignment, what stands behind the name of a secret:
/// somebody forgot the `=`, or wrote another sign.
fn unassigned(text: &str, stretch: Range<usize>, hidden: &mut Vec<Range<usize>>) {
    let mut start = stretch.start;
    for line in text[stretch.clone()].split_inclusive('\n') {
        let end = start + line.trim_end_matches(['\n', '\r']).len();
        // The last line of the stretch may be the beginning of an assignment.
        let is_whole = line.ends_with('\n') || stretch.end == text.len();
        let name_at =
            start + (line.len() - line.trim_start_matches([' ', '\t', '"', '\'', '{', ',']).len());
        let is_name = |one: char| one.is_ascii_alphanumeric() || matches!(one, '_' | '-');
        let begins = start == 0 || text[..start].ends_with('\n');
        if is_whole && begins && name_at < end {
            let behind = &text[name_at..end];
            let name = behind.len() - behind.trim_start_matches(is_name).len();
            if name > 0 && is_nearly_secret(&behind[..name].to_ascii_lowercase()) {
                let rest = behind[name..].len()
                    - behind[name..].trim_start_matches([' ', '\t', ':', '"', '\'']).len();
                hidden.push(name_at + name + rest..end);
            }
        }
        start += line.len();
    }
}

/// What stands in the place of a string behind a place: a list, or what is no value at all. It goes on in the
/// lines that follow until another assignment or a table begins.
fn no_string_after(text: &str, at: usize) -> Range<usize> {
    let mut end = text[at..].find('\n').map_or(text.len(), |end| at + end);
    let line = &text[at..end];
    let first = line.find(['"', '\'']).or_else(|| line.find(|one: char| !one.is_whitespace()));
    let start = first.map_or(end, |first| at + first);
    for next in text[end..].split_inclusive('\n').skip(1) {
        if next.trim().is_empty() || next.contains('=') || next.trim_start().starts_with('[') {
            break;
        }
        end += 1 + next.trim_end_matches('\n').len();
    }
    start..end
}

/// Whether a switch or a small number stands behind a place: `minimum_password_length = 14` is no secret, and
/// whoever corrects it wants to see it.
fn is_setting_after(text: &str, at: usize) -> bool {
    const DIGITS: usize = 4;
    let line = text[at..].lines().next().unwrap_or_default();
    let value = line.split('#').next().unwrap_or_default().trim();
    let is_number = |word: &str| word.bytes().all(|byte| byte.is_ascii_digit());
    matches!(value, "true" | "false")
        || (!value.is_empty() && value.len() <= DIGITS && is_number(value))
}

/// What names of fields are made of whose values nobody may see.
const SECRET_FIELDS: [&str; 4] = ["secret", "token", "password", "passphrase"];

/// Whether a name has such a word in it, or one that differs by a letter or two.
fn is_nearly_secret(name: &str) -> bool {
    let is_near = |word: &&'static str| {
        name.contains(*word)
            || name
                .split(['_', '-', '.', '"', '\''])
                .any(|part| strsim::damerau_levenshtein(part, word) <= 2)
    };
    SECRET_FIELDS.iter().any(is_near)
}

/// Where the inside of the string is that stands behind a place; one that has no end goes to the end of its
/// line, or of the text where it may have several lines.
fn value_after(text: &str, at: usize) -> Option<Range<usize>> {
    let quoted = text[at..].trim_start_matches([' ', '\t']);
    let start = text.len() - quoted.len();
    for (quote, ends) in
        [("\"\"\"", &["\"\"\""][..]), ("'''", &["'''"]), ("\"", &["\"", "\n"]), ("'", &["'", "\n"])]
    {
        if quoted.starts_with(quote) {
            let start = start + quote.len();
            let ends = ends.iter().filter_map(|end| text[start..].find(end)).min();
            return Some(start..ends.map_or(text.len(), |end| start + end));
        }
    }
    None
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
    fn what_may_be_a_secret_is_not_shown_and_places_stay() {
        for (text, shown) in [
            ("secret = \"hunter2\"\nx = [", "secret = \"*******\"\nx = ["),
            ("hmac_secret='hunter2", "hmac_secret='*******"),
            ("token = \"üü\"", "token = \"****\""),
            ("secret = \"\"\"a\nb\"\"\" c", "secret = \"\"\"*\n*\"\"\" c"),
            ("secret = \"\"\"a\nb", "secret = \"\"\"*\n*"),
            ("secret = \"${env.HOOK}\"", "secret = \"${env.HOOK}\""),
            ("secret = \"file:a.key\"", "secret = \"file:a.key\""),
            (
                "a = { url = \"https://h.example/T0/x\", b = 1",
                "a = { url = \"https://h.example*****\", b = 1",
            ),
            ("url = \"postgres://u:p@h/db\"", "url = \"postgres://***@h***\""),
            ("\"url\" = 'https://h.example'", "\"url\" = 'https://h.example'"),
            ("a = \"b = c\"", "a = \"b = c\""),
            ("secret =", "secret ="),
            ("secrt = \"hunter2\"", "secrt = \"*******\""),
            ("secret = \"hunter2\" oops", "secret = \"*******\" oops"),
            ("url = [\"hunter2\"]\nx = 1", "url = [**********\nx = 1"),
            ("secret = hunter2\nx = 1", "secret = *******\nx = 1"),
            ("secret = \n\"hunter2\"\nx = 1", "secret = \n*********\nx = 1"),
            ("secret = [\n  \"hunter2\",\n]\n[a]", "secret = *\n************\n*\n[a]"),
            ("x = 1\nsecret \"hunter2\"\ny = 2", "x = 1\nsecret \"********\ny = 2"),
            ("x = 1\n  secret: hunter2", "x = 1\n  secret: *******"),
            ("secret hunter2", "secret *******"),
            ("secret.value = \"hunter2\"", "secret.value = \"*******\""),
            ("a.secrt = \"hunter2\"", "a.secrt = \"*******\""),
            ("ulr = \"https://h.example/T0/x\"", "ulr = \"https://h.example*****\""),
            ("[notify.webhook.secret]\nx = 1", "[notify.webhook.secret]\nx = 1"),
            ("# secrets are elsewhere\nx = 1", "# secrets are elsewhere\nx = 1"),
            ("minimum_password_length = 14\nx = 1", "minimum_password_length = 14\nx = 1"),
            ("require_password = true # why\nx = 1", "require_password = true # why\nx = 1"),
            ("password = 1234567890\nx = 1", "password = **********\nx = 1"),
            ("password = 1 2\nx = 1", "password = ***\nx = 1"),
        ] {
            assert_eq!(without_secrets(text), shown);
            assert_eq!(without_secrets(text).len(), text.len());
        }
    }

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
