//! What is scanned in new members of the organization.

use std::collections::BTreeSet;

use aws_sdk_inspector2::Client;
use aws_sdk_inspector2::types::AutoEnable;
use serde::{Deserialize, Serialize};

use super::spec::ResourceType;
use super::{Place, Scanning, Spec};
use crate::aws::{AwsError, Call, ErrorClass};
use crate::kinds::calls::everywhere;
use crate::kinds::shapes::part::{Look, Part};
use crate::kinds::{Change, Cx, Drift, ObserveError, Undo, Use, WriteCx, WriteError, told};

const DESCRIBE: Call = Call::new("inspector2", "DescribeOrganizationConfiguration");
const UPDATE: Call = Call::new("inspector2", "UpdateOrganizationConfiguration");

pub struct AutoEnableMembers;

/// All of it, for a write replaces all.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Scanned {
    pub types: BTreeSet<ResourceType>,
    /// Machine images, which are not declared and stay as they are.
    #[serde(default)]
    pub ami: Option<bool>,
}

impl Part for AutoEnableMembers {
    type Of = Scanning;
    type Now = Scanned;
    type Write = Scanned;

    const NAME: &'static str = "auto_enable_members";
    const CALLS: &'static [Use<Spec>] = &[
        Use::read_if(DESCRIBE, Self::is_declared),
        Use::write_if(UPDATE, Self::is_declared, everywhere),
    ];

    fn is_declared(spec: &Spec) -> bool {
        spec.auto_enable_members.is_some()
    }

    async fn read(cx: &Cx, _spec: &Spec, _place: &Place) -> Result<Scanned, ObserveError> {
        let request = cx.client(Client::new).describe_organization_configuration();
        let answer = cx.read(DESCRIBE, "", request.send()).await.map_err(elsewhere)?;
        let said = told("autoEnable", answer.auto_enable())?;
        let named = [
            (ResourceType::Ec2, said.ec2()),
            (ResourceType::Ecr, said.ecr()),
            (ResourceType::Lambda, told("autoEnable.lambda", said.lambda())?),
            (ResourceType::LambdaCode, told("autoEnable.lambdaCode", said.lambda_code())?),
            (
                ResourceType::CodeRepository,
                told("autoEnable.codeRepository", said.code_repository())?,
            ),
        ];
        let types = named.into_iter().filter(|(_, is_on)| *is_on).map(|(one, _)| one).collect();
        Ok(Scanned { types, ami: said.ami() })
    }

    fn diff(look: &Look<'_, Scanning>, now: &Scanned) -> Vec<Change<Scanned>> {
        let mut drift = Drift::new();
        let wanted = look.spec.auto_enable_members.as_ref();
        let differs = drift.compare(Self::NAME, Some(&now.types), wanted);
        let Some(types) = wanted.cloned().filter(|_| differs) else { return Vec::new() };
        let (more, fewer) = (!types.is_subset(&now.types), !now.types.is_subset(&types));
        let change = Change::new(Scanned { types, ami: now.ami }, drift);
        let mut change = if look.is_new() { change } else { change.independent() };
        if more {
            change = change.warn("AWS charges for what is scanned in every new member");
        }
        if fewer {
            change =
                look.disruptive(change, "what new members have is no longer scanned by itself");
        }
        vec![change]
    }

    fn calls(_wanted: &Scanned) -> Vec<Call> {
        vec![UPDATE]
    }

    async fn write(cx: &WriteCx, _place: &Place, wanted: &Scanned) -> Result<(), WriteError> {
        let has = |one| wanted.types.contains(&one);
        let all = AutoEnable::builder()
            .ec2(has(ResourceType::Ec2))
            .ecr(has(ResourceType::Ecr))
            .lambda(has(ResourceType::Lambda))
            .lambda_code(has(ResourceType::LambdaCode))
            .code_repository(has(ResourceType::CodeRepository))
            .set_ami(wanted.ami)
            .build()?;
        let request = cx.client(Client::new).update_organization_configuration();
        cx.send(UPDATE, request.auto_enable(all).send()).await
    }

    fn undo(_wanted: &Scanned, before: &Scanned) -> Undo<Scanned> {
        Undo::By(vec![before.clone()])
    }

    fn export(now: &Scanned, spec: &mut Spec) {
        spec.auto_enable_members = Some(now.types.clone());
    }
}

/// Only the delegated administrator is told; to others Inspector says what it says where a permission is missing.
fn elsewhere(error: AwsError) -> ObserveError {
    if error.class != ErrorClass::Denied {
        return error.into();
    }
    ObserveError::Refused {
        what: "what is scanned in new members of the organization".to_owned(),
        error,
        remedy: "declare auto_enable_members for the organization's delegated administrator of Inspector alone; there, let evenkeel call inspector2:DescribeOrganizationConfiguration".to_owned(),
    }
}
