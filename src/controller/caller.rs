//! Who made a call, as CloudTrail says it.

/// Who made a call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Caller {
    /// The ARN, or what CloudTrail has in its place.
    pub arn: String,
    /// The source identity of the session.
    pub source_identity: Option<String>,
    /// The address that the call came from.
    pub source_address: Option<String>,
    /// What the caller says to be.
    pub user_agent: Option<String>,
}
