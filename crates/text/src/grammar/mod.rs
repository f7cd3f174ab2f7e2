//! A sample corpus that the program makes by itself: English and Chinese sentences with labels.
//!
//! A probabilistic grammar without recursion (`en.grammar`, `zh.grammar`, read by `rules.rs`) draws
//! the labels evenly and independently, then a sentence that shows them all. No two derivations
//! spell the same text (`proof.rs`), so that probability and entropy are exact:
//!
//! `ln P(text | language) = -ln(number of label combinations) + sum over choices of ln(weight / total)`
//!
//! and no model can reach fewer nats per sentence than [`Grammar::entropy`]. As each text shows its
//! labels, the mutual information of text and label is [`Grammar::factor_entropy`].

mod factors;
mod parse;
#[cfg(test)]
mod proof;
mod rules;
#[cfg(test)]
mod tests;
mod write;

use std::sync::LazyLock;

use rand::{Rng, RngExt as _};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng as _;
use serde::{Deserialize, Serialize};

pub use factors::{Factor, Language, Number, Sentiment, Tense, Topic};
pub use write::write;

use factors::Labels;
use parse::Parser;
use rules::{Item, Symbols};

const ENGLISH: &str = include_str!("en.grammar");
const CHINESE: &str = include_str!("zh.grammar");

/// A sentence and its labels.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Sentence {
    /// The sentence, with capital and full stop.
    pub text: String,
    /// What it is about.
    pub topic: Topic,
    /// How it is judged.
    pub sentiment: Sentiment,
    /// When it happens.
    pub tense: Tense,
    /// The number of its subject.
    pub number: Number,
    /// Its language.
    pub language: Language,
}

impl Sentence {
    /// The name of the label's value.
    pub fn label(&self, factor: Factor) -> &'static str {
        match factor {
            Factor::Topic => self.topic.name(),
            Factor::Sentiment => self.sentiment.name(),
            Factor::Tense => self.tense.name(),
            Factor::Number => self.number.name(),
            Factor::Language => self.language.name(),
        }
    }
}

impl AsRef<str> for Sentence {
    fn as_ref(&self) -> &str {
        &self.text
    }
}

/// The grammar of the sample corpus; [`Grammar::default`] is the only one.
///
/// ```
/// use strait_text::grammar::{Grammar, Language};
///
/// let grammar = Grammar::default();
/// let corpus = grammar.corpus(3, Some(Language::English), 7);
/// assert_eq!(corpus, grammar.corpus(3, Some(Language::English), 7));
/// assert!(grammar.log_prob(&corpus[0].text, Some(Language::English)).is_some());
/// assert_eq!(grammar.log_prob("Soup the cooks.", None), None);
/// ```
#[derive(Debug, Clone)]
pub struct Grammar {
    english: Symbols,
    chinese: Symbols,
}

impl Default for Grammar {
    fn default() -> Self {
        static BUILT: LazyLock<Grammar> = LazyLock::new(|| {
            // The sources are part of the program, and the tests build both.
            let build = |source, blanks| rules::build(source, blanks).expect("the built-in grammar is well formed");
            Grammar { english: build(ENGLISH, true), chinese: build(CHINESE, false) }
        });
        BUILT.clone()
    }
}

impl Grammar {
    /// A sentence in either language, each with probability one half.
    pub fn sentence(&self, rng: &mut impl Rng) -> Sentence {
        let language = Language::ALL[rng.random_range(0..2u32) as usize];
        self.sentence_in(language, rng)
    }

    /// A sentence in `language`.
    pub fn sentence_in(&self, language: Language, rng: &mut impl Rng) -> Sentence {
        let symbols = self.symbols(language);
        let (labels, root) = symbols.roots[rng.random_range(0..symbols.roots.len() as u32) as usize];
        let mut text = String::new();
        draw(symbols, root, rng, &mut text);
        labelled(surface(&text, language), labels, language)
    }

