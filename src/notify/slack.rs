//! An incoming webhook of Slack, or of what takes the same.
//!
//! Source: Slack API, "Sending messages using incoming webhooks" (`text`), "Formatting text for app
//! surfaces" (`&`, `<` and `>` are escaped), "chat.postMessage" (texts are cut at 40,000 characters, 4,000
//! are recommended).

use std::path::PathBuf;

use async_trait::async_trait;
use serde_json::json;

use super::channel::{Channel, NotSent};
use super::letter::Letter;
use super::{http, secret, words};

/// The longest text.
const LONGEST: usize = 4_000;

/// A webhook.
pub struct Hook {
    /// Where its URL is.
    pub url: String,
    /// The fleet file's folder.
    pub folder: PathBuf,
}

#[async_trait]
impl Channel for Hook {
    async fn send(&self, letter: &Letter) -> Result<(), NotSent> {
        let url = secret::text_or_place(&self.url, &self.folder).map_err(NotSent::because)?;
        http::post(&url, json!({ "text": text(letter) }).to_string(), &[], &[]).await
    }
}

fn text(letter: &Letter) -> String {
    let subject = escape(&words::subject(letter));
    let rest = words::text(letter, &escape);
    let mut text = format!("*{subject}*\n");
    for line in rest.lines() {
        if text.len() + line.len() > LONGEST {
            text.push('…');
            break;
        }
        text.push_str(line);
        text.push('\n');
    }
    text
}

/// What Slack would take for its own signs: who can name an object must not call a channel together.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_called_together_by_the_name_of_an_object() {
        assert_eq!(escape("<!channel> & co"), "&lt;!channel&gt; &amp; co");
    }
}
