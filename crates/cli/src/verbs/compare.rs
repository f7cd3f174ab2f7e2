//! `strait compare`: recipes side by side on one file.

use std::{
    path::{Path, PathBuf},
    sync::atomic::AtomicBool,
};

use anyhow::{Context as _, Result};
use clap::{
    Args,
    builder::{PossibleValuesParser, TypedValueParser as _},
};
use strait::{
    Budget, Comparison, ComparisonRequest, EvaluationRequest, Heard, Listener as _, PairComparisonRequest, Recipe,
    Size, text::ReadOptions,
};

use super::{
    evaluate::Ticker,
    train::{Task, beside, size},
};
use crate::{
    complaint::{Stopped, Usage},
    flags::{CorpusFlags, PairFlags, at_least_one, positive},
    input,
    output::Output,
    progress::Progress,
    stop,
    talk::say,
};

/// Recipes compared when none are named.
const TELLING: [&str; 6] = ["dae", "ae", "vae", "aae", "wae", "lm-lstm"];
/// Those where FILE holds pairs.
const TELLING_OF_PAIRS: [&str; 2] = ["seq2seq-lstm", "seq2seq-transformer"];

/// Train several recipes on a file for the same time, measure each, and put them side by side
///
/// The models go into a folder with report.html (curves, figures, reconstructions, samples) and its plots as SVG files. A comparison that was
/// stopped goes on where it was when it is begun again. Recipes that write targets for sources (--task seq2seq) read FILE as
/// pairs; differences between them are tested (paired bootstrap).
#[derive(Args)]
pub struct Compare {
    /// The texts, or pairs, to train on
    file: PathBuf,
    /// What to learn [default: what the recipes are for]
    #[arg(long, value_enum)]
    task: Option<Task>,
    /// Recipes by name or file, with commas (`strait recipes` lists them) [default: dae,ae,vae,aae,wae,lm-lstm, of pairs
    /// seq2seq-lstm,seq2seq-transformer]
    #[arg(long, value_name = "R,...", value_delimiter = ',')]
    recipes: Vec<String>,
    /// Minutes of training for each
    #[arg(long, value_name = "M", default_value = "2", value_parser = positive)]
    minutes: f64,
    /// The folder to make [default: FILE's name with .compare, in the current folder]
    #[arg(short, long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Texts to validate on [default: 5 % of FILE]
    #[arg(long, value_name = "FILE")]
    valid: Option<PathBuf>,
    /// Texts to measure on [default: 10 % of FILE]
    #[arg(long, value_name = "FILE")]
    test: Option<PathBuf>,
    /// Measure thoroughly, with an LSTM that judges: takes minutes for each recipe
    #[arg(long)]
    thorough: bool,
    /// Measure on at most so many held-out texts, and on as many samples [default: 500, thorough: all]
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    texts: Option<usize>,
    /// Size of every network [default: the largest that the minutes suffice for]
    #[arg(long, value_parser = PossibleValuesParser::new(Size::ALL.map(Size::name)).map(size))]
    size: Option<Size>,
    /// Seed of the trainings and the samples
    #[arg(long, value_name = "S", default_value = "1")]
    seed: u64,
    /// Print the comparison as a JSON object instead of a table
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    corpus: CorpusFlags,
    #[command(flatten)]
    pairs: PairFlags,
}

/// What FILE is read as, and compared on it.
enum Request {
    Texts(Box<ComparisonRequest>),
    Pairs(Box<PairComparisonRequest>),
}

impl Compare {
    pub fn run(self) -> Result<()> {
        let dir = self.out.clone().unwrap_or_else(|| beside(&self.file, ".compare"));
        let recipes = self.recipes()?;
        let request = match recipes.iter().all(Recipe::is_seq2seq) {
            true => Request::Pairs(Box::new(self.request_of_pairs(&dir, recipes)?)),
            false => Request::Texts(Box::new(self.request(&dir, recipes)?)),
        };
        let guard = stop::watch()?;
        match run(request, guard.asked())? {
            Some(comparison) => self.write(&dir, &comparison),
            None => {
                say!("Stopped; all is saved. Go on with the same command.");
                Err(Stopped.into())
            }
        }
    }

    /// The recipes, all for the task that is asked for.
    fn recipes(&self) -> Result<Vec<Recipe>> {
        let paired = self.task == Some(Task::Seq2seq) || (self.task.is_none() && self.pairs.given());
        let find = |name: &str| Recipe::find(name);
        let recipes = match (self.recipes.is_empty(), paired) {
            (false, _) => self.recipes.iter().map(|name| find(name)).collect::<Result<Vec<_>, _>>()?,
            (true, true) => TELLING_OF_PAIRS.map(find).into_iter().collect::<Result<_, _>>()?,
            (true, false) => TELLING.map(find).into_iter().collect::<Result<_, _>>()?,
        };
        let wanted = self.task.map_or(recipes[0].is_seq2seq(), |task| task == Task::Seq2seq) || self.pairs.given();
        match recipes.iter().find(|recipe| recipe.is_seq2seq() != wanted) {
            None => Ok(recipes),
            Some(odd) => {
                let kind = if odd.is_seq2seq() { "writes targets for sources" } else { "knows no sources" };
                let why = format!("the recipe `{}` {kind}: compared are recipes of one task (--task)", odd.name);
                Err(Usage(why).into())
            }
        }
    }