    /// `n` independent sentences, in `language` or in both; the same for the same seed.
    pub fn corpus(&self, n: usize, language: Option<Language>, seed: u64) -> Vec<Sentence> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut next = || match language {
            Some(language) => self.sentence_in(language, &mut rng),
            None => self.sentence(&mut rng),
        };
        (0..n).map(|_| next()).collect()
    }

    /// The entropy of a sentence of [`Self::corpus`], in nats: of its text, of its derivation, and
    /// of text and labels together, which are all the same.
    pub fn entropy(&self, language: Option<Language>) -> f64 {
        match language {
            Some(language) => entropy(self.symbols(language)),
            // No text is in both languages.
            None => {
                let each = Language::ALL.iter().map(|&l| entropy(self.symbols(l)));
                self.factor_entropy(Factor::Language) + each.sum::<f64>() / Language::ALL.len() as f64
            }
        }
    }

    /// The entropy of a label, in nats, which is also its mutual information with the text: each
    /// value is as likely as any other, and can be read off the text. (The language's is 0 in a
    /// corpus of one.)
    pub fn factor_entropy(&self, factor: Factor) -> f64 {
        (factor.values().len() as f64).ln()
    }

    /// The natural logarithm of the probability that a sentence of [`Self::corpus`] is `text`;
    /// `None` when it cannot be.
    pub fn log_prob(&self, text: &str, language: Option<Language>) -> Option<f64> {
        let reading = self.parse(text)?;
        match language {
            Some(language) => (language == reading.sentence.language).then(|| reading.probability.ln()),
            None => Some(reading.probability.ln() - self.factor_entropy(Factor::Language)),
        }
    }

    /// `text` with the labels read off it; `None` when it is no sentence of the grammar.
    pub fn read(&self, text: &str) -> Option<Sentence> {
        self.parse(text).map(|r| r.sentence)
    }

    /// How many distinct sentences there are in `language`.
    pub fn size(&self, language: Language) -> u128 {
        let symbols = self.symbols(language);
        let mut sizes: Vec<u128> = Vec::with_capacity(symbols.list.len());
        for symbol in &symbols.list {
            let size = |item: &Item| match item {
                Item::Text(_) => 1,
                Item::Symbol(s) => sizes[*s as usize],
            };
            sizes.push(symbol.iter().map(|a| a.items.iter().map(size).product::<u128>()).sum());
        }
        symbols.roots.iter().map(|(_, root)| sizes[*root as usize]).sum()
    }

    fn symbols(&self, language: Language) -> &Symbols {
        match language {
            Language::English => &self.english,
            Language::Chinese => &self.chinese,
        }
    }

    fn parse(&self, text: &str) -> Option<Reading> {
        let language = if text.is_ascii() { Language::English } else { Language::Chinese };
        let symbols = self.symbols(language);
        let mut found: Option<Reading> = None;
        for deep in deep(text, language) {
            let mut parser = Parser::new(symbols, &deep);
            for &(labels, root) in &symbols.roots {
                let Some(e) = parser.whole(root) else { continue };
                let probability = e.probability / symbols.roots.len() as f64;
                let reading = found.get_or_insert_with(|| Reading {
                    sentence: labelled(text.to_owned(), labels, language),
                    probability: 0.0,
                    derivations: 0,
                });
                reading.probability += probability;
                reading.derivations += e.derivations;
            }
        }
        found
    }
}

/// What a text turns out to be.
struct Reading {
    sentence: Sentence,
    /// Given the language.
    probability: f64,
    /// Always 1, as the tests show.
    derivations: u64,
}

fn labelled(text: String, labels: Labels, language: Language) -> Sentence {
    let Labels { topic, sentiment, tense, number } = labels;
    Sentence { text, topic, sentiment, tense, number, language }
}

fn draw(symbols: &Symbols, symbol: u32, rng: &mut impl Rng, text: &mut String) {
    let alternatives = &symbols.list[symbol as usize];
    let total: u32 = alternatives.iter().map(|a| a.weight).sum();
    let mut ticket = rng.random_range(0..total);
    for alternative in alternatives {
        if ticket >= alternative.weight {
            ticket -= alternative.weight;
            continue;
        }
        for item in &alternative.items {
            match item {
                Item::Text(word) => text.push_str(word),
                Item::Symbol(s) => draw(symbols, *s, rng, text),
            }
        }
        return;
    }
}

/// `H(symbol) = sum over alternatives of p * (-ln p + sum of H(items))`; a sentence's labels are
/// even.
fn entropy(symbols: &Symbols) -> f64 {
    let mut entropies: Vec<f64> = Vec::with_capacity(symbols.list.len());
    for symbol in &symbols.list {
        let total: f64 = symbol.iter().map(|a| f64::from(a.weight)).sum();
        let of = |item: &Item| match item {
            Item::Text(_) => 0.0,
            Item::Symbol(s) => entropies[*s as usize],
        };
        let each = symbol.iter().map(|a| {
            let p = f64::from(a.weight) / total;
            p * (a.items.iter().map(of).sum::<f64>() - p.ln())
        });
        entropies.push(each.sum());
    }
    let roots = symbols.roots.len() as f64;
    roots.ln() + symbols.roots.iter().map(|(_, root)| entropies[*root as usize]).sum::<f64>() / roots
}

/// What the rules spell, as it is written: `an` before vowels, and a capital.
fn surface(deep: &str, language: Language) -> String {
    if language == Language::Chinese {
        return deep.to_owned();
    }
    let mut text = String::with_capacity(deep.len() + 2);
    let mut words = deep.split(' ').filter(|w| !w.is_empty()).peekable();
    while let Some(word) = words.next() {
        match text.is_empty() {
            true => text.push_str(&capital(word)),
            false => text.extend([" ", word]),
        }
        // The grammar has no word whose first letter misleads (hour, useful).
        if word == "a" && words.peek().is_some_and(|w| w.starts_with(['a', 'e', 'i', 'o', 'u'])) {
            text.push('n');
        }
    }
    text
}

fn capital(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map_or_else(String::new, |c| c.to_uppercase().chain(chars).collect())
}

/// What the rules may have spelled for `text` to be written: the inverse of [`surface`].
fn deep(text: &str, language: Language) -> Vec<String> {
    if language == Language::Chinese {
        return vec![text.to_owned()];
    }
    let words = format!(" {text}").replace(" an ", " a ");
    let lower = words.chars().take(2).flat_map(char::to_lowercase).chain(words.chars().skip(2)).collect::<String>();
    let mut candidates = vec![words, lower];
    candidates.dedup();
    candidates.retain(|c| surface(c, language) == text);
    candidates
}
