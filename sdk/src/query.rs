//! The pairs of a query or of a form (`application/x-www-form-urlencoded`).

use std::str::FromStr;

use crate::{Error, percent};

/// Names and values, decoded, in order. A name may occur more than once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query(Vec<(String, String)>);

impl Query {
    /// Reads `a=1&b=2`.
    pub fn parse_str(text: &str) -> Query {
        Query(
            text.split('&')
                .filter(|pair| !pair.is_empty())
                .map(|pair| {
                    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                    (
                        percent::decode_form(name).into_owned(),
                        percent::decode_form(value).into_owned(),
                    )
                })
                .collect(),
        )
    }

    /// The first value of a name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// Every value of a name, in order.
    pub fn all<'a, 'n>(&'a self, name: &'n str) -> impl Iterator<Item = &'a str> + use<'a, 'n> {
        self.0
            .iter()
            .filter(move |(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// The first value of a name as a `T`; 400 naming it when it is there and is none.
    pub fn parse<T: FromStr>(&self, name: &str) -> Result<Option<T>, Error> {
        self.get(name)
            .map(|value| {
                value
                    .parse()
                    .map_err(|_| Error::bad_request(format!("Invalid value for '{name}'")))
            })
            .transpose()
    }

    /// Every pair.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn pairs_are_decoded_and_keep_their_order() {
        let query = Query::parse_str("q=a+b&tag=x&tag=y%26z&&flag");
        assert_eq!(query.get("q"), Some("a b"));
        assert_eq!(query.all("tag").collect::<Vec<_>>(), ["x", "y&z"]);
        assert_eq!(query.get("flag"), Some(""));
        assert_eq!(query.get("absent"), None);
    }

    #[test]
    fn a_value_of_another_type_is_the_clients_fault() {
        let query = Query::parse_str("page=2&size=many");
        assert_eq!(query.parse::<u32>("page").unwrap(), Some(2));
        assert_eq!(query.parse::<u32>("absent").unwrap(), None);
        let error = query.parse::<u32>("size").unwrap_err();
        assert_eq!(
            (error.status(), error.message()),
            (400, "Invalid value for 'size'")
        );
    }
}
