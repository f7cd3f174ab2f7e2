//! A way between two latents that keeps to where the corpus is.
//!
//! Among all ways from a to b over rows of the corpus, the one of least `sum |step|^p` is taken, with p = 2. Powers above
//! 1 make one long step dearer than several short ones, so the way bends through dense places; as the corpus grows it
//! nears the shortest way in a metric stretched by the density to a negative power (the Fermat distance: Hwang, Damelin
//! and Hero 2016; Groisman, Jonckheere and Sapienza 2022). A graph of nearest neighbours is enough for it, as the steps of
//! least cost are short. p = 1 would be the geodesic of Isomap (Tenenbaum et al. 2000), which cuts through gaps as long as
//! they are shorter. Parts of the graph that do not hang together are joined by their shortest link.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::DirectionError;
use super::path::{along, distance, ends};
use crate::error::LatentError;
use crate::matrix::{Matrix, MatrixBuf, squared_distance};
use crate::search::{Exact, Metric};

/// How the ways go.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ManifoldOptions {
    /// Nearest rows that a row is linked with.
    pub neighbours: usize,
    /// p, at least 1: the higher, the denser the places that are sought.
    pub power: f64,
}

impl Default for ManifoldOptions {
    fn default() -> Self {
        Self { neighbours: 15, power: 2.0 }
    }
}

/// The rows (n, d) of a corpus, linked with their neighbours.
#[derive(Debug, Clone)]
pub struct Manifold<'a> {
    corpus: Matrix<'a>,
    search: Exact<'a>,
    /// For each row the rows it is linked with, and what a step there costs.
    links: Vec<Vec<(usize, f64)>>,
    options: ManifoldOptions,
}

/// A way between two latents.
#[derive(Debug, Clone, PartialEq)]
pub struct Way {
    /// Points evenly along it, (steps, d).
    pub points: MatrixBuf,
    /// Rows of the corpus it goes through, in order.
    pub through: Vec<usize>,
    /// Its length.
    pub length: f64,
    /// Length of the straight line.
    pub straight: f64,
}

impl<'a> Manifold<'a> {
    /// Links each row with its nearest ones. Takes a time of n^2 d; a few thousand rows tell the shape of a corpus.
    ///
    /// # Errors
    /// Unless there are more rows than `neighbours`, which is at least 1, and the power is at least 1.
    pub fn new(corpus: Matrix<'a>, options: ManifoldOptions) -> Result<Self, DirectionError> {
        let ManifoldOptions { neighbours, power } = options;
        if !(1.0..=16.0).contains(&power) {
            let expected = "from 1 to 16".to_owned();
            return Err(LatentError::Setting { what: "the power of a step", value: power, expected }.into());
        }
        let search = Exact::new(corpus, Metric::Euclidean);
        let mut links = vec![Vec::new(); corpus.rows()];
        for (row, near) in search.neighbours(neighbours)?.iter().enumerate() {
            for other in near {
                let cost = f64::from(other.distance).powf(power);
                links[row].push((other.row, cost));
                links[other.row].push((row, cost));
            }
        }
        join(corpus, &mut links, power);
        for list in &mut links {
            list.sort_unstable_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
            list.dedup_by_key(|link| link.0);
        }
        Ok(Self { corpus, search, links, options })
    }

    /// The way from `a` (d) to `b` (d), which need not be rows of the corpus, as `steps` points with both ends among
    /// them. The straight line is taken where that is cheapest.
    ///
    /// # Errors
    /// With fewer than two steps, or ends that are not finite or of another dimension.
    pub fn way(&self, a: &[f32], b: &[f32], steps: usize) -> Result<Way, DirectionError> {
        let both = ends(a, b)?;
        both.view().expect_dim(self.corpus.dim())?;
        let through = self.cheapest(a, b)?;
        let rows: Vec<&[f32]> =
            std::iter::once(a).chain(through.iter().map(|&i| self.corpus.row(i))).chain(std::iter::once(b)).collect();
        let length = rows.windows(2).map(|pair| distance(pair[0], pair[1])).sum();
        let points = along(&MatrixBuf::from_rows(&rows)?, steps)?;
        Ok(Way { points, through, length, straight: distance(a, b) })
    }

