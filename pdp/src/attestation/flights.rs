//! Questions in flight: whoever asks what is being asked already waits for that answer.
//!
//! What this is not: a memory. An answer is given to those who waited for it, and to nobody later.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;

/// What stands for a question: a digest, for questions are as good as passwords.
type Key = [u8; 32];

/// Questions in flight, with answers of one type.
#[derive(Debug)]
pub struct Flights<T>(Mutex<HashMap<Key, Arc<OnceCell<T>>>>);

impl<T> Default for Flights<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: Clone> Flights<T> {
    /// The answer to the question `key`: by `ask`, or by another that asks it already.
    pub async fn join(&self, key: Key, ask: impl Future<Output = T>) -> T {
        let flight = Arc::clone(self.lock().entry(key).or_default());
        let answer = flight.get_or_init(|| ask).await.clone();
        let mut all = self.lock();
        // Another may have begun since.
        if all
            .get(&key)
            .is_some_and(|other| Arc::ptr_eq(other, &flight))
        {
            all.remove(&key);
        }
        answer
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Key, Arc<OnceCell<T>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn those_who_ask_together_ask_once_and_those_who_ask_later_ask_anew() {
        let (flights, asked) = (Flights::default(), AtomicUsize::new(0));
        let ask = |key: u8| {
            flights.join([key; 32], async {
                tokio::time::sleep(Duration::from_millis(5)).await;
                asked.fetch_add(1, Ordering::Relaxed)
            })
        };
        assert_eq!(tokio::join!(ask(1), ask(1), ask(1)), (0, 0, 0));
        let (one, two) = tokio::join!(ask(1), ask(2));
        assert_eq!(one + two, 3);
        assert!(flights.lock().is_empty());
    }

    #[tokio::test]
    async fn one_who_gives_up_leaves_the_question_to_the_others() {
        let flights = Flights::default();
        let given_up = tokio::time::timeout(
            Duration::from_millis(5),
            flights.join([1; 32], std::future::pending::<u8>()),
        );
        let (given_up, answer) = tokio::join!(given_up, async {
            tokio::task::yield_now().await;
            flights.join([1; 32], async { 7 }).await
        });
        given_up.unwrap_err();
        assert_eq!(answer, 7);
        assert!(flights.lock().is_empty());
    }
}
