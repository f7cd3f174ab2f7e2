//! Figures of a set of sampled texts.

use std::collections::BTreeMap;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use strait_eval::{
    CopiedSample, Diversity, EvalError, Interner, Judge, Memorisation, NEAR_COPY, Passages, References, Repetition,
    Spread, Unit,
};

/// Figures of one set by name; shares are 0..1, lengths in words.
pub(crate) type Figures = BTreeMap<&'static str, f64>;

/// The figures of several sets, one for each seed.
pub(crate) fn spreads(sets: &[Figures]) -> BTreeMap<&'static str, Spread> {
    let names = sets.first().map(|s| s.keys().copied().collect::<Vec<_>>()).unwrap_or_default();
    let values = |name| sets.iter().filter_map(|s| s.get(name).copied()).collect::<Vec<f64>>();
    names.into_iter().map(|name| (name, Spread::new(&values(name)))).collect()
}

/// What needs no training text: variety, repetition, and BLEU against the held-out texts.
pub(crate) struct Observer {
    unit: Unit,
    interner: Interner,
    references: References,
}

impl Observer {
    pub fn new(test: &[String], unit: Unit) -> Self {
        let mut interner = Interner::new();
        let test = interner.encode_all(test, unit);
        Observer { unit, interner, references: References::new(&test) }
    }

    pub fn figures(&self, texts: &[String]) -> Figures {
        let encoded = self.interner.clone().encode_all(texts, self.unit);
        let (diversity, repetition) = (Diversity::new(&encoded), Repetition::new(&encoded));
        BTreeMap::from([
            ("mean_length", diversity.mean_len),
            ("empty", (texts.len() - encoded.len()) as f64 / texts.len().max(1) as f64),
            ("bleu4", self.references.mean_bleu(&encoded)),
            ("self_bleu4", diversity.self_bleu4),
            ("distinct2", diversity.distinct[1]),
            ("unique", diversity.unique),
            ("repeated_bigrams", repetition.rep[1]),
            ("immediate_repetition", repetition.immediate),
        ])
    }
}

/// The Kneser-Ney judge of a training text, and the passages that may be copied from it.
pub(crate) struct KneserNeyJudge {
    observer: Observer,
    judge: Judge,
    /// Of the training text alone: its ids are those of the judge's language model.
    interner: Interner,
    passages: Passages,
    unit: Unit,
}

impl KneserNeyJudge {
    /// # Errors
    /// When a corpus has no sentence.
    pub fn new(train: &[String], test: &[String], unit: Unit) -> Result<Self, EvalError> {
        let judge = Judge::new(train, test, unit)?;
        let mut interner = Interner::new();
        let passages = Passages::new(interner.encode_all(train, unit));
        Ok(KneserNeyJudge { observer: Observer::new(test, unit), judge, interner, passages, unit })
    }

    /// Samples that are judged at most: as many as there are held-out texts.
    pub fn wanted(&self) -> usize {
        self.judge.wanted()
    }

    /// Distinct words of the training text.
    pub fn vocabulary(&self) -> usize {
        self.interner.len() - Interner::new().len()
    }

    /// The figures of a set of at most [`KneserNeyJudge::wanted`] texts.
    pub fn figures(&self, texts: &[String]) -> Figures {
        let report = self.judge.report("", texts);
        let copying = self.memorisation(texts).copying.samples;
        let mut figures = self.observer.figures(texts);
        figures.extend([
            ("kn5_forward_perplexity", report.forward_ppl),
            ("kn5_reverse_perplexity", report.reverse_ppl),
            ("copied", copying.copied),
            ("near_copied", copying.near_copied),
            ("longest_copy_mean", copying.longest_copy_mean),
            ("longest_copy_max", copying.longest_copy_max as f64),
        ]);
        figures
    }

    /// The ceiling: what real text reaches. Held-out texts, but for what compares with the held-out texts, which is
    /// that of as many training texts.
    pub fn real(&self, held_out: &[String], train: &[String]) -> Figures {
        let mut figures = self.figures(held_out);
        let of_train = self.judge.report("", train);
        figures.extend([("kn5_reverse_perplexity", of_train.reverse_ppl), ("bleu4", of_train.bleu4)]);
        figures
    }

    /// The samples that give back most of the training text.
    pub fn worst_copies(&self, texts: &[String], most: usize) -> Vec<CopiedSample> {
        let mut worst = self.memorisation(texts).worst;
        worst.truncate(most);
        worst
    }

