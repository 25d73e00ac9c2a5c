//! Who works at this machine.

/// Who works at this machine, for people to read.
pub fn person() -> String {
    let name = ["USER", "LOGNAME"].into_iter().find_map(|name| std::env::var(name).ok());
    name.filter(|name| !name.is_empty()).or_else(number).unwrap_or_else(|| "somebody".to_owned())
}

/// The number of the user, where the system says it.
fn number() -> Option<String> {
    #[cfg(target_os = "linux")]
    {
        use std::os::unix::fs::MetadataExt as _;
        let own = std::fs::metadata("/proc/self").ok()?;
        Some(format!("user {}", own.uid()))
    }
    #[cfg(not(target_os = "linux"))]
    None
}
