//! The smallest app: one route with a parameter.

use rookery_sdk::{App, Request};

fn hello() -> App {
    App::new()
        .get("/", |_: &mut Request| "Hello!\n")
        .get("/:name", |request: &mut Request| {
            format!("Hello, {}!\n", request.param("name"))
        })
}

rookery_sdk::export!(hello);

#[cfg(test)]
mod tests {
    use rookery_sdk::testing::{Host, Request};

    #[test]
    fn everybody_is_greeted_by_name() {
        let host = Host::new(super::hello());
        assert_eq!(host.request(Request::get("/")).text(), "Hello!\n");
        assert_eq!(host.request(Request::get("/ada")).text(), "Hello, ada!\n");
    }
}
