//! Whether AWS's answer has a member, where the SDK puts a default of its own in its place: "off" and
//! "AWS did not say" look the same in a `bool`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::AfterDeserializationInterceptorContextRef;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use serde_json::{Map, Value};

/// Looks for a member of a JSON answer: `request.customize().interceptor(said.clone())`.
#[derive(Debug, Clone)]
pub struct Said {
    member: &'static str,
    is_there: Arc<AtomicBool>,
}

impl Said {
    /// Looks for a member by AWS's name.
    pub fn new(member: &'static str) -> Self {
        Self { member, is_there: Arc::default() }
    }

    /// Whether the answer had it, and not as null.
    pub fn is_there(&self) -> bool {
        self.is_there.load(Ordering::Relaxed)
    }
}

impl Intercept for Said {
    fn name(&self) -> &'static str {
        "Said"
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let body = context.response().body().bytes();
        let members = body.and_then(|body| serde_json::from_slice::<Map<String, Value>>(body).ok());
        let is_there = members
            .is_some_and(|members| members.get(self.member).is_some_and(|value| !value.is_null()));
        self.is_there.store(is_there, Ordering::Relaxed);
        Ok(())
    }
}
