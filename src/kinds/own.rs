//! What of an observed object is its own: not what was read beside it to judge it.

use serde_json::Value;

use super::object::{Object, Status};

/// An object without these members of its state, each a JSON pointer in which `*` stands for every member.
/// Whoever changes one of them has not changed the object.
pub fn own(object: &Object<Value>, beside: &[&str]) -> Object<Value> {
    let mut own = object.clone();
    if let Status::Present(state) = &mut own.status {
        for pointer in beside {
            let path: Vec<&str> = pointer.split('/').skip(1).collect();
            remove(state, &path);
        }
    }
    own
}

fn remove(value: &mut Value, path: &[&str]) {
    match (value, path) {
        (Value::Object(members), ["*", rest @ ..]) => {
            members.values_mut().for_each(|value| remove(value, rest));
        }
        (Value::Array(entries), ["*", rest @ ..]) => {
            entries.iter_mut().for_each(|value| remove(value, rest));
        }
        (Value::Object(members), [last]) => {
            members.remove(*last);
        }
        (Value::Object(members), [first, rest @ ..]) => {
            if let Some(value) = members.get_mut(*first) {
                remove(value, rest);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_beside_is_left_out_and_nothing_else() {
        let state = json!({
            "key_policy": "a", "tags": { "key_policy": "b" },
            "enabled": { "one": { "problem": "c", "input": 1 }, "two": { "input": 2 } },
            "list": [{ "health": "d" }],
        });
        let all = ["/key_policy", "/enabled/*/problem", "/list/*/health", "/nothing/here"];
        let expected = json!({
            "tags": { "key_policy": "b" },
            "enabled": { "one": { "input": 1 }, "two": { "input": 2 } }, "list": [{}],
        });
        assert_eq!(own(&Object::present("x", state), &all), Object::present("x", expected));
    }
}
