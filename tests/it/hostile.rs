//! What a pull request, an environment or a folder may hold to mislead: each is refused in words, at
//! once, and shows nothing that is not its own.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, symlink};

use crate::support::{self, Account};

const HEAD: &str = "schema = 1\n[baseline]\nname = \"x\"\n";
const POLICY: &str = "[iam.password_policy]\nminimum_password_length = 14\n";

fn account() -> Account {
    support::emulator().account()
}

/// What moves a cursor, sets a title or turns the reading direction.
fn steers(text: &str) -> bool {
    text.chars().any(|character| {
        (character.is_control() && character != '\n')
            || matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    })
}

#[test]
fn errors_show_no_control_characters_of_a_baseline() {
    let account = account();
    let nasty = "\\u001b]0;pwned\\u0007\\u001b[2J\\u202e";
    account.write("key.toml", &format!("{HEAD}[iam.password_policy]\n\"{nasty}\" = 1\n"));
    account.write("value.toml", &format!("{HEAD}mode = \"{nasty}\"\n{POLICY}"));
    account.write(
        "raw.toml",
        &format!("{HEAD}# \u{1b}[2J \u{9b}31m \u{202e}\n{POLICY}\nx = \u{202e}\n"),
    );
    account.write("extends.toml", &format!("{HEAD}extends = [\"{nasty}\"]\n{POLICY}"));
    for file in ["key.toml", "value.toml", "raw.toml", "extends.toml"] {
        let run = account.run(&["validate", file]).code(1);
        assert!(!steers(&run.stderr) && !steers(&run.stdout), "{file}: {:?}", run.stderr);
        assert!(run.stderr.contains(file), "{file}: {}", run.stderr);
    }
    let run = account.run(&["validate", "none\u{1b}[2J.toml"]).code(1);
    assert!(!steers(&run.stderr), "{:?}", run.stderr);
}

#[test]
fn a_very_long_line_is_a_problem_in_words() {
    let account = account();
    account.write("long.toml", &format!("{HEAD}{POLICY}x = [{}}}\n", "1,".repeat(40_000)));
    account.run(&["validate", "long.toml"]).code(1).complains("long.toml:6:");
    account.write(
        "decimal.toml",
        &format!("{HEAD}[iam.password_policy]\nminimum_password_length = 14.0\n"),
    );
    account.run(&["validate", "decimal.toml"]).code(1).complains("write 14");
    let many: String = (0..10_000).map(|number| format!("unknown_{number} = 1\n")).collect();
    account.write("many.toml", &format!("{HEAD}{POLICY}{many}"));
    account.run(&["validate", "many.toml"]).code(1).complains("and 9900 more");
}

#[test]
fn odd_variables_are_named_and_nothing_panics() {
    let account = account();
    account.write("b.toml", &format!("{HEAD}{POLICY}"));
    for (name, value) in [
        ("AWS_MAX_ATTEMPTS", "x"),
        ("AWS_MAX_ATTEMPTS", "0"),
        ("AWS_RETRY_MODE", "quick"),
        ("AWS_ENDPOINT_URL", ""),
        ("AWS_ENDPOINT_URL", "not a url"),
        ("AWS_ENDPOINT_URL_IAM", ""),
        ("AWS_USE_FIPS_ENDPOINT", "yes"),
        ("AWS_REGION", "x@host/"),
        ("AWS_PROFILE", ""),
        ("AWS_CA_BUNDLE", "/nope"),
        ("AWS_STS_REGIONAL_ENDPOINTS", "x"),
        ("AWS_DEFAULTS_MODE", "x"),
        ("AWS_CONFIG_FILE", "/dev/zero"),
    ] {
        let output = account.command(&["plan", "-b", "b.toml"]).env(name, value).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{name}={value}: {said}");
        assert!(said.contains(name) && said.contains("unset"), "{name}={value}: {said}");
    }
    // What others take for not set is not set.
    for name in ["AWS_SESSION_TOKEN", "AWS_ROLE_ARN", "AWS_CA_BUNDLE", "AWS_CONFIG_FILE"] {
        let output = account.command(&["plan", "-b", "b.toml"]).env(name, "").output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{name}: {said}");
    }
    // A profile's word that the SDK does not know is not read by it.
    account.write("config", "[default]\nmax_attempts = x\nretry_mode = quick\n");
    let config = account.folder.path().join("config");
    let mut command = account.command(&["plan", "-b", "b.toml"]);
    assert_eq!(command.env("AWS_CONFIG_FILE", config).output().unwrap().status.code(), Some(0));
}

