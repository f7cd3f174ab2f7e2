//! HDBSCAN: dense groups of any shape and number, and rows that belong to none (Campello, Moulavi & Sander 2013).
//!
//! The core distance of a row is that to its `min_samples`-th nearest (itself counted), and two rows are
//! `max(core a, core b, |a - b|)` apart. The minimum spanning tree of these distances is cut from its longest edge
//! down; a part that splits off with fewer than `min_cluster_size` rows has only fallen out of its cluster. Of the
//! clusters in that tree those of the greatest stability are chosen, `sum over rows of (1/d_left - 1/d_born)`.
//!
//! It is our own as the `hdbscan` crate (0.12) measures all distances twice, one scalar at a time over a vector of
//! vectors; here the first pass is a matrix product and the second vectorises. The tree is Prim's, n steps over the rows
//! that are left: time grows with n squared.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::error::LatentError;
use crate::matrix::{Matrix, squared_distance};
use crate::search::{Exact, Metric};

/// Settings of [`hdbscan`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HdbscanOptions {
    /// Fewest rows of a cluster, 2 or more.
    pub min_cluster_size: usize,
    /// Rows within a core distance, the row itself among them; more of them make for fewer, denser clusters.
    pub min_samples: usize,
    /// The distance.
    pub metric: Metric,
}

impl Default for HdbscanOptions {
    fn default() -> Self {
        Self { min_cluster_size: 15, min_samples: 5, metric: Metric::Euclidean }
    }
}

/// The cluster of each row (n, d), none for noise. Cluster 0 is the largest. All rows in one cluster is not an answer.
///
/// # Errors
/// When `min_cluster_size` is below 2, or `min_samples` 0 or above n.
pub fn hdbscan(rows: Matrix<'_>, options: &HdbscanOptions) -> Result<Vec<Option<u32>>, LatentError> {
    if options.min_cluster_size < 2 {
        let value = options.min_cluster_size as f64;
        return Err(LatentError::Setting { what: "min_cluster_size", value, expected: "2 or more".into() });
    }
    let n = rows.rows();
    if !(1..=n).contains(&options.min_samples) {
        let expected = format!("between 1 and {n}, the rows there are");
        return Err(LatentError::Setting { what: "min_samples", value: options.min_samples as f64, expected });
    }
    if n == 1 {
        return Ok(vec![None]);
    }
    let data = options.metric.prepare(rows);
    let prepared = Matrix::new(&data, rows.dim())?;
    let lists = Exact::new(prepared, Metric::Euclidean).nearest_all(prepared, options.min_samples)?;
    let cores: Vec<f32> = lists.iter().map(|l| l.last().map_or(0.0, |n| n.distance)).collect();
    let merges = single_linkage(spanning_tree(prepared, &cores), n);
    let tree = Condensed::new(&merges, n, options.min_cluster_size);
    Ok(largest_first(tree.labels()))
}

/// An edge of the spanning tree, from its lengths.
#[derive(Debug, Clone, Copy)]
struct Edge {
    length: f32,
    a: usize,
    b: usize,
}

/// Prim's minimum spanning tree of the mutual reachability distances, shortest edge first. An edge joins a row to the
/// one that was taken up before it, which need not be its nearest: the parts at any length are the same.
fn spanning_tree(rows: Matrix<'_>, cores: &[f32]) -> Vec<Edge> {
    let dim = rows.dim();
    // The rows that are left lie together, so that each step reads memory in one sweep.
    let mut left = rows.data()[dim..].to_vec();
    let mut names: Vec<usize> = (1..rows.rows()).collect();
    let mut reach = vec![f32::INFINITY; names.len()];
    let (mut edges, mut last) = (Vec::with_capacity(names.len()), 0);
    while !names.is_empty() {
        let chunk = 2048;
        let parts = left.par_chunks(chunk * dim).zip(reach.par_chunks_mut(chunk)).zip(names.par_chunks(chunk));
        let nearest = parts.enumerate().map(|(at, ((left, reach), names))| {
            let mut best = (f32::INFINITY, usize::MAX, 0);
            for (i, row) in left.chunks_exact(dim).enumerate() {
                let distance = squared_distance(row, rows.row(last)).sqrt();
                reach[i] = reach[i].min(distance.max(cores[names[i]]).max(cores[last]));
                best = lesser(best, (reach[i], names[i], at * chunk + i));
            }
            best
        });
        let (length, name, place) = nearest.reduce(|| (f32::INFINITY, usize::MAX, 0), lesser);
        edges.push(Edge { length, a: last, b: name });
        let end = names.len() - 1;
        left.copy_within(end * dim.., place * dim);
        left.truncate(end * dim);
        names.swap_remove(place);
        reach.swap_remove(place);
        last = name;
    }
    edges.sort_by(|a, b| a.length.total_cmp(&b.length)); // stable: ties as Prim found them
    edges
}

