//! BLEU of plain texts as sacreBLEU computes it (Post 2018), with its signature.

use super::signature::sacrebleu_signature;
use super::tokenisation::Tokenisation;
use crate::bleu::{BleuCounts, Smoothing};
use crate::units::{Interner, Unit};

/// How BLEU is computed. The default is sacreBLEU's.
///
/// ```
/// use strait_eval::generation::Bleu;
/// let bleu = Bleu::default();
/// // "." is a word: 6 of 6 words, 4 of 5 pairs, 2 of 4 threes are found, and none of 3 fours, which counts as a half.
/// let counts = bleu.counts("A red kite flies high.", &["A red kite sails.", "One kite flies high today."]);
/// let expected = 100.0 * (6.0 / 6.0 * 4.0 / 5.0 * 2.0 / 4.0 * 0.5 / 3.0f64).powf(0.25);
/// assert!((bleu.score(&counts) - expected).abs() < 1e-9);
/// assert_eq!(bleu.signature("2"), "nrefs:2|case:mixed|eff:no|tok:13a|smooth:exp|version:2.6.0");
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Bleu {
    /// How texts are cut into words.
    pub tokenisation: Tokenisation,
    /// Upper and lower case are one.
    pub lowercase: bool,
    /// What stands for orders without a match.
    pub smoothing: Smoothing,
    /// The mean is over the orders only of which a hypothesis has n-grams: for single sentences.
    pub effective_order: bool,
}

impl Bleu {
    /// What single sentences are scored by, as sacreBLEU does: smoothing `exp`, effective order.
    pub fn of_sentences(tokenisation: Tokenisation) -> Self {
        Bleu { tokenisation, effective_order: true, ..Bleu::default() }
    }

    /// The counts of one hypothesis and its references; those of a corpus are their sum.
    pub fn counts<R: AsRef<str>>(&self, hypothesis: &str, references: &[R]) -> BleuCounts {
        let mut interner = Interner::new();
        let mut ids = |text: &str| interner.encode(&self.words(text), Unit::Words);
        let references: Vec<Vec<u32>> = references.iter().map(|r| ids(r.as_ref())).collect();
        BleuCounts::against(&ids(hypothesis), &references)
    }

    /// BLEU of counts, 0..100.
    pub fn score(&self, counts: &BleuCounts) -> f64 {
        counts.smoothed(self.smoothing, self.effective_order)
    }

    /// BLEU of one sentence, 0..100, best with [`Bleu::of_sentences`].
    pub fn sentence<R: AsRef<str>>(&self, hypothesis: &str, references: &[R]) -> f64 {
        self.score(&self.counts(hypothesis, references))
    }

    /// The signature, `references` being their number or `var`.
    pub fn signature(&self, references: &str) -> String {
        let smoothing = match self.smoothing {
            Smoothing::None => "none".into(),
            Smoothing::Exp => "exp".into(),
            Smoothing::Floor(x) => format!("floor[{x:.2}]"),
            Smoothing::AddK(k) => format!("add-k[{k:.2}]"),
        };
        sacrebleu_signature(
            references,
            &[
                ("case", if self.lowercase { "lc" } else { "mixed" }),
                ("eff", if self.effective_order { "yes" } else { "no" }),
                ("tok", self.tokenisation.name()),
                ("smooth", &smoothing),
            ],
        )
    }

    fn words(&self, text: &str) -> String {
        match self.lowercase {
            true => self.tokenisation.apply(&text.to_lowercase()),
            false => self.tokenisation.apply(text),
        }
    }
}
