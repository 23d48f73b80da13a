//! Header fields, in order.
//!
//! **Absent on purpose:** a hash map. A message has a dozen fields; a walk over them is cheaper than hashing their names.

/// The fields of a request or a response. Names compare without regard to case; a name may occur more than once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Headers(Vec<(String, Vec<u8>)>);

impl Headers {
    /// No fields.
    pub fn new() -> Headers {
        Headers::default()
    }

    /// The first value of a name, if it is UTF-8.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// Every value of a name that is UTF-8, in order.
    pub fn all<'a, 'n>(&'a self, name: &'n str) -> impl Iterator<Item = &'a str> + use<'a, 'n> {
        self.0
            .iter()
            .filter(move |(known, _)| known.eq_ignore_ascii_case(name))
            .filter_map(|(_, value)| std::str::from_utf8(value).ok())
    }

    /// Whether the name occurs.
    pub fn contains(&self, name: &str) -> bool {
        self.0
            .iter()
            .any(|(known, _)| known.eq_ignore_ascii_case(name))
    }

    /// Replaces every value of a name by one.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<Vec<u8>>) {
        let name = name.into();
        self.remove(&name);
        self.0.push((name, value.into()));
    }

    /// Adds a value, keeping those that are there.
    pub fn append(&mut self, name: impl Into<String>, value: impl Into<Vec<u8>>) {
        self.0.push((name.into(), value.into()));
    }

    /// Removes every value of a name.
    pub fn remove(&mut self, name: &str) {
        self.0
            .retain(|(known, _)| !known.eq_ignore_ascii_case(name));
    }

    /// Every field as name and raw value.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_slice()))
    }

    #[cfg(target_arch = "wasm32")]
    pub(crate) fn from_entries(entries: Vec<(String, Vec<u8>)>) -> Headers {
        Headers(entries)
    }

    #[cfg(target_arch = "wasm32")]
    pub(crate) fn into_entries(self) -> Vec<(String, Vec<u8>)> {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_compare_without_regard_to_case() {
        let mut headers = Headers::new();
        headers.append("Set-Cookie", "a=1");
        headers.append("set-cookie", "b=2");
        assert_eq!(headers.get("SET-COOKIE"), Some("a=1"));
        assert_eq!(
            headers.all("set-cookie").collect::<Vec<_>>(),
            ["a=1", "b=2"]
        );
        headers.set("set-Cookie", "c=3");
        assert_eq!(headers.iter().count(), 1);
    }

    #[test]
    fn a_value_that_is_not_utf8_is_kept_but_not_read_as_text() {
        let mut headers = Headers::new();
        headers.append("x", vec![0xff]);
        assert_eq!(headers.get("x"), None);
        assert!(headers.contains("X"));
    }
}
