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

use super::clocks::Clocks;
use super::said::{Hearer, Said};

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
    /// Its id, which it keeps however often it is given out.
    pub id: String,
    /// What it says.
    pub body: String,
    /// What it is deleted by.
    pub receipt: String,
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

    /// Why no events come into it any more, if that is so.
    ///
    /// # Errors
    /// Nobody can say it.
    async fn shut(&self) -> Result<Option<String>, String> {
        Ok(None)
    }
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
    let mut deaf_since = None;
    let mut asking: FuturesUnordered<BoxFuture<'_, Result<Asked, String>>> =
        FuturesUnordered::new();
    loop {
        while asking.len() < width {
            asking.push(ask(inbox.as_ref(), &sender, clocks.as_ref()).boxed());
        }
        match asking.next().await {
            Some(Ok(Asked::Got(count))) => {
                let deaf = deaf_since.take().map(|since| clocks.now().saturating_sub(since));
                hearer(Said::Answered { deaf });
                pause = PAUSE;
                width = if count >= inbox.most() { STORM } else { 1 };
            }
            Some(Ok(Asked::Over)) => return,
            None => {}
            Some(Err(why)) => {
                deaf_since.get_or_insert_with(|| clocks.now());
                hearer(Said::Deaf { why: &why, pause });
                clocks.sleep_until(clocks.now() + pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
                width = 1;
            }
        }
    }
}

/// Looks again and again whether events may come, and says when that changes.
pub async fn watch(
    inbox: Arc<dyn Inbox>,
    every: Duration,
    hearer: Hearer,
    clocks: Arc<dyn Clocks>,
) {
    let mut before = Ok(None);
    loop {
        let shut = inbox.shut().await;
        if shut != before {
            hearer(Said::Door { shut: &shut });
        }
        before = shut;
        clocks.sleep_until(clocks.now() + every).await;
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::VecDeque;
    use std::sync::Mutex;

    use chrono::{DateTime, Utc};
    use tokio::sync::Notify;

    use super::*;

    /// Says one thing after the other of whether events may come, and then nothing any more.
    struct Doors {
        says: Mutex<VecDeque<Result<Option<String>, String>>>,
        is_empty: Arc<Notify>,
    }

    /// Whoever sleeps wakes at once.
    struct AtOnce;

    #[async_trait]
    impl Clocks for AtOnce {
        fn now(&self) -> Duration {
            Duration::ZERO
        }

        fn wall(&self) -> DateTime<Utc> {
            DateTime::UNIX_EPOCH
        }

        async fn sleep_until(&self, _: Duration) {}
    }

    #[async_trait]
    impl Inbox for Doors {
        async fn receive(&self) -> Result<Vec<Message>, String> {
            std::future::pending().await
        }

        async fn keep(&self, _: Vec<String>) -> Result<(), String> {
            Ok(())
        }

        async fn delete(&self, _: Vec<String>) -> Result<(), String> {
            Ok(())
        }

        fn most(&self) -> usize {
            1
        }

        async fn shut(&self) -> Result<Option<String>, String> {
            let next = self.says.lock().unwrap().pop_front();
            match next {
                Some(said) => said,
                None => {
                    self.is_empty.notify_one();
                    std::future::pending().await
                }
            }
        }
    }

    #[tokio::test]
    async fn whether_events_may_come_is_said_when_that_changes() {
        let shut = || Ok(Some("shut".to_owned()));
        let says = [Ok(None), shut(), shut(), Err("denied".to_owned()), shut(), Ok(None), Ok(None)];
        let is_empty = Arc::new(Notify::new());
        let doors = Doors { says: Mutex::new(says.into()), is_empty: Arc::clone(&is_empty) };
        let heard = Arc::new(Mutex::new(Vec::new()));
        let hearer: Hearer = {
            let heard = Arc::clone(&heard);
            Arc::new(move |said: Said<'_>| {
                if let Said::Door { shut } = said {
                    heard.lock().unwrap().push(shut.clone());
                }
            })
        };
        tokio::select! {
            () = watch(Arc::new(doors), Duration::from_secs(120), hearer, Arc::new(AtOnce)) => {}
            () = is_empty.notified() => {}
        }
        let expected = [shut(), Err("denied".to_owned()), shut(), Ok(None)];
        assert_eq!(*heard.lock().unwrap(), expected);
    }
}
