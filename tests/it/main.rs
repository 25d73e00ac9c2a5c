//! All integration tests in one executable, so that the AWS SDK is linked once and one emulator
//! serves them all. One room only: `cargo test --test it faults::`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
// A table of cases is as long as it has cases.
#![allow(clippy::too_many_lines)]

mod access;
mod alike;
mod applying;
mod attacks;
mod beside;
mod buckets;
mod changed_since;
mod circles;
mod cli;
mod config_packs;
mod controller;
mod damaged;
mod defaults;
mod deploy;
mod docs;
mod examples;
mod export;
mod faults;
mod fights;
mod fixtures;
mod fleet;
mod fleet_safety;
mod flow_logs;
mod formats;
mod guardduty;
mod guards;
mod history;
mod hostile;
mod identity;
mod key_grants;
mod keys;
mod language;
mod late_events;
mod let_in;
mod library;
mod log_alarms;
mod log_groups;
mod long_looks;
mod made_meanwhile;
mod managed_policies;
mod mended;
mod met;
mod moving;
mod network;
mod new_kind;
mod not_ours;
mod notices;
mod outages;
mod own_state;
mod own_writes;
mod properties;
mod recording;
mod references;
mod replicas;
mod rollback;
mod rooms;
mod rotate;
mod sandbox;
mod sdk;
mod shards;
mod subscriptions;
mod support;
mod taken_along;
mod telemetry;
mod tls;
mod unanswered;
mod upper_bound;
mod verdicts;
mod weaker;
mod without_store;
