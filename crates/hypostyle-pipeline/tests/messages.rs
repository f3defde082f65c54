//! The words of messages, read from the source: what the code says to users, comments aside.

use std::fs;
use std::path::Path;

/// Words that messages do not use, each with what they say instead.
const AVOIDED: [(&str, &str); 14] = [
    ("please report", "internal errors say that they are a bug, and nothing else"),
    ("can't", "cannot"),
    ("isn't", "is not"),
    ("doesn't", "does not"),
    ("is no ", "is not a valid"),
    ("under [", "in ["),
    ("begin anew", "start over"),
    ("go on", "resume, continue"),
    ("mend ", "fix, change"),
    ("mistake", "error, bug"),
    ("taken in", "processed"),
    ("left unread", "skipped"),
    ("so many", "the number"),
    ("of this machine", "local"),
];

#[test]
fn messages_keep_to_the_words_of_the_documentation() {
    let mut strings = 0;
    let mut found = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = fs::read_to_string(&path).unwrap();
            let code = text.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//"));
            for (index, line) in code.filter(|(_, line)| line.contains('"')) {
                strings += 1;
                let words = AVOIDED.iter().filter(|(words, _)| line.contains(words));
                found.extend(
                    words.map(|(words, better)| format!("{}:{}: {words:?}; say: {better}", path.display(), index + 1)),
                );
            }
        }
    }
    assert!(strings > 500, "only {strings} lines with strings were read");
    assert!(found.is_empty(), "{}", found.join("\n"));
}
