//! What goes into a statement and comes out of it: numbers and texts, each of which may be missing.

use sqlx::postgres::PgRow;
use sqlx::query::Query;
use sqlx::sqlite::SqliteRow;
use sqlx::{Column, Database, Encode, Row as _, Type, TypeInfo, ValueRef};

use super::super::error::StoreError;

/// What a statement is given.
#[derive(Debug, Clone, Copy)]
pub enum Arg<'a> {
    /// A number.
    Int(i64),
    /// A number, or none.
    MaybeInt(Option<i64>),
    /// A text.
    Text(&'a str),
    /// A text, or none.
    MaybeText(Option<&'a str>),
}

impl From<i64> for Arg<'_> {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<Option<i64>> for Arg<'_> {
    fn from(number: Option<i64>) -> Self {
        Self::MaybeInt(number)
    }
}

impl<'a> From<&'a str> for Arg<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text)
    }
}

impl<'a> From<&'a String> for Arg<'a> {
    fn from(text: &'a String) -> Self {
        Self::Text(text)
    }
}

impl<'a> From<Option<&'a str>> for Arg<'a> {
    fn from(text: Option<&'a str>) -> Self {
        Self::MaybeText(text)
    }
}

/// A row of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row(Vec<Cell>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Cell {
    Int(i64),
    Text(String),
    Null,
}

impl Row {
    /// The number in a column.
    ///
    /// # Errors
    /// There is none.
    pub fn int(&self, column: usize) -> Result<i64, StoreError> {
        self.maybe_int(column)?.ok_or_else(|| self.strange(column))
    }

    /// The number in a column, or none.
    ///
    /// # Errors
    /// There is something else.
    pub fn maybe_int(&self, column: usize) -> Result<Option<i64>, StoreError> {
        match self.0.get(column) {
            Some(Cell::Int(number)) => Ok(Some(*number)),
            Some(Cell::Null) => Ok(None),
            _ => Err(self.strange(column)),
        }
    }

    /// The text in a column.
    ///
    /// # Errors
    /// There is none.
    pub fn text(&self, column: usize) -> Result<&str, StoreError> {
        self.maybe_text(column)?.ok_or_else(|| self.strange(column))
    }

    /// The text in a column, or none.
    ///
    /// # Errors
    /// There is something else.
    pub fn maybe_text(&self, column: usize) -> Result<Option<&str>, StoreError> {
        match self.0.get(column) {
            Some(Cell::Text(text)) => Ok(Some(text)),
            Some(Cell::Null) => Ok(None),
            _ => Err(self.strange(column)),
        }
    }

    /// What a column's text says, as JSON.
    ///
    /// # Errors
    /// It is none.
    pub fn json<T: serde::de::DeserializeOwned>(&self, column: usize) -> Result<T, StoreError> {
        serde_json::from_str(self.text(column)?).map_err(|error| StoreError::Unreadable {
            what: format!("column {column}"),
            why: error.to_string(),
        })
    }

    fn strange(&self, column: usize) -> StoreError {
        StoreError::Unreadable {
            what: format!("column {column}"),
            why: format!("it is {:?}", self.0.get(column)),
        }
    }
}

/// A statement with what it is given.
pub fn bound<'q, D: Database>(
    query: Query<'q, D, D::Arguments>,
    args: &'q [Arg<'q>],
) -> Query<'q, D, D::Arguments>
where
    i64: Encode<'q, D> + Type<D>,
    Option<i64>: Encode<'q, D> + Type<D>,
    &'q str: Encode<'q, D> + Type<D>,
    Option<&'q str>: Encode<'q, D> + Type<D>,
{
    args.iter().fold(query, |query, arg| match *arg {
        Arg::Int(number) => query.bind(number),
        Arg::MaybeInt(number) => query.bind(number),
        Arg::Text(text) => query.bind(text),
        Arg::MaybeText(text) => query.bind(text),
    })
}

/// A row of SQLite. Its columns have what was put in, whatever their type says.
pub fn of_sqlite(row: &SqliteRow) -> Result<Row, StoreError> {
    let cell = |column: usize| {
        let value = row.try_get_raw(column)?;
        if value.is_null() {
            return Ok(Cell::Null);
        }
        Ok::<_, sqlx::Error>(match value.type_info().name() {
            "TEXT" => Cell::Text(row.try_get(column)?),
            _ => Cell::Int(row.try_get(column)?),
        })
    };
    let cells = (0..row.columns().len()).map(cell).collect::<Result<_, _>>()?;
    Ok(Row(cells))
}

/// A row of PostgreSQL.
pub fn of_postgres(row: &PgRow) -> Result<Row, StoreError> {
    let cell = |(place, column): (usize, &sqlx::postgres::PgColumn)| {
        Ok::<_, sqlx::Error>(match column.type_info().name() {
            "INT8" => row.try_get::<Option<i64>, _>(place)?.map_or(Cell::Null, Cell::Int),
            "INT4" => row
                .try_get::<Option<i32>, _>(place)?
                .map_or(Cell::Null, |number| Cell::Int(number.into())),
            _ => row.try_get::<Option<String>, _>(place)?.map_or(Cell::Null, Cell::Text),
        })
    };
    let cells = row.columns().iter().enumerate().map(cell).collect::<Result<_, _>>()?;
    Ok(Row(cells))
}
