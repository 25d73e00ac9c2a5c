//! `detective.graph`: whether what happened in an account can be looked into afterwards.

mod auto_enable;
mod enabled;
mod invitations;
mod packages;
mod spec;
mod tags;

use aws_sdk_detective::Client;
use serde::{Deserialize, Serialize};

pub use self::spec::Spec;
use crate::aws::Call;
use crate::aws::lacking;
use crate::aws::settle::settle;
use crate::baseline::catalog::{Identity, SpecProblem};
use crate::kinds::calls::everywhere;
use crate::kinds::shapes::part::{AnyPart, Parted, by_parts};
use crate::kinds::shapes::tagged::OwnTags;
use crate::kinds::{
    Allowed, Arns, Change, Controls, Cx, Drift, Facts, Kind, Made, Object, ObserveError, Scope,
    Stricter, Use, WriteCx, WriteError, told,
};

const LIST: Call = Call::new("detective", "ListGraphs");
const CREATE: Call = Call::new("detective", "CreateGraph");
/// The service as a principal, and its role (Detective User Guide, "Using service-linked roles").
const SERVICE: &str = "detective.amazonaws.com";
const ROLE: &str = "AWSServiceRoleForDetective";

/// All pages of a list of Detective, for which the SDK has no paginator.
macro_rules! pages {
    ($request:expr) => {
        async {
            let (mut pages, mut token) = (Vec::new(), None);
            loop {
                let page = $request.set_next_token(token).send().await?;
                token = page.next_token.clone().filter(|token| !token.is_empty());
                pages.push(page);
                if token.is_none() {
                    return Ok(pages);
                }
            }
        }
    };
}
use pages;

/// Which graph: an account has one at most in a Region, whose ARN Detective chooses.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Place {
    graph_arn: Option<String>,
}

impl Place {
    /// The ARN of the graph; of one that was made since the look, as Detective tells it.
    async fn found(&self, cx: &WriteCx) -> Result<String, WriteError> {
        if let Some(arn) = &self.graph_arn {
            return Ok(arn.clone());
        }
        let missing = || WriteError::Changed("there is no behavior graph any more".to_owned());
        // One that was just made may not be seen yet.
        let is_missing = |error: &WriteError| matches!(error, WriteError::Changed(_));
        settle(is_missing, || async { graph(&cx.afresh()).await?.ok_or_else(missing) }).await
    }
}

/// How a graph is made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Making {
    tags: std::collections::BTreeMap<String, String>,
}

/// The kind.
#[derive(Debug, Clone, PartialEq)]
pub struct Graph;

impl Kind for Graph {
    const NAME: &'static str = "detective.graph";
    const SCOPE: Scope = Scope::Regional;
    const IDENTITY: Identity = Identity::Singleton;
    const AFTER: &'static [&'static str] = &["guardduty.detector", "securityhub.hub"];
    const CONTROLS: Controls =
        Controls { well_architected: &["SEC04-BP02", "SEC10-BP03"], ..Controls::NONE };
    const CALLS: &'static [Use<Spec>] = &[
        Use::read(LIST),
        Use::read(invitations::LIST),
        Use::write_if(CREATE, |spec| spec.enabled, everywhere),
        Use::implied(
            "iam:CreateServiceLinkedRole",
            |spec| spec.enabled,
            |_, arns| {
                Allowed::on([arns.service_linked_role(SERVICE, ROLE)])
                    .when("StringEquals", "iam:AWSServiceName", [SERVICE.to_owned()])
                    .into()
            },
        ),
    ];
    const MORE_EVENTS: &'static [&'static str] = &[
        "detective.amazonaws.com:AcceptInvitation",
        "detective.amazonaws.com:DisassociateMembership",
        "detective.amazonaws.com:EnableOrganizationAdminAccount",
        "detective.amazonaws.com:DisableOrganizationAdminAccount",
    ];
    const SAMPLES: &'static [&'static str] = &spec::SAMPLES;
    const STRICTER: &'static [Stricter] =
        &[Stricter::On("enabled"), Stricter::On("auto_enable_members")];

    type Spec = Spec;

    fn check(spec: &Spec) -> Vec<SpecProblem> {
        let mut problems = enabled::check(spec);
        problems.extend(tags::check(spec));
        problems
    }

    by_parts!();
}

