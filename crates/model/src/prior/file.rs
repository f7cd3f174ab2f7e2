//! `prior.safetensors`: a prior as bytes and back, to the bit.
//!
//! The metadata holds one key, `strait.prior`, with the JSON `{"kind", "version", "dim", "components"}`: one key, so
//! that the same prior always gives the same bytes. Other keys and other tensors are refused. Tensors by kind:
//!
//! - `standard_normal`: none; components 0.
//! - `gaussian`, `mixture`: `means` F32 (K, Z) and `factors` F32 (K, Z (Z + 1) / 2), rows of the lower Cholesky factors
//!   up to the diagonal; for `mixture` also `log_weights` F64 (K). Components K, 1 for `gaussian`.
//! - `flow`: `means` and `factors` of the Gaussian that whitens, and the networks of its blocks, F32:
//!   `blocks.k.{a,b}.{first,second}.{weight,bias}`. Components the number of blocks.
//! - `codes`: `vectors` F32 (1 or S, K, Z / S), one book for all slots or one for each; `counts` U32 (M, 5), the slot,
//!   the code before, the one before that (4294967295 for none), the code and how often it came, in rising order;
//!   `strengths` F64 (3). Components K.
//! - `generator`: `weight.L` F32 (O, I), `bias.L` F32 (O) for each layer L and `settings` (see `generator.rs`). Components
//!   the number of layers.

use std::collections::{BTreeMap, HashMap};

use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde::{Deserialize, Serialize};

use super::codes::{Key, NONE, ORDER};
use super::couplings::{BLOCKS, Couplings};
use super::rows::MOST_DIMS;
use super::{Codes, Gaussian, Generator, Mixture, Prior, PriorError, RealNvp};

const KEY: &str = "strait.prior";
const VERSION: u64 = 1;
/// How far from 1 the weights may sum: what rounding leaves, no more.
const WEIGHT_SLACK: f64 = 1e-6;
/// Values in a row of `counts`.
const COUNT_ROW: usize = ORDER + 3;
/// The tensor whose length tells a flow's hidden units.
const HIDDEN: &str = "blocks.0.a.first.bias";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    kind: String,
    version: u64,
    dim: usize,
    components: usize,
}

impl Prior {
    /// The prior as a safetensors buffer.
    pub fn to_bytes(&self) -> Vec<u8> {
        let (components, parts) = match self {
            Self::StandardNormal(_) => (0, Vec::new()),
            Self::Gaussian(p) => (1, gaussian_parts(std::slice::from_ref(p))),
            Self::Mixture(p) => (p.components().len(), mixture_parts(p)),
            Self::Flow(p) => (BLOCKS, flow_parts(p)),
            Self::Codes(p) => (p.codes_per_book(), codes_parts(p)),
            Self::Generator(p) => (p.layers(), generator_parts(p)),
        };
        let header = Header { kind: self.name().into(), version: VERSION, dim: self.dim(), components };
        // Type, shape and data agree by construction, so a view is always made.
        let views: Vec<_> = parts.iter().filter_map(Part::view).collect();
        let json = serde_json::to_string(&header).unwrap_or_default();
        // Fails only on a header above 100 MB; this one is a few hundred bytes.
        safetensors::serialize(views, Some(HashMap::from([(KEY.to_string(), json)]))).unwrap_or_default()
    }

