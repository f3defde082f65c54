//! URLs such as `s3://bucket/key` and `https://host/path?query`, and what of them may be shown.

use std::path::Path;

use crate::error::{Error, ErrorKind, Result};

/// Who keeps an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    S3,
    Google,
    Azure,
    Http,
}

/// A parsed URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Url {
    pub kind: Kind,
    /// Scheme and bucket, or scheme and host.
    pub root: String,
    /// What follows.  A store's keys are taken as they are written, without any decoding.
    pub key: String,
    /// What follows the `?` of a URL.  It may be a signature, and is never shown.
    pub query: Option<String>,
}

/// The scheme of a URL.  `C:\x` is none.
fn scheme(text: &str) -> Option<(String, &str)> {
    let (scheme, rest) = text.split_once("://")?;
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
    let is_scheme =
        scheme.len() > 1 && scheme.as_bytes()[0].is_ascii_alphabetic() && scheme.as_bytes().iter().all(plain);
    is_scheme.then(|| (scheme.to_ascii_lowercase(), rest))
}

/// Whether the path is a URL rather than a place on this machine.
pub(crate) fn is_url(path: &Path) -> bool {
    path.to_str().is_some_and(|text| scheme(text).is_some())
}

/// The URL's scheme and host, for where nothing else is to be shown.
pub(crate) fn host(text: &str) -> String {
    let (scheme, rest) = scheme(text).unwrap_or_default();
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    format!("{scheme}://{}", authority.rsplit('@').next().unwrap_or_default())
}

/// The URL without what may be secret in it; a path as it is.
pub(crate) fn shown(text: &str) -> &str {
    match scheme(text) {
        Some((name, _)) if name.starts_with("http") => text.split(['?', '#']).next().unwrap_or(text),
        _ => text,
    }
}

#[cfg_attr(not(feature = "remote"), allow(dead_code))]
impl Url {
    pub fn parse(text: &str) -> Result<Self> {
        let fault = |message: String| Error::new(ErrorKind::Source, message);
        let known = "use s3://, gs://, az://, abfss://, azure://, http:// and https://";
        let Some((scheme, rest)) = scheme(text) else { return Err(fault(format!("'{text}' is not a valid URL"))) };
        let kind = match scheme.as_str() {
            "s3" | "s3a" => Kind::S3,
            "gs" => Kind::Google,
            "az" | "adl" | "azure" | "abfs" | "abfss" => Kind::Azure,
            "http" | "https" => Kind::Http,
            "file" => return Err(fault("file:// is not supported".to_string()).help("use the path without file://")),
            other => return Err(fault(format!("unknown URL scheme '{other}://'")).help(known)),
        };
        let (rest, query) = match (kind, rest.split(['#']).next().unwrap_or(rest).split_once('?')) {
            (Kind::Http, Some((path, query))) => (path, Some(query.to_string())),
            (Kind::Http, None) => (rest.split('#').next().unwrap_or(rest), None),
            _ => (rest, None),
        };
        let (authority, key) = rest.split_once('/').unwrap_or((rest, ""));
        // abfss://container@account.dfs.core.windows.net names a container there.
        let user = authority.rsplit_once('@').map(|(user, _)| user);
        if user.is_some_and(|user| kind != Kind::Azure || user.contains(':')) {
            return Err(fault(format!("the '{scheme}://' URL contains credentials"))
                .help("set them in the environment or in storage_options"));
        }
        if authority.is_empty() {
            let lacks = if kind == Kind::Http { "host" } else { "bucket" };
            return Err(fault(format!("the URL '{}' has no {lacks}", shown(text))));
        }
        // Two names of the same.
        let scheme = if scheme == "s3a" { "s3" } else { &scheme };
        Ok(Self { kind, root: format!("{scheme}://{authority}"), key: key.to_string(), query })
    }

    /// The URL of another object of the same bucket.
    pub fn of_key(&self, key: &str) -> String {
        format!("{}/{key}", self.root)
    }

    /// The URL as it may be shown.
    pub fn shown(&self) -> String {
        self.of_key(&self.key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_distinguished_from_paths() {
        for text in ["s3://bucket/key.csv", "GS://b/k", "abfss://c@a.dfs.core.windows.net/k", "http://h/x?y"] {
            assert!(is_url(Path::new(text)), "{text}");
        }
        for text in ["C:\\x.csv", "C:/x.csv", "c://x", "in.csv", "-", "s3:/bucket/key", "a/b://c", "://x", ""] {
            assert!(!is_url(Path::new(text)), "{text}");
        }
    }

    #[test]
    fn urls_are_parsed() {
        let parts = |text: &str| {
            let Url { kind, root, key, query } = Url::parse(text).unwrap();
            (kind, root, key, query)
        };
        let (s3, http) = (Kind::S3, Kind::Http);
        let text = |text: &str| text.to_string();
        assert_eq!(parts("S3://b/day=1%20/x?.csv#"), (s3, text("s3://b"), text("day=1%20/x?.csv#"), None));
        assert_eq!(parts("s3://b"), (s3, text("s3://b"), text(""), None));
        let signed = parts("https://h:8/a%20b/x.csv?sig=a%2Fb&c=d?#part");
        assert_eq!(signed, (http, text("https://h:8"), text("a%20b/x.csv"), Some(text("sig=a%2Fb&c=d?"))));
        assert_eq!(parts("http://h/x.csv#y").2, "x.csv");
        assert_eq!(shown("https://h/x.csv?sig=1"), "https://h/x.csv");
        assert_eq!(shown("in/x?.csv"), "in/x?.csv");
    }

    #[test]
    fn errors_about_urls_hold_no_secrets() {
        for (url, words) in [
            ("ftp://h/x", "unknown URL scheme 'ftp://'"),
            ("file:///x", "without file://"),
            ("s3:///x", "has no bucket"),
            ("https://user:hunter2@h/x", "URL contains credentials"),
            ("s3://AKIA:hunter2@b/x", "URL contains credentials"),
        ] {
            let error = Url::parse(url).unwrap_err().to_string();
            assert!(error.contains(words) && !error.contains("hunter2"), "{error}");
        }
    }
}
