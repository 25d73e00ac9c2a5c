//! A simulated AWS, for measuring: it replays the answers of a snapshot for any number of accounts,
//! with the latency, the limits and the faults that it is told to have. Correctness is the
//! emulator's business.
//!
//! Usage: `evenkeel-simulator SNAPSHOT [--median-ms 40] [--spread 0.35] [--limits on|off]
//! [--error-rate 0.0]`. It prints `listening on http://127.0.0.1:PORT`, and on `GET /_counts` how
//! many calls it has answered and throttled.

mod answers;
mod latency;
mod limits;

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use answers::{Answers, Call};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use latency::Latency;
use limits::Limits;

struct Simulator {
    answers: Answers,
    latency: Mutex<Latency>,
    limits: Option<Mutex<Limits>>,
    error_rate: f64,
    served: AtomicU64,
    throttled: AtomicU64,
    waited_micros: AtomicU64,
    unknown: Mutex<HashMap<String, u64>>,
}

fn option(name: &str, default: &str) -> String {
    let args: Vec<String> = std::env::args().collect();
    args.iter()
        .position(|arg| arg == name)
        .and_then(|at| args.get(at + 1))
        .cloned()
        .unwrap_or_else(|| default.to_owned())
}

fn number(name: &str, default: &str) -> f64 {
    option(name, default).parse().unwrap_or_else(|_| panic!("{name} wants a number"))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let snapshot = std::env::args().nth(1).ok_or("usage: evenkeel-simulator SNAPSHOT …")?;
    let simulator = Arc::new(Simulator {
        answers: Answers::read(&snapshot)?,
        latency: Mutex::new(Latency::new(number("--median-ms", "40"), number("--spread", "0.35"))),
        limits: (option("--limits", "on") == "on").then(|| Mutex::new(Limits::default())),
        error_rate: number("--error-rate", "0"),
        served: AtomicU64::new(0),
        throttled: AtomicU64::new(0),
        waited_micros: AtomicU64::new(0),
        unknown: Mutex::default(),
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    println!("listening on http://{}", listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let simulator = Arc::clone(&simulator);
        tokio::spawn(async move {
            let serve = service_fn(move |request| {
                let simulator = Arc::clone(&simulator);
                async move { Ok::<_, Infallible>(simulator.answer(request).await) }
            });
            // A client that goes away in the middle is no concern of ours.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), serve).await;
        });
    }
}

impl Simulator {
    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let (head, body) = request.into_parts();
        let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
        if head.uri.path() == "/_counts" {
            return self.counts();
        }
        let (wait, failed) = {
            let mut latency = self.latency.lock().unwrap();
            (latency.next(), latency.chance() < self.error_rate)
        };
        let call = Call::of(&head, &body);
        self.served.fetch_add(1, Ordering::Relaxed);
        self.waited_micros.fetch_add(wait.as_micros() as u64, Ordering::Relaxed);
        tokio::time::sleep(wait).await;
        if failed {
            return answers::response(500, &[], "the simulator was told to fail");
        }
        if let Some(limits) = &self.limits
            && !limits.lock().unwrap().allows(&call)
        {
            self.throttled.fetch_add(1, Ordering::Relaxed);
            return answers::throttled(&call);
        }
        match self.answers.find(&call) {
            Some(response) => response,
            None => {
                let name = format!("{}:{} in {}", call.service, call.operation, call.region);
                *self.unknown.lock().unwrap().entry(name).or_default() += 1;
                answers::response(400, &[("x-amzn-errortype", "NotRecorded")], "{}")
            }
        }
    }

    fn counts(&self) -> Response<Full<Bytes>> {
        let counts = serde_json::json!({
            "served": self.served.load(Ordering::Relaxed),
            "throttled": self.throttled.load(Ordering::Relaxed),
            "waited_seconds": self.waited_micros.load(Ordering::Relaxed) as f64 / 1e6,
            "not_recorded": *self.unknown.lock().unwrap(),
        });
        answers::response(200, &[("content-type", "application/json")], &counts.to_string())
    }
}
