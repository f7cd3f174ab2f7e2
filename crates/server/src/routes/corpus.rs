//! The texts that a request works on: its own, or those that the server was started with.

use std::{collections::BTreeMap, sync::Arc};

use schemars::JsonSchema;
use serde::Serialize;
use strait::{Collection, Error, Latents, Source, text::Record};

use crate::{app::App, models::Serving, refusal::Refusal, request::check, texts::Texts};

/// Examples by their labels.
pub type Examples = BTreeMap<String, Vec<String>>;

/// The fields of a request that brings texts of its own.
#[derive(Debug, Default)]
pub struct Given {
    pub texts: Option<Vec<String>>,
    /// As many, null for a text without label.
    pub labels: Option<Vec<Option<String>>>,
}

impl Given {
    /// Texts without labels.
    pub fn texts(texts: Option<Vec<String>>) -> Self {
        Given { texts, labels: None }
    }

    /// Whether the request brings texts.
    pub fn is_some(&self) -> bool {
        self.texts.is_some()
    }

    /// The request's texts, encoded, or the server's.
    ///
    /// # Errors
    /// If there are neither, or the server's are not ready, or those of the request are beyond the limits.
    pub async fn collection(self, app: &App, serving: &Serving) -> Result<Arc<Collection>, Refusal> {
        serving.needs_encoder()?;
        let Some(texts) = self.texts else {
            if self.labels.is_some() {
                return Err(Refusal::invalid("/labels", "there are labels without texts; send `texts`, as many"));
            }
            return kept(serving)?.collection();
        };
        check::texts("/texts", &texts, app.limits())?;
        let labels = self.labels.unwrap_or_else(|| vec![None; texts.len()]);
        if labels.len() != texts.len() {
            let why = format!("{} labels for {} texts; send one for each, null for none", labels.len(), texts.len());
            return Err(Refusal::invalid("/labels", why));
        }
        let record = |(text, label)| Record { text, label };
        encoded(serving, texts.into_iter().zip(labels).map(record).collect()).await
    }
}

/// Examples, encoded, each with its label.
///
/// # Errors
/// If there are none, or they are beyond the limits.
pub async fn examples(app: &App, serving: &Serving, examples: Examples) -> Result<Arc<Collection>, Refusal> {
    serving.needs_encoder()?;
    check::list("/examples", examples.values().map(Vec::len).sum(), app.limits())?;
    let mut records = Vec::new();
    for (label, texts) in examples {
        let place = format!("/examples/{}", label.replace('~', "~0").replace('/', "~1"));
        check::length("/examples", &label, app.limits())?;
        check::texts(&place, &texts, app.limits())?;
        records.extend(texts.into_iter().map(|text| Record { text, label: Some(label.clone()) }));
    }
    encoded(serving, records).await
}

async fn encoded(serving: &Serving, records: Vec<Record>) -> Result<Arc<Collection>, Refusal> {
    let texts = records.iter().map(|record| record.text.clone()).collect();
    let latents = serving.desk.encode(texts).await?.into_latents()?;
    let source = Source { name: "the request's texts".into(), hash: String::new() };
    Ok(Arc::new(Collection::new(source, records, latents).map_err(refused("/texts"))?))
}

/// The texts that the server was started with.
///
/// # Errors
/// If it was started without.
pub fn kept(serving: &Serving) -> Result<&Texts, Refusal> {
    serving.texts.as_ref().ok_or_else(|| {
        let why =
            format!("missing, and the server has no texts for `{}`; send some, or start it with --texts", serving.name);
        Refusal::invalid("/texts", why)
    })
}

/// A library's error as the refusal of a field.
pub fn refused(pointer: &str) -> impl Fn(Error) -> Refusal {
    move |e| match e {
        Error::NoLabels { .. } => Refusal::invalid("/labels", "no text has a label; send labels, or examples by label"),
        Error::NoThreshold => {
            let why = "the latents tell no threshold (too few texts, or most are copies); send one";
            Refusal::invalid("/threshold", why)
        }
        e => Refusal::invalid(pointer, e.to_string()),
    }
}

/// A text that was found.
#[derive(Serialize, JsonSchema)]
pub struct Hit {
    /// Its place among the texts, from 0.
    pub row: usize,
    pub text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Distance of the latents.
    pub distance: f32,
    /// Cosine of the angle between the latents, 1 for the same direction.
    pub cosine: f64,
}

impl Hit {
    /// The `k` texts nearest to each latent, nearest first.
    ///
    /// # Errors
    /// If the latents are of another model.
    pub fn nearest(collection: &Collection, latents: &Latents, k: usize) -> Result<Vec<Vec<Self>>, Error> {
        let one = |hit: strait::Hit<'_>| Hit {
            row: hit.row,
            text: hit.text.to_owned(),
            label: hit.label.map(str::to_owned),
            distance: hit.distance,
            cosine: hit.cosine,
        };
        let lists = collection.nearest(latents, k)?;
        Ok(lists.into_iter().map(|list| list.into_iter().map(one).collect()).collect())
    }
}

/// A text of a collection.
#[derive(Serialize, JsonSchema)]
pub struct Row {
    /// Its place among the texts, from 0.
    pub row: usize,
    pub text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
}

impl Row {
    pub fn new(collection: &Collection, row: usize) -> Self {
        let record = &collection.records()[row];
        Row { row, text: record.text.clone(), label: record.label.clone() }
    }
}
