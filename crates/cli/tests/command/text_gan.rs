//! Text GANs: each recipe trains through its phases into an ordinary language model, and refuses what makes no sense.

use super::{done, failed, fixture, folder, text, train_args};

#[test]
fn each_makes_a_language_model() {
    for recipe in ["seqgan", "maligan", "rankgan", "scratchgan", "leakgan", "gumbel", "textgan"] {
        let model = folder("text-gan").join(recipe);
        let few = ["--set", "objective.text_gan.pretrain=0.5", "--set", "objective.text_gan.samples=4"];
        done(&[&train_args(&fixture().corpus, &model)[..], &["--recipe", recipe], &few].concat());
        let m = text(&model);
        assert_eq!(done(&["sample", "-m", m, "-n", "3"]).lines().count(), 3);
        assert!(done(&["info", "-m", m]).contains("language model"));
        let rerank = ["sample", "-m", m, "-n", "3", "--rerank", "4"];
        match recipe {
            "rankgan" => assert!(failed(&rerank, 1).contains("no discriminator that judges texts")),
            _ => assert_eq!(done(&rerank).lines().count(), 3),
        }
        let log = std::fs::read_to_string(model.join("metrics.jsonl")).unwrap();
        for figure in ["reward", "entropy", "distinct", "discriminator_accuracy", "distinct_pairs", "self_bleu4"] {
            assert!(log.contains(&format!("\"{figure}\":")), "{recipe}: {figure}");
        }
        assert_eq!(log.contains("\"goal\":"), recipe == "leakgan");
    }
}

/// A language model goes on under a manager, is used like any other, and does not lose it unasked.
#[test]
fn a_manager_comes_and_stays() {
    let at = folder("text-gan-led");
    let [first, then, last] = ["lm", "led", "plain"].map(|name| at.join(name));
    let corpus = text(&fixture().corpus);
    done(&[&train_args(&fixture().corpus, &first)[..], &["--recipe", "lm-lstm"]].concat());
    let go_on = |from, to, recipe| {
        ["train", corpus, "--from", from, "--recipe", recipe, "--steps", "4", "--out", to]
            .into_iter()
            .chain(["--set", "objective.text_gan.pretrain=0", "--set", "objective.text_gan.samples=4"])
            .collect::<Vec<_>>()
    };
    done(&go_on(text(&first), text(&then), "leakgan"));
    let led = text(&then);
    let light = ["--seeds", "1", "--no-lstm-judge", "--samples", "30", "--temperatures", "1"];
    assert!(done(&[&["evaluate", "-m", led, corpus], &light[..]].concat()).contains("LIKELIHOOD"));
    assert!(!done(&["score", "-m", led, corpus]).is_empty());
    for how in [&["--beam", "3"][..], &["--contrastive", "0.5"], &["--temperature", "0.7"]] {
        assert_eq!(done(&[&["sample", "-m", led, "-n", "3"], how].concat()).lines().count(), 3, "{how:?}");
    }
    assert!(failed(&go_on(led, text(&last), "maligan"), 2).contains("is led by a manager"));
    done(&go_on(led, text(&last), "leakgan"));
}

#[test]
fn one_begins_at_a_language_model_that_is_there() {
    let at = folder("text-gan-from");
    let (first, then) = (at.join("lm"), at.join("gan"));
    let corpus = text(&fixture().corpus);
    done(&[&train_args(&fixture().corpus, &first)[..], &["--recipe", "lm-lstm"]].concat());
    let from = |model| ["train", corpus, "--from", model, "--steps", "3", "--out", text(&then), "--recipe"];
    let few = ["maligan", "--set", "objective.text_gan.pretrain=0", "--set", "objective.text_gan.samples=4"];
    done(&[&from(text(&first))[..], &few].concat());
    let info = done(&["info", "-m", text(&then)]);
    assert!(info.contains("recipe       maligan") && info.contains("language model"), "{info}");
    let refused = failed(&[&from(text(&first))[..], &["aae", "--force"]].concat(), 2);
    assert!(refused.contains("is a language model") && refused.contains("aae trains has a latent"), "{refused}");
    // An autoencoder's decoder will do; it is a language model then.
    done(&[&from(text(&fixture().model))[..], &few, &["--force"]].concat());
    assert!(done(&["info", "-m", text(&then)]).contains("language model"));
}

#[test]
fn nonsense_is_refused() {
    let model = folder("text-gan-nonsense").join("model");
    let args = train_args(&fixture().corpus, &model);
    for (recipe, field, value) in [
        ("seqgan", "samples", "1"),
        ("seqgan", "pretrain", "1.0"),
        ("rankgan", "references", "0"),
        ("scratchgan", "method", "wassergan"),
        ("scratchgan", "discriminator", "conv"),
        ("scratchgan", "heads", "0"),
        ("leakgan", "discriminator", "transformer"),
        ("leakgan", "horizon", "0"),
        ("leakgan", "lag", "0.5"),
        ("leakgan", "intrinsic", "-1"),
        ("seqgan", "rollouts", "0"),
        ("maligan", "interleave", "1"),
        ("gumbel", "temperature", "0"),
        ("textgan", "widths", "[1, 0]"),
        ("dae", "pretrain", "0.5"),
    ] {
        let set = format!("objective.text_gan.{field}={value}");
        let said = failed(&[&args[..], &["--recipe", recipe, "--set", &set]].concat(), 1);
        assert!(said.contains("objective.text_gan"), "{set}: {said}");
    }
}
