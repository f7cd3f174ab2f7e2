//! Training for a person's eye and for programs: a bar or plain lines on standard error, events as JSON on standard
//! output. Neither a closed terminal nor a closed pipe stops a training.

use std::{
    io::{self, IsTerminal as _, Write as _},
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use strait::{Event, Listener};

use crate::{
    quote::glimpse,
    talk::{duration, fetched, number, say, short},
};

/// Time between two plain lines.
const PLAIN_EVERY: Duration = Duration::from_secs(5);
/// Time between two looks above the bar.
const LOOK_EVERY: Duration = Duration::from_secs(3);
/// Characters shown of a text.
const WIDTH: usize = 100;

/// Listens to a training.
pub struct Progress {
    /// None where standard error is no terminal.
    bar: Option<ProgressBar>,
    /// Events go to standard output, while someone reads it.
    json: bool,
    said: Option<Instant>,
    last: Last,
}

/// What is left to say at the end.
#[derive(Default)]
pub struct Last {
    /// Steps made.
    pub step: u64,
    /// Validation texts.
    pub texts: Vec<String>,
    /// Of pairs: their sources.
    pub sources: Vec<String>,
}

impl Progress {
    /// Begins to listen; with `json`, events are printed as they come.
    pub fn new(json: bool) -> Self {
        let style = ProgressStyle::with_template("{bar:16} {wide_msg}");
        // The template is fixed; a test makes one.
        let style = style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("━╸─");
        let bar = |()| ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr()).with_style(style);
        Progress { bar: io::stderr().is_terminal().then_some(()).map(bar), json, said: None, last: Last::default() }
    }

    /// Ends the bar; what was seen last.
    pub fn end(self) -> Last {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
        self.last
    }

    fn print_json(&mut self, event: &Event) {
        let Ok(mut line) = serde_json::to_vec(event) else { return };
        line.push(b'\n');
        let mut out = io::stdout().lock();
        if out.write_all(&line).and_then(|()| out.flush()).is_err() {
            self.json = false;
        }
    }

    /// Prints above the bar, or as a plain line.
    fn say(&mut self, text: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| say!("{text}")),
            None => say!("{text}"),
        }
        self.said = Some(Instant::now());
    }

    fn due(&self, every: Duration) -> bool {
        self.said.is_none_or(|said| said.elapsed() >= every)
    }

    fn step(&mut self, event: &Event) {
        let Event::Step { step, steps, bits_per_byte, tokens_per_second, seconds_left, .. } = event else { return };
        self.last.step = *step;
        // On a narrow terminal the end is cut off.
        let line = format!(
            "step {} of {}   {} left   {bits_per_byte:.3} bits per byte   {} tokens/s",
            number(*step),
            number(*steps),
            duration(*seconds_left),
            short(*tokens_per_second)
        );
        match &self.bar {
            Some(bar) => {
                bar.set_length(*steps);
                bar.set_position(*step);
                bar.set_message(line);
            }
            None if self.due(PLAIN_EVERY) => self.say(&line),
            None => {}
        }
    }

    fn look(&mut self, event: &Event) {
        let Event::Look { step, steps, bits_per_byte, epoch, reconstructions, samples, sources, figures, .. } = event
        else {
            return;
        };
        self.last.step = *step;
        self.last.texts = reconstructions.iter().map(|(text, _)| text.clone()).collect();
        self.last.sources.clone_from(sources);
        let every = if self.bar.is_some() { LOOK_EVERY } else { PLAIN_EVERY };
        if step < steps && !self.due(every) {
            return;
        }
        let (step, steps) = (number(*step), number(*steps));
        let mut said =
            format!("step {step} of {steps}, {epoch:.1} passes: validation {bits_per_byte:.3} bits per byte");
        said += &quality(event);
        for (name, value) in figures {
            let digits = if value.fract() == 0.0 { 0 } else { 2 };
            said += &format!(", {} {value:.digits$}", name.replace('_', " "));
        }
        // One pair and one sample tell how it goes; different ones each time would not show the progress of any.
        let shown = usize::from(sources.is_empty());
        for (source, (wanted, written)) in sources.iter().zip(reconstructions).take(1) {
            said += &format!("\n    source  {}", glimpse(source, WIDTH));
            said += &format!("\n    wanted  {}\n    written {}", glimpse(wanted, WIDTH), glimpse(written, WIDTH));
        }
        for (text, back) in reconstructions.iter().take(shown) {
            said += &format!("\n    text    {}\n    back    {}", glimpse(text, WIDTH), glimpse(back, WIDTH));
        }
        for sample in samples.iter().take(1) {
            said += &format!("\n    sample  {}", glimpse(sample, WIDTH));
        }
        self.say(&said);
    }

    /// Says how far a published model is fetched.
    fn fetching(&mut self, file: &str, done: u64, of: Option<u64>) {
        let line = fetched(file, done, of);
        match &self.bar {
            Some(bar) => {
                bar.set_length(of.unwrap_or(done));
                bar.set_position(done);
                bar.set_message(line);
            }
            None if done == 0 || self.due(PLAIN_EVERY) => self.say(&format!("Fetching {line}")),
            None => {}
        }
    }

    /// Says how far a frozen encoder is.
    fn encoding(&mut self, done: usize, of: usize) {
        let line = format!("the encoder has read {} of {} texts", number(done as u64), number(of as u64));
        match &self.bar {
            Some(bar) => {
                bar.set_length(of as u64);
                bar.set_position(done as u64);
                bar.set_message(line);
            }
            None if self.due(PLAIN_EVERY) => self.say(&line),
            None => {}
        }
    }

    fn planned(&mut self, event: &Event) {
        let Event::Planned { weights, vocabulary, reasons, .. } = event else { return };
        let mut said = String::from("Decided:");
        for reason in reasons {
            said += &format!("\n  {reason}");
        }
        said += &format!(
            "\n  {} weights, {} tokens in the vocabulary\n  To override: --minutes | --epochs | --steps, --size, \
             --recipe, --vocab, --lr, --valid, --seed.",
            short(*weights as f64),
            number(*vocabulary as u64)
        );
        self.say(&said);
        self.said = None;
    }
}

