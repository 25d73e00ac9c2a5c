//! What stands for itself: the display name, how messages are signed, traced and delivered.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    Place, SET, SignatureVersion, Spec, Topic, TracingConfig, attributes_of_found, set, topic,
};
use crate::aws::Call;
use crate::baseline::catalog::SpecProblem;
use crate::kinds::shapes::part::{Look, Part};
use crate::kinds::sns::delivery;
use crate::kinds::spec::aws_enum;
use crate::kinds::{
    Change, Cx, Drift, ObserveError, Undo, Use, WriteCx, WriteError, compared, known,
};

pub struct Attributes;

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Now {
    pub display_name: Option<String>,
    pub delivery_policy: Option<Map<String, Value>>,
    pub signature_version: Option<SignatureVersion>,
    pub tracing_config: Option<TracingConfig>,
}

aws_enum! {
    /// An attribute that is written alone.
    Attribute {
        DisplayName = "DisplayName",
        DeliveryPolicy = "DeliveryPolicy",
        SignatureVersion = "SignatureVersion",
        TracingConfig = "TracingConfig",
    }
}

/// One attribute, and the text of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Write {
    pub attribute: Attribute,
    pub value: String,
}

impl Now {
    /// "If the API response does not include the SignatureVersion attribute, it means that the
    /// SignatureVersion for the topic has value 1" (`GetTopicAttributes`).
    fn signature_version(&self) -> SignatureVersion {
        self.signature_version.unwrap_or(SignatureVersion::Sha1)
    }

    /// "By default TracingConfig is set to PassThrough" (`GetTopicAttributes`).
    fn tracing_config(&self) -> TracingConfig {
        self.tracing_config.unwrap_or(TracingConfig::PassThrough)
    }

    /// An attribute as it is written.
    fn text(&self, attribute: Attribute) -> String {
        match attribute {
            Attribute::DisplayName => self.display_name.clone().unwrap_or_default(),
            Attribute::DeliveryPolicy => text_of(self.delivery_policy.as_ref()),
            Attribute::SignatureVersion => self.signature_version().as_str().to_owned(),
            Attribute::TracingConfig => self.tracing_config().as_str().to_owned(),
        }
    }
}

/// An empty text takes a delivery policy away.
fn text_of(policy: Option<&Map<String, Value>>) -> String {
    policy
        .filter(|policy| !policy.is_empty())
        .map(|policy| Value::Object(policy.clone()).to_string())
        .unwrap_or_default()
}

impl Part for Attributes {
    type Of = Topic;
    type Now = Now;
    type Write = Write;

    const NAME: &'static str = "attributes";
    const CALLS: &'static [Use<Spec>] = &[Use::write_if(SET, Self::is_declared, topic)];

    fn is_declared(spec: &Spec) -> bool {
        spec.display_name.is_some()
            || spec.delivery_policy.is_some()
            || spec.signature_version.is_some()
            || spec.tracing_config.is_some()
    }

    async fn read(cx: &Cx, _spec: &Spec, place: &Place) -> Result<Now, ObserveError> {
        let attributes = attributes_of_found(cx, &place.name).await?;
        let policy = attributes.get("DeliveryPolicy").map(|text| {
            serde_json::from_str(text).map_err(|error| ObserveError::Malformed {
                field: "DeliveryPolicy".to_owned(),
                problem: error.to_string(),
            })
        });
        let signature = attributes.get("SignatureVersion");
        let tracing = attributes.get("TracingConfig");
        Ok(Now {
            display_name: attributes.get("DisplayName").cloned(),
            delivery_policy: policy.transpose()?,
            signature_version: signature.map(|word| known("SignatureVersion", word)).transpose()?,
            tracing_config: tracing.map(|word| known("TracingConfig", word)).transpose()?,
        })
    }

    fn diff(look: &Look<'_, Topic>, now: &Now) -> Vec<Change<Write>> {
        let spec = look.spec;
        let write =
            |attribute, value: String, drift| Change::new(Write { attribute, value }, drift);
        let mut changes = Vec::new();
        let mut drift = Drift::new();
        let wanted = spec.display_name.as_deref();
        if drift.compare_text("display_name", now.display_name.as_deref(), wanted) {
            let wanted = wanted.unwrap_or_default().to_owned();
            changes.push(write(Attribute::DisplayName, wanted, drift));
        }
        changes.extend(deliveries(look, now));
        let mut drift = Drift::new();
        let there = now.signature_version();
        if let Some(wanted) = spec.signature_version
            && drift.compare("signature_version", Some(&there), Some(&wanted))
        {
            let change = write(Attribute::SignatureVersion, wanted.as_str().to_owned(), drift);
            changes.push(look.disruptive(
                change,
                "endpoints that check signatures must know the other version, or take no messages",
            ));
        }
        let mut drift = Drift::new();
        let there = now.tracing_config();
        if let Some(wanted) = spec.tracing_config
            && drift.compare("tracing_config", Some(&there), Some(&wanted))
        {
            changes.push(write(Attribute::TracingConfig, wanted.as_str().to_owned(), drift));
        }
        changes
    }

    fn calls(_: &Write) -> Vec<Call> {
        vec![SET]
    }

    async fn write(cx: &WriteCx, place: &Place, write: &Write) -> Result<(), WriteError> {
        set(cx, place, write.attribute.as_str(), &write.value).await
    }

    fn undo(write: &Write, before: &Now) -> Undo<Write> {
        let value = before.text(write.attribute);
        Undo::By(vec![Write { attribute: write.attribute, value }])
    }

    fn export(now: &Now, spec: &mut Spec) {
        spec.display_name = Some(now.display_name.clone().unwrap_or_default());
        spec.delivery_policy = Some(now.delivery_policy.clone().unwrap_or_default());
        spec.signature_version = Some(now.signature_version());
        spec.tracing_config = Some(now.tracing_config());
    }
}

pub fn check(spec: &Spec) -> Option<SpecProblem> {
    let wrong = delivery::wrong(spec.delivery_policy.as_ref()?, delivery::Of::Topic)?;
    let help = "see \"Creating an HTTP/S delivery policy\" in the SNS Developer Guide";
    Some(SpecProblem::new("delivery_policy", wrong, help))
}

fn deliveries(look: &Look<'_, Topic>, now: &Now) -> Option<Change<Write>> {
    let wanted = look.spec.delivery_policy.as_ref()?;
    compared::mark("delivery_policy");
    let there = now.delivery_policy.as_ref();
    if delivery::is_as_declared(there, wanted) {
        return None;
    }
    let mut drift = Drift::new();
    let whole = delivery::with(there, wanted);
    let desired = Some(&whole).filter(|whole| !whole.is_empty());
    drift.add("delivery_policy", there, desired);
    let write = Write { attribute: Attribute::DeliveryPolicy, value: text_of(desired) };
    Some(look.disruptive(
        Change::new(write, drift),
        "HTTP and HTTPS endpoints that are down for a while may miss messages that they get today",
    ))
}
