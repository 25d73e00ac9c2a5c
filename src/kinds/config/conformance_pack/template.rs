//! The template of a pack, which AWS never tells, and the mark by which evenkeel knows its own again.

use aws_sdk_config::primitives::{DateTime, DateTimeFormat};
use aws_sdk_config::types::ConformancePackDetail;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::spec::{Spec, SsmDocument};
use crate::kinds::tags::Tags;
use crate::kinds::{Drift, ObserveError, told};

pub const BODY: &str = "template_body";
pub const URI: &str = "template_s3_uri";
pub const DOCUMENT: &str = "template_ssm_document";

/// The tag with the digest of the template that evenkeel put, and when AWS took it.
pub const MARK: &str = "evenkeel:template";

/// A template, as it is declared and sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Template {
    /// The text.
    Body(String),
    /// Where it is in S3.
    S3Uri(String),
    /// The document that it is.
    SsmDocument(SsmDocument),
}

/// What is known of the template that a pack has.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Seen {
    /// There is no pack.
    #[default]
    Nothing,
    /// evenkeel put it, and nobody has put another one since.
    Own {
        /// Its digest.
        digest: String,
    },
    /// Nobody knows.
    Unknown {
        /// When AWS took it.
        since: String,
    },
    /// The document that AWS names.
    SsmDocument(SsmDocument),
}

impl Template {
    /// The template that is declared.
    pub fn declared(spec: &Spec) -> Option<Self> {
        let body = spec.template_body.clone().map(Self::Body);
        body.or_else(|| spec.template_s3_uri.clone().map(Self::S3Uri))
            .or_else(|| spec.template_ssm_document.clone().map(Self::SsmDocument))
    }

    /// The field that declares it.
    pub fn field(&self) -> &'static str {
        match self {
            Self::Body(_) => BODY,
            Self::S3Uri(_) => URI,
            Self::SsmDocument(_) => DOCUMENT,
        }
    }

    /// The digest for the mark, of one that AWS does not tell.
    pub fn digest(&self) -> Option<String> {
        let text = match self {
            Self::Body(text) => canonical(text),
            Self::S3Uri(uri) => uri.clone(),
            Self::SsmDocument(_) => return None,
        };
        let digest: String =
            Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
        Some(format!("{} sha256:{digest}", self.field()))
    }

    /// As plans show it.
    fn words(&self) -> String {
        match self {
            Self::Body(_) => self.digest().unwrap_or_default(),
            Self::S3Uri(uri) => uri.clone(),
            Self::SsmDocument(document) => document_words(document),
        }
    }

    /// Whether resources may be changed by what the template brings; `None` where nobody can say.
    pub fn repairs(&self) -> Option<bool> {
        let Self::Body(text) = self else { return None };
        Some(text.contains("AWS::Config::RemediationConfiguration"))
    }
}

/// A text whose lines end in one way; of JSON, whatever its order and spacing.
fn canonical(text: &str) -> String {
    match serde_json::from_str::<Value>(text) {
        Ok(value) => sorted(&value).to_string(),
        Err(_) => text.replace("\r\n", "\n").trim_end().to_owned(),
    }
}

fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut names: Vec<&String> = map.keys().collect();
            names.sort();
            Value::Object(
                names.into_iter().map(|name| (name.clone(), sorted(&map[name]))).collect(),
            )
        }
        Value::Array(list) => list.iter().map(sorted).collect(),
        other => other.clone(),
    }
}

fn document_words(document: &SsmDocument) -> String {
    match &document.version {
        Some(version) => format!("{} version {version}", document.name),
        None => document.name.clone(),
    }
}

/// What stands in the mark.
pub fn mark(digest: &str, requested: &str) -> String {
    format!("{digest} {requested}")
}

/// When AWS was last asked to make the pack as it is.
pub fn requested(pack: &ConformancePackDetail) -> Result<String, ObserveError> {
    const FIELD: &str = "LastUpdateRequestedTime";
    let said = told(FIELD, pack.last_update_requested_time())?;
    let malformed = |problem: String| ObserveError::Malformed { field: FIELD.to_owned(), problem };
    // Seconds with a fraction are not exact on the wire.
    let millis = said.to_millis().map_err(|error| malformed(error.to_string()))?;
    let time = DateTime::from_millis(millis).fmt(DateTimeFormat::DateTime);
    time.map_err(|error| malformed(error.to_string()))
}

impl Seen {
    /// What AWS and the tags of a pack say.
    pub fn of(pack: &ConformancePackDetail, tags: &Tags) -> Result<Self, ObserveError> {
        if let Some(document) = pack.template_ssm_document_details() {
            return Ok(Self::SsmDocument(SsmDocument {
                name: document.document_name().to_owned(),
                version: document.document_version().map(str::to_owned),
            }));
        }
        let since = requested(pack)?;
        let own = tags.get(MARK).and_then(|mark| mark.strip_suffix(&since)?.strip_suffix(' '));
        Ok(match own {
            Some(digest) => Self::Own { digest: digest.to_owned() },
            None => Self::Unknown { since },
        })
    }

    /// Compares it with what is declared; says whether it is another one.
    pub fn compare(&self, template: &Template, drift: &mut Drift) -> bool {
        let field = template.field();
        let is_it = match (self, template) {
            (Self::SsmDocument(there), Template::SsmDocument(wanted)) => {
                let is_version = wanted.version.is_none() || wanted.version == there.version;
                there.name == wanted.name && is_version
            }
            (Self::Own { digest }, wanted) => wanted.digest().as_ref() == Some(digest),
            _ => false,
        };
        if is_it {
            crate::kinds::compared::mark(field);
        } else {
            drift.add(field, self.words(), Some(template.words()));
        }
        !is_it
    }

    fn words(&self) -> Option<String> {
        match self {
            Self::Nothing => None,
            Self::Own { digest } => Some(format!("another one of evenkeel's: {digest}")),
            Self::Unknown { since } => Some(format!(
                "not known: AWS does not tell it, and evenkeel did not put it at {since}"
            )),
            Self::SsmDocument(document) => Some(document_words(document)),
        }
    }

    /// The template itself, if it is known; `written` may be it.
    pub fn template(&self, written: &Template) -> Option<Template> {
        match self {
            Self::SsmDocument(document) => Some(Template::SsmDocument(document.clone())),
            Self::Own { digest } => {
                (written.digest().as_ref() == Some(digest)).then(|| written.clone())
            }
            Self::Nothing | Self::Unknown { .. } => None,
        }
    }
}
