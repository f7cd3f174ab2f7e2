//! How alike the two sides of pairs are: by their letters, and by the words that a target keeps of its source.

use std::collections::{BTreeMap, HashMap, HashSet};

use strait_eval::Unit;

/// Letters looked at.
const LETTERS: usize = 200_000;
/// Pairs looked at.
const PAIRS: usize = 5_000;

/// How much of two sides' letters is the same: `sum over letters of min(share of one, share of the other)`.
pub(crate) fn shared_letters(sources: &[String], targets: &[String]) -> f64 {
    let shares = |texts: &[String]| -> HashMap<char, f64> {
        let letters = texts.iter().flat_map(|t| t.chars()).filter(|c| c.is_alphabetic()).take(LETTERS);
        let mut counts = HashMap::new();
        letters.flat_map(char::to_lowercase).for_each(|c| *counts.entry(c).or_insert(0.0) += 1.0);
        let all: f64 = counts.values().sum();
        counts.values_mut().for_each(|n| *n /= all.max(1.0));
        counts
    };
    let (a, b) = (shares(sources), shares(targets));
    // In one order, so that the sum is the same each time.
    let a: BTreeMap<char, f64> = a.into_iter().collect();
    a.iter().filter_map(|(c, share)| b.get(c).map(|other| share.min(*other))).sum()
}

/// The share of the targets' different words (characters in scripts without blanks) that stand in their own source, less the share
/// that stands in another one: what is kept beyond the words that all texts have.
pub(crate) fn kept_words(sources: &[String], targets: &[String]) -> f64 {
    let unit = Unit::guess(targets);
    let n = targets.len();
    // Pairs from all over: neighbours are often alike, and are no other source then.
    let stride = n.div_ceil(PAIRS).max(1);
    let words = |text: &'_ String| -> HashSet<String> { unit.split(text).into_iter().map(str::to_lowercase).collect() };
    let (mut all, mut own, mut others) = (0, 0, 0);
    for i in (0..n).step_by(stride) {
        let [source, other] = [&sources[i], &sources[(i + n / 2) % n]].map(words);
        for word in words(&targets[i]) {
            all += 1;
            own += u32::from(source.contains(&word));
            others += u32::from(other.contains(&word));
        }
    }
    (f64::from(own) - f64::from(others)) / f64::from(all.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(lines: &[&str]) -> Vec<String> {
        lines.iter().map(|l| l.to_string()).collect()
    }

    #[test]
    fn languages_share_letters_and_scripts_do_not() {
        let english = texts(&["the small dog sleeps in the old garden"; 20]);
        let german = texts(&["der kleine hund schläft in dem alten garten"; 20]);
        let chinese = texts(&["狗在睡觉"; 20]);
        assert!(shared_letters(&english, &german) > 0.5);
        assert_eq!(shared_letters(&english, &chinese), 0.0);
        assert!((shared_letters(&english, &english) - 1.0).abs() < 1e-9);
    }

    #[test]
    fn words_of_all_texts_are_not_kept() {
        let sources = texts(&["the dog ran", "the cat sat", "the horse ate", "the goose flew"]);
        // By hand: 2 of 3 words are the source's own, the third is everyone's.
        assert!((kept_words(&sources, &sources) - 2.0 / 3.0).abs() < 1e-9);
        // 1 of 3 ("dog"; "The" is everyone's), none elsewhere: 1 of 12 words.
        let targets = texts(&["The dog is", "a b c", "d e f", "g h i"]);
        assert!((kept_words(&sources, &targets) - 1.0 / 12.0).abs() < 1e-9);
        let chinese = texts(&["我爱猫", "他看书", "她唱歌", "你跑步"]);
        assert!((kept_words(&chinese, &chinese) - 1.0).abs() < 1e-9);
    }
}
