//! Searching, grouping and mapping: the server's texts, and those of a request, as the library does it.

use serde_json::{Value, json};
use strait::{Decoding, Grouping, Model, Projection};
use strait_server::{Limits, Options};

use super::{Running, collection, first, fixture, floats, full, strings, told};

fn rows(hits: &Value) -> Vec<u64> {
    hits.as_array().unwrap().iter().map(|hit| hit["row"].as_u64().unwrap()).collect()
}

#[test]
fn the_nearest_texts_are_those_of_the_library() {
    let running = Running::full();
    let (texts, labels) = (&fixture().texts, &fixture().labels);
    let expected = collection().nearest(&first().encode(&texts[..2]), 4).unwrap();
    let by_text = running.done("/v1/search", &json!({"queries": texts[..2], "k": 4}));
    let latents: Vec<Vec<f32>> = first().encode(&texts[..2]).rows().map(<[f32]>::to_vec).collect();
    let by_latent = running.done("/v1/search", &json!({"latents": latents, "k": 4}));
    let own = running.done("/v1/search", &json!({"queries": texts[..2], "k": 4, "texts": texts, "labels": labels}));
    for found in [by_text, by_latent, own] {
        for (hits, list) in found["hits"].as_array().unwrap().iter().zip(&expected) {
            for (hit, wanted) in hits.as_array().unwrap().iter().zip(list) {
                assert_eq!(hit["row"], wanted.row);
                assert_eq!((hit["text"].as_str(), hit["label"].as_str()), (Some(wanted.text), wanted.label));
                assert_eq!(hit["distance"].as_f64().unwrap() as f32, wanted.distance);
                assert_eq!(hit["cosine"], wanted.cosine);
            }
            assert_eq!(hits.as_array().unwrap().len(), list.len());
        }
    }
    // Fewer texts than are asked for are all there are.
    let few = running.done("/v1/search", &json!({"queries": ["a"], "k": 9, "texts": ["b", "c"]}));
    let mut found = rows(&few["hits"][0]);
    found.sort();
    assert_eq!(found, [0, 1]);
    let alike = running.done("/v1/similarity", &json!({"a": texts[0], "b": texts[1]}));
    let expected = first().similarity(&texts[0], &texts[1]).unwrap();
    assert_eq!((&alike["cosine"], &alike["of_usual"]), (&json!(expected.cosine), &json!(expected.of_usual)));
}

#[test]
fn groups_and_duplicates_are_those_of_the_library() {
    let running = Running::full();
    let found = running.done("/v1/cluster", &json!({"k": 3, "words": 4, "examples": 2, "seed": 5}));
    let expected = collection().clusters(Grouping::KMeans { clusters: Some(3), seed: 5 }, 4, 2).unwrap();
    assert_eq!(found["assigned"], json!(expected.labels));
    assert_eq!(found["silhouette"], json!(expected.silhouette));
    for (group, wanted) in found["clusters"].as_array().unwrap().iter().zip(&expected.clusters) {
        assert_eq!((&group["size"], &group["words"]), (&json!(wanted.size), &json!(wanted.words)));
        assert_eq!(rows(&group["examples"]), wanted.medoids.iter().map(|&row| row as u64).collect::<Vec<_>>());
    }
    let dense = running.done("/v1/cluster", &json!({"density": 4}));
    let expected = collection().clusters(Grouping::Density { smallest: 4 }, 8, 3).unwrap();
    assert_eq!(dense["assigned"], json!(expected.labels));
    let found = running
        .done("/v1/dedup", &json!({"texts": ["one text", "another one", "one text", "a third"], "threshold": 0.0}));
    assert_eq!((rows(&found["groups"][0]), &found["removed"], &found["texts"]), (vec![0, 2], &json!(1), &json!(4)));
    let kept = running.done("/v1/dedup", &json!({}));
    let expected = collection().duplicates(None).unwrap();
    assert_eq!(kept["threshold"].as_f64().unwrap() as f32, expected.threshold);
    assert_eq!(kept["groups"].as_array().unwrap().len(), expected.groups.len());
    assert_eq!(kept["curve"].as_array().unwrap().len(), expected.curve.len());
}