    /// Reads what [`Prior::to_bytes`] wrote; anything else is an error that names the tensor or the key.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, PriorError> {
        let broken = |e: safetensors::SafeTensorError| PriorError::NotSafetensors(e.to_string());
        let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(broken)?;
        let tensors = SafeTensors::deserialize(bytes).map_err(broken)?;
        let json = metadata.metadata().as_ref().and_then(|m| m.get(KEY));
        let json = json.ok_or_else(|| PriorError::Metadata("missing".into()))?;
        let Header { kind, dim, components, .. } = read_header(json)?;
        if kind == "generator" {
            // Its tensors depend on the number of layers, so it reads and checks them itself.
            return Ok(Self::Generator(Generator::read(&tensors, components, dim)?));
        }
        let mut reader = Reader { tensors: &tensors, kind: &kind, read: Vec::new() };
        let prior = match kind.as_str() {
            "standard_normal" => Self::standard_normal(dim),
            "gaussian" if components != 1 => {
                return Err(PriorError::Metadata(format!("a gaussian prior of {components} components")));
            }
            "gaussian" => Self::Gaussian(reader.gaussian(dim)?),
            "mixture" => Self::Mixture(reader.mixture(components, dim)?),
            "flow" => Self::Flow(reader.flow(components, dim)?),
            "codes" => Self::Codes(reader.codes(components, dim)?),
            other => {
                let kinds = "standard_normal, gaussian, mixture, flow, codes and generator";
                return Err(PriorError::Metadata(format!("kind `{other}` is unknown, this program reads {kinds}")));
            }
        };
        reader.finish()?;
        Ok(prior)
    }
}

/// A tensor to write.
struct Part {
    name: String,
    dtype: Dtype,
    shape: Vec<usize>,
    data: Vec<u8>,
}

impl Part {
    fn f32(name: &str, shape: &[usize], values: impl IntoIterator<Item = f32>) -> Self {
        let data = values.into_iter().flat_map(f32::to_le_bytes).collect();
        Self { name: name.into(), dtype: Dtype::F32, shape: shape.to_vec(), data }
    }

    fn f64(name: &str, values: &[f64]) -> Self {
        let data = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        Self { name: name.into(), dtype: Dtype::F64, shape: vec![values.len()], data }
    }

    fn view(&self) -> Option<(&str, TensorView<'_>)> {
        TensorView::new(self.dtype, self.shape.clone(), &self.data).ok().map(|view| (self.name.as_str(), view))
    }
}

fn gaussian_parts(components: &[Gaussian]) -> Vec<Part> {
    let (k, dim) = (components.len(), components.first().map_or(0, Gaussian::dim));
    vec![
        Part::f32("means", &[k, dim], components.iter().flat_map(Gaussian::mean).copied()),
        Part::f32("factors", &[k, packed(dim)], components.iter().flat_map(Gaussian::factor).copied()),
    ]
}

fn mixture_parts(mixture: &Mixture) -> Vec<Part> {
    let mut parts = gaussian_parts(mixture.components());
    parts.push(Part::f64("log_weights", mixture.log_weights()));
    parts
}

fn flow_parts(flow: &RealNvp) -> Vec<Part> {
    let mut parts = gaussian_parts(std::slice::from_ref(flow.whitening()));
    for (_, p) in flow.layers().params.iter() {
        let (rows, columns) = p.shape();
        parts.push(Part::f32(p.name(), &[rows, columns], p.value().iter().copied()));
    }
    parts
}

fn codes_parts(codes: &Codes) -> Vec<Part> {
    let books = if codes.shared() { 1 } else { codes.slots() };
    let vectors = codes.vectors().iter().copied();
    let counts = codes.counts().iter().flat_map(|(key, &count)| key.iter().copied().chain([count]));
    vec![
        Part::f32("vectors", &[books, codes.codes_per_book(), codes.width()], vectors),
        Part {
            name: "counts".into(),
            dtype: Dtype::U32,
            shape: vec![codes.counts().len(), COUNT_ROW],
            data: counts.flat_map(u32::to_le_bytes).collect(),
        },
        Part::f64("strengths", codes.strengths()),
    ]
}

fn generator_parts(generator: &Generator) -> Vec<Part> {
    let part = |(name, shape, data)| Part { name, dtype: Dtype::F32, shape, data };
    generator.tensors().into_iter().map(part).collect()
}

fn packed(dim: usize) -> usize {
    dim * (dim + 1) / 2
}

