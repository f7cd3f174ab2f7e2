//! The figures of samples: what they are called, how many digits they have, what a good one is.

/// A figure as people read it.
pub(crate) struct Named {
    /// Its name in JSON.
    pub key: &'static str,
    pub label: &'static str,
    pub digits: usize,
    /// Shown times 100.
    pub percent: bool,
    /// What good looks like.
    pub good: &'static str,
}

const fn named(key: &'static str, label: &'static str, digits: usize, percent: bool, good: &'static str) -> Named {
    Named { key, label, digits, percent, good }
}

/// All of them, in the order of the report.
pub(crate) const FIGURES: [Named; 17] = [
    named("kn5_forward_perplexity", "forward perplexity, KN-5", 1, false, "near real text's; lower is bland"),
    named("kn5_reverse_perplexity", "reverse perplexity, KN-5", 1, false, "near real text's"),
    named("lstm_forward_perplexity", "forward perplexity, LSTM", 1, false, "near real text's; lower is bland"),
    named("lstm_reverse_perplexity", "reverse perplexity, LSTM", 1, false, "near real text's"),
    named("unknown_words", "words unknown to the LSTM, %", 2, true, "near real text's"),
    named("bleu4", "BLEU-4 to held-out, %", 1, true, "near real text's"),
    named("self_bleu4", "self-BLEU-4, %", 1, true, "near real text's; higher is alike"),
    named("distinct2", "distinct-2, %", 1, true, "near real text's"),
    named("unique", "unique texts, %", 1, true, "near real text's"),
    named("repeated_bigrams", "bigrams repeated in a text, %", 1, true, "near real text's"),
    named("immediate_repetition", "texts that stutter, %", 1, true, "near real text's"),
    named("copied", "copied from train, %", 2, true, "not above real text's"),
    named("near_copied", "within one edit in five, %", 2, true, "not above real text's"),
    named("longest_copy_mean", "longest copied passage, mean", 2, false, "not above real text's"),
    named("longest_copy_max", "longest copied passage, most", 0, false, "not above real text's"),
    named("mean_length", "words", 1, false, "near real text's"),
    named("empty", "empty texts, %", 2, true, "0"),
];
