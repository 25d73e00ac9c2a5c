//! Who hears a controller: what happens around its runs, and each run.

use std::sync::{Arc, PoisonError, RwLock};

use super::begun::Looking;
use super::said::Said;
use crate::reconcile::{Listener, Warn};

/// Somebody who hears a controller.
pub trait Audience: Send + Sync {
    /// Hears what happens in its loop and around its runs.
    fn hear(&self, said: &Said<'_>);

    /// Who hears what happens in a run that is about to look at something.
    fn of_run(&self, _looking: &Looking<'_>) -> Vec<Arc<dyn Listener>> {
        Vec::new()
    }
}

/// All who hear a controller, in the order in which they came.
#[derive(Default)]
pub struct Voice(RwLock<Vec<Arc<dyn Audience>>>);

impl Voice {
    /// One that somebody hears.
    pub fn heard_by(audience: Arc<dyn Audience>) -> Arc<Self> {
        Arc::new(Self(RwLock::new(vec![audience])))
    }

    /// Somebody else hears it from now on.
    pub fn add(&self, audience: Arc<dyn Audience>) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).push(audience);
    }

    fn all(&self) -> Vec<Arc<dyn Audience>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Says something to all of them.
    pub fn say(&self, said: &Said<'_>) {
        self.all().iter().for_each(|audience| audience.hear(said));
    }

    /// Those who hear a run.
    pub fn of_run(&self, looking: &Looking<'_>) -> Vec<Arc<dyn Listener>> {
        self.all().iter().flat_map(|audience| audience.of_run(looking)).collect()
    }

    /// Says warnings.
    pub fn warns(self: &Arc<Self>) -> Warn {
        // Some of those who hear it warn themselves.
        let voice = Arc::downgrade(self);
        Arc::new(move |warning| {
            if let Some(voice) = voice.upgrade() {
                voice.say(&Said::Warned { warning });
            }
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::reconcile::Warning;

    #[derive(Default)]
    struct Hears(Mutex<Vec<String>>);

    impl Audience for Hears {
        fn hear(&self, said: &Said<'_>) {
            self.0.lock().unwrap().push(format!("{said:?}"));
        }
    }

    #[test]
    fn who_comes_later_hears_what_is_said_from_then_on_and_so_are_warnings() {
        let (first, second) = (Arc::new(Hears::default()), Arc::new(Hears::default()));
        let voice = Voice::heard_by(Arc::clone(&first) as Arc<dyn Audience>);
        voice.say(&Said::Answered { deaf: None });
        voice.add(Arc::clone(&second) as Arc<dyn Audience>);
        let warn = voice.warns();
        warn(&Warning::NoticesLeft);
        let warned = "Warned { warning: NoticesLeft }";
        assert_eq!(*first.0.lock().unwrap(), ["Answered { deaf: None }", warned]);
        assert_eq!(*second.0.lock().unwrap(), [warned]);
        drop(voice);
        warn(&Warning::NoticesLeft);
        assert_eq!(second.0.lock().unwrap().len(), 1, "nobody is there any more");
    }
}
