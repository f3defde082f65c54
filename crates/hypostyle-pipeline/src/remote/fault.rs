//! What a server's refusal means, in words that hold no secrets: errors of `object_store` name whole addresses, with
//! signatures in them, and answers repeat what was sent.

use std::error::Error as StdError;
use std::path::Path;

use object_store::Error as StoreError;

use super::address::Kind;
use crate::error::{Error, ErrorKind};

/// Why an object can't be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub why: Why,
    /// What the server said, or the system.
    pub said: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    /// It isn't there.
    Missing,
    /// The server wants other credentials.
    Denied,
    /// It is no longer what it was.
    Changed,
    /// The server gives no parts of it.
    Whole,
    /// The server doesn't say how long it is.
    Endless,
    Other,
}

/// How `object_store` begins the message that holds a server's answer.
const ANSWER: &str = "Server returned non-2xx status code: ";

impl Fault {
    pub fn new(why: Why, said: impl Into<String>) -> Self {
        Self { why, said: said.into() }
    }

    /// The meaning of an error; `secrets` are blotted out.
    pub fn of(error: &StoreError, secrets: &[String]) -> Self {
        let mut said = error.to_string();
        let mut answer = None;
        let mut cause: Option<&(dyn StdError + 'static)> = Some(error);
        while let Some(error) = cause {
            said = error.to_string();
            if let Some(text) = said.strip_prefix(ANSWER) {
                answer = Some(summary(text));
                break;
            }
            cause = error.source();
        }
        let status = answer.as_ref().and_then(|answer| answer.get(..3)).unwrap_or_default().to_string();
        let why = match (error, status.as_str()) {
            (_, "404" | "410") => Why::Missing,
            (_, "401" | "403") => Why::Denied,
            (_, "412") => Why::Changed,
            (StoreError::NotSupported { .. }, _) => Why::Whole,
            // As `object_store` says it.
            _ if said.contains("Content-Length Header missing") => Why::Endless,
            _ => Why::Other,
        };
        let mut said = answer.unwrap_or(said);
        for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
            said = said.replace(secret.as_str(), "...");
        }
        Self { why, said }
    }

    /// The error of an input, as a user reads it.
    pub fn error(&self, shown: &Path, kind: Kind) -> Error {
        match self.why {
            Why::Changed => Error::changed(shown),
            _ => self.told(ErrorKind::Source, "input", "can't read").in_file(shown).help(self.way_out(kind, "source")),
        }
    }

    /// The error of an output.
    pub fn output_error(&self, shown: &Path, kind: Kind) -> Error {
        self.told(ErrorKind::Sink, "output", "can't write").in_file(shown).help(self.way_out(kind, "sink"))
    }

    fn told(&self, kind: ErrorKind, what: &str, cannot: &str) -> Error {
        let said = &self.said;
        let message = match self.why {
            Why::Missing => format!("the {what} is not there; the server says {said}"),
            Why::Denied => format!("the server refuses the {what}; it says {said}"),
            Why::Whole => format!("the server gives files as a whole, and the {what} must be read in parts"),
            Why::Endless => format!("the server doesn't say how long the {what} is"),
            Why::Changed | Why::Other => format!("{cannot} the {what}: {said}"),
        };
        Error::new(kind, message)
    }

    fn way_out(&self, kind: Kind, table: &str) -> String {
        match self.why {
            Why::Missing => "check the address: host or bucket, and key".to_string(),
            Why::Denied => credentials(kind, table),
            Why::Whole => "fetch the file first, and read it from the disk".to_string(),
            Why::Endless => {
                "fetch the file first; or read it as it comes: curl ADDRESS | hypostyle run FILE --input -".to_string()
            }
            Why::Changed | Why::Other => format!(
                "check the address and the network; timeout, connect_timeout and max_retries can be set by \
                 storage_options under [{table}]"
            ),
        }
    }
}

/// How one proves who one is.
pub(super) fn credentials(kind: Kind, table: &str) -> String {
    let (names, public) = match kind {
        Kind::S3 => ("AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION", "aws_skip_signature = \"true\""),
        Kind::Google => ("GOOGLE_APPLICATION_CREDENTIALS", "google_skip_signature = \"true\""),
        Kind::Azure => (
            "AZURE_STORAGE_ACCOUNT_NAME, AZURE_STORAGE_ACCOUNT_KEY or AZURE_STORAGE_SAS_TOKEN",
            "azure_skip_signature = \"true\"",
        ),
        Kind::Http => return "a signed link may have expired: make a new one".to_string(),
    };
    format!(
        "give credentials by the environment ({names}), or by storage_options under [{table}]; for what is public, \
         {public}; a missing object is refused too where one may not list"
    )
}

/// The status and, where the answer is a store's XML, its code and message: the rest may repeat what was sent.
fn summary(text: &str) -> String {
    let (status, body) = text.split_once(": ").unwrap_or((text, ""));
    let tag = |name: &str| {
        let (_, rest) = body.split_once(&format!("<{name}>"))?;
        rest.split_once("</").map(|(text, _)| text.trim().to_string())
    };
    let status = status.trim().trim_end_matches(':');
    match (tag("Code"), tag("Message")) {
        (Some(code), Some(message)) => format!("{status}: {code}: {message}"),
        (Some(code), None) => format!("{status}: {code}"),
        _ => status.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_told_without_what_it_repeats() {
        let body = "403 Forbidden: <Error><Code>SignatureDoesNotMatch</Code><Message>no match</Message>\
                    <SignatureProvided>abc</SignatureProvided></Error>";
        assert_eq!(summary(body), "403 Forbidden: SignatureDoesNotMatch: no match");
        assert_eq!(summary("503 Service Unavailable: <html>busy</html>"), "503 Service Unavailable");
        assert_eq!(summary("404 Not Found: "), "404 Not Found");
    }
}
