//! The messages that nobody could read: each is said and counted once, however often the queue gives it out.

use std::collections::VecDeque;

/// Messages that are known; one that comes again after so many others is said again.
const REMEMBERED: usize = 1_000;

/// The latest messages that could not be read, by their ids.
#[derive(Debug, Default)]
pub struct Strange(VecDeque<String>);

impl Strange {
    /// Whether a message is none of those that came before.
    pub fn is_new(&mut self, id: &str) -> bool {
        if self.0.iter().any(|known| known == id) {
            return false;
        }
        self.0.push_back(id.to_owned());
        if self.0.len() > REMEMBERED {
            self.0.pop_front();
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_new_once_and_not_all_are_remembered() {
        let mut strange = Strange::default();
        assert!(strange.is_new("a") && strange.is_new("b"));
        assert!(!strange.is_new("a") && !strange.is_new("b"));
        for number in 0..2 * REMEMBERED {
            assert!(strange.is_new(&number.to_string()));
        }
        assert_eq!(strange.0.len(), REMEMBERED);
        assert!(strange.is_new("a"));
    }
}
