//! For how long images are scanned again.

use aws_sdk_inspector2::Client;
use aws_sdk_inspector2::types::{
    EcrConfiguration, EcrPullDateRescanDuration, EcrPullDateRescanMode, EcrRescanDuration,
};
use serde::{Deserialize, Serialize};

use super::configuration::{GET, UPDATE, get, in_force};
use super::spec::{PullDateRescanDuration, PullDateRescanMode, RescanDuration};
use super::{Place, Scanning, Spec};
use crate::aws::Call;
use crate::kinds::calls::everywhere;
use crate::kinds::shapes::part::{Look, Part};
use crate::kinds::{Change, Cx, Drift, ObserveError, Undo, Use, WriteCx, WriteError, known, told};

pub struct Images;

/// What is there; of Inspector that is off, nothing is known.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Now {
    #[serde(default)]
    pub there: Option<Rescans>,
    /// Whether Inspector failed with it.
    #[serde(default)]
    pub failed: bool,
}

/// The section, which is written as a whole.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Rescans {
    pub rescan_duration: RescanDuration,
    #[serde(default)]
    pub pull_date_rescan_duration: Option<PullDateRescanDuration>,
    #[serde(default)]
    pub pull_date_rescan_mode: Option<PullDateRescanMode>,
}

impl Part for Images {
    type Of = Scanning;
    type Now = Now;
    type Write = Rescans;

    const NAME: &'static str = "ecr_configuration";
    const CALLS: &'static [Use<Spec>] = &[
        Use::read_if(GET, Self::is_declared),
        Use::write_if(UPDATE, Self::is_declared, everywhere),
    ];

    fn is_declared(spec: &Spec) -> bool {
        spec.ecr_rescan_duration.is_some()
            || spec.ecr_pull_date_rescan_duration.is_some()
            || spec.ecr_pull_date_rescan_mode.is_some()
    }

    async fn read(cx: &Cx, spec: &Spec, _place: &Place) -> Result<Now, ObserveError> {
        let answer = get(cx).await?;
        let section =
            answer.ecr_configuration().and_then(|section| section.rescan_duration_state());
        let section = told("ecrConfiguration.rescanDurationState", section)?;
        let status = told("rescanDurationState.status", section.status())?.as_str();
        let duration = told("rescanDuration", section.rescan_duration())?;
        let pulled = section.pull_date_rescan_duration();
        let mode = section.pull_date_rescan_mode();
        if spec.ecr_pull_date_rescan_duration.is_some() {
            told("pullDateRescanDuration", pulled)?;
        }
        if spec.ecr_pull_date_rescan_mode.is_some() {
            told("pullDateRescanMode", mode)?;
        }
        Ok(Now {
            there: Some(Rescans {
                rescan_duration: known("rescanDuration", duration.as_str())?,
                pull_date_rescan_duration: pulled
                    .map(|word| known("pullDateRescanDuration", word.as_str()))
                    .transpose()?,
                pull_date_rescan_mode: mode
                    .map(|word| known("pullDateRescanMode", word.as_str()))
                    .transpose()?,
            }),
            failed: !in_force("rescanDurationState.status", status)?,
        })
    }

    fn diff(look: &Look<'_, Scanning>, now: &Now) -> Vec<Change<Rescans>> {
        let Spec {
            ecr_rescan_duration: duration,
            ecr_pull_date_rescan_duration: pulled,
            ecr_pull_date_rescan_mode: mode,
            ..
        } = look.spec;
        let there = now.there;
        let mut drift = Drift::new();
        let was = there.map(|there| there.rescan_duration);
        drift.compare("ecr_rescan_duration", was.as_ref(), duration.as_ref());
        let was = there.and_then(|there| there.pull_date_rescan_duration);
        drift.compare("ecr_pull_date_rescan_duration", was.as_ref(), pulled.as_ref());
        let was = there.and_then(|there| there.pull_date_rescan_mode);
        drift.compare("ecr_pull_date_rescan_mode", was.as_ref(), mode.as_ref());
        if now.failed && drift.is_empty() {
            drift.add("ecr_rescan_duration", Some("FAILED"), Some("SUCCESS"));
        }
        if drift.is_empty() {
            return Vec::new();
        }
        let Some(rescan_duration) = duration.or(there.map(|there| there.rescan_duration)) else {
            return vec![Change::finding(drift).withhold(
                "Inspector takes it only with ecr_rescan_duration, which is not known yet: declare that too",
            )];
        };
        let wanted = Rescans {
            rescan_duration,
            pull_date_rescan_duration: pulled
                .or(there.and_then(|there| there.pull_date_rescan_duration)),
            pull_date_rescan_mode: mode.or(there.and_then(|there| there.pull_date_rescan_mode)),
        };
        let change = Change::new(wanted, drift);
        if look.is_new() {
            return vec![change];
        }
        vec![change.independent().warn(
            "images that are older than that are scanned no more, and their findings are closed; AWS charges for each scan",
        )]
    }

    fn calls(_write: &Rescans) -> Vec<Call> {
        vec![UPDATE]
    }

    async fn write(cx: &WriteCx, _place: &Place, wanted: &Rescans) -> Result<(), WriteError> {
        let pulled = wanted.pull_date_rescan_duration;
        let mode = wanted.pull_date_rescan_mode;
        let section = EcrConfiguration::builder()
            .rescan_duration(EcrRescanDuration::from(wanted.rescan_duration.as_str()))
            .set_pull_date_rescan_duration(
                pulled.map(|word| EcrPullDateRescanDuration::from(word.as_str())),
            )
            .set_pull_date_rescan_mode(mode.map(|word| EcrPullDateRescanMode::from(word.as_str())))
            .build()?;
        let request = cx.client(Client::new).update_configuration();
        cx.send(UPDATE, request.ecr_configuration(section).send()).await
    }

    fn undo(_write: &Rescans, before: &Now) -> Undo<Rescans> {
        match before.there {
            Some(there) => Undo::By(vec![there]),
            None => Undo::Impossible("what it was before was not observed".to_owned()),
        }
    }

    fn export(now: &Now, spec: &mut Spec) {
        let Some(there) = now.there else { return };
        spec.ecr_rescan_duration = Some(there.rescan_duration);
        spec.ecr_pull_date_rescan_duration = there.pull_date_rescan_duration;
        spec.ecr_pull_date_rescan_mode = there.pull_date_rescan_mode;
    }
}
