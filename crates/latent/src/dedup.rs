//! Near duplicates: rows that are closer than chance would have them.
//!
//! [`groups`] joins all pairs within a threshold, [`curve`] shows what each threshold would do, and [`suggest`] reads a
//! threshold off the latents themselves:
//!
//! Around row i lie, where nothing is a duplicate, `k (r / d_k)^m` rows within r on average: `d_k` is the distance to
//! its k-th neighbour, which a few copies hardly move, and `m` the dimension that the rows fill. So a row has by chance
//! a neighbour within r with probability `1 - exp(-k (r / d_k)^m)`, and the suggested threshold is the r at which that
//! is [`CHANCE`] on average over the rows. `m` comes from two neighbours far enough out: for a Poisson process
//! `E ln(d_k / d_j) = (H(k-1) - H(j-1)) / m` with harmonic numbers H (as in Levina & Bickel 2004).
//!
//! Where noisy copies of known texts can be encoded, [`separate`] takes the threshold that best tells them from the
//! nearest of different texts, and its rates say how well that can be done at all.

use serde::Serialize;

use crate::error::LatentError;
use crate::search::{Metric, Neighbour, Pair};

/// Share of rows that the suggested threshold joins to another by chance.
pub const CHANCE: f64 = 0.001;
/// Neighbours that [`suggest`] wants to be given; with fewer it is less sure.
pub const NEIGHBOURS: usize = 20;

/// Groups of rows joined by chains of pairs at most `threshold` apart, each in rising order, by their first row. Rows
/// without such a pair are in none.
///
/// # Panics
/// If a pair names a row that is not below `rows`.
pub fn groups(rows: usize, pairs: &[Pair], threshold: f32) -> Vec<Vec<usize>> {
    let mut joined = Joined::new(rows);
    pairs.iter().filter(|p| p.distance <= threshold).for_each(|p| joined.join(p.a, p.b));
    let mut groups = vec![Vec::new(); rows];
    (0..rows).for_each(|row| groups[joined.root(row)].push(row));
    groups.retain(|g| g.len() > 1);
    groups
}

/// The pairs that lists of neighbours hold (`lists[i]` those of row i), by first and second row: for corpora too large
/// to read every pair of, where each row's nearest join what is to be joined.
pub fn pairs_of(lists: &[Vec<Neighbour>]) -> Vec<Pair> {
    let ordered = |own: usize, n: &Neighbour| Pair { a: own.min(n.row), b: own.max(n.row), distance: n.distance };
    let mut pairs: Vec<Pair> =
        lists.iter().enumerate().flat_map(|(own, list)| list.iter().map(move |n| ordered(own, n))).collect();
    pairs.sort_unstable_by(|x, y| (x.a, x.b).cmp(&(y.a, y.b)).then(x.distance.total_cmp(&y.distance)));
    pairs.dedup_by_key(|p| (p.a, p.b));
    pairs
}

/// What a threshold does.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Point {
    pub threshold: f32,
    /// Pairs within it.
    pub pairs: usize,
    /// Groups of joined rows.
    pub groups: usize,
    /// Rows that would be left out if one of each group stayed.
    pub removed: usize,
    /// Of the labelled pairs within it, the share that are duplicates; none without any.
    pub precision: Option<f64>,
    /// Of the labelled duplicates, the share within it; none without any.
    pub recall: Option<f64>,
}

/// A pair that someone has judged.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Judged {
    pub distance: f32,
    pub duplicate: bool,
}

