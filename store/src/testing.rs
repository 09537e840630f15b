//! A fresh database per test, on the Postgres named by `DATABASE_URL` or on a throw-away private cluster.

use std::path::{Path, PathBuf};

use sqlx::{Connection, PgConnection};
use uuid::Uuid;

use crate::local::{LocalOptions, LocalPostgres, create_database, drop_database};
use crate::{Store, StoreError};

/// A migrated database of its own; dropped with the value that holds it, or with [`TestDatabase::drop`].
#[derive(Debug)]
pub struct TestDatabase {
    url: String,
    admin: String,
    name: String,
    // the order of the fields is the order of their end: the cluster before its directory
    cluster: Option<LocalPostgres>,
    _directory: Option<tempfile::TempDir>,
}

impl TestDatabase {
    /// Creates and migrates a database.
    ///
    /// # Errors
    /// When neither `DATABASE_URL` nor an installed private PostgreSQL is there: a test that needs a database fails
    /// without one, it is never skipped.
    #[expect(
        clippy::disallowed_methods,
        reason = "tests have no command line; this is their only setting"
    )]
    pub async fn create() -> Result<Self, StoreError> {
        let name = format!("plumbline_test_{}", Uuid::now_v7().simple());
        let (admin, cluster, directory) = if let Ok(url) = std::env::var("DATABASE_URL") {
            (url, None, None)
        } else {
            let install = std::env::var_os("PLUMBLINE_PG_DIR")
                .map_or_else(|| find_runtime().join("postgres"), Into::into);
            let directory = tempfile::tempdir().map_err(StoreError::file("create", std::env::temp_dir()))?;
            std::fs::set_permissions(
                directory.path(),
                std::os::unix::fs::PermissionsExt::from_mode(0o755),
            )
            .map_err(StoreError::file("open", directory.path()))?;
            let options = LocalOptions {
                install,
                directory: directory.path().join("pg"),
                durable: false,
            };
            let cluster = LocalPostgres::start(&options)?;
            (cluster.url("postgres"), Some(cluster), Some(directory))
        };
        create_database(&admin, &name).await?;
        let url = with_database(&admin, &name);
        Store::migrate(&url).await?;
        Ok(Self {
            url,
            admin,
            name,
            cluster,
            _directory: directory,
        })
    }

    /// Address of the database.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A store on the database.
    pub async fn store(&self) -> Result<Store, StoreError> {
        Store::connect(&self.url, 8).await
    }

    /// What a counting query counts, over all tenants: for tests that look for what must not be left over.
    pub async fn count(&self, query: &'static str) -> Result<i64, StoreError> {
        let mut connection = PgConnection::connect(&self.url).await?;
        let count = sqlx::query_scalar(query).fetch_one(&mut connection).await?;
        connection.close().await?;
        Ok(count)
    }

    /// Runs a statement with the rights of the database's owner.
    pub async fn execute(&self, statement: &'static str) -> Result<(), StoreError> {
        let mut connection = PgConnection::connect(&self.url).await?;
        sqlx::raw_sql(statement).execute(&mut connection).await?;
        Ok(connection.close().await?)
    }

    /// Ends every connection to the database, as a restart of PostgreSQL would.
    pub async fn break_connections(&self) -> Result<(), StoreError> {
        let mut admin = PgConnection::connect(&self.admin).await?;
        sqlx::query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1")
            .bind(&self.name)
            .execute(&mut admin)
            .await?;
        Ok(admin.close().await?)
    }

    /// Drops the database; on a throw-away cluster there is nothing to tidy.
    pub async fn drop(self) -> Result<(), StoreError> {
        if self.cluster.is_none() {
            drop_database(&self.admin, &self.name).await
        } else {
            Ok(())
        }
    }
}

/// The provisioned runtime: `PLUMBLINE_RUNTIME`, else `runtime/.local` in this directory or one above it.
#[expect(
    clippy::disallowed_methods,
    reason = "tests have no command line; this is their only setting"
)]
pub fn find_runtime() -> PathBuf {
    if let Some(path) = std::env::var_os("PLUMBLINE_RUNTIME") {
        return path.into();
    }
    let here = std::env::current_dir().unwrap_or_default();
    here.ancestors()
        .map(|folder| folder.join("runtime/.local"))
        .find(|path| path.is_dir())
        .unwrap_or_else(|| Path::new("runtime/.local").to_owned())
}

fn with_database(url: &str, name: &str) -> String {
    let (head, query) = url
        .split_once('?')
        .map_or((url, String::new()), |(head, query)| (head, format!("?{query}")));
    let (server, _) = head.rsplit_once('/').unwrap_or((head, ""));
    format!("{server}/{name}{query}")
}

#[cfg(test)]
mod tests {
    use super::with_database;

    #[test]
    fn the_database_name_is_replaced_and_the_rest_kept() {
        assert_eq!(
            with_database("postgres://u@h/db?host=%2Ftmp", "x"),
            "postgres://u@h/x?host=%2Ftmp"
        );
        assert_eq!(
            with_database("postgres://u:p@h:1/db", "x"),
            "postgres://u:p@h:1/x"
        );
    }
}
