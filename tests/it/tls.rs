//! The controller over TLS, as those who ask it see it: who is let in to what, which certificates are
//! refused, and what happens when they are put in place anew.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use evenkeel::telemetry::trust::{Known, Trust};
use rustls::pki_types::ServerName;
use rustls::{ClientConnection, StreamOwned};

use crate::controller::{Running, watched};
use crate::support::{self, Account, Run, free_port};

/// Adds to the fleet file's `[controller]`, which is its last table, what makes it answer over TLS.
fn with_tls(account: &Account, port: u16, more: &str) {
    let fleet = account.read("evenkeel.toml");
    account.write(
        "evenkeel.toml",
        &format!(
            "{fleet}listen = \"127.0.0.1:{port}\"\n\
             listen_tls = {{ certificate = \"tls/now.crt\", key = \"tls/now.key\"{more} }}\n"
        ),
    );
    let made = Command::new(support::python())
        .arg(support::root().join("tests/it/support/certificates.py"))
        .arg(account.folder.path().join("tls"))
        .status();
    assert!(made.unwrap().success());
    put(account, "server", ".crt");
    put(account, "server", ".key");
}

/// Puts a certificate or a key in place, at once and whole.
fn put(account: &Account, name: &str, end: &str) {
    let folder = account.folder.path().join("tls");
    std::fs::copy(folder.join(format!("{name}{end}")), folder.join("new")).unwrap();
    std::fs::rename(folder.join("new"), folder.join(format!("now{end}"))).unwrap();
}

/// Somebody who asks over TLS.
struct Client {
    folder: PathBuf,
    port: u16,
}

