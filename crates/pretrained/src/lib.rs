//! Published Transformers: model folders of the BERT and GPT-2 families, read as they are and run by our engine.
//!
//! A folder holds `config.json`, weights (`model.safetensors`, or shards with `model.safetensors.index.json`; f32, f16 or
//! bf16) and a tokenizer (`tokenizer.json`; or `vocab.txt`; or `vocab.json` and `merges.txt`). [`SentenceEncoder`] turns
//! texts into vectors, pooled as the folder of a sentence encoder says (`modules.json`, `1_Pooling/config.json`);
//! [`LanguageModel`] gives the scores of next tokens. Pickles are never opened.
//!
//! ```no_run
//! let encoder = strait_pretrained::SentenceEncoder::open("all-MiniLM-L6-v2".as_ref())?;
//! let vectors = encoder.encode(&["The train was late again.", "We waited an hour."]);
//! assert_eq!(vectors.len(), 2 * encoder.width());
//! # Ok::<(), strait_pretrained::Error>(())
//! ```

mod bert;
mod block;
mod config;
mod error;
mod folder;
mod generator;
mod gpt2;
mod half;
pub mod hub;
mod injection;
mod language_model;
mod loader;
mod network;
mod pooling;
mod sentence_encoder;
mod tensors;
mod tokens;
mod tuning;

pub use config::Family;
pub use error::Error;
pub use folder::{family_of, files_of, settings_of};
pub use generator::Generator;
pub use gpt2::Gpt2;
pub use injection::Injection;
pub use language_model::LanguageModel;
pub use network::Network;
pub use pooling::{Pool, Pooling};
pub use sentence_encoder::SentenceEncoder;
pub use tokens::Merges;
pub use tuning::{Blocks, forget};