impl Parted for Graph {
    type Place = Place;
    type Making = Making;

    const PARTS: &'static [&'static dyn AnyPart<Self>] =
        &[&enabled::Enabled, &packages::Packages, &auto_enable::AutoEnable, &OwnTags::<Self>::PART];
    const CREATE: Call = CREATE;
    const CREATING: &'static [Call] = &[CREATE, LIST, invitations::LIST];
    const KEPT: &'static str = "evenkeel deletes a behavior graph only where `enabled = false` is declared: its history would go with it";

    async fn find(cx: &Cx, _spec: &Spec) -> Result<Object<Place>, ObserveError> {
        match graph(cx).await {
            Ok(Some(arn)) => Ok(Object::present("", Place { graph_arn: Some(arn) })),
            Ok(None) => Ok(match invitations::administrator(cx).await? {
                Some(account) => Object::absent("")
                    .managed_by(format!("the Detective administrator account {account}")),
                None => Object::absent(""),
            }),
            Err(ObserveError::Aws(error)) if lacking::is_known(&error) => {
                Ok(Object::skipped("", lacking::words("Amazon Detective", &error.region)))
            }
            Err(error) => Err(error),
        }
    }

    fn is_wanted(spec: &Spec) -> bool {
        spec.enabled
    }

    fn place(_facts: &Facts, _spec: &Spec) -> Place {
        Place { graph_arn: None }
    }

    fn making(_facts: &Facts, spec: &Spec) -> Change<Making> {
        let mut drift = Drift::new();
        drift.compare("enabled", Some(&false), Some(&spec.enabled));
        drift.compare("tags", None, spec.tags.as_ref().filter(|tags| !tags.is_empty()));
        let making = Making { tags: spec.tags.clone().unwrap_or_default() };
        Change::new(making, drift).warn(
            "AWS charges for each gigabyte that Detective takes in, of every account of the graph; the first 30 days of an account are free",
        )
    }

    // AWS says the same of one that is there already.
    fn looked_for(_place: &Place) -> Option<Spec> {
        Some(Spec { enabled: true, ..Spec::default() })
    }

    async fn create(cx: &WriteCx, _place: &Place, making: &Making) -> Result<Made, WriteError> {
        let tags = making.tags.clone().into_iter().collect();
        let request = cx
            .client(Client::new)
            .create_graph()
            .set_tags(Some(tags).filter(|_| !making.tags.is_empty()));
        cx.made(CREATE, request.send()).await
    }

    fn named(_id: &str, _place: &Place) -> Spec {
        Spec { enabled: true, ..Spec::default() }
    }
}

/// The ARN of the account's graph, if there is one.
async fn graph(cx: &Cx) -> Result<Option<String>, ObserveError> {
    let client = cx.client(Client::new);
    let pages = cx.read(LIST, "", pages!(client.list_graphs())).await?;
    let mut arns = Vec::new();
    for page in pages.iter() {
        for one in told("GraphList", page.graph_list.as_ref())? {
            arns.push(told("GraphList.Arn", one.arn())?.to_owned());
        }
    }
    // A list may show one on two of its pages.
    arns.dedup();
    match arns.len() {
        0 | 1 => Ok(arns.pop()),
        more => Err(ObserveError::Malformed {
            field: "GraphList".to_owned(),
            problem: format!("an account has one graph, not {more}"),
        }),
    }
}

/// The ids of graphs are Detective's own.
fn graphs(_spec: &Spec, arns: &Arns) -> Vec<Allowed> {
    Allowed::on([arns.regional("detective", "graph:*")]).into()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests;
