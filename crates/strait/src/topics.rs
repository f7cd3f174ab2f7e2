//! Topics: what each dimension of the latent of a bag model says about the words.

use serde::Serialize;
use strait_eval::{Unit, npmi, topic_diversity};
use strait_model::decoder::{BagDecoder, Topic as Found};
use strait_text::{
    TokenizerKind,
    tokenizer::{SPECIALS, UNK},
};

use crate::{Error, Latents, Model};

/// How much a word's own frequency in a topic counts against how much more frequent it is there than elsewhere.
const RELEVANCE: f32 = 0.3;

/// Draws from the prior whose shares stand for those of the corpus where no texts are given.
const DRAWS: usize = 4096;

/// All topics of a model, and how good they are together.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TopicReport {
    /// The largest first.
    pub topics: Vec<MeasuredTopic>,
    /// Mean over the topics; none without texts.
    pub npmi: Option<f64>,
    /// Share of different words among those of all topics (Dieng et al. 2020).
    pub diversity: f64,
    /// Words of each topic, at most.
    pub words: usize,
    /// Texts measured on.
    pub texts: usize,
}

/// A topic, measured.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MeasuredTopic {
    /// The dimension of the latent, and its end if it has two.
    pub topic: String,
    /// Its share of the texts, 0 to 1.
    pub share: f64,
    /// How far its words belong together in the texts: normalised pointwise mutual information, -1 to 1, about 0 for words
    /// that meet by chance (Bouma 2009); none without texts, or where no two of its words are in them.
    pub npmi: Option<f64>,
    /// The most relevant first.
    pub words: Vec<String>,
}

/// A topic in words.
#[derive(Debug, Clone, PartialEq)]
pub struct Topic {
    /// The dimension of the latent.
    pub dimension: usize,
    /// Which end of the dimension, +1 or -1; 0 where a dimension is a topic.
    pub end: i8,
    /// The most relevant words first (Sievert & Shirley 2014); none without a letter or digit.
    pub words: Vec<String>,
}

impl Topic {
    /// A short name: the dimension, and its end if it has two.
    pub fn name(&self) -> String {
        let end = match self.end {
            0 => "",
            1.. => "+",
            _ => "-",
        };
        format!("{}{end}", self.dimension)
    }
}

impl Model {
    /// The topics of a model with a bag decoder, each with its `words` most relevant words. With `topics` in its recipe
    /// each dimension of the latent is one; otherwise each has two ends.
    ///
    /// # Errors
    /// If the decoder is another one.
    pub fn topics(&self, words: usize) -> Result<Vec<Topic>, Error> {
        let topics = self.bag()?.topics(&self.model.params);
        Ok(topics
            .iter()
            .map(|topic| Topic { dimension: topic.dimension, end: topic.end, words: self.words(topic, words) })
            .collect())
    }

    /// The topics with `words` words each, measured on texts and their latents; without texts, shares are those of texts
    /// the model would draw itself.
    ///
    /// # Errors
    /// If the decoder is no bag, or the latents have other dimensions than the model's.
    pub fn topic_report(&self, texts: &[String], latents: &Latents, words: usize) -> Result<TopicReport, Error> {
        let topics = self.topics(words)?;
        let lists: Vec<Vec<String>> = topics.iter().map(|t| t.words.clone()).collect();
        let measured = !texts.is_empty();
        let shares = if measured { self.topic_shares(latents)? } else { self.topic_shares(&self.draw(DRAWS, 1))? };
        let coherence = if measured { npmi(&lists, texts, Unit::guess(texts)) } else { Vec::new() };
        let mut lines: Vec<MeasuredTopic> = topics
            .into_iter()
            .enumerate()
            .map(|(i, topic)| MeasuredTopic {
                topic: topic.name(),
                share: shares.get(i).copied().unwrap_or(0.0),
                npmi: coherence.get(i).copied().filter(|x| x.is_finite()),
                words: topic.words,
            })
            .collect();
        lines.sort_by(|a, b| b.share.total_cmp(&a.share));
        let known: Vec<f64> = lines.iter().filter_map(|l| l.npmi).collect();
        let mean = (!known.is_empty()).then(|| known.iter().sum::<f64>() / known.len() as f64);
        let diversity = topic_diversity(&lists, words);
        Ok(TopicReport { topics: lines, npmi: mean, diversity, words, texts: texts.len() })
    }

    /// The share of each of [`Model::topics`] in the texts behind `latents`: the mean of the texts' own shares, which sum
    /// to 1.
    ///
    /// # Errors
    /// If the decoder is no bag, or the latents have other dimensions than the model's.
    pub fn topic_shares(&self, latents: &Latents) -> Result<Vec<f64>, Error> {
        let bag = self.bag()?;
        if latents.dim() != self.latent_size() {
            return Err(Error::Dimensions { found: latents.dim(), expected: self.latent_size() });
        }
        let mut sums: Vec<f64> = Vec::new();
        for row in latents.rows() {
            let shares = bag.shares(row);
            sums.resize(shares.len(), 0.0);
            sums.iter_mut().zip(&shares).for_each(|(sum, &share)| *sum += share as f64);
        }
        sums.iter_mut().for_each(|sum| *sum /= latents.len() as f64);
        Ok(sums)
    }

    fn bag(&self) -> Result<&BagDecoder, Error> {
        self.model.decoder().bag().ok_or(Error::NoTopics)
    }

    fn words(&self, topic: &Found, count: usize) -> Vec<String> {
        let first = match self.tokenizer.kind() {
            TokenizerKind::Word | TokenizerKind::Char => UNK + 1,
            TokenizerKind::Subword | TokenizerKind::Byte => SPECIALS,
        };
        let tokens = topic.ranked(RELEVANCE).into_iter().filter(|&id| id >= first);
        let mut words: Vec<String> = Vec::with_capacity(count);
        for text in tokens.filter_map(|id| self.tokenizer.token_text(id)) {
            let word = text.trim();
            // A subword may come with its blank and without.
            if word.chars().any(char::is_alphanumeric) && !words.iter().any(|w| w == word) {
                words.push(word.to_owned());
            }
            if words.len() == count {
                break;
            }
        }
        words
    }
}
