//! The report for people.

mod figures;
mod samples;
mod table;

use std::fmt;

use strait_eval::{Spread, Unit};

use crate::{
    Evaluation, ImportanceWeighted, LatentUse, Likelihood, PriorFit, Rate, Reconstruction, UnderPrior, latents,
};
pub(crate) use figures::FIGURES;
use table::Table;

/// Columns of a line of prose.
const WIDTH: usize = 100;

impl fmt::Display for Evaluation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (model, counts) = (&self.model, &self.counts);
        writeln!(f, "{}", title(self))?;
        prose(
            f,
            &format!(
                "Trained on {} ({} texts). Measured on {} texts of {}: {} words with an end each, {:.1} tokens and {:.1} \
                 bytes a text; {}.",
                model.trained_on,
                model.training_texts,
                counts.texts,
                self.data,
                counts.words_and_ends,
                counts.tokens as f64 / counts.texts.max(1) as f64,
                counts.bytes as f64 / counts.texts.max(1) as f64,
                match counts.unit {
                    Unit::Words => "a word is what stands between blanks",
                    Unit::Chars => "a word is a character, as the script has no blanks",
                }
            ),
        )?;
        likelihood(f, self)?;
        latent_use(f, &self.latents)?;
        if let Some(report) = &self.reconstruction {
            reconstruction(f, report)?;
        }
        prior(f, &self.prior)?;
        neighbours(f, self)?;
        samples::samples(f, &self.samples)?;
        if !self.left_out.is_empty() {
            writeln!(f, "\nLEFT OUT")?;
            self.left_out.iter().try_for_each(|line| prose(f, line))?;
        }
        Ok(())
    }
}

/// One line that says what the model is.
pub(crate) fn title(evaluation: &Evaluation) -> String {
    let model = &evaluation.model;
    let kind = if model.latent == 0 { "A language model" } else { "An autoencoder" };
    let latent = if model.latent == 0 { String::new() } else { format!(", latent {}", model.latent) };
    format!(
        "{kind}: recipe {}, {:.2} M weights, {} {} tokens{latent}",
        model.recipe,
        model.weights as f64 * 1e-6,
        model.vocabulary,
        model.tokenizer
    )
}

/// Writes sentences, indented and folded.
fn prose(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    let mut line = String::from(" ");
    for word in text.split_whitespace() {
        if line.chars().count() + 1 + word.chars().count() > WIDTH {
            writeln!(f, "{line}")?;
            line = String::from("   ");
        }
        line += " ";
        line += word;
    }
    writeln!(f, "{line}")
}

/// "45.7 ± 0.6", without the number of seeds; a dash for nothing.
fn spread(value: &Spread, digits: usize, factor: f64) -> String {
    if !value.mean.is_finite() {
        return "—".into();
    }
    let std = value.std.map_or(String::new(), |s| format!(" ± {:.digits$}", s * factor));
    format!("{:.digits$}{std}", value.mean * factor)
}

fn rate(rate: &Rate) -> Vec<String> {
    vec![
        format!("{:.2}", rate.nats_per_text),
        format!("{:.2}", rate.standard_error),
        format!("{:.2}", rate.word_perplexity),
        format!("{:.4}", rate.bits_per_byte),
    ]
}

const RATE: [&str; 4] = ["nats/text", "± texts", "word perplexity", "bits/byte"];

