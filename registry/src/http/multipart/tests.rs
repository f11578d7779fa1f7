//! The reader against bodies as clients make them, cut at every byte, and against bodies made to hurt it.

use super::*;

const TYPE: &str = "multipart/form-data; boundary=b";

fn read(content_type: &str, body: &[u8], piece: usize) -> Result<Vec<Upload>, Refusal> {
    let mut reader = Reader::new(content_type)?;
    for piece in body.chunks(piece) {
        reader.push(piece)?;
    }
    reader.finish()
}

/// The same pairs, whatever the pieces.
#[track_caller]
fn accepts(content_type: &str, body: &[u8], pairs: &[(&[u8], &[u8])]) {
    for piece in (1..=body.len()).filter(|piece| *piece < 200 || *piece == body.len()) {
        let uploads = read(content_type, body, piece).unwrap_or_else(|refusal| panic!("{piece}: {refusal}"));
        let read: Vec<(&[u8], &[u8])> =
            uploads.iter().map(|upload| (&upload.bundle[..], &upload.archive[..])).collect();
        assert_eq!(read, pairs, "in pieces of {piece}");
    }
}

/// The same refusal, whatever the pieces.
#[track_caller]
fn refuses(content_type: &str, body: &[u8], code: &str, why: &str) {
    for piece in (1..=body.len().max(1)).filter(|piece| *piece < 200 || *piece == body.len()) {
        let refusal = read(content_type, body, piece).expect_err(why);
        assert_eq!(refusal.code, code, "{refusal}");
        assert!(refusal.message.contains(why), "in pieces of {piece}: {refusal}, not {why}");
    }
}

fn part(name: &str, content: &str) -> String {
    format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{content}\r\n")
}

fn pair() -> String {
    part("bundle", "B") + &part("archive", "A")
}

#[test]
fn the_bodies_of_curl_and_reqwest_are_read() {
    let curl = "--------------------------Ew3Ilh7mR9vBqCkEvUvEaD\r\n\
        Content-Disposition: form-data; name=\"bundle\"; filename=\"my \\\"own\\\"; name=x.jsonl\"\r\n\
        Content-Type: application/octet-stream\r\n\r\n{\"a\":1}\n\r\n\
        --------------------------Ew3Ilh7mR9vBqCkEvUvEaD\r\n\
        Content-Disposition: form-data; name=\"archive\"; filename=\"pdf.tar.gz\"\r\n\
        Content-Type: application/gzip\r\n\r\n\x1f\r\n--x\r\n\r\n\
        --------------------------Ew3Ilh7mR9vBqCkEvUvEaD--\r\n";
    let content_type = "multipart/form-data; boundary=------------------------Ew3Ilh7mR9vBqCkEvUvEaD";
    accepts(content_type, curl.as_bytes(), &[(b"{\"a\":1}\n", b"\x1f\r\n--x\r\n")]);
    let reqwest = "--7a1f3c-0\r\nContent-Disposition: form-data; name=\"bundle\"; filename=\"bundle\"\r\n\r\n\r\n\
        --7a1f3c-0\r\nContent-Disposition: form-data; name=\"archive\"; filename*=utf-8''%C3%A4\r\n\r\n\r\n\r\n\
        --7a1f3c-0--\r\n";
    accepts("multipart/form-data; boundary=7a1f3c-0", reqwest.as_bytes(), &[(b"", b"\r\n")]);
}

#[test]
fn what_is_lawful_and_seldom_is_read_too() {
    let body = pair() + "--b--";
    for content_type in [
        "Multipart/Form-Data;BOUNDARY=b",
        "multipart/form-data; charset=utf-8; boundary=\"b\"",
        "multipart/form-data;boundary=b ",
    ] {
        accepts(content_type, body.as_bytes(), &[(b"B", b"A")]);
    }
    let first = b"--b\r\ncontent-type: x\r\nCONTENT-DISPOSITION:form-data;filename=\"\xff\";name=bundle\r\n\r\nB\r\n";
    let body = [first, part("archive", "A").as_bytes(), b"--b--\r\n"].concat();
    accepts(TYPE, &body, &[(b"B", b"A")]);
    accepts(TYPE, (pair() + &pair() + "--b--\r\n").as_bytes(), &[(b"B", b"A"), (b"B", b"A")]);
}

#[test]
fn content_that_nearly_holds_a_boundary_is_kept_whole() {
    for content in ["\r", "\r\n", "\r\n-", "\r\n--", "\r\n--a", "\r\r\n--", "--b", "\n--b", "\r\n-\r\n--\r\n--c\r"] {
        let body = part("bundle", content) + &part("archive", content) + "--b--\r\n";
        accepts(TYPE, body.as_bytes(), &[(content.as_bytes(), content.as_bytes())]);
    }
}

#[test]
fn a_boundary_that_is_missing_too_long_or_unlawful_is_refused() {
    let long = format!("multipart/form-data; boundary={}", "b".repeat(71));
    for content_type in [
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "multipart/form-data; boundary=\"\"",
        "multipart/form-data; boundary=\"b \"",
        "multipart/form-data; boundary=\"b\r\n\"",
        "multipart/form-data; boundary=b%b",
        &long,
    ] {
        refuses(content_type, b"", "multipart-malformed", "names no boundary");
    }
    refuses("multipart/form-data; boundary=b; boundary=c", b"", "multipart-malformed", "`boundary` twice");
    refuses("multipart/form-data; boundary=\"b", b"", "multipart-malformed", "not `NAME=VALUE`");
    for content_type in ["", "application/json", "multipart/mixed; boundary=b", "multipart/form-data-x; boundary=b"] {
        refuses(content_type, b"", "media-type-unsupported", "`multipart/form-data`");
    }
    let longest = "b".repeat(70);
    let body = (pair() + "--b--").replace("--b", &format!("--{longest}"));
    accepts(&format!("multipart/form-data; boundary={longest}"), body.as_bytes(), &[(b"B", b"A")]);
}

