//! Why a write was not done.

use aws_smithy_types::error::operation::BuildError;

use crate::aws::AwsError;
use crate::kinds::ObserveError;

/// A write is whole, or it is an error: nothing that could not be built is left out of a request.
#[derive(Debug, Clone, thiserror::Error)]
pub enum WriteError {
    /// AWS refused it, or did not answer.
    #[error(transparent)]
    Aws(#[from] AwsError),
    /// Of several calls that make something, a later one was refused, and what the earlier ones made is there.
    #[error("{error}; what was made before that is there: {left}")]
    Half {
        /// What is there now, and how it is known.
        left: String,
        /// What AWS said of the later call.
        error: AwsError,
    },
    /// The request cannot be made of what the plan holds, so that nothing was sent.
    #[error("the request cannot be made whole, so that nothing was sent: {0}")]
    Unsendable(String),
    /// What a read just before it says does not let it be done.
    #[error(transparent)]
    Look(#[from] ObserveError),
    /// The thing is another one than when the plan was made.
    #[error("it changed since the plan was made, so that nothing was sent: {0}")]
    Changed(String),
    /// AWS was asked to make something and refused, because something else is there by now.
    #[error("AWS did not do it, because something else is there by now: {0}")]
    Another(String),
    /// AWS was asked to make something and refused, because it was there, and it is as it is to be: an
    /// earlier try whose answer was lost has made it, or somebody else has since the look.
    #[error("it was there already: {0}")]
    WasThere(String),
    /// The same of what is one and the same thing whoever was first: what AWS itself makes when it is asked to,
    /// such as a role of a service; what bears the mark of this run; what an earlier try of the call, whose answer
    /// was lost, has made.
    #[error("it was there already: {0}")]
    WasThereAlike(String),
    /// Something was to be made, and a look directly before shows that it is there: nothing was sent, because
    /// AWS would not have said it, and might have put the new one in its place.
    #[error("it was there already, so that nothing was sent: {0}")]
    ThereByNow(String),
}

/// That AWS has accepted a call that makes something. Only such a call gives one
/// ([`WriteCx::make`](super::WriteCx::make)), and who makes something has to show it: what AWS refused
/// because it was there never passes for made.
#[derive(Debug)]
pub struct Made(());

impl Made {
    pub(super) fn by_aws() -> Self {
        Self(())
    }
}

impl WriteError {
    /// It was there, and is as it is to be: this call's own, where an earlier try of it was lost, and else
    /// whoever's.
    pub fn was_there(error: &AwsError) -> Self {
        match error.after_loss {
            true => Self::WasThereAlike(error.to_string()),
            false => Self::WasThere(error.to_string()),
        }
    }

    /// The same of an object.
    pub fn there_by_now(id: &str) -> Self {
        Self::ThereByNow(format!("{id} is there by now, and was not when the plan was made"))
    }

    /// What the reader should do next.
    pub fn remedy(&self) -> String {
        match self {
            Self::Aws(error) | Self::Half { error, .. } => error.remedy(),
            Self::Look(error) => error.clone().into_unknown().remedy.unwrap_or_default(),
            Self::Changed(_) | Self::Another(_) => "make a new plan, and read it".to_owned(),
            Self::WasThere(_) | Self::WasThereAlike(_) | Self::ThereByNow(_) => {
                "nothing is left to do; whose it is, its tags and CloudTrail say".to_owned()
            }
            Self::Unsendable(_) => {
                "make a new plan; when it happens again, report it with this line".to_owned()
            }
        }
    }
}

impl From<BuildError> for WriteError {
    fn from(error: BuildError) -> Self {
        Self::Unsendable(error.to_string())
    }
}

/// A number as a request takes it.
///
/// # Errors
/// [`WriteError::Unsendable`] when it is out of the request's range.
pub fn sendable<T, U: TryFrom<T>>(field: &str, number: T) -> Result<U, WriteError>
where
    T: Copy + std::fmt::Display,
{
    U::try_from(number)
        .map_err(|_| WriteError::Unsendable(format!("{number} is out of the range of {field}")))
}
