//! Priors as files: round trips, and malformed files by name.

use safetensors::tensor::{Dtype, SafeTensors, TensorView};

use super::*;

#[test]
fn bytes_round_trip_to_the_bit() {
    for prior in [Prior::standard_normal(7), Prior::Gaussian(plane()), three(), flow(), codes(true), codes(false)] {
        let bytes = prior.to_bytes();
        let back = Prior::from_bytes(&bytes).unwrap();
        assert_eq!(back, prior);
        assert_eq!(back.to_bytes(), bytes);
        let z = vec![0.25; prior.dim()];
        assert_eq!(back.log_density(&z).to_bits(), prior.log_density(&z).to_bits());
    }
}

/// The bytes of [`three`] with the named tensor changed, dropped or reshaped, and the metadata replaced.
fn forged(name: &str, header: &str, change: impl Fn(&mut Vec<u8>, &mut Vec<usize>) -> bool) -> Vec<u8> {
    forge(&three(), name, header, change)
}

fn forge(prior: &Prior, name: &str, header: &str, change: impl Fn(&mut Vec<u8>, &mut Vec<usize>) -> bool) -> Vec<u8> {
    let bytes = prior.to_bytes();
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    let mut parts: Vec<(String, Dtype, Vec<usize>, Vec<u8>)> = Vec::new();
    for (key, view) in tensors.tensors() {
        let (mut data, mut shape) = (view.data().to_vec(), view.shape().to_vec());
        if key != name || change(&mut data, &mut shape) {
            parts.push((key, view.dtype(), shape, data));
        }
    }
    let views = parts
        .iter()
        .map(|(key, dtype, shape, data)| (key.clone(), TensorView::new(*dtype, shape.clone(), data).unwrap()));
    safetensors::serialize(views, Some([("strait.prior".to_string(), header.to_string())].into())).unwrap()
}

