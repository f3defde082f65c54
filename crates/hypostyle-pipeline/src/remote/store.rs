//! The stores of a pipeline, one for each bucket or host, with what the environment and `storage_options` say of them.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::azure::{AzureConfigKey, MicrosoftAzureBuilder};
use object_store::client::{HttpClient, HttpConnector, ReqwestConnector};
use object_store::gcp::{GoogleCloudStorageBuilder, GoogleConfigKey};
use object_store::http::HttpBuilder;
use object_store::{BackoffConfig, ClientConfigKey, ClientOptions, ObjectStore, RetryConfig};

use super::error::{Fault, credentials};
use super::options::StorageOptions;
use super::url::{Kind, Url, is_url};
use crate::error::{Error, ErrorKind, Result};
use crate::model::column::did_you_mean;
use crate::model::types::duration;

/// How often a request is made again, and for how long, before the run fails.
const RETRIES: usize = 6;
const RETRY_FOR: Duration = Duration::from_secs(60);
/// The pauses before it is made again.
const BACKOFF: BackoffConfig =
    BackoffConfig { init_backoff: Duration::from_millis(100), max_backoff: Duration::from_secs(5), base: 2.0 };
/// The keys for these that `object_store` doesn't know.
const OWN_KEYS: [&str; 2] = ["max_retries", "retry_timeout"];
/// The options that a misspelled one is compared with.
const COMMON_OPTIONS: [&str; 20] = [
    "aws_access_key_id",
    "aws_secret_access_key",
    "aws_session_token",
    "aws_region",
    "aws_endpoint",
    "aws_skip_signature",
    "aws_virtual_hosted_style_request",
    "google_application_credentials",
    "google_service_account",
    "google_skip_signature",
    "azure_storage_account_name",
    "azure_storage_account_key",
    "azure_storage_sas_token",
    "azure_storage_endpoint",
    "azure_skip_signature",
    "timeout",
    "connect_timeout",
    "allow_http",
    "max_retries",
    "retry_timeout",
];

/// The stores that were opened so far.
pub(crate) struct Stores {
    options: BTreeMap<String, String>,
    pub(super) retry: RetryConfig,
    open: HashMap<String, Arc<dyn ObjectStore>>,
    /// One for all of http.
    client: Option<HttpClient>,
}

impl Stores {
    /// Checks the options: each must be one of the stores of these paths, or of any store if no path is remote.
    pub fn new(options: &StorageOptions, paths: &[PathBuf]) -> Result<Self> {
        let urls = paths.iter().filter(|path| is_url(path));
        let kinds = urls.map(|path| Ok(Url::parse(&path.to_string_lossy())?.kind));
        let mut kinds = kinds.collect::<Result<Vec<Kind>>>()?;
        if kinds.is_empty() {
            kinds = vec![Kind::S3, Kind::Google, Kind::Azure, Kind::Http];
        }
        let options = options.strings()?;
        let known = |key: &str| OWN_KEYS.contains(&key) || kinds.iter().any(|kind| knows(*kind, key));
        if let Some(key) = options.keys().find(|key| !known(key)) {
            let near = did_you_mean(key, &COMMON_OPTIONS);
            return Err(Error::pipeline(format!("storage_options: unknown option '{key}'{near}")).help(
                "options are the environment variables in lower case, such as aws_region, aws_endpoint or \
                     azure_storage_account_name, and timeout, connect_timeout, allow_http, max_retries, retry_timeout",
            ));
        }
        let wrong = |key: &str, example: &str| {
            Error::pipeline(format!("storage_options {key}: invalid value")).help(format!("set {key} = \"{example}\""))
        };
        let mut retry = RetryConfig { backoff: BACKOFF, max_retries: RETRIES, retry_timeout: RETRY_FOR };
        if let Some(text) = options.get("max_retries") {
            retry.max_retries = text.parse().map_err(|_| wrong("max_retries", "6"))?;
        }
        if let Some(text) = options.get("retry_timeout") {
            retry.retry_timeout = duration(text).ok_or_else(|| wrong("retry_timeout", "60s"))?;
        }
        Ok(Self { options, retry, open: HashMap::new(), client: None })
    }

