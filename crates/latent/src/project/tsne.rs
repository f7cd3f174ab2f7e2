//! t-SNE: a map whose neighbourhoods are those of the latents (van der Maaten & Hinton 2008).
//!
//! With `q_ij = w_ij / sum w`, `w_ij = 1 / (1 + |y_i - y_j|^2)`, it minimises `KL(P || Q)` in nats; the gradient is
//! `4 sum_j (p_ij - q_ij) w_ij (y_i - y_j)`, of which the first part runs over the neighbours and the second over a
//! quadtree. The steps are those of scikit-learn: momentum, a gain for each coordinate, early exaggeration of P, a
//! step size of n / 48 (Belkina et al. 2019) but at least 50.
//!
//! It is our own since no crate gives the same map for any number of threads: `bhtsne` sums in parallel in whatever
//! order, `umap-rs` lets threads overwrite each other's steps by design.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::Place;
use super::affinity::Affinities;
use super::quadtree::Quadtree;
use crate::error::LatentError;
use crate::search::{Metric, Neighbour};

/// Standard deviation of the first spots along the wider axis.
const START: f32 = 1e-4;

/// Settings of a map.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MapOptions {
    /// The distance of latents.
    pub metric: Metric,
    /// About how many neighbours count; held at a third of the rows.
    pub perplexity: f64,
    /// Rounds of gradient descent.
    pub rounds: usize,
    /// The first so many of them exaggerate the neighbours' pull, so that clusters form.
    pub early_rounds: usize,
    /// How much.
    pub exaggeration: f32,
    /// Squares are taken as one spot where their side is below this share of their distance, 0..0.7; 0 is exact.
    pub theta: f32,
    /// Draws the small differences at the start.
    pub seed: u64,
}

impl Default for MapOptions {
    fn default() -> Self {
        Self {
            metric: Metric::Euclidean,
            perplexity: 30.0,
            rounds: 750,
            early_rounds: 250,
            exaggeration: 12.0,
            theta: 0.5,
            seed: 1,
        }
    }
}

impl MapOptions {
    /// The perplexity for n rows.
    fn perplexity(&self, n: usize) -> f64 {
        self.perplexity.min((n - 1) as f64 / 3.0)
    }

    /// Neighbours that [`tsne`] wants for each of n rows: three for each that counts.
    pub fn neighbours(&self, n: usize) -> usize {
        ((3.0 * self.perplexity(n)) as usize).clamp(1, n - 1)
    }

    fn check(&self) -> Result<(), LatentError> {
        let settings = [
            ("the perplexity", self.perplexity, 1.0, 1e6, "1 or more"),
            ("the exaggeration", f64::from(self.exaggeration), 1.0, 1e6, "1 or more"),
            ("theta", f64::from(self.theta), 0.0, 0.7, "between 0 and 0.7"),
        ];
        match settings.into_iter().find(|(_, value, low, high, _)| !(*low..=*high).contains(value)) {
            Some((what, value, .., expected)) => Err(LatentError::Setting { what, value, expected: expected.into() }),
            None => Ok(()),
        }
    }
}

/// A map of n rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Map {
    /// The spot of each row; their mean is 0.
    pub places: Vec<Place>,
    /// `KL(P || Q)` in nats, what was minimised.
    pub divergence: f64,
}

/// Draws a map from the neighbours of each row (n lists, [`MapOptions::neighbours`] each, the row itself left out) and
/// a first spot for each; `hear` is told how many rounds are done, of how many.
///
/// # Errors
/// When there are fewer than 4 rows, not a spot for each, a neighbour is not a row, or a setting makes no sense.
pub fn tsne(
    lists: &[Vec<Neighbour>],
    start: &[Place],
    options: &MapOptions,
    hear: &mut dyn FnMut(usize, usize),
) -> Result<Map, LatentError> {
    options.check()?;
    let n = lists.len();
    if n < 4 {
        let expected = "4 or more".to_string();
        return Err(LatentError::Setting { what: "the number of rows of a map", value: n as f64, expected });
    }
    if start.len() != n {
        return Err(LatentError::Length { what: "first spots", expected: n, found: start.len() });
    }
    if let Some(wrong) = lists.iter().flatten().find(|neighbour| neighbour.row >= n) {
        let expected = format!("below {n}, the rows there are");
        return Err(LatentError::Setting { what: "a neighbour's row", value: wrong.row as f64, expected });
    }
    let p = Affinities::new(lists, options.metric, options.perplexity(n));
    let mut descent = Descent::new(start, n);
    for round in 0..options.rounds {
        hear(round, options.rounds);
        let early = round < options.early_rounds;
        let (exaggeration, momentum) = if early { (options.exaggeration, 0.5) } else { (1.0, 0.8) };
        let (repulsion, total) = Quadtree::new(&descent.places).repulsion(options.theta);
        descent.step(&p, &repulsion, total, exaggeration, momentum);
    }
    hear(options.rounds, options.rounds);
    let (_, total) = Quadtree::new(&descent.places).repulsion(options.theta);
    let divergence = divergence(&p, &descent.places, total);
    Ok(Map { places: descent.places, divergence })
}

