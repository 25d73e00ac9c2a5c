//! What a channel is: something that takes letters, and what is known of it.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::letter::{Letter, Notice, Reader};
use crate::aws::Session;
use crate::aws::meter::Meter;
use crate::aws::session::Options;
use crate::fleet::notify::Common;

/// A channel could not take a letter, or not all of it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct NotSent {
    /// Why; without secrets.
    pub why: String,
    /// When the receiver wishes to be asked again.
    pub retry_after: Option<Duration>,
    /// What is left to be sent, where the rest arrived.
    pub left: Option<Vec<Notice>>,
}

impl NotSent {
    /// Nothing of it arrived.
    pub fn because(why: impl Into<String>) -> Self {
        Self { why: why.into(), ..Self::default() }
    }
}

/// Something that takes letters.
#[async_trait]
pub trait Channel: Send + Sync {
    /// Sends a letter; when this returns, it has arrived.
    ///
    /// # Errors
    /// It has not, or not all of it.
    async fn send(&self, letter: &Letter) -> Result<(), NotSent>;
}

/// A channel with its name.
pub struct Reached {
    /// `sns.security`.
    pub name: String,
    /// What all sorts of channels have.
    pub common: Common,
    /// Who reads it.
    pub reader: Reader,
    /// How it is sent to.
    pub channel: Box<dyn Channel>,
}

/// evenkeel's own way to AWS, asked for when it is first needed, and again while there is none.
pub struct Own {
    options: Options,
    session: tokio::sync::OnceCell<Session>,
}

impl Own {
    /// With such options.
    pub fn new(options: Options) -> Self {
        Self { options, session: tokio::sync::OnceCell::new() }
    }

    /// The session.
    ///
    /// # Errors
    /// There are no credentials, or AWS refuses them.
    pub async fn session(&self) -> Result<&Session, String> {
        let connect = || Session::connect(Arc::new(Meter::default()), self.options.clone());
        self.session.get_or_try_init(connect).await.map_err(|error| error.to_string())
    }
}
