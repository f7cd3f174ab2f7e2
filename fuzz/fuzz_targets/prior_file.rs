//! Any bytes are a prior from which can be drawn, or an error.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use strait_model::prior::Prior;

fuzz_target!(|bytes: &[u8]| {
    let Ok(prior) = Prior::from_bytes(bytes) else { return };
    if prior.dim() < 1024 {
        assert_eq!(prior.sample(&mut ChaCha8Rng::seed_from_u64(1)).len(), prior.dim());
    }
});
