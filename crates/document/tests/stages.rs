//! A made language of documents: each has a theme, and stages that follow each other.

use std::sync::atomic::AtomicBool;

use rand::{RngExt as _, SeedableRng, seq::SliceRandom as _};
use rand_chacha::ChaCha8Rng;
use strait_document::{
    Beside, DocumentConfig, DocumentNetwork, Documents, Header, Keep, NetworkKind, Reader, Report, TrainError, Watch,
    forget, train, unfinished,
};

const Z: usize = 8;
const STAGES: usize = 6;

/// Latents whose first numbers tell the stage, whose last tell the document's theme.
fn document(rng: &mut ChaCha8Rng) -> Vec<f32> {
    let theme = rng.random_range(0..2);
    let mut rows = Vec::new();
    for stage in 0..STAGES {
        for j in 0..Z {
            let tells = j == stage || j == 6 + theme;
            rows.push(if tells { 2.0 } else { 0.0 } + rng.random_range(-0.3f32..0.3));
        }
    }
    rows
}

fn documents(n: usize, seed: u64) -> Vec<Vec<f32>> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    (0..n).map(|_| document(&mut rng)).collect()
}

fn small() -> DocumentConfig {
    DocumentConfig {
        hidden: 32,
        components: 4,
        plan: 2,
        dropout: 0.0,
        window: 12,
        batch: 16,
        steps: 600,
        rate: 1e-2,
        ..DocumentConfig::default()
    }
}

fn quiet() -> Watch<'static> {
    static NEVER: AtomicBool = AtomicBool::new(false);
    Watch { listener: Box::leak(Box::new(|_: &Report| {})), stop: &NEVER, keep: None }
}

fn trained(config: &DocumentConfig, seed: u64) -> (DocumentNetwork, Report) {
    let (a, b) = (documents(60, 1), documents(8, 2));
    let both = [&a, &b].map(|latents| Documents { latents, given: &[], dim: Z });
    train(both[0], both[1], config, seed, quiet()).unwrap()
}

#[test]
fn the_next_stage_is_expected_and_the_end_is_known() {
    knows_the_stages(&small());
}

#[test]
fn a_transformer_knows_them_too() {
    knows_the_stages(&DocumentConfig { kind: NetworkKind::Transformer, heads: 2, rate: 3e-3, steps: 400, ..small() });
}

fn knows_the_stages(config: &DocumentConfig) {
    let (network, report) = trained(config, 1);
    assert!(report.best_nats < 0.7 * Z as f64, "a unit Gaussian's nats are 1.4 a number: {}", report.best_nats);
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    for test in documents(10, 3) {
        let rows: Vec<&[f32]> = test.chunks(Z).collect();
        let mut reader = Reader::new(&network, true, Beside { plan: Some(&network.plan(&test)), given: None });
        for (t, row) in rows.iter().enumerate() {
            assert!(reader.end() < 0.5, "{t}");
            let mut others: Vec<usize> = (0..STAGES).filter(|&o| o != t).collect();
            others.shuffle(&mut rng);
            for other in others {
                assert!(reader.log_density(row) > reader.log_density(rows[other]), "{t} {other}");
            }
            reader.read(row);
        }
        assert!(reader.end() > 0.5);
    }
}

/// Documents, and what is given beside each: one of its theme, and half of one of any theme.
fn accompanied(n: usize, seed: u64) -> (Vec<Vec<f32>>, Vec<Vec<Vec<f32>>>) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed + 100);
    let all = documents(n, seed);
    let beside = |own: &Vec<f32>| {
        let mut others: Vec<&Vec<f32>> = all.iter().filter(|other| *other != own).collect();
        others.shuffle(&mut rng);
        let like = others.iter().find(|other| theme(other) == theme(own)).unwrap();
        vec![others[0][..STAGES / 2 * Z].to_vec(), like.to_vec()]
    };
    let given = all.iter().map(beside).collect();
    (all, given)
}

fn theme(document: &[f32]) -> bool {
    document[7] > 1.0
}

