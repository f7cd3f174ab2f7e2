//! Any bytes are latents, in rows of one width, or an error.
#![no_main]

use libfuzzer_sys::fuzz_target;
use strait::Latents;

fuzz_target!(|bytes: &[u8]| {
    let mut input = bytes;
    if let Ok(latents) = Latents::read(&mut input, "a") {
        assert_eq!(latents.data().len(), latents.len() * latents.dim());
        let mut again = Vec::new();
        latents.write_npy(&mut again).expect("memory takes it");
        let back = Latents::read(&mut &again[..], "b").expect("our own file");
        assert_eq!((back.len(), back.dim()), (latents.len(), latents.dim()));
    }
});
