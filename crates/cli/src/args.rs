//! The command line, parsed plainly; each verb resolves its own arguments.

use clap::{Parser, Subcommand};

use crate::verbs::{
    analogy::Analogy, audit::Audit, augment::Augment, calibrate::Calibrate, classify::Classify, cluster::ClusterTexts,
    compare::Compare, complete::Complete, completions::Completions, decode::Decode, dedup::Dedup, demo::Demo,
    directions::LearnDirections, document::Document, encode::Encode, evaluate::Evaluate, export::Export, gan::Gan,
    generate::Generate, index::MakeIndex, info::Info, interpolate::Interpolate, man::ManPages, map::DrawMap,
    metrics::Metrics, recipes::Recipes, reconstruct::Reconstruct, resume::Resume, sample::Sample, score::Score,
    search::Search, serve::Serve, similarity::Similarity, steer::Steer, topics::Topics, train::Train, vary::Vary,
};

/// Train a text autoencoder on your own text, and use its latent space.
///
/// Text goes through a narrow channel, the latent vector, and comes back as text. A model trained on your own file in
/// minutes reconstructs, samples, varies and interpolates texts like yours.
#[derive(Parser)]
#[command(name = "strait", version, arg_required_else_help = true, after_help = AFTER)]
pub struct Args {
    #[command(subcommand)]
    pub verb: Verb,
    /// Number of threads [default: all]; results are the same for any
    #[arg(long, global = true, value_name = "N", value_parser = crate::flags::at_least_one)]
    pub threads: Option<usize>,
}

const AFTER: &str = "\
Begin with `strait demo`, or with `strait train FILE`.
Data go to standard output, all else to standard error; `-` as FILE is standard input.
Exit status: 0 done, 1 failed or stopped, 2 wrong usage.";

#[derive(Subcommand)]
pub enum Verb {
    Demo(Demo),
    Train(Train),
    Resume(Resume),
    Encode(Encode),
    Decode(Decode),
    Reconstruct(Reconstruct),
    Sample(Sample),
    Generate(Generate),
    Interpolate(Interpolate),
    Vary(Vary),
    #[command(name = "index")]
    MakeIndex(MakeIndex),
    Search(Search),
    Dedup(Dedup),
    #[command(name = "cluster")]
    ClusterTexts(ClusterTexts),
    #[command(name = "map")]
    DrawMap(DrawMap),
    Complete(Complete),
    Classify(Classify),
    #[command(name = "directions")]
    LearnDirections(LearnDirections),
    Steer(Steer),
    Analogy(Analogy),
    Similarity(Similarity),
    Score(Score),
    Audit(Audit),
    Augment(Augment),
    Topics(Topics),
    Evaluate(Evaluate),
    Compare(Compare),
    Calibrate(Calibrate),
    Metrics(Metrics),
    Gan(Gan),
    Document(Document),
    Export(Export),
    Serve(Serve),
    Info(Info),
    Recipes(Recipes),
    Completions(Completions),
    #[command(name = "man")]
    Man(ManPages),
}

impl Verb {
    /// Does what was asked.
    pub fn run(self) -> anyhow::Result<()> {
        match self {
            Verb::Demo(verb) => verb.run(),
            Verb::Train(verb) => verb.run(),
            Verb::Resume(verb) => verb.run(),
            Verb::Encode(verb) => verb.run(),
            Verb::Decode(verb) => verb.run(),
            Verb::Reconstruct(verb) => verb.run(),
            Verb::Sample(verb) => verb.run(),
            Verb::Generate(verb) => verb.run(),
            Verb::Interpolate(verb) => verb.run(),
            Verb::Vary(verb) => verb.run(),
            Verb::MakeIndex(verb) => verb.run(),
            Verb::Search(verb) => verb.run(),
            Verb::Dedup(verb) => verb.run(),
            Verb::ClusterTexts(verb) => verb.run(),
            Verb::DrawMap(verb) => verb.run(),
            Verb::Complete(verb) => verb.run(),
            Verb::Classify(verb) => verb.run(),
            Verb::LearnDirections(verb) => verb.run(),
            Verb::Steer(verb) => verb.run(),
            Verb::Analogy(verb) => verb.run(),
            Verb::Similarity(verb) => verb.run(),
            Verb::Score(verb) => verb.run(),
            Verb::Audit(verb) => verb.run(),
            Verb::Augment(verb) => verb.run(),
            Verb::Topics(verb) => verb.run(),
            Verb::Evaluate(verb) => verb.run(),
            Verb::Compare(verb) => verb.run(),
            Verb::Calibrate(verb) => verb.run(),
            Verb::Metrics(verb) => verb.run(),
            Verb::Gan(verb) => verb.run(),
            Verb::Document(verb) => verb.run(),
            Verb::Export(verb) => verb.run(),
            Verb::Serve(verb) => verb.run(),
            Verb::Info(verb) => verb.run(),
            Verb::Recipes(verb) => verb.run(),
            Verb::Completions(verb) => verb.run(),
            Verb::Man(verb) => verb.run(),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_consistent() {
        super::Args::command().debug_assert();
    }
}
