//! The session in which everything is planned: all built-in functions, names as they are written.

use std::sync::LazyLock;

use datafusion::prelude::{SessionConfig, SessionContext};

/// Made once: it registers several hundred functions.
static PLANNING: LazyLock<SessionContext> = LazyLock::new(|| SessionContext::new_with_config(config()));

/// The session for expressions, which have no tables.
pub(super) fn planning() -> &'static SessionContext {
    &PLANNING
}

/// Names are matched as they are written: `userId` is a column of that name.
pub(super) fn config() -> SessionConfig {
    let mut config = SessionConfig::new().with_target_partitions(1).with_information_schema(false);
    config.options_mut().sql_parser.enable_ident_normalization = false;
    config
}
