//! A store that cannot do what it was asked for.

/// A store that cannot do what it was asked for.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// It cannot be asked now; later it may be.
    #[error("the store {store} cannot be reached: {why}")]
    Unreachable {
        /// Which one; without a password.
        store: String,
        /// Why.
        why: String,
    },
    /// Another process writes to AWS with it, and it is for one at a time.
    #[error("another run is writing with the store {store}: {holder}")]
    Held {
        /// Which one.
        store: String,
        /// Who.
        holder: String,
    },
    /// Somebody else was in the way; it is done anew.
    #[error("somebody else was in the way")]
    InTheWay,
    /// A document has another version than who wants to write has seen.
    #[error("{name} was changed meanwhile by somebody else")]
    Moved {
        /// The document.
        name: String,
    },
    /// It says something that this version does not understand.
    #[error("the store's {what} cannot be read: {why}")]
    Unreadable {
        /// What.
        what: String,
        /// Why.
        why: String,
    },
    /// A file of ours is not as evenkeel wrote it.
    #[error("the file {file} is damaged: {why}")]
    Damaged {
        /// The file.
        file: String,
        /// What is wrong with it.
        why: String,
        /// What is lost with it, and what to do.
        remedy: &'static str,
    },
    /// A file of ours cannot be read or written.
    #[error("the file {file} cannot be {doing}: {why}")]
    File {
        /// The file.
        file: String,
        /// `read` or `written`.
        doing: &'static str,
        /// Why.
        why: String,
    },
    /// Nothing that a store takes in.
    #[error("the store does not take this in: {what}")]
    Unfit {
        /// What is wrong with it.
        what: String,
    },
    /// No history can be so: an outcome without an intent, a second outcome.
    #[error("the store refuses an impossible history: {what}")]
    Impossible {
        /// What is impossible in it.
        what: String,
    },
    /// Somebody else has the lease by now.
    #[error("the lease of {name} is lost: {why}")]
    LeaseLost {
        /// What is leased.
        name: String,
        /// To whom, as far as known.
        why: String,
    },
    /// Something could not be written as JSON.
    #[error("cannot write a record of the store: {0}")]
    Record(#[from] serde_json::Error),
}

impl StoreError {
    /// What lets through again what waits for the store.
    pub fn released_by(&self) -> &'static str {
        match self {
            Self::Unreachable { .. } => {
                "a store that can be reached: look at [store] url, the network and the database"
            }
            Self::Held { .. } => {
                "the end of that run; or a store in PostgreSQL, which several can share"
            }
            Self::Moved { .. } | Self::InTheWay => "another try",
            Self::Unreadable { .. } => "a version of evenkeel that can read it, or another store",
            Self::Damaged { remedy, .. } => remedy,
            Self::File { .. } => {
                "a file and folder that whoever runs evenkeel may read and write, regular and no link, on a disk with room"
            }
            Self::Unfit { .. } | Self::Record(_) => "a mend of evenkeel: please report this",
            Self::Impossible { .. } => {
                "a database, or an account's lease, of its own for each controller"
            }
            Self::LeaseLost { .. } => "whoever has the lease now",
        }
    }

    /// What the reader should do next.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::Unreachable { .. } => {
                "nothing is written to AWS while the store cannot be reached: look at [store] url, the network and the database"
            }
            Self::Held { .. } => {
                "wait until that run is done: a store in a file is for one at a time, and two could undo each other's work; several controllers share one in PostgreSQL"
            }
            Self::Moved { .. } | Self::InTheWay => "try again",
            Self::Unreadable { .. } => {
                "was it written by a newer version? use that one, or another store"
            }
            Self::Damaged { remedy, .. } => remedy,
            Self::File { .. } => {
                "it and its folder must be for whoever runs evenkeel to read and write, a regular file and no link, on a disk with room"
            }
            Self::Unfit { .. } | Self::Record(_) => "please report this",
            Self::Impossible { .. } => {
                "look at who else writes to this store: each controller needs a database or an account's lease of its own"
            }
            Self::LeaseLost { .. } => "nothing: who has the lease now goes on",
        }
    }
}
