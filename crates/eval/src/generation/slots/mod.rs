//! Slot error: what a text that describes data leaves out, gets wrong or makes up (Wen et al. 2015).
//!
//! A meaning is a list of slots with values, `name[Blue Spice], area[riverside]`. A text is searched for every value that
//! any meaning of the task has, and for those of the built-in `lexicon` by its many ways to say them. Then
//!
//! ```text
//! slot error = (missing + wrong + surplus) / slots
//! ```
//!
//! missing: nothing is said of the slot; wrong: another value of it is; surplus: values of slots that the meaning does
//! not have, or beside the right one. Values outside of the lexicon must stand in the text as they are, but for case,
//! accents, punctuation and a leading "the"; slots that are only ever yes or no cannot be found so and are not counted.

mod lexicon;
mod meaning;

use std::collections::{BTreeMap, BTreeSet};

use regex::Regex;
use serde::Serialize;

use meaning::plain;
pub use meaning::{Meaning, MeaningError};

use super::tokenisation::rule;
use crate::bootstrap::Counts;

/// Errors, by kind, and the slots that could be right.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct SlotCounts {
    /// Nothing was said of the slot.
    pub missing: u64,
    /// Another value was said.
    pub wrong: u64,
    /// More was said.
    pub surplus: u64,
    /// Slots of the meanings.
    pub slots: u64,
}

impl Counts for SlotCounts {
    fn merge(&mut self, other: &Self) {
        self.missing += other.missing;
        self.wrong += other.wrong;
        self.surplus += other.surplus;
        self.slots += other.slots;
    }
}

impl SlotCounts {
    /// Slot error, 0 upwards; lower is better; NaN without a slot.
    pub fn score(&self) -> f64 {
        100.0 * (self.missing + self.wrong + self.surplus) as f64 / self.slots as f64
    }
}

/// Finds slots in texts.
///
/// ```
/// use strait_eval::generation::{Meaning, Slots};
/// let meaning = Meaning::parse("name[The Anchor], food[Italian], priceRange[cheap], area[riverside]")?;
/// let slots = Slots::new([&meaning]);
/// let counts = slots.counts(&meaning, "The Anchor is an inexpensive Chinese restaurant.");
/// assert_eq!((counts.missing, counts.wrong, counts.surplus, counts.slots), (1, 1, 0, 4));
/// assert_eq!(counts.score(), 50.0);
/// # Ok::<(), strait_eval::generation::MeaningError>(())
/// ```
pub struct Slots {
    values: Vec<Value>,
}

/// A value and how it is said.
struct Value {
    slot: String,
    value: String,
    said: Regex,
}

/// A value that was found at some place of a text.
struct Found<'a> {
    slot: &'a str,
    value: &'a str,
    place: std::ops::Range<usize>,
    /// Whether the meaning has it.
    meant: bool,
}

