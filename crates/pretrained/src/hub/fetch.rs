//! A model of the hub: from the cache, or from the server into the cache.

use super::{
    Fetching, HubError, HubName, HubSettings, Located,
    cache::{Cache, Known, make_folder_of},
    download::Download,
    needs::{CONFIG, Needs, Source},
    server::{Answer, Question, Reply, Server},
};
use crate::Family;

/// A file that breaks off is asked for so often, from where it broke off.
const TRIES: usize = 5;

/// The hub.
pub struct Hub {
    settings: HubSettings,
    server: Server,
}

impl Hub {
    /// The hub with these settings; nothing is asked yet.
    pub fn new(settings: HubSettings) -> Self {
        Hub { server: Server::new(&settings), settings }
    }

    /// The folder of a model, whole: from the cache if it was fetched before, whatever has changed on the server since.
    ///
    /// # Errors
    /// If it cannot be had, `fits` does not take its kind, or it is no model that is read; what is not whole is then found
    /// under no name.
    pub fn fetch(
        &self,
        name: &HubName,
        fits: &dyn Fn(Family) -> bool,
        listener: &mut dyn FnMut(Fetching<'_>),
    ) -> Result<Located, HubError> {
        let cache = Cache::new(&self.settings.cache, name);
        if let Some(found) = kept(&cache, name, fits)? {
            return Ok(found);
        }
        if self.settings.offline {
            return Err(HubError::Offline { name: name.to_string(), cache: self.settings.cache.clone() });
        }
        let _locked = cache.lock(|| listener(Fetching::Waiting))?;
        // Whoever held the lock may have fetched it.
        match kept(&cache, name, fits)? {
            Some(found) => Ok(found),
            None => self.bring(&cache, name, fits, listener),
        }
    }

    fn bring(
        &self,
        cache: &Cache,
        asked: &HubName,
        fits: &dyn Fn(Family) -> bool,
        listener: &mut dyn FnMut(Fetching<'_>),
    ) -> Result<Located, HubError> {
        let question = Question { name: asked, asked, file: CONFIG, from: 0 };
        let first = match self.ask(&question)? {
            Reply::File(answer) => answer,
            Reply::NoFile => return Err(HubError::NoFile { name: asked.to_string(), file: CONFIG.into() }),
            Reply::NotFound => {
                return Err(HubError::NoModel { name: asked.to_string(), server: self.server.address().into() });
            }
        };
        let commit = first.commit.clone();
        let commit = commit.ok_or_else(|| self.server.odd(&question, "without saying of which commit".into()))?;
        // All further files are of this commit, wherever the branch goes meanwhile.
        let name = asked.at(&commit);
        let needs = Needs { name: asked, dir: &cache.snapshot(&commit), fits };
        needs.all(&mut Transfer { hub: self, cache, name: &name, asked, first: Some(first), listener })?;
        cache.set_commit(&asked.revision, &commit)?;
        Ok(located(cache, &name))
    }

    fn ask(&self, question: &Question<'_>) -> Result<Reply, HubError> {
        self.server.ask(question)?.map_err(|e| HubError::Unreachable {
            name: question.asked.to_string(),
            server: self.server.address().into(),
            why: match e {
                ureq::Error::Io(e) => e.to_string(),
                e => e.to_string(),
            },
            cache: self.settings.cache.clone(),
        })
    }
}

/// The model, if the cache has all that it is read from.
fn kept(cache: &Cache, name: &HubName, fits: &dyn Fn(Family) -> bool) -> Result<Option<Located>, HubError> {
    let Some(commit) = cache.commit_of(&name.revision) else { return Ok(None) };
    let needs = Needs { name, dir: &cache.snapshot(&commit), fits };
    match needs.all(&mut Kept { cache, commit: &commit }) {
        Ok(()) => Ok(Some(located(cache, &name.at(&commit)))),
        Err(Lack::Unknown) => Ok(None),
        Err(Lack::Error(e)) => Err(e),
    }
}

/// `name` is that of a commit.
fn located(cache: &Cache, name: &HubName) -> Located {
    Located { dir: cache.snapshot(&name.revision), source: name.to_string() }
}

/// The files of a commit, as far as the cache knows of them.
struct Kept<'a> {
    cache: &'a Cache,
    commit: &'a str,
}

/// Why the cache does not suffice.
enum Lack {
    /// Nothing is known of a file.
    Unknown,
    Error(HubError),
}

impl From<HubError> for Lack {
    fn from(e: HubError) -> Self {
        Lack::Error(e)
    }
}

impl Source for Kept<'_> {
    type Error = Lack;

