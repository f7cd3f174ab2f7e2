//! `POST /v1/map`, `POST /v1/map/place` and `POST /v1/map/at`: texts in the plane, new texts on it, and what would lie
//! at a place of it.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    response::Response,
    routing::post,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strait::{Collection, Grouping, Latents, latent::matrix::squared_distance};

use super::{
    Answer, Body, Route,
    answer::{self, ok, one},
    corpus::{Given, Hit, kept, refused},
    shape,
};
use crate::{
    app::App,
    refusal::Refusal,
    request::{Plain, WithDecoding, check},
    texts::{Drawn, WORDS},
};

/// Texts told of around a place.
const NEAREST: usize = 5;
/// Labels at most; more are hardly labels.
const MOST_LABELS: usize = 1000;

pub fn routes() -> Vec<Route> {
    vec![
        Route {
            path: "/v1/map",
            method: "post",
            summary: "Texts in the plane, near ones near each other, with their groups",
            body: Some(Body {
                schema: shape::<MapRequest>,
                example: r#"{"projection": "principal", "k": 2, "texts": ["one", "two", "three", "four", "five"]}"#,
            }),
            answer: Answer::Json(shape::<Map>),
            handler: || post(map),
        },
        Route {
            path: "/v1/map/place",
            method: "post",
            summary: "Where texts lie on the map of the server's texts",
            body: Some(Body { schema: shape::<PlaceRequest>, example: r#"{"texts": ["one text"]}"# }),
            answer: Answer::Json(shape::<Places>),
            handler: || post(place),
        },
        Route {
            path: "/v1/map/at",
            method: "post",
            summary: "The texts that would lie at places of the map of the server's texts",
            body: Some(Body { schema: shape::<WithDecoding<AtRequest>>, example: r#"{"places": [[0.5, -1.5]]}"# }),
            answer: Answer::Json(shape::<Lying>),
            handler: || post(at),
        },
    ]
}

/// How a map is drawn.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct MapRequest {
    /// The model; the first one served if not given.
    #[serde(default)]
    model: Option<String>,
    /// How latents become places.
    #[serde(default)]
    projection: Projection,
    /// Groups to tell apart; if not given, the number of the highest silhouette.
    #[serde(default)]
    #[schemars(range(min = 1))]
    k: Option<usize>,
    /// Another seed, another map.
    #[serde(default = "one")]
    seed: u64,
    /// The texts; the server's if not given, whose map is drawn once and kept if nothing else is asked.
    #[serde(default)]
    texts: Option<Vec<String>>,
    /// Labels of these texts.
    #[serde(default)]
    labels: Option<Vec<Option<String>>>,
}

/// How latents become places in the plane.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Projection {
    /// Neighbours stay neighbours; distances between groups mean little (t-SNE).
    #[default]
    Neighbours,
    /// Along the two widest principal axes.
    Principal,
}

impl From<Projection> for strait::Projection {
    fn from(projection: Projection) -> Self {
        match projection {
            Projection::Neighbours => strait::Projection::Neighbours,
            Projection::Principal => strait::Projection::Principal,
        }
    }
}

/// A map, in columns: an entry for each text.
#[derive(Serialize, JsonSchema)]
struct Map<'a> {
    model: &'a str,
    version: &'a str,
    x: Vec<f32>,
    y: Vec<f32>,
    texts: Vec<&'a str>,
    /// The texts' labels, if they have some.
    labels: Option<Colours<'a>>,
    clusters: Colours<'a>,
    /// How many texts each group has.
    sizes: Vec<usize>,
    /// How far neighbours on the map are neighbours in truth, 1 at best; null for fewer than 40 texts.
    trustworthiness: Option<f64>,
}

/// What places can be coloured by.
#[derive(Serialize, JsonSchema)]
struct Colours<'a> {
    /// Of the groups; of those that were found, words that tell them.
    names: Vec<std::borrow::Cow<'a, str>>,
    /// The group of each text, by its place in `names`, null for a text in none.
    of: Vec<Option<u32>>,
}

async fn map(State(app): State<Arc<App>>, request: Request) -> Result<Response, Refusal> {
    let Plain::<MapRequest>(asked) = app.read(request).await?;
    let serving = app.shelf.find(asked.model.as_deref())?;
    asked.k.map_or(Ok(()), |k| check::count("/k", k, app.limits().n))?;
    let given = Given { texts: asked.texts, labels: asked.labels };
    let usual = asked.projection == Projection::Neighbours && asked.k.is_none() && asked.seed == 1;
    let drawn = if usual && !given.is_some() { Some(kept(&serving)?.map()?) } else { None };
    let collection = given.collection(&app, &serving).await?;
    // What is kept only has to be written out.
    let lane = if drawn.is_some() { &app.lanes.quick } else { &app.lanes.long };
    let work = move || {
        let drawn = match drawn {
            Some(drawn) => drawn,
            None => {
                let layout = collection.layout(asked.projection.into(), asked.seed).map_err(refused("/texts"))?;
                let how = Grouping::KMeans { clusters: asked.k, seed: asked.seed };
                let pointer = if asked.k.is_some() { "/k" } else { "/texts" };
                let groups = collection.clusters(how, WORDS, 1).map_err(refused(pointer))?;
                Arc::new(Drawn { layout, groups })
            }
        };
        Ok(ok(&columns((&serving.name, &serving.version), &collection, &drawn)))
    };
    lane.run(work).await
}

