//! The calls of a kind, each said once: permissions, resources and events come from this table.

use std::borrow::Cow;
use std::collections::BTreeSet;

use crate::aws::Call;

/// Under which resources and conditions a write is allowed; see [`Use::write`].
pub type On<S> = fn(&S, &Arns) -> Vec<Allowed>;

/// One call of a kind, or one permission that AWS checks without a call: when a spec needs it, and
/// for a write on what. A write without a resource cannot be put down.
#[derive(Debug)]
pub struct Use<S: 'static> {
    asked: Asked,
    needed: fn(&S) -> bool,
    purpose: Purpose<S>,
}

#[derive(Debug, Clone, Copy)]
enum Asked {
    /// An operation on the wire.
    Call(Call),
    /// An IAM action that AWS checks on top of a call, such as `iam:PassRole`.
    Action(&'static str),
}

#[derive(Debug)]
enum Purpose<S: 'static> {
    Read,
    Write(On<S>),
    Undo(On<S>),
}

impl<S> Use<S> {
    /// A call that every observation makes.
    pub const fn read(call: Call) -> Self {
        Self::read_if(call, always)
    }

    /// A call that the observation of some specs makes.
    pub const fn read_if(call: Call, needed: fn(&S) -> bool) -> Self {
        Self { asked: Asked::Call(call), needed, purpose: Purpose::Read }
    }

    /// A write that every spec can need, with its resources.
    pub const fn write(call: Call, on: On<S>) -> Self {
        Self::write_if(call, always, on)
    }

    /// A write that some specs can need, with its resources.
    pub const fn write_if(call: Call, needed: fn(&S) -> bool, on: On<S>) -> Self {
        Self { asked: Asked::Call(call), needed, purpose: Purpose::Write(on) }
    }

    /// A write that only takes another one back, with its resources: no spec asks for it, and a policy
    /// allows it only to who may roll back.
    pub const fn undo(call: Call, on: On<S>) -> Self {
        Self { asked: Asked::Call(call), needed: always, purpose: Purpose::Undo(on) }
    }

    /// A permission that AWS checks on top of the writes on the wire.
    pub const fn implied(action: &'static str, needed: fn(&S) -> bool, on: On<S>) -> Self {
        Self { asked: Asked::Action(action), needed, purpose: Purpose::Write(on) }
    }

    /// A permission to read that AWS checks on top of the writes on the wire.
    pub const fn implied_read(action: &'static str, needed: fn(&S) -> bool) -> Self {
        Self { asked: Asked::Action(action), needed, purpose: Purpose::Read }
    }

    /// The IAM action.
    fn action(&self) -> Cow<'static, str> {
        match self.asked {
            Asked::Call(call) => call.iam_action(),
            Asked::Action(action) => Cow::Borrowed(action),
        }
    }

    /// Whether it is a call of its own.
    fn is_call(&self) -> bool {
        matches!(self.asked, Asked::Call(_))
    }
}

/// A table in which nothing is a write: another one does not compile.
pub(super) const fn only_reads<S>(table: &'static [Use<S>]) -> &'static [Use<S>] {
    let mut place = 0;
    while place < table.len() {
        assert!(matches!(table[place].purpose, Purpose::Read), "an audit has no writes");
        place += 1;
    }
    table
}

fn always<S>(_spec: &S) -> bool {
    true
}

/// What a spec needs, from a kind's table.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Needed {
    /// The IAM actions of observing.
    pub reads: BTreeSet<Cow<'static, str>>,
    /// The IAM actions of reads that AWS checks while it writes.
    pub implied_reads: BTreeSet<Cow<'static, str>>,
    /// The writes that the spec could ever need, with what they are allowed on.
    pub writes: Vec<NeededWrite>,
}

/// A write that a spec could ever need.
#[derive(Debug, Clone, PartialEq)]
pub struct NeededWrite {
    /// The IAM action.
    pub action: Cow<'static, str>,
    /// Whether AWS checks it without a call of its own.
    pub implied: bool,
    /// On what, under which conditions; any of them is enough.
    pub allowed: Vec<Allowed>,
}

/// What a spec needs of a table.
pub(super) fn needed<'a, S: 'static>(
    table: impl IntoIterator<Item = &'a Use<S>>,
    spec: &S,
    arns: &Arns,
    rolls_back: bool,
) -> Needed {
    let mut needed = Needed::default();
    for entry in table {
        let action = entry.action();
        // What was there before may be anything.
        let is_write = matches!(entry.purpose, Purpose::Write(_) | Purpose::Undo(_));
        let is_needed = (entry.needed)(spec) || (rolls_back && is_write);
        if !is_needed {
            continue;
        }
        match entry.purpose {
            Purpose::Read if entry.is_call() => drop(needed.reads.insert(action)),
            Purpose::Read => drop(needed.implied_reads.insert(action)),
            Purpose::Undo(_) if !rolls_back => {}
            Purpose::Write(on) | Purpose::Undo(on) => needed.writes.push(NeededWrite {
                action,
                implied: !entry.is_call(),
                allowed: on(spec, arns),
            }),
        }
    }
    needed
}

