//! What is known of texts beside their labels, so that directions can leave it alone.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use strait_latent::{
    Labels, Probe,
    direction::{self, Direction, Effect, Pattern},
    probe::CrossValidation,
};

use crate::{Collection, Error};

/// Texts that a class must have to be told from others: one for each part of the cross-validation.
const FEWEST: usize = 5;

/// A column of a collection's texts. It is numeric if all its values are numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    /// The column's name.
    pub name: String,
    /// The value of each text, in order; none where it is not known.
    pub values: Vec<Option<String>>,
}

/// What strength 1 of a direction does to one class of an attribute.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SideEffect {
    pub attribute: String,
    /// One of the attribute's labels; of numbers `high`, the upper half.
    pub class: String,
    /// Mean probability of the class over the texts, by a probe that knows nothing of the removal: before,
    pub before: f64,
    /// after,
    pub after: f64,
    /// and after the direction that leaves only what else is removed alone, and not the attributes.
    pub unless_removed: f64,
}

/// An attribute as the latents of a collection show it.
pub(super) struct Shown {
    name: String,
    pub pattern: Pattern,
    probe: Probe,
}

impl Attribute {
    /// How the latents of `collection`, whose texts it belongs to, show it. Classes of fewer than five texts are left out.
    ///
    /// # Errors
    /// [`Error::Attribute`] if there is not a value for each text, or there are not two classes or numbers that differ.
    pub(super) fn shown(&self, collection: &Collection, seed: u64) -> Result<Shown, Error> {
        let fault = |why: String| Error::Attribute { name: self.name.clone(), why };
        if self.values.len() != collection.len() {
            return Err(fault(format!("has {} values for {} texts", self.values.len(), collection.len())));
        }
        let known = |(row, value): (usize, &Option<String>)| {
            let value = value.as_deref()?.trim();
            (!value.is_empty()).then(|| (row, value.to_owned()))
        };
        let (mut rows, mut values): (Vec<usize>, Vec<String>) =
            self.values.iter().enumerate().filter_map(known).unzip();
        let numbers: Option<Vec<f64>> = values.iter().map(|v| v.parse().ok().filter(|x: &f64| x.is_finite())).collect();
        match &numbers {
            Some(numbers) => values = halves(numbers).map(String::from).collect(),
            None => (rows, values) = frequent(&rows, &values),
        }
        let labels = Labels::from_texts(&values);
        if labels.classes() < 2 || labels.counts().iter().any(|&n| n < FEWEST) {
            return Err(fault(format!(
                "does not differ enough: it takes two labels with {FEWEST} texts each, or as many numbers above and below \
                 their median"
            )));
        }
        let latents = collection.matrix()?.select(&rows)?;
        let attribute = match &numbers {
            Some(numbers) => direction::Attribute::Numeric(numbers),
            None => direction::Attribute::Categorical(&labels),
        };
        let how = CrossValidation { folds: FEWEST, seed, ..CrossValidation::default() };
        Ok(Shown {
            name: self.name.clone(),
            pattern: Pattern::new(&self.name, latents.view(), attribute)?,
            probe: how.fit(latents.view(), &labels)?,
        })
    }
}

impl Shown {
    /// What a direction does to it, and what `plain`, of which it was not removed, would. Of two classes the second stands
    /// for both, but of numbers the upper half.
    pub fn effects(
        &self,
        (direction, plain): (&Direction, &Direction),
        rows: strait_latent::Matrix,
    ) -> Result<Vec<SideEffect>, Error> {
        let changed = direction::effects(direction, &self.probe, rows)?;
        let unless = direction::effects(plain, &self.probe, rows)?;
        let effect = |(e, u): (Effect, Effect)| SideEffect {
            attribute: self.name.clone(),
            class: e.class,
            before: e.before,
            after: e.after,
            unless_removed: u.after,
        };
        let mut all: Vec<SideEffect> = changed.into_iter().zip(unless).map(effect).collect();
        if all.len() == 2 {
            all.remove(usize::from(all[0].class == HALVES[1]));
        }
        Ok(all)
    }
}

/// Names of the halves of numbers.
const HALVES: [&str; 2] = ["low", "high"];

/// Which half each number belongs to, as even as ties allow.
fn halves(numbers: &[f64]) -> impl Iterator<Item = &'static str> {
    let mut sorted = numbers.to_vec();
    sorted.sort_by(f64::total_cmp);
    let median = sorted.get(sorted.len() / 2).copied().unwrap_or(0.0);
    let (below, above) =
        (sorted.iter().filter(|x| **x < median).count(), sorted.iter().filter(|x| **x > median).count());
    // The median itself goes to the smaller side.
    let high = move |x: f64| x > median || (x == median && above < below);
    numbers.iter().map(move |&x| HALVES[usize::from(high(x))])
}

/// The rows and values of values that are frequent enough.
fn frequent(rows: &[usize], values: &[String]) -> (Vec<usize>, Vec<String>) {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    values.iter().for_each(|v| *counts.entry(v).or_default() += 1);
    rows.iter().copied().zip(values.iter().cloned()).filter(|(_, v)| counts[v.as_str()] >= FEWEST).unzip()
}

