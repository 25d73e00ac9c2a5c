//! No two files of `src/` take from each other, at whatever distance: a file is understood with those
//! that it takes from, and none of these needs it again.
//!
//! A parent knows its children, and a facade passes on what is theirs: neither counts. Within a kind,
//! what a spec is made of stands with the parts, and these read the spec: that is no circle of duties.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::support::root;

/// The path of a module: `["plan", "render"]`.
type Module = Vec<String>;

/// What a source text says without comments and tests.
fn code(text: &str) -> String {
    let begins_tests = |at: usize| {
        let mut lines = text[at..].lines().skip(1).skip_while(|line| line.starts_with("#["));
        lines.next().is_some_and(|line| line.starts_with("mod ") || line.starts_with("pub mod "))
    };
    let tests = text.match_indices("#[cfg(test)]").map(|(at, _)| at).find(|at| begins_tests(*at));
    let text = &text[..tests.unwrap_or(text.len())];
    text.lines().map(|line| line.split("//").next().unwrap()).collect::<Vec<_>>().join("\n")
}

/// The paths of a tree of `use`: `a::{b, c::d as e}` is `a::b` and `a::c::d`.
fn paths(tree: &str) -> Vec<Vec<String>> {
    let mut parts = vec![String::new()];
    let mut depth = 0;
    for letter in tree.chars() {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        match letter {
            ',' if depth == 0 => parts.push(String::new()),
            _ => parts.last_mut().unwrap().push(letter),
        }
    }
    let steps = |path: &str| -> Vec<String> {
        path.split("::")
            .map(|step| step.trim().to_owned())
            .filter(|step| !step.is_empty())
            .collect()
    };
    let mut all = Vec::new();
    for part in parts.iter().map(|part| part.trim()).filter(|part| !part.is_empty()) {
        match part.split_once('{') {
            Some((before, inside)) => {
                let inside = inside.rsplit_once('}').unwrap().0;
                let before = steps(before);
                all.extend(paths(inside).into_iter().map(|rest| [before.clone(), rest].concat()));
            }
            None => all.push(steps(part.split(" as ").next().unwrap())),
        }
    }
    all
}

/// The trees of all `use`, with whether they pass on what they name, and the text without them.
fn uses(code: &str) -> (Vec<(bool, &str)>, String) {
    let mut found = Vec::new();
    let mut rest = String::new();
    let mut from = 0;
    for (at, _) in code.match_indices("use ") {
        let before = &code[..at];
        let is_word = before.ends_with(|letter: char| letter.is_alphanumeric() || letter == '_');
        let Some(end) = code[at..].find(';').filter(|_| !is_word && at >= from) else { continue };
        let line = before.rsplit('\n').next().unwrap().trim();
        if !(line.is_empty() || line.starts_with("pub")) {
            continue;
        }
        found.push((line.starts_with("pub"), &code[at + 4..at + end]));
        rest.push_str(&code[from..at]);
        from = at + end;
    }
    rest.push_str(&code[from..]);
    (found, rest)
}

/// The paths that begin with `crate`, `super` or `self` outside of a `use`.
fn written_out(text: &str) -> Vec<Vec<String>> {
    let is_of_path = |letter: char| letter.is_alphanumeric() || letter == '_' || letter == ':';
    text.split(|letter| !is_of_path(letter))
        .filter(|path| path.contains("::"))
        .map(|path| path.split("::").map(str::to_owned).collect::<Vec<_>>())
        .filter(|path| ["crate", "evenkeel", "super", "self"].contains(&path[0].as_str()))
        .collect()
}

/// The files of `src/`.
struct House {
    files: BTreeMap<Module, String>,
    /// What a module passes on: the name, and its path as it is written there.
    passed_on: BTreeMap<Module, BTreeMap<String, Vec<String>>>,
}

impl House {
    fn of(files: BTreeMap<Module, String>) -> Self {
        let passed_on = files.iter().map(|(module, code)| {
            let passing = uses(code).0.into_iter().filter(|(passes, _)| *passes);
            let paths = passing.flat_map(|(_, tree)| paths(tree));
            (module.clone(), paths.map(|path| (path.last().unwrap().clone(), path)).collect())
        });
        Self { passed_on: passed_on.collect(), files }
    }

    /// A path from the crate's root.
    fn absolute(&self, module: &Module, path: &[String]) -> Option<Vec<String>> {
        let supers = path.iter().take_while(|step| *step == "super").count();
        let within = |base: &[String], rest: &[String]| Some([base, rest].concat());
        match path.first()?.as_str() {
            "crate" | "evenkeel" => Some(path[1..].to_vec()),
            "self" => within(module, &path[1..]),
            "super" => within(module.get(..module.len().checked_sub(supers)?)?, &path[supers..]),
            first => {
                let child = [module.as_slice(), &[first.to_owned()]].concat();
                self.files.contains_key(&child).then(|| [module.as_slice(), path].concat())
            }
        }
    }