#[test]
fn what_is_given_is_attended_to() {
    let kind = NetworkKind::Transformer;
    let config = DocumentConfig { kind, heads: 2, rate: 3e-3, steps: 400, plan: 0, given: true, ..small() };
    let parts = [accompanied(400, 1), accompanied(20, 2)];
    let both = [0, 1].map(|i| Documents { latents: &parts[i].0, given: &parts[i].1, dim: Z });
    let (network, _) = train(both[0], both[1], &config, 1, quiet()).unwrap();
    let (tests, given) = accompanied(20, 3);
    // Nats of the first sentence: its document's own given ones, those of a document of the other theme, none.
    let mut nats = [0.0; 3];
    for (test, own) in tests.iter().zip(&given) {
        let other = (0..tests.len()).find(|&o| theme(&tests[o]) != theme(test)).unwrap();
        for (nats, beside) in nats.iter_mut().zip([own, &given[other], &Vec::new()]) {
            let given = network.given(&beside.iter().map(Vec::as_slice).collect::<Vec<_>>());
            let reader = Reader::new(&network, true, Beside { plan: None, given: given.as_ref() });
            *nats -= reader.log_density(&test[..Z]) / tests.len() as f64;
        }
    }
    // Not to know which of two themes costs a bit.
    let bit = std::f64::consts::LN_2;
    assert!(nats[0] < nats[2] - 0.5 * bit && nats[2] < nats[1], "{nats:?}");
    let recurrent = DocumentConfig { kind: NetworkKind::Lstm, ..config };
    let error = train(both[0], both[1], &recurrent, 1, quiet()).err().unwrap().to_string();
    assert!(error.contains("given") && error.contains("transformer"), "{error}");
}

#[test]
fn draws_go_on_as_documents_do() {
    let (network, _) = trained(&small(), 1);
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let plan = network.draw_plan(&mut rng);
    let mut reader = Reader::new(&network, true, Beside { plan: Some(&plan), given: None });
    for stage in 0..STAGES {
        let draw = reader.draw(0.5, &mut rng);
        let top = (0..STAGES).max_by(|&a, &b| draw[a].total_cmp(&draw[b])).unwrap();
        assert_eq!(top, stage, "{draw:?}");
        reader.read(&draw);
    }
}

#[test]
fn same_seed_same_bits_and_no_plan_works() {
    let config = DocumentConfig { plan: 0, steps: 12, ..small() };
    let density = |seed| Reader::new(&trained(&config, seed).0, true, Beside::default()).log_density(&[0.5; Z]);
    assert_eq!(density(3), density(3));
    assert_ne!(density(3), density(4));
}

#[test]
fn a_training_that_is_stopped_keeps_its_best() {
    let (documents, stop) = (documents(8, 1), AtomicBool::new(false));
    let all = Documents { latents: &documents, given: &[], dim: Z };
    let (mut best, mut last) = (f64::INFINITY, 0);
    let mut listener = |report: &Report| {
        (best, last) = (report.best_nats, report.step);
        stop.store(report.step >= 60, std::sync::atomic::Ordering::Relaxed);
    };
    let (_, report) = train(all, all, &small(), 1, Watch { listener: &mut listener, stop: &stop, keep: None }).unwrap();
    assert_eq!((report.step, report.best_nats), (last, best));
    assert!(report.step < 100 && report.best_nats.is_finite(), "{report:?}");
    let watch = Watch { listener: &mut |_| {}, stop: &AtomicBool::new(true), keep: None };
    assert!(matches!(train(all, all, &small(), 1, watch), Err(TrainError::Stopped)));
}

