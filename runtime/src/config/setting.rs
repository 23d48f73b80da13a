//! The table of all settings: what they are called, and how each is put into the configuration.

use std::time::Duration;

use rookery_bundle::AppName;
use rookery_telemetry::trace::LogFormat;

use super::source::Raw;
use super::value::{address, choice, host, number, path, seconds, text, truth, wrong};
use super::{AdminToken, Mode, ServerConfig, VersionFallback};

/// One thing that can be set.
pub(super) struct Setting {
    /// Its name in `rookery.toml`; the flag's and the variable's name follow from it.
    pub key: &'static str,
    /// A variable that other programs use for the same thing.
    pub alias: Alias,
    /// Checks a value and puts it in its place.
    pub set: fn(&mut ServerConfig, Raw<'_>) -> Result<(), String>,
}

/// A variable that is not called `ROOKERY_…`.
pub(super) enum Alias {
    /// There is none.
    None,
    /// It is taken as it stands.
    Text(&'static str),
    /// It follows Buntime's rule for numbers: 0 means the default.
    Number(&'static str),
}

/// All settings, in the order in which their errors are printed.
pub(super) const SETTINGS: &[Setting] = &[
    setting("env", Alias::None, |config, raw| {
        put(
            &mut config.mode,
            choice(
                raw,
                &[
                    ("production", Mode::Production),
                    ("development", Mode::Development),
                ],
            ),
        )
    }),
    setting("apps_dir", Alias::Text("APPS_DIR"), |config, raw| {
        put(&mut config.apps_dir, path(raw))
    }),
    setting("host", Alias::Text("HOST"), |config, raw| {
        put(&mut config.host, host(raw))
    }),
    setting("port", Alias::Number("PORT"), |config, raw| {
        put(&mut config.port, number(raw, 0..=u16::MAX))
    }),
    setting("pool_size", Alias::Number("POOL_SIZE"), |config, raw| {
        put(&mut config.pool_size, number(raw, 1..=20_000))
    }),
    setting("memory_bytes_max", Alias::None, |config, raw| {
        let bytes = number(raw, 64 * 1024 * 1024..=1 << 50);
        put(&mut config.memory_bytes_max, bytes.map(Some))
    }),
    setting("app_shell", Alias::Text("APP_SHELL"), |config, raw| {
        put(&mut config.app_shell, app_shell(raw).map(Some))
    }),
    setting("admin_addr", Alias::None, |config, raw| {
        put(&mut config.admin_addr, address(raw).map(Some))
    }),
    setting("admin_tokens_file", Alias::None, |config, raw| {
        put(&mut config.admin_tokens_file, path(raw).map(Some))
    }),
    setting("admin_token", Alias::None, |config, raw| {
        put(&mut config.admin_token, admin_token(raw).map(Some))
    }),
    setting("version_fallback", Alias::None, |config, raw| {
        let words = [
            ("highest", VersionFallback::Highest),
            ("none", VersionFallback::None),
        ];
        put(&mut config.version_fallback, choice(raw, &words))
    }),
    setting("prefer_prerelease", Alias::None, |config, raw| {
        put(&mut config.prefer_prerelease, truth(raw))
    }),
    setting("lenient_manifests", Alias::None, |config, raw| {
        put(&mut config.lenient_manifests, truth(raw))
    }),
    setting("cache_dir", Alias::None, |config, raw| {
        put(&mut config.cache_dir, path(raw))
    }),
    setting("data_dir", Alias::None, |config, raw| {
        put(&mut config.data_dir, path(raw))
    }),
    setting("log.filter", Alias::Text("RUST_LOG"), |config, raw| {
        put(&mut config.log.filter, text(raw).map(str::to_owned))
    }),
    setting("log.format", Alias::None, |config, raw| {
        let words = [
            ("auto", LogFormat::Auto),
            ("pretty", LogFormat::Pretty),
            ("plain", LogFormat::Plain),
            ("json", LogFormat::Json),
        ];
        put(&mut config.log.format, choice(raw, &words))
    }),
    setting("drain_grace_secs", Alias::None, |config, raw| {
        put(&mut config.drain_grace, seconds(raw, 0..=3_600))
    }),
    setting("session_keep_secs", Alias::None, |config, raw| {
        put(&mut config.session_keep, seconds(raw, 0..=DAY_SECS))
    }),
    setting("session_trial_secs", Alias::None, |config, raw| {
        put(&mut config.session_trial, seconds(raw, 0..=3_600))
    }),
    setting("header_timeout_secs", Alias::None, |config, raw| {
        put(&mut config.header_timeout, seconds(raw, 1..=3_600))
    }),
    setting("header_bytes_max", Alias::None, |config, raw| {
        put(
            &mut config.header_bytes_max,
            number(raw, 8 * KIB..=1024 * KIB),
        )
    }),
    setting("hub.topics_max", Alias::None, |config, raw| {
        put(&mut config.hub.topics_max, number(raw, 1..=10_000_000))
    }),
    setting("hub.session_topics_max", Alias::None, |config, raw| {
        put(&mut config.hub.session_topics_max, number(raw, 1..=100_000))
    }),
    setting("hub.session_timers_max", Alias::None, |config, raw| {
        put(&mut config.hub.session_timers_max, number(raw, 0..=10_000))
    }),
    setting("hub.message_bytes_max", Alias::None, |config, raw| {
        put(
            &mut config.hub.message_bytes_max,
            number(raw, KIB..=256 * 1024 * KIB),
        )
    }),
    setting("hub.history_bytes_max", Alias::None, |config, raw| {
        put(
            &mut config.hub.history_bytes_max,
            number(raw, 0..=1024 * 1024 * KIB),
        )
    }),
    setting(NAMESPACE_HISTORY, Alias::None, |config, raw| {
        let bytes = number(raw, 0..=1024 * 1024 * 1024 * KIB);
        put(&mut config.hub.namespace_history_bytes_max, bytes)
    }),
    setting("hub.history_messages_max", Alias::None, |config, raw| {
        put(
            &mut config.hub.history_messages_max,
            number(raw, 0..=1_000_000),
        )
    }),
    setting("hub.history_secs_max", Alias::None, |config, raw| {
        put(
            &mut config.hub.history_age_max,
            seconds(raw, 0..=30 * DAY_SECS),
        )
    }),
    setting("storage.database_bytes_max", Alias::None, |config, raw| {
        let bytes = number(raw, 1024 * 1024..=1 << 44);
        put(&mut config.database_bytes_max, bytes)
    }),
];

const NAMESPACE_HISTORY: &str = "hub.namespace_history_bytes_max";
const KIB: usize = 1024;
const DAY_SECS: u32 = Duration::from_hours(24).as_secs() as u32;

const fn setting(
    key: &'static str,
    alias: Alias,
    set: fn(&mut ServerConfig, Raw<'_>) -> Result<(), String>,
) -> Setting {
    Setting { key, alias, set }
}

fn put<T>(place: &mut T, value: Result<T, String>) -> Result<(), String> {
    *place = value?;
    Ok(())
}

/// `chat`, `@acme/chat` or either with `@selector`; what the selector says is the router's to judge.
fn app_shell(raw: Raw<'_>) -> Result<String, String> {
    let written = text(raw)?;
    let scope = usize::from(written.starts_with('@'));
    let name = match written[scope..].find('@') {
        Some(at) => &written[..scope + at],
        None => written,
    };
    AppName::parse(name).map_err(|_| wrong("an app's name, with @version when it has one", raw))?;
    Ok(written.to_owned())
}

/// The token is a secret, so no message repeats it.
fn admin_token(raw: Raw<'_>) -> Result<AdminToken, String> {
    AdminToken::parse(text(raw).map_err(|_| TOKEN_SHAPE)?).ok_or_else(|| TOKEN_SHAPE.to_owned())
}

const TOKEN_SHAPE: &str =
    "must be letters, digits and punctuation without spaces (it is sent in a header)";