/// How good the reconstructions are; of a language model, which has none, the perplexity.
fn quality(event: &Event) -> String {
    match event {
        Event::Look { n: 0, nats_per_token, .. } => format!(", perplexity {:.1} per token", nats_per_token.exp()),
        Event::Look { bleu4, exact, .. } => format!(", BLEU-4 {bleu4:.1}, {:.0} % exact", 100.0 * exact),
        _ => String::new(),
    }
}

impl Listener for Progress {
    fn hear(&mut self, event: &Event) {
        if self.json {
            self.print_json(event);
        }
        match event {
            Event::Fetching { file, done, of } => self.fetching(file, *done, *of),
            Event::Encoding { done, of } => self.encoding(*done, *of),
            Event::Planned { .. } => self.planned(event),
            Event::Resumed { step } => {
                self.last.step = *step;
                self.say(&format!("Going on after step {}.", number(*step)));
            }
            Event::Step { .. } => self.step(event),
            Event::Look { .. } => self.look(event),
            Event::Checkpoint { step } => self.last.step = *step,
            Event::Warning { message } => self.say(&format!("warning: {message}")),
            Event::Ended { best_step, why, seconds, .. } => self.say(&format!(
                "Trained for {}: {why}; the weights of step {} are kept. Measuring, and fitting the prior ...",
                duration(*seconds),
                number(*best_step)
            )),
            Event::Prior { name, chosen: true, .. } => self.say(&format!("Prior: {name}.")),
            Event::Prior { .. } | Event::Finished { .. } => {}
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_bar_has_its_own_style() {
        assert!(super::ProgressStyle::with_template("{bar:16} {wide_msg}").is_ok());
    }
}
