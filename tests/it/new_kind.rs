//! `scripts/new-kind` begins a kind: what it writes compiles (`src/kinds/shapes/begun/` is the same text),
//! stands where the registry looks for it, and says what is still to be done.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::{python, root};

/// A copy of what the script changes.
fn copy() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let files = ["registry.rs", "mod.rs", "ec2/mod.rs", "iam/mod.rs"];
    for file in files.map(|file| format!("src/kinds/{file}")) {
        let to = folder.path().join(&file);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(root().join(&file), to).unwrap();
    }
    folder
}

fn begin(folder: &Path, shape: &str, name: &str) -> (bool, String) {
    let output = Command::new(python())
        .arg(root().join("scripts/new-kind"))
        .args([shape, name, "--root"])
        .arg(folder)
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(text).unwrap())
}

/// Whether a file is Rust, formatted as ours is.
fn is_formatted(file: &Path) -> bool {
    let settings = root().join("rustfmt.toml");
    let arguments = ["--edition", "2024", "--check", "--config-path"];
    let rustfmt = Command::new("rustfmt").args(arguments).arg(settings).arg(file).output();
    let output = rustfmt.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    output.status.success()
}

#[test]
fn a_new_kind_has_its_file_its_two_lines_its_samples_and_its_recorded_answers() {
    for (shape, name, wrapped) in [
        ("setting", "ec2.dim_night_lamp", "erase::<Whole<ec2::dim_night_lamp::DimNightLamp>>(),"),
        ("audit", "iam.odd_user", "erase::<Inspect<iam::odd_user::OddUser>>(),"),
        ("part", "ec2.wooden_box", "erase::<ec2::wooden_box::WoodenBox>(),"),
        ("sweep", "ec2.old_volumes", "erase::<ec2::old_volumes::OldVolumes>(),"),
    ] {
        let folder = copy();
        let (begun, text) = begin(folder.path(), shape, name);
        assert!(begun, "{text}");
        let (service, thing) = name.split_once('.').unwrap();
        let read = |file: &str| fs::read_to_string(folder.path().join(file)).unwrap();

        let file = format!("src/kinds/{service}/{thing}.rs");
        // Alone: the formatter would look for the modules that a file names.
        assert!(is_formatted(&folder.path().join(&file)));
        let kind = read(&file);
        assert!(kind.contains(&format!("const NAME: &'static str = \"{name}\";")), "{kind}");
        assert!(kind.contains("fn nothing_is_left_to_do()") && !kind.contains('@'), "{kind}");
        let compiled = root().join(format!("src/kinds/shapes/begun/{shape}.rs"));
        let compiled = fs::read_to_string(compiled).unwrap();
        assert!(kind.starts_with(&compiled), "src/kinds/shapes/begun/{shape}.rs is another text");

        let modules = read(&format!("src/kinds/{service}/mod.rs"));
        let lines: Vec<&str> = modules.lines().filter(|line| line.contains("mod ")).collect();
        assert!(lines.is_sorted(), "{modules}");
        assert!(lines.iter().any(|line| line.ends_with(&format!("mod {thing};"))), "{modules}");
        let registry = read("src/kinds/registry.rs");
        assert!(registry.contains(&format!("        {wrapped}\n    ]\n")), "{registry}");

        let case = format!("tests/kinds/{name}/in-sync/baseline.toml");
        let baseline: toml::Table = read(&case).parse().unwrap();
        assert!(baseline[service].get(thing).is_some(), "{baseline}");
        assert!(folder.path().join(format!("tests/kinds/{name}/immaterial.toml")).exists());

        let (again, text) = begin(folder.path(), shape, name);
        assert!(!again && text.contains("is there already"), "{text}");
    }
}

#[test]
fn what_is_no_name_is_refused() {
    let folder = copy();
    for (name, why) in [("lamp", "no name of a kind"), ("ec2.Lamp", "no name of a kind")] {
        let (begun, text) = begin(folder.path(), "setting", name);
        assert!(!begun && text.contains(why), "{text}");
    }
}

/// The first kind of a service brings the service's folder and its names.
#[test]
fn a_service_without_kinds_gets_its_folder_and_its_lines() {
    let folder = copy();
    for (shape, name) in [("setting", "inspector2.night_lamp"), ("audit", "zzz.odd_user")] {
        let (begun, text) = begin(folder.path(), shape, name);
        assert!(begun, "{text}");
        let (service, thing) = name.split_once('.').unwrap();
        let read = |file: &str| fs::read_to_string(folder.path().join(file)).unwrap();
        assert!(
            read(&format!("src/kinds/{service}/mod.rs")).ends_with(&format!("pub mod {thing};\n"))
        );
        let modules = read("src/kinds/mod.rs");
        let services: Vec<&str> = modules
            .lines()
            .skip_while(|line| *line != "mod cloudtrail;")
            .take_while(|line| line.starts_with("mod "))
            .collect();
        assert!(services.is_sorted() && services.contains(&format!("mod {service};").as_str()));
        let used = read("src/kinds/registry.rs");
        let (used, _) = used.split_once("};").unwrap();
        assert!(used.contains(&format!("{service},")) || used.ends_with(service), "{used}");
    }
}
