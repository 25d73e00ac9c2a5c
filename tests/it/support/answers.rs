//! Recorded answers of AWS in files, played through the SDK's own parsing: no server, no network.
//!
//! A file holds one answer: the read that it answers (`service:Operation Region arguments`), the
//! status, the headers that matter, an empty line, the body. Several answers to one read are its
//! pages, in the order of the files' names. An answer in CBOR is kept as the JSON that says the same.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock};

use aws_config::{BehaviorVersion, SdkConfig};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::retry::RetryConfig;
use evenkeel::aws::Session;
use evenkeel::aws::clients::Clients;
use evenkeel::aws::meter::Meter;
use evenkeel::aws::reads::ReadCache;
use evenkeel::aws::session::Identity;
use evenkeel::aws::tape::{Answer, Body, ReadKey, Recorded, Tape};
use evenkeel::aws::wire;
use evenkeel::kinds::Facts;
use evenkeel::names::Region;
use evenkeel::plan::{Declared, Plan};
use evenkeel::reconcile::observe::turns;
use evenkeel::reconcile::observe_all;

use super::cbor;
use super::library::{self, Declaration};

/// The account of all recorded answers.
pub const ACCOUNT: &str = "111122223333";
/// Its home Region.
pub const HOME: &str = "eu-west-1";

/// The answers to each read, page by page.
pub type Answers = BTreeMap<ReadKey, Vec<Answer>>;

/// `kms:DescribeKey eu-west-1 alias/audit`.
pub fn in_words(key: &ReadKey) -> String {
    format!("{} {} {}", key.call, key.region, key.arguments).trim_end().to_owned()
}

/// Reads all answers of a folder.
pub fn load(folder: &Path) -> Answers {
    let mut files: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    let mut answers = Answers::new();
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let (key, answer) =
            parse(&text).unwrap_or_else(|| panic!("{} is no answer", file.display()));
        answers.entry(key).or_default().push(answer);
    }
    answers
}

fn parse(text: &str) -> Option<(ReadKey, Answer)> {
    let (head, body) = text.split_once("\n\n")?;
    let mut lines = head.lines();
    let mut read = lines.next()?.splitn(3, ' ').map(str::to_owned);
    let key = ReadKey {
        call: read.next()?,
        region: read.next()?,
        arguments: read.next().unwrap_or_default(),
    };
    let status = lines.next()?.parse().ok()?;
    let header =
        |line: &str| line.split_once(": ").map(|(name, value)| (name.to_owned(), value.to_owned()));
    let headers = lines.map(header).collect::<Option<_>>()?;
    let body = body.trim_end().to_owned().into();
    Some((key, Answer::Response { status, headers, body }))
}

/// Writes answers into a folder, with the account's number as in all recorded answers.
pub fn save(folder: &Path, recorded: &[Recorded], account: &str) {
    std::fs::create_dir_all(folder).unwrap();
    let mut names: BTreeSet<String> = BTreeSet::new();
    for read in recorded {
        for answer in read.pages.values() {
            let Answer::Response { status, headers, body } = answer else { continue };
            let body = match cbor::is_spoken(headers) {
                true => cbor::as_json(body.bytes()),
                false => String::from_utf8(body.bytes().to_vec()).unwrap(),
            };
            let headers: String =
                headers.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
            let text = format!("{}\n{status}\n{headers}\n{body}\n", in_words(&read.key));
            let call = read.key.call.replace(':', ".");
            let name = (1..).map(|number| match number {
                1 => format!("{call}.http"),
                number => format!("{call}.{number}.http"),
            });
            let name = name.into_iter().find(|name| !names.contains(name)).unwrap();
            std::fs::write(folder.join(&name), text.replace(account, ACCOUNT)).unwrap();
            names.insert(name);
        }
    }
}

/// Answers that are being played.
#[derive(Debug)]
pub struct Played {
    answers: Answers,
    asked: Mutex<BTreeMap<ReadKey, usize>>,
}