/// The CloudTrail events of a table's own writes, those that only undo included, and of others.
pub(super) fn events<'a, S: 'static>(
    table: impl IntoIterator<Item = &'a Use<S>>,
    others: &[&'static str],
) -> Vec<String> {
    let own = table.into_iter().filter_map(|entry| match (entry.asked, &entry.purpose) {
        (Asked::Call(call), Purpose::Write(_) | Purpose::Undo(_)) if !call.is_read() => {
            Some(call.event())
        }
        _ => None,
    });
    let mut events: Vec<String> = own.chain(others.iter().map(|&name| name.to_owned())).collect();
    let mut seen = BTreeSet::new();
    events.retain(|event| seen.insert(event.clone()));
    events
}

/// What a call, by the name of its event, does to an object that is declared so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Touches {
    /// It is a write of the kind.
    Own,
    /// It touches tags alone, and none are declared.
    Undeclared,
    /// It is one of which the kind is told besides.
    Besides,
    /// It is one of a kind that writes nothing itself.
    Watched,
}

/// What a call does to what a spec declares, by a table. Of tags alone the table can tell whether they are
/// declared: a spec that says something of them needs their calls. Without a spec, they may be.
pub(super) fn touches<'a, S: 'static>(
    table: impl IntoIterator<Item = &'a Use<S>>,
    event: &str,
    spec: Option<&S>,
) -> Touches {
    let is_of_tags = |name: &str| name.contains("Tag");
    let of_tags = event.split_once(':').is_some_and(|(_, name)| is_of_tags(name));
    let (mut is_own, mut writes) = (false, false);
    let (mut knows_tags, mut has_tags) = (false, false);
    for entry in table {
        let Asked::Call(call) = entry.asked else { continue };
        if !matches!(entry.purpose, Purpose::Read) {
            writes = true;
            is_own |= call.event() == event;
        }
        if is_of_tags(call.operation) {
            knows_tags = true;
            has_tags |= spec.is_none_or(|spec| (entry.needed)(spec));
        }
    }
    match () {
        () if of_tags && knows_tags && !has_tags => Touches::Undeclared,
        () if is_own => Touches::Own,
        () if writes => Touches::Besides,
        () => Touches::Watched,
    }
}

/// Resources and conditions under which an action is allowed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Allowed {
    /// ARNs, `*` and `?` being wildcards.
    pub resources: BTreeSet<String>,
    /// All of them must hold.
    pub conditions: BTreeSet<Condition>,
}

/// One condition of a statement.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Condition {
    /// Such as `StringEquals`.
    pub operator: &'static str,
    /// The condition key.
    pub key: String,
    /// The values, one of which must match.
    pub values: BTreeSet<String>,
}

impl Allowed {
    /// On everything: only for actions for which AWS has no resource.
    pub fn everywhere() -> Self {
        Self::on(["*".to_owned()])
    }

    /// On some resources.
    pub fn on(arns: impl IntoIterator<Item = String>) -> Self {
        Self { resources: arns.into_iter().collect(), conditions: BTreeSet::new() }
    }

    /// The same, under one more condition.
    #[must_use]
    pub fn when(
        mut self,
        operator: &'static str,
        key: impl Into<String>,
        values: impl IntoIterator<Item = String>,
    ) -> Self {
        let values = values.into_iter().collect();
        self.conditions.insert(Condition { operator, key: key.into(), values });
        self
    }
}

/// For writes for which AWS has no resource.
pub fn everywhere<S>(_spec: &S, _arns: &Arns) -> Vec<Allowed> {
    Allowed::everywhere().into()
}

impl From<Allowed> for Vec<Allowed> {
    fn from(one: Allowed) -> Self {
        vec![one]
    }
}

/// The partition and account that ARNs are made for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arns {
    partition: String,
    account: String,
    unknown: Vec<String>,
}

impl Arns {
    /// For one account, or `*` for any.
    pub fn of(partition: &str, account: &str) -> Self {
        Self { partition: partition.to_owned(), account: account.to_owned(), unknown: Vec::new() }
    }

    /// The same where `unknown` in a text of a spec stands for any text.
    #[must_use]
    pub fn with_unknown(self, unknown: [&str; 4]) -> Self {
        Self { unknown: unknown.map(str::to_owned).to_vec(), ..self }
    }

    /// An ARN of a service whose resources live in Regions.
    pub fn regional(&self, service: &str, resource: &str) -> String {
        format!("arn:{}:{service}:*:{}:{resource}", self.partition, self.account)
    }

    /// An ARN of IAM, which has no Regions.
    pub fn iam(&self, resource: &str) -> String {
        format!("arn:{}:iam::{}:{resource}", self.partition, self.account)
    }