/// The lesser by length, then by name.
fn lesser(a: (f32, usize, usize), b: (f32, usize, usize)) -> (f32, usize, usize) {
    if (b.0, b.1) < (a.0, a.1) { b } else { a }
}

/// Two parts that become one at a length; parts below n are rows, part n + i is made by merge i.
#[derive(Debug, Clone, Copy)]
struct Merge {
    length: f32,
    left: usize,
    right: usize,
    size: usize,
}

/// The merges of the parts as edges are added.
fn single_linkage(edges: Vec<Edge>, n: usize) -> Vec<Merge> {
    let mut parent: Vec<usize> = (0..2 * n).collect();
    let mut merges: Vec<Merge> = Vec::with_capacity(edges.len());
    for (i, edge) in edges.iter().enumerate() {
        let (left, right) = (find(&mut parent, edge.a), find(&mut parent, edge.b));
        (parent[left], parent[right]) = (n + i, n + i);
        let size = |part: usize| if part < n { 1 } else { merges[part - n].size };
        merges.push(Merge { length: edge.length, left, right, size: size(left) + size(right) });
    }
    merges
}

fn find(parent: &mut [usize], mut part: usize) -> usize {
    while parent[part] != part {
        parent[part] = parent[parent[part]];
        part = parent[part];
    }
    part
}

/// The tree of clusters: cluster 0 is the root, parents come before their children.
struct Condensed {
    parents: Vec<usize>,
    /// `1 / length` at which each was born.
    born: Vec<f64>,
    stability: Vec<f64>,
    /// The cluster out of which each row falls.
    of_row: Vec<usize>,
}

impl Condensed {
    fn new(merges: &[Merge], n: usize, min_size: usize) -> Self {
        let mut tree = Self { parents: vec![0], born: vec![0.0], stability: vec![0.0], of_row: vec![0; n] };
        let size = |part: usize| if part < n { 1 } else { merges[part - n].size };
        let mut open = vec![(n + merges.len() - 1, 0usize)]; // (part, its cluster)
        while let Some((part, cluster)) = open.pop() {
            if part < n {
                continue;
            }
            let Merge { length, left, right, .. } = merges[part - n];
            let lambda = if length > 0.0 { 1.0 / f64::from(length) } else { f64::INFINITY };
            let splits = size(left) >= min_size && size(right) >= min_size;
            for child in [left, right] {
                if splits {
                    tree.leave(cluster, lambda, size(child));
                    tree.parents.push(cluster);
                    tree.born.push(lambda);
                    tree.stability.push(0.0);
                    open.push((child, tree.parents.len() - 1));
                } else if size(child) >= min_size {
                    open.push((child, cluster));
                } else {
                    tree.leave(cluster, lambda, size(child));
                    fall(merges, n, child, |row| tree.of_row[row] = cluster);
                }
            }
        }
        tree
    }

    /// `rows` rows leave a cluster at `lambda`. Copies stay together down to distance 0, so theirs is infinitely stable,
    /// unless it was born there.
    fn leave(&mut self, cluster: usize, lambda: f64, rows: usize) {
        let born = self.born[cluster];
        let gain = if born == f64::INFINITY { 0.0 } else { lambda - born };
        self.stability[cluster] += gain * rows as f64;
    }

    /// The chosen cluster of each row: from the leaves up, a cluster is chosen when it is more stable than those chosen
    /// below it together.
    fn labels(&self) -> Vec<Option<usize>> {
        let k = self.parents.len();
        let (mut below, mut chosen) = (vec![0.0f64; k], vec![true; k]);
        let mut leaf = vec![true; k];
        self.parents.iter().skip(1).for_each(|&p| leaf[p] = false);
        for cluster in (1..k).rev() {
            if !leaf[cluster] && below[cluster] > self.stability[cluster] {
                chosen[cluster] = false;
                below[self.parents[cluster]] += below[cluster];
            } else {
                below[self.parents[cluster]] += self.stability[cluster];
            }
        }
        chosen[0] = false;
        // A cluster counts as its topmost chosen ancestor.
        let mut top: Vec<Option<usize>> = vec![None; k];
        for cluster in 1..k {
            top[cluster] = top[self.parents[cluster]].or(chosen[cluster].then_some(cluster));
        }
        self.of_row.iter().map(|&c| top[c]).collect()
    }
}

/// Calls `f` with each row of a part.
fn fall(merges: &[Merge], n: usize, part: usize, mut f: impl FnMut(usize)) {
    let mut open = vec![part];
    while let Some(part) = open.pop() {
        match part.checked_sub(n) {
            None => f(part),
            Some(i) => open.extend([merges[i].right, merges[i].left]),
        }
    }
}

