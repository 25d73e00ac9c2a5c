//! Where a running controller answers, and what it says of its files and of where things are kept.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::around::{Around, Files, Kept, RefusedFiles};
use super::audience::Shows;
use super::figures::failed;
use super::hub::{Sources, Telemetry};
use super::known;
use super::objects::Earlier;
use super::serve::{Server, TokenPlace};
use super::tls::TlsFiles;
use crate::aws::meter;
use crate::controller::in_force::{Label, Shown as InForce};
use crate::controller::reconciler::Reconciler;
use crate::controller::{Audience, Service};
use crate::fleet::Fleet;
use crate::fleet::notify::{SecretPlace, channels};
use crate::names::AccountId;
use crate::notify::notices;
use crate::reconcile::guarded::{beside, gone};
use crate::reconcile::{self, Keeper, LeaseCounts};
use crate::store::history::UNREAD;
use crate::store::{Memory, Store};

/// How long it is waited for a store that is not open.
const LONGEST: Duration = Duration::from_secs(3);
/// Of a digest, what is shown.
const SHORT: usize = 16;

/// What is shown, and where.
pub struct Shown {
    telemetry: Arc<Telemetry>,
    server: Server,
    runs: Arc<Reconciler>,
}

impl Shown {
    /// Takes the address that the fleet file of a controller names, if it names one, and hears the
    /// controller from now on.
    ///
    /// # Errors
    /// Somebody else has it, or its token cannot be read.
    pub async fn of(service: &Service) -> Result<Option<Self>, String> {
        let (part, folder) = (&service.part, &service.folder);
        let Some(address) = part.listen.as_ref().and_then(|listen| listen.parse().ok()) else {
            return Ok(None);
        };
        let token = part.listen_token.as_deref().and_then(SecretPlace::of);
        let token = token.map(|place| TokenPlace { place, folder: folder.clone() });
        let tls = part.listen_tls.as_ref().map(|tls| TlsFiles::of(tls, folder));
        let server = Server::bind(address, token, tls).await?;
        let telemetry = Telemetry::new(Sources::of(service)).answering_by(server.tls().cloned());
        let telemetry = Arc::new(telemetry);
        let hearing = Arc::clone(&telemetry);
        meter::watch(move |sent| hearing.sent(sent));
        service.heard_by(Arc::new(Shows(Arc::clone(&telemetry))) as Arc<dyn Audience>);
        Ok(Some(Self { telemetry, server, runs: Arc::clone(service.runs()) }))
    }

    /// Where it answers.
    pub fn address(&self) -> Option<SocketAddr> {
        self.server.address()
    }

    /// Answers, until it is dropped.
    pub async fn serve(self) {
        let around = AroundTheRuns(self.runs);
        around.tell_what_was(&self.telemetry).await;
        self.server.serve(self.telemetry, Arc::new(around)).await;
    }
}

struct AroundTheRuns(Arc<Reconciler>);

impl AroundTheRuns {
    /// Drift is older than this process where the store remembers it, and so is what was seen in accounts.
    async fn tell_what_was(&self, telemetry: &Telemetry) {
        let Some(Ok(store)) = self.kept().await.store else { return };
        let mut unread: BTreeMap<AccountId, usize> = BTreeMap::new();
        match known::in_time(store.open_drift()).await {
            Ok(all) => telemetry.objects().known(all.into_iter().map(|one| {
                // The last look counted it as unknown.
                if !one.about[UNREAD].is_null() {
                    *unread.entry(one.object.account.clone()).or_default() += 1;
                }
                let earlier = Earlier { since: one.time, failed: failed(&one) };
                (one.object, earlier)
            })),
            Err(error) => tracing::warn!("since when drift is so is not known: {error}"),
        }
        match known::in_time(store.looks()).await {
            Ok(looks) => telemetry.objects().remember(looks, &unread),
            Err(error) => tracing::warn!("what was seen before is not known: {error}"),
        }
    }
}

#[async_trait]
impl Around for AroundTheRuns {
    fn files(&self) -> Files {
        let files = &self.0.files;
        files.shown(&files.good()).into()
    }

    fn leases(&self) -> Option<LeaseCounts> {
        self.0.leases()
    }

    async fn kept(&self) -> Kept {
        let version = self.0.files.good();
        let fleet = version.what.fleet.as_ref();
        let store = store(&self.0.keeper, fleet).await;
        Kept::of(fleet, store, self.0.log_file())
    }
}

/// The store that is open, or why none is.
async fn store(keeper: &Keeper, fleet: Option<&Fleet>) -> Option<Result<Store, String>> {
    let place = keeper.place(fleet)?;
    let asking = async {
        match keeper.open(&place).await {
            Some(store) => Some(Ok(store)),
            None => match keeper.kept(fleet).await {
                reconcile::Kept::In(store, _) => Some(Ok(store)),
                reconcile::Kept::Gone(error) => Some(Err(error.to_string())),
                reconcile::Kept::Nowhere => None,
            },
        }
    };
    let late = |_| Some(Err(format!("no answer within {} s", LONGEST.as_secs())));
    tokio::time::timeout(LONGEST, asking).await.unwrap_or_else(late)
}

impl From<InForce> for Files {
    fn from(files: InForce) -> Self {
        let InForce { label, since, refused, unreachable } = files;
        let refused = refused.map(|refused| RefusedFiles {
            digest: short(&refused.label).to_owned(),
            commit: refused.label.commit,
            since: refused.since,
            why: refused.why,
        });
        Self { digest: short(&label).to_owned(), commit: label.commit, since, refused, unreachable }
    }
}

/// What is shown of a digest.
pub fn short(label: &Label) -> &str {
    label.digest.get(..SHORT).unwrap_or(&label.digest)
}

impl Kept {
    /// Where things are kept: in the store that the fleet file names, and without one beside the audit log.
    pub fn of(
        fleet: Option<&Fleet>,
        store: Option<Result<Store, String>>,
        audit_log: &Path,
    ) -> Self {
        let named = fleet.is_some_and(|fleet| fleet.file.store.url.is_some());
        let (guards, notices): (Arc<dyn Memory>, Arc<dyn Memory>) = match &store {
            _ if !named => (beside(audit_log), notices::beside(audit_log)),
            None => (beside(audit_log), notices::beside(audit_log)),
            Some(Ok(store)) => (Arc::new(store.clone()), Arc::new(store.clone())),
            Some(Err(why)) => (gone(why), gone(why)),
        };
        let channels = fleet.map(|fleet| channels(&fleet.file.notify).into_keys().collect());
        Self {
            store,
            guards,
            notices,
            waves: fleet.map(|fleet| fleet.file.rollout.waves.clone()).unwrap_or_default(),
            channels: channels.unwrap_or_default(),
        }
    }
}
