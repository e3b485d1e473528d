//! The page and its files.

use acceptance::Workshop;

use crate::{Service, shipped};

#[test]
fn the_page_comes_with_the_program_and_from_nowhere_else() {
    let workshop = Workshop::new();
    let service = Service::start(&workshop, &shipped("mobile"), &[]);
    for (path, kind, part) in [
        ("/", "text/html; charset=utf-8", "<!doctype html>"),
        ("/page.js", "text/javascript; charset=utf-8", "/v1/decide"),
        ("/page.css", "text/css; charset=utf-8", "prefers-reduced-motion"),
    ] {
        let answer = service.get(path);
        assert_eq!((answer.status, &answer.headers["content-type"]), (200, &kind.parse().expect("a value")), "{path}");
        assert!(answer.text.to_lowercase().contains(part), "{path}");
        let policy = answer.headers["content-security-policy"].to_str().expect("text");
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
        assert_eq!(answer.headers["x-content-type-options"], "nosniff");
        let elsewhere = answer.text.matches("://").count() - answer.text.matches("http://www.w3.org/").count();
        assert_eq!(elsewhere, 0, "{path} names another place");
    }
}
