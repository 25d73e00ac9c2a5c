//! Each AWS read at most once per run: the first kind that asks makes the call, the others share
//! its answer, an error included.

use std::any::Any;
use std::collections::{BTreeSet, HashMap};
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;

use super::error::AwsError;
use super::permission::Call;
use crate::names::{ItemName, Region};

type Answer = Result<Arc<dyn Any + Send + Sync>, AwsError>;

/// What makes two reads the same.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct ReadKey {
    region: Region,
    call: Call,
    arguments: String,
}

/// The answers of one observation of one account.
#[derive(Debug, Default)]
pub struct ReadCache {
    answers: Mutex<HashMap<ReadKey, Arc<OnceCell<Answer>>>>,
    left_out: Mutex<BTreeSet<(ItemName, usize)>>,
}

impl ReadCache {
    /// Notes that an entry of an item's `exclude`, by its place, leaves an object out.
    pub fn note_left_out(&self, item: &ItemName, entry: usize) {
        let mut left_out = self.left_out.lock().unwrap_or_else(PoisonError::into_inner);
        left_out.insert((item.clone(), entry));
    }

    /// The entries of `exclude` that left objects out.
    pub fn left_out(&self) -> BTreeSet<(ItemName, usize)> {
        self.left_out.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The answer to a read, made by `request` when nobody has asked before.
    ///
    /// `arguments` must tell reads of the same operation apart.
    ///
    /// # Errors
    /// The error of the first request, given to all who ask.
    pub async fn once<T: Send + Sync + 'static>(
        &self,
        region: &Region,
        call: Call,
        arguments: &str,
        request: impl Future<Output = Result<T, AwsError>> + Send,
    ) -> Result<Arc<T>, AwsError> {
        let key = ReadKey { region: region.clone(), call, arguments: arguments.to_owned() };
        let cell = Arc::clone(
            self.answers.lock().unwrap_or_else(PoisonError::into_inner).entry(key).or_default(),
        );
        let answer = cell
            .get_or_init(|| async {
                match request.await {
                    Ok(value) => Ok(Arc::new(value) as Arc<dyn Any + Send + Sync>),
                    Err(error) => Err(error),
                }
            })
            .await
            .clone()?;
        Ok(answer.downcast::<T>().unwrap_or_else(|_| {
            unreachable!("{call} with the same arguments always gives the same type")
        }))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_second_reader_shares_the_first_answer() {
        let cache = ReadCache::default();
        let region = Region::new("eu-west-1");
        let call = Call::new("ec2", "DescribeVpcs");
        let first = cache.once(&region, call, "", async { Ok(1_u32) }).await.unwrap();
        let second = cache.once(&region, call, "", async { Ok(2_u32) }).await.unwrap();
        let other = cache.once(&region, call, "filtered", async { Ok(3_u32) }).await.unwrap();
        assert_eq!((*first, *second, *other), (1, 1, 3));
    }
}