#[test]
fn malformed_buffers_by_name() {
    let good = r#"{"kind":"mixture","version":1,"dim":4,"components":3}"#;
    let keep = |_: &mut Vec<u8>, _: &mut Vec<usize>| true;
    assert_eq!(Prior::from_bytes(&forged("", good, keep)).unwrap(), three());
    let bytes = three().to_bytes();
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("empty", vec![], "not a prior file"),
        ("text", b"hello, this is no safetensors file".to_vec(), "not a prior file"),
        ("cut_short", bytes[..bytes.len() - 5].to_vec(), "not a prior file"),
        ("no_version", forged("", r#"{"kind":"mixture"}"#, keep), "no version"),
        ("newer_version", forged("", r#"{"version":2}"#, keep), "format version 2, this program reads version 1"),
        ("unknown_kind", forged("", &good.replace("mixture", "nest"), keep), "kind `nest` is unknown"),
        ("unknown_field", forged("", &good.replace("\"dim\"", "\"dims\":4,\"dim\""), keep), "dims"),
        ("no_dimensions", forged("", &good.replace(":4", ":0"), keep), "0 dimensions"),
        ("other_dimensions", forged("", &good.replace(":4", ":5"), keep), "tensor `means`"),
        ("other_components", forged("", &good.replace(":3", ":2"), keep), "tensor `log_weights`"),
        (
            "three_as_gaussian",
            forged("", &good.replace("mixture", "gaussian"), keep),
            "a gaussian prior of 3 components",
        ),
        ("more_than_normal", forged("", &good.replace("mixture", "standard_normal"), keep), "has no tensor `"),
        ("no_means", forged("means", good, |_, _| false), "tensor `means`: missing"),
        ("no_factors", forged("factors", good, |_, _| false), "tensor `factors`: missing"),
        (
            "flat_factors",
            forged("factors", good, |_, shape| {
                *shape = vec![30];
                true
            }),
            "tensor `factors`: is F32 of shape [30]",
        ),
        (
            "nan_mean",
            forged("means", good, |data, _| {
                data[4..8].copy_from_slice(&f32::NAN.to_le_bytes());
                true
            }),
            "tensor `means`: value 1 is NaN",
        ),
        (
            "zero_diagonal",
            forged("factors", good, |data, _| {
                data[40..44].fill(0);
                true
            }),
            "tensor `factors`: component 1 has a diagonal value at 0",
        ),
        (
            "heavy_weights",
            forged("log_weights", good, |data, _| {
                data[..8].fill(0);
                true
            }),
            "tensor `log_weights`: the weights sum to 1.5",
        ),
    ];
    for (name, bytes, want) in cases {
        let error = Prior::from_bytes(&bytes).unwrap_err().to_string();
        assert!(error.contains(want), "{name}: {error}");
    }
}

#[test]
fn malformed_flows_and_codes_by_name() {
    let (flow_header, codes_header) = (
        r#"{"kind":"flow","version":1,"dim":3,"components":4}"#,
        r#"{"kind":"codes","version":1,"dim":3,"components":2}"#,
    );
    let keep = |_: &mut Vec<u8>, _: &mut Vec<usize>| true;
    assert_eq!(Prior::from_bytes(&forge(&flow(), "", flow_header, keep)).unwrap(), flow());
    assert_eq!(Prior::from_bytes(&forge(&codes(true), "", codes_header, keep)).unwrap(), codes(true));
    let drop = |_: &mut Vec<u8>, _: &mut Vec<usize>| false;
    let flow =
        |name: &str, change: &dyn Fn(&mut Vec<u8>, &mut Vec<usize>) -> bool| forge(&flow(), name, flow_header, change);
    let codes = |name: &str, change: &dyn Fn(&mut Vec<u8>, &mut Vec<usize>) -> bool| {
        forge(&codes(false), name, codes_header, change)
    };
    let word = |at: usize, value: u32| {
        move |data: &mut Vec<u8>, _: &mut Vec<usize>| {
            data[4 * at..][..4].copy_from_slice(&value.to_le_bytes());
            true
        }
    };
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("no_bias", flow("blocks.0.a.first.bias", &drop), "tensor `blocks.0.a.first.bias`: missing"),
        ("no_weight", flow("blocks.3.b.second.weight", &drop), "tensor `blocks.3.b.second.weight`: missing"),
        ("nan_weight", flow("blocks.2.a.first.weight", &word(1, f32::NAN.to_bits())), "value 1 is NaN"),
        ("other_blocks", forge(&super::flow(), "", &flow_header.replace(":4", ":5"), keep), "a flow of 5 blocks"),
        ("other_dimensions", forge(&super::flow(), "", &flow_header.replace(":3", ":2"), keep), "tensor `means`"),
        (
            "flow_as_gaussian",
            forge(&super::flow(), "", &flow_header.replace("flow", "gaussian").replace(":4", ":1"), keep),
            "a gaussian prior has no tensor `blocks.",
        ),
        (
            "other_codes",
            forge(&super::codes(true), "", &codes_header.replace(":2", ":3"), keep),
            "tensor `vectors`: is of shape [1, 2, 1]",
        ),
        (
            "other_slots",
            forge(&super::codes(false), "", &codes_header.replace(":3", ":4"), keep),
            "tensor `vectors`: 3 books for 4 slots",
        ),
        ("no_counts", codes("counts", &drop), "tensor `counts`: missing"),
        ("no_such_slot", codes("counts", &word(0, 3)), "tensor `counts`: row 0"),
        ("code_before_the_first", codes("counts", &word(1, 0)), "tensor `counts`: row 0"),
        ("no_such_code", codes("counts", &word(3, 2)), "tensor `counts`: row 0"),
        ("no_count", codes("counts", &word(4, 0)), "tensor `counts`: row 0"),
        ("twice_the_same", codes("counts", &word(8, 0)), "tensor `counts`: row 1"),
        (
            "zero_strength",
            codes("strengths", &|data, _| {
                data[..8].fill(0);
                true
            }),
            "tensor `strengths`: 0 is no strength",
        ),
        ("infinite_vector", codes("vectors", &word(0, f32::INFINITY.to_bits())), "tensor `vectors`: value 0 is inf"),
    ];
    for (name, bytes, want) in cases {
        let error = Prior::from_bytes(&bytes).unwrap_err().to_string();
        assert!(error.contains(want), "{name}: {error}");
    }
}

#[test]
fn no_flipped_byte_makes_it_panic() {
    for prior in [three(), flow(), codes(false)] {
        let bytes = prior.to_bytes();
        let header = u64::from_le_bytes(*bytes.first_chunk().unwrap()) as usize + 8;
        // All of the header, and some of the values.
        for at in (0..header).chain((header..bytes.len()).step_by(1 + bytes.len() / 1000)) {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x55;
            // Any answer is fine, a panic is not; damage within a mean's low bits cannot be noticed.
            let _ = Prior::from_bytes(&damaged).map(|p| {
                let z = p.sample(&mut rng(1));
                p.log_density(&z)
            });
        }
    }
}