fn columns<'a>((model, version): (&'a str, &'a str), collection: &'a Collection, drawn: &'a Drawn) -> Map<'a> {
    let places = &drawn.layout.places;
    let labels = collection.labelled().ok().filter(|(_, labels)| labels.classes() <= MOST_LABELS);
    let labels = labels.map(|(rows, labels)| {
        let mut of = vec![None; collection.len()];
        rows.iter().zip(labels.codes()).for_each(|(&row, &code)| of[row] = Some(code as u32));
        Colours { names: labels.names().iter().map(|name| name.clone().into()).collect(), of }
    });
    let groups = &drawn.groups;
    Map {
        model,
        version,
        x: places.iter().map(|p| p[0]).collect(),
        y: places.iter().map(|p| p[1]).collect(),
        texts: collection.records().iter().map(|r| r.text.as_str()).collect(),
        labels,
        clusters: Colours {
            names: groups.clusters.iter().map(|c| c.words.join(", ").into()).collect(),
            of: groups.labels.clone(),
        },
        sizes: groups.clusters.iter().map(|c| c.size).collect(),
        trustworthiness: drawn.layout.trustworthiness,
    }
}

/// Texts to be put on the map.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct PlaceRequest {
    /// The model; the first one served if not given.
    #[serde(default)]
    model: Option<String>,
    /// The texts.
    texts: Vec<String>,
}

/// Where texts lie.
#[derive(Serialize, JsonSchema)]
struct Places {
    model: String,
    version: String,
    /// x and y of each text.
    places: Vec<[f32; 2]>,
    /// Their latents.
    latents: Vec<Vec<f32>>,
    /// The five nearest of the server's texts to each.
    nearest: Vec<Vec<Hit>>,
}

async fn place(State(app): State<Arc<App>>, request: Request) -> Result<Response, Refusal> {
    let Plain::<PlaceRequest>(asked) = app.read(request).await?;
    let serving = app.shelf.find(asked.model.as_deref())?;
    serving.needs_encoder()?;
    check::texts("/texts", &asked.texts, app.limits())?;
    let texts = kept(&serving)?;
    let (collection, drawn) = (texts.collection()?, texts.map()?);
    let latents = serving.desk.encode(asked.texts).await?.into_latents()?;
    let work = move || {
        let places = collection.place(&drawn.layout, &latents).map_err(refused(""))?;
        let nearest = Hit::nearest(&collection, &latents, NEAREST).map_err(refused(""))?;
        Ok((places, nearest, latents))
    };
    let (places, nearest, latents) = app.lanes.quick.run(work).await?;
    Ok(ok(&Places {
        model: serving.name.clone(),
        version: serving.version.clone(),
        places,
        latents: latents.rows().map(<[f32]>::to_vec).collect(),
        nearest,
    }))
}

/// Places of the map.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct AtRequest {
    /// The model; the first one served if not given.
    #[serde(default)]
    model: Option<String>,
    /// x and y of each place.
    places: Vec<[f32; 2]>,
    /// Seed of the draws, with a temperature.
    #[serde(default = "one")]
    seed: u64,
}

/// What would lie at places.
#[derive(Serialize, JsonSchema)]
struct Lying {
    #[serde(flatten)]
    texts: answer::Texts,
    /// The latents that were decoded.
    latents: Vec<Vec<f32>>,
    /// The five of the server's texts that are nearest to each place on the map.
    nearest: Vec<Vec<Neighbour>>,
}

/// A text of the map.
#[derive(Serialize, JsonSchema)]
struct Neighbour {
    /// Its place among the texts, from 0.
    row: usize,
    text: String,
    x: f32,
    y: f32,
}

async fn at(State(app): State<Arc<App>>, request: Request) -> Result<Response, Refusal> {
    let WithDecoding::<AtRequest> { own: asked, decoding } = app.read(request).await?;
    let serving = app.shelf.find(asked.model.as_deref())?;
    serving.needs_latents()?;
    check::count("/places", asked.places.len(), app.limits().steps)?;
    if let Some(i) = asked.places.iter().position(|place| place.iter().any(|v| !v.is_finite())) {
        return Err(Refusal::invalid(format!("/places/{i}"), "too large for a 32-bit number"));
    }
    let decoding = decoding.resolve(&serving.model, &serving.model.config().decoding, app.limits())?;
    let texts = kept(&serving)?;
    let (collection, drawn) = (texts.collection()?, texts.map()?);
    let work = move || {
        let latents = collection.latents_at(&drawn.layout, &asked.places).map_err(refused("/places"))?;
        let nearest: Vec<_> = asked.places.iter().map(|place| around(&collection, &drawn, place)).collect();
        Ok((latents, nearest))
    };
    let (latents, nearest): (Latents, _) = app.lanes.quick.run(work).await?;
    let written = answer::written(&serving, latents.clone(), (decoding, asked.seed)).await?;
    Ok(ok(&Lying {
        texts: answer::Texts::new(&serving, written),
        latents: latents.rows().map(<[f32]>::to_vec).collect(),
        nearest,
    }))
}

/// The texts nearest to a place on the map.
fn around(collection: &Collection, drawn: &Drawn, place: &[f32; 2]) -> Vec<Neighbour> {
    let places = &drawn.layout.places;
    let mut order: Vec<(f32, usize)> = places.iter().map(|p| squared_distance(p, place)).zip(0..).collect();
    let by = |a: &(f32, usize), b: &(f32, usize)| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1));
    if order.len() > NEAREST {
        order.select_nth_unstable_by(NEAREST, by);
        order.truncate(NEAREST);
    }
    order.sort_unstable_by(by);
    let near = |&(_, row): &(f32, usize)| Neighbour {
        row,
        text: collection.records()[row].text.clone(),
        x: places[row][0],
        y: places[row][1],
    };
    order.iter().map(near).collect()
}