impl Played {
    /// Ready to play.
    pub fn new(answers: Answers) -> Arc<Self> {
        Arc::new(Self { answers, asked: Mutex::default() })
    }

    fn next(&self, key: &ReadKey) -> Option<Answer> {
        let mut asked = self.asked.lock().unwrap();
        let times = asked.entry(key.clone()).or_default();
        *times += 1;
        self.answers.get(key)?.get(*times - 1).cloned()
    }

    /// Requests that have no answer, and answers that nobody asked for.
    pub fn misfits(&self) -> Vec<String> {
        let asked = self.asked.lock().unwrap();
        let times = |key: &ReadKey| asked.get(key).copied().unwrap_or_default();
        let held = |key: &ReadKey| self.answers.get(key).map_or(0, Vec::len);
        let keys: BTreeSet<&ReadKey> = asked.keys().chain(self.answers.keys()).collect();
        keys.into_iter()
            .filter(|key| times(key) != held(key))
            .map(|key| {
                let (times, held) = (times(key), held(key));
                format!("{}: asked {times} times, {held} answers", in_words(key))
            })
            .collect()
    }
}

tokio::task_local! {
    /// What the session of this task is answered with.
    static PLAYED: Arc<Played>;
}

#[derive(Debug)]
struct Player;

impl HttpClient for Player {
    fn http_connector(
        &self,
        _settings: &HttpConnectorSettings,
        _components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(Self)
    }
}

impl HttpConnector for Player {
    fn call(&self, _request: HttpRequest) -> HttpConnectorFuture {
        let wire = wire::in_hand().expect("a session sends every request");
        let (_, key) = wire.tape.as_ref().expect("a session that plays knows its reads");
        HttpConnectorFuture::ready(match PLAYED.with(|played| played.next(key)) {
            Some(Answer::Response { status, headers, body }) => {
                let body = match body {
                    Body::Text(text) if cbor::is_spoken(&headers) => cbor::of_json(&text),
                    body => body,
                };
                let mut response =
                    HttpResponse::new(status.try_into().unwrap(), SdkBody::from(body));
                for (name, value) in headers {
                    response.headers_mut().try_insert(name, value).unwrap();
                }
                Ok(response)
            }
            Some(Answer::Nothing { error }) => Err(ConnectorError::other(error.into(), None)),
            None => {
                let words = format!("no answer is recorded to {}", in_words(key));
                Err(ConnectorError::other(words.into(), None))
            }
        })
    }
}

/// A session whose answers are those that are being played.
pub fn session() -> Arc<Session> {
    static CLIENTS: OnceLock<Arc<Clients>> = OnceLock::new();
    let clients = CLIENTS.get_or_init(|| {
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(aws_config::Region::new(HOME))
            .retry_config(RetryConfig::disabled())
            .http_client(SharedHttpClient::new(Player))
            .build();
        Arc::new(Clients::new(config))
    });
    let identity = Identity {
        account: ACCOUNT.parse().unwrap(),
        partition: "aws".to_owned(),
        caller_arn: format!("arn:aws:sts::{ACCOUNT}:assumed-role/evenkeel/test"),
        home_region: Region::new(HOME),
    };
    // Recording, so that reads carry their names down to the player.
    let session =
        Session::playing(identity, Tape::blank(), Arc::clone(clients), Arc::new(Meter::default()));
    Arc::new(session)
}

/// The plan for these items when AWS gives these answers.
pub async fn plan(
    declaration: &Declaration,
    items: Vec<(Declared, Facts)>,
    played: &Arc<Played>,
) -> Plan {
    let session = session();
    let reads = Arc::new(ReadCache::default());
    let turns = turns();
    let look = observe_all(&session, &reads, items, None, &turns, |_, _| {});
    let observed = PLAYED.scope(Arc::clone(played), Box::pin(look)).await;
    library::plan(&session, declaration, observed)
}
