//! Groups of latents: k-means for a number of clusters, HDBSCAN for dense groups and noise, and how to judge either.

pub mod agreement;
mod assign;
pub mod choice;
pub mod hdbscan;
pub mod kmeans;
pub mod medoid;
pub mod silhouette;

pub use agreement::{adjusted_rand_index, normalised_mutual_information};
pub use choice::{Choice, choose_k};
pub use hdbscan::{HdbscanOptions, hdbscan};
pub use kmeans::{Clusters, KMeansOptions, kmeans};
pub use medoid::medoids;
pub use silhouette::silhouette;

pub(crate) use assign::{assign, means};
pub(crate) use kmeans::lloyd;

/// The rows of each cluster in rising order; those without one are left out.
pub(crate) fn members(labels: &[Option<u32>]) -> Vec<Vec<usize>> {
    let k = labels.iter().flatten().max().map_or(0, |&m| m as usize + 1);
    let mut members = vec![Vec::new(); k];
    for (row, label) in labels.iter().enumerate() {
        if let Some(label) = label {
            members[*label as usize].push(row);
        }
    }
    members
}