    /// The rows on the cheapest way (Dijkstra 1959).
    fn cheapest(&self, a: &[f32], b: &[f32]) -> Result<Vec<usize>, LatentError> {
        let n = self.corpus.rows();
        let (start, end) = (n, n + 1);
        let cost = |distance: f64| distance.powf(self.options.power);
        let near = |z: &[f32]| -> Result<Vec<(usize, f64)>, LatentError> {
            let found = self.search.nearest(z, self.options.neighbours)?;
            Ok(found.iter().map(|f| (f.row, cost(f.distance.into()))).collect())
        };
        let mut first = near(a)?;
        first.push((end, cost(distance(a, b))));
        let mut last = vec![f64::INFINITY; n];
        near(b)?.into_iter().for_each(|(row, cost)| last[row] = cost);

        let mut best = vec![f64::INFINITY; n + 2];
        let mut before = vec![start; n + 2];
        // Costs are not negative, so their bits order like they do.
        let mut queue = BinaryHeap::from([Reverse((0u64, start))]);
        best[start] = 0.0;
        while let Some(Reverse((bits, at))) = queue.pop() {
            let so_far = f64::from_bits(bits);
            if at == end {
                break;
            }
            if so_far > best[at] {
                continue;
            }
            let to_end = (at < n && last[at].is_finite()).then(|| (end, last[at]));
            let links = if at == start { &first } else { &self.links[at] };
            for (next, cost) in links.iter().copied().chain(to_end) {
                let total = so_far + cost;
                if total < best[next] {
                    (best[next], before[next]) = (total, at);
                    queue.push(Reverse((total.to_bits(), next)));
                }
            }
        }
        let mut through: Vec<usize> =
            std::iter::successors(Some(before[end]), |&at| (at != start).then(|| before[at])).collect();
        through.pop();
        through.reverse();
        Ok(through)
    }
}

/// Links parts that do not hang together, the smallest with the row nearest to it, until all do.
fn join(corpus: Matrix, links: &mut [Vec<(usize, f64)>], power: f64) {
    loop {
        let parts = parts(links);
        let Some(smallest) = parts.iter().min_by_key(|part| part.len()) else { return };
        if parts.len() == 1 {
            return;
        }
        let mut inside = vec![false; links.len()];
        smallest.iter().for_each(|&i| inside[i] = true);
        let mut nearest = (f32::INFINITY, 0, 0);
        for &i in smallest {
            for j in (0..links.len()).filter(|&j| !inside[j]) {
                let square = squared_distance(corpus.row(i), corpus.row(j));
                if square < nearest.0 {
                    nearest = (square, i, j);
                }
            }
        }
        let (square, i, j) = nearest;
        let cost = f64::from(square).sqrt().powf(power);
        links[i].push((j, cost));
        links[j].push((i, cost));
    }
}

