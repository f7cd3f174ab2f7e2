//! Texts in the plane, and new texts for the empty places between them.

use std::collections::HashSet;

use serde::Serialize;
use strait_latent::{
    Matrix, Principal,
    project::{MapOptions, Place, Sparse, latent_at, map_heard, place, sparse_places, trustworthiness},
    search::{Exact, Metric},
};

use super::Collection;
use crate::{Decoding, Error, Latents, Model};

/// Neighbours whose being kept the trustworthiness tells.
const NEIGHBOURS: usize = 12;
/// Mapped texts from which the latent of an empty place is made.
const AROUND: usize = 10;

/// How latents become places in the plane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Projection {
    /// t-SNE: neighbours stay neighbours; distances between groups mean little.
    #[default]
    Neighbours,
    /// The two widest principal axes: distances are shadows of true ones.
    Principal,
}

/// The places of all texts of a collection.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Layout {
    /// x and y of each text.
    pub places: Vec<Place>,
    /// How far neighbours on the map are neighbours in truth (Venna & Kaski 2001), 1 at best; none for fewer than 40
    /// texts.
    pub trustworthiness: Option<f64>,
}

/// A new text for an empty place.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Filling {
    pub text: String,
    /// Where on the map, and how far it is to the nearest text there.
    pub place: Place,
    pub radius: f32,
}

impl Collection {
    /// Lays the texts out in the plane.
    ///
    /// # Errors
    /// With fewer than four texts, or latents that are all alike.
    pub fn layout(&self, how: Projection, seed: u64) -> Result<Layout, Error> {
        self.layout_heard(how, seed, &mut |_, _| {})
    }

    /// The same, which takes minutes for many texts; `hear` is told how many rounds are done, of how many.
    ///
    /// # Errors
    /// Those of [`Collection::layout`].
    pub fn layout_heard(
        &self,
        how: Projection,
        seed: u64,
        hear: &mut dyn FnMut(usize, usize),
    ) -> Result<Layout, Error> {
        let rows = self.matrix()?;
        let places = match how {
            Projection::Neighbours => map_heard(rows, &MapOptions { seed, ..MapOptions::default() }, hear)?.places,
            Projection::Principal => {
                let plane = Principal::fit(rows, 2)?.project(rows)?;
                plane.view().iter().map(|row| [row[0], row.get(1).copied().unwrap_or(0.0)]).collect()
            }
        };
        let enough = self.len() >= 40;
        let trust = || trustworthiness(rows, &places, NEIGHBOURS, Metric::Euclidean, seed);
        let trustworthiness = if enough { Some(trust()?) } else { None };
        Ok(Layout { trustworthiness, places })
    }

    /// Where latents of other texts lie on a layout: among the places of their nearest texts.
    ///
    /// # Errors
    /// If the layout is of another collection, or the latents are of another model or not finite.
    pub fn place(&self, layout: &Layout, latents: &Latents) -> Result<Vec<Place>, Error> {
        let queries = Matrix::new(latents.data(), latents.dim())?;
        let lists = Exact::new(self.matrix()?, Metric::Euclidean).nearest_all(queries, AROUND.min(self.len()))?;
        Ok(place(&layout.places, &lists)?)
    }

    /// The latents that would lie at spots of a layout, a row each.
    ///
    /// # Errors
    /// If the layout is of another collection, or a spot is not finite.
    pub fn latents_at(&self, layout: &Layout, spots: &[Place]) -> Result<Latents, Error> {
        let mut latents = Vec::with_capacity(spots.len() * self.latents.dim());
        for &spot in spots {
            latents.extend(latent_at(self.matrix()?, &layout.places, spot, AROUND.min(self.len()))?);
        }
        Ok(Latents::new(latents, self.latents.dim()))
    }

    /// At most `n` new texts for the emptiest places of a layout; fewer, where it has not so many, or where a text of the
    /// collection, or one that was just made, came out again.
    ///
    /// # Errors
    /// If the layout is of another collection, or the controls of decoding contradict each other.
    pub fn fill(&self, model: &Model, layout: &Layout, n: usize, decoding: &Decoding) -> Result<Vec<Filling>, Error> {
        let (spots, latents) = self.empty_places(layout, n)?;
        if spots.is_empty() {
            return Ok(Vec::new());
        }
        Ok(self.fillings(&spots, model.decode(&latents, decoding)?, n))
    }

    /// The emptiest places of a layout, the emptiest first, and the latents that would lie there: more than `n`, as not
    /// each gives a new text.
    ///
    /// # Errors
    /// If the layout is of another collection.
    pub fn empty_places(&self, layout: &Layout, n: usize) -> Result<(Vec<Sparse>, Latents), Error> {
        let spots = sparse_places(&layout.places, n.saturating_mul(4))?;
        let centres: Vec<Place> = spots.iter().map(|spot| spot.centre).collect();
        let latents = self.latents_at(layout, &centres)?;
        Ok((spots, latents))
    }

    /// Of the texts that were decoded for empty places, the first `n` that are new.
    pub fn fillings(&self, spots: &[Sparse], texts: Vec<String>, n: usize) -> Vec<Filling> {
        let mut known: HashSet<&str> = self.records.iter().map(|r| r.text.as_str()).collect();
        let fresh: Vec<bool> =
            texts.iter().map(|text| !text.trim().is_empty() && known.insert(text.as_str())).collect();
        let new = texts.into_iter().zip(spots).zip(fresh).filter(|(_, fresh)| *fresh).take(n);
        new.map(|((text, spot), _)| Filling { text, place: spot.centre, radius: spot.radius }).collect()
    }
}
