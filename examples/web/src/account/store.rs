// SPDX-License-Identifier: MIT OR Apache-2.0
//! The accounts, in an SQLite file: a name, the hash of a password, the vector of a face. No pictures.
//!
//! rusqlite and not sqlx: one file, a handful of statements, and no second pool of threads; sqlx would bring its own SQLite bindings, a
//! macro that wants a database while the program is built, and four times the code to compile.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context, bail};
use liveness::sync::lock;
use rusqlite::{Connection, OptionalExtension, params};

use crate::identity::Embedding;

/// Version of the tables, kept in the file.
const VERSION: i64 = 1;

/// How long a statement waits for another program that has the file.
const WAIT: Duration = Duration::from_secs(5);

const TABLES: &str = "
CREATE TABLE account (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    name     TEXT NOT NULL UNIQUE,
    password TEXT NOT NULL,
    face     BLOB NOT NULL,
    model    TEXT NOT NULL,
    created  TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP
) STRICT;
PRAGMA user_version = 1;
";

/// An account.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Account {
    pub(crate) id: i64,
    pub(crate) name: String,
    /// The hash of the password.
    pub(crate) password: String,
    pub(crate) face: Embedding,
    /// The model that made the vector.
    pub(crate) model: String,
}

/// Why an account cannot be made.
#[derive(Debug)]
pub(crate) enum Fault {
    /// There is one with this name.
    Taken,
    /// The database cannot be used.
    Broken(anyhow::Error),
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::ConstraintViolation) => Self::Taken,
            _ => Self::Broken(error.into()),
        }
    }
}

/// The file. One statement at a time, in threads that may wait for the disk.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    connection: Arc<Mutex<Connection>>,
}

impl Store {
    /// Opens the file, and makes it where there is none: readable for this user alone, as a face's vector tells who somebody is.
    ///
    /// # Errors
    /// Where it cannot be read or written, is no database of accounts, or one of a newer version.
    pub(crate) fn open(path: &Path) -> anyhow::Result<Self> {
        let what = || format!("the database {}", path.display());
        let mut options = std::fs::OpenOptions::new();
        options.append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        drop(options.open(path).with_context(what)?);
        let connection = Connection::open(path).with_context(what)?;
        connection.busy_timeout(WAIT)?;
        // What is deleted is overwritten.
        connection
            .pragma_update(None, "secure_delete", true)
            .with_context(what)?;
        let version = connection.query_row("PRAGMA user_version", [], |row| row.get::<_, i64>(0));
        match version.with_context(what)? {
            0 => {
                let tables = "SELECT count(*) FROM sqlite_master";
                let others = connection
                    .query_row(tables, [], |row| row.get::<_, i64>(0))
                    .with_context(what)?;
                if others > 0 {
                    bail!(
                        "{} belongs to another program: name another file with --database",
                        what()
                    );
                }
                let transaction = format!("BEGIN IMMEDIATE;{TABLES}COMMIT;");
                connection.execute_batch(&transaction).with_context(what)?;
            }
            VERSION => {}
            version => bail!(
                "{} is of version {version}, this program knows version {VERSION}",
                what()
            ),
        }
        Ok(Self {
            connection: Arc::new(Mutex::new(connection)),
        })
    }

    /// The account with this name.
    ///
    /// # Errors
    /// What SQLite says.
    pub(crate) async fn find(&self, name: String) -> anyhow::Result<Option<Account>> {
        self.run(move |c| {
            let row = c.query_row(
                "SELECT id, name, password, face, model FROM account WHERE name = ?1",
                [&name],
                account,
            );
            Ok(row.optional()?)
        })
        .await
    }

    /// The account with this number.
    ///
    /// # Errors
    /// What SQLite says.
    pub(crate) async fn get(&self, id: i64) -> anyhow::Result<Option<Account>> {
        self.run(move |c| {
            let row = c.query_row(
                "SELECT id, name, password, face, model FROM account WHERE id = ?1",
                [id],
                account,
            );
            Ok(row.optional()?)
        })
        .await
    }

