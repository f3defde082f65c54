//! Which modules of a crate use which, read from the source as text; for `tests/layers.rs` of this crate and of the pipelines.
//!
//! A path counts wherever it is written, in a `use` or in code: `crate::a::b`, `super::b`, and `b::c` of a submodule `b`.  A file
//! is a module; what an inline `mod tests` uses counts for its file.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// A module's path within the crate, such as `csv::chunk`; the root's is empty.
type Module = Vec<String>;

pub struct Source {
    /// Each module's text, without comments and strings.
    modules: BTreeMap<Module, String>,
}

/// A use of one module by another, with the line that shows it.
struct Use {
    from: Module,
    to: Module,
    line: usize,
}

/// A path that has a public name of the crate's root, such as `crate::Error`.
struct RootName {
    from: Module,
    name: String,
    line: usize,
    is_test: bool,
}

/// Both kinds of paths of a module.
#[derive(Default)]
struct Found {
    uses: Vec<Use>,
    root_names: Vec<RootName>,
}

impl Source {
    /// Uses of a higher layer by a lower one, a line for each.  `layers` are the modules of `src` from the ground up.
    ///
    /// # Panics
    /// If the list and the modules differ.
    pub fn upward(&self, layers: &[&str]) -> Vec<String> {
        let tops: BTreeSet<&str> =
            self.modules.keys().filter_map(|module| module.first()).map(String::as_str).collect();
        assert_eq!(tops, layers.iter().copied().collect(), "the list of layers and the modules of src differ");
        let layer = |module: &Module| layers.iter().position(|layer| *layer == module[0]);
        let uses = self.found().uses;
        assert!(uses.len() > 200, "only {} uses were found: the reader of paths is broken", uses.len());
        let upward = uses.iter().filter(|usage| !usage.from.is_empty() && layer(&usage.to) > layer(&usage.from));
        upward.map(|usage| format!("{}:{} uses {}", shown(&usage.from), usage.line, shown(&usage.to))).collect()
    }

    /// Uses of the root's public names, which hide the layer that they are of: only tests may use them.  `always_tests` are
    /// the layers that are compiled for tests only.
    pub fn root_names_outside_tests(&self, always_tests: &[&str]) -> Vec<String> {
        let public = self.public_names();
        let root_names = self.found().root_names;
        let wrong = root_names.iter().filter(|usage| !usage.from.is_empty()).filter(|usage| {
            let is_test = usage.is_test || always_tests.contains(&&*usage.from[0]);
            !is_test || !public.contains(&usage.name)
        });
        wrong.map(|usage| format!("{}:{} uses crate::{}", shown(&usage.from), usage.line, usage.name)).collect()
    }

    /// The files that use one another in circles, a line for each circle.
    pub fn circles(&self) -> Vec<String> {
        let mut below: BTreeMap<Module, BTreeSet<Module>> =
            self.modules.keys().map(|module| (module.clone(), BTreeSet::new())).collect();
        for usage in self.found().uses.into_iter().filter(|usage| !usage.from.is_empty()) {
            below.get_mut(&usage.from).unwrap().insert(usage.to);
        }
        // Everything that a module uses, directly or through others.
        let reach = |module: &Module| {
            let mut reached: BTreeSet<&Module> = BTreeSet::new();
            let mut next: Vec<&Module> = below[module].iter().collect();
            while let Some(module) = next.pop() {
                if reached.insert(module) {
                    next.extend(&below[module]);
                }
            }
            reached
        };
        let reached: BTreeMap<&Module, BTreeSet<&Module>> =
            below.keys().map(|module| (module, reach(module))).collect();
        let mut circles = BTreeSet::new();
        for (module, others) in &reached {
            if others.contains(module) {
                let circle = others.iter().filter(|other| reached[**other].contains(module));
                circles.insert(circle.map(|module| shown(module)).collect::<Vec<_>>().join(" <-> "));
            }
        }
        circles.into_iter().collect()
    }

