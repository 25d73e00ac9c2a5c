//! One file a format. Renderers only read the plan.

pub mod group;
pub mod html;
pub mod json;
pub mod junit;
pub mod markdown;
pub mod parts;
pub mod sarif;
pub mod text;
pub mod value;
