//! The connection pool and the two kinds of transaction.
//!
//! There is no way to run SQL outside a transaction that says for whom it works: [`TenantTx`] reaches one tenant's
//! rows, [`SystemTx`] only the routing tables. Row-level security in the database enforces what these types express.

use std::str::FromStr;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgConnection, PgListener, PgPool, PgPoolOptions};
use sqlx::{AssertSqlSafe, Connection, Executor, Postgres, Transaction};
use uuid::Uuid;

use crate::StoreError;
use crate::search::HNSW_SESSION;

static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("../migrations");

/// Handle to the database; cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    pool: PgPool,
    options: PgConnectOptions,
}

impl Store {
    /// Connects with at most `connections` connections. The schema must be current, see [`Store::migrate`].
    pub async fn connect(url: &str, connections: u32) -> Result<Self, StoreError> {
        let options = PgConnectOptions::from_str(url)?.application_name("plumbline");
        let pool = PgPoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(Duration::from_secs(10))
            .test_before_acquire(false) // the BEGIN finds out, see `Store::begin`
            .after_connect(|connection, _| {
                Box::pin(async move {
                    connection
                        .execute("SET ROLE plumbline_app; SET jit = off")
                        .await?;
                    connection.execute(HNSW_SESSION).await?;
                    Ok(())
                })
            })
            .connect_with(options.clone())
            .await?;
        Ok(Self { pool, options })
    }

    /// Brings the schema of `url` up to date with the rights of the connecting user.
    pub async fn migrate(url: &str) -> Result<(), StoreError> {
        let mut connection = PgConnection::connect(url).await?;
        MIGRATIONS.run(&mut connection).await?;
        connection.close().await?;
        Ok(())
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<(), StoreError> {
        Ok(self.begin("BEGIN").await?.rollback().await?)
    }

    /// Versions of the server and of its vector extension.
    pub async fn server_versions(&self) -> Result<ServerVersions, StoreError> {
        let mut tx = self.begin("BEGIN").await?;
        Ok(sqlx::query_as(
            "SELECT current_setting('server_version') AS postgres,
                    (SELECT extversion FROM pg_extension WHERE extname = 'vector') AS pgvector",
        )
        .fetch_one(&mut *tx)
        .await?)
    }

    /// A transaction on one tenant's rows. Dropped without [`TenantTx::commit`], it rolls back.
    pub async fn tenant(&self, tenant: Uuid) -> Result<TenantTx, StoreError> {
        let tx = self
            .begin(&format!("BEGIN; SET LOCAL plumbline.tenant = '{tenant}'"))
            .await?;
        Ok(TenantTx { tx, tenant })
    }

    /// A transaction on the routing tables of all tenants (keys, sessions, channels, jobs), and no content.
    pub async fn system(&self) -> Result<SystemTx, StoreError> {
        let tx = self.begin("BEGIN; SET LOCAL plumbline.scope = 'system'").await?;
        Ok(SystemTx { tx })
    }

    /// Begins a transaction with `statement`, in one round trip. A connection that ended while it was idle is found out
    /// here, where nothing is lost by taking another one: asking each before its use would cost every search a round trip
    /// per transaction.
    async fn begin(&self, statement: &str) -> Result<Transaction<'static, Postgres>, StoreError> {
        let mut more = self.pool.options().get_max_connections();
        loop {
            match self.pool.begin_with(AssertSqlSafe(statement.to_owned())).await {
                Err(error) if more > 0 && has_ended(&error) => more -= 1,
                begun => return Ok(begun?),
            }
        }
    }

    /// Listens on a notification channel over a connection of its own, outside the pool.
    pub async fn listen(&self, channel: &str) -> Result<PgListener, StoreError> {
        let pool = PgPoolOptions::new()
            .max_connections(1)
            .connect_with(self.options.clone())
            .await?;
        let mut listener = PgListener::connect_with(&pool).await?;
        listener.listen(channel).await?;
        Ok(listener)
    }

    /// How to connect with the rights of the connecting user, outside the pool.
    pub(crate) fn options(&self) -> &PgConnectOptions {
        &self.options
    }

    /// Closes all connections.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

/// Whether an error says that the connection is gone: cut, or ended by an administrator or a restart.
fn has_ended(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) => true,
        sqlx::Error::Database(error) => error.code().is_some_and(|code| code.starts_with("57P")),
        _ => false,
    }
}

/// Versions of the database.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct ServerVersions {
    /// PostgreSQL.
    pub postgres: String,
    /// pgvector.
    pub pgvector: String,
}

/// A transaction bound to one tenant.
#[derive(Debug)]
pub struct TenantTx {
    tx: Transaction<'static, Postgres>,
    tenant: Uuid,
}

impl TenantTx {
    /// Commits.
    pub async fn commit(self) -> Result<(), StoreError> {
        Ok(self.tx.commit().await?)
    }

    /// The tenant this transaction works for.
    pub fn tenant(&self) -> Uuid {
        self.tenant
    }

    pub(crate) fn conn(&mut self) -> &mut PgConnection {
        &mut self.tx
    }

    /// Back to the system transaction this one was made from.
    pub(crate) fn into_system(self) -> SystemTx {
        SystemTx { tx: self.tx }
    }
}

/// A transaction on the routing tables.
#[derive(Debug)]
pub struct SystemTx {
    tx: Transaction<'static, Postgres>,
}

impl SystemTx {
    /// Commits.
    pub async fn commit(self) -> Result<(), StoreError> {
        Ok(self.tx.commit().await?)
    }

    pub(crate) fn conn(&mut self) -> &mut PgConnection {
        &mut self.tx
    }

    /// The same transaction, now also on the rows of one tenant: for the webhook, whose one body may concern several.
    pub(crate) async fn for_tenant(mut self, tenant: Uuid) -> Result<TenantTx, StoreError> {
        sqlx::query("SELECT set_config('plumbline.tenant', $1::text, true)")
            .bind(tenant)
            .execute(&mut *self.tx)
            .await?;
        Ok(TenantTx { tx: self.tx, tenant })
    }
}
