//! Making, renaming and deleting.
//!
//! **Invariant:** each change is one rename, so that nobody who looks sees the half of it. What is deleted is moved out of
//! sight first, and removed there.

use cap_std::fs::Dir;

use super::list::is_absent;
use crate::folder::{Folder, move_new};
use crate::place::Place;
use crate::refusal::Refusal;

/// Makes a folder and those around it. One that is there is as good.
pub(super) fn make_dir(folder: &Folder, place: &Place) -> Result<(), Refusal> {
    match folder.dir().create_dir_all(place.as_path()) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists || is_absent(&error) => {
            Err(Refusal::Conflict(format!("a file is at `{place}`")))
        }
        Err(error) => Err(Refusal::of(error)),
    }
}

/// Deletes a file, a link or a folder. One that is not there is as good.
pub(super) fn delete(folder: &Folder, place: &Place) -> Result<(), Refusal> {
    let Some((parent, name)) = parent_of(folder, place)? else {
        return Ok(());
    };
    let staged = folder.stage()?;
    match parent.rename(&name, &staged.dir, "deleted") {
        Ok(()) => Ok(()),
        Err(error) if is_absent(&error) => Ok(()),
        Err(error) => Err(Refusal::of(error)),
    }
}

/// Gives something another name in its folder.
pub(super) fn rename(folder: &Folder, place: &Place, new: &str) -> Result<(), Refusal> {
    let target = match place.split() {
        Some((parent, _)) => parent.child(new)?,
        None => return Err(Refusal::Path("the apps directory itself cannot be renamed")),
    };
    let absent = || Refusal::NotFound(place.to_string());
    let (parent, name) = parent_of(folder, place)?.ok_or_else(absent)?;
    if name == new {
        return parent.symlink_metadata(&name).map(drop).map_err(|error| {
            if is_absent(&error) {
                absent()
            } else {
                Refusal::of(error)
            }
        });
    }
    match move_new(&parent, &name, &parent, new) {
        Ok(true) => Ok(()),
        Ok(false) => Err(Refusal::Conflict(format!("something is at `{target}`"))),
        Err(error) if is_absent(&error) => Err(absent()),
        Err(error) => Err(Refusal::of(error)),
    }
}

/// The folder that a place lies in, and its name there. `None` when there is no such folder.
fn parent_of(folder: &Folder, place: &Place) -> Result<Option<(Dir, String)>, Refusal> {
    let Some((parent, name)) = place.split() else {
        return Ok(None);
    };
    match folder.dir().open_dir(parent.as_path()) {
        Ok(dir) => Ok(Some((dir, name.to_owned()))),
        Err(error) if is_absent(&error) => Ok(None),
        Err(error) => Err(Refusal::of(error)),
    }
}