/// Takes one connection, and returns the first line that came over it.
fn proxy() -> (String, std::thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let thread = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut text = Vec::new();
        while !text.ends_with(b"\r\n") {
            let mut byte = [0];
            if stream.read(&mut byte).unwrap() == 0 {
                break;
            }
            text.push(byte[0]);
        }
        let _ = stream.write_all(b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n");
        String::from_utf8_lossy(&text).into_owned()
    });
    (address, thread)
}

#[test]
fn requests_go_through_the_proxy_of_the_environment() {
    for (variable, endpoint, first) in [
        ("HTTPS_PROXY", "https://aws.invalid", "CONNECT aws.invalid:443 "),
        ("https_proxy", "https://aws.invalid", "CONNECT aws.invalid:443 "),
        ("ALL_PROXY", "https://aws.invalid", "CONNECT aws.invalid:443 "),
        ("HTTP_PROXY", "http://aws.invalid", "POST http://aws.invalid/ "),
    ] {
        let account = account();
        account.write("b.toml", &format!("{HEAD}{POLICY}"));
        let (address, thread) = proxy();
        let output = account
            .command(&["plan", "-b", "b.toml"])
            .env("AWS_ENDPOINT_URL", endpoint)
            .env("AWS_MAX_ATTEMPTS", "1")
            .env(variable, &address)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(1));
        let line = thread.join().unwrap();
        assert!(line.starts_with(first), "{variable}: {line}");
    }
    // This machine itself is not asked for through a proxy.
    let account = account();
    account.write("b.toml", &format!("{HEAD}{POLICY}"));
    let mut command = account.command(&["plan", "-b", "b.toml"]);
    command.env("HTTP_PROXY", "http://127.0.0.1:1").env("ALL_PROXY", "http://127.0.0.1:1");
    assert_eq!(command.output().unwrap().status.code(), Some(0));
}

#[test]
fn an_error_on_the_way_names_the_proxy_and_not_its_password() {
    let account = account();
    account.write("b.toml", &format!("{HEAD}{POLICY}"));
    let output = account
        .command(&["plan", "-b", "b.toml"])
        .env("AWS_ENDPOINT_URL", "https://aws.invalid")
        .env("AWS_MAX_ATTEMPTS", "1")
        .env("HTTPS_PROXY", "http://user:secret@127.0.0.1:1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("through the proxy http://127.0.0.1:1"), "{said}");
    assert!(!said.contains("secret"), "{said}");
}

#[test]
fn the_certificates_of_aws_ca_bundle_are_trusted() {
    let account = account();
    account.write("b.toml", &format!("{HEAD}{POLICY}"));
    let (endpoint, mut front) = tls_front(&account);
    let plan = |bundle: Option<&str>| {
        let mut command = account.command(&["plan", "-b", "b.toml"]);
        command.env("AWS_ENDPOINT_URL", &endpoint).env("AWS_MAX_ATTEMPTS", "1");
        if let Some(bundle) = bundle {
            command.env("AWS_CA_BUNDLE", account.folder.path().join(bundle));
        }
        let output = command.output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (code, said) = plan(Some("authority.pem"));
    assert_eq!(code, Some(0), "{said}");
    let (code, said) = plan(None);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("certificate") && said.contains("AWS_CA_BUNDLE"), "{said}");
    account.write("none.pem", "no certificate\n");
    account.write("damaged.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    for (bundle, why) in [
        ("gone.pem", "names no file"),
        ("none.pem", "without a certificate"),
        ("damaged.pem", "certificate 1 is none"),
    ] {
        let (code, said) = plan(Some(bundle));
        assert_eq!(code, Some(1), "{bundle}: {said}");
        assert!(said.contains("AWS_CA_BUNDLE") && said.contains(why), "{bundle}: {said}");
    }
    support::kill(&mut front);
}

/// TLS in front of the emulator, with a certificate of the authority in `authority.pem`.
fn tls_front(account: &Account) -> (String, std::process::Child) {
    let emulator = account.env()["AWS_ENDPOINT_URL"].replace("http://", "");
    let mut child = std::process::Command::new(support::python())
        .arg(support::root().join("tests/it/support/tls_front.py"))
        .args([&emulator, "authority.pem"])
        .current_dir(account.folder.path())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut port = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut port).unwrap();
    (format!("https://localhost:{}", port.trim()), child)
}

