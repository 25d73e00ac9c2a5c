//! `ec2.wooden_box`: say in a line what it is.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::aws::Call;
use crate::baseline::catalog::Identity;
use crate::kinds::calls::everywhere;
use crate::kinds::shapes::part::{AnyPart, Look, Part, Parted, by_parts};
use crate::kinds::{
    Change, Controls, Cx, Drift, Facts, Kind, Made, Object, ObserveError, Scope, Undo, Use,
    WriteCx, WriteError, told,
};

const DESCRIBE: Call = Call::new("ec2", "DescribeWoodenBox");
const CREATE: Call = Call::new("ec2", "CreateWoodenBox");
const GET: Call = Call::new("ec2", "GetWoodenBoxSwitch");
const PUT: Call = Call::new("ec2", "PutWoodenBoxSwitch");

/// Say what it is, and that evenkeel makes it where it is not there: this is the page of the kind.
///
/// Source: name the pages of AWS's API Reference.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// The name by which AWS knows it.
    pub name: String,
    /// Say what it is, its range, and AWS's default.
    pub enabled: Option<bool>,
}

/// Which object: what every call names it by.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Place {
    name: String,
}

/// The kind.
#[derive(Debug, Clone, PartialEq)]
pub struct WoodenBox;

impl Kind for WoodenBox {
    const NAME: &'static str = "ec2.wooden_box";
    const SCOPE: Scope = Scope::Regional;
    const IDENTITY: Identity = Identity::Named { field: "name", prefix: "" };
    const NOT_STATE: &'static [&'static str] = &["name"];
    const CONTROLS: Controls = Controls { ..Controls::NONE };
    const CALLS: &'static [Use<Spec>] = &[Use::read(DESCRIBE), Use::write(CREATE, everywhere)];
    const SAMPLES: &'static [&'static str] = &[
        r#"
[ec2.wooden_box.main]
name    = "main"
enabled = true
"#,
        r#"
[ec2.wooden_box.main]
name    = "main"
enabled = false
"#,
    ];

    type Spec = Spec;

    by_parts!();
}

impl Parted for WoodenBox {
    type Place = Place;
    type Making = ();

    const PARTS: &'static [&'static dyn AnyPart<Self>] = &[&Switch];
    const CREATE: Call = CREATE;
    const KEPT: &'static str = "say why one that was made stays";

    async fn find(_cx: &Cx, spec: &Spec) -> Result<Object<Place>, ObserveError> {
        let name = told("whether it is there, for nothing asks it yet", None)?;
        Ok(Object::present(&spec.name, Place { name }))
    }

    fn place(_facts: &Facts, spec: &Spec) -> Place {
        Place { name: spec.name.clone() }
    }

    fn making(_facts: &Facts, spec: &Spec) -> Change<()> {
        let mut drift = Drift::new();
        drift.add("", None::<&str>, Some(&spec.name));
        Change::new((), drift)
    }

    async fn create(_cx: &WriteCx, _place: &Place, _making: &()) -> Result<Made, WriteError> {
        Err(WriteError::Unsendable("nothing sends it yet".to_owned()))
    }

    fn named(id: &str, _place: &Place) -> Spec {
        Spec { name: id.to_owned(), ..Spec::default() }
    }
}

/// Say what one setting is. With a second one, each is a file of its own.
pub struct Switch;

impl Part for Switch {
    type Of = WoodenBox;
    type Now = Option<bool>;
    type Write = bool;

    const NAME: &'static str = "enabled";
    const CALLS: &'static [Use<Spec>] = &[
        Use::read_if(GET, |spec| spec.enabled.is_some()),
        Use::write_if(PUT, |spec| spec.enabled.is_some(), everywhere),
    ];

    fn is_declared(spec: &Spec) -> bool {
        spec.enabled.is_some()
    }

    async fn read(_cx: &Cx, _spec: &Spec, _place: &Place) -> Result<Option<bool>, ObserveError> {
        told("whether it is enabled, for nothing asks it yet", None)
    }

    fn diff(look: &Look<'_, WoodenBox>, now: &Option<bool>) -> Vec<Change<bool>> {
        let Some(wanted) = look.spec.enabled else { return Vec::new() };
        let mut drift = Drift::new();
        if !drift.compare(Self::NAME, now.as_ref(), Some(&wanted)) {
            return Vec::new();
        }
        vec![look.disruptive(Change::new(wanted, drift), "say who is cut off")]
    }

    fn calls(_write: &bool) -> Vec<Call> {
        vec![PUT]
    }

    async fn write(_cx: &WriteCx, _place: &Place, _enabled: &bool) -> Result<(), WriteError> {
        Err(WriteError::Unsendable("nothing sends it yet".to_owned()))
    }

    fn undo(_write: &bool, before: &Option<bool>) -> Undo<bool> {
        match before {
            Some(before) => Undo::By(vec![*before]),
            None => Undo::Impossible("what was there before was not observed".to_owned()),
        }
    }

    fn export(now: &Option<bool>, spec: &mut Spec) {
        spec.enabled = *now;
    }
}
