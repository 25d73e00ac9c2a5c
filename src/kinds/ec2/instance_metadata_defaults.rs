//! `ec2.instance_metadata_defaults`: how new instances give out their metadata, where nobody says it.

use aws_sdk_ec2::Client;
use aws_sdk_ec2::types::InstanceMetadataDefaultsResponse;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::aws::Call;
use crate::baseline::catalog::SpecProblem;
use crate::kinds::calls::everywhere;
use crate::kinds::ec2::owner;
use crate::kinds::shapes::{Setting, Write};
use crate::kinds::spec::aws_enum;
use crate::kinds::{
    Change, Controls, Cx, Object, ObserveError, Risk, Scope, Stricter, Use, WriteCx, WriteError,
    known, sendable, told,
};

const GET: Call = Call::new("ec2", "GetInstanceMetadataDefaults");
const MODIFY: Call = Call::new("ec2", "ModifyInstanceMetadataDefaults");

/// AWS's number for "no preference".
const NO_HOPS: i64 = -1;

aws_enum! {
    /// Whether metadata needs a token.
    Tokens {
        Required = "required",
        Optional = "optional",
        NoPreference = "no-preference",
    }
}

aws_enum! {
    /// Whether something is on.
    Switch {
        Enabled = "enabled",
        Disabled = "disabled",
        NoPreference = "no-preference",
    }
}

/// What holds for the metadata service (IMDS) of new instances in a Region where neither the launch nor
/// the image says it. Without tokens (IMDSv1), whoever makes software on an instance fetch an address gets
/// the credentials of its role.
///
/// AWS goes by the launch or its template first, then by these settings, then by the image: a launch that
/// asks for IMDSv1 gets it, unless `http_tokens_enforced` is `enabled`. Instances that run stay as they
/// are. A field that is not declared keeps its value. Where a declarative policy of the organization sets
/// it, AWS refuses every write; evenkeel then reports and leaves it alone.
///
/// Source: EC2 API Reference, `GetInstanceMetadataDefaults`, `ModifyInstanceMetadataDefaults`; EC2 User
/// Guide, "Configure instance metadata options for new instances".
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Defaults {
    /// Whether metadata is given out for a token alone (IMDSv2): `required`, `optional`, or
    /// `no-preference`, which is AWS's default.
    pub http_tokens: Option<Tokens>,
    /// Whether an instance that does not require tokens is refused at its launch: `enabled`, `disabled`,
    /// or `no-preference`, which is AWS's default and does not refuse. Look first at what is launched:
    /// old images, launch templates and AWS's own services may not require tokens.
    pub http_tokens_enforced: Option<Switch>,
    /// How many hops a token may travel, 1 to 64; 2 where containers on an instance ask for metadata.
    /// -1 for no preference, which is AWS's default.
    #[schemars(range(min = -1, max = 64))]
    pub http_put_response_hop_limit: Option<i64>,
    /// Whether there is metadata at all, and so credentials of the instance's role: `enabled`, `disabled`,
    /// or `no-preference`, which is AWS's default and means that there is.
    pub http_endpoint: Option<Switch>,
    /// Whether the instance's tags are part of its metadata: `enabled`, `disabled`, or `no-preference`,
    /// which is AWS's default and means that they are not.
    pub instance_metadata_tags: Option<Switch>,
}

/// The kind.
pub struct InstanceMetadataDefaults;