    /// Makes an account, and gives its number.
    ///
    /// # Errors
    /// [`Fault::Taken`] where there is one with this name.
    pub(crate) async fn add(
        &self,
        name: String,
        password: String,
        face: Embedding,
        model: String,
    ) -> Result<i64, Fault> {
        let added = self.run(move |c| {
            let insert =
                "INSERT INTO account (name, password, face, model) VALUES (?1, ?2, ?3, ?4)";
            let done = c.execute(insert, params![name, password, bytes(&face), model]);
            Ok(done.map(|_| c.last_insert_rowid()))
        });
        Ok(added.await.map_err(Fault::Broken)??)
    }

    /// Takes an account away with all that is known of it. False where there was none.
    ///
    /// # Errors
    /// What SQLite says.
    pub(crate) async fn remove(&self, id: i64) -> anyhow::Result<bool> {
        self.run(move |c| Ok(c.execute("DELETE FROM account WHERE id = ?1", [id])? > 0))
            .await
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> anyhow::Result<T> + Send + 'static,
    ) -> anyhow::Result<T> {
        let connection = self.connection.clone();
        let done = tokio::task::spawn_blocking(move || work(&lock(&connection)));
        done.await?
    }
}

fn account(row: &rusqlite::Row) -> rusqlite::Result<Account> {
    let face: Vec<u8> = row.get(3)?;
    let numbers = face
        .as_chunks::<4>()
        .0
        .iter()
        .map(|b| f32::from_le_bytes(*b));
    let face = Embedding::new(numbers.collect());
    let damaged =
        || rusqlite::Error::InvalidColumnType(3, "face".into(), rusqlite::types::Type::Blob);
    Ok(Account {
        id: row.get(0)?,
        name: row.get(1)?,
        password: row.get(2)?,
        face: face.ok_or_else(damaged)?,
        model: row.get(4)?,
    })
}

fn bytes(face: &Embedding) -> Vec<u8> {
    face.numbers()
        .iter()
        .flat_map(|v| v.to_le_bytes())
        .collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn face() -> Embedding {
        Embedding::new((1..=64).map(|v| v as f32).collect()).unwrap()
    }

    async fn add(store: &Store, name: &str) -> Result<i64, Fault> {
        store
            .add(name.into(), "hash".into(), face(), "model".into())
            .await
    }

    #[tokio::test]
    async fn an_account_comes_back_as_it_was_and_goes_without_a_trace() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("accounts.sqlite");
        let store = Store::open(&path).unwrap();
        let id = add(&store, "anna").await.unwrap();
        assert!(matches!(add(&store, "anna").await, Err(Fault::Taken)));
        add(&store, "bert").await.unwrap();
        drop(store);

        let store = Store::open(&path).unwrap();
        let found = store.find("anna".into()).await.unwrap().unwrap();
        assert_eq!(
            (found.id, &*found.password, &*found.model),
            (id, "hash", "model")
        );
        assert!((found.face.cosine(&face()) - 1.0).abs() < 1e-6);
        assert_eq!(store.get(id).await.unwrap().unwrap(), found);
        let is_in_file = |bytes: &[u8]| {
            fs::read(&path)
                .unwrap()
                .windows(bytes.len())
                .any(|w| w == bytes)
        };
        assert!(is_in_file(b"anna") && is_in_file(b"bert"));

        assert!(store.remove(id).await.unwrap());
        assert!(!store.remove(id).await.unwrap());
        assert_eq!(store.find("anna".into()).await.unwrap(), None);
        assert!(!is_in_file(b"anna") && is_in_file(b"bert"));
        // Nobody gets its number again: whoever is logged in with it is nobody.
        assert!(add(&store, "carl").await.unwrap() > id + 1);
        let left = fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(left, 1, "nothing lies beside it");
    }

    #[test]
    fn what_is_no_database_of_ours_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(
            path("text"),
            "this is a text, and long enough to be no header of a database".repeat(9),
        )
        .unwrap();
        let other = Connection::open(path("other")).unwrap();
        other
            .execute_batch("CREATE TABLE cake (id INTEGER)")
            .unwrap();
        let newer = Connection::open(path("newer")).unwrap();
        newer.execute_batch("PRAGMA user_version = 7").unwrap();
        for (name, said) in [
            ("text", "text"),
            ("other", "--database"),
            ("newer", "version 7"),
            ("no/folder", "no/folder"),
        ] {
            let told = format!("{:#}", Store::open(&path(name)).unwrap_err());
            assert!(told.contains(said), "{told}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_can_read_it() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("accounts.sqlite");
        Store::open(&path).unwrap();
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{mode:o}");
    }
}
