//! Saved plans: written so that nobody can take half of one for a whole, and read back only when
//! they are as they were written. `--format json` prints the same form.

use std::io::BufWriter;
use std::path::Path;

use evenkeel::files;
use evenkeel::plan::Plan;
use evenkeel::plan::file::{FileError, Parsed, parse};
use evenkeel::plan::render::json::Sealed;
use evenkeel::reconcile::Refusal;
use evenkeel::store::audit;

use super::args::Global;
use super::failure::Failure;
use super::key::{KeyPlace, SigningKey};
use super::{out, settings};

/// The largest plan that is read, in MiB: a fleet of ten thousand accounts, all of which have drifted,
/// has a smaller one.
const LARGEST_MIB: u64 = 1024;

/// Writes a plan, signed when there is a key. Readable by the owner only: it tells a lot of the
/// account.
///
/// # Errors
/// It cannot be signed, or the file cannot be written.
pub async fn save(plan: &Plan, key: Option<&SigningKey>, path: &Path) -> Result<(), Failure> {
    let sealed = Sealed::new(plan);
    let signature = match key {
        Some(key) => Some(key.sign(sealed.digest()).await?),
        None => None,
    };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let write = || -> std::io::Result<()> {
        let file = tempfile::NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))?;
        let mut out = BufWriter::new(file);
        sealed.write(signature, &mut out)?;
        let file = out.into_inner().map_err(std::io::IntoInnerError::into_error)?;
        file.as_file().sync_all()?;
        audit::put(file, path).map(drop)
    };
    write().map_err(|error| Failure::file("write", path, error))
}

/// Reads a plan that is as it was made, by `--save` or `--format json`; with a key, only one that is
/// signed with it. One that cannot be used is the inner error.
///
/// # Errors
/// It cannot be read, or KMS does not say whether it is signed.
pub async fn read(
    path: &Path,
    key: Option<&SigningKey>,
) -> Result<Result<Parsed, FileError>, Failure> {
    let text = files::text(path, LARGEST_MIB).map_err(|why| Failure::file("read", path, why))?;
    let parsed = match parse(&text) {
        Ok(parsed) => parsed,
        Err(error) => return Ok(Err(error)),
    };
    let verified = match key {
        Some(key) => key.verify(&parsed).await?,
        None => Ok(()),
    };
    Ok(verified.map(|()| parsed))
}

/// Reads a plan to apply it: one that is signed with the key in this place, where one is named, as it must be where the
/// fleet file takes signed plans only.
///
/// # Errors
/// As [`load`]; or no key is named, and one must be.
pub async fn to_apply(
    global: &Global,
    verify: Option<&KeyPlace>,
    path: &Path,
) -> Result<Plan, Failure> {
    let key = match verify {
        Some(place) => Some(place.verifier().await?),
        None if settings::wants_signed_plans(global)? => {
            return Err(Refusal::Unusable {
                why: format!(
                    "{}: the fleet file takes signed plans only ([safety] require_signed_plans), and no key is named to check its signature with",
                    path.display()
                ),
                remedy: "name the place of the key that it was signed with: --verify env:NAME, file:PATH or kms:ARN".to_owned(),
            }
            .into());
        }
        None => None,
    };
    let (saved, is_signed) = load(path, key.as_ref()).await?;
    if is_signed && key.is_none() {
        out::say(&format!(
            "note: {} is signed, and nobody has looked at the signature (--verify)",
            path.display()
        ));
    }
    Ok(saved)
}

/// Reads a plan to apply it, and whether it has a signature.
///
/// # Errors
/// As [`read`]; or it was made from a snapshot.
pub async fn load(path: &Path, key: Option<&SigningKey>) -> Result<(Plan, bool), Failure> {
    let unusable = |why: String, remedy: String| Refusal::Unusable {
        why: format!("{}: {why}", path.display()),
        remedy,
    };
    let Parsed { plan, signature, .. } =
        read(path, key).await?.map_err(|error| unusable(error.to_string(), error.remedy()))?;
    match &plan.snapshot {
        None => Ok((plan, signature.is_some())),
        Some(snapshot) => {
            let why = format!(
                "it was made from the snapshot of {}, not from the accounts themselves",
                snapshot.taken
            );
            let remedy = "make it from the accounts: evenkeel plan --save FILE, without --snapshot";
            Err(unusable(why, remedy.to_owned()).into())
        }
    }
}