impl Client {
    /// The status and the body, or what ended the connection.
    fn get(&self, ca: &str, own: Option<&str>, path: &str) -> Result<(u16, String), String> {
        let file = |name: &str, end: &str| self.folder.join(format!("{name}{end}"));
        let own = own.map(|own| (file(own, ".crt"), file(own, ".key")));
        let trust = Trust { known: Known::Authorities(file(ca, ".crt")), own };
        let name = ServerName::try_from("localhost").unwrap();
        let connection = ClientConnection::new(Arc::new(trust.config().unwrap()), name).unwrap();
        let stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        let mut stream = StreamOwned::new(connection, stream);
        let asked = format!("GET /{path} HTTP/1.1\r\nhost: localhost\r\n\r\n");
        stream.write_all(asked.as_bytes()).map_err(|error| error.to_string())?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).map_err(|error| error.to_string())?;
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.contains("connection: close"), "{head}");
        Ok((head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned()))
    }

    fn status_of(&self, ca: &str, own: Option<&str>, path: &str) -> u16 {
        self.get(ca, own, path).unwrap().0
    }

    /// Waits until the queue of events has answered as well, so that nothing is missing.
    fn until_ready(&self, ca: &str) {
        for _ in 0..600 {
            if self.get(ca, None, "readyz").is_ok_and(|(status, _)| status == 200) {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
        panic!("{:?}", self.get(ca, None, "readyz"));
    }

    /// The value of the metric of what is wrong with the files.
    fn refused(&self, ca: &str) -> String {
        let text = self.get(ca, Some("client"), "metrics").unwrap().1;
        let name = "evenkeel_listen_tls_refused ";
        text.lines().find_map(|line| line.strip_prefix(name)).unwrap().to_owned()
    }
}

/// What stands in front of the status: who asks, and how.
fn status(account: &Account, args: &[&str]) -> Run {
    account.run(&[&["status"], args].concat())
}

const SHOWN: [&str; 4] = ["--certificate", "tls/client.crt", "--key", "tls/client.key"];

#[test]
fn only_who_shows_a_certificate_of_the_authority_is_told_more_than_probes() {
    let account = watched("report");
    let port = free_port();
    with_tls(&account, port, ", client_ca = \"tls/ca.crt\"");
    let mut controller = Running::start(&account);
    controller.next("run", |_| true);
    let client = Client { folder: account.folder.path().join("tls"), port };
    // Who hangs in a handshake or before it keeps nobody out.
    let hang: Vec<TcpStream> = (0..20)
        .map(|number| {
            let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
            stream.write_all(if number % 2 == 0 { b"" } else { &[22, 3, 1, 2] }).unwrap();
            stream
        })
        .collect();
    assert_eq!(client.get("ca", None, "healthz"), Ok((200, "alive\n".to_owned())));
    assert_eq!(client.status_of("ca", Some("client"), "healthz"), 200);
    assert!(client.get("ca", None, "readyz").unwrap().1.contains("working: yes"));
    for path in ["metrics", "status"] {
        assert_eq!(client.status_of("ca", None, path), 403, "{path}");
        assert_eq!(client.status_of("ca", Some("client"), path), 200, "{path}");
        for (own, why) in [("foreign", "UnknownCA"), ("expired", "CertificateExpired")] {
            for path in [path, "healthz"] {
                let ended = client.get("ca", Some(own), path).unwrap_err();
                assert!(ended.contains(why), "{own}: {ended}");
            }
        }
    }
    drop(hang);
    // Somebody who does not know of TLS is told of it.
    let mut plain = TcpStream::connect(("127.0.0.1", port)).unwrap();
    plain.write_all(b"GET /metrics HTTP/1.1\r\nhost: localhost\r\n\r\n").unwrap();
    let mut answer = String::new();
    plain.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 400") && answer.contains("https://"), "{answer}");

    client.until_ready("ca");
    status(&account, &["--alive"]).code(0).says("alive");
    status(&account, &[]).code(4).says("asks for a client certificate: show one by --certificate");
    status(&account, &SHOWN).code(2).says("ready");
    let url = format!("https://localhost:{port}");
    let elsewhere = [&SHOWN[..], &["--url", &url, "--ca", "tls/ca.crt"]].concat();
    status(&account, &elsewhere).code(2).says("ready");
    let address = format!("https://127.0.0.1:{port}");
    let by_address = [&SHOWN[..], &["--url", &address, "--ca", "tls/ca.crt"]].concat();
    status(&account, &by_address).code(4).says("is for another name");
    let named = [&by_address[..], &["--server-name", "localhost"]].concat();
    status(&account, &named).code(2).says("ready");
    status(&account, &["--url", &url, "--ca", "tls/other-ca.crt"])
        .code(4)
        .says("--ca tls/other-ca.crt must hold its authority");
    for (own, why) in [("foreign", "it is of another authority"), ("expired", "it has run out")] {
        let (certificate, key) = (format!("tls/{own}.crt"), format!("tls/{own}.key"));
        status(&account, &["--certificate", &certificate, "--key", &key])
            .code(4)
            .says(&format!("refuses --certificate {certificate} ({why})"));
    }
    status(&account, &["--certificate", "tls/client.crt", "--key", "tls/foreign.key"])
        .code(4)
        .says("--key tls/foreign.key is not the key of --certificate tls/client.crt");
    open_to_all(&account.folder.path().join("tls/client.key"));
    status(&account, &SHOWN).code(4).says("chmod o-rwx tls/client.key");
    controller.end();
}

fn open_to_all(path: &Path) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o644)).unwrap();
}

