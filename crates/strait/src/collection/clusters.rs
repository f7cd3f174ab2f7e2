//! Groups of texts, told by their words and by the texts that stand for them.

use std::collections::HashMap;

use serde::Serialize;
use strait_eval::Unit;
use strait_latent::{
    cluster::{HdbscanOptions, KMeansOptions, choice::Tried, choose_k, hdbscan, kmeans, medoids, silhouette},
    matrix::squared_distance,
    telling::telling,
};

use super::Collection;
use crate::Error;

/// Numbers of clusters that are tried where none is given.
const TRIED: [usize; 11] = [2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 24];

/// How texts are grouped.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Grouping {
    /// k-means with so many clusters; without a number, the one of the highest silhouette.
    KMeans { clusters: Option<usize>, seed: u64 },
    /// HDBSCAN: dense groups of at least so many texts, and texts in none.
    Density { smallest: usize },
}

/// Texts in groups.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Clustering {
    /// The cluster of each text, none for one that is in no group.
    pub labels: Vec<Option<u32>>,
    /// Largest first: cluster i is `labels`' i.
    pub clusters: Vec<Cluster>,
    /// Of the clusters as they are, -1..1; none if there are fewer than two.
    pub silhouette: Option<f64>,
    /// The numbers of clusters that were tried.
    pub tried: Vec<Tried>,
}

/// One group.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Cluster {
    /// Number of texts.
    pub size: usize,
    /// Words that tell it from the rest, the most telling first.
    pub words: Vec<String>,
    /// Rows of the texts that stand for it: the medoid, then those nearest to it.
    pub medoids: Vec<usize>,
}

impl Collection {
    /// Groups the texts and describes each group by so many `words` and `texts`.
    ///
    /// # Errors
    /// If a number is out of range for the texts there are.
    pub fn clusters(&self, how: Grouping, words: usize, texts: usize) -> Result<Clustering, Error> {
        let rows = self.matrix()?;
        let (labels, tried) = match how {
            Grouping::KMeans { clusters, seed } => {
                let options = KMeansOptions { seed, ..KMeansOptions::default() };
                match clusters {
                    Some(k) => (kmeans(rows, k, &options)?.labelled(), Vec::new()),
                    None => {
                        let most = (self.len() / 2).max(2);
                        let ks: Vec<usize> = TRIED.into_iter().filter(|&k| k <= most).collect();
                        let choice = choose_k(rows, &ks, &options)?;
                        (choice.clusters.labelled(), choice.tried)
                    }
                }
            }
            Grouping::Density { smallest } => (
                hdbscan(rows, &HdbscanOptions { min_cluster_size: smallest, ..HdbscanOptions::default() })?,
                Vec::new(),
            ),
        };
        let clusters = self.describe(&labels, words, texts)?;
        Ok(Clustering { silhouette: self.silhouette(&labels, clusters.len())?, labels, clusters, tried })
    }

    /// Of the texts that are in a group.
    fn silhouette(&self, labels: &[Option<u32>], clusters: usize) -> Result<Option<f64>, Error> {
        if clusters < 2 {
            return Ok(None);
        }
        let (rows, of): (Vec<usize>, Vec<u32>) =
            labels.iter().enumerate().filter_map(|(i, label)| Some((i, (*label)?))).unzip();
        Ok(Some(silhouette(self.matrix()?.select(&rows)?.view(), &of, 1)?))
    }

    fn describe(&self, labels: &[Option<u32>], words: usize, texts: usize) -> Result<Vec<Cluster>, Error> {
        let (ids, names) = self.words();
        let told = telling(&ids, labels, words)?;
        let centres = medoids(self.matrix()?, labels)?;
        let mut clusters = Vec::with_capacity(centres.len());
        for (i, (telling, centre)) in told.iter().zip(centres).enumerate() {
            let members: Vec<usize> = (0..labels.len()).filter(|&row| labels[row] == Some(i as u32)).collect();
            clusters.push(Cluster {
                size: members.len(),
                words: telling.iter().map(|t| names[t.word as usize].clone()).collect(),
                medoids: centre.map_or(Vec::new(), |centre| self.around(centre, members, texts)),
            });
        }
        Ok(clusters)
    }

    /// The `texts` different texts of `members` that are nearest to row `centre`, itself first.
    fn around(&self, centre: usize, mut members: Vec<usize>, texts: usize) -> Vec<usize> {
        let distance = |&row: &usize| squared_distance(self.latents.row(centre), self.latents.row(row));
        members.sort_by(|a, b| distance(a).total_cmp(&distance(b)).then((*a != centre).cmp(&(*b != centre))));
        let mut shown: Vec<usize> = Vec::with_capacity(texts);
        for row in members {
            if shown.len() == texts {
                break;
            }
            if !shown.iter().any(|&s| self.records[s].text == self.records[row].text) {
                shown.push(row);
            }
        }
        shown
    }

    /// The words of each text as numbers, and the words by their numbers; without those that hold no letter or digit.
    /// Each text is split as its own script is written, since a corpus may mix some with and some without blanks.
    fn words(&self) -> (Vec<Vec<u32>>, Vec<String>) {
        let (mut numbers, mut names) = (HashMap::new(), Vec::new());
        let mut number = |word: &str| {
            let word = word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
            if word.is_empty() {
                return None;
            }
            Some(*numbers.entry(word.clone()).or_insert_with(|| {
                names.push(word);
                names.len() as u32 - 1
            }))
        };
        let mut of = |text: &str| Unit::guess(&[text]).split(text).into_iter().filter_map(&mut number).collect();
        let ids = self.records.iter().map(|record| of(&record.text)).collect();
        (ids, names)
    }
}

#[cfg(test)]
mod tests {
    use strait_text::Record;

    use super::*;
    use crate::{Latents, collection::Source};

    #[test]
    fn each_text_is_split_by_its_own_script() {
        let texts = ["The red kite, the sea!", "风筝在海边。", "A kite ..."];
        let records = texts.map(|text| Record { text: text.into(), label: None }).to_vec();
        let texts = Collection::new(Source::made(), records, Latents::new(vec![0.0; 3], 1)).unwrap();
        let (ids, names) = texts.words();
        assert_eq!(names, ["the", "red", "kite", "sea", "风", "筝", "在", "海", "边", "a"]);
        assert_eq!(ids, [vec![0, 1, 2, 0, 3], vec![4, 5, 6, 7, 8], vec![9, 2]]);
    }
}
