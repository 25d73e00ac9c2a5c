//! A fleet file's own way to AWS.

use super::Fleet;
use crate::aws::session::Options;
use crate::names::Region;

impl Fleet {
    /// How its own way to AWS is gone: for what is asked beside the accounts.
    pub fn options(&self) -> Options {
        Options {
            home_region: self.file.home_region.as_deref().map(Region::new),
            requests_per_second: self.file.limits.requests_per_second,
            ..Options::default()
        }
    }
}
