//! Sources in, a configuration or all of its errors out.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use super::file::{self, File};
use super::nearest::nearest;
use super::setting::{Alias, SETTINGS, Setting};
use super::source::{Raw, Source, Sources, env_name};
use super::{Mode, ServerConfig, tokens};

/// A shorter token can be guessed over a network.
pub(super) const TOKEN_BYTES_MIN: usize = 16;

/// Variables that are read elsewhere than in the table: the last one by the commands that ask a server.
const OTHER_VARIABLES: [&str; 3] = ["ROOKERY_CONFIG", "ROOKERY_REDIS_URL", "ROOKERY_URL"];

/// A configuration, and what an operator may want to hear about it.
#[derive(Debug)]
pub struct Loaded {
    /// The configuration.
    pub config: ServerConfig,
    /// What is valid, but looks like a mistake. A line each.
    pub warnings: Vec<String>,
}

/// Everything that is wrong with the sources. Never empty.
#[derive(Debug, PartialEq, Eq)]
pub struct ConfigErrors(pub Vec<String>);

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the configuration is invalid:")?;
        self.0.iter().try_for_each(|error| write!(f, "\n  {error}"))
    }
}

impl std::error::Error for ConfigErrors {}

/// Gathers the configuration. `mode` is the command's own, which the environment and the file may override.
pub fn load(sources: &Sources, mode: Mode) -> Result<Loaded, ConfigErrors> {
    let mut errors = Vec::new();
    let file = file::read(sources, &mut errors);
    let mut config = ServerConfig::defaults(mode, default_cache_dir(sources));
    let mut set_by = BTreeMap::new();
    for setting in SETTINGS {
        let Some((source, raw)) = find(setting, sources, &file) else {
            continue;
        };
        match (setting.set)(&mut config, raw) {
            Ok(()) => drop(set_by.insert(setting.key, source)),
            Err(reason) => errors.push(format!("{source}: {reason}")),
        }
    }
    check_apps_dir(&config, &set_by, &mut errors);
    let token_warnings = read_tokens(&mut config, &mut errors);
    check_exposure(&config, &set_by, &mut errors);
    let mut warnings = warnings(&config, sources);
    warnings.extend(token_warnings);
    if errors.is_empty() {
        Ok(Loaded { config, warnings })
    } else {
        Err(ConfigErrors(errors))
    }
}

/// The apps folder alone, for commands that serve nothing and need no other setting to be right.
pub fn apps_dir(sources: &Sources) -> Result<PathBuf, ConfigErrors> {
    Ok(only("apps_dir", sources)?.apps_dir)
}

/// The folder of the databases alone.
pub fn data_dir(sources: &Sources) -> Result<PathBuf, ConfigErrors> {
    Ok(only("data_dir", sources)?.data_dir)
}

/// The defaults and one setting.
fn only(key: &str, sources: &Sources) -> Result<ServerConfig, ConfigErrors> {
    let mut errors = Vec::new();
    let file = file::read(sources, &mut errors);
    let mut config = ServerConfig::defaults(Mode::Development, PathBuf::new());
    for setting in SETTINGS.iter().filter(|setting| setting.key == key) {
        if let Some((source, raw)) = find(setting, sources, &file)
            && let Err(reason) = (setting.set)(&mut config, raw)
        {
            errors.push(format!("{source}: {reason}"));
        }
    }
    if errors.is_empty() {
        Ok(config)
    } else {
        Err(ConfigErrors(errors))
    }
}

