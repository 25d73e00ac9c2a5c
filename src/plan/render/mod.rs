//! One file a format. Renderers only read the plan.

pub mod accounts;
pub mod group;
mod held;
pub mod html;
pub mod json;
pub mod junit;
pub mod markdown;
mod markup;
pub mod parts;
mod place;
mod rows;
pub mod sarif;
pub mod summary;
#[cfg(test)]
pub(crate) mod testing;
pub mod text;
pub mod value;