fn likelihood(f: &mut fmt::Formatter<'_>, evaluation: &Evaluation) -> fmt::Result {
    writeln!(f, "\nLIKELIHOOD of held-out texts, -log p(x): lower is better")?;
    match &evaluation.likelihood {
        Likelihood::None { reason } => prose(f, &format!("None: {reason}. See the loss given the latent below."))?,
        Likelihood::Exact { counts, rate: exact } => {
            prose(f, &format!("Exact, {} texts.", counts.texts))?;
            let mut table = Table::new(&["", RATE[0], RATE[1], RATE[2], RATE[3]]);
            table.row([vec!["exact".into()], rate(exact)].concat());
            write!(f, "{table}")?;
        }
        Likelihood::ImportanceWeighted(bounds) => importance(f, bounds)?,
    }
    if let Some(beside) = &evaluation.beside {
        prose(
            f,
            &format!(
                "Beside it {} ({:.2} M weights), the same texts:",
                beside.name,
                beside.model.weights as f64 * 1e-6
            ),
        )?;
        let mut table = Table::new(&["", RATE[0], RATE[1], RATE[2], RATE[3]]);
        match &beside.likelihood {
            Likelihood::Exact { rate: exact, .. } => table.row([vec!["exact".into()], rate(exact)].concat()),
            Likelihood::ImportanceWeighted(bounds) => {
                let last = bounds.priors.iter().flat_map(|p| p.bounds.last()).next();
                last.into_iter().for_each(|b| table.row([vec![format!("S = {}", b.draws)], rate(&b.rate)].concat()));
            }
            Likelihood::None { reason } => return prose(f, &format!("none: {reason}")),
        }
        write!(f, "{table}")?;
    }
    Ok(())
}

fn importance(f: &mut fmt::Formatter<'_>, bounds: &ImportanceWeighted) -> fmt::Result {
    prose(
        f,
        &format!(
            "Upper bounds from S draws of each posterior, {} of {} texts, seed {}. \"± texts\" is the standard error over \
             texts, \"± draws\" that over other draws. S = 1 is the evidence lower bound.",
            bounds.counts.texts, bounds.of, bounds.seed
        ),
    )?;
    for under in &bounds.priors {
        under_prior(f, under)?;
    }
    if !bounds.trained_for_it {
        prose(f, "The objective did not minimise this bound: it may be loose.")?;
    }
    prose(
        f,
        "Only bits per byte compares models with different tokenizers. Where S = 50 and the last differ much, more draws (--importance) still lower the bound.",
    )
}

fn under_prior(f: &mut fmt::Formatter<'_>, under: &UnderPrior) -> fmt::Result {
    prose(f, &format!("p(z) {}:", under.prior))?;
    let mut table = Table::new(&["", RATE[0], RATE[1], "± draws", RATE[2], RATE[3]]);
    for bound in &under.bounds {
        let mut cells = [vec![format!("S = {}", bound.draws)], rate(&bound.rate)].concat();
        cells.insert(3, format!("{:.3}", bound.monte_carlo_error));
        table.row(cells);
    }
    write!(f, "{table}")?;
    let last = under.bounds.last().map_or(0, |b| b.draws);
    prose(f, &format!("Gap {:.2} nats/text; of {last} draws {:.1} are effective.", under.gap, under.effective_draws))
}

fn latent_use(f: &mut fmt::Formatter<'_>, uses: &[LatentUse]) -> fmt::Result {
    if uses.is_empty() {
        return Ok(());
    }
    writeln!(f, "\nUSE OF THE LATENT, nats per text")?;
    let head = ["", "N", "KL(q(z|x) || N(0,I))", "I(x; z)", "at most ln N", "KL(q(z) || N(0,I))", "active units"];
    let mut table = Table::new(&head);
    for seen in uses {
        let active = format!("{} of {}", seen.active_units, seen.dimensions);
        let cells = match &seen.posterior {
            Some(p) => vec![
                format!("{:.2}", p.divergence),
                spread(&p.mutual_information, 2, 1.0),
                format!("{:.2}", p.cap),
                spread(&p.aggregate_divergence, 2, 1.0),
            ],
            None => vec!["—".into(); 4],
        };
        table.row([vec![seen.texts.clone(), seen.n.to_string()], cells, vec![active]].concat());
    }
    write!(f, "{table}")?;
    if uses.iter().all(|u| u.posterior.is_none()) {
        return prose(f, "The latent has no posterior: only active units (variance above 0.01) can be counted.");
    }
    prose(f, "Good: I(x; z) well above 0 (at 0 the latent is ignored), KL(q(z) || N(0,I)) near 0, most units active.")?;
    match uses.iter().all(|u| u.n < latents::ENOUGH) {
        true => prose(f, &format!("Fewer than {} texts: I(x; z) may be cut off at ln N.", latents::ENOUGH)),
        false => Ok(()),
    }
}