#[test]
fn new_certificates_count_at_once_and_wrong_ones_are_refused() {
    let account = watched("report");
    let port = free_port();
    with_tls(&account, port, ", client_ca = \"tls/clients.crt\"");
    let folder = account.folder.path().join("tls");
    let clients = |name: &str| {
        std::fs::copy(folder.join(format!("{name}.crt")), folder.join("clients.crt")).unwrap();
    };
    clients("ca");
    let mut controller = Running::start(&account);
    controller.next("run", |_| true);
    let client = Client { folder: folder.clone(), port };
    client.until_ready("ca");
    assert_eq!(client.refused("ca"), "0.0");

    // Half of a new pair: the last good one stays, and it is said.
    put(&account, "next-server", ".crt");
    assert_eq!(client.refused("ca"), "1.0");
    // The certificate on the disk is another one than is shown.
    status(&account, &SHOWN).code(4).says("shows another certificate than");
    let by_ca = [&SHOWN[..], &["--ca", "tls/ca.crt", "--server-name", "localhost"]].concat();
    status(&account, &by_ca).code(4).says("WRONG: key").says("is not the key of certificate");
    // The other half: it is in force at once, and the old authority is none of it.
    put(&account, "next-server", ".key");
    assert!(client.get("ca", Some("client"), "metrics").unwrap_err().contains("UnknownIssuer"));
    assert_eq!(client.refused("other-ca"), "0.0");
    status(&account, &SHOWN).code(2).says("ready");

    // One that has run out, one that is none, one that everybody can read, and none at all.
    put(&account, "expired-server", ".crt");
    put(&account, "expired-server", ".key");
    assert_eq!(client.refused("other-ca"), "1.0");
    account.write("tls/now.crt", "nothing");
    assert_eq!(client.refused("other-ca"), "1.0");
    put(&account, "server", ".crt");
    put(&account, "server", ".key");
    open_to_all(&folder.join("now.key"));
    assert_eq!(client.refused("other-ca"), "1.0");
    std::fs::remove_file(folder.join("now.key")).unwrap();
    assert_eq!(client.refused("other-ca"), "1.0");
    put(&account, "server", ".key");
    assert_eq!(client.refused("ca"), "0.0");

    // Another authority of those who may ask, first beside the old one.
    let both = ["ca", "other-ca"].map(|name| account.read(&format!("tls/{name}.crt"))).concat();
    account.write("tls/clients.crt", &both);
    for own in ["client", "foreign"] {
        assert_eq!(client.status_of("ca", Some(own), "metrics"), 200, "{own}");
    }
    clients("other-ca");
    assert!(client.get("ca", Some("client"), "metrics").unwrap_err().contains("UnknownCA"));
    assert_eq!(client.status_of("ca", Some("foreign"), "metrics"), 200);
    controller.end();
}

#[test]
fn files_of_tls_that_cannot_be_used_end_the_start_with_a_remedy() {
    let account = watched("report");
    with_tls(&account, free_port(), ", client_ca = \"tls/clients.crt\"");
    let refused = |why: &str| account.run(&["run"]).code(1).complains(why);
    refused("client_ca tls/clients.crt cannot be read").complains("listen_tls");
    account
        .write("tls/clients.crt", "-----BEGIN CERTIFICATE-----\nnone\n-----END CERTIFICATE-----\n");
    refused("client_ca tls/clients.crt");
    std::fs::copy(
        account.folder.path().join("tls/ca.crt"),
        account.folder.path().join("tls/clients.crt"),
    )
    .unwrap();
    put(&account, "client", ".key");
    refused("key tls/now.key is not the key of certificate tls/now.crt");
    open_to_all(&account.folder.path().join("tls/now.key"));
    refused("chmod o-rwx tls/now.key");
    put(&account, "server", ".crt");
    std::fs::copy(
        account.folder.path().join("tls/server.crt"),
        account.folder.path().join("tls/now.key"),
    )
    .unwrap();
    std::fs::set_permissions(
        account.folder.path().join("tls/now.key"),
        std::fs::Permissions::from_mode(0o600),
    )
    .unwrap();
    refused("key tls/now.key holds no private key in PEM form");
}

#[test]
fn tls_without_an_authority_of_clients_leaves_the_token_in_charge() {
    const TOKEN: &str = "0123456789abcdef0123456789abcdef";
    let account = watched("report");
    let port = free_port();
    with_tls(&account, port, "");
    let fleet = account.read("evenkeel.toml");
    account.write("evenkeel.toml", &format!("{fleet}listen_token = \"file:token\"\n"));
    account.write("token", TOKEN);
    // Its time is over: the controller works all the same, and says so.
    put(&account, "expired-server", ".crt");
    put(&account, "expired-server", ".key");
    let mut controller = Running::start(&account);
    controller.next("run", |_| true);
    let client = Client { folder: account.folder.path().join("tls"), port };
    assert!(client.get("ca", None, "healthz").unwrap_err().contains("xpired"));
    status(&account, &[]).code(4).says("WRONG: certificate").says("has run out");
    put(&account, "server", ".crt");
    put(&account, "server", ".key");
    client.until_ready("ca");
    assert_eq!(client.status_of("ca", None, "metrics"), 401, "TLS alone opens nothing");
    status(&account, &[]).code(2).says("ready");
    controller.end();
}
