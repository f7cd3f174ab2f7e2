//! A published encoder: texts to vectors.

use std::{path::Path, sync::Arc};

use strait_engine::{Packing, Params, Tape};

use crate::{Error, Family, Network, Pooling, bert::Bert, config::Config, tensors::Tensors, tokens::Tokens};

/// Most tokens that are encoded together.
const BATCH_TOKENS: usize = 2048;

/// An encoder of the BERT family with its tokenizer and pooling, frozen.
pub struct SentenceEncoder {
    family: Family,
    params: Params,
    network: Network,
    tokens: Tokens,
}

impl SentenceEncoder {
    /// Reads a published folder.
    ///
    /// # Errors
    /// If it is not there, not whole, not an encoder or of an unknown kind; the message names the file and the key or
    /// tensor.
    pub fn open(dir: &Path) -> Result<Self, Error> {
        SentenceEncoder::with(dir, Tensors::open)
    }

    /// The same without its weights, which are all 0: for a folder of the files of [`settings_of`](crate::settings_of).
    ///
    /// # Errors
    /// Those of [`SentenceEncoder::open`].
    pub fn open_untrained(dir: &Path) -> Result<Self, Error> {
        SentenceEncoder::with(dir, |_| Ok(Tensors::zero()))
    }

    fn with(dir: &Path, tensors: impl FnOnce(&Path) -> Result<Tensors, Error>) -> Result<Self, Error> {
        let config = Config::open(dir)?;
        if !config.family.is_encoder() {
            let (file, found) = (dir.join("config.json"), config.family.name().into());
            return Err(Error::Architecture { file, found, expected: "the encoders bert, roberta and distilbert" });
        }
        let mut params = Params::new();
        let bert = Bert::load(&mut params, &tensors(dir)?, &config)?;
        params.set_trainable("", false);
        let pooling = Pooling::open(dir, &config, bert.longest())?;
        let network = Network { bert, pooling };
        let tokens = Tokens::open(dir, config.family, pooling.longest, config.shape.vocabulary)?;
        if !tokens.closes() {
            let why = "it puts no special tokens around a text; an encoder's does".into();
            return Err(Error::Tokenizer { file: dir.join("tokenizer.json"), why });
        }
        Ok(SentenceEncoder { family: config.family, params, network, tokens })
    }

    /// The network's kind.
    pub fn family(&self) -> Family {
        self.family
    }
    /// Columns of a vector, D.
    pub fn width(&self) -> usize {
        self.network.shape().width
    }
    /// Number of weights.
    pub fn weights(&self) -> usize {
        self.params.weights()
    }
    /// How vectors are made of hidden states.
    pub fn pooling(&self) -> Pooling {
        self.network.pooling
    }
    /// The network, whose weights are [`SentenceEncoder::params`].
    pub fn network(&self) -> &Network {
        &self.network
    }
    /// The weights, frozen.
    pub fn params(&self) -> &Params {
        &self.params
    }

    /// Texts to vectors (n, D), row-major, in order. A text's vector does not depend on the others.
    pub fn encode<S: AsRef<str> + Sync>(&self, texts: &[S]) -> Vec<f32> {
        let d = self.width();
        let mut out = vec![0.0; texts.len() * d];
        self.in_batches(&self.ids(texts), |tape, y, packing, places| {
            let vectors = self.network.pooling.apply(tape, y, packing);
            places.iter().zip(vectors.chunks_exact(d)).for_each(|(&i, v)| out[i * d..][..d].copy_from_slice(v));
        });
        out
    }

    /// Token ids, special ones included, to hidden states (length, D) of each text.
    ///
    /// # Panics
    /// If a text is empty, longer than the network has places, or an id is not of its vocabulary.
    pub fn hidden_states(&self, ids: &[Vec<u32>]) -> Vec<Vec<f32>> {
        let d = self.width();
        let mut out = vec![Vec::new(); ids.len()];
        self.in_batches(ids, |tape, y, packing, places| {
            let y = tape.value(y);
            for (b, &i) in places.iter().enumerate() {
                out[i] = (0..ids[i].len()).flat_map(|t| &y[packing.row(b, t) * d..][..d]).copied().collect();
            }
        });
        out
    }

    /// The token ids of texts, special ones included, cut to what the network reads.
    pub fn ids<S: AsRef<str> + Sync>(&self, texts: &[S]) -> Vec<Vec<u32>> {
        match self.network.pooling.lowercase {
            true => self.tokens.encode(&texts.iter().map(|t| t.as_ref().to_lowercase()).collect::<Vec<_>>()),
            false => self.tokens.encode(texts),
        }
    }

    /// Runs the network over texts by falling length; `each` sees the states of a batch, how they lie, and the places of
    /// its texts in `ids`.
    fn in_batches(
        &self,
        ids: &[Vec<u32>],
        mut each: impl FnMut(&mut Tape, strait_engine::Var, &Arc<Packing>, &[usize]),
    ) {
        let mut order: Vec<usize> = (0..ids.len()).collect();
        order.sort_by_key(|&i| std::cmp::Reverse(ids[i].len()));
        let mut tape = Tape::inference();
        let mut rest = &order[..];
        while let Some(&first) = rest.first() {
            let (batch, after) = rest.split_at((BATCH_TOKENS / ids[first].len()).clamp(1, rest.len()));
            rest = after;
            let texts: Vec<&[u32]> = batch.iter().map(|&i| &ids[i][..]).collect();
            let packing = Packing::new(&texts.iter().map(|t| t.len()).collect::<Vec<_>>());
            let mut packed = Vec::with_capacity(packing.rows());
            packing.pack(&texts, &mut packed);
            let packing = Arc::new(packing);
            tape.reset();
            let y = self.network.bert.forward(&mut tape, &self.params, &packed, &packing);
            each(&mut tape, y, &packing, batch);
        }
    }
}
