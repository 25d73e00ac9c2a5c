//! What the specs of several kinds share.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Found;

/// What to do with objects that are in use by something that a change would cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum InUse {
    /// Report the drift and leave the object alone.
    #[default]
    Report,
    /// Change it all the same.
    Enforce,
}

/// An enumeration in AWS's own spelling, with `as_str`.
macro_rules! aws_enum {
    ($(#[$meta:meta])* $name:ident { $($(#[$more:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$meta])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash,
            serde::Serialize, serde::Deserialize,
        )]
        pub enum $name {
            $(
                #[doc = concat!("`", $text, "`")]
                #[serde(rename = $text)]
                $(#[$more])*
                $variant,
            )+
        }

        impl $name {
            /// AWS's word for it.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                }
            }
        }

        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn inline_schema() -> bool {
                true
            }

            fn json_schema(_generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "enum": [$($text),+] })
            }
        }
    };
}
pub(crate) use aws_enum;

/// The fields that find an object, for `Kind::find_all`.
pub fn found<const N: usize>(fields: [(&str, String); N]) -> Found {
    fields.into_iter().map(|(field, value)| (field.to_owned(), value.into())).collect()
}
