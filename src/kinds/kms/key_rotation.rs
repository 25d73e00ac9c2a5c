//! `kms.key_rotation`: yearly new key material for every key that can have it.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_kms::Client;
use aws_sdk_kms::types::{AliasListEntry, KeyMetadata, MultiRegionKeyType};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::key::spec::{KeySpec, KeyState, KeyUsage, Origin};
use super::reads::{self, DEFAULT_PERIOD};
use crate::aws::Call;
use crate::baseline::catalog::{Identity, SpecProblem};
use crate::kinds::shapes::sweep::{self, Reach, Sweep, Way};
use crate::kinds::together::together;
use crate::kinds::{
    Allowed, Arns, Change, Charge, Claim, Controls, Cx, Drift, Facts, Kind, Object, ObserveError,
    Scope, Status, Stricter, Undo, Use, WriteCx, WriteError, charge, compared, sendable, told,
};
use crate::names::{AccountId, is_arn};

const ENABLE: Call = Call::new("kms", "EnableKeyRotation");
const DISABLE: Call = Call::new("kms", "DisableKeyRotation");

/// The automatic rotation of every customer managed KMS key in every Region.
///
/// AWS makes new key material from time to time and keeps the old one for what it encrypted: ids,
/// aliases and policies stay, and nothing has to be encrypted again.
///
/// Only symmetric encryption keys whose material AWS made can rotate. All others are skipped, each
/// with its reason: keys of AWS itself, asymmetric and HMAC keys, imported material, key stores of
/// your own, replicas (their primary rotates), and keys that are disabled or about to be deleted. A
/// key whose policy does not let evenkeel look is unknown, and so are one that is just being made or
/// changed and those that were not read when the time for the account was over.
///
/// Source: KMS API Reference, `EnableKeyRotation`; KMS Developer Guide, "Rotate KMS keys".
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// Whether keys rotate. AWS's default is false.
    #[serde(default)]
    pub enabled: Option<bool>,
    /// Days between rotations, 90 to 2560. AWS's default is 365.
    #[serde(default)]
    #[schemars(range(min = 90, max = 2560))]
    pub rotation_period_in_days: Option<u32>,
    /// Whether keys may rotate more often than that: `at_most` (the default) or `exact`.
    #[serde(default)]
    pub period_mode: Option<PeriodMode>,
    /// Keys that are left out. Of what one entry gives, all must hold; of several entries, one is enough.
    #[serde(default)]
    pub exclude: Option<Vec<Exclude>>,
}

/// How a period is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PeriodMode {
    /// A shorter period is as good.
    #[default]
    AtMost,
    /// Only this very period.
    Exact,
}

/// Keys that are left out: by their names, tags or accounts. Of what one entry gives, all must hold; of
/// several entries, one is enough.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Exclude {
    /// Ids or ARNs of keys.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub key_ids: BTreeSet<String>,
    /// Aliases, `alias/…`; `*` stands for any text, `?` for any letter.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub aliases: BTreeSet<String>,
    /// Tags and their values; a key must have all of them.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub key_tags: BTreeMap<String, String>,
    /// Accounts whose keys are left alone.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub accounts: BTreeSet<AccountId>,
}

impl Exclude {
    /// What can meet no key.
    fn problems(&self, field: &str) -> Vec<SpecProblem> {
        let mut problems = Vec::new();
        let is_id = |id: &str| {
            let id = id.strip_prefix("mrk-").unwrap_or(id);
            id.bytes().all(|one| one.is_ascii_hexdigit() || one == b'-')
        };
        let is_key = |name: &&String| is_arn(name, "kms", "key/") || is_id(name);
        for name in self.key_ids.iter().filter(|name| !is_key(name)) {
            problems.push(SpecProblem::new(
                format!("{field}.key_ids"),
                format!("{name:?} is neither the id nor the ARN of a key, and meets nothing"),
                "write the whole id or ARN; aliases leave out keys by name",
            ));
        }
        let is_alias = |name: &&String| name.starts_with("alias/") || name.starts_with(['*', '?']);
        for name in self.aliases.iter().filter(|name| !is_alias(name)) {
            problems.push(SpecProblem::new(
                format!("{field}.aliases"),
                format!("{name:?} is no alias, and meets nothing"),
                format!("write \"alias/{name}\""),
            ));
        }
        problems
    }
}

impl Spec {
    fn looks_at_tags(&self) -> bool {
        self.exclude.iter().flatten().any(|exclude| !exclude.key_tags.is_empty())
    }
}

/// The rotation of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// Whether it rotates.
    pub enabled: bool,
    /// How often, while it does.
    pub rotation_period_in_days: Option<u32>,
}

