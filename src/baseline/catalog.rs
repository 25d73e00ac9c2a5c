//! What the language has to know of the kinds. The registry fills it; the language does not
//! depend on the kinds themselves.

use std::collections::HashMap;
use std::sync::OnceLock;

use serde_json::Value;

use super::check::Checker;

/// How many items of a kind a baseline may declare, and what names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Identity {
    /// At most one item, one object per account (or per account and Region).
    Singleton,
    /// Any number of items; `field` holds the AWS name, by default `prefix` and the item's name.
    Named {
        /// The spec's field that holds the AWS name.
        field: &'static str,
        /// What stands before the item's name in the default.
        prefix: &'static str,
    },
    /// At most one item, many objects.
    Sweep,
}

/// A rule of a spec that its schema cannot say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpecProblem {
    /// Path of the field at fault, such as `lifecycle[0].days`; empty for the item itself.
    pub field: String,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
    /// Whether the key that the path ends with is at fault, and not its value.
    pub at_key: bool,
}

impl SpecProblem {
    /// A problem with a field, and what to do about it.
    pub fn new(
        field: impl Into<String>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Self {
        Self {
            field: field.into(),
            message: message.into(),
            help: Some(help.into()),
            at_key: false,
        }
    }

    /// The same, where the key is at fault.
    #[must_use]
    pub fn at_key(self, at_key: bool) -> Self {
        Self { at_key, ..self }
    }
}

/// The rules between the fields of a spec.
pub type Rules = Box<dyn Fn(&Value) -> Vec<SpecProblem> + Send + Sync>;

/// What an item governs, from its spec.
pub type Governs = Box<dyn Fn(&Value) -> Option<String> + Send + Sync>;

/// A kind, as the language sees it.
pub struct KindInfo {
    /// `service.thing`.
    pub name: &'static str,
    /// How its items are told apart.
    pub identity: Identity,
    /// The fields of its spec that are no state of an object.
    pub not_state: &'static [&'static str],
    /// Whether it has objects in every Region.
    pub regional: bool,
    /// The field of a kind without Regions that names its object's Region; without a value, that is the
    /// home Region.
    pub region: Option<&'static str>,
    /// The fields in which an ARN must be one of the Region of the object.
    pub in_region: &'static [&'static str],
    /// The JSON Schema of its spec.
    pub schema: Box<dyn Fn() -> Value + Send + Sync>,
    /// The rules between its fields, for specs that fit the schema.
    pub check: Rules,
    /// What an item of a named kind governs, in one form whatever way it is written, as far as it can
    /// be told without an account.
    pub governs: Governs,
}

/// All kinds.
pub struct Catalog {
    kinds: Vec<KindInfo>,
    /// Where each kind stands in the list.
    places: HashMap<&'static str, usize>,
    /// Schemas that are ready to check specs: making one costs far more than using it, and a fleet
    /// checks each item for each account and Region.
    checkers: Vec<OnceLock<Option<Checker>>>,
}

impl Catalog {
    /// A catalog of these kinds.
    pub fn new(kinds: Vec<KindInfo>) -> Self {
        let checkers = kinds.iter().map(|_| OnceLock::new()).collect();
        let places = kinds.iter().zip(0..).map(|(kind, place)| (kind.name, place)).collect();
        Self { kinds, places, checkers }
    }

    /// The checker of a kind's specs, made once.
    pub fn checker(&self, name: &str) -> Option<&Checker> {
        let place = *self.places.get(name)?;
        self.checkers[place].get_or_init(|| Checker::new((self.kinds[place].schema)())).as_ref()
    }

    /// All kinds.
    pub fn kinds(&self) -> &[KindInfo] {
        &self.kinds
    }

    /// A kind by its name.
    pub fn find(&self, name: &str) -> Option<&KindInfo> {
        self.places.get(name).map(|place| &self.kinds[*place])
    }

    /// The services that have kinds.
    pub fn services(&self) -> Vec<&'static str> {
        let mut services: Vec<_> =
            self.kinds.iter().filter_map(|kind| kind.name.split('.').next()).collect();
        services.sort_unstable();
        services.dedup();
        services
    }

    /// The names of a service's kinds, without the service.
    pub fn things(&self, service: &str) -> Vec<&'static str> {
        self.kinds
            .iter()
            .filter_map(|kind| kind.name.split_once('.'))
            .filter(|(of, _)| *of == service)
            .map(|(_, thing)| thing)
            .collect()
    }
}
