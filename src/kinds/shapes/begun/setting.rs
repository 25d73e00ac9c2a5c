//! `ec2.dim_night_lamp`: say in a line what it is.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::aws::Call;
use crate::kinds::calls::everywhere;
use crate::kinds::shapes::{Setting, Write};
use crate::kinds::{
    Change, Controls, Cx, Object, ObserveError, Scope, Use, WriteCx, WriteError, told,
};

const GET: Call = Call::new("ec2", "GetDimNightLamp");
const PUT: Call = Call::new("ec2", "PutDimNightLamp");

/// Say what it is, what "not set" means and what a write replaces: this is the page of the kind.
///
/// Source: name the pages of AWS's API Reference.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// Say what it is, its range, and AWS's default.
    pub enabled: Option<bool>,
}

/// The kind.
pub struct DimNightLamp;

impl Setting for DimNightLamp {
    const NAME: &'static str = "ec2.dim_night_lamp";
    const SCOPE: Scope = Scope::Regional;
    const CONTROLS: Controls = Controls { ..Controls::NONE };
    const CALLS: &'static [Use<Record>] = &[Use::read(GET), Use::write(PUT, everywhere)];
    const SAMPLES: &'static [&'static str] = &[
        r#"
[ec2.dim_night_lamp]
enabled = true
"#,
        r#"
[ec2.dim_night_lamp]
enabled = false
"#,
    ];

    type Record = Record;

    async fn read(_cx: &Cx) -> Result<Object<Record>, ObserveError> {
        let enabled = told("whether it is enabled, for nothing asks it yet", None)?;
        Ok(Object::only(Some(Record { enabled: Some(enabled) })))
    }

    fn judge(
        change: Change<Write<Record>>,
        _now: Option<&Record>,
        _then: &Record,
    ) -> Change<Write<Record>> {
        change
    }

    fn call(_then: &Record) -> Call {
        PUT
    }

    async fn put(_cx: &WriteCx, _then: &Record) -> Result<(), WriteError> {
        Err(WriteError::Unsendable("nothing sends it yet".to_owned()))
    }
}
