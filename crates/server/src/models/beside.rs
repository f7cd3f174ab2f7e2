//! What a model is served with besides its folder: texts, directions, classifiers.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use strait::{Classifier, Directions, Error, Model, text::Corpus};

use crate::{
    Options, ServeError,
    options::{LearnedPlace, TextsPlace},
    texts::Texts,
};

/// Files that belong to a model.
#[derive(Debug, Default)]
pub struct Beside {
    texts: Option<TextsPlace>,
    directions: Vec<LearnedPlace>,
    classifiers: Vec<LearnedPlace>,
}

/// Things learned, by name, in the order given.
pub struct Learned<T>(Vec<(String, Arc<T>)>);

impl<T> Learned<T> {
    fn open(places: &[LearnedPlace], open: impl Fn(&Path) -> Result<T, Error>) -> Result<Self, Error> {
        let one = |place: &LearnedPlace| Ok((place.name(), Arc::new(open(&place.path)?)));
        places.iter().map(one).collect::<Result<_, Error>>().map(Learned)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Arc<T>)> {
        self.0.iter().map(|(name, learned)| (name.as_str(), learned))
    }

    /// The names.
    pub fn names(&self) -> Vec<String> {
        self.0.iter().map(|(name, _)| name.clone()).collect()
    }

    /// The one of a name.
    pub fn find(&self, name: &str) -> Option<&Arc<T>> {
        self.0.iter().find(|(own, _)| own == name).map(|(_, learned)| learned)
    }

    /// The first one.
    pub fn first(&self) -> Option<&Arc<T>> {
        self.0.first().map(|(_, learned)| learned)
    }
}

impl Beside {
    /// Deals out what the options name, an entry for each model.
    ///
    /// # Errors
    /// If a model is named that is not there, or one gets two files of texts or two things of one name.
    pub fn deal(options: &Options) -> Result<Vec<Self>, ServeError> {
        let mut all: Vec<Beside> = options.models.iter().map(|_| Beside::default()).collect();
        let find = |model: &Option<String>, file: &PathBuf, flag| match model {
            None if options.models.is_empty() => Err(ServeError::NoModelFor { file: file.clone(), flag }),
            None => Ok(0),
            Some(name) => options.models.iter().position(|m| m.name == *name).ok_or_else(|| ServeError::NoSuchModel {
                model: name.clone(),
                file: file.clone(),
                flag,
            }),
        };
        for texts in &options.texts {
            let place = &mut all[find(&texts.model, &texts.path, "--texts")?].texts;
            if let Some(other) = place {
                let why = format!("{} are the model's texts already; join the files", other.path.display());
                return Err(ServeError::Twice { file: texts.path.clone(), why });
            }
            *place = Some(texts.clone());
        }
        for (places, flag) in [(&options.directions, "--directions"), (&options.classifiers, "--classifier")] {
            for learned in places {
                let beside = &mut all[find(&learned.model, &learned.path, flag)?];
                let own = match flag {
                    "--directions" => &mut beside.directions,
                    _ => &mut beside.classifiers,
                };
                if own.iter().any(|other| other.name() == learned.name()) {
                    let why =
                        format!("the model has one called `{}` already; give the file another name", learned.name());
                    return Err(ServeError::Twice { file: learned.path.clone(), why });
                }
                own.push(learned.clone());
            }
        }
        Ok(all)
    }

    /// The texts, and those still to be encoded.
    ///
    /// # Errors
    /// If they cannot be read, or the model cannot encode them.
    pub fn texts(&self, model: &Model) -> Result<(Option<Texts>, Option<Corpus>), Error> {
        let Some(place) = &self.texts else { return Ok((None, None)) };
        model.needs_encoder()?;
        let (texts, corpus) = Texts::read(place, model)?;
        Ok((Some(texts), corpus))
    }

    /// The directions.
    ///
    /// # Errors
    /// If a file cannot be read, or is of another model.
    pub fn directions(&self, model: &Model) -> Result<Learned<Directions>, Error> {
        Learned::open(&self.directions, |path| Directions::open(path, model))
    }

    /// The classifiers.
    ///
    /// # Errors
    /// If a file cannot be read, or is of another model.
    pub fn classifiers(&self, model: &Model) -> Result<Learned<Classifier>, Error> {
        Learned::open(&self.classifiers, |path| Classifier::open(path, model))
    }

    /// The files, to be watched.
    pub fn files(&self) -> Vec<&Path> {
        let learned = self.directions.iter().chain(&self.classifiers).map(|place| place.path.as_path());
        learned.chain(self.texts.iter().map(|place| place.path.as_path())).collect()
    }
}
