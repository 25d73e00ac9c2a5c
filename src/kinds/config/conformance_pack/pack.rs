//! The pack itself, which AWS replaces as a whole.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_config::Client;
use aws_sdk_config::types::{
    ConformancePackDetail, ConformancePackInputParameter, Tag, TemplateSsmDocumentDetails,
};
use serde::{Deserialize, Serialize};

use super::spec::Spec;
use super::status::{self, REMEDY};
use super::template::{MARK, Seen, Template, mark, requested};
use super::{ConformancePack, PUT, PUTTING, Place, described, has_mark, pack};
use crate::aws::Call;
use crate::kinds::config::tags;
use crate::kinds::shapes::part::{Look, Part};
use crate::kinds::tags::Tags;
use crate::kinds::{
    Change, Charge, Cx, Drift, Made, ObserveError, Risk, Undo, Use, WriteCx, WriteError, told,
};

/// Pauses until AWS shows that it was asked for a pack.
const UNTIL_SHOWN: [u64; 4] = [1, 2, 4, 0];

pub struct Pack;

/// How a pack is made: all of it but the name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    template: Template,
    #[serde(flatten)]
    settings: Settings,
}

/// What AWS tells of a pack, and takes with each template.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    input_parameters: BTreeMap<String, String>,
    delivery_s3_bucket: Option<String>,
    delivery_s3_key_prefix: Option<String>,
}

/// What is there.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Now {
    template: Seen,
    #[serde(flatten)]
    settings: Settings,
    /// What AWS could not do with it.
    problem: Option<String>,
}

fn some(text: Option<&str>) -> Option<String> {
    text.filter(|text| !text.is_empty()).map(str::to_owned)
}

impl Settings {
    fn of(said: &ConformancePackDetail) -> Self {
        let parameters = said.conformance_pack_input_parameters().iter();
        Self {
            input_parameters: parameters
                .map(|one| (one.parameter_name().to_owned(), one.parameter_value().to_owned()))
                .collect(),
            delivery_s3_bucket: some(said.delivery_s3_bucket()),
            delivery_s3_key_prefix: some(said.delivery_s3_key_prefix()),
        }
    }

    fn compare(&self, spec: &Spec, drift: &mut Drift) {
        let parameters = spec.input_parameters.as_ref();
        drift.compare("input_parameters", Some(&self.input_parameters), parameters);
        let (bucket, prefix) = (&self.delivery_s3_bucket, &self.delivery_s3_key_prefix);
        let declared = spec.delivery_s3_bucket.as_deref();
        drift.compare_text("delivery_s3_bucket", bucket.as_deref(), declared);
        let declared = spec.delivery_s3_key_prefix.as_deref();
        drift.compare_text("delivery_s3_key_prefix", prefix.as_deref(), declared);
    }

    fn with(&self, spec: &Spec) -> Self {
        let text = |declared: &Option<String>, there: &Option<String>| match declared {
            Some(text) => some(Some(text)),
            None => there.clone(),
        };
        let parameters = spec.input_parameters.as_ref().unwrap_or(&self.input_parameters);
        Self {
            input_parameters: parameters.clone(),
            delivery_s3_bucket: text(&spec.delivery_s3_bucket, &self.delivery_s3_bucket),
            delivery_s3_key_prefix: text(
                &spec.delivery_s3_key_prefix,
                &self.delivery_s3_key_prefix,
            ),
        }
    }
}

impl Now {
    fn compare(&self, spec: &Spec, drift: &mut Drift) -> bool {
        let template = Template::declared(spec);
        let is_another = template.is_some_and(|one| self.template.compare(&one, drift));
        self.settings.compare(spec, drift);
        is_another
    }
}

