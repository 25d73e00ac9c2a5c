//! `ec2.serial_console_access`: whether instances can be reached by their serial console.

use aws_sdk_ec2::Client;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::aws::Call;
use crate::kinds::calls::everywhere;
use crate::kinds::ec2::owner;
use crate::kinds::shapes::{Setting, Write};
use crate::kinds::{
    Change, Controls, Cx, Object, ObserveError, Risk, Scope, Stricter, Use, WriteCx, WriteError,
    told,
};

const GET: Call = Call::new("ec2", "GetSerialConsoleAccessStatus");
const ENABLE: Call = Call::new("ec2", "EnableSerialConsoleAccess");
const DISABLE: Call = Call::new("ec2", "DisableSerialConsoleAccess");

/// Whether the instances of a Region can be reached by their serial console: a way in that no security
/// group and no network ACL sees, for whoever may push a key to an instance
/// (`ec2-instance-connect:SendSerialConsoleSSHPublicKey`) and knows a password on it.
///
/// Where a declarative policy of the organization sets it, AWS refuses every write; evenkeel then
/// reports and leaves it alone.
///
/// Source: EC2 API Reference, `GetSerialConsoleAccessStatus`, `EnableSerialConsoleAccess`,
/// `DisableSerialConsoleAccess`; EC2 User Guide, "Configure access to the EC2 Serial Console".
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Access {
    /// Whether there is access to the serial console. AWS's default is false.
    pub enabled: bool,
}

/// The kind.
pub struct SerialConsoleAccess;

impl Setting for SerialConsoleAccess {
    const NAME: &'static str = "ec2.serial_console_access";
    const SCOPE: Scope = Scope::Regional;
    const CONTROLS: Controls =
        Controls { well_architected: &["SEC06-BP02", "SEC06-BP03"], ..Controls::NONE };
    const CALLS: &'static [Use<Access>] = &[
        Use::read(GET),
        Use::write_if(ENABLE, |access| access.enabled, everywhere),
        Use::write_if(DISABLE, |access| !access.enabled, everywhere),
    ];
    const SAMPLES: &'static [&'static str] = &[
        r#"
[ec2.serial_console_access]
enabled = true
"#,
        r#"
[ec2.serial_console_access]
enabled = false
"#,
    ];

    // Off is: the judgement says so.
    const STRICTER: &'static [Stricter] = &[Stricter::Neither("enabled")];

    type Record = Access;

    async fn read(cx: &Cx) -> Result<Object<Access>, ObserveError> {
        let request = cx.client(Client::new).get_serial_console_access_status();
        let answer = cx.read(GET, "", request.send()).await?;
        let enabled = told("SerialConsoleAccessEnabled", answer.serial_console_access_enabled())?;
        owner::of(Object::only(Some(Access { enabled })), answer.managed_by())
    }

    fn judge(
        change: Change<Write<Access>>,
        _now: Option<&Access>,
        then: &Access,
    ) -> Change<Write<Access>> {
        if then.enabled {
            return change.warn(
                "weaker than before: instances can be reached past security groups and network ACLs",
            );
        }
        change
            .risk(Risk::Disruptive)
            .warn("instances that do not start, or have no network, cannot be mended by their serial console any more")
    }

    fn call(then: &Access) -> Call {
        if then.enabled { ENABLE } else { DISABLE }
    }

    async fn put(cx: &WriteCx, then: &Access) -> Result<(), WriteError> {
        let client = cx.client(Client::new);
        if then.enabled {
            cx.send(ENABLE, client.enable_serial_console_access().send()).await
        } else {
            cx.send(DISABLE, client.disable_serial_console_access().send()).await
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kinds::shapes::Whole;
    use crate::kinds::{Facts, Kind};

    fn change(enabled: bool) -> Change<Write<Access>> {
        let facts = Facts::example(SerialConsoleAccess::NAME);
        let there = Object::present("", Access { enabled: !enabled });
        Whole::<SerialConsoleAccess>::diff(&facts, &Access { enabled }, &there).remove(0)
    }

    #[test]
    fn closing_it_may_cut_off_who_mends_instances_and_opening_it_is_weaker() {
        let closing = change(false);
        assert_eq!(closing.risk, Risk::Disruptive);
        assert!(closing.warnings[0].contains("cannot be mended"));
        let opening = change(true);
        assert_eq!(opening.risk, Risk::Safe);
        assert!(opening.warnings[0].starts_with("weaker than before"));
    }

    #[test]
    fn each_state_has_its_call() {
        let calls = |enabled| {
            Whole::<SerialConsoleAccess>::calls(&Write::Put { record: Access { enabled } })
        };
        assert_eq!(calls(true), [ENABLE]);
        assert_eq!(calls(false), [DISABLE]);
    }
}
