//! `ec2.vpc_block_public_access`: whether internet gateways let traffic through.

mod apply;
mod diff;
mod observe;
mod spec;

use crate::aws::Call;
use crate::baseline::catalog::{Identity, SpecProblem};
use crate::kinds::calls::everywhere;
use crate::kinds::{
    Allowed, Arns, Change, Controls, Cx, Facts, Kind, Object, ObserveError, Scope, Stricter, Undo,
    Use, WriteCx, WriteError,
};
use apply::{CHANGE, DELETE, EXCLUDE, SET_MODE};
use observe::{EXCLUSIONS, OPTIONS};
use spec::{Action, Exclusion, Spec, State};

/// The kind.
pub struct VpcBlockPublicAccess;

impl Kind for VpcBlockPublicAccess {
    const NAME: &'static str = "ec2.vpc_block_public_access";
    const SCOPE: Scope = Scope::Regional;
    const IDENTITY: Identity = Identity::Singleton;
    const NOT_STATE: &'static [&'static str] = &["exclusive_exclusions"];
    // AWS gives an id anew to each that is made again as it was.
    const BESIDE: &'static [&'static str] =
        &["/exclusions/*/exclusion_id", "/exclusions/*/problem"];
    const CONTROLS: Controls = Controls {
        fsbp: &["EC2.172"],
        well_architected: &["SEC05-BP02"],
        by_fields: &[(&["EC2.172"], &["internet_gateway_block_mode"])],
        ..Controls::NONE
    };
    const CALLS: &'static [Use<Spec>] = &[
        Use::read(OPTIONS),
        Use::read_if(EXCLUSIONS, declares_exclusions),
        Use::write_if(SET_MODE, |spec| spec.internet_gateway_block_mode.is_some(), everywhere),
        Use::write_if(EXCLUDE, excludes, |_, arns| {
            Allowed::on(
                ["vpc-block-public-access-exclusion/*", "vpc/*", "subnet/*"]
                    .map(|resource| arns.regional("ec2", resource)),
            )
            .into()
        }),
        Use::write_if(CHANGE, excludes, exclusions),
        Use::write_if(DELETE, Spec::is_exclusive, exclusions),
        // One that is made again has its tags.
        Use::implied("ec2:CreateTags", Spec::is_exclusive, |spec, arns| {
            let of = |one: Allowed| {
                one.when("StringEquals", "ec2:CreateAction", [EXCLUDE.operation.to_owned()])
            };
            exclusions(spec, arns).into_iter().map(of).collect()
        }),
    ];
    const SAMPLES: &'static [&'static str] = &[
        r#"
[ec2.vpc_block_public_access]
internet_gateway_block_mode = "block-bidirectional"
exclusions                  = [
    { vpc_id = "vpc-0a1b2c3d4e5f60718", region = "eu-west-1", internet_gateway_exclusion_mode = "allow-egress" },
    { subnet_id = "subnet-0a1b2c3d4e5f60718", region = "us-east-1", internet_gateway_exclusion_mode = "allow-bidirectional" },
]
exclusive_exclusions        = true
"#,
        r#"
[ec2.vpc_block_public_access]
internet_gateway_block_mode = "off"
exclusions                  = [{ vpc_id = "vpc-0a1b2c3d4e5f60718", internet_gateway_exclusion_mode = "allow-bidirectional" }]
exclusive_exclusions        = true
"#,
        r#"
[ec2.vpc_block_public_access]
internet_gateway_block_mode = "block-ingress"
exclusions                  = [{ subnet_id = "subnet-0a1b2c3d4e5f60718", internet_gateway_exclusion_mode = "allow-bidirectional" }]
exclusive_exclusions        = false
"#,
    ];

    const STRICTER: &'static [Stricter] = &[Stricter::Order(
        "internet_gateway_block_mode",
        &["off", "block-ingress", "block-bidirectional"],
    )];

    type Spec = Spec;
    type State = State;
    type Action = Action;

    fn check(spec: &Spec) -> Vec<SpecProblem> {
        spec::check(spec)
    }

    fn calls(action: &Action) -> Vec<Call> {
        match action {
            Action::SetMode { .. } => vec![SET_MODE, OPTIONS],
            Action::Exclude { .. } => vec![EXCLUDE, EXCLUSIONS],
            Action::ChangeExclusion { .. } => vec![CHANGE, EXCLUSIONS],
            Action::DeleteExclusion { .. } => vec![DELETE, EXCLUSIONS],
        }
    }

    async fn observe(cx: &Cx, spec: &Spec) -> Result<Vec<Object<State>>, ObserveError> {
        Ok(vec![observe::observe(cx, spec).await?])
    }

    fn diff(facts: &Facts, spec: &Spec, object: &Object<State>) -> Vec<Change<Action>> {
        object.state().map_or_else(Vec::new, |state| diff::changes(facts, spec, state))
    }

    async fn apply(cx: &WriteCx, action: &Action) -> Result<(), WriteError> {
        apply::apply(cx, action).await
    }

    fn undo(action: &Action, before: &Object<State>) -> Undo<Action> {
        match before.state() {
            Some(before) => diff::undo(action, before),
            None => Undo::Impossible("what was there before was not observed".to_owned()),
        }
    }

    fn export(facts: &Facts, object: &Object<State>) -> Option<Spec> {
        let state = object.state()?;
        let exclusion = |(resource, one): (&String, &spec::Excluded)| {
            let is_vpc = resource.starts_with("vpc-");
            Exclusion {
                vpc_id: is_vpc.then(|| resource.clone()),
                subnet_id: (!is_vpc).then(|| resource.clone()),
                region: Some(facts.region.clone()),
                internet_gateway_exclusion_mode: one.internet_gateway_exclusion_mode,
            }
        };
        // One that AWS could not make would be declared in vain.
        let works = |(_, one): &(&String, &spec::Excluded)| one.problem.is_none();
        let exclusions = state.exclusions.as_ref();
        Some(Spec {
            internet_gateway_block_mode: Some(state.internet_gateway_block_mode),
            exclusions: exclusions.map(|all| all.iter().filter(works).map(exclusion).collect()),
            exclusive_exclusions: None,
        })
    }

    fn as_it_was(facts: &Facts, object: &Object<State>) -> Option<Spec> {
        // What was there was all of it.
        let was = Self::export(facts, object)?;
        let exclusive_exclusions = was.exclusions.is_some().then_some(true);
        Some(Spec { exclusive_exclusions, ..was })
    }
}

fn declares_exclusions(spec: &Spec) -> bool {
    spec.exclusions.is_some()
}

fn excludes(spec: &Spec) -> bool {
    spec.exclusions.as_ref().is_some_and(|exclusions| !exclusions.is_empty())
}

/// The ids of exclusions are AWS's own.
fn exclusions(_spec: &Spec, arns: &Arns) -> Vec<Allowed> {
    Allowed::on([arns.regional("ec2", "vpc-block-public-access-exclusion/*")]).into()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests;