impl Setting for InstanceMetadataDefaults {
    const NAME: &'static str = "ec2.instance_metadata_defaults";
    const SCOPE: Scope = Scope::Regional;
    const CONTROLS: Controls = Controls {
        cis_v3: &["5.6"],
        cis_v5: &["5.7"],
        fsbp: &["EC2.8"],
        well_architected: &["SEC06-BP02"],
        by_fields: &[(&["5.7", "EC2.8"], &["http_tokens", "http_tokens_enforced"])],
        ..Controls::NONE
    };
    const CALLS: &'static [Use<Defaults>] = &[Use::read(GET), Use::write(MODIFY, everywhere)];
    const SAMPLES: &'static [&'static str] = &[
        r#"
[ec2.instance_metadata_defaults]
http_tokens                 = "required"
http_tokens_enforced        = "enabled"
http_put_response_hop_limit = 2
http_endpoint               = "enabled"
instance_metadata_tags      = "disabled"
"#,
        r#"
[ec2.instance_metadata_defaults]
http_tokens                 = "optional"
http_tokens_enforced        = "no-preference"
http_put_response_hop_limit = -1
http_endpoint               = "disabled"
instance_metadata_tags      = "enabled"
"#,
    ];

    const STRICTER: &'static [Stricter] = &[
        Stricter::Order("http_tokens", &["optional", "no-preference", "required"]),
        Stricter::Order("http_tokens_enforced", &["no-preference", "disabled", "enabled"]),
        Stricter::Less("http_put_response_hop_limit"),
        Stricter::Order("http_endpoint", &["no-preference", "enabled", "disabled"]),
        Stricter::Order("instance_metadata_tags", &["enabled", "no-preference", "disabled"]),
    ];

    type Record = Defaults;

    fn check(declared: &Defaults) -> Vec<SpecProblem> {
        if declared.http_put_response_hop_limit != Some(0) {
            return Vec::new();
        }
        vec![SpecProblem::new(
            "http_put_response_hop_limit",
            "with 0 hops, no token would arrive, and AWS refuses it",
            "declare 1 to 64, or -1 for no preference",
        )]
    }

    async fn read(cx: &Cx) -> Result<Object<Defaults>, ObserveError> {
        let request = cx.client(Client::new).get_instance_metadata_defaults();
        let answer = cx.read(GET, "", request.send()).await?;
        let level = told("AccountLevel", answer.account_level())?;
        let object = Object::only(Some(seen(level)?));
        // AWS leaves it out where nobody has set anything.
        match level.managed_by() {
            Some(_) => owner::of(object, level.managed_by()),
            None => Ok(object),
        }
    }

    fn judge(
        change: Change<Write<Defaults>>,
        now: Option<&Defaults>,
        then: &Defaults,
    ) -> Change<Write<Defaults>> {
        cut_off(now, then)
            .into_iter()
            .fold(change, |change, warning| change.risk(Risk::Disruptive).warn(warning))
    }

    fn call(_then: &Defaults) -> Call {
        MODIFY
    }

    async fn put(cx: &WriteCx, then: &Defaults) -> Result<(), WriteError> {
        let hops = then.http_put_response_hop_limit;
        let hops = hops.map(|hops| sendable("http_put_response_hop_limit", hops)).transpose()?;
        let switch = |switch: Option<Switch>| switch.map(Switch::as_str);
        let request = cx
            .client(Client::new)
            .modify_instance_metadata_defaults()
            .set_http_tokens(then.http_tokens.map(|tokens| tokens.as_str().into()))
            .set_http_tokens_enforced(switch(then.http_tokens_enforced).map(Into::into))
            .set_http_put_response_hop_limit(hops)
            .set_http_endpoint(switch(then.http_endpoint).map(Into::into))
            .set_instance_metadata_tags(switch(then.instance_metadata_tags).map(Into::into));
        cx.send(MODIFY, request.send()).await
    }
}

/// The settings, where AWS leaves out those for which there is no preference.
fn seen(level: &InstanceMetadataDefaultsResponse) -> Result<Defaults, ObserveError> {
    let switch = |field: &str, word: Option<&str>| {
        word.map_or(Ok(Switch::NoPreference), |word| known(field, word))
    };
    let tokens = level.http_tokens().map(|tokens| known("HttpTokens", tokens.as_str()));
    let enforced = level.http_tokens_enforced().map(|one| one.as_str());
    let endpoint = level.http_endpoint().map(|one| one.as_str());
    let tags = level.instance_metadata_tags().map(|one| one.as_str());
    Ok(Defaults {
        http_tokens: Some(tokens.unwrap_or(Ok(Tokens::NoPreference))?),
        http_tokens_enforced: Some(switch("HttpTokensEnforced", enforced)?),
        http_put_response_hop_limit: Some(
            level.http_put_response_hop_limit().map_or(NO_HOPS, i64::from),
        ),
        http_endpoint: Some(switch("HttpEndpoint", endpoint)?),
        instance_metadata_tags: Some(switch("InstanceMetadataTags", tags)?),
    })
}

