//! Which declared fields a comparison has looked at, so that a field that nobody compared can never
//! end as "in sync".
//!
//! A kind's `diff` is a plain function; while it runs, [`Drift`](super::Drift) notes the field of
//! every comparison here, and [`mark`] notes those that are compared in another way. The only
//! caller of [`during`] is the kind's erased twin, which turns what was left out into "unknown".

use std::cell::RefCell;
use std::collections::BTreeSet;

thread_local! {
    static FIELDS: RefCell<Option<BTreeSet<String>>> = const { RefCell::new(None) };
}

/// Notes that a declared field was compared with what is there. Of a path, the first part counts:
/// `lifecycle[0].days` is `lifecycle`.
pub fn mark(field: &str) {
    let field = field.split(['.', '[']).next().unwrap_or(field);
    FIELDS.with_borrow_mut(|fields| {
        if let Some(fields) = fields
            && !fields.contains(field)
        {
            fields.insert(field.to_owned());
        }
    });
}

/// Notes that one finding stands for everything that is declared of the object, such as that
/// somebody is about to delete it.
pub fn mark_all() {
    mark(ALL);
}

/// Stands for all fields.
pub const ALL: &str = "*";

/// Runs a comparison, and says which fields it looked at.
pub fn during<T>(compare: impl FnOnce() -> T) -> (T, BTreeSet<String>) {
    let outer = FIELDS.replace(Some(BTreeSet::new()));
    let result = compare();
    let fields = FIELDS.replace(outer).unwrap_or_default();
    (result, fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comparison_knows_its_fields_and_no_others() {
        mark("outside");
        let ((), fields) = during(|| {
            mark("lifecycle[0].days");
            let ((), inner) = during(|| mark("tags"));
            assert_eq!(inner, BTreeSet::from(["tags".to_owned()]));
        });
        assert_eq!(fields, BTreeSet::from(["lifecycle".to_owned()]));
    }
}
