//! A row, and how its values become types.

use std::fmt;
use std::rc::Rc;

use super::Value;

/// A row of a result.
#[derive(Clone, PartialEq, Debug)]
pub struct Row {
    columns: Rc<[String]>,
    values: Vec<Value>,
}

/// A column is not there, or holds another type.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WrongType {
    column: String,
    wanted: &'static str,
    found: &'static str,
}

impl fmt::Display for WrongType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let WrongType {
            column,
            wanted,
            found,
        } = self;
        write!(
            f,
            "column {column}: {wanted} was wanted, and it holds {found}"
        )
    }
}

impl std::error::Error for WrongType {}

/// What a value of a row can become.
pub trait FromValue: Sized {
    /// What it is called in errors.
    const NAME: &'static str;

    /// The value, if it is one of these.
    fn from_value(value: Value) -> Option<Self>;
}

impl Row {
    /// The value of a column.
    ///
    /// # Errors
    /// [`WrongType`], also for a column that is not there.
    pub fn get<T: FromValue>(&self, column: &str) -> Result<T, WrongType> {
        let at = self.columns.iter().position(|name| name == column);
        let value = at.and_then(|at| self.values.get(at));
        let wrong = |found| WrongType {
            column: column.to_owned(),
            wanted: T::NAME,
            found,
        };
        let value = value.ok_or_else(|| wrong("nothing, for there is no such column"))?;
        T::from_value(value.clone()).ok_or_else(|| wrong(name(value)))
    }

    /// The columns' names, in order.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The values, in the columns' order.
    pub fn values(&self) -> &[Value] {
        &self.values
    }
}

/// A result as it comes from the host.
pub(crate) fn rows((columns, rows): (Vec<String>, Vec<Vec<Value>>)) -> Vec<Row> {
    let columns: Rc<[String]> = columns.into();
    let row = |values| Row {
        columns: Rc::clone(&columns),
        values,
    };
    rows.into_iter().map(row).collect()
}

fn name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Boolean(_) => "a boolean",
        Value::Integer(_) => "a whole number",
        Value::Real(_) => "a real number",
        Value::Text(_) => "text",
        Value::Blob(_) => "bytes",
    }
}

macro_rules! from_value {
    ($($type:ty, $name:literal, $($pattern:pat => $made:expr),*;)*) => {
        $(impl FromValue for $type {
            const NAME: &'static str = $name;

            fn from_value(value: Value) -> Option<Self> {
                match value {
                    $($pattern => $made,)*
                    _ => None,
                }
            }
        })*
    };
}

from_value! {
    i64, "a whole number", Value::Integer(value) => Some(value);
    bool, "a boolean", Value::Boolean(value) => Some(value), Value::Integer(value) => match value {
        0 => Some(false),
        1 => Some(true),
        _ => None,
    };
    f64, "a real number", Value::Real(value) => Some(value), Value::Integer(value) => Some(value as f64);
    String, "text", Value::Text(value) => Some(value);
    Vec<u8>, "bytes", Value::Blob(value) => Some(value);
}

impl FromValue for Value {
    const NAME: &'static str = "a value";

    fn from_value(value: Value) -> Option<Self> {
        Some(value)
    }
}

impl<T: FromValue> FromValue for Option<T> {
    const NAME: &'static str = T::NAME;

    fn from_value(value: Value) -> Option<Self> {
        match value {
            Value::Null => Some(None),
            value => T::from_value(value).map(Some),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_is_what_it_holds_or_says_what_it_is() {
        let columns = ["id", "name", "gone"].map(str::to_owned).to_vec();
        let values = vec![
            Value::Integer(7),
            Value::Text("ada".to_owned()),
            Value::Null,
        ];
        let row = rows((columns, vec![values])).remove(0);
        assert_eq!(row.get("id"), Ok(7_i64));
        assert_eq!(row.get("id"), Ok(7.0));
        assert_eq!(row.get("name"), Ok("ada".to_owned()));
        assert_eq!(row.get("gone"), Ok(None::<String>));
        assert_eq!(row.get("name"), Ok(Some("ada".to_owned())));
        let said = |wrong: Result<i64, WrongType>| wrong.expect_err("it is none").to_string();
        let expected = "column name: a whole number was wanted, and it holds text";
        assert_eq!(said(row.get("name")), expected);
        assert!(said(row.get("none")).contains("no such column"));
        assert!(row.get::<bool>("id").is_err());
    }
}
