//! What an event told is kept until its look is over: a controller that is killed before takes it up again. The message is
//! deleted when that is done, or cannot be.

use futures::future::{BoxFuture, FutureExt};
use tokio::sync::oneshot;

use super::waiting::Waiting;

/// Whom to tell which messages are done with.
type Answer = (oneshot::Sender<Vec<String>>, Vec<String>);

/// What is to be kept, and the messages that are deleted then. What comes while something is being kept, is kept
/// together.
#[derive(Default)]
pub struct Keeping {
    waiting: Vec<Waiting>,
    answers: Vec<Answer>,
    in_hand: Option<BoxFuture<'static, Vec<Answer>>>,
}

impl Keeping {
    /// Adds what waits, and the messages that told of it.
    pub fn add(&mut self, waiting: Vec<Waiting>, (tell, receipts): Answer) {
        if waiting.is_empty() {
            // Who asks has gone only when the loop is over.
            let _ = tell.send(receipts);
            return;
        }
        self.waiting.extend(waiting);
        self.answers.push((tell, receipts));
    }

    /// Begins to keep what waits, where nothing is being kept.
    pub fn begin(&mut self, keep: impl FnOnce(Vec<Waiting>) -> BoxFuture<'static, ()>) {
        if self.in_hand.is_some() || self.answers.is_empty() {
            return;
        }
        let (waiting, answers) =
            (std::mem::take(&mut self.waiting), std::mem::take(&mut self.answers));
        self.in_hand = Some(keep(waiting).map(|()| answers).boxed());
    }

    /// Waits until it is kept.
    pub async fn done(&mut self) {
        let Some(in_hand) = &mut self.in_hand else { return std::future::pending().await };
        let answers = in_hand.await;
        self.in_hand = None;
        for (tell, receipts) in answers {
            let _ = tell.send(receipts);
        }
    }
}