    fn request_of_pairs(&self, dir: &Path, recipes: Vec<Recipe>) -> Result<PairComparisonRequest> {
        const FEW: usize = 500;
        if self.pairs.targets().is_some() && (self.valid.is_some() || self.test.is_some()) {
            return Err(Usage("with --targets, --valid and --test cannot be given: use a table of pairs".into()).into());
        }
        let options = self.corpus.resolve(ReadOptions::default());
        let read = |file: &Path| {
            let pairs = self.pairs.read(file, self.pairs.targets(), &options)?;
            say!("{}", pairs.found);
            Ok::<_, anyhow::Error>(pairs)
        };
        Ok(PairComparisonRequest {
            dir: dir.into(),
            train: read(&self.file)?,
            valid: self.valid.as_deref().map(read).transpose()?,
            test: self.test.as_deref().map(read).transpose()?,
            recipes,
            budget: Budget::Minutes(self.minutes),
            size: self.size,
            seed: self.seed,
            written: self.texts.unwrap_or(if self.thorough { usize::MAX } else { FEW }),
        })
    }

    fn request(&self, dir: &Path, recipes: Vec<Recipe>) -> Result<ComparisonRequest> {
        let options = self.corpus.resolve(ReadOptions::default());
        let read = |file: &Path| {
            let corpus = input::corpus(file, &options)?;
            say!("{}", corpus.report);
            Ok::<_, anyhow::Error>(corpus)
        };
        Ok(ComparisonRequest {
            dir: dir.into(),
            train: read(&self.file)?,
            valid: self.valid.as_deref().map(read).transpose()?,
            test: self.test.as_deref().map(read).transpose()?,
            recipes,
            budget: Budget::Minutes(self.minutes),
            size: self.size,
            seed: self.seed,
            effort: self.effort(),
        })
    }

    fn effort(&self) -> Box<dyn Fn(EvaluationRequest) -> EvaluationRequest> {
        let thorough = self.thorough;
        let most = self.texts.unwrap_or(if thorough { usize::MAX } else { EvaluationRequest::FEW });
        Box::new(move |request| if thorough { request } else { request.light() }.on_at_most(most))
    }

    /// The page, its plots and the object go beside the models; the table, or the object, to the output.
    fn write(&self, dir: &Path, comparison: &Comparison) -> Result<()> {
        let page = dir.join("report.html");
        let plots = dir.join("plots");
        std::fs::create_dir_all(&plots).with_context(|| format!("cannot make {}", plots.display()))?;
        let mut files = vec![
            (page.clone(), strait::comparison_report(comparison).into_bytes()),
            (dir.join("comparison.json"), serde_json::to_vec_pretty(comparison)?),
        ];
        files
            .extend(strait::comparison_plots(comparison).into_iter().map(|(n, svg)| (plots.join(n), svg.into_bytes())));
        for (file, bytes) in files {
            Output::write_whole(Some(&file), &bytes)?;
        }
        let mut out = Output::open(None)?;
        match self.json {
            true => out.json(comparison)?,
            false => table(comparison).iter().try_for_each(|line| out.line(line))?,
        }
        out.finish()?;
        say!("The whole comparison, with curves and texts: {}", page.display());
        Ok(())
    }
}

fn run(request: Request, stop: &AtomicBool) -> Result<Option<Comparison>> {
    let (mut progress, mut ticker) = (None, None);
    let mut hear = |heard: Heard<'_>| match heard {
        Heard::Recipe { name, at, of, kept } => {
            end(&mut progress, &mut ticker);
            let what = if kept { "the model is there already" } else { "training" };
            say!("\nRecipe {at} of {of}, {name}: {what}");
        }
        Heard::Training(event) => progress.get_or_insert_with(|| Progress::new(false)).hear(event),
        Heard::Evaluating(done) => {
            end(&mut progress, &mut None);
            ticker.get_or_insert_with(Ticker::new).hear(done);
        }
    };
    let compared = match request {
        Request::Texts(request) => strait::compare(*request, &mut hear, stop),
        Request::Pairs(request) => strait::compare_pairs(*request, &mut hear, stop),
    };
    end(&mut progress, &mut ticker);
    Ok(compared?)
}

/// Clears the bars that are there.
fn end(progress: &mut Option<Progress>, ticker: &mut Option<Ticker>) {
    if let Some(progress) = progress.take() {
        progress.end();
    }
    if let Some(ticker) = ticker.take() {
        ticker.end();
    }
}

/// The figures as aligned columns: a line for each figure, a column for each recipe.
fn table(comparison: &Comparison) -> Vec<String> {
    let cell = |row: usize, column: &str, digits: usize| match comparison.rows[row].figures.get(column) {
        Some(figure) => figure.value.map_or("-".into(), |v| format!("{v:.digits$}")),
        None => "-".into(),
    };
    let names: Vec<&str> = comparison.rows.iter().map(|r| r.name.as_str()).collect();
    let mut lines = vec![aligned("", names.iter().map(|n| n.to_string()))];
    for column in &comparison.columns {
        let unit = if column.unit.is_empty() { String::new() } else { format!(", {}", column.unit) };
        let cells = (0..names.len()).map(|row| cell(row, &column.name, column.digits.unwrap_or(2)));
        lines.push(aligned(&format!("{}{unit}", column.name), cells));
    }
    for d in &comparison.differences {
        let better = d.better().map_or("not told from chance".into(), |name| format!("{name} is better"));
        lines.push(format!(
            "{}, {} less {}: {:+.2} ({:+.2} to {:+.2}), p = {:.4}: {better}",
            d.metric, d.first, d.second, d.value, d.low, d.high, d.p_value
        ));
    }
    lines
}

fn aligned(head: &str, cells: impl Iterator<Item = String>) -> String {
    cells.fold(format!("{head:28}"), |line, cell| line + &format!(" {cell:>13}"))
}