#[test]
fn a_training_that_was_killed_goes_on_to_the_same_bits() {
    let dir = tempfile::tempdir().unwrap();
    let (out, aside) = (dir.path().join("model"), dir.path().join("aside"));
    let state = unfinished(&out);
    let documents = documents(8, 1);
    let all = Documents { latents: &documents, given: &[], dim: Z };
    let config = DocumentConfig { steps: 40, dropout: 0.2, ..small() };
    let go_on = |seed, replace, listener: &mut dyn FnMut(&Report)| {
        let keep = Some(Keep { out: &out, replace });
        train(all, all, &config, seed, Watch { listener, keep, ..quiet() })
    };
    let mut keep_aside = |report: &Report| {
        if report.step == 20 {
            std::fs::copy(&state, &aside).unwrap();
        }
    };
    let density = |network: &DocumentNetwork| Reader::new(network, true, Beside::default()).log_density(&[0.5; Z]);
    let (whole, report) = go_on(1, false, &mut keep_aside).unwrap();
    // As it was in the middle.
    std::fs::copy(&aside, &state).unwrap();
    let mut looks = Vec::new();
    let (resumed, again) = go_on(1, false, &mut |r| looks.push(r.step)).unwrap();
    assert_eq!((looks.first(), looks.last()), (Some(&22), Some(&40)));
    assert_eq!((density(&resumed), again), (density(&whole), report));
    // Another training does not go on from there, nor from what is no state.
    assert!(matches!(go_on(2, false, &mut |_| {}), Err(TrainError::Another(_))));
    assert!(go_on(2, true, &mut |r| looks.push(r.step)).is_ok() && looks[10] == 2, "{looks:?}");
    std::fs::write(&state, "garbage").unwrap();
    let said = go_on(2, false, &mut |_| {}).err().unwrap().to_string();
    assert!(said.contains("documents.safetensors") && said.contains("--force"), "{said}");
    assert!(go_on(2, true, &mut |_| {}).is_ok());
    // What another training has in the folder is left there.
    let other = state.with_file_name("job.json");
    std::fs::write(&other, "{}").unwrap();
    forget(&out).unwrap();
    assert!(!state.exists() && other.exists());
    std::fs::remove_file(&other).unwrap();
    std::fs::write(&state, "garbage").unwrap();
    forget(&out).unwrap();
    assert!(!state.parent().unwrap().exists() && forget(&out).is_ok());
}

#[test]
fn too_little_is_said() {
    let (one, none) = (documents(1, 1), Vec::new());
    let both = [&one, &none].map(|latents| Documents { latents, given: &[], dim: Z });
    let error = train(both[0], both[1], &small(), 1, quiet()).err().unwrap();
    assert!(matches!(error, TrainError::TooFew { train: 1, valid: 0 }), "{error}");
}

#[test]
fn a_folder_comes_back_and_damage_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let (sentences, model) = (dir.path().join("sentences"), dir.path().join("model"));
    std::fs::create_dir_all(sentences.join("encoder")).unwrap();
    std::fs::write(sentences.join("config.json"), "{}").unwrap();
    std::fs::write(sentences.join("encoder/x"), "y").unwrap();
    let config = DocumentConfig { steps: 5, ..small() };
    let (network, report) = trained(&config, 1);
    let header = Header {
        document_format: strait_document::FORMAT,
        strait_version: "0".into(),
        settings: config,
        latent: Z,
        seed: 1,
        data: "made".into(),
        data_hash: String::new(),
        documents: [60, 8],
        sentences: [360, 48],
        best_step: report.best_step,
        valid_nats: report.best_nats,
        files: Default::default(),
        checksum: String::new(),
    };
    strait_document::save(&model, &header, &network, &sentences, false).unwrap();
    assert!(strait_document::save(&model, &header, &network, &sentences, false).is_err());
    strait_document::save(&model, &header, &network, &sentences, true).unwrap();
    assert_eq!(std::fs::read_to_string(model.join("sentences/encoder/x")).unwrap(), "y");
    let (found, back) = strait_document::open(&model).unwrap();
    assert_eq!(found.settings, header.settings);
    let density = |n: &DocumentNetwork| Reader::new(n, true, Beside::default()).log_density(&[0.5; Z]);
    assert_eq!(density(&network), density(&back));
    for name in ["document.safetensors", "document.json", "sentences/config.json"] {
        let file = model.join(name);
        let whole = std::fs::read(&file).unwrap();
        let mut bytes = whole.clone();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::write(&file, &bytes).unwrap();
        let error = strait_document::open(&model).err().unwrap().to_string();
        assert!(error.contains(name), "{error}");
        std::fs::remove_file(&file).unwrap();
        assert!(strait_document::open(&model).is_err(), "{name}");
        std::fs::write(&file, &whole).unwrap();
    }
    assert!(strait_document::open(&model).is_ok());
}
