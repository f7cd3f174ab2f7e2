//! How latents become text: the same flags for every verb that decodes.

use clap::Args;
use strait::{Controls, Decoding, DecodingOptions};

#[derive(Args, Default)]
#[command(next_help_heading = "Decoding")]
pub struct DecodingFlags {
    /// Take the most likely token at each step (the default)
    #[arg(long, conflicts_with_all = ["temperature", "top_k", "top_p", "min_p", "typical", "beam", "beam_groups", "contrastive"])]
    greedy: bool,
    /// Draw tokens: 1 as the model is, below 1 safer, above 1 wilder; 0 is greedy
    #[arg(long, value_name = "T")]
    temperature: Option<f32>,
    /// Draw among the K most likely tokens
    #[arg(long, value_name = "K")]
    top_k: Option<usize>,
    /// Draw among the fewest tokens whose probability reaches P
    #[arg(long, value_name = "P")]
    top_p: Option<f32>,
    /// Draw among tokens at least P times as likely as the likeliest
    #[arg(long, value_name = "P")]
    min_p: Option<f32>,
    /// Draw among the tokens of the most expected surprise, up to probability P
    #[arg(long, value_name = "P")]
    typical: Option<f32>,
    /// Contrastive search: of the --top-k [default: 5] likeliest tokens the one that brings the decoder least back to where
    /// it was, by weight A below 1 (0.6 is usual)
    #[arg(long, value_name = "A")]
    contrastive: Option<f32>,
    /// Beam search with K hypotheses
    #[arg(long, value_name = "K")]
    beam: Option<usize>,
    /// With --beam: split it into G groups that avoid each other's tokens [default of --beam: one for each group]
    #[arg(long, value_name = "G")]
    beam_groups: Option<usize>,
    /// With --beam-groups: nats that a token costs for each hypothesis of other groups that took it [default: 0.5]
    #[arg(long, value_name = "L")]
    diversity: Option<f32>,
    /// With --beam: above 0 favours longer texts
    #[arg(long, value_name = "A")]
    length_penalty: Option<f32>,
    /// Above 1 makes tokens that are already there less likely
    #[arg(long, value_name = "R")]
    repetition_penalty: Option<f32>,
    /// No N tokens in a row appear twice
    #[arg(long, value_name = "N")]
    no_repeat_ngram: Option<usize>,
    /// Write no word that the model's corpus does not have [default: true]
    #[arg(long, value_name = "true|false")]
    known_words: Option<bool>,
    /// A word or phrase that must not appear; may be given several times
    #[arg(long, value_name = "TEXT")]
    ban: Vec<String>,
    /// Every text starts like this
    #[arg(long, value_name = "TEXT")]
    prefix: Option<String>,
    /// At most N tokens [default: a little more than the longest text of the corpus]
    #[arg(long, value_name = "N")]
    max_len: Option<usize>,
    /// At least N tokens
    #[arg(long, value_name = "N")]
    min_len: Option<usize>,
    /// About N words (characters in scripts without blanks), as near as a proper end comes
    #[arg(long, value_name = "N", value_parser = crate::flags::at_least_one)]
    words: Option<usize>,
}

impl DecodingFlags {
    /// The model's own way, `own` (of decoding, or of sampling), changed by the flags.
    pub fn resolve(&self, own: &DecodingOptions) -> Decoding {
        let controls = Controls {
            greedy: self.greedy,
            temperature: self.temperature,
            top_k: self.top_k,
            top_p: self.top_p,
            min_p: self.min_p,
            typical: self.typical,
            contrastive: self.contrastive,
            beam: self.beam,
            beam_groups: self.beam_groups,
            diversity: self.diversity,
            length_penalty: self.length_penalty,
            repetition_penalty: self.repetition_penalty,
            no_repeat_ngram: self.no_repeat_ngram,
            known_words: self.known_words,
            ban: self.ban.clone(),
            prefix: self.prefix.clone(),
            max_len: self.max_len,
            min_len: self.min_len,
            words: self.words,
        };
        controls.over(own)
    }
}
