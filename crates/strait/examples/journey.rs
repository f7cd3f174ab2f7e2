//! The whole journey in the library: train on sentences made here, then encode, decode, sample and interpolate.
//!
//!     cargo run --release -p strait --example journey

use std::sync::atomic::AtomicBool;

use strait::{
    Budget, Decoding, Event, Model, Path, Size, Training,
    text::{ReadOptions, grammar::Grammar, grammar::Language, read::read_from},
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::temp_dir().join("strait-journey");
    let sentences = Grammar::default().corpus(3000, Some(Language::English), 1);
    let lines: Vec<&str> = sentences.iter().map(|s| s.text.as_str()).collect();
    let corpus = read_from(lines.join("\n").as_bytes(), "sentences.txt", &ReadOptions::default())?;

    let training = Training {
        size: Some(Size::Tiny),
        budget: Budget::Minutes(0.5),
        replace: true,
        ..Training::new(&folder, corpus)
    };
    let mut listener = |event: &Event| {
        if let Event::Look { step, bits_per_byte, bleu4, .. } = event {
            println!("step {step}: {bits_per_byte:.3} bits per byte, BLEU-4 {bleu4:.1}");
        }
    };
    training.run(&mut listener, &AtomicBool::new(false))?;

    let model = Model::open(&folder)?;
    let greedy = Decoding::default();
    let latents = model.encode(&lines[..3]);
    for (text, back) in lines.iter().zip(model.decode(&latents, &greedy)?) {
        println!("{text}\n  {back}");
    }
    println!("\nnew: {:#?}", model.sample(5, 1, &greedy)?);
    println!("on the way: {:#?}", model.interpolate((lines[0], lines[1]), 5, Path::Straight, &greedy)?);
    Ok(())
}