    /// The store of a URL that the pipeline file's table `source` or `sink` has.
    pub(super) fn store(&mut self, url: &Url, table: &str) -> Result<Arc<dyn ObjectStore>> {
        // An http store is one file, so that its URL goes out as it was written.
        let root = match (url.kind, &url.query) {
            (Kind::Http, Some(query)) => format!("{}?{query}", url.shown()),
            (Kind::Http, None) => url.shown(),
            _ => url.root.clone(),
        };
        if let Some(store) = self.open.get(&root) {
            return Ok(Arc::clone(store));
        }
        let store = self.build(url.kind, &root).map_err(|error| {
            let Fault { server_message, .. } = Fault::of(&error, &self.secrets(url));
            let kind = if table == "sink" { ErrorKind::Sink } else { ErrorKind::Source };
            Error::new(kind, format!("cannot open the store: {server_message}"))
                .in_file(url.shown().as_ref())
                .help(credentials(url.kind, table))
        })?;
        self.open.insert(root, Arc::clone(&store));
        Ok(store)
    }

    fn build(&mut self, kind: Kind, root: &str) -> object_store::Result<Arc<dyn ObjectStore>> {
        let retry = self.retry.clone();
        let options = || self.options.iter().map(|(key, value)| (key.as_str(), value));
        Ok(match kind {
            Kind::S3 => {
                let builder = AmazonS3Builder::from_env().with_url(root).with_retry(retry);
                let known = options().filter_map(|(key, value)| Some((key.parse::<AmazonS3ConfigKey>().ok()?, value)));
                Arc::new(known.fold(builder, |builder, (key, value)| builder.with_config(key, value)).build()?)
            }
            Kind::Google => {
                let builder = GoogleCloudStorageBuilder::from_env().with_url(root).with_retry(retry);
                let known = options().filter_map(|(key, value)| Some((key.parse::<GoogleConfigKey>().ok()?, value)));
                Arc::new(known.fold(builder, |builder, (key, value)| builder.with_config(key, value)).build()?)
            }
            Kind::Azure => {
                let builder = MicrosoftAzureBuilder::from_env().with_url(root).with_retry(retry);
                let known = options().filter_map(|(key, value)| Some((key.parse::<AzureConfigKey>().ok()?, value)));
                Arc::new(known.fold(builder, |builder, (key, value)| builder.with_config(key, value)).build()?)
            }
            Kind::Http => {
                let client = match &self.client {
                    Some(client) => client.clone(),
                    None => {
                        let known =
                            options().filter_map(|(key, value)| Some((key.parse::<ClientConfigKey>().ok()?, value)));
                        let begun = ClientOptions::new().with_allow_http(true);
                        let options = known.fold(begun, |options, (key, value)| options.with_config(key, value));
                        let client = ReqwestConnector::default().connect(&options)?;
                        self.client.insert(client).clone()
                    }
                };
                Arc::new(HttpBuilder::new().with_url(root).with_retry(retry).with_http_connector(Same(client)).build()?)
            }
        })
    }

    /// What must not be shown: the query of the URL, and the options whose names say so.
    pub(super) fn secrets(&self, url: &Url) -> Vec<String> {
        let secret = |key: &str| ["secret", "key", "token", "sas", "password"].iter().any(|word| key.contains(word));
        let options = self.options.iter().filter(|(key, value)| secret(key) && value.len() >= 4);
        options.map(|(_, value)| value.clone()).chain(url.query.clone()).collect()
    }
}

/// Whether a store has a setting of this name.
fn knows(kind: Kind, key: &str) -> bool {
    match kind {
        Kind::S3 => key.parse::<AmazonS3ConfigKey>().is_ok(),
        Kind::Google => key.parse::<GoogleConfigKey>().is_ok(),
        Kind::Azure => key.parse::<AzureConfigKey>().is_ok(),
        Kind::Http => key.parse::<ClientConfigKey>().is_ok(),
    }
}

/// Connects as the others do, so that connections are shared.
#[derive(Debug)]
struct Same(HttpClient);

impl HttpConnector for Same {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(self.0.clone())
    }
}
