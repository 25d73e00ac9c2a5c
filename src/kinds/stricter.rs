//! Which way a field is stricter: one fact a field, from which every plan can say that a write leaves an
//! account weaker than it was. A baseline that asks for less than is there may be right; it is never
//! written unsaid.

use serde_json::Value;

use super::FieldDrift;

/// Which way a field of a spec is stricter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stricter {
    /// `true` is.
    On(&'static str),
    /// A larger number is; none at all is the weakest.
    More(&'static str),
    /// A larger number is; none at all, and 0, stands for a larger one than can be written.
    MoreOrNone(&'static str),
    /// A smaller number is; none at all, and 0, is the weakest.
    Less(&'static str),
    /// Having one is, whichever.
    Set(&'static str),
    /// A list that has a word is.
    Holding(&'static str, &'static str),
    /// One of several words is, the weakest first.
    Order(&'static str, &'static [&'static str]),
    /// Neither is, or the kind itself says what is weaker.
    Neither(&'static str),
}

impl Stricter {
    /// The field.
    pub fn field(self) -> &'static str {
        match self {
            Self::On(field)
            | Self::More(field)
            | Self::MoreOrNone(field)
            | Self::Less(field)
            | Self::Set(field)
            | Self::Holding(field, _)
            | Self::Order(field, _)
            | Self::Neither(field) => field,
        }
    }

    /// Whether the field is weaker with the second value than with the first. What it is not for (a
    /// word that is not in the list) is no weakening.
    fn weakens(self, before: Option<&Value>, after: Option<&Value>) -> bool {
        let number = |value: Option<&Value>| value.and_then(Value::as_u64);
        let positive = |value: Option<&Value>| number(value).filter(|number| *number > 0);
        match self {
            Self::On(_) => {
                let is_on = |value: Option<&Value>| value.and_then(Value::as_bool) == Some(true);
                is_on(before) && !is_on(after)
            }
            Self::More(_) => number(after) < number(before),
            Self::MoreOrNone(_) => match (positive(before), positive(after)) {
                (None, Some(_)) => true,
                (Some(before), Some(after)) => after < before,
                (_, None) => false,
            },
            Self::Less(_) => match (positive(before), positive(after)) {
                (Some(before), Some(after)) => after > before,
                (Some(_), None) => true,
                (None, _) => false,
            },
            Self::Set(_) => is_there(before) && !is_there(after),
            Self::Neither(_) => false,
            Self::Holding(_, word) => {
                let holds = |value: Option<&Value>| {
                    let list = value.and_then(Value::as_array);
                    list.is_some_and(|list| list.iter().any(|one| one == word))
                };
                holds(before) && !holds(after)
            }
            Self::Order(_, words) => {
                let place = |value: Option<&Value>| {
                    let word = value.and_then(Value::as_str)?;
                    words.iter().position(|known| *known == word)
                };
                matches!((place(before), place(after)), (Some(before), Some(after)) if after < before)
            }
        }
    }
}

fn is_there(value: Option<&Value>) -> bool {
    match value {
        None | Some(Value::Null) => false,
        Some(Value::String(text)) => !text.is_empty(),
        Some(Value::Object(fields)) => !fields.is_empty(),
        Some(Value::Array(list)) => !list.is_empty(),
        Some(Value::Bool(_) | Value::Number(_)) => true,
    }
}

/// What a change makes weaker, in words. Of an object that `is_made`, what was before is known only
/// where AWS has a value for it all the same.
pub fn weakened(table: &[Stricter], drift: &[FieldDrift], is_made: bool) -> Vec<String> {
    let lines = drift.iter().filter_map(|drift| {
        let known = table.iter().find(|stricter| stricter.field() == drift.field)?;
        let (before, after) = (drift.actual.as_ref(), drift.desired.as_ref());
        let has_before = !is_made || before.is_some();
        (has_before && known.weakens(before, after)).then(|| {
            format!(
                "weaker than before: {} goes from {} to {}",
                drift.field,
                word(before),
                word(after)
            )
        })
    });
    lines.collect()
}

fn word(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => "not set".to_owned(),
        Some(Value::String(text)) if text.is_empty() => "not set".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(list)) if list.iter().all(Value::is_string) => {
            list.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", ")
        }
        Some(Value::Object(_) | Value::Array(_)) => "what it is".to_owned(),
        Some(value) => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_way_knows_what_is_weaker() {
        let null = Value::Null;
        for (way, strict, weak) in [
            (Stricter::On("a"), json!(true), json!(false)),
            (Stricter::On("a"), json!(true), null.clone()),
            (Stricter::More("a"), json!(14), json!(8)),
            (Stricter::More("a"), json!(1), null.clone()),
            (Stricter::MoreOrNone("a"), json!(365), json!(30)),
            (Stricter::MoreOrNone("a"), null.clone(), json!(3653)),
            (Stricter::Less("a"), json!(90), json!(365)),
            (Stricter::Less("a"), json!(90), json!(0)),
            (Stricter::Less("a"), json!(90), null.clone()),
            (Stricter::MoreOrNone("a"), json!(0), json!(3653)),
            (Stricter::Holding("a", "SSE-C"), json!(["SSE-C"]), json!(["NONE"])),
            (Stricter::Holding("a", "SSE-C"), json!(["SSE-C"]), null.clone()),
            (Stricter::Set("a"), json!("alias/x"), json!("")),
            (Stricter::Set("a"), json!({"b": 1}), null.clone()),
            (Stricter::Order("a", &["none", "some", "all"]), json!("all"), json!("none")),
        ] {
            let drift = |actual: &Value, desired: &Value| {
                [FieldDrift {
                    field: "a".to_owned(),
                    actual: Some(actual.clone()).filter(|value| !value.is_null()),
                    desired: Some(desired.clone()).filter(|value| !value.is_null()),
                }]
            };
            let said = weakened(&[way], &drift(&strict, &weak), false);
            assert_eq!(said.len(), 1, "{way:?}: {strict} to {weak}");
            assert!(said[0].starts_with("weaker than before: a goes from "), "{said:?}");
            assert!(weakened(&[way], &drift(&weak, &strict), false).is_empty(), "{way:?}");
            assert!(weakened(&[way], &drift(&strict, &strict), false).is_empty(), "{way:?}");
            assert!(weakened(&[], &drift(&strict, &weak), false).is_empty());
        }
        let first = [FieldDrift { field: "a".to_owned(), actual: None, desired: Some(json!(30)) }];
        assert!(weakened(&[Stricter::MoreOrNone("a")], &first, true).is_empty(), "it is made");
        let unknown = Stricter::Order("a", &["none", "all"]);
        assert!(!unknown.weakens(Some(&json!("else")), Some(&json!("none"))));
    }
}