/// The writes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Action {
    /// The key.
    pub key_id: String,
    /// What to do.
    pub step: Step,
}

/// What to do with a key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Turns rotation on, or changes its period.
    Enable {
        /// Days between rotations.
        rotation_period_in_days: u32,
    },
    /// Turns rotation off.
    Disable,
}

/// The kind.
pub struct KeyRotation;

impl Kind for KeyRotation {
    const NAME: &'static str = "kms.key_rotation";
    const SCOPE: Scope = Scope::Regional;
    const IDENTITY: Identity = Identity::Sweep;
    const NOT_STATE: &'static [&'static str] = &["period_mode", "exclude"];
    const AFTER: &'static [&'static str] = &["kms.key"];
    const CONTROLS: Controls = Controls {
        cis_v3: &["3.6"],
        cis_v5: &["3.6"],
        security_hub: &["KMS.4"],
        well_architected: &["SEC08-BP01"],
        by_fields: &[(&["3.6", "KMS.4"], &["enabled"])],
        ..Controls::NONE
    };
    const CALLS: &'static [Use<Spec>] = &[
        Use::read(reads::LIST_KEYS),
        Use::read(reads::LIST_ALIASES),
        Use::read(reads::DESCRIBE),
        Use::read(reads::GET_ROTATION),
        Use::read_if(reads::LIST_TAGS, Spec::looks_at_tags),
        Use::write_if(ENABLE, |spec| spec.enabled == Some(true), keys_of),
        Use::write_if(DISABLE, |spec| spec.enabled == Some(false), keys_of),
    ];
    const MORE_EVENTS: &'static [&'static str] = &[
        "kms.amazonaws.com:CreateKey",
        "kms.amazonaws.com:CancelKeyDeletion",
        "kms.amazonaws.com:EnableKey",
        "kms.amazonaws.com:DisableKey",
        "kms.amazonaws.com:ScheduleKeyDeletion",
    ];
    const SAMPLES: &'static [&'static str] = &[
        r#"
[kms.key_rotation]
enabled                 = true
rotation_period_in_days = 365
period_mode             = "at_most"
exclude                 = [{ key_tags = { "rotation" = "by-hand" } }, { aliases = ["alias/legacy*"] }]
"#,
        r#"
[kms.key_rotation]
enabled = false
exclude = [{ key_ids = ["1234abcd-12ab-34cd-56ef-1234567890ab"] }, { accounts = ["444455556666"] }]
"#,
        r#"
[kms.key_rotation]
enabled                 = true
rotation_period_in_days = 180
period_mode             = "exact"
"#,
    ];

    const CLAIMS: &'static [&'static str] = &[super::THING];

    const STRICTER: &'static [Stricter] =
        &[Stricter::On("enabled"), Stricter::Less("rotation_period_in_days")];

    type Spec = Spec;
    type State = State;
    type Action = Action;

    fn check(spec: &Spec) -> Vec<SpecProblem> {
        let mut problems = Vec::new();
        if spec.rotation_period_in_days.is_some() && spec.enabled != Some(true) {
            problems.push(SpecProblem::new(
                "rotation_period_in_days",
                "a rotation period has no effect without rotation",
                "add enabled = true",
            ));
        }
        if spec.period_mode.is_some() && spec.rotation_period_in_days.is_none() {
            problems.push(SpecProblem::new(
                "period_mode",
                "there is no period to compare",
                "add rotation_period_in_days",
            ));
        }
        for (index, entry) in spec.exclude.iter().flatten().enumerate() {
            problems.extend(entry.problems(&format!("exclude[{index}]")));
        }
        problems
    }

    fn calls(action: &Action) -> Vec<Call> {
        vec![match action.step {
            Step::Enable { .. } => ENABLE,
            Step::Disable => DISABLE,
        }]
    }

    // A key can be declared by itself too.
    fn claims(_facts: &Facts, spec: &Spec, object: &Object<State>) -> Vec<Claim> {
        let (Some(_), Some(rotates)) = (object.state(), spec.enabled) else { return Vec::new() };
        let thing = super::thing(&object.id);
        let period =
            spec.rotation_period_in_days.map(|days| match spec.period_mode.unwrap_or_default() {
                PeriodMode::Exact => Claim::setting(thing.clone(), super::ROTATION_PERIOD, days),
                PeriodMode::AtMost => Claim::at_most(thing.clone(), super::ROTATION_PERIOD, days),
            });
        let rotates = Claim::setting(thing, super::ROTATION, rotates);
        [rotates].into_iter().chain(period).collect()
    }

    async fn observe(cx: &Cx, spec: &Spec) -> Result<Vec<Object<State>>, ObserveError> {
        sweep::observe::<Self>(cx, spec).await
    }

    async fn observe_one(
        cx: &Cx,
        spec: &Spec,
        id: &str,
    ) -> Result<Option<Object<State>>, ObserveError> {
        sweep::observe_one::<Self>(cx, spec, id).await
    }

    fn diff(_facts: &Facts, spec: &Spec, object: &Object<State>) -> Vec<Change<Action>> {
        let (Some(state), Some(enabled)) = (object.state(), spec.enabled) else {
            return Vec::new();
        };
        let mut drift = Drift::new();
        drift.compare("enabled", Some(&state.enabled), Some(&enabled));
        if let (true, Some(desired)) = (enabled, spec.rotation_period_in_days) {
            compared::mark("rotation_period_in_days");
            let fits = state.rotation_period_in_days.is_some_and(|actual| {
                match spec.period_mode.unwrap_or_default() {
                    PeriodMode::AtMost => actual <= desired,
                    PeriodMode::Exact => actual == desired,
                }
            });
            if !fits {
                drift.add("rotation_period_in_days", state.rotation_period_in_days, Some(desired));
            }
        }
        if drift.is_empty() {
            return Vec::new();
        }
        let step = if enabled {
            let period = spec.rotation_period_in_days.unwrap_or(DEFAULT_PERIOD);
            Step::Enable { rotation_period_in_days: period }
        } else {
            Step::Disable
        };
        let change = Change::new(Action { key_id: object.id.clone(), step }, drift);
        vec![match enabled && !state.enabled {
            true => change.charged(charge::ROTATES, [Charge::KmsRotation]),
            false => change,
        }]
    }

    async fn apply(cx: &WriteCx, action: &Action) -> Result<(), WriteError> {
        let client = cx.client(Client::new);
        let key = action.key_id.as_str();
        match action.step {
            Step::Enable { rotation_period_in_days } => {
                let days: i32 = sendable("RotationPeriodInDays", rotation_period_in_days)?;
                let request =
                    client.enable_key_rotation().key_id(key).rotation_period_in_days(days);
                cx.write(ENABLE, request.send()).await.map(drop).map_err(Into::into)
            }
            Step::Disable => cx
                .write(DISABLE, client.disable_key_rotation().key_id(key).send())
                .await
                .map(drop)
                .map_err(Into::into),
        }
    }

    fn undo(action: &Action, before: &Object<State>) -> Undo<Action> {
        let step = match before.state().filter(|state| state.enabled) {
            Some(state) => Step::Enable {
                rotation_period_in_days: state.rotation_period_in_days.unwrap_or(DEFAULT_PERIOD),
            },
            None => Step::Disable,
        };
        Undo::By(vec![Action { key_id: action.key_id.clone(), step }])
    }

    fn export(_facts: &Facts, object: &Object<State>) -> Option<Spec> {
        let state = object.state()?;
        Some(Spec {
            enabled: Some(state.enabled),
            rotation_period_in_days: state.rotation_period_in_days,
            period_mode: state.rotation_period_in_days.map(|_| PeriodMode::Exact),
            exclude: None,
        })
    }
}