    fn memorisation(&self, texts: &[String]) -> Memorisation {
        let mut interner = self.interner.clone();
        let encoded = interner.encode_all(texts, self.unit);
        Memorisation::new(&self.passages, &encoded, &[], NEAR_COPY, &interner, self.unit)
    }

    /// `n` texts drawn from the Kneser-Ney model for each seed, in order.
    pub fn kneser_ney_samples(&self, n: usize, seeds: &[u64]) -> Vec<Vec<String>> {
        let sampler = self.judge.forward_model().sampler();
        let of = |&seed: &u64| -> Vec<String> {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            (0..n).map(|_| self.interner.decode(&sampler.sentence(&mut rng), self.unit)).collect()
        };
        seeds.iter().map(of).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(lines: &[&str]) -> Vec<String> {
        lines.iter().map(|l| (*l).to_owned()).collect()
    }

    #[test]
    fn figures_are_those_of_the_judge_and_what_needs_no_training_text_agrees() {
        let train = texts(&["a dog runs .", "a cat runs .", "the cat sleeps ."]);
        let test = texts(&["the dog sleeps .", "a cat sleeps .", "the cat runs .", "a dog sleeps ."]);
        let judge = KneserNeyJudge::new(&train, &test, Unit::Words).expect("both have sentences");
        let samples = texts(&["a dog runs .", "", "the the dog", "a dog runs ."]);
        let figures = judge.figures(&samples);
        let report = Judge::new(&train, &test, Unit::Words).expect("both have sentences").report("x", &samples);
        for (name, value) in [
            ("kn5_forward_perplexity", report.forward_ppl),
            ("kn5_reverse_perplexity", report.reverse_ppl),
            ("bleu4", report.bleu4),
            ("self_bleu4", report.self_bleu4),
            ("distinct2", report.distinct2),
            ("unique", report.unique),
            ("copied", report.copied),
            ("longest_copy_mean", report.longest_copy_mean),
            ("repeated_bigrams", report.repeated),
            ("mean_length", report.mean_len),
            ("empty", report.empty),
        ] {
            assert!((figures[name] - value).abs() < 1e-12, "{name}: {} {value}", figures[name]);
        }
        assert!((figures["immediate_repetition"] - 1.0 / 3.0).abs() < 1e-12);
        assert_eq!((judge.wanted(), judge.vocabulary()), (4, 7));
        assert_eq!(judge.worst_copies(&samples, 1)[0].times, 2);
        let alone = Observer::new(&test, Unit::Words).figures(&samples);
        assert!(alone.iter().all(|(name, value)| figures[name] == *value));
    }

    #[test]
    fn real_text_compares_training_text_with_held_out_text() {
        let train = texts(&["a dog runs .", "a cat runs ."]);
        let test = texts(&["a dog runs .", "the boat ."]);
        let judge = KneserNeyJudge::new(&train, &test, Unit::Words).expect("both have sentences");
        let real = judge.real(&test, &train);
        assert_eq!(real["copied"], 0.5);
        assert_eq!(real["bleu4"], judge.figures(&train)["bleu4"]);
        assert_eq!(real["kn5_forward_perplexity"], judge.figures(&test)["kn5_forward_perplexity"]);
    }

    #[test]
    fn kneser_ney_samples_follow_their_seed_and_use_its_words() {
        let train = texts(&["a dog runs .", "a cat runs .", "the cat sleeps ."]);
        let judge = KneserNeyJudge::new(&train, &train, Unit::Words).expect("both have sentences");
        let sets = judge.kneser_ney_samples(30, &[1, 2, 1]);
        assert_eq!(sets[0], sets[2]);
        assert_ne!(sets[0], sets[1]);
        let judged = Judge::new(&train, &train, Unit::Words).expect("both have sentences");
        assert_eq!(judged.kn_row(1).n, 3);
        assert_eq!(judged.report("kn5", &sets[0][..3]).mean_len, judged.kn_row(1).mean_len);
    }

    #[test]
    fn spreads_are_over_the_sets() {
        let sets = [BTreeMap::from([("a", 1.0)]), BTreeMap::from([("a", 3.0)])];
        assert_eq!(spreads(&sets)["a"].mean, 2.0);
        assert!(spreads(&[]).is_empty());
    }
}
