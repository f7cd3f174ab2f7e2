//! The measurements on pairs, as text.

use std::fmt;

use super::PairEvaluation;

impl fmt::Display for PairEvaluation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: {} pairs, {} different sources", self.data, self.pairs, self.sources)?;
        let kind = if self.exact_likelihood { "exact" } else { "upper bound" };
        writeln!(f, "\nLIKELIHOOD of the targets given their sources, {kind}, N = {}", self.pairs)?;
        writeln!(f, "  nats per pair           {:>9.3}", self.nats_per_pair)?;
        writeln!(f, "  nats per token          {:>9.4}   {} tokens, ends included", self.nats_per_token, self.tokens)?;
        writeln!(f, "  perplexity              {:>9.2}", self.perplexity)?;
        writeln!(f, "  bits per byte           {:>9.4}   {} bytes", self.bits_per_byte, self.bytes)?;
        writeln!(f, "  next tokens right, %    {:>9.1}", 100.0 * self.token_accuracy)?;
        let other = self.nats_per_token_of_other_sources;
        writeln!(f, "  given another source    {other:>9.4}   nats per token: above means that the source is used")?;
        writeln!(f, "\nWRITTEN, {}, N = {}, against {}", self.how(), self.written, self.against())?;
        writeln!(f, "  {:24} {:>8}   95 % interval   signature", "metric", "score")?;
        for score in &self.scores {
            let i = &score.interval;
            let interval = format!("{:.2} to {:.2}", i.low, i.high);
            writeln!(f, "  {:24} {:>8.2}   {interval:14}  {}", score.metric, i.value, score.signature)?;
            if !score.parts.is_empty() {
                let part = |p: &strait_eval::generation::Part| match p.value.fract() == 0.0 && p.value >= 2.0 {
                    true => format!("{} {}", p.name, p.value),
                    false => format!("{} {:.2}", p.name, p.value),
                };
                writeln!(f, "    {}", score.parts.iter().map(part).collect::<Vec<_>>().join(", "))?;
            }
        }
        writeln!(f, "  exact, %                 {:>8.1}", 100.0 * self.exact)?;
        writeln!(f, "  cut before the end       {:>8}", self.cut)
    }
}

impl PairEvaluation {
    /// How targets were written.
    pub(super) fn how(&self) -> String {
        if self.beam > 1 { format!("beam of {}", self.beam) } else { "no beam".into() }
    }

    /// How many references they were held against.
    pub(super) fn against(&self) -> String {
        match self.references {
            [1, 1] => "one reference for each source".into(),
            [least, most] if least == most => format!("{most} references for each source"),
            [least, most] => format!("{least} to {most} references for each source"),
        }
    }
}