    /// The names that `lib.rs` exports; what it exports as a whole (`pub use module::*`) is read from that module's file.
    fn public_names(&self) -> BTreeSet<String> {
        let root = &self.modules[&Vec::new()];
        let mut names = BTreeSet::new();
        for statement in root.split("pub use ").skip(1) {
            let statement = statement.split(';').next().unwrap_or_default();
            if let Some(module) = statement.strip_suffix("::*") {
                let module: Module = module.split("::").map(String::from).collect();
                let functions = self.modules[&module].split("pub fn ").skip(1);
                names.extend(functions.filter_map(|rest| rest.split(['(', '<']).next()).map(String::from));
            }
            let mut paths = Vec::new();
            expand(statement, &mut Vec::new(), &mut paths);
            names.extend(paths.into_iter().filter_map(|mut path| path.pop()));
        }
        names
    }

    pub fn read(root: &Path) -> Self {
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

    fn found(&self) -> Found {
        let mut found = Found::default();
        self.modules.iter().for_each(|(module, text)| self.find(module, text, &mut found));
        found
    }

    fn find(&self, module: &Module, text: &str, found: &mut Found) {
        let mut inline: Vec<(String, bool)> = Vec::new();
        let (mut start, mut before) = (0, "");
        for (index, line) in text.lines().enumerate() {
            // rustfmt puts the braces of an inline module at the margin.
            let visible = line.split_once("mod ").filter(|(before, _)| before.is_empty() || before.starts_with("pub"));
            match visible.and_then(|(_, rest)| rest.strip_suffix(" {")) {
                Some(name) => inline.push((name.to_string(), before == "#[cfg(test)]")),
                None if line == "}" => drop(inline.pop()),
                None => {}
            }
            let here: Module = module.iter().chain(inline.iter().map(|(name, _)| name)).cloned().collect();
            for path in paths(&text[start..], line.len()) {
                match self.resolve(&here, &path) {
                    Some(to) if to == *module => {}
                    Some(to) if to.is_empty() => {
                        let is_test = inline.iter().any(|(_, is_test)| *is_test);
                        let name = path.iter().find(|name| *name != "super" && *name != "crate").cloned();
                        let name = name.unwrap_or_default();
                        found.root_names.push(RootName { from: module.clone(), name, line: index + 1, is_test });
                    }
                    Some(to) => found.uses.push(Use { from: module.clone(), to, line: index + 1 }),
                    None => {}
                }
            }
            start += line.len() + 1;
            before = line;
        }
    }

    /// The module that a path means: the longest beginning of it that is one; the root for its own names.
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
        Some(at)
    }
}

fn shown(module: &Module) -> String {
    module.join("::")
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

#[test]
fn paths_are_found_wherever_they_are_written() {
    let text = "use crate::{a::b::C, d};\n// crate::no\nlet x = \"crate::no\"; crate::e::f();\nuse super::{g, h::i};\n\
                #[cfg(test)]\nmod tests {\n    use super::*;\n    use super::super::j;\n    use crate::Name;\n}\nuse child::K;\nother::child::no();\n";
    let names = ["a", "a::b", "d", "e", "m", "m::n", "m::n::child", "m::g", "m::h", "m::j"];
    let mut modules: BTreeMap<Module, String> =
        names.iter().map(|name| (name.split("::").map(String::from).collect(), String::new())).collect();
    modules.insert(vec![], String::new());
    modules.insert(vec!["m".into(), "n".into()], bare(text));
    let found = Source { modules }.found();
    let names: Vec<(&str, usize, bool)> =
        found.root_names.iter().map(|usage| (usage.name.as_str(), usage.line, usage.is_test)).collect();
    assert_eq!(names, [("Name", 9, true)]);
    let found: Vec<(String, usize)> = found.uses.iter().map(|usage| (shown(&usage.to), usage.line)).collect();
    let wanted = [("a::b", 1), ("d", 1), ("e", 3), ("m::g", 4), ("m::h", 4), ("m::j", 8), ("m::n::child", 11)];
    assert_eq!(found, wanted.map(|(name, line)| (name.to_string(), line)));
}
