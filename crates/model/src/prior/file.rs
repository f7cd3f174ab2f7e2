//! `prior.safetensors`: a prior as bytes and back, to the bit.
//!
//! The metadata holds one key, `strait.prior`, with the JSON `{"kind", "version", "dim", "components"}`: one key, so
//! that the same prior always gives the same bytes. Tensors: none for `standard_normal`; `means` F32 (K, Z),
//! `factors` F32 (K, Z (Z + 1) / 2), rows of the lower Cholesky factors up to the diagonal, and `log_weights`
//! F64 (K) for `mixture`; the first two with K = 1 for `gaussian`; for `generator`, whose components are its layers,
//! `weight.L` F32 (O, I), `bias.L` F32 (O) and `settings` (see `generator.rs`). Other keys and tensors are refused.

use std::collections::HashMap;

use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde::{Deserialize, Serialize};

use super::rows::MOST_DIMS;
use super::{Gaussian, Generator, Mixture, Prior, PriorError};

const KEY: &str = "strait.prior";
const VERSION: u64 = 1;
/// How far from 1 the weights may sum: what rounding leaves, no more.
const WEIGHT_SLACK: f64 = 1e-6;

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
        let (components, log_weights): (&[Gaussian], &[f64]) = match self {
            Self::Generator(p) => return generator_bytes(p),
            Self::StandardNormal(_) => (&[], &[]),
            Self::Gaussian(p) => (std::slice::from_ref(p), &[]),
            Self::Mixture(p) => (p.components(), p.log_weights()),
        };
        let (dim, k) = (self.dim(), components.len());
        let header = Header { kind: self.name().into(), version: VERSION, dim, components: k };
        let means: Vec<u8> = components.iter().flat_map(Gaussian::mean).flat_map(|v| v.to_le_bytes()).collect();
        let factors: Vec<u8> = components.iter().flat_map(Gaussian::factor).flat_map(|v| v.to_le_bytes()).collect();
        let weights: Vec<u8> = log_weights.iter().flat_map(|v| v.to_le_bytes()).collect();
        let mut tensors = Vec::new();
        let mut add = |name: &'static str, dtype, shape: Vec<usize>, data| {
            // Dtype, shape and data agree by construction, so a view is always made.
            tensors.extend(TensorView::new(dtype, shape, data).ok().map(|view| (name, view)));
        };
        if k > 0 {
            add("means", Dtype::F32, vec![k, dim], &means);
            add("factors", Dtype::F32, vec![k, packed(dim)], &factors);
        }
        if !log_weights.is_empty() {
            add("log_weights", Dtype::F64, vec![k], &weights);
        }
        let json = serde_json::to_string(&header).unwrap_or_default();
        // Fails only on a header above 100 MB; this one is a few hundred bytes.
        safetensors::serialize(tensors, Some(HashMap::from([(KEY.to_string(), json)]))).unwrap_or_default()
    }

    /// Reads what [`Prior::to_bytes`] wrote; anything else is an error that names the tensor or the key.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, PriorError> {
        let broken = |e: safetensors::SafeTensorError| PriorError::NotSafetensors(e.to_string());
        let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(broken)?;
        let tensors = SafeTensors::deserialize(bytes).map_err(broken)?;
        let json = metadata.metadata().as_ref().and_then(|m| m.get(KEY));
        let json = json.ok_or_else(|| PriorError::Metadata("missing".into()))?;
        let header = read_header(json)?;
        let (dim, k) = (header.dim, header.components);
        let expected: &[&str] = match header.kind.as_str() {
            "generator" => return Ok(Self::Generator(Generator::read(&tensors, k, dim)?)),
            "standard_normal" => &[],
            "gaussian" => &["factors", "means"],
            "mixture" => &["factors", "log_weights", "means"],
            other => {
                let kinds = "standard_normal, gaussian, mixture and generator";
                return Err(PriorError::Metadata(format!("kind `{other}` is unknown, this program reads {kinds}")));
            }
        };
        if let Some(extra) = tensors.names().into_iter().find(|name| !expected.contains(name)) {
            return Err(PriorError::Metadata(format!("a {} prior has no tensor `{extra}`", header.kind)));
        }
        match header.kind.as_str() {
            "standard_normal" => Ok(Self::standard_normal(dim)),
            "gaussian" if k != 1 => Err(PriorError::Metadata(format!("a gaussian prior of {k} components"))),
            "gaussian" => {
                let (mean, factor) = (read_means(&tensors, 1, dim)?, read_factors(&tensors, 1, dim)?);
                Ok(Self::Gaussian(Gaussian::from_parts(mean, factor)))
            }
            _ => {
                let log_weights = read_weights(&tensors, k)?;
                let (means, factors) = (read_means(&tensors, k, dim)?, read_factors(&tensors, k, dim)?);
                let parts = means.chunks(dim).zip(factors.chunks(packed(dim)));
                let components = parts.map(|(m, f)| Gaussian::from_parts(m.to_vec(), f.to_vec())).collect();
                Ok(Self::Mixture(Mixture::new(log_weights, components)))
            }
        }
    }
}

