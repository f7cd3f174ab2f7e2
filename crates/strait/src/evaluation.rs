//! Everything that can be measured of a model, in one call.

use strait_evaluate::{Evaluation, EvaluationRequest, Progress, Subject};

use crate::{Error, Model};

impl Model {
    /// Measures all that applies to the model, see [`strait_evaluate`]: likelihood of held-out texts, use of the latent,
    /// reconstruction, prior, neighbours, and samples against real text. `hear` is told how far it is.
    ///
    /// ```no_run
    /// # let held_out: Vec<String> = Vec::new();
    /// let mut model = strait::Model::open("my-model")?;
    /// let request = strait::EvaluationRequest::new("test.txt", held_out).quick();
    /// print!("{}", model.evaluate(&request, &mut |_| {})?);
    /// # Ok::<(), strait::Error>(())
    /// ```
    ///
    /// # Errors
    /// If there are too few texts, a setting is out of range, or the model's numbers are not finite.
    pub fn evaluate(
        &mut self,
        request: &EvaluationRequest,
        hear: &mut dyn FnMut(Progress<'_>),
    ) -> Result<Evaluation, Error> {
        self.check_texts()?;
        Ok(strait_evaluate::evaluate(self.subject(), None, request, hear)?)
    }

    /// As [`Model::evaluate`], with the likelihood that another model, by its name, gives the same texts: a language model
    /// of the same size.
    ///
    /// # Errors
    /// As [`Model::evaluate`].
    pub fn evaluate_beside(
        &mut self,
        (name, other): (&str, &mut Model),
        request: &EvaluationRequest,
        hear: &mut dyn FnMut(Progress<'_>),
    ) -> Result<Evaluation, Error> {
        self.check_texts()?;
        other.check_texts()?;
        Ok(strait_evaluate::evaluate(self.subject(), Some((name, other.subject())), request, hear)?)
    }

    /// A language model needs no latents to be measured.
    fn check_texts(&self) -> Result<(), Error> {
        if self.is_language_model() { Ok(()) } else { self.needs_encoder() }
    }

    fn subject(&mut self) -> Subject<'_> {
        Subject { config: &self.config, model: &mut self.model, tokenizer: &self.tokenizer, prior: &self.prior }
    }
}
