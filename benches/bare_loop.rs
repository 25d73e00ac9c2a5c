//! What the AWS SDK costs by itself: the reads of the foundation in every Region, in a plain loop
//! with the same HTTP client. Prints calls, wall seconds and CPU seconds as JSON.
//!
//! Usage: `bare_loop CALLS`, with the AWS settings in the environment.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

use std::sync::Arc;
use std::time::Instant;

use aws_config::{BehaviorVersion, Region};
use evenkeel::aws::http;
use evenkeel::aws::meter::Meter;
use futures::StreamExt;
use futures::future::{BoxFuture, FutureExt};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const IN_FLIGHT: usize = 256;
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

#[tokio::main]
async fn main() {
    let calls: usize = std::env::args().filter_map(|arg| arg.parse().ok()).next().unwrap_or(10_000);
    let meter = Arc::new(Meter::default());
    let config = aws_config::defaults(BehaviorVersion::latest())
        .http_client(http::client(Arc::clone(&meter)))
        .load()
        .await;
    let clients: Vec<_> = REGIONS
        .iter()
        .map(|region| {
            let config = config.to_builder().region(Region::new(*region)).build();
            (
                aws_sdk_ec2::Client::new(&config),
                aws_sdk_config::Client::new(&config),
                aws_sdk_kms::Client::new(&config),
            )
        })
        .collect();
    let (started, cpu) = (Instant::now(), cpu_seconds());
    let requests = (0..calls).map(|number| -> BoxFuture<'_, bool> {
        let (ec2, config, kms) = &clients[number % clients.len()];
        match (number / clients.len()) % 9 {
            0 => ec2.describe_vpcs().send().map(|answer| answer.is_ok()).boxed(),
            1 => ec2.get_ebs_encryption_by_default().send().map(|answer| answer.is_ok()).boxed(),
            2 => config
                .describe_configuration_recorders()
                .send()
                .map(|answer| answer.is_ok())
                .boxed(),
            3 => config
                .describe_configuration_recorder_status()
                .send()
                .map(|answer| answer.is_ok())
                .boxed(),
            4 => config.describe_delivery_channels().send().map(|answer| answer.is_ok()).boxed(),
            5 => config
                .describe_retention_configurations()
                .send()
                .map(|answer| answer.is_ok())
                .boxed(),
            6 => kms.list_keys().send().map(|answer| answer.is_ok()).boxed(),
            7 => kms.list_aliases().send().map(|answer| answer.is_ok()).boxed(),
            _ => ec2.describe_vpcs().send().map(|answer| answer.is_ok()).boxed(),
        }
    });
    let failed = futures::stream::iter(requests)
        .buffer_unordered(IN_FLIGHT)
        .filter(|good| std::future::ready(!good))
        .count()
        .await;
    println!(
        "{{\"calls\": {calls}, \"failed\": {failed}, \"requests\": {}, \"wall\": {:.3}, \"cpu\": {:.3}}}",
        meter.requests(),
        started.elapsed().as_secs_f64(),
        cpu_seconds() - cpu
    );
}