/// Numbers labels by falling size, equal ones by their first row.
fn largest_first(labels: Vec<Option<usize>>) -> Vec<Option<u32>> {
    let mut sizes: std::collections::BTreeMap<usize, (usize, usize)> = std::collections::BTreeMap::new();
    for (row, label) in labels.iter().enumerate() {
        if let Some(label) = label {
            sizes.entry(*label).or_insert((0, row)).0 += 1;
        }
    }
    let mut order: Vec<usize> = sizes.keys().copied().collect();
    order.sort_by_key(|label| (std::cmp::Reverse(sizes[label].0), sizes[label].1));
    let place = |label: usize| order.iter().position(|&l| l == label).map(|p| p as u32);
    let places: std::collections::BTreeMap<usize, Option<u32>> = order.iter().map(|&l| (l, place(l))).collect();
    labels.into_iter().map(|label| label.and_then(|l| places[&l])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::adjusted_rand_index;
    use crate::testing::{blobs, in_threads, normal};

    #[test]
    fn blobs_are_found_and_lone_rows_are_noise() {
        let (blobs, mut truth) = blobs(400, 4, 4, 1);
        let mut data = blobs.into_data();
        data.extend([200.0, 0.0, 0.0, 0.0, 0.0, 200.0, 0.0, 0.0]);
        let labels = hdbscan(Matrix::new(&data, 4).unwrap(), &HdbscanOptions::default()).unwrap();
        assert_eq!(labels[400..], [None, None]);
        let inside: Vec<usize> = (0..400).filter(|&i| labels[i].is_some()).collect();
        assert!(inside.len() > 360, "{}", inside.len());
        truth.truncate(400);
        let of = |i: &usize| (labels[*i], truth[*i]);
        let (found, true_ones): (Vec<_>, Vec<_>) = inside.iter().map(of).unzip();
        assert_eq!(adjusted_rand_index(&found, &true_ones).unwrap(), 1.0);
    }

    #[test]
    fn rings_are_two_clusters_where_k_means_sees_halves() {
        let ring = |radius: f32, n: usize| {
            (0..n).flat_map(move |i| {
                let angle = i as f32 / n as f32 * std::f32::consts::TAU;
                [radius * angle.cos(), radius * angle.sin()]
            })
        };
        let data: Vec<f32> = ring(1.0, 60).chain(ring(4.0, 240)).collect();
        let labels = hdbscan(Matrix::new(&data, 2).unwrap(), &HdbscanOptions::default()).unwrap();
        assert!(labels[..60].iter().all(|&l| l == Some(1)) && labels[60..].iter().all(|&l| l == Some(0)));
    }

    #[test]
    fn copies_are_clusters() {
        let data: Vec<f32> = (0..40).map(|i| (i / 20) as f32).collect();
        let labels = hdbscan(Matrix::new(&data, 1).unwrap(), &HdbscanOptions::default()).unwrap();
        assert!(labels[..20].iter().all(|&l| l == Some(0)) && labels[20..].iter().all(|&l| l == Some(1)));
    }

    #[test]
    fn a_single_cloud_is_not_a_cluster_and_threads_change_nothing() {
        let cloud = normal(3000, 3, 2);
        let options = HdbscanOptions { min_cluster_size: 300, ..HdbscanOptions::default() };
        let run = || hdbscan(cloud.view(), &options).unwrap();
        let labels = in_threads(1, run);
        assert!(labels.iter().all(Option::is_none));
        let options = HdbscanOptions::default();
        let run = || hdbscan(cloud.view(), &options).unwrap();
        assert_eq!(in_threads(1, run), in_threads(3, run));
    }

    #[test]
    fn bad_settings_are_named() {
        let rows = Matrix::new(&[1.0, 2.0], 1).unwrap();
        let set = |min_cluster_size, min_samples| {
            hdbscan(rows, &HdbscanOptions { min_cluster_size, min_samples, ..HdbscanOptions::default() })
        };
        assert!(matches!(set(1, 1), Err(LatentError::Setting { what: "min_cluster_size", .. })));
        assert!(matches!(set(2, 3), Err(LatentError::Setting { what: "min_samples", .. })));
        assert!(matches!(set(2, 0), Err(LatentError::Setting { what: "min_samples", .. })));
        assert_eq!(set(2, 1), Ok(vec![None, None]));
        assert_eq!(
            hdbscan(Matrix::new(&[1.0], 1).unwrap(), &HdbscanOptions { min_samples: 1, ..Default::default() }),
            Ok(vec![None])
        );
    }
}