fn read_header(json: &str) -> Result<Header, PriorError> {
    // The version first: another version may have other fields.
    let value: serde_json::Value = serde_json::from_str(json).map_err(|e| PriorError::Metadata(e.to_string()))?;
    match value.get("version").and_then(serde_json::Value::as_u64) {
        Some(VERSION) => {}
        Some(found) => return Err(PriorError::Version { found, known: VERSION }),
        None => return Err(PriorError::Metadata("no version".into())),
    }
    let header: Header = serde_json::from_value(value).map_err(|e| PriorError::Metadata(e.to_string()))?;
    if header.dim == 0 || header.dim > MOST_DIMS {
        return Err(PriorError::Dim { dim: header.dim, most: MOST_DIMS });
    }
    Ok(header)
}

fn bad(name: &str, problem: impl Into<String>) -> PriorError {
    PriorError::Tensor { name: name.into(), problem: problem.into() }
}

/// Takes tensors out of the buffer and remembers which.
struct Reader<'a> {
    tensors: &'a SafeTensors<'a>,
    kind: &'a str,
    read: Vec<String>,
}

impl<'a> Reader<'a> {
    /// A tensor of any shape.
    fn view(&mut self, name: &str) -> Result<TensorView<'a>, PriorError> {
        self.read.push(name.into());
        self.tensors.tensor(name).map_err(|_| bad(name, "missing"))
    }

    /// The bytes of tensor `name`, after checking its type and shape.
    fn bytes(&mut self, name: &str, dtype: Dtype, shape: &[usize]) -> Result<&'a [u8], PriorError> {
        let view = self.view(name)?;
        if view.dtype() != dtype || view.shape() != shape {
            let (found, of) = (view.dtype(), view.shape());
            return Err(bad(name, format!("is {found:?} of shape {of:?}, expected {dtype:?} of shape {shape:?}")));
        }
        // The view's bytes borrow from the buffer, whose length safetensors has checked against the shape.
        Ok(view.data())
    }

    fn f32(&mut self, name: &str, shape: &[usize]) -> Result<Vec<f32>, PriorError> {
        let bytes = self.bytes(name, Dtype::F32, shape)?;
        let values: Vec<f32> = bytes.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect();
        match values.iter().position(|v| !v.is_finite()) {
            Some(at) => Err(bad(name, format!("value {at} is {}", values[at]))),
            None => Ok(values),
        }
    }

    fn f64(&mut self, name: &str, n: usize) -> Result<Vec<f64>, PriorError> {
        let bytes = self.bytes(name, Dtype::F64, &[n])?;
        Ok(bytes.as_chunks::<8>().0.iter().map(|b| f64::from_le_bytes(*b)).collect())
    }

    fn gaussian(&mut self, dim: usize) -> Result<Gaussian, PriorError> {
        Ok(Gaussian::from_parts(self.f32("means", &[1, dim])?, self.factors(1, dim)?))
    }

    fn mixture(&mut self, k: usize, dim: usize) -> Result<Mixture, PriorError> {
        let log_weights = self.weights(k)?;
        let (means, factors) = (self.f32("means", &[k, dim])?, self.factors(k, dim)?);
        let parts = means.chunks(dim).zip(factors.chunks(packed(dim)));
        let components = parts.map(|(m, f)| Gaussian::from_parts(m.to_vec(), f.to_vec())).collect();
        Ok(Mixture::new(log_weights, components))
    }

    fn factors(&mut self, k: usize, dim: usize) -> Result<Vec<f32>, PriorError> {
        let factors = self.f32("factors", &[k, packed(dim)])?;
        for (c, factor) in factors.chunks(packed(dim)).enumerate() {
            if let Some(i) = (0..dim).find(|i| factor[i * (i + 1) / 2 + i] <= 0.0) {
                let problem = format!("component {c} has a diagonal value at {i} that is not positive");
                return Err(bad("factors", problem));
            }
        }
        Ok(factors)
    }

    fn weights(&mut self, k: usize) -> Result<Vec<f64>, PriorError> {
        let values = self.f64("log_weights", k)?;
        let total: f64 = values.iter().map(|v| v.exp()).sum();
        // Written so that a NaN fails too; no components at all sum to 0.
        match (total - 1.0).abs() <= WEIGHT_SLACK {
            true => Ok(values),
            false => Err(bad("log_weights", format!("the weights sum to {total}, not to 1"))),
        }
    }

    fn flow(&mut self, blocks: usize, dim: usize) -> Result<RealNvp, PriorError> {
        if blocks != BLOCKS || dim < 2 {
            let problem = format!("a flow of {blocks} blocks over {dim} dimensions; it has {BLOCKS}, over 2 or more");
            return Err(PriorError::Metadata(problem));
        }
        let whitening = self.gaussian(dim)?;
        let hidden = self.view(HIDDEN)?.shape().last().copied().unwrap_or(0);
        if hidden == 0 {
            return Err(bad(HIDDEN, "is empty"));
        }
        let couplings = Couplings::build(dim, hidden, |name, (rows, columns)| self.f32(name, &[rows, columns]))?;
        Ok(RealNvp::new(whitening, couplings))
    }

    fn codes(&mut self, k: usize, dim: usize) -> Result<Codes, PriorError> {
        let shape = self.view("vectors")?.shape().to_vec();
        let (books, width) = match shape[..] {
            [books, codes, width] if codes == k && width > 0 && dim.is_multiple_of(width) => (books, width),
            _ => return Err(bad("vectors", format!("is of shape {shape:?}, expected (1 or S, {k}, {dim} / S)"))),
        };
        let slots = dim / width;
        if books != 1 && books != slots {
            return Err(bad("vectors", format!("{books} books for {slots} slots")));
        }
        let vectors = self.f32("vectors", &shape)?;
        let strengths = self.f64("strengths", ORDER + 1)?;
        if let Some(strength) = strengths.iter().find(|s| !s.is_finite() || **s <= 0.0) {
            return Err(bad("strengths", format!("{strength} is no strength")));
        }
        Codes::from_parts((vectors, k, slots, books == 1), self.counts(k, slots)?, strengths)
    }

    /// Counts whose slots and codes exist, in rising order.
    fn counts(&mut self, k: usize, slots: usize) -> Result<BTreeMap<Key, u32>, PriorError> {
        let rows = self.view("counts")?.shape().first().copied().unwrap_or(0);
        let bytes = self.bytes("counts", Dtype::U32, &[rows, COUNT_ROW])?;
        let values: Vec<u32> = bytes.as_chunks::<4>().0.iter().map(|b| u32::from_le_bytes(*b)).collect();
        let mut counts = BTreeMap::new();
        for (at, row) in values.chunks_exact(COUNT_ROW).enumerate() {
            let mut key: Key = [0; ORDER + 2];
            key.copy_from_slice(&row[..ORDER + 2]);
            let (slot, count) = (key[0] as usize, row[ORDER + 2]);
            let exists = |code: u32| (code as usize) < k;
            let before = |(i, &code): (usize, &u32)| if i < slot { exists(code) } else { code == NONE };
            let codes_exist = slot < slots && exists(key[ORDER + 1]) && key[1..=ORDER].iter().enumerate().all(before);
            let rising = counts.last_key_value().is_none_or(|(last, _)| *last < key);
            if !codes_exist || !rising || count == 0 {
                return Err(bad("counts", format!("row {at}, {row:?}, cannot be")));
            }
            counts.insert(key, count);
        }
        Ok(counts)
    }

    /// Refuses tensors that were not taken.
    fn finish(self) -> Result<(), PriorError> {
        match self.tensors.names().into_iter().find(|name| !self.read.iter().any(|read| read == name)) {
            Some(extra) => Err(PriorError::Metadata(format!("a {} prior has no tensor `{extra}`", self.kind))),
            None => Ok(()),
        }
    }
}
