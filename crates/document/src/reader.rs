//! Reading a document one latent after the other.

use rand::Rng;
use strait_engine::ops::linear;

use crate::{DocumentNetwork, Given, trunk::State};

/// What is the same at every sentence.
#[derive(Debug, Clone, Copy, Default)]
pub struct Beside<'a> {
    /// (P); none is the mean of those of the training documents.
    pub plan: Option<&'a [f32]>,
    /// Documents to attend to; none is nothing.
    pub given: Option<&'a Given>,
}

/// What a network has read so far, and what it expects next. Its size does not grow with how much that was.
#[derive(Clone)]
pub struct Reader<'a> {
    network: &'a DocumentNetwork,
    state: State,
    /// The mixture's row.
    row: Vec<f32>,
}

impl<'a> Reader<'a> {
    /// Before a first sentence; `begins`: which is a document's first.
    ///
    /// # Panics
    /// If the plan has another size than the network's.
    pub fn new(network: &'a DocumentNetwork, begins: bool, beside: Beside<'_>) -> Self {
        let plan = beside.plan.unwrap_or(&network.plan_mean);
        assert_eq!(plan.len(), network.config.plan);
        let nothing = if beside.given.is_none() { network.given(&[]) } else { None };
        let given = beside.given.or(nothing.as_ref());
        let state = State::new(&network.trunk, &network.params, network.config.hidden, (plan, given));
        let mut reader = Reader { network, state, row: vec![0.0; network.mixture().width()] };
        let mut input = Vec::new();
        network.input(&mut input, None, begins);
        reader.step(&input);
        reader
    }

    fn step(&mut self, input: &[f32]) {
        let network = self.network;
        let h = self.state.step(&network.trunk, &network.params, input, network.config.window);
        linear::forward(&network.params, &h, 1, network.out.0, Some(network.out.1), &mut self.row);
    }

    /// Reads the next latent (Z).
    pub fn read(&mut self, latent: &[f32]) {
        let standard = self.network.standardise(latent);
        let mut input = Vec::with_capacity(standard.len() + 1);
        self.network.input(&mut input, Some(&standard), false);
        self.step(&input);
    }

    /// Logarithm of the density of a latent (Z) as the next one, in nats; of the standardised latent.
    pub fn log_density(&self, latent: &[f32]) -> f64 {
        self.network.mixture().log_density(&self.row, &self.network.standardise(latent))
    }

    /// The probability that nothing comes next.
    pub fn end(&self) -> f64 {
        self.network.mixture().end(&self.row)
    }

    /// A draw of the next latent (Z); `temperature` multiplies its spread.
    pub fn draw(&self, temperature: f32, rng: &mut impl Rng) -> Vec<f32> {
        self.network.restore(&self.network.mixture().draw(&self.row, temperature, rng))
    }
}
