//! `storage_options`: settings for object stores and HTTP.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::Deserialize;

#[cfg(feature = "remote")]
use crate::error::{Error, Result};

/// Settings for object stores and HTTP.  Only the names are printed, since values may be secrets.
#[derive(Clone, Default, Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct StorageOptions(#[schemars(with = "BTreeMap<String, String>")] BTreeMap<String, toml::Value>);

impl StorageOptions {
    /// The values as strings, by names in lower case.
    #[cfg(feature = "remote")]
    pub fn strings(&self) -> Result<BTreeMap<String, String>> {
        let string = |(name, value): (&String, &toml::Value)| match value {
            toml::Value::String(text) => Ok((name.to_lowercase(), text.clone())),
            toml::Value::Boolean(_) | toml::Value::Integer(_) => Ok((name.to_lowercase(), value.to_string())),
            _ => Err(Error::pipeline(format!("storage_options {name}: got a nested value, expected a string"))
                .help(format!("set {name} = \"...\""))),
        };
        self.0.iter().map(string).collect()
    }
}

impl fmt::Debug for StorageOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}
