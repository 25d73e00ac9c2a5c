//! One file a format. Renderers only read the plan.

pub mod group;
pub mod json;
pub mod markdown;
pub mod text;
pub mod value;
