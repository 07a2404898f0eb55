//! What lies where in the file, and which files are this program's.
//!
//! Ids are keys in big-endian bytes, so that the order of keys is the order of ids.

use ::redb::{
    Database, Key, ReadTransaction, ReadableDatabase, ReadableTable, TableDefinition, TableHandle, Value,
    WriteTransaction,
};

use super::fault::Fault;

/// An id as a key.
pub(super) type IdKey = [u8; 8];

/// SHA-256 of a token, as a key.
pub(super) type TokenHash = [u8; 32];

/// The mark of a file of this program: under [`FORMAT_KEY`], the version of these tables.
const FORMAT: TableDefinition<'_, &str, u64> = TableDefinition::new("wtfdial");
const FORMAT_KEY: &str = "format";

/// Goes up when a table comes, goes or changes its meaning. Fields of records come and go without.
const FORMAT_VERSION: u64 = 1;

/// The last id that was given out, under [`DIAL_IDS`] and [`USER_IDS`].
pub(super) const LAST_IDS: TableDefinition<'_, &str, u64> = TableDefinition::new("last_ids");
pub(super) const DIAL_IDS: &str = "dial";
pub(super) const USER_IDS: &str = "user";

/// Records of dials.
pub(super) const DIALS: TableDefinition<'_, IdKey, &[u8]> = TableDefinition::new("dials");

/// Records of users.
pub(super) const USERS: TableDefinition<'_, IdKey, &[u8]> = TableDefinition::new("users");

/// The user of a name.
pub(super) const USER_NAMES: TableDefinition<'_, &str, IdKey> = TableDefinition::new("user_names");

/// The user of a token. The token itself is nowhere.
pub(super) const TOKENS: TableDefinition<'_, TokenHash, IdKey> = TableDefinition::new("tokens");

/// Something to be done with every table, whatever its types.
pub(super) trait EachTable {
    fn table<K: Key + 'static, V: Value + 'static>(
        &mut self,
        definition: TableDefinition<'static, K, V>,
    ) -> Result<(), Fault>;
}

/// Does it with every table there is.
pub(super) fn each_table(visitor: &mut impl EachTable) -> Result<(), Fault> {
    visitor.table(FORMAT)?;
    visitor.table(LAST_IDS)?;
    visitor.table(DIALS)?;
    visitor.table(USERS)?;
    visitor.table(USER_NAMES)?;
    visitor.table(TOKENS)
}

/// Lets a file of this program pass and makes one of an empty database; refuses every other.
pub(super) fn admit(database: &Database) -> Result<(), Fault> {
    if database.begin_read()?.list_tables()?.next().is_none() {
        return create(database);
    }
    recognise(&database.begin_read()?)
}

/// Refuses a file that is not this program's, or has tables that this version does not know.
pub(super) fn recognise(transaction: &ReadTransaction) -> Result<(), Fault> {
    let found: Vec<String> = transaction
        .list_tables()?
        .map(|table| table.name().to_owned())
        .collect();
    if !found.iter().any(|name| name == FORMAT.name()) {
        return Err(Fault::Foreign("it is the redb file of another program".to_owned()));
    }
    let format = transaction
        .open_table(FORMAT)?
        .get(FORMAT_KEY)?
        .map(|version| version.value());
    if format != Some(FORMAT_VERSION) {
        let version = format.map_or("none".to_owned(), |version| version.to_string());
        return Err(Fault::Foreign(format!(
            "its format is {version}, and this wtfdial knows format {FORMAT_VERSION}"
        )));
    }
    let mut known = Names(Vec::new());
    each_table(&mut known)?;
    if let Some(name) = found.iter().find(|name| !known.0.contains(name)) {
        return Err(Fault::Foreign(format!(
            "it has a table `{name}` that this wtfdial does not know"
        )));
    }
    if let Some(name) = known.0.iter().find(|name| !found.contains(name)) {
        return Err(Fault::Damaged(format!("it has no table `{name}`")));
    }
    Ok(())
}

/// Creates all tables.
fn create(database: &Database) -> Result<(), Fault> {
    let transaction = database.begin_write()?;
    each_table(&mut Create(&transaction))?;
    transaction.open_table(FORMAT)?.insert(FORMAT_KEY, FORMAT_VERSION)?;
    transaction.commit()?;
    Ok(())
}

struct Names(Vec<String>);

impl EachTable for Names {
    fn table<K: Key + 'static, V: Value + 'static>(
        &mut self,
        definition: TableDefinition<'static, K, V>,
    ) -> Result<(), Fault> {
        self.0.push(definition.name().to_owned());
        Ok(())
    }
}

struct Create<'t>(&'t WriteTransaction);

impl EachTable for Create<'_> {
    fn table<K: Key + 'static, V: Value + 'static>(
        &mut self,
        definition: TableDefinition<'static, K, V>,
    ) -> Result<(), Fault> {
        self.0.open_table(definition)?;
        Ok(())
    }
}

/// Gives out the next id. It counts as given out if this transaction commits.
pub(super) fn next_id(transaction: &WriteTransaction, of: &'static str) -> Result<u64, Fault> {
    let mut last_ids = transaction.open_table(LAST_IDS)?;
    let last = last_ids.get(of)?.map_or(0, |last| last.value());
    let next = last
        .checked_add(1)
        .ok_or_else(|| Fault::Damaged(format!("the last {of} id is the last number there is")))?;
    last_ids.insert(of, next)?;
    Ok(next)
}
