//! evenkeel keeps AWS accounts in their declared security state.
