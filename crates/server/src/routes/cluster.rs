//! `POST /v1/cluster`: texts in groups.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    response::Response,
    routing::post,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strait::Grouping;

use super::{
    Answer, Body, Route,
    answer::{ok, one},
    corpus::{Given, Row, refused},
    shape,
};
use crate::{
    app::App,
    refusal::Refusal,
    request::{Plain, check},
};

pub fn routes() -> Vec<Route> {
    vec![Route {
        path: "/v1/cluster",
        method: "post",
        summary: "Texts in groups, each told by its words and the texts in its middle",
        body: Some(Body {
            schema: shape::<ClusterRequest>,
            example: r#"{"k": 2, "texts": ["one text", "two texts", "something else", "nothing else"]}"#,
        }),
        answer: Answer::Json(shape::<Clusters>),
        handler: || post(cluster),
    }]
}

/// How texts are grouped.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ClusterRequest {
    /// The model; the first one served if not given.
    #[serde(default)]
    model: Option<String>,
    /// So many groups; if not given, the number of the highest silhouette.
    #[serde(default)]
    #[schemars(range(min = 1))]
    k: Option<usize>,
    /// Instead: dense groups of at least so many texts, and texts in none (HDBSCAN; its time grows with the square of
    /// the texts).
    #[serde(default)]
    #[schemars(range(min = 1))]
    density: Option<usize>,
    /// Words that tell each group.
    #[serde(default = "eight")]
    words: usize,
    /// Texts shown of each group.
    #[serde(default = "three")]
    examples: usize,
    /// Another seed, other first centres.
    #[serde(default = "one")]
    seed: u64,
    /// The texts; the server's if not given.
    #[serde(default)]
    texts: Option<Vec<String>>,
    /// Labels of these texts.
    #[serde(default)]
    labels: Option<Vec<Option<String>>>,
}

fn eight() -> usize {
    8
}

fn three() -> usize {
    3
}

/// The groups.
#[derive(Serialize, JsonSchema)]
struct Clusters {
    model: String,
    version: String,
    /// The largest first.
    clusters: Vec<Group>,
    /// The group of each text, null for a text in none.
    assigned: Vec<Option<u32>>,
    /// Of the groups as they are, -1 to 1; below about 0.25 there is hardly a structure. Null for fewer than two.
    silhouette: Option<f64>,
    /// The numbers of groups that were tried.
    tried: Vec<Tried>,
}

/// A group.
#[derive(Serialize, JsonSchema)]
struct Group {
    size: usize,
    /// Words that tell it from the rest, the most telling first.
    words: Vec<String>,
    /// The text in its middle, then those nearest to it.
    examples: Vec<Row>,
}

/// A number of groups.
#[derive(Serialize, JsonSchema)]
struct Tried {
    k: usize,
    silhouette: f64,
}

async fn cluster(State(app): State<Arc<App>>, request: Request) -> Result<Response, Refusal> {
    let Plain::<ClusterRequest>(asked) = app.read(request).await?;
    let serving = app.shelf.find(asked.model.as_deref())?;
    let (how, pointer) = match (asked.k, asked.density) {
        (Some(_), Some(_)) => return Err(Refusal::invalid("/density", "there is a k too; send one of the two")),
        (_, Some(smallest)) => (Grouping::Density { smallest }, "/density"),
        (k, None) => (Grouping::KMeans { clusters: k, seed: asked.seed }, if k.is_some() { "/k" } else { "/texts" }),
    };
    for (pointer, n) in [("/k", asked.k), ("/density", asked.density)] {
        n.map_or(Ok(()), |n| check::count(pointer, n, app.limits().n))?;
    }
    check::at_most("/words", asked.words, app.limits().n)?;
    check::at_most("/examples", asked.examples, app.limits().n)?;
    let collection = Given { texts: asked.texts, labels: asked.labels }.collection(&app, &serving).await?;
    let (model, version) = (serving.name.clone(), serving.version.clone());
    let work = move || {
        let found = collection.clusters(how, asked.words, asked.examples).map_err(refused(pointer))?;
        let group = |cluster: strait::Cluster| Group {
            size: cluster.size,
            words: cluster.words,
            examples: cluster.medoids.iter().map(|&row| Row::new(&collection, row)).collect(),
        };
        Ok(ok(&Clusters {
            model,
            version,
            clusters: found.clusters.into_iter().map(group).collect(),
            assigned: found.labels,
            silhouette: found.silhouette,
            tried: found.tried.iter().map(|t| Tried { k: t.k, silhouette: t.silhouette }).collect(),
        }))
    };
    app.lanes.long.run(work).await
}
