//! Products whose findings come in.

use std::collections::BTreeSet;

use aws_sdk_securityhub::Client;
use serde::{Deserialize, Serialize};

use super::{Hub, Place, Spec, hub};
use crate::aws::Call;
use crate::baseline::catalog::SpecProblem;
use crate::kinds::shapes::part::{Look, Part};
use crate::kinds::{
    Change, Cx, Drift, Facts, ObserveError, Undo, Use, WriteCx, WriteError, compared, told,
};

const LIST: Call = Call::new("securityhub", "ListEnabledProductsForImport");
const ENABLE: Call = Call::new("securityhub", "EnableImportFindingsForProduct");
const DISABLE: Call = Call::new("securityhub", "DisableImportFindingsForProduct");

pub struct Products;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Write {
    /// By the ARN of the product.
    Enable(String),
    /// Only to undo; the same.
    Disable(String),
}

/// A product in all its ARNs: `aws/guardduty`, in its own and in that of its subscription.
fn name(arn: &str) -> Option<&str> {
    let (_, resource) = arn.split_once(":product")?;
    let (_, name) = resource.split_once('/')?;
    Some(name).filter(|name| name.contains('/'))
}

/// The same where a plan that an earlier version saved has the name itself.
fn name_in(arn: &str) -> &str {
    name(arn).unwrap_or(arn)
}

/// The ARN of a subscription of this account.
fn subscription(facts: &Facts, name: &str) -> String {
    let Facts { partition, region, account, .. } = facts;
    format!("arn:{partition}:securityhub:{region}:{account}:product-subscription/{name}")
}

impl Part for Products {
    type Of = Hub;
    /// Their names.
    type Now = BTreeSet<String>;
    type Write = Write;

    const NAME: &'static str = "product_integrations";
    const CALLS: &'static [Use<Spec>] = &[
        Use::read_if(LIST, Self::is_declared),
        Use::write_if(ENABLE, Self::is_declared, hub),
        Use::undo(DISABLE, hub),
    ];

    fn is_declared(spec: &Spec) -> bool {
        spec.product_integrations.is_some()
    }

    async fn read(cx: &Cx, _spec: &Spec, _place: &Place) -> Result<Self::Now, ObserveError> {
        let pages = cx.client(Client::new).list_enabled_products_for_import();
        let pages = pages.into_paginator().send();
        let part = |page: aws_sdk_securityhub::operation::list_enabled_products_for_import::ListEnabledProductsForImportOutput| {
            page.product_subscriptions
        };
        let all = cx.list(LIST, "", pages, "ProductSubscriptions", part).await?;
        all.iter().map(|arn| told("ProductSubscriptions", name(arn)).map(str::to_owned)).collect()
    }

    fn diff(look: &Look<'_, Hub>, now: &Self::Now) -> Vec<Change<Write>> {
        compared::mark(Self::NAME);
        let wanted = look.spec.product_integrations.iter().flatten();
        let missing = wanted.filter(|arn| !name(arn).is_some_and(|name| now.contains(name)));
        missing
            .map(|arn| {
                let mut drift = Drift::new();
                drift.add(Self::NAME, None::<&str>, Some(arn));
                let change = Change::new(Write::Enable(arn.clone()), drift);
                let change = if look.is_new() { change } else { change.independent() };
                match arn.split(':').nth(3) {
                    Some(region) if region == look.facts.region.as_str() => change,
                    _ => Change { action: None, ..change }.withhold(
                        "it is the product of another Region: write ${region} in its ARN",
                    ),
                }
            })
            .collect()
    }

    fn calls(write: &Write) -> Vec<Call> {
        vec![match write {
            Write::Enable(_) => ENABLE,
            Write::Disable(_) => DISABLE,
        }]
    }

    async fn write(cx: &WriteCx, _place: &Place, write: &Write) -> Result<(), WriteError> {
        let client = cx.client(Client::new);
        match write {
            Write::Enable(arn) => {
                let request = client.enable_import_findings_for_product().product_arn(arn);
                match cx.write(ENABLE, request.send()).await {
                    // AWS has turned it on together with Security Hub, or an earlier try or somebody
                    // else did.
                    Err(error) if error.is_code(&["ResourceConflictException"]) => {
                        Err(WriteError::WasThereAlike(error.to_string()))
                    }
                    answer => Ok(answer.map(drop)?),
                }
            }
            Write::Disable(arn) => {
                let arn = subscription(cx, name_in(arn));
                let request = client.disable_import_findings_for_product();
                let request = request.product_subscription_arn(arn);
                cx.remove(DISABLE, request.send(), &["ResourceNotFoundException"]).await
            }
        }
    }

    fn as_it_was(facts: &Facts, now: &Self::Now, spec: &mut Spec) {
        // Whose account is in the ARN of a partner's product, nothing tells: the name is compared.
        let Facts { partition, region, .. } = facts;
        let arn = |name: &String| format!("arn:{partition}:securityhub:{region}::product/{name}");
        spec.product_integrations = Some(now.iter().map(arn).collect());
    }

    fn undo(write: &Write, _before: &Self::Now) -> Undo<Write> {
        match write {
            Write::Enable(arn) => Undo::By(vec![Write::Disable(arn.clone())]),
            Write::Disable(arn) if name(arn).is_some() => {
                Undo::By(vec![Write::Enable(arn.clone())])
            }
            Write::Disable(_) => Undo::Impossible("it only takes another write back".to_owned()),
        }
    }

    fn export(_now: &Self::Now, _spec: &mut Spec) {}
}

pub fn check(spec: &Spec) -> Vec<SpecProblem> {
    let wrong = spec.product_integrations.iter().flatten().filter(|arn| {
        !arn.starts_with("arn:") || !arn.contains(":product/") || name(arn).is_none()
    });
    let problem = |arn: &String| {
        SpecProblem::new(
            Products::NAME,
            format!("{arn:?} is not the ARN of a product"),
            "write arn:${partition}:securityhub:${region}::product/aws/guardduty, or another one that DescribeProducts tells",
        )
    };
    wrong.map(problem).collect()
}