/// Which keys the sweep finds, IAM cannot know.
fn keys_of(_spec: &Spec, arns: &Arns) -> Vec<Allowed> {
    Allowed::on([arns.regional("kms", "key/*")]).into()
}

/// A key as it is listed.
pub struct Listed {
    id: String,
    arn: String,
    aliases: BTreeSet<String>,
}

impl Listed {
    fn of(cx: &Cx, id: &str, aliases: BTreeSet<String>) -> Self {
        let arn = format!("arn:{}:kms:{}:{}:key/{id}", cx.partition, cx.region, cx.account);
        Self { id: id.to_owned(), arn, aliases }
    }
}

impl Sweep for KeyRotation {
    type Listed = Listed;
    type Exclude = Exclude;

    async fn list(cx: &Cx) -> Result<Vec<Listed>, ObserveError> {
        let (keys, aliases) = together!(reads::keys(cx), reads::aliases(cx))?;
        let mut names: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
        for alias in aliases.iter() {
            if let (Some(key), Some(name)) = (alias.target_key_id(), alias.alias_name()) {
                names.entry(key).or_default().insert(name.to_owned());
            }
        }
        let mut listed = Vec::new();
        for key in keys.iter() {
            let id = told("KeyId", key.key_id())?;
            // A key without an alias has no names.
            listed.push(Listed::of(cx, id, names.remove(id).unwrap_or_default()));
        }
        Ok(listed)
    }

