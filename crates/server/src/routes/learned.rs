//! Directions and classifiers as requests name them: by the name of a file that the server was started with, or whole,
//! as they were learned.

use std::{path::Path, sync::Arc};

use schemars::{Schema, SchemaGenerator, json_schema};
use serde_json::Value;
use strait::{Error, Model};

use crate::{
    models::{Learned, Serving},
    refusal::Refusal,
};

/// What is learned, and the flag by which the server is given such files.
pub struct Kind<T> {
    pub word: &'static str,
    pub flag: &'static str,
    pub read: fn(&[u8], &Path, &Model) -> Result<T, Error>,
}

impl<T> Kind<T> {
    /// What `by` names; the first one of the server's if it is not given.
    ///
    /// # Errors
    /// If there is none, or it is no such thing, or was learned for another model.
    pub fn find(&self, serving: &Serving, own: &Learned<T>, by: Option<Value>) -> Result<Arc<T>, Refusal> {
        let refuse = |why: String| Refusal::invalid("/by", why);
        match by {
            None => own.first().cloned().ok_or_else(|| {
                let Kind { word, flag, .. } = self;
                refuse(format!("missing, and the server has no {word}; learn some, or start it with {flag} FILE"))
            }),
            Some(Value::String(name)) => own.find(&name).cloned().ok_or_else(|| {
                let known = own.names().join(", ");
                refuse(format!("there are no {} `{name}`; there are: {known}", self.word))
            }),
            Some(Value::Object(fields)) => {
                let bytes = serde_json::to_vec(&fields).unwrap_or_default(); // it was read from JSON
                (self.read)(&bytes, Path::new("by"), &serving.model).map(Arc::new).map_err(|e| match e {
                    Error::LearnedFile { why, .. } => refuse(format!("the object {why}")),
                    e => refuse(e.to_string()),
                })
            }
            Some(_) => Err(refuse("must be a name, or an object as it was learned".into())),
        }
    }
}

/// The schema of `by`.
pub fn by(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "description": "The name of one that the server was started with, or a whole one as it was learned; the \
                        server's first one if not given.",
        "oneOf": [{"type": "string"}, {"type": "object"}, {"type": "null"}]
    })
}
