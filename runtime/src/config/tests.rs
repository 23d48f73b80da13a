//! Claims about sources, their order, and errors that come together.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;

use super::*;

/// Loads with an apps folder that exists; its own flags, variables and file come from the row.
struct Given {
    folder: tempfile::TempDir,
    sources: Sources,
}

impl Given {
    fn new() -> Given {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("apps")).unwrap();
        let given = Given {
            folder,
            sources: Sources::default(),
        };
        let apps = given.path("apps");
        given.env("APPS_DIR", &apps)
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    fn env(mut self, name: &str, value: &str) -> Given {
        self.sources.env.insert(name.to_owned(), value.to_owned());
        self
    }

    fn flag(mut self, key: &'static str, value: &str) -> Given {
        self.sources.flags.push(Flag {
            key,
            value: value.to_owned(),
        });
        self
    }

    fn file(mut self, text: &str) -> Given {
        let path = self.folder.path().join("rookery.toml");
        fs::write(&path, text).unwrap();
        self.sources.file = Some(path);
        self
    }

    fn config(&self) -> ServerConfig {
        load(&self.sources, Mode::Production).unwrap().config
    }

    /// The errors, with the temporary folder's own name left out.
    fn errors(&self) -> Vec<String> {
        let folder = format!("{}/", self.folder.path().display());
        let ConfigErrors(errors) = load(&self.sources, Mode::Production).unwrap_err();
        errors
            .into_iter()
            .map(|error| error.replace(&folder, ""))
            .collect()
    }
}

#[test]
fn without_any_source_there_are_defaults() {
    let config = Given::new().config();
    assert_eq!(
        (config.host.to_string(), config.port),
        ("127.0.0.1".to_owned(), 8080)
    );
    assert_eq!(config.mode, Mode::Production);
    assert_eq!(config.version_fallback, VersionFallback::Highest);
    assert_eq!(config.cache_dir, Path::new(".rookery/cache"));
    assert!(
        config.admin_token.is_none()
            && config.app_shell.is_none()
            && !config.prefer_prerelease
            && !config.lenient_manifests
    );
}

#[test]
fn the_strongest_source_wins() {
    let file = Given::new().file("port = 1");
    assert_eq!(file.config().port, 1);
    let alias = file.env("PORT", "2");
    assert_eq!(alias.config().port, 2);
    let own = alias.env("ROOKERY_PORT", "3");
    assert_eq!(own.config().port, 3);
    let flag = own.flag("port", "4");
    assert_eq!(flag.config().port, 4);
}

#[test]
fn a_weaker_source_is_not_judged() {
    // Some shells export HOST; a flag must be able to help.
    let given = Given::new().env("HOST", "x86_64-conda-linux-gnu");
    assert_eq!(
        given.errors(),
        [
            r#"HOST (environment): must be an IP address or localhost, but is "x86_64-conda-linux-gnu""#
        ]
    );
    assert!(given.flag("host", "localhost").config().is_loopback());
}

#[test]
fn buntimes_numbers_are_unset_when_empty_or_zero_and_ours_only_when_empty() {
    for value in ["", " ", "0"] {
        let config = Given::new()
            .env("PORT", value)
            .env("POOL_SIZE", value)
            .config();
        assert_eq!((config.port, config.pool_size), (8080, 500), "{value:?}");
    }
    assert_eq!(Given::new().env("ROOKERY_PORT", "").config().port, 8080);
    assert_eq!(Given::new().env("ROOKERY_PORT", "0").config().port, 0);
    assert_eq!(Given::new().flag("port", "0").config().port, 0);
    assert_eq!(Given::new().file("port = 0").config().port, 0);
}

