//! The background work on texts: encoded a part at a time, between the requests of others, then mapped.

use std::{
    sync::{Arc, Weak, atomic::Ordering},
    thread::sleep,
    time::Duration,
};

use strait::{Collection, Error, Grouping, Latents, Projection, text::Corpus};

use super::{Drawn, Texts, WORDS};
use crate::{
    Event, Listener,
    models::Serving,
    refusal::Refusal,
    work::{Input, Job, Lanes},
};

/// Texts encoded in one job.
const PART: usize = 256;
/// Wait before a full queue is tried again.
const AGAIN: Duration = Duration::from_millis(50);

/// Makes the texts of a model ready. Ends early when the model has been replaced.
pub fn prepare(serving: &Weak<Serving>, corpus: Option<Corpus>, lanes: &Lanes, listener: &dyn Listener) {
    // `None` at any step: the model has been replaced.
    let _ = try_prepare(serving, corpus, lanes, listener);
}

fn try_prepare(serving: &Weak<Serving>, corpus: Option<Corpus>, lanes: &Lanes, listener: &dyn Listener) -> Option<()> {
    if let Some(corpus) = corpus {
        let encoded = encode(serving, corpus, lanes)?.map(Arc::new);
        let _ = serving.upgrade()?.texts.as_ref()?.collection.set(encoded);
    }
    let collection = serving.upgrade()?.texts.as_ref()?.collection();
    if let Ok(collection) = collection {
        let name = serving.upgrade()?.name.clone();
        listener.hear(&Event::TextsReady { name, texts: collection.len() });
        let drawn = lanes.long.wait_for(|| draw(&collection)).map_err(|e| e.to_string());
        let _ = serving.upgrade()?.texts.as_ref()?.map.set(drawn.map(Arc::new));
    }
    let held = serving.upgrade()?;
    let name = held.name.clone();
    listener.hear(&match held.texts.as_ref()?.problem() {
        None => Event::MapReady { name },
        Some(why) => Event::TextsFailed { name, why: why.to_owned() },
    });
    Some(())
}

/// `None` when the model has been replaced.
fn encode(serving: &Weak<Serving>, corpus: Corpus, lanes: &Lanes) -> Option<Result<Collection, String>> {
    let mut values = Vec::new();
    let mut dim = 0;
    for part in corpus.records.chunks(PART) {
        let latents = loop {
            let held = serving.upgrade()?;
            let input = Input::Texts(part.iter().map(|record| record.text.clone()).collect());
            match held.desk.answer_blocking(Job { input, turn: Box::new(Ok), writing: None }) {
                Err(Refusal::QueueFull { .. }) => sleep(AGAIN),
                answer => break answer.and_then(|answer| answer.into_latents()),
            }
        };
        match latents {
            Ok(latents) => {
                dim = latents.dim();
                values.extend_from_slice(latents.data());
            }
            Err(refusal) => return Some(Err(refusal.to_string())),
        }
        let held = serving.upgrade()?;
        held.texts.as_ref()?.encoded.fetch_add(part.len(), Ordering::Relaxed);
    }
    let held = serving.upgrade()?;
    let texts: &Texts = held.texts.as_ref()?;
    let collection = Collection::new(texts.source.clone(), corpus.records, Latents::new(values, dim));
    let indexed = collection.and_then(|mut collection| {
        lanes.long.wait_for(|| collection.index())?;
        Ok(collection)
    });
    Some(indexed.map_err(|e| e.to_string()))
}

/// The map as `strait map` draws it when nothing is asked.
fn draw(collection: &Collection) -> Result<Drawn, Error> {
    let layout = collection.layout(Projection::Neighbours, 1)?;
    let groups = collection.clusters(Grouping::KMeans { clusters: None, seed: 1 }, WORDS, 1)?;
    Ok(Drawn { layout, groups })
}