    fn get(&mut self, file: &str) -> Result<bool, Lack> {
        match self.cache.known(self.commit, file) {
            Known::Here => Ok(true),
            Known::Absent => Ok(false),
            Known::Nothing => Err(Lack::Unknown),
        }
    }

    fn has(&mut self, _: &str) -> Result<bool, Lack> {
        Err(Lack::Unknown)
    }
}

/// The files of a commit, fetched if they are not in the cache.
struct Transfer<'a, 'l> {
    hub: &'a Hub,
    cache: &'a Cache,
    /// With the commit as its revision.
    name: &'a HubName,
    /// As the user named it.
    asked: &'a HubName,
    /// config.json, already on its way.
    first: Option<Answer>,
    listener: &'l mut dyn FnMut(Fetching<'_>),
}

impl Source for Transfer<'_, '_> {
    type Error = HubError;

    fn get(&mut self, file: &str) -> Result<bool, HubError> {
        let commit = &self.name.revision;
        match self.cache.known(commit, file) {
            Known::Here => return Ok(true),
            Known::Absent => return Ok(false),
            Known::Nothing => {}
        }
        let begun = self.first.take_if(|_| file == CONFIG);
        let answer = match begun {
            Some(answer) => answer,
            None => match self.hub.ask(&self.question(file, 0))? {
                Reply::File(answer) => answer,
                Reply::NoFile | Reply::NotFound => {
                    self.cache.mark_absent(commit, file)?;
                    return Ok(false);
                }
            },
        };
        let etag = answer.etag.clone();
        self.save(file, answer)?;
        self.cache.link(commit, file, &etag)?;
        Ok(true)
    }

    fn has(&mut self, file: &str) -> Result<bool, HubError> {
        Ok(matches!(self.hub.ask(&self.question(file, 0))?, Reply::File(_)))
    }
}

impl<'a> Transfer<'a, '_> {
    fn question<'b>(&self, file: &'b str, from: u64) -> Question<'b>
    where
        'a: 'b,
    {
        Question { name: self.name, asked: self.asked, file, from }
    }

    /// Writes a file's bytes into the cache, after those that arrived before.
    fn save(&mut self, file: &str, answer: Answer) -> Result<(), HubError> {
        let (etag, size) = (answer.etag.clone(), answer.size);
        let (blob, part) = (self.cache.blob(&etag), self.cache.part(&etag));
        if blob.is_file() {
            return Ok(());
        }
        make_folder_of(&blob)?;
        let download = Download { name: self.asked.to_string(), file, part: &part };
        if size.is_some_and(|size| download.arrived() > size) {
            download.forget()?;
        }
        let mut begun = Some(answer);
        for left in (0..TRIES).rev() {
            let before = download.arrived();
            if before > 0 && size == Some(before) {
                break;
            }
            let mut answer = match begun.take() {
                Some(answer) if answer.from == before => answer,
                _ => self.again(file, before, &etag)?,
            };
            match download.write(&mut answer, self.listener) {
                // A connection that brings nothing more will not do so by being asked again.
                Err(HubError::Cut { got, .. }) if left > 0 && got > before => {}
                other => {
                    other?;
                    break;
                }
            }
        }
        download.finish(&blob, &etag, size)
    }

    /// Asks for the rest of a file. A server that does not give parts gives it all.
    fn again(&self, file: &str, from: u64, etag: &str) -> Result<Answer, HubError> {
        let question = self.question(file, from);
        match self.hub.ask(&question)? {
            Reply::File(answer) if answer.etag == etag && answer.from <= from => Ok(answer),
            Reply::File(_) => Err(self.hub.server.odd(&question, "with another file than before".into())),
            Reply::NoFile | Reply::NotFound => Err(self.hub.server.odd(&question, "that it is gone".into())),
        }
    }
}