#[test]
fn every_setting_can_stand_in_the_file() {
    let given = Given::new().env("APPS_DIR", "").file(
        r#"
            env = "development"
            apps_dir = "apps"
            host = "::1"
            port = 0
            pool_size = 7
            app_shell = "@acme/chat@1"
            admin_addr = "localhost:9090"
            admin_token = "s3cret"
            admin_tokens_file = "tokens.toml"
            version_fallback = "none"
            prefer_prerelease = true
            lenient_manifests = true
            cache_dir = "cache"
            drain_grace_secs = 0.5
            header_timeout_secs = 2
            header_bytes_max = 16384

            [log]
            filter = "debug"
            format = "json"

            [hub]
            topics_max = 1
            session_topics_max = 2
            session_timers_max = 3
            message_bytes_max = 4096
            history_bytes_max = 5
            namespace_history_bytes_max = 8
            history_messages_max = 6
            history_secs_max = 7

            [storage]
            database_bytes_max = 1048576
            "#,
    );
    let tokens = "[ci]\nrole = \"deploy\"\ntoken = \"a-long-enough-secret\"\n";
    fs::write(given.path("tokens.toml"), tokens).unwrap();
    let config = given.config();
    assert_eq!(config.mode, Mode::Development);
    assert_eq!(config.admin_addr, Some("127.0.0.1:9090".parse().unwrap()));
    assert_eq!(&*config.admin_tokens[0].name, "ci");
    assert!(
        config.apps_dir.is_dir(),
        "a relative path starts in the file's folder"
    );
    assert!(config.cache_dir.is_absolute());
    assert_eq!(
        (config.host.to_string(), config.port, config.pool_size),
        ("::1".to_owned(), 0, 7)
    );
    assert_eq!(config.app_shell.as_deref(), Some("@acme/chat@1"));
    assert_eq!(
        config.admin_token.as_ref().map(AdminToken::expose),
        Some("s3cret")
    );
    assert_eq!(config.version_fallback, VersionFallback::None);
    assert!(config.prefer_prerelease && config.lenient_manifests);
    assert_eq!(
        (config.drain_grace, config.header_timeout),
        (Duration::from_millis(500), Duration::from_secs(2))
    );
    assert_eq!(
        (config.log.filter.as_str(), config.header_bytes_max),
        ("debug", 16384)
    );
    let hub = &config.hub;
    assert_eq!(
        (
            hub.topics_max,
            hub.session_topics_max,
            hub.session_timers_max
        ),
        (1, 2, 3)
    );
    assert_eq!(
        (
            hub.message_bytes_max,
            hub.history_bytes_max,
            hub.history_messages_max
        ),
        (4096, 5, 6)
    );
    assert_eq!(hub.history_age_max, Duration::from_secs(7));
    assert_eq!(hub.namespace_history_bytes_max, 8);
    assert_eq!(config.database_bytes_max, 1024 * 1024);
}

#[test]
fn all_errors_are_reported_at_once_with_the_source_that_set_them() {
    let given = Given::new()
        .env("APPS_DIR", "/nowhere/at/all")
        .env("PORT", "http")
        .env("ROOKERY_ENV", "staging")
        .flag("pool_size", "0")
        .flag("drain_grace_secs", "-1")
        .file("prot = 1\nversion_fallback = \"lowest\"\nadmin_token = \"two words\"\n[hub]\ntopic_max = true\n[x]\ny = 1");
    assert_eq!(
        given.errors(),
        [
            "hub.topic_max (rookery.toml): is not a setting; did you mean hub.topics_max?",
            "prot (rookery.toml): is not a setting; did you mean port?",
            "x.y (rookery.toml): is not a setting",
            r#"ROOKERY_ENV (environment): must be production or development, but is "staging""#,
            r#"PORT (environment): must be a whole number from 0 to 65535, but is "http""#,
            r#"--pool-size (flag): must be a whole number from 1 to 20000, but is "0""#,
            "admin_token (rookery.toml): must be letters, digits and punctuation without spaces (it is sent in a header)",
            r#"version_fallback (rookery.toml): must be highest or none, but is "lowest""#,
            r#"--drain-grace-secs (flag): must be a number of seconds from 0 to 3600, but is "-1""#,
            "APPS_DIR (environment): there is no folder /nowhere/at/all",
        ]
    );
}

#[test]
fn a_file_that_is_not_toml_is_named_with_its_line() {
    let errors = Given::new().file("port = 1\nhost = = 2").errors();
    assert_eq!(errors.len(), 1);
    assert!(
        errors[0].starts_with("rookery.toml: line 2: "),
        "{}",
        errors[0]
    );
}

#[test]
fn a_file_that_was_asked_for_must_be_there() {
    let given = Given::new();
    let missing = given.path("missing.toml");
    let errors = given.env("ROOKERY_CONFIG", &missing).errors();
    assert_eq!(errors.len(), 1);
    assert!(
        errors[0].starts_with("missing.toml: cannot be read: "),
        "{}",
        errors[0]
    );
}

