//! What the tests of trainings share: a request on a toy corpus, how it ends, copies of published folders.
#![allow(dead_code, reason = "each test file is a program of its own and uses a part")]

use std::{
    fs,
    path::{Path, PathBuf},
    sync::atomic::AtomicBool,
    time::Instant,
};

use strait_model::{Recipe, folder, folder::Saved};
use strait_train::{Budget, Outcome, Request, Size, TrainError, start};

/// A training of so many steps on texts and validation texts, seed 4.
pub fn request(out: &Path, recipe: Recipe, (train, valid): (Vec<String>, Vec<String>), steps: u64) -> Request {
    Request {
        out: out.into(),
        name: "toy".into(),
        hash: "0".into(),
        train,
        valid,
        sources: None,
        from: None,
        recipe,
        vectors: None,
        size: Some(Size::Base),
        budget: Budget::Steps(steps),
        seed: 4,
        replace: false,
        started: Instant::now(),
    }
}

/// The model, trained to its end.
pub fn trained(request: Request) -> Saved {
    let out = request.out.clone();
    assert_eq!(start(request, &mut (), &AtomicBool::new(false)).unwrap(), Outcome::Finished);
    folder::open(&out).unwrap()
}

/// Why nothing is trained; nothing is left behind.
pub fn refused(request: Request) -> TrainError {
    let out = request.out.clone();
    let error = start(request, &mut (), &AtomicBool::new(false)).expect_err("it cannot be trained");
    assert!(!folder::training_dir(&out).exists() && !out.exists());
    error
}

/// A copy of a published folder of the family.
pub fn fixture(family: &str, to: &Path) -> PathBuf {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("../pretrained/tests/fixtures").join(family);
    for name in strait_pretrained::files_of(&from).unwrap() {
        let to = to.join(&name);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(from.join(&name), to).unwrap();
    }
    to.into()
}
