"""Getting a network ready: fetch, cut, make static, simplify, verify, convert, store."""
