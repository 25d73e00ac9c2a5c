//! An event that waits for its look, as the store keeps it.

use super::queue::{Called, Part};
use crate::kinds::registry;
use crate::store::history::WaitingEvent;

/// An event that waits for a look at a part.
#[derive(Debug, Clone, PartialEq)]
pub struct Waiting {
    /// The part.
    pub part: Part,
    /// The event.
    pub called: Called,
}

impl Waiting {
    /// As the store keeps it.
    ///
    /// # Errors
    /// It cannot be put in JSON.
    pub fn stored(&self) -> Result<WaitingEvent, serde_json::Error> {
        let Part { account, kind, region } = self.part.clone();
        Ok(WaitingEvent {
            account,
            kind: kind.to_owned(),
            region,
            mark: self.called.mark(),
            told: self.called.told,
            about: self.called.stored()?,
        })
    }

    /// What the store kept; none where this version does not know the kind.
    ///
    /// # Errors
    /// It is none.
    pub fn of_stored(event: &WaitingEvent) -> Result<Option<Self>, serde_json::Error> {
        let Some(kind) = registry::find(&event.kind) else { return Ok(None) };
        let (account, region) = (event.account.clone(), event.region.clone());
        let part = Part { account, kind: kind.name(), region };
        Ok(Some(Self { part, called: Called::of_stored(&event.about)? }))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::Arc;

    use chrono::DateTime;
    use serde_json::{Value, json};

    use super::*;
    use crate::names::Region;
    use crate::reconcile::Named;
    use crate::store::history::ByWhom;

    #[test]
    fn what_waits_comes_back_from_the_store_as_it_was() {
        let named = Named::of(&json!({"name": "main"}), &json!([{"ARN": "arn:x"}]), &Value::Null);
        let by = ByWhom {
            principal: "eve".to_owned(),
            call: "cloudtrail.amazonaws.com:StopLogging".to_owned(),
            time: DateTime::from_timestamp(7, 0),
            address: Some("192.0.2.7".to_owned()),
            ..ByWhom::default()
        };
        let region = Region::new("eu-west-1");
        let told = DateTime::from_timestamp_micros(9).unwrap();
        let identity = Some("eve@example.com".to_owned());
        let called = Called::of(by, identity, region.clone(), Arc::new(named), told);
        let account = "111122223333".parse().unwrap();
        let part = Part { account, kind: "cloudtrail.trail", region: None };
        let waiting = Waiting { part, called };
        let stored = waiting.stored().unwrap();
        assert_eq!(Waiting::of_stored(&stored).unwrap(), Some(waiting));
        let unknown = WaitingEvent { kind: "s3.unheard".to_owned(), ..stored.clone() };
        assert_eq!(Waiting::of_stored(&unknown).unwrap(), None);
        assert!(Waiting::of_stored(&WaitingEvent { about: json!({}), ..stored }).is_err());
    }
}
