//! The URLs of the fleet file that may hold a secret by mistake: what they must be, and how they may be said.

/// Why a URL is none of a git repository.
///
/// # Errors
/// The reason, without the URL.
pub fn git(url: &str) -> Result<(), &'static str> {
    let is_plain = url.bytes().all(|byte| byte.is_ascii_graphic());
    if !is_plain || url.starts_with('-') {
        return Err("it is no URL");
    }
    let (scheme, rest) = match url.split_once("://") {
        Some((scheme @ ("https" | "ssh" | "file"), rest)) => (scheme, rest),
        Some(_) => return Err("only https, ssh and file are spoken"),
        // user@host:path, as ssh has it; `transport::address` would run a program.
        None => match url.split_once(':') {
            Some((host, path)) if host.contains('@') && !path.starts_with(':') => ("ssh", host),
            _ => return Err("write https://, ssh:// or user@host:path"),
        },
    };
    let authority = rest.split('/').next().unwrap_or_default();
    let (user, host) = authority.rsplit_once('@').unwrap_or(("", authority));
    if host.starts_with('-') || user.starts_with('-') || (host.is_empty() && scheme != "file") {
        return Err("its host is none");
    }
    if user.contains(':') {
        return Err("it holds a password: leave that to a credential helper of git");
    }
    if url.contains(['?', '#']) {
        return Err(
            "it has a query, which others would read: leave secrets to a credential helper of git",
        );
    }
    Ok(())
}

/// Why a URL is none of a store.
///
/// # Errors
/// The reason, without the URL.
pub fn store(url: &str) -> Result<(), &'static str> {
    let Some((scheme, rest)) = url.split_once("://") else { return Err("it is no URL") };
    match scheme {
        "sqlite" if rest.is_empty() => Err("it names no file"),
        "sqlite" => Ok(()),
        "postgres" | "postgresql" => postgres(rest),
        _ => Err("a store is sqlite://PATH or postgres://USER@HOST/DATABASE"),
    }
}

fn postgres(rest: &str) -> Result<(), &'static str> {
    if !rest.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("it has a character that no URL has: write %20 for a space");
    }
    let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
    let authority = place.split('/').next().unwrap_or_default();
    let user = authority.rsplit_once('@').map_or("", |(user, _)| user);
    let is_password = |pair: &str| pair.to_ascii_lowercase().starts_with("password=");
    if user.contains(':') || query.split('&').any(is_password) {
        return Err(
            "it holds a password, which others would read: leave it to PGPASSWORD or ~/.pgpass",
        );
    }
    Ok(())
}

/// A URL as it may be said: without user, password and query.
pub fn without_secrets(url: &str) -> String {
    let plain = url.split(['?', '#']).next().unwrap_or_default();
    match plain
        .split_once("://")
        .and_then(|(scheme, rest)| Some((scheme, rest.rsplit_once('@')?.1)))
    {
        Some((scheme, rest)) => format!("{scheme}://…@{rest}"),
        None => plain.to_owned(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_store_has_its_password_elsewhere() {
        for url in [
            "sqlite://.evenkeel/store.db",
            "postgres://evenkeel@db.internal/evenkeel",
            "postgresql://evenkeel@db.internal:5432/evenkeel?sslmode=verify-full",
            "postgres://127.0.0.1:1/none",
        ] {
            assert_eq!(store(url), Ok(()), "{url}");
        }
        for (url, why) in [
            ("postgress://u:hunter2@h/db", "a store is sqlite"),
            ("postgres://u:hunter2@h/db", "holds a password"),
            ("postgres://u@h/db?sslmode=require&Password=hunter2", "holds a password"),
            ("postgres://u@h st/db", "no URL has"),
            ("sqlite://", "names no file"),
            ("hunter2", "no URL"),
        ] {
            let said = store(url).unwrap_err();
            assert!(said.contains(why) && !said.contains("hunter2"), "{url}: {said}");
        }
    }

    #[test]
    fn what_is_said_of_a_url_has_no_secret() {
        for (url, said) in [
            ("https://u:p@h/r.git", "https://…@h/r.git"),
            ("https://h/r.git?token=p", "https://h/r.git"),
            ("git@h:r.git", "git@h:r.git"),
        ] {
            assert_eq!(without_secrets(url), said);
        }
        assert!(git("https://h/r.git?token=p").is_err());
    }
}
