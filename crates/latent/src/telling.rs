//! The words that tell a cluster from the rest: log odds with an informative Dirichlet prior.
//!
//! For cluster and rest, `y` is the number of texts with the word and `n` the sum of these numbers over all words. With
//! prior counts `a_w`, [`PRIOR`] of the word's number in the whole corpus, and `a` their sum (Monroe, Colaresi & Quinn
//! 2008, equations 16, 20 and 22):
//!
//! ```text
//! delta = ln (y + a_w)/(n + a - y - a_w) - ln (y' + a_w)/(n' + a - y' - a_w)
//! z = delta / sqrt(1/(y + a_w) + 1/(y' + a_w))
//! ```
//!
//! The prior draws rare words towards no difference, and z weighs what is left by how sure it is, so neither the rarest
//! nor the commonest words win.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::cluster::members;
use crate::error::LatentError;

/// Share of the corpus that the prior counts.
pub const PRIOR: f64 = 0.1;

/// One word of a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Telling {
    pub word: u32,
    /// Standard deviations by which its log odds in the cluster exceed those elsewhere; above 1.96 is hardly chance for
    /// a word named beforehand.
    pub z: f64,
    /// Texts of the cluster that hold it.
    pub inside: usize,
    /// Other texts that hold it, those without a cluster among them.
    pub outside: usize,
}

/// For each cluster the `top` words of the highest z above 0, best first, equal ones by their number. `words` holds the
/// words of each text (a word counts once a text), `labels` its cluster or none.
///
/// ```
/// use strait_latent::telling::telling;
/// let words: [&[u32]; 4] = [&[7, 1], &[7, 2], &[7, 3], &[7, 3]];
/// let telling = telling(&words, &[Some(0), Some(0), Some(1), Some(1)], 5)?;
/// assert_eq!(telling[1].iter().map(|t| t.word).collect::<Vec<_>>(), [3]); // 7 is everywhere
/// # Ok::<(), strait_latent::LatentError>(())
/// ```
///
/// # Errors
/// When there is not a label for each text.
pub fn telling<W: AsRef<[u32]>>(
    words: &[W],
    labels: &[Option<u32>],
    top: usize,
) -> Result<Vec<Vec<Telling>>, LatentError> {
    if words.len() != labels.len() {
        return Err(LatentError::Length { what: "labels", expected: words.len(), found: labels.len() });
    }
    let all = counts(words.iter());
    let total: f64 = all.values().sum::<usize>() as f64;
    let cluster = |members: &Vec<usize>| {
        let inside = counts(members.iter().map(|&i| &words[i]));
        let inside_total = inside.values().sum::<usize>() as f64;
        let of_word = |(&word, &inside): (&u32, &usize)| {
            let outside = all[&word] - inside;
            let prior = PRIOR * all[&word] as f64;
            let own = (inside as f64 + prior, inside_total + PRIOR * total);
            let rest = (outside as f64 + prior, total - inside_total + PRIOR * total);
            Telling { word, z: z(own, rest), inside, outside }
        };
        let mut found: Vec<Telling> = inside.iter().map(of_word).filter(|t| t.z > 0.0).collect();
        found.sort_by(|a, b| b.z.total_cmp(&a.z).then(a.word.cmp(&b.word)));
        found.truncate(top);
        found
    };
    Ok(members(labels).iter().map(cluster).collect())
}

/// The difference of the log odds of two smoothed (count, total), in standard deviations.
fn z(own: (f64, f64), rest: (f64, f64)) -> f64 {
    let odds = |(count, total): (f64, f64)| (count / (total - count)).ln();
    let delta = odds(own) - odds(rest);
    // With a single word in the whole corpus both odds are infinite.
    if delta.is_finite() { delta / (1.0 / own.0 + 1.0 / rest.0).sqrt() } else { 0.0 }
}

/// The number of texts with each word.
fn counts<'t, W: AsRef<[u32]> + 't>(texts: impl Iterator<Item = &'t W>) -> BTreeMap<u32, usize> {
    let mut counts = BTreeMap::new();
    for text in texts {
        for &word in &text.as_ref().iter().copied().collect::<BTreeSet<u32>>() {
            *counts.entry(word).or_insert(0) += 1;
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn worked_by_hand() {
        // Word 1: in 2 of the cluster's 3 counts, in 1 of the other 3; the corpus counts 3 of 6, prior 0.3 and 0.6.
        let texts = [vec![1, 5], vec![1], vec![1, 6, 6], vec![6]];
        let found = telling(&texts, &[Some(0), Some(0), None, None], 9).unwrap();
        let delta: f64 = (2.3f64 / (3.6 - 2.3)).ln() - (1.3f64 / (3.6 - 1.3)).ln();
        let expected = delta / (1.0f64 / 2.3 + 1.0 / 1.3).sqrt();
        let of_one = found[0].iter().find(|t| t.word == 1).unwrap();
        assert!((of_one.z - expected).abs() < 1e-12);
        assert_eq!((of_one.inside, of_one.outside), (2, 1));
        assert!(found[0].iter().all(|t| t.word != 6));
    }

    #[test]
    fn a_planted_word_beats_rare_and_common_ones() {
        // 0 is everywhere, 1 marks cluster 1 in most of its texts, 1000.. occur once each.
        let word = |i: usize| {
            let mut text = vec![0, 10 + (i % 7) as u32, 1000 + i as u32];
            text.extend((i % 2 == 1 && i % 10 != 3).then_some(1));
            text
        };
        let texts: Vec<Vec<u32>> = (0..200).map(word).collect();
        let labels: Vec<Option<u32>> = (0..200).map(|i| Some(i % 2)).collect();
        let found = telling(&texts, &labels, 3).unwrap();
        assert_eq!(found[1][0].word, 1);
        assert!(found[1][0].z > 5.0 && found[1][0].z > 2.0 * found[1][1].z, "{:?}", found[1]);
        assert_eq!(found.iter().map(Vec::len).collect::<Vec<_>>(), [3, 3]);
    }

    #[test]
    fn corners() {
        assert!(matches!(telling(&[[1u32]], &[], 3), Err(LatentError::Length { expected: 1, found: 0, .. })));
        assert_eq!(telling::<Vec<u32>>(&[], &[], 3), Ok(vec![]));
        assert_eq!(telling(&[[1u32], [1]], &[Some(0), Some(1)], 3), Ok(vec![vec![], vec![]]));
    }
}
