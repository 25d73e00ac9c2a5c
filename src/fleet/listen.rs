//! `[controller] listen`: where the controller answers, and to whom.

use std::net::SocketAddr;

use super::file::{Controller, FleetFile};
use super::notify::SecretPlace;
use crate::baseline::problem::{Problem, SourcePlace};

/// Where it may be, in words.
const HELP: &str =
    "name an address and a port: \"127.0.0.1:9464\", or with listen_token \"0.0.0.0:9464\"";

/// Refuses an address that is none, and one that others can reach without a token or a certificate.
pub(super) fn rules(
    file: &FleetFile,
    at: &dyn Fn(String) -> SourcePlace,
    problems: &mut Vec<Problem>,
) {
    let Some(controller) = &file.controller else { return };
    if let Some(token) = &controller.listen_token
        && SecretPlace::of(token).is_none()
    {
        // Without its line and those around it, which may hold a secret that stands there by mistake.
        let what =
            "controller.listen_token: says no place of a token, and must not be the token itself";
        problems.push(
            Problem::general("wrong-value", what)
                .help("name where it is: \"${env.NAME}\", or \"file:PATH\" beside the fleet file"),
        );
    }
    tls_rules(controller, at, problems);
    let Some(listen) = &controller.listen else { return };
    let knows = controller.listen_token.is_some()
        || controller.listen_tls.as_ref().is_some_and(|tls| tls.client_ca.is_some());
    let mut wrong = |what: String, help: &str| {
        let place = at("controller.listen".to_owned());
        problems.push(Problem::error("wrong-value", what, place).help(help));
    };
    match listen.parse::<SocketAddr>() {
        Err(_) => wrong(format!("{listen:?} is not an address with a port"), HELP),
        Ok(address) if !address.ip().is_loopback() && !knows => wrong(
            format!(
                "others than this machine can reach {listen:?}, and nobody needs a token or a client certificate there"
            ),
            "listen on \"127.0.0.1:9464\", or say where a token is: listen_token = \"${env.EVENKEEL_LISTEN_TOKEN}\" or \"file:PATH\"; or name the authority of client certificates: listen_tls.client_ca",
        ),
        Ok(_) => {}
    }
}

/// Files that nobody would read, and names that are none.
fn tls_rules(
    controller: &Controller,
    at: &dyn Fn(String) -> SourcePlace,
    problems: &mut Vec<Problem>,
) {
    let Some(tls) = &controller.listen_tls else { return };
    let mut wrong = |field: &str, what: String, help: &str| {
        let place = at(format!("controller.{field}"));
        problems.push(Problem::error("wrong-value", what, place).help(help));
    };
    if controller.listen.is_none() {
        let what = "the controller listens nowhere, and needs no certificate".to_owned();
        wrong(
            "listen_tls",
            what,
            "say where it listens: listen = \"0.0.0.0:9464\"; or take listen_tls out",
        );
    }
    let files = [
        ("certificate", Some(&tls.certificate)),
        ("key", Some(&tls.key)),
        ("client_ca", tls.client_ca.as_ref()),
    ];
    for (field, path) in files {
        if path.is_some_and(|path| path.trim().is_empty() || path.starts_with("-----")) {
            // Without what stands there, which may be the key itself.
            let what = format!("controller.listen_tls.{field}: names no file");
            problems.push(Problem::general("wrong-value", what).help(
                "name a file in PEM form, relative to the fleet file, such as \"tls/tls.crt\"",
            ));
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::PathBuf;

    use crate::baseline::load::Memory;
    use crate::fleet;

    /// All that is wrong with a file, with the help.
    fn problems(controller: &str) -> String {
        let text = format!(
            "schema = 1\n[[target]]\nname = \"t\"\nbaselines = [\"b.toml\"]\n\n[controller]\n{controller}\n"
        );
        let path = PathBuf::from("evenkeel.toml");
        let memory = Memory(BTreeMap::from([(path.clone(), text)]));
        match fleet::load(&path, &memory) {
            Ok(_) => String::new(),
            Err(problems) => {
                let shown = |report: miette::Report| format!("{report:?}");
                problems.reports(9).into_iter().map(shown).collect()
            }
        }
    }

    #[test]
    fn only_this_machine_can_ask_without_a_token() {
        for good in [
            "",
            "listen = \"127.0.0.1:9464\"",
            "listen = \"[::1]:9464\"",
            "listen = \"0.0.0.0:9464\"\nlisten_token = \"${env.TOKEN}\"",
            "listen = \"[::]:9464\"\nlisten_token = \"file:token\"",
            "listen = \"127.0.0.1:9464\"\nlisten_tls = { certificate = \"c\", key = \"k\" }",
            "listen = \"0.0.0.0:9464\"\nlisten_tls = { certificate = \"c\", key = \"k\", client_ca = \"a\" }",
        ] {
            assert_eq!(problems(good), "", "{good}");
        }
        let open = problems("listen = \"0.0.0.0:9464\"");
        for part in ["evenkeel.toml:7", "others than this machine", "listen_token"] {
            assert!(open.contains(part), "{part}: {open}");
        }
        let told = problems(
            "listen = \"0.0.0.0:9464\"\nlisten_tls = { certificate = \"c\", key = \"k\" }",
        );
        assert!(told.contains("others than this machine"), "TLS alone lets everybody in: {told}");
        assert!(problems("listen = \"localhost\"").contains("is not an address with a port"));
    }

    #[test]
    fn files_of_tls_are_named_and_needed() {
        let nowhere = problems("listen_tls = { certificate = \"c\", key = \"k\" }");
        assert!(nowhere.contains("listens nowhere"), "{nowhere}");
        assert!(
            !problems("listen = \"127.0.0.1:1\"\nlisten_tls = { certificate = \"c\" }").is_empty()
        );
        let said = problems(
            "listen = \"127.0.0.1:1\"\nlisten_tls = { certificate = \"c\", key = \"-----BEGIN PRIVATE KEY-----hunter2\" }",
        );
        assert!(
            said.contains("listen_tls.key: names no file") && !said.contains("hunter2"),
            "{said}"
        );
    }

    #[test]
    fn a_token_that_stands_in_the_file_is_not_repeated() {
        let said = problems("listen = \"0.0.0.0:9464\"\nlisten_token = \"hunter2hunter2hunter2\"");
        assert!(said.contains("listen_token") && !said.contains("hunter2"), "{said}");
    }
}
