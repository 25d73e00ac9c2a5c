//! The examples: they stand alone, their workflows do what they say, and their scripts tell our own
//! things from those of others.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::support::{self, Account};
use serde_json::{Value, json};

const WORKFLOWS: [&str; 3] =
    ["starter/workflow.yml", "fleet/.github/workflows/evenkeel.yml", "fleet/.gitlab-ci.yml"];

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// An account whose folder is a copy of the example fleet.
fn fleet() -> Account {
    let account = support::emulator().account();
    copy(&support::root().join("examples/fleet"), account.folder.path());
    account
}

/// A YAML file as JSON.
fn yaml(file: &str) -> Value {
    let output = Command::new(support::python())
        .args(["-c", "import json, sys, yaml; print(json.dumps(yaml.safe_load(sys.stdin)))"])
        .stdin(std::fs::File::open(support::root().join("examples").join(file)).unwrap())
        .output()
        .unwrap();
    assert!(output.status.success(), "{file}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// All scripts of a workflow.
fn scripts(workflow: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = vec![workflow];
    while let Some(value) = rest.pop() {
        match value {
            Value::Object(map) => {
                for (key, value) in map {
                    match (key.as_str(), value) {
                        ("run", Value::String(script)) => found.push(script.clone()),
                        ("script", Value::Array(list)) => {
                            found.extend(list.iter().filter_map(Value::as_str).map(str::to_owned));
                        }
                        _ => rest.push(value),
                    }
                }
            }
            Value::Array(list) => rest.extend(list),
            _ => {}
        }
    }
    found
}

#[test]
fn the_example_fleet_stands_alone() {
    let account = fleet();
    account.run(&["validate"]).code(0).says("ok");
    let root = support::root();
    let foundation = |path: &str| std::fs::read_to_string(root.join(path)).unwrap();
    assert_eq!(
        foundation("examples/fleet/baselines/foundation.toml"),
        foundation("baselines/foundation.toml"),
        "copy baselines/foundation.toml to examples/fleet/baselines"
    );
}

/// What installs evenkeel is a commit, by its full name, and the same one everywhere: a package of a
/// name that somebody else may register, or a branch that moves, would get the role that writes.
#[test]
fn the_workflows_install_one_pinned_commit_and_pinned_actions() {
    let mut commits = std::collections::BTreeSet::new();
    for file in WORKFLOWS {
        let workflow = yaml(file);
        for script in scripts(&workflow) {
            assert!(!script.contains("cargo install"), "{file}: {script}");
            assert!(!script.contains("${{"), "{file}: expanded inside a script: {script}");
        }
        let variables = [&workflow["env"], &workflow["variables"]];
        commits.extend(
            variables.iter().filter_map(|list| list["EVENKEEL_COMMIT"].as_str()).map(str::to_owned),
        );
        let text = std::fs::read_to_string(support::root().join("examples").join(file)).unwrap();
        for line in text.lines().filter(|line| line.contains("uses: ")) {
            let (_, pin) = line.split_once('@').unwrap();
            let digest = pin.split(' ').next().unwrap();
            assert!(
                digest.len() == 40 && digest.bytes().all(|byte| byte.is_ascii_hexdigit()),
                "{file}: {line}"
            );
        }
        for line in text.lines().filter(|line| line.starts_with("image: ")) {
            assert!(line.contains("@sha256:"), "{file}: {line}");
        }
    }
    assert_eq!(commits.len(), 1, "{commits:?}");
    let git = |args: &[&str]| {
        Command::new("git").args(args).current_dir(support::root()).output().unwrap()
    };
    // A shallow clone does not know what came before.
    if git(&["rev-parse", "--is-shallow-repository"]).stdout.starts_with(b"false") {
        let commit = commits.first().unwrap();
        let known = git(&["merge-base", "--is-ancestor", commit, "HEAD"]);
        assert!(known.status.success(), "{commit} is no commit of this history");
    }
    let install =
        std::fs::read_to_string(support::root().join("examples/fleet/ci/install.sh")).unwrap();
    assert!(install.contains(
        "cargo install --locked --git \"$EVENKEEL_REPOSITORY\" --rev \"$EVENKEEL_COMMIT\" evenkeel"
    ));
}

/// What the workflows install must have the commands and options that they use: `scripts/release pin`
/// takes a newer commit.
#[test]
fn what_the_workflows_install_has_the_options_that_they_use() {
    let git = |args: &[&str]| {
        let output = Command::new("git").args(args).current_dir(support::root()).output().unwrap();
        output.status.success().then(|| String::from_utf8(output.stdout).unwrap())
    };
    for file in WORKFLOWS {
        let workflow = yaml(file);
        let variables = [&workflow["env"], &workflow["variables"]];
        let commit = variables.iter().find_map(|list| list["EVENKEEL_COMMIT"].as_str()).unwrap();
        // A shallow clone does not have it.
        if git(&["cat-file", "-e", commit]).is_none() {
            continue;
        }
        let words = ["grep", "-h", "", commit, "--", "src/cli/args.rs", "src/cli/args"];
        let args = git(&words).expect("the command line's words are in src/cli/args");
        for script in scripts(&workflow) {
            let lines = script.lines().map(str::trim);
            for line in lines.filter(|line| line.starts_with("evenkeel ")) {
                let words = line.split_whitespace().skip(1);
                for option in words.filter_map(|word| word.strip_prefix("--")) {
                    let option = option.split('=').next().unwrap();
                    let is_there = args.contains(&format!(" {}: ", option.replace('-', "_")))
                        || args.contains(&format!("\"{option}\""));
                    assert!(is_there, "{file}: {commit} has no --{option}: {line}");
                }
            }
        }
    }
}

#[test]
fn the_workflows_use_options_that_exist() {
    let account = support::emulator().account();
    let mut lines = 0;
    for file in WORKFLOWS {
        for script in scripts(&yaml(file)) {
            for line in script.lines() {
                let line = line.trim();
                let Some(command) = line.strip_prefix("evenkeel ") else { continue };
                let command = [" | ", " || ", " >> "]
                    .into_iter()
                    .fold(command, |command, end| command.split(end).next().unwrap());
                let command = command
                    .replace("$SHARD/4", "1/4")
                    .replace("$CI_NODE_INDEX/$CI_NODE_TOTAL", "1/4")
                    .replace('"', "");
                let args: Vec<&str> = command.split_whitespace().collect();
                let run = account.run(&args);
                for wrong in ["unexpected argument", "invalid value", "unrecognized", "Usage:"] {
                    assert!(!run.stderr.contains(wrong), "{file}: {line}: {}", run.stderr);
                }
                lines += 1;
            }
        }
    }
    assert!(lines >= 20, "{lines}");
}

/// A repository on GitHub: a copy of the example fleet, its workflow, and what it gave out.
struct GitHub {
    account: Account,
    workflow: Value,
}

impl GitHub {
    fn new() -> Self {
        let account = fleet();
        std::fs::create_dir(account.folder.path().join("answers")).unwrap();
        Self { account, workflow: yaml(WORKFLOWS[1]) }
    }

    /// The pages of an answer.
    fn answer(&self, path: &str, pages: &[Value]) {
        for (number, page) in pages.iter().enumerate() {
            let file = format!("answers/{}.{number}", path.replace('/', "_"));
            self.account.write(&file, &page.to_string());
        }
    }

    /// Takes `fleet.snapshot` away as an artifact.
    fn upload_snapshot(&self, id: u32) {
        let script = format!(
            "python3 -m zipfile -c zip fleet.snapshot && rm fleet.snapshot && mv zip answers/repos_acme_fleet_actions_artifacts_{id}_zip.0"
        );
        assert!(self.bash(&script).status.success());
    }

    /// What was written through `gh`.
    fn log(&self) -> String {
        std::fs::read_to_string(self.account.folder.path().join("answers/log")).unwrap_or_default()
    }

    /// Runs a script as GitHub does.
    fn bash(&self, script: &str) -> Output {
        self.step(script, &[])
    }

    /// The same with variables of the step.
    fn step(&self, script: &str, env: &[(String, String)]) -> Output {
        let evenkeel = Path::new(env!("CARGO_BIN_EXE_evenkeel")).parent().unwrap();
        let stubs = support::root().join("tests/it/support/bin");
        let path = std::env::var("PATH").unwrap();
        Command::new("bash")
            .args(["--noprofile", "--norc", "-eo", "pipefail", "-c", script])
            .current_dir(self.account.folder.path())
            .envs(self.account.env())
            .env("PATH", format!("{}:{}:{path}", stubs.display(), evenkeel.display()))
            .env("GH_ANSWERS", self.account.folder.path().join("answers"))
            .env("GITHUB_REPOSITORY", "acme/fleet")
            .env("GITHUB_OUTPUT", "output")
            .env("GITHUB_STEP_SUMMARY", "summary.md")
            .envs(env.iter().map(|(name, value)| (name, value)))
            .output()
            .unwrap()
    }

    /// Runs the shell steps of a job; the last exit code, and all that was said.
    fn job(&self, name: &str, expressions: &[(&str, &str)]) -> (i32, String) {
        let mut said = String::new();
        for step in self.workflow["jobs"][name]["steps"].as_array().unwrap() {
            let Some(script) = step["run"].as_str() else { continue };
            if script == "ci/install.sh" || step["if"].is_string() {
                continue;
            }
            assert!(!script.contains("${{"), "nothing is expanded inside a script: {script}");
            let env: Vec<(String, String)> = step["env"]
                .as_object()
                .into_iter()
                .flatten()
                .map(|(name, value)| {
                    let value = value.as_str().unwrap();
                    let expression =
                        expressions.iter().find(|(name, _)| format!("${{{{ {name} }}}}") == value);
                    (name.clone(), expression.unwrap_or_else(|| panic!("{value}")).1.to_owned())
                })
                .collect();
            let output = self.step(script, &env);
            said.push_str(&String::from_utf8_lossy(&output.stdout));
            said.push_str(&String::from_utf8_lossy(&output.stderr));
            if !output.status.success() {
                return (output.status.code().unwrap(), said);
            }
        }
        (0, said)
    }
}

#[test]
fn the_workflow_on_github_from_the_first_night_to_the_next() {
    let github = GitHub::new();
    let account = &github.account;
    // One Region, and a budget for the first day: the example's are for every day.
    let acme = account.read("baselines/acme.toml");
    account.write(
        "baselines/acme.toml",
        &acme.replace("name    = \"acme\"\n", "name = \"acme\"\nregions = [\"eu-west-1\"]\n"),
    );
    let fleet = account.read("evenkeel.toml");
    let (fleet, _) = fleet.split_once("[[safety.change_windows]]").unwrap();
    account.write("evenkeel.toml", &fleet.replace("= 50", "= 500"));
    let git = |args: &str| {
        let script = format!(
            "git -c user.name=t -c user.email=t@example.com -c commit.gpgsign=false {args}"
        );
        assert!(github.bash(&script).status.success(), "{script}");
    };
    git("init -q");
    git("add .");
    git("commit -qm before");

    // A pull request before the first snapshot: it says what to do.
    let pull = [
        ("github.event.repository.default_branch", "main"),
        ("github.event.pull_request.number", "7"),
    ];
    github.answer("repos/acme/fleet/actions/artifacts", &[json!({"artifacts": []})]);
    let (code, said) = github.job("plan", &pull);
    assert!(code == 1 && said.contains("There is no snapshot of the branch main yet"), "{said}");

    // The first night, and a pull request that asks for more.
    let (code, said) = github.job("snapshot", &[]);
    assert_eq!(code, 0, "{said}");
    github.upload_snapshot(1);
    github.answer(
        "repos/acme/fleet/actions/artifacts",
        &[json!({"artifacts": [{"id": 1, "created_at": "2030-01-01T00:00:00Z", "expired": false,
            "workflow_run": {"head_branch": "main", "repository_id": 1, "head_repository_id": 1}}]})],
    );
    github.answer("repos/acme/fleet/issues/7/comments", &[json!([])]);
    let acme = account.read("baselines/acme.toml");
    account.write(
        "baselines/acme.toml",
        &acme.replace("minimum_password_length = 20", "minimum_password_length = 24"),
    );
    git("commit -qam change");
    let (code, said) = github.job("plan", &pull);
    assert_eq!(code, 0, "{said}");
    assert_eq!(account.read("output"), "code=0\n");
    assert!(account.read("plan.md").contains("Drift that was there before"));
    assert_eq!(github.log(), "POST repos/acme/fleet/issues/7/comments body=@plan.md\n");

    // The merge: what was shown is applied, in the accounts that may be written to.
    let (code, said) = github.job("review", &[]);
    assert_eq!(code, 0, "{said}");
    let planned: Value = serde_json::from_str(&account.read("plan.json")).unwrap();
    let changes = planned["order"].as_array().unwrap().len();
    assert!(changes > 0 && account.read("output").contains(&format!("changes={changes}\n")));
    assert!(account.read("summary.md").contains("<!-- evenkeel -->"));
    github.answer("repos/acme/fleet/actions/artifacts", &[json!({"artifacts": []})]);
    let (code, said) = github.job("apply", &pull);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("There is no artifact evenkeel-audit of the branch main"), "{said}");
    assert!(account.read("audit.jsonl").contains("\"intent\""));

    // The next night, in shards: the account that is only looked at has drifted still.
    for shard in ["1", "2", "3", "4"] {
        let (code, said) = github.job("look", &[("matrix.shard", shard)]);
        assert_eq!(code, 0, "{said}");
    }
    let (code, said) = github.job("drift", &[]);
    assert_eq!(code, 2, "{said}");
    assert!(account.read("drift.sarif").contains("iam.password_policy"));
    assert!(said.contains("777788889999") && !said.contains("missing"), "{said}");
    std::fs::remove_file(account.folder.path().join("shard-2.json")).unwrap();
    let (code, said) = github.job("drift", &[]);
    assert!(code == 4 && said.contains("3 of 4 shards: 2/4 is missing"), "{said}");
}

#[test]
fn only_our_own_branchs_artifacts_and_comments_are_ours() {
    let github = GitHub::new();
    let artifact = |id: u32, day: u32, branch: &str, from: u32, expired: bool| {
        json!({"id": id, "created_at": format!("2030-01-{day:02}T00:00:00Z"), "expired": expired,
            "workflow_run": {"head_branch": branch, "repository_id": 1, "head_repository_id": from}})
    };
    let ours = json!({"artifacts": [
        artifact(1, 5, "main", 1, false),
        artifact(2, 7, "main", 1, false),
        artifact(3, 6, "main", 1, false),
    ]});
    // Newer: a fork's branch of the same name, another branch, and one that has expired.
    let others = json!({"artifacts": [
        artifact(4, 9, "main", 2, false),
        artifact(5, 9, "feature", 1, false),
        artifact(6, 8, "main", 1, true),
    ]});
    github.answer("repos/acme/fleet/actions/artifacts", &[others.clone(), ours]);
    github.account.write("fleet.snapshot", "the second");
    github.upload_snapshot(2);
    let fetch = "ci/fetch-snapshot.sh main";
    let fetched = github.bash(fetch);
    assert!(fetched.status.success(), "{}", String::from_utf8_lossy(&fetched.stderr));
    assert_eq!(github.account.read("fleet.snapshot"), "the second");
    let none = json!({"artifacts": []});
    github.answer("repos/acme/fleet/actions/artifacts", &[others, none]);
    assert_eq!(github.bash(fetch).status.code(), Some(1));

    let comment = |id: u32, author: &str, body: &str| json!({"id": id, "user": {"login": author}, "body": body});
    let mark = "<!-- evenkeel -->\n";
    github.answer(
        "repos/acme/fleet/issues/7/comments",
        &[
            json!([comment(1, "mallory", mark), comment(2, "github-actions[bot]", "another's")]),
            json!([comment(3, "github-actions[bot]", mark)]),
        ],
    );
    assert!(github.bash("ci/comment.sh plan.md 7").status.success());
    assert_eq!(github.log(), "PATCH repos/acme/fleet/issues/comments/3 body=@plan.md\n");
    let forged = json!([comment(1, "mallory", mark)]);
    github.answer("repos/acme/fleet/issues/7/comments", &[forged, json!([])]);
    assert!(github.bash("ci/comment.sh plan.md 7").status.success());
    assert!(github.log().ends_with("POST repos/acme/fleet/issues/7/comments body=@plan.md\n"));
}

#[test]
fn a_note_on_gitlab_is_found_on_any_page_and_only_when_it_is_ours() {
    let account = fleet();
    let log = account.folder.path().join("log");
    let mut server = Command::new(support::python())
        .arg(support::root().join("tests/it/support/fake_gitlab.py"))
        .arg(&log)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut port = String::new();
    BufReader::new(server.stdout.take().unwrap()).read_line(&mut port).unwrap();
    account.write("plan.md", "<!-- evenkeel -->\n100 % & \"more\"\n");
    let note = |request: &str, token: &str| {
        Command::new("sh")
            .args(["ci/note.sh", "plan.md"])
            .current_dir(account.folder.path())
            .env("CI_API_V4_URL", format!("http://127.0.0.1:{}", port.trim()))
            .env("CI_PROJECT_ID", "1")
            .env("CI_MERGE_REQUEST_IID", request)
            .env("NOTES_TOKEN", token)
            .output()
            .unwrap()
    };
    let mut outcomes = Vec::new();
    for request in ["1", "2", "3"] {
        outcomes.push(note(request, "token"));
    }
    let refused = note("1", "wrong");
    server.kill().unwrap();
    server.wait().unwrap();
    for output in outcomes {
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    assert!(!refused.status.success());
    let written: Vec<Value> = std::fs::read_to_string(log)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let body = account.read("plan.md");
    let notes = |request: u32| format!("/projects/1/merge_requests/{request}/notes");
    // 150 notes, ours on the second page; 4, none of them ours; exactly one page, none ours.
    assert_eq!(
        written,
        [
            json!(["PUT", notes(1) + "/140", body]),
            json!(["POST", notes(2), body]),
            json!(["POST", notes(3), body]),
        ]
    );
}
