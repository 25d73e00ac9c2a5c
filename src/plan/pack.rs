//! One account's objects, kept small: a large fleet has too many to hold each of them as it is.

use std::borrow::Cow;
use std::io::{BufWriter, Read};
use std::sync::Arc;

use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use serde::{Deserialize, Serialize};

use super::{AlikeTo, ObjectPlan, Summary};
use crate::names::Region;

/// The objects of one account.
#[derive(Debug, Clone)]
pub struct Pack {
    form: Form,
    /// How many they are.
    pub count: usize,
    /// The same, by what is said of them.
    pub summary: Summary,
    /// What is added to the numbers of their changes.
    offset: u32,
}

#[derive(Debug, Clone)]
enum Form {
    /// As they are.
    Held(Vec<ObjectPlan>),
    /// Written, and compressed: the objects of an account have nearly all of their text in common.
    Squeezed(Box<[u8]>),
}

/// An object with what its own form leaves out.
#[derive(Serialize, Deserialize)]
struct Line<'a>(Cow<'a, ObjectPlan>, Option<(Cow<'a, str>, bool)>);

impl Pack {
    /// Objects of one account, as they are.
    pub fn held(objects: Vec<ObjectPlan>) -> Self {
        let mut summary = Summary::default();
        objects.iter().for_each(|object| summary.count(object));
        Self { count: objects.len(), summary, offset: 0, form: Form::Held(objects) }
    }

    /// Makes them small. What could not be had back exactly stays as it is.
    pub fn squeeze(&mut self) {
        let Form::Held(objects) = &self.form else { return };
        let squeezed = squeeze(objects)
            .filter(|squeezed| open(squeezed, self.count).is_ok_and(|opened| opened == *objects));
        if let Some(squeezed) = squeezed {
            self.form = Form::Squeezed(squeezed);
        }
    }

    /// Whether they were made small.
    pub fn is_squeezed(&self) -> bool {
        matches!(self.form, Form::Squeezed(_))
    }

    /// Numbers their changes on from a number.
    pub fn count_from(&mut self, offset: u32) {
        match &mut self.form {
            Form::Held(objects) => renumber(objects, offset),
            Form::Squeezed(_) => self.offset += offset,
        }
    }

    /// The objects.
    pub fn objects(&self) -> Vec<Cow<'_, ObjectPlan>> {
        match &self.form {
            Form::Held(objects) => objects.iter().map(Cow::Borrowed).collect(),
            Form::Squeezed(squeezed) => self.opened(squeezed).into_iter().map(Cow::Owned).collect(),
        }
    }

    /// The objects, for good.
    pub fn into_objects(self) -> Vec<ObjectPlan> {
        match self.form {
            Form::Held(objects) => objects,
            Form::Squeezed(ref squeezed) => self.opened(squeezed),
        }
    }

    fn opened(&self, squeezed: &[u8]) -> Vec<ObjectPlan> {
        // It was opened once when it was made, and nobody has written to it since: only broken memory
        // leads here, and then nothing may be said of the account.
        let Ok(mut objects) = open(squeezed, self.count) else {
            unreachable!("objects that were packed by this process cannot be unpacked")
        };
        renumber(&mut objects, self.offset);
        objects
    }
}

fn renumber(objects: &mut [ObjectPlan], offset: u32) {
    for change in objects.iter_mut().flat_map(|object| &mut object.changes) {
        change.id += offset;
        change.depends_on.iter_mut().for_each(|id| *id += offset);
    }
}

fn squeeze(objects: &[ObjectPlan]) -> Option<Box<[u8]>> {
    let lines: Vec<_> = objects
        .iter()
        .map(|object| {
            let alike = object.alike.as_ref();
            Line(Cow::Borrowed(object), alike.map(|to| (Cow::Borrowed(&*to.mark), to.holds)))
        })
        .collect();
    let out = DeflateEncoder::new(Vec::new(), Compression::fast());
    // JSON is written word by word, and each write costs an encoder a whole buffer.
    let mut out = BufWriter::new(out);
    serde_json::to_writer(&mut out, &lines).ok()?;
    out.into_inner().ok()?.finish().ok().map(Vec::into_boxed_slice)
}

fn open(squeezed: &[u8], count: usize) -> serde_json::Result<Vec<ObjectPlan>> {
    let mut text = Vec::new();
    DeflateDecoder::new(squeezed).read_to_end(&mut text).map_err(serde_json::Error::io)?;
    let lines: Vec<Line<'_>> = serde_json::from_slice(&text)?;
    let mut objects: Vec<ObjectPlan> = Vec::with_capacity(count);
    let mut regions: Vec<Region> = Vec::new();
    for Line(object, alike) in lines {
        let mut object = object.into_owned();
        // What they share is kept once, as it was.
        if let Some(first) = objects.first().filter(|first| first.account == object.account) {
            object.account = first.account.clone();
        }
        match regions.iter().find(|region| **region == object.region) {
            Some(region) => object.region = region.clone(),
            None => regions.push(object.region.clone()),
        }
        object.alike = alike.map(|(mark, holds)| AlikeTo { mark: Arc::from(&*mark), holds });
        objects.push(object);
    }
    Ok(objects)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::plan::render::testing::{change, object, policy};

    #[test]
    fn objects_are_had_back_as_they_were() {
        let mut alike = policy(1, &[("a", json!(8), json!(14))]);
        alike.alike = Some(AlikeTo { mark: "m".into(), holds: true });
        let waits = object(1, json!({"changes": [change(json!({"id": 2, "depends_on": [1]}))]}));
        let objects = vec![alike, waits];
        let mut pack = Pack::held(objects.clone());
        pack.squeeze();
        assert!(pack.is_squeezed());
        assert_eq!(pack.clone().into_objects(), objects);
        pack.count_from(40);
        let numbered = pack.into_objects();
        assert_eq!(numbered[1].changes[0].id, 42);
        assert_eq!(numbered[1].changes[0].depends_on, [41]);
    }

    #[test]
    fn what_json_cannot_say_exactly_stays_as_it_is() {
        let mut odd = policy(1, &[("a", json!(8), json!(14))]);
        odd.changes[0].action = Some(Box::new(Value::Null));
        let mut pack = Pack::held(vec![odd.clone()]);
        pack.squeeze();
        assert!(!pack.is_squeezed());
        pack.count_from(7);
        assert_eq!(pack.objects()[0].changes[0].id, odd.changes[0].id + 7);
    }
}
