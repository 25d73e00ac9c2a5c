//! A kill switch that is a parameter of AWS Systems Manager: one for all controllers, wherever they run. It
//! says `off`, or it is on: whatever else it says, and also when it is not there or cannot be read.
//!
//! Source: AWS Systems Manager API Reference, `GetParameter`.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use aws_sdk_ssm::Client;
use futures::future::select_ok;

use crate::aws::meter::Meter;
use crate::aws::session::Options;
use crate::aws::{Call, Session};
use crate::fleet::file::SwitchParameter;
use crate::names::Region;

/// The call.
pub const GET: Call = Call::new("ssm", "GetParameter");
/// What it says when it is off.
pub const OFF: &str = "off";
/// How long an answer is waited for.
const LONGEST: Duration = Duration::from_secs(3);
/// For how long it counts, at most, that it could not be read.
const UNREAD: Duration = Duration::from_secs(1);

/// Who reads what a parameter says.
#[async_trait]
pub trait Reading: Send + Sync {
    /// What it says.
    ///
    /// # Errors
    /// It is not there, or cannot be read.
    async fn read(&self) -> Result<String, String>;
}

/// A parameter, and what it said when it was read last.
pub struct Parameter {
    /// Which one.
    pub of: SwitchParameter,
    reading: Box<dyn Reading>,
    /// Who gives no answer for so long says nothing.
    pub(super) longest: Duration,
    seen: Mutex<Option<(Instant, Result<String, String>)>>,
    /// Who asks; the others take the same answer.
    asking: tokio::sync::Mutex<()>,
}

impl std::fmt::Debug for Parameter {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Parameter {}", self.of.name)
    }
}

impl Parameter {
    /// One that is read by somebody.
    pub fn new(of: SwitchParameter, reading: Box<dyn Reading>) -> Self {
        let (seen, asking) = (Mutex::default(), tokio::sync::Mutex::default());
        Self { of, reading, longest: LONGEST, seen, asking }
    }

    /// One that is read with our own credentials.
    pub fn of_aws(of: &SwitchParameter, options: Options) -> Self {
        let region = of.region.as_deref().map(Region::new);
        let session = tokio::sync::OnceCell::new();
        Self::new(of.clone(), Box::new(OfAws { name: of.name.clone(), region, options, session }))
    }

    /// Reads it, unless somebody has within this time.
    pub async fn look(&self, within: Duration) {
        let _turn = self.asking.lock().await;
        let is_fresh = |(at, said): (Instant, Result<_, _>)| {
            at.elapsed() < if said.is_ok() { within } else { within.min(UNREAD) }
        };
        if self.seen().is_some_and(is_fresh) {
            return;
        }
        let began = Instant::now();
        let said = tokio::time::timeout(self.longest, self.read()).await;
        let said = said.unwrap_or_else(|_| Err("AWS gives no answer".to_owned()));
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some((began, said));
    }

    /// Reads it, and once more where that fails, or gives no answer in half of the time.
    async fn read(&self) -> Result<String, String> {
        let mut first = self.reading.read();
        match tokio::time::timeout(self.longest / 2, &mut first).await {
            Ok(Ok(said)) => Ok(said),
            Ok(Err(_)) => self.reading.read().await,
            // Whoever answers first.
            Err(_) => {
                let both = select_ok([first, self.reading.read()]).await;
                both.map(|(said, _)| said)
            }
        }
    }

    /// What it said last: none where it was off, which is that one word alone.
    pub fn said(&self) -> Option<Result<String, String>> {
        match self.seen() {
            Some((_, Ok(said))) if said == OFF => None,
            Some((_, said)) => Some(said),
            None => Some(Err("it was not read yet".to_owned())),
        }
    }

    fn seen(&self) -> Option<(Instant, Result<String, String>)> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A parameter in AWS.
struct OfAws {
    name: String,
    region: Option<Region>,
    options: Options,
    /// Our own credentials, asked for when they are first needed, and again while there are none.
    session: tokio::sync::OnceCell<Session>,
}

#[async_trait]
impl Reading for OfAws {
    async fn read(&self) -> Result<String, String> {
        let connect = || Session::connect(Arc::new(Meter::default()), self.options.clone());
        let session = self.session.get_or_try_init(connect).await;
        let session = session.map_err(|error| error.to_string())?;
        let region = self.region.as_ref().unwrap_or_else(|| session.home_region());
        let request = session.client(region, Client::new).get_parameter().name(&self.name).send();
        let answer = session.send(region, GET, None, request).await;
        let answer = answer.map_err(|error| error.to_string())?;
        let value = answer.parameter.and_then(|parameter| parameter.value);
        value.ok_or_else(|| "AWS did not say its value".to_owned())
    }
}