#[test]
fn other_machines_are_served_only_with_a_token() {
    let given = Given::new().env("HOST", "0.0.0.0");
    let errors = given.errors();
    assert_eq!(errors.len(), 1);
    assert!(
        errors[0].starts_with("HOST (environment): other machines can reach 0.0.0.0"),
        "{}",
        errors[0]
    );
    assert!(errors[0].contains("ROOKERY_ADMIN_TOKEN"));
    for loopback in ["127.0.0.2", "::1", "[::1]", "::ffff:127.0.0.1", "localhost"] {
        assert!(
            Given::new().env("HOST", loopback).config().is_loopback(),
            "{loopback}"
        );
    }
    let guarded = given.env("ROOKERY_ADMIN_TOKEN", "short");
    let loaded = load(&guarded.sources, Mode::Production).unwrap();
    assert_eq!(
        loaded.warnings,
        ["the admin token has fewer than 16 characters and can be guessed"]
    );
}

#[test]
fn an_address_of_the_internal_routes_own_is_the_one_that_counts() {
    let open = Given::new().env("HOST", "0.0.0.0");
    let behind = open.env("ROOKERY_ADMIN_ADDR", "127.0.0.1:9090");
    assert!(behind.config().is_loopback());
    let shown = Given::new().flag("admin_addr", "0.0.0.0:9090");
    let errors = shown.errors();
    let expected =
        "--admin-addr (flag): other machines can reach 0.0.0.0, and there is no admin token";
    assert!(errors[0].starts_with(expected), "{errors:?}");
    let guarded = shown.env("ROOKERY_ADMIN_TOKEN", "a-long-enough-secret");
    assert!(!guarded.config().is_loopback());
    for bad in ["9090", "nowhere:9090", "localhost", "127.0.0.1:99999"] {
        let errors = Given::new().flag("admin_addr", bad).errors();
        assert!(
            errors[0].contains("an IP address or localhost, and a port"),
            "{bad}"
        );
    }
}

#[test]
fn a_file_of_tokens_will_do_where_a_token_is_required() {
    let given = Given::new().env("HOST", "0.0.0.0");
    let file = given.path("tokens.toml");
    let given = given.env("ROOKERY_ADMIN_TOKENS_FILE", &file);
    assert!(given.errors()[0].starts_with("tokens.toml: cannot be read"));
    fs::write(&file, "[ci]\nrole = \"deploy\"\ntoken = \"short\"\n").unwrap();
    let loaded = load(&given.sources, Mode::Production).unwrap();
    assert_eq!(loaded.config.admin_tokens.len(), 1);
    let warnings = ["the token ci has fewer than 16 characters and can be guessed"];
    assert_eq!(loaded.warnings, warnings);
}

#[test]
fn a_misspelt_variable_is_pointed_out() {
    let given = Given::new()
        .env("ROOKERY_PROT", "1")
        .env("ROOKERY_SOMETHING_ELSE", "1")
        .env("ROOKERY_URL", "http://127.0.0.1:8080")
        .env("ROOKERY_CONFIG", "");
    let loaded = load(&given.sources, Mode::Production).unwrap();
    assert_eq!(
        loaded.warnings,
        ["ROOKERY_PROT (environment): is not a setting; did you mean ROOKERY_PORT?"]
    );
}

#[test]
fn the_token_is_never_shown() {
    let config = Given::new()
        .env("ROOKERY_ADMIN_TOKEN", "hunter2hunter2hunter2")
        .config();
    assert!(!format!("{config:?}").contains("hunter2"));
}

#[test]
fn an_app_shell_is_a_name_with_or_without_a_selector() {
    for good in ["chat", "chat@1", "@acme/chat", "@acme/chat@^1.2"] {
        assert_eq!(
            Given::new()
                .env("APP_SHELL", good)
                .config()
                .app_shell
                .as_deref(),
            Some(good)
        );
    }
    for bad in ["@", "../chat", "@acme", "/chat"] {
        assert_eq!(
            Given::new().env("APP_SHELL", bad).errors().len(),
            1,
            "{bad}"
        );
    }
}

#[test]
fn the_cache_is_in_the_users_cache_folder() {
    let given = Given::new().env("HOME", "/home/ada");
    assert_eq!(
        given.config().cache_dir,
        Path::new("/home/ada/.cache/rookery")
    );
    let given = given.env("XDG_CACHE_HOME", "/var/cache/ada");
    assert_eq!(
        given.config().cache_dir,
        Path::new("/var/cache/ada/rookery")
    );
    let given = given.env("ROOKERY_CACHE_DIR", "/srv/cache");
    assert_eq!(given.config().cache_dir, Path::new("/srv/cache"));
}
