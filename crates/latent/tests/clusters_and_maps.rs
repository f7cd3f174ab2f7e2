//! Clusters, neighbours and maps against scikit-learn (`fixtures/clusters_and_maps.py`).

use serde_json::Value;
use strait_latent::cluster::{
    HdbscanOptions, KMeansOptions, adjusted_rand_index, hdbscan, kmeans, normalised_mutual_information, silhouette,
};
use strait_latent::project::{MapOptions, map, trustworthiness};
use strait_latent::search::{Exact, Metric};
use strait_latent::{Matrix, MatrixBuf};

fn facts() -> Value {
    serde_json::from_str(include_str!("fixtures/clusters_and_maps.json")).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

fn matrix(value: &Value, dim: usize) -> MatrixBuf {
    MatrixBuf::new(numbers(value).into_iter().map(|v| v as f32).collect(), dim).unwrap()
}

fn labels(value: &Value) -> Vec<u32> {
    numbers(value).into_iter().map(|v| v as u32).collect()
}

fn close(found: f64, expected: &Value, within: f64) {
    let expected = expected.as_f64().unwrap();
    assert!((found - expected).abs() < within, "{found} instead of {expected}");
}

#[test]
fn measures_of_clusters() {
    let facts = facts();
    let flowers = matrix(&facts["flowers"], 4);
    let (truth, found) = (labels(&facts["truth"]), labels(&facts["kmeans"]["labels"]));
    close(silhouette(flowers.view(), &truth, 0).unwrap(), &facts["silhouette"]["truth"], 1e-6);
    close(silhouette(flowers.view(), &found, 0).unwrap(), &facts["silhouette"]["kmeans"], 1e-6);
    close(adjusted_rand_index(&truth, &found).unwrap(), &facts["adjusted_rand"], 1e-12);
    close(normalised_mutual_information(&truth, &found).unwrap(), &facts["mutual_information"], 1e-12);
}

#[test]
fn k_means_finds_the_same_minimum() {
    let facts = facts();
    let clusters = kmeans(matrix(&facts["flowers"], 4).view(), 3, &KMeansOptions::default()).unwrap();
    close(clusters.inertia, &facts["kmeans"]["inertia"], 1e-3);
    let same = adjusted_rand_index(&clusters.labels, &labels(&facts["kmeans"]["labels"])).unwrap();
    assert_eq!(same, 1.0);
}

#[test]
fn hdbscan_puts_every_row_where_scikit_learn_does() {
    let facts = facts();
    for (name, dim) in [("flowers", 4), ("blobs", 3)] {
        let rows = matrix(&facts[name], dim);
        for run in facts["hdbscan"][name].as_array().unwrap() {
            let set = |key: &str| run[key].as_u64().unwrap() as usize;
            let options = HdbscanOptions {
                min_cluster_size: set("min_cluster_size"),
                min_samples: set("min_samples"),
                metric: Metric::Euclidean,
            };
            let found = hdbscan(rows.view(), &options).unwrap();
            let expected: Vec<i64> = numbers(&run["labels"]).into_iter().map(|v| v as i64).collect();
            let noise: Vec<bool> = found.iter().map(Option::is_none).collect();
            assert_eq!(noise, expected.iter().map(|&l| l < 0).collect::<Vec<bool>>(), "{name} {options:?}");
            // A row whose core distance is the length at which two clusters part belongs to either: one does in blobs.
            let least = if name == "blobs" { 0.98 } else { 1.0 };
            assert!(adjusted_rand_index(&found, &expected).unwrap() >= least, "{name} {options:?}");
        }
    }
}

#[test]
fn neighbours_and_their_distances() {
    let facts = facts();
    let flowers = matrix(&facts["flowers"], 4);
    let queries = Matrix::new(&flowers.data()[..80], 4).unwrap();
    for (name, metric) in [("euclidean", Metric::Euclidean), ("cosine", Metric::Cosine)] {
        let lists = Exact::new(flowers.view(), metric).nearest_all(queries, 6).unwrap();
        let expected = &facts["neighbours"][name];
        for (i, list) in lists.iter().enumerate() {
            for (at, found) in list.iter().enumerate() {
                close(f64::from(found.distance), &expected["distances"][i][at], 2e-6);
                // Directions 1e-8 apart are not told apart by the other's 1 - cos.
                if metric == Metric::Euclidean {
                    assert_eq!(found.row as u64, expected["rows"][i][at].as_u64().unwrap());
                }
            }
        }
    }
}

#[test]
fn trust_in_maps() {
    let facts = facts();
    let flowers = matrix(&facts["flowers"], 4);
    for (name, first) in [("first_two_columns", 0), ("last_two_columns", 2)] {
        let places: Vec<[f32; 2]> = flowers.view().iter().map(|r| [r[first], r[first + 1]]).collect();
        for run in facts["trustworthiness"][name].as_array().unwrap() {
            let k = run["k"].as_u64().unwrap() as usize;
            close(trustworthiness(flowers.view(), &places, k, Metric::Euclidean, 0).unwrap(), &run["value"], 1e-9);
        }
    }
}

#[test]
fn maps_are_as_good_as_scikit_learns() {
    let facts = facts();
    let flowers = matrix(&facts["flowers"], 4);
    let options = MapOptions { perplexity: facts["tsne"]["perplexity"].as_f64().unwrap(), ..MapOptions::default() };
    let map = map(flowers.view(), &options).unwrap();
    assert!(map.divergence < 1.1 * facts["tsne"]["divergence"].as_f64().unwrap(), "{}", map.divergence);
    let trust = trustworthiness(flowers.view(), &map.places, 10, Metric::Euclidean, 0).unwrap();
    assert!(trust > facts["tsne"]["trustworthiness"]["value"].as_f64().unwrap() - 0.01, "{trust}");
}