/// The change that makes a new pack, or what keeps it from being made.
pub fn making(spec: &Spec, mut drift: Drift) -> Change<Record> {
    let Some(template) = Template::declared(spec) else {
        return Change::finding(drift).withhold(
            "there is no such pack, and none is made without a template: declare template_body, template_s3_uri or template_ssm_document",
        );
    };
    Now::default().compare(spec, &mut drift);
    let repairs = template.repairs();
    let record = Record { template, settings: Settings::default().with(spec) };
    repairing(Change::new(record, drift), repairs)
        .charged("AWS charges for every evaluation of a pack's rules", [Charge::RuleEvaluation])
}

/// Says of a change that the template repairs what its rules find, where it does or may.
fn repairing(change: Change<Record>, repairs: Option<bool>) -> Change<Record> {
    match repairs {
        Some(true) => change.risk(Risk::Disruptive).warn(
            "the template has remediation actions: what they repair by themselves changes in all resources that the rules find",
        ),
        Some(false) => change,
        None => change.warn(
            "evenkeel does not look into this template: it may have remediation actions, which change resources",
        ),
    }
}

/// Makes a pack, or replaces it, marks it, and waits for AWS.
pub async fn put(
    cx: &WriteCx,
    name: &str,
    record: &Record,
    tags: Option<Vec<Tag>>,
) -> Result<Made, WriteError> {
    let digest = record.template.digest();
    let before = match &digest {
        Some(_) => shown(cx, name).await?,
        None => None,
    };
    let made = send(cx, name, record, tags).await?;
    if let Some(digest) = digest {
        let (arn, requested) = asked(cx, name, before.as_ref()).await?;
        let mark = (MARK.to_owned(), mark(&digest, &requested));
        tags::set(cx, &arn, [mark]).await?;
    }
    status::made(cx, name).await?;
    Ok(made)
}

/// The ARN of a pack, and when AWS was last asked for it.
async fn shown(cx: &WriteCx, name: &str) -> Result<Option<(String, String)>, ObserveError> {
    let Some(pack) = described(&cx.afresh(), name).await? else { return Ok(None) };
    Ok(Some((pack.conformance_pack_arn().to_owned(), requested(&pack)?)))
}

/// The same once AWS shows that it was asked again; what it asked for just as before may be nothing new
/// to it.
async fn asked(
    cx: &WriteCx,
    name: &str,
    before: Option<&(String, String)>,
) -> Result<(String, String), ObserveError> {
    let mut now = None;
    for pause in UNTIL_SHOWN {
        now = shown(cx, name).await?;
        if now.is_some() && now.as_ref() != before {
            break;
        }
        tokio::time::sleep(Duration::from_secs(pause)).await;
    }
    now.ok_or_else(|| ObserveError::Pending {
        reason: format!("AWS took the conformance pack {name} and does not show it yet"),
        remedy: "run again in some minutes".to_owned(),
    })
}

async fn send(
    cx: &WriteCx,
    name: &str,
    record: &Record,
    tags: Option<Vec<Tag>>,
) -> Result<Made, WriteError> {
    let Record { template, settings } = record;
    let parameters = settings.input_parameters.iter().map(|(name, value)| {
        ConformancePackInputParameter::builder().parameter_name(name).parameter_value(value).build()
    });
    let parameters: Vec<_> = parameters.collect::<Result<_, _>>()?;
    let request = cx
        .client(Client::new)
        .put_conformance_pack()
        .conformance_pack_name(name)
        .set_conformance_pack_input_parameters(
            Some(parameters).filter(|parameters| !parameters.is_empty()),
        )
        .set_delivery_s3_bucket(settings.delivery_s3_bucket.clone())
        .set_delivery_s3_key_prefix(settings.delivery_s3_key_prefix.clone())
        .set_tags(tags);
    let request = match template {
        Template::Body(text) => request.template_body(text),
        Template::S3Uri(uri) => request.template_s3_uri(uri),
        Template::SsmDocument(document) => request.template_ssm_document_details(
            TemplateSsmDocumentDetails::builder()
                .document_name(&document.name)
                .set_document_version(document.version.clone())
                .build()?,
        ),
    };
    cx.made(PUT, request.send()).await
}

