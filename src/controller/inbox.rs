//! Where events come from: messages are asked for, handed to the loop, and deleted once what they tell
//! is in the controller's own queue. When the controller dies with them, its next start looks at
//! everything.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::FutureExt;
use futures::future::BoxFuture;
use futures::stream::{FuturesUnordered, StreamExt};
use tokio::sync::{mpsc, oneshot};

use super::drive::{Clocks, Hearer, Said};

/// The pause after a queue could not be asked; each further failure doubles it.
const PAUSE: Duration = Duration::from_secs(1);
/// The longest such pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// Questions at a time while the queue is full.
const STORM: usize = 8;
/// So often, messages that wait for room are kept from others.
pub const KEEP_EVERY: Duration = Duration::from_secs(15);

/// A message, as the queue gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// What it says.
    pub body: String,
    /// What it is deleted by.
    pub receipt: String,
    /// Whether it was never given out before.
    pub is_first: bool,
}

/// Where events come from.
#[async_trait]
pub trait Inbox: Send + Sync {
    /// Waits for messages, for some seconds at most.
    ///
    /// # Errors
    /// The queue cannot be asked.
    async fn receive(&self) -> Result<Vec<Message>, String>;

    /// Keeps messages from others for some time more, by their receipts.
    ///
    /// # Errors
    /// They may be given to somebody else, or come again.
    async fn keep(&self, receipts: Vec<String>) -> Result<(), String>;

    /// Deletes messages by their receipts.
    ///
    /// # Errors
    /// They were not deleted, and come again.
    async fn delete(&self, receipts: Vec<String>) -> Result<(), String>;

    /// As many messages as one answer can hold.
    fn most(&self) -> usize;
}

/// Messages on their way from the inbox, and whom to tell which of them are done with.
pub type Batch = (Vec<Message>, oneshot::Sender<Vec<String>>);

/// What became of one question.
enum Asked {
    /// So many messages came.
    Got(usize),
    /// Nobody wants them any more.
    Over,
}

/// Asks for messages again and again: one question at a time, and several while answers are full.
pub async fn poll(
    inbox: Arc<dyn Inbox>,
    sender: mpsc::Sender<Batch>,
    hearer: Hearer,
    clocks: Arc<dyn Clocks>,
) {
    let mut pause = PAUSE;
    let mut width = 1;
    let mut asking: FuturesUnordered<BoxFuture<'_, Result<Asked, String>>> =
        FuturesUnordered::new();
    loop {
        while asking.len() < width {
            asking.push(ask(inbox.as_ref(), &sender, clocks.as_ref()).boxed());
        }
        match asking.next().await {
            Some(Ok(Asked::Got(count))) => {
                hearer(Said::Answered);
                pause = PAUSE;
                width = if count >= inbox.most() { STORM } else { 1 };
            }
            Some(Ok(Asked::Over)) => return,
            None => {}
            Some(Err(why)) => {
                hearer(Said::Deaf { why: &why, pause });
                clocks.sleep_until(clocks.now() + pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
                width = 1;
            }
        }
    }
}

/// One question, and all that follows from its answer.
async fn ask(
    inbox: &dyn Inbox,
    sender: &mpsc::Sender<Batch>,
    clocks: &dyn Clocks,
) -> Result<Asked, String> {
    let messages = inbox.receive().await?;
    let count = messages.len();
    if messages.is_empty() {
        return Ok(Asked::Got(0));
    }
    let receipts: Vec<String> = messages.iter().map(|message| message.receipt.clone()).collect();
    let (tell, told) = oneshot::channel();
    let mut handing = std::pin::pin!(async {
        sender.send((messages, tell)).await.ok()?;
        told.await.ok()
    });
    let done = loop {
        let wake = clocks.now() + KEEP_EVERY;
        tokio::select! {
            biased;
            done = &mut handing => break done,
            () = clocks.sleep_until(wake) => inbox.keep(receipts.clone()).await?,
        }
    };
    let Some(done) = done else { return Ok(Asked::Over) };
    if !done.is_empty() {
        inbox.delete(done).await?;
    }
    Ok(Asked::Got(count))
}