/// Gradient descent with momentum and gains (Jacobs 1988).
struct Descent {
    places: Vec<Place>,
    moves: Vec<Place>,
    gains: Vec<Place>,
    rate: f32,
}

impl Descent {
    fn new(start: &[Place], n: usize) -> Self {
        let mut places = start.iter().map(|p| p.map(|v| START * v)).collect::<Vec<_>>();
        centre(&mut places);
        Self { places, moves: vec![[0.0; 2]; n], gains: vec![[1.0; 2]; n], rate: (n as f32 / 48.0).max(50.0) }
    }

    fn step(&mut self, p: &Affinities, repulsion: &[Place], total: f64, exaggeration: f32, momentum: f32) {
        let (places, rate, total) = (&self.places, self.rate, total as f32);
        let rows = self.moves.par_iter_mut().zip(self.gains.par_iter_mut()).enumerate().with_min_len(256);
        rows.for_each(|(i, (moved, gains))| {
            let pull = attraction(p, places, i);
            for axis in 0..2 {
                let gradient = 4.0 * (exaggeration * pull[axis] - repulsion[i][axis] / total);
                let turned = (gradient > 0.0) != (moved[axis] > 0.0);
                gains[axis] = if turned { gains[axis] + 0.2 } else { (0.8 * gains[axis]).max(0.01) };
                moved[axis] = momentum * moved[axis] - rate * gains[axis] * gradient;
            }
        });
        for (place, moved) in self.places.iter_mut().zip(&self.moves) {
            *place = [place[0] + moved[0], place[1] + moved[1]];
        }
        centre(&mut self.places);
    }
}

/// `sum_j p_ij w_ij (y_i - y_j)`.
fn attraction(p: &Affinities, places: &[Place], i: usize) -> Place {
    let (at, mut pull) = (places[i], [0.0f32; 2]);
    for &(j, p) in p.row(i) {
        let other = places[j as usize];
        let (dx, dy) = (at[0] - other[0], at[1] - other[1]);
        let strength = p / (1.0 + dx * dx + dy * dy);
        pull = [pull[0] + strength * dx, pull[1] + strength * dy];
    }
    pull
}

/// Moves all spots so that their mean is 0.
fn centre(places: &mut [Place]) {
    for axis in 0..2 {
        let mean = (places.iter().map(|p| f64::from(p[axis])).sum::<f64>() / places.len() as f64) as f32;
        places.iter_mut().for_each(|p| p[axis] -= mean);
    }
}