#[test]
fn the_map_is_drawn_once_and_texts_are_put_on_it_and_read_off_it() {
    let running = Running::full();
    let layout = collection().layout(Projection::Neighbours, 1).unwrap();
    let groups = collection().clusters(Grouping::KMeans { clusters: None, seed: 1 }, 3, 1).unwrap();
    let map = running.done("/v1/map", &json!({}));
    let column = |axis: usize| layout.places.iter().map(|p| p[axis]).collect::<Vec<_>>();
    assert_eq!((floats(&map["x"]), floats(&map["y"])), (column(0), column(1)));
    assert_eq!(strings(&map["texts"]), fixture().texts);
    assert_eq!(map["clusters"]["of"], json!(groups.labels));
    assert_eq!(map["trustworthiness"], json!(layout.trustworthiness));
    let label = |row: usize| map["labels"]["names"][map["labels"]["of"][row].as_u64().unwrap() as usize].clone();
    assert!((0..fixture().labels.len()).all(|row| label(row) == json!(fixture().labels[row])));
    // Another seed is another map, with k groups.
    let other = running.done("/v1/map", &json!({"seed": 2, "k": 2, "projection": "principal"}));
    assert!(other["x"] != map["x"] && other["sizes"].as_array().unwrap().len() == 2);

    let text = &fixture().texts[3];
    let placed = running.done("/v1/map/place", &json!({"texts": [text, "something else"]}));
    let latents = first().encode(&[text.as_str(), "something else"]);
    assert_eq!(placed["places"], told(&collection().place(&layout, &latents).unwrap()));
    assert_eq!(floats(&placed["places"][0]), layout.places[3]);
    assert_eq!(placed["nearest"][0].as_array().unwrap().len(), 5);
    assert_eq!(placed["nearest"][0][0]["distance"], 0.0);

    let spots = [layout.places[3], [0.5, -0.5]];
    let at = running.done("/v1/map/at", &json!({"places": spots}));
    let latents = collection().latents_at(&layout, &spots).unwrap();
    assert_eq!(strings(&at["texts"]), first().decode_seeded(&latents, &Decoding::default(), 1).unwrap());
    assert_eq!(floats(&at["latents"][1]), latents.row(1));
    assert_eq!(at["nearest"][0][0]["x"].as_f64().unwrap() as f32, layout.places[3][0]);
    assert_eq!(at["nearest"][1].as_array().unwrap().len(), 5);

    let filled = running.done("/v1/complete", &json!({"n": 3}));
    let expected = collection().fill(first(), &layout, 3, &Decoding::default()).unwrap();
    assert_eq!(filled["fillings"], told(&expected));
}

#[test]
fn a_way_goes_where_texts_are() {
    let running = Running::full();
    let (a, b) = (&*fixture().texts[0], &*fixture().texts[1]);
    let way = running.done("/v1/interpolate", &json!({"a": a, "b": b, "steps": 4, "path": "manifold"}));
    let latents = collection().way(first(), (a, b), 4).unwrap();
    assert_eq!(strings(&way["texts"]), first().decode_seeded(&latents, &Decoding::default(), 1).unwrap());
    assert_eq!(way["t"].as_array().unwrap().len(), 4);
    let own = json!({"a": a, "b": b, "steps": 4, "path": "manifold", "texts": fixture().texts});
    assert_eq!(running.done("/v1/interpolate", &own)["texts"], way["texts"]);
}

#[test]
fn texts_that_are_not_ready_are_told_to_come_again() {
    // No request is let through, so nothing is ever encoded.
    let limits = Limits { queue: 0, ..Limits::default() };
    let running = Running::new(Options { limits, ..full() });
    let latent = vec![vec![0.0; first().latent_size()]];
    let response = running.post("/v1/search", &json!({"latents": latent}).to_string());
    assert_eq!((response.status, response.header("retry-after")), (503, Some("1")));
    assert_eq!(response.json()["error"]["code"], "texts_loading");
    let texts = running.get("/info").json()["models"][0]["texts"].clone();
    assert_eq!((&texts["state"], &texts["encoded"]), (&json!("encoding"), &json!(0)));
    assert_eq!(texts["texts"], fixture().texts.len());
    assert_eq!(running.post("/v1/map", "{}").status, 503);
}

#[test]
fn an_index_is_served_as_it_is() {
    let index = fixture().dir.join("texts.index");
    collection().save(&index, first(), true).unwrap();
    let mut options = full();
    options.texts[0].path = index.clone();
    let running = Running::new(options);
    let found = running.done("/v1/search", &json!({"queries": [fixture().texts[7]], "k": 1}));
    assert_eq!(rows(&found["hits"][0]), [7]);
    let info = running.get("/info").json();
    assert_eq!(info["models"][0]["texts"]["encoded"], fixture().texts.len());
    assert_eq!(strings(&info["models"][0]["directions"]), ["tense"]);
}

#[test]
fn topics_are_those_of_the_library() {
    let running = Running::full();
    let model = Model::open(&fixture().topics).unwrap();
    let texts = &fixture().texts[..40];
    for texts in [texts, &[]] {
        let mut body = json!({"model": "topics", "words": 5});
        if !texts.is_empty() {
            body["texts"] = json!(texts);
        }
        let told_of = running.done("/v1/topics", &body);
        let expected = model.topic_report(texts, &model.encode(texts), 5).unwrap();
        assert_eq!(told_of["topics"], told(&expected.topics));
        assert_eq!(
            (&told_of["npmi"], &told_of["diversity"], &told_of["texts"]),
            (&json!(expected.npmi), &json!(expected.diversity), &json!(texts.len()))
        );
    }
}
