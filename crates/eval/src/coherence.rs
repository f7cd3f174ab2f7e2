//! Whether the words of a topic belong together, and whether topics differ.
//!
//! With `p(a)` the share of reference texts that hold word `a` and `p(a, b)` the share that hold both,
//!
//! ```text
//! NPMI(a, b) = ln( p(a, b) / (p(a) p(b)) ) / -ln p(a, b)
//! ```
//!
//! lies in -1..1: 1 when neither comes without the other, 0 when they are independent, -1 when they never meet (Bouma
//! 2009). The coherence of a topic is the mean over all pairs of its top words (Aletras and Stevenson 2013; Röder et
//! al. 2015, whose windows are whole texts here). Ten words a topic and a large reference corpus are usual; figures
//! over short texts run low, because two words seldom meet in one.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::units::Unit;

/// The coherence of each topic, -1..1: mean NPMI of its pairs of distinct words over the reference `texts`. A word that
/// no text holds counts as never met, a pair that stands in every text as independent; NaN for a topic of fewer than
/// two words. Words are compared as they are written, so give texts in the topics' spelling and case.
///
/// ```
/// use strait_eval::{Unit, npmi};
/// let texts = ["red wine", "red wine", "old boat", "old boat"].map(String::from);
/// let topics = [vec!["red".to_owned(), "wine".to_owned()], vec!["red".to_owned(), "boat".to_owned()]];
/// assert_eq!(npmi(&topics, &texts, Unit::Words), [1.0, -1.0]);
/// ```
pub fn npmi(topics: &[Vec<String>], texts: &[String], unit: Unit) -> Vec<f64> {
    let places = places(topics, texts, unit);
    topics.iter().map(|topic| coherence(topic, &places, texts.len())).collect()
}

/// Distinct words over all words among the first `top` words of all topics, 0..1; usually the first ten. 1: no two
/// topics share a word (Dieng et al. 2020). NaN without a word.
pub fn topic_diversity(topics: &[Vec<String>], top: usize) -> f64 {
    let words = || topics.iter().flat_map(|topic| topic.iter().take(top));
    words().collect::<FxHashSet<_>>().len() as f64 / words().count() as f64
}

/// The texts that hold each word of the topics, in rising order.
fn places<'a>(topics: &'a [Vec<String>], texts: &[String], unit: Unit) -> FxHashMap<&'a str, Vec<u32>> {
    let mut places: FxHashMap<&str, Vec<u32>> =
        topics.iter().flatten().map(|word| (word.as_str(), Vec::new())).collect();
    for (text, at) in texts.iter().zip(0u32..) {
        for word in unit.split(text) {
            match places.get_mut(word) {
                Some(seen) if seen.last() != Some(&at) => seen.push(at),
                _ => {}
            }
        }
    }
    places
}

/// Mean NPMI of the pairs of distinct words of one topic over `n` texts.
fn coherence(topic: &[String], places: &FxHashMap<&str, Vec<u32>>, n: usize) -> f64 {
    let mut seen = FxHashSet::default();
    let words: Vec<&[u32]> = topic.iter().filter(|w| seen.insert(*w)).map(|w| &places[w.as_str()][..]).collect();
    let pairs = words.iter().enumerate().flat_map(|(i, a)| words[..i].iter().map(move |b| (a, b)));
    let (sum, count) = pairs.fold((0.0, 0), |(sum, count), (a, b)| (sum + pair(a, b, n as f64), count + 1));
    sum / f64::from(count)
}

/// NPMI of two words that stand in the texts `a` and `b` of `n`.
fn pair(a: &[u32], b: &[u32], n: f64) -> f64 {
    let both = common(a, b) as f64;
    if both == 0.0 {
        return -1.0;
    }
    if both == n {
        return 0.0;
    }
    (both * n / (a.len() as f64 * b.len() as f64)).ln() / (n / both).ln()
}

/// Number of elements that two rising lists have in common.
fn common(mut a: &[u32], mut b: &[u32]) -> usize {
    let mut common = 0;
    while let (Some(x), Some(y)) = (a.first(), b.first()) {
        common += usize::from(x == y);
        (a, b) = (&a[usize::from(x <= y)..], &b[usize::from(y <= x)..]);
    }
    common
}

#[cfg(test)]
mod tests {
    use rand::RngExt;
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::SeedableRng;

    use super::*;

    fn topic(words: &str) -> Vec<String> {
        words.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn a_pair_worked_by_hand() {
        // p(a) = 3/4, p(b) = 1/2, p(a, b) = 1/2: ln(4/3) / ln 2.
        let texts = ["a b a", "b a", "a", "c"].map(String::from);
        let found = npmi(&[topic("a b")], &texts, Unit::Words)[0];
        assert!((found - (4.0f64 / 3.0).ln() / 2.0f64.ln()).abs() < 1e-12);
    }

    #[test]
    fn limits() {
        let texts = ["a b c x", "a b d x", "a e x", "a f x"].map(String::from);
        let coherence = |words: &str| npmi(&[topic(words)], &texts, Unit::Words)[0];
        assert_eq!(coherence("b a"), 0.0); // a says nothing of b
        assert_eq!(coherence("c d"), -1.0);
        assert_eq!(coherence("a unseen"), -1.0);
        assert_eq!(coherence("a x"), 0.0);
        assert!(coherence("b").is_nan() && coherence("b b").is_nan());
        assert!(npmi(&[topic("a b")], &[], Unit::Words)[0] == -1.0);
    }

    #[test]
    fn equals_the_definition_on_random_texts() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut draw = |n: usize| -> Vec<String> {
            (0..n).map(|_| char::from(b'a' + rng.random_range(0..8)).to_string()).collect()
        };
        let texts: Vec<String> = (0..200).map(|_| draw(4).join(" ")).collect();
        let topics = [topic("a b c d"), topic("e f g h")];
        for (topic, found) in topics.iter().zip(npmi(&topics, &texts, Unit::Words)) {
            let p = |words: &[&String]| {
                texts.iter().filter(|t| words.iter().all(|w| t.contains(w.as_str()))).count() as f64 / 200.0
            };
            let pairs: Vec<(&String, &String)> =
                (0..4).flat_map(|i| (0..i).map(move |j| (i, j))).map(|(i, j)| (&topic[i], &topic[j])).collect();
            let of = |(a, b): (&String, &String)| (p(&[a, b]) / (p(&[a]) * p(&[b]))).ln() / -p(&[a, b]).ln();
            let expected = pairs.iter().map(|&pair| of(pair)).sum::<f64>() / 6.0;
            assert!((found - expected).abs() < 1e-12, "{found} {expected}");
        }
    }

    #[test]
    fn diversity_counts_the_top_words_only() {
        let topics = [topic("a b c"), topic("a d c")];
        assert_eq!(topic_diversity(&topics, 2), 0.75);
        assert_eq!(topic_diversity(&topics, 10), 4.0 / 6.0);
        assert!(topic_diversity(&[], 10).is_nan());
    }
}