/// The strongest source that has the setting.
fn find<'a>(setting: &Setting, sources: &'a Sources, file: &'a File) -> Option<(Source, Raw<'a>)> {
    if let Some(flag) = sources.flags.iter().find(|flag| flag.key == setting.key) {
        return Some((Source::Flag(flag.key), Raw::Text(&flag.value)));
    }
    let own = env_name(setting.key);
    if let Some(value) = sources.env(&own) {
        return Some((Source::Env(own), Raw::Text(value)));
    }
    let alias = match setting.alias {
        Alias::None => None,
        Alias::Text(name) => sources.env(name).map(|value| (name, value)),
        Alias::Number(name) => sources
            .env(name)
            .filter(|value| *value != "0")
            .map(|value| (name, value)),
    };
    if let Some((name, value)) = alias {
        return Some((Source::Env(name.to_owned()), Raw::Text(value)));
    }
    let value = file.values.get(setting.key)?;
    let source = Source::File {
        file: file.name.clone(),
        key: setting.key.to_owned(),
    };
    Some((
        source,
        Raw::Toml {
            value,
            folder: &file.folder,
        },
    ))
}

fn check_apps_dir(
    config: &ServerConfig,
    set_by: &BTreeMap<&str, Source>,
    errors: &mut Vec<String>,
) {
    if config.apps_dir.is_dir() {
        return;
    }
    let folder = config.apps_dir.display();
    errors.push(match set_by.get("apps_dir") {
        Some(source) => format!("{source}: there is no folder {folder}"),
        None => format!("there is no folder {folder} here; `rookery new NAME` makes it with a first app, --apps-dir names another"),
    });
}

/// Reads the file of tokens, if there is one.
fn read_tokens(config: &mut ServerConfig, errors: &mut Vec<String>) -> Vec<String> {
    let Some(file) = &config.admin_tokens_file else {
        return Vec::new();
    };
    match tokens::read(file) {
        Ok(file) => {
            config.admin_tokens = file.keys;
            file.warnings
        }
        Err(reasons) => {
            errors.extend(reasons);
            Vec::new()
        }
    }
}

/// The internal routes can change what is served, so a stranger must not reach them without a token.
fn check_exposure(
    config: &ServerConfig,
    set_by: &BTreeMap<&str, Source>,
    errors: &mut Vec<String>,
) {
    // A file of tokens that is broken is an error of its own.
    if config.is_loopback() || config.admin_token.is_some() || config.admin_tokens_file.is_some() {
        return;
    }
    let (setting, host) = match config.admin_addr {
        Some(address) => ("admin_addr", address.ip()),
        None => ("host", config.host),
    };
    if let Some(source) = set_by.get(setting) {
        errors.push(format!(
            "{source}: other machines can reach {host}, and there is no admin token; set ROOKERY_ADMIN_TOKEN to a \
             secret (`openssl rand -hex 32` makes one), or listen on 127.0.0.1"
        ));
    }
}

fn warnings(config: &ServerConfig, sources: &Sources) -> Vec<String> {
    let mut warnings = Vec::new();
    let short = config
        .admin_token
        .as_ref()
        .is_some_and(|token| token.expose().len() < TOKEN_BYTES_MIN);
    if short && !config.is_loopback() {
        warnings.push(format!(
            "the admin token has fewer than {TOKEN_BYTES_MIN} characters and can be guessed"
        ));
    }
    let own: Vec<String> = SETTINGS
        .iter()
        .map(|setting| env_name(setting.key))
        .collect();
    let known = || own.iter().map(String::as_str).chain(OTHER_VARIABLES);
    for name in sources
        .env
        .keys()
        .filter(|name| name.starts_with("ROOKERY_"))
    {
        if known().all(|known| known != name)
            && let Some(meant) = nearest(name, known())
        {
            warnings.push(format!(
                "{name} (environment): is not a setting; did you mean {meant}?"
            ));
        }
    }
    warnings
}

/// The user's cache folder by the XDG rules; a service without a home keeps its cache where it runs.
fn default_cache_dir(sources: &Sources) -> PathBuf {
    let absolute = |name: &str| {
        sources
            .env(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    absolute("XDG_CACHE_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".cache")))
        .map_or_else(
            || PathBuf::from(".rookery/cache"),
            |cache| cache.join("rookery"),
        )
}
