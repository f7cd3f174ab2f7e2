//! Weights as safetensors: one tensor per parameter, by name, as PyTorch code would read them.

use std::collections::HashMap;

use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use strait_engine::Params;

/// Why bytes are not the weights of a model.
#[derive(Debug, thiserror::Error)]
pub enum WeightsError {
    /// Not a safetensors file, or cut short.
    #[error("it is not a whole safetensors file ({0})")]
    Format(String),
    /// A tensor of another type.
    #[error("tensor `{name}` is {found}, not F32")]
    Type {
        /// Its name.
        name: String,
        /// Its type.
        found: String,
    },
    /// A tensor that the model does not have.
    #[error("tensor `{0}` does not belong to this model")]
    Unknown(String),
    /// A tensor that is missing or has another shape.
    #[error(transparent)]
    Parameter(#[from] strait_engine::Error),
}

/// Named f32 matrices, (name, (rows, cols), values), as a safetensors file; vectors (1, n) become one-dimensional.
pub fn tensors_to_bytes<'a>(
    tensors: impl Iterator<Item = (String, (usize, usize), &'a [f32])>,
    metadata: &[(&str, String)],
) -> Result<Vec<u8>, WeightsError> {
    let owned: Vec<(String, Vec<usize>, Vec<u8>)> = tensors
        .map(|(name, (rows, cols), values)| {
            let shape = if rows == 1 { vec![cols] } else { vec![rows, cols] };
            (name, shape, values.iter().flat_map(|v| v.to_le_bytes()).collect())
        })
        .collect();
    let views = owned.iter().map(|(name, shape, bytes)| {
        let view = TensorView::new(Dtype::F32, shape.clone(), bytes).map_err(format)?;
        Ok((name.clone(), view))
    });
    let views: Vec<(String, TensorView<'_>)> = views.collect::<Result<_, WeightsError>>()?;
    let metadata: HashMap<String, String> = metadata.iter().map(|(k, v)| (k.to_string(), v.clone())).collect();
    safetensors::serialize(views, Some(metadata)).map_err(format)
}

/// The values of every parameter as a safetensors file.
pub fn to_bytes(params: &Params) -> Result<Vec<u8>, WeightsError> {
    let tensors = params.iter().map(|(_, p)| (p.name().to_string(), p.shape(), p.value()));
    tensors_to_bytes(tensors, &[("format", "pt".into())])
}

/// Reads named f32 tensors: calls `each` with the name and the values.
pub fn read(
    bytes: &[u8],
    mut each: impl FnMut(&str, Vec<f32>) -> Result<(), WeightsError>,
) -> Result<(), WeightsError> {
    let file = SafeTensors::deserialize(bytes).map_err(format)?;
    for (name, view) in file.iter() {
        if view.dtype() != Dtype::F32 {
            return Err(WeightsError::Type { name: name.into(), found: format!("{:?}", view.dtype()) });
        }
        let values = view.data().as_chunks::<4>().0.iter().map(|&b| f32::from_le_bytes(b)).collect();
        each(name, values)?;
    }
    Ok(())
}

/// Fills every parameter from a safetensors file.
///
/// # Errors
/// If a tensor is missing, unknown, or of another type or shape; the parameters may then be partly filled.
pub fn load(params: &mut Params, bytes: &[u8]) -> Result<(), WeightsError> {
    load_but(params, bytes, |_| false)
}

/// The same, but a tensor of a name that is `free` may be missing, and keeps what it is, or unknown, and is left aside.
///
/// # Errors
/// Those of [`load`].
pub fn load_but(params: &mut Params, bytes: &[u8], free: impl Fn(&str) -> bool) -> Result<(), WeightsError> {
    let mut missing: Vec<String> = params.iter().map(|(_, p)| p.name().to_string()).collect();
    let file = SafeTensors::deserialize(bytes).map_err(format)?;
    read(bytes, |name, values| {
        match missing.iter().position(|m| m == name) {
            Some(at) => missing.swap_remove(at),
            None if free(name) => return Ok(()),
            None => return Err(WeightsError::Unknown(name.into())),
        };
        let shape = file.tensor(name).map_err(format)?.shape().to_vec();
        let shape = match shape[..] {
            [n] => (1, n),
            [rows, cols] => (rows, cols),
            _ => (0, 0),
        };
        Ok(params.set(name, shape, &values)?)
    })?;
    missing.retain(|name| !free(name));
    missing.sort();
    match missing.into_iter().next() {
        Some(name) => Err(strait_engine::Error::Missing { name }.into()),
        None => Ok(()),
    }
}

fn format(e: impl std::fmt::Display) -> WeightsError {
    WeightsError::Format(e.to_string())
}
