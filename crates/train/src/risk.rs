//! How bad a text is for a reference: what minimum risk training minimises.

use strait_eval::{
    Interner, References, Unit,
    generation::{Chrf, Meaning, Rouge, Shared, Slots},
};
use strait_model::config::RiskMetric;
use strait_text::Tokenizer;

use crate::step::Lesson;

/// A metric over the texts of a batch.
pub(crate) struct Judge<'a> {
    tokenizer: &'a Tokenizer,
    unit: Unit,
    references: Vec<String>,
    measure: Measure,
}

enum Measure {
    Bleu,
    Chrf(Chrf),
    Rouge(Rouge),
    /// What each source of the batch means. Values that none of them has are known from the lexicon alone.
    Slots(Slots, Vec<Option<Meaning>>),
}

impl<'a> Judge<'a> {
    /// For sources and their references, as ids.
    pub(crate) fn new(metric: RiskMetric, lesson: Lesson<'a>, sources: &[&[u32]], references: &[&[u32]]) -> Self {
        let texts = |tokenizer: &Tokenizer, all: &[&[u32]]| all.iter().map(|ids| tokenizer.decode(ids)).collect();
        let measure = match metric {
            RiskMetric::Bleu => Measure::Bleu,
            RiskMetric::Chrf => Measure::Chrf(Chrf { words: false, lowercase: false }),
            RiskMetric::RougeL => {
                Measure::Rouge(Rouge { shared: Shared::Subsequence, chinese: lesson.unit == Unit::Chars })
            }
            RiskMetric::Slots => {
                let sources: Vec<String> = texts(lesson.source_tokenizer, sources);
                let meanings: Vec<_> = sources.iter().map(|source| Meaning::parse(source).ok()).collect();
                Measure::Slots(Slots::new(meanings.iter().flatten()), meanings)
            }
        };
        let references = texts(lesson.tokenizer, references);
        Judge { tokenizer: lesson.tokenizer, unit: lesson.unit, references, measure }
    }

    /// The risk of a candidate for the i-th source, 0..1.
    pub(crate) fn risk(&self, i: usize, candidate: &[u32]) -> f64 {
        let text = self.tokenizer.decode(candidate);
        let reference = &self.references[i..=i];
        match &self.measure {
            Measure::Bleu => 1.0 - self.sentence_bleu(&text, &reference[0]),
            Measure::Chrf(chrf) => 1.0 - chrf.sentence(&text, reference) / 100.0,
            Measure::Rouge(rouge) => 1.0 - rouge.sentence(&text, reference) / 100.0,
            Measure::Slots(slots, meanings) => meanings[i].as_ref().map_or(0.0, |meaning| {
                let counts = slots.counts(meaning, &text);
                let wrong = counts.missing + counts.wrong + counts.surplus;
                (wrong as f64 / counts.slots.max(1) as f64).min(1.0)
            }),
        }
    }

    /// BLEU-4 of a candidate against one reference, 0..1, smoothed as [`References`] says.
    fn sentence_bleu(&self, candidate: &str, reference: &str) -> f64 {
        let mut interner = Interner::new();
        let mut units = |text: &str| interner.encode(text, self.unit);
        let (candidate, reference) = (units(candidate), units(reference));
        match (candidate.is_empty(), reference.is_empty()) {
            (true, _) | (_, true) => f64::from(u8::from(candidate.is_empty() && reference.is_empty())),
            _ => References::new(&[reference]).sentence_bleu(&candidate),
        }
    }
}

#[cfg(test)]
mod tests {
    use strait_text::TokenizerKind;

    use super::*;

    #[test]
    fn what_is_right_costs_nothing_and_what_is_wrong_up_to_1() {
        let texts = ["name[The Anchor], food[Italian], area[riverside]", "The Anchor is Italian, in riverside.", "no"];
        let tokenizer = Tokenizer::train(TokenizerKind::Word, None, texts.into_iter()).unwrap();
        let tokenizer = match tokenizer.decode(&tokenizer.encode(texts[0])) == texts[0] {
            true => tokenizer,
            false => Tokenizer::train(TokenizerKind::default(), Some(300), texts.into_iter()).unwrap(),
        };
        let [source, right, wrong] = texts.map(|text| tokenizer.encode(text));
        let lesson = Lesson {
            texts: &[],
            sources: None,
            tokenizer: &tokenizer,
            source_tokenizer: &tokenizer,
            unit: Unit::Words,
            longest: 0,
        };
        for metric in [RiskMetric::Bleu, RiskMetric::Chrf, RiskMetric::RougeL, RiskMetric::Slots] {
            let judge = Judge::new(metric, lesson, &[&source], &[&right]);
            assert!(judge.risk(0, &right) < 1e-9, "{metric:?}: {}", judge.risk(0, &right));
            let risk = judge.risk(0, &wrong);
            assert!(risk > 0.9 && risk <= 1.0, "{metric:?}: {risk}");
        }
    }
}
