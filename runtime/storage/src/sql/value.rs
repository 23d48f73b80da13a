//! One value in a row or in a statement's place.

/// A value, in the types that every database has.
#[derive(Clone, PartialEq, Debug)]
pub enum Value {
    /// No value.
    Null,
    /// True or false. SQLite keeps it as 1 or 0, and gives it back as a boolean from a column declared `BOOLEAN`.
    Boolean(bool),
    /// A whole number.
    Integer(i64),
    /// A floating point number.
    Real(f64),
    /// Text.
    Text(String),
    /// Bytes.
    Blob(Vec<u8>),
}

impl Value {
    /// How much of a result's limit it uses, in bytes.
    pub fn len(&self) -> usize {
        match self {
            Value::Null | Value::Boolean(_) => 1,
            Value::Integer(_) | Value::Real(_) => 8,
            Value::Text(text) => text.len(),
            Value::Blob(bytes) => bytes.len(),
        }
    }

    /// Whether it is text or bytes of no length.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
