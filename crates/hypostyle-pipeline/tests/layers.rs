//! The layers of the crate: each top-level module uses only those above it in a list, and no two files use each other.
//!
//! The source is read as text.  A path counts wherever it is written, in a `use` or in code: `crate::a::b`, `super::b`, and
//! `b::c` of a submodule `b`.  A file is a module; what an inline `mod tests` uses counts for its file.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// From the ground up.
const LAYERS: [&str; 20] = [
    "error", "memory", "ordered", "model", "remote", "config", "schema", "files", "rules", "csv", "ipc", "parquet",
    "source", "sink", "state", "plan", "run", "explain", "pipeline", "cli",
];

/// A module's path within the crate, such as `csv::chunk`; the root's is empty.
type Module = Vec<String>;

struct Source {
    /// Each module's text, without comments and strings.
    modules: BTreeMap<Module, String>,
}

/// A use of one module by another, with the line that shows it.
struct Use {
    from: Module,
    to: Module,
    line: usize,
}

#[test]
fn each_layer_uses_only_those_below_it() {
    let source = Source::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    let tops: BTreeSet<&str> = source.modules.keys().filter_map(|module| module.first()).map(String::as_str).collect();
    assert_eq!(tops, LAYERS.into_iter().collect(), "the list of layers and the modules of src differ");
    let layer = |module: &Module| LAYERS.iter().position(|layer| *layer == module[0]);
    let uses = source.uses();
    assert!(uses.len() > 200, "only {} uses were found: the reader of paths is broken", uses.len());
    let upward: Vec<String> = uses
        .iter()
        .filter(|usage| !usage.from.is_empty() && layer(&usage.to) > layer(&usage.from))
        .map(|usage| format!("{}:{} uses {}", usage.from.join("::"), usage.line, usage.to.join("::")))
        .collect();
    assert!(upward.is_empty(), "upward:\n{}", upward.join("\n"));
}

#[test]
fn no_files_use_each_other_in_a_circle() {
    let source = Source::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    let mut below: BTreeMap<&Module, BTreeSet<&Module>> =
        source.modules.keys().map(|module| (module, BTreeSet::new())).collect();
    let uses = source.uses();
    for usage in uses.iter().filter(|usage| !usage.from.is_empty()) {
        below.get_mut(&usage.from).unwrap().insert(&usage.to);
    }
    // What uses nothing that is left is taken away; a circle is what can't be.
    while let Some(module) = below.iter().find(|(_, uses)| uses.is_empty()).map(|(module, _)| *module) {
        below.remove(module);
        for uses in below.values_mut() {
            uses.remove(module);
        }
    }
    let circle: Vec<String> = below.iter().map(|(module, uses)| format!("{module:?} -> {uses:?}")).collect();
    assert!(circle.is_empty(), "circles:\n{}", circle.join("\n"));
}

#[test]
fn paths_are_found_wherever_they_are_written() {
    let text = "use crate::{a::b::C, d};\n// crate::no\nlet x = \"crate::no\"; crate::e::f();\nuse super::{g, h::i};\n\
                mod tests {\n    use super::*;\n    use super::super::j;\n}\nuse child::K;\nother::child::no();\n";
    let names = ["a", "a::b", "d", "e", "m", "m::n", "m::n::child", "m::g", "m::h", "m::j"];
    let mut modules: BTreeMap<Module, String> =
        names.iter().map(|name| (name.split("::").map(String::from).collect(), String::new())).collect();
    modules.insert(vec![], String::new());
    modules.insert(vec!["m".into(), "n".into()], bare(text));
    let found: Vec<(String, usize)> =
        Source { modules }.uses().iter().map(|usage| (usage.to.join("::"), usage.line)).collect();
    let wanted = [("a::b", 1), ("d", 1), ("e", 3), ("m::g", 4), ("m::h", 4), ("m::j", 7), ("m::n::child", 9)];
    assert_eq!(found, wanted.map(|(name, line)| (name.to_string(), line)));
}

impl Source {
    fn read(root: &Path) -> Self {
        let mut modules = BTreeMap::new();
        let mut folders = vec![root.to_path_buf()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|extension| extension == "rs") && !path.ends_with("main.rs") {
                    modules
                        .insert(module_of(path.strip_prefix(root).unwrap()), bare(&fs::read_to_string(&path).unwrap()));
                }
            }
        }
        Self { modules }
    }

    fn uses(&self) -> Vec<Use> {
        self.modules.iter().flat_map(|(module, text)| self.uses_of(module, text)).collect()
    }

    fn uses_of(&self, module: &Module, text: &str) -> Vec<Use> {
        let mut uses = Vec::new();
        let mut inline: Vec<String> = Vec::new();
        let mut start = 0;
        for (index, line) in text.lines().enumerate() {
            // rustfmt puts the braces of an inline module at the margin.
            match line.strip_prefix("mod ").or(line.strip_prefix("pub mod ")).and_then(|rest| rest.strip_suffix(" {")) {
                Some(name) => inline.push(name.to_string()),
                None if line == "}" => drop(inline.pop()),
                None => {}
            }
            let here: Module = module.iter().chain(&inline).cloned().collect();
            for path in paths(&text[start..], line.len()) {
                if let Some(to) = self.resolve(&here, &path).filter(|to| to != module && !to.is_empty()) {
                    uses.push(Use { from: module.clone(), to, line: index + 1 });
                }
            }
            start += line.len() + 1;
        }
        uses
    }

    /// The module that a path means: the longest beginning of it that is one.
    fn resolve(&self, here: &Module, path: &[String]) -> Option<Module> {
        let mut at = here.clone();
        let mut rest = path;
        match rest.first().map(String::as_str)? {
            "crate" => {
                at.clear();
                rest = &rest[1..];
            }
            "self" => rest = &rest[1..],
            "super" => {
                while rest.first().is_some_and(|name| name == "super") {
                    at.pop();
                    rest = &rest[1..];
                }
            }
            name => {
                at.push(name.to_string());
                rest = &rest[1..];
                self.modules.get(&at)?;
            }
        }
        for name in rest {
            at.push(name.clone());
            if !self.modules.contains_key(&at) {
                at.pop();
                break;
            }
        }
        // An inline module is part of its file.
        while !self.modules.contains_key(&at) {
            at.pop();
        }
        // What the root has are names of its modules.
        (!at.is_empty()).then_some(at)
    }
}

