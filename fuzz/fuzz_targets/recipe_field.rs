//! Any `FIELD=VALUE` gives a recipe that passes its own check, or an error.
#![no_main]

use libfuzzer_sys::fuzz_target;
use strait::Recipe;

fuzz_target!(|text: &str| {
    let (field, value) = text.split_once('=').unwrap_or((text, ""));
    if let Ok(recipe) = Recipe::default().with(field, value) {
        recipe.check().expect("what was accepted");
    }
});
