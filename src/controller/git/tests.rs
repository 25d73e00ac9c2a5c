//! Real repositories in a folder, and what must not come out of them.

#![allow(clippy::unwrap_used)]

use super::*;

/// A repository of somebody else.
struct Theirs {
    folder: tempfile::TempDir,
}

impl Theirs {
    fn new() -> Self {
        let theirs = Self { folder: tempfile::tempdir().unwrap() };
        theirs.git(&["init", "--quiet", "-b", "main", "repository"], Path::new(""));
        theirs
    }

    fn top(&self) -> PathBuf {
        self.folder.path().join("repository")
    }

    fn git(&self, args: &[&str], below: &Path) -> String {
        let output = std::process::Command::new("git")
            .args(["-c", "user.name=t", "-c", "user.email=t@example.com"])
            .args(["-c", "commit.gpgsign=false", "-c", "protocol.file.allow=always"])
            .args(args)
            .current_dir(self.folder.path().join(below))
            .output()
            .unwrap();
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.top().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn commit(&self) -> String {
        self.git(&["add", "-A"], Path::new("repository"));
        self.git(&["commit", "--quiet", "-m", "c"], Path::new("repository"));
        self.git(&["rev-parse", "HEAD"], Path::new("repository"))
    }

    fn remote(&self, verify: bool) -> Remote {
        let url = format!("file://{}", self.top().display());
        Remote::new(&url, "main", verify, &self.folder.path().join("cache")).unwrap()
    }
}

#[tokio::test]
async fn the_newest_commit_is_fetched_and_its_files_are_read() {
    let theirs = Theirs::new();
    theirs.write("fleet/evenkeel.toml", "one");
    let first = theirs.commit();
    let remote = theirs.remote(false);
    assert_eq!(remote.fetch(None).await.unwrap(), first);
    theirs.write("fleet/evenkeel.toml", "two");
    let second = theirs.commit();
    assert_eq!(remote.fetch(Some(&first)).await.unwrap(), second);
    let read = |commit: &str, path: &str| remote.tree(commit).read(Path::new(path));
    assert_eq!(read(&first, "fleet/evenkeel.toml").unwrap(), "one");
    assert_eq!(read(&second, "fleet/../fleet/./evenkeel.toml").unwrap(), "two");
    assert_eq!(read(&second, "fleet/none.toml").unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(read(&second, "fleet").unwrap_err().kind(), ErrorKind::InvalidInput);
    for outside in ["/etc/passwd", "../x.toml", "fleet/../../x.toml"] {
        assert_eq!(read(&second, outside).unwrap_err().kind(), ErrorKind::PermissionDenied);
    }
}

#[tokio::test]
async fn nothing_of_what_is_fetched_is_run_or_followed() {
    let theirs = Theirs::new();
    let canary = theirs.folder.path().join("canary");
    theirs.write("a.toml", "a");
    theirs.write(".gitattributes", "*.toml filter=evil\n");
    std::os::unix::fs::symlink("/etc/passwd", theirs.top().join("link.toml")).unwrap();
    let commit = theirs.commit();
    let remote = theirs.remote(false);
    remote.fetch(None).await.unwrap();
    // A hook that somebody has put into our repository is not run either.
    let hooks = remote.folder.join("hooks");
    std::fs::create_dir_all(&hooks).unwrap();
    for hook in ["reference-transaction", "post-checkout", "post-merge"] {
        let path = hooks.join(hook);
        std::fs::write(&path, format!("#!/bin/sh\ntouch {}\n", canary.display())).unwrap();
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(&path, mode).unwrap();
    }
    theirs.write("a.toml", "b");
    let next = theirs.commit();
    assert_eq!(remote.fetch(Some(&commit)).await.unwrap(), next);
    assert_eq!(remote.tree(&next).read(Path::new("a.toml")).unwrap(), "b");
    let link = remote.tree(&next).read(Path::new("link.toml"));
    assert_eq!(link.unwrap_err().kind(), ErrorKind::InvalidInput);
    assert!(!canary.exists());
}

#[tokio::test]
async fn what_is_not_signed_is_refused_where_signatures_are_wanted() {
    let theirs = Theirs::new();
    theirs.write("evenkeel.toml", "one");
    let commit = theirs.commit();
    let refused = theirs.remote(true).fetch(None).await;
    assert!(
        matches!(&refused, Err(GitError::Unsigned { commit: of, .. }) if *of == commit),
        "{refused:?}"
    );
}

#[tokio::test]
async fn what_is_signed_is_taken_and_an_old_commit_does_not_come_back() {
    let theirs = Theirs::new();
    let below = Path::new("repository");
    let key = theirs.folder.path().join("key");
    let made = std::process::Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-f"])
        .arg(&key)
        .status();
    if !made.is_ok_and(|status| status.success()) {
        // Without ssh-keygen nobody signs here; what is not signed is tested above.
        return;
    }
    let public = std::fs::read_to_string(key.with_extension("pub")).unwrap();
    let allowed = theirs.folder.path().join("allowed");
    std::fs::write(&allowed, format!("t@example.com {public}")).unwrap();
    let sign_with = |key: &Path, text: &str| {
        theirs.write("evenkeel.toml", text);
        theirs.git(&["add", "-A"], below);
        let key = format!("user.signingKey={}", key.display());
        let signed = ["-c", "gpg.format=ssh", "-c", &key, "commit", "--quiet", "-S", "-m", "c"];
        theirs.git(&signed, below);
        theirs.git(&["rev-parse", "HEAD"], below)
    };
    let sign = |text: &str| sign_with(&key, text);
    let (first, remote) = (sign("one"), theirs.remote(true));
    // Whose keys are known is a setting of git, as it is for people.
    let begun = remote.fetch(None).await;
    assert!(matches!(begun, Err(GitError::Unsigned { .. })), "{begun:?}");
    let config = ["config", "gpg.ssh.allowedSignersFile", &allowed.display().to_string()];
    assert!(remote.git("config", &config).await.unwrap().status.success());
    assert_eq!(remote.fetch(None).await.unwrap(), first);
    let second = sign("two");
    assert_eq!(remote.fetch(Some(&first)).await.unwrap(), second);
    theirs.git(&["reset", "--quiet", "--hard", &first], below);
    let back = remote.fetch(Some(&second)).await;
    assert!(
        matches!(&back, Err(GitError::Rewritten { old, new }) if *old == second && *new == first)
    );
    // A new key counts from when git trusts it, beside the old one; until then its commits are refused.
    theirs.git(&["reset", "--quiet", "--hard", &second], below);
    let new = theirs.folder.path().join("new");
    let made = std::process::Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-f"])
        .arg(&new)
        .status();
    assert!(made.unwrap().success());
    let third = sign_with(&new, "three");
    let early = remote.fetch(Some(&second)).await;
    assert!(
        matches!(&early, Err(GitError::Unsigned { commit, .. }) if *commit == third),
        "{early:?}"
    );
    let both = [&key, &new].map(|key| {
        let public = std::fs::read_to_string(key.with_extension("pub")).unwrap();
        format!("t@example.com {public}")
    });
    std::fs::write(&allowed, both.concat()).unwrap();
    assert_eq!(remote.fetch(Some(&second)).await.unwrap(), third);
    let fourth = sign("four");
    assert_eq!(remote.fetch(Some(&third)).await.unwrap(), fourth);
}

#[tokio::test]
async fn a_repository_that_is_not_there_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("file://{}/none", folder.path().display());
    let remote = Remote::new(&url, "main", false, folder.path()).unwrap();
    let failed = remote.fetch(None).await;
    assert!(matches!(failed, Err(GitError::Failed { doing: "fetch", .. })), "{failed:?}");
}

#[test]
fn a_url_or_ref_that_says_something_else_to_git_is_refused() {
    let folder = Path::new("/nowhere");
    let of = |url: &str, reference: &str| {
        Remote::new(url, reference, false, folder).map(|one| one.name())
    };
    for url in [
        "https://example.com/a.git",
        "ssh://git@example.com:22/a.git",
        "git@example.com:team/a.git",
        "file:///srv/a.git",
    ] {
        assert!(of(url, "main").is_ok(), "{url}");
    }
    for url in [
        "",
        "-",
        "--upload-pack=touch /tmp/x",
        "ext::sh -c touch% /tmp/x",
        "fd::17",
        "http://a/b",
        "git://a/b",
        "ssh://-oProxyCommand=x/a",
        "-oProxyCommand=x@a:b",
        "a@-x:b",
        "/srv/a",
        "a",
        "https:///a",
        "https://a/b\nc",
        "https://u:p@a/b",
        "a@b::c",
        "https://-x@a/b",
    ] {
        assert!(matches!(of(url, "main"), Err(GitError::Url(..))), "{url}");
    }
    for reference in [
        "", "-x", "--all", "a..b", "a:b", "+a", "^a", "a b", "a~1", "a@{1}", "a.lock", "a/", "/a",
        "a//b", "a/.b",
    ] {
        assert!(matches!(of("https://a/b", reference), Err(GitError::Ref(_))), "{reference}");
    }
    for reference in ["main", "release/1.2", "refs/heads/main", "HEAD", "v1.0.0"] {
        assert!(of("https://a/b", reference).is_ok(), "{reference}");
    }
    let said = of("https://user:secret@a/b", "main").unwrap_err().to_string();
    assert!(!said.contains("secret"), "{said}");
}