/// Components are layers.
fn generator_bytes(p: &Generator) -> Vec<u8> {
    let header = Header { kind: "generator".into(), version: VERSION, dim: p.dim(), components: p.layers() };
    let owned = p.tensors();
    // Shape and data agree by construction, so a view is always made.
    let views = owned.iter().filter_map(|(name, shape, data)| {
        TensorView::new(Dtype::F32, shape.clone(), data).ok().map(|view| (name.clone(), view))
    });
    let json = serde_json::to_string(&header).unwrap_or_default();
    safetensors::serialize(views, Some(HashMap::from([(KEY.to_string(), json)]))).unwrap_or_default()
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

/// The bytes of tensor `name`, after checking its type and shape.
fn read<'a>(
    tensors: &'a SafeTensors,
    name: &'static str,
    dtype: Dtype,
    shape: &[usize],
) -> Result<&'a [u8], PriorError> {
    let view = tensors.tensor(name).map_err(|_| PriorError::Tensor { name, problem: "missing".into() })?;
    if view.dtype() != dtype || view.shape() != shape {
        let problem =
            format!("is {:?} of shape {:?}, expected {dtype:?} of shape {shape:?}", view.dtype(), view.shape());
        return Err(PriorError::Tensor { name, problem });
    }
    // The view's bytes borrow from the buffer, whose length safetensors has checked against the shape.
    Ok(view.data())
}

fn read_f32(tensors: &SafeTensors, name: &'static str, shape: &[usize]) -> Result<Vec<f32>, PriorError> {
    let bytes = read(tensors, name, Dtype::F32, shape)?;
    let values: Vec<f32> = bytes.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect();
    match values.iter().position(|v| !v.is_finite()) {
        Some(at) => Err(PriorError::Tensor { name, problem: format!("value {at} is {}", values[at]) }),
        None => Ok(values),
    }
}

fn read_means(tensors: &SafeTensors, k: usize, dim: usize) -> Result<Vec<f32>, PriorError> {
    read_f32(tensors, "means", &[k, dim])
}

fn read_factors(tensors: &SafeTensors, k: usize, dim: usize) -> Result<Vec<f32>, PriorError> {
    let name = "factors";
    let factors = read_f32(tensors, name, &[k, packed(dim)])?;
    for (c, factor) in factors.chunks(packed(dim)).enumerate() {
        if let Some(i) = (0..dim).find(|i| factor[i * (i + 1) / 2 + i] <= 0.0) {
            let problem = format!("component {c} has a diagonal value at {i} that is not positive");
            return Err(PriorError::Tensor { name, problem });
        }
    }
    Ok(factors)
}

fn read_weights(tensors: &SafeTensors, k: usize) -> Result<Vec<f64>, PriorError> {
    let name = "log_weights";
    let bytes = read(tensors, name, Dtype::F64, &[k])?;
    let values: Vec<f64> = bytes.as_chunks::<8>().0.iter().map(|b| f64::from_le_bytes(*b)).collect();
    let total: f64 = values.iter().map(|v| v.exp()).sum();
    // Written so that a NaN fails too; no components at all sum to 0.
    if (total - 1.0).abs() <= WEIGHT_SLACK {
        Ok(values)
    } else {
        Err(PriorError::Tensor { name, problem: format!("the weights sum to {total}, not to 1") })
    }
}