/// What each of the rising `thresholds` does to `rows` rows with these pairs, and how it agrees with `judged` pairs (may
/// be empty).
///
/// # Errors
/// When the thresholds do not rise.
pub fn curve(rows: usize, pairs: &[Pair], thresholds: &[f32], judged: &[Judged]) -> Result<Vec<Point>, LatentError> {
    if let Some(at) = thresholds.windows(2).position(|w| w[0].partial_cmp(&w[1]) != Some(std::cmp::Ordering::Less)) {
        let expected = format!("above the one before, {}", thresholds[at]);
        return Err(LatentError::Setting { what: "a threshold", value: f64::from(thresholds[at + 1]), expected });
    }
    let mut by_distance = pairs.to_vec();
    by_distance.sort_by(|x, y| x.distance.total_cmp(&y.distance));
    let (mut joined, mut taken) = (Joined::new(rows), 0);
    let duplicates = judged.iter().filter(|j| j.duplicate).count();
    let point = |&threshold: &f32| {
        while taken < by_distance.len() && by_distance[taken].distance <= threshold {
            joined.join(by_distance[taken].a, by_distance[taken].b);
            taken += 1;
        }
        let within = judged.iter().filter(|j| j.distance <= threshold);
        let (right, all) = within.fold((0, 0), |(right, all), j| (right + usize::from(j.duplicate), all + 1));
        let share = |of: usize| (of > 0).then(|| right as f64 / of as f64);
        Point {
            threshold,
            pairs: taken,
            groups: joined.groups,
            removed: joined.removed,
            precision: share(all),
            recall: share(duplicates),
        }
    };
    Ok(thresholds.iter().map(point).collect())
}

/// A threshold and what speaks for it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Suggestion {
    /// In the metric of the neighbours.
    pub threshold: f32,
    /// The dimension that the rows fill locally, m.
    pub dimension: f64,
    /// Share of the rows that have a neighbour within the threshold; [`CHANCE`] of them would by chance.
    pub joined: f64,
}

/// Suggests a threshold from the neighbours of all rows, or of a sample of them ([`NEIGHBOURS`] each, of the whole
/// corpus, the row itself left out). `None` when they tell nothing: fewer than 4 each, or most rows are copies.
pub fn suggest(lists: &[Vec<Neighbour>], metric: Metric) -> Option<Suggestion> {
    let k = lists.iter().map(Vec::len).min()?;
    if k < 4 {
        return None;
    }
    let (inner, outer) = (k / 2, k);
    // Balls are round in the distance between prepared rows, which is Euclidean in either metric.
    let chord = |n: &Neighbour| f64::from(metric.squared(n.distance)).sqrt();
    let far: Vec<(f64, f64)> =
        lists.iter().map(|l| (chord(&l[inner - 1]), chord(&l[outer - 1]))).filter(|d| d.0 > 0.0).collect();
    if 2 * far.len() <= lists.len() {
        return None;
    }
    let spread = far.iter().map(|d| (d.1 / d.0).ln()).sum::<f64>() / far.len() as f64;
    if spread <= 0.0 {
        return None; // all neighbours are equally far: a lattice, not a cloud
    }
    let dimension = (inner..outer).map(|i| 1.0 / i as f64).sum::<f64>() / spread;
    let chance = |r: f64| {
        let one = |d: &(f64, f64)| -(-(outer as f64) * (r / d.1).powf(dimension)).exp_m1();
        far.iter().map(one).sum::<f64>() / far.len() as f64
    };
    let (mut low, mut high) = (0.0, far.iter().fold(0.0, |m: f64, d| m.max(d.1)));
    for _ in 0..60 {
        let middle = (low + high) / 2.0;
        if chance(middle) > CHANCE { high = middle } else { low = middle }
    }
    let threshold = metric.of_squared((low * low) as f32);
    let joined = lists.iter().filter(|l| l[0].distance <= threshold).count();
    Some(Suggestion { threshold, dimension, joined: joined as f64 / lists.len() as f64 })
}

/// A threshold between two kinds of distances.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Separation {
    pub threshold: f32,
    /// Share of the noisy copies within it.
    pub found: f64,
    /// Share of the different texts within it.
    pub mistaken: f64,
}

/// The threshold with the greatest `found - mistaken` (Youden 1950), the smallest of equally good ones, half-way to the
/// next distance. `copies` are the distances of texts from noisy copies of themselves, `others` those of texts from
/// their nearest different text.
///
/// # Errors
/// When either is empty, or a distance is NaN.
pub fn separate(copies: &[f32], others: &[f32]) -> Result<Separation, LatentError> {
    if copies.is_empty() || others.is_empty() {
        return Err(LatentError::Empty);
    }
    let mut all: Vec<(f32, bool)> =
        copies.iter().map(|&d| (d, true)).chain(others.iter().map(|&d| (d, false))).collect();
    if let Some(row) = all.iter().position(|d| d.0.is_nan()) {
        return Err(LatentError::NotFinite { row, column: 0, value: f32::NAN });
    }
    all.sort_by(|x, y| x.0.total_cmp(&y.0));
    let (mut found, mut mistaken) = (0usize, 0usize);
    let share = |count: usize, of: &[f32]| count as f64 / of.len() as f64;
    let mut best = Separation { threshold: 0.0, found: 0.0, mistaken: 0.0 };
    for (at, &(distance, copy)) in all.iter().enumerate() {
        if copy {
            found += 1
        } else {
            mistaken += 1
        }
        let next = all.get(at + 1).map_or(distance, |n| n.0);
        if next == distance && at + 1 < all.len() {
            continue; // ties go together
        }
        let (found, mistaken) = (share(found, copies), share(mistaken, others));
        if found - mistaken > best.found - best.mistaken {
            best = Separation { threshold: distance + (next - distance) / 2.0, found, mistaken };
        }
    }
    Ok(best)
}

