//! Filter patterns: when two of them mean the same.

/// Whether two patterns surely mean the same. Spaces around the parts of a pattern in braces mean nothing
/// (CloudWatch Logs User Guide, "Filter pattern syntax"); everything else is compared as it is written.
pub fn is_same(one: &str, other: &str) -> bool {
    one == other || tokens(one).is_some_and(|tokens| Some(tokens) == self::tokens(other))
}

/// The signs between the words of a pattern in braces, the longer ones first.
const SIGNS: [&str; 13] = ["&&", "||", "!=", "<=", ">=", "{", "}", "(", ")", "=", "<", ">", "!"];

/// The parts of a pattern in braces; `None` for another one, and for one with parts that spaces belong to
/// in ways of their own: a regular expression (`%…%`), a name in single quotes.
fn tokens(pattern: &str) -> Option<Vec<&str>> {
    let mut rest = pattern.trim();
    if !rest.starts_with('{') {
        return None;
    }
    let mut tokens = Vec::new();
    while !rest.is_empty() {
        let length = match rest.chars().next()? {
            '"' => quoted(rest)?,
            '%' | '\'' => return None,
            _ => SIGNS
                .iter()
                .find(|sign| rest.starts_with(**sign))
                .map_or_else(|| word(rest), |sign| sign.len()),
        };
        let (token, after) = rest.split_at(length);
        if token.contains(['%', '\'']) && !token.starts_with('"') {
            return None;
        }
        tokens.push(token);
        rest = after.trim_start();
    }
    Some(tokens)
}

/// How long a text in quotes is, with them; `None` when it does not end.
fn quoted(text: &str) -> Option<usize> {
    let mut is_escaped = false;
    for (at, sign) in text.char_indices().skip(1) {
        match sign {
            '"' if !is_escaped => return Some(at + 1),
            _ => is_escaped = sign == '\\' && !is_escaped,
        }
    }
    None
}

/// How long a word is.
fn word(text: &str) -> usize {
    let ends = |sign: char| sign.is_whitespace() || "{}()\"=<>!&|".contains(sign);
    // A sign that stands alone, such as one of two `&`, is a word.
    let first = text.chars().next().map_or(0, char::len_utf8);
    text[first..].find(ends).map_or(text.len(), |at| first + at)
}

/// What AWS would refuse of a pattern in braces, in words. Other patterns are not looked at.
pub fn problem(pattern: &str) -> Option<&'static str> {
    let pattern = pattern.trim();
    if !pattern.starts_with('{') {
        return None;
    }
    // What is inside of a regular expression is not known here.
    if pattern.contains('%') || pattern.contains('\'') {
        return None;
    }
    let Some(tokens) = tokens(pattern) else { return Some("has a quote that does not end") };
    let mut waiting = Vec::new();
    for (token, at) in tokens.iter().zip(1..) {
        match *token {
            "{" => waiting.push("}"),
            "(" => waiting.push(")"),
            "}" | ")" if waiting.pop() != Some(*token) => {
                return Some("has a bracket that does not begin");
            }
            _ => {}
        }
        if waiting.is_empty() && at < tokens.len() {
            return Some("goes on after its end");
        }
    }
    (!waiting.is_empty()).then_some("has a bracket that does not end")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spaces_between_parts_mean_nothing() {
        let tight = r#"{($.eventName="ConsoleLogin")&&($.additionalEventData.MFAUsed!="Yes")}"#;
        for same in [
            r#"{ ($.eventName = "ConsoleLogin") && ($.additionalEventData.MFAUsed != "Yes") }"#,
            " {\n($.eventName =\"ConsoleLogin\" )&& ($.additionalEventData.MFAUsed\t!= \"Yes\")} ",
        ] {
            assert!(is_same(tight, same), "{same}");
        }
        assert!(is_same("{ $.a NOT EXISTS }", "{$.a  NOT  EXISTS}"));
    }

    #[test]
    fn all_else_is_compared_as_it_is_written() {
        for (one, other) in [
            (r#"{ $.a = "x y" }"#, r#"{ $.a = "xy" }"#),
            (r#"{ $.a = "x" }"#, r#"{ $.a = "X" }"#),
            ("{ $.a = x }", r#"{ $.a = "x" }"#),
            ("{ $.a != x }", "{ $.a ! = x }"),
            ("{ $.a NOT EXISTS }", "{ $.a NOTEXISTS }"),
            ("{ $.a = 1 && $.b = 2 }", "{ $.b = 2 && $.a = 1 }"),
            ("{ $.a = %x y% }", "{ $.a = %xy% }"),
            ("{ $.a = %x  y% }", "{ $.a = %x y% }"),
            ("{ $.['a b'] = 1 }", "{ $.['a  b'] = 1 }"),
            ("ERROR  x", "ERROR x"),
            ("ERROR", " ERROR"),
            (r#"{ $.a = "x\" " }"#, r#"{ $.a = "x\"" }"#),
            ("", "{ }"),
        ] {
            assert!(!is_same(one, other), "{one} {other}");
            assert!(is_same(one, one) && is_same(other, other));
        }
    }

    #[test]
    fn what_aws_would_refuse_is_known() {
        for fine in ["", "ERROR", "[a, b]", "{ $.a = 1 }", "{ ($.a = 1) || ($.b = %(% ) }"] {
            assert_eq!(problem(fine), None, "{fine}");
        }
        for wrong in
            ["{ $.a = 1", "{ ($.a = 1 }", "{ $.a = 1) }", r#"{ $.a = "x }"#, "{ $.a = 1 } x"]
        {
            assert!(problem(wrong).is_some(), "{wrong}");
        }
    }
}
