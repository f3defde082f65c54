//! Errors of servers, without secrets: errors of `object_store` contain whole URLs with their signatures, and responses repeat what
//! was sent.

use std::error::Error as StdError;
use std::path::Path;

use object_store::Error as StoreError;

use super::url::Kind;
use crate::error::{Error, ErrorKind};

/// Cause an object cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub cause: Cause,
    /// What the server said, or the system.
    pub server_message: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    /// It does not exist.
    Missing,
    /// The credentials are not accepted.
    Denied,
    /// It is no longer what it was.
    Changed,
    /// The server does not support range requests.
    NoRanges,
    /// The server does not report its length.
    UnknownLength,
    Other,
}

/// How `object_store` begins the message that holds a server's answer.
const ANSWER: &str = "Server returned non-2xx status code: ";

impl Fault {
    pub fn new(cause: Cause, server_message: impl Into<String>) -> Self {
        Self { cause, server_message: server_message.into() }
    }

    /// The meaning of an error; `secrets` are blotted out.
    pub fn of(error: &StoreError, secrets: &[String]) -> Self {
        let mut message = error.to_string();
        let mut answer = None;
        let mut cause: Option<&(dyn StdError + 'static)> = Some(error);
        while let Some(error) = cause {
            message = error.to_string();
            if let Some(text) = message.strip_prefix(ANSWER) {
                answer = Some(summary(text));
                break;
            }
            cause = error.source();
        }
        let status = answer.as_ref().and_then(|answer| answer.get(..3)).unwrap_or_default().to_string();
        let cause = match (error, status.as_str()) {
            (_, "404" | "410") => Cause::Missing,
            (_, "401" | "403") => Cause::Denied,
            (_, "412") => Cause::Changed,
            (StoreError::NotSupported { .. }, _) => Cause::NoRanges,
            // As `object_store` says it.
            _ if message.contains("Content-Length Header missing") => Cause::UnknownLength,
            _ => Cause::Other,
        };
        let mut server_message = answer.unwrap_or(message);
        for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
            server_message = server_message.replace(secret.as_str(), "...");
        }
        Self { cause, server_message }
    }

    /// The error of an input, as a user reads it.
    pub fn error(&self, shown: &Path, kind: Kind) -> Error {
        match self.cause {
            Cause::Changed => Error::changed(shown),
            _ => self.message(ErrorKind::Source, "input", "cannot read").in_file(shown).help(self.help(kind, "source")),
        }
    }

    /// The error of an output.
    pub fn output_error(&self, shown: &Path, kind: Kind) -> Error {
        self.message(ErrorKind::Sink, "output", "cannot write").in_file(shown).help(self.help(kind, "sink"))
    }

    fn message(&self, kind: ErrorKind, what: &str, cannot: &str) -> Error {
        let server_message = &self.server_message;
        let message = match self.cause {
            Cause::Missing => format!("{what} not found ({server_message})"),
            Cause::Denied => format!("access to the {what} denied ({server_message})"),
            Cause::NoRanges => "the server does not support range requests, which this format needs".to_string(),
            Cause::UnknownLength => format!("the server does not report the length of the {what}"),
            Cause::Changed | Cause::Other => format!("{cannot} the {what}: {server_message}"),
        };
        let error = Error::new(kind, message);
        if self.cause == Cause::Missing { error.not_found() } else { error }
    }

    fn help(&self, kind: Kind, table: &str) -> String {
        match self.cause {
            Cause::Missing => "check the host or bucket, and the key".to_string(),
            Cause::Denied => credentials(kind, table),
            Cause::NoRanges => "download the file first".to_string(),
            Cause::UnknownLength => {
                "download the file first, or pipe it: curl URL | hypostyle run FILE --input -".to_string()
            }
            Cause::Changed | Cause::Other => format!(
                "check the URL and the network, or set timeout, connect_timeout or max_retries in storage_options of [{table}]"
            ),
        }
    }
}

/// The help about credentials.
pub(super) fn credentials(kind: Kind, table: &str) -> String {
    let (names, public) = match kind {
        Kind::S3 => ("AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION", "aws_skip_signature = \"true\""),
        Kind::Google => ("GOOGLE_APPLICATION_CREDENTIALS", "google_skip_signature = \"true\""),
        Kind::Azure => (
            "AZURE_STORAGE_ACCOUNT_NAME, AZURE_STORAGE_ACCOUNT_KEY or AZURE_STORAGE_SAS_TOKEN",
            "azure_skip_signature = \"true\"",
        ),
        Kind::Http => return "check the URL; a signed one may have expired".to_string(),
    };
    format!(
        "set credentials in the environment ({names}) or in storage_options of [{table}], or set {public} there for public \
         data; without the right to list, a missing object is denied too"
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
