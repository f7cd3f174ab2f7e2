//! A language model: it trains, samples from a start or a prefix, and says what it cannot do.

use super::{done, failed, fixture, folder, text, train_args};

#[test]
fn it_samples_and_has_no_latents() {
    let model = folder("language-model").join("model");
    done(&[train_args(&fixture().corpus, &model), vec!["--recipe", "lm-lstm"]].concat());
    let m = text(&model);
    assert_eq!(done(&["sample", "-m", m, "-n", "3"]).lines().count(), 3);
    let begun = done(&["sample", "-m", m, "-n", "4", "--prefix", "The", "--max-len", "5"]);
    assert!(begun.lines().count() == 4 && begun.lines().all(|l| l.starts_with("The")), "{begun}");
    assert!(done(&["info", "-m", m]).contains("language model"));
    let corpus = text(&fixture().corpus);
    for args in [vec!["encode", "-m", m, corpus], vec!["reconstruct", "-m", m, corpus], vec!["vary", "-m", m, "The"]] {
        assert!(failed(&args, 1).contains("language model"), "{args:?}");
    }
    assert!(!model.join("prior.safetensors").exists());
}

#[test]
fn a_field_of_the_recipe_can_be_set() {
    let model = folder("set-field").join("model");
    let args = train_args(&fixture().corpus, &model);
    done(&[args.clone(), vec!["--set", "encoder.kind=gru", "--set", "latent.noise=0.1"]].concat());
    let info = done(&["info", "-m", text(&model)]);
    assert!(info.contains("gru") && info.contains("noise 0.1"), "{info}");
    let refused = failed(&[args, vec!["--force", "--set", "latent.siez=3"]].concat(), 1);
    assert!(refused.contains("latent.siez") && refused.contains("strait recipes"), "{refused}");
}
