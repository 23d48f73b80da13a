//! Where `<base>` goes in a page, found once when the page is read.
//!
//! **Invariant:** a place is behind the first `<head …>`, and only in a page without a `<base>` of its own in its head.
//! **Absent on purpose:** an HTML parser. Comments, quoted attributes and the elements whose text is not markup are
//! understood; a page that goes further out of its way gets no base.

/// Finds the place. `page` may be the beginning of a longer page.
pub(super) fn base_place(page: &[u8]) -> Option<usize> {
    let mut place = None;
    let mut tags = Tags { page, at: 0 };
    while let Some(tag) = tags.next() {
        match place {
            None if tag.is(b"head") => place = Some(tag.end),
            None if tag.is(b"body") => return None,
            Some(_) if tag.is(b"base") => return None,
            Some(_) if tag.is(b"/head") || tag.is(b"body") => return place,
            _ => tags.skip_text_of(&tag),
        }
    }
    place
}

/// The element to insert. `base` comes from the client's path, so it is escaped.
pub(super) fn base_element(base: &str) -> String {
    let mut element = String::with_capacity(base.len() + 18);
    element.push_str("<base href=\"");
    for c in base.chars() {
        match c {
            '&' => element.push_str("&amp;"),
            '<' => element.push_str("&lt;"),
            '>' => element.push_str("&gt;"),
            '"' => element.push_str("&quot;"),
            '\'' => element.push_str("&#39;"),
            c => element.push(c),
        }
    }
    element.push_str("\" />");
    element
}

struct Tag<'a> {
    /// Up to the first space, `/` or `>`; a closing tag keeps its leading slash.
    name: &'a [u8],
    /// The offset just behind its `>`.
    end: usize,
}

impl Tag<'_> {
    fn is(&self, name: &[u8]) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }
}

/// The tags of a page, comments left out.
struct Tags<'a> {
    page: &'a [u8],
    at: usize,
}

impl<'a> Tags<'a> {
    fn next(&mut self) -> Option<Tag<'a>> {
        loop {
            self.at += find(&self.page[self.at..], |rest| rest[0] == b'<')?;
            let rest = &self.page[self.at..];
            if rest.starts_with(b"<!--") {
                self.at += find(rest, |rest| rest.starts_with(b"-->"))? + 3;
                continue;
            }
            let slash = usize::from(rest.get(1) == Some(&b'/'));
            if !rest.get(1 + slash).is_some_and(u8::is_ascii_alphabetic) {
                self.at += 1;
                continue;
            }
            let ends =
                |rest: &[u8]| matches!(rest[0], b'>' | b'/') || rest[0].is_ascii_whitespace();
            let name_len = find(&rest[1 + slash..], ends)? + slash;
            self.at += tag_len(rest)?;
            return Some(Tag {
                name: &rest[1..=name_len],
                end: self.at,
            });
        }
    }

    /// Goes behind the text of an element in which `<` starts no tag: a script may well say `"<base"`.
    fn skip_text_of(&mut self, tag: &Tag<'_>) {
        let raw = [&b"script"[..], b"style", b"title", b"noscript", b"template"];
        if raw.iter().any(|name| tag.is(name)) {
            let closes = |rest: &[u8]| {
                rest.starts_with(b"</")
                    && rest
                        .get(2..2 + tag.name.len())
                        .is_some_and(|name| tag.is(name))
            };
            self.at += find(&self.page[self.at..], closes).unwrap_or(self.page.len() - self.at);
        }
    }
}

/// The length of the tag that `rest` starts with. A `>` inside quotes does not end it.
fn tag_len(rest: &[u8]) -> Option<usize> {
    let mut quote = None;
    for (at, byte) in rest.iter().copied().enumerate() {
        match (quote, byte) {
            (None, b'>') => return Some(at + 1),
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), _) if open == byte => quote = None,
            _ => {}
        }
    }
    None
}

/// The first offset at which `wanted` holds of the rest, which is never empty.
fn find(bytes: &[u8], wanted: impl Fn(&[u8]) -> bool) -> Option<usize> {
    (0..bytes.len()).find(|at| wanted(&bytes[*at..]))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    /// The page with a `|` where the base would go.
    fn marked(page: &str) -> String {
        match base_place(page.as_bytes()) {
            Some(at) => format!("{}|{}", &page[..at], &page[at..]),
            None => page.to_owned(),
        }
    }

    #[test]
    fn the_base_goes_behind_the_first_head() {
        for expected in [
            "<head>|<title>x</title></head>",
            "<!DOCTYPE html>\n<html lang=en><HEAD>|\n</HEAD></html>",
            "<head lang=\"en\" data-x='a>b'>|<meta></head>",
            "<head\n\tlang=en\n>|",
            "<!-- <head> --><head>|</head>",
            "<head>|<!-- <base href=x> --></head>",
            "<head>|<script>document.write('<base href=x>')</script></head>",
            "<head>|<title><base></title></head>",
            "<head>|<basefont></head>",
            "<head>|</head><body><base href=x></body>",
            "<head>|<p>1 < 2</p><head>",
            "a < b <head>|",
        ] {
            assert_eq!(marked(&expected.replacen('|', "", 1)), expected);
        }
    }

    #[test]
    fn a_page_without_a_head_or_with_a_base_is_left_alone() {
        for page in [
            "",
            "<p>no head</p>",
            "<header>not a head</header>",
            "<body><head></body>",
            "<head><base href=\"/own/\"></head>",
            "<head><meta><BASE HREF=x></head>",
            "<head><base/></head>",
            "<head",
            "<head lang='x>",
            "<!-- <head>",
            "<script>'<head>'</script>",
        ] {
            assert_eq!(marked(page), page);
        }
    }

    #[test]
    fn a_base_from_the_path_cannot_leave_its_attribute() {
        assert_eq!(base_element("/spa@1/"), "<base href=\"/spa@1/\" />");
        assert_eq!(
            base_element("/a\"><script>'&/"),
            "<base href=\"/a&quot;&gt;&lt;script&gt;&#39;&amp;/\" />"
        );
    }

    proptest! {
        #[test]
        fn no_page_panics(page in "(<|>|/|head|base|script|!--|-->|\"|'| |\\PC){0,60}") {
            if let Some(at) = base_place(page.as_bytes()) {
                prop_assert!(page.as_bytes()[..at].ends_with(b">"));
            }
        }
    }
}