fn reconstruction(f: &mut fmt::Formatter<'_>, report: &Reconstruction) -> fmt::Result {
    writeln!(f, "\nRECONSTRUCTION from the posterior's mean")?;
    let right = format!("Next token right, given those before: {:.1} %.", 100.0 * report.next_token_accuracy);
    let texts = format!("{} of {} texts", report.counts.texts, report.of);
    match &report.loss {
        Some(loss) => prose(
            f,
            &format!(
                "Loss given the latent, {texts}: {:.2} ± {:.2} nats/text, {:.4} bits/byte; not a likelihood. {right}",
                loss.nats_per_text, loss.standard_error, loss.bits_per_byte
            ),
        )?,
        None => prose(f, &format!("{texts}. The loss given the latent is a squared error, not in nats. {right}"))?,
    }
    let mut table = Table::new(&["greedy, by words of the text", "N", "BLEU-4", "exact, %", "words in place, %"]);
    let greedy = &report.greedy;
    let mut row = |name: String, n: usize, [bleu, exact, token]: [f64; 3]| {
        let figures = [bleu, 100.0 * exact, 100.0 * token].map(|x| format!("{x:.1}"));
        table.row([vec![name, n.to_string()], figures.to_vec()].concat());
    };
    row("all".into(), greedy.n, [greedy.bleu4, greedy.exact, greedy.token_accuracy]);
    for b in &greedy.by_length {
        let name = b.to.map_or(format!("{} and more", b.from), |to| format!("{} to {to}", b.from));
        row(name, b.n, [b.bleu4, b.exact, b.token_accuracy]);
    }
    write!(f, "{table}")
}

fn prior(f: &mut fmt::Formatter<'_>, fits: &[PriorFit]) -> fmt::Result {
    if fits.is_empty() {
        return Ok(());
    }
    writeln!(f, "\nPRIOR: can a classifier tell the two apart?")?;
    let mut table = Table::new(&["", "N each", "AUC"]);
    for fit in fits {
        table.row(vec![fit.compared.clone(), fit.n.to_string(), spread(&fit.auc, 3, 1.0)]);
    }
    write!(f, "{table}")?;
    prose(f, "Good: 0.5, as far as the noise of the measure shows; 1 is told apart.")
}

fn neighbours(f: &mut fmt::Formatter<'_>, evaluation: &Evaluation) -> fmt::Result {
    let Some(report) = evaluation.neighbours.as_ref().filter(|r| !r.recall.is_empty()) else { return Ok(()) };
    writeln!(f, "\nNEIGHBOURS: recall among {} of {} distinct texts, %", report.n, report.given)?;
    let mut table = Table::new(&["k", "latent, by edits", "latent, by TF-IDF", "TF-IDF, by edits", "chance"]);
    for r in &report.recall {
        let figures = [r.latent_edit, r.latent_tfidf, r.tfidf_edit, r.chance].map(|x| format!("{:.1}", 100.0 * x));
        table.row([vec![r.k.to_string()], figures.to_vec()].concat());
    }
    write!(f, "{table}")?;
    prose(f, "Good: the first column above the third, which needs no model.")
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Folded(&'static str);
    impl fmt::Display for Folded {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            prose(f, self.0)
        }
    }

    #[test]
    fn prose_is_folded() {
        let text = Folded(
            "word word word word word word word word word word word word word word word word word word word word word",
        );
        let lines: Vec<String> = text.to_string().lines().map(String::from).collect();
        assert_eq!(lines.len(), 2);
        assert!(lines[0].starts_with("  word") && lines[1].starts_with("    word"));
        assert!(lines.iter().all(|l| l.chars().count() <= WIDTH));
    }

    #[test]
    fn spreads_for_people() {
        assert_eq!(spread(&Spread::new(&[0.1, 0.2]), 1, 100.0), "15.0 ± 7.1");
        assert_eq!(spread(&Spread::new(&[f64::NAN]), 1, 1.0), "—");
    }
}
