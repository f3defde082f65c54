//! Files as they are published, read with nothing but a path: each comes in right, or gets a proposal that reads it.

mod among_lines;
#[path = "../common/mod.rs"]
mod common;
mod first;
mod further;

use common::Folder;

/// Words of the plan, or of the error.
struct Published {
    of: &'static str,
    text: &'static str,
    words: &'static [&'static str],
    /// The proposed settings, and words of the plan that they give.
    then: Option<(&'static str, &'static [&'static str])>,
}

#[test]
fn files_come_in_right_or_with_a_proposal() {
    let mut missing = Vec::new();
    for Published { of, text, words, then } in first::FILES.iter().chain(further::FILES).chain(among_lines::FILES) {
        let folder = Folder::new();
        folder.write("in.csv", text);
        let told =
            |settings: &str| match folder.pipeline(&format!("[source]\n{settings}"), "in.csv", "out.parquet").plan() {
                Ok(plan) => plan.to_string(),
                Err(error) => error.to_string(),
            };
        let mut look = |text: String, words: &[&str]| {
            let absent = words.iter().filter(|words| !text.contains(*words));
            missing.extend(absent.map(|words| format!("{of}: {words} is not in:\n{text}")));
        };
        look(told(""), words);
        if let Some((settings, words)) = then {
            look(told(settings), words);
            if let Err(error) = folder.run(&format!("[source]\n{settings}"), "in.csv", "out.parquet") {
                look(error.to_string(), &["rows"]);
            }
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}