impl Part for Pack {
    type Of = ConformancePack;
    type Now = Now;
    type Write = Record;

    const NAME: &'static str = "pack";
    const CALLS: &'static [Use<Spec>] = &[
        Use::read_if(tags::LIST, has_mark),
        Use::write(PUT, pack),
        Use::write_if(tags::TAG, has_mark, pack),
    ];

    fn is_declared(_spec: &Spec) -> bool {
        true
    }

    async fn read(cx: &Cx, spec: &Spec, place: &Place) -> Result<Now, ObserveError> {
        let name = &place.conformance_pack_name;
        let said = told("ConformancePackDetails", described(cx, name).await?)?;
        let row = told("ConformancePackStatusDetails", status::status(cx, name).await?)?;
        let tags = if has_mark(spec) {
            tags::pairs(&tags::all(cx, said.conformance_pack_arn()).await?)?
        } else {
            Tags::new()
        };
        Ok(Now {
            template: Seen::of(&said, &tags)?,
            settings: Settings::of(&said),
            problem: status::problem(&row)?,
        })
    }

    fn diff(look: &Look<'_, ConformancePack>, now: &Now) -> Vec<Change<Record>> {
        let (spec, template) = (look.spec, Template::declared(look.spec));
        let mut drift = Drift::new();
        let is_another = now.compare(spec, &mut drift);
        // A new pack is made with it.
        if look.is_new() {
            return Vec::new();
        }
        if let Some(problem) = &now.problem {
            let field = template.as_ref().map_or("", Template::field);
            drift.add(field, Some(problem), Some("a pack that AWS could make"));
        }
        if drift.is_empty() {
            return Vec::new();
        }
        let Some(template) = template else {
            return vec![Change::finding(drift).withhold(
                "AWS replaces a pack as a whole, and does not tell its template: declare that, too",
            )];
        };
        let loses = is_another && now.template.template(&template).is_none();
        let repairs = template.repairs();
        let then = now.settings.with(spec);
        let moves = drift.0.iter().any(|one| one.field.starts_with("delivery_s3"));
        let mut change = Change::new(Record { template, settings: then.clone() }, drift);
        change.moves = moves;
        if now.problem.is_some() {
            change =
                change.warn(format!("AWS is asked once more for what it could not make: {REMEDY}"));
        }
        if loses {
            change = change.risk(Risk::Disruptive).warn(
                "rules that the declared template has not are deleted with their results; AWS does not tell the template that is there, so that nobody can put it back",
            );
        } else if is_another || now.settings.input_parameters != then.input_parameters {
            change = change.warn(
                "other resources may be evaluated, or by another measure: who watches the results sees it",
            );
        }
        vec![if is_another { repairing(change, repairs) } else { change }]
    }

    fn calls(_write: &Record) -> Vec<Call> {
        PUTTING.to_vec()
    }

    async fn write(cx: &WriteCx, place: &Place, record: &Record) -> Result<(), WriteError> {
        put(cx, &place.conformance_pack_name, record, None).await.map(drop)
    }

    fn undo(write: &Record, before: &Now) -> Undo<Record> {
        let settings = before.settings.clone();
        match before.template.template(&write.template) {
            Some(template) => Undo::By(vec![Record { template, settings }]),
            None => Undo::Impossible(
                "AWS does not tell the template that the pack had, so that nobody can put it back"
                    .to_owned(),
            ),
        }
    }

    fn export(now: &Now, spec: &mut Spec) {
        let settings = &now.settings;
        spec.input_parameters = Some(settings.input_parameters.clone());
        // AWS tells no other template.
        if let Seen::SsmDocument(document) = &now.template {
            spec.template_ssm_document = Some(document.clone());
        }
        let text = |text: &Option<String>| Some(text.clone().unwrap_or_default());
        spec.delivery_s3_bucket = text(&settings.delivery_s3_bucket);
        spec.delivery_s3_key_prefix = text(&settings.delivery_s3_key_prefix);
    }
}
