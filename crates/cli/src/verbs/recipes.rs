//! `strait recipes`: the configurations that come with the program.

use anyhow::Result;
use clap::Args;
use strait::Recipe;

use crate::output::Output;

/// List the recipes for `strait train --recipe`, or print one as a file to change
#[derive(Args)]
pub struct Recipes {
    /// Print this recipe in full: strait recipes dae > mine.toml; strait train FILE --recipe mine.toml
    name: Option<String>,
    /// Print JSON, an object a line
    #[arg(long)]
    json: bool,
}

impl Recipes {
    pub fn run(self) -> Result<()> {
        let found = self.name.as_deref().map(Recipe::find).transpose()?;
        let mut out = Output::open(None)?;
        match found {
            Some(recipe) if self.json => out.json(&recipe)?,
            Some(recipe) => out.bytes(toml::to_string(&recipe)?.as_bytes())?,
            None => self.list(&mut out)?,
        }
        out.finish()
    }

    fn list(&self, out: &mut Output) -> Result<()> {
        for (i, recipe) in Recipe::built_in().iter().enumerate() {
            match self.json {
                true => out.json(recipe)?,
                false => out.line(&format!(
                    "{:12} {}{}",
                    recipe.name,
                    recipe.about,
                    if i == 0 { " (--recipe is this one unless given)" } else { "" }
                ))?,
            }
        }
        Ok(())
    }
}