#[test]
fn a_host_that_is_not_found_is_said_to_be_so() {
    let account = account();
    account.write("b.toml", &format!("{HEAD}{POLICY}"));
    let output = account
        .command(&["plan", "-b", "b.toml"])
        .env("AWS_ENDPOINT_URL", "http://aws.invalid")
        .env("AWS_MAX_ATTEMPTS", "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("failed to lookup address"), "{said}");
}

#[test]
fn small_inputs_take_no_memory_and_no_time() {
    let account = account();
    let mut laughs = format!("{HEAD}[variables]\nv0 = \"x\"\n");
    for number in 1..10 {
        let ten = vec![format!("\"${{v{}}}\"", number - 1); 10].join(", ");
        laughs.push_str(&format!("v{number} = [{ten}]\n"));
    }
    laughs.push_str("[iam.role.x]\nmanaged_policy_arns = \"${v9}\"\n");
    account.write("laughs.toml", &laughs);
    account.run(&["validate", "laughs.toml"]).code(1).complains("stands for more than");
    let mut doubles = format!("{HEAD}[variables]\nv0 = \"xx\"\n");
    for number in 1..60 {
        doubles.push_str(&format!("v{number} = \"${{v{0}}}${{v{0}}}\"\n", number - 1));
    }
    doubles.push_str("[iam.role.x]\ndescription = \"${v59}\"\n");
    account.write("doubles.toml", &doubles);
    account.run(&["validate", "doubles.toml"]).code(1).complains("stands for more than");
    for number in 0..40 {
        let next = number + 1;
        let extends = format!("extends = [\"{next}.toml\", \"{next}.toml\"]\n");
        account.write(&format!("{number}.toml"), &format!("{HEAD}{extends}"));
    }
    account.write("40.toml", &format!("{HEAD}{POLICY}"));
    account.run(&["validate", "0.toml"]).code(0);
    account.write("zero.toml", &format!("{HEAD}extends = [\"/dev/zero\"]\n"));
    account.run(&["validate", "zero.toml"]).code(1).complains("outside of");
    account.run(&["validate", "/dev/zero"]).code(1).complains("not a regular file");
}

#[test]
fn files_of_a_repository_reach_only_files_of_that_repository() {
    let account = account();
    let outside = tempfile::tempdir().unwrap();
    let secret = outside.path().join("secret.toml");
    std::fs::write(&secret, "canary = 1\n").unwrap();
    account
        .write("evenkeel.toml", "schema = 1\n[[target]]\nname = \"t\"\nbaselines = [\"b.toml\"]\n");
    account.write("b.toml", &format!("{HEAD}{POLICY}"));
    account.run(&["validate"]).code(0);
    account.write("absolute.toml", &format!("{HEAD}extends = [\"{}\"]\n", secret.display()));
    account
        .write("up.toml", &format!("{HEAD}extends = [\"../../../../../../../../etc/passwd\"]\n"));
    account.write("environ.toml", &format!("{HEAD}extends = [\"/proc/self/environ\"]\n"));
    symlink(&secret, account.folder.path().join("link.toml")).unwrap();
    account.write("linked.toml", &format!("{HEAD}extends = [\"link.toml\"]\n"));
    for file in ["absolute.toml", "up.toml", "environ.toml", "link.toml", "linked.toml"] {
        let output = account.command(&["validate", file]).env("CANARY", "canary").output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{file}");
        assert!(said.contains("is outside of") && !said.contains("canary"), "{file}: {said}");
        assert!(!said.contains("root:"), "{file}: {said}");
    }
    let fleet =
        format!("schema = 1\n[[target]]\nname = \"t\"\nbaselines = [\"{}\"]\n", secret.display());
    account.write("evenkeel.toml", &fleet);
    for command in ["validate", "plan"] {
        account.run(&[command]).code(1).complains("is outside of");
    }
}

#[test]
fn secrets_of_the_environment_cannot_be_allowed() {
    let account = account();
    account.write("b.toml", &format!("{HEAD}{POLICY}"));
    for name in [
        "GH_TOKEN",
        "gh_tok",
        "DB_PW",
        "AWS_SECRET_ACCESS_KEY",
        "DB_PASSWORD",
        "MY_API_KEYS",
        "A=B",
        "",
        "1X",
    ] {
        let fleet = format!(
            "schema = 1\nenv = [\"{name}\"]\n[[target]]\nname = \"t\"\nbaselines = [\"b.toml\"]\n"
        );
        account.write("evenkeel.toml", &fleet);
        account.run(&["validate"]).code(1).complains("evenkeel.toml:2:");
    }
    for name in ["TEAM", "AWS_ACCOUNT_ID", "KEYSTONE", "AUTHOR"] {
        let fleet = format!(
            "schema = 1\nenv = [\"{name}\"]\n[[target]]\nname = \"t\"\nbaselines = [\"b.toml\"]\n"
        );
        account.write("evenkeel.toml", &fleet);
        account.run(&["validate"]).code(0);
    }
}

#[test]
fn a_fleet_file_is_refused_where_aws_or_time_would_refuse_it() {
    let account = account();
    account.write("b.toml", &format!("{HEAD}{POLICY}"));
    let target = "[[target]]\nname = \"t\"\nbaselines = [\"b.toml\"]\n";
    for (fleet, word) in [
        (format!("schema = 1\nhome_region = \"eu-west-1/../x\"\n{target}"), "home_region"),
        (format!("schema = 1\n{target}schedule = \"0 0 0 30 2 *\"\n"), "never comes"),
    ] {
        account.write("evenkeel.toml", &fleet);
        account.run(&["validate"]).code(1).complains(word);
    }
    // What is over by the clock alone makes no file wrong that was right, and is said.
    let over = "[[safety.change_windows]]\ncron = \"0 0 0 1 1 * 2020\"\nhours = 1\n";
    account.write("evenkeel.toml", &format!("schema = 1\n{over}{target}"));
    account.run(&["validate"]).code(0).complains("never comes any more");
}

#[test]
fn what_is_written_follows_no_link_and_is_the_owners_alone() {
    let account = account();
    account.write("b.toml", &format!("{HEAD}{POLICY}"));
    account.write("victim", "untouched");
    let at = |name: &str| account.folder.path().join(name);
    symlink(at("victim"), at("plan.json")).unwrap();
    account.run(&["plan", "-b", "b.toml", "--format", "json", "--out", "plan.json"]).code(0);
    assert_eq!(account.read("victim"), "untouched");
    let there = at("plan.json").symlink_metadata().unwrap();
    assert!(there.is_file() && there.permissions().mode() & 0o777 == 0o600);
    let run = account.run(&["plan", "-b", "b.toml", "--format", "json", "--out", "/dev/stdout"]);
    assert!(run.code(0).json()["objects"].is_array());

    symlink(at("nothere"), at("e.toml")).unwrap();
    account.run(&["export", "--out", "e.toml"]).code(1).complains("is there already");
    assert!(!at("nothere").exists());

    std::fs::create_dir(at("start")).unwrap();
    std::fs::create_dir(at("elsewhere")).unwrap();
    symlink(at("nothere"), at("start/evenkeel.toml")).unwrap();
    symlink(at("elsewhere"), at("start/baselines")).unwrap();
    account.run(&["init", "start"]).code(1).complains("is a link");
    assert!(!at("nothere").exists() && !at("start/.github").exists());
    assert_eq!(std::fs::read_dir(at("elsewhere")).unwrap().count(), 0);
}

#[test]
fn a_linked_folder_and_what_is_no_baseline_by_its_name_show_nothing() {
    let account = account();
    let at = |name: &str| account.folder.path().join(name);
    account.write("elsewhere/a.toml", "canary = \n");
    for folder in ["compared", ".git"] {
        std::fs::create_dir_all(at(&format!("repository/{folder}"))).unwrap();
    }
    symlink(at("elsewhere"), at("repository/baselines")).unwrap();
    symlink(at("elsewhere/a.toml"), at("repository/compared/b.toml")).unwrap();
    account.write("repository/.env", "PASSWORD=canary\n");
    account.write("repository/.git/config", "token=canary\n");
    account.write("repository/b.toml", &format!("{HEAD}{POLICY}"));
    for (name, extends) in [("env.toml", ".env"), ("git.toml", ".git/config")] {
        let text = format!("{HEAD}extends = [\"{extends}\"]\n");
        account.write(&format!("repository/{name}"), &text);
    }
    symlink(at("repository/.git/config"), at("repository/linked.toml")).unwrap();
    symlink(at("repository/.env"), at("repository/fleet.toml")).unwrap();
    for line in [
        "evenkeel validate",
        "evenkeel validate baselines",
        "evenkeel validate baselines/a.toml",
        "evenkeel validate env.toml",
        "evenkeel validate git.toml",
        "evenkeel validate linked.toml",
        "evenkeel plan -b linked.toml",
        "evenkeel check -b linked.toml",
        "evenkeel validate --config fleet.toml",
        "evenkeel plan --config fleet.toml",
        "evenkeel plan -b baselines/a.toml",
        "evenkeel plan -b b.toml --compare-to compared",
    ] {
        let run = account.shell(&format!("cd repository && {line}"));
        assert!(!run.stderr.contains("canary") && !run.stdout.contains("canary"), "{line}");
        run.code(1);
    }
    let run = account.shell("cd repository && evenkeel validate env.toml").code(1);
    run.complains(".toml").complains("env.toml:4");
}

#[test]
fn what_never_ends_is_not_waited_for() {
    let account = account();
    account.write("b.toml", &format!("{HEAD}{POLICY}"));
    account.shell("mkfifo pipe pipe.toml").code(0);
    account.write("extends.toml", &format!("{HEAD}extends = [\"pipe.toml\"]\n"));
    for file in ["pipe.toml", "extends.toml"] {
        account.run(&["validate", file]).code(1).complains("not a regular file");
    }
    account.run(&["plan", "-b", "b.toml", "--out", "pipe"]).code(1).complains("nobody reads");
    // Somebody reads, and then does not go on: the process can be ended all the same.
    let roles =
        (0..200).map(|n| format!("[iam.role.r{n}]\ntrusted_account_ids = [\"111122223333\"]\n"));
    account.write("many.toml", &format!("{HEAD}{}", roles.collect::<String>()));
    account
        .shell(
            "(head -c 1 >began; exec sleep 60) <pipe & reader=$!
             evenkeel plan -b many.toml --format json --out pipe & writer=$!
             until [ -s began ]; do sleep 0.1; done
             sleep 1
             kill -TERM $writer
             wait $writer; code=$?
             kill $reader
             exit $code",
        )
        .code(130);
}

#[test]
fn a_result_that_is_cut_short_is_no_success() {
    let account = account();
    account.write("b.toml", &format!("{HEAD}{POLICY}"));
    for command in [
        "plan -b b.toml",
        "plan -b b.toml --format json",
        "check -b b.toml",
        "validate b.toml",
        "policy --mode report -b b.toml",
        "explain iam.password_policy",
        "schema baseline",
    ] {
        account
            .shell(&format!("evenkeel {command} >/dev/full"))
            .code(1)
            .complains("standard output is cut short");
        // Whoever has read enough may go.
        account.shell(&format!(
            "set -o pipefail; evenkeel {command} | true; test ${{PIPESTATUS[0]}} -le 2"
        ));
    }
}

#[test]
fn an_output_takes_the_place_of_nothing_else() {
    let account = account();
    account.write("b.toml", &format!("{HEAD}mode = \"enforce\"\n{POLICY}"));
    account.run(&["apply", "-b", "b.toml", "--yes"]).code(0);
    let log = ".evenkeel/audit.jsonl";
    for args in [
        &["plan", "-b", "b.toml", "--save", "f", "--out", "f"][..],
        &["plan", "-b", "b.toml", "--save", "b.toml"],
        &["plan", "-b", "b.toml", "--out", log],
        &["check", "-b", "b.toml", "--out", "b.toml"],
        &["snapshot", "-b", "b.toml", "--out", log],
    ] {
        account.run(args).code(1).complains("would take the place of");
    }
    account.run(&["audit", "verify"]).code(0);
    // Whichever way the log is named, by its owner or by the option: its lines say what it is.
    let at = |path: &str| account.folder.path().join(path);
    std::fs::create_dir(at("logs")).unwrap();
    std::fs::rename(at(log), at("logs/a.jsonl")).unwrap();
    std::os::unix::fs::symlink("logs/a.jsonl", at("link")).unwrap();
    std::fs::hard_link(at("logs/a.jsonl"), at("hard")).unwrap();
    for path in ["logs/a.jsonl", "logs/../logs/a.jsonl", "link", "hard"] {
        for args in [
            &["snapshot", "-b", "b.toml", "--out", path][..],
            &["plan", "-b", "b.toml", "--out", path],
            &["plan", "-b", "b.toml", "--save", path],
            &["check", "-b", "b.toml", "--format", "json", "--out", path],
            &["export", "-k", "iam.password_policy", "--force", "--out", path],
        ] {
            account.run(args).code(1).complains("would take the place of an audit log");
        }
    }
    account
        .shell("EVENKEEL_AUDIT_LOG=new.jsonl evenkeel snapshot -b b.toml --out new.jsonl")
        .code(1)
        .complains("would take the place of a file of this run");
    account.run(&["audit", "verify", "logs/a.jsonl"]).code(0);
}

/// The history and what a rollback needs are in the store alone, and what guards remember beside the log.
#[test]
fn an_output_takes_the_place_of_nothing_that_evenkeel_keeps() {
    let account = account();
    account.write("b.toml", &format!("{HEAD}mode = \"enforce\"\n{POLICY}"));
    account.write(
        "evenkeel.toml",
        "schema = 1\n[store]\nurl = \"sqlite://.evenkeel/store.db\"\n[safety]\nkill_switch = \"STOP\"\n\
         [[target]]\nname = \"here\"\nbaselines = [\"b.toml\"]\nconfirmed = true\n",
    );
    // Not there yet, and there.
    for _ in 0..2 {
        for path in [
            ".evenkeel/store.db",
            ".evenkeel/store.db-wal",
            ".evenkeel/store.db.lock",
            ".evenkeel/store.db.controller.lock",
            ".evenkeel/audit.jsonl.lock",
            ".evenkeel/guards.json",
            ".evenkeel/notices.json",
            "STOP",
        ] {
            if path.ends_with("-wal") && !account.folder.path().join(".evenkeel/store.db").exists()
            {
                continue;
            }
            for args in [
                &["snapshot", "-b", "b.toml", "--out", path][..],
                &["plan", "-b", "b.toml", "--out", path],
                &["plan", "-b", "b.toml", "--save", path],
                &["check", "-b", "b.toml", "--format", "json", "--out", path],
                &["export", "-k", "iam.password_policy", "--force", "--out", path],
            ] {
                account.run(args).code(1).complains("would take the place of");
            }
        }
        account.run(&["apply", "--yes"]).code(0);
        account.run(&["history"]).code(0);
    }
}
