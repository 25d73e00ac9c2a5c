//! A PostgreSQL server of a test's own: a cluster in a temporary folder, reached by a socket in it alone,
//! and gone with the test.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// A server that runs.
pub struct Postgres {
    server: Child,
    folder: TempDir,
    programs: PathBuf,
    user: Option<(u32, u32)>,
}

/// How long a server may take to begin, on a machine that is busy with other things.
const LONGEST: Duration = Duration::from_secs(60);

impl Postgres {
    /// Makes a cluster, and starts its server.
    pub fn start() -> Self {
        let programs = programs();
        let user = unprivileged();
        // Where everybody can go, whatever the home of this user is.
        let folder = tempfile::tempdir_in("/tmp").unwrap();
        if let Some((uid, gid)) = user {
            std::os::unix::fs::chown(folder.path(), Some(uid), Some(gid)).unwrap();
        }
        let data = folder.path().join("data");
        let output = as_user(&programs.join("initdb"), user, folder.path())
            .args(["--auth=trust", "--username=evenkeel", "--encoding=UTF8", "--locale=C.UTF-8"])
            .args(["--no-sync", "--no-instructions", "--pgdata"])
            .arg(&data)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let server = serve(&programs, user, folder.path());
        Self { server, folder, programs, user }
    }

    /// Where it is reached.
    pub fn url(&self) -> String {
        format!("postgres://evenkeel@localhost/postgres?host={}", self.folder.path().display())
    }

    /// Ends the server at once, as a crash does.
    pub fn stop(&mut self) {
        // SIGQUIT: its children end too, which they would not if it were killed.
        let pid = self.server.id().to_string();
        Command::new("kill").args(["-QUIT", &pid]).status().unwrap();
        self.server.wait().unwrap();
    }

    /// Starts it again, with what it had.
    pub fn start_again(&mut self) {
        self.server = serve(&self.programs, self.user, self.folder.path());
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.stop();
    }
}

fn serve(programs: &Path, user: Option<(u32, u32)>, folder: &Path) -> Child {
    let server = as_user(&programs.join("postgres"), user, folder)
        .args(["-c", "listen_addresses=", "-c", "fsync=off", "-c"])
        .arg(format!("unix_socket_directories={}", folder.display()))
        .arg("-D")
        .arg(folder.join("data"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let started = Instant::now();
    let is_ready = || {
        let mut ask = Command::new(programs.join("pg_isready"));
        ask.arg("-q").arg("-h").arg(folder).status().unwrap().success()
    };
    while !is_ready() {
        assert!(started.elapsed() < LONGEST, "PostgreSQL does not begin");
        std::thread::sleep(Duration::from_millis(50));
    }
    server
}

fn as_user(program: &Path, user: Option<(u32, u32)>, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder).env_remove("PGDATA");
    if let Some((uid, gid)) = user {
        command.uid(uid).gid(gid);
    }
    command
}

/// The newest PostgreSQL of Debian's.
fn programs() -> PathBuf {
    let all = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = all
        .map(|version| version.path().join("bin"))
        .filter(|programs| programs.join("initdb").is_file())
        .collect();
    found.sort();
    found
        .pop()
        .expect("PostgreSQL is not there: install Debian's package postgresql (make postgres)")
}

/// PostgreSQL refuses to run as root: then somebody else whom the system has.
fn unprivileged() -> Option<(u32, u32)> {
    let own = std::fs::metadata("/proc/self").unwrap();
    if std::os::unix::fs::MetadataExt::uid(&own) != 0 {
        return None;
    }
    let users = std::fs::read_to_string("/etc/passwd").unwrap();
    let of = |name: &str| {
        let line = users.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut ids = line.split(':').skip(2);
        Some((ids.next()?.parse().ok()?, ids.next()?.parse().ok()?))
    };
    Some(of("postgres").or_else(|| of("nobody")).expect("a user postgres or nobody"))
}