    /// The ARN of a bucket, which has neither Region nor account.
    pub fn bucket(&self, name: &str) -> String {
        format!("arn:{}:s3:::{}", self.partition, self.text(name))
    }

    /// The ARN of an account of the organization that this one manages.
    pub fn member(&self, account: &str) -> String {
        let Self { partition, account: management, .. } = self;
        format!("arn:{partition}:organizations::{management}:account/o-*/{}", self.text(account))
    }

    /// The ARN of AWS's own role for one of its services.
    pub fn service_linked_role(&self, service: &str, name: &str) -> String {
        self.iam(&format!("role/aws-service-role/{service}/{name}"))
    }

    /// A text of a spec inside a policy: what is not known yet stands for any text, and IAM's own
    /// wildcards and variables for themselves (IAM User Guide, "Policy elements: variables").
    pub fn text(&self, text: &str) -> String {
        let mut escaped = String::with_capacity(text.len());
        for letter in text.chars() {
            match letter {
                '*' | '?' | '$' => {
                    escaped.push_str("${");
                    escaped.push(letter);
                    escaped.push('}');
                }
                _ => escaped.push(letter),
            }
        }
        for unknown in &self.unknown {
            escaped = escaped.replace(unknown.as_str(), "*");
        }
        escaped
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::baseline::UNKNOWN_FACTS;

    const GET: Call = Call::new("s3", "GetBucketPolicy");
    const PUT: Call = Call::new("s3", "PutBucketPolicy");
    const DELETE: Call = Call::new("s3", "DeleteBucketPolicy");
    const TABLE: &[Use<bool>] = &[
        Use::read(GET),
        Use::write_if(PUT, |spec| *spec, |_, arns| Allowed::on([arns.bucket("a")]).into()),
        Use::undo(DELETE, |_, arns| Allowed::on([arns.bucket("a")]).into()),
        Use::implied("iam:PassRole", |spec| !*spec, |_, _| Allowed::everywhere().into()),
    ];

    #[test]
    fn a_table_says_what_a_spec_needs() {
        let arns = Arns::of("aws", "111122223333");
        let on = needed(TABLE, &true, &arns, false);
        assert_eq!(on.reads, BTreeSet::from(["s3:GetBucketPolicy".into()]));
        assert_eq!(on.writes.len(), 1);
        assert_eq!(on.writes[0].action, "s3:PutBucketPolicy");
        assert_eq!(on.writes[0].allowed, [Allowed::on(["arn:aws:s3:::a".to_owned()])]);
        let off = needed(TABLE, &false, &arns, false);
        assert_eq!(off.writes.len(), 1);
        assert!(off.writes[0].implied);
        let back = needed(TABLE, &true, &arns, true);
        let writes: Vec<&str> = back.writes.iter().map(|write| write.action.as_ref()).collect();
        assert_eq!(writes, ["s3:PutBucketPolicy", "s3:DeleteBucketPolicy", "iam:PassRole"]);
    }

    #[test]
    fn a_call_that_only_tags_touches_nothing_where_no_tags_are_declared() {
        const TAG: Call = Call::new("s3", "PutBucketTagging");
        const TABLE: &[Use<bool>] = &[
            Use::write(PUT, everywhere),
            Use::write_if(TAG, |spec| *spec, everywhere),
            Use::read(GET),
        ];
        let of = |event, spec: bool| touches(TABLE, event, Some(&spec));
        assert_eq!(of("s3.amazonaws.com:PutBucketTagging", true), Touches::Own);
        assert_eq!(of("s3.amazonaws.com:PutBucketTagging", false), Touches::Undeclared);
        assert_eq!(of("s3.amazonaws.com:DeleteBucketTagging", false), Touches::Undeclared);
        assert_eq!(of("s3.amazonaws.com:PutBucketPolicy", false), Touches::Own);
        assert_eq!(of("s3.amazonaws.com:DeleteBucket", false), Touches::Besides);
        let watched = touches(&[Use::read(GET)], "s3.amazonaws.com:PutBucketTagging", Some(&false));
        assert_eq!(watched, Touches::Watched);
    }

    #[test]
    fn own_writes_are_events() {
        assert_eq!(
            events(TABLE, &["s3.amazonaws.com:PutBucketPolicy", "x:Y"]),
            ["s3.amazonaws.com:PutBucketPolicy", "s3.amazonaws.com:DeleteBucketPolicy", "x:Y"]
        );
    }

    #[test]
    fn what_is_not_known_yet_is_any_text_and_wildcards_of_a_spec_are_not() {
        let arns = Arns::of("aws", "*").with_unknown(UNKNOWN_FACTS);
        assert_eq!(arns.bucket("logs-000000000000"), "arn:aws:s3:::logs-*");
        assert_eq!(arns.text("a*b?${c}"), "a${*}b${?}${$}{c}");
    }
}
