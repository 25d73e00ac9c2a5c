//! What `scripts/new-kind` writes, of each shape: kept here so that the compiler sees it. A test
//! compares these files with what the script writes.

mod audit;
mod part;
mod setting;
mod sweep;

use super::{Inspect, Whole};
use crate::kinds::describe::{fields, sample_specs};
use crate::kinds::erased::erase;

#[test]
fn what_the_script_begins_is_a_kind() {
    for kind in [
        erase::<Whole<setting::DimNightLamp>>(),
        erase::<Inspect<audit::OddUser>>(),
        erase::<part::WoodenBox>(),
        erase::<sweep::OldVolumes>(),
    ] {
        assert!(fields(kind.as_ref()).iter().all(|field| !field.doc.is_empty()));
        let mut specs =
            kind.samples().iter().flat_map(|sample| sample_specs(kind.as_ref(), sample));
        assert!(specs.all(|spec| kind.check(&spec).is_empty()), "{}", kind.name());
    }
}