#[test]
fn what_stands_before_between_or_after_the_parts_is_refused() {
    let whole = pair() + "--b--\r\n";
    for before in ["\r\n", " ", "preamble\r\n", "-", "--c\r\n"] {
        refuses(TYPE, (before.to_owned() + &whole).as_bytes(), "multipart-malformed", "does not begin with");
    }
    for after in ["\n", "x", "\r\n", "--b", " "] {
        refuses(TYPE, (whole.clone() + after).as_bytes(), "multipart-malformed", "after its closing boundary");
    }
    for between in ["--b \r\n", "--b\n", "--b-\r\n", "--bb\r\n"] {
        let body = pair() + between + "Content-Disposition: form-data; name=\"bundle\"\r\n\r\n";
        refuses(TYPE, body.as_bytes(), "multipart-malformed", "neither a line end nor `--`");
    }
}

#[test]
fn a_body_cut_off_anywhere_is_refused() {
    let whole = pair() + "--b--\r\n";
    for length in (0..whole.len()).filter(|length| *length != whole.len() - 2) {
        refuses(TYPE, &whole.as_bytes()[..length], "multipart-malformed", "ends before its closing boundary");
    }
}

#[test]
fn parts_out_of_turn_and_without_a_name_are_refused() {
    for (parts, why) in [
        (part("archive", "A"), "expected a part `bundle`, found `archive`"),
        (part("bundle", "B") + &part("bundle", "B"), "expected a part `archive`, found `bundle`"),
        (pair() + &part("\u{1b}", "x"), "control character"),
        (pair() + &part("more", "x"), "found `more`"),
        (part("bundle", "B"), "has no `archive` after it"),
        (String::new(), "there is no part"),
    ] {
        refuses(TYPE, (parts + "--b--").as_bytes(), "multipart-malformed", why);
    }
    for (head, why) in [
        ("", "not `NAME: VALUE`"),
        ("no colon", "not `NAME: VALUE`"),
        (" folded: x", "not `NAME: VALUE`"),
        ("Content-Type: text/plain", "no `Content-Disposition`"),
        ("Content-Disposition: form-data", "no name"),
        ("Content-Disposition: attachment; name=\"bundle\"", "not one"),
        ("Content-Disposition: form-data; name=\"bundle\"; name=\"archive\"", "`name` twice"),
        ("Content-Disposition: form-data; name=\"bundle\"x", "not `NAME=VALUE`"),
        ("Content-Disposition: form-data; name=\"bundle\"\nX: y", "control character"),
    ] {
        refuses(TYPE, format!("--b\r\n{head}\r\n\r\nB").as_bytes(), "multipart-malformed", why);
    }
    let twice = "Content-Disposition: form-data; name=\"bundle\"\r\n".repeat(2);
    refuses(TYPE, format!("--b\r\n{twice}\r\nB").as_bytes(), "multipart-malformed", "not one");
}

#[test]
fn a_head_without_an_end_is_refused_after_eight_kibibytes() {
    let head = |length: usize| {
        let disposition = "Content-Disposition: form-data; name=\"bundle\"\r\nX: ";
        format!("--b\r\n{disposition}{}", "y".repeat(length - disposition.len()))
    };
    let body = head(HEAD_BYTES_MAX) + "\r\n\r\nB\r\n" + &part("archive", "A") + "--b--";
    accepts(TYPE, body.as_bytes(), &[(b"B", b"A")]);
    let body = head(HEAD_BYTES_MAX + 1) + "\r\n\r\nB\r\n" + &part("archive", "A") + "--b--";
    refuses(TYPE, body.as_bytes(), "multipart-malformed", "more than 8192 bytes");
    refuses(TYPE, head(64 * 1024).as_bytes(), "multipart-malformed", "more than 8192 bytes");
}

#[test]
fn what_is_not_understood_yet_never_grows_beyond_a_piece_and_a_head() {
    let mut reader = Reader::new(TYPE).expect("a boundary");
    reader
        .push((part("bundle", "B") + "--b\r\nContent-Disposition: form-data; name=archive\r\n\r\n").as_bytes())
        .expect("read");
    for piece in ["\r\n--".repeat(16 * 1024), "\r".repeat(64 * 1024), "x".repeat(64 * 1024)] {
        reader.push(piece.as_bytes()).expect("content");
        assert!(reader.waiting.len() < "\r\n--b".len(), "{} bytes wait", reader.waiting.len());
        assert!(reader.waiting.capacity() < 256 * 1024, "room for {} bytes", reader.waiting.capacity());
    }
}

#[test]
fn more_releases_than_the_most_are_refused() {
    let most = pair().repeat(UPLOADS_MAX);
    assert_eq!(read(TYPE, (most.clone() + "--b--").as_bytes(), 65_536).expect("the most").len(), UPLOADS_MAX);
    let refusal = read(TYPE, (most + &part("bundle", "B") + "--b--").as_bytes(), 65_536).expect_err("one more");
    assert_eq!(refusal.code, "body-too-large");
}