#[cfg(test)]
mod tests {
    use strait_latent::{Gaussian, direction::DirectionOptions, direction::Sides};
    use strait_text::{
        Record,
        grammar::{Factor, Grammar, Language, Sentence},
    };

    use super::*;
    use crate::Latents;

    /// Sentences of a made corpus with latents that show their factors by hand: a dimension for the language, one for the
    /// tense that leans towards the language's, one for the number of characters, and the rest of them noise.
    fn collection(sentences: &[Sentence]) -> Collection {
        let noise = |i: usize, j: usize| ((i * 7919 + j * 104_729) % 1009) as f32 / 1009.0 - 0.5;
        let row = |(i, s): (usize, &Sentence)| {
            let (past, chinese) = (f32::from(is_past(s)), f32::from(s.language == Language::Chinese));
            [past + chinese, chinese, s.text.chars().count() as f32 / 10.0, 0.0]
                .into_iter()
                .enumerate()
                .map(move |(j, v)| v + noise(i, j))
        };
        let data = sentences.iter().enumerate().flat_map(row).collect();
        let record = |s: &Sentence| Record {
            text: s.text.clone(),
            label: Some(if is_past(s) { "past" } else { "other" }.into()),
        };
        Collection::new(
            crate::collection::Source::made(),
            sentences.iter().map(record).collect(),
            Latents::new(data, 4),
        )
        .unwrap()
    }

    fn is_past(sentence: &Sentence) -> bool {
        sentence.label(Factor::Tense) == "past"
    }

    /// Mostly past in Chinese, mostly not in English, so that the tense looks like the language.
    fn sentences() -> Vec<Sentence> {
        let all = Grammar::default().corpus(2000, None, 5);
        let leans = |(i, s): &(usize, &Sentence)| (is_past(s) == (s.language == Language::Chinese)) || i % 4 == 0;
        all.iter().enumerate().filter(leans).map(|(_, s)| s.clone()).take(600).collect()
    }

    fn column(name: &str, sentences: &[Sentence], value: impl Fn(&Sentence) -> String) -> Attribute {
        Attribute { name: name.into(), values: sentences.iter().map(|s| Some(value(s))).collect() }
    }

    #[test]
    fn removed_attributes_stay_and_others_move() {
        let sentences = sentences();
        let texts = collection(&sentences);
        let language = column("language", &sentences, |s| s.label(Factor::Language).into());
        let length = column("letters", &sentences, |s| s.text.chars().count().to_string());
        let (rows, labels) = texts.labelled().unwrap();
        let latents = texts.matrix().unwrap().select(&rows).unwrap();
        let metric = Gaussian::fit(texts.matrix().unwrap()).unwrap();
        let sides = Sides::of_class(latents.view(), &labels, 1, None).unwrap();
        let shown = [language.shown(&texts, 1).unwrap(), length.shown(&texts, 1).unwrap()];
        let patterns: Vec<Pattern> = shown.iter().map(|s| s.pattern.clone()).collect();
        let fit = |remove: &[Pattern]| {
            Direction::fit(&sides, &metric, &DirectionOptions { remove, ..DirectionOptions::default() }).unwrap()
        };
        let (removed, plain) = (fit(&patterns), fit(&[]));
        for shown in &shown {
            let effects = shown.effects((&removed, &plain), latents.view()).unwrap();
            let [effect] = &effects[..] else { panic!("{effects:?}") };
            let (moved, unless) = ((effect.after - effect.before).abs(), (effect.unless_removed - effect.before).abs());
            assert!(moved < 0.06 && unless > 3.0 * moved, "{effect:?}");
        }
        // What is not removed is reached all the same.
        assert!(removed.auc > 0.7 && removed.kept < 0.99, "{} {}", removed.auc, removed.kept);
    }

    #[test]
    fn numbers_are_halved_as_evenly_as_ties_allow() {
        let high = |numbers: &[f64]| halves(numbers).map(|half| half == "high").collect::<Vec<_>>();
        assert_eq!(high(&[3.0, 1.0, 2.0, 4.0]), [true, false, false, true]);
        assert_eq!(high(&[0.0, 1.0, 1.0, 1.0]), [false, true, true, true]);
        assert_eq!(high(&[0.0, 0.0, 0.0, 1.0]), [false, false, false, true]);
        assert_eq!(high(&[2.0, 2.0]), [false, false]);
    }

    #[test]
    fn rare_classes_are_left_out_and_constants_refused() {
        let sentences = sentences();
        let texts = collection(&sentences);
        let mut language = column("language", &sentences, |s| s.label(Factor::Language).into());
        language.values[..3].fill(Some("latin".into()));
        language.values[3] = None;
        language.values[4] = Some("  ".into());
        assert_eq!(language.shown(&texts, 1).unwrap().probe.names(), ["en", "zh"]);
        for constant in ["1", "same"] {
            let refused = column("c", &sentences, |_| constant.into()).shown(&texts, 1).err().unwrap().to_string();
            assert!(refused.contains("c: the column does not differ enough"), "{refused}");
        }
        language.values.pop();
        assert!(language.shown(&texts, 1).err().unwrap().to_string().contains("599 values for 600 texts"));
    }
}
