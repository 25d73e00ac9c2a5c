//! Kinds of Amazon Route 53 Resolver.

pub mod query_log_config;