fn module_of(file: &Path) -> Module {
    let mut parts: Module =
        file.iter().map(|part| part.to_string_lossy().trim_end_matches(".rs").to_string()).collect();
    if parts.last().is_some_and(|last| last == "mod" || last == "lib") {
        parts.pop();
    }
    parts
}

/// The text with comments and strings blanked out, line by line.
fn bare(text: &str) -> String {
    let mut bare = String::with_capacity(text.len());
    let (mut quoted, mut escaped) = (false, false);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\n' => bare.push('\n'),
            _ if quoted => match c {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                '"' => quoted = false,
                _ => {}
            },
            '"' => quoted = true,
            'r' if raw_hashes(&chars).is_some() && !bare.ends_with(|c: char| c.is_alphanumeric() || c == '_') => {
                let end = format!("\"{}", "#".repeat(raw_hashes(&chars).unwrap_or(0)));
                let rest: String = chars.clone().collect();
                let content = rest.trim_start_matches('#').strip_prefix('"').unwrap_or_default();
                let length = rest.len() - content.len() + content.find(&end).unwrap_or(0) + end.len();
                bare.extend(rest[..length].chars().filter(|c| *c == '\n'));
                chars.by_ref().take(rest[..length].chars().count()).for_each(drop);
            }
            // A character, but not a lifetime.
            '\'' => {
                let mut ahead = chars.clone();
                match (ahead.next(), ahead.next()) {
                    (Some('\\'), Some(_)) => {
                        chars.nth(1);
                        chars.by_ref().find(|c| *c == '\'');
                    }
                    (Some(_), Some('\'')) => drop(chars.nth(1)),
                    _ => {}
                }
            }
            '/' if chars.peek() == Some(&'/') => while chars.next_if(|c| *c != '\n').is_some() {},
            _ => bare.push(c),
        }
    }
    bare
}

/// How many `#` a raw string has whose `r` was just read.
fn raw_hashes(after: &std::iter::Peekable<std::str::Chars>) -> Option<usize> {
    let hashes = after.clone().take_while(|c| *c == '#').count();
    (after.clone().nth(hashes) == Some('"')).then_some(hashes)
}

/// The paths that begin within the first `length` bytes of the text, each with its groups spelled out.
fn paths(text: &str, length: usize) -> Vec<Vec<String>> {
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    let mut paths = Vec::new();
    let mut at = 0;
    while at < length {
        let rest = &text[at..];
        let name = rest.split(|c| !is_name(c)).next().unwrap_or_default();
        let goes_on =
            at > 0 && (text[..at].ends_with("::") || text[..at].ends_with(is_name) || text[..at].ends_with('.'));
        if !name.is_empty() && !goes_on && rest[name.len()..].starts_with("::") {
            expand(rest, &mut Vec::new(), &mut paths);
        }
        at += name.len().max(rest.chars().next().map_or(1, char::len_utf8));
    }
    paths
}

/// Adds the paths that begin here, `a::{b, c::d}` as two.  What is left of the text.
fn expand<'a>(text: &'a str, before: &mut Vec<String>, paths: &mut Vec<Vec<String>>) -> &'a str {
    let length = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    let (name, rest) = text.split_at(length);
    before.push(name.to_string());
    let rest = match rest.strip_prefix("::") {
        Some(group) if group.starts_with('{') => {
            let mut rest = group[1..].trim_start();
            while !rest.is_empty() && !rest.starts_with('}') {
                if rest.starts_with(|c: char| c.is_alphanumeric() || c == '_') {
                    rest = expand(rest, before, paths);
                } else {
                    rest = &rest[rest.chars().next().map_or(1, char::len_utf8)..];
                }
                rest = rest.trim_start();
            }
            rest.strip_prefix('}').unwrap_or(rest)
        }
        Some(more) if more.starts_with(|c: char| c.is_alphanumeric() || c == '_') => expand(more, before, paths),
        _ => {
            paths.push(before.clone());
            rest
        }
    };
    before.pop();
    rest
}
