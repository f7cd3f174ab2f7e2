//! Which metrics a test set allows.

use rustc_hash::FxHashSet;

use super::{Metric, MetricOptions, TestSet, Tokenisation};

/// Share of a reference's words that stand in its source from which both are taken for one language: paraphrases share
/// more than half of their words, translations little but names and numbers.
const ONE_LANGUAGE: f64 = 0.4;

impl TestSet {
    /// The metrics that apply: BLEU, chrF2, TER and ROUGE-L; SARI where references and sources are one language; slot error
    /// where sources list slots. Texts without blanks are cut into characters.
    ///
    /// ```
    /// use strait_eval::generation::TestSet;
    /// let set = TestSet::new(vec![vec!["the cat sat on a mat".into()]])?;
    /// let names = |set: &TestSet| set.applicable().iter().map(ToString::to_string).collect::<Vec<_>>();
    /// assert_eq!(names(&set), ["BLEU", "chrF2", "TER", "ROUGE-L"]);
    /// assert_eq!(names(&set.with_sources(vec!["the feline sat on a mat".into()])?)[4], "SARI");
    /// # Ok::<(), strait_eval::generation::TestSetError>(())
    /// ```
    pub fn applicable(&self) -> Vec<Metric> {
        let first: Vec<&str> = self.references().iter().map(|all| &all[0][..]).collect();
        let options = MetricOptions { tokenisation: Tokenisation::guess(&first), ..MetricOptions::default() };
        let mut names = vec!["bleu", "chrf", "ter", "rouge-l"];
        match () {
            () if self.has_meanings() => names.push("slots"),
            () if self.shared_words(&first) >= ONE_LANGUAGE => names.push("sari"),
            () => {}
        }
        names.iter().flat_map(|name| Metric::named(name, &options)).collect()
    }

    /// Mean share of the references' words that stand in the source as well; 0 without sources.
    fn shared_words(&self, references: &[&str]) -> f64 {
        let Some(sources) = self.sources() else { return 0.0 };
        let share = |(source, reference): (&String, &&str)| {
            let (source, reference) = (source.to_lowercase(), reference.to_lowercase());
            let known: FxHashSet<&str> = source.split_whitespace().collect();
            let words: Vec<&str> =
                reference.split_whitespace().filter(|w| w.chars().any(char::is_alphabetic)).collect();
            words.iter().filter(|word| known.contains(*word)).count() as f64 / words.len().max(1) as f64
        };
        sources.iter().zip(references).map(share).sum::<f64>() / sources.len() as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(source: &str, reference: &str) -> String {
        let set = TestSet::new(vec![vec![reference.into()]]).unwrap().with_sources(vec![source.into()]).unwrap();
        set.applicable().iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn translations_have_no_sari_and_meanings_have_slot_error() {
        assert_eq!(
            names("der alte Hund schläft in Berlin .", "the old dog sleeps in Berlin ."),
            "BLEU chrF2 TER ROUGE-L"
        );
        assert_eq!(names("the aged dog sleeps .", "The old dog sleeps ."), "BLEU chrF2 TER ROUGE-L SARI");
        assert_eq!(names("eatType[pub], food[Italian]", "An Italian pub ."), "BLEU chrF2 TER ROUGE-L slot error");
    }
}
