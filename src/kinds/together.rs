//! Several reads at the same time, with one outcome whatever the timing.
//!
//! `together!` gives up the other reads when one fails, so that of two errors the faster
//! one is named. A plan must not depend on that: the same account would be described in two ways,
//! and would not be grouped with its like. Here all reads are waited for, and the first error in
//! the order of writing counts.

/// Awaits two to five reads: `let (one, two) = together!(one(cx), two(cx))?;`.
macro_rules! together {
    ($a:expr, $b:expr $(,)?) => {
        $crate::kinds::together::two(futures::join!($a, $b))
    };
    ($a:expr, $b:expr, $c:expr $(,)?) => {
        $crate::kinds::together::three(futures::join!($a, $b, $c))
    };
    ($a:expr, $b:expr, $c:expr, $d:expr $(,)?) => {
        $crate::kinds::together::four(futures::join!($a, $b, $c, $d))
    };
    ($a:expr, $b:expr, $c:expr, $d:expr, $e:expr $(,)?) => {
        $crate::kinds::together::five(futures::join!($a, $b, $c, $d, $e))
    };
}
pub(crate) use together;

type Answers3<A, B, C, X> = (Result<A, X>, Result<B, X>, Result<C, X>);
type Answers4<A, B, C, D, X> = (Result<A, X>, Result<B, X>, Result<C, X>, Result<D, X>);
type Answers5<A, B, C, D, E, X> =
    (Result<A, X>, Result<B, X>, Result<C, X>, Result<D, X>, Result<E, X>);

pub fn two<A, B, X>((a, b): (Result<A, X>, Result<B, X>)) -> Result<(A, B), X> {
    Ok((a?, b?))
}

pub fn three<A, B, C, X>((a, b, c): Answers3<A, B, C, X>) -> Result<(A, B, C), X> {
    Ok((a?, b?, c?))
}

pub fn four<A, B, C, D, X>((a, b, c, d): Answers4<A, B, C, D, X>) -> Result<(A, B, C, D), X> {
    Ok((a?, b?, c?, d?))
}

pub fn five<A, B, C, D, E, X>(
    (a, b, c, d, e): Answers5<A, B, C, D, E, X>,
) -> Result<(A, B, C, D, E), X> {
    Ok((a?, b?, c?, d?, e?))
}

/// A read that only some specs need.
pub async fn when<T, X>(
    needed: bool,
    read: impl Future<Output = Result<T, X>>,
) -> Result<Option<T>, X> {
    if needed { read.await.map(Some) } else { Ok(None) }
}

/// The same for any number of reads of one type.
pub async fn all<T, X>(
    reads: impl IntoIterator<Item = impl Future<Output = Result<T, X>>>,
) -> Result<Vec<T>, X> {
    futures::future::join_all(reads).await.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    #[tokio::test]
    async fn the_first_error_in_writing_counts_and_not_the_fastest() {
        let slow = async {
            tokio::time::sleep(Duration::from_millis(5)).await;
            Err::<(), _>("slow")
        };
        let fast = async { Err::<(), _>("fast") };
        assert_eq!(together!(slow, fast), Err("slow"));
        assert_eq!(together!(async { Ok::<_, ()>(1) }, async { Ok(2) }), Ok((1, 2)));
    }
}
