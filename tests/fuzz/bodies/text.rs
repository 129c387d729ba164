//! Bytes made text: conversion from UTF-16, and escapes for the terminal.

use stanch::report::text::{escape, escape_bytes, is_hidden};
use stanch::source::text::as_text;

pub fn run(bytes: &[u8]) {
    let _ = as_text(bytes);
    assert!(!escape_bytes(bytes).chars().any(is_hidden));
    assert!(!escape(&String::from_utf8_lossy(bytes)).chars().any(is_hidden));
}
