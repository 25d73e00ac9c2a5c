//! What is said of what is no drift: what nobody knows, what ends soon, and what could not be kept.

use super::super::matter::{Matter, Subject};
use super::super::worth::look_at;
use super::LONGEST;
use crate::digest;
use crate::fleet::account::FailedAccount;
use crate::fleet::notify::{On, Severity};
use crate::kinds::Unknown;
use crate::names::AccountId;
use crate::plan::words::without_request;
use crate::visible::{shortened, visible};

/// What tells apart what is said of an account that could not be looked at.
pub fn unseen_key(account: &AccountId) -> String {
    format!("unseen/{account}")
}

/// An account could not be looked at.
pub fn unseen_account(failed: &FailedAccount, targets: &[String]) -> Matter {
    let title = crate::plan::words::named(&failed.account, failed.name.as_deref());
    let subject = Subject {
        account: Some(failed.account.clone()),
        account_name: failed.name.clone(),
        targets: targets.to_vec(),
        ..Subject::named(unseen_key(&failed.account), format!("account {title}"))
    };
    let why = without_request(&failed.reason);
    Matter {
        on: On::Blind,
        severity: Severity::High,
        state: "unseen".to_owned(),
        what: vec![shortened(&visible(&why), LONGEST).into_owned()],
        did: failed.remedy.clone().unwrap_or_default(),
        look: look_at(&subject),
        subject,
    }
}

/// Nobody knows how an object is.
pub fn unknown_object(subject: Subject, unknown: &Unknown) -> Matter {
    let why = without_request(&unknown.reason);
    Matter {
        on: On::Blind,
        severity: Severity::Medium,
        state: "unknown".to_owned(),
        what: vec![shortened(&visible(&why), LONGEST).into_owned()],
        did: unknown.remedy.clone().unwrap_or_default(),
        look: look_at(&subject),
        subject,
    }
}

/// An exception ends soon.
pub fn expiring(subject: Subject, until: &str, owner: &str, reason: &str) -> Matter {
    Matter {
        on: On::ExceptionExpiring,
        severity: Severity::Low,
        state: until.to_owned(),
        what: vec![format!("{owner} has an exception until {until}: {}", visible(reason))],
        did: "will put it right, or report it, from the day after".to_owned(),
        look: look_at(&subject),
        subject,
    }
}

/// The store could not take something in.
pub fn of_store(what: &str) -> Matter {
    Matter {
        subject: Subject::named("store", "the store"),
        did: "writes nothing that it cannot remember".to_owned(),
        look: "evenkeel history".to_owned(),
        ..of_audit_log(what)
    }
}

/// The audit log is not as it should be.
pub fn of_audit_log(what: &str) -> Matter {
    let mut state = digest::of_bytes(what.as_bytes());
    state.truncate(16);
    Matter {
        subject: Subject::named("audit-log", "the audit log"),
        on: On::Failed,
        severity: Severity::Critical,
        state,
        what: vec![shortened(&visible(what), LONGEST).into_owned()],
        did: "writes nothing that it cannot log".to_owned(),
        look: "evenkeel audit verify".to_owned(),
    }
}