impl Slots {
    /// Takes up the values that a task's meanings have.
    pub fn new<'a>(meanings: impl IntoIterator<Item = &'a Meaning>) -> Self {
        let mut values = BTreeSet::new();
        for meaning in meanings {
            let spoken = meaning.slots.iter().filter(|(slot, value)| lexicon::has(slot) || !is_truth(value));
            values.extend(spoken.map(|(slot, value)| (slot.clone(), value.clone())));
        }
        // A slot of the lexicon can take any value there, whether a meaning has it or not.
        let slots: BTreeSet<String> = values.iter().map(|(slot, _)| slot.clone()).collect();
        values.extend(lexicon::values().filter(|(slot, _)| slots.contains(slot)));
        let value = |(slot, value): (String, String)| {
            let said = rule(&lexicon::pattern(&slot, &value).unwrap_or_else(|| verbatim(&value)));
            Value { slot, value, said }
        };
        Self { values: values.into_iter().map(value).collect() }
    }

    /// What a text says of a meaning.
    pub fn counts(&self, meaning: &Meaning, text: &str) -> SlotCounts {
        let mut said: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for found in self.find(meaning, &plain(text)) {
            said.entry(found.slot).or_default().insert(found.value);
        }
        let mut counts = SlotCounts::default();
        for (slot, value) in meaning.slots.iter().filter(|(slot, value)| self.knows(slot, value)) {
            counts.slots += 1;
            match said.get_mut(slot.as_str()) {
                None => counts.missing += 1,
                Some(values) => {
                    let right = values.remove(value.as_str());
                    // Any one value that stands for the right one is wrong, all further ones are surplus.
                    if !right {
                        match values.pop_first() {
                            Some(_) => counts.wrong += 1,
                            None => counts.missing += 1,
                        }
                    }
                }
            }
        }
        counts.surplus = said.values().map(|values| values.len() as u64).sum();
        counts
    }

    fn knows(&self, slot: &str, value: &str) -> bool {
        self.values.iter().any(|v| v.slot == slot && v.value == value)
    }

    /// The values in a text. Where places overlap, the longest stays ("Indian" in "Raja Indian Cuisine" is no food); of
    /// equal ones, what is meant.
    fn find<'a>(&'a self, meaning: &Meaning, text: &str) -> Vec<Found<'a>> {
        let mut all: Vec<Found> = Vec::new();
        for Value { slot, value, said } in &self.values {
            let meant = meaning.slots.iter().any(|(s, v)| s == slot && v == value);
            all.extend(said.find_iter(text).map(|m| Found { slot, value, place: m.range(), meant }));
        }
        all.sort_by_key(|f| (std::cmp::Reverse((f.place.len(), f.meant)), f.place.start));
        let mut stay: Vec<Found> = Vec::new();
        for found in all {
            let overlaps = |other: &Found| found.place.start < other.place.end && other.place.start < found.place.end;
            if !stay.iter().any(overlaps) {
                stay.push(found);
            }
        }
        stay
    }
}

/// The pattern of a value that is said as it stands.
fn verbatim(value: &str) -> String {
    let words = value.strip_prefix("the ").unwrap_or(value);
    let edge = |c: Option<char>| if c.is_some_and(|c| c.is_ascii_alphanumeric()) { r"\b" } else { "" };
    format!("{}{}{}", edge(words.chars().next()), regex::escape(words), edge(words.chars().next_back()))
}

fn is_truth(value: &str) -> bool {
    ["yes", "no", "true", "false"].contains(&value)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Missing, wrong, surplus.
    fn errors(meaning: &str, text: &str) -> [u64; 3] {
        let others = "name[The Old Mill], near[Corner Café], name[Lark & Vine], near[The Old Mill]";
        let meaning = Meaning::parse(meaning).unwrap();
        let counts = Slots::new([&meaning, &Meaning::parse(others).unwrap()]).counts(&meaning, text);
        [counts.missing, counts.wrong, counts.surplus]
    }

    #[test]
    fn names_are_found_as_they_stand() {
        let meaning = "name[The Old Mill], near[Corner Café]";
        assert_eq!(errors(meaning, "old mill stands by the corner cafe ."), [0, 0, 0]);
        assert_eq!(errors(meaning, "Lark and Vine is near the Corner Café."), [1, 0, 0]);
        assert_eq!(errors(meaning, "Lark & Vine is near the Corner Café."), [0, 1, 0]);
        assert_eq!(errors(meaning, "The Old Milliner is near Corner Café."), [1, 0, 0]);
    }

    #[test]
    fn one_place_is_one_value() {
        // A coffee shop is not said by "Café" in a name, nor a place nearby by the name itself.
        assert_eq!(errors("name[Corner Café], eatType[pub]", "Corner Café is a pub"), [0, 0, 0]);
        assert_eq!(errors("name[The Old Mill], area[riverside]", "The Old Mill at the river"), [0, 0, 0]);
    }

    #[test]
    fn slots_of_yes_and_no_outside_of_the_lexicon_are_not_counted() {
        let meaning = Meaning::parse("parking[yes], colour[red]").unwrap();
        let counts = Slots::new([&meaning]).counts(&meaning, "it is red");
        assert_eq!(counts, SlotCounts { slots: 1, ..SlotCounts::default() });
    }

    #[test]
    fn values_in_chinese_are_found() {
        let meaning = Meaning::parse("城市[北京], 天气[晴]").unwrap();
        assert_eq!(Slots::new([&meaning]).counts(&meaning, "北京今天多云。").missing, 1);
    }
}