/// Who would be cut off by what changes, all of it on new instances.
fn cut_off(now: Option<&Defaults>, then: &Defaults) -> Vec<&'static str> {
    let mut warnings = Vec::new();
    let mut warn = |becomes: bool, warning| warnings.extend(becomes.then_some(warning));
    let tokens = then.http_tokens == Some(Tokens::Required);
    warn(
        tokens && now.and_then(|now| now.http_tokens) != then.http_tokens,
        "on new instances, software that asks for metadata without a token (IMDSv1) gets none",
    );
    let enforced = then.http_tokens_enforced == Some(Switch::Enabled);
    warn(
        enforced && now.and_then(|now| now.http_tokens_enforced) != then.http_tokens_enforced,
        "launches that do not require tokens fail, those of AWS's own services and of old images among them",
    );
    let hops = |defaults: &Defaults| defaults.http_put_response_hop_limit.filter(|hops| *hops > 0);
    let former = now.and_then(hops).unwrap_or(i64::MAX);
    warn(
        hops(then).is_some_and(|hops| hops < former),
        "on new instances, containers that are further away than the hop limit get no token",
    );
    let closed = then.http_endpoint == Some(Switch::Disabled);
    warn(
        closed && now.and_then(|now| now.http_endpoint) != then.http_endpoint,
        "new instances get no metadata, and so no credentials of their role",
    );
    let tags = |defaults: &Defaults| defaults.instance_metadata_tags == Some(Switch::Enabled);
    warn(
        now.is_some_and(tags) && !tags(then),
        "on new instances, software that reads their tags from the metadata gets none",
    );
    warnings
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::kinds::shapes::Whole;
    use crate::kinds::{Facts, Kind};

    fn unset() -> Defaults {
        seen(&InstanceMetadataDefaultsResponse::builder().build()).unwrap()
    }

    fn changes(now: Defaults, declared: &Defaults) -> Vec<Change<Write<Defaults>>> {
        let facts = Facts::example(InstanceMetadataDefaults::NAME);
        Whole::<InstanceMetadataDefaults>::diff(&facts, declared, &Object::present("", now))
    }

    #[test]
    fn what_aws_leaves_out_is_no_preference() {
        let none = Defaults {
            http_tokens: Some(Tokens::NoPreference),
            http_tokens_enforced: Some(Switch::NoPreference),
            http_put_response_hop_limit: Some(-1),
            http_endpoint: Some(Switch::NoPreference),
            instance_metadata_tags: Some(Switch::NoPreference),
        };
        assert_eq!(unset(), none);
        assert!(changes(unset(), &none).is_empty());
        let later = InstanceMetadataDefaultsResponse::builder().http_tokens("sometimes".into());
        assert!(seen(&later.build()).is_err());
    }

    #[test]
    fn the_write_holds_what_is_not_declared_as_it_is() {
        let declared = Defaults { http_tokens: Some(Tokens::Required), ..Defaults::default() };
        let there = Defaults { http_put_response_hop_limit: Some(3), ..unset() };
        let then = Defaults { http_tokens: Some(Tokens::Required), ..there.clone() };
        let change = changes(there, &declared).remove(0);
        assert_eq!(change.action, Some(Write::Put { record: then }));
        assert_eq!((change.risk, change.warnings.len()), (Risk::Disruptive, 1));
    }

    #[test]
    fn only_what_becomes_stricter_cuts_somebody_off() {
        let strict = Defaults {
            http_tokens: Some(Tokens::Required),
            http_tokens_enforced: Some(Switch::Enabled),
            http_put_response_hop_limit: Some(1),
            http_endpoint: Some(Switch::Disabled),
            instance_metadata_tags: Some(Switch::Disabled),
        };
        let with_tags = Defaults { instance_metadata_tags: Some(Switch::Enabled), ..unset() };
        assert_eq!(changes(with_tags, &strict)[0].warnings.len(), 5);
        assert_eq!(changes(unset(), &strict)[0].warnings.len(), 4);
        let back = changes(strict.clone(), &unset()).remove(0);
        assert_eq!((back.risk, back.warnings.len()), (Risk::Safe, 0));
        let farther = Defaults { http_put_response_hop_limit: Some(2), ..strict.clone() };
        assert_eq!(changes(strict, &farther)[0].risk, Risk::Safe);
    }

    #[test]
    fn no_hops_at_all_are_refused_before_aws_does() {
        let hops = |hops| Defaults { http_put_response_hop_limit: Some(hops), ..unset() };
        let is_refused = |limit| !InstanceMetadataDefaults::check(&hops(limit)).is_empty();
        assert_eq!([-1, 0, 1].map(is_refused), [false, true, false]);
    }
}