/// The rows of each part that hangs together, parts in the order of their first rows.
fn parts(links: &[Vec<(usize, f64)>]) -> Vec<Vec<usize>> {
    let mut seen = vec![false; links.len()];
    let mut parts = Vec::new();
    for first in 0..links.len() {
        if std::mem::replace(&mut seen[first], true) {
            continue;
        }
        let mut part = vec![first];
        let mut at = 0;
        while at < part.len() {
            for &(next, _) in &links[part[at]] {
                if !std::mem::replace(&mut seen[next], true) {
                    part.push(next);
                }
            }
            at += 1;
        }
        parts.push(part);
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{in_threads, normal};

    /// Points near a half circle of radius 5, in three dimensions.
    fn half_circle(n: usize) -> MatrixBuf {
        let noise = normal(n, 3, 1);
        let point = |(i, e): (usize, &[f32])| {
            let angle = std::f32::consts::PI * i as f32 / (n - 1) as f32;
            [5.0 * angle.cos() + 0.1 * e[0], 5.0 * angle.sin() + 0.1 * e[1], 0.1 * e[2]]
        };
        MatrixBuf::new(noise.view().iter().enumerate().flat_map(point).collect(), 3).unwrap()
    }

    #[test]
    fn the_way_follows_the_half_circle() {
        let corpus = half_circle(300);
        let manifold = Manifold::new(corpus.view(), ManifoldOptions::default()).unwrap();
        let way = manifold.way(&[5.0, 0.0, 0.0], &[-5.0, 0.0, 0.0], 21).unwrap();
        assert_eq!((way.points.rows(), way.points.row(0)), (21, &[5.0, 0.0, 0.0][..]));
        for point in way.points.view().iter() {
            let radius = (point[0] * point[0] + point[1] * point[1]).sqrt();
            assert!((radius - 5.0).abs() < 0.4 && point[1] > -0.4, "{point:?}");
        }
        assert!((way.points.row(10)[1] - 5.0).abs() < 0.5, "{:?}", way.points.row(10));
        // The half circle is 15.7 long; the way zigzags between its points, which lie 0.1 off it.
        assert!(way.length > 15.0 && way.length < 21.0 && way.straight == 10.0, "{} {}", way.length, way.straight);
        let steps = way.points.data().chunks(3).collect::<Vec<_>>();
        let lengths: Vec<f64> = steps.windows(2).map(|w| distance(w[0], w[1])).collect();
        assert!(lengths.iter().all(|l| *l > 0.3 && *l < 1.06), "{lengths:?}");
    }

    #[test]
    fn the_cheapest_way_is_that_of_trying_all() {
        // All pairs are linked: compare with the Floyd-Warshall recursion on the squared distances.
        let corpus = normal(25, 2, 2);
        let options = ManifoldOptions { neighbours: 24, power: 2.0 };
        let manifold = Manifold::new(corpus.view(), options).unwrap();
        let all: Vec<&[f32]> = corpus.view().iter().collect();
        let mut cost: Vec<f64> = (0..625).map(|at| distance(all[at / 25], all[at % 25]).powi(2)).collect();
        for k in 0..25 {
            for at in 0..625 {
                cost[at] = cost[at].min(cost[at / 25 * 25 + k] + cost[k * 25 + at % 25]);
            }
        }
        for (i, j) in [(0, 1), (3, 17), (8, 24)] {
            let way = manifold.way(all[i], all[j], 2).unwrap();
            let rows = [&[i], &way.through[..], &[j]].concat();
            let found: f64 = rows.windows(2).map(|w| distance(all[w[0]], all[w[1]]).powi(2)).sum();
            assert!((found - cost[i * 25 + j]).abs() < 1e-6, "{i} {j}: {found} {}", cost[i * 25 + j]);
        }
    }

    #[test]
    fn clusters_far_apart_are_joined_where_they_are_nearest() {
        let mut values = normal(60, 2, 3).into_data();
        values.chunks_exact_mut(2).skip(30).for_each(|row| row[0] += 100.0);
        let corpus = Matrix::new(&values, 2).unwrap();
        let manifold = Manifold::new(corpus, ManifoldOptions { neighbours: 4, power: 2.0 }).unwrap();
        assert_eq!(parts(&manifold.links).len(), 1);
        let way = manifold.way(&[-2.0, 0.0], &[102.0, 0.0], 5).unwrap();
        let left = way.through.iter().filter(|&&i| i < 30).max_by(|&&a, &&b| values[2 * a].total_cmp(&values[2 * b]));
        let rightmost = (0..30).max_by(|&a, &b| values[2 * a].total_cmp(&values[2 * b])).unwrap();
        assert!(values[2 * left.unwrap()] > values[2 * rightmost] - 0.5, "{:?}", way.through);
    }

    #[test]
    fn near_ends_are_joined_straight_and_threads_change_nothing() {
        let corpus = half_circle(200);
        let way = || {
            let manifold = Manifold::new(corpus.view(), ManifoldOptions::default()).unwrap();
            (manifold.way(&[4.9, 0.9, 0.0], &[4.8, 1.5, 0.1], 4), manifold.way(&[5.0, 0.0, 0.0], &[5.0, 0.0, 0.01], 3))
        };
        let (one, near) = in_threads(1, way);
        assert_eq!((&one, &near), (&in_threads(3, way).0, &in_threads(3, way).1));
        assert!(near.unwrap().through.is_empty());
    }

    #[test]
    fn impossible_settings_are_refused() {
        let corpus = half_circle(10);
        let with = |neighbours, power| Manifold::new(corpus.view(), ManifoldOptions { neighbours, power }).map(|_| ());
        assert!(with(9, 1.0).is_ok() && with(10, 2.0).is_err() && with(0, 2.0).is_err());
        assert!(with(3, 0.5).unwrap_err().to_string().contains("from 1 to 16"));
        let manifold = Manifold::new(corpus.view(), ManifoldOptions { neighbours: 3, power: 2.0 }).unwrap();
        assert!(matches!(manifold.way(&[0.0; 2], &[0.0; 2], 3), Err(DirectionError::Latents(_))));
    }
}
