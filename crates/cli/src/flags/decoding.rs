//! How latents become text: the same flags for every verb that decodes.

use clap::Args;
use strait::{Decoding, DecodingOptions};

#[derive(Args, Default)]
#[command(next_help_heading = "Decoding")]
pub struct DecodingFlags {
    /// Take the most likely token at each step (the default)
    #[arg(long, conflicts_with_all = ["temperature", "top_k", "top_p", "min_p", "typical", "beam"])]
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
    /// Beam search with K hypotheses
    #[arg(long, value_name = "K")]
    beam: Option<usize>,
    /// With --beam: above 0 favours longer texts
    #[arg(long, value_name = "A")]
    length_penalty: Option<f32>,
    /// Above 1 makes tokens that are already there less likely
    #[arg(long, value_name = "R")]
    repetition_penalty: Option<f32>,
    /// No N tokens in a row appear twice
    #[arg(long, value_name = "N")]
    no_repeat_ngram: Option<usize>,
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
}

impl DecodingFlags {
    /// The model's own way, `own` (of decoding, or of sampling), changed by the flags.
    pub fn resolve(&self, own: &DecodingOptions) -> Decoding {
        let mut options = own.clone();
        let shaping = self.top_k.is_some() || self.top_p.is_some() || self.min_p.is_some() || self.typical.is_some();
        if self.greedy || self.beam.is_some() || self.temperature == Some(0.0) {
            options.temperature = 0.0;
            (options.top_k, options.top_p, options.min_p, options.typical) = (0, 1.0, 0.0, 1.0);
        } else if shaping && options.temperature == 0.0 {
            // Who says what to draw from wants to draw.
            options.temperature = 1.0;
        }
        // A beam of the model's own gives way to who wants draws, or greed.
        if (self.greedy || options.temperature > 0.0 || self.temperature.is_some_and(|t| t > 0.0))
            && self.beam.is_none()
        {
            (options.beam, options.length_penalty) = (1, 0.0);
        }
        set(&mut options.temperature, self.temperature);
        set(&mut options.top_k, self.top_k);
        set(&mut options.top_p, self.top_p);
        set(&mut options.min_p, self.min_p);
        set(&mut options.typical, self.typical);
        set(&mut options.beam, self.beam);
        set(&mut options.length_penalty, self.length_penalty);
        set(&mut options.repetition_penalty, self.repetition_penalty);
        set(&mut options.no_repeat_ngram, self.no_repeat_ngram);
        set(&mut options.max_len, self.max_len);
        set(&mut options.min_len, self.min_len);
        Decoding { options: Some(options), banned: self.ban.clone(), prefix: self.prefix.clone(), blocked: None }
    }
}

fn set<T>(field: &mut T, flag: Option<T>) {
    if let Some(value) = flag {
        *field = value;
    }
}