/// Rows joined into groups (union-find).
struct Joined {
    parent: Vec<usize>,
    size: Vec<usize>,
    /// Groups of two rows or more.
    groups: usize,
    /// Rows beyond the first of each group.
    removed: usize,
}

impl Joined {
    fn new(rows: usize) -> Self {
        Self { parent: (0..rows).collect(), size: vec![1; rows], groups: 0, removed: 0 }
    }

    /// The least row of a row's group.
    fn root(&mut self, mut row: usize) -> usize {
        while self.parent[row] != row {
            self.parent[row] = self.parent[self.parent[row]];
            row = self.parent[row];
        }
        row
    }

    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.root(a), self.root(b));
        if a == b {
            return;
        }
        let (first, other) = (a.min(b), a.max(b));
        match (self.size[first] > 1, self.size[other] > 1) {
            (false, false) => self.groups += 1,
            (true, true) => self.groups -= 1,
            _ => {}
        }
        self.parent[other] = first;
        self.size[first] += self.size[other];
        self.removed += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix::Matrix;
    use crate::search::Exact;
    use crate::testing::{gauss, normal};
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::SeedableRng;

    fn pair(a: usize, b: usize, distance: f32) -> Pair {
        Pair { a, b, distance }
    }

    #[test]
    fn chains_are_groups() {
        let pairs = [pair(0, 4, 0.1), pair(4, 2, 0.2), pair(1, 3, 0.1), pair(2, 3, 0.9)];
        assert_eq!(groups(6, &pairs, 0.2), [vec![0, 2, 4], vec![1, 3]]);
        assert_eq!(groups(6, &pairs, 1.0), [vec![0, 1, 2, 3, 4]]);
        assert!(groups(6, &pairs, 0.05).is_empty());
    }

    #[test]
    fn the_curve_counts_what_the_groups_are() {
        let pairs = [pair(0, 1, 0.1), pair(2, 3, 0.2), pair(1, 2, 0.3), pair(0, 3, 0.4)];
        let judged = [(0.1, true), (0.25, false), (0.3, true), (0.9, true)];
        let judged = judged.map(|(distance, duplicate)| Judged { distance, duplicate });
        let points = curve(5, &pairs, &[0.05, 0.2, 0.5], &judged).unwrap();
        let counts = points.iter().map(|p| (p.pairs, p.groups, p.removed)).collect::<Vec<_>>();
        assert_eq!(counts, [(0, 0, 0), (2, 2, 2), (4, 1, 3)]);
        for point in &points {
            let groups = groups(5, &pairs, point.threshold);
            assert_eq!((point.groups, point.removed), (groups.len(), groups.iter().map(|g| g.len() - 1).sum()));
        }
        assert_eq!((points[0].precision, points[0].recall), (None, Some(0.0)));
        assert_eq!((points[2].precision, points[2].recall), (Some(2.0 / 3.0), Some(2.0 / 3.0)));
        assert_eq!(curve(5, &pairs, &[0.1], &[]).unwrap()[0].recall, None);
        assert!(matches!(curve(5, &pairs, &[0.2, 0.2], &[]), Err(LatentError::Setting { .. })));
        assert!(matches!(curve(5, &pairs, &[0.2, f32::NAN], &[]), Err(LatentError::Setting { .. })));
    }

    #[test]
    fn pairs_of_lists_are_each_pair_once() {
        let n = |row, distance| Neighbour { row, distance };
        let lists = [vec![n(1, 0.1), n(2, 0.3)], vec![n(0, 0.1)], vec![n(1, 0.2)]];
        assert_eq!(pairs_of(&lists), [pair(0, 1, 0.1), pair(0, 2, 0.3), pair(1, 2, 0.2)]);
    }

    /// 3000 rows in 10 dimensions, every sixth of the first 1200 followed by a copy with noise of size `noise`.
    fn with_copies(noise: f32) -> (crate::MatrixBuf, usize) {
        let mut data = normal(3000, 10, 1).into_data();
        let mut rng = ChaCha8Rng::seed_from_u64(2);
        for row in (0..1200).step_by(6) {
            data.extend((0..10).map(|j| data[row * 10 + j] + noise * gauss(&mut rng)).collect::<Vec<_>>());
        }
        (crate::MatrixBuf::new(data, 10).unwrap(), 200)
    }

    #[test]
    fn the_suggestion_finds_noisy_copies_and_little_else() {
        for metric in [Metric::Euclidean, Metric::Cosine] {
            let (rows, copies) = with_copies(0.05);
            let search = Exact::new(rows.view(), metric);
            let suggestion = suggest(&search.neighbours(NEIGHBOURS).unwrap(), metric).unwrap();
            // A Gaussian in 10 dimensions (9 of direction) whose density falls outwards.
            assert!((6.0..11.0).contains(&suggestion.dimension), "{suggestion:?}");
            let pairs = search.pairs(suggestion.threshold, 1 << 20).unwrap();
            let true_ones = pairs.iter().filter(|p| p.b >= 3000 && p.a == 6 * (p.b - 3000)).count();
            assert!(true_ones >= copies * 97 / 100, "{true_ones} {suggestion:?}");
            assert!(pairs.len() - true_ones < 12, "{} {true_ones}", pairs.len());
        }
    }

    #[test]
    fn chance_is_as_rare_as_it_says() {
        let share = |seed| {
            use rand::RngExt;
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            let uniform: Vec<f32> = (0..3000 * 3).map(|_| rng.random()).collect();
            let search = Exact::new(Matrix::new(&uniform, 3).unwrap(), Metric::Euclidean);
            let suggestion = suggest(&search.neighbours(NEIGHBOURS).unwrap(), Metric::Euclidean).unwrap();
            assert!((suggestion.dimension - 3.0).abs() < 0.2, "{suggestion:?}");
            suggestion.joined
        };
        // About 24 rows in 12 pairs.
        let mean = (0..8).map(share).sum::<f64>() / 8.0;
        assert!((0.4 * CHANCE..2.0 * CHANCE).contains(&mean), "{mean}");
    }

    #[test]
    fn nothing_is_said_of_copies_or_too_few_neighbours() {
        let copies = Exact::new(Matrix::new(&[1.0; 50], 1).unwrap(), Metric::Euclidean);
        assert_eq!(suggest(&copies.neighbours(20).unwrap(), Metric::Euclidean), None);
        let rows = normal(50, 2, 1);
        let search = Exact::new(rows.view(), Metric::Euclidean);
        assert_eq!(suggest(&search.neighbours(3).unwrap(), Metric::Euclidean), None);
        assert!(suggest(&search.neighbours(4).unwrap(), Metric::Euclidean).is_some());
        assert_eq!(suggest(&[], Metric::Euclidean), None);
    }

    #[test]
    fn two_kinds_of_distances_are_separated() {
        let best = separate(&[0.1, 0.2, 0.3, 0.35, 0.9], &[0.25, 0.5, 0.7, 0.8]).unwrap();
        assert_eq!(best, Separation { threshold: 0.35 + (0.5 - 0.35) / 2.0, found: 0.8, mistaken: 0.25 });
        // Equally good with the third copy and one mistake: the smaller threshold.
        assert_eq!(separate(&[0.1, 0.2, 0.3, 0.9], &[0.25, 0.5, 0.7, 0.8]).unwrap().found, 0.5);
        let tied = separate(&[0.2, 0.2], &[0.2, 0.4]).unwrap();
        assert_eq!((tied.found, tied.mistaken), (1.0, 0.5));
        assert_eq!(separate(&[], &[0.1]), Err(LatentError::Empty));
        assert!(matches!(separate(&[0.1], &[f32::NAN]), Err(LatentError::NotFinite { row: 1, .. })));
    }
}