    async fn find(cx: &Cx, id: &str) -> Result<Option<Listed>, ObserveError> {
        let aliases = reads::aliases(cx).await?;
        let names = aliases.iter().filter(|alias| alias.target_key_id() == Some(id));
        let names = names.filter_map(AliasListEntry::alias_name).map(str::to_owned).collect();
        Ok(Some(Listed::of(cx, id, names)))
    }

    fn id(listed: &Listed) -> &str {
        &listed.id
    }

    fn label(listed: &Listed) -> Option<String> {
        let names: Vec<_> = listed.aliases.iter().map(String::as_str).collect();
        (!names.is_empty()).then(|| names.join(", "))
    }

    async fn reach(cx: &Cx, listed: &Listed) -> Result<Reach, ObserveError> {
        let Some(metadata) = reads::describe(cx, &listed.id).await? else {
            return Ok(Reach::Gone);
        };
        Ok(match ineligible(&metadata, cx.account.as_str())? {
            None => Reach::Open,
            Some(reason) if reason == AWS_OWN => Reach::Hidden,
            Some(reason) => Reach::Closed(reason),
        })
    }

    fn exclude(spec: &Spec) -> &[Exclude] {
        spec.exclude.as_deref().unwrap_or_default()
    }

    fn ways<'a>(entry: &'a Exclude, listed: &'a Listed) -> Vec<Way<'a>> {
        vec![
            Way::Ids("key_ids", &entry.key_ids, vec![&listed.id, &listed.arn]),
            Way::Names(
                "aliases",
                &entry.aliases,
                listed.aliases.iter().map(String::as_str).collect(),
            ),
            Way::Tags("key_tags", &entry.key_tags),
            Way::Accounts("accounts", &entry.accounts),
        ]
    }

    async fn tags(cx: &Cx, listed: &Listed) -> Result<BTreeMap<String, String>, ObserveError> {
        let tags = reads::tags(cx, &listed.id).await?;
        let pairs = tags.iter().map(|tag| (tag.tag_key().to_owned(), tag.tag_value().to_owned()));
        Ok(pairs.collect())
    }

    async fn read(cx: &Cx, _spec: &Spec, listed: &Listed) -> Result<Status<State>, ObserveError> {
        let Some(rotation) = reads::rotation(cx, &listed.id).await? else {
            return Ok(Status::Skipped { reason: "AWS says that it cannot rotate".to_owned() });
        };
        let rotation_period_in_days = rotation.period_in_days;
        Ok(Status::Present(State { enabled: rotation.enabled, rotation_period_in_days }))
    }
}

/// Why a key of AWS is left out.
const AWS_OWN: &str = "AWS manages it, and rotates it every year";

/// Why a key cannot rotate. Each word of AWS that decides must be there: a key is never left out
/// because AWS did not say what it is.
fn ineligible(key: &KeyMetadata, account: &str) -> Result<Option<String>, ObserveError> {
    if !reads::is_customers(key)? {
        return Ok(Some(AWS_OWN.to_owned()));
    }
    let owner = told("AWSAccountId", key.aws_account_id())?;
    if owner != account {
        return Ok(Some(format!("it belongs to account {owner}, which shares it")));
    }
    let nature = reads::nature(key)?;
    if nature.key_spec != KeySpec::SymmetricDefault || nature.key_usage != KeyUsage::EncryptDecrypt
    {
        let (spec, usage) = (nature.key_spec.as_str(), nature.key_usage.as_str());
        return Ok(Some(format!("a key of the spec {spec} for {usage} cannot rotate")));
    }
    if nature.origin != Origin::AwsKms {
        let origin = nature.origin.as_str();
        return Ok(Some(format!("its material comes from {origin}, and only you can replace it")));
    }
    // Absent in answers from before there were such keys.
    if nature.multi_region == Some(true) {
        let regions = told("MultiRegionConfiguration", key.multi_region_configuration())?;
        let kind = told("MultiRegionKeyType", regions.multi_region_key_type())?;
        if *kind != MultiRegionKeyType::Primary {
            return Ok(Some("it is a replica: its primary key rotates".to_owned()));
        }
    }
    let state = reads::state(key)?;
    match state {
        KeyState::Enabled => Ok(None),
        KeyState::Disabled | KeyState::PendingDeletion | KeyState::PendingReplicaDeletion => Ok(
            Some(format!("it is in the state {}, in which rotation cannot change", state.as_str())),
        ),
        // These pass: whoever says "left out" now would say "in sync" of a key that nobody looked at.
        KeyState::Creating
        | KeyState::PendingImport
        | KeyState::Unavailable
        | KeyState::Updating => Err(ObserveError::Unclear {
            reason: format!("the key is in the state {}", state.as_str()),
            remedy: "look again in some minutes".to_owned(),
        }),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
