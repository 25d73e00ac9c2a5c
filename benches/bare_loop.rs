//! What the AWS SDK costs by itself: the reads of the foundation in every Region, in plain loops
//! with the same HTTP client. Prints calls, wall seconds and CPU seconds as JSON.
//!
//! Usage: `bare_loop CALLS`, with the AWS settings in the environment.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use aws_config::{BehaviorVersion, Region};
use aws_sdk_ec2::types::Filter;
use aws_smithy_http_client::tls::TlsContext;
use evenkeel::aws::http;
use evenkeel::aws::meter::Meter;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// As many as evenkeel has in flight at most.
const IN_FLIGHT: usize = 512;
const REGIONS: [&str; 17] = [
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ca-central-1",
    "eu-central-1",
    "eu-north-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
];

/// User and system time of this process so far, in seconds.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    // utime and stime are the 14th and 15th field; a tick is a hundredth of a second on Linux.
    (fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap()) / 100.0
}

/// The clients of one Region.
struct Clients {
    ec2: aws_sdk_ec2::Client,
    config: aws_sdk_config::Client,
    kms: aws_sdk_kms::Client,
}

/// All pages of an answer, as whoever wants all of it must ask.
macro_rules! pages {
    ($request:expr) => {
        $request.into_paginator().items().send().collect::<Result<Vec<_>, _>>().await.is_ok()
    };
}

/// What the foundation reads in each Region, with the same arguments; says whether it went well.
async fn call(clients: &Clients, number: usize) -> bool {
    let Clients { ec2, config, kms } = clients;
    let of_group = |name: &str, value: &str| Filter::builder().name(name).values(value).build();
    let group = of_group("group-id", "sg-0123456789abcdef0");
    match number % 11 {
        0 => pages!(ec2.describe_vpcs()),
        1 => pages!(ec2.describe_security_groups().filters(of_group("group-name", "default"))),
        2 => pages!(ec2.describe_security_group_rules().filters(group)),
        3 => pages!(ec2.describe_network_interfaces().filters(group)),
        4 => ec2.get_ebs_encryption_by_default().send().await.is_ok(),
        5 => config.describe_configuration_recorders().send().await.is_ok(),
        6 => config.describe_configuration_recorder_status().send().await.is_ok(),
        7 => config.describe_delivery_channels().send().await.is_ok(),
        8 => pages!(config.describe_retention_configurations()),
        9 => pages!(kms.list_keys()),
        _ => pages!(kms.list_aliases()),
    }
}

#[tokio::main]
async fn main() {
    let calls: usize = std::env::args().filter_map(|arg| arg.parse().ok()).next().unwrap_or(10_000);
    let meter = Arc::new(Meter::default());
    let config = aws_config::defaults(BehaviorVersion::latest())
        .http_client(http::client(Arc::clone(&meter), TlsContext::default()))
        .load()
        .await;
    let clients: Arc<Vec<Clients>> = Arc::new(
        REGIONS
            .iter()
            .map(|region| {
                let config = config.to_builder().region(Region::new(*region)).build();
                Clients {
                    ec2: aws_sdk_ec2::Client::new(&config),
                    config: aws_sdk_config::Client::new(&config),
                    kms: aws_sdk_kms::Client::new(&config),
                }
            })
            .collect(),
    );
    let (started, cpu) = (Instant::now(), cpu_seconds());
    let next = Arc::new(AtomicUsize::new(0));
    let mut workers = tokio::task::JoinSet::new();
    for _ in 0..IN_FLIGHT {
        let (clients, next) = (Arc::clone(&clients), Arc::clone(&next));
        workers.spawn(async move {
            let mut failed = 0;
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= calls {
                    return failed;
                }
                let region = &clients[number % clients.len()];
                failed += usize::from(!Box::pin(call(region, number / clients.len())).await);
            }
        });
    }
    let failed: usize = workers.join_all().await.into_iter().sum();
    println!(
        "{{\"calls\": {calls}, \"failed\": {failed}, \"requests\": {}, \"wall\": {:.3}, \"cpu\": {:.3}}}",
        meter.requests(),
        started.elapsed().as_secs_f64(),
        cpu_seconds() - cpu
    );
}