    /// The file in which a path from the root leads, through what is passed on.
    fn leads_to(&self, path: &[String], further: usize) -> Option<Module> {
        let of_file = (1..=path.len()).rev().find(|end| self.files.contains_key(&path[..*end]))?;
        let file = path[..of_file].to_vec();
        let passed = path.get(of_file).and_then(|name| self.passed_on.get(&file)?.get(name));
        let Some(passed) = passed.filter(|_| further > 0) else { return Some(file) };
        let Some(next) = self.absolute(&file, passed) else { return Some(file) };
        let next = [next.as_slice(), &path[of_file + 1..]].concat();
        self.leads_to(&next, further - 1).or(Some(file))
    }

    /// The files that a file takes from, with what it takes.
    fn taken(&self, module: &Module) -> BTreeMap<Module, String> {
        let (trees, rest) = uses(&self.files[module]);
        let paths = trees.into_iter().flat_map(|(_, tree)| paths(tree)).chain(written_out(&rest));
        let mut taken = BTreeMap::new();
        for path in paths {
            let file = self.absolute(module, &path).and_then(|path| self.leads_to(&path, 6));
            if let Some(file) = file.filter(|file| !file.starts_with(module)) {
                taken.entry(file).or_insert_with(|| path.join("::"));
            }
        }
        taken
    }

    /// What files that are in a circle take from each other.
    fn circles(&self) -> Vec<String> {
        let all: BTreeMap<&Module, BTreeMap<Module, String>> =
            self.files.keys().map(|module| (module, self.taken(module))).collect();
        let reached: BTreeMap<&Module, BTreeSet<&Module>> =
            all.keys().map(|module| (*module, reach(&all, module))).collect();
        let lines = all.iter().flat_map(|(module, takes)| {
            let back = takes.iter().filter(|(other, _)| reached[other].contains(module));
            back.map(|(other, path)| {
                format!("{} takes {path} from {}", module.join("/"), other.join("/"))
            })
        });
        lines.collect()
    }
}

/// All files that a file takes from, be it through others.
fn reach<'a>(
    all: &'a BTreeMap<&Module, BTreeMap<Module, String>>,
    from: &Module,
) -> BTreeSet<&'a Module> {
    let mut reached = BTreeSet::new();
    let mut next: Vec<&Module> = all[from].keys().collect();
    while let Some(module) = next.pop() {
        if reached.insert(module) {
            next.extend(all.get(module).into_iter().flat_map(BTreeMap::keys));
        }
    }
    reached
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn the_files_have_no_circles() {
    let src = root().join("src");
    let mut found = Vec::new();
    sources(&src, &mut found);
    let mut files = BTreeMap::new();
    for path in found {
        let inside = path.strip_prefix(&src).unwrap().with_extension("");
        let mut module: Module =
            inside.components().map(|step| step.as_os_str().to_str().unwrap().to_owned()).collect();
        if module.last().unwrap() == "mod" {
            module.pop();
        }
        let name = module.last().unwrap().as_str();
        // What only tests are compiled with may lean on itself.
        let is_of_tests = module.starts_with(&["controller".to_owned(), "simulation".to_owned()])
            || name == "tests"
            || name.ends_with("_tests")
            || module.contains(&"tests".to_owned());
        let is_spec = module[0] == "kinds" && name == "spec";
        if !is_of_tests && !is_spec && !["lib", "main"].contains(&name) {
            files.insert(module, code(&std::fs::read_to_string(&path).unwrap()));
        }
    }
    assert!(files.len() > 200, "{}", files.len());
    let circles = House::of(files).circles();
    assert!(circles.is_empty(), "{}", circles.join("\n"));
}

/// A house of such files.
fn house(files: &[(&str, &str)]) -> House {
    let module = |path: &str| path.split('/').map(str::to_owned).collect();
    House::of(files.iter().map(|(path, text)| (module(path), code(text))).collect())
}

#[test]
fn a_circle_is_found_through_whatever_passes_a_name_on() {
    let files = [
        (
            "a",
            "pub mod one;\npub mod two;\npub use one::{First as F, One};\npub use self::two::Two;",
        ),
        ("a/one", "use super::Two;\n"),
        ("a/two", "fn f(one: &crate::a::One) {}"),
        ("b", "use evenkeel::{a::{one::First, Two}, c::Third};"),
        ("c", "// use crate::b::Not;\n#[cfg(test)]\nmod tests { use crate::b; }"),
    ];
    let circles = house(&files).circles();
    assert_eq!(
        circles,
        ["a/one takes super::Two from a/two", "a/two takes crate::a::One from a/one"]
    );
}

#[test]
fn a_parent_and_its_children_are_no_circle() {
    let files = [
        ("a", "mod one;\npub struct A;\nfn f() { one::g() }"),
        ("a/one", "use super::A;"),
        ("b", "use crate::a::A;"),
    ];
    assert!(house(&files).circles().is_empty());
}