/// `sum p ln(p / q)`.
fn divergence(p: &Affinities, places: &[Place], total: f64) -> f64 {
    let of_row = |i: usize| -> f64 {
        let term = |&(j, p): &(u32, f32)| {
            let (a, b) = (places[i], places[j as usize]);
            let w = 1.0 / (1.0 + f64::from((a[0] - b[0]).powi(2) + (a[1] - b[1]).powi(2)));
            if p > 0.0 { f64::from(p) * (f64::from(p) * total / w).ln() } else { 0.0 }
        };
        p.row(i).iter().map(term).sum()
    };
    (0..places.len()).into_par_iter().map(of_row).collect::<Vec<f64>>().iter().sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::{map, map_heard, trustworthiness};
    use crate::testing::{blobs, in_threads, normal};
    use crate::{Matrix, MatrixBuf};

    fn quick() -> MapOptions {
        MapOptions { perplexity: 15.0, rounds: 300, early_rounds: 100, ..MapOptions::default() }
    }

    #[test]
    fn blobs_stay_apart_and_neighbours_near() {
        let (rows, labels) = blobs(300, 8, 5, 1);
        let map = map(rows.view(), &quick()).unwrap();
        let flat = MatrixBuf::from_rows(&map.places).unwrap();
        assert!(crate::cluster::silhouette(flat.view(), &labels, 0).unwrap() > 0.6);
        let trust = trustworthiness(rows.view(), &map.places, 10, Metric::Euclidean, 0).unwrap();
        assert!(trust > 0.9, "{trust}");
        assert!(map.divergence > 0.0 && map.divergence < 1.2, "{}", map.divergence);
    }

    #[test]
    fn the_gradient_is_that_of_the_divergence() {
        let rows = normal(40, 5, 2);
        let lists = crate::search::Exact::new(rows.view(), Metric::Euclidean).neighbours(30).unwrap();
        let p = Affinities::new(&lists, Metric::Euclidean, 8.0);
        let places: Vec<Place> = normal(40, 2, 3).data().as_chunks::<2>().0.to_vec();
        let value = |places: &[Place]| divergence(&p, places, Quadtree::new(places).repulsion(0.0).1);
        let (repulsion, total) = Quadtree::new(&places).repulsion(0.0);
        for i in 0..8 {
            for axis in 0..2 {
                let h = 0.01;
                let moved = |by: f32| {
                    let mut places = places.clone();
                    places[i][axis] += by;
                    value(&places)
                };
                let slope = (moved(h) - moved(-h)) / f64::from(2.0 * h);
                let gradient = 4.0 * (attraction(&p, &places, i)[axis] - repulsion[i][axis] / total as f32);
                assert!((slope - f64::from(gradient)).abs() < 2e-4, "{slope} {gradient}");
            }
        }
    }

    #[test]
    fn the_number_of_threads_changes_nothing() {
        let rows = normal(1500, 6, 4);
        let options = MapOptions { rounds: 30, early_rounds: 20, ..quick() };
        let draw = || map(rows.view(), &options).unwrap();
        assert_eq!(in_threads(1, draw), in_threads(3, draw));
    }

    #[test]
    fn every_round_is_told() {
        let (rows, mut told) = (normal(20, 3, 6), Vec::new());
        let options = MapOptions { rounds: 3, early_rounds: 1, ..quick() };
        map_heard(rows.view(), &options, &mut |done, of| told.push((done, of))).unwrap();
        assert_eq!(told, [(0, 3), (1, 3), (2, 3), (3, 3)]);
    }

    #[test]
    fn rows_on_a_line_and_copies_can_be_drawn() {
        let line: Vec<f32> = (0..60).map(|i| (i / 2) as f32).collect();
        let drawn = map(Matrix::new(&line, 1).unwrap(), &quick()).unwrap();
        assert!(drawn.places.iter().flatten().all(|v| v.is_finite()));
        assert!(trustworthiness(Matrix::new(&line, 1).unwrap(), &drawn.places, 4, Metric::Euclidean, 0).unwrap() > 0.9);
        let copies = map(Matrix::new(&[1.0; 20], 2).unwrap(), &quick()).unwrap();
        assert!(copies.places.iter().flatten().all(|v| v.is_finite()));
    }

    #[test]
    fn bad_input_is_named() {
        let rows = normal(10, 2, 5);
        let with = |options| map(rows.view(), &options);
        assert!(matches!(with(MapOptions { perplexity: f64::NAN, ..quick() }), Err(LatentError::Setting { .. })));
        assert!(matches!(with(MapOptions { theta: 0.9, ..quick() }), Err(LatentError::Setting { what: "theta", .. })));
        assert!(matches!(map(Matrix::new(&[1.0; 3], 1).unwrap(), &quick()), Err(LatentError::Setting { .. })));
        let list = vec![vec![Neighbour { row: 9, distance: 1.0 }]; 5];
        assert!(matches!(tsne(&list, &[[0.0; 2]; 5], &quick(), &mut |_, _| {}), Err(LatentError::Setting { .. })));
        assert!(matches!(tsne(&list, &[[0.0; 2]; 4], &quick(), &mut |_, _| {}), Err(LatentError::Length { .. })));
    }
}
